/* SPDX-License-Identifier: Apache-2.0 */
/* The INVITE client transaction, by state. RFC 3261 §17.1.1, RFC 6026 §7.2. */
#include "row.h"

/* Calling at 0; Proceeding by a 180 at 100; Completed by a 486, Accepted by a 200, both at 200. */
static bool bring(struct link_machine *m, enum link_machine_state state)
{
	if (state == MACHINE_TRYING || state == MACHINE_CONFIRMED)
		return false;
	if (state == MACHINE_COMPLETED && m->reliable)
		return false;
	if (state != MACHINE_IDLE)
		(void)row_step(m, TXN_EV_START, 0, 0);
	if (state == MACHINE_PROCEEDING)
		(void)row_step(m, TXN_EV_RESPONSE, 180, 100);
	if (state == MACHINE_COMPLETED)
		(void)row_step(m, TXN_EV_RESPONSE, 486, 200);
	if (state == MACHINE_ACCEPTED)
		(void)row_step(m, TXN_EV_RESPONSE, 200, 200);
	if (state == MACHINE_TERMINATED)
		(void)row_step(m, TXN_EV_SEND_FAILED, 0, 200);
	return true;
}

/* clang-format off */
static const struct row rows[] = {
	/* name, transport, from, event, status, at, act, to, retransmit, end, timer, last */
	ROW(idle_start_sends_request_arms_a_and_b, UDP, IDLE, START, 0, 0,
	    SEND_REQUEST, CALLING, 500, 32000, 'B', 0),
	ROW(idle_start_reliable_arms_b_only, TCP, IDLE, START, 0, 0,
	    SEND_REQUEST, CALLING, 0, 32000, 'B', 0),

	ROW(calling_timer_a_sends_request_and_doubles, UDP, CALLING, TIMER, 0, 500,
	    SEND_REQUEST, CALLING, 1500, 32000, 'B', 0),
	ROW(calling_late_timer_a_sends_once_and_counts_from_now, UDP, CALLING, TIMER, 0, 1700,
	    SEND_REQUEST, CALLING, 2700, 32000, 'B', 0),
	ROW(calling_timer_b_before_due_a_times_out, UDP, CALLING, TIMER, 0, 32000,
	    TIMED_OUT | ENDED, TERMINATED, 0, 0, 0, 0),
	ROW(calling_timer_b_reliable_times_out, TCP, CALLING, TIMER, 0, 32000,
	    TIMED_OUT | ENDED, TERMINATED, 0, 0, 0, 0),
	ROW(calling_100_to_user_stops_a_and_b, UDP, CALLING, RESPONSE, 100, 100,
	    TO_USER, PROCEEDING, 0, 0, 0, 100),
	ROW(calling_199_reliable_to_user_stops_b, TCP, CALLING, RESPONSE, 199, 100,
	    TO_USER, PROCEEDING, 0, 0, 0, 199),
	ROW(calling_200_to_user_without_ack, UDP, CALLING, RESPONSE, 200, 100,
	    TO_USER, ACCEPTED, 0, 31100, 'M', 200),
	ROW(calling_299_reliable_arms_m_too, TCP, CALLING, RESPONSE, 299, 100,
	    TO_USER, ACCEPTED, 0, 31100, 'M', 299),
	ROW(calling_300_ack_and_to_user, UDP, CALLING, RESPONSE, 300, 100,
	    SEND_ACK | TO_USER, COMPLETED, 0, 33100, 'D', 300),
	ROW(calling_699_ack_and_to_user, UDP, CALLING, RESPONSE, 699, 100,
	    SEND_ACK | TO_USER, COMPLETED, 0, 33100, 'D', 699),
	ROW(calling_486_reliable_ends_at_once, TCP, CALLING, RESPONSE, 486, 100,
	    SEND_ACK | TO_USER | ENDED, TERMINATED, 0, 0, 0, 486),
	ROW(calling_send_failed_tells_user_and_ends, UDP, CALLING, SEND_FAILED, 0, 100,
	    SEND_FAILED | ENDED, TERMINATED, 0, 0, 0, 0),
	ROW(calling_send_failed_reliable_tells_user_and_ends, TCP, CALLING, SEND_FAILED, 0, 100,
	    SEND_FAILED | ENDED, TERMINATED, 0, 0, 0, 0),

	ROW(proceeding_183_to_user, UDP, PROCEEDING, RESPONSE, 183, 300,
	    TO_USER, PROCEEDING, 0, 0, 0, 183),
	ROW(proceeding_timer_after_b_nothing, UDP, PROCEEDING, TIMER, 0, 32000,
	    NOTHING, PROCEEDING, 0, 0, 0, 180),
	ROW(proceeding_200_to_user_arms_m, UDP, PROCEEDING, RESPONSE, 200, 300,
	    TO_USER, ACCEPTED, 0, 31300, 'M', 200),
	ROW(proceeding_200_reliable_arms_m_too, TCP, PROCEEDING, RESPONSE, 200, 300,
	    TO_USER, ACCEPTED, 0, 31300, 'M', 200),
	ROW(proceeding_603_ack_and_to_user, UDP, PROCEEDING, RESPONSE, 603, 300,
	    SEND_ACK | TO_USER, COMPLETED, 0, 33300, 'D', 603),
	ROW(proceeding_302_reliable_ends_at_once, TCP, PROCEEDING, RESPONSE, 302, 300,
	    SEND_ACK | TO_USER | ENDED, TERMINATED, 0, 0, 0, 302),

	ROW(completed_486_again_acks_again, UDP, COMPLETED, RESPONSE, 486, 1000,
	    SEND_ACK, COMPLETED, 0, 33200, 'D', 486),
	ROW(completed_other_final_acks_and_remembers_first, UDP, COMPLETED, RESPONSE, 500, 1000,
	    SEND_ACK, COMPLETED, 0, 33200, 'D', 486),
	ROW(completed_timer_d_ends, UDP, COMPLETED, TIMER, 0, 33200,
	    ENDED, TERMINATED, 0, 0, 0, 486),
	ROW(completed_send_failed_tells_user_and_ends, UDP, COMPLETED, SEND_FAILED, 0, 300,
	    SEND_FAILED | ENDED, TERMINATED, 0, 0, 0, 486),

	ROW(accepted_200_again_to_user, UDP, ACCEPTED, RESPONSE, 200, 1000,
	    TO_USER, ACCEPTED, 0, 31200, 'M', 200),
	ROW(accepted_202_of_other_branch_to_user, TCP, ACCEPTED, RESPONSE, 202, 1000,
	    TO_USER, ACCEPTED, 0, 31200, 'M', 202),
	ROW(accepted_timer_m_ends, UDP, ACCEPTED, TIMER, 0, 31200,
	    ENDED, TERMINATED, 0, 0, 0, 200),
	ROW(accepted_timer_m_reliable_ends, TCP, ACCEPTED, TIMER, 0, 31200,
	    ENDED, TERMINATED, 0, 0, 0, 200),
};
/* clang-format on */

