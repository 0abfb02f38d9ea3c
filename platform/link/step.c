/* SPDX-License-Identifier: Apache-2.0 */
/* The redo log of a shard and the tables it changes. See step.h for the order that survives a kill. */
#include "platform/link/step.h"

#include <errno.h>
#include <stdlib.h>

/* The log keeps room for the one write of the commit itself: `done`. */
#define COMMIT_WRITES 1
#define COMMIT_BYTES 8

/* The most that one step may emit per ring; with it the room test is one comparison per ring. */
#define EMIT_ROOM LINK_EMITS_MAX

static const enum link_section used_section[STEP_TABLES] = {
	LINK_S_TXN_USED, LINK_S_BRANCH_USED, LINK_S_BINDING_USED, LINK_S_BLOCK_USED,
};
static const enum link_section home_section[STEP_TABLES] = {
	LINK_S_TXNS, LINK_S_BRANCHES, LINK_S_BINDINGS, LINK_S_BLOCKS,
};

static uint32_t *used_word(const struct step *s, enum step_table t, uint32_t index)
{
	return link_at(s->link, used_section[t], s->pool[t].base + index);
}

void *step_home(const struct step *s, enum step_table t, uint32_t index)
{
	dmust(index < s->pool[t].n_total);
	return link_at(s->link, home_section[t], s->pool[t].base + index);
}

static uint64_t free_mask(const uint32_t *used, uint32_t n)
{
	uint64_t mask = 0;

	for (uint32_t k = 0; k < n; k++)
		mask |= (uint64_t)(~used[k] & 1) << k;
	return mask;
}

static int pool_init(struct step *s, enum step_table t, uint32_t n)
{
	struct step_pool *p = &s->pool[t];

	*p = (struct step_pool){ .n_total = n, .base = s->shard * n };
	p->mem = malloc(freeset_bytes(n));
	if (p->mem == NULL)
		return -ENOMEM;
	freeset_init(&p->set, p->mem, n);
	for (uint32_t i = 0; i < n; i += 64)
		freeset_give_word(&p->set, i / 64, free_mask(used_word(s, t, i), n - i < 64 ? n - i : 64));
	return 0;
}

/* Phases 2 to 4 of a commit; also what a successor does with a valid intent. Idempotent up to the
 * last store. */
static void intent_apply(struct step *s, bool recovering)
{
	struct link_intent *in = s->intent;
	uint32_t n_ring[LINK_CORES_MAX] = { 0 };

	for (uint32_t i = 0; i < in->n_emits; i++)
		n_ring[in->emit_ring[i]]++;
	for (uint32_t core = 0; core < s->link->h->n_cores; core++) {
		struct link_end *e = &s->down[core];
		uint32_t k = 0;

		if (n_ring[core] == 0 || (recovering && e->own != in->start[core]))
			continue; /* nothing for it, or published before the kill */
		for (uint32_t i = 0; i < in->n_emits; i++) {
			if (in->emit_ring[i] == core)
				*link_fill(e, k++) = in->emit[i];
		}
		KILL_POINT("step.filled");
		link_publish(e, k);
		s->woken |= 1u << core;
		KILL_POINT("step.published");
	}
	for (uint32_t i = 0; i < in->n_writes; i++) {
		const struct link_write *w = &in->write[i];

		memcpy(s->link->base + w->off, in->shadow + w->shadow, w->len);
		KILL_POINT("step.applied");
	}
	/* release: all of the above is home before the intent is gone */
	atomic_store_explicit(&in->valid, 0, memory_order_release);
	KILL_POINT("step.cleared");
}

