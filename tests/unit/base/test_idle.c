/* SPDX-License-Identifier: Apache-2.0 */
/* Idleness: when a loop pauses, yields or sleeps, what ends the sleep, and that no wake-up is lost.
 *
 * Passes get a made-up now_us; only the sleeps themselves take real time. */
#include "platform/base/idle.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "platform/base/clock.h"
#include "platform/base/err.h"

#define START_US 5000000u
#define NEVER UINT64_MAX

struct loop {
	struct idle idle;
	_Atomic uint32_t sleeping;
	int doorbell;
	int looks;           /* calls of has_work */
	bool work;           /* what it answers   */
	uint32_t seen;       /* sleeping as has_work saw it */
};

static bool look(void *arg)
{
	struct loop *l = arg;

	l->looks++;
	l->seen = atomic_load(&l->sleeping);
	return l->work;
}

static void loop_make(struct loop *l, bool alone)
{
	memset(l, 0, sizeof(*l));
	l->doorbell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	assert_true(l->doorbell >= 0);
	idle_init(&l->idle, l->doorbell, &l->sleeping, alone, START_US);
}

static void loop_end(struct loop *l)
{
	close(l->doorbell);
}

static bool pass(struct loop *l, bool worked, uint64_t now_us, uint64_t next_us)
{
	return idle_pass(&l->idle, worked, now_us, next_us, look, l);
}

/* voluntary context switches of this thread: a yield may or may not be one, a sleep always is */
static long switches(void)
{
	struct rusage u;

	assert_int_equal(getrusage(RUSAGE_THREAD, &u), 0);
	return u.ru_nvcsw;
}

static void new_empty_pass_before_200_us_does_not_sleep(void **state)
{
	for (int alone = 0; alone < 2; alone++) {
		struct loop l;

		loop_make(&l, alone);
		for (uint32_t us = 0; us < IDLE_AFTER_US; us++)
			assert_false(pass(&l, false, START_US + us, NEVER));
		assert_int_equal(l.idle.sleeps, 0);
		assert_int_equal(l.looks, 0);
		assert_int_equal(l.idle.busy_cycles, 0);
		assert_true(l.idle.idle_cycles > 0);
		loop_end(&l);
	}
}

static void alone_empty_passes_make_no_system_call_that_gives_up_the_cpu(void **state)
{
	struct loop l;
	long before;

	loop_make(&l, true);
	before = switches();
	for (int k = 0; k < 100000; k++)
		(void)pass(&l, false, START_US, NEVER);
	assert_int_equal(switches(), before);
	loop_end(&l);
}

static _Atomic bool partner_stop;
static _Atomic uint64_t partner_passes;

static void *partner_yields(void *arg)
{
	struct loop *l = arg;

	while (!atomic_load(&partner_stop)) {
		(void)pass(l, false, START_US, NEVER);
		atomic_fetch_add(&partner_passes, 1);
	}
	return NULL;
}

/* Two loops pinned to one CPU: passes of the other per pass of ours, over `passes` of ours. */
static uint64_t partner_ran(bool alone, int passes)
{
	struct loop a, b;
	pthread_t thread;
	cpu_set_t all, one;
	uint64_t ran;
	int cpu = 0;

	assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
	while (!CPU_ISSET(cpu, &all))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	loop_make(&a, alone);
	loop_make(&b, false);
	atomic_store(&partner_stop, false);
	atomic_store(&partner_passes, 0);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0); /* inherited by the thread */
	assert_int_equal(pthread_create(&thread, NULL, partner_yields, &b), 0);
	while (atomic_load(&partner_passes) == 0)
		sched_yield();
	ran = atomic_load(&partner_passes);
	for (int k = 0; k < passes; k++)
		(void)pass(&a, false, START_US, NEVER);
	ran = atomic_load(&partner_passes) - ran;
	atomic_store(&partner_stop, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
	loop_end(&a);
	loop_end(&b);
	return ran;
}

