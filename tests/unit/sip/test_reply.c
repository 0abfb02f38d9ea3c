/* SPDX-License-Identifier: Apache-2.0 */
/* reply.c: requests go through the message parser, the program is rendered, and every octet of the
 * result is compared: Via with received and rport, tags, 100, malformed requests, ACK and
 * CANCEL. */
#include "platform/sip/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/guard.h"

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))
#define WORDS_MAX 1024
#define REST                                                                                       \
	"From: <sip:a@h>;tag=1\r\n"                                                                \
	"To: <sip:b@h>\r\n"                                                                        \
	"Call-ID: c@h\r\n"                                                                         \
	"CSeq: 7 OPTIONS\r\n"
#define ANSWERED                                                                                   \
	"From: <sip:a@h>;tag=1\r\n"                                                                \
	"To: <sip:b@h>;tag=tt\r\n"                                                                 \
	"Call-ID: c@h\r\n"                                                                         \
	"CSeq: 7 OPTIONS\r\n"                                                                      \
	"Content-Length: 0\r\n\r\n"

static const struct sip_limits limits = { SIP_MSG_MAX, 1000, 4000, SIP_HDRS_MAX };
static struct sip_op words[WORDS_MAX];
static char out[8192];

static int parse(struct str req, struct sip_msg *m)
{
	struct sip_fault fault = { 0 };
	int r = sip_msg_parse(req, &limits, m, &fault);

	if (r < 0)
		assert_true(fault.answerable);
	return r;
}

static struct str reply_to(struct str req, const struct sip_reply *r)
{
	struct sip_program p = sip_program_of(words, WORDS_MAX);
	struct sip_msg m;
	int n;

	(void)parse(req, &m); /* the malformed ones are asserted where they are made */
	assert_int_equal(sip_reply_program(req.s, &m, r, &p), 0);
	n = sip_program_render(p.word, p.n, req.s, req.len, out, sizeof(out));
	assert_true(n > 0);
	return str_of(out, (size_t)n);
}

static void assert_bytes(struct str got, struct str expected)
{
	if (!str_eq(got, expected))
		fail_msg("got:\n%.*s\nexpected:\n%.*s", STR_FMT(got), STR_FMT(expected));
}

/* The answer to an OPTIONS with these Via lines, from 10.0.0.9:4444. */
static void assert_vias(struct str vias, struct str expected)
{
	const struct sip_reply r = {
		.status = 200, .to_tag = STR("tt"), .received = STR("10.0.0.9"), .rport = 4444
	};
	static char req[2048], answer[2048];
	struct strbuf a = strbuf_of(req, sizeof(req)), b = strbuf_of(answer, sizeof(answer));

	strbuf_put(&a, STR("OPTIONS sip:b@h SIP/2.0\r\n"));
	strbuf_put(&a, vias);
	strbuf_put(&a, STR(REST "\r\n"));
	strbuf_put(&b, STR("SIP/2.0 200 OK\r\n"));
	strbuf_put(&b, expected);
	strbuf_put(&b, STR(ANSWERED));
	assert_bytes(reply_to(strbuf_str(&a), &r), strbuf_str(&b));
}

static void bare_rport_answered_gets_value_and_received(void **state)
{
	assert_vias(STR("Via: SIP/2.0/UDP 10.1.1.1:5060;rport;branch=z9hG4bK1\r\n"),
		    STR("Via: SIP/2.0/UDP "
			"10.1.1.1:5060;rport=4444;branch=z9hG4bK1;received=10.0.0.9\r\n"));
	assert_vias(STR("Via: SIP/2.0/UDP h;branch=z9hG4bK1;rport\r\n"),
		    STR("Via: SIP/2.0/UDP h;branch=z9hG4bK1;rport=4444;received=10.0.0.9\r\n"));
}

static void rport_with_value_answered_is_replaced(void **state)
{
	assert_vias(STR("Via: SIP/2.0/UDP h;rport=5060;branch=z9hG4bK1\r\n"),
		    STR("Via: SIP/2.0/UDP h;rport=4444;branch=z9hG4bK1;received=10.0.0.9\r\n"));
	assert_vias(STR("Via: SIP/2.0/UDP h;branch=z9hG4bK1;Rport = 1\r\n"),
		    STR("Via: SIP/2.0/UDP h;branch=z9hG4bK1;Rport=4444;received=10.0.0.9\r\n"));
}

