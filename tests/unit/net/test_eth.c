/* SPDX-License-Identifier: Apache-2.0 */
/* Ethernet and VLAN: who is let in, and as what. Also the checksum against a simple one, and every
 * prefix of good frames of each kind against a forbidden page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dataplane/net/csum.h"
#include "tests/guard.h"
#include "tests/unit/net/fakeport.h"

static const uint8_t mac_other[6] = {2, 0, 0, 0, 0, 9};

static void run(const uint8_t *frame, uint32_t len, enum counter want)
{
	struct world *w = world_new(false);
	uint64_t before = CT(w, want);

	assert_int_equal(world_in(w, frame, len), want == net_rx_udp ? NET_UDP : NET_DONE);
	assert_int_equal(CT(w, want), before + 1);
	world_close(w);
}

static uint32_t good(uint8_t *f)
{
	return frame_udp(f, "10.0.0.2", "10.0.0.1", 5070, 5060, "hello", 5);
}

static void any_unicast_for_another_mac_is_dropped(void **state)
{
	uint8_t f[256];
	uint32_t len = good(f);

	(void)state;
	run(f, len, net_rx_udp);
	memcpy(f, mac_other, 6);
	run(f, len, net_drop_not_for_us_l2);
	memcpy(f, mac_all, 6); /* RFC 1122 §3.3.6: unicast in a broadcast frame */
	run(f, len, net_drop_not_for_us);
}

static void any_source_mac_group_or_own_is_dropped(void **state)
{
	uint8_t f[256];
	uint32_t len = good(f);

	(void)state;
	memcpy(f + 6, mac_own, 6);
	run(f, len, net_drop_l2_source);
	memcpy(f + 6, mac_all, 6);
	run(f, len, net_drop_l2_source);
}

static void any_unknown_ethertype_is_dropped(void **state)
{
	uint8_t f[256];
	uint32_t len = good(f);

	(void)state;
	f[12] = 0x88;
	f[13] = 0xcc;
	run(f, len, net_drop_ethertype);
	f[12] = 0;
	f[13] = 60; /* an 802.3 length */
	run(f, len, net_drop_ethertype);
}

static void vlan_tags_choose_the_interface(void **state)
{
	struct world *w = world_new(false);
	uint8_t f[256], l4[64], l3[128];
	uint32_t len = make_udp(l4, "10.1.0.2", "10.1.0.1", 5070, 5060, "x", 1);
	uint32_t l3_len = make_ip4(l3, "10.1.0.2", "10.1.0.1", 17, 1, 0, l4, len);

	(void)state;
	(void)make_vlan(f, mac_own, 100, 0x0800);
	memcpy(f + 18, l3, l3_len);
	assert_int_equal(world_in(w, f, 18 + l3_len), NET_UDP);
	assert_int_equal(w->in.path.interface, 1);
	f[15] = 101;
	assert_int_equal(world_in(w, f, 18 + l3_len), NET_DONE);
	assert_int_equal(CT(w, net_drop_vlan), 1);
	f[15] = 0; /* priority tag: untagged link, where that address is not */
	assert_int_equal(world_in(w, f, 18 + l3_len), NET_DONE);
	assert_int_equal(CT(w, net_drop_not_for_us), 1);
	world_close(w);
}

static void vlan_priority_tag_is_untagged(void **state)
{
	struct world *w = world_new(false);
	uint8_t f[256], plain[256];
	uint32_t len = good(plain);

	(void)state;
	(void)make_vlan(f, mac_own, 0xe000, 0x0800);
	memcpy(f + 18, plain + 14, len - 14);
	assert_int_equal(world_in(w, f, len + 4), NET_UDP);
	assert_int_equal(w->in.path.interface, 0);
	assert_int_equal(w->in.l4_len, 13);
	world_close(w);
}

static void vlan_sent_frame_has_the_tag(void **state)
{
	static const uint8_t want[18] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x81, 0, 0, 100, 8, 0};
	struct world *w = world_new(false);
	uint8_t f[64], arp[64];

	(void)state;
	(void)frame_arp(arp, mac_own, 1, mac_peer, "10.1.0.2", NULL, "10.1.0.1");
	(void)make_vlan(f, mac_own, 100, 0x0806);
	memcpy(f + 18, arp + 14, 28);
	assert_int_equal(world_in(w, f, 46), NET_DONE);
	world_flush(w);
	assert_int_equal(w->fake.n_out, 1);
	assert_int_equal(w->fake.out[0].len, 46);
	assert_memory_equal(w->fake.out[0].b, want, 16);
	assert_int_equal(world_send(w, "10.1.0.1", "10.1.0.2", "abc", 3), 0);
	assert_int_equal(w->fake.n_out, 2);
	assert_memory_equal(w->fake.out[1].b, want, 18);
	world_close(w);
}

