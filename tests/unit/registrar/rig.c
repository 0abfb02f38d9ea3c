/* SPDX-License-Identifier: Apache-2.0 */
/* See rig.h. */
#include "rig.h"

#include <stdio.h>
#include <stdlib.h>

#define RIG_TXN 3
#define RIG_PORT 5070

struct rig *rig;

static const struct sip_limits limits = {
	.msg_bytes = SIP_MSG_MAX,
	.uri_bytes = 4096,
	.header_bytes = 8192,
	.headers = SIP_HDRS_MAX,
};

/* ---- in place of loop.c and txn.c ---- */

void shard_touch(struct shard *s, uint32_t wheel_id)
{
	for (uint32_t i = 0; i < s->n_touched; i++) {
		if (s->touched[i] == wheel_id)
			return;
	}
	assert_true(s->n_touched < SHARD_TOUCHED_MAX);
	s->touched[s->n_touched++] = wheel_id;
}

void txn_reply(struct shard *s, uint32_t txn, unsigned status, const char *reason, struct str extra)
{
	char *date;

	assert_ptr_equal(s, &rig->s);
	assert_int_equal(txn, RIG_TXN);
	assert_true(extra.len < sizeof(rig->extra));
	rig->replies++;
	rig->status = status;
	snprintf(rig->reason, sizeof(rig->reason), "%s", reason ? reason : "");
	(void)str_to_c(extra, rig->extra, sizeof(rig->extra));
	rig->date[0] = 0;
	date = strstr(rig->extra, "Date: ");
	if (date != NULL) {
		char *end = strstr(date, "\r\n");

		assert_non_null(end);
		snprintf(rig->date, sizeof(rig->date), "%.*s", (int)(end - date - 6), date + 6);
		memmove(date, end + 2, strlen(end + 2) + 1);
	}
	/* every line is whole */
	if (rig->extra[0] != 0)
		assert_string_equal(rig->extra + strlen(rig->extra) - 2, "\r\n");
}

/* ---- making ---- */

void rig_make(uint32_t bindings, uint32_t blocks)
{
	struct link_geometry g = {.n_cores = 1, .n_shards = 1};
	struct link_txn *t;

	assert_true(bindings <= RIG_BINDINGS_MAX);
	if (rig != NULL)
		(void)rig_teardown(NULL);
	rig = calloc(1, sizeof(*rig));
	assert_non_null(rig);
	conf_defaults(&rig->conf);
	for (int i = 0; i < CONF_CLASSES; i++)
		rig->conf.slots[i] = 1;
	rig->conf.transactions = rig->conf.branches = 16;
	rig->conf.bindings = bindings;
	rig->conf.edit_blocks = blocks;
	rig->conf.ring_records = 64;
	g.conf = &rig->conf;
	assert_int_equal(link_region_make(&g, false, CONF_AUTO, 1, &rig->link), 0);
	rig->s.link = &rig->link;
	rig->s.conf = &rig->conf;
	rig->s.now_us = RIG_START_US;
	assert_int_equal(step_init(&rig->s.step, &rig->link, 0), 0);
	t = step_home(&rig->s.step, STEP_TXN, RIG_TXN);
	t->flow = (struct link_flow){.peer_port = RIG_PORT, .listener = 1, .conn_gen = 7};
}

int rig_setup(void **state)
{
	(void)state;
	rig_make(256, 512);
	return 0;
}

int rig_teardown(void **state)
{
	(void)state;
	step_fini(&rig->s.step);
	link_region_unmap(&rig->link);
	free(rig);
	rig = NULL;
	return 0;
}

/* ---- running ---- */

static void begin(void)
{
	assert_true(step_room(&rig->s.step));
	rig->s.n_touched = 0;
	step_begin(&rig->s.step);
}

static void commit(void)
{
	struct shard *s = &rig->s;
	uint32_t base = shard_binding_id(s, 0);
	void *home = link_counters(&rig->link, 1);

	/* counters go home as part of the step, as the loop has it */
	memcpy(step_write(&s->step, home, sizeof(s->count)), s->count, sizeof(s->count));
	assert_int_equal(s->step.err, 0);
	step_commit(&s->step, NULL);
	assert_true(step_room(&s->step)); /* drains the limbo: no core is behind */
	for (uint32_t k = 0; k < s->n_touched; k++) {
		uint32_t i = s->touched[k] - base;

		assert_true(s->touched[k] >= base && i < rig->link.h->bindings);
		rig->armed_us[i] = 0;
		if (step_used(&s->step, STEP_BINDING, i))
			rig->armed_us[i] = registrar_next_us(step_binding_read(&s->step, i));
	}
}

