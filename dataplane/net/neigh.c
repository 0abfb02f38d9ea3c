/* SPDX-License-Identifier: Apache-2.0 */
/* The neighbour table. State changes stand in neigh_heard() (somebody spoke), neigh_use() (we send)
 * and neigh_expire() (nobody spoke); all else is the table and the waiting queue. RFC 4861 §7.2,
 * §7.3; RFC 1122 §2.3.2 for ARP. */
#include "dataplane/net/neigh.h"

#include <stdlib.h>

#include "dataplane/net/arp.h"
#include "dataplane/net/ndp.h"
#include "dataplane/net/net_priv.h"

bool neigh_init(struct net *n, uint32_t n_max, uint64_t now_us)
{
	struct neigh_table *t = &n->neigh;

	t->n_max = n_max > 0 ? n_max : 1;
	t->entry = calloc(t->n_max, sizeof(*t->entry));
	t->waiting = calloc(NEIGH_WAIT_FRAMES, sizeof(*t->waiting));
	t->map_mem = calloc(1, map_bytes(t->n_max));
	t->wheel_mem = calloc(1, wheel_bytes(t->n_max));
	if (t->entry == NULL || t->waiting == NULL || t->map_mem == NULL || t->wheel_mem == NULL)
		return false;
	map_init(&t->map, t->map_mem, t->n_max);
	wheel_init(&t->wheel, t->wheel_mem, t->n_max, now_us);
	for (uint32_t i = 0; i < NEIGH_WAIT_FRAMES; i++)
		t->waiting[i].next = i + 1 < NEIGH_WAIT_FRAMES ? i + 1 : NEIGH_NONE;
	t->n_free_waiting = NEIGH_WAIT_FRAMES;
	return true;
}

static uint64_t neigh_hash(const struct net *n, uint32_t link, const struct ip *ip)
{
	uint8_t key[17];

	memcpy(key, ip->b, 16);
	key[16] = (uint8_t)link;
	return hash_bytes(&n->c.key, key, sizeof(key));
}

static uint32_t neigh_id(const struct net *n, const struct neigh *e)
{
	return (uint32_t)(e - n->neigh.entry);
}

static bool neigh_is(const struct neigh *e, uint32_t link, const struct ip *ip)
{
	return e->in_use && e->link == link && ip_eq(&e->ip, ip);
}

struct neigh *neigh_find(struct net *n, uint32_t link, const struct ip *ip, uint32_t *hint)
{
	struct neigh_table *t = &n->neigh;
	uint32_t it = 0, id;

	if (*hint < t->n_max && neigh_is(&t->entry[*hint], link, ip))
		return &t->entry[*hint];

	uint64_t hash = neigh_hash(n, link, ip);

	while (map_next(&t->map, hash, &it, &id)) {
		if (neigh_is(&t->entry[id], link, ip)) {
			*hint = id;
			return &t->entry[id];
		}
	}
	return NULL;
}

/* --- waiting datagrams --- */

static uint32_t wait_pop(struct net *n, struct neigh *e, struct frame *f)
{
	struct neigh_table *t = &n->neigh;
	uint32_t id = e->first;

	*f = t->waiting[id].f;
	e->first = t->waiting[id].next;
	if (e->first == NEIGH_NONE)
		e->last = NEIGH_NONE;
	t->waiting[id].next = t->free_waiting;
	t->free_waiting = id;
	t->n_free_waiting++;
	return id;
}

/* The oldest datagram ends here, for that reason. */
static void wait_drop(struct net *n, struct neigh *e, enum counter why)
{
	bool ends = false;

	while (!ends && e->first != NEIGH_NONE) {
		struct frame f;

		ends = n->neigh.waiting[wait_pop(n, e, &f)].ends;
		tx_give_back(n, n->link[e->link].port, &f);
	}
	e->n_waiting--;
	count_sub(n->count, out_waiting, 1);
	count(n->count, why);
}

static uint32_t wait_frames(const struct net *n, const struct neigh *e)
{
	uint32_t id = e->first, frames = 1;

	for (; !n->neigh.waiting[id].ends; id = n->neigh.waiting[id].next)
		frames++;
	return frames;
}

/* The neighbour answered: everything goes out in the order it came. */
static void wait_send(struct net *n, struct neigh *e)
{
	uint32_t port = n->link[e->link].port;

	while (e->n_waiting > 0) {
		bool ends = false;

		if (!tx_room(n, port, wait_frames(n, e))) {
			wait_drop(n, e, out_drop_tx_full);
			continue;
		}
		while (!ends) {
			struct frame f;

			ends = n->neigh.waiting[wait_pop(n, e, &f)].ends;
			memcpy(f.data, e->mac, 6);
			(void)tx_put(n, port, &f); /* there is room */
		}
		e->n_waiting--;
		count_sub(n->count, out_waiting, 1);
		count(n->count, out_sent);
	}
}

