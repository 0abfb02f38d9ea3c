/* SPDX-License-Identifier: Apache-2.0 */
/* via.c: Via elements of RFC 4475 and RFC 5118, each parameter at its limits, and the printer. */
#include "platform/sip/via.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "platform/base/err.h"
#include "tests/guard.h"

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))
#define assert_str(view, text)                                                                     \
	do {                                                                                       \
		struct str view_ = (view), text_ = STR(text);                                      \
		assert_int_equal(view_.len, text_.len);                                            \
		assert_true(str_eq(view_, text_));                                                 \
	} while (0)

struct good {
	struct str in;
	enum sip_transport transport;
	struct str host;
	uint16_t port;
	struct str branch;
};

static const struct good good[] = {
	{ STR("SIP/2.0/UDP 10.0.0.1"), SIP_T_UDP, STR("10.0.0.1"), 0, STR("") },
	{ STR("SIP/2.0/UDP host:5060;branch=z9hG4bK1"), SIP_T_UDP, STR("host"), 5060,
	  STR("z9hG4bK1") },
	{ STR("sip/2.0/tls host : 05061 ; branch=x"), SIP_T_TLS, STR("host"), 5061, STR("x") },
	{ STR("SIP/2.0/WS my_phone.invalid;branch=b"), SIP_T_WS, STR("my_phone.invalid"), 0,
	  STR("b") },
	{ STR("SIP/2.0/WSS h:65535"), SIP_T_WSS, STR("h"), 65535, STR("") },
	{ STR("SIP/2.0/TLS-SCTP h."), SIP_T_OTHER, STR("h."), 0, STR("") },
	/* wsinv, transports, intmeth */
	{ STR("SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw"), SIP_T_UDP,
	  STR("192.0.2.2"), 0, STR("390skdjuw") },
	{ STR("SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8  "),
	  SIP_T_TCP, STR("spindle.example.com"), 0, STR("z9hG4bK9ikj8") },
	{ STR("\r\n SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n z9hG4bK30239"),
	  SIP_T_UDP, STR("192.168.255.111"), 0, STR("z9hG4bK30239") },
	{ STR("SIP/2.0/SCTP t2.example.com;branch=z9hG4bKklasjdhf"), SIP_T_SCTP,
	  STR("t2.example.com"), 0, STR("z9hG4bKklasjdhf") },
	{ STR("SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bKasd0f3en"), SIP_T_OTHER,
	  STR("t4.example.com"), 0, STR("z9hG4bKasd0f3en") },
	{ STR("SIP/2.0/TCP host1.example.com;branch=z9hG4bK-.!%66*_+`'~"), SIP_T_TCP,
	  STR("host1.example.com"), 0, STR("z9hG4bK-.!%66*_+`'~") },
	/* RFC 5118 */
	{ STR("SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKas3-111"), SIP_T_UDP,
	  STR("[2001:db8::9:1]"), 0, STR("z9hG4bKas3-111") },
	{ STR("SIP/2.0/UDP [::ffff:192.0.2.10]:19823;branch=z9hG4bKbh19"), SIP_T_UDP,
	  STR("[::ffff:192.0.2.10]"), 19823, STR("z9hG4bKbh19") },
	{ STR("SIP/2.0/TCP [2001:db8::9:255];branch=z9hG4bK451jj;received=192.0.2.200"), SIP_T_TCP,
	  STR("[2001:db8::9:255]"), 0, STR("z9hG4bK451jj") },
};

static void valid_element_parsed_gives_its_parts(void **state)
{
	for (size_t i = 0; i < N_OF(good); i++) {
		struct sip_via v;

		if (sip_via_parse(good[i].in, &v) != 0)
			fail_msg("refused: %.*s", STR_FMT(good[i].in));
		assert_int_equal(v.transport, good[i].transport);
		assert_true(str_eq(v.host, good[i].host));
		assert_int_equal(v.port, good[i].port);
		assert_true(str_eq(v.branch, good[i].branch));
	}
}

static void every_parameter_parsed_is_found(void **state)
{
	struct sip_via v;

	assert_int_equal(
		sip_via_parse(STR("SIP/2.0/FOO h:1;Maddr=224.0.1.75;TTL=255;RPORT=65535;x=\"y\";"
				  "received=10.1.2.3;branch=b"),
			      &v),
		0);
	assert_str(v.transport_text, "FOO");
	assert_str(v.maddr, "224.0.1.75");
	assert_int_equal(v.ttl, 255);
	assert_true(v.rport);
	assert_int_equal(v.rport_port, 65535);
	assert_str(v.received, "10.1.2.3");
	assert_str(v.branch, "b");
	assert_str(v.params,
		   ";Maddr=224.0.1.75;TTL=255;RPORT=65535;x=\"y\";received=10.1.2.3;branch=b");
}

