/* SPDX-License-Identifier: Apache-2.0 */
/* The frame of the machines: what is common to the four figures, and the table of arrows. */
#include "row.h"

#include <string.h>

#include "control/txn/machine_priv.h"

static void none_any_event_refused(void **state)
{
	struct link_machine m;

	txn_machine_init(&m, MACHINE_NONE, UDP);
	for (int e = 0; e < TXN_EVENTS; e++)
		assert_int_equal(row_step(&m, e, 200, 100), e == TXN_EV_TIMER ? NOTHING : REFUSED);
	m.kind = 77;
	assert_int_equal(row_step(&m, TXN_EV_START, 0, 100), REFUSED);
}

static void any_kind_init_is_idle_and_unarmed(void **state)
{
	struct link_machine m, zero;

	memset(&m, 0xff, sizeof(m));
	memset(&zero, 0, sizeof(zero));
	txn_machine_init(&m, MACHINE_SERVER, TCP);
	zero.kind = MACHINE_SERVER;
	zero.reliable = 1;
	assert_memory_equal(&m, &zero, sizeof(m));
	assert_int_equal(txn_machine_next_us(&m), UINT64_MAX);
}

static void any_state_next_is_the_earlier_deadline(void **state)
{
	struct link_machine m;

	txn_machine_init(&m, MACHINE_CLIENT, UDP);
	m.end_us = 7;
	assert_int_equal(txn_machine_next_us(&m), 7);
	m.retransmit_us = 9;
	assert_int_equal(txn_machine_next_us(&m), 7);
	m.retransmit_us = 5;
	assert_int_equal(txn_machine_next_us(&m), 5);
	m.end_us = 0;
	assert_int_equal(txn_machine_next_us(&m), 5);
}

static void any_state_has_a_name(void **state)
{
	assert_string_equal(txn_state_name(MACHINE_IDLE), "idle");
	assert_string_equal(txn_state_name(MACHINE_CALLING), "calling");
	assert_string_equal(txn_state_name(MACHINE_TERMINATED), "terminated");
	assert_string_equal(txn_state_name((enum link_machine_state)(MACHINE_TERMINATED + 1)),
			    "unknown");
}

static void rules_all_hold_unless_one_is_broken(void **state)
{
	assert_int_equal(txn_broken, TXN_BREAK_NONE);
	for (int rule = TXN_BREAK_NONE + 1; rule < TXN_BREAKS; rule++)
		assert_true(txn_rule(rule));
}

static void arrows_are_distinct_and_named(void **state)
{
	assert_int_equal(txn_n_arrows, 63);
	for (unsigned i = 0; i < txn_n_arrows; i++) {
		const struct txn_arrow *a = &txn_arrows[i];

		assert_int_equal(strncmp(a->text, "Fig. ", 5), 0);
		assert_int_equal(a->text[5], '4' + a->kind);
		for (unsigned k = 0; k < i; k++) {
			const struct txn_arrow *b = &txn_arrows[k];

			assert_false(a->kind == b->kind && a->from == b->from &&
				     a->event == b->event && a->to == b->to &&
				     a->status_class == b->status_class);
			assert_string_not_equal(a->text, b->text);
		}
	}
}

static uint64_t hits_of(const uint64_t *hits, const char *text)
{
	for (unsigned i = 0; i < txn_n_arrows; i++)
		if (strcmp(txn_arrows[i].text, text) == 0)
			return hits[i];
	fail_msg("no arrow %s", text);
	return 0;
}

static void arrows_taken_are_counted_refused_are_not(void **state)
{
	uint64_t hits[128] = {0}, sum = 0;
	struct link_machine m;

	assert_true(txn_n_arrows <= 128);
	txn_arrow_hits = hits;
	txn_machine_init(&m, MACHINE_INVITE_CLIENT, TCP);
	(void)row_step(&m, TXN_EV_START, 0, 0);
	(void)row_step(&m, TXN_EV_START, 0, 0); /* refused */
	(void)row_step(&m, TXN_EV_TIMER, 0, 1); /* nothing due */
	(void)row_step(&m, TXN_EV_RESPONSE, 486, 2);
	txn_arrow_hits = NULL;

	assert_int_equal(hits_of(hits, "Fig. 5: Idle --INVITE from TU--> Calling"), 1);
	assert_int_equal(hits_of(hits, "Fig. 5: Calling --300-699--> Completed"), 1);
	/* D is 0 over TCP: its arrow is taken in the same step. */
	assert_int_equal(hits_of(hits, "Fig. 5: Completed --timer D--> Terminated"), 1);
	for (unsigned i = 0; i < txn_n_arrows; i++)
		sum += hits[i];
	assert_int_equal(sum, 3);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(none_any_event_refused),
		cmocka_unit_test(any_kind_init_is_idle_and_unarmed),
		cmocka_unit_test(any_state_next_is_the_earlier_deadline),
		cmocka_unit_test(any_state_has_a_name),
		cmocka_unit_test(rules_all_hold_unless_one_is_broken),
		cmocka_unit_test(arrows_are_distinct_and_named),
		cmocka_unit_test(arrows_taken_are_counted_refused_are_not),
	};

	return cmocka_run_group_tests_name("machine", tests, NULL, NULL);
}
