/* SPDX-License-Identifier: Apache-2.0 */
/* UDP: length, checksum, ports, what the payload is, and the path of a flow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/net/fakeport.h"

#define OWN "2001:db8::1"
#define PEER "2001:db8::2"

/* Through net and UDP. */
static enum udp_verdict pass(struct world *w, const uint8_t *f, uint32_t len,
			     struct link_flow *flow, struct str *payload)
{
	assert_int_equal(world_in(w, f, len), NET_UDP);
	return udp_in(w->udp, &w->in, 4, w->now_us, flow, payload);
}

static void drop(const uint8_t *f, uint32_t len, enum counter want)
{
	struct world *w = world_new(false);
	struct link_flow flow;
	struct str payload;

	assert_int_equal(pass(w, f, len, &flow, &payload), want == udp_to_sip ? UDP_SIP : UDP_DONE);
	assert_int_equal(CT(w, want), 1);
	world_close(w);
}

static void bound_port_datagram_is_handed_up(void **state)
{
	struct world *w = world_new(false);
	uint8_t f[256];
	struct link_flow flow;
	struct str payload;
	struct ip peer = ip_of(PEER);

	(void)state;
	assert_int_equal(
		pass(w, f, frame_udp(f, PEER, OWN, 5070, 5060, "OPTIONS", 7), &flow, &payload),
		UDP_SIP);
	assert_true(str_eq(payload, STR("OPTIONS")));
	assert_true(ip_eq(&flow.peer, &peer));
	assert_int_equal(flow.peer_port, 5070);
	assert_int_equal(flow.listener, 1);
	assert_int_equal(flow.transport, CONF_UDP);
	assert_int_equal(flow.core, 4);
	assert_int_equal(flow.conn | flow.conn_gen, 0);
	assert_int_equal(w->in.path.local_port, 5060);
	world_close(w);
}

static void bound_port_of_another_address_is_closed(void **state)
{
	uint8_t f[256];

	(void)state;
	drop(f, frame_udp(f, "10.0.0.2", "10.0.0.1", 5070, 5061, "x", 1), udp_drop_no_listener);
	drop(f, frame_udp(f, "fe80::2", "fe80::ff:fe00:1", 5070, 5060, "x", 1),
	     udp_drop_no_listener);
	drop(f, frame_udp(f, "10.0.0.2", "10.0.0.1", 0, 5060, "x", 1), udp_drop_port_zero);
}

static void bound_port_wrong_length_is_dropped(void **state)
{
	uint8_t f[256], l4[64];
	uint32_t len;

	(void)state;
	(void)make_eth(f, mac_own, mac_peer, 0x0800);
	(void)make_udp(l4, "10.0.0.2", "10.0.0.1", 1, 5060, "abc", 3);
	len = 14 + make_ip4(f + 14, "10.0.0.2", "10.0.0.1", 17, 1, 0, l4, 7);
	drop(f, len, udp_drop_short);
	l4[5] = 7;
	drop(f, 14 + make_ip4(f + 14, "10.0.0.2", "10.0.0.1", 17, 1, 0, l4, 11), udp_drop_short);
	l4[5] = 12;
	drop(f, 14 + make_ip4(f + 14, "10.0.0.2", "10.0.0.1", 17, 1, 0, l4, 11), udp_drop_short);
	l4[5] = 11; /* shorter than the IP payload: the rest is ignored */
	drop(f, 14 + make_ip4(f + 14, "10.0.0.2", "10.0.0.1", 17, 1, 0, l4, 13), udp_to_sip);
}

static void bound_port_checksum_policy_is_by_family(void **state)
{
	struct world *w = world_new(false);
	struct link_flow flow;
	struct str payload;
	uint8_t f[256];
	uint32_t len = frame_udp(f, "10.0.0.2", "10.0.0.1", 1, 5060, "abc", 3);

	(void)state;
	f[len - 1] ^= 1;
	drop(f, len, udp_drop_csum);
	fakeport_frame(&w->fake, f, len, NULL, &w->frame);
	w->frame.flags = FRAME_L4_CSUM_GOOD; /* then it is not looked at again */
	assert_int_equal(net_in(w->net, 0, &w->frame, w->now_us, &w->in), NET_UDP);
	assert_int_equal(udp_in(w->udp, &w->in, 0, w->now_us, &flow, &payload), UDP_SIP);
	world_close(w);
	f[40] = f[41] = 0;
	drop(f, len, udp_to_sip);
	len = frame_udp(f, PEER, OWN, 1, 5060, "abc", 3);
	f[60] = f[61] = 0;
	drop(f, len, udp_drop_csum);
}

