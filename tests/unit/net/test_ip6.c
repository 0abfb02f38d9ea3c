/* SPDX-License-Identifier: Apache-2.0 */
/* IPv6 input: header, addresses, extension headers with their bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/net/fakeport.h"

#define OWN "2001:db8::1"
#define PEER "2001:db8::2"

static void run(const uint8_t *f, uint32_t len, enum counter want)
{
	struct world *w = world_new(false);

	assert_int_equal(world_in(w, f, len), want == net_rx_udp ? NET_UDP : NET_DONE);
	assert_int_equal(CT(w, want), 1);
	world_close(w);
}

/* UDP behind n octets of extension headers. */
static uint32_t extended(uint8_t *f, uint8_t first, const uint8_t *ext, uint32_t n)
{
	uint8_t l3[600];

	memcpy(l3, ext, n);
	n += make_udp(l3 + n, PEER, OWN, 5070, 5060, "hello", 5);
	(void)make_eth(f, mac_own, mac_peer, 0x86dd);
	return 14 + make_ip6(f + 14, PEER, OWN, first, 60, l3, n);
}

static void good_datagram_gives_its_view(void **state)
{
	struct world *w = world_new(false);
	uint8_t f[128];
	uint32_t len = frame_udp(f, PEER, OWN, 5070, 5060, "hello", 5);

	(void)state;
	f[14] = 0x6b; /* traffic class 0xb8 */
	f[15] = 0x80;
	f[len] = 0xee;
	assert_int_equal(world_in(w, f, len + 1), NET_UDP);
	assert_int_equal(w->in.path.dscp, 46);
	assert_int_equal(w->in.l4_len, 13);
	assert_int_equal(w->in.l3_len, 53);
	assert_int_equal(w->in.path.interface, 0);
	world_close(w);
}

static void bad_header_is_dropped(void **state)
{
	uint8_t f[128];
	uint32_t len = frame_udp(f, PEER, OWN, 5070, 5060, "hello", 5);

	(void)state;
	run(f, 14 + 39, net_drop_short);
	run(f, len - 1, net_drop_ip_header);
	f[14] = 0x40;
	run(f, len, net_drop_ip_version);
}

static void bad_addresses_are_dropped(void **state)
{
	static const char *const bad[] = {"ff02::1", "::1", "::", OWN, "fe80::ff:fe00:1"};
	uint8_t f[128];
	uint32_t len;

	(void)state;
	for (uint32_t i = 0; i < 5; i++)
		run(f, frame_udp(f, bad[i], OWN, 1, 5060, "x", 1), net_drop_ip_source);
	len = frame_udp(f, PEER, OWN, 1, 5060, "x", 1);
	memcpy(f + 22, ip_of("10.0.0.2").b, 16); /* IPv4-mapped on the wire */
	run(f, len, net_drop_ip_source);
	memcpy(f + 38, ip_of("10.0.0.1").b, 16);
	run(f, len, net_drop_not_for_us);
	run(f, frame_udp(f, PEER, "2001:db8::3", 1, 5060, "x", 1), net_drop_not_for_us);
	run(f, frame_udp(f, "fe80::2", "fe80::ff:fe00:1", 1, 5060, "x", 1), net_rx_udp);
}

static void good_extension_headers_are_passed(void **state)
{
	static const uint8_t ext[] = {60, 0, 5, 2, 0,  0, 1, 0, 43, 0, 1, 4,
				      0,  0, 0, 0, 17, 0, 0, 0, 0,  0, 0, 0};
	struct world *w = world_new(false);
	uint8_t f[256];

	(void)state;
	assert_int_equal(world_in(w, f, extended(f, 0, ext, sizeof(ext))), NET_UDP);
	assert_int_equal(w->in.l4_len, 13);
	assert_memory_equal(w->in.l4 + 8, "hello", 5);
	world_close(w);
}

/* One bad header: dropped, and answered with a parameter problem of that code and pointer, or not.
 * */
