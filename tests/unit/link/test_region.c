/* SPDX-License-Identifier: Apache-2.0 */
/* The region: sections apart and where the header says, a file that cannot be cut, and a mapping
 * that refuses what this build does not know. */
#include "rig.h"

#include "platform/link/step.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static void made_region_has_its_sections_apart(void **state)
{
	struct conf c;
	struct link_geometry g = {3, 2, &c};
	struct link l;

	(void)state;
	rig_conf(&c);
	assert_int_equal(link_region_make(&g, false, CONF_AUTO, 99, &l), 0);
	assert_int_equal(l.bytes, link_region_bytes(&g));
	assert_int_equal(l.h->bytes, l.bytes);
	assert_int_equal(l.h->run, 99);
	assert_int_equal(l.bytes % (2 << 20), 0);
	for (int i = 0; i < LINK_SECTIONS; i++) {
		const struct link_place *p = &l.h->place[i];

		assert_int_equal(p->off % 64, 0);
		assert_true(p->off >= sizeof(struct link_header));
		assert_true(p->count > 0 && p->stride > 0);
		assert_true(p->off + p->stride * p->count <= l.bytes);
		for (int k = 0; k < LINK_SECTIONS; k++) {
			if (k != i && l.h->place[k].off >= p->off)
				assert_true(p->off + p->stride * p->count <= l.h->place[k].off);
		}
	}
	assert_int_equal(l.h->place[LINK_S_UP].count, 6);
	assert_int_equal(l.h->place[LINK_S_DOWN].count, 6);
	assert_int_equal(l.h->place[LINK_S_MESH].count, 4);
	assert_int_equal(l.h->place[LINK_S_COUNTERS].count, 5);
	assert_int_equal(l.h->place[LINK_S_SLOT_WORDS].count, 3 * 37);
	assert_int_equal(l.h->place[LINK_S_TXNS].count, 2 * 24);
	assert_int_equal(l.h->place[LINK_S_UP].stride,
			 sizeof(struct link_ring) + RIG_RING * sizeof(struct link_record));
	assert_int_equal(*(uint32_t *)link_at(&l, LINK_S_TXN_BUCKETS, 63), LINK_NONE);
	assert_int_equal(*(uint32_t *)link_at(&l, LINK_S_BINDING_BUCKETS, 31), LINK_NONE);
	assert_int_equal(*(uint32_t *)link_at(&l, LINK_S_TXN_USED, 0), 0);
	assert_memory_equal(link_conf(&l), &c, sizeof(c));
	link_region_unmap(&l);
	assert_int_equal(l.fd, -1);
}

static void two_regions_have_other_keys(void **state)
{
	struct link a, b;
	static const struct link_keys zero;

	(void)state;
	rig_open(&a, 1, 1);
	rig_open(&b, 1, 1);
	assert_memory_not_equal(&a.h->keys, &zero, sizeof(zero));
	assert_memory_not_equal(&a.h->keys, &b.h->keys, sizeof(zero));
	assert_memory_not_equal(&a.h->keys.txn, &a.h->keys.tag, sizeof(zero.tag));
	link_region_unmap(&a);
	link_region_unmap(&b);
}

