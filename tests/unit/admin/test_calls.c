/* SPDX-License-Identifier: Apache-2.0 */
/* Each call over a region filled by hand: contents, pages, true and false audits. With --print-doc it
 * writes docs/RPC.md to its output; run in the project's root folder. */
#include "tests/unit/admin/world.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>


/* core, log, rpc */

static void any_core_calls_tell_who_we_are(void **state)
{
	json_t *r = result_of("core.version", NULL);

	assert_true(strncmp(json_string_value(r), "sluice " SLUICE_VERSION " (",
			    strlen("sluice " SLUICE_VERSION " (")) == 0);
	json_decref(r);
	r = result_of("core.uptime", NULL);
	assert_int_equal(number(r, "uptime"), 3600);
	assert_int_equal(number(r, "control_uptime"), 5);
	assert_int_equal(strlen(string(r, "now")), 24);
	assert_int_equal(strlen(string(r, "up_since")), 24);
	json_decref(r);
	r = result_of("core.info", NULL);
	assert_string_equal(string(r, "version"), "sluice " SLUICE_VERSION);
	assert_int_equal(number(r, "run"), 7);
	assert_int_equal(number(r, "control_pid"), getpid());
	assert_non_null(strstr(string(r, "compiler"), "."));
	json_decref(r);
}

static void any_list_names_every_call_once(void **state)
{
	json_t *list = result_of("rpc.list", NULL), *names = result_of("system.listMethods", NULL),
	       *help;

	assert_int_equal(json_array_size(list), n_calls);
	assert_int_equal(json_array_size(names), n_calls);
	for (uint32_t i = 0; i < n_calls; i++) {
		assert_ptr_equal(call_find(str_from_c(call_table[i].name)), &call_table[i]);
		assert_string_equal(string(json_array_get(list, i), "name"), call_table[i].name);
	}
	assert_true(json_is_true(at(row_named(list, "shutdown"), "changes")));
	assert_true(json_is_false(at(row_named(list, "drops"), "changes")));
	help = result_of("system.methodHelp", "[\"drops\"]");
	assert_string_equal(json_string_value(help), call_find(STR("drops"))->text);
	json_decref(help);
	help = result_of("system.methodHelp", "[\"nosuch\"]");
	assert_int_equal(number(help, "code"), 500);
	json_decref(help);
	json_decref(list);
	json_decref(names);
}

static void any_doc_is_what_the_table_says(void **state)
{
	struct text doc = text_of(1u << 20);
	static char file[1u << 16];
	FILE *f = fopen("docs/RPC.md", "r");
	size_t n;

	assert_non_null(f);
	n = fread(file, 1, sizeof(file), f);
	fclose(f);
	call_print_doc(&doc);
	assert_false(doc.full);
	if (n != doc.len || memcmp(file, doc.s, n) != 0)
		fail_msg("docs/RPC.md is old: write it anew with test_admin_calls --print-doc");
	text_free(&doc);
}

static void any_shutdown_raises_sigterm(void **state)
{
	sigset_t term, old, pending;
	json_t *r;
	int sig;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, &old);
	r = result_of("shutdown", NULL);
	assert_true(json_is_true(at(r, "ending")));
	sigpending(&pending);
	assert_int_equal(sigismember(&pending, SIGTERM), 1);
	assert_int_equal(sigwait(&term, &sig), 0);
	sigprocmask(SIG_SETMASK, &old, NULL);
	json_decref(r);
}

/* tm */

static void ringing_list_shows_both_machines(void **state)
{
	json_t *r, *row, *b;

	walk_us_per_step = 0;
	ringing_call();
	r = result_of("tm.list", NULL);
	assert_int_equal(json_array_size(at(r, "transactions")), 1);
	assert_true(json_is_null(at(r, "next")));
	row = json_array_get(at(r, "transactions"), 0);
	assert_int_equal(number(row, "tindex"), 3);
	assert_int_equal(number(row, "tlabel"), 1);
	assert_string_equal(string(row, "method"), "INVITE");
	assert_string_equal(string(row, "callid"), "call\\xff-id@x");
	assert_int_equal(number(row, "cseq"), 102);
	assert_string_equal(string(row, "from"), "alice");
	assert_string_equal(string(row, "to"), "bob");
	assert_string_equal(string(row, "source"), "udp:[fd99::2]:5071");
	assert_int_equal(number(row, "age_ms"), 12000);
	assert_string_equal(string(row, "state"), "proceeding");
	assert_string_equal(string(row, "timer"), "guard");
	assert_int_equal(number(row, "timer_in_ms"), 200000);
	assert_string_equal(string(row, "waits_for"), "a final response of a branch");
	assert_int_equal(json_array_size(at(row, "branches")), 1);
	b = json_array_get(at(row, "branches"), 0);
	assert_int_equal(number(b, "branch"), 5);
	assert_string_equal(string(b, "state"), "proceeding");
	assert_string_equal(string(b, "to"), "udp:10.99.0.2:5060");
	assert_int_equal(number(b, "status"), 180);
	assert_int_equal(number(b, "age_ms"), 11000);
	assert_string_equal(string(b, "timer"), "C");
	assert_int_equal(number(b, "timer_in_ms"), 170000);
	assert_string_equal(string(b, "waits_for"), "a final response");
	json_decref(r);
}

