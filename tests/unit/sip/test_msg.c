/* SPDX-License-Identifier: Apache-2.0 */
/* msg*.c: what an index holds of a good message, octet by octet; each fault by its status, place
 * and text; what a fault leaves readable; and the accessors, also on an index made by an enemy. */
#include "platform/sip/msg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/guard.h"

static const struct sip_limits limits = {4096, 256, 512, 64};
static struct sip_msg m;
static struct sip_fault fault;
static char text[SIP_MSG_MAX + 1024];

#define VIA "Via: SIP/2.0/UDP 192.0.2.1:5062;rport;branch=z9hG4bKabc\r\n"
#define FROM "From: \"A, B\" <sip:alice@example.com>;tag=f1\r\n"
#define TO "To: <sip:bob@example.net>\r\n"
#define CALL_ID "Call-ID: c1@192.0.2.1\r\n"
#define CSEQ "CSeq: 7 INVITE\r\n"
#define REQUEST_LINE "INVITE sip:bob;x=1@example.net:5070;transport=udp SIP/2.0\r\n"
#define BASIC VIA FROM TO CALL_ID CSEQ
#define WITH(headers) REQUEST_LINE BASIC headers "\r\n"
#define RESPONSE(headers) "SIP/2.0 200 OK\r\n" BASIC headers "\r\n"

#define assert_span(base, span, literal)                                                           \
	do {                                                                                       \
		struct str got_ = sip_span_str(base, span), want_ = STR(literal);                  \
		assert_int_equal(got_.len, want_.len);                                             \
		assert_memory_equal(got_.s, want_.s, want_.len);                                   \
	} while (0)
#define assert_view(view, literal)                                                                 \
	do {                                                                                       \
		struct str got_ = (view), want_ = STR(literal);                                    \
		assert_int_equal(got_.len, want_.len);                                             \
		assert_memory_equal(got_.s, want_.s, want_.len);                                   \
	} while (0)

static void check_ok(struct str s)
{
	int ret = sip_msg_parse(s, &limits, &m, &fault);

	if (ret != 0)
		fail_msg("%s at %u in: %.*s", fault.text, fault.off, STR_FMT(s));
	assert_true(sip_msg_index_ok(&m, s.len));
	assert_int_equal(fault.err, 0);
}

static void check_fault_str(struct str s, int err, unsigned status, enum sip_hdr_id hdr,
			    bool answerable, const char *what)
{
	int ret = sip_msg_parse(s, &limits, &m, &fault);

	if (ret == 0)
		fail_msg("taken: %.*s", STR_FMT(s));
	assert_string_equal(fault.text, what);
	assert_int_equal(ret, -err);
	assert_int_equal(fault.err, -err);
	assert_int_equal(fault.status, status);
	assert_int_equal(fault.hdr, hdr);
	assert_int_equal(fault.answerable, answerable);
	assert_true(fault.off <= s.len);
	assert_true(sip_msg_index_ok(&m, s.len));
}
#define check_fault(literal, ...) check_fault_str(STR(literal), __VA_ARGS__)

static void request_parsed_has_each_value(void **state)
{
	static const char s[] =
		WITH("Max-Forwards: 70\r\nExpires: 60\r\nl: 4\r\nX-Y: z\r\n") "bodyrest";

	check_ok(STR(s));
	assert_int_equal(m.status, 0);
	assert_int_equal(m.method, SIP_M_INVITE);
	assert_int_equal(m.n_lines, 9);
	assert_int_equal(m.ruri_scheme, SIP_URI_SIP);
	assert_int_equal(m.flags, SIP_MSG_VIA_RPORT | SIP_MSG_MAGIC_BRANCH | SIP_MSG_RURI_USER);
	assert_int_equal(m.max_forwards, 70);
	assert_int_equal(m.expires_s, 60);
	assert_int_equal(m.ruri_port, 5070);
	assert_int_equal(m.cseq, 7);
	assert_int_equal(m.via_port, 5062);
	assert_int_equal(m.body_len, 4);
	assert_int_equal(m.body_off, sizeof(s) - 1 - 8);
	assert_int_equal(m.head_end, m.body_off - 2);
	assert_int_equal(m.len_bytes, sizeof(s) - 1 - 4);
	assert_span(s, m.method_text, "INVITE");
	assert_span(s, m.ruri, "sip:bob;x=1@example.net:5070;transport=udp");
	assert_span(s, m.ruri_user, "bob;x=1");
	assert_span(s, m.ruri_host, "example.net");
	assert_span(s, m.call_id, "c1@192.0.2.1");
	assert_span(s, m.from_tag, "f1");
	assert_int_equal(m.to_tag.len, 0);
	assert_span(s, m.from_uri, "sip:alice@example.com");
	assert_span(s, m.to_uri, "sip:bob@example.net");
	assert_span(s, m.via_branch, "z9hG4bKabc");
	assert_span(s, m.via_sent_by, "192.0.2.1:5062");
	assert_span(s, m.via_host, "192.0.2.1");
	assert_int_equal(m.via_value_len, sizeof(VIA) - 1 - 7);
}

