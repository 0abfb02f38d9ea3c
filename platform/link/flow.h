/* SPDX-License-Identifier: Apache-2.0 */
/* Where a message came from, and where one is to go: a value of 28 octets that crosses the rings.
 *
 * For UDP the flow is (listener, peer address, peer port) and never goes stale. For streams `conn`
 * and `conn_gen` name a connection of `core`; it may be gone, which is a normal answer. */
#pragma once
#include "platform/base/ip.h"

#define LINK_CORE_ANY 0xff

struct link_flow {
	struct ip peer;
	uint32_t conn;       /* index of the connection on its core; 0 for UDP                    */
	uint16_t peer_port;  /* host order                                                        */
	uint16_t listener;   /* index in conf.listener: the local address, port and transport     */
	uint16_t conn_gen;
	uint8_t transport;   /* enum conf_transport                                               */
	uint8_t core;        /* that owns the connection, or that took the datagram; LINK_CORE_ANY */
};
_Static_assert(sizeof(struct link_flow) == 28, "a flow crosses rings by value");
