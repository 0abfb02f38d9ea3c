/* SPDX-License-Identifier: Apache-2.0 */
/* The transaction simulator's program.
 *
 *   sim_txn [--schedules N] [--seed S] [--break RULE] [--verbose]
 *
 * Runs schedules of the seeds S, S+1, ... and stops at the first in which a property does not hold.
 * With --seed alone that one schedule is run. A run of COVERAGE_FROM schedules or more must also
 * take every arrow of the four figures. --break switches one rule of the machines off; then a
 * schedule is expected to fail, and arrows are not looked at.
 * Exit: 0 all held, 1 a property or an arrow failed, 2 bad arguments. */
#include "tests/sim/txn/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCHEDULES 10000
#define COVERAGE_FROM 2000
#define ARROWS_MAX 128

static const char *const rules[TXN_BREAKS] = {
	[TXN_BREAK_NONE] = "none",	 [TXN_BREAK_ACK_ABSORB] = "ack_absorb",
	[TXN_BREAK_TIMER_K] = "timer_k", [TXN_BREAK_ACCEPTED] = "accepted",
	[TXN_BREAK_TIMER_H] = "timer_h", [TXN_BREAK_TIMER_G] = "timer_g",
};

struct options {
	uint64_t seed, schedules;
	bool verbose;
};

static bool read_number(const char *text, uint64_t *out)
{
	char *end;

	*out = strtoull(text, &end, 10);
	return *text >= '0' && *text <= '9' && *end == '\0';
}

static bool read_rule(const char *text)
{
	for (int i = 0; i < TXN_BREAKS; i++) {
		if (strcmp(text, rules[i]) != 0)
			continue;
		txn_broken = i;
		return true;
	}
	return false;
}

static bool read_options(struct options *o, int argc, char **argv)
{
	bool one = false, many = false;

	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";
		bool ok;

		if (strcmp(argv[i], "--verbose") == 0) {
			o->verbose = true;
			continue;
		}
		if (strcmp(argv[i], "--schedules") == 0)
			ok = many = read_number(value, &o->schedules);
		else if (strcmp(argv[i], "--seed") == 0)
			ok = one = read_number(value, &o->seed);
		else
			ok = strcmp(argv[i], "--break") == 0 && read_rule(value);
		if (!ok)
			return false;
		i++;
	}
	if (one && !many)
		o->schedules = 1;
	return true;
}

/* Returns how many arrows were never taken. */
static unsigned print_arrows(const uint64_t *hits)
{
	unsigned missed = 0;

	for (unsigned i = 0; i < txn_n_arrows; i++) {
		printf("%-62s %10llu%s\n", txn_arrows[i].text, (unsigned long long)hits[i],
		       hits[i] ? "" : "  NEVER");
		missed += hits[i] == 0;
	}
	return missed;
}

int main(int argc, char **argv)
{
	static struct sim sim;
	static uint64_t hits[ARROWS_MAX];
	struct options o = {.seed = 1, .schedules = SCHEDULES};
	uint64_t n_events = 0, n_resent = 0, n_strict = 0;

	if (!read_options(&o, argc, argv) || txn_n_arrows > ARROWS_MAX) {
		fprintf(stderr, "sim_txn [--schedules N] [--seed S] [--break RULE] [--verbose]\n");
		return 2;
	}
	txn_arrow_hits = hits;
	for (uint64_t i = 0; i < o.schedules; i++) {
		if (!schedule_run(&sim, o.seed + i, o.verbose)) {
			printf("schedule failed: %s\nreplay: --seed %llu --break %s --verbose\n",
			       sim.why, (unsigned long long)(o.seed + i), rules[txn_broken]);
			return 1;
		}
		n_events += sim.w.n_run;
		n_resent += sim.n_resent;
		n_strict += sim.strict;
	}
	unsigned missed = print_arrows(hits);

	printf("%llu schedules, %llu of them strict, %llu events, %llu messages repeated, "
	       "%u arrows never taken\n",
	       (unsigned long long)o.schedules, (unsigned long long)n_strict,
	       (unsigned long long)n_events, (unsigned long long)n_resent, missed);
	return missed && o.schedules >= COVERAGE_FROM && txn_broken == TXN_BREAK_NONE ? 1 : 0;
}
