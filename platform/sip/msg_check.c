/* SPDX-License-Identifier: Apache-2.0 */
/* The values that every hop must check, and the few that every hop needs.
 *
 * Each value is tried as the usual shape first (msg_usual.c) and read by the strict functions of
 * via.c and addr.c where it is not. Via: every element, since a later hop steers by them; the top
 * one is kept. From, To: one element, at most one tag. Contact: every element, '*' only alone.
 * CSeq: below 2^31, with the method of the start line. Content-Length bounds the body; where it is
 * absent the body is the rest of the datagram.
 *
 * Expires is read leniently: what is no number counts as 3600 s, larger ones as 2^32-1 (RFC 3261
 * §10.2.1.1, §20.10, §20.19). RFC 3261 §8.1.1, §16.3, §18.3, §20. */
#include "platform/sip/addr.h"
#include "platform/sip/lex.h"
#include "platform/sip/msg_part.h"
#include "platform/sip/param.h"
#include "platform/sip/via.h"

#define CSEQ_MAX 0x7fffffffu /* §8.1.1.5 */
#define MAX_FORWARDS_MAX 255
#define BAD_EXPIRES_S 3600
/* A top Via of another SIP version is read for the sake of the 505 only. */
#define OTHER_VIA_MAX 512

static struct sip_span span_of(uint32_t off, uint32_t end)
{
	return (struct sip_span){(uint16_t)off, (uint16_t)(end - off)};
}

static struct sip_span span_at(const struct msg_work *w, struct str s)
{
	return s.len ? span_of((uint32_t)(s.s - w->p), (uint32_t)(s.s - w->p) + s.len)
		     : (struct sip_span){0, 0};
}

/* ---- Via ---- */

static void via_keep(struct msg_work *w, const struct msg_via *v, uint32_t off, uint32_t len)
{
	struct sip_msg *m = w->m;

	w->via_read = true;
	m->via_value_len = (uint16_t)len;
	m->via_sent_by = span_of(off + v->sent_by, off + v->sent_by_end);
	m->via_host = span_of(off + v->sent_by, off + v->host_end);
	m->via_port = v->port;
	if (v->rport)
		m->flags |= SIP_MSG_VIA_RPORT;
	if (v->branch_end > v->branch) {
		m->via_branch = span_of(off + v->branch, off + v->branch_end);
		if (str_istarts_with(sip_span_str(w->p, m->via_branch), STR("z9hG4bK")))
			m->flags |= SIP_MSG_MAGIC_BRANCH;
	}
}

/* The same from what the strict function found in the element at s. sent-by ends where parameters
 * or white space start. */
static void via_usual_of(const struct sip_via *v, struct str element, struct msg_via *out)
{
	const char *s = element.s, *end = v->params.len ? v->params.s : s + element.len;

	while (end > v->host.s + v->host.len && !lex_is(end[-1], LEX_HOST) && end[-1] != ']')
		end--;
	out->sent_by = (uint32_t)(v->host.s - s);
	out->host_end = out->sent_by + v->host.len;
	out->sent_by_end = (uint32_t)(end - s);
	out->branch = v->branch.len ? (uint32_t)(v->branch.s - s) : 0;
	out->branch_end = out->branch + v->branch.len;
	out->port = v->port;
	out->rport = v->rport;
	out->received = v->received.len != 0;
}

/* A top Via that says another version: read as if it said 2.0, so that the 505 finds its way. */
static void via_other_version(struct msg_work *w, const struct sip_via *other, struct str element)
{
	char copy[OTHER_VIA_MAX] = "SIP/2.0/";
	uint32_t cut = (uint32_t)(other->transport_text.s - element.s), keep = element.len - cut;
	struct sip_via v;
	struct msg_via u;
	uint32_t off = (uint32_t)(element.s - w->p);

	if (other->transport_text.len == 0 || keep > sizeof(copy) - 8)
		return;
	memcpy(copy + 8, other->transport_text.s, keep);
	if (sip_via_parse((struct str){copy, keep + 8}, &v) != 0)
		return;
	via_usual_of(&v, (struct str){copy, keep + 8}, &u);
	/* Offsets count from 8 octets before the transport; the message has `cut` octets there. */
	u.sent_by += cut;
	u.sent_by_end += cut;
	u.host_end += cut;
	u.branch += cut;
	u.branch_end += cut;
	via_keep(w, &u, off - 8, element.len + 8);
	w->m->via_value_len = (uint16_t)element.len;
}

