/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a port: the first alternative of its device string that works.
 *
 * Virtual devices are plugged in while we run, one after the other, so that one that fails leaves
 * nothing behind for the next; PCI devices were found by EAL, which touches only those that the
 * configuration names. Then the device says what it can do, and gets the smaller of that and of
 * what is wanted: queues, descriptors, offloads, RSS, MTU.
 *
 * MTU: the largest among the port's interfaces, as far as the device, the kernel's interface below
 * it and the buffers go. The kernel's own MTU is never changed.
 *
 * Where several queues are to be had, the device spreads flows over them by its own hash; which
 * core a flow belongs to is decided elsewhere, this only makes handing over rare. */
#include "drivers/port/ethdev_internal.h"

#include <errno.h>
#include <stdlib.h>

#include <rte_bus.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ether.h>
#include <rte_lcore.h>

#include "platform/base/log.h"
#include "platform/rt/buffers.h"

#define RX_CSUM (RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM | \
		 RTE_ETH_RX_OFFLOAD_TCP_CKSUM)
#define TX_CSUM (RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM)
#define RSS_FLOWS (RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_TCP)
/* AF_PACKET: the driver's own frame size, good for an MTU of 1,500; frames of a block, so that any
 * multiple of 64 octets makes whole pages. */
#define PACKET_FRAME_DEFAULT 2048u
#define PACKET_BLOCK_FRAMES 64u

/* What is wanted, and what of it the device gives. */
struct plan {
	uint32_t mtu, room, node;
	uint16_t queues, rx_descriptors, tx_descriptors;
	uint64_t rx_offloads, tx_offloads, rss;
};

static bool is_driver(const struct rt_device *d, const char *name)
{
	return str_eq(str_from_c(d->driver), str_from_c(name));
}

static int complete_xdp(struct rt_device *d, uint32_t queues)
{
	int ret = rt_device_arg_default(d, "busy_budget", 0); /* else poll() does not wake us */

	if (ret == 0)
		ret = rt_device_arg_default(d, "start_queue", 0);
	return ret != 0 ? ret : rt_device_arg_default(d, "queue_count", queues);
}

static int complete_packet(struct rt_device *d, const struct plan *plan)
{
	uint32_t frames = (plan->rx_descriptors + PACKET_BLOCK_FRAMES - 1u) / PACKET_BLOCK_FRAMES *
			  PACKET_BLOCK_FRAMES;
	uint32_t size = plan->room - RT_BUFFER_HEADROOM;
	int ret = rt_device_arg_default(d, "qpairs", plan->queues);

	if (ret == 0)
		ret = rt_device_arg_default(d, "framecnt", frames);
	if (ret != 0 || size <= PACKET_FRAME_DEFAULT)
		return ret;
	ret = rt_device_arg_default(d, "framesz", size);
	return ret != 0 ? ret : rt_device_arg_default(d, "blocksz", size * PACKET_BLOCK_FRAMES);
}

/* ret 0 · -E_REFUSED: somebody alive gets the interface's packets */
static int claim_and_clear(struct ethdev *e, struct strbuf *why)
{
	const char *iface = e->device.iface;
	int ret;

	e->claim = kernel_interface_claim(iface);
	if (e->claim < 0) {
		strbuf_printf(why, "interface %s: %s", iface, e->claim == -EADDRINUSE ?
			      "a running process of ours has it" : err_text(e->claim));
		return -E_REFUSED;
	}
	ret = kernel_xdp_clear(iface);
	if (ret != 0) /* maybe there is none: if there is, the log has told why we hear nothing */
		LOG(LOG_WARN, "port", "xdp_not_cleared", "interface=%s error=\"%s\"", iface,
		    err_text(ret));
	return 0;
}

/* Before the device is made: the interface it will stand on, and the arguments that follow from
 * it. */
static int prepare(struct ethdev *e, struct plan *plan, struct strbuf *why)
{
	struct rt_device *d = &e->device;
	bool xdp = is_driver(d, "net_af_xdp");
	uint32_t mtu, channels;
	int ret;

	if (!d->iface[0])
		return 0;
	ret = kernel_interface_mtu(d->iface, &mtu);
	if (ret != 0) {
		strbuf_printf(why, "interface %s: %s", d->iface, err_text(ret));
		return -E_NOT_FOUND;
	}
	plan->mtu = mtu < plan->mtu ? mtu : plan->mtu;
	plan->room = rt_buffer_room(plan->mtu);
	ret = claim_and_clear(e, why);
	if (ret != 0)
		return ret;
	if (xdp) {
		channels = kernel_interface_channels(d->iface);
		plan->queues = channels < plan->queues ? (uint16_t)channels : plan->queues;
	}
	ret = xdp ? complete_xdp(d, plan->queues) : complete_packet(d, plan);
	if (ret != 0)
		strbuf_put(why, STR("too many arguments"));
	return ret;
}

