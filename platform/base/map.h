/* SPDX-License-Identifier: Apache-2.0 */
/* Fixed-capacity open-addressing map: 64-bit ready hash -> 32-bit value.
 *
 * The caller hashes (hash.h where the key is a stranger's) and compares: a look-up walks the values
 * stored under one hash, the caller checks the real key. Linear probing with backward-shift removal,
 * so that no tombstones gather over months. Memory is the caller's, taken once; never grows. Private
 * to one thread. Load is at most 7/8: above it map_add() says -E_FULL. */
#pragma once
#include "platform/base/str.h"

struct map_entry {
	uint64_t hash;  /* 0 is kept for "empty": a real 0 is stored as 1 */
	uint32_t value;
	uint32_t pad;
};
struct map {
	struct map_entry *entry; /* 1 << bits of them   */
	uint32_t bits, used, limit;
};

/* Bytes that a map for n values needs. */
size_t map_bytes(uint32_t n);
/* borrows mem for the map's life; mem is map_bytes(n) long, 8-aligned. */
void map_init(struct map *m, void *mem, uint32_t n);
/* Several values may stand under one hash. ret 0 · -E_FULL */
int map_add(struct map *m, uint64_t hash, uint32_t value);
/* Removes that pair. ret 0 · -E_NOT_FOUND */
int map_remove(struct map *m, uint64_t hash, uint32_t value);
/* Walk the values under hash: start with *it = 0, call until it returns false. The map may not
 * change in between. */
bool map_next(const struct map *m, uint64_t hash, uint32_t *it, uint32_t *value);