static void completed_list_names_the_nearest_timer(void **state)
{
	struct link_txn *t = txn_at(0);
	json_t *r, *row;

	walk_us_per_step = 0;
	t->method = SIP_M_INVITE;
	t->created_us = NOW_US - 1;
	t->machine = (struct link_machine){.kind = MACHINE_INVITE_SERVER,
					   .state = MACHINE_COMPLETED,
					   .status = 486,
					   .timer = 'H',
					   .end_us = NOW_US + 30 * SEC,
					   .retransmit_us = NOW_US + SEC / 2};
	r = result_of("tm.list", NULL);
	row = json_array_get(at(r, "transactions"), 0);
	assert_string_equal(string(row, "timer"), "G");
	assert_int_equal(number(row, "timer_in_ms"), 500);
	assert_string_equal(string(row, "waits_for"), "the ACK");
	assert_int_equal(json_array_size(at(row, "branches")), 0);
	json_decref(r);
	t->machine.retransmit_us = 0;
	t->machine.end_us = NOW_US - 3 * SEC;
	r = result_of("tm.list", NULL);
	row = json_array_get(at(r, "transactions"), 0);
	assert_string_equal(string(row, "timer"), "H");
	assert_int_equal(number(row, "timer_in_ms"), -3000);
	json_decref(r);
}

static const char request[] =
	"OPTIONS sip:x@example.com SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: "
	"<sip:from@a>;tag=1\r\n"
	"To: <sip:to@b>\r\nCall-ID: long-call-id@there\r\nCSeq: 9 OPTIONS\r\n\r\n";

/* While the slot is held its request speaks; a stale or torn one never does. */
static void held_slot_gives_the_texts_and_a_stale_one_does_not(void **state)
{
	static const struct sip_limits limits = {SIP_MSG_MAX, SIP_MSG_MAX, SIP_MSG_MAX,
						 SIP_HDRS_MAX};
	uint64_t slot = slot_handle(4, 0, 0, 2), *word = link_at(&tw.link, LINK_S_SLOT_WORDS, 2);
	struct link_slot *head = slot_head(&tw.link, slot);
	struct sip_msg m;
	struct sip_fault f;
	struct link_txn *t = txn_at(1);
	json_t *r, *row;

	assert_int_equal(sip_msg_parse(STR(request), &limits, &m, &f), 0);
	memcpy(&head->msg, &m, sip_msg_bytes(&m));
	head->len_bytes = sizeof(request) - 1;
	memcpy(slot_data(&tw.link, slot), request, sizeof(request) - 1);
	*word = 4ull << 32 | SLOT_LENT;
	t->slot = slot;
	t->method = SIP_M_OPTIONS;
	text_keep(t, "kept-id", "f", "t");
	r = result_of("tm.list", NULL);
	row = json_array_get(at(r, "transactions"), 0);
	assert_string_equal(string(row, "callid"), "long-call-id@there");
	assert_string_equal(string(row, "from"), "sip:from@a");
	assert_string_equal(string(row, "to"), "sip:to@b");
	json_decref(r);
	*word = 5ull << 32 | SLOT_LENT; /* given to another message */
	r = result_of("tm.list", NULL);
	assert_string_equal(string(json_array_get(at(r, "transactions"), 0), "callid"), "kept-id");
	json_decref(r);
	*word = 4ull << 32 | SLOT_LENT;
	head->len_bytes = 20; /* an index that does not fit the octets */
	r = result_of("tm.list", NULL);
	assert_string_equal(string(json_array_get(at(r, "transactions"), 0), "callid"), "kept-id");
	json_decref(r);
}