static const struct refusal refusals[] = {
	REFUSE(IDLE, REQUEST, 0),	    REFUSE(IDLE, ACK, 0),
	REFUSE(IDLE, REPLY, 200),	    REFUSE(IDLE, RESPONSE, 200),
	REFUSE(IDLE, SEND_FAILED, 0),	    REFUSE(CALLING, START, 0),
	REFUSE(CALLING, REQUEST, 0),	    REFUSE(CALLING, ACK, 0),
	REFUSE(CALLING, REPLY, 200),	    REFUSE(CALLING, RESPONSE, 0),
	REFUSE(CALLING, RESPONSE, 99),	    REFUSE(CALLING, RESPONSE, 700),
	REFUSE(PROCEEDING, START, 0),	    REFUSE(PROCEEDING, REQUEST, 0),
	REFUSE(PROCEEDING, ACK, 0),	    REFUSE(PROCEEDING, REPLY, 486),
	REFUSE(PROCEEDING, RESPONSE, 99),   REFUSE(PROCEEDING, RESPONSE, 65636),
	REFUSE(PROCEEDING, SEND_FAILED, 0), REFUSE(COMPLETED, START, 0),
	REFUSE(COMPLETED, REQUEST, 0),	    REFUSE(COMPLETED, ACK, 0),
	REFUSE(COMPLETED, REPLY, 486),	    REFUSE(COMPLETED, RESPONSE, 180),
	REFUSE(COMPLETED, RESPONSE, 200),   REFUSE(COMPLETED, RESPONSE, 700),
	REFUSE(ACCEPTED, START, 0),	    REFUSE(ACCEPTED, REQUEST, 0),
	REFUSE(ACCEPTED, ACK, 0),	    REFUSE(ACCEPTED, REPLY, 200),
	REFUSE(ACCEPTED, RESPONSE, 180),    REFUSE(ACCEPTED, RESPONSE, 486),
	REFUSE(ACCEPTED, SEND_FAILED, 0),   REFUSE(TERMINATED, START, 0),
	REFUSE(TERMINATED, REQUEST, 0),	    REFUSE(TERMINATED, ACK, 0),
	REFUSE(TERMINATED, REPLY, 200),	    REFUSE(TERMINATED, RESPONSE, 200),
	REFUSE(TERMINATED, SEND_FAILED, 0),
};

