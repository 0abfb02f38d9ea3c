/* SPDX-License-Identifier: Apache-2.0 */
/* The non-INVITE server transaction, by state. RFC 3261 §17.2.2, RFC 4320 §4. With T1 500 ms and T2
 * 4 s, the client's timer E reaches T2 3.5 s after the first sending. */
#include "row.h"

/* Trying at 0; Proceeding by the 100 that is due at 3500; Completed by a 200 at 200. */
static bool bring(struct link_machine *m, enum link_machine_state state)
{
	if (state == MACHINE_CALLING || state == MACHINE_CONFIRMED || state == MACHINE_ACCEPTED)
		return false;
	if (state == MACHINE_COMPLETED && m->reliable)
		return false;
	if (state != MACHINE_IDLE)
		(void)row_step(m, TXN_EV_START, 0, 0);
	if (state == MACHINE_PROCEEDING || state == MACHINE_TERMINATED)
		(void)row_step(m, TXN_EV_TIMER, 0, 3500);
	if (state == MACHINE_COMPLETED)
		(void)row_step(m, TXN_EV_REPLY, 200, 200);
	if (state == MACHINE_TERMINATED)
		(void)row_step(m, TXN_EV_SEND_FAILED, 0, 3600);
	return true;
}

/* clang-format off */
static const struct row rows[] = {
	/* name, transport, from, event, status, at, act, to, retransmit, end, timer, last */
	ROW(idle_start_to_user_arms_the_100, UDP, IDLE, START, 0, 0,
	    TO_USER, TRYING, 3500, 0, 0, 0),
	ROW(idle_start_reliable_arms_the_100_too, TCP, IDLE, START, 0, 0,
	    TO_USER, TRYING, 3500, 0, 0, 0),

	ROW(trying_request_discarded, UDP, TRYING, REQUEST, 0, 500,
	    NOTHING, TRYING, 3500, 0, 0, 0),
	ROW(trying_timer_when_e_reaches_t2_sends_100, UDP, TRYING, TIMER, 0, 3500,
	    SEND_TRYING | KEEP_REPLY, PROCEEDING, 0, 0, 0, 100),
	ROW(trying_timer_when_e_reaches_t2_reliable_sends_100, TCP, TRYING, TIMER, 0, 3500,
	    SEND_TRYING | KEEP_REPLY, PROCEEDING, 0, 0, 0, 100),
	ROW(trying_reply_100_when_e_reaches_t2_sent_and_kept, UDP, TRYING, REPLY, 100, 3500,
	    SEND_REPLY | KEEP_REPLY, PROCEEDING, 0, 0, 0, 100),
	ROW(trying_reply_100_before_e_reaches_t2_refused, UDP, TRYING, REPLY, 100, 3499,
	    REFUSED, TRYING, 3500, 0, 0, 0),
	ROW(trying_reply_100_reliable_sent_at_any_time, TCP, TRYING, REPLY, 100, 1,
	    SEND_REPLY | KEEP_REPLY, PROCEEDING, 0, 0, 0, 100),
	ROW(trying_reply_180_refused, TCP, TRYING, REPLY, 180, 3600,
	    REFUSED, TRYING, 3500, 0, 0, 0),
	ROW(trying_reply_200_sent_and_kept_arms_j, UDP, TRYING, REPLY, 200, 100,
	    SEND_REPLY | KEEP_REPLY, COMPLETED, 0, 31100, 'J', 200),
	ROW(trying_reply_699_sent_and_kept_arms_j, UDP, TRYING, REPLY, 699, 100,
	    SEND_REPLY | KEEP_REPLY, COMPLETED, 0, 31100, 'J', 699),
	ROW(trying_reply_200_reliable_sent_and_ends, TCP, TRYING, REPLY, 200, 100,
	    SEND_REPLY | ENDED, TERMINATED, 0, 0, 0, 200),
	ROW(trying_reply_408_unsent_arms_j, UDP, TRYING, REPLY, 408, 100,
	    NOTHING, COMPLETED, 0, 31100, 'J', 0),
	ROW(trying_reply_408_reliable_unsent_and_ends, TCP, TRYING, REPLY, 408, 100,
	    ENDED, TERMINATED, 0, 0, 0, 0),

	ROW(proceeding_request_resends_100, UDP, PROCEEDING, REQUEST, 0, 3600,
	    RESEND_REPLY, PROCEEDING, 0, 0, 0, 100),
	ROW(proceeding_reply_100_sent_and_kept, UDP, PROCEEDING, REPLY, 100, 3600,
	    SEND_REPLY | KEEP_REPLY, PROCEEDING, 0, 0, 0, 100),
	ROW(proceeding_reply_404_sent_and_kept_arms_j, UDP, PROCEEDING, REPLY, 404, 4000,
	    SEND_REPLY | KEEP_REPLY, COMPLETED, 0, 35000, 'J', 404),
	ROW(proceeding_reply_200_reliable_sent_and_ends, TCP, PROCEEDING, REPLY, 200, 4000,
	    SEND_REPLY | ENDED, TERMINATED, 0, 0, 0, 200),
	ROW(proceeding_reply_408_unsent_arms_j, UDP, PROCEEDING, REPLY, 408, 4000,
	    NOTHING, COMPLETED, 0, 35000, 'J', 100),
	ROW(proceeding_timer_after_an_hour_nothing, UDP, PROCEEDING, TIMER, 0, 3600000,
	    NOTHING, PROCEEDING, 0, 0, 0, 100),
	ROW(proceeding_send_failed_tells_user_and_ends, UDP, PROCEEDING, SEND_FAILED, 0, 3600,
	    SEND_FAILED | ENDED, TERMINATED, 0, 0, 0, 100),

	ROW(completed_request_resends_final, UDP, COMPLETED, REQUEST, 0, 500,
	    RESEND_REPLY, COMPLETED, 0, 31200, 'J', 200),
	ROW(completed_timer_j_ends, UDP, COMPLETED, TIMER, 0, 31200,
	    ENDED, TERMINATED, 0, 0, 0, 200),
	ROW(completed_send_failed_tells_user_and_ends, UDP, COMPLETED, SEND_FAILED, 0, 300,
	    SEND_FAILED | ENDED, TERMINATED, 0, 0, 0, 200),
};
/* clang-format on */