static void many_list_comes_in_pages_and_small_pieces(void **state)
{
	json_t *r;

	for (uint32_t i = 0; i < 250; i++)
		txn_at(i * 20)->created_us = NOW_US - i * SEC;
	r = result_of("tm.list", "{\"limit\":120}");
	assert_int_equal(json_array_size(at(r, "transactions")), 120);
	assert_int_equal(number(r, "next"), 119 * 20 + 1);
	assert_true(pieces() >= 120 / CALL_ROWS_MAX);
	json_decref(r);
	r = result_of("tm.list", "{\"limit\":200,\"from\":2381}");
	assert_int_equal(json_array_size(at(r, "transactions")), 130);
	assert_int_equal(number(json_array_get(at(r, "transactions"), 0), "tindex"), 2400);
	assert_true(json_is_null(at(r, "next")));
	json_decref(r);
	r = result_of("tm.list", "{\"older\":240,\"limit\":200}");
	assert_int_equal(json_array_size(at(r, "transactions")), 10);
	json_decref(r);
	r = result_of("tm.list", "{\"from\":999999}");
	assert_int_equal(json_array_size(at(r, "transactions")), 0);
	assert_true(json_is_null(at(r, "next")));
	json_decref(r);
}

static void empty_list_looks_at_no_more_than_allowed_at_a_time(void **state)
{
	json_t *r = result_of("tm.list", NULL);

	assert_int_equal(json_array_size(at(r, "transactions")), 0);
	assert_true(pieces() >= 5000 / CALL_WALK_MAX);
	json_decref(r);
}

/* A chain that runs in a circle, or to a branch of another, ends. */
static void broken_branch_chain_ends(void **state)
{
	json_t *r;

	ringing_call();
	branch_at(5)->next = 5;
	r = result_of("tm.list", NULL);
	assert_int_equal(json_array_size(at(json_array_get(at(r, "transactions"), 0), "branches")),
			 32);
	json_decref(r);
	branch_at(6)->txn = 9;
	((struct link_branch *)link_at(&tw.link, LINK_S_BRANCHES, 5))->next = 6;
	r = result_of("tm.list", NULL);
	assert_int_equal(json_array_size(at(json_array_get(at(r, "transactions"), 0), "branches")),
			 1);
	json_decref(r);
}

static void any_tm_stats_are_kamailios(void **state)
{
	json_t *r;

	*counter_at(txn_started) = 17;
	*counter_at(txn_ended) = 1;
	*counter_at(txn_live) = 16;
	*counter_at(proxy_replied) = 2;
	*counter_at(proxy_relayed) = 3;
	*counter_at(proxy_late_relayed) = 4;
	*counter_at(txn_timeout) = 5;
	r = result_of("tm.stats", NULL);
	assert_int_equal(number(r, "current"), 16);
	assert_int_equal(number(r, "total"), 17);
	assert_int_equal(number(r, "created"), 17);
	assert_int_equal(number(r, "freed"), 1);
	assert_int_equal(number(r, "rpl_sent"), 9);
	assert_int_equal(number(r, "rpl_generated"), 2);
	assert_int_equal(number(r, "timeout"), 5);
	assert_null(at(r, "live"));
	json_decref(r);
}

/* ul */

static json_t *dump_aors(json_t *r)
{
	return at(at(json_array_get(at(r, "Domains"), 0), "Domain"), "AoRs");
}

static void bound_dump_has_kamailios_shape(void **state)
{
	json_t *r, *info, *c;

	walk_us_per_step = 0;
	(void)binding_at(2, "alice@example.com", "sip:alice@10.99.0.2:5070");
	*counter_at(registrar_bindings) = 1;
	r = result_of("ul.dump", NULL);
	assert_int_equal(json_array_size(dump_aors(r)), 1);
	assert_string_equal(string(at(json_array_get(at(r, "Domains"), 0), "Domain"), "Domain"),
			    "location");
	info = at(json_array_get(dump_aors(r), 0), "Info");
	assert_string_equal(string(info, "AoR"), "alice@example.com");
	c = at(json_array_get(at(info, "Contacts"), 0), "Contact");
	assert_string_equal(string(c, "Address"), "sip:alice@10.99.0.2:5070");
	assert_int_equal(number(c, "Expires"), 600);
	assert_true(json_real_value(at(c, "Q")) == 0.5);
	assert_int_equal(number(c, "CSeq"), 3);
	assert_string_equal(string(c, "Received"), "sip:10.99.0.2:5070");
	assert_string_equal(string(c, "Path"), "[not set]");
	assert_string_equal(string(c, "Socket"), "udp:10.99.0.1:5060");
	assert_int_equal(
		number(at(at(json_array_get(at(r, "Domains"), 0), "Domain"), "Stats"), "Records"),
		1);
	assert_true(json_is_null(at(r, "next")));
	json_decref(r);
	r = result_of("ul.dump", "[\"brief\"]");
	assert_string_equal(string(json_array_get(dump_aors(r), 0), "AoR"), "alice@example.com");
	json_decref(r);
}

