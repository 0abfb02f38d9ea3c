/* SPDX-License-Identifier: Apache-2.0 */
/* Neighbour discovery: duplicate address detection, solicitation, advertisement, validation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dataplane/net/neigh.h"
#include "dataplane/net/local.h"
#include "tests/unit/net/fakeport.h"

#define OWN "2001:db8::1"
#define PEER "2001:db8::2"
#define OWN_GROUP "ff02::1:ff00:1"
static const uint8_t mac_group[6] = {0x33, 0x33, 0xff, 0, 0, 1};
static const uint8_t mac_nodes[6] = {0x33, 0x33, 0, 0, 0, 1};
static const uint8_t mac_third[6] = {2, 0, 0, 0, 0, 3};

static int state_of(const struct world *w, const char *ip)
{
	struct net_neighbour all[16];
	uint32_t n = net_neighbours(w->net, all, 16);
	struct ip want = ip_of(ip);

	for (uint32_t i = 0; i < n; i++) {
		if (ip_eq(&all[i].ip, &want))
			return all[i].state;
	}
	return -1;
}

/* Index of the frame of that ICMPv6 type and target, or -1. */
static int sent(const struct world *w, uint8_t type, const char *target)
{
	struct ip t = ip_of(target);

	for (uint32_t i = 0; i < w->fake.n_out; i++) {
		const uint8_t *b = w->fake.out[i].b;

		if (b[12] == 0x86 && b[54] == type && memcmp(b + 62, t.b, 16) == 0)
			return (int)i;
	}
	return -1;
}

static void tentative_start_solicits_then_announces(void **state)
{
	struct world *w = world_new_raw(false);
	uint8_t want[128];
	int at = sent(w, 135, OWN);
	uint32_t len = frame_ndp(want, mac_group, "::", OWN_GROUP, 135, 0, OWN, NULL);

	(void)state;
	assert_true(at >= 0);
	assert_int_equal(w->fake.out[at].len, len);
	memcpy(want + 6, mac_own, 6);
	assert_memory_equal(w->fake.out[at].b, want, len);
	assert_true(sent(w, 135, "fe80::ff:fe00:1") >= 0);
	world_clear(w);
	world_pass(w, 950000);
	assert_true(world_send(w, OWN, PEER, "x", 1) < 0);
	assert_int_equal(CT(w, out_drop_link_down), 1);
	assert_int_equal(sent(w, 136, OWN), -1);
	world_pass(w, 50000);
	at = sent(w, 136, OWN);
	assert_true(at >= 0);
	len = frame_ndp(want, mac_nodes, OWN, "ff02::1", 136, 0x20, OWN, mac_own);
	memcpy(want + 6, mac_own, 6);
	assert_int_equal(w->fake.out[at].len, len);
	assert_memory_equal(w->fake.out[at].b, want, len);
	assert_int_equal(world_send(w, OWN, PEER, "x", 1), 0);
	world_close(w);
}

static void tentative_traffic_is_dropped(void **state)
{
	struct world *w = world_new_raw(false);
	uint8_t f[128];

	(void)state;
	assert_int_equal(world_in(w, f, frame_udp(f, PEER, OWN, 1, 5060, "x", 1)), NET_DONE);
	assert_int_equal(CT(w, net_drop_not_for_us), 1);
	assert_int_equal(world_in(w, f, frame_icmp(f, PEER, OWN, 128, 0, 1, "x", 1)), NET_DONE);
	assert_int_equal(CT(w, net_drop_not_for_us), 2);
	world_clear(w);
	assert_int_equal(
		world_in(w, f, frame_ndp(f, mac_group, PEER, OWN_GROUP, 135, 0, OWN, mac_peer)), 0);
	world_flush(w);
	assert_int_equal(w->fake.n_out, 0);
	assert_int_equal(CT(w, net_rx_ndp), 1);
	world_close(w);
}

static void tentative_other_claims_it_is_never_used(void **state)
{
	for (int i = 0; i < 2; i++) {
		struct world *w = world_new_raw(false);
		struct ip own = ip_of(OWN);
		uint8_t f[128];
		uint32_t len = i == 0 ? frame_ndp(f, mac_group, "::", OWN_GROUP, 135, 0, OWN, NULL)
				      : frame_ndp(f, mac_nodes, PEER, "ff02::1", 136, 0x20, OWN,
						  mac_third);

		(void)state;
		assert_int_equal(world_in(w, f, len), NET_DONE);
		assert_int_equal(CT(w, net_dad_conflict), 1);
		world_settle(w);
		assert_true(world_send(w, OWN, PEER, "x", 1) < 0);
		assert_int_equal(CT(w, out_drop_link_down), 1);
		assert_int_equal(net_interface_of(w->net, &own), -1);
		assert_int_equal(world_in(w, f, frame_udp(f, PEER, OWN, 1, 5060, "x", 1)),
				 NET_DONE);
		assert_int_equal(CT(w, net_drop_not_for_us), 1);
		world_close(w);
	}
}

