/* SPDX-License-Identifier: Apache-2.0 */
/* One mapping: a forbidden page, the usable pages, a forbidden page. Filling what surrounds the
 * copy makes a read on the unguarded side give nonsense rather than zeros, which parsers like to
 * accept. */
#include "tests/guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define GUARD_FILL 0xA5

static size_t page_bytes(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static _Noreturn void guard_die(const char *what)
{
	perror(what);
	abort();
}

void guard_open(struct guard *g, size_t cap)
{
	size_t page = page_bytes();

	if (cap > SIZE_MAX / 2)
		guard_die("guard_open: cap");
	g->cap = cap == 0 ? page : (cap + page - 1) / page * page;
	uint8_t *map = mmap(NULL, g->cap + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (map == MAP_FAILED)
		guard_die("guard_open: mmap");
	g->first = map + page;
	if (mprotect(g->first, g->cap, PROT_READ | PROT_WRITE) != 0)
		guard_die("guard_open: mprotect");
	memset(g->first, GUARD_FILL, g->cap);
}

void guard_close(struct guard *g)
{
	size_t page = page_bytes();

	if (munmap(g->first - page, g->cap + 2 * page) != 0)
		guard_die("guard_close: munmap");
	*g = (struct guard){ NULL, 0 };
}

void *guard_tail(struct guard *g, const void *bytes, size_t len)
{
	if (len > g->cap)
		guard_die("guard_tail: len");
	uint8_t *at = g->first + (g->cap - len);

	memset(g->first, GUARD_FILL, g->cap - len);
	if (len > 0)
		memcpy(at, bytes, len);
	return at;
}

void *guard_head(struct guard *g, const void *bytes, size_t len)
{
	if (len > g->cap)
		guard_die("guard_head: len");
	if (len > 0)
		memcpy(g->first, bytes, len);
	memset(g->first + len, GUARD_FILL, g->cap - len);
	return g->first;
}

void guard_each_prefix(const void *bytes, size_t len, guard_cb *cb, void *ctx)
{
	struct guard g;

	guard_open(&g, len);
	for (size_t n = 0; n <= len; n++)
		cb(guard_tail(&g, bytes, n), n, ctx);
	guard_close(&g);
}
