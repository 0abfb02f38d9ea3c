/* SPDX-License-Identifier: Apache-2.0 */
/* The usual shapes of Request-URI, Via, and name-addr, in one pass and by table look-ups.
 *
 *   sip:user@host:port;param=value        no escapes, no password, no headers
 *   SIP/2.0/UDP host:port;branch=x;rport  one SP, no white space or quotes after it
 *   "Quoted" <sip:...>;tag=x              or a token name, or no name, or no brackets
 *
 * They are subsets of what uri.c, via.c and addr.c take, chosen so that a doubt is never decided
 * here: names with '_', parameters with rules of their own, escapes, folds and everything that
 * looks wrong go to the strict functions. The fuzz target of the message parser compares both. */
#include "platform/sip/lex.h"
#include "platform/sip/msg_part.h"
#include "platform/sip/uri.h"

/* More URI parameters than this are not usual; uri.c has its own bound, which is higher. */
#define USUAL_PARAMS 8

enum { IN_URI = 1, IN_QUOTES = 2 };
static const uint8_t octet[256] = {
	[' '] = IN_QUOTES,
	['!'] = IN_URI | IN_QUOTES,
	['#' ... ';'] = IN_URI | IN_QUOTES,
	['<'] = IN_QUOTES,
	['='] = IN_URI | IN_QUOTES,
	['>'] = IN_QUOTES,
	['?' ... '['] = IN_URI | IN_QUOTES,
	['\\'] = IN_URI,
	[']' ... '~'] = IN_URI | IN_QUOTES,
};

static inline bool is_octet(char c, unsigned classes)
{
	return (octet[(uint8_t)c] & classes) != 0;
}

static inline uint32_t run_end(const char *s, uint32_t i, uint32_t n, unsigned classes)
{
	while (i < n && lex_is(s[i], classes))
		i++;
	return i;
}

static inline uint32_t octets_end(const char *s, uint32_t i, uint32_t n, unsigned classes)
{
	while (i < n && is_octet(s[i], classes))
		i++;
	return i;
}

/* Whether s[0..n) is lower (letters in lower case), in any case. */
static inline bool name_is(const char *s, uint32_t n, struct str lower)
{
	if (n != lower.len)
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (ascii_lower(s[i]) != lower.s[i])
			return false;
	return true;
}

/* End of the dotted IPv4 address at s[i], or 0. */
static uint32_t ip4_end(const char *s, uint32_t i, uint32_t n)
{
	for (int part = 0; part < 4; part++) {
		uint32_t start = i, v = 0;

		while (i < n && i - start < 4 && lex_is(s[i], LEX_DIGIT))
			v = v * 10 + (uint32_t)(s[i++] - '0');
		if (i == start || v > 255 || (s[start] == '0' && i - start > 1))
			return 0;
		if (part == 3)
			return i;
		if (i == n || s[i++] != '.')
			return 0;
	}
	return 0;
}

static uint32_t name_end(const char *s, uint32_t i, uint32_t n)
{
	uint32_t label = i;
	char before = '.';

	for (; i < n && lex_is(s[i], LEX_HOST); i++) {
		if (s[i] == '.') {
			if (before == '.' || before == '-')
				return 0;
			label = i + 1;
		} else if (s[i] == '-' && before == '.') {
			return 0;
		}
		before = s[i];
	}
	return before == '.' || before == '-' || lex_is(s[label], LEX_DIGIT) ? 0 : i;
}

/* End of the host at s[i], or 0. */
static uint32_t host_end(const char *s, uint32_t i, uint32_t n)
{
	uint32_t end = 0;
	int kind;

	if (i < n && lex_is(s[i], LEX_DIGIT))
		end = ip4_end(s, i, n);
	else if (i < n && s[i] == '[') {
		end = sip_host_cut((struct str){s + i, n - i}, &kind);
		return end ? i + end : 0;
	}
	if (end == 0)
		end = name_end(s, i, n);
	return end < n && (lex_is(s[end], LEX_HOST) || s[end] == '_') ? 0 : end;
}

