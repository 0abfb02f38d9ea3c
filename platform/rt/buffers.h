/* SPDX-License-Identifier: Apache-2.0 */
/* Packet buffers: how many, how big, on which NUMA node. One place for both who takes the memory at
 * start (eal.c) and who makes pools in it (drivers/port). No DPDK. Runs at start. */
#pragma once
#include "platform/rt/device.h"

#define RT_NODES_MAX 32
/* In front of and behind a frame in its buffer. AF_XDP keeps another 256 octets for its programs. */
#define RT_BUFFER_HEADROOM 128
#define RT_BUFFER_XDP_HEADROOM 256
/* Ethernet header and two VLAN tags. */
#define RT_BUFFER_L2_MAX 22

/* Octets of data room (headroom included) for packets of mtu octets: at least 2,048 + headroom, a
 * multiple of 64. */
uint32_t rt_buffer_room(uint32_t mtu);
/* Largest MTU that fits a room. */
uint32_t rt_buffer_mtu(uint32_t room);
/* Largest MTU among the interfaces on the port; 1,500 where it has none. */
uint32_t rt_port_mtu(const struct conf *c, uint32_t port_index);
/* Queue pairs wanted of the port, and descriptors of a queue. */
uint32_t rt_port_queues(const struct conf *c, uint32_t port_index);
uint32_t rt_port_rx_descriptors(const struct conf *c, uint32_t port_index);
uint32_t rt_port_tx_descriptors(const struct conf *c, uint32_t port_index);
/* Buffers of one pool: those that the cores are promised, those that devices hold, those that lie
 * in the cores' caches. */
uint32_t rt_buffers_per_pool(const struct conf *c);
#define RT_BUFFER_CACHE 256 /* per core and pool */
/* NUMA node that the buffers of a port's device lie on: the configured one, else the device's, else
 * other_node (that of the first polled core). */
uint32_t rt_device_node(const struct rt_device *d, uint32_t configured, uint32_t other_node);
uint32_t rt_cpu_node(uint32_t cpu);
/* Octets of huge pages wanted on each node, for all pools that opening the ports may make. */
void rt_buffers_plan(const struct conf *c, uint32_t first_cpu, uint64_t bytes[RT_NODES_MAX]);
