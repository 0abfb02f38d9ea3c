/* SPDX-License-Identifier: Apache-2.0 */
/* CANCEL and timer C (RFC 3261 §9, §16.8, §16.10). */
#include "tests/sim/appliance/case.h"

#include <string.h>

static uint32_t call(struct app *a, int n)
{
	uint32_t from = a->n_sent;

	case_alice(a, "INVITE", BOB, n, "");
	return case_find(a, from, "INVITE sip:bob@10.0.0.3 SIP/2.0\r\n");
}

static struct app *start(void)
{
	struct app *a = case_start(NULL);

	case_bind_bob(a, "<sip:bob@10.0.0.3>", "");
	return a;
}

static void ringing_call_cancelled_ends_487(void **state)
{
	struct app *a = start();
	uint32_t i = call(a, 1), c;
	struct sip_msg invite, cancel;
	struct str x, y;

	(void)state;
	phone_answer(a, i, 180, "b", "");
	case_alice(a, "CANCEL", BOB, 1, "");
	assert_int_equal(a->n_sent, i + 4); /* 180, then 200 and CANCEL */
	assert_true(app_starts(a, i + 2, "SIP/2.0 200 OK\r\n"));
	assert_true(app_has(a, i + 2, "\r\nCSeq: 1 CANCEL\r\n"));
	c = case_find(a, i, "CANCEL sip:bob@10.0.0.3 SIP/2.0\r\n");
	x = app_parse(a, i, &invite);
	y = app_parse(a, c, &cancel);
	assert_true(
		str_eq(sip_span_str(x.s, invite.via_branch), sip_span_str(y.s, cancel.via_branch)));
	assert_int_equal(cancel.cseq, invite.cseq);
	assert_int_equal(cancel.to_tag.len, 0);
	phone_answer(a, c, 200, "b", "");
	assert_int_equal(a->n_sent, i + 4); /* its answer ends with us */
	phone_answer(a, i, 487, "b", "");
	assert_true(app_starts(a, i + 4, "ACK sip:bob@10.0.0.3 "));
	assert_true(app_starts(a, i + 5, "SIP/2.0 487 Request Terminated\r\n"));
	case_ack(a, BOB, 1, "b");
	case_counted(a, txn_acked, 1);
	case_alice(a, "CANCEL", BOB, 1, ""); /* again: the same answer, no second CANCEL */
	assert_int_equal(a->n_sent, i + 7);
	assert_string_equal(a->sent[i + 6].bytes, a->sent[i + 2].bytes);
	case_end(a);
}

static void silent_call_cancelled_waits_for_a_provisional(void **state)
{
	struct app *a = start();
	uint32_t i = call(a, 1);

	(void)state;
	case_alice(a, "CANCEL", BOB, 1, "");
	assert_int_equal(case_count(a, "SIP/2.0 200 OK"), 1);
	app_pass(a, 400000);
	assert_int_equal(case_count(a, "CANCEL "), 0); /* §9.1 */
	phone_answer(a, i, 100, "", "");
	assert_int_equal(case_count(a, "CANCEL "), 1);
	phone_answer(a, i, 180, "b", "");
	assert_int_equal(case_count(a, "CANCEL "), 1);
	phone_answer(a, i, 487, "b", "");
	assert_int_equal(case_count(a, "SIP/2.0 487 "), 1);
	case_end(a);
}

static void cancel_crossing_a_2xx_changes_nothing(void **state)
{
	struct app *a = start();
	uint32_t i = call(a, 1);

	(void)state;
	case_alice(a, "CANCEL", BOB, 1, "");
	phone_answer(a, i, 200, "b", "");
	assert_int_equal(case_count(a, "CANCEL "), 0);
	assert_int_equal(case_count(a, "SIP/2.0 200 OK"), 2);
	case_end(a);
}

static void answered_call_cancelled_is_200_and_no_more(void **state)
{
	struct app *a = start();
	uint32_t i = call(a, 1);

	(void)state;
	phone_answer(a, i, 180, "b", "");
	phone_answer(a, i, 200, "b", "");
	case_alice(a, "CANCEL", BOB, 1, "");
	assert_int_equal(case_count(a, "SIP/2.0 200 OK"), 2);
	assert_int_equal(case_count(a, "CANCEL "), 0);
	case_end(a);
}

static void unmatched_cancel_is_481_after_its_wait(void **state)
{
	struct app *a = start();

	(void)state;
	case_alice(a, "CANCEL", BOB, 1, "");
	app_pass(a, 100000);
	case_alice(a, "CANCEL", BOB, 1, ""); /* a retransmission does not start the wait anew */
	app_pass(a, 90000);
	assert_int_equal(a->n_sent, 0);
	app_pass(a, 20000);
	assert_int_equal(a->n_sent, 1);
	assert_true(app_starts(a, 0, "SIP/2.0 481 Call/Transaction Does Not Exist\r\n"));
	case_counted(a, proxy_cancel_unmatched, 1);
	case_alice(a, "CANCEL", BOB, 1, "");
	assert_int_equal(a->n_sent, 2);
	assert_string_equal(a->sent[0].bytes, a->sent[1].bytes);
	case_end(a);
}

