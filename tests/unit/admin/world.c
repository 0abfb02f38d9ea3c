/* SPDX-License-Identifier: Apache-2.0 */
/* The region, the fakes, and the way in. */
#include "tests/unit/admin/world.h"

#include <stdlib.h>

#include "control/registrar/registrar.h"
#include "control/txn/txn.h"

#define PIECES_MAX 100000

struct test_world tw;
uint64_t walk_us_per_step;
static uint32_t n_pieces;

/* The transaction layer and the registrar, as far as they are asked. */

uint64_t txn_next_us(const struct link_txn *t)
{
	uint64_t next = txn_machine_next_us(&t->machine);

	if (t->guard_us != 0 && t->guard_us < next)
		next = t->guard_us;
	return t->job_deadline_us != 0 && t->job_deadline_us < next ? t->job_deadline_us : next;
}

uint64_t txn_branch_next_us(const struct link_branch *b)
{
	uint64_t next = txn_machine_next_us(&b->machine);

	return b->guard_us != 0 && b->guard_us < next ? b->guard_us : next;
}

static struct str binding_text(const struct link_binding *b, int i)
{
	return i == 0 ? str_of(b->text, b->aor_len) : str_of(b->text + b->aor_len, b->contact_len);
}

static const struct link_binding *binding_used(const struct shard *s, uint32_t i)
{
	const uint32_t *word = link_at(s->link, LINK_S_BINDING_USED, i);

	return *word & 1 ? link_at(s->link, LINK_S_BINDINGS, i) : NULL;
}

uint32_t registrar_walk(struct shard *s, uint32_t from, uint32_t max, struct strbuf *room,
			void (*row)(void *arg, const struct registrar_row *r), void *arg)
{
	uint32_t n = s->link->h->bindings, end = from < n && max < n - from ? from + max : n;

	assert_true(max > 0 && max <= CALL_WALK_MAX);
	for (uint32_t i = from; i < end; i++) {
		const struct link_binding *b = binding_used(s, i);
		struct registrar_row r;

		if (b == NULL)
			continue;
		r = (struct registrar_row){.aor = binding_text(b, 0),
					   .contact = binding_text(b, 1),
					   .expires_us = b->expires_us,
					   .updated_us = b->updated_us,
					   .flow = b->flow,
					   .cseq = b->cseq,
					   .q_permille = b->q_permille};
		row(arg, &r);
	}
	return end < n ? end : LINK_NONE;
}

uint32_t registrar_lookup(struct shard *s, struct str aor, uint64_t now_us, struct strbuf *room,
			  struct registrar_contact *out, uint32_t max)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->link->h->bindings && n < max; i++) {
		const struct link_binding *b = binding_used(s, i);

		if (b == NULL || !str_eq(binding_text(b, 0), aor) || b->expires_us <= now_us)
			continue;
		out[n++] = (struct registrar_contact){.index = i,
						      .contact = binding_text(b, 1),
						      .flow = b->flow,
						      .q_permille = b->q_permille,
						      .expires_us = b->expires_us};
	}
	return n;
}

/* The region. */

static void conf_small(struct conf *c)
{
	conf_defaults(c);
	for (int i = 0; i < CONF_CLASSES; i++)
		c->slots[i] = 4;
	c->transactions = 5000; /* more than two pieces of work */
	c->branches = 64;
	c->bindings = 3000;
	c->edit_blocks = 64;
	c->ring_records = 64;
	c->n_listeners = 1;
	c->listener[0] = (struct conf_listener){.port = 5060, .transport = CONF_UDP};
	(void)ip_parse(STR("10.99.0.1"), &c->listener[0].address);
	c->n_domains = 1;
	(void)str_to_c(STR("example.com"), c->domain[0], CONF_TEXT_MAX);
	c->n_ports = 1;
	(void)str_to_c(STR("edge0"), c->port[0].name, CONF_NAME_MAX);
	(void)str_to_c(STR("net_ring0"), c->port[0].device, CONF_TEXT_MAX);
	c->n_interfaces = 1;
	(void)str_to_c(STR("lab"), c->interface[0].name, CONF_NAME_MAX);
	c->interface[0].mtu = 1500;
	c->interface[0].n_addresses = 1;
	(void)ip_prefix_parse(STR("10.99.0.1/24"), &c->interface[0].address[0]);
}

