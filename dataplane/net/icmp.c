/* SPDX-License-Identifier: Apache-2.0 */
/* ICMP in and out. An echo request is turned around in its own frame: addresses and type change, so
 * the answer takes the way back that the question came from. One that came in fragments, with IP
 * options or with extension headers is answered by a packet of its own.
 *
 * Errors about us are heard for the path MTU only, and only from quotes of packets that we can have
 * sent: our address, one of our protocols, a destination sent to lately (pmtu.c). Nothing here
 * answers an error, a group, or a fragment (RFC 1122 §3.2.2, RFC 4443 §2.4 (e)): such packets never
 * come this far. */
#include "dataplane/net/icmp.h"

#include "dataplane/net/csum.h"
#include "dataplane/net/eth.h"
#include "dataplane/net/ndp.h"
#include "dataplane/net/out.h"

#define ICMP4_ECHO_REPLY 0
#define ICMP4_UNREACHABLE 3
#define ICMP4_CODE_PROTO 2
#define ICMP4_CODE_PORT 3
#define ICMP4_CODE_TOO_BIG 4
#define ICMP4_ECHO 8
#define ICMP6_UNREACHABLE 1
#define ICMP6_CODE_PORT 4
#define ICMP6_TOO_BIG 2
#define ICMP6_PARAMETER 4
#define ICMP6_CODE_NEXT_HEADER 1
#define ICMP6_ECHO 128
#define ICMP6_ECHO_REPLY 129
/* Quoted octets: the whole error is at most 576 (RFC 1812 §4.3.2.3) or 1280 (RFC 4443 §2.4 (c)). */
#define QUOTE4_MAX (PMTU_MIN4 - IP4_LEN - ICMP_LEN)
#define QUOTE6_MAX (PMTU_MIN6 - IP6_LEN - ICMP_LEN)

static uint64_t pseudo_sum(const struct ip *a, const struct ip *b, uint32_t len)
{
	return ip_is4(a) ? 0 : csum_pseudo(a, b, IP_PROTO_ICMP6, len);
}

static void sum_store(uint8_t *message, uint32_t len, const struct ip *a, const struct ip *b)
{
	put16(message + 2, 0);
	csum_store(message + 2,
		   (uint16_t)~csum_fold(csum_add(pseudo_sum(a, b, len), message, len)));
}

/* --- echo --- */

static bool may_turn(const struct net_packet *p)
{
	return !p->joined && p->l4 == p->l3 + (ip_is4(&p->src) ? IP4_LEN : IP6_LEN);
}

static void echo_turn(struct net *n, struct net_packet *p)
{
	uint8_t *at = p->l3;
	bool is4 = ip_is4(&p->src);

	sum_store(p->l4, p->l4_len, &p->dst, &p->src);
	memcpy(at + (is4 ? 12 : 8), p->dst.b + (is4 ? 12 : 0), is4 ? 4 : 16);
	memcpy(at + (is4 ? 16 : 24), p->src.b + (is4 ? 12 : 0), is4 ? 4 : 16);
	at[is4 ? 8 : 7] = IP_HOPS;
	if (is4) {
		put16(at + 10, 0);
		csum_store(at + 10, (uint16_t)~csum_fold(csum_add(0, at, IP4_LEN)));
	}
	eth_turn(n, p, p->l2 + 6);
	p->f->len = (uint32_t)(p->l3 - p->f->data) + p->l3_len;
	p->taken = true;
	(void)tx_put(n, p->port, p->f); /* counted there */
}

static void echo_copy(struct net *n, struct net_packet *p)
{
	struct net_path path = {
		.local = p->dst, .peer = p->src, .interface = p->interface, .dscp = p->dscp};
	struct frame f;

	out_scratch(n, ip_is4(&p->src), &f);
	memcpy(f.data, p->l4, p->l4_len);
	f.len = p->l4_len;
	sum_store(f.data, f.len, &path.local, &path.peer);
	out_icmp(n, &path, &f, p->now_us);
}

static void echo_in(struct net *n, struct net_packet *p)
{
	if (!bucket_take(&n->icmp_echoes, 1, p->now_us)) {
		count(n->count, net_icmp_limited);
		return;
	}
	count(n->count, net_icmp_echo);
	p->l4[0] = ip_is4(&p->src) ? ICMP4_ECHO_REPLY : ICMP6_ECHO_REPLY;
	if (may_turn(p))
		echo_turn(n, p);
	else
		echo_copy(n, p);
}

/* --- errors about us: path MTU --- */

static void too_big4(struct net *n, const struct net_packet *p)
{
	const uint8_t *quote = p->l4 + ICMP_LEN;
	struct ip src, dst;

	if (p->l4_len < ICMP_LEN + IP4_LEN || quote[0] >> 4 != 4)
		return;
	src = net_ip4(quote + 12);
	dst = net_ip4(quote + 16);
	if (!ip_eq(&src, &p->dst) || (quote[9] != IP_PROTO_UDP && quote[9] != IP_PROTO_TCP)) {
		count(n->count, net_pmtu_refused);
		return;
	}
	pmtu_learn(n, p->interface, &dst, get16(p->l4 + 6), get16(quote + 2), p->now_us);
}

