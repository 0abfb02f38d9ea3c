/* SPDX-License-Identifier: Apache-2.0 */
/* What a loop does when it has nothing to do.
 *
 * An empty pass takes one of three ways: pause (alone on the CPU), yield (sharing it), or, once
 * IDLE_AFTER_US have gone by without work, sleep in poll(). The last step before the sleep is the
 * look at everything that a producer may have stored before it could see `sleeping`; the doorbell
 * covers what is stored after. Device descriptors need no such care: the kernel looks at them again
 * when poll() starts.
 *
 * A doorbell written just after poll() has given up stays readable and ends the next sleep at once:
 * one pass too many, never one too few.
 *
 * Cycles: those since the last call belong to the pass and are busy or idle by its result; those
 * spent in here are always idle, also while another loop has the CPU. */
#include "platform/base/idle.h"

#include <sched.h>
#include <time.h>
#include <unistd.h>

#include "platform/base/clock.h"
#include "platform/base/err.h"

/* Below this a sleep costs more than it saves: going down and coming up again takes some 20 us. */
#define SLEEP_MIN_US 50
#define NS_PER_US 1000

#if defined(__x86_64__)
static void cpu_pause(void)
{
	__builtin_ia32_pause();
}
#elif defined(__aarch64__)
static void cpu_pause(void)
{
	__asm__ volatile("isb" ::: "memory");
}
#else
static void cpu_pause(void)
{
	__asm__ volatile("" ::: "memory");
}
#endif

void idle_init(struct idle *i, int doorbell, _Atomic uint32_t *sleeping, bool alone,
	       uint64_t now_us)
{
	must(sleeping != NULL);
	*i = (struct idle){ .sleeping = sleeping, .n_fds = 1, .alone = alone };
	i->fd[0] = (struct pollfd){ .fd = doorbell, .events = POLLIN };
	i->last_work_us = now_us;
	i->mark_cycles = clock_cycles();
	atomic_store_explicit(sleeping, 0, memory_order_relaxed);
}

int idle_add_fd(struct idle *i, int fd)
{
	if (i->n_fds == IDLE_FDS_MAX)
		return -E_FULL;
	i->fd[i->n_fds++] = (struct pollfd){ .fd = fd, .events = POLLIN };
	return 0;
}

/* Take back what producers have written, so that the next poll() can sleep. */
static void doorbell_drain(int doorbell)
{
	uint64_t count;

	if (read(doorbell, &count, sizeof(count)) < 0) {
		/* non-blocking and already empty: nothing to take back */
	}
}

static bool sleep_in_poll(struct idle *i, uint64_t for_us)
{
	struct timespec t = { .tv_nsec = (long)(for_us * NS_PER_US) };
	int ready;
	bool device = false;

	_Static_assert(IDLE_SLEEP_US < 1000000, "fits tv_nsec");
	ready = ppoll(i->fd, (nfds_t)i->n_fds, &t, NULL);
	atomic_store_explicit(i->sleeping, 0, memory_order_relaxed);
	i->sleeps++;
	if (ready <= 0) /* time is up, or a signal: revents say nothing then */
		return false;
	i->wakes++;
	if (i->fd[0].revents)
		doorbell_drain(i->fd[0].fd);
	for (int k = 1; k < i->n_fds; k++)
		device = device || i->fd[k].revents != 0;
	return device;
}

/* ret true when the loop may sleep: `sleeping` is set then, and there was nothing to do after it */
static bool sleep_begin(struct idle *i, bool (*has_work)(void *arg), void *arg)
{
	atomic_store_explicit(i->sleeping, 1, memory_order_relaxed);
	/* pairs with the fence in idle_wake(): we see the producer's store, or it sees ours */
	atomic_thread_fence(memory_order_seq_cst);
	if (!has_work || !has_work(arg))
		return true;
	atomic_store_explicit(i->sleeping, 0, memory_order_relaxed);
	return false;
}

/* How long the loop may sleep now; 0: it shall not. */
static uint64_t sleep_us(const struct idle *i, uint64_t now_us, uint64_t next_us)
{
	uint64_t for_us = IDLE_SLEEP_US;

	if (i->never_sleep || now_us < i->last_work_us + IDLE_AFTER_US || next_us <= now_us)
		return 0;
	if (next_us - now_us < for_us)
		for_us = next_us - now_us;
	return for_us < SLEEP_MIN_US ? 0 : for_us;
}

bool idle_pass(struct idle *i, bool worked, uint64_t now_us, uint64_t next_us,
	       bool (*has_work)(void *arg), void *arg)
{
	uint64_t cycles = clock_cycles();
	uint64_t for_us;
	bool device = false;

	if (worked) {
		i->busy_cycles += cycles - i->mark_cycles;
		i->mark_cycles = cycles;
		i->last_work_us = now_us;
		return false;
	}
	for_us = sleep_us(i, now_us, next_us);
	if (for_us > 0) {
		if (sleep_begin(i, has_work, arg))
			device = sleep_in_poll(i, for_us);
	} else if (i->alone) {
		cpu_pause();
	} else {
		(void)sched_yield(); /* cannot fail on Linux */
	}
	cycles = clock_cycles();
	i->idle_cycles += cycles - i->mark_cycles;
	i->mark_cycles = cycles;
	return device;
}

bool idle_wake(_Atomic uint32_t *sleeping, int doorbell)
{
	uint64_t one = 1;

	/* pairs with the fence in sleep_begin() */
	atomic_thread_fence(memory_order_seq_cst);
	if (atomic_load_explicit(sleeping, memory_order_relaxed) == 0)
		return false;
	/* EAGAIN: the counter is at its top, so the descriptor is readable already */
	(void)!write(doorbell, &one, sizeof(one));
	return true;
}
