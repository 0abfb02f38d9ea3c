/* SPDX-License-Identifier: Apache-2.0 */
/* The door, with a real second process behind it: the region and its doorbells change hands, refusals
 * come with their reason, and a pidfd that names somebody else is not admitted. */
#include "rig.h"

#include "platform/link/door.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64], path[96];

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/test_door.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/door", folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(folder);
}

static int accept_one(int listener)
{
	struct pollfd p = {.fd = listener, .events = POLLIN};
	int fd;

	assert_int_equal(poll(&p, 1, 5000), 1);
	fd = accept(listener, NULL, NULL);
	assert_true(fd >= 0);
	return fd;
}

static int wait_exit(pid_t child)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Control: attaches, counts one up in the region, rings both bells. ret exit code 0: all as it should */
static int control_main(void)
{
	char text[256];
	struct strbuf why = strbuf_of(text, sizeof(text));
	int bell[LINK_CORES_MAX + LINK_SHARDS_MAX], conn;
	uint64_t one = 1;
	uint32_t epoch = 0;
	struct link l;

	if (door_knock(path, 1, 5000, &l, bell, &epoch, &conn, &why) != 0)
		return 1;
	if (epoch != 33 || l.h->run != 7)
		return 2;
	count(link_counters(&l, 1), shard_rx);
	if (write(bell[0], &one, 8) != 8 || write(bell[1], &one, 8) != 8)
		return 3;
	link_region_unmap(&l);
	return 0;
}

static void knocking_control_gets_region_and_bells(void **state)
{
	struct door_welcome w = {.version = LINK_VERSION, .epoch = 33, .n_bells = 2};
	struct door_hello hello;
	struct link l;
	int listener, conn, pidfd, bell[2];
	uint64_t rung;
	struct stat st;
	uid_t uid = 4711;
	pid_t child;

	(void)state;
	rig_open(&l, 1, 1);
	listener = door_listen(path);
	assert_true(listener >= 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	for (int i = 0; i < 2; i++)
		assert_true((bell[i] = eventfd(0, EFD_NONBLOCK)) >= 0);
	child = fork();
	if (child == 0)
		_exit(control_main());
	conn = accept_one(listener);
	assert_int_equal(door_take_hello(conn, &hello, &pidfd, &uid), 0);
	assert_int_equal(hello.version, LINK_VERSION);
	assert_int_equal(hello.version_min, LINK_VERSION_MIN);
	assert_int_equal(hello.n_shards, 1);
	assert_int_equal(hello.pid, child);
	assert_int_equal(uid, getuid());
	assert_int_equal(door_welcome(conn, &w, l.fd, bell, 2), 0);
	assert_int_equal(wait_exit(child), 0);
	assert_int_equal(link_counter_sum(&l, shard_rx), 1);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(read(bell[i], &rung, 8), 8);
		assert_int_equal(rung, 1);
		close(bell[i]);
	}
	/* the pidfd is the child's: it has ended, and the descriptor says so */
	assert_int_equal(syscall(SYS_pidfd_send_signal, pidfd, 0, NULL, 0), -1);
	assert_int_equal(errno, ESRCH);
	close(pidfd);
	close(conn);
	close(listener);
	link_region_unmap(&l);
}

/* Control that expects to be refused. ret 0: with this error, and the sentence as it was given */
static int refused_main(int err, const char *sentence)
{
	char text[256];
	struct strbuf why = strbuf_of(text, sizeof(text));
	int bell[LINK_CORES_MAX + LINK_SHARDS_MAX], conn = -1;
	uint32_t epoch;
	struct link l;

	if (door_knock(path, 1, 3000, &l, bell, &epoch, &conn, &why) != err)
		return 1;
	return str_eq(strbuf_str(&why), str_from_c(sentence)) && conn == -1 ? 0 : 2;
}

static void refusal_comes_with_its_reason(void **state)
{
	static const int err[] = {-E_VERSION, -E_REFUSED, -E_AGAIN};
	struct door_hello hello;
	int listener = door_listen(path), conn, pidfd;
	uid_t uid;

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct door_welcome w = {.err = err[i], .text = "not today"};
		pid_t child = fork();

		if (child == 0)
			_exit(refused_main(err[i], "not today"));
		conn = accept_one(listener);
		assert_int_equal(door_take_hello(conn, &hello, &pidfd, &uid), 0);
		assert_int_equal(door_welcome(conn, &w, -1, NULL, 0), 0);
		assert_int_equal(wait_exit(child), 0);
		close(pidfd);
		close(conn);
	}
	close(listener);
}

