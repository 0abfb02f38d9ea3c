/* SPDX-License-Identifier: Apache-2.0 */
/* Port over a DPDK ethdev: physical or virtual function by PCI address, env:PCIDEVICE_..., or a vdev
 * (net_af_xdp, net_af_packet, net_memif, net_tap, net_ring, net_pcap, net_virtio_user). */
#pragma once
#include "platform/base/conf.h"
#include "platform/iface/port.h"

/* Open conf->port[index] after rt_eal_start(): the first of its '|' alternatives that works; queues,
 * descriptors, offloads and RSS follow the device's capabilities and are printed as one log event.
 * Buffers: one mempool per NUMA node, elements fit 4,096 octets in all (AF_XDP), FRAME_HEADROOM in
 * front. AF_XDP: a left-over XDP program of a killed run is cleared first; busy_budget=0.
 * All-multicast is switched on (NDP), else promiscuous, else a warning.
 * out    p           ready for rx/tx on queues 0 .. info.queues-1
 * ret    0 · -E_NOT_FOUND (no such device, tried ones and their errors in why) · -E_FULL (memory) */
int port_ethdev_open(const struct conf *conf, uint32_t index, struct port *p, struct strbuf *why);
