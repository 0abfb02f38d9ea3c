/* SPDX-License-Identifier: Apache-2.0 */
/* What must hold: after every event for each live machine, for each message that reaches a user or
 * finds no machine, and when all is quiet for the schedule as a whole.
 *
 * The network delays a message by 2 s at most and T4 is 5 s, so the RFC's own argument can be held
 * against the machines: within the time that a state exists to absorb repetitions, none may slip
 * by. A schedule is strict when the RFCs promise its outcome: nobody crashes or is silent, and what
 * a link loses is followed by messages of the same kind that pass. */
#include "tests/sim/txn/sim.h"

#include <stdarg.h>
#include <stdio.h>

void sim_fail(struct sim *s, const char *fmt, ...)
{
	va_list args;

	if (s->failed)
		return;
	s->failed = true;
	va_start(args, fmt);
	(void)vsnprintf(s->why, sizeof(s->why), fmt, args);
	va_end(args);
	sim_trace(s, "FAILED: %s", s->why);
}

void sim_trace(const struct sim *s, const char *fmt, ...)
{
	uint64_t us = s->w.now_us - WORLD_START_US;
	va_list args;

	if (!s->verbose)
		return;
	printf("%6llu.%06llu ", (unsigned long long)(us / SECOND),
	       (unsigned long long)(us % SECOND));
	va_start(args, fmt);
	(void)vprintf(fmt, args);
	va_end(args);
	printf("\n");
}

const char *place_name(enum place p)
{
	static const char *const names[PLACES] = {"UAC", "proxy", "UAS 1", "UAS 2", "UAS 3"};

	return names[p];
}

const char *method_name(enum method m)
{
	static const char *const names[] = {"INVITE", "OPTIONS", "CANCEL", "ACK"};

	return names[m];
}

uint16_t best_final(const uint16_t *finals, unsigned n)
{
	uint16_t best = finals[0];

	for (unsigned i = 1; i < n; i++) { /* a 6xx wins, else the lowest: §16.7 step 6 */
		bool decline = finals[i] >= 600;

		if (decline != (best >= 600) ? decline : finals[i] < best)
			best = finals[i];
	}
	return best;
}

/* The longest that a machine may stay in a state. */
static uint64_t stay_max_us(const struct sim *s, const struct txn *x)
{
	const struct txn_timers *t = &s->t;

	switch (x->m.state) {
	case MACHINE_CALLING:
		return t->timer_b_us;
	case MACHINE_TRYING: /* of the server: until a 100 is due */
		return x->server ? 7 * t->t1_us : t->timer_b_us;
	case MACHINE_PROCEEDING:
		return x->m.kind == MACHINE_CLIENT ? t->timer_b_us : UINT64_MAX;
	case MACHINE_COMPLETED:
		if (x->m.kind == MACHINE_INVITE_CLIENT)
			return t->timer_d_us;
		if (x->m.kind == MACHINE_CLIENT)
			return t->t4_us;
		return x->m.kind == MACHINE_SERVER ? t->hold_us : t->timer_b_us;
	case MACHINE_CONFIRMED:
		return t->t4_us;
	case MACHINE_ACCEPTED:
		return t->hold_us;
	default:
		return 0;
	}
}

/* A machine without a timer waits for its user, who must have a deadline of its own. */
static bool may_be_unarmed(const struct sim *s, const struct txn *x)
{
	if (x->m.state != MACHINE_PROCEEDING || x->m.kind == MACHINE_CLIENT)
		return false;
	if (x->place == PROXY && x->server)
		return proxy_is_waiting(s, x);
	return x->deadline_us >= s->w.now_us;
}

/* Nothing is repeated over a reliable transport, so nothing waits for repetitions either; but a 2xx
 * to INVITE is the users' matter, and they may have an unreliable hop between them. */
static void check_reliable(struct sim *s, const struct txn *x)
{
	bool lingers = x->m.state == MACHINE_CONFIRMED ||
		       (x->m.state == MACHINE_COMPLETED && x->m.kind != MACHINE_INVITE_SERVER);

	if (lingers || (x->m.retransmit_us != 0 && x->m.state != MACHINE_TRYING))
		sim_fail(s, "%s: %s machine in %s has a timer that only UDP needs",
			 place_name(x->place), method_name(x->method), txn_state_name(x->m.state));
}

static void check_machine(struct sim *s, const struct txn *x)
{
	const char *place = place_name(x->place), *state = txn_state_name(x->m.state);
	uint64_t next_us = txn_machine_next_us(&x->m);

	if (next_us == UINT64_MAX && !may_be_unarmed(s, x))
		sim_fail(s, "%s: %s machine in %s has no deadline", place, method_name(x->method),
			 state);
	if (next_us < s->w.now_us)
		sim_fail(s, "%s: %s machine in %s has slept past its deadline", place,
			 method_name(x->method), state);
	if (s->w.now_us - x->since_us > stay_max_us(s, x))
		sim_fail(s, "%s: %s machine is too long in %s", place, method_name(x->method),
			 state);
	if (x->m.reliable)
		check_reliable(s, x);
}

void check_live(struct sim *s)
{
	for (unsigned i = 0; i < s->n_txns; i++)
		if (s->txn[i].live)
			check_machine(s, &s->txn[i]);
}

/* RFC 4320 §4: no 408, no 1xx but 100, and over UDP no 100 before the client's E is T2. */
void check_reply(struct sim *s, const struct txn *x, const struct msg *m)
{
	bool early = !x->m.reliable && s->w.now_us < x->born_us + 7 * s->t.t1_us;

	if (x->method == INVITE)
		return;
	if (m->status == 408 || (m->status > 100 && m->status < 200) || (m->status == 100 && early))
		sim_fail(s, "%s sends a %u to %s", place_name(x->place), m->status,
			 method_name(x->method));
}

