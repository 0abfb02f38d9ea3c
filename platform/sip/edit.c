/* SPDX-License-Identifier: Apache-2.0 */
/* Edits and programs.
 *
 * A struct sip_edit is a list of changes in the order of the calls; their texts lie one after the
 * other in its own store. sip_edit_program() sorts them by offset, stably, and walks the message
 * once: copy up to the change, its text, skip what it deletes. Most callers edit from the front to
 * the back, so an insertion sort over at most SIP_EDITS_MAX indexes does next to nothing. An insert
 * strictly inside a deleted range keeps its text; two deletes that share an octet are an error of
 * the caller.
 *
 * A program outlives the edit: it holds the texts themselves and offsets into a message that lies
 * elsewhere. The one that renders it may stand in another process and trusts nothing: each word is
 * loaded once, since its writer could change it after the check, and every length is compared with
 * what is left before it is used. An op that copies nothing is never written and not accepted, so
 * that no program has more ops than bytes. Texts are padded to whole words with zeros: no stale
 * octets of ours reach the shared region.
 *
 * Copies that touch, and texts that follow each other, become one op: a plain message with one
 * inserted Via is three memcpy() to send. */
#include "platform/sip/edit.h"

#define WORD_BYTES ((uint32_t)sizeof(struct sip_op))
#define OFF_MAX (SIP_OP_TEXT - 1u)
#define LEN_MAX UINT16_MAX

static uint32_t words_of(uint32_t bytes)
{
	return (bytes + WORD_BYTES - 1) / WORD_BYTES;
}

/* Room for n more words, or NULL: full is set. */
static struct sip_op *take_words(struct sip_program *p, uint32_t n)
{
	struct sip_op *w;

	if (p->full || n > p->cap - p->n) {
		p->full = true;
		return NULL;
	}
	w = p->word + p->n;
	p->n += n;
	return w;
}

void sip_program_copy(struct sip_program *p, uint32_t off, uint32_t len)
{
	struct sip_op *op;

	if (len == 0 || p->full)
		return;
	if (off > OFF_MAX || len > LEN_MAX) { /* beyond any message */
		p->full = true;
		return;
	}
	op = p->n > 0 ? p->word + p->last : NULL;
	if (op && op->off != SIP_OP_TEXT && (uint32_t)op->off + op->len == off &&
	    op->len + len <= LEN_MAX) {
		op->len = (uint16_t)(op->len + len);
		return;
	}
	op = take_words(p, 1);
	if (op) {
		p->last = (uint32_t)(op - p->word);
		*op = (struct sip_op){ (uint16_t)off, (uint16_t)len };
	}
}

void sip_program_text(struct sip_program *p, struct str text)
{
	struct sip_op *op = p->n > 0 ? p->word + p->last : NULL, *added;
	uint32_t have = 0, more;

	if (text.len == 0 || p->full)
		return;
	if (text.len > LEN_MAX) {
		p->full = true;
		return;
	}
	if (op && op->off == SIP_OP_TEXT && op->len + text.len <= LEN_MAX)
		have = op->len;
	more = words_of(have + text.len) - words_of(have) + (have == 0);
	added = take_words(p, more);
	if (!added)
		return;
	if (have == 0) {
		op = added;
		p->last = (uint32_t)(op - p->word);
		op->off = SIP_OP_TEXT;
	}
	if (more > 0) /* pads the last word; the bytes below overwrite the rest of it */
		added[more - 1] = (struct sip_op){ 0, 0 };
	op->len = (uint16_t)(have + text.len);
	memcpy((char *)(op + 1) + have, text.s, text.len);
}

void sip_edit_init(struct sip_edit *e)
{
	e->n = 0;
	e->text_len = 0;
	e->err = 0;
}

static int edit_fail(struct sip_edit *e, int err)
{
	if (e->err == 0)
		e->err = err;
	return e->err;
}

/* One more change, whose text is the next text_len octets of the store. */
static int edit_add(struct sip_edit *e, uint32_t off, uint32_t del, uint32_t text_len)
{
	if (e->err != 0)
		return e->err;
	if (text_len == 0 && del == 0)
		return 0;
	if (off > UINT16_MAX || del > UINT16_MAX)
		return edit_fail(e, -E_MALFORMED);
	if (e->n == SIP_EDITS_MAX)
		return edit_fail(e, -E_TOO_MANY);
	e->change[e->n++] = (struct sip_change){ (uint16_t)off, (uint16_t)del,
						 (uint16_t)e->text_len, (uint16_t)text_len };
	e->text_len += text_len;
	return 0;
}

