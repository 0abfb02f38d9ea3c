/* SPDX-License-Identifier: Apache-2.0 */
/* The fake port and the makers of frames. Also linked into the fuzz targets: no cmocka here. */
#include "tests/unit/net/fakeport.h"

#include <stdio.h>
#include <stdlib.h>

#include "platform/base/err.h"

const uint8_t mac_own[6] = {2, 0, 0, 0, 0, 1};
const uint8_t mac_peer[6] = {2, 0, 0, 0, 0, 2};
const uint8_t mac_all[6] = {255, 255, 255, 255, 255, 255};

struct fake_buf {
	struct fakeport *of;
	uint8_t *mem; /* NULL: the octets are the caller's */
};

static struct fakeport *fake_of(struct port *p)
{
	return p->impl;
}

static bool fake_alloc(struct port *p, struct frame *f)
{
	struct fakeport *k = fake_of(p);
	struct fake_buf *b;

	if (k->alloc_left == 0)
		return false;
	k->alloc_left--;
	b = malloc(sizeof(*b));
	must(b != NULL);
	b->of = k;
	b->mem = malloc(FRAME_HEADROOM + FAKE_ROOM);
	must(b->mem != NULL);
	memset(b->mem, 0xa5, FRAME_HEADROOM + FAKE_ROOM);
	*f = (struct frame){.buf = b, .data = b->mem + FRAME_HEADROOM, .room = FAKE_ROOM};
	f->flags = 0xff; /* net must not rely on these */
	k->live++;
	return true;
}

static void fake_free(struct port *p, struct frame *f)
{
	struct fake_buf *b = f->buf;

	must(b->of == fake_of(p));
	must(b->of->live > 0);
	b->of->live--;
	free(b->mem);
	free(b);
	f->buf = NULL;
}

static uint32_t fake_tx(struct port *p, uint16_t queue, struct frame *f, uint32_t n)
{
	struct fakeport *k = fake_of(p);
	uint32_t i = 0;

	must(queue == 0);
	for (; i < n && k->tx_left > 0; i++, k->tx_left--) {
		struct frame took = f[i];

		must(took.len <= FAKE_FRAME_MAX);
		if (k->n_out < FAKE_OUT_MAX) {
			struct fake_frame *o = &k->out[k->n_out++];

			memcpy(o->b, took.data, took.len);
			o->len = took.len;
			o->flags = took.flags;
			o->l3_off = took.l3_off;
		}
		fake_free(p, &took);
	}
	return i;
}

static const struct port_ops fake_ops = {.tx = fake_tx, .alloc = fake_alloc, .free = fake_free};

void fakeport_open(struct fakeport *f, bool offload)
{
	*f = (struct fakeport){.alloc_left = UINT32_MAX, .tx_left = UINT32_MAX};
	f->port.ops = &fake_ops;
	f->port.impl = f;
	f->port.info = (struct port_info){.mtu = 9000, .queues = 1, .link_up = true};
	f->port.info.tx_ip_csum = f->port.info.tx_udp_csum = offload;
	memcpy(f->port.info.mac, mac_own, 6);
}

void fakeport_frame(struct fakeport *f, const void *bytes, uint32_t len, void *at,
		    struct frame *out)
{
	struct fake_buf *b = malloc(sizeof(*b));

	must(b != NULL);
	b->of = f;
	b->mem = at == NULL ? malloc(len > 0 ? len : 1) : NULL;
	*out = (struct frame){.buf = b, .data = at == NULL ? b->mem : at, .len = len};
	out->room = (uint16_t)(len < 65535 ? len : 65535);
	must(out->data != NULL);
	if (len > 0 && at != bytes)
		memcpy(out->data, bytes, len);
	f->live++;
}

/* --- world --- */

struct ip ip_of(const char *text)
{
	struct ip a;

	must(ip_parse(str_from_c(text), &a) == 0);
	return a;
}

static struct ip_prefix prefix_of(const char *text)
{
	struct ip_prefix p;

	must(ip_prefix_parse(str_from_c(text), &p) == 0);
	return p;
}

static void world_route(struct conf_interface *i, const char *to, const char *a, const char *b)
{
	struct conf_route *r = &i->route[i->n_routes++];

	r->to = prefix_of(to);
	r->hop[r->n_hops++] = ip_of(a);
	if (b != NULL)
		r->hop[r->n_hops++] = ip_of(b);
}

