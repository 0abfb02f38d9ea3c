/* SPDX-License-Identifier: Apache-2.0 */
/* One line, one write(2).
 *
 * A line is put together in memory of its own and leaves in a single write of at most LOG_LINE_MAX
 * bytes, below PIPE_BUF: lines of several threads, or of both processes on one pipe, never mix.
 *
 * Every line is printable ASCII. log_quote() escapes what a stranger may have sent; what comes
 * through a bare %s is escaped once more at the end, so that no octet of any value can end a line
 * or steer a terminal. That takes UTF-8 as well, on purpose: U+0085, U+2028 and the direction marks
 * are line ends and disguises to some viewers.
 *
 * Levels: a table that only grows. A name is complete before n_modules says it is there (release,
 * with the acquire in module_find()); levels are single words. `loudest` lets a disabled debug line
 * cost one load and no search.
 *
 * Time: the limits run on CLOCK_MONOTONIC, the stamp is UTC (RFC 3339). */
#include "platform/base/log.h"

#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "platform/base/err.h"

#define LOG_MODULES_MAX 64
#define LOG_NAME_BYTES 32 /* of a module or program, with its terminator */
#define QUOTE_BYTES 256
#define QUOTE_BUFFERS 4
#define STAMP_BYTES 64
#define CLIPPED STR("...")

struct module {
	char name[LOG_NAME_BYTES];
	_Atomic int level; /* W: log_set_level  R: any   any order would do: stands alone */
};

static struct {
	char program[LOG_NAME_BYTES];
	_Atomic int fd;
	_Atomic bool journal;       /* fd is the stream that journald made */
	_Atomic int level;          /* of modules not named                */
	_Atomic int loudest;        /* no module logs above it             */
	_Atomic uint32_t n_modules; /* release: module[0..n) have names    */
	struct module module[LOG_MODULES_MAX];
	int lock; /* held by who changes levels */
} all = { .fd = STDERR_FILENO, .level = LOG_INFO, .loudest = LOG_INFO };

static const struct {
	const char *name;
	char priority; /* of syslog, RFC 5424 §6.2.1, in journald's prefix */
} level_of[LOG_LEVELS] = {
	[LOG_ERROR] = { "error", '3' },   [LOG_WARN] = { "warn", '4' },
	[LOG_NOTICE] = { "notice", '5' }, [LOG_INFO] = { "info", '6' },
	[LOG_DEBUG] = { "debug", '7' },
};

/* Held for a few instructions; whoever holds it may have lost its core, hence the yield. */
static void spin_lock(int *lock)
{
	while (__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE) != 0)
		(void)sched_yield(); /* cannot fail */
}

