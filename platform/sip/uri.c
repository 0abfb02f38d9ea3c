/* SPDX-License-Identifier: Apache-2.0 */
/* URIs: parse, unescape, compare, and the canonical address-of-record.
 *
 * sip: and sips: are checked by RFC 3261 §25.1, tel: by RFC 3966 §3, urn: by RFC 8141 §2; of any
 * other scheme only that it is an absoluteURI. What is found are views into the caller's octets.
 * Nothing is unescaped before it is compared, so "%2541" never turns into "A" and a NUL ends
 * nothing.
 *
 * An '@' may stand raw only behind the user part: the first one ends it, whatever stood before (RFC
 * 4475 §3.1.1.9). Host names may hold '_', as those of phones and of SRV do. IPv6 stands in
 * brackets, without a zone.
 *
 * Comparison works on units: an octet, or an escaped octet of the reserved set of RFC 2396, which
 * §19.1.4 keeps apart from the raw one. Values of URI headers compare as octets, since their own
 * rules (§20) differ and a wrong "equal" is the worse error. */
#include "platform/sip/uri.h"

#include "platform/base/ip.h"
#include "platform/sip/lex.h"

#define LABEL_END '.'
#define UNIT_ESCAPED 0x100u /* a reserved octet that stood as %XX */

static struct str tail(struct str s, uint32_t from)
{
	return (struct str){ s.s + from, s.len - from };
}

static bool all_of(uint32_t end, struct str s)
{
	return end != 0 && end == s.len;
}

static bool at(struct str s, uint32_t i, char c)
{
	return i < s.len && s.s[i] == c;
}

static unsigned hex_value(char c)
{
	return lex_is(c, LEX_DIGIT) ? (unsigned)(c - '0') : (unsigned)(ascii_lower(c) - 'a' + 10);
}

static bool is_escape(struct str s, uint32_t i)
{
	return i + 2 < s.len && s.s[i] == '%' && lex_is(s.s[i + 1], LEX_HEX) &&
	       lex_is(s.s[i + 2], LEX_HEX);
}

static uint8_t escape_value(struct str s, uint32_t i)
{
	return (uint8_t)(hex_value(s.s[i + 1]) << 4 | hex_value(s.s[i + 2]));
}

/* Index after the octets from i on that are of the classes or in also, not in but, or escapes. */
static uint32_t run_end(struct str s, uint32_t i, unsigned classes, const char *also,
			const char *but)
{
	while (i < s.len) {
		char c = s.s[i];

		if (is_escape(s, i))
			i += 3;
		else if (lex_is(c, classes) ? *but == '\0' || !strchr(but, c)
					    : c && strchr(also, c))
			i++;
		else
			break;
	}
	return i;
}

/* ---- hosts ---- */

/* IPv6 with or without brackets, or IPv4. The third colon that the grammar of RFC 3261 put before
 * an embedded IPv4 address is to be tolerated (RFC 5118 §4.10): it is taken out. */
static bool parse_addr(struct str text, struct ip *out)
{
	const char *colons = text.len ? memmem(text.s, text.len, ":::", 3) : NULL;
	char mended[IP_TEXT_MAX];
	struct str ip4;
	uint32_t head;

	if (!colons)
		return ip_parse(text, out) == 0;
	head = (uint32_t)(colons - text.s) + 2;
	ip4 = tail(text, head + 1);
	if (text.len > sizeof(mended) || str_find(ip4, ':') >= 0 || str_find(ip4, '.') < 0)
		return false;
	memcpy(mended, text.s, head);
	memcpy(mended + head, ip4.s, ip4.len);
	return ip_parse((struct str){ mended, text.len - 1 }, out) == 0;
}

/* hostname, with '_' as one more alphanum. One '.' may end it. */
static bool name_ok(struct str h)
{
	char before = LABEL_END;
	uint32_t i, top = 0;

	if (h.len > 1 && h.s[h.len - 1] == LABEL_END)
		h.len--;
	for (i = 0; i < h.len; i++) {
		char c = h.s[i];

		if (c == LABEL_END) {
			if (before == LABEL_END || before == '-')
				return false;
			top = i + 1;
		} else if (c == '-' && before == LABEL_END) {
			return false;
		}
		before = c;
	}
	return before != LABEL_END && before != '-' && !lex_is(h.s[top], LEX_DIGIT);
}