static void world_listen(struct conf *c, uint32_t interface, const char *ip)
{
	struct conf_listener *l = &c->listener[c->n_listeners++];

	l->interface_index = interface;
	l->address = ip_of(ip);
	l->port = 5060;
	l->transport = CONF_UDP;
	l->dscp = 26;
}

struct world *world_make(bool offload)
{
	struct world *w = calloc(1, sizeof(*w));
	struct conf *c;

	must(w != NULL);
	c = &w->conf;
	fakeport_open(&w->fake, offload);
	w->ports[0] = &w->fake.port;
	w->now_us = 1000000;
	c->neighbours = 16;
	c->fragment_bytes = 512 * 1024;
	c->fragment_bytes_per_source = 256 * 1024;
	c->fragment_timeout_ms = 5000;
	c->n_ports = 1;
	c->n_interfaces = 2;
	c->interface[0].mtu = c->interface[1].mtu = 1500;
	c->interface[0].n_addresses = 2;
	c->interface[0].address[0] = prefix_of("10.0.0.1/24");
	c->interface[0].address[1] = prefix_of("2001:db8::1/64");
	world_route(&c->interface[0], "0.0.0.0/0", "10.0.0.254", NULL);
	world_route(&c->interface[0], "::/0", "2001:db8::fe", NULL);
	world_route(&c->interface[0], "192.168.0.0/16", "10.0.0.252", "10.0.0.253");
	c->interface[1].vlan = 100;
	c->interface[1].n_addresses = 1;
	c->interface[1].address[0] = prefix_of("10.1.0.1/24");
	world_listen(c, 0, "10.0.0.1");
	world_listen(c, 0, "2001:db8::1");
	world_listen(c, 1, "10.1.0.1");
	return w;
}

void world_start(struct world *w)
{
	struct net_config c = {.conf = &w->conf,
			       .port = w->ports,
			       .count = w->count,
			       .key = {{1, 2}},
			       .announces = true};

	w->net = net_new(&c, w->now_us);
	must(w->net != NULL);
	w->udp = udp_new(&w->conf, w->net, w->count);
	must(w->udp != NULL);
	world_flush(w);
}

void world_settle(struct world *w)
{
	world_pass(w, 1000000);
	world_pass(w, 2000000);
	world_clear(w);
}

struct world *world_new_raw(bool offload)
{
	struct world *w = world_make(offload);

	world_start(w);
	return w;
}

struct world *world_new(bool offload)
{
	struct world *w = world_new_raw(offload);

	world_settle(w);
	return w;
}

static uint64_t drops(const struct world *w, const char *layer)
{
	uint64_t sum = 0;

	for (int i = 0; i < COUNTERS; i++) {
		if (counter_info[i].kind == COUNTER_DROP &&
		    strcmp(counter_info[i].layer, layer) == 0)
			sum += w->count[i];
	}
	return sum;
}

const char *world_wrong(const struct world *w)
{
	if (CT(w, net_rx) != CT(w, net_rx_arp) + CT(w, net_rx_ndp) + CT(w, net_rx_icmp) +
				     CT(w, net_rx_fragment) + CT(w, net_rx_udp) +
				     CT(w, net_rx_tcp) + drops(w, "net"))
		return "net";
	if (CT(w, net_rx_fragment) !=
	    CT(w, net_frag_joined) + CT(w, net_frag_held) + drops(w, "frag"))
		return "frag";
	if (CT(w, net_frag_packets) != CT(w, net_joined_udp) + CT(w, net_joined_tcp) +
					       CT(w, net_joined_icmp) + drops(w, "joined"))
		return "joined";
	if (CT(w, net_tx_queued) != CT(w, net_tx) + CT(w, net_tx_held) + drops(w, "tx"))
		return "tx";
	if (CT(w, out_udp) != CT(w, out_sent) + CT(w, out_waiting) + drops(w, "out"))
		return "out";
	if (CT(w, udp_rx) !=
	    CT(w, udp_keepalive) + CT(w, udp_stun) + CT(w, udp_to_sip) + drops(w, "udp"))
		return "udp";
	return NULL;
}

void world_check(const struct world *w)
{
	const char *wrong = world_wrong(w);

	if (wrong != NULL)
		fprintf(stderr, "identity of layer %s does not hold\n", wrong);
	must(wrong == NULL);
}

void world_in_done(struct world *w)
{
	if (w->frame.buf != NULL)
		fake_free(&w->fake.port, &w->frame);
}

enum net_verdict world_in(struct world *w, const void *bytes, uint32_t len)
{
	world_in_done(w);
	fakeport_frame(&w->fake, bytes, len, NULL, &w->frame);
	return net_in(w->net, 0, &w->frame, w->now_us, &w->in);
}

