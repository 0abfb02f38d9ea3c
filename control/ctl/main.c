/* SPDX-License-Identifier: Apache-2.0 */
/* sluicectl: the operator's hand on the command line.
 *
 * A name is a call on the control socket, whatever it is: the list of calls is the server's, so a new
 * one needs nothing here. Only check, parse and doctor are done by this program itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/ctl/ctl.h"
#include "platform/base/str.h"
#include "platform/link/version.h"

static const char help[] =
	"sluicectl - look at a running Sluice, and change it\n"
	"\n"
	"  sluicectl [--socket PATH] NAME [ARGUMENT...] [--json] [--all]\n"
	"\n"
	"NAME is a call; rpc.list shows all of them. Arguments stand in order, or as name=value. "
	"What\n"
	"looks like a number is sent as one; s:TEXT is always text.\n"
	"\n"
	"  --socket PATH  the control socket ($SLUICE_SOCKET, else " CTL_SOCKET ")\n"
	"  --json         the answer as JSON in one line, for programs\n"
	"  --all          every page of a listing, not only the first\n"
	"\n"
	"Without a running Sluice:\n"
	"  check FILE [RATE]  check a configuration; what rate its memory fits, or whether RATE\n"
	"                     transactions a second do\n"
	"  parse FILE|-       what the SIP parser sees in a message, or where it is wrong\n"
	"  doctor [FILE]      is this machine ready, also for the ports of a configuration?\n"
	"\n"
	"Examples:\n"
	"  sluicectl core.uptime\n"
	"  sluicectl drops\n"
	"  sluicectl cores over_ms=1000\n"
	"  sluicectl tm.list older=32\n"
	"  sluicectl ul.lookup alice@example.com\n"
	"  sluicectl ul.dump limit=500 --all\n"
	"  sluicectl stats.get_statistics sip: txn:\n"
	"  sluicectl audit --json\n"
	"  sluicectl log.set_level control debug\n"
	"  sluicectl check /etc/sluice/sluice.cfg 2000\n"
	"\n"
	"Exit: 0 good; 1 the call, the check or the audit says no; 64 wrong usage; 69 nobody "
	"listens at\n"
	"the socket; 77 no right to it.\n";

static const struct {
	const char *name;
	int (*run)(const struct ctl *c);
} own[] = {
	{"check", ctl_check},
	{"parse", ctl_parse},
	{"doctor", ctl_doctor},
};

static void print_version(void)
{
	char room[512];
	struct strbuf b = strbuf_of(room, sizeof(room));

	version_print("sluicectl", NULL, &b);
	fwrite(b.s, 1, b.len, stdout);
}

/* Takes the options out of the arguments. ret whether they are right */
static bool take_options(struct ctl *c, int argc, char **argv)
{
	bool words = false; /* after "--" nothing is an option */

	for (int i = 1; i < argc; i++) {
		if (words || argv[i][0] != '-' || argv[i][1] == '\0') {
			c->arg[c->n_args++] = argv[i];
		} else if (strcmp(argv[i], "--") == 0) {
			words = true;
		} else if (strcmp(argv[i], "--json") == 0) {
			c->json = true;
		} else if (strcmp(argv[i], "--all") == 0) {
			c->all = true;
		} else if (strcmp(argv[i], "--socket") == 0 && i + 1 < argc) {
			c->socket = argv[++i];
		} else if (strncmp(argv[i], "--socket=", 9) == 0) {
			c->socket = argv[i] + 9;
		} else {
			fprintf(stderr,
				"sluicectl: %s: no such option, or its value is missing; see "
				"--help\n",
				argv[i]);
			return false;
		}
	}
	return true;
}

static int run(struct ctl *c, const char *name)
{
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		if (strcmp(name, own[i].name) == 0)
			return own[i].run(c);
	}
	return ctl_call(c, name);
}

int main(int argc, char **argv)
{
	const char *socket = getenv("SLUICE_SOCKET");
	struct ctl c = {.socket = socket != NULL && socket[0] != '\0' ? socket : CTL_SOCKET};
	int code = CTL_USAGE;

	if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		fputs(help, stdout);
		return 0;
	}
	if (argc > 1 && strcmp(argv[1], "--version") == 0) {
		print_version();
		return 0;
	}
	c.arg = calloc((size_t)argc + 1, sizeof(*c.arg));
	if (c.arg == NULL || !take_options(&c, argc, argv))
		goto out;
	if (c.n_args == 0) {
		fputs(help, stderr);
		goto out;
	}
	c.n_args--;
	c.arg++;
	code = run(&c, c.arg[-1]);
	c.arg--;
	if (fflush(stdout) != 0 && code == 0)
		code = 1;
out:
	free(c.arg);
	return code;
}
