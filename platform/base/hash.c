/* SPDX-License-Identifier: Apache-2.0 */
/* SipHash-2-4 over pieces.
 *
 * The state is the four words of the paper plus at most seven bytes that do not fill a word yet,
 * held in `tail` at the place they will have in that word; how many they are follows from
 * len_bytes. A hash of pieces therefore equals the hash of their concatenation, and the one-shot
 * functions are the piecewise ones called once. Words are read little-endian by memcpy, so neither
 * alignment nor the order of the host shows in the result.
 *
 * The 128-bit form differs by three constants and a second squeeze; it is a hash of its own, its
 * low word is not the 64-bit result. */
#include "platform/base/hash.h"

#include <endian.h>

#include "platform/base/err.h"

#define WIDE_BEGIN 0xee /* into v1 at the start, v2 at the end */
#define WIDE_SECOND 0xdd
#define NARROW_END 0xff
#define FOLD_BYTES 64 /* folded at a time: one pass a compiler can widen */

static uint64_t rotl(uint64_t x, int by)
{
	return x << by | x >> (64 - by);
}

static uint64_t load_le64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

static void rounds(uint64_t v[4], int n)
{
	for (int i = 0; i < n; i++) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotl(v[1], 13) ^ v[0];
		v[3] = rotl(v[3], 16) ^ v[2];
		v[0] = rotl(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotl(v[1], 17) ^ v[2];
		v[3] = rotl(v[3], 21) ^ v[0];
		v[2] = rotl(v[2], 32);
	}
}

static void mix(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	rounds(v, 2);
	v[0] ^= word;
}

static uint64_t squeeze(uint64_t v[4])
{
	rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t hash_bytes(const struct hash_key *key, const void *p, size_t len_bytes)
{
	struct hash_state h;

	hash_begin(&h, key, false);
	hash_add(&h, p, len_bytes);
	return hash_end64(&h);
}

struct hash128 hash128_bytes(const struct hash_key *key, const void *p, size_t len_bytes)
{
	struct hash_state h;

	hash_begin(&h, key, true);
	hash_add(&h, p, len_bytes);
	return hash_end128(&h);
}

void hash_begin(struct hash_state *h, const struct hash_key *key, bool wide)
{
	*h = (struct hash_state){ .wide = wide };
	h->v[0] = key->k[0] ^ 0x736f6d6570736575;
	h->v[1] = key->k[1] ^ 0x646f72616e646f6d;
	h->v[2] = key->k[0] ^ 0x6c7967656e657261;
	h->v[3] = key->k[1] ^ 0x7465646279746573;
	if (wide)
		h->v[1] ^= WIDE_BEGIN;
}

void hash_add(struct hash_state *h, const void *p, size_t len_bytes)
{
	const uint8_t *at = p;
	unsigned held = h->len_bytes & 7;

	h->len_bytes += len_bytes;
	for (; held != 0 && len_bytes > 0; len_bytes--) {
		h->tail |= (uint64_t)*at++ << (8 * held);
		held = (held + 1) & 7;
		if (held == 0) {
			mix(h->v, h->tail);
			h->tail = 0;
		}
	}
	for (; len_bytes >= 8; len_bytes -= 8, at += 8)
		mix(h->v, load_le64(at));
	for (; len_bytes > 0; len_bytes--)
		h->tail |= (uint64_t)*at++ << (8 * held++);
}

/* The length behind the bytes: no two lists of fields give the same octets. */
static void add_len(struct hash_state *h, uint32_t len)
{
	uint32_t wire = htole32(len);

	hash_add(h, &wire, sizeof(wire));
}

void hash_field(struct hash_state *h, struct str s)
{
	hash_add(h, s.s, s.len);
	add_len(h, s.len);
}

void hash_fold(struct hash_state *h, struct str s)
{
	char folded[FOLD_BYTES];

	for (uint32_t from = 0; from < s.len; from += FOLD_BYTES) {
		struct str part = str_sub(s, from, FOLD_BYTES);

		for (uint32_t i = 0; i < part.len; i++)
			folded[i] = ascii_lower(part.s[i]);
		hash_add(h, folded, part.len);
		if (part.len < FOLD_BYTES)
			break;
	}
	add_len(h, s.len);
}

/* The last word: what was left over, and the length modulo 256 on top. */
static void mix_last(struct hash_state *h)
{
	mix(h->v, h->len_bytes << 56 | h->tail);
}

uint64_t hash_end64(struct hash_state *h)
{
	dmust(!h->wide);
	mix_last(h);
	h->v[2] ^= NARROW_END;
	return squeeze(h->v);
}

struct hash128 hash_end128(struct hash_state *h)
{
	struct hash128 out;

	dmust(h->wide);
	mix_last(h);
	h->v[2] ^= WIDE_BEGIN;
	out.lo = squeeze(h->v);
	h->v[1] ^= WIDE_SECOND;
	out.hi = squeeze(h->v);
	return out;
}

/* Multiply-and-fold over 16 octets at a time: every octet and the length reach every bit of the result. */
static uint64_t fold(uint64_t a, uint64_t b)
{
	__uint128_t m = (__uint128_t)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static uint64_t word_at(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

uint64_t hash_same(const void *bytes, size_t len_bytes, uint64_t seed)
{
	static const uint64_t odd[2] = { 0x9e3779b97f4a7c15ull, 0xd6e8feb86659fd93ull };
	const uint8_t *p = bytes;
	uint8_t tail[16] = { 0 };
	uint64_t h = seed ^ odd[0];
	size_t left = len_bytes;

	for (; left >= 16; left -= 16, p += 16)
		h = fold(word_at(p) ^ odd[1], word_at(p + 8) ^ h);
	if (left > 0)
		memcpy(tail, p, left);
	h = fold(word_at(tail) ^ odd[1], word_at(tail + 8) ^ h);
	return fold(h ^ len_bytes, odd[0]);
}
