/* SPDX-License-Identifier: Apache-2.0 */
/* The one error enum. Functions that can fail return 0 (or a count) or a negative value: -E_x from
 * here, or -errno of a system call, which never overlap (ours start at 1000).
 * must() is for bugs, stays in release builds, and is for cold code; dmust() is for hot paths and
 * vanishes with NDEBUG. */
#pragma once

enum err {
	E_MALFORMED = 1000, /* bytes are not what the grammar asks for          */
	E_TOO_LONG,         /* longer than the named limit                       */
	E_TOO_MANY,         /* more elements than the named limit                */
	E_RANGE,            /* a number outside its range                        */
	E_DUPLICATE,        /* something that may stand once stands twice        */
	E_MISSING,          /* something that must stand is not there            */
	E_NOT_FOUND,        /* no such entry                                     */
	E_FULL,             /* a bounded table, pool, ring or buffer has no room */
	E_STALE,            /* a handle whose object is gone                     */
	E_VERSION,          /* other layout or protocol version                  */
	E_REFUSED,          /* the other side said no                            */
	E_BAD_RECORD,       /* a record from the other process failed its checks */
	E_UNSUPPORTED,      /* valid, but not something we do                    */
	E_AGAIN,            /* not now; nothing was changed                      */
	E_MAX
};

/* Exit codes of our programs (sysexits): the same meaning everywhere. */
enum exit_code {
	EXIT_NO_DEVICE = 69, /* EX_UNAVAILABLE: a device is missing or cannot do what is needed */
	EXIT_NO_MEMORY = 71, /* EX_OSERR: no huge pages, no memory                             */
	EXIT_NO_RIGHT = 77,  /* EX_NOPERM: root or a capability is missing                     */
	EXIT_CONFIG = 78     /* EX_CONFIG: the configuration is wrong                          */
};

/* Short text of a negative result (either kind), or of 0 ("ok"). Static storage; runs anywhere. */
const char *err_text(int err);

_Noreturn void must_fail(const char *expr, const char *file, int line);
#define must(expr) ((expr) ? (void)0 : must_fail(#expr, __FILE__, __LINE__))
#ifdef NDEBUG
#define dmust(expr) ((void)0)
#else
#define dmust(expr) must(expr)
#endif
