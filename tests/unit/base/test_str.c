/* SPDX-License-Identifier: Apache-2.0 */
/* str.c: views at their edges (empty, NULL, one octet, octets above 127), numbers at their limits,
 * and the writer at the byte where it is full. Everything that reads a view does so next to a
 * forbidden page. */
#include "platform/base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "platform/base/err.h"
#include "tests/guard.h"

#define assert_str(view, text) \
	do { \
		struct str view_ = (view), text_ = STR(text); \
		assert_int_equal(view_.len, text_.len); \
		assert_true(str_eq(view_, text_)); \
	} while (0)

static void c_string_viewed_has_its_length(void **state)
{
	assert_str(str_from_c("abc"), "abc");
	assert_int_equal(str_from_c("").len, 0);
	assert_int_equal(str_from_c(NULL).len, 0);
	assert_null(str_from_c(NULL).s);
}

static void ascii_letters_compared_fold_case(void **state)
{
	assert_true(str_ieq(STR("Via"), STR("vIA")));
	assert_false(str_ieq(STR("Via"), STR("Vi")));
	assert_false(str_ieq(STR("Via"), STR("Vib")));
	assert_true(str_ieq(STR_NONE, STR("")));
}

static void other_octets_compared_do_not_fold(void **state)
{
	for (int a = 0; a < 256; a++)
		for (int b = 0; b < 256; b++) {
			char ca = (char)a, cb = (char)b;
			bool letters = (a >= 'A' && a <= 'Z' && b == a + 32) ||
				       (b >= 'A' && b <= 'Z' && a == b + 32);

			assert_int_equal(str_ieq(str_of(&ca, 1), str_of(&cb, 1)),
					 a == b || letters);
		}
}

static void prefix_compared_matches_start_only(void **state)
{
	assert_true(str_starts_with(STR("sip:a"), STR("sip:")));
	assert_true(str_starts_with(STR("sip:"), STR("sip:")));
	assert_false(str_starts_with(STR("sip"), STR("sip:")));
	assert_false(str_starts_with(STR("SIP:a"), STR("sip:")));
	assert_true(str_istarts_with(STR("SIP:a"), STR("sip:")));
	assert_false(str_istarts_with(STR("xsip:"), STR("sip:")));
	assert_true(str_starts_with(STR_NONE, STR_NONE));
	assert_true(str_istarts_with(STR("a"), STR_NONE));
	assert_false(str_starts_with(STR_NONE, STR("a")));
}

static void views_ordered_by_octet_then_length(void **state)
{
	assert_true(str_cmp(STR("a"), STR("b")) < 0);
	assert_true(str_cmp(STR("b"), STR("a")) > 0);
	assert_int_equal(str_cmp(STR("ab"), STR("ab")), 0);
	assert_true(str_cmp(STR("a"), STR("ab")) < 0);
	assert_true(str_cmp(STR("ab"), STR("a")) > 0);
	assert_true(str_cmp(STR("\x7f"), STR("\x80")) < 0);
	assert_int_equal(str_cmp(STR_NONE, STR("")), 0);
	assert_true(str_cmp(STR_NONE, STR("a")) < 0);
	assert_true(str_cmp(STR("a\0b"), STR("a\0c")) < 0);
}

static void spaces_at_ends_trimmed_inner_kept(void **state)
{
	assert_str(str_trim(STR(" \t\r\n a b \r\n\t")), "a b");
	assert_str(str_trim(STR("a")), "a");
	assert_int_equal(str_trim(STR(" \t ")).len, 0);
	assert_int_equal(str_trim(STR_NONE).len, 0);
	assert_str(str_trim(STR("\v a \f")), "\v a \f"); /* not space to SIP */
}

static void octet_searched_gives_first_index(void **state)
{
	assert_int_equal(str_find(STR("a,b,c"), ','), 1);
	assert_int_equal(str_find(STR("abc"), 'c'), 2);
	assert_int_equal(str_find(STR("abc"), ','), -1);
	assert_int_equal(str_find(STR("a\0b"), '\0'), 1);
	assert_int_equal(str_find(STR_NONE, '\0'), -1);
}

static void part_taken_is_clipped(void **state)
{
	assert_str(str_sub(STR("abcdef"), 2, 3), "cde");
	assert_str(str_sub(STR("abcdef"), 4, 9), "ef");
	assert_int_equal(str_sub(STR("abc"), 3, 1).len, 0);
	assert_int_equal(str_sub(STR("abc"), 4, UINT32_MAX).len, 0);
	assert_str(str_sub(STR("abc"), 1, UINT32_MAX), "bc"); /* from + len would wrap */
	assert_int_equal(str_sub(STR_NONE, 1, 1).len, 0);
}

