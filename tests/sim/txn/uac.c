/* SPDX-License-Identifier: Apache-2.0 */
/* The user agent client: one request, perhaps a CANCEL, an ACK for each 2xx (RFC 3261 §9.1, §13.2).
 * It must come to exactly one outcome, and only a 2xx may be followed by further ones. */
#include "tests/sim/txn/sim.h"

#define PATIENCE_US (700 * SECOND) /* of a caller who hears it ring; above any timer C here */

static void conclude(struct sim *s, enum outcome outcome, uint16_t status)
{
	struct uac *u = &s->uac;

	if (u->outcome == ANSWERED_2XX && outcome == ANSWERED_2XX)
		return;
	if (u->outcome != PENDING)
		sim_fail(s, "the UAC has an outcome (%d, %u) and gets another (%d, %u)", u->outcome,
			 u->status, outcome, status);
	u->outcome = outcome;
	u->status = status;
}

/* §9.1: without a final answer 64*T1 after the CANCEL, the request counts as cancelled. */
static void give_up(void *ctx, uint64_t unused)
{
	struct sim *s = ctx;
	struct uac *u = &s->uac;

	if (u->outcome != PENDING || u->client->m.state != MACHINE_PROCEEDING)
		return;
	conclude(s, GAVE_UP, 0);
	layer_drop(s, u->client);
}

static void cancel(struct sim *s)
{
	struct uac *u = &s->uac;

	u->cancel_wanted = true;
	if (u->cancelled || u->outcome != PENDING || u->client->m.state != MACHINE_PROCEEDING)
		return;
	u->cancelled = true;
	u->client->deadline_us = s->w.now_us + 64 * s->t.t1_us;
	world_at(&s->w, u->client->deadline_us, give_up, s, 0);
	(void)layer_request(s, UAC, PROXY, CANCEL, u->client->branch);
}

static void cancel_event(void *ctx, uint64_t unused)
{
	cancel(ctx);
}

static void begin(void *ctx, uint64_t unused)
{
	struct sim *s = ctx;
	struct txn *x = layer_request(s, UAC, PROXY, s->plan.method, ++s->next_branch);

	s->uac.client = x;
	if (s->plan.method != INVITE)
		return;
	x->deadline_us = s->w.now_us + PATIENCE_US;
	world_at(&s->w, x->deadline_us, cancel_event, s, 0);
	if (s->plan.cancel_after_us != 0)
		world_at(&s->w, s->w.now_us + s->plan.cancel_after_us, cancel_event, s, 0);
}

void uac_begin(struct sim *s)
{
	world_at(&s->w, s->w.now_us, begin, s, 0);
}

static void acknowledge_2xx(struct sim *s, const struct txn *x, const struct msg *m)
{
	struct msg ack = {.request = 1,
			  .method = ACK,
			  .from = UAC,
			  .to = PROXY,
			  .uas = m->uas,
			  .status = m->status};

	ack.branch = s->plan.old_uac ? x->branch : ++s->next_branch;
	s->uac.saw_2xx[m->uas] = true;
	layer_send(s, NULL, &ack);
}

static void on_response(struct sim *s, struct txn *x, const struct msg *m)
{
	if (x != s->uac.client)
		return; /* the answer to the CANCEL */
	if (m->status < 200) {
		if (s->uac.cancel_wanted)
			cancel(s);
		return;
	}
	conclude(s, m->status < 300 ? ANSWERED_2XX : ANSWERED_OTHER, m->status);
	if (m->status < 300 && x->method == INVITE)
		acknowledge_2xx(s, x, m);
}

static void on_timeout(struct sim *s, struct txn *x)
{
	if (x == s->uac.client)
		conclude(s, TIMEOUT, 0);
}

static void on_send_failed(struct sim *s, struct txn *x)
{
	if (x == s->uac.client && x->final == 0) /* else it was the ACK that failed */
		conclude(s, FAILURE, 0);
}

static void on_request(struct sim *s, struct txn *x, const struct msg *m)
{
	sim_fail(s, "the UAC is given a request");
}

static void on_ack(struct sim *s, const struct msg *m)
{
	sim_fail(s, "the UAC is given an ACK");
}

const struct user uac_user = {on_request, on_ack, on_response, on_timeout, on_send_failed};