static void bad(uint8_t first, const uint8_t *ext, uint32_t n, int code, uint8_t pointer)
{
	struct world *w = world_new(false);
	uint8_t f[1024];

	world_know(w, PEER);
	assert_int_equal(world_in(w, f, extended(f, first, ext, n)), NET_DONE);
	assert_int_equal(CT(w, net_drop_ip6_ext), 1);
	world_flush(w);
	assert_int_equal(w->fake.n_out, code >= 0 ? 1 : 0);
	if (code >= 0) {
		assert_int_equal(w->fake.out[0].b[54], 4);
		assert_int_equal(w->fake.out[0].b[55], code);
		assert_int_equal(w->fake.out[0].b[61], pointer);
	}
	world_close(w);
}

static void bad_extension_headers_are_refused(void **state)
{
	static const uint8_t late_hop[] = {0, 0, 1, 4, 0, 0, 0, 0, 17, 0, 1, 4, 0, 0, 0, 0};
	static const uint8_t route[] = {17, 0, 0, 1, 0, 0, 0, 0};
	static const uint8_t opt01[] = {17, 0, 0x41, 4, 0, 0, 0, 0};
	static const uint8_t opt10[] = {17, 0, 1, 0, 0x81, 2, 0, 0};
	static const uint8_t opt11[] = {17, 0, 0xc1, 4, 0, 0, 0, 0};
	static const uint8_t longer[] = {17, 0, 1, 5, 0, 0, 0, 0};
	static const uint8_t past[] = {17, 9, 1, 4, 0, 0, 0, 0};

	(void)state;
	bad(60, late_hop, sizeof(late_hop), 1, 40);
	bad(43, route, sizeof(route), 0, 42);
	bad(60, opt01, sizeof(opt01), -1, 0);
	bad(60, opt10, sizeof(opt10), 2, 44);
	bad(60, opt11, sizeof(opt11), 2, 42);
	bad(60, longer, sizeof(longer), -1, 0);
	bad(60, past, sizeof(past), -1, 0);
}

static void chain_over_its_bounds_is_refused(void **state)
{
	uint8_t ext[400], f[1024];

	(void)state;
	memset(ext, 0, sizeof(ext));
	for (uint32_t i = 0; i < 9; i++) {
		static const uint8_t one[8] = {60, 0, 1, 4};

		memcpy(ext + 8 * i, one, 8);
	}
	ext[56] = 17;
	run(f, extended(f, 60, ext, 64), net_rx_udp);
	ext[56] = 60;
	ext[64] = 17;
	bad(60, ext, 72, -1, 0);
	memset(ext, 0, sizeof(ext)); /* one header, 40 options */
	ext[0] = 17;
	ext[1] = 5;
	bad(60, ext, 48, -1, 0);
	ext[1] = 32; /* 264 octets, two long options */
	ext[2] = 1;
	ext[3] = 200;
	ext[204] = 1;
	ext[205] = 58;
	bad(60, ext, 264, -1, 0);
}

static void unknown_next_header_is_pointed_at(void **state)
{
	static const uint8_t ext[] = {99, 0, 1, 4, 0, 0, 0, 0};
	struct world *w = world_new(false);
	uint8_t f[256];

	(void)state;
	world_know(w, PEER);
	assert_int_equal(world_in(w, f, extended(f, 60, ext, 8)), NET_DONE);
	world_flush(w);
	assert_int_equal(CT(w, net_drop_proto), 1);
	assert_int_equal(w->fake.out[0].b[54], 4);
	assert_int_equal(w->fake.out[0].b[55], 1);
	assert_int_equal(w->fake.out[0].b[61], 40);
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_datagram_gives_its_view),
		cmocka_unit_test(bad_header_is_dropped),
		cmocka_unit_test(bad_addresses_are_dropped),
		cmocka_unit_test(good_extension_headers_are_passed),
		cmocka_unit_test(bad_extension_headers_are_refused),
		cmocka_unit_test(chain_over_its_bounds_is_refused),
		cmocka_unit_test(unknown_next_header_is_pointed_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
