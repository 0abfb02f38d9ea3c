/* SPDX-License-Identifier: Apache-2.0 */
/* The machine of the polled side: EAL, cores, packet buffers. The only folder that starts DPDK; linked
 * by sluice-dataplane and sluice-load alone. Runs at start, on the main thread. */
#pragma once
#include "platform/base/conf.h"

#define RT_CPU_NONE 0xffffffffu

/* Which CPU each loop runs on. Made from conf.cpus: "auto" is the set that the process is allowed
 * (sched_getaffinity: taskset, cpuset, Kubernetes), in ascending order. Polled cores take the first
 * ones, the shards of control the next; where there are fewer CPUs than loops, they are shared from
 * the last one back... the exact rule: loop k of all loops (polled first) gets cpu[k % n]. */
struct rt_roles {
	uint32_t n_polled, n_shards;
	uint32_t polled_cpu[CONF_POLLED_MAX];
	uint32_t shard_cpu[CONF_SHARDS_MAX];
	bool polled_alone[CONF_POLLED_MAX]; /* no other loop of ours on that CPU               */
	uint32_t service_cpu;               /* last allowed CPU                                 */
};
/* ret 0 · -E_MALFORMED (list) · -E_NOT_FOUND (a CPU outside the allowed set; why says which) */
int rt_roles_make(const struct conf *c, struct rt_roles *r, struct strbuf *why);

/* rte_eal_init() with --in-memory, --iova-mode=va unless a physical port demands otherwise,
 * lcores '0@cpu,1@cpu,...' so that several may share a CPU, no PCI scan when no port is a PCI device,
 * only as much memory as conf needs (-m / --socket-mem per NUMA node), its log level raised to
 * warnings and sent to stderr. Prints the EAL line (arguments) as one log event.
 * Refuses, saying why and what to do: no huge pages (wanted, free, how to raise), no right.
 * ret 0 · -E_... with exit_code set to 69, 71 or 77 */
int rt_eal_start(const struct conf *c, const struct rt_roles *r, int *exit_code, struct strbuf *why);
/* Start fn(arg[i]) on polled core i for 1 .. n_polled-1, and run core 0 on the calling thread; returns
 * when all have returned. Threads are named sl-poll-0, ... */
int rt_cores_run(const struct rt_roles *r, int (*fn)(void *arg), void **arg);
void rt_eal_stop(void);
/* "DPDK 22.11.11" */
const char *rt_dpdk_version(void);
