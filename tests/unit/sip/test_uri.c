/* SPDX-License-Identifier: Apache-2.0 */
/* uri.c: the grammar octet by octet, hosts, every example of RFC 3261 §19.1.4, tel by RFC 3966 §5,
 * addresses-of-record, and the URIs of RFC 4475 and RFC 5118. */
#include "platform/sip/uri.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/guard.h"

#define N_OF(a) (sizeof(a) / sizeof((a)[0]))
#define U_TEN ";p;p;p;p;p;p;p;p;p;p"
#define H_TEN "&h=&h=&h=&h=&h=&h=&h=&h=&h=&h="
#define assert_str(view, text)                                                                     \
	do {                                                                                       \
		struct str view_ = (view), text_ = STR(text);                                      \
		assert_int_equal(view_.len, text_.len);                                            \
		assert_true(str_eq(view_, text_));                                                 \
	} while (0)

struct good {
	struct str in, user, password, host, params, headers;
	uint16_t port;
	int host_kind;
};

static const struct good good[] = {
	{ STR("sip:alice@atlanta.com"), STR("alice"), STR(""), STR("atlanta.com"), STR(""), STR(""),
	  0, SIP_HOST_NAME },
	{ STR("sips:alice@atlanta.com?subject=project%20x&priority=urgent"), STR("alice"), STR(""),
	  STR("atlanta.com"), STR(""), STR("subject=project%20x&priority=urgent"), 0,
	  SIP_HOST_NAME },
	{ STR("sip:alice:secretword@atlanta.com;transport=tcp"), STR("alice"), STR("secretword"),
	  STR("atlanta.com"), STR(";transport=tcp"), STR(""), 0, SIP_HOST_NAME },
	{ STR("sip:+1-212-555-1212:1234@gateway.com;user=phone"), STR("+1-212-555-1212"),
	  STR("1234"), STR("gateway.com"), STR(";user=phone"), STR(""), 0, SIP_HOST_NAME },
	{ STR("SIP:alice@192.0.2.4:5060"), STR("alice"), STR(""), STR("192.0.2.4"), STR(""),
	  STR(""), 5060, SIP_HOST_IP4 },
	{ STR("sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com"), STR(""), STR(""),
	  STR("atlanta.com"), STR(";method=REGISTER"), STR("to=alice%40atlanta.com"), 0,
	  SIP_HOST_NAME },
	{ STR("sip:alice;day=tuesday@atlanta.com"), STR("alice;day=tuesday"), STR(""),
	  STR("atlanta.com"), STR(""), STR(""), 0, SIP_HOST_NAME },
	{ STR("sip:a:@h?x=&y=1"), STR("a"), STR(""), STR("h"), STR(""), STR("x=&y=1"), 0,
	  SIP_HOST_NAME },
	{ STR("sip:_u@my_host.x-1._tcp.example.:065535"), STR("_u"), STR(""),
	  STR("my_host.x-1._tcp.example."), STR(""), STR(""), 65535, SIP_HOST_NAME },
	{ STR("sip:h;maddr=[::1];x-$/:&+(')"), STR(""), STR(""), STR("h"),
	  STR(";maddr=[::1];x-$/:&+(')"), STR(""), 0, SIP_HOST_NAME },
	/* intmeth, esc01, escnull, semiuri */
	{ STR("sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too."
	      "(doesn't-it)@example.com"),
	  STR("1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"),
	  STR("&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"), STR("example.com"), STR(""), STR(""),
	  0, SIP_HOST_NAME },
	{ STR("sip:sips%3Auser%40example.com@example.net"), STR("sips%3Auser%40example.com"),
	  STR(""), STR("example.net"), STR(""), STR(""), 0, SIP_HOST_NAME },
	{ STR("sip:null-%00-null@example.com"), STR("null-%00-null"), STR(""), STR("example.com"),
	  STR(""), STR(""), 0, SIP_HOST_NAME },
	{ STR("sip:user;par=u%40example.net@example.com"), STR("user;par=u%40example.net"), STR(""),
	  STR("example.com"), STR(""), STR(""), 0, SIP_HOST_NAME },
	/* escruri */
	{ STR("sip:user@example.com?Route=%3Csip:example.com%3E"), STR("user"), STR(""),
	  STR("example.com"), STR(""), STR("Route=%3Csip:example.com%3E"), 0, SIP_HOST_NAME },
	/* ipv6-good, port-ambiguous, port-unambiguous, ipv4-mapped, two and three colons */
	{ STR("sip:[2001:db8::10]"), STR(""), STR(""), STR("[2001:db8::10]"), STR(""), STR(""), 0,
	  SIP_HOST_IP6 },
	{ STR("sip:[2001:db8::10:5070]"), STR(""), STR(""), STR("[2001:db8::10:5070]"), STR(""),
	  STR(""), 0, SIP_HOST_IP6 },
	{ STR("sip:[2001:db8::10]:5070;lr"), STR(""), STR(""), STR("[2001:db8::10]"), STR(";lr"),
	  STR(""), 5070, SIP_HOST_IP6 },
	{ STR("sip:ted@[::ffff:192.0.2.2]"), STR("ted"), STR(""), STR("[::ffff:192.0.2.2]"),
	  STR(""), STR(""), 0, SIP_HOST_IP6 },
	{ STR("sip:user@[2001:db8::192.0.2.1]"), STR("user"), STR(""), STR("[2001:db8::192.0.2.1]"),
	  STR(""), STR(""), 0, SIP_HOST_IP6 },
	{ STR("sip:user@[2001:db8:::192.0.2.1]"), STR("user"), STR(""),
	  STR("[2001:db8:::192.0.2.1]"), STR(""), STR(""), 0, SIP_HOST_IP6 },
};

