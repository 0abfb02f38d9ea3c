/* SPDX-License-Identifier: Apache-2.0 */
/* The transaction layer of every place: it finds the machine that a message belongs to (RFC 3261
 * §17.1.3, §17.2.3), steps it, and carries the actions out in the order of struct txn_act.
 *
 * Timers are events that may come too early, because a machine's deadline moved: then the machine
 * is asked for its next one again. A message is kept in a counted buffer exactly as long as the
 * machine has said so. */
#include "tests/sim/txn/sim.h"

#include "platform/base/err.h"

/* Flows that a link treats apart, so that "the next of its kind passes" means something. */
enum flow { FLOW_INVITE, FLOW_REQUEST, FLOW_ACK, FLOW_1XX, FLOW_INVITE_FINAL, FLOW_FINAL };

#define FAILURE_HEARD_AFTER_US (20 * MS) /* until a sender is told that sending failed */

static const struct user *user_of(enum place p)
{
	return p == UAC ? &uac_user : p == PROXY ? &proxy_user : &uas_user;
}

static void deliver(void *ctx, const void *bytes);
static bool step(struct sim *s, struct txn *x, enum txn_event e, const struct msg *m);

static unsigned flow_of(const struct msg *m)
{
	if (m->request && m->method == ACK)
		return FLOW_ACK;
	if (m->request)
		return m->method == INVITE ? FLOW_INVITE : FLOW_REQUEST;
	if (m->status < 200)
		return FLOW_1XX;
	return m->method == INVITE ? FLOW_INVITE_FINAL : FLOW_FINAL;
}

static void send_failed(void *ctx, uint64_t arg)
{
	struct sim *s = ctx;
	struct txn *x = &s->txn[arg];

	if (x->live)
		(void)step(s, x, TXN_EV_SEND_FAILED, NULL);
}

void layer_send(struct sim *s, struct txn *x, const struct msg *m)
{
	static const char *const fates[] = {"", " LOST", " FAILED"};
	enum world_fate fate =
		world_send(&s->w, &s->link[m->from][m->to], flow_of(m), m, sizeof(*m), deliver, s);

	sim_trace(s, "  %s -> %s: %s%s %u, branch %u%s", place_name(m->from), place_name(m->to),
		  method_name(m->method), m->request ? "" : " response", m->status, m->branch,
		  fates[fate]);
	if (fate == WORLD_FAILED && x)
		world_at(&s->w, s->w.now_us + FAILURE_HEARD_AFTER_US, send_failed, s,
			 (uint64_t)(x - s->txn));
}

static void keep(struct sim *s, struct txn *x, const struct msg *m)
{
	world_free(&s->w, x->kept);
	x->kept = world_copy(&s->w, m, sizeof(*m));
}

static void end(struct sim *s, struct txn *x)
{
	world_free(&s->w, x->kept);
	x->kept = NULL;
	x->live = false;
	s->n_live--;
}

void layer_drop(struct sim *s, struct txn *x)
{
	sim_trace(s, "%s drops its %s transaction", place_name(x->place), method_name(x->method));
	x->dropped = true;
	end(s, x);
}

void layer_crash(struct sim *s, enum place p)
{
	sim_trace(s, "%s crashes", place_name(p));
	s->crashed[p] = true;
	for (unsigned i = 0; i < s->n_txns; i++) {
		if (!s->txn[i].live || s->txn[i].place != p)
			continue;
		s->txn[i].crashed = true;
		end(s, &s->txn[i]);
	}
}

static void alarm_rings(void *ctx, uint64_t arg)
{
	struct sim *s = ctx;
	struct txn *x = &s->txn[arg];

	if (!x->live || x->alarm_us != s->w.now_us)
		return;
	x->alarm_us = 0;
	(void)step(s, x, TXN_EV_TIMER, NULL);
}

static void set_alarm(struct sim *s, struct txn *x)
{
	uint64_t next_us = txn_machine_next_us(&x->m);

	if (next_us == UINT64_MAX || (x->alarm_us != 0 && x->alarm_us <= next_us))
		return;
	x->alarm_us = next_us;
	world_at(&s->w, next_us, alarm_rings, s, (uint64_t)(x - s->txn));
}

/* Until when may a repetition of the request, or of the ACK, still come? */
static void note_absorbing(struct sim *s, struct txn *x)
{
	if (!x->server || x->m.reliable)
		return;
	if (x->acked)
		x->absorb_until_us = s->w.now_us + s->t.t4_us;
	else
		x->absorb_until_us =
			s->w.now_us +
			(x->method == INVITE && x->final >= 300 ? s->t.timer_b_us : s->t.hold_us);
}

static void send_ack(struct sim *s, struct txn *x, const struct msg *m)
{
	struct msg ack = {.request = 1,
			  .method = ACK,
			  .from = x->place,
			  .to = x->peer,
			  .status = m->status,
			  .branch = x->branch};

	if (x->final != 0)
		s->n_resent++;
	layer_send(s, x, &ack);
}

static void send_kept(struct sim *s, struct txn *x)
{
	s->n_resent++;
	if (!x->kept)
		sim_fail(s, "%s is to repeat a message that it was not told to keep",
			 place_name(x->place));
	else
		layer_send(s, x, x->kept);
}

/* m is the reply here: the user's, or the 100 that the machine asks for. */
static void send_reply(struct sim *s, struct txn *x, const struct txn_act *act, const struct msg *m)
{
	check_reply(s, x, m);
	if (m->status >= 200 && x->final == 0) {
		x->final = m->status;
		note_absorbing(s, x);
	}
	layer_send(s, x, m);
	if (act->keep_reply)
		keep(s, x, m);
}

