/* SPDX-License-Identifier: Apache-2.0 */
/* wheel.c: single rules first, then random runs against a model so plain that it is right by
 * inspection (an array of deadlines, searched whole), over virtual times of milliseconds to
 * decades, from starts on every side of where a level, or all six, turn over. */
#include "platform/base/wheel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#define TICK ((uint64_t)WHEEL_TICK_US)
#define SECOND ((uint64_t)1000000)
#define DAY (86400 * SECOND)
#define YEAR (365 * DAY)
#define REACH (TICK << 36) /* what six levels span */
#define IDS 300

static uint64_t random_next(uint64_t *at)
{
	uint64_t z = *at += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static void wheel_make(struct wheel *w, uint32_t n_ids, uint64_t now_us)
{
	void *mem = malloc(wheel_bytes(n_ids));

	assert_non_null(mem);
	memset(mem, 0, wheel_bytes(n_ids));
	wheel_init(w, mem, n_ids, now_us);
}

static void wheel_drop(struct wheel *w)
{
	free(w->node);
}

static uint64_t tick_after(uint64_t us)
{
	return us / TICK + (us % TICK != 0);
}

/* ---- single rules ---- */

static void empty_wheel_asked_has_nothing(void **state)
{
	struct wheel w;
	uint32_t out[4];

	wheel_make(&w, 4, 5000);
	assert_true(wheel_next_us(&w) == UINT64_MAX);
	assert_false(wheel_behind(&w));
	assert_int_equal(wheel_advance(&w, 5000 + YEAR, out, 4), 0);
	assert_false(wheel_is_armed(&w, 3));
	assert_true(wheel_deadline_us(&w, 3) == 0);
	wheel_disarm(&w, 3);
	assert_int_equal(w.n_armed, 0);
	wheel_drop(&w);
}

static void armed_id_fires_at_first_tick_not_before_deadline(void **state)
{
	struct wheel w;
	uint32_t out[4];

	wheel_make(&w, 4, 0);
	wheel_arm(&w, 2, 3 * TICK + 1);
	assert_true(wheel_is_armed(&w, 2));
	assert_true(wheel_deadline_us(&w, 2) == 3 * TICK + 1);
	assert_int_equal(wheel_advance(&w, 3 * TICK, out, 4), 0);
	assert_int_equal(wheel_advance(&w, 4 * TICK - 1, out, 4), 0);
	assert_int_equal(wheel_advance(&w, 4 * TICK, out, 4), 1);
	assert_int_equal(out[0], 2);
	assert_false(wheel_is_armed(&w, 2));
	assert_int_equal(w.n_armed, 0);

	wheel_arm(&w, 2, 6 * TICK); /* on the tick itself */
	assert_int_equal(wheel_advance(&w, 6 * TICK - 1, out, 4), 0);
	assert_int_equal(wheel_advance(&w, 6 * TICK, out, 4), 1);
	wheel_drop(&w);
}

static void past_deadline_armed_fires_at_next_advance(void **state)
{
	struct wheel w;
	uint32_t out[4];
	uint64_t now = 1000 * SECOND + 77;

	wheel_make(&w, 4, now);
	wheel_arm(&w, 0, 0);
	wheel_arm(&w, 1, now); /* within the tick that already runs */
	wheel_arm(&w, 2, now + 1);
	assert_true(wheel_behind(&w));
	assert_true(wheel_next_us(&w) == now);
	assert_int_equal(wheel_advance(&w, now, out, 4), 2);
	assert_int_equal(out[0], 0);
	assert_int_equal(out[1], 1);
	assert_false(wheel_behind(&w));
	wheel_drop(&w);
}

static void armed_id_armed_again_moves(void **state)
{
	struct wheel w;
	uint32_t out[4];

	wheel_make(&w, 4, 0);
	wheel_arm(&w, 1, 10 * TICK);
	wheel_arm(&w, 1, 5000 * TICK);
	assert_int_equal(w.n_armed, 1);
	assert_int_equal(wheel_advance(&w, 4999 * TICK, out, 4), 0);
	wheel_arm(&w, 1, 5002 * TICK); /* now on a lower level */
	assert_int_equal(wheel_advance(&w, 5001 * TICK, out, 4), 0);
	assert_int_equal(wheel_advance(&w, 5002 * TICK, out, 4), 1);
	assert_int_equal(out[0], 1);
	wheel_drop(&w);
}

static void id_disarmed_on_any_level_never_fires(void **state)
{
	struct wheel w;
	uint32_t out[32];

	for (uint32_t victim = 0; victim < 24; victim++) { /* head, middle and end of each list */
		wheel_make(&w, 24, 0);
		for (uint32_t id = 0; id < 24; id++) /* four in one slot of each level */
			wheel_arm(&w, id, (3 * TICK) << (6 * (id / 4)));
		for (unsigned level = 0; level < WHEEL_LEVELS; level++)
			assert_true(w.occupied[level] == 1 << 3);
		wheel_disarm(&w, victim);
		wheel_disarm(&w, victim); /* no effect */
		assert_int_equal(w.n_armed, 23);
		for (uint32_t id = 0; id < 24; id++)
			assert_int_equal(wheel_is_armed(&w, id), id != victim);

		uint32_t n = 0;

		for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
			uint32_t got = wheel_advance(&w, (3 * TICK) << (6 * level), out, 32);

			assert_int_equal(got, level == victim / 4 ? 3 : 4);
			for (uint32_t i = 0; i < got; i++)
				assert_int_not_equal(out[i], victim);
			n += got;
		}
		assert_int_equal(n, 23);
		for (unsigned level = 0; level < WHEEL_LEVELS; level++)
			assert_true(w.occupied[level] == 0);
		wheel_drop(&w);
	}
}

