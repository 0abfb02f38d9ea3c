/* SPDX-License-Identifier: Apache-2.0 */
/* Steps: nothing is seen before the commit and all of it after; what an aborted step took comes back;
 * freed blocks wait in limbo until every core has passed what could name them; and a successor
 * finishes a valid intent, whatever phase its predecessor died in. */
#include "rig.h"

#include "platform/link/step.h"

static struct step s; /* large; one at a time */

static void open_step(struct link *l, uint32_t n_cores)
{
	rig_open(l, n_cores, 2);
	assert_int_equal(step_init(&s, l, 1), 0);
}

static void close_step(struct link *l)
{
	step_fini(&s);
	link_region_unmap(l);
}

/* What a core does with all records that wait. */
static uint32_t core_reads(const struct link *l, uint32_t core)
{
	struct link_end e = link_end_of(link_down_ring(l, core, 1), RIG_RING, false);
	uint32_t n = link_count(&e);

	link_consume(&e, n);
	return n;
}

static const struct link_record *waiting(const struct link *l, uint32_t core, uint32_t i)
{
	struct link_end e = link_end_of(link_down_ring(l, core, 1), RIG_RING, false);

	assert_true(i < link_count(&e));
	return link_peek(&e, i);
}

static void open_step_reads_its_own_writes_and_hides_them(void **state)
{
	struct link l;
	struct link_txn *home;
	uint32_t i;

	(void)state;
	open_step(&l, 1);
	step_begin(&s);
	i = step_take(&s, STEP_TXN, 0);
	home = step_home(&s, STEP_TXN, i);
	step_txn(&s, i)->cseq = 77;
	assert_ptr_equal(step_txn(&s, i), step_txn(&s, i));
	assert_int_equal(step_txn_read(&s, i)->cseq, 77);
	assert_true(step_used(&s, STEP_TXN, i));
	assert_int_equal(home->cseq, 0);
	assert_int_equal(*(uint32_t *)link_at(&l, LINK_S_TXN_USED, 24 + i), 0);
	step_commit(&s, NULL);
	assert_int_equal(home->cseq, 77);
	assert_int_equal(*(uint32_t *)link_at(&l, LINK_S_TXN_USED, 24 + i), 3);
	assert_int_equal(step_generation(&s, STEP_TXN, i), 1);
	assert_int_equal(s.intent->valid, 0);
	/* the other shard's part was not touched */
	assert_int_equal(*(uint32_t *)link_at(&l, LINK_S_TXN_USED, i), 0);
	close_step(&l);
}

static void committed_step_publishes_per_ring_in_order(void **state)
{
	struct link l;

	(void)state;
	open_step(&l, 3);
	step_begin(&s);
	for (uint32_t i = 0; i < 9; i++) {
		struct link_record *r = step_emit(&s, i % 2 ? 2 : 0);

		assert_int_equal(r->program, LINK_NONE);
		r->type = LINK_DOWN_RELEASE;
		r->tag = i;
	}
	assert_int_equal(core_reads(&l, 0), 0);
	step_commit(&s, NULL);
	assert_int_equal(step_woken(&s), 5);
	assert_int_equal(step_woken(&s), 0);
	for (uint32_t i = 0; i < 9; i++)
		assert_int_equal(waiting(&l, i % 2 ? 2 : 0, i / 2)->tag, i);
	assert_int_equal(core_reads(&l, 0), 5);
	assert_int_equal(core_reads(&l, 1), 0);
	assert_int_equal(core_reads(&l, 2), 4);
	close_step(&l);
}

static void aborted_step_gives_all_back(void **state)
{
	struct link l;
	uint32_t words[LINK_BLOCK_WORDS * 3] = {1}, kept, chain;

	(void)state;
	open_step(&l, 1);
	step_begin(&s);
	kept = step_take(&s, STEP_TXN, 0);
	step_txn(&s, kept)->cseq = 5;
	step_commit(&s, NULL);

	step_begin(&s);
	(void)step_take(&s, STEP_TXN, 0);
	(void)step_take(&s, STEP_BRANCH, 0);
	(void)step_take(&s, STEP_BINDING, 0);
	chain = step_store_words(&s, words, LINK_BLOCK_WORDS * 3);
	assert_int_not_equal(chain, LINK_NONE);
	step_txn(&s, kept)->cseq = 6;
	step_give(&s, STEP_TXN, kept);
	(void)step_emit(&s, 0);
	step_abort(&s);

	assert_int_equal(step_in_use(&s, STEP_TXN), 1);
	assert_int_equal(step_in_use(&s, STEP_BRANCH), 0);
	assert_int_equal(step_in_use(&s, STEP_BINDING), 0);
	assert_int_equal(step_in_use(&s, STEP_BLOCK), 0);
	assert_true(step_used(&s, STEP_TXN, kept));
	assert_int_equal(step_txn_read(&s, kept)->cseq, 5);
	assert_int_equal(core_reads(&l, 0), 0);
	/* the freed one is not free: it was forgotten with the rest */
	step_begin(&s);
	assert_int_not_equal(step_take(&s, STEP_TXN, 0), kept);
	step_abort(&s);
	close_step(&l);
}

