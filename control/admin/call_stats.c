/* SPDX-License-Identifier: Apache-2.0 */
/* Counters for people and for Kamailio's tools: stats.get_statistics, drops, cores, ports. */
#include <stdlib.h>

#include "control/admin/calls.h"

#define OVER_MS_MAX 60000

/* What Kamailio counts and we count under other names, as sums of ours. */
struct kamailio_row {
	const char *group, *name;
	uint8_t n;
	uint16_t id[6];
};
static const struct kamailio_row kamailio[] = {
	{"core",
	 "rcv_requests",
	 4,
	 {shard_requests, sip_fast_options, sip_fast_reject, sip_ack_absorbed}},
	{"core", "rcv_replies", 1, {shard_responses}},
	{"core", "fwd_requests", 2, {proxy_forwarded, proxy_forwarded_ack}},
	{"core", "fwd_replies", 2, {proxy_relayed, proxy_late_relayed}},
	{"core",
	 "drop_requests",
	 6,
	 {sip_drop_bad_request, sip_drop_bad_ack, sip_drop_no_slot, sip_drop_hold_full,
	  sip_drop_hold_expired, sip_drop_no_answer}},
	{"core",
	 "drop_replies",
	 3,
	 {sip_drop_bad_response, sip_drop_stray_response, txn_stray_response}},
	{"core", "bad_msg_hdr", 1, {sip_drop_bad_request}},
	{"tmx", "UAS_transactions", 1, {txn_started}},
	{"tmx", "UAC_transactions", 1, {branch_started}},
	{"tmx", "inuse_transactions", 1, {txn_live}},
	{"tmx", "active_transactions", 1, {txn_live}},
	{"tmx", "rpl_received", 1, {shard_responses}},
	{"tmx", "rpl_relayed", 2, {proxy_relayed, proxy_late_relayed}},
	{"tmx", "rpl_generated", 1, {proxy_replied}},
	{"tmx", "rpl_sent", 3, {proxy_replied, proxy_relayed, proxy_late_relayed}},
	{"usrloc", "location_contacts", 1, {registrar_bindings}},
	{"registrar", "rejected_regs", 1, {registrar_refused}},
	{"sl", "received_ACKs", 1, {sip_ack_absorbed}},
	{"sl", "sent_replies", 2, {sip_fast_options, sip_fast_reject}},
	{"sl", "sent_err_replies", 1, {sip_fast_reject}},
};
#define N_KAMAILIO (sizeof(kamailio) / sizeof(kamailio[0]))

/* "all", "group:", "group:name" or "name". */
static bool wanted(struct str want, const char *group, const char *name)
{
	struct str g = str_from_c(group), n = str_from_c(name), head, rest;

	if (str_eq(want, STR("all")))
		return true;
	if (!str_split(want, ':', &head, &rest))
		return str_eq(want, n);
	return str_eq(head, g) && (rest.len == 0 || str_eq(rest, n));
}

static void put_line(struct call *c, struct str want, const char *group, const char *name,
		     uint64_t v)
{
	if (wanted(want, group, name))
		json_array_append_new(c->result, json_sprintf("%s:%s = %lu", group, name, v));
}

static void put_matching(struct call *c, struct str want)
{
	const struct link *l = c->world->link;

	for (size_t i = 0; i < N_KAMAILIO; i++) {
		uint64_t v = 0;

		for (uint32_t k = 0; k < kamailio[i].n; k++)
			v += link_counter_sum(l, (enum counter)kamailio[i].id[k]);
		put_line(c, want, kamailio[i].group, kamailio[i].name, v);
	}
	for (int i = 0; i < COUNTERS; i++)
		put_line(c, want, counter_info[i].layer, counter_info[i].name,
			 link_counter_sum(l, (enum counter)i));
}

enum call_outcome call_stats_get(struct call *c)
{
	size_t n = json_array_size(c->arg[0]);

	c->result = json_array();
	for (size_t i = 0; i < n && i < RPC_NAMES_MAX; i++) {
		json_t *v = json_array_get(c->arg[0], i);

		put_matching(c, str_of(json_string_value(v), json_string_length(v)));
	}
	if (n > RPC_NAMES_MAX)
		call_error(c, RPC_INVALID_PARAMS, "Invalid params", "at most %d names",
			   RPC_NAMES_MAX);
	return CALL_DONE;
}

enum call_outcome call_drops(struct call *c)
{
	struct str which = call_text(c, 0);
	bool all = str_eq(which, STR("all")), known = which.len == 0 || all;
	json_t *rows = json_array();
	uint64_t total = 0;

	for (int i = 0; i < COUNTERS; i++) {
		const struct counter_info *d = &counter_info[i];
		uint64_t n = link_counter_sum(c->world->link, (enum counter)i);
		bool layer = str_eq(which, str_from_c(d->layer));

		if (d->kind != COUNTER_DROP || (which.len > 0 && !all && !layer))
			continue;
		known = true;
		total += n;
		if (n > 0 || which.len > 0)
			json_array_append_new(rows,
					      json_pack("{ss sI ss}", "name", d->name, "count",
							(json_int_t)n, "text", d->text));
	}
	c->result = json_pack("{so sI}", "drops", rows, "total", (json_int_t)total);
	if (!known)
		call_error(c, RPC_INVALID_PARAMS, "Invalid params",
			   "which (text): all, or a layer with drops");
	return CALL_DONE;
}

