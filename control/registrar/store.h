/* SPDX-License-Identifier: Apache-2.0 */
/* The binding records of one shard: chained by AoR, texts kept, freed one at a time.
 *
 * Everything here runs inside a step, but for what says otherwise. A binding that a request removes or
 * replaces is only marked: its timer, due at once, frees it in a step of its own, so that a step that
 * touches many bindings writes one record for each and frees none. */
#pragma once
#include "control/registrar/registrar.h"

#define STORE_BLOCKS_MAX 8 /* edit blocks that the text of one binding may take */
#define STORE_TEXT_MAX (LINK_BINDING_TEXT + STORE_BLOCKS_MAX * LINK_BLOCK_WORDS * 4)
#define STORE_LIST_MAX 64 /* bindings of one AoR: the most that conf.contacts_max can be */
#define STORE_GONE_US 1	  /* expires_us of a binding that waits for its timer to free it */

/* The texts of a binding, together at most STORE_TEXT_MAX octets. */
struct store_text {
	struct str aor;	    /* canonical                                  */
	struct str contact; /* URI as the request had it, without <>      */
	struct str path;    /* elements joined as in a Route header       */
};

/* What a step still needs; counted before anything is changed. */
struct store_need {
	uint32_t records, blocks, writes, shadow_bytes, touched;
};

struct hash128 store_key(const struct shard *s, struct str aor);
/* Bindings of an AoR that live at now_us: best q first, then newest first. More than max: the first
 * ones by that order. ret how many */
uint32_t store_list(struct shard *s, const struct hash128 *key, uint64_t now_us, uint32_t *out,
		    uint32_t max);
/* The texts; what does not lie in one piece is copied to room. b may be a copy of this step's.
 * ret 0 · -E_FULL (room; its len is as before) · -E_BAD_RECORD (chain) */
int store_texts(const struct shard *s, const struct link_binding *b, struct strbuf *room,
		struct store_text *out);
int store_contact(const struct shard *s, const struct link_binding *b, struct strbuf *room,
		  struct str *out);

/* What store_put() with the same arguments will take is added to n. */
void store_need_put(struct shard *s, uint32_t old, const struct store_text *t,
		    struct store_need *n);
void store_need_remove(struct store_need *n);
/* ret 0 · -E_FULL (records or blocks) · -E_TOO_MANY (more than one step can carry) */
int store_room(const struct shard *s, const struct store_need *n);

/* Put a binding in (old LINK_NONE) or renew one, in its record where the texts allow. Of `fields` the
 * key, hashes, times, flow, cseq and q count; created_s only for a new one. There must be room.
 * ret its index */
uint32_t store_put(struct shard *s, uint32_t old, const struct link_binding *fields,
		   const struct store_text *t);
/* Mark: no longer seen; freed by its timer. */
void store_remove(struct shard *s, uint32_t i);
