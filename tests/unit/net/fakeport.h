/* SPDX-License-Identifier: Apache-2.0 */
/* A port in memory, and a small world around one struct net: one port, two interfaces (untagged and
 * VLAN 100), a peer on the link. Frames are made octet by octet with a checksum of their own, so
 * that nothing of the code under test checks itself.
 *
 * Received buffers are exactly as long as their frame, so that a sanitizer sees one octet too far.
 * world_close() checks that the identities of counters.def hold and that every buffer came back. */
#pragma once
#include "dataplane/net/net.h"
#include "dataplane/udp/udp.h"

#define FAKE_OUT_MAX 512
#define FAKE_FRAME_MAX 2048
#define FAKE_ROOM 2048 /* of a fresh buffer behind the headroom */

struct fake_frame {
	uint8_t b[FAKE_FRAME_MAX];
	uint32_t len;
	uint8_t flags, l3_off;
};
struct fakeport {
	struct port port;
	struct fake_frame out[FAKE_OUT_MAX]; /* what tx took, oldest first */
	uint32_t n_out;
	uint32_t live;		      /* buffers that somebody holds */
	uint32_t alloc_left, tx_left; /* then no buffer, no descriptor */
};
struct world {
	struct conf conf;
	struct fakeport fake;
	struct port *ports[1];
	struct net *net;
	struct udp *udp;
	uint64_t count[COUNTERS];
	uint64_t now_us;
	struct net_in in;   /* of the last frame that was handed up */
	struct frame frame; /* the same */
};

extern const uint8_t mac_own[6], mac_peer[6], mac_all[6];

void fakeport_open(struct fakeport *f, bool offload);
/* A received frame; data lies in `at` when it is not NULL, else in memory of its own length. */
void fakeport_frame(struct fakeport *f, const void *bytes, uint32_t len, void *at,
		    struct frame *out);

struct world *world_new(bool offload);	   /* all addresses usable, announcements taken out */
struct world *world_new_raw(bool offload); /* as net_new() leaves it; change conf in between: */
struct world *world_make(bool offload);	   /* the configuration only */
void world_start(struct world *w);
void world_settle(struct world *w);		/* DAD and announcements pass */
void world_close(struct world *w);		/* checks */
void world_check(const struct world *w);	/* identities */
const char *world_wrong(const struct world *w); /* NULL, or which identity does not hold */
enum net_verdict world_in(struct world *w, const void *bytes, uint32_t len);
void world_in_done(struct world *w); /* the upper layer is done with the view */
/* Advance, tick, flush. */
void world_pass(struct world *w, uint64_t us);
void world_flush(struct world *w);
void world_clear(struct world *w); /* forget what was sent */
/* Peer's address becomes a neighbour, by an ARP request or a solicitation of its. */
void world_know(struct world *w, const char *ip);
void world_know_as(struct world *w, const char *ip, const uint8_t mac[6]);
int world_send(struct world *w, const char *local, const char *peer, const void *bytes,
	       uint32_t len);

/* --- frames --- */
struct ip ip_of(const char *text);
uint16_t simple_sum(const uint8_t *p, uint32_t len, uint32_t start); /* inverted, host order */
uint32_t make_eth(uint8_t *at, const uint8_t *to, const uint8_t *from, uint16_t type);
uint32_t make_vlan(uint8_t *at, const uint8_t *to, uint16_t vlan, uint16_t type);
/* Header in front of payload: writes header and payload, ret octets. */
uint32_t make_ip4(uint8_t *at, const char *src, const char *dst, uint8_t proto, uint16_t id,
		  uint16_t fragment, const void *payload, uint32_t len);
uint32_t make_ip6(uint8_t *at, const char *src, const char *dst, uint8_t next, uint8_t hops,
		  const void *payload, uint32_t len);
/* UDP header and payload, with the right sum for the addresses. */
uint32_t make_udp(uint8_t *at, const char *src, const char *dst, uint16_t sport, uint16_t dport,
		  const void *payload, uint32_t len);
uint32_t make_icmp(uint8_t *at, const char *src, const char *dst, uint8_t type, uint8_t code,
		   uint32_t word, const void *payload, uint32_t len);
/* Whole frames from the peer to us; family by the text of src. */
uint32_t frame_udp(uint8_t *at, const char *src, const char *dst, uint16_t sport, uint16_t dport,
		   const void *payload, uint32_t len);
uint32_t frame_icmp(uint8_t *at, const char *src, const char *dst, uint8_t type, uint8_t code,
		    uint32_t word, const void *payload, uint32_t len);
uint32_t frame_arp(uint8_t *at, const uint8_t *to, uint16_t op, const uint8_t *mac,
		   const char *sender, const uint8_t *tmac, const char *target);
/* Neighbour solicitation (135) or advertisement (136); mac NULL: no option. */
uint32_t frame_ndp(uint8_t *at, const uint8_t *to, const char *src, const char *dst, uint8_t type,
		   uint8_t flags, const char *target, const uint8_t *mac);
#define CT(w, id) counter_read((w)->count, id)
