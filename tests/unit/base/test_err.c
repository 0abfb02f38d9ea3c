/* SPDX-License-Identifier: Apache-2.0 */
/* err.c: each result has its own text, out-of-range ones do no harm, and must() ends the process
 * with a line that says where. */
#include "platform/base/err.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void zero_asked_says_ok(void **state)
{
	assert_string_equal(err_text(0), "ok");
}

static void own_error_asked_has_a_text_of_its_own(void **state)
{
	for (int a = E_MALFORMED; a < E_MAX; a++) {
		assert_string_not_equal(err_text(-a), "unknown error");
		for (int b = E_MALFORMED; b < a; b++)
			assert_string_not_equal(err_text(-a), err_text(-b));
	}
	assert_string_equal(err_text(-E_MALFORMED), "malformed");
	assert_string_equal(err_text(-E_STALE), "stale handle");
	assert_string_equal(err_text(-E_AGAIN), "not now, try again");
}

static void system_error_asked_has_the_systems_text(void **state)
{
	assert_string_equal(err_text(-ENOENT), "No such file or directory");
	assert_string_equal(err_text(-EPERM), "Operation not permitted");
}

static void stray_value_asked_is_unknown(void **state)
{
	static const int stray[] = { 1, E_MALFORMED, -E_MAX, -E_MAX - 1, -999, INT_MIN, INT_MAX };

	for (size_t i = 0; i < sizeof(stray) / sizeof(stray[0]); i++)
		assert_string_equal(err_text(stray[i]), "unknown error");
}

static void true_condition_passes(void **state)
{
	int n = 0;

	must(++n == 1);
	assert_int_equal(n, 1);
}

/* Runs must_fail() in a child with stderr on a pipe. ret bytes of what it said */
static size_t fail_in_child(const char *expr, char *said, size_t cap, int *status)
{
	int fd[2];

	assert_int_equal(pipe(fd), 0);
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct rlimit none = { 0, 0 };

		(void)setrlimit(RLIMIT_CORE, &none); /* the core is not what is tested */
		(void)signal(SIGABRT, SIG_DFL);
		(void)dup2(fd[1], STDERR_FILENO);
		must_fail(expr, "some/file.c", 42);
	}
	close(fd[1]);
	assert_int_equal(waitpid(pid, status, 0), pid);
	ssize_t n = read(fd[0], said, cap - 1);

	close(fd[0]);
	assert_true(n >= 0);
	said[n] = '\0';
	return (size_t)n;
}

static void false_condition_aborts_with_place_and_text(void **state)
{
	char said[1024];
	int status;

	fail_in_child("a == b", said, sizeof(said), &status);
	assert_string_equal(said, "some/file.c:42: must(a == b) failed\n");
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void false_condition_with_huge_text_still_ends_its_line(void **state)
{
	static char huge[5000];
	char said[8192];
	int status;

	memset(huge, 'x', sizeof(huge) - 1);
	size_t n = fail_in_child(huge, said, sizeof(said), &status);

	assert_true(n > 0 && n <= 512);
	assert_int_equal(said[n - 1], '\n');
	assert_true(WIFSIGNALED(status));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zero_asked_says_ok),
		cmocka_unit_test(own_error_asked_has_a_text_of_its_own),
		cmocka_unit_test(system_error_asked_has_the_systems_text),
		cmocka_unit_test(stray_value_asked_is_unknown),
		cmocka_unit_test(true_condition_passes),
		cmocka_unit_test(false_condition_aborts_with_place_and_text),
		cmocka_unit_test(false_condition_with_huge_text_still_ends_its_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
