/* SPDX-License-Identifier: Apache-2.0 */
/* REGISTER by RFC 3261 §10.3 and RFC 3327: each request as text, its answer to the letter, and how
 * many bindings and blocks are left. */
#include "rig.h"

#include <stdio.h>

/* ---- what a contact asks for ---- */

static void empty_contact_without_expires_bound_for_default(void **state)
{
	rig_next(BOB, "Contact: <sip:bob@192.0.2.9:5070;ob>\r\n");
	expect_answer(200, "Contact: <sip:bob@192.0.2.9:5070;ob>;q=1;expires=3600\r\n");
	assert_string_equal(rig->reason, "");
	assert_int_equal(rig_in_use(STEP_BINDING), 1);
	assert_int_equal(rig_in_use(STEP_BLOCK), 0);
	assert_string_equal(rig_lookup(BOB_KEY), "sip:bob@192.0.2.9:5070;ob|");
	assert_int_equal(rig_count(registrar_requests), 1);
	assert_int_equal(rig_count(registrar_bound), 1);
	assert_int_equal(rig_count(registrar_bindings), 1);
	assert_int_equal(rig_count(registrar_refused), 0);
}

static void empty_contact_binding_holds_what_request_said(void **state)
{
	const struct link_binding *b = step_home(&rig->s.step, STEP_BINDING, 0);

	rig->s.wall_offset_s = 784111777 - (int64_t)(RIG_START_US / RIG_S);
	rig_register(BOB, "call@x", 77, "Contact: <sip:b@h>;q=0.25;expires=100\r\n");
	assert_int_equal(rig->status, 200);
	assert_true(step_used(&rig->s.step, STEP_BINDING, 0));
	assert_int_equal(b->cseq, 77);
	assert_int_equal(b->q_permille, 250);
	assert_int_equal(b->expires_us, RIG_START_US + 100 * RIG_S);
	assert_int_equal(b->updated_us, RIG_START_US);
	assert_int_equal(b->flow.peer_port, 5070);
	assert_int_equal(b->flow.conn_gen, 7);
	assert_int_equal(b->flow.listener, 1);
	assert_int_equal(b->more, LINK_NONE);
	assert_int_equal(b->next, LINK_NONE);
	assert_int_equal(b->created_s, 784111777);
	assert_int_equal(rig->armed_us[0], b->expires_us);
}

static void empty_any_request_answered_with_date_of_now(void **state)
{
	static const struct {
		int64_t wall_s;
		const char *date;
	} row[] = {
		{784111777, "Sun, 06 Nov 1994 08:49:37 GMT"},
		{0, "Thu, 01 Jan 1970 00:00:00 GMT"},
		{951868799, "Tue, 29 Feb 2000 23:59:59 GMT"},
		{1798761599, "Thu, 31 Dec 2026 23:59:59 GMT"},
	};

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		rig->s.wall_offset_s = row[i].wall_s - (int64_t)(RIG_START_US / RIG_S);
		rig_next(BOB, "");
		expect_answer(200, "");
		assert_string_equal(rig->date, row[i].date);
	}
}

static void empty_expires_from_anywhere_param_wins(void **state)
{
	static const struct {
		const char *headers, *expires;
	} row[] = {
		{"Contact: <sip:b@h>;expires=120\r\nExpires: 200\r\n", "120"},
		{"Contact: <sip:b@h>\r\nExpires: 200\r\n", "200"},
		{"Contact: <sip:b@h>\r\n", "3600"},
		{"Contact: <sip:b@h>;expires=60\r\n", "60"},
		{"Contact: <sip:b@h>;expires=86400\r\n", "86400"},
		{"Contact: <sip:b@h>;expires=86401\r\n", "86400"},
		{"Contact: <sip:b@h>\r\nExpires: 99999999999999999999\r\n", "86400"},
		{"Contact: <sip:b@h>;expires=soon\r\nExpires: 200\r\n", "3600"},
		{"Contact: <sip:b@h>\r\nExpires: soon\r\n", "3600"},
	};
	char want[128];

	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		rig_next(BOB, row[i].headers);
		snprintf(want, sizeof(want), "Contact: <sip:b@h>;q=1;expires=%s\r\n",
			 row[i].expires);
		expect_answer(200, want);
	}
	assert_int_equal(rig_in_use(STEP_BINDING), 1);
	assert_int_equal(rig_count(registrar_bound), 1);
	assert_int_equal(rig_count(registrar_refreshed), 8);
}

