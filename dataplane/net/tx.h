/* SPDX-License-Identifier: Apache-2.0 */
/* Frames on their way to the ports: one short queue per port, emptied once a loop.
 *
 * What a port does not take stays for the next flush, in order; a queue that is full is flushed at
 * once and, when that does not help, takes no more. A port whose link is down loses its queue, so
 * that no frame is sent seconds late when the link comes back. */
#pragma once
#include "platform/iface/port.h"

#define TX_MAX 256 /* > the fragments of 64 KiB at MTU 576 (119): one datagram always fits */

struct net;
struct tx_queue {
	uint32_t n;            /* <= TX_MAX */
	struct frame f[TX_MAX];
};

/* Room for so many more, after a flush if need be. */
bool tx_room(struct net *n, uint32_t port, uint32_t frames);
/* takes f; false when there was no room: f is freed and tx_drop_full counted */
bool tx_put(struct net *n, uint32_t port, struct frame *f);
uint32_t tx_flush(struct net *n, uint32_t port);
void tx_free(struct net *n);
/* A buffer of the port; not counted when there is none. */
bool tx_alloc(struct net *n, uint32_t port, struct frame *f);
/* takes f: back to the port it came from */
void tx_give_back(struct net *n, uint32_t port, struct frame *f);
