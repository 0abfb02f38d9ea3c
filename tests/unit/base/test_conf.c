/* SPDX-License-Identifier: Apache-2.0 */
/* platform/base/conf: reader, cross checks, defaults, difference, printed forms.
 *
 * Files under conf/ carry what is expected of them: "#! text" behind a line is one complaint about
 * that line; DIR in it stands for their folder. A test passes if exactly those complaints come.
 * Runs in the project's root folder. With --print-doc it writes docs/CONFIG.md to its output. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "platform/base/conf_table.h"

#define DIR "tests/unit/base/conf"
#define TEXT_MAX (1u << 17)
#define MARK " #! "

static struct conf c, other;
static struct conf_report r;
static char text[TEXT_MAX], expected[TEXT_MAX];

/* libconfig 1.5 forgets a text that stands right before a syntax error. That happens once, and then
 * the program ends. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig";
}

/* A whole file into text. */
static void slurp(const char *path)
{
	FILE *f = fopen(path, "r");

	if (f == NULL)
		fail_msg("%s: %s (run this in the project's root folder)", path, strerror(errno));
	size_t n = fread(text, 1, sizeof(text) - 1, f);

	fclose(f);
	assert_true(n < sizeof(text) - 1);
	text[n] = '\0';
}

static void read_good(const char *path, struct conf *out)
{
	int err = conf_read(path, out, &r);

	if (err != 0)
		fail_msg("%s", r.text);
	assert_int_equal(r.complaints, 0);
	assert_int_equal(r.len, 0);
}

/* conf_read() of a text. */
static int read_bytes(const char *bytes, size_t len)
{
	char path[] = "/tmp/test_conf_XXXXXX";
	int fd = mkstemp(path), err;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	close(fd);
	err = conf_read(path, &c, &r);
	unlink(path);
	return err;
}

static int read_text(const char *s)
{
	return read_bytes(s, strlen(s));
}

/* The one complaint that the last reading made, without file; a copy in expected. */
static const char *only_complaint(void)
{
	const char *colon = strchr(r.text, ':');

	if (r.complaints != 1)
		fail_msg("%u complaints: %s", r.complaints, r.text);
	snprintf(expected, sizeof(expected), "%s", colon + 1);
	expected[strcspn(expected, "\n")] = '\0';
	return expected;
}

/* Append what the lines of a file expect, as complaints. ret how many */
static uint32_t expect_of(const char *file, struct strbuf *out)
{
	char path[256];
	uint32_t n = 0, number = 0;
	struct str rest, line;
	bool more = true;

	snprintf(path, sizeof(path), DIR "/%s", file);
	slurp(path);
	rest = str_from_c(text);
	while (more) {
		char one[4096], *at;

		more = str_split(rest, '\n', &line, &rest);
		number++;
		str_to_c(line, one, sizeof(one));
		for (at = strstr(one, MARK); at != NULL; n++) {
			char *next = strstr(at + 1, MARK), *dir;

			if (next != NULL)
				*next = '\0';
			at += strlen(MARK);
			dir = strstr(at, "DIR/");
			strbuf_printf(out, "%s:%u: %.*s%s%s\n", path, number,
				      dir ? (int)(dir - at) : (int)strlen(at), at, dir ? DIR : "",
				      dir ? dir + 3 : "");
			at = next;
			if (next != NULL)
				*next = ' ';
		}
	}
	return n;
}

/* Every line of r.text is in want, and the other way round. */
static void assert_same_lines(struct str want)
{
	struct str line, rest = want;

	while (rest.len > 0 && str_split(rest, '\n', &line, &rest)) {
		char one[4096];

		snprintf(one, sizeof(one), "%.*s\n", STR_FMT(line));
		if (strstr(r.text, one) == NULL)
			fail_msg("this complaint did not come:\n%sbut these:\n%s", one, r.text);
	}
}

