/* SPDX-License-Identifier: Apache-2.0 */
/* REGISTER at its limits: texts longer than a record, lists longer than an answer, requests larger
 * than a step, tables without room; steps given up, and a successor's view. */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- long texts ---- */

static void empty_long_texts_spill_into_blocks(void **state)
{
	char want[4096];
	const char *path;

	rig_next(BOB, rig_path(1000, 'p', "Contact: <sip:a@h>\r\nSupported: path\r\n"));
	path = strstr(rig->extra, "Path: ");
	assert_non_null(path);
	assert_int_equal(strlen(path), 6 + 1000 + 2);
	snprintf(want, sizeof(want), "sip:a@h|%.1000s", path + 6);
	assert_string_equal(rig_lookup(BOB_KEY), want);
	/* 15 + 7 + 1000 octets: 176 in the record, 846 in blocks of 248 */
	assert_int_equal(rig_in_use(STEP_BLOCK), 4);
	assert_int_equal(rig_advance(3600 * RIG_S), 1);
	assert_int_equal(rig_in_use(STEP_BLOCK), 0);
	assert_int_equal(rig->s.step.pool[STEP_BLOCK].set.n_free, 512);
	assert_int_equal(rig->s.step.pool[STEP_BINDING].set.n_free, 256);
}

static void bound_long_same_text_refreshes_in_place(void **state)
{
	rig_next(BOB, rig_path(1000, 'p', "Contact: <sip:a@h>\r\n"));
	rig_next(BOB, rig_path(1000, 'p', "Contact: <sip:a@h>;expires=70\r\n"));
	expect_answer(200, "Contact: <sip:a@h>;q=1;expires=70\r\n");
	assert_int_equal(rig->took[STEP_BLOCK], 0);
	assert_int_equal(rig_in_use(STEP_BINDING), 1);
	assert_int_equal(rig_timers(), 0);
}

static void bound_long_other_text_takes_new_record(void **state)
{
	static const uint32_t lens[] = {1000, 500, 50, 900}; /* long, long, short, long */
	char want[2048];

	for (uint32_t k = 0; k < 4; k++) {
		rig_next(BOB, rig_path(lens[k], (char)('p' + k), "Contact: <sip:a@h>\r\n"));
		expect_answer(200, "Contact: <sip:a@h>;q=1;expires=3600\r\n");
		snprintf(want, sizeof(want), "sip:a@h|%.*s", (int)lens[k],
			 rig_path(lens[k], (char)('p' + k), "") + 6);
		assert_string_equal(rig_lookup(BOB_KEY), want);
		assert_int_equal(rig_timers(), k > 0);
		assert_int_equal(rig_in_use(STEP_BINDING), 1);
	}
	assert_int_equal(rig_count(registrar_bound), 1);
	assert_int_equal(rig_count(registrar_refreshed), 3);
	assert_int_equal(rig_count(registrar_removed), 0);
	assert_int_equal(rig_count(registrar_expirations), 0);
	assert_int_equal(rig_in_use(STEP_BLOCK), 4); /* 15 + 7 + 900 - 176 */
	rig_advance(3600 * RIG_S);
	assert_int_equal(rig->s.step.pool[STEP_BLOCK].set.n_free, 512);
}

static void empty_texts_at_the_limit_bound_over_it_refused_403(void **state)
{
	uint32_t room = STORE_TEXT_MAX - (uint32_t)strlen(BOB_KEY "sip:a@h");

	rig_next(BOB, rig_path(room + 1, 'p', "Contact: <sip:a@h>\r\n"));
	expect_refusal(403, "Contact Too Long", "");
	rig_next(BOB, rig_path(STORE_TEXT_MAX, 'p', ""));
	expect_refusal(403, "Path Too Long", "");
	assert_int_equal(rig_in_use(STEP_BINDING), 0);
	rig_next(BOB, rig_path(room, 'p', "Contact: <sip:a@h>\r\nSupported: path\r\n"));
	assert_int_equal(rig->status, 200);
	assert_int_equal(rig_in_use(STEP_BLOCK), STORE_BLOCKS_MAX);
	assert_int_equal(strlen(rig->extra), strlen("Contact: <sip:a@h>;q=1;expires=3600\r\n"
						    "Supported: path\r\nPath: \r\n") +
						     room);
}

