/* SPDX-License-Identifier: Apache-2.0 */
/* The proxy: what to do with a message (RFC 3261 §16).
 *
 *   dispatch.c  a request that came up: match, or validate and choose who handles it
 *   target.c    where it is to go: Route, Request-URI, bindings, host table (§16.5, §16.6 step 7)
 *   forward.c   the copy that goes out, as edits (§16.6)
 *   response.c  what the branches answer: best response, CANCEL of the others (§16.7)
 * Every function runs inside a step of the shard. */
#pragma once
#include "control/shard.h"
#include "control/txn/txn.h"

void proxy_request_in(struct shard *s, struct message *m);
void proxy_response_in(struct shard *s, struct message *m);

#define PROXY_TARGETS_MAX 10

/* One next hop of a request. */
struct proxy_target {
	struct str ruri;        /* new Request-URI, or empty: as it stands                  */
	struct str route;       /* a Route value to put first (a binding's Path), or empty  */
	struct link_flow flow;  /* listener, address, port                                  */
	uint16_t q_permille;
};
/* Route information preprocessing, §16.4: what to leave out of the request. */
struct proxy_route {
	uint32_t n_own;          /* leading Route values that are ours: removed             */
	struct str next;         /* first Route URI that is left, or empty                  */
	bool next_loose;         /* it has ;lr                                              */
	bool ours;               /* the Request-URI names us                                */
};
/* ret 0 · -E_MALFORMED (a Route value that cannot be read: 400) */
int proxy_route_info(struct shard *s, const struct message *m, struct proxy_route *r);

/* Address of a host and port for a listener of the transport: literal address or host table; the
 * listener is the one that the request came in by where the address family is the same.
 * ret 0 · -E_NOT_FOUND (a name that we cannot resolve, or a family without a listener) */
int proxy_flow_of(struct shard *s, const struct link_flow *in, struct str uri, struct link_flow *out);

/* Where a response goes by the Via below ours (§18.2.2, RFC 3581); out->transport, core and listener
 * are set by the caller. ret 0 · -E_NOT_FOUND */
struct sip_via;
int proxy_via_flow(struct shard *s, const struct sip_via *v, struct link_flow *out);

/* A status line and extra headers instead of a target. */
struct proxy_verdict {
	unsigned status;         /* 0: targets are set */
	const char *reason;
	struct str extra;
};
/* Targets of a request that is to be forwarded. room holds texts that must outlive the call.
 * ret how many; 0: v tells why */
uint32_t proxy_targets(struct shard *s, const struct message *m, const struct proxy_route *r,
		       struct strbuf *room, struct proxy_target *t, struct proxy_verdict *v);

/* Forward the request of a transaction to one target: a new branch.
 * ret 0 · -E_FULL · -E_TOO_LONG */
int proxy_forward(struct shard *s, uint32_t txn, struct message *m, const struct proxy_route *r,
		  const struct proxy_target *t);
/* Forward a request that has no transaction (the ACK for a 2xx). ret 0 · < 0 */
int proxy_forward_stateless(struct shard *s, struct message *m, const struct proxy_route *r,
			    const struct proxy_target *t);
/* A CANCEL for a transaction of an INVITE: all its branches (§16.10). */
void proxy_cancel_branches(struct shard *s, uint32_t txn, uint32_t except);
