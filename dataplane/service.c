/* SPDX-License-Identifier: Apache-2.0 */
/* The service thread of the dataplane: admits one control process, watches it, fences it.
 *
 * States: EMPTY (nobody), SERVING (one control holds the region), DRAINING (it is dead; cores finish
 * what it had said). A control that knocks while another is there, or while DRAINING, waits in a short
 * list: a stand-by that is admitted the moment the place is free. */
#include "dataplane/service.h"

#include "platform/base/clock.h"
#include "platform/base/idle.h"
#include "platform/base/log.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define WAITING_MAX 8
#define TICK_MS 100
#define DRAIN_TICK_MS 1
#define DRAIN_WARN_US 1000000
#define LOOK_MAX_US 500000 /* between two looks at control's progress */

static uint64_t shards_progress(const struct link *l)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < l->h->n_shards; i++)
		sum += atomic_load_explicit(&link_shard_loop(l, i)->progress, memory_order_relaxed);
	return sum;
}

/* All that the dead control has said has been carried out, and every core lends under the new epoch. */
static bool drained(const struct link *l, uint32_t epoch)
{
	for (uint32_t core = 0; core < l->h->n_cores; core++) {
		if (atomic_load_explicit(&link_core_loop(l, core)->epoch_seen, memory_order_acquire) != epoch)
			return false;
		for (uint32_t s = 0; s < l->h->n_shards; s++) {
			const struct link_ring *r = link_down_ring(l, core, s);

			if (atomic_load_explicit(&r->head, memory_order_acquire) !=
			    atomic_load_explicit(&r->tail, memory_order_acquire))
				return false;
		}
	}
	return true;
}

static void wake_cores(struct service *s)
{
	for (uint32_t core = 0; core < s->link->h->n_cores; core++)
		(void)idle_wake(&link_core_loop(s->link, core)->sleeping, s->bell[core]);
}

static void refuse(int conn, int err, const char *text)
{
	struct door_welcome w = { .err = err, .version = LINK_VERSION };

	(void)str_to_c(str_from_c(text), w.text, sizeof(w.text));
	(void)door_welcome(conn, &w, -1, NULL, 0); /* it may be gone: nothing is lost */
	close(conn);
}

/* ret 0 admitted · < 0 refused (conn closed) */
static int admit(struct service *s, int conn)
{
	struct link_header *h = s->link->h;
	struct door_welcome w = { .version = LINK_VERSION, .n_bells = h->n_cores + h->n_shards };
	struct door_hello hello;
	uid_t uid;
	int pidfd, err = door_take_hello(conn, &hello, &pidfd, &uid);

	if (err == 0 && uid != 0 && uid != geteuid()) {
		close(pidfd);
		err = -E_REFUSED;
	}
	if (err != 0) {
		refuse(conn, -E_REFUSED, "refused: a control process must run as the dataplane's user and "
					 "pass a pidfd of itself");
		return err;
	}
	if (LINK_VERSION > hello.version || LINK_VERSION < hello.version_min) {
		(void)snprintf(w.text, sizeof(w.text),
			       "link layout mismatch: the dataplane has %d, this control knows %u to %u; "
			       "install matching versions, control first",
			       LINK_VERSION, hello.version_min, hello.version);
		err = -E_VERSION;
	} else if (hello.n_shards != h->n_shards) {
		(void)snprintf(w.text, sizeof(w.text),
			       "cores.shards mismatch: the dataplane runs with %u, this control with %u; "
			       "the number is fixed while the dataplane runs",
			       h->n_shards, hello.n_shards);
		err = -E_REFUSED;
	}
	if (err != 0) {
		LOG(LOG_WARN, "service", "control_refused", "pid=%u why=%s", hello.pid,
		    log_quote(str_from_c(w.text)));
		refuse(conn, err, w.text);
		close(pidfd);
		return err;
	}
	w.epoch = atomic_load_explicit(&h->epoch, memory_order_relaxed);
	err = door_welcome(conn, &w, s->link->fd, s->bell, w.n_bells);
	if (err != 0) {
		close(pidfd);
		close(conn);
		return err;
	}
	s->control_conn = conn;
	s->control_pidfd = pidfd;
	h->control_pid = hello.pid;
	s->progress = shards_progress(s->link);
	s->progress_us = s->looked_us = clock_now_us();
	s->state = SERVICE_SERVING;
	atomic_store_explicit(&h->control_alive, 1, memory_order_release);
	LOG(LOG_NOTICE, "service", "control_admitted", "pid=%u epoch=%u", hello.pid, w.epoch);
	return 0;
}

/* The one that was there is dead: raise the epoch, so that from each core's next pass on every slot is
 * lent under the new one, and wait for the rest of what it said. */
static void drain_begin(struct service *s, const char *why)
{
	struct link_header *h = s->link->h;
	uint64_t now_us = clock_now_us();

	LOG(LOG_WARN, "service", "control_gone", "pid=%u why=%s", h->control_pid, why);
	atomic_store_explicit(&h->control_lost_us, now_us, memory_order_relaxed);
	atomic_store_explicit(&h->control_alive, 0, memory_order_release);
	close(s->control_conn);
	close(s->control_pidfd);
	s->state = SERVICE_DRAINING;
	s->drain_since_us = now_us;
	/* release: pairs with edge_pass() */
	atomic_fetch_add_explicit(&h->epoch, 1, memory_order_release);
	wake_cores(s);
}

