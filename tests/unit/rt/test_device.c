/* SPDX-License-Identifier: Apache-2.0 */
/* Device strings of ports, by family. */
#include "platform/rt/device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char why_mem[512];

static int parse(const char *text, uint32_t n, struct rt_device *d)
{
	struct strbuf why = strbuf_of(why_mem, sizeof(why_mem) - 1);
	int ret = rt_device_parse(text, n, 5, d, &why);

	why_mem[why.len] = '\0';
	assert_int_equal(why.len > 0, ret != 0 && ret != -E_NOT_FOUND);
	return ret;
}

static void pci_address_gets_its_domain(void **state)
{
	struct rt_device d;

	assert_int_equal(parse("03:00.1", 0, &d), 0);
	assert_int_equal(d.kind, RT_DEVICE_PCI);
	assert_string_equal(d.name, "0000:03:00.1");
	assert_string_equal(d.args, "");
	assert_string_equal(d.driver, "");
	assert_int_equal(parse(" 0001:af:1F.7,representor=1,x=2", 0, &d), 0);
	assert_int_equal(d.kind, RT_DEVICE_PCI);
	assert_string_equal(d.name, "0001:af:1F.7");
	assert_string_equal(d.args, "representor=1,x=2");
}

static void vdev_without_number_gets_the_ports(void **state)
{
	struct rt_device d;

	assert_int_equal(parse("net_ring", 0, &d), 0);
	assert_int_equal(d.kind, RT_DEVICE_VDEV);
	assert_string_equal(d.name, "net_ring5");
	assert_string_equal(d.driver, "net_ring");
	assert_string_equal(d.iface, "");
	assert_int_equal(parse("net_ring12,nodeaction=x", 0, &d), 0);
	assert_string_equal(d.name, "net_ring12");
	assert_string_equal(d.driver, "net_ring");
	assert_string_equal(d.args, "nodeaction=x");
}

static void kernel_interface_is_picked_out(void **state)
{
	struct rt_device d;

	assert_int_equal(parse("net_af_xdp,busy_budget=0,iface=edge0", 0, &d), 0);
	assert_string_equal(d.driver, "net_af_xdp");
	assert_string_equal(d.iface, "edge0");
	/* tap makes its own: nothing to look at beforehand */
	assert_int_equal(parse("net_tap,iface=edge0", 0, &d), 0);
	assert_string_equal(d.iface, "");
}

static void kernel_interface_missing_or_too_long_is_refused(void **state)
{
	struct rt_device d;

	assert_int_equal(parse("net_af_xdp", 0, &d), -E_MALFORMED);
	assert_non_null(strstr(why_mem, "iface=NAME"));
	assert_int_equal(parse("net_af_packet,iface=", 0, &d), -E_MALFORMED);
	assert_int_equal(parse("net_af_packet,iface=fifteen_octets_", 0, &d), 0);
	assert_int_equal(parse("net_af_packet,iface=sixteen_octets__", 0, &d), -E_TOO_LONG);
}

static void alternatives_are_counted_from_the_left(void **state)
{
	static const char text[] = "net_af_xdp,iface=a|net_af_packet,iface=b | 03:00.0";
	struct rt_device d;

	assert_int_equal(parse(text, 0, &d), 0);
	assert_string_equal(d.name, "net_af_xdp5");
	assert_string_equal(d.iface, "a");
	assert_int_equal(parse(text, 1, &d), 0);
	assert_string_equal(d.name, "net_af_packet5");
	assert_string_equal(d.args, "iface=b");
	assert_int_equal(parse(text, 2, &d), 0);
	assert_int_equal(d.kind, RT_DEVICE_PCI);
	assert_int_equal(parse(text, 3, &d), -E_NOT_FOUND);
	assert_int_equal(parse("a|b|c|d|e|f|g|h|i", RT_ALTERNATIVES_MAX, &d), -E_NOT_FOUND);
}

