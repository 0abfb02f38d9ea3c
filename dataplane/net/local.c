/* SPDX-License-Identifier: Apache-2.0 */
/* Own addresses. The look-up is on the way of every packet: a small table hashed by a plain
 * multiplication. Its contents come from the configuration, so strangers cannot lengthen a probe.
 * */
#include "dataplane/net/local.h"

#include "dataplane/net/arp.h"
#include "dataplane/net/ndp.h"
#include "dataplane/net/net_priv.h"

static uint32_t local_slot(uint32_t link, const struct ip *ip)
{
	uint64_t w[2];

	memcpy(w, ip->b, 16);
	return (uint32_t)(((w[0] ^ w[1] ^ link) * 0x9e3779b97f4a7c15u) >> 55) & (LOCAL_SLOTS - 1);
}

int local_find(const struct net *n, uint32_t link, const struct ip *ip)
{
	const struct local_table *t = &n->local;

	for (uint32_t s = local_slot(link, ip); t->slot[s] != 0; s = (s + 1) % LOCAL_SLOTS) {
		const struct local_address *a = &t->address[t->slot[s] - 1];

		if (a->link == link && ip_eq(&a->ip, ip))
			return t->slot[s] - 1;
	}
	return LOCAL_NONE;
}

struct ip_prefix local_eui64(const uint8_t mac[6])
{
	struct ip_prefix p = {.ip = {{0xfe, 0x80}}, .len = 64};

	memcpy(p.ip.b + 8, mac, 3);
	p.ip.b[8] ^= 2;
	p.ip.b[11] = 0xff;
	p.ip.b[12] = 0xfe;
	memcpy(p.ip.b + 13, mac + 3, 3);
	return p;
}

static void local_set_due(struct net *n, struct local_address *a, uint64_t due_us)
{
	a->due_us = due_us;
	if (due_us < n->local.next_us)
		n->local.next_us = due_us;
}

void local_add(struct net *n, uint32_t interface, const struct ip_prefix *ip, uint64_t now_us)
{
	struct local_table *t = &n->local;
	struct net_interface *it = &n->interface[interface];
	uint32_t s = local_slot(it->link, &ip->ip);

	if (t->n == LOCAL_MAX || local_find(n, it->link, &ip->ip) != LOCAL_NONE)
		return;
	while (t->slot[s] != 0)
		s = (s + 1) % LOCAL_SLOTS;

	struct local_address *a = &t->address[t->n];

	*a = (struct local_address){.ip = ip->ip, .prefix_len = ip->len, .link = it->link};
	a->interface = (uint8_t)interface;
	a->state = ip_is4(&ip->ip) ? LOCAL_USABLE : LOCAL_TENTATIVE;
	a->left = ip_is4(&ip->ip) ? ARP_ANNOUNCEMENTS : 1;
	local_set_due(n, a, now_us);
	it->address[it->n_addresses++] = (uint16_t)t->n;
	t->slot[s] = (uint16_t)++t->n;
}

int local_usable(const struct net *n, uint32_t interface, const struct ip *ip)
{
	const struct net_interface *it = &n->interface[interface];

	for (uint32_t i = 0; i < it->n_addresses; i++) {
		const struct local_address *a = &n->local.address[it->address[i]];

		if (ip_eq(&a->ip, ip))
			return a->state == LOCAL_USABLE ? it->address[i] : LOCAL_NONE;
	}
	return LOCAL_NONE;
}

int local_source(const struct net *n, uint32_t interface, bool ip4)
{
	const struct net_interface *it = &n->interface[interface];
	int found = LOCAL_NONE;

	for (uint32_t i = 0; i < it->n_addresses; i++) {
		const struct local_address *a = &n->local.address[it->address[i]];

		if (a->state != LOCAL_USABLE || ip_is4(&a->ip) != ip4)
			continue;
		if (found == LOCAL_NONE || (!ip4 && ip_is_linklocal(&a->ip)))
			found = it->address[i];
	}
	return found;
}

void local_duplicate(struct net *n, int index)
{
	struct local_address *a = &n->local.address[index];

	count(n->count, net_dad_conflict);
	a->state = LOCAL_DUPLICATE;
	a->due_us = UINT64_MAX;
}

void local_defend(struct net *n, int index, uint64_t now_us)
{
	struct local_address *a = &n->local.address[index];

	count(n->count, net_arp_conflict);
	if (!n->c.announces || now_us < a->defend_us)
		return;
	a->defend_us = now_us + ARP_DEFEND_US;
	arp_announce(n, a);
}

/* RFC 5227 §2.3. */
static void local_step4(struct net *n, struct local_address *a, uint64_t now_us)
{
	if (n->c.announces)
		arp_announce(n, a);
	a->left--;
	a->due_us = a->left > 0 ? now_us + ARP_ANNOUNCE_US : UINT64_MAX;
}

/* RFC 4862 §5.4.2: one solicitation, NDP_DAD_US of silence, then the address is ours; others on the
 * link are told, for the case of a take-over (RFC 4861 §7.2.6). A buffer may be short: then again.
 * */
static void local_step6(struct net *n, struct local_address *a, uint64_t now_us)
{
	if (a->state == LOCAL_TENTATIVE && !a->solicited) {
		a->solicited = !n->c.announces || ndp_solicit_dad(n, a);
		a->due_us = now_us + (a->solicited ? NDP_DAD_US : LOCAL_LINK_DOWN_US);
		return;
	}
	a->state = LOCAL_USABLE;
	a->left = 0;
	a->due_us = UINT64_MAX;
	if (n->c.announces)
		ndp_announce(n, a);
}

/* A link that came up: its addresses are announced again (the neighbours' switch may be another).
 * */
static void local_watch_links(struct net *n, uint64_t now_us)
{
	for (uint32_t l = 0; l < n->n_links; l++) {
		bool up = net_link_is_up(n, l);

		for (uint32_t i = 0; up && !n->link[l].was_up && i < n->local.n; i++) {
			struct local_address *a = &n->local.address[i];

			if (a->link != l || a->state != LOCAL_USABLE)
				continue;
			a->left = ip_is4(&a->ip) ? ARP_ANNOUNCEMENTS : 1;
			local_set_due(n, a, now_us);
		}
		n->link[l].was_up = up;
	}
}

void local_tick(struct net *n, uint64_t now_us)
{
	struct local_table *t = &n->local;
	uint64_t next_us = UINT64_MAX;

	local_watch_links(n, now_us);
	if (now_us < t->next_us)
		return;
	for (uint32_t i = 0; i < t->n; i++) {
		struct local_address *a = &t->address[i];

		if (a->due_us <= now_us && !net_link_is_up(n, a->link))
			a->due_us = now_us + LOCAL_LINK_DOWN_US;
		else if (a->due_us <= now_us && ip_is4(&a->ip))
			local_step4(n, a, now_us);
		else if (a->due_us <= now_us)
			local_step6(n, a, now_us);
		if (a->due_us < next_us)
			next_us = a->due_us;
	}
	t->next_us = next_us;
}
