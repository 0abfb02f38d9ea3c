/* SPDX-License-Identifier: Apache-2.0 */
/* The table of counters, made from counters.def. */
#include "platform/link/counters.h"

const struct counter_info counter_info[COUNTERS] = {
#define C(id, layer, text) [id] = { #id, #layer, text, COUNTER_EVENT },
#define D(id, layer, text) [id] = { #id, #layer, text, COUNTER_DROP },
#define G(id, layer, text) [id] = { #id, #layer, text, COUNTER_LEVEL },
#include "platform/link/counters.def"
#undef C
#undef D
#undef G
};

int counter_find(struct str name)
{
	for (int i = 0; i < COUNTERS; i++) {
		if (str_eq(name, str_from_c(counter_info[i].name)))
			return i;
	}
	return -1;
}
