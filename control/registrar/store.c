/* SPDX-License-Identifier: Apache-2.0 */
/* Bindings as records: find, put, free; and what others see of them.
 *
 * The bucket of an AoR's key holds the index of the first record, records go on by `next`; several
 * AoRs may share a bucket and are told apart by their 128-bit keys. New records go in front. The
 * text of a binding is aor, contact and path one after another; what the record has no room for
 * lies in a chain of blocks, filled before the commit makes the record that names them reachable.
 *
 * Blocks of a published record never change: other processes may be reading. A binding whose text
 * changes is written in its own record when old and new text both fit there; else a second record
 * takes its place and the first is marked. Every walk is bounded by the size of the table. */
#include "control/registrar/store.h"

#define BLOCK_BYTES (LINK_BLOCK_WORDS * 4)
#define SHADOW_OF_RECORD ((uint32_t)(sizeof(struct link_binding) + 7) / 8 * 8)
#define SHADOW_OF_WORD 8 /* a used word or bucket head */

struct hash128 store_key(const struct shard *s, struct str aor)
{
	return hash128_bytes(&s->link->h->keys.txn, aor.s, aor.len);
}

static uint32_t *bucket(const struct shard *s, const struct hash128 *key)
{
	return step_bucket(&s->step, LINK_S_BINDING_BUCKETS, key->lo);
}

static uint32_t min_u32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* ---- texts ---- */

static int text_copy(const struct shard *s, const struct link_binding *b, uint32_t off,
		     uint32_t len, struct strbuf *room)
{
	uint32_t block = b->more, at = LINK_BINDING_TEXT, n;

	if (off < LINK_BINDING_TEXT) {
		n = min_u32(len, LINK_BINDING_TEXT - off);
		strbuf_put(room, str_of(b->text + off, n));
		off += n;
		len -= n;
	}
	for (int i = 0; len > 0 && i < STORE_BLOCKS_MAX; i++, at += BLOCK_BYTES) {
		const struct link_block *k;

		if (block >= s->link->h->blocks)
			return -E_BAD_RECORD;
		k = step_home(&s->step, STEP_BLOCK, block);
		if (off < at + BLOCK_BYTES) {
			n = min_u32(len, at + BLOCK_BYTES - off);
			strbuf_put(room, str_of((const char *)k->word + (off - at), n));
			off += n;
			len -= n;
		}
		block = k->next;
	}
	if (room->full)
		return -E_FULL;
	return len == 0 ? 0 : -E_BAD_RECORD;
}

static int text_view(const struct shard *s, const struct link_binding *b, uint32_t off,
		     uint32_t len, struct strbuf *room, struct str *out)
{
	uint32_t start = room->len;
	int r;

	if (off + len <= LINK_BINDING_TEXT) {
		*out = str_of(b->text + off, len);
		return 0;
	}
	r = text_copy(s, b, off, len, room);
	if (r != 0) {
		room->len = start;
		return r;
	}
	*out = str_of(room->s + start, len);
	return 0;
}

int store_contact(const struct shard *s, const struct link_binding *b, struct strbuf *room,
		  struct str *out)
{
	return text_view(s, b, b->aor_len, b->contact_len, room, out);
}

int store_texts(const struct shard *s, const struct link_binding *b, struct strbuf *room,
		struct store_text *out)
{
	uint32_t start = room->len, path_off = (uint32_t)b->aor_len + b->contact_len;
	int r = text_view(s, b, 0, b->aor_len, room, &out->aor);

	if (r == 0)
		r = store_contact(s, b, room, &out->contact);
	if (r == 0)
		r = text_view(s, b, path_off, b->path_len, room, &out->path);
	if (r != 0)
		room->len = start;
	return r;
}

static uint32_t text_len(const struct store_text *t)
{
	return t->aor.len + t->contact.len + t->path.len;
}

static uint32_t text_blocks(const struct store_text *t)
{
	uint32_t len = text_len(t);

	return len <= LINK_BINDING_TEXT ? 0
					: (len - LINK_BINDING_TEXT + BLOCK_BYTES - 1) / BLOCK_BYTES;
}

static bool text_same(const struct shard *s, const struct link_binding *b,
		      const struct store_text *t)
{
	char mem[STORE_TEXT_MAX];
	struct strbuf room = strbuf_of(mem, sizeof(mem));
	struct store_text have;

	return b->contact_len == t->contact.len && b->path_len == t->path.len &&
	       store_texts(s, b, &room, &have) == 0 && str_eq(have.contact, t->contact) &&
	       str_eq(have.path, t->path);
}

