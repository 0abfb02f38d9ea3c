/* SPDX-License-Identifier: Apache-2.0 */
/* ARP for IPv4 over Ethernet: RFC 826, RFC 5227. */
#pragma once
#include "dataplane/net/net_priv.h"

/* One ARP packet; ends here. */
void arp_in(struct net *n, struct net_packet *p);
/* Announcement of an own address (RFC 5227 §3: a request, sender = target). */
void arp_announce(struct net *n, const struct local_address *a);
/* Who has `target`? Broadcast, or to `to` alone for a unicast poll (RFC 1122 §2.3.2.1 (2)). */
void arp_solicit(struct net *n, const struct local_address *from, const struct ip *target,
		 const uint8_t *to);
