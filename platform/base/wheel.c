/* SPDX-License-Identifier: Apache-2.0 */
/* The wheel, told by what differs from now.
 *
 * Write the tick of a deadline and now_tick as numbers of base 64, six places. The level of an
 * entry is the highest place in which they differ, its slot is the digit of the deadline there. All
 * of level 0 is thus before all of level 1, and so on: the next thing to do is the first occupied
 * slot of the lowest occupied level, found with one count of zeros a level, and now_tick may jump
 * to it over any gap. On the last level, which has no place above it, slots are a distance of 1 ..
 * 63 from now's and go round; what lies further is put at 63 and looked at again there.
 *
 * A slot whose digit equals now's, with all places above equal too, is "at hand": on level 0 its
 * entries are due, above it they are filed again further down. Nothing else ever enters a slot at
 * hand but what is due when armed, and now_tick only moves on when nothing is at hand: a call that
 * has used up its `max` stops in the middle of a slot and the next one finds the rest.
 *
 * A deadline's tick is rounded up, so that it never fires early. Lists are rings in order of
 * arming: an id armed as due again and again cannot starve the others. */
#include "platform/base/wheel.h"

#include "platform/base/err.h"

#define DIGIT_BITS 6
#define DIGIT_MASK (WHEEL_SLOTS - 1)
#define LAST (WHEEL_LEVELS - 1)
#define WHEEL_NONE UINT32_MAX
#define NOT_ARMED 0
_Static_assert(1 << DIGIT_BITS == WHEEL_SLOTS, "a slot is one digit, a level one 64-bit word");

struct wheel_node {
	uint64_t deadline_us; /* as the caller gave it                       */
	uint32_t next, prev;  /* ring of the slot; the head's prev is the end */
	uint16_t place;       /* 1 + level * WHEEL_SLOTS + slot, or NOT_ARMED */
	uint16_t pad[3];
};

static uint64_t tick_at(uint64_t now_us)
{
	return now_us / WHEEL_TICK_US;
}

static uint64_t tick_after(uint64_t deadline_us)
{
	return deadline_us / WHEEL_TICK_US + (deadline_us % WHEEL_TICK_US != 0);
}

static uint64_t us_of(uint64_t tick)
{
	return tick * WHEEL_TICK_US;
}

static unsigned digit(uint64_t tick, unsigned level)
{
	return (unsigned)(tick >> (DIGIT_BITS * level)) & DIGIT_MASK;
}

static void list_append(struct wheel *w, uint32_t id, unsigned level, unsigned slot)
{
	uint32_t *head = &w->head[level][slot];
	struct wheel_node *n = &w->node[id];

	if (*head == WHEEL_NONE) {
		*head = n->next = n->prev = id;
		w->occupied[level] |= (uint64_t)1 << slot;
	} else {
		struct wheel_node *first = &w->node[*head];

		n->next = *head;
		n->prev = first->prev;
		w->node[first->prev].next = id;
		first->prev = id;
	}
	n->place = (uint16_t)(1 + level * WHEEL_SLOTS + slot);
}

static void list_remove(struct wheel *w, uint32_t id)
{
	struct wheel_node *n = &w->node[id];
	unsigned place = n->place - 1u, level = place / WHEEL_SLOTS, slot = place % WHEEL_SLOTS;
	uint32_t *head = &w->head[level][slot];

	if (n->next == id) {
		*head = WHEEL_NONE;
		w->occupied[level] &= ~((uint64_t)1 << slot);
	} else {
		w->node[n->prev].next = n->next;
		w->node[n->next].prev = n->prev;
		if (*head == id)
			*head = n->next;
	}
	n->place = NOT_ARMED;
}

/* Put id where its deadline belongs, seen from now_tick. */
static void file_id(struct wheel *w, uint32_t id)
{
	uint64_t deadline_us = w->node[id].deadline_us, tick = tick_after(deadline_us);
	unsigned level = 0;

	if (deadline_us <= w->seen_us)
		tick = w->now_tick;
	if (tick != w->now_tick)
		level = (unsigned)(63 - __builtin_clzll(tick ^ w->now_tick)) / DIGIT_BITS;
	if (level < LAST) {
		list_append(w, id, level, digit(tick, level));
		return;
	}
	uint64_t now = w->now_tick >> (DIGIT_BITS * LAST);
	uint64_t away = (tick >> (DIGIT_BITS * LAST)) - now;

	if (away > DIGIT_MASK)
		away = DIGIT_MASK;
	list_append(w, id, LAST, (unsigned)(now + away) & DIGIT_MASK);
}

