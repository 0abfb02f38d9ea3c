/* SPDX-License-Identifier: Apache-2.0 */
/* The INVITE server transaction, by state. RFC 3261 §17.2.1, RFC 6026 §7.1. */
#include "row.h"

/* Proceeding at 0 with a 180 sent at 100; Completed by a 486, Accepted by a 200, both at 200;
 * Confirmed by the ACK at 300. */
static bool bring(struct link_machine *m, enum link_machine_state state)
{
	if (state == MACHINE_CALLING || state == MACHINE_TRYING)
		return false;
	if (state == MACHINE_CONFIRMED && m->reliable)
		return false;
	if (state != MACHINE_IDLE) {
		(void)row_step(m, TXN_EV_START, 0, 0);
		(void)row_step(m, TXN_EV_REPLY, 180, 100);
	}
	if (state == MACHINE_ACCEPTED)
		(void)row_step(m, TXN_EV_REPLY, 200, 200);
	if (state == MACHINE_COMPLETED || state == MACHINE_CONFIRMED || state == MACHINE_TERMINATED)
		(void)row_step(m, TXN_EV_REPLY, 486, 200);
	if (state == MACHINE_CONFIRMED)
		(void)row_step(m, TXN_EV_ACK, 0, 300);
	if (state == MACHINE_TERMINATED)
		(void)row_step(m, TXN_EV_TIMER, 0, 32200);
	return true;
}

