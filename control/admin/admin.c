/* SPDX-License-Identifier: Apache-2.0 */
/* The socket of the operator's hand: connections, and a bounded piece of work per pass of the loop.
 *
 * One epoll instance holds the listening socket, the connections, and a timer that is set whenever
 * work is left over for the next pass, so whoever waits for admin_fd() misses nothing. Callers are
 * trusted by the socket's mode (0660) but not to be quick or right: their number, their requests,
 * their answers and their patience are bounded. */
#include "control/admin/admin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/admin/rpc.h"
#include "platform/base/clock.h"
#include "platform/base/log.h"

#define ADMIN_CLIENTS_MAX 64
#define ADMIN_WORK_MAX 4	/* pieces of work per pass         */
#define ADMIN_ACCEPTS_MAX 4	/* new connections per pass        */
#define ADMIN_STALL_US 10000000 /* nothing moves for so long: gone */
#define SOCKET_NAME "control.sock"
/* What epoll tells: index of a client, or one of these. */
#define TAG_LISTEN (ADMIN_CLIENTS_MAX)
#define TAG_TIMER (ADMIN_CLIENTS_MAX + 1)

struct client {
	int fd;		   /* -1: free                                    */
	uint32_t events;   /* as told to epoll                            */
	uint64_t moved_us; /* last octet in or out, or piece of work      */
	struct rpc *rpc;
};

struct admin {
	struct world world;
	int epoll, listen, timer;
	uint32_t n_clients, turn; /* turn: client that is served first next  */
	uint64_t timer_us;	  /* when the timer is set for; UINT64_MAX: not at all */
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct client client[ADMIN_CLIENTS_MAX];
};