static void assert_complaints(const char *file, const char *const *parts, size_t n_parts)
{
	struct strbuf want = strbuf_of(expected, sizeof(expected));
	uint32_t n = expect_of(file, &want);
	char path[256];

	for (size_t i = 0; i < n_parts; i++)
		n += expect_of(parts[i], &want);
	assert_false(want.full);
	assert_true(n > 0);
	snprintf(path, sizeof(path), DIR "/%s", file);
	assert_int_equal(conf_read(path, &c, &r), -E_MALFORMED);
	assert_same_lines(strbuf_str(&want));
	if (r.complaints != n)
		fail_msg("%u complaints in place of %u:\n%s", r.complaints, n, r.text);
	assert_int_equal(r.len, want.len);
	assert_int_equal(strlen(r.text), r.len);
}

/* The table itself. */

static void table_keys_cover_every_octet_once(void **state)
{
	uint8_t *seen = calloc(1, sizeof(struct conf));

	for (uint32_t i = 0; i < conf_n_keys; i++) {
		const struct conf_key *k = &conf_keys[i], *above = conf_group_key(k->group);

		if (above != NULL && above->kind == CONF_K_TABLE)
			continue;
		for (uint32_t at = k->offset; at < k->offset + k->size; at++)
			seen[at]++;
		for (uint32_t at = 0; conf_key_is_array(k) && at < sizeof(uint32_t); at++)
			seen[k->count_offset + at]++;
	}
	for (size_t at = 0; at < sizeof(struct conf); at++)
		if (seen[at] != 1)
			fail_msg("octet %zu of struct conf belongs to %u keys", at, seen[at]);
	free(seen);
}

static void table_rows_are_sound(void **state)
{
	for (uint32_t i = 0; i < conf_n_keys; i++) {
		const struct conf_key *k = &conf_keys[i];
		char path[64];
		struct strbuf b = strbuf_of(path, 32);

		conf_key_path(k, &b);
		assert_false(b.full);
		assert_ptr_equal(conf_key_find(k->group, str_from_c(k->name)), k);
		assert_true(strlen(k->sentence) > 3 && k->sentence[strlen(k->sentence) - 1] == '.');
		if (conf_key_is_array(k))
			assert_int_equal(k->element * k->max, k->size);
		if (k->kind == CONF_K_NUMBER) {
			assert_true(k->min < k->max && k->max <= INT32_MAX);
			assert_true(k->words ? k->def == CONF_AUTO
					     : k->def >= k->min && k->def <= k->max);
		}
	}
}

/* Defaults. */

static void empty_file_gives_the_defaults(void **state)
{
	memset(&c, 0xa5, sizeof(c));
	memset(&other, 0x5a, sizeof(other));
	conf_defaults(&other);
	assert_int_equal(read_text(""), 0);
	assert_memory_equal(&c, &other, sizeof(c));
	assert_int_equal(c.node_id, 1);
	assert_string_equal(c.state_dir, "/var/lib/sluice");
	assert_string_equal(c.run_dir, "/run/sluice");
	assert_string_equal(c.user, "");
	assert_string_equal(c.log_level, "notice");
	assert_string_equal(c.cpus, "auto");
	assert_int_equal(c.transactions, 131072);
	assert_int_equal(c.branches, 163840);
	assert_int_equal(c.slots[4], 128);
	assert_int_equal(c.udp_size_rule, 0);
	assert_int_equal(c.timer_c_ms, 180500);
	assert_int_equal(c.control_hang_ms, 2000);
	assert_int_equal(c.record_route, 1);
	assert_int_equal(c.n_ports + c.n_interfaces + c.n_listeners + c.n_domains + c.n_hosts, 0);
}

