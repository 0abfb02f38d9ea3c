/* SPDX-License-Identifier: Apache-2.0 */
/* REGISTER: RFC 3261 §10.3 steps 3 and 5 to 8; Path: RFC 3327 §5.3.
 *
 * A request is handled in two halves. The first reads it whole, finds the binding that each contact
 * names, and counts what the step will take; every refusal is decided there, with nothing changed. The
 * second cannot fail: it puts, renews and marks bindings and answers with the list of those that
 * live. So all contacts of a request take effect or none (§10.3 step 7).
 *
 * A contact is the same as a binding's when the URIs are equal by §19.1.4; a hash of what never
 * differs between equal URIs goes before the comparison. Order of requests is kept per Call-ID
 * (step 7): not newer by CSeq is an error for the whole request. A retransmission never comes here.
 *
 * The answer's headers are written to s->bytes, which txn_reply() leaves alone. Their length is
 * bounded when bindings are made, so that the list of an AoR can always be sent. */
#include "control/registrar/store.h"
#include "platform/sip/addr.h"
#include "platform/sip/lex.h"
#include "platform/sip/uri.h"

#include <time.h>

#define US_PER_S 1000000ull
#define EXPIRES_MALFORMED_S 3600 /* §20.10: what a malformed parameter counts as */
#define RETRY_AFTER_S 5		 /* short: records come free as bindings expire  */
/* Octets of headers in an answer. Its blocks are given back in one step with those of others. */
#define ANSWER_MAX 16384
#define ANSWER_FIXED 256 /* Date, Supported, and the name of Path        */
#define ANSWER_LIST_MAX (ANSWER_MAX - ANSWER_FIXED - STORE_TEXT_MAX)
#define ANSWER_PER_CONTACT 48 /* "Contact: <>;q=0.123;expires=4294967295" CR LF */
#define REPLY_COPIES 512      /* octets of program beside the headers         */
#define REPLY_WRITES 8	      /* that answering logs beside those of its blocks */
/* and their octets: the transaction, and the counters that go home with every commit */
#define REPLY_SHADOW (1024 + COUNTERS * (uint32_t)sizeof(uint64_t))
#define REPLY_SHADOW_OF_BLOCK 8
_Static_assert(ANSWER_MAX <= SIP_MSG_MAX, "an answer lies in s->bytes");
_Static_assert(ANSWER_MAX / (LINK_BLOCK_WORDS * 4) <= STEP_FREES_MAX / 2, "an answer can be freed");

/* A contact of the request. */
struct wanted {
	struct str uri;
	uint64_t hash;
	uint32_t expires_s; /* 0: remove                                   */
	uint32_t old;	    /* the binding it names, or LINK_NONE          */
	uint16_t q_permille;
};

/* The request in hand. */
struct job {
	struct shard *s;
	const struct message *m;
	struct hash128 key;
	uint64_t call_id_hash;
	struct link_flow flow;
	struct strbuf text; /* holds aor and path                     */
	struct str aor, path;
	bool path_wanted; /* the client understands Path            */
	bool star;
	uint32_t n_wanted, n_live;
	struct wanted wanted[STORE_LIST_MAX];
	uint32_t live[STORE_LIST_MAX];
	uint64_t wall_s;
	/* the answer */
	unsigned status;
	const char *reason; /* NULL: the usual one of the status      */
	struct strbuf extra;
	char mem[2 * STORE_TEXT_MAX];
};

static bool refuse(struct job *j, unsigned status, const char *reason)
{
	j->status = status;
	j->reason = reason;
	return false;
}

/* ---- reading the request ---- */