static void bound_list_longer_than_answer_refused_403(void **state)
{
	char headers[2100];
	uint32_t n = 0;

	rig->conf.contacts_max = 64;
	do {
		snprintf(headers, sizeof(headers), "Contact: <sip:%02u%0900u@h>\r\n", n, 0);
		rig_next(BOB, headers);
	} while (rig->status == 200 && ++n < 64);
	expect_refusal(403, "Contacts Too Long", "");
	assert_int_equal(n, 14); /* of 908 + 48 octets each, 13,968 in all */
	assert_int_equal(rig_in_use(STEP_BINDING), 14);
	/* still listed whole, with a path of any length beside it */
	rig_next(BOB, rig_path(2100, 'p', "Supported: path\r\n"));
	assert_int_equal(rig->status, 200);
	assert_int_equal(strlen(rig->extra),
			 14 * (908 + strlen("Contact: <>;q=1;expires=3600\r\n")) +
				 strlen("Supported: path\r\nPath: \r\n") + 2100);
	assert_int_equal(rig_next(BOB, "Contact: *\r\nExpires: 0\r\n"), 200);
}

static void empty_more_than_one_step_carries_refused_403(void **state)
{
	rig_make(256, 2048);
	rig->conf.contacts_max = 64;
	rig_next(BOB, rig_path(2100, 'p', rig_many(64, "")));
	expect_refusal(403, "Too Many Contacts At Once", "");
	assert_int_equal(rig_in_use(STEP_BINDING), 0);
	assert_int_equal(rig_in_use(STEP_BLOCK), 0);
	rig_next(BOB, rig_path(2100, 'p', rig_many(32, "")));
	assert_int_equal(rig->status, 200);
	assert_int_equal(rig_in_use(STEP_BLOCK), 32 * 8);
}

/* ---- no room ---- */

static void full_table_new_contact_refused_503(void **state)
{
	rig_make(16, 64);
	rig->conf.contacts_max = 64;
	rig_next(BOB, rig_many(15, ""));
	assert_int_equal(rig->status, 200);
	rig_next("sip:carol@example.com", "Contact: <sip:a@h>, <sip:b@h>\r\n");
	expect_refusal(503, "", "Retry-After: 5\r\n");
	assert_int_equal(rig->took[STEP_BINDING], 0);
	assert_int_equal(rig->n_writes, 0);
	assert_int_equal(rig_in_use(STEP_BINDING), 15);
	assert_int_equal(rig_next("sip:carol@example.com", "Contact: <sip:a@h>\r\n"), 200);
	assert_int_equal(rig_next(BOB, rig_many(15, ";q=0.4")), 200); /* renewing needs none */
	assert_int_equal(rig_next(BOB, "Contact: *\r\nExpires: 0\r\n"), 200);
	assert_int_equal(rig_timers(), 15);
	assert_int_equal(rig_next(BOB, rig_many(15, "")), 200);
}

static void full_blocks_long_contact_refused_503(void **state)
{
	uint32_t keep, taken = 0;

	rig_make(64, 64);
	keep = 64 * rig->conf.reserve_percent / 100;
	while (rig_next(BOB, rig_path(1000, (char)('a' + taken / 4), "Contact: <sip:a@h>\r\n")) ==
	       200)
		taken += 4; /* replaced, and not freed: no timer has run */
	expect_refusal(503, "", "Retry-After: 5\r\n");
	assert_true(taken + 4 > 64 - keep && taken <= 64 - keep);
	assert_int_equal(rig->took[STEP_BLOCK], 0);
	assert_int_equal(rig_next(BOB, "Contact: <sip:short@h>\r\n"), 200);
	assert_int_equal(rig_next(BOB, "Contact: *\r\nExpires: 0\r\n"), 200);
	assert_true(rig_timers() >= 2);
	assert_int_equal(rig_in_use(STEP_BLOCK), 0);
	assert_int_equal(rig->s.step.pool[STEP_BLOCK].set.n_free, 64);
}

/* ---- steps ---- */

static void *section_copy(enum link_section s, size_t *len)
{
	const struct link_place *p = &rig->link.h->place[s];
	void *copy;

	*len = p->stride * p->count;
	copy = malloc(*len);
	assert_non_null(copy);
	memcpy(copy, link_at(&rig->link, s, 0), *len);
	return copy;
}

