/* SPDX-License-Identifier: Apache-2.0 */
/* The link region: one memfd, laid out once by the dataplane from its configuration.
 *
 * The header carries the place of every section, so whoever maps the region needs no configuration to
 * find its way; it only checks that the sizes of the shared records are those it was built with. The
 * file is sealed, so that a mapping can never be cut short under a running process. */
#include "platform/link/region.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <numaif.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define HUGE_BYTES (2ull << 20)

static const uint32_t class_payload[CONF_CLASSES] = { 1024, 2048, 4096, 16384, 65536 };
static const uint32_t class_lines[CONF_CLASSES] = { 40, 64, 128, 192, 192 };

static uint64_t align_up(uint64_t v, uint64_t to)
{
	return (v + to - 1) / to * to;
}

static uint32_t power_of_two(uint32_t at_least)
{
	uint32_t n = 1;

	while (n < at_least && n < 1u << 30)
		n <<= 1;
	return n;
}

static void layout_classes(struct link_header *h, const struct conf *c)
{
	for (int i = 0; i < CONF_CLASSES; i++) {
		h->class[i] = (struct link_slot_class){
			.payload_bytes = class_payload[i],
			.head_bytes = link_slot_head_bytes(class_lines[i]),
			.lines = class_lines[i],
			.count = c->slots[i],
		};
	}
}

static void layout_place(struct link_header *h, enum link_section s, uint64_t stride, uint64_t count)
{
	h->place[s] = (struct link_place){ .off = h->bytes, .stride = stride, .count = count };
	h->bytes = align_up(h->bytes + stride * count, 64);
}

/* Fill everything of the header that follows from the geometry. */
static void layout(struct link_header *h, const struct link_geometry *g)
{
	const struct conf *c = g->conf;
	uint64_t n_slots = 0, loops = g->n_cores + g->n_shards;
	uint64_t pairs = (uint64_t)g->n_cores * g->n_shards;
	uint64_t ring = sizeof(struct link_ring) + (uint64_t)c->ring_records * sizeof(struct link_record);

	memset(h, 0, sizeof(*h));
	h->magic = LINK_MAGIC;
	h->version = LINK_VERSION;
	h->version_min = LINK_VERSION_MIN;
	h->bytes = align_up(sizeof(*h), 64);
	h->n_cores = g->n_cores;
	h->n_shards = g->n_shards;
	h->ring_records = c->ring_records;
	h->txns = c->transactions;
	h->branches = c->branches;
	h->bindings = c->bindings;
	h->blocks = c->edit_blocks;
	h->txn_buckets = power_of_two(c->transactions);
	h->binding_buckets = power_of_two(c->bindings);
	memcpy(h->record_bytes, link_record_sizes, sizeof(h->record_bytes));
	h->conf_hash = conf_hash(c);
	layout_classes(h, c);
	for (int i = 0; i < CONF_CLASSES; i++)
		n_slots += c->slots[i];
	layout_place(h, LINK_S_CONF, align_up(sizeof(struct conf), 64), 1);
	layout_place(h, LINK_S_LOOPS, sizeof(struct link_loop), loops);
	layout_place(h, LINK_S_COUNTERS, align_up(COUNTERS * sizeof(uint64_t), 64), loops);
	layout_place(h, LINK_S_UP, ring, pairs);
	layout_place(h, LINK_S_DOWN, ring, pairs);
	layout_place(h, LINK_S_MESH, ring, (uint64_t)g->n_shards * g->n_shards);
	layout_place(h, LINK_S_SLOT_WORDS, sizeof(uint64_t), n_slots * g->n_cores);
	layout_place(h, LINK_S_SLOT_HELD, sizeof(uint16_t), n_slots * g->n_cores);
	for (unsigned i = 0; i < CONF_CLASSES; i++) {
		uint64_t n = (uint64_t)h->class[i].count * g->n_cores;

		layout_place(h, LINK_S_SLOT_HEADS0 + i, h->class[i].head_bytes, n);
		layout_place(h, LINK_S_SLOT_DATA0 + i, h->class[i].payload_bytes, n);
	}
	layout_place(h, LINK_S_INTENTS, sizeof(struct link_intent), g->n_shards);
	layout_place(h, LINK_S_TXN_USED, 4, (uint64_t)h->txns * g->n_shards);
	layout_place(h, LINK_S_TXNS, sizeof(struct link_txn), (uint64_t)h->txns * g->n_shards);
	layout_place(h, LINK_S_TXN_BUCKETS, 4, (uint64_t)h->txn_buckets * g->n_shards);
	layout_place(h, LINK_S_BRANCH_USED, 4, (uint64_t)h->branches * g->n_shards);
	layout_place(h, LINK_S_BRANCHES, sizeof(struct link_branch), (uint64_t)h->branches * g->n_shards);
	layout_place(h, LINK_S_BINDING_USED, 4, (uint64_t)h->bindings * g->n_shards);
	layout_place(h, LINK_S_BINDINGS, sizeof(struct link_binding), (uint64_t)h->bindings * g->n_shards);
	layout_place(h, LINK_S_BINDING_BUCKETS, 4, (uint64_t)h->binding_buckets * g->n_shards);
	layout_place(h, LINK_S_BLOCK_USED, 4, (uint64_t)h->blocks * g->n_shards);
	layout_place(h, LINK_S_BLOCKS, sizeof(struct link_block), (uint64_t)h->blocks * g->n_shards);
	h->bytes = align_up(h->bytes, HUGE_BYTES);
}

