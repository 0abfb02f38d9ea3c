/* SPDX-License-Identifier: Apache-2.0 */
/* Bad input and hard times at the edge: each ends in the one status and reason, or in the one counter,
 * that is meant for it. An ACK is never answered. */
#include "tests/sim/appliance/case.h"

#include <stdio.h>
#include <string.h>

#define VIA "Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKx\r\n"
#define REST "From: <sip:a@h>;tag=f\r\nTo: <sip:b@h>\r\nCall-ID: c\r\n"
#define END "Content-Length: 0\r\n\r\n"

struct bad {
	const char *text;
	const char *answer; /* status line it starts with; NULL: none */
	enum counter counter;
};

static void run_rows(const struct bad *row, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		struct app *a = case_start(NULL);

		case_rx(a, ALICE_IP, "%s", row[i].text);
		if (row[i].answer == NULL && a->n_sent != 0)
			fail_msg("row %u was answered: %s", i, a->sent[0].bytes);
		if (row[i].answer != NULL && !app_starts(a, 0, row[i].answer))
			fail_msg("row %u: %s", i, a->n_sent ? a->sent[0].bytes : "no answer");
		assert_true(a->n_sent <= 1);
		if (app_count(a, row[i].counter) != 1)
			fail_msg("row %u: %s is not 1", i, counter_info[row[i].counter].name);
		case_counted(a, sip_rx, 1);
		app_audit(a, true);
		case_end(a);
	}
}
#define RUN(rows) run_rows(rows, sizeof(rows) / sizeof(rows[0]))

