/* SPDX-License-Identifier: Apache-2.0 */
/* sluicectl doctor: is this machine ready? One line per finding, with how to mend what is not.
 *
 * fail: Sluice will not start, or (with a configuration) not as it is configured. warn: it will, less
 * well than the machine could. Nothing is changed; probes open a socket or a file and close it. What
 * depends on a configuration - devices, memory, CPUs - is looked at when one is given. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/capability.h>
#include <linux/memfd.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "control/ctl/ctl.h"
#include "platform/link/region.h"
#include "platform/rt/buffers.h"
#include "platform/rt/pages.h"
#include "platform/rt/rights.h"

#ifndef AF_XDP
#define AF_XDP 44
#endif
#define ETH_P_NONE 0 /* a packet socket that receives nothing */
#define MIB (1u << 20)

enum verdict { OK, WARN, FAIL };

struct doctor {
	json_t *rows;
	int n_warn, n_fail;
	const struct conf *conf; /* NULL: none given */
	uint64_t have;		 /* capabilities     */
};

static void say(struct doctor *d, enum verdict v, const char *what, const char *mend,
		const char *fmt, ...) __attribute__((format(printf, 5, 6)));
static void say(struct doctor *d, enum verdict v, const char *what, const char *mend,
		const char *fmt, ...)
{
	static const char *const name[] = {"ok", "warn", "fail"};
	char found[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(found, sizeof(found), fmt, ap); /* clipped where longer */
	va_end(ap);
	json_array_append_new(d->rows, json_pack("{ss ss ss ss}", "verdict", name[v], "what", what,
						 "found", found, "mend", v == OK ? "" : mend));
	d->n_warn += v == WARN;
	d->n_fail += v == FAIL;
}

/* First line of a file into out, without its end. false: not there */
static bool line_of(const char *path, char *out, size_t cap)
{
	FILE *f = fopen(path, "re");
	bool got;

	out[0] = '\0';
	if (f == NULL)
		return false;
	got = fgets(out, (int)cap, f) != NULL;
	fclose(f);
	out[strcspn(out, "\n")] = '\0';
	return got;
}

static size_t count_matching(const char *pattern)
{
	glob_t g;
	size_t n = glob(pattern, 0, NULL, &g) == 0 ? g.gl_pathc : 0;

	globfree(&g);
	return n;
}

static bool has_cap(const struct doctor *d, int cap)
{
	return (d->have >> cap & 1) != 0;
}

/* Memory. */

static uint64_t wanted_on(const struct doctor *d, uint32_t node)
{
	uint64_t bytes[RT_NODES_MAX] = {0};
	struct link_geometry g;

	if (d->conf == NULL)
		return 0;
	g = (struct link_geometry){
		.n_cores = d->conf->polled, .n_shards = d->conf->shards, .conf = d->conf};
	rt_buffers_plan(d->conf, 0, bytes);
	return bytes[node] + (node == 0 ? link_region_bytes(&g) : 0);
}

static void check_node_pages(struct doctor *d, uint32_t node)
{
	uint64_t wanted = wanted_on(d, node), total = 0;
	struct rt_pages p;
	char what[48], mend[512] = "";
	struct strbuf b = strbuf_of(mend, sizeof(mend) - 1);

	(void)snprintf(what, sizeof(what), "huge pages, node %u", node);
	if (rt_pages_read("/sys", node, &p) != 0) {
		say(d, FAIL, what, "a kernel with CONFIG_HUGETLBFS", "this kernel has none");
		return;
	}
	for (uint32_t i = 0; i < p.n_sizes; i++)
		total += p.size[i].total * p.size[i].bytes;
	rt_pages_advise(&p, node, wanted ? wanted : 1024ull * MIB, &b);
	mend[b.len] = '\0';
	if (wanted > p.free_bytes)
		say(d, FAIL, what, mend, "%lu of %lu MiB free, the configuration takes %lu",
		    p.free_bytes / MIB, total / MIB, (wanted + MIB - 1) / MIB);
	else if (p.free_bytes == 0 && node == 0 && d->conf == NULL)
		say(d, WARN, what, mend, "none free of %lu MiB", total / MIB);
	else
		say(d, OK, what, "", "%lu of %lu MiB free", p.free_bytes / MIB, total / MIB);
}

static void check_memfd(struct doctor *d)
{
	int fd = memfd_create("doctor", MFD_CLOEXEC | MFD_HUGETLB | MFD_HUGE_2MB);

	if (fd < 0) {
		say(d, FAIL, "huge-page memfd", "a kernel of 4.14 or newer with 2 MiB pages", "%s",
		    strerror(errno));
		return;
	}
	close(fd);
	say(d, OK, "huge-page memfd", "", "there");
}

static void check_memlock(struct doctor *d)
{
	struct rlimit r = {0};

	(void)getrlimit(RLIMIT_MEMLOCK, &r); /* no such limit is refused */
	if (r.rlim_cur == RLIM_INFINITY || has_cap(d, CAP_IPC_LOCK))
		say(d, OK, "memory lock", "",
		    has_cap(d, CAP_IPC_LOCK) ? "CAP_IPC_LOCK" : "no limit");
	else
		say(d, WARN, "memory lock",
		    "LimitMEMLOCK=infinity in the unit, or ulimit -l unlimited, or CAP_IPC_LOCK",
		    "at most %lu KiB: AF_XDP and vfio lock their memory",
		    (uint64_t)r.rlim_cur / 1024);
}

/* CPUs and nodes. */

static void check_numa(struct doctor *d, uint32_t *n_nodes)
{
	size_t n = count_matching("/sys/devices/system/node/node[0-9]*");

	*n_nodes = n == 0 ? 1 : n > RT_NODES_MAX ? RT_NODES_MAX : (uint32_t)n;
	say(d, OK, "NUMA", "", n == 0 ? "the kernel knows no nodes" : "%zu node(s)", n);
}

static void check_cpus(struct doctor *d)
{
	cpu_set_t set;
	uint32_t n = 0, want = d->conf ? d->conf->polled + d->conf->shards : 2;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		n = (uint32_t)CPU_COUNT(&set);
	if (n < want)
		say(d, WARN, "allowed CPUs",
		    "give it more CPUs (taskset, cpuset, AllowedCPUs=); loops that share one take "
		    "turns",
		    "%u of %ld, %u loops", n, sysconf(_SC_NPROCESSORS_ONLN), want);
	else
		say(d, OK, "allowed CPUs", "", "%u of %ld, %u loops", n,
		    sysconf(_SC_NPROCESSORS_ONLN), want);
}

static void check_isolation(struct doctor *d)
{
	char isolated[256], full[256];

	(void)line_of("/sys/devices/system/cpu/isolated", isolated, sizeof(isolated));
	(void)line_of("/sys/devices/system/cpu/nohz_full", full, sizeof(full));
	if (isolated[0] == '\0')
		say(d, WARN, "CPU isolation",
		    "for steady latency: isolcpus=LIST nohz_full=LIST rcu_nocbs=LIST on the "
		    "kernel's command line, and cores.cpus = \"LIST\"",
		    "no CPU is kept for us");
	else
		say(d, OK, "CPU isolation", "", "isolated %s, without tick %s", isolated,
		    full[0] ? full : "none");
}

static void check_clock(struct doctor *d)
{
	char name[64];

	if (!line_of("/sys/devices/system/clocksource/clocksource0/current_clocksource", name,
		     sizeof(name)))
		say(d, WARN, "clock source", "mount /sys", "not known");
	else if (strcmp(name, "tsc") == 0 || strcmp(name, "kvm-clock") == 0 ||
		 strcmp(name, "arch_sys_counter") == 0 || strncmp(name, "hyperv", 6) == 0)
		say(d, OK, "clock source", "", "%s", name);
	else
		say(d, WARN, "clock source",
		    "clocksource=tsc on the kernel's command line, where the TSC is stable",
		    "%s: each look at the clock is a system call", name);
}

/* Kernel and rights. */

static void probe_socket(struct doctor *d, const char *what, int family, const char *mend)
{
	int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC, ETH_P_NONE), err = errno;

	if (fd >= 0) {
		close(fd);
		say(d, OK, what, "", "there");
	} else if (err == EPERM || err == EACCES) {
		say(d, WARN, what, "CAP_NET_RAW (for sluice-dataplane)",
		    "there, but we have no right to it");
	} else {
		say(d, WARN, what, mend, "%s", strerror(err));
	}
}

