/* SPDX-License-Identifier: Apache-2.0 */
/* Neighbours of all links: one table for ARP and NDP, with the states of RFC 4861 §7.3.2.
 *
 *   incomplete --answer--> reachable --30 s--> stale --use, 5 s--> probe --answer--> reachable
 *       +--3 s--> failed                                           +--3 s--> failed
 *
 * (DELAY is "stale" with its timer running.) A table of fixed size, keyed by (link, address). Only
 * on-link addresses may enter. When it is full, an entry that nobody sent to lately gives way; one
 * with datagrams waiting never does.
 * Waiting: whole datagrams, of one or more frames, complete but for the destination MAC address. */
#pragma once
#include "platform/base/ip.h"
#include "platform/base/map.h"
#include "platform/base/wheel.h"
#include "platform/iface/port.h"

#define NEIGH_NONE 0xffffffffu
#define NEIGH_REACHABLE_US 30000000u /* REACHABLE_TIME, RFC 4861 §10                           */
#define NEIGH_DELAY_US 5000000u      /* DELAY_FIRST_PROBE_TIME                                 */
#define NEIGH_RETRANS_US 1000000u    /* RETRANS_TIMER                                          */
#define NEIGH_PROBES 3u              /* MAX_MULTICAST_SOLICIT, MAX_UNICAST_SOLICIT             */
#define NEIGH_RETRY_US 1000000u      /* a failed one is not asked again before                 */
#define NEIGH_WAIT_EACH 4u           /* datagrams waiting for one neighbour                    */
#define NEIGH_WAIT_FRAMES 256u       /* frames waiting in all: bounds the buffers held         */
#define NEIGH_SCAN 16u               /* entries looked at for one to give way                  */
#define NEIGH_TICK_MAX 16u           /* timers handled a call                                  */

enum neigh_state { NEIGH_INCOMPLETE, NEIGH_REACHABLE, NEIGH_STALE, NEIGH_PROBE, NEIGH_FAILED };
struct neigh {
	struct ip ip;
	uint8_t mac[6];       /* known in every state but incomplete (and failed from there)    */
	uint8_t state;        /* enum neigh_state                                               */
	uint8_t link;
	bool in_use;          /* stands in the table                                            */
	bool recent;          /* was sent to since the clock hand passed                        */
	uint8_t probes;       /* sent in this state, <= NEIGH_PROBES                            */
	uint8_t n_waiting;    /* datagrams, <= NEIGH_WAIT_EACH                                  */
	uint16_t from;        /* own address that asks: index in local                          */
	uint32_t first, last; /* waiting frames, or NEIGH_NONE                                  */
	uint64_t failed_us;   /* when it failed, or was asked again since                       */
};
struct neigh_waiting {
	struct frame f;
	uint32_t next;
	bool ends;            /* last frame of its datagram */
};
struct neigh_table {
	struct neigh *entry;  /* n_max of them */
	struct neigh_waiting *waiting; /* NEIGH_WAIT_FRAMES */
	struct map map;
	struct wheel wheel;   /* ids are indices in entry */
	void *map_mem, *wheel_mem;
	uint32_t n_max, n, hand;
	uint32_t free_waiting, n_free_waiting;
};

struct net;
struct local_address;
/* ret false: no memory */
bool neigh_init(struct net *n, uint32_t n_max, uint64_t now_us);
void neigh_free(struct net *n);
/* The entry, or NULL. *hint is tried first and updated. */
struct neigh *neigh_find(struct net *n, uint32_t link, const struct ip *ip, uint32_t *hint);
/* The same; made, and asked for, where there is none. NULL: table full of what is needed. */
struct neigh *neigh_resolve(struct net *n, const struct local_address *from, const struct ip *ip,
			    uint32_t *hint, uint64_t now_us);
/* May be sent to now: false means wait, or (state failed) give up. Moves the state on. */
bool neigh_use(struct net *n, struct neigh *e, uint64_t now_us);
/* Ask a failed one again, at most each NEIGH_RETRY_US; it stays failed until it answers. */
void neigh_retry(struct net *n, struct neigh *e, uint64_t now_us);
/* Queue a datagram of n_frames complete frames. takes them always; counts. The oldest gives way.
 * ret 0 waiting · -E_FULL */
int neigh_wait(struct net *n, struct neigh *e, struct frame *f, uint32_t n_frames);
/* The sender of a request or solicitation to us: made when missing, stale when new or changed. */
void neigh_learn(struct net *n, const struct local_address *a, const struct ip *ip,
		 const uint8_t mac[6], uint64_t now_us);
/* A reply or advertisement (RFC 4861 §7.2.5); nothing happens to one that is not in the table.
 * mac may be NULL (no link-layer address option). */
void neigh_confirm(struct net *n, uint32_t link, const struct ip *ip, const uint8_t *mac,
		   bool solicited, bool override, uint64_t now_us);
void neigh_tick(struct net *n, uint64_t now_us);