int step_init(struct step *s, const struct link *l, uint32_t shard)
{
	const uint32_t n[STEP_TABLES] = { l->h->txns, l->h->branches, l->h->bindings, l->h->blocks };
	int finished = 0;

	*s = (struct step){ .link = l, .shard = shard, .intent = link_at(l, LINK_S_INTENTS, shard) };
	for (uint32_t core = 0; core < l->h->n_cores; core++)
		s->down[core] = link_end_of(link_down_ring(l, core, shard), l->h->ring_records, true);
	/* acquire: pairs with the release that made the intent valid */
	if (atomic_load_explicit(&s->intent->valid, memory_order_acquire) == 1 &&
	    !KILL_BROKEN(KILL_BREAK_INTENT)) {
		intent_apply(s, true);
		finished = 1;
		s->settling = true;
	}
	for (int t = 0; t < STEP_TABLES; t++) {
		if (pool_init(s, t, n[t]) != 0)
			goto out;
	}
	s->limbo = malloc((l->h->blocks ? l->h->blocks : 1) * sizeof(*s->limbo));
	if (s->limbo == NULL)
		goto out;
	return finished;
out:
	step_fini(s);
	return -ENOMEM;
}

void step_fini(struct step *s)
{
	for (int t = 0; t < STEP_TABLES; t++)
		free(s->pool[t].mem);
	free(s->limbo);
	*s = (struct step){ 0 };
}

void step_begin(struct step *s)
{
	struct link_intent *in = s->intent;

	dmust(!s->open);
	s->open = true;
	s->err = 0;
	s->n_frees = 0;
	in->n_writes = 0;
	in->n_emits = 0;
	in->shadow_used = 0;
	for (uint32_t core = 0; core < s->link->h->n_cores; core++)
		in->start[core] = s->down[core].own;
}

static int write_find(const struct link_intent *in, uint64_t off)
{
	for (uint32_t i = 0; i < in->n_writes; i++) {
		if (in->write[i].off == off)
			return (int)i;
	}
	return -1;
}

static void *write_copy(struct step *s, void *home, uint32_t len, uint32_t n_max, uint32_t bytes_max)
{
	static _Thread_local uint8_t scrap[4096];
	struct link_intent *in = s->intent;
	uint64_t off = (uint64_t)((uint8_t *)home - s->link->base);
	int found = write_find(in, off);
	struct link_write *w;

	dmust(s->open);
	if (found >= 0)
		return in->shadow + in->write[found].shadow;
	if (in->n_writes >= n_max || in->shadow_used + len > bytes_max) {
		s->err = -E_FULL;
		return scrap;
	}
	w = &in->write[in->n_writes++];
	*w = (struct link_write){ .off = off, .len = len, .shadow = in->shadow_used };
	in->shadow_used += (len + 7) / 8 * 8;
	memcpy(in->shadow + w->shadow, home, len);
	return in->shadow + w->shadow;
}

void *step_write(struct step *s, void *home, uint32_t len)
{
	return write_copy(s, home, len, LINK_WRITES_MAX - COMMIT_WRITES, LINK_SHADOW_BYTES - COMMIT_BYTES);
}

const void *step_read(struct step *s, const void *home, uint32_t len)
{
	int found = s->open ? write_find(s->intent, (uint64_t)((const uint8_t *)home - s->link->base)) : -1;

	(void)len; /* records are only ever written whole, so a found copy has this length */
	return found >= 0 ? s->intent->shadow + s->intent->write[found].shadow : home;
}

struct link_record *step_emit(struct step *s, uint32_t core)
{
	static _Thread_local struct link_record scrap;
	struct link_intent *in = s->intent;
	struct link_record *r;

	dmust(s->open);
	if (in->n_emits == LINK_EMITS_MAX || core >= s->link->h->n_cores) {
		s->err = -E_FULL;
		return &scrap;
	}
	in->emit_ring[in->n_emits] = core;
	r = &in->emit[in->n_emits++];
	*r = (struct link_record){ .program = LINK_NONE };
	return r;
}

static bool group_passed(const struct step *s, const struct step_limbo_group *g)
{
	for (uint32_t core = 0; core < s->link->h->n_cores; core++) {
		/* acquire: the core's reads of the blocks come before our reuse of them */
		uint64_t tail = atomic_load_explicit(&s->down[core].ring->tail, memory_order_acquire);

		if ((int64_t)(tail - g->head[core]) < 0)
			return false;
	}
	return true;
}

