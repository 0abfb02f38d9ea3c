/* SPDX-License-Identifier: Apache-2.0 */
/* Message slots: which class a message gets, the reserve, handles that have gone stale, and the sweep
 * after a control process has died - which frees what it must and nothing else. */
#include "rig.h"

#include "platform/link/slot.h"

static const uint32_t per_class[CONF_CLASSES] = {20, 10, 4, 2, 1};

static void open_pool(struct link *l, struct slot_pool *p, uint32_t core)
{
	rig_open(l, 2, 2);
	assert_int_equal(slot_pool_init(p, l, core), 0);
}

static void close_pool(struct link *l, struct slot_pool *p)
{
	slot_pool_fini(p);
	link_region_unmap(l);
}

static void empty_pool_gives_the_smallest_class(void **state)
{
	static const struct {
		uint32_t len, lines, cls;
	} row[] = {
		{1, 1, 0},	 {1024, 40, 0}, {1025, 1, 1},	 {10, 41, 1},	{2048, 64, 1},
		{2049, 1, 2},	 {10, 65, 2},	{4096, 128, 2},	 {4097, 10, 3}, {10, 129, 3},
		{16384, 192, 3}, {16385, 1, 4}, {65535, 192, 4},
	};
	struct slot_pool p;
	struct link l;

	(void)state;
	open_pool(&l, &p, 1);
	assert_int_equal(slot_total(&p), 37);
	for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		uint64_t h = slot_take(&p, row[i].len, row[i].lines, 0);

		assert_int_not_equal(h, 0);
		assert_int_equal(slot_class(h), row[i].cls);
		assert_int_equal(slot_core(h), 1);
		assert_int_equal(slot_gen(h), i == 0 ? 1 : slot_gen(h));
		assert_int_equal(slot_in_use(&p), 1);
		assert_int_equal(slot_free(&p, h), 0);
	}
	assert_int_equal(slot_take(&p, 65537, 1, 0), 0);
	assert_int_equal(slot_take(&p, 10, 193, 0), 0);
	assert_int_equal(slot_in_use(&p), 0);
	close_pool(&l, &p);
}

static void empty_class_falls_through_to_larger_ones(void **state)
{
	struct slot_pool p;
	struct link l;

	(void)state;
	open_pool(&l, &p, 0);
	for (uint32_t c = 0; c < CONF_CLASSES; c++) {
		for (uint32_t i = 0; i < per_class[c]; i++) {
			uint64_t h = slot_take(&p, 100, 10, 0);

			assert_int_equal(slot_class(h), c);
			assert_true(slot_index(h) < per_class[c]);
		}
	}
	assert_int_equal(slot_in_use(&p), 37);
	assert_int_equal(slot_take(&p, 100, 10, 0), 0);
	close_pool(&l, &p);
}

static void reserve_stays_for_those_who_may(void **state)
{
	struct slot_pool p;
	struct link l;
	uint32_t n;

	(void)state;
	open_pool(&l, &p, 0);
	/* a tenth of 20 and 10 is 2 and 1; the classes below 10 keep none */
	for (n = 0; slot_take(&p, 100, 10, 10) != 0; n++)
		;
	assert_int_equal(n, 18 + 9 + 4 + 2 + 1);
	for (n = 0; slot_take(&p, 100, 10, 0) != 0; n++)
		;
	assert_int_equal(n, 3);
	close_pool(&l, &p);
}

