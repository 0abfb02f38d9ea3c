/* SPDX-License-Identifier: Apache-2.0 */
/* Phones of a random schedule. Each request and each answer is repeated, and each final answer
 * acknowledged, as RFC 3261 §17 and §13 say; what is said, and when, is chance.
 *
 * A request's branch carries its index, so that an answer finds it. All that is not chance is checked:
 * a final answer that came once must not change. Exceptions are the RFC's: a 2xx may follow any other
 * (§16.7 step 5), one that came after timer B or C of its branch is no part of the choice, and what
 * was refused without state is tried anew when it is repeated. */
#include "tests/sim/appliance/random.h"

#include "platform/sip/reply.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define T1_US 500000
#define T2_US 4000000
#define B_US 32000000
#define BRANCH "z9hG4bK-u"

static const struct sip_limits limits = {SIP_MSG_MAX, SIP_MSG_MAX, SIP_MSG_MAX, SIP_HDRS_MAX};

static const char *const method_text[] = {[SIP_M_INVITE] = "INVITE",
					  [SIP_M_CANCEL] = "CANCEL",
					  [SIP_M_BYE] = "BYE",
					  [SIP_M_REGISTER] = "REGISTER",
					  [SIP_M_MESSAGE] = "MESSAGE"};

static uint32_t put(char *out, uint32_t cap, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static uint32_t put(char *out, uint32_t cap, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(out, cap, format, args);
	va_end(args);
	if (n < 0 || (uint32_t)n >= cap)
		abort();
	return (uint32_t)n;
}

/* Client side. */

static void uac_repeats(void *ctx, uint64_t arg)
{
	struct sim *s = ctx;
	struct uac *u = &s->uac[arg];
	uint64_t now = s->w.now_us;

	if (u->final != 0 || now - u->begun_us >= B_US || (u->heard && u->method == SIP_M_INVITE))
		return;
	sim_send(s, u->phone, u->text, u->len);
	u->wait_us *= 2;
	if (u->method != SIP_M_INVITE && (u->wait_us > T2_US || u->heard))
		u->wait_us = T2_US;
	world_at(&s->w, now + u->wait_us, uac_repeats, s, arg);
}

/* extra: whole header lines. to: with brackets, and a tag in a dialog. */
static uint32_t request_text(const struct sim *s, const struct uac *u, char *out,
			     const char *method, const char *branch, const char *ruri,
			     const char *to, const char *extra, uint32_t body)
{
	const char *host = s->phone[u->phone].hostport;
	char filler[1800];

	memset(filler, 'x', sizeof(filler));
	return put(out, TEXT_MAX,
		   "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=%s;rport\r\n"
		   "Max-Forwards: 70\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %u %s\r\n%s"
		   "Content-Length: %u\r\n\r\n%.*s",
		   method, ruri, host, branch, u->from, to, u->call_id, u->cseq, method, extra,
		   body, (int)body, filler);
}

static struct uac *uac_new(struct sim *s, uint32_t phone, enum sip_method method)
{
	struct uac *u = &s->uac[s->n_uac == 0 ? ++s->n_uac : s->n_uac]; /* 0 is nobody's */

	if (s->n_uac + 1 >= UAC_MAX)
		return NULL;
	memset(u, 0, sizeof(*u));
	u->phone = phone;
	u->method = method;
	u->begun_us = s->w.now_us;
	u->wait_us = T1_US;
	u->cseq = 1;
	s->n_uac++;
	return u;
}

static uint32_t uac_index(const struct sim *s, const struct uac *u)
{
	return (uint32_t)(u - s->uac);
}

static void uac_start(struct sim *s, struct uac *u, const char *to, const char *extra)
{
	char branch[32];
	bool small = u->method == SIP_M_CANCEL || !sim_one_in(s, 4);

	(void)put(branch, sizeof(branch), BRANCH "%u",
		  u->method == SIP_M_CANCEL ? u->invite : uac_index(s, u));
	u->len = request_text(s, u, u->text, method_text[u->method], branch, u->ruri, to, extra,
			      small ? 0 : world_below(&s->w, 1800));
	sim_send(s, u->phone, u->text, u->len);
	world_at(&s->w, s->w.now_us + u->wait_us, uac_repeats, s, uac_index(s, u));
}

static void new_dialog(struct sim *s, struct uac *u, uint32_t phone)
{
	uint32_t i = uac_index(s, u);

	(void)put(u->call_id, sizeof(u->call_id), "c%u@%u", i, phone);
	(void)put(u->from, sizeof(u->from), "<sip:p%u@example.com>;tag=f%u", phone, i);
	(void)put(u->aor, sizeof(u->aor), "<sip:p%u@example.com>", world_below(&s->w, s->n_phones));
}

static void registers(struct sim *s, uint32_t phone)
{
	struct uac *u = uac_new(s, phone, SIP_M_REGISTER);
	char extra[512];
	uint32_t n = 0, user = sim_one_in(s, 2) ? phone : world_below(&s->w, s->n_phones);

	if (u == NULL)
		return;
	new_dialog(s, u, phone);
	u->cseq = uac_index(s, u);
	(void)put(u->aor, sizeof(u->aor), "<sip:p%u@example.com>", user);
	(void)put(u->ruri, sizeof(u->ruri), "sip:example.com");
	for (uint32_t k = 1 + world_below(&s->w, 3); k > 0; k--)
		n += put(extra + n, sizeof(extra) - n,
			 "Contact: <sip:p%u@%s>;expires=%u;q=0.%u\r\n", user,
			 s->phone[world_below(&s->w, s->n_phones)].hostport,
			 sim_one_in(s, 8) ? 0 : 5 + world_below(&s->w, 90), world_below(&s->w, 10));
	if (sim_one_in(s, 20))
		(void)put(extra, sizeof(extra), "Contact: *\r\nExpires: 0\r\n");
	uac_start(s, u, u->aor, extra);
}

static void cancels(void *ctx, uint64_t arg)
{
	struct sim *s = ctx;
	struct uac *u = &s->uac[arg], *c;

	if (u->final != 0 || u->cancel != 0 || (c = uac_new(s, u->phone, SIP_M_CANCEL)) == NULL)
		return;
	u->cancel = uac_index(s, c);
	c->invite = (uint32_t)arg;
	memcpy(c->call_id, u->call_id, sizeof(c->call_id));
	memcpy(c->from, u->from, sizeof(c->from));
	memcpy(c->ruri, u->ruri, sizeof(c->ruri));
	c->cseq = u->cseq;
	uac_start(s, c, u->aor, "");
}

static void calls(struct sim *s, uint32_t phone, enum sip_method method)
{
	struct uac *u = uac_new(s, phone, method);
	char extra[128] = "";

	if (u == NULL)
		return;
	new_dialog(s, u, phone);
	memcpy(u->ruri, u->aor + 1, strlen(u->aor) - 2);
	if (sim_one_in(s, 12)) /* somebody who is not there */
		(void)put(u->ruri, sizeof(u->ruri), "sip:x@10.0.9.9");
	else if (sim_one_in(s, 8))
		(void)put(u->ruri, sizeof(u->ruri), "sip:y@%s",
			  s->phone[world_below(&s->w, s->n_phones)].hostport);
	if (method == SIP_M_INVITE)
		(void)put(extra, sizeof(extra), "Contact: <sip:p%u@%s>\r\n", phone,
			  s->phone[phone].hostport);
	u->required = method == SIP_M_INVITE && s->phone[phone].clean;
	uac_start(s, u, u->aor, extra);
	if (method == SIP_M_INVITE && sim_one_in(s, 15)) /* rude: before it has heard anything */
		world_at(&s->w, s->w.now_us + world_below(&s->w, 100000), cancels, s,
			 uac_index(s, u));
}

void phone_acts(void *ctx, uint64_t arg)
{
	struct sim *s = ctx;
	uint32_t phone = world_below(&s->w, s->n_phones), what = world_below(&s->w, 10);

	(void)arg;
	if (what < 3 || s->n_uac < 4)
		registers(s, phone);
	else if (what < 8)
		calls(s, phone, SIP_M_INVITE);
	else
		calls(s, phone, SIP_M_MESSAGE);
}

/* The route set of the caller: Record-Route of the answer, backwards; here it is lines of one value. */
static uint32_t routes(const struct sip_msg *m, const char *text, char *out, uint32_t cap)
{
	struct str value[4];
	uint32_t n = 0, len = 0;
	const struct sip_line *l = sip_msg_first(m, SIP_H_RECORD_ROUTE);

	for (; l != NULL && n < 4; l = sip_msg_next(m, l))
		value[n++] = sip_line_value(text, l);
	while (n-- > 0)
		len += put(out + len, cap - len, "Route: %.*s\r\n", (int)value[n].len, value[n].s);
	out[len] = '\0';
	return len;
}

/* BYE or a second INVITE in the dialog that an answer has made. */
static void in_dialog(struct sim *s, const struct uac *call, enum sip_method method,
		      const char *ruri, const char *to, const char *route)
{
	struct uac *u = uac_new(s, call->phone, method);
	char extra[700];

	if (u == NULL)
		return;
	memcpy(u->call_id, call->call_id, sizeof(u->call_id));
	memcpy(u->from, call->from, sizeof(u->from));
	(void)put(u->aor, sizeof(u->aor), "%s", to);
	(void)put(u->ruri, sizeof(u->ruri), "%s", ruri);
	u->cseq = call->cseq + 1;
	u->required = method == SIP_M_INVITE && s->phone[u->phone].clean;
	(void)put(extra, sizeof(extra), "%sContact: <sip:p%u@%s>\r\n", route, u->phone,
		  s->phone[u->phone].hostport);
	uac_start(s, u, u->aor, extra);
}

/* §13.2.2.4: each 2xx is acknowledged each time; each tag is a dialog of its own. */
static void accepted(struct sim *s, struct uac *u, const struct sip_msg *m, const char *text)
{
	struct str tag = sip_span_str(text, m->to_tag);
	const struct sip_line *to = sip_msg_first(m, SIP_H_TO),
			      *contact = sip_msg_first(m, SIP_H_CONTACT);
	char route[512], ruri[96], branch[48], to_text[96];
	struct str uri = contact != NULL ? sip_line_value(text, contact) : STR_NONE;
	uint32_t i;

	for (i = 0; i < u->n_dialogs && !str_eq(str_from_c(u->dialog[i].tag), tag); i++)
		;
	if (i == u->n_dialogs) {
		if (i == DIALOGS_MAX || uri.len < 3 || to == NULL)
			sim_fail(s, "INVITE %u: a 2xx without Contact, or too many",
				 uac_index(s, u));
		(void)put(u->dialog[i].tag, sizeof(u->dialog[i].tag), "%.*s", (int)tag.len, tag.s);
		(void)put(ruri, sizeof(ruri), "%.*s", (int)uri.len - 2, uri.s + 1);
		(void)put(to_text, sizeof(to_text), "%.*s", (int)to->value_len,
			  text + to->value_off);
		(void)put(branch, sizeof(branch), "z9hG4bK-a%u-%u", uac_index(s, u), i);
		(void)routes(m, text, route, sizeof(route));
		(void)request_text(s, u, u->dialog[i].ack, "ACK", branch, ruri, to_text, route, 0);
		u->n_dialogs++;
		if (sim_one_in(s, 5))
			in_dialog(s, u, SIP_M_INVITE, ruri, to_text, route);
		else if (!sim_one_in(s, 10))
			in_dialog(s, u, SIP_M_BYE, ruri, to_text, route);
	}
	sim_send(s, u->phone, u->dialog[i].ack, (uint32_t)strlen(u->dialog[i].ack));
}

/* §17.1.1.3: with the INVITE's branch and the answer's To. */
static void refused(struct sim *s, struct uac *u, const struct sip_msg *m, const char *text)
{
	char ack[TEXT_MAX], branch[32], to[128], route[512] = "";
	const struct sip_line *l = sip_msg_first(m, SIP_H_TO);
	const char *r = strstr(u->text, "Route: ");
	uint32_t n = 0;

	for (; r != NULL;
	     r = strstr(r + 1, "\r\nRoute: ") ? strstr(r + 1, "\r\nRoute: ") + 2 : NULL)
		n += put(route + n, sizeof(route) - n, "%.*s\r\n", (int)strcspn(r, "\r"), r);
	(void)put(branch, sizeof(branch), BRANCH "%u", uac_index(s, u));
	(void)put(to, sizeof(to), "%.*s", (int)l->value_len, text + l->value_off);
	n = request_text(s, u, ack, "ACK", branch, u->ruri, to, route, 0);
	sim_send(s, u->phone, ack, n);
}

/* Whether an answer may have been made without state: the same request may then be answered anew. */
static bool stateless(unsigned status)
{
	return status == 503 || status == 477 || status == 404 || status == 480 || status == 481;
}

static bool may_follow(const struct sim *s, const struct uac *u, unsigned status)
{
	/* either may overtake the other where the network doubled the request */
	if (stateless(u->final) || stateless(status) || (u->method == SIP_M_INVITE && status < 300))
		return true;
	/* §16.7: a 2xx whose client transaction had ended went up without state, beside the others */
	return u->method == SIP_M_INVITE && u->final < 300 &&
	       app_count(s->a, proxy_late_relayed) > 0;
}

static void response_in(struct sim *s, uint32_t phone, const struct sip_msg *m, const char *text)
{
	struct str branch = sip_span_str(text, m->via_branch);
	uint32_t i = branch.len > 9 ? (uint32_t)strtoul(branch.s + 9, NULL, 10) : 0;
	struct uac *u;

	if (i == 0 || i >= s->n_uac || memcmp(branch.s, BRANCH, 9) != 0)
		sim_fail(s, "a response to nothing: %.*s", (int)strcspn(text, "\r"), text);
	u = &s->uac[i];
	if (m->method == SIP_M_CANCEL && u->cancel != 0)
		u = &s->uac[u->cancel];
	if (u->phone != phone || u->method != m->method)
		sim_fail(s, "a response to another request than %u", i);
	if (!u->heard && u->method == SIP_M_INVITE && sim_one_in(s, 4))
		world_at(&s->w, s->w.now_us + world_below(&s->w, 10000000), cancels, s, i);
	u->heard = true;
	if (m->status < 200)
		return;
	if (u->final != 0 && u->final != m->status && !may_follow(s, u, m->status))
		sim_fail(s, "%s %u was answered %u and then %u", method_text[u->method], i,
			 u->final, m->status);
	if (u->final == 0 || u->final >= 300)
		u->final = m->status;
	if (u->method == SIP_M_INVITE && m->status < 300)
		accepted(s, u, m, text);
	else if (u->method == SIP_M_INVITE)
		refused(s, u, m, text);
}

/* Server side. */

static void answer(struct sim *s, struct uas *u, unsigned status)
{
	static struct sip_op word[8192];
	struct sip_program p = {.word = word, .cap = 8192};
	struct sip_reply r = {
		.status = (uint16_t)status, .to_tag = str_from_c(u->tag), .record_route = true};
	char contact[128];
	struct sip_fault f;
	struct sip_msg m;
	int n;

	(void)put(contact, sizeof(contact), "Contact: <sip:d%u@%s>\r\n", u->phone,
		  s->phone[u->phone].hostport);
	if (u->method == SIP_M_INVITE && status < 300)
		r.extra = str_from_c(contact);
	if (sip_msg_parse(str_of(u->request, u->request_len), &limits, &m, &f) != 0 ||
	    sip_reply_program(u->request, &m, &r, &p) != 0)
		abort();
	n = sip_program_render(word, p.n, u->request, u->request_len, u->answer, TEXT_MAX - 1);
	if (n <= 0)
		abort();
	u->answer[n] = '\0';
	u->len = (uint32_t)n;
	u->status = status;
	sim_send(s, u->phone, u->answer, u->len);
}

/* Timer G of a final answer to an INVITE; the user repeats a 2xx in the same way (§13.3.1.4). */
static void uas_repeats(void *ctx, uint64_t arg)
{
	struct sim *s = ctx;
	struct uas *u = &s->uas[arg];

	if (u->acked || s->w.now_us - u->answered_us >= B_US)
		return;
	sim_send(s, u->phone, u->answer, u->len);
	u->wait_us = u->wait_us * 2 < T2_US ? u->wait_us * 2 : T2_US;
	world_at(&s->w, s->w.now_us + u->wait_us, uas_repeats, s, arg);
}

static void final_answer(struct sim *s, uint32_t i, unsigned status)
{
	struct uas *u = &s->uas[i];

	if (u->status >= 200)
		return;
	answer(s, u, status);
	u->answered_us = s->w.now_us;
	u->wait_us = T1_US;
	if (u->method == SIP_M_INVITE)
		world_at(&s->w, s->w.now_us + T1_US, uas_repeats, s, i);
}

static void uas_answers(void *ctx, uint64_t arg)
{
	struct sim *s = ctx;
	unsigned status = (unsigned)(arg >> 32);
	uint32_t i = (uint32_t)arg;

	if (status >= 200)
		final_answer(s, i, status);
	else if (s->uas[i].status < 200)
		answer(s, &s->uas[i], status);
}

static void later(struct sim *s, uint32_t i, uint64_t us, unsigned status)
{
	world_at(&s->w, s->w.now_us + us, uas_answers, s, (uint64_t)status << 32 | i);
}

static void plan(struct sim *s, uint32_t i)
{
	static const uint16_t finals[] = {200, 200, 200, 200, 486, 603, 302, 401, 488, 500, 600};
	static const uint16_t early[] = {100, 180, 183, 199};
	const struct uas *u = &s->uas[i];
	unsigned final = finals[world_below(&s->w, sizeof(finals) / 2)];
	uint64_t at = world_below(&s->w, sim_one_in(s, 8)   ? 40000000
					 : sim_one_in(s, 2) ? 6000000
							    : 50000);

	if (u->method == SIP_M_BYE) {
		later(s, i, 0, 200);
		return;
	}
	for (uint32_t n = sim_one_in(s, 4) ? 0 : world_below(&s->w, 4); n > 0; n--)
		later(s, i, world_below(&s->w, (uint32_t)at + 1), early[world_below(&s->w, 4)]);
	if (!sim_one_in(s, 8))
		later(s, i, at, final);
}

static struct uas *uas_find(struct sim *s, uint32_t phone, enum sip_method method,
			    struct str branch)
{
	for (uint32_t i = 0; i < s->n_uas; i++) {
		struct uas *u = &s->uas[i];

		if (u->phone == phone && u->method == method &&
		    str_eq(str_from_c(u->branch), branch))
			return u;
	}
	return NULL;
}

static void ack_in(struct sim *s, uint32_t phone, const struct sip_msg *m, const char *text)
{
	struct uas *u = uas_find(s, phone, SIP_M_INVITE, sip_span_str(text, m->via_branch));

	if (u != NULL && u->status >= 300)
		u->acked = true;
	for (uint32_t i = 0; i < s->n_uas; i++) {
		u = &s->uas[i];
		if (u->phone == phone && u->method == SIP_M_INVITE && u->cseq == m->cseq &&
		    u->status / 100 == 2 &&
		    str_eq(str_from_c(u->call_id), sip_span_str(text, m->call_id)) &&
		    str_eq(str_from_c(u->tag), sip_span_str(text, m->to_tag)))
			u->acked = true;
	}
}

static void request_in(struct sim *s, uint32_t phone, const struct sip_msg *m, const char *text)
{
	struct str branch = sip_span_str(text, m->via_branch), id = sip_span_str(text, m->call_id);
	struct uas *u = uas_find(s, phone, (enum sip_method)m->method, branch), *invite;
	struct str tag = sip_span_str(text, m->to_tag);
	uint32_t i = s->n_uas;

	if (u != NULL) { /* repeated */
		if (u->status != 0 && !(u->method == SIP_M_INVITE && u->status / 100 == 2))
			sim_send(s, phone, u->answer, u->len);
		return;
	}
	if (i == UAS_MAX || m->len_bytes >= TEXT_MAX)
		sim_fail(s, "too many requests, or one of %u octets", m->len_bytes);
	s->n_uas++;
	u = &s->uas[i];
	memset(u, 0, offsetof(struct uas, answer));
	u->phone = phone;
	u->method = (enum sip_method)m->method;
	u->cseq = m->cseq;
	u->ignores_cancel = sim_one_in(s, 10);
	(void)put(u->branch, sizeof(u->branch), "%.*s", (int)branch.len, branch.s);
	(void)put(u->call_id, sizeof(u->call_id), "%.*s", (int)id.len, id.s);
	if (tag.len > 0)
		(void)put(u->tag, sizeof(u->tag), "%.*s", (int)tag.len, tag.s);
	else
		(void)put(u->tag, sizeof(u->tag), "t%u", i);
	u->request_len = m->len_bytes;
	memcpy(u->request, text, m->len_bytes);
	if (m->method != SIP_M_CANCEL) {
		plan(s, i);
		return;
	}
	invite = uas_find(s, phone, SIP_M_INVITE, branch);
	answer(s, u, invite != NULL ? 200 : 481);
	if (invite != NULL && !invite->ignores_cancel)
		final_answer(s, (uint32_t)(invite - s->uas), 487);
}

void phone_in(struct sim *s, uint32_t phone, const char *text, uint32_t len)
{
	struct sip_fault f;
	struct sip_msg m;

	if (sip_msg_parse(str_of(text, len), &limits, &m, &f) != 0)
		sim_fail(s, "what was sent does not parse: %s", f.text);
	if (m.status != 0)
		response_in(s, phone, &m, text);
	else if (m.method == SIP_M_ACK)
		ack_in(s, phone, &m, text);
	else
		request_in(s, phone, &m, text);
}

void phones_excuse(struct sim *s)
{
	for (uint32_t i = 1; i < s->n_uac; i++) {
		if (s->uac[i].final == 0)
			s->uac[i].required = false;
	}
}

void phones_done(struct sim *s)
{
	bool dry = app_count(s->a, txn_no_record) + app_count(s->a, sip_drop_no_slot) +
			   app_count(s->a, sip_fast_overload) +
			   app_count(s->a, sip_drop_hold_full) >
		   0;

	for (uint32_t i = 1; i < s->n_uac; i++) {
		const struct uac *u = &s->uac[i];

		if (!u->required || dry)
			continue;
		if (u->final == 0)
			sim_fail(s, "INVITE %u of a clean network was not answered", i);
		s->answered++;
	}
}
