/* SPDX-License-Identifier: Apache-2.0 */
/* Rings: order and room over many wraps, what a lying peer can do (nothing), and a producer and a
 * consumer at full speed on two threads. */
#include "rig.h"

#include "platform/link/ring.h"

#include <pthread.h>
#include <sched.h>

#define MANY 1000000u

struct pair {
	struct link l;
	struct link_end in, out; /* producer's, consumer's */
};

static struct pair *open_pair(void)
{
	static struct pair p;
	struct link_ring *r;

	rig_open(&p.l, 1, 1);
	r = link_up_ring(&p.l, 0, 0);
	p.in = link_end_of(r, RIG_RING, true);
	p.out = link_end_of(r, RIG_RING, false);
	return &p;
}

static void put(struct pair *p, uint32_t n, uint64_t first)
{
	for (uint32_t i = 0; i < n; i++)
		*link_fill(&p->in, i) =
			(struct link_record){.slot = first + i, .tag = ~(first + i)};
	link_publish(&p->in, n);
}

static void empty_ring_has_all_its_room(void **state)
{
	struct pair *p = open_pair();

	(void)state;
	assert_int_equal(link_room(&p->in), RIG_RING);
	assert_int_equal(link_count(&p->out), 0);
	link_region_unmap(&p->l);
}

static void full_ring_has_no_room_until_consumed(void **state)
{
	struct pair *p = open_pair();

	(void)state;
	put(p, RIG_RING, 100);
	assert_int_equal(link_room(&p->in), 0);
	assert_int_equal(link_count(&p->out), RIG_RING);
	assert_int_equal(link_peek(&p->out, 0)->slot, 100);
	assert_int_equal(link_peek(&p->out, RIG_RING - 1)->slot, 100 + RIG_RING - 1);
	link_consume(&p->out, 1);
	assert_int_equal(link_room(&p->in), 1);
	assert_int_equal(link_count(&p->out), RIG_RING - 1);
	link_region_unmap(&p->l);
}

static void wrapping_ring_keeps_order(void **state)
{
	struct pair *p = open_pair();
	uint64_t next_in = 0, next_out = 0;

	(void)state;
	/* bursts of 37 in, then 37 out: coprime to the size, so each place is a burst's start once */
	for (int round = 0; round < 500; round++) {
		put(p, 37, next_in);
		next_in += 37;
		assert_int_equal(link_count(&p->out), 37);
		for (uint32_t i = 0; i < 37; i++) {
			assert_int_equal(link_peek(&p->out, i)->slot, next_out);
			assert_int_equal(link_peek(&p->out, i)->tag, ~next_out);
			next_out++;
		}
		link_consume(&p->out, 37);
	}
	assert_int_equal(link_room(&p->in), RIG_RING);
	link_region_unmap(&p->l);
}

static void indexes_near_their_end_wrap(void **state)
{
	struct pair *p = open_pair();
	struct link_ring *r = p->in.ring;
	uint64_t start = UINT64_MAX - 20;

	(void)state;
	atomic_store(&r->head, start);
	atomic_store(&r->tail, start);
	atomic_store(&r->done, start);
	p->in = link_end_of(r, RIG_RING, true);
	p->out = link_end_of(r, RIG_RING, false);
	put(p, RIG_RING, 5);
	assert_int_equal(link_room(&p->in), 0);
	assert_int_equal(link_count(&p->out), RIG_RING);
	for (uint32_t i = 0; i < RIG_RING; i++)
		assert_int_equal(link_peek(&p->out, i)->slot, 5 + i);
	link_consume(&p->out, RIG_RING);
	assert_int_equal(link_room(&p->in), RIG_RING);
	link_region_unmap(&p->l);
}

static void attaching_ends_go_on_where_the_others_stopped(void **state)
{
	struct pair *p = open_pair();
	struct link_end in, out;

	(void)state;
	put(p, 10, 0);
	link_consume(&p->out, 4);
	/* done moves with each message, tail with a burst: what is done must not be done again */
	atomic_store(&p->out.ring->done, 6);
	in = link_end_of(p->in.ring, RIG_RING, true);
	out = link_end_of(p->in.ring, RIG_RING, false);
	assert_int_equal(in.own, 10);
	assert_int_equal(in.other, 4);
	assert_int_equal(out.own, 6);
	assert_int_equal(link_count(&out), 4);
	assert_int_equal(link_peek(&out, 0)->slot, 6);
	link_region_unmap(&p->l);
}

