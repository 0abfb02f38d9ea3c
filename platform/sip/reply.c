/* SPDX-License-Identifier: Apache-2.0 */
/* Responses as programs over their request; ACK, CANCEL and requests of our own as bytes.
 *
 * A response repeats whole header lines of the request (RFC 3261 §8.2.6.2), names and folds as they
 * came: a compact name is valid in a response too. Only two of them change. The top Via gets
 * ;received= and the value of ;rport; where it shares its line with others they keep following it
 * behind their comma, in order. To gets a tag where it has none and the status is above 100.
 *
 * The lines are emitted Via, Record-Route, From, To, Call-ID, CSeq, whatever their order in the
 * request; where they stand in that order, which is the common one, the program joins them into few
 * copies. A line whose end is not CR LF, or follows white space, is copied up to its value's end
 * and gets a CR LF of ours, so that a lenient read never becomes a bad write.
 *
 * A malformed request is answered from its first From, To, Call-ID and CSeq, for each may stand
 * once in the answer. Where its top Via is beyond repair it goes back as it came.
 *
 * CANCEL and the ACK for a non-2xx belong to a transaction of ours: they repeat the top Via of what
 * we sent, and no other (§9.1, §17.1.1.3). Values go out under our own names, one line each.
 *
 * Control may hand over an index that it took from shared memory: it must have passed
 * sip_msg_index_ok(); beyond that nothing here reads outside m->len_bytes. */
#include "platform/sip/reply.h"

#include "platform/sip/param.h"

#define OUR_MAX_FORWARDS STR("70") /* RFC 3261 §8.1.1.6 */

/* The message from `from` to the end of the line's value, then its line end, or one of ours. */
static void copy_line_from(struct sip_program *p, const char *req, const struct sip_msg *m,
			   const struct sip_line *line, uint32_t from)
{
	uint32_t end = (uint32_t)line->value_off + line->value_len;

	if (end + 2 <= m->len_bytes && req[end] == '\r' && req[end + 1] == '\n') {
		sip_program_copy(p, from, end + 2 - from);
		return;
	}
	sip_program_copy(p, from, end - from);
	sip_program_text(p, STR("\r\n"));
}

static void copy_first(struct sip_program *p, const char *req, const struct sip_msg *m,
		       enum sip_hdr_id id)
{
	const struct sip_line *line = sip_msg_first(m, id);

	if (line)
		copy_line_from(p, req, m, line, line->off);
}

static void copy_all(struct sip_program *p, const char *req, const struct sip_msg *m,
		     const struct sip_line *line)
{
	for (; line; line = sip_msg_next(m, line))
		copy_line_from(p, req, m, line, line->off);
}

static void put_number(struct sip_program *p, uint32_t v)
{
	char text[10];
	struct strbuf b = strbuf_of(text, sizeof(text));

	strbuf_u64(&b, v);
	sip_program_text(p, strbuf_str(&b));
}

static uint32_t offset_of_end(const char *req, struct str part)
{
	return (uint32_t)(part.s - req) + part.len;
}

/* The top Via value, which starts its line, with received and rport set. A received of its own is
 * replaced: the client cannot know, or lies (§18.2.1). The parser has been over it and says where
 * sent-by ends; where it could not read so far, the value goes back as it came.
 * ret offset up to which the message is done. */
static uint32_t put_top_via(struct sip_program *p, const char *req, const struct sip_msg *m,
			    const struct sip_reply *r, const struct sip_line *line)
{
	uint32_t done = line->off, end = (uint32_t)line->value_off + m->via_value_len;
	uint32_t params = (uint32_t)m->via_sent_by.off + m->via_sent_by.len;
	struct sip_param param;
	struct str rest;

	if (m->via_value_len > line->value_len || m->via_sent_by.len == 0 ||
	    m->via_sent_by.off < line->value_off || params > end)
		return done;
	for (rest = (struct str){ req + params, end - params };;) {
		const char *start = rest.s;

		if (sip_param_next(&rest, &param) <= 0)
			break;
		if (r->received.len > 0 && str_ieq(param.name, STR("received"))) {
			sip_program_copy(p, done, (uint32_t)(start - req) - done);
			done = offset_of_end(req, param.value.s ? param.value : param.name);
		} else if (r->rport != 0 && str_ieq(param.name, STR("rport"))) {
			sip_program_copy(p, done, offset_of_end(req, param.name) - done);
			sip_program_text(p, STR("="));
			put_number(p, r->rport);
			done = offset_of_end(req, param.value.s ? param.value : param.name);
		}
	}
	if (r->received.len > 0) {
		sip_program_copy(p, done, end - done);
		sip_program_text(p, STR(";received="));
		sip_program_text(p, r->received);
		done = end;
	}
	return done;
}

static void put_vias(struct sip_program *p, const char *req, const struct sip_msg *m,
		     const struct sip_reply *r)
{
	const struct sip_line *top = sip_msg_first(m, SIP_H_VIA);
	uint32_t done;

	if (!top)
		return;
	done = top->off;
	if (r->received.len > 0 || (r->rport != 0 && (m->flags & SIP_MSG_VIA_RPORT)))
		done = put_top_via(p, req, m, r, top);
	copy_line_from(p, req, m, top, done);
	copy_all(p, req, m, sip_msg_next(m, top));
}