static void time_going_back_is_taken_as_the_last(void **state)
{
	struct wheel w;
	uint32_t out[4];

	wheel_make(&w, 4, 100 * TICK);
	wheel_arm(&w, 0, 110 * TICK);
	assert_int_equal(wheel_advance(&w, 105 * TICK, out, 4), 0);
	assert_int_equal(wheel_advance(&w, 0, out, 4), 0);
	wheel_arm(&w, 1, 104 * TICK);
	assert_int_equal(wheel_advance(&w, 50 * TICK, out, 4), 1);
	assert_int_equal(out[0], 1);
	assert_int_equal(wheel_advance(&w, 110 * TICK, out, 4), 1);
	wheel_drop(&w);
}

static void deadline_beyond_last_level_fires_when_due(void **state)
{
	static const uint64_t away[] = { REACH - 1, REACH, REACH + 1, 5 * YEAR, 40 * YEAR + 12345 };
	static const uint64_t from[] = { 0, REACH / 2, REACH - 1, REACH - TICK,
					 3 * REACH - 5 * TICK };
	struct wheel w;
	uint32_t out[4];

	for (size_t f = 0; f < sizeof(from) / sizeof(from[0]); f++)
		for (size_t a = 0; a < sizeof(away) / sizeof(away[0]); a++) {
			uint64_t deadline = from[f] + away[a], now = from[f];

			wheel_make(&w, 4, from[f]);
			wheel_arm(&w, 3, deadline);
			wheel_arm(&w, 0, UINT64_MAX); /* never, and in nobody's way */
			for (; now < deadline; now += 30 * DAY)
				assert_int_equal(wheel_advance(&w, now, out, 4), 0);
			assert_int_equal(wheel_advance(&w, deadline - 1, out, 4), 0);
			assert_int_equal(wheel_advance(&w, tick_after(deadline) * TICK, out, 4), 1);
			assert_int_equal(out[0], 3);
			assert_true(wheel_is_armed(&w, 0));
			wheel_drop(&w);
		}
}

static void due_ids_rearmed_as_due_do_not_starve_others(void **state)
{
	struct wheel w;
	uint32_t out[4], fired[16] = { 0 };

	wheel_make(&w, 16, 0);
	for (uint32_t id = 0; id < 16; id++)
		wheel_arm(&w, id, 0);
	for (int turn = 0; turn < 16; turn++) {
		assert_int_equal(wheel_advance(&w, 0, out, 4), 4);
		for (int i = 0; i < 4; i++) {
			fired[out[i]]++;
			wheel_arm(&w, out[i], 0);
		}
	}
	for (uint32_t id = 0; id < 16; id++)
		assert_int_equal(fired[id], 4);
	wheel_drop(&w);
}

/* ---- the bound on one call ---- */

static void full_slot_advanced_is_handled_in_bounded_calls(void **state)
{
	enum { N = 10000, MAX = 32 };
	uint64_t deadline = TICK * (5 * 64 * 64 * 64 + 7 * 64 * 64 + 9 * 64 + 11);
	uint32_t out[MAX], n = 0, calls = 0, empty_calls = 0;
	uint8_t *seen = calloc(N, 1);
	struct wheel w;

	wheel_make(&w, N, 0);
	for (uint32_t id = 0; id < N; id++)
		wheel_arm(&w, id, deadline); /* four levels up: each is filed three times */
	assert_int_equal(wheel_advance(&w, deadline - 1, out, 0), 0); /* max 0 does nothing */
	assert_true(wheel_behind(&w));
	do {
		uint32_t got = wheel_advance(&w, deadline - 1, out, MAX);

		assert_int_equal(got, 0);
		calls++;
	} while (wheel_behind(&w));
	assert_int_equal(calls, (3 * N + MAX - 1) / MAX); /* so each handled MAX, not more */
	do {
		uint32_t got = wheel_advance(&w, deadline, out, MAX);

		assert_true(got <= MAX);
		empty_calls += got == 0;
		for (uint32_t i = 0; i < got; i++)
			assert_int_equal(seen[out[i]]++, 0);
		n += got;
	} while (wheel_behind(&w));
	assert_int_equal(n, N);
	assert_int_equal(empty_calls, 0);
	assert_int_equal(w.n_armed, 0);
	free(seen);
	wheel_drop(&w);
}