static void fresh_edge_bad_request_is_answered_or_dropped_by_name(void **state)
{
	static const struct bad row[] = {
		{"hello", NULL, sip_drop_not_sip},
		{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", NULL, sip_drop_bad_request},
		{"OPTIONS sip:x@h SIP/3.0\r\n" VIA REST "CSeq: 1 OPTIONS\r\n" END,
		 "SIP/2.0 505 Version Not Supported\r\n", sip_fast_reject},
		{"OPTIONS sip:x@h SIP/2.0\r\n" VIA REST "CSeq: 1 INVITE\r\n" END, "SIP/2.0 400 ",
		 sip_fast_reject},
		{"OPTIONS sip:x@h SIP/2.0\r\n" VIA REST
		 "CSeq: 1 OPTIONS\r\nMax-Forwards: 256\r\n" END,
		 "SIP/2.0 400 Bad Max-Forwards", sip_fast_reject},
		{"OPTIONS sip:x@h SIP/2.0\r\n" VIA REST
		 "CSeq: 1 OPTIONS\r\nContent-Length: 9\r\n\r\n",
		 "SIP/2.0 400 ", sip_fast_reject},
		{"OPTIONS sip:x@h SIP/2.0\r\n" VIA REST
		 "CSeq: 1 OPTIONS\r\nContact: <sip:a\r\n" END,
		 "SIP/2.0 400 Bad Contact", sip_fast_reject},
		/* no Via, no Call-ID: where should an answer go, and to what */
		{"OPTIONS sip:x@h SIP/2.0\r\n" REST "CSeq: 1 OPTIONS\r\n" END, NULL,
		 sip_drop_bad_request},
		{"OPTIONS sip:x@h SIP/2.0\r\n" VIA "From: <sip:a@h>;tag=f\r\nTo: <sip:b@h>\r\n"
		 "CSeq: 1 OPTIONS\r\n" END,
		 NULL, sip_drop_bad_request},
		{"OPTIONS http://h SIP/2.0\r\n" VIA REST "CSeq: 1 OPTIONS\r\n" END,
		 "SIP/2.0 416 Unsupported URI Scheme\r\n", proxy_replied},
		{"INVITE sip:x@10.0.0.9 SIP/2.0\r\n" VIA REST
		 "CSeq: 1 INVITE\r\nMax-Forwards: 0\r\n" END,
		 "SIP/2.0 483 Too Many Hops\r\n", proxy_replied},
		{"INVITE sip:nobody@example.com SIP/2.0\r\n" VIA REST "CSeq: 1 INVITE\r\n" END,
		 "SIP/2.0 404 Not Found\r\n", proxy_replied},
		{"INVITE sip:x@unknown.example SIP/2.0\r\n" VIA REST "CSeq: 1 INVITE\r\n" END,
		 "SIP/2.0 478 Unresolvable destination\r\n", proxy_replied},
		{"OPTIONS sip:example.com SIP/2.0\r\n" VIA REST
		 "CSeq: 1 OPTIONS\r\nMax-Forwards: 0\r\n" END,
		 "SIP/2.0 200 OK\r\n", proxy_replied}, /* it ends here: no hop is needed */
	};

	(void)state;
	RUN(row);
}

static void fresh_edge_ack_is_never_answered(void **state)
{
	static const struct bad row[] = {
		{"ACK sip:x@h SIP/2.0\r\n" VIA REST "CSeq: 1 INVITE\r\n" END, NULL,
		 sip_drop_bad_ack},
		{"ACK sip:x@h SIP/3.0\r\n" VIA REST "CSeq: 1 ACK\r\n" END, NULL, sip_drop_bad_ack},
		{"ACK sip:x@h SIP/2.0\r\n" REST "CSeq: 1 ACK\r\n" END, NULL, sip_drop_bad_ack},
		{"ACK sip:x@unknown.example SIP/2.0\r\n" VIA REST "CSeq: 1 ACK\r\n" END, NULL,
		 txn_stray_ack},
		{"ACK sip:x@10.0.0.9 SIP/2.0\r\n" VIA REST "CSeq: 1 ACK\r\nMax-Forwards: 0\r\n" END,
		 NULL, txn_stray_ack},
		{"ACK sip:example.com SIP/2.0\r\n" VIA REST "CSeq: 1 ACK\r\nRequire: x\r\n" END,
		 NULL, txn_stray_ack},
	};

	(void)state;
	RUN(row);
}

static void fresh_edge_bad_response_is_dropped_by_name(void **state)
{
	static const struct bad row[] = {
		{"SIP/2.0 200 OK\r\n" VIA REST "CSeq: x INVITE\r\n" END, NULL,
		 sip_drop_bad_response},
		{"SIP/2.0 200 OK\r\n" VIA REST "CSeq: 1 INVITE\r\n" END, NULL,
		 sip_drop_stray_response},
		{"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;"
		 "branch=z9hG4bK000000000000000000000000000000\r\n" VIA REST
		 "CSeq: 1 INVITE\r\n" END,
		 NULL, sip_drop_stray_response},
	};

	(void)state;
	RUN(row);
}

static void limited(struct conf *c)
{
	c->msg_bytes = 1024;
	c->uri_bytes = 256;
	c->header_bytes = 512;
	c->headers = 16;
}

static void limited_edge_names_what_is_too_long(void **state)
{
	char many[2048] = "", longer[1025] = "";
	struct app *a = case_start(limited);

	(void)state;
	memset(longer, 'x', 1024);
	for (int i = 0; i < 12; i++)
		strcat(many, "X: y\r\n");
	case_rx(a, ALICE_IP, "OPTIONS sip:x@h SIP/2.0\r\n" VIA REST "CSeq: 1 OPTIONS\r\n%s" END,
		many);
	assert_true(app_starts(a, 0, "SIP/2.0 400 "));
	case_rx(a, ALICE_IP, "OPTIONS sip:%.300s@h SIP/2.0\r\n" VIA REST "CSeq: 1 OPTIONS\r\n" END,
		longer);
	assert_true(app_starts(a, 1, "SIP/2.0 414 "));
	case_rx(a, ALICE_IP,
		"OPTIONS sip:x@h SIP/2.0\r\n" VIA REST "CSeq: 1 OPTIONS\r\nX: %.600s\r\n" END,
		longer);
	assert_true(app_starts(a, 2, "SIP/2.0 400 "));
	case_rx(a, ALICE_IP,
		"OPTIONS sip:x@h SIP/2.0\r\n" VIA REST
		"CSeq: 1 OPTIONS\r\nX: %.450s\r\nX: %.450s\r\n" END,
		longer, longer);
	assert_true(app_starts(a, 3, "SIP/2.0 513 "));
	case_counted(a, sip_fast_reject, 4);
	case_end(a);
}

static void options_by_core(struct conf *c)
{
	c->listener[0].options = CONF_OPTIONS_CORE;
}

static const char options[] =
	"OPTIONS sip:example.com SIP/2.0\r\n"
	"Via: SIP/2.0/UDP 10.0.0.2:5060;rport;branch=z9hG4bKx\r\n" REST "CSeq: 1 OPTIONS\r\n";

static void options_are_answered_by_core_or_control_alike(void **state)
{
	struct app *a = case_start(options_by_core), *b = case_start(NULL);

	(void)state;
	case_rx(a, ALICE_IP, "%s" END, options);
	case_rx(b, ALICE_IP, "%s" END, options);
	assert_int_equal(a->n_sent, 1);
	assert_string_equal(a->sent[0].bytes, b->sent[0].bytes);
	assert_true(app_starts(a, 0,
			       "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP "
			       "10.0.0.2:5060;rport=5060;branch=z9hG4bKx;received=10.0.0.2\r\n"));
	assert_true(app_has(a, 0, "\r\nAllow: INVITE, ACK, CANCEL, OPTIONS, BYE, REGISTER\r\n"));
	case_counted(a, sip_fast_options, 1);
	case_counted(a, sip_up, 0);
	case_counted(b, sip_up, 1);
	case_counted(b, proxy_replied, 1);
	case_end(a);
	case_end(b);
}

static void unknown_options_are_named_each(void **state)
{
	struct app *a = case_start(options_by_core), *b = case_start(NULL);

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct app *k = i == 0 ? a : b;

		case_rx(k, ALICE_IP,
			"%sRequire: foo, bar\r\nProxy-Require: baz\r\nRequire: qux\r\n" END,
			options);
		assert_true(app_starts(k, 0, "SIP/2.0 420 Bad Extension\r\n"));
		assert_true(app_has(k, 0, "\r\nUnsupported: foo, bar, qux, baz\r\n"));
	}
	case_counted(a, sip_fast_reject, 1);
	case_counted(b, proxy_replied, 1);
	case_end(a);
	case_end(b);
}

