/* SPDX-License-Identifier: Apache-2.0 */
/* The frame of the four machines: the step's entry, the verbs of machine_priv.h, and the table of
 * all arrows.
 *
 * A machine is a plain value that lives inside a record of someone else; nothing here allocates,
 * reads a clock or keeps a pointer past the call. Deadlines are absolute and 0 means not armed,
 * so a deadline that would fall on 0 is moved by one microsecond. Intervals are kept in 32 bits (71
 * minutes) and stop growing there.
 *
 * The arrow table is data for coverage only: the figures are the code. txn_go() is the one place
 * where a state changes, and with counting on it insists that the arrow stands in the table. */
#include "control/txn/machine_priv.h"

#include "platform/base/err.h"

enum txn_break txn_broken;
uint64_t *txn_arrow_hits;

#define IC "Fig. 5: ", MACHINE_INVITE_CLIENT
#define C "Fig. 6: ", MACHINE_CLIENT
#define IS "Fig. 7: ", MACHINE_INVITE_SERVER
#define S "Fig. 8: ", MACHINE_SERVER

#define NAME_IDLE "Idle"
#define NAME_CALLING "Calling"
#define NAME_TRYING "Trying"
#define NAME_PROCEEDING "Proceeding"
#define NAME_COMPLETED "Completed"
#define NAME_CONFIRMED "Confirmed"
#define NAME_ACCEPTED "Accepted"
#define NAME_TERMINATED "Terminated"

#define ARROW(figure, ...) ARROW_OF(figure, __VA_ARGS__)
#define ARROW_OF(figure, kind, from, event, class, to, label)                                      \
	{                                                                                          \
		kind, MACHINE_##from, TXN_EV_##event, MACHINE_##to, class,                         \
			figure NAME_##from " --" label "--> " NAME_##to                            \
	}

