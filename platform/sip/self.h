/* SPDX-License-Identifier: Apache-2.0 */
/* "Is it for us?" (RFC 3261 §16.4, §16.5): a host and port against the configured domains, the
 * listeners' own addresses and what they advertise. Pure after self_init(); runs anywhere. */
#pragma once
#include "platform/base/conf.h"
#include "platform/base/hash.h"
#include "platform/base/map.h"

#define SELF_NAMES_MAX (CONF_DOMAINS_MAX + 2 * CONF_LISTENERS_MAX)

struct self_name {
	char text[CONF_TEXT_MAX]; /* lower case; empty for an address */
	uint32_t len;
	struct ip ip;
	uint16_t port;            /* 0: any port (a domain) */
};
struct self {
	uint32_t n;
	struct self_name name[SELF_NAMES_MAX];
	struct hash_key key;
	struct map map;
	uint64_t map_mem[2 * 256];
};
void self_init(struct self *s, const struct conf *c, const struct hash_key *key);
/* host: as in a URI or Via (IPv6 with brackets). port 0: the default of a SIP URI.
 * A domain matches with any port; an address or advertised name only with a port we listen on. */
bool self_is(const struct self *s, struct str host, uint16_t port);
/* The value that a listener writes into Via and Record-Route: advertise, or address:port.
 * ret length in out (cap >= CONF_TEXT_MAX + 8) */
uint32_t self_sent_by(const struct conf_listener *l, char *out, uint32_t cap);
