/* SPDX-License-Identifier: Apache-2.0 */
/* One connection's conversation in JSON-RPC 2.0: octets in, octets out, no descriptors.
 *
 * Requests are answered in order, one at a time: while an answer waits to be read, nothing more is
 * done for its connection, so a slow reader costs one answer of memory and nobody's time. */
#pragma once
#include "control/admin/calls.h"

#define RPC_REQUEST_MAX 65536
#define RPC_ANSWER_MAX (1u << 20)
#define RPC_BATCH_MAX 32
#define RPC_ID_MAX 256

struct rpc {
	const struct world *world;
	uint32_t uid, pid; /* of the caller, for the log                             */
	uint32_t in_len;
	uint32_t scanned; /* octets of `in` known to hold no line feed              */
	bool ended;	  /* no more octets will come: what is there is a request   */
	bool closing;	  /* nothing after this can be trusted: close when all is out */
	struct text out;
	uint32_t sent; /* of out, by rpc_sent()                                  */
	/* the line in hand */
	json_t *line;		      /* a request, or a batch of them; NULL: none              */
	uint32_t at;		      /* in the batch                                           */
	bool answered;		      /* the batch has an answer already                        */
	json_t *id;		      /* of the request in hand, borrowed from line             */
	const struct call_info *info; /* the call in hand, or NULL                      */
	struct call call;
	struct call_memory memory;
	char in[RPC_REQUEST_MAX];
};

void rpc_init(struct rpc *r, const struct world *w, uint32_t uid, uint32_t pid);
void rpc_fini(struct rpc *r);
/* Where received octets go, and how many have room; rpc_fed() says how many came. */
static inline char *rpc_room(struct rpc *r, uint32_t *n)
{
	*n = r->closing || r->ended ? 0 : RPC_REQUEST_MAX - r->in_len;
	return r->in + r->in_len;
}
void rpc_fed(struct rpc *r, uint32_t n);
void rpc_end(struct rpc *r);
/* One bounded piece of work. ret whether there was any (then there may be more) */
bool rpc_step(struct rpc *r, uint64_t now_us);
/* When it wants to be called though nothing comes: 0 now, UINT64_MAX never. */
uint64_t rpc_next_us(const struct rpc *r);
/* What is to be sent, and that n octets were. */
struct str rpc_output(const struct rpc *r);
void rpc_sent(struct rpc *r, uint32_t n);
/* Nothing is in hand and nothing will come: the connection can go. */
bool rpc_over(const struct rpc *r);
/* The caller is in the middle of something: a request half sent, or an answer half read. */
static inline bool rpc_waits_for_peer(const struct rpc *r)
{
	return r->in_len > 0 || r->sent < r->out.len;
}