static void id_disarmed_while_its_slot_is_half_done_never_fires(void **state)
{
	struct wheel w;
	uint32_t out[16], n = 0;

	wheel_make(&w, 16, 0);
	for (uint32_t id = 0; id < 16; id++)
		wheel_arm(&w, id, 70 * 64 * TICK + id * TICK); /* level 2 */
	assert_int_equal(wheel_advance(&w, 70 * 64 * TICK - 1, out, 5), 0);
	assert_true(wheel_behind(&w));
	wheel_disarm(&w, 2);  /* filed again already */
	wheel_disarm(&w, 12); /* not yet */
	wheel_arm(&w, 13, 200 * 64 * TICK);
	for (int call = 0; call < 20; call++)
		n += wheel_advance(&w, 80 * 64 * TICK, out, 5);
	assert_int_equal(n, 13);
	assert_int_equal(w.n_armed, 1);
	assert_int_equal(wheel_advance(&w, 200 * 64 * TICK, out, 16), 1);
	assert_int_equal(out[0], 13);
	wheel_drop(&w);
}

/* ---- against the model ---- */

struct model {
	struct wheel w;
	uint64_t deadline[IDS];     /* as armed                                 */
	bool armed[IDS], past[IDS]; /* past: due when armed                 */
	uint64_t now, seed;
	uint64_t n_fired, n_moved;
};

/* Times of all sizes: a few ticks as often as a few years. */
static uint64_t random_span(struct model *m, unsigned bits_max)
{
	return random_next(&m->seed) >> (64 - 1 - random_next(&m->seed) % bits_max);
}

static bool is_due(const struct model *m, uint32_t id)
{
	return m->armed[id] && (m->past[id] || tick_after(m->deadline[id]) <= m->now / TICK);
}

static void model_change(struct model *m, unsigned bits_max)
{
	uint32_t id = (uint32_t)(random_next(&m->seed) % IDS);

	if (random_next(&m->seed) % 4 == 0) {
		wheel_disarm(&m->w, id);
		m->armed[id] = false;
		return;
	}
	uint64_t away = random_span(m, bits_max);

	bool back = random_next(&m->seed) % 16 == 0 && away <= m->now;

	m->deadline[id] = back ? m->now - away : m->now + away;
	m->past[id] = m->deadline[id] <= m->now;
	m->armed[id] = true;
	wheel_arm(&m->w, id, m->deadline[id]);
	m->n_moved++;
}

static void model_fire(struct model *m, uint32_t max)
{
	uint32_t out[IDS];
	uint32_t calls = 0;

	do {
		uint32_t got = wheel_advance(&m->w, m->now, out, max);

		assert_true(got <= max);
		for (uint32_t i = 0; i < got; i++) {
			assert_true(out[i] < IDS);
			assert_true(m->armed[out[i]]);
			assert_true(m->deadline[out[i]] <= m->now); /* never early */
			m->armed[out[i]] = false;
			m->n_fired++;
		}
		assert_true(++calls <= IDS * WHEEL_LEVELS / max + 2);
	} while (wheel_behind(&m->w));
}

/* After all calls for one time nothing due is left, and the rest is as it was armed. */
static void model_compare(const struct model *m)
{
	uint64_t first = UINT64_MAX;
	uint32_t n = 0;

	for (uint32_t id = 0; id < IDS; id++) {
		assert_false(is_due(m, id));
		assert_int_equal(wheel_is_armed(&m->w, id), m->armed[id]);
		assert_true(wheel_deadline_us(&m->w, id) == (m->armed[id] ? m->deadline[id] : 0));
		if (m->armed[id] && m->deadline[id] < first)
			first = m->deadline[id];
		n += m->armed[id];
	}
	assert_int_equal(m->w.n_armed, n);
	if (n == 0) {
		assert_true(wheel_next_us(&m->w) == UINT64_MAX);
	} else {
		/* a loop that sleeps until then moves on */
		assert_true(wheel_next_us(&m->w) > m->now);
		assert_true(wheel_next_us(&m->w) <= tick_after(first) * TICK);
	}
}

