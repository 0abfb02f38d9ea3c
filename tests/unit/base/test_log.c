/* SPDX-License-Identifier: Apache-2.0 */
/* log.c, read back through a pipe: the form of a line, what a stranger's bytes can do to it
 * (nothing), limits, levels, journald's prefix, and lines of several threads at once. */
#include "platform/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "platform/base/err.h"
#include "tests/guard.h"

#define STAMP_LEN 28 /* 2025-01-31T23:59:59.123456Z and a space */
#define SAID_MAX 65536

static int pipe_fd[2];
static char said[SAID_MAX];

/* What was logged since the last call. ret bytes; said[] is terminated */
static size_t listen_all(void)
{
	size_t n = 0;
	ssize_t got;

	while (n < SAID_MAX - 1 && (got = read(pipe_fd[0], said + n, SAID_MAX - 1 - n)) > 0)
		n += (size_t)got;
	said[n] = '\0';
	return n;
}

static size_t count_octet(const char *s, char c)
{
	size_t n = 0;

	for (; *s; s++)
		n += *s == c;
	return n;
}

static bool matches_stamp(const char *s)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd.ddddddZ ";

	for (size_t i = 0; form[i]; i++)
		if (form[i] == 'd' ? s[i] < '0' || s[i] > '9' : s[i] != form[i])
			return false;
	return true;
}

/* The one line said, from behind stamp and program. */
static const char *one_line(void)
{
	assert_true(listen_all() > STAMP_LEN);
	assert_int_equal(count_octet(said, '\n'), 1);
	assert_true(matches_stamp(said));
	assert_memory_equal(said + STAMP_LEN, "testing ", 8);
	return said + STAMP_LEN + 8;
}

static int open_pipe(void **state)
{
	if (pipe2(pipe_fd, O_NONBLOCK) != 0)
		return -1;
	(void)unsetenv("JOURNAL_STREAM");
	log_to_fd(pipe_fd[1]);
	log_init("testing", LOG_INFO);
	return 0;
}

static int close_pipe(void **state)
{
	close(pipe_fd[0]);
	close(pipe_fd[1]);
	return 0;
}

/* ---- the line ---- */

static void event_logged_is_one_line_with_stamp_and_level(void **state)
{
	LOG(LOG_NOTICE, "control", "attached", "pid=%d epoch=%u", 4, 7u);
	assert_string_equal(one_line(), "notice control.attached pid=4 epoch=7\n");
	LOG(LOG_ERROR, "a", "b", "%s", "");
	assert_string_equal(one_line(), "error a.b\n");
}

static void long_event_logged_is_clipped_to_the_limit(void **state)
{
	char big[3000];

	for (size_t len = LOG_LINE_MAX - 120; len < LOG_LINE_MAX + 20; len++) {
		struct log_site site = { .module = "m", .event = "e" };

		memset(big, 'x', len);
		big[len] = '\0';
		log_line(&site, LOG_INFO, "v=%s", big);
		const char *line = one_line();
		size_t whole = strlen(said), head = (size_t)(line - said) + strlen("info m.e v=");

		assert_true(whole <= LOG_LINE_MAX);
		if (head + len + 4 <= LOG_LINE_MAX) /* mark and newline would still fit */
			assert_int_equal(whole, head + len + 1);
		else
			assert_string_equal(said + LOG_LINE_MAX - 5, "x...\n");
	}
	memset(big, '\n', sizeof(big) - 1); /* grows as it is escaped */
	big[sizeof(big) - 1] = '\0';
	LOG(LOG_INFO, "m", "e", "%s", big);
	(void)one_line();
	assert_true(strlen(said) <= LOG_LINE_MAX);
	assert_string_equal(said + strlen(said) - 6, "\\n...\n");
}

static void errno_is_kept_and_seen_by_percent_m(void **state)
{
	errno = ENOENT;
	LOG(LOG_INFO, "m", "e", "why=%m");
	assert_int_equal(errno, ENOENT);
	assert_string_equal(one_line(), "info m.e why=No such file or directory\n");
	errno = EPERM;
	LOG(LOG_DEBUG, "m", "e", "%d", 1);
	assert_int_equal(errno, EPERM);
}

static void closed_stream_logged_to_is_survived(void **state)
{
	log_to_fd(-1);
	errno = EPERM;
	LOG(LOG_INFO, "m", "e", "%d", 1);
	assert_int_equal(errno, EPERM);
	log_to_fd(pipe_fd[1]);
	assert_int_equal(listen_all(), 0);
}

/* ---- a stranger's bytes ---- */

