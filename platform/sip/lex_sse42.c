/* SPDX-License-Identifier: Apache-2.0 */
/* The lexer's bitmaps with SSE, 16 octets a step; the shuffle is that of lex_avx2.c. The text
 * compare instructions of SSE 4.2 are slower than this shuffle and compare on every CPU that has
 * both; the form bears the name of the level that all 64-bit servers of the last decade have.
 * Compiled with -msse4.2. */
#include "platform/sip/lex_form.h"
#include <immintrin.h>

extern const struct lex_form lex_form_sse42;

static inline void map16(const void *at, uint64_t *stop, uint64_t *colon)
{
	const __m128i only = _mm_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '\n', 0, 0, '\r', 0, 0);
	__m128i x = _mm_loadu_si128(at);
	__m128i s = _mm_cmpeq_epi8(_mm_shuffle_epi8(only, x), x);
	__m128i c = _mm_cmpeq_epi8(x, _mm_set1_epi8(':'));

	*stop = (uint32_t)_mm_movemask_epi8(s);
	*colon = (uint32_t)_mm_movemask_epi8(c);
}

/* The n octets (1..15) before p[to]. */
static void map_tail(const char *p, uint32_t to, uint32_t n, uint64_t *stop, uint64_t *colon)
{
	if (to >= 16) {
		map16(p + to - 16, stop, colon);
		*stop >>= 16 - n;
		*colon >>= 16 - n;
	} else {
		char copy[16];

		memset(copy, ' ', sizeof(copy));
		memcpy(copy, p + to - n, n);
		map16(copy, stop, colon);
	}
}

static void sse42_map(const char *p, uint32_t from, uint32_t to, uint64_t *stop, uint64_t *colon)
{
	for (uint32_t i = from; i < to; i += 16) {
		uint32_t bit = (i - from) & 63, word = (i - from) >> 6;
		uint64_t s, c;

		if (to - i >= 16)
			map16(p + i, &s, &c);
		else
			map_tail(p, to, to - i, &s, &c);
		if (bit == 0)
			stop[word] = colon[word] = 0;
		stop[word] |= s << bit;
		colon[word] |= c << bit;
	}
}

const struct lex_form lex_form_sse42 = {"sse4.2", sse42_map};
