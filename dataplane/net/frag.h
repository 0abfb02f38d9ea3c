/* SPDX-License-Identifier: Apache-2.0 */
/* Reassembly of IPv4 and IPv6 packets: RFC 791, 815, 8200 §4.5, 5722, 6946, 7739.
 *
 * Octets are copied out of the frame into pieces of FRAG_PIECE octets from a pool of fixed size, so
 * that waiting fragments hold no port buffers; a small fragment costs a whole piece, which is what
 * the budgets count. A packet's pieces form a list sorted by offset, without gaps in a fragment.
 * Overlap ends the packet: it stays as a tombstone until its time is up, so that the fragments that
 * follow are dropped too (RFC 5722 §4). An exact repetition is dropped alone. A whole packet is
 * written to one join buffer, valid until the next frame. */
#pragma once
#include "platform/base/ip.h"
#include "platform/base/map.h"

#define FRAG_NONE 0xffffffffu
#define FRAG_PIECE 512u
#define FRAG_PARTS_MAX 128u    /* fragments of one packet: 64 KiB at MTU 576 are 119          */
#define FRAG_HEADER_MAX 128u   /* octets in front of the data of a first fragment             */
#define FRAG_PACKETS_MAX 4096u
#define FRAG_EVICT_MAX 16u     /* packets given up for one fragment                           */
#define FRAG_TICK_MAX 16u      /* packets that time out in one call                           */

struct frag_in {
	struct ip src, dst;
	uint32_t id;
	uint8_t proto;           /* of the first fragment's header; part of the key for IPv4   */
	uint8_t link;
	bool more;
	const uint8_t *header;   /* everything in front of data                                */
	uint32_t header_len;
	const uint8_t *data;
	uint32_t len, offset;    /* octets */
};
struct frag_piece {
	uint32_t next;           /* FRAG_NONE at the end                                       */
	uint16_t offset, len;
	uint16_t whole;          /* first piece of a fragment: that fragment's length; else 0  */
	uint8_t data[FRAG_PIECE];
};
struct frag_packet {
	struct ip src, dst;
	uint32_t id;
	uint8_t proto, link;
	bool in_use, dead;       /* dead: tombstone, holds no piece                            */
	bool has_first;
	uint32_t source;         /* index in source                                            */
	uint32_t pieces, last;   /* first and last of the list                                 */
	uint32_t n_parts, n_pieces;
	uint32_t have, total;    /* octets; total 0: end not seen                              */
	uint32_t header_len;
	uint8_t header[FRAG_HEADER_MAX];
	uint64_t until_us;
	uint32_t prev, next;     /* by age                                                     */
};
struct frag_source {
	struct ip ip;
	uint32_t n_packets, n_pieces;
};
struct frag_table {
	struct frag_packet *packet; /* n_packets; free ones are linked by next                 */
	struct frag_source *source; /* as many                                                 */
	struct frag_piece *piece;   /* n_pieces                                                */
	struct map packets, sources;
	void *packets_mem, *sources_mem;
	uint32_t *free_source;      /* stack                                                   */
	uint32_t n_packets, n_pieces, n_free_pieces, n_free_sources;
	uint32_t free_packet, free_piece, oldest, newest;
	uint32_t source_pieces;     /* budget of one source                                    */
	uint64_t timeout_us;
	uint8_t *join;              /* FRAG_HEADER_MAX + 64 KiB                                */
};

struct net;
struct net_packet;
bool frag_init(struct net *n);
void frag_free(struct net *n);
/* One fragment (counted by the caller as net_rx_fragment, here by its end).
 * ret true: the packet is whole; p's l3, l4, l4_len, proto and joined are set */
bool frag_add(struct net *n, const struct frag_in *in, struct net_packet *p);
void frag_tick(struct net *n, uint64_t now_us);
uint64_t frag_next_us(const struct net *n);
