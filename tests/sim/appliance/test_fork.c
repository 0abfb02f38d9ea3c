/* SPDX-License-Identifier: Apache-2.0 */
/* One request to several contacts (RFC 3261 §16.6, §16.7): which answer goes up, who is cancelled, and
 * answers that come when nothing is left of the call. */
#include "tests/sim/appliance/case.h"

#include <stdio.h>
#include <string.h>

/* Alice's request to Bob's three phones, 10.0.0.3 to 10.0.0.5: at[k] is the datagram for phone k. */
static struct app *fork3(const char *method, uint32_t at[3])
{
	struct app *a = case_start(NULL);
	char line[64];

	case_bind_bob(a, "<sip:bob@10.0.0.3>, <sip:bob@10.0.0.4>, <sip:bob@10.0.0.5>", "");
	case_alice(a, method, BOB, 1, "");
	for (int k = 0; k < 3; k++) {
		(void)snprintf(line, sizeof(line), "%s sip:bob@10.0.0.%d ", method, 3 + k);
		at[k] = case_find(a, 0, line);
	}
	assert_int_equal(case_count(a, method), 3);
	return a;
}

static void branches_differ(void **state)
{
	struct sip_msg m[3];
	struct str s[3];
	uint32_t at[3];
	struct app *a = fork3("INVITE", at);

	(void)state;
	for (int k = 0; k < 3; k++)
		s[k] = app_parse(a, at[k], &m[k]);
	for (int k = 0; k < 3; k++)
		assert_false(str_eq(sip_span_str(s[k].s, m[k].via_branch),
				    sip_span_str(s[(k + 1) % 3].s, m[(k + 1) % 3].via_branch)));
	case_end(a);
}

static void first_2xx_cancels_the_others(void **state)
{
	uint32_t at[3], n;
	struct app *a = fork3("INVITE", at);

	(void)state;
	phone_answer(a, at[0], 180, "b0", "");
	phone_answer(a, at[1], 180, "b1", "");
	assert_int_equal(case_count(a, "SIP/2.0 180 "), 2); /* each its own early dialog */
	n = a->n_sent;
	phone_answer(a, at[1], 200, "b1", "");
	assert_int_equal(a->n_sent, n + 2);
	(void)case_find(a, n, "CANCEL sip:bob@10.0.0.3 ");
	(void)case_find(a, n, "SIP/2.0 200 OK");
	/* phone 3 had said nothing: it is cancelled as soon as it does */
	n = a->n_sent;
	phone_answer(a, at[2], 180, "b2", "");
	(void)case_find(a, n, "CANCEL sip:bob@10.0.0.5 ");
	n = a->n_sent;
	phone_answer(a, at[0], 487, "b0", "");
	phone_answer(a, at[2], 487, "b2", "");
	assert_int_equal(a->n_sent, n + 2); /* ACKs, nothing upstream */
	assert_int_equal(case_count(a, "ACK sip:bob@10.0.0.3 "), 1);
	assert_int_equal(case_count(a, "ACK sip:bob@10.0.0.5 "), 1);
	case_end(a);
}

static void two_2xx_both_go_up(void **state)
{
	uint32_t at[3];
	struct app *a = fork3("INVITE", at);

	(void)state;
	phone_answer(a, at[0], 200, "b0", "");
	phone_answer(a, at[2], 200, "b2", "");
	assert_int_equal(case_count(a, "SIP/2.0 200 OK"), 2);
	assert_true(app_has(a, a->n_sent - 1, ";tag=b2\r\n"));
	case_end(a);
}

static void best_of_the_refusals_goes_up_when_all_are_in(void **state)
{
	static const struct {
		unsigned answer[3], best;
	} row[] = {
		{{486, 480, 404}, 404}, {{503, 486, 500}, 486}, {{404, 302, 603}, 603},
		{{404, 486, 302}, 302}, {{404, 407, 486}, 407}, {{404, 401, 302}, 302},
		{{600, 603, 486}, 600}, {{500, 502, 501}, 500}, {{480, 480, 480}, 480},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		uint32_t at[3];
		struct app *a = fork3("INVITE", at);
		char line[32];

		for (int k = 0; k < 3; k++) {
			assert_int_equal(a->n_sent,
					 4 + k); /* 100, three INVITEs, an ACK for each */
			phone_answer(a, at[k], row[i].answer[k], "b", "");
		}
		assert_int_equal(a->n_sent, 8);
		(void)snprintf(line, sizeof(line), "SIP/2.0 %u ", row[i].best);
		assert_true(app_starts(a, 7, line) ||
			    (row[i].best >= 600 && app_starts(a, 7, "SIP/2.0 60")));
		case_ack(a, BOB, 1, "b");
		case_counted(a, txn_acked, 1);
		case_end(a);
	}
}

