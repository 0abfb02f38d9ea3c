/* SPDX-License-Identifier: Apache-2.0 */
/* addr.c: name-addr and addr-spec, with the From, To and Contact values of RFC 4475. */
#include "platform/sip/addr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "platform/base/err.h"
#include "platform/sip/param.h"
#include "tests/guard.h"

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))
#define LTRS "\"Watson, Thomas\" "

struct good {
	struct str in, display, uri, params;
	bool bracketed;
};

static const struct good good[] = {
	{ STR("sip:user@example.com"), STR(""), STR("sip:user@example.com"), STR(""), false },
	{ STR("sip:a@b;tag=1"), STR(""), STR("sip:a@b"), STR(";tag=1"), false },
	{ STR("<sip:a@b;lr>;tag=1"), STR(""), STR("sip:a@b;lr"), STR(";tag=1"), true },
	{ STR("A B <sip:a@b>"), STR("A B"), STR("sip:a@b"), STR(""), true },
	{ STR("  \"A\" \t<sip:a@b> ; x "), STR("\"A\""), STR("sip:a@b"), STR("; x"), true },
	{ STR("\"\" <tel:+1>"), STR("\"\""), STR("tel:+1"), STR(""), true },
	{ STR("tel:+1-201;ext=2"), STR(""), STR("tel:+1-201"), STR(";ext=2"), false },
	{ STR("\"a<b>;,\\\"\"<sip:a@b>"), STR("\"a<b>;,\\\"\""), STR("sip:a@b"), STR(""), true },
	{ STR("sip:a@b;+sip.instance=\"<urn:uuid:1>\""), STR(""), STR("sip:a@b"),
	  STR(";+sip.instance=\"<urn:uuid:1>\""), false },
	/* wsinv */
	{ STR("\r\n sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n"), STR(""),
	  STR("sip:vivekg@chair-dnrc.example.com"), STR(";   tag    = 1918181833n"), false },
	{ STR("\"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com>\r\n  ;\r\n  tag = 98asjd8"),
	  STR("\"J Rosenberg \\\\\\\"\""), STR("sip:jdrosen@example.com"),
	  STR(";\r\n  tag = 98asjd8"), true },
	{ STR("\r\n <sip:services.example.com;lr;unknownwith=value;unknown-no-value>"), STR(""),
	  STR("sip:services.example.com;lr;unknownwith=value;unknown-no-value"), STR(""), true },
	/* intmeth */
	{ STR("\"BEL:\\\x07 NUL:\\\0 DEL:\\\x7f\" "
	      "<sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@example.com>"),
	  STR("\"BEL:\\\x07 NUL:\\\0 DEL:\\\x7f\""),
	  STR("sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@example.com"), STR(""), true },
	{ STR("token1~` token2'+_ token3*%!.- <sip:mundane@example.com>;tag=_token~1'+`*%!-."),
	  STR("token1~` token2'+_ token3*%!.-"), STR("sip:mundane@example.com"),
	  STR(";tag=_token~1'+`*%!-."), true },
	/* lwsdisp, cparam01, cparam02, regescrt, ipv4-mapped-ipv6, unksm2 */
	{ STR("caller<sip:caller@example.com>;tag=323"), STR("caller"),
	  STR("sip:caller@example.com"), STR(";tag=323"), true },
	{ STR("sip:+19725552222@gw1.example.net;unknownparam"), STR(""),
	  STR("sip:+19725552222@gw1.example.net"), STR(";unknownparam"), false },
	{ STR("<sip:+19725552222@gw1.example.net;unknownparam>"), STR(""),
	  STR("sip:+19725552222@gw1.example.net;unknownparam"), STR(""), true },
	{ STR("<sip:user@example.com?Route=%3Csip:sip.example.com%3E>"), STR(""),
	  STR("sip:user@example.com?Route=%3Csip:sip.example.com%3E"), STR(""), true },
	{ STR("\"T. desk phone\" <sip:ted@[::ffff:192.0.2.2]>"), STR("\"T. desk phone\""),
	  STR("sip:ted@[::ffff:192.0.2.2]"), STR(""), true },
	{ STR("<name:John_Smith>"), STR(""), STR("name:John_Smith"), STR(""), true },
};