static void empty_expires_below_min_refused_423(void **state)
{
	rig_next(BOB, "Contact: <sip:ok@h>, <sip:b@h>;expires=59\r\n");
	expect_refusal(423, "", "Min-Expires: 60\r\n");
	rig_next(BOB, "Contact: <sip:b@h>\r\nExpires: 1\r\n");
	expect_refusal(423, "", "Min-Expires: 60\r\n");
	assert_int_equal(rig_in_use(STEP_BINDING), 0);
	assert_int_equal(rig_count(registrar_refused), 2);
	rig->conf.expires_min_s = 0;
	rig_next(BOB, "Contact: <sip:b@h>;expires=1\r\n");
	expect_answer(200, "Contact: <sip:b@h>;q=1;expires=1\r\n");
}

static void empty_q_values_given_back_best_first(void **state)
{
	rig_next(BOB,
		 "Contact: <sip:a@h>;q=0, <sip:b@h>;q=0.5, <sip:c@h>;q=0.123\r\n"
		 "Contact: <sip:d@h>, <sip:e@h>;q=0.05, <sip:f@h>;q=0.001, <sip:g@h>;q=1.000\r\n");
	expect_answer(200, "Contact: <sip:d@h>;q=1;expires=3600\r\n"
			   "Contact: <sip:g@h>;q=1;expires=3600\r\n"
			   "Contact: <sip:b@h>;q=0.5;expires=3600\r\n"
			   "Contact: <sip:c@h>;q=0.123;expires=3600\r\n"
			   "Contact: <sip:e@h>;q=0.05;expires=3600\r\n"
			   "Contact: <sip:f@h>;q=0.001;expires=3600\r\n"
			   "Contact: <sip:a@h>;q=0;expires=3600\r\n");
	assert_int_equal(rig_in_use(STEP_BINDING), 7);
	assert_string_equal(rig_lookup(BOB_KEY), "sip:d@h| sip:g@h| sip:b@h| sip:c@h| sip:e@h| "
						 "sip:f@h| sip:a@h|");
}

static void empty_bad_q_refused_400(void **state)
{
	rig_next(BOB, "Contact: <sip:ok@h>, <sip:b@h>;q=1.5\r\n");
	expect_refusal(400, "Bad Contact header", "");
	assert_int_equal(rig_in_use(STEP_BINDING), 0);
}

static void empty_contacts_of_other_schemes_bound(void **state)
{
	rig_next(BOB, "Contact: <tel:+1-555-0100>, <mailto:bob@h>, <sips:b@h>, <sip:b@h>\r\n");
	assert_int_equal(rig->status, 200);
	assert_int_equal(rig_in_use(STEP_BINDING), 4);
	rig_next(BOB, "Contact: <tel:+15550100>, <mailto:bob@h>;expires=0, <sips:b@h>;expires=0, "
		      "<sip:b@h>;expires=0\r\n");
	expect_answer(200, "Contact: <tel:+15550100>;q=1;expires=3600\r\n");
}

/* ---- bindings that are there ---- */

