/* SPDX-License-Identifier: Apache-2.0 */
/* control/admin/rpc, params: octets in, exact JSON out. And admin.c: connections over a real socket. */
#include "tests/unit/admin/world.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control/admin/admin.h"
#include "platform/base/clock.h"
#include "platform/base/log.h"

#define ERROR(code, message, data, id)                                                             \
	"{\"jsonrpc\":\"2.0\",\"error\":{\"code\":" #code ",\"message\":\"" message                \
	"\",\"data\":\"" data "\"},\"id\":" id "}"
#define GET(id) "{\"jsonrpc\":\"2.0\",\"method\":\"log.get_level\",\"id\":" id "}"
#define GOT(id)                                                                                    \
	"{\"jsonrpc\":\"2.0\",\"result\":{\"module\":\"*\",\"level\":\"notice\"},\"id\":" id "}"

/* One request. */

static void idle_request_is_answered(void **state)
{
	assert_string_equal(ask(GET("1")), GOT("1"));
}

static void idle_ids_come_back_as_they_were(void **state)
{
	static const char *const id[] = {"0",	 "-7",	    "12345678901",     "1.5",
					 "null", "\"abc\"", "\"\\u00e9\\\"\"", "\"\"",
					 "1e2"};
	static const char *const back[] = {"0",	      "-7",	   "12345678901", "1.5",  "null",
					   "\"abc\"", "\"é\\\"\"", "\"\"",	  "100.0"};
	char line[256], want[256];

	for (size_t i = 0; i < sizeof(id) / sizeof(id[0]); i++) {
		(void)snprintf(line, sizeof(line), GET("%s"), id[i]);
		(void)snprintf(want, sizeof(want), GOT("%s"), back[i]);
		assert_string_equal(ask(line), want);
	}
}

static void idle_notification_is_done_and_not_answered(void **state)
{
	assert_string_equal(ask("{\"jsonrpc\":\"2.0\",\"method\":\"log.set_level\",\"params\":["
				"\"m1\",\"debug\"]}"),
			    "");
	assert_int_equal(log_get_level("m1"), LOG_DEBUG);
	assert_string_equal(ask("{\"jsonrpc\":\"2.0\",\"method\":\"nosuch\"}"), "");
}

static void idle_blank_lines_are_passed_over(void **state)
{
	assert_string_equal(ask("\r\n \t\n\n"), "");
	assert_string_equal(ask(" \r\n" GET("2") "\r\n"), GOT("2"));
}

/* §5.1: each code. */

static void idle_no_json_is_a_parse_error(void **state)
{
	const char *answer =
		ask("{\"jsonrpc\": \"2.0\", \"method\": \"foobar, \"params\": \"bar\", \"baz]");

	assert_true(strncmp(answer,
			    "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32700,\"message\":\"Parse "
			    "error\","
			    "\"data\":\"",
			    71) == 0);
	assert_non_null(strstr(answer, "},\"id\":null}"));
	assert_non_null(strstr(ask("{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"id\":1} x"), "-32700"));
	assert_non_null(strstr(ask("\xff\xfe"), "-32700"));
	assert_string_equal(ask(GET("3")), GOT("3")); /* the next line is a new start */
}

