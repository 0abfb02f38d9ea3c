/* SPDX-License-Identifier: Apache-2.0 */
/* IPv6 in: RFC 8200. */
#pragma once
#include "dataplane/net/net_priv.h"

#define IP6_HEADERS_MAX 8u      /* extension headers of one packet, RFC 8504 §5.3     */
#define IP6_OPTIONS_MAX 32u     /* options in all of them                             */
#define IP6_CHAIN_MAX 256u      /* octets of all of them                              */

/* A packet from eth_in(). */
enum net_verdict ip6_in(struct net *n, struct net_packet *p, struct net_in *r);
void ip6_write(uint8_t at[IP6_LEN], const struct ip *src, const struct ip *dst, uint8_t dscp,
	       uint8_t next, uint32_t payload_len);