/* Step 3 and §8.2.2.3. */
static bool read_require(struct job *j)
{
	struct sip_list it = {0};
	struct str tag;

	while (sip_list_next(j->m->base, j->m->sip, SIP_H_REQUIRE, &it, &tag)) {
		if (!lex_all(tag, LEX_TOKEN))
			return refuse(j, 400, "Bad Require header");
		if (str_ieq(tag, STR("path"))) {
			j->path_wanted = true;
			continue;
		}
		strbuf_put(&j->extra, j->status == 420 ? STR(", ") : STR("Unsupported: "));
		strbuf_put(&j->extra, tag);
		j->status = 420;
	}
	if (j->status == 420) {
		strbuf_put(&j->extra, STR("\r\n"));
		if (!j->extra.full)
			return false;
		j->extra = strbuf_of(j->s->bytes, ANSWER_MAX);
		return refuse(j, 400, "Require Header Too Long");
	}
	it = (struct sip_list){0};
	while (sip_list_next(j->m->base, j->m->sip, SIP_H_SUPPORTED, &it, &tag))
		j->path_wanted = j->path_wanted || str_ieq(tag, STR("path"));
	return true;
}

/* Step 5: the address-of-record of To. */
static bool read_aor(struct job *j)
{
	struct sip_uri u;
	int r = sip_uri_parse(sip_span_str(j->m->base, j->m->sip->to_uri), &u);

	if (r == -E_UNSUPPORTED)
		return refuse(j, 404, NULL); /* well formed, and nothing that can be bound here */
	if (r != 0)
		return refuse(j, 400, "Bad To header");
	if ((u.scheme != SIP_URI_SIP && u.scheme != SIP_URI_SIPS) || !u.has_user)
		return refuse(j, 404, NULL);
	if (sip_uri_aor(&u, &j->text) != 0 || j->text.len > STORE_TEXT_MAX)
		return refuse(j, 403, "Address Of Record Too Long");
	j->aor = strbuf_str(&j->text);
	j->key = store_key(j->s, j->aor);
	return true;
}

/* Path values as one Route value. Folds become blanks: the text will stand in requests of ours. */
static bool read_path(struct job *j)
{
	uint32_t start = j->text.len;
	struct sip_list it = {0};
	struct sip_addr a;
	struct sip_uri u;
	struct str e;

	while (sip_list_next(j->m->base, j->m->sip, SIP_H_PATH, &it, &e)) {
		if (sip_addr_parse(e, &a) != 0 || !a.bracketed || sip_uri_parse(a.uri, &u) != 0 ||
		    (u.scheme != SIP_URI_SIP && u.scheme != SIP_URI_SIPS))
			return refuse(j, 400, "Bad Path header");
		if (j->text.len > start)
			strbuf_put(&j->text, STR(", "));
		strbuf_put(&j->text, e);
	}
	for (uint32_t i = start; i < j->text.len; i++) {
		if (j->text.s[i] == '\r' || j->text.s[i] == '\n')
			j->text.s[i] = ' ';
	}
	if (j->text.full || j->text.len > STORE_TEXT_MAX)
		return refuse(j, 403, "Path Too Long");
	j->path = str_sub(strbuf_str(&j->text), start, j->text.len - start);
	return true;
}

/* What equal URIs have in common: of a SIP URI user and host, of others the scheme only, since their
 * canonical form may differ where they are equal. false: longer than any binding can be. */
static bool contact_hash(const struct job *j, const struct sip_uri *u, uint64_t *hash)
{
	const struct hash_key *key = &j->s->link->h->keys.txn;
	char mem[STORE_TEXT_MAX];
	struct strbuf b = strbuf_of(mem, sizeof(mem));
	struct hash_state h;

	if (u->scheme == SIP_URI_SIP || u->scheme == SIP_URI_SIPS) {
		if (sip_uri_aor(u, &b) != 0)
			return false;
		*hash = hash_bytes(key, b.s, b.len);
		return true;
	}
	hash_begin(&h, key, false);
	hash_fold(&h, u->scheme_text);
	*hash = hash_end64(&h);
	return true;
}

