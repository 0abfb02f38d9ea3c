/* SPDX-License-Identifier: Apache-2.0 */
/* What a core answers by itself: refusals of what it could parse but not accept, and OPTIONS to
 * ourselves where the listener says `options = core`. Such replies need no memory: their To tag is a
 * keyed hash of the request, so a retransmission gets the same answer and the ACK of an INVITE's
 * refusal is known when it comes (RFC 3261 §8.2.7). */
#include "dataplane/edge/edge.h"

#include "platform/link/token.h"
#include "platform/sip/own.h"
#include "platform/sip/reply.h"

#define WORDS 1024 /* of an answer's program: Via lines are copied whole, so few are needed */

uint32_t edge_answer(struct edge *e, const struct link_flow *flow, const char *base, unsigned status,
		     const char *reason, struct str extra)
{
	struct sip_op word[WORDS];
	struct sip_program p = { .word = word, .cap = WORDS };
	char tag[TOKEN_TAG_LEN], ip[IP_TEXT_MAX];
	struct sip_reply r = { .status = (uint16_t)status, .reason = str_from_c(reason), .extra = extra };
	int n;

	token_tag_write(e->link->h, base, &e->msg, tag);
	r.to_tag = str_of(tag, sizeof(tag));
	r.received = str_of(ip, ip_print(&flow->peer, false, ip));
	r.rport = flow->peer_port;
	if (sip_reply_program(base, &e->msg, &r, &p) != 0)
		return 0;
	n = sip_program_render(word, p.n, base, e->msg.len_bytes, e->reply, sizeof(e->reply));
	return n < 0 ? 0 : (uint32_t)n;
}

uint32_t edge_fast(struct edge *e, const struct link_flow *flow, const char *base)
{
	const struct sip_msg *m = &e->msg;
	char text[SIP_UNSUPPORTED_BYTES];
	struct strbuf b = strbuf_of(text, sizeof(text));
	struct str unsupported;
	uint32_t n;

	if (m->method != SIP_M_OPTIONS || (m->flags & (SIP_MSG_RURI_USER | SIP_MSG_TO_TAG)) != 0)
		return 0;
	if (e->conf->listener[flow->listener].options != CONF_OPTIONS_CORE)
		return 0;
	if (sip_msg_first(m, SIP_H_ROUTE) != NULL || m->ruri_scheme != SIP_URI_SIP ||
	    !self_is(&e->self, sip_span_str(base, m->ruri_host), m->ruri_port))
		return 0;
	/* §8.2.2.3: we would answer it ourselves, and know none of these */
	sip_unsupported_add(base, m, SIP_H_REQUIRE, &b);
	sip_unsupported_add(base, m, SIP_H_PROXY_REQUIRE, &b);
	unsupported = sip_unsupported_end(&b);
	if (unsupported.len > 0) {
		n = edge_answer(e, flow, base, 420, NULL, unsupported);
		if (n != 0)
			count(e->count, sip_fast_reject);
		return n;
	}
	n = edge_answer(e, flow, base, 200, NULL, STR(SIP_OWN_OPTIONS));
	if (n != 0)
		count(e->count, sip_fast_options);
	return n;
}
