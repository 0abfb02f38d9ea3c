/* SPDX-License-Identifier: Apache-2.0 */
/* The only reader of time. Loops ask once per burst and hand `now_us` down as an argument. */
#pragma once
#include <stdint.h>

/* CLOCK_MONOTONIC in microseconds: the same for all processes of the machine, and across their
 * restarts, so absolute deadlines in the link region mean the same to whoever reads them.
 * A vDSO call: no system call on the clock sources that servers use. Runs anywhere. */
uint64_t clock_now_us(void);
/* CLOCK_REALTIME in seconds, for people and for protocols (never for timers). */
uint64_t clock_wall_s(void);
/* Cycle counter (TSC, or the monotonic clock where there is none): only for ratios. */
uint64_t clock_cycles(void);