uint32_t sip_host_cut(struct str s, int *kind)
{
	struct ip addr;
	uint32_t i = 0;

	if (at(s, 0, '[')) {
		while (i < s.len && i < IP_TEXT_MAX && s.s[i] != ']')
			i++;
		*kind = SIP_HOST_IP6;
		if (!at(s, i, ']') || i < 3 || !parse_addr((struct str){ s.s, i + 1 }, &addr))
			return 0;
		return i + 1;
	}
	while (i < s.len && (lex_is(s.s[i], LEX_HOST) || s.s[i] == '_'))
		i++;
	s.len = i;
	if (i == 0)
		return 0;
	*kind = lex_is(s.s[0], LEX_DIGIT) && ip_parse(s, &addr) == 0 ? SIP_HOST_IP4 : SIP_HOST_NAME;
	return *kind == SIP_HOST_IP4 || name_ok(s) ? i : 0;
}

int sip_ip_addr(struct str text, uint8_t out[16])
{
	struct ip addr;

	if (!parse_addr(text, &addr))
		return -E_MALFORMED;
	memcpy(out, addr.b, sizeof(addr.b));
	return 0;
}

int sip_host_addr(struct str host, uint8_t out[16])
{
	if (!at(host, 0, '[') && str_find(host, ':') >= 0)
		return -E_MALFORMED;
	return sip_ip_addr(host, out);
}

/* ---- parse ---- */

static bool parse_userinfo(struct str s, struct sip_uri *u)
{
	uint32_t i = run_end(s, 0, LEX_USER, "", "");

	if (i == 0)
		return false;
	u->has_user = true;
	u->user = (struct str){ s.s, i };
	if (at(s, i, ':')) {
		u->password = tail(s, i + 1);
		i = run_end(s, i + 1, LEX_USER, "", ";?/");
	}
	return i == s.len;
}

/* *( ";" pname [ "=" pvalue ] ) from i on; the index after it, or 0. isub of tel holds any uric. */
static uint32_t params_end(struct str s, uint32_t i, bool tel)
{
	uint32_t n, end;

	for (n = 0; at(s, i, ';'); n++) {
		if (n == SIP_URI_PARAMS_MAX)
			return 0;
		end = run_end(s, i + 1, LEX_PARAM, "", "");
		if (end == i + 1)
			return 0;
		if (at(s, end, '=')) {
			struct str name = { s.s + i + 1, end - i - 1 };
			bool isub = tel && str_ieq(name, STR("isub"));

			i = end + 1;
			end = run_end(s, i, LEX_PARAM, isub ? "?@=," : "", "");
			if (end == i)
				return 0;
		}
		i = end;
	}
	return i;
}

/* header *( "&" header ) from i on; the index after it, or 0. */
static uint32_t headers_end(struct str s, uint32_t i)
{
	uint32_t n, end;

	for (n = 0; n < SIP_URI_PARAMS_MAX; n++) {
		end = run_end(s, i, LEX_PARAM, "?", "&");
		if (end == i || !at(s, end, '='))
			return 0;
		end = run_end(s, end + 1, LEX_PARAM, "?", "&");
		if (!at(s, end, '&'))
			return end;
		i = end + 1;
	}
	return 0;
}

/* hostport at s[i]; the index after it, or 0. Port 0 would read as "absent": it is no port. */
static uint32_t parse_hostport(struct str s, uint32_t i, struct sip_uri *u)
{
	int kind = SIP_HOST_NAME;
	uint32_t port = 0, n = sip_host_cut(tail(s, i), &kind), end;

	if (n == 0)
		return 0;
	u->host = (struct str){ s.s + i, n };
	u->host_kind = kind;
	i += n;
	if (!at(s, i, ':'))
		return i;
	for (end = ++i; end < s.len && lex_is(s.s[end], LEX_DIGIT);)
		end++;
	if (str_to_u32((struct str){ s.s + i, end - i }, 65535, &port) != 0 || port == 0)
		return 0;
	u->port = (uint16_t)port;
	return end;
}

