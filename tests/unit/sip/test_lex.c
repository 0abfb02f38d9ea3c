/* SPDX-License-Identifier: Apache-2.0 */
/* lex.c and its forms: classes against the grammar, lines by line end and fold, windows that a line
 * crosses, and all forms against the plain one and against a reader of one octet at a time. */
#include "platform/sip/lex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "platform/base/err.h"
#include "tests/guard.h"

static void octet_looked_up_has_the_classes_of_the_grammar(void **state)
{
	static const struct {
		unsigned class;
		const char *also; /* besides letters and digits */
	} sets[] = {
		{LEX_TOKEN, "-.!%*_+`'~"},
		{LEX_USER, "-_.!~*'()&=+$,;?/"},
		{LEX_HOST, "-."},
		{LEX_PARAM, "-_.!~*'()[]/:&+$"},
		{LEX_CALLID, "-.!%*_+`'~()<>:\\\"/[]?{}"},
	};

	for (int c = 0; c < 256; c++) {
		bool digit = c >= '0' && c <= '9';
		bool alnum = digit || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
			assert_int_equal(lex_is((char)c, sets[i].class),
					 alnum || (c != 0 && strchr(sets[i].also, c)));
		assert_int_equal(lex_is((char)c, LEX_DIGIT), digit);
		assert_int_equal(lex_is((char)c, LEX_HEX),
				 digit || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'));
		assert_int_equal(lex_is((char)c, LEX_LWS), c == ' ' || c == '\t');
	}
}

static void text_tested_whole_needs_each_octet(void **state)
{
	assert_true(lex_all(STR("a-b"), LEX_TOKEN));
	assert_false(lex_all(STR("a b"), LEX_TOKEN));
	assert_true(lex_all(STR("a b"), LEX_TOKEN | LEX_LWS));
	assert_false(lex_all(STR_NONE, LEX_TOKEN));
}

static void check_line(struct str s, uint32_t from, bool whole, int ret, struct lex_line want)
{
	for (const char *const *form = lex_forms(); *form; form++) {
		struct lex_line l;

		assert_int_equal(lex_choose(*form), 0);
		assert_int_equal(lex_scan(s.s, s.len, from, whole, &l), ret);
		if (ret == 0)
			continue;
		assert_int_equal(l.start, want.start);
		assert_int_equal(l.colon, want.colon);
		assert_int_equal(l.end, want.end);
		assert_int_equal(l.next, want.next);
		assert_int_equal(l.flags, want.flags);
	}
	lex_init();
}

static void line_ended_by_crlf_is_cut(void **state)
{
	check_line(STR("To: a\r\nX"), 0, false, 1, (struct lex_line){0, 2, 5, 7, 0});
	check_line(STR("ab\r\nTo: a:b\r\nX"), 4, false, 1, (struct lex_line){4, 6, 11, 13, 0});
}

static void line_ended_by_lf_is_cut_and_flagged(void **state)
{
	check_line(STR("To: a\nX"), 0, false, 1, (struct lex_line){0, 2, 5, 6, LEX_LINE_BARE_LF});
}

static void line_without_colon_has_it_at_the_end(void **state)
{
	check_line(STR("abc\r\nX:"), 0, false, 1, (struct lex_line){0, 3, 3, 5, 0});
	check_line(STR("abc\r\n d:e\r\nX:"), 0, false, 1,
		   (struct lex_line){0, 9, 9, 11, LEX_LINE_FOLDED});
}

static void line_folded_is_one_line(void **state)
{
	check_line(STR("a: b\r\n c\r\n\td\r\nX"), 0, false, 1,
		   (struct lex_line){0, 1, 12, 14, LEX_LINE_FOLDED});
	check_line(STR("a: b\n \r\nX"), 0, false, 1,
		   (struct lex_line){0, 1, 6, 8, LEX_LINE_FOLDED | LEX_LINE_BARE_LF});
}

static void line_with_stray_octets_is_flagged(void **state)
{
	check_line(STR("a: \0b\r\nX"), 0, false, 1, (struct lex_line){0, 1, 5, 7, LEX_LINE_NUL});
	check_line(STR("a: \rb\r\nX"), 0, false, 1,
		   (struct lex_line){0, 1, 5, 7, LEX_LINE_BARE_CR});
	check_line(STR("a: b\r\r\nX"), 0, false, 1,
		   (struct lex_line){0, 1, 5, 7, LEX_LINE_BARE_CR});
}

static void line_at_the_end_of_input_counts_in_a_datagram_only(void **state)
{
	check_line(STR("a: b\r\n"), 0, true, 1, (struct lex_line){0, 1, 4, 6, 0});
	check_line(STR("a: b\r\n"), 0, false, 0, (struct lex_line){0});
	check_line(STR("a: b\r"), 0, true, 0, (struct lex_line){0});
	check_line(STR("a: b"), 0, true, 0, (struct lex_line){0});
	check_line(STR("a: b\r\n c"), 0, true, 0, (struct lex_line){0});
	check_line(STR(""), 0, true, 0, (struct lex_line){0});
	check_line(STR("a"), 1, true, 0, (struct lex_line){0});
}

static void empty_line_ends_at_once(void **state)
{
	check_line(STR("\r\n body"), 0, false, 1, (struct lex_line){0, 0, 0, 2, 0});
	check_line(STR("\n body"), 0, false, 1, (struct lex_line){0, 0, 0, 1, LEX_LINE_BARE_LF});
	check_line(STR("\r\n"), 0, false, 1, (struct lex_line){0, 0, 0, 2, 0});
}

/* A line of n octets, then another, walked with one cursor: every window offset is met. */
static void line_crossing_a_window_is_cut(void **state)
{
	static char text[3 * LEX_WINDOW + 64];

	for (uint32_t n = 1; n < 2 * LEX_WINDOW + 40; n++) {
		struct lex_cursor c;
		struct lex_line l;

		memset(text, 'x', sizeof(text));
		text[n / 2] = ':';
		memcpy(text + n, "\r\nab:c\r\n\r\n", 10);
		for (const char *const *form = lex_forms(); *form; form++) {
			lex_choose(*form);
			lex_open(&c, text, n + 10);
			assert_int_equal(lex_next(&c, 0, false, &l), 1);
			assert_int_equal(l.colon, n / 2);
			assert_int_equal(l.end, n);
			assert_int_equal(lex_next(&c, l.next, false, &l), 1);
			assert_int_equal(l.colon, n + 4);
			assert_int_equal(l.end, n + 6);
			assert_int_equal(lex_next(&c, l.next, false, &l), 1);
			assert_int_equal(l.end, l.start);
			assert_int_equal(l.next, n + 10);
		}
	}
	lex_init();
}

/* The same by one octet at a time. */
static int slow_scan(const char *p, uint32_t len, uint32_t from, bool whole, struct lex_line *line)
{
	uint32_t i = from, colon = UINT32_MAX;
	bool first = true;

	*line = (struct lex_line){.start = from};
	for (; i < len; i++) {
		bool crlf = p[i] == '\r' && i + 1 < len && p[i + 1] == '\n';

		if (p[i] == ':' && first && colon == UINT32_MAX)
			colon = i;
		if (p[i] == '\0')
			line->flags |= LEX_LINE_NUL;
		if (p[i] == '\r' && !crlf)
			line->flags |= LEX_LINE_BARE_CR;
		if (!crlf && p[i] != '\n')
			continue;
		if (p[i] == '\n')
			line->flags |= LEX_LINE_BARE_LF;
		line->end = i;
		line->next = i + 1 + crlf;
		line->colon = colon != UINT32_MAX ? colon : i;
		if (i == from)
			return 1;
		if (line->next == len)
			return whole;
		if (p[line->next] != ' ' && p[line->next] != '\t')
			return 1;
		line->flags |= LEX_LINE_FOLDED;
		first = false;
		i = line->next - 1;
	}
	return 0;
}

static void random_text_scanned_is_equal_in_all_forms(void **state)
{
	static const char alphabet[] = "\r\n\r\n\0: \tab\xff\x8a\x8d\x80\x1a\x3b\x0b";
	struct guard g;
	char text[200];

	guard_open(&g, sizeof(text));
	srand(1);
	for (int round = 0; round < 4000; round++) {
		uint32_t len = (uint32_t)rand() % sizeof(text), spread = 1 + (uint32_t)rand() % 60;

		for (uint32_t i = 0; i < len; i++)
			text[i] = (uint32_t)rand() % spread
					  ? 'x'
					  : alphabet[(uint32_t)rand() % (sizeof(alphabet) - 1)];
		for (const char *const *form = lex_forms(); *form; form++) {
			const char *p =
				round & 1 ? guard_tail(&g, text, len) : guard_head(&g, text, len);
			bool whole = round & 2;
			uint32_t from = 0;
			struct lex_line want, got;
			int ret;

			lex_choose(*form);
			do {
				ret = slow_scan(p, len, from, whole, &want);
				assert_int_equal(lex_scan(p, len, from, whole, &got), ret);
				if (ret == 0)
					break;
				assert_int_equal(got.colon, want.colon);
				assert_int_equal(got.end, want.end);
				assert_int_equal(got.next, want.next);
				assert_int_equal(got.flags, want.flags);
				from = got.next;
			} while (ret);
		}
	}
	guard_close(&g);
	lex_init();
}

static void form_chosen_by_name_or_not_found(void **state)
{
	const char *const *forms = lex_forms();
	const char *widest = NULL;

	assert_string_equal(forms[0], "plain");
	for (; *forms; forms++) {
		assert_int_equal(lex_choose(*forms), 0);
		widest = *forms;
	}
	assert_int_equal(lex_choose("abacus"), -E_NOT_FOUND);
	assert_string_equal(lex_init(), widest);
	assert_string_equal(lex_init(), widest);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(octet_looked_up_has_the_classes_of_the_grammar),
		cmocka_unit_test(text_tested_whole_needs_each_octet),
		cmocka_unit_test(line_ended_by_crlf_is_cut),
		cmocka_unit_test(line_ended_by_lf_is_cut_and_flagged),
		cmocka_unit_test(line_without_colon_has_it_at_the_end),
		cmocka_unit_test(line_folded_is_one_line),
		cmocka_unit_test(line_with_stray_octets_is_flagged),
		cmocka_unit_test(line_at_the_end_of_input_counts_in_a_datagram_only),
		cmocka_unit_test(empty_line_ends_at_once),
		cmocka_unit_test(line_crossing_a_window_is_cut),
		cmocka_unit_test(random_text_scanned_is_equal_in_all_forms),
		cmocka_unit_test(form_chosen_by_name_or_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