static const char *probe_hint(const struct ethdev *e, int error)
{
	if (e->device.kind == RT_DEVICE_PCI)
		return " (bound to vfio-pci? see dpdk-devbind.py -s)";
	/* EAL's way to say that no driver takes the name */
	return error == -EFAULT ? " (no such driver, or its package is not installed)" : "";
}

static int probe(struct ethdev *e, struct strbuf *why)
{
	char text[2 * CONF_TEXT_MAX];
	struct strbuf b = strbuf_of(text, sizeof(text));
	int ret = 0;

	if (e->device.kind == RT_DEVICE_VDEV) {
		ret = rte_eal_hotplug_add("vdev", e->device.name, e->device.args);
	} else if (rte_eth_dev_get_port_by_name(e->device.name, &e->port_id) != 0) {
		strbuf_printf(&b, "%s%s%s", e->device.name, e->device.args[0] ? "," : "",
			      e->device.args);
		ret = rte_dev_probe(text);
	}
	if (ret == 0)
		ret = rte_eth_dev_get_port_by_name(e->device.name, &e->port_id);
	e->probed = ret == 0;
	if (ret != 0)
		strbuf_printf(why, "DPDK does not open it: %s%s", err_text(ret),
			      probe_hint(e, ret));
	return ret != 0 ? -E_NOT_FOUND : 0;
}

/* The largest MTU that rte_eth_dev_configure() takes: it adds what the driver needs around it. */
static uint32_t device_mtu(const struct rte_eth_dev_info *info)
{
	uint32_t around = RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN;
	uint32_t by_length;

	if (info->max_mtu != UINT16_MAX && info->max_rx_pktlen > info->max_mtu)
		around = info->max_rx_pktlen - info->max_mtu;
	by_length = info->max_rx_pktlen > around ? info->max_rx_pktlen - around : RTE_ETHER_MTU;
	return by_length < info->max_mtu ? by_length : info->max_mtu;
}

static uint16_t least(uint32_t a, uint32_t b)
{
	return (uint16_t)(a < b ? a : b);
}

static int agree(struct ethdev *e, struct plan *plan, struct rte_eth_dev_info *info,
		 struct strbuf *why)
{
	int ret = rte_eth_dev_info_get(e->port_id, info);

	if (ret != 0) {
		strbuf_printf(why, "no device information: %s", err_text(ret));
		return -E_NOT_FOUND;
	}
	plan->queues = least(plan->queues, info->max_rx_queues);
	plan->queues = least(plan->queues, info->max_tx_queues);
	plan->queues = least(plan->queues, ETHDEV_QUEUES_MAX);
	if (plan->queues == 0) {
		strbuf_put(why, STR("it has no queues"));
		return -E_NOT_FOUND;
	}
	/* AF_PACKET names a limit that it does not have */
	if (!is_driver(&e->device, "net_af_packet") && device_mtu(info) < plan->mtu)
		plan->mtu = device_mtu(info);
	plan->rx_offloads = info->rx_offload_capa & RX_CSUM;
	plan->tx_offloads = info->tx_offload_capa & TX_CSUM;
	plan->rss = plan->queues > 1 ? info->flow_type_rss_offloads & RSS_FLOWS : 0;
	return 0;
}

static int configure(struct ethdev *e, struct plan *plan, const struct rte_eth_dev_info *info)
{
	uint32_t told = device_mtu(info) < plan->mtu ? device_mtu(info) : plan->mtu;
	struct rte_eth_conf c = {
		.rxmode = { .mtu = told, .offloads = plan->rx_offloads,
			    .mq_mode = plan->rss ? RTE_ETH_MQ_RX_RSS : RTE_ETH_MQ_RX_NONE },
		.txmode = { .offloads = plan->tx_offloads },
		.rx_adv_conf.rss_conf.rss_hf = plan->rss,
		.intr_conf.rxq = e->rx_interrupts,
	};
	int ret = rte_eth_dev_configure(e->port_id, plan->queues, plan->queues, &c);

	if (ret != 0)
		return ret;
	return rte_eth_dev_adjust_nb_rx_tx_desc(e->port_id, &plan->rx_descriptors,
						&plan->tx_descriptors);
}