static void rport_parsed_without_value_is_the_question(void **state)
{
	struct sip_via v;

	assert_int_equal(sip_via_parse(STR("SIP/2.0/UDP h;rport;branch=b"), &v), 0);
	assert_true(v.rport);
	assert_int_equal(v.rport_port, 0);
	assert_int_equal(sip_via_parse(STR("SIP/2.0/UDP h;branch=b"), &v), 0);
	assert_false(v.rport);
	assert_int_equal(v.params.len, 9);
}

/* RFC 5118 §4.5. */
static void ip6_received_parsed_with_and_without_brackets(void **state)
{
	struct sip_via v;

	assert_int_equal(sip_via_parse(STR("SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255];"
					   "branch=z9hG4bKas3-111"),
				       &v),
			 0);
	assert_str(v.received, "[2001:db8::9:255]");
	assert_int_equal(sip_via_parse(STR("SIP/2.0/UDP [2001:db8::9:1];received=2001:db8::9:255;"
					   "branch=z9hG4bKas3"),
				       &v),
			 0);
	assert_str(v.received, "2001:db8::9:255");
	assert_str(v.branch, "z9hG4bKas3");
}

static const struct str wrong[] = {
	STR_NONE,
	STR(""),
	STR("SIP"),
	STR("SIP/2.0"),
	STR("SIP/2.0/UDP"),
	STR("SIP/2.0/UDP "),
	STR("SIP/2.0 UDP h"),
	STR("SIP//UDP h"),
	STR("/2.0/UDP h"),
	STR("SIP/2.0/ h"),
	STR("SIP/2.0/UDP[::1]"),
	STR("SIP/2.0/UDP h:"),
	STR("SIP/2.0/UDP h:x"),
	STR("SIP/2.0/UDP h:0"),
	STR("SIP/2.0/UDP h:65536"),
	STR("SIP/2.0/UDP h:5060x"),
	STR("SIP/2.0/UDP :5060"),
	STR("SIP/2.0/UDP h h"),
	STR("SIP/2.0/UDP h,"),
	STR("SIP/2.0/UDP 2001:db8::10"),
	STR("SIP/2.0/UDP 2001:db8::10:5070"),
	STR("SIP/2.0/UDP [2001:db8::10"),
	STR("SIP/2.0/UDP []"),
	STR("SIP/2.0/UDP [::1%eth0]"),
	STR("SIP/2.0/UDP 1.2.3"),
	STR("SIP/2.0/UDP 1.2.3.256"),
	STR("SIP/2.0/UDP -h"),
	STR("SIP/2.0/UDP h;branch"),
	STR("SIP/2.0/UDP h;branch="),
	STR("SIP/2.0/UDP h;branch=a:b"),
	STR("SIP/2.0/UDP h;branch=\"a\""),
	STR("SIP/2.0/UDP h;branch=a;branch=a"),
	STR("SIP/2.0/UDP h;rport="),
	STR("SIP/2.0/UDP h;rport=0"),
	STR("SIP/2.0/UDP h;rport=65536"),
	STR("SIP/2.0/UDP h;rport=a"),
	STR("SIP/2.0/UDP h;rport;rport=1"),
	STR("SIP/2.0/UDP h;received"),
	STR("SIP/2.0/UDP h;received=host"),
	STR("SIP/2.0/UDP h;received=1.2.3"),
	STR("SIP/2.0/UDP h;received=[1.2.3.4]"),
	STR("SIP/2.0/UDP h;received=1.2.3.4;received=1.2.3.4"),
	STR("SIP/2.0/UDP h;received=[::1"),
	STR("SIP/2.0/UDP h;ttl=256"),
	STR("SIP/2.0/UDP h;ttl"),
	STR("SIP/2.0/UDP h;ttl=1;ttl=1"),
	STR("SIP/2.0/UDP h;maddr=::1"),
	STR("SIP/2.0/UDP h;maddr"),
	STR("SIP/2.0/UDP 192.0.2.15;;,;,,"), /* badinv01 */
	STR("SIP/2.0/UDP h;"),
	STR("SIP/2.0/UDP h (comment)"),
	STR("SIP/2.0/UDP\0h"),
};

