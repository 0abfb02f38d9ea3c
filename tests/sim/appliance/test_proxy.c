/* SPDX-License-Identifier: Apache-2.0 */
/* The straight path of RFC 3261 §16: what goes out, octet for octet, and what comes back. */
#include "tests/sim/appliance/case.h"

#include <stdio.h>
#include <string.h>

#define FROM_TO "From: <sip:alice@example.com>;tag=f1\r\nTo: <sip:bob@example.com>\r\n"
#define OUR_VIA "Via: SIP/2.0/UDP 10.0.0.1:5060;branch=<branch>;rport\r\n"

static void forwarded_invite_has_exactly_our_edits(void **state)
{
	struct app *a = case_start(NULL);

	(void)state;
	case_bind_bob(a, "<sip:bob@10.0.0.3:5070;x=1>", "");
	case_rx(a, ALICE_IP,
		"INVITE sip:bob@example.com SIP/2.0\r\nVia: SIP/2.0/UDP "
		"10.0.0.2:5060;branch=z9hG4bKa;rport\r\n"
		"Max-Forwards: 70\r\n" FROM_TO "Call-ID: c1\r\nCSeq: 1 INVITE\r\nX-Odd :  kept\r\n"
		"Content-Length: 4\r\n\r\nbody");
	assert_int_equal(a->n_sent, 2);
	case_is(a, 0,
		"SIP/2.0 100 Trying\r\n"
		"Via: SIP/2.0/UDP "
		"10.0.0.2:5060;branch=z9hG4bKa;rport=5060;received=10.0.0.2\r\n" FROM_TO
		"Call-ID: c1\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n");
	case_is(a, 1,
		"INVITE sip:bob@10.0.0.3:5070;x=1 SIP/2.0\r\n" OUR_VIA
		"Record-Route: <sip:10.0.0.1:5060;lr>\r\n"
		"Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKa;rport=5060;received=10.0.0.2\r\n"
		"Max-Forwards: 69\r\n" FROM_TO "Call-ID: c1\r\nCSeq: 1 INVITE\r\nX-Odd :  kept\r\n"
		"Content-Length: 4\r\n\r\nbody");
	assert_int_equal(a->sent[1].flow.peer_port, 5070);
	case_end(a);
}

/* One MESSAGE to 10.0.0.9 with this top Via and these further lines; what the forwarded one says after
 * our Via. */
static void message_edits(const char *in, const char *want)
{
	struct app *a = case_start(NULL);
	char text[4096];

	case_rx(a, ALICE_IP,
		"MESSAGE sip:x@10.0.0.9 SIP/2.0\r\n%s" FROM_TO "Call-ID: c1\r\nCSeq: 1 MESSAGE\r\n"
		"Content-Length: 0\r\n\r\n",
		in);
	(void)snprintf(text, sizeof(text),
		       "MESSAGE sip:x@10.0.0.9 SIP/2.0\r\n" OUR_VIA "%s" FROM_TO
		       "Call-ID: c1\r\nCSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n",
		       want);
	assert_int_equal(a->n_sent, 1);
	case_is(a, 0, text);
	case_end(a);
}