static int parse_sip(struct str s, uint32_t i, struct sip_uri *u)
{
	const char *ampersat = memchr(s.s + i, '@', s.len - i);
	uint32_t end;

	if (ampersat) {
		uint32_t user_end = (uint32_t)(ampersat - s.s);

		if (!parse_userinfo((struct str){ s.s + i, user_end - i }, u))
			return -E_MALFORMED;
		i = user_end + 1;
	}
	i = parse_hostport(s, i, u);
	if (i == 0)
		return -E_MALFORMED;
	end = params_end(s, i, false);
	if (end == 0)
		return -E_MALFORMED;
	if (end > i)
		u->params = (struct str){ s.s + i, end - i };
	if (at(s, end, '?')) {
		u->headers = tail(s, end + 1);
		end = headers_end(s, end + 1);
	}
	return all_of(end, s) ? 0 : -E_MALFORMED;
}

static bool is_visual(char c)
{
	return c == '-' || c == '.' || c == '(' || c == ')';
}

/* Index after phonedigits, or phonedigit-hex where hex; 0 where there is no digit among them. */
static uint32_t phonedigits_end(struct str s, uint32_t i, bool hex)
{
	bool digit = false;

	for (; i < s.len && s.s[i] != ';'; i++) {
		char c = s.s[i];

		if (lex_is(c, LEX_DIGIT) || (hex && (lex_is(c, LEX_HEX) || c == '*' || c == '#')))
			digit = true;
		else if (!is_visual(c))
			return 0;
	}
	return digit ? i : 0;
}

static bool context_ok(struct str context)
{
	int kind = SIP_HOST_NAME;

	if (at(context, 0, '+'))
		return all_of(phonedigits_end(context, 1, false), context);
	return all_of(sip_host_cut(context, &kind), context) && kind == SIP_HOST_NAME;
}

static int parse_tel(struct str s, uint32_t i, struct sip_uri *u)
{
	bool global = at(s, i, '+');
	uint32_t end = phonedigits_end(s, i + global, !global);
	struct str context, ext;

	if (end == 0)
		return -E_MALFORMED;
	u->has_user = true;
	u->user = (struct str){ s.s + i, end - i };
	if (end < s.len)
		u->params = tail(s, end);
	if (!all_of(params_end(s, end, true), s))
		return -E_MALFORMED;
	context = sip_uri_param(u, STR("phone-context"));
	ext = sip_uri_param(u, STR("ext"));
	if (context.s ? !context_ok(context) : !global) /* a local number needs one (§5.1.5) */
		return -E_MALFORMED;
	return ext.s && !all_of(phonedigits_end(ext, 0, false), ext) ? -E_MALFORMED : 0;
}

/* NID ":" NSS, with r-, q- and f-components taken as they come. */
static int parse_urn(struct str s, uint32_t i, struct sip_uri *u)
{
	uint32_t nid = i, end;

	while (i < s.len && (lex_is(s.s[i], LEX_HOST) && s.s[i] != '.'))
		i++;
	if (i - nid < 2 || i - nid > 32 || s.s[nid] == '-' || s.s[i - 1] == '-' || !at(s, i, ':'))
		return -E_MALFORMED;
	end = run_end(s, i + 1, LEX_USER, ":@", "?");
	if (end == i + 1 || s.s[i + 1] == '/')
		return -E_MALFORMED;
	if (at(s, end, '?') && (at(s, end + 1, '+') || at(s, end + 1, '=')))
		end = run_end(s, end + 2, LEX_USER, ":@", "");
	if (at(s, end, '#'))
		end = run_end(s, end + 1, LEX_USER, ":@", "");
	u->user = tail(s, nid);
	return end == s.len ? 0 : -E_MALFORMED;
}

