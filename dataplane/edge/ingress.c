/* SPDX-License-Identifier: Apache-2.0 */
/* One SIP message in: parse, admit, fast, steer - in that order, in edge_in().
 *
 * Whatever enters here ends in one counter of the sip identity. A message that control must see is
 * copied once into a slot and its record goes up; where the ring is full it waits in a bounded FIFO
 * for at most control.hold_requests_ms (below T1, so the sender notices nothing). While control is
 * gone new requests are held the same way, and after control.lost_ms answered 503. */
#include "dataplane/edge/edge.h"

#include "platform/link/token.h"

#include <stdlib.h>

static const struct str retry_after = { "Retry-After: 5\r\n", 16 };

struct edge *edge_new(const struct link *l, uint32_t core)
{
	struct edge *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return NULL;
	e->link = l;
	e->conf = link_conf(l);
	e->core = core;
	e->count = link_counters(l, core);
	e->limits = (struct sip_limits){ e->conf->msg_bytes, e->conf->uri_bytes, e->conf->header_bytes,
					 e->conf->headers };
	self_init(&e->self, e->conf, &l->h->keys.steer);
	e->hold = calloc(l->h->n_shards, sizeof(*e->hold));
	if (e->hold == NULL || slot_pool_init(&e->slots, l, core) != 0) {
		edge_free(e);
		return NULL;
	}
	for (uint32_t s = 0; s < l->h->n_shards; s++) {
		e->up[s] = link_end_of(link_up_ring(l, core, s), l->h->ring_records, true);
		e->down[s] = link_end_of(link_down_ring(l, core, s), l->h->ring_records, false);
	}
	return e;
}

void edge_free(struct edge *e)
{
	if (e == NULL)
		return;
	slot_pool_fini(&e->slots);
	free(e->hold);
	free(e);
}

void edge_pass(struct edge *e)
{
	struct link_loop *loop = link_core_loop(e->link, e->core);
	/* acquire: pairs with the service thread's release of a new epoch */
	uint32_t epoch = atomic_load_explicit(&e->link->h->epoch, memory_order_acquire);

	if (epoch == e->epoch)
		return;
	e->epoch = epoch;
	/* release: all slots lent under the old epoch were published before this */
	atomic_store_explicit(&loop->epoch_seen, epoch, memory_order_release);
}

/* A fault ends the message: answered where a reply can be made and is wanted, else dropped. */
static uint32_t end_fault(struct edge *e, const struct link_flow *flow, struct str payload,
			  const struct sip_fault *f)
{
	const struct sip_msg *m = &e->msg;
	bool ack = m->method == SIP_M_ACK;
	uint32_t n;

	if (m->status != 0) {
		count(e->count, sip_drop_bad_response);
		return 0;
	}
	if (f->status == 0 || !f->answerable || ack) {
		count(e->count, ack		   ? sip_drop_bad_ack
			       : f->status == 0 ? sip_drop_not_sip
						: sip_drop_bad_request);
		return 0;
	}
	n = edge_answer(e, flow, payload.s, f->status, f->text, STR_NONE);
	count(e->count, n ? sip_fast_reject : sip_drop_no_answer);
	return n;
}

/* No room for it: 503 for a new request, a named drop for the rest (an ACK, a response, in-dialog
 * requests had the reserve before they came to this). */
static uint32_t end_overload(struct edge *e, const struct link_flow *flow, const char *base,
			     enum counter drop)
{
	const struct sip_msg *m = &e->msg;
	uint32_t n = 0;

	if (m->status == 0 && m->method != SIP_M_ACK && m->method != SIP_M_CANCEL &&
	    (m->flags & SIP_MSG_TO_TAG) == 0)
		n = edge_answer(e, flow, base, 503, NULL, retry_after);
	if (n == 0) {
		count(e->count, drop);
		return 0;
	}
	count(e->count, sip_fast_reject);
	count(e->count, sip_fast_overload);
	return n;
}

static uint64_t slot_fill(struct edge *e, const struct link_flow *flow, const char *base,
			  uint32_t keep_percent, uint64_t now_us)
{
	const struct sip_msg *m = &e->msg;
	uint64_t h = slot_take(&e->slots, m->len_bytes, m->n_lines, keep_percent);
	struct link_slot *s;

	if (h == 0)
		return 0;
	s = slot_head(e->link, h);
	s->len_bytes = m->len_bytes;
	s->rx_us = now_us;
	s->flow = *flow;
	memcpy(&s->msg, m, sip_msg_bytes(m));
	memcpy(slot_data(e->link, h), base, m->len_bytes);
	s->octets_hash = m->status == 0 ? hash_same(base, m->len_bytes, e->link->h->keys.txn.k[0]) : 0;
	return h;
}

static void up_put(struct edge *e, uint32_t shard, uint64_t slot, uint8_t flags)
{
	struct link_end *end = &e->up[shard];
	struct link_record *r = link_fill(end, 0);
	const struct link_slot *s = slot_head(e->link, slot);

	slot_lend(&e->slots, slot, shard, e->epoch);
	*r = (struct link_record){ .type = LINK_UP_MESSAGE, .flags = flags, .program = LINK_NONE,
				   .slot = slot, .time_us = s->rx_us, .flow = s->flow };
	link_publish(end, 1);
	e->woken |= 1u << shard;
	count(e->count, sip_up);
}

