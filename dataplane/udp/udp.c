/* SPDX-License-Identifier: Apache-2.0 */
/* UDP in: header, length, checksum, port, then what the payload is. The way out is net_out_udp().
 *
 * Listeners are found by (interface, address, port) in a small table hashed by port, filled once
 * from the configuration. Identity: udp_rx = udp_keepalive + udp_stun + udp_to_sip + drops(udp). */
#include "dataplane/udp/udp.h"

#include <stdlib.h>

#include "dataplane/net/csum.h"
#include "platform/base/err.h"

#define UDP_HEADER 8u
#define UDP_SLOTS 128u /* 4 * CONF_LISTENERS_MAX: probes stay short */
#define STUN_ANSWER_CAP 128u

struct udp {
	const struct conf *conf; /* borrowed */
	struct net *net;	 /* borrowed */
	uint64_t *count;
	uint8_t slot[UDP_SLOTS]; /* index in conf->listener + 1, by port; 0: empty */
};
_Static_assert(UDP_SLOTS >= 4 * CONF_LISTENERS_MAX, "a look-up ends at an empty slot");

struct udp *udp_new(const struct conf *conf, struct net *net, uint64_t *count)
{
	struct udp *u = calloc(1, sizeof(*u));

	if (u == NULL)
		return NULL;
	u->conf = conf;
	u->net = net;
	u->count = count;
	for (uint32_t i = 0; i < conf->n_listeners; i++) {
		uint32_t s = conf->listener[i].port % UDP_SLOTS;

		if (conf->listener[i].transport != CONF_UDP)
			continue;
		while (u->slot[s] != 0)
			s = (s + 1) % UDP_SLOTS;
		u->slot[s] = (uint8_t)(i + 1);
	}
	return u;
}

void udp_free(struct udp *u)
{
	free(u);
}

static int listener_find(const struct udp *u, const struct net_path *path)
{
	for (uint32_t s = path->local_port % UDP_SLOTS; u->slot[s] != 0; s = (s + 1) % UDP_SLOTS) {
		const struct conf_listener *l = &u->conf->listener[u->slot[s] - 1];

		if (l->port == path->local_port && l->interface_index == path->interface &&
		    ip_eq(&l->address, &path->local))
			return u->slot[s] - 1;
	}
	return -1;
}

/* RFC 768: 0 means none was made, which IPv6 does not allow (RFC 8200 §8.1). */
static bool sum_is_good(const struct net_in *r, uint32_t len)
{
	uint64_t sum;

	if (r->l4[6] == 0 && r->l4[7] == 0)
		return ip_is4(&r->path.local);
	if ((r->flags & FRAME_L4_CSUM_GOOD) != 0)
		return true;
	sum = csum_pseudo(&r->path.peer, &r->path.local, r->path.proto, len);
	return csum_fold(csum_add(sum, r->l4, len)) == 0xffff;
}

static enum udp_verdict udp_drop(struct udp *u, enum counter why)
{
	count(u->count, why);
	return UDP_DONE;
}

/* The request lies in the received frame or in net's join buffer, the answer in a buffer of its
 * own: it is short, so that net_payload() gives no scratch. */
static void stun_in(struct udp *u, const struct net_in *r, struct str payload, uint64_t now_us)
{
	uint8_t answer[STUN_ANSWER_CAP];
	int len =
		udp_stun_answer(payload, &r->path.peer, r->path.peer_port, answer, sizeof(answer));
	struct frame f;

	if (len < 0) {
		count(u->count, udp_drop_stun_bad);
		return;
	}
	count(u->count, udp_stun);
	if (!net_payload(u->net, &r->path, (uint32_t)len, &f))
		return; /* counted there */
	memcpy(f.data, answer, (uint32_t)len);
	f.len = (uint32_t)len;
	(void)net_out_udp(u->net, &r->path, &f, now_us); /* counted there */
}

enum udp_verdict udp_in(struct udp *u, struct net_in *r, uint8_t core, uint64_t now_us,
			struct link_flow *flow, struct str *payload)
{
	uint32_t len;
	int listener;

	count(u->count, udp_rx);
	if (r->l4_len < UDP_HEADER)
		return udp_drop(u, udp_drop_short);
	r->path.peer_port = (uint16_t)(r->l4[0] << 8 | r->l4[1]);
	r->path.local_port = (uint16_t)(r->l4[2] << 8 | r->l4[3]);
	len = (uint32_t)(r->l4[4] << 8 | r->l4[5]);
	if (len < UDP_HEADER || len > r->l4_len)
		return udp_drop(u, udp_drop_short);
	if (!sum_is_good(r, len))
		return udp_drop(u, udp_drop_csum);
	listener = listener_find(u, &r->path);
	if (listener < 0) {
		net_unreachable(u->net, r, now_us);
		return udp_drop(u, udp_drop_no_listener);
	}
	if (r->path.peer_port == 0)
		return udp_drop(u, udp_drop_port_zero);
	*payload = str_of(r->l4 + UDP_HEADER, len - UDP_HEADER);
	r->path.dscp = (uint8_t)u->conf->listener[listener].dscp; /* what we answer with */
	switch (udp_payload_kind(*payload)) {
	case UDP_PAYLOAD_KEEPALIVE:
		count(u->count, udp_keepalive);
		return UDP_DONE;
	case UDP_PAYLOAD_STUN:
		stun_in(u, r, *payload, now_us);
		return UDP_DONE;
	case UDP_PAYLOAD_SIP:
		break;
	}
	count(u->count, udp_to_sip);
	*flow = (struct link_flow){.peer = r->path.peer,
				   .peer_port = r->path.peer_port,
				   .listener = (uint16_t)listener,
				   .transport = CONF_UDP,
				   .core = core};
	return UDP_SIP;
}

bool udp_path(const struct udp *u, const struct link_flow *flow, struct net_path *path)
{
	const struct conf_listener *l;

	if (flow->listener >= u->conf->n_listeners)
		return false;
	l = &u->conf->listener[flow->listener];
	if (l->transport != CONF_UDP || ip_is4(&l->address) != ip_is4(&flow->peer))
		return false;
	*path = (struct net_path){.local = l->address,
				  .peer = flow->peer,
				  .local_port = (uint16_t)l->port,
				  .peer_port = flow->peer_port,
				  .interface = (uint16_t)l->interface_index,
				  .dscp = (uint8_t)l->dscp,
				  .proto = 17};
	return true;
}