static void sip_uri_parsed_gives_its_parts(void **state)
{
	for (size_t i = 0; i < N_OF(good); i++) {
		const struct good *g = &good[i];
		struct sip_uri u;

		if (sip_uri_parse(g->in, &u) != 0)
			fail_msg("refused: %.*s", STR_FMT(g->in));
		assert_true(str_eq(u.user, g->user));
		assert_true(str_eq(u.password, g->password));
		assert_true(str_eq(u.host, g->host));
		assert_true(str_eq(u.params, g->params));
		assert_true(str_eq(u.headers, g->headers));
		assert_int_equal(u.port, g->port);
		assert_int_equal(u.host_kind, g->host_kind);
		assert_int_equal(u.has_user, g->user.len > 0);
		assert_int_equal(u.scheme, g->in.s[3] == 's' ? SIP_URI_SIPS : SIP_URI_SIP);
	}
}

static void other_schemes_parsed_are_named(void **state)
{
	static const struct {
		struct str in;
		int ret;
		enum sip_uri_scheme scheme;
		struct str user;
	} t[] = {
		{ STR("tel:+1-(201)-555.0123"), 0, SIP_URI_TEL, STR("+1-(201)-555.0123") },
		{ STR("tel:7042;phone-context=example.com"), 0, SIP_URI_TEL, STR("7042") },
		{ STR("TEL:863-1234;phone-context=+1-914-555"), 0, SIP_URI_TEL, STR("863-1234") },
		{ STR("tel:*21#A;phone-context=+49;ext=1-2;isub=a@b?c=,/"), 0, SIP_URI_TEL,
		  STR("*21#A") },
		{ STR("urn:service:sos.fire"), 0, SIP_URI_URN, STR("service:sos.fire") },
		{ STR("URN:uuid:f81d4fae-7dec-11d0"), 0, SIP_URI_URN,
		  STR("uuid:f81d4fae-7dec-11d0") },
		{ STR("urn:a1:b/%41@?+r?x#f"), 0, SIP_URI_URN, STR("a1:b/%41@?+r?x#f") },
		{ STR("nobodyKnowsThisScheme:totallyopaquecontent"), -E_UNSUPPORTED, SIP_URI_OTHER,
		  STR("totallyopaquecontent") },
		{ STR("soap.beep://192.0.2.103:3002"), -E_UNSUPPORTED, SIP_URI_OTHER,
		  STR("//192.0.2.103:3002") },
		{ STR("http://[::1]/%41?x=y"), -E_UNSUPPORTED, SIP_URI_OTHER,
		  STR("//[::1]/%41?x=y") },
	};

	for (size_t i = 0; i < N_OF(t); i++) {
		struct sip_uri u;

		if (sip_uri_parse(t[i].in, &u) != t[i].ret)
			fail_msg("other result: %.*s", STR_FMT(t[i].in));
		assert_int_equal(u.scheme, t[i].scheme);
		assert_true(str_eq(u.user, t[i].user));
		assert_int_equal(u.scheme_text.len, str_find(t[i].in, ':'));
	}
}

