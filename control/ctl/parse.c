/* SPDX-License-Identifier: Apache-2.0 */
/* sluicectl parse: what the parser of the appliance sees in one message, as JSON; or where it stops
 * and why. The limits are those of a configuration without any. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "control/ctl/ctl.h"
#include "platform/base/conf.h"
#include "platform/sip/addr.h"
#include "platform/sip/lex.h"
#include "platform/sip/msg.h"
#include "platform/sip/uri.h"
#include "platform/sip/via.h"

/* Octets as JSON: what is not UTF-8 is shown as Latin-1 would have it, one character per octet. */
static json_t *text(struct str s)
{
	json_t *v = json_stringn(s.len ? s.s : "", s.len);
	char *wide;
	size_t n = 0;

	if (v != NULL)
		return v;
	wide = malloc((size_t)s.len * 2 + 1);
	if (wide == NULL)
		return json_null();
	for (uint32_t i = 0; i < s.len; i++) {
		uint8_t c = (uint8_t)s.s[i];

		if (c >= 0x80) {
			wide[n++] = (char)(0xc0 | c >> 6);
			c = 0x80 | (c & 0x3f);
		}
		wide[n++] = (char)c;
	}
	v = json_stringn(wide, n);
	free(wide);
	return v;
}

static void put(json_t *to, const char *key, struct str s)
{
	if (s.len > 0)
		json_object_set_new(to, key, text(s));
}

static void put_number(json_t *to, const char *key, uint64_t v)
{
	json_object_set_new(to, key, json_integer((json_int_t)v));
}

static json_t *uri_json(struct str s)
{
	static const char *const scheme[] = {"none", "sip", "sips", "tel", "urn", "other"};
	static const char *const host_kind[] = {"name", "ip4", "ip6"};
	json_t *v = json_object();
	char room[2048];
	struct strbuf aor = strbuf_of(room, sizeof(room));
	struct sip_uri u = {0};
	int err = sip_uri_parse(s, &u);

	put(v, "text", s);
	if (err != 0) {
		json_object_set_new(v, "error", json_string(err_text(err)));
		put(v, "scheme", u.scheme_text);
		return v;
	}
	json_object_set_new(v, "scheme",
			    json_string(scheme[u.scheme <= SIP_URI_OTHER ? u.scheme : 0]));
	put(v, "user", u.user);
	put(v, "host", u.host);
	if (u.host.len > 0)
		json_object_set_new(v, "host_kind", json_string(host_kind[u.host_kind]));
	if (u.port != 0)
		put_number(v, "port", u.port);
	put(v, "params", u.params);
	put(v, "headers", u.headers);
	if (sip_uri_aor(&u, &aor) == 0)
		put(v, "aor", strbuf_str(&aor));
	return v;
}

static json_t *addr_json(struct str value)
{
	json_t *v = json_object();
	struct sip_addr a;

	if (sip_addr_parse(value, &a) != 0) {
		json_object_set_new(v, "error", json_string("not a name-addr or addr-spec"));
		return v;
	}
	if (a.star) {
		json_object_set_new(v, "star", json_true());
		return v;
	}
	put(v, "display", a.display);
	json_object_set_new(v, "uri", uri_json(a.uri));
	put(v, "params", a.params);
	return v;
}

static json_t *via_json(struct str value)
{
	json_t *v = json_object();
	struct sip_via via;

	if (sip_via_parse(value, &via) != 0) {
		json_object_set_new(v, "error", json_string("not a Via of SIP/2.0"));
		return v;
	}
	put(v, "transport", via.transport_text);
	put(v, "host", via.host);
	if (via.port != 0)
		put_number(v, "port", via.port);
	put(v, "branch", via.branch);
	put(v, "received", via.received);
	put(v, "maddr", via.maddr);
	json_object_set_new(v, "rport", json_boolean(via.rport));
	if (via.rport_port != 0)
		put_number(v, "rport_value", via.rport_port);
	return v;
}

static json_t *header_rows(const char *base, const struct sip_msg *m)
{
	json_t *rows = json_array();

	for (uint32_t i = 0; i < m->n_lines; i++) {
		const struct sip_line *l = &m->line[i];
		json_t *row = json_object();

		json_object_set_new(row, "name", text(sip_line_name(base, l)));
		json_object_set_new(
			row, "id",
			text(l->id ? sip_hdr_info((enum sip_hdr_id)l->id)->name : STR("other")));
		put_number(row, "offset", l->off);
		put_number(row, "value_offset", l->value_off);
		json_object_set_new(row, "value", text(sip_line_value(base, l)));
		json_array_append_new(rows, row);
	}
	return rows;
}

static json_t *elements(const char *base, const struct sip_msg *m, enum sip_hdr_id id,
			json_t *(*one)(struct str value))
{
	struct sip_list it = {0};
	json_t *rows = json_array();
	struct str e;

	while (sip_list_next(base, m, id, &it, &e))
		json_array_append_new(rows, one(e));
	return rows;
}

static void put_one(json_t *to, const char *key, const char *base, const struct sip_msg *m,
		    enum sip_hdr_id id)
{
	const struct sip_line *l = sip_msg_first(m, id);

