/* SPDX-License-Identifier: Apache-2.0 */
/* The non-INVITE server transaction: RFC 3261 §17.2.2 (Fig. 8) with RFC 4320 §4.
 *
 *   Trying --- 100 ---> Proceeding
 *      \--- 200-699 --------\--- 200-699 ---> Completed --- J ---> Terminated
 *
 * Trying is silent. A provisional answer only hurts before the client's timer E has reached T2, so
 * over unreliable transports an earlier 100 from the user is refused; at that moment, over any
 * transport, the machine asks for a 100 itself. No other provisional answer leaves at all.
 * A 408 is useless as well, because the client's timer F has fired by the time it arrives, and does
 * harm to forking proxies: it is not sent. The machine then goes to Completed with nothing to
 * repeat and swallows what still comes of the request until J, or ends at once where J is 0. */
#include "control/txn/machine_priv.h"

#define STATUS_TRYING 100
#define STATUS_REQUEST_TIMEOUT 408

/* From the first sending until the client resets timer E to T2: T1 + 2*T1 + 4*T1 + ... (RFC 4320
 * §4.1). At most 64 rounds: the interval doubles. */
static uint64_t e_reaches_t2_us(const struct txn_timers *t)
{
	uint64_t sum_us = 0;

	for (uint64_t e_us = t->t1_us; e_us != 0 && e_us < t->t2_us; e_us *= 2)
		sum_us += e_us;
	return sum_us;
}

static void idle(struct txn_step *s)
{
	if (s->event != TXN_EV_START) {
		txn_refuse(s);
		return;
	}
	txn_go(s, MACHINE_TRYING);
	s->act->to_user = true;
	txn_retransmit_in(s, e_reaches_t2_us(s->t));
}

static void reply_provisional(struct txn_step *s)
{
	bool early = s->m->state == MACHINE_TRYING && !s->m->reliable && !txn_retransmit_due(s);

	if (s->status != STATUS_TRYING || early) {
		txn_refuse(s);
		return;
	}
	s->m->status = s->status;
	txn_disarm(s->m);
	txn_go(s, MACHINE_PROCEEDING);
	s->act->send_reply = true;
	s->act->keep_reply = true;
}

static void reply_final(struct txn_step *s)
{
	bool silent = s->status == STATUS_REQUEST_TIMEOUT;

	if (!silent)
		s->m->status = s->status;
	s->act->send_reply = !silent;
	txn_disarm(s->m);
	txn_go(s, MACHINE_COMPLETED);
	txn_linger(s, 'J', txn_if_unreliable(s, s->t->hold_us));
	s->act->keep_reply = !silent && !s->act->terminated;
}

static void reply(struct txn_step *s)
{
	if (s->class == CLASS_1XX)
		reply_provisional(s);
	else
		reply_final(s);
}

static void trying(struct txn_step *s)
{
	if (s->event == TXN_EV_REQUEST) {
		txn_go(s, MACHINE_TRYING);
	} else if (s->event == TXN_EV_REPLY) {
		reply(s);
	} else if (s->event == TXN_EV_TIMER && txn_retransmit_due(s)) {
		s->m->status = STATUS_TRYING;
		txn_disarm(s->m);
		txn_go(s, MACHINE_PROCEEDING);
		s->act->send_trying = true;
		s->act->keep_reply = true;
	} else {
		txn_refuse(s);
	}
}

static void fail(struct txn_step *s)
{
	s->act->send_failed = true;
	txn_terminate(s);
}

static void proceeding(struct txn_step *s)
{
	if (s->event == TXN_EV_REQUEST) {
		txn_go(s, MACHINE_PROCEEDING);
		s->act->resend_reply = true;
	} else if (s->event == TXN_EV_REPLY) {
		reply(s);
	} else if (s->event == TXN_EV_SEND_FAILED) {
		fail(s);
	} else {
		txn_refuse(s);
	}
}

static void completed(struct txn_step *s)
{
	if (s->event == TXN_EV_REQUEST) {
		txn_go(s, MACHINE_COMPLETED);
		s->act->resend_reply = s->m->status > STATUS_TRYING; /* not after a 408 */
	} else if (s->event == TXN_EV_TIMER && txn_end_due(s)) {
		txn_terminate(s);
	} else if (s->event == TXN_EV_SEND_FAILED) {
		fail(s);
	} else {
		txn_refuse(s);
	}
}

void txn_server_step(struct txn_step *s)
{
	switch (s->m->state) {
	case MACHINE_IDLE:
		idle(s);
		break;
	case MACHINE_TRYING:
		trying(s);
		break;
	case MACHINE_PROCEEDING:
		proceeding(s);
		break;
	case MACHINE_COMPLETED:
		completed(s);
		break;
	default: /* Terminated, or a state of another figure */
		txn_refuse(s);
		break;
	}
}
