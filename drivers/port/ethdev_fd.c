/* SPDX-License-Identifier: Apache-2.0 */
/* A descriptor to sleep on for each queue.
 *
 * AF_XDP and AF_PACKET have no rx interrupt in DPDK, and no call that tells their socket. But it
 * is a descriptor of this process: those that appeared while the device was opened and whose
 * domain is AF_XDP or AF_PACKET are its queues, in the order in which they were made. Polling one
 * costs nothing while it is quiet.
 *
 * Other devices: the descriptor of the rx interrupt, where the driver has one per queue. Most want
 * it armed before each sleep; tap's is the queue itself and needs nothing. */
#include "drivers/port/ethdev_internal.h"

#include <dirent.h>
#include <sys/socket.h>
#include <unistd.h>

#define FDS_SCAN_MAX 65536 /* descriptors looked at; nobody has as many at start */

static bool sockets_have(const struct ethdev_sockets *s, int fd)
{
	for (uint32_t k = 0; k < s->n; k++) {
		if (s->fd[k] == fd)
			return true;
	}
	return false;
}

static bool is_packet_socket(int fd)
{
	int domain = 0;
	socklen_t len = sizeof(domain);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 &&
	       (domain == AF_XDP || domain == AF_PACKET);
}

/* Ascending: the kernel gives the lowest free number, so that is the order of making. */
static void insert(struct ethdev_sockets *s, uint32_t from, int fd)
{
	uint32_t at = s->n;

	if (s->n == ETHDEV_SOCKETS_MAX)
		return; /* more than queues there may be: no loss */
	while (at > from && s->fd[at - 1] > fd) {
		s->fd[at] = s->fd[at - 1];
		at--;
	}
	s->fd[at] = fd;
	s->n++;
}

void ethdev_sockets_find(struct ethdev_sockets *s, const struct ethdev_sockets *known)
{
	DIR *dir = opendir("/proc/self/fd");
	uint32_t from = s->n;
	struct dirent *e;

	if (!dir)
		return; /* no /proc: the port has no descriptor to sleep on */
	for (uint32_t k = 0; k < FDS_SCAN_MAX && (e = readdir(dir)) != NULL; k++) {
		uint32_t fd;

		if (str_to_u32(str_from_c(e->d_name), INT32_MAX, &fd) != 0)
			continue; /* . and .. */
		if (!sockets_have(s, (int)fd) && !(known && sockets_have(known, (int)fd)) &&
		    is_packet_socket((int)fd))
			insert(s, from, (int)fd);
	}
	(void)closedir(dir); /* only read */
}

static void interrupt_find(struct ethdev *e, uint16_t queue)
{
	struct ethdev_queue *q = &e->queue[queue];
	int fd = rte_eth_dev_rx_intr_ctl_q_get_fd(e->port_id, queue);

	if (fd < 0)
		return;
	q->fd = fd;
	q->interrupt = rte_eth_dev_rx_intr_enable(e->port_id, queue) == 0;
	if (q->interrupt)
		(void)rte_eth_dev_rx_intr_disable(e->port_id, queue); /* armed when idle */
}

void ethdev_fds_assign(struct ethdev *e, const struct ethdev_sockets *fresh)
{
	for (uint16_t k = 0; k < e->n_queues; k++) {
		e->queue[k].fd = -1;
		if (e->device.iface[0]) {
			if (k < fresh->n)
				e->queue[k].fd = fresh->fd[k];
		} else if (e->rx_interrupts) {
			interrupt_find(e, k);
		}
	}
}

void ethdev_fds_clear_errors(struct ethdev *e)
{
	for (uint16_t k = 0; k < e->n_queues; k++) {
		int error;
		socklen_t len = sizeof(error);

		/* the value does not matter, reading it is what counts */
		if (e->device.iface[0] && e->queue[k].fd >= 0)
			(void)getsockopt(e->queue[k].fd, SOL_SOCKET, SO_ERROR, &error, &len);
	}
}

void ethdev_interrupt_arm(struct ethdev *e, uint16_t queue)
{
	struct ethdev_queue *q = &e->queue[queue];

	/* counts as armed also where the device refuses now: the loop then sleeps by its clock */
	(void)rte_eth_dev_rx_intr_enable(e->port_id, queue);
	q->armed = true;
}

void ethdev_interrupt_disarm(struct ethdev *e, uint16_t queue)
{
	struct ethdev_queue *q = &e->queue[queue];
	uint64_t count;

	(void)rte_eth_dev_rx_intr_disable(e->port_id, queue); /* it may have fired meanwhile */
	if (read(q->fd, &count, sizeof(count)) < 0) {
		/* non-blocking: it has not fired */
	}
	q->armed = false;
	q->n_empty = 0;
}
