/* SPDX-License-Identifier: Apache-2.0 */
/* audit and pools: does everything add up?
 *
 * Counters are taken, the census walks the region, counters are taken again. Where both are equal
 * nothing has happened in between and each identity must hold to the last digit. Under traffic that
 * never comes; after some tries both sides of an identity are compared as the ranges that they have
 * passed through (`moving`): a message counted on one side is counted on the other soon after, so
 * ranges that do not touch are a loss, whatever the traffic. */
#include <stdlib.h>

#include "control/admin/census.h"

#define TRIES 5
#define GAP_US 2000 /* a loop's pass with a full burst is over by then */
#define SIDE_MAX 8

/* left = right, with the drops of a layer on the right where there is one. */
struct identity {
	const char *name;
	uint16_t left;
	uint8_t n_right;
	uint16_t right[SIDE_MAX];
	const char *drops;
};

static const struct identity identities[] = {
	{"net",
	 net_rx,
	 6,
	 {net_rx_arp, net_rx_ndp, net_rx_icmp, net_rx_fragment, net_rx_udp, net_rx_tcp},
	 "net"},
	{"fragments", net_rx_fragment, 2, {net_frag_joined, net_frag_held}, "frag"},
	{"joined",
	 net_frag_packets,
	 3,
	 {net_joined_udp, net_joined_tcp, net_joined_icmp},
	 "joined"},
	{"udp_from_net", udp_rx, 2, {net_rx_udp, net_joined_udp}, NULL},
	{"udp", udp_rx, 3, {udp_keepalive, udp_stun, udp_to_sip}, "udp"},
	{"sip",
	 sip_rx,
	 5,
	 {sip_up, sip_held, sip_fast_options, sip_fast_reject, sip_ack_absorbed},
	 "sip"},
	{"out", out_udp, 2, {out_sent, out_waiting}, "out"},
	{"tx", net_tx_queued, 2, {net_tx, net_tx_held}, "tx"},
	{"link", link_down, 4, {link_send, link_release, link_adopted, link_bad_record}, NULL},
	{"shard", shard_rx, 3, {shard_requests, shard_responses, shard_failures}, "shard"},
	{"transactions", txn_started, 2, {txn_ended, txn_live}, NULL},
	{"branches", branch_started, 2, {branch_ended, branch_live}, NULL},
};
#define N_IDENTITIES (sizeof(identities) / sizeof(identities[0]))

struct snapshot {
	uint64_t sum[COUNTERS];
	struct census_rings rings;
};

struct audit {
	struct snapshot first, last;
	struct census census;
	uint32_t tries;
	bool counting;
	uint64_t next_us; /* not before: the second snapshot */
};

static void snapshot_take(struct snapshot *s, const struct link *l)
{
	for (int i = 0; i < COUNTERS; i++)
		s->sum[i] = link_counter_sum(l, (enum counter)i);
	s->rings = census_rings(l);
}

/* Records in rings are on their way: not quiet, though no counter may have moved. */
static bool is_quiet(const struct audit *a)
{
	const struct census_rings *r = &a->last.rings;

	return memcmp(&a->first, &a->last, sizeof(a->first)) == 0 && r->up + r->down + r->mesh == 0;
}

static uint64_t drops_sum(const struct snapshot *s, const char *layer)
{
	uint64_t n = 0;

	for (int i = 0; i < COUNTERS && layer != NULL; i++) {
		if (counter_info[i].kind == COUNTER_DROP &&
		    strcmp(counter_info[i].layer, layer) == 0)
			n += s->sum[i];
	}
	return n;
}

static uint64_t right_sum(const struct identity *d, const struct snapshot *s)
{
	uint64_t n = drops_sum(s, d->drops);

	for (uint32_t i = 0; i < d->n_right; i++)
		n += s->sum[d->right[i]];
	return n;
}

/* Ranges [a, b] in either order; counters wrap in 64 bits never, levels may pass below one another. */
static bool ranges_touch(int64_t a1, int64_t a2, int64_t b1, int64_t b2)
{
	int64_t a_low = a1 < a2 ? a1 : a2, a_high = a1 < a2 ? a2 : a1;
	int64_t b_low = b1 < b2 ? b1 : b2, b_high = b1 < b2 ? b2 : b1;

	return a_low <= b_high && b_low <= a_high;
}

