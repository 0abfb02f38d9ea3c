/* SPDX-License-Identifier: Apache-2.0 */
/* The only reader of time.
 *
 * CLOCK_MONOTONIC, not CLOCK_BOOTTIME: the vDSO answers both, but deadlines shall stand still with a
 * suspended machine rather than all be due at once. It never goes back and counts from boot for every
 * process alike, which is what lets absolute deadlines lie in shared memory.
 *
 * Cycles are read without a serialising instruction: they feed sums over millions of passes, where a
 * few reordered instructions do not show. */
#include "platform/base/clock.h"

#include <time.h>

#include "platform/base/err.h"

#define US_PER_S 1000000u
#define NS_PER_US 1000u

uint64_t clock_now_us(void)
{
	struct timespec t;

	/* both clocks exist on every kernel: a failure here is a bug of ours */
	must(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
	return (uint64_t)t.tv_sec * US_PER_S + (uint64_t)t.tv_nsec / NS_PER_US;
}

uint64_t clock_wall_s(void)
{
	struct timespec t;

	must(clock_gettime(CLOCK_REALTIME, &t) == 0);
	return (uint64_t)t.tv_sec;
}

#if defined(__x86_64__)
uint64_t clock_cycles(void)
{
	return __builtin_ia32_rdtsc();
}
#elif defined(__aarch64__)
uint64_t clock_cycles(void)
{
	uint64_t ticks;

	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
	return ticks;
}
#else
uint64_t clock_cycles(void)
{
	struct timespec t;

	must(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
	return (uint64_t)t.tv_sec * US_PER_S * NS_PER_US + (uint64_t)t.tv_nsec;
}
#endif
