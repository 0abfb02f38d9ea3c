/* SPDX-License-Identifier: Apache-2.0 */
/* JSON-RPC 2.0 (specification of 2013): requests §4, notifications §4.1, answers §5, errors §5.1,
 * batches §6.
 *
 * One line of input is one request or batch. A line that is too long cannot be passed over safely, as
 * its end may be somebody's forged beginning: it is refused and the connection closed. */
#include "control/admin/rpc.h"

#include <ctype.h>

#include "platform/base/log.h"

/* Beyond RPC_ANSWER_MAX there is room for the errors that say so: one each in a batch, with an id of
 * which each octet is escaped. */
#define ERRORS_BYTES (RPC_BATCH_MAX * (RPC_ID_MAX * 6 + 2048))

void rpc_init(struct rpc *r, const struct world *w, uint32_t uid, uint32_t pid)
{
	memset(r, 0, offsetof(struct rpc, in));
	r->world = w;
	r->uid = uid;
	r->pid = pid;
	r->out = text_of(RPC_ANSWER_MAX);
}

void rpc_fini(struct rpc *r)
{
	call_clear(&r->call);
	json_decref(r->line);
	text_free(&r->out);
	r->line = NULL;
	r->info = NULL;
}

void rpc_fed(struct rpc *r, uint32_t n)
{
	r->in_len += n;
}

void rpc_end(struct rpc *r)
{
	r->ended = true;
}

struct str rpc_output(const struct rpc *r)
{
	return str_of(r->out.s + r->sent, r->out.len - r->sent);
}

void rpc_sent(struct rpc *r, uint32_t n)
{
	r->sent += n;
	if (r->sent < r->out.len)
		return;
	text_free(&r->out); /* one long answer should not stay in memory for a quiet connection */
	r->sent = 0;
}

bool rpc_over(const struct rpc *r)
{
	return r->line == NULL && r->sent == r->out.len &&
	       (r->closing || (r->ended && r->in_len == 0));
}

/* Answers. */

static bool answer_begin(struct rpc *r)
{
	bool batch = json_is_array(r->line);

	if (batch)
		text_put(&r->out, r->answered ? STR(",") : STR("["));
	r->answered = true;
	return batch;
}

static void answer_end(struct rpc *r, bool batch)
{
	text_put(&r->out, STR(",\"id\":"));
	text_json(&r->out, r->id ? json_incref(r->id) : json_null());
	text_put(&r->out, batch ? STR("}") : STR("}\n"));
}

static void answer_error(struct rpc *r, int code, const char *message, struct str data)
{
	json_t *error = json_pack("{si so}", "code", code, "message", json_of_c(message));
	bool batch;

	if (data.len > 0)
		json_object_set_new(error, "data", json_of_str(data));
	r->out.max = RPC_ANSWER_MAX + ERRORS_BYTES;
	batch = answer_begin(r);
	text_put(&r->out, STR("{\"jsonrpc\":\"2.0\",\"error\":"));
	text_json(&r->out, error);
	answer_end(r, batch);
	r->out.max = r->out.len > RPC_ANSWER_MAX ? r->out.len : RPC_ANSWER_MAX;
	r->closing |= r->out.full; /* no memory even for that: the rest would not be understood */
}

static void answer_result(struct rpc *r, struct call *c)
{
	uint32_t mark = r->out.len;
	bool first = !r->answered, batch = answer_begin(r);

	text_put(&r->out, STR("{\"jsonrpc\":\"2.0\",\"result\":"));
	if (c->text.len > 0)
		text_put(&r->out, c->text.full ? STR("") : text_str(&c->text));
	else
		text_json(&r->out, c->result ? json_incref(c->result) : json_object());
	answer_end(r, batch);
	if (!r->out.full && !c->text.full)
		return;
	r->out.len = mark;
	r->out.full = false;
	r->answered = !first;
	answer_error(r, RPC_INTERNAL_ERROR, "Internal error",
		     STR("the answer is too long, or no memory"));
}

/* Without a request in hand: the answer stands alone, its id is null (§5). */
static void answer_refusal(struct rpc *r, int code, const char *message, struct str data)
{
	r->id = NULL;
	answer_error(r, code, message, data);
}

/* Requests. */

static void log_change(const struct rpc *r, json_t *params)
{
	char room[200];
	size_t n = params ? json_dumpb(params, room, sizeof(room), JSON_COMPACT) : 0;

	LOG(LOG_NOTICE, "admin", "change", "call=%s uid=%u pid=%u params=%s", r->info->name, r->uid,
	    r->pid, log_quote(n <= sizeof(room) ? str_of(room, n) : STR("(long)")));
}

/* §4: "2.0", a name, structured params; an id that is text, number or null. */
static const char *request_fault(struct rpc *r, json_t *request)
{
	json_t *id = json_object_get(request, "id"), *params = json_object_get(request, "params");
	const char *version = json_string_value(json_object_get(request, "jsonrpc"));

	if (!json_is_object(request))
		return "a request is an object";
	if (id != NULL && !json_is_string(id) && !json_is_number(id) && !json_is_null(id))
		return "id: text, number or null";
	if (json_string_length(id) > RPC_ID_MAX)
		return "id: longer than 256 octets";
	r->id = id;
	if (version == NULL || strcmp(version, "2.0") != 0)
		return "jsonrpc: must be \"2.0\"";
	if (!json_is_string(json_object_get(request, "method")))
		return "method: must be a text";
	if (params != NULL && !json_is_array(params) && !json_is_object(params))
		return "params: array or object";
	return NULL;
}