static void printed_defaults_read_back_are_the_defaults(void **state)
{
	struct strbuf b = strbuf_of(text, sizeof(text));

	conf_print_defaults(&b);
	assert_false(b.full);
	assert_int_equal(read_bytes(b.s, b.len), 0);
	conf_defaults(&other);
	assert_memory_equal(&c, &other, sizeof(c));
	for (uint32_t i = 0; i < conf_n_keys; i++) {
		text[b.len] = '\0';
		assert_non_null(strstr(text, conf_keys[i].sentence));
	}
}

static void printed_doc_is_the_one_in_the_tree(void **state)
{
	struct strbuf b = strbuf_of(expected, sizeof(expected));

	conf_print_doc(&b);
	assert_false(b.full);
	slurp("docs/CONFIG.md");
	if (strlen(text) != b.len || memcmp(text, b.s, b.len) != 0)
		fail_msg("docs/CONFIG.md is old: write it anew with test_base_conf --print-doc");
}

/* Good files. */

static void lab_file_gives_the_lab(void **state)
{
	struct ip four, six;

	assert_int_equal(ip_parse(STR("10.99.0.1"), &four), 0);
	assert_int_equal(ip_parse(STR("fd99::1"), &six), 0);
	read_good("etc/lab.cfg", &c);
	assert_int_equal(c.n_ports, 1);
	assert_string_equal(c.port[0].device, "net_af_xdp,iface=edge0|net_af_packet,iface=edge0");
	assert_int_equal(c.n_interfaces, 1);
	assert_int_equal(c.interface[0].n_addresses, 2);
	assert_int_equal(c.n_listeners, 2);
	assert_true(ip_eq(&c.listener[0].address, &four));
	assert_true(ip_eq(&c.listener[1].address, &six));
	assert_int_equal(c.listener[0].port, 5060);
	assert_int_equal(c.listener[1].port, 5060);
	assert_int_equal(c.listener[0].transport, CONF_UDP);
	assert_string_equal(c.domain[0], "example.com");
	assert_string_equal(c.host[1].name, "biloxi.com");
	assert_int_equal(c.host[1].port, 5999);
	assert_int_equal(c.record_route, 1);
}

static void full_file_sets_every_scalar(void **state)
{
	static const uint32_t want_memory[] = {2048, 1001, 1002, 1003, 1004, 1005, 1006,
					       1007, 1008, 1009, 1024, 2048, 50};
	static const uint32_t want_limits[] = {60000,	   1000,  3000,	 192, 99,
					       1073741824, 70000, 60000, 1};
	static const uint32_t want_txn[] = {100, 200, 300, 6400, 190000, 7000, 8000, 0,
					    1,	 2,   0,   600,	 30,	 900,  1};

	read_good(DIR "/full.cfg", &c);
	conf_defaults(&other);
	assert_int_equal(c.node_id, 65535);
	assert_string_equal(c.state_dir, "/s");
	assert_string_equal(c.run_dir, "/r");
	assert_string_equal(c.user, "sluice");
	assert_string_equal(c.log_level, "debug");
	assert_string_equal(c.cpus, "2,3,8-11");
	assert_int_equal(c.polled, 2);
	assert_int_equal(c.shards, 3);
	assert_memory_equal(&c.huge_mib, want_memory, sizeof(want_memory));
	assert_memory_equal(&c.msg_bytes, want_limits, sizeof(want_limits));
	assert_memory_equal(&c.t1_ms, want_txn, sizeof(want_txn));
	/* Nothing was left as it was, so nothing can have been read to the wrong place. */
	struct strbuf b = strbuf_of(text, sizeof(text));
	uint32_t in_conf = 0;

	for (uint32_t i = 0; i < conf_n_keys; i++) {
		const struct conf_key *above = conf_group_key(conf_keys[i].group);

		in_conf += conf_keys[i].kind != CONF_K_SECTION &&
			   (above == NULL || above->kind == CONF_K_SECTION);
	}
	assert_int_equal(conf_diff(&c, &other, &b), in_conf);
}