static void model_run(uint64_t seed, uint64_t start_us, unsigned arm_bits, unsigned step_bits,
		      int turns)
{
	struct model m = { .now = start_us, .seed = seed };

	wheel_make(&m.w, IDS, start_us);
	for (int turn = 0; turn < turns; turn++) {
		uint64_t r = random_next(&m.seed);

		for (uint64_t n = r % 8; n > 0; n--)
			model_change(&m, arm_bits);
		m.now += step_bits ? random_span(&m, step_bits) : TICK;
		model_fire(&m, r >> 60 ? IDS : 1 + (uint32_t)(r >> 32 & 15));
		model_compare(&m);
	}
	assert_true(m.n_fired > 0 && m.n_moved > m.n_fired);
	wheel_drop(&m.w);
}

static void wheel_advanced_each_tick_is_at_most_one_late(void **state)
{
	model_run(1, 0, 18, 0, 10000);
	model_run(2, REACH - 3000 * TICK, 22, 0, 10000); /* all levels turn over on the way */
	model_run(3, 64 * 64 * 64 * TICK - 512, 24, 0, 10000);
}

static void wheel_advanced_at_random_agrees_with_model(void **state)
{
	for (uint64_t seed = 10; seed < 40; seed++) {
		unsigned bits = 12 + (unsigned)seed % 6 * 8; /* up to 52: 143 years */
		uint64_t before = seed % 3 ? (uint64_t)1 << (bits - 2) : 0;
		uint64_t start = (seed % 3) * 16 * REACH - before;

		model_run(seed, start, bits, bits - (unsigned)seed % 3, 600);
	}
}

static void wheel_slept_until_next_us_always_moves_on(void **state)
{
	struct model m = { .now = 12345, .seed = 99 };
	int turns = 0;

	wheel_make(&m.w, IDS, m.now);
	for (int i = 0; i < 2000; i++)
		model_change(&m, 50);
	while (m.w.n_armed > 0) {
		uint64_t next = wheel_next_us(&m.w);

		assert_true(next >= m.now);
		m.now = next;
		model_fire(&m, IDS);
		model_compare(&m);
		assert_true(++turns < IDS * (WHEEL_LEVELS + 64));
	}
	wheel_drop(&m.w);
}

/* ---- cost ---- */

static double cpu_s(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

static void idle_gaps_of_days_cost_nothing(void **state)
{
	struct wheel w;
	uint32_t out[4];
	uint64_t now = 0;
	double begin = cpu_s();

	wheel_make(&w, 4, 0);
	for (int gap = 0; gap < 10000; gap++) { /* 2,700 years: 84 million million ticks */
		wheel_arm(&w, 1, now + 99 * DAY);
		now += 100 * DAY;
		assert_int_equal(wheel_advance(&w, now, out, 4), 1);
	}
	assert_true(cpu_s() - begin < 1.0);
	wheel_drop(&w);
}

static void million_arms_and_disarms_take_well_under_a_second(void **state)
{
	enum { N = 100000, TURNS = 1000000 };
	uint32_t out[64];
	uint64_t seed = 5, now = 0, n_fired = 0;
	struct wheel w;

	wheel_make(&w, N, 0);
	double begin = cpu_s();

	for (int turn = 0; turn < TURNS; turn++) {
		uint64_t r = random_next(&seed);

		wheel_arm(&w, (uint32_t)(r % N), now + (r >> 40)); /* within 16 s */
		wheel_disarm(&w, (uint32_t)((r >> 20) % N));
		now += 20;
		if (turn % 64 == 0)
			n_fired += wheel_advance(&w, now, out, 64);
	}
	double took = cpu_s() - begin;

	print_message("%d arms and disarms, %llu fired: %.3f s\n", TURNS,
		      (unsigned long long)n_fired, took);
	assert_true(n_fired > 1000);
	assert_true(took < 1.0);
	wheel_drop(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_wheel_asked_has_nothing),
		cmocka_unit_test(armed_id_fires_at_first_tick_not_before_deadline),
		cmocka_unit_test(past_deadline_armed_fires_at_next_advance),
		cmocka_unit_test(armed_id_armed_again_moves),
		cmocka_unit_test(id_disarmed_on_any_level_never_fires),
		cmocka_unit_test(time_going_back_is_taken_as_the_last),
		cmocka_unit_test(deadline_beyond_last_level_fires_when_due),
		cmocka_unit_test(due_ids_rearmed_as_due_do_not_starve_others),
		cmocka_unit_test(full_slot_advanced_is_handled_in_bounded_calls),
		cmocka_unit_test(id_disarmed_while_its_slot_is_half_done_never_fires),
		cmocka_unit_test(wheel_advanced_each_tick_is_at_most_one_late),
		cmocka_unit_test(wheel_advanced_at_random_agrees_with_model),
		cmocka_unit_test(wheel_slept_until_next_us_always_moves_on),
		cmocka_unit_test(idle_gaps_of_days_cost_nothing),
		cmocka_unit_test(million_arms_and_disarms_take_well_under_a_second),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