static void global_failure_cancels_the_others_and_wins(void **state)
{
	uint32_t at[3], n;
	struct app *a = fork3("INVITE", at);

	(void)state;
	for (int k = 0; k < 3; k++)
		phone_answer(a, at[k], 180, "b", "");
	n = a->n_sent;
	phone_answer(a, at[2], 603, "b", "");
	assert_int_equal(case_count(a, "CANCEL "), 2);
	assert_int_equal(case_count(a, "SIP/2.0 603 "), 0); /* §16.7 step 5: a 2xx may still come */
	phone_answer(a, at[0], 487, "b", "");
	assert_int_equal(case_count(a, "SIP/2.0 603 "), 0);
	phone_answer(a, at[1], 487, "b", "");
	(void)case_find(a, n, "SIP/2.0 603 Decline\r\n");
	assert_int_equal(case_count(a, "SIP/2.0 487 "), 0);
	case_end(a);
}

static void cancel_reaches_every_phone(void **state)
{
	uint32_t at[3];
	struct app *a = fork3("INVITE", at);

	(void)state;
	for (int k = 0; k < 3; k++)
		phone_answer(a, at[k], 180, "b", "");
	case_alice(a, "CANCEL", BOB, 1, "");
	assert_int_equal(case_count(a, "CANCEL "), 3);
	for (int k = 0; k < 3; k++)
		phone_answer(a, at[k], 487, "b", "");
	assert_int_equal(case_count(a, "SIP/2.0 487 "), 1);
	assert_int_equal(case_count(a, "ACK "), 3);
	case_end(a);
}

static void one_silent_phone_does_not_spoil_the_answer(void **state)
{
	uint32_t at[3];
	struct app *a = fork3("INVITE", at);

	(void)state;
	phone_answer(a, at[0], 486, "b", "");
	phone_answer(a, at[1], 404, "b", "");
	app_pass(a, 31900000);
	assert_int_equal(case_count(a, "SIP/2.0 404 "), 0);
	app_pass(a, 300000); /* timer B of the third: as a 408 */
	assert_int_equal(case_count(a, "SIP/2.0 404 "), 1);
	assert_int_equal(case_count(a, "SIP/2.0 408 "), 0);
	case_end(a);
}

/* Timers D and K end a branch long before a phone that rings; its answer must be there to choose. */
static void early_refusal_outlives_its_branch(void **state)
{
	uint32_t at[3];
	struct app *a = fork3("INVITE", at);

	(void)state;
	phone_answer(a, at[0], 404, "b", "X-Best: yes\r\n");
	phone_answer(a, at[1], 180, "b", "");
	phone_answer(a, at[2], 486, "b", "");
	app_pass(a, 100000000);
	assert_int_equal(case_count(a, "SIP/2.0 4"), 0);
	app_audit(a, false);
	phone_answer(a, at[1], 480, "b", "");
	assert_true(app_has(a, case_find(a, 0, "SIP/2.0 404 "), "\r\nX-Best: yes\r\n"));
	case_ack(a, BOB, 1, "b");
	case_end(a);

	a = fork3("MESSAGE", at);
	phone_answer(a, at[0], 404, "b", "X-Best: yes\r\n");
	phone_answer(a, at[1], 486, "b", "");
	app_pass(a, 10000000);
	phone_answer(a, at[2], 480, "b", "");
	assert_true(app_has(a, case_find(a, 0, "SIP/2.0 404 "), "\r\nX-Best: yes\r\n"));
	case_end(a);
}

