/* SPDX-License-Identifier: Apache-2.0 */
/* The appliance under a virtual clock; see appliance.h. The edge's side of the product's core.c is
 * played here: render what comes down, hand in what arrives. */
#include "tests/sim/appliance/appliance.h"

#include <stdio.h>
#include <stdlib.h>

static void die(const char *what)
{
	fprintf(stderr, "appliance: %s\n", what);
	abort();
}

void app_conf(struct app *a)
{
	struct conf *c = &a->conf;

	memset(a, 0, sizeof(*a));
	conf_defaults(c);
	c->slots[0] = 256;
	c->slots[1] = 256;
	c->slots[2] = 32;
	c->slots[3] = 8;
	c->slots[4] = 4;
	c->transactions = 256;
	c->branches = 320;
	c->bindings = 64;
	c->edit_blocks = 2048;
	c->ring_records = 256;
	c->polled = c->shards = 1;
	c->record_route = 1;
	c->n_domains = 1;
	(void)str_to_c(STR("example.com"), c->domain[0], CONF_TEXT_MAX);
	c->n_listeners = 2;
	for (uint32_t i = 0; i < 2; i++) {
		struct conf_listener *l = &c->listener[i];

		if (ip_parse(i == 0 ? STR("10.0.0.1") : STR("fd00::1"), &l->address) != 0)
			die("address");
		l->port = 5060;
		l->transport = CONF_UDP;
		l->options = CONF_OPTIONS_CONTROL;
	}
	a->now_us = 1000000;
}

static void new_epoch(struct app *a)
{
	atomic_fetch_add(&a->link.h->epoch, 1);
	edge_pass(a->edge);
	atomic_store(&a->link.h->control_alive, 1);
}

void app_start(struct app *a)
{
	struct link_geometry g = { 1, 1, &a->conf };
	int bell = -1;

	if (link_region_make(&g, false, CONF_AUTO, 1, &a->link) != 0)
		die("region");
	/* the same keys in every run: what is sent can be compared between runs */
	memset(&a->link.h->keys, 0x5a, sizeof(a->link.h->keys));
	a->edge = edge_new(&a->link, 0);
	if (a->edge == NULL)
		die("edge");
	new_epoch(a);
	a->shard = shard_new(&a->link, 0, &bell, a->now_us);
	if (a->shard == NULL)
		die("shard");
	app_run(a);
}

void app_stop(struct app *a)
{
	app_forget(a);
	shard_free(a->shard);
	edge_free(a->edge);
	link_region_unmap(&a->link);
}

static void record_sent(struct app *a, const struct link_flow *flow, const char *bytes, uint32_t len)
{
	struct app_sent *s = &a->sent[a->n_sent];

	if (a->n_sent == APP_SENT_MAX)
		die("too much was sent");
	*s = (struct app_sent){ .flow = *flow, .at_us = a->now_us, .len = len, .bytes = malloc(len + 1) };
	if (s->bytes == NULL)
		die("memory");
	memcpy(s->bytes, bytes, len);
	s->bytes[len] = '\0';
	a->n_sent++;
}

static bool pump_down(struct app *a)
{
	static char out[SIP_MSG_MAX];
	struct link_record r;
	bool worked = false;

	while (edge_down(a->edge, 0, &r) == 1) {
		int n = edge_render(a->edge, 0, &r, out, sizeof(out));
		bool ok = n > 0 && !a->fail_next_send;

		if (ok)
			record_sent(a, &r.flow, out, (uint32_t)n);
		a->fail_next_send = false;
		edge_sent(a->edge, 0, &r, ok);
		worked = true;
	}
	edge_down_end(a->edge, 0);
	return worked;
}

void app_drain(struct app *a)
{
	(void)pump_down(a);
}

void app_successor(struct app *a)
{
	int bell = -1;

	shard_free(a->shard);
	(void)pump_down(a);
	new_epoch(a);
	a->shard = shard_new(&a->link, 0, &bell, a->now_us);
	if (a->shard == NULL)
		die("successor");
}

void app_run(struct app *a)
{
	bool worked = true;

	for (uint32_t n = 0; worked && n < 10000; n++) {
		edge_pass(a->edge);
		worked = a->child > 0 ? app_child_step(a) : a->shard && shard_step(a->shard, a->now_us);
		worked |= pump_down(a);
		edge_tick(a->edge, a->now_us);
		worked |= a->edge->slots.sweeping;
	}
	if (worked)
		die("never quiet");
}

void app_rx(struct app *a, const char *ip, uint16_t port, const char *bytes, size_t len)
{
	struct link_flow f = { .peer_port = port, .transport = CONF_UDP };
	struct str answer;

	if (ip_parse(str_from_c(ip), &f.peer) != 0)
		die("peer address");
	f.listener = ip_is4(&f.peer) ? 0 : 1;
	edge_pass(a->edge);
	edge_in(a->edge, &f, str_of(bytes, len), a->now_us, &answer);
	if (answer.len > 0)
		record_sent(a, &f, answer.s, answer.len);
	app_run(a);
}

