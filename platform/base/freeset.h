/* SPDX-License-Identifier: Apache-2.0 */
/* A set of free indexes 0 .. n-1 that always gives the lowest one.
 *
 * Bits in levels of 64: a set bit says "something free below". Give and take touch one word per level
 * (at most five), so both are O(1). Because the lowest is taken, what is taken next depends on nothing
 * but which are free: a set rebuilt after a crash gives the same indexes in the same order, and a
 * lightly loaded table lives in few cache lines. Memory is the caller's. Private to one thread. */
#pragma once
#include "platform/base/str.h"

#define FREESET_LEVELS 5
#define FREESET_NONE 0xffffffffu

struct freeset {
	uint64_t *level[FREESET_LEVELS]; /* [0] is one bit per index; NULL above the top */
	uint32_t n, n_free, top;
};

size_t freeset_bytes(uint32_t n);
/* All taken. borrows mem (8-aligned, freeset_bytes(n)) for the set's life. */
void freeset_init(struct freeset *f, void *mem, uint32_t n);
/* i is free now; it must not be free already. */
void freeset_give(struct freeset *f, uint32_t i);
/* 64 at once, at start: bit k of mask says that 64 * word + k is free; none of them was given before. */
void freeset_give_word(struct freeset *f, uint32_t word, uint64_t mask);
/* The lowest free index, or FREESET_NONE. */
uint32_t freeset_take(struct freeset *f);
bool freeset_has(const struct freeset *f, uint32_t i);