static void separated_view_split_at_first(void **state)
{
	struct str head, rest;

	assert_true(str_split(STR("a:b:c"), ':', &head, &rest));
	assert_str(head, "a");
	assert_str(rest, "b:c");
	assert_true(str_split(STR(":"), ':', &head, &rest));
	assert_int_equal(head.len, 0);
	assert_int_equal(rest.len, 0);
	assert_false(str_split(STR("abc"), ':', &head, &rest));
	assert_str(head, "abc");
	assert_int_equal(rest.len, 0);
	assert_false(str_split(STR_NONE, ':', &head, &rest));
	assert_int_equal(head.len, 0);

	struct str s = STR("a,b,c"); /* out may be the view itself */
	int n = 1;

	while (str_split(s, ',', &head, &s))
		n++;
	assert_int_equal(n, 3);
}

static void digits_read_give_number(void **state)
{
	uint64_t v = 7;

	assert_int_equal(str_to_u64(STR("0"), 0, &v), 0);
	assert_true(v == 0);
	assert_int_equal(str_to_u64(STR("000042"), 42, &v), 0);
	assert_true(v == 42);
	assert_int_equal(str_to_u64(STR("18446744073709551615"), UINT64_MAX, &v), 0);
	assert_true(v == UINT64_MAX);
	assert_int_equal(str_to_u64(STR("00000000000000000000000000001"), 9, &v), 0);
	assert_true(v == 1);
}

static void number_above_limit_is_out_of_range(void **state)
{
	static const char *const over[] = { "43",
					    "18446744073709551615",
					    "18446744073709551616",
					    "99999999999999999999",
					    "184467440737095516160",
					    "1000000000000000000000000000000000000" };
	uint64_t v = 7;

	for (size_t i = 0; i < sizeof(over) / sizeof(over[0]); i++)
		assert_int_equal(str_to_u64(str_from_c(over[i]), 42, &v), -E_RANGE);
	assert_int_equal(str_to_u64(STR("18446744073709551616"), UINT64_MAX, &v), -E_RANGE);
	assert_int_equal(str_to_u64(STR("18446744073709551625"), UINT64_MAX, &v), -E_RANGE);
	assert_int_equal(str_to_u64(STR("20000000000000000000"), UINT64_MAX, &v), -E_RANGE);
	assert_true(v == 7); /* untouched */
}

static void other_octets_read_are_malformed(void **state)
{
	static const char *const bad[] = {
		"", "-1", "+1", " 1", "1 ", "1a", "0x1", "1.0", "/", ":", "99999999999999999999999x"
	};
	uint64_t v = 7;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(str_to_u64(str_from_c(bad[i]), UINT64_MAX, &v), -E_MALFORMED);
	assert_int_equal(str_to_u64(STR("1\0"), 9, &v), -E_MALFORMED);
	assert_int_equal(str_to_u64(STR_NONE, 9, &v), -E_MALFORMED);
	assert_true(v == 7);
}

static void u32_read_keeps_its_limit(void **state)
{
	uint32_t v = 7;

	assert_int_equal(str_to_u32(STR("4294967295"), UINT32_MAX, &v), 0);
	assert_int_equal(v, UINT32_MAX);
	v = 7;
	assert_int_equal(str_to_u32(STR("4294967296"), UINT32_MAX, &v), -E_RANGE);
	assert_int_equal(str_to_u32(STR("x"), UINT32_MAX, &v), -E_MALFORMED);
	assert_int_equal(v, 7);
}

static void view_copied_is_terminated_and_clipped(void **state)
{
	char out[4];

	memset(out, '#', sizeof(out));
	assert_int_equal(str_to_c(STR("abcdef"), out, sizeof(out)), 3);
	assert_string_equal(out, "abc");
	assert_int_equal(str_to_c(STR("xy"), out, sizeof(out)), 2);
	assert_string_equal(out, "xy");
	assert_int_equal(str_to_c(STR_NONE, out, 1), 0);
	assert_string_equal(out, "");
	out[0] = '#';
	assert_int_equal(str_to_c(STR("a"), out, 0), 0);
	assert_int_equal(out[0], '#');
}

/* Every reader on every prefix: what matters here is that none touches the page behind. */
static void read_all_ways(const void *bytes, size_t len, void *ctx)
{
	struct str s = str_of(bytes, len), head, rest;
	uint64_t v;
	char out[8];

	*(size_t *)ctx += 1;
	assert_true(str_ieq(s, s));
	assert_true(str_eq(s, s));
	assert_true(str_istarts_with(s, s) && str_starts_with(s, s));
	assert_int_equal(str_cmp(s, s), 0);
	assert_int_equal(str_find(s, '#'), -1);
	assert_false(str_split(s, '#', &head, &rest));
	assert_true(str_trim(s).len <= len);
	assert_int_equal(str_to_u64(str_sub(s, 0, 3), 999, &v), len ? 0 : -E_MALFORMED);
	assert_int_equal(str_to_c(s, out, sizeof(out)), len < 7 ? len : 7);
}