	if (l != NULL)
		json_object_set_new(to, key, addr_json(sip_line_value(base, l)));
}

static void put_list(json_t *to, const char *key, const char *base, const struct sip_msg *m,
		     enum sip_hdr_id id, json_t *(*one)(struct str value))
{
	if (sip_msg_first(m, id) != NULL)
		json_object_set_new(to, key, elements(base, m, id, one));
}

static json_t *start_json(const char *base, const struct sip_msg *m)
{
	json_t *v = json_object();

	if (m->status != 0) {
		put_number(v, "status", m->status);
		json_object_set_new(v, "reason", text(sip_span_str(base, m->ruri)));
		return v;
	}
	put(v, "method", sip_span_str(base, m->method_text));
	put_number(v, "method_offset", m->method_text.off);
	put_number(v, "uri_offset", m->ruri.off);
	json_object_set_new(v, "uri", uri_json(sip_span_str(base, m->ruri)));
	return v;
}

static json_t *message_json(const char *base, const struct sip_msg *m)
{
	json_t *v = json_object();
	const struct sip_line *cseq = sip_msg_first(m, SIP_H_CSEQ);

	json_object_set_new(v, "kind", json_string(m->status ? "response" : "request"));
	json_object_set_new(v, "start_line", start_json(base, m));
	put_number(v, "length", m->len_bytes);
	json_object_set_new(v, "body",
			    json_pack("{si si}", "offset", m->body_off, "length", m->body_len));
	put(v, "call_id", sip_span_str(base, m->call_id));
	if (cseq != NULL)
		json_object_set_new(v, "cseq",
				    json_pack("{sI so}", "number", (json_int_t)m->cseq, "method",
					      text(sip_span_str(base, m->method_text))));
	if (m->max_forwards != SIP_NO_MAX_FORWARDS)
		put_number(v, "max_forwards", m->max_forwards);
	if (m->expires_s != SIP_NO_EXPIRES)
		put_number(v, "expires", m->expires_s);
	put_one(v, "from", base, m, SIP_H_FROM);
	put(v, "from_tag", sip_span_str(base, m->from_tag));
	put_one(v, "to", base, m, SIP_H_TO);
	put(v, "to_tag", sip_span_str(base, m->to_tag));
	put_list(v, "via", base, m, SIP_H_VIA, via_json);
	put_list(v, "contact", base, m, SIP_H_CONTACT, addr_json);
	put_list(v, "route", base, m, SIP_H_ROUTE, addr_json);
	put_list(v, "record_route", base, m, SIP_H_RECORD_ROUTE, addr_json);
	json_object_set_new(v, "headers", header_rows(base, m));
	return v;
}

static json_t *fault_json(const struct sip_fault *f)
{
	json_t *v = json_pack("{ss si ss}", "reason", f->text ? f->text : err_text(f->err),
			      "offset", (int)f->off, "error", err_text(f->err));

	if (f->hdr != SIP_H_OTHER)
		json_object_set_new(v, "header", text(sip_hdr_info((enum sip_hdr_id)f->hdr)->name));
	if (f->status != 0 && f->answerable)
		put_number(v, "answer", f->status);
	else
		json_object_set_new(v, "answer", json_null());
	return v;
}

/* ret octets · -1 with the reason said */
static long read_all(const char *path, char *to, size_t cap)
{
	FILE *f = path[0] == '-' && path[1] == '\0' ? stdin : fopen(path, "re");
	size_t n;

	if (f == NULL) {
		fprintf(stderr, "sluicectl: %s: %s\n", path, err_text(-errno));
		return -1;
	}
	n = fread(to, 1, cap, f);
	if (ferror(f)) {
		fprintf(stderr, "sluicectl: %s: cannot be read\n", path);
		n = (size_t)-1;
	}
	if (f != stdin)
		fclose(f);
	return (long)n;
}

int ctl_parse(const struct ctl *c)
{
	static char
		octets[SIP_MSG_MAX + 1]; /* one more: a message that is too long is seen to be */
	static struct sip_msg m;
	struct sip_fault f = {0};
	struct sip_limits limits;
	struct conf *conf = calloc(1, sizeof(*conf));
	json_t *out;
	long n;
	int err;

	if (conf == NULL || c->n_args != 1) {
		fprintf(stderr, "usage: sluicectl parse FILE|-\n");
		free(conf);
		return CTL_USAGE;
	}
	conf_defaults(conf);
	limits = (struct sip_limits){conf->msg_bytes, conf->uri_bytes, conf->header_bytes,
				     conf->headers};
	free(conf);
	n = read_all(c->arg[0], octets, sizeof(octets));
	if (n < 0)
		return 1;
	(void)lex_init();
	err = sip_msg_parse(str_of(octets, (size_t)n), &limits, &m, &f);
	out = err == 0 ? message_json(octets, &m) : json_pack("{so}", "error", fault_json(&f));
	json_dumpf(out, stdout, c->json ? JSON_COMPACT : JSON_INDENT(2));
	putchar('\n');
	json_decref(out);
	return err == 0 ? 0 : 1;
}
