/* SPDX-License-Identifier: Apache-2.0 */
/* Datagrams in bursts over kernel UDP sockets: one sendmmsg(2) or recvmmsg(2) for up to BURST of
 * them. The receive buffer is made large by force (the program runs as root in the lab), so that a
 * burst of answers is not lost on the generator's side and then held against the subject. */
#include "blast.h"

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOCKET_BUFFER (16 << 20)

struct net *net_open(const struct sockaddr_in *local, const struct sockaddr_in *peer)
{
	struct net *n = calloc(1, sizeof(*n));
	const int size = SOCKET_BUFFER;

	if (!n)
		err(71, "memory");
	n->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (n->fd < 0 || bind(n->fd, (const void *)local, sizeof(*local)))
		err(71, "cannot bind to port %u", ntohs(local->sin_port));
	if (setsockopt(n->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    setsockopt(n->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)))
		warn("socket buffers stay as they are");
	if (peer && connect(n->fd, (const void *)peer, sizeof(*peer)))
		err(71, "cannot connect");
	n->connected = peer != NULL;
	for (unsigned i = 0; i < BURST; i++) {
		n->rx_iov[i] = (struct iovec){n->rx_data[i], DATAGRAM_MAX};
		n->tx_iov[i] = (struct iovec){n->tx_data[i], 0};
		n->rx[i].msg_hdr = (struct msghdr){.msg_iov = &n->rx_iov[i], .msg_iovlen = 1};
		n->tx[i].msg_hdr = (struct msghdr){.msg_iov = &n->tx_iov[i], .msg_iovlen = 1};
		if (!peer) {
			n->rx[i].msg_hdr.msg_name = &n->from[i];
			n->tx[i].msg_hdr.msg_name = &n->to[i];
			n->tx[i].msg_hdr.msg_namelen = sizeof(n->to[i]);
		}
	}
	return n;
}

unsigned net_recv(struct net *n)
{
	int got;

	if (!n->connected)
		for (unsigned i = 0; i < BURST; i++)
			n->rx[i].msg_hdr.msg_namelen = sizeof(n->from[i]);
	got = recvmmsg(n->fd, n->rx, BURST, MSG_DONTWAIT, NULL);
	return got > 0 ? (unsigned)got : 0; /* refused by an ICMP error: counted as lost in time */
}

struct out net_next(struct net *n)
{
	if (n->n_tx == BURST)
		net_flush(n);
	return (struct out){n->tx_data[n->n_tx], n->tx_data[n->n_tx] + DATAGRAM_MAX};
}

void net_put(struct net *n, struct out *o, const struct sockaddr_in *to)
{
	if (o->at >= o->end)
		return;
	n->tx_iov[n->n_tx].iov_len = (size_t)(o->at - n->tx_data[n->n_tx]);
	if (to)
		n->to[n->n_tx] = *to;
	n->n_tx++;
}

void net_flush(struct net *n)
{
	unsigned at = 0;

	while (at < n->n_tx) {
		const int put = sendmmsg(n->fd, n->tx + at, n->n_tx - at, 0);

		if (put > 0) {
			at += (unsigned)put;
		} else if (errno == EAGAIN) {
			(void)poll(&(struct pollfd){.fd = n->fd, .events = POLLOUT}, 1, 10);
		} else if (errno == ECONNREFUSED) {
			continue; /* an ICMP error of an earlier datagram: reported once, then gone */
		} else if (errno != EINTR) {
			err(71, "cannot send");
		}
	}
	n->n_tx = 0;
}

uint64_t net_rcvbuf_errors(void)
{
	FILE *f = fopen("/proc/self/net/snmp", "r");
	unsigned long long value[8] = {0};
	char line[512];

	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, "Udp: ", 5) && line[5] >= '0' && line[5] <= '9')
			(void)sscanf(line, "Udp: %llu %llu %llu %llu %llu", &value[0], &value[1], &value[2],
				     &value[3], &value[4]);
	(void)fclose(f);
	return value[4];
}
