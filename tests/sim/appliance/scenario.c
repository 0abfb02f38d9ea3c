/* SPDX-License-Identifier: Apache-2.0 */
/* The scenario; see scenario.h. Alice is at 10.0.0.2, Bob at 10.0.0.3. */
#include "tests/sim/appliance/scenario.h"

#include "tests/sim/appliance/phone.h"

#include <stdio.h>
#include <stdlib.h>

#define ALICE "sip:alice@example.com"
#define BOB "sip:bob@example.com"
#define HOLD_US 40000000 /* longer than any timer of a finished transaction */

static const char *from_alice(const char *method, const char *ruri, int n, uint32_t cseq, const char *extra)
{
	return phone_request(method, ruri, ALICE, BOB, "10.0.0.2", 5060, n, cseq, extra);
}

static uint32_t must_find(const struct app *a, uint32_t from, const char *text)
{
	int i = phone_find(a, from, text);

	if (i < 0) {
		printf("schedule failed: nothing was sent that starts with \"%s\"\n", text);
		exit(1);
	}
	return (uint32_t)i;
}

static void register_bob(struct app *a, int n, const char *contact)
{
	char extra[256];
	uint32_t from = a->n_sent;

	(void)snprintf(extra, sizeof(extra), "Contact: %s\r\n", contact);
	app_rx_text(a, "10.0.0.3", 5060,
		    phone_request("REGISTER", "sip:example.com", BOB, BOB, "10.0.0.3", 5060, n, 1, extra));
	(void)must_find(a, from, "SIP/2.0 200");
}

static void ack_to(struct app *a, int n, const char *ruri, const char *tag, bool own_branch)
{
	char text[1024];

	(void)snprintf(text, sizeof(text),
		       "ACK %s SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK-%d-%s;rport\r\n"
		       "Max-Forwards: 70\r\nFrom: <" ALICE ">;tag=f%d\r\nTo: <" BOB ">;tag=%s\r\n"
		       "Call-ID: call-%d@10.0.0.2\r\nCSeq: 1 ACK\r\n%sContent-Length: 0\r\n\r\n",
		       ruri, n, own_branch ? "ACK" : "INVITE", n, tag, n,
		       own_branch ? "Route: <sip:10.0.0.1:5060;lr>\r\n" : "");
	app_rx_text(a, "10.0.0.2", 5060, text);
}

static void call_answered(struct app *a, int n)
{
	uint32_t from = a->n_sent, invite;
	const char *text = from_alice("INVITE", BOB, n, 1, "Contact: <sip:alice@10.0.0.2>\r\n");
	char copy[4096];

	(void)str_to_c(str_from_c(text), copy, sizeof(copy));
	app_rx_text(a, "10.0.0.2", 5060, copy);
	(void)must_find(a, from, "SIP/2.0 100");
	invite = must_find(a, from, "INVITE sip:bob@10.0.0.3");
	app_rx_text(a, "10.0.0.2", 5060, copy); /* a retransmission */
	phone_answer(a, invite, 180, "b", "");
	phone_answer(a, invite, 200, "b", "Contact: <sip:bob@10.0.0.3>\r\n");
	phone_answer(a, invite, 200, "b", "Contact: <sip:bob@10.0.0.3>\r\n");
	ack_to(a, n, "sip:bob@10.0.0.3", "b", true);
	(void)must_find(a, invite, "ACK sip:bob@10.0.0.3");
	app_rx_text(a, "10.0.0.2", 5060,
		    from_alice("BYE", "sip:bob@10.0.0.3", n, 2, "Route: <sip:10.0.0.1:5060;lr>\r\n"));
	phone_answer(a, must_find(a, invite, "BYE sip:bob@10.0.0.3"), 200, "b", "");
}

static void call_refused(struct app *a, int n)
{
	uint32_t from = a->n_sent, invite;

	app_rx_text(a, "10.0.0.2", 5060, from_alice("INVITE", BOB, n, 1, ""));
	invite = must_find(a, from, "INVITE sip:bob@");
	phone_answer(a, invite, 486, "b", "");
	(void)must_find(a, from, "SIP/2.0 486");
	app_pass(a, 600000); /* timer G */
	ack_to(a, n, BOB, "b", false);
}

static void call_cancelled(struct app *a, int n)
{
	uint32_t from = a->n_sent, invite;

	app_rx_text(a, "10.0.0.2", 5060, from_alice("INVITE", BOB, n, 1, ""));
	invite = must_find(a, from, "INVITE sip:bob@");
	phone_answer(a, invite, 180, "b", "");
	app_rx_text(a, "10.0.0.2", 5060, from_alice("CANCEL", BOB, n, 1, ""));
	phone_answer(a, must_find(a, from, "CANCEL sip:bob@"), 200, "b", "");
	phone_answer(a, invite, 487, "b", "");
	(void)must_find(a, from, "SIP/2.0 487");
	ack_to(a, n, BOB, "b", false);
}

static void message_unanswered(struct app *a, int n)
{
	app_rx_text(a, "10.0.0.2", 5060, from_alice("MESSAGE", "sip:x@10.0.0.9", n, 1, ""));
	app_pass(a, HOLD_US);
}

static void message_unsent(struct app *a, int n)
{
	a->fail_next_send = true;
	app_rx_text(a, "10.0.0.2", 5060, from_alice("MESSAGE", "sip:x@10.0.0.9", n, 1, ""));
	(void)must_find(a, 0, "SIP/2.0 477");
}

static void cancel_unmatched(struct app *a, int n)
{
	app_rx_text(a, "10.0.0.2", 5060, from_alice("CANCEL", BOB, n, 1, ""));
	app_pass(a, 300000);
	(void)must_find(a, 0, "SIP/2.0 481");
}

void scenario_run(struct app *a)
{
	register_bob(a, 1, "<sip:bob@10.0.0.3>;expires=120");
	app_rx_text(a, "10.0.0.2", 5060, from_alice("OPTIONS", "sip:example.com", 2, 1, ""));
	call_answered(a, 3);
	call_refused(a, 4);
	call_cancelled(a, 5);
	message_unsent(a, 6);
	cancel_unmatched(a, 7);
	register_bob(a, 8, "<sip:bob@10.0.0.3>;expires=120, <sip:bob2@10.0.0.4>;q=0.5;expires=90");
	message_unanswered(a, 9);
	app_pass(a, HOLD_US);
	app_pass(a, 130000000);
}

uint64_t scenario_digest(const struct app *a)
{
	static const struct hash_key key = { { 1, 2 } };
	struct hash_state h;

	hash_begin(&h, &key, false);
	for (uint32_t i = 0; i < a->n_sent; i++) {
		hash_add(&h, &a->sent[i].flow.peer, sizeof(a->sent[i].flow.peer));
		hash_add(&h, &a->sent[i].flow.peer_port, 2);
		hash_field(&h, str_of(a->sent[i].bytes, a->sent[i].len));
	}
	return hash_end64(&h);
}
