/* SPDX-License-Identifier: Apache-2.0 */
/* Message slots of one core: private free stacks over words and payload in the region. */
#include "platform/link/slot.h"

#include <errno.h>
#include <stdlib.h>

#define WORD(gen, epoch, shard, state) \
	((uint64_t)(gen) << 32 | (uint64_t)(uint16_t)(epoch) << 16 | (uint64_t)(shard) << 8 | (state))

const uint32_t link_record_sizes[6] = {
	sizeof(struct link_txn), sizeof(struct link_branch), sizeof(struct link_binding),
	sizeof(struct link_block), sizeof(struct link_intent), sizeof(struct conf),
};

uint32_t link_slot_head_bytes(uint32_t lines)
{
	size_t n = offsetof(struct link_slot, msg) + offsetof(struct sip_msg, line) +
		   lines * sizeof(struct sip_line);

	return (uint32_t)((n + 63) / 64 * 64);
}

static uint32_t class_base(const struct link_header *h, uint32_t cls)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < cls; i++)
		n += h->class[i].count;
	return n;
}

uint32_t slot_total(const struct slot_pool *p)
{
	return class_base(p->link->h, CONF_CLASSES);
}

uint64_t slot_place(const struct link *l, uint64_t h)
{
	return (uint64_t)slot_core(h) * class_base(l->h, CONF_CLASSES) + class_base(l->h, slot_class(h)) +
	       slot_index(h);
}

static bool handle_ok(const struct link *l, uint64_t h)
{
	return slot_core(h) < l->h->n_cores && slot_class(h) < CONF_CLASSES &&
	       slot_index(h) < l->h->class[slot_class(h)].count;
}

static _Atomic uint64_t *slot_word(const struct link *l, uint64_t h)
{
	return link_at(l, LINK_S_SLOT_WORDS, slot_place(l, h));
}

struct link_slot *slot_head(const struct link *l, uint64_t h)
{
	uint32_t cls = slot_class(h);

	if (!handle_ok(l, h))
		return NULL;
	return link_at(l, LINK_S_SLOT_HEADS0 + cls,
		       (uint64_t)slot_core(h) * l->h->class[cls].count + slot_index(h));
}

char *slot_data(const struct link *l, uint64_t h)
{
	uint32_t cls = slot_class(h);

	if (!handle_ok(l, h))
		return NULL;
	return link_at(l, LINK_S_SLOT_DATA0 + cls,
		       (uint64_t)slot_core(h) * l->h->class[cls].count + slot_index(h));
}

int slot_pool_init(struct slot_pool *p, const struct link *l, uint32_t core)
{
	*p = (struct slot_pool){ .link = l, .core = core };
	for (uint32_t c = 0; c < CONF_CLASSES; c++) {
		uint32_t n = l->h->class[c].count;

		p->free_list[c] = malloc((n ? n : 1) * sizeof(uint32_t));
		if (p->free_list[c] == NULL) {
			slot_pool_fini(p);
			return -ENOMEM;
		}
		/* lowest index on top: a lightly loaded core stays in few cache lines */
		for (uint32_t i = 0; i < n; i++)
			p->free_list[c][i] = n - 1 - i;
		p->n_free[c] = n;
	}
	return 0;
}

void slot_pool_fini(struct slot_pool *p)
{
	for (uint32_t c = 0; c < CONF_CLASSES; c++)
		free(p->free_list[c]);
	*p = (struct slot_pool){ 0 };
}