static void calling_silence_sends_seven_requests_then_times_out(void **state)
{
	static const uint32_t sent_ms[] = {500, 1500, 3500, 7500, 15500, 31500};
	struct link_machine m;

	txn_machine_init(&m, MACHINE_INVITE_CLIENT, UDP);
	(void)row_step(&m, TXN_EV_START, 0, 0);
	for (size_t i = 0; i < sizeof(sent_ms) / sizeof(sent_ms[0]); i++) {
		assert_int_equal(txn_machine_next_us(&m), T0_US + sent_ms[i] * MS);
		assert_int_equal(row_step(&m, TXN_EV_TIMER, 0, sent_ms[i]), SEND_REQUEST);
	}
	assert_int_equal(txn_machine_next_us(&m), T0_US + 32000 * MS);
	assert_int_equal(row_step(&m, TXN_EV_TIMER, 0, 32000), TIMED_OUT | ENDED);
	assert_int_equal(txn_machine_next_us(&m), UINT64_MAX);
}

static void calling_timer_a_for_hours_stops_growing_at_32_bits(void **state)
{
	struct txn_timers t = row_timers;
	struct link_machine m;
	struct txn_act act;
	uint64_t now_us = T0_US, last_us = 0;

	t.timer_b_us = 1000ULL * 3600 * 1000 * MS;
	txn_machine_init(&m, MACHINE_INVITE_CLIENT, UDP);
	txn_machine_step(&m, &t, TXN_EV_START, 0, now_us, &act);
	for (int i = 0; i < 40; i++) {
		uint64_t interval_us = m.retransmit_us - now_us;

		assert_true(interval_us > last_us || interval_us == UINT32_MAX);
		last_us = interval_us;
		now_us = m.retransmit_us;
		txn_machine_step(&m, &t, TXN_EV_TIMER, 0, now_us, &act);
		assert_true(act.send_request);
	}
	assert_int_equal(last_us, UINT32_MAX);
}

static void calling_486_with_zero_d_ends_at_once(void **state)
{
	struct txn_timers t = row_timers;
	struct link_machine m;
	struct txn_act act;

	t.timer_d_us = 0;
	txn_machine_init(&m, MACHINE_INVITE_CLIENT, UDP);
	txn_machine_step(&m, &t, TXN_EV_START, 0, T0_US, &act);
	txn_machine_step(&m, &t, TXN_EV_RESPONSE, 486, T0_US, &act);
	assert_true(act.send_ack && act.to_user && act.terminated);
	assert_int_equal(m.state, MACHINE_TERMINATED);
}

static void idle_start_at_time_zero_with_zero_b_is_armed_and_times_out(void **state)
{
	struct txn_timers t = row_timers;
	struct link_machine m;
	struct txn_act act;

	t.timer_b_us = 0;
	txn_machine_init(&m, MACHINE_INVITE_CLIENT, TCP);
	txn_machine_step(&m, &t, TXN_EV_START, 0, 0, &act);
	assert_int_equal(m.state, MACHINE_CALLING);
	assert_int_equal(txn_machine_next_us(&m), 1);
	txn_machine_step(&m, &t, TXN_EV_TIMER, 0, 1, &act);
	assert_true(act.timed_out && act.terminated);
}

int main(void)
{
	static const struct CMUnitTest more[] = {
		cmocka_unit_test(calling_silence_sends_seven_requests_then_times_out),
		cmocka_unit_test(calling_timer_a_for_hours_stops_growing_at_32_bits),
		cmocka_unit_test(calling_486_with_zero_d_ends_at_once),
		cmocka_unit_test(idle_start_at_time_zero_with_zero_b_is_armed_and_times_out),
	};
	static const struct figure f = {
		.name = "invite client",
		.kind = MACHINE_INVITE_CLIENT,
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
