/* SPDX-License-Identifier: Apache-2.0 */
/* Run and state folders. */
#include "platform/link/places.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

int places_make(const char *path)
{
	char part[CONF_TEXT_MAX];

	if (strlen(path) >= sizeof(part))
		return -ENAMETOOLONG;
	for (size_t i = 1; i <= strlen(path); i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

/* ret 1 *p is another user than we are · 0 nothing to change · -E_NOT_FOUND */
static int user_find(const char *user, const struct passwd **p)
{
	if (user[0] == '\0' || geteuid() != 0)
		return 0;
	*p = getpwnam(user); /* libc's buffer: used before the next look-up */
	return *p == NULL ? -E_NOT_FOUND : 1;
}

int places_make_for(const char *path, const char *user)
{
	bool is_there = access(path, F_OK) == 0;
	const struct passwd *p;
	int err = places_make(path), other = user_find(user, &p);

	if (err != 0 || other <= 0)
		return err != 0 ? err : other;
	return is_there || lchown(path, p->pw_uid, p->pw_gid) == 0 ? 0 : -errno;
}

int places_become(const char *user, struct strbuf *why)
{
	const struct passwd *p;
	int other = user_find(user, &p);

	if (other < 0) {
		strbuf_printf(why, "node.user %s does not exist; make it or leave node.user empty", user);
		return other;
	}
	if (other > 0 && (setgroups(0, NULL) < 0 || setgid(p->pw_gid) < 0 || setuid(p->pw_uid) < 0)) {
		int err = -errno;

		strbuf_printf(why, "cannot become %s: %s", user, err_text(err));
		return err;
	}
	(void)prctl(PR_SET_DUMPABLE, 0); /* after setuid(), which sets it as fs.suid_dumpable says */
	return 0;
}

static uint64_t run_read(const char *file)
{
	char text[32] = "";
	uint64_t v = 0;
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0 || str_to_u64(str_trim(str_of(text, (size_t)n)), UINT64_MAX - 1, &v) != 0)
		return 0;
	return v;
}

int places_next_run(const char *state_dir, uint64_t *run)
{
	char file[CONF_TEXT_MAX + 16], fresh[CONF_TEXT_MAX + 16], text[32];
	int fd, err = 0, n;

	(void)snprintf(file, sizeof(file), "%s/run", state_dir);
	(void)snprintf(fresh, sizeof(fresh), "%s/run.new", state_dir);
	*run = run_read(file) + 1;
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	n = snprintf(text, sizeof(text), "%lu\n", *run);
	if (write(fd, text, (size_t)n) != n || fsync(fd) < 0)
		err = errno ? -errno : -EIO;
	close(fd);
	if (err == 0 && rename(fresh, file) < 0)
		err = -errno;
	return err;
}

int places_lock(const char *run_dir, const char *name)
{
	char file[CONF_TEXT_MAX + 48];
	int fd, err;

	(void)snprintf(file, sizeof(file), "%s/%s.lock", run_dir, name);
	/* 0600: whoever may open it may hold the lock, and so keep us from starting */
	fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 0; /* the descriptor is kept open on purpose: the lock ends with the process */
	err = errno == EWOULDBLOCK ? -E_REFUSED : -errno;
	close(fd);
	return err;
}
