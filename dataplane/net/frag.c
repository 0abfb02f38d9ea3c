/* SPDX-License-Identifier: Apache-2.0 */
/* Reassembly. All packets wait equally long, so the list by age is also the list by deadline. Work
 * per fragment is bounded by the pieces of one packet (FRAG_PARTS_MAX fragments and 64 KiB: below
 * 256); in order, which is the common case, the list is not walked at all. */
#include "dataplane/net/frag.h"

#include <stdlib.h>

#include "dataplane/net/net_priv.h"

bool frag_init(struct net *n)
{
	struct frag_table *t = &n->frag;
	const struct conf *c = n->c.conf;

	t->n_pieces = c->fragment_bytes / FRAG_PIECE;
	if (t->n_pieces == 0)
		t->n_pieces = 1;
	t->n_packets = t->n_pieces < FRAG_PACKETS_MAX ? t->n_pieces : FRAG_PACKETS_MAX;
	t->source_pieces = c->fragment_bytes_per_source / FRAG_PIECE;
	t->timeout_us = (uint64_t)c->fragment_timeout_ms * 1000;
	t->packet = calloc(t->n_packets, sizeof(*t->packet));
	t->source = calloc(t->n_packets, sizeof(*t->source));
	t->free_source = calloc(t->n_packets, sizeof(*t->free_source));
	t->piece = calloc(t->n_pieces, sizeof(*t->piece));
	t->packets_mem = calloc(1, map_bytes(t->n_packets));
	t->sources_mem = calloc(1, map_bytes(t->n_packets));
	t->join = calloc(1, FRAG_HEADER_MAX + IP_BYTES_MAX + 1);
	if (t->packet == NULL || t->source == NULL || t->free_source == NULL || t->piece == NULL ||
	    t->packets_mem == NULL || t->sources_mem == NULL || t->join == NULL)
		return false;
	map_init(&t->packets, t->packets_mem, t->n_packets);
	map_init(&t->sources, t->sources_mem, t->n_packets);
	for (uint32_t i = 0; i < t->n_packets; i++) {
		t->packet[i].next = i + 1 < t->n_packets ? i + 1 : FRAG_NONE;
		t->free_source[i] = t->n_packets - 1 - i;
	}
	for (uint32_t i = 0; i < t->n_pieces; i++)
		t->piece[i].next = i + 1 < t->n_pieces ? i + 1 : FRAG_NONE;
	t->n_free_sources = t->n_packets;
	t->n_free_pieces = t->n_pieces;
	t->oldest = t->newest = FRAG_NONE;
	return true;
}

void frag_free(struct net *n)
{
	struct frag_table *t = &n->frag;

	free(t->packet);
	free(t->source);
	free(t->free_source);
	free(t->piece);
	free(t->packets_mem);
	free(t->sources_mem);
	free(t->join);
}

/* --- packets and sources --- */

/* RFC 791 §3.2 keys by protocol too; RFC 8200 §4.5 does not. */
static uint64_t packet_hash(const struct net *n, const struct frag_in *in)
{
	uint8_t key[38];

	memcpy(key, in->src.b, 16);
	memcpy(key + 16, in->dst.b, 16);
	put32(key + 32, in->id);
	key[36] = in->link;
	key[37] = ip_is4(&in->src) ? in->proto : 0;
	return hash_bytes(&n->c.key, key, sizeof(key));
}

static uint64_t source_hash(const struct net *n, const struct ip *ip)
{
	return hash_bytes(&n->c.key, ip->b, 16);
}

static struct frag_packet *packet_find(const struct net *n, const struct frag_in *in)
{
	const struct frag_table *t = &n->frag;
	uint64_t hash = packet_hash(n, in);
	uint32_t it = 0, id;

	while (map_next(&t->packets, hash, &it, &id)) {
		struct frag_packet *k = &t->packet[id];

		if (k->id == in->id && k->link == in->link && ip_eq(&k->src, &in->src) &&
		    ip_eq(&k->dst, &in->dst) && (!ip_is4(&k->src) || k->proto == in->proto))
			return k;
	}
	return NULL;
}

static uint32_t source_take(struct net *n, const struct ip *ip)
{
	struct frag_table *t = &n->frag;
	uint64_t hash = source_hash(n, ip);
	uint32_t it = 0, id;

	while (map_next(&t->sources, hash, &it, &id)) {
		if (ip_eq(&t->source[id].ip, ip)) {
			t->source[id].n_packets++;
			return id;
		}
	}
	id = t->free_source[--t->n_free_sources]; /* as many as packets: there is one */
	t->source[id] = (struct frag_source){.ip = *ip, .n_packets = 1};
	must(map_add(&t->sources, hash, id) == 0); /* as large as the table */
	return id;
}

static void source_leave(struct net *n, uint32_t id)
{
	struct frag_table *t = &n->frag;

	if (--t->source[id].n_packets > 0)
		return;
	(void)map_remove(&t->sources, source_hash(n, &t->source[id].ip), id); /* it stands there */
	t->free_source[t->n_free_sources++] = id;
}

