/* SPDX-License-Identifier: Apache-2.0 */
/* Our rings: single producer, single consumer, 64-octet records by value.
 *
 * Two indexes on lines of their own, each with one writer, and no head/tail pair: a producer killed at
 * any instant leaves a ring that is right. The producer writes records and then store-releases head;
 * the consumer load-acquires head, acts, and then stores tail. The pairing acquire/release makes the
 * records whole before they are seen, and read before they are overwritten. Ends are private values;
 * what the other side wrote is only ever compared, never used as an address. */
#pragma once
#include "platform/link/layout.h"

struct link_end {
	struct link_ring *ring;
	uint64_t mask;
	uint64_t own;   /* producer: head as written. consumer: next to read    */
	uint64_t other; /* the other side's index when last looked at           */
};

static inline struct link_end link_end_of(struct link_ring *r, uint32_t records, bool producer)
{
	struct link_end e = { .ring = r, .mask = records - 1 };

	e.own = producer ? atomic_load_explicit(&r->head, memory_order_relaxed)
			 : atomic_load_explicit(&r->done, memory_order_relaxed);
	e.other = producer ? atomic_load_explicit(&r->tail, memory_order_acquire) : e.own;
	return e;
}

/* Producer: how many records may be written now. The acquire pairs with the consumer's release of
 * tail: what it has read may be overwritten. A tail beyond head (a lying consumer) counts as none. */
static inline uint32_t link_room(struct link_end *e)
{
	uint64_t tail = atomic_load_explicit(&e->ring->tail, memory_order_acquire);
	uint64_t used = e->own - tail;

	if (used > e->mask + 1)
		return 0; /* not kept: who looks at `other` alone must not be lied to either */
	e->other = tail;
	return (uint32_t)(e->mask + 1 - used);
}
/* Producer: the i-th record after head, to be filled; room was checked. */
static inline struct link_record *link_fill(struct link_end *e, uint32_t i)
{
	return &e->ring->record[(e->own + i) & e->mask];
}
/* Producer: n filled records become visible (release: pairs with link_count()). */
static inline void link_publish(struct link_end *e, uint32_t n)
{
	e->own += n;
	atomic_store_explicit(&e->ring->head, e->own, memory_order_release);
}

/* Consumer: records that wait (acquire: pairs with link_publish()). */
static inline uint32_t link_count(struct link_end *e)
{
	uint64_t n;

	e->other = atomic_load_explicit(&e->ring->head, memory_order_acquire);
	n = e->other - e->own;
	return n > e->mask + 1 ? 0 : (uint32_t)n;
}
static inline const struct link_record *link_peek(const struct link_end *e, uint32_t i)
{
	return &e->ring->record[(e->own + i) & e->mask];
}
/* Consumer: n records are done with. Release: our reads of them come before the producer's reuse. */
static inline void link_consume(struct link_end *e, uint32_t n)
{
	e->own += n;
	atomic_store_explicit(&e->ring->done, e->own, memory_order_relaxed);
	atomic_store_explicit(&e->ring->tail, e->own, memory_order_release);
}
