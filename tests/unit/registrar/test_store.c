/* SPDX-License-Identifier: Apache-2.0 */
/* Binding records: texts of every length, chains, what a step is said to need, look-ups and walks. */
#include "rig.h"

#include <stdio.h>

static char letters[2 * STORE_TEXT_MAX];

/* n octets that differ from place to place, and from one `salt` to another. */
static struct str pattern(uint32_t n, uint32_t salt)
{
	for (uint32_t i = 0; i < sizeof(letters); i++)
		letters[i] = (char)('a' + (i * 7 + i / 26 + salt) % 26);
	return str_of(letters, n);
}

static void begin(void)
{
	assert_true(step_room(&rig->s.step));
	rig->s.n_touched = 0;
	step_begin(&rig->s.step);
}

static void commit(void)
{
	assert_int_equal(rig->s.step.err, 0);
	step_commit(&rig->s.step, NULL);
	assert_true(step_room(&rig->s.step));
}

static uint32_t put_as(uint32_t old, struct hash128 key, const struct store_text *t, uint16_t q,
		       uint64_t expires_us)
{
	const struct link_binding f = {.aor = key,
				       .q_permille = q,
				       .expires_us = expires_us,
				       .updated_us = rig->s.now_us,
				       .cseq = 1,
				       .created_s = 9};

	return store_put(&rig->s, old, &f, t);
}

/* A binding of `aor` in a step of its own; it lives for a minute. */
static uint32_t put(uint32_t old, const char *aor, const char *contact, uint16_t q)
{
	struct store_text t = {str_from_c(aor), str_from_c(contact), STR_NONE};
	uint32_t i;

	begin();
	i = put_as(old, store_key(&rig->s, t.aor), &t, q, rig->s.now_us + 60 * RIG_S);
	assert_int_equal(rig->s.n_touched, 1);
	assert_int_equal(rig->s.touched[0], shard_binding_id(&rig->s, i));
	commit();
	return i;
}

static void expire(uint32_t i)
{
	begin();
	registrar_expired(&rig->s, i);
	commit();
}

/* ---- texts ---- */

static void check_texts(uint32_t aor, uint32_t contact, uint32_t path)
{
	struct str all = pattern(aor + contact + path, aor);
	struct store_text t = {str_sub(all, 0, aor), str_sub(all, aor, contact),
			       str_sub(all, aor + contact, path)};
	static char mem[STORE_TEXT_MAX];
	struct strbuf room = strbuf_of(mem, sizeof(mem));
	uint32_t over = all.len > LINK_BINDING_TEXT ? all.len - LINK_BINDING_TEXT : 0, i;
	const struct link_binding *b;
	struct store_text got;

	begin();
	i = put_as(LINK_NONE, (struct hash128){1, 1}, &t, 0, RIG_START_US + 1);
	assert_int_equal(store_texts(&rig->s, step_binding_read(&rig->s.step, i), &room, &got), 0);
	assert_true(str_eq(got.path, t.path)); /* before the commit already */
	commit();
	assert_int_equal(rig_in_use(STEP_BLOCK), (over + 247) / 248);
	b = step_home(&rig->s.step, STEP_BINDING, i);
	room = strbuf_of(mem, sizeof(mem));
	assert_int_equal(store_texts(&rig->s, b, &room, &got), 0);
	assert_true(str_eq(got.aor, t.aor));
	assert_true(str_eq(got.contact, t.contact));
	assert_true(str_eq(got.path, t.path));
	/* what lies in one piece in the record is not copied */
	assert_int_equal(room.len, (aor > LINK_BINDING_TEXT ? aor : 0) +
					   (aor + contact > LINK_BINDING_TEXT ? contact : 0) +
					   (all.len > LINK_BINDING_TEXT ? path : 0));
	rig->s.now_us = RIG_START_US + 1;
	expire(i);
	rig->s.now_us = RIG_START_US;
	assert_int_equal(rig_in_use(STEP_BINDING), 0);
	assert_int_equal(rig->s.step.pool[STEP_BLOCK].set.n_free, 512);
}