static void plain_value_quoted_stays_as_it_is(void **state)
{
	assert_string_equal(log_quote(STR("sip:alice@example.com;x")), "sip:alice@example.com;x");
	assert_string_equal(log_quote(STR("~!'`%s%n")), "~!'`%s%n");
}

static void odd_value_quoted_is_escaped(void **state)
{
	assert_string_equal(log_quote(STR_NONE), "\"\"");
	assert_string_equal(log_quote(STR("a b")), "\"a b\"");
	assert_string_equal(log_quote(STR("a=b")), "\"a=b\"");
	assert_string_equal(log_quote(STR("a\"b")), "\"a\\\"b\"");
	assert_string_equal(log_quote(STR("a\\b")), "\"a\\\\b\"");
	assert_string_equal(log_quote(STR("\r\n\t")), "\"\\r\\n\\t\"");
	assert_string_equal(log_quote(STR("a\0\x1b[2J\x7f")), "\"a\\x00\\x1b[2J\\x7f\"");
	assert_string_equal(log_quote(STR("\xe2\x80\xa8")), "\"\\xe2\\x80\\xa8\""); /* U+2028 */
	assert_string_equal(log_quote(STR("\xc2\x85")), "\"\\xc2\\x85\"");          /* U+0085 */
	assert_string_equal(log_quote(STR("\xff")), "\"\\xff\""); /* no UTF-8 at all */
}

static void every_octet_quoted_gives_printable_text_without_loose_quotes(void **state)
{
	for (int c = 0; c < 256; c++) {
		char value[3] = { 'a', (char)c, 'b' };
		const char *q = log_quote(str_of(value, 3));
		size_t len = strlen(q);

		for (size_t i = 0; i < len; i++)
			assert_true(q[i] >= ' ' && q[i] <= '~');
		if (q[0] != '"') {
			assert_int_equal(len, 3);
			assert_false(c == ' ' || c == '=' || c == '"' || c == '\\');
			continue;
		}
		assert_int_equal(q[len - 1], '"');
		for (size_t i = 1; i < len - 1; i++) {
			if (q[i] == '\\')
				i++;
			else
				assert_int_not_equal(q[i], '"');
		}
	}
}

static void long_value_quoted_is_clipped_between_escapes(void **state)
{
	char value[600];

	memset(value, 'a', sizeof(value));
	assert_int_equal(strlen(log_quote(str_of(value, 255))), 255); /* plain, exactly full */
	assert_int_equal(log_quote(str_of(value, 255))[0], 'a');
	const char *q = log_quote(str_of(value, 256));

	assert_int_equal(strlen(q), 255);
	assert_int_equal(q[0], '"');
	assert_string_equal(q + 250, "a...\"");
	for (size_t n = 0; n < 300; n++) {
		memset(value, 'a', n);
		memset(value + n, '\x01', sizeof(value) - n);
		q = log_quote(str_of(value, sizeof(value)));
		size_t len = strlen(q), escapes = count_octet(q, '\\');

		assert_true(len <= 255);
		assert_string_equal(q + len - 4, "...\"");
		/* an opening quote, the letters, whole escapes, mark and closing quote: nothing
		 * else */
		assert_int_equal(len, 1 + count_octet(q, 'a') + 4 * escapes + 4);
	}
}

static void four_values_quoted_live_side_by_side(void **state)
{
	const char *q[5];

	for (int i = 0; i < 4; i++)
		q[i] = log_quote(str_of(&"wxyz"[i], 1));
	assert_string_equal(q[0], "w");
	assert_string_equal(q[1], "x");
	assert_string_equal(q[2], "y");
	assert_string_equal(q[3], "z");
	q[4] = log_quote(STR("5"));
	assert_ptr_equal(q[4], q[0]);
}

static void quote_prefix(const void *bytes, size_t len, void *ctx)
{
	assert_true(strlen(log_quote(str_of(bytes, len))) < 256);
	*(size_t *)ctx += 1;
}

static void every_prefix_quoted_stays_inside(void **state)
{
	char value[400];
	size_t n = 0;

	memset(value, 'a', sizeof(value));
	value[300] = '\n';
	guard_each_prefix(value, sizeof(value), quote_prefix, &n);
	value[3] = ' ';
	guard_each_prefix(value, sizeof(value), quote_prefix, &n);
	assert_int_equal(n, 802);
}

