/* SPDX-License-Identifier: Apache-2.0 */
/* ARP and, on its example, the neighbour states of neigh.c: what is asked, answered, learned, and
 * when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dataplane/net/neigh.h"
#include "tests/unit/net/fakeport.h"

static const uint8_t mac_third[6] = {2, 0, 0, 0, 0, 3};

static struct net_neighbour neighbour(const struct world *w, const char *ip)
{
	struct net_neighbour all[16], none = {.state = 255};
	uint32_t n = net_neighbours(w->net, all, 16);
	struct ip want = ip_of(ip);

	for (uint32_t i = 0; i < n; i++) {
		if (ip_eq(&all[i].ip, &want))
			return all[i];
	}
	return none;
}

static void reply(struct world *w, const char *ip, const uint8_t *mac)
{
	uint8_t f[64];

	assert_int_equal(world_in(w, f, frame_arp(f, mac_own, 2, mac, ip, mac_own, "10.0.0.1")), 0);
	world_flush(w);
}

static void start_announces_twice_two_seconds_apart(void **state)
{
	uint8_t want[64];
	struct world *w = world_new_raw(false);
	uint32_t n = 0;

	(void)state;
	(void)frame_arp(want, mac_all, 1, mac_own, "10.0.0.1", NULL, "10.0.0.1");
	assert_memory_equal(w->fake.out[0].b, want, 42);
	assert_int_equal(w->fake.out[0].len, 42);
	world_clear(w);
	world_pass(w, 1950000);
	for (uint32_t i = 0; i < w->fake.n_out; i++)
		assert_memory_not_equal(w->fake.out[i].b, want, 42);
	world_clear(w);
	world_pass(w, 10000000);
	for (uint32_t i = 0; i < w->fake.n_out; i++)
		n += memcmp(w->fake.out[i].b, want, 42) == 0;
	assert_int_equal(n, 1);
	world_close(w);
}

static void start_without_announces_is_silent(void **state)
{
	struct world *w = world_make(false);
	struct net_config c = {.conf = &w->conf, .port = w->ports, .count = w->count};
	uint8_t f[64];

	(void)state;
	w->net = net_new(&c, w->now_us);
	w->udp = udp_new(&w->conf, w->net, w->count);
	world_pass(w, 5000000);
	assert_int_equal(
		world_in(w, f, frame_arp(f, mac_all, 1, mac_peer, "10.0.0.2", NULL, "10.0.0.1")),
		0);
	world_flush(w);
	assert_int_equal(w->fake.n_out, 0);
	assert_int_equal(neighbour(w, "10.0.0.2").state, NEIGH_STALE);
	world_close(w);
}

static void unknown_request_to_us_is_answered_and_learned(void **state)
{
	struct world *w = world_new(false);
	uint8_t f[64], want[64];

	(void)state;
	assert_int_equal(
		world_in(w, f, frame_arp(f, mac_all, 1, mac_peer, "10.0.0.2", NULL, "10.0.0.1")),
		0);
	world_flush(w);
	(void)frame_arp(want, mac_peer, 2, mac_own, "10.0.0.1", mac_peer, "10.0.0.2");
	assert_int_equal(w->fake.n_out, 1);
	assert_int_equal(w->fake.out[0].len, 42);
	assert_memory_equal(w->fake.out[0].b, want, 42);
	assert_int_equal(w->fake.out[0].flags, 0);
	assert_int_equal(neighbour(w, "10.0.0.2").state, NEIGH_STALE);
	assert_memory_equal(neighbour(w, "10.0.0.2").mac, mac_peer, 6);
	world_close(w);
}

static void unknown_probe_is_answered_not_learned(void **state)
{
	struct world *w = world_new(false);
	uint8_t f[64];

	(void)state;
	assert_int_equal(
		world_in(w, f, frame_arp(f, mac_all, 1, mac_peer, "0.0.0.0", NULL, "10.0.0.1")), 0);
	world_flush(w);
	assert_int_equal(w->fake.n_out, 1);
	assert_int_equal(neighbour(w, "0.0.0.0").state, 255);
	world_close(w);
}

static void unknown_reply_or_off_link_request_is_not_learned(void **state)
{
	struct world *w = world_new(false);
	uint8_t f[64];

	(void)state;
	reply(w, "10.0.0.2", mac_peer);
	assert_int_equal(neighbour(w, "10.0.0.2").state, 255);
	assert_int_equal(
		world_in(w, f, frame_arp(f, mac_all, 1, mac_peer, "172.16.0.9", NULL, "10.0.0.1")),
		0);
	assert_int_equal(neighbour(w, "172.16.0.9").state, 255);
	assert_int_equal(CT(w, net_rx_arp), 2);
	world_close(w);
}

static void unknown_request_for_another_is_left_alone(void **state)
{
	struct world *w = world_new(false);
	uint8_t f[64];

	(void)state;
	assert_int_equal(
		world_in(w, f, frame_arp(f, mac_all, 1, mac_peer, "10.0.0.2", NULL, "10.0.0.3")),
		0);
	world_flush(w);
	assert_int_equal(w->fake.n_out, 0);
	assert_int_equal(neighbour(w, "10.0.0.2").state, 255);
	world_close(w);
}

static void any_malformed_packet_is_dropped(void **state)
{
	static const struct {
		uint8_t at, value;
	} bad[] = {{15, 2}, {16, 6}, {18, 7}, {19, 6}, {21, 3}, {21, 0}, {22, 3}};
	struct world *w = world_new(false);
	uint8_t f[64];

	(void)state;
	for (uint32_t i = 0; i < 7; i++) {
		uint32_t len = frame_arp(f, mac_all, 1, mac_peer, "10.0.0.2", NULL, "10.0.0.1");

		f[bad[i].at] = bad[i].value;
		assert_int_equal(world_in(w, f, len), NET_DONE);
		assert_int_equal(CT(w, net_drop_arp_bad), i + 1);
	}
	assert_int_equal(world_in(w, f, 41), NET_DONE);
	assert_int_equal(CT(w, net_drop_arp_bad), 8);
	world_close(w);
}

static void own_address_claimed_is_defended_each_ten_seconds(void **state)
{
	struct world *w = world_new(false);
	uint8_t f[64], want[64];
	uint32_t len = frame_arp(f, mac_all, 1, mac_third, "10.0.0.1", NULL, "10.0.0.1");

	(void)state;
	(void)frame_arp(want, mac_all, 1, mac_own, "10.0.0.1", NULL, "10.0.0.1");
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(world_in(w, f, len), NET_DONE);
	world_flush(w);
	assert_int_equal(CT(w, net_arp_conflict), 3);
	assert_int_equal(w->fake.n_out, 1);
	assert_memory_equal(w->fake.out[0].b, want, 42);
	world_pass(w, 9950000);
	assert_int_equal(world_in(w, f, len), NET_DONE);
	world_flush(w);
	assert_int_equal(w->fake.n_out, 1);
	world_pass(w, 50000);
	assert_int_equal(world_in(w, f, len), NET_DONE);
	world_flush(w);
	assert_int_equal(w->fake.n_out, 2);
	world_close(w);
}

static void incomplete_datagram_waits_and_goes_on_reply(void **state)
{
	struct world *w = world_new(false);
	uint8_t want[64];

	(void)state;
	assert_int_equal(world_send(w, "10.0.0.1", "10.0.0.2", "one", 3), 0);
	assert_int_equal(world_send(w, "10.0.0.1", "10.0.0.2", "two", 3), 0);
	(void)frame_arp(want, mac_all, 1, mac_own, "10.0.0.1", NULL, "10.0.0.2");
	assert_int_equal(w->fake.n_out, 1);
	assert_memory_equal(w->fake.out[0].b, want, 42);
	assert_int_equal(CT(w, out_waiting), 2);
	assert_int_equal(CT(w, out_sent), 0);
	reply(w, "10.0.0.2", mac_peer);
	assert_int_equal(w->fake.n_out, 3);
	assert_memory_equal(w->fake.out[1].b, mac_peer, 6);
	assert_memory_equal(w->fake.out[1].b + 42, "one", 3);
	assert_memory_equal(w->fake.out[2].b + 42, "two", 3);
	assert_int_equal(CT(w, out_waiting), 0);
	assert_int_equal(CT(w, out_sent), 2);
	assert_int_equal(neighbour(w, "10.0.0.2").state, NEIGH_REACHABLE);
	world_close(w);
}

static void incomplete_fifth_datagram_replaces_the_oldest(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	for (char c = 'a'; c <= 'e'; c++)
		assert_int_equal(world_send(w, "10.0.0.1", "10.0.0.2", &c, 1), 0);
	assert_int_equal(CT(w, out_drop_neigh_full), 1);
	assert_int_equal(CT(w, out_waiting), 4);
	world_clear(w);
	reply(w, "10.0.0.2", mac_peer);
	assert_int_equal(w->fake.n_out, 4);
	assert_int_equal(w->fake.out[0].b[42], 'b');
	assert_int_equal(w->fake.out[3].b[42], 'e');
	world_close(w);
}

static void incomplete_without_reply_fails_after_three(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	assert_int_equal(world_send(w, "10.0.0.1", "10.0.0.2", "one", 3), 0);
	world_pass(w, 2900000);
	assert_int_equal(w->fake.n_out, 3);
	assert_int_equal(CT(w, out_waiting), 1);
	world_pass(w, 200000);
	assert_int_equal(w->fake.n_out, 3);
	assert_int_equal(CT(w, out_waiting), 0);
	assert_int_equal(CT(w, out_drop_neigh_timeout), 1);
	assert_int_equal(neighbour(w, "10.0.0.2").state, NEIGH_FAILED);
	assert_true(world_send(w, "10.0.0.1", "10.0.0.2", "two", 3) < 0);
	assert_int_equal(CT(w, out_drop_neigh_timeout), 2);
	world_pass(w, 1000000);
	(void)world_send(w, "10.0.0.1", "10.0.0.2", "two", 3);
	assert_int_equal(neighbour(w, "10.0.0.2").state, NEIGH_INCOMPLETE);
	assert_int_equal(w->fake.n_out, 4);
	world_close(w);
}

static void incomplete_many_are_bounded_in_all(void **state)
{
	struct world *w = world_new(false);
	static char big[40000];
	char peer[24];

	(void)state;
	for (int i = 10; i < 22; i++) { /* 27 fragments each: 9 of them make 243 frames */
		(void)snprintf(peer, sizeof(peer), "10.0.0.%d", i);
		(void)world_send(w, "10.0.0.1", peer, big, sizeof(big));
	}
	assert_int_equal(CT(w, out_waiting), 9);
	assert_int_equal(CT(w, out_drop_neigh_full), 3);
	world_close(w);
}

