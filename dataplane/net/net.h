/* SPDX-License-Identifier: Apache-2.0 */
/* IPv4 and IPv6 for one polled core: what upper layers may call.
 *
 * One struct net belongs to one core and to nobody else; nothing in it is shared. It stands between
 * frames (platform/iface/port.h) and UDP or TCP. All its memory is taken by net_new().
 *
 *   in   net_in(): Ethernet, VLAN, ARP, IPv4/IPv6, fragments, ICMP, NDP. What is for UDP or TCP comes
 *        back to the caller as a view; everything else is answered or counted here.
 *   out  net_out(): route, neighbour, path MTU, L2/L3 headers, checksum, fragments, tx queue.
 *
 * Every frame and every datagram ends in exactly one counter (counters.def gives the identities).
 * No allocation, lock, system call or log. Time is an argument, in microseconds, monotonic.
 * RFC 791, 826, 1122, 1191, 1812 §5.2.2, 4443, 4861, 4862, 5227, 8200, 8201. */
#pragma once
#include "platform/base/conf.h"
#include "platform/base/hash.h"
#include "platform/iface/port.h"
#include "platform/link/counters.h"

struct net;

struct net_config {
	const struct conf *conf;      /* interfaces, limits; borrowed for net's life          */
	struct port **port;           /* conf->n_ports of them; borrowed for net's life       */
	uint16_t queue;               /* this core's queue on each port                       */
	uint64_t *count;              /* this core's counter block                            */
	struct hash_key key;          /* secret: neighbour, fragment tables; IP ids           */
	bool announces;               /* this core sends gratuitous ARP, DAD, unsolicited NA
				       * and answers ARP/NS wherever they arrive: one core does */
};
/* ret NULL when memory (malloc, at start only) is short. `now_us` starts DAD and announcements. */
struct net *net_new(const struct net_config *c, uint64_t now_us);
void net_free(struct net *n); /* gives back all held frames; NULL is fine */

/* A packet's addresses as seen from here. Ports stand for UDP and TCP. Host order. */
struct net_path {
	struct ip local, peer;
	uint16_t local_port, peer_port;
	uint16_t interface;  /* index in conf->interface */
	uint8_t dscp;
	uint8_t proto;       /* IPPROTO_UDP or IPPROTO_TCP */
};

enum net_verdict { NET_DONE, NET_UDP, NET_TCP };
struct net_in {
	struct net_path path;    /* ports are filled by udp_in or tcp_in                        */
	uint8_t *l4;             /* UDP or TCP header; contiguous; valid until the next net_in() */
	uint32_t l4_len;         /* octets of header and payload, as IP says (padding left out)  */
	uint8_t flags;           /* FRAME_L4_CSUM_GOOD where the device has checked it; else udp_in does */
	uint32_t l3_len;         /* first octets of the original IP packet, for an ICMP error    */
	const uint8_t *l3;
	bool joined;             /* came in fragments: l4 lies in net's own memory               */
};
/* One frame in.
 * f      takes it when NET_DONE is returned (freed, or turned around and sent); otherwise the caller
 *        keeps it and frees it when done with the view (when joined, f has been freed already and
 *        f->buf is NULL)
 * ret    NET_DONE · NET_UDP · NET_TCP (r filled) */
enum net_verdict net_in(struct net *n, uint16_t port, struct frame *f, uint64_t now_us,
			struct net_in *r);

/* ARP, NDP and ICMP errors change what every core knows: the core that receives such a frame gives a
 * copy of it to net_in() of the others. Only the one that `announces` answers ARP and NDP. Pure. */
bool net_concerns_all(const struct frame *f);

/* A buffer for a datagram of up to `len` payload octets: f->data is where the UDP payload goes and
 * f->room says how much fits. Short ones are a fresh port buffer; long ones lie in one scratch buffer
 * of net's (64 KiB; one at a time: the next net_out() ends it). false: none (out_drop_no_buffer and
 * out_udp are counted here). */
bool net_payload(struct net *n, const struct net_path *path, uint32_t len, struct frame *f);

/* A payload that is not sent after all: its buffer goes back, and out_udp is not counted for it. */
void net_payload_free(struct net *n, const struct net_path *path, struct frame *f);

/* Nothing is looped back: a datagram to an address of our own has no route.
 * Send a UDP datagram: f->data[0..f->len) is the payload, from net_payload(). Takes f always.
 * Longer than the path MTU: fragments. Neighbour unknown: waits in a short queue.
 * ret 0 sent or waiting · -E_NOT_FOUND no route · -E_FULL · -E_TOO_LONG; counted in any case */
int net_out_udp(struct net *n, const struct net_path *path, struct frame *f, uint64_t now_us);
/* As it knows now: largest UDP payload that goes in one packet. */
uint32_t net_path_payload_max(struct net *n, const struct net_path *path, uint64_t now_us);

/* ICMP port unreachable for a datagram that nobody listens for; rate-limited. */
void net_unreachable(struct net *n, const struct net_in *r, uint64_t now_us);

/* Timers: neighbours, DAD, fragments, path MTU ageing, at most a bounded amount a call. */
void net_tick(struct net *n, uint64_t now_us);
/* When net_tick() next has something to do; UINT64_MAX: never. */
uint64_t net_next_us(const struct net *n);
/* Hand queued frames to the ports: at the end of each loop. ret frames handed over. */
uint32_t net_flush(struct net *n);
/* Which interface has this address as its own (duplicates left out); -1: none. */
int net_interface_of(const struct net *n, const struct ip *address);

/* For `sluicectl ports`: copied out by the core when asked, bounded. */
struct net_neighbour {
	struct ip ip;
	uint8_t mac[6];
	uint8_t state; /* 0 incomplete 1 reachable 2 stale 3 probing 4 failed */
	uint8_t interface;
};
uint32_t net_neighbours(const struct net *n, struct net_neighbour *out, uint32_t max);