/* Close the open group, and give back the blocks of the groups that every core has passed. */
static void limbo_drain(struct step *s)
{
	struct step_pool *p = &s->pool[STEP_BLOCK];

	if (s->limbo_open > 0 && s->n_groups < STEP_LIMBO_GROUPS) {
		struct step_limbo_group *g =
			&s->group[(s->group_first + s->n_groups++) % STEP_LIMBO_GROUPS];

		g->n = s->limbo_open;
		for (uint32_t core = 0; core < s->link->h->n_cores; core++)
			g->head[core] = s->down[core].own;
		s->limbo_open = 0;
	}
	while (s->n_groups > 0 && group_passed(s, &s->group[s->group_first])) {
		uint32_t n = s->group[s->group_first].n;

		for (uint32_t i = 0; i < n; i++) {
			freeset_give(&p->set, s->limbo[s->limbo_first]);
			s->limbo_first = (s->limbo_first + 1) % p->n_total;
		}
		s->limbo_n -= n;
		s->group_first = (s->group_first + 1) % STEP_LIMBO_GROUPS;
		s->n_groups--;
	}
}

/* What a predecessor's last step published may name blocks that it gave back with the same step: to us
 * they are free. Nothing is begun until every core has consumed all that was said before. */
static bool settled(struct step *s)
{
	for (uint32_t core = 0; s->settling && core < s->link->h->n_cores; core++) {
		/* acquire: the core's reads of the blocks come before our reuse of them */
		if (atomic_load_explicit(&s->down[core].ring->tail, memory_order_acquire) !=
		    s->down[core].own)
			return false;
	}
	s->settling = false;
	return true;
}

bool step_room(struct step *s)
{
	if (!settled(s))
		return false;
	limbo_drain(s);
	for (uint32_t core = 0; core < s->link->h->n_cores; core++) {
		struct link_end *e = &s->down[core];

		/* the cached index first: the other side's line is only touched when it must be */
		if (e->mask + 1 - (e->own - e->other) < EMIT_ROOM && link_room(e) < EMIT_ROOM)
			return false;
	}
	return true;
}

static void limbo_add(struct step *s, uint32_t block)
{
	uint32_t cap = s->pool[STEP_BLOCK].n_total;

	must(s->limbo_n < cap);
	s->limbo[(s->limbo_first + s->limbo_n++) % cap] = block;
	s->limbo_open++;
}

void step_commit(struct step *s, struct link_end *done)
{
	struct link_intent *in = s->intent;

	must(s->open && s->err == 0);
	if (done != NULL) {
		uint64_t *home = (uint64_t *)&done->ring->done;

		*(uint64_t *)write_copy(s, home, sizeof(*home), LINK_WRITES_MAX, LINK_SHADOW_BYTES) =
			done->own + 1;
		must(s->err == 0);
	}
	KILL_POINT("step.ready");
	/* release: the log is whole before it counts */
	atomic_store_explicit(&in->valid, 1, memory_order_release);
	/* no later store of ours may be moved before it: a kill stops us between two instructions */
	atomic_signal_fence(memory_order_seq_cst);
	KILL_POINT("step.valid");
	intent_apply(s, false);
	if (done != NULL)
		done->own++;
	for (uint32_t i = 0; i < s->n_frees; i++) {
		enum step_table t = s->frees[i].table;

		if (t == STEP_BLOCK)
			limbo_add(s, s->frees[i].index);
		else
			freeset_give(&s->pool[t].set, s->frees[i].index);
	}
	s->open = false;
}

/* Taken records go back: their used words were only changed in the log. */
void step_abort(struct step *s)
{
	struct link_intent *in = s->intent;

	for (uint32_t i = 0; i < in->n_writes; i++) {
		for (int t = 0; t < STEP_TABLES; t++) {
			struct step_pool *p = &s->pool[t];
			uint64_t first = (uint64_t)((uint8_t *)used_word(s, t, 0) - s->link->base);
			uint64_t at = (in->write[i].off - first) / 4;
			uint32_t now = *(uint32_t *)(in->shadow + in->write[i].shadow);

			if (in->write[i].off < first || at >= p->n_total)
				continue;
			/* a take moves the generation on, also where a give followed in the same step */
			if (now >> 1 != *used_word(s, t, (uint32_t)at) >> 1)
				freeset_give(&p->set, (uint32_t)at);
		}
	}
	s->open = false;
}

