/* SPDX-License-Identifier: Apache-2.0 */
/* Reassembly: order, overlap, budgets, time; then random datagrams of both families, shuffled,
 * doubled, overlapped and with losses, against what a plain model says must come out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dataplane/net/frag.h"
#include "tests/unit/net/fakeport.h"

#define BIG 65507u

struct piece {
	uint32_t offset, len;
	bool more;
};
static uint8_t whole[BIG + 64];

/* UDP datagram of n payload octets in `whole`, ret its length. */
static uint32_t datagram(bool is4, uint32_t n)
{
	static uint8_t payload[BIG];

	for (uint32_t i = 0; i < n; i++)
		payload[i] = (uint8_t)rand();
	return is4 ? make_udp(whole, "10.0.0.2", "10.0.0.1", 5070, 5060, payload, n)
		   : make_udp(whole, "2001:db8::2", "2001:db8::1", 5070, 5060, payload, n);
}

static enum net_verdict give(struct world *w, bool is4, uint32_t id, const struct piece *p)
{
	static uint8_t f[FAKE_FRAME_MAX], l3[FAKE_FRAME_MAX];
	uint32_t len;

	(void)make_eth(f, mac_own, mac_peer, is4 ? 0x0800 : 0x86dd);
	if (is4) {
		len = make_ip4(f + 14, "10.0.0.2", "10.0.0.1", 17, (uint16_t)id,
			       (uint16_t)(p->offset / 8 | (p->more ? 0x2000 : 0)),
			       whole + p->offset, p->len);
		return world_in(w, f, 14 + len);
	}
	l3[0] = 17;
	l3[1] = 0;
	l3[2] = (uint8_t)(p->offset >> 8);
	l3[3] = (uint8_t)(p->offset | p->more);
	memset(l3 + 4, 0, 4);
	l3[6] = (uint8_t)(id >> 8);
	l3[7] = (uint8_t)id;
	memcpy(l3 + 8, whole + p->offset, p->len);
	len = make_ip6(f + 14, "2001:db8::2", "2001:db8::1", 44, 60, l3, 8 + p->len);
	return world_in(w, f, 14 + len);
}

static void check_whole(struct world *w, uint32_t len)
{
	struct link_flow flow;
	struct str payload;

	assert_true(w->in.joined);
	assert_null(w->frame.buf);
	assert_int_equal(w->in.l4_len, len);
	assert_memory_equal(w->in.l4, whole, len);
	whole[8] = 'I'; /* a payload that is SIP, whatever chance made of it */
	w->in.l4[6] = w->in.l4[7] = 0;
	if (ip_is4(&w->in.path.peer))
		assert_int_equal(udp_in(w->udp, &w->in, 3, w->now_us, &flow, &payload) ==
						 UDP_DONE ||
					 payload.len == len - 8,
				 1);
}

static void empty_pieces_in_order_join(void **state)
{
	(void)state;
	for (int is4 = 0; is4 < 2; is4++) {
		struct world *w = world_new(false);
		uint32_t len = datagram(is4, 1992);
		struct piece a = {0, 800, true}, b = {800, 800, true}, c = {1600, 400, false};

		assert_int_equal(give(w, is4, 5, &a), NET_DONE);
		assert_int_equal(give(w, is4, 5, &b), NET_DONE);
		assert_int_equal(CT(w, net_frag_held), 2);
		assert_int_equal(give(w, is4, 5, &c), NET_UDP);
		assert_int_equal(CT(w, net_frag_held), 0);
		assert_int_equal(CT(w, net_frag_joined), 3);
		assert_int_equal(CT(w, net_frag_packets), 1);
		assert_int_equal(CT(w, net_joined_udp), 1);
		assert_int_equal(w->in.flags, 0);
		assert_int_equal(w->in.l3_len, len + (is4 ? 20 : 48));
		assert_int_equal(w->in.l3[0] >> 4, is4 ? 4 : 6);
		check_whole(w, len);
		world_close(w);
	}
}