static void empty_texts_of_any_length_come_back(void **state)
{
	static const uint32_t edge[] = {1,   2,	  40,  174, 175, 176, 177, 178,	 179, 180,
					423, 424, 425, 426, 671, 672, 673, 2159, 2160};

	for (size_t k = 0; k < sizeof(edge) / sizeof(edge[0]); k++) {
		uint32_t n = edge[k];

		check_texts(n, 0, 0);
		check_texts(n / 3, n / 3, n - 2 * (n / 3));
		check_texts(1, n - 1, 0);
		if (n > 2)
			check_texts(1, 1, n - 2);
		if (n > 176)
			check_texts(176, n - 176, 0);
		if (n > 424)
			check_texts(100, 324, n - 424);
	}
	for (uint32_t n = 3; n <= STORE_TEXT_MAX; n += 13)
		check_texts(n / 4, n / 2, n - n / 4 - n / 2);
}

static void bound_room_too_small_full_and_unchanged(void **state)
{
	struct str all = pattern(500, 3);
	struct store_text t = {str_sub(all, 0, 20), str_sub(all, 20, 200), str_sub(all, 220, 280)},
			  got;
	char mem[479];
	struct strbuf room;
	struct str contact;
	uint32_t i;

	begin();
	i = put_as(LINK_NONE, (struct hash128){1, 1}, &t, 0, RIG_START_US + 1);
	commit();
	for (uint32_t cap = 1; cap < 480; cap++) {
		room = strbuf_of(mem, cap);
		strbuf_char(&room, '#');
		assert_int_equal(
			store_texts(&rig->s, step_home(&rig->s.step, STEP_BINDING, i), &room, &got),
			-E_FULL);
		assert_int_equal(room.len, 1);
		assert_true(room.full);
	}
	room = strbuf_of(mem, 199); /* holds what of it lies in the record, not the rest */
	assert_int_equal(
		store_contact(&rig->s, step_home(&rig->s.step, STEP_BINDING, i), &room, &contact),
		-E_FULL);
	assert_int_equal(room.len, 0);
	room = strbuf_of(mem, 200);
	assert_int_equal(
		store_contact(&rig->s, step_home(&rig->s.step, STEP_BINDING, i), &room, &contact),
		0);
	assert_true(str_eq(contact, t.contact));
}

static void bound_broken_chain_bad_record(void **state)
{
	struct str all = pattern(700, 3);
	struct store_text t = {str_sub(all, 0, 20), str_sub(all, 20, 30), str_sub(all, 50, 650)},
			  got;
	char mem[STORE_TEXT_MAX];
	struct strbuf room = strbuf_of(mem, sizeof(mem));
	struct link_binding *b;
	struct link_block *k;
	uint32_t more;

	begin();
	b = step_home(&rig->s.step, STEP_BINDING,
		      put_as(LINK_NONE, (struct hash128){1, 1}, &t, 0, RIG_START_US + 1));
	commit();
	k = step_home(&rig->s.step, STEP_BLOCK, b->more);
	more = k->next;
	k->next = 512; /* one past the last */
	assert_int_equal(store_texts(&rig->s, b, &room, &got), -E_BAD_RECORD);
	assert_int_equal(room.len, 0);
	k->next = b->more; /* a circle ends too */
	assert_int_equal(store_texts(&rig->s, b, &room, &got), 0);
	k->next = more;
	b->path_len = STORE_TEXT_MAX - 50 + 1;
	assert_true(store_texts(&rig->s, b, &room, &got) < 0);
}

/* ---- need and room ---- */