static void response_parsed_has_status_and_cseq_method(void **state)
{
	static const char s[] =
		"SIP/2.0 486 Busy Here\r\n" VIA FROM
		"t: Bob <sip:bob@example.net> ;TAG=t9\r\n" CALL_ID "CSeq: 7 BYE\r\n\r\n";

	check_ok(STR(s));
	assert_int_equal(m.status, 486);
	assert_int_equal(m.method, SIP_M_BYE);
	assert_span(s, m.method_text, "BYE");
	assert_span(s, m.ruri, "Busy Here");
	assert_span(s, m.to_tag, "t9");
	assert_int_equal(m.flags, SIP_MSG_VIA_RPORT | SIP_MSG_MAGIC_BRANCH | SIP_MSG_TO_TAG);
	assert_int_equal(m.max_forwards, SIP_NO_MAX_FORWARDS);
	assert_int_equal(m.expires_s, SIP_NO_EXPIRES);
	assert_int_equal(m.body_len, 0);
}

/* The odd shapes go through the strict functions and yield the same spans. */
static void unusual_values_parsed_yield_the_same(void **state)
{
	static const char s[] =
		"OPTIONS sips:a%40b:pw@[2001:db8::1]:5071 sip/2.0\r\n"
		"Via : SIP / 2.0 / TCP  [2001:db8::2] : 5063 ; branch = z9HG4bKx ,\r\n"
		" SIP/2.0/UDP h;rport=5;received=192.0.2.9\r\n"
		"From:\r\n  sip:c@example.com ; tag = f2\r\n"
		"To:\"D \\\"\"<sip:d@e.example>\r\n"
		"Call-ID: x\r\nCSeq: 1 OPTIONS\r\n\r\n";

	check_ok(STR(s));
	assert_int_equal(m.method, SIP_M_OPTIONS);
	assert_span(s, m.to_uri, "sip:d@e.example");
	assert_int_equal(m.flags, SIP_MSG_MAGIC_BRANCH | SIP_MSG_RURI_USER);
	assert_int_equal(m.ruri_scheme, SIP_URI_SIPS);
	assert_int_equal(m.ruri_port, 5071);
	assert_span(s, m.ruri_user, "a%40b:pw");
	assert_span(s, m.ruri_host, "[2001:db8::1]");
	assert_span(s, m.via_sent_by, "[2001:db8::2] : 5063");
	assert_span(s, m.via_host, "[2001:db8::2]");
	assert_int_equal(m.via_port, 5063);
	assert_span(s, m.via_branch, "z9HG4bKx");
	assert_span(s, m.from_tag, "f2");
	assert_span(s, m.from_uri, "sip:c@example.com");
}

static void ruri_of_another_scheme_is_taken(void **state)
{
	check_ok(STR("INVITE tel:+4930123;x=1 SIP/2.0\r\n" BASIC "\r\n"));
	assert_int_equal(m.ruri_scheme, SIP_URI_TEL);
	assert_span("INVITE tel:+4930123", m.ruri_user, "+4930123");
	assert_int_equal(m.flags & SIP_MSG_RURI_USER, 0);
	check_ok(STR("INVITE urn:service:sos SIP/2.0\r\n" BASIC "\r\n"));
	assert_int_equal(m.ruri_scheme, SIP_URI_URN);
	check_ok(STR("INVITE http://example.com/ SIP/2.0\r\n" BASIC "\r\n"));
	assert_int_equal(m.ruri_scheme, SIP_URI_OTHER);
}

