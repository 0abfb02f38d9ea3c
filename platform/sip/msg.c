/* SPDX-License-Identifier: Apache-2.0 */
/* From bytes to an index: cut the head into lines, name them, check what every hop must check.
 *
 * Three steps. The lexer cuts lines (lex.c). Each header line is named by the perfect hash of
 * hdr.c and entered into the index; a header that may stand once and stands twice shows here. Then
 * msg_start.c and msg_check.c look at the few values that decide what happens to the message. A
 * fault is noted and the work goes on, since a 400 needs the rest of the head.
 *
 * Leading empty lines are skipped (RFC 3261 §7.5). Line ends may be a bare LF. A NUL, or a CR that
 * is no line end, makes the head malformed, but an escaped NUL inside a quoted string is a
 * quoted-pair and stays (§25.1, RFC 4475 §3.1.1.2). RFC 3261 §7.3, §7.5, §18.3. */
#include "platform/sip/msg.h"
#include "platform/sip/lex.h"
#include "platform/sip/msg_part.h"

#define NO_LINE 255

/* clang-format off */
#define X(id, name, compact, rule) [SIP_H_##id] = "Bad " name " header",
static const char *const bad_text[SIP_H_COUNT] = {
	[SIP_H_OTHER] = "Bad header",
	SIP_HEADERS(X)
};
#undef X

#define X(id, name, compact, rule) [SIP_H_##id] = "More than one " name " header",
static const char *const twice_text[SIP_H_COUNT] = {
	[SIP_H_OTHER] = "Repeated header",
	SIP_HEADERS(X)
};
#undef X

#define X(id, name, compact, rule) [SIP_H_##id] = SIP_HDR_##rule == SIP_HDR_ONE,
static const bool stands_once[SIP_H_COUNT] = {
	SIP_HEADERS(X)
};
#undef X
/* clang-format on */

void msg_fault(struct msg_work *w, int err, uint16_t status, enum sip_hdr_id hdr, uint32_t off,
	       const char *text)
{
	if (w->f->err != 0)
		return;
	w->f->err = err;
	w->f->status = status;
	w->f->hdr = (uint8_t)hdr;
	w->f->off = (uint16_t)(off <= SIP_MSG_MAX ? off : SIP_MSG_MAX);
	w->f->text = text;
}

