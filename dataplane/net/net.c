/* SPDX-License-Identifier: Apache-2.0 */
/* The front of the layer: start, net_in(), timers, flush.
 *
 * Lifetime: net_new() takes every table from malloc once and fills links, interfaces, addresses and
 * routes from the configuration; after that nothing is allocated. net_free() gives the frames that
 * still wait back to their ports.
 * A frame's way in: eth_in() -> arp_in() | ip4_in() | ip6_in() -> [frag_add()] -> net_upper(). */
#include "dataplane/net/net.h"

#include <stdlib.h>

#include "dataplane/net/arp.h"
#include "dataplane/net/eth.h"
#include "dataplane/net/icmp.h"
#include "dataplane/net/ip4.h"
#include "dataplane/net/ip6.h"
#include "dataplane/net/ndp.h"
#include "dataplane/net/net_priv.h"
#include "dataplane/net/out.h"

/* --- start --- */

static uint8_t link_of(struct net *n, uint32_t port, uint32_t vlan)
{
	uint8_t *at = &n->link_of[port][vlan];
	struct net_link *l;

	if (*at != NET_LINK_NONE)
		return *at;
	*at = (uint8_t)n->n_links;
	l = &n->link[n->n_links++];
	l->port = (uint8_t)port;
	l->vlan = (uint16_t)vlan;
	l->l2_len = vlan != 0 ? ETH_LEN + ETH_VLAN_LEN : ETH_LEN;
	l->was_up = true; /* the first announcement is due in any case */
	memcpy(l->mac, n->port[port]->info.mac, 6);
	return *at;
}

static void interface_add(struct net *n, uint32_t i, uint64_t now_us)
{
	static const struct ip_prefix link_local = {.ip = {{0xfe, 0x80}}, .len = 10};
	const struct conf_interface *c = &n->c.conf->interface[i];
	struct net_interface *it = &n->interface[i];
	uint16_t port_mtu = n->port[c->port_index]->info.mtu;

	it->port = (uint8_t)c->port_index;
	it->link = link_of(n, c->port_index, c->vlan);
	it->l2_len = n->link[it->link].l2_len;
	it->mtu = (uint16_t)(c->mtu < port_mtu ? c->mtu : port_mtu);
	for (uint32_t a = 0; a < c->n_addresses; a++) {
		local_add(n, i, &c->address[a], now_us);
		route_add_on_link(&it->routes, &c->address[a]);
	}
	for (uint32_t r = 0; r < c->n_routes; r++)
		route_add(&it->routes, &c->route[r]);
	if (it->mtu >= PMTU_MIN6) {
		struct ip_prefix own = local_eui64(n->link[it->link].mac);

		local_add(n, i, &own, now_us);
		route_add_on_link(&it->routes, &link_local);
	}
}

struct net *net_new(const struct net_config *c, uint64_t now_us)
{
	struct net *n = calloc(1, sizeof(*n));

	if (n == NULL)
		return NULL;
	n->c = *c;
	n->port = c->port;
	n->count = c->count;
	n->n_ports = c->conf->n_ports;
	n->n_interfaces = c->conf->n_interfaces;
	n->tick_us = now_us;
	n->local.next_us = UINT64_MAX;
	n->tx = calloc(n->n_ports > 0 ? n->n_ports : 1, sizeof(*n->tx));
	n->link_of = calloc(n->n_ports > 0 ? n->n_ports : 1, sizeof(*n->link_of));
	n->scratch = calloc(1, NET_SCRATCH_BYTES);
	if (n->tx == NULL || n->link_of == NULL || n->scratch == NULL || !dest_init(n) ||
	    !frag_init(n) || !neigh_init(n, c->conf->neighbours, now_us)) {
		net_free(n);
		return NULL;
	}
	memset(n->link_of, NET_LINK_NONE, n->n_ports * sizeof(*n->link_of));
	bucket_init(&n->icmp_errors, ICMP_ERRORS_PER_S, ICMP_ERRORS_BURST, now_us);
	bucket_init(&n->icmp_echoes, ICMP_ECHOES_PER_S, ICMP_ECHOES_BURST, now_us);
	for (uint32_t i = 0; i < n->n_interfaces; i++)
		interface_add(n, i, now_us);
	local_tick(n, now_us);
	return n;
}

void net_free(struct net *n)
{
	if (n == NULL)
		return;
	neigh_free(n);
	tx_free(n);
	frag_free(n);
	dest_free(n);
	free(n->tx);
	free(n->link_of);
	free(n->scratch);
	free(n);
}

/* --- in --- */