static void idle_json_that_is_no_request_is_invalid(void **state)
{
	assert_string_equal(ask("1"),
			    ERROR(-32600, "Invalid Request", "a request is an object", "null"));
	assert_string_equal(ask("{\"jsonrpc\":\"2.0\",\"method\":1,\"params\":\"bar\"}"),
			    ERROR(-32600, "Invalid Request", "method: must be a text", "null"));
	assert_string_equal(ask("{\"jsonrpc\":\"1.0\",\"method\":\"drops\",\"id\":4}"),
			    ERROR(-32600, "Invalid Request", "jsonrpc: must be \\\"2.0\\\"", "4"));
	assert_string_equal(ask("{\"method\":\"drops\",\"id\":4}"),
			    ERROR(-32600, "Invalid Request", "jsonrpc: must be \\\"2.0\\\"", "4"));
	assert_string_equal(ask("{\"jsonrpc\":\"2.0\",\"method\":\"drops\",\"params\":5,\"id\":4}"),
			    ERROR(-32600, "Invalid Request", "params: array or object", "4"));
	assert_string_equal(ask("{\"jsonrpc\":\"2.0\",\"method\":\"drops\",\"id\":[1]}"),
			    ERROR(-32600, "Invalid Request", "id: text, number or null", "null"));
	assert_string_equal(ask("{\"jsonrpc\":\"2.0\",\"method\":\"drops\",\"id\":true}"),
			    ERROR(-32600, "Invalid Request", "id: text, number or null", "null"));
	assert_string_equal(ask("{\"jsonrpc\":\"2.0\",\"id\":5}"),
			    ERROR(-32600, "Invalid Request", "method: must be a text", "5"));
}

static void idle_long_id_is_invalid(void **state)
{
	char line[600], id[260];

	memset(id, 'x', sizeof(id));
	(void)snprintf(line, sizeof(line), GET("\"%.257s\""), id);
	assert_string_equal(ask(line),
			    ERROR(-32600, "Invalid Request", "id: longer than 256 octets", "null"));
	(void)snprintf(line, sizeof(line), GET("\"%.256s\""), id);
	assert_non_null(strstr(ask(line), "result"));
}

static void idle_unknown_call_is_not_found(void **state)
{
	assert_string_equal(ask("{\"jsonrpc\":\"2.0\",\"method\":\"nosuch\",\"id\":\"1\"}"),
			    ERROR(-32601, "Method not found", "see rpc.list", "\"1\""));
	assert_string_equal(ask("{\"jsonrpc\":\"2.0\",\"method\":\"drops\\u0000\",\"id\":1}"),
			    ERROR(-32601, "Method not found", "see rpc.list", "1"));
}

static void expect_params(const char *method, const char *params, const char *want)
{
	char line[512];

	(void)snprintf(line, sizeof(line),
		       "{\"jsonrpc\":\"2.0\",\"method\":\"%s\",\"params\":%s,\"id\":1}", method,
		       params);
	assert_string_equal(ask(line), want);
}

static void idle_wrong_params_are_named(void **state)
{
	expect_params("ul.lookup", "[]",
		      ERROR(-32602, "Invalid params", "aor (text): is missing", "1"));
	expect_params("ul.lookup", "{}",
		      ERROR(-32602, "Invalid params", "aor (text): is missing", "1"));
	expect_params("ul.lookup", "{\"aor\":\"a\",\"x\":1}",
		      ERROR(-32602, "Invalid params", "no parameter is called x", "1"));
	expect_params(
		"ul.lookup", "[true]",
		ERROR(-32602, "Invalid params", "aor (text): the value is of another kind", "1"));
	expect_params("tm.list", "{\"older\":\"x\"}",
		      ERROR(-32602, "Invalid params",
			    "older (number): the value is of another kind", "1"));
	expect_params("tm.list", "[-1]",
		      ERROR(-32602, "Invalid params",
			    "value 1 is one too many, or of a kind that fits nothing here", "1"));
	expect_params("drops", "[\"all\",1]",
		      ERROR(-32602, "Invalid params",
			    "value 2 is one too many, or of a kind that fits nothing here", "1"));
	expect_params("stats.get_statistics", "[]",
		      ERROR(-32602, "Invalid params", "name (text): is missing", "1"));
	expect_params(
		"stats.get_statistics", "[\"a\",null]",
		ERROR(-32602, "Invalid params", "name (text): a value is of another kind", "1"));
	expect_params("log.set_level", "[\"loud\"]",
		      ERROR(-32602, "Invalid params",
			    "level (text): error, warn, notice, info or debug", "1"));
}

