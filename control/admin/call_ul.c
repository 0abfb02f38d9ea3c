/* SPDX-License-Identifier: Apache-2.0 */
/* ul.dump and ul.lookup: bindings in Kamailio's shape (usrloc), fields that we have no word for left
 * out. The walk over the records is the registrar's; pages are cut here. */
#include <stdlib.h>

#include "control/admin/calls.h"
#include "control/registrar/registrar.h"
#include "platform/base/clock.h"
#include "platform/sip/uri.h"

#define ROOM_BYTES 8192 /* texts of bindings that do not lie in one piece */
#define CONTACTS_MAX 64

static json_t *or_not_set(struct str s)
{
	return json_of_str(s.len ? s : STR("[not set]"));
}

static int64_t seconds_left(uint64_t at_us, uint64_t now_us)
{
	return at_us > now_us ? (int64_t)((at_us - now_us) / 1000000) : 0;
}

/* Where it came from, as the URI that Kamailio writes. */
static json_t *received_uri(const struct link_flow *f)
{
	char room[FLOW_TEXT_MAX], name[8];
	struct str transport, rest;

	(void)str_split(flow_peer(f, room), ':', &transport, &rest);
	(void)str_to_c(transport, name, sizeof(name));
	if (f->transport == CONF_UDP)
		return json_sprintf("sip:%.*s", STR_FMT(rest));
	return json_sprintf("sip:%.*s;transport=%s", STR_FMT(rest), name);
}

static json_t *contact_json(const struct link *l, struct str contact, struct str path,
			    const struct link_flow *flow, uint16_t q_permille, int64_t expires_s)
{
	char socket[FLOW_TEXT_MAX];
	json_t *v = json_object();

	json_object_set_new(v, "Address", json_of_str(contact));
	json_object_set_new(v, "Expires", json_integer(expires_s));
	json_object_set_new(v, "Q", json_real(q_permille / 1000.0));
	json_object_set_new(v, "Received", received_uri(flow));
	json_object_set_new(v, "Path", or_not_set(path));
	json_object_set_new(v, "Socket", json_of_str(flow_socket(l, flow, socket)));
	return v;
}

/* ul.dump */

struct ul_dump {
	uint64_t limit, rows;
	uint32_t shard, index; /* where to go on */
	bool brief;
	struct call *call; /* for the row function */
	uint64_t wall_s;
	char room[ROOM_BYTES];
};

static void dump_row(void *arg, const struct registrar_row *r)
{
	struct ul_dump *s = arg;
	struct call *c = s->call;
	const struct link *l = c->world->link;
	uint64_t age_s = c->now_us > r->updated_us ? (c->now_us - r->updated_us) / 1000000 : 0;
	json_t *contact;

	text_put(&c->text, s->rows++ ? STR(",") : STR(""));
	if (s->brief) {
		text_json(&c->text, json_pack("{so}", "AoR", json_of_str(r->aor)));
		return;
	}
	contact = contact_json(l, r->contact, r->path, &r->flow, r->q_permille,
			       seconds_left(r->expires_us, c->now_us));
	json_object_set_new(contact, "CSeq", json_integer(r->cseq));
	json_object_set_new(contact, "Last-Modified", json_of_u64(s->wall_s - age_s));
	text_json(&c->text, json_pack("{s{so s[{so}]}}", "Info", "AoR", json_of_str(r->aor),
				      "Contacts", "Contact", contact));
}

static enum call_outcome dump_begin(struct call *c)
{
	const struct link_header *h = c->world->link->h;
	struct ul_dump *s = calloc(1, sizeof(*s));
	uint64_t from = call_number(c, 0, 0);

	c->state = s;
	if (s == NULL) {
		call_error(c, RPC_INTERNAL_ERROR, "Internal error", "no memory");
		return CALL_DONE;
	}
	s->brief = c->arg[2] != NULL;
	if (s->brief && !str_eq(call_text(c, 2), STR("brief"))) {
		call_error(c, RPC_INVALID_PARAMS, "Invalid params",
			   "brief (text): \"brief\" or nothing");
		return CALL_DONE;
	}
	s->limit = call_number(c, 1, CALL_PAGE_ROWS);
	if (s->limit > CALL_PAGE_MAX)
		s->limit = CALL_PAGE_MAX;
	s->shard = h->bindings && from / h->bindings < c->world->n_shards
			   ? (uint32_t)(from / h->bindings)
			   : c->world->n_shards;
	s->index = h->bindings ? (uint32_t)(from % h->bindings) : 0;
	text_put(&c->text, STR("{\"Domains\":[{\"Domain\":{\"Domain\":\"location\","));
	text_printf(&c->text, "\"Size\":%lu,\"AoRs\":[",
		    (uint64_t)h->binding_buckets * h->n_shards);
	return CALL_MORE;
}

/* How many records from here on hold no more rows than may be written: a sparse table is passed over
 * quickly, and no page gets too long. */