static void tentative_link_down_waits_with_detection(void **state)
{
	struct world *w = world_make(false);

	(void)state;
	w->fake.port.info.link_up = false;
	world_start(w);
	world_pass(w, 5000000);
	assert_int_equal(w->fake.n_out, 0);
	w->fake.port.info.link_up = true;
	world_pass(w, 200000);
	assert_true(sent(w, 135, OWN) >= 0);
	assert_int_equal(sent(w, 136, OWN), -1);
	world_pass(w, 1100000);
	assert_true(sent(w, 136, OWN) >= 0);
	world_close(w);
}

static void usable_solicitation_is_answered_and_learned(void **state)
{
	struct world *w = world_new(false);
	uint8_t f[128], want[128];
	uint32_t len = frame_ndp(f, mac_group, PEER, OWN_GROUP, 135, 0, OWN, mac_third);

	(void)state;
	assert_int_equal(world_in(w, f, len), NET_DONE);
	world_flush(w);
	assert_int_equal(w->fake.n_out, 1);
	len = frame_ndp(want, mac_third, OWN, PEER, 136, 0x60, OWN, mac_own);
	memcpy(want + 6, mac_own, 6);
	assert_int_equal(w->fake.out[0].len, len);
	assert_memory_equal(w->fake.out[0].b, want, len);
	assert_int_equal(state_of(w, PEER), NEIGH_STALE);
	world_close(w);
}

static void usable_probe_of_another_is_answered_to_all(void **state)
{
	struct world *w = world_new(false);
	uint8_t f[128];

	(void)state;
	assert_int_equal(
		world_in(w, f, frame_ndp(f, mac_group, "::", OWN_GROUP, 135, 0, OWN, NULL)), 0);
	world_flush(w);
	assert_int_equal(w->fake.n_out, 1);
	assert_int_equal(w->fake.out[0].b[5], 1);
	assert_int_equal(w->fake.out[0].b[58], 0x20);
	assert_int_equal(CT(w, net_dad_conflict), 0);
	world_close(w);
}

static void usable_link_local_answers(void **state)
{
	struct world *w = world_new(false);
	uint8_t f[128];

	(void)state;
	assert_int_equal(world_in(w, f,
				  frame_ndp(f, mac_group, "fe80::2", OWN_GROUP, 135, 0,
					    "fe80::ff:fe00:1", mac_peer)),
			 0);
	world_flush(w);
	assert_true(sent(w, 136, "fe80::ff:fe00:1") == 0);
	assert_int_equal(state_of(w, "fe80::2"), NEIGH_STALE);
	world_close(w);
}

static void incomplete_advertisement_follows_its_flags(void **state)
{
	struct world *w = world_new(false);
	uint8_t f[128];
	uint32_t len;

	(void)state;
	assert_int_equal(world_send(w, OWN, PEER, "abc", 3), 0);
	assert_int_equal(sent(w, 135, PEER), 0);
	assert_int_equal(state_of(w, PEER), NEIGH_INCOMPLETE);
	len = frame_ndp(f, mac_own, PEER, OWN, 136, 0x60, PEER, NULL);
	assert_int_equal(world_in(w, f, len), NET_DONE);
	assert_int_equal(state_of(w, PEER), NEIGH_INCOMPLETE);
	len = frame_ndp(f, mac_own, PEER, OWN, 136, 0x60, PEER, mac_peer);
	assert_int_equal(world_in(w, f, len), NET_DONE);
	world_flush(w);
	assert_int_equal(state_of(w, PEER), NEIGH_REACHABLE);
	assert_int_equal(CT(w, out_sent), 1);
	assert_memory_equal(w->fake.out[1].b, mac_peer, 6);
	/* another address without override: doubt only */
	len = frame_ndp(f, mac_own, PEER, OWN, 136, 0x40, PEER, mac_third);
	assert_int_equal(world_in(w, f, len), NET_DONE);
	assert_int_equal(state_of(w, PEER), NEIGH_STALE);
	assert_int_equal(CT(w, net_neigh_learned), 1);
	len = frame_ndp(f, mac_own, PEER, OWN, 136, 0x20, PEER, mac_third);
	assert_int_equal(world_in(w, f, len), NET_DONE);
	assert_int_equal(state_of(w, PEER), NEIGH_STALE);
	assert_int_equal(CT(w, net_neigh_learned), 2);
	world_close(w);
}