static void shared_empty_pass_yields_to_the_other_loop(void **state)
{
	/* each yield lets the other run; a kernel may keep us on now and then */
	assert_true(partner_ran(false, 10000) > 1000);
	/* the control: pausing never does, except where a time slice ends */
	assert_true(partner_ran(true, 10000) < 1000);
}

static void idle_for_200_us_sleeps_after_one_look_with_sleeping_set(void **state)
{
	struct loop l;
	uint64_t start;

	loop_make(&l, true);
	start = clock_now_us();
	assert_false(pass(&l, false, START_US + IDLE_AFTER_US, NEVER));
	assert_in_range(clock_now_us() - start, IDLE_SLEEP_US, 100 * IDLE_SLEEP_US);
	assert_int_equal(l.looks, 1);
	assert_int_equal(l.seen, 1);
	assert_int_equal(atomic_load(&l.sleeping), 0);
	assert_int_equal(l.idle.sleeps, 1);
	assert_int_equal(l.idle.wakes, 0);
	loop_end(&l);
}

static void idle_for_200_us_with_work_at_the_last_look_does_not_sleep(void **state)
{
	struct loop l;

	loop_make(&l, true);
	l.work = true;
	assert_false(pass(&l, false, START_US + IDLE_AFTER_US, NEVER));
	assert_int_equal(l.looks, 1);
	assert_int_equal(l.idle.sleeps, 0);
	assert_int_equal(atomic_load(&l.sleeping), 0);
	loop_end(&l);
}

static void worked_pass_starts_the_200_us_anew(void **state)
{
	struct loop l;
	uint64_t later = START_US + 1000000;

	loop_make(&l, true);
	assert_false(pass(&l, true, later, NEVER));
	assert_int_equal(l.idle.idle_cycles, 0);
	assert_true(l.idle.busy_cycles > 0);
	(void)pass(&l, false, later + IDLE_AFTER_US - 1, NEVER);
	assert_int_equal(l.idle.sleeps, 0);
	(void)pass(&l, false, later + IDLE_AFTER_US, later + IDLE_AFTER_US + 100);
	assert_int_equal(l.idle.sleeps, 1);
	loop_end(&l);
}

static void never_sleep_loop_never_sleeps(void **state)
{
	struct loop l;

	loop_make(&l, true);
	l.idle.never_sleep = true;
	(void)pass(&l, false, START_US + 100 * IDLE_AFTER_US, NEVER);
	assert_int_equal(l.idle.sleeps, 0);
	assert_int_equal(l.looks, 0);
	loop_end(&l);
}

static void sleeping_timer_in_2_ms_ends_the_sleep(void **state)
{
	struct loop l;
	uint64_t now = START_US + IDLE_AFTER_US, shortest = NEVER;

	loop_make(&l, true);
	for (int k = 0; k < 20; k++) {
		uint64_t start = clock_now_us(), took;

		(void)pass(&l, false, now, now + 2000);
		took = clock_now_us() - start;
		assert_true(took >= 2000); /* the timer is due when the loop runs again */
		shortest = took < shortest ? took : shortest;
	}
	/* one undisturbed try of 20 shows the bound: poll's millisecond */
	assert_true(shortest <= 3000);
	assert_int_equal(l.idle.sleeps, 20);
	loop_end(&l);
}

static void due_timer_prevents_the_sleep(void **state)
{
	struct loop l;
	uint64_t now = START_US + IDLE_AFTER_US;

	loop_make(&l, true);
	(void)pass(&l, false, now, now);
	(void)pass(&l, false, now, now - 1);
	(void)pass(&l, false, now, 0);
	(void)pass(&l, false, now, now + 10); /* too near for a sleep to pay */
	assert_int_equal(l.idle.sleeps, 0);
	loop_end(&l);
}

static void sleeping_doorbell_wakes_and_is_taken_back(void **state)
{
	struct loop l;
	uint64_t count;

	loop_make(&l, true);
	atomic_store(&l.sleeping, 1);
	assert_true(idle_wake(&l.sleeping, l.doorbell));
	assert_true(idle_wake(&l.sleeping, l.doorbell));
	assert_false(pass(&l, false, START_US + IDLE_AFTER_US, NEVER)); /* no other descriptor */
	assert_int_equal(l.idle.sleeps, 1);
	assert_int_equal(l.idle.wakes, 1);
	assert_int_equal(read(l.doorbell, &count, sizeof(count)), -1);
	loop_end(&l);
}