int sip_edit_insert(struct sip_edit *e, uint32_t off, struct str text)
{
	return sip_edit_replace(e, off, 0, text);
}

int sip_edit_delete(struct sip_edit *e, uint32_t off, uint32_t len)
{
	return edit_add(e, off, len, 0);
}

int sip_edit_replace(struct sip_edit *e, uint32_t off, uint32_t len, struct str text)
{
	if (e->err != 0)
		return e->err;
	if (text.len > SIP_EDIT_TEXT_MAX - e->text_len)
		return edit_fail(e, -E_FULL);
	if (text.len > 0)
		memcpy(e->text + e->text_len, text.s, text.len);
	return edit_add(e, off, len, text.len);
}

struct strbuf sip_edit_text_begin(struct sip_edit *e)
{
	return strbuf_of(e->text + e->text_len, e->err == 0 ? SIP_EDIT_TEXT_MAX - e->text_len : 0);
}

int sip_edit_text_end(struct sip_edit *e, const struct strbuf *b, uint32_t off, uint32_t del)
{
	if (e->err != 0)
		return e->err;
	if (b->full)
		return edit_fail(e, -E_FULL);
	must(b->s == e->text + e->text_len); /* no other text was put between begin and end */
	return edit_add(e, off, del, b->len);
}

static void sort_by_off(const struct sip_edit *e, uint8_t order[SIP_EDITS_MAX])
{
	uint32_t i, j;

	for (i = 0; i < e->n; i++) {
		for (j = i; j > 0 && e->change[order[j - 1]].off > e->change[i].off; j--)
			order[j] = order[j - 1];
		order[j] = (uint8_t)i;
	}
}

int sip_edit_program(const struct sip_edit *e, uint32_t msg_len, struct sip_program *p)
{
	uint8_t order[SIP_EDITS_MAX];
	uint32_t i, done = 0; /* octets of the message copied or left out */

	if (e->err != 0)
		return e->err;
	if (msg_len > UINT16_MAX)
		return -E_MALFORMED;
	sort_by_off(e, order);
	for (i = 0; i < e->n; i++) {
		const struct sip_change *c = &e->change[order[i]];

		if ((uint32_t)c->off + c->del > msg_len || (c->del > 0 && c->off < done))
			return -E_MALFORMED;
		if (c->off > done) {
			sip_program_copy(p, done, c->off - done);
			done = c->off;
		}
		sip_program_text(p, (struct str){ e->text + c->text_off, c->text_len });
		if (c->del > 0)
			done = (uint32_t)c->off + c->del;
	}
	sip_program_copy(p, done, msg_len - done);
	return p->full ? -E_FULL : 0;
}

/* The word at i, loaded once. */
static struct sip_op load_op(const struct sip_op *word, uint32_t i)
{
	return (struct sip_op){ __atomic_load_n(&word[i].off, __ATOMIC_RELAXED),
				__atomic_load_n(&word[i].len, __ATOMIC_RELAXED) };
}

int sip_program_render(const struct sip_op *word, uint32_t n, const char *base, uint32_t base_len,
		       char *out, uint32_t cap)
{
	uint32_t i = 0, len = 0;

	if (cap > INT32_MAX)
		cap = INT32_MAX;
	while (i < n) {
		struct sip_op op = load_op(word, i++);
		const char *from;

		if (op.off == SIP_OP_TEXT) {
			if (words_of(op.len) > n - i)
				return -E_BAD_RECORD;
			from = (const char *)(word + i);
			i += words_of(op.len);
		} else {
			if (op.off > base_len || op.len > base_len - op.off)
				return -E_BAD_RECORD;
			from = base + op.off;
		}
		if (op.len == 0)
			return -E_BAD_RECORD;
		if (op.len > cap - len)
			return -E_TOO_LONG;
		memcpy(out + len, from, op.len);
		len += op.len;
	}
	return len > 0 ? (int)len : -E_BAD_RECORD;
}
