/* SPDX-License-Identifier: Apache-2.0 */
/* platform/base/ip: the grammar of RFC 5954 §4.1, the text of RFC 5952 §4, prefixes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "platform/base/err.h"
#include "platform/base/ip.h"
#include "tests/guard.h"

static struct ip ip(const char *text)
{
	struct ip a;

	assert_int_equal(ip_parse(str_from_c(text), &a), 0);
	return a;
}

static struct ip_prefix prefix(const char *text)
{
	struct ip_prefix p;

	assert_int_equal(ip_prefix_parse(str_from_c(text), &p), 0);
	return p;
}

static void assert_text(const char *in, const char *want)
{
	struct ip a = ip(in);
	char out[IP_TEXT_MAX];

	memset(out, 'x', sizeof(out));
	assert_int_equal(ip_print(&a, false, out), strlen(want));
	assert_string_equal(out, want);
}

static void parse_ipv4_text_gives_mapped_octets(void **state)
{
	static const uint8_t want[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 255, 1};
	struct ip a = ip("10.0.255.1"), b = ip_of4(want + 12);

	assert_memory_equal(a.b, want, 16);
	assert_true(ip_eq(&a, &b));
	assert_true(ip_is4(&a));
}

static void parse_ipv6_text_gives_octets_in_wire_order(void **state)
{
	static const uint8_t want[16] = {0x20, 0x01, 0x0d, 0xb8, 0,    0,    0,	   0,
					 0,    0,    0,	   0xa,	 0xbc, 0xde, 0xff, 0xff};
	struct ip a = ip("2001:DB8::a:bcde:fFfF"), b = ip("[2001:db8::a:bcde:ffff]");

	assert_memory_equal(a.b, want, 16);
	assert_true(ip_eq(&a, &b));
	assert_false(ip_is4(&a));
}

static void parse_gap_anywhere_fills_with_zero(void **state)
{
	static const char *const same[][2] = {
		{"::", "0:0:0:0:0:0:0:0"},
		{"::1", "0:0:0:0:0:0:0:1"},
		{"1::", "1:0:0:0:0:0:0:0"},
		{"1::8", "1:0:0:0:0:0:0:8"},
		{"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
		{"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
		{"1:2::5:6:7:8", "1:2:0:0:5:6:7:8"},
		{"::1.2.3.4", "0:0:0:0:0:0:102:304"},
		{"64:ff9b::192.0.2.33", "64:ff9b:0:0:0:0:c000:221"},
		{"1:2:3:4:5:6:7.8.9.10", "1:2:3:4:5:6:708:90a"},
		{"1:2:3:4:5::9.9.9.9", "1:2:3:4:5:0:909:909"},
		{"::ffff:192.0.2.1", "192.0.2.1"},
		{"0001:0002::", "1:2::"},
	};

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		struct ip a = ip(same[i][0]), b = ip(same[i][1]);

		assert_memory_equal(a.b, b.b, 16);
	}
}

static void parse_other_text_is_malformed(void **state)
{
	static const char *const wrong[] = {
		"",
		".",
		"1",
		"1.2.3",
		"1.2.3.",
		".1.2.3",
		"1..2.3",
		"1.2.3.4.",
		"1.2.3.4.5",
		"1.2.3.256",
		"1.2.3.999",
		"1.2.3.1000",
		"01.2.3.4",
		"1.2.3.00",
		"1.2.3.-4",
		"1.2.3.4 ",
		" 1.2.3.4",
		"0x1.2.3.4",
		"1.2.3.a",
		"[1.2.3.4]",
		"[]",
		"[",
		"]",
		":",
		":::",
		"1",
		"1:",
		":1",
		"1:2",
		"1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:8:9",
		"1:2:3:4:5:6:7:8:",
		":1:2:3:4:5:6:7:8",
		"1:2:3:4::5:6:7:8",
		"::1:2:3:4:5:6:7:8",
		"1:2:3:4:5:6:7:8::",
		"1::2::3",
		"1:::2",
		"12345::",
		"g::",
		"fe80::1%eth0",
		"::1.2.3",
		"::1.2.3.4.5",
		"::1.2.3.4:5",
		"1:2:3:4:5:6:7:1.2.3.4",
		"::1.2.3.256",
		"::a.2.3.4",
		"1.2.3.4::",
		"[::1",
		"::1]",
		"[[::1]]",
		"[::1] ",
		"::1/64",
		"10.0.0.1:5060",
		"::-1",
		"fd99 ::1",
	};
	struct ip a;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (ip_parse(str_from_c(wrong[i]), &a) != -E_MALFORMED)
			fail_msg("taken for an address: \"%s\"", wrong[i]);
	assert_int_equal(ip_parse(STR("1.2.3\0.4"), &a), -E_MALFORMED);
}

static void try_parse(const void *bytes, size_t len, void *ctx)
{
	struct ip a;
	struct ip_prefix p;
	int *good = ctx;

	*good += ip_parse(str_of(bytes, len), &a) == 0;
	(void)ip_prefix_parse(str_of(bytes, len),
			      &p); /* reads no further: that is all that counts */
}

