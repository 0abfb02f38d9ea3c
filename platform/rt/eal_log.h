/* SPDX-License-Identifier: Apache-2.0 */
/* DPDK's log lines as ours. Runs at start, before rte_eal_init(). */
#pragma once

/* From now on what DPDK logs becomes "dpdk.says text=...", limited like every line of ours. */
void rt_eal_log_take(void);