static const struct refusal refusals[] = {
	REFUSE(IDLE, REQUEST, 0),
	REFUSE(IDLE, ACK, 0),
	REFUSE(IDLE, REPLY, 200),
	REFUSE(IDLE, RESPONSE, 200),
	REFUSE(IDLE, SEND_FAILED, 0),
	REFUSE(TRYING, START, 0),
	REFUSE(TRYING, ACK, 0),
	REFUSE(TRYING, REPLY, 0),
	REFUSE(TRYING, REPLY, 99),
	REFUSE(TRYING, REPLY, 101),
	REFUSE(TRYING, REPLY, 199),
	REFUSE(TRYING, REPLY, 700),
	REFUSE(TRYING, RESPONSE, 200),
	REFUSE(TRYING, SEND_FAILED, 0),
	REFUSE(PROCEEDING, START, 0),
	REFUSE(PROCEEDING, ACK, 0),
	REFUSE(PROCEEDING, REPLY, 101),
	REFUSE(PROCEEDING, REPLY, 183),
	REFUSE(PROCEEDING, REPLY, 700),
	REFUSE(PROCEEDING, RESPONSE, 200),
	REFUSE(COMPLETED, START, 0),
	REFUSE(COMPLETED, ACK, 0),
	REFUSE(COMPLETED, REPLY, 100),
	REFUSE(COMPLETED, REPLY, 200),
	REFUSE(COMPLETED, REPLY, 408),
	REFUSE(COMPLETED, RESPONSE, 200),
	REFUSE(TERMINATED, START, 0),
	REFUSE(TERMINATED, REQUEST, 0),
	REFUSE(TERMINATED, ACK, 0),
	REFUSE(TERMINATED, REPLY, 200),
	REFUSE(TERMINATED, RESPONSE, 200),
	REFUSE(TERMINATED, SEND_FAILED, 0),
};

static void completed_by_408_request_swallowed(void **state)
{
	struct link_machine m;

	txn_machine_init(&m, MACHINE_SERVER, UDP);
	(void)row_step(&m, TXN_EV_START, 0, 0);
	(void)row_step(&m, TXN_EV_REPLY, 408, 100);
	assert_int_equal(row_step(&m, TXN_EV_REQUEST, 0, 500), NOTHING);

	txn_machine_init(&m, MACHINE_SERVER, UDP);
	(void)row_step(&m, TXN_EV_START, 0, 0);
	(void)row_step(&m, TXN_EV_TIMER, 0, 3500);
	(void)row_step(&m, TXN_EV_REPLY, 408, 32000);
	assert_int_equal(row_step(&m, TXN_EV_REQUEST, 0, 32100), NOTHING);
	assert_int_equal(row_step(&m, TXN_EV_TIMER, 0, 63000), ENDED);
}

static void trying_reply_200_with_zero_hold_ends_at_once(void **state)
{
	struct txn_timers t = row_timers;
	struct link_machine m;
	struct txn_act act;

	t.hold_us = 0;
	txn_machine_init(&m, MACHINE_SERVER, UDP);
	txn_machine_step(&m, &t, TXN_EV_START, 0, T0_US, &act);
	txn_machine_step(&m, &t, TXN_EV_REPLY, 200, T0_US, &act);
	assert_true(act.send_reply && act.terminated);
	assert_false(act.keep_reply);
}

static void trying_the_100_follows_t1_and_t2(void **state)
{
	static const struct {
		uint64_t t1_ms, t2_ms, due_ms;
	} rows_100[] = {
		{500, 4000, 3500}, {100, 4000, 6300},  {500, 500, 0},
		{500, 501, 500},   {1000, 8000, 7000},
	};

	for (size_t i = 0; i < sizeof(rows_100) / sizeof(rows_100[0]); i++) {
		struct txn_timers t = row_timers;
		struct link_machine m;
		struct txn_act act;

		t.t1_us = rows_100[i].t1_ms * MS;
		t.t2_us = rows_100[i].t2_ms * MS;
		txn_machine_init(&m, MACHINE_SERVER, UDP);
		txn_machine_step(&m, &t, TXN_EV_START, 0, T0_US, &act);
		assert_int_equal(txn_machine_next_us(&m), T0_US + rows_100[i].due_ms * MS);
	}
}

int main(void)
{
	static const struct CMUnitTest more[] = {
		cmocka_unit_test(completed_by_408_request_swallowed),
		cmocka_unit_test(trying_reply_200_with_zero_hold_ends_at_once),
		cmocka_unit_test(trying_the_100_follows_t1_and_t2),
	};
	static const struct figure f = {
		.name = "server",
		.kind = MACHINE_SERVER,
		.bring = bring,
		.rows = rows,
		.n_rows = sizeof(rows) / sizeof(rows[0]),
		.refusals = refusals,
		.n_refusals = sizeof(refusals) / sizeof(refusals[0]),
		.more = more,
		.n_more = sizeof(more) / sizeof(more[0]),
	};

	return figure_run(&f);
}
