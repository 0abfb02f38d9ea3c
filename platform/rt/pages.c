/* SPDX-License-Identifier: Apache-2.0 */
/* Huge pages of a NUMA node, as the kernel counts them.
 *
 * Asked before EAL starts: its own answer to too few pages is a line about an internal function.
 * The count is a forecast, another process may be faster; then EAL fails, and says so in its way.
 *
 * Reserved pages are promised to somebody who has not touched them yet, so they are not free. The
 * kernel counts them for the whole machine only; taking them from each node errs to the safe side. */
#include "platform/rt/pages.h"

#include <dirent.h>
#include <stdio.h>

#include "platform/base/err.h"

#define PATH_BYTES 512
#define MIB (1u << 20)
#define SIZE_PREFIX STR("hugepages-")
#define SIZE_SUFFIX STR("kB")
#define SIZE_KIB_MAX (64u << 20) /* 64 GiB: no machine has larger ones */

static uint64_t number_in(const char *folder, const char *size, const char *file)
{
	char path[PATH_BYTES];
	struct strbuf b = strbuf_of(path, sizeof(path));
	unsigned long long n = 0;
	FILE *f;

	strbuf_printf(&b, "%s/%s/%s", folder, size, file);
	f = b.full ? NULL : fopen(path, "re");
	if (!f)
		return 0;
	if (fscanf(f, "%llu", &n) != 1)
		n = 0;
	(void)fclose(f); /* only read */
	return n;
}

/* "hugepages-2048kB" -> 2 MiB; 0 for another name. */
static uint64_t size_of_name(const char *name)
{
	struct str s = str_from_c(name);
	uint32_t kib;

	if (!str_starts_with(s, SIZE_PREFIX) || s.len < SIZE_PREFIX.len + SIZE_SUFFIX.len)
		return 0;
	s = str_sub(s, SIZE_PREFIX.len, s.len - SIZE_PREFIX.len - SIZE_SUFFIX.len);
	return str_to_u32(s, SIZE_KIB_MAX, &kib) == 0 ? (uint64_t)kib * 1024 : 0;
}

static void size_add(struct rt_pages *p, const char *folder, const char *machine, const char *name)
{
	struct rt_page_size *s = &p->size[p->n_sizes];
	uint64_t reserved;

	s->bytes = size_of_name(name);
	if (s->bytes == 0)
		return;
	s->total = number_in(folder, name, "nr_hugepages");
	s->free = number_in(folder, name, "free_hugepages");
	reserved = number_in(machine, name, "resv_hugepages");
	s->free = reserved < s->free ? s->free - reserved : 0;
	p->free_bytes += s->free * s->bytes;
	p->n_sizes++;
}

int rt_pages_read(const char *sys, uint32_t node, struct rt_pages *p)
{
	char machine[PATH_BYTES / 2], folder[PATH_BYTES / 2];
	struct strbuf m = strbuf_of(machine, sizeof(machine));
	struct strbuf f = strbuf_of(folder, sizeof(folder));
	struct dirent *e;
	DIR *dir;

	*p = (struct rt_pages){ .per_node = true };
	strbuf_printf(&m, "%s/kernel/mm/hugepages", sys);
	strbuf_printf(&f, "%s/devices/system/node/node%u/hugepages", sys, node);
	dir = opendir(folder);
	if (!dir) {
		p->per_node = false;
		f.len = 0;
		strbuf_put(&f, strbuf_str(&m));
		strbuf_char(&f, '\0');
		dir = opendir(folder);
	}
	if (!dir)
		return -E_UNSUPPORTED;
	while (p->n_sizes < RT_PAGE_SIZES_MAX && (e = readdir(dir)) != NULL)
		size_add(p, folder, machine, e->d_name);
	(void)closedir(dir); /* only read */
	return p->n_sizes > 0 ? 0 : -E_UNSUPPORTED;
}

/* The size to ask for more of: the one that there are pages of already, else the smallest. */
static const struct rt_page_size *size_to_raise(const struct rt_pages *p)
{
	const struct rt_page_size *best = &p->size[0];

	for (uint32_t k = 1; k < p->n_sizes; k++) {
		const struct rt_page_size *s = &p->size[k];

		if (s->bytes < best->bytes)
			best = s;
	}
	for (uint32_t k = 0; k < p->n_sizes; k++) {
		if (best->total == 0 && p->size[k].total > 0)
			best = &p->size[k];
	}
	return best;
}

void rt_pages_advise(const struct rt_pages *p, uint32_t node, uint64_t wanted_bytes,
		     struct strbuf *why)
{
	const struct rt_page_size *s = size_to_raise(p);
	uint64_t wanted = (wanted_bytes + s->bytes - 1) / s->bytes;
	uint64_t missing = wanted_bytes > p->free_bytes ? wanted_bytes - p->free_bytes : 0;
	uint64_t raise = s->total + (missing + s->bytes - 1) / s->bytes;

	strbuf_printf(why, "huge pages on NUMA node %u: wanted %lu of %lu KiB (%lu MiB), free %lu "
		      "of %lu; raise: echo %lu > ", node, wanted, s->bytes / 1024,
		      wanted * s->bytes / MIB, s->free, s->total, raise);
	if (p->per_node)
		strbuf_printf(why, "/sys/devices/system/node/node%u/hugepages/hugepages-%lukB/"
			      "nr_hugepages", node, s->bytes / 1024);
	else
		strbuf_printf(why, "/sys/kernel/mm/hugepages/hugepages-%lukB/nr_hugepages",
			      s->bytes / 1024);
}
