/* SPDX-License-Identifier: Apache-2.0 */
/* Datagrams out. A datagram that fits the path MTU is sent from the buffer that it lies in, headers
 * written in front of it; a longer one, or one in scratch, is copied to port buffers piece by piece
 * (nothing sent is shared). All buffers are had before the first frame is queued, so that a
 * datagram goes out whole or not at all.
 *
 * IPv4 sets DF on what it does not fragment (RFC 1191 §3), and clears it on fragments. The IPv6
 * flow label is 0 (RFC 6437 §3 allows it). A UDP sum of 0 is sent as 0xffff (RFC 768). Identity:
 * out_udp = out_sent + out_waiting (G) + drops(out). */
#include "dataplane/net/out.h"

#include "dataplane/net/csum.h"
#include "dataplane/net/eth.h"
#include "dataplane/net/ip4.h"
#include "dataplane/net/ip6.h"

/* A packet on its way out. */
struct out_packet {
	const struct net_path *path;
	const struct net_interface *it;
	const struct local_address *from;
	struct dest *dest;
	struct neigh *to;
	uint64_t now_us;
	uint32_t mtu;
	uint8_t proto;
	bool is4;
	bool waits; /* a datagram: counted, and may wait for the neighbour */
};

static uint32_t ip_len(bool is4)
{
	return is4 ? IP4_LEN : IP6_LEN;
}

void out_scratch(struct net *n, bool is4, struct frame *f)
{
	*f = (struct frame){.buf = n->scratch, .data = n->scratch + FRAME_HEADROOM};
	f->room = (uint16_t)(IP_BYTES_MAX - UDP_LEN - (is4 ? IP4_LEN : 0));
}

static int out_drop(struct net *n, const struct out_packet *o, struct frame *f, enum counter why,
		    int ret)
{
	tx_give_back(n, o->it->port, f);
	count(n->count, o->waits ? why : net_icmp_unsent);
	return ret;
}

/* Everything that is known about the way there. ret 0, or negative with *why set. */
static int out_find(struct net *n, struct out_packet *o, enum counter *why)
{
	int from;

	if (!n->port[o->it->port]->info.link_up) {
		*why = out_drop_link_down;
		return -E_NOT_FOUND;
	}
	from = local_usable(n, o->path->interface, &o->path->local);
	if (from == LOCAL_NONE) {
		*why = out_drop_link_down;
		return -E_NOT_FOUND;
	}
	o->from = &n->local.address[from];
	*why = out_drop_no_route;
	if (ip_is4(&o->path->peer) != o->is4)
		return -E_NOT_FOUND;
	o->dest = dest_use(n, o->path->interface, &o->path->peer, o->now_us);
	if (o->dest == NULL)
		return -E_NOT_FOUND;
	o->mtu = dest_mtu(n, o->dest, o->now_us);
	o->to = route_neigh(n, o->dest, o->from, o->path, o->now_us);
	*why = out_drop_neigh_full;
	return o->to == NULL ? -E_FULL : 0;
}

static void frame_push(struct frame *f, uint32_t len)
{
	f->data -= len;
	f->len += len;
	f->room = (uint16_t)(f->room + len);
}

/* IP and Ethernet headers in front of f. fragment: IPv4 flags and offset word. */
static void headers_push(struct net *n, const struct out_packet *o, struct frame *f, uint8_t next,
			 uint16_t id, uint16_t fragment)
{
	const struct net_path *path = o->path;
	uint32_t payload = f->len;
	bool offload = n->port[o->it->port]->info.tx_ip_csum;

	frame_push(f, ip_len(o->is4));
	if (o->is4) {
		struct ip4_out out = {
			.src = &path->local,
			.dst = &path->peer,
			.total_len = f->len,
			.id = id,
			.fragment = fragment,
			.dscp = path->dscp,
			.proto = next,
			.offload = offload,
		};

		ip4_write(f->data, &out);
		if (offload)
			f->flags |= FRAME_TX_IP_CSUM;
	} else {
		ip6_write(f->data, &path->local, &path->peer, path->dscp, next, payload);
	}
	eth_push(n, o->it->link, f, o->to->mac, o->is4 ? ETH_IP4 : ETH_IP6);
}

