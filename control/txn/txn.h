/* SPDX-License-Identifier: Apache-2.0 */
/* The transaction layer: matching, and carrying out what the machines decide
 * (RFC 3261 §17.1.3, §17.2.3; RFC 6026; RFC 3581).
 *
 * Records lie in the link region (platform/link/state.h) and are named by index. Every function here
 * runs inside a step of the shard. Upward it calls the two functions at the end of this header, which
 * proxy/ provides. */
#pragma once
#include "control/shard.h"
#include "platform/sip/reply.h"

/* Server side. */
/* The key that a request is matched by; method: of the transaction looked for (an ACK looks for the
 * INVITE, a CANCEL for its own CANCEL or for the INVITE). */
struct hash128 txn_key(const struct shard *s, const struct message *m, enum sip_method method);
uint32_t txn_find(struct shard *s, const struct hash128 *key); /* LINK_NONE: none */
/* A new server transaction that holds the message's slot. in_dialog: may use the reserve.
 * ret index · LINK_NONE (no record free: counted) */
uint32_t txn_new(struct shard *s, struct message *m, bool in_dialog);
/* The same request again: resend the last reply, or absorb. m is released by the caller. */
void txn_retransmitted(struct shard *s, uint32_t txn, struct message *m);
/* ACK for our final answer. false: it is not for this transaction's state (pass it on). */
bool txn_ack(struct shard *s, uint32_t txn);
/* Answer the request ourselves. To tag: derived from the transaction, the same every time. */
void txn_reply(struct shard *s, uint32_t txn, unsigned status, const char *reason, struct str extra);
/* Pass a response upstream: edits are already in s->edit against m. */
void txn_relay(struct shard *s, uint32_t txn, struct message *m);
/* The request of a transaction. false: its slot has been given back. */
bool txn_request(struct shard *s, uint32_t txn, struct message *m);
/* Reply without any transaction and without state (§8.2.7); never to an ACK. */
void txn_reply_stateless(struct shard *s, struct message *m, unsigned status, const char *reason,
			 struct str extra);

/* Answer statelessly (keyed To tag: a retransmission gets the same, its ACK is absorbed by the core)
 * and free the transaction at once. */
void txn_end_stateless(struct shard *s, uint32_t txn, unsigned status, const char *reason);

/* Client side. */
/* A new branch of txn. ret index · LINK_NONE */
uint32_t txn_branch_new(struct shard *s, uint32_t txn, enum sip_method method);
/* Send its request: program over the transaction's slot, kept for retransmissions. Starts the machine.
 * ret 0 · -E_FULL (the branch is freed) */
int txn_branch_start(struct shard *s, uint32_t branch, const struct link_flow *flow,
		     const struct sip_program *p);
/* A branch that is not to be: its record and all that it holds. */
void txn_branch_free(struct shard *s, uint32_t branch);
/* A response for it. */
void txn_response(struct shard *s, uint32_t branch, struct message *m);
void txn_send_failed(struct shard *s, uint32_t branch);
/* Cancel a branch of an INVITE: now where a provisional has come, else as soon as one comes (§9.1). */
void txn_branch_cancel(struct shard *s, uint32_t branch);

/* Timers: an armed id of the wheel has come due. */
void txn_timer(struct shard *s, uint32_t txn);
void txn_branch_timer(struct shard *s, uint32_t branch);
/* When the record next wants to be called; UINT64_MAX: never (then it must not be live). */
uint64_t txn_next_us(const struct link_txn *t);
uint64_t txn_branch_next_us(const struct link_branch *b);

/* What proxy/ provides. */
/* A response that the machine lets through. The slot is the caller's unless m->kept is set. */
void proxy_response(struct shard *s, uint32_t branch, struct message *m);
/* A branch ended without a final response: 408 (time-out), 503 (could not be sent). */
void proxy_branch_failed(struct shard *s, uint32_t branch, unsigned status);
/* The parked job of a transaction is due. */
void proxy_job_due(struct shard *s, uint32_t txn);