uint32_t step_woken(struct step *s)
{
	uint32_t w = s->woken;

	s->woken = 0;
	return w;
}

uint32_t step_take(struct step *s, enum step_table t, uint32_t keep_percent)
{
	struct step_pool *p = &s->pool[t];
	uint32_t index, *used;

	if (p->set.n_free <= (uint64_t)p->n_total * keep_percent / 100)
		return LINK_NONE;
	index = freeset_take(&p->set);
	used = step_write(s, used_word(s, t, index), sizeof(*used));
	*used = (*used & ~1u) + 3; /* next generation, used */
	return index;
}

void step_give(struct step *s, enum step_table t, uint32_t index)
{
	uint32_t *used = step_write(s, used_word(s, t, index), sizeof(*used));

	dmust((*used & 1) == 1);
	if (s->n_frees == STEP_FREES_MAX) {
		s->err = -E_FULL;
		return;
	}
	*used &= ~1u;
	s->frees[s->n_frees].table = (uint8_t)t;
	s->frees[s->n_frees++].index = index;
}

uint32_t step_generation(struct step *s, enum step_table t, uint32_t index)
{
	return *(const uint32_t *)step_read(s, used_word(s, t, index), 4) >> 1;
}

bool step_used(struct step *s, enum step_table t, uint32_t index)
{
	return index < s->pool[t].n_total &&
	       (*(const uint32_t *)step_read(s, used_word(s, t, index), 4) & 1) == 1;
}

uint32_t step_in_use(const struct step *s, enum step_table t)
{
	return s->pool[t].n_total - s->pool[t].set.n_free - (t == STEP_BLOCK ? s->limbo_n : 0);
}

uint32_t step_store_words(struct step *s, const void *words, uint32_t n_words)
{
	uint32_t n_blocks = (n_words + LINK_BLOCK_WORDS - 1) / LINK_BLOCK_WORDS;
	uint32_t first = LINK_NONE;

	if (s->pool[STEP_BLOCK].set.n_free < n_blocks || n_blocks == 0)
		return LINK_NONE;
	/* last block first, so that each knows its next */
	for (uint32_t i = n_blocks; i-- > 0;) {
		uint32_t at = step_take(s, STEP_BLOCK, 0);
		struct link_block *b = step_home(s, STEP_BLOCK, at);

		b->next = first;
		b->words = i == n_blocks - 1 ? n_words - i * LINK_BLOCK_WORDS : LINK_BLOCK_WORDS;
		memcpy(b->word, (const uint32_t *)words + i * LINK_BLOCK_WORDS, b->words * 4);
		first = at;
	}
	return first;
}

void step_give_chain(struct step *s, uint32_t first)
{
	for (uint32_t n = 0; first != LINK_NONE && n < s->pool[STEP_BLOCK].n_total; n++) {
		const struct link_block *b = step_home(s, STEP_BLOCK, first);

		step_give(s, STEP_BLOCK, first);
		first = b->next;
	}
}

int link_load_words(const struct link *l, uint32_t shard, uint32_t first, uint32_t n_words, uint32_t *out)
{
	for (uint32_t at = 0; at < n_words;) {
		const struct link_block *b;
		uint32_t words;

		if (first >= l->h->blocks || shard >= l->h->n_shards)
			return -E_BAD_RECORD;
		b = link_at(l, LINK_S_BLOCKS, (uint64_t)shard * l->h->blocks + first);
		words = *(const volatile uint32_t *)&b->words; /* once: it may change under a bug */
		if (words == 0 || words > LINK_BLOCK_WORDS || words > n_words - at)
			return -E_BAD_RECORD;
		memcpy(out + at, b->word, words * 4);
		at += words;
		first = b->next;
	}
	return 0;
}

uint32_t *step_bucket(const struct step *s, enum link_section buckets, uint64_t hash)
{
	uint32_t n = buckets == LINK_S_TXN_BUCKETS ? s->link->h->txn_buckets
						   : s->link->h->binding_buckets;

	return link_at(s->link, buckets, (uint64_t)s->shard * n + (hash & (n - 1)));
}
