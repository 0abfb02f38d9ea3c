/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever is sent to the control socket, in one piece or octet by octet: the same answers, each one
 * line of JSON, never more pieces of work than the table needs, and nothing left over at the end.
 * Calls that end the process or change its log are left out by their bytes. */
#include <stdlib.h>

#include "control/admin/rpc.h"
#include "control/registrar/registrar.h"
#include "control/txn/txn.h"

#define PIECES_MAX 20000
#define SMALL_MAX 512 /* longer inputs are not also fed octet by octet */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the calls ask of others: an appliance without registrations. */
uint64_t txn_next_us(const struct link_txn *t)
{
	return t->guard_us ? t->guard_us : UINT64_MAX;
}
uint64_t txn_branch_next_us(const struct link_branch *b)
{
	return b->guard_us ? b->guard_us : UINT64_MAX;
}
uint32_t registrar_walk(struct shard *s, uint32_t from, uint32_t max, struct strbuf *room,
			void (*row)(void *arg, const struct registrar_row *r), void *arg)
{
	return max < s->link->h->bindings && from < s->link->h->bindings - max ? from + max
									       : LINK_NONE;
}
uint32_t registrar_lookup(struct shard *s, struct str aor, uint64_t now_us, struct strbuf *room,
			  struct registrar_contact *out, uint32_t max)
{
	return 0;
}

static struct world *world_once(void)
{
	static struct conf conf;
	static struct link link;
	static struct shard shard, *shards[1] = {&shard};
	static struct world world;
	struct link_geometry g = {.n_cores = 1, .n_shards = 1, .conf = &conf};

	if (world.link != NULL)
		return &world;
	conf_defaults(&conf);
	for (int i = 0; i < CONF_CLASSES; i++)
		conf.slots[i] = 4;
	conf.transactions = conf.branches = conf.bindings = conf.edit_blocks = conf.ring_records =
		64;
	if (link_region_make(&g, false, CONF_AUTO, 1, &link) != 0)
		abort();
	shard.link = &link;
	world = (struct world){.shards = shards, .n_shards = 1, .link = &link};
	for (uint32_t i = 0; i < 3; i++) {
		*(uint32_t *)link_at(&link, LINK_S_TXN_USED, i) = 3;
		((struct link_txn *)link_at(&link, LINK_S_TXNS, i))->branch = LINK_NONE;
	}
	return &world;
}

static void work(struct rpc *r, struct text *answers)
{
	uint64_t now_us = 1000000;

	for (int n = 0; rpc_next_us(r) != UINT64_MAX || rpc_output(r).len > 0; n++) {
		struct str out;

		if (n == PIECES_MAX)
			abort();
		now_us = rpc_next_us(r) > now_us && rpc_next_us(r) != UINT64_MAX ? rpc_next_us(r)
										 : now_us + 1;
		(void)rpc_step(r, now_us);
		out = rpc_output(r);
		if (r->line != NULL)
			continue;
		text_put(answers, out);
		rpc_sent(r, out.len);
	}
}

static void converse(const uint8_t *data, size_t size, size_t piece, struct text *answers)
{
	static struct rpc r;

	rpc_init(&r, world_once(), 0, 0);
	for (size_t at = 0; at < size; at += piece) {
		uint32_t room, n = (uint32_t)(size - at < piece ? size - at : piece);
		char *to = rpc_room(&r, &room);

		if (n > room)
			break;
		memcpy(to, data + at, n);
		rpc_fed(&r, n);
		work(&r, answers);
	}
	rpc_end(&r);
	work(&r, answers);
	if (!rpc_over(&r))
		abort();
	rpc_fini(&r);
}

static void check_lines(struct str answers)
{
	while (answers.len > 0) {
		struct str line;
		json_t *v;

		if (!str_split(answers, '\n', &line, &answers))
			abort();
		v = json_loadb(line.s, line.len, JSON_ALLOW_NUL, NULL);
		if (v == NULL)
			abort();
		json_decref(v);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct text whole = text_of(64u << 20), pieces = text_of(64u << 20);

	/* these would act on the test itself; an escape in the name would be another test's find */
	if (memmem(data, size, "shutdown", 8) != NULL ||
	    memmem(data, size, "set_level", 9) != NULL || memmem(data, size, "\\u", 2) != NULL ||
	    memmem(data, size, "uptime", 6) != NULL)
		return 0;
	converse(data, size, 65535, &whole);
	if (!whole.full)
		check_lines(text_str(&whole));
	if (size <= SMALL_MAX && memmem(data, size, "cores", 5) == NULL) {
		converse(data, size, 1, &pieces);
		if (!str_eq(text_str(&whole), text_str(&pieces)) &&
		    memmem(data, size, "tm.list", 7) == NULL)
			abort();
	}
	text_free(&whole);
	text_free(&pieces);
	return 0;
}