static void forged_line_logged_stays_one_line(void **state)
{
	static const char *const forged[] = {
		"x\n2025-01-01T00:00:00.000000Z testing error control.fake a=1",
		"x\r<0>error control.fake a=1",
		"x\" suppressed=9 \"",
		"\x1b[2K\x1b[1Gerror control.fake",
		"x\xe2\x80\xa8"
		"error control.fake\xe2\x80\xa9\xc2\x85",
		"\\",
		"\\\"",
		"\"",
		"x\\\n",
		"a\xe2\x80\xae"
		"b",
	};

	for (size_t i = 0; i < sizeof(forged) / sizeof(forged[0]); i++) {
		struct log_site site = { .module = "m", .event = "e" };
		struct str value = str_from_c(forged[i]);

		log_line(&site, LOG_INFO, "from=%s end=1", log_quote(value));
		const char *line = one_line();

		assert_memory_equal(line, "info m.e from=\"", 15);
		assert_string_equal(line + strlen(line) - 8, "\" end=1\n");
		log_line(&site, LOG_INFO, "from=%s end=1", forged[i]); /* forgot to quote */
		line = one_line();
		assert_string_equal(line + strlen(line) - 7, " end=1\n");
		for (const char *p = said; p[1]; p++)
			assert_true(*p >= ' ' && *p <= '~');
	}
}

/* ---- limits ---- */

/* A site whose bucket no longer fills by itself. */
static void stop_refill(struct log_site *site)
{
	log_line(site, LOG_INFO, "n=%d", 0);
	site->limit.rate_per_s = 0;
}

static void busy_site_is_held_back_and_says_how_much(void **state)
{
	struct log_site site = { .module = "m", .event = "e" };

	stop_refill(&site);
	assert_int_equal(site.limit.burst, LOG_BURST);
	for (int i = 1; i < 100; i++)
		log_line(&site, LOG_INFO, "n=%d", i);
	listen_all();
	assert_int_equal(count_octet(said, '\n'), LOG_BURST);
	assert_null(strstr(said, "suppressed"));
	assert_non_null(strstr(said, "n=19\n"));
	assert_int_equal(site.suppressed, 80);

	site.limit.level = 2000000; /* two tokens */
	log_line(&site, LOG_INFO, "n=%d", 100);
	assert_string_equal(one_line(), "info m.e n=100 suppressed=80\n");
	log_line(&site, LOG_INFO, "n=%d", 101);
	assert_string_equal(one_line(), "info m.e n=101\n"); /* said once */
	log_line(&site, LOG_INFO, "n=%d", 102);
	assert_int_equal(listen_all(), 0);
	assert_int_equal(site.suppressed, 1);
}

static void held_back_site_does_not_hold_back_others(void **state)
{
	struct log_site busy = { .module = "m", .event = "busy" };

	stop_refill(&busy);
	for (int i = 0; i < 100; i++)
		log_line(&busy, LOG_INFO, "n=%d", i);
	listen_all();
	LOG(LOG_INFO, "m", "other", "n=%d", 1);
	assert_string_equal(one_line(), "info m.other n=1\n");
}

static void held_back_site_gets_its_rate_again(void **state)
{
	struct log_site site = { .module = "m", .event = "e" };

	for (int i = 0; i < LOG_BURST; i++)
		log_line(&site, LOG_INFO, "n=%d", i);
	assert_int_equal(site.limit.rate_per_s, LOG_PER_S);
	listen_all();
	site.limit.level = 0;
	site.limit.last_us -= 1000000 / LOG_PER_S; /* as if that long had passed */
	log_line(&site, LOG_INFO, "n=%d", 20);
	assert_string_equal(one_line(), "info m.e n=20\n");
}

static void clipped_line_still_says_what_was_suppressed(void **state)
{
	struct log_site site = { .module = "m", .event = "e" };
	char big[2000];

	stop_refill(&site);
	listen_all();
	site.suppressed = 12345;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	log_line(&site, LOG_INFO, "%s", big);
	(void)one_line();
	assert_int_equal(strlen(said), LOG_LINE_MAX);
	assert_string_equal(said + LOG_LINE_MAX - 22, "x... suppressed=12345\n");
}

static void disabled_line_costs_no_token(void **state)
{
	struct log_site site = { .module = "m", .event = "e" };

	for (int i = 0; i < 100; i++)
		log_line(&site, LOG_DEBUG, "n=%d", i);
	assert_int_equal(site.limit.burst, 0);
	assert_int_equal(site.suppressed, 0);
	assert_int_equal(listen_all(), 0);
}

/* ---- journald ---- */

static void name_stream(long long dev_off, long long ino_off)
{
	char text[64];
	struct stat st;

	assert_int_equal(fstat(pipe_fd[1], &st), 0);
	snprintf(text, sizeof(text), "%lld:%lld", (long long)st.st_dev + dev_off,
		 (long long)st.st_ino + ino_off);
	assert_int_equal(setenv("JOURNAL_STREAM", text, 1), 0);
	log_to_fd(pipe_fd[1]);
}

