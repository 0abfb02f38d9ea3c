/* SPDX-License-Identifier: Apache-2.0 */
/* State of one RFC 3261 §17 machine: a fixed-layout value inside the shared transaction and branch
 * records. Only control/txn writes it; cores and tools never look inside. */
#pragma once
#include <stdint.h>

enum link_machine_kind {
	MACHINE_NONE,
	MACHINE_INVITE_CLIENT, /* Fig. 5 and RFC 6026 */
	MACHINE_CLIENT,        /* Fig. 6 */
	MACHINE_INVITE_SERVER, /* Fig. 7 and RFC 6026 */
	MACHINE_SERVER,        /* Fig. 8 */
};
enum link_machine_state {
	MACHINE_IDLE,       /* made, not started                          */
	MACHINE_CALLING,    /* invite client                              */
	MACHINE_TRYING,     /* client, server                             */
	MACHINE_PROCEEDING,
	MACHINE_COMPLETED,
	MACHINE_CONFIRMED,  /* invite server                              */
	MACHINE_ACCEPTED,   /* invite client and server, RFC 6026         */
	MACHINE_TERMINATED,
};
struct link_machine {
	uint64_t retransmit_us; /* absolute; timer A, E or G; 0: not armed. server in Trying:
				 * when a 100 is due, RFC 4320 §4.1                        */
	uint64_t end_us;        /* absolute; B, F, D, K, M or H, I, J, L; 0: not armed       */
	uint32_t interval_us;   /* of the retransmission timer now                          */
	uint16_t status;        /* last status sent (server) or received (client), 0: none  */
	uint8_t kind;           /* enum link_machine_kind                                   */
	uint8_t state;          /* enum link_machine_state                                  */
	uint8_t reliable;       /* transport is TCP, TLS, WS, WSS or SCTP                   */
	uint8_t timer;          /* letter of the timer behind end_us: 'B','F','H',... or 0  */
	uint8_t pad[6];
};
_Static_assert(sizeof(struct link_machine) == 32, "fixed layout");
