/* SPDX-License-Identifier: Apache-2.0 */
/* Records of a hostile control process: whatever lies in a down ring, in its edit blocks and in the
 * heads of slots lent to it, the core neither crashes nor miscounts, and gives no slot back twice.
 *
 * Input: one octet, how many records (modulo 9); the records, 64 octets each; the rest fills edit
 * blocks from the first on. A record whose slot is an even number gets the handle of a slot that is
 * really lent, or of one that is not, so that the checks behind the handle are reached too. */
#include "dataplane/edge/edge.h"

#include <stdlib.h>

#define RECORDS_MAX 8
#define BLOCKS 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct link l;
static struct edge *e;

static void set_up(void)
{
	static struct conf c;
	struct link_geometry g = {1, 1, &c};

	conf_defaults(&c);
	for (int i = 0; i < CONF_CLASSES; i++)
		c.slots[i] = 4;
	c.transactions = c.branches = c.bindings = 16;
	c.edit_blocks = BLOCKS;
	c.ring_records = 64;
	c.n_listeners = 1;
	if (link_region_make(&g, false, CONF_AUTO, 1, &l) != 0 || (e = edge_new(&l, 0)) == NULL)
		abort();
	edge_pass(e);
}

static uint64_t counted(enum counter id)
{
	return counter_read(e->count, id);
}

/* A slot with a few octets, lent to shard 0. */
static uint64_t lend_slot(uint32_t len)
{
	uint64_t h = slot_take(&e->slots, 100, 1, 0);

	if (h == 0)
		abort();
	memset(slot_data(&l, h), 'm', 100);
	slot_head(&l, h)->len_bytes = len;
	slot_lend(&e->slots, h, 0, 1);
	return h;
}

static uint32_t fill(const uint8_t *data, size_t size, const uint64_t handle[2])
{
	struct link_end down = link_end_of(link_down_ring(&l, 0, 0), 64, true);
	uint32_t n = size > 0 ? data[0] % (RECORDS_MAX + 1) : 0;

	size -= size > 0;
	if (n > size / 64)
		n = (uint32_t)(size / 64);
	for (uint32_t i = 0; i < n; i++) {
		struct link_record *r = link_fill(&down, i);

		memcpy(r, data + 1 + 64 * i, 64);
		if (r->slot % 2 == 0 && r->slot != 0)
			r->slot = handle[r->slot / 2 % 2];
	}
	size -= 64 * (size_t)n;
	memset(link_at(&l, LINK_S_BLOCKS, 0), 0, BLOCKS * sizeof(struct link_block));
	if (size > 0)
		memcpy(link_at(&l, LINK_S_BLOCKS, 0), data + 1 + 64 * n,
		       size < BLOCKS * sizeof(struct link_block)
			       ? size
			       : BLOCKS * sizeof(struct link_block));
	link_publish(&down, n);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char out[SIP_MSG_MAX];
	uint64_t handle[2], before;
	struct link_record r;
	struct link_end up;
	uint32_t n, taken = 0;

	if (e == NULL)
		set_up();
	handle[0] = lend_slot(size % 3 ? 100 : UINT32_MAX); /* control may write there */
	handle[1] = slot_take(&e->slots, 100, 1, 0);	    /* the core's own: not lent */
	before = counted(link_down);
	n = fill(data, size, handle);
	for (; edge_down(e, 0, &r) == 1; taken++) {
		int len = edge_render(e, 0, &r, out, sizeof(out));

		if (taken > n || len == 0 || len > (int)sizeof(out))
			abort();
		edge_sent(e, 0, &r, len > 0 && (r.flags & 0x80) == 0);
	}
	edge_down_end(e, 0);
	if (counted(link_down) - before != n ||
	    counted(link_down) != counted(link_send) + counted(link_release) +
					  counted(link_adopted) + counted(link_bad_record))
		abort();
	(void)slot_sweep(&e->slots, 1000);
	if (slot_free(&e->slots, handle[1]) != 0) /* nobody but the core could have freed it */
		abort();
	(void)slot_free(&e->slots, handle[0]); /* stale where a record gave it back */
	if (slot_in_use(&e->slots) != 0)
		abort();
	up = link_end_of(link_up_ring(&l, 0, 0), 64, false);
	link_consume(&up, link_count(&up));
	return 0;
}