static void link_down_frame_is_dropped(void **state)
{
	struct world *w = world_new(false);
	uint8_t f[256];
	uint32_t len = good(f);

	(void)state;
	w->fake.port.info.link_up = false;
	assert_int_equal(world_in(w, f, len), NET_DONE);
	assert_int_equal(CT(w, net_drop_link_down), 1);
	world_close(w);
}

static void any_length_and_start_sums_as_the_simple_way(void **state)
{
	uint8_t b[300];

	(void)state;
	srand(7);
	for (uint32_t i = 0; i < sizeof(b); i++)
		b[i] = (uint8_t)(rand() | (i % 7 == 0 ? 0xff : 0));
	for (uint32_t len = 0; len <= 290; len++) {
		uint8_t at[2];

		csum_store(at, (uint16_t)~csum_fold(csum_add(0, b + len % 9, len)));
		assert_int_equal(at[0] << 8 | at[1], simple_sum(b + len % 9, len, 0));
	}
	memset(b, 0xff, sizeof(b));
	assert_int_equal(csum_fold(csum_add(0, b, 300)), 0xffff);
}

static void prefix(const void *bytes, size_t len, void *ctx)
{
	struct world *w = ctx;
	struct link_flow flow;
	struct str payload;

	world_in_done(w);
	fakeport_frame(&w->fake, bytes, (uint32_t)len, (void *)(uintptr_t)bytes, &w->frame);
	if (net_in(w->net, 0, &w->frame, w->now_us, &w->in) == NET_UDP)
		(void)udp_in(w->udp, &w->in, 0, w->now_us, &flow, &payload);
	world_flush(w);
	world_in_done(w);
	world_clear(w);
	world_check(w);
}

static void any_prefix_of_a_good_frame_is_read_within_it(void **state)
{
	struct world *w = world_new(false);
	uint8_t f[512], l4[256], ext[64] = {17, 0, 5, 2, 0, 0, 1, 0};
	uint32_t len;

	(void)state;
	guard_each_prefix(f, good(f), prefix, w);
	guard_each_prefix(f, frame_udp(f, "2001:db8::2", "2001:db8::1", 1, 5060, "x", 1), prefix,
			  w);
	guard_each_prefix(f, frame_arp(f, mac_all, 1, mac_peer, "10.0.0.2", NULL, "10.0.0.1"),
			  prefix, w);
	len = frame_ndp(f, mac_own, "2001:db8::2", "2001:db8::1", 135, 0, "2001:db8::1", mac_peer);
	guard_each_prefix(f, len, prefix, w);
	guard_each_prefix(f, frame_icmp(f, "10.0.0.2", "10.0.0.1", 8, 0, 1, "ping", 4), prefix, w);
	len = 8 + make_udp(ext + 8, "2001:db8::2", "2001:db8::1", 9, 5060, "abc", 3);
	(void)make_eth(f, mac_own, mac_peer, 0x86dd);
	len = 14 + make_ip6(f + 14, "2001:db8::2", "2001:db8::1", 0, 9, ext, len);
	guard_each_prefix(f, len, prefix, w);
	(void)make_eth(f, mac_own, mac_peer, 0x0800);
	memset(l4, 1, sizeof(l4));
	len = 14 + make_ip4(f + 14, "10.0.0.2", "10.0.0.1", 17, 3, 0x2000, l4, 64);
	guard_each_prefix(f, len, prefix, w);
	assert_true(CT(w, net_drop_short) > 0 && CT(w, net_drop_ip_header) > 0);
	world_close(w);
}

static void any_kind_of_frame_concerns_all_or_one(void **state)
{
	uint8_t f[256];
	struct frame v = {.data = f};

	(void)state;
	v.len = good(f);
	assert_false(net_concerns_all(&v));
	v.len = frame_arp(f, mac_all, 1, mac_peer, "10.0.0.2", NULL, "10.0.0.1");
	assert_true(net_concerns_all(&v));
	v.len = frame_ndp(f, mac_own, "fe80::2", "2001:db8::1", 136, 0, "fe80::2", mac_peer);
	assert_true(net_concerns_all(&v));
	v.len = frame_icmp(f, "10.0.0.2", "10.0.0.1", 3, 4, 1400, "", 0);
	assert_true(net_concerns_all(&v));
	v.len = frame_icmp(f, "10.0.0.2", "10.0.0.1", 8, 0, 1, "", 0);
	assert_false(net_concerns_all(&v));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_unicast_for_another_mac_is_dropped),
		cmocka_unit_test(any_source_mac_group_or_own_is_dropped),
		cmocka_unit_test(any_unknown_ethertype_is_dropped),
		cmocka_unit_test(vlan_tags_choose_the_interface),
		cmocka_unit_test(vlan_priority_tag_is_untagged),
		cmocka_unit_test(vlan_sent_frame_has_the_tag),
		cmocka_unit_test(link_down_frame_is_dropped),
		cmocka_unit_test(any_length_and_start_sums_as_the_simple_way),
		cmocka_unit_test(any_prefix_of_a_good_frame_is_read_within_it),
		cmocka_unit_test(any_kind_of_frame_concerns_all_or_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
