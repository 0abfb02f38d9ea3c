/* SPDX-License-Identifier: Apache-2.0 */
/* Our own addresses: which they are, whether they may be used yet, and telling others about them.
 *
 * An IPv6 address is tentative until NDP_DAD_US have passed after its one neighbour solicitation
 * with nobody objecting (RFC 4862 §5.4); a duplicate stays unused until the next start. An IPv4
 * address is usable at once and is announced ARP_ANNOUNCEMENTS times (RFC 5227 §2.3). Only the core
 * that `announces` sends; the others follow the clock. A link that comes back up is announced on
 * again. */
#pragma once
#include "platform/base/conf.h"

#define NDP_DAD_US 1000000u         /* RetransTimer * DupAddrDetectTransmits (1), RFC 4861 §10   */
#define ARP_ANNOUNCEMENTS 2u        /* ANNOUNCE_NUM, RFC 5227 §1.1                               */
#define ARP_ANNOUNCE_US 2000000u    /* ANNOUNCE_INTERVAL                                         */
#define ARP_DEFEND_US 10000000u     /* DEFEND_INTERVAL                                           */
#define LOCAL_LINK_DOWN_US 100000u  /* DAD waits for the link: looked at so often                */
#define LOCAL_MAX (CONF_INTERFACES_MAX * (CONF_ADDRESSES_MAX + 1))
#define LOCAL_SLOTS 512             /* > 3 * LOCAL_MAX: probes stay short                        */
#define LOCAL_NONE (-1)

enum local_state { LOCAL_TENTATIVE, LOCAL_USABLE, LOCAL_DUPLICATE };
struct local_address {
	struct ip ip;
	uint8_t prefix_len;     /* 96 + n for IPv4                                      */
	uint8_t state;          /* enum local_state                                     */
	uint8_t interface, link;
	uint8_t left;           /* announcements still to send                          */
	bool solicited;         /* the DAD solicitation is out                          */
	uint64_t due_us;        /* next step; UINT64_MAX: none                          */
	uint64_t defend_us;     /* no defending announcement before this                */
};
struct local_table {
	uint32_t n;             /* <= LOCAL_MAX */
	struct local_address address[LOCAL_MAX];
	uint16_t slot[LOCAL_SLOTS]; /* index + 1 by hash of (link, ip); 0: empty        */
	uint64_t next_us;       /* least due_us                                         */
};

struct net;
/* One more address of the interface; one that the link has already is left out. */
void local_add(struct net *n, uint32_t interface, const struct ip_prefix *ip, uint64_t now_us);
/* fe80::/64 with the modified EUI-64 of the MAC address (RFC 4291 §2.5.6, Appendix A). */
struct ip_prefix local_eui64(const uint8_t mac[6]);
/* Index of the link's own address, in whatever state, or LOCAL_NONE. */
int local_find(const struct net *n, uint32_t link, const struct ip *ip);
/* Index among the interface's addresses that may be sent from, or LOCAL_NONE. */
int local_usable(const struct net *n, uint32_t interface, const struct ip *ip);
/* A source for what has no other: link-local for IPv6, else the first of the family. */
int local_source(const struct net *n, uint32_t interface, bool ip4);
/* Somebody else uses a tentative address. */
void local_duplicate(struct net *n, int index);
/* An ARP packet of another host claims this address: count, and defend (RFC 5227 §2.4 (c)). */
void local_defend(struct net *n, int index, uint64_t now_us);
void local_tick(struct net *n, uint64_t now_us);
