/* SPDX-License-Identifier: Apache-2.0 */
/* Which CPU each loop gets: dealt in order, shared only when there are too few, refused outside of
 * what the kernel allows. */
#include "platform/rt/roles.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const uint32_t allowed[] = { 1, 3, 5, 7, 8, 9, 10, 11 };
#define N_ALLOWED 8u

struct result {
	struct rt_roles r;
	int ret;
	char mem[512];
	struct strbuf why;
};

static struct conf conf;

static void make(struct result *x, const char *cpus, uint32_t polled, uint32_t shards,
		 uint32_t n_allowed)
{
	memset(&conf, 0, sizeof(conf));
	memset(x, 0xa5, sizeof(*x));
	x->why = strbuf_of(x->mem, sizeof(x->mem));
	(void)str_to_c(str_from_c(cpus), conf.cpus, sizeof(conf.cpus));
	conf.polled = polled;
	conf.shards = shards;
	x->ret = rt_roles_of(&conf, allowed, n_allowed, &x->r, &x->why);
}

static void refused(const char *cpus, int error, const char *naming)
{
	struct result x;

	make(&x, cpus, 1, 1, N_ALLOWED);
	assert_int_equal(x.ret, error);
	assert_false(x.why.full);
	x.mem[x.why.len] = '\0';
	assert_non_null(strstr(x.mem, naming));
}

static void auto_enough_cpus_deals_polled_first_and_shares_none(void **state)
{
	struct result x;

	make(&x, "auto", 2, 3, N_ALLOWED);
	assert_int_equal(x.ret, 0);
	assert_int_equal(x.r.n_polled, 2);
	assert_int_equal(x.r.n_shards, 3);
	assert_int_equal(x.r.polled_cpu[0], 1);
	assert_int_equal(x.r.polled_cpu[1], 3);
	assert_int_equal(x.r.polled_cpu[2], RT_CPU_NONE);
	assert_int_equal(x.r.shard_cpu[0], 5);
	assert_int_equal(x.r.shard_cpu[1], 7);
	assert_int_equal(x.r.shard_cpu[2], 8);
	assert_int_equal(x.r.shard_cpu[3], RT_CPU_NONE);
	assert_true(x.r.polled_alone[0]);
	assert_true(x.r.polled_alone[1]);
	assert_int_equal(x.r.service_cpu, 11);
	assert_int_equal(x.why.len, 0);
}

static void auto_as_many_cpus_as_loops_leaves_all_alone(void **state)
{
	struct result x;

	make(&x, "auto", 2, 2, 4);
	assert_int_equal(x.ret, 0);
	assert_int_equal(x.r.shard_cpu[1], 7);
	assert_true(x.r.polled_alone[0] && x.r.polled_alone[1]);
	assert_int_equal(x.r.service_cpu, 7);
}

static void auto_one_cpu_too_few_shares_the_first(void **state)
{
	struct result x;

	make(&x, "auto", 2, 2, 3);
	assert_int_equal(x.ret, 0);
	assert_int_equal(x.r.polled_cpu[0], 1);
	assert_int_equal(x.r.polled_cpu[1], 3);
	assert_int_equal(x.r.shard_cpu[0], 5);
	assert_int_equal(x.r.shard_cpu[1], 1);
	assert_false(x.r.polled_alone[0]);
	assert_true(x.r.polled_alone[1]);
}

static void auto_one_cpu_carries_everything(void **state)
{
	struct result x;

	make(&x, "auto", 2, 1, 1);
	assert_int_equal(x.ret, 0);
	assert_int_equal(x.r.polled_cpu[0], 1);
	assert_int_equal(x.r.polled_cpu[1], 1);
	assert_int_equal(x.r.shard_cpu[0], 1);
	assert_false(x.r.polled_alone[0] || x.r.polled_alone[1]);
	assert_int_equal(x.r.service_cpu, 1);
}

static void more_polled_than_cpus_share_among_themselves(void **state)
{
	struct result x;

	make(&x, "auto", 3, 0, 2);
	assert_int_equal(x.ret, 0);
	assert_int_equal(x.r.polled_cpu[2], 1);
	assert_false(x.r.polled_alone[0]);
	assert_true(x.r.polled_alone[1]);
	assert_false(x.r.polled_alone[2]);
}

static void list_keeps_its_order(void **state)
{
	struct result x;

	make(&x, " 9, 8-10 ,3", 1, 1, N_ALLOWED);
	assert_int_equal(x.ret, -E_MALFORMED); /* 9 twice */
	make(&x, " 9,10 - 11 ,3", 2, 2, N_ALLOWED);
	assert_int_equal(x.ret, 0);
	assert_int_equal(x.r.polled_cpu[0], 9);
	assert_int_equal(x.r.polled_cpu[1], 10);
	assert_int_equal(x.r.shard_cpu[0], 11);
	assert_int_equal(x.r.shard_cpu[1], 3);
	assert_int_equal(x.r.service_cpu, 3);
}

