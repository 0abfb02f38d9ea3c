/* SPDX-License-Identifier: Apache-2.0 */
/* A world in which protocol code is run: a virtual clock, seeded chance, a queue of events, and
 * one-way links that lose, double, delay, reorder and break. The same seed gives the same run, to
 * the microsecond. Nothing here knows what the bytes mean. One thread per world. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORLD_FLOWS 8          /* kinds of messages that a link treats apart */
#define WORLD_PPM 1000000u     /* certainty */
#define WORLD_START_US 1000000 /* so that no deadline is 0 */

typedef void world_event_fn(void *ctx, uint64_t arg);
typedef void world_deliver_fn(void *ctx, const void *bytes);

struct world_event {
	uint64_t at_us, order; /* those of one time run in the order they were made */
	world_event_fn *fn;    /* NULL: a delivery */
	void *ctx;
	uint64_t arg; /* for a delivery, the buffer */
};
struct world {
	uint64_t now_us;
	uint64_t chance;            /* state of the generator                   */
	uint64_t n_made, n_run;     /* events                                   */
	struct world_event *events; /* a heap, earliest first                   */
	size_t n_events, cap;
	uint32_t n_bufs; /* buffers in flight or held by someone     */
};

/* One direction between two places. */
struct world_link {
	uint32_t loss_ppm, double_ppm, fail_ppm; /* fail: lost, and the sender is told      */
	uint64_t min_us, max_us;                 /* delay                                   */
	uint32_t spare;                          /* so many of a flow pass after a loss     */
	bool ordered;                            /* a stream: no loss, doubling, reordering */
	uint64_t dark_from_us, dark_until_us;    /* all is lost; from == until: never       */
	uint64_t last_us;                        /* latest delivery, kept by the world      */
	uint32_t owed[WORLD_FLOWS];              /* that must pass, kept by the world       */
};
enum world_fate { WORLD_SENT, WORLD_LOST, WORLD_FAILED };

void world_open(struct world *w, uint64_t seed);
/* Frees what is still queued, with its buffers. */
void world_close(struct world *w);

uint32_t world_below(struct world *w, uint32_t n); /* 0 ... n-1 */
bool world_happens(struct world *w, uint32_t ppm);
uint64_t world_between(struct world *w, uint64_t min, uint64_t max); /* both included */

/* fn(ctx, arg) at a time, not before now. */
void world_at(struct world *w, uint64_t at_us, world_event_fn *fn, void *ctx, uint64_t arg);

/* Go to the next event and run it. false: none is left. */
bool world_step(struct world *w);

/* A counted copy of bytes. */
void *world_copy(struct world *w, const void *bytes, size_t len_bytes);
void world_free(struct world *w, void *copy); /* NULL is fine */

/* Copies bytes and calls deliver(ctx, copy) later, perhaps twice, perhaps never. */
enum world_fate world_send(struct world *w, struct world_link *link, unsigned flow,
			   const void *bytes, size_t len_bytes, world_deliver_fn *deliver,
			   void *ctx);
