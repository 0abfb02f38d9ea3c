/* SPDX-License-Identifier: Apache-2.0 */
/* hdr.c: every name of the table in every way it may be written, and what comes close to one. */
#include "platform/sip/hdr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "platform/sip/lex.h"
#include "tests/guard.h"

static const char compact_of[SIP_H_COUNT] = {
#define X(id, name, compact, rule) [SIP_H_##id] = compact,
	SIP_HEADERS(X)
#undef X
};

static void known_name_in_any_case_is_found(void **state)
{
	struct guard g;
	char text[32];

	guard_open(&g, sizeof(text));
	srand(7);
	for (int id = 1; id < SIP_H_COUNT; id++) {
		struct str name = sip_hdr_info(id)->name;

		assert_true(name.len >= 2 && name.len <= sizeof(text));
		for (int round = 0; round < 64; round++) {
			for (uint32_t i = 0; i < name.len; i++) {
				bool flip = round == 1 || (round > 1 && rand() & 1);

				text[i] = name.s[i];
				if (flip && lex_is(text[i], LEX_HOST) && text[i] != '-')
					text[i] = (char)(text[i] ^ 0x20);
			}
			assert_int_equal(
				sip_hdr_find(str_of(guard_tail(&g, text, name.len), name.len)), id);
			assert_int_equal(
				sip_hdr_find(str_of(guard_head(&g, text, name.len), name.len)), id);
		}
	}
	guard_close(&g);
}

static void compact_name_in_any_case_is_found(void **state)
{
	int found = 0;

	for (int c = 0; c < 256; c++) {
		char octet = (char)c;
		enum sip_hdr_id want = SIP_H_OTHER;

		for (int id = 1; id < SIP_H_COUNT; id++)
			if (compact_of[id] != 0 && ascii_lower(octet) == compact_of[id])
				want = id;
		assert_int_equal(sip_hdr_find(str_of(&octet, 1)), want);
		found += want != SIP_H_OTHER;
	}
	assert_int_equal(found, 38); /* 19 compact forms, two cases */
	assert_int_equal(sip_hdr_find(STR("V")), SIP_H_VIA);
	assert_int_equal(sip_hdr_find(STR("l")), SIP_H_CONTENT_LENGTH);
}

/* Every name with each octet replaced by each other octet that is not the same letter, with one
 * left out at the end, and with one more. */
static void near_miss_is_not_found(void **state)
{
	char text[32];

	for (int id = 1; id < SIP_H_COUNT; id++) {
		struct str name = sip_hdr_info(id)->name;

		for (uint32_t i = 0; i < name.len; i++) {
			memcpy(text, name.s, name.len);
			for (int c = 0; c < 256; c++) {
				enum sip_hdr_id got;

				text[i] = (char)c;
				got = sip_hdr_find(str_of(text, name.len));
				if (str_ieq(str_of(text, name.len), name))
					assert_int_equal(got, id);
				else if (got != SIP_H_OTHER)
					assert_true(str_ieq(str_of(text, name.len),
							    sip_hdr_info(got)->name));
			}
		}
		memcpy(text, name.s, name.len);
		text[name.len] = 's';
		assert_int_not_equal(sip_hdr_find(str_of(text, name.len + 1)), id);
		if (name.len > 2) /* one letter is a compact form */
			assert_int_not_equal(sip_hdr_find(str_of(text, name.len - 1)), id);
	}
	assert_int_equal(sip_hdr_find(STR("Call\rID")), SIP_H_OTHER);
	assert_int_equal(sip_hdr_find(STR("C%6Fntact")), SIP_H_OTHER);
	assert_int_equal(sip_hdr_find(STR("\0\0")), SIP_H_OTHER);
	assert_int_equal(sip_hdr_find(STR_NONE), SIP_H_OTHER);
	assert_int_equal(sip_hdr_find(STR("Content-LengthContent-Length")), SIP_H_OTHER);
}

static void row_of_an_id_is_that_of_the_table(void **state)
{
	const struct sip_hdr_info *via = sip_hdr_info(SIP_H_VIA);

	assert_true(str_eq(via->name, STR("Via")));
	assert_int_equal(via->compact, 'v');
	assert_int_equal(via->rule, SIP_HDR_LIST);
	assert_int_equal(sip_hdr_info(SIP_H_TO)->rule, SIP_HDR_ONE);
	assert_int_equal(sip_hdr_info(SIP_H_AUTHORIZATION)->rule, SIP_HDR_MANY);
	assert_int_equal(sip_hdr_info(SIP_H_OTHER)->name.len, 0);
	assert_int_equal(sip_hdr_info(SIP_H_OTHER)->rule, SIP_HDR_MANY);
	assert_ptr_equal(sip_hdr_info(SIP_H_COUNT), sip_hdr_info(SIP_H_OTHER));
}

static void method_looked_up_keeps_its_case(void **state)
{
	for (int m = 1; m < SIP_M_COUNT; m++)
		assert_int_equal(sip_method_find(sip_method_name(m)), m);
	assert_int_equal(sip_method_find(STR("INVITE")), SIP_M_INVITE);
	assert_int_equal(sip_method_find(STR("SUBSCRIBE")), SIP_M_SUBSCRIBE);
	assert_int_equal(sip_method_find(STR("invite")), SIP_M_OTHER);
	assert_int_equal(sip_method_find(STR("INVITEX")), SIP_M_OTHER);
	assert_int_equal(sip_method_find(STR("SUBSCRIBER")), SIP_M_OTHER);
	assert_int_equal(sip_method_find(STR("IN")), SIP_M_OTHER);
	assert_int_equal(sip_method_find(STR_NONE), SIP_M_OTHER);
	assert_int_equal(sip_method_name(SIP_M_OTHER).len, 0);
	assert_int_equal(sip_method_name(SIP_M_COUNT).len, 0);
}

static void status_has_its_reason_or_that_of_its_class(void **state)
{
	assert_true(str_eq(sip_reason(100), STR("Trying")));
	assert_true(str_eq(sip_reason(200), STR("OK")));
	assert_true(str_eq(sip_reason(416), STR("Unsupported URI Scheme")));
	assert_true(str_eq(sip_reason(483), STR("Too Many Hops")));
	assert_true(str_eq(sip_reason(499), STR("Bad Request")));
	assert_true(str_eq(sip_reason(299), STR("OK")));
	assert_true(str_eq(sip_reason(599), STR("Server Internal Error")));
	assert_true(str_eq(sip_reason(699), STR("Decline")));
	assert_true(str_eq(sip_reason(150), STR("Session Progress")));
	assert_int_equal(sip_reason(0).len, 0);
	assert_int_equal(sip_reason(700).len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_name_in_any_case_is_found),
		cmocka_unit_test(compact_name_in_any_case_is_found),
		cmocka_unit_test(near_miss_is_not_found),
		cmocka_unit_test(row_of_an_id_is_that_of_the_table),
		cmocka_unit_test(method_looked_up_keeps_its_case),
		cmocka_unit_test(status_has_its_reason_or_that_of_its_class),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
