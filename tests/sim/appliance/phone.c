/* SPDX-License-Identifier: Apache-2.0 */
/* Phones for tests: requests by a template, answers by the product's own reply builder. */
#include "tests/sim/appliance/phone.h"

#include "platform/sip/reply.h"

#include <stdio.h>
#include <stdlib.h>

const char *phone_request(const char *method, const char *ruri, const char *from, const char *to,
			  const char *ip, uint16_t port, int n, uint32_t cseq, const char *extra)
{
	static char text[4096];

	(void)snprintf(text, sizeof(text),
		       "%s %s SIP/2.0\r\n"
		       "Via: SIP/2.0/UDP %s:%u;branch=z9hG4bK-%d-%s;rport\r\n"
		       "Max-Forwards: 70\r\n"
		       "From: <%s>;tag=f%d\r\n"
		       "To: <%s>\r\n"
		       "Call-ID: call-%d@%s\r\n"
		       "CSeq: %u %s\r\n"
		       "%s"
		       "Content-Length: 0\r\n\r\n",
		       method, ruri, ip, port, n, strcmp(method, "CANCEL") ? method : "INVITE", from, n, to, n,
		       ip, cseq, method, extra);
	return text;
}

void phone_answer(struct app *a, uint32_t i, unsigned status, const char *to_tag, const char *extra)
{
	static struct sip_op word[4096];
	static char out[8192];
	struct sip_program p = { .word = word, .cap = 4096 };
	struct sip_reply r = { .status = (uint16_t)status, .to_tag = str_from_c(to_tag),
			       .record_route = true, .extra = str_from_c(extra) };
	struct link_flow to = a->sent[i].flow;
	struct sip_msg m;
	struct str s = app_parse(a, i, &m);
	char ip[IP_TEXT_MAX];
	int n;

	if (sip_reply_program(s.s, &m, &r, &p) != 0)
		abort();
	n = sip_program_render(word, p.n, s.s, s.len, out, sizeof(out));
	if (n < 0)
		abort();
	(void)ip_print(&to.peer, false, ip);
	app_rx(a, ip, to.peer_port, out, (size_t)n);
}

int phone_find(const struct app *a, uint32_t from, const char *text)
{
	for (uint32_t i = from; i < a->n_sent; i++) {
		if (app_starts(a, i, text))
			return (int)i;
	}
	return -1;
}
