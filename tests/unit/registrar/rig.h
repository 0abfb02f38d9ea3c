/* SPDX-License-Identifier: Apache-2.0 */
/* A shard made by hand over a small region: what the registrar needs of one, and nothing else.
 *
 * Requests are real text, parsed by the real parser, each handled in a step of its own. Time stands
 * still until a test moves it. In place of the wheel an array holds when each binding wants to be
 * called, set only from what shard_touch() was told: a change that is not touched is not timed. In
 * place of the transaction layer txn_reply() keeps what it is given. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "control/registrar/store.h"

#define RIG_START_US 5000000000ull
#define RIG_S 1000000ull
#define RIG_BINDINGS_MAX 8192

struct rig {
	struct conf conf;
	struct link link;
	struct shard s;
	uint64_t armed_us[RIG_BINDINGS_MAX]; /* 0: not armed */
	/* the last answer */
	unsigned status, replies;
	char reason[64];
	char date[64];	   /* value of the Date header, or empty */
	char extra[20000]; /* the other header lines             */
	/* of the last step, before its commit */
	uint32_t n_writes, shadow_used, took[STEP_TABLES];
	bool abort_next; /* abort the next request's step instead of committing it */
};
extern struct rig *rig;

/* cmocka set-up and tear-down of one test; 256 bindings, 512 blocks, all else by default. */
int rig_setup(void **state);
int rig_teardown(void **state);
/* Anew, with other sizes. */
void rig_make(uint32_t bindings, uint32_t blocks);

/* A REGISTER with To: <aor>; `headers` are whole lines, each with CR LF. ret the status */
unsigned rig_register(const char *aor, const char *call_id, uint32_t cseq, const char *headers);
/* Call-ID "a"; CSeq one higher each time. */
unsigned rig_next(const char *aor, const char *headers);

/* Move time, then run every timer that is due, each in a step. ret how many were */
uint32_t rig_advance(uint64_t us);
/* Timers due now. */
uint32_t rig_timers(void);

uint32_t rig_in_use(enum step_table t);
uint64_t rig_count(enum counter id);
/* Look-up in a step of its own: the contacts and paths, best first: "uri|path uri|path". */
const char *rig_lookup(const char *aor);

/* n contacts <sip:0@h>, <sip:1@h>, ... with these parameters, in one header. */
const char *rig_many(uint32_t n, const char *params);
/* A Path header of n octets, made of letter c, then other header lines. */
const char *rig_path(uint32_t n, char c, const char *headers);

#define BOB "sip:bob@example.com"
#define BOB_KEY "bob@example.com"

#define expect_answer(wanted, text)                                                                \
	do {                                                                                       \
		assert_int_equal(rig->status, wanted);                                             \
		assert_string_equal(rig->extra, text);                                             \
	} while (0)
#define expect_refusal(wanted, why, text)                                                          \
	do {                                                                                       \
		expect_answer(wanted, text);                                                       \
		assert_string_equal(rig->reason, why);                                             \
		assert_string_equal(rig->date, "");                                                \
	} while (0)
#define TEST(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)
