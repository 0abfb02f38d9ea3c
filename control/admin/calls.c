/* SPDX-License-Identifier: Apache-2.0 */
/* The table of calls, its help, and what handlers share. */
#include "control/admin/calls.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const struct call_info call_table[] = {
#define CALL(name, handler, params, changes, text) {name, handler, params, changes, text},
#include "control/admin/admin_calls.def"
#undef CALL
};
const uint32_t n_calls = sizeof(call_table) / sizeof(call_table[0]);

const struct call_info *call_find(struct str name)
{
	for (uint32_t i = 0; i < n_calls; i++) {
		if (str_eq(name, str_from_c(call_table[i].name)))
			return &call_table[i];
	}
	return NULL;
}

void call_error(struct call *c, int code, const char *message, const char *fmt, ...)
{
	va_list ap;

	c->code = code;
	(void)snprintf(c->message, sizeof(c->message), "%s", message);
	va_start(ap, fmt);
	(void)vsnprintf(c->data, sizeof(c->data), fmt, ap); /* clipped where longer */
	va_end(ap);
}

void call_clear(struct call *c)
{
	for (uint32_t i = 0; i < CALL_PARAMS_MAX; i++)
		json_decref(c->arg[i]);
	json_decref(c->result);
	text_free(&c->text);
	free(c->state);
	*c = (struct call){0};
}

uint64_t call_number(const struct call *c, uint32_t i, uint64_t otherwise)
{
	return c->arg[i] ? (uint64_t)json_integer_value(c->arg[i]) : otherwise;
}

struct str call_text(const struct call *c, uint32_t i)
{
	return c->arg[i] ? str_of(json_string_value(c->arg[i]), json_string_length(c->arg[i]))
			 : STR_NONE;
}

bool record_read(const struct link *l, enum link_section used, enum link_section records,
		 uint64_t place, void *copy, size_t len_bytes, uint32_t *generation)
{
	const uint32_t *word = link_at(l, used, place);
	/* acquire: the copy comes after it, or is found out by the second look */
	uint32_t before = __atomic_load_n(word, __ATOMIC_ACQUIRE);

	if ((before & 1) == 0)
		return false;
	memcpy(copy, link_at(l, records, place), len_bytes);
	atomic_thread_fence(memory_order_acquire); /* the second look comes after the copy */
	*generation = before >> 1;
	return __atomic_load_n(word, __ATOMIC_RELAXED) == before;
}

static const char *transport_name(uint32_t t)
{
	static const char *const name[] = {"none", "udp", "tcp", "tls", "ws", "wss"};

	return t < sizeof(name) / sizeof(name[0]) ? name[t] : "other";
}

static struct str address_text(uint32_t transport, const struct ip *ip, uint32_t port, char *out)
{
	char address[IP_TEXT_MAX];
	int n;

	(void)ip_print(ip, true, address);
	n = snprintf(out, FLOW_TEXT_MAX, "%s:%s:%u", transport_name(transport), address, port);
	return str_of(out, (size_t)n);
}

struct str flow_peer(const struct link_flow *f, char *out)
{
	return address_text(f->transport, &f->peer, f->peer_port, out);
}

struct str flow_socket(const struct link *l, const struct link_flow *f, char *out)
{
	const struct conf *conf = link_conf(l);

	if (f->listener >= conf->n_listeners)
		return STR("[not set]");
	return address_text(conf->listener[f->listener].transport,
			    &conf->listener[f->listener].address, conf->listener[f->listener].port,
			    out);
}

enum call_outcome call_rpc_list(struct call *c)
{
	c->result = json_array();
	for (uint32_t i = 0; i < n_calls; i++) {
		const struct call_info *r = &call_table[i];

		json_array_append_new(c->result,
				      json_pack("{ss ss sb ss}", "name", r->name, "params",
						r->params, "changes", r->changes, "text", r->text));
	}
	return CALL_DONE;
}

enum call_outcome call_list_methods(struct call *c)
{
	c->result = json_array();
	for (uint32_t i = 0; i < n_calls; i++)
		json_array_append_new(c->result, json_of_c(call_table[i].name));
	return CALL_DONE;
}

enum call_outcome call_method_help(struct call *c)
{
	const struct call_info *r = call_find(call_text(c, 0));

	if (r == NULL)
		call_error(c, 500, "Command Not Found", "%.64s: see rpc.list", call_text(c, 0).s);
	else
		c->result = json_of_c(r->text);
	return CALL_DONE;
}

static const char doc_head[] =
	"# The control socket\n"
	"\n"
	"`sluice-control` listens on the unix stream socket `control.sock` in its `run_dir` (mode "
	"0660).\n"
	"It speaks JSON-RPC 2.0: one request, or one batch of up to 32, per line; each is answered "
	"with\n"
	"one line. The last request may end with the sender's half of the connection instead of a "
	"line\n"
	"feed. A request without `id` is a notification and gets no answer. A line is at most "
	"65,536\n"
	"octets; a connection that leaves a request unfinished, or an answer unread, for ten "
	"seconds is\n"
	"closed. At most 64 connections are served at a time.\n"
	"\n"
	"    sluicectl tm.list older=10\n"
	"    printf '{\"jsonrpc\":\"2.0\",\"method\":\"drops\",\"id\":1}' | nc -NU "
	"/run/sluice/control.sock\n"
	"\n"
	"`params` is an array or an object. In an array a parameter in `[]` may be left out; a "
	"value goes\n"
	"to the first parameter of its kind. Listings come in pages: `from` says where to start (0 "
	"at\n"
	"first, then what `next` held; `next` is null on the last page), `limit` how many rows a "
	"page has\n"
	"(100, at most 1,000). Records that come and go between pages may be missed; none is "
	"listed twice\n"
	"while it lives.\n"
	"\n"
	"Calls that change something are logged with the caller's uid.\n"
	"\n"
	"| code | message | when |\n"
	"|---|---|---|\n"
	"| -32700 | Parse error | the line is no JSON |\n"
	"| -32600 | Invalid Request | JSON, but no request; too long; too many in a batch |\n"
	"| -32601 | Method not found | no such call |\n"
	"| -32602 | Invalid params | a parameter is missing, unknown, or of another kind |\n"
	"| -32603 | Internal error | no memory, or the answer would be too long |\n"
	"| -32000 | Too many clients | 64 connections are open |\n"
	"| 404, 500 | | the call itself says no; Kamailio's codes and texts where the call is "
	"Kamailio's |\n"
	"\n"
	"`error.data` says more. This page is made from the table of calls\n"
	"(`control/admin/admin_calls.def`), as is the call `rpc.list`.\n"
	"\n"
	"| call | parameters | changes | what it does |\n"
	"|---|---|---|---|\n";

void call_print_doc(struct text *out)
{
	text_put(out, STR(doc_head));
	for (uint32_t i = 0; i < n_calls; i++) {
		const struct call_info *r = &call_table[i];

		text_printf(out, r->params[0] ? "| `%s` | `%s` | %s | " : "| `%s` | %s| %s | ",
			    r->name, r->params, r->changes ? "yes" : "no");
		text_put(out, str_from_c(r->text));
		text_put(out, STR(" |\n"));
	}
}