static void door_that_is_shut_is_told_apart(void **state)
{
	char text[256];
	struct strbuf why = strbuf_of(text, sizeof(text));
	int bell[LINK_CORES_MAX + LINK_SHARDS_MAX], conn, listener = door_listen(path);
	uint32_t epoch;
	struct link l;

	(void)state;
	/* nobody answers */
	assert_int_equal(door_knock(path, 1, 50, &l, bell, &epoch, &conn, &why), -ETIMEDOUT);
	assert_non_null(memmem(why.s, why.len, "did not answer", 14));
	close(listener);
	/* the socket of a dead dataplane */
	assert_int_equal(door_knock(path, 1, 50, &l, bell, &epoch, &conn, &why), -ECONNREFUSED);
	/* nothing there: and no socket is in the way of a new listener */
	assert_true((listener = door_listen(path)) >= 0);
	close(listener);
	(void)unlink(path);
	assert_int_equal(door_knock(path, 1, 50, &l, bell, &epoch, &conn, &why), -ENOENT);
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(door_listen(text), -ENAMETOOLONG);
}

/* A hello as a liar sends it: n_fds descriptors, of which the first is `fd`. */
static void send_hello(int conn, const void *p, size_t len, const int *fd, uint32_t n_fds)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(4 * sizeof(int))];
	} room = {0};
	struct iovec v = {(void *)p, len};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};

	if (n_fds > 0) {
		m.msg_control = room.bytes;
		m.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		CMSG_FIRSTHDR(&m)->cmsg_level = SOL_SOCKET;
		CMSG_FIRSTHDR(&m)->cmsg_type = SCM_RIGHTS;
		CMSG_FIRSTHDR(&m)->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), fd, n_fds * sizeof(int));
	}
	assert_int_equal(sendmsg(conn, &m, 0), len);
}

static uint32_t open_fds(void)
{
	uint32_t n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

/* What the door says of a hello; all descriptors that came are closed again. */
static int door_says(const void *p, size_t len, const int *fd, uint32_t n_fds)
{
	struct door_hello hello;
	int pair[2], pidfd = -1, err;
	uid_t uid;
	uint32_t before = open_fds();

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	send_hello(pair[0], p, len, fd, n_fds);
	err = door_take_hello(pair[1], &hello, &pidfd, &uid);
	if (err == 0)
		close(pidfd);
	close(pair[0]);
	close(pair[1]);
	assert_int_equal(open_fds(), before);
	return err;
}

static void hello_that_lies_is_refused(void **state)
{
	struct door_hello hello = {LINK_VERSION, LINK_VERSION_MIN, 1, (uint32_t)getpid()};
	struct door_hello other = hello;
	pid_t child = fork();
	int mine, his, gone, bell = eventfd(0, 0), three[3];

	(void)state;
	if (child == 0) {
		(void)prctl(PR_SET_PDEATHSIG,
			    SIGKILL); /* a failed assertion leaves nobody behind */
		pause();
		_exit(0);
	}
	other.pid = (uint32_t)child;
	mine = (int)syscall(SYS_pidfd_open, getpid(), 0);
	his = (int)syscall(SYS_pidfd_open, child, 0);
	assert_true(mine >= 0 && his >= 0);
	three[0] = mine;
	three[1] = three[2] = bell;
	assert_int_equal(door_says(&hello, sizeof(hello), &mine, 1), 0);
	assert_int_equal(door_says(&hello, sizeof(hello), three, 3), 0); /* the rest is closed */
	assert_int_equal(door_says(&hello, sizeof(hello), NULL, 0), -E_REFUSED);
	assert_int_equal(door_says(&hello, sizeof(hello) - 1, &mine, 1), -E_REFUSED);
	assert_int_equal(door_says(&hello, sizeof(hello), &bell, 1), -E_REFUSED);
	assert_int_equal(door_says(&other, sizeof(other), &his, 1), -E_REFUSED);
	/* a pidfd of somebody else, who would be killed in our place */
	assert_int_equal(door_says(&hello, sizeof(hello), &his, 1), -E_REFUSED);
	assert_int_equal(door_says(&other, sizeof(other), &mine, 1), -E_REFUSED);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(wait_exit(child), -1);
	gone = his;
	assert_int_equal(door_says(&hello, sizeof(hello), &gone, 1), -E_REFUSED);
	close(mine);
	close(his);
	close(bell);
}

static void closed_connection_is_no_hello(void **state)
{
	struct door_hello hello;
	int pair[2], pidfd;
	uid_t uid;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	close(pair[0]);
	assert_int_equal(door_take_hello(pair[1], &hello, &pidfd, &uid), -E_REFUSED);
	close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knocking_control_gets_region_and_bells),
		cmocka_unit_test(refusal_comes_with_its_reason),
		cmocka_unit_test(door_that_is_shut_is_told_apart),
		cmocka_unit_test(hello_that_lies_is_refused),
		cmocka_unit_test(closed_connection_is_no_hello),
	};

	return cmocka_run_group_tests_name("link/door", tests, set_up, tear_down);
}