uint64_t slot_take(struct slot_pool *p, uint32_t len_bytes, uint32_t lines, uint32_t keep_percent)
{
	const struct link_header *h = p->link->h;

	for (uint32_t c = 0; c < CONF_CLASSES; c++) {
		const struct link_slot_class *k = &h->class[c];
		_Atomic uint64_t *word;
		uint64_t handle, old;

		if (len_bytes > k->payload_bytes || lines > k->lines)
			continue;
		if (p->n_free[c] <= (uint64_t)k->count * keep_percent / 100)
			continue;
		handle = slot_handle(0, p->core, c, p->free_list[c][--p->n_free[c]]);
		word = slot_word(p->link, handle);
		old = atomic_load_explicit(word, memory_order_relaxed);
		handle |= (uint64_t)((uint32_t)(old >> 32) + 1 ? (uint32_t)(old >> 32) + 1 : 1) << 32;
		/* relaxed: only this core reads words for decisions; others learn of the slot from
		 * a ring record, whose release orders this store */
		atomic_store_explicit(word, WORD(slot_gen(handle), 0, 0, SLOT_CORE), memory_order_relaxed);
		return handle;
	}
	return 0;
}

void slot_lend(struct slot_pool *p, uint64_t h, uint32_t shard, uint32_t epoch)
{
	atomic_store_explicit(slot_word(p->link, h), WORD(slot_gen(h), epoch, shard, SLOT_LENT),
			      memory_order_relaxed);
}

static uint64_t word_of(const struct slot_pool *p, uint64_t h)
{
	if (slot_core(h) != p->core || !handle_ok(p->link, h))
		return 0;
	return atomic_load_explicit(slot_word(p->link, h), memory_order_relaxed);
}

int slot_free(struct slot_pool *p, uint64_t h)
{
	uint64_t w = word_of(p, h);
	uint32_t c = slot_class(h);

	if (slot_gen(h) == 0 || (uint32_t)(w >> 32) != slot_gen(h) || (w & 0xff) == SLOT_FREE)
		return -E_STALE;
	atomic_store_explicit(slot_word(p->link, h), WORD(slot_gen(h), 0, 0, SLOT_FREE),
			      memory_order_relaxed);
	p->free_list[c][p->n_free[c]++] = slot_index(h);
	return 0;
}

bool slot_is_lent(const struct slot_pool *p, uint64_t h, uint32_t shard)
{
	uint64_t w = word_of(p, h);

	return slot_gen(h) != 0 && (uint32_t)(w >> 32) == slot_gen(h) && (w & 0xff) == SLOT_LENT &&
	       ((w >> 8) & 0xff) == shard;
}

uint32_t slot_in_use(const struct slot_pool *p)
{
	uint32_t n = slot_total(p);

	for (uint32_t c = 0; c < CONF_CLASSES; c++)
		n -= p->n_free[c];
	return n;
}

void slot_mark_held(const struct link *l, uint64_t h, uint32_t epoch)
{
	if (slot_gen(h) != 0 && handle_ok(l, h))
		*(uint16_t *)link_at(l, LINK_S_SLOT_HELD, slot_place(l, h)) = (uint16_t)epoch;
}

void slot_sweep_begin(struct slot_pool *p, uint32_t epoch)
{
	p->sweep = 0;
	p->sweep_epoch = (uint16_t)epoch;
	p->sweeping = true;
}

uint32_t slot_sweep(struct slot_pool *p, uint32_t max)
{
	const struct link *l = p->link;
	uint32_t total = slot_total(p), freed = 0;
	for (; p->sweeping && max > 0; max--, p->sweep++) {
		uint32_t at = p->sweep, c = 0;
		uint64_t place = (uint64_t)p->core * total + at, w;

		if (at >= total) {
			p->sweeping = false;
			break;
		}
		w = atomic_load_explicit((_Atomic uint64_t *)link_at(l, LINK_S_SLOT_WORDS, place),
					 memory_order_relaxed);
		/* older in the sense of a counter that may have gone round */
		if ((w & 0xff) != SLOT_LENT || (int16_t)((uint16_t)(w >> 16) - p->sweep_epoch) >= 0 ||
		    *(uint16_t *)link_at(l, LINK_S_SLOT_HELD, place) == p->sweep_epoch)
			continue;
		while (at >= l->h->class[c].count)
			at -= l->h->class[c++].count;
		if (slot_free(p, slot_handle((uint32_t)(w >> 32), p->core, c, at)) == 0)
			freed++;
	}
	return freed;
}
