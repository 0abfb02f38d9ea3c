/* SPDX-License-Identifier: Apache-2.0 */
/* Kill control at every store of a transaction's life and let the next process go on.
 *
 * One unkilled run of the scenario counts the kill points it passes and notes what was sent. Then the
 * scenario runs once for each point (or each N-th), with control killed exactly there: what was sent
 * over both lives must be octet for octet what one life sends, every identity must hold, and every
 * pool must be back at its start. Points that exist but were never hit fail the run.
 *
 *   sim_kill [--every N] [--break intent|reclaim]
 * break: the successor ignores a valid intent; slots that nobody needs are not given back.
 * N is 5, or 1 where SLUICE_LONG is set and not 0. */
#include "platform/link/kill.h"
#include "tests/sim/appliance/scenario.h"

#include <stdio.h>
#include <stdlib.h>

struct result {
	uint64_t digest, points;
	uint32_t sent, deaths;
};

static struct result run(uint64_t die_at)
{
	struct app *a = malloc(sizeof(*a));
	struct result r;

	if (a == NULL)
		abort();
	kill_board->passed = 0;
	kill_board->die_at = die_at;
	app_conf(a);
	app_start(a);
	app_child_start(a);
	scenario_run(a);
	app_audit(a, true);
	r = (struct result){ scenario_digest(a), kill_board->passed, a->n_sent, a->deaths };
	app_child_stop(a);
	app_stop(a);
	free(a);
	return r;
}

static int points_report(void)
{
	int unhit = 0;

	for (int i = 0; i < KILL_NAMES_MAX && kill_board->name[i].text[0] != '\0'; i++) {
		const struct kill_name *k = &kill_board->name[i];

		printf("  %-24s killed %lu times\n", k->text, k->died);
		unhit += k->died == 0;
	}
	if (unhit > 0)
		printf("FAIL: %d kill points were never hit\n", unhit);
	return unhit;
}

int main(int argc, char **argv)
{
	const char *all = getenv("SLUICE_LONG");
	uint64_t every = all != NULL && strcmp(all, "0") != 0 ? 1 : 5, runs = 0, failed = 0;
	struct result whole;

	for (int i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--every") == 0)
			every = strtoul(argv[i + 1], NULL, 10);
		else if (strcmp(argv[i], "--break") == 0 && strcmp(argv[i + 1], "intent") == 0)
			kill_broken = KILL_BREAK_INTENT;
		else if (strcmp(argv[i], "--break") == 0 && strcmp(argv[i + 1], "reclaim") == 0)
			kill_broken = KILL_BREAK_RECLAIM;
		else
			return 64;
	}
	kill_board_new();
	whole = run(0);
	printf("unkilled: %lu kill points passed, %u datagrams sent\n", whole.points, whole.sent);
	for (uint64_t at = 1; at <= whole.points; at += every) {
		struct result r = run(at);

		runs++;
		if (r.deaths == 1 && r.digest == whole.digest && r.sent == whole.sent)
			continue;
		if (failed++ < 5)
			printf("schedule failed: killed at point %lu: %u deaths, %u datagrams (%u unkilled)%s\n", at,
			       r.deaths, r.sent, whole.sent,
			       r.digest == whole.digest ? "" : ", other octets");
	}
	printf("%lu runs, each with one death: %lu differ from the unkilled run\n", runs, failed);
	if (runs == 0)
		printf("FAIL: no kill point was passed: is this built with LINK_KILL_POINTS?\n");
	return failed > 0 || runs == 0 || points_report() > 0 ? 1 : 0;
}
