/* SPDX-License-Identifier: Apache-2.0 */
/* Via elements.
 *
 * LWS may stand around the slashes of sent-protocol and the colon of sent-by, and must stand
 * between the two (RFC 3261 §25.1; the torture of RFC 4475 §3.1.1.1 has all of it, folded). A
 * transport that we do not know is still a Via (RFC 4475 §3.1.1.10): only who answers by it must
 * care.
 *
 * Parameters that steer where a response goes are checked here, once: branch is a token, received
 * an address with or without the brackets of IPv6 (RFC 5118 §4.5), maddr a host, ttl 0..255, rport
 * bare (the question) or a port (the answer, RFC 3581 §3). One of them standing twice is malformed,
 * since §7.3.1 forbids it and the next element may read the other one. A Via of another version is
 * read on as if it were 2.0: the 505 must find its way back. Views borrow from the element. */
#include "platform/sip/via.h"

#include "platform/base/err.h"
#include "platform/sip/lex.h"
#include "platform/sip/param.h"
#include "platform/sip/uri.h"

static const struct str transport_names[] = {
	[SIP_T_UDP] = { "UDP", 3 }, [SIP_T_TCP] = { "TCP", 3 }, [SIP_T_TLS] = { "TLS", 3 },
	[SIP_T_WS] = { "WS", 2 },   [SIP_T_WSS] = { "WSS", 3 }, [SIP_T_SCTP] = { "SCTP", 4 },
	[SIP_T_OTHER] = { "", 0 },
};

static bool at(struct str s, uint32_t i, char c)
{
	return i < s.len && s.s[i] == c;
}

static struct str cut(struct str s, uint32_t *i, unsigned classes)
{
	uint32_t start = *i;

	while (*i < s.len && lex_is(s.s[*i], classes))
		(*i)++;
	return (struct str){ s.s + start, *i - start };
}

static bool cut_slash(struct str s, uint32_t *i)
{
	*i = sip_lws_end(s, *i);
	if (!at(s, *i, '/'))
		return false;
	*i = sip_lws_end(s, *i + 1);
	return true;
}

/* protocol-name "/" protocol-version "/" transport LWS */
static int parse_protocol(struct str s, uint32_t *i, struct sip_via *v)
{
	struct str name, version;
	uint32_t end;

	name = cut(s, i, LEX_TOKEN);
	if (name.len == 0 || !cut_slash(s, i))
		return -E_MALFORMED;
	version = cut(s, i, LEX_TOKEN);
	if (version.len == 0 || !cut_slash(s, i))
		return -E_MALFORMED;
	v->transport_text = cut(s, i, LEX_TOKEN);
	end = sip_lws_end(s, *i);
	if (v->transport_text.len == 0 || end == *i)
		return -E_MALFORMED;
	*i = end;
	v->transport = sip_transport_find(v->transport_text);
	return str_ieq(name, STR("SIP")) && str_eq(version, STR("2.0")) ? 0 : -E_VERSION;
}

static int parse_port(struct str digits, uint16_t *port)
{
	uint32_t value = 0;

	/* 0 would read as "absent", and nothing can be sent there */
	if (str_to_u32(digits, 65535, &value) != 0 || value == 0)
		return -E_MALFORMED;
	*port = (uint16_t)value;
	return 0;
}

static int parse_sent_by(struct str s, uint32_t *i, struct sip_via *v)
{
	int kind;
	uint32_t n = sip_host_cut((struct str){ s.s + *i, s.len - *i }, &kind);

	if (n == 0)
		return -E_MALFORMED;
	v->host = (struct str){ s.s + *i, n };
	*i = sip_lws_end(s, *i + n);
	if (!at(s, *i, ':'))
		return 0;
	*i = sip_lws_end(s, *i + 1);
	if (parse_port(cut(s, i, LEX_DIGIT), &v->port) != 0)
		return -E_MALFORMED;
	*i = sip_lws_end(s, *i);
	return 0;
}

static int take_value(const struct sip_param *p, struct str *out)
{
	if (out->s || p->value.len == 0 || p->quoted)
		return -E_MALFORMED;
	*out = p->value;
	return 0;
}

static int take_branch(const struct sip_param *p, struct sip_via *v)
{
	int r = take_value(p, &v->branch);

	return r == 0 && !lex_all(v->branch, LEX_TOKEN) ? -E_MALFORMED : r;
}

static int take_received(const struct sip_param *p, struct sip_via *v)
{
	uint8_t addr[16];
	int r = take_value(p, &v->received);

	return r == 0 ? sip_ip_addr(v->received, addr) : r;
}

static int take_maddr(const struct sip_param *p, struct sip_via *v)
{
	int kind, r = take_value(p, &v->maddr);

	return r == 0 && sip_host_cut(v->maddr, &kind) != v->maddr.len ? -E_MALFORMED : r;
}

static int take_rport(const struct sip_param *p, struct sip_via *v)
{
	if (v->rport)
		return -E_MALFORMED;
	v->rport = true;
	return p->value.s ? parse_port(p->value, &v->rport_port) : 0;
}

static int take_param(const struct sip_param *p, struct sip_via *v, bool *ttl_seen)
{
	if (str_ieq(p->name, STR("branch")))
		return take_branch(p, v);
	if (str_ieq(p->name, STR("rport")))
		return take_rport(p, v);
	if (str_ieq(p->name, STR("received")))
		return take_received(p, v);
	if (str_ieq(p->name, STR("maddr")))
		return take_maddr(p, v);
	if (str_ieq(p->name, STR("ttl"))) {
		uint32_t ttl = 0;

		if (*ttl_seen || str_to_u32(p->value, 255, &ttl) != 0)
			return -E_MALFORMED;
		*ttl_seen = true;
		v->ttl = (uint16_t)ttl;
	}
	return 0;
}

static int parse_params(struct str params, struct sip_via *v)
{
	struct sip_param p;
	bool ttl_seen = false;
	int r;

	while ((r = sip_param_next(&params, &p)) > 0) {
		if (take_param(&p, v, &ttl_seen) != 0)
			return -E_MALFORMED;
	}
	return r;
}

int sip_via_parse(struct str element, struct sip_via *v)
{
	struct str s = str_trim(element);
	uint32_t i = 0;
	int version, r;

	*v = (struct sip_via){ 0 };
	if (s.len == 0)
		return -E_MALFORMED;
	version = parse_protocol(s, &i, v);
	if (version == -E_MALFORMED)
		return version;
	r = parse_sent_by(s, &i, v);
	if (r == 0 && i < s.len) {
		v->params = (struct str){ s.s + i, s.len - i };
		r = parse_params(v->params, v);
	}
	return version != 0 ? version : r;
}

void sip_via_print(struct strbuf *out, enum sip_transport transport, struct str sent_by,
		   struct str branch, bool rport)
{
	strbuf_put(out, STR("Via: SIP/2.0/"));
	strbuf_put(out, sip_transport_name(transport));
	strbuf_char(out, ' ');
	strbuf_put(out, sent_by);
	strbuf_put(out, STR(";branch="));
	strbuf_put(out, branch);
	strbuf_put(out, rport ? STR(";rport\r\n") : STR("\r\n"));
}

struct str sip_transport_name(enum sip_transport t)
{
	return t >= SIP_T_UDP && t <= SIP_T_OTHER ? transport_names[t] : STR_NONE;
}

enum sip_transport sip_transport_find(struct str name)
{
	enum sip_transport t;

	for (t = SIP_T_UDP; t < SIP_T_OTHER; t++) {
		if (str_ieq(name, transport_names[t]))
			return t;
	}
	return SIP_T_OTHER;
}