static void any_payload_is_told_apart(void **state)
{
	static const struct {
		struct str s;
		enum udp_payload kind;
	} t[] = {
		{{"", 0}, UDP_PAYLOAD_KEEPALIVE},
		{{"\r\n\r\n", 4}, UDP_PAYLOAD_KEEPALIVE},
		{{"\r\n", 2}, UDP_PAYLOAD_KEEPALIVE},
		{{"\0\0\0\0", 4}, UDP_PAYLOAD_KEEPALIVE},
		{{"jaK", 3}, UDP_PAYLOAD_KEEPALIVE},
		{{"jaK\0", 4}, UDP_PAYLOAD_KEEPALIVE},
		{{"jaKe", 4}, UDP_PAYLOAD_SIP},
		{{"\r\nINVITE", 8}, UDP_PAYLOAD_SIP},
		{{"OPTIONS sip:", 12}, UDP_PAYLOAD_SIP},
		{{"x", 1}, UDP_PAYLOAD_SIP},
		{{"\0\1\0\0\x21\x12\xa4\x42"
		  "123456789012",
		  20},
		 UDP_PAYLOAD_STUN},
		{{"\0\x11\0\0\x21\x12\xa4\x42"
		  "123456789012",
		  20},
		 UDP_PAYLOAD_KEEPALIVE},
		{{"\0\1\0\0\x21\x12\xa4\x42"
		  "12345678901",
		  19},
		 UDP_PAYLOAD_SIP},
		{{"\0\1\0\0\x21\x12\xa4\x43"
		  "123456789012",
		  20},
		 UDP_PAYLOAD_SIP},
	};

	(void)state;
	for (uint32_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		assert_int_equal(udp_payload_kind(t[i].s), t[i].kind);
}

static void bound_port_keepalive_is_taken_silently(void **state)
{
	struct world *w = world_new(false);
	struct link_flow flow;
	struct str payload;
	uint8_t f[256];

	(void)state;
	assert_int_equal(
		pass(w, f, frame_udp(f, PEER, OWN, 9, 5060, "\r\n\r\n", 4), &flow, &payload),
		UDP_DONE);
	world_flush(w);
	assert_int_equal(CT(w, udp_keepalive), 1);
	assert_int_equal(w->fake.n_out, 0);
	world_close(w);
}

static void bound_port_stun_is_answered_to_its_sender(void **state)
{
	static const char request[] = "\0\1\0\0\x21\x12\xa4\x42"
				      "123456789012";
	struct world *w = world_new(false);
	struct link_flow flow;
	struct str payload;
	uint8_t f[256];
	const struct fake_frame *o = &w->fake.out[0];

	(void)state;
	world_know(w, "10.0.0.2");
	assert_int_equal(pass(w, f, frame_udp(f, "10.0.0.2", "10.0.0.1", 5070, 5060, request, 20),
			      &flow, &payload),
			 UDP_DONE);
	world_flush(w);
	assert_int_equal(CT(w, udp_stun), 1);
	assert_int_equal(w->fake.n_out, 1);
	assert_int_equal(o->len, 14 + 20 + 8 + 32);
	assert_int_equal(o->b[34] << 8 | o->b[35], 5060);
	assert_int_equal(o->b[36] << 8 | o->b[37], 5070);
	assert_int_equal(o->b[15], 26 << 2);
	assert_memory_equal(o->b + 42,
			    "\1\1\0\x0c\x21\x12\xa4\x42"
			    "123456789012",
			    20);
	world_clear(w);
	(void)pass(w, f,
		   frame_udp(f, "10.0.0.2", "10.0.0.1", 5070, 5060,
			     "\0\2\0\0\x21\x12\xa4\x42"
			     "123456789012",
			     20),
		   &flow, &payload);
	assert_int_equal(CT(w, udp_drop_stun_bad), 1);
	assert_int_equal(w->fake.n_out, 0);
	world_close(w);
}

static void any_flow_has_the_path_of_its_listener(void **state)
{
	struct world *w = world_new(false);
	struct link_flow flow = {
		.peer = ip_of("10.1.0.9"), .peer_port = 77, .listener = 2, .transport = CONF_UDP};
	struct net_path path;
	struct ip own = ip_of("10.1.0.1");

	(void)state;
	assert_true(udp_path(w->udp, &flow, &path));
	assert_true(ip_eq(&path.local, &own) && ip_eq(&path.peer, &flow.peer));
	assert_int_equal(path.local_port, 5060);
	assert_int_equal(path.peer_port, 77);
	assert_int_equal(path.interface, 1);
	assert_int_equal(path.dscp, 26);
	flow.listener = 3;
	assert_false(udp_path(w->udp, &flow, &path));
	flow.listener = 1; /* an IPv6 one */
	assert_false(udp_path(w->udp, &flow, &path));
	world_close(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bound_port_datagram_is_handed_up),
		cmocka_unit_test(bound_port_of_another_address_is_closed),
		cmocka_unit_test(bound_port_wrong_length_is_dropped),
		cmocka_unit_test(bound_port_checksum_policy_is_by_family),
		cmocka_unit_test(any_payload_is_told_apart),
		cmocka_unit_test(bound_port_keepalive_is_taken_silently),
		cmocka_unit_test(bound_port_stun_is_answered_to_its_sender),
		cmocka_unit_test(any_flow_has_the_path_of_its_listener),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