static void too_big6(struct net *n, const struct net_packet *p)
{
	const uint8_t *quote = p->l4 + ICMP_LEN;
	uint32_t mtu = get32(p->l4 + 4);
	struct ip src, dst;
	uint8_t next;

	if (p->l4_len < ICMP_LEN + IP6_LEN || quote[0] >> 4 != 6)
		return;
	src = net_ip6(quote + 8);
	dst = net_ip6(quote + 24);
	next = quote[6];
	if (!ip_eq(&src, &p->dst) || ip_is4(&dst) ||
	    (next != IP_PROTO_UDP && next != IP_PROTO_TCP && next != IP_PROTO_IP6_FRAGMENT)) {
		count(n->count, net_pmtu_refused);
		return;
	}
	pmtu_learn(n, p->interface, &dst, mtu, IP6_LEN + get16(quote + 4), p->now_us);
}

static void icmp_took(struct net *n, const struct net_packet *p)
{
	count(n->count, p->joined ? net_joined_icmp : net_rx_icmp);
}

void icmp_in(struct net *n, struct net_packet *p)
{
	uint64_t sum = pseudo_sum(&p->src, &p->dst, p->l4_len);
	bool is4 = ip_is4(&p->src);
	uint8_t type, code;

	if (p->l4_len < 4 || csum_fold(csum_add(sum, p->l4, p->l4_len)) != 0xffff) {
		net_drop(n, p, net_drop_icmp_bad);
		return;
	}
	type = p->l4[0];
	code = p->l4[1];
	if (!is4 && ndp_is_type(type)) {
		ndp_in(n, p);
		return;
	}
	if (p->l4_len < ICMP_LEN || (!is4 && ip_is_zero(&p->src))) {
		net_drop(n, p, net_drop_icmp_bad);
		return;
	}
	icmp_took(n, p);
	if (type == (is4 ? ICMP4_ECHO : ICMP6_ECHO) && code == 0)
		echo_in(n, p);
	else if (is4 && type == ICMP4_UNREACHABLE && code == ICMP4_CODE_TOO_BIG)
		too_big4(n, p);
	else if (!is4 && type == ICMP6_TOO_BIG)
		too_big6(n, p);
}

/* --- errors of ours --- */

static void error_send(struct net *n, const struct net_path *path, const uint8_t head[ICMP_LEN],
		       const uint8_t *quote, uint32_t len, uint64_t now_us)
{
	uint32_t max = ip_is4(&path->local) ? QUOTE4_MAX : QUOTE6_MAX;
	struct frame f;

	if (!bucket_take(&n->icmp_errors, 1, now_us)) {
		count(n->count, net_icmp_limited);
		return;
	}
	len = len < max ? len : max;
	if (!tx_alloc(n, n->interface[path->interface].port, &f)) {
		count(n->count, net_no_buffer);
		return;
	}
	if (len > f.room - (uint32_t)ICMP_LEN)
		len = f.room - (uint32_t)ICMP_LEN;
	memcpy(f.data, head, ICMP_LEN);
	memcpy(f.data + ICMP_LEN, quote, len);
	f.len = ICMP_LEN + len;
	sum_store(f.data, f.len, &path->local, &path->peer);
	count(n->count, net_icmp_error);
	out_icmp(n, path, &f, now_us);
}

void icmp_error(struct net *n, const struct net_packet *p, uint8_t type, uint8_t code,
		uint32_t value)
{
	struct net_path path = {.local = p->dst, .peer = p->src, .interface = p->interface};
	uint8_t head[ICMP_LEN] = {type, code};

	put32(head + 4, value);
	error_send(n, &path, head, p->l3, p->l3_len, p->now_us);
}

void icmp_bad_proto(struct net *n, const struct net_packet *p)
{
	if (p->joined)
		return; /* proto_at points into headers that are gone */
	if (ip_is4(&p->src))
		icmp_error(n, p, ICMP4_UNREACHABLE, ICMP4_CODE_PROTO, 0);
	else
		icmp_error(n, p, ICMP6_PARAMETER, ICMP6_CODE_NEXT_HEADER, p->proto_at);
}

void net_unreachable(struct net *n, const struct net_in *r, uint64_t now_us)
{
	struct net_path path = {
		.local = r->path.local, .peer = r->path.peer, .interface = r->path.interface};
	uint8_t head[ICMP_LEN] = {ICMP4_UNREACHABLE, ICMP4_CODE_PORT};

	if (!ip_is4(&path.local)) {
		head[0] = ICMP6_UNREACHABLE;
		head[1] = ICMP6_CODE_PORT;
	}
	error_send(n, &path, head, r->l3, r->l3_len, now_us);
}
