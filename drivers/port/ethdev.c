/* SPDX-License-Identifier: Apache-2.0 */
/* The fast path of a port over a DPDK ethdev.
 *
 * frame.buf is the rte_mbuf; a frame is a view of its only segment. On the way in the view is made
 * from the mbuf, on the way out the mbuf is written from the view: data may have moved either way.
 *
 * Checksum flags are passed on only where the device was asked to check: drivers hand over mbufs
 * with flags of former lives (net_ring those of the sender). Frames of several segments are not
 * asked for either; a driver that makes them all the same (memif, with buffers smaller than ours)
 * gets them copied into one, or dropped and counted as receive errors.
 *
 * Rx interrupts arm themselves here: after a few empty calls the interrupt is switched on and the
 * queue looked at once more, the first frames switch it off again. So whoever sleeps on fd() needs
 * to know nothing about it, and a busy queue never interrupts. */
#include "drivers/port/ethdev_internal.h"

#include <stdlib.h>
#include <unistd.h>

#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_mbuf.h>

#include "platform/base/err.h"

/* Empty calls before the interrupt is armed: more than the gaps of a burst, fewer than the passes
 * of 200 us before the loop sleeps. */
#define ARM_AFTER_EMPTY 8

_Static_assert(RTE_PKTMBUF_HEADROOM == FRAME_HEADROOM, "a fresh mbuf stands as a fresh frame does");

static uint8_t rx_flags(uint64_t ol_flags)
{
	uint64_t ip = ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;
	uint64_t l4 = ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK;
	uint8_t flags = 0;

	/* NONE: the sum in the packet is not filled in, but the data is known to be whole (virtio
	 * between guests of one host); UNKNOWN says nothing */
	if (ip == RTE_MBUF_F_RX_IP_CKSUM_GOOD || ip == RTE_MBUF_F_RX_IP_CKSUM_NONE)
		flags |= FRAME_IP_CSUM_GOOD;
	if (l4 == RTE_MBUF_F_RX_L4_CKSUM_GOOD || l4 == RTE_MBUF_F_RX_L4_CKSUM_NONE)
		flags |= FRAME_L4_CSUM_GOOD;
	if (ip == RTE_MBUF_F_RX_IP_CKSUM_BAD || l4 == RTE_MBUF_F_RX_L4_CKSUM_BAD)
		flags |= FRAME_CSUM_BAD;
	return flags;
}

static void frame_of(const struct ethdev *e, struct rte_mbuf *m, struct frame *f)
{
	f->buf = m;
	f->data = rte_pktmbuf_mtod(m, uint8_t *);
	f->len = m->data_len;
	f->room = (uint16_t)(m->buf_len - m->data_off);
	f->flags = e->rx_csum ? rx_flags(m->ol_flags) : 0;
	f->l3_off = 0;
}

/* ret false: it does not fit one buffer and is gone */
static bool chain_to_one(struct ethdev_queue *q, struct rte_mbuf *m)
{
	if (rte_pktmbuf_linearize(m) == 0)
		return true;
	rte_pktmbuf_free(m);
	atomic_store_explicit(&q->too_long,
			      atomic_load_explicit(&q->too_long, memory_order_relaxed) + 1,
			      memory_order_relaxed);
	return false;
}

static uint16_t receive_idle(struct ethdev *e, uint16_t queue, struct rte_mbuf **m, uint16_t max)
{
	struct ethdev_queue *q = &e->queue[queue];

	if (!q->interrupt || q->armed || ++q->n_empty < ARM_AFTER_EMPTY)
		return 0;
	ethdev_interrupt_arm(e, queue);
	/* what came before the arming raises no interrupt */
	return rte_eth_rx_burst(e->port_id, queue, m, max);
}

static uint32_t ethdev_rx(struct port *p, uint16_t queue, struct frame *f, uint32_t max)
{
	struct ethdev *e = p->impl;
	struct ethdev_queue *q = &e->queue[queue];
	struct rte_mbuf *m[PORT_BURST];
	uint16_t n, want = (uint16_t)(max < PORT_BURST ? max : PORT_BURST);
	uint32_t given = 0;

	n = rte_eth_rx_burst(e->port_id, queue, m, want);
	if (n == 0)
		n = receive_idle(e, queue, m, want);
	if (n == 0)
		return 0;
	q->n_empty = 0;
	if (q->armed)
		ethdev_interrupt_disarm(e, queue);
	for (uint16_t k = 0; k < n; k++) {
		if (m[k]->nb_segs == 1 || chain_to_one(q, m[k]))
			frame_of(e, m[k], &f[given++]);
	}
	return given;
}

/* RFC 791 §3.1, RFC 8200 §3: the device finds the sums by the lengths of the headers before them. */
static uint64_t tx_flags(struct rte_mbuf *m, const struct frame *f)
{
	const uint8_t *ip = f->data + f->l3_off;
	bool v4 = ip[0] >> 4 == 4;
	uint64_t flags = v4 ? RTE_MBUF_F_TX_IPV4 : RTE_MBUF_F_TX_IPV6;

	m->l2_len = f->l3_off & 127u;
	m->l3_len = v4 ? (ip[0] & 15u) * 4u : 40u;
	if (f->flags & FRAME_TX_IP_CSUM)
		flags |= RTE_MBUF_F_TX_IP_CKSUM;
	if (f->flags & FRAME_TX_UDP_CSUM)
		flags |= RTE_MBUF_F_TX_UDP_CKSUM;
	return flags;
}