static void idle_params_by_place_and_by_name_mean_the_same(void **state)
{
	expect_params(
		"log.set_level", "[\"m2\",\"warn\"]",
		"{\"jsonrpc\":\"2.0\",\"result\":{\"module\":\"m2\",\"level\":\"warn\"},\"id\":1}");
	expect_params(
		"log.get_level", "{\"module\":\"m2\"}",
		"{\"jsonrpc\":\"2.0\",\"result\":{\"module\":\"m2\",\"level\":\"warn\"},\"id\":1}");
	expect_params(
		"log.set_level", "{\"level\":\"info\",\"module\":\"m2\"}",
		"{\"jsonrpc\":\"2.0\",\"result\":{\"module\":\"m2\",\"level\":\"info\"},\"id\":1}");
	/* the module may be left out in front of the level */
	expect_params("log.set_level", "[\"notice\"]",
		      "{\"jsonrpc\":\"2.0\",\"result\":{\"module\":\"*\",\"level\":\"notice\"},"
		      "\"id\":1}");
}

/* §6: batches. */

static void idle_batch_is_answered_in_one_line(void **state)
{
	assert_string_equal(
		ask("[" GET("1") ",{\"jsonrpc\":\"2.0\",\"method\":\"log.get_level\"}," GET(
			"\"b\"") ",{\"foo\":1},1]"),
		"[" GOT("1") "," GOT("\"b\"") "," ERROR(
			-32600, "Invalid Request", "jsonrpc: must be \\\"2.0\\\"",
			"null") "," ERROR(-32600, "Invalid Request", "a request is an object",
					  "null") "]");
}

static void idle_batch_of_notifications_gets_nothing(void **state)
{
	assert_string_equal(ask("[{\"jsonrpc\":\"2.0\",\"method\":\"drops\"},{\"jsonrpc\":\"2.0\","
				"\"method\":\"x\"}]"),
			    "");
}

static void idle_empty_batch_is_one_error(void **state)
{
	assert_string_equal(ask("[]"), ERROR(-32600, "Invalid Request",
					     "a batch has 1 to 32 requests", "null"));
}

static void idle_long_batch_is_refused(void **state)
{
	char line[4096] = "[1";

	for (int i = 1; i < RPC_BATCH_MAX + 1; i++)
		strcat(line, ",1");
	strcat(line, "]");
	assert_string_equal(ask(line), ERROR(-32600, "Invalid Request",
					     "a batch has 1 to 32 requests", "null"));
}

static void idle_batch_of_long_answers_names_those_that_do_not_fit(void **state)
{
	char line[8192] = "[";
	json_t *answer, *v;
	json_error_t e;
	size_t i, results = 0;

	for (uint32_t k = 0; k < 2000; k++)
		(void)binding_at(
			k, "a-user-with-a-long-name-0123456789@example.com",
			"sip:a-user-with-a-long-name-0123456789@10.99.0.2:5070;with=parameters");
	for (int k = 0; k < 8; k++)
		strcat(line, k ? ",{\"jsonrpc\":\"2.0\",\"method\":\"ul.dump\",\"params\":[0,1000],"
				 "\"id\":1}"
			       : "{\"jsonrpc\":\"2.0\",\"method\":\"ul.dump\",\"params\":[0,1000],"
				 "\"id\":1}");
	strcat(line, "]");
	answer = json_loads(ask(line), 0, &e);
	assert_int_equal(json_array_size(answer), 8);
	json_array_foreach(answer, i, v)
	{
		if (json_object_get(v, "result") != NULL)
			results++;
		else
			assert_int_equal(json_integer_value(json_object_get(
						 json_object_get(v, "error"), "code")),
					 -32603);
	}
	assert_true(results >= 1 && results < 8);
	json_decref(answer);
	assert_string_equal(ask(GET("1")), GOT("1"));
}

/* Octets as they come. */

static void feed(const char *s, size_t n)
{
	uint32_t room;

	memcpy(rpc_room(&tw.rpc, &room), s, n);
	assert_true(n <= room);
	rpc_fed(&tw.rpc, (uint32_t)n);
}

