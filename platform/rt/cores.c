/* SPDX-License-Identifier: Apache-2.0 */
/* The threads of the polled cores.
 *
 * EAL made them at start, one per lcore, bound to its CPU and waiting on a pipe: here they get
 * their function. lcore ids are the numbers of the polled cores, so mempool caches are per polled
 * core, also where two of them share a CPU. */
#include <pthread.h>

#include <rte_launch.h>
#include <rte_lcore.h>

#include "platform/rt/eal.h"

#define THREAD_NAME_MAX 16 /* of the kernel, with terminator */

struct start {
	int (*fn)(void *arg);
	void *arg;
	uint32_t core;
};

static int run(void *arg)
{
	const struct start *s = arg;
	char name[THREAD_NAME_MAX];
	struct strbuf b = strbuf_of(name, sizeof(name));

	strbuf_printf(&b, "sl-poll-%u", s->core);
	(void)pthread_setname_np(pthread_self(), name); /* only a help for who looks at `top` */
	return s->fn(s->arg);
}

int rt_cores_run(const struct rt_roles *r, int (*fn)(void *arg), void **arg)
{
	struct start start[CONF_POLLED_MAX];
	int ret;

	for (uint32_t k = 0; k < r->n_polled; k++) {
		start[k] = (struct start){ fn, arg[k], k };
		/* fails only for an lcore that does not exist or is running already */
		if (k > 0)
			must(rte_eal_remote_launch(run, &start[k], k) == 0);
	}
	ret = run(&start[0]);
	for (uint32_t k = 1; k < r->n_polled; k++) {
		int other = rte_eal_wait_lcore(k);

		ret = ret != 0 ? ret : other;
	}
	return ret;
}
