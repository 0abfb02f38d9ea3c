/* SPDX-License-Identifier: Apache-2.0 */
/* The copy of a request that goes out, as edits against the one that came in, in the order of the
 * eleven steps of RFC 3261 §16.6. The received octets are never touched: each edit is an insert,
 * delete or replacement, and the core renders them when it sends. */
#include "control/proxy/proxy.h"

#include "platform/link/token.h"
#include "platform/sip/addr.h"
#include "platform/sip/param.h"
#include "platform/sip/via.h"

#define MAX_FORWARDS_DEFAULT "Max-Forwards: 70\r\n"

static uint32_t offset(const struct message *m, const char *p)
{
	return (uint32_t)(p - m->base);
}

/* Where new headers go: in front of all others. */
static uint32_t top(const struct message *m)
{
	return m->sip->line[0].off;
}

/* Step 3. Its value may be folded or padded: it is written anew. */
static void edit_max_forwards(struct shard *s, const struct message *m)
{
	const struct sip_line *l = sip_msg_first(m->sip, SIP_H_MAX_FORWARDS);
	char text[8];
	struct strbuf b = strbuf_of(text, sizeof(text));

	if (l == NULL) {
		(void)sip_edit_insert(&s->edit, top(m), STR(MAX_FORWARDS_DEFAULT));
		return;
	}
	strbuf_u64(&b, (uint64_t)m->sip->max_forwards - 1);
	(void)sip_edit_replace(&s->edit, l->value_off, l->value_len, strbuf_str(&b));
}

static void put_record_route(struct strbuf *b, const struct conf_listener *l)
{
	char self[CONF_TEXT_MAX + 8];

	strbuf_put(b, STR("Record-Route: <sip:"));
	strbuf_put(b, str_of(self, self_sent_by(l, self, sizeof(self))));
	strbuf_put(b, STR(";lr>\r\n"));
}

/* Step 4: those that make a dialog, so that we stay in its path. */
static void edit_record_route(struct shard *s, const struct message *m, const struct link_flow *to)
{
	unsigned method = m->sip->method;
	struct strbuf b;

	if (s->conf->record_route == 0 || (m->sip->flags & SIP_MSG_TO_TAG) != 0 ||
	    (method != SIP_M_INVITE && method != SIP_M_SUBSCRIBE && method != SIP_M_REFER))
		return;
	b = sip_edit_text_begin(&s->edit);
	put_record_route(&b, &s->conf->listener[to->listener]);
	/* RFC 5658: each side finds us at an address that it can reach; the called side's stands first */
	if (to->listener != m->head->flow.listener)
		put_record_route(&b, &s->conf->listener[m->head->flow.listener]);
	(void)sip_edit_text_end(&s->edit, &b, top(m), 0);
}

/* Step 8. */
static void edit_via(struct shard *s, const struct message *m, const struct link_flow *to, struct str branch)
{
	struct strbuf b = sip_edit_text_begin(&s->edit);
	char self[CONF_TEXT_MAX + 8];
	uint32_t n = self_sent_by(&s->conf->listener[to->listener], self, sizeof(self));

	sip_via_print(&b, (enum sip_transport)to->transport, str_of(self, n), branch, true);
	(void)sip_edit_text_end(&s->edit, &b, top(m), 0);
}

/* §18.2.1 and RFC 3581 §4: the top Via learns where the request really came from. */
static void edit_received(struct shard *s, const struct message *m)
{
	const struct sip_line *l = sip_msg_first(m->sip, SIP_H_VIA);
	struct str value = str_sub(sip_line_value(m->base, l), 0, m->sip->via_value_len), rest;
	struct sip_param p;
	struct sip_via v;
	char ip[IP_TEXT_MAX], text[IP_TEXT_MAX + 16];
	struct strbuf b = strbuf_of(text, sizeof(text));
	uint32_t n = ip_print(&m->head->flow.peer, false, ip);

	if (sip_via_parse(value, &v) != 0)
		return;
	rest = v.params;
	while (v.rport && sip_param_next(&rest, &p) == 1) {
		if (!str_ieq(p.name, STR("rport")))
			continue;
		strbuf_put(&b, STR("rport="));
		strbuf_u64(&b, m->head->flow.peer_port);
		(void)sip_edit_replace(&s->edit, offset(m, p.name.s),
				       p.value.s ? (uint32_t)(p.value.s + p.value.len - p.name.s) : p.name.len,
				       strbuf_str(&b));
		break;
	}
	if (v.received.s != NULL && v.received.len > 0) {
		(void)sip_edit_replace(&s->edit, offset(m, v.received.s), v.received.len, str_of(ip, n));
		return;
	}
	if (!v.rport && str_eq(v.host, str_of(ip, n)))
		return;
	b.len = 0;
	strbuf_put(&b, STR(";received="));
	strbuf_put(&b, str_of(ip, n));
	(void)sip_edit_insert(&s->edit, offset(m, value.s) + value.len, strbuf_str(&b));
}