/* cores */

static void cores_mark(const struct link *l, struct call_memory *m)
{
	for (uint32_t i = 0; i < l->h->n_cores + l->h->n_shards; i++) {
		const struct link_loop *p = link_at(l, LINK_S_LOOPS, i);

		m->busy[i] = atomic_load_explicit(&p->busy_cycles, memory_order_relaxed);
		m->idle[i] = atomic_load_explicit(&p->idle_cycles, memory_order_relaxed);
	}
	m->cores_seen = true;
}

static double busy_ratio(uint64_t busy, uint64_t idle)
{
	/* a loop that was started anew counts from 0 again: then nothing is known yet */
	if ((int64_t)busy < 0 || (int64_t)idle < 0 || busy + idle == 0)
		return 0.0;
	return (double)busy / (double)(busy + idle);
}

static void cores_answer(struct call *c, const struct call_memory *before)
{
	const struct link *l = c->world->link;
	json_t *rows = json_array();
	struct call_memory now = {0};

	cores_mark(l, &now);
	for (uint32_t i = 0; i < l->h->n_cores + l->h->n_shards; i++) {
		const struct link_loop *p = link_at(l, LINK_S_LOOPS, i);
		bool core = i < l->h->n_cores;

		json_array_append_new(
			rows, json_pack("{so si sf sb}", "name",
					json_sprintf(core ? "sl-poll-%u" : "sl-shard-%u",
						     core ? i : i - l->h->n_cores),
					"cpu", (int)p->cpu, "busy",
					busy_ratio(now.busy[i] - before->busy[i],
						   now.idle[i] - before->idle[i]),
					"sleeping",
					(int)atomic_load_explicit(&p->sleeping,
								  memory_order_relaxed) == 1));
	}
	c->result = json_pack("{so}", "cores", rows);
	*c->memory = now;
}

struct cores {
	uint64_t end_us;
	struct call_memory begin;
};

enum call_outcome call_cores(struct call *c)
{
	struct cores *s = c->state;

	if (s == NULL && c->arg[0] == NULL) {
		cores_answer(c, c->memory);
		return CALL_DONE;
	}
	if (s == NULL) {
		if (call_number(c, 0, 0) > OVER_MS_MAX) {
			call_error(c, RPC_INVALID_PARAMS, "Invalid params",
				   "over_ms (number): at most %d", OVER_MS_MAX);
			return CALL_DONE;
		}
		c->state = s = calloc(1, sizeof(*s));
		if (s == NULL) {
			call_error(c, RPC_INTERNAL_ERROR, "Internal error", "no memory");
			return CALL_DONE;
		}
		s->end_us = c->now_us + call_number(c, 0, 0) * 1000;
		cores_mark(c->world->link, &s->begin);
	}
	if (c->now_us < s->end_us) {
		c->wake_us = s->end_us;
		return CALL_WAIT;
	}
	cores_answer(c, &s->begin);
	return CALL_DONE;
}

/* ports */

static json_t *prefix_text(const struct ip_prefix *p)
{
	char text[IP_TEXT_MAX];

	(void)ip_print(&p->ip, false, text);
	return json_sprintf("%s/%d", text, ip_is4(&p->ip) ? p->len - 96 : p->len);
}

static json_t *interface_rows(const struct conf *conf, uint32_t port)
{
	json_t *rows = json_array();

	for (uint32_t i = 0; i < conf->n_interfaces; i++) {
		const struct conf_interface *f = &conf->interface[i];
		json_t *addresses;

		if (f->port_index != port)
			continue;
		addresses = json_array();
		for (uint32_t k = 0; k < f->n_addresses; k++)
			json_array_append_new(addresses, prefix_text(&f->address[k]));
		json_array_append_new(rows, json_pack("{so si si so}", "name", json_of_c(f->name),
						      "vlan", (int)f->vlan, "mtu", (int)f->mtu,
						      "addresses", addresses));
	}
	return rows;
}

enum call_outcome call_ports(struct call *c)
{
	const struct link *l = c->world->link;
	const struct conf *conf = link_conf(l);
	json_t *rows = json_array();

	for (uint32_t i = 0; i < conf->n_ports; i++)
		json_array_append_new(rows,
				      json_pack("{so so so}", "name", json_of_c(conf->port[i].name),
						"device", json_of_c(conf->port[i].device),
						"interfaces", interface_rows(conf, i)));
	c->result = json_pack("{so s{sI sI sI}}", "ports", rows, "frames", "received",
			      (json_int_t)link_counter_sum(l, net_rx), "sent",
			      (json_int_t)link_counter_sum(l, net_tx), "waiting",
			      (json_int_t)link_counter_sum(l, net_tx_held));
	return CALL_DONE;
}