/* How long a client that had its first final answer must know its repetitions. */
static uint64_t swallow_us(const struct sim *s, const struct txn *x)
{
	if (x->m.reliable)
		return 0;
	if (x->method != INVITE)
		return s->t.t4_us;
	return x->final < 300 ? s->t.hold_us : s->t.timer_d_us;
}

void check_stray(struct sim *s, const struct msg *m)
{
	for (unsigned i = 0; i < s->n_txns; i++) {
		const struct txn *x = &s->txn[i];
		bool ack = m->request && m->status >= 300 && x->server && x->method == INVITE;
		bool response = !m->request && !x->server && x->method == m->method;

		if (x->place != m->to || x->branch != m->branch || x->failed)
			continue;
		if (ack && s->w.now_us < x->absorb_until_us)
			sim_fail(s, "%s: an ACK for %u slips by", place_name(x->place), m->status);
		if (response && m->status >= 200 && x->final != 0 &&
		    s->w.now_us < x->absorb_until_us)
			sim_fail(s, "%s: a repeated %u to %s slips by", place_name(x->place),
				 m->status, method_name(x->method));
	}
}

void check_new_server(struct sim *s, const struct txn *x)
{
	for (unsigned i = 0; i < s->n_txns; i++) {
		const struct txn *old = &s->txn[i];

		if (old == x || !old->server || old->place != x->place ||
		    old->branch != x->branch || old->method != x->method || old->failed)
			continue;
		if (s->w.now_us < old->absorb_until_us)
			sim_fail(s, "%s: the user is given a repeated %s", place_name(x->place),
				 method_name(x->method));
	}
}

void check_to_user(struct sim *s, struct txn *x, const struct msg *m)
{
	if (x->server || m->status < 200)
		return;
	bool may_repeat = x->method == INVITE && m->status < 300;

	if (x->n_finals > 0 || (x->final != 0 && !may_repeat))
		sim_fail(s, "%s: the user is given a %u to %s after a %u", place_name(x->place),
			 m->status, method_name(x->method), x->final);
	if (!may_repeat)
		x->n_finals++;
	if (x->final != 0)
		return;
	x->final = m->status;
	x->absorb_until_us = s->w.now_us + swallow_us(s, x);
}

static bool is_strict(const struct sim *s)
{
	if (s->plan.net != NET_PERFECT && s->plan.net != NET_FAIR)
		return false;
	for (unsigned i = 0; i < s->plan.n_uas; i++) {
		const struct uas_plan *u = &s->plan.uas[i];

		if (u->crash_us != 0 || u->silent || u->ignores_cancel)
			return false;
		if (u->final == 408 && s->plan.method != INVITE)
			return false;
	}
	return true;
}

/* What the UAC must hear when nobody cancels, or 0 where a race decides. */
static uint16_t expected_final(const struct sim *s)
{
	uint16_t finals[UAS_MAX] = {0};
	bool ok = false, decline = false;

	for (unsigned i = 0; i < s->plan.n_uas; i++) {
		finals[i] = s->plan.uas[i].final;
		ok = ok || finals[i] < 300;
		decline = decline || finals[i] >= 600;
	}
	if (ok)
		return decline && s->plan.method == INVITE ? 0 : 200;
	if (decline && s->plan.method == INVITE && s->plan.n_uas > 1)
		return 0;
	uint16_t best = best_final(finals, s->plan.n_uas);

	return best == 503 ? 500 : best;
}

static void check_strict(struct sim *s)
{
	const struct uac *u = &s->uac;
	uint16_t expected = expected_final(s);

	for (unsigned i = 0; i < s->n_txns; i++)
		if (s->txn[i].timed_out || s->txn[i].dropped)
			sim_fail(s, "%s: %s ran out of time over a fair network",
				 place_name(s->txn[i].place), method_name(s->txn[i].method));
	if (u->outcome != ANSWERED_2XX && u->outcome != ANSWERED_OTHER)
		sim_fail(s, "the UAC had no answer over a fair network");
	if (s->plan.cancel_after_us == 0 && expected != 0 && u->status != expected)
		sim_fail(s, "the UAC had %u instead of %u", u->status, expected);
	for (unsigned p = UAS_0; p < PLACES; p++)
		if (u->saw_2xx[p] && !s->uas[p - UAS_0].acked)
			sim_fail(s, "%s had no ACK for its 2xx over a fair network", place_name(p));
	if (s->plan.net == NET_PERFECT && s->n_resent != 0)
		sim_fail(s, "%u messages were repeated over a perfect network", s->n_resent);
}

void check_end(struct sim *s)
{
	if (s->n_live != 0)
		sim_fail(s, "%u machines are left", s->n_live);
	if (s->w.n_bufs != 0)
		sim_fail(s, "%u message buffers are left", s->w.n_bufs);
	if (s->uac.outcome == PENDING)
		sim_fail(s, "the UAC never had an outcome");
	for (unsigned i = 0; i < s->n_txns; i++) {
		const struct txn *x = &s->txn[i];

		if (x->server && x->method == INVITE && x->final >= 300 && !x->acked &&
		    !x->timed_out && !x->crashed)
			sim_fail(s, "%s: a %u was neither acknowledged nor given up",
				 place_name(x->place), x->final);
	}
	for (unsigned i = 0; i < s->plan.n_uas; i++)
		if (s->uas[i].first_2xx_us != 0 && !s->uas[i].acked && !s->uas[i].gave_up &&
		    !s->crashed[UAS_0 + i])
			sim_fail(s, "%s: a 2xx was neither acknowledged nor given up",
				 place_name(UAS_0 + i));
	s->strict = is_strict(s);
	if (s->strict)
		check_strict(s);
}