static void parse_prefixes_at_forbidden_page_stay_inside(void **state)
{
	/* How many prefixes of the text are addresses themselves. */
	static const struct {
		const char *text;
		int good;
	} one[] = {
		{"192.0.2.133", 3}, {"[2001:db8::ffff:192.0.2.1]", 1}, {"1:2:3:4:5:6:7:8888", 4},
		{"fd99::1/64", 2},  {"::ffff:1.2.3.4/128", 7},
	};

	for (size_t i = 0; i < sizeof(one) / sizeof(one[0]); i++) {
		int good = 0;

		guard_each_prefix(one[i].text, strlen(one[i].text), try_parse, &good);
		assert_int_equal(good, one[i].good);
	}
}

static void print_any_address_follows_rfc5952(void **state)
{
	assert_text("0.0.0.0", "0.0.0.0");
	assert_text("255.255.255.255", "255.255.255.255");
	assert_text("::ffff:10.20.30.40", "10.20.30.40");
	assert_text("::", "::");
	assert_text("::1", "::1");
	assert_text("1::", "1::");
	assert_text("2001:0DB8::0001", "2001:db8::1");
	/* §4.2.2: one group alone is not shortened; §4.2.3: the longest, the first of equals. */
	assert_text("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1");
	assert_text("2001:0:0:1:0:0:0:1", "2001:0:0:1::1");
	assert_text("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1");
	assert_text("1:0:0:4:5:6:0:0", "1::4:5:6:0:0");
	assert_text("1:2:3:4:5:6:0:0", "1:2:3:4:5:6::");
	assert_text("0:0:3:4:5:6:7:8", "::3:4:5:6:7:8");
	assert_text("1:20:300:4000:0:60:700:8000", "1:20:300:4000:0:60:700:8000");
	assert_text("::1.2.3.4", "::102:304");
}

static void print_with_brackets_puts_them_around_ipv6_only(void **state)
{
	struct ip four = ip("10.0.0.1"), six = ip("fd99::1");
	struct ip longest = ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	char out[IP_TEXT_MAX];

	assert_int_equal(ip_print(&four, true, out), 8);
	assert_string_equal(out, "10.0.0.1");
	assert_int_equal(ip_print(&six, true, out), 9);
	assert_string_equal(out, "[fd99::1]");
	assert_int_equal(ip_print(&longest, true, out), 41);
}

static void print_then_parse_random_gives_the_same(void **state)
{
	uint64_t x = 0x9e3779b97f4a7c15u;

	for (int round = 0; round < 20000; round++) {
		struct ip a, b;
		char out[IP_TEXT_MAX];

		for (int i = 0; i < 16; i++) {
			x = x * 6364136223846793005u + 1442695040888963407u;
			a.b[i] = x >> 62 == 0 ? (uint8_t)(x >> 40) : 0; /* many zeros: many gaps */
		}
		uint32_t len = ip_print(&a, round & 1, out);

		assert_int_equal(len, strlen(out));
		assert_int_equal(ip_parse(str_from_c(out), &b), 0);
		assert_memory_equal(&a, &b, sizeof(a));
	}
}

static void classify_edges_of_ranges_are_exact(void **state)
{
	static const struct {
		const char *text;
		bool zero, multicast, linklocal;
	} one[] = {
		{"0.0.0.0", true, false, false},      {"::", true, false, false},
		{"0.0.0.1", false, false, false},     {"::1", false, false, false},
		{"1::", false, false, false},	      {"223.255.255.255", false, false, false},
		{"224.0.0.0", false, true, false},    {"239.255.255.255", false, true, false},
		{"240.0.0.0", false, false, false},   {"ff00::", false, true, false},
		{"feff::", false, false, false},      {"169.253.255.255", false, false, false},
		{"169.254.0.0", false, false, true},  {"169.254.255.255", false, false, true},
		{"169.255.0.0", false, false, false}, {"fe7f::", false, false, false},
		{"fe80::", false, false, true},	      {"febf:ffff::", false, false, true},
		{"fec0::", false, false, false},
	};

	for (size_t i = 0; i < sizeof(one) / sizeof(one[0]); i++) {
		struct ip a = ip(one[i].text);

		assert_int_equal(ip_is_zero(&a), one[i].zero);
		assert_int_equal(ip_is_multicast(&a), one[i].multicast);
		assert_int_equal(ip_is_linklocal(&a), one[i].linklocal);
	}
}