static void top_via_learns_where_it_came_from(void **state)
{
	static const struct {
		const char *in, *out;
	} row[] = {
		/* RFC 3261 §18.2.1: only where it differs, unless rport was asked for (RFC 3581 §4) */
		{"10.0.0.2;branch=z9hG4bKa", "10.0.0.2;branch=z9hG4bKa"},
		{"10.0.0.8;branch=z9hG4bKa", "10.0.0.8;branch=z9hG4bKa;received=10.0.0.2"},
		{"pc.example;branch=z9hG4bKa", "pc.example;branch=z9hG4bKa;received=10.0.0.2"},
		{"10.0.0.2;rport;branch=z9hG4bKa",
		 "10.0.0.2;rport=5060;branch=z9hG4bKa;received=10.0.0.2"},
		{"10.0.0.2;rport=9;branch=z9hG4bKa",
		 "10.0.0.2;rport=5060;branch=z9hG4bKa;received=10.0.0.2"},
		{"10.0.0.2;branch=z9hG4bKa;RPort",
		 "10.0.0.2;branch=z9hG4bKa;rport=5060;received=10.0.0.2"},
		{"10.0.0.8;received=6.6.6.6;branch=z9hG4bKa",
		 "10.0.0.8;received=10.0.0.2;branch=z9hG4bKa"},
		{"10.0.0.8;branch=z9hG4bKa , SIP/2.0/UDP 1.1.1.1",
		 "10.0.0.8;branch=z9hG4bKa;received=10.0.0.2 , SIP/2.0/UDP 1.1.1.1"},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		char in[512], out[512];

		(void)snprintf(in, sizeof(in), "Via: SIP/2.0/UDP %s\r\nMax-Forwards: 9\r\n",
			       row[i].in);
		(void)snprintf(out, sizeof(out), "Via: SIP/2.0/UDP %s\r\nMax-Forwards: 8\r\n",
			       row[i].out);
		message_edits(in, out);
	}
}

#define VIA "Via: SIP/2.0/UDP 10.0.0.2;branch=z9hG4bKa\r\n"

static void max_forwards_is_counted_down_or_added(void **state)
{
	(void)state;
	message_edits(VIA "Max-Forwards: 1\r\n", VIA "Max-Forwards: 0\r\n");
	message_edits(VIA "Max-Forwards: 255\r\n", VIA "Max-Forwards: 254\r\n");
	message_edits(VIA "Max-Forwards:   0070\r\n", VIA "Max-Forwards:   69\r\n");
	message_edits(VIA, "Max-Forwards: 70\r\n" VIA);
}

static void own_route_values_are_removed(void **state)
{
#define MF "Max-Forwards: 9\r\n"
#define MF8 "Max-Forwards: 8\r\n"
	static const struct {
		const char *in, *out;
	} row[] = {
		{"Route: <sip:10.0.0.1;lr>\r\n", ""},
		{"Route: <sip:10.0.0.1:5060;lr>, <sip:example.com;lr>\r\n", ""},
		{"Route: <sip:10.0.0.1;lr>\r\nRoute: <sip:[FD00::1]:5060;lr>\r\n", ""},
		{"Route: <sip:10.0.0.1;lr>, <sip:10.0.0.7;lr>\r\n", "Route: <sip:10.0.0.7;lr>\r\n"},
		{"Route: <sip:10.0.0.1;lr>\r\nX: y\r\nRoute: <sip:10.0.0.7;lr>\r\n",
		 "X: y\r\nRoute: <sip:10.0.0.7;lr>\r\n"},
		{"Route: <sip:10.0.0.1;lr>\r\nRoute: <sip:10.0.0.1;lr>, "
		 "<sip:10.0.0.7;lr>,<sip:10.0.0.8;lr>\r\n",
		 "Route: <sip:10.0.0.7;lr>,<sip:10.0.0.8;lr>\r\n"},
		{"Route: <sip:10.0.0.7;lr>, <sip:10.0.0.1;lr>\r\n",
		 "Route: <sip:10.0.0.7;lr>, <sip:10.0.0.1;lr>\r\n"}, /* not the first: not our turn */
		{"Route: <sip:10.0.0.1:5070;lr>\r\n", "Route: <sip:10.0.0.1:5070;lr>\r\n"},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		char in[512], out[512];

		(void)snprintf(in, sizeof(in), VIA MF "%s", row[i].in);
		(void)snprintf(out, sizeof(out), VIA MF8 "%s", row[i].out);
		message_edits(in, out);
	}
}

