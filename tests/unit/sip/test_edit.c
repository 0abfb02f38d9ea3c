/* SPDX-License-Identifier: Apache-2.0 */
/* edit.c: what the writers join, edits against a naive model with seeded random changes, every
 * limit, and a renderer that is handed words nobody of ours would write. */
#include "platform/sip/edit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/guard.h"

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))
#define WORDS_MAX 4096
#define MSG_MAX 300
#define ROUNDS 4000

static struct sip_op words[WORDS_MAX];
static char out[131072];
static const struct str msg = STR("0123456789abcdefghijklmnopqrstuvwxyz");

static void assert_renders(const struct sip_program *p, struct str base, struct str expected)
{
	int n = sip_program_render(p->word, p->n, base.s, base.len, out, sizeof(out));

	assert_false(p->full);
	assert_int_equal(n, expected.len);
	assert_memory_equal(out, expected.s, expected.len);
}

static void touching_copies_written_are_one_op(void **state)
{
	struct sip_program p = sip_program_of(words, WORDS_MAX);

	sip_program_copy(&p, 2, 3);
	sip_program_copy(&p, 5, 1);
	sip_program_copy(&p, 9, 0);
	sip_program_copy(&p, 6, 4);
	assert_int_equal(p.n, 1);
	assert_int_equal(words[0].off, 2);
	assert_int_equal(words[0].len, 8);
	sip_program_copy(&p, 11, 1);
	sip_program_copy(&p, 0, 1);
	assert_int_equal(p.n, 3);
	assert_renders(&p, msg, STR("23456789b0"));
}

static void adjacent_texts_written_are_one_op(void **state)
{
	static const char *const piece[] = { "a", "bcd", "efgh", "", "ijklm", "no" };
	struct sip_program p = sip_program_of(words, WORDS_MAX);

	for (size_t i = 0; i < N_OF(piece); i++)
		sip_program_text(&p, str_from_c(piece[i]));
	assert_int_equal(p.n, 1 + 4);
	assert_int_equal(words[0].off, SIP_OP_TEXT);
	assert_int_equal(words[0].len, 15);
	assert_int_equal(((const char *)words)[19], 0); /* padding */
	assert_renders(&p, STR_NONE, STR("abcdefghijklmno"));
	sip_program_copy(&p, 3, 1);
	sip_program_text(&p, STR("X"));
	assert_int_equal(p.n, 8);
	assert_renders(&p, msg, STR("abcdefghijklmno3X"));
}

/* Padding must not carry what lay in the memory before: it goes into a shared region. */
static void padding_written_is_zero(void **state)
{
	for (uint32_t first = 1; first < 6; first++) {
		for (uint32_t more = 0; more < 6; more++) {
			struct sip_program p = sip_program_of(words, WORDS_MAX);
			uint32_t len = first + more;

			memset(words, 0xEE, 64);
			sip_program_text(&p, (struct str){ "aaaaaa", first });
			sip_program_text(&p, (struct str){ "bbbbbb", more });
			assert_int_equal(p.n, 1 + (len + 3) / 4);
			for (uint32_t i = 4 + len; i < 4 * p.n; i++)
				assert_int_equal(((const uint8_t *)words)[i], 0);
			assert_int_equal(((const uint8_t *)words)[4 * p.n], 0xEE);
		}
	}
}

