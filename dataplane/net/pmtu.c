/* SPDX-License-Identifier: Apache-2.0 */
/* Destination cache and path MTU.
 *
 * A path MTU message is believed only for a destination that we sent to within DEST_RECENT_US, only
 * when it lowers what we have, and never below the floor of its family: IPv6 messages under 1280
 * are discarded (RFC 8201 §4), IPv4 ones are taken as 576, since longer packets then go out in
 * fragments without DF and a router may cut them further. After PMTU_AGE_US the interface's MTU is
 * tried again.
 *
 * Identifications count up per group of destinations from a keyed start, so that a stranger cannot
 * tell how much we send to others (RFC 7739 §5.3); cores start at different values. */
#include "dataplane/net/pmtu.h"

#include <stdlib.h>

#include "dataplane/net/net_priv.h"

/* RFC 1191 §7.1, those above our floor. */
static const uint16_t plateau[] = {32000, 17914, 8166, 4352, 2002, 1492, 1006};

bool dest_init(struct net *n)
{
	struct dest_table *t = &n->dest;

	t->d = calloc((size_t)DEST_BUCKETS * DEST_WAYS, sizeof(*t->d));
	t->ids = calloc(DEST_IDS, sizeof(*t->ids));
	if (t->d == NULL || t->ids == NULL)
		return false;
	for (uint32_t i = 0; i < DEST_IDS; i++) {
		uint32_t what[3] = {i, n->c.queue, 0x6964};

		t->ids[i] = (uint32_t)hash_bytes(&n->c.key, what, sizeof(what));
	}
	return true;
}

void dest_free(struct net *n)
{
	free(n->dest.d);
	free(n->dest.ids);
}

static uint64_t dest_hash(const struct net *n, uint16_t interface, const struct ip *peer)
{
	uint8_t key[18];

	memcpy(key, peer->b, 16);
	memcpy(key + 16, &interface, 2);
	return hash_bytes(&n->c.key, key, sizeof(key));
}

static bool dest_is(const struct dest *d, uint16_t interface, const struct ip *peer)
{
	return d->in_use && d->interface == interface && ip_eq(&d->peer, peer);
}

static struct dest *dest_in_bucket(struct dest *bucket, uint16_t interface, const struct ip *peer)
{
	for (uint32_t i = 0; i < DEST_WAYS; i++) {
		if (dest_is(&bucket[i], interface, peer))
			return &bucket[i];
	}
	return NULL;
}

static struct dest *dest_bucket(struct net *n, uint64_t hash)
{
	return &n->dest.d[(hash % DEST_BUCKETS) * DEST_WAYS];
}

struct dest *dest_find(struct net *n, uint16_t interface, const struct ip *peer)
{
	return dest_in_bucket(dest_bucket(n, dest_hash(n, interface, peer)), interface, peer);
}

static struct dest *dest_oldest(struct dest *bucket)
{
	struct dest *oldest = bucket;

	for (uint32_t i = 0; i < DEST_WAYS; i++) {
		if (!bucket[i].in_use)
			return &bucket[i];
		if (bucket[i].sent_us < oldest->sent_us)
			oldest = &bucket[i];
	}
	return oldest;
}

/* Unicast of another host. Our own addresses are not looped back: see net.h. */
static bool dest_is_host(const struct net *n, const struct ip *peer)
{
	static const struct ip loopback6 = {{[15] = 1}};

	if (ip_is_zero(peer) || ip_is_multicast(peer) || ip_eq(peer, &loopback6))
		return false;
	if (ip_is4(peer) && (peer->b[12] == 0 || peer->b[12] == 127 || peer->b[12] >= 240))
		return false;
	return net_interface_of(n, peer) < 0;
}

struct dest *dest_use(struct net *n, uint16_t interface, const struct ip *peer, uint64_t now_us)
{
	uint64_t hash = dest_hash(n, interface, peer);
	struct dest *bucket = dest_bucket(n, hash);
	struct dest *d = dest_in_bucket(bucket, interface, peer);
	int route;

	if (d != NULL) {
		d->sent_us = now_us;
		return d;
	}
	if (!dest_is_host(n, peer))
		return NULL;
	route = route_find(&n->interface[interface].routes, peer);
	if (route < 0)
		return NULL;
	d = dest_oldest(bucket);
	*d = (struct dest){.peer = *peer, .interface = interface, .in_use = true};
	d->route = (uint16_t)route;
	d->id_slot = (uint16_t)((hash >> 32) % DEST_IDS);
	d->neigh = NEIGH_NONE;
	d->sent_us = now_us;
	return d;
}

uint32_t dest_mtu(const struct net *n, const struct dest *d, uint64_t now_us)
{
	uint32_t mtu = n->interface[d->interface].mtu;

	return d->pmtu != 0 && now_us < d->pmtu_until_us && d->pmtu < mtu ? d->pmtu : mtu;
}

uint32_t dest_next_id(struct net *n, const struct dest *d)
{
	return n->dest.ids[d->id_slot]++;
}

static uint32_t plateau_below(uint32_t len)
{
	for (uint32_t i = 0; i < sizeof(plateau) / sizeof(plateau[0]); i++) {
		if (plateau[i] < len)
			return plateau[i];
	}
	return PMTU_MIN4;
}

void pmtu_learn(struct net *n, uint16_t interface, const struct ip *peer, uint32_t mtu,
		uint32_t sent_len, uint64_t now_us)
{
	struct dest *d = dest_find(n, interface, peer);
	bool is4 = ip_is4(peer);

	if (is4 && mtu == 0)
		mtu = plateau_below(sent_len);
	if (is4 && mtu < PMTU_MIN4)
		mtu = PMTU_MIN4;
	if (d == NULL || now_us > d->sent_us + DEST_RECENT_US || (!is4 && mtu < PMTU_MIN6) ||
	    mtu >= dest_mtu(n, d, now_us)) {
		count(n->count, net_pmtu_refused);
		return;
	}
	d->pmtu = (uint16_t)mtu;
	d->pmtu_until_us = now_us + PMTU_AGE_US;
	count(n->count, net_pmtu_learned);
}