static enum sip_uri_scheme scheme_of(struct str text)
{
	if (str_ieq(text, STR("sip")))
		return SIP_URI_SIP;
	if (str_ieq(text, STR("sips")))
		return SIP_URI_SIPS;
	if (str_ieq(text, STR("tel")))
		return SIP_URI_TEL;
	return str_ieq(text, STR("urn")) ? SIP_URI_URN : SIP_URI_OTHER;
}

int sip_uri_parse(struct str s, struct sip_uri *u)
{
	uint32_t i = 0;

	*u = (struct sip_uri){ 0 };
	while (i < s.len && (lex_is(s.s[i], LEX_HOST) || s.s[i] == '+'))
		i++;
	if (i == 0 || !at(s, i, ':') || !lex_is(s.s[0], LEX_HOST) || lex_is(s.s[0], LEX_DIGIT) ||
	    s.s[0] == '-' || s.s[0] == '.')
		return -E_MALFORMED;
	u->scheme_text = (struct str){ s.s, i++ };
	u->scheme = scheme_of(u->scheme_text);
	switch (u->scheme) {
	case SIP_URI_SIP:
	case SIP_URI_SIPS:
		return parse_sip(s, i, u);
	case SIP_URI_TEL:
		return parse_tel(s, i, u);
	case SIP_URI_URN:
		return parse_urn(s, i, u);
	default:
		u->user = tail(s, i);
		if (i == s.len || run_end(s, i, LEX_USER, ":@[]", "") != s.len)
			return -E_MALFORMED;
		return -E_UNSUPPORTED;
	}
}

/* ---- compare ---- */

static unsigned unit_next(struct str s, uint32_t *i, bool fold)
{
	unsigned octet;

	if (is_escape(s, *i)) {
		octet = escape_value(s, *i);
		*i += 3;
		if (octet != 0 && strchr(";/?:@&=+$,", (int)octet))
			return octet | UNIT_ESCAPED;
	} else {
		octet = (uint8_t)s.s[(*i)++];
	}
	return fold ? (uint8_t)ascii_lower((char)octet) : octet;
}

static bool units_eq(struct str a, struct str b, bool fold)
{
	uint32_t i = 0, j = 0;

	if (str_eq(a, b))
		return true;
	while (i < a.len && j < b.len) {
		if (unit_next(a, &i, fold) != unit_next(b, &j, fold))
			return false;
	}
	return i == a.len && j == b.len;
}

struct pair {
	struct str name, value; /* value.s == NULL without '=' */
};

/* The next name[=value] of a list whose members are separated by sep. */
static bool pair_next(struct str *rest, char sep, struct pair *out)
{
	struct str member;

	if (rest->len > 0 && rest->s[0] == sep)
		*rest = tail(*rest, 1);
	if (rest->len == 0)
		return false;
	if (!str_split(*rest, sep, &member, rest))
		*rest = STR_NONE;
	if (!str_split(member, '=', &out->name, &out->value))
		out->value = STR_NONE;
	return true;
}

static bool param_find(struct str params, struct str name, struct pair *out)
{
	while (pair_next(&params, ';', out)) {
		if (units_eq(out->name, name, true))
			return true;
	}
	return false;
}

static bool value_eq(const struct pair *a, const struct pair *b)
{
	return !a->value.s == !b->value.s && units_eq(a->value, b->value, true);
}

/* Parameters that may not stand in one of the URIs only (§19.1.4). */
static bool never_alone(struct str name)
{
	return units_eq(name, STR("transport"), true) || units_eq(name, STR("user"), true) ||
	       units_eq(name, STR("method"), true) || units_eq(name, STR("maddr"), true) ||
	       units_eq(name, STR("ttl"), true);
}

static bool params_match(struct str a, struct str b)
{
	struct pair mine, other;
	struct str rest = a;

	while (pair_next(&rest, ';', &mine)) {
		(void)param_find(a, mine.name, &mine); /* the first of a name counts; it is there */
		if (param_find(b, mine.name, &other) ? !value_eq(&mine, &other)
						     : never_alone(mine.name))
			return false;
	}
	return true;
}