static const struct str wrong[] = {
	STR_NONE,
	STR(""),
	STR("sip"),
	STR(":a"),
	STR("sip:"),
	STR("1sip:a"),
	STR("-sip:a"),
	STR("s_p:a"),
	STR(" sip:a"),
	STR("sip:a "),
	STR("sip:@h"),
	STR("sip::p@h"),
	STR("sip:a@"),
	STR("sip:a@b@c"),
	STR("sip:a b@h"),
	STR("sip:a#b@h"),
	STR("sip:a[b]@h"),
	STR("sip:a\"@h"),
	STR("sip:<a@h>"),
	STR("sip:%@h"),
	STR("sip:%4@h"),
	STR("sip:%4g@h"),
	STR("sip:a%"),
	STR("sip:\xc3\xa4@h"),
	STR("sip:a\0@h"),
	STR("sip:a:b:c@h"),
	STR("sip:a:b;c@h"),
	STR("sip:a:b?c@h"),
	STR("sip:a:b/c@h"),
	STR("sip:h:"),
	STR("sip:h:0"),
	STR("sip:h:65536"),
	STR("sip:h:5a"),
	STR("sip:h:-1"),
	STR("sip:h:5060:"),
	STR("sip:h/"),
	STR("sip:h;"),
	STR("sip:h;;lr"),
	STR("sip:h;lr;"),
	STR("sip:h;=a"),
	STR("sip:h;a="),
	STR("sip:h;a=b=c"),
	STR("sip:h;a=\"b\""),
	STR("sip:h; lr"),
	STR("sip:h;a%4"),
	STR("sip:h?"),
	STR("sip:h?a"),
	STR("sip:h?=a"),
	STR("sip:h?a=b&"),
	STR("sip:h?a=b&c"),
	STR("sip:h?a=b=c"),
	STR("sip:h?a=b;c"),
	STR("sip:h?a=<b>"),
	/* hosts */
	STR("sip:-a.com"),
	STR("sip:a-.com"),
	STR("sip:a..com"),
	STR("sip:.com"),
	STR("sip:."),
	STR("sip:a.com.."),
	STR("sip:1.2.3"),
	STR("sip:1.2.3.4.5"),
	STR("sip:1.2.3.256"),
	STR("sip:01.2.3.4"),
	STR("sip:1.2.3.4."),
	STR("sip:a.1com"),
	STR("sip:123"),
	STR("sip:%41.com"),
	STR("sip:a@[1.2.3.4]"),
	STR("sip:[]"),
	STR("sip:[::1"),
	STR("sip:[::1]x"),
	STR("sip:[:1]"),
	STR("sip:[1:]"),
	STR("sip:[:::]"),
	STR("sip:[1::2::3]"),
	STR("sip:[1:2:3:4:5:6:7]"),
	STR("sip:[1:2:3:4:5:6:7:8:9]"),
	STR("sip:[1:2:3:4::5:6:7:8]"),
	STR("sip:[12345::]"),
	STR("sip:[g::]"),
	STR("sip:[fe80::1%25eth0]"),
	STR("sip:[fe80::1%eth0]"),
	STR("sip:[::1.2.3]"),
	STR("sip:[::1.2.3.4:5]"),
	STR("sip:[1:::2]"),
	STR("sip:[1.2.3.4::]"),
	STR("sip:[1:2:3:4:5:6:7:1.2.3.4]"),
	STR("sip:[::ffff:01.2.3.4]"),
	STR("sip:[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]"),
	STR("sip:2001:db8::10"),
	STR("sip:2001:db8::10:5070"), /* ipv6-bad */
	/* ltgtruri, lwsruri */
	STR("<sip:user@example.com>"),
	STR("sip:user@example.com; lr"),
	/* tel, urn, others */
	STR("tel:"),
	STR("tel:+"),
	STR("tel:+-."),
	STR("tel:7042"),
	STR("tel:+12a"),
	STR("tel:+1*"),
	STR("tel:12x;phone-context=a.b"),
	STR("tel:1;phone-context"),
	STR("tel:1;phone-context=+"),
	STR("tel:1;phone-context=1.2.3.4"),
	STR("tel:1;phone-context=a_"
	    "-"),
	STR("tel:+1;ext=a"),
	STR("tel:+1;ext=-"),
	STR("tel:+1;"),
	STR("tel:+1;;a"),
	STR("tel:+1;a=?"),
	STR("tel:+1?a=b"),
	STR("urn:"),
	STR("urn:a:b"),
	STR("urn:service"),
	STR("urn:service:"),
	STR("urn:-a:b"),
	STR("urn:a-:b"),
	STR("urn:a.b:c"),
	STR("urn:ab:c?d"),
	STR("urn:ab:c d"),
	STR("urn:ab:/c"),
	STR("http:"),
	STR("http:a b"),
	STR("http:a#b"),
	STR("http:%4"),
};

