/* SPDX-License-Identifier: Apache-2.0 */
/* The Internet checksum (RFC 1071), eight octets at a time.
 *
 * The one's complement sum does not care for byte order as long as all of it is done in one
 * (RFC 1071 §2(B)), so words are added as they lie in memory and the result is stored as it lies in
 * memory. Numbers that are not in a packet (pseudo header length and protocol) come in through
 * csum_be16(). An odd tail must be the last piece that is added. Pure; runs anywhere. */
#pragma once
#include "platform/base/ip.h"

static inline uint64_t csum_word(uint64_t sum, uint64_t w)
{
	sum += w;
	return sum + (sum < w);
}

static inline uint64_t csum_add(uint64_t sum, const void *p, uint32_t len_bytes)
{
	const uint8_t *at = p;
	uint64_t w[4];

	for (; len_bytes >= 32; at += 32, len_bytes -= 32) {
		memcpy(w, at, 32);
		sum = csum_word(sum, w[0]);
		sum = csum_word(sum, w[1]);
		sum = csum_word(sum, w[2]);
		sum = csum_word(sum, w[3]);
	}
	for (; len_bytes >= 8; at += 8, len_bytes -= 8) {
		memcpy(w, at, 8);
		sum = csum_word(sum, w[0]);
	}
	if (len_bytes > 0) {
		w[0] = 0;
		memcpy(w, at, len_bytes);
		sum = csum_word(sum, w[0]);
	}
	return sum;
}

static inline uint64_t csum_be16(uint64_t sum, uint16_t v)
{
	be16 wire = be16_of(v);
	uint16_t lies;

	memcpy(&lies, &wire, 2);
	return csum_word(sum, lies);
}

/* To 16 bits, not inverted; 0xffff over a stretch that holds its own checksum means "good". */
static inline uint16_t csum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/* Pseudo header of RFC 768 and RFC 8200 §8.1; one is as good as the other as a sum. */
static inline uint64_t csum_pseudo(const struct ip *a, const struct ip *b, uint8_t proto,
				   uint32_t len)
{
	uint64_t sum = 0;

	if (ip_is4(a)) {
		sum = csum_add(sum, a->b + 12, 4);
		sum = csum_add(sum, b->b + 12, 4);
	} else {
		sum = csum_add(sum, a->b, 16);
		sum = csum_add(sum, b->b, 16);
	}
	sum = csum_be16(sum, proto);
	sum = csum_be16(sum, (uint16_t)(len >> 16));
	return csum_be16(sum, (uint16_t)len);
}

static inline void csum_store(uint8_t at[2], uint16_t lies)
{
	memcpy(at, &lies, 2);
}
