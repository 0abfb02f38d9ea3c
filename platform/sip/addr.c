/* SPDX-License-Identifier: Apache-2.0 */
/* name-addr and addr-spec.
 *
 * Which of the two forms an element has is known only when a '<' or something that no display name
 * may hold is met: tokens and LWS are read as a display name first, and where they do not end at a
 * '<' the element is read again from its start as an addr-spec (RFC 3261 §25.1). White space before
 * the '<' is optional, as RFC 4475 §3.1.1.6 mends the grammar.
 *
 * Without brackets the URI ends at the first ';' or white space, and a ',' or '?' in it makes the
 * element malformed, for nobody can tell whose they are (§20.10; RFC 4475 §3.1.2.13). Between the
 * brackets no white space, quote or bracket may stand (RFC 4475 §3.1.2.14). Either way there must
 * be "scheme:" with something behind it; the rest of the URI is for uri.c.
 *
 * Header parameters are walked once, so that what passes here can be searched without surprises.
 * Views borrow from the element. */
#include "platform/sip/addr.h"

#include "platform/base/err.h"
#include "platform/sip/lex.h"
#include "platform/sip/param.h"

#define Q_MAX 1000

/* Whether s starts with "scheme:" and goes on behind it. */
static bool has_scheme(struct str s)
{
	uint32_t i = 0;

	while (i < s.len && (lex_is(s.s[i], LEX_HOST) || s.s[i] == '+'))
		i++;
	return i > 0 && !lex_is(s.s[0], LEX_DIGIT) && s.s[0] != '-' && s.s[0] != '.' &&
	       s.s[0] != '+' && i + 1 < s.len && s.s[i] == ':';
}

/* Index of the first octet from i on that may not stand in a URI, or is stop. */
static uint32_t uri_end(struct str s, uint32_t i, char stop)
{
	for (; i < s.len; i++) {
		uint8_t c = (uint8_t)s.s[i];

		if (c <= ' ' || c >= 127 || c == '<' || c == '>' || c == '"' || c == (uint8_t)stop)
			break;
	}
	return i;
}

/* Display name in front of '<': index of the '<', s.len where this is no name-addr; 0: malformed.
 * An element that starts with '<' has none, and is not asked about. */
static uint32_t display_end(struct str s, uint32_t i, struct sip_addr *a)
{
	uint32_t start = i;

	if (s.s[i] == '"') {
		uint32_t end = sip_quoted_end(s, i);

		if (end == 0)
			return 0;
		a->display = (struct str){ s.s + i, end - i };
		i = sip_lws_end(s, end);
		return i < s.len && s.s[i] == '<' ? i : 0;
	}
	for (uint32_t before = s.len; i != before;) {
		before = i;
		while (i < s.len && lex_is(s.s[i], LEX_TOKEN))
			i++;
		i = sip_lws_end(s, i);
	}
	if (i == s.len || s.s[i] != '<')
		return s.len;
	a->display = str_trim((struct str){ s.s + start, i - start });
	return i;
}

/* Parameters from s[i] on, checked one by one. */
static int parse_params(struct str s, uint32_t i, struct sip_addr *a)
{
	struct str rest;
	struct sip_param p;
	int r;

	i = sip_lws_end(s, i);
	if (i == s.len)
		return 0;
	rest = (struct str){ s.s + i, s.len - i };
	a->params = rest;
	do {
		r = sip_param_next(&rest, &p);
	} while (r > 0);
	return r;
}

static int parse_name_addr(struct str s, uint32_t bracket, struct sip_addr *a)
{
	uint32_t end = uri_end(s, bracket + 1, '>');

	if (end == s.len || s.s[end] != '>')
		return -E_MALFORMED;
	a->bracketed = true;
	a->uri = (struct str){ s.s + bracket + 1, end - bracket - 1 };
	return has_scheme(a->uri) ? parse_params(s, end + 1, a) : -E_MALFORMED;
}

static int parse_addr_spec(struct str s, uint32_t i, struct sip_addr *a)
{
	uint32_t end = uri_end(s, i, ';');

	a->uri = (struct str){ s.s + i, end - i };
	if (str_find(a->uri, '?') >= 0 || str_find(a->uri, ',') >= 0 || !has_scheme(a->uri))
		return -E_MALFORMED;
	return parse_params(s, end, a);
}

int sip_addr_parse(struct str element, struct sip_addr *a)
{
	struct str s = str_trim(element);
	uint32_t bracket;

	*a = (struct sip_addr){ 0 };
	if (s.len == 0)
		return -E_MALFORMED;
	if (s.len == 1 && s.s[0] == '*') {
		a->star = true;
		return 0;
	}
	if (s.s[0] == '<')
		return parse_name_addr(s, 0, a);
	bracket = display_end(s, 0, a);
	if (bracket == 0)
		return -E_MALFORMED;
	return bracket < s.len ? parse_name_addr(s, bracket, a) : parse_addr_spec(s, 0, a);
}

int sip_addr_q(const struct sip_addr *a, uint16_t *q_permille)
{
	struct sip_param p;
	int r = sip_param_find(a->params, STR("q"), &p);
	uint32_t i, q, scale = 100;

	*q_permille = Q_MAX;
	if (r <= 0)
		return r;
	if (p.quoted || p.value.len == 0 || p.value.len > 5 || (p.value.s[0] | 1) != '1')
		return -E_MALFORMED;
	if (p.value.len > 1 && p.value.s[1] != '.')
		return -E_MALFORMED;
	q = (uint32_t)(p.value.s[0] - '0') * Q_MAX;
	for (i = 2; i < p.value.len; i++, scale /= 10) {
		if (!lex_is(p.value.s[i], LEX_DIGIT))
			return -E_MALFORMED;
		q += (uint32_t)(p.value.s[i] - '0') * scale;
	}
	if (q > Q_MAX)
		return -E_MALFORMED;
	*q_permille = (uint16_t)q;
	return 0;
}

int sip_addr_expires(const struct sip_addr *a, uint32_t *expires_s)
{
	struct sip_param p;
	int r = sip_param_find(a->params, STR("expires"), &p);

	if (r <= 0)
		return r;
	r = str_to_u32(p.value, UINT32_MAX, expires_s);
	if (r == -E_RANGE) {
		*expires_s = UINT32_MAX;
		return 1;
	}
	return r == 0 ? 1 : -E_MALFORMED;
}
