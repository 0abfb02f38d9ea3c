/* SPDX-License-Identifier: Apache-2.0 */
/* sluice-control: arguments -> configuration -> attach -> loops.
 *
 * It knocks at the dataplane's door until it is let in (another control may still be there, or just
 * be taken leave of), compares configurations, and runs its shards. Killed at any instant, its
 * successor goes on where it stood. */
#include "control/admin/admin.h"
#include "control/shard.h"
#include "platform/base/clock.h"
#include "platform/base/log.h"
#include "platform/base/notify.h"
#include "platform/link/door.h"
#include "platform/link/places.h"
#include "platform/link/version.h"
#include "platform/sip/lex.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#define KNOCK_EVERY_US 2000
#define KNOCK_SAY_US 5000000
#define RPC_EVERY 64 /* passes between looks at the RPC descriptor while busy */

static _Atomic bool stop;
static struct conf conf;
static struct link region = { .fd = -1 };
static int bell[DOOR_FDS_MAX];
static uint32_t epoch;
static int door = -1;

static void usage(void)
{
	printf("sluice-control: transactions, registrar and routing of Sluice, beside sluice-dataplane\n"
	       "  --config FILE   the configuration (required; the same as the dataplane's)\n"
	       "  --run-dir DIR   sockets; instead of node.run_dir\n"
	       "  --version  --help\n"
	       "example: sluice-control --config etc/lab.cfg\n"
	       "exit: 0 ended as asked, 69 no dataplane, 71 no memory, 77 refused, 78 configuration\n");
}

static void on_signal(int sig)
{
	(void)sig;
	if (atomic_exchange(&stop, true))
		_exit(1); /* asked twice */
}

static int load(const char *path, const char *run_dir)
{
	static struct conf_report report;

	if (conf_read(path, &conf, &report) != 0) {
		fprintf(stderr, "%.*ssluice-control: %u complaint%s about %s; nothing was started\n",
			(int)report.len, report.text, report.complaints,
			report.complaints == 1 ? "" : "s", path);
		return EXIT_CONFIG;
	}
	if (run_dir != NULL)
		(void)str_to_c(str_from_c(run_dir), conf.run_dir, sizeof(conf.run_dir));
	if (conf.shards != 1) {
		fprintf(stderr, "sluice-control: cores.shards = %u: this version serves one shard; set it "
				"to 1\n", conf.shards);
		return EXIT_CONFIG;
	}
	return 0;
}

/* Nothing here needs root. As the dataplane's user we are one that it may fence. */
static int become_user(void)
{
	char text[256];
	struct strbuf why = strbuf_of(text, sizeof(text));

	if (places_become(conf.user, &why) == 0)
		return 0;
	fprintf(stderr, "sluice-control: %.*s\n", (int)why.len, why.s);
	return EXIT_NO_RIGHT;
}

/* Until we are let in. A refusal for good (layout, rights) ends the program. */
static int attach(void)
{
	char path[CONF_TEXT_MAX + 32], text[512];
	uint64_t said_us = 0;

	(void)snprintf(path, sizeof(path), "%s/dataplane.sock", conf.run_dir);
	while (!atomic_load(&stop)) {
		struct strbuf why = strbuf_of(text, sizeof(text));
		int err = door_knock(path, conf.shards, 60000, &region, bell, &epoch, &door, &why);

		if (err == 0)
			return 0;
		if (err == -E_VERSION || err == -E_REFUSED) {
			fprintf(stderr, "sluice-control: %.*s\n", (int)why.len, why.s);
			return EXIT_NO_RIGHT;
		}
		if (clock_now_us() - said_us > KNOCK_SAY_US) {
			said_us = clock_now_us();
			LOG(LOG_WARN, "control", "waiting", "%s", log_quote(strbuf_str(&why)));
		}
		usleep(KNOCK_EVERY_US);
	}
	return EXIT_NO_DEVICE;
}

static int compare_conf(void)
{
	const struct conf *theirs = link_conf(&region);
	char text[1024];
	struct strbuf names = strbuf_of(text, sizeof(text));
	struct conf mine = conf;

	memcpy(mine.run_dir, theirs->run_dir, sizeof(mine.run_dir)); /* --run-dir may differ in form */
	if (conf_hash(&mine) == conf_hash(theirs) || conf_diff(&mine, theirs, &names) == 0)
		return 0;
	fprintf(stderr, "sluice-control: the dataplane runs with other values of: %.*s; start both on "
			"the same file\n", (int)names.len, names.s);
	return EXIT_CONFIG;
}

