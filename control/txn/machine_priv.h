/* SPDX-License-Identifier: Apache-2.0 */
/* What the four figures share: one step as a value, and the verbs in which a figure is written.
 *
 * A figure's function looks at the state and the event and either takes an arrow (txn_go, or
 * txn_terminate for the last one) or refuses. Every arrow goes through txn_go(), which counts it,
 * so coverage cannot miss one that is written elsewhere. Entering a state does not touch the timers
 * by itself: timers E and F run on from Trying into Proceeding (RFC 3261 §17.1.2.2), all others are
 * named where their state is entered. */
#pragma once
#include "control/txn/machine.h"

/* Status classes as the figures draw them. */
enum txn_class { CLASS_NONE, CLASS_1XX, CLASS_2XX, CLASS_3XX_6XX };

/* One call of txn_machine_step(). */
struct txn_step {
	struct link_machine *m;
	const struct txn_timers *t;
	struct txn_act *act;
	uint64_t now_us;
	enum txn_event event;
	enum txn_class class; /* of status; CLASS_NONE for events without one */
	uint16_t status;      /* 0, or 100 ... 699                           */
};

/* One figure each. runs any, pure */
void txn_invite_client_step(struct txn_step *s);
void txn_client_step(struct txn_step *s);
void txn_invite_server_step(struct txn_step *s);
void txn_server_step(struct txn_step *s);

/* Take the arrow to a state (maybe the same one). */
void txn_go(struct txn_step *s, enum link_machine_state to);

/* Take the arrow to Terminated; nothing stays armed. */
void txn_terminate(struct txn_step *s);

/* The event has no arrow in this state. Never set for timer events: they may come early or late. */
void txn_refuse(struct txn_step *s);

/* Arm the timer that ends a state. It fires in a later step even if its length is 0. */
void txn_end_in(struct txn_step *s, char letter, uint64_t length_us);

/* The same for timers that only wait for stragglers: of length 0, it fires within this step. */
void txn_linger(struct txn_step *s, char letter, uint64_t length_us);

/* Arm the retransmission timer; txn_retransmit_doubled() after it has fired, with a bound. */
void txn_retransmit_in(struct txn_step *s, uint64_t interval_us);
void txn_retransmit_doubled(struct txn_step *s, uint64_t max_us);

static inline void txn_disarm(struct link_machine *m)
{
	m->retransmit_us = 0;
	m->end_us = 0;
	m->interval_us = 0;
	m->timer = 0;
}

static inline bool txn_end_due(const struct txn_step *s)
{
	return s->m->end_us != 0 && s->now_us >= s->m->end_us;
}

static inline bool txn_retransmit_due(const struct txn_step *s)
{
	return s->m->retransmit_us != 0 && s->now_us >= s->m->retransmit_us;
}

/* The length of a timer that is 0 over reliable transports: D, I, J and K. */
static inline uint64_t txn_if_unreliable(const struct txn_step *s, uint64_t length_us)
{
	return s->m->reliable ? 0 : length_us;
}

/* Whether a rule holds: always, but for the one that the simulator has switched off. */
static inline bool txn_rule(enum txn_break rule)
{
	return txn_broken != rule;
}