static void awake_loop_costs_no_doorbell_write(void **state)
{
	struct loop l;
	uint64_t count;

	loop_make(&l, true);
	assert_false(idle_wake(&l.sleeping, l.doorbell));
	assert_int_equal(read(l.doorbell, &count, sizeof(count)), -1);
	loop_end(&l);
}

static void sleeping_device_descriptor_wakes_and_is_reported(void **state)
{
	struct loop l;
	int quiet[2], ready[2];

	loop_make(&l, true);
	assert_int_equal(pipe(quiet), 0);
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(idle_add_fd(&l.idle, quiet[0]), 0);
	assert_int_equal(idle_add_fd(&l.idle, ready[0]), 0);
	assert_int_equal(write(ready[1], "x", 1), 1);
	assert_true(pass(&l, false, START_US + IDLE_AFTER_US, NEVER));
	assert_int_equal(l.idle.wakes, 1);
	assert_int_equal(l.idle.fd[0].revents, 0);
	assert_int_equal(l.idle.fd[1].revents, 0);
	assert_int_equal(l.idle.fd[2].revents, POLLIN);
	/* not for a pass that did not look */
	assert_false(pass(&l, true, START_US + IDLE_AFTER_US, NEVER));
	for (int k = 0; k < 2; k++) {
		close(quiet[k]);
		close(ready[k]);
	}
	loop_end(&l);
}

static void full_descriptor_table_refuses_one_more(void **state)
{
	struct loop l;

	loop_make(&l, true);
	for (int k = 1; k < IDLE_FDS_MAX; k++)
		assert_int_equal(idle_add_fd(&l.idle, l.doorbell), 0);
	assert_int_equal(idle_add_fd(&l.idle, l.doorbell), -E_FULL);
	assert_int_equal(l.idle.n_fds, IDLE_FDS_MAX);
	loop_end(&l);
}

static void sleeping_loop_burns_no_cpu(void **state)
{
	struct loop l;
	struct rusage a, b;
	uint64_t start, wall_us, cpu_us;

	loop_make(&l, false);
	assert_int_equal(getrusage(RUSAGE_THREAD, &a), 0);
	start = clock_now_us();
	for (int k = 0; k < 30; k++)
		(void)pass(&l, false, START_US + IDLE_AFTER_US, NEVER);
	wall_us = clock_now_us() - start;
	assert_int_equal(getrusage(RUSAGE_THREAD, &b), 0);
	cpu_us = (uint64_t)(b.ru_utime.tv_sec + b.ru_stime.tv_sec - a.ru_utime.tv_sec -
			    a.ru_stime.tv_sec) * 1000000u +
		 (uint64_t)(b.ru_utime.tv_usec + b.ru_stime.tv_usec - a.ru_utime.tv_usec -
			    a.ru_stime.tv_usec);
	assert_true(wall_us >= 30u * IDLE_SLEEP_US);
	assert_true(cpu_us * 20 < wall_us); /* below 5 %, whoever else is running */
	loop_end(&l);
}

/* Two threads hand a number to and fro. In some turns both sleep at once when they find nothing
 * (their now_us runs ahead); in others one of them stays awake and answers after a delay that
 * sweeps over the few hundred cycles in which the other falls asleep. */
#define TURNS 100000u
#define DELAY_MAX_CYCLES 4096u

struct side {
	struct loop l;
	struct side *other;
	_Atomic uint64_t *turn;      /* the number; even: side 0 moves, odd: side 1 */
	_Atomic uint64_t sent_us;    /* when the announcement of the last own move was over */
	uint64_t parity, lost;
};

static bool my_turn(void *arg)
{
	struct side *s = arg;

	return (atomic_load_explicit(s->turn, memory_order_acquire) & 1) == s->parity;
}