static void more_unknown_options_than_fit_are_still_refused(void **state)
{
	struct app *a = case_start(NULL);
	char tokens[2048] = "t0";

	(void)state;
	for (int i = 0; i < 200; i++)
		(void)snprintf(tokens + strlen(tokens), 16, ", token%d", i);
	case_rx(a, ALICE_IP, "%sRequire: %s\r\n" END, options, tokens);
	assert_true(app_starts(a, 0, "SIP/2.0 420 "));
	assert_true(app_has(a, 0, "\r\nUnsupported: t0, token0, "));
	case_rx(a, ALICE_IP,
		"MESSAGE sip:x@10.0.0.9 SIP/2.0\r\n" VIA REST
		"CSeq: 1 MESSAGE\r\nProxy-Require: %s\r\n" END,
		tokens);
	assert_true(app_starts(a, 1, "SIP/2.0 420 "));
	(void)memset(tokens, 'y', 600); /* one alone is longer than the line that we have for all */
	tokens[600] = '\0';
	case_rx(a, ALICE_IP,
		"MESSAGE sip:x@10.0.0.9 SIP/2.0\r\n" VIA REST
		"CSeq: 2 MESSAGE\r\nProxy-Require: %s\r\n" END,
		tokens);
	assert_true(app_starts(a, 2, "SIP/2.0 420 "));
	assert_int_equal(a->n_sent, 3);
	case_end(a);
}

static void require_is_passed_and_proxy_require_is_not(void **state)
{
	struct app *a = case_start(NULL);

	(void)state;
	case_alice(a, "MESSAGE", "sip:x@10.0.0.9", 1, "Require: foo\r\n");
	assert_true(app_has(a, case_find(a, 0, "MESSAGE sip:x@10.0.0.9 "), "\r\nRequire: foo\r\n"));
	case_alice(a, "MESSAGE", "sip:x@10.0.0.9", 2, "Proxy-Require: sec, foo\r\n");
	assert_true(app_has(a, case_find(a, 0, "SIP/2.0 420 Bad Extension\r\n"),
			    "\r\nUnsupported: sec, foo\r\n"));
	case_end(a);
}

