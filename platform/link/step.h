/* SPDX-License-Identifier: Apache-2.0 */
/* Steps: how a shard changes shared state so that it may be killed at any instant.
 *
 * One message, timer or event is one step. A step reads records through step_read(), changes copies of
 * them got by step_write(), and reserves outgoing ring records by step_emit(). Nothing of that is
 * visible until step_commit(), which
 *   1. marks the intent valid (one store; the intent in the region is a redo log),
 *   2. publishes the outgoing records (one store per ring),
 *   3. copies the changed records home - among them the `done` index of the ring that the message
 *      came from -,
 *   4. marks the intent invalid.
 * Killed before 1, nothing has happened and the message is handled anew by the successor. Killed after
 * it, step_recover() does 2 and 3 again: rings whose head has moved are skipped, and copying home
 * twice is copying home once. So every message takes effect exactly once, and what is sent over both
 * lives is what one life would have sent.
 *
 * Fresh edit blocks are filled in place before the commit: nobody can reach them until then.
 * Private to one shard's thread. No allocation. */
#pragma once
#include "platform/base/freeset.h"
#include "platform/link/kill.h"
#include "platform/link/region.h"
#include "platform/link/ring.h"

#define STEP_FREES_MAX 256
enum step_table { STEP_TXN, STEP_BRANCH, STEP_BINDING, STEP_BLOCK, STEP_TABLES };

/* A table of one shard: records and used words in the region; the set of free ones is
 * private, and gives the lowest: a successor goes on with the same indexes. */
struct step_pool {
	struct freeset set;
	void *mem;
	uint32_t n_total;
	uint32_t base;           /* of this shard's part in the section */
};
/* Freed blocks wait until no published record can name them: they gather in the open group; closing
 * it notes each down ring's head, and once every core has consumed up to there they are free. */
#define STEP_LIMBO_GROUPS 64
struct step_limbo_group {
	uint32_t n;                      /* blocks of this group      */
	uint64_t head[LINK_CORES_MAX];
};
struct step {
	const struct link *link;
	struct link_intent *intent;
	uint32_t shard;
	bool open;
	bool settling;                 /* records of a finished intent may name blocks that are free now */
	int err;                       /* first failure inside this step: step_commit() refuses */
	struct link_end down[LINK_CORES_MAX];
	struct link_end mesh[LINK_SHARDS_MAX]; /* to other shards */
	struct step_pool pool[STEP_TABLES];
	uint32_t n_frees;
	struct { uint8_t table; uint32_t index; } frees[STEP_FREES_MAX];
	uint32_t *limbo;               /* FIFO of freed blocks, as many as there are blocks     */
	uint32_t limbo_first, limbo_n, limbo_open; /* of them, limbo_open in the open group      */
	struct step_limbo_group group[STEP_LIMBO_GROUPS];
	uint32_t group_first, n_groups; /* closed ones */
	uint32_t woken;                /* bit per core: records were published since step_wake() */
};

/* At start of a control process: finishes a valid intent of the predecessor, then rebuilds the free
 * lists from the used words. Blocks until cores have consumed the down rings is the caller's job.
 * ret 0 · 1 an intent was finished · -ENOMEM */
int step_init(struct step *s, const struct link *l, uint32_t shard);
void step_fini(struct step *s);

void step_begin(struct step *s);
/* A copy to change, of len octets at `home` in the region; the same home gives the same copy. Never
 * NULL: when the log is full (a bug: named bounds are sized for the largest step) s->err is set and
 * the result is a scrap buffer. */
void *step_write(struct step *s, void *home, uint32_t len);
/* What the record will be: the copy where this step has one, else home itself. */
const void *step_read(struct step *s, const void *home, uint32_t len);
/* An outgoing record on the down ring of a core, zeroed. Room was checked by step_room(). */
struct link_record *step_emit(struct step *s, uint32_t core);
/* Whether every down ring has room for the most that one step can emit, and the tables' limbo too.
 * No step may begin without. */
bool step_room(struct step *s);
/* done: the ring end that the message came from is moved on by one as part of the step; NULL where a
 * timer or call was the cause. */
void step_commit(struct step *s, struct link_end *done);
/* Forget the step: allowed while nothing irreversible was done; taken records are given back. */
void step_abort(struct step *s);
/* Doorbells are the caller's: which cores got records since the last call (bit per core). */
uint32_t step_woken(struct step *s);

/* Tables. Index is within the shard's part. ret LINK_NONE when empty (counted by the caller).
 * keep_percent of the records stay for those who pass 0. The record's old content is left. */
uint32_t step_take(struct step *s, enum step_table t, uint32_t keep_percent);
/* Freed with the commit; blocks go through limbo first. */
void step_give(struct step *s, enum step_table t, uint32_t index);
uint32_t step_generation(struct step *s, enum step_table t, uint32_t index);
bool step_used(struct step *s, enum step_table t, uint32_t index);
void *step_home(const struct step *s, enum step_table t, uint32_t index);
uint32_t step_in_use(const struct step *s, enum step_table t);

static inline struct link_txn *step_txn(struct step *s, uint32_t i)
{
	return step_write(s, step_home(s, STEP_TXN, i), sizeof(struct link_txn));
}
static inline const struct link_txn *step_txn_read(struct step *s, uint32_t i)
{
	return step_read(s, step_home(s, STEP_TXN, i), sizeof(struct link_txn));
}
static inline struct link_branch *step_branch(struct step *s, uint32_t i)
{
	return step_write(s, step_home(s, STEP_BRANCH, i), sizeof(struct link_branch));
}
static inline const struct link_branch *step_branch_read(struct step *s, uint32_t i)
{
	return step_read(s, step_home(s, STEP_BRANCH, i), sizeof(struct link_branch));
}
static inline struct link_binding *step_binding(struct step *s, uint32_t i)
{
	return step_write(s, step_home(s, STEP_BINDING, i), sizeof(struct link_binding));
}
static inline const struct link_binding *step_binding_read(struct step *s, uint32_t i)
{
	return step_read(s, step_home(s, STEP_BINDING, i), sizeof(struct link_binding));
}

/* Programs in block chains. ret first block · LINK_NONE (no blocks: s unchanged, counted) */
uint32_t step_store_words(struct step *s, const void *words, uint32_t n_words);
/* Give a chain back (with the commit, through limbo). LINK_NONE is fine. */
void step_give_chain(struct step *s, uint32_t first);
/* Copy a chain out. Any process; every link is checked.
 * ret 0 · -E_BAD_RECORD (n_words do not lie in the chain) */
int link_load_words(const struct link *l, uint32_t shard, uint32_t first, uint32_t n_words, uint32_t *out);

/* Bucket chains: heads are LINK_NONE or an index; one store each links or unlinks. */
uint32_t *step_bucket(const struct step *s, enum link_section buckets, uint64_t hash);