static void drain(void)
{
	while (rpc_step(&tw.rpc, tw.now_us))
		continue;
}

static void half_request_octet_by_octet_waits_for_its_end(void **state)
{
	static const char line[] = GET("1") "\n";

	for (size_t i = 0; i < sizeof(line) - 1; i++) {
		assert_int_equal(rpc_output(&tw.rpc).len, 0);
		feed(line + i, 1);
		drain();
	}
	assert_int_equal(rpc_output(&tw.rpc).len, strlen(GOT("1") "\n"));
	assert_memory_equal(rpc_output(&tw.rpc).s, GOT("1") "\n", strlen(GOT("1") "\n"));
}

static void two_requests_at_once_are_answered_one_at_a_time(void **state)
{
	feed(GET("1") "\n" GET("2") "\n", strlen(GET("1") "\n" GET("2") "\n"));
	drain();
	assert_memory_equal(rpc_output(&tw.rpc).s, GOT("1") "\n", strlen(GOT("1") "\n"));
	assert_int_equal(rpc_output(&tw.rpc).len, strlen(GOT("1") "\n"));
	assert_true(rpc_next_us(&tw.rpc) == UINT64_MAX); /* the second waits for the reader */
	rpc_sent(&tw.rpc, 5);
	assert_false(rpc_step(&tw.rpc, tw.now_us));
	rpc_sent(&tw.rpc, rpc_output(&tw.rpc).len);
	assert_int_equal(rpc_next_us(&tw.rpc), 0);
	drain();
	assert_memory_equal(rpc_output(&tw.rpc).s, GOT("2") "\n", strlen(GOT("2") "\n"));
}

static void half_request_connection_end_makes_it_whole(void **state)
{
	feed(GET("9"), strlen(GET("9")));
	drain();
	assert_int_equal(rpc_output(&tw.rpc).len, 0);
	rpc_end(&tw.rpc);
	assert_false(rpc_over(&tw.rpc));
	drain();
	assert_memory_equal(rpc_output(&tw.rpc).s, GOT("9") "\n", strlen(GOT("9") "\n"));
	assert_false(rpc_over(&tw.rpc));
	rpc_sent(&tw.rpc, rpc_output(&tw.rpc).len);
	assert_true(rpc_over(&tw.rpc));
}

static void long_line_is_refused_and_the_connection_closed(void **state)
{
	static char long_line[RPC_REQUEST_MAX];
	static const char want[] =
		ERROR(-32600, "Invalid Request", "longer than 65536 octets; closing", "null") "\n";
	uint32_t room;

	memset(long_line, ' ', sizeof(long_line));
	feed(long_line, sizeof(long_line) - 1);
	drain();
	assert_int_equal(rpc_output(&tw.rpc).len, 0);
	feed(long_line, 1);
	drain();
	assert_int_equal(rpc_output(&tw.rpc).len, sizeof(want) - 1);
	assert_memory_equal(rpc_output(&tw.rpc).s, want, sizeof(want) - 1);
	(void)rpc_room(&tw.rpc, &room);
	assert_int_equal(room, 0);
	assert_false(rpc_over(&tw.rpc));
	rpc_sent(&tw.rpc, sizeof(want) - 1);
	assert_true(rpc_over(&tw.rpc));
}

static void changing_call_is_logged_with_its_caller(void **state)
{
	char line[1024];
	int fd[2];
	ssize_t n;

	assert_int_equal(pipe(fd), 0);
	log_to_fd(fd[1]);
	(void)ask("{\"jsonrpc\":\"2.0\",\"method\":\"log.set_level\",\"params\":[\"m3\",\"debug\"],"
		  "\"id\":1}");
	(void)ask(GET("1"));
	log_to_fd(2);
	close(fd[1]);
	n = read(fd[0], line, sizeof(line) - 1);
	assert_true(n > 0);
	line[n] = '\0';
	close(fd[0]);
	assert_non_null(strstr(line, "admin.change call=log.set_level uid=1000 pid=4711 params="));
	assert_null(strstr(line, "log.get_level"));
}

