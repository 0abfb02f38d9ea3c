/* SPDX-License-Identifier: Apache-2.0 */
/* One life of an appliance that touches every kind of record: registrations, calls that succeed, are
 * refused, cancelled, time out, in-dialog requests, retransmissions, send failures. Deterministic:
 * two runs send the same octets, whatever happens to control in between. */
#pragma once
#include "tests/sim/appliance/appliance.h"

/* Ends with every transaction over and every binding expired. */
void scenario_run(struct app *a);
/* Keyed hash over (destination, octets) of everything sent, and its count. */
uint64_t scenario_digest(const struct app *a);