void msg_bad_header(struct msg_work *w, int err, enum sip_hdr_id hdr, uint32_t off)
{
	msg_fault(w, err, 400, hdr, off, bad_text[hdr]);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Whether each NUL of p[from..end) is the second half of a quoted-pair in a quoted string. */
static bool nuls_escaped(const char *p, uint32_t from, uint32_t end)
{
	bool quoted = false;

	for (uint32_t i = from; i < end; i++) {
		if (p[i] == '\0')
			return false;
		if (p[i] == '"')
			quoted = !quoted;
		else if (p[i] == '\\' && quoted)
			i++;
	}
	return true;
}

/* What a reply copies from the request: it may not be sent back where it holds stray octets. */
static bool is_copied(enum sip_hdr_id id)
{
	return id == SIP_H_VIA || id == SIP_H_FROM || id == SIP_H_TO || id == SIP_H_CALL_ID ||
	       id == SIP_H_CSEQ;
}

static void check_octets(struct msg_work *w, const struct lex_line *l, enum sip_hdr_id id)
{
	if (!(l->flags & LEX_LINE_BARE_CR) && nuls_escaped(w->p, l->start, l->end))
		return;
	msg_fault(w, -E_MALFORMED, 400, id, l->start, "Stray NUL or CR in a header");
	w->unsendable |= is_copied(id);
}

static void index_add(struct msg_work *w, enum sip_hdr_id id, const struct lex_line *l,
		      uint32_t value, uint32_t value_end)
{
	struct sip_msg *m = w->m;
	uint8_t n = m->n_lines;

	if (n >= w->limits->headers || n >= SIP_HDRS_MAX) {
		msg_fault(w, -E_TOO_MANY, 400, id, l->start, "Too many header lines");
		w->unsendable |= is_copied(id);
		return;
	}
	m->line[n] = (struct sip_line){(uint16_t)l->start, (uint16_t)value,
				       (uint16_t)(value_end - value), (uint8_t)id, NO_LINE};
	m->n_lines++;
	if (m->first[id] == NO_LINE) {
		m->first[id] = n;
	} else if (id != SIP_H_OTHER) {
		if (stands_once[id])
			msg_fault(w, -E_DUPLICATE, 400, id, l->start, twice_text[id]);
		m->line[w->last[id]].next = n;
	}
	w->last[id] = n;
}

static void index_line(struct msg_work *w, const struct lex_line *l)
{
	const char *p = w->p;
	uint32_t name_end = l->colon, value = l->colon + 1, end = l->end;
	struct str name;
	enum sip_hdr_id id;

	if (l->colon == l->end) {
		msg_fault(w, -E_MALFORMED, 400, SIP_H_OTHER, l->start,
			  "Header line without a colon");
		return;
	}
	while (name_end > l->start && lex_is(p[name_end - 1], LEX_LWS))
		name_end--;
	name = (struct str){p + l->start, name_end - l->start};
	id = sip_hdr_find(name);
	if (id == SIP_H_OTHER && !lex_all(name, LEX_TOKEN)) {
		msg_fault(w, -E_MALFORMED, 400, SIP_H_OTHER, l->start, "Bad header name");
		return;
	}
	if (l->end - l->start > w->limits->header_bytes)
		msg_fault(w, -E_TOO_LONG, 400, id, l->start, "Header line too long");
	if (l->flags & (LEX_LINE_BARE_CR | LEX_LINE_NUL))
		check_octets(w, l, id);
	while (value < end && is_blank(p[value]))
		value++;
	while (end > value && is_blank(p[end - 1]))
		end--;
	index_add(w, id, l, value < end ? value : l->colon + 1, value < end ? end : l->colon + 1);
}

static void start_line(struct msg_work *w, const struct lex_line *l)
{
	if (l->flags & (LEX_LINE_FOLDED | LEX_LINE_BARE_CR | LEX_LINE_NUL)) {
		w->response = str_istarts_with((struct str){w->p + l->start, l->end - l->start},
					       STR("SIP/"));
		msg_fault(w, -E_MALFORMED, 400, SIP_H_OTHER, l->start, "Bad start line");
		return;
	}
	msg_start_line(w, l->start, l->end);
}

static uint32_t skip_empty_lines(const char *p, uint32_t len)
{
	uint32_t i = 0;

	while (i < len && (p[i] == '\n' || (p[i] == '\r' && i + 1 < len && p[i + 1] == '\n')))
		i += p[i] == '\n' ? 1 : 2;
	return i;
}

/* Sets head_end and body_off also where the head does not end. */
static void parse_head(struct msg_work *w)
{
	struct lex_cursor c;
	struct lex_line l;
	uint32_t pos = skip_empty_lines(w->p, w->len);

	lex_open(&c, w->p, w->len);
	if (!lex_next(&c, pos, true, &l)) {
		msg_fault(w, -E_MALFORMED, 0, SIP_H_OTHER, 0, "Not a SIP message");
		return;
	}
	start_line(w, &l);
	for (pos = l.next; lex_next(&c, pos, true, &l); pos = l.next) {
		if (l.start == l.end) {
			w->m->head_end = (uint16_t)l.start;
			w->m->body_off = (uint16_t)l.next;
			return;
		}
		index_line(w, &l);
	}
	w->m->head_end = w->m->body_off = (uint16_t)pos;
	if (pos < w->len)
		w->m->body_off = (uint16_t)w->len; /* a broken last line, which is no body */
	msg_fault(w, -E_MALFORMED, 400, SIP_H_OTHER, pos, "No empty line after the headers");
}

/* Whether what a reply needs is there: see struct sip_fault. */
static bool is_answerable(const struct msg_work *w)
{
	static const enum sip_hdr_id needed[] = {SIP_H_FROM, SIP_H_TO, SIP_H_CALL_ID, SIP_H_CSEQ};

	if (w->response || w->unsendable || !w->via_read)
		return false;
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
		const struct sip_line *line = sip_msg_first(w->m, needed[i]);

		if (!line || line->value_len == 0)
			return false;
	}
	return true;
}

int sip_msg_parse(struct str buf, const struct sip_limits *limits, struct sip_msg *m,
		  struct sip_fault *f)
{
	struct msg_work w;

	w.p = buf.s;
	w.len = buf.len < SIP_MSG_MAX ? buf.len : SIP_MSG_MAX;
	w.limits = limits;
	w.m = m;
	w.f = f;
	w.response = w.via_read = w.unsendable = false;
	memset(m, 0, offsetof(struct sip_msg, first));
	memset(m->first, NO_LINE, sizeof(m->first));
	m->max_forwards = SIP_NO_MAX_FORWARDS;
	m->expires_s = SIP_NO_EXPIRES;
	*f = (struct sip_fault){0};

	if (buf.len > limits->msg_bytes || buf.len > SIP_MSG_MAX)
		msg_fault(&w, -E_TOO_LONG, 513, SIP_H_OTHER, limits->msg_bytes,
			  "Message Too Large");
	parse_head(&w);
	msg_check(&w);
	if (f->err == 0)
		return 0;
	if (w.response)
		f->status = 0;
	f->answerable = f->status != 0 && is_answerable(&w);
	return f->err;
}
