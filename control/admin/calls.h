/* SPDX-License-Identifier: Apache-2.0 */
/* The calls: one table (admin_calls.def), and what a handler gets and gives.
 *
 * A handler does a bounded piece of work and says whether it is done. One that is not keeps its place
 * in call->state and is called again in a later pass of the loop, so that no listing stalls a shard.
 * Handlers read the link region and never change it. All run on shard 0's thread, outside of steps. */
#pragma once
#include "control/admin/text.h"
#include "control/shard.h"

#define CALL_PARAMS_MAX 6
#define CALL_WALK_MAX 2048 /* records that one piece of work looks at           */
#define CALL_ROWS_MAX 32   /* rows that it writes                               */
#define CALL_PAGE_ROWS 100 /* rows of a page, unless `limit` says otherwise     */
#define CALL_PAGE_MAX 1000
#define RPC_NAMES_MAX 64	     /* of stats.get_statistics                           */
#define CALL_PAGE_BYTES (512u << 10) /* a page ends before it passes this        */

/* What all calls look at. */
struct world {
	struct shard **shards;
	uint32_t n_shards;
	const struct link *link;
	uint64_t start_us; /* of this control process */
};

/* What a connection remembers between its calls. */
struct call_memory {
	bool cores_seen;
	uint64_t busy[LINK_CORES_MAX + LINK_SHARDS_MAX], idle[LINK_CORES_MAX + LINK_SHARDS_MAX];
};

enum call_outcome { CALL_DONE, CALL_MORE, CALL_WAIT /* not before wake_us */ };

/* Codes of JSON-RPC 2.0 §5.1; others are Kamailio's (400, 404, 500) where the call is. */
enum {
	RPC_PARSE_ERROR = -32700,
	RPC_INVALID_REQUEST = -32600,
	RPC_METHOD_NOT_FOUND = -32601,
	RPC_INVALID_PARAMS = -32602,
	RPC_INTERNAL_ERROR = -32603,
	RPC_BUSY = -32000
};

struct call {
	const struct world *world;
	struct call_memory *memory;
	uint64_t now_us;
	json_t *arg
		[CALL_PARAMS_MAX]; /* by place in the row's params, NULL where left out; a repeated
				       * one holds an array                                      */
	/* the answer: an error (code not 0), or text (JSON, written row by row), or result */
	int code;
	char message[64];
	char data[160]; /* details of an error, or empty */
	json_t *result;
	struct text text;
	/* a handler that goes on */
	void *state; /* from calloc; free()d with the call */
	uint64_t wake_us;
};

struct call_info {
	const char *name;
	enum call_outcome (*handler)(struct call *c);
	const char *params; /* "[table:text] aor:text name:text..." */
	bool changes;
	const char *text;
};
extern const struct call_info call_table[];
extern const uint32_t n_calls;

const struct call_info *call_find(struct str name);
/* Puts params (array, object or NULL) into c->arg by the row's list. Positional values go to the first
 * parameter that they fit; one that may be left out is passed over when too few values are there.
 * ret 0 · -E_MALFORMED (c->code, message and data are set) */
int call_args(struct call *c, const struct call_info *info, json_t *params);
void call_clear(struct call *c); /* frees all that it holds */

void call_error(struct call *c, int code, const char *message, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
uint64_t call_number(const struct call *c, uint32_t i, uint64_t otherwise);
struct str call_text(const struct call *c, uint32_t i); /* empty where left out */
/* docs/RPC.md: made of the table, a test compares them. */
void call_print_doc(struct text *out);

#define CALL(name, handler, params, changes, text) enum call_outcome handler(struct call *c);
#include "control/admin/admin_calls.def"
#undef CALL

/* Copy of a record that is in use, of any shard: read without its owner's knowledge, so the used word
 * is compared before and after. ret false: not in use, or it changed meanwhile */
bool record_read(const struct link *l, enum link_section used, enum link_section records,
		 uint64_t place, void *copy, size_t len_bytes, uint32_t *generation);
/* "udp:10.0.0.1:5060" of a flow's peer and of its listener. out holds FLOW_TEXT_MAX octets. */
#define FLOW_TEXT_MAX 80
struct str flow_peer(const struct link_flow *f, char *out);
struct str flow_socket(const struct link *l, const struct link_flow *f, char *out);