/* The lowest level with a slot at hand, or WHEEL_LEVELS. */
static unsigned level_at_hand(const struct wheel *w)
{
	unsigned level = 0;

	while (level < WHEEL_LEVELS && !(w->occupied[level] >> digit(w->now_tick, level) & 1))
		level++;
	return level;
}

/* First tick at which a slot will be at hand, when none is now; UINT64_MAX when none ever. */
static uint64_t next_tick(const struct wheel *w)
{
	unsigned level = 0;

	while (level < WHEEL_LEVELS && w->occupied[level] == 0)
		level++;
	if (level == WHEEL_LEVELS)
		return UINT64_MAX;

	unsigned shift = DIGIT_BITS * level, now = digit(w->now_tick, level);
	uint64_t bits = w->occupied[level];

	/* turned, so that bit d is the slot at distance d (only the last level goes round) */
	if (now != 0)
		bits = bits >> now | bits << (WHEEL_SLOTS - now);
	return ((w->now_tick >> shift) + (unsigned)__builtin_ctzll(bits)) << shift;
}

size_t wheel_bytes(uint32_t n_ids)
{
	return (size_t)n_ids * sizeof(struct wheel_node);
}

void wheel_init(struct wheel *w, void *mem, uint32_t n_ids, uint64_t now_us)
{
	must(n_ids < WHEEL_NONE);
	must((uintptr_t)mem % _Alignof(struct wheel_node) == 0);
	*w = (struct wheel){ .node = mem, .n_ids = n_ids };
	w->seen_us = now_us;
	w->now_tick = tick_at(now_us);
	memset(w->head, 0xff, sizeof(w->head)); /* WHEEL_NONE */
}

void wheel_arm(struct wheel *w, uint32_t id, uint64_t deadline_us)
{
	dmust(id < w->n_ids);
	if (wheel_is_armed(w, id))
		list_remove(w, id);
	else
		w->n_armed++;
	w->node[id].deadline_us = deadline_us;
	file_id(w, id);
}

void wheel_disarm(struct wheel *w, uint32_t id)
{
	dmust(id < w->n_ids);
	if (!wheel_is_armed(w, id))
		return;
	list_remove(w, id);
	w->n_armed--;
}

bool wheel_is_armed(const struct wheel *w, uint32_t id)
{
	dmust(id < w->n_ids);
	return w->node[id].place != NOT_ARMED;
}

uint64_t wheel_deadline_us(const struct wheel *w, uint32_t id)
{
	return wheel_is_armed(w, id) ? w->node[id].deadline_us : 0;
}

uint32_t wheel_advance(struct wheel *w, uint64_t now_us, uint32_t *out, uint32_t max)
{
	uint32_t n_out = 0, n_done = 0;

	if (now_us > w->seen_us)
		w->seen_us = now_us;
	uint64_t target = tick_at(w->seen_us);

	for (;;) {
		unsigned level = level_at_hand(w);

		if (level == WHEEL_LEVELS) { /* every turn here leads to an entry, or is the last */
			uint64_t next = next_tick(w);

			w->now_tick = next < target ? next : target;
			if (next > target)
				return n_out;
			continue;
		}
		if (n_done++ == max)
			return n_out;
		uint32_t id = w->head[level][digit(w->now_tick, level)];

		list_remove(w, id);
		if (level == 0) {
			w->n_armed--;
			out[n_out++] = id;
		} else {
			file_id(w, id);
		}
	}
}

bool wheel_behind(const struct wheel *w)
{
	return level_at_hand(w) < WHEEL_LEVELS;
}

uint64_t wheel_next_us(const struct wheel *w)
{
	if (w->n_armed == 0)
		return UINT64_MAX;
	return wheel_behind(w) ? w->seen_us : us_of(next_tick(w));
}
