/* SPDX-License-Identifier: Apache-2.0 */
/* The lexer's bitmaps with AVX2, 32 octets a step.
 *
 * CR, LF and NUL have different low halves, so one shuffle by the low half yields the only octet
 * of the three that could stand there, and one compare says whether it does. (The shuffle gives 0
 * for octets above 127, which is not equal to them.) The tail is read together with octets before
 * it, or from a copy where there are none. Compiled with -mavx2. */
#include "platform/sip/lex_form.h"
#include <immintrin.h>

extern const struct lex_form lex_form_avx2;

static inline void map32(const void *at, uint64_t *stop, uint64_t *colon)
{
	const __m256i only = _mm256_setr_epi8(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '\n', 0, 0, '\r', 0, 0,
					      0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '\n', 0, 0, '\r', 0, 0);
	__m256i x = _mm256_loadu_si256(at);
	__m256i s = _mm256_cmpeq_epi8(_mm256_shuffle_epi8(only, x), x);
	__m256i c = _mm256_cmpeq_epi8(x, _mm256_set1_epi8(':'));

	*stop = (uint32_t)_mm256_movemask_epi8(s);
	*colon = (uint32_t)_mm256_movemask_epi8(c);
}

/* The n octets (1..31) before p[to]. */
static void map_tail(const char *p, uint32_t to, uint32_t n, uint64_t *stop, uint64_t *colon)
{
	if (to >= 32) {
		map32(p + to - 32, stop, colon);
		*stop >>= 32 - n;
		*colon >>= 32 - n;
	} else {
		char copy[32];

		memset(copy, ' ', sizeof(copy));
		memcpy(copy, p + to - n, n);
		map32(copy, stop, colon);
	}
}

static void avx2_map(const char *p, uint32_t from, uint32_t to, uint64_t *stop, uint64_t *colon)
{
	uint64_t s_high, c_high;
	uint32_t n = to - from;
	const char *at = p + from;

	for (; n >= 64; n -= 64, at += 64, stop++, colon++) {
		map32(at, stop, colon);
		map32(at + 32, &s_high, &c_high);
		*stop |= s_high << 32;
		*colon |= c_high << 32;
	}
	if (n == 0)
		return;
	if (n < 32) {
		map_tail(p, to, n, stop, colon);
		return;
	}
	map32(at, stop, colon);
	if (n > 32) {
		map_tail(p, to, n - 32, &s_high, &c_high);
		*stop |= s_high << 32;
		*colon |= c_high << 32;
	}
}

const struct lex_form lex_form_avx2 = {"avx2", avx2_map};