/* clang-format off */
static const struct row rows[] = {
	/* name, transport, from, event, status, at, act, to, retransmit, end, timer, last */
	ROW(idle_start_to_user, UDP, IDLE, START, 0, 0,
	    TO_USER, PROCEEDING, 0, 0, 0, 0),
	ROW(idle_start_reliable_to_user, TCP, IDLE, START, 0, 0,
	    TO_USER, PROCEEDING, 0, 0, 0, 0),

	ROW(proceeding_request_resends_provisional, UDP, PROCEEDING, REQUEST, 0, 300,
	    RESEND_REPLY, PROCEEDING, 0, 0, 0, 180),
	ROW(proceeding_reply_100_sent_and_kept, UDP, PROCEEDING, REPLY, 100, 300,
	    SEND_REPLY | KEEP_REPLY, PROCEEDING, 0, 0, 0, 100),
	ROW(proceeding_reply_199_sent_and_kept, TCP, PROCEEDING, REPLY, 199, 300,
	    SEND_REPLY | KEEP_REPLY, PROCEEDING, 0, 0, 0, 199),
	ROW(proceeding_reply_200_sent_not_kept_arms_l, UDP, PROCEEDING, REPLY, 200, 300,
	    SEND_REPLY, ACCEPTED, 0, 31300, 'L', 200),
	ROW(proceeding_reply_299_reliable_arms_l_too, TCP, PROCEEDING, REPLY, 299, 300,
	    SEND_REPLY, ACCEPTED, 0, 31300, 'L', 299),
	ROW(proceeding_reply_300_sent_and_kept_arms_g_and_h, UDP, PROCEEDING, REPLY, 300, 300,
	    SEND_REPLY | KEEP_REPLY, COMPLETED, 800, 32300, 'H', 300),
	ROW(proceeding_reply_408_is_sent_for_invite, UDP, PROCEEDING, REPLY, 408, 300,
	    SEND_REPLY | KEEP_REPLY, COMPLETED, 800, 32300, 'H', 408),
	ROW(proceeding_reply_699_reliable_arms_h_only, TCP, PROCEEDING, REPLY, 699, 300,
	    SEND_REPLY | KEEP_REPLY, COMPLETED, 0, 32300, 'H', 699),
	ROW(proceeding_send_failed_tells_user_and_stays, UDP, PROCEEDING, SEND_FAILED, 0, 300,
	    SEND_FAILED, PROCEEDING, 0, 0, 0, 180),
	ROW(proceeding_timer_after_an_hour_nothing, UDP, PROCEEDING, TIMER, 0, 3600000,
	    NOTHING, PROCEEDING, 0, 0, 0, 180),

	ROW(completed_request_resends_final, UDP, COMPLETED, REQUEST, 0, 300,
	    RESEND_REPLY, COMPLETED, 700, 32200, 'H', 486),
	ROW(completed_request_reliable_resends_final, TCP, COMPLETED, REQUEST, 0, 300,
	    RESEND_REPLY, COMPLETED, 0, 32200, 'H', 486),
	ROW(completed_ack_absorbed_arms_i, UDP, COMPLETED, ACK, 0, 300,
	    NOTHING, CONFIRMED, 0, 5300, 'I', 486),
	ROW(completed_ack_reliable_ends_at_once, TCP, COMPLETED, ACK, 0, 300,
	    ENDED, TERMINATED, 0, 0, 0, 486),
	ROW(completed_timer_g_resends_final_and_doubles, UDP, COMPLETED, TIMER, 0, 700,
	    RESEND_REPLY, COMPLETED, 1700, 32200, 'H', 486),
	ROW(completed_timer_h_before_due_g_times_out, UDP, COMPLETED, TIMER, 0, 32200,
	    TIMED_OUT | ENDED, TERMINATED, 0, 0, 0, 486),
	ROW(completed_timer_h_reliable_times_out, TCP, COMPLETED, TIMER, 0, 32200,
	    TIMED_OUT | ENDED, TERMINATED, 0, 0, 0, 486),
	ROW(completed_send_failed_tells_user_and_stays, UDP, COMPLETED, SEND_FAILED, 0, 300,
	    SEND_FAILED, COMPLETED, 700, 32200, 'H', 486),

	ROW(confirmed_ack_again_absorbed, UDP, CONFIRMED, ACK, 0, 400,
	    NOTHING, CONFIRMED, 0, 5300, 'I', 486),
	ROW(confirmed_timer_i_ends, UDP, CONFIRMED, TIMER, 0, 5300,
	    ENDED, TERMINATED, 0, 0, 0, 486),

	ROW(accepted_request_absorbed_without_answer, UDP, ACCEPTED, REQUEST, 0, 300,
	    NOTHING, ACCEPTED, 0, 31200, 'L', 200),
	ROW(accepted_ack_to_user, UDP, ACCEPTED, ACK, 0, 300,
	    TO_USER, ACCEPTED, 0, 31200, 'L', 200),
	ROW(accepted_reply_200_again_sent, UDP, ACCEPTED, REPLY, 200, 700,
	    SEND_REPLY, ACCEPTED, 0, 31200, 'L', 200),
	ROW(accepted_reply_202_of_other_branch_sent, TCP, ACCEPTED, REPLY, 202, 700,
	    SEND_REPLY, ACCEPTED, 0, 31200, 'L', 202),
	ROW(accepted_send_failed_tells_user_and_stays, UDP, ACCEPTED, SEND_FAILED, 0, 300,
	    SEND_FAILED, ACCEPTED, 0, 31200, 'L', 200),
	ROW(accepted_timer_l_ends_silently, UDP, ACCEPTED, TIMER, 0, 31200,
	    ENDED, TERMINATED, 0, 0, 0, 200),
	ROW(accepted_timer_l_reliable_ends_silently, TCP, ACCEPTED, TIMER, 0, 31200,
	    ENDED, TERMINATED, 0, 0, 0, 200),
};
/* clang-format on */

