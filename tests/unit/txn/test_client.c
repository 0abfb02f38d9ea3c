/* SPDX-License-Identifier: Apache-2.0 */
/* The non-INVITE client transaction, by state. RFC 3261 §17.1.2. */
#include "row.h"

/* Trying at 0; Proceeding by a 100 at 100; Completed by a 200 at 200. */
static bool bring(struct link_machine *m, enum link_machine_state state)
{
	if (state == MACHINE_CALLING || state == MACHINE_CONFIRMED || state == MACHINE_ACCEPTED)
		return false;
	if (state == MACHINE_COMPLETED && m->reliable)
		return false;
	if (state != MACHINE_IDLE)
		(void)row_step(m, TXN_EV_START, 0, 0);
	if (state == MACHINE_PROCEEDING)
		(void)row_step(m, TXN_EV_RESPONSE, 100, 100);
	if (state == MACHINE_COMPLETED)
		(void)row_step(m, TXN_EV_RESPONSE, 200, 200);
	if (state == MACHINE_TERMINATED)
		(void)row_step(m, TXN_EV_SEND_FAILED, 0, 200);
	return true;
}

/* clang-format off */
static const struct row rows[] = {
	/* name, transport, from, event, status, at, act, to, retransmit, end, timer, last */
	ROW(idle_start_sends_request_arms_e_and_f, UDP, IDLE, START, 0, 0,
	    SEND_REQUEST, TRYING, 500, 32000, 'F', 0),
	ROW(idle_start_reliable_arms_f_only, TCP, IDLE, START, 0, 0,
	    SEND_REQUEST, TRYING, 0, 32000, 'F', 0),

	ROW(trying_timer_e_sends_request_and_doubles, UDP, TRYING, TIMER, 0, 500,
	    SEND_REQUEST, TRYING, 1500, 32000, 'F', 0),
	ROW(trying_timer_f_before_due_e_times_out, UDP, TRYING, TIMER, 0, 32000,
	    TIMED_OUT | ENDED, TERMINATED, 0, 0, 0, 0),
	ROW(trying_timer_f_reliable_times_out, TCP, TRYING, TIMER, 0, 32000,
	    TIMED_OUT | ENDED, TERMINATED, 0, 0, 0, 0),
	ROW(trying_100_to_user_e_and_f_run_on, UDP, TRYING, RESPONSE, 100, 100,
	    TO_USER, PROCEEDING, 500, 32000, 'F', 100),
	ROW(trying_183_reliable_to_user_f_runs_on, TCP, TRYING, RESPONSE, 183, 100,
	    TO_USER, PROCEEDING, 0, 32000, 'F', 183),
	ROW(trying_200_to_user_arms_k, UDP, TRYING, RESPONSE, 200, 100,
	    TO_USER, COMPLETED, 0, 5100, 'K', 200),
	ROW(trying_404_to_user_arms_k, UDP, TRYING, RESPONSE, 404, 100,
	    TO_USER, COMPLETED, 0, 5100, 'K', 404),
	ROW(trying_200_reliable_ends_at_once, TCP, TRYING, RESPONSE, 200, 100,
	    TO_USER | ENDED, TERMINATED, 0, 0, 0, 200),
	ROW(trying_send_failed_tells_user_and_ends, UDP, TRYING, SEND_FAILED, 0, 100,
	    SEND_FAILED | ENDED, TERMINATED, 0, 0, 0, 0),

	ROW(proceeding_first_timer_e_goes_to_t2, UDP, PROCEEDING, TIMER, 0, 500,
	    SEND_REQUEST, PROCEEDING, 4500, 32000, 'F', 100),
	ROW(proceeding_timer_f_times_out, UDP, PROCEEDING, TIMER, 0, 32000,
	    TIMED_OUT | ENDED, TERMINATED, 0, 0, 0, 100),
	ROW(proceeding_timer_f_reliable_times_out, TCP, PROCEEDING, TIMER, 0, 32000,
	    TIMED_OUT | ENDED, TERMINATED, 0, 0, 0, 100),
	ROW(proceeding_100_again_to_user_timers_untouched, UDP, PROCEEDING, RESPONSE, 100, 300,
	    TO_USER, PROCEEDING, 500, 32000, 'F', 100),
	ROW(proceeding_202_to_user_arms_k, UDP, PROCEEDING, RESPONSE, 202, 300,
	    TO_USER, COMPLETED, 0, 5300, 'K', 202),
	ROW(proceeding_699_to_user_arms_k, UDP, PROCEEDING, RESPONSE, 699, 300,
	    TO_USER, COMPLETED, 0, 5300, 'K', 699),
	ROW(proceeding_500_reliable_ends_at_once, TCP, PROCEEDING, RESPONSE, 500, 300,
	    TO_USER | ENDED, TERMINATED, 0, 0, 0, 500),
	ROW(proceeding_send_failed_tells_user_and_ends, UDP, PROCEEDING, SEND_FAILED, 0, 300,
	    SEND_FAILED | ENDED, TERMINATED, 0, 0, 0, 100),

	ROW(completed_200_again_swallowed, UDP, COMPLETED, RESPONSE, 200, 1000,
	    NOTHING, COMPLETED, 0, 5200, 'K', 200),
	ROW(completed_other_final_swallowed, UDP, COMPLETED, RESPONSE, 500, 1000,
	    NOTHING, COMPLETED, 0, 5200, 'K', 200),
	ROW(completed_timer_k_ends, UDP, COMPLETED, TIMER, 0, 5200,
	    ENDED, TERMINATED, 0, 0, 0, 200),
};
/* clang-format on */

