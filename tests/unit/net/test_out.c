/* SPDX-License-Identifier: Apache-2.0 */
/* Datagrams out: exact octets, offloads, fragments of both families, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "platform/base/err.h"
#include "tests/unit/net/fakeport.h"

#define OWN "2001:db8::1"
#define PEER "2001:db8::2"
static uint8_t big[65536];

static void fill(void)
{
	for (uint32_t i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i * 7 + i / 251);
}

static void known4_short_datagram_has_exact_octets(void **state)
{
	struct world *w = world_new(false);
	const struct fake_frame *o = &w->fake.out[0];
	uint8_t want[128], l4[64];
	uint32_t len = make_udp(l4, "10.0.0.1", "10.0.0.2", 5060, 5070, "hello", 5);

	(void)state;
	world_know(w, "10.0.0.2");
	assert_int_equal(world_send(w, "10.0.0.1", "10.0.0.2", "hello", 5), 0);
	(void)make_eth(want, mac_peer, mac_own, 0x0800);
	len = 14 + make_ip4(want + 14, "10.0.0.1", "10.0.0.2", 17, 0, 0x4000, l4, len);
	want[15] = 26 << 2;
	want[18] = o->b[18]; /* the identification is free with DF (RFC 6864) */
	want[19] = o->b[19];
	want[22] = 64;
	want[24] = want[25] = 0;
	uint16_t sum = simple_sum(want + 14, 20, 0);
	want[24] = (uint8_t)(sum >> 8);
	want[25] = (uint8_t)sum;
	assert_int_equal(o->len, len);
	assert_memory_equal(o->b, want, len);
	assert_int_equal(o->flags, 0);
	assert_int_equal(CT(w, out_sent), 1);
	assert_int_equal(CT(w, out_fragments), 0);
	world_close(w);
}

static void known6_short_datagram_has_exact_octets(void **state)
{
	struct world *w = world_new(false);
	uint8_t want[128], l4[64];
	uint32_t len = make_udp(l4, OWN, PEER, 5060, 5070, "hello", 5);

	(void)state;
	world_know(w, PEER);
	assert_int_equal(world_send(w, OWN, PEER, "hello", 5), 0);
	(void)make_eth(want, mac_peer, mac_own, 0x86dd);
	len = 14 + make_ip6(want + 14, OWN, PEER, 17, 64, l4, len);
	want[14] = 0x66; /* dscp 26 */
	want[15] = 0x80;
	assert_int_equal(w->fake.out[0].len, len);
	assert_memory_equal(w->fake.out[0].b, want, len);
	world_close(w);
}

static void offload_leaves_the_sums_to_the_device(void **state)
{
	struct world *w = world_new(true);
	const struct fake_frame *o = &w->fake.out[0];
	uint8_t ph[12] = {10, 0, 0, 1, 10, 0, 0, 2, 0, 17, 0, 13};
	uint16_t pseudo = (uint16_t)~simple_sum(ph, 12, 0);

	(void)state;
	world_know(w, "10.0.0.2");
	world_know(w, PEER);
	assert_int_equal(world_send(w, "10.0.0.1", "10.0.0.2", "hello", 5), 0);
	assert_int_equal(o->flags, FRAME_TX_IP_CSUM | FRAME_TX_UDP_CSUM);
	assert_int_equal(o->l3_off, 14);
	assert_int_equal(o->b[24] | o->b[25], 0);
	assert_int_equal(o->b[40] << 8 | o->b[41], pseudo);
	world_clear(w);
	assert_int_equal(world_send(w, OWN, PEER, "hello", 5), 0);
	assert_int_equal(o->flags, FRAME_TX_UDP_CSUM);
	world_close(w);
}

