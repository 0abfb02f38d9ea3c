/* SPDX-License-Identifier: Apache-2.0 */
/* How much packet memory a configuration wants, and where. */
#include "platform/rt/buffers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct conf conf;

static void port_add(const char *device, uint32_t node, uint32_t mtu)
{
	struct conf_port *p = &conf.port[conf.n_ports];
	struct conf_interface *i = &conf.interface[conf.n_interfaces++];

	(void)str_to_c(str_from_c(device), p->device, sizeof(p->device));
	p->numa_node = node;
	i->port_index = conf.n_ports++;
	i->mtu = mtu;
}

static void conf_make(void)
{
	memset(&conf, 0, sizeof(conf));
	conf.polled = 2;
	conf.packet_buffers = 10000;
}

static void room_for_1500_is_2048_and_headroom(void **state)
{
	assert_int_equal(rt_buffer_room(576), 2176);
	assert_int_equal(rt_buffer_room(1500), 2176);
	/* 128 + 256 + 22 + 1770 = 2,176 */
	assert_int_equal(rt_buffer_room(1770), 2176);
	assert_int_equal(rt_buffer_room(1771), 2240);
	assert_int_equal(rt_buffer_room(9000), 9408);
	assert_true(rt_buffer_room(9000) % 64 == 0);
	/* an AF_XDP element of 64 + 128 + room is below a page */
	assert_true(64 + 128 + rt_buffer_room(1500) <= 4096);
}

static void mtu_of_a_room_fits_it(void **state)
{
	for (uint32_t mtu = 576; mtu <= 9000; mtu++)
		assert_true(rt_buffer_mtu(rt_buffer_room(mtu)) >= mtu);
	assert_int_equal(rt_buffer_mtu(2176), 1770);
	assert_int_equal(rt_buffer_mtu(0), 0);
}

static void port_mtu_is_the_largest_of_its_interfaces(void **state)
{
	conf_make();
	port_add("net_ring", 0, 1400);
	port_add("net_ring", 0, 9000);
	conf.interface[2].port_index = 0;
	conf.interface[2].mtu = 1480;
	conf.n_interfaces = 3;
	assert_int_equal(rt_port_mtu(&conf, 0), 1480);
	assert_int_equal(rt_port_mtu(&conf, 1), 9000);
	assert_int_equal(rt_port_mtu(&conf, 2), 1500); /* no interface on it */
}

static void queues_and_descriptors_have_defaults(void **state)
{
	conf_make();
	port_add("net_ring", 0, 1500);
	assert_int_equal(rt_port_queues(&conf, 0), 2);
	assert_int_equal(rt_port_rx_descriptors(&conf, 0), 1024);
	assert_int_equal(rt_port_tx_descriptors(&conf, 0), 1024);
	conf.port[0].queues = 1;
	conf.port[0].rx_descriptors = 512;
	conf.port[0].tx_descriptors = 256;
	assert_int_equal(rt_port_queues(&conf, 0), 1);
	assert_int_equal(rt_port_rx_descriptors(&conf, 0), 512);
	assert_int_equal(rt_port_tx_descriptors(&conf, 0), 256);
}

static void pool_holds_promised_device_held_and_cached_buffers(void **state)
{
	conf_make();
	port_add("net_ring", 0, 1500);
	/* 2 cores x (10,000 + 384) + 2 queues x (2,048 + 1,024) */
	assert_int_equal(rt_buffers_per_pool(&conf), 26912);
	conf.port[0].queues = 1;
	conf.port[0].rx_descriptors = 512;
	conf.port[0].tx_descriptors = 256;
	assert_int_equal(rt_buffers_per_pool(&conf), 20768 + 1280);
}

static void configured_node_beats_the_device_and_the_core(void **state)
{
	struct rt_device d = { .kind = RT_DEVICE_PCI, .name = "ffff:ff:1f.7" };

	assert_int_equal(rt_device_node(&d, 3, 1), 3);
	assert_int_equal(rt_device_node(&d, CONF_AUTO, 1), 1); /* no such device */
	d = (struct rt_device){ .kind = RT_DEVICE_VDEV, .name = "net_ring0" };
	assert_int_equal(rt_device_node(&d, CONF_AUTO, 2), 2);
}

static uint64_t planned(uint32_t node)
{
	uint64_t bytes[RT_NODES_MAX];

	rt_buffers_plan(&conf, 0, bytes);
	return bytes[node];
}

static void plan_without_ports_is_what_eal_needs(void **state)
{
	conf_make();
	assert_int_equal(planned(rt_cpu_node(0)), 24u << 20);
	assert_int_equal(planned(RT_NODES_MAX - 1), 0);
}

static void plan_counts_one_pool_per_node_and_room(void **state)
{
	uint64_t one, count;

	conf_make();
	port_add("net_ring", 7, 1500);
	port_add("net_ring|net_ring", 7, 1400); /* same node, same room: shared */
	count = rt_buffers_per_pool(&conf);
	one = planned(7);
	assert_true(one >= count * (2176 + 64 + 128));
	assert_true(one <= count * (2176 + 64 + 128 + 256));
	port_add("net_ring", 7, 9000); /* another room */
	count = rt_buffers_per_pool(&conf);
	assert_true(planned(7) >= count * (2176 + 192) + count * (9408 + 192));
	port_add("net_ring", 8, 1500); /* another node */
	assert_true(planned(8) >= rt_buffers_per_pool(&conf) * (2176 + 192));
}

static void plan_ignores_what_cannot_be_read(void **state)
{
	conf_make();
	port_add("not a device|env:SLUICE_TEST_UNSET", 7, 1500);
	port_add("net_ring", 4096, 1500); /* no such node: EAL's limit */
	assert_int_equal(planned(7), 0);
	assert_int_equal(planned(rt_cpu_node(0)), 24u << 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(room_for_1500_is_2048_and_headroom),
		cmocka_unit_test(mtu_of_a_room_fits_it),
		cmocka_unit_test(port_mtu_is_the_largest_of_its_interfaces),
		cmocka_unit_test(queues_and_descriptors_have_defaults),
		cmocka_unit_test(pool_holds_promised_device_held_and_cached_buffers),
		cmocka_unit_test(configured_node_beats_the_device_and_the_core),
		cmocka_unit_test(plan_without_ports_is_what_eal_needs),
		cmocka_unit_test(plan_counts_one_pool_per_node_and_room),
		cmocka_unit_test(plan_ignores_what_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
