/* SPDX-License-Identifier: Apache-2.0 */
/* A request that came up: is it one we have (ACK, CANCEL, retransmission), and if not, may it pass and
 * who handles it - the registrar, we ourselves, or a next hop (RFC 3261 §16.3, §16.10, §8.2).
 *
 * Refusals for which nothing is remembered are made without state: their To tag is a keyed hash, so a
 * retransmission gets the same reply and the core absorbs the ACK. */
#include "control/proxy/proxy.h"

#include "control/registrar/registrar.h"
#include "platform/sip/own.h"
#include "platform/sip/uri.h"

#define JOB_CANCEL_WAIT 1
/* A CANCEL may have overtaken its INVITE on another core: so long it waits before 481. */
#define CANCEL_WAIT_US 200000

static void refuse(struct shard *s, struct message *m, unsigned status, struct str extra)
{
	txn_reply_stateless(s, m, status, NULL, extra);
}

/* 420 for options that we, as the last one to handle it, do not know; Path is known to the registrar. */
static bool refuse_require(struct shard *s, struct message *m)
{
	char text[SIP_UNSUPPORTED_BYTES];
	struct strbuf b = strbuf_of(text, sizeof(text));
	struct str extra;

	sip_unsupported_add(m->base, m->sip, SIP_H_REQUIRE, &b);
	sip_unsupported_add(m->base, m->sip, SIP_H_PROXY_REQUIRE, &b);
	extra = sip_unsupported_end(&b);
	if (extra.len > 0)
		refuse(s, m, 420, extra);
	return extra.len > 0;
}

static void cancel_matched(struct shard *s, uint32_t cancel, uint32_t invite)
{
	txn_reply(s, cancel, 200, NULL, STR_NONE);
	step_txn(&s->step, invite)->flags |= TXN_F_CANCELLED;
	if ((step_txn_read(&s->step, invite)->flags & TXN_F_FINAL) == 0)
		proxy_cancel_branches(s, invite, LINK_NONE);
}

static void cancel_in(struct shard *s, struct message *m)
{
	struct hash128 key = txn_key(s, m, SIP_M_INVITE);
	uint32_t invite = txn_find(s, &key), cancel = txn_new(s, m, true);
	struct link_txn *t;

	if (cancel == LINK_NONE)
		return; /* not even the reserve is left: the sender repeats it */
	if (invite != LINK_NONE) {
		cancel_matched(s, cancel, invite);
		return;
	}
	t = step_txn(&s->step, cancel);
	t->job_kind = JOB_CANCEL_WAIT;
	t->job_deadline_us = s->now_us + CANCEL_WAIT_US;
}

void proxy_job_due(struct shard *s, uint32_t txn)
{
	struct message m;
	struct hash128 key;
	uint32_t invite;

	dmust(step_txn_read(&s->step, txn)->job_kind == JOB_CANCEL_WAIT);
	if (!txn_request(s, txn, &m))
		return;
	key = txn_key(s, &m, SIP_M_INVITE);
	invite = txn_find(s, &key);
	if (invite != LINK_NONE) {
		cancel_matched(s, txn, invite);
		return;
	}
	count(s->count, proxy_cancel_unmatched);
	txn_reply(s, txn, 481, NULL, STR_NONE);
}

/* The ACK for a 2xx is a request of its own, with no transaction and never an answer (§13.3.1.4). */
static void ack_in(struct shard *s, struct message *m)
{
	struct hash128 key = txn_key(s, m, SIP_M_INVITE);
	uint32_t invite = txn_find(s, &key);
	struct proxy_target t[PROXY_TARGETS_MAX];
	struct proxy_verdict v = { 0 };
	struct proxy_route r;
	char text[2048];
	struct strbuf room = strbuf_of(text, sizeof(text));

	if (invite != LINK_NONE && txn_ack(s, invite))
		return;
	if (m->sip->max_forwards == 0 || proxy_route_info(s, m, &r) != 0 ||
	    proxy_targets(s, m, &r, &room, t, &v) == 0 || proxy_forward_stateless(s, m, &r, &t[0]) != 0)
		count(s->count, txn_stray_ack);
	else
		count(s->count, proxy_forwarded_ack);
}

/* What the registrar need not see: an address-of-record that is not ours (§10.3 step 5), an option of
 * Proxy-Require, of which we know none. Require is the registrar's: it knows Path. */