static bool is_strict(const struct proxy_route *r)
{
	return r->next.len > 0 && !r->next_loose;
}

/* Step 6, for a next hop of RFC 2543: it wants to see itself in the Request-URI, and the real one as the
 * last Route value. */
static void edit_strict(struct shard *s, const struct message *m, const struct proxy_route *r)
{
	const struct sip_line *l = sip_msg_first(m->sip, SIP_H_ROUTE), *last = l;
	struct strbuf b;

	if (!is_strict(r))
		return;
	while ((l = sip_msg_next(m->sip, l)) != NULL)
		last = l;
	(void)sip_edit_replace(&s->edit, m->sip->ruri.off, m->sip->ruri.len, r->next);
	b = sip_edit_text_begin(&s->edit);
	strbuf_put(&b, STR("Route: <"));
	strbuf_put(&b, sip_span_str(m->base, m->sip->ruri));
	strbuf_put(&b, STR(">\r\n"));
	(void)sip_edit_text_end(&s->edit, &b, sip_line_end(m->sip, last), 0);
}

/* §16.4: Route values that are ours have done their work. Whole lines go where nothing is left. */
static void edit_routes(struct shard *s, const struct message *m, const struct proxy_route *r)
{
	struct sip_list it = { 0 };
	struct str element;
	const struct sip_line *line = NULL;
	uint32_t left = r->n_own + is_strict(r), from = 0;

	if (left == 0)
		return;
	while (sip_list_next(m->base, m->sip, SIP_H_ROUTE, &it, &element)) {
		if (it.line != line) {
			/* the lines before this one held only values that go */
			if (line != NULL)
				(void)sip_edit_delete(&s->edit, line->off,
						      (uint32_t)sip_line_end(m->sip, line) - line->off);
			line = it.line;
			from = line->value_off;
		}
		if (left == 0) {
			uint32_t until = offset(m, element.s);

			if (until > from)
				(void)sip_edit_delete(&s->edit, from, until - from);
			return;
		}
		left--;
	}
	if (line != NULL)
		(void)sip_edit_delete(&s->edit, line->off, (uint32_t)sip_line_end(m->sip, line) - line->off);
}

static void edit_path(struct shard *s, const struct message *m, struct str path)
{
	struct strbuf b;

	if (path.len == 0)
		return;
	b = sip_edit_text_begin(&s->edit);
	strbuf_put(&b, STR("Route: "));
	strbuf_put(&b, path);
	strbuf_put(&b, STR("\r\n"));
	(void)sip_edit_text_end(&s->edit, &b, top(m), 0);
}

/* All edits of §16.6. Inserts at one place keep the order of the calls: Via, Record-Route, Route. */
static int make_edits(struct shard *s, const struct message *m, const struct proxy_route *r,
		      const struct proxy_target *t, struct str branch, struct sip_program *p)
{
	sip_edit_init(&s->edit);
	if (t->ruri.len > 0)
		(void)sip_edit_replace(&s->edit, m->sip->ruri.off, m->sip->ruri.len, t->ruri);
	edit_via(s, m, &t->flow, branch);
	edit_record_route(s, m, &t->flow);
	edit_path(s, m, t->route);
	edit_max_forwards(s, m);
	edit_routes(s, m, r);
	edit_strict(s, m, r);
	edit_received(s, m);
	return sip_edit_program(&s->edit, m->sip->len_bytes, p);
}

int proxy_forward(struct shard *s, uint32_t txn, struct message *m, const struct proxy_route *r,
		  const struct proxy_target *t)
{
	uint32_t b = txn_branch_new(s, txn, (enum sip_method)m->sip->method);
	struct sip_program p = shard_program(s);
	struct token_branch token = { .shard = s->id, .branch = b };
	char text[TOKEN_BRANCH_LEN];
	int err;

	if (b == LINK_NONE)
		return -E_FULL;
	token.generation = step_generation(&s->step, STEP_BRANCH, b);
	token_branch_write(s->link->h, &token, text);
	err = make_edits(s, m, r, t, str_of(text, sizeof(text)), &p);
	if (err == 0)
		return txn_branch_start(s, b, &t->flow, &p);
	txn_branch_free(s, b);
	return err;
}

/* §16.11: the branch is a function of the request, so that a retransmission gets the same. */
int proxy_forward_stateless(struct shard *s, struct message *m, const struct proxy_route *r,
			    const struct proxy_target *t)
{
	struct sip_program p = shard_program(s);
	char text[7 + TOKEN_TAG_LEN];
	int err;

	memcpy(text, "z9hG4bK", 7);
	token_tag_write(s->link->h, m->base, m->sip, text + 7);
	err = make_edits(s, m, r, t, str_of(text, sizeof(text)), &p);
	if (err == 0)
		err = shard_send_once(s, &t->flow, m->slot, &p, LINK_F_RELEASE);
	if (err == 0)
		m->kept = true;
	return err;
}