static void line_ends_of_all_kinds_are_taken(void **state)
{
	static const char crlf[] = "\r\n\r\n" WITH("l: 1\r\n") "b";
	uint32_t n = 0;

	check_ok(STR(crlf));
	assert_int_equal(m.line[0].off, 4 + sizeof(REQUEST_LINE) - 1);
	assert_int_equal(m.len_bytes, sizeof(crlf) - 1);
	for (size_t i = 0; i < sizeof(crlf) - 1; i++)
		if (crlf[i] != '\r')
			text[n++] = crlf[i];
	check_ok(str_of(text, n));
	assert_int_equal(m.n_lines, 6);
	assert_int_equal(m.body_off, n - 1);
	assert_int_equal(m.head_end, n - 2);
}

static void content_length_absent_makes_the_rest_the_body(void **state)
{
	check_ok(STR(WITH("") "a\0b\rc"));
	assert_int_equal(m.body_len, 5);
}

static void expires_odd_is_read_leniently(void **state)
{
	check_ok(STR(WITH("Expires: soon\r\n")));
	assert_int_equal(m.expires_s, 3600);
	check_ok(STR(WITH("Expires: 99999999999999999999\r\n")));
	assert_int_equal(m.expires_s, 0xfffffffe);
	check_ok(STR(WITH("Expires: 0\r\n")));
	assert_int_equal(m.expires_s, 0);
}

static void not_sip_is_dropped(void **state)
{
	check_fault("", E_MALFORMED, 0, SIP_H_OTHER, false, "Not a SIP message");
	check_fault("\r\n\r\n", E_MALFORMED, 0, SIP_H_OTHER, false, "Not a SIP message");
	check_fault("\0\1\0\10abc", E_MALFORMED, 0, SIP_H_OTHER, false, "Not a SIP message");
	check_fault("hello\r\n\r\n", E_MALFORMED, 0, SIP_H_OTHER, false, "Not a SIP message");
	check_fault("d1:ad2:id20:\r\n\r\n", E_MALFORMED, 0, SIP_H_OTHER, false,
		    "Not a SIP message");
}

static void start_line_malformed_is_refused(void **state)
{
#define START(line, ...) check_fault(line "\r\n" BASIC "\r\n", __VA_ARGS__)
	START("INVITE sip:a@b SIP/3.0", E_VERSION, 505, SIP_H_OTHER, true, "Version Not Supported");
	START("INVITE sip:a@b SIP/2.0 ", E_MALFORMED, 400, SIP_H_OTHER, true,
	      "White space in the Request-Line");
	START("INVITE  sip:a@b SIP/2.0", E_MALFORMED, 400, SIP_H_OTHER, true,
	      "White space in the Request-Line");
	START("INVITE\tsip:a@b SIP/2.0", E_MALFORMED, 0, SIP_H_OTHER, false, "Not a SIP message");
	START("INVITE sip:a@b\tSIP/2.0", E_MALFORMED, 400, SIP_H_OTHER, true,
	      "No SIP version in the Request-Line");
	START("INVITE SIP/2.0", E_MALFORMED, 400, SIP_H_OTHER, true, "No Request-URI");
	START("INVITE  SIP/2.0", E_MALFORMED, 400, SIP_H_OTHER, true,
	      "White space in the Request-Line");
	START("INVITE sip:a@b SIP/2", E_MALFORMED, 400, SIP_H_OTHER, true,
	      "No SIP version in the Request-Line");
	START("GET / HTTP/1.1", E_MALFORMED, 400, SIP_H_OTHER, true,
	      "No SIP version in the Request-Line");
	START("INVITE <sip:a@b> SIP/2.0", E_MALFORMED, 400, SIP_H_OTHER, true, "Bad Request-URI");
	START("INVITE sip:@b SIP/2.0", E_MALFORMED, 400, SIP_H_OTHER, true, "Bad Request-URI");
	START("INVITE sip:a@b? SIP/2.0", E_MALFORMED, 400, SIP_H_OTHER, true, "Bad Request-URI");
	START("INVITE sip:a@b?c=d SIP/2.0", E_MALFORMED, 400, SIP_H_OTHER, true,
	      "Headers in the Request-URI");
	START("INVITE sip:a@b:0 SIP/2.0", E_MALFORMED, 400, SIP_H_OTHER, true, "Bad Request-URI");
	START("INVITE sip:a@b;; SIP/2.0", E_MALFORMED, 400, SIP_H_OTHER, true, "Bad Request-URI");
	START("INVITE sip:a@b\0 SIP/2.0", E_MALFORMED, 400, SIP_H_OTHER, true, "Bad start line");
	START("INVITE sip:a@b\r SIP/2.0", E_MALFORMED, 400, SIP_H_OTHER, true, "Bad start line");
	START("INVITE sip:a@b\r\n SIP/2.0", E_MALFORMED, 400, SIP_H_OTHER, true, "Bad start line");
	START("SIP/2.0 200", E_MALFORMED, 0, SIP_H_OTHER, false, "Bad Status-Line");
	START("SIP/2.0 099 X", E_MALFORMED, 0, SIP_H_OTHER, false, "Bad Status-Line");
	START("SIP/2.0 700 X", E_MALFORMED, 0, SIP_H_OTHER, false, "Bad Status-Line");
	START("SIP/2.0  200 X", E_MALFORMED, 0, SIP_H_OTHER, false, "Bad Status-Line");
	START("SIP/2 200 X", E_MALFORMED, 0, SIP_H_OTHER, false, "Bad Status-Line");
	START("SIP/3.0 200 X", E_VERSION, 0, SIP_H_OTHER, false, "Version Not Supported");
#undef START
}

