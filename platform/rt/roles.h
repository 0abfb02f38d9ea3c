/* SPDX-License-Identifier: Apache-2.0 */
/* rt_roles_make() (platform/rt/eal.h) for a given set of CPUs: what it does after asking the
 * kernel. Pure; no DPDK. */
#pragma once
#include "platform/rt/eal.h"

#define RT_CPUS_MAX 1024 /* of a machine, as cpu_set_t has it */

/* allowed: ascending, at least one. ret as rt_roles_make(). */
int rt_roles_of(const struct conf *c, const uint32_t *allowed, uint32_t n_allowed,
		struct rt_roles *r, struct strbuf *why);
