/* SPDX-License-Identifier: Apache-2.0 */
/* The INVITE client transaction: RFC 3261 §17.1.1 (Fig. 5) as changed by RFC 6026 §7.2.
 *
 *   Calling ----- 1xx ----> Proceeding ----- 2xx ----> Accepted --- M ---+
 *      |  \---- 300-699 ---------\---- 300-699 --> Completed --- D ---> Terminated
 *      +--- B, or the transport failed -------------------------------->
 *
 * Timer A repeats the request until anything is heard. In Proceeding no timer runs: the called
 * person decides, and the record that holds the machine limits the wait (timer C of a proxy, the
 * user of a UAC). Completed acknowledges each repetition of the final answer, since the machine
 * owns that ACK. A 2xx is acknowledged by the user, end to end, so Accepted only hands further ones
 * up: they are repetitions, or come from other branches of a fork. */
#include "control/txn/machine_priv.h"

static void idle(struct txn_step *s)
{
	if (s->event != TXN_EV_START) {
		txn_refuse(s);
		return;
	}
	txn_go(s, MACHINE_CALLING);
	s->act->send_request = true;
	if (!s->m->reliable)
		txn_retransmit_in(s, s->t->t1_us); /* timer A */
	txn_end_in(s, 'B', s->t->timer_b_us);
}

/* A response in Calling or Proceeding; the two states differ only in their timers. */
static void respond(struct txn_step *s)
{
	s->m->status = s->status;
	s->act->to_user = true;
	txn_disarm(s->m);
	if (s->class == CLASS_1XX) {
		txn_go(s, MACHINE_PROCEEDING);
	} else if (s->class == CLASS_2XX) {
		txn_go(s, MACHINE_ACCEPTED);
		txn_linger(s, 'M', txn_rule(TXN_BREAK_ACCEPTED) ? s->t->hold_us : 0);
	} else {
		s->act->send_ack = true;
		txn_go(s, MACHINE_COMPLETED);
		txn_linger(s, 'D', txn_if_unreliable(s, s->t->timer_d_us));
	}
}

static void calling(struct txn_step *s)
{
	if (s->event == TXN_EV_TIMER && txn_end_due(s)) {
		s->act->timed_out = true;
		txn_terminate(s);
	} else if (s->event == TXN_EV_TIMER && txn_retransmit_due(s)) {
		txn_go(s, MACHINE_CALLING);
		s->act->send_request = true;
		txn_retransmit_doubled(s, UINT64_MAX); /* T2 does not bound A, §17.1.1.2 */
	} else if (s->event == TXN_EV_RESPONSE) {
		respond(s);
	} else if (s->event == TXN_EV_SEND_FAILED) {
		s->act->send_failed = true;
		txn_terminate(s);
	} else {
		txn_refuse(s);
	}
}

static void proceeding(struct txn_step *s)
{
	if (s->event == TXN_EV_RESPONSE)
		respond(s);
	else
		txn_refuse(s);
}

static void completed(struct txn_step *s)
{
	if (s->event == TXN_EV_TIMER && txn_end_due(s)) {
		txn_terminate(s);
	} else if (s->event == TXN_EV_RESPONSE && s->class == CLASS_3XX_6XX) {
		txn_go(s, MACHINE_COMPLETED);
		s->act->send_ack = true;
	} else if (s->event == TXN_EV_SEND_FAILED) { /* of the ACK */
		s->act->send_failed = true;
		txn_terminate(s);
	} else {
		txn_refuse(s);
	}
}

static void accepted(struct txn_step *s)
{
	if (s->event == TXN_EV_TIMER && txn_end_due(s)) {
		txn_terminate(s);
	} else if (s->event == TXN_EV_RESPONSE && s->class == CLASS_2XX) {
		s->m->status = s->status;
		txn_go(s, MACHINE_ACCEPTED);
		s->act->to_user = true;
	} else {
		txn_refuse(s);
	}
}

void txn_invite_client_step(struct txn_step *s)
{
	switch (s->m->state) {
	case MACHINE_IDLE:
		idle(s);
		break;
	case MACHINE_CALLING:
		calling(s);
		break;
	case MACHINE_PROCEEDING:
		proceeding(s);
		break;
	case MACHINE_COMPLETED:
		completed(s);
		break;
	case MACHINE_ACCEPTED:
		accepted(s);
		break;
	default: /* Terminated, or a state of another figure */
		txn_refuse(s);
		break;
	}
}
