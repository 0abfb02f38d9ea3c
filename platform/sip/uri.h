/* SPDX-License-Identifier: Apache-2.0 */
/* SIP, SIPS, TEL and URN URIs: parse, escape, compare, canonical AoR
 * (RFC 3261 §19.1, §25.1; RFC 3966; RFC 3986 for hosts; IPv6 literals per RFC 5954). Pure. */
#pragma once
#include "platform/sip/msg.h"

#define SIP_URI_PARAMS_MAX 64 /* parameters, and headers, of one URI; more are malformed */

struct sip_uri {
	enum sip_uri_scheme scheme;
	struct str scheme_text;
	struct str user;     /* raw; tel: the number. may hold ;params (RFC 4475 semiuri);
			      * urn and others: all that stands after the scheme           */
	struct str password; /* raw; s == NULL where there is no ':'                       */
	struct str host;     /* IPv6 with brackets                                         */
	struct str params;   /* from the first ';' on, raw                                 */
	struct str headers;  /* after '?', raw; s == NULL where there is no '?'            */
	uint16_t port;       /* 0 where absent                                             */
	bool has_user;       /* sip: an '@' stands there; tel: always                      */
	enum { SIP_HOST_NAME, SIP_HOST_IP4, SIP_HOST_IP6 } host_kind;
};

/* The whole of s must be one URI (no <>, no white space).
 * ret 0 · -E_MALFORMED · -E_UNSUPPORTED (a well-formed absoluteURI of another scheme: scheme_text is
 * set, scheme is SIP_URI_OTHER) */
int sip_uri_parse(struct str s, struct sip_uri *u);
/* §19.1.4, rule by rule; tel: by RFC 3966 §5 (visual separators ignored). Not symmetric failures:
 * equal(a,b) == equal(b,a). Escapes are undone once for the comparison. */
bool sip_uri_equal(const struct sip_uri *a, const struct sip_uri *b);
/* §10.3 step 5: the canonical address-of-record "user@host": scheme, password, parameters and port
 * removed, escapes undone once (octets that must stay escaped keep upper-case %XX), host in lower
 * case and IPv6 in the form of RFC 5952; sips counts as sip. tel: the number without visual
 * separators, with ;phone-context= where it is local; urn: as it is, "urn:" and NID in lower case.
 * ret 0 · -E_TOO_LONG (out full) */
int sip_uri_aor(const struct sip_uri *u, struct strbuf *out);
/* Undo %XX once. ret 0 · -E_MALFORMED ('%' that is no escape) · -E_TOO_LONG. NULs are kept. */
int sip_unescape(struct str s, struct strbuf *out);
/* Is `;lr` there; value of `;transport=`, `;maddr=` (empty when absent). */
bool sip_uri_lr(const struct sip_uri *u);
struct str sip_uri_param(const struct sip_uri *u, struct str name);
/* IPv4 or [IPv6] text to 16 bytes (IPv4 as ::ffff:a.b.c.d). ret 0 · -E_MALFORMED (a name, or bad) */
int sip_host_addr(struct str host, uint8_t out[16]);
/* The same with the brackets of IPv6 optional, as in ;received= (RFC 5118 §4.5). */
int sip_ip_addr(struct str text, uint8_t out[16]);
/* Octets of the host that s starts with, up to the first that cannot belong to it; 0: malformed.
 * kind is a SIP_HOST_*. Names may hold '_', which phones send; IPv4 has no leading zeros. */
uint32_t sip_host_cut(struct str s, int *kind);