static bool put_row(json_t *rows, const char *name, json_t *text, int64_t left, int64_t right,
		    bool ok)
{
	json_array_append_new(rows,
			      json_pack("{ss sI sI sb so}", "name", name, "left", (json_int_t)left,
					"right", (json_int_t)right, "ok", ok, "text", text));
	return ok;
}

static bool put_identity(const struct audit *a, const struct identity *d, json_t *rows)
{
	int64_t l1 = (int64_t)a->first.sum[d->left], l2 = (int64_t)a->last.sum[d->left];
	int64_t r1 = (int64_t)right_sum(d, &a->first), r2 = (int64_t)right_sum(d, &a->last);
	char room[512];
	struct strbuf text = strbuf_of(room, sizeof(room));

	strbuf_printf(&text, "%s =", counter_info[d->left].name);
	for (uint32_t i = 0; i < d->n_right; i++)
		strbuf_printf(&text, "%s%s", i ? " + " : " ", counter_info[d->right[i]].name);
	if (d->drops != NULL)
		strbuf_printf(&text, " + drops(%s)", d->drops);
	return put_row(rows, d->name, json_of_str(strbuf_str(&text)), l2, r2,
		       ranges_touch(l1, l2, r1, r2));
}

static uint64_t grown(const struct audit *a, enum counter id)
{
	return a->last.sum[id] - a->first.sum[id];
}

/* What was counted while things went on may be off by as much as went on. */
static bool put_count(json_t *rows, const char *name, const char *text, uint64_t left,
		      uint64_t right, uint64_t slack)
{
	int64_t off = (int64_t)(left - right);

	return put_row(rows, name, json_of_c(text), (int64_t)left, (int64_t)right,
		       (uint64_t)(off < 0 ? -off : off) <= slack);
}

static uint64_t slots_in(const struct census *s, enum link_slot_state state)
{
	uint64_t n = 0;

	for (int i = 0; i < CONF_CLASSES; i++)
		n += s->slots[i][state];
	return n;
}

static bool put_counts(const struct audit *a, json_t *rows)
{
	const struct census *s = &a->census;
	uint64_t txns = grown(a, txn_started) + grown(a, txn_ended);
	uint64_t branches = grown(a, branch_started) + grown(a, branch_ended);
	uint64_t rings =
		a->first.rings.up + a->first.rings.down + a->last.rings.up + a->last.rings.down;
	uint64_t messages = grown(a, sip_rx) + grown(a, sip_up) + grown(a, shard_rx) +
			    grown(a, link_down) + rings;
	bool ok = true;

	/* one message or timer changes a few chains, each of at most a whole message */
	ok &= put_count(rows, "transaction_records", "transaction records in use = txn_live",
			s->used[STEP_TXN], a->last.sum[txn_live], txns);
	ok &= put_count(rows, "branch_records", "branch records in use = branch_live",
			s->used[STEP_BRANCH], a->last.sum[branch_live], branches);
	ok &= put_count(rows, "binding_records", "binding records in use = registrar_bindings",
			s->used[STEP_BINDING], a->last.sum[registrar_bindings],
			grown(a, registrar_bound) + grown(a, registrar_removed) +
				grown(a, registrar_expirations));
	ok &= put_count(rows, "slots_of_cores", "slots that cores hold = sip_held",
			slots_in(s, SLOT_CORE), a->last.sum[sip_held], messages);
	ok &= put_count(rows, "slots_lent", "slots lent = slots named by transactions and branches",
			slots_in(s, SLOT_LENT), s->slots_named, messages + txns + branches);
	ok &= put_count(rows, "edit_blocks", "edit blocks in use = blocks named by records",
			s->used[STEP_BLOCK], s->blocks_named,
			(messages + txns + branches) * (SIP_MSG_MAX / LINK_BLOCK_WORDS));
	ok &= put_count(rows, "deadlines", "transactions and branches that nothing would end = 0",
			s->without_deadline, 0, 0);
	ok &= put_count(rows, "transactions_overdue", "deadlines more than 2 s in the past = 0",
			s->overdue, 0, 0);
	return ok;
}

