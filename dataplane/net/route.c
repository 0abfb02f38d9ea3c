/* SPDX-License-Identifier: Apache-2.0 */
/* Longest prefix match by a walk from the longest prefix down: the table is short and the result is
 * kept in the destination cache, so that it runs once per new destination. Families never match
 * each other, though ::/0 covers the mapped form of IPv4 as bits go. Several hops: RFC 2992 asks
 * that a flow keeps its path; the hash takes addresses and ports. */
#include "dataplane/net/route.h"

#include "dataplane/net/net_priv.h"

static void route_insert(struct route_table *t, const struct route *r)
{
	uint32_t at = t->n;

	if (t->n == ROUTES_MAX)
		return; /* cannot be: the configuration has no more */
	for (; at > 0 && t->route[at - 1].to.len < r->to.len; at--)
		t->route[at] = t->route[at - 1];
	t->route[at] = *r;
	t->n++;
}

void route_add_on_link(struct route_table *t, const struct ip_prefix *to)
{
	struct route r = {.to = *to, .is4 = ip_is4(&to->ip)};

	route_insert(t, &r);
}

void route_add(struct route_table *t, const struct conf_route *from)
{
	struct route r = {.to = from->to, .is4 = ip_is4(&from->to.ip)};

	r.n_hops = (uint8_t)(from->n_hops < CONF_HOPS_MAX ? from->n_hops : CONF_HOPS_MAX);
	memcpy(r.hop, from->hop, sizeof(r.hop));
	for (uint32_t i = 0; i < CONF_HOPS_MAX; i++)
		r.hint[i] = NEIGH_NONE;
	route_insert(t, &r);
}

/* Host part all ones or all zeros (RFC 1122 §3.2.1.3); /31 and /32 have neither (RFC 3021). */
static bool is_broadcast_of(const struct ip *a, const struct ip_prefix *to)
{
	uint32_t host;

	if (to->len < 96 || to->len > 126)
		return false;
	host = 0xffffffffu >> (to->len - 96);
	return (get32(a->b + 12) & host) == host || (get32(a->b + 12) & host) == 0;
}

int route_find(const struct route_table *t, const struct ip *peer)
{
	bool is4 = ip_is4(peer);

	for (uint32_t i = 0; i < t->n; i++) {
		const struct route *r = &t->route[i];

		if (r->is4 != is4 || !ip_in_prefix(peer, &r->to))
			continue;
		if (r->n_hops == 0 && is4 && is_broadcast_of(peer, &r->to))
			return -1;
		return (int)i;
	}
	return -1;
}

bool route_is_on_link(const struct route_table *t, const struct ip *peer)
{
	int i = route_find(t, peer);

	if (i >= 0 && t->route[i].n_hops == 0)
		return true;
	/* a next hop is a neighbour, wherever its address lies */
	for (uint32_t r = 0; r < t->n; r++) {
		for (uint32_t h = 0; h < t->route[r].n_hops; h++) {
			if (ip_eq(&t->route[r].hop[h], peer))
				return true;
		}
	}
	return false;
}

static uint32_t flow_hash(const struct net *n, const struct net_path *flow)
{
	uint8_t key[36];

	memcpy(key, flow->local.b, 16);
	memcpy(key + 16, flow->peer.b, 16);
	memcpy(key + 32, &flow->local_port, 2);
	memcpy(key + 34, &flow->peer_port, 2);
	return (uint32_t)hash_bytes(&n->c.key, key, sizeof(key));
}

struct neigh *route_neigh(struct net *n, struct dest *d, const struct local_address *from,
			  const struct net_path *flow, uint64_t now_us)
{
	struct route *r = &n->interface[d->interface].routes.route[d->route];
	struct neigh *e, *first = NULL;
	uint32_t start;

	if (r->n_hops == 0)
		return neigh_resolve(n, from, &d->peer, &d->neigh, now_us);
	if (r->n_hops == 1)
		return neigh_resolve(n, from, &r->hop[0], &r->hint[0], now_us);
	start = flow_hash(n, flow) % r->n_hops;
	for (uint32_t i = 0; i < r->n_hops; i++) {
		uint32_t h = (start + i) % r->n_hops;

		e = neigh_resolve(n, from, &r->hop[h], &r->hint[h], now_us);
		if (e != NULL && e->state != NEIGH_FAILED)
			return e;
		if (e != NULL)
			neigh_retry(n, e, now_us);
		if (first == NULL)
			first = e;
	}
	return first;
}
