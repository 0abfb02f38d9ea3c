/* SPDX-License-Identifier: Apache-2.0 */
/* freeset: always the lowest, against a plain array of flags. */
#include "platform/base/freeset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct freeset make(uint32_t n)
{
	struct freeset f;

	freeset_init(&f, malloc(freeset_bytes(n)), n);
	return f;
}

static void empty_take_none(void **state)
{
	struct freeset f = make(1000);

	(void)state;
	assert_int_equal(freeset_take(&f), FREESET_NONE);
	assert_false(freeset_has(&f, 0));
	free(f.level[0]);
}

static void zero_sized_take_none(void **state)
{
	struct freeset f = make(0);

	(void)state;
	assert_int_equal(freeset_take(&f), FREESET_NONE);
	free(f.level[0]);
}

/* Sizes at and around the turns of the levels: first, last and middle come back lowest first. */
static void filled_take_lowest(void **state)
{
	static const uint32_t size[] = { 1, 63, 64, 65, 4095, 4096, 4097, 262143, 262144, 262145, 1000000 };

	(void)state;
	for (unsigned k = 0; k < sizeof(size) / sizeof(size[0]); k++) {
		uint32_t n = size[k];
		struct freeset f = make(n);

		freeset_give(&f, n - 1);
		if (n > 1)
			freeset_give(&f, 0);
		if (n > 2)
			freeset_give(&f, n / 2);
		assert_int_equal(f.n_free, n > 2 ? 3 : n);
		assert_int_equal(freeset_take(&f), 0);
		if (n > 2)
			assert_int_equal(freeset_take(&f), n / 2);
		if (n > 1)
			assert_int_equal(freeset_take(&f), n - 1);
		assert_int_equal(freeset_take(&f), FREESET_NONE);
		free(f.level[0]);
	}
}

static void random_give_take_as_model(void **state)
{
	enum { N = 5000 };
	static uint8_t model[N];
	struct freeset f = make(N);
	uint32_t n_free = 0;

	(void)state;
	srand(7);
	memset(model, 0, sizeof(model));
	for (int round = 0; round < 200000; round++) {
		uint32_t i = (uint32_t)rand() % N, lowest = 0;

		if (rand() % 2 && !model[i]) {
			freeset_give(&f, i);
			model[i] = 1;
			n_free++;
		} else if (n_free > 0 && n_free < 200) {
			while (!model[lowest])
				lowest++;
			assert_int_equal(freeset_take(&f), lowest);
			model[lowest] = 0;
			n_free--;
		} else if (n_free > 0) {
			uint32_t got = freeset_take(&f);

			assert_true(model[got]);
			model[got] = 0;
			n_free--;
		}
		assert_int_equal(f.n_free, n_free);
	}
	for (uint32_t i = 0; i < N; i++)
		assert_int_equal(freeset_has(&f, i), model[i]);
	free(f.level[0]);
}

static void given_by_words_same_as_one_by_one(void **state)
{
	enum { N = 70001 };
	struct freeset f = make(N), one = make(N);
	uint64_t mask = 0;

	(void)state;
	srand(3);
	for (uint32_t i = 0; i < N; i++) {
		if (rand() % 97 == 0) {
			freeset_give(&one, i);
			mask |= 1ull << (i % 64);
		}
		if (i % 64 == 63 || i == N - 1) {
			freeset_give_word(&f, i / 64, mask);
			mask = 0;
		}
	}
	assert_int_equal(f.n_free, one.n_free);
	while (one.n_free > 0)
		assert_int_equal(freeset_take(&f), freeset_take(&one));
	assert_int_equal(freeset_take(&f), FREESET_NONE);
	free(f.level[0]);
	free(one.level[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_take_none),
		cmocka_unit_test(zero_sized_take_none),
		cmocka_unit_test(filled_take_lowest),
		cmocka_unit_test(random_give_take_as_model),
		cmocka_unit_test(given_by_words_same_as_one_by_one),
	};

	return cmocka_run_group_tests_name("freeset", tests, NULL, NULL);
}