void app_rx_text(struct app *a, const char *ip, uint16_t port, const char *text)
{
	app_rx(a, ip, port, text, strlen(text));
}

void app_pass(struct app *a, uint64_t us)
{
	uint64_t until = a->now_us + us;

	/* long waits in coarser steps: timers are then late by as much, the same in every run */
	uint64_t step = us > 1000000 ? 100000 : 10000;

	while (a->now_us < until) {
		uint64_t left = until - a->now_us;

		a->now_us += left < step ? left : step;
		app_run(a);
	}
}

const struct app_sent *app_sent_at(const struct app *a, uint32_t i)
{
	return i < a->n_sent ? &a->sent[i] : NULL;
}

void app_forget(struct app *a)
{
	for (uint32_t i = 0; i < a->n_sent; i++)
		free(a->sent[i].bytes);
	a->n_sent = 0;
}

bool app_starts(const struct app *a, uint32_t i, const char *text)
{
	return i < a->n_sent && strncmp(a->sent[i].bytes, text, strlen(text)) == 0;
}

bool app_has(const struct app *a, uint32_t i, const char *text)
{
	return i < a->n_sent && strstr(a->sent[i].bytes, text) != NULL;
}

struct str app_parse(const struct app *a, uint32_t i, struct sip_msg *m)
{
	static const struct sip_limits limits = { SIP_MSG_MAX, SIP_MSG_MAX, SIP_MSG_MAX, SIP_HDRS_MAX };
	struct sip_fault f;
	struct str s = str_of(a->sent[i].bytes, a->sent[i].len);

	if (i >= a->n_sent || sip_msg_parse(s, &limits, m, &f) != 0)
		die("what was sent does not parse");
	return s;
}

uint64_t app_count(const struct app *a, enum counter id)
{
	return link_counter_sum(&a->link, id);
}

static void check(const struct app *a, const char *what, uint64_t left, uint64_t right)
{
	if (left == right)
		return;
	printf("schedule failed: audit: %s: %lu != %lu\n", what, left, right);
	for (int i = 0; i < COUNTERS; i++) {
		if (app_count(a, (enum counter)i) != 0)
			printf("  %s = %lu\n", counter_info[i].name, app_count(a, (enum counter)i));
	}
	exit(1);
}

static uint64_t drops(const struct app *a, const char *layer)
{
	uint64_t sum = 0;

	for (int i = 0; i < COUNTERS; i++) {
		if (counter_info[i].kind == COUNTER_DROP && strcmp(counter_info[i].layer, layer) == 0)
			sum += app_count(a, (enum counter)i);
	}
	return sum;
}

static uint64_t used(const struct app *a, enum link_section s, uint32_t n)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < n; i++)
		sum += *(uint32_t *)link_at(&a->link, s, i) & 1;
	return sum;
}

void app_audit(struct app *a, bool empty)
{
	const struct link_header *h = a->link.h;

	check(a, "sip_rx", app_count(a, sip_rx),
	      app_count(a, sip_up) + app_count(a, sip_held) + app_count(a, sip_fast_options) +
		      app_count(a, sip_fast_reject) + app_count(a, sip_ack_absorbed) + drops(a, "sip"));
	check(a, "link_down", app_count(a, link_down),
	      app_count(a, link_send) + app_count(a, link_release) + app_count(a, link_adopted) +
		      app_count(a, link_bad_record));
	check(a, "bad records", app_count(a, link_bad_record) + app_count(a, shard_drop_bad_record), 0);
	check(a, "shard_rx", app_count(a, shard_rx),
	      app_count(a, shard_requests) + app_count(a, shard_responses) + app_count(a, shard_failures) +
		      drops(a, "shard"));
	check(a, "txns", app_count(a, txn_started), app_count(a, txn_ended) + app_count(a, txn_live));
	check(a, "branches", app_count(a, branch_started),
	      app_count(a, branch_ended) + app_count(a, branch_live));
	check(a, "txn records", used(a, LINK_S_TXN_USED, h->txns), app_count(a, txn_live));
	check(a, "branch records", used(a, LINK_S_BRANCH_USED, h->branches), app_count(a, branch_live));
	if (!empty)
		return;
	check(a, "live transactions", app_count(a, txn_live), 0);
	check(a, "live branches", app_count(a, branch_live), 0);
	check(a, "bindings", used(a, LINK_S_BINDING_USED, h->bindings), 0);
	check(a, "edit blocks", used(a, LINK_S_BLOCK_USED, h->blocks), 0);
	check(a, "slots", slot_in_use(&a->edge->slots), 0);
}