static void wrong_uri_parsed_is_malformed(void **state)
{
	for (size_t i = 0; i < N_OF(wrong); i++) {
		struct sip_uri u;

		if (sip_uri_parse(wrong[i], &u) != -E_MALFORMED)
			fail_msg("accepted: %.*s", STR_FMT(wrong[i]));
	}
}

static void members_parsed_have_a_limit(void **state)
{
	struct sip_uri u;

	assert_int_equal(
		sip_uri_parse(STR("sip:h" U_TEN U_TEN U_TEN U_TEN U_TEN U_TEN ";p;p;p;p"), &u), 0);
	assert_int_equal(
		sip_uri_parse(STR("sip:h" U_TEN U_TEN U_TEN U_TEN U_TEN U_TEN ";p;p;p;p;p"), &u),
		-E_MALFORMED);
	assert_int_equal(
		sip_uri_parse(STR("sip:h?h=" H_TEN H_TEN H_TEN H_TEN H_TEN H_TEN "&h=&h=&h="), &u),
		0);
	assert_int_equal(
		sip_uri_parse(STR("sip:h?h=" H_TEN H_TEN H_TEN H_TEN H_TEN H_TEN "&h=&h=&h=&h="),
			      &u),
		-E_MALFORMED);
}

static void address_text_read_gives_16_octets(void **state)
{
	static const struct {
		struct str in;
		uint8_t out[16];
	} t[] = {
		{ STR("192.0.2.255"), { [10] = 0xff, 0xff, 192, 0, 2, 255 } },
		{ STR("[::]"), { 0 } },
		{ STR("[::1]"), { [15] = 1 } },
		{ STR("[1::]"), { 0, 1 } },
		{ STR("[2001:DB8:0:0:8:800:200C:417A]"),
		  { 0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 8, 8, 0, 0x20, 0xc, 0x41, 0x7a } },
		{ STR("[1:2:3:4:5:6:7::]"), { 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7 } },
		{ STR("[::13.1.68.3]"), { [12] = 13, 1, 68, 3 } },
		{ STR("[::ffff:129.144.52.38]"), { [10] = 0xff, 0xff, 129, 144, 52, 38 } },
		{ STR("[1:2:3:4:5:6:7.8.9.10]"),
		  { 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 7, 8, 9, 10 } },
		{ STR("[2001:db8:::192.0.2.1]"), { 0x20, 1, 0xd, 0xb8, [12] = 192, 0, 2, 1 } },
		{ STR("[:::192.0.2.1]"), { [12] = 192, 0, 2, 1 } },
	};
	uint8_t out[16];

	for (size_t i = 0; i < N_OF(t); i++) {
		assert_int_equal(sip_host_addr(t[i].in, out), 0);
		assert_memory_equal(out, t[i].out, 16);
	}
	assert_int_equal(sip_ip_addr(STR("2001:db8::10:5070"), out), 0);
	assert_int_equal(out[14] << 8 | out[15], 0x5070);
}

