/* SPDX-License-Identifier: Apache-2.0 */
/* The lexer's bitmaps in plain C, eight octets at a time in one word.
 *
 * An octet is zero exactly where adding 0x7f to its low seven bits, or-ed with the octet, leaves
 * the top bit clear; no carry crosses octets, so the answer is exact for each of them. Comparing
 * with another octet is the same after an exclusive or. One multiplication gathers the eight top
 * bits. */
#include "platform/sip/lex_form.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "bit i stands for octet i");

#define ONES 0x0101010101010101u
#define LOW7 (0x7f * ONES)

/* 0x80 in each octet of x that is zero. */
static inline uint64_t zeros(uint64_t x)
{
	return ~(((x & LOW7) + LOW7) | x | LOW7);
}

/* Bit i from the top bit of octet i: octet i moves to bit 56 + i, nothing else gets above 55. */
static inline uint64_t gather(uint64_t tops)
{
	return ((tops >> 7) * 0x0102040810204080u) >> 56;
}

static void plain_map(const char *p, uint32_t from, uint32_t to, uint64_t *stop, uint64_t *colon)
{
	for (uint32_t i = from; i < to; i += 8) {
		uint32_t n = to - i < 8 ? to - i : 8, bit = (i - from) & 63, word = (i - from) >> 6;
		uint64_t x = 0x2020202020202020u;

		if (n == 8)
			memcpy(&x, p + i, 8);
		else
			memcpy(&x, p + i, n);
		if (bit == 0)
			stop[word] = colon[word] = 0;
		stop[word] |= gather(zeros(x) | zeros(x ^ '\n' * ONES) | zeros(x ^ '\r' * ONES))
			      << bit;
		colon[word] |= gather(zeros(x ^ ':' * ONES)) << bit;
	}
}

const struct lex_form lex_form_plain = {"plain", plain_map};
