/* SPDX-License-Identifier: Apache-2.0 */
/* frame.c: what is cut, what waits, what ends a connection; and streams fed octet by octet. */
#include "platform/sip/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/guard.h"

#define MSG_MAX 200
#define HEAD "OPTIONS sip:a SIP/2.0\r\nX: y\r\n"

static void check_cut(struct str s, int ret, enum sip_frame_kind kind)
{
	uint32_t scanned = 0;
	enum sip_frame_kind got = 0;

	assert_int_equal(sip_frame_cut(s, MSG_MAX, &scanned, &got), ret);
	if (ret > 0)
		assert_int_equal(got, kind);
}
#define check(literal, ...) check_cut(STR(literal), __VA_ARGS__)

static void message_whole_is_cut_at_its_length(void **state)
{
	check(HEAD "l: 0\r\n\r\n", sizeof(HEAD) - 1 + 8, SIP_FRAME_MSG);
	check(HEAD "Content-Length : 3\r\n\r\nabcREST", sizeof(HEAD) - 1 + 25, SIP_FRAME_MSG);
	check(HEAD "l:\r\n 3\r\n\r\n\r\n\rX", sizeof(HEAD) - 1 + 13, SIP_FRAME_MSG);
	check(HEAD "l: 0\r\n\r\n\r\n\r\n", sizeof(HEAD) - 1 + 8, SIP_FRAME_MSG);
}

static void keepalive_is_told_apart(void **state)
{
	check("\r\n\r\n", 4, SIP_FRAME_PING);
	check("\r\n\r\nOPTIONS", 4, SIP_FRAME_PING);
	check("\r\nOPTIONS", 2, SIP_FRAME_PONG);
	check("\r\n\rX", 2, SIP_FRAME_PONG);
	check("\r\n", 0, 0);
	check("\r\n\r", 0, 0);
	check("\r", 0, 0);
	check("\rX", -E_MALFORMED, 0);
}

static void part_of_a_message_waits(void **state)
{
	check("", 0, 0);
	check("O", 0, 0);
	check(HEAD, 0, 0);
	check(HEAD "l: 0\r\n\r", 0, 0);
	check(HEAD "l: 3\r\n\r\nab", 0, 0);
}

static void length_in_doubt_ends_the_connection(void **state)
{
	check(HEAD "\r\n", -E_MALFORMED, 0);
	check(HEAD "l: 0\r\nl: 0\r\n\r\n", -E_MALFORMED, 0);
	check(HEAD "Content-Length: 0\r\nl: 5\r\n\r\nabcde", -E_MALFORMED, 0);
	check(HEAD "l: 0, 0\r\n\r\n", -E_MALFORMED, 0);
	check(HEAD "l: +3\r\n\r\nabc", -E_MALFORMED, 0);
	check(HEAD "l: -1\r\n\r\n", -E_MALFORMED, 0);
	check(HEAD "l: 1 0\r\n\r\n", -E_MALFORMED, 0);
	check(HEAD "l: 1\r\n 0\r\n\r\n", -E_MALFORMED, 0);
	check(HEAD "l: 0x1\r\n\r\na", -E_MALFORMED, 0);
	check(HEAD "l:\r\n\r\n", -E_MALFORMED, 0);
	check(HEAD "Y: z\r\n l: 3\r\n\r\nabc", -E_MALFORMED, 0);
}

static void line_end_in_doubt_ends_the_connection(void **state)
{
	check("\nOPTIONS", -E_MALFORMED, 0);
	check("OPTIONS sip:a SIP/2.0\nl: 0\r\n\r\n", -E_MALFORMED, 0);
	check(HEAD "l: 0\n\n", -E_MALFORMED, 0);
	check(HEAD "l: 0\r\n\n", -E_MALFORMED, 0);
}

