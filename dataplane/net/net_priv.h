/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of dataplane/net share: struct net, the packet on its way in, wire layouts.
 *
 * A link is a (port, VLAN) pair: neighbours and duplicates are known per link. An interface of the
 * configuration stands on one link and has addresses, routes and an MTU. Inbound packets are taken
 * only for an address of the link they came from (RFC 1122 §3.3.4.2, strong host model).
 *
 * A packet is struct net_packet until its end; who sends its frame on sets `taken`, else net_in()
 * frees it. Each is counted once, by net_took() or net_drop(): the packet may be a frame or may
 * have been joined of fragments, which are different rows. */
#pragma once
#include "dataplane/net/frag.h"
#include "dataplane/net/local.h"
#include "dataplane/net/neigh.h"
#include "dataplane/net/net.h"
#include "dataplane/net/pmtu.h"
#include "dataplane/net/route.h"
#include "dataplane/net/tx.h"
#include "platform/base/bucket.h"
#include "platform/base/err.h"

#define ETH_LEN 14
#define ETH_VLAN_LEN 4
#define ETH_IP4 0x0800
#define ETH_ARP 0x0806
#define ETH_VLAN 0x8100
#define ETH_IP6 0x86dd

#define IP4_LEN 20
#define IP6_LEN 40
#define IP6_FRAGMENT_LEN 8
#define UDP_LEN 8
#define IP_PROTO_ICMP 1
#define IP_PROTO_TCP 6
#define IP_PROTO_UDP 17
#define IP_PROTO_IP6_FRAGMENT 44
#define IP_PROTO_ICMP6 58
#define IP_HOPS 64       /* TTL and hop limit of what we send (RFC 1700)                    */
#define IP_BYTES_MAX 65535
#define NDP_HOPS 255     /* RFC 4861 §7.1                                                   */

#define NET_LINK_NONE 0xff
#define NET_VLANS 4096
/* Scratch: a whole datagram with room for the UDP header, and padding for whole-word sums. */
#define NET_SCRATCH_BYTES (FRAME_HEADROOM + IP_BYTES_MAX + 1)

struct net_link {
	uint8_t port;            /* index in net->port                                      */
	uint8_t l2_len;          /* 14, or 18 with a VLAN tag                               */
	uint16_t vlan;           /* 0: untagged                                             */
	uint8_t mac[6];
	bool was_up;             /* as the last tick saw it                                 */
};
struct net_interface {
	uint8_t link;            /* index in net->link                                      */
	uint8_t port;
	uint8_t l2_len;
	uint8_t n_addresses;     /* <= CONF_ADDRESSES_MAX + 1: the link-local one of our own */
	uint16_t mtu;
	uint16_t address[CONF_ADDRESSES_MAX + 1]; /* indices in net->local.address           */
	struct route_table routes;
};

struct net {
	struct net_config c;
	struct port **port;
	uint64_t *count;
	uint32_t n_links, n_interfaces, n_ports;
	struct net_link link[CONF_INTERFACES_MAX];
	struct net_interface interface[CONF_INTERFACES_MAX];
	uint8_t (*link_of)[NET_VLANS]; /* [port][vlan] -> index in link, or NET_LINK_NONE    */
	struct local_table local;
	struct neigh_table neigh;
	struct dest_table dest;
	struct frag_table frag;
	struct tx_queue *tx;           /* one per port                                       */
	struct bucket icmp_errors;     /* RFC 1812 §4.3.2.8, RFC 4443 §2.4(f)                */
	struct bucket icmp_echoes;
	uint8_t *scratch;              /* NET_SCRATCH_BYTES                                  */
	uint64_t tick_us;              /* newest time seen                                   */
};

/* A packet on its way in. Pointers lie in the frame, or in frag's join buffer when joined. */
struct net_packet {
	struct frame *f;
	struct ip src, dst;
	uint8_t *l2;             /* Ethernet header                                          */
	uint8_t *l3, *l4;
	uint32_t l3_len;         /* octets from l3 to the packet's end; padding left out      */
	uint32_t l4_len;
	uint32_t proto_at;       /* IPv6: octet of l3 that proto was read from               */
	uint64_t now_us;
	uint16_t ethertype;
	uint16_t interface;      /* of dst                                                   */
	uint8_t port, link;
	uint8_t proto;
	uint8_t hops;            /* TTL or hop limit                                         */
	uint8_t dscp;
	bool group;              /* the frame came to a group MAC address                    */
	bool joined;             /* made of fragments                                        */
	bool taken;              /* the frame was sent on: not ours to free                  */
};

/* Whole packets, by proto: to ICMP, or out of net_in(). */
enum net_verdict net_upper(struct net *n, struct net_packet *p, struct net_in *r);

static inline void net_drop(struct net *n, const struct net_packet *p, enum counter why)
{
	count(n->count, p->joined ? joined_drop_refused : why);
}

static inline enum net_verdict net_end(struct net *n, const struct net_packet *p, enum counter why)
{
	net_drop(n, p, why);
	return NET_DONE;
}
/* The same, as the value of a check that failed. */
static inline bool net_refuse(struct net *n, const struct net_packet *p, enum counter why)
{
	net_drop(n, p, why);
	return false;
}

static inline struct ip net_ip4(const uint8_t b[4])
{
	struct ip a = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, b[0], b[1], b[2], b[3] } };

	return a;
}
static inline struct ip net_ip6(const uint8_t b[16])
{
	struct ip a;

	memcpy(a.b, b, 16);
	return a;
}
static inline uint16_t get16(const uint8_t *b)
{
	return (uint16_t)(b[0] << 8 | b[1]);
}
static inline uint32_t get32(const uint8_t *b)
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}
static inline void put16(uint8_t *b, uint32_t v)
{
	b[0] = (uint8_t)(v >> 8);
	b[1] = (uint8_t)v;
}
static inline void put32(uint8_t *b, uint32_t v)
{
	put16(b, v >> 16);
	put16(b + 2, v & 0xffff);
}
static inline bool mac_is_group(const uint8_t mac[6])
{
	return (mac[0] & 1) != 0;
}
static inline bool net_link_is_up(const struct net *n, uint32_t link)
{
	return n->port[n->link[link].port]->info.link_up;
}