static void check_need(uint32_t old_len, uint32_t new_len, bool same)
{
	struct shard *s = &rig->s;
	struct str all = pattern(old_len, 1);
	struct store_text t = {str_sub(all, 0, 10), str_sub(all, 10, old_len - 10), STR_NONE};
	struct hash128 key = store_key(s, t.aor);
	struct store_need need = {0};
	const struct link_intent *in = s->step.intent;
	uint32_t old = LINK_NONE, i, bindings, blocks;

	if (old_len > 10) {
		begin();
		old = put_as(LINK_NONE, key, &t, 0, RIG_START_US + 1);
		commit();
	}
	if (!same) {
		all = pattern(new_len, 2);
		t = (struct store_text){str_sub(all, 0, 10), str_sub(all, 10, new_len - 10),
					STR_NONE};
	}
	begin();
	bindings = s->step.pool[STEP_BINDING].set.n_free;
	blocks = s->step.pool[STEP_BLOCK].set.n_free;
	store_need_put(s, old, &t, &need);
	assert_int_equal(in->n_writes, 0);
	assert_int_equal(store_room(s, &need), 0);
	i = put_as(old, key, &t, 0, RIG_START_US + 1);
	assert_int_equal(need.records, bindings - s->step.pool[STEP_BINDING].set.n_free);
	assert_int_equal(need.blocks, blocks - s->step.pool[STEP_BLOCK].set.n_free);
	assert_int_equal(need.writes, in->n_writes);
	assert_int_equal(need.shadow_bytes, in->shadow_used);
	assert_int_equal(need.touched, s->n_touched);
	commit();
	rig->s.now_us = RIG_START_US + 1;
	expire(i);
	if (old != LINK_NONE && old != i)
		expire(old);
	rig->s.now_us = RIG_START_US;
	assert_int_equal(rig_in_use(STEP_BINDING), 0);
	assert_int_equal(rig->s.step.pool[STEP_BLOCK].set.n_free, 512);
}

static void any_put_takes_what_it_said(void **state)
{
	static const uint32_t len[] = {20, 176, 177, 600, STORE_TEXT_MAX};

	for (int i = 0; i < 5; i++) {
		check_need(10, len[i], false);
		check_need(len[i], len[i], true);
		for (int k = 0; k < 5; k++)
			check_need(len[i], len[k], false);
	}
}

static void open_step_room_ends_at_each_limit(void **state)
{
	struct shard *s = &rig->s;
	uint32_t keep = 512 * rig->conf.reserve_percent / 100;

	begin();
	assert_int_equal(store_room(s, &(struct store_need){.records = 256}), 0);
	assert_int_equal(store_room(s, &(struct store_need){.records = 257}), -E_FULL);
	assert_int_equal(store_room(s, &(struct store_need){.blocks = 512 - keep}), 0);
	assert_int_equal(store_room(s, &(struct store_need){.blocks = 513 - keep}), -E_FULL);
	assert_int_equal(store_room(s, &(struct store_need){.writes = LINK_WRITES_MAX}), 0);
	assert_int_equal(store_room(s, &(struct store_need){.writes = LINK_WRITES_MAX + 1}),
			 -E_TOO_MANY);
	assert_int_equal(store_room(s, &(struct store_need){.shadow_bytes = LINK_SHADOW_BYTES}), 0);
	assert_int_equal(store_room(s, &(struct store_need){.shadow_bytes = LINK_SHADOW_BYTES + 1}),
			 -E_TOO_MANY);
	assert_int_equal(store_room(s, &(struct store_need){.touched = SHARD_TOUCHED_MAX}), 0);
	assert_int_equal(store_room(s, &(struct store_need){.touched = SHARD_TOUCHED_MAX + 1}),
			 -E_TOO_MANY);
	(void)step_txn(&s->step, 0); /* what the step has changed counts */
	shard_touch(s, 0);
	assert_int_equal(store_room(s, &(struct store_need){.writes = LINK_WRITES_MAX}),
			 -E_TOO_MANY);
	assert_int_equal(
		store_room(s, &(struct store_need){.shadow_bytes = LINK_SHADOW_BYTES - 255}),
		-E_TOO_MANY);
	assert_int_equal(store_room(s, &(struct store_need){.touched = SHARD_TOUCHED_MAX}),
			 -E_TOO_MANY);
	step_abort(&s->step);
}

/* ---- chains ---- */

/* The chain of the bucket where `aor` lies, as letters of the contacts. */
static const char *chain(const char *aor)
{
	static char out[64];
	struct hash128 key = store_key(&rig->s, str_from_c(aor));
	uint32_t n = 0, i = *step_bucket(&rig->s.step, LINK_S_BINDING_BUCKETS, key.lo);

	for (; i != LINK_NONE && n < sizeof(out) - 1; n++) {
		const struct link_binding *b = step_home(&rig->s.step, STEP_BINDING, i);

		out[n] = b->text[b->aor_len];
		i = b->next;
	}
	out[n] = 0;
	return out;
}

