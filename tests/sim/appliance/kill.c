/* SPDX-License-Identifier: Apache-2.0 */
/* Control as a child process that dies at kill points. Parent and child take turns over two pipes:
 * the parent says what time it is, the child runs its shard until nothing moves and says whether it
 * did anything. A child that dies is replaced at once by a successor, after what it had said has been
 * carried out - the order in which the service thread does it. */
#include "tests/sim/appliance/appliance.h"

#include "platform/link/kill.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void child_main(struct app *a, int in, int out)
{
	int bell = -1;
	uint64_t now_us = a->now_us;
	struct shard *s;

	kill_armed = true;
	s = shard_new(&a->link, 0, &bell, now_us);
	if (s == NULL)
		_exit(71);
	while (read(in, &now_us, sizeof(now_us)) == sizeof(now_us)) {
		char worked = shard_step(s, now_us);

		if (write(out, &worked, 1) != 1)
			break;
	}
	_exit(0);
}

static void spawn(struct app *a)
{
	int down[2], up[2];

	if (pipe(down) < 0 || pipe(up) < 0)
		abort();
	a->child = fork();
	if (a->child < 0)
		abort();
	if (a->child == 0) {
		close(down[1]);
		close(up[0]);
		child_main(a, down[0], up[1]);
	}
	close(down[0]);
	close(up[1]);
	a->to_child = down[1];
	a->from_child = up[0];
}

void app_child_start(struct app *a)
{
	shard_free(a->shard);
	a->shard = NULL;
	(void)signal(SIGPIPE, SIG_IGN);
	atomic_fetch_add(&a->link.h->epoch, 1);
	edge_pass(a->edge);
	spawn(a);
}

void app_child_stop(struct app *a)
{
	int status;

	close(a->to_child);
	close(a->from_child);
	(void)waitpid(a->child, &status, 0);
	a->child = 0;
}

bool app_child_step(struct app *a)
{
	char worked = 0;
	int status;

	if (write(a->to_child, &a->now_us, sizeof(a->now_us)) == sizeof(a->now_us) &&
	    read(a->from_child, &worked, 1) == 1)
		return worked != 0;
	close(a->to_child);
	close(a->from_child);
	if (waitpid(a->child, &status, 0) < 0 || !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
		printf("schedule failed: control died of something else: status %x\n", (unsigned)status);
		exit(1); /* a broken rule may well trip an assertion first */
	}
	a->deaths++;
	app_drain(a);
	atomic_fetch_add(&a->link.h->epoch, 1);
	edge_pass(a->edge);
	spawn(a);
	return true;
}
