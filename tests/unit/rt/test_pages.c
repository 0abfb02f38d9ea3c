/* SPDX-License-Identifier: Apache-2.0 */
/* Huge pages as a made-up sysfs tells them. */
#include "platform/rt/pages.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "platform/base/err.h"

#define MACHINE "kernel/mm/hugepages"
#define NODE1 "devices/system/node/node1/hugepages"

static char root[64];

static void make_folders(char *path)
{
	for (char *p = path + 1; *p; p++) {
		if (*p == '/') {
			*p = '\0';
			(void)mkdir(path, 0700);
			*p = '/';
		}
	}
}

static void put(const char *folder, const char *size, const char *file, unsigned value)
{
	char path[512];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s/%s/%s", root, folder, size, file);
	make_folders(path);
	f = fopen(path, "we");
	assert_non_null(f);
	(void)fprintf(f, "%u\n", value);
	assert_int_equal(fclose(f), 0);
}

static int setup(void **state)
{
	(void)strcpy(root, "/tmp/sluice-pages-XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *s, int type, struct FTW *f)
{
	return remove(path);
}

static int teardown(void **state)
{
	return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void advise(const struct rt_pages *p, uint32_t node, uint64_t wanted, char *out, size_t cap)
{
	struct strbuf b = strbuf_of(out, cap - 1);

	rt_pages_advise(p, node, wanted, &b);
	assert_false(b.full);
	out[b.len] = '\0';
}

static void no_huge_pages_in_the_kernel_is_unsupported(void **state)
{
	struct rt_pages p;

	assert_int_equal(rt_pages_read(root, 0, &p), -E_UNSUPPORTED);
	put(MACHINE, "other", "nr_hugepages", 3); /* not a size */
	assert_int_equal(rt_pages_read(root, 0, &p), -E_UNSUPPORTED);
}

static void node_pages_are_summed_without_the_reserved(void **state)
{
	struct rt_pages p;

	put(MACHINE, "hugepages-2048kB", "resv_hugepages", 5);
	put(NODE1, "hugepages-2048kB", "nr_hugepages", 100);
	put(NODE1, "hugepages-2048kB", "free_hugepages", 40);
	put(NODE1, "hugepages-1048576kB", "nr_hugepages", 2);
	put(NODE1, "hugepages-1048576kB", "free_hugepages", 1);
	assert_int_equal(rt_pages_read(root, 1, &p), 0);
	assert_true(p.per_node);
	assert_int_equal(p.n_sizes, 2);
	assert_int_equal(p.free_bytes, (35ull << 21) + (1ull << 30));
}

static void more_reserved_than_free_is_none(void **state)
{
	struct rt_pages p;

	put(MACHINE, "hugepages-2048kB", "resv_hugepages", 50);
	put(NODE1, "hugepages-2048kB", "nr_hugepages", 100);
	put(NODE1, "hugepages-2048kB", "free_hugepages", 40);
	assert_int_equal(rt_pages_read(root, 1, &p), 0);
	assert_int_equal(p.free_bytes, 0);
}

static void no_numa_takes_the_machines_pages(void **state)
{
	struct rt_pages p;
	char text[512];

	put(MACHINE, "hugepages-2048kB", "nr_hugepages", 12);
	put(MACHINE, "hugepages-2048kB", "free_hugepages", 10);
	assert_int_equal(rt_pages_read(root, 1, &p), 0);
	assert_false(p.per_node);
	assert_int_equal(p.free_bytes, 10ull << 21);
	advise(&p, 1, 64ull << 20, text, sizeof(text)); /* 32 pages, 22 missing */
	assert_non_null(strstr(text, "echo 34 > /sys/kernel/mm/hugepages/hugepages-2048kB/"
				     "nr_hugepages"));
}

static void advice_names_wanted_free_and_the_command(void **state)
{
	struct rt_pages p = { .n_sizes = 2, .per_node = true };
	char text[512];

	p.size[0] = (struct rt_page_size){ 1u << 30, 0, 0 };
	p.size[1] = (struct rt_page_size){ 2u << 20, 0, 0 };
	advise(&p, 1, (100u << 20) + 1, text, sizeof(text));
	assert_string_equal(text, "huge pages on NUMA node 1: wanted 51 of 2048 KiB (102 MiB), free 0 "
			    "of 0; raise: echo 51 > /sys/devices/system/node/node1/hugepages/"
			    "hugepages-2048kB/nr_hugepages");
	/* there are large pages already: more of those */
	p.size[0].total = 1;
	advise(&p, 0, 100u << 20, text, sizeof(text));
	assert_non_null(strstr(text, "echo 2 > /sys/devices/system/node/node0/hugepages/"
				     "hugepages-1048576kB/nr_hugepages"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(no_huge_pages_in_the_kernel_is_unsupported, setup,
						teardown),
		cmocka_unit_test_setup_teardown(node_pages_are_summed_without_the_reserved, setup,
						teardown),
		cmocka_unit_test_setup_teardown(more_reserved_than_free_is_none, setup, teardown),
		cmocka_unit_test_setup_teardown(no_numa_takes_the_machines_pages, setup, teardown),
		cmocka_unit_test(advice_names_wanted_free_and_the_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
