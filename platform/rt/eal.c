/* SPDX-License-Identifier: Apache-2.0 */
/* Starting EAL.
 *
 * The arguments are made from the configuration, never taken from the operator: there is one right
 * set for it. --in-memory: no hugetlbfs mount, no files, nothing left by a killed run. One
 * descriptor for all pages (--single-file-segments), else thousands of pages are thousands of
 * descriptors. A base address outside the hole that AddressSanitizer keeps, so that the same
 * arguments serve a sanitizer build. Drivers come from DPDK's own plug-in folder, which EAL loads
 * by itself.
 *
 * Memory is taken at once (--socket-mem per node). What can be known before - rights, free huge
 * pages - is asked first, since EAL's own complaints are about its functions, not about the
 * machine.
 *
 * Only PCI devices that the configuration names are touched: an allow list, or no scan at all.
 * Virtual devices are made later, by whom they belong to (drivers/port). */
#include "platform/rt/eal.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_version.h>

#include "platform/base/log.h"
#include "platform/rt/buffers.h"
#include "platform/rt/eal_log.h"
#include "platform/rt/pages.h"
#include "platform/rt/rights.h"

#define EAL_ARGS_MAX (16 + 2 * CONF_PORTS_MAX * RT_ALTERNATIVES_MAX)
#define EAL_TEXT_MAX 8192
#define BASE_ADDRESS "0x200000000000"
#define MIB (1u << 20)

/* An argument vector and the text it points into. */
struct eal_args {
	char text[EAL_TEXT_MAX];
	uint32_t len;
	char *argv[EAL_ARGS_MAX + 1];
	int argc;
	bool full;
};

struct pci_wish {
	uint32_t n;         /* PCI devices named                              */
	bool physical;      /* one of them needs physical addresses for DMA   */
};

static void args_add(struct eal_args *a, struct str s)
{
	if (a->argc == EAL_ARGS_MAX || s.len >= EAL_TEXT_MAX - a->len) {
		a->full = true;
		return;
	}
	a->argv[a->argc++] = a->text + a->len;
	a->len += (uint32_t)str_to_c(s, a->text + a->len, EAL_TEXT_MAX - a->len) + 1;
}

/* A device without IOMMU, or bound to a driver that does not use one, takes physical addresses. */
static bool needs_physical(const struct rt_device *d)
{
	char path[CONF_TEXT_MAX + 64], target[CONF_TEXT_MAX];
	struct strbuf b = strbuf_of(path, sizeof(path));
	ssize_t n;

	strbuf_printf(&b, "/sys/bus/pci/devices/%s/driver", d->name);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return false; /* no such device, or no driver: EAL will say so */
	target[n] = '\0';
	b.len = 0;
	strbuf_printf(&b, "/sys/bus/pci/devices/%s/iommu_group", d->name);
	return access(path, F_OK) != 0 ||
	       strstr(target, "uio") != NULL; /* uio_pci_generic, igb_uio */
}

/* The allow list: "-a ADDRESS[,arguments]" for every PCI device that the configuration names. */
static void args_add_pci(struct eal_args *a, const struct conf *c, struct pci_wish *wish)
{
	for (uint32_t p = 0; p < c->n_ports; p++) {
		for (uint32_t k = 0; k < RT_ALTERNATIVES_MAX; k++) {
			char text[2 * CONF_TEXT_MAX];
			struct strbuf b = strbuf_of(text, sizeof(text));
			char unread[1];
			struct strbuf why = strbuf_of(unread, sizeof(unread));
			struct rt_device d;

			/* what cannot be read is complained of when the port is opened */
			if (rt_device_parse(c->port[p].device, k, p, &d, &why) != 0 ||
			    d.kind != RT_DEVICE_PCI)
				continue;
			strbuf_printf(&b, "%s%s%s", d.name, d.args[0] ? "," : "", d.args);
			args_add(a, STR("-a"));
			args_add(a, strbuf_str(&b));
			wish->n++;
			wish->physical = wish->physical || needs_physical(&d);
		}
	}
	if (wish->n == 0)
		args_add(a, STR("--no-pci"));
}

/* '0@2,1@3': lcore k on the CPU of polled core k; two may be on one CPU. */
static void args_add_cores(struct eal_args *a, const struct rt_roles *r)
{
	char text[CONF_POLLED_MAX * 16];
	struct strbuf b = strbuf_of(text, sizeof(text));

	strbuf_put(&b, STR("--lcores="));
	for (uint32_t k = 0; k < r->n_polled; k++)
		strbuf_printf(&b, "%s%u@%u", k ? "," : "", k, r->polled_cpu[k]);
	args_add(a, strbuf_str(&b));
}

static void args_add_memory(struct eal_args *a, const uint64_t bytes[RT_NODES_MAX])
{
	char text[RT_NODES_MAX * 12];
	struct strbuf b = strbuf_of(text, sizeof(text));
	uint32_t last = 0;

	for (uint32_t node = 0; node < RT_NODES_MAX; node++)
		last = bytes[node] ? node : last;
	strbuf_put(&b, STR("--socket-mem="));
	for (uint32_t node = 0; node <= last; node++)
		strbuf_printf(&b, "%s%lu", node ? "," : "", (bytes[node] + MIB - 1) / MIB);
	args_add(a, strbuf_str(&b));
}

