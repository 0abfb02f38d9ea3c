/* SPDX-License-Identifier: Apache-2.0 */
/* Ethernet II in and out. IEEE 802.3 length frames are not served. A tag with VLAN id 0 carries
 * only a priority and means untagged (802.1Q §6.9); a second tag is an ethertype that we do not
 * have.
 *
 * Frames that bear our own source address are our own, looped back by a switch or a bond: they must
 * not look like a duplicate address (RFC 4862 §5.4.3), nor be answered. */
#include "dataplane/net/eth.h"

static bool ethertype_is_served(uint16_t type)
{
	return type == ETH_IP4 || type == ETH_IP6 || type == ETH_ARP;
}

bool eth_in(struct net *n, uint16_t port, struct net_packet *p)
{
	struct frame *f = p->f;
	uint32_t l2_len = ETH_LEN;
	uint16_t vlan = 0;

	p->l2 = f->data;
	p->port = (uint8_t)port;
	if (f->len < ETH_LEN)
		return net_refuse(n, p, net_drop_short);
	p->ethertype = get16(p->l2 + 12);
	if (p->ethertype == ETH_VLAN) {
		l2_len += ETH_VLAN_LEN;
		if (f->len < l2_len)
			return net_refuse(n, p, net_drop_short);
		vlan = get16(p->l2 + 14) & (NET_VLANS - 1);
		p->ethertype = get16(p->l2 + 16);
	}
	p->link = n->link_of[port][vlan];
	if (p->link == NET_LINK_NONE)
		return net_refuse(n, p, net_drop_vlan);

	const uint8_t *mac = n->link[p->link].mac;

	p->group = mac_is_group(p->l2);
	if (!p->group && memcmp(p->l2, mac, 6) != 0)
		return net_refuse(n, p, net_drop_not_for_us_l2);
	if (mac_is_group(p->l2 + 6) || memcmp(p->l2 + 6, mac, 6) == 0)
		return net_refuse(n, p, net_drop_l2_source);
	if (!ethertype_is_served(p->ethertype))
		return net_refuse(n, p, net_drop_ethertype);
	if (!n->port[port]->info.link_up)
		return net_refuse(n, p, net_drop_link_down);
	p->l3 = p->l2 + l2_len;
	p->l3_len = f->len - l2_len;
	return true;
}

void eth_push(struct net *n, uint32_t link, struct frame *f, const uint8_t to[6],
	      uint16_t ethertype)
{
	const struct net_link *l = &n->link[link];
	uint8_t *at;

	f->data -= l->l2_len;
	f->len += l->l2_len;
	f->room = (uint16_t)(f->room + l->l2_len);
	f->l3_off = l->l2_len;
	at = f->data;
	memcpy(at, to, 6);
	memcpy(at + 6, l->mac, 6);
	if (l->vlan != 0) {
		put16(at + 12, ETH_VLAN);
		put16(at + 14, l->vlan);
	}
	put16(at + l->l2_len - 2, ethertype);
}

void eth_turn(struct net *n, struct net_packet *p, const uint8_t to[6])
{
	uint8_t mac[6];

	memcpy(mac, to, 6); /* it may point into the header itself */
	memcpy(p->l2, mac, 6);
	memcpy(p->l2 + 6, n->link[p->link].mac, 6);
	p->f->l3_off = (uint8_t)(p->l3 - p->l2);
	p->f->flags = 0;
}
