/* SPDX-License-Identifier: Apache-2.0 */
/* sluice-dataplane: arguments -> configuration -> memory -> ports -> cores; nothing else. */
#include "dataplane/core.h"
#include "dataplane/service.h"
#include "drivers/port/ethdev.h"
#include "platform/base/clock.h"
#include "platform/base/log.h"
#include "platform/base/notify.h"
#include "platform/link/places.h"
#include "platform/link/version.h"
#include "platform/rt/buffers.h"
#include "platform/rt/eal.h"
#include "platform/rt/pages.h"
#include "platform/sip/lex.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

static _Atomic bool stop;
static struct conf conf;
static struct port ports[CONF_PORTS_MAX];
static struct port *port_list[CONF_PORTS_MAX];
static struct link region = { .fd = -1 };
static struct service service;

static void usage(void)
{
	printf("sluice-dataplane: the polled side of Sluice; owns ports, connections and the link region\n"
	       "  --config FILE      the configuration (required)\n"
	       "  --run-dir DIR      sockets; instead of node.run_dir\n"
	       "  --print-defaults   every key with its default, bounds and meaning\n"
	       "  --version  --help\n"
	       "example: sluice-dataplane --config etc/lab.cfg\n"
	       "exit: 0 ended as asked, 69 no device, 71 no memory, 77 no right, 78 configuration\n");
}

static void on_signal(int sig)
{
	(void)sig;
	if (atomic_exchange(&stop, true))
		_exit(1); /* asked twice */
}

static int fail(int code, const char *what, const struct strbuf *why)
{
	fprintf(stderr, "sluice-dataplane: %s: %.*s\n", what, (int)why->len, why->s);
	return code;
}

static int print_version(void)
{
	char text[1024];
	struct strbuf b = strbuf_of(text, sizeof(text));

	version_print("sluice-dataplane", rt_dpdk_version(), &b);
	printf("%.*s", (int)b.len, b.s);
	return 0;
}

static int print_defaults(void)
{
	static char text[65536];
	struct strbuf b = strbuf_of(text, sizeof(text));

	conf_print_defaults(&b);
	printf("%.*s", (int)b.len, b.s);
	return 0;
}

static int load(const char *path, const char *run_dir)
{
	static struct conf_report report;

	if (conf_read(path, &conf, &report) != 0) {
		fprintf(stderr, "%.*ssluice-dataplane: %u complaint%s about %s; nothing was started\n",
			(int)report.len, report.text, report.complaints,
			report.complaints == 1 ? "" : "s", path);
		return EXIT_CONFIG;
	}
	if (run_dir != NULL)
		(void)str_to_c(str_from_c(run_dir), conf.run_dir, sizeof(conf.run_dir));
	if (conf.n_ports == 0 || conf.n_listeners == 0) {
		fprintf(stderr, "sluice-dataplane: %s names no port or no listener: nothing to serve\n",
			path);
		return EXIT_CONFIG;
	}
	if (conf.polled != 1 || conf.shards != 1) {
		fprintf(stderr, "sluice-dataplane: cores.polled = %u, cores.shards = %u: this version serves "
				"one of each; set both to 1\n", conf.polled, conf.shards);
		return EXIT_CONFIG;
	}
	return 0;
}

/* Folders and the lock that keeps a second dataplane out. */
static int take_place(struct strbuf *why, uint64_t *run)
{
	int err = places_make_for(conf.run_dir, conf.user);

	if (err == 0)
		err = places_make_for(conf.state_dir, conf.user);
	if (err == 0)
		err = places_lock(conf.run_dir, "dataplane");
	if (err == 0)
		err = places_next_run(conf.state_dir, run);
	if (err == -E_REFUSED)
		strbuf_printf(why, "another sluice-dataplane runs in %s; stop it, or use --run-dir",
			      conf.run_dir);
	else if (err == -E_NOT_FOUND)
		strbuf_printf(why, "node.user %s does not exist; make it or leave node.user empty",
			      conf.user);
	else if (err != 0)
		strbuf_printf(why, "%s or %s: %s", conf.run_dir, conf.state_dir, err_text(err));
	return err;
}