static void next_hop_is_the_first_foreign_route(void **state)
{
	struct app *a = case_start(NULL);
	struct ip want;

	(void)state;
	case_alice(a, "MESSAGE", "sip:x@10.0.0.9", 1,
		   "Route: <sip:10.0.0.1;lr>, <sip:10.0.0.7:5090;lr>\r\n");
	assert_int_equal(ip_parse(STR("10.0.0.7"), &want), 0);
	assert_int_equal(a->n_sent, 1);
	assert_true(ip_eq(&a->sent[0].flow.peer, &want));
	assert_int_equal(a->sent[0].flow.peer_port, 5090);
	case_end(a);
}

static void record_route_is_added_where_a_dialog_begins(void **state)
{
	static const struct {
		const char *method;
		bool added;
	} row[] = {
		{"INVITE", true},   {"SUBSCRIBE", true}, {"REFER", true}, {"MESSAGE", false},
		{"OPTIONS", false}, {"PUBLISH", false},	 {"INFO", false}, {"FOO", false},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		struct app *a = case_start(NULL);
		char line[64];
		uint32_t at;

		case_alice(a, row[i].method, "sip:x@10.0.0.9", 1, "");
		(void)snprintf(line, sizeof(line), "%s sip:x@10.0.0.9", row[i].method);
		at = case_find(a, 0, line);
		assert_int_equal(app_has(a, at, "\r\nRecord-Route: <sip:10.0.0.1:5060;lr>\r\n"),
				 row[i].added);
		case_end(a);
	}
}

static void path_of_a_binding_becomes_the_route(void **state)
{
	struct app *a = case_start(NULL);
	struct ip want;
	uint32_t i;

	(void)state;
	case_bind_bob(
		a, "<sip:bob@10.0.0.3>",
		"Supported: path\r\nPath: \"p,q\" <sip:t,1@10.0.0.7;lr>, <sip:10.0.0.8;lr>\r\n");
	case_alice(a, "MESSAGE", BOB, 1, "");
	i = case_find(a, 0, "MESSAGE sip:bob@10.0.0.3 SIP/2.0\r\n");
	assert_true(
		app_has(a, i,
			"\r\nRoute: \"p,q\" <sip:t,1@10.0.0.7;lr>, <sip:10.0.0.8;lr>\r\nVia: ") ||
		app_has(a, i,
			"\r\nRoute: \"p,q\" <sip:t,1@10.0.0.7;lr>,<sip:10.0.0.8;lr>\r\nVia: "));
	assert_int_equal(ip_parse(STR("10.0.0.7"), &want), 0);
	assert_true(ip_eq(&a->sent[i].flow.peer, &want));
	case_end(a);
}

/* Alice calls Bob; the INVITE that went to Bob. */
static uint32_t call(struct app *a, int n)
{
	uint32_t from = a->n_sent;

	case_alice(a, "INVITE", BOB, n, "");
	assert_true(app_starts(a, from, "SIP/2.0 100 Trying\r\n"));
	return case_find(a, from, "INVITE sip:bob@10.0.0.3 SIP/2.0\r\n");
}