static const struct refusal refusals[] = {
	REFUSE(IDLE, REQUEST, 0),	    REFUSE(IDLE, ACK, 0),
	REFUSE(IDLE, REPLY, 200),	    REFUSE(IDLE, RESPONSE, 200),
	REFUSE(IDLE, SEND_FAILED, 0),	    REFUSE(PROCEEDING, START, 0),
	REFUSE(PROCEEDING, ACK, 0),	    REFUSE(PROCEEDING, RESPONSE, 200),
	REFUSE(PROCEEDING, REPLY, 0),	    REFUSE(PROCEEDING, REPLY, 99),
	REFUSE(PROCEEDING, REPLY, 700),	    REFUSE(COMPLETED, START, 0),
	REFUSE(COMPLETED, REPLY, 180),	    REFUSE(COMPLETED, REPLY, 200),
	REFUSE(COMPLETED, REPLY, 486),	    REFUSE(COMPLETED, RESPONSE, 200),
	REFUSE(CONFIRMED, START, 0),	    REFUSE(CONFIRMED, REQUEST, 0),
	REFUSE(CONFIRMED, REPLY, 180),	    REFUSE(CONFIRMED, REPLY, 200),
	REFUSE(CONFIRMED, REPLY, 486),	    REFUSE(CONFIRMED, RESPONSE, 200),
	REFUSE(CONFIRMED, SEND_FAILED, 0),  REFUSE(ACCEPTED, START, 0),
	REFUSE(ACCEPTED, REPLY, 180),	    REFUSE(ACCEPTED, REPLY, 486),
	REFUSE(ACCEPTED, RESPONSE, 200),    REFUSE(TERMINATED, START, 0),
	REFUSE(TERMINATED, REQUEST, 0),	    REFUSE(TERMINATED, ACK, 0),
	REFUSE(TERMINATED, REPLY, 200),	    REFUSE(TERMINATED, RESPONSE, 200),
	REFUSE(TERMINATED, SEND_FAILED, 0),
};

static void proceeding_request_before_any_reply_swallowed(void **state)
{
	struct link_machine m;

	txn_machine_init(&m, MACHINE_INVITE_SERVER, UDP);
	(void)row_step(&m, TXN_EV_START, 0, 0);
	assert_int_equal(row_step(&m, TXN_EV_REQUEST, 0, 50), NOTHING);
	assert_int_equal(m.state, MACHINE_PROCEEDING);
}

static void completed_without_ack_doubles_g_up_to_t2_then_times_out(void **state)
{
	static const uint32_t sent_ms[] = {500,	  1500,	 3500,	7500,  11500,
					   15500, 19500, 23500, 27500, 31500};
	struct link_machine m;

	txn_machine_init(&m, MACHINE_INVITE_SERVER, UDP);
	(void)row_step(&m, TXN_EV_START, 0, 0);
	(void)row_step(&m, TXN_EV_REPLY, 503, 0);
	for (size_t i = 0; i < sizeof(sent_ms) / sizeof(sent_ms[0]); i++) {
		assert_int_equal(txn_machine_next_us(&m), T0_US + sent_ms[i] * MS);
		assert_int_equal(row_step(&m, TXN_EV_TIMER, 0, sent_ms[i]), RESEND_REPLY);
	}
	assert_int_equal(txn_machine_next_us(&m), T0_US + 32000 * MS);
	assert_int_equal(row_step(&m, TXN_EV_TIMER, 0, 32000), TIMED_OUT | ENDED);
}

static void proceeding_reply_200_with_zero_hold_ends_at_once(void **state)
{
	struct txn_timers t = row_timers;
	struct link_machine m;
	struct txn_act act;

	t.hold_us = 0;
	txn_machine_init(&m, MACHINE_INVITE_SERVER, UDP);
	txn_machine_step(&m, &t, TXN_EV_START, 0, T0_US, &act);
	txn_machine_step(&m, &t, TXN_EV_REPLY, 200, T0_US, &act);
	assert_true(act.send_reply && act.terminated);
	assert_int_equal(m.state, MACHINE_TERMINATED);
	assert_int_equal(txn_machine_next_us(&m), UINT64_MAX);
}

int main(void)
{
	static const struct CMUnitTest more[] = {
		cmocka_unit_test(proceeding_request_before_any_reply_swallowed),
		cmocka_unit_test(completed_without_ack_doubles_g_up_to_t2_then_times_out),
		cmocka_unit_test(proceeding_reply_200_with_zero_hold_ends_at_once),
	};
	static const struct figure f = {
		.name = "invite server",
		.kind = MACHINE_INVITE_SERVER,
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