static void aborted_step_gives_back_what_it_took_and_gave(void **state)
{
	struct link l;
	uint32_t words[LINK_BLOCK_WORDS] = {1};

	(void)state;
	open_step(&l, 1);
	for (int i = 0; i < 200; i++) { /* more often than there are records */
		step_begin(&s);
		step_give(&s, STEP_BRANCH, step_take(&s, STEP_BRANCH, 0));
		step_give_chain(&s, step_store_words(&s, words, LINK_BLOCK_WORDS));
		step_abort(&s);
		assert_int_equal(step_in_use(&s, STEP_BRANCH), 0);
		assert_int_equal(step_in_use(&s, STEP_BLOCK), 0);
	}
	close_step(&l);
}

static void full_log_sets_err_and_never_null(void **state)
{
	struct link l;
	uint8_t *home;
	uint32_t n;

	(void)state;
	open_step(&l, 1);
	home = link_at(&l, LINK_S_BLOCKS, 0);
	step_begin(&s);
	for (n = 0; n < 2 * LINK_WRITES_MAX && s.err == 0; n++)
		memset(step_write(&s, home + 8 * n, 8), 0xee, 8);
	assert_int_equal(s.err, -E_FULL);
	assert_true(n > LINK_WRITES_MAX - 8 && n <= LINK_WRITES_MAX + 1);
	step_abort(&s);
	assert_int_equal(home[0], 0);
	step_begin(&s);
	assert_int_equal(s.err, 0);
	/* by octets instead of writes: 17 times 4000 */
	for (n = 0; n < 17; n++)
		memset(step_write(&s, (uint8_t *)link_at(&l, LINK_S_SLOT_DATA4, 0) + 4000 * n,
				  4000),
		       1, 4000);
	assert_int_equal(s.err, -E_FULL);
	step_abort(&s);
	close_step(&l);
}

/* The commit itself needs a write: a step that has filled its log must either fail or commit. */
static void log_filled_to_the_brim_still_commits(void **state)
{
	struct link l;
	struct link_end up;
	uint8_t *home;

	(void)state;
	open_step(&l, 1);
	home = link_at(&l, LINK_S_BLOCKS, 0);
	up = link_end_of(link_up_ring(&l, 0, 1), RIG_RING, false);
	for (uint32_t n = LINK_WRITES_MAX - 4; n <= LINK_WRITES_MAX; n++) {
		uint64_t done = up.own;

		step_begin(&s);
		for (uint32_t i = 0; i < n; i++)
			memset(step_write(&s, home + 8 * i, 8), (int)n, 8);
		if (s.err != 0) {
			step_abort(&s);
			continue;
		}
		step_commit(&s, &up);
		assert_int_equal(up.ring->done, done + 1);
		assert_int_equal(home[8 * (n - 1)], (uint8_t)n);
	}
	close_step(&l);
}

static void too_many_emits_set_err(void **state)
{
	struct link l;

	(void)state;
	open_step(&l, 1);
	step_begin(&s);
	for (uint32_t i = 0; i < LINK_EMITS_MAX; i++)
		(void)step_emit(&s, 0);
	assert_int_equal(s.err, 0);
	assert_non_null(step_emit(&s, 0));
	assert_int_equal(s.err, -E_FULL);
	step_abort(&s);
	step_begin(&s);
	assert_non_null(step_emit(&s, 1)); /* no such core */
	assert_int_equal(s.err, -E_FULL);
	step_abort(&s);
	close_step(&l);
}

static void room_is_told_by_the_slowest_core(void **state)
{
	struct link l;

	(void)state;
	open_step(&l, 2);
	assert_true(step_room(&s));
	step_begin(&s);
	for (uint32_t i = 0; i < RIG_RING - LINK_EMITS_MAX; i++)
		(void)step_emit(&s, 1);
	step_commit(&s, NULL);
	assert_true(step_room(&s));
	step_begin(&s);
	(void)step_emit(&s, 1);
	step_commit(&s, NULL);
	assert_false(step_room(&s));
	(void)core_reads(&l, 0);
	assert_false(step_room(&s));
	(void)core_reads(&l, 1);
	assert_true(step_room(&s));
	close_step(&l);
}