/* The socket. */

static char dir[64];

static struct admin *admin_start(void)
{
	char room[256];
	struct strbuf why = strbuf_of(room, sizeof(room));
	struct admin *a;

	strcpy(dir, "/tmp/sluice-admin-XXXXXX");
	assert_non_null(mkdtemp(dir));
	a = admin_new(dir, tw.shards, 1, &why);
	assert_non_null(a);
	return a;
}

static void admin_end(struct admin *a)
{
	char path[96];

	admin_free(a);
	(void)snprintf(path, sizeof(path), "%s/control.sock", dir);
	assert_int_equal(access(path, F_OK), -1); /* removed */
	assert_int_equal(rmdir(dir), 0);
}

static int client(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s/control.sock", dir);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

static void run(struct admin *a, uint64_t now_us)
{
	for (int i = 0; i < 1000 && admin_step(a, now_us); i++)
		continue;
}

static void expect(int fd, const char *want)
{
	char got[4096];
	ssize_t n = recv(fd, got, sizeof(got) - 1, 0);

	assert_int_equal(n, strlen(want));
	assert_memory_equal(got, want, strlen(want));
}

static bool is_closed(int fd)
{
	char c;

	return recv(fd, &c, 1, 0) == 0;
}

static void listening_client_is_served_and_closed_after_its_end(void **state)
{
	struct admin *a = admin_start();
	struct pollfd p = {.fd = admin_fd(a), .events = POLLIN};
	struct stat st;
	char path[96];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/control.sock", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	assert_false(admin_step(a, NOW_US));
	assert_int_equal(poll(&p, 1, 0), 0);
	fd = client();
	assert_int_equal(poll(&p, 1, 0), 1);
	assert_int_equal(send(fd, GET("1"), strlen(GET("1")), 0), strlen(GET("1")));
	run(a, NOW_US);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	run(a, NOW_US);
	expect(fd, GOT("1") "\n");
	assert_true(is_closed(fd));
	close(fd);
	assert_int_equal(poll(&p, 1, 0), 0); /* nothing is left to do */
	admin_end(a);
}

static void full_house_refuses_the_next_and_takes_one_when_one_leaves(void **state)
{
	struct admin *a = admin_start();
	int fd[66];

	for (int i = 0; i < 65; i++) {
		fd[i] = client();
		run(a, NOW_US);
	}
	expect(fd[64],
	       "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32000,\"message\":\"Too many clients\"},"
	       "\"id\":null}\n");
	assert_true(is_closed(fd[64]));
	close(fd[0]);
	run(a, NOW_US);
	fd[65] = client();
	assert_true(send(fd[65], GET("5") "\n", strlen(GET("5")) + 1, 0) > 0);
	run(a, NOW_US);
	expect(fd[65], GOT("5") "\n");
	for (int i = 1; i < 66; i++)
		close(fd[i]);
	run(a, NOW_US);
	admin_end(a);
}

static void half_request_that_stalls_is_closed_and_an_idle_client_stays(void **state)
{
	struct admin *a = admin_start();
	int slow = client(), idle = client();

	assert_int_equal(send(slow, "{", 1, 0), 1);
	run(a, NOW_US);
	run(a, NOW_US + 9999999);
	assert_false(is_closed(slow));
	admin_step(a, NOW_US + 10000000);
	assert_true(is_closed(slow));
	assert_false(is_closed(idle));
	close(slow);
	close(idle);
	run(a, NOW_US);
	admin_end(a);
}

/* A client that asks and asks and never reads: its answers fill the socket, one more waits, no request
 * is worked on; another client is served meanwhile; in the end it is closed. */
static void slow_reader_holds_up_nobody_and_is_closed(void **state)
{
	static const char all[] = "{\"jsonrpc\":\"2.0\",\"method\":\"stats.get_statistics\","
				  "\"params\":[\"all\"],\"id\":1}\n";
	struct admin *a = admin_start();
	int slow = client(), quick = client(), small = 4096;
	uint64_t sent = 0;
	ssize_t n;

	(void)setsockopt(slow, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	for (int i = 0; i < 20000; i++) {
		n = send(slow, all, sizeof(all) - 1, 0);
		if (n != sizeof(all) - 1)
			break;
		sent += (uint64_t)n;
		admin_step(a, NOW_US);
	}
	assert_true(sent < 20000 * (sizeof(all) - 1)); /* it was held back */
	run(a, NOW_US);
	assert_true(send(quick, GET("1") "\n", strlen(GET("1")) + 1, 0) > 0);
	run(a, NOW_US);
	expect(quick, GOT("1") "\n");
	admin_step(a, NOW_US + 10000000);
	admin_step(a, NOW_US + 10000000);
	while ((n = recv(slow, (char[65536]){0}, 65536, 0)) > 0)
		continue;
	assert_true(n == 0 || errno == ECONNRESET);
	close(slow);
	close(quick);
	run(a, NOW_US);
	admin_end(a);
}

static void waiting_call_makes_the_descriptor_ready_by_itself(void **state)
{
	struct admin *a = admin_start();
	struct pollfd p = {.fd = admin_fd(a), .events = POLLIN};
	int fd = client();
	static const char line[] = "{\"jsonrpc\":\"2.0\",\"method\":\"audit\",\"id\":1}\n";
	char got[8192];

	assert_true(send(fd, line, sizeof(line) - 1, 0) > 0);
	for (int i = 0; i < 1000 && recv(fd, got, sizeof(got), 0) <= 0; i++) {
		assert_int_equal(poll(&p, 1, 1000), 1);
		admin_step(a, clock_now_us()); /* the timer is real */
	}
	assert_true(strncmp(got, "{\"jsonrpc\":\"2.0\",\"result\":{\"ok\":true", 36) == 0);
	close(fd);
	run(a, clock_now_us());
	admin_end(a);
}

static void missing_folder_is_refused_with_a_reason(void **state)
{
	char room[256];
	struct strbuf why = strbuf_of(room, sizeof(room));

	assert_null(admin_new("/nonexistent", tw.shards, 1, &why));
	assert_non_null(memmem(why.s, why.len, "/nonexistent/control.sock: cannot listen", 40));
}

#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(idle_request_is_answered),
		T(idle_ids_come_back_as_they_were),
		T(idle_notification_is_done_and_not_answered),
		T(idle_blank_lines_are_passed_over),
		T(idle_no_json_is_a_parse_error),
		T(idle_json_that_is_no_request_is_invalid),
		T(idle_long_id_is_invalid),
		T(idle_unknown_call_is_not_found),
		T(idle_wrong_params_are_named),
		T(idle_params_by_place_and_by_name_mean_the_same),
		T(idle_batch_is_answered_in_one_line),
		T(idle_batch_of_notifications_gets_nothing),
		T(idle_empty_batch_is_one_error),
		T(idle_long_batch_is_refused),
		T(idle_batch_of_long_answers_names_those_that_do_not_fit),
		T(half_request_octet_by_octet_waits_for_its_end),
		T(two_requests_at_once_are_answered_one_at_a_time),
		T(half_request_connection_end_makes_it_whole),
		T(long_line_is_refused_and_the_connection_closed),
		T(changing_call_is_logged_with_its_caller),
		T(listening_client_is_served_and_closed_after_its_end),
		T(full_house_refuses_the_next_and_takes_one_when_one_leaves),
		T(half_request_that_stalls_is_closed_and_an_idle_client_stays),
		T(slow_reader_holds_up_nobody_and_is_closed),
		T(waiting_call_makes_the_descriptor_ready_by_itself),
		T(missing_folder_is_refused_with_a_reason),
	};

	log_init("test", LOG_NOTICE);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