static void check_kernel(struct doctor *d)
{
	struct utsname u = {.release = "unknown"};

	(void)uname(&u); /* fails only for a bad pointer */
	say(d, OK, "kernel", "", "%s %s", u.release, u.machine);
	probe_socket(
		d, "AF_XDP", AF_XDP,
		"a kernel with CONFIG_XDP_SOCKETS; without it use net_af_packet or a PCI device");
	probe_socket(d, "AF_PACKET", AF_PACKET, "a kernel with CONFIG_PACKET");
}

static void check_rights(struct doctor *d)
{
	static const struct {
		int cap;
		const char *name;
	} cap[] = {
		{CAP_NET_RAW, "CAP_NET_RAW"},
		{CAP_NET_ADMIN, "CAP_NET_ADMIN"},
		{CAP_BPF, "CAP_BPF"},
		{CAP_IPC_LOCK, "CAP_IPC_LOCK"},
	};
	char have[128] = "", lack[128] = "";
	struct strbuf h = strbuf_of(have, sizeof(have) - 1), l = strbuf_of(lack, sizeof(lack) - 1);

	for (size_t i = 0; i < sizeof(cap) / sizeof(cap[0]); i++) {
		struct strbuf *to = has_cap(d, cap[i].cap) ? &h : &l;

		strbuf_printf(to, "%s%s", to->len ? ", " : "", cap[i].name);
	}
	have[h.len] = lack[l.len] = '\0';
	if (l.len == 0)
		say(d, OK, "rights", "", "%s", have);
	else
		say(d, WARN, "rights",
		    "run as root, or AmbientCapabilities= in the unit; which of them a port needs "
		    "depends on its kind",
		    "not there: %s", lack);
}