static void many_dump_comes_in_pages_that_miss_none(void **state)
{
	uint64_t from = 0, seen = 0;
	char params[64], aor[32];

	for (uint32_t i = 0; i < 3000; i += i < 1000 ? 1 : 100) {
		(void)snprintf(aor, sizeof(aor), "u%u@example.com", i);
		(void)binding_at(i, aor, "sip:x@h");
	}
	for (int page = 0; page < 100; page++) {
		json_t *r;

		(void)snprintf(params, sizeof(params), "{\"from\":%lu,\"limit\":37}", from);
		r = result_of("ul.dump", params);
		seen += json_array_size(dump_aors(r));
		assert_true(json_array_size(dump_aors(r)) <= 37);
		from = json_is_null(at(r, "next")) ? 0 : (uint64_t)number(r, "next");
		json_decref(r);
		if (from == 0)
			break;
	}
	assert_int_equal(seen, 1020);
}

static void bound_lookup_takes_every_form_of_an_aor(void **state)
{
	static const char *const hit[] = {"[\"alice@example.com\"]",
					  "[\"location\",\"alice@example.com\"]",
					  "[\"sip:alice@EXAMPLE.com:5060;x=y\"]", "[\"alice\"]",
					  "{\"aor\":\"alice\",\"table\":\"location\"}"};
	json_t *r;

	(void)binding_at(0, "alice@example.com", "sip:alice@10.99.0.2:5070");
	for (size_t i = 0; i < sizeof(hit) / sizeof(hit[0]); i++) {
		r = result_of("ul.lookup", hit[i]);
		assert_string_equal(string(r, "AoR"), "alice@example.com");
		assert_int_equal(json_array_size(at(r, "Contacts")), 1);
		json_decref(r);
	}
	(void)binding_at(1, "100@example.com", "sip:100@10.99.0.2:5070");
	r = result_of("ul.lookup", "[100]");
	assert_string_equal(string(r, "AoR"), "100@example.com");
	json_decref(r);
}

static void unbound_lookup_says_what_kamailio_says(void **state)
{
	json_t *r = result_of("ul.lookup", "[\"location\",\"nobody\"]");

	assert_int_equal(number(r, "code"), 500);
	assert_string_equal(string(r, "message"), "AOR not found in location table");
	json_decref(r);
	r = result_of("ul.lookup", "[\"nosuchtable\",\"alice\"]");
	assert_int_equal(number(r, "code"), 500);
	assert_string_equal(string(r, "message"), "Domain table not found");
	json_decref(r);
}

/* stats, drops, cores, ports */

static void counted_statistics_by_all_group_and_name(void **state)
{
	json_t *r;

	*counter_at(shard_requests) = 10;
	*counter_at(sip_fast_options) = 5;
	*counter_at(net_rx) = 99;
	r = result_of("stats.get_statistics", "[\"rcv_requests\",\"net:net_rx\"]");
	assert_int_equal(json_array_size(r), 2);
	assert_string_equal(json_string_value(json_array_get(r, 0)), "core:rcv_requests = 15");
	assert_string_equal(json_string_value(json_array_get(r, 1)), "net:net_rx = 99");
	json_decref(r);
	r = result_of("stats.get_statistics", "[\"tmx:\"]");
	assert_true(json_array_size(r) >= 8);
	assert_string_equal(json_string_value(json_array_get(r, 0)), "tmx:UAS_transactions = 0");
	json_decref(r);
	r = result_of("stats.get_statistics", "[\"all\"]");
	assert_true(json_array_size(r) > COUNTERS);
	json_decref(r);
	r = result_of("stats.get_statistics", "[\"nosuch:\"]");
	assert_int_equal(json_array_size(r), 0);
	json_decref(r);
}