static void needed_header_missing_is_refused(void **state)
{
#define MISSING(headers, id, name)                                                                 \
	check_fault(REQUEST_LINE headers "\r\n", E_MISSING, 400, id, false,                        \
		    "Missing " name " header")
	MISSING(FROM TO CALL_ID CSEQ, SIP_H_VIA, "Via");
	MISSING(VIA TO CALL_ID CSEQ, SIP_H_FROM, "From");
	MISSING(VIA FROM CALL_ID CSEQ, SIP_H_TO, "To");
	MISSING(VIA FROM TO CSEQ, SIP_H_CALL_ID, "Call-ID");
	MISSING(VIA FROM TO CALL_ID, SIP_H_CSEQ, "CSeq");
#undef MISSING
}

static void header_malformed_is_refused(void **state)
{
#define BAD(headers, err, id, answerable, name)                                                    \
	check_fault(REQUEST_LINE headers "\r\n", err, 400, id, answerable, "Bad " name " header")
	BAD("Via: SIP/2.0/UDP\r\n" FROM TO CALL_ID CSEQ, E_MALFORMED, SIP_H_VIA, false, "Via");
	BAD("Via: SIP/2.0/UDP a,\r\n" FROM TO CALL_ID CSEQ, E_MALFORMED, SIP_H_VIA, true, "Via");
	BAD("Via: SIP/2.0/UDP a;branch=a;branch=b\r\n" FROM TO CALL_ID CSEQ, E_MALFORMED, SIP_H_VIA,
	    false, "Via");
	BAD("Via: SIP/2.0/UDP a;ttl=x\r\n" FROM TO CALL_ID CSEQ, E_MALFORMED, SIP_H_VIA, false,
	    "Via");
	BAD(BASIC "v: nonsense\r\n", E_MALFORMED, SIP_H_VIA, true, "Via");
	BAD("Via: SIP/3.0/UDP a\r\n" FROM TO CALL_ID CSEQ, E_VERSION, SIP_H_VIA, true, "Via");
	BAD(VIA "From: \r\n" TO CALL_ID CSEQ, E_MALFORMED, SIP_H_FROM, false, "From");
	BAD(VIA "From: <sip:a@b>;tag=\r\n" TO CALL_ID CSEQ, E_MALFORMED, SIP_H_FROM, true, "From");
	BAD(VIA "From: <sip:a@b>;tag=\"x\"\r\n" TO CALL_ID CSEQ, E_MALFORMED, SIP_H_FROM, true,
	    "From");
	BAD(VIA "From: <sip:a@b>;tag=1;tag=2\r\n" TO CALL_ID CSEQ, E_MALFORMED, SIP_H_FROM, true,
	    "From");
	BAD(VIA "From: <sip:a@b>, <sip:c@d>\r\n" TO CALL_ID CSEQ, E_MALFORMED, SIP_H_FROM, true,
	    "From");
	BAD(VIA "From: *\r\n" TO CALL_ID CSEQ, E_MALFORMED, SIP_H_FROM, true, "From");
	BAD(VIA FROM "To: \"x <sip:a@b>\r\n" CALL_ID CSEQ, E_MALFORMED, SIP_H_TO, true, "To");
	BAD(VIA FROM TO "Call-ID: a@b@c\r\n" CSEQ, E_MALFORMED, SIP_H_CALL_ID, true, "Call-ID");
	BAD(VIA FROM TO "Call-ID: a b\r\n" CSEQ, E_MALFORMED, SIP_H_CALL_ID, true, "Call-ID");
	BAD(VIA FROM TO CALL_ID "CSeq: INVITE\r\n", E_MALFORMED, SIP_H_CSEQ, true, "CSeq");
	BAD(VIA FROM TO CALL_ID "CSeq: 7INVITE\r\n", E_MALFORMED, SIP_H_CSEQ, true, "CSeq");
	BAD(VIA FROM TO CALL_ID "CSeq: 7 INV ITE\r\n", E_MALFORMED, SIP_H_CSEQ, true, "CSeq");
	BAD(VIA FROM TO CALL_ID "CSeq: 2147483648 INVITE\r\n", E_RANGE, SIP_H_CSEQ, true, "CSeq");
	BAD(BASIC "Max-Forwards: 256\r\n", E_RANGE, SIP_H_MAX_FORWARDS, true, "Max-Forwards");
	BAD(BASIC "Max-Forwards: -1\r\n", E_MALFORMED, SIP_H_MAX_FORWARDS, true, "Max-Forwards");
	BAD(BASIC "Content-Length: 1 2\r\n", E_MALFORMED, SIP_H_CONTENT_LENGTH, true,
	    "Content-Length");
	BAD(BASIC "Content-Length: \r\n", E_MALFORMED, SIP_H_CONTENT_LENGTH, true,
	    "Content-Length");
	BAD(BASIC "Content-Length: 4294967296\r\n", E_RANGE, SIP_H_CONTENT_LENGTH, true,
	    "Content-Length");
	BAD(BASIC "m: <sip:a@b>, *\r\n", E_MALFORMED, SIP_H_CONTACT, true, "Contact");
	BAD(BASIC "m: *\r\nm: <sip:a@b>\r\n", E_MALFORMED, SIP_H_CONTACT, true, "Contact");
	BAD(BASIC "Contact:\r\n", E_MALFORMED, SIP_H_CONTACT, true, "Contact");
	BAD(BASIC "Contact: <sip:a@b>,,<sip:c@d>\r\n", E_MALFORMED, SIP_H_CONTACT, true, "Contact");
#undef BAD
	check_ok(STR(WITH("Contact: *\r\n")));
	check_ok(STR(WITH("Contact: <sip:a@b>, \"x,\" <sip:c,d@e>;q=0.1\r\nm: sip:f@g\r\n")));
	check_ok(STR(REQUEST_LINE VIA FROM TO CALL_ID "CSeq: 2147483647\r\n INVITE\r\n\r\n"));
	assert_int_equal(m.cseq, 2147483647);
}

