/* SPDX-License-Identifier: Apache-2.0 */
/* One polled core: all of its state, and the loop.
 *
 *   rx burst -> net -> udp -> edge -> (answer | up)      down -> render -> udp path -> net -> tx burst
 *
 * core_step() is the loop body and the place where the order of things is written down, once.
 * Everything below runs on the core's own thread; core_new() at start. */
#pragma once
#include "dataplane/edge/edge.h"
#include "dataplane/udp/udp.h"
#include "platform/base/idle.h"

struct core {
	uint32_t id;
	const struct link *link;
	const struct conf *conf;
	struct port **port;          /* conf->n_ports */
	uint16_t queue;              /* of ours on each port */
	struct net *net;
	struct udp *udp;
	struct edge *edge;
	struct idle idle;
	struct link_loop *loop;
	int bell[LINK_SHARDS_MAX];   /* doorbells of the shards */
	_Atomic bool *stop;          /* W: main on a signal  R: the core */
	uint64_t *count;
};

struct core_config {
	uint32_t id;
	const struct link *link;
	struct port **port;
	uint16_t queue;
	int bell;                    /* this core's doorbell */
	const int *shard_bell;
	bool alone;                  /* on its CPU */
	_Atomic bool *stop;
};
/* ret NULL: no memory. */
struct core *core_new(const struct core_config *c, uint64_t now_us);
void core_free(struct core *c);
/* One pass. ret whether anything was done */
bool core_step(struct core *c, uint64_t now_us);
/* The loop: until *stop. arg is a struct core. ret 0 */
int core_run(void *arg);
