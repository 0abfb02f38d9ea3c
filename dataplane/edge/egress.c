/* SPDX-License-Identifier: Apache-2.0 */
/* Records from control, each checked like input from the network: types, handles with generation and
 * lender, program lengths. A bad one is counted and skipped; it can neither crash the core nor make it
 * read outside the region. Sending renders: program over slot into a fresh buffer, each time anew. */
#include "dataplane/edge/edge.h"

#include "platform/link/step.h"
#include "platform/sip/edit.h"

static void bad_record(struct edge *e)
{
	count(e->count, link_bad_record);
}

static bool send_ok(const struct edge *e, uint32_t shard, const struct link_record *r)
{
	if (r->words == 0 || r->words > sizeof(e->words) / sizeof(e->words[0]))
		return false;
	if (r->flow.listener >= e->conf->n_listeners)
		return false;
	return r->slot == 0 || slot_is_lent(&e->slots, r->slot, shard);
}

int edge_down(struct edge *e, uint32_t shard, struct link_record *r)
{
	struct link_end *end = &e->down[shard];

	/* done is moved past each record as the next is asked for: by then it has been acted on */
	while (link_count(end) > 0) {
		*r = *link_peek(end, 0); /* by value, once */
		end->own++;
		count(e->count, link_down);
		switch (r->type) {
		case LINK_DOWN_SEND:
			if (send_ok(e, shard, r))
				return 1;
			bad_record(e);
			break;
		case LINK_DOWN_RELEASE:
			if (slot_is_lent(&e->slots, r->slot, shard)) {
				(void)slot_free(&e->slots, r->slot);
				count(e->count, link_release);
			} else {
				bad_record(e);
			}
			break;
		case LINK_DOWN_ADOPTED:
			slot_sweep_begin(&e->slots, (uint32_t)r->tag);
			count(e->count, link_adopted);
			break;
		default:
			bad_record(e);
		}
	}
	return 0;
}

void edge_down_end(struct edge *e, uint32_t shard)
{
	link_consume(&e->down[shard], 0);
}

int edge_render(struct edge *e, uint32_t shard, const struct link_record *r, char *out, uint32_t cap)
{
	const struct link_slot *s = r->slot ? slot_head(e->link, r->slot) : NULL;
	const char *base = r->slot ? slot_data(e->link, r->slot) : ""; /* no octets, yet an address */
	uint32_t len = s ? *(const volatile uint32_t *)&s->len_bytes : 0; /* once: control can write it */
	int n = link_load_words(e->link, shard, r->program, r->words, e->words);

	if (s != NULL && len > e->link->h->class[slot_class(r->slot)].payload_bytes)
		n = -E_BAD_RECORD;
	if (n == 0)
		n = sip_program_render((const struct sip_op *)e->words, r->words, base, len, out, cap);
	e->bad_program = n == -E_BAD_RECORD;
	return n;
}

void edge_sent(struct edge *e, uint32_t shard, const struct link_record *r, bool ok)
{
	struct link_end *end = &e->up[shard];

	/* here and not in edge_render(): a long message is rendered twice, one without a way never */
	count(e->count, e->bad_program ? link_bad_record : link_send);
	e->bad_program = false;
	if (!ok && (r->flags & LINK_F_REPORT) != 0 && link_room(end) == 0) {
		count(e->count, link_send_unreported);
	} else if (!ok && (r->flags & LINK_F_REPORT) != 0) {
		struct link_record *up = link_fill(end, 0);

		*up = (struct link_record){ .type = LINK_UP_SEND_FAILED, .program = LINK_NONE,
					    .time_us = r->time_us, .flow = r->flow,
					    .cookie = r->cookie, .tag = r->tag };
		link_publish(end, 1);
		e->woken |= 1u << shard;
		count(e->count, link_send_failed);
	}
	if ((r->flags & LINK_F_RELEASE) != 0 && r->slot != 0)
		(void)slot_free(&e->slots, r->slot);
}

bool edge_has_work(struct edge *e)
{
	for (uint32_t s = 0; s < e->link->h->n_shards; s++) {
		if (link_count(&e->down[s]) > 0)
			return true;
	}
	return false;
}