static uint32_t packet_index(const struct net *n, const struct frag_packet *k)
{
	return (uint32_t)(k - n->frag.packet);
}

/* Its pieces go back; `n_parts` fragments end for the reason why. */
static void packet_empty(struct net *n, struct frag_packet *k, enum counter why)
{
	struct frag_table *t = &n->frag;

	if (k->pieces != FRAG_NONE) {
		t->piece[k->last].next = t->free_piece;
		t->free_piece = k->pieces;
	}
	t->n_free_pieces += k->n_pieces;
	t->source[k->source].n_pieces -= k->n_pieces;
	count_sub(n->count, net_frag_held, k->n_parts);
	count_add(n->count, why, k->n_parts);
	k->pieces = k->last = FRAG_NONE;
	k->n_parts = k->n_pieces = 0;
}

static void packet_end(struct net *n, struct frag_packet *k, enum counter why)
{
	struct frag_table *t = &n->frag;
	uint32_t id = packet_index(n, k);
	struct frag_in key = {
		.src = k->src, .dst = k->dst, .id = k->id, .proto = k->proto, .link = k->link};

	packet_empty(n, k, why);
	source_leave(n, k->source);
	(void)map_remove(&t->packets, packet_hash(n, &key), id); /* it stands there */
	if (k->prev != FRAG_NONE)
		t->packet[k->prev].next = k->next;
	else
		t->oldest = k->next;
	if (k->next != FRAG_NONE)
		t->packet[k->next].prev = k->prev;
	else
		t->newest = k->prev;
	k->in_use = false;
	k->next = t->free_packet;
	t->free_packet = id;
}

static struct frag_packet *packet_make(struct net *n, const struct frag_in *in, uint64_t now_us)
{
	struct frag_table *t = &n->frag;
	struct frag_packet *k;
	uint32_t id;

	if (t->free_packet == FRAG_NONE)
		packet_end(n, &t->packet[t->oldest], frag_drop_evicted);
	id = t->free_packet;
	k = &t->packet[id];
	t->free_packet = k->next;
	*k = (struct frag_packet){.src = in->src, .dst = in->dst, .id = in->id, .link = in->link};
	k->in_use = true;
	k->proto = in->proto;
	k->pieces = k->last = k->next = FRAG_NONE;
	k->until_us = now_us + t->timeout_us;
	k->source = source_take(n, &in->src);
	k->prev = t->newest;
	if (t->newest != FRAG_NONE)
		t->packet[t->newest].next = id;
	else
		t->oldest = id;
	t->newest = id;
	must(map_add(&t->packets, packet_hash(n, in), id) == 0); /* as large as the table */
	return k;
}

/* --- one fragment --- */

enum place { PLACE_NEW, PLACE_SAME, PLACE_WRONG };

/* Where in->data belongs: *after is the piece to stand behind, FRAG_NONE for the front. */
static enum place piece_place(const struct frag_table *t, const struct frag_packet *k,
			      const struct frag_in *in, uint32_t *after)
{
	uint32_t end = in->offset + in->len, id = k->pieces;

	*after = k->last;
	if (k->last != FRAG_NONE &&
	    in->offset >= (uint32_t)t->piece[k->last].offset + t->piece[k->last].len)
		return PLACE_NEW;
	*after = FRAG_NONE;
	for (; id != FRAG_NONE && t->piece[id].offset < in->offset; id = t->piece[id].next)
		*after = id;
	if (id != FRAG_NONE && t->piece[id].offset == in->offset && t->piece[id].whole == in->len)
		return PLACE_SAME;
	if (*after != FRAG_NONE &&
	    (uint32_t)t->piece[*after].offset + t->piece[*after].len > in->offset)
		return PLACE_WRONG;
	return id != FRAG_NONE && t->piece[id].offset < end ? PLACE_WRONG : PLACE_NEW;
}

/* What the packet's end says: the last fragment gives it, once; nothing may lie behind. */
static bool end_is_fine(const struct frag_table *t, struct frag_packet *k, const struct frag_in *in)
{
	uint32_t end = in->offset + in->len;
	uint32_t have_end = 0;

	if (in->more)
		return k->total == 0 || end <= k->total;
	if (k->last != FRAG_NONE)
		have_end = (uint32_t)t->piece[k->last].offset + t->piece[k->last].len;
	if (have_end > end || (k->total != 0 && k->total != end))
		return false;
	k->total = end;
	return true;
}

