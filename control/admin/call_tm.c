/* SPDX-License-Identifier: Apache-2.0 */
/* tm.stats and tm.list: the transaction layer as it stands.
 *
 * The list walks the used words of all shards, at most CALL_WALK_MAX a piece, and copies records out.
 * Texts come from the request while its slot is held, else from what the record kept of them. */
#include <stdlib.h>

#include "control/admin/calls.h"
#include "control/txn/txn.h"

#define BRANCHES_MAX 32 /* shown of one transaction */

static uint64_t sum(const struct call *c, enum counter id)
{
	return link_counter_sum(c->world->link, id);
}

static void put(json_t *to, const char *key, uint64_t v)
{
	json_object_set_new(to, key, json_of_u64(v));
}

enum call_outcome call_tm_stats(struct call *c)
{
	json_t *r = json_object();

	put(r, "current", sum(c, txn_live));
	put(r, "total", sum(c, txn_started));
	put(r, "created", sum(c, txn_started));
	put(r, "freed", sum(c, txn_ended));
	put(r, "rpl_received", sum(c, shard_responses));
	put(r, "rpl_generated", sum(c, proxy_replied));
	put(r, "rpl_sent",
	    sum(c, proxy_replied) + sum(c, proxy_relayed) + sum(c, proxy_late_relayed));
	put(r, "branches_current", sum(c, branch_live));
	put(r, "branches_created", sum(c, branch_started));
	put(r, "branches_freed", sum(c, branch_ended));
	for (int i = 0; i < COUNTERS; i++) {
		const struct counter_info *info = &counter_info[i];

		if (info->kind == COUNTER_EVENT && strcmp(info->layer, "txn") == 0 &&
		    i != txn_started && i != txn_ended)
			put(r, info->name + strlen("txn_"), sum(c, (enum counter)i));
	}
	c->result = r;
	return CALL_DONE;
}

/* Timers. */

struct deadline {
	char name[8]; /* the RFC's letter, or what it is */
	uint64_t us;  /* UINT64_MAX: none                */
};

static void sooner(struct deadline *d, uint64_t us, const char *name)
{
	if (us == 0 || us >= d->us)
		return;
	d->us = us;
	(void)str_to_c(str_from_c(name), d->name, sizeof(d->name));
}

static struct deadline machine_deadline(const struct link_machine *m)
{
	static const char *const retransmit[] = {
		[MACHINE_NONE] = "?",	  [MACHINE_INVITE_CLIENT] = "A",
		[MACHINE_CLIENT] = "E",	  [MACHINE_INVITE_SERVER] = "G",
		[MACHINE_SERVER] = "100",
	};
	char letter[2] = {m->timer ? (char)m->timer : '?', '\0'};
	struct deadline d = {.us = UINT64_MAX};

	sooner(&d, m->end_us, letter);
	sooner(&d, m->retransmit_us, m->kind <= MACHINE_SERVER ? retransmit[m->kind] : "?");
	return d;
}

static int64_t in_ms(uint64_t at_us, uint64_t now_us)
{
	return ((int64_t)at_us - (int64_t)now_us) / 1000;
}

static void put_deadline(json_t *to, const struct deadline *d, uint64_t now_us)
{
	json_object_set_new(to, "timer", d->us == UINT64_MAX ? json_null() : json_of_c(d->name));
	json_object_set_new(to, "timer_in_ms",
			    d->us == UINT64_MAX ? json_null() : json_integer(in_ms(d->us, now_us)));
}

static const char *state_text(const struct link_machine *m)
{
	return m->state <= MACHINE_TERMINATED ? txn_state_name((enum link_machine_state)m->state)
					      : "unknown";
}

static const char *server_waits(const struct link_txn *t)
{
	bool invite = t->machine.kind == MACHINE_INVITE_SERVER;

	switch (t->machine.state) {
	case MACHINE_COMPLETED:
		return invite ? "the ACK" : "retransmissions of the request";
	case MACHINE_CONFIRMED:
		return "late ACKs";
	case MACHINE_ACCEPTED:
		return "retransmissions of the INVITE";
	case MACHINE_TERMINATED:
		return "its end";
	default:
		break;
	}
	if (t->job_deadline_us != 0)
		return "a parked job";
	return t->n_live > 0 ? "a final response of a branch" : "an answer of our own";
}

