/* SPDX-License-Identifier: Apache-2.0 */
/* Routes of one interface: the prefixes of its addresses (on-link), the configured ones, and
 * link-local. Fixed after start. */
#pragma once
#include "platform/base/conf.h"

#define ROUTES_MAX (CONF_ADDRESSES_MAX + 1 + CONF_ROUTES_MAX + 1)

struct route {
	struct ip_prefix to;
	bool is4;
	uint8_t n_hops;                 /* 0: on-link, the destination is the next hop         */
	struct ip hop[CONF_HOPS_MAX];
	uint32_t hint[CONF_HOPS_MAX];   /* for neigh_find()                                    */
};
struct route_table {
	uint32_t n;                     /* <= ROUTES_MAX; longest prefix first                 */
	struct route route[ROUTES_MAX];
};

struct net;
struct net_path;
struct dest;
struct neigh;
struct local_address;
void route_add_on_link(struct route_table *t, const struct ip_prefix *to);
void route_add(struct route_table *t, const struct conf_route *r);
/* Index of the longest match, or -1. A broadcast address of an on-link prefix matches nothing. */
int route_find(const struct route_table *t, const struct ip *peer);
bool route_is_on_link(const struct route_table *t, const struct ip *peer);
/* The neighbour that a packet of this flow goes to; asked for where unknown. Of several hops one is
 * chosen by the flow's hash, those that failed are passed over. NULL: neighbour table full. */
struct neigh *route_neigh(struct net *n, struct dest *d, const struct local_address *from,
			  const struct net_path *flow, uint64_t now_us);
