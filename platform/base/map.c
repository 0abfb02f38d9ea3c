/* SPDX-License-Identifier: Apache-2.0 */
/* Linear probing over 16-byte entries, four to a cache line.
 *
 * The home of an entry is the top bits of its hash times the golden ratio. Callers often choose a
 * shard or a core by some bits of the same hash; taking those bits again would leave most homes of
 * that shard unused, and the multiplication makes any of them depend on all below.
 *
 * The one invariant: from an entry's home to the entry itself no slot is empty. A look-up may thus
 * stop at the first empty slot, and there always is one, for load ends at 7/8. Removal keeps the
 * invariant by moving later entries of the run back into the hole, as far as their homes allow
 * (Knuth, The Art of Computer Programming 3, 6.4 algorithm R), so time does not wear a table out.
 * */
#include "platform/base/map.h"

#include "platform/base/err.h"

#define MAP_BITS_MIN 3 /* smallest table with a whole 7/8 */
#define MAP_BITS_MAX 31
#define GOLDEN 0x9e3779b97f4a7c15 /* 2^64 / golden ratio, odd */

static uint32_t limit_of(uint32_t bits)
{
	return (uint32_t)(((uint64_t)1 << bits) / 8 * 7);
}

static uint32_t bits_for(uint32_t n)
{
	uint32_t bits = MAP_BITS_MIN;

	while (bits < MAP_BITS_MAX && limit_of(bits) < n)
		bits++;
	must(limit_of(bits) >= n);
	return bits;
}

static uint32_t mask_of(const struct map *m)
{
	return ((uint32_t)1 << m->bits) - 1;
}

static uint64_t stored(uint64_t hash)
{
	return hash ? hash : 1;
}

static uint32_t home_of(const struct map *m, uint64_t hash)
{
	return (uint32_t)(hash * GOLDEN >> (64 - m->bits));
}

size_t map_bytes(uint32_t n)
{
	return sizeof(struct map_entry) << bits_for(n);
}

void map_init(struct map *m, void *mem, uint32_t n)
{
	must((uintptr_t)mem % _Alignof(struct map_entry) == 0);
	m->entry = mem;
	m->bits = bits_for(n);
	m->used = 0;
	m->limit = limit_of(m->bits);
	memset(mem, 0, map_bytes(n));
}

int map_add(struct map *m, uint64_t hash, uint32_t value)
{
	uint32_t mask = mask_of(m), at = home_of(m, stored(hash));

	if (m->used >= m->limit)
		return -E_FULL;
	while (m->entry[at].hash != 0)
		at = (at + 1) & mask;
	m->entry[at] = (struct map_entry){ .hash = stored(hash), .value = value };
	m->used++;
	return 0;
}

/* Close the hole that removal left: an entry may move into it when the hole does not lie before the
 * entry's home, going round. */
static void close_hole(struct map *m, uint32_t hole)
{
	uint32_t mask = mask_of(m);

	for (uint32_t at = (hole + 1) & mask; m->entry[at].hash != 0; at = (at + 1) & mask) {
		uint32_t from_home = (at - home_of(m, m->entry[at].hash)) & mask;

		if (from_home >= ((at - hole) & mask)) {
			m->entry[hole] = m->entry[at];
			hole = at;
		}
	}
	m->entry[hole] = (struct map_entry){ 0 };
}

int map_remove(struct map *m, uint64_t hash, uint32_t value)
{
	uint32_t it = 0, found;

	while (map_next(m, hash, &it, &found)) {
		if (found != value)
			continue;
		/* `it` counts the slots looked at, so the last of them is one less */
		close_hole(m, (home_of(m, stored(hash)) + it - 1) & mask_of(m));
		m->used--;
		return 0;
	}
	return -E_NOT_FOUND;
}

bool map_next(const struct map *m, uint64_t hash, uint32_t *it, uint32_t *value)
{
	uint64_t want = stored(hash);
	uint32_t mask = mask_of(m), home = home_of(m, want);

	while (*it <= mask) {
		const struct map_entry *e = &m->entry[(home + *it) & mask];

		if (e->hash == 0)
			return false;
		++*it;
		if (e->hash == want) {
			*value = e->value;
			return true;
		}
	}
	return false;
}
