/* SPDX-License-Identifier: Apache-2.0 */
/* Message slots: where a core puts a message that control must see.
 *
 * A slot is one message: contiguous octets (data) and beside them what the parser found (head). Five
 * size classes; a message takes the smallest with room for its octets and its header lines, or a
 * larger one when that is empty. Only the owning core takes and frees slots; control gets them lent
 * and asks for release. Each slot's word (generation, epoch, shard, state) is written by the owning
 * core alone; handles carry the generation, so a stale one is seen.
 * The free lists are private to the core. */
#pragma once
#include "platform/link/region.h"
#include "platform/sip/msg.h"

struct link_slot {
	uint32_t len_bytes;       /* of the message in data                */
	uint32_t pad;
	uint64_t rx_us;
	uint64_t octets_hash;     /* hash_same() of a request: is it the same again? */
	struct link_flow flow;
	uint32_t pad2;
	struct sip_msg msg;       /* its line[] is as long as the class has room for */
};

/* Handle: generation (32) | core (6) | class (3) | index (23). 0 is no slot: generations start at 1. */
static inline uint64_t slot_handle(uint32_t gen, uint32_t core, uint32_t cls, uint32_t index)
{
	return (uint64_t)gen << 32 | core << 26 | cls << 23 | index;
}
static inline uint32_t slot_gen(uint64_t h) { return (uint32_t)(h >> 32); }
static inline uint32_t slot_core(uint64_t h) { return (uint32_t)h >> 26; }
static inline uint32_t slot_class(uint64_t h) { return ((uint32_t)h >> 23) & 7; }
static inline uint32_t slot_index(uint64_t h) { return (uint32_t)h & 0x7fffff; }

/* One core's slots. */
struct slot_pool {
	const struct link *link;
	uint32_t core;
	uint32_t *free_list[CONF_CLASSES]; /* stack of indexes */
	uint32_t n_free[CONF_CLASSES];
	uint32_t sweep;        /* next to look at after LINK_DOWN_ADOPTED; counts all classes together */
	uint16_t sweep_epoch;  /* of the control whose marks count */
	bool sweeping;
};

/* ret 0 · -ENOMEM. At start only. */
int slot_pool_init(struct slot_pool *p, const struct link *l, uint32_t core);
void slot_pool_fini(struct slot_pool *p);
/* A slot for len octets and `lines` header lines. keep: how many percent of each class stay for those
 * who pass 0 (in-dialog work). ret handle · 0: none free */
uint64_t slot_take(struct slot_pool *p, uint32_t len_bytes, uint32_t lines, uint32_t keep_percent);
/* core -> shard: from now on the shard may read. */
void slot_lend(struct slot_pool *p, uint64_t h, uint32_t shard, uint32_t epoch);
/* ret 0 · -E_STALE (not a slot in use of this generation): counted by the caller */
int slot_free(struct slot_pool *p, uint64_t h);
/* Whether h names a live slot that is lent to this shard: checked for every record of control's. */
bool slot_is_lent(const struct slot_pool *p, uint64_t h, uint32_t shard);
/* Start, and go on with, taking back what a dead control process held: slots lent before `epoch` that
 * the control of that epoch did not mark. That control may itself be dead by now: what it knew to be
 * free is free, and what was lent under its epoch or later is not touched. At most `max` slots a call.
 * ret slots freed */
void slot_sweep_begin(struct slot_pool *p, uint32_t epoch);
uint32_t slot_sweep(struct slot_pool *p, uint32_t max);
uint32_t slot_in_use(const struct slot_pool *p); /* slots not free */
uint32_t slot_total(const struct slot_pool *p);

/* Head and data by handle; any process. NULL when the handle's core, class or index do not exist. */
struct link_slot *slot_head(const struct link *l, uint64_t h);
char *slot_data(const struct link *l, uint64_t h);
/* Index of a slot in the dense sections (words, held). Handle must be well formed. */
uint64_t slot_place(const struct link *l, uint64_t h);
/* Successor of control: this slot is held by an adopted transaction or a waiting record. */
void slot_mark_held(const struct link *l, uint64_t h, uint32_t epoch);