static void provisionals_and_2xx_are_relayed_each_time(void **state)
{
	struct app *a = case_start(NULL);
	uint32_t i;

	(void)state;
	case_bind_bob(a, "<sip:bob@10.0.0.3>", "");
	i = call(a, 1);
	phone_answer(a, i, 100, "", "");
	assert_int_equal(a->n_sent, i + 1); /* a 100 goes one hop only */
	phone_answer(a, i, 180, "b", "X-A: 1\r\n");
	assert_int_equal(a->n_sent, i + 2);
	case_is(a, i + 1,
		"SIP/2.0 180 Ringing\r\n"
		"Via: SIP/2.0/UDP "
		"10.0.0.2:5060;branch=z9hG4bK-1-INVITE;rport=5060;received=10.0.0.2\r\n"
		"Record-Route: <sip:10.0.0.1:5060;lr>\r\n"
		"From: <sip:alice@example.com>;tag=f1\r\nTo: <sip:bob@example.com>;tag=b\r\n"
		"Call-ID: call-1@10.0.0.2\r\nCSeq: 1 INVITE\r\nX-A: 1\r\nContent-Length: "
		"0\r\n\r\n");
	/* §17.2.1: a retransmission gets the last provisional */
	case_alice(a, "INVITE", BOB, 1, "");
	assert_int_equal(a->n_sent, i + 3);
	assert_string_equal(a->sent[i + 1].bytes, a->sent[i + 2].bytes);
	phone_answer(a, i, 183, "b", "");
	assert_true(app_starts(a, i + 3, "SIP/2.0 183 "));
	for (uint32_t k = 4; k < 7; k++) {
		phone_answer(a, i, 200, "b", "Contact: <sip:bob@10.0.0.3>\r\n");
		assert_int_equal(a->n_sent, i + k + 1);
		assert_true(app_starts(a, i + k, "SIP/2.0 200 OK\r\n"));
		assert_string_equal(a->sent[i + 4].bytes, a->sent[i + k].bytes);
	}
	/* RFC 6026 §7.1: the INVITE again is absorbed, it is the UAS that repeats */
	case_alice(a, "INVITE", BOB, 1, "");
	assert_int_equal(a->n_sent, i + 7);
	case_counted(a, proxy_relayed, 5);
	case_end(a);
}

static void ack_for_2xx_is_forwarded_as_its_own_request(void **state)
{
	struct app *a = case_start(NULL);
	uint32_t i, n;

	(void)state;
	case_bind_bob(a, "<sip:bob@10.0.0.3>", "");
	i = call(a, 1);
	phone_answer(a, i, 200, "b", "Contact: <sip:bob@10.0.0.3>\r\n");
	n = a->n_sent;
	for (int k = 0; k < 2; k++)
		case_rx(a, ALICE_IP,
			"ACK sip:bob@10.0.0.3 SIP/2.0\r\nVia: SIP/2.0/UDP "
			"10.0.0.2:5060;branch=z9hG4bKack\r\n"
			"Max-Forwards: 70\r\nRoute: <sip:10.0.0.1:5060;lr>\r\nFrom: <" ALICE
			">;tag=f1\r\n"
			"To: <" BOB ">;tag=b\r\nCall-ID: call-1@10.0.0.2\r\nCSeq: 1 ACK\r\n"
			"Content-Length: 0\r\n\r\n");
	assert_int_equal(a->n_sent, n + 2);
	assert_true(app_starts(
		a, n,
		"ACK sip:bob@10.0.0.3 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK"));
	assert_false(app_has(a, n, "Route"));
	assert_true(app_has(a, n, "\r\nMax-Forwards: 69\r\n"));
	assert_string_equal(a->sent[n].bytes, a->sent[n + 1].bytes); /* §16.11: the same branch */
	case_counted(a, proxy_forwarded_ack, 2);
	case_end(a);
}