int neigh_wait(struct net *n, struct neigh *e, struct frame *f, uint32_t n_frames)
{
	struct neigh_table *t = &n->neigh;

	/* RFC 4861 §7.2.2: when the queue overflows, the newest replaces the oldest */
	while (e->n_waiting > 0 &&
	       (e->n_waiting >= NEIGH_WAIT_EACH || t->n_free_waiting < n_frames))
		wait_drop(n, e, out_drop_neigh_full);
	if (t->n_free_waiting < n_frames) {
		for (uint32_t i = 0; i < n_frames; i++)
			tx_give_back(n, n->link[e->link].port, &f[i]);
		count(n->count, out_drop_neigh_full);
		return -E_FULL;
	}
	for (uint32_t i = 0; i < n_frames; i++) {
		uint32_t id = t->free_waiting;

		t->free_waiting = t->waiting[id].next;
		t->n_free_waiting--;
		t->waiting[id] = (struct neigh_waiting){f[i], NEIGH_NONE, i + 1 == n_frames};
		if (e->last == NEIGH_NONE)
			e->first = id;
		else
			t->waiting[e->last].next = id;
		e->last = id;
	}
	e->n_waiting++;
	count(n->count, out_waiting);
	return 0;
}

void neigh_free(struct net *n)
{
	struct neigh_table *t = &n->neigh;

	for (uint32_t i = 0; t->entry != NULL && t->waiting != NULL && i < t->n; i++) {
		while (t->entry[i].n_waiting > 0)
			wait_drop(n, &t->entry[i], out_drop_neigh_timeout);
	}
	free(t->entry);
	free(t->waiting);
	free(t->map_mem);
	free(t->wheel_mem);
}

/* --- entries --- */

/* Second chance: the hand takes the mark of those that were used lately and passes over them. */
static struct neigh *neigh_evict(struct net *n)
{
	struct neigh_table *t = &n->neigh;

	for (uint32_t i = 0; i < NEIGH_SCAN; i++) {
		struct neigh *e = &t->entry[t->hand];
		uint32_t id = t->hand;

		t->hand = (t->hand + 1) % t->n_max;
		if (e->state == NEIGH_INCOMPLETE || e->n_waiting > 0)
			continue;
		if (e->recent) {
			e->recent = false;
			continue;
		}
		wheel_disarm(&t->wheel, id);
		(void)map_remove(&t->map, neigh_hash(n, e->link, &e->ip), id); /* it stands there */
		count(n->count, net_neigh_evicted);
		return e;
	}
	return NULL;
}

static struct neigh *neigh_make(struct net *n, const struct local_address *from,
				const struct ip *ip)
{
	struct neigh_table *t = &n->neigh;
	struct neigh *e = t->n < t->n_max ? &t->entry[t->n] : neigh_evict(n);

	if (e == NULL) {
		count(n->count, net_neigh_full);
		return NULL;
	}
	if (t->n < t->n_max)
		t->n++;
	*e = (struct neigh){.ip = *ip, .link = from->link, .first = NEIGH_NONE, .last = NEIGH_NONE};
	e->from = (uint16_t)(from - n->local.address);
	/* the map is as large as the table */
	must(map_add(&t->map, neigh_hash(n, from->link, ip), neigh_id(n, e)) == 0);
	e->in_use = true;
	return e;
}

static void neigh_arm(struct net *n, struct neigh *e, uint64_t due_us)
{
	wheel_arm(&n->neigh.wheel, neigh_id(n, e), due_us);
}

/* `to` NULL: everybody (broadcast, solicited-node multicast). */
static void neigh_solicit(struct net *n, struct neigh *e, const uint8_t *to)
{
	const struct local_address *from = &n->local.address[e->from];

	if (ip_is4(&e->ip))
		arp_solicit(n, from, &e->ip, to);
	else
		ndp_solicit(n, from, &e->ip, to);
}

static void neigh_ask(struct net *n, struct neigh *e, enum neigh_state state, uint64_t now_us)
{
	e->state = (uint8_t)state;
	e->probes = 1;
	neigh_solicit(n, e, state == NEIGH_PROBE ? e->mac : NULL);
	neigh_arm(n, e, now_us + NEIGH_RETRANS_US);
}

struct neigh *neigh_resolve(struct net *n, const struct local_address *from, const struct ip *ip,
			    uint32_t *hint, uint64_t now_us)
{
	struct neigh *e = neigh_find(n, from->link, ip, hint);

	if (e != NULL)
		return e;
	e = neigh_make(n, from, ip);
	if (e == NULL)
		return NULL;
	*hint = neigh_id(n, e);
	neigh_ask(n, e, NEIGH_INCOMPLETE, now_us);
	return e;
}

