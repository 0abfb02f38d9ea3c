/* SPDX-License-Identifier: Apache-2.0 */
/* Names that we write into messages and know again when they come back: the branch of our Via (RFC
 * 3261 §8.1.1.7) and the To tag of replies made without state (§8.2.7). Both carry a keyed mark, so a
 * stranger cannot make one up, and a response finds its branch record without any search.
 * Pure; runs anywhere. */
#pragma once
#include "platform/link/layout.h"
#include "platform/sip/msg.h"

#define TOKEN_BRANCH_LEN 37 /* "z9hG4bK" and 30 characters */
#define TOKEN_TAG_LEN 16

struct token_branch {
	uint32_t shard;
	uint32_t branch;     /* record index in the shard's table */
	uint32_t generation;
};
/* out: TOKEN_BRANCH_LEN characters, not terminated. */
void token_branch_write(const struct link_header *h, const struct token_branch *t, char *out);
/* ret 0 · -E_NOT_FOUND (not ours, or of an earlier run, or forged) */
int token_branch_read(const struct link_header *h, struct str branch, struct token_branch *t);

/* Keyed hash of what an INVITE and the ACK of its refusal share: Call-ID, From tag, CSeq number, top
 * branch and Request-URI. out: TOKEN_TAG_LEN characters. */
void token_tag_write(const struct link_header *h, const char *base, const struct sip_msg *m, char *out);
/* Whether the request's To tag is the one that token_tag_write() gives for it. */
bool token_tag_is(const struct link_header *h, const char *base, const struct sip_msg *m);