static void reachable_turns_stale_then_is_probed_on_use(void **state)
{
	struct world *w = world_new(false);
	uint8_t want[64];

	(void)state;
	(void)world_send(w, "10.0.0.1", "10.0.0.2", "one", 3);
	reply(w, "10.0.0.2", mac_peer);
	world_pass(w, 14000000);
	assert_int_equal(neighbour(w, "10.0.0.2").state, NEIGH_REACHABLE);
	world_pass(w, 32000000);
	assert_int_equal(neighbour(w, "10.0.0.2").state, NEIGH_STALE);
	world_pass(w, 60000000);
	world_clear(w);
	(void)world_send(w, "10.0.0.1", "10.0.0.2", "two", 3);
	assert_int_equal(w->fake.n_out, 1); /* sent at once */
	world_pass(w, 4900000);
	assert_int_equal(w->fake.n_out, 1);
	world_pass(w, 200000);
	assert_int_equal(w->fake.n_out, 2);
	(void)frame_arp(want, mac_peer, 1, mac_own, "10.0.0.1", NULL, "10.0.0.2");
	assert_memory_equal(w->fake.out[1].b, want, 32);
	assert_memory_equal(w->fake.out[1].b + 38, want + 38, 4);
	assert_int_equal(neighbour(w, "10.0.0.2").state, NEIGH_PROBE);
	(void)world_send(w, "10.0.0.1", "10.0.0.2", "six", 3);
	assert_int_equal(CT(w, out_sent), 3);
	reply(w, "10.0.0.2", mac_peer);
	assert_int_equal(neighbour(w, "10.0.0.2").state, NEIGH_REACHABLE);
	world_close(w);
}