static void heads_and_data_of_all_slots_lie_apart(void **state)
{
	struct slot_pool p[2];
	struct link l;

	(void)state;
	open_pool(&l, &p[0], 0);
	assert_int_equal(slot_pool_init(&p[1], &l, 1), 0);
	for (uint32_t core = 0; core < 2; core++) {
		for (uint32_t i = 0; i < 37; i++) {
			uint64_t h = slot_take(&p[core], 100, 10, 0);
			uint32_t c = slot_class(h);

			memset(slot_head(&l, h), (int)(core * 37 + i + 1),
			       l.h->class[c].head_bytes);
			memset(slot_data(&l, h), (int)(core * 37 + i + 101),
			       l.h->class[c].payload_bytes);
			assert_int_equal(slot_place(&l, h), core * 37 + i);
			assert_true(l.h->class[c].head_bytes >=
				    link_slot_head_bytes(l.h->class[c].lines));
		}
	}
	for (uint32_t core = 0; core < 2; core++) {
		uint32_t i = 0;

		for (uint32_t c = 0; c < CONF_CLASSES; c++) {
			for (uint32_t k = 0; k < per_class[c]; k++, i++) {
				/* lowest index first */
				uint64_t h = slot_handle(1, core, c, k);
				const uint8_t *head = (uint8_t *)slot_head(&l, h);
				const uint8_t *data = (uint8_t *)slot_data(&l, h);

				assert_int_equal(head[0], (uint8_t)(core * 37 + i + 1));
				assert_int_equal(head[l.h->class[c].head_bytes - 1], head[0]);
				assert_int_equal(data[0], (uint8_t)(core * 37 + i + 101));
				assert_int_equal(data[l.h->class[c].payload_bytes - 1], data[0]);
			}
		}
	}
	slot_pool_fini(&p[1]);
	close_pool(&l, &p[0]);
}

static void freed_slot_refuses_its_old_handle(void **state)
{
	struct slot_pool p;
	struct link l;
	uint64_t h, again;

	(void)state;
	open_pool(&l, &p, 0);
	h = slot_take(&p, 10, 1, 0);
	slot_lend(&p, h, 1, 5);
	assert_true(slot_is_lent(&p, h, 1));
	assert_int_equal(slot_free(&p, h), 0);
	assert_int_equal(slot_free(&p, h), -E_STALE);
	assert_false(slot_is_lent(&p, h, 1));
	again = slot_take(&p, 10, 1, 0);
	assert_int_equal((uint32_t)again, (uint32_t)h);
	assert_int_equal(slot_gen(again), slot_gen(h) + 1);
	slot_lend(&p, again, 1, 5);
	assert_int_equal(slot_free(&p, h), -E_STALE);
	assert_false(slot_is_lent(&p, h, 1));
	assert_true(slot_is_lent(&p, again, 1));
	assert_int_equal(slot_in_use(&p), 1);
	close_pool(&l, &p);
}

static void lent_slot_is_lent_to_one_shard_only(void **state)
{
	struct slot_pool p;
	struct link l;
	uint64_t h;

	(void)state;
	open_pool(&l, &p, 0);
	h = slot_take(&p, 10, 1, 0);
	assert_false(slot_is_lent(&p, h, 0)); /* the core's own still */
	slot_lend(&p, h, 1, 1);
	assert_true(slot_is_lent(&p, h, 1));
	assert_false(slot_is_lent(&p, h, 0));
	assert_false(slot_is_lent(&p, h, 257)); /* not taken modulo the width of its field */
	close_pool(&l, &p);
}

static void forged_handles_are_refused(void **state)
{
	struct slot_pool p;
	struct link l;
	uint64_t h;

	(void)state;
	open_pool(&l, &p, 0);
	h = slot_take(&p, 10, 1, 0);
	slot_lend(&p, h, 0, 1);
	for (int bit = 0; bit < 64; bit++) {
		assert_false(slot_is_lent(&p, h ^ 1ull << bit, 0));
		assert_int_equal(slot_free(&p, h ^ 1ull << bit), -E_STALE);
	}
	assert_false(slot_is_lent(&p, 0, 0));
	assert_int_equal(slot_free(&p, 0), -E_STALE);
	assert_int_equal(slot_free(&p, UINT64_MAX), -E_STALE);
	assert_null(slot_head(&l, UINT64_MAX));
	assert_null(slot_data(&l, slot_handle(1, 0, 4, 1)));
	assert_null(slot_head(&l, slot_handle(1, 0, 5, 0)));
	assert_null(slot_data(&l, slot_handle(1, 2, 0, 0)));
	assert_int_equal(slot_free(&p, h), 0);
	close_pool(&l, &p);
}