static uint32_t walk_span(const struct link *l, const struct ul_dump *s)
{
	const uint32_t *word = link_at(l, LINK_S_BINDING_USED, (uint64_t)s->shard * l->h->bindings);
	uint64_t rows = s->limit - s->rows < CALL_ROWS_MAX ? s->limit - s->rows : CALL_ROWS_MAX;
	uint32_t n = 0;

	for (; n < CALL_WALK_MAX && s->index + n < l->h->bindings && rows > 0; n++)
		rows -= __atomic_load_n(&word[s->index + n], __ATOMIC_RELAXED) & 1;
	return n;
}

static void dump_piece(struct call *c, struct ul_dump *s)
{
	struct strbuf room = strbuf_of(s->room, sizeof(s->room));

	s->call = c;
	s->wall_s = clock_wall_s();
	s->index = registrar_walk(c->world->shards[s->shard], s->index,
				  walk_span(c->world->link, s), &room, dump_row, s);
	if (s->index == LINK_NONE) {
		s->shard++;
		s->index = 0;
	}
}

enum call_outcome call_ul_dump(struct call *c)
{
	struct ul_dump *s = c->state;
	bool more;

	if (s == NULL)
		return dump_begin(c);
	more = s->shard < c->world->n_shards;
	if (more && s->rows < s->limit && c->text.len <= CALL_PAGE_BYTES) {
		dump_piece(c, s);
		return CALL_MORE;
	}
	text_printf(&c->text, "],\"Stats\":{\"Records\":%lu}}}],\"next\":",
		    link_counter_sum(c->world->link, registrar_bindings));
	text_json(&c->text,
		  more ? json_of_u64((uint64_t)s->shard * c->world->link->h->bindings + s->index)
		       : json_null());
	text_put(&c->text, STR("}"));
	return CALL_DONE;
}

/* ul.lookup */

/* "user@host", or any URI that has an address-of-record, in its canonical form. */
static bool canonical(struct str text, struct strbuf *out)
{
	char room[1024];
	struct strbuf b = strbuf_of(room, sizeof(room));
	struct sip_uri uri;

	if (sip_uri_parse(text, &uri) == 0 && sip_uri_aor(&uri, out) == 0)
		return true;
	out->len = 0;
	strbuf_put(&b, STR("sip:"));
	strbuf_put(&b, text);
	return !b.full && sip_uri_parse(strbuf_str(&b), &uri) == 0 && sip_uri_aor(&uri, out) == 0;
}

static bool lookup_aor(struct call *c, struct str aor)
{
	struct registrar_contact found[CONTACTS_MAX];
	char texts[ROOM_BYTES];
	json_t *contacts = json_array();

	for (uint32_t i = 0; i < c->world->n_shards; i++) {
		struct strbuf room = strbuf_of(texts, sizeof(texts));
		uint32_t n = registrar_lookup(c->world->shards[i], aor, c->now_us, &room, found,
					      CONTACTS_MAX);

		for (uint32_t k = 0; k < n; k++)
			json_array_append_new(
				contacts,
				json_pack("{so}", "Contact",
					  contact_json(
						  c->world->link, found[k].contact, found[k].path,
						  &found[k].flow, found[k].q_permille,
						  seconds_left(found[k].expires_us, c->now_us))));
	}
	if (json_array_size(contacts) == 0) {
		json_decref(contacts);
		return false;
	}
	c->result = json_pack("{so so}", "AoR", json_of_str(aor), "Contacts", contacts);
	return true;
}

static bool lookup_in_domain(struct call *c, struct str user, const char *domain)
{
	char aor[1024], text[1024];
	struct strbuf out = strbuf_of(aor, sizeof(aor)), b = strbuf_of(text, sizeof(text));

	strbuf_put(&b, user);
	strbuf_char(&b, '@');
	strbuf_put(&b, str_from_c(domain));
	return !b.full && canonical(strbuf_str(&b), &out) && lookup_aor(c, strbuf_str(&out));
}

enum call_outcome call_ul_lookup(struct call *c)
{
	const struct conf *conf = link_conf(c->world->link);
	struct str text = call_text(c, 1);
	char aor[1024];
	struct strbuf out = strbuf_of(aor, sizeof(aor));

	if (c->arg[0] != NULL && !str_eq(call_text(c, 0), STR("location"))) {
		call_error(c, 500, "Domain table not found", "the table is called location");
		return CALL_DONE;
	}
	/* a bare user is looked for in each of our domains; a number or URN has no '@' either */
	for (uint32_t i = 0;
	     str_find(text, '@') < 0 && str_find(text, ':') < 0 && i < conf->n_domains; i++) {
		if (lookup_in_domain(c, text, conf->domain[i]))
			return CALL_DONE;
	}
	if (!canonical(text, &out) || !lookup_aor(c, strbuf_str(&out)))
		call_error(c, 500, "AOR not found in location table", "%.100s", text.s);
	return CALL_DONE;
}