static void name_or_bare_ip6_read_is_no_host_address(void **state)
{
	static const struct str bad[] = { STR_NONE,    STR("a"),     STR("example.com"), STR("::1"),
					  STR("[::1"), STR("1.2.3"), STR("[1.2.3.4]"),	 STR("[]"),
					  STR("["),    STR("]") };
	uint8_t out[16];

	for (size_t i = 0; i < N_OF(bad); i++)
		assert_int_equal(sip_host_addr(bad[i], out), -E_MALFORMED);
}

static void host_cut_ends_where_it_ends(void **state)
{
	int kind = -1;

	assert_int_equal(sip_host_cut(STR("a.b:5060"), &kind), 3);
	assert_int_equal(kind, SIP_HOST_NAME);
	assert_int_equal(sip_host_cut(STR("10.0.0.1;x"), &kind), 8);
	assert_int_equal(kind, SIP_HOST_IP4);
	assert_int_equal(sip_host_cut(STR("[::1]:1"), &kind), 5);
	assert_int_equal(kind, SIP_HOST_IP6);
	assert_int_equal(sip_host_cut(STR(":1"), &kind), 0);
	assert_int_equal(sip_host_cut(STR_NONE, &kind), 0);
}

static void assert_equality(const char *a, const char *b, bool expected)
{
	struct sip_uri x, y;
	int rx = sip_uri_parse(str_from_c(a), &x), ry = sip_uri_parse(str_from_c(b), &y);

	assert_true(rx == 0 || rx == -E_UNSUPPORTED);
	assert_true(ry == 0 || ry == -E_UNSUPPORTED);
	if (sip_uri_equal(&x, &y) != expected || sip_uri_equal(&y, &x) != expected)
		fail_msg("%s and %s", a, b);
	assert_true(sip_uri_equal(&x, &x) && sip_uri_equal(&y, &y));
}

/* RFC 3261 §19.1.4, the lists of examples. */
static void equal_examples_compared_are_equal(void **state)
{
	assert_equality("sip:%61lice@atlanta.com;transport=TCP",
			"sip:alice@AtlanTa.CoM;Transport=tcp", true);
	assert_equality("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5", true);
	assert_equality("sip:carol@chicago.com", "sip:carol@chicago.com;security=on", true);
	assert_equality("sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on",
			true);
	assert_equality("sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
			"sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
			true);
	assert_equality("sip:alice@atlanta.com?subject=project%20x&priority=urgent",
			"sip:alice@atlanta.com?priority=urgent&subject=project%20x", true);
}

static void unequal_examples_compared_are_not_equal(void **state)
{
	assert_equality("SIP:ALICE@AtLanTa.CoM;Transport=udp",
			"sip:alice@AtLanTa.CoM;Transport=UDP", false);
	assert_equality("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060", false);
	assert_equality("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp", false);
	assert_equality("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp", false);
	assert_equality("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting",
			false);
	assert_equality("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4", false);
	assert_equality("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off",
			false);
}

