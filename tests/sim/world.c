/* SPDX-License-Identifier: Apache-2.0 */
/* The queue is a binary heap on (time, order of making). A buffer in flight remembers whom it is
 * for, so that an event stays a plain value. Chance is SplitMix64: one word of state, and each seed
 * gives an independent stream. */
#include "tests/sim/world.h"

#include <stdlib.h>
#include <string.h>

#include "platform/base/err.h"

#define FIRST_EVENTS 64

struct buf {
	world_deliver_fn *deliver;
	max_align_t bytes[];
};

static struct buf *buf_of(void *copy)
{
	return (struct buf *)(void *)((char *)copy - offsetof(struct buf, bytes));
}

static uint64_t next_chance(struct world *w)
{
	uint64_t z = (w->chance += 0x9e3779b97f4a7c15ULL);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

void world_open(struct world *w, uint64_t seed)
{
	*w = (struct world){.now_us = WORLD_START_US, .chance = seed};
	(void)next_chance(w);
}

void world_close(struct world *w)
{
	for (size_t i = 0; i < w->n_events; i++)
		if (!w->events[i].fn)
			world_free(w, (void *)(uintptr_t)w->events[i].arg);
	free(w->events);
	w->events = NULL;
	w->n_events = 0;
}

uint32_t world_below(struct world *w, uint32_t n)
{
	return (uint32_t)(((next_chance(w) >> 32) * n) >> 32);
}

bool world_happens(struct world *w, uint32_t ppm)
{
	return world_below(w, WORLD_PPM) < ppm;
}

uint64_t world_between(struct world *w, uint64_t min, uint64_t max)
{
	return min + next_chance(w) % (max - min + 1);
}

static bool earlier(const struct world_event *a, const struct world_event *b)
{
	return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

static void push(struct world *w, struct world_event e)
{
	size_t i = w->n_events++;

	if (i == w->cap) {
		w->cap = w->cap ? w->cap * 2 : FIRST_EVENTS;
		w->events = realloc(w->events, w->cap * sizeof(*w->events));
		must(w->events);
	}
	for (; i > 0 && earlier(&e, &w->events[(i - 1) / 2]); i = (i - 1) / 2)
		w->events[i] = w->events[(i - 1) / 2];
	w->events[i] = e;
}

static struct world_event pop(struct world *w)
{
	struct world_event first = w->events[0], last = w->events[--w->n_events];
	size_t i = 0;

	for (size_t child = 1; child < w->n_events; child = 2 * i + 1) {
		if (child + 1 < w->n_events && earlier(&w->events[child + 1], &w->events[child]))
			child++;
		if (!earlier(&w->events[child], &last))
			break;
		w->events[i] = w->events[child];
		i = child;
	}
	w->events[i] = last;
	return first;
}

void world_at(struct world *w, uint64_t at_us, world_event_fn *fn, void *ctx, uint64_t arg)
{
	must(at_us >= w->now_us);
	push(w, (struct world_event){at_us, w->n_made++, fn, ctx, arg});
}

bool world_step(struct world *w)
{
	if (w->n_events == 0)
		return false;
	struct world_event e = pop(w);

	w->now_us = e.at_us;
	w->n_run++;
	if (e.fn) {
		e.fn(e.ctx, e.arg);
	} else {
		void *copy = (void *)(uintptr_t)e.arg;

		buf_of(copy)->deliver(e.ctx, copy);
		world_free(w, copy);
	}
	return true;
}

void *world_copy(struct world *w, const void *bytes, size_t len_bytes)
{
	struct buf *b = malloc(sizeof(*b) + len_bytes);

	must(b);
	b->deliver = NULL;
	memcpy(b->bytes, bytes, len_bytes);
	w->n_bufs++;
	return b->bytes;
}

void world_free(struct world *w, void *copy)
{
	if (!copy)
		return;
	free(buf_of(copy));
	w->n_bufs--;
}

static void deliver_later(struct world *w, struct world_link *link, const void *bytes,
			  size_t len_bytes, world_deliver_fn *deliver, void *ctx)
{
	uint64_t at_us = w->now_us + world_between(w, link->min_us, link->max_us);
	void *copy = world_copy(w, bytes, len_bytes);

	if (link->ordered && at_us < link->last_us)
		at_us = link->last_us;
	link->last_us = at_us;
	buf_of(copy)->deliver = deliver;
	world_at(w, at_us, NULL, ctx, (uint64_t)(uintptr_t)copy);
}

/* Chance says lost; a flow that has just lost one is owed some that pass. */
static bool loses(struct world *w, struct world_link *link, unsigned flow)
{
	if (link->ordered || !world_happens(w, link->loss_ppm))
		return false;
	if (link->owed[flow] > 0)
		return false;
	link->owed[flow] = link->spare + 1;
	return true;
}

enum world_fate world_send(struct world *w, struct world_link *link, unsigned flow,
			   const void *bytes, size_t len_bytes, world_deliver_fn *deliver,
			   void *ctx)
{
	must(flow < WORLD_FLOWS);
	if (world_happens(w, link->fail_ppm))
		return WORLD_FAILED;
	if (w->now_us >= link->dark_from_us && w->now_us < link->dark_until_us)
		return WORLD_LOST;
	bool lost = loses(w, link, flow);

	if (link->owed[flow] > 0)
		link->owed[flow]--;
	if (lost)
		return WORLD_LOST;
	deliver_later(w, link, bytes, len_bytes, deliver, ctx);
	if (!link->ordered && world_happens(w, link->double_ppm))
		deliver_later(w, link, bytes, len_bytes, deliver, ctx);
	return WORLD_SENT;
}
