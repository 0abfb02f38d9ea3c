/* SPDX-License-Identifier: Apache-2.0 */
/* Which CPU each loop runs on.
 *
 * The order of conf.cpus is kept: who writes "6,2" wants the first polled core on 6. "auto" takes
 * the allowed CPUs as they are numbered. Loops are dealt out like cards, polled cores first, so
 * that doubling up begins on the first CPU only when every CPU has one.
 *
 * The set a process may use is the kernel's answer, not what is in the machine: taskset, systemd's
 * AllowedCPUs= and the kubelet's static policy all end there. No DPDK here: control asks too. */
#include "platform/rt/roles.h"

#include <errno.h>
#include <sched.h>

struct cpus {
	uint32_t cpu[RT_CPUS_MAX];
	uint32_t n;
};

static bool cpus_have(const uint32_t *cpu, uint32_t n, uint32_t wanted)
{
	for (uint32_t k = 0; k < n; k++) {
		if (cpu[k] == wanted)
			return true;
	}
	return false;
}

static int cpus_add(struct cpus *c, uint32_t cpu, const uint32_t *allowed, uint32_t n_allowed,
		    struct strbuf *why)
{
	if (cpus_have(c->cpu, c->n, cpu)) {
		strbuf_printf(why, "cpus: CPU %u is named twice", cpu);
		return -E_MALFORMED;
	}
	if (!cpus_have(allowed, n_allowed, cpu)) {
		strbuf_printf(why, "cpus: CPU %u is not among those this process may use (see "
			      "taskset -p, AllowedCPUs=, the container's cpuset)", cpu);
		return -E_NOT_FOUND;
	}
	c->cpu[c->n++] = cpu; /* no overflow: no CPU twice, all < RT_CPUS_MAX */
	return 0;
}

/* One element of the list: "3" or "8-11". */
static int range_parse(struct str text, uint32_t *first, uint32_t *last)
{
	struct str head, rest;
	bool range = str_split(text, '-', &head, &rest);

	if (str_to_u32(str_trim(head), RT_CPUS_MAX - 1, first) != 0)
		return -E_MALFORMED;
	*last = *first;
	if (range && str_to_u32(str_trim(rest), RT_CPUS_MAX - 1, last) != 0)
		return -E_MALFORMED;
	return *last < *first ? -E_MALFORMED : 0;
}

static int list_parse(struct str list, const uint32_t *allowed, uint32_t n_allowed, struct cpus *c,
		      struct strbuf *why)
{
	struct str element, rest = list;
	bool more;

	do { /* each turn takes one element of a bounded text */
		uint32_t first, last;

		more = str_split(rest, ',', &element, &rest);
		if (range_parse(element, &first, &last) != 0) {
			strbuf_printf(why, "cpus: \"%.*s\" is neither \"auto\" nor a list like "
				      "2,3,8-11", STR_FMT(list));
			return -E_MALFORMED;
		}
		for (uint32_t cpu = first; cpu <= last; cpu++) {
			int ret = cpus_add(c, cpu, allowed, n_allowed, why);

			if (ret != 0)
				return ret;
		}
	} while (more);
	return 0;
}

static void deal(const struct cpus *c, struct rt_roles *r)
{
	uint32_t n_loops = r->n_polled + r->n_shards;

	for (uint32_t k = 0; k < CONF_POLLED_MAX; k++)
		r->polled_cpu[k] = k < r->n_polled ? c->cpu[k % c->n] : RT_CPU_NONE;
	for (uint32_t k = 0; k < CONF_SHARDS_MAX; k++)
		r->shard_cpu[k] = k < r->n_shards ? c->cpu[(r->n_polled + k) % c->n] : RT_CPU_NONE;
	/* loop k shares with k - n and k + n, ... : alone where neither is */
	for (uint32_t k = 0; k < r->n_polled; k++)
		r->polled_alone[k] = k < c->n && k + c->n >= n_loops;
	r->service_cpu = c->cpu[c->n - 1];
}

int rt_roles_of(const struct conf *c, const uint32_t *allowed, uint32_t n_allowed,
		struct rt_roles *r, struct strbuf *why)
{
	struct str list = str_trim(str_from_c(c->cpus));
	struct cpus cpus = { .n = 0 };
	int ret;

	*r = (struct rt_roles){ .n_polled = c->polled, .n_shards = c->shards };
	if (c->polled == 0 || c->polled > CONF_POLLED_MAX || c->shards > CONF_SHARDS_MAX) {
		strbuf_printf(why, "polled %u and shards %u: 1..%d polled cores, at most %d shards",
			      c->polled, c->shards, CONF_POLLED_MAX, CONF_SHARDS_MAX);
		return -E_MALFORMED;
	}
	if (str_eq(list, STR("auto"))) {
		for (uint32_t k = 0; k < n_allowed; k++) {
			ret = cpus_add(&cpus, allowed[k], allowed, n_allowed, why);
			if (ret != 0)
				return ret;
		}
	} else {
		ret = list_parse(list, allowed, n_allowed, &cpus, why);
		if (ret != 0)
			return ret;
	}
	deal(&cpus, r);
	return 0;
}

int rt_roles_make(const struct conf *c, struct rt_roles *r, struct strbuf *why)
{
	uint32_t allowed[RT_CPUS_MAX], n = 0;
	cpu_set_t set;

	_Static_assert(CPU_SETSIZE >= RT_CPUS_MAX, "the set holds every CPU we number");
	CPU_ZERO(&set);
	if (sched_getaffinity(0, sizeof(set), &set) != 0) {
		int error = errno;

		strbuf_printf(why, "cpus: sched_getaffinity: %s", err_text(-error));
		return -E_NOT_FOUND;
	}
	for (uint32_t cpu = 0; cpu < RT_CPUS_MAX; cpu++) {
		if (CPU_ISSET(cpu, &set))
			allowed[n++] = cpu;
	}
	return rt_roles_of(c, allowed, n, r, why);
}
