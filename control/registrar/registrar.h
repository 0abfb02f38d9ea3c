/* SPDX-License-Identifier: Apache-2.0 */
/* The registrar: REGISTER in, bindings kept, look-ups answered (RFC 3261 §10.3).
 *
 * Every function runs inside a step of the shard, but for registrar_expired(), which is called inside
 * one by the wheel. Bindings are link_binding records in the region: they survive the control process. */
#pragma once
#include "control/shard.h"
#include "control/txn/txn.h"

/* Handle a REGISTER for a domain of ours that has its server transaction already: binds, refreshes,
 * unbinds, queries; answers it through txn_reply(). §10.3 steps 5 to 8, as one: either all of the
 * request's contacts take effect or none. 200 lists every binding of the AoR with its remaining
 * expires; 400, 423 with Min-Expires, 403 (too many contacts), 500 (CSeq out of order), 503 (no record). */
void registrar_request(struct shard *s, uint32_t txn, struct message *m);

/* A binding as others see it; views live until the next change of the binding. */
struct registrar_contact {
	uint32_t index;          /* of the record */
	struct str contact;      /* URI, without <> */
	struct str path;         /* value of a Route header, or empty */
	struct link_flow flow;   /* where the REGISTER came from */
	uint16_t q_permille;
	uint64_t expires_us;
};
/* Bindings of the canonical AoR of a URI ("user@host"), best q first, expired ones left out; text that
 * does not lie in one piece is copied to `room`. ret how many (<= max) */
uint32_t registrar_lookup(struct shard *s, struct str aor, uint64_t now_us, struct strbuf *room,
			  struct registrar_contact *out, uint32_t max);
/* The timer of a binding is due: removes it when it has expired. */
void registrar_expired(struct shard *s, uint32_t binding);
uint64_t registrar_next_us(const struct link_binding *b);

/* For ul.dump and ul.lookup: bindings by record index, from `from` on, at most max looked at.
 * Outside of steps. ret next index to go on with, LINK_NONE at the end */
struct registrar_row {
	struct str aor, contact, path;
	uint64_t expires_us, updated_us;
	struct link_flow flow;
	uint32_t cseq;
	uint16_t q_permille;
};
uint32_t registrar_walk(struct shard *s, uint32_t from, uint32_t max, struct strbuf *room,
			void (*row)(void *arg, const struct registrar_row *r), void *arg);
