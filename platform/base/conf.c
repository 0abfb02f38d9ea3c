/* SPDX-License-Identifier: Apache-2.0 */
/* The reader: libconfig's tree of settings against the table of keys.
 *
 * Each setting is looked up in the table, which says what kind it is, what it may be, and where in
 * the record it goes; nothing here knows a key by name. A wrong value is a complaint and leaves the
 * default, and reading goes on, so that one run tells all that is wrong. Only a syntax error ends
 * it: what stands behind one cannot be told.
 *
 * Complaints about elements of an array name the line of its key: libconfig places an element where
 * the token behind it stands, which may be a line too late. */
#include "platform/base/conf_reader.h"
#include "platform/base/conf_table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#define PATH_TEXT 64 /* the longest path of a key is less than half of it (a test counts) */
#define WHERE_TEXT 128

/* Where a value is to be read to, and how to call it. */
struct target {
	const struct conf_reader *rd;
	const struct conf_key *key;
	struct conf_place place;
	char path[PATH_TEXT];
	uint8_t *at;   /* the value, or the one element of it */
	uint32_t size; /* bytes there                         */
};

#define COMPLAIN(t, ...) conf_complain((t)->rd->report, (t)->place, __VA_ARGS__)

static const char *type_name(int type)
{
	switch (type) {
	case CONFIG_TYPE_GROUP:
		return "a group { }";
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		return "a number";
	case CONFIG_TYPE_FLOAT:
		return "a fraction";
	case CONFIG_TYPE_STRING:
		return "text";
	case CONFIG_TYPE_BOOL:
		return "true or false";
	case CONFIG_TYPE_ARRAY:
		return "an array [ ]";
	default:
		return "a list ( )";
	}
}

/* Name of a setting as the operator wrote it: without the number that conf_source.c put behind. */
static struct str setting_name(const config_setting_t *s)
{
	struct str name = str_from_c(config_setting_name(s));
	const char *star = name.len ? strrchr(name.s, '*') : NULL;

	return star != NULL ? str_of(name.s, (size_t)(star - name.s)) : name;
}

static struct conf_place setting_place(const struct conf_reader *rd, const config_setting_t *s)
{
	return conf_source_place(rd->source, s->line);
}

/* Child of that name among the first n. */
static const config_setting_t *child_named(const config_setting_t *s, struct str name, int n)
{
	for (int i = 0; i < n; i++) {
		const config_setting_t *child = config_setting_get_elem(s, (unsigned int)i);

		if (str_eq(setting_name(child), name))
			return child;
	}
	return NULL;
}

struct conf_place conf_where(const struct conf_reader *rd, const char *fmt, ...)
{
	const config_setting_t *s = config_root_setting(&rd->file);
	char path[WHERE_TEXT];
	struct str step, rest;
	uint32_t index;
	va_list args;

	va_start(args, fmt);
	vsnprintf(path, sizeof(path), fmt, args);
	va_end(args);
	rest = str_from_c(path);
	while (rest.len > 0) {
		const config_setting_t *child;

		(void)str_split(rest, '.', &step, &rest); /* false: the last step */
		if (config_setting_is_group(s))
			child = child_named(s, step, config_setting_length(s));
		else if (config_setting_is_list(s) && str_to_u32(step, INT32_MAX, &index) == 0)
			child = config_setting_get_elem(s, index);
		else
			break;
		if (child == NULL)
			break;
		s = child;
	}
	return setting_place(rd, s);
}

/* Values. */

