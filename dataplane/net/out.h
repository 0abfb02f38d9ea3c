/* SPDX-License-Identifier: Apache-2.0 */
/* The way out under net_out_udp(): route, neighbour, IP header, fragments. */
#pragma once
#include "dataplane/net/net_priv.h"

#define OUT_FRAGMENTS_MAX 128u /* 64 KiB at MTU 576 are 119 */

/* Send an ICMP message from path->local to path->peer: f->data[0..f->len) is complete, with its
 * checksum, from tx_alloc() or in scratch. takes f. Sent only when the neighbour is known: ICMP
 * does not wait. */
void out_icmp(struct net *n, const struct net_path *path, struct frame *f, uint64_t now_us);
/* The scratch buffer as a frame: one at a time. room octets may be written. */
void out_scratch(struct net *n, bool is4, struct frame *f);