static void chain_of_four_freed_in_any_order_stays_whole(void **state)
{
	static const struct {
		int order[4];
		const char *left[4];
	} row[] = {
		{{0, 1, 2, 3}, {"DCB", "DC", "D", ""}},
		{{3, 2, 1, 0}, {"CBA", "BA", "A", ""}},
		{{1, 2, 0, 3}, {"DCA", "DA", "D", ""}},
		{{2, 3, 0, 1}, {"DBA", "BA", "B", ""}},
	};
	static const char *const name[] = {"A", "B", "C", "D"};
	uint32_t i[4];

	for (size_t r = 0; r < 4; r++) {
		for (int k = 0; k < 4; k++)
			i[k] = put(LINK_NONE, "x@h", name[k], 0);
		assert_string_equal(chain("x@h"), "DCBA");
		rig->s.now_us += 60 * RIG_S;
		for (int k = 0; k < 4; k++) {
			expire(i[row[r].order[k]]);
			assert_string_equal(chain("x@h"), row[r].left[k]);
			assert_int_equal(rig_in_use(STEP_BINDING), 3 - k);
			assert_int_equal(rig_count(registrar_bindings), 3 - k);
		}
	}
	assert_int_equal(rig_count(registrar_expirations), 16);
}

static void shared_bucket_keeps_aors_apart(void **state)
{
	struct store_text t = {STR("x"), STR("c"), STR_NONE};
	struct hash128 key[3] = {{5, 1}, {5, 2}, {5 + 256, 1}}; /* 256 buckets */
	uint32_t i[3], list[4];

	begin();
	for (int k = 0; k < 3; k++)
		i[k] = put_as(LINK_NONE, key[k], &t, 0, RIG_START_US + 1 + k);
	commit();
	assert_ptr_equal(step_bucket(&rig->s.step, LINK_S_BINDING_BUCKETS, key[0].lo),
			 step_bucket(&rig->s.step, LINK_S_BINDING_BUCKETS, key[2].lo));
	for (int k = 0; k < 3; k++) {
		assert_int_equal(store_list(&rig->s, &key[k], RIG_START_US, list, 4), 1);
		assert_int_equal(list[0], i[k]);
	}
	rig->s.now_us = RIG_START_US + 2;
	expire(i[1]);
	assert_int_equal(store_list(&rig->s, &key[0], RIG_START_US, list, 4), 1);
	assert_int_equal(store_list(&rig->s, &key[1], RIG_START_US, list, 4), 0);
	assert_int_equal(store_list(&rig->s, &key[2], RIG_START_US, list, 4), 1);
}

/* ---- timers ---- */

static void bound_timer_too_early_keeps_and_touches(void **state)
{
	uint32_t i = put(LINK_NONE, "x@h", "c", 0);

	rig->s.now_us += 60 * RIG_S - 1;
	begin();
	registrar_expired(&rig->s, i);
	assert_int_equal(rig->s.n_touched, 1);
	assert_int_equal(rig->s.touched[0], shard_binding_id(&rig->s, i));
	assert_int_equal(rig->s.step.intent->n_writes, 0);
	commit();
	assert_int_equal(rig_in_use(STEP_BINDING), 1);
	assert_int_equal(registrar_next_us(step_home(&rig->s.step, STEP_BINDING, i)),
			 RIG_START_US + 60 * RIG_S);
}

static void freed_timer_again_changes_nothing(void **state)
{
	uint32_t i = put(LINK_NONE, "x@h", "c", 0);

	rig->s.now_us += 60 * RIG_S;
	expire(i);
	begin();
	registrar_expired(&rig->s, i);
	registrar_expired(&rig->s, 256); /* no such record */
	assert_int_equal(rig->s.step.intent->n_writes, 0);
	assert_int_equal(rig->s.n_touched, 0);
	commit();
	assert_int_equal(rig_count(registrar_expirations), 1);
}

