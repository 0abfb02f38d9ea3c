/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the appliance share: a running one, messages by printf, and its end with the audit
 * once every timer has run out. */
#pragma once
#include "tests/sim/appliance/appliance.h"
#include "tests/sim/appliance/phone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define ALICE "sip:alice@example.com"
#define BOB "sip:bob@example.com"
#define ALICE_IP "10.0.0.2"
#define BOB_IP "10.0.0.3"
#define OUR_BRANCH_LEN 37

/* change: of the configuration before the start, or NULL. */
struct app *case_start(void (*change)(struct conf *c));
/* Lets all timers run out, audits (nothing may be left), and ends. */
void case_end(struct app *a);
/* A datagram from ip:5060. */
void case_rx(struct app *a, const char *ip, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* A request of Alice's: number n, extra header lines. */
void case_alice(struct app *a, const char *method, const char *ruri, int n, const char *extra);
/* The ACK of Alice's INVITE n for a non-2xx answer with this To tag. */
void case_ack(struct app *a, const char *ruri, int n, const char *tag);
/* Binds Bob to contacts (the value of the Contact header); path: whole header line, or "". Forgets
 * what was sent. */
void case_bind_bob(struct app *a, const char *contacts, const char *path);
/* Index of the next sent datagram from `from` on that starts so; fails the test where there is none. */
uint32_t case_find(const struct app *a, uint32_t from, const char *text);
uint32_t case_count(const struct app *a, const char *text); /* how many were sent that start so */
/* Exact octets of datagram i; "<branch>" in the text stands for our branch, whatever it is. */
void case_is(const struct app *a, uint32_t i, const char *text);
/* To tag of datagram i, a C string (static). */
const char *case_to_tag(const struct app *a, uint32_t i);
#define case_counted(a, id, n) assert_int_equal(app_count(a, id), n)
