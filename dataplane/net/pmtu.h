/* SPDX-License-Identifier: Apache-2.0 */
/* Destinations that we sent to lately, with what was learned about each: the destination cache of
 * RFC 4861 §5.1. One look-up per datagram sent gives route, neighbour, path MTU and the place of
 * its identification counter.
 *
 * Four-way buckets under a keyed hash; the one not sent to for longest gives way. Losing an entry
 * costs a look-up of the route, and the path MTU, which the next ICMP message brings back. */
#pragma once
#include "platform/base/ip.h"

#define DEST_WAYS 4u
#define DEST_BUCKETS 4096u           /* 16,384 destinations, 64 octets each                       */
#define DEST_IDS 8192u               /* identification counters, RFC 7739 §5.3                    */
#define DEST_RECENT_US 60000000u     /* an ICMP error may speak of what was sent so lately        */
#define PMTU_AGE_US 600000000u       /* 10 min, RFC 1191 §6.3, RFC 8201 §5.3                      */
#define PMTU_MIN4 576u               /* RFC 791: every host takes this; lower claims are attacks  */
#define PMTU_MIN6 1280u              /* RFC 8200 §5                                               */

struct dest {
	struct ip peer;
	uint16_t interface;
	uint16_t pmtu;          /* learned one; 0: none                           */
	uint16_t route;         /* index in the interface's routes                */
	uint16_t id_slot;       /* in ids                                         */
	uint32_t neigh;         /* hint for neigh_find()                          */
	bool in_use;
	uint64_t pmtu_until_us;
	uint64_t sent_us;       /* last time                                      */
};
struct dest_table {
	struct dest *d;         /* DEST_BUCKETS * DEST_WAYS                       */
	uint32_t *ids;          /* DEST_IDS                                       */
};

struct net;
bool dest_init(struct net *n); /* ret false: no memory */
void dest_free(struct net *n);
struct dest *dest_find(struct net *n, uint16_t interface, const struct ip *peer);
/* The same; made where there is none. NULL: no route, or not a host one may send to. */
struct dest *dest_use(struct net *n, uint16_t interface, const struct ip *peer, uint64_t now_us);
/* Largest IP packet to there, as known now; at most the interface's. */
uint32_t dest_mtu(const struct net *n, const struct dest *d, uint64_t now_us);
uint32_t dest_next_id(struct net *n, const struct dest *d);
/* An ICMP message says that packets of `sent_len` octets from the interface to peer must not be
 * longer than mtu (0: it does not say). */
void pmtu_learn(struct net *n, uint16_t interface, const struct ip *peer, uint32_t mtu,
		uint32_t sent_len, uint64_t now_us);