/* §10.2.1.1 and §10.3 step 7: the life that a contact asks for, within our bounds. */
static bool read_expires(struct job *j, const struct sip_addr *a, uint32_t *expires_s)
{
	const struct conf *c = j->s->conf;
	int r = sip_addr_expires(a, expires_s);

	if (r < 0)
		*expires_s = EXPIRES_MALFORMED_S;
	else if (r == 0)
		*expires_s = j->m->sip->expires_s != SIP_NO_EXPIRES ? j->m->sip->expires_s
								    : c->expires_default_s;
	if (*expires_s > c->expires_max_s)
		*expires_s = c->expires_max_s;
	if (*expires_s == 0 || *expires_s >= c->expires_min_s)
		return true;
	strbuf_put(&j->extra, STR("Min-Expires: "));
	strbuf_u64(&j->extra, c->expires_min_s);
	strbuf_put(&j->extra, STR("\r\n"));
	return refuse(j, 423, NULL);
}

static bool read_contact(struct job *j, const struct sip_addr *a)
{
	struct wanted *w = &j->wanted[j->n_wanted];
	struct sip_uri u;
	int r = sip_uri_parse(a->uri, &u);

	if (j->n_wanted == STORE_LIST_MAX)
		return refuse(j, 403, "Too Many Contacts");
	*w = (struct wanted){.uri = a->uri, .old = LINK_NONE};
	if ((r != 0 && r != -E_UNSUPPORTED) || sip_addr_q(a, &w->q_permille) != 0)
		return refuse(j, 400, "Bad Contact header");
	if (j->text.len + w->uri.len > STORE_TEXT_MAX || !contact_hash(j, &u, &w->hash))
		return refuse(j, 403, "Contact Too Long");
	if (!read_expires(j, a, &w->expires_s))
		return false;
	j->n_wanted++;
	return true;
}

static bool read_contacts(struct job *j)
{
	struct sip_list it = {0};
	struct sip_addr a;
	struct str e;

	while (sip_list_next(j->m->base, j->m->sip, SIP_H_CONTACT, &it, &e)) {
		if (sip_addr_parse(e, &a) != 0)
			return refuse(j, 400, "Bad Contact header");
		j->star = j->star || a.star;
		if (!a.star && !read_contact(j, &a))
			return false;
	}
	/* step 6; that * stands alone the parser has seen to as well */
	if (j->star && (j->n_wanted > 0 || j->m->sip->expires_s != 0))
		return refuse(j, 400, "Contact * Needs Expires: 0");
	return true;
}

/* ---- deciding ---- */

static bool names(const struct job *j, const struct wanted *w, const struct link_binding *b)
{
	char mem[STORE_TEXT_MAX];
	struct strbuf room = strbuf_of(mem, sizeof(mem));
	struct sip_uri want, have;
	struct str text;

	if (b->contact_hash != w->hash || store_contact(j->s, b, &room, &text) != 0)
		return false;
	(void)sip_uri_parse(w->uri, &want); /* both were read before, when they came in */
	(void)sip_uri_parse(text, &have);
	return sip_uri_equal(&want, &have);
}

/* Step 7 (and 6 for *): whether the request may change this binding. */
static bool in_order(struct job *j, uint32_t binding)
{
	const struct link_binding *b = step_binding_read(&j->s->step, binding);

	if (b->call_id_hash == j->call_id_hash && j->m->sip->cseq <= b->cseq)
		return refuse(j, 500, "CSeq Out Of Order");
	return true;
}

static bool stands_before(const struct job *j, uint32_t k)
{
	const struct wanted *w = &j->wanted[k];
	struct sip_uri a, b;

	(void)sip_uri_parse(w->uri, &a);
	for (uint32_t i = 0; i < k; i++) {
		if (j->wanted[i].hash != w->hash)
			continue;
		(void)sip_uri_parse(j->wanted[i].uri, &b);
		if (sip_uri_equal(&a, &b))
			return true;
	}
	return false;
}

static bool match(struct job *j)
{
	for (uint32_t i = 0; j->star && i < j->n_live; i++) {
		if (!in_order(j, j->live[i]))
			return false;
	}
	for (uint32_t k = 0; k < j->n_wanted; k++) {
		struct wanted *w = &j->wanted[k];

		if (stands_before(j, k))
			return refuse(j, 400, "Same Contact Twice");
		for (uint32_t i = 0; i < j->n_live && w->old == LINK_NONE; i++) {
			if (names(j, w, step_binding_read(&j->s->step, j->live[i])))
				w->old = j->live[i];
		}
		if (w->old != LINK_NONE && !in_order(j, w->old))
			return false;
	}
	return true;
}

