/* SPDX-License-Identifier: Apache-2.0 */
/* bucket.h: full at the start, exact to the microsecond, no drift over long times, no overflow at
 * the largest values, and a clock that jumps either way. */
#include "platform/base/bucket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SECOND ((uint64_t)1000000)

static void new_bucket_gives_its_burst_and_no_more(void **state)
{
	struct bucket b;

	bucket_init(&b, 8, 3, 1000);
	for (int i = 0; i < 3; i++)
		assert_true(bucket_take(&b, 1, 1000));
	assert_false(bucket_take(&b, 1, 1000));
}

static void empty_bucket_gives_next_at_its_microsecond(void **state)
{
	struct bucket b;

	bucket_init(&b, 8, 1, 1000);
	assert_true(bucket_take(&b, 1, 1000));
	assert_false(bucket_take(&b, 1, 1000 + 124999));
	assert_true(bucket_take(&b, 1, 1000 + 125000));
	assert_false(bucket_take(&b, 1, 1000 + 249999));
	assert_true(bucket_take(&b, 1, 1000 + 250000));
}

static void asked_often_bucket_does_not_drift(void **state)
{
	struct bucket b;
	uint64_t taken = 0;

	bucket_init(&b, 3, 2, 0); /* a third of a second is no whole number of microseconds */
	assert_true(bucket_take(&b, 2, 0));
	for (uint64_t now = 1; now < 10 * SECOND; now += 7)
		taken += bucket_take(&b, 1, now);
	assert_int_equal(taken, 29);
	assert_false(bucket_take(&b, 1, 10 * SECOND - 1));
	assert_true(bucket_take(&b, 1, 10 * SECOND));

	bucket_init(&b, 1000, 10, 0);
	assert_true(bucket_take(&b, 10, 0));
	taken = 0;
	for (uint64_t now = 0; now <= 1000 * SECOND; now += 500)
		taken += bucket_take(&b, 1, now);
	assert_int_equal(taken, 1000000);
}

static void tokens_asked_together_are_all_or_none(void **state)
{
	struct bucket b;

	bucket_init(&b, 1, 5, 0);
	assert_false(bucket_take(&b, 6, 0));
	assert_true(bucket_take(&b, 2, 0));
	assert_false(bucket_take(&b, 4, 0));
	assert_true(bucket_take(&b, 3, 0)); /* the refusal took nothing */
	assert_true(bucket_take(&b, 0, 0));
	assert_false(bucket_take(&b, 1, 0));
}

static void idle_bucket_holds_its_burst_only(void **state)
{
	struct bucket b;

	bucket_init(&b, 8, 4, 0);
	assert_true(bucket_take(&b, 4, 0));
	assert_true(bucket_take(&b, 4, 3650 * 86400 * SECOND));
	assert_false(bucket_take(&b, 1, 3650 * 86400 * SECOND));
}

static void clock_going_back_adds_nothing(void **state)
{
	struct bucket b;

	bucket_init(&b, 1, 1, 100 * SECOND);
	assert_true(bucket_take(&b, 1, 100 * SECOND));
	assert_false(bucket_take(&b, 1, 50 * SECOND));
	assert_false(bucket_take(&b, 1, 100 * SECOND + 999999)); /* 50 s are not counted twice */
	assert_true(bucket_take(&b, 1, 101 * SECOND));
}

static void zero_rate_gives_burst_once(void **state)
{
	struct bucket b;

	bucket_init(&b, 0, 2, 0);
	assert_true(bucket_take(&b, 2, 1));
	assert_false(bucket_take(&b, 1, UINT64_MAX));
	assert_true(bucket_take(&b, 0, UINT64_MAX));
}

static void largest_values_do_not_overflow(void **state)
{
	struct bucket b;

	bucket_init(&b, UINT32_MAX, UINT32_MAX, 0);
	assert_true(bucket_take(&b, UINT32_MAX, 0));
	assert_false(bucket_take(&b, UINT32_MAX, SECOND - 1));
	assert_true(bucket_take(&b, UINT32_MAX, SECOND));
	assert_true(bucket_take(&b, UINT32_MAX, UINT64_MAX));
	assert_false(bucket_take(&b, 1, UINT64_MAX));
	assert_true(b.level <= (uint64_t)UINT32_MAX * SECOND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_bucket_gives_its_burst_and_no_more),
		cmocka_unit_test(empty_bucket_gives_next_at_its_microsecond),
		cmocka_unit_test(asked_often_bucket_does_not_drift),
		cmocka_unit_test(tokens_asked_together_are_all_or_none),
		cmocka_unit_test(idle_bucket_holds_its_burst_only),
		cmocka_unit_test(clock_going_back_adds_nothing),
		cmocka_unit_test(zero_rate_gives_burst_once),
		cmocka_unit_test(largest_values_do_not_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
