/* SPDX-License-Identifier: Apache-2.0 */
/* Folders, lock and run number in a folder of the test's own; what changes the user happens in a
 * child, as root only. */
#include "rig.h"

#include "platform/link/places.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NO_SUCH_USER "sluice-nobody-has"

static char folder[64];

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/test_places.XXXXXX");
	return mkdtemp(folder) == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
	static const char *const made[] = { "a/b/c", "a/b", "a", "run", "run.new", "dataplane.lock" };
	char path[128];

	(void)state;
	for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, made[i]);
		(void)remove(path); /* most tests make a few of them only */
	}
	return rmdir(folder);
}

static const char *in_folder(char *path, size_t size, const char *name)
{
	(void)snprintf(path, size, "%s/%s", folder, name);
	return path;
}

static struct stat stat_of(const char *path)
{
	struct stat s;

	assert_int_equal(stat(path, &s), 0);
	return s;
}

static void write_run(const char *text)
{
	char path[128];
	FILE *f = fopen(in_folder(path, sizeof(path), "run"), "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void absent_make_makes_all_parents(void **state)
{
	char path[128];

	(void)state;
	assert_int_equal(places_make(in_folder(path, sizeof(path), "a/b/c")), 0);
	assert_true(S_ISDIR(stat_of(path).st_mode));
	assert_int_equal(places_make(path), 0); /* there already: nothing to do */
}

static void any_too_long_path_is_refused(void **state)
{
	char path[CONF_TEXT_MAX + 2];

	(void)state;
	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(places_make(path), -ENAMETOOLONG);
}

static void absent_make_for_gives_the_folder_to_the_user(void **state)
{
	const struct passwd *nobody = getpwnam("nobody");
	char path[128];

	(void)state;
	if (geteuid() != 0 || nobody == NULL)
		skip();
	assert_int_equal(places_make_for(in_folder(path, sizeof(path), "a/b"), "nobody"), 0);
	assert_int_equal(stat_of(path).st_uid, nobody->pw_uid);
	assert_int_equal(stat_of(path).st_gid, nobody->pw_gid);
	/* its parent may be somebody else's too */
	assert_int_equal(stat_of(in_folder(path, sizeof(path), "a")).st_uid, 0);
}

static void present_make_for_leaves_the_owner(void **state)
{
	char path[128];

	(void)state;
	assert_int_equal(places_make(in_folder(path, sizeof(path), "a")), 0);
	assert_int_equal(places_make_for(path, "nobody"), 0);
	assert_int_equal(stat_of(path).st_uid, geteuid());
}

static void any_make_for_unknown_user_is_not_found(void **state)
{
	char path[128];

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(places_make_for(in_folder(path, sizeof(path), "a"), NO_SUCH_USER),
			 -E_NOT_FOUND);
	assert_int_equal(places_make_for(path, ""), 0);
}

static void free_lock_is_taken_and_a_second_refused(void **state)
{
	char path[128];

	(void)state;
	assert_int_equal(places_lock(folder, "dataplane"), 0);
	assert_int_equal(places_lock(folder, "dataplane"), -E_REFUSED);
	assert_int_equal(stat_of(in_folder(path, sizeof(path), "dataplane.lock")).st_mode & 0777, 0600);
}

static void absent_folder_lock_says_why(void **state)
{
	char path[128];

	(void)state;
	assert_int_equal(places_lock(in_folder(path, sizeof(path), "none"), "dataplane"), -ENOENT);
}

static void first_run_is_one_then_two(void **state)
{
	uint64_t run = 0;

	(void)state;
	assert_int_equal(places_next_run(folder, &run), 0);
	assert_int_equal(run, 1);
	assert_int_equal(places_next_run(folder, &run), 0);
	assert_int_equal(run, 2);
}

static void written_run_is_followed(void **state)
{
	uint64_t run = 0;

	(void)state;
	write_run("41\n");
	assert_int_equal(places_next_run(folder, &run), 0);
	assert_int_equal(run, 42);
}

static void broken_run_starts_again(void **state)
{
	static const char *const broken[] = { "", "\n", "x", "-1\n", "18446744073709551615\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		uint64_t run = 0;

		write_run(broken[i]);
		assert_int_equal(places_next_run(folder, &run), 0);
		assert_int_equal(run, 1);
	}
}

/* In a child, since there is no way back. ret what the child found, as its exit code */
static int child_of(int (*find)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(find());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* bits: 1 failed · 2 still another's ids · 4 dumpable · 8 root again · 16 said something */
static int become_nobody(void)
{
	const struct passwd *p = getpwnam("nobody");
	uid_t uid = p->pw_uid;
	gid_t gid = p->pw_gid;
	char text[128];
	struct strbuf why = strbuf_of(text, sizeof(text));
	int found = places_become("nobody", &why) == 0 ? 0 : 1;

	if (getuid() != uid || geteuid() != uid || getgid() != gid || getegid() != gid)
		found |= 2;
	if (prctl(PR_GET_DUMPABLE) != 0)
		found |= 4;
	if (setuid(0) == 0)
		found |= 8;
	return found | (why.len ? 16 : 0);
}

static int become_nothing(void)
{
	char text[128];
	struct strbuf why = strbuf_of(text, sizeof(text));
	uid_t uid = geteuid();
	int found = places_become("", &why) == 0 ? 0 : 1;

	return found | (geteuid() != uid ? 2 : 0) | (prctl(PR_GET_DUMPABLE) != 0 ? 4 : 0);
}

static int become_unknown(void)
{
	char text[128];
	struct strbuf why = strbuf_of(text, sizeof(text));

	if (places_become(NO_SUCH_USER, &why) != -E_NOT_FOUND)
		return 1;
	return memmem(why.s, why.len, NO_SUCH_USER, strlen(NO_SUCH_USER)) != NULL ? 0 : 2;
}

static void root_become_is_for_good(void **state)
{
	(void)state;
	if (geteuid() != 0 || getpwnam("nobody") == NULL)
		skip();
	assert_int_equal(child_of(become_nobody), 0);
}

static void any_become_nobody_named_only_closes_memory(void **state)
{
	(void)state;
	assert_int_equal(child_of(become_nothing), 0);
}

static void root_become_unknown_user_names_it(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(child_of(become_unknown), 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(absent_make_makes_all_parents),
		T(any_too_long_path_is_refused),
		T(absent_make_for_gives_the_folder_to_the_user),
		T(present_make_for_leaves_the_owner),
		T(any_make_for_unknown_user_is_not_found),
		T(free_lock_is_taken_and_a_second_refused),
		T(absent_folder_lock_says_why),
		T(first_run_is_one_then_two),
		T(written_run_is_followed),
		T(broken_run_starts_again),
		T(root_become_is_for_good),
		T(any_become_nobody_named_only_closes_memory),
		T(root_become_unknown_user_names_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
