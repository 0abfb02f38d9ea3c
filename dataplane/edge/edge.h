/* SPDX-License-Identifier: Apache-2.0 */
/* The edge of one polled core: SIP messages in and out of the link.
 *
 * edge_in() takes one message through four steps in order - parse, admit, fast, steer - and ends it in
 * one of three ways: handed up to a shard, answered here, or dropped with a reason. edge_down() takes
 * records from the shards and renders what is to be sent. No DPDK, no allocation after start, no
 * system call but the doorbell. One per core; runs on it. */
#pragma once
#include "platform/base/conf.h"
#include "platform/link/ring.h"
#include "platform/link/slot.h"
#include "platform/sip/self.h"

#define EDGE_HOLD_MAX 1024 /* messages that wait per shard while its up ring is full */

struct edge_held {
	uint64_t slot;
	uint64_t since_us;
};
struct edge_queue { /* FIFO of held messages of one shard */
	uint32_t first, n;
	struct edge_held held[EDGE_HOLD_MAX];
};

struct edge {
	const struct link *link;
	const struct conf *conf;
	uint32_t core;
	uint64_t *count;
	struct sip_limits limits;
	struct self self;
	struct slot_pool slots;
	struct link_end up[LINK_SHARDS_MAX];
	struct link_end down[LINK_SHARDS_MAX];
	struct edge_queue *hold;            /* one per shard */
	uint32_t epoch;                     /* seen at the start of this pass */
	uint32_t woken;                     /* bit per shard: records were published in this pass */
	struct sip_msg msg;                 /* of the message in hand */
	bool bad_program;                   /* of the record in hand: could not be rendered at all */
	uint32_t words[LINK_BLOCK_WORDS * 160]; /* a program gathered from its blocks */
	char reply[4096];                   /* an answer of our own */
};

/* ret NULL: no memory. At start. */
struct edge *edge_new(const struct link *l, uint32_t core);
void edge_free(struct edge *e);

/* Start of a pass: notes the epoch, so that all slots lent in this pass carry it. */
void edge_pass(struct edge *e);

/* One message from a flow.
 * out  *answer  what to send back on the same flow; empty where nothing is; lives until the next call
 * the payload is copied where it must outlive the call */
void edge_in(struct edge *e, const struct link_flow *flow, struct str payload, uint64_t now_us,
	     struct str *answer);

/* Next record of a shard's down ring. Records that are not sends are carried out here.
 * out  r  the record; program and slot have been checked
 * ret  1: r is a send, render it with edge_render() and then call edge_sent() · 0: the ring is empty */
int edge_down(struct edge *e, uint32_t shard, struct link_record *r);
/* ret > 0 octets written · -E_BAD_RECORD · -E_TOO_LONG (cap): may be called again with more room */
int edge_render(struct edge *e, uint32_t shard, const struct link_record *r, char *out, uint32_t cap);
/* After the send: counts the record, gives the slot back where the record said so, reports a failure
 * where it was asked for. ok: it was sent, or waits for a neighbour. */
void edge_sent(struct edge *e, uint32_t shard, const struct link_record *r, bool ok);
/* Publish the consumer indexes after a burst of edge_down(). */
void edge_down_end(struct edge *e, uint32_t shard);

/* Held messages whose shard has room again go up; those over their time end. Also goes on with taking
 * back slots of a dead control process. */
void edge_tick(struct edge *e, uint64_t now_us);
/* Whether anything waits in a down ring: for idle_pass(). */
bool edge_has_work(struct edge *e);

/* steer.c: which shard gets a message (ARCHITECTURE, "Who does what where").
 * ret 0 · -E_NOT_FOUND: a response that is not ours */
int edge_steer(const struct link_header *h, const char *base, const struct sip_msg *m, uint32_t *shard);
/* fast.c: answers without state.
 * ret length of the answer in e->reply, 0: this request is control's */
uint32_t edge_fast(struct edge *e, const struct link_flow *flow, const char *base);
/* Answer `status` to the request in e->msg. extra: whole header lines. ret length, 0: none possible */
uint32_t edge_answer(struct edge *e, const struct link_flow *flow, const char *base, unsigned status,
		     const char *reason, struct str extra);
