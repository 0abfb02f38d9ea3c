/* SPDX-License-Identifier: Apache-2.0 */
/* The clocks against the C library's own view of them. */
#include "platform/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static uint64_t library_us(clockid_t id)
{
	struct timespec t;

	assert_int_equal(clock_gettime(id, &t), 0);
	return (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
}

static void running_now_us_lies_between_two_monotonic_readings(void **state)
{
	for (int k = 0; k < 1000; k++) {
		uint64_t before = library_us(CLOCK_MONOTONIC);
		uint64_t now = clock_now_us();
		uint64_t after = library_us(CLOCK_MONOTONIC);

		assert_in_range(now, before, after);
	}
}

static void slept_now_us_counts_microseconds(void **state)
{
	uint64_t start = clock_now_us();

	usleep(20000);
	/* the upper bound only tells units apart: a busy machine may sleep long */
	assert_in_range(clock_now_us() - start, 20000, 10000000);
}

static void running_wall_s_is_the_realtime_second(void **state)
{
	uint64_t before = library_us(CLOCK_REALTIME) / 1000000u;
	uint64_t wall = clock_wall_s();
	uint64_t after = library_us(CLOCK_REALTIME) / 1000000u;

	assert_in_range(wall, before, after);
}

static void slept_cycles_grow(void **state)
{
	uint64_t start = clock_cycles();

	usleep(1000);
	/* slower than 1 MHz is no cycle counter */
	assert_true(clock_cycles() - start > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(running_now_us_lies_between_two_monotonic_readings),
		cmocka_unit_test(slept_now_us_counts_microseconds),
		cmocka_unit_test(running_wall_s_is_the_realtime_second),
		cmocka_unit_test(slept_cycles_grow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