static uint32_t headers_count(struct str headers, const struct pair *like)
{
	struct pair h;
	uint32_t n = 0;

	while (pair_next(&headers, '&', &h))
		n += !like ||
		     (units_eq(h.name, like->name, true) && units_eq(h.value, like->value, false));
	return n;
}

/* Same headers, each as often, in any order. */
static bool headers_match(struct str a, struct str b)
{
	struct str rest = a;
	struct pair h;

	if (headers_count(a, NULL) != headers_count(b, NULL))
		return false;
	while (pair_next(&rest, '&', &h)) {
		if (headers_count(a, &h) != headers_count(b, &h))
			return false;
	}
	return true;
}

/* Addresses compare by value, so IPv4 and IPv4-mapped IPv6 are one (as everywhere here: ip.h). */
static bool hosts_match(const struct sip_uri *a, const struct sip_uri *b)
{
	struct ip x, y;

	if (a->host_kind == SIP_HOST_NAME || b->host_kind == SIP_HOST_NAME)
		return str_ieq(a->host, b->host);
	return parse_addr(a->host, &x) && parse_addr(b->host, &y) && ip_eq(&x, &y);
}

static bool numbers_match(struct str a, struct str b)
{
	uint32_t i = 0, j = 0;

	for (;;) {
		while (i < a.len && is_visual(a.s[i]))
			i++;
		while (j < b.len && is_visual(b.s[j]))
			j++;
		if (i == a.len || j == b.len)
			return i == a.len && j == b.len;
		if (ascii_lower(a.s[i++]) != ascii_lower(b.s[j++]))
			return false;
	}
}

/* RFC 3966 §5: no parameter may stand alone; numbers in parameters compare as numbers. */
static bool tel_params_match(struct str a, struct str b)
{
	struct pair mine, other;
	struct str rest = a;
	bool number;

	while (pair_next(&rest, ';', &mine)) {
		(void)param_find(a, mine.name, &mine); /* as in params_match() */
		number =
			units_eq(mine.name, STR("ext"), true) ||
			(units_eq(mine.name, STR("phone-context"), true) && at(mine.value, 0, '+'));
		if (!param_find(b, mine.name, &other))
			return false;
		if (number ? !numbers_match(mine.value, other.value) : !value_eq(&mine, &other))
			return false;
	}
	return true;
}

/* RFC 8141 §3: scheme and NID fold, NSS does not, what stands from '?' or '#' on does not count. */
static bool urns_match(struct str a, struct str b)
{
	struct str nid_a, nid_b, nss_a, nss_b, unused;

	(void)str_split(a, '#', &a, &unused); /* without '#' the head is the whole */
	(void)str_split(b, '#', &b, &unused);
	(void)str_split(a, '?', &a, &unused);
	(void)str_split(b, '?', &b, &unused);
	return str_split(a, ':', &nid_a, &nss_a) && str_split(b, ':', &nid_b, &nss_b) &&
	       str_ieq(nid_a, nid_b) &&
	       units_eq(nss_a, nss_b, str_ieq(nid_a, STR("service"))); /* RFC 5031 §3 */
}

bool sip_uri_equal(const struct sip_uri *a, const struct sip_uri *b)
{
	if (a->scheme != b->scheme)
		return false;
	switch (a->scheme) {
	case SIP_URI_SIP:
	case SIP_URI_SIPS:
		return a->has_user == b->has_user && a->port == b->port &&
		       !a->password.s == !b->password.s && units_eq(a->user, b->user, false) &&
		       units_eq(a->password, b->password, false) && hosts_match(a, b) &&
		       params_match(a->params, b->params) && params_match(b->params, a->params) &&
		       headers_match(a->headers, b->headers);
	case SIP_URI_TEL:
		return numbers_match(a->user, b->user) && tel_params_match(a->params, b->params) &&
		       tel_params_match(b->params, a->params);
	case SIP_URI_URN:
		return urns_match(a->user, b->user);
	default: /* of an unknown scheme only identity is sure */
		return str_ieq(a->scheme_text, b->scheme_text) && str_eq(a->user, b->user);
	}
}