static void call_finish(struct rpc *r)
{
	if (r->id != NULL) {
		if (r->call.code != 0)
			answer_error(r, r->call.code, r->call.message, str_from_c(r->call.data));
		else
			answer_result(r, &r->call);
	}
	call_clear(&r->call);
	r->info = NULL;
}

static void call_slice(struct rpc *r, uint64_t now_us)
{
	enum call_outcome outcome;

	r->call.now_us = now_us;
	r->call.wake_us = 0;
	outcome = r->info->handler(&r->call);
	if (outcome == CALL_DONE)
		call_finish(r);
	else if (outcome == CALL_MORE)
		r->call.wake_us = 0;
}

static void request_begin(struct rpc *r, json_t *request, uint64_t now_us)
{
	json_t *method = json_object_get(request, "method"),
	       *params = json_object_get(request, "params");
	const char *fault;

	r->id = NULL;
	fault = request_fault(r, request);
	if (fault != NULL) {
		answer_error(r, RPC_INVALID_REQUEST, "Invalid Request", str_from_c(fault));
		return;
	}
	r->info = call_find(str_of(json_string_value(method), json_string_length(method)));
	r->call = (struct call){
		.world = r->world, .memory = &r->memory, .text = text_of(RPC_ANSWER_MAX)};
	if (r->info == NULL) {
		call_error(&r->call, RPC_METHOD_NOT_FOUND, "Method not found", "see rpc.list");
		call_finish(r);
		return;
	}
	if (call_args(&r->call, r->info, params) != 0) {
		call_finish(r);
		return;
	}
	if (r->info->changes)
		log_change(r, params);
	call_slice(r, now_us);
}

/* Lines. */

static bool is_blank(const char *s, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++) {
		if (!isspace((unsigned char)s[i]))
			return false;
	}
	return true;
}

static void line_parse(struct rpc *r, uint32_t len)
{
	json_error_t e;
	char where[160];
	struct strbuf b = strbuf_of(where, sizeof(where));

	if (is_blank(r->in, len))
		return;
	r->line = json_loadb(r->in, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, &e);
	r->answered = false;
	r->at = 0;
	if (r->line == NULL) {
		strbuf_printf(&b, "%.120s, at octet %d", e.text, e.position);
		answer_refusal(r, RPC_PARSE_ERROR, "Parse error", strbuf_str(&b));
		return;
	}
	if (!json_is_array(r->line) ||
	    (json_array_size(r->line) > 0 && json_array_size(r->line) <= RPC_BATCH_MAX))
		return;
	strbuf_printf(&b, "a batch has 1 to %d requests", RPC_BATCH_MAX);
	json_decref(r->line);
	r->line = NULL; /* the refusal is one object, not an array (§6) */
	answer_refusal(r, RPC_INVALID_REQUEST, "Invalid Request", strbuf_str(&b));
}

/* ret whether a line, or what stands for one, was taken */
static bool line_take(struct rpc *r)
{
	char *lf = memchr(r->in + r->scanned, '\n', r->in_len - r->scanned);
	uint32_t len = lf ? (uint32_t)(lf - r->in) : r->in_len, used = lf ? len + 1 : len;

	r->scanned = r->in_len;
	if (lf == NULL && r->in_len == RPC_REQUEST_MAX) {
		r->closing = true;
		r->in_len = r->scanned = 0;
		r->answered = false;
		answer_refusal(r, RPC_INVALID_REQUEST, "Invalid Request",
			       STR("longer than 65536 octets; closing"));
		return true;
	}
	if (used == 0 || (lf == NULL && !r->ended))
		return false;
	line_parse(r, len);
	memmove(r->in, r->in + used, r->in_len - used);
	r->in_len -= used;
	r->scanned = 0;
	return true;
}

static void line_step(struct rpc *r, uint64_t now_us)
{
	bool batch = json_is_array(r->line);
	json_t *request = batch ? json_array_get(r->line, r->at) : r->line;

	if (r->info != NULL)
		call_slice(r, now_us);
	else
		request_begin(r, request, now_us);
	if (r->info != NULL)
		return; /* it goes on */
	r->at++;
	if (batch && r->at < json_array_size(r->line))
		return;
	if (batch && r->answered) {
		r->out.max = RPC_ANSWER_MAX + ERRORS_BYTES;
		text_put(&r->out, STR("]\n"));
	}
	r->out.max = RPC_ANSWER_MAX;
	json_decref(r->line);
	r->line = NULL;
	r->id = NULL;
}

bool rpc_step(struct rpc *r, uint64_t now_us)
{
	if (r->line != NULL) {
		if (r->info != NULL && r->call.wake_us > now_us)
			return false;
		line_step(r, now_us);
		return true;
	}
	if (r->sent < r->out.len || r->closing)
		return false;
	return line_take(r);
}

uint64_t rpc_next_us(const struct rpc *r)
{
	if (r->line != NULL)
		return r->info != NULL ? r->call.wake_us : 0;
	if (r->sent < r->out.len || r->closing)
		return UINT64_MAX;
	return r->in_len > r->scanned || (r->ended && r->in_len > 0) ? 0 : UINT64_MAX;
}
