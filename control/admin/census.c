/* SPDX-License-Identifier: Apache-2.0 */
/* The walk of the census. Tables of all shards lie one after another in their sections, so one index
 * goes through them all. */
#include "control/admin/census.h"

#include "control/txn/txn.h"

enum part { PART_SLOTS, PART_TXNS, PART_BRANCHES, PART_BINDINGS, PART_BLOCKS, PARTS };

void census_begin(struct census *s)
{
	*s = (struct census){0};
}

static uint64_t blocks_of(uint32_t first, uint32_t words)
{
	return first == LINK_NONE ? 0 : (words + LINK_BLOCK_WORDS - 1) / LINK_BLOCK_WORDS;
}

/* Octets that do not fit the record lie in a chain that ends itself. */
static uint64_t chain_length(const struct link *l, uint64_t shard, uint32_t first)
{
	uint64_t n = 0;

	while (first < l->h->blocks && n < 3 * SIP_MSG_MAX / (LINK_BLOCK_WORDS * 4)) {
		const struct link_block *b =
			link_at(l, LINK_S_BLOCKS, shard * l->h->blocks + first);

		first = __atomic_load_n(&b->next, __ATOMIC_RELAXED);
		n++;
	}
	return n;
}

static void count_deadline(struct census *s, uint64_t next_us, uint64_t now_us)
{
	if (next_us == UINT64_MAX)
		s->without_deadline++;
	else if (next_us + CENSUS_OVERDUE_US < now_us)
		s->overdue++;
}

static void count_txn(struct census *s, const struct link *l, uint64_t place, uint64_t now_us)
{
	uint32_t generation;
	struct link_txn t;

	if (!record_read(l, LINK_S_TXN_USED, LINK_S_TXNS, place, &t, sizeof(t), &generation))
		return;
	s->used[STEP_TXN]++;
	s->slots_named += (t.slot != 0) + (t.best_slot != 0);
	s->blocks_named += blocks_of(t.reply, t.reply_words);
	/* another shard's record may be torn: one that looks late is looked at again */
	if (txn_next_us(&t) == UINT64_MAX || txn_next_us(&t) + CENSUS_OVERDUE_US < now_us) {
		if (record_read(l, LINK_S_TXN_USED, LINK_S_TXNS, place, &t, sizeof(t), &generation))
			count_deadline(s, txn_next_us(&t), now_us);
	}
}

static void count_branch(struct census *s, const struct link *l, uint64_t place, uint64_t now_us)
{
	struct link_branch b;
	uint32_t generation;

	if (!record_read(l, LINK_S_BRANCH_USED, LINK_S_BRANCHES, place, &b, sizeof(b), &generation))
		return;
	s->used[STEP_BRANCH]++;
	s->blocks_named += blocks_of(b.program, b.program_words) + blocks_of(b.ack, b.ack_words);
	if (txn_branch_next_us(&b) == UINT64_MAX ||
	    txn_branch_next_us(&b) + CENSUS_OVERDUE_US < now_us) {
		if (record_read(l, LINK_S_BRANCH_USED, LINK_S_BRANCHES, place, &b, sizeof(b),
				&generation))
			count_deadline(s, txn_branch_next_us(&b), now_us);
	}
}

static void count_binding(struct census *s, const struct link *l, uint64_t place, uint64_t now_us)
{
	struct link_binding b;
	uint32_t generation;

	(void)now_us; /* a binding may outlive its time: nobody is answered from it then */
	if (!record_read(l, LINK_S_BINDING_USED, LINK_S_BINDINGS, place, &b, sizeof(b),
			 &generation))
		return;
	s->used[STEP_BINDING]++;
	s->blocks_named += chain_length(l, place / l->h->bindings, b.more);
}

static void count_block(struct census *s, const struct link *l, uint64_t place, uint64_t now_us)
{
	const uint32_t *word = link_at(l, LINK_S_BLOCK_USED, place);

	(void)now_us;
	s->used[STEP_BLOCK] += __atomic_load_n(word, __ATOMIC_RELAXED) & 1;
}

/* Slots lie by core, and in a core by class. */
static void count_slot(struct census *s, const struct link *l, uint64_t place, uint64_t now_us)
{
	const uint64_t *word = link_at(l, LINK_S_SLOT_WORDS, place);
	uint64_t state = __atomic_load_n(word, __ATOMIC_RELAXED) & 0xff;
	uint64_t index = place % (l->h->place[LINK_S_SLOT_WORDS].count / l->h->n_cores);
	uint32_t cls = 0;

	(void)now_us;
	while (cls < CONF_CLASSES - 1 && index >= l->h->class[cls].count)
		index -= l->h->class[cls++].count;
	s->slots[cls][state > SLOT_LENT ? SLOT_LENT : state]++;
}

static const struct {
	enum link_section section;
	uint32_t piece;
	void (*count)(struct census *s, const struct link *l, uint64_t place, uint64_t now_us);
} part_of[PARTS] = {
	[PART_SLOTS] = {LINK_S_SLOT_WORDS, CENSUS_WORDS, count_slot},
	[PART_TXNS] = {LINK_S_TXN_USED, CALL_WALK_MAX, count_txn},
	[PART_BRANCHES] = {LINK_S_BRANCH_USED, CALL_WALK_MAX, count_branch},
	[PART_BINDINGS] = {LINK_S_BINDING_USED, CALL_WALK_MAX, count_binding},
	[PART_BLOCKS] = {LINK_S_BLOCK_USED, CENSUS_WORDS, count_block},
};

bool census_step(struct census *s, const struct link *l, uint64_t now_us)
{
	uint64_t end, last;

	if (s->part == PARTS)
		return false;
	last = l->h->place[part_of[s->part].section].count;
	end = s->at + part_of[s->part].piece < last ? s->at + part_of[s->part].piece : last;
	for (; s->at < end; s->at++)
		part_of[s->part].count(s, l, s->at, now_us);
	if (s->at == last) {
		s->part++;
		s->at = 0;
	}
	return s->part < PARTS;
}

static uint64_t waiting(const struct link *l, enum link_section rings)
{
	uint64_t n = 0;

	for (uint64_t i = 0; i < l->h->place[rings].count; i++) {
		const struct link_ring *r = link_at(l, rings, i);
		/* done before head: what comes in between counts as waiting, never as less than none */
		uint64_t done = atomic_load_explicit(&r->done, memory_order_acquire);

		n += atomic_load_explicit(&r->head, memory_order_acquire) - done;
	}
	return n;
}

struct census_rings census_rings(const struct link *l)
{
	return (struct census_rings){
		.up = waiting(l, LINK_S_UP),
		.down = waiting(l, LINK_S_DOWN),
		.mesh = waiting(l, LINK_S_MESH),
		.room = l->h->ring_records,
	};
}