static void dropped_drops_by_reason(void **state)
{
	json_t *r = result_of("drops", NULL);

	assert_int_equal(json_array_size(at(r, "drops")), 0);
	assert_int_equal(number(r, "total"), 0);
	json_decref(r);
	*counter_at(sip_drop_not_sip) = 3;
	*counter_at(udp_drop_csum) = 2;
	r = result_of("drops", NULL);
	assert_int_equal(json_array_size(at(r, "drops")), 2);
	assert_int_equal(number(row_named(at(r, "drops"), "sip_drop_not_sip"), "count"), 3);
	assert_string_equal(string(row_named(at(r, "drops"), "sip_drop_not_sip"), "text"),
			    "bytes that are no SIP message");
	assert_int_equal(number(r, "total"), 5);
	json_decref(r);
	r = result_of("drops", "[\"udp\"]");
	assert_int_equal(number(r, "total"), 2);
	assert_null(row_named(at(r, "drops"), "sip_drop_not_sip"));
	assert_int_equal(number(row_named(at(r, "drops"), "udp_drop_short"), "count"), 0);
	json_decref(r);
	r = result_of("drops", "[\"nosuch\"]");
	assert_int_equal(number(r, "code"), -32602);
	json_decref(r);
}

static void busy_cores_since_start_then_since_the_last_call(void **state)
{
	struct link_loop *core = link_core_loop(&tw.link, 0);
	json_t *r, *row;

	core->cpu = 1;
	core->busy_cycles = 25;
	core->idle_cycles = 75;
	link_shard_loop(&tw.link, 0)->sleeping = 1;
	r = result_of("cores", NULL);
	assert_int_equal(json_array_size(at(r, "cores")), 2);
	row = row_named(at(r, "cores"), "sl-poll-0");
	assert_int_equal(number(row, "cpu"), 1);
	assert_true(json_real_value(at(row, "busy")) == 0.25);
	assert_true(json_is_false(at(row, "sleeping")));
	row = row_named(at(r, "cores"), "sl-shard-0");
	assert_true(json_real_value(at(row, "busy")) == 0.0);
	assert_true(json_is_true(at(row, "sleeping")));
	json_decref(r);
	core->busy_cycles = 25 + 50;
	core->idle_cycles = 75 + 50;
	r = result_of("cores", NULL);
	assert_true(json_real_value(at(row_named(at(r, "cores"), "sl-poll-0"), "busy")) == 0.5);
	json_decref(r);
}

static void quiet_cores_over_a_time_waits_for_it(void **state)
{
	uint64_t before = tw.now_us;
	json_t *r = result_of("cores", "{\"over_ms\":250}");

	assert_true(tw.now_us >= before + 250000);
	assert_int_equal(json_array_size(at(r, "cores")), 2);
	json_decref(r);
	r = result_of("cores", "{\"over_ms\":60001}");
	assert_int_equal(number(r, "code"), -32602);
	json_decref(r);
}

static void any_ports_with_interfaces_and_frames(void **state)
{
	json_t *r, *port, *interface;

	*counter_at(net_rx) = 7;
	r = result_of("ports", NULL);
	port = json_array_get(at(r, "ports"), 0);
	assert_string_equal(string(port, "device"), "net_ring0");
	interface = json_array_get(at(port, "interfaces"), 0);
	assert_string_equal(string(interface, "name"), "lab");
	assert_string_equal(json_string_value(json_array_get(at(interface, "addresses"), 0)),
			    "10.99.0.1/24");
	assert_int_equal(number(at(r, "frames"), "received"), 7);
	json_decref(r);
}

#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

static int print_doc(void)
{
	struct text doc = text_of(1u << 20);

	call_print_doc(&doc);
	fwrite(doc.s, 1, doc.len, stdout);
	text_free(&doc);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		T(any_core_calls_tell_who_we_are),
		T(any_list_names_every_call_once),
		T(any_doc_is_what_the_table_says),
		T(any_shutdown_raises_sigterm),
		T(ringing_list_shows_both_machines),
		T(completed_list_names_the_nearest_timer),
		T(held_slot_gives_the_texts_and_a_stale_one_does_not),
		T(many_list_comes_in_pages_and_small_pieces),
		T(empty_list_looks_at_no_more_than_allowed_at_a_time),
		T(broken_branch_chain_ends),
		T(any_tm_stats_are_kamailios),
		T(bound_dump_has_kamailios_shape),
		T(many_dump_comes_in_pages_that_miss_none),
		T(bound_lookup_takes_every_form_of_an_aor),
		T(unbound_lookup_says_what_kamailio_says),
		T(counted_statistics_by_all_group_and_name),
		T(dropped_drops_by_reason),
		T(busy_cores_since_start_then_since_the_last_call),
		T(quiet_cores_over_a_time_waits_for_it),
		T(any_ports_with_interfaces_and_frames),
	};

	if (argc > 1 && strcmp(argv[1], "--print-doc") == 0)
		return print_doc();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