static void refusal_is_acked_by_us_and_repeated_until_acked(void **state)
{
	struct app *a = case_start(NULL);
	uint32_t i, n;

	(void)state;
	case_bind_bob(a, "<sip:bob@10.0.0.3>", "");
	i = call(a, 1);
	n = a->n_sent;
	phone_answer(a, i, 486, "b", "");
	assert_int_equal(a->n_sent, n + 2);
	assert_true(app_starts(a, n, "ACK sip:bob@10.0.0.3 SIP/2.0\r\nVia: "));
	assert_true(app_has(a, n, "\r\nTo: <sip:bob@example.com>;tag=b\r\n"));
	assert_true(app_has(a, n, "\r\nCSeq: 1 ACK\r\n"));
	{ /* §17.1.1.3: the top Via, and only that, of the INVITE as it was sent */
		struct sip_msg invite, ack;
		struct str x = app_parse(a, i, &invite);
		struct str v = str_of(x.s + invite.via_branch.off, invite.via_branch.len);
		struct str y = app_parse(a, n, &ack);

		assert_true(str_eq(v, sip_span_str(y.s, ack.via_branch)));
		assert_null(sip_msg_next(&ack, sip_msg_first(&ack, SIP_H_VIA)));
	}
	assert_true(
		app_starts(a, n + 1, "SIP/2.0 486 Busy Here\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;"));
	phone_answer(a, i, 486, "b", ""); /* Bob lost our ACK: another, and nothing upstream */
	assert_int_equal(a->n_sent, n + 3);
	assert_string_equal(a->sent[n + 2].bytes, a->sent[n].bytes);
	/* timer G: 0.5, 1, 2, 4, 4 ... s after the answer */
	app_pass(a, 490000);
	assert_int_equal(a->n_sent, n + 3);
	app_pass(a, 20000);
	assert_int_equal(a->n_sent, n + 4);
	assert_string_equal(a->sent[n + 3].bytes, a->sent[n + 1].bytes);
	app_pass(a, 970000);
	assert_int_equal(a->n_sent, n + 4);
	app_pass(a, 40000);
	assert_int_equal(a->n_sent, n + 5);
	case_alice(a, "INVITE", BOB, 1, ""); /* and at once for a retransmission */
	assert_int_equal(a->n_sent, n + 6);
	assert_string_equal(a->sent[n + 5].bytes, a->sent[n + 1].bytes);
	case_ack(a, BOB, 1, "b");
	case_ack(a, BOB, 1, "b");
	app_pass(a, 20000000);
	assert_int_equal(a->n_sent, n + 6); /* absorbed, and no more of G */
	case_counted(a, txn_ack_timeout, 0);
	case_end(a);
}

static void refusal_never_acked_ends_by_timer_h(void **state)
{
	struct app *a = case_start(NULL);

	(void)state;
	case_bind_bob(a, "<sip:bob@10.0.0.3>", "");
	phone_answer(a, call(a, 1), 486, "b", "");
	app_pass(a, 33000000);
	case_counted(a, txn_ack_timeout, 1);
	case_counted(a, txn_live, 0);
	/* 0.5 1.5 3.5 7.5 11.5 ... 31.5 */
	assert_int_equal(case_count(a, "SIP/2.0 486 "), 1 + 10);
	case_end(a);
}

static void failed_send_is_477_and_the_end_of_it(void **state)
{
	static const char *const method[] = {"INVITE", "MESSAGE"};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct app *a = case_start(NULL);
		bool invite = i == 0;
		struct shard *s = a->shard;
		char tag[64];

		a->shard = NULL;
		case_alice(a, method[i], "sip:x@10.0.0.9", 1, "");
		a->shard = s;
		if (invite) /* the 100 goes first, and well */
			(void)shard_step(a->shard, a->now_us);
		if (invite) {
			static char out[SIP_MSG_MAX];
			struct link_record r;

			assert_int_equal(edge_down(a->edge, 0, &r), 1);
			assert_true(edge_render(a->edge, 0, &r, out, sizeof(out)) > 0);
			edge_sent(a->edge, 0, &r, true);
		}
		a->fail_next_send = true;
		app_run(a);
		assert_int_equal(a->n_sent, 1);
		assert_true(app_starts(a, 0, "SIP/2.0 477 Send failed\r\n"));
		case_counted(a, txn_live, 0);
		case_counted(a, branch_live, 0);
		case_counted(a, txn_unsent, 1);
		assert_int_equal(slot_in_use(&a->edge->slots), 0);
		app_audit(a, true);
		(void)str_to_c(str_from_c(case_to_tag(a, 0)), tag, sizeof(tag));
		if (invite)
			case_ack(a, "sip:x@10.0.0.9", 1, tag);
		case_counted(a, sip_ack_absorbed, invite);
		case_end(a);
	}
}

