/* SPDX-License-Identifier: Apache-2.0 */
/* Which capabilities a device needs (capabilities(7)), and which of them the process lacks.
 *
 * Packet sockets ask for CAP_NET_RAW, and DPDK sets the address of the interface below them at
 * start, to what it is already: CAP_NET_ADMIN. AF_XDP wants the right to load a program too, tap
 * only that to make an interface. PCI devices are a matter of the permissions of /dev/vfio/GROUP,
 * which EAL finds out by itself. */
#include "platform/rt/rights.h"

#include <linux/capability.h>
#include <stdio.h>

#define LINE_BYTES 256
#define BIT(cap) (UINT64_C(1) << (cap))

struct need {
	uint32_t cap;
	uint32_t also; /* this one is as good; the same where there is no other */
	const char *name;
};

static const struct need need_raw = { CAP_NET_RAW, CAP_NET_RAW, "CAP_NET_RAW" };
static const struct need need_admin = { CAP_NET_ADMIN, CAP_NET_ADMIN, "CAP_NET_ADMIN" };
static const struct need need_bpf = { CAP_BPF, CAP_SYS_ADMIN, "CAP_BPF" };

uint64_t rt_rights_have(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[LINE_BYTES];
	unsigned long long have;
	bool found = false;

	if (!f)
		return UINT64_MAX;
	while (!found && fgets(line, sizeof(line), f))
		found = sscanf(line, "CapEff: %llx", &have) == 1;
	(void)fclose(f); /* only read */
	return found ? have : UINT64_MAX;
}

static void check(const struct need *n, uint64_t have, bool *missing, struct strbuf *out)
{
	if (have & (BIT(n->cap) | BIT(n->also)))
		return;
	if (*missing)
		strbuf_put(out, STR(", "));
	strbuf_put(out, str_from_c(n->name));
	*missing = true;
}

bool rt_rights_missing(const struct rt_device *d, uint64_t have, struct strbuf *out)
{
	struct str driver = str_from_c(d->driver), value;
	bool xdp = str_eq(driver, STR("net_af_xdp"));
	bool pcap = str_eq(driver, STR("net_pcap")) &&
		    (rt_device_arg(d, "iface", &value) ||
		     rt_device_arg(d, "rx_iface", &value) ||
		     rt_device_arg(d, "tx_iface", &value) ||
		     rt_device_arg(d, "rx_iface_in", &value));
	bool packet = str_eq(driver, STR("net_af_packet"));
	bool missing = false;

	if (xdp || pcap || packet)
		check(&need_raw, have, &missing, out);
	if (xdp || packet || str_eq(driver, STR("net_tap")) || str_eq(driver, STR("net_tun")))
		check(&need_admin, have, &missing, out);
	if (xdp)
		check(&need_bpf, have, &missing, out);
	return missing;
}
