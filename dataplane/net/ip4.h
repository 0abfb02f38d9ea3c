/* SPDX-License-Identifier: Apache-2.0 */
/* IPv4 in: RFC 791, RFC 1122 §3.2.1. */
#pragma once
#include "dataplane/net/net_priv.h"

/* A packet from eth_in(). */
enum net_verdict ip4_in(struct net *n, struct net_packet *p, struct net_in *r);
/* Write a header without options, checksum included unless `offload`. `fragment` is the flags and
 * offset word. */
struct ip4_out {
	const struct ip *src, *dst;
	uint32_t total_len;
	uint16_t id, fragment;
	uint8_t dscp, proto;
	bool offload;
};
#define IP4_DF 0x4000
#define IP4_MF 0x2000
#define IP4_OFFSET 0x1fff
void ip4_write(uint8_t at[IP4_LEN], const struct ip4_out *o);