static void cseq_method_differing_is_refused(void **state)
{
	check_fault(REQUEST_LINE VIA FROM TO CALL_ID "CSeq: 7 invite\r\n\r\n", E_MALFORMED, 400,
		    SIP_H_CSEQ, true, "CSeq method does not match request method");
}

static void header_that_stands_once_standing_twice_is_refused(void **state)
{
	check_fault(WITH(TO), E_DUPLICATE, 400, SIP_H_TO, true, "More than one To header");
	check_fault(WITH("l: 0\r\nContent-Length: 0\r\n"), E_DUPLICATE, 400, SIP_H_CONTENT_LENGTH,
		    true, "More than one Content-Length header");
	check_fault(WITH("Expires: 1\r\nexpires: 1\r\n"), E_DUPLICATE, 400, SIP_H_EXPIRES, true,
		    "More than one Expires header");
	check_ok(STR(WITH(VIA "Route: <sip:a>\r\nRoute: <sip:b>\r\nZ: 1\r\nZ: 2\r\n")));
}

static void header_line_malformed_is_refused(void **state)
{
	check_fault(WITH("no colon\r\n"), E_MALFORMED, 400, SIP_H_OTHER, true,
		    "Header line without a colon");
	check_fault(WITH("bad name: x\r\n"), E_MALFORMED, 400, SIP_H_OTHER, true,
		    "Bad header name");
	check_fault(WITH(": x\r\n"), E_MALFORMED, 400, SIP_H_OTHER, true, "Bad header name");
	check_fault(WITH("Z: a\0b\r\n"), E_MALFORMED, 400, SIP_H_OTHER, true,
		    "Stray NUL or CR in a header");
	check_fault(WITH("Subject: a\rb\r\n"), E_MALFORMED, 400, SIP_H_SUBJECT, true,
		    "Stray NUL or CR in a header");
	check_fault(WITH("Z: \"a\\\0\" \0\r\n"), E_MALFORMED, 400, SIP_H_OTHER, true,
		    "Stray NUL or CR in a header");
	check_ok(STR(WITH("Z: \"a\\\0\"\r\n")));
	check_fault(REQUEST_LINE VIA FROM "To: <sip:a@b>;x=\"\0\"\r\n" CALL_ID CSEQ "\r\n",
		    E_MALFORMED, 400, SIP_H_TO, false, "Stray NUL or CR in a header");
	check_fault(REQUEST_LINE BASIC, E_MALFORMED, 400, SIP_H_OTHER, true,
		    "No empty line after the headers");
	check_fault(REQUEST_LINE BASIC "Z: y", E_MALFORMED, 400, SIP_H_OTHER, true,
		    "No empty line after the headers");
}

