/* SPDX-License-Identifier: Apache-2.0 */
/* A port: bursts of frames in and out, and the buffers they lie in. Filled in by drivers/port/.
 *
 * A struct frame is a view of one buffer that the driver owns the memory of. Whoever holds the frame
 * holds the buffer: it ends by frame_free() or by being taken by tx. One buffer, one segment, one
 * reference: nothing sent is shared (chains and clones are lost on AF_XDP).
 * All calls run on the polled core that owns the queue; none blocks, allocates from the system or
 * logs. */
#pragma once
#include "platform/base/ip.h"

#define PORT_BURST 32
#define FRAME_HEADROOM 128 /* octets in front of data in a fresh buffer: Ethernet, VLAN, IPv6, TCP */

enum frame_flag {
	FRAME_IP_CSUM_GOOD = 1,  /* the device checked the IPv4 header                     */
	FRAME_L4_CSUM_GOOD = 2,  /* the device checked the UDP/TCP sum                     */
	FRAME_CSUM_BAD = 4,      /* the device says one of them is wrong                   */
	FRAME_TX_IP_CSUM = 8,    /* tx: device computes the IPv4 header sum                */
	FRAME_TX_UDP_CSUM = 16,  /* tx: device computes the UDP sum (pseudo sum is stored) */
};
struct frame {
	void *buf;       /* the driver's own                                       */
	uint8_t *data;   /* first octet of the frame                               */
	uint32_t len;    /* octets                                                 */
	uint16_t room;   /* octets from data to the end of the buffer              */
	uint8_t flags;   /* enum frame_flag                                        */
	uint8_t l3_off;  /* tx with offloads: where the IP header starts           */
};

struct port_info {
	char driver[32];
	uint8_t mac[6];
	uint16_t mtu;            /* largest L3 packet                                   */
	uint16_t queues;         /* rx/tx queue pairs in use                            */
	bool link_up;
	bool tx_ip_csum, tx_udp_csum, rx_csum;
	uint32_t numa_node;      /* CONF_AUTO where the device has none                 */
};
struct port_stats {
	uint64_t rx_frames, rx_missed, rx_errors, rx_nombuf, tx_frames, tx_errors;
};

struct port {
	const struct port_ops *ops;
	struct port_info info;
	void *impl;
};
struct port_ops {
	/* ret how many of max frames were received on the queue */
	uint32_t (*rx)(struct port *p, uint16_t queue, struct frame *f, uint32_t max);
	/* takes the first `ret` of them; the caller keeps the rest */
	uint32_t (*tx)(struct port *p, uint16_t queue, struct frame *f, uint32_t n);
	/* a fresh buffer: data stands FRAME_HEADROOM in, len 0. false: none left (counted by the caller) */
	bool (*alloc)(struct port *p, struct frame *f);
	void (*free)(struct port *p, struct frame *f);
	/* descriptor that becomes readable when the queue has frames, or -1 */
	int (*fd)(struct port *p, uint16_t queue);
	/* slow; from the service thread */
	void (*stats)(struct port *p, struct port_stats *s);
	bool (*link_up)(struct port *p);
	void (*close)(struct port *p);
};