static void probe_without_reply_fails(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	world_know(w, "10.0.0.2");
	(void)world_send(w, "10.0.0.1", "10.0.0.2", "one", 3);
	world_pass(w, 5100000);
	assert_int_equal(neighbour(w, "10.0.0.2").state, NEIGH_PROBE);
	world_pass(w, 3100000);
	assert_int_equal(neighbour(w, "10.0.0.2").state, NEIGH_FAILED);
	assert_int_equal(w->fake.n_out, 4);
	world_close(w);
}

static void known_gratuitous_change_moves_the_traffic(void **state)
{
	struct world *w = world_new(false);
	uint8_t f[64];

	(void)state;
	world_know(w, "10.0.0.2");
	assert_int_equal(
		world_in(w, f, frame_arp(f, mac_all, 1, mac_third, "10.0.0.2", NULL, "10.0.0.2")),
		0);
	(void)world_send(w, "10.0.0.1", "10.0.0.2", "one", 3);
	assert_int_equal(w->fake.n_out, 1);
	assert_memory_equal(w->fake.out[0].b, mac_third, 6);
	assert_int_equal(CT(w, net_neigh_learned), 2);
	world_close(w);
}

static void full_table_forgets_the_unused(void **state)
{
	struct world *w = world_new(false);
	char peer[24];

	(void)state;
	world_know(w, "10.0.0.2");
	(void)world_send(w, "10.0.0.1", "10.0.0.2", "one", 3);
	for (int i = 20; i < 40; i++) {
		(void)snprintf(peer, sizeof(peer), "10.0.0.%d", i);
		world_know(w, peer);
	}
	assert_int_equal(CT(w, net_neigh_evicted), 5);
	assert_int_equal(neighbour(w, "10.0.0.2").state, NEIGH_STALE);
	assert_int_equal(neighbour(w, "10.0.0.20").state, 255);
	assert_int_equal(neighbour(w, "10.0.0.39").state, NEIGH_STALE);
	world_close(w);
}