static const char *client_waits(const struct link_branch *b)
{
	switch (b->machine.state) {
	case MACHINE_IDLE:
		return "being sent";
	case MACHINE_CALLING:
	case MACHINE_TRYING:
		return "any response";
	case MACHINE_PROCEEDING:
		return "a final response";
	case MACHINE_COMPLETED:
		return "retransmissions of the response";
	case MACHINE_ACCEPTED:
		return "further 2xx responses";
	default:
		return "its end";
	}
}

/* Texts. */

/* The request's head and octets while the transaction holds its slot; false: it does not. */
static bool request_of(const struct link *l, uint64_t slot, const struct link_slot **head,
		       const char **base)
{
	const uint64_t *word;

	if (slot == 0 || slot_head(l, slot) == NULL)
		return false;
	word = link_at(l, LINK_S_SLOT_WORDS, slot_place(l, slot));
	*head = slot_head(l, slot);
	*base = slot_data(l, slot);
	return __atomic_load_n(word, __ATOMIC_ACQUIRE) >> 32 == slot_gen(slot) &&
	       (*head)->len_bytes <= l->h->class[slot_class(slot)].payload_bytes &&
	       (*head)->msg.n_lines <= l->h->class[slot_class(slot)].lines &&
	       sip_msg_index_ok(&(*head)->msg, (*head)->len_bytes);
}

static struct str kept_text(const struct link_txn *t, uint32_t i)
{
	uint32_t from = 0;

	for (uint32_t k = 0; k < i; k++)
		from += t->text_len[k];
	return str_sub(str_of(t->text, LINK_TXN_TEXT), from, t->text_len[i]);
}

static void put_texts(const struct link *l, const struct link_txn *t, json_t *to)
{
	struct str method =
		sip_method_name((enum sip_method)(t->method < SIP_M_COUNT ? t->method : 0));
	struct str call_id = kept_text(t, 0), from = kept_text(t, 1), target = kept_text(t, 2);
	const struct link_slot *head;
	const char *base;

	if (request_of(l, t->slot, &head, &base)) {
		call_id = sip_span_str(base, head->msg.call_id);
		from = sip_span_str(base, head->msg.from_uri);
		target = sip_span_str(base, head->msg.to_uri);
		if (method.len == 0)
			method = sip_span_str(base, head->msg.method_text);
	}
	json_object_set_new(to, "method", json_of_str(method.len ? method : STR("OTHER")));
	json_object_set_new(to, "callid", json_of_str(call_id));
	json_object_set_new(to, "cseq", json_integer(t->cseq));
	json_object_set_new(to, "from", json_of_str(from));
	json_object_set_new(to, "to", json_of_str(target));
}

/* Rows. */

static uint64_t age_ms(uint64_t created_us, uint64_t now_us)
{
	return now_us > created_us ? (now_us - created_us) / 1000 : 0;
}

static json_t *branch_row(const struct link_branch *b, uint32_t index, uint64_t now_us)
{
	struct deadline d = machine_deadline(&b->machine);
	char peer[FLOW_TEXT_MAX];
	json_t *row;

	sooner(&d, b->guard_us, "C");
	row = json_pack("{si so ss so si so}", "branch", (int)index, "method",
			json_of_str(sip_method_name(
				(enum sip_method)(b->method < SIP_M_COUNT ? b->method : 0))),
			"state", state_text(&b->machine), "to",
			json_of_str(flow_peer(&b->flow, peer)), "status", (int)b->status, "age_ms",
			json_of_u64(age_ms(b->created_us, now_us)));
	put_deadline(row, &d, now_us);
	json_object_set_new(row, "waits_for", json_of_c(client_waits(b)));
	return row;
}

/* The chain may change under us when it is another shard's: bounded, and each branch must say that it
 * is of this transaction. */