static struct store_text texts_of(const struct job *j, const struct wanted *w)
{
	return (struct store_text){.aor = j->aor, .contact = w->uri, .path = j->path};
}

/* How many bindings there will be, how long their list, and what the step takes. */
static bool weigh(struct job *j)
{
	struct store_need need = {
		.writes = REPLY_WRITES, .shadow_bytes = REPLY_SHADOW, .touched = 1};
	uint32_t n = j->n_live, n_new = 0, list = 0, blocks;

	for (uint32_t i = 0; i < j->n_live; i++)
		list += step_binding_read(&j->s->step, j->live[i])->contact_len +
			ANSWER_PER_CONTACT;
	for (uint32_t i = 0; j->star && i < j->n_live; i++)
		store_need_remove(&need);
	for (uint32_t k = 0; k < j->n_wanted; k++) {
		const struct wanted *w = &j->wanted[k];
		struct store_text t = texts_of(j, w);

		if (w->old != LINK_NONE) {
			n--;
			list -= step_binding_read(&j->s->step, w->old)->contact_len +
				ANSWER_PER_CONTACT;
		}
		if (w->expires_s > 0) {
			n++;
			n_new += w->old == LINK_NONE;
			list += w->uri.len + ANSWER_PER_CONTACT;
			store_need_put(j->s, w->old, &t, &need);
		} else if (w->old != LINK_NONE) {
			store_need_remove(&need);
		}
	}
	if (n_new > 0 && n > j->s->conf->contacts_max)
		return refuse(j, 403, "Too Many Contacts");
	if (n_new > 0 && list > ANSWER_LIST_MAX)
		return refuse(j, 403, "Contacts Too Long");
	blocks = (list + ANSWER_FIXED + j->path.len + REPLY_COPIES) / (LINK_BLOCK_WORDS * 4) + 1;
	need.writes += blocks;
	need.shadow_bytes += blocks * REPLY_SHADOW_OF_BLOCK;
	switch (store_room(j->s, &need)) {
	case 0:
		return true;
	case -E_TOO_MANY:
		return refuse(j, 403, "Too Many Contacts At Once");
	default:
		strbuf_put(&j->extra, STR("Retry-After: "));
		strbuf_u64(&j->extra, RETRY_AFTER_S);
		strbuf_put(&j->extra, STR("\r\n"));
		return refuse(j, 503, NULL);
	}
}

/* ---- carrying out ---- */

static void bind_contact(struct job *j, const struct wanted *w)
{
	struct store_text t = texts_of(j, w);
	const struct link_binding fields = {
		.aor = j->key,
		.contact_hash = w->hash,
		.call_id_hash = j->call_id_hash,
		.expires_us = j->s->now_us + w->expires_s * US_PER_S,
		.updated_us = j->s->now_us,
		.flow = j->flow,
		.cseq = j->m->sip->cseq,
		.q_permille = w->q_permille,
		.created_s = (uint32_t)j->wall_s,
	};

	store_put(j->s, w->old, &fields, &t);
	count(j->s->count, w->old == LINK_NONE ? registrar_bound : registrar_refreshed);
}

static void unbind(struct job *j, uint32_t binding)
{
	store_remove(j->s, binding);
	count(j->s->count, registrar_removed);
}

/* Last contact first: new records go in front, so that the chain has the order of the request. */
static void apply(struct job *j)
{
	for (uint32_t i = 0; j->star && i < j->n_live; i++)
		unbind(j, j->live[i]);
	for (uint32_t k = j->n_wanted; k-- > 0;) {
		const struct wanted *w = &j->wanted[k];

		if (w->expires_s > 0)
			bind_contact(j, w);
		else if (w->old != LINK_NONE)
			unbind(j, w->old);
	}
}

