/* SPDX-License-Identifier: Apache-2.0 */
/* pools and audit over a region filled by hand: a world that adds up, and one that is off by one in
 * each place; at rest and while counters move. */
#include "tests/unit/admin/world.h"

/* pools, audit */

static uint64_t *slot_word(uint32_t i)
{
	return link_at(&tw.link, LINK_S_SLOT_WORDS, i);
}

static void held_pools_count_what_is_in_use(void **state)
{
	json_t *r;

	*slot_word(0) = 1ull << 32 | SLOT_LENT;
	*slot_word(3) = 1ull << 32 | SLOT_CORE;
	*slot_word(4) = 1ull << 32 | SLOT_LENT;	 /* first of the 2 KiB class */
	*slot_word(19) = 1ull << 32 | SLOT_LENT; /* last of the 64 KiB class */
	(void)txn_at(4999);
	(void)branch_at(0);
	(void)binding_at(7, "a@b", "sip:c@d");
	r = result_of("pools", NULL);
	assert_int_equal(number(row_named(at(r, "pools"), "slots_1k"), "used"), 2);
	assert_int_equal(number(row_named(at(r, "pools"), "slots_1k"), "total"), 4);
	assert_int_equal(number(row_named(at(r, "pools"), "slots_2k"), "used"), 1);
	assert_int_equal(number(row_named(at(r, "pools"), "slots_4k"), "used"), 0);
	assert_int_equal(number(row_named(at(r, "pools"), "slots_64k"), "used"), 1);
	assert_int_equal(number(row_named(at(r, "pools"), "transactions"), "used"), 1);
	assert_int_equal(number(row_named(at(r, "pools"), "transactions"), "total"), 5000);
	assert_int_equal(number(row_named(at(r, "pools"), "transactions"), "reserve"), 500);
	assert_int_equal(number(row_named(at(r, "pools"), "branches"), "used"), 1);
	assert_int_equal(number(row_named(at(r, "pools"), "bindings"), "used"), 1);
	assert_int_equal(number(row_named(at(r, "pools"), "edit_blocks"), "used"), 0);
	assert_int_equal(number(row_named(at(r, "pools"), "rings_up"), "used"), 0);
	json_decref(r);
}

/* A consistent little world: one call ringing, its request's slot lent. */
static void consistent_world(void)
{
	ringing_call();
	*slot_word(0) = 1ull << 32 | SLOT_LENT;
	((struct link_txn *)link_at(&tw.link, LINK_S_TXNS, 3))->slot = slot_handle(1, 0, 0, 0);
	*counter_at(txn_started) = 4;
	*counter_at(txn_ended) = 3;
	*counter_at(txn_live) = 1;
	*counter_at(branch_started) = 1;
	*counter_at(branch_live) = 1;
	*counter_at(net_rx) = 10;
	*counter_at(net_rx_arp) = 2;
	*counter_at(net_rx_udp) = 7;
	*counter_at(net_drop_ip_csum) = 1;
	*counter_at(udp_rx) = 7;
	*counter_at(udp_to_sip) = 6;
	*counter_at(udp_drop_csum) = 1;
	*counter_at(sip_rx) = 6;
	*counter_at(sip_up) = 5;
	*counter_at(sip_drop_not_sip) = 1;
}

static bool audit_row_ok(json_t *r, const char *name)
{
	json_t *row = row_named(at(r, "identities"), name);

	assert_non_null(row);
	return json_is_true(at(row, "ok"));
}

static void consistent_audit_holds(void **state)
{
	json_t *r, *row;

	consistent_world();
	r = result_of("audit", NULL);
	assert_true(json_is_true(at(r, "ok")));
	assert_true(json_is_false(at(r, "moving")));
	assert_int_equal(number(r, "transactions_overdue"), 0);
	row = row_named(at(r, "identities"), "net");
	assert_int_equal(number(row, "left"), 10);
	assert_int_equal(number(row, "right"), 10);
	assert_string_equal(string(row, "text"),
			    "net_rx = net_rx_arp + net_rx_ndp + net_rx_icmp + "
			    "net_rx_fragment + net_rx_udp + net_rx_tcp + drops(net)");
	assert_int_equal(number(row_named(at(r, "identities"), "slots_lent"), "right"), 1);
	json_decref(r);
}

/* Each left side off by one: that identity is false, and no other that does not hold the counter. */
static void off_by_one_audit_names_the_identity(void **state)
{
	static const struct {
		enum counter id;
		const char *row;
	} one[] = {
		{net_rx, "net"},
		{net_rx_fragment, "fragments"},
		{net_frag_packets, "joined"},
		{udp_keepalive, "udp"},
		{net_joined_udp, "udp_from_net"},
		{sip_fast_reject, "sip"},
		{out_udp, "out"},
		{net_tx_held, "tx"},
		{link_send, "link"},
		{shard_rx, "shard"},
		{shard_drop_bad_record, "shard"},
		{tx_drop_full, "tx"},
		{frag_drop_bad, "fragments"},
		{txn_live, "transactions"},
		{txn_live, "transaction_records"},
		{branch_ended, "branches"},
		{branch_live, "branch_records"},
		{sip_held, "slots_of_cores"},
		{registrar_bindings, "binding_records"},
	};
	json_t *r;

	consistent_world();
	for (size_t i = 0; i < sizeof(one) / sizeof(one[0]); i++) {
		++*counter_at(one[i].id);
		r = result_of("audit", NULL);
		assert_true(json_is_false(at(r, "ok")));
		assert_false(audit_row_ok(r, one[i].row));
		json_decref(r);
		--*counter_at(one[i].id);
	}
	r = result_of("audit", NULL);
	assert_true(json_is_true(at(r, "ok")));
	json_decref(r);
}