static void spin_unlock(int *lock)
{
	__atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

static bool is_plain(char c)
{
	return c >= ' ' && c <= '~';
}

/* One octet, as a whole escape or not at all. */
static void put_escaped(struct strbuf *b, char c)
{
	char octet[4] = { '\\', 'x', "0123456789abcdef"[(uint8_t)c >> 4],
			  "0123456789abcdef"[(uint8_t)c & 15] };

	if (c == '\n')
		strbuf_put(b, STR("\\n"));
	else if (c == '\r')
		strbuf_put(b, STR("\\r"));
	else if (c == '\t')
		strbuf_put(b, STR("\\t"));
	else
		strbuf_put(b, (struct str){ octet, sizeof(octet) });
}

static bool needs_quotes(struct str s)
{
	if (s.len == 0 || s.len >= QUOTE_BYTES)
		return true;
	for (uint32_t i = 0; i < s.len; i++)
		if (!is_plain(s.s[i]) || s.s[i] == ' ' || s.s[i] == '"' || s.s[i] == '=' ||
		    s.s[i] == '\\')
			return true;
	return false;
}

const char *log_quote(struct str s)
{
	static _Thread_local char ring[QUOTE_BUFFERS][QUOTE_BYTES];
	static _Thread_local unsigned turn;
	char *out = ring[turn++ % QUOTE_BUFFERS];

	if (!needs_quotes(s)) {
		(void)str_to_c(s, out, QUOTE_BYTES); /* it fits: needs_quotes() looked */
		return out;
	}
	/* kept back: the clip mark, the closing quote, the terminator */
	struct strbuf b = strbuf_of(out, QUOTE_BYTES - CLIPPED.len - 2);

	strbuf_char(&b, '"');
	for (uint32_t i = 0; i < s.len && !b.full; i++) {
		if (s.s[i] == '"' || s.s[i] == '\\')
			strbuf_put(&b, (struct str){ (char[]){ '\\', s.s[i] }, 2 });
		else if (is_plain(s.s[i]))
			strbuf_char(&b, s.s[i]);
		else
			put_escaped(&b, s.s[i]);
	}
	bool clipped = b.full;

	b.full = false;
	b.cap = QUOTE_BYTES;
	if (clipped)
		strbuf_put(&b, CLIPPED);
	strbuf_put(&b, (struct str){ "\"", 2 }); /* with the terminator */
	return out;
}

/* Does the environment's device:inode name fd? (systemd.exec(5)) */
static bool fd_is_journal(int fd)
{
	struct str dev_text, ino_text;
	uint64_t dev, ino;
	struct stat st;

	if (!str_split(str_from_c(getenv("JOURNAL_STREAM")), ':', &dev_text, &ino_text))
		return false;
	if (str_to_u64(dev_text, UINT64_MAX, &dev) != 0 ||
	    str_to_u64(ino_text, UINT64_MAX, &ino) != 0)
		return false;
	return fstat(fd, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

void log_to_fd(int fd)
{
	all.journal = fd_is_journal(fd);
	all.fd = fd;
}

void log_init(const char *program, enum log_level level)
{
	(void)str_to_c(str_from_c(program), all.program, sizeof(all.program)); /* clipped is fine */
	(void)log_set_level("*", level); /* takes no room in the table: cannot fail */
	log_to_fd(all.fd);
}

static struct module *module_find(struct str name)
{
	uint32_t n = atomic_load_explicit(&all.n_modules, memory_order_acquire);

	for (uint32_t i = 0; i < n; i++)
		if (str_eq(str_from_c(all.module[i].name), name))
			return &all.module[i];
	return NULL;
}

/* Under the lock. ret NULL when the table is full */
static struct module *module_add(struct str name)
{
	uint32_t n = all.n_modules;

	if (n == LOG_MODULES_MAX)
		return NULL;
	(void)str_to_c(name, all.module[n].name, LOG_NAME_BYTES); /* its length was checked */
	all.module[n].level = all.level;
	atomic_store_explicit(&all.n_modules, n + 1, memory_order_release);
	return &all.module[n];
}

static void loudest_update(void)
{
	int loudest = all.level;

	for (uint32_t i = 0; i < all.n_modules; i++)
		if (all.module[i].level > loudest)
			loudest = all.module[i].level;
	all.loudest = loudest;
}

static int set_level_locked(struct str name, enum log_level level)
{
	if (str_eq(name, STR("*"))) {
		all.level = (int)level;
		for (uint32_t i = 0; i < all.n_modules; i++)
			all.module[i].level = (int)level;
	} else {
		struct module *m = module_find(name);

		if (!m)
			m = module_add(name);
		if (!m)
			return -E_TOO_MANY;
		m->level = (int)level;
	}
	loudest_update();
	return 0;
}

int log_set_level(const char *module, enum log_level level)
{
	struct str name = str_from_c(module);

	must(level >= LOG_ERROR && level < LOG_LEVELS);
	if (name.len >= LOG_NAME_BYTES)
		return -E_TOO_LONG;
	spin_lock(&all.lock);
	int err = set_level_locked(name, level);

	spin_unlock(&all.lock);
	return err;
}

enum log_level log_get_level(const char *module)
{
	const struct module *m = module_find(str_from_c(module));

	return (enum log_level)(m ? m->level : all.level);
}

int log_level_parse(struct str text, enum log_level *out)
{
	for (int level = 0; level < LOG_LEVELS; level++)
		if (str_eq(text, str_from_c(level_of[level].name))) {
			*out = (enum log_level)level;
			return 0;
		}
	return -E_NOT_FOUND;
}

const char *log_level_name(enum log_level level)
{
	return level >= LOG_ERROR && level < LOG_LEVELS ? level_of[level].name : "?";
}

/* May the site log now? held: what was held back since it last did. */
static bool site_take(struct log_site *site, uint64_t *held)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* always there on Linux */
	uint64_t now_us = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;

	spin_lock(&site->lock);
	if (site->limit.burst == 0)
		bucket_init(&site->limit, LOG_PER_S, LOG_BURST, now_us);
	bool may = bucket_take(&site->limit, 1, now_us);

	*held = site->suppressed;
	site->suppressed = may ? 0 : site->suppressed + 1;
	spin_unlock(&site->lock);
	return may;
}

static void put_stamp(struct strbuf *b)
{
	struct timespec now;
	struct tm tm;
	char text[STAMP_BYTES];

	(void)clock_gettime(CLOCK_REALTIME, &now);
	if (!gmtime_r(&now.tv_sec, &tm) ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		text[0] = '\0';
	strbuf_printf(b, "%s.%06ldZ %s ", text, now.tv_nsec / 1000,
		      all.program[0] ? all.program : "sluice");
}

static void put_head(struct strbuf *b, const struct log_site *site, enum log_level level)
{
	if (all.journal)
		strbuf_put(b, (struct str){ (char[]){ '<', level_of[level].priority, '>' }, 3 });
	else
		put_stamp(b);
	strbuf_printf(b, "%s %s.%s", level_of[level].name, site->module, site->event);
}

/* The end of a line has its room kept, so that neither the count nor the newline is ever clipped.
 * */
static uint32_t make_line(char line[LOG_LINE_MAX], const struct log_site *site,
			  enum log_level level, struct str body, bool clipped, uint64_t held)
{
	char tail_mem[STAMP_BYTES];
	struct strbuf tail = strbuf_of(tail_mem, sizeof(tail_mem));

	if (held > 0)
		strbuf_printf(&tail, " suppressed=%llu", (unsigned long long)held);
	strbuf_char(&tail, '\n');

	struct strbuf b = strbuf_of(line, LOG_LINE_MAX - tail.len - CLIPPED.len);

	put_head(&b, site, level);
	if (body.len > 0)
		strbuf_char(&b, ' ');
	for (uint32_t i = 0; i < body.len && !b.full; i++) {
		if (is_plain(body.s[i]))
			strbuf_char(&b, body.s[i]);
		else
			put_escaped(&b, body.s[i]);
	}
	clipped |= b.full;
	b.full = false;
	b.cap = LOG_LINE_MAX;
	if (clipped)
		strbuf_put(&b, CLIPPED);
	strbuf_put(&b, strbuf_str(&tail));
	return b.len;
}

void log_line(struct log_site *site, enum log_level level, const char *fmt, ...)
{
	char body[LOG_LINE_MAX], line[LOG_LINE_MAX];
	int saved = errno;
	uint64_t held;
	va_list args;

	if ((int)level > all.loudest || level > log_get_level(site->module) ||
	    !site_take(site, &held)) {
		errno = saved;
		return;
	}
	errno = saved; /* for %m */
	va_start(args, fmt);
	int n = vsnprintf(body, sizeof(body), fmt, args);

	va_end(args);
	bool clipped = n >= LOG_LINE_MAX;
	uint32_t body_len = n < 0 ? 0 : clipped ? LOG_LINE_MAX - 1 : (uint32_t)n;
	uint32_t len = make_line(line, site, level, str_of(body, body_len), clipped, held);

	if (write(all.fd, line, len) < 0) {
		/* there is nowhere left to say that the log is gone */
	}
	errno = saved;
}