static void stateless_refusal_has_one_tag_and_its_ack_is_absorbed(void **state)
{
	struct app *a = case_start(NULL);
	char tag[64];

	(void)state;
	case_alice(a, "INVITE", "sip:nobody@example.com", 1, "");
	case_alice(a, "INVITE", "sip:nobody@example.com", 1, "");
	assert_int_equal(a->n_sent, 2);
	assert_string_equal(a->sent[0].bytes, a->sent[1].bytes);
	(void)str_to_c(str_from_c(case_to_tag(a, 0)), tag, sizeof(tag));
	assert_int_equal(strlen(tag), 16);
	case_ack(a, "sip:nobody@example.com", 1, tag);
	case_counted(a, sip_ack_absorbed, 1);
	case_counted(a, sip_up, 2);
	case_counted(a, txn_started, 0);
	tag[0] = tag[0] == '0' ? '1' : '0';
	case_ack(a, "sip:nobody@example.com", 1, tag);
	case_counted(a, sip_ack_absorbed, 1);
	case_counted(a, txn_stray_ack, 1);
	assert_int_equal(a->n_sent, 2);
	case_end(a);
}

static void ten_slots(struct conf *c)
{
	memset(c->slots, 0, sizeof(c->slots));
	c->slots[0] = 10;
}

static const char in_dialog[] =
	"BYE sip:x@10.0.0.9 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK%d\r\n"
	"From: <sip:a@h>;tag=f\r\nTo: <sip:b@h>;tag=t\r\nCall-ID: c\r\n"
	"CSeq: %d BYE\r\n" END;

/* Nobody takes what goes up: as if control were slow. */
static struct shard *stop_control(struct app *a)
{
	struct shard *s = a->shard;

	a->shard = NULL;
	return s;
}

static void exhausted_slots_refuse_new_work_and_keep_a_reserve(void **state)
{
	struct app *a = case_start(ten_slots);
	struct shard *s = stop_control(a);

	(void)state;
	for (int i = 0; i < 9; i++)
		case_alice(a, "MESSAGE", "sip:x@10.0.0.9", i, "");
	assert_int_equal(a->n_sent, 0);
	case_alice(a, "MESSAGE", "sip:x@10.0.0.9", 9, "");
	assert_true(app_starts(a, 0, "SIP/2.0 503 Service Unavailable\r\n"));
	assert_true(app_has(a, 0, "\r\nRetry-After: 5\r\n"));
	case_counted(a, sip_fast_overload, 1);
	case_rx(a, ALICE_IP, in_dialog, 1, 1);
	case_counted(a, sip_up, 10);
	case_rx(a, ALICE_IP, in_dialog, 2, 2); /* the reserve is used up too: no answer, a name */
	case_counted(a, sip_drop_no_slot, 1);
	case_ack(a, "sip:x@10.0.0.9", 3, "t");
	case_counted(a, sip_drop_no_slot, 2);
	assert_int_equal(a->n_sent, 1);
	app_audit(a, false);
	a->shard = s;
	app_run(a);
	assert_int_equal(case_count(a, "MESSAGE sip:x@10.0.0.9 "), 9);
	assert_int_equal(case_count(a, "BYE sip:x@10.0.0.9 "), 1);
	case_end(a);
}

static void small_ring(struct conf *c)
{
	c->ring_records = 64;
}

static void full_up_ring_holds_and_then_drops(void **state)
{
	struct app *a = case_start(small_ring);
	struct shard *s = stop_control(a);

	(void)state;
	for (int i = 0; i < 70; i++)
		case_alice(a, "MESSAGE", "sip:x@10.0.0.9", i, "");
	case_counted(a, sip_up, 64);
	case_counted(a, sip_held, 6);
	app_pass(a, 390000);
	case_counted(a, sip_held, 6);
	case_counted(a, sip_drop_hold_expired, 0);
	app_audit(a, false);
	app_pass(a, 10000);
	case_counted(a, sip_held, 0);
	case_counted(a, sip_drop_hold_expired, 6);
	assert_int_equal(slot_in_use(&a->edge->slots), 64);
	assert_int_equal(a->n_sent, 0);
	app_audit(a, false);
	a->shard = s;
	app_run(a);
	assert_int_equal(case_count(a, "MESSAGE "), 64);
	case_end(a);
}

static void held_messages_go_up_in_their_order(void **state)
{
	struct app *a = case_start(small_ring);
	struct shard *s = stop_control(a);
	uint32_t at = 0;
	char id[32];

	(void)state;
	for (int i = 0; i < 70; i++)
		case_alice(a, "MESSAGE", "sip:x@10.0.0.9", i, "");
	app_pass(a, 200000);
	a->shard = s;
	app_run(a);
	case_counted(a, sip_held, 0);
	case_counted(a, sip_up, 70);
	for (int i = 0; i < 70; i++, at++) {
		at = case_find(a, at, "MESSAGE ");
		(void)snprintf(id, sizeof(id), "\r\nCall-ID: call-%d@", i);
		assert_true(app_has(a, at, id));
	}
	case_end(a);
}

