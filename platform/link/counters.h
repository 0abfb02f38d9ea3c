/* SPDX-License-Identifier: Apache-2.0 */
/* Counters: one block of uint64_t per core and per shard, one writer each; readers sum the blocks.
 * Rows, layers and texts come from counters.def and nowhere else. */
#pragma once
#include "platform/base/str.h"

enum counter {
#define C(id, layer, text) id,
#define D(id, layer, text) id,
#define G(id, layer, text) id,
#include "platform/link/counters.def"
#undef C
#undef D
#undef G
	COUNTERS
};
enum counter_kind { COUNTER_EVENT, COUNTER_DROP, COUNTER_LEVEL };
struct counter_info {
	const char *name, *layer, *text;
	enum counter_kind kind;
};
extern const struct counter_info counter_info[COUNTERS];

/* One writer: a plain relaxed load and store, no locked instruction. The relaxed store pairs with the
 * relaxed load of counter_read(): a reader may see an old value, never a torn one. */
static inline void count_add(uint64_t *block, enum counter id, uint64_t n)
{
	__atomic_store_n(&block[id], block[id] + n, __ATOMIC_RELAXED);
}
static inline void count(uint64_t *block, enum counter id)
{
	count_add(block, id, 1);
}
static inline void count_sub(uint64_t *block, enum counter id, uint64_t n)
{
	__atomic_store_n(&block[id], block[id] - n, __ATOMIC_RELAXED);
}
static inline uint64_t counter_read(const uint64_t *block, enum counter id)
{
	return __atomic_load_n(&block[id], __ATOMIC_RELAXED);
}
/* By name, or -1. */
int counter_find(struct str name);