static void read_number(const struct target *t, const config_setting_t *s)
{
	const struct conf_key *k = t->key;
	const char *unit = k->unit, *space = unit[0] ? " " : "",
		   * or = k->words ? " or \"auto\"" : "";
	uint32_t value = CONF_AUTO;
	long long v;

	if (k->words != NULL && s->type == CONFIG_TYPE_STRING &&
	    str_eq(str_from_c(config_setting_get_string(s)), str_from_c(k->words))) {
		memcpy(t->at, &value, sizeof(value));
		return;
	}
	if (s->type != CONFIG_TYPE_INT && s->type != CONFIG_TYPE_INT64) {
		COMPLAIN(t, "%s must be a whole number, %u..%u%s%s%s, not %s", t->path, k->min,
			 k->max, space, unit, or, type_name(s->type));
		return;
	}
	v = s->type == CONFIG_TYPE_INT ? config_setting_get_int(s) : config_setting_get_int64(s);
	if (v < k->min || v > k->max) {
		COMPLAIN(t, "%s = %lld is out of bounds: it must be %u..%u%s%s%s", t->path, v,
			 k->min, k->max, space, unit, or);
		return;
	}
	value = (uint32_t)v;
	memcpy(t->at, &value, sizeof(value));
}

static void read_bool(const struct target *t, const config_setting_t *s)
{
	uint32_t value;

	if (s->type != CONFIG_TYPE_BOOL) {
		COMPLAIN(t, "%s must be true or false, not %s", t->path, type_name(s->type));
		return;
	}
	value = config_setting_get_bool(s) ? 1 : 0;
	memcpy(t->at, &value, sizeof(value));
}

static void read_word(const struct target *t, struct str text)
{
	int place = conf_word_find(t->key->words, text);
	uint32_t value = t->key->min + (uint32_t)place;

	if (place < 0) {
		COMPLAIN(t, "%s = \"%.*s\" is not one of: %s", t->path, STR_FMT(text),
			 t->key->words);
		return;
	}
	if (t->key->kind == CONF_K_WORD) {
		memcpy(t->at, &value, sizeof(value));
		return;
	}
	memset(t->at, 0, t->size); /* no rest of a longer default: equal settings, equal bytes */
	str_to_c(text, (char *)t->at, t->size);
}

/* Host names with '_' are no host names of RFC 1123, yet stand in many a network. */
bool conf_is_name(struct str text)
{
	for (uint32_t i = 0; i < text.len; i++) {
		char c = ascii_lower(text.s[i]);

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && !strchr("-_.", c))
			return false;
	}
	return text.len > 0;
}

static bool is_host(struct str text)
{
	struct ip ip;

	return conf_is_name(text) || ip_parse(text, &ip) == 0;
}

static bool has_control_octets(struct str text)
{
	for (uint32_t i = 0; i < text.len; i++)
		if ((unsigned char)text.s[i] < ' ' || text.s[i] == 0x7f)
			return true;
	return false;
}

static void read_text(const struct target *t, struct str text)
{
	const char *wrong = NULL;

	switch (t->key->kind) {
	case CONF_K_NAME:
		wrong = conf_is_name(text) ? NULL
					   : "must be made of letters, digits, '-', '_' and '.'";
		break;
	case CONF_K_PATH:
		wrong = str_starts_with(text, STR("/")) ? NULL : "must start with '/'";
		break;
	case CONF_K_HOST:
	case CONF_K_HOSTS:
		wrong = is_host(text) ? NULL : "is neither a host name nor an address";
		break;
	default:
		if (t->key->required && text.len == 0)
			wrong = "may not be empty";
	}
	if (wrong == NULL && has_control_octets(text))
		wrong = "may not have control octets";
	if (wrong != NULL) {
		COMPLAIN(t, "%s = \"%.*s\" %s", t->path, STR_FMT(text), wrong);
		return;
	}
	if (text.len >= t->size) {
		COMPLAIN(t, "%s has %u octets, %u are possible", t->path, text.len, t->size - 1);
		return;
	}
	memset(t->at, 0, t->size);
	str_to_c(text, (char *)t->at, t->size);
}

static void read_ip(const struct target *t, struct str text)
{
	struct ip ip;

	if (ip_parse(text, &ip) != 0) {
		COMPLAIN(t, "%s = \"%.*s\" is no address; write it as 10.0.0.1 or fd00::1", t->path,
			 STR_FMT(text));
		return;
	}
	if (ip_is_zero(&ip)) {
		COMPLAIN(t, "%s = \"%.*s\" is the address of nobody", t->path, STR_FMT(text));
		return;
	}
	memcpy(t->at, &ip, sizeof(ip));
}