static void each_rule_compared_holds(void **state)
{
	assert_equality("sip:a@b", "sips:a@b", false);
	assert_equality("sip:a@b", "sip:b", false);
	assert_equality("sip:a@b", "sip:a:@b", false);
	assert_equality("sip:a:x@b", "sip:a:X@b", false);
	assert_equality("sip:a:%78@b", "sip:a:x@b", true);
	assert_equality("sip:a@b;user=phone", "sip:a@b", false);
	assert_equality("sip:a@b;ttl=1", "sip:a@b", false);
	assert_equality("sip:a@b;method=INVITE", "sip:a@b", false);
	assert_equality("sip:a@b;maddr=1.2.3.4", "sip:a@b", false);
	assert_equality("sip:a@b;maddr=1.2.3.4", "sip:a@b;maddr=1.2.3.5", false);
	assert_equality("sip:a@b;%75ser=phone", "sip:a@b", false);
	assert_equality("sip:a@b;lr", "sip:a@b", true);
	assert_equality("sip:a@b;lr", "sip:a@b;LR", true);
	assert_equality("sip:a@b;lr", "sip:a@b;lr=on", false);
	assert_equality("sip:a@b;x=1;x=2", "sip:a@b;x=1", true);
	assert_equality("sip:a@b;x=1;x=2", "sip:a@b;x=2", false);
	assert_equality("sip:b?a=1&a=1&c=2", "sip:b?a=1&c=2&c=2", false);
	assert_equality("sip:b?a=1&a=1", "sip:b?a=1", false);
	assert_equality("sip:b?A=1", "sip:b?a=1", true);
	assert_equality("sip:b?a=X", "sip:b?a=x", false);
	assert_equality("sip:b?a=%58", "sip:b?a=X", true);
	assert_equality("sip:[2001:DB8::1]", "sip:[2001:db8:0:0::0:1]", true);
	assert_equality("sip:[2001:db8::1]", "sip:[2001:db8::2]", false);
	assert_equality("sip:[::ffff:1.2.3.4]", "sip:1.2.3.4", true);
}

/* Escapes: undone once, and a reserved octet is not its escape. escnull, esc01. */
static void escapes_compared_are_undone_once(void **state)
{
	assert_equality("sip:%41%62@h", "sip:Ab@h", true);
	assert_equality("sip:%6a@h", "sip:%6A@h", true);
	assert_equality("sip:%2541@h", "sip:A@h", false);
	assert_equality("sip:%25%34%31@h", "sip:%2541@h", true);
	assert_equality("sip:a%3Bb@h", "sip:a;b@h", false);
	assert_equality("sip:a%3bb@h", "sip:a%3Bb@h", true);
	assert_equality("sip:a%2Cb@h", "sip:a,b@h", false);
	assert_equality("sip:%00@h", "sip:%00%00@h", false);
	assert_equality("sip:null-%00-null@h", "sip:null-@h", false);
	assert_equality("sip:null-%00-null@h", "sip:null-%00-nul@h", false);
	assert_equality("sip:h;%6C%72;n%61me=v%61lue%25%34%31", "sip:h;lr;name=value%2541", true);
}

static void tel_compared_by_rfc_3966(void **state)
{
	assert_equality("tel:+1-201-555-0123", "tel:+1(201)555.0123", true);
	assert_equality("tel:+12015550123", "tel:+12015550124", false);
	assert_equality("tel:+1201", "tel:+12015", false);
	assert_equality("tel:1;phone-context=+1-2", "tel:1;Phone-Context=+12", true);
	assert_equality("tel:1;phone-context=Example.com", "tel:1;phone-context=example.COM", true);
	assert_equality("tel:1;phone-context=+1", "tel:1;phone-context=+2", false);
	assert_equality("tel:+1;phone-context=+1", "tel:1;phone-context=+1", false);
	assert_equality("tel:a1;phone-context=+1", "tel:A1;phone-context=+1", true);
	assert_equality("tel:+1;ext=1-2;isub=9", "tel:+1;isub=9;ext=12", true);
	assert_equality("tel:+1;isub=1-2", "tel:+1;isub=12", false);
	assert_equality("tel:+1;ext=12", "tel:+1", false);
	assert_equality("tel:+1;foo=X", "tel:+1;foo=x", true);
	assert_equality("tel:+1;foo", "tel:+1", false);
	assert_equality("tel:+1;ext=1;ext=2", "tel:+1;ext=1", true);
	assert_equality("tel:+1;ext=1;ext=2", "tel:+1;ext=2", false);
	assert_equality("tel:+1", "sip:+1@h", false);
}

