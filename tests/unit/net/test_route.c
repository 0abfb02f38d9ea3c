/* SPDX-License-Identifier: Apache-2.0 */
/* Routes: longest prefix, families, several hops, broadcast, own addresses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dataplane/net/neigh.h"
#include "dataplane/net/route.h"
#include "platform/base/err.h"
#include "tests/unit/net/fakeport.h"

static const uint8_t mac_gw[6] = {2, 0, 0, 0, 0, 0xfe};
static const uint8_t mac_a[6] = {2, 0, 0, 0, 0, 0xa};
static const uint8_t mac_b[6] = {2, 0, 0, 0, 0, 0xb};

static void add(struct route_table *t, const char *to, bool on_link)
{
	struct conf_route r = {.n_hops = 1};

	assert_int_equal(ip_prefix_parse(str_from_c(to), &r.to), 0);
	if (on_link)
		route_add_on_link(t, &r.to);
	else
		route_add(t, &r);
}

static int length(const struct route_table *t, const char *peer)
{
	struct ip ip = ip_of(peer);
	int i = route_find(t, &ip);

	return i < 0 ? -1 : t->route[i].to.len;
}

static void table_longest_prefix_wins_in_its_family(void **state)
{
	static struct route_table t;

	(void)state;
	add(&t, "::/0", false);
	assert_int_equal(length(&t, "10.0.0.9"), -1);
	assert_int_equal(length(&t, "2001:db8::9"), 0);
	add(&t, "0.0.0.0/0", false);
	add(&t, "10.0.0.0/24", true);
	add(&t, "10.0.0.128/25", false);
	add(&t, "fe80::/10", true);
	assert_int_equal(length(&t, "8.8.8.8"), 96);
	assert_int_equal(length(&t, "10.0.0.9"), 120);
	assert_int_equal(length(&t, "10.0.0.129"), 121);
	assert_int_equal(length(&t, "fe80::1"), 10);
	assert_int_equal(length(&t, "10.0.0.0"), -1);
	assert_int_equal(length(&t, "10.0.0.255"), 121); /* the longer one is no link of ours */
}

static void link_hosts_are_asked_directly_others_by_the_gateway(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	world_know_as(w, "10.0.0.254", mac_gw);
	world_know_as(w, "2001:db8::fe", mac_gw);
	assert_int_equal(world_send(w, "10.0.0.1", "8.8.8.8", "x", 1), 0);
	assert_int_equal(world_send(w, "2001:db8::1", "2001:4860::8", "x", 1), 0);
	assert_int_equal(w->fake.n_out, 2);
	assert_memory_equal(w->fake.out[0].b, mac_gw, 6);
	assert_memory_equal(w->fake.out[1].b, mac_gw, 6);
	world_close(w);
}

static void no_route_is_counted(void **state)
{
	static const char *const none[] = {"8.8.8.8",	      "10.1.0.255", "10.1.0.1", "224.0.0.1",
					   "255.255.255.255", "127.0.0.1",  "0.0.0.0",	"10.0.0.1"};
	struct world *w = world_new(false);

	(void)state;
	for (uint32_t i = 0; i < 8; i++) {
		assert_int_equal(world_send(w, "10.1.0.1", none[i], "x", 1), -E_NOT_FOUND);
		assert_int_equal(CT(w, out_drop_no_route), i + 1);
	}
	assert_int_equal(world_send(w, "10.0.0.1", "2001:db8::2", "x", 1), -E_NOT_FOUND);
	assert_int_equal(w->fake.n_out, 0);
	world_close(w);
}

/* Of 64 flows to 192.168/16: how many go to a, to b. */
static void spread(struct world *w, uint32_t *a, uint32_t *b)
{
	*a = *b = 0;
	for (int i = 1; i <= 64; i++) {
		struct ip ip = ip_of("192.168.1.1");
		char text[IP_TEXT_MAX];

		ip.b[15] = (uint8_t)i;
		(void)ip_print(&ip, false, text);
		world_clear(w);
		(void)world_send(w, "10.0.0.1", text, "x", 1);
		for (uint32_t k = 0; k < w->fake.n_out; k++) {
			if (w->fake.out[k].b[13] != 0)
				continue; /* ARP */
			*a += memcmp(w->fake.out[k].b, mac_a, 6) == 0;
			*b += memcmp(w->fake.out[k].b, mac_b, 6) == 0;
		}
	}
}

static void two_hops_share_the_flows_each_keeping_its_own(void **state)
{
	struct world *w = world_new(false);
	uint32_t a, b, a2, b2;

	(void)state;
	world_know_as(w, "10.0.0.252", mac_a);
	world_know_as(w, "10.0.0.253", mac_b);
	spread(w, &a, &b);
	assert_int_equal(a + b, 64);
	assert_true(a > 16 && b > 16);
	spread(w, &a2, &b2);
	assert_int_equal(a, a2);
	assert_int_equal(b, b2);
	world_close(w);
}

static void two_hops_one_failed_is_passed_over_and_asked_again(void **state)
{
	struct world *w = world_new(false);
	uint8_t f[64];
	uint32_t a, b;

	(void)state;
	world_know_as(w, "10.0.0.253", mac_b);
	spread(w, &a, &b); /* asks for .252, which does not answer */
	world_pass(w, 3200000);
	spread(w, &a, &b);
	assert_int_equal(a, 0);
	assert_int_equal(b, 64);
	world_clear(w);
	world_pass(w, 1000000);
	spread(w, &a, &b);
	assert_int_equal(b, 64);
	assert_int_equal(
		world_in(w, f, frame_arp(f, mac_own, 2, mac_a, "10.0.0.252", mac_own, "10.0.0.1")),
		0);
	spread(w, &a, &b);
	assert_true(a > 16 && b > 16);
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_longest_prefix_wins_in_its_family),
		cmocka_unit_test(link_hosts_are_asked_directly_others_by_the_gateway),
		cmocka_unit_test(no_route_is_counted),
		cmocka_unit_test(two_hops_share_the_flows_each_keeping_its_own),
		cmocka_unit_test(two_hops_one_failed_is_passed_over_and_asked_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