int world_setup(void **state)
{
	static struct conf conf;
	struct link_geometry g = {.n_cores = 1, .n_shards = 1, .conf = &conf};

	conf_small(&conf);
	memset(&tw.shard, 0, sizeof(tw.shard));
	if (link_region_make(&g, false, CONF_AUTO, 7, &tw.link) != 0)
		return -1;
	tw.link.h->start_us = NOW_US - 3600ull * 1000000;
	tw.shard.link = &tw.link;
	tw.shards[0] = &tw.shard;
	tw.world = (struct world){
		.shards = tw.shards, .n_shards = 1, .link = &tw.link, .start_us = NOW_US - 5000000};
	tw.now_us = NOW_US;
	walk_us_per_step = 10;
	rpc_init(&tw.rpc, &tw.world, 1000, 4711);
	return 0;
}

int world_teardown(void **state)
{
	rpc_fini(&tw.rpc);
	link_region_unmap(&tw.link);
	return 0;
}

static void *used_at(enum link_section used, enum link_section records, uint32_t i)
{
	uint32_t *word = link_at(&tw.link, used, i);

	*word = 1 << 1 | 1;
	return link_at(&tw.link, records, i);
}

struct link_txn *txn_at(uint32_t i)
{
	struct link_txn *t = used_at(LINK_S_TXN_USED, LINK_S_TXNS, i);

	t->branch = t->reply = t->next = LINK_NONE;
	return t;
}

struct link_branch *branch_at(uint32_t i)
{
	struct link_branch *b = used_at(LINK_S_BRANCH_USED, LINK_S_BRANCHES, i);

	b->next = b->program = b->ack = b->cancel = LINK_NONE;
	return b;
}

struct link_binding *binding_at(uint32_t i, const char *aor, const char *contact)
{
	struct link_binding *b = used_at(LINK_S_BINDING_USED, LINK_S_BINDINGS, i);

	b->more = b->next = LINK_NONE;
	b->aor_len = (uint16_t)strlen(aor);
	b->contact_len = (uint16_t)strlen(contact);
	memcpy(b->text, aor, b->aor_len);
	memcpy(b->text + b->aor_len, contact, b->contact_len);
	b->q_permille = 500;
	b->cseq = 3;
	b->expires_us = NOW_US + 600000000ull;
	b->updated_us = NOW_US - 10000000;
	b->flow = (struct link_flow){.peer_port = 5070, .transport = CONF_UDP};
	(void)ip_parse(STR("10.99.0.2"), &b->flow.peer);
	return b;
}

uint64_t *counter_at(enum counter id)
{
	const char *layer = counter_info[id].layer;
	bool shard = strcmp(layer, "shard") == 0 || strcmp(layer, "txn") == 0 ||
		     strcmp(layer, "branch") == 0 || strcmp(layer, "proxy") == 0 ||
		     strcmp(layer, "registrar") == 0;

	return link_counters(&tw.link, shard ? 1 : 0) + id;
}

/* The way in. */