static void zero_sum_is_sent_as_ones(void **state)
{
	struct world *w = world_new(false);
	uint8_t l4[64], data[2] = {0};
	uint16_t sum;

	(void)state;
	world_know(w, "10.0.0.2");
	(void)make_udp(l4, "10.0.0.1", "10.0.0.2", 5060, 5070, data, 2);
	sum = (uint16_t)(l4[6] << 8 | l4[7]);
	data[0] = (uint8_t)(sum >> 8);
	data[1] = (uint8_t)sum;
	assert_int_equal(world_send(w, "10.0.0.1", "10.0.0.2", data, 2), 0);
	assert_int_equal(w->fake.out[0].b[40], 0xff);
	assert_int_equal(w->fake.out[0].b[41], 0xff);
	world_close(w);
}

/* The sent fragments, put together by hand, are the datagram; ret how many. */
static uint32_t put_together(struct world *w, bool is4, uint32_t n, uint32_t mtu)
{
	static uint8_t got[70000], want[70000];
	uint32_t header = is4 ? 34 : 62, at = 0;
	uint32_t len = is4 ? make_udp(want, "10.0.0.1", "10.0.0.2", 5060, 5070, big, n)
			   : make_udp(want, OWN, PEER, 5060, 5070, big, n);

	for (uint32_t i = 0; i < w->fake.n_out; i++) {
		const struct fake_frame *o = &w->fake.out[i];
		const uint8_t *word = is4 ? o->b + 20 : o->b + 56;
		uint32_t v = (uint32_t)word[0] << 8 | word[1];
		bool more = i + 1 < w->fake.n_out;

		assert_true(o->len <= mtu + 14);
		assert_int_equal(is4 ? (v & 0x1fff) * 8 : v & ~7u, at);
		assert_int_equal(is4 ? (v & 0x6000) : v & 7, more ? (is4 ? 0x2000 : 1) : 0);
		assert_memory_equal(o->b + (is4 ? 18 : 58), w->fake.out[0].b + (is4 ? 18 : 58),
				    is4 ? 2 : 4);
		if (is4)
			assert_int_equal(simple_sum(o->b + 14, 20, 0), 0);
		else
			assert_int_equal(o->b[20], 44);
		memcpy(got + at, o->b + header, o->len - header);
		at += o->len - header;
	}
	assert_int_equal(at, len);
	assert_memory_equal(got, want, len);
	return w->fake.n_out;
}

static void known_long_datagram_goes_in_fragments(void **state)
{
	(void)state;
	fill();
	for (int is4 = 0; is4 < 2; is4++) {
		struct world *w = world_new(false);
		const char *local = is4 ? "10.0.0.1" : OWN, *peer = is4 ? "10.0.0.2" : PEER;

		world_know(w, peer);
		assert_int_equal(world_send(w, local, peer, big, is4 ? 1472 : 1452), 0);
		assert_int_equal(w->fake.n_out, 1);
		assert_int_equal(w->fake.out[0].len, 1514);
		world_clear(w);
		assert_int_equal(world_send(w, local, peer, big, is4 ? 1473 : 1453), 0);
		assert_int_equal(put_together(w, is4, is4 ? 1473 : 1453, 1500), 2);
		world_clear(w);
		assert_int_equal(world_send(w, local, peer, big, 8192), 0);
		assert_int_equal(put_together(w, is4, 8192, 1500), 6);
		world_clear(w);
		assert_int_equal(world_send(w, local, peer, big, is4 ? 65507 : 65527), 0);
		assert_int_equal(put_together(w, is4, is4 ? 65507 : 65527, 1500), is4 ? 45 : 46);
		assert_int_equal(CT(w, out_sent), 4);
		assert_int_equal(CT(w, out_fragments), is4 ? 53 : 54);
		assert_int_equal(world_send(w, local, peer, big, is4 ? 65508 : 65528), -E_TOO_LONG);
		assert_int_equal(CT(w, out_drop_too_long), 1);
		world_close(w);
	}
}

