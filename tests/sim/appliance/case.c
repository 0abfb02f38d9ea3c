/* SPDX-License-Identifier: Apache-2.0 */
/* See case.h. */
#include "tests/sim/appliance/case.h"

#include <stdio.h>
#include <stdlib.h>

struct app *case_start(void (*change)(struct conf *c))
{
	struct app *a = malloc(sizeof(*a));

	assert_non_null(a);
	app_conf(a);
	if (change != NULL)
		change(&a->conf);
	app_start(a);
	return a;
}

void case_end(struct app *a)
{
	app_forget(a);
	app_pass(a, 400000000);
	app_audit(a, true);
	app_stop(a);
	free(a);
}

void case_rx(struct app *a, const char *ip, const char *format, ...)
{
	static char text[65536];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	assert_true(n >= 0 && n < (int)sizeof(text));
	app_rx(a, ip, 5060, text, (size_t)n);
}

void case_alice(struct app *a, const char *method, const char *ruri, int n, const char *extra)
{
	app_rx_text(a, ALICE_IP, 5060,
		    phone_request(method, ruri, ALICE, BOB, ALICE_IP, 5060, n, 1, extra));
}

void case_ack(struct app *a, const char *ruri, int n, const char *tag)
{
	case_rx(a, ALICE_IP,
		"ACK %s SIP/2.0\r\nVia: SIP/2.0/UDP "
		"10.0.0.2:5060;branch=z9hG4bK-%d-INVITE;rport\r\n"
		"Max-Forwards: 70\r\nFrom: <" ALICE ">;tag=f%d\r\nTo: <" BOB ">;tag=%s\r\n"
		"Call-ID: call-%d@10.0.0.2\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n",
		ruri, n, n, tag, n);
}

void case_bind_bob(struct app *a, const char *contacts, const char *path)
{
	static int n = 100000;
	char extra[2048];

	(void)snprintf(extra, sizeof(extra), "Contact: %s\r\nExpires: 120\r\n%s", contacts, path);
	app_rx_text(a, BOB_IP, 5060,
		    phone_request("REGISTER", "sip:example.com", BOB, BOB, BOB_IP, 5060, n++, 1,
				  extra));
	(void)case_find(a, 0, "SIP/2.0 200 ");
	app_forget(a);
}

uint32_t case_find(const struct app *a, uint32_t from, const char *text)
{
	int i = phone_find(a, from, text);

	if (i < 0) {
		for (uint32_t k = 0; k < a->n_sent; k++)
			print_message("sent %u: %s\n", k, a->sent[k].bytes);
		fail_msg("nothing was sent that starts with \"%s\"", text);
	}
	return (uint32_t)i;
}

uint32_t case_count(const struct app *a, const char *text)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < a->n_sent; i++)
		n += app_starts(a, i, text);
	return n;
}

void case_is(const struct app *a, uint32_t i, const char *text)
{
	static char want[65536];
	const char *mark = strstr(text, "<branch>");
	struct sip_msg m;

	assert_true(i < a->n_sent);
	(void)str_to_c(str_from_c(text), want, sizeof(want));
	if (mark != NULL) {
		struct str s = app_parse(a, i, &m);

		assert_int_equal(m.via_branch.len, OUR_BRANCH_LEN);
		(void)snprintf(want, sizeof(want), "%.*s%.*s%s", (int)(mark - text), text,
			       (int)m.via_branch.len, s.s + m.via_branch.off, mark + 8);
	}
	assert_string_equal(a->sent[i].bytes, want);
}

const char *case_to_tag(const struct app *a, uint32_t i)
{
	static char tag[128];
	struct sip_msg m;
	struct str s = app_parse(a, i, &m);

	assert_int_equal(str_to_c(sip_span_str(s.s, m.to_tag), tag, sizeof(tag)), m.to_tag.len);
	return tag;
}