static void empty_whole_with_fragment_header_is_taken_at_once(void **state)
{
	struct world *w = world_new(false);
	uint32_t len = datagram(false, 100);
	struct piece a = {0, 108, false};

	(void)state;
	assert_int_equal(give(w, false, 5, &a), NET_UDP);
	assert_false(w->in.joined);
	assert_int_equal(w->in.l4_len, len);
	assert_int_equal(CT(w, net_rx_udp), 1);
	assert_int_equal(CT(w, net_rx_fragment), 0);
	world_close(w);
}

static void waiting_overlap_ends_the_packet_and_what_follows(void **state)
{
	(void)state;
	for (int is4 = 0; is4 < 2; is4++) {
		struct world *w = world_new(false);
		struct piece a = {0, 800, true}, over = {792, 16, true}, b = {800, 400, false};

		(void)datagram(is4, 1192);
		(void)give(w, is4, 5, &a);
		(void)give(w, is4, 5, &over);
		assert_int_equal(CT(w, frag_drop_bad), 2);
		assert_int_equal(CT(w, net_frag_held), 0);
		assert_int_equal(give(w, is4, 5, &b), NET_DONE);
		assert_int_equal(give(w, is4, 5, &a), NET_DONE);
		assert_int_equal(CT(w, frag_drop_bad), 4);
		world_pass(w, 5000000);
		assert_int_equal(CT(w, frag_drop_timeout), 0);
		(void)give(w, is4, 5, &a); /* the tombstone is gone */
		assert_int_equal(give(w, is4, 5, &b), NET_UDP);
		world_close(w);
	}
}

static void waiting_overlaps_of_each_shape_are_found(void **state)
{
	static const struct piece first = {800, 800, true};
	static const struct piece over[] = {{0, 808, true},    {1592, 800, true}, {800, 400, true},
					    {808, 80, true},   {0, 2000, true},	  {1200, 400, true},
					    {800, 1200, true}, {0, 1600, true}};

	(void)state;
	for (uint32_t i = 0; i < sizeof(over) / sizeof(over[0]); i++) {
		struct world *w = world_new(false);
		struct piece p = over[i];

		(void)datagram(true, 3000);
		(void)give(w, true, 5, &first);
		p.len = p.len > 1480 ? 1480 : p.len;
		if (p.len == 1480)
			p.offset = 200;
		(void)give(w, true, 5, &p);
		assert_int_equal(CT(w, frag_drop_bad), 2);
		world_close(w);
	}
}

static void waiting_repetition_is_dropped_alone(void **state)
{
	struct world *w = world_new(false);
	struct piece a = {0, 1400, true}, b = {1400, 200, false};

	(void)state;
	(void)datagram(true, 1592);
	(void)give(w, true, 5, &a);
	(void)give(w, true, 5, &a);
	assert_int_equal(CT(w, frag_drop_duplicate), 1);
	assert_int_equal(give(w, true, 5, &b), NET_UDP);
	world_close(w);
}

static void any_impossible_fragment_is_bad(void **state)
{
	struct world *w = world_new(false);
	struct piece odd = {0, 801, true}, none = {800, 0, false}, far = {65528, 8, false};
	struct piece end = {800, 80, false}, behind = {880, 80, true}, end2 = {960, 8, false};

	(void)state;
	(void)datagram(true, 2000);
	(void)give(w, true, 1, &odd);
	assert_int_equal(CT(w, frag_drop_bad), 1);
	(void)give(w, true, 2, &none);
	assert_int_equal(CT(w, frag_drop_bad), 2);
	(void)give(w, true, 3, &end);
	(void)give(w, true, 3, &behind);
	assert_int_equal(CT(w, frag_drop_bad), 4);
	(void)give(w, true, 4, &end);
	(void)give(w, true, 4, &end2);
	assert_int_equal(CT(w, frag_drop_bad), 6);
	(void)give(w, true, 6, &behind);
	(void)give(w, true, 6, &end);
	assert_int_equal(CT(w, frag_drop_bad), 8);
	memset(whole, 0, sizeof(whole));
	far.offset = 65504;
	far.len = 11; /* up to 65515: one packet of 65535 */
	(void)give(w, true, 7, &far);
	assert_int_equal(CT(w, net_frag_held), 1);
	far.len = 11 + 1;
	(void)give(w, true, 8, &far);
	assert_int_equal(CT(w, frag_drop_bad), 9);
	world_close(w);
}