bool neigh_use(struct net *n, struct neigh *e, uint64_t now_us)
{
	e->recent = true;
	switch ((enum neigh_state)e->state) {
	case NEIGH_REACHABLE:
	case NEIGH_PROBE:
		return true;
	case NEIGH_STALE:
		if (!wheel_is_armed(&n->neigh.wheel, neigh_id(n, e)))
			neigh_arm(n, e, now_us + NEIGH_DELAY_US);
		return true;
	case NEIGH_FAILED:
		if (now_us >= e->failed_us + NEIGH_RETRY_US)
			neigh_ask(n, e, NEIGH_INCOMPLETE, now_us);
		return false;
	case NEIGH_INCOMPLETE:
		break;
	}
	return false;
}

void neigh_retry(struct net *n, struct neigh *e, uint64_t now_us)
{
	if (e->state != NEIGH_FAILED || now_us < e->failed_us + NEIGH_RETRY_US)
		return;
	e->failed_us = now_us;
	neigh_solicit(n, e, NULL);
}

static void neigh_set_mac(struct net *n, struct neigh *e, const uint8_t *mac, bool was_known)
{
	if (was_known && memcmp(e->mac, mac, 6) == 0)
		return;
	memcpy(e->mac, mac, 6);
	count(n->count, net_neigh_learned);
}

/* It spoke: reachable when that answered us, else stale. */
static void neigh_heard(struct net *n, struct neigh *e, bool answered, uint64_t now_us)
{
	if (answered) {
		/* RFC 4861 §6.3.2: 0.5 .. 1.5 of the base, lest all expire together */
		uint64_t part = neigh_hash(n, e->link, &e->ip) % 1024;

		e->state = NEIGH_REACHABLE;
		neigh_arm(n, e, now_us + NEIGH_REACHABLE_US / 2 + NEIGH_REACHABLE_US * part / 1024);
	} else {
		e->state = NEIGH_STALE;
		wheel_disarm(&n->neigh.wheel, neigh_id(n, e));
	}
	if (e->n_waiting == 0)
		return;
	(void)neigh_use(n, e, now_us); /* what is sent to a stale one starts its delay */
	wait_send(n, e);
}

static bool neigh_knows_mac(const struct neigh *e)
{
	return e->state == NEIGH_REACHABLE || e->state == NEIGH_STALE || e->state == NEIGH_PROBE;
}

void neigh_learn(struct net *n, const struct local_address *a, const struct ip *ip,
		 const uint8_t mac[6], uint64_t now_us)
{
	uint32_t hint = NEIGH_NONE;
	struct neigh *e = neigh_find(n, a->link, ip, &hint);

	if (e == NULL)
		e = neigh_make(n, a, ip);
	if (e == NULL)
		return;
	if (neigh_knows_mac(e) && memcmp(e->mac, mac, 6) == 0)
		return;
	neigh_set_mac(n, e, mac, neigh_knows_mac(e));
	neigh_heard(n, e, false, now_us);
}

void neigh_confirm(struct net *n, uint32_t link, const struct ip *ip, const uint8_t *mac,
		   bool solicited, bool override, uint64_t now_us)
{
	uint32_t hint = NEIGH_NONE;
	struct neigh *e = neigh_find(n, link, ip, &hint);
	bool knows, same;

	if (e == NULL)
		return;
	knows = neigh_knows_mac(e);
	same = knows && (mac == NULL || memcmp(e->mac, mac, 6) == 0);
	if (!knows && mac == NULL)
		return;
	if (knows && !same && !override) {
		/* §7.2.5: doubt, but no change, and only where there was none */
		if (e->state == NEIGH_REACHABLE)
			neigh_heard(n, e, false, now_us);
		return;
	}
	if (mac != NULL)
		neigh_set_mac(n, e, mac, knows);
	if (solicited || !same)
		neigh_heard(n, e, solicited, now_us);
}

static void neigh_fail(struct net *n, struct neigh *e, uint64_t now_us)
{
	e->state = NEIGH_FAILED;
	e->failed_us = now_us;
	while (e->n_waiting > 0)
		wait_drop(n, e, out_drop_neigh_timeout);
}

static void neigh_expire(struct net *n, struct neigh *e, uint64_t now_us)
{
	switch ((enum neigh_state)e->state) {
	case NEIGH_REACHABLE:
		e->state = NEIGH_STALE;
		break;
	case NEIGH_STALE:
		neigh_ask(n, e, NEIGH_PROBE, now_us);
		break;
	case NEIGH_INCOMPLETE:
	case NEIGH_PROBE:
		if (e->probes >= NEIGH_PROBES) {
			neigh_fail(n, e, now_us);
			break;
		}
		e->probes++;
		neigh_solicit(n, e, e->state == NEIGH_PROBE ? e->mac : NULL);
		neigh_arm(n, e, now_us + NEIGH_RETRANS_US);
		break;
	case NEIGH_FAILED:
		break;
	}
}

void neigh_tick(struct net *n, uint64_t now_us)
{
	uint32_t id[NEIGH_TICK_MAX];
	uint32_t due = wheel_advance(&n->neigh.wheel, now_us, id, NEIGH_TICK_MAX);

	for (uint32_t i = 0; i < due; i++)
		neigh_expire(n, &n->neigh.entry[id[i]], now_us);
}
