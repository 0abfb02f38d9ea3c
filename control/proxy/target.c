/* SPDX-License-Identifier: Apache-2.0 */
/* Where a request goes: Route information (RFC 3261 §16.4), the target set (§16.5), and the address
 * of the next hop from a literal or the configured host table. Names beyond that need DNS, which is
 * asked asynchronously; until then they are answered 478. */
#include "control/proxy/proxy.h"

#include "control/registrar/registrar.h"
#include "platform/sip/addr.h"
#include "platform/sip/uri.h"
#include "platform/sip/via.h"

#define SIP_PORT 5060
#define UNRESOLVABLE "Unresolvable destination"

static bool uri_is_ours(const struct shard *s, const struct sip_uri *u)
{
	return (u->scheme == SIP_URI_SIP || u->scheme == SIP_URI_SIPS) && self_is(&s->self, u->host, u->port);
}

int proxy_route_info(struct shard *s, const struct message *m, struct proxy_route *r)
{
	struct sip_list it = { 0 };
	struct str element;

	*r = (struct proxy_route){ 0 };
	r->ours = (m->sip->ruri_scheme == SIP_URI_SIP || m->sip->ruri_scheme == SIP_URI_SIPS) &&
		  self_is(&s->self, sip_span_str(m->base, m->sip->ruri_host), m->sip->ruri_port);
	while (sip_list_next(m->base, m->sip, SIP_H_ROUTE, &it, &element)) {
		struct sip_addr a;
		struct sip_uri u;

		if (sip_addr_parse(element, &a) != 0 || sip_uri_parse(a.uri, &u) != 0)
			return -E_MALFORMED;
		if (uri_is_ours(s, &u)) {
			r->n_own++;
			continue;
		}
		r->next = a.uri;
		r->next_loose = sip_uri_lr(&u);
		break;
	}
	return 0;
}

static bool listener_fits(const struct conf_listener *l, const struct ip *to, uint32_t transport)
{
	return l->transport == transport && ip_is4(&l->address) == ip_is4(to);
}

/* The listener that the request came in by where it can reach the target, else the first that can. */
static int listener_for(const struct shard *s, const struct link_flow *in, const struct ip *to,
			uint32_t transport)
{
	const struct conf *c = s->conf;

	if (in->listener < c->n_listeners && listener_fits(&c->listener[in->listener], to, transport))
		return in->listener;
	for (uint32_t i = 0; i < c->n_listeners; i++) {
		if (listener_fits(&c->listener[i], to, transport))
			return (int)i;
	}
	return -1;
}

static uint32_t transport_of(const struct sip_uri *u)
{
	struct str name = sip_uri_param(u, STR("transport"));

	if (u->scheme == SIP_URI_SIPS)
		return CONF_TLS;
	if (name.len == 0 || str_ieq(name, STR("udp")))
		return CONF_UDP;
	if (str_ieq(name, STR("tcp")))
		return CONF_TCP;
	return str_ieq(name, STR("tls")) ? CONF_TLS : 0;
}

/* One address of a host by a listener that can reach it. ret listener · -1 */
static int reach(const struct shard *s, const struct link_flow *in, struct str host, uint32_t transport,
		 struct ip *to, uint16_t *port)
{
	if (sip_host_addr(host, to->b) == 0)
		return listener_for(s, in, to, transport);
	for (uint32_t i = 0; i < s->conf->n_hosts; i++) {
		const struct conf_host *h = &s->conf->host[i];
		int l;

		if (!str_ieq(host, str_from_c(h->name)))
			continue;
		*to = h->address;
		l = listener_for(s, in, to, transport);
		if (l < 0)
			continue;
		if (*port == 0)
			*port = (uint16_t)h->port;
		return l;
	}
	return -1;
}

/* Peer and listener of a flow whose transport and, where one was written, port are set. */
static int reach_flow(struct shard *s, const struct link_flow *in, struct str host, struct link_flow *out)
{
	int l = reach(s, in, host, out->transport, &out->peer, &out->peer_port);

	if (l < 0)
		return -E_NOT_FOUND;
	out->listener = (uint16_t)l;
	if (out->peer_port == 0)
		out->peer_port = SIP_PORT;
	return 0;
}