/* An alternative that cannot be opened for want of rights is no obstacle while another can. */
static bool port_lacks_rights(const struct conf *c, uint32_t p, uint64_t have, struct strbuf *names)
{
	for (uint32_t k = 0; k < RT_ALTERNATIVES_MAX; k++) {
		char unread[1];
		struct strbuf why = strbuf_of(unread, sizeof(unread));
		struct strbuf missing = strbuf_of(names->s, names->cap);
		struct rt_device d;
		int ret = rt_device_parse(c->port[p].device, k, p, &d, &why);

		if (ret == -E_NOT_FOUND)
			return k > 0 && names->len > 0;
		if (ret != 0)
			continue;
		if (!rt_rights_missing(&d, have, &missing))
			return false;
		*names = missing;
	}
	return names->len > 0;
}

static int check_rights(const struct conf *c, struct strbuf *why)
{
	uint64_t have = rt_rights_have();

	for (uint32_t p = 0; p < c->n_ports; p++) {
		char mem[96];
		struct strbuf names = strbuf_of(mem, sizeof(mem));

		if (!port_lacks_rights(c, p, have, &names))
			continue;
		strbuf_printf(why, "port %s (%s) needs %.*s: run as root, or give the program the "
			      "capability (AmbientCapabilities=, setcap, a pod's capabilities.add)",
			      c->port[p].name, c->port[p].device, STR_FMT(strbuf_str(&names)));
		return -E_REFUSED;
	}
	return 0;
}

static int check_pages(const struct conf *c, const uint64_t bytes[RT_NODES_MAX], struct strbuf *why)
{
	uint64_t sum = 0;

	for (uint32_t node = 0; node < RT_NODES_MAX; node++) {
		struct rt_pages pages;

		sum += bytes[node];
		if (bytes[node] == 0)
			continue;
		if (rt_pages_read("/sys", node, &pages) != 0) {
			strbuf_put(why, STR("this kernel has no huge pages (CONFIG_HUGETLBFS), or "
					    "/sys is not mounted"));
			return -E_FULL;
		}
		if (pages.free_bytes < bytes[node]) {
			rt_pages_advise(&pages, node, bytes[node], why);
			return -E_FULL;
		}
	}
	if (c->huge_mib != 0 && sum > (uint64_t)c->huge_mib * MIB) {
		strbuf_printf(why, "packet buffers want %lu MiB, more than the ceiling "
			      "memory.huge_mib = %u: raise it, or lower memory.packet_buffers (%u)",
			      (sum + MIB - 1) / MIB, c->huge_mib, c->packet_buffers);
		return -E_FULL;
	}
	return 0;
}

static void args_make(struct eal_args *a, const struct conf *c, const struct rt_roles *r,
		      const uint64_t bytes[RT_NODES_MAX])
{
	struct pci_wish wish = { 0 };

	args_add(a, STR("sluice"));
	args_add(a, STR("--in-memory"));
	args_add(a, STR("--single-file-segments"));
	args_add(a, STR("--base-virtaddr=" BASE_ADDRESS));
	args_add(a, STR("--no-telemetry"));
	args_add(a, STR("--log-level=warning"));
	/* EAL warns of page sizes that nobody asked for */
	args_add(a, STR("--log-level=lib.eal:error"));
	args_add_cores(a, r);
	args_add_memory(a, bytes);
	args_add_pci(a, c, &wish);
	args_add(a, wish.physical ? STR("--iova-mode=pa") : STR("--iova-mode=va"));
}

static void args_log(const struct eal_args *a)
{
	char text[LOG_LINE_MAX - 128];
	struct strbuf b = strbuf_of(text, sizeof(text));

	for (int k = 1; k < a->argc; k++)
		strbuf_printf(&b, "%s%s", k > 1 ? " " : "", a->argv[k]);
	LOG(LOG_NOTICE, "rt", "eal", "version=\"%s\" arguments=\"%.*s\"%s", rt_dpdk_version(),
	    STR_FMT(strbuf_str(&b)), b.full ? " clipped=yes" : "");
}

static int eal_failed(int error, int *exit_code, struct strbuf *why)
{
	strbuf_printf(why, "DPDK did not start: %s", err_text(-error));
	switch (error) {
	case EACCES:
	case EPERM:
		*exit_code = EXIT_NO_RIGHT;
		strbuf_put(why, STR("; run as root, or see the lines of DPDK above"));
		return -E_REFUSED;
	case ENOMEM:
		*exit_code = EXIT_NO_MEMORY;
		strbuf_put(why, STR("; huge pages were free a moment ago: look at the control "
				    "group's limit (hugetlb.*.max) and at other users of them"));
		return -E_FULL;
	default:
		*exit_code = EXIT_NO_DEVICE;
		strbuf_put(why, STR("; see the lines of DPDK above"));
		return -E_UNSUPPORTED;
	}
}

int rt_eal_start(const struct conf *c, const struct rt_roles *r, int *exit_code, struct strbuf *why)
{
	uint64_t bytes[RT_NODES_MAX];
	struct eal_args args = { .argc = 0 };
	int ret;

	rt_buffers_plan(c, r->polled_cpu[0], bytes);
	ret = check_rights(c, why);
	if (ret != 0) {
		*exit_code = EXIT_NO_RIGHT;
		return ret;
	}
	ret = check_pages(c, bytes, why);
	if (ret != 0) {
		*exit_code = EXIT_NO_MEMORY;
		return ret;
	}
	args_make(&args, c, r, bytes);
	must(!args.full); /* the bounds above hold every configuration */
	args_log(&args);
	rt_eal_log_take();
	if (rte_eal_init(args.argc, args.argv) < 0)
		return eal_failed(rte_errno, exit_code, why);
	return 0;
}

void rt_eal_stop(void)
{
	(void)rte_eal_cleanup(); /* at the end of the process: nobody could act on a failure */
}

const char *rt_dpdk_version(void)
{
	return rte_version();
}