static void put_to(struct sip_program *p, const char *req, const struct sip_msg *m,
		   const struct sip_reply *r)
{
	const struct sip_line *to = sip_msg_first(m, SIP_H_TO);
	uint32_t end;

	if (!to)
		return;
	if (r->status <= 100 || r->to_tag.len == 0 || (m->flags & SIP_MSG_TO_TAG)) {
		copy_line_from(p, req, m, to, to->off);
		return;
	}
	end = (uint32_t)to->value_off + to->value_len;
	sip_program_copy(p, to->off, end - to->off);
	sip_program_text(p, STR(";tag="));
	sip_program_text(p, r->to_tag);
	copy_line_from(p, req, m, to, end);
}

static void put_status_line(struct sip_program *p, const struct sip_reply *r)
{
	sip_program_text(p, STR("SIP/2.0 "));
	put_number(p, r->status);
	sip_program_text(p, STR(" "));
	sip_program_text(p, r->reason.len > 0 ? r->reason : sip_reason(r->status));
	sip_program_text(p, STR("\r\n"));
}

int sip_reply_program(const char *req, const struct sip_msg *m, const struct sip_reply *r,
		      struct sip_program *p)
{
	put_status_line(p, r);
	put_vias(p, req, m, r);
	if (r->record_route)
		copy_all(p, req, m, sip_msg_first(m, SIP_H_RECORD_ROUTE));
	copy_first(p, req, m, SIP_H_FROM);
	put_to(p, req, m, r);
	copy_first(p, req, m, SIP_H_CALL_ID);
	copy_first(p, req, m, SIP_H_CSEQ);
	if (r->status == 100)
		copy_first(p, req, m, SIP_H_TIMESTAMP);
	sip_program_text(p, r->extra);
	sip_program_text(p, STR("Content-Length: "));
	put_number(p, r->body.len);
	sip_program_text(p, STR("\r\n\r\n"));
	sip_program_text(p, r->body);
	return p->full ? -E_FULL : 0;
}

static void put_line(struct strbuf *b, struct str name_colon, struct str value)
{
	strbuf_put(b, name_colon);
	strbuf_put(b, value);
	strbuf_put(b, STR("\r\n"));
}

static void put_cseq(struct strbuf *b, uint32_t cseq, struct str method)
{
	strbuf_put(b, STR("CSeq: "));
	strbuf_u64(b, cseq);
	strbuf_char(b, ' ');
	strbuf_put(b, method);
	strbuf_put(b, STR("\r\n"));
}

static void put_request_line(struct strbuf *b, struct str method, struct str ruri)
{
	strbuf_put(b, method);
	strbuf_char(b, ' ');
	strbuf_put(b, ruri);
	strbuf_put(b, STR(" SIP/2.0\r\n"));
}

static struct str first_value(const char *base, const struct sip_msg *m, enum sip_hdr_id id)
{
	const struct sip_line *line = sip_msg_first(m, id);

	return line ? sip_line_value(base, line) : STR_NONE;
}

static int finish(struct strbuf *b, struct str extra)
{
	strbuf_put(b, extra);
	strbuf_put(b, STR("Content-Length: 0\r\n\r\n"));
	return b->full || b->len > INT32_MAX ? -E_TOO_LONG : (int)b->len;
}

/* What ACK and CANCEL have in common with the request that they follow. */
static void put_follower(struct strbuf *b, const char *sent, const struct sip_msg *m,
			 struct str method, struct str to)
{
	const struct sip_line *line;
	struct str via = first_value(sent, m, SIP_H_VIA);

	if (via.len > m->via_value_len)
		via.len = m->via_value_len;
	put_request_line(b, method, sip_span_str(sent, m->ruri));
	put_line(b, STR("Via: "), via);
	put_line(b, STR("Max-Forwards: "), OUR_MAX_FORWARDS);
	for (line = sip_msg_first(m, SIP_H_ROUTE); line; line = sip_msg_next(m, line))
		put_line(b, STR("Route: "), sip_line_value(sent, line));
	put_line(b, STR("From: "), first_value(sent, m, SIP_H_FROM));
	put_line(b, STR("To: "), to);
	put_line(b, STR("Call-ID: "), first_value(sent, m, SIP_H_CALL_ID));
	put_cseq(b, m->cseq, method);
}

int sip_ack_build(const char *sent, const struct sip_msg *m, struct str answer_to, char *out,
		  uint32_t cap)
{
	struct strbuf b = strbuf_of(out, cap);

	put_follower(&b, sent, m, STR("ACK"), answer_to);
	return finish(&b, STR_NONE);
}

int sip_cancel_build(const char *sent, const struct sip_msg *m, struct str reason, char *out,
		     uint32_t cap)
{
	struct strbuf b = strbuf_of(out, cap);

	put_follower(&b, sent, m, STR("CANCEL"), first_value(sent, m, SIP_H_TO));
	if (reason.len > 0)
		put_line(&b, STR("Reason: "), reason);
	return finish(&b, STR_NONE);
}

int sip_request_build(const struct sip_new_request *r, char *out, uint32_t cap)
{
	struct strbuf b = strbuf_of(out, cap);

	put_request_line(&b, r->method, r->ruri);
	put_line(&b, STR("Via: "), r->via);
	put_line(&b, STR("Max-Forwards: "), OUR_MAX_FORWARDS);
	put_line(&b, STR("From: "), r->from);
	put_line(&b, STR("To: "), r->to);
	put_line(&b, STR("Call-ID: "), r->call_id);
	put_cseq(&b, r->cseq, r->method);
	return finish(&b, r->extra);
}