/* takes the frames: to the port, or to the neighbour's queue. */
static int out_frames(struct net *n, const struct out_packet *o, struct frame *f, uint32_t n_frames)
{
	enum counter why = out_drop_tx_full;
	int ret = -E_FULL;

	if (neigh_use(n, o->to, o->now_us)) {
		if (tx_room(n, o->it->port, n_frames)) {
			for (uint32_t i = 0; i < n_frames; i++)
				(void)tx_put(n, o->it->port, &f[i]); /* there is room */
			if (o->waits)
				count(n->count, out_sent);
			return 0;
		}
	} else if (o->to->state == NEIGH_FAILED) {
		why = out_drop_neigh_timeout;
		ret = -E_NOT_FOUND;
	} else if (o->waits) {
		return neigh_wait(n, o->to, f, n_frames);
	}
	for (uint32_t i = 1; i < n_frames; i++)
		tx_give_back(n, o->it->port, &f[i]);
	return out_drop(n, o, &f[0], why, ret);
}

/* Header of a fragment, in front of its octets of the payload. */
static void fragment_push(struct net *n, const struct out_packet *o, struct frame *f,
			  uint32_t offset, bool more, uint32_t id)
{
	if (o->is4) {
		headers_push(n, o, f, o->proto, (uint16_t)id,
			     (uint16_t)(offset / 8 | (more ? IP4_MF : 0)));
		return;
	}
	frame_push(f, IP6_FRAGMENT_LEN);
	f->data[0] = o->proto;
	f->data[1] = 0;
	put16(f->data + 2, offset | more);
	put32(f->data + 4, id);
	headers_push(n, o, f, IP_PROTO_IP6_FRAGMENT, 0, 0);
}

/* A port buffer with len octets of the payload. */
static bool piece_copy(struct net *n, const struct out_packet *o, const uint8_t *from, uint32_t len,
		       struct frame *f)
{
	if (!tx_alloc(n, o->it->port, f))
		return false;
	if (f->room < len) {
		tx_give_back(n, o->it->port, f);
		return false;
	}
	memcpy(f->data, from, len);
	f->len = len;
	return true;
}

static int out_copies(struct net *n, const struct out_packet *o, struct frame *f)
{
	struct frame piece[OUT_FRAGMENTS_MAX];
	uint32_t whole = o->mtu - ip_len(o->is4);
	uint32_t step = (whole - (o->is4 ? 0 : IP6_FRAGMENT_LEN)) & ~7u;
	uint32_t pieces = f->len <= whole ? 1 : (f->len + step - 1) / step;
	uint32_t id = dest_next_id(n, o->dest), made = 0;

	dmust(pieces <= OUT_FRAGMENTS_MAX);
	for (; made < pieces; made++) {
		uint32_t offset = made * step;
		uint32_t len = f->len - offset;
		bool more = made + 1 < pieces;

		if (!piece_copy(n, o, f->data + offset, more ? step : len, &piece[made]))
			break;
		if (pieces == 1)
			headers_push(n, o, &piece[0], o->proto, (uint16_t)id, IP4_DF);
		else
			fragment_push(n, o, &piece[made], offset, more, id);
	}
	if (made < pieces) {
		while (made > 0)
			tx_give_back(n, o->it->port, &piece[--made]);
		return out_drop(n, o, f, out_drop_no_buffer, -E_FULL);
	}
	tx_give_back(n, o->it->port, f);
	if (pieces > 1)
		count_add(n->count, out_fragments, pieces);
	return out_frames(n, o, piece, pieces);
}