static void valid_element_parsed_gives_its_parts(void **state)
{
	for (size_t i = 0; i < N_OF(good); i++) {
		struct sip_addr a;

		if (sip_addr_parse(good[i].in, &a) != 0)
			fail_msg("refused: %.*s", STR_FMT(good[i].in));
		assert_true(str_eq(a.display, good[i].display));
		assert_true(str_eq(a.uri, good[i].uri));
		assert_true(str_eq(a.params, good[i].params));
		assert_int_equal(a.bracketed, good[i].bracketed);
		assert_false(a.star);
	}
}

static void star_parsed_stands_alone(void **state)
{
	struct sip_addr a;

	assert_int_equal(sip_addr_parse(STR(" * "), &a), 0);
	assert_true(a.star);
	assert_int_equal(a.uri.len, 0);
	assert_int_equal(sip_addr_parse(STR("*;q=1"), &a), -E_MALFORMED);
	assert_int_equal(sip_addr_parse(STR("**"), &a), -E_MALFORMED);
	assert_int_equal(sip_addr_parse(STR("* <sip:a@b>"), &a), 0); /* a token is a display name */
	assert_false(a.star);
}

static const struct str wrong[] = {
	STR_NONE,
	STR(""),
	STR("  "),
	STR("<>"),
	STR("<"),
	STR(">"),
	STR("sip:"),
	STR("<sip:>"),
	STR("sip"),
	STR("<user@host>"),
	STR(":a"),
	STR("1sip:a@b"),
	STR("+sip:a"),
	STR("\"A\""),
	STR("\"A\" sip:a@b"),
	STR("\"A <sip:a@b>"),
	STR("A\"B\" <sip:a@b>"),
	STR("<sip:a@b"),
	STR("sip:a@b>"),
	STR("<<sip:a@b>>"),
	STR("<sip:a@b>x"),
	STR("<sip:a@b> x"),
	STR("<sip:a@b><sip:c@d>"),
	STR("<sip:a@b>;;"),
	STR("<sip:a@b>;"),
	STR("sip:a@b;"),
	STR("sip:a@b c"),
	STR("<sip:a\"@b>"),
	STR("<sip:a\0@b>"),
	STR("<sip:\xc3\xa4@b>"),
	STR("\xc3\xa4 <sip:a@b>"),
	STR("a@b <sip:a@b>"),
	STR("sip:a,b@c"),
	STR("sip:a@b?x=y"),
	STR("sip:a?b@c"),
	STR("sip:user;par=x@host"),
	STR("<sip:a@b>;x=\"y"),
	STR("<sip:a@\r\n b>"),
	/* badinv01, quotbal, badaspec, baddn (From and To), regbadct */
	STR("\"Joe\" <sip:joe@example.org>;;;;"),
	STR("\"Mr. J. User <sip:j.user@example.com>"),
	STR(LTRS "< sip:t.watson@example.org >"),
	STR("Bell, Alexander <sip:a.g.bell@example.com>;tag=43"),
	STR("Watson, Thomas <sip:t.watson@example.org>"),
	STR("sip:user@example.com?Route=%3Csip:sip.example.com%3E"),
};

static void wrong_element_parsed_is_malformed(void **state)
{
	for (size_t i = 0; i < N_OF(wrong); i++) {
		struct sip_addr a;

		if (sip_addr_parse(wrong[i], &a) != -E_MALFORMED)
			fail_msg("accepted: %.*s", STR_FMT(wrong[i]));
	}
}

static int q_of(struct str params, uint16_t *q)
{
	struct sip_addr a = { .params = params };

	return sip_addr_q(&a, q);
}

static void q_read_is_in_thousandths(void **state)
{
	static const struct {
		struct str params;
		uint16_t q;
	} t[] = {
		{ STR_NONE, 1000 },	   { STR(";a=0.1"), 1000 },  { STR(";q=0"), 0 },
		{ STR(";q=1"), 1000 },	   { STR(";q=0."), 0 },	     { STR(";q=1."), 1000 },
		{ STR(";q=0.5"), 500 },	   { STR(";Q=0.05"), 50 },   { STR(";x;q = 0.33"), 330 },
		{ STR(";q=1.000"), 1000 }, { STR(";q=0.999"), 999 }, { STR(";q=0.001"), 1 },
	};
	uint16_t q;

	for (size_t i = 0; i < N_OF(t); i++) {
		assert_int_equal(q_of(t[i].params, &q), 0);
		assert_int_equal(q, t[i].q);
	}
}

