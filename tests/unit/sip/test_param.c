/* SPDX-License-Identifier: Apache-2.0 */
/* param.c: lists of parameters as headers carry them, with white space and folds where RFC 4475
 * puts them, what is malformed, and quoted-strings with their escapes. */
#include "platform/sip/param.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "platform/base/err.h"
#include "tests/guard.h"

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))
#define assert_str(view, text)                                                                     \
	do {                                                                                       \
		struct str view_ = (view), text_ = STR(text);                                      \
		assert_int_equal(view_.len, text_.len);                                            \
		assert_true(str_eq(view_, text_));                                                 \
	} while (0)

static void empty_list_walked_is_at_its_end(void **state)
{
	struct str lists[] = { STR_NONE, STR(""), STR("  "), STR(" \r\n\t ") };
	struct sip_param p;

	for (size_t i = 0; i < N_OF(lists); i++) {
		assert_int_equal(sip_param_next(&lists[i], &p), 0);
		assert_int_equal(lists[i].len, 0);
	}
}

static void plain_list_walked_gives_each(void **state)
{
	struct str rest =
		STR(";branch=z9hG4bK-.!%66*_+`'~;rport;received=[2001:db8::9:255];x=\"a;b\\\"\"");
	struct sip_param p;

	assert_int_equal(sip_param_next(&rest, &p), 1);
	assert_str(p.name, "branch");
	assert_str(p.value, "z9hG4bK-.!%66*_+`'~");
	assert_false(p.quoted);
	assert_int_equal(sip_param_next(&rest, &p), 1);
	assert_str(p.name, "rport");
	assert_null(p.value.s);
	assert_int_equal(p.value.len, 0);
	assert_int_equal(sip_param_next(&rest, &p), 1);
	assert_str(p.name, "received");
	assert_str(p.value, "[2001:db8::9:255]");
	assert_int_equal(sip_param_next(&rest, &p), 1);
	assert_str(p.value, "\"a;b\\\"\"");
	assert_true(p.quoted);
	assert_int_equal(sip_param_next(&rest, &p), 0);
	assert_int_equal(rest.len, 0);
}

/* wsinv (RFC 4475 §3.1.1.1): Contact, From, Via. */
static void folded_list_walked_leaves_white_space_out(void **state)
{
	struct str rest =
		STR(" ; newparam =\r\n      newvalue ;\r\n  secondparam ; q = 0.33 ;\n\tbare\r\n ");
	struct sip_param p;

	assert_int_equal(sip_param_next(&rest, &p), 1);
	assert_str(p.name, "newparam");
	assert_str(p.value, "newvalue");
	assert_int_equal(sip_param_next(&rest, &p), 1);
	assert_str(p.name, "secondparam");
	assert_null(p.value.s);
	assert_int_equal(sip_param_next(&rest, &p), 1);
	assert_str(p.name, "q");
	assert_str(p.value, "0.33");
	assert_int_equal(sip_param_next(&rest, &p), 1);
	assert_str(p.name, "bare");
	assert_int_equal(sip_param_next(&rest, &p), 0);
}

/* intmeth (RFC 4475 §3.1.1.2). */
static void strange_octets_walked_are_taken(void **state)
{
	struct str rest = STR(";fromParam''~+*_!.-%=\"\xd1\x80\xd0\xb0\";tag=_token~1'+`*%!-.");
	struct sip_param p;

	assert_int_equal(sip_param_next(&rest, &p), 1);
	assert_str(p.name, "fromParam''~+*_!.-%");
	assert_str(p.value, "\"\xd1\x80\xd0\xb0\"");
	assert_int_equal(sip_param_next(&rest, &p), 1);
	assert_str(p.value, "_token~1'+`*%!-.");
	assert_int_equal(sip_param_next(&rest, &p), 0);
}

static void wrong_list_walked_is_malformed(void **state)
{
	static const struct str bad[] = {
		STR("a"),
		STR(";"),
		STR(";;"),
		STR(";;,;,,"),
		STR("; ;a"),
		STR(";=x"),
		STR(";a="),
		STR(";a= "),
		STR(";a=;b"),
		STR(";a=\"x"),
		STR(";a=\"x\\"),
		STR(";a=\"x\\\""),
		STR(";a=\"x\"y"),
		STR(";a=b c"),
		STR(";a b"),
		STR(";a=b,c"),
		STR(";a=b=c"),
		STR(";a=<b>"),
		STR(";a=\"\x01\""),
		STR(";a=\"\x7f\""),
		STR(";a=\"\\\r\""),
		STR(";a=\"\\\xfc\""),
		STR(";a=\"\r\nx\""),
		STR(";a\r\n"),
		STR(";a\r ;b"),
		STR(";\xc3\xa4=b"),
		STR(";a@b"),
		STR(";a=\"\0\""),
	};

	for (size_t i = 0; i < N_OF(bad); i++) {
		struct str rest = bad[i];
		struct sip_param p;

		if (sip_param_next(&rest, &p) != -E_MALFORMED)
			fail_msg("accepted: %.*s", STR_FMT(bad[i]));
		assert_ptr_equal(rest.s, bad[i].s); /* stays where the fault is */
	}
}

static void names_searched_match_in_any_case(void **state)
{
	struct str params = STR(";Tag=1;TAG=2;q");
	struct sip_param p;

	assert_int_equal(sip_param_find(params, STR("tag"), &p), 1);
	assert_str(p.value, "1");
	assert_int_equal(sip_param_find(params, STR("Q"), &p), 1);
	assert_null(p.value.s);
	assert_int_equal(sip_param_find(params, STR("ta"), &p), 0);
	assert_int_equal(sip_param_find(STR_NONE, STR("tag"), &p), 0);
}