static void wrong_element_parsed_is_malformed(void **state)
{
	for (size_t i = 0; i < N_OF(wrong); i++) {
		struct sip_via v;

		if (sip_via_parse(wrong[i], &v) != -E_MALFORMED)
			fail_msg("accepted: %.*s", STR_FMT(wrong[i]));
	}
}

static void other_protocol_parsed_is_another_version(void **state)
{
	struct sip_via v;

	assert_int_equal(sip_via_parse(STR("SIP/7.0/UDP c.example.com;branch=z9hG4bKkdjuw"), &v),
			 -E_VERSION);
	assert_str(v.host, "c.example.com"); /* badvers: the refusal goes there */
	assert_str(v.branch, "z9hG4bKkdjuw");
	assert_int_equal(sip_via_parse(STR("SIP/2.00/UDP h;;"), &v), -E_VERSION);
	assert_int_equal(sip_via_parse(STR("SIP/3/UDP"), &v), -E_MALFORMED);
	assert_int_equal(sip_via_parse(STR("HTTP/2.0/UDP h"), &v), -E_VERSION);
}

static void via_printed_is_one_line(void **state)
{
	char mem[80];
	struct strbuf b = strbuf_of(mem, sizeof(mem));

	sip_via_print(&b, SIP_T_TLS, STR("[fd99::1]:5061"), STR("z9hG4bK1"), true);
	assert_str(strbuf_str(&b), "Via: SIP/2.0/TLS [fd99::1]:5061;branch=z9hG4bK1;rport\r\n");
	b = strbuf_of(mem, sizeof(mem));
	sip_via_print(&b, SIP_T_UDP, STR("h"), STR("b"), false);
	assert_str(strbuf_str(&b), "Via: SIP/2.0/UDP h;branch=b\r\n");
	b = strbuf_of(mem, b.len - 1);
	sip_via_print(&b, SIP_T_UDP, STR("h"), STR("b"), false);
	assert_true(b.full);
}

static void transport_named_is_found_again(void **state)
{
	for (enum sip_transport t = SIP_T_UDP; t < SIP_T_OTHER; t++)
		assert_int_equal(sip_transport_find(sip_transport_name(t)), t);
	assert_str(sip_transport_name(SIP_T_WSS), "WSS");
	assert_int_equal(sip_transport_find(STR("sCtp")), SIP_T_SCTP);
	assert_int_equal(sip_transport_find(STR("udp2")), SIP_T_OTHER);
	assert_int_equal(sip_transport_find(STR_NONE), SIP_T_OTHER);
	assert_int_equal(sip_transport_name(SIP_T_OTHER).len, 0);
	assert_int_equal(sip_transport_name((enum sip_transport)0).len, 0);
}

static void assert_inside(struct str part, struct str whole)
{
	if (part.len > 0)
		assert_true(part.s >= whole.s && part.s + part.len <= whole.s + whole.len);
}

static void check_prefix(const void *bytes, size_t len, void *ctx)
{
	struct str in = str_of(bytes, len);
	struct sip_via v;
	int r = sip_via_parse(in, &v);

	assert_true(r == 0 || r == -E_MALFORMED || r == -E_VERSION);
	assert_inside(v.transport_text, in);
	assert_inside(v.host, in);
	assert_inside(v.params, in);
	assert_inside(v.branch, in);
	assert_inside(v.received, in);
	assert_inside(v.maddr, in);
	if (r == 0)
		assert_true(v.host.len > 0 && v.transport != 0);
	(void)ctx;
}

static void every_prefix_parsed_stays_inside(void **state)
{
	for (size_t i = 0; i < N_OF(good); i++)
		guard_each_prefix(good[i].in.s, good[i].in.len, check_prefix, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_element_parsed_gives_its_parts),
		cmocka_unit_test(every_parameter_parsed_is_found),
		cmocka_unit_test(rport_parsed_without_value_is_the_question),
		cmocka_unit_test(ip6_received_parsed_with_and_without_brackets),
		cmocka_unit_test(wrong_element_parsed_is_malformed),
		cmocka_unit_test(other_protocol_parsed_is_another_version),
		cmocka_unit_test(via_printed_is_one_line),
		cmocka_unit_test(transport_named_is_found_again),
		cmocka_unit_test(every_prefix_parsed_stays_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
