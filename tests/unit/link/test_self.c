/* SPDX-License-Identifier: Apache-2.0 */
/* "Is it for us": domains on any port, addresses on the ports that we listen on, whatever their
 * spelling, and what a listener advertises. */
#include "rig.h"

#include "platform/sip/self.h"

#include <string.h>

static struct self self;

static void listener(struct conf *c, const char *ip, uint16_t port, const char *advertise)
{
	struct conf_listener *l = &c->listener[c->n_listeners++];

	assert_int_equal(ip_parse(str_from_c(ip), &l->address), 0);
	l->port = port;
	l->transport = CONF_UDP;
	(void)str_to_c(str_from_c(advertise), l->advertise, sizeof(l->advertise));
}

static void domain(struct conf *c, const char *name)
{
	(void)str_to_c(str_from_c(name), c->domain[c->n_domains++], CONF_TEXT_MAX);
}

static int set_up(void **state)
{
	static const struct hash_key key = {{3, 4}};
	static struct conf c;

	(void)state;
	conf_defaults(&c);
	c.n_listeners = c.n_domains = 0;
	domain(&c, "example.com");
	domain(&c, "Sip.Example.ORG");
	listener(&c, "10.0.0.1", 5060, "");
	listener(&c, "10.0.0.1", 5080, "pbx.example.net:5070");
	listener(&c, "fd99::1", 5060, "[2001:db8::7]:6000");
	listener(&c, "10.0.0.2", 7000, "edge.example.net");
	self_init(&self, &c, &key);
	return 0;
}

struct row {
	const char *host;
	uint16_t port;
	bool ours;
};

static void check_rows(const struct row *row, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (self_is(&self, str_from_c(row[i].host), row[i].port) != row[i].ours)
			fail_msg("%s port %u", row[i].host, row[i].port);
	}
}
#define CHECK(rows) check_rows(rows, sizeof(rows) / sizeof(rows[0]))

static void domains_are_ours_on_any_port(void **state)
{
	static const struct row row[] = {
		{"example.com", 0, true},     {"example.com", 5060, true},
		{"example.com", 9, true},     {"EXAMPLE.Com", 65535, true},
		{"sip.example.org", 0, true}, {"SIP.EXAMPLE.ORG", 0, true},
		{"example.org", 0, false},    {"xexample.com", 0, false},
		{"example.co", 0, false},     {"example.com.", 0, false},
		{"a.example.com", 0, false},  {"", 0, false},
	};

	(void)state;
	CHECK(row);
}

static void addresses_are_ours_on_their_ports_only(void **state)
{
	static const struct row row[] = {
		{"10.0.0.1", 0, true},	   {"10.0.0.1", 5060, true},  {"10.0.0.1", 5080, true},
		{"10.0.0.1", 5061, false}, {"10.0.0.1", 7000, false}, {"10.0.0.2", 7000, true},
		{"10.0.0.2", 0, false},	   {"10.0.0.3", 0, false},    {"10.0.0.10", 0, false},
		{"010.0.0.1", 0, false},
	};

	(void)state;
	CHECK(row);
}

static void ipv6_is_a_value_not_a_text(void **state)
{
	static const struct row row[] = {
		{"[fd99::1]", 0, true},
		{"[FD99::1]", 5060, true},
		{"[FD99:0::1]", 0, true},
		{"[fd99:0:0:0:0:0:0:1]", 0, true},
		{"[fd99:0000:0:0:0:0:0:0001]", 0, true},
		{"[fd99::0.0.0.1]", 0, true},
		{"[fd99::1]", 5061, false},
		{"[fd99::2]", 0, false},
		{"[fd99::1", 0, false},
	};

	(void)state;
	CHECK(row);
}

static void advertised_names_are_ours_on_their_port(void **state)
{
	static const struct row row[] = {
		{"pbx.example.net", 5070, true},  {"PBX.example.net", 5070, true},
		{"pbx.example.net", 0, false},	  {"pbx.example.net", 5080, false},
		{"[2001:db8::7]", 6000, true},	  {"[2001:DB8:0::7]", 6000, true},
		{"[2001:db8::7]", 0, false},	  {"edge.example.net", 0, true},
		{"edge.example.net", 5060, true}, {"edge.example.net", 7000, false},
	};

	(void)state;
	CHECK(row);
}

static void sent_by_is_the_advertised_or_the_address(void **state)
{
	static const char *const want[] = {"10.0.0.1:5060", "pbx.example.net:5070",
					   "[fd99::1]:5061"};
	struct conf c = {0};
	char text[CONF_TEXT_MAX + 8];

	(void)state;
	listener(&c, "10.0.0.1", 5060, "");
	listener(&c, "10.0.0.1", 5080, "pbx.example.net:5070");
	listener(&c, "fd99::1", 5061, "");
	for (unsigned i = 0; i < 3; i++) {
		uint32_t n = self_sent_by(&c.listener[i], text, sizeof(text));

		assert_int_equal(n, strlen(want[i]));
		assert_memory_equal(text, want[i], n);
	}
}

static void every_listener_and_domain_finds_room(void **state)
{
	static const struct hash_key key = {{3, 4}};
	static struct conf c;
	static struct self full;

	(void)state;
	conf_defaults(&c);
	c.n_listeners = c.n_domains = 0;
	while (c.n_domains < CONF_DOMAINS_MAX) {
		char name[] = "d000.example.com";

		name[1] = (char)('0' + c.n_domains / 100);
		name[2] = (char)('0' + c.n_domains / 10 % 10);
		name[3] = (char)('0' + c.n_domains % 10);
		domain(&c, name);
	}
	while (c.n_listeners < CONF_LISTENERS_MAX)
		listener(&c, "10.0.0.1", (uint16_t)(6000 + c.n_listeners), "edge.example.net:9");
	self_init(&full, &c, &key);
	assert_int_equal(full.n, SELF_NAMES_MAX);
	assert_true(self_is(&full, str_from_c(c.domain[CONF_DOMAINS_MAX - 1]), 0));
	assert_true(self_is(&full, STR("10.0.0.1"), 6000 + CONF_LISTENERS_MAX - 1));
	assert_false(self_is(&full, STR("10.0.0.1"), 6000 + CONF_LISTENERS_MAX));
	assert_true(self_is(&full, STR("edge.example.net"), 9));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(domains_are_ours_on_any_port),
		cmocka_unit_test(addresses_are_ours_on_their_ports_only),
		cmocka_unit_test(ipv6_is_a_value_not_a_text),
		cmocka_unit_test(advertised_names_are_ours_on_their_port),
		cmocka_unit_test(sent_by_is_the_advertised_or_the_address),
		cmocka_unit_test(every_listener_and_domain_finds_room),
	};

	return cmocka_run_group_tests_name("link/self", tests, set_up, NULL);
}