const char *ask(const char *line)
{
	static char answer[RPC_ANSWER_MAX + 65536];
	uint32_t room, len = (uint32_t)strlen(line);
	struct str out;

	memcpy(rpc_room(&tw.rpc, &room), line, len);
	assert_true(len < room);
	rpc_fed(&tw.rpc, len);
	if (len == 0 || line[len - 1] != '\n') {
		*rpc_room(&tw.rpc, &room) = '\n';
		rpc_fed(&tw.rpc, 1);
	}
	for (n_pieces = 0; rpc_next_us(&tw.rpc) != UINT64_MAX; n_pieces++) {
		assert_true(n_pieces < PIECES_MAX);
		tw.now_us += walk_us_per_step;
		if (rpc_next_us(&tw.rpc) > tw.now_us)
			tw.now_us = rpc_next_us(&tw.rpc);
		assert_true(rpc_step(&tw.rpc, tw.now_us));
	}
	out = rpc_output(&tw.rpc);
	assert_true(out.len < sizeof(answer));
	memcpy(answer, out.s ? out.s : "", out.len);
	answer[out.len] = '\0';
	if (out.len > 0) {
		assert_int_equal(answer[out.len - 1], '\n');
		answer[out.len - 1] = '\0';
	}
	assert_null(strchr(answer, '\n')); /* one line each */
	rpc_sent(&tw.rpc, out.len);
	return answer;
}

uint32_t pieces(void)
{
	return n_pieces;
}

json_t *result_of(const char *method, const char *params)
{
	char line[4096];
	struct strbuf b = strbuf_of(line, sizeof(line));
	json_t *answer, *r;
	json_error_t e;

	strbuf_printf(&b, "{\"jsonrpc\":\"2.0\",\"method\":\"%s\"%s%s,\"id\":1}%c", method,
		      params ? ",\"params\":" : "", params ? params : "", '\0');
	answer = json_loads(ask(line), 0, &e);
	assert_non_null(answer);
	r = json_object_get(answer, "result");
	if (r == NULL)
		r = json_object_get(answer, "error");
	assert_non_null(r);
	json_incref(r);
	json_decref(answer);
	return r;
}

/* What the tests of calls share. */

json_t *at(json_t *v, const char *key)
{
	return json_object_get(v, key);
}

json_int_t number(json_t *v, const char *key)
{
	assert_true(json_is_integer(at(v, key)));
	return json_integer_value(at(v, key));
}

const char *string(json_t *v, const char *key)
{
	assert_true(json_is_string(at(v, key)));
	return json_string_value(at(v, key));
}

/* The row of a list whose name is that, or NULL. */
json_t *row_named(json_t *rows, const char *name)
{
	json_t *v;
	size_t i;

	json_array_foreach(rows, i, v)
	{
		if (strcmp(json_string_value(at(v, "name")), name) == 0)
			return v;
	}
	return NULL;
}

void text_keep(struct link_txn *t, const char *a, const char *b, const char *c)
{
	const char *part[3] = {a, b, c};
	uint32_t n = 0;

	for (int i = 0; i < 3; i++) {
		t->text_len[i] = (uint8_t)strlen(part[i]);
		memcpy(t->text + n, part[i], t->text_len[i]);
		n += t->text_len[i];
	}
}

/* An INVITE that rings: transaction 3 with branch 5, twelve seconds old. */
void ringing_call(void)
{
	struct link_txn *t = txn_at(3);
	struct link_branch *b = branch_at(5);

	t->method = SIP_M_INVITE;
	t->cseq = 102;
	t->created_us = NOW_US - 12 * SEC;
	t->machine = (struct link_machine){
		.kind = MACHINE_INVITE_SERVER, .state = MACHINE_PROCEEDING, .status = 180};
	t->guard_us = NOW_US + 200 * SEC;
	t->branch = 5;
	t->n_branches = t->n_live = 1;
	t->flow = (struct link_flow){.peer_port = 5071, .transport = CONF_UDP};
	(void)ip_parse(STR("fd99::2"), &t->flow.peer);
	text_keep(t, "call\xff-id@x", "alice", "bob");
	b->txn = 3;
	b->method = SIP_M_INVITE;
	b->created_us = NOW_US - 11 * SEC;
	b->status = 180;
	b->machine =
		(struct link_machine){.kind = MACHINE_INVITE_CLIENT, .state = MACHINE_PROCEEDING};
	b->guard_us = NOW_US + 170 * SEC;
	b->flow = (struct link_flow){.peer_port = 5060, .transport = CONF_UDP};
	(void)ip_parse(STR("10.99.0.2"), &b->flow.peer);
}