static void cancel_that_overtakes_its_invite_is_carried_out(void **state)
{
	struct app *a = start();
	uint32_t i;

	(void)state;
	case_alice(a, "CANCEL", BOB, 1, "");
	app_pass(a, 50000);
	i = call(a, 1);
	phone_answer(a, i, 180, "b", "");
	app_pass(a, 200000);
	assert_int_equal(case_count(a, "SIP/2.0 481"), 0);
	assert_int_equal(case_count(a, "SIP/2.0 200 OK"), 1);
	assert_int_equal(case_count(a, "CANCEL sip:bob@10.0.0.3 "), 1);
	phone_answer(a, i, 487, "b", "");
	assert_int_equal(case_count(a, "SIP/2.0 487 "), 1);
	case_end(a);
}

static void cancelled_call_that_says_no_more_ends_408(void **state)
{
	struct app *a = start();
	uint32_t i = call(a, 1);

	(void)state;
	phone_answer(a, i, 180, "b", "");
	case_alice(a, "CANCEL", BOB, 1, "");
	app_pass(a, 31900000); /* §9.1: 64*T1 */
	assert_int_equal(case_count(a, "SIP/2.0 408"), 0);
	app_pass(a, 300000);
	assert_int_equal(case_count(a, "SIP/2.0 408"), 1);
	assert_int_equal(case_count(a, "CANCEL "), 11);
	case_end(a);
}

static void timer_c_cancels_what_rings_for_ever(void **state)
{
	struct app *a = start();
	uint32_t i = call(a, 1);

	(void)state;
	phone_answer(a, i, 180, "b", "");
	app_pass(a, 100000000);
	phone_answer(a, i, 180, "b", ""); /* §16.7 step 2: starts it anew */
	app_pass(a, 180000000);
	assert_int_equal(case_count(a, "CANCEL "), 0);
	app_pass(a, 1000000);
	assert_int_equal(case_count(a, "CANCEL "), 1);
	phone_answer(a, case_find(a, 0, "CANCEL "), 200, "b", "");
	phone_answer(a, i, 487, "b", "");
	assert_int_equal(case_count(a, "SIP/2.0 487 "), 1);
	case_end(a);
}

/* Timer K frees the CANCEL's record long before its INVITE's: an answer to it that comes after that
 * must not be taken for one to whoever has the record now. */
static void late_answer_to_a_cancel_meets_nobody_else(void **state)
{
	struct app *a = start();
	uint32_t i = call(a, 1), c, other, other_cancel, n;

	(void)state;
	phone_answer(a, i, 180, "b", "");
	case_alice(a, "CANCEL", BOB, 1, "");
	c = case_find(a, i, "CANCEL ");
	phone_answer(a, c, 200, "b", "");
	app_pass(a, 6000000);
	phone_answer(a, c, 200, "b", "");
	case_counted(a, txn_stray_response, 1);
	n = a->n_sent;
	other = call(a, 2); /* takes the lowest records: one of them was the CANCEL's */
	phone_answer(a, other, 180, "b", "");
	case_alice(a, "CANCEL", BOB, 2, "");
	other_cancel = case_find(a, n, "CANCEL ");
	phone_answer(a, c, 200, "b", "");
	case_counted(a, txn_stray_response, 2);
	app_pass(a, 600000);
	assert_true(case_count(a, "CANCEL ") >= 3); /* unanswered still: it goes on */
	phone_answer(a, other_cancel, 200, "b", "");
	phone_answer(a, other, 487, "b", "");
	phone_answer(a, i, 487, "b", "");
	assert_int_equal(case_count(a, "ACK "), 2);
	case_end(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ringing_call_cancelled_ends_487),
		cmocka_unit_test(silent_call_cancelled_waits_for_a_provisional),
		cmocka_unit_test(cancel_crossing_a_2xx_changes_nothing),
		cmocka_unit_test(answered_call_cancelled_is_200_and_no_more),
		cmocka_unit_test(unmatched_cancel_is_481_after_its_wait),
		cmocka_unit_test(cancel_that_overtakes_its_invite_is_carried_out),
		cmocka_unit_test(cancelled_call_that_says_no_more_ends_408),
		cmocka_unit_test(timer_c_cancels_what_rings_for_ever),
		cmocka_unit_test(late_answer_to_a_cancel_meets_nobody_else),
	};

	return cmocka_run_group_tests_name("sim/cancel", tests, NULL, NULL);
}
