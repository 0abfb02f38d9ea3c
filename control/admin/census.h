/* SPDX-License-Identifier: Apache-2.0 */
/* A count of everything that the link region holds, a bounded piece at a time: slots by state, records
 * by used words, who names which slot and blocks, and deadlines that have passed. */
#pragma once
#include "control/admin/calls.h"

#define CENSUS_WORDS 16384 /* used words and slot words per piece */
#define CENSUS_OVERDUE_US 2000000

struct census {
	uint64_t slots[CONF_CLASSES][SLOT_LENT + 1]; /* by state; anything else counts as lent */
	uint64_t used[STEP_TABLES];
	uint64_t slots_named;	   /* by transactions and branches                       */
	uint64_t blocks_named;	   /* by programs of transactions and branches, and texts */
	uint64_t overdue;	   /* transactions and branches more than 2 s late        */
	uint64_t without_deadline; /* alive, and nothing will ever end them               */
	uint32_t part;
	uint64_t at;
};
void census_begin(struct census *s);
/* One piece. ret whether there is more */
bool census_step(struct census *s, const struct link *l, uint64_t now_us);
/* Records that wait in rings now. */
struct census_rings {
	uint64_t up, down, mesh, room;
};
struct census_rings census_rings(const struct link *l);