static void full_file_fills_every_table(void **state)
{
	struct ip_prefix p;
	struct ip a;

	read_good(DIR "/full.cfg", &c);
	assert_int_equal(c.n_ports, 3);
	assert_string_equal(c.port[1].device, "env:PORT|net_null0");
	assert_int_equal(c.port[1].queues, 4);
	assert_int_equal(c.port[1].rx_descriptors, 512);
	assert_int_equal(c.port[1].tx_descriptors, 256);
	assert_int_equal(c.port[0].rx_descriptors, 1024);
	assert_int_equal(c.port[0].numa_node, CONF_AUTO);
	assert_int_equal(c.port[1].numa_node, 1);
	assert_int_equal(c.port[2].numa_node, CONF_AUTO);
	assert_int_equal(c.n_interfaces, 2);
	assert_int_equal(c.interface[1].port_index, 1);
	assert_int_equal(c.interface[1].vlan, 4094);
	assert_int_equal(c.interface[1].mtu, 9000);
	assert_int_equal(c.interface[0].mtu, 1500);
	assert_int_equal(ip_prefix_parse(STR("10.1.0.1/31"), &p), 0);
	assert_memory_equal(&c.interface[1].address[0], &p, sizeof(p));
	assert_int_equal(c.interface[1].n_routes, 2);
	assert_int_equal(c.interface[1].route[0].to.len, 96);
	assert_int_equal(c.interface[1].route[1].to.len, 0);
	assert_int_equal(c.interface[1].route[1].n_hops, 2);
	assert_int_equal(ip_parse(STR("fd99::2"), &a), 0);
	assert_memory_equal(&c.interface[1].route[1].hop[1], &a, sizeof(a));
	assert_int_equal(c.n_listeners, 2);
	assert_int_equal(c.listener[0].interface_index, 1);
	assert_int_equal(c.listener[0].port, 5070);
	assert_string_equal(c.listener[0].advertise, "[2001:db8::1]:5080");
	assert_int_equal(c.listener[0].dscp, 40);
	assert_string_equal(c.listener[0].realm, "example.com");
	assert_int_equal(c.listener[0].options, CONF_OPTIONS_CONTROL);
	assert_int_equal(c.listener[1].interface_index, 0);
	assert_int_equal(c.listener[1].options, CONF_OPTIONS_CORE);
	assert_int_equal(c.n_domains, 2);
	assert_string_equal(c.domain[1], "[fd99::1]");
	assert_int_equal(c.n_hosts, 2);
	assert_int_equal(c.host[0].port, 5999);
	assert_int_equal(c.host[1].port, 0);
	assert_int_equal(c.host[1].transport, CONF_UDP);
	assert_memory_equal(&c.host[1].address, &a, sizeof(a));
}

static void equal_settings_written_differently_are_equal_octets(void **state)
{
	memset(&c, 0xa5, sizeof(c));
	assert_int_equal(read_text("node = { state_dir = \"/a\"; log_level = \"warn\"; };\n"
				   "txn : { t1_ms : 0x64, hold_ms = 100L }\n"
				   "proxy = { domains = ( \"a.b\" ); };"),
			 0);
	other = c;
	memset(&c, 0x5a, sizeof(c));
	assert_int_equal(
		read_text("proxy { domains = [ \"a\" \".b\" ] }; // \"\n"
			  "txn = { hold_ms = 100; t1_ms = 100; t2_ms = 4000; };\n"
			  "node = { log_level = \"wa\" /* ; */ \"rn\"; state_dir = \"/a\"; };"),
		-E_MALFORMED); /* `proxy {` is no setting */
	assert_int_equal(
		read_text("proxy = { domains = [ \"a\" \".b\" ] }; // \"\n"
			  "txn = { hold_ms = 100; t1_ms = 100; t2_ms = 4000; };\n"
			  "node = { log_level = \"wa\" /* ; */ \"rn\"; state_dir = \"/a\"; };"),
		0);
	assert_memory_equal(&c, &other, sizeof(c));
	for (size_t i = strlen("/a"); i < sizeof(c.state_dir); i++)
		assert_int_equal(c.state_dir[i], 0); /* nothing of the longer default */
	assert_true(conf_hash(&c) == conf_hash(&other));
	other.host[CONF_HOSTS_MAX - 1].port ^= 1;
	assert_true(conf_hash(&c) != conf_hash(&other));
}