static void stream_named_by_environment_gets_priorities(void **state)
{
	name_stream(0, 0);
	assert_int_equal(log_set_level("*", LOG_DEBUG), 0);
	LOG(LOG_ERROR, "m", "e", "a=%d", 1);
	LOG(LOG_WARN, "m", "e", "a=%d", 1);
	LOG(LOG_NOTICE, "m", "e", "a=%d", 1);
	LOG(LOG_INFO, "m", "e", "a=%d", 1);
	LOG(LOG_DEBUG, "m", "e", "%s", "\n<0>");
	listen_all();
	assert_string_equal(said, "<3>error m.e a=1\n<4>warn m.e a=1\n<5>notice m.e a=1\n"
				  "<6>info m.e a=1\n<7>debug m.e \\n<0>\n");
	assert_int_equal(log_set_level("*", LOG_INFO), 0);
}

static void other_stream_named_gets_stamps(void **state)
{
	static const char *const bad[] = { "", ":", "1", "1:", ":1", "x:y", "-1:-1", " 1:1" };

	name_stream(1, 0);
	LOG(LOG_INFO, "m", "e", "a=%d", 1);
	assert_string_equal(one_line(), "info m.e a=1\n");
	name_stream(0, 1);
	LOG(LOG_INFO, "m", "e", "a=%d", 2);
	assert_string_equal(one_line(), "info m.e a=2\n");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(setenv("JOURNAL_STREAM", bad[i], 1), 0);
		log_to_fd(pipe_fd[1]);
		LOG(LOG_INFO, "m", "e", "a=%d", 3);
		assert_string_equal(one_line(), "info m.e a=3\n");
	}
	name_stream(0, 0);
	log_to_fd(-1); /* named, but this is not it */
	log_to_fd(pipe_fd[1]);
	assert_int_equal(unsetenv("JOURNAL_STREAM"), 0);
	log_init("testing", LOG_INFO);
	LOG(LOG_INFO, "m", "e", "a=%d", 4);
	assert_string_equal(one_line(), "info m.e a=4\n");
}

/* ---- levels ---- */

static void level_names_parse_and_print(void **state)
{
	static const char *const name[LOG_LEVELS] = { "error", "warn", "notice", "info", "debug" };
	enum log_level level;

	for (int i = 0; i < LOG_LEVELS; i++) {
		assert_string_equal(log_level_name((enum log_level)i), name[i]);
		assert_int_equal(log_level_parse(str_from_c(name[i]), &level), 0);
		assert_int_equal(level, i);
	}
	assert_int_equal(log_level_parse(STR("err"), &level), -E_NOT_FOUND);
	assert_int_equal(log_level_parse(STR("errors"), &level), -E_NOT_FOUND);
	assert_int_equal(log_level_parse(STR_NONE, &level), -E_NOT_FOUND);
	assert_int_equal(level, LOG_DEBUG);
	assert_string_equal(log_level_name(LOG_LEVELS), "?");
}

static void module_level_set_rules_that_module_only(void **state)
{
	assert_int_equal(log_set_level("loud", LOG_DEBUG), 0);
	assert_int_equal(log_set_level("quiet", LOG_ERROR), 0);
	assert_int_equal(log_get_level("loud"), LOG_DEBUG);
	assert_int_equal(log_get_level("quiet"), LOG_ERROR);
	assert_int_equal(log_get_level("other"), LOG_INFO);
	assert_int_equal(log_get_level("*"), LOG_INFO);
	LOG(LOG_DEBUG, "loud", "e", "a=%d", 1);
	assert_string_equal(one_line(), "debug loud.e a=1\n");
	LOG(LOG_WARN, "quiet", "e", "a=%d", 1);
	LOG(LOG_DEBUG, "other", "e", "a=%d", 1);
	LOG(LOG_DEBUG, "lou", "e", "a=%d", 1);
	assert_int_equal(listen_all(), 0);
}

static void star_level_set_rules_all_modules(void **state)
{
	assert_int_equal(log_set_level("loud", LOG_DEBUG), 0);
	assert_int_equal(log_set_level("*", LOG_WARN), 0);
	assert_int_equal(log_get_level("loud"), LOG_WARN);
	assert_int_equal(log_get_level("never-named"), LOG_WARN);
	LOG(LOG_NOTICE, "loud", "e", "a=%d", 1);
	assert_int_equal(listen_all(), 0);
	assert_int_equal(log_set_level("*", LOG_INFO), 0);
	assert_int_equal(log_get_level("loud"), LOG_INFO);
}

