/* SPDX-License-Identifier: Apache-2.0 */
/* IPv4 in, in the order of RFC 1122 §3.2.1: version, lengths, checksum, addresses, options, then
 * fragments or the protocol. A frame longer than the total length is Ethernet padding. A device
 * that calls a checksum bad is not believed on which one: both are computed here. */
#include "dataplane/net/ip4.h"

#include "dataplane/net/csum.h"

#define OPTION_END 0
#define OPTION_NOP 1
#define OPTION_LSRR 131
#define OPTION_SSRR 137

/* Well-formed, and none that tells us to forward (RFC 7126 §4.3, §4.4). At most 40 octets. */
static bool options_are_fine(const uint8_t *at, uint32_t len)
{
	uint32_t i = 0;

	while (i < len && at[i] != OPTION_END) {
		if (at[i] == OPTION_NOP) {
			i++;
			continue;
		}
		if (i + 2 > len || at[i + 1] < 2 || i + at[i + 1] > len)
			return false;
		if (at[i] == OPTION_LSRR || at[i] == OPTION_SSRR)
			return false;
		i += at[i + 1];
	}
	return true;
}

/* RFC 1122 §3.2.1.3: what may stand as a source. */
static bool source_is_fine(const struct net *n, const struct net_packet *p)
{
	uint8_t first = p->src.b[12];
	const struct local_address *to;
	struct ip_prefix net;
	uint32_t host;

	if (first == 0 || first == 127 || first >= 224)
		return false;
	if (local_find(n, p->link, &p->src) != LOCAL_NONE)
		return false;
	to = &n->local.address[local_find(n, p->link, &p->dst)];
	net = (struct ip_prefix){.ip = to->ip, .len = to->prefix_len};
	if (net.len > 126 || net.len < 96 || !ip_in_prefix(&p->src, &net))
		return true;
	host = 0xffffffffu >> (net.len - 96);
	return (get32(p->src.b + 12) & host) != host && (get32(p->src.b + 12) & host) != 0;
}

static bool header_is_fine(struct net *n, struct net_packet *p, uint32_t *header_len)
{
	const uint8_t *at = p->l3;
	uint32_t total;

	if (p->l3_len < IP4_LEN)
		return net_refuse(n, p, net_drop_short);
	if (at[0] >> 4 != 4)
		return net_refuse(n, p, net_drop_ip_version);
	*header_len = 4u * (at[0] & 15);
	total = get16(at + 2);
	if (*header_len < IP4_LEN || total < *header_len || total > p->l3_len)
		return net_refuse(n, p, net_drop_ip_header);
	p->l3_len = total;
	if ((p->f->flags & (FRAME_IP_CSUM_GOOD | FRAME_CSUM_BAD)) != FRAME_IP_CSUM_GOOD &&
	    csum_fold(csum_add(0, at, *header_len)) != 0xffff)
		return net_refuse(n, p, net_drop_ip_csum);
	return true;
}

static enum net_verdict ip4_fragment(struct net *n, struct net_packet *p, struct net_in *r,
				     uint32_t header_len)
{
	uint16_t word = get16(p->l3 + 6);
	struct frag_in in = {
		.src = p->src,
		.dst = p->dst,
		.id = get16(p->l3 + 4),
		.proto = p->proto,
		.link = p->link,
		.header = p->l3,
		.header_len = header_len,
		.data = p->l4,
		.len = p->l4_len,
		.offset = 8u * (word & IP4_OFFSET),
		.more = (word & IP4_MF) != 0,
	};

	count(n->count, net_rx_fragment);
	if (!frag_add(n, &in, p))
		return NET_DONE;
	return net_upper(n, p, r);
}

enum net_verdict ip4_in(struct net *n, struct net_packet *p, struct net_in *r)
{
	uint32_t header_len;
	int ours;

	if (!header_is_fine(n, p, &header_len))
		return NET_DONE;
	p->src = net_ip4(p->l3 + 12);
	p->dst = net_ip4(p->l3 + 16);
	ours = p->group ? LOCAL_NONE : local_find(n, p->link, &p->dst);
	if (ours == LOCAL_NONE)
		return net_end(n, p, net_drop_not_for_us);
	if (!source_is_fine(n, p))
		return net_end(n, p, net_drop_ip_source);
	if (header_len > IP4_LEN && !options_are_fine(p->l3 + IP4_LEN, header_len - IP4_LEN))
		return net_end(n, p, net_drop_ip_options);
	p->interface = n->local.address[ours].interface;
	p->dscp = p->l3[1] >> 2;
	p->hops = p->l3[8];
	p->proto = p->l3[9];
	p->l4 = p->l3 + header_len;
	p->l4_len = p->l3_len - header_len;
	if ((get16(p->l3 + 6) & (IP4_MF | IP4_OFFSET)) != 0)
		return ip4_fragment(n, p, r, header_len);
	return net_upper(n, p, r);
}

void ip4_write(uint8_t at[IP4_LEN], const struct ip4_out *o)
{
	at[0] = 0x45;
	at[1] = (uint8_t)(o->dscp << 2);
	put16(at + 2, o->total_len);
	put16(at + 4, o->id);
	put16(at + 6, o->fragment);
	at[8] = IP_HOPS;
	at[9] = o->proto;
	put16(at + 10, 0);
	memcpy(at + 12, o->src->b + 12, 4);
	memcpy(at + 16, o->dst->b + 12, 4);
	if (!o->offload)
		csum_store(at + 10, (uint16_t)~csum_fold(csum_add(0, at, IP4_LEN)));
}
