/* SPDX-License-Identifier: Apache-2.0 */
/* IPv6 in. The chain of extension headers is walked by ip6_walk(), which stops at the upper layer,
 * at a fragment header, or at what must be refused; it has named bounds, as RFC 8504 §5.3 allows.
 * In a joined packet the walk goes on where the fragment header pointed.
 *
 * IPv4-mapped addresses on the wire would be taken for IPv4 by struct ip: they are refused. Packets
 * to a group are taken for neighbour discovery only. */
#include "dataplane/net/ip6.h"

#include "dataplane/net/icmp.h"
#include "dataplane/net/ndp.h"

#define NEXT_HOP_BY_HOP 0
#define NEXT_ROUTING 43
#define NEXT_DEST_OPTIONS 60
#define PARAMETER_PROBLEM 4
#define BAD_HEADER_FIELD 0
#define BAD_NEXT_HEADER 1
#define BAD_OPTION 2

/* Where a walk stands, and how it ended. */
struct ip6_chain {
	const uint8_t *at, *end;
	uint8_t next;		/* what stands at `at`                                  */
	uint8_t code;		/* of the ICMP parameter problem                        */
	const uint8_t *wrong;	/* octet that it is about; NULL: drop without a word    */
	const uint8_t *next_at; /* the octet that `next` was read from                  */
	bool first;		/* nothing but the IPv6 header stands before            */
};

/* RFC 8200 §4.2: the two high bits of an unknown option say what to do with it. */
static bool ip6_options(struct ip6_chain *c, const uint8_t *at, uint32_t len)
{
	uint32_t i = 0;

	for (uint32_t seen = 0; i < len; seen++) {
		if (seen == IP6_OPTIONS_MAX)
			return false;
		if (at[i] == 0) { /* Pad1 */
			i++;
			continue;
		}
		if (i + 2 > len || i + 2u + at[i + 1] > len)
			return false;
		if (at[i] >> 6 >= 2) {
			c->wrong = at + i;
			c->code = BAD_OPTION;
		}
		if (at[i] >> 6 != 0)
			return false;
		i += 2u + at[i + 1];
	}
	return true;
}

/* One extension header; false: the packet ends here. */
static bool ip6_header(struct ip6_chain *c)
{
	uint32_t left = (uint32_t)(c->end - c->at), len;

	c->wrong = NULL;
	if (left < 8)
		return false;
	len = 8u + 8u * c->at[1];
	if (len > left)
		return false;
	if (c->next == NEXT_HOP_BY_HOP && !c->first) {
		c->wrong = c->next_at;
		c->code = BAD_NEXT_HEADER;
		return false;
	}
	if (c->next == NEXT_ROUTING && c->at[3] != 0) { /* segments left: not for us to forward */
		c->wrong = c->at + 2;
		c->code = BAD_HEADER_FIELD;
		return false;
	}
	if (c->next != NEXT_ROUTING && !ip6_options(c, c->at + 2, len - 2))
		return false;
	c->next = c->at[0];
	c->next_at = c->at;
	c->at += len;
	c->first = false;
	return true;
}

static bool is_extension(uint8_t next)
{
	return next == NEXT_HOP_BY_HOP || next == NEXT_ROUTING || next == NEXT_DEST_OPTIONS;
}

static bool ip6_walk(struct ip6_chain *c)
{
	const uint8_t *start = c->at;

	for (uint32_t i = 0; is_extension(c->next); i++) {
		if (i == IP6_HEADERS_MAX || !ip6_header(c) || c->at - start > IP6_CHAIN_MAX)
			return false;
	}
	return true;
}

static void ip6_complain(struct net *n, const struct net_packet *p, const struct ip6_chain *c)
{
	if (c->wrong != NULL && !p->joined && !p->group)
		icmp_error(n, p, PARAMETER_PROBLEM, c->code, (uint32_t)(c->wrong - p->l3));
}

/* To the upper layer, from a chain that may still hold headers. */
static enum net_verdict ip6_upper(struct net *n, struct net_packet *p, struct net_in *r,
				  struct ip6_chain *c)
{
	if (!ip6_walk(c)) {
		ip6_complain(n, p, c);
		return net_end(n, p, net_drop_ip6_ext);
	}
	p->proto = c->next;
	p->proto_at = (uint32_t)(c->next_at - p->l3);
	p->l4_len = (uint32_t)(c->end - c->at);
	p->l4 += c->at - p->l4;
	if (p->group && (p->proto != IP_PROTO_ICMP6 || p->l4_len == 0 || !ndp_is_type(p->l4[0])))
		return net_end(n, p, net_drop_not_for_us);
	return net_upper(n, p, r);
}

/* RFC 7112: the first fragment holds all headers up to, and of, the upper layer. */
static bool first_fragment_is_whole(const struct ip6_chain *at_fragment, const struct frag_in *in)
{
	struct ip6_chain c = *at_fragment;
	uint32_t least = 8;

	c.at = in->data;
	c.end = in->data + in->len;
	c.next = in->proto;
	c.first = false;
	if (!ip6_walk(&c))
		return false;
	if (c.next == IP_PROTO_TCP)
		least = 20;
	else if (c.next == IP_PROTO_ICMP6)
		least = 4;
	return (uint32_t)(c.end - c.at) >= least;
}