/* Room for one more, beyond the share that is kept for responses and in-dialog requests. */
static bool up_room(struct link_end *end, uint32_t keep_percent)
{
	uint64_t keep = (end->mask + 1) * keep_percent / 100;

	return end->mask + 1 - (end->own - end->other) > keep || link_room(end) > keep;
}

static bool control_alive(const struct edge *e)
{
	return atomic_load_explicit(&e->link->h->control_alive, memory_order_relaxed) != 0;
}

/* Up, or into the FIFO of those who wait - for room, or for control to come back. false: full. */
static bool up_or_hold(struct edge *e, uint32_t shard, uint64_t slot, uint32_t keep, uint64_t now_us)
{
	struct edge_queue *q = &e->hold[shard];

	if (q->n == 0 && control_alive(e) && up_room(&e->up[shard], keep)) {
		up_put(e, shard, slot, 0);
		return true;
	}
	if (q->n >= EDGE_HOLD_MAX - EDGE_HOLD_MAX * keep / 100)
		return false;
	q->held[(q->first + q->n++) % EDGE_HOLD_MAX] = (struct edge_held){ slot, now_us };
	count_add(e->count, sip_held, 1);
	return true;
}

/* Control has been gone so long that holding a new request helps nobody. */
static bool control_lost(const struct edge *e, uint64_t now_us)
{
	const struct link_header *h = e->link->h;

	if (control_alive(e))
		return false;
	return now_us - atomic_load_explicit(&h->control_lost_us, memory_order_relaxed) >=
	       (uint64_t)e->conf->control_lost_ms * 1000;
}

static bool in_dialog(const struct sip_msg *m)
{
	return m->status != 0 || m->method == SIP_M_ACK || m->method == SIP_M_CANCEL ||
	       (m->flags & SIP_MSG_TO_TAG) != 0;
}

static uint32_t go_up(struct edge *e, const struct link_flow *flow, const char *base, uint64_t now_us)
{
	bool first_class = in_dialog(&e->msg);
	uint32_t keep = first_class ? 0 : e->conf->reserve_percent;
	uint32_t shard;
	uint64_t slot;

	if (edge_steer(e->link->h, base, &e->msg, &shard) != 0) {
		count(e->count, sip_drop_stray_response);
		return 0;
	}
	if (!first_class && control_lost(e, now_us))
		return end_overload(e, flow, base, sip_drop_hold_full);
	slot = slot_fill(e, flow, base, keep, now_us);
	if (slot == 0)
		return end_overload(e, flow, base, sip_drop_no_slot);
	if (up_or_hold(e, shard, slot, keep, now_us))
		return 0;
	(void)slot_free(&e->slots, slot);
	return end_overload(e, flow, base, sip_drop_hold_full);
}

void edge_in(struct edge *e, const struct link_flow *flow, struct str payload, uint64_t now_us,
	     struct str *answer)
{
	struct sip_fault f;
	uint32_t n;

	*answer = STR_NONE;
	count(e->count, sip_rx);
	if (sip_msg_parse(payload, &e->limits, &e->msg, &f) != 0) {
		*answer = str_of(e->reply, end_fault(e, flow, payload, &f));
		return;
	}
	if (e->msg.method == SIP_M_ACK && e->msg.status == 0 &&
	    token_tag_is(e->link->h, payload.s, &e->msg)) {
		count(e->count, sip_ack_absorbed);
		return;
	}
	n = e->msg.status == 0 ? edge_fast(e, flow, payload.s) : 0;
	if (n == 0)
		n = go_up(e, flow, payload.s, now_us);
	*answer = str_of(e->reply, n);
}

static void hold_tick(struct edge *e, uint32_t shard, uint64_t now_us)
{
	struct edge_queue *q = &e->hold[shard];
	uint64_t limit_us = (uint64_t)e->conf->hold_requests_ms * 1000;

	while (q->n > 0) {
		struct edge_held *h = &q->held[q->first];

		if (now_us - h->since_us >= limit_us) {
			/* the sender repeats it at T1: older is worthless */
			(void)slot_free(&e->slots, h->slot);
			count(e->count, sip_drop_hold_expired);
		} else if (control_alive(e) && up_room(&e->up[shard], 0)) {
			up_put(e, shard, h->slot, LINK_F_HELD);
		} else {
			return;
		}
		count_sub(e->count, sip_held, 1);
		q->first = (q->first + 1) % EDGE_HOLD_MAX;
		q->n--;
	}
}

void edge_tick(struct edge *e, uint64_t now_us)
{
	for (uint32_t s = 0; s < e->link->h->n_shards; s++)
		hold_tick(e, s, now_us);
	if (e->slots.sweeping)
		count_add(e->count, link_slots_swept, slot_sweep(&e->slots, 256));
}