static int start(struct ethdev *e, struct plan *plan, const struct rte_eth_dev_info *info,
		 struct ethdev_sockets *fresh, const struct ethdev_sockets *known)
{
	int ret = configure(e, plan, info);

	for (uint16_t q = 0; ret == 0 && q < plan->queues; q++) {
		ret = rte_eth_rx_queue_setup(e->port_id, q, plan->rx_descriptors, plan->node, NULL,
					     e->pool);
		ethdev_sockets_find(fresh, known); /* each at once: the order is the queues' */
		if (ret == 0)
			ret = rte_eth_tx_queue_setup(e->port_id, q, plan->tx_descriptors,
						     plan->node, NULL);
	}
	return ret != 0 ? ret : rte_eth_dev_start(e->port_id);
}

static int start_any(struct ethdev *e, struct plan *plan, const struct rte_eth_dev_info *info,
		     struct ethdev_sockets *fresh, const struct ethdev_sockets *known,
		     struct strbuf *why)
{
	int ret;

	/* other virtual devices have no rx interrupts, and some complain when asked */
	e->rx_interrupts = e->device.kind == RT_DEVICE_PCI || is_driver(&e->device, "net_tap") ||
			   is_driver(&e->device, "net_virtio_user");
	ret = start(e, plan, info, fresh, known);
	if (ret != 0 && e->rx_interrupts) {
		e->rx_interrupts = false;
		ret = start(e, plan, info, fresh, known);
	}
	if (ret != 0)
		strbuf_printf(why, "it does not start: %s", err_text(ret));
	return ret != 0 ? -E_NOT_FOUND : 0;
}

/* RFC 4861 §7.2.1: neighbour solicitations come to multicast groups of our own making. */
static void listen_to_groups(struct ethdev *e, const char *port)
{
	if (rte_eth_allmulticast_enable(e->port_id) == 0)
		return;
	e->promiscuous = rte_eth_promiscuous_enable(e->port_id) == 0;
	if (e->promiscuous)
		return;
	LOG(LOG_WARN, "port", "no_multicast", "port=%s device=%s neighbour discovery (IPv6) may "
	    "not reach us: a VF needs `trust on` or its list of groups", port, e->device.name);
}

static void describe(struct ethdev *e, const struct plan *plan, const struct rte_eth_dev_info *info,
		     struct port *p)
{
	struct rte_ether_addr mac = { { 0 } };
	int node = rte_eth_dev_socket_id(e->port_id);

	p->ops = &ethdev_ops;
	p->info = (struct port_info){ .mtu = (uint16_t)plan->mtu, .queues = plan->queues };
	(void)str_to_c(str_from_c(info->driver_name), p->info.driver, sizeof(p->info.driver));
	(void)rte_eth_macaddr_get(e->port_id, &mac); /* only an unknown port_id fails */
	memcpy(p->info.mac, mac.addr_bytes, sizeof(p->info.mac));
	e->n_queues = plan->queues;
	e->rx_csum = plan->rx_offloads != 0;
	p->info.rx_csum = e->rx_csum;
	p->info.tx_ip_csum = (plan->tx_offloads & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM) != 0;
	p->info.tx_udp_csum = (plan->tx_offloads & RTE_ETH_TX_OFFLOAD_UDP_CKSUM) != 0;
	p->info.numa_node = node < 0 ? CONF_AUTO : (uint32_t)node;
	p->info.link_up = ethdev_ops.link_up(p);
}

static void log_opened(const struct ethdev *e, const struct plan *plan, const struct port *p,
		       const char *name)
{
	const uint8_t *m = p->info.mac;

	LOG(LOG_NOTICE, "port", "opened",
	    "port=%s device=%s%s%s driver=%s mac=%02x:%02x:%02x:%02x:%02x:%02x mtu=%u queues=%u "
	    "rx_descriptors=%u tx_descriptors=%u rss=%s rx_csum=%s tx_ip_csum=%s tx_udp_csum=%s "
	    "node=%u buffers=%u room=%u sleeps_on=%s link=%s",
	    name, e->device.name, e->device.args[0] ? "," : "", e->device.args, p->info.driver,
	    m[0], m[1], m[2], m[3], m[4], m[5], p->info.mtu, p->info.queues, plan->rx_descriptors,
	    plan->tx_descriptors, plan->rss ? "yes" : "no", p->info.rx_csum ? "yes" : "no",
	    p->info.tx_ip_csum ? "yes" : "no", p->info.tx_udp_csum ? "yes" : "no", plan->node,
	    e->pool->size, plan->room,
	    e->queue[0].fd < 0 ? "nothing" : e->device.iface[0] ? "socket" : "interrupt",
	    p->info.link_up ? "up" : "down");
}

