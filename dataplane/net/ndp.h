/* SPDX-License-Identifier: Apache-2.0 */
/* Neighbour discovery for IPv6: RFC 4861 (solicitation and advertisement), RFC 4862 §5.4. */
#pragma once
#include "dataplane/net/net_priv.h"

#define NDP_ROUTER_SOLICIT 133
#define NDP_NEIGHBOUR_SOLICIT 135
#define NDP_NEIGHBOUR_ADVERT 136
#define NDP_REDIRECT 137

static inline bool ndp_is_type(uint8_t icmp_type)
{
	return icmp_type >= NDP_ROUTER_SOLICIT && icmp_type <= NDP_REDIRECT;
}
/* One message whose ICMPv6 checksum is right; ends here. */
void ndp_in(struct net *n, struct net_packet *p);
/* ff02::1, or the solicited-node group of an own address of the link: groups that we listen to. */
bool ndp_is_our_group(const struct net *n, uint32_t link, const struct ip *group);
/* For duplicate address detection; false: no buffer, none sent. */
bool ndp_solicit_dad(struct net *n, const struct local_address *a);
/* Unsolicited advertisement to all nodes (RFC 4861 §7.2.6). */
void ndp_announce(struct net *n, const struct local_address *a);
/* Who has `target`? To its solicited-node group, or to `to` alone (unreachability detection). */
void ndp_solicit(struct net *n, const struct local_address *from, const struct ip *target,
		 const uint8_t *to);