static void every_prefix_read_stays_inside(void **state)
{
	static const char text[] = "123 \t\r\n Mixed Case\xff\x80 \r\n";
	size_t n = 0;

	guard_each_prefix(text, sizeof(text) - 1, read_all_ways, &n);
	assert_int_equal(n, sizeof(text));
}

static void empty_buffer_written_fills_in_order(void **state)
{
	char mem[64];
	struct strbuf b = strbuf_of(mem, sizeof(mem));

	strbuf_put(&b, STR("a="));
	strbuf_u64(&b, 0);
	strbuf_char(&b, ' ');
	strbuf_u64(&b, UINT64_MAX);
	strbuf_char(&b, ' ');
	strbuf_hex(&b, 0xbeef, 8);
	strbuf_printf(&b, " %s-%d", "x", -5);
	strbuf_put(&b, STR_NONE);
	assert_false(b.full);
	assert_str(strbuf_str(&b), "a=0 18446744073709551615 0000beef x--5");
}

static void hex_written_has_asked_digits(void **state)
{
	char mem[64];
	struct strbuf b = strbuf_of(mem, sizeof(mem));

	strbuf_hex(&b, 0x123456789abcdef0, 16);
	strbuf_char(&b, ' ');
	strbuf_hex(&b, 0x1234, 2);
	strbuf_char(&b, ' ');
	strbuf_hex(&b, 0xa, 0); /* at least one, at most 16 */
	strbuf_char(&b, ' ');
	strbuf_hex(&b, 1, 99);
	assert_str(strbuf_str(&b), "123456789abcdef0 34 a 0000000000000001");
}

static void buffer_filled_to_last_byte_is_not_full(void **state)
{
	struct guard g;

	guard_open(&g, 8);
	struct strbuf b = strbuf_of(guard_tail(&g, "\0\0\0\0", 4), 4);

	strbuf_put(&b, STR("abc"));
	strbuf_char(&b, 'd');
	assert_false(b.full);
	strbuf_put(&b, STR_NONE);
	assert_false(b.full);
	strbuf_char(&b, 'e');
	assert_true(b.full);
	assert_str(strbuf_str(&b), "abcd");
	guard_close(&g);
}

static void full_buffer_written_stays_as_it_was(void **state)
{
	char mem[8] = "########";
	struct strbuf b = strbuf_of(mem, 4);

	strbuf_put(&b, STR("ab"));
	strbuf_put(&b, STR("cde")); /* no half of it */
	assert_true(b.full);
	strbuf_char(&b, 'f'); /* would fit, but something is missing before it */
	strbuf_u64(&b, 1);
	strbuf_hex(&b, 1, 1);
	strbuf_printf(&b, "g");
	assert_str(strbuf_str(&b), "ab");
	assert_memory_equal(mem, "ab######", 8);
}

static void printf_at_the_end_needs_room_for_terminator(void **state)
{
	struct guard g;

	guard_open(&g, 8);
	for (size_t cap = 0; cap <= 6; cap++) {
		struct strbuf b = strbuf_of(guard_tail(&g, "######", cap), cap);

		strbuf_printf(&b, "%d", 1234);
		assert_int_equal(b.full, cap < 5);
		assert_int_equal(b.len, cap < 5 ? 0 : 4);
	}
	guard_close(&g);
}

static void wire_order_converted_both_ways(void **state)
{
	assert_int_equal(be16_of(0x1234).b[0], 0x12);
	assert_int_equal(be16_get(be16_of(0xfedc)), 0xfedc);
	assert_int_equal(be32_of(0x12345678).b[3], 0x78);
	assert_int_equal(be32_get(be32_of(0xfedcba98)), 0xfedcba98);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(c_string_viewed_has_its_length),
		cmocka_unit_test(ascii_letters_compared_fold_case),
		cmocka_unit_test(other_octets_compared_do_not_fold),
		cmocka_unit_test(prefix_compared_matches_start_only),
		cmocka_unit_test(views_ordered_by_octet_then_length),
		cmocka_unit_test(spaces_at_ends_trimmed_inner_kept),
		cmocka_unit_test(octet_searched_gives_first_index),
		cmocka_unit_test(part_taken_is_clipped),
		cmocka_unit_test(separated_view_split_at_first),
		cmocka_unit_test(digits_read_give_number),
		cmocka_unit_test(number_above_limit_is_out_of_range),
		cmocka_unit_test(other_octets_read_are_malformed),
		cmocka_unit_test(u32_read_keeps_its_limit),
		cmocka_unit_test(view_copied_is_terminated_and_clipped),
		cmocka_unit_test(every_prefix_read_stays_inside),
		cmocka_unit_test(empty_buffer_written_fills_in_order),
		cmocka_unit_test(hex_written_has_asked_digits),
		cmocka_unit_test(buffer_filled_to_last_byte_is_not_full),
		cmocka_unit_test(full_buffer_written_stays_as_it_was),
		cmocka_unit_test(printf_at_the_end_needs_room_for_terminator),
		cmocka_unit_test(wire_order_converted_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
