/* SPDX-License-Identifier: Apache-2.0 */
/* sluicectl check: every complaint about a configuration, and whether its memory is enough.
 *
 * A transaction's record is held for as long as retransmissions may come (RFC 3261 §17: timers J, H,
 * L and M, hold_ms here), a branch's for D or K after its final response, a message's slot until
 * the final response. So a pool of n elements carries n / hold of them a second, and a rate needs
 * rate x hold x bytes of memory. The reserve is left out: it is kept for work inside dialogs. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/ctl/ctl.h"
#include "platform/base/conf.h"
#include "platform/link/region.h"
#include "platform/link/slot.h"
#include "platform/rt/buffers.h"

#define RATE_MAX 100000000
#define POOLS_MAX 8
/* Until the final response: nearly all come at once, an INVITE rings for ten seconds or so. */
#define ANSWER_MS 4000

struct pool {
	const char *name, *key;	   /* key: of the configuration that makes it larger */
	uint64_t total, bytes;	   /* elements that new work may use; octets of one  */
	uint32_t hold_ms, percent; /* of requests that need one                   */
	double rate;		   /* transactions a second that fit                 */
};

static uint32_t larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static void pool_add(struct pool *p, uint32_t *n, const struct conf *c, struct pool what)
{
	what.total = what.total * (100 - c->reserve_percent) / 100;
	/* a transaction lives at least for a round trip, whatever hold_ms is */
	what.hold_ms = larger(what.hold_ms, c->t1_ms);
	what.rate = (double)what.total * 1000.0 / what.hold_ms * 100.0 / what.percent;
	p[(*n)++] = what;
}

/* Messages are taken to fit 1 or 2 KiB, as nearly all do; each relayed transaction has one branch. */
static uint32_t pools_of(const struct conf *c, struct pool *p)
{
	uint64_t slot_bytes = 2048 + link_slot_head_bytes(64);
	uint32_t client_ms = larger(c->timer_d_ms, c->t4_ms), n = 0;
	uint64_t slots = (uint64_t)c->slots[0] + c->slots[1] + c->slots[2];

	pool_add(p, &n, c,
		 (struct pool){.name = "transactions",
			       .key = "memory.transactions",
			       .total = (uint64_t)c->transactions * c->shards,
			       .bytes = sizeof(struct link_txn),
			       .hold_ms = c->hold_ms,
			       .percent = 100});
	pool_add(p, &n, c,
		 (struct pool){.name = "branches",
			       .key = "memory.branches",
			       .total = (uint64_t)c->branches * c->shards,
			       .bytes = sizeof(struct link_branch),
			       .hold_ms = client_ms,
			       .percent = 100});
	pool_add(p, &n, c,
		 (struct pool){.name = "messages",
			       .key = "memory.slots_1k .. slots_4k",
			       .total = slots * c->polled,
			       .bytes = slot_bytes,
			       .hold_ms = ANSWER_MS,
			       .percent = 100});
	/* a reply and a forwarded request are kept as programs of about two blocks each */
	pool_add(p, &n, c,
		 (struct pool){.name = "edit blocks",
			       .key = "memory.edit_blocks",
			       .total = (uint64_t)c->edit_blocks * c->shards,
			       .bytes = sizeof(struct link_block),
			       .hold_ms = c->hold_ms,
			       .percent = 400});
	return n;
}

static uint64_t needed(const struct pool *p, uint64_t rate)
{
	return rate * p->hold_ms / 1000 * p->percent / 100;
}