static void limit_passed_is_refused_by_name(void **state)
{
	uint32_t n;
	char uri[300];

	memset(uri, 'u', sizeof(uri));
	n = (uint32_t)sprintf(text, "INVITE sip:%.*s@h SIP/2.0\r\n" BASIC "\r\n", 256 - 6, uri);
	check_ok(str_of(text, n));
	n = (uint32_t)sprintf(text, "INVITE sip:%.*s@h SIP/2.0\r\n" BASIC "\r\n", 257 - 6, uri);
	check_fault_str(str_of(text, n), E_TOO_LONG, 414, SIP_H_OTHER, true,
			"Request-URI Too Long");

	n = (uint32_t)sprintf(text, REQUEST_LINE BASIC "Subject: %0503d\r\n\r\n", 0);
	check_ok(str_of(text, n));
	n = (uint32_t)sprintf(text, REQUEST_LINE BASIC "Subject: %0504d\r\n\r\n", 0);
	check_fault_str(str_of(text, n), E_TOO_LONG, 400, SIP_H_SUBJECT, true,
			"Header line too long");

	n = (uint32_t)sprintf(text, REQUEST_LINE BASIC);
	for (int i = 5; i < 64; i++)
		n += (uint32_t)sprintf(text + n, "Z: y\r\n");
	strcpy(text + n, "\r\n");
	check_ok(str_of(text, n + 2));
	assert_int_equal(m.n_lines, 64);
	strcpy(text + n, "Z: y\r\n\r\n");
	check_fault_str(str_of(text, n + 8), E_TOO_MANY, 400, SIP_H_OTHER, true,
			"Too many header lines");
	assert_int_equal(m.n_lines, 64);
	n += (uint32_t)sprintf(text + n, VIA "\r\n");
	check_fault_str(str_of(text, n), E_TOO_MANY, 400, SIP_H_VIA, false,
			"Too many header lines");

	memset(text, 'b', sizeof(text));
	memcpy(text, WITH(""), sizeof(WITH("")) - 1);
	check_ok(str_of(text, 4096));
	check_fault_str(str_of(text, 4097), E_TOO_LONG, 513, SIP_H_OTHER, true,
			"Message Too Large");
	check_fault_str(str_of(text, sizeof(text)), E_TOO_LONG, 513, SIP_H_OTHER, true,
			"Message Too Large");
	assert_int_equal(m.len_bytes, SIP_MSG_MAX);
}

static void content_length_beyond_the_datagram_is_refused(void **state)
{
	check_ok(STR(WITH("l: 2\r\n") "ab"));
	check_fault(WITH("l: 3\r\n") "ab", E_RANGE, 400, SIP_H_CONTENT_LENGTH, true,
		    "Content-Length larger than the message");
}

static void response_with_a_fault_is_not_answered(void **state)
{
	check_fault(RESPONSE("l: 1\r\n"), E_RANGE, 0, SIP_H_CONTENT_LENGTH, false,
		    "Content-Length larger than the message");
	check_fault("SIP/2.0 200 OK\r\n\r\n", E_MISSING, 0, SIP_H_VIA, false, "Missing Via header");
}

static void first_fault_is_the_one_reported(void **state)
{
	check_fault(REQUEST_LINE "no colon\r\n" FROM FROM CALL_ID "\r\n", E_MALFORMED, 400,
		    SIP_H_OTHER, false, "Header line without a colon");
	assert_int_equal(fault.off, sizeof(REQUEST_LINE) - 1);
}