/* Wrong files. */

static void wrong_values_are_all_told_with_their_lines(void **state)
{
	assert_complaints("bad_values.cfg", NULL, 0);
}

static void values_that_contradict_are_all_told(void **state)
{
	assert_complaints("bad_numbers.cfg", NULL, 0);
}

static void network_that_does_not_fit_is_told(void **state)
{
	assert_complaints("bad_network.cfg", NULL, 0);
}

static void included_files_are_sought_from_their_includer_and_named(void **state)
{
	static const char *const parts[] = {"parts/node.cfg", "parts/deeper/id.cfg"};

	assert_complaints("include.cfg", parts, 2);
	assert_int_equal(c.node_id, 77);
	assert_int_equal(c.polled, 2);
	assert_int_equal(c.t1_ms, 400);
	assert_int_equal(c.t2_ms, 3000);
}

static void syntax_error_in_included_file_names_that_file(void **state)
{
	static const char *const parts[] = {"parts/syntax.cfg"};

	assert_complaints("include_syntax.cfg", parts, 1);
}

static void include_that_cannot_be_is_told_not_followed(void **state)
{
	assert_complaints("include_circle.cfg", NULL, 0);
	assert_complaints("include_wrong.cfg", NULL, 0);
}

static void text_or_comment_without_end_names_its_begin(void **state)
{
	assert_complaints("open_text.cfg", NULL, 0);
	assert_complaints("open_comment.cfg", NULL, 0);
}

static void absent_file_gives_errno_and_one_complaint(void **state)
{
	assert_int_equal(conf_read(DIR "/absent.cfg", &c, &r), -ENOENT);
	assert_int_equal(r.complaints, 1);
	assert_string_equal(r.text,
			    DIR "/absent.cfg:0: cannot be read: No such file or directory\n");
	assert_int_equal(conf_read(DIR, &c, &r), -EISDIR);
	assert_int_equal(r.complaints, 1);
	assert_int_equal(conf_read("/dev/null", &c, &r), -EINVAL);
}

static void zero_octet_is_told(void **state)
{
	static const char bytes[] = "node = { id = 2; };\n\0 cores = 1;\n";

	assert_int_equal(read_bytes(bytes, sizeof(bytes) - 1), -E_MALFORMED);
	assert_string_equal(only_complaint(), "2: a zero octet: this is not a text file");
}

static void each_number_is_held_to_its_bounds(void **state)
{
	for (uint32_t i = 0; i < conf_n_keys; i++) {
		const struct conf_key *k = &conf_keys[i], *above = conf_group_key(k->group);
		long long v[] = {k->min, k->max, (long long)k->min - 1, (long long)k->max + 1};

		if (k->kind != CONF_K_NUMBER || above->kind != CONF_K_SECTION)
			continue;
		for (int n = 0; n < 4; n++) {
			char file[256];
			uint32_t got;

			snprintf(file, sizeof(file), "%s = { %s = %lld; };", above->name, k->name,
				 v[n]);
			(void)read_text(file); /* bounds may be refused by the cross checks */
			memcpy(&got, (char *)&c + k->offset, sizeof(got));
			assert_int_equal(got, n < 2 ? v[n] : k->def);
			if ((strstr(r.text, "out of bounds") != NULL) != (n >= 2))
				fail_msg("%s: %s", file, r.text);
		}
	}
}