static void one_unsendable_branch_does_not_spoil_the_answer(void **state)
{
	struct app *a = case_start(NULL);
	uint32_t at;

	(void)state;
	case_bind_bob(a, "<sip:bob@10.0.0.3>, <sip:bob@10.0.0.4>", "");
	a->fail_next_send = true; /* a MESSAGE has no 100 in front of its branches */
	case_alice(a, "MESSAGE", BOB, 1, "");
	assert_int_equal(a->n_sent, 1);
	at = case_find(a, 0, "MESSAGE ");
	phone_answer(a, at, 486, "b", "");
	assert_true(app_starts(a, 1, "SIP/2.0 486 "));
	assert_int_equal(case_count(a, "SIP/2.0 477"), 0);
	case_end(a);
}

static void forked_message_sends_one_answer_up(void **state)
{
	uint32_t at[3];
	struct app *a = fork3("MESSAGE", at);

	(void)state;
	phone_answer(a, at[0], 404, "b", "");
	phone_answer(a, at[1], 200, "b", "");
	phone_answer(a, at[2], 200, "b2", "");
	assert_int_equal(case_count(a, "SIP/2.0 200 OK"), 1);
	assert_int_equal(case_count(a, "SIP/2.0 404"), 0);
	assert_int_equal(case_count(a, "CANCEL "), 0);
	case_end(a);
}

static void late_2xx_is_relayed_without_a_transaction(void **state)
{
	struct app *a = case_start(NULL);
	uint32_t at, n;

	(void)state;
	case_alice(a, "INVITE", "sip:x@10.0.0.9", 1, "");
	at = case_find(a, 0, "INVITE ");
	phone_answer(a, at, 200, "b", "");
	app_pass(a, 70000000); /* timers L and M have run out */
	case_counted(a, txn_live, 0);
	case_counted(a, branch_live, 0);
	n = a->n_sent;
	phone_answer(a, at, 200, "b", "");
	assert_int_equal(a->n_sent, n + 1);
	assert_true(app_starts(a, n, "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;"));
	assert_int_equal(a->sent[n].flow.peer_port, 5060);
	case_counted(a, proxy_late_relayed, 1);
	case_counted(a, txn_stray_response, 1);
	phone_answer(a, at, 486, "b", ""); /* anything else has nobody left to go to */
	phone_answer(a, at, 180, "b", "");
	assert_int_equal(a->n_sent, n + 1);
	case_counted(a, txn_stray_response, 3);
	case_end(a);
}

static void few_branches(struct conf *c)
{
	c->branches = 2;
}

static void fewer_branches_than_contacts_serves_those_it_can(void **state)
{
	struct app *a = case_start(few_branches);

	(void)state;
	case_bind_bob(a, "<sip:bob@10.0.0.3>, <sip:bob@10.0.0.4>, <sip:bob@10.0.0.5>", "");
	case_alice(a, "INVITE", BOB, 1, "");
	assert_int_equal(case_count(a, "INVITE "), 2);
	case_counted(a, txn_no_record, 1);
	for (uint32_t i = 0; i < 3; i++)
		if (app_starts(a, i, "INVITE "))
			phone_answer(a, i, 486, "b", "");
	assert_int_equal(case_count(a, "SIP/2.0 486 "), 1);
	case_end(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(branches_differ),
		cmocka_unit_test(first_2xx_cancels_the_others),
		cmocka_unit_test(two_2xx_both_go_up),
		cmocka_unit_test(best_of_the_refusals_goes_up_when_all_are_in),
		cmocka_unit_test(global_failure_cancels_the_others_and_wins),
		cmocka_unit_test(cancel_reaches_every_phone),
		cmocka_unit_test(one_silent_phone_does_not_spoil_the_answer),
		cmocka_unit_test(early_refusal_outlives_its_branch),
		cmocka_unit_test(one_unsendable_branch_does_not_spoil_the_answer),
		cmocka_unit_test(forked_message_sends_one_answer_up),
		cmocka_unit_test(late_2xx_is_relayed_without_a_transaction),
		cmocka_unit_test(fewer_branches_than_contacts_serves_those_it_can),
	};

	return cmocka_run_group_tests_name("sim/fork", tests, NULL, NULL);
}