static void bound_query_lists_remaining_seconds(void **state)
{
	rig_next(BOB, "Contact: <sip:b@h>;expires=100, <sip:c@h>;q=0.1;expires=70\r\n");
	rig_advance(10 * RIG_S + 500000);
	rig_next(BOB, "");
	expect_answer(200, "Contact: <sip:b@h>;q=1;expires=90\r\n" /* 89.5 s */
			   "Contact: <sip:c@h>;q=0.1;expires=60\r\n");
	assert_int_equal(rig->n_writes, 0);
	rig->s.now_us = RIG_START_US + 70 * RIG_S; /* due, but its timer has not run */
	rig_next(BOB, "");
	expect_answer(200, "Contact: <sip:b@h>;q=1;expires=30\r\n");
	assert_string_equal(rig_lookup(BOB_KEY), "sip:b@h|");
	assert_int_equal(rig_in_use(STEP_BINDING), 2);
	assert_int_equal(rig_timers(), 1);
	assert_int_equal(rig_in_use(STEP_BINDING), 1);
	assert_int_equal(rig_count(registrar_expirations), 1);
	assert_int_equal(rig_count(registrar_bindings), 1);
}

static void bound_equal_uri_refreshes(void **state)
{
	uint32_t created;
	struct link_binding *b = step_home(&rig->s.step, STEP_BINDING, 0);

	rig_next(BOB, "Contact: <sip:b%6Fb@Host.example;transport=udp;ob>;q=0.2\r\n");
	b->created_s = created = 1234;
	rig_advance(5 * RIG_S);
	rig_next(BOB, "Contact: <SIP:bob@hOST.example;ob;transport=UDP>;expires=300\r\n");
	expect_answer(200, "Contact: <SIP:bob@hOST.example;ob;transport=UDP>;q=1;expires=300\r\n");
	assert_int_equal(rig_in_use(STEP_BINDING), 1);
	assert_int_equal(rig->took[STEP_BINDING], 0);
	assert_int_equal(b->created_s, created);
	assert_int_equal(b->updated_us, RIG_START_US + 5 * RIG_S);
	assert_int_equal(rig->armed_us[0], RIG_START_US + 305 * RIG_S);
	assert_int_equal(rig_advance(300 * RIG_S - 1), 0);
	assert_int_equal(rig_advance(1), 1);
	assert_int_equal(rig_in_use(STEP_BINDING), 0);
	assert_string_equal(rig_lookup(BOB_KEY), "");
}

static void bound_unequal_uri_adds(void **state)
{
	static const char *const other[] = {"sip:bob@h:5060", "sip:bob@h;transport=udp",
					    "sips:bob@h",     "sip:Bob@h",
					    "sip:bob:pw@h",   "sip:h"};
	char header[64];

	rig_next(BOB, "Contact: <sip:bob@h>\r\n");
	for (uint32_t i = 0; i < 6; i++) {
		snprintf(header, sizeof(header), "Contact: <%s>\r\n", other[i]);
		assert_int_equal(rig_next(BOB, header), 200);
		assert_int_equal(rig_in_use(STEP_BINDING), 2 + i);
	}
	assert_int_equal(rig_count(registrar_bound), 7);
	assert_int_equal(rig_count(registrar_refreshed), 0);
}

static void bound_contact_with_expires_zero_removes(void **state)
{
	rig_next(BOB, "Contact: <sip:a@h>, <sip:b@h>, <sip:c@h>\r\n");
	rig_next(BOB,
		 "Contact: <sip:b@H>;expires=0, <sip:nobody@h>;expires=0, <sip:d@h>;q=0.1\r\n");
	expect_answer(200, "Contact: <sip:a@h>;q=1;expires=3600\r\n"
			   "Contact: <sip:c@h>;q=1;expires=3600\r\n"
			   "Contact: <sip:d@h>;q=0.1;expires=3600\r\n");
	assert_string_equal(rig_lookup(BOB_KEY), "sip:a@h| sip:c@h| sip:d@h|");
	assert_int_equal(rig_count(registrar_removed), 1);
	assert_int_equal(rig_timers(), 1); /* the marked one is freed */
	assert_int_equal(rig_in_use(STEP_BINDING), 3);
	assert_int_equal(rig_count(registrar_bindings), 3);
	assert_int_equal(rig_count(registrar_expirations), 0);
	rig_next(BOB,
		 "Contact: <sip:a@h>, <sip:c@h>;expires=60, <sip:d@h>;expires=0\r\nExpires: 0\r\n");
	expect_answer(200, "Contact: <sip:c@h>;q=1;expires=60\r\n");
}