static void texts_up_to_their_room_are_taken_whole(void **state)
{
	char file[1024];

	snprintf(file, sizeof(file), "node = { state_dir = \"/%0*d\"; };", CONF_TEXT_MAX - 2, 7);
	assert_int_equal(read_text(file), 0);
	assert_int_equal(strlen(c.state_dir), CONF_TEXT_MAX - 1);
	assert_int_equal(c.run_dir[0], '/');
	snprintf(file, sizeof(file), "node = { state_dir = \"/%0*d\"; };", CONF_TEXT_MAX - 1, 7);
	assert_int_equal(read_text(file), -E_MALFORMED);
	assert_string_equal(only_complaint(), "1: node.state_dir has 256 octets, 255 are possible");
	assert_string_equal(c.state_dir, "/var/lib/sluice");
}

static void tables_up_to_their_room_are_taken_whole(void **state)
{
	for (uint32_t extra = 0; extra < 2; extra++) {
		struct strbuf b = strbuf_of(text, sizeof(text));

		strbuf_put(&b, STR("proxy = { hosts = (\n"));
		for (uint32_t i = 0; i < CONF_HOSTS_MAX + extra; i++)
			strbuf_printf(&b, "%s{ name = \"h%u\"; address = \"10.0.0.1\"; }\n",
				      i ? "," : "", i);
		strbuf_put(&b, STR("); };\n"));
		assert_int_equal(read_bytes(b.s, b.len), extra ? -E_MALFORMED : 0);
		assert_int_equal(c.n_hosts, CONF_HOSTS_MAX);
		assert_string_equal(c.host[CONF_HOSTS_MAX - 1].name, "h127");
	}
	assert_string_equal(only_complaint(), "1: proxy.hosts has 129 elements, 128 are possible");
}

static void cpu_lists_follow_their_syntax(void **state)
{
	static const struct {
		const char *cpus, *wrong; /* NULL: good */
	} one[] = {
		{"0", NULL},
		{"0-1023", NULL},
		{"1, 3, 5 - 7", NULL},
		{"", "\"\" is no CPU"},
		{"1,", "\"\" is no CPU"},
		{"3-2", "\"3-2\" is no CPU"},
		{"1-", "\"1-\" is no CPU"},
		{"1024", "\"1024\" is no CPU"},
		{"all", "\"all\" is no CPU"},
		{"1-4,3", "names CPU 3 twice"},
	};

	for (size_t i = 0; i < sizeof(one) / sizeof(one[0]); i++) {
		char file[128];

		snprintf(file, sizeof(file), "cores = {\n cpus = \"%s\"; };", one[i].cpus);
		assert_int_equal(read_text(file), one[i].wrong ? -E_MALFORMED : 0);
		if (one[i].wrong != NULL) {
			assert_non_null(strstr(only_complaint(), one[i].wrong));
			assert_memory_equal(expected, "2: ", 3);
		}
	}
}

static void hang_limit_is_never_or_long_enough(void **state)
{
	assert_int_equal(read_text("control = { hang_ms = 0; };"), 0);
	assert_int_equal(read_text("control = { hang_ms = 100; };"), 0);
	assert_int_equal(read_text("control = {\n hang_ms = 99;\n};"), -E_MALFORMED);
	assert_string_equal(only_complaint(),
			    "2: control.hang_ms = 99 ends healthy processes: write "
			    "0 (never) or at least 100 ms");
}

static void complaints_beyond_the_room_are_counted_whole_lines_kept(void **state)
{
	struct strbuf b = strbuf_of(text, sizeof(text));

	for (int i = 0; i < 2000; i++)
		strbuf_printf(&b, "quite_unknown_%d = 1;\n", i);
	assert_false(b.full);
	assert_int_equal(read_bytes(b.s, b.len), -E_MALFORMED);
	assert_int_equal(r.complaints, 2000);
	assert_true(r.len < sizeof(r.text) && r.len > sizeof(r.text) - 100);
	assert_int_equal(r.text[r.len - 1], '\n');
	assert_int_equal(r.text[r.len], '\0');
	assert_int_equal(strlen(r.text), r.len);
}

