/* SPDX-License-Identifier: Apache-2.0 */
/* ;name=value lists of headers and URIs (RFC 3261 §25.1 generic-param, uri-parameter). Pure. */
#pragma once
#include "platform/base/str.h"

struct sip_param {
	struct str name;
	struct str value; /* raw: with quotes and escapes; s == NULL where there is no '=' */
	bool quoted;      /* value is a quoted-string */
};

/* The next parameter of a list that starts with ';' (white space around ; and = is taken).
 * out    *rest moves behind it
 * ret    1 found · 0 list is at its end · -E_MALFORMED (empty name, octets outside the grammar,
 *        unterminated quote) */
int sip_param_next(struct str *rest, struct sip_param *out);
/* Find by name, in any case. ret 1 · 0 · -E_MALFORMED (only as far as it had to look) */
int sip_param_find(struct str params, struct str name, struct sip_param *out);
/* Index after the LWS that starts at s[i] (i where there is none): SP, HTAB, folds; a fold may have
 * lost its CR. i <= s.len. */
uint32_t sip_lws_end(struct str s, uint32_t i);
/* Index after the quoted-string whose opening quote is s[i]; 0 where it is not closed or holds
 * octets outside qdtext and quoted-pair (octets above 127 are taken as they are). */
uint32_t sip_quoted_end(struct str s, uint32_t i);
/* Inside of a quoted-string with its escapes undone, into out. ret 0 · -E_TOO_LONG */
int sip_unquote(struct str quoted, struct strbuf *out);