static void audit_answer(struct call *c, const struct audit *a)
{
	json_t *rows = json_array();
	bool ok = true;

	for (size_t i = 0; i < N_IDENTITIES; i++)
		ok &= put_identity(a, &identities[i], rows);
	ok &= put_counts(a, rows);
	c->result =
		json_pack("{sb sb sI so}", "ok", ok, "moving", !is_quiet(a), "transactions_overdue",
			  (json_int_t)a->census.overdue, "identities", rows);
}

enum call_outcome call_audit(struct call *c)
{
	const struct link *l = c->world->link;
	struct audit *a = c->state;

	if (a == NULL) {
		c->state = a = calloc(1, sizeof(*a));
		if (a == NULL) {
			call_error(c, RPC_INTERNAL_ERROR, "Internal error", "no memory");
			return CALL_DONE;
		}
		snapshot_take(&a->last, l);
	}
	if (!a->counting) {
		a->first = a->last;
		census_begin(&a->census);
		a->counting = true;
		a->next_us = c->now_us + GAP_US;
	}
	if (census_step(&a->census, l, c->now_us))
		return CALL_MORE;
	if (c->now_us < a->next_us) {
		c->wake_us = a->next_us;
		return CALL_WAIT;
	}
	snapshot_take(&a->last, l);
	a->counting = false;
	if (!is_quiet(a) && ++a->tries < TRIES)
		return CALL_MORE;
	audit_answer(c, a);
	return CALL_DONE;
}

/* pools */

static void put_pool(json_t *rows, const char *name, uint64_t total, uint64_t used,
		     uint32_t percent, const char *text)
{
	json_array_append_new(rows,
			      json_pack("{ss sI sI sI ss}", "name", name, "total",
					(json_int_t)total, "used", (json_int_t)used, "reserve",
					(json_int_t)(total * percent / 100), "text", text));
}

static void pools_answer(struct call *c, const struct census *s)
{
	static const char *const class_name[CONF_CLASSES] = {"slots_1k", "slots_2k", "slots_4k",
							     "slots_16k", "slots_64k"};
	const struct link *l = c->world->link;
	const struct link_header *h = l->h;
	uint32_t reserve = link_conf(l)->reserve_percent;
	struct census_rings r = census_rings(l);
	json_t *rows = json_array();

	for (int i = 0; i < CONF_CLASSES; i++)
		put_pool(rows, class_name[i], (uint64_t)h->class[i].count * h->n_cores,
			 s->slots[i][SLOT_CORE] + s->slots[i][SLOT_LENT], reserve,
			 "messages between cores and shards");
	put_pool(rows, "transactions", (uint64_t)h->txns * h->n_shards, s->used[STEP_TXN], reserve,
		 "server transactions");
	put_pool(rows, "branches", (uint64_t)h->branches * h->n_shards, s->used[STEP_BRANCH],
		 reserve, "client transactions");
	put_pool(rows, "bindings", (uint64_t)h->bindings * h->n_shards, s->used[STEP_BINDING], 0,
		 "registered contacts");
	put_pool(rows, "edit_blocks", (uint64_t)h->blocks * h->n_shards, s->used[STEP_BLOCK], 0,
		 "changes to messages, and long texts");
	put_pool(rows, "rings_up", h->place[LINK_S_UP].count * r.room, r.up, 0,
		 "messages to shards");
	put_pool(rows, "rings_down", h->place[LINK_S_DOWN].count * r.room, r.down, 0,
		 "orders to cores");
	c->result = json_pack("{so}", "pools", rows);
}

enum call_outcome call_pools(struct call *c)
{
	if (c->state == NULL) {
		c->state = calloc(1, sizeof(struct census));
		if (c->state == NULL) {
			call_error(c, RPC_INTERNAL_ERROR, "Internal error", "no memory");
			return CALL_DONE;
		}
		census_begin(c->state);
	}
	if (census_step(c->state, c->world->link, c->now_us))
		return CALL_MORE;
	pools_answer(c, c->state);
	return CALL_DONE;
}
