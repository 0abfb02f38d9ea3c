/* SPDX-License-Identifier: Apache-2.0 */
/* The messages of RFC 4475 and RFC 5118 against the parser, each with the one outcome that
 * tests/torture/INDEX.tsv names, and each prefix of them next to a forbidden page. The folder is
 * the first argument of the program. */
#include "platform/sip/msg.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "platform/sip/lex.h"
#include "tests/guard.h"

#define ROWS_MAX 128
#define FIELDS 7
enum { F_FILE, F_RFC, F_SECTION, F_CLASS, F_PARSER, F_TEXT, F_PROXY };

static const struct sip_limits limits = {SIP_MSG_MAX, 2048, 8192, 128};
static const char *folder;

struct row {
	char line[512];
	char *field[FIELDS];
};
static struct row rows[ROWS_MAX];
static int n_rows;

static int read_index(void **state)
{
	char path[512];
	FILE *f;

	snprintf(path, sizeof(path), "%s/INDEX.tsv", folder);
	f = fopen(path, "r");
	if (!f)
		return -1;
	while (n_rows < ROWS_MAX && fgets(rows[n_rows].line, sizeof(rows[0].line), f)) {
		struct row *r = &rows[n_rows];
		char *at = r->line;

		r->line[strcspn(r->line, "\n")] = '\0';
		if (r->line[0] == '#' || strncmp(r->line, "file\t", 5) == 0)
			continue;
		for (int i = 0; i < FIELDS; i++)
			r->field[i] = strsep(&at, "\t");
		if (!r->field[FIELDS - 1])
			return -1;
		n_rows++;
	}
	fclose(f);
	return 0;
}

static struct str read_message(const char *name)
{
	static char bytes[SIP_MSG_MAX];
	char path[512];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "rb");
	if (!f)
		fail_msg("%s is not there", path);
	n = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);
	return str_of(bytes, n);
}

static void check_row(const struct row *r)
{
	struct str message = read_message(r->field[F_FILE]);
	struct sip_msg m;
	struct sip_fault f;
	int ret = sip_msg_parse(message, &limits, &m, &f);
	char got[8] = "ok";

	if (ret != 0 && f.status == 0)
		snprintf(got, sizeof(got), "drop");
	else if (ret != 0)
		snprintf(got, sizeof(got), "%u", f.status);
	if (strcmp(got, r->field[F_PARSER]) != 0)
		fail_msg("%s: %s, wanted %s (%s)", r->field[F_FILE], got, r->field[F_PARSER],
			 f.text ? f.text : "-");
	if (ret != 0) {
		assert_int_equal(ret, f.err);
		assert_string_equal(f.text, r->field[F_TEXT]);
		if (f.status == 0)
			assert_false(f.answerable);
		else
			assert_int_equal(f.answerable, strncmp(r->field[F_PROXY], "drop", 4) != 0);
	}
	assert_true(sip_msg_index_ok(&m, message.len));
}

static void torture_message_parsed_has_its_outcome(void **state)
{
	for (const char *const *form = lex_forms(); *form; form++) {
		assert_int_equal(lex_choose(*form), 0);
		for (int i = 0; i < n_rows; i++)
			check_row(&rows[i]);
	}
	lex_init();
}

static int count_files(const char *sub)
{
	char path[512];
	struct dirent *e;
	DIR *d;
	int n = 0;

	snprintf(path, sizeof(path), "%s/%s", folder, sub);
	d = opendir(path);
	assert_non_null(d);
	while ((e = readdir(d)))
		n += strstr(e->d_name, ".dat") != NULL;
	closedir(d);
	return n;
}

static void index_read_names_each_file(void **state)
{
	assert_int_equal(n_rows, 66);
	assert_int_equal(count_files("rfc4475") + count_files("rfc5118") + count_files("variants"),
			 n_rows);
}

static void parse_prefix(const void *bytes, size_t len, void *ctx)
{
	struct sip_msg m;
	struct sip_fault f;

	(void)sip_msg_parse(str_of(bytes, len), &limits, &m, &f); /* must not touch the page */
	assert_true(sip_msg_index_ok(&m, (uint32_t)len));
}

static void torture_prefix_parsed_stays_inside(void **state)
{
	for (int i = 0; i < n_rows; i++) {
		struct str message = read_message(rows[i].field[F_FILE]);

		guard_each_prefix(message.s, message.len, parse_prefix, NULL);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(index_read_names_each_file),
		cmocka_unit_test(torture_message_parsed_has_its_outcome),
		cmocka_unit_test(torture_prefix_parsed_stays_inside),
	};

	folder = argc > 1 ? argv[1] : "tests/torture";
	return cmocka_run_group_tests(tests, read_index, NULL);
}