static void read_prefix(const struct target *t, struct str text)
{
	struct ip_prefix prefix;
	int err = ip_prefix_parse(text, &prefix);

	if (err == -E_RANGE)
		COMPLAIN(t, "%s = \"%.*s\": a network has 0..32 bits in IPv4, 0..128 in IPv6",
			 t->path, STR_FMT(text));
	else if (err != 0)
		COMPLAIN(t,
			 "%s = \"%.*s\" is no address with length; write it as 10.0.0.1/24 or "
			 "fd00::1/64",
			 t->path, STR_FMT(text));
	else if (t->key->kind == CONF_K_PREFIXES && (ip_is_zero(&prefix.ip) || prefix.len == 0))
		COMPLAIN(t, "%s = \"%.*s\" is no address of ours in a network", t->path,
			 STR_FMT(text));
	else
		memcpy(t->at, &prefix, sizeof(prefix));
}

/* A value that is written as text: alone, or an element of an array. */
static void read_quoted(const struct target *t, const config_setting_t *s)
{
	struct str text;

	if (s->type != CONFIG_TYPE_STRING) {
		COMPLAIN(t, "%s must be text in quotes%s%s, not %s", t->path,
			 t->key->words ? ", one of: " : "", t->key->words ? t->key->words : "",
			 type_name(s->type));
		return;
	}
	text = str_from_c(config_setting_get_string(s));
	switch (t->key->kind) {
	case CONF_K_WORD:
	case CONF_K_WORD_TEXT:
		read_word(t, text);
		break;
	case CONF_K_IP:
	case CONF_K_IPS:
		read_ip(t, text);
		break;
	case CONF_K_PREFIX:
	case CONF_K_PREFIXES:
		read_prefix(t, text);
		break;
	default:
		read_text(t, text);
	}
}

/* How many elements of the array or list s are to be read; complains where that is not all. */
static uint32_t array_length(const struct target *t, const config_setting_t *s)
{
	uint32_t n;
	bool is_table = t->key->kind == CONF_K_TABLE;

	if (s->type != CONFIG_TYPE_LIST && (is_table || s->type != CONFIG_TYPE_ARRAY)) {
		COMPLAIN(t, "%s must be %s, not %s", t->path,
			 is_table ? "a list ( { }, ... )" : "an array [ \"\", ... ]",
			 type_name(s->type));
		return 0;
	}
	n = (uint32_t)config_setting_length(s);
	if (n == 0 && t->key->required)
		COMPLAIN(t, "%s may not be empty", t->path);
	if (n > t->key->max) {
		COMPLAIN(t, "%s has %u elements, %u are possible", t->path, n, t->key->max);
		n = t->key->max;
	}
	return n;
}

static void read_group(const struct conf_reader *rd, const config_setting_t *s,
		       enum conf_group group, void *record);

static void read_elements(struct target *t, const config_setting_t *s, void *record)
{
	uint32_t n = array_length(t, s);

	memcpy((uint8_t *)record + t->key->count_offset, &n, sizeof(n));
	t->size = t->key->element;
	for (uint32_t i = 0; i < n; i++, t->at += t->size) {
		const config_setting_t *element = config_setting_get_elem(s, i);

		if (t->key->kind != CONF_K_TABLE) {
			read_quoted(t, element);
			continue;
		}
		conf_group_defaults(t->key->sub, t->at);
		if (config_setting_is_group(element))
			read_group(t->rd, element, t->key->sub, t->at);
		else
			COMPLAIN(t, "%s: each element must be a group { }, not %s", t->path,
				 type_name(element->type));
	}
}