static void long_texts_written_split_where_len_ends(void **state)
{
	static char big[40000];
	struct sip_program p = sip_program_of(words, 4);
	static struct sip_op many[30000];

	memset(big, 'x', sizeof(big));
	sip_program_text(&p, str_of(big, 65536));
	assert_true(p.full);
	p = sip_program_of(many, N_OF(many));
	sip_program_text(&p, str_of(big, sizeof(big)));
	sip_program_text(&p, str_of(big, sizeof(big)));
	assert_false(p.full);
	assert_int_equal(p.n, 2 * (1 + sizeof(big) / 4));
	assert_int_equal(sip_program_render(many, p.n, NULL, 0, out, sizeof(out)), 80000);
	p = sip_program_of(many, N_OF(many));
	sip_program_copy(&p, 0xfffe, 1);
	assert_false(p.full);
	sip_program_copy(&p, 0xffff, 1);
	assert_true(p.full);
	p = sip_program_of(many, N_OF(many));
	sip_program_copy(&p, 0, 65535);
	assert_int_equal(p.n, 1);
	sip_program_copy(&p, 0, 65536);
	assert_true(p.full);
}

static void full_program_written_stays_full(void **state)
{
	struct sip_program p = sip_program_of(words, 3);

	sip_program_copy(&p, 0, 1);
	sip_program_text(&p, STR("12345"));
	assert_true(p.full);
	assert_int_equal(p.n, 1);
	sip_program_copy(&p, 1, 1); /* would join, and so fit */
	sip_program_text(&p, STR("1"));
	assert_int_equal(p.n, 1);
	assert_int_equal(words[0].len, 1);
}

static struct sip_edit edit;

static void assert_edits_to(struct str expected)
{
	struct sip_program p = sip_program_of(words, WORDS_MAX);

	assert_int_equal(sip_edit_program(&edit, msg.len, &p), 0);
	assert_renders(&p, msg, expected);
}

static void no_edit_programmed_is_one_copy(void **state)
{
	struct sip_program p = sip_program_of(words, WORDS_MAX);

	sip_edit_init(&edit);
	assert_int_equal(sip_edit_program(&edit, msg.len, &p), 0);
	assert_int_equal(p.n, 1);
	assert_renders(&p, msg, msg);
}

static void inserts_at_one_offset_keep_their_order(void **state)
{
	sip_edit_init(&edit);
	assert_int_equal(sip_edit_insert(&edit, 36, STR("end")), 0);
	assert_int_equal(sip_edit_insert(&edit, 5, STR("A")), 0);
	assert_int_equal(sip_edit_replace(&edit, 5, 2, STR("B")), 0);
	assert_int_equal(sip_edit_insert(&edit, 0, STR("start")), 0);
	assert_int_equal(sip_edit_insert(&edit, 5, STR("C")), 0);
	assert_int_equal(sip_edit_insert(&edit, 6, STR("in")), 0); /* inside what is left out */
	assert_int_equal(sip_edit_insert(&edit, 7, STR("D")), 0);
	assert_int_equal(sip_edit_delete(&edit, 7, 28), 0);
	assert_int_equal(sip_edit_delete(&edit, 9, 0), 0);
	assert_edits_to(STR("start01234ABCinDzend"));
}

static void overlapping_deletes_programmed_are_malformed(void **state)
{
	static const uint32_t pair[][4] = {
		{ 5, 2, 6, 1 }, { 5, 2, 5, 1 }, { 6, 1, 5, 2 }, { 5, 9, 7, 2 }
	};

	for (size_t i = 0; i < N_OF(pair); i++) {
		struct sip_program p = sip_program_of(words, WORDS_MAX);

		sip_edit_init(&edit);
		assert_int_equal(sip_edit_delete(&edit, pair[i][0], pair[i][1]), 0);
		assert_int_equal(sip_edit_delete(&edit, pair[i][2], pair[i][3]), 0);
		assert_int_equal(sip_edit_program(&edit, msg.len, &p), -E_MALFORMED);
	}
}