/* Region and packet buffers together, asked for before anything is taken: against the ceiling of
 * memory.huge_mib and against what is free, so that one message tells all that lacks. */
static int check_memory(const struct rt_roles *roles, struct strbuf *why)
{
	struct link_geometry g = { roles->n_polled, roles->n_shards, &conf };
	uint64_t node[RT_NODES_MAX] = { 0 }, region_bytes = link_region_bytes(&g), buffers = 0;
	uint32_t near = rt_cpu_node(roles->polled_cpu[0]);
	struct rt_pages pages;

	rt_buffers_plan(&conf, roles->polled_cpu[0], node);
	for (uint32_t i = 0; i < RT_NODES_MAX; i++)
		buffers += node[i];
	if (region_bytes + buffers > (uint64_t)conf.huge_mib << 20) {
		strbuf_printf(why,
			      "the link region (%lu MiB) and packet buffers (%lu MiB) are more than "
			      "memory.huge_mib = %u; make tables of the memory group smaller or raise it",
			      region_bytes >> 20, buffers >> 20, conf.huge_mib);
		return EXIT_CONFIG;
	}
	if (rt_pages_read("/sys", near, &pages) == 0 &&
	    pages.free_bytes < region_bytes + (near < RT_NODES_MAX ? node[near] : 0)) {
		strbuf_printf(why, "the link region (%lu MiB) and packet buffers (%lu MiB) lie in huge pages: ",
			      region_bytes >> 20, buffers >> 20);
		rt_pages_advise(&pages, near, region_bytes + (near < RT_NODES_MAX ? node[near] : 0), why);
		return EXIT_NO_MEMORY;
	}
	return 0;
}

static int open_ports(struct strbuf *why)
{
	for (uint32_t i = 0; i < conf.n_ports; i++) {
		if (port_ethdev_open(&conf, i, &ports[i], why) != 0)
			return -E_NOT_FOUND;
		port_list[i] = &ports[i];
	}
	return 0;
}

static int make_region(uint64_t run, const struct rt_roles *roles, struct strbuf *why)
{
	struct link_geometry g = { roles->n_polled, roles->n_shards, &conf };
	char text[256];
	struct strbuf bought = strbuf_of(text, sizeof(text));
	int err = link_region_make(&g, true, ports[0].info.numa_node, run, &region);

	if (err != 0) {
		uint64_t pages = link_region_bytes(&g) >> 21;

		strbuf_printf(why,
			      "the link region needs %lu huge pages of 2 MiB: %s; free some or run: "
			      "echo N > /sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages "
			      "(N = those in use + %lu), and look at the memory cgroup's hugetlb limit",
			      pages, err_text(err), pages);
		return err;
	}
	link_print_memory(&region, &bought);
	LOG(LOG_NOTICE, "dataplane", "memory", "%.*s", (int)bought.len, bought.s);
	return 0;
}

