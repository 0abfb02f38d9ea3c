/* SPDX-License-Identifier: Apache-2.0 */
/* The loop of a shard: uplink, timers, adoption; each message or timer is one step.
 *
 * Nothing is begun unless every down ring has room for the most that one step can emit, so a step
 * never has to be undone for lack of room. Timers are private and follow the records: whatever a step
 * touched is armed anew from its record after the commit. */
#include "control/proxy/proxy.h"
#include "control/registrar/registrar.h"
#include "control/txn/txn.h"

#define UP_BURST 32
#define TIMER_BURST 32
#define ADOPT_BURST 16384
#define RETRY_US 1000 /* a timer that found the rings full */
#define TOO_BIG_US 1000000 /* a timer whose step the log could not hold */

static uint32_t n_ids(const struct shard *s)
{
	return s->link->h->txns + s->link->h->branches + s->link->h->bindings;
}

/* Which table and record a wheel id stands for. */
static enum step_table id_table(const struct shard *s, uint32_t id, uint32_t *index)
{
	const struct link_header *h = s->link->h;

	if (id < h->txns) {
		*index = id;
		return STEP_TXN;
	}
	if (id < h->txns + h->branches) {
		*index = id - h->txns;
		return STEP_BRANCH;
	}
	*index = id - h->txns - h->branches;
	return STEP_BINDING;
}

static uint64_t id_next_us(struct shard *s, enum step_table t, uint32_t index)
{
	switch (t) {
	case STEP_TXN:
		return txn_next_us(step_txn_read(&s->step, index));
	case STEP_BRANCH:
		return txn_branch_next_us(step_branch_read(&s->step, index));
	default:
		return registrar_next_us(step_binding_read(&s->step, index));
	}
}

/* Every live record has a deadline, always: without one it would stand there for ever. */
static void arm(struct shard *s, uint32_t id)
{
	uint32_t index;
	enum step_table t = id_table(s, id, &index);
	uint64_t next;

	if (!step_used(&s->step, t, index)) {
		wheel_disarm(&s->wheel, id);
		return;
	}
	next = id_next_us(s, t, index);
	dmust(next != UINT64_MAX);
	wheel_arm(&s->wheel, id, next);
}

/* The counters as they go home with the step. Their place in the log is taken when the step begins:
 * a step that fills the log must still be able to commit. */
static void *counters_copy(struct shard *s)
{
	return step_write(&s->step, link_counters(s->link, s->link->h->n_cores + s->id), sizeof(s->count));
}

static void begin(struct shard *s, uint64_t now_us)
{
	s->now_us = now_us;
	s->n_touched = 0;
	step_begin(&s->step);
	(void)counters_copy(s);
}

static void commit(struct shard *s, struct link_end *done)
{
	memcpy(counters_copy(s), s->count, sizeof(s->count));
	step_commit(&s->step, done);
	for (uint32_t i = 0; i < s->n_touched; i++)
		arm(s, s->touched[i]);
}

/* The step changed more than its log holds. It is forgotten as a whole; the message is dropped by
 * name, in a step of its own. */
static void give_up(struct shard *s, struct link_end *done, uint64_t slot)
{
	step_abort(&s->step);
	memcpy(s->count, link_counters(s->link, s->link->h->n_cores + s->id), sizeof(s->count));
	begin(s, s->now_us);
	count(s->count, done != NULL ? shard_drop_step_too_big : shard_timer_too_big);
	if (done != NULL)
		count(s->count, shard_rx);
	if (slot != 0)
		shard_release(s, slot);
	commit(s, done);
}

static void message_in(struct shard *s, const struct link_record *r)
{
	struct message m;

	if (!shard_message(s, r->slot, &m)) {
		count(s->count, shard_drop_bad_record);
		return;
	}
	if (m.sip->status != 0) {
		count(s->count, shard_responses);
		proxy_response_in(s, &m);
	} else {
		count(s->count, shard_requests);
		proxy_request_in(s, &m);
	}
	if (!m.kept)
		shard_release(s, m.slot);
}

static void failure_in(struct shard *s, const struct link_record *r)
{
	count(s->count, shard_failures);
	/* it may have ended meanwhile: a stale name is a normal answer */
	if (step_used(&s->step, STEP_BRANCH, r->cookie) &&
	    step_generation(&s->step, STEP_BRANCH, r->cookie) == (uint32_t)r->tag)
		txn_send_failed(s, r->cookie);
}