static void removed_binding_due_at_once_and_not_counted_expired(void **state)
{
	uint32_t i = put(LINK_NONE, "x@h", "c", 0), list[1];
	struct hash128 key = store_key(&rig->s, STR("x@h"));

	begin();
	store_remove(&rig->s, i);
	assert_int_equal(rig->s.touched[0], shard_binding_id(&rig->s, i));
	assert_int_equal(store_list(&rig->s, &key, rig->s.now_us, list, 1),
			 0); /* gone in this step */
	commit();
	assert_true(registrar_next_us(step_home(&rig->s.step, STEP_BINDING, i)) <= rig->s.now_us);
	assert_int_equal(rig_in_use(STEP_BINDING), 1);
	expire(i);
	assert_int_equal(rig_in_use(STEP_BINDING), 0);
	assert_int_equal(rig_count(registrar_expirations), 0);
}

/* ---- look-up ---- */

static void bound_lookup_best_q_then_newest_and_at_most_max(void **state)
{
	static const struct {
		const char *contact;
		uint16_t q;
	} row[] = {{"a", 500}, {"b", 1000}, {"c", 0}, {"d", 500}, {"e", 1000}, {"f", 700}};
	static const char best[] = "ebfdac";
	struct registrar_contact c[8];
	char mem[64];
	struct strbuf room = strbuf_of(mem, sizeof(mem));

	for (size_t k = 0; k < 6; k++, rig->s.now_us += RIG_S)
		put(LINK_NONE, "x@h", row[k].contact, row[k].q);
	put(LINK_NONE, "y@h", "z", 1000);
	for (uint32_t max = 0; max <= 8; max++) {
		uint32_t n = registrar_lookup(&rig->s, STR("x@h"), rig->s.now_us, &room, c, max);

		assert_int_equal(n, max < 6 ? max : 6);
		for (uint32_t k = 0; k < n; k++) {
			assert_int_equal(c[k].contact.len, 1);
			assert_int_equal(c[k].contact.s[0], best[k]);
		}
	}
	assert_int_equal(c[0].q_permille, 1000);
	assert_int_equal(c[0].expires_us, RIG_START_US + 64 * RIG_S);
	assert_int_equal(c[0].path.len, 0);
	assert_int_equal(room.len, 0);
	/* renewed, "a" is the newest of its q */
	put(c[4].index, "x@h", "a", 500);
	assert_int_equal(registrar_lookup(&rig->s, STR("x@h"), rig->s.now_us, &room, c, 8), 6);
	assert_int_equal(c[3].contact.s[0], 'a');
	/* at the instant of its end a binding is out: b (1 s), then with it a is still in */
	assert_int_equal(
		registrar_lookup(&rig->s, STR("x@h"), RIG_START_US + 61 * RIG_S, &room, c, 8), 5);
	assert_int_equal(c[1].contact.s[0], 'f');
}

static void bound_lookup_without_room_leaves_long_ones_out(void **state)
{
	struct str all = pattern(400, 1);
	struct store_text t = {STR("x@h"), all, STR_NONE};
	struct registrar_contact c[4];
	char mem[399];
	struct strbuf room = strbuf_of(mem, sizeof(mem));

	put(LINK_NONE, "x@h", "short", 100);
	begin();
	(void)put_as(LINK_NONE, store_key(&rig->s, t.aor), &t, 900, RIG_START_US + 9);
	commit();
	assert_int_equal(registrar_lookup(&rig->s, STR("x@h"), RIG_START_US, &room, c, 4), 1);
	assert_true(str_eq(c[0].contact, STR("short")));
}

/* ---- walk ---- */

struct seen {
	uint32_t n;
	char text[2048];
	struct registrar_row last;
};

static void see(void *arg, const struct registrar_row *r)
{
	struct seen *s = arg;
	size_t len = strlen(s->text);

	s->n++;
	snprintf(s->text + len, sizeof(s->text) - len, "%.*s=%.*s;", STR_FMT(r->aor),
		 STR_FMT(r->contact));
	s->last = *r;
}

