/* SPDX-License-Identifier: Apache-2.0 */
/* Handing the link region over a unix socket: one packet each way, descriptors beside them. */
#include "platform/link/door.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

union fd_room {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int) * DOOR_FDS_MAX)];
};

static int send_with_fds(int conn, const void *p, size_t len, const int *fd, uint32_t n)
{
	union fd_room room = { 0 };
	struct iovec v = { (void *)p, len };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

	if (n > 0) {
		struct cmsghdr *c;

		m.msg_control = room.bytes;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * n);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n);
		memcpy(CMSG_DATA(c), fd, sizeof(int) * n);
	}
	return sendmsg(conn, &m, MSG_NOSIGNAL) == (ssize_t)len ? 0 : -errno;
}

/* ret octets received · -errno; descriptors in fd[0 .. *n) */
static ssize_t recv_with_fds(int conn, void *p, size_t len, int *fd, uint32_t *n)
{
	union fd_room room = { 0 };
	struct iovec v = { p, len };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = room.bytes,
			    .msg_controllen = sizeof(room.bytes) };
	ssize_t got = recvmsg(conn, &m, MSG_CMSG_CLOEXEC);

	*n = 0;
	if (got < 0)
		return -errno;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		*n = (uint32_t)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(fd, CMSG_DATA(c), *n * sizeof(int));
	}
	return got;
}

static int unix_address(const char *path, struct sockaddr_un *a)
{
	size_t n = strlen(path);

	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (n >= sizeof(a->sun_path))
		return -ENAMETOOLONG;
	memcpy(a->sun_path, path, n);
	return 0;
}

int door_listen(const char *path)
{
	struct sockaddr_un a;
	int fd, err = unix_address(path, &a);

	if (err != 0)
		return err;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	(void)unlink(path); /* ours of a killed run; absent is fine */
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || chmod(path, 0600) < 0 || listen(fd, 8) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

/* Which process a pidfd names, as the kernel says in our own fdinfo. ret pid · -1: none, or ended */
static long pidfd_pid(int fd)
{
	char path[64], text[512];
	const char *line;
	ssize_t n;
	int info;

	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	info = open(path, O_RDONLY | O_CLOEXEC);
	if (info < 0)
		return -1;
	n = read(info, text, sizeof(text) - 1);
	close(info);
	text[n > 0 ? n : 0] = '\0';
	line = strstr(text, "\nPid:");
	return line ? strtol(line + 5, NULL, 10) : -1;
}

int door_take_hello(int conn, struct door_hello *hello, int *pidfd, uid_t *uid)
{
	struct ucred cred;
	socklen_t cred_len = sizeof(cred);
	int fd[DOOR_FDS_MAX];
	uint32_t n;
	ssize_t got = recv_with_fds(conn, hello, sizeof(*hello), fd, &n);

	for (uint32_t i = 1; i < n; i++)
		close(fd[i]);
	if (got < 0)
		return (int)got;
	if (got != sizeof(*hello) || n < 1)
		goto refuse;
	if (getsockopt(conn, SOL_SOCKET, SO_PEERCRED, &cred, &cred_len) < 0)
		goto refuse;
	/* the descriptor must name the very process that speaks: what we would kill is what we admit */
	if ((uint32_t)cred.pid != hello->pid || pidfd_pid(fd[0]) != cred.pid ||
	    syscall(SYS_pidfd_send_signal, fd[0], 0, NULL, 0) < 0)
		goto refuse;
	*pidfd = fd[0];
	*uid = cred.uid;
	return 0;
refuse:
	if (n > 0)
		close(fd[0]);
	return -E_REFUSED;
}

int door_welcome(int conn, const struct door_welcome *w, int region_fd, const int *bell, uint32_t n)
{
	int fd[DOOR_FDS_MAX] = { region_fd };

	must(n < DOOR_FDS_MAX);
	for (uint32_t i = 0; i < n; i++)
		fd[1 + i] = bell[i];
	return send_with_fds(conn, w, sizeof(*w), fd, w->err == 0 ? n + 1 : 0);
}

static int knock_connect(const char *path, struct strbuf *why)
{
	struct sockaddr_un a;
	int err = unix_address(path, &a);
	int fd = err == 0 ? socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0) : -1;

	if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	err = err != 0 ? err : -errno;
	strbuf_printf(why, "cannot reach the dataplane at %s: %s; is sluice-dataplane running?", path,
		      err_text(err));
	if (fd >= 0)
		close(fd);
	return err;
}

static int knock_answer(int conn, struct link *l, int *bell, uint32_t *epoch, struct strbuf *why)
{
	struct door_welcome w;
	int fd[DOOR_FDS_MAX], err;
	uint32_t n, theirs;
	ssize_t got = recv_with_fds(conn, &w, sizeof(w), fd, &n);

	if (got < 0) {
		strbuf_printf(why, "the dataplane gave no answer: %s", err_text((int)got));
		return (int)got;
	}
	if (got == 0) {
		strbuf_printf(why, "the dataplane ended before it answered");
		return -E_AGAIN;
	}
	if (got != sizeof(w) || (w.err == 0 && n != 1 + w.n_bells)) {
		strbuf_printf(why, "the dataplane closed the door without an answer");
		return -E_REFUSED;
	}
	w.text[sizeof(w.text) - 1] = '\0';
	if (w.err != 0) {
		strbuf_printf(why, "%s", w.text);
		return w.err;
	}
	err = link_region_map(fd[0], l, &theirs);
	if (err != 0) {
		for (uint32_t i = 0; i < n; i++)
			close(fd[i]);
		strbuf_printf(why, "cannot map the link region (layout %u, this build knows %d to %d): %s",
			      theirs, LINK_VERSION_MIN, LINK_VERSION, err_text(err));
		return err;
	}
	memcpy(bell, fd + 1, w.n_bells * sizeof(int));
	*epoch = w.epoch;
	return 0;
}

int door_knock(const char *path, uint32_t n_shards, int timeout_ms, struct link *l, int *bell,
	       uint32_t *epoch, int *conn, struct strbuf *why)
{
	struct door_hello hello = { LINK_VERSION, LINK_VERSION_MIN, n_shards, (uint32_t)getpid() };
	int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);
	int fd = knock_connect(path, why), err;
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (fd < 0 || pidfd < 0) {
		err = fd < 0 ? fd : -errno;
		goto out;
	}
	err = send_with_fds(fd, &hello, sizeof(hello), &pidfd, 1);
	if (err == 0 && poll(&p, 1, timeout_ms) <= 0) {
		strbuf_printf(why, "the dataplane at %s did not answer in %d ms", path, timeout_ms);
		err = -ETIMEDOUT;
	}
	if (err == 0)
		err = knock_answer(fd, l, bell, epoch, why);
	if (err == 0) {
		*conn = fd;
		close(pidfd);
		return 0;
	}
out:
	if (fd >= 0)
		close(fd);
	if (pidfd >= 0)
		close(pidfd);
	return err;
}