static json_t *branch_rows(const struct call *c, uint32_t shard, uint32_t txn, uint32_t first)
{
	const struct link *l = c->world->link;
	json_t *rows = json_array();
	struct link_branch b;
	uint32_t generation;

	for (int n = 0; n < BRANCHES_MAX && first < l->h->branches; n++) {
		if (!record_read(l, LINK_S_BRANCH_USED, LINK_S_BRANCHES,
				 (uint64_t)shard * l->h->branches + first, &b, sizeof(b),
				 &generation) ||
		    b.txn != txn)
			break;
		json_array_append_new(rows, branch_row(&b, first, c->now_us));
		first = b.next;
	}
	return rows;
}

static json_t *txn_row(const struct call *c, uint32_t shard, uint32_t index, uint32_t generation,
		       const struct link_txn *t)
{
	struct deadline d = machine_deadline(&t->machine);
	char peer[FLOW_TEXT_MAX];
	json_t *row = json_pack("{si si sI}", "shard", (int)shard, "tindex", (int)index, "tlabel",
				(json_int_t)generation);

	sooner(&d, t->guard_us, "guard");
	sooner(&d, t->job_deadline_us, "job");
	put_texts(c->world->link, t, row);
	json_object_set_new(row, "source", json_of_str(flow_peer(&t->flow, peer)));
	json_object_set_new(row, "age_ms", json_of_u64(age_ms(t->created_us, c->now_us)));
	json_object_set_new(row, "state", json_of_c(state_text(&t->machine)));
	json_object_set_new(row, "status", json_integer(t->machine.status));
	json_object_set_new(row, "cancelled", json_boolean(t->flags & TXN_F_CANCELLED));
	put_deadline(row, &d, c->now_us);
	json_object_set_new(row, "waits_for", json_of_c(server_waits(t)));
	json_object_set_new(row, "branches", branch_rows(c, shard, index, t->branch));
	return row;
}

struct tm_list {
	uint64_t at, end, limit, rows;
	uint64_t born_us; /* only those made at or before */
};

static enum call_outcome list_begin(struct call *c)
{
	uint64_t older_us = call_number(c, 0, 0) * 1000000;
	struct tm_list *s = calloc(1, sizeof(*s));

	c->state = s;
	if (s == NULL || call_number(c, 0, 0) > UINT32_MAX) {
		call_error(c, s ? RPC_INVALID_PARAMS : RPC_INTERNAL_ERROR,
			   s ? "Invalid params" : "Internal error",
			   s ? "older (number): seconds" : "no memory");
		return CALL_DONE;
	}
	s->at = call_number(c, 1, 0);
	s->end = c->world->link->h->place[LINK_S_TXNS].count;
	s->limit = call_number(c, 2, CALL_PAGE_ROWS);
	if (s->limit > CALL_PAGE_MAX)
		s->limit = CALL_PAGE_MAX;
	s->born_us = older_us < c->now_us ? c->now_us - older_us : 0;
	text_put(&c->text, STR("{\"transactions\":["));
	return CALL_MORE;
}

enum call_outcome call_tm_list(struct call *c)
{
	const struct link *l = c->world->link;
	struct tm_list *s = c->state;
	struct link_txn t;
	uint32_t rows = 0, generation;

	if (s == NULL)
		return list_begin(c);
	for (uint32_t n = 0; n < CALL_WALK_MAX && rows < CALL_ROWS_MAX && s->at < s->end;
	     n++, s->at++) {
		if (s->rows == s->limit || c->text.len > CALL_PAGE_BYTES)
			break;
		if (!record_read(l, LINK_S_TXN_USED, LINK_S_TXNS, s->at, &t, sizeof(t),
				 &generation) ||
		    t.created_us > s->born_us)
			continue;
		text_put(&c->text, s->rows ? STR(",") : STR(""));
		text_json(&c->text, txn_row(c, (uint32_t)(s->at / l->h->txns),
					    (uint32_t)(s->at % l->h->txns), generation, &t));
		s->rows++;
		rows++;
	}
	if (s->at < s->end && s->rows < s->limit && c->text.len <= CALL_PAGE_BYTES)
		return CALL_MORE;
	text_put(&c->text, STR("],\"next\":"));
	text_json(&c->text, s->at < s->end ? json_of_u64(s->at) : json_null());
	text_put(&c->text, STR("}"));
	return CALL_DONE;
}
