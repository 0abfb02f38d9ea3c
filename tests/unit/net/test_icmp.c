/* SPDX-License-Identifier: Apache-2.0 */
/* ICMP: echo in place and by copy, errors of ours with their quote and rate. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dataplane/net/icmp.h"
#include "tests/unit/net/fakeport.h"

#define OWN "2001:db8::1"
#define PEER "2001:db8::2"

static void echo_request_is_turned_around_in_place(void **state)
{
	struct world *w = world_new(false);
	uint8_t f[128], want[128];
	uint32_t len = frame_icmp(f, "10.0.0.2", "10.0.0.1", 8, 0, 0x12345678, "ping!", 5);
	uint16_t sum;

	(void)state;
	assert_int_equal(world_in(w, f, len), NET_DONE);
	world_flush(w);
	assert_int_equal(w->fake.n_out, 1);
	assert_int_equal(w->fake.out[0].len, len);
	(void)frame_icmp(want, "10.0.0.1", "10.0.0.2", 0, 0, 0x12345678, "ping!", 5);
	memcpy(want, mac_peer, 6);
	memcpy(want + 6, mac_own, 6);
	want[22] = 64;
	want[24] = want[25] = 0;
	sum = simple_sum(want + 14, 20, 0);
	want[24] = (uint8_t)(sum >> 8);
	want[25] = (uint8_t)sum;
	assert_memory_equal(w->fake.out[0].b, want, len);
	assert_int_equal(CT(w, net_rx_icmp), 1);
	assert_int_equal(CT(w, net_icmp_echo), 1);
	world_close(w);
}

static void echo_request6_is_turned_around_in_place(void **state)
{
	struct world *w = world_new(false);
	uint8_t f[128], want[128];
	uint32_t len = frame_icmp(f, PEER, OWN, 128, 0, 77, "ping", 4);

	(void)state;
	assert_int_equal(world_in(w, f, len), NET_DONE);
	world_flush(w);
	(void)frame_icmp(want, OWN, PEER, 129, 0, 77, "ping", 4);
	memcpy(want, mac_peer, 6);
	memcpy(want + 6, mac_own, 6);
	want[21] = 64;
	assert_int_equal(w->fake.out[0].len, len);
	assert_memory_equal(w->fake.out[0].b, want, len);
	world_close(w);
}

static void echo_with_padding_is_answered_without(void **state)
{
	struct world *w = world_new(false);
	uint8_t f[128] = {0};
	uint32_t len = frame_icmp(f, "10.0.0.2", "10.0.0.1", 8, 0, 1, "x", 1);

	(void)state;
	assert_int_equal(world_in(w, f, 60), NET_DONE);
	world_flush(w);
	assert_int_equal(w->fake.out[0].len, len);
	world_close(w);
}

static void echo_in_fragments_is_answered_in_fragments(void **state)
{
	struct world *w = world_new(false);
	static uint8_t data[3000];
	uint8_t l4[3008], f[2048];
	uint32_t total = 0;

	(void)state;
	memset(data, 0x5a, sizeof(data));
	world_know(w, "10.0.0.2");
	(void)make_icmp(l4, "10.0.0.2", "10.0.0.1", 8, 0, 9, data, 3000);
	(void)make_eth(f, mac_own, mac_peer, 0x0800);
	(void)world_in(w, f, 14 + make_ip4(f + 14, "10.0.0.2", "10.0.0.1", 1, 4, 0x2000, l4, 1480));
	(void)world_in(
		w, f,
		14 + make_ip4(f + 14, "10.0.0.2", "10.0.0.1", 1, 4, 0x2000 | 185, l4 + 1480, 1480));
	(void)world_in(w, f,
		       14 + make_ip4(f + 14, "10.0.0.2", "10.0.0.1", 1, 4, 370, l4 + 2960, 48));
	world_flush(w);
	assert_int_equal(CT(w, net_joined_icmp), 1);
	assert_int_equal(w->fake.n_out, 3);
	(void)make_icmp(l4, "10.0.0.1", "10.0.0.2", 0, 0, 9, data, 3000);
	for (uint32_t i = 0; i < 3; i++) {
		uint32_t len = w->fake.out[i].len - 34;

		assert_memory_equal(w->fake.out[i].b + 34, l4 + total, len);
		total += len;
	}
	assert_int_equal(total, 3008);
	world_close(w);
}

static void echo_over_the_rate_is_not_answered(void **state)
{
	struct world *w = world_new(false);
	uint8_t f[128];
	uint32_t len = frame_icmp(f, "10.0.0.2", "10.0.0.1", 8, 0, 1, "x", 1);

	(void)state;
	for (uint32_t i = 0; i < ICMP_ECHOES_BURST + 5; i++)
		assert_int_equal(world_in(w, f, len), NET_DONE);
	world_flush(w);
	assert_int_equal(w->fake.n_out, ICMP_ECHOES_BURST);
	assert_int_equal(CT(w, net_icmp_limited), 5);
	w->now_us += 1000;
	assert_int_equal(world_in(w, f, len), NET_DONE);
	assert_int_equal(CT(w, net_icmp_limited), 5);
	world_close(w);
}

static void any_wrong_sum_or_short_message_is_dropped(void **state)
{
	struct world *w = world_new(false);
	uint8_t f[128], l4[4] = {8, 0, 0xf7, 0xff};
	uint32_t len = frame_icmp(f, "10.0.0.2", "10.0.0.1", 8, 0, 1, "x", 1);

	(void)state;
	f[len - 1] ^= 1;
	(void)world_in(w, f, len);
	assert_int_equal(CT(w, net_drop_icmp_bad), 1);
	len = frame_icmp(f, PEER, OWN, 128, 0, 1, "x", 1);
	f[len - 1] ^= 1;
	(void)world_in(w, f, len);
	assert_int_equal(CT(w, net_drop_icmp_bad), 2);
	(void)make_eth(f, mac_own, mac_peer, 0x0800);
	(void)world_in(w, f, 14 + make_ip4(f + 14, "10.0.0.2", "10.0.0.1", 1, 1, 0, l4, 4));
	assert_int_equal(CT(w, net_drop_icmp_bad), 3);
	world_close(w);
}

static void any_other_type_is_taken_silently(void **state)
{
	struct world *w = world_new(false);
	uint8_t f[128];

	(void)state;
	(void)world_in(w, f, frame_icmp(f, "10.0.0.2", "10.0.0.1", 13, 0, 1, "x", 1));
	(void)world_in(w, f, frame_icmp(f, "10.0.0.2", "10.0.0.1", 8, 1, 1, "x", 1));
	(void)world_in(w, f, frame_icmp(f, "10.0.0.2", "10.0.0.1", 5, 1, 1, "x", 1));
	world_flush(w);
	assert_int_equal(CT(w, net_rx_icmp), 3);
	assert_int_equal(w->fake.n_out, 0);
	world_close(w);
}

/* A datagram to a port where nothing listens. */
static void closed_port(struct world *w, const char *src, const char *dst, uint32_t n)
{
	uint8_t f[FAKE_FRAME_MAX], data[1400] = {0};
	struct link_flow flow;
	struct str payload;

	assert_int_equal(world_in(w, f, frame_udp(f, src, dst, 5070, 9999, data, n)), NET_UDP);
	assert_int_equal(udp_in(w->udp, &w->in, 0, w->now_us, &flow, &payload), UDP_DONE);
	world_flush(w);
}