/* clang-format off */
const struct txn_arrow txn_arrows[] = {
	ARROW(IC, IDLE, START, 0, CALLING, "INVITE from TU"),
	ARROW(IC, CALLING, TIMER, 0, CALLING, "timer A"),
	ARROW(IC, CALLING, TIMER, 0, TERMINATED, "timer B"),
	ARROW(IC, CALLING, SEND_FAILED, 0, TERMINATED, "send failed"),
	ARROW(IC, CALLING, RESPONSE, 1, PROCEEDING, "1xx"),
	ARROW(IC, CALLING, RESPONSE, 2, ACCEPTED, "2xx"),
	ARROW(IC, CALLING, RESPONSE, 3, COMPLETED, "300-699"),
	ARROW(IC, PROCEEDING, RESPONSE, 1, PROCEEDING, "1xx"),
	ARROW(IC, PROCEEDING, RESPONSE, 2, ACCEPTED, "2xx"),
	ARROW(IC, PROCEEDING, RESPONSE, 3, COMPLETED, "300-699"),
	ARROW(IC, COMPLETED, RESPONSE, 3, COMPLETED, "300-699"),
	ARROW(IC, COMPLETED, SEND_FAILED, 0, TERMINATED, "send failed"),
	ARROW(IC, COMPLETED, TIMER, 0, TERMINATED, "timer D"),
	ARROW(IC, ACCEPTED, RESPONSE, 2, ACCEPTED, "2xx"),
	ARROW(IC, ACCEPTED, TIMER, 0, TERMINATED, "timer M"),

	ARROW(C, IDLE, START, 0, TRYING, "request from TU"),
	ARROW(C, TRYING, TIMER, 0, TRYING, "timer E"),
	ARROW(C, TRYING, TIMER, 0, TERMINATED, "timer F"),
	ARROW(C, TRYING, SEND_FAILED, 0, TERMINATED, "send failed"),
	ARROW(C, TRYING, RESPONSE, 1, PROCEEDING, "1xx"),
	ARROW(C, TRYING, RESPONSE, 2, COMPLETED, "2xx"),
	ARROW(C, TRYING, RESPONSE, 3, COMPLETED, "300-699"),
	ARROW(C, PROCEEDING, TIMER, 0, PROCEEDING, "timer E"),
	ARROW(C, PROCEEDING, TIMER, 0, TERMINATED, "timer F"),
	ARROW(C, PROCEEDING, SEND_FAILED, 0, TERMINATED, "send failed"),
	ARROW(C, PROCEEDING, RESPONSE, 1, PROCEEDING, "1xx"),
	ARROW(C, PROCEEDING, RESPONSE, 2, COMPLETED, "2xx"),
	ARROW(C, PROCEEDING, RESPONSE, 3, COMPLETED, "300-699"),
	ARROW(C, COMPLETED, RESPONSE, 2, COMPLETED, "2xx"),
	ARROW(C, COMPLETED, RESPONSE, 3, COMPLETED, "300-699"),
	ARROW(C, COMPLETED, TIMER, 0, TERMINATED, "timer K"),

	ARROW(IS, IDLE, START, 0, PROCEEDING, "INVITE"),
	ARROW(IS, PROCEEDING, REQUEST, 0, PROCEEDING, "INVITE"),
	ARROW(IS, PROCEEDING, REPLY, 1, PROCEEDING, "1xx from TU"),
	ARROW(IS, PROCEEDING, REPLY, 2, ACCEPTED, "2xx from TU"),
	ARROW(IS, PROCEEDING, REPLY, 3, COMPLETED, "300-699 from TU"),
	ARROW(IS, PROCEEDING, SEND_FAILED, 0, PROCEEDING, "send failed"),
	ARROW(IS, COMPLETED, REQUEST, 0, COMPLETED, "INVITE"),
	ARROW(IS, COMPLETED, TIMER, 0, COMPLETED, "timer G"),
	ARROW(IS, COMPLETED, ACK, 0, CONFIRMED, "ACK"),
	ARROW(IS, COMPLETED, TIMER, 0, TERMINATED, "timer H"),
	ARROW(IS, COMPLETED, SEND_FAILED, 0, COMPLETED, "send failed"),
	ARROW(IS, CONFIRMED, ACK, 0, CONFIRMED, "ACK"),
	ARROW(IS, CONFIRMED, TIMER, 0, TERMINATED, "timer I"),
	ARROW(IS, ACCEPTED, REQUEST, 0, ACCEPTED, "INVITE"),
	ARROW(IS, ACCEPTED, ACK, 0, ACCEPTED, "ACK"),
	ARROW(IS, ACCEPTED, REPLY, 2, ACCEPTED, "2xx from TU"),
	ARROW(IS, ACCEPTED, SEND_FAILED, 0, ACCEPTED, "send failed"),
	ARROW(IS, ACCEPTED, TIMER, 0, TERMINATED, "timer L"),

	ARROW(S, IDLE, START, 0, TRYING, "request"),
	ARROW(S, TRYING, REQUEST, 0, TRYING, "request"),
	ARROW(S, TRYING, TIMER, 0, PROCEEDING, "E has reached T2"),
	ARROW(S, TRYING, REPLY, 1, PROCEEDING, "1xx from TU"),
	ARROW(S, TRYING, REPLY, 2, COMPLETED, "2xx from TU"),
	ARROW(S, TRYING, REPLY, 3, COMPLETED, "300-699 from TU"),
	ARROW(S, PROCEEDING, REQUEST, 0, PROCEEDING, "request"),
	ARROW(S, PROCEEDING, REPLY, 1, PROCEEDING, "1xx from TU"),
	ARROW(S, PROCEEDING, REPLY, 2, COMPLETED, "2xx from TU"),
	ARROW(S, PROCEEDING, REPLY, 3, COMPLETED, "300-699 from TU"),
	ARROW(S, PROCEEDING, SEND_FAILED, 0, TERMINATED, "send failed"),
	ARROW(S, COMPLETED, REQUEST, 0, COMPLETED, "request"),
	ARROW(S, COMPLETED, SEND_FAILED, 0, TERMINATED, "send failed"),
	ARROW(S, COMPLETED, TIMER, 0, TERMINATED, "timer J"),
};
/* clang-format on */
const unsigned txn_n_arrows = sizeof(txn_arrows) / sizeof(txn_arrows[0]);

static void count_arrow(const struct txn_step *s, enum link_machine_state to)
{
	for (unsigned i = 0; i < txn_n_arrows; i++) {
		const struct txn_arrow *a = &txn_arrows[i];

		if (a->kind == s->m->kind && a->from == s->m->state && a->event == s->event &&
		    a->to == to && a->status_class == s->class) {
			txn_arrow_hits[i]++;
			return;
		}
	}
	must(false); /* an arrow that is not in txn_arrows */
}