static void via_strict(struct msg_work *w, struct str value, bool top)
{
	uint32_t pos = 0;
	struct str element;

	for (; msg_list_cut(value, &pos, &element); top = false) {
		uint32_t off = (uint32_t)(element.s - w->p);
		struct sip_via v;
		int err = sip_via_parse(element, &v);

		if (err == -E_VERSION && top)
			via_other_version(w, &v, element);
		if (err != 0)
			msg_bad_header(w, err, SIP_H_VIA, off);
		if (err == 0 && top) {
			struct msg_via u;

			via_usual_of(&v, element, &u);
			via_keep(w, &u, off, element.len);
		}
	}
}

static void check_via_line(struct msg_work *w, const struct sip_line *line, bool top)
{
	struct str value = sip_line_value(w->p, line);
	uint32_t at = 0;

	for (;;) {
		struct msg_via v;
		uint32_t end = msg_usual_via(value.s + at, value.len - at, &v);

		if (end == 0) {
			via_strict(w, str_sub(value, at, value.len), top);
			return;
		}
		if (top)
			via_keep(w, &v, line->value_off + at, end);
		top = false;
		at += end;
		if (at == value.len)
			return;
		for (at++; at < value.len && lex_is(value.s[at], LEX_LWS);)
			at++;
	}
}

static void check_via(struct msg_work *w)
{
	const struct sip_line *line = sip_msg_first(w->m, SIP_H_VIA);

	if (!line)
		msg_fault(w, -E_MISSING, 400, SIP_H_VIA, w->m->head_end, "Missing Via header");
	for (bool top = true; line; line = sip_msg_next(w->m, line), top = false)
		check_via_line(w, line, top);
}

/* ---- From, To, Contact ---- */

/* The tag among params. ret 0 · -E_MALFORMED: no token, or two of them */
static int find_tag(struct str params, struct str *tag)
{
	struct sip_param p;
	int r;

	*tag = STR_NONE;
	while ((r = sip_param_next(&params, &p)) > 0) {
		if (!str_ieq(p.name, STR("tag")))
			continue;
		if (tag->len != 0 || !lex_all(p.value, LEX_TOKEN))
			return -E_MALFORMED;
		*tag = p.value;
	}
	return r;
}

static int addr_strict(struct str value, struct str *uri, struct str *tag)
{
	struct sip_addr a;
	int err = sip_addr_parse(value, &a);

	if (err == 0 && a.star)
		err = -E_MALFORMED;
	if (err == 0)
		err = find_tag(a.params, tag);
	*uri = a.uri;
	return err;
}

static void check_from_to(struct msg_work *w, enum sip_hdr_id id, const char *missing,
			  struct sip_span *uri_out, struct sip_span *tag_out)
{
	const struct sip_line *line = sip_msg_first(w->m, id);
	struct str value, uri, tag;
	struct msg_addr a;
	int err;

	if (!line) {
		msg_fault(w, -E_MISSING, 400, id, w->m->head_end, missing);
		return;
	}
	value = sip_line_value(w->p, line);
	if (value.len != 0 && msg_usual_addr(value.s, value.len, &a) == value.len) {
		*uri_out = span_of(line->value_off + a.uri, line->value_off + a.uri_end);
		if (a.tag_end > a.tag)
			*tag_out = span_of(line->value_off + a.tag, line->value_off + a.tag_end);
		return;
	}
	err = addr_strict(value, &uri, &tag);
	if (err != 0) {
		msg_bad_header(w, err, id, line->value_off);
		return;
	}
	*uri_out = span_at(w, uri);
	*tag_out = span_at(w, tag);
}

/* All Contact elements of one line. ret 0 · -E_MALFORMED */
static int contacts_strict(struct str value, uint32_t *n, bool *star)
{
	uint32_t pos = 0;
	struct str element;

	for (; msg_list_cut(value, &pos, &element); ++*n) {
		struct sip_addr a;
		int err = sip_addr_parse(element, &a);

		if (err != 0)
			return err;
		*star |= a.star;
	}
	return 0;
}

static void check_contact(struct msg_work *w)
{
	const struct sip_line *line = sip_msg_first(w->m, SIP_H_CONTACT);
	uint32_t n = 0;
	bool star = false;

	for (; line; line = sip_msg_next(w->m, line)) {
		struct str value = sip_line_value(w->p, line);
		struct msg_addr a;
		int err = 0;

		if (value.len != 0 && msg_usual_addr(value.s, value.len, &a) == value.len)
			n++;
		else
			err = contacts_strict(value, &n, &star);
		if (err != 0 || (star && n > 1)) {
			msg_bad_header(w, err ? err : -E_MALFORMED, SIP_H_CONTACT, line->value_off);
			return;
		}
	}
}

/* ---- the others ---- */