static void list_of_one_is_enough(void **state)
{
	struct result x;

	make(&x, "7", 1, 1, N_ALLOWED);
	assert_int_equal(x.ret, 0);
	assert_int_equal(x.r.polled_cpu[0], 7);
	assert_int_equal(x.r.shard_cpu[0], 7);
	assert_false(x.r.polled_alone[0]);
}

static void malformed_list_is_refused(void **state)
{
	refused("", -E_MALFORMED, "auto");
	refused("1,", -E_MALFORMED, "\"1,\"");
	refused(",1", -E_MALFORMED, "\",1\"");
	refused("1,,3", -E_MALFORMED, "\"1,,3\"");
	refused("a", -E_MALFORMED, "\"a\"");
	refused("3-1", -E_MALFORMED, "\"3-1\"");
	refused("1-", -E_MALFORMED, "\"1-\"");
	refused("-1", -E_MALFORMED, "\"-1\"");
	refused("1-3-5", -E_MALFORMED, "\"1-3-5\"");
	refused("1024", -E_MALFORMED, "1024");
	refused("99999999999999999999", -E_MALFORMED, "list");
	refused("autos", -E_MALFORMED, "autos");
	refused("1,1", -E_MALFORMED, "CPU 1 is named twice");
}

static void list_outside_the_allowed_set_names_the_cpu(void **state)
{
	refused("1,2", -E_NOT_FOUND, "CPU 2 ");
	refused("7-12", -E_NOT_FOUND, "CPU 12 ");
	refused("1023", -E_NOT_FOUND, "CPU 1023 ");
}

static void impossible_numbers_of_loops_are_refused(void **state)
{
	struct result x;

	make(&x, "auto", 0, 1, N_ALLOWED);
	assert_int_equal(x.ret, -E_MALFORMED);
	make(&x, "auto", CONF_POLLED_MAX + 1, 1, N_ALLOWED);
	assert_int_equal(x.ret, -E_MALFORMED);
	make(&x, "auto", 1, CONF_SHARDS_MAX + 1, N_ALLOWED);
	assert_int_equal(x.ret, -E_MALFORMED);
	make(&x, "auto", CONF_POLLED_MAX, CONF_SHARDS_MAX, N_ALLOWED);
	assert_int_equal(x.ret, 0);
	assert_int_equal(x.r.polled_cpu[CONF_POLLED_MAX - 1], 11);
	assert_int_equal(x.r.shard_cpu[CONF_SHARDS_MAX - 1], 11);
}

static void every_prefix_of_a_list_ends_cleanly(void **state)
{
	static const char list[] = "1,3,5,8-11";
	struct result x;

	for (size_t n = 0; n < sizeof(list); n++) {
		char text[sizeof(list)];

		(void)str_to_c(str_of(list, n), text, sizeof(text));
		make(&x, text, 1, 1, N_ALLOWED);
		assert_true(x.ret == 0 || x.ret == -E_MALFORMED);
	}
}

static void pinned_process_may_use_only_its_own_cpu(void **state)
{
	struct result x;
	cpu_set_t all, one;
	uint32_t cpu = 0;
	int ret;

	assert_int_equal(sched_getaffinity(0, sizeof(all), &all), 0);
	while (!CPU_ISSET(cpu, &all))
		cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	make(&x, "auto", 1, 1, 1); /* for its conf */
	ret = rt_roles_make(&conf, &x.r, &x.why);
	assert_int_equal(sched_setaffinity(0, sizeof(all), &all), 0);
	assert_int_equal(ret, 0);
	assert_int_equal(x.r.polled_cpu[0], cpu);
	assert_int_equal(x.r.shard_cpu[0], cpu);
	assert_int_equal(x.r.service_cpu, cpu);
	assert_false(x.r.polled_alone[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(auto_enough_cpus_deals_polled_first_and_shares_none),
		cmocka_unit_test(auto_as_many_cpus_as_loops_leaves_all_alone),
		cmocka_unit_test(auto_one_cpu_too_few_shares_the_first),
		cmocka_unit_test(auto_one_cpu_carries_everything),
		cmocka_unit_test(more_polled_than_cpus_share_among_themselves),
		cmocka_unit_test(list_keeps_its_order),
		cmocka_unit_test(list_of_one_is_enough),
		cmocka_unit_test(malformed_list_is_refused),
		cmocka_unit_test(list_outside_the_allowed_set_names_the_cpu),
		cmocka_unit_test(impossible_numbers_of_loops_are_refused),
		cmocka_unit_test(every_prefix_of_a_list_ends_cleanly),
		cmocka_unit_test(pinned_process_may_use_only_its_own_cpu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
