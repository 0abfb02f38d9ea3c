/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of the error enum, and the end of a program that found a bug in itself.
 *
 * Two ranges share one sign: system errors are 1 .. some 130, ours start at 1000, so a result can
 * be passed up through layers that do not know which kind it is. strerror() may write to storage
 * that other threads read; strerrordesc_np() hands out the C library's constant text and is safe
 * anywhere, in the same words whatever the locale.
 *
 * must_fail() runs when the process can no longer trust its own state. It takes no lock and no
 * memory: one line to stderr with write(2), then abort(), so that a core is left to look at. */
#include "platform/base/err.h"

#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/base/str.h"

#define MUST_LINE_MAX 512

static const char *const own_text[] = {
	[E_MALFORMED - E_MALFORMED] = "malformed",
	[E_TOO_LONG - E_MALFORMED] = "too long",
	[E_TOO_MANY - E_MALFORMED] = "too many",
	[E_RANGE - E_MALFORMED] = "number out of range",
	[E_DUPLICATE - E_MALFORMED] = "stands more than once",
	[E_MISSING - E_MALFORMED] = "missing",
	[E_NOT_FOUND - E_MALFORMED] = "not found",
	[E_FULL - E_MALFORMED] = "full",
	[E_STALE - E_MALFORMED] = "stale handle",
	[E_VERSION - E_MALFORMED] = "version mismatch",
	[E_REFUSED - E_MALFORMED] = "refused",
	[E_BAD_RECORD - E_MALFORMED] = "bad record",
	[E_UNSUPPORTED - E_MALFORMED] = "not supported",
	[E_AGAIN - E_MALFORMED] = "not now, try again",
};
_Static_assert(sizeof(own_text) / sizeof(own_text[0]) == E_MAX - E_MALFORMED,
	       "each error has a text");

const char *err_text(int err)
{
	const char *text = NULL;

	if (err == 0)
		return "ok";
	if (err <= -E_MALFORMED && err > -E_MAX)
		text = own_text[-err - E_MALFORMED];
	else if (err < 0 && err > -E_MALFORMED)
		text = strerrordesc_np(-err);
	return text ? text : "unknown error";
}

_Noreturn void must_fail(const char *expr, const char *file, int line)
{
	char mem[MUST_LINE_MAX];
	struct strbuf b = strbuf_of(mem, sizeof(mem) - 1); /* the newline always fits */

	/* stdio may be what is broken: the number is written by hand as well */
	strbuf_put(&b, str_from_c(file));
	strbuf_char(&b, ':');
	strbuf_u64(&b, line > 0 ? (uint64_t)line : 0);
	strbuf_put(&b, STR(": must("));
	strbuf_put(&b, str_from_c(expr));
	strbuf_put(&b, STR(") failed"));
	mem[b.len] = '\n';
	if (write(STDERR_FILENO, mem, b.len + 1) < 0) {
		/* nobody reads stderr: the core says the rest */
	}
	abort();
}
