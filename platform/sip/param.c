/* SPDX-License-Identifier: Apache-2.0 */
/* Parameter lists of header values and URIs.
 *
 * One walker serves both places where ";name=value" stands (RFC 3261 §25.1): generic-param of
 * headers, whose values are a token, a host or a quoted-string, and uri-parameter, whose octets are
 * paramchar. It takes the union of both sets; uri.c, which must not see white space or quotes,
 * checks a URI by its own narrower grammar. SEMI and EQUAL carry optional LWS, which may be folded
 * over lines (RFC 4475 §3.1.1.1). An IPv6 address without brackets is taken as a value, since
 * ;received= has it so.
 *
 * An empty name, and an '=' with nothing behind it, are malformed (RFC 4475 §3.1.2.1). Nothing is
 * copied: names and values are views into the caller's octets and live as long as those.
 *
 * qdtext: octets above 127 are taken without a check of their UTF-8, since display names in other
 * character sets are common and nothing here depends on them; controls need a backslash. */
#include "platform/sip/param.h"

#include "platform/base/err.h"
#include "platform/sip/lex.h"

#define PARAM_OCTET (LEX_TOKEN | LEX_PARAM)

/* s[from ..]; never an offset on a NULL pointer. */
static struct str tail(struct str s, uint32_t from)
{
	return from == 0 ? s : (struct str){ s.s + from, s.len - from };
}

static bool is_wsp(char c)
{
	return c == ' ' || c == '\t';
}

uint32_t sip_lws_end(struct str s, uint32_t i)
{
	while (i < s.len) {
		uint32_t j = i;

		if (is_wsp(s.s[i])) {
			i++;
			continue;
		}
		if (s.s[j] == '\r')
			j++;
		if (j + 1 >= s.len || s.s[j] != '\n' || !is_wsp(s.s[j + 1]))
			break;
		i = j + 2;
	}
	return i;
}

uint32_t sip_quoted_end(struct str s, uint32_t i)
{
	for (i++; i < s.len; i++) {
		uint8_t c = (uint8_t)s.s[i];

		if (c == '"')
			return i + 1;
		if (c == '\\') {
			if (++i >= s.len)
				return 0;
			c = (uint8_t)s.s[i];
			if (c == '\r' || c == '\n' || c > 127)
				return 0;
		} else if (c == '\r' || c == '\n') {
			uint32_t end = sip_lws_end(s, i);

			if (end == i)
				return 0;
			i = end - 1;
		} else if ((c < ' ' && c != '\t') || c == 127) {
			return 0;
		}
	}
	return 0;
}

static uint32_t octets_end(struct str s, uint32_t i)
{
	while (i < s.len && lex_is(s.s[i], PARAM_OCTET))
		i++;
	return i;
}

/* What stands behind '='; the index after it, or 0. */
static uint32_t value_end(struct str s, uint32_t i, struct sip_param *out)
{
	uint32_t end;

	out->quoted = i < s.len && s.s[i] == '"';
	end = out->quoted ? sip_quoted_end(s, i) : octets_end(s, i);
	if (end <= i)
		return 0;
	out->value = (struct str){ s.s + i, end - i };
	return end;
}

int sip_param_next(struct str *rest, struct sip_param *out)
{
	struct str s = *rest;
	uint32_t i = sip_lws_end(s, 0), end;

	*out = (struct sip_param){ 0 };
	if (i == s.len) {
		*rest = tail(s, i);
		return 0;
	}
	if (s.s[i] != ';')
		return -E_MALFORMED;
	i = sip_lws_end(s, i + 1);
	end = octets_end(s, i);
	if (end == i)
		return -E_MALFORMED;
	out->name = (struct str){ s.s + i, end - i };
	i = sip_lws_end(s, end);
	if (i < s.len && s.s[i] == '=') {
		end = value_end(s, sip_lws_end(s, i + 1), out);
		if (end == 0)
			return -E_MALFORMED;
		i = sip_lws_end(s, end);
	}
	if (i < s.len && s.s[i] != ';')
		return -E_MALFORMED;
	*rest = tail(s, i);
	return 1;
}

int sip_param_find(struct str params, struct str name, struct sip_param *out)
{
	int r;

	while ((r = sip_param_next(&params, out)) > 0) {
		if (str_ieq(out->name, name))
			return 1;
	}
	return r;
}

int sip_unquote(struct str quoted, struct strbuf *out)
{
	uint32_t i = 0, run;

	if (quoted.len >= 2 && quoted.s[0] == '"' && quoted.s[quoted.len - 1] == '"')
		quoted = (struct str){ quoted.s + 1, quoted.len - 2 };
	while (i < quoted.len) {
		for (run = i; i < quoted.len; i++) {
			char c = quoted.s[i];

			if (c == '\\' || c == '\r' || c == '\n')
				break;
		}
		strbuf_put(out, (struct str){ quoted.s + run, i - run });
		if (i == quoted.len)
			break;
		if (quoted.s[i] == '\\' && i + 1 < quoted.len) {
			strbuf_char(out, quoted.s[i + 1]);
			i += 2;
		} else if (sip_lws_end(quoted, i) > i) {
			i = sip_lws_end(quoted, i);
			strbuf_char(out, ' '); /* a fold stands for one SP (§7.3.1) */
		} else {
			strbuf_char(out, quoted.s[i++]);
		}
	}
	return out->full ? -E_TOO_LONG : 0;
}