static void check_vfio(struct doctor *d)
{
	size_t groups = count_matching("/sys/kernel/iommu_groups/*");
	bool vfio = access("/dev/vfio/vfio", F_OK) == 0;

	if (groups == 0)
		say(d, WARN, "IOMMU",
		    "for PCI devices: intel_iommu=on or amd_iommu=on, and VT-d / AMD-Vi in the "
		    "firmware",
		    "no groups: PCI devices cannot be given to a process safely");
	else
		say(d, OK, "IOMMU", "", "%zu groups", groups);
	if (!vfio)
		say(d, WARN, "vfio", "for PCI devices: modprobe vfio-pci",
		    "/dev/vfio/vfio is not there");
	else
		say(d, OK, "vfio", "", "there");
}

/* A configuration. */

static bool device_there(const struct rt_device *dev, char *found, size_t cap)
{
	char path[CONF_TEXT_MAX + 64], link[256];
	ssize_t n;

	if (dev->kind == RT_DEVICE_PCI) {
		(void)snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver", dev->name);
		n = readlink(path, link, sizeof(link) - 1);
		link[n > 0 ? n : 0] = '\0';
		(void)snprintf(found, cap, "driver %s",
			       n > 0 ? strrchr(link, '/') + 1 : "none, or no such device");
		return n > 0 && strcmp(strrchr(link, '/') + 1, "vfio-pci") == 0;
	}
	if (dev->iface[0] == '\0') {
		(void)snprintf(found, cap, "made at start");
		return true;
	}
	(void)snprintf(path, sizeof(path), "/sys/class/net/%s", dev->iface);
	(void)snprintf(found, cap, "interface %s %s", dev->iface,
		       access(path, F_OK) == 0 ? "there" : "is not there");
	return access(path, F_OK) == 0;
}