/* The record's own part, and a chain for the rest. */
static void text_write(struct shard *s, struct link_binding *b, const struct store_text *t)
{
	uint32_t mem[STORE_TEXT_MAX / 4] = {0}, rest;
	struct strbuf all = strbuf_of(mem, sizeof(mem));

	strbuf_put(&all, t->aor);
	strbuf_put(&all, t->contact);
	strbuf_put(&all, t->path);
	must(!all.full);
	b->aor_len = (uint16_t)t->aor.len;
	b->contact_len = (uint16_t)t->contact.len;
	b->path_len = (uint16_t)t->path.len;
	b->more = LINK_NONE;
	memcpy(b->text, mem, sizeof(b->text));
	if (all.len <= LINK_BINDING_TEXT)
		return;
	rest = (all.len - LINK_BINDING_TEXT + 3) / 4;
	b->more = step_store_words(&s->step, mem + LINK_BINDING_TEXT / 4, rest);
	must(b->more != LINK_NONE); /* store_room() has said so */
}

/* ---- chains ---- */

static uint32_t chain_head(struct shard *s, const struct hash128 *key)
{
	return *(const uint32_t *)step_read(&s->step, bucket(s, key), sizeof(uint32_t));
}

/* Whether a stands before b in a list. */
static bool before(const struct link_binding *a, const struct link_binding *b)
{
	return a->q_permille != b->q_permille ? a->q_permille > b->q_permille
					      : a->updated_us > b->updated_us;
}

uint32_t store_list(struct shard *s, const struct hash128 *key, uint64_t now_us, uint32_t *out,
		    uint32_t max)
{
	uint32_t total = s->link->h->bindings, n = 0, i = chain_head(s, key);

	for (uint32_t seen = 0; i < total && seen < total; seen++) {
		const struct link_binding *b = step_binding_read(&s->step, i);
		uint32_t at = n;

		if (b->aor.lo == key->lo && b->aor.hi == key->hi && b->expires_us > now_us) {
			while (at > 0 && before(b, step_binding_read(&s->step, out[at - 1])))
				at--;
			n += n < max;
			for (uint32_t k = n; k-- > at + 1;)
				out[k] = out[k - 1];
			if (at < n)
				out[at] = i;
		}
		i = b->next;
	}
	return n;
}

static void chain_link(struct shard *s, uint32_t i, struct link_binding *b)
{
	uint32_t *head = step_write(&s->step, bucket(s, &b->aor), sizeof(*head));

	b->next = *head;
	*head = i;
}

static void chain_unlink(struct shard *s, uint32_t i, const struct link_binding *b)
{
	uint32_t total = s->link->h->bindings, at = chain_head(s, &b->aor);

	if (at == i) {
		*(uint32_t *)step_write(&s->step, bucket(s, &b->aor), sizeof(uint32_t)) = b->next;
		return;
	}
	for (uint32_t seen = 0; at < total && seen < total; seen++) {
		uint32_t next = step_binding_read(&s->step, at)->next;

		if (next == i) {
			step_binding(&s->step, at)->next = b->next;
			return;
		}
		at = next;
	}
}

/* ---- changes ---- */

/* Whether a binding keeps its record with these texts. */
static bool stays(struct shard *s, uint32_t i, const struct store_text *t)
{
	const struct link_binding *b = step_binding_read(&s->step, i);

	return (b->more == LINK_NONE && text_blocks(t) == 0) || text_same(s, b, t);
}

void store_need_remove(struct store_need *n)
{
	n->writes++;
	n->touched++;
	n->shadow_bytes += SHADOW_OF_RECORD;
}

void store_need_put(struct shard *s, uint32_t old, const struct store_text *t, struct store_need *n)
{
	uint32_t blocks = text_blocks(t);

	if (old != LINK_NONE)
		store_need_remove(n); /* costs what a refresh costs */
	if (old != LINK_NONE && stays(s, old, t))
		return;
	n->records++;
	n->blocks += blocks;
	n->touched++;
	n->writes += 3 + blocks; /* used word, record, bucket head */
	n->shadow_bytes += SHADOW_OF_RECORD + SHADOW_OF_WORD * (2 + blocks);
}

int store_room(const struct shard *s, const struct store_need *n)
{
	const struct step_pool *blocks = &s->step.pool[STEP_BLOCK];
	const struct link_intent *in = s->step.intent;
	uint64_t keep = (uint64_t)blocks->n_total * s->conf->reserve_percent / 100;

	if (n->records > s->step.pool[STEP_BINDING].set.n_free ||
	    (n->blocks > 0 && n->blocks + keep > blocks->set.n_free))
		return -E_FULL;
	if (in->n_writes + n->writes > LINK_WRITES_MAX ||
	    in->shadow_used + n->shadow_bytes > LINK_SHADOW_BYTES ||
	    s->n_touched + n->touched > SHARD_TOUCHED_MAX)
		return -E_TOO_MANY;
	return 0;
}

