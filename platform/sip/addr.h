/* SPDX-License-Identifier: Apache-2.0 */
/* name-addr and addr-spec: From, To, Contact, Route, Record-Route, Path, P-Asserted-Identity
 * (RFC 3261 §20.10, §20.20, §25.1). Pure. */
#pragma once
#include "platform/base/str.h"

struct sip_addr {
	struct str display; /* raw, with quotes where quoted; empty where absent       */
	struct str uri;     /* without <>                                              */
	struct str params;  /* header parameters, from the first ';' on; empty if none */
	bool bracketed;     /* the URI stood in <>                                     */
	bool star;          /* Contact: *                                              */
};

/* One element (list elements are cut by sip_list_next()). Without <>, everything from ';' or '?' on
 * belongs to the header, not to the URI (§20.10), and a '?' or ',' there is malformed. The URI itself
 * is only looked at as far as its end is concerned; use sip_uri_parse().
 * ret 0 · -E_MALFORMED (quotes, brackets, display name with octets that need quotes) */
int sip_addr_parse(struct str element, struct sip_addr *a);
/* q of a Contact: "0.5" -> 500; 1000 where absent. ret 0 · -E_MALFORMED */
int sip_addr_q(const struct sip_addr *a, uint16_t *q_permille);
/* expires of a Contact. ret 1 there · 0 absent · -E_MALFORMED. Larger than 2^32-1 is clipped. */
int sip_addr_expires(const struct sip_addr *a, uint32_t *expires_s);