/* The alternatives of a port are tried in order: one that can be opened is enough. */
static void check_port(struct doctor *d, uint32_t i)
{
	const struct conf_port *port = &d->conf->port[i];
	char what[CONF_NAME_MAX + 16], text[512] = "";
	struct strbuf b = strbuf_of(text, sizeof(text) - 1);
	struct rt_device dev;
	bool good = false;
	int err = 0;

	(void)snprintf(what, sizeof(what), "port %s", port->name);
	for (uint32_t n = 0; n < RT_ALTERNATIVES_MAX && !good; n++) {
		char found[128] = "", lack[128] = "", reason[256] = "";
		struct strbuf l = strbuf_of(lack, sizeof(lack) - 1),
			      why = strbuf_of(reason, sizeof(reason) - 1);
		bool missing;

		err = rt_device_parse(port->device, n, i, &dev, &why);
		if (err == -E_NOT_FOUND)
			break;
		if (err != 0) {
			strbuf_printf(&b, "%s%.*s", b.len ? "; " : "", STR_FMT(strbuf_str(&why)));
			continue;
		}
		missing = rt_rights_missing(&dev, d->have, &l);
		good = device_there(&dev, found, sizeof(found)) && !missing;
		strbuf_printf(&b, "%s%s: %s%s%.*s", b.len ? "; " : "", dev.name, found,
			      missing ? ", needs " : "", STR_FMT(strbuf_str(&l)));
	}
	text[b.len] = '\0';
	say(d, good ? OK : FAIL, what,
	    "kernel interfaces: ip link; PCI devices: dpdk-devbind.py -b vfio-pci ADDRESS; rights: "
	    "run as root or give the capabilities",
	    "%s", text);
}

static void check_folder(struct doctor *d, const char *what, const char *path)
{
	char above[CONF_TEXT_MAX];
	size_t n = strlen(path);

	(void)snprintf(above, sizeof(above), "%s", path);
	while (n > 1 &&
	       access(above, F_OK) != 0) { /* it is made at start, with the folders above */
		while (n > 1 && above[n - 1] != '/')
			n--;
		n -= n > 1;
		above[n] = '\0';
	}
	if (access(above, W_OK) == 0)
		say(d, OK, what, "", "%s", path);
	else
		say(d, FAIL, what, "make it for the user that Sluice runs as", "%s: %s: %s", path,
		    above, strerror(errno));
}

static void check_conf(struct doctor *d)
{
	for (uint32_t i = 0; i < d->conf->n_ports; i++)
		check_port(d, i);
	check_folder(d, "run_dir", d->conf->run_dir);
	check_folder(d, "state_dir", d->conf->state_dir);
}

static void examine(struct doctor *d)
{
	uint32_t n_nodes;

	check_kernel(d);
	check_rights(d);
	check_memlock(d);
	check_memfd(d);
	check_numa(d, &n_nodes);
	for (uint32_t i = 0; i < n_nodes; i++)
		check_node_pages(d, i);
	check_cpus(d);
	check_isolation(d);
	check_clock(d);
	check_vfio(d);
	if (d->conf != NULL)
		check_conf(d);
}

static void print(const struct ctl *c, const struct doctor *d)
{
	json_t *row;
	size_t i;

	if (c->json) {
		json_t *out = json_pack("{sb sO}", "ok", d->n_fail == 0, "findings", d->rows);

		json_dumpf(out, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(out);
		return;
	}
	json_array_foreach(d->rows, i, row)
	{
		const char *mend = json_string_value(json_object_get(row, "mend"));

		printf("%-4s  %-19s  %s\n", json_string_value(json_object_get(row, "verdict")),
		       json_string_value(json_object_get(row, "what")),
		       json_string_value(json_object_get(row, "found")));
		if (mend[0] != '\0')
			printf("      %-19s  -> %s\n", "", mend);
	}
	printf("%zu looked at, %d to warn of, %d failed\n", json_array_size(d->rows), d->n_warn,
	       d->n_fail);
}

int ctl_doctor(const struct ctl *c)
{
	struct conf *conf = calloc(1, sizeof(*conf));
	struct conf_report *r = calloc(1, sizeof(*r));
	struct doctor d = {.rows = json_array(), .have = rt_rights_have()};
	int code = CTL_USAGE;

	if (conf == NULL || r == NULL || c->n_args > 1) {
		fprintf(stderr, "usage: sluicectl doctor [FILE]\n");
		goto out;
	}
	if (c->n_args == 1 && conf_read(c->arg[0], conf, r) != 0) {
		fwrite(r->text, 1, r->len, stderr);
		code = 1;
		goto out;
	}
	d.conf = c->n_args == 1 ? conf : NULL;
	examine(&d);
	print(c, &d);
	code = d.n_fail == 0 ? 0 : 1;
out:
	json_decref(d.rows);
	free(conf);
	free(r);
	return code;
}
