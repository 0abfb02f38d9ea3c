/* SPDX-License-Identifier: Apache-2.0 */
/* The table of counters: every row has its name, layer, sentence and kind, names are found again, and
 * the sum is over all loops. */
#include "rig.h"

#include <string.h>

static void table_rows_are_whole(void **state)
{
	(void)state;
	for (int i = 0; i < COUNTERS; i++) {
		const struct counter_info *c = &counter_info[i];

		assert_non_null(c->name);
		assert_true(strlen(c->name) > 3);
		assert_true(strlen(c->layer) > 1);
		assert_true(strlen(c->text) > 10);
		assert_true(c->kind <= COUNTER_LEVEL);
	}
	assert_int_equal(counter_info[sip_drop_bad_ack].kind, COUNTER_DROP);
	assert_int_equal(counter_info[sip_held].kind, COUNTER_LEVEL);
	assert_int_equal(counter_info[sip_rx].kind, COUNTER_EVENT);
	assert_string_equal(counter_info[sip_drop_bad_ack].layer, "sip");
}

static void every_name_is_found_once(void **state)
{
	(void)state;
	for (int i = 0; i < COUNTERS; i++)
		assert_int_equal(counter_find(str_from_c(counter_info[i].name)), i);
}

static void unknown_names_are_not_found(void **state)
{
	(void)state;
	assert_int_equal(counter_find(STR("sip_rx_")), -1);
	assert_int_equal(counter_find(STR("sip_r")), -1);
	assert_int_equal(counter_find(STR("SIP_RX")), -1);
	assert_int_equal(counter_find(STR_NONE), -1);
}

static void blocks_of_all_loops_make_the_sum(void **state)
{
	struct link l;

	(void)state;
	rig_open(&l, 2, 3);
	assert_int_equal(link_counter_sum(&l, sip_rx), 0);
	for (uint32_t i = 0; i < 5; i++)
		count_add(link_counters(&l, i), sip_rx, 1ull << (8 * i));
	count(link_counters(&l, 4), sip_up);
	assert_int_equal(link_counter_sum(&l, sip_rx), 0x0101010101ull);
	assert_int_equal(link_counter_sum(&l, sip_up), 1);
	count_sub(link_counters(&l, 0), sip_rx, 1);
	assert_int_equal(counter_read(link_counters(&l, 0), sip_rx), 0);
	/* the last counter of one block is not the first of the next */
	count(link_counters(&l, 0), COUNTERS - 1);
	assert_int_equal(counter_read(link_counters(&l, 1), 0), 0);
	link_region_unmap(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_rows_are_whole),
		cmocka_unit_test(every_name_is_found_once),
		cmocka_unit_test(unknown_names_are_not_found),
		cmocka_unit_test(blocks_of_all_loops_make_the_sum),
	};

	return cmocka_run_group_tests_name("link/counters", tests, NULL, NULL);
}
