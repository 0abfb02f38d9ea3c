/* SPDX-License-Identifier: Apache-2.0 */
/* IPv4 input, check by check. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/net/fakeport.h"

static uint32_t good(uint8_t *f)
{
	return frame_udp(f, "10.0.0.2", "10.0.0.1", 5070, 5060, "hello", 5);
}

static void resum(uint8_t *f, uint32_t header)
{
	uint16_t sum;

	f[24] = f[25] = 0;
	sum = simple_sum(f + 14, header, 0);
	f[24] = (uint8_t)(sum >> 8);
	f[25] = (uint8_t)sum;
}

static void run(const uint8_t *f, uint32_t len, enum counter want)
{
	struct world *w = world_new(false);

	assert_int_equal(world_in(w, f, len), want == net_rx_udp ? NET_UDP : NET_DONE);
	assert_int_equal(CT(w, want), 1);
	world_close(w);
}

static void good_datagram_gives_its_view(void **state)
{
	struct world *w = world_new(false);
	uint8_t f[128];
	uint32_t len = good(f);
	struct ip peer = ip_of("10.0.0.2"), own = ip_of("10.0.0.1");

	(void)state;
	f[15] = 46 << 2;
	resum(f, 20);
	memset(f + len, 0xee, 20); /* Ethernet padding */
	assert_int_equal(world_in(w, f, 60), NET_UDP);
	assert_int_equal(w->in.l4_len, 13);
	assert_ptr_equal(w->in.l4, w->frame.data + 34);
	assert_ptr_equal(w->in.l3, w->frame.data + 14);
	assert_int_equal(w->in.l3_len, 33);
	assert_true(ip_eq(&w->in.path.peer, &peer) && ip_eq(&w->in.path.local, &own));
	assert_int_equal(w->in.path.dscp, 46);
	assert_int_equal(w->in.path.proto, 17);
	assert_false(w->in.joined);
	world_close(w);
}

static void tcp_segment_is_handed_up(void **state)
{
	struct world *w = world_new(false);
	uint8_t f[128], l4[20] = {0};

	(void)state;
	(void)make_eth(f, mac_own, mac_peer, 0x0800);
	assert_int_equal(
		world_in(w, f, 14 + make_ip4(f + 14, "10.0.0.2", "10.0.0.1", 6, 1, 0, l4, 20)),
		NET_TCP);
	assert_int_equal(CT(w, net_rx_tcp), 1);
	world_close(w);
}

static void bad_header_is_dropped(void **state)
{
	uint8_t f[128];
	uint32_t len = good(f);

	(void)state;
	run(f, 14 + 19, net_drop_short);
	f[14] = 0x65;
	run(f, len, net_drop_ip_version);
	f[14] = 0x44;
	run(f, len, net_drop_ip_header);
	f[14] = 0x45;
	f[17] = 19;
	run(f, len, net_drop_ip_header);
	f[17] = 34;
	run(f, len, net_drop_ip_header);
	(void)good(f);
	f[24] ^= 1;
	run(f, len, net_drop_ip_csum);
}

static void device_that_checked_spares_the_sum(void **state)
{
	struct world *w = world_new(false);
	uint8_t f[128];
	uint32_t len = good(f);

	(void)state;
	f[24] ^= 1;
	fakeport_frame(&w->fake, f, len, NULL, &w->frame);
	w->frame.flags = FRAME_IP_CSUM_GOOD | FRAME_L4_CSUM_GOOD;
	assert_int_equal(net_in(w->net, 0, &w->frame, w->now_us, &w->in), NET_UDP);
	assert_int_equal(w->in.flags, FRAME_L4_CSUM_GOOD);
	world_in_done(w);
	fakeport_frame(&w->fake, f, len, NULL, &w->frame);
	w->frame.flags = FRAME_IP_CSUM_GOOD | FRAME_CSUM_BAD;
	assert_int_equal(net_in(w->net, 0, &w->frame, w->now_us, &w->in), NET_DONE);
	assert_int_equal(CT(w, net_drop_ip_csum), 1);
	world_close(w);
}

static void bad_source_is_dropped(void **state)
{
	static const char *const bad[] = {"0.0.0.0",  "127.0.0.1",  "224.0.0.1", "255.255.255.255",
					  "10.0.0.1", "10.0.0.255", "10.0.0.0",	 "240.0.0.1"};
	uint8_t f[128];

	(void)state;
	for (uint32_t i = 0; i < 8; i++)
		run(f, frame_udp(f, bad[i], "10.0.0.1", 1, 5060, "x", 1), net_drop_ip_source);
	run(f, frame_udp(f, "172.16.0.255", "10.0.0.1", 1, 5060, "x", 1), net_rx_udp);
}

static void other_destination_is_dropped(void **state)
{
	static const char *const other[] = {"10.0.0.3", "10.1.0.1", "10.0.0.255", "255.255.255.255",
					    "224.0.0.1"};
	uint8_t f[128];

	(void)state;
	for (uint32_t i = 0; i < 5; i++)
		run(f, frame_udp(f, "10.0.0.2", other[i], 1, 5060, "x", 1), net_drop_not_for_us);
}

static void options_are_checked(void **state)
{
	static const struct {
		uint8_t o[4];
		enum counter want;
	} t[] = {
		{{1, 1, 1, 0}, net_rx_udp},
		{{0, 99, 99, 99}, net_rx_udp},
		{{148, 4, 0, 0}, net_rx_udp},
		{{131, 3, 4, 0}, net_drop_ip_options},
		{{137, 3, 4, 0}, net_drop_ip_options},
		{{7, 1, 0, 0}, net_drop_ip_options},
		{{7, 5, 0, 0}, net_drop_ip_options},
		{{1, 1, 1, 7}, net_drop_ip_options},
	};

	(void)state;
	for (uint32_t i = 0; i < 8; i++) {
		uint8_t f[128], plain[128];
		uint32_t len = good(plain);

		memcpy(f, plain, 34);
		memcpy(f + 34, t[i].o, 4);
		memcpy(f + 38, plain + 34, len - 34);
		f[14] = 0x46;
		f[17] = (uint8_t)(f[17] + 4);
		resum(f, 24);
		run(f, len + 4, t[i].want);
	}
}

static void unknown_protocol_is_refused_with_icmp(void **state)
{
	struct world *w = world_new(false);
	uint8_t f[128], l4[8] = {0};

	(void)state;
	world_know(w, "10.0.0.2");
	(void)make_eth(f, mac_own, mac_peer, 0x0800);
	(void)world_in(w, f, 14 + make_ip4(f + 14, "10.0.0.2", "10.0.0.1", 47, 1, 0, l4, 8));
	world_flush(w);
	assert_int_equal(CT(w, net_drop_proto), 1);
	assert_int_equal(w->fake.n_out, 1);
	assert_int_equal(w->fake.out[0].b[34], 3);
	assert_int_equal(w->fake.out[0].b[35], 2);
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_datagram_gives_its_view),
		cmocka_unit_test(tcp_segment_is_handed_up),
		cmocka_unit_test(bad_header_is_dropped),
		cmocka_unit_test(device_that_checked_spares_the_sum),
		cmocka_unit_test(bad_source_is_dropped),
		cmocka_unit_test(other_destination_is_dropped),
		cmocka_unit_test(options_are_checked),
		cmocka_unit_test(unknown_protocol_is_refused_with_icmp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