static void prefixes_and_mutations_of_files_end_in_a_verdict(void **state)
{
	static char good[TEXT_MAX];
	uint64_t x = 0x9e3779b97f4a7c15u;
	size_t len;

	slurp(DIR "/full.cfg");
	len = strlen(text);
	memcpy(good, text, len);
	for (size_t n = 0; n < len + 600; n++) {
		size_t used = n < len ? n : len;
		int err;

		memcpy(text, good, len);
		for (int i = 0; n >= len && i < 3; i++) {
			x = x * 6364136223846793005u + 1442695040888963407u;
			text[(x >> 33) % len] = (char)(x >> 20);
		}
		err = read_bytes(text, used);
		assert_true(err == 0 || err == -E_MALFORMED);
		assert_int_equal(err == 0, r.complaints == 0);
		assert_int_equal(strlen(r.text), r.len);
	}
}

/* Difference. */

static void diff_names_each_key_once(void **state)
{
	char names[128];
	struct strbuf b = strbuf_of(names, sizeof(names));

	read_good(DIR "/full.cfg", &c);
	other = c;
	assert_int_equal(conf_diff(&c, &other, &b), 0);
	assert_int_equal(b.len, 0);
	other.t1_ms++;
	other.slots[2]++;
	other.n_domains--;
	other.host[1].address.b[15]++;
	other.interface[1].route[1].n_hops--;
	assert_int_equal(conf_diff(&c, &other, &b), 5);
	assert_int_equal(b.len, 66);
	assert_memory_equal(
		b.s, "memory.slots_4k, txn.t1_ms, proxy.domains, proxy.hosts, interfaces", 66);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_keys_cover_every_octet_once),
		cmocka_unit_test(table_rows_are_sound),
		cmocka_unit_test(empty_file_gives_the_defaults),
		cmocka_unit_test(printed_defaults_read_back_are_the_defaults),
		cmocka_unit_test(printed_doc_is_the_one_in_the_tree),
		cmocka_unit_test(lab_file_gives_the_lab),
		cmocka_unit_test(full_file_sets_every_scalar),
		cmocka_unit_test(full_file_fills_every_table),
		cmocka_unit_test(equal_settings_written_differently_are_equal_octets),
		cmocka_unit_test(wrong_values_are_all_told_with_their_lines),
		cmocka_unit_test(values_that_contradict_are_all_told),
		cmocka_unit_test(network_that_does_not_fit_is_told),
		cmocka_unit_test(included_files_are_sought_from_their_includer_and_named),
		cmocka_unit_test(syntax_error_in_included_file_names_that_file),
		cmocka_unit_test(include_that_cannot_be_is_told_not_followed),
		cmocka_unit_test(text_or_comment_without_end_names_its_begin),
		cmocka_unit_test(absent_file_gives_errno_and_one_complaint),
		cmocka_unit_test(zero_octet_is_told),
		cmocka_unit_test(each_number_is_held_to_its_bounds),
		cmocka_unit_test(texts_up_to_their_room_are_taken_whole),
		cmocka_unit_test(tables_up_to_their_room_are_taken_whole),
		cmocka_unit_test(cpu_lists_follow_their_syntax),
		cmocka_unit_test(hang_limit_is_never_or_long_enough),
		cmocka_unit_test(complaints_beyond_the_room_are_counted_whole_lines_kept),
		cmocka_unit_test(prefixes_and_mutations_of_files_end_in_a_verdict),
		cmocka_unit_test(diff_names_each_key_once),
	};

	if (argc == 2 && strcmp(argv[1], "--print-doc") == 0) {
		struct strbuf b = strbuf_of(text, sizeof(text));

		conf_print_doc(&b);
		return fwrite(b.s, 1, b.len, stdout) == b.len && !b.full ? 0 : 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