static void bound_removed_contact_binds_anew_before_timer(void **state)
{
	rig_next(BOB, "Contact: <sip:a@h>\r\n");
	rig_next(BOB, "Contact: <sip:a@h>;expires=0\r\n");
	expect_answer(200, "");
	rig_next(BOB, "Contact: <sip:a@h>;expires=90\r\n");
	expect_answer(200, "Contact: <sip:a@h>;q=1;expires=90\r\n");
	assert_int_equal(rig_count(registrar_bound), 2);
	assert_int_equal(rig_in_use(STEP_BINDING), 2);
	assert_int_equal(rig_timers(), 1);
	assert_int_equal(rig_in_use(STEP_BINDING), 1);
	assert_string_equal(rig_lookup(BOB_KEY), "sip:a@h|");
}

static void bound_star_with_expires_zero_removes_all(void **state)
{
	rig_next("sip:carol@example.com", "Contact: <sip:c@h>\r\n");
	rig_next(BOB, "Contact: <sip:a@h>, <sip:b@h>, <sip:c@h>\r\n");
	rig_next(BOB, "Contact: *\r\nExpires: 0\r\n");
	expect_answer(200, "");
	assert_int_equal(rig_count(registrar_removed), 3);
	assert_string_equal(rig_lookup(BOB_KEY), "");
	assert_int_equal(rig_timers(), 3);
	assert_int_equal(rig_in_use(STEP_BINDING), 1);
	assert_string_equal(rig_lookup("carol@example.com"), "sip:c@h|");
	rig_next(BOB, "Contact: *\r\nExpires: 0\r\n");
	expect_answer(200, "");
}

static void bound_star_with_other_expires_refused_400(void **state)
{
	rig_next(BOB, "Contact: <sip:a@h>\r\n");
	rig_next(BOB, "Contact: *\r\n");
	expect_refusal(400, "Contact * Needs Expires: 0", "");
	rig_next(BOB, "Contact: *\r\nExpires: 3600\r\n");
	expect_refusal(400, "Contact * Needs Expires: 0", "");
	assert_string_equal(rig_lookup(BOB_KEY), "sip:a@h|");
	assert_int_equal(rig_count(registrar_refused), 2);
}

static void bound_cseq_not_higher_refused_500_whole(void **state)
{
	rig_register(BOB, "x", 10, "Contact: <sip:a@h>;expires=100, <sip:b@h>;expires=100\r\n");
	for (uint32_t cseq = 9; cseq <= 10; cseq++) {
		rig_register(BOB, "x", cseq, "Contact: <sip:new@h>, <sip:a@h>;expires=500\r\n");
		expect_refusal(500, "CSeq Out Of Order", "");
		rig_register(BOB, "x", cseq, "Contact: <sip:b@h>;expires=0\r\n");
		expect_refusal(500, "CSeq Out Of Order", "");
		rig_register(BOB, "x", cseq, "Contact: *\r\nExpires: 0\r\n");
		expect_refusal(500, "CSeq Out Of Order", "");
	}
	assert_int_equal(rig_in_use(STEP_BINDING), 2);
	/* no binding of these is named, and a query names none */
	assert_int_equal(rig_register(BOB, "x", 1, "Contact: <sip:c@h>;expires=80\r\n"), 200);
	rig_register(BOB, "x", 1, "");
	expect_answer(200, "Contact: <sip:c@h>;q=1;expires=80\r\n"
			   "Contact: <sip:a@h>;q=1;expires=100\r\n"
			   "Contact: <sip:b@h>;q=1;expires=100\r\n");
	assert_int_equal(rig_register(BOB, "x", 11, "Contact: <sip:a@h>\r\n"), 200);
}