static void lying_control_cannot_overwrite_the_up_ring(void **state)
{
	struct app *a = case_start(small_ring);
	struct shard *s = stop_control(a);
	struct link_ring *r = link_up_ring(&a->link, 0, 0);

	(void)state;
	for (int i = 0; i < 64; i++)
		case_alice(a, "MESSAGE", "sip:x@10.0.0.9", i, "");
	atomic_store(&r->tail, 1000); /* beyond what was ever written */
	for (int i = 64; i < 70; i++)
		case_alice(a, "MESSAGE", "sip:x@10.0.0.9", i, "");
	case_counted(a, sip_up, 64);
	case_counted(a, sip_held, 6);
	atomic_store(&r->tail, 0);
	a->shard = s;
	app_run(a);
	assert_int_equal(case_count(a, "MESSAGE "), 70);
	case_end(a);
}

static void lost_control_holds_then_refuses_then_serves_again(void **state)
{
	struct app *a = case_start(NULL);
	struct shard *s = stop_control(a);

	(void)state;
	atomic_store(&a->link.h->control_lost_us, a->now_us);
	atomic_store(&a->link.h->control_alive, 0);
	case_alice(a, "MESSAGE", "sip:x@10.0.0.9", 1, "");
	case_counted(a, sip_held, 1);
	case_counted(a, sip_up, 0);
	app_pass(a, 3990000); /* hold_requests_ms is long over: the sender repeats it */
	case_counted(a, sip_held, 0);
	case_counted(a, sip_drop_hold_expired, 1);
	case_alice(a, "MESSAGE", "sip:x@10.0.0.9", 2, "");
	assert_int_equal(a->n_sent, 0);
	case_counted(a, sip_fast_overload, 0);
	app_pass(a, 10000);
	case_alice(a, "MESSAGE", "sip:x@10.0.0.9", 3, "");
	assert_int_equal(a->n_sent, 1);
	assert_true(app_starts(a, 0, "SIP/2.0 503 Service Unavailable\r\n"));
	assert_true(app_has(a, 0, "\r\nRetry-After: 5\r\n"));
	case_counted(a, sip_fast_overload, 1);
	/* what is in a dialog is not refused, and an ACK never answered */
	case_rx(a, ALICE_IP, in_dialog, 1, 1);
	case_ack(a, "sip:x@10.0.0.9", 9, "t");
	assert_int_equal(a->n_sent, 1);
	case_counted(a, sip_fast_reject, 1);
	app_audit(a, false);
	atomic_store(&a->link.h->control_alive, 1);
	a->shard = s;
	app_run(a);
	app_forget(a);
	case_alice(a, "MESSAGE", "sip:x@10.0.0.9", 4, "");
	(void)case_find(a, 0, "MESSAGE sip:x@10.0.0.9 ");
	case_end(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fresh_edge_bad_request_is_answered_or_dropped_by_name),
		cmocka_unit_test(fresh_edge_ack_is_never_answered),
		cmocka_unit_test(fresh_edge_bad_response_is_dropped_by_name),
		cmocka_unit_test(limited_edge_names_what_is_too_long),
		cmocka_unit_test(options_are_answered_by_core_or_control_alike),
		cmocka_unit_test(unknown_options_are_named_each),
		cmocka_unit_test(more_unknown_options_than_fit_are_still_refused),
		cmocka_unit_test(require_is_passed_and_proxy_require_is_not),
		cmocka_unit_test(stateless_refusal_has_one_tag_and_its_ack_is_absorbed),
		cmocka_unit_test(exhausted_slots_refuse_new_work_and_keep_a_reserve),
		cmocka_unit_test(full_up_ring_holds_and_then_drops),
		cmocka_unit_test(held_messages_go_up_in_their_order),
		cmocka_unit_test(lying_control_cannot_overwrite_the_up_ring),
		cmocka_unit_test(lost_control_holds_then_refuses_then_serves_again),
	};

	return cmocka_run_group_tests_name("sim/edge", tests, NULL, NULL);
}
