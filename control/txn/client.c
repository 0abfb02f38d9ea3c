/* SPDX-License-Identifier: Apache-2.0 */
/* The non-INVITE client transaction: RFC 3261 §17.1.2 (Fig. 6).
 *
 *   Trying ---- 1xx ----> Proceeding
 *      |  \-- 200-699 ------\-- 200-699 --> Completed --- K ---> Terminated
 *      +--- F, or the transport failed, from either -------------->
 *
 * Timer E repeats the request in both states, since a provisional answer promises nothing here; it
 * doubles up to T2 and stands at T2 once a provisional answer has come. Timer F runs over both and
 * is never restarted. Completed swallows the repetitions of the final answer. */
#include "control/txn/machine_priv.h"

static void idle(struct txn_step *s)
{
	if (s->event != TXN_EV_START) {
		txn_refuse(s);
		return;
	}
	txn_go(s, MACHINE_TRYING);
	s->act->send_request = true;
	if (!s->m->reliable)
		txn_retransmit_in(s, s->t->t1_us); /* timer E */
	txn_end_in(s, 'F', s->t->timer_b_us);
}

static void retransmit(struct txn_step *s)
{
	bool trying = s->m->state == MACHINE_TRYING;

	txn_go(s, s->m->state);
	s->act->send_request = true;
	if (trying)
		txn_retransmit_doubled(s, s->t->t2_us);
	else
		txn_retransmit_in(s, s->t->t2_us);
}

static void respond(struct txn_step *s)
{
	s->m->status = s->status;
	s->act->to_user = true;
	if (s->class == CLASS_1XX) {
		txn_go(s, MACHINE_PROCEEDING); /* E and F run on */
		return;
	}
	txn_disarm(s->m);
	txn_go(s, MACHINE_COMPLETED);
	txn_linger(s, 'K', txn_rule(TXN_BREAK_TIMER_K) ? txn_if_unreliable(s, s->t->t4_us) : 0);
}

static void trying_or_proceeding(struct txn_step *s)
{
	if (s->event == TXN_EV_TIMER && txn_end_due(s)) {
		s->act->timed_out = true;
		txn_terminate(s);
	} else if (s->event == TXN_EV_TIMER && txn_retransmit_due(s)) {
		retransmit(s);
	} else if (s->event == TXN_EV_RESPONSE) {
		respond(s);
	} else if (s->event == TXN_EV_SEND_FAILED) {
		s->act->send_failed = true;
		txn_terminate(s);
	} else {
		txn_refuse(s);
	}
}

static void completed(struct txn_step *s)
{
	if (s->event == TXN_EV_TIMER && txn_end_due(s))
		txn_terminate(s);
	else if (s->event == TXN_EV_RESPONSE && s->class != CLASS_1XX)
		txn_go(s, MACHINE_COMPLETED);
	else
		txn_refuse(s);
}

void txn_client_step(struct txn_step *s)
{
	switch (s->m->state) {
	case MACHINE_IDLE:
		idle(s);
		break;
	case MACHINE_TRYING:
	case MACHINE_PROCEEDING:
		trying_or_proceeding(s);
		break;
	case MACHINE_COMPLETED:
		completed(s);
		break;
	default: /* Terminated, or a state of another figure */
		txn_refuse(s);
		break;
	}
}