static void module_table_full_refuses_new_names_only(void **state)
{
	char name[64];
	int err = 0, n = 0;

	memset(name, 'a', sizeof(name));
	name[32] = '\0';
	assert_int_equal(log_set_level(name, LOG_INFO), -E_TOO_LONG);
	name[31] = '\0';
	assert_int_equal(log_set_level(name, LOG_WARN), 0);
	assert_int_equal(log_get_level(name), LOG_WARN);
	while (n < 200 && err == 0) {
		snprintf(name, sizeof(name), "module%d", n++);
		err = log_set_level(name, LOG_NOTICE);
	}
	assert_int_equal(err, -E_TOO_MANY);
	assert_int_equal(n, 64 - 3 + 1); /* loud, quiet and the long name stand already */
	assert_int_equal(log_set_level("module0", LOG_DEBUG), 0);
	assert_int_equal(log_get_level("module0"), LOG_DEBUG);
	assert_int_equal(log_set_level("*", LOG_INFO), 0);
}

/* ---- threads ---- */

enum { THREADS = 4, LINES = 100 };
static struct log_site shared = { .module = "m", .event = "shared" };

static void *log_much(void *arg)
{
	char fill[100];
	int c = 'a' + (int)(intptr_t)arg;

	memset(fill, c, sizeof(fill) - 1);
	fill[sizeof(fill) - 1] = '\0';
	for (int i = 0; i < LINES; i++) {
		log_line(&shared, LOG_INFO, "v=%s", log_quote(str_from_c(fill)));
		if (i % 16 == 0)
			(void)log_set_level("module1", i & 32 ? LOG_DEBUG : LOG_INFO);
	}
	return NULL;
}

static void threads_logging_at_once_keep_lines_whole(void **state)
{
	pthread_t thread[THREADS];
	size_t n = 0, lost = 0;

	/* made before, so that no line is held back for its rate */
	bucket_init(&shared.limit, 1000000, THREADS * LINES, 0);
	for (intptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, log_much, (void *)i), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	listen_all();
	for (char *line = said, *end; (end = strchr(line, '\n')); line = end + 1, n++) {
		*end = '\0';
		char *v = strstr(line, "testing info m.shared v=");

		assert_ptr_equal(v, line + STAMP_LEN);
		v += strlen("testing info m.shared v=");
		assert_int_equal(strlen(v), 99);
		lost += count_octet(v, v[0]) != 99;
	}
	assert_int_equal(n, THREADS * LINES);
	assert_int_equal(lost, 0);
	assert_int_equal(shared.suppressed, 0);
}

int main(void)
{
	/* Names given to modules stay for the life of the process: the level tests keep this order.
	 * */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(event_logged_is_one_line_with_stamp_and_level),
		cmocka_unit_test(long_event_logged_is_clipped_to_the_limit),
		cmocka_unit_test(errno_is_kept_and_seen_by_percent_m),
		cmocka_unit_test(closed_stream_logged_to_is_survived),
		cmocka_unit_test(plain_value_quoted_stays_as_it_is),
		cmocka_unit_test(odd_value_quoted_is_escaped),
		cmocka_unit_test(every_octet_quoted_gives_printable_text_without_loose_quotes),
		cmocka_unit_test(long_value_quoted_is_clipped_between_escapes),
		cmocka_unit_test(four_values_quoted_live_side_by_side),
		cmocka_unit_test(every_prefix_quoted_stays_inside),
		cmocka_unit_test(forged_line_logged_stays_one_line),
		cmocka_unit_test(busy_site_is_held_back_and_says_how_much),
		cmocka_unit_test(held_back_site_does_not_hold_back_others),
		cmocka_unit_test(held_back_site_gets_its_rate_again),
		cmocka_unit_test(clipped_line_still_says_what_was_suppressed),
		cmocka_unit_test(disabled_line_costs_no_token),
		cmocka_unit_test(stream_named_by_environment_gets_priorities),
		cmocka_unit_test(other_stream_named_gets_stamps),
		cmocka_unit_test(level_names_parse_and_print),
		cmocka_unit_test(module_level_set_rules_that_module_only),
		cmocka_unit_test(star_level_set_rules_all_modules),
		cmocka_unit_test(module_table_full_refuses_new_names_only),
		cmocka_unit_test(threads_logging_at_once_keep_lines_whole),
	};

	return cmocka_run_group_tests(tests, open_pipe, close_pipe);
}
