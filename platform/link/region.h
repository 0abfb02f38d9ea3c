/* SPDX-License-Identifier: Apache-2.0 */
/* Make, map and hand over the link region (layout.h). Runs at start and on service threads: system
 * calls. The dataplane makes it; control, tools and tests map it. */
#pragma once
#include "platform/base/err.h"
#include "platform/link/layout.h"
#include "platform/link/state.h"

/* A mapping of the region by one process. All pointers are this process's own. */
struct link {
	struct link_header *h;
	uint8_t *base;      /* == h */
	uint64_t bytes;
	int fd;             /* the memfd, or -1 when borrowed */
};

struct link_geometry {
	uint32_t n_cores, n_shards;
	const struct conf *conf;
};
/* Octets that a region of this geometry takes (for "pages wanted"). */
uint64_t link_region_bytes(const struct link_geometry *g);
/* Make it: huge pages where `huge` is true (else a plain memfd: tests, sanitizers), every page touched,
 * sealed against shrinking and growing. Keys are drawn from getrandom().
 * numa_node: bound there; CONF_AUTO: not bound.
 * ret 0 · -ENOMEM (too few huge pages; nothing is left behind) · -errno */
int link_region_make(const struct link_geometry *g, bool huge, uint32_t numa_node, uint64_t run,
		     struct link *out);
/* Map a region from its descriptor (kept open until link_region_unmap()).
 * ret 0 · -E_BAD_RECORD (magic, sizes) · -E_VERSION (h->version outside what this build knows; the two
 * versions are in `theirs`) · -errno */
int link_region_map(int fd, struct link *out, uint32_t *theirs);
void link_region_unmap(struct link *l);

static inline void *link_at(const struct link *l, enum link_section s, uint64_t i)
{
	return l->base + l->h->place[s].off + i * l->h->place[s].stride;
}
static inline struct link_ring *link_up_ring(const struct link *l, uint32_t core, uint32_t shard)
{
	return link_at(l, LINK_S_UP, (uint64_t)core * l->h->n_shards + shard);
}
static inline struct link_ring *link_down_ring(const struct link *l, uint32_t core, uint32_t shard)
{
	return link_at(l, LINK_S_DOWN, (uint64_t)core * l->h->n_shards + shard);
}
static inline struct link_ring *link_mesh_ring(const struct link *l, uint32_t from, uint32_t to)
{
	return link_at(l, LINK_S_MESH, (uint64_t)from * l->h->n_shards + to);
}
static inline struct link_loop *link_core_loop(const struct link *l, uint32_t core)
{
	return link_at(l, LINK_S_LOOPS, core);
}
static inline struct link_loop *link_shard_loop(const struct link *l, uint32_t shard)
{
	return link_at(l, LINK_S_LOOPS, l->h->n_cores + shard);
}
static inline uint64_t *link_counters(const struct link *l, uint32_t loop)
{
	return link_at(l, LINK_S_COUNTERS, loop);
}
static inline const struct conf *link_conf(const struct link *l)
{
	return link_at(l, LINK_S_CONF, 0);
}
/* Sizes that both sides must agree on, and the octets of a slot's head with so many lines (slot.c). */
extern const uint32_t link_record_sizes[6];
uint32_t link_slot_head_bytes(uint32_t lines);
/* Sum of a counter over all loops. */
uint64_t link_counter_sum(const struct link *l, enum counter id);
/* One line for the operator: what was bought and what it costs. */
void link_print_memory(const struct link *l, struct strbuf *out);