static void first_without_its_headers_is_bad(void **state)
{
	struct world *w = world_new(false);
	uint8_t f[128], l3[32] = {60, 0, 0, 1, 0, 0, 0, 9, 17, 3}; /* options reach past the end */

	(void)state;
	(void)make_eth(f, mac_own, mac_peer, 0x86dd);
	(void)world_in(w, f, 14 + make_ip6(f + 14, "2001:db8::2", "2001:db8::1", 44, 9, l3, 24));
	assert_int_equal(CT(w, frag_drop_bad), 1);
	world_close(w);
}

static void waiting_too_long_times_out(void **state)
{
	struct world *w = world_new(false);
	struct piece a = {0, 800, true}, b = {800, 400, false};

	(void)state;
	(void)datagram(true, 1192);
	(void)give(w, true, 5, &a);
	world_pass(w, 4950000);
	assert_int_equal(CT(w, net_frag_held), 1);
	world_pass(w, 50000);
	assert_int_equal(CT(w, net_frag_held), 0);
	assert_int_equal(CT(w, frag_drop_timeout), 1);
	assert_int_equal(give(w, true, 5, &b), NET_DONE);
	world_close(w);
}

static void full_source_gives_up_its_own_packet(void **state)
{
	struct world *w = world_new(false);
	struct piece a = {0, 1024, true};

	(void)state; /* 256 KiB: 512 pieces, two each */
	(void)datagram(true, 2000);
	for (uint32_t id = 0; id < 257; id++)
		(void)give(w, true, id, &a);
	assert_int_equal(CT(w, net_frag_held), 256);
	assert_int_equal(CT(w, frag_drop_budget), 1);
	world_close(w);
}

static void full_pool_gives_up_the_oldest(void **state)
{
	struct world *w = world_make(false);
	struct piece a = {0, 1024, true}, b = {1024, 80, false};

	(void)state; /* 16 KiB: 32 pieces, two each */
	w->conf.fragment_bytes = 16384;
	world_start(w);
	world_settle(w);
	(void)datagram(true, 1096);
	for (uint32_t id = 0; id < 17; id++)
		(void)give(w, true, id, &a);
	assert_int_equal(CT(w, net_frag_held), 16);
	assert_int_equal(CT(w, frag_drop_evicted), 1);
	assert_int_equal(give(w, true, 16, &b), NET_UDP);
	assert_int_equal(CT(w, frag_drop_evicted), 2);
	world_close(w);
}

static void too_many_small_ones_are_given_up(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	(void)datagram(true, 2000);
	for (uint32_t i = 0; i < 129; i++) {
		struct piece p = {8 * i, 8, true};

		(void)give(w, true, 9, &p);
	}
	assert_int_equal(CT(w, frag_drop_budget), 129);
	assert_int_equal(CT(w, net_frag_held), 0);
	world_close(w);
}

static void joined_other_protocol_is_refused(void **state)
{
	struct world *w = world_new(false);
	uint8_t f[256], data[64] = {0};

	(void)state;
	(void)make_eth(f, mac_own, mac_peer, 0x0800);
	(void)world_in(w, f,
		       14 + make_ip4(f + 14, "10.0.0.2", "10.0.0.1", 47, 1, 0x2000, data, 64));
	(void)world_in(w, f, 14 + make_ip4(f + 14, "10.0.0.2", "10.0.0.1", 47, 1, 8, data, 64));
	assert_int_equal(CT(w, net_frag_packets), 1);
	assert_int_equal(CT(w, joined_drop_refused), 1);
	world_close(w);
}

/* --- random --- */