static void edits_outside_are_malformed(void **state)
{
	struct sip_program p = sip_program_of(words, WORDS_MAX);

	sip_edit_init(&edit);
	assert_int_equal(sip_edit_insert(&edit, 37, STR("x")), 0);
	assert_int_equal(sip_edit_program(&edit, msg.len, &p), -E_MALFORMED);
	sip_edit_init(&edit);
	assert_int_equal(sip_edit_delete(&edit, 36, 1), 0);
	assert_int_equal(sip_edit_program(&edit, msg.len, &p), -E_MALFORMED);
	sip_edit_init(&edit);
	assert_int_equal(sip_edit_program(&edit, 65536, &p), -E_MALFORMED);
	assert_int_equal(sip_edit_insert(&edit, 65536, STR("x")), -E_MALFORMED);
	assert_int_equal(sip_edit_program(&edit, msg.len, &p), -E_MALFORMED);
}

static void too_many_edits_are_refused_for_good(void **state)
{
	struct sip_program p = sip_program_of(words, WORDS_MAX);

	sip_edit_init(&edit);
	for (uint32_t i = 0; i < SIP_EDITS_MAX; i++)
		assert_int_equal(sip_edit_insert(&edit, i % 30, STR("x")), 0);
	assert_int_equal(sip_edit_delete(&edit, 0, 1), -E_TOO_MANY);
	assert_int_equal(edit.n, SIP_EDITS_MAX);
	assert_int_equal(sip_edit_insert(&edit, 0, STR("")), -E_TOO_MANY);
	assert_int_equal(sip_edit_program(&edit, msg.len, &p), -E_TOO_MANY);
	assert_int_equal(p.n, 0);
}

static void text_store_filled_refuses_for_good(void **state)
{
	static char big[SIP_EDIT_TEXT_MAX];
	struct strbuf b;

	sip_edit_init(&edit);
	assert_int_equal(sip_edit_insert(&edit, 0, str_of(big, sizeof(big))), 0);
	assert_int_equal(sip_edit_insert(&edit, 0, STR("x")), -E_FULL);
	assert_int_equal(sip_edit_delete(&edit, 0, 1), -E_FULL);
	b = sip_edit_text_begin(&edit);
	assert_int_equal(b.cap, 0);
	assert_int_equal(sip_edit_text_end(&edit, &b, 0, 0), -E_FULL);
}

static void text_written_piecewise_is_one_change(void **state)
{
	struct strbuf b;

	sip_edit_init(&edit);
	b = sip_edit_text_begin(&edit);
	strbuf_put(&b, STR("Via: "));
	strbuf_u64(&b, 42);
	assert_int_equal(sip_edit_text_end(&edit, &b, 1, 35), 0);
	b = sip_edit_text_begin(&edit);
	assert_int_equal(b.cap, SIP_EDIT_TEXT_MAX - 7);
	strbuf_put(&b, STR("!"));
	assert_int_equal(sip_edit_text_end(&edit, &b, 36, 0), 0);
	assert_int_equal(edit.n, 2);
	assert_edits_to(STR("0Via: 42!"));
	b = sip_edit_text_begin(&edit);
	while (!b.full)
		strbuf_put(&b, STR("0123456789"));
	assert_int_equal(sip_edit_text_end(&edit, &b, 0, 0), -E_FULL);
}

static void program_without_room_is_full(void **state)
{
	struct sip_program p = sip_program_of(words, WORDS_MAX);
	uint32_t need;

	sip_edit_init(&edit);
	assert_int_equal(sip_edit_insert(&edit, 3, STR("hello")), 0);
	assert_int_equal(sip_edit_replace(&edit, 9, 2, STR("you")), 0);
	assert_int_equal(sip_edit_program(&edit, msg.len, &p), 0);
	need = p.n;
	assert_int_equal(need, 3 + 3 + 2);
	for (uint32_t cap = 0; cap < need; cap++) {
		p = sip_program_of(words, cap);
		words[cap] = (struct sip_op){ 0xABCD, 0xABCD };
		assert_int_equal(sip_edit_program(&edit, msg.len, &p), -E_FULL);
		assert_true(words[cap].off == 0xABCD && words[cap].len == 0xABCD);
	}
	p = sip_program_of(words, need);
	assert_int_equal(sip_edit_program(&edit, msg.len, &p), 0);
}