/* End of the port number at s[i], or 0. */
static uint32_t port_end(const char *s, uint32_t i, uint32_t n, uint16_t *port)
{
	uint32_t v = 0, start = i;

	for (; i < n && i - start < 5 && lex_is(s[i], LEX_DIGIT); i++)
		v = v * 10 + (uint32_t)(s[i] - '0');
	if (v == 0 || v > 65535 || (i < n && lex_is(s[i], LEX_DIGIT)))
		return 0;
	*port = (uint16_t)v;
	return i;
}

/* host [":" port]. ret its end, or 0 */
static uint32_t hostport_end(const char *s, uint32_t i, uint32_t n, uint32_t *end_of_host,
			     uint16_t *port)
{
	*port = 0;
	*end_of_host = i = host_end(s, i, n);
	return i == 0 || i == n || s[i] != ':' ? i : port_end(s, i + 1, n, port);
}

static bool uri_params_usual(const char *s, uint32_t i, uint32_t n)
{
	for (int count = 0; i < n; count++) {
		uint32_t start = ++i; /* behind ';', which the caller or the loop's end saw */

		i = run_end(s, i, n, LEX_PARAM);
		if (i == start || count == USUAL_PARAMS)
			return false;
		if (i < n && s[i] == '=') {
			start = ++i;
			i = run_end(s, i, n, LEX_PARAM);
			if (i == start)
				return false;
		}
		if (i < n && s[i] != ';')
			return false;
	}
	return true;
}

bool msg_usual_uri(const char *s, uint32_t n, struct msg_uri *u)
{
	uint32_t i = 4;

	if (n < 6 || (s[0] | 0x20) != 's' || (s[1] | 0x20) != 'i' || (s[2] | 0x20) != 'p')
		return false;
	u->scheme = SIP_URI_SIP;
	if (s[3] != ':') {
		if ((s[3] | 0x20) != 's' || s[4] != ':')
			return false;
		u->scheme = SIP_URI_SIPS;
		i = 5;
	}
	u->user = u->user_end = i;
	i = run_end(s, i, n, LEX_USER);
	if (i < n && s[i] == '@') {
		if (i == u->user)
			return false;
		u->user_end = i++;
	} else if (i < n && memchr(s + i, '@', n - i)) {
		return false;
	} else {
		i = u->user;
	}
	u->host = i;
	i = hostport_end(s, i, n, &u->host_end, &u->port);
	if (i == 0)
		return false;
	return i == n || (s[i] == ';' && uri_params_usual(s, i, n));
}

/* One Via parameter, name s[name..eq), value s[eq + 1..end) where end > eq. ret whether usual */
static bool via_param_usual(const char *s, uint32_t name, uint32_t eq, uint32_t end,
			    struct msg_via *v)
{
	uint32_t len = eq - name;

	uint32_t value = end > eq ? eq + 1 : end;
	uint16_t unused;

	switch (s[name] | 0x20) {
	case 'b':
		if (!name_is(s + name, len, STR("branch")))
			return true;
		if (end == eq || v->branch_end != 0)
			return false;
		v->branch = value;
		v->branch_end = end;
		return true;
	case 'r':
		if (name_is(s + name, len, STR("rport"))) {
			if (v->rport || (end > eq && port_end(s, value, end, &unused) != end))
				return false;
			v->rport = true;
		} else if (name_is(s + name, len, STR("received"))) {
			if (v->received || ip4_end(s, value, end) != end)
				return false;
			v->received = true;
		}
		return true;
	case 't':
	case 'm':
		return false; /* ttl, maddr: their values have rules */
	default:
		return true;
	}
}