void txn_go(struct txn_step *s, enum link_machine_state to)
{
	if (txn_arrow_hits)
		count_arrow(s, to);
	s->m->state = (uint8_t)to;
}

void txn_terminate(struct txn_step *s)
{
	txn_disarm(s->m);
	txn_go(s, MACHINE_TERMINATED);
	s->act->terminated = true;
}

void txn_refuse(struct txn_step *s)
{
	s->act->refused = s->event != TXN_EV_TIMER;
}

/* Never 0, which means not armed. */
static uint64_t deadline_us(uint64_t now_us, uint64_t length_us)
{
	uint64_t at_us = now_us + length_us;

	return at_us ? at_us : 1;
}

void txn_end_in(struct txn_step *s, char letter, uint64_t length_us)
{
	s->m->end_us = deadline_us(s->now_us, length_us);
	s->m->timer = (uint8_t)letter;
}

void txn_linger(struct txn_step *s, char letter, uint64_t length_us)
{
	if (length_us != 0) {
		txn_end_in(s, letter, length_us);
		return;
	}
	s->event = TXN_EV_TIMER; /* the arrow that is taken now is the timer's */
	s->class = CLASS_NONE;
	txn_terminate(s);
}

void txn_retransmit_in(struct txn_step *s, uint64_t interval_us)
{
	s->m->interval_us = interval_us < UINT32_MAX ? (uint32_t)interval_us : UINT32_MAX;
	s->m->retransmit_us = deadline_us(s->now_us, s->m->interval_us);
}

void txn_retransmit_doubled(struct txn_step *s, uint64_t max_us)
{
	uint64_t doubled_us = (uint64_t)s->m->interval_us * 2;

	txn_retransmit_in(s, doubled_us < max_us ? doubled_us : max_us);
}

void txn_machine_init(struct link_machine *m, enum link_machine_kind kind, bool reliable)
{
	*m = (struct link_machine){
		.kind = (uint8_t)kind,
		.state = MACHINE_IDLE,
		.reliable = reliable,
	};
}

static enum txn_class class_of(unsigned status)
{
	if (status < 100 || status > 699)
		return CLASS_NONE;
	return status < 200 ? CLASS_1XX : status < 300 ? CLASS_2XX : CLASS_3XX_6XX;
}

void txn_machine_step(struct link_machine *m, const struct txn_timers *t, enum txn_event e,
		      unsigned status, uint64_t now_us, struct txn_act *act)
{
	bool has_status = e == TXN_EV_REPLY || e == TXN_EV_RESPONSE;
	enum txn_class class = has_status ? class_of(status) : CLASS_NONE;
	struct txn_step s = {.m = m,
			     .t = t,
			     .act = act,
			     .now_us = now_us,
			     .event = e,
			     .class = class,
			     .status = class ? (uint16_t)status : 0};

	*act = (struct txn_act){0};
	if (has_status && class == CLASS_NONE) {
		txn_refuse(&s);
		return;
	}
	switch (m->kind) {
	case MACHINE_INVITE_CLIENT:
		txn_invite_client_step(&s);
		break;
	case MACHINE_CLIENT:
		txn_client_step(&s);
		break;
	case MACHINE_INVITE_SERVER:
		txn_invite_server_step(&s);
		break;
	case MACHINE_SERVER:
		txn_server_step(&s);
		break;
	default: /* a record without a machine */
		txn_refuse(&s);
		break;
	}
}

uint64_t txn_machine_next_us(const struct link_machine *m)
{
	uint64_t next_us = UINT64_MAX;

	if (m->retransmit_us != 0)
		next_us = m->retransmit_us;
	if (m->end_us != 0 && m->end_us < next_us)
		next_us = m->end_us;
	return next_us;
}

const char *txn_state_name(enum link_machine_state s)
{
	static const char *const names[] = {
		[MACHINE_IDLE] = "idle",	   [MACHINE_CALLING] = "calling",
		[MACHINE_TRYING] = "trying",	   [MACHINE_PROCEEDING] = "proceeding",
		[MACHINE_COMPLETED] = "completed", [MACHINE_CONFIRMED] = "confirmed",
		[MACHINE_ACCEPTED] = "accepted",   [MACHINE_TERMINATED] = "terminated",
	};

	return (unsigned)s < sizeof(names) / sizeof(names[0]) ? names[s] : "unknown";
}
