/* SPDX-License-Identifier: Apache-2.0 */
/* Levelled bit set of free indexes. */
#include "platform/base/freeset.h"

#include "platform/base/err.h"

static uint32_t words_of(uint32_t n)
{
	return n / 64 + (n % 64 != 0);
}

size_t freeset_bytes(uint32_t n)
{
	size_t words = 0;

	do {
		n = words_of(n);
		words += n ? n : 1;
	} while (n > 1);
	return words * sizeof(uint64_t);
}

void freeset_init(struct freeset *f, void *mem, uint32_t n)
{
	uint64_t *at = mem;
	uint32_t words = n;

	memset(mem, 0, freeset_bytes(n));
	*f = (struct freeset){ .n = n };
	for (uint32_t l = 0; l < FREESET_LEVELS; l++) {
		words = words_of(words);
		f->level[l] = at;
		f->top = l;
		at += words ? words : 1;
		if (words <= 1)
			return;
	}
	must(words <= 1); /* 64^5 indexes: more than 32 bits can name */
}

void freeset_give(struct freeset *f, uint32_t i)
{
	dmust(i < f->n && !freeset_has(f, i));
	f->n_free++;
	for (uint32_t l = 0; l <= f->top; l++, i /= 64) {
		uint64_t *word = &f->level[l][i / 64], before = *word;

		*word |= 1ull << (i % 64);
		if (before != 0)
			return; /* above, it is known already that something is free here */
	}
}

void freeset_give_word(struct freeset *f, uint32_t word, uint64_t mask)
{
	uint32_t i = word;

	if (mask == 0)
		return;
	dmust(f->level[0][word] == 0 && word < words_of(f->n));
	f->level[0][word] = mask;
	f->n_free += (uint32_t)__builtin_popcountll(mask);
	for (uint32_t l = 1; l <= f->top; l++, i /= 64)
		f->level[l][i / 64] |= 1ull << (i % 64);
}

uint32_t freeset_take(struct freeset *f)
{
	uint32_t i = 0, l;

	if (f->n_free == 0)
		return FREESET_NONE;
	for (l = f->top + 1; l-- > 0;)
		i = i * 64 + (uint32_t)__builtin_ctzll(f->level[l][i]);
	f->n_free--;
	for (uint32_t at = i, k = 0; k <= f->top; k++, at /= 64) {
		uint64_t *word = &f->level[k][at / 64];

		*word &= ~(1ull << (at % 64));
		if (*word != 0)
			break;
	}
	return i;
}

bool freeset_has(const struct freeset *f, uint32_t i)
{
	return i < f->n && (f->level[0][i / 64] >> (i % 64) & 1) != 0;
}
