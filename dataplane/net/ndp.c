/* SPDX-License-Identifier: Apache-2.0 */
/* Neighbour discovery. Ports receive all multicast, so that there is no group to join on the
 * device. Router advertisements and redirects are valid packets that we do not follow: routes come
 * from the configuration (counted as net_rx_ndp). Replies to a solicitation go back in a buffer of
 * their own, to the link-layer address that asked. Validation: RFC 4861 §7.1.1, §7.1.2; options
 * §4.6. */
#include "dataplane/net/ndp.h"

#include "dataplane/net/csum.h"
#include "dataplane/net/eth.h"

#define NDP_LEN 24	   /* type .. target                                  */
#define NDP_OPTIONS_MAX 16 /* options looked at; more is malformed            */
#define NDP_OPTION_SOURCE 1
#define NDP_OPTION_TARGET 2
#define NDP_SOLICITED 0x40 /* flags of an advertisement                       */
#define NDP_OVERRIDE 0x20

static const struct ip all_nodes = {{0xff, 2, [15] = 1}};
static const struct ip unspecified;

static struct ip solicited_node(const struct ip *a)
{
	struct ip group = {{0xff, 2, [11] = 1, [12] = 0xff}};

	memcpy(group.b + 13, a->b + 13, 3);
	return group;
}

/* RFC 2464 §7. */
static void group_mac(const struct ip *group, uint8_t mac[6])
{
	mac[0] = mac[1] = 0x33;
	memcpy(mac + 2, group->b + 12, 4);
}

bool ndp_is_our_group(const struct net *n, uint32_t link, const struct ip *group)
{
	if (ip_eq(group, &all_nodes))
		return true;
	for (uint32_t i = 0; i < n->local.n; i++) {
		const struct local_address *a = &n->local.address[i];
		struct ip own;

		if (a->link != link || ip_is4(&a->ip))
			continue;
		own = solicited_node(&a->ip);
		if (ip_eq(group, &own))
			return true;
	}
	return false;
}

/* ret false: not sent for want of a buffer */
static bool ndp_send(struct net *n, uint32_t link, const uint8_t to[6], const struct ip *src,
		     const struct ip *dst, const uint8_t *message, uint32_t len)
{
	struct frame f;
	uint8_t *l4;
	uint64_t sum;

	if (!tx_alloc(n, n->link[link].port, &f)) {
		count(n->count, net_no_buffer);
		return false;
	}
	memset(f.data, 0, IP6_LEN);
	f.data[0] = 0x60;
	put16(f.data + 4, len);
	f.data[6] = IP_PROTO_ICMP6;
	f.data[7] = NDP_HOPS;
	memcpy(f.data + 8, src->b, 16);
	memcpy(f.data + 24, dst->b, 16);
	l4 = f.data + IP6_LEN;
	memcpy(l4, message, len);
	sum = csum_pseudo(src, dst, IP_PROTO_ICMP6, len);
	csum_store(l4 + 2, (uint16_t)~csum_fold(csum_add(sum, l4, len)));
	f.len = IP6_LEN + len;
	eth_push(n, link, &f, to, ETH_IP6);
	(void)tx_put(n, n->link[link].port, &f); /* counted there */
	return true;
}

/* Solicitation and advertisement have one form; a link-layer address option where `option` says. */
static uint32_t ndp_write(uint8_t m[NDP_LEN + 8], uint8_t type, uint8_t flags,
			  const struct ip *target, uint8_t option, const uint8_t *mac)
{
	memset(m, 0, NDP_LEN + 8);
	m[0] = type;
	m[4] = flags;
	memcpy(m + 8, target->b, 16);
	if (option == 0)
		return NDP_LEN;
	m[NDP_LEN] = option;
	m[NDP_LEN + 1] = 1;
	memcpy(m + NDP_LEN + 2, mac, 6);
	return NDP_LEN + 8;
}

bool ndp_solicit_dad(struct net *n, const struct local_address *a)
{
	uint8_t m[NDP_LEN + 8], mac[6];
	struct ip group = solicited_node(&a->ip);
	uint32_t len = ndp_write(m, NDP_NEIGHBOUR_SOLICIT, 0, &a->ip, 0, NULL);

	group_mac(&group, mac);
	return ndp_send(n, a->link, mac, &unspecified, &group, m, len);
}

static void ndp_advertise(struct net *n, const struct local_address *a, const struct ip *dst,
			  const uint8_t to[6], uint8_t flags)
{
	uint8_t m[NDP_LEN + 8];
	uint32_t len = ndp_write(m, NDP_NEIGHBOUR_ADVERT, flags, &a->ip, NDP_OPTION_TARGET,
				 n->link[a->link].mac);

	(void)ndp_send(n, a->link, to, &a->ip, dst, m, len); /* asked again when it is lost */
}

void ndp_announce(struct net *n, const struct local_address *a)
{
	uint8_t mac[6];

	group_mac(&all_nodes, mac);
	ndp_advertise(n, a, &all_nodes, mac, NDP_OVERRIDE);
}