static void bound_other_call_id_updates_with_lower_cseq(void **state)
{
	rig_register(BOB, "x", 10, "Contact: <sip:a@h>\r\n");
	rig_register(BOB, "X", 1, "Contact: <sip:a@h>;expires=70\r\n"); /* Call-IDs: case counts */
	expect_answer(200, "Contact: <sip:a@h>;q=1;expires=70\r\n");
	rig_register(BOB, "X", 1, "Contact: <sip:a@h>;expires=80\r\n");
	assert_int_equal(rig->status, 500);
	rig_register(BOB, "x", 10, "Contact: *\r\nExpires: 0\r\n");
	expect_answer(200, "");
}

static void expired_binding_forgets_order(void **state)
{
	rig_register(BOB, "x", 10, "Contact: <sip:a@h>;expires=100\r\n");
	rig->s.now_us += 100 * RIG_S; /* its timer has not run */
	assert_int_equal(rig_register(BOB, "x", 10, "Contact: <sip:a@h>;expires=100\r\n"), 200);
	assert_int_equal(rig_in_use(STEP_BINDING), 2);
	assert_int_equal(rig_timers(), 1);
	assert_string_equal(rig_lookup(BOB_KEY), "sip:a@h|");
}

/* ---- how many ---- */

static void bound_contacts_over_max_refused_403(void **state)
{
	rig->conf.contacts_max = 3;
	rig_next(BOB, "Contact: <sip:a@h>, <sip:b@h>, <sip:c@h>, <sip:d@h>\r\n");
	expect_refusal(403, "Too Many Contacts", "");
	assert_int_equal(rig_in_use(STEP_BINDING), 0);
	rig_next(BOB, "Contact: <sip:a@h>, <sip:b@h>, <sip:c@h>\r\n");
	assert_int_equal(rig->status, 200);
	rig_next(BOB, "Contact: <sip:d@h>\r\n");
	expect_refusal(403, "Too Many Contacts", "");
	rig_next(BOB, "Contact: <sip:d@h>, <sip:a@h>;expires=0\r\n"); /* one goes, one comes */
	assert_int_equal(rig->status, 200);
	assert_string_equal(rig_lookup(BOB_KEY), "sip:d@h| sip:b@h| sip:c@h|");
	rig->conf.contacts_max = 1;
	assert_int_equal(rig_next(BOB, "Contact: <sip:b@h>\r\n"),
			 200); /* refreshing is no growth */
	assert_int_equal(rig_next(BOB, "Contact: *\r\nExpires: 0\r\n"), 200);
}

static void empty_same_contact_twice_refused_400(void **state)
{
	rig_next(BOB, "Contact: <sip:a@h>, <sip:b@h>\r\nContact: <sip:a@H>;expires=0\r\n");
	expect_refusal(400, "Same Contact Twice", "");
	assert_int_equal(rig_in_use(STEP_BINDING), 0);
}

static void empty_most_contacts_in_one_request_bound_and_removed(void **state)
{
	rig->conf.contacts_max = 64;
	rig_next(BOB, rig_many(65, ""));
	expect_refusal(403, "Too Many Contacts", "");
	rig_next(BOB, rig_many(64, ""));
	assert_int_equal(rig->status, 200);
	assert_int_equal(rig_in_use(STEP_BINDING), 64);
	assert_int_equal(strlen(rig->extra),
			 10 * strlen("Contact: <sip:0@h>;q=1;expires=3600\r\n") +
				 54 * strlen("Contact: <sip:00@h>;q=1;expires=3600\r\n"));
	rig_next(BOB, rig_many(64, ";expires=90"));
	assert_int_equal(rig->status, 200);
	assert_int_equal(rig_in_use(STEP_BINDING), 64);
	rig_next(BOB, "Contact: *\r\nExpires: 0\r\n");
	expect_answer(200, "");
	assert_int_equal(rig_timers(), 64);
	assert_int_equal(rig_in_use(STEP_BINDING), 0);
	assert_int_equal(rig_count(registrar_bindings), 0);
	assert_int_equal(rig_count(registrar_removed), 64);
}

