/* SPDX-License-Identifier: Apache-2.0 */
/* The INVITE server transaction: RFC 3261 §17.2.1 (Fig. 7) as changed by RFC 6026 §7.1.
 *
 *   Proceeding --- 2xx from TU ---> Accepted ------------ L ------------+
 *        \--- 300-699 from TU ---> Completed --- ACK ---> Confirmed --- I ---> Terminated
 *                                      \--- H ------------------------------->
 *
 * Proceeding has no timer: the user answers when it can. The 100 (Trying) of §17.2.1 is the user's
 * as well, because only it knows whether it will answer within 200 ms. Completed repeats the final
 * answer by timer G until the ACK comes, over unreliable transports only; H limits that over all.
 * Accepted swallows repeated INVITEs, lets the user's repetitions of the 2xx through, and gives an
 * ACK that matches (that of an RFC 2543 peer has the INVITE's branch) to the user.
 * A failed transport is reported and changes nothing (RFC 6026 §7.1): were the machine to end, the
 * next repetition of the INVITE would pass for a new one. */
#include "control/txn/machine_priv.h"

static void idle(struct txn_step *s)
{
	if (s->event != TXN_EV_START) {
		txn_refuse(s);
		return;
	}
	txn_go(s, MACHINE_PROCEEDING);
	s->act->to_user = true;
}

static void report_failure(struct txn_step *s)
{
	txn_go(s, s->m->state);
	s->act->send_failed = true;
}

static void enter_completed(struct txn_step *s)
{
	txn_go(s, MACHINE_COMPLETED);
	s->act->keep_reply = true;
	if (!s->m->reliable && txn_rule(TXN_BREAK_TIMER_G))
		txn_retransmit_in(s, s->t->t1_us); /* timer G */
	if (txn_rule(TXN_BREAK_TIMER_H))
		txn_end_in(s, 'H', s->t->timer_b_us);
}

static void reply(struct txn_step *s)
{
	s->m->status = s->status;
	s->act->send_reply = true;
	if (s->class == CLASS_1XX) {
		txn_go(s, MACHINE_PROCEEDING);
		s->act->keep_reply = true;
	} else if (s->class == CLASS_2XX) {
		txn_go(s, MACHINE_ACCEPTED);
		txn_linger(s, 'L', txn_rule(TXN_BREAK_ACCEPTED) ? s->t->hold_us : 0);
	} else {
		enter_completed(s);
	}
}

static void proceeding(struct txn_step *s)
{
	if (s->event == TXN_EV_REQUEST) {
		txn_go(s, MACHINE_PROCEEDING);
		s->act->resend_reply = s->m->status != 0;
	} else if (s->event == TXN_EV_REPLY) {
		reply(s);
	} else if (s->event == TXN_EV_SEND_FAILED) {
		report_failure(s);
	} else {
		txn_refuse(s);
	}
}

static void acknowledge(struct txn_step *s)
{
	txn_disarm(s->m);
	s->act->to_user = !txn_rule(TXN_BREAK_ACK_ABSORB);
	txn_go(s, MACHINE_CONFIRMED);
	txn_linger(s, 'I', txn_if_unreliable(s, s->t->t4_us));
}

static void completed(struct txn_step *s)
{
	if (s->event == TXN_EV_REQUEST) {
		txn_go(s, MACHINE_COMPLETED);
		s->act->resend_reply = true;
	} else if (s->event == TXN_EV_ACK) {
		acknowledge(s);
	} else if (s->event == TXN_EV_TIMER && txn_end_due(s)) {
		s->act->timed_out = true;
		txn_terminate(s);
	} else if (s->event == TXN_EV_TIMER && txn_retransmit_due(s)) {
		txn_go(s, MACHINE_COMPLETED);
		s->act->resend_reply = true;
		txn_retransmit_doubled(s, s->t->t2_us);
	} else if (s->event == TXN_EV_SEND_FAILED) {
		report_failure(s);
	} else {
		txn_refuse(s);
	}
}

static void confirmed(struct txn_step *s)
{
	if (s->event == TXN_EV_TIMER && txn_end_due(s)) {
		txn_terminate(s);
	} else if (s->event == TXN_EV_ACK) {
		s->act->to_user = !txn_rule(TXN_BREAK_ACK_ABSORB);
		txn_go(s, MACHINE_CONFIRMED);
	} else {
		txn_refuse(s);
	}
}

static void accepted(struct txn_step *s)
{
	if (s->event == TXN_EV_TIMER && txn_end_due(s)) {
		txn_terminate(s);
	} else if (s->event == TXN_EV_REQUEST) {
		txn_go(s, MACHINE_ACCEPTED);
	} else if (s->event == TXN_EV_ACK) {
		txn_go(s, MACHINE_ACCEPTED);
		s->act->to_user = true;
	} else if (s->event == TXN_EV_REPLY && s->class == CLASS_2XX) {
		s->m->status = s->status;
		txn_go(s, MACHINE_ACCEPTED);
		s->act->send_reply = true;
	} else if (s->event == TXN_EV_SEND_FAILED) {
		report_failure(s);
	} else {
		txn_refuse(s);
	}
}

void txn_invite_server_step(struct txn_step *s)
{
	switch (s->m->state) {
	case MACHINE_IDLE:
		idle(s);
		break;
	case MACHINE_PROCEEDING:
		proceeding(s);
		break;
	case MACHINE_COMPLETED:
		completed(s);
		break;
	case MACHINE_CONFIRMED:
		confirmed(s);
		break;
	case MACHINE_ACCEPTED:
		accepted(s);
		break;
	default: /* Terminated, or a state of another figure */
		txn_refuse(s);
		break;
	}
}