uint32_t msg_usual_via(const char *s, uint32_t n, struct msg_via *v)
{
	uint32_t i;

	if (n < 12 || memcmp(s, "SIP/2.0/", 8) != 0)
		return 0;
	v->branch = v->branch_end = 0;
	v->rport = v->received = false;
	i = run_end(s, 8, n, LEX_TOKEN);
	if (i == 8 || i == n || s[i] != ' ')
		return 0;
	v->sent_by = ++i;
	i = hostport_end(s, i, n, &v->host_end, &v->port);
	if (i == 0)
		return 0;
	v->sent_by_end = i;
	while (i < n && s[i] == ';') {
		uint32_t name = ++i, eq = i = run_end(s, i, n, LEX_TOKEN);

		if (eq == name)
			return 0;
		if (i < n && s[i] == '=') {
			i = run_end(s, i + 1, n, LEX_TOKEN);
			if (i == eq + 1)
				return 0;
		}
		if (!via_param_usual(s, name, eq, i, v))
			return 0;
	}
	return i == n || s[i] == ',' ? i : 0;
}

/* Whether a URI starts with scheme ":" and goes on. Its octets have been looked at. */
static bool has_scheme(const char *s, uint32_t n)
{
	uint32_t i = 0;

	if (n == 0 || !lex_is(s[0], LEX_HOST) || lex_is(s[0], LEX_DIGIT) || s[0] == '-' ||
	    s[0] == '.')
		return false;
	while (i < n && (lex_is(s[i], LEX_HOST) || s[i] == '+'))
		i++;
	return i + 1 < n && s[i] == ':';
}

/* *( ";" token [ "=" ( token / quoted-string ) ] ) up to the end or a comma. ret where, or 0 */
static uint32_t addr_params_end(const char *s, uint32_t i, uint32_t n, struct msg_addr *a)
{
	a->tag = a->tag_end = 0;
	while (i < n && s[i] == ';') {
		uint32_t name = ++i, eq = i = run_end(s, i, n, LEX_TOKEN);
		bool is_tag = name_is(s + name, eq - name, STR("tag"));

		if (eq == name || (is_tag && a->tag_end != 0))
			return 0;
		if (i < n && s[i] == '=') {
			bool quoted = ++i < n && s[i] == '"';

			i = quoted ? octets_end(s, i + 1, n, IN_QUOTES)
				   : run_end(s, i, n, LEX_TOKEN);
			if (quoted && (i == n || s[i++] != '"'))
				return 0;
			if (i == eq + 1 || (quoted && is_tag))
				return 0;
		}
		if (is_tag) {
			if (i == eq)
				return 0;
			a->tag = eq + 1;
			a->tag_end = i;
		}
	}
	return i == n || s[i] == ',' ? i : 0;
}

/* Where '<' stands behind a display name, or the ':' of a URI without brackets; n: neither. */
static uint32_t display_end(const char *s, uint32_t n)
{
	uint32_t i;

	if (s[0] != '"')
		return run_end(s, 0, n, LEX_TOKEN | LEX_LWS);
	i = octets_end(s, 1, n, IN_QUOTES);
	if (i == n || s[i] != '"')
		return n;
	i = run_end(s, i + 1, n, LEX_LWS);
	return i < n && s[i] == '<' ? i : n;
}

uint32_t msg_usual_addr(const char *s, uint32_t n, struct msg_addr *a)
{
	uint32_t i;

	if (n == 0)
		return 0;
	i = display_end(s, n);
	if (i == n)
		return 0;
	if (s[i] == '<') {
		a->uri = ++i;
		a->uri_end = i = octets_end(s, i, n, IN_URI);
		if (i == n || s[i++] != '>')
			return 0;
	} else if (s[i] == ':') {
		a->uri = 0;
		while (i < n && s[i] != ';' && s[i] != '?' && s[i] != ',' && is_octet(s[i], IN_URI))
			i++;
		if (i < n && s[i] != ';')
			return 0;
		a->uri_end = i;
	} else {
		return 0;
	}
	if (!has_scheme(s + a->uri, a->uri_end - a->uri))
		return 0;
	return addr_params_end(s, i, n, a);
}