static void tail_beyond_head_counts_as_no_room(void **state)
{
	struct pair *p = open_pair();
	const uint64_t lies[] = {11, 1000, UINT64_MAX / 2, UINT64_MAX - RIG_RING};

	(void)state;
	put(p, 10, 0);
	for (unsigned i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		atomic_store(&p->in.ring->tail, lies[i]);
		assert_int_equal(link_room(&p->in), 0);
		/* nor does the lie stay: what is cached says no more room than there was */
		assert_true(p->in.own - p->in.other <= RIG_RING);
	}
	atomic_store(&p->in.ring->tail, 10);
	assert_int_equal(link_room(&p->in), RIG_RING);
	link_region_unmap(&p->l);
}

static void tail_that_falls_back_counts_as_no_room(void **state)
{
	struct pair *p = open_pair();

	(void)state;
	for (uint32_t i = 0; i < 3; i++) {
		put(p, RIG_RING, 0);
		link_consume(&p->out, RIG_RING);
		assert_int_equal(link_room(&p->in), RIG_RING);
	}
	atomic_store(&p->in.ring->tail, 0);
	assert_int_equal(link_room(&p->in), 0);
	link_region_unmap(&p->l);
}

static void head_that_lies_counts_as_nothing(void **state)
{
	struct pair *p = open_pair();
	const uint64_t lies[] = {RIG_RING + 11, 1ull << 40, UINT64_MAX, 9};

	(void)state;
	put(p, 10, 0);
	link_consume(&p->out, 10);
	for (unsigned i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		atomic_store(&p->in.ring->head, lies[i]);
		assert_int_equal(link_count(&p->out), 0);
	}
	atomic_store(&p->in.ring->head, 10 + RIG_RING); /* full is no lie */
	assert_int_equal(link_count(&p->out), RIG_RING);
	link_region_unmap(&p->l);
}

static void *produce(void *arg)
{
	struct link_end *e = arg;
	uint64_t random = 1;

	for (uint32_t at = 0; at < MANY;) {
		uint32_t room = link_room(e), n;

		random = random * 6364136223846793005u + 1442695040888963407u;
		n = (uint32_t)(random >> 33) % 24 + 1;
		n = n < room ? n : room;
		n = n < MANY - at ? n : MANY - at;
		if (n == 0) {
			(void)sched_yield();
			continue;
		}
		for (uint32_t i = 0; i < n; i++)
			*link_fill(e, i) = (struct link_record){.slot = at + i,
								.time_us = (at + i) * 3ull,
								.cookie = at + i,
								.tag = ~(uint64_t)(at + i)};
		link_publish(e, n);
		at += n;
	}
	return NULL;
}

static void two_threads_pass_a_million_records_whole(void **state)
{
	struct pair *p = open_pair();
	uint64_t wrong = 0;
	pthread_t t;

	(void)state;
	assert_int_equal(pthread_create(&t, NULL, produce, &p->in), 0);
	for (uint32_t at = 0; at < MANY;) {
		uint32_t n = link_count(&p->out);

		if (n == 0)
			(void)sched_yield();
		for (uint32_t i = 0; i < n; i++, at++) {
			const struct link_record *r = link_peek(&p->out, i);

			wrong += r->slot != at || r->time_us != at * 3ull || r->cookie != at ||
				 r->tag != ~(uint64_t)at;
		}
		link_consume(&p->out, n);
	}
	assert_int_equal(pthread_join(t, NULL), 0);
	assert_int_equal(wrong, 0);
	assert_int_equal(link_count(&p->out), 0);
	assert_int_equal(p->in.own, MANY);
	link_region_unmap(&p->l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_ring_has_all_its_room),
		cmocka_unit_test(full_ring_has_no_room_until_consumed),
		cmocka_unit_test(wrapping_ring_keeps_order),
		cmocka_unit_test(indexes_near_their_end_wrap),
		cmocka_unit_test(attaching_ends_go_on_where_the_others_stopped),
		cmocka_unit_test(tail_beyond_head_counts_as_no_room),
		cmocka_unit_test(tail_that_falls_back_counts_as_no_room),
		cmocka_unit_test(head_that_lies_counts_as_nothing),
		cmocka_unit_test(two_threads_pass_a_million_records_whole),
	};

	return cmocka_run_group_tests_name("link/ring", tests, NULL, NULL);
}
