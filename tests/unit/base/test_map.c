/* SPDX-License-Identifier: Apache-2.0 */
/* map.c: what it promises, then a long random run against a plain list, with hashes drawn from few
 * values so that runs are long, wrap round the end, and are cut in the middle. */
#include "platform/base/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "platform/base/err.h"

#define MODEL_MAX 64

static uint64_t random_next(uint64_t *at)
{
	uint64_t z = *at += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static struct map new_map(uint32_t n)
{
	struct map m;
	void *mem = malloc(map_bytes(n));

	assert_non_null(mem);
	memset(mem, 0x5a, map_bytes(n)); /* map_init() may not rely on zeros */
	map_init(&m, mem, n);
	return m;
}

static uint32_t count(const struct map *m, uint64_t hash)
{
	uint32_t it = 0, value, n = 0;

	while (map_next(m, hash, &it, &value))
		n++;
	return n;
}

static bool has(const struct map *m, uint64_t hash, uint32_t value)
{
	uint32_t it = 0, found;

	while (map_next(m, hash, &it, &found))
		if (found == value)
			return true;
	return false;
}

static void empty_map_searched_finds_nothing(void **state)
{
	struct map m = new_map(0);

	assert_int_equal(count(&m, 0), 0);
	assert_int_equal(count(&m, 1), 0);
	assert_int_equal(count(&m, UINT64_MAX), 0);
	assert_int_equal(map_remove(&m, 7, 7), -E_NOT_FOUND);
	free(m.entry);
}

static void sizes_asked_hold_n_at_seven_eighths(void **state)
{
	assert_int_equal(map_bytes(0), 8 * sizeof(struct map_entry));
	assert_int_equal(map_bytes(7), 8 * sizeof(struct map_entry));
	assert_int_equal(map_bytes(8), 16 * sizeof(struct map_entry));
	assert_int_equal(map_bytes(14), 16 * sizeof(struct map_entry));
	assert_int_equal(map_bytes(15), 32 * sizeof(struct map_entry));
	assert_int_equal(map_bytes(917504), (1u << 20) * sizeof(struct map_entry));
	assert_int_equal(map_bytes(917505), (2u << 20) * sizeof(struct map_entry));
}

static void values_under_one_hash_are_all_found(void **state)
{
	struct map m = new_map(14);

	for (uint32_t v = 10; v < 15; v++)
		assert_int_equal(map_add(&m, 0xabc, v), 0);
	assert_int_equal(map_add(&m, 0xabd, 99), 0);
	assert_int_equal(count(&m, 0xabc), 5);
	for (uint32_t v = 10; v < 15; v++)
		assert_true(has(&m, 0xabc, v));
	assert_int_equal(count(&m, 0xabd), 1);
	assert_int_equal(m.used, 6);
	free(m.entry);
}

static void ended_search_called_again_stays_ended(void **state)
{
	struct map m = new_map(7);
	uint32_t it = 0, value = 0;

	assert_int_equal(map_add(&m, 5, 50), 0);
	assert_true(map_next(&m, 5, &it, &value));
	assert_int_equal(value, 50);
	assert_false(map_next(&m, 5, &it, &value));
	assert_false(map_next(&m, 5, &it, &value));
	assert_int_equal(value, 50);
	free(m.entry);
}

static void zero_hash_added_is_found_as_zero(void **state)
{
	struct map m = new_map(7);

	assert_int_equal(map_add(&m, 0, 3), 0);
	assert_true(has(&m, 0, 3));
	assert_int_equal(map_remove(&m, 0, 4), -E_NOT_FOUND);
	assert_int_equal(map_remove(&m, 0, 3), 0);
	assert_int_equal(count(&m, 0), 0);
	assert_int_equal(m.used, 0);
	free(m.entry);
}

static void same_pair_added_twice_removed_once_remains(void **state)
{
	struct map m = new_map(7);

	assert_int_equal(map_add(&m, 9, 1), 0);
	assert_int_equal(map_add(&m, 9, 1), 0);
	assert_int_equal(map_remove(&m, 9, 1), 0);
	assert_int_equal(count(&m, 9), 1);
	assert_int_equal(map_remove(&m, 9, 1), 0);
	assert_int_equal(map_remove(&m, 9, 1), -E_NOT_FOUND);
	free(m.entry);
}

static void map_at_limit_refuses_until_one_is_removed(void **state)
{
	struct map m = new_map(100); /* 128 slots: 112 */
	uint32_t n = 0;

	while (n < 1000 && map_add(&m, (uint64_t)n * n + 1, n) == 0)
		n++;
	assert_int_equal(n, 112);
	assert_int_equal(m.used, 112);
	assert_int_equal(map_add(&m, 1, 1), -E_FULL);
	assert_false(has(&m, 0xdeadbeef, 0)); /* a miss ends even at full load */
	for (uint32_t v = 0; v < n; v++)
		assert_true(has(&m, (uint64_t)v * v + 1, v));
	assert_int_equal(map_remove(&m, 50 * 50 + 1, 50), 0);
	assert_int_equal(map_add(&m, 77777, 1000), 0);
	assert_int_equal(map_add(&m, 77778, 1001), -E_FULL);
	free(m.entry);
}

static void emptied_map_is_all_empty_slots(void **state)
{
	struct map m = new_map(100);

	for (int turn = 0; turn < 50; turn++) {
		for (uint32_t v = 0; v < 112; v++)
			assert_int_equal(map_add(&m, v % 13, v), 0);
		for (uint32_t v = 0; v < 112; v++)
			assert_int_equal(map_remove(&m, (v * 5 % 112) % 13, v * 5 % 112), 0);
	}
	assert_int_equal(m.used, 0);
	for (uint32_t i = 0; i < 1u << m.bits; i++)
		assert_true(m.entry[i].hash == 0);
	free(m.entry);
}

/* What a map of MODEL_MAX should hold: pairs in any order. */
struct model {
	uint64_t hash[MODEL_MAX];
	uint32_t value[MODEL_MAX];
	uint32_t n;
};

static void compare(const struct map *m, const struct model *model, uint64_t n_hashes,
		    uint64_t step)
{
	for (uint64_t i = 0; i < n_hashes; i++) {
		uint32_t n = 0;

		for (uint32_t at = 0; at < model->n; at++) {
			if (model->hash[at] != i * step)
				continue;
			n++;
			assert_true(has(m, i * step, model->value[at]));
		}
		/* 0 and 1 share a slot's hash: the caller's own comparison tells them apart */
		if (step > 1 || i > 1)
			assert_int_equal(count(m, i * step), n);
	}
	assert_int_equal(m->used, model->n);
}

static void random_run(uint64_t seed, uint64_t n_hashes, uint64_t step)
{
	struct map m = new_map(56);
	struct model model = { .n = 0 };
	uint32_t next_value = 1;

	assert_int_equal(m.limit, 56);
	for (int turn = 0; turn < 4000; turn++) {
		uint64_t r = random_next(&seed), hash = (r >> 8) % n_hashes * step;

		if ((r & 127) < 66) {
			int want = model.n < m.limit ? 0 : -E_FULL;

			assert_int_equal(map_add(&m, hash, next_value), want);
			if (want == 0) {
				model.hash[model.n] = hash;
				model.value[model.n++] = next_value++;
			}
		} else if (model.n > 0) {
			uint32_t at = (uint32_t)((r >> 32) % model.n);

			assert_int_equal(map_remove(&m, model.hash[at], model.value[at]), 0);
			assert_int_equal(map_remove(&m, model.hash[at], model.value[at]),
					 -E_NOT_FOUND);
			model.n--;
			model.hash[at] = model.hash[model.n];
			model.value[at] = model.value[model.n];
		}
		if (turn % 8 == 0)
			compare(&m, &model, n_hashes, step);
	}
	free(m.entry);
}

static void random_adds_and_removes_agree_with_a_list(void **state)
{
	random_run(1, 1, 12345);                /* one single run              */
	random_run(2, 3, 0x4000000000000000);   /* homes far apart             */
	random_run(3, 20, 1);                   /* small numbers as hashes     */
	random_run(4, 1000, 0x123456789abcdf1); /* well spread                */
	for (uint64_t seed = 10; seed < 30; seed++)
		random_run(seed, seed, 0x9e3779b97f4a7c15 * seed);
}

/* Sharding by some bits of a hash may not crowd the map of one shard. */
static void hashes_with_fixed_bits_do_not_crowd(void **state)
{
	/* all but 12 bits are the same, other ones each time */
	for (unsigned fixed = 0; fixed <= 52; fixed += 4) {
		struct map m = new_map(7000);
		uint64_t far = 0;

		for (uint32_t v = 0; v < 4096; v++)
			assert_int_equal(map_add(&m, (uint64_t)v << fixed | 1, v), 0);
		for (uint32_t v = 0; v < 4096; v++) {
			uint32_t it = 0, value;

			assert_true(map_next(&m, (uint64_t)v << fixed | 1, &it, &value));
			far += it;
		}
		assert_true(far / 4096 <= 8); /* slots looked at for a hit, on average */
		free(m.entry);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_map_searched_finds_nothing),
		cmocka_unit_test(sizes_asked_hold_n_at_seven_eighths),
		cmocka_unit_test(values_under_one_hash_are_all_found),
		cmocka_unit_test(ended_search_called_again_stays_ended),
		cmocka_unit_test(zero_hash_added_is_found_as_zero),
		cmocka_unit_test(same_pair_added_twice_removed_once_remains),
		cmocka_unit_test(map_at_limit_refuses_until_one_is_removed),
		cmocka_unit_test(emptied_map_is_all_empty_slots),
		cmocka_unit_test(random_adds_and_removes_agree_with_a_list),
		cmocka_unit_test(hashes_with_fixed_bits_do_not_crowd),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