static void tell_user(struct sim *s, struct txn *x, const struct txn_act *act, const struct msg *m)
{
	const struct user *user = user_of(x->place);

	if (act->to_user) {
		check_to_user(s, x, m);
		if (!x->server)
			user->response(s, x, m);
		else if (m->method == ACK)
			user->ack(s, m);
		else
			user->request(s, x, m);
	}
	if (act->timed_out) {
		x->timed_out = true;
		user->timed_out(s, x);
	}
	if (act->send_failed) {
		x->failed = true;
		user->send_failed(s, x);
	}
}

static void carry_out(struct sim *s, struct txn *x, enum txn_event e, const struct txn_act *act,
		      const struct msg *m)
{
	struct msg trying = {.method = x->method,
			     .from = x->place,
			     .to = x->peer,
			     .status = 100,
			     .branch = x->branch};

	if (act->send_request && e == TXN_EV_TIMER)
		send_kept(s, x);
	else if (act->send_request)
		layer_send(s, x, x->kept);
	if (act->send_reply)
		send_reply(s, x, act, m);
	if (act->send_trying)
		send_reply(s, x, act, &trying);
	if (act->resend_reply)
		send_kept(s, x);
	if (act->send_ack)
		send_ack(s, x, m);
	tell_user(s, x, act, m);
	if (act->terminated)
		end(s, x);
}

/* false: refused. */
static bool step(struct sim *s, struct txn *x, enum txn_event e, const struct msg *m)
{
	static const char *const events[TXN_EVENTS] = {"start",	   "request", "ACK",	    "reply",
						       "response", "timer",   "send failed"};
	bool has_status = e == TXN_EV_REPLY || e == TXN_EV_RESPONSE;
	enum link_machine_state before = x->m.state;
	struct txn_act act;

	txn_machine_step(&x->m, &s->t, e, has_status ? m->status : 0, s->w.now_us, &act);
	sim_trace(s, "%s %s %s: %s --%s--> %s%s", place_name(x->place), method_name(x->method),
		  x->server ? "server" : "client", txn_state_name(before), events[e],
		  txn_state_name(x->m.state), act.refused ? " (refused)" : "");
	if (x->m.state != before)
		x->since_us = s->w.now_us;
	if (e == TXN_EV_ACK && before == MACHINE_COMPLETED) {
		x->acked = true;
		note_absorbing(s, x);
	}
	if (!act.terminated)
		set_alarm(s, x);
	carry_out(s, x, e, &act, m);
	return !act.refused;
}

static struct txn *make(struct sim *s, enum place p, enum place peer, enum method method,
			uint32_t branch, bool server)
{
	static const enum link_machine_kind kinds[2][2] = {
		{MACHINE_CLIENT, MACHINE_INVITE_CLIENT},
		{MACHINE_SERVER, MACHINE_INVITE_SERVER},
	};

	must(s->n_txns < TXNS_MAX);
	struct txn *x = &s->txn[s->n_txns++];

	*x = (struct txn){.live = true,
			  .server = server,
			  .place = (uint8_t)p,
			  .peer = (uint8_t)peer,
			  .method = (uint8_t)method,
			  .branch = branch,
			  .born_us = s->w.now_us};
	txn_machine_init(&x->m, kinds[server][method == INVITE], s->link[p][peer].ordered);
	s->n_live++;
	return x;
}

struct txn *layer_request(struct sim *s, enum place from, enum place to, enum method method,
			  uint32_t branch)
{
	struct msg m = {.request = 1,
			.method = (uint8_t)method,
			.from = (uint8_t)from,
			.to = (uint8_t)to,
			.branch = branch};
	struct txn *x = make(s, from, to, method, branch, false);

	keep(s, x, &m);
	(void)step(s, x, TXN_EV_START, NULL);
	return x;
}

bool layer_reply(struct sim *s, struct txn *x, uint16_t status, uint8_t uas)
{
	struct msg m = {.method = x->method,
			.from = x->place,
			.to = x->peer,
			.uas = uas,
			.status = status,
			.branch = x->branch};

	return x->live && step(s, x, TXN_EV_REPLY, &m);
}

static struct txn *find(struct sim *s, enum place p, const struct msg *m)
{
	uint8_t method = m->request && m->method == ACK ? INVITE : m->method;

	for (unsigned i = 0; i < s->n_txns; i++) {
		struct txn *x = &s->txn[i];

		if (x->live && x->place == p && x->branch == m->branch && x->method == method &&
		    x->server == m->request)
			return x;
	}
	return NULL;
}

static void deliver(void *ctx, const void *bytes)
{
	struct sim *s = ctx;
	const struct msg *m = bytes;
	struct txn *x = find(s, m->to, m);

	if (s->crashed[m->to])
		return;
	if (x && !m->request) {
		(void)step(s, x, TXN_EV_RESPONSE, m);
	} else if (x) {
		(void)step(s, x, m->method == ACK ? TXN_EV_ACK : TXN_EV_REQUEST, m);
	} else if (!m->request) {
		check_stray(s, m); /* and dropped, RFC 6026 §7.3 */
	} else if (m->method == ACK) {
		check_stray(s, m);
		if (m->status < 300)
			user_of(m->to)->ack(s, m);
	} else {
		x = make(s, m->to, m->from, m->method, m->branch, true);
		check_new_server(s, x);
		(void)step(s, x, TXN_EV_START, m);
	}
}