/* ---- To ---- */

static void empty_to_that_is_no_aor_refused(void **state)
{
	rig_next("tel:+15550100", "Contact: <sip:a@h>\r\n");
	expect_refusal(404, "", "");
	rig_next("sip:example.com", "Contact: <sip:a@h>\r\n");
	expect_refusal(404, "", "");
	rig_next("foo:bar", "Contact: <sip:a@h>\r\n");
	expect_refusal(404, "", "");
	rig_next("sip:b%zz@h", "Contact: <sip:a@h>\r\n");
	expect_refusal(400, "Bad To header", "");
	assert_int_equal(rig_in_use(STEP_BINDING), 0);
}

static void empty_aor_longer_than_any_binding_refused_403(void **state)
{
	char aor[2 * STORE_TEXT_MAX + 64];

	snprintf(aor, sizeof(aor), "sip:%0*u@h", STORE_TEXT_MAX - 1, 0);
	rig_next(aor, "Contact: <sip:a@h>\r\n");
	expect_refusal(403, "Address Of Record Too Long", "");
	snprintf(aor, sizeof(aor), "sip:%0*u@h", 2 * STORE_TEXT_MAX, 0);
	rig_next(aor, "Contact: <sip:a@h>\r\n");
	expect_refusal(403, "Address Of Record Too Long", "");
	snprintf(aor, sizeof(aor), "sip:%0*u@h", STORE_TEXT_MAX - 9, 0);
	assert_int_equal(rig_next(aor, "Contact: <sip:a@h>\r\n"), 200);
	assert_int_equal(rig_in_use(STEP_BLOCK), STORE_BLOCKS_MAX);
	assert_string_equal(rig_lookup(aor + 4), "sip:a@h|");
}

static void bound_to_in_another_form_is_same_aor(void **state)
{
	rig_next(BOB, "Contact: <sip:a@h>\r\n");
	rig_next("sips:b%6fb:pw@EXAMPLE.com:5061;user=phone", "Contact: <sip:b@h>\r\n");
	assert_int_equal(rig->status, 200);
	assert_string_equal(rig_lookup(BOB_KEY), "sip:b@h| sip:a@h|");
	rig_next("sip:Bob@example.com", ""); /* the user's case counts */
	expect_answer(200, "");
}

/* ---- Require, Path ---- */

static void empty_unknown_require_refused_420(void **state)
{
	rig_next(BOB, "Require: foo, PATH\r\nRequire: bar\r\nContact: <sip:a@h>\r\n");
	expect_refusal(420, "", "Unsupported: foo, bar\r\n");
	assert_int_equal(rig_in_use(STEP_BINDING), 0);
	rig_next(BOB, "Require: path\r\nContact: <sip:a@h>\r\n");
	assert_int_equal(rig->status, 200);
	rig_next(BOB, "Require: f<o\r\n");
	expect_refusal(400, "Bad Require header", "");
}

static void empty_require_longer_than_answer_refused_400(void **state)
{
	static char text[40000];
	struct strbuf b = strbuf_of(text, sizeof(text) - 1);

	for (int k = 0; k < 5; k++) {
		strbuf_put(&b, STR("Require: x"));
		for (int i = 0; i < 2000; i++)
			strbuf_put(&b, STR(",y"));
		strbuf_put(&b, STR("\r\n"));
	}
	text[b.len] = 0;
	rig_next(BOB, text);
	expect_refusal(400, "Require Header Too Long", "");
}