unsigned rig_register(const char *aor, const char *call_id, uint32_t cseq, const char *headers)
{
	static char text[SIP_MSG_MAX];
	static struct sip_msg msg;
	struct message m = {.sip = &msg, .base = text};
	struct step *st = &rig->s.step;
	uint32_t before[STEP_TABLES];
	struct sip_fault f;
	int n = snprintf(
		text, sizeof(text),
		"REGISTER sip:example.com SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 192.0.2.9:5070;branch=z9hG4bK-1\r\n"
		"Max-Forwards: 70\r\nFrom: <sip:x@example.com>;tag=f\r\n"
		"To: <%s>\r\nCall-ID: %s\r\nCSeq: %u REGISTER\r\n%sContent-Length: 0\r\n\r\n",
		aor, call_id, cseq, headers);

	assert_true(n > 0 && n < (int)sizeof(text));
	if (sip_msg_parse(str_of(text, (size_t)n), &limits, &msg, &f) != 0)
		fail_msg("the parser refuses it: %s", f.text);
	begin();
	for (int t = 0; t < STEP_TABLES; t++)
		before[t] = st->pool[t].set.n_free;
	rig->replies = 0;
	registrar_request(&rig->s, RIG_TXN, &m);
	assert_int_equal(rig->replies, 1);
	assert_int_equal(st->err, 0);
	assert_int_equal(st->n_frees, 0);
	rig->n_writes = st->intent->n_writes;
	rig->shadow_used = st->intent->shadow_used;
	for (int t = 0; t < STEP_TABLES; t++)
		rig->took[t] = before[t] - st->pool[t].set.n_free;
	if (rig->abort_next) {
		step_abort(st);
		memcpy(rig->s.count, link_counters(&rig->link, 1), sizeof(rig->s.count));
	} else {
		commit();
	}
	rig->abort_next = false;
	return rig->status;
}

unsigned rig_next(const char *aor, const char *headers)
{
	static uint32_t cseq;

	return rig_register(aor, "a", ++cseq, headers);
}

uint32_t rig_timers(void)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < rig->link.h->bindings; i++) {
		if (rig->armed_us[i] == 0 || rig->armed_us[i] > rig->s.now_us)
			continue;
		rig->armed_us[i] = 0;
		begin();
		registrar_expired(&rig->s, i);
		commit();
		n++;
	}
	return n;
}

uint32_t rig_advance(uint64_t us)
{
	rig->s.now_us += us;
	return rig_timers();
}

uint32_t rig_in_use(enum step_table t)
{
	return step_in_use(&rig->s.step, t);
}

uint64_t rig_count(enum counter id)
{
	return counter_read(rig->s.count, id);
}

const char *rig_lookup(const char *aor)
{
	static char out[4096], mem[65536];
	struct registrar_contact c[STORE_LIST_MAX];
	struct strbuf room = strbuf_of(mem, sizeof(mem)), b = strbuf_of(out, sizeof(out) - 1);
	uint32_t n;

	begin();
	n = registrar_lookup(&rig->s, str_from_c(aor), rig->s.now_us, &room, c, STORE_LIST_MAX);
	for (uint32_t i = 0; i < n; i++) {
		if (i > 0)
			strbuf_char(&b, ' ');
		strbuf_put(&b, c[i].contact);
		strbuf_char(&b, '|');
		strbuf_put(&b, c[i].path);
	}
	assert_int_equal(rig->s.step.intent->n_writes, 0);
	commit();
	assert_false(b.full);
	out[b.len] = 0;
	return out;
}

const char *rig_many(uint32_t n, const char *params)
{
	static char text[8192];
	struct strbuf b = strbuf_of(text, sizeof(text) - 1);

	strbuf_put(&b, STR("Contact: "));
	for (uint32_t i = 0; i < n; i++)
		strbuf_printf(&b, "%s<sip:%u@h>%s", i ? "," : "", i, params);
	strbuf_put(&b, STR("\r\n"));
	assert_false(b.full);
	text[b.len] = 0;
	return text;
}

const char *rig_path(uint32_t n, char c, const char *headers)
{
	static char text[8192];
	uint32_t fixed = (uint32_t)strlen("<sip:@p;lr>");

	assert_true(n > fixed);
	snprintf(text, sizeof(text), "Path: <sip:%*s@p;lr>\r\n%s", (int)(n - fixed), "", headers);
	for (char *p = text + strlen("Path: <sip:"); *p == ' '; p++)
		*p = c;
	return text;
}