static void leaked_slot_and_block_fail_the_audit(void **state)
{
	uint32_t *block = link_at(&tw.link, LINK_S_BLOCK_USED, 9);
	struct link_txn *t;
	json_t *r;

	consistent_world();
	*slot_word(1) = 1ull << 32 | SLOT_LENT;
	*block = 3;
	r = result_of("audit", NULL);
	assert_false(audit_row_ok(r, "slots_lent"));
	assert_false(audit_row_ok(r, "edit_blocks"));
	assert_int_equal(number(row_named(at(r, "identities"), "edit_blocks"), "left"), 1);
	json_decref(r);
	t = link_at(&tw.link, LINK_S_TXNS, 3);
	t->reply = 9; /* now somebody names the block */
	t->reply_words = LINK_BLOCK_WORDS;
	r = result_of("audit", NULL);
	assert_true(audit_row_ok(r, "edit_blocks"));
	t->reply_words = LINK_BLOCK_WORDS + 1; /* that takes two */
	json_decref(r);
	r = result_of("audit", NULL);
	assert_false(audit_row_ok(r, "edit_blocks"));
	json_decref(r);
}

static void late_transaction_and_branch_are_overdue(void **state)
{
	struct link_txn *t;
	struct link_branch *b;
	json_t *r;

	walk_us_per_step = 0;
	consistent_world();
	t = link_at(&tw.link, LINK_S_TXNS, 3);
	b = link_at(&tw.link, LINK_S_BRANCHES, 5);
	t->guard_us = NOW_US - 2 * SEC; /* not yet: so late may a busy loop be */
	r = result_of("audit", NULL);
	assert_true(json_is_true(at(r, "ok")));
	json_decref(r);
	t->guard_us = tw.now_us - 2 * SEC - 1;
	b->guard_us = tw.now_us - 2 * SEC - 1;
	r = result_of("audit", NULL);
	assert_int_equal(number(r, "transactions_overdue"), 2);
	assert_true(json_is_false(at(r, "ok")));
	assert_false(audit_row_ok(r, "transactions_overdue"));
	json_decref(r);
	t->guard_us = b->guard_us = 0;
	r = result_of("audit", NULL);
	assert_false(audit_row_ok(r, "deadlines"));
	assert_int_equal(number(row_named(at(r, "identities"), "deadlines"), "left"), 2);
	json_decref(r);
}

/* Drives an audit by hand while counters go on. lost: not counted on the right side. */
static json_t *moving_audit(bool lost)
{
	static const char line[] = "{\"jsonrpc\":\"2.0\",\"method\":\"audit\",\"id\":1}\n";
	uint32_t room;
	json_t *answer, *r;
	json_error_t e;
	struct str out;

	memcpy(rpc_room(&tw.rpc, &room), line, sizeof(line) - 1);
	rpc_fed(&tw.rpc, sizeof(line) - 1);
	for (int i = 0; i < 100000 && rpc_next_us(&tw.rpc) != UINT64_MAX; i++) {
		tw.now_us += 100;
		/* seen in the middle of a message: one side has counted it already */
		*counter_at(udp_rx) += 1;
		*counter_at(net_rx_udp) += 1;
		*counter_at(net_rx) += 1;
		(void)rpc_step(&tw.rpc, tw.now_us);
		*counter_at(udp_to_sip) += lost ? 0 : 1;
	}
	out = rpc_output(&tw.rpc);
	answer = json_loadb(out.s, out.len, 0, &e);
	rpc_sent(&tw.rpc, out.len);
	assert_non_null(answer);
	r = json_incref(at(answer, "result"));
	json_decref(answer);
	return r;
}

static void moving_audit_compares_ranges(void **state)
{
	json_t *r;

	consistent_world();
	r = moving_audit(false);
	assert_true(json_is_true(at(r, "moving")));
	assert_true(json_is_true(at(r, "ok")));
	json_decref(r);
	r = moving_audit(true);
	assert_true(json_is_true(at(r, "moving")));
	json_decref(r);
	r = moving_audit(true); /* what was lost before lies outside of the ranges now */
	assert_false(audit_row_ok(r, "udp"));
	assert_true(audit_row_ok(r, "net"));
	json_decref(r);
}

static void waiting_ring_record_makes_the_audit_moving(void **state)
{
	struct link_ring *up;
	json_t *r;

	consistent_world();
	up = link_up_ring(&tw.link, 0, 0);
	up->head = 1;
	*slot_word(1) = 1ull << 32 | SLOT_LENT;
	r = result_of("audit", NULL);
	assert_true(json_is_true(at(r, "moving")));
	assert_true(audit_row_ok(r, "slots_lent")); /* the record in the ring may name it */
	json_decref(r);
}

#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(held_pools_count_what_is_in_use),
		T(consistent_audit_holds),
		T(off_by_one_audit_names_the_identity),
		T(leaked_slot_and_block_fail_the_audit),
		T(late_transaction_and_branch_are_overdue),
		T(moving_audit_compares_ranges),
		T(waiting_ring_record_makes_the_audit_moving),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
