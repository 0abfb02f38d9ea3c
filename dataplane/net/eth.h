/* SPDX-License-Identifier: Apache-2.0 */
/* Ethernet and one 802.1Q tag. */
#pragma once
#include "dataplane/net/net_priv.h"

/* Fills p's l2, l3, l3_len (to the end of the frame), ethertype, port, link, group.
 * ret true: one for us (or a group) with an ethertype we serve; false: counted as dropped */
bool eth_in(struct net *n, uint16_t port, struct net_packet *p);
/* Writes the link's header in front of *at, and moves f->data there. */
void eth_push(struct net *n, uint32_t link, struct frame *f, const uint8_t to[6],
	      uint16_t ethertype);
/* Turns the received header around: back to its sender. The tag stays as it is. */
void eth_turn(struct net *n, struct net_packet *p, const uint8_t to[6]);
