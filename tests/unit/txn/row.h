/* SPDX-License-Identifier: Apache-2.0 */
/* A transaction machine's test as one row: in this state, this happens at this time; expect these
 * actions, this state and these deadlines. All times are milliseconds after the machine's start; 0
 * as an expected deadline means not armed, as in the machine itself. The timers all have different
 * lengths, so that a wrong one shows. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "control/txn/machine.h"

#define T0_US 1000000000ULL
#define MS 1000ULL

/* T1 500, T2 4000, T4 5000, B F H 32000, D 33000, J L M 31000 */
extern const struct txn_timers row_timers;

#define UDP false
#define TCP true

/* struct txn_act as bits. */
enum row_act {
	NOTHING = 0,
	SEND_REQUEST = 1 << 0,
	SEND_REPLY = 1 << 1,
	SEND_TRYING = 1 << 2,
	RESEND_REPLY = 1 << 3,
	SEND_ACK = 1 << 4,
	KEEP_REPLY = 1 << 5,
	TO_USER = 1 << 6,
	TIMED_OUT = 1 << 7,
	SEND_FAILED = 1 << 8,
	ENDED = 1 << 9, /* act.terminated */
	REFUSED = 1 << 10,
};

struct row {
	const char *name;
	bool reliable;
	enum link_machine_state from;
	enum txn_event event;
	unsigned status;
	uint32_t at_ms;
	unsigned act; /* enum row_act, or-ed */
	enum link_machine_state to;
	uint32_t retransmit_ms, end_ms;
	char timer;    /* letter behind end_ms, or 0 */
	uint16_t last; /* status that the machine remembers */
};
#define ROW(name, transport, from, event, status, at, act, to, ...) \
	{ #name, transport, MACHINE_##from, TXN_EV_##event, status, at, act, MACHINE_##to, \
	  __VA_ARGS__ }

/* An event that must be refused, the machine left as it was, over both transports. */
struct refusal {
	enum link_machine_state from;
	enum txn_event event;
	unsigned status;
};
#define REFUSE(from, event, status) { MACHINE_##from, TXN_EV_##event, status }

/* The figure under test. bring() makes a machine that has come to a state by events, or returns
 * false where the state cannot be reached over this transport. */
struct figure {
	const char *name;
	enum link_machine_kind kind;
	bool (*bring)(struct link_machine *m, enum link_machine_state state);
	const struct row *rows;
	size_t n_rows;
	const struct refusal *refusals;
	size_t n_refusals;
	const struct CMUnitTest *more; /* sequences and corners, as ordinary tests */
	size_t n_more;
};

/* Run all of it, plus for every figure: each state and event has a row or a refusal; a timer event
 * with nothing due changes nothing; states of other figures refuse all. Returns the exit code. */
int figure_run(const struct figure *f);

/* One step at at_ms. Returns the actions as bits. */
unsigned row_step(struct link_machine *m, enum txn_event e, unsigned status, uint64_t at_ms);