static void no_rport_answered_gets_received_only(void **state)
{
	assert_vias(STR("Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"),
		    STR("Via: SIP/2.0/UDP h;branch=z9hG4bK1;received=10.0.0.9\r\n"));
	assert_vias(STR("Via: SIP/2.0/UDP h\r\n"), STR("Via: SIP/2.0/UDP h;received=10.0.0.9\r\n"));
}

static void received_of_the_client_answered_is_replaced(void **state)
{
	assert_vias(STR("Via: SIP/2.0/UDP h;received=1.2.3.4;rport;branch=z9hG4bK1\r\n"),
		    STR("Via: SIP/2.0/UDP h;rport=4444;branch=z9hG4bK1;received=10.0.0.9\r\n"));
	assert_vias(STR("Via: SIP/2.0/UDP h;branch=z9hG4bK1 ; received = [2001:db8::9:255]\r\n"),
		    STR("Via: SIP/2.0/UDP h;branch=z9hG4bK1 ;received=10.0.0.9\r\n"));
}

static void top_value_answered_changes_alone(void **state)
{
	/* a value of its own line below, values behind it on its line, and both */
	assert_vias(STR("Via: SIP/2.0/UDP h1;rport;branch=z9hG4bK1\r\n"
			"Via: SIP/2.0/UDP h2;rport;branch=z9hG4bK2;received=9.9.9.9\r\n"),
		    STR("Via: SIP/2.0/UDP h1;rport=4444;branch=z9hG4bK1;received=10.0.0.9\r\n"
			"Via: SIP/2.0/UDP h2;rport;branch=z9hG4bK2;received=9.9.9.9\r\n"));
	assert_vias(STR("Via: SIP/2.0/UDP h1;rport;branch=z9hG4bK1,SIP/2.0/TCP "
			"h2;rport;branch=z9hG4bK2, "
			"SIP/2.0/UDP h3;received=1.1.1.1\r\nv: SIP/2.0/TLS h4;rport\r\n"),
		    STR("Via: SIP/2.0/UDP h1;rport=4444;branch=z9hG4bK1;received=10.0.0.9,"
			"SIP/2.0/TCP h2;rport;branch=z9hG4bK2, SIP/2.0/UDP h3;received=1.1.1.1\r\n"
			"v: SIP/2.0/TLS h4;rport\r\n"));
	/* rport below is no question to us */
	assert_vias(STR("Via: SIP/2.0/UDP h1;branch=z9hG4bK1, SIP/2.0/UDP h2;rport\r\n"),
		    STR("Via: SIP/2.0/UDP h1;branch=z9hG4bK1;received=10.0.0.9, SIP/2.0/UDP "
			"h2;rport\r\n"));
}

static void folded_via_answered_keeps_its_folds(void **state)
{
	assert_vias(STR("v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   "
			"z9hG4bK9ikj8 ;\r\n"
			" rport ,\r\n SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n "
			"z9hG4bK30239\r\n"),
		    STR("v:  SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   "
			"z9hG4bK9ikj8 ;\r\n"
			" rport=4444;received=10.0.0.9 ,\r\n SIP  /    2.0   / UDP  "
			"192.168.255.111   ; branch=\r\n"
			" z9hG4bK30239\r\n"));
}

static void lines_with_other_ends_answered_end_with_cr_lf(void **state)
{
	assert_vias(STR("Via: SIP/2.0/UDP h;branch=z9hG4bK1\nVia: SIP/2.0/UDP h2 \t\r\n"),
		    STR("Via: SIP/2.0/UDP h;branch=z9hG4bK1;received=10.0.0.9\r\nVia: SIP/2.0/UDP "
			"h2\r\n"));
}

