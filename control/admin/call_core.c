/* SPDX-License-Identifier: Apache-2.0 */
/* Who we are, how long we run, what is logged, and the end. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "control/admin/calls.h"
#include "platform/base/clock.h"
#include "platform/base/log.h"
#include "platform/link/version.h"

enum call_outcome call_core_version(struct call *c)
{
	struct utsname u = {.machine = "unknown"};

	(void)uname(&u); /* fails only for a bad pointer */
	c->result = json_sprintf("sluice %s (%s/linux)", SLUICE_VERSION, u.machine);
	return CALL_DONE;
}

/* "Sat Nov 21 11:30:26 2026", as Kamailio writes it. */
static json_t *wall_text(uint64_t wall_s)
{
	char text[64];
	time_t t = (time_t)wall_s;
	struct tm tm;

	if (localtime_r(&t, &tm) == NULL ||
	    strftime(text, sizeof(text), "%a %b %e %H:%M:%S %Y", &tm) == 0)
		return json_null();
	return json_of_c(text);
}

static uint64_t seconds_since(uint64_t start_us, uint64_t now_us)
{
	return now_us > start_us ? (now_us - start_us) / 1000000 : 0;
}

enum call_outcome call_core_uptime(struct call *c)
{
	const struct link_header *h = c->world->link->h;
	uint64_t now_s = clock_wall_s(), up_s = seconds_since(h->start_us, c->now_us);

	c->result = json_pack("{so so sI sI}", "now", wall_text(now_s), "up_since",
			      wall_text(now_s - up_s), "uptime", (json_int_t)up_s, "control_uptime",
			      (json_int_t)seconds_since(c->world->start_us, c->now_us));
	return CALL_DONE;
}

/* The lines of --version: "key: value", the first "program release". */
static void put_version_lines(json_t *to)
{
	char room[512], key[32];
	struct strbuf b = strbuf_of(room, sizeof(room));
	struct str rest, line, value;

	version_print("sluice", NULL, &b);
	rest = strbuf_str(&b);
	while (rest.len > 0) {
		(void)str_split(rest, '\n', &line, &rest);
		if (!str_split(line, ':', &line, &value)) {
			json_object_set_new(to, "version", json_of_str(line));
			continue;
		}
		(void)str_to_c(line, key, sizeof(key));
		for (char *k = key; *k != '\0'; k++)
			*k = *k == ' ' ? '_' : ascii_lower(*k);
		json_object_set_new(to, key, json_of_str(str_trim(value)));
	}
}

enum call_outcome call_core_info(struct call *c)
{
	const struct link_header *h = c->world->link->h;

	c->result = json_object();
	put_version_lines(c->result);
	json_object_set_new(c->result, "run", json_of_u64(h->run));
	json_object_set_new(c->result, "node", json_integer(link_conf(c->world->link)->node_id));
	json_object_set_new(c->result, "control_pid", json_integer(getpid()));
	json_object_set_new(c->result, "control_epoch", json_integer(atomic_load(&h->epoch)));
	json_object_set_new(c->result, "cores", json_integer(h->n_cores));
	json_object_set_new(c->result, "shards", json_integer(h->n_shards));
	json_object_set_new(c->result, "conf_hash", json_sprintf("%016lx", h->conf_hash));
	json_object_set_new(c->result, "link_bytes", json_of_u64(h->bytes));
	return CALL_DONE;
}

/* The module of a log call as a C text; "*": those not named. */
static bool log_module(struct call *c, char *out, size_t cap)
{
	struct str module = c->arg[0] ? call_text(c, 0) : STR("*");

	if (module.len > 0 && module.len < cap && memchr(module.s, '\0', module.len) == NULL) {
		(void)str_to_c(module, out, cap);
		return true;
	}
	call_error(c, RPC_INVALID_PARAMS, "Invalid params", "module (text): 1 to %zu octets",
		   cap - 1);
	return false;
}

enum call_outcome call_log_get(struct call *c)
{
	char module[32];

	if (log_module(c, module, sizeof(module)))
		c->result = json_pack("{ss ss}", "module", module, "level",
				      log_level_name(log_get_level(module)));
	return CALL_DONE;
}

enum call_outcome call_log_set(struct call *c)
{
	enum log_level level;
	char module[32];
	int err;

	if (!log_module(c, module, sizeof(module)))
		return CALL_DONE;
	if (log_level_parse(call_text(c, 1), &level) != 0) {
		call_error(c, RPC_INVALID_PARAMS, "Invalid params",
			   "level (text): error, warn, notice, info or debug");
		return CALL_DONE;
	}
	err = log_set_level(module, level);
	if (err != 0)
		call_error(c, 500, "Level Not Set", "%s", err_text(err));
	else
		c->result = json_pack("{ss ss}", "module", module, "level", log_level_name(level));
	return CALL_DONE;
}

/* As a supervisor would: the loop ends after its step, and the answer is out before. */
enum call_outcome call_shutdown(struct call *c)
{
	if (kill(getpid(), SIGTERM) < 0)
		call_error(c, 500, "Not Ended", "%s", err_text(-errno));
	else
		c->result = json_pack("{sb si}", "ending", 1, "pid", (int)getpid());
	return CALL_DONE;
}