/* A gauge that is set from the pool, not counted up and down: it cannot drift. */
static void gauge_set(struct shard *s)
{
	uint64_t n = step_in_use(&s->step, STEP_BINDING);

	for (uint32_t i = 0; i < s->step.n_frees; i++)
		n -= s->step.frees[i].table == STEP_BINDING;
	count_add(s->count, registrar_bindings, n - counter_read(s->count, registrar_bindings));
}

uint32_t store_put(struct shard *s, uint32_t old, const struct link_binding *fields,
		   const struct store_text *t)
{
	struct link_binding *b;
	uint32_t i = old, created_s = fields->created_s;

	if (old != LINK_NONE)
		created_s = step_binding_read(&s->step, old)->created_s;
	if (old != LINK_NONE && stays(s, old, t)) {
		b = step_binding(&s->step, i);
		if (b->more == LINK_NONE)
			text_write(s, b, t);
	} else {
		if (old != LINK_NONE)
			store_remove(s, old);
		i = step_take(&s->step, STEP_BINDING, 0);
		must(i != LINK_NONE); /* store_room() has said so */
		b = step_binding(&s->step, i);
		*b = (struct link_binding){.aor = fields->aor};
		text_write(s, b, t);
		chain_link(s, i, b);
		gauge_set(s);
	}
	b->contact_hash = fields->contact_hash;
	b->call_id_hash = fields->call_id_hash;
	b->expires_us = fields->expires_us;
	b->updated_us = fields->updated_us;
	b->flow = fields->flow;
	b->cseq = fields->cseq;
	b->q_permille = fields->q_permille;
	b->created_s = created_s;
	shard_touch(s, shard_binding_id(s, i));
	return i;
}

void store_remove(struct shard *s, uint32_t i)
{
	step_binding(&s->step, i)->expires_us = STORE_GONE_US;
	shard_touch(s, shard_binding_id(s, i));
}

/* ---- what others see ---- */

uint64_t registrar_next_us(const struct link_binding *b)
{
	return b->expires_us;
}

void registrar_expired(struct shard *s, uint32_t binding)
{
	const struct link_binding *b;

	if (!step_used(&s->step, STEP_BINDING, binding))
		return;
	b = step_binding_read(&s->step, binding);
	if (b->expires_us > s->now_us) {
		shard_touch(s, shard_binding_id(s, binding));
		return;
	}
	if (b->expires_us != STORE_GONE_US)
		count(s->count, registrar_expirations);
	chain_unlink(s, binding, b);
	step_give_chain(&s->step, b->more);
	step_give(&s->step, STEP_BINDING, binding);
	gauge_set(s);
}

uint32_t registrar_lookup(struct shard *s, struct str aor, uint64_t now_us, struct strbuf *room,
			  struct registrar_contact *out, uint32_t max)
{
	struct hash128 key = store_key(s, aor);
	uint32_t list[STORE_LIST_MAX], n, given = 0;
	struct store_text t;

	n = store_list(s, &key, now_us, list, min_u32(max, STORE_LIST_MAX));
	for (uint32_t k = 0; k < n; k++) {
		const struct link_binding *b = step_binding_read(&s->step, list[k]);

		if (store_texts(s, b, room, &t) != 0)
			continue; /* half a route is worse than none */
		out[given++] = (struct registrar_contact){
			.index = list[k],
			.contact = t.contact,
			.path = t.path,
			.flow = b->flow,
			.q_permille = b->q_permille,
			.expires_us = b->expires_us,
		};
	}
	return given;
}

/* false: nobody may see it, or `room` does not hold its texts. */
static bool walk_row(struct shard *s, uint32_t i, struct strbuf *room, struct registrar_row *r)
{
	const struct link_binding *b = step_binding_read(&s->step, i);
	struct store_text t;

	if (!step_used(&s->step, STEP_BINDING, i) || b->expires_us <= s->now_us ||
	    store_texts(s, b, room, &t) != 0)
		return false;
	*r = (struct registrar_row){
		.aor = t.aor,
		.contact = t.contact,
		.path = t.path,
		.expires_us = b->expires_us,
		.updated_us = b->updated_us,
		.flow = b->flow,
		.cseq = b->cseq,
		.q_permille = b->q_permille,
	};
	return true;
}

/* Each row has the whole of `room` for its texts; with STORE_TEXT_MAX octets none is left out. */
uint32_t registrar_walk(struct shard *s, uint32_t from, uint32_t max, struct strbuf *room,
			void (*row)(void *arg, const struct registrar_row *r), void *arg)
{
	uint32_t total = s->link->h->bindings;
	uint32_t end = from < total && max < total - from ? from + max : total;
	const struct strbuf clean = *room;
	struct registrar_row r;

	for (uint32_t i = from; i < end; i++, *room = clean) {
		if (walk_row(s, i, room, &r))
			row(arg, &r);
	}
	return end < total ? end : LINK_NONE;
}