static void sealed_region_cannot_change_its_size(void **state)
{
	struct link l;

	(void)state;
	rig_open(&l, 1, 1);
	assert_int_equal(ftruncate(l.fd, 4096), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(l.fd, (off_t)l.bytes * 2), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(fcntl(l.fd, F_GET_SEALS) & (F_SEAL_SHRINK | F_SEAL_GROW),
			 F_SEAL_SHRINK | F_SEAL_GROW);
	assert_int_equal(lseek(l.fd, 0, SEEK_END), l.bytes);
	link_region_unmap(&l);
}

static void second_mapping_sees_the_first(void **state)
{
	struct link l, other;
	uint32_t theirs = 9;

	(void)state;
	rig_open(&l, 1, 1);
	assert_int_equal(link_region_map(dup(l.fd), &other, &theirs), 0);
	assert_ptr_not_equal(l.base, other.base);
	assert_int_equal(theirs, LINK_VERSION);
	count(link_counters(&l, 0), sip_rx);
	assert_int_equal(link_counter_sum(&other, sip_rx), 1);
	link_region_unmap(&other);
	link_region_unmap(&l);
}

/* The header changed by `spoil`: what the next mapping says. */
static int map_spoiled(void (*spoil)(struct link_header *h), uint32_t *theirs)
{
	struct link l, other = {.fd = -7};
	int err;

	rig_open(&l, 1, 1);
	spoil(l.h);
	err = link_region_map(l.fd, &other, theirs);
	if (err != 0)
		assert_int_equal(other.fd, -7); /* nothing was handed out */
	else
		assert_int_equal(munmap(other.base, other.bytes), 0);
	link_region_unmap(&l);
	return err;
}

static void bad_magic(struct link_header *h)
{
	h->magic ^= 1;
}
static void too_new(struct link_header *h)
{
	h->version = LINK_VERSION + 2, h->version_min = LINK_VERSION + 1;
}
static void newer_but_kind(struct link_header *h)
{
	h->version = LINK_VERSION + 2;
}
static void too_old(struct link_header *h)
{
	h->version = LINK_VERSION_MIN - 1;
}
static void other_txn(struct link_header *h)
{
	h->record_bytes[0] += 8;
}
static void other_conf(struct link_header *h)
{
	h->record_bytes[5] -= 8;
}
static void longer(struct link_header *h)
{
	h->bytes += 4096;
}
static void shorter(struct link_header *h)
{
	h->bytes -= 4096;
}
static void many_cores(struct link_header *h)
{
	h->n_cores = LINK_CORES_MAX + 1;
}
static void many_shards(struct link_header *h)
{
	h->n_shards = LINK_SHARDS_MAX + 1;
}
static void far_section(struct link_header *h)
{
	h->place[LINK_S_BLOCKS].off = h->bytes + 64;
}
static void long_section(struct link_header *h)
{
	h->place[LINK_S_BLOCKS].count = UINT64_MAX / 8;
}
static void wide_section(struct link_header *h)
{
	h->place[LINK_S_UP].stride = h->bytes;
}

static void spoiled_header_is_refused(void **state)
{
	static const struct {
		void (*spoil)(struct link_header *h);
		int err;
		uint32_t theirs;
	} row[] = {
		{bad_magic, -E_BAD_RECORD, 0},
		{too_new, -E_VERSION, LINK_VERSION + 2},
		{newer_but_kind, 0, LINK_VERSION + 2},
		{too_old, -E_VERSION, LINK_VERSION_MIN - 1},
		{other_txn, -E_BAD_RECORD, LINK_VERSION},
		{other_conf, -E_BAD_RECORD, LINK_VERSION},
		{longer, -E_BAD_RECORD, LINK_VERSION},
		{shorter, -E_BAD_RECORD, LINK_VERSION},
		{many_cores, -E_BAD_RECORD, LINK_VERSION},
		{many_shards, -E_BAD_RECORD, LINK_VERSION},
		{far_section, -E_BAD_RECORD, LINK_VERSION},
		{long_section, -E_BAD_RECORD, LINK_VERSION},
		{wide_section, -E_BAD_RECORD, LINK_VERSION},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		uint32_t theirs = 77;

		assert_int_equal(map_spoiled(row[i].spoil, &theirs), row[i].err);
		assert_int_equal(theirs, row[i].theirs);
	}
}

static void cut_file_is_refused(void **state)
{
	static const off_t size[] = {
		0, 1, 64, sizeof(struct link_header) - 1, sizeof(struct link_header), 1 << 20};
	struct link l, other;
	uint32_t theirs;

	(void)state;
	rig_open(&l, 1, 1);
	for (unsigned i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
		int fd = memfd_create("cut", MFD_CLOEXEC);

		assert_int_equal(ftruncate(fd, size[i]), 0);
		assert_int_equal(pwrite(fd, l.base, (size_t)size[i], 0), size[i]);
		assert_int_equal(link_region_map(fd, &other, &theirs), -E_BAD_RECORD);
		close(fd);
	}
	assert_int_equal(link_region_map(-1, &other, &theirs), -EBADF);
	link_region_unmap(&l);
}

static void memory_line_says_what_was_bought(void **state)
{
	char text[256], want[256];
	struct strbuf b = strbuf_of(text, sizeof(text));
	struct link l;

	(void)state;
	rig_open(&l, 2, 2);
	link_print_memory(&l, &b);
	text[b.len] = '\0';
	(void)snprintf(
		want, sizeof(want),
		"memory: 74 slots, 48 transactions, 64 branches, 32 bindings, 192 edit blocks"
		" = %lu MiB huge pages",
		l.bytes >> 20);
	assert_string_equal(text, want);
	link_region_unmap(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(made_region_has_its_sections_apart),
		cmocka_unit_test(two_regions_have_other_keys),
		cmocka_unit_test(sealed_region_cannot_change_its_size),
		cmocka_unit_test(second_mapping_sees_the_first),
		cmocka_unit_test(spoiled_header_is_refused),
		cmocka_unit_test(cut_file_is_refused),
		cmocka_unit_test(memory_line_says_what_was_bought),
	};

	return cmocka_run_group_tests_name("link/region", tests, NULL, NULL);
}
