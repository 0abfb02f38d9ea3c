/* SPDX-License-Identifier: Apache-2.0 */
/* Branches and To tags of ours: known again, and nobody else's taken for them. */
#include "rig.h"

#include "platform/link/token.h"

#include <ctype.h>
#include <stdio.h>

static struct link l;

static int open_link(void **state)
{
	(void)state;
	rig_open(&l, 1, 3);
	return 0;
}

static int close_link(void **state)
{
	(void)state;
	link_region_unmap(&l);
	return 0;
}

static void written_branch_is_read_back(void **state)
{
	static const struct token_branch row[] = {{0, 0, 0}, {2, 31, 1}, {1, 17, 0x7fffffff}};
	char text[TOKEN_BRANCH_LEN];
	struct token_branch t;

	(void)state;
	for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		token_branch_write(l.h, &row[i], text);
		assert_memory_equal(text, "z9hG4bK", 7);
		for (unsigned k = 7; k < sizeof(text); k++)
			assert_true(isdigit(text[k]) || (text[k] >= 'a' && text[k] <= 'v'));
		assert_int_equal(token_branch_read(l.h, str_of(text, sizeof(text)), &t), 0);
		assert_int_equal(t.shard, row[i].shard);
		assert_int_equal(t.branch, row[i].branch);
		assert_int_equal(t.generation, row[i].generation);
		for (unsigned k = 0; k < sizeof(text); k++) /* §7.3.1: a peer may fold case */
			text[k] = (char)toupper(text[k]);
		assert_int_equal(token_branch_read(l.h, str_of(text, sizeof(text)), &t), 0);
		assert_int_equal(t.generation, row[i].generation);
	}
}

static void branch_changed_in_any_character_is_refused(void **state)
{
	const struct token_branch ours = {1, 5, 9};
	char good[TOKEN_BRANCH_LEN], text[TOKEN_BRANCH_LEN];
	struct token_branch t;

	(void)state;
	token_branch_write(l.h, &ours, good);
	for (unsigned at = 0; at < sizeof(good); at++) {
		for (int c = 0; c < 256; c++) {
			memcpy(text, good, sizeof(text));
			text[at] = (char)c;
			if (tolower((unsigned char)text[at]) == tolower((unsigned char)good[at]))
				continue;
			assert_int_equal(token_branch_read(l.h, str_of(text, sizeof(text)), &t),
					 -E_NOT_FOUND);
		}
	}
}

static void branch_of_another_length_is_refused(void **state)
{
	const struct token_branch ours = {1, 5, 9};
	char text[TOKEN_BRANCH_LEN + 1];
	struct token_branch t;

	(void)state;
	token_branch_write(l.h, &ours, text);
	text[TOKEN_BRANCH_LEN] = '0';
	for (unsigned n = 0; n <= TOKEN_BRANCH_LEN + 1; n++)
		assert_int_equal(token_branch_read(l.h, str_of(text, n), &t),
				 n == TOKEN_BRANCH_LEN ? 0 : -E_NOT_FOUND);
}

static void branch_beyond_the_tables_is_refused(void **state)
{
	const struct token_branch row[] = {{3, 0, 1}, {0, 32, 1}, {255, 0, 1}};
	char text[TOKEN_BRANCH_LEN];
	struct token_branch t;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		token_branch_write(l.h, &row[i], text);
		assert_int_equal(token_branch_read(l.h, str_of(text, sizeof(text)), &t),
				 -E_NOT_FOUND);
	}
}

static void branch_of_another_run_or_key_is_refused(void **state)
{
	const struct token_branch ours = {1, 5, 9};
	char text[TOKEN_BRANCH_LEN];
	struct token_branch t;

	(void)state;
	token_branch_write(l.h, &ours, text);
	l.h->run++;
	assert_int_equal(token_branch_read(l.h, str_of(text, sizeof(text)), &t), -E_NOT_FOUND);
	l.h->run--;
	assert_int_equal(token_branch_read(l.h, str_of(text, sizeof(text)), &t), 0);
	((uint8_t *)&l.h->keys.branch)[3] ^= 1;
	assert_int_equal(token_branch_read(l.h, str_of(text, sizeof(text)), &t), -E_NOT_FOUND);
	((uint8_t *)&l.h->keys.branch)[3] ^= 1;
}

