/* SPDX-License-Identifier: Apache-2.0 */
/* Keyed hash for keys that a stranger may choose: SipHash-2-4, 64 and 128 bits out
 * (Aumasson, Bernstein 2012). The key is secret and made at start; both processes read it from the
 * link region, so that a hash means the same to both. Pure; runs anywhere; no alignment needed. */
#pragma once
#include "platform/base/str.h"

struct hash_key {
	uint64_t k[2];
};
struct hash128 {
	uint64_t lo, hi;
};

uint64_t hash_bytes(const struct hash_key *key, const void *p, size_t len_bytes);
struct hash128 hash128_bytes(const struct hash_key *key, const void *p, size_t len_bytes);

/* Fast and not for hostile keys: is this the same run of octets as before? A stranger who knows the seed
 * could make two messages with one value, so nothing may depend on them being told apart but what
 * the stranger itself gets to see. About a third of a cycle per octet. */
uint64_t hash_same(const void *p, size_t len_bytes, uint64_t seed);

/* The same in pieces. hash_field() adds the bytes and then their length, so that ("ab","c") and
 * ("a","bc") differ; hash_fold() is hash_field() of the bytes in ASCII lower case. */
struct hash_state {
	uint64_t v[4];
	uint64_t tail;      /* bytes not yet mixed            */
	uint64_t len_bytes; /* all bytes so far               */
	bool wide;          /* 128-bit result was asked for   */
};
void hash_begin(struct hash_state *h, const struct hash_key *key, bool wide);
void hash_add(struct hash_state *h, const void *p, size_t len_bytes);
void hash_field(struct hash_state *h, struct str s);
void hash_fold(struct hash_state *h, struct str s);
uint64_t hash_end64(struct hash_state *h);
struct hash128 hash_end128(struct hash_state *h);