/* ---- address-of-record ---- */

static void put_lower(struct strbuf *out, struct str s)
{
	uint32_t i = out->len;

	strbuf_put(out, s);
	for (; i < out->len; i++)
		out->s[i] = ascii_lower(out->s[i]);
}

/* s with escapes undone where the octet may stand raw in a user part; the others in upper case. */
static void put_user(struct strbuf *out, struct str s)
{
	static const char hex[] = "0123456789ABCDEF";
	uint32_t i = 0, run;

	while (i < s.len) {
		for (run = i; i < s.len && s.s[i] != '%';)
			i++;
		strbuf_put(out, (struct str){ s.s + run, i - run });
		if (is_escape(s, i)) {
			uint8_t octet = escape_value(s, i);
			char text[3] = { '%', hex[octet >> 4], hex[octet & 15] };

			if (lex_is((char)octet, LEX_USER))
				strbuf_char(out, (char)octet);
			else
				strbuf_put(out, (struct str){ text, 3 });
			i += 3;
		} else if (i < s.len) {
			strbuf_char(out, s.s[i++]);
		}
	}
}

static void put_host(struct strbuf *out, const struct sip_uri *u)
{
	char text[IP_TEXT_MAX];
	struct ip addr;

	if (u->host_kind != SIP_HOST_NAME && parse_addr(u->host, &addr))
		strbuf_put(out, (struct str){ text, ip_print(&addr, true, text) });
	else
		put_lower(out, u->host);
}

static void put_number(struct strbuf *out, struct str number)
{
	uint32_t i;

	for (i = 0; i < number.len; i++) {
		if (!is_visual(number.s[i]))
			strbuf_char(out, ascii_lower(number.s[i]));
	}
}

static void put_tel(struct strbuf *out, const struct sip_uri *u)
{
	struct str context = sip_uri_param(u, STR("phone-context"));

	put_number(out, u->user);
	if (at(u->user, 0, '+') || context.len == 0)
		return;
	strbuf_put(out, STR(";phone-context="));
	if (context.s[0] == '+')
		put_number(out, context);
	else
		put_lower(out, context);
}

int sip_uri_aor(const struct sip_uri *u, struct strbuf *out)
{
	struct str nid, nss;

	switch (u->scheme) {
	case SIP_URI_SIP:
	case SIP_URI_SIPS:
		put_user(out, u->user);
		if (u->has_user)
			strbuf_char(out, '@');
		put_host(out, u);
		break;
	case SIP_URI_TEL:
		put_tel(out, u);
		break;
	default:
		put_lower(out, u->scheme_text);
		strbuf_char(out, ':');
		if (u->scheme == SIP_URI_URN && str_split(u->user, ':', &nid, &nss)) {
			put_lower(out, nid);
			strbuf_char(out, ':');
			strbuf_put(out, nss);
		} else {
			strbuf_put(out, u->user);
		}
	}
	return out->full ? -E_TOO_LONG : 0;
}

int sip_unescape(struct str s, struct strbuf *out)
{
	uint32_t i = 0;

	while (i < s.len) {
		const char *percent = memchr(s.s + i, '%', s.len - i);
		uint32_t run_stop = percent ? (uint32_t)(percent - s.s) : s.len;

		strbuf_put(out, (struct str){ s.s + i, run_stop - i });
		i = run_stop;
		if (i == s.len)
			break;
		if (!is_escape(s, i))
			return -E_MALFORMED;
		strbuf_char(out, (char)escape_value(s, i));
		i += 3;
	}
	return out->full ? -E_TOO_LONG : 0;
}

bool sip_uri_lr(const struct sip_uri *u)
{
	struct pair p;

	return param_find(u->params, STR("lr"), &p);
}

struct str sip_uri_param(const struct sip_uri *u, struct str name)
{
	struct pair p;

	return param_find(u->params, name, &p) ? p.value : STR_NONE;
}