static void silent_callee_is_408_to_an_invite_and_nothing_to_others(void **state)
{
	struct app *a = case_start(NULL);

	(void)state;
	case_alice(a, "INVITE", "sip:x@10.0.0.9", 1, "");
	case_alice(a, "MESSAGE", "sip:x@10.0.0.9", 2, "");
	app_pass(a, 31900000);
	assert_int_equal(case_count(a, "SIP/2.0 408"), 0);
	app_pass(a, 200000);
	assert_int_equal(case_count(a, "INVITE "),
			 7); /* timer A: 0 0.5 1.5 3.5 7.5 15.5 31.5     */
	assert_int_equal(case_count(a, "MESSAGE "),
			 11); /* timer E: 0 0.5 1.5 3.5 7.5 11.5 ... 31.5 */
	assert_int_equal(case_count(a, "SIP/2.0 408 Request Timeout\r\n"), 1);
	case_counted(a, txn_timeout, 2);
	case_ack(a, "sip:x@10.0.0.9", 1, case_to_tag(a, case_find(a, 0, "SIP/2.0 408")));
	case_counted(a, txn_acked, 1);
	case_end(a);
}

static void retransmitted_request_gets_the_same_reply(void **state)
{
	struct app *a = case_start(NULL);
	uint32_t i;

	(void)state;
	case_alice(a, "MESSAGE", "sip:x@10.0.0.9", 1, "");
	i = case_find(a, 0, "MESSAGE ");
	case_alice(a, "MESSAGE", "sip:x@10.0.0.9", 1, ""); /* nothing to say yet */
	assert_int_equal(a->n_sent, i + 1);
	phone_answer(a, i, 202, "b", "X: y\r\n");
	assert_int_equal(a->n_sent, i + 2);
	for (int k = 0; k < 3; k++) {
		app_pass(a, 400000);
		case_alice(a, "MESSAGE", "sip:x@10.0.0.9", 1, "");
		assert_int_equal(a->n_sent, i + 3 + k);
		assert_string_equal(a->sent[i + 2 + k].bytes, a->sent[i + 1].bytes);
	}
	/* other octets, the same transaction: a relayed answer is kept as octets and still serves */
	case_alice(a, "MESSAGE", "sip:x@10.0.0.9", 1, "X-New: 1\r\n");
	assert_int_equal(a->n_sent, i + 6);
	assert_string_equal(a->sent[i + 5].bytes, a->sent[i + 1].bytes);
	case_counted(a, txn_rx_retransmission, 5);
	case_counted(a, txn_started, 1);
	case_end(a);
}

static void changed_retransmission_of_our_own_answer_is_counted(void **state)
{
	struct app *a = case_start(NULL);

	(void)state;
	app_rx_text(a, BOB_IP, 5060,
		    phone_request("REGISTER", "sip:example.com", BOB, BOB, BOB_IP, 5060, 1, 1, ""));
	app_rx_text(a, BOB_IP, 5060,
		    phone_request("REGISTER", "sip:example.com", BOB, BOB, BOB_IP, 5060, 1, 1, ""));
	assert_int_equal(a->n_sent, 2);
	assert_string_equal(a->sent[0].bytes, a->sent[1].bytes);
	app_rx_text(a, BOB_IP, 5060,
		    phone_request("REGISTER", "sip:example.com", BOB, BOB, BOB_IP, 5060, 1, 1,
				  "X: y\r\n"));
	assert_int_equal(a->n_sent, 2);
	case_counted(a, txn_changed_retransmission, 1);
	case_end(a);
}

