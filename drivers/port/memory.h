/* SPDX-License-Identifier: Apache-2.0 */
/* A pair of ports in memory, no DPDK: what one side sends the other receives, with loss, duplication,
 * delay, reordering and bit flips from a seed. For tests, under sanitizers too. One thread. */
#pragma once
#include "platform/iface/port.h"

struct port_memory;
struct port_memory_faults {
	uint32_t loss_ppm, duplicate_ppm, reorder_ppm, flip_ppm; /* per frame, millionths */
	uint64_t seed;
};
/* Two ends, a and b, with n_buffers each. ret NULL: no memory. */
struct port_memory *port_memory_new(uint32_t n_buffers, const struct port_memory_faults *faults,
				    struct port *a, struct port *b);
void port_memory_free(struct port_memory *m);
/* Buffers of end a (0) or b (1) that are out: frames held by somebody, or in flight. */
uint32_t port_memory_in_use(const struct port_memory *m, int end);