/* A request with one part replaced; part 0: none. */
static struct str request(const char *method, int part, const char *to_tag)
{
	static char text[1024];
	int n = snprintf(text, sizeof(text),
			 "%s sip:%s SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK%s\r\n"
			 "From: <sip:a@h>;tag=%s\r\nTo: <sip:b@h>%s%s\r\nCall-ID: %s\r\n"
			 "CSeq: %s %s\r\nContent-Length: 0\r\n\r\n",
			 method, part == 1 ? "c@h" : "b@h", part == 2 ? "y" : "x",
			 part == 3 ? "g" : "f", to_tag[0] ? ";tag=" : "", to_tag,
			 part == 4 ? "d" : "c", part == 5 ? "2" : "1", method);

	return str_of(text, (size_t)n);
}

static void parse(struct str s, struct sip_msg *m)
{
	const struct sip_limits limits = {SIP_MSG_MAX, SIP_MSG_MAX, SIP_MSG_MAX, SIP_HDRS_MAX};
	struct sip_fault f;

	assert_int_equal(sip_msg_parse(s, &limits, m, &f), 0);
}

static void ack_of_a_refusal_carries_our_tag(void **state)
{
	char tag[TOKEN_TAG_LEN + 1] = "", again[TOKEN_TAG_LEN + 1] = "";
	struct str s = request("INVITE", 0, "");
	struct sip_msg m;

	(void)state;
	parse(s, &m);
	token_tag_write(l.h, s.s, &m, tag);
	token_tag_write(l.h, s.s, &m, again);
	assert_string_equal(tag, again);
	assert_int_equal(strspn(tag, "0123456789abcdef"), TOKEN_TAG_LEN);
	assert_false(token_tag_is(l.h, s.s, &m)); /* no To tag at all */
	s = request("ACK", 0, tag);
	parse(s, &m);
	assert_true(token_tag_is(l.h, s.s, &m));
	for (int part = 1; part <= 5; part++) {
		s = request("ACK", part, tag);
		parse(s, &m);
		assert_false(token_tag_is(l.h, s.s, &m));
	}
}

static void tag_changed_in_any_character_is_refused(void **state)
{
	char tag[TOKEN_TAG_LEN + 2] = "";
	struct str s = request("INVITE", 0, "");
	struct sip_msg m;

	(void)state;
	parse(s, &m);
	token_tag_write(l.h, s.s, &m, tag);
	for (int i = 0; i < TOKEN_TAG_LEN; i++) {
		char was = tag[i];

		for (const char *c = "0123456789abcdef"; *c != '\0'; c++) {
			tag[i] = *c;
			s = request("ACK", 0, tag);
			parse(s, &m);
			assert_int_equal(token_tag_is(l.h, s.s, &m), *c == was);
		}
		tag[i] = was;
	}
	tag[TOKEN_TAG_LEN] = '0';
	s = request("ACK", 0, tag);
	parse(s, &m);
	assert_false(token_tag_is(l.h, s.s, &m));
	tag[TOKEN_TAG_LEN - 1] = '\0';
	s = request("ACK", 0, tag);
	parse(s, &m);
	assert_false(token_tag_is(l.h, s.s, &m));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_branch_is_read_back),
		cmocka_unit_test(branch_changed_in_any_character_is_refused),
		cmocka_unit_test(branch_of_another_length_is_refused),
		cmocka_unit_test(branch_beyond_the_tables_is_refused),
		cmocka_unit_test(branch_of_another_run_or_key_is_refused),
		cmocka_unit_test(ack_of_a_refusal_carries_our_tag),
		cmocka_unit_test(tag_changed_in_any_character_is_refused),
	};

	return cmocka_run_group_tests_name("link/token", tests, open_link, close_link);
}
