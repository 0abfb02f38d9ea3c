/* SPDX-License-Identifier: Apache-2.0 */
/* Hierarchical timer wheel, O(1) arm and disarm, over ids 0 .. n-1 of the caller's own tables.
 *
 * One id has at most one deadline. Ticks are 1,024 us; six levels of 64 slots reach over 2 years,
 * later deadlines are clipped to the last level and looked at again. Never fires early; fires at
 * most one tick (plus the caller's own delay) late. The wheel never asks the time: the caller says
 * now_us, which must not go backwards (an earlier now is taken as the last one). Bounded:
 * wheel_advance() handles at most `max` entries a call, whether it hands them out or files them
 * again on a lower level, so that a full slot never stalls a loop; wheel_behind() says that there
 * is more to do. Private to one thread; memory is the caller's. */
#pragma once
#include "platform/base/str.h"

#define WHEEL_LEVELS 6
#define WHEEL_SLOTS 64
#define WHEEL_TICK_US 1024

struct wheel {
	struct wheel_node *node; /* n_ids of them                                    */
	uint64_t now_tick;       /* all slots up to here are done                    */
	uint64_t seen_us;        /* newest now_us; now_tick is never beyond it       */
	uint64_t occupied[WHEEL_LEVELS]; /* bit s: slot s of that level has entries  */
	uint32_t head[WHEEL_LEVELS][WHEEL_SLOTS]; /* first id, WHEEL_NONE where empty */
	uint32_t n_ids, n_armed;
};

size_t wheel_bytes(uint32_t n_ids);
/* mem: wheel_bytes(n_ids) octets of zeros, 8-aligned; borrowed for the wheel's life. Zeros, so that a
 * large wheel on fresh pages starts at once and costs memory only where it is used. */
void wheel_init(struct wheel *w, void *mem, uint32_t n_ids, uint64_t now_us);
/* Arm, or move, id to deadline_us (absolute). A deadline already past fires at the next advance. */
void wheel_arm(struct wheel *w, uint32_t id, uint64_t deadline_us);
/* No effect on an id that is not armed. */
void wheel_disarm(struct wheel *w, uint32_t id);
bool wheel_is_armed(const struct wheel *w, uint32_t id);
uint64_t wheel_deadline_us(const struct wheel *w, uint32_t id); /* as armed; 0 when not armed */
/* Writes the ids whose deadline is <= now_us to out[0..max), disarmed; ret how many. */
uint32_t wheel_advance(struct wheel *w, uint64_t now_us, uint32_t *out, uint32_t max);
bool wheel_behind(const struct wheel *w);
/* How long a loop may sleep: the time at which wheel_advance() has something to do next, be it only
 * to file entries again. Never more than one tick after the next deadline; the newest now_us when
 * behind; UINT64_MAX when nothing is armed. Advancing to it always makes progress. */
uint64_t wheel_next_us(const struct wheel *w);