/* RFC 768, RFC 8200 §8.1: over the header at f->data and the payload behind it. */
static void udp_sum(const struct out_packet *o, struct frame *f, bool offload)
{
	uint64_t sum = csum_pseudo(&o->path->local, &o->path->peer, IP_PROTO_UDP, f->len);
	uint16_t lies;

	if (offload) {
		f->flags |= FRAME_TX_UDP_CSUM;
		csum_store(f->data + 6, csum_fold(sum));
		return;
	}
	lies = (uint16_t)~csum_fold(csum_add(sum, f->data, f->len));
	csum_store(f->data + 6, lies != 0 ? lies : 0xffff);
}

static int out_send(struct net *n, struct out_packet *o, struct frame *f)
{
	const struct port_info *info = &n->port[o->it->port]->info;
	enum counter why;
	int ret = out_find(n, o, &why);
	bool whole;

	if (ret != 0)
		return out_drop(n, o, f, why, ret);
	whole = f->buf != n->scratch && f->len + ip_len(o->is4) <= o->mtu;
	if (o->proto == IP_PROTO_UDP)
		udp_sum(o, f, whole && info->tx_udp_csum);
	if (!whole)
		return out_copies(n, o, f);
	headers_push(n, o, f, o->proto, o->is4 ? (uint16_t)dest_next_id(n, o->dest) : 0, IP4_DF);
	return out_frames(n, o, f, 1);
}

void out_icmp(struct net *n, const struct net_path *path, struct frame *f, uint64_t now_us)
{
	bool is4 = ip_is4(&path->local);
	struct out_packet o = {
		.path = path,
		.it = &n->interface[path->interface],
		.now_us = now_us,
		.is4 = is4,
		.proto = is4 ? IP_PROTO_ICMP : IP_PROTO_ICMP6,
	};

	(void)out_send(n, &o, f); /* counted there; nobody waits for it */
}

int net_out_udp(struct net *n, const struct net_path *path, struct frame *f, uint64_t now_us)
{
	struct out_packet o = {
		.path = path,
		.it = &n->interface[path->interface],
		.now_us = now_us,
		.is4 = ip_is4(&path->local),
		.proto = IP_PROTO_UDP,
		.waits = true,
	};

	count(n->count, out_udp);
	if (f->len > f->room)
		return out_drop(n, &o, f, out_drop_too_long, -E_TOO_LONG);
	f->flags = 0;
	frame_push(f, UDP_LEN);
	put16(f->data, path->local_port);
	put16(f->data + 2, path->peer_port);
	put16(f->data + 4, f->len);
	put16(f->data + 6, 0);
	return out_send(n, &o, f);
}

uint32_t net_path_payload_max(struct net *n, const struct net_path *path, uint64_t now_us)
{
	const struct dest *d = dest_find(n, path->interface, &path->peer);
	uint32_t mtu = d != NULL ? dest_mtu(n, d, now_us) : n->interface[path->interface].mtu;

	return mtu - ip_len(ip_is4(&path->peer)) - UDP_LEN;
}

void net_payload_free(struct net *n, const struct net_path *path, struct frame *f)
{
	if (f->buf != NULL) /* the scratch buffer has none */
		tx_give_back(n, n->interface[path->interface].port, f);
}

bool net_payload(struct net *n, const struct net_path *path, uint32_t len, struct frame *f)
{
	uint32_t port = n->interface[path->interface].port;
	bool is4 = ip_is4(&path->peer);
	uint32_t sure = (is4 ? PMTU_MIN4 : PMTU_MIN6) - ip_len(is4) - UDP_LEN;

	/* what every path takes needs no look-up */
	if (len > sure && len > net_path_payload_max(n, path, n->tick_us)) {
		out_scratch(n, is4, f);
		return true;
	}
	if (!tx_alloc(n, port, f)) {
		count(n->count, out_udp);
		count(n->count, out_drop_no_buffer);
		return false;
	}
	if (f->room < len) {
		tx_give_back(n, port, f);
		out_scratch(n, is4, f);
	}
	f->len = 0;
	return true;
}
