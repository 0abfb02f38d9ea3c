/* SPDX-License-Identifier: Apache-2.0 */
/* One form for IPv4 and IPv6 addresses: 16 octets, IPv4 as ::ffff:a.b.c.d (RFC 4291 §2.5.5.2).
 * Plain values; no pointers; may lie in shared memory. Pure; runs anywhere. */
#pragma once
#include "platform/base/str.h"

struct ip {
	uint8_t b[16];
};
struct ip_prefix {
	struct ip ip;
	uint8_t len;    /* 0..128; IPv4 prefixes are 96 + their length */
	uint8_t pad[3];
};
#define IP_TEXT_MAX 48 /* with brackets and terminator */

static inline bool ip_is4(const struct ip *a)
{
	static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

	return memcmp(a->b, mapped, 12) == 0;
}
static inline bool ip_eq(const struct ip *a, const struct ip *b)
{
	return memcmp(a->b, b->b, 16) == 0;
}
struct ip ip_of4(const uint8_t b[4]);
bool ip_is_zero(const struct ip *a);       /* :: or 0.0.0.0                                      */
bool ip_is_multicast(const struct ip *a);  /* 224/4 or ff00::/8                                   */
bool ip_is_linklocal(const struct ip *a);  /* 169.254/16 or fe80::/10                             */
bool ip_in_prefix(const struct ip *a, const struct ip_prefix *p);
/* "10.0.0.1", "fd99::1" or "[fd99::1]". ret 0 · -E_MALFORMED */
int ip_parse(struct str s, struct ip *out);
/* With "/NN"; without it a host prefix. Host bits are kept. ret 0 · -E_MALFORMED · -E_RANGE */
int ip_prefix_parse(struct str s, struct ip_prefix *out);
/* Text, RFC 5952; `bracket` puts IPv6 in []. ret length; out holds IP_TEXT_MAX bytes, terminated. */
uint32_t ip_print(const struct ip *a, bool bracket, char *out);