static void run_on(uint32_t cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		LOG(LOG_WARN, "control", "cpu_not_set", "cpu=%u errno=%d", cpu, errno);
}

static bool has_work(void *arg)
{
	struct shard *s = arg;

	for (uint32_t core = 0; core < s->link->h->n_cores; core++) {
		if (link_count(&s->up[core]) > 0)
			return true;
	}
	return atomic_load_explicit(&stop, memory_order_relaxed);
}

static bool dataplane_gone(void)
{
	struct pollfd p = { .fd = door, .events = 0 };

	return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR)) != 0;
}

static int64_t wall_offset_s(uint64_t now_us)
{
	return (int64_t)clock_wall_s() - (int64_t)(now_us / 1000000);
}

/* The loop of shard 0, which also serves RPC and watches the door. ret exit code */
static int loop(struct shard *s, struct admin *admin)
{
	uint32_t passes = 0;

	idle_init(&s->idle, bell[region.h->n_cores], &s->loop->sleeping, false, clock_now_us());
	s->wall_offset_s = wall_offset_s(clock_now_us());
	(void)idle_add_fd(&s->idle, admin_fd(admin));
	(void)idle_add_fd(&s->idle, door);
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		uint64_t now_us = clock_now_us();
		bool worked = shard_step(s, now_us), ready;

		shard_wake(s);
		atomic_fetch_add_explicit(&s->loop->progress, 1, memory_order_relaxed);
		atomic_store_explicit(&s->loop->busy_cycles, s->idle.busy_cycles, memory_order_relaxed);
		atomic_store_explicit(&s->loop->idle_cycles, s->idle.idle_cycles, memory_order_relaxed);
		ready = idle_pass(&s->idle, worked, now_us, shard_next_us(s), has_work, s);
		if (!ready && ++passes % RPC_EVERY != 0)
			continue;
		(void)admin_step(admin, now_us);
		s->wall_offset_s = wall_offset_s(now_us);
		if (dataplane_gone()) {
			LOG(LOG_WARN, "control", "dataplane_gone", "epoch=%u", epoch);
			return EXIT_NO_DEVICE;
		}
	}
	return 0;
}

static int serve(void)
{
	char text[512];
	struct strbuf why = strbuf_of(text, sizeof(text));
	struct shard *s;
	struct admin *admin;
	int code;

	run_on(link_shard_loop(&region, 0)->cpu);
	s = shard_new(&region, 0, bell, clock_now_us());
	if (s == NULL) {
		fprintf(stderr, "sluice-control: no memory for a shard\n");
		return EXIT_NO_MEMORY;
	}
	admin = admin_new(conf.run_dir, &s, 1, &why);
	if (admin == NULL) {
		fprintf(stderr, "sluice-control: %.*s\n", (int)why.len, why.s);
		shard_free(s);
		return EXIT_NO_RIGHT;
	}
	LOG(LOG_NOTICE, "control", "ready", "pid=%d epoch=%u run=%lu simd=%s", getpid(), epoch, region.h->run,
	    lex_init());
	notify_supervisor("READY=1");
	code = loop(s, admin);
	admin_free(admin);
	shard_free(s);
	LOG(LOG_NOTICE, "control", "ended", "pid=%d", getpid());
	return code;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' }, { "run-dir", required_argument, NULL, 'r' },
		{ "version", no_argument, NULL, 'v' },	     { "help", no_argument, NULL, 'h' }, { 0 },
	};
	struct sigaction sa = { .sa_handler = on_signal };
	const char *config = NULL, *run_dir = NULL;
	char text[1024];
	struct strbuf b = strbuf_of(text, sizeof(text));
	int o, code;

	while ((o = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		switch (o) {
		case 'c': config = optarg; break;
		case 'r': run_dir = optarg; break;
		case 'v':
			version_print("sluice-control", NULL, &b);
			printf("%.*s", (int)b.len, b.s);
			return 0;
		case 'h': usage(); return 0;
		default: usage(); return 64;
		}
	}
	if (config == NULL || optind < argc) {
		usage();
		return 64;
	}
	code = load(config, run_dir);
	if (code != 0)
		return code;
	log_init("sluice-control", LOG_NOTICE);
	(void)sigaction(SIGTERM, &sa, NULL);
	(void)sigaction(SIGINT, &sa, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)prctl(PR_SET_NAME, "sl-shard-0");
	code = become_user();
	if (code == 0)
		code = attach();
	if (code == 0)
		code = compare_conf();
	if (code == 0)
		code = serve();
	return code;
}
