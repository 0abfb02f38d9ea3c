/* SPDX-License-Identifier: Apache-2.0 */
/* Packet buffers: how many, how big, on which NUMA node.
 *
 * A pool belongs to a node and a room; ports alike in both share one. Each pool has the full number
 * of buffers: a frame stays in the pool of the port it came by, so the worst case is all of them in
 * one. Devices hold buffers without giving anything to do: AF_XDP fills a ring of twice the receive
 * descriptors before the first packet.
 *
 * Where a device lies is asked of sysfs, because memory is reserved before EAL knows any device. */
#include "platform/rt/buffers.h"

#include <stdio.h>
#include <unistd.h>

#define ROOM_MIN (2048u + RT_BUFFER_HEADROOM)
#define ROOM_UNIT 64u
#define ROOM_FIXED (RT_BUFFER_HEADROOM + RT_BUFFER_XDP_HEADROOM + RT_BUFFER_L2_MAX)
#define MTU_DEFAULT 1500u
#define DESCRIPTORS_DEFAULT 1024u
/* Header of an element and its packet descriptor (64 + 128), and what spreading elements over
 * memory channels may add. */
#define ELEMENT_EXTRA 320u
/* EAL's own tables, rings of devices, heap headers. */
#define EAL_BYTES (24u << 20)

uint32_t rt_buffer_room(uint32_t mtu)
{
	uint32_t room = (ROOM_FIXED + mtu + ROOM_UNIT - 1) / ROOM_UNIT * ROOM_UNIT;

	return room < ROOM_MIN ? ROOM_MIN : room;
}

uint32_t rt_buffer_mtu(uint32_t room)
{
	return room < ROOM_FIXED ? 0 : room - ROOM_FIXED;
}

uint32_t rt_port_mtu(const struct conf *c, uint32_t port_index)
{
	uint32_t mtu = 0;

	for (uint32_t k = 0; k < c->n_interfaces; k++) {
		if (c->interface[k].port_index == port_index && c->interface[k].mtu > mtu)
			mtu = c->interface[k].mtu;
	}
	return mtu ? mtu : MTU_DEFAULT;
}

uint32_t rt_port_queues(const struct conf *c, uint32_t port_index)
{
	uint32_t queues = c->port[port_index].queues;

	return queues ? queues : c->polled;
}

uint32_t rt_port_rx_descriptors(const struct conf *c, uint32_t port_index)
{
	uint32_t n = c->port[port_index].rx_descriptors;

	return n ? n : DESCRIPTORS_DEFAULT;
}

uint32_t rt_port_tx_descriptors(const struct conf *c, uint32_t port_index)
{
	uint32_t n = c->port[port_index].tx_descriptors;

	return n ? n : DESCRIPTORS_DEFAULT;
}

uint32_t rt_buffers_per_pool(const struct conf *c)
{
	/* a cache flushes at one and a half times its size */
	uint32_t n = c->polled * (c->packet_buffers + RT_BUFFER_CACHE * 3 / 2);

	for (uint32_t k = 0; k < c->n_ports; k++)
		n += rt_port_queues(c, k) *
		     (2 * rt_port_rx_descriptors(c, k) + rt_port_tx_descriptors(c, k));
	return n;
}

/* The number in a file of sysfs, or other where there is none (or -1, "no node"). */
static uint32_t node_in(const char *path, uint32_t other)
{
	FILE *f = fopen(path, "re");
	int node;

	if (!f)
		return other;
	if (fscanf(f, "%d", &node) != 1 || node < 0 || node >= RT_NODES_MAX)
		node = -1;
	(void)fclose(f); /* only read */
	return node < 0 ? other : (uint32_t)node;
}

uint32_t rt_device_node(const struct rt_device *d, uint32_t configured, uint32_t other_node)
{
	char path[CONF_TEXT_MAX + 64];
	struct strbuf b = strbuf_of(path, sizeof(path));

	if (configured != CONF_AUTO)
		return configured;
	if (d->kind == RT_DEVICE_PCI)
		strbuf_printf(&b, "/sys/bus/pci/devices/%s/numa_node", d->name);
	else if (d->iface[0])
		strbuf_printf(&b, "/sys/class/net/%s/device/numa_node", d->iface);
	else
		return other_node;
	return node_in(path, other_node);
}

uint32_t rt_cpu_node(uint32_t cpu)
{
	for (uint32_t node = 0; node < RT_NODES_MAX; node++) {
		char path[96];
		struct strbuf b = strbuf_of(path, sizeof(path));

		strbuf_printf(&b, "/sys/devices/system/cpu/cpu%u/node%u", cpu, node);
		if (access(path, F_OK) == 0)
			return node;
	}
	return 0; /* a kernel without NUMA */
}

/* One pool to be: which node, which room. */
struct pool_key {
	uint32_t node, room;
};

static uint32_t keys_add(struct pool_key *key, uint32_t n, struct pool_key k)
{
	for (uint32_t i = 0; i < n; i++) {
		if (key[i].node == k.node && key[i].room == k.room)
			return n;
	}
	key[n] = k;
	return n + 1;
}

void rt_buffers_plan(const struct conf *c, uint32_t first_cpu, uint64_t bytes[RT_NODES_MAX])
{
	struct pool_key key[CONF_PORTS_MAX * RT_ALTERNATIVES_MAX];
	uint32_t n = 0, here = rt_cpu_node(first_cpu);
	char unread[1];
	struct strbuf why = strbuf_of(unread, sizeof(unread));

	for (uint32_t p = 0; p < c->n_ports; p++) {
		for (uint32_t a = 0; a < RT_ALTERNATIVES_MAX; a++) {
			struct pool_key k = { here, rt_buffer_room(rt_port_mtu(c, p)) };
			struct rt_device d;

			/* what cannot be read is complained of when the port is opened */
			if (rt_device_parse(c->port[p].device, a, p, &d, &why) != 0)
				continue;
			k.node = rt_device_node(&d, c->port[p].numa_node, here);
			if (k.node < RT_NODES_MAX)
				n = keys_add(key, n, k);
		}
	}
	for (uint32_t node = 0; node < RT_NODES_MAX; node++)
		bytes[node] = node == here ? EAL_BYTES : 0;
	for (uint32_t i = 0; i < n; i++)
		bytes[key[i].node] += (uint64_t)rt_buffers_per_pool(c) *
				      (key[i].room + ELEMENT_EXTRA);
}