static void urn_and_others_compared(void **state)
{
	assert_equality("urn:service:sos", "URN:Service:SOS", true);
	assert_equality("urn:service:sos", "urn:service:sos.fire", false);
	assert_equality("urn:example:a%2Cb", "urn:EXAMPLE:a%2cb?+r#f", true);
	assert_equality("urn:example:a", "urn:example:A", false);
	assert_equality("http://a", "HTTP://a", true);
	assert_equality("http://a", "http://A", false);
	assert_equality("http://a", "ftp://a", false);
}

static void aor_written_is_canonical(void **state)
{
	static const struct {
		struct str in, out;
	} t[] = {
		{ STR("sip:Alice@Example.COM"), STR("Alice@example.com") },
		{ STR("sips:alice:pw@example.com:5061;transport=tcp?x=y"),
		  STR("alice@example.com") },
		{ STR("sip:Example.com;lr"), STR("example.com") },
		{ STR("sip:%61l%69ce@h"), STR("alice@h") },
		{ STR("sip:a%40b%3ac%25%34%31@h"), STR("a%40b%3Ac%2541@h") },
		{ STR("sip:null-%00-null@example.com"), STR("null-%00-null@example.com") },
		{ STR("sip:user;par=u%40example.net@example.com"),
		  STR("user;par=u%40example.net@example.com") },
		{ STR("sip:%e2%82%ac@h"), STR("%E2%82%AC@h") },
		{ STR("sip:a%3Bb@h"), STR("a;b@h") },
		{ STR("sip:a@[2001:DB8:0::10]:5060"), STR("a@[2001:db8::10]") },
		{ STR("sip:a@192.0.2.1"), STR("a@192.0.2.1") },
		{ STR("tel:+1-(201)-555.0123;ext=5"), STR("+12015550123") },
		{ STR("tel:7-042A;phone-context=Example.COM"),
		  STR("7042a;phone-context=example.com") },
		{ STR("tel:7042;phone-context=+1-914"), STR("7042;phone-context=+1914") },
		{ STR("URN:Service:sos"), STR("urn:service:sos") },
	};
	char mem[64];

	for (size_t i = 0; i < N_OF(t); i++) {
		struct strbuf b = strbuf_of(mem, sizeof(mem));
		struct sip_uri u;

		assert_int_equal(sip_uri_parse(t[i].in, &u), 0);
		assert_int_equal(sip_uri_aor(&u, &b), 0);
		if (!str_eq(strbuf_str(&b), t[i].out))
			fail_msg("%.*s gives %.*s", STR_FMT(t[i].in), STR_FMT(strbuf_str(&b)));
		for (uint32_t cap = 0; cap < t[i].out.len; cap++) {
			b = strbuf_of(mem, cap);
			assert_int_equal(sip_uri_aor(&u, &b), -E_TOO_LONG);
		}
	}
}

