/* SPDX-License-Identifier: Apache-2.0 */
/* Path MTU: what is believed, its floors, plateaus and age. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dataplane/net/pmtu.h"
#include "tests/unit/net/fakeport.h"

#define OWN "2001:db8::1"
#define PEER "2001:db8::2"

static uint32_t max_to(struct world *w, const char *local, const char *peer)
{
	struct net_path path = {.local = ip_of(local), .peer = ip_of(peer), .proto = 17};

	return net_path_payload_max(w->net, &path, w->now_us);
}

/* "Too big" about a datagram of ours of that total length. */
static void too_big4(struct world *w, const char *from, const char *dst, uint16_t mtu, uint32_t len)
{
	uint8_t f[256], quote[64], l4[64] = {0};

	(void)make_ip4(quote, "10.0.0.1", dst, 17, 1, 0x4000, l4, 8);
	quote[2] = (uint8_t)(len >> 8);
	quote[3] = (uint8_t)len;
	(void)world_in(w, f, frame_icmp(f, from, "10.0.0.1", 3, 4, mtu, quote, 28));
}

static void too_big6(struct world *w, const char *dst, uint32_t mtu)
{
	uint8_t f[256], quote[64], l4[64] = {0};

	(void)make_ip6(quote, OWN, dst, 17, 64, l4, 8);
	(void)world_in(w, f, frame_icmp(f, "2001:db8::fe", OWN, 2, 0, mtu, quote, 48));
}

static void unknown_destination_is_not_believed(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	too_big4(w, "10.0.0.254", "10.0.0.2", 1400, 1500);
	too_big6(w, PEER, 1400);
	assert_int_equal(CT(w, net_pmtu_refused), 2);
	assert_int_equal(CT(w, net_rx_icmp), 2);
	assert_int_equal(max_to(w, "10.0.0.1", "10.0.0.2"), 1472);
	assert_int_equal(max_to(w, OWN, PEER), 1452);
	world_close(w);
}

static void recent_destination_lowers_once_and_ages(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	world_know(w, "10.0.0.2");
	(void)world_send(w, "10.0.0.1", "10.0.0.2", "x", 1);
	too_big4(w, "10.0.0.254", "10.0.0.2", 1400, 1500);
	assert_int_equal(max_to(w, "10.0.0.1", "10.0.0.2"), 1372);
	assert_int_equal(CT(w, net_pmtu_learned), 1);
	too_big4(w, "10.0.0.254", "10.0.0.2", 1450, 1500);
	too_big4(w, "10.0.0.254", "10.0.0.2", 1400, 1500);
	assert_int_equal(CT(w, net_pmtu_refused), 2);
	assert_int_equal(max_to(w, "10.0.0.1", "10.0.0.2"), 1372);
	w->now_us += PMTU_AGE_US - 1;
	assert_int_equal(max_to(w, "10.0.0.1", "10.0.0.2"), 1372);
	w->now_us++;
	assert_int_equal(max_to(w, "10.0.0.1", "10.0.0.2"), 1472);
	too_big4(w, "10.0.0.254", "10.0.0.2", 1400, 1500); /* not so recent any more */
	assert_int_equal(CT(w, net_pmtu_refused), 3);
	world_close(w);
}

static void recent_destination_keeps_to_the_floors(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	(void)world_send(w, "10.0.0.1", "10.0.0.2", "x", 1);
	(void)world_send(w, OWN, PEER, "x", 1);
	too_big6(w, PEER, 1279);
	assert_int_equal(max_to(w, OWN, PEER), 1452);
	assert_int_equal(CT(w, net_pmtu_refused), 1);
	too_big6(w, PEER, 1280);
	assert_int_equal(max_to(w, OWN, PEER), 1232);
	too_big4(w, "10.0.0.254", "10.0.0.2", 68, 1500);
	assert_int_equal(max_to(w, "10.0.0.1", "10.0.0.2"), 548);
	world_close(w);
}

static void recent_destination_zero_takes_the_plateau(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	(void)world_send(w, "10.0.0.1", "10.0.0.2", "x", 1);
	too_big4(w, "10.0.0.254", "10.0.0.2", 0, 1500);
	assert_int_equal(max_to(w, "10.0.0.1", "10.0.0.2"), 1492 - 28);
	too_big4(w, "10.0.0.254", "10.0.0.2", 0, 1492);
	assert_int_equal(max_to(w, "10.0.0.1", "10.0.0.2"), 1006 - 28);
	too_big4(w, "10.0.0.254", "10.0.0.2", 0, 1006);
	assert_int_equal(max_to(w, "10.0.0.1", "10.0.0.2"), 548);
	world_close(w);
}

static void quote_of_another_sender_or_protocol_is_not_believed(void **state)
{
	struct world *w = world_new(false);
	uint8_t f[256], quote[64], l4[64] = {0};

	(void)state;
	(void)world_send(w, "10.0.0.1", "10.0.0.2", "x", 1);
	(void)make_ip4(quote, "10.0.0.7", "10.0.0.2", 17, 1, 0, l4, 8);
	(void)world_in(w, f, frame_icmp(f, "10.0.0.254", "10.0.0.1", 3, 4, 1400, quote, 28));
	(void)make_ip4(quote, "10.0.0.1", "10.0.0.2", 47, 1, 0, l4, 8);
	(void)world_in(w, f, frame_icmp(f, "10.0.0.254", "10.0.0.1", 3, 4, 1400, quote, 28));
	assert_int_equal(CT(w, net_pmtu_refused), 2);
	(void)world_in(w, f, frame_icmp(f, "10.0.0.254", "10.0.0.1", 3, 4, 1400, quote, 19));
	assert_int_equal(CT(w, net_pmtu_learned), 0);
	assert_int_equal(CT(w, net_rx_icmp), 3);
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unknown_destination_is_not_believed),
		cmocka_unit_test(recent_destination_lowers_once_and_ages),
		cmocka_unit_test(recent_destination_keeps_to_the_floors),
		cmocka_unit_test(recent_destination_zero_takes_the_plateau),
		cmocka_unit_test(quote_of_another_sender_or_protocol_is_not_believed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
