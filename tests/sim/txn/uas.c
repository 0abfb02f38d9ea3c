/* SPDX-License-Identifier: Apache-2.0 */
/* The user agent servers, each after its plan: rings, answers, is silent, crashes, heeds a CANCEL
 * or not, and repeats a 2xx until its ACK (RFC 3261 §9.2, §13.3.1.4, §17.2.1 for the 100). */
#include "tests/sim/txn/sim.h"

#define TRYING_AFTER_US (200 * MS)
#define SILENCE_US (400 * SECOND) /* after which even a silent one answers an INVITE */

static struct uas *uas_of(struct sim *s, enum place p)
{
	return &s->uas[p - UAS_0];
}

static void resend_2xx(void *ctx, uint64_t p)
{
	struct sim *s = ctx;
	struct uas *u = uas_of(s, (enum place)p);

	if (u->acked || s->crashed[p])
		return;
	if (s->w.now_us >= u->first_2xx_us + 64 * s->t.t1_us) {
		u->gave_up = true; /* and would send a BYE */
		return;
	}
	s->n_resent++;
	if (!layer_reply(s, u->server, u->server->final, (uint8_t)p))
		sim_fail(s, "%s cannot repeat its 2xx", place_name((enum place)p));
	u->resend_us = u->resend_us * 2 < s->t.t2_us ? u->resend_us * 2 : s->t.t2_us;
	world_at(&s->w, s->w.now_us + u->resend_us, resend_2xx, s, p);
}

static void answer(struct sim *s, enum place p, uint16_t status)
{
	struct uas *u = uas_of(s, p);

	if (u->answered || !u->server->live)
		return;
	u->answered = true;
	(void)layer_reply(s, u->server, status, (uint8_t)p);
	if (status >= 300 || u->server->method != INVITE)
		return;
	u->first_2xx_us = s->w.now_us;
	u->resend_us = s->t.t1_us;
	world_at(&s->w, s->w.now_us + u->resend_us, resend_2xx, s, p);
}

static void answer_event(void *ctx, uint64_t p)
{
	struct sim *s = ctx;
	const struct uas_plan *plan = &s->plan.uas[p - UAS_0];
	uint16_t status = plan->final;

	if (plan->silent)
		status = s->plan.method == INVITE ? 480 : 408; /* the machine keeps the 408 back */
	answer(s, (enum place)p, status);
}

/* arg: place, and the status above it */
static void ring_event(void *ctx, uint64_t arg)
{
	struct sim *s = ctx;
	enum place p = (enum place)(arg & 0xff);
	struct uas *u = uas_of(s, p);
	uint16_t status = (uint16_t)(arg >> 8);

	if (u->answered || !u->server->live)
		return;
	if (status == 100 && u->server->method == INVITE && u->server->m.status != 0)
		return; /* it has rung by now, §17.2.1 */
	(void)layer_reply(s, u->server, status, (uint8_t)p);
}

static void plan_answers(struct sim *s, enum place p)
{
	const struct uas_plan *plan = &s->plan.uas[p - UAS_0];
	struct uas *u = uas_of(s, p);
	uint64_t now_us = s->w.now_us, after_us = plan->final_after_us;
	bool invite = u->server->method == INVITE;

	if (plan->silent)
		after_us = invite ? SILENCE_US : 64 * s->t.t1_us;
	if (invite)
		world_at(&s->w, now_us + TRYING_AFTER_US, ring_event, s, p | 100u << 8);
	for (unsigned i = 0; i < plan->n_rings && plan->ring_after_us[i] < after_us; i++) {
		/* To a non-INVITE these are refused, but for the 100s that RFC 4320 allows. */
		unsigned status = invite || i == 1 ? 180 : 100;

		world_at(&s->w, now_us + plan->ring_after_us[i], ring_event, s, p | status << 8);
	}
	u->server->deadline_us = now_us + after_us;
	world_at(&s->w, u->server->deadline_us, answer_event, s, p);
}

static void on_cancel(struct sim *s, struct txn *x)
{
	struct uas *u = uas_of(s, x->place);
	bool known = u->server && u->server->live && u->server->branch == x->branch;

	(void)layer_reply(s, x, known ? 200 : 481, x->place);
	if (known && !s->plan.uas[x->place - UAS_0].ignores_cancel)
		answer(s, x->place, 487);
}

static void on_request(struct sim *s, struct txn *x, const struct msg *m)
{
	struct uas *u = uas_of(s, x->place);

	if (m->method == CANCEL) {
		on_cancel(s, x);
	} else if (u->server) {
		(void)layer_reply(s, x, 482, x->place); /* a straggler, see check_new_server() */
	} else {
		u->server = x;
		plan_answers(s, x->place);
	}
}

static void on_ack(struct sim *s, const struct msg *m)
{
	struct uas *u = uas_of(s, m->to);

	if (m->status >= 300)
		sim_fail(s, "%s is given the ACK for its %u", place_name(m->to), m->status);
	u->acked = true;
}

static void on_response(struct sim *s, struct txn *x, const struct msg *m)
{
	sim_fail(s, "a UAS is given a response");
}

static void on_timeout(struct sim *s, struct txn *x) {}

static void on_send_failed(struct sim *s, struct txn *x) {}

static void crash_event(void *ctx, uint64_t p)
{
	layer_crash(ctx, (enum place)p);
}

void uas_begin(struct sim *s)
{
	for (unsigned i = 0; i < s->plan.n_uas; i++)
		if (s->plan.uas[i].crash_us != 0)
			world_at(&s->w, s->plan.uas[i].crash_us, crash_event, s, UAS_0 + i);
}

const struct user uas_user = {on_request, on_ack, on_response, on_timeout, on_send_failed};