static int watch(struct admin *a, int fd, uint32_t events, uint32_t tag)
{
	struct epoll_event e = {.events = events, .data.u32 = tag};

	return epoll_ctl(a->epoll, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

/* A left-over socket of a process that was killed is taken away: only one control runs in a run_dir,
 * which the caller made sure of. */
static int listen_at(struct admin *a)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	mode_t mask;
	int err;

	memcpy(at.sun_path, a->path, sizeof(at.sun_path));
	(void)unlink(a->path); /* mostly not there */
	a->listen = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (a->listen < 0)
		return -errno;
	mask = umask(0117);
	err = bind(a->listen, (struct sockaddr *)&at, sizeof(at)) < 0 ? -errno : 0;
	(void)umask(mask); /* cannot fail */
	if (err == 0 && (chmod(a->path, 0660) < 0 || listen(a->listen, ADMIN_CLIENTS_MAX) < 0))
		err = -errno;
	return err;
}

static int admin_open(struct admin *a)
{
	int err;

	a->epoll = epoll_create1(EPOLL_CLOEXEC);
	a->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (a->epoll < 0 || a->timer < 0)
		return -errno;
	err = listen_at(a);
	if (err == 0)
		err = watch(a, a->listen, EPOLLIN, TAG_LISTEN);
	if (err == 0)
		err = watch(a, a->timer, EPOLLIN, TAG_TIMER);
	return err;
}

struct admin *admin_new(const char *run_dir, struct shard **shards, uint32_t n_shards,
			struct strbuf *why)
{
	struct admin *a = calloc(1, sizeof(*a));
	int n, err = -ENOMEM;

	if (a == NULL)
		goto out;
	a->epoll = a->listen = a->timer = -1;
	a->timer_us = UINT64_MAX;
	for (uint32_t i = 0; i < ADMIN_CLIENTS_MAX; i++)
		a->client[i].fd = -1;
	a->world = (struct world){.shards = shards,
				  .n_shards = n_shards,
				  .link = shards[0]->link,
				  .start_us = clock_now_us()};
	n = snprintf(a->path, sizeof(a->path), "%s/%s", run_dir, SOCKET_NAME);
	err = n >= (int)sizeof(a->path) ? -ENAMETOOLONG : admin_open(a);
	if (err == 0)
		return a;
out:
	strbuf_printf(why, "%s/%s: cannot listen: %s", run_dir, SOCKET_NAME, err_text(err));
	if (a != NULL && err == -ENAMETOOLONG)
		a->path[0] = '\0'; /* the clipped name is not ours to remove */
	admin_free(a);
	return NULL;
}

static void client_close(struct admin *a, struct client *c)
{
	(void)close(c->fd); /* nothing is left to lose; epoll forgets it */
	rpc_fini(c->rpc);
	free(c->rpc);
	*c = (struct client){.fd = -1};
	a->n_clients--;
}

void admin_free(struct admin *a)
{
	if (a == NULL)
		return;
	for (uint32_t i = 0; i < ADMIN_CLIENTS_MAX; i++) {
		if (a->client[i].fd >= 0)
			client_close(a, &a->client[i]);
	}
	if (a->listen >= 0) {
		close(a->listen);
		(void)unlink(a->path); /* the folder may be gone already */
	}
	if (a->timer >= 0)
		close(a->timer);
	if (a->epoll >= 0)
		close(a->epoll);
	free(a);
}

int admin_fd(const struct admin *a)
{
	return a->epoll;
}

static struct client *client_free_place(struct admin *a)
{
	for (uint32_t i = 0; i < ADMIN_CLIENTS_MAX; i++) {
		if (a->client[i].fd < 0)
			return &a->client[i];
	}
	return NULL;
}

static void client_refuse(int fd)
{
	static const char text[] = "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32000,\"message\":"
				   "\"Too many clients\"},\"id\":null}\n";

	(void)send(fd, text, sizeof(text) - 1, MSG_NOSIGNAL); /* a courtesy: it may be gone */
	close(fd);
	LOG(LOG_WARN, "admin", "refused", "clients=%d", ADMIN_CLIENTS_MAX);
}

static void client_add(struct admin *a, int fd, uint64_t now_us)
{
	struct client *c = client_free_place(a);
	struct ucred who = {.uid = (uid_t)-1};
	socklen_t len = sizeof(who);

	if (c == NULL) {
		client_refuse(fd);
		return;
	}
	(void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len); /* else it stays nobody */
	*c = (struct client){
		.fd = fd, .events = EPOLLIN, .moved_us = now_us, .rpc = malloc(sizeof(struct rpc))};
	if (c->rpc == NULL || watch(a, fd, EPOLLIN, (uint32_t)(c - a->client)) != 0) {
		free(c->rpc);
		*c = (struct client){.fd = -1};
		client_refuse(fd);
		return;
	}
	rpc_init(c->rpc, &a->world, (uint32_t)who.uid, (uint32_t)who.pid);
	a->n_clients++;
}

static void accept_some(struct admin *a, uint64_t now_us)
{
	for (int i = 0; i < ADMIN_ACCEPTS_MAX; i++) {
		int fd = accept4(a->listen, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0)
			return;
		client_add(a, fd, now_us);
	}
}

/* ret false: the connection broke */
static bool client_read(struct client *c, uint64_t now_us)
{
	uint32_t room;
	char *to = rpc_room(c->rpc, &room);
	ssize_t n;

	if (room == 0)
		return true;
	n = recv(c->fd, to, room, 0);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	c->moved_us = now_us;
	if (n == 0)
		rpc_end(c->rpc);
	else
		rpc_fed(c->rpc, (uint32_t)n);
	return true;
}

static bool client_write(struct client *c, uint64_t now_us)
{
	struct str out = rpc_output(c->rpc);
	ssize_t n;

	if (out.len == 0)
		return true;
	n = send(c->fd, out.s, out.len, MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	c->moved_us = now_us;
	rpc_sent(c->rpc, (uint32_t)n);
	return true;
}

/* Read only where the octets have somewhere to go and the last answer is out. */
static uint32_t client_wants(const struct client *c)
{
	uint32_t room;

	if (rpc_output(c->rpc).len > 0)
		return EPOLLOUT;
	(void)rpc_room(c->rpc, &room);
	return room > 0 && c->rpc->line == NULL ? EPOLLIN : 0;
}

static void client_settle(struct admin *a, struct client *c, uint64_t now_us)
{
	struct epoll_event e = {.events = client_wants(c), .data.u32 = (uint32_t)(c - a->client)};

	if (rpc_over(c->rpc)) {
		client_close(a, c);
		return;
	}
	if (c->rpc->line == NULL && rpc_waits_for_peer(c->rpc) &&
	    now_us >= c->moved_us + ADMIN_STALL_US) {
		LOG(LOG_INFO, "admin", "stalled", "uid=%u pid=%u", c->rpc->uid, c->rpc->pid);
		client_close(a, c);
		return;
	}
	if (e.events != c->events && epoll_ctl(a->epoll, EPOLL_CTL_MOD, c->fd, &e) == 0)
		c->events = e.events;
}

static bool take_events(struct admin *a, uint64_t now_us)
{
	struct epoll_event e[ADMIN_CLIENTS_MAX + 2];
	int n = epoll_wait(a->epoll, e, ADMIN_CLIENTS_MAX + 2, 0);

	for (int i = 0; i < n; i++) {
		uint32_t tag = e[i].data.u32;
		uint64_t expirations;
		bool ok = true;

		if (tag == TAG_TIMER) {
			(void)!read(a->timer, &expirations,
				    sizeof(expirations)); /* set anew below */
			a->timer_us = UINT64_MAX;
			continue;
		}
		if (tag == TAG_LISTEN) {
			accept_some(a, now_us);
			continue;
		}
		if (a->client[tag].fd < 0)
			continue;
		if (e[i].events & EPOLLOUT)
			ok = client_write(&a->client[tag], now_us);
		if (ok && (e[i].events & EPOLLIN))
			ok = client_read(&a->client[tag], now_us);
		/* hung up in both directions: nobody will read an answer, but what was asked last is done */
		if (ok && (e[i].events & (EPOLLIN | EPOLLHUP)) == EPOLLHUP)
			ok = rpc_next_us(a->client[tag].rpc) == 0;
		if (!ok || (e[i].events & EPOLLERR))
			client_close(a, &a->client[tag]);
	}
	return n > 0;
}

static bool work_some(struct admin *a, uint64_t now_us)
{
	uint32_t done = 0, idle = 0;

	while (done < ADMIN_WORK_MAX && idle < ADMIN_CLIENTS_MAX) {
		struct client *c = &a->client[a->turn];

		a->turn = (a->turn + 1) % ADMIN_CLIENTS_MAX;
		if (c->fd < 0 || !rpc_step(c->rpc, now_us)) {
			idle++;
			continue;
		}
		idle = 0;
		done++;
		c->moved_us = now_us;
		if (!client_write(c, now_us))
			client_close(a, c);
	}
	return done > 0;
}

/* The timer makes admin_fd() readable when there is work that no descriptor tells of. */
static void timer_set(struct admin *a, uint64_t now_us)
{
	uint64_t next = UINT64_MAX;
	struct itimerspec at = {0};

	for (uint32_t i = 0; i < ADMIN_CLIENTS_MAX; i++) {
		const struct client *c = &a->client[i];
		uint64_t want;

		if (c->fd < 0)
			continue;
		want = rpc_next_us(c->rpc);
		if (want == UINT64_MAX && rpc_waits_for_peer(c->rpc))
			want = c->moved_us + ADMIN_STALL_US;
		if (want < next)
			next = want;
	}
	if (next == UINT64_MAX || next == a->timer_us)
		return; /* one that fires for nothing does no harm */
	a->timer_us = next;
	next = next > now_us ? next : now_us; /* in the past: at once */
	at.it_value.tv_sec = (time_t)(next / 1000000);
	at.it_value.tv_nsec = (long)(next % 1000000 * 1000);
	if (next == 0)
		at.it_value.tv_nsec = 1; /* all zero would switch it off */
	(void)timerfd_settime(a->timer, TFD_TIMER_ABSTIME, &at,
			      NULL); /* no such values are wrong */
}

bool admin_step(struct admin *a, uint64_t now_us)
{
	bool any = take_events(a, now_us);

	if (a->n_clients == 0)
		return any;
	any |= work_some(a, now_us);
	for (uint32_t i = 0; i < ADMIN_CLIENTS_MAX; i++) {
		if (a->client[i].fd >= 0)
			client_settle(a, &a->client[i], now_us);
	}
	timer_set(a, now_us);
	return any;
}
