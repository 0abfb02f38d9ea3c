/* SPDX-License-Identifier: Apache-2.0 */
/* Which capabilities a device needs, and which of them the process lacks. No DPDK. Runs at start. */
#pragma once
#include "platform/rt/device.h"

/* Effective capabilities of this process as a bit set (bit CAP_x); all bits where the kernel does
 * not tell, so that nothing is refused on a guess. */
uint64_t rt_rights_have(void);
/* Names of the capabilities that d needs and `have` lacks, parted by ", ", into out; false: none. */
bool rt_rights_missing(const struct rt_device *d, uint64_t have, struct strbuf *out);