static void read_value(const struct conf_reader *rd, const config_setting_t *s,
		       const struct conf_key *k, void *record)
{
	struct target t = {.rd = rd,
			   .key = k,
			   .place = setting_place(rd, s),
			   .at = (uint8_t *)record + k->offset,
			   .size = k->size};
	struct strbuf path = strbuf_of(t.path, sizeof(t.path) - 1);

	conf_key_path(k, &path);
	switch (k->kind) {
	case CONF_K_SECTION:
		if (config_setting_is_group(s))
			read_group(rd, s, k->sub, record);
		else
			COMPLAIN(&t, "%s must be a group { }, not %s", t.path, type_name(s->type));
		break;
	case CONF_K_TABLE:
	case CONF_K_HOSTS:
	case CONF_K_IPS:
	case CONF_K_PREFIXES:
		read_elements(&t, s, record);
		break;
	case CONF_K_NUMBER:
		read_number(&t, s);
		break;
	case CONF_K_BOOL:
		read_bool(&t, s);
		break;
	default:
		read_quoted(&t, s);
	}
}

static void complain_unknown(const struct conf_reader *rd, const config_setting_t *s,
			     enum conf_group group)
{
	const struct conf_key *above = conf_group_key(group);
	struct str name = setting_name(s);
	const struct conf_key *meant = conf_key_nearest(group, name);

	conf_complain(rd->report, setting_place(rd, s), "unknown key %.*s%s%s%s%s%s", STR_FMT(name),
		      above ? " in " : "", above ? above->name : "", meant ? "; did you mean " : "",
		      meant ? meant->name : "", meant ? "?" : "");
}

static void complain_missing(const struct conf_reader *rd, const config_setting_t *s,
			     enum conf_group group)
{
	for (uint32_t i = 0; i < conf_n_keys; i++) {
		const struct conf_key *k = &conf_keys[i];

		if (k->group == group && k->required &&
		    child_named(s, str_from_c(k->name), config_setting_length(s)) == NULL)
			conf_complain(rd->report, setting_place(rd, s), "%s needs the key %s here",
				      conf_group_key(group)->name, k->name);
	}
}

/* read_group and read_value call each other as deep as the table nests (root, proxy, hosts), never
 * as deep as a file does. */
static void read_group(const struct conf_reader *rd, const config_setting_t *s,
		       enum conf_group group, void *record)
{
	for (int i = 0; i < config_setting_length(s); i++) {
		const config_setting_t *child = config_setting_get_elem(s, (unsigned int)i);
		struct str name = setting_name(child);
		const struct conf_key *k = conf_key_find(group, name);
		const config_setting_t *first = k != NULL ? child_named(s, name, i) : NULL;

		if (k == NULL)
			complain_unknown(rd, child, group);
		else if (first != NULL)
			conf_complain(rd->report, setting_place(rd, child),
				      "%s stands twice here, first at %s:%u", k->name,
				      setting_place(rd, first).file, setting_place(rd, first).line);
		else
			read_value(rd, child, k, record);
	}
	complain_missing(rd, s, group);
}

static void read_tree(struct conf_reader *rd, struct conf *c)
{
	config_init(&rd->file);
	if (config_read_string(&rd->file, conf_source_text(rd->source)) == CONFIG_TRUE) {
		read_group(rd, config_root_setting(&rd->file), CONF_ROOT, c);
		conf_check(rd, c);
	} else {
		conf_complain(rd->report,
			      conf_source_place(rd->source, (uint32_t)config_error_line(&rd->file)),
			      "%s at, or right before, this line", config_error_text(&rd->file));
	}
	config_destroy(&rd->file);
}

int conf_read(const char *path, struct conf *c, struct conf_report *r)
{
	struct conf_reader rd = {.report = r};
	int err;

	memset(r, 0, sizeof(*r));
	conf_defaults(c);
	err = conf_source_read(path, r, &rd.source);
	if (err == 0)
		read_tree(&rd, c);
	conf_source_free(rd.source);
	return err != 0 ? err : r->complaints > 0 ? -E_MALFORMED : 0;
}
