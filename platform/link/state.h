/* SPDX-License-Identifier: Apache-2.0 */
/* State records in the link region: one writing shard each, fixed layout, linked by index.
 *
 * They are written through steps only (step.h), so a control process killed at any instant leaves
 * either the old or the new state, never half of one. A successor adopts them as they stand. */
#pragma once
#include "platform/link/layout.h"
#include "platform/link/machine.h"

#define LINK_TXN_TEXT 92

/* A server transaction with its response context (RFC 3261 §16.2, §17.2). */
struct link_txn {
	struct hash128 key;      /* keyed hash of (branch, sent-by, method); §17.2.3              */
	uint64_t request_hash;   /* of the request's octets: a retransmission is the same again   */
	uint64_t created_us;
	uint64_t guard_us;       /* absolute deadline while the machine waits for others; 0: none */
	struct link_machine machine;
	struct link_flow flow;   /* where the request came from and replies go                    */
	uint32_t next;           /* in its bucket, or LINK_NONE                                    */
	uint64_t slot;           /* the request, 0 once released                                  */
	uint32_t reply;          /* program of the last reply, over the request; or LINK_NONE      */
	uint16_t reply_words;
	uint8_t method;          /* enum sip_method                                                */
	uint8_t flags;           /* TXN_F_*                                                        */
	uint32_t cseq;
	uint32_t branch;         /* first branch, or LINK_NONE                                     */
	uint16_t best_status;    /* best final answer of the branches so far, 0: none              */
	uint8_t n_branches, n_live;
	/* continuation of a parked job: what it waits for */
	uint8_t job_kind, job_attempts;
	uint16_t job_rule;
	uint32_t job_target;
	uint64_t job_deadline_us;
	uint64_t best_slot;      /* response behind best_status, held; 0: it was ours (408, 503)    */
	/* for tm.list once the slot is gone: Call-ID, From user, To user, clipped */
	uint8_t text_len[3];
	uint8_t pad;
	char text[LINK_TXN_TEXT];
};
enum { TXN_F_CANCELLED = 1, /* a CANCEL has come                                              */
       TXN_F_FINAL = 2,     /* a final answer has been sent upstream                          */
       TXN_F_REPLY_BYTES = 4 }; /* reply program holds texts only: needs no request           */

/* A client transaction: one branch of a proxied request, or the CANCEL of one (§16.6, §17.1). */
struct link_branch {
	struct link_machine machine;
	uint64_t guard_us;       /* timer C (§16.6 step 11); 0: none                               */
	uint64_t created_us;
	struct link_flow flow;   /* where the request went                                         */
	uint32_t txn;            /* index of its server transaction, or LINK_NONE                   */
	uint32_t next;           /* next branch of the transaction                                  */
	uint32_t program;        /* of the request as sent: over the transaction's slot, or texts   */
	uint32_t ack;            /* program of texts: ACK for a non-2xx; or LINK_NONE               */
	uint32_t cancel;         /* branch record of its CANCEL, or LINK_NONE. Of a CANCEL: its INVITE's;
				  * either record may be gone, so both must agree                   */
	uint16_t program_words, ack_words;
	uint16_t status;         /* last response                                                   */
	uint8_t method;
	uint8_t flags;           /* BRANCH_F_*                                                      */
	uint8_t pad[20];
};
enum { BRANCH_F_CANCEL_WANTED = 1, /* cancel as soon as a provisional has come (§9.1)          */
       BRANCH_F_IS_CANCEL = 2, BRANCH_F_ENDED = 4 };

/* A binding of the registrar (§10). Several of one AoR share `aor` and stand in one bucket. */
#define LINK_BINDING_TEXT 176
struct link_binding {
	struct hash128 aor;      /* keyed hash of the canonical address-of-record                  */
	uint64_t contact_hash;   /* keyed hash of the canonical contact URI                         */
	uint64_t call_id_hash;
	uint64_t expires_us;     /* absolute                                                        */
	uint64_t updated_us;
	struct link_flow flow;   /* where the REGISTER came from                                    */
	uint32_t cseq;
	uint32_t next;           /* in its bucket                                                   */
	uint32_t more;           /* chain of blocks with the rest of the text, or LINK_NONE         */
	uint16_t q_permille;
	uint16_t aor_len, contact_len, path_len; /* text holds them one after another              */
	uint32_t created_s;      /* wall clock, for people                                          */
	uint32_t pad;
	char text[LINK_BINDING_TEXT];
};
_Static_assert(sizeof(struct link_txn) == 256, "fixed layout");
_Static_assert(sizeof(struct link_branch) == 128, "fixed layout");
_Static_assert(sizeof(struct link_binding) == 280, "fixed layout");