static void nothing_to_set_answered_repeats_the_request(void **state)
{
	const struct sip_reply r = { .status = 404 };

	assert_bytes(reply_to(STR("OPTIONS sip:b@h SIP/2.0\r\n"
				  "Max-Forwards: 70\r\n"
				  "i: c@h\r\n"
				  "t : <sip:b@h>\r\n"
				  "Via: SIP/2.0/UDP h;rport;branch=z9hG4bK1;received=1.1.1.1\r\n"
				  "Timestamp: 54\r\n"
				  "CSEQ: 7 OPTIONS\r\n"
				  "Record-Route: <sip:p;lr>\r\n"
				  "f:<sip:a@h>;tag=1\r\n"
				  "l: 0\r\n\r\n"),
			      &r),
		     STR("SIP/2.0 404 Not Found\r\n"
			 "Via: SIP/2.0/UDP h;rport;branch=z9hG4bK1;received=1.1.1.1\r\n"
			 "f:<sip:a@h>;tag=1\r\n"
			 "t : <sip:b@h>\r\n"
			 "i: c@h\r\n"
			 "CSEQ: 7 OPTIONS\r\n"
			 "Content-Length: 0\r\n\r\n"));
}

#define ORDERED(to)                                                                                \
	"Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"                                                   \
	"Record-Route: <sip:p1;lr>,<sip:p2;lr>\r\n"                                                \
	"Record-Route: <sip:p3;lr>\r\n"                                                            \
	"From: <sip:a@h>;tag=1\r\n" to "Call-ID: c@h\r\n"                                          \
	"CSeq: 7 INVITE\r\n"
#define NO_ROUTES(to)                                                                              \
	"Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"                                                   \
	"From: <sip:a@h>;tag=1\r\n" to "Call-ID: c@h\r\n"                                          \
	"CSeq: 7 INVITE\r\n"
#define INVITE(to)                                                                                 \
	"INVITE sip:b@h SIP/2.0\r\n" ORDERED(to) "Timestamp: 54.2 1\r\nExpires: 3\r\n\r\n"

static void provisional_100_answered_has_timestamp_and_no_tag(void **state)
{
	const struct sip_reply r = { .status = 100, .to_tag = STR("tt") };

	assert_bytes(reply_to(STR(INVITE("To: sip:b@h\r\n")), &r),
		     STR("SIP/2.0 100 Trying\r\n" NO_ROUTES(
			     "To: sip:b@h\r\n") "Timestamp: 54.2 1\r\nContent-Length: 0\r\n\r\n"));
}

static void dialog_made_answered_copies_record_route_extra_and_body(void **state)
{
	const struct sip_reply r = { .status = 183,
				     .reason = STR("Session \xe2\x82\xac"),
				     .to_tag = STR("t-1"),
				     .record_route = true,
				     .extra = STR(
					     "Contact: <sip:e>\r\nContent-Type: text/plain\r\n"),
				     .body = STR("hello\r\n") };

	assert_bytes(reply_to(STR(INVITE("To: sip:b@h\r\n")), &r),
		     STR("SIP/2.0 183 Session \xe2\x82\xac\r\n" ORDERED(
			     "To: sip:b@h;tag=t-1\r\n") "Contact: <sip:e>\r\nContent-Type: "
							"text/plain\r\nContent-Length: "
							"7\r\n\r\nhello\r\n"));
}

static void tag_of_the_request_answered_stays(void **state)
{
	const struct sip_reply r = { .status = 486, .to_tag = STR("ours") };

	assert_bytes(
		reply_to(STR(INVITE("To: \"x;tag=no\" <sip:b@h;tag=no> ; Tag = theirs\r\n")), &r),
		STR("SIP/2.0 486 Busy Here\r\n" NO_ROUTES(
			"To: \"x;tag=no\" <sip:b@h;tag=no> ; Tag = theirs\r\n") "Content-Length: "
										"0\r\n\r\n"));
	assert_bytes(
		reply_to(STR(INVITE("To: \"x;tag=no\" <sip:b@h;tag=no> ;\r\n a \t\r\n")), &r),
		STR("SIP/2.0 486 Busy Here\r\n" NO_ROUTES(
			"To: \"x;tag=no\" <sip:b@h;tag=no> ;\r\n a;tag=ours\r\n") "Content-Length: "
										  "0\r\n\r\n"));
}