static void reserve_of_a_table_stays(void **state)
{
	struct link l;
	uint32_t n;

	(void)state;
	open_step(&l, 1);
	step_begin(&s);
	for (n = 0; step_take(&s, STEP_TXN, 25) != LINK_NONE; n++)
		;
	assert_int_equal(n, 18);
	for (n = 0; step_take(&s, STEP_TXN, 0) != LINK_NONE; n++)
		;
	assert_int_equal(n, 6);
	step_abort(&s);
	assert_int_equal(step_in_use(&s, STEP_TXN), 0);
	close_step(&l);
}

static void generation_changes_with_every_life(void **state)
{
	struct link l;
	uint32_t i = 0;

	(void)state;
	open_step(&l, 1);
	for (uint32_t life = 1; life < 50; life++) {
		step_begin(&s);
		assert_int_equal(i = step_take(&s, STEP_BRANCH, 0), 0); /* the lowest */
		step_commit(&s, NULL);
		assert_int_equal(step_generation(&s, STEP_BRANCH, i), life);
		step_begin(&s);
		step_give(&s, STEP_BRANCH, i);
		assert_false(step_used(&s, STEP_BRANCH, i));
		step_commit(&s, NULL);
		assert_false(step_used(&s, STEP_BRANCH, i));
	}
	assert_false(step_used(&s, STEP_BRANCH, 32));
	assert_false(step_used(&s, STEP_BRANCH, UINT32_MAX));
	close_step(&l);
}

static void stored_words_come_back_whole(void **state)
{
	struct link l;
	uint32_t in[LINK_BLOCK_WORDS * 4 + 1], out[LINK_BLOCK_WORDS * 4 + 1], n_ok = 0;

	(void)state;
	open_step(&l, 1);
	for (uint32_t n = 1; n <= LINK_BLOCK_WORDS * 4 + 1; n++) {
		uint32_t first;

		for (uint32_t i = 0; i < n; i++)
			in[i] = n * 1000 + i;
		step_begin(&s);
		first = step_store_words(&s, in, n);
		assert_int_equal(link_load_words(&l, 1, first, n, out), 0);
		n_ok += memcmp(in, out, n * 4) == 0;
		assert_int_equal(link_load_words(&l, 1, first, n + 1, out), -E_BAD_RECORD);
		/* fewer: only where they end with a block */
		if (n > 1)
			assert_int_equal(link_load_words(&l, 1, first, n - 1, out),
					 n % LINK_BLOCK_WORDS == 1 ? 0 : -E_BAD_RECORD);
		assert_int_equal(link_load_words(&l, 2, first, n, out), -E_BAD_RECORD);
		step_abort(&s);
	}
	assert_int_equal(n_ok, LINK_BLOCK_WORDS * 4 + 1);
	step_begin(&s);
	assert_int_equal(step_store_words(&s, in, 0), LINK_NONE);
	step_abort(&s);
	close_step(&l);
}

static void chain_longer_than_the_table_is_refused_whole(void **state)
{
	static uint32_t words[LINK_BLOCK_WORDS * (RIG_BLOCKS + 1)];
	struct link l;

	(void)state;
	open_step(&l, 1);
	step_begin(&s);
	assert_int_equal(step_store_words(&s, words, LINK_BLOCK_WORDS * (RIG_BLOCKS + 1)),
			 LINK_NONE);
	assert_int_equal(step_in_use(&s, STEP_BLOCK), 0);
	assert_int_not_equal(step_store_words(&s, words, LINK_BLOCK_WORDS * RIG_BLOCKS), LINK_NONE);
	assert_int_equal(step_in_use(&s, STEP_BLOCK), RIG_BLOCKS);
	assert_int_equal(step_store_words(&s, words, 1), LINK_NONE);
	step_abort(&s);
	close_step(&l);
}

static uint32_t store_all_blocks(void)
{
	static uint32_t words[LINK_BLOCK_WORDS * RIG_BLOCKS];

	return step_store_words(&s, words, LINK_BLOCK_WORDS * RIG_BLOCKS);
}

