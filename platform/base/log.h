/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines of threads that may make system calls: control loops, service threads, tools. Polled
 * cores never log: they count (counters.def) and the service thread reports.
 *
 * One event per change of state: `level module.event key=value ...` on stderr (with journald's <n>
 * prefix where JOURNAL_STREAM names stderr, else with a time stamp). Values with spaces, quotes or
 * control octets are quoted and escaped here, so that a stranger's bytes cannot forge a line.
 * Each call site is limited (LOG_BURST lines at once, then LOG_PER_S); what was held back is
 * counted and said with the next line of that site (`suppressed=N`). Levels are per module and may
 * be changed at run time. Thread-safe: one write(2) a line, at most LOG_LINE_MAX bytes. */
#pragma once
#include "platform/base/bucket.h"
#include "platform/base/str.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_NOTICE, LOG_INFO, LOG_DEBUG, LOG_LEVELS };
#define LOG_LINE_MAX 1024
#define LOG_BURST 20
#define LOG_PER_S 5

/* One per call site, static. */
struct log_site {
	const char *module, *event;
	struct bucket limit;  /* made at first use                    */
	uint64_t suppressed;  /* lines held back since the last one   */
	int lock;             /* the site's own spin flag             */
};

/* LOG(LOG_NOTICE, "control", "attached", "pid=%d epoch=%u", pid, epoch)
 * Values from outside go through "%s" with log_quote(). */
#define LOG(level, module_, event_, ...) \
	do { \
		static struct log_site site_ = { .module = module_, .event = event_ }; \
		log_line(&site_, level, __VA_ARGS__); \
	} while (0)

void log_line(struct log_site *site, enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Escaped, and quoted where needed, into a per-thread ring of 4 buffers of 256 bytes. */
const char *log_quote(struct str s);

/* Program name printed by --help and logs; default level of all modules. Call once at start. */
void log_init(const char *program, enum log_level level);
/* ret 0 · -E_TOO_MANY (LOG_MODULES_MAX = 64 modules named) · -E_TOO_LONG. module "*" means all. */
int log_set_level(const char *module, enum log_level level);
enum log_level log_get_level(const char *module);
/* "error".."debug" <-> level. ret 0 · -E_NOT_FOUND */
int log_level_parse(struct str text, enum log_level *out);
const char *log_level_name(enum log_level level);
/* Tests: lines go to this file descriptor instead of 2. */
void log_to_fd(int fd);