static void record_in(struct shard *s, struct link_end *up, uint64_t now_us)
{
	const struct link_record *r = link_peek(up, 0);

	begin(s, now_us);
	count(s->count, shard_rx);
	if (r->type == LINK_UP_MESSAGE)
		message_in(s, r);
	else if (r->type == LINK_UP_SEND_FAILED)
		failure_in(s, r);
	else
		count(s->count, shard_drop_bad_record);
	if (s->step.err != 0)
		give_up(s, up, r->type == LINK_UP_MESSAGE ? r->slot : 0);
	else
		commit(s, up);
}

static uint32_t uplink(struct shard *s, uint32_t core, uint64_t now_us)
{
	struct link_end *up = &s->up[core];
	uint32_t n = link_count(up), done = 0;

	for (n = n < UP_BURST ? n : UP_BURST; done < n && step_room(&s->step); done++)
		record_in(s, up, now_us);
	if (done > 0) /* release: our reads of the records come before the core's reuse of them */
		atomic_store_explicit(&up->ring->tail, up->own, memory_order_release);
	return done;
}

static void timer_due(struct shard *s, uint32_t id, uint64_t now_us)
{
	uint32_t index;
	enum step_table t = id_table(s, id, &index);

	if (!step_used(&s->step, t, index))
		return;
	begin(s, now_us);
	shard_touch(s, id);
	count(s->count, shard_timers);
	if (id_next_us(s, t, index) <= now_us) {
		if (t == STEP_TXN)
			txn_timer(s, index);
		else if (t == STEP_BRANCH)
			txn_branch_timer(s, index);
		else
			registrar_expired(s, index);
	}
	if (s->step.err != 0) {
		give_up(s, NULL, 0);
		wheel_arm(&s->wheel, id, now_us + TOO_BIG_US);
	} else {
		commit(s, NULL);
	}
}

static uint32_t timers(struct shard *s, uint64_t now_us)
{
	uint32_t id[TIMER_BURST], n = wheel_advance(&s->wheel, now_us, id, TIMER_BURST);

	for (uint32_t i = 0; i < n; i++) {
		if (step_room(&s->step))
			timer_due(s, id[i], now_us);
		else
			wheel_arm(&s->wheel, id[i], now_us + RETRY_US);
	}
	return n;
}

static void tell_adopted(struct shard *s, uint32_t epoch, uint64_t now_us)
{
	begin(s, now_us);
	for (uint32_t core = 0; core < s->link->h->n_cores; core++) {
		struct link_record *r = step_emit(&s->step, core);

		r->type = LINK_DOWN_ADOPTED;
		r->tag = epoch;
	}
	commit(s, NULL);
}

/* Records of a predecessor: their timers are armed and the slots they hold are marked, so many per
 * loop; when all are through, cores take back the slots that nobody holds. */
static bool adopt(struct shard *s, uint64_t now_us)
{
	uint32_t epoch = atomic_load_explicit(&s->link->h->epoch, memory_order_relaxed);
	uint32_t total = n_ids(s), index, until;

	if (s->adopt_next > total || !step_room(&s->step))
		return false;
	until = total - s->adopt_next > ADOPT_BURST ? s->adopt_next + ADOPT_BURST : total;
	for (; s->adopt_next < until; s->adopt_next++) {
		enum step_table t = id_table(s, s->adopt_next, &index);

		if (!step_used(&s->step, t, index))
			continue;
		arm(s, s->adopt_next);
		if (t == STEP_TXN) {
			slot_mark_held(s->link, step_txn_read(&s->step, index)->slot, epoch);
			slot_mark_held(s->link, step_txn_read(&s->step, index)->best_slot, epoch);
		}
		count(s->count, t == STEP_BINDING ? shard_adopted_bindings : shard_adopted_txns);
	}
	if (s->adopt_next == total) {
		s->adopt_next = total + 1;
		tell_adopted(s, epoch, now_us);
	}
	return true;
}

bool shard_step(struct shard *s, uint64_t now_us)
{
	bool worked = adopt(s, now_us);

	for (uint32_t core = 0; core < s->link->h->n_cores; core++)
		worked |= uplink(s, core, now_us) > 0;
	worked |= timers(s, now_us) > 0;
	return worked;
}

uint64_t shard_next_us(const struct shard *s)
{
	if (s->adopt_next <= n_ids(s))
		return 0;
	return wheel_next_us(&s->wheel);
}

void shard_wake(struct shard *s)
{
	for (uint32_t woken = step_woken(&s->step); woken != 0; woken &= woken - 1) {
		uint32_t core = (uint32_t)__builtin_ctz(woken);

		(void)idle_wake(&link_core_loop(s->link, core)->sleeping, s->bell[core]);
	}
}
