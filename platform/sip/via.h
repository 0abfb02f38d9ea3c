/* SPDX-License-Identifier: Apache-2.0 */
/* Via: parse, print, and the address a response goes to
 * (RFC 3261 §18.2.2, §20.42; RFC 3581 rport; IPv6 received with or without brackets, RFC 5118 §4.5). */
#pragma once
#include "platform/base/str.h"

enum sip_transport { SIP_T_UDP = 1, SIP_T_TCP, SIP_T_TLS, SIP_T_WS, SIP_T_WSS, SIP_T_SCTP, SIP_T_OTHER };

struct sip_via {
	enum sip_transport transport;
	struct str transport_text;
	struct str host;     /* IPv6 with brackets         */
	uint16_t port;       /* 0 where absent             */
	struct str params;   /* from the first ';'         */
	struct str branch;   /* empty where absent         */
	struct str received; /* raw                        */
	struct str maddr;
	bool rport;          /* ;rport stands, with or without a value */
	uint16_t rport_port; /* its value, 0 without       */
	uint16_t ttl;
};

/* One Via element.
 * ret 0 · -E_MALFORMED · -E_VERSION (not SIP/2.0; v holds what reads as if it were) */
int sip_via_parse(struct str element, struct sip_via *v);
/* "Via: SIP/2.0/UDP host:port;branch=...[;rport]\r\n" */
void sip_via_print(struct strbuf *out, enum sip_transport transport, struct str sent_by,
		   struct str branch, bool rport);
struct str sip_transport_name(enum sip_transport t); /* upper case, as in Via */
/* "udp", "tcp", ... in any case; SIP_T_OTHER where unknown */
enum sip_transport sip_transport_find(struct str name);