static void bound_aborted_step_leaves_no_trace(void **state)
{
	static const enum link_section section[] = {LINK_S_BINDING_USED, LINK_S_BINDINGS,
						    LINK_S_BINDING_BUCKETS, LINK_S_BLOCK_USED};
	void *copy[4];
	size_t len[4];

	rig_register(BOB, "x", 1, "Contact: <sip:a@h>, <sip:b@h>\r\n");
	for (int i = 0; i < 4; i++)
		copy[i] = section_copy(section[i], &len[i]);
	rig->abort_next = true;
	rig_register(BOB, "x", 2,
		     rig_path(600, 'p',
			      "Contact: <sip:a@h>;expires=0, <sip:b@h>, "
			      "<sip:c@h>\r\n"));
	assert_int_equal(rig->status, 200);
	assert_int_equal(rig->took[STEP_BINDING], 2); /* one new, one in place of b */
	for (int i = 0; i < 4; i++) {
		assert_memory_equal(copy[i], link_at(&rig->link, section[i], 0), len[i]);
		free(copy[i]);
	}
	assert_int_equal(rig_in_use(STEP_BINDING), 2);
	assert_int_equal(rig_in_use(STEP_BLOCK), 0);
	assert_int_equal(rig_timers(), 0);
	rig_register(BOB, "x", 2, ""); /* and what the step would have done can be done */
	expect_answer(
		200,
		"Contact: <sip:a@h>;q=1;expires=3600\r\nContact: <sip:b@h>;q=1;expires=3600\r\n");
	rig_register(BOB, "x", 2, "Contact: <sip:a@h>;expires=0\r\n");
	expect_answer(200, "Contact: <sip:b@h>;q=1;expires=3600\r\n");
	assert_int_equal(rig_timers(), 1);
	assert_int_equal(rig_count(registrar_bindings), 1); /* right again */
}

static void bound_successor_finds_the_same(void **state)
{
	rig_register(BOB, "x", 1, rig_path(600, 'p', "Contact: <sip:a@h>;q=0.1, <sip:b@h>\r\n"));
	rig_register(BOB, "x", 2, "Contact: <sip:b@h>;expires=0\r\n");
	step_fini(&rig->s.step);
	assert_int_equal(step_init(&rig->s.step, &rig->link, 0), 0);
	assert_int_equal(rig_in_use(STEP_BINDING), 2);
	rig_register(BOB, "x", 2, "");
	expect_answer(200, "Contact: <sip:a@h>;q=0.1;expires=3600\r\n");
	rig_register(BOB, "x", 1, "Contact: <sip:a@h>\r\n");
	assert_int_equal(rig->status, 500);
	assert_int_equal(rig_advance(3600 * RIG_S), 2);
	assert_int_equal(rig_in_use(STEP_BINDING), 0);
	assert_int_equal(rig->s.step.pool[STEP_BLOCK].set.n_free, 512);
}

static void many_aors_three_contacts_each_bound_then_expired(void **state)
{
	char aor[64], headers[256], want[256];

	rig_make(4096, 4096);
	for (uint32_t i = 0; i < 1000; i++) {
		snprintf(aor, sizeof(aor), "sip:user%u@example.com", i);
		snprintf(headers, sizeof(headers),
			 "Contact: <sip:u%u@h1>;expires=%u, <sip:u%u@h2>;q=0.5, "
			 "<sip:u%u@h3>;q=0.7\r\n",
			 i, 60 + i, i, i);
		assert_int_equal(rig_register(aor, "x", 1, headers), 200);
	}
	assert_int_equal(rig_in_use(STEP_BINDING), 3000);
	assert_int_equal(rig_count(registrar_bindings), 3000);
	assert_int_equal(rig_advance(560 * RIG_S), 501); /* 60 .. 560 s */
	assert_int_equal(rig_in_use(STEP_BINDING), 2499);
	for (uint32_t i = 0; i < 1000; i++) {
		snprintf(aor, sizeof(aor), "user%u@example.com", i);
		snprintf(want, sizeof(want), "%ssip:u%u@h3| sip:u%u@h2|", "", i, i);
		if (i > 500)
			snprintf(want, sizeof(want), "sip:u%u@h1| sip:u%u@h3| sip:u%u@h2|", i, i,
				 i);
		assert_string_equal(rig_lookup(aor), want);
	}
	assert_int_equal(rig_advance(3040 * RIG_S), 2499);
	assert_int_equal(rig_in_use(STEP_BINDING), 0);
	assert_int_equal(rig->s.step.pool[STEP_BINDING].set.n_free, 4096);
	assert_int_equal(rig_count(registrar_bindings), 0);
	assert_int_equal(rig_count(registrar_expirations), 3000);
	for (uint32_t i = 0; i < rig->link.h->binding_buckets; i++)
		assert_int_equal(*(uint32_t *)link_at(&rig->link, LINK_S_BINDING_BUCKETS, i),
				 LINK_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(empty_long_texts_spill_into_blocks),
		TEST(empty_texts_at_the_limit_bound_over_it_refused_403),
		TEST(empty_more_than_one_step_carries_refused_403),
		TEST(bound_long_same_text_refreshes_in_place),
		TEST(bound_long_other_text_takes_new_record),
		TEST(bound_list_longer_than_answer_refused_403),
		TEST(bound_aborted_step_leaves_no_trace),
		TEST(bound_successor_finds_the_same),
		TEST(full_table_new_contact_refused_503),
		TEST(full_blocks_long_contact_refused_503),
		TEST(many_aors_three_contacts_each_bound_then_expired),
	};

	return cmocka_run_group_tests_name("registrar/limits", tests, NULL, NULL);
}