static void wrong_q_read_is_malformed(void **state)
{
	static const struct str bad[] = {
		STR(";q"),	STR(";q=2"),	 STR(";q=1.001"), STR(";q=0.1234"),
		STR(";q=.5"),	STR(";q=-1"),	 STR(";q=0,5"),	  STR(";q=00"),
		STR(";q=0.5a"), STR(";q=\"1\""), STR(";;q=1"),	  STR(";q=1x"),
	};
	uint16_t q;

	for (size_t i = 0; i < N_OF(bad); i++)
		assert_int_equal(q_of(bad[i], &q), -E_MALFORMED);
}

static int expires_of(struct str params, uint32_t *s)
{
	struct sip_addr a = { .params = params };

	return sip_addr_expires(&a, s);
}

static void expires_read_is_clipped_at_32_bits(void **state)
{
	uint32_t s = 7;

	assert_int_equal(expires_of(STR_NONE, &s), 0);
	assert_int_equal(expires_of(STR(";q=1"), &s), 0);
	assert_int_equal(s, 7);
	assert_int_equal(expires_of(STR(";Expires=0"), &s), 1);
	assert_int_equal(s, 0);
	assert_int_equal(expires_of(STR("; expires = 3600"), &s), 1);
	assert_int_equal(s, 3600);
	assert_int_equal(expires_of(STR(";expires=4294967295"), &s), 1);
	assert_true(s == UINT32_MAX);
	assert_int_equal(expires_of(STR(";expires=280297596632815"), &s), 1); /* scalar02 */
	assert_true(s == UINT32_MAX);
	assert_int_equal(expires_of(STR(";expires=36893488147419103232000"), &s), 1);
	assert_true(s == UINT32_MAX);
}

static void wrong_expires_read_is_malformed(void **state)
{
	static const struct str bad[] = { STR(";expires"), STR(";expires=-1"), STR(";expires=1s"),
					  STR(";expires=\"60\""),
					  STR(";expires=99999999999999999999x") };
	uint32_t s;

	for (size_t i = 0; i < N_OF(bad); i++)
		assert_int_equal(expires_of(bad[i], &s), -E_MALFORMED);
}

static void assert_inside(struct str part, struct str whole)
{
	if (part.len > 0)
		assert_true(part.s >= whole.s && part.s + part.len <= whole.s + whole.len);
}

static void check_prefix(const void *bytes, size_t len, void *ctx)
{
	struct str in = str_of(bytes, len);
	struct sip_addr a;
	uint32_t expires;
	uint16_t q;
	int r = sip_addr_parse(in, &a);

	assert_true(r == 0 || r == -E_MALFORMED);
	assert_inside(a.display, in);
	assert_inside(a.uri, in);
	assert_inside(a.params, in);
	if (r != 0)
		return;
	assert_true(a.star || a.uri.len > 0);
	(void)sip_addr_q(&a, &q); /* only where they read matters here */
	(void)sip_addr_expires(&a, &expires);
	(void)ctx;
}

static void every_prefix_parsed_stays_inside(void **state)
{
	for (size_t i = 0; i < N_OF(good); i++)
		guard_each_prefix(good[i].in.s, good[i].in.len, check_prefix, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_element_parsed_gives_its_parts),
		cmocka_unit_test(star_parsed_stands_alone),
		cmocka_unit_test(wrong_element_parsed_is_malformed),
		cmocka_unit_test(q_read_is_in_thousandths),
		cmocka_unit_test(wrong_q_read_is_malformed),
		cmocka_unit_test(expires_read_is_clipped_at_32_bits),
		cmocka_unit_test(wrong_expires_read_is_malformed),
		cmocka_unit_test(every_prefix_parsed_stays_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