void world_flush(struct world *w)
{
	(void)net_flush(w->net); /* what went out is in fake.out */
}

void world_pass(struct world *w, uint64_t us)
{
	/* in steps, as a loop would do it: timers are bounded per call */
	for (uint64_t left = us; left > 0;) {
		uint64_t step = left < 50000 ? left : 50000;

		w->now_us += step;
		left -= step;
		net_tick(w->net, w->now_us);
	}
	world_flush(w);
}

void world_clear(struct world *w)
{
	w->fake.n_out = 0;
}

void world_close(struct world *w)
{
	world_in_done(w);
	world_check(w);
	udp_free(w->udp);
	net_free(w->net);
	must(w->fake.live == 0);
	free(w);
}

void world_know_as(struct world *w, const char *ip, const uint8_t mac[6])
{
	uint8_t f[128];
	uint32_t len = frame_arp(f, mac_all, 1, mac, ip, NULL, "10.0.0.1");

	if (strchr(ip, ':') != NULL)
		len = frame_ndp(f, mac_own, ip, "2001:db8::1", 135, 0, "2001:db8::1", mac);
	memcpy(f + 6, mac, 6);
	must(world_in(w, f, len) == NET_DONE);
	world_flush(w);
	world_clear(w);
}

void world_know(struct world *w, const char *ip)
{
	world_know_as(w, ip, mac_peer);
}

int world_send(struct world *w, const char *local, const char *peer, const void *bytes,
	       uint32_t len)
{
	struct net_path path = {.local = ip_of(local),
				.peer = ip_of(peer),
				.local_port = 5060,
				.peer_port = 5070,
				.dscp = 26,
				.proto = 17};
	int interface = net_interface_of(w->net, &path.local);
	struct frame f;
	int ret;

	path.interface = (uint16_t)(interface >= 0 ? interface : 0);
	if (!net_payload(w->net, &path, len, &f))
		return -E_FULL;
	if (len <= f.room)
		memcpy(f.data, bytes, len);
	f.len = len;
	ret = net_out_udp(w->net, &path, &f, w->now_us);
	world_flush(w);
	return ret;
}

/* --- frames --- */

static void w16(uint8_t *at, uint32_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
}

