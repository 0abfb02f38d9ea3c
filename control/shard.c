/* SPDX-License-Identifier: Apache-2.0 */
/* A shard's making and end, and the verbs that its modules share: slots, programs, sends. */
#include "control/shard.h"

#include "control/registrar/registrar.h"
#include "control/txn/txn.h"

#include <stdlib.h>

static void timers_from(const struct conf *c, struct txn_timers *t)
{
	t->t1_us = (uint64_t)c->t1_ms * 1000;
	t->t2_us = (uint64_t)c->t2_ms * 1000;
	t->t4_us = (uint64_t)c->t4_ms * 1000;
	t->timer_b_us = (uint64_t)c->timer_b_ms * 1000;
	t->timer_d_us = (uint64_t)c->timer_d_ms * 1000;
	t->hold_us = (uint64_t)c->hold_ms * 1000;
}

/* Records that came up before we were there hold slots lent under an older epoch. */
static void mark_waiting(struct shard *s)
{
	uint32_t epoch = atomic_load_explicit(&s->link->h->epoch, memory_order_relaxed);

	for (uint32_t core = 0; core < s->link->h->n_cores; core++) {
		uint32_t n = link_count(&s->up[core]);

		for (uint32_t i = 0; i < n; i++)
			slot_mark_held(s->link, link_peek(&s->up[core], i)->slot, epoch);
	}
}

struct shard *shard_new(const struct link *l, uint32_t id, const int *core_bell, uint64_t now_us)
{
	struct shard *s = calloc(1, sizeof(*s));
	uint32_t n_ids = l->h->txns + l->h->branches + l->h->bindings;
	int finished;

	if (s == NULL)
		return NULL;
	s->link = l;
	s->conf = link_conf(l);
	s->id = id;
	s->now_us = now_us;
	s->loop = link_shard_loop(l, id);
	s->limits = (struct sip_limits){ SIP_MSG_MAX, SIP_MSG_MAX, SIP_MSG_MAX, SIP_HDRS_MAX };
	timers_from(s->conf, &s->timers);
	self_init(&s->self, s->conf, &l->h->keys.steer);
	s->wheel_mem = calloc(1, wheel_bytes(n_ids));
	if (s->wheel_mem == NULL)
		goto out;
	wheel_init(&s->wheel, s->wheel_mem, n_ids, now_us);
	finished = step_init(&s->step, l, id);
	if (finished < 0)
		goto out;
	memcpy(s->count, link_counters(l, l->h->n_cores + id), sizeof(s->count));
	count_add(s->count, shard_recovered, (uint64_t)finished);
	for (uint32_t core = 0; core < l->h->n_cores; core++) {
		s->up[core] = link_end_of(link_up_ring(l, core, id), l->h->ring_records, false);
		s->bell[core] = core_bell[core];
	}
	mark_waiting(s);
	return s;
out:
	free(s->wheel_mem);
	free(s);
	return NULL;
}

void shard_free(struct shard *s)
{
	if (s == NULL)
		return;
	step_fini(&s->step);
	free(s->wheel_mem);
	free(s);
}

void shard_touch(struct shard *s, uint32_t wheel_id)
{
	for (uint32_t i = 0; i < s->n_touched; i++) {
		if (s->touched[i] == wheel_id)
			return;
	}
	if (s->n_touched == SHARD_TOUCHED_MAX) {
		s->step.err = -E_FULL; /* larger than any step we know: it is given up as a whole */
		return;
	}
	s->touched[s->n_touched++] = wheel_id;
}

struct sip_program shard_program(struct shard *s)
{
	return (struct sip_program){ .word = s->words, .cap = SHARD_WORDS_MAX };
}

bool shard_message(const struct shard *s, uint64_t slot, struct message *m)
{
	if (slot == 0 || (m->head = slot_head(s->link, slot)) == NULL)
		return false;
	m->slot = slot;
	m->sip = &m->head->msg;
	m->base = slot_data(s->link, slot);
	m->kept = false;
	return true;
}

void shard_send(struct shard *s, const struct link_flow *flow, uint64_t slot, uint32_t first,
		uint16_t words, uint8_t flags, uint32_t branch)
{
	/* the slot's core alone can read and free it; a flow of another core is handed over there */
	uint32_t core = slot != 0 ? slot_core(slot)
				  : (flow->core < s->link->h->n_cores ? flow->core : 0);
	struct link_record *r = step_emit(&s->step, core);

	r->type = LINK_DOWN_SEND;
	r->flags = flags;
	r->words = words;
	r->program = first;
	r->slot = slot;
	r->time_us = s->now_us;
	r->flow = *flow;
	r->cookie = branch;
	r->tag = branch == LINK_NONE ? 0 : step_generation(&s->step, STEP_BRANCH, branch);
}

int shard_send_once(struct shard *s, const struct link_flow *flow, uint64_t slot,
		    const struct sip_program *p, uint8_t flags)
{
	uint32_t first = p->full ? LINK_NONE : step_store_words(&s->step, p->word, p->n);

	if (first == LINK_NONE) {
		count(s->count, txn_no_record);
		return -E_FULL;
	}
	shard_send(s, flow, slot, first, (uint16_t)p->n, flags, LINK_NONE);
	step_give_chain(&s->step, first); /* limbo keeps it until the core has passed the record */
	return 0;
}

void shard_release(struct shard *s, uint64_t slot)
{
	struct link_record *r;

	if (KILL_BROKEN(KILL_BREAK_RECLAIM))
		return;
	r = step_emit(&s->step, slot_core(slot));
	r->type = LINK_DOWN_RELEASE;
	r->slot = slot;
	r->time_us = s->now_us;
}