static void freed_blocks_wait_for_every_core(void **state)
{
	uint32_t word = 1, n = 0;
	struct link l;

	(void)state;
	open_step(&l, 2);
	step_begin(&s);
	for (uint32_t i = 0; i < RIG_BLOCKS; i++) {
		uint32_t b = step_store_words(&s, &word, 1);
		struct link_record *r = i % 8 == 0 ? step_emit(&s, i / 8 % 2) : NULL;

		if (r != NULL)
			r->program = b;
		step_give_chain(&s, b);
	}
	step_commit(&s, NULL);
	for (int i = 0; i < 5; i++) {
		(void)step_room(&s); /* it closes groups, and frees what it may */
		step_begin(&s);
		assert_int_equal(step_store_words(&s, &word, 1), LINK_NONE);
		step_abort(&s);
		if (i == 1)
			n = core_reads(&l, 0);
		if (i == 3) /* core 1 has read, but not said so: its tail stands */
			assert_int_equal(waiting(&l, 1, 0)->type, 0);
	}
	assert_int_equal(n, 6);
	assert_int_equal(core_reads(&l, 1), 6);
	(void)step_room(&s);
	step_begin(&s);
	assert_int_not_equal(store_all_blocks(), LINK_NONE);
	step_abort(&s);
	assert_int_equal(step_in_use(&s, STEP_BLOCK), 0);
	close_step(&l);
}

static void limbo_survives_more_steps_than_it_has_groups(void **state)
{
	uint32_t word = 1;
	struct link l;

	(void)state;
	open_step(&l, 1);
	for (uint32_t i = 0; i < RIG_BLOCKS * 20; i++) {
		uint32_t b;

		if (!step_room(&s)) {
			(void)core_reads(&l, 0);
			assert_true(step_room(&s));
		}
		step_begin(&s);
		b = step_store_words(&s, &word, 1);
		if (b == LINK_NONE) { /* all in limbo: the core must read on */
			step_abort(&s);
			assert_true(core_reads(&l, 0) > 0);
			continue;
		}
		if (i % 3 == 0)
			step_emit(&s, 0)->program = b;
		step_give_chain(&s, b);
		step_commit(&s, NULL);
	}
	(void)core_reads(&l, 0);
	(void)step_room(&s);
	(void)step_room(&s); /* the group that was open when the others were closed */
	assert_int_equal(s.limbo_n, 0);
	step_begin(&s);
	assert_int_not_equal(store_all_blocks(), LINK_NONE);
	step_abort(&s);
	close_step(&l);
}

static void done_moves_with_the_step_exactly_once(void **state)
{
	struct link l;
	struct link_end up, core;

	(void)state;
	open_step(&l, 1);
	core = link_end_of(link_up_ring(&l, 0, 1), RIG_RING, true);
	up = link_end_of(link_up_ring(&l, 0, 1), RIG_RING, false);
	for (uint32_t i = 0; i < 5; i++)
		link_fill(&core, i)->tag = i;
	link_publish(&core, 5);
	assert_int_equal(link_count(&up), 5);
	step_begin(&s);
	step_commit(&s, &up);
	assert_int_equal(up.own, 1);
	assert_int_equal(up.ring->done, 1);
	assert_int_equal(up.ring->tail, 0); /* the loop stores it, once a burst */
	step_begin(&s);
	step_abort(&s);
	assert_int_equal(up.ring->done, 1);
	/* a successor starts at done, whatever tail says */
	up = link_end_of(up.ring, RIG_RING, false);
	assert_int_equal(link_count(&up), 4);
	assert_int_equal(link_peek(&up, 0)->tag, 1);
	close_step(&l);
}

/* A valid intent as a predecessor leaves it: two records for core 0, one for core 1, a changed
 * transaction, its used word, and done. published: rings that had got theirs; applied: writes done. */
static void leave_intent(struct link *l, unsigned published, bool applied)
{
	struct link_end up;
	uint32_t i;

	assert_int_equal(step_init(&s, l, 1), 0);
	up = link_end_of(link_up_ring(l, 0, 1), RIG_RING, false);
	step_begin(&s);
	i = step_take(&s, STEP_TXN, 0);
	assert_int_equal(i, 0);
	step_txn(&s, i)->cseq = 42;
	*(uint64_t *)step_write(&s, (void *)&up.ring->done, 8) = 9;
	step_emit(&s, 0)->tag = 100;
	step_emit(&s, 1)->tag = 101;
	step_emit(&s, 0)->tag = 102;
	s.intent->valid = 1;
	for (uint32_t core = 0; core < 2; core++) {
		uint32_t k = 0;

		for (uint32_t e = 0; e < 3; e++) {
			if (s.intent->emit_ring[e] == core) /* filled, be it published or not */
				*link_fill(&s.down[core], k++) = s.intent->emit[e];
		}
		if ((published & 1u << core) != 0)
			link_publish(&s.down[core], k);
	}
	for (uint32_t w = 0; applied && w < s.intent->n_writes; w++)
		memcpy(l->base + s.intent->write[w].off,
		       s.intent->shadow + s.intent->write[w].shadow, s.intent->write[w].len);
	step_fini(&s);
}