static void variable_stands_for_its_value(void **state)
{
	struct rt_device d;

	assert_int_equal(setenv("SLUICE_TEST_DEVICE", "0000:65:02.3,0000:65:02.4", 1), 0);
	assert_int_equal(parse("net_ring|env:SLUICE_TEST_DEVICE", 1, &d), 0);
	assert_string_equal(d.name, "0000:65:02.3"); /* a list of addresses: the first */
	assert_string_equal(d.args, "");
	assert_int_equal(setenv("SLUICE_TEST_DEVICE", "net_af_packet,iface=net1", 1), 0);
	assert_int_equal(parse("env:SLUICE_TEST_DEVICE", 0, &d), 0);
	assert_string_equal(d.iface, "net1");
	assert_int_equal(unsetenv("SLUICE_TEST_DEVICE"), 0);
	assert_int_equal(parse("env:SLUICE_TEST_DEVICE", 0, &d), -E_MISSING);
	assert_non_null(strstr(why_mem, "SLUICE_TEST_DEVICE"));
}

static void variable_that_is_too_long_is_refused(void **state)
{
	struct rt_device d;
	char value[2 * CONF_TEXT_MAX];

	memset(value, 'a', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	assert_int_equal(setenv("SLUICE_TEST_DEVICE", value, 1), 0);
	assert_int_equal(parse("env:SLUICE_TEST_DEVICE", 0, &d), -E_TOO_LONG);
	memcpy(value, "net_ring,", 9);
	assert_int_equal(setenv("SLUICE_TEST_DEVICE", value, 1), 0);
	assert_int_equal(parse("env:SLUICE_TEST_DEVICE", 0, &d), -E_TOO_LONG);
	assert_int_equal(unsetenv("SLUICE_TEST_DEVICE"), 0);
}

static void neither_address_nor_name_is_refused(void **state)
{
	static const char *const bad[] = { "", "|net_ring", " ", "03:00", "3:0.0", "0000:03:00.g",
					   "net ring", "-a", "net_ring;x", "9net", "../x", "env:" };

	for (size_t k = 0; k < sizeof(bad) / sizeof(bad[0]); k++) {
		struct rt_device d;

		assert_true(parse(bad[k], 0, &d) < -E_MALFORMED + 1);
	}
}

static void argument_is_found_whole(void **state)
{
	struct rt_device d;
	struct str value;

	assert_int_equal(parse("net_memif,role=client,id=1,nosecret,x=", 0, &d), 0);
	assert_true(rt_device_arg(&d, "role", &value));
	assert_true(str_eq(value, STR("client")));
	assert_true(rt_device_arg(&d, "nosecret", &value));
	assert_int_equal(value.len, 0);
	assert_true(rt_device_arg(&d, "x", &value));
	assert_int_equal(value.len, 0);
	assert_false(rt_device_arg(&d, "secret", &value));
	assert_false(rt_device_arg(&d, "rol", &value));
}

static void default_argument_does_not_override(void **state)
{
	struct rt_device d;

	assert_int_equal(parse("net_ring", 0, &d), 0);
	assert_int_equal(rt_device_arg_default(&d, "a", 1), 0);
	assert_int_equal(rt_device_arg_default(&d, "b", 20), 0);
	assert_int_equal(rt_device_arg_default(&d, "a", 3), 0);
	assert_string_equal(d.args, "a=1,b=20");
}

static void default_argument_without_room_changes_nothing_that_counts(void **state)
{
	struct rt_device d;

	assert_int_equal(parse("net_ring", 0, &d), 0);
	memset(d.args, 'x', CONF_TEXT_MAX - 4);
	d.args[CONF_TEXT_MAX - 4] = '\0';
	assert_int_equal(rt_device_arg_default(&d, "a", 1), -E_TOO_LONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pci_address_gets_its_domain),
		cmocka_unit_test(vdev_without_number_gets_the_ports),
		cmocka_unit_test(kernel_interface_is_picked_out),
		cmocka_unit_test(kernel_interface_missing_or_too_long_is_refused),
		cmocka_unit_test(alternatives_are_counted_from_the_left),
		cmocka_unit_test(variable_stands_for_its_value),
		cmocka_unit_test(variable_that_is_too_long_is_refused),
		cmocka_unit_test(neither_address_nor_name_is_refused),
		cmocka_unit_test(argument_is_found_whole),
		cmocka_unit_test(default_argument_does_not_override),
		cmocka_unit_test(default_argument_without_room_changes_nothing_that_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
