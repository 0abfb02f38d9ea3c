/* SPDX-License-Identifier: Apache-2.0 */
/* The four transaction machines as pure functions: (machine, event, now) -> actions.
 *
 * Nothing is sent, freed or timed here: the step changes the machine and fills a struct txn_act; the
 * caller (txn/txn.c) carries it out, in the order in which the fields stand. Time is an argument.
 * RFC 3261 §17.1, §17.2 with RFC 6026 (Accepted; timers L and M) and RFC 4320 (non-INVITE: no
 * provisional but 100, none before timer E would have reached T2, no 408). */
#pragma once
#include "platform/link/machine.h"
#include <stdbool.h>

struct txn_timers { /* microseconds; from configuration */
	uint64_t t1_us, t2_us, t4_us;
	uint64_t timer_b_us; /* B, F, H: 64*T1 unless configured                                */
	uint64_t timer_d_us; /* D over UDP, >= 32 s by the RFC                                  */
	uint64_t hold_us;    /* J over UDP; L and M over all (RFC 6026 §7); 64*T1 by the RFCs     */
};

enum txn_event {
	TXN_EV_START,        /* client: send the request. server: the request has come           */
	TXN_EV_REQUEST,      /* server: the same request again                                   */
	TXN_EV_ACK,          /* invite server: ACK for our final answer                          */
	TXN_EV_REPLY,        /* server: TU or proxy wants to send `status`                       */
	TXN_EV_RESPONSE,     /* client: a response with `status` came                            */
	TXN_EV_TIMER,        /* now_us has reached retransmit_us or end_us (or both)             */
	TXN_EV_SEND_FAILED,  /* transport error                                                  */
	TXN_EVENTS
};

/* In the order in which they are carried out. */
struct txn_act {
	bool send_request;    /* client: the request, first time or again                        */
	bool send_reply;      /* server: the reply that TXN_EV_REPLY brought                     */
	bool send_trying;     /* server, not INVITE: make a 100 and send it, RFC 4320 §4.1       */
	bool resend_reply;    /* server: the last reply once more                                */
	bool send_ack;        /* invite client: ACK for the non-2xx final answer                 */
	bool keep_reply;      /* server: keep this reply (or 100) for retransmissions            */
	bool to_user;         /* client: hand the response up. server: hand the request (or, for an
			       * ACK in Accepted, the ACK) up                                     */
	bool timed_out;       /* client: B or F; server: H. tell the user                        */
	bool send_failed;     /* tell the user                                                   */
	bool terminated;      /* the machine has ended: free the record                          */
	bool refused;         /* event has no meaning in this state: nothing was done; the caller
			       * counts it (a stray ACK, a 1xx after a final, a second final reply) */
};

/* Make a machine of a kind in MACHINE_IDLE. */
void txn_machine_init(struct link_machine *m, enum link_machine_kind kind, bool reliable);

/* One step.
 * in     status   of TXN_EV_REPLY and TXN_EV_RESPONSE, else 0
 *        now_us   monotonic; TIMER with nothing due yet is no error: nothing happens
 * out    act      zeroed first
 * A 408 from the TU of a non-INVITE server is not sent (no send_reply) and yet ends it: Completed,
 * or Terminated over a reliable transport. Events without an arrow in the figure are refused.
 * TXN_EV_TIMER handles end_us before retransmit_us when both are due. A step that leaves a machine
 * alive leaves at least one deadline armed, with one exception: MACHINE_PROCEEDING of the invite
 * client and of the two servers waits for others; the record that holds the machine has its own
 * deadline there (timer C, a parked job, or the branches').
 * runs   control; pure */
void txn_machine_step(struct link_machine *m, const struct txn_timers *t, enum txn_event e,
		      unsigned status, uint64_t now_us, struct txn_act *act);

/* Earliest of the armed deadlines; UINT64_MAX: none. */
uint64_t txn_machine_next_us(const struct link_machine *m);
const char *txn_state_name(enum link_machine_state s); /* "calling", ... for tm.list */

/* Every arrow of the figures, for coverage: step k of `arrow` was taken. NULL: not counted. The table
 * of arrows (figure, from, event, to) is txn_arrows[]; a test fails when one is never taken. */
struct txn_arrow {
	uint8_t kind, from, event, to;
	uint16_t status_class;  /* 0, 1, 2, 3 (3xx-6xx) */
	const char *text;       /* "Fig. 7: Proceeding --300-699 from TU--> Completed" */
};
extern const struct txn_arrow txn_arrows[];
extern const unsigned txn_n_arrows;
extern uint64_t *txn_arrow_hits; /* test builds point this at an array of txn_n_arrows; else NULL */

/* Mutation switches for the simulator only: rule off -> schedules must fail. 0 in the product. */
enum txn_break { TXN_BREAK_NONE, TXN_BREAK_ACK_ABSORB, TXN_BREAK_TIMER_K, TXN_BREAK_ACCEPTED,
		 TXN_BREAK_TIMER_H, TXN_BREAK_TIMER_G, TXN_BREAKS };
extern enum txn_break txn_broken;