static void generation_goes_round_without_zero(void **state)
{
	struct slot_pool p;
	struct link l;
	uint64_t h;

	(void)state;
	open_pool(&l, &p, 0);
	*(uint64_t *)link_at(&l, LINK_S_SLOT_WORDS, 0) = (uint64_t)UINT32_MAX << 32;
	h = slot_take(&p, 10, 1, 0);
	assert_int_equal(slot_gen(h), 1);
	assert_int_equal(slot_free(&p, h), 0);
	close_pool(&l, &p);
}

/* 12 slots: the core's own; lent before (marked and not); lent under the new epoch and the next. */
static void sweep_after(uint32_t epoch, uint32_t burst)
{
	struct slot_pool p;
	struct link l;
	uint64_t h[12];
	uint32_t freed = 0, calls = 0;

	open_pool(&l, &p, 1);
	for (uint32_t i = 0; i < 12; i++) {
		h[i] = slot_take(&p, 10, 1, 0);
		if (i >= 2)
			slot_lend(&p, h[i], i & 1, i < 8 ? epoch - 1 - (i & 3) : epoch + (i & 1));
	}
	slot_mark_held(&l, h[3], epoch);
	slot_mark_held(&l, h[4], epoch);
	slot_mark_held(&l, h[5], epoch - 1); /* marks of another successor count for nothing */
	slot_sweep_begin(&p, epoch);
	assert_int_equal(slot_in_use(&p), 12);
	for (; p.sweeping; calls++) {
		uint32_t n = slot_sweep(&p, burst);

		assert_true(n <= burst);
		freed += n;
	}
	assert_true(calls >= 37 / burst);
	assert_int_equal(freed, 4);
	assert_int_equal(slot_in_use(&p), 8);
	for (uint32_t i = 0; i < 12; i++) {
		bool swept = i == 2 || (i >= 5 && i < 8);

		assert_int_equal(slot_free(&p, h[i]), swept ? -E_STALE : 0);
	}
	assert_int_equal(slot_sweep(&p, 100), 0); /* nothing to go on with */
	close_pool(&l, &p);
}

static void lent_slots_of_a_dead_control_are_swept_and_no_others(void **state)
{
	(void)state;
	sweep_after(10, 100);
	sweep_after(10, 1);
	sweep_after(10, 7);
}

static void epochs_that_went_round_are_still_older(void **state)
{
	(void)state;
	sweep_after(65536 + 2, 100); /* lent under 65533 .. 65536, as 16 bits: 65533 .. 0 */
	sweep_after(65535, 100);     /* the next epoch is 0 in 16 bits                     */
	sweep_after(32768, 100);
	sweep_after(32770, 100);
}

static void every_class_is_swept(void **state)
{
	struct slot_pool p;
	struct link l;

	(void)state;
	open_pool(&l, &p, 0);
	for (uint32_t i = 0; i < 37; i++)
		slot_lend(&p, slot_take(&p, 10, 1, 0), 0, 3);
	slot_sweep_begin(&p, 4);
	assert_int_equal(slot_sweep(&p, 1000), 37);
	assert_int_equal(slot_in_use(&p), 0);
	for (uint32_t c = 0; c < CONF_CLASSES; c++)
		assert_int_equal(p.n_free[c], per_class[c]);
	close_pool(&l, &p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_pool_gives_the_smallest_class),
		cmocka_unit_test(empty_class_falls_through_to_larger_ones),
		cmocka_unit_test(reserve_stays_for_those_who_may),
		cmocka_unit_test(heads_and_data_of_all_slots_lie_apart),
		cmocka_unit_test(freed_slot_refuses_its_old_handle),
		cmocka_unit_test(lent_slot_is_lent_to_one_shard_only),
		cmocka_unit_test(forged_handles_are_refused),
		cmocka_unit_test(generation_goes_round_without_zero),
		cmocka_unit_test(lent_slots_of_a_dead_control_are_swept_and_no_others),
		cmocka_unit_test(epochs_that_went_round_are_still_older),
		cmocka_unit_test(every_class_is_swept),
	};

	return cmocka_run_group_tests_name("link/slot", tests, NULL, NULL);
}