static void escapes_undone_keep_every_octet(void **state)
{
	char mem[8];
	struct strbuf b = strbuf_of(mem, sizeof(mem));

	assert_int_equal(sip_unescape(STR("a%00%2541%fF"), &b), 0);
	assert_int_equal(b.len, 6);
	assert_memory_equal(mem, "a\0%41\xff", 6);
	b = strbuf_of(mem, sizeof(mem));
	assert_int_equal(sip_unescape(STR_NONE, &b), 0);
	assert_int_equal(b.len, 0);
	assert_int_equal(sip_unescape(STR("%"), &b), -E_MALFORMED);
	assert_int_equal(sip_unescape(STR("a%4"), &b), -E_MALFORMED);
	assert_int_equal(sip_unescape(STR("%4x"), &b), -E_MALFORMED);
	b = strbuf_of(mem, 2);
	assert_int_equal(sip_unescape(STR("a%41b"), &b), -E_TOO_LONG);
}

static void parameters_searched_are_found_escaped_too(void **state)
{
	struct sip_uri u;

	assert_int_equal(
		sip_uri_parse(STR("sip:cal%6Cer@h;%6C%72;n%61me=v%61lue%25%34%31;Transport=tls"),
			      &u),
		0);
	assert_true(sip_uri_lr(&u));
	assert_str(sip_uri_param(&u, STR("transport")), "tls");
	assert_str(sip_uri_param(&u, STR("name")), "v%61lue%25%34%31");
	assert_int_equal(sip_uri_param(&u, STR("maddr")).len, 0);
	assert_int_equal(sip_uri_parse(STR("sip:lr@h;lrx;x=lr"), &u), 0);
	assert_false(sip_uri_lr(&u));
}

static void assert_inside(struct str part, struct str whole)
{
	if (part.len > 0)
		assert_true(part.s >= whole.s && part.s + part.len <= whole.s + whole.len);
}

static void check_prefix(const void *bytes, size_t len, void *ctx)
{
	struct str in = str_of(bytes, len);
	struct strbuf b;
	struct sip_uri u;
	char mem[256];
	int r = sip_uri_parse(in, &u);

	assert_true(r == 0 || r == -E_MALFORMED || r == -E_UNSUPPORTED);
	assert_inside(u.user, in);
	assert_inside(u.password, in);
	assert_inside(u.host, in);
	assert_inside(u.params, in);
	assert_inside(u.headers, in);
	if (r != 0)
		return;
	b = strbuf_of(mem, sizeof(mem));
	assert_int_equal(sip_uri_aor(&u, &b), 0);
	assert_true(sip_uri_equal(&u, &u));
	(void)ctx;
}

static void every_prefix_parsed_stays_inside(void **state)
{
	static const struct str more[] = { STR("tel:1-2;phone-context=example.com;ext=1;isub=a?b"),
					   STR("urn:service:sos?+r#f%41"), STR("http://a/%41?b") };

	for (size_t i = 0; i < N_OF(good); i++)
		guard_each_prefix(good[i].in.s, good[i].in.len, check_prefix, NULL);
	for (size_t i = 0; i < N_OF(more); i++)
		guard_each_prefix(more[i].s, more[i].len, check_prefix, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sip_uri_parsed_gives_its_parts),
		cmocka_unit_test(other_schemes_parsed_are_named),
		cmocka_unit_test(wrong_uri_parsed_is_malformed),
		cmocka_unit_test(members_parsed_have_a_limit),
		cmocka_unit_test(address_text_read_gives_16_octets),
		cmocka_unit_test(name_or_bare_ip6_read_is_no_host_address),
		cmocka_unit_test(host_cut_ends_where_it_ends),
		cmocka_unit_test(equal_examples_compared_are_equal),
		cmocka_unit_test(unequal_examples_compared_are_not_equal),
		cmocka_unit_test(each_rule_compared_holds),
		cmocka_unit_test(escapes_compared_are_undone_once),
		cmocka_unit_test(tel_compared_by_rfc_3966),
		cmocka_unit_test(urn_and_others_compared),
		cmocka_unit_test(aor_written_is_canonical),
		cmocka_unit_test(escapes_undone_keep_every_octet),
		cmocka_unit_test(parameters_searched_are_found_escaped_too),
		cmocka_unit_test(every_prefix_parsed_stays_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