static enum net_verdict ip6_fragment(struct net *n, struct net_packet *p, struct net_in *r,
				     struct ip6_chain *c)
{
	const uint8_t *at = c->at;
	struct frag_in in = {.src = p->src, .dst = p->dst, .link = p->link, .header = p->l3};

	if (c->end - at < IP6_FRAGMENT_LEN || p->group)
		return net_end(n, p, net_drop_ip6_ext);
	in.data = at + IP6_FRAGMENT_LEN;
	in.len = (uint32_t)(c->end - in.data);
	in.header_len = (uint32_t)(in.data - p->l3);
	in.offset = get16(at + 2) & 0xfff8u;
	in.more = (at[3] & 1) != 0;
	in.id = get32(at + 4);
	in.proto = at[0];
	if (in.offset == 0 && !in.more) { /* atomic: whole by itself, RFC 6946 §4 */
		c->next = at[0];
		c->next_at = at;
		c->at = in.data;
		c->first = false;
		return ip6_upper(n, p, r, c);
	}
	count(n->count, net_rx_fragment);
	if (in.offset == 0 && !first_fragment_is_whole(c, &in)) {
		count(n->count, frag_drop_bad);
		return NET_DONE;
	}
	if (!frag_add(n, &in, p))
		return NET_DONE;

	struct ip6_chain rest = {.at = p->l4, .end = p->l4 + p->l4_len, .next = p->proto};

	rest.next_at = rest.at;
	return ip6_upper(n, p, r, &rest);
}

static bool address_is_mapped(const struct ip *a)
{
	return ip_is4(a);
}

/* RFC 4291 §2.5.2, §2.5.3, §2.7: what may stand as a source; :: only for neighbour discovery. */
static bool source_is_fine(const struct net *n, const struct net_packet *p)
{
	static const struct ip loopback = {{[15] = 1}};

	return !ip_is_multicast(&p->src) && !address_is_mapped(&p->src) &&
	       !ip_eq(&p->src, &loopback) && !(ip_is_zero(&p->src) && !p->group) &&
	       local_find(n, p->link, &p->src) == LOCAL_NONE;
}

/* Ours, or a group of neighbour discovery; sets interface. A tentative address is no address yet,
 * but for neighbour discovery (RFC 4862 §5.4). */
static bool destination_is_ours(const struct net *n, struct net_packet *p)
{
	int ours;

	if (ip_is_multicast(&p->dst))
		return p->group && ndp_is_our_group(n, p->link, &p->dst);
	if (p->group)
		return false;
	ours = local_find(n, p->link, &p->dst);
	if (ours == LOCAL_NONE)
		return false;
	p->interface = n->local.address[ours].interface;
	return n->local.address[ours].state == LOCAL_USABLE ||
	       (p->l3[6] == IP_PROTO_ICMP6 && p->l3_len > IP6_LEN && ndp_is_type(p->l3[IP6_LEN]));
}

enum net_verdict ip6_in(struct net *n, struct net_packet *p, struct net_in *r)
{
	uint32_t payload;

	if (p->l3_len < IP6_LEN)
		return net_end(n, p, net_drop_short);
	if (p->l3[0] >> 4 != 6)
		return net_end(n, p, net_drop_ip_version);
	payload = get16(p->l3 + 4);
	if (payload > p->l3_len - IP6_LEN)
		return net_end(n, p, net_drop_ip_header);
	p->l3_len = IP6_LEN + payload;
	p->src = net_ip6(p->l3 + 8);
	p->dst = net_ip6(p->l3 + 24);
	if (address_is_mapped(&p->dst) || !destination_is_ours(n, p))
		return net_end(n, p, net_drop_not_for_us);
	if (!source_is_fine(n, p))
		return net_end(n, p, net_drop_ip_source);
	p->dscp = (uint8_t)((get16(p->l3) >> 6) & 0x3f);
	p->hops = p->l3[7];
	p->l4 = p->l3 + IP6_LEN;

	struct ip6_chain c = {.at = p->l4,
			      .end = p->l3 + p->l3_len,
			      .next = p->l3[6],
			      .next_at = p->l3 + 6,
			      .first = true};

	if (!ip6_walk(&c)) {
		ip6_complain(n, p, &c);
		return net_end(n, p, net_drop_ip6_ext);
	}
	if (c.next == IP_PROTO_IP6_FRAGMENT)
		return ip6_fragment(n, p, r, &c);
	return ip6_upper(n, p, r, &c);
}

void ip6_write(uint8_t at[IP6_LEN], const struct ip *src, const struct ip *dst, uint8_t dscp,
	       uint8_t next, uint32_t payload_len)
{
	put32(at, 6u << 28 | (uint32_t)dscp << 22);
	put16(at + 4, payload_len);
	at[6] = next;
	at[7] = IP_HOPS;
	memcpy(at + 8, src->b, 16);
	memcpy(at + 24, dst->b, 16);
}