static int make_cores(const struct rt_roles *roles, void **core, struct strbuf *why)
{
	uint32_t n_bells = roles->n_polled + roles->n_shards;

	for (uint32_t i = 0; i < n_bells; i++) {
		service.bell[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		if (service.bell[i] < 0) {
			strbuf_printf(why, "eventfd: %s", strerror(errno));
			return -errno;
		}
	}
	for (uint32_t i = 0; i < roles->n_polled; i++) {
		struct core_config k = { .id = i, .link = &region, .port = port_list,
					 .queue = (uint16_t)i, .bell = service.bell[i],
					 .shard_bell = service.bell + roles->n_polled,
					 .alone = roles->polled_alone[i], .stop = &stop };

		core[i] = core_new(&k, clock_now_us());
		if (core[i] == NULL) {
			strbuf_printf(why, "no memory for core %u", i);
			return -ENOMEM;
		}
		link_core_loop(&region, i)->cpu = roles->polled_cpu[i];
	}
	for (uint32_t i = 0; i < roles->n_shards; i++)
		link_shard_loop(&region, i)->cpu = roles->shard_cpu[i];
	return 0;
}

/* Everything that needs root is open. Done before the socket is made: it is to be the user's, as is
 * the right to knock at it. */
static int become_user(struct strbuf *why)
{
	int err = places_become(conf.user, why);

	if (err == 0 && access(conf.run_dir, W_OK) < 0) {
		err = -errno;
		strbuf_printf(why, "node.user %s may not write in %s: give it the folder (chown), or name "
			      "one that is not there yet", conf.user, conf.run_dir);
	}
	return err;
}

static int serve(const struct rt_roles *roles, struct strbuf *why)
{
	void *core[CONF_POLLED_MAX] = { 0 };
	int err = make_cores(roles, core, why);

	service.link = &region;
	service.conf = &conf;
	service.run_dir = conf.run_dir;
	service.stop = &stop;
	service.cpu = roles->service_cpu;
	if (err == 0)
		err = become_user(why);
	if (err == 0)
		err = service_start(&service, why);
	if (err == 0) {
		LOG(LOG_NOTICE, "dataplane", "ready", "pid=%d cores=%u shards=%u ports=%u run=%lu simd=%s",
		    getpid(), roles->n_polled, roles->n_shards, conf.n_ports, region.h->run, lex_init());
		notify_supervisor("READY=1");
		err = rt_cores_run(roles, core_run, core);
		service_stop(&service);
		LOG(LOG_NOTICE, "dataplane", "ended", "pid=%d", getpid());
	}
	for (uint32_t i = 0; i < roles->n_polled; i++)
		core_free(core[i]);
	for (uint32_t i = 0; i < conf.n_ports; i++)
		ports[i].ops->close(&ports[i]);
	return err;
}

static int start(void)
{
	char text[2048];
	struct strbuf why = strbuf_of(text, sizeof(text));
	struct rt_roles roles;
	uint64_t run;
	int code = 0, err;

	(void)lex_init();
	if (take_place(&why, &run) != 0)
		return fail(EXIT_NO_RIGHT, "cannot start", &why);
	if (rt_roles_make(&conf, &roles, &why) != 0)
		return fail(EXIT_CONFIG, "cores.cpus", &why);
	code = check_memory(&roles, &why);
	if (code != 0)
		return fail(code, "memory", &why);
	if (rt_eal_start(&conf, &roles, &code, &why) != 0)
		return fail(code, "DPDK", &why);
	if (open_ports(&why) != 0)
		return fail(EXIT_NO_DEVICE, "port", &why);
	if (make_region(run, &roles, &why) != 0)
		return fail(EXIT_NO_MEMORY, "memory", &why);
	err = serve(&roles, &why);
	if (err != 0)
		return fail(err == -EACCES || err == -EPERM ? EXIT_NO_RIGHT : EXIT_FAILURE, "cannot serve",
			    &why);
	rt_eal_stop();
	return 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' }, { "run-dir", required_argument, NULL, 'r' },
		{ "print-defaults", no_argument, NULL, 'p' }, { "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },	     { 0 },
	};
	struct sigaction sa = { .sa_handler = on_signal };
	const char *config = NULL, *run_dir = NULL;
	int o, err;

	while ((o = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		switch (o) {
		case 'c': config = optarg; break;
		case 'r': run_dir = optarg; break;
		case 'p': return print_defaults();
		case 'v': return print_version();
		case 'h': usage(); return 0;
		default: usage(); return 64;
		}
	}
	if (config == NULL || optind < argc) {
		usage();
		return 64;
	}
	err = load(config, run_dir);
	if (err != 0)
		return err;
	log_init("sluice-dataplane", LOG_NOTICE);
	(void)sigaction(SIGTERM, &sa, NULL);
	(void)sigaction(SIGINT, &sa, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	return start();
}
