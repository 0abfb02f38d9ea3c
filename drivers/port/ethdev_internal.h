/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the ethdev port share. Nobody else includes it. */
#pragma once
#include <stdatomic.h>

/* DPDK includes it, and its struct ip is not ours: it goes by another name from here on. */
#define ip libc_ip
#include <netinet/ip.h>
#undef ip

#include <rte_ethdev.h>
#include <rte_mempool.h>

#include "drivers/port/ethdev.h"
#include "platform/rt/device.h"

#define ETHDEV_QUEUES_MAX CONF_POLLED_MAX

/* One queue pair; its core's own, but for the counter. */
struct ethdev_queue {
	int fd;             /* becomes readable when frames are there, or -1                 */
	bool interrupt;     /* fd is an rx interrupt: to be armed before each sleep          */
	bool armed;
	uint32_t n_empty;   /* receive calls in a row that gave nothing                      */
	/* frames in several segments that fit no buffer. W: its core  R: service, relaxed    */
	_Atomic uint64_t too_long;
} __attribute__((aligned(64)));

/* One open port. Made by port_ethdev_open(), freed by the port's close(). */
struct ethdev {
	uint16_t port_id;   /* DPDK's                                                        */
	bool probed;        /* the device exists in DPDK: port_id is set                     */
	uint16_t n_queues;
	bool rx_csum;       /* the device was asked to check, so its flags mean something    */
	int claim;          /* holds the kernel's interface for us, or -1                    */
	bool promiscuous;   /* switched on by us: AF_XDP's would stay with the interface     */
	bool rx_interrupts; /* configured with them                                          */
	struct rte_mempool *pool;
	struct rt_device device;
	struct ethdev_queue queue[ETHDEV_QUEUES_MAX];
};

extern const struct port_ops ethdev_ops;

/* ethdev_pool.c: the pool of a node and a data room, made where it is not there yet.
 * contiguous: one stretch of memory and elements <= 4,096 octets (AF_XDP); room is lowered to fit.
 * ret NULL: no memory, or not contiguous */
struct rte_mempool *ethdev_pool(const struct conf *conf, uint32_t node, uint32_t *room,
				bool contiguous);

/* ethdev_kernel.c: the kernel's side of AF_XDP and AF_PACKET. */
/* ret 0 · -errno: no such interface */
int kernel_interface_mtu(const char *iface, uint32_t *mtu);
/* Up and with carrier. */
bool kernel_interface_running(const char *iface);
/* Queues that AF_XDP can bind to; 1 where the kernel does not say. */
uint32_t kernel_interface_channels(const char *iface);

/* ethdev_xdp.c: programs on that interface. Runs at start, on the main thread. */
/* Make the interface ours among all processes of our kind. ret a descriptor, which holds the claim
 * while it is open · -EADDRINUSE (a living one has it) · -errno */
int kernel_interface_claim(const char *iface);
/* Take every XDP program off the interface: those that a killed run left. ret 0 · -errno */
int kernel_xdp_clear(const char *iface);

/* ethdev_fd.c: sockets of the process that AF_XDP or AF_PACKET made. */
#define ETHDEV_SOCKETS_MAX 64
struct ethdev_sockets {
	uint32_t n;
	int fd[ETHDEV_SOCKETS_MAX]; /* in the order in which they were found */
};
/* Append those that are not in `known` (nor in s) yet. */
void ethdev_sockets_find(struct ethdev_sockets *s, const struct ethdev_sockets *known);
/* After the start of the device: queue k gets the k-th socket, or its rx interrupt. */
void ethdev_fds_assign(struct ethdev *e, const struct ethdev_sockets *fresh);
/* Errors that the kernel left on the sockets (interface went down) make poll() return for ever;
 * reading one takes it away. */
void ethdev_fds_clear_errors(struct ethdev *e);
/* Before the queue's core may sleep; after it has frames again. */
void ethdev_interrupt_arm(struct ethdev *e, uint16_t queue);
void ethdev_interrupt_disarm(struct ethdev *e, uint16_t queue);