/* Cut a datagram of len octets at random; ret how many pieces. */
static uint32_t cut(struct piece *p, uint32_t len, uint32_t most)
{
	uint32_t n = 0;

	for (uint32_t at = 0; at < len; n++) {
		uint32_t step = (most / 2 + (uint32_t)rand() % (most / 2)) & ~7u;

		step = at + step >= len ? len - at : step;
		p[n] = (struct piece){at, step, at + step < len};
		at += step;
	}
	return n;
}

static void one_random(struct world *w, bool is4, uint32_t id, uint32_t payload)
{
	struct piece p[300];
	uint32_t len = datagram(is4, payload), n = cut(p, len, 1480), whole_n = n;
	int what = rand() % 5; /* 0,1: all; 2: one lost; 3: repetitions; 4: an overlap */
	enum net_verdict want = NET_UDP, got = NET_DONE;
	uint64_t bad = CT(w, frag_drop_bad), twice = CT(w, frag_drop_duplicate);

	if (what == 2 && n > 1) {
		p[(uint32_t)rand() % n] = p[n - 1];
		n--;
		want = NET_DONE;
	}
	if (what == 3)
		p[n++] = p[(uint32_t)rand() % whole_n];
	for (uint32_t i = n - 1; i > 0; i--) {
		uint32_t j = (uint32_t)rand() % (i + 1);
		struct piece swap = p[i];

		p[i] = p[j];
		p[j] = swap;
	}
	if (what == 4 && n > 2) { /* before the last: it must spoil the packet */
		struct piece over = p[0];

		over.len = 8;
		over.more = true;
		if (over.offset + 8 < p[0].offset + p[0].len || p[0].more) {
			p[n] = p[n - 1];
			p[n - 1] = over;
			n++;
			want = NET_DONE;
		}
	}
	for (uint32_t i = 0; i < n; i++) {
		enum net_verdict v = give(w, is4, id, &p[i]);

		if (v == NET_UDP) {
			assert_int_equal(got, NET_DONE);
			got = v;
			assert_int_equal(w->in.l4_len, len);
			assert_memory_equal(w->in.l4, whole, len);
		}
	}
	assert_int_equal(got, want);
	if (what == 4 && want == NET_DONE)
		assert_int_equal(CT(w, frag_drop_bad) - bad, n);
	if (what == 3) /* a repetition after the end begins a packet anew */
		assert_true(CT(w, frag_drop_duplicate) - twice <= 1);
	world_check(w);
	world_pass(w, 5000000);
	assert_int_equal(CT(w, net_frag_held), 0);
}

static void random_datagrams_come_out_as_the_model_says(void **state)
{
	struct world *w = world_new(false);

	(void)state;
	srand(20);
	for (uint32_t i = 0; i < 120; i++) {
		one_random(w, i % 2 == 0, i, 8000 + (uint32_t)rand() % 400);
		if (i % 6 < 2)
			one_random(w, i % 2 == 0, 1000 + i, i % 2 == 0 ? BIG : 65490);
	}
	assert_true(CT(w, net_frag_packets) > 50);
	assert_true(CT(w, frag_drop_duplicate) > 5);
	assert_true(CT(w, frag_drop_timeout) > 20);
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_pieces_in_order_join),
		cmocka_unit_test(empty_whole_with_fragment_header_is_taken_at_once),
		cmocka_unit_test(waiting_overlap_ends_the_packet_and_what_follows),
		cmocka_unit_test(waiting_overlaps_of_each_shape_are_found),
		cmocka_unit_test(waiting_repetition_is_dropped_alone),
		cmocka_unit_test(any_impossible_fragment_is_bad),
		cmocka_unit_test(first_without_its_headers_is_bad),
		cmocka_unit_test(waiting_too_long_times_out),
		cmocka_unit_test(full_source_gives_up_its_own_packet),
		cmocka_unit_test(full_pool_gives_up_the_oldest),
		cmocka_unit_test(too_many_small_ones_are_given_up),
		cmocka_unit_test(joined_other_protocol_is_refused),
		cmocka_unit_test(random_datagrams_come_out_as_the_model_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