/* §20.17, always in English. Made once a second. */
static void make_date(struct shard *s, uint64_t wall_s)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct strbuf b = strbuf_of(s->date, sizeof(s->date));
	time_t t = (time_t)wall_s;
	struct tm tm;

	s->date_s = wall_s;
	s->date_len = 0;

	if (gmtime_r(&t, &tm) == NULL)
		return;
	strbuf_printf(&b, "Date: %.3s, %02d %.3s %04d %02d:%02d:%02d GMT\r\n", days + 3 * tm.tm_wday,
		      tm.tm_mday, months + 3 * tm.tm_mon, tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
		      tm.tm_sec);
	s->date_len = b.len;
}

static void put_date(struct shard *s, struct strbuf *b, uint64_t wall_s)
{
	if (s->date_len == 0 || s->date_s != wall_s)
		make_date(s, wall_s);
	strbuf_put(b, str_of(s->date, s->date_len));
}

static void put_q(struct strbuf *b, uint16_t q)
{
	uint32_t digits = q % 1000, n = 3;

	strbuf_u64(b, q / 1000);
	if (digits == 0)
		return;
	strbuf_char(b, '.');
	for (; digits % 10 == 0; n--)
		digits /= 10;
	for (uint32_t scale = n == 3 ? 100 : n == 2 ? 10 : 1; scale > 0; scale /= 10)
		strbuf_char(b, (char)('0' + digits / scale % 10));
}

static void put_contact(struct job *j, uint32_t binding)
{
	const struct link_binding *b = step_binding_read(&j->s->step, binding);
	char mem[STORE_TEXT_MAX];
	struct strbuf room = strbuf_of(mem, sizeof(mem));
	struct str uri;

	if (store_contact(j->s, b, &room, &uri) != 0)
		return;
	strbuf_put(&j->extra, STR("Contact: <"));
	strbuf_put(&j->extra, uri);
	strbuf_put(&j->extra, STR(">;q="));
	put_q(&j->extra, b->q_permille);
	strbuf_put(&j->extra, STR(";expires="));
	/* rounded up: what still lives has more than 0 s */
	strbuf_u64(&j->extra, (b->expires_us - j->s->now_us + US_PER_S - 1) / US_PER_S);
	strbuf_put(&j->extra, STR("\r\n"));
}

/* Step 8. */
static void answer(struct job *j)
{
	j->n_live = store_list(j->s, &j->key, j->s->now_us, j->live, STORE_LIST_MAX);
	for (uint32_t i = 0; i < j->n_live; i++)
		put_contact(j, j->live[i]);
	if (j->path.len > 0 && j->path_wanted) {
		strbuf_put(&j->extra, STR("Supported: path\r\nPath: "));
		strbuf_put(&j->extra, j->path);
		strbuf_put(&j->extra, STR("\r\n"));
	}
	put_date(j->s, &j->extra, j->wall_s);
}

static bool decide(struct job *j)
{
	if (!read_require(j) || !read_aor(j) || !read_path(j) || !read_contacts(j))
		return false;
	j->n_live = store_list(j->s, &j->key, j->s->now_us, j->live, STORE_LIST_MAX);
	if (!j->star && j->n_wanted == 0)
		return true; /* a query takes nothing */
	return match(j) && weigh(j);
}

void registrar_request(struct shard *s, uint32_t txn, struct message *m)
{
	struct str call_id = sip_span_str(m->base, m->sip->call_id);
	struct job j;

	memset(&j, 0, offsetof(struct job, mem));
	j.s = s;
	j.m = m;
	j.status = 200;
	j.flow = step_txn_read(&s->step, txn)->flow;
	j.call_id_hash = hash_bytes(&s->link->h->keys.txn, call_id.s, call_id.len);
	j.text = strbuf_of(j.mem, sizeof(j.mem));
	j.extra = strbuf_of(s->bytes, ANSWER_MAX);
	j.wall_s = shard_wall_s(s);
	count(s->count, registrar_requests);
	if (decide(&j)) {
		apply(&j);
		answer(&j);
	} else {
		count(s->count, registrar_refused);
	}
	txn_reply(s, txn, j.status, j.reason, strbuf_str(&j.extra));
}