static void full_table_of_incomplete_refuses(void **state)
{
	struct world *w = world_new(false);
	char peer[24];

	(void)state;
	for (int i = 20; i < 37; i++) {
		(void)snprintf(peer, sizeof(peer), "10.0.0.%d", i);
		(void)world_send(w, "10.0.0.1", peer, "x", 1);
	}
	assert_int_equal(CT(w, out_waiting), 16);
	assert_int_equal(CT(w, out_drop_neigh_full), 1);
	assert_int_equal(CT(w, net_neigh_full), 1);
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(start_announces_twice_two_seconds_apart),
		cmocka_unit_test(start_without_announces_is_silent),
		cmocka_unit_test(unknown_request_to_us_is_answered_and_learned),
		cmocka_unit_test(unknown_probe_is_answered_not_learned),
		cmocka_unit_test(unknown_reply_or_off_link_request_is_not_learned),
		cmocka_unit_test(unknown_request_for_another_is_left_alone),
		cmocka_unit_test(any_malformed_packet_is_dropped),
		cmocka_unit_test(own_address_claimed_is_defended_each_ten_seconds),
		cmocka_unit_test(incomplete_datagram_waits_and_goes_on_reply),
		cmocka_unit_test(incomplete_fifth_datagram_replaces_the_oldest),
		cmocka_unit_test(incomplete_without_reply_fails_after_three),
		cmocka_unit_test(incomplete_many_are_bounded_in_all),
		cmocka_unit_test(reachable_turns_stale_then_is_probed_on_use),
		cmocka_unit_test(probe_without_reply_fails),
		cmocka_unit_test(known_gratuitous_change_moves_the_traffic),
		cmocka_unit_test(full_table_forgets_the_unused),
		cmocka_unit_test(full_table_of_incomplete_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