/* The model: what stands before each octet, and whether the octet goes. */
struct model {
	char before[MSG_MAX + 1][128];
	uint32_t before_len[MSG_MAX + 1];
	bool gone[MSG_MAX];
	bool overlap, outside;
};
static struct model model;
static uint32_t seed = 0x5eed1234;

static uint32_t random_below(uint32_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed % n;
}

static void change_both(uint32_t msg_len)
{
	uint32_t off = random_below(msg_len + 1), del = 0, len = 0;
	char text[12];

	if (random_below(2))
		del = random_below(8);
	if (del == 0 || random_below(2))
		len = random_below(sizeof(text));
	if (off + del > msg_len && random_below(20)) /* seldom outside */
		del = msg_len - off;
	for (uint32_t i = 0; i < len; i++)
		text[i] = (char)('A' + random_below(26));
	assert_int_equal(sip_edit_replace(&edit, off, del, str_of(text, len)), 0);
	memcpy(model.before[off] + model.before_len[off], text, len);
	model.before_len[off] += len;
	model.outside |= off + del > msg_len;
	for (uint32_t i = off; i < off + del && i < msg_len; i++) {
		model.overlap |= model.gone[i];
		model.gone[i] = true;
	}
}

static uint32_t model_render(const char *base, uint32_t msg_len, char *to)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i <= msg_len; i++) {
		memcpy(to + n, model.before[i], model.before_len[i]);
		n += model.before_len[i];
		if (i < msg_len && !model.gone[i])
			to[n++] = base[i];
	}
	return n;
}

static void random_edits_rendered_equal_the_model(void **state)
{
	static char base[MSG_MAX], expected[MSG_MAX + SIP_EDIT_TEXT_MAX];
	uint32_t rendered = 0, refused = 0;

	for (uint32_t i = 0; i < MSG_MAX; i++)
		base[i] = (char)('a' + i % 26);
	for (uint32_t round = 0; round < ROUNDS; round++) {
		uint32_t msg_len = random_below(MSG_MAX), n = random_below(10), len;
		struct sip_program p = sip_program_of(words, WORDS_MAX);
		int err, got;

		memset(&model, 0, sizeof(model));
		sip_edit_init(&edit);
		while (n-- > 0)
			change_both(msg_len);
		err = sip_edit_program(&edit, msg_len, &p);
		if (model.overlap || model.outside) {
			assert_int_equal(err, -E_MALFORMED);
			refused++;
			continue;
		}
		assert_int_equal(err, 0);
		len = model_render(base, msg_len, expected);
		got = sip_program_render(p.word, p.n, base, msg_len, out, sizeof(out));
		if (len == 0) {
			assert_int_equal(got, -E_BAD_RECORD);
			continue;
		}
		assert_int_equal(got, len);
		assert_memory_equal(out, expected, len);
		rendered++;
	}
	assert_true(rendered > ROUNDS / 2 && refused > ROUNDS / 100);
}

static void program_rendered_needs_its_exact_room(void **state)
{
	struct sip_program p = sip_program_of(words, WORDS_MAX);
	struct guard g;
	char *room;

	sip_program_copy(&p, 0, 4);
	sip_program_text(&p, STR("hello"));
	sip_program_copy(&p, 34, 2);
	guard_open(&g, 64);
	for (uint32_t cap = 0; cap < 11; cap++) {
		room = guard_tail(&g, out, cap);
		assert_int_equal(sip_program_render(words, p.n, msg.s, msg.len, room, cap),
				 -E_TOO_LONG);
	}
	room = guard_tail(&g, out, 11);
	assert_int_equal(sip_program_render(words, p.n, msg.s, msg.len, room, 11), 11);
	assert_memory_equal(room, "0123helloyz", 11);
	guard_close(&g);
}