static struct rte_mbuf *mbuf_of(const struct port *p, const struct frame *f)
{
	struct rte_mbuf *m = f->buf;

	dmust(m->nb_segs == 1 && m->next == NULL && rte_mbuf_refcnt_read(m) == 1);
	dmust(f->data >= (uint8_t *)m->buf_addr &&
	      f->data + f->len <= (uint8_t *)m->buf_addr + m->buf_len);
	dmust(!(f->flags & FRAME_TX_IP_CSUM) || p->info.tx_ip_csum);
	dmust(!(f->flags & FRAME_TX_UDP_CSUM) || p->info.tx_udp_csum);
	m->data_off = (uint16_t)(f->data - (uint8_t *)m->buf_addr);
	m->data_len = (uint16_t)f->len;
	m->pkt_len = f->len;
	m->ol_flags = 0; /* what receiving left there means something else to a sender */
	if (f->flags & (FRAME_TX_IP_CSUM | FRAME_TX_UDP_CSUM))
		m->ol_flags = tx_flags(m, f);
	return m;
}

static uint32_t ethdev_tx(struct port *p, uint16_t queue, struct frame *f, uint32_t n)
{
	struct ethdev *e = p->impl;
	struct rte_mbuf *m[PORT_BURST];
	uint32_t sent = 0;

	while (sent < n) { /* at most n / PORT_BURST + 1 turns */
		uint16_t part = (uint16_t)(n - sent < PORT_BURST ? n - sent : PORT_BURST), took;

		for (uint16_t k = 0; k < part; k++)
			m[k] = mbuf_of(p, &f[sent + k]);
		took = rte_eth_tx_burst(e->port_id, queue, m, part);
		sent += took;
		if (took < part)
			break;
	}
	return sent;
}

static bool ethdev_alloc(struct port *p, struct frame *f)
{
	struct ethdev *e = p->impl;
	struct rte_mbuf *m = rte_pktmbuf_alloc(e->pool);

	if (!m)
		return false;
	frame_of(e, m, f);
	f->flags = 0;
	return true;
}

static void ethdev_free(struct port *p, struct frame *f)
{
	rte_pktmbuf_free(f->buf);
	f->buf = NULL;
}

static int ethdev_fd(struct port *p, uint16_t queue)
{
	const struct ethdev *e = p->impl;

	return queue < e->n_queues ? e->queue[queue].fd : -1;
}

static void ethdev_stats(struct port *p, struct port_stats *s)
{
	struct ethdev *e = p->impl;
	struct rte_eth_stats d;

	*s = (struct port_stats){ 0 };
	if (rte_eth_stats_get(e->port_id, &d) != 0)
		d = (struct rte_eth_stats){ 0 }; /* a driver without counters */
	*s = (struct port_stats){ .rx_frames = d.ipackets, .rx_missed = d.imissed,
				  .rx_errors = d.ierrors, .rx_nombuf = d.rx_nombuf,
				  .tx_frames = d.opackets, .tx_errors = d.oerrors };
	for (uint16_t q = 0; q < e->n_queues; q++)
		s->rx_errors += atomic_load_explicit(&e->queue[q].too_long, memory_order_relaxed);
}

static bool ethdev_link_up(struct port *p)
{
	struct ethdev *e = p->impl;
	struct rte_eth_link link = { 0 };

	ethdev_fds_clear_errors(e);
	/* these drivers say "up" whatever the interface is */
	if (e->device.iface[0])
		return kernel_interface_running(e->device.iface);
	return rte_eth_link_get_nowait(e->port_id, &link) == 0 &&
	       link.link_status == RTE_ETH_LINK_UP;
}

static void ethdev_close(struct port *p)
{
	struct ethdev *e = p->impl;

	if (!e)
		return;
	/* the process is about to end or to try another device: failures change neither */
	if (e->promiscuous)
		(void)rte_eth_promiscuous_disable(e->port_id);
	if (e->probed) {
		(void)rte_eth_dev_stop(e->port_id);
		(void)rte_eth_dev_close(e->port_id);
	}
	if (e->probed && e->device.kind == RT_DEVICE_VDEV)
		(void)rte_eal_hotplug_remove("vdev", e->device.name);
	if (e->claim >= 0)
		(void)close(e->claim);
	/* the pool stays: frames may be out, and another port may use it */
	free(e);
	p->impl = NULL;
}

const struct port_ops ethdev_ops = {
	.rx = ethdev_rx,
	.tx = ethdev_tx,
	.alloc = ethdev_alloc,
	.free = ethdev_free,
	.fd = ethdev_fd,
	.stats = ethdev_stats,
	.link_up = ethdev_link_up,
	.close = ethdev_close,
};
