/* SPDX-License-Identifier: Apache-2.0 */
/* See rig.h. */
#include "rig.h"

#include <string.h>

void rig_conf(struct conf *c)
{
	static const uint32_t slots[CONF_CLASSES] = {20, 10, 4, 2, 1};

	conf_defaults(c);
	memcpy(c->slots, slots, sizeof(slots));
	c->transactions = 24;
	c->branches = 32;
	c->bindings = 16;
	c->edit_blocks = RIG_BLOCKS;
	c->ring_records = RIG_RING;
}

void rig_open(struct link *l, uint32_t n_cores, uint32_t n_shards)
{
	static struct conf c;
	struct link_geometry g = {n_cores, n_shards, &c};

	rig_conf(&c);
	assert_int_equal(link_region_make(&g, false, CONF_AUTO, 7, l), 0);
}