static void long_answer_is_relayed_once_where_it_cannot_be_kept(void **state)
{
	static char body[50001];
	struct app *a = case_start(NULL);
	struct sip_msg m;
	struct str s;
	uint32_t i, n;

	(void)state;
	memset(body, 'b', 50000);
	case_alice(a, "MESSAGE", "sip:x@10.0.0.9", 1, "");
	i = case_find(a, 0, "MESSAGE ");
	s = app_parse(a, i, &m);
	n = a->n_sent;
	case_rx(a, "10.0.0.9",
		"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.1:5060;branch=%.*s;rport\r\n"
		"Via: SIP/2.0/UDP "
		"10.0.0.2:5060;branch=z9hG4bK-1-MESSAGE;rport=5060;received=10.0.0.2\r\n"
		"From: <" ALICE ">;tag=f1\r\nTo: <" BOB ">;tag=b\r\nCall-ID: call-1@10.0.0.2\r\n"
		"CSeq: 1 MESSAGE\r\nContent-Length: 50000\r\n\r\n%s",
		(int)m.via_branch.len, s.s + m.via_branch.off, body);
	assert_int_equal(a->n_sent, n + 1);
	assert_true(app_starts(a, n, "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;"));
	assert_int_equal(strspn(strstr(a->sent[n].bytes, "\r\n\r\n") + 4, "b"), 50000);
	case_counted(a, link_bad_record, 0);
	case_end(a);
}

static void few_transactions(struct conf *c)
{
	c->transactions = 20;
}

static void few_branches(struct conf *c)
{
	c->branches = 3;
}

static void exhausted_tables_refuse_and_leak_nothing(void **state)
{
	void (*const change[])(struct conf *) = {few_transactions, few_branches};

	(void)state;
	for (int k = 0; k < 2; k++) {
		struct app *a = case_start(change[k]);
		uint32_t n;

		for (int i = 0; i < 30; i++)
			case_alice(a, k ? "INVITE" : "MESSAGE", "sip:x@10.0.0.9", i, "");
		n = case_count(a, "SIP/2.0 503 Service Unavailable\r\n");
		assert_int_equal(n, k ? 27 : 12); /* a tenth of the transactions is kept */
		case_counted(a, txn_no_record, n);
		assert_true(app_has(a, case_find(a, 0, "SIP/2.0 503"), "\r\nRetry-After: 5\r\n"));
		app_audit(a, false);
		if (k == 0) /* the reserve is for what is in a dialog */
			for (int i = 0; i < 2; i++)
				case_rx(a, ALICE_IP,
					"BYE sip:x@10.0.0.9 SIP/2.0\r\n"
					"Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bKbye%d\r\n"
					"From: <sip:a@h>;tag=f\r\nTo: <sip:b@h>;tag=t\r\nCall-ID: "
					"c\r\n"
					"CSeq: %d BYE\r\nContent-Length: 0\r\n\r\n",
					i, i + 1);
		assert_int_equal(case_count(a, "BYE "), k == 0 ? 2 : 0);
		case_end(a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forwarded_invite_has_exactly_our_edits),
		cmocka_unit_test(top_via_learns_where_it_came_from),
		cmocka_unit_test(max_forwards_is_counted_down_or_added),
		cmocka_unit_test(own_route_values_are_removed),
		cmocka_unit_test(next_hop_is_the_first_foreign_route),
		cmocka_unit_test(record_route_is_added_where_a_dialog_begins),
		cmocka_unit_test(path_of_a_binding_becomes_the_route),
		cmocka_unit_test(provisionals_and_2xx_are_relayed_each_time),
		cmocka_unit_test(ack_for_2xx_is_forwarded_as_its_own_request),
		cmocka_unit_test(refusal_is_acked_by_us_and_repeated_until_acked),
		cmocka_unit_test(refusal_never_acked_ends_by_timer_h),
		cmocka_unit_test(failed_send_is_477_and_the_end_of_it),
		cmocka_unit_test(silent_callee_is_408_to_an_invite_and_nothing_to_others),
		cmocka_unit_test(retransmitted_request_gets_the_same_reply),
		cmocka_unit_test(changed_retransmission_of_our_own_answer_is_counted),
		cmocka_unit_test(long_answer_is_relayed_once_where_it_cannot_be_kept),
		cmocka_unit_test(exhausted_tables_refuse_and_leak_nothing),
	};

	return cmocka_run_group_tests_name("sim/proxy", tests, NULL, NULL);
}