/* word [ "@" word ] */
static bool is_callid(struct str s)
{
	uint32_t i = 0, start;

	while (i < s.len && lex_is(s.s[i], LEX_CALLID))
		i++;
	if (i == 0 || i == s.len)
		return i != 0;
	if (s.s[i] != '@')
		return false;
	for (start = ++i; i < s.len && lex_is(s.s[i], LEX_CALLID);)
		i++;
	return i == s.len && i > start;
}

static void check_call_id(struct msg_work *w)
{
	const struct sip_line *line = sip_msg_first(w->m, SIP_H_CALL_ID);

	if (!line)
		msg_fault(w, -E_MISSING, 400, SIP_H_CALL_ID, w->m->head_end,
			  "Missing Call-ID header");
	else if (!is_callid(sip_line_value(w->p, line)))
		msg_bad_header(w, -E_MALFORMED, SIP_H_CALL_ID, line->value_off);
	else
		w->m->call_id = (struct sip_span){line->value_off, line->value_len};
}

/* 1*DIGIT LWS Method: number and method. ret 0 · -E_MALFORMED · -E_RANGE */
static int cseq_split(struct str value, uint32_t *number, struct str *method)
{
	uint32_t digits = 0, i;

	while (digits < value.len && lex_is(value.s[digits], LEX_DIGIT))
		digits++;
	i = sip_lws_end(value, digits);
	*method = str_sub(value, i, value.len);
	if (i == digits || !lex_all(*method, LEX_TOKEN))
		return -E_MALFORMED;
	return str_to_u32(str_sub(value, 0, digits), CSEQ_MAX, number);
}

static void check_cseq(struct msg_work *w)
{
	struct sip_msg *m = w->m;
	const struct sip_line *line = sip_msg_first(m, SIP_H_CSEQ);
	struct str method;
	int err;

	if (!line) {
		msg_fault(w, -E_MISSING, 400, SIP_H_CSEQ, m->head_end, "Missing CSeq header");
		return;
	}
	err = cseq_split(sip_line_value(w->p, line), &m->cseq, &method);
	if (err != 0) {
		msg_bad_header(w, err, SIP_H_CSEQ, line->value_off);
	} else if (w->response) {
		m->method_text = span_at(w, method);
		m->method = (uint8_t)sip_method_find(method);
	} else if (!str_eq(method, sip_span_str(w->p, m->method_text))) {
		msg_fault(w, -E_MALFORMED, 400, SIP_H_CSEQ, (uint32_t)(method.s - w->p),
			  "CSeq method does not match request method");
	}
}

static void check_max_forwards(struct msg_work *w)
{
	const struct sip_line *line = sip_msg_first(w->m, SIP_H_MAX_FORWARDS);
	uint32_t n = 0;
	int err;

	if (!line)
		return;
	err = str_to_u32(sip_line_value(w->p, line), MAX_FORWARDS_MAX, &n);
	if (err != 0)
		msg_bad_header(w, err, SIP_H_MAX_FORWARDS, line->value_off);
	else
		w->m->max_forwards = (uint16_t)n;
}

static void check_expires(struct msg_work *w)
{
	const struct sip_line *line = sip_msg_first(w->m, SIP_H_EXPIRES);
	uint32_t n = BAD_EXPIRES_S;

	if (!line)
		return;
	if (str_to_u32(sip_line_value(w->p, line), UINT32_MAX - 1, &n) == -E_RANGE)
		n = UINT32_MAX - 1; /* 2^32-1 itself says "absent" */
	w->m->expires_s = n;
}

static void check_body(struct msg_work *w)
{
	struct sip_msg *m = w->m;
	const struct sip_line *line = sip_msg_first(m, SIP_H_CONTENT_LENGTH);
	uint32_t rest = w->len - m->body_off, n = rest;
	int err = 0;

	if (line)
		err = str_to_u32(sip_line_value(w->p, line), UINT32_MAX, &n);
	if (err != 0) {
		msg_bad_header(w, err, SIP_H_CONTENT_LENGTH, line->value_off);
		n = 0;
	} else if (n > rest) {
		msg_fault(w, -E_RANGE, 400, SIP_H_CONTENT_LENGTH, line->value_off,
			  "Content-Length larger than the message");
		n = rest;
	}
	m->body_len = (uint16_t)n;
	m->len_bytes = (uint16_t)(m->body_off + n);
}

void msg_check(struct msg_work *w)
{
	struct sip_msg *m = w->m;

	check_via(w);
	check_from_to(w, SIP_H_FROM, "Missing From header", &m->from_uri, &m->from_tag);
	check_from_to(w, SIP_H_TO, "Missing To header", &m->to_uri, &m->to_tag);
	if (m->to_tag.len != 0)
		m->flags |= SIP_MSG_TO_TAG;
	check_call_id(w);
	check_cseq(w);
	check_max_forwards(w);
	check_expires(w);
	check_contact(w);
	check_body(w);
}
