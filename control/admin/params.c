/* SPDX-License-Identifier: Apache-2.0 */
/* Values of a request -> the parameters that a call names.
 *
 * JSON-RPC 2.0 §4.2: by position or by name. Kamailio's callers use positions and leave things out in
 * front ("ul.lookup location alice", "ul.dump brief"); so a value passes over parameters that may be
 * left out and are of another kind, or that there are not values enough for. A number where a text is
 * asked for is taken as its digits: users called 100 are common. */
#include "control/admin/calls.h"

struct param {
	struct str name, kind;
	bool optional, repeated;
};

/* The next of a list such as "[from:number] name:text...". ret false at the end */
static bool param_next(struct str *list, struct param *p)
{
	struct str word;

	*list = str_trim(*list);
	if (list->len == 0)
		return false;
	(void)str_split(*list, ' ', &word, list);
	*p = (struct param){.optional = word.s[0] == '['};
	if (p->optional)
		word = str_sub(word, 1, word.len - 2);
	p->repeated = word.len > 3 && str_eq(str_sub(word, word.len - 3, 3), STR("..."));
	if (p->repeated)
		word.len -= 3;
	(void)str_split(word, ':', &p->name, &p->kind);
	return true;
}

static bool value_fits(const struct param *p, const json_t *v)
{
	if (str_eq(p->kind, STR("number")))
		return json_is_integer(v) && json_integer_value(v) >= 0;
	if (str_eq(p->kind, STR("flag")))
		return json_is_boolean(v);
	return json_is_string(v) || json_is_integer(v);
}

/* A new reference. */
static json_t *value_take(const struct param *p, json_t *v)
{
	if (str_eq(p->kind, STR("text")) && json_is_integer(v))
		return json_sprintf("%lld", (long long)json_integer_value(v));
	return json_incref(v);
}

static uint32_t count_required(const char *params)
{
	struct str list = str_from_c(params);
	struct param p;
	uint32_t n = 0;

	while (param_next(&list, &p))
		n += !p.optional;
	return n;
}

static void refuse(struct call *c, const struct param *p, const char *why)
{
	call_error(c, RPC_INVALID_PARAMS, "Invalid params", "%.*s (%.*s): %s", STR_FMT(p->name),
		   STR_FMT(p->kind), why);
}

static int take_rest(struct call *c, const struct param *p, uint32_t i, json_t *values, size_t *at)
{
	c->arg[i] = json_array();
	for (; *at < json_array_size(values); (*at)++) {
		json_t *v = json_array_get(values, *at);

		if (!value_fits(p, v)) {
			refuse(c, p, "a value is of another kind");
			return -E_MALFORMED;
		}
		json_array_append_new(c->arg[i], value_take(p, v));
	}
	return 0;
}

static int by_position(struct call *c, const char *params, json_t *values)
{
	size_t n = json_array_size(values), at = 0;
	uint32_t required = count_required(params);
	struct str list = str_from_c(params);
	struct param p;

	for (uint32_t i = 0; i < CALL_PARAMS_MAX && param_next(&list, &p); i++) {
		json_t *v = at < n ? json_array_get(values, at) : NULL;

		if (p.optional && (v == NULL || n - at <= required || !value_fits(&p, v)))
			continue;
		if (v == NULL || !value_fits(&p, v)) {
			refuse(c, &p, v ? "the value is of another kind" : "is missing");
			return -E_MALFORMED;
		}
		if (p.repeated) {
			if (take_rest(c, &p, i, values, &at) != 0)
				return -E_MALFORMED;
			continue;
		}
		c->arg[i] = value_take(&p, v);
		at++;
		required -= !p.optional;
	}
	if (at < n) {
		call_error(c, RPC_INVALID_PARAMS, "Invalid params",
			   "value %zu is one too many, or of a kind that fits nothing here",
			   at + 1);
		return -E_MALFORMED;
	}
	return 0;
}

static int named_take(struct call *c, const struct param *p, uint32_t i, json_t *v)
{
	size_t at = 0;

	if (p->repeated && json_is_array(v))
		return take_rest(c, p, i, v, &at);
	if (!value_fits(p, v)) {
		refuse(c, p, "the value is of another kind");
		return -E_MALFORMED;
	}
	c->arg[i] = p->repeated ? json_pack("[o]", value_take(p, v)) : value_take(p, v);
	return 0;
}

static bool is_named(const char *params, const char *name)
{
	struct str list = str_from_c(params);
	struct param p;

	while (param_next(&list, &p)) {
		if (str_eq(p.name, str_from_c(name)))
			return true;
	}
	return false;
}

static int by_name(struct call *c, const char *params, json_t *values)
{
	struct str list = str_from_c(params);
	struct param p;
	const char *key;
	json_t *v;

	json_object_foreach(values, key, v)
	{
		if (is_named(params, key))
			continue;
		call_error(c, RPC_INVALID_PARAMS, "Invalid params", "no parameter is called %.64s",
			   key);
		return -E_MALFORMED;
	}
	for (uint32_t i = 0; i < CALL_PARAMS_MAX && param_next(&list, &p); i++) {
		char name[32];

		(void)str_to_c(p.name, name, sizeof(name));
		v = json_object_get(values, name);
		if (v == NULL && !p.optional) {
			refuse(c, &p, "is missing");
			return -E_MALFORMED;
		}
		if (v != NULL && named_take(c, &p, i, v) != 0)
			return -E_MALFORMED;
	}
	return 0;
}

int call_args(struct call *c, const struct call_info *info, json_t *params)
{
	json_t *none;
	int err;

	if (json_is_object(params))
		return by_name(c, info->params, params);
	if (params != NULL)
		return by_position(c, info->params, params);
	none = json_array();
	err = by_position(c, info->params, none);
	json_decref(none);
	return err;
}