static void empty_path_kept_and_given_back_where_supported(void **state)
{
	rig_next(BOB, "Supported: gruu, path\r\nPath: <sip:p1.example;lr>, <sips:p2.example;lr>\r\n"
		      "Path: <sip:p3.example;lr>;x=\"1,2\"\r\nContact: <sip:a@h>\r\n");
	expect_answer(200, "Contact: <sip:a@h>;q=1;expires=3600\r\nSupported: path\r\n"
			   "Path: <sip:p1.example;lr>, <sips:p2.example;lr>, "
			   "<sip:p3.example;lr>;x=\"1,2\"\r\n");
	assert_string_equal(rig_lookup(BOB_KEY),
			    "sip:a@h|<sip:p1.example;lr>, <sips:p2.example;lr>, "
			    "<sip:p3.example;lr>;x=\"1,2\"");
	rig_next(BOB,
		 "Path: <sip:p9;lr>\r\nContact: <sip:a@h>\r\n"); /* not understood: kept only */
	expect_answer(200, "Contact: <sip:a@h>;q=1;expires=3600\r\n");
	assert_string_equal(rig_lookup(BOB_KEY), "sip:a@h|<sip:p9;lr>");
	rig_next(BOB, "Supported: path\r\nContact: <sip:a@h>\r\n");
	expect_answer(200, "Contact: <sip:a@h>;q=1;expires=3600\r\n");
	assert_string_equal(rig_lookup(BOB_KEY), "sip:a@h|");
	assert_int_equal(rig_in_use(STEP_BINDING), 1);
}

static void empty_folded_path_kept_on_one_line(void **state)
{
	rig_next(BOB, "Path: <sip:p1;lr>;a=b\r\n ;c=d,\r\n\t<sip:p2;lr>\r\nContact: <sip:a@h>\r\n");
	assert_int_equal(rig->status, 200);
	assert_string_equal(rig_lookup(BOB_KEY), "sip:a@h|<sip:p1;lr>;a=b   ;c=d, <sip:p2;lr>");
}

static void empty_bad_path_refused_400(void **state)
{
	static const char *const bad[] = {"sip:p1;lr", "<tel:+1>", "<sip:>", "<foo:bar>"};
	char headers[128];

	for (size_t i = 0; i < 4; i++) {
		snprintf(headers, sizeof(headers), "Path: %s\r\nContact: <sip:a@h>\r\n", bad[i]);
		rig_next(BOB, headers);
		expect_refusal(400, "Bad Path header", "");
	}
	assert_int_equal(rig_in_use(STEP_BINDING), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(empty_contact_without_expires_bound_for_default),
		TEST(empty_contact_binding_holds_what_request_said),
		TEST(empty_any_request_answered_with_date_of_now),
		TEST(empty_expires_from_anywhere_param_wins),
		TEST(empty_expires_below_min_refused_423),
		TEST(empty_q_values_given_back_best_first),
		TEST(empty_bad_q_refused_400),
		TEST(empty_contacts_of_other_schemes_bound),
		TEST(empty_same_contact_twice_refused_400),
		TEST(empty_most_contacts_in_one_request_bound_and_removed),
		TEST(empty_to_that_is_no_aor_refused),
		TEST(empty_aor_longer_than_any_binding_refused_403),
		TEST(empty_unknown_require_refused_420),
		TEST(empty_require_longer_than_answer_refused_400),
		TEST(empty_path_kept_and_given_back_where_supported),
		TEST(empty_folded_path_kept_on_one_line),
		TEST(empty_bad_path_refused_400),
		TEST(bound_query_lists_remaining_seconds),
		TEST(bound_equal_uri_refreshes),
		TEST(bound_unequal_uri_adds),
		TEST(bound_contact_with_expires_zero_removes),
		TEST(bound_removed_contact_binds_anew_before_timer),
		TEST(bound_star_with_expires_zero_removes_all),
		TEST(bound_star_with_other_expires_refused_400),
		TEST(bound_cseq_not_higher_refused_500_whole),
		TEST(bound_other_call_id_updates_with_lower_cseq),
		TEST(bound_contacts_over_max_refused_403),
		TEST(bound_to_in_another_form_is_same_aor),
		TEST(expired_binding_forgets_order),
	};

	return cmocka_run_group_tests_name("registrar/registrar", tests, NULL, NULL);
}
