/* SPDX-License-Identifier: Apache-2.0 */
/* What a loop does when it has nothing to do, and how busy it was.
 *
 * A loop alone on its CPU pauses. One that shares its CPU yields on its first empty pass: spinning
 * there starves the other loop for a whole time slice (measured: 23 k/s against 223 k/s echoes). After
 * IDLE_AFTER_US without work both sleep in poll() on {doorbell, device descriptors}, at most
 * IDLE_SLEEP_US or until their next timer.
 *
 * Doorbell. Consumer: store sleeping = 1, full fence, look once more at everything, then poll.
 * Producer: store its ring index, full fence, read sleeping; where it is 1, write the eventfd once per
 * burst. One of the two always sees the other's store, so no wake-up is lost.
 *
 * sched_yield, poll and the doorbell's read and write are the only system calls in a polled loop.
 * Each struct idle belongs to one loop. */
#pragma once
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define IDLE_AFTER_US 200
#define IDLE_SLEEP_US 10000
#define IDLE_FDS_MAX 24

struct idle {
	_Atomic uint32_t *sleeping; /* in shared memory; W: this loop  R: producers           */
	struct pollfd fd[IDLE_FDS_MAX]; /* [0] is the doorbell                                */
	int n_fds;
	bool alone;                 /* nobody else runs on this CPU: pause instead of yield   */
	bool never_sleep;           /* dedicated core asked for by configuration              */
	uint64_t last_work_us;
	uint64_t mark_cycles;
	uint64_t busy_cycles, idle_cycles; /* since start; a reader may see old values        */
	uint64_t sleeps, wakes;     /* poll calls; those ended by a descriptor                */
};

/* doorbell: an eventfd (non-blocking), borrowed. */
void idle_init(struct idle *i, int doorbell, _Atomic uint32_t *sleeping, bool alone, uint64_t now_us);
/* ret 0 · -E_FULL */
int idle_add_fd(struct idle *i, int fd);
/* At the end of every pass.
 * worked     the pass did something
 * next_us    when the loop's next timer is due (UINT64_MAX: none); the sleep never passes it by more
 *            than poll's millisecond
 * has_work   looks once more, without doing anything, after sleeping is set
 * ret true when a descriptor other than the doorbell is ready (see fd[].revents) */
bool idle_pass(struct idle *i, bool worked, uint64_t now_us, uint64_t next_us,
	       bool (*has_work)(void *arg), void *arg);
/* Producer's side, after its release store: wakes the loop where it sleeps. doorbell: its eventfd.
 * ret true when a wake-up was written */
bool idle_wake(_Atomic uint32_t *sleeping, int doorbell);