static void prefix_parse_keeps_host_bits_and_counts_ipv4_from_96(void **state)
{
	struct ip_prefix p = prefix("10.99.0.1/24");
	struct ip a = ip("10.99.0.1");

	assert_int_equal(p.len, 120);
	assert_true(ip_eq(&p.ip, &a));
	assert_int_equal(p.pad[0] | p.pad[1] | p.pad[2], 0);
	assert_int_equal(prefix("0.0.0.0/0").len, 96);
	assert_int_equal(prefix("10.0.0.1").len, 128);
	assert_int_equal(prefix("10.0.0.1/32").len, 128);
	assert_int_equal(prefix("::/0").len, 0);
	assert_int_equal(prefix("fd99::1/64").len, 64);
	assert_int_equal(prefix("fd99::1").len, 128);
	assert_int_equal(prefix("[fd99::1]/128").len, 128);
	assert_int_equal(prefix("::ffff:10.0.0.0/104").len, 104);
}

static void prefix_parse_wrong_length_is_told_from_wrong_text(void **state)
{
	struct ip_prefix p;

	assert_int_equal(ip_prefix_parse(STR("10.0.0.0/33"), &p), -E_RANGE);
	assert_int_equal(ip_prefix_parse(STR("fd99::/129"), &p), -E_RANGE);
	assert_int_equal(ip_prefix_parse(STR("fd99::/99999999999999999999999"), &p), -E_RANGE);
	assert_int_equal(ip_prefix_parse(STR("::ffff:10.0.0.0/64"), &p), -E_RANGE);
	assert_int_equal(ip_prefix_parse(STR("10.0.0.0/"), &p), -E_MALFORMED);
	assert_int_equal(ip_prefix_parse(STR("10.0.0.0/a"), &p), -E_MALFORMED);
	assert_int_equal(ip_prefix_parse(STR("10.0.0.0/-1"), &p), -E_MALFORMED);
	assert_int_equal(ip_prefix_parse(STR("10.0.0.0/8/8"), &p), -E_MALFORMED);
	assert_int_equal(ip_prefix_parse(STR("/24"), &p), -E_MALFORMED);
	assert_int_equal(ip_prefix_parse(STR("10.0.0/24"), &p), -E_MALFORMED);
	assert_int_equal(ip_prefix_parse(STR_NONE, &p), -E_MALFORMED);
}

static void in_prefix_compares_bits_within_the_family(void **state)
{
	static const struct {
		const char *address, *prefix;
		bool in;
	} one[] = {
		{"10.99.0.255", "10.99.0.1/24", true},
		{"10.99.1.0", "10.99.0.1/24", false},
		{"10.99.0.7", "10.99.0.1/29", true},
		{"10.99.0.8", "10.99.0.1/29", false},
		{"10.99.0.1", "10.99.0.1", true},
		{"10.99.0.2", "10.99.0.1", false},
		{"10.99.0.3", "10.99.0.2/31", true},
		{"255.255.255.255", "0.0.0.0/0", true},
		{"fd99::1", "0.0.0.0/0", false},
		{"10.0.0.1", "::/0", false},
		{"fd99::1", "::/0", true},
		{"fd99::ffff:0:0:0", "fd99::/64", true},
		{"fd99:0:0:1::", "fd99::/64", false},
		{"fd99:0:0:1::", "fd99::/63", true},
		{"7fff::", "8000::/1", false},
		{"ffff::", "8000::/1", true},
	};

	for (size_t i = 0; i < sizeof(one) / sizeof(one[0]); i++) {
		struct ip a = ip(one[i].address);
		struct ip_prefix p = prefix(one[i].prefix);

		if (ip_in_prefix(&a, &p) != one[i].in)
			fail_msg("%s in %s", one[i].address, one[i].prefix);
	}
}

static void in_prefix_impossible_length_holds_nothing(void **state)
{
	struct ip a = ip("fd99::1");
	struct ip_prefix p = {a, 129, {0}};

	assert_false(ip_in_prefix(&a, &p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse_ipv4_text_gives_mapped_octets),
		cmocka_unit_test(parse_ipv6_text_gives_octets_in_wire_order),
		cmocka_unit_test(parse_gap_anywhere_fills_with_zero),
		cmocka_unit_test(parse_other_text_is_malformed),
		cmocka_unit_test(parse_prefixes_at_forbidden_page_stay_inside),
		cmocka_unit_test(print_any_address_follows_rfc5952),
		cmocka_unit_test(print_with_brackets_puts_them_around_ipv6_only),
		cmocka_unit_test(print_then_parse_random_gives_the_same),
		cmocka_unit_test(classify_edges_of_ranges_are_exact),
		cmocka_unit_test(prefix_parse_keeps_host_bits_and_counts_ipv4_from_96),
		cmocka_unit_test(prefix_parse_wrong_length_is_told_from_wrong_text),
		cmocka_unit_test(in_prefix_compares_bits_within_the_family),
		cmocka_unit_test(in_prefix_impossible_length_holds_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
