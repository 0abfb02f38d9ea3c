/* SPDX-License-Identifier: Apache-2.0 */
/* A small appliance for the tests of control/admin: a link region of plain memory with one core and
 * one shard, and records filled by hand. What the calls ask of the transaction layer and of the
 * registrar is answered by world.c, from the records. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "control/admin/rpc.h"

#define NOW_US 100000000000ull /* when the tests take place */

struct test_world {
	struct link link;
	struct shard shard; /* only link and id are set */
	struct shard *shards[1];
	struct world world;
	struct rpc rpc;
	uint64_t now_us;
};
extern struct test_world tw;
extern uint64_t walk_us_per_step; /* what the clock goes on by with each piece of work */

int world_setup(void **state);
int world_teardown(void **state);

/* Mark a record as used, with generation 1. */
struct link_txn *txn_at(uint32_t i);
struct link_branch *branch_at(uint32_t i);
struct link_binding *binding_at(uint32_t i, const char *aor, const char *contact);
uint64_t *counter_at(enum counter id); /* of the core; the shard's for shard and txn counters */
/* One request line through the conversation; ret the answer line, without its end. */
const char *ask(const char *line);
/* The result of a call, or its error object; params as JSON, or NULL. To be json_decref()ed. */
json_t *result_of(const char *method, const char *params);
uint32_t pieces(void); /* of work that the last call took */

#define SEC 1000000ull
/* Members of an object, which must be of that kind. */
json_t *at(json_t *v, const char *key);
json_int_t number(json_t *v, const char *key);
const char *string(json_t *v, const char *key);
/* The row of a list whose name is that, or NULL. */
json_t *row_named(json_t *rows, const char *name);
/* The three texts that a transaction keeps: Call-ID, From, To. */
void text_keep(struct link_txn *t, const char *a, const char *b, const char *c);
/* An INVITE that rings: transaction 3 with branch 5, twelve seconds old. */
void ringing_call(void);