static void index_read_gives_lines_names_and_values(void **state)
{
	static const char s[] =
		WITH("X-A :  1 \r\nRoute: <sip:a>\r\nX-B:\r\nroute:\r\n <sip:b>\r\n");
	const struct sip_line *l;

	check_ok(STR(s));
	l = sip_msg_first(&m, SIP_H_ROUTE);
	assert_view(sip_line_name(s, l), "Route");
	assert_view(sip_line_value(s, l), "<sip:a>");
	assert_int_equal(sip_line_end(&m, l), l->off + sizeof("Route: <sip:a>\r\n") - 1);
	l = sip_msg_next(&m, l);
	assert_view(sip_line_name(s, l), "route");
	assert_view(sip_line_value(s, l), "<sip:b>");
	assert_int_equal(sip_line_end(&m, l), sizeof(s) - 1 - 2);
	assert_null(sip_msg_next(&m, l));
	l = sip_msg_first(&m, SIP_H_OTHER);
	assert_view(sip_line_name(s, l), "X-A");
	assert_view(sip_line_value(s, l), "1");
	l = sip_msg_next(&m, l);
	assert_view(sip_line_name(s, l), "X-B");
	assert_int_equal(sip_line_value(s, l).len, 0);
	assert_null(sip_msg_next(&m, l));
	assert_null(sip_msg_first(&m, SIP_H_PATH));
	assert_null(sip_msg_first(&m, SIP_H_COUNT));
	assert_int_equal(sip_msg_bytes(&m), offsetof(struct sip_msg, line) + 9 * sizeof(*l));
}

static void list_walked_splits_at_its_own_commas_only(void **state)
{
	static const char s[] =
		WITH("Route: <sip:a,b>,\"x,\\\"y\" <sip:c> , (d,(e,)f) g\r\nSupported:\r\n"
		     "Route: ,\r\n <sip:h>,\r\n");
	struct sip_list it = {0};
	struct str e;

	check_ok(STR(s));
	assert_true(sip_list_next(s, &m, SIP_H_ROUTE, &it, &e));
	assert_view(e, "<sip:a,b>");
	assert_true(sip_list_next(s, &m, SIP_H_ROUTE, &it, &e));
	assert_view(e, "\"x,\\\"y\" <sip:c>");
	assert_true(sip_list_next(s, &m, SIP_H_ROUTE, &it, &e));
	assert_view(e, "(d,(e,)f) g");
	assert_true(sip_list_next(s, &m, SIP_H_ROUTE, &it, &e));
	assert_view(e, "<sip:h>");
	assert_false(sip_list_next(s, &m, SIP_H_ROUTE, &it, &e));
	assert_false(sip_list_next(s, &m, SIP_H_ROUTE, &it, &e));
	it = (struct sip_list){0};
	assert_false(sip_list_next(s, &m, SIP_H_SUPPORTED, &it, &e));
	it = (struct sip_list){0};
	assert_false(sip_list_next(s, &m, SIP_H_PATH, &it, &e));
}

static void index_made_by_an_enemy_is_refused(void **state)
{
	static const char s[] = WITH("Route: <sip:a>\r\nRoute: <sip:b>\r\nZ: y\r\n") "body";
	const uint32_t len = sizeof(s) - 1;
	struct sip_msg good;

	check_ok(STR(s));
	good = m;
	assert_true(sip_msg_index_ok(&m, len + 1));
	assert_false(sip_msg_index_ok(&m, len - 1));
#define ENEMY(field, value)                                                                        \
	do {                                                                                       \
		m = good;                                                                          \
		m.field = (value);                                                                 \
		assert_false(sip_msg_index_ok(&m, len));                                           \
	} while (0)
	ENEMY(len_bytes, (uint16_t)(len + 1));
	ENEMY(body_off, 0xffff);
	ENEMY(body_len, 0xffff);
	ENEMY(head_end, 0xffff);
	ENEMY(n_lines, 255);
	ENEMY(n_lines, 7);
	ENEMY(method, SIP_M_COUNT);
	ENEMY(ruri_scheme, SIP_URI_OTHER + 1);
	ENEMY(status, 99);
	ENEMY(status, 700);
	ENEMY(max_forwards, 256);
	ENEMY(ruri.len, 0xffff);
	ENEMY(via_host.off, 0xffff);
	ENEMY(from_tag.off, (uint16_t)len);
	ENEMY(via_value_len, 0xffff);
	ENEMY(line[2].value_len, 0xffff);
	ENEMY(line[2].value_off, 0);
	ENEMY(line[2].off, 0);
	ENEMY(line[2].id, SIP_H_COUNT);
	ENEMY(line[5].next, 5);
	ENEMY(line[5].next, 4);
	ENEMY(line[5].next, 7);
	ENEMY(line[6].next, 5);
	ENEMY(line[6].next, 8);
	ENEMY(first[SIP_H_ROUTE], 8);
	ENEMY(first[SIP_H_ROUTE], 0);
	ENEMY(first[SIP_H_VIA], 255);
#undef ENEMY
}