static void pieces_put(struct net *n, struct frag_packet *k, const struct frag_in *in,
		       uint32_t after)
{
	struct frag_table *t = &n->frag;

	for (uint32_t done = 0; done < in->len;) {
		uint32_t id = t->free_piece, len = in->len - done;
		struct frag_piece *e = &t->piece[id];

		len = len < FRAG_PIECE ? len : FRAG_PIECE;
		t->free_piece = e->next;
		t->n_free_pieces--;
		e->offset = (uint16_t)(in->offset + done);
		e->len = (uint16_t)len;
		e->whole = (uint16_t)(done == 0 ? in->len : 0);
		memcpy(e->data, in->data + done, len);
		e->next = after == FRAG_NONE ? k->pieces : t->piece[after].next;
		if (after == FRAG_NONE)
			k->pieces = id;
		else
			t->piece[after].next = id;
		if (e->next == FRAG_NONE)
			k->last = id;
		after = id;
		done += len;
		k->n_pieces++;
		t->source[k->source].n_pieces++;
	}
	k->n_parts++;
	k->have += in->len;
	count(n->count, net_frag_held);
}

/* Room for it in the budgets; ends k, and says false, where there is none. */
static bool budget_has_room(struct net *n, struct frag_packet *k, const struct frag_in *in)
{
	struct frag_table *t = &n->frag;
	uint32_t want = (in->len + FRAG_PIECE - 1) / FRAG_PIECE;

	if (t->source[k->source].n_pieces + want > t->source_pieces ||
	    k->n_parts == FRAG_PARTS_MAX) {
		count(n->count, frag_drop_budget);
		packet_end(n, k, frag_drop_budget); /* it can never be whole */
		return false;
	}
	for (uint32_t i = 0; t->n_free_pieces < want && i < FRAG_EVICT_MAX; i++) {
		if (&t->packet[t->oldest] == k)
			break;
		packet_end(n, &t->packet[t->oldest], frag_drop_evicted);
	}
	if (t->n_free_pieces >= want)
		return true;
	count(n->count, frag_drop_budget);
	packet_end(n, k, frag_drop_budget);
	return false;
}

static void join(struct net *n, struct frag_packet *k, struct net_packet *p)
{
	struct frag_table *t = &n->frag;
	uint8_t *data = t->join + FRAG_HEADER_MAX;

	for (uint32_t id = k->pieces; id != FRAG_NONE; id = t->piece[id].next)
		memcpy(data + t->piece[id].offset, t->piece[id].data, t->piece[id].len);
	memcpy(data - k->header_len, k->header, k->header_len);
	p->l3 = data - k->header_len;
	p->l3_len = k->header_len + k->total;
	p->l4 = data;
	p->l4_len = k->total;
	p->proto = k->proto;
	p->joined = true;
	count(n->count, net_frag_packets);
	packet_end(n, k, net_frag_joined);
}

/* RFC 791 §3.2, RFC 8200 §4.5: lengths that no sender makes. */
static bool form_is_fine(const struct frag_in *in)
{
	uint32_t max =
		IP_BYTES_MAX - in->header_len; /* IPv4: header and data; IPv6: less the fixed */

	if (!ip_is4(&in->src)) /* header and the fragment header, which the whole packet has not */
		max += IP6_LEN + IP6_FRAGMENT_LEN;
	if (in->len == 0 || in->offset + in->len > max || in->header_len > FRAG_HEADER_MAX)
		return false;
	return !in->more || in->len % 8 == 0;
}

bool frag_add(struct net *n, const struct frag_in *in, struct net_packet *p)
{
	struct frag_table *t = &n->frag;
	struct frag_packet *k = packet_find(n, in);
	enum place place;
	uint32_t after;

	if (!form_is_fine(in)) {
		count(n->count, frag_drop_bad);
		return false;
	}
	if (k != NULL && p->now_us >= k->until_us) { /* late tick: this is another packet */
		packet_end(n, k, frag_drop_timeout);
		k = NULL;
	}
	if (k != NULL && k->dead) {
		count(n->count, frag_drop_bad);
		return false;
	}
	if (k == NULL)
		k = packet_make(n, in, p->now_us);
	place = piece_place(t, k, in, &after);
	if (place == PLACE_SAME) {
		count(n->count, frag_drop_duplicate);
		return false;
	}
	if (place == PLACE_WRONG || !end_is_fine(t, k, in)) {
		count(n->count, frag_drop_bad);
		packet_empty(n, k, frag_drop_bad);
		k->dead = true;
		return false;
	}
	if (!budget_has_room(n, k, in))
		return false;
	pieces_put(n, k, in, after);
	if (in->offset == 0) {
		k->has_first = true;
		k->proto = in->proto;
		k->header_len = in->header_len;
		memcpy(k->header, in->header, in->header_len);
	}
	if (!k->has_first || k->total == 0 || k->have != k->total)
		return false;
	join(n, k, p);
	return true;
}

void frag_tick(struct net *n, uint64_t now_us)
{
	struct frag_table *t = &n->frag;

	for (uint32_t i = 0; i < FRAG_TICK_MAX && t->oldest != FRAG_NONE; i++) {
		struct frag_packet *k = &t->packet[t->oldest];

		if (now_us < k->until_us)
			return;
		packet_end(n, k, frag_drop_timeout);
	}
}

uint64_t frag_next_us(const struct net *n)
{
	const struct frag_table *t = &n->frag;

	return t->oldest == FRAG_NONE ? UINT64_MAX : t->packet[t->oldest].until_us;
}