static void any_invalid_message_is_dropped(void **state)
{
	struct world *w = world_new(false);
	uint8_t f[128], l4[64], rest[32] = {0};
	uint64_t bad = 0;

	(void)state;
	/* hop limit, which no sum covers */
	uint32_t len = frame_ndp(f, mac_group, PEER, OWN_GROUP, 135, 0, OWN, mac_peer);
	f[21] = 254;
	(void)world_in(w, f, len);
	assert_int_equal(CT(w, net_drop_ndp_bad), ++bad);
	/* code, multicast target, DAD with an option, DAD to unicast, solicited to a group */
	len = make_icmp(l4, PEER, OWN, 135, 1, 0, ip_of(OWN).b, 16);
	(void)make_eth(f, mac_own, mac_peer, 0x86dd);
	(void)world_in(w, f, 14 + make_ip6(f + 14, PEER, OWN, 58, 255, l4, len));
	assert_int_equal(CT(w, net_drop_ndp_bad), ++bad);
	(void)world_in(w, f, frame_ndp(f, mac_own, PEER, OWN, 135, 0, "ff02::1", mac_peer));
	assert_int_equal(CT(w, net_drop_ndp_bad), ++bad);
	(void)world_in(w, f, frame_ndp(f, mac_group, "::", OWN_GROUP, 135, 0, OWN, mac_peer));
	assert_int_equal(CT(w, net_drop_ndp_bad), ++bad);
	(void)world_in(w, f, frame_ndp(f, mac_group, "::", "ff02::1", 135, 0, OWN, NULL));
	assert_int_equal(CT(w, net_drop_ndp_bad), ++bad);
	(void)world_in(w, f, frame_ndp(f, mac_group, PEER, "ff02::1", 136, 0x40, PEER, mac_peer));
	assert_int_equal(CT(w, net_drop_ndp_bad), ++bad);
	/* options of length 0 and past the end; too short */
	(void)make_eth(f, mac_own, mac_peer, 0x86dd);
	memcpy(rest, ip_of(OWN).b, 16);
	rest[16] = 1;
	for (uint8_t octets = 0; octets < 3; octets += 2) {
		rest[17] = octets;
		len = make_icmp(l4, PEER, OWN, 135, 0, 0, rest, 24);
		(void)world_in(w, f, 14 + make_ip6(f + 14, PEER, OWN, 58, 255, l4, len));
		assert_int_equal(CT(w, net_drop_ndp_bad), ++bad);
	}
	len = make_icmp(l4, PEER, OWN, 135, 0, 0, rest, 15);
	(void)world_in(w, f, 14 + make_ip6(f + 14, PEER, OWN, 58, 255, l4, len));
	assert_int_equal(CT(w, net_drop_ndp_bad), ++bad);
	len = frame_ndp(f, mac_group, PEER, OWN_GROUP, 135, 0, OWN, mac_peer);
	f[60] ^= 1;
	(void)world_in(w, f, len);
	assert_int_equal(CT(w, net_drop_icmp_bad), 1);
	assert_int_equal(CT(w, net_rx_ndp), 0);
	world_flush(w);
	assert_int_equal(w->fake.n_out, 0);
	assert_int_equal(state_of(w, PEER), -1);
	world_close(w);
}

static void any_router_advertisement_is_counted_only(void **state)
{
	struct world *w = world_new(false);
	uint8_t f[128], l4[64], zero[16] = {0};
	uint32_t len = make_icmp(l4, "fe80::9", "ff02::1", 134, 0, 0, zero, 16);

	(void)state;
	(void)make_eth(f, mac_nodes, mac_peer, 0x86dd);
	(void)world_in(w, f, 14 + make_ip6(f + 14, "fe80::9", "ff02::1", 58, 255, l4, len));
	assert_int_equal(CT(w, net_rx_ndp), 1);
	assert_int_equal(state_of(w, "fe80::9"), -1);
	world_close(w);
}

static void any_other_multicast_is_not_for_us(void **state)
{
	struct world *w = world_new(false);
	uint8_t f[128];
	uint32_t len = frame_icmp(f, PEER, "ff02::1", 128, 0, 1, "x", 1);

	(void)state;
	f[0] = f[1] = 0x33;
	(void)world_in(w, f, len);
	assert_int_equal(CT(w, net_drop_not_for_us), 1);
	(void)world_in(w, f,
		       frame_ndp(f, mac_group, PEER, "ff02::1:ff00:77", 135, 0, OWN, mac_peer));
	assert_int_equal(CT(w, net_drop_not_for_us), 2);
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tentative_start_solicits_then_announces),
		cmocka_unit_test(tentative_traffic_is_dropped),
		cmocka_unit_test(tentative_other_claims_it_is_never_used),
		cmocka_unit_test(tentative_link_down_waits_with_detection),
		cmocka_unit_test(usable_solicitation_is_answered_and_learned),
		cmocka_unit_test(usable_probe_of_another_is_answered_to_all),
		cmocka_unit_test(usable_link_local_answers),
		cmocka_unit_test(incomplete_advertisement_follows_its_flags),
		cmocka_unit_test(any_invalid_message_is_dropped),
		cmocka_unit_test(any_router_advertisement_is_counted_only),
		cmocka_unit_test(any_other_multicast_is_not_for_us),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