/* Whatever octets an index is made of: refused, or readable without touching the pages around. */
static void index_of_random_octets_is_refused_or_readable(void **state)
{
	static const char s[] = WITH("Route: <sip:a>\r\nRoute: <sip:b>\r\n") "body";
	const uint32_t len = sizeof(s) - 1;
	struct sip_msg good;
	struct guard g;
	const char *base;
	int taken = 0;

	guard_open(&g, len);
	base = guard_tail(&g, s, len);
	check_ok(STR(s));
	good = m;
	srand(3);
	for (int round = 0; round < 200000; round++) {
		m = good;
		for (int i = rand() % 3; i >= 0; i--)
			((uint8_t *)&m)[(size_t)rand() % sip_msg_bytes(&good)] = (uint8_t)rand();
		if (!sip_msg_index_ok(&m, len))
			continue;
		taken++;
		for (unsigned id = 0; id < SIP_H_COUNT; id++) {
			struct sip_list it = {0};
			struct str e;

			while (sip_list_next(base, &m, id, &it, &e))
				assert_true(e.s >= base && e.s + e.len <= base + len);
			for (const struct sip_line *l = sip_msg_first(&m, id); l;
			     l = sip_msg_next(&m, l)) {
				assert_true(sip_line_end(&m, l) <= len);
				assert_true(sip_line_name(base, l).len <= len);
			}
		}
	}
	assert_true(taken > 1000);
	guard_close(&g);
}

static void parse_prefix(const void *bytes, size_t len, void *ctx)
{
	size_t *good = ctx;

	*good += sip_msg_parse(str_of(bytes, len), &limits, &m, &fault) == 0;
	assert_true(sip_msg_index_ok(&m, (uint32_t)len));
}

static void prefix_parsed_stays_inside_and_is_refused(void **state)
{
	static const char s[] =
		WITH("Max-Forwards: 70\r\nm: \"a\" <sip:x@y>;q=1\r\nl: 4\r\n") "body";
	size_t good = 0;

	guard_each_prefix(s, sizeof(s) - 1, parse_prefix, &good);
	assert_int_equal(good, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_parsed_has_each_value),
		cmocka_unit_test(response_parsed_has_status_and_cseq_method),
		cmocka_unit_test(unusual_values_parsed_yield_the_same),
		cmocka_unit_test(ruri_of_another_scheme_is_taken),
		cmocka_unit_test(line_ends_of_all_kinds_are_taken),
		cmocka_unit_test(content_length_absent_makes_the_rest_the_body),
		cmocka_unit_test(expires_odd_is_read_leniently),
		cmocka_unit_test(not_sip_is_dropped),
		cmocka_unit_test(start_line_malformed_is_refused),
		cmocka_unit_test(needed_header_missing_is_refused),
		cmocka_unit_test(header_malformed_is_refused),
		cmocka_unit_test(cseq_method_differing_is_refused),
		cmocka_unit_test(header_that_stands_once_standing_twice_is_refused),
		cmocka_unit_test(header_line_malformed_is_refused),
		cmocka_unit_test(limit_passed_is_refused_by_name),
		cmocka_unit_test(content_length_beyond_the_datagram_is_refused),
		cmocka_unit_test(response_with_a_fault_is_not_answered),
		cmocka_unit_test(first_fault_is_the_one_reported),
		cmocka_unit_test(index_read_gives_lines_names_and_values),
		cmocka_unit_test(list_walked_splits_at_its_own_commas_only),
		cmocka_unit_test(index_made_by_an_enemy_is_refused),
		cmocka_unit_test(index_of_random_octets_is_refused_or_readable),
		cmocka_unit_test(prefix_parsed_stays_inside_and_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
