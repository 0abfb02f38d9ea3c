/* SPDX-License-Identifier: Apache-2.0 */
/* Transmit queues. Identity: net_tx_queued = net_tx + net_tx_held (G) + drops(tx). A datagram
 * counts as sent (out_sent) when its last frame is in the queue; what happens to the frame after
 * that is told by these rows. */
#include "dataplane/net/tx.h"

#include "dataplane/net/net_priv.h"

bool tx_alloc(struct net *n, uint32_t port, struct frame *f)
{
	struct port *p = n->port[port];

	if (!p->ops->alloc(p, f))
		return false;
	f->flags = 0;
	f->l3_off = 0;
	return true;
}

void tx_give_back(struct net *n, uint32_t port, struct frame *f)
{
	struct port *p = n->port[port];

	if (f->buf != NULL && f->buf != n->scratch)
		p->ops->free(p, f);
	f->buf = NULL;
}

static void tx_lose(struct net *n, uint32_t port)
{
	struct tx_queue *q = &n->tx[port];

	for (uint32_t i = 0; i < q->n; i++)
		tx_give_back(n, port, &q->f[i]);
	count_add(n->count, tx_drop_link_down, q->n);
	count_sub(n->count, net_tx_held, q->n);
	q->n = 0;
}

uint32_t tx_flush(struct net *n, uint32_t port)
{
	struct tx_queue *q = &n->tx[port];
	struct port *p = n->port[port];
	uint32_t done = 0;

	if (q->n == 0)
		return 0;
	if (!p->info.link_up) {
		tx_lose(n, port);
		return 0;
	}
	while (done < q->n) {
		uint32_t burst = q->n - done < PORT_BURST ? q->n - done : PORT_BURST;
		uint32_t took = p->ops->tx(p, n->c.queue, q->f + done, burst);

		done += took;
		if (took < burst)
			break;
	}
	q->n -= done;
	if (q->n > 0 && done > 0)
		memmove(q->f, q->f + done, q->n * sizeof(q->f[0]));
	count_add(n->count, net_tx, done);
	count_sub(n->count, net_tx_held, done);
	return done;
}

bool tx_room(struct net *n, uint32_t port, uint32_t frames)
{
	if (n->tx[port].n + frames <= TX_MAX)
		return true;
	(void)tx_flush(n, port); /* what went out shows in the queue's length */
	return n->tx[port].n + frames <= TX_MAX;
}

bool tx_put(struct net *n, uint32_t port, struct frame *f)
{
	struct tx_queue *q = &n->tx[port];

	count(n->count, net_tx_queued);
	if (!tx_room(n, port, 1)) {
		count(n->count, tx_drop_full);
		tx_give_back(n, port, f);
		return false;
	}
	q->f[q->n++] = *f;
	f->buf = NULL;
	count(n->count, net_tx_held);
	return true;
}

void tx_free(struct net *n)
{
	for (uint32_t port = 0; n->tx != NULL && port < n->n_ports; port++)
		tx_lose(n, port);
}