static void bound_walk_in_pages_sees_each_once(void **state)
{
	static const uint32_t page[] = {1, 2, 3, 7, 255, 256, 257, 0xffffffff};
	static char mem[STORE_TEXT_MAX], aor[16], want[1024];
	struct strbuf room = strbuf_of(mem, sizeof(mem));
	uint32_t gone, calls, from, order[256] = {0};

	for (uint32_t k = 0; k < 40; k++) {
		snprintf(aor, sizeof(aor), "u%u", k);
		order[put(LINK_NONE, aor, "c", 0)] = k + 1;
	}
	gone = put(LINK_NONE, "removed", "c", 0);
	begin();
	store_remove(&rig->s, gone);
	commit();
	for (uint32_t i = 0; i < 256; i++) {
		if (order[i] != 0)
			snprintf(want + strlen(want), sizeof(want) - strlen(want), "u%u=c;",
				 order[i] - 1);
	}
	for (size_t p = 0; p < 8; p++) {
		struct seen s = {0};

		for (from = 0, calls = 0; from != LINK_NONE; calls++)
			from = registrar_walk(&rig->s, from, page[p], &room, see, &s);
		assert_int_equal(s.n, 40);
		assert_string_equal(s.text, want);
		assert_int_equal(calls, page[p] >= 256 ? 1 : (256 + page[p] - 1) / page[p]);
	}
	assert_int_equal(registrar_walk(&rig->s, 256, 10, &room, see, NULL), LINK_NONE);
	assert_int_equal(registrar_walk(&rig->s, LINK_NONE, 10, &room, see, NULL), LINK_NONE);
}

static void bound_walk_rows_are_whole_and_live(void **state)
{
	static char mem[STORE_TEXT_MAX];
	struct strbuf room = strbuf_of(mem, sizeof(mem));
	struct seen s = {0};

	/* three long ones: each has the room for itself */
	for (uint32_t k = 0; k < 3; k++) {
		struct str all = pattern(STORE_TEXT_MAX - 20, k);
		struct store_text t = {STR("aor"), str_sub(all, 0, 900),
				       str_sub(all, 900, all.len)};

		begin();
		(void)put_as(LINK_NONE, store_key(&rig->s, t.aor), &t, 250, RIG_START_US + 10 + k);
		commit();
	}
	assert_int_equal(registrar_walk(&rig->s, 0, 256, &room, see, &s), LINK_NONE);
	assert_int_equal(s.n, 3);
	assert_int_equal(s.last.contact.len, 900);
	assert_int_equal(s.last.path.len, STORE_TEXT_MAX - 920);
	assert_true(str_eq(s.last.contact, pattern(900, 2)));
	assert_int_equal(s.last.q_permille, 250);
	assert_int_equal(s.last.cseq, 1);
	assert_int_equal(s.last.expires_us, RIG_START_US + 12);
	assert_int_equal(s.last.updated_us, RIG_START_US);
	s = (struct seen){0};
	rig->s.now_us = RIG_START_US + 11; /* two have expired, no timer has run */
	assert_int_equal(registrar_walk(&rig->s, 0, 256, &room, see, &s), LINK_NONE);
	assert_int_equal(s.n, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(empty_texts_of_any_length_come_back),
		TEST(any_put_takes_what_it_said),
		TEST(open_step_room_ends_at_each_limit),
		TEST(bound_room_too_small_full_and_unchanged),
		TEST(bound_broken_chain_bad_record),
		TEST(chain_of_four_freed_in_any_order_stays_whole),
		TEST(shared_bucket_keeps_aors_apart),
		TEST(bound_timer_too_early_keeps_and_touches),
		TEST(freed_timer_again_changes_nothing),
		TEST(removed_binding_due_at_once_and_not_counted_expired),
		TEST(bound_lookup_best_q_then_newest_and_at_most_max),
		TEST(bound_lookup_without_room_leaves_long_ones_out),
		TEST(bound_walk_in_pages_sees_each_once),
		TEST(bound_walk_rows_are_whole_and_live),
	};

	return cmocka_run_group_tests_name("registrar/store", tests, NULL, NULL);
}