static void fault_behind_the_name_searched_is_not_seen(void **state)
{
	struct sip_param p;

	assert_int_equal(sip_param_find(STR(";a=1;;b"), STR("a"), &p), 1);
	assert_int_equal(sip_param_find(STR(";a=1;;b"), STR("b"), &p), -E_MALFORMED);
}

static void white_space_skipped_ends_at_a_line_end(void **state)
{
	assert_int_equal(sip_lws_end(STR("x"), 0), 0);
	assert_int_equal(sip_lws_end(STR(" \t x"), 0), 3);
	assert_int_equal(sip_lws_end(STR(" \r\n x"), 0), 4);
	assert_int_equal(sip_lws_end(STR("\n\tx"), 0), 2);
	assert_int_equal(sip_lws_end(STR(" \r\nx"), 0), 1);
	assert_int_equal(sip_lws_end(STR(" \r x"), 0), 1);
	assert_int_equal(sip_lws_end(STR(" \r\n"), 0), 1);
	assert_int_equal(sip_lws_end(STR_NONE, 0), 0);
}

static void quoted_string_measured_ends_after_its_quote(void **state)
{
	assert_int_equal(sip_quoted_end(STR("\"\"x"), 0), 2);
	assert_int_equal(sip_quoted_end(STR("a\"b\\\"c\"d"), 1), 7);
	assert_int_equal(sip_quoted_end(STR("\"a\r\n b\""), 0), 7);
	assert_int_equal(sip_quoted_end(STR("\"\\\0\\\x7f\""), 0), 6);
	assert_int_equal(sip_quoted_end(STR("\"Mr. J. User <sip:j.user@example.com>"), 0), 0);
}

static void quoted_string_unquoted_loses_quotes_and_escapes(void **state)
{
	static const struct {
		struct str in, out;
	} t[] = {
		{ STR("\"\""), STR("") },
		{ STR("\"abc\""), STR("abc") },
		{ STR("\"J Rosenberg \\\\\\\"\""), STR("J Rosenberg \\\"") },
		{ STR("\"BEL:\\\x07 NUL:\\\0 DEL:\\\x7f\""), STR("BEL:\x07 NUL:\0 DEL:\x7f") },
		{ STR("\"a \r\n\t b\""), STR("a  b") }, /* SP, then the fold and its SP as one */
		{ STR("token"), STR("token") },
		{ STR("\""), STR("\"") },
		{ STR_NONE, STR("") },
	};

	for (size_t i = 0; i < N_OF(t); i++) {
		char mem[64];
		struct strbuf b = strbuf_of(mem, sizeof(mem));

		assert_int_equal(sip_unquote(t[i].in, &b), 0);
		assert_int_equal(b.len, t[i].out.len);
		assert_true(str_eq(strbuf_str(&b), t[i].out));
	}
}

static void quoted_string_unquoted_needs_its_exact_room(void **state)
{
	char mem[4];
	struct strbuf fits = strbuf_of(mem, 4), full = strbuf_of(mem, 3);

	assert_int_equal(sip_unquote(STR("\"a\\\\bc\""), &fits), 0);
	assert_int_equal(sip_unquote(STR("\"a\\\\bc\""), &full), -E_TOO_LONG);
}

static void check_prefix(const void *bytes, size_t len, void *ctx)
{
	const char *base = bytes, *end = base + len;
	struct str rest = str_of(bytes, len);
	struct sip_param p;
	char mem[256];
	struct strbuf b = strbuf_of(mem, sizeof(mem));
	int r;

	while ((r = sip_param_next(&rest, &p)) == 1) {
		assert_true(p.name.s >= base && p.name.s + p.name.len <= end && p.name.len > 0);
		if (p.value.s)
			assert_true(p.value.s > p.name.s && p.value.s + p.value.len <= end);
		assert_ptr_equal(rest.s + rest.len, end);
	}
	assert_true(r == 0 || r == -E_MALFORMED);
	assert_int_equal(sip_unquote(str_of(bytes, len), &b), 0);
	(void)ctx;
}

static void every_prefix_walked_stays_inside(void **state)
{
	static const struct str valid[] = {
		STR(";branch=z9hG4bK1;rport=5060;received=10.0.0.1"),
		STR(" ; newparam =\r\n      newvalue ;\r\n  secondparam ; q = 0.33"),
		STR(";x=\"a\\\"b\r\n c\" ;\n\ty = \"\""),
	};

	for (size_t i = 0; i < N_OF(valid); i++)
		guard_each_prefix(valid[i].s, valid[i].len, check_prefix, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_list_walked_is_at_its_end),
		cmocka_unit_test(plain_list_walked_gives_each),
		cmocka_unit_test(folded_list_walked_leaves_white_space_out),
		cmocka_unit_test(strange_octets_walked_are_taken),
		cmocka_unit_test(wrong_list_walked_is_malformed),
		cmocka_unit_test(names_searched_match_in_any_case),
		cmocka_unit_test(fault_behind_the_name_searched_is_not_seen),
		cmocka_unit_test(white_space_skipped_ends_at_a_line_end),
		cmocka_unit_test(quoted_string_measured_ends_after_its_quote),
		cmocka_unit_test(quoted_string_unquoted_loses_quotes_and_escapes),
		cmocka_unit_test(quoted_string_unquoted_needs_its_exact_room),
		cmocka_unit_test(every_prefix_walked_stays_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