static void watch_control(struct service *s, short pidfd_events)
{
	uint64_t now_us = clock_now_us(), progress = shards_progress(s->link);

	if (pidfd_events != 0) {
		drain_begin(s, "ended");
		return;
	}
	/* we were away ourselves (a paused machine): what we did not watch proves nothing */
	if (progress != s->progress || now_us - s->looked_us > LOOK_MAX_US)
		s->progress_us = now_us;
	s->progress = progress;
	s->looked_us = now_us;
	if (s->conf->control_hang_ms == 0 ||
	    now_us - s->progress_us < (uint64_t)s->conf->control_hang_ms * 1000)
		return;
	/* fenced: it is killed, and nothing more is done until it is gone for certain */
	if (syscall(SYS_pidfd_send_signal, s->control_pidfd, SIGKILL, NULL, 0) < 0 && errno != ESRCH) {
		LOG(LOG_ERROR, "service", "fence_failed", "pid=%u errno=%d", s->link->h->control_pid, errno);
		return;
	}
	struct pollfd p = { .fd = s->control_pidfd, .events = POLLIN };
	if (poll(&p, 1, 5000) > 0)
		drain_begin(s, "hung_and_killed");
}

static void accept_all(struct service *s)
{
	for (;;) {
		int conn = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC);

		if (conn < 0)
			return;
		if (s->n_waiting == WAITING_MAX)
			refuse(conn, -E_AGAIN, "too many control processes are waiting");
		else
			s->waiting[s->n_waiting++] = conn;
	}
}

static void waiting_drop(struct service *s, uint32_t i)
{
	memmove(&s->waiting[i], &s->waiting[i + 1], (--s->n_waiting - i) * sizeof(int));
}

/* Somebody who waited has spoken or gone. Only the first that has spoken is let in. */
static void answer_waiting(struct service *s)
{
	for (uint32_t i = 0; s->state == SERVICE_EMPTY && i < s->n_waiting;) {
		struct pollfd p = { .fd = s->waiting[i], .events = POLLIN };

		if (poll(&p, 1, 0) <= 0) {
			i++;
			continue;
		}
		int conn = s->waiting[i];
		waiting_drop(s, i);
		(void)admit(s, conn); /* refused ones are told and logged */
	}
}

static void drop_hung_up(struct service *s)
{
	for (uint32_t i = 0; i < s->n_waiting;) {
		struct pollfd p = { .fd = s->waiting[i], .events = 0 };

		if (poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR)) != 0) {
			close(s->waiting[i]);
			waiting_drop(s, i);
		} else {
			i++;
		}
	}
}

static void service_step(struct service *s, int timeout_ms)
{
	struct pollfd p[2 + WAITING_MAX] = {
		{ .fd = s->listener, .events = POLLIN },
		{ .fd = s->state == SERVICE_SERVING ? s->control_pidfd : -1, .events = POLLIN },
	};
	nfds_t n = 2;

	for (uint32_t i = 0; s->state == SERVICE_EMPTY && i < s->n_waiting; i++)
		p[n++] = (struct pollfd){ .fd = s->waiting[i], .events = POLLIN };
	(void)poll(p, n, timeout_ms);
	if (p[0].revents != 0)
		accept_all(s);
	if (s->state == SERVICE_SERVING)
		watch_control(s, p[1].revents);
	if (s->state == SERVICE_DRAINING) {
		uint32_t epoch = atomic_load_explicit(&s->link->h->epoch, memory_order_relaxed);

		if (drained(s->link, epoch)) {
			s->state = SERVICE_EMPTY;
		} else if (clock_now_us() - s->drain_since_us > DRAIN_WARN_US) {
			LOG(LOG_WARN, "service", "drain_slow", "epoch=%u: a core does not consume", epoch);
			wake_cores(s);
		}
	}
	drop_hung_up(s);
	answer_waiting(s);
}

static void *service_run(void *arg)
{
	struct service *s = arg;

	while (!atomic_load_explicit(s->stop, memory_order_relaxed))
		service_step(s, s->state == SERVICE_DRAINING ? DRAIN_TICK_MS : TICK_MS);
	return NULL;
}

int service_start(struct service *s, struct strbuf *why)
{
	char path[CONF_TEXT_MAX + 32];
	cpu_set_t set;
	int err;

	(void)snprintf(path, sizeof(path), "%s/dataplane.sock", s->run_dir);
	s->listener = door_listen(path);
	if (s->listener < 0) {
		strbuf_printf(why, "cannot listen at %s: %s", path, err_text(s->listener));
		return s->listener;
	}
	/* epoch 1 is the first control's; cores take it up in their first pass */
	atomic_store_explicit(&s->link->h->epoch, 1, memory_order_release);
	atomic_store_explicit(&s->link->h->control_lost_us, clock_now_us(), memory_order_relaxed);
	s->state = SERVICE_DRAINING;
	s->drain_since_us = clock_now_us();
	err = pthread_create(&s->thread, NULL, service_run, s);
	if (err != 0) {
		close(s->listener);
		return -err;
	}
	(void)pthread_setname_np(s->thread, "sl-service");
	CPU_ZERO(&set);
	CPU_SET(s->cpu, &set);
	/* a wish: on the polled core's CPU it would still do its work, later */
	(void)pthread_setaffinity_np(s->thread, sizeof(set), &set);
	return 0;
}

void service_stop(struct service *s)
{
	char path[CONF_TEXT_MAX + 32];

	pthread_join(s->thread, NULL);
	(void)snprintf(path, sizeof(path), "%s/dataplane.sock", s->run_dir);
	(void)unlink(path);
	close(s->listener);
}