static void closed_port_is_unreachable(void **state)
{
	struct world *w = world_new(false);
	uint8_t f[FAKE_FRAME_MAX], data[1400] = {0}, want[FAKE_FRAME_MAX];
	const struct fake_frame *o = &w->fake.out[0];

	(void)state;
	world_know(w, "10.0.0.2");
	world_know(w, PEER);
	closed_port(w, "10.0.0.2", "10.0.0.1", 1400);
	assert_int_equal(w->fake.n_out, 1);
	assert_int_equal(o->len, 14 + 576);
	(void)frame_udp(f, "10.0.0.2", "10.0.0.1", 5070, 9999, data, 1400);
	(void)make_icmp(want, "10.0.0.1", "10.0.0.2", 3, 3, 0, f + 14, 548);
	assert_memory_equal(o->b + 34, want, 556);
	world_clear(w);
	closed_port(w, PEER, OWN, 1400);
	assert_int_equal(o->len, 14 + 1280);
	(void)frame_udp(f, PEER, OWN, 5070, 9999, data, 1400);
	(void)make_icmp(want, OWN, PEER, 1, 4, 0, f + 14, 1232);
	assert_memory_equal(o->b + 54, want, 1240);
	assert_int_equal(CT(w, udp_drop_no_listener), 2);
	world_close(w);
}

static void closed_port_flood_is_limited(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	world_know(w, "10.0.0.2");
	for (uint32_t i = 0; i < ICMP_ERRORS_BURST + 9; i++)
		closed_port(w, "10.0.0.2", "10.0.0.1", 1);
	assert_int_equal(w->fake.n_out, ICMP_ERRORS_BURST);
	assert_int_equal(CT(w, net_icmp_limited), 9);
	world_close(w);
}

static void closed_port_of_unknown_neighbour_does_not_wait(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	closed_port(w, "10.0.0.2", "10.0.0.1", 1);
	assert_int_equal(w->fake.n_out, 1); /* the ARP request */
	assert_int_equal(CT(w, net_icmp_unsent), 1);
	assert_int_equal(w->fake.live, 1); /* the received frame */
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(echo_request_is_turned_around_in_place),
		cmocka_unit_test(echo_request6_is_turned_around_in_place),
		cmocka_unit_test(echo_with_padding_is_answered_without),
		cmocka_unit_test(echo_in_fragments_is_answered_in_fragments),
		cmocka_unit_test(echo_over_the_rate_is_not_answered),
		cmocka_unit_test(any_wrong_sum_or_short_message_is_dropped),
		cmocka_unit_test(any_other_type_is_taken_silently),
		cmocka_unit_test(closed_port_is_unreachable),
		cmocka_unit_test(closed_port_flood_is_limited),
		cmocka_unit_test(closed_port_of_unknown_neighbour_does_not_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