static void warn(json_t *warnings, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void warn(json_t *warnings, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	json_array_append_new(warnings, json_vsprintf(fmt, ap));
	va_end(ap);
}

static json_t *pool_rows(const struct pool *p, uint32_t n, uint64_t rate, json_t *warnings)
{
	json_t *rows = json_array();

	for (uint32_t i = 0; i < n; i++) {
		json_t *row = json_pack("{ss sI sI si sI}", "pool", p[i].name, "usable",
					(json_int_t)p[i].total, "bytes_each",
					(json_int_t)p[i].bytes, "hold_ms", (int)p[i].hold_ms,
					"rate_per_s", (json_int_t)p[i].rate);

		json_array_append_new(rows, row);
		if (rate == 0)
			continue;
		json_object_set_new(row, "needed", json_integer((json_int_t)needed(&p[i], rate)));
		json_object_set_new(
			row, "needed_mib",
			json_integer((json_int_t)(needed(&p[i], rate) * p[i].bytes >> 20)));
		if (needed(&p[i], rate) > p[i].total)
			warn(warnings, "%lu/s need %lu %s, %lu are usable: raise %s", rate,
			     needed(&p[i], rate), p[i].name, p[i].total, p[i].key);
	}
	return rows;
}

static void check_memory(const struct conf *c, json_t *out, json_t *warnings)
{
	struct link_geometry g = {.n_cores = c->polled, .n_shards = c->shards, .conf = c};
	uint64_t node[RT_NODES_MAX] = {0}, buffers = 0, link = link_region_bytes(&g);

	rt_buffers_plan(c, 0, node);
	for (int i = 0; i < RT_NODES_MAX; i++)
		buffers += node[i];
	json_object_set_new(out, "link_mib",
			    json_integer((json_int_t)((link + (1 << 20) - 1) >> 20)));
	json_object_set_new(out, "buffers_mib",
			    json_integer((json_int_t)((buffers + (1 << 20) - 1) >> 20)));
	json_object_set_new(out, "huge_mib", json_integer(c->huge_mib));
	if (link + buffers > (uint64_t)c->huge_mib << 20)
		warn(warnings, "link region and packet buffers take %lu MiB, memory.huge_mib is %u",
		     (link + buffers + (1 << 20) - 1) >> 20, c->huge_mib);
}

/* Phones refresh at half of what they were given (RFC 3261 §10.2.4 leaves it to them; most do). */
static void check_refreshes(const struct conf *c, double rate, json_t *out, json_t *warnings)
{
	uint64_t bindings = (uint64_t)c->bindings * c->shards;
	double refreshes = (double)bindings * 2.0 / larger(c->expires_default_s, 1);

	json_object_set_new(out, "refreshes_per_s", json_integer((json_int_t)refreshes));
	if (refreshes > rate)
		warn(warnings,
		     "%lu bindings refreshed every %u s are %.0f REGISTERs a second, more than the "
		     "%.0f "
		     "transactions that fit",
		     bindings, c->expires_default_s / 2, refreshes, rate);
}

static json_t *figures(const struct conf *c, uint64_t rate)
{
	struct pool p[POOLS_MAX];
	uint32_t n = pools_of(c, p), least = 0;
	json_t *out = json_object(), *warnings = json_array();

	for (uint32_t i = 1; i < n; i++) {
		if (p[i].rate < p[least].rate)
			least = i;
	}
	check_memory(c, out, warnings);
	json_object_set_new(out, "rate_per_s", json_integer((json_int_t)p[least].rate));
	json_object_set_new(out, "bounded_by", json_string(p[least].name));
	check_refreshes(c, p[least].rate, out, warnings);
	json_object_set_new(out, "pools", pool_rows(p, n, rate, warnings));
	json_object_set_new(out, "warnings", warnings);
	return out;
}

static json_t *complaint_lines(const struct conf_report *r)
{
	struct str rest = str_of(r->text, r->len), line;
	json_t *lines = json_array();

	while (rest.len > 0) {
		json_t *v;

		(void)str_split(rest, '\n', &line, &rest);
		v = json_stringn(line.s, line.len);
		json_array_append_new(lines,
				      v ? v : json_string("(a complaint that is not UTF-8)"));
	}
	return lines;
}

static void print(const struct ctl *c, json_t *out, const char *path, const struct conf_report *r,
		  bool good)
{
	if (c->json) {
		json_dumpf(out, stdout, JSON_COMPACT);
		putchar('\n');
	} else if (good) {
		printf("%s: good\n", path);
		view_print("check", out);
	} else {
		fwrite(r->text, 1, r->len, stderr);
		fprintf(stderr, "%s: %u %s\n", path, r->complaints,
			r->complaints == 1 ? "complaint" : "complaints");
	}
}

int ctl_check(const struct ctl *c)
{
	struct conf *conf = calloc(1, sizeof(*conf));
	struct conf_report *r = calloc(1, sizeof(*r));
	json_t *out = NULL;
	uint64_t rate = 0;
	int code = CTL_USAGE;
	bool good;

	if (conf == NULL || r == NULL || c->n_args < 1 || c->n_args > 2 ||
	    (c->n_args == 2 && str_to_u64(str_from_c(c->arg[1]), RATE_MAX, &rate) != 0)) {
		fprintf(stderr, "usage: sluicectl check FILE [RATE]\n");
		goto out;
	}
	good = conf_read(c->arg[0], conf, r) == 0;
	out = good ? figures(conf, rate) : json_object();
	json_object_set_new(out, "ok", json_boolean(good));
	json_object_set_new(out, "complaints", complaint_lines(r));
	if (good && !c->json) {
		json_object_del(out, "ok");
		json_object_del(out, "complaints");
	}
	print(c, out, c->arg[0], r, good);
	code = good ? 0 : 1;
out:
	json_decref(out);
	free(conf);
	free(r);
	return code;
}