uint16_t simple_sum(const uint8_t *p, uint32_t len, uint32_t start)
{
	uint64_t sum = start;

	for (uint32_t i = 0; i < len; i++)
		sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* Pseudo header as RFC 8200 §8.1 draws it, added up; the IPv4 one has the same sum. */
static uint32_t pseudo(const char *src, const char *dst, uint8_t proto, uint32_t len)
{
	uint8_t b[40] = {0};
	struct ip s = ip_of(src), d = ip_of(dst);
	uint32_t from = ip_is4(&s) ? 12 : 0;

	memcpy(b, s.b + from, 16 - from);
	memcpy(b + 16, d.b + from, 16 - from);
	w16(b + 32, len >> 16);
	w16(b + 34, len);
	b[39] = proto;
	return (uint16_t)~simple_sum(b, 40, 0);
}

uint32_t make_eth(uint8_t *at, const uint8_t *to, const uint8_t *from, uint16_t type)
{
	memcpy(at, to, 6);
	memcpy(at + 6, from, 6);
	w16(at + 12, type);
	return 14;
}

uint32_t make_vlan(uint8_t *at, const uint8_t *to, uint16_t vlan, uint16_t type)
{
	(void)make_eth(at, to, mac_peer, 0x8100);
	w16(at + 14, vlan);
	w16(at + 16, type);
	return 18;
}

uint32_t make_ip4(uint8_t *at, const char *src, const char *dst, uint8_t proto, uint16_t id,
		  uint16_t fragment, const void *payload, uint32_t len)
{
	struct ip s = ip_of(src), d = ip_of(dst);

	memset(at, 0, 20);
	at[0] = 0x45;
	w16(at + 2, 20 + len);
	w16(at + 4, id);
	w16(at + 6, fragment);
	at[8] = 60;
	at[9] = proto;
	memcpy(at + 12, s.b + 12, 4);
	memcpy(at + 16, d.b + 12, 4);
	w16(at + 10, simple_sum(at, 20, 0));
	if (len > 0)
		memcpy(at + 20, payload, len);
	return 20 + len;
}

uint32_t make_ip6(uint8_t *at, const char *src, const char *dst, uint8_t next, uint8_t hops,
		  const void *payload, uint32_t len)
{
	struct ip s = ip_of(src), d = ip_of(dst);

	memset(at, 0, 8);
	at[0] = 0x60;
	w16(at + 4, len);
	at[6] = next;
	at[7] = hops;
	memcpy(at + 8, s.b, 16);
	memcpy(at + 24, d.b, 16);
	if (len > 0)
		memcpy(at + 40, payload, len);
	return 40 + len;
}

uint32_t make_udp(uint8_t *at, const char *src, const char *dst, uint16_t sport, uint16_t dport,
		  const void *payload, uint32_t len)
{
	uint16_t sum;

	w16(at, sport);
	w16(at + 2, dport);
	w16(at + 4, 8 + len);
	w16(at + 6, 0);
	if (len > 0)
		memcpy(at + 8, payload, len);
	sum = simple_sum(at, 8 + len, pseudo(src, dst, 17, 8 + len));
	w16(at + 6, sum != 0 ? sum : 0xffff);
	return 8 + len;
}

uint32_t make_icmp(uint8_t *at, const char *src, const char *dst, uint8_t type, uint8_t code,
		   uint32_t word, const void *payload, uint32_t len)
{
	bool is6 = strchr(src, ':') != NULL;

	at[0] = type;
	at[1] = code;
	w16(at + 2, 0);
	w16(at + 4, word >> 16);
	w16(at + 6, word);
	if (len > 0)
		memcpy(at + 8, payload, len);
	w16(at + 2, simple_sum(at, 8 + len, is6 ? pseudo(src, dst, 58, 8 + len) : 0));
	return 8 + len;
}

static uint32_t frame_of(uint8_t *at, const char *src, const char *dst, uint8_t proto,
			 const void *l4, uint32_t len)
{
	if (strchr(src, ':') != NULL) {
		(void)make_eth(at, mac_own, mac_peer, 0x86dd);
		return 14 + make_ip6(at + 14, src, dst, proto, 60, l4, len);
	}
	(void)make_eth(at, mac_own, mac_peer, 0x0800);
	return 14 + make_ip4(at + 14, src, dst, proto, 7, 0, l4, len);
}

uint32_t frame_udp(uint8_t *at, const char *src, const char *dst, uint16_t sport, uint16_t dport,
		   const void *payload, uint32_t len)
{
	uint8_t l4[FAKE_FRAME_MAX];

	return frame_of(at, src, dst, 17, l4, make_udp(l4, src, dst, sport, dport, payload, len));
}

uint32_t frame_icmp(uint8_t *at, const char *src, const char *dst, uint8_t type, uint8_t code,
		    uint32_t word, const void *payload, uint32_t len)
{
	uint8_t l4[FAKE_FRAME_MAX];
	uint32_t n = make_icmp(l4, src, dst, type, code, word, payload, len);

	return frame_of(at, src, dst, strchr(src, ':') != NULL ? 58 : 1, l4, n);
}

uint32_t frame_arp(uint8_t *at, const uint8_t *to, uint16_t op, const uint8_t *mac,
		   const char *sender, const uint8_t *tmac, const char *target)
{
	static const uint8_t head[6] = {0, 1, 8, 0, 6, 4};
	struct ip t = ip_of(target), s = strchr(sender, ':') == NULL ? ip_of(sender) : t;

	(void)make_eth(at, to, mac, 0x0806);
	memcpy(at + 14, head, 6);
	w16(at + 20, op);
	memcpy(at + 22, mac, 6);
	memcpy(at + 28, s.b + 12, 4);
	memset(at + 32, 0, 6);
	if (tmac != NULL)
		memcpy(at + 32, tmac, 6);
	memcpy(at + 38, t.b + 12, 4);
	return 42;
}

uint32_t frame_ndp(uint8_t *at, const uint8_t *to, const char *src, const char *dst, uint8_t type,
		   uint8_t flags, const char *target, const uint8_t *mac)
{
	uint8_t l4[64], rest[32] = {0};
	struct ip t = ip_of(target);
	uint32_t len = 16;

	memcpy(rest, t.b, 16);
	if (mac != NULL) {
		rest[16] = type == 135 ? 1 : 2;
		rest[17] = 1;
		memcpy(rest + 18, mac, 6);
		len = 24;
	}
	len = make_icmp(l4, src, dst, type, 0, (uint32_t)flags << 24, rest, len);
	(void)make_eth(at, to, mac_peer, 0x86dd);
	return 14 + make_ip6(at + 14, src, dst, 58, 255, l4, len);
}