int proxy_flow_of(struct shard *s, const struct link_flow *in, struct str uri, struct link_flow *out)
{
	struct str host;
	struct sip_uri u;
	uint32_t transport;

	if (sip_uri_parse(uri, &u) != 0 || u.host.len == 0)
		return -E_NOT_FOUND;
	transport = transport_of(&u);
	host = sip_uri_param(&u, STR("maddr"));
	if (host.len == 0)
		host = u.host;
	*out = (struct link_flow){ .transport = (uint8_t)transport, .core = in->core };
	out->peer_port = u.port;
	return reach_flow(s, in, host, out);
}

/* First URI of a Path value: where a request for that contact goes first. A comma inside <> or quotes
 * belongs to the URI, so the element ends at the first one behind its '>'. */
static struct str first_uri(struct str route)
{
	int64_t close = str_find(route, '>');
	struct sip_addr a;

	if (close >= 0) {
		struct str rest = str_sub(route, (uint32_t)close, route.len);
		int64_t comma = str_find(rest, ',');

		if (comma >= 0)
			route = str_sub(route, 0, (uint32_t)(close + comma));
	}
	return sip_addr_parse(str_trim(route), &a) == 0 ? a.uri : STR_NONE;
}

static uint32_t bound_targets(struct shard *s, const struct message *m, struct strbuf *room,
			      struct proxy_target *t, struct proxy_verdict *v)
{
	struct registrar_contact contact[PROXY_TARGETS_MAX];
	struct str ruri = sip_span_str(m->base, m->sip->ruri);
	char text[4096];
	struct strbuf aor = strbuf_of(text, sizeof(text));
	struct sip_uri u;
	uint32_t n, k = 0;

	/* nobody of that name: users of other registrars expect 404 for it, and RFC 4475 allows it throughout */
	*v = (struct proxy_verdict){ .status = 404 };
	if (m->sip->ruri_scheme == SIP_URI_SIPS)
		return 0; /* §26.2.2: no contact here is reached over TLS, and nothing less will do */
	if (sip_uri_parse(ruri, &u) != 0 || sip_uri_aor(&u, &aor) != 0)
		return 0;
	n = registrar_lookup(s, strbuf_str(&aor), s->now_us, room, contact, PROXY_TARGETS_MAX);
	for (uint32_t i = 0; i < n; i++) {
		struct str hop = contact[i].path.len > 0 ? first_uri(contact[i].path) : contact[i].contact;

		t[k] = (struct proxy_target){ .ruri = contact[i].contact, .route = contact[i].path,
					      .q_permille = contact[i].q_permille };
		if (proxy_flow_of(s, &m->head->flow, hop, &t[k].flow) == 0)
			k++;
	}
	if (n > 0 && k == 0)
		*v = (struct proxy_verdict){ .status = 478, .reason = UNRESOLVABLE };
	return k;
}

uint32_t proxy_targets(struct shard *s, const struct message *m, const struct proxy_route *r,
		       struct strbuf *room, struct proxy_target *t, struct proxy_verdict *v)
{
	struct str hop = r->next.len > 0 ? r->next : sip_span_str(m->base, m->sip->ruri);

	if (r->ours && r->next.len == 0)
		return bound_targets(s, m, room, t, v);
	*v = (struct proxy_verdict){ .status = 478, .reason = UNRESOLVABLE };
	t[0] = (struct proxy_target){ .q_permille = 1000 };
	if (m->sip->ruri_scheme == SIP_URI_TEL && r->next.len == 0)
		*v = (struct proxy_verdict){ .status = 404 }; /* tel: needs a rule that says where numbers go */
	else if (proxy_flow_of(s, &m->head->flow, hop, &t[0].flow) == 0)
		return 1;
	return 0;
}

int proxy_via_flow(struct shard *s, const struct sip_via *v, struct link_flow *out)
{
	struct str host = v->received.len > 0 ? v->received : v->maddr.len > 0 ? v->maddr : v->host;

	out->peer_port = v->rport_port ? v->rport_port : v->port;
	return reach_flow(s, out, host, out);
}