/* In the usual order of lines there is little to copy. */
static void usual_request_answered_takes_few_ops(void **state)
{
	const struct sip_reply r = { .status = 100 };
	struct str req = STR("INVITE sip:b@h SIP/2.0\r\n" NO_ROUTES("To: sip:b@h\r\n") "\r\n");
	struct sip_program p = sip_program_of(words, WORDS_MAX);
	struct sip_msg m;

	assert_int_equal(parse(req, &m), 0);
	assert_int_equal(sip_reply_program(req.s, &m, &r, &p), 0);
	assert_int_equal(p.n, (1 + 5) + 1 + (1 + 6)); /* text of 20, one copy, text of 21 octets */
}

static void malformed_request_answered_from_what_is_readable(void **state)
{
	const struct sip_reply r = { .status = 400,
				     .reason = STR("Bad CSeq header"),
				     .to_tag = STR("tt"),
				     .received = STR("10.0.0.9"),
				     .rport = 4444 };
	struct str req = STR("INVITE sip:b@h SIP/2.0\r\n"
			     "Via: SIP/2.0/UDP h;rport;branch=z9hG4bK1\r\n"
			     "To: sip:b@h\r\n"
			     "To: sip:other@h;tag=2\r\n"
			     "From: sip:a@h;tag=1\r\n"
			     "From: sip:other@h\r\n"
			     "Call-ID: c1@h\r\n"
			     "CSeq: 5 INVITE\r\n"
			     "Call-ID: c2@h\r\n"
			     "CSeq: 59 BYE\r\n"
			     "Content-Length: -9\r\n\r\nbody");
	struct sip_msg m;

	assert_true(parse(req, &m) < 0);
	assert_bytes(reply_to(req, &r),
		     STR("SIP/2.0 400 Bad CSeq header\r\n"
			 "Via: SIP/2.0/UDP h;rport=4444;branch=z9hG4bK1;received=10.0.0.9\r\n"
			 "From: sip:a@h;tag=1\r\n"
			 "To: sip:b@h;tag=tt\r\n"
			 "Call-ID: c1@h\r\n"
			 "CSeq: 5 INVITE\r\n"
			 "Content-Length: 0\r\n\r\n"));
}

/* badvers: the 505 knows where the request came from. */
static void other_version_answered_has_received(void **state)
{
	const struct sip_reply r = { .status = 505,
				     .to_tag = STR("tt"),
				     .received = STR("10.0.0.9") };
	struct str req = STR("OPTIONS sip:t.watson@example.org SIP/7.0\r\n"
			     "Via:     SIP/7.0/UDP c.example.com;branch=z9hG4bKkdjuw\r\n"
			     "Max-Forwards:     70\r\n"
			     "From:    A. Bell <sip:a.g.bell@example.com>;tag=qweoiqpe\r\n"
			     "To:      T. Watson <sip:t.watson@example.org>\r\n"
			     "Call-ID: badvers.31417@c.example.com\r\n"
			     "CSeq:    1 OPTIONS\r\n"
			     "l: 0\r\n\r\n");
	struct sip_msg m;

	assert_int_equal(parse(req, &m), -E_VERSION);
	assert_bytes(
		reply_to(req, &r),
		STR("SIP/2.0 505 Version Not Supported\r\n"
		    "Via:     SIP/7.0/UDP c.example.com;branch=z9hG4bKkdjuw;received=10.0.0.9\r\n"
		    "From:    A. Bell <sip:a.g.bell@example.com>;tag=qweoiqpe\r\n"
		    "To:      T. Watson <sip:t.watson@example.org>;tag=tt\r\n"
		    "Call-ID: badvers.31417@c.example.com\r\n"
		    "CSeq:    1 OPTIONS\r\n"
		    "Content-Length: 0\r\n\r\n"));
}

static void program_memory_too_small_is_full(void **state)
{
	const struct sip_reply r = { .status = 200,
				     .to_tag = STR("tt"),
				     .received = STR("1.1.1.1"),
				     .rport = 1,
				     .extra = STR("X: y\r\n"),
				     .body = STR("b") };
	struct str req = STR("OPTIONS sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP h;rport\r\n" REST "\r\n");
	struct sip_program p = sip_program_of(words, WORDS_MAX);
	struct sip_msg m;
	uint32_t need;

	assert_int_equal(parse(req, &m), 0);
	assert_int_equal(sip_reply_program(req.s, &m, &r, &p), 0);
	need = p.n;
	for (uint32_t cap = 0; cap < need; cap++) {
		p = sip_program_of(words, cap);
		assert_int_equal(sip_reply_program(req.s, &m, &r, &p), -E_FULL);
		assert_true(p.n <= cap);
	}
	p = sip_program_of(words, need);
	assert_int_equal(sip_reply_program(req.s, &m, &r, &p), 0);
}