static void hostile_words_rendered_are_bad(void **state)
{
	static const struct {
		struct sip_op word[4];
		uint32_t n;
	} bad[] = {
		{ { { 0, 0 } }, 0 },
		{ { { 0, 0 } }, 1 },
		{ { { 36, 1 } }, 1 },
		{ { { 35, 2 } }, 1 },
		{ { { 37, 0 } }, 1 },
		{ { { 0, 37 } }, 1 },
		{ { { 0xfffe, 1 } }, 1 },
		{ { { 0xfffe, 0xffff } }, 1 },
		{ { { 0, 0xffff } }, 1 },
		{ { { 0, 36 }, { 36, 0 } }, 2 },
		{ { { SIP_OP_TEXT, 0 } }, 1 },
		{ { { SIP_OP_TEXT, 1 } }, 1 },
		{ { { SIP_OP_TEXT, 5 }, { 1, 1 } }, 2 },
		{ { { SIP_OP_TEXT, 0xffff }, { 1, 1 } }, 2 },
		{ { { SIP_OP_TEXT, 0xfffd }, { 1, 1 } }, 2 },
		{ { { SIP_OP_TEXT, 4 }, { 1, 1 }, { SIP_OP_TEXT, 1 } }, 3 },
		{ { { 0, 1 }, { SIP_OP_TEXT, 9 }, { 1, 1 }, { 1, 1 } }, 4 },
	};
	struct guard base, program;

	guard_open(&base, msg.len);
	guard_open(&program, sizeof(bad[0].word));
	for (size_t i = 0; i < N_OF(bad); i++) {
		const char *b = guard_tail(&base, msg.s, msg.len);
		const struct sip_op *w =
			guard_tail(&program, bad[i].word, bad[i].n * sizeof(struct sip_op));

		if (sip_program_render(w, bad[i].n, b, msg.len, out, sizeof(out)) != -E_BAD_RECORD)
			fail_msg("accepted: row %zu", i);
	}
	guard_close(&base);
	guard_close(&program);
}

static void every_prefix_of_a_program_rendered_stays_inside(void **state)
{
	struct sip_program p = sip_program_of(words, WORDS_MAX);
	struct guard g;

	sip_program_copy(&p, 0, 36);
	sip_program_text(&p, STR("some text of 21 bytes"));
	sip_program_copy(&p, 3, 4);
	guard_open(&g, p.n * sizeof(struct sip_op));
	for (uint32_t n = 0; n <= p.n; n++) {
		const struct sip_op *w = guard_tail(&g, words, n * sizeof(struct sip_op));
		int r = sip_program_render(w, n, msg.s, msg.len, out, sizeof(out));

		assert_int_equal(r, n == 1	   ? 36
				    : n == p.n - 1 ? 57
				    : n == p.n	   ? 61
						   : -E_BAD_RECORD);
	}
	guard_close(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(touching_copies_written_are_one_op),
		cmocka_unit_test(adjacent_texts_written_are_one_op),
		cmocka_unit_test(padding_written_is_zero),
		cmocka_unit_test(long_texts_written_split_where_len_ends),
		cmocka_unit_test(full_program_written_stays_full),
		cmocka_unit_test(no_edit_programmed_is_one_copy),
		cmocka_unit_test(inserts_at_one_offset_keep_their_order),
		cmocka_unit_test(overlapping_deletes_programmed_are_malformed),
		cmocka_unit_test(edits_outside_are_malformed),
		cmocka_unit_test(too_many_edits_are_refused_for_good),
		cmocka_unit_test(text_store_filled_refuses_for_good),
		cmocka_unit_test(text_written_piecewise_is_one_change),
		cmocka_unit_test(program_without_room_is_full),
		cmocka_unit_test(random_edits_rendered_equal_the_model),
		cmocka_unit_test(program_rendered_needs_its_exact_room),
		cmocka_unit_test(hostile_words_rendered_are_bad),
		cmocka_unit_test(every_prefix_of_a_program_rendered_stays_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