static void view_fill(const struct net_packet *p, struct net_in *r)
{
	uint8_t good = (p->f->flags & FRAME_CSUM_BAD) == 0 ? p->f->flags & FRAME_L4_CSUM_GOOD : 0;

	*r = (struct net_in){
		.path = {.local = p->dst,
			 .peer = p->src,
			 .interface = p->interface,
			 .dscp = p->dscp,
			 .proto = p->proto},
		.l4 = p->l4,
		.l4_len = p->l4_len,
		.flags = p->joined ? 0 : good,
		.l3 = p->l3,
		.l3_len = p->l3_len,
		.joined = p->joined,
	};
}

enum net_verdict net_upper(struct net *n, struct net_packet *p, struct net_in *r)
{
	bool is4 = ip_is4(&p->dst);

	if (p->proto == IP_PROTO_UDP) {
		count(n->count, p->joined ? net_joined_udp : net_rx_udp);
		view_fill(p, r);
		return NET_UDP;
	}
	if (p->proto == IP_PROTO_TCP) {
		count(n->count, p->joined ? net_joined_tcp : net_rx_tcp);
		view_fill(p, r);
		return NET_TCP;
	}
	if (p->proto == (is4 ? IP_PROTO_ICMP : IP_PROTO_ICMP6)) {
		icmp_in(n, p);
		return NET_DONE;
	}
	net_drop(n, p, net_drop_proto);
	icmp_bad_proto(n, p);
	return NET_DONE;
}

enum net_verdict net_in(struct net *n, uint16_t port, struct frame *f, uint64_t now_us,
			struct net_in *r)
{
	struct net_packet p = {.f = f, .now_us = now_us};
	enum net_verdict v = NET_DONE;

	n->tick_us = now_us;
	count(n->count, net_rx);
	if (eth_in(n, port, &p)) {
		if (p.ethertype == ETH_IP4)
			v = ip4_in(n, &p, r);
		else if (p.ethertype == ETH_IP6)
			v = ip6_in(n, &p, r);
		else
			arp_in(n, &p);
	}
	if ((v == NET_DONE || p.joined) && !p.taken)
		tx_give_back(n, port, f);
	return v;
}

bool net_concerns_all(const struct frame *f)
{
	const uint8_t *at = f->data;
	uint32_t l3 = ETH_LEN;
	uint16_t type;

	if (f->len < ETH_LEN + ETH_VLAN_LEN)
		return false;
	type = get16(at + 12);
	if (type == ETH_VLAN) {
		type = get16(at + 16);
		l3 += ETH_VLAN_LEN;
	}
	if (type == ETH_ARP)
		return true;
	at += l3;
	if (type == ETH_IP6 && f->len > l3 + IP6_LEN && at[6] == IP_PROTO_ICMP6)
		return at[IP6_LEN] < 128 || ndp_is_type(at[IP6_LEN]);
	if (type != ETH_IP4 || f->len < l3 + IP4_LEN || at[9] != IP_PROTO_ICMP)
		return false;
	l3 += 4u * (at[0] & 15);
	return f->len > l3 && f->data[l3] == 3; /* destination unreachable */
}

/* --- time, queues, questions --- */

void net_tick(struct net *n, uint64_t now_us)
{
	n->tick_us = now_us;
	local_tick(n, now_us);
	neigh_tick(n, now_us);
	frag_tick(n, now_us);
}

uint64_t net_next_us(const struct net *n)
{
	uint64_t next_us = n->local.next_us;
	uint64_t neigh_us = wheel_next_us(&n->neigh.wheel);
	uint64_t frag_us = frag_next_us(n);

	if (neigh_us < next_us)
		next_us = neigh_us;
	return frag_us < next_us ? frag_us : next_us;
}

uint32_t net_flush(struct net *n)
{
	uint32_t done = 0;

	for (uint32_t port = 0; port < n->n_ports; port++)
		done += tx_flush(n, port);
	return done;
}

int net_interface_of(const struct net *n, const struct ip *address)
{
	for (uint32_t l = 0; l < n->n_links; l++) {
		int found = local_find(n, l, address);

		if (found != LOCAL_NONE && n->local.address[found].state != LOCAL_DUPLICATE)
			return n->local.address[found].interface;
	}
	return -1;
}

uint32_t net_neighbours(const struct net *n, struct net_neighbour *out, uint32_t max)
{
	uint32_t done = 0;

	for (uint32_t i = 0; i < n->neigh.n && done < max; i++) {
		const struct neigh *e = &n->neigh.entry[i];
		struct net_neighbour *o = &out[done++];

		*o = (struct net_neighbour){.ip = e->ip, .state = e->state};
		memcpy(o->mac, e->mac, 6);
		o->interface = n->local.address[e->from].interface;
	}
	return done;
}
