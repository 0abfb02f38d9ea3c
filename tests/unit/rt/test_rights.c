/* SPDX-License-Identifier: Apache-2.0 */
/* Which capabilities devices ask for. */
#include "platform/rt/rights.h"

#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define BIT(cap) (UINT64_C(1) << (cap))

static void expect(const char *device, uint64_t have, const char *missing)
{
	char mem[128], unread[1];
	struct strbuf out = strbuf_of(mem, sizeof(mem) - 1), why = strbuf_of(unread, 1);
	struct rt_device d;

	assert_int_equal(rt_device_parse(device, 0, 0, &d, &why), 0);
	assert_int_equal(rt_rights_missing(&d, have, &out), missing[0] != '\0');
	mem[out.len] = '\0';
	assert_string_equal(mem, missing);
}

static void powerless_process_lacks_what_each_device_needs(void **state)
{
	expect("net_af_xdp,iface=a", 0, "CAP_NET_RAW, CAP_NET_ADMIN, CAP_BPF");
	expect("net_af_packet,iface=a", 0, "CAP_NET_RAW, CAP_NET_ADMIN");
	expect("net_tap", 0, "CAP_NET_ADMIN");
	expect("net_pcap,rx_iface=a", 0, "CAP_NET_RAW");
	expect("net_pcap,rx_pcap=a", 0, "");
	expect("net_ring", 0, "");
	expect("net_memif", 0, "");
	expect("03:00.0", 0, "");
}

static void each_capability_counts_for_itself(void **state)
{
	uint64_t raw = BIT(CAP_NET_RAW), admin = BIT(CAP_NET_ADMIN);

	expect("net_af_packet,iface=a", raw, "CAP_NET_ADMIN");
	expect("net_af_packet,iface=a", raw | admin, "");
	expect("net_af_xdp,iface=a", raw, "CAP_NET_ADMIN, CAP_BPF");
	expect("net_af_xdp,iface=a", raw | admin, "CAP_BPF");
	expect("net_af_xdp,iface=a", raw | admin | BIT(CAP_BPF), "");
	expect("net_af_xdp,iface=a", raw | admin | BIT(CAP_SYS_ADMIN), "");
	expect("net_af_xdp,iface=a", UINT64_MAX, "");
}

static void own_rights_hold_no_unknown_bits(void **state)
{
	uint64_t have = rt_rights_have();

	assert_true(have == UINT64_MAX || have < BIT(CAP_LAST_CAP + 8));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(powerless_process_lacks_what_each_device_needs),
		cmocka_unit_test(each_capability_counts_for_itself),
		cmocka_unit_test(own_rights_hold_no_unknown_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
