/* SPDX-License-Identifier: Apache-2.0 */
/* The runner of rows. Each row and refusal becomes a cmocka test of its own name, so that a failure
 * names the state, the stimulus and the outcome. */
#include "row.h"

#include <stdio.h>
#include <string.h>

#define TESTS_MAX 256
#define NAME_MAX_BYTES 96
#define N_STATES (MACHINE_TERMINATED + 1)
#define HOUR_MS 3600000ULL

const struct txn_timers row_timers = {
	.t1_us = 500 * MS,
	.t2_us = 4000 * MS,
	.t4_us = 5000 * MS,
	.timer_b_us = 32000 * MS,
	.timer_d_us = 33000 * MS,
	.hold_us = 31000 * MS,
};

static const char *const event_names[TXN_EVENTS] = {
	[TXN_EV_START] = "start",
	[TXN_EV_REQUEST] = "request",
	[TXN_EV_ACK] = "ack",
	[TXN_EV_REPLY] = "reply",
	[TXN_EV_RESPONSE] = "response",
	[TXN_EV_TIMER] = "timer",
	[TXN_EV_SEND_FAILED] = "send_failed",
};

static const struct figure *figure;

static unsigned act_bits(const struct txn_act *a)
{
	return (a->send_request ? SEND_REQUEST : 0u) | (a->send_reply ? SEND_REPLY : 0u) |
	       (a->send_trying ? SEND_TRYING : 0u) | (a->resend_reply ? RESEND_REPLY : 0u) |
	       (a->send_ack ? SEND_ACK : 0u) | (a->keep_reply ? KEEP_REPLY : 0u) |
	       (a->to_user ? TO_USER : 0u) | (a->timed_out ? TIMED_OUT : 0u) |
	       (a->send_failed ? SEND_FAILED : 0u) | (a->terminated ? ENDED : 0u) |
	       (a->refused ? REFUSED : 0u);
}

unsigned row_step(struct link_machine *m, enum txn_event e, unsigned status, uint64_t at_ms)
{
	struct txn_act act;

	memset(&act, 0xff, sizeof(act)); /* the step must zero it */
	txn_machine_step(m, &row_timers, e, status, T0_US + at_ms * MS, &act);
	return act_bits(&act);
}

static uint64_t absolute_us(uint32_t ms)
{
	return ms ? T0_US + ms * MS : 0;
}

/* A machine in a state; states of other figures are written by force. */
static bool bring(struct link_machine *m, enum link_machine_state state, bool reliable)
{
	txn_machine_init(m, figure->kind, reliable);
	return figure->bring(m, state);
}

static void run_row(void **state)
{
	const struct row *r = *state;
	struct link_machine m;

	assert_true(bring(&m, r->from, r->reliable));
	assert_int_equal(m.state, r->from);
	assert_int_equal(row_step(&m, r->event, r->status, r->at_ms), r->act);
	assert_string_equal(txn_state_name(m.state), txn_state_name(r->to));
	assert_int_equal(m.retransmit_us, absolute_us(r->retransmit_ms));
	assert_int_equal(m.end_us, absolute_us(r->end_ms));
	assert_int_equal(m.timer, r->timer);
	assert_int_equal(m.status, r->last);
	assert_int_equal(m.reliable, r->reliable);
	assert_int_equal(m.kind, figure->kind);
}

static void run_refusal(void **state)
{
	const struct refusal *r = *state;

	for (int reliable = 0; reliable <= 1; reliable++) {
		struct link_machine m, before;

		if (!bring(&m, r->from, reliable))
			continue;
		assert_int_equal(m.state, r->from);
		before = m;
		assert_int_equal(row_step(&m, r->event, r->status, 400), REFUSED);
		assert_memory_equal(&m, &before, sizeof(m));
	}
}

static void any_state_timer_with_nothing_due_changes_nothing(void **unused)
{
	for (int i = 0; i < 2 * N_STATES; i++) {
		struct link_machine m, before;
		uint64_t next_us;
		struct txn_act act;

		if (!bring(&m, i / 2, i % 2))
			continue;
		before = m;
		next_us = txn_machine_next_us(&m);
		if (next_us == UINT64_MAX)
			next_us = T0_US + HOUR_MS * MS;
		txn_machine_step(&m, &row_timers, TXN_EV_TIMER, 0, next_us - 1, &act);
		assert_int_equal(act_bits(&act), NOTHING);
		assert_memory_equal(&m, &before, sizeof(m));
	}
}

static void foreign_state_any_event_refused(void **unused)
{
	for (int i = 0; i < N_STATES * TXN_EVENTS; i++) {
		enum txn_event event = i % TXN_EVENTS;
		struct link_machine m, before;

		txn_machine_init(&m, figure->kind, UDP);
		if (figure->bring(&m, i / TXN_EVENTS))
			continue;
		m.state = (uint8_t)(i / TXN_EVENTS);
		before = m;
		assert_int_equal(row_step(&m, event, 200, HOUR_MS),
				 event == TXN_EV_TIMER ? NOTHING : REFUSED);
		assert_memory_equal(&m, &before, sizeof(m));
	}
}

static bool has_test(enum link_machine_state state, enum txn_event event)
{
	for (size_t i = 0; i < figure->n_rows; i++)
		if (figure->rows[i].from == state && figure->rows[i].event == event)
			return true;
	for (size_t i = 0; i < figure->n_refusals; i++)
		if (figure->refusals[i].from == state && figure->refusals[i].event == event)
			return true;
	return event == TXN_EV_TIMER; /* the common test above; due ones are rows */
}

static void every_state_every_event_has_a_test(void **unused)
{
	for (int i = 0; i < N_STATES * TXN_EVENTS; i++) {
		struct link_machine m;

		txn_machine_init(&m, figure->kind, UDP);
		if (!figure->bring(&m, i / TXN_EVENTS))
			continue;
		if (!has_test(i / TXN_EVENTS, i % TXN_EVENTS))
			fail_msg("no test: %s %s", txn_state_name(i / TXN_EVENTS),
				 event_names[i % TXN_EVENTS]);
	}
}

int figure_run(const struct figure *f)
{
	static const struct CMUnitTest common[] = {
		cmocka_unit_test(any_state_timer_with_nothing_due_changes_nothing),
		cmocka_unit_test(foreign_state_any_event_refused),
		cmocka_unit_test(every_state_every_event_has_a_test),
	};
	static struct CMUnitTest tests[TESTS_MAX];
	static char names[TESTS_MAX][NAME_MAX_BYTES];
	size_t n = 0;

	figure = f;
	if (f->n_rows + f->n_refusals + f->n_more + 3 > TESTS_MAX)
		return 1;
	for (size_t i = 0; i < f->n_rows; i++)
		tests[n++] = (struct CMUnitTest){.name = f->rows[i].name,
						 .test_func = run_row,
						 .initial_state = (void *)&f->rows[i]};
	for (size_t i = 0; i < f->n_refusals; i++, n++) {
		const struct refusal *r = &f->refusals[i];

		(void)snprintf(names[n], NAME_MAX_BYTES, "%s_%s_%u_refused",
			       txn_state_name(r->from), event_names[r->event], r->status);
		tests[n] = (struct CMUnitTest){
			.name = names[n], .test_func = run_refusal, .initial_state = (void *)r};
	}
	for (size_t i = 0; i < f->n_more; i++)
		tests[n++] = f->more[i];
	for (size_t i = 0; i < 3; i++)
		tests[n++] = common[i];
	return _cmocka_run_group_tests(f->name, tests, n, NULL, NULL);
}
