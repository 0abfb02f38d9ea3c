/* SPDX-License-Identifier: Apache-2.0 */
/* ARP. A request for one of our addresses teaches us its sender and is answered in its own frame. A
 * reply only refreshes a neighbour that we know or asked for: an unasked one never makes an entry.
 * Sender 0.0.0.0 is a probe (RFC 5227 §2.1.1): answered, nothing learned. A packet that claims our
 * own address teaches nothing; local_defend() says what is done. */
#include "dataplane/net/arp.h"

#include "dataplane/net/eth.h"

#define ARP_LEN 28
#define ARP_ETHERNET 1
#define ARP_REQUEST 1
#define ARP_REPLY 2

static const uint8_t mac_broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

/* Octets 0..7: hardware type, protocol type, lengths, operation; then the four addresses. */
static void arp_write(uint8_t *at, uint16_t op, const uint8_t *mac, const struct ip *sender,
		      const uint8_t *to_mac, const struct ip *target)
{
	put16(at, ARP_ETHERNET);
	put16(at + 2, ETH_IP4);
	at[4] = 6;
	at[5] = 4;
	put16(at + 6, op);
	memcpy(at + 8, mac, 6);
	memcpy(at + 14, sender->b + 12, 4);
	memcpy(at + 18, to_mac, 6);
	memcpy(at + 24, target->b + 12, 4);
}

static bool arp_is_valid(const struct net_packet *p)
{
	const uint8_t *at = p->l3;
	uint16_t op;

	if (p->l3_len < ARP_LEN || get16(at) != ARP_ETHERNET || get16(at + 2) != ETH_IP4 ||
	    at[4] != 6 || at[5] != 4)
		return false;
	op = get16(at + 6);
	return (op == ARP_REQUEST || op == ARP_REPLY) && !mac_is_group(at + 8);
}

static void arp_reply(struct net *n, struct net_packet *p, const struct local_address *a)
{
	uint8_t mac[6];
	struct ip sender = net_ip4(p->l3 + 14);

	if (!n->c.announces)
		return;
	memcpy(mac, p->l3 + 8, 6);
	eth_turn(n, p, mac);
	arp_write(p->l3, ARP_REPLY, n->link[p->link].mac, &a->ip, mac, &sender);
	p->f->len = (uint32_t)(p->l3 - p->f->data) + ARP_LEN;
	p->taken = true;
	(void)tx_put(n, p->port, p->f); /* counted there */
}

/* On-link for one of the interfaces of the link: only such may become neighbours. */
static bool arp_is_plausible(const struct net *n, const struct local_address *a,
			     const struct ip *sender)
{
	struct ip_prefix on_link = {.ip = a->ip, .len = a->prefix_len};

	return (ip_in_prefix(sender, &on_link) ||
		route_is_on_link(&n->interface[a->interface].routes, sender)) &&
	       !ip_is_multicast(sender);
}

void arp_in(struct net *n, struct net_packet *p)
{
	if (!arp_is_valid(p)) {
		net_drop(n, p, net_drop_arp_bad);
		return;
	}
	count(n->count, net_rx_arp);

	const uint8_t *at = p->l3;
	struct ip sender = net_ip4(at + 14);
	struct ip target = net_ip4(at + 24);
	int claimed = local_find(n, p->link, &sender);
	int ours = local_find(n, p->link, &target);

	if (claimed != LOCAL_NONE) {
		if (memcmp(at + 8, n->link[p->link].mac, 6) != 0)
			local_defend(n, claimed, p->now_us);
		return;
	}
	if (get16(at + 6) == ARP_REQUEST && ours != LOCAL_NONE) {
		const struct local_address *a = &n->local.address[ours];

		if (!ip_is_zero(&sender) && arp_is_plausible(n, a, &sender))
			neigh_learn(n, a, &sender, at + 8, p->now_us);
		arp_reply(n, p, a);
		return;
	}
	/* a reply to what we asked is proof that both ways work; anything else is only news */
	neigh_confirm(n, p->link, &sender, at + 8,
		      get16(at + 6) == ARP_REPLY && ours != LOCAL_NONE && !p->group, true,
		      p->now_us);
}

static void arp_send(struct net *n, uint32_t link, const uint8_t *to, const struct ip *sender,
		     const uint8_t *to_mac, const struct ip *target)
{
	struct frame f;

	if (!tx_alloc(n, n->link[link].port, &f)) {
		count(n->count, net_no_buffer);
		return;
	}
	arp_write(f.data, ARP_REQUEST, n->link[link].mac, sender, to_mac, target);
	f.len = ARP_LEN;
	eth_push(n, link, &f, to, ETH_ARP);
	(void)tx_put(n, n->link[link].port, &f); /* counted there */
}

void arp_announce(struct net *n, const struct local_address *a)
{
	static const uint8_t nobody[6];

	arp_send(n, a->link, mac_broadcast, &a->ip, nobody, &a->ip);
}

void arp_solicit(struct net *n, const struct local_address *from, const struct ip *target,
		 const uint8_t *to)
{
	static const uint8_t nobody[6];

	arp_send(n, from->link, to != NULL ? to : mac_broadcast, &from->ip,
		 to != NULL ? to : nobody, target);
}
