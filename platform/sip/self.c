/* SPDX-License-Identifier: Apache-2.0 */
/* The names and addresses that are ours, in one hashed table made at start from the configuration.
 *
 * Names compare without case (RFC 3261 §19.1.4); addresses compare as values, so that "[fd99::1]" and
 * "[FD99:0::1]" are the same. A configured domain belongs to us on any port: users write
 * sip:alice@example.com:5060 as well as sip:alice@example.com. */
#include "platform/sip/self.h"

#include "platform/sip/uri.h"

#define SIP_PORT 5060

static uint64_t name_hash(const struct self *s, struct str name)
{
	struct hash_state h;

	hash_begin(&h, &s->key, false);
	hash_fold(&h, name);
	return hash_end64(&h);
}

static void self_add(struct self *s, struct str name, uint16_t port)
{
	struct self_name *n = &s->name[s->n];
	struct ip ip;

	if (s->n == SELF_NAMES_MAX || name.len == 0 || name.len >= sizeof(n->text))
		return;
	if (sip_host_addr(name, ip.b) == 0) {
		n->ip = ip;
		n->len = 0;
	} else {
		n->len = name.len;
		for (uint32_t i = 0; i < name.len; i++)
			n->text[i] = ascii_lower(name.s[i]);
	}
	n->port = port;
	(void)map_add(&s->map,
		      n->len ? name_hash(s, name) : hash_bytes(&s->key, ip.b, sizeof(ip.b)), s->n++);
}

/* "host", "host:port", "[v6]:port" */
static void host_port(struct str text, struct str *host, uint16_t *port)
{
	uint32_t after = 0;
	uint32_t v = 0;

	*host = text;
	if (text.len > 0 && text.s[0] == '[') {
		int64_t close = str_find(text, ']');

		after = close < 0 ? 0 : (uint32_t)close;
	}
	for (uint32_t i = after; i < text.len; i++) {
		if (text.s[i] != ':')
			continue;
		if (str_to_u32(str_sub(text, i + 1, text.len), 65535, &v) == 0) {
			*host = str_sub(text, 0, i);
			*port = (uint16_t)v;
		}
		return;
	}
}

void self_init(struct self *s, const struct conf *c, const struct hash_key *key)
{
	memset(s, 0, sizeof(*s));
	s->key = *key;
	map_init(&s->map, s->map_mem, SELF_NAMES_MAX);
	for (uint32_t i = 0; i < c->n_domains; i++)
		self_add(s, str_from_c(c->domain[i]), 0);
	for (uint32_t i = 0; i < c->n_listeners; i++) {
		const struct conf_listener *l = &c->listener[i];
		char text[IP_TEXT_MAX];
		uint32_t n = ip_print(&l->address, true, text);
		uint16_t port = SIP_PORT;
		struct str host;

		self_add(s, str_of(text, n), (uint16_t)l->port);
		if (l->advertise[0] == '\0')
			continue;
		host_port(str_from_c(l->advertise), &host, &port);
		self_add(s, host, port);
	}
}

bool self_is(const struct self *s, struct str host, uint16_t port)
{
	struct ip ip;
	bool literal = host.len > 0 && sip_host_addr(host, ip.b) == 0;
	uint64_t h = literal ? hash_bytes(&s->key, ip.b, sizeof(ip.b)) : name_hash(s, host);
	uint32_t it = 0, at;

	if (port == 0)
		port = SIP_PORT;
	while (map_next(&s->map, h, &it, &at)) {
		const struct self_name *n = &s->name[at];

		if (n->port != 0 && n->port != port)
			continue;
		if (literal ? n->len == 0 && ip_eq(&n->ip, &ip)
			    : n->len > 0 && str_ieq(str_of(n->text, n->len), host))
			return true;
	}
	return false;
}

uint32_t self_sent_by(const struct conf_listener *l, char *out, uint32_t cap)
{
	struct strbuf b = strbuf_of(out, cap);
	char ip[IP_TEXT_MAX];

	if (l->advertise[0] != '\0') {
		strbuf_put(&b, str_from_c(l->advertise));
		return b.len;
	}
	strbuf_put(&b, str_of(ip, ip_print(&l->address, true, ip)));
	strbuf_char(&b, ':');
	strbuf_u64(&b, l->port);
	return b.len;
}