static int open_device(struct ethdev *e, const struct conf *conf, uint32_t index, struct port *p,
		       struct strbuf *why)
{
	struct plan plan = {
		.mtu = rt_port_mtu(conf, index),
		.room = rt_buffer_room(rt_port_mtu(conf, index)),
		.queues = least(rt_port_queues(conf, index), ETHDEV_QUEUES_MAX),
		.rx_descriptors = least(rt_port_rx_descriptors(conf, index), UINT16_MAX),
		.tx_descriptors = least(rt_port_tx_descriptors(conf, index), UINT16_MAX),
	};
	struct ethdev_sockets known = { .n = 0 }, fresh = { .n = 0 };
	struct rte_eth_dev_info info;
	int ret = prepare(e, &plan, why);

	if (ret != 0)
		return ret;
	plan.node = rt_device_node(&e->device, conf->port[index].numa_node, rte_socket_id());
	ethdev_sockets_find(&known, NULL);
	ret = probe(e, why);
	if (ret == 0)
		ret = agree(e, &plan, &info, why);
	if (ret != 0)
		return ret;
	ethdev_sockets_find(&fresh, &known);
	e->pool = ethdev_pool(conf, plan.node, &plan.room, is_driver(&e->device, "net_af_xdp"));
	if (!e->pool) {
		strbuf_printf(why, "no memory for %u buffers of %u octets on NUMA node %u",
			      rt_buffers_per_pool(conf), plan.room, plan.node);
		return -E_FULL;
	}
	if (plan.mtu > rt_buffer_mtu(plan.room))
		plan.mtu = rt_buffer_mtu(plan.room);
	ret = start_any(e, &plan, &info, &fresh, &known, why);
	if (ret != 0)
		return ret;
	describe(e, &plan, &info, p);
	ethdev_fds_assign(e, &fresh);
	listen_to_groups(e, conf->port[index].name);
	log_opened(e, &plan, p, conf->port[index].name);
	return 0;
}

static int open_alternative(const struct rt_device *d, const struct conf *conf, uint32_t index,
			    struct port *p, struct strbuf *why)
{
	struct ethdev *e = aligned_alloc(_Alignof(struct ethdev), sizeof(*e));
	int ret;

	if (!e) {
		strbuf_put(why, STR("no memory"));
		return -E_FULL;
	}
	memset(e, 0, sizeof(*e));
	e->device = *d;
	e->claim = -1;
	*p = (struct port){ .ops = &ethdev_ops, .impl = e };
	ret = open_device(e, conf, index, p, why);
	if (ret == 0)
		return 0;
	/* a device that failed half-way may have left its program; with no right to take it off it
	 * had none to put it on */
	if (e->claim >= 0)
		(void)kernel_xdp_clear(d->iface);
	ethdev_ops.close(p);
	return ret;
}

int port_ethdev_open(const struct conf *conf, uint32_t index, struct port *p, struct strbuf *why)
{
	const struct conf_port *c = &conf->port[index];
	int result = -E_NOT_FOUND;

	for (uint32_t n = 0; n < RT_ALTERNATIVES_MAX; n++) {
		char mem[CONF_TEXT_MAX];
		struct strbuf reason = strbuf_of(mem, sizeof(mem));
		struct rt_device d;
		int ret = rt_device_parse(c->device, n, index, &d, &reason);

		if (ret == -E_NOT_FOUND)
			break;
		if (ret == 0)
			ret = open_alternative(&d, conf, index, p, &reason);
		if (ret == 0)
			return 0;
		if (ret == -E_FULL)
			result = -E_FULL;
		LOG(LOG_NOTICE, "port", "not_opened", "port=%s alternative=%u device=%s reason=%s",
		    c->name, n + 1, d.name, log_quote(strbuf_str(&reason)));
		strbuf_printf(why, "%s%s: %.*s", n > 0 ? "; " : "", d.name,
			      STR_FMT(strbuf_str(&reason)));
	}
	return result;
}
