/* SPDX-License-Identifier: Apache-2.0 */
/* A small stateful forking proxy as transaction user: RFC 3261 §16.6 to §16.10, RFC 4320 §4.
 *
 * Every 1xx but 100 goes back at once, and so does every 2xx to INVITE; other finals wait until
 * each branch has one, then the best goes back. A 2xx or 6xx, and a CANCEL from upstream, cancel
 * the branches that are still open. Timer C guards each branch of an INVITE, because its machine has no
 * timer in Proceeding. */
#include "tests/sim/txn/sim.h"

#define TIMER_C_US (181 * SECOND)

static struct branch *branch_of(struct sim *s, const struct txn *x)
{
	for (unsigned i = 0; i < s->plan.n_uas; i++)
		if (s->proxy.branch[i].client == x)
			return &s->proxy.branch[i];
	return NULL; /* a CANCEL's */
}

bool proxy_is_waiting(const struct sim *s, const struct txn *server)
{
	if (server != s->proxy.server)
		return false;
	for (unsigned i = 0; i < s->plan.n_uas; i++)
		if (s->proxy.branch[i].final == 0)
			return true;
	return false;
}

static void timer_c(void *ctx, uint64_t n);

static void set_timer_c(struct sim *s, struct branch *b, uint64_t after_us)
{
	b->client->deadline_us = s->w.now_us + after_us;
	world_at(&s->w, b->client->deadline_us, timer_c, s, (uint64_t)(b - s->proxy.branch));
}

/* Only after a provisional answer, §9.1; until then the wish is remembered. */
static void cancel_branch(struct sim *s, struct branch *b)
{
	b->cancel_wanted = true;
	if (b->cancelled || b->final != 0 || b->client->m.state != MACHINE_PROCEEDING)
		return;
	b->cancelled = true;
	set_timer_c(s, b, 64 * s->t.t1_us);
	(void)layer_request(s, PROXY, b->client->peer, CANCEL, b->client->branch);
}

static void cancel_open_branches(struct sim *s)
{
	if (s->plan.method != INVITE)
		return;
	for (unsigned i = 0; i < s->plan.n_uas; i++)
		cancel_branch(s, &s->proxy.branch[i]);
}

static void answer(struct sim *s, uint16_t status, uint8_t uas)
{
	struct txn *server = s->proxy.server;
	struct msg m = {.method = server->method,
			.from = PROXY,
			.to = UAC,
			.uas = uas,
			.status = status,
			.branch = server->branch};

	s->proxy.answered = true;
	if (server->live)
		(void)layer_reply(s, server, status, uas);
	else if (server->method == INVITE && status < 300)
		layer_send(s, NULL, &m); /* §16.7 step 9: stateless, the 2xx must go on */
}

static void close_branch(struct sim *s, struct branch *b, uint16_t final)
{
	uint16_t finals[UAS_MAX];
	uint16_t best;

	b->final = final;
	if (final >= 600)
		cancel_open_branches(s);
	if (s->proxy.answered || proxy_is_waiting(s, s->proxy.server))
		return;
	for (unsigned i = 0; i < s->plan.n_uas; i++)
		finals[i] = s->proxy.branch[i].final;
	best = best_final(finals, s->plan.n_uas);
	answer(s, best == 503 ? 500 : best, 0);
}

static void timer_c(void *ctx, uint64_t n)
{
	struct sim *s = ctx;
	struct branch *b = &s->proxy.branch[n];

	if (b->final != 0 || b->client->deadline_us != s->w.now_us)
		return;
	if (!b->cancelled && b->client->m.state == MACHINE_PROCEEDING) {
		cancel_branch(s, b);
		return;
	}
	layer_drop(s, b->client);
	close_branch(s, b, 408);
}

static void fork_request(struct sim *s)
{
	for (unsigned i = 0; i < s->plan.n_uas; i++) {
		struct branch *b = &s->proxy.branch[i];

		b->client = layer_request(s, PROXY, UAS_0 + i, s->plan.method, ++s->next_branch);
		if (s->plan.method == INVITE)
			set_timer_c(s, b, TIMER_C_US);
	}
}

static void on_request(struct sim *s, struct txn *x, const struct msg *m)
{
	struct proxy *p = &s->proxy;

	if (m->method == CANCEL) {
		bool known = p->server && p->server->live && p->server->branch == x->branch;

		(void)layer_reply(s, x, known ? 200 : 481, 0);
		if (known)
			cancel_open_branches(s);
	} else if (p->server) {
		(void)layer_reply(s, x, 482, 0); /* a straggler, see check_new_server() */
	} else {
		p->server = x;
		if (m->method == INVITE)
			(void)layer_reply(s, x, 100, 0);
		fork_request(s);
	}
}

static void on_1xx(struct sim *s, struct branch *b, const struct msg *m)
{
	if (m->method != INVITE)
		return; /* RFC 4320: only our own 100 */
	if (m->status > 100 && !b->cancelled)
		set_timer_c(s, b, TIMER_C_US);
	if (m->status > 100 && !s->proxy.answered && s->proxy.server->live)
		(void)layer_reply(s, s->proxy.server, m->status, m->uas);
	if (b->cancel_wanted)
		cancel_branch(s, b);
}

static void on_response(struct sim *s, struct txn *x, const struct msg *m)
{
	struct branch *b = branch_of(s, x);

	if (!b)
		return;
	if (m->status < 200) {
		on_1xx(s, b, m);
	} else if (m->status >= 300) {
		close_branch(s, b, m->status);
	} else if (m->method == INVITE || !s->proxy.answered) {
		b->final = m->status;
		answer(s, m->status, m->uas);
		cancel_open_branches(s);
	} else {
		b->final = m->status;
	}
}

static void on_ack(struct sim *s, const struct msg *m)
{
	struct msg on = *m;

	if (m->status >= 300) {
		sim_fail(s, "the proxy is given the ACK for its own %u", m->status);
		return;
	}
	on.from = PROXY;
	on.to = m->uas;
	if (s->proxy.server && m->branch == s->proxy.server->branch)
		on.branch = s->proxy.branch[m->uas - UAS_0].client->branch; /* RFC 2543 */
	layer_send(s, NULL, &on);
}

static void on_timeout(struct sim *s, struct txn *x)
{
	struct branch *b = x->server ? NULL : branch_of(s, x);

	if (b)
		close_branch(s, b, 408);
}

static void on_send_failed(struct sim *s, struct txn *x)
{
	struct branch *b = x->server ? NULL : branch_of(s, x);

	if (b && b->final == 0)
		close_branch(s, b, 503);
}

const struct user proxy_user = {on_request, on_ack, on_response, on_timeout, on_send_failed};
