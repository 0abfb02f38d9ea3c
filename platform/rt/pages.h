/* SPDX-License-Identifier: Apache-2.0 */
/* Huge pages of a NUMA node, as the kernel counts them. No DPDK. Runs at start. */
#pragma once
#include "platform/base/str.h"

#define RT_PAGE_SIZES_MAX 8
struct rt_pages {
	uint32_t n_sizes;
	struct rt_page_size {
		uint64_t bytes;       /* of one page                          */
		uint64_t total, free; /* pages; free: neither used nor promised */
	} size[RT_PAGE_SIZES_MAX];
	uint64_t free_bytes;          /* over all sizes                       */
	bool per_node;                /* false: the machine's (no NUMA in the kernel) */
};

/* sys: where sysfs is ("/sys"). ret 0 · -E_UNSUPPORTED (no huge pages in this kernel) */
int rt_pages_read(const char *sys, uint32_t node, struct rt_pages *p);
/* "wanted N MiB, free ... ; raise: echo ... > ..." */
void rt_pages_advise(const struct rt_pages *p, uint32_t node, uint64_t wanted_bytes,
		     struct strbuf *why);