uint64_t link_region_bytes(const struct link_geometry *g)
{
	struct link_header h;

	layout(&h, g);
	return h.bytes;
}

/* Empty bucket heads and chains are LINK_NONE, which is all ones: not what fresh memory holds. */
static void fill_none(const struct link *l, enum link_section s)
{
	memset(link_at(l, s, 0), 0xff, l->h->place[s].stride * l->h->place[s].count);
}

static int file_make(bool huge, uint64_t bytes)
{
	unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING | (huge ? MFD_HUGETLB | MFD_HUGE_2MB : 0);
	int fd = memfd_create("sluice-link", flags);

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)bytes) < 0) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

static int region_fill(struct link *l, const struct link_geometry *g, uint64_t run)
{
	layout(l->h, g);
	l->h->run = run;
	memcpy(link_at(l, LINK_S_CONF, 0), g->conf, sizeof(*g->conf));
	fill_none(l, LINK_S_TXN_BUCKETS);
	fill_none(l, LINK_S_BINDING_BUCKETS);
	if (getrandom(&l->h->keys, sizeof(l->h->keys), 0) != sizeof(l->h->keys))
		return -errno;
	return 0;
}

int link_region_make(const struct link_geometry *g, bool huge, uint32_t numa_node, uint64_t run,
		     struct link *out)
{
	uint64_t bytes = link_region_bytes(g);
	int fd = file_make(huge, bytes), err;
	void *p;

	if (fd < 0)
		return fd;
	/* MAP_POPULATE reserves and touches every page now: no fault, and no SIGBUS, later */
	p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | (numa_node == CONF_AUTO ? MAP_POPULATE : 0),
		 fd, 0);
	if (p == MAP_FAILED) {
		err = -errno;
		close(fd);
		return err;
	}
	if (numa_node != CONF_AUTO) {
		unsigned long mask = 1ul << (numa_node % 64);

		/* a wish: where the node has no pages left the kernel takes another, doctor tells */
		(void)mbind(p, bytes, MPOL_PREFERRED, &mask, 64, 0);
		if (madvise(p, bytes, MADV_POPULATE_WRITE) < 0) {
			err = -errno;
			goto out;
		}
	}
	*out = (struct link){ .h = p, .base = p, .bytes = bytes, .fd = fd };
	err = region_fill(out, g, run);
	if (err == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) < 0)
		err = -errno;
	if (err == 0)
		return 0;
out:
	munmap(p, bytes);
	close(fd);
	*out = (struct link){ .fd = -1 };
	return err;
}

static int region_check(const struct link_header *h, uint64_t file_bytes, uint32_t *theirs)
{
	if (h->magic != LINK_MAGIC)
		return -E_BAD_RECORD;
	*theirs = h->version;
	if (h->version < LINK_VERSION_MIN || h->version_min > LINK_VERSION)
		return -E_VERSION;
	if (h->bytes != file_bytes || h->n_cores > LINK_CORES_MAX || h->n_shards > LINK_SHARDS_MAX ||
	    memcmp(h->record_bytes, link_record_sizes, sizeof(h->record_bytes)) != 0)
		return -E_BAD_RECORD;
	for (int i = 0; i < LINK_SECTIONS; i++) {
		const struct link_place *p = &h->place[i];

		if (p->off > h->bytes || (p->stride != 0 && p->count > (h->bytes - p->off) / p->stride))
			return -E_BAD_RECORD;
	}
	return 0;
}

int link_region_map(int fd, struct link *out, uint32_t *theirs)
{
	struct stat st;
	void *p;
	int err;

	*theirs = 0;
	if (fstat(fd, &st) < 0)
		return -errno;
	if ((uint64_t)st.st_size < sizeof(struct link_header))
		return -E_BAD_RECORD;
	p = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	err = region_check(p, (uint64_t)st.st_size, theirs);
	if (err != 0) {
		munmap(p, (size_t)st.st_size);
		return err;
	}
	*out = (struct link){ .h = p, .base = p, .bytes = (uint64_t)st.st_size, .fd = fd };
	return 0;
}

void link_region_unmap(struct link *l)
{
	if (l->base != NULL)
		munmap(l->base, l->bytes);
	if (l->fd >= 0)
		close(l->fd);
	*l = (struct link){ .fd = -1 };
}

uint64_t link_counter_sum(const struct link *l, enum counter id)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < l->h->n_cores + l->h->n_shards; i++)
		sum += counter_read(link_counters(l, i), id);
	return sum;
}

void link_print_memory(const struct link *l, struct strbuf *out)
{
	const struct link_header *h = l->h;
	uint64_t slots = 0;

	for (int i = 0; i < CONF_CLASSES; i++)
		slots += (uint64_t)h->class[i].count * h->n_cores;
	strbuf_printf(out,
		      "memory: %lu slots, %lu transactions, %lu branches, %lu bindings, %lu edit blocks"
		      " = %lu MiB huge pages",
		      slots, (uint64_t)h->txns * h->n_shards, (uint64_t)h->branches * h->n_shards,
		      (uint64_t)h->bindings * h->n_shards, (uint64_t)h->blocks * h->n_shards,
		      h->bytes >> 20);
}