static bool refuse_register(struct shard *s, struct message *m)
{
	char text[SIP_UNSUPPORTED_BYTES];
	struct strbuf b = strbuf_of(text, sizeof(text));
	struct str unsupported;
	struct sip_uri u;

	sip_unsupported_add(m->base, m->sip, SIP_H_PROXY_REQUIRE, &b);
	unsupported = sip_unsupported_end(&b);
	if (unsupported.len > 0) {
		refuse(s, m, 420, unsupported);
		return true;
	}
	if (sip_uri_parse(sip_span_str(m->base, m->sip->to_uri), &u) != 0 ||
	    (u.scheme != SIP_URI_SIP && u.scheme != SIP_URI_SIPS) || self_is(&s->self, u.host, u.port))
		return false; /* other schemes: the registrar says what is wrong */
	refuse(s, m, 404, STR_NONE);
	return true;
}

/* What ends here: no user part, our own name. */
static void local_in(struct shard *s, struct message *m)
{
	uint32_t txn;

	if (m->sip->method == SIP_M_REGISTER) {
		if (refuse_register(s, m))
			return;
		txn = txn_new(s, m, false);
		if (txn == LINK_NONE)
			refuse(s, m, 503, STR("Retry-After: 5\r\n"));
		else
			registrar_request(s, txn, m);
		return;
	}
	if (refuse_require(s, m))
		return;
	if (m->sip->method == SIP_M_OPTIONS)
		refuse(s, m, 200, STR(SIP_OWN_OPTIONS));
	else if (m->sip->method == SIP_M_INVITE || (m->sip->flags & SIP_MSG_TO_TAG) != 0)
		refuse(s, m, (m->sip->flags & SIP_MSG_TO_TAG) != 0 ? 481 : 404, STR_NONE);
	else
		refuse(s, m, 405, STR(SIP_OWN_ALLOW));
}

static void forward_in(struct shard *s, struct message *m, const struct proxy_route *r)
{
	bool in_dialog = (m->sip->flags & SIP_MSG_TO_TAG) != 0;
	struct proxy_target t[PROXY_TARGETS_MAX];
	struct proxy_verdict v = { 0 };
	char text[8192], options[SIP_UNSUPPORTED_BYTES];
	struct strbuf room = strbuf_of(text, sizeof(text)), b = strbuf_of(options, sizeof(options));
	struct str unsupported;
	uint32_t n, txn, sent = 0;

	sip_unsupported_add(m->base, m->sip, SIP_H_PROXY_REQUIRE, &b);
	unsupported = sip_unsupported_end(&b);
	if (unsupported.len > 0) {
		refuse(s, m, 420, unsupported);
		return;
	}
	n = proxy_targets(s, m, r, &room, t, &v);
	if (n == 0) {
		txn_reply_stateless(s, m, v.status, v.reason, v.extra);
		return;
	}
	txn = txn_new(s, m, in_dialog);
	if (txn == LINK_NONE) {
		m->kept = false;
		refuse(s, m, 503, STR("Retry-After: 5\r\n"));
		return;
	}
	if (m->sip->method == SIP_M_INVITE)
		txn_reply(s, txn, 100, NULL, STR_NONE);
	for (uint32_t i = 0; i < n; i++)
		sent += proxy_forward(s, txn, m, r, &t[i]) == 0;
	if (sent == 0)
		txn_reply(s, txn, 503, NULL, STR("Retry-After: 5\r\n"));
	else
		count(s->count, proxy_forwarded);
}

/* §16.3, for what is not known yet. */
static void new_request(struct shard *s, struct message *m)
{
	const struct sip_msg *p = m->sip;
	struct proxy_route r;

	if (p->ruri_scheme == SIP_URI_OTHER || p->ruri_scheme == SIP_URI_NONE) {
		refuse(s, m, 416, STR_NONE);
		return;
	}
	if (proxy_route_info(s, m, &r) != 0) {
		refuse(s, m, 400, STR_NONE);
		return;
	}
	if (r.ours && r.next.len == 0 &&
	    ((p->flags & SIP_MSG_RURI_USER) == 0 || p->method == SIP_M_REGISTER)) {
		local_in(s, m);
		return;
	}
	if (p->max_forwards == 0) {
		refuse(s, m, 483, STR_NONE);
		return;
	}
	forward_in(s, m, &r);
}

void proxy_request_in(struct shard *s, struct message *m)
{
	struct hash128 key;
	uint32_t known;

	if (m->sip->method == SIP_M_ACK) {
		ack_in(s, m);
		return;
	}
	key = txn_key(s, m, (enum sip_method)m->sip->method);
	known = txn_find(s, &key);
	if (known != LINK_NONE)
		txn_retransmitted(s, known, m);
	else if (m->sip->method == SIP_M_CANCEL)
		cancel_in(s, m);
	else
		new_request(s, m);
}
