/* SPDX-License-Identifier: Apache-2.0 */
/* UDP in and out: bound ports, checksum policy (RFC 768, 1122 §4.1.3, 8200 §8.1), and what is not SIP
 * on a SIP port: CRLF and other keep-alives, STUN binding (RFC 5626 §3.5.2, RFC 5389/8489).
 * One per core; runs on it; no allocation after start. */
#pragma once
#include "dataplane/net/net.h"
#include "platform/link/flow.h"

struct udp;
struct udp *udp_new(const struct conf *conf, struct net *net, uint64_t *count);
void udp_free(struct udp *u);

enum udp_verdict { UDP_DONE, UDP_SIP };
/* One datagram that net_in() gave. UDP_SIP: flow and payload are set; the view lives as long as r's.
 * `core` is written into the flow. */
enum udp_verdict udp_in(struct udp *u, struct net_in *r, uint8_t core, uint64_t now_us,
			struct link_flow *flow, struct str *payload);
/* Path of a flow: the listener's address and port, its interface and dscp. false: no such listener. */
bool udp_path(const struct udp *u, const struct link_flow *flow, struct net_path *path);
/* Classify a datagram's payload; pure (fuzzed). */
enum udp_payload { UDP_PAYLOAD_SIP, UDP_PAYLOAD_KEEPALIVE, UDP_PAYLOAD_STUN };
enum udp_payload udp_payload_kind(struct str payload);
/* STUN binding success for a request: XOR-MAPPED-ADDRESS, SOFTWARE-less, FINGERPRINT where asked;
 * 420 for unknown comprehension-required attributes. Pure.
 * ret > 0 bytes in out (cap >= 128) · -E_MALFORMED · -E_UNSUPPORTED (not a binding request) */
int udp_stun_answer(struct str request, const struct ip *peer, uint16_t peer_port, uint8_t *out,
		    uint32_t cap);