/* Whatever the head is cut down to, what the parser calls answerable can be answered, and nothing
 * is read behind it. */
static void answer_prefix(const void *bytes, size_t len, void *ctx)
{
	const struct sip_reply r = { .status = 400,
				     .to_tag = STR("tt"),
				     .received = STR("10.0.0.9"),
				     .rport = 4444,
				     .record_route = true };
	struct sip_program p = sip_program_of(words, WORDS_MAX);
	struct str req = str_of(bytes, len);
	struct sip_fault fault = { 0 };
	struct sip_msg m;
	int n, *n_answered = ctx;

	if (sip_msg_parse(req, &limits, &m, &fault) < 0 && !fault.answerable)
		return;
	assert_int_equal(sip_reply_program(req.s, &m, &r, &p), 0);
	n = sip_program_render(p.word, p.n, req.s, req.len, out, sizeof(out));
	assert_true(n > 0);
	assert_true(
		str_starts_with(str_of(out, (size_t)n), STR("SIP/2.0 400 Bad Request\r\nVia: ")));
	assert_memory_equal(out + n - 21, "Content-Length: 0\r\n\r\n", 21);
	(*n_answered)++;
}

static void every_prefix_answered_stays_inside(void **state)
{
	struct str req =
		STR("INVITE sip:b@h SIP/2.0\r\n"
		    "Via: SIP/2.0/UDP h1;rport;branch=z9hG4bK1 , SIP/2.0/UDP h2;rport\r\n" REST
		    "Record-Route: <sip:p1;lr>,<sip:p2;lr>\r\n"
		    "Timestamp: 5\r\n\r\n");
	int n_answered = 0;

	guard_each_prefix(req.s, req.len, answer_prefix, &n_answered);
	assert_true(n_answered >= 1);
}

#define SENT                                                                                       \
	"INVITE sip:b@10.0.0.2;x SIP/2.0\r\n"                                                      \
	"Via: SIP/2.0/UDP us;branch=z9hG4bKus, SIP/2.0/UDP h;branch=z9hG4bKh\r\n"                  \
	"Via: SIP/2.0/UDP h0\r\n"                                                                  \
	"Max-Forwards: 3\r\n"                                                                      \
	"Route: <sip:r1;lr>,\r\n <sip:r2;lr>\r\n"                                                  \
	"f: <sip:a@h>;tag=1\r\n"                                                                   \
	"t: <sip:b@h>\r\n"                                                                         \
	"Route: <sip:r3;lr>\r\n"                                                                   \
	"i: c@h\r\n"                                                                               \
	"CSeq: 007 INVITE\r\n"                                                                     \
	"Require: x\r\n"                                                                           \
	"Content-Type: a/b\r\nContent-Length: 1\r\n\r\nB"
#define FOLLOWS(method, to)                                                                        \
	method " sip:b@10.0.0.2;x SIP/2.0\r\n"                                                     \
	       "Via: SIP/2.0/UDP us;branch=z9hG4bKus\r\n"                                          \
	       "Max-Forwards: 70\r\n"                                                              \
	       "Route: <sip:r1;lr>,\r\n <sip:r2;lr>\r\n"                                           \
	       "Route: <sip:r3;lr>\r\n"                                                            \
	       "From: <sip:a@h>;tag=1\r\n"                                                         \
	       "To: " to "\r\n"                                                                    \
	       "Call-ID: c@h\r\n"                                                                  \
	       "CSeq: 7 " method "\r\n"

static void invite_refused_is_acked_with_the_to_of_the_answer(void **state)
{
	struct str sent = STR(SENT), to = STR("<sip:b@h>;tag=theirs");
	struct str expected =
		STR(FOLLOWS("ACK", "<sip:b@h>;tag=theirs") "Content-Length: 0\r\n\r\n");
	struct sip_msg m;

	assert_int_equal(parse(sent, &m), 0);
	for (uint32_t cap = 0; cap < expected.len; cap++)
		assert_int_equal(sip_ack_build(sent.s, &m, to, out, cap), -E_TOO_LONG);
	assert_int_equal(sip_ack_build(sent.s, &m, to, out, expected.len), expected.len);
	assert_bytes(str_of(out, expected.len), expected);
}

