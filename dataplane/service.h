/* SPDX-License-Identifier: Apache-2.0 */
/* The service thread: what a polled core must not do - sockets, fencing, signals, reports.
 *
 * Exactly one control process is admitted at a time. When it dies (its pidfd tells at once) or hangs
 * (no loop progress for control.hang_ms: then it is killed through the pidfd), every core first
 * consumes its down rings to the end - those records are the only copy of what was decided - and only
 * then, with the epoch raised and seen by every core, the next one is admitted. */
#pragma once
#include "platform/link/door.h"
#include <pthread.h>

struct service {
	const struct link *link;
	const struct conf *conf;
	const char *run_dir;
	int bell[LINK_CORES_MAX + LINK_SHARDS_MAX]; /* cores, then shards */
	_Atomic bool *stop;
	uint32_t cpu;                               /* where the thread runs */
	/* private to the thread */
	pthread_t thread;
	int listener;
	int waiting[8];        /* connections that knocked and have not been answered */
	uint32_t n_waiting;
	enum service_state { SERVICE_EMPTY, SERVICE_SERVING, SERVICE_DRAINING } state;
	int control_conn, control_pidfd;
	uint64_t drain_since_us, progress, progress_us, looked_us;
};

/* Listens at run_dir/dataplane.sock and starts the thread. ret 0 · -errno (why has the sentence) */
int service_start(struct service *s, struct strbuf *why);
/* Ends the thread, removes the socket. */
void service_stop(struct service *s);