static void bytes_that_start_no_message_end_the_connection(void **state)
{
	check("\x16\x03\x01", -E_MALFORMED, 0);
	check(" OPTIONS", -E_MALFORMED, 0);
	check(":\r\n\r\n", -E_MALFORMED, 0);
}

static void message_over_its_limit_is_told_early(void **state)
{
	static char text[2 * MSG_MAX];

	memset(text, 'x', sizeof(text));
	check_cut(str_of(text, MSG_MAX), 0, 0);
	check_cut(str_of(text, MSG_MAX + 1), -E_TOO_LONG, 0);
	check(HEAD "l: 999\r\n\r\n", -E_TOO_LONG, 0);
	check(HEAD "l: 99999999999999999999\r\n\r\n", -E_TOO_LONG, 0);

	/* 39 octets of head */
	memcpy(text, HEAD "l: 161\r\n\r\n", 39);
	check_cut(str_of(text, sizeof(text)), MSG_MAX, SIP_FRAME_MSG);
	memcpy(text, HEAD "l: 162\r\n\r\n", 39);
	check_cut(str_of(text, 39), -E_TOO_LONG, 0);
}

/* The same stream, each time one octet more of it, next to a forbidden page. */
static void stream_fed_by_octets_is_cut_at_the_same_places(void **state)
{
	static const char stream[] =
		"\r\n\r\n" HEAD "l: 5\r\n\r\n\r\n\r\nx" HEAD "Content-Length: 0\r\n\r\n"
		"\r\n" HEAD "l: 1\r\n\r\ny";
	static const int kinds[] = {SIP_FRAME_PING, SIP_FRAME_MSG, SIP_FRAME_MSG, SIP_FRAME_PONG,
				    SIP_FRAME_MSG};
	static const int lengths[] = {4, sizeof(HEAD) - 1 + 13, sizeof(HEAD) - 1 + 21, 2,
				      sizeof(HEAD) - 1 + 9};
	uint32_t start = 0, scanned = 0;
	size_t n = 0;
	struct guard g;

	guard_open(&g, sizeof(stream));
	for (uint32_t end = 1; end <= sizeof(stream) - 1; end++) {
		const char *at = guard_tail(&g, stream + start, end - start);
		enum sip_frame_kind kind;
		int ret = sip_frame_cut(str_of(at, end - start), MSG_MAX, &scanned, &kind);

		assert_true(ret >= 0);
		if (ret == 0)
			continue;
		assert_true(n < 5);
		assert_int_equal(kind, kinds[n]);
		assert_int_equal(ret, lengths[n]);
		start += (uint32_t)ret;
		scanned = 0;
		n++;
	}
	assert_int_equal(n, 5);
	assert_int_equal(start, sizeof(stream) - 1);
	guard_close(&g);
}

static void message_waiting_for_its_body_asked_again_still_waits(void **state)
{
	struct str s = STR(HEAD "l: 3\r\n\r\nabc");
	enum sip_frame_kind kind;
	uint32_t scanned = 0;

	assert_int_equal(sip_frame_cut(str_sub(s, 0, s.len - 1), MSG_MAX, &scanned, &kind), 0);
	assert_int_equal(sip_frame_cut(str_sub(s, 0, s.len - 1), MSG_MAX, &scanned, &kind), 0);
	assert_int_equal(sip_frame_cut(s, MSG_MAX, &scanned, &kind), s.len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(message_whole_is_cut_at_its_length),
		cmocka_unit_test(keepalive_is_told_apart),
		cmocka_unit_test(part_of_a_message_waits),
		cmocka_unit_test(length_in_doubt_ends_the_connection),
		cmocka_unit_test(line_end_in_doubt_ends_the_connection),
		cmocka_unit_test(bytes_that_start_no_message_end_the_connection),
		cmocka_unit_test(message_over_its_limit_is_told_early),
		cmocka_unit_test(stream_fed_by_octets_is_cut_at_the_same_places),
		cmocka_unit_test(message_waiting_for_its_body_asked_again_still_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
