/* SPDX-License-Identifier: Apache-2.0 */
/* Pools of packet buffers: one per NUMA node and data room, found again by its name.
 *
 * An element is a header of 64 octets, the mbuf's 128 and the data room. AF_XDP registers the
 * whole pool as one area whose frames are the elements: it takes none above a page, fails badly
 * where they are, and reckons from the first stretch of memory only, so the pool must be one
 * stretch. */
#include "drivers/port/ethdev_internal.h"

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "platform/rt/buffers.h"

#define ELEMENT_MAX 4096u
/* The largest room whose element, padded so that neighbours fall on different memory channels, is
 * within ELEMENT_MAX. */
#define ROOM_MAX_CONTIGUOUS 3840u
#define POOL_NAME_BYTES 26 /* RTE_MEMPOOL_NAMESIZE */

_Static_assert(RTE_PKTMBUF_HEADROOM == RT_BUFFER_HEADROOM, "the room is reckoned with it");

static bool fits_xdp(const struct rte_mempool *pool)
{
	return pool->nb_mem_chunks == 1 &&
	       pool->header_size + pool->elt_size + pool->trailer_size <= ELEMENT_MAX;
}

struct rte_mempool *ethdev_pool(const struct conf *conf, uint32_t node, uint32_t *room,
				bool contiguous)
{
	char name[POOL_NAME_BYTES];
	struct strbuf b = strbuf_of(name, sizeof(name));
	struct rte_mempool *pool;

	if (contiguous && *room > ROOM_MAX_CONTIGUOUS)
		*room = ROOM_MAX_CONTIGUOUS;
	strbuf_printf(&b, "sl-n%u-r%u", node, *room);
	pool = rte_mempool_lookup(name);
	if (!pool)
		pool = rte_pktmbuf_pool_create(name, rt_buffers_per_pool(conf), RT_BUFFER_CACHE, 0,
					       (uint16_t)*room, (int)node);
	if (pool && contiguous && !fits_xdp(pool))
		return NULL;
	return pool;
}