static void recover_from(unsigned published, bool applied)
{
	struct link l;

	rig_open(&l, 2, 2);
	leave_intent(&l, published, applied);
	assert_int_equal(step_init(&s, &l, 1), 1);
	assert_int_equal(s.intent->valid, 0);
	assert_true(step_used(&s, STEP_TXN, 0));
	assert_int_equal(step_generation(&s, STEP_TXN, 0), 1);
	assert_int_equal(step_in_use(&s, STEP_TXN), 1);
	assert_int_equal(step_txn_read(&s, 0)->cseq, 42);
	assert_int_equal(link_up_ring(&l, 0, 1)->done, 9);
	assert_int_equal(waiting(&l, 0, 0)->tag, 100);
	assert_int_equal(waiting(&l, 0, 1)->tag, 102);
	assert_int_equal(waiting(&l, 1, 0)->tag, 101);
	assert_int_equal(core_reads(&l, 0), 2);
	assert_int_equal(core_reads(&l, 1), 1);
	step_fini(&s);
	/* the next successor finds nothing to finish */
	assert_int_equal(step_init(&s, &l, 1), 0);
	assert_int_equal(core_reads(&l, 0), 0);
	step_begin(&s);
	assert_int_equal(step_take(&s, STEP_TXN, 0), 1);
	step_abort(&s);
	close_step(&l);
}

static void valid_intent_is_finished_from_every_phase(void **state)
{
	(void)state;
	for (unsigned published = 0; published < 4; published++)
		recover_from(published, false);
	recover_from(3, true);
}

static void intent_that_is_not_valid_never_happened(void **state)
{
	struct link l;

	(void)state;
	rig_open(&l, 2, 2);
	leave_intent(&l, 0, false);
	((struct link_intent *)link_at(&l, LINK_S_INTENTS, 1))->valid = 0;
	assert_int_equal(step_init(&s, &l, 1), 0);
	assert_int_equal(step_in_use(&s, STEP_TXN), 0);
	assert_int_equal(((struct link_txn *)step_home(&s, STEP_TXN, 0))->cseq, 0);
	assert_int_equal(link_up_ring(&l, 0, 1)->done, 0);
	assert_int_equal(core_reads(&l, 0), 0);
	close_step(&l);
}

static void buckets_of_a_shard_are_its_own(void **state)
{
	struct link l;

	(void)state;
	open_step(&l, 1);
	assert_int_equal(l.h->txn_buckets, 32);
	assert_ptr_equal(step_bucket(&s, LINK_S_TXN_BUCKETS, 5),
			 link_at(&l, LINK_S_TXN_BUCKETS, 32 + 5));
	assert_ptr_equal(step_bucket(&s, LINK_S_TXN_BUCKETS, UINT64_MAX),
			 link_at(&l, LINK_S_TXN_BUCKETS, 63));
	assert_ptr_equal(step_bucket(&s, LINK_S_BINDING_BUCKETS, 17),
			 link_at(&l, LINK_S_BINDING_BUCKETS, 16 + 1));
	assert_int_equal(*step_bucket(&s, LINK_S_TXN_BUCKETS, 5), LINK_NONE);
	close_step(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(open_step_reads_its_own_writes_and_hides_them),
		cmocka_unit_test(committed_step_publishes_per_ring_in_order),
		cmocka_unit_test(aborted_step_gives_all_back),
		cmocka_unit_test(aborted_step_gives_back_what_it_took_and_gave),
		cmocka_unit_test(full_log_sets_err_and_never_null),
		cmocka_unit_test(log_filled_to_the_brim_still_commits),
		cmocka_unit_test(too_many_emits_set_err),
		cmocka_unit_test(room_is_told_by_the_slowest_core),
		cmocka_unit_test(reserve_of_a_table_stays),
		cmocka_unit_test(generation_changes_with_every_life),
		cmocka_unit_test(stored_words_come_back_whole),
		cmocka_unit_test(chain_longer_than_the_table_is_refused_whole),
		cmocka_unit_test(freed_blocks_wait_for_every_core),
		cmocka_unit_test(limbo_survives_more_steps_than_it_has_groups),
		cmocka_unit_test(done_moves_with_the_step_exactly_once),
		cmocka_unit_test(valid_intent_is_finished_from_every_phase),
		cmocka_unit_test(intent_that_is_not_valid_never_happened),
		cmocka_unit_test(buckets_of_a_shard_are_its_own),
	};

	return cmocka_run_group_tests_name("link/step", tests, NULL, NULL);
}