static void unknown_long_datagram_waits_whole(void **state)
{
	struct world *w = world_new(false);
	uint8_t f[64];

	(void)state;
	fill();
	assert_int_equal(world_send(w, "10.0.0.1", "10.0.0.2", big, 8192), 0);
	assert_int_equal(w->fake.n_out, 1);
	assert_int_equal(CT(w, out_waiting), 1);
	world_clear(w);
	(void)world_in(w, f, frame_arp(f, mac_own, 2, mac_peer, "10.0.0.2", mac_own, "10.0.0.1"));
	world_flush(w);
	assert_int_equal(put_together(w, true, 8192, 1500), 6);
	assert_int_equal(CT(w, out_sent), 1);
	world_close(w);
}

static void small_mtu_needs_most_fragments(void **state)
{
	struct world *w = world_make(false);

	(void)state;
	fill();
	w->conf.interface[0].mtu = w->conf.interface[1].mtu = 576;
	world_start(w);
	world_settle(w);
	world_know(w, "10.0.0.2");
	assert_int_equal(world_send(w, "10.0.0.1", "10.0.0.2", big, 65507), 0);
	assert_int_equal(put_together(w, true, 65507, 576), 119);
	world_close(w);
}

static void no_buffer_nothing_is_sent(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	world_know(w, "10.0.0.2");
	w->fake.alloc_left = 3;
	assert_int_equal(world_send(w, "10.0.0.1", "10.0.0.2", big, 8192), -E_FULL);
	assert_int_equal(w->fake.n_out, 0);
	assert_int_equal(w->fake.live, 0);
	assert_int_equal(CT(w, out_drop_no_buffer), 1);
	w->fake.alloc_left = 0;
	assert_int_equal(world_send(w, "10.0.0.1", "10.0.0.2", big, 10), -E_FULL);
	assert_int_equal(CT(w, out_drop_no_buffer), 2);
	world_close(w);
}

static void stuck_port_fills_the_queue_then_drops(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	world_know(w, "10.0.0.2");
	w->fake.tx_left = 0;
	for (uint32_t i = 0; i < 260; i++)
		(void)world_send(w, "10.0.0.1", "10.0.0.2", &i, 4);
	assert_int_equal(CT(w, out_sent), 256);
	assert_int_equal(CT(w, out_drop_tx_full), 4);
	assert_int_equal(CT(w, net_tx_held), 256);
	w->fake.tx_left = 100;
	world_flush(w);
	assert_int_equal(w->fake.n_out, 100);
	w->fake.tx_left = 1000;
	world_flush(w);
	assert_int_equal(w->fake.n_out, 256);
	for (uint32_t i = 0; i < 256; i++)
		assert_memory_equal(w->fake.out[i].b + 42, &i, 4);
	world_close(w);
}

static void link_down_loses_the_queue_and_refuses(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	world_know(w, "10.0.0.2");
	w->fake.tx_left = 0;
	(void)world_send(w, "10.0.0.1", "10.0.0.2", "x", 1);
	w->fake.port.info.link_up = false;
	assert_int_equal(world_send(w, "10.0.0.1", "10.0.0.2", "x", 1), -E_NOT_FOUND);
	assert_int_equal(CT(w, out_drop_link_down), 1);
	assert_int_equal(CT(w, tx_drop_link_down), 1);
	assert_int_equal(w->fake.live, 0);
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known4_short_datagram_has_exact_octets),
		cmocka_unit_test(known6_short_datagram_has_exact_octets),
		cmocka_unit_test(offload_leaves_the_sums_to_the_device),
		cmocka_unit_test(zero_sum_is_sent_as_ones),
		cmocka_unit_test(known_long_datagram_goes_in_fragments),
		cmocka_unit_test(unknown_long_datagram_waits_whole),
		cmocka_unit_test(small_mtu_needs_most_fragments),
		cmocka_unit_test(no_buffer_nothing_is_sent),
		cmocka_unit_test(stuck_port_fills_the_queue_then_drops),
		cmocka_unit_test(link_down_loses_the_queue_and_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