/* Of four times 64 turns: both sleep, side 0 stays awake, side 1 does, both sleep. */
static bool stays_awake(const struct side *s, uint64_t turn)
{
	return (turn >> 6 & 3) == s->parity + 1;
}

static void move(struct side *s, uint64_t turn)
{
	uint64_t start = clock_cycles();

	while (stays_awake(s, turn) && clock_cycles() - start < turn * 37 % DELAY_MAX_CYCLES) {
		/* the other is falling asleep meanwhile */
	}
	atomic_store_explicit(s->turn, turn + 1, memory_order_release);
	(void)idle_wake(&s->other->l.sleeping, s->other->l.doorbell);
	atomic_store(&s->sent_us, clock_now_us());
}

static void *side_run(void *arg)
{
	struct side *s = arg;
	uint64_t now = START_US, turn;

	while ((turn = atomic_load_explicit(s->turn, memory_order_acquire)) < 2 * TURNS) {
		uint64_t sleeps = s->l.idle.sleeps, wakes = s->l.idle.wakes;
		bool worked = (turn & 1) == s->parity;

		if (worked)
			move(s, turn);
		else
			now += stays_awake(s, turn) ? 0 : 2 * IDLE_AFTER_US;
		s->l.idle.never_sleep = stays_awake(s, turn);
		(void)idle_pass(&s->l.idle, worked, now, NEVER, my_turn, s);
		/* slept its time out although the other's move was announced long before */
		if (s->l.idle.sleeps > sleeps && s->l.idle.wakes == wakes && my_turn(s) &&
		    atomic_load(&s->other->sent_us) + IDLE_SLEEP_US / 2 < clock_now_us() &&
		    atomic_load_explicit(s->turn, memory_order_acquire) < 2 * TURNS)
			s->lost++;
	}
	return NULL;
}

static void racing_sleep_and_wake_loses_no_wake_up(void **state)
{
	static _Atomic uint64_t turn;
	struct side s[2];
	pthread_t thread[2];

	atomic_store(&turn, 0);
	memset(s, 0, sizeof(s));
	for (int k = 0; k < 2; k++) {
		loop_make(&s[k].l, true);
		s[k].other = &s[1 - k];
		s[k].turn = &turn;
		s[k].parity = (uint64_t)k;
		/* the other's first look may come before any move */
		atomic_store(&s[k].sent_us, UINT64_MAX / 2);
	}
	for (int k = 0; k < 2; k++)
		assert_int_equal(pthread_create(&thread[k], NULL, side_run, &s[k]), 0);
	for (int k = 0; k < 2; k++)
		assert_int_equal(pthread_join(thread[k], NULL), 0);
	assert_int_equal(atomic_load(&turn), 2 * TURNS);
	for (int k = 0; k < 2; k++) {
		assert_int_equal(s[k].lost, 0);
		assert_true(s[k].l.idle.sleeps > TURNS / 100); /* it was a race indeed */
		loop_end(&s[k].l);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_empty_pass_before_200_us_does_not_sleep),
		cmocka_unit_test(alone_empty_passes_make_no_system_call_that_gives_up_the_cpu),
		cmocka_unit_test(shared_empty_pass_yields_to_the_other_loop),
		cmocka_unit_test(idle_for_200_us_sleeps_after_one_look_with_sleeping_set),
		cmocka_unit_test(idle_for_200_us_with_work_at_the_last_look_does_not_sleep),
		cmocka_unit_test(worked_pass_starts_the_200_us_anew),
		cmocka_unit_test(never_sleep_loop_never_sleeps),
		cmocka_unit_test(sleeping_timer_in_2_ms_ends_the_sleep),
		cmocka_unit_test(due_timer_prevents_the_sleep),
		cmocka_unit_test(sleeping_doorbell_wakes_and_is_taken_back),
		cmocka_unit_test(awake_loop_costs_no_doorbell_write),
		cmocka_unit_test(sleeping_device_descriptor_wakes_and_is_reported),
		cmocka_unit_test(full_descriptor_table_refuses_one_more),
		cmocka_unit_test(sleeping_loop_burns_no_cpu),
		cmocka_unit_test(racing_sleep_and_wake_loses_no_wake_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