static const struct refusal refusals[] = {
	REFUSE(IDLE, REQUEST, 0),	    REFUSE(IDLE, ACK, 0),
	REFUSE(IDLE, REPLY, 200),	    REFUSE(IDLE, RESPONSE, 200),
	REFUSE(IDLE, SEND_FAILED, 0),	    REFUSE(TRYING, START, 0),
	REFUSE(TRYING, REQUEST, 0),	    REFUSE(TRYING, ACK, 0),
	REFUSE(TRYING, REPLY, 200),	    REFUSE(TRYING, RESPONSE, 0),
	REFUSE(TRYING, RESPONSE, 99),	    REFUSE(TRYING, RESPONSE, 700),
	REFUSE(PROCEEDING, START, 0),	    REFUSE(PROCEEDING, REQUEST, 0),
	REFUSE(PROCEEDING, ACK, 0),	    REFUSE(PROCEEDING, REPLY, 200),
	REFUSE(PROCEEDING, RESPONSE, 99),   REFUSE(COMPLETED, START, 0),
	REFUSE(COMPLETED, REQUEST, 0),	    REFUSE(COMPLETED, ACK, 0),
	REFUSE(COMPLETED, REPLY, 200),	    REFUSE(COMPLETED, RESPONSE, 100),
	REFUSE(COMPLETED, SEND_FAILED, 0),  REFUSE(TERMINATED, START, 0),
	REFUSE(TERMINATED, REQUEST, 0),	    REFUSE(TERMINATED, ACK, 0),
	REFUSE(TERMINATED, REPLY, 200),	    REFUSE(TERMINATED, RESPONSE, 200),
	REFUSE(TERMINATED, SEND_FAILED, 0),
};

static void silence_after(unsigned provisional, const uint32_t *sent_ms, size_t n)
{
	struct link_machine m;

	txn_machine_init(&m, MACHINE_CLIENT, UDP);
	(void)row_step(&m, TXN_EV_START, 0, 0);
	if (provisional)
		(void)row_step(&m, TXN_EV_RESPONSE, provisional, 100);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(txn_machine_next_us(&m), T0_US + sent_ms[i] * MS);
		assert_int_equal(row_step(&m, TXN_EV_TIMER, 0, sent_ms[i]), SEND_REQUEST);
	}
	assert_int_equal(txn_machine_next_us(&m), T0_US + 32000 * MS);
	assert_int_equal(row_step(&m, TXN_EV_TIMER, 0, 32000), TIMED_OUT | ENDED);
}

static void trying_silence_doubles_e_up_to_t2_then_times_out(void **state)
{
	static const uint32_t sent_ms[] = {500,	  1500,	 3500,	7500,  11500,
					   15500, 19500, 23500, 27500, 31500};

	silence_after(0, sent_ms, sizeof(sent_ms) / sizeof(sent_ms[0]));
}

static void proceeding_silence_repeats_every_t2_then_times_out(void **state)
{
	static const uint32_t sent_ms[] = {500, 4500, 8500, 12500, 16500, 20500, 24500, 28500};

	/* The ninth would fall on 32.5 s, after F. */
	silence_after(100, sent_ms, sizeof(sent_ms) / sizeof(sent_ms[0]));
}

int main(void)
{
	static const struct CMUnitTest more[] = {
		cmocka_unit_test(trying_silence_doubles_e_up_to_t2_then_times_out),
		cmocka_unit_test(proceeding_silence_repeats_every_t2_then_times_out),
	};
	static const struct figure f = {
		.name = "client",
		.kind = MACHINE_CLIENT,
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
