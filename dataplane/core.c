/* SPDX-License-Identifier: Apache-2.0 */
/* The loop of a polled core. A pass takes at most one burst from each port and one from each down
 * ring, so that neither side can starve the other; timers follow, then everything goes out at once. */
#include "dataplane/core.h"

#include "platform/base/clock.h"

#include <stdlib.h>

#define DOWN_BURST 32

struct core *core_new(const struct core_config *k, uint64_t now_us)
{
	struct core *c = calloc(1, sizeof(*c));
	struct net_config nc = { .port = k->port, .queue = k->queue };

	if (c == NULL)
		return NULL;
	c->id = k->id;
	c->link = k->link;
	c->conf = link_conf(k->link);
	c->port = k->port;
	c->queue = k->queue;
	c->stop = k->stop;
	c->count = link_counters(k->link, k->id);
	c->loop = link_core_loop(k->link, k->id);
	for (uint32_t s = 0; s < k->link->h->n_shards; s++)
		c->bell[s] = k->shard_bell[s];
	nc.conf = c->conf;
	nc.count = c->count;
	nc.key = k->link->h->keys.steer;
	nc.announces = k->id == 0;
	c->net = net_new(&nc, now_us);
	c->udp = c->net ? udp_new(c->conf, c->net, c->count) : NULL;
	c->edge = edge_new(k->link, k->id);
	if (c->udp == NULL || c->edge == NULL) {
		core_free(c);
		return NULL;
	}
	idle_init(&c->idle, k->bell, &c->loop->sleeping, k->alone, now_us);
	for (uint32_t p = 0; p < c->conf->n_ports; p++) {
		int fd = c->port[p]->ops->fd(c->port[p], k->queue);

		/* nothing would wake us for a frame of this port: look all the time */
		if (fd < 0 || idle_add_fd(&c->idle, fd) != 0)
			c->idle.never_sleep = true;
	}
	return c;
}

void core_free(struct core *c)
{
	if (c == NULL)
		return;
	edge_free(c->edge);
	udp_free(c->udp);
	net_free(c->net);
	free(c);
}

static void send_bytes(struct core *c, const struct link_flow *flow, struct str bytes, uint64_t now_us)
{
	struct net_path path;
	struct frame f;

	if (!udp_path(c->udp, flow, &path) || !net_payload(c->net, &path, bytes.len, &f))
		return; /* counted where it was refused */
	memcpy(f.data, bytes.s, bytes.len);
	f.len = bytes.len;
	(void)net_out_udp(c->net, &path, &f, now_us); /* an answer without state: the peer asks again */
}

static void frame_in(struct core *c, uint16_t port, struct frame *f, uint64_t now_us)
{
	struct link_flow flow;
	struct str payload, answer;
	struct net_in r;
	enum net_verdict v = net_in(c->net, port, f, now_us, &r);

	if (v == NET_DONE)
		return;
	if (v == NET_UDP && udp_in(c->udp, &r, (uint8_t)c->id, now_us, &flow, &payload) == UDP_SIP) {
		edge_in(c->edge, &flow, payload, now_us, &answer);
		if (answer.len > 0)
			send_bytes(c, &flow, answer, now_us);
	}
	if (f->buf != NULL)
		c->port[port]->ops->free(c->port[port], f);
}

static uint32_t rx(struct core *c, uint64_t now_us)
{
	struct frame f[PORT_BURST];
	uint32_t work = 0;

	for (uint16_t p = 0; p < c->conf->n_ports; p++) {
		uint32_t n = c->port[p]->ops->rx(c->port[p], c->queue, f, PORT_BURST);

		for (uint32_t i = 0; i < n; i++)
			frame_in(c, p, &f[i], now_us);
		work += n;
	}
	return work;
}

/* Render into a fresh buffer and send. The usual message fits a frame; a longer one is rendered into
 * net's large buffer and goes in fragments. */
static bool send_record(struct core *c, uint32_t shard, const struct link_record *r, uint64_t now_us)
{
	static const uint32_t sizes[] = { 1400, 65507 };
	struct net_path path;
	struct frame f;

	if (!udp_path(c->udp, &r->flow, &path))
		return false;
	for (unsigned i = 0; i < 2; i++) {
		int n;

		if (!net_payload(c->net, &path, sizes[i], &f))
			return false;
		n = edge_render(c->edge, shard, r, (char *)f.data, f.room < sizes[i] ? f.room : sizes[i]);
		if (n > 0) {
			f.len = (uint32_t)n;
			return net_out_udp(c->net, &path, &f, now_us) == 0;
		}
		net_payload_free(c->net, &path, &f);
		if (n != -E_TOO_LONG)
			return false;
	}
	return false;
}

static uint32_t down(struct core *c, uint64_t now_us)
{
	uint32_t work = 0;

	for (uint32_t s = 0; s < c->link->h->n_shards; s++) {
		struct link_record r;
		uint32_t n = 0;

		while (n < DOWN_BURST && edge_down(c->edge, s, &r) == 1) {
			edge_sent(c->edge, s, &r, send_record(c, s, &r, now_us));
			n++;
		}
		edge_down_end(c->edge, s);
		work += n;
	}
	return work;
}

static void wake_shards(struct core *c)
{
	for (uint32_t woken = c->edge->woken; woken != 0; woken &= woken - 1) {
		uint32_t s = (uint32_t)__builtin_ctz(woken);

		(void)idle_wake(&link_shard_loop(c->link, s)->sleeping, c->bell[s]);
	}
	c->edge->woken = 0;
}

bool core_step(struct core *c, uint64_t now_us)
{
	uint32_t work;

	edge_pass(c->edge);
	work = rx(c, now_us);
	work += down(c, now_us);
	edge_tick(c->edge, now_us);
	if (now_us >= net_next_us(c->net))
		net_tick(c->net, now_us);
	work += net_flush(c->net);
	wake_shards(c);
	return work != 0;
}

static bool has_work(void *arg)
{
	struct core *c = arg;

	return edge_has_work(c->edge) || atomic_load_explicit(c->stop, memory_order_relaxed);
}

static uint64_t next_us(const struct core *c, uint64_t now_us)
{
	uint64_t next = net_next_us(c->net);

	for (uint32_t s = 0; s < c->link->h->n_shards; s++) {
		if (c->edge->hold[s].n > 0 && next > now_us + 1000)
			next = now_us + 1000; /* room in an up ring rings no bell */
	}
	return c->edge->slots.sweeping ? now_us : next;
}

int core_run(void *arg)
{
	struct core *c = arg;

	while (!atomic_load_explicit(c->stop, memory_order_relaxed)) {
		uint64_t now_us = clock_now_us();
		bool worked = core_step(c, now_us);

		atomic_store_explicit(&c->loop->progress, c->loop->progress + 1, memory_order_relaxed);
		atomic_store_explicit(&c->loop->busy_cycles, c->idle.busy_cycles, memory_order_relaxed);
		atomic_store_explicit(&c->loop->idle_cycles, c->idle.idle_cycles, memory_order_relaxed);
		(void)idle_pass(&c->idle, worked, now_us, next_us(c, now_us), has_work, c);
	}
	return 0;
}