void ndp_solicit(struct net *n, const struct local_address *from, const struct ip *target,
		 const uint8_t *to)
{
	uint8_t m[NDP_LEN + 8], mac[6];
	struct ip group = solicited_node(target);
	uint32_t len = ndp_write(m, NDP_NEIGHBOUR_SOLICIT, 0, target, NDP_OPTION_SOURCE,
				 n->link[from->link].mac);

	group_mac(&group, mac);
	(void)ndp_send(n, from->link, to != NULL ? to : mac, &from->ip,
		       to != NULL ? target : &group, m,
		       len); /* sent again by the neighbour's timer */
}

/* All options well-formed; *mac is the first one of that type, else NULL. */
static bool ndp_options(const uint8_t *at, uint32_t len, uint8_t type, const uint8_t **mac)
{
	*mac = NULL;
	for (uint32_t i = 0; len > 0; i++) {
		uint32_t octets;

		if (len < 8 || at[1] == 0 || i == NDP_OPTIONS_MAX)
			return false;
		octets = 8u * at[1];
		if (octets > len)
			return false;
		if (at[0] == type && *mac == NULL)
			*mac = at + 2;
		at += octets;
		len -= octets;
	}
	return *mac == NULL || !mac_is_group(*mac);
}

static bool is_solicited_node(const struct ip *a)
{
	struct ip same = solicited_node(a);

	return ip_eq(a, &same);
}

static void ndp_solicit_in(struct net *n, struct net_packet *p, const struct ip *target,
			   const uint8_t *mac)
{
	static const struct ip_prefix link_local = {.ip = {{0xfe, 0x80}}, .len = 10};
	int ours = local_find(n, p->link, target);
	bool is_dad = ip_is_zero(&p->src);
	struct local_address *a;

	if (ours == LOCAL_NONE)
		return;
	a = &n->local.address[ours];
	if (a->state == LOCAL_TENTATIVE && is_dad)
		local_duplicate(n, ours);
	if (a->state != LOCAL_USABLE)
		return;
	if (is_dad) {
		if (n->c.announces)
			ndp_announce(n, a);
		return;
	}
	if (!ip_in_prefix(&p->src, &link_local) &&
	    !route_is_on_link(&n->interface[a->interface].routes, &p->src))
		mac = NULL; /* not a neighbour: answered, not learned */
	if (mac != NULL)
		neigh_learn(n, a, &p->src, mac, p->now_us);
	if (n->c.announces)
		ndp_advertise(n, a, &p->src, mac != NULL ? mac : p->l2 + 6,
			      NDP_SOLICITED | NDP_OVERRIDE);
}

static void ndp_advert_in(struct net *n, struct net_packet *p, const struct ip *target,
			  const uint8_t *mac)
{
	int ours = local_find(n, p->link, target);
	uint8_t flags = p->l4[4];

	if (ours == LOCAL_NONE) {
		neigh_confirm(n, p->link, target, mac, (flags & NDP_SOLICITED) != 0,
			      (flags & NDP_OVERRIDE) != 0, p->now_us);
		return;
	}
	if (n->local.address[ours].state == LOCAL_TENTATIVE)
		local_duplicate(n, ours);
	else
		count(n->count, net_ndp_conflict); /* RFC 4862 §5.4.4: to be told, not acted on */
}

void ndp_in(struct net *n, struct net_packet *p)
{
	const uint8_t *mac = NULL, *at = p->l4;
	uint8_t type = at[0];
	bool valid = p->hops == NDP_HOPS && at[1] == 0 && !p->joined;
	struct ip target;

	if (type != NDP_NEIGHBOUR_SOLICIT && type != NDP_NEIGHBOUR_ADVERT) {
		if (!valid)
			net_drop(n, p, net_drop_ndp_bad);
		else
			count(n->count, net_rx_ndp);
		return;
	}
	valid = valid && p->l4_len >= NDP_LEN &&
		ndp_options(at + NDP_LEN, p->l4_len - NDP_LEN,
			    type == NDP_NEIGHBOUR_SOLICIT ? NDP_OPTION_SOURCE : NDP_OPTION_TARGET,
			    &mac);
	if (valid) {
		target = net_ip6(at + 8);
		valid = !ip_is_multicast(&target);
	}
	if (valid && type == NDP_NEIGHBOUR_SOLICIT && ip_is_zero(&p->src))
		valid = mac == NULL && is_solicited_node(&p->dst);
	if (valid && type == NDP_NEIGHBOUR_ADVERT)
		valid = !ip_is_zero(&p->src) &&
			!(ip_is_multicast(&p->dst) && (at[4] & NDP_SOLICITED) != 0);
	if (!valid) {
		net_drop(n, p, net_drop_ndp_bad);
		return;
	}
	count(n->count, net_rx_ndp);
	if (type == NDP_NEIGHBOUR_SOLICIT)
		ndp_solicit_in(n, p, &target, mac);
	else
		ndp_advert_in(n, p, &target, mac);
}