static void invite_cancelled_repeats_its_to_and_says_why(void **state)
{
	struct str sent = STR(SENT), why = STR("SIP;cause=200;text=\"Call completed elsewhere\"");
	struct str plain = STR(FOLLOWS("CANCEL", "<sip:b@h>") "Content-Length: 0\r\n\r\n");
	struct str reasoned = STR(FOLLOWS(
		"CANCEL", "<sip:b@h>") "Reason: SIP;cause=200;text=\"Call completed elsewhere\"\r\n"
				       "Content-Length: 0\r\n\r\n");
	struct sip_msg m;

	assert_int_equal(parse(sent, &m), 0);
	assert_int_equal(sip_cancel_build(sent.s, &m, STR_NONE, out, sizeof(out)), plain.len);
	assert_bytes(str_of(out, plain.len), plain);
	assert_int_equal(sip_cancel_build(sent.s, &m, why, out, reasoned.len), reasoned.len);
	assert_bytes(str_of(out, reasoned.len), reasoned);
	assert_int_equal(sip_cancel_build(sent.s, &m, why, out, reasoned.len - 1), -E_TOO_LONG);
}

static void new_request_built_passes_the_parser(void **state)
{
	const struct sip_new_request r = { .method = STR("OPTIONS"),
					   .ruri = STR("sip:gw"),
					   .via = STR("SIP/2.0/TCP us;branch=z9hG4bK9"),
					   .from = STR("<sip:us>;tag=f"),
					   .to = STR("<sip:gw>"),
					   .call_id = STR("probe-1"),
					   .cseq = 4000000000u / 2,
					   .extra = STR("User-Agent: x\r\n") };
	struct str expected = STR("OPTIONS sip:gw SIP/2.0\r\n"
				  "Via: SIP/2.0/TCP us;branch=z9hG4bK9\r\n"
				  "Max-Forwards: 70\r\n"
				  "From: <sip:us>;tag=f\r\n"
				  "To: <sip:gw>\r\n"
				  "Call-ID: probe-1\r\n"
				  "CSeq: 2000000000 OPTIONS\r\n"
				  "User-Agent: x\r\n"
				  "Content-Length: 0\r\n\r\n");
	struct sip_msg m;

	assert_int_equal(sip_request_build(&r, out, sizeof(out)), expected.len);
	assert_bytes(str_of(out, expected.len), expected);
	assert_int_equal(parse(str_of(out, expected.len), &m), 0);
	assert_int_equal(m.cseq, 2000000000);
	assert_int_equal(sip_request_build(&r, out, expected.len - 1), -E_TOO_LONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bare_rport_answered_gets_value_and_received),
		cmocka_unit_test(rport_with_value_answered_is_replaced),
		cmocka_unit_test(no_rport_answered_gets_received_only),
		cmocka_unit_test(received_of_the_client_answered_is_replaced),
		cmocka_unit_test(top_value_answered_changes_alone),
		cmocka_unit_test(folded_via_answered_keeps_its_folds),
		cmocka_unit_test(lines_with_other_ends_answered_end_with_cr_lf),
		cmocka_unit_test(nothing_to_set_answered_repeats_the_request),
		cmocka_unit_test(provisional_100_answered_has_timestamp_and_no_tag),
		cmocka_unit_test(dialog_made_answered_copies_record_route_extra_and_body),
		cmocka_unit_test(tag_of_the_request_answered_stays),
		cmocka_unit_test(usual_request_answered_takes_few_ops),
		cmocka_unit_test(malformed_request_answered_from_what_is_readable),
		cmocka_unit_test(other_version_answered_has_received),
		cmocka_unit_test(program_memory_too_small_is_full),
		cmocka_unit_test(every_prefix_answered_stays_inside),
		cmocka_unit_test(invite_refused_is_acked_with_the_to_of_the_answer),
		cmocka_unit_test(invite_cancelled_repeats_its_to_and_says_why),
		cmocka_unit_test(new_request_built_passes_the_parser),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
