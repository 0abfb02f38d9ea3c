/* SPDX-License-Identifier: Apache-2.0 */
/* ICMP and ICMPv6: RFC 792, 1122 §3.2.2, 4443. */
#pragma once
#include "dataplane/net/net_priv.h"

#define ICMP_LEN 8
#define ICMP_ERRORS_PER_S 100u   /* errors of ours, all together                          */
#define ICMP_ERRORS_BURST 50u
#define ICMP_ECHOES_PER_S 1000u  /* echo replies                                          */
#define ICMP_ECHOES_BURST 100u

/* A whole message, of either family; ends here. */
void icmp_in(struct net *n, struct net_packet *p);
/* An error about p, to its sender, where the rate allows. value: the message's second word. */
void icmp_error(struct net *n, const struct net_packet *p, uint8_t type, uint8_t code,
		uint32_t value);
/* Protocol that we have not: RFC 1122 §3.2.2.1, RFC 8200 §4. */
void icmp_bad_proto(struct net *n, const struct net_packet *p);
