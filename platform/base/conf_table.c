/* SPDX-License-Identifier: Apache-2.0 */
/* conf_keys.def made into an array, and the questions that need nothing but it: defaults, the
 * nearest name, hash and difference of two configurations.
 *
 * Sections and tables nest as the table says, two deep; loops that climb or descend the nesting
 * follow the table, never a file, so what an operator writes cannot make them longer.
 * struct conf has no padding and every octet of it belongs to exactly one key (a test counts), so
 * bytes may be compared and hashed. */
#include "platform/base/conf_table.h"
#include "platform/base/hash.h"

#define NAME_MAX_COMPARED 40 /* longer unknown keys are not compared with ours: none is near */

/* The record that the keys of a group fill. */
#define REC_ROOT      struct conf
#define REC_NODE      struct conf
#define REC_CORES     struct conf
#define REC_MEMORY    struct conf
#define REC_LIMITS    struct conf
#define REC_TXN       struct conf
#define REC_CONTROL   struct conf
#define REC_PROXY     struct conf
#define REC_REGISTRAR struct conf
#define REC_PORT      struct conf_port
#define REC_INTERFACE struct conf_interface
#define REC_LISTENER  struct conf_listener
#define REC_HOST      struct conf_host
#define REC_ROUTE     struct conf_route

#define KEY(g, key, kind_, text) \
	.group = CONF_##g, .name = #key, .kind = CONF_K_##kind_, .sentence = text
#define AT(g, field) \
	.offset = offsetof(REC_##g, field), .size = sizeof(((REC_##g *)NULL)->field)
#define ARRAY(g, field, n, most) \
	AT(g, field), .element = sizeof(((REC_##g *)NULL)->field[0]), \
	.count_offset = offsetof(REC_##g, n), .max = most

#define SECTION(g, key, text) { KEY(ROOT, key, SECTION, text), .sub = CONF_##g },
#define TABLE(g, key, sub_, field, n, most, text) \
	{ KEY(g, key, TABLE, text), ARRAY(g, field, n, most), .sub = CONF_##sub_ },
#define NUMBER(g, key, field, def_, min_, max_, unit_, text) \
	{ KEY(g, key, NUMBER, text), AT(g, field), .def = def_, .min = min_, .max = max_, \
	  .unit = unit_ },
#define NUMBER_AUTO(g, key, field, def_, min_, max_, unit_, text) \
	{ KEY(g, key, NUMBER, text), AT(g, field), .def = def_, .min = min_, .max = max_, \
	  .unit = unit_, .words = "auto" },
#define BOOL(g, key, field, def_, text) \
	{ KEY(g, key, BOOL, text), AT(g, field), .def = def_, .max = 1 },
#define WORD(g, key, field, first, def_, words_, text) \
	{ KEY(g, key, WORD, text), AT(g, field), .min = first, .def_text = def_, .words = words_ },
#define WORD_TEXT(g, key, field, def_, words_, text) \
	{ KEY(g, key, WORD_TEXT, text), AT(g, field), .def_text = def_, .words = words_ },
#define TEXT(g, key, field, def_, text) \
	{ KEY(g, key, TEXT, text), AT(g, field), .def_text = def_, .required = (def_) == NULL },
#define PATH(g, key, field, def_, text) \
	{ KEY(g, key, PATH, text), AT(g, field), .def_text = def_ },
#define NAME(g, key, field, text) { KEY(g, key, NAME, text), AT(g, field), .required = true },
#define HOST(g, key, field, text) { KEY(g, key, HOST, text), AT(g, field), .required = true },
#define IP(g, key, field, text) { KEY(g, key, IP, text), AT(g, field), .required = true },
#define PREFIX(g, key, field, text) { KEY(g, key, PREFIX, text), AT(g, field), .required = true },
#define HOSTS(g, key, field, n, must_, most, text) \
	{ KEY(g, key, HOSTS, text), ARRAY(g, field, n, most), .required = must_ },
#define IPS(g, key, field, n, must_, most, text) \
	{ KEY(g, key, IPS, text), ARRAY(g, field, n, most), .required = must_ },
#define PREFIXES(g, key, field, n, must_, most, text) \
	{ KEY(g, key, PREFIXES, text), ARRAY(g, field, n, most), .required = must_ },

const struct conf_key conf_keys[] = {
#include "platform/base/conf_keys.def"
};
const uint32_t conf_n_keys = sizeof(conf_keys) / sizeof(conf_keys[0]);

bool conf_key_is_array(const struct conf_key *k)
{
	return k->element != 0;
}

const struct conf_key *conf_key_find(enum conf_group group, struct str name)
{
	for (uint32_t i = 0; i < conf_n_keys; i++)
		if (conf_keys[i].group == group && str_eq(str_from_c(conf_keys[i].name), name))
			return &conf_keys[i];
	return NULL;
}

const struct conf_key *conf_group_key(enum conf_group group)
{
	for (uint32_t i = 0; i < conf_n_keys; i++)
		if (conf_keys[i].sub == group && conf_keys[i].sub != CONF_ROOT)
			return &conf_keys[i];
	return NULL;
}

void conf_key_path(const struct conf_key *k, struct strbuf *out)
{
	const struct conf_key *above[CONF_GROUPS];
	uint32_t n = 0;

	for (; k != NULL && n < CONF_GROUPS; k = conf_group_key(k->group))
		above[n++] = k;
	while (n-- > 0) {
		strbuf_put(out, str_from_c(above[n]->name));
		if (n > 0)
			strbuf_char(out, '.');
	}
}

static uint32_t min3(uint32_t a, uint32_t b, uint32_t c)
{
	uint32_t m = a < b ? a : b;

	return m < c ? m : c;
}

/* Edits (insert, delete, replace; case does not count) that make b of a: one row of Levenshtein's
 * table at a time. */
static uint32_t edit_distance(struct str a, struct str b)
{
	uint32_t row[NAME_MAX_COMPARED + 1];

	for (uint32_t i = 0; i <= a.len; i++)
		row[i] = i;
	for (uint32_t j = 0; j < b.len; j++) {
		uint32_t diagonal = row[0];

		row[0] = j + 1;
		for (uint32_t i = 0; i < a.len; i++) {
			uint32_t differs = ascii_lower(a.s[i]) != ascii_lower(b.s[j]);
			uint32_t cost = min3(row[i] + 1, row[i + 1] + 1, diagonal + differs);

			diagonal = row[i + 1];
			row[i + 1] = cost;
		}
	}
	return row[a.len];
}

const struct conf_key *conf_key_nearest(enum conf_group group, struct str name)
{
	const struct conf_key *nearest = NULL;
	uint32_t best = 2 + name.len / 4; /* more edits than this, and it is another word */

	if (name.len > NAME_MAX_COMPARED)
		return NULL;
	for (uint32_t i = 0; i < conf_n_keys; i++) {
		struct str known = str_from_c(conf_keys[i].name);
		uint32_t distance;

		if (conf_keys[i].group != group)
			continue;
		distance = edit_distance(name, known);
		if (distance < known.len && distance < best) {
			best = distance;
			nearest = &conf_keys[i];
		}
	}
	return nearest;
}

int conf_word_find(const char *words, struct str word)
{
	struct str rest = str_from_c(words), one;

	for (int i = 0; rest.len > 0; i++) {
		(void)str_split(rest, ' ', &one, &rest); /* false: the last word */
		if (str_eq(one, word))
			return i;
	}
	return -E_NOT_FOUND;
}

static void set_default(const struct conf_key *k, void *record)
{
	uint8_t *at = (uint8_t *)record + k->offset;
	uint32_t value = k->def;

	switch (k->kind) {
	case CONF_K_WORD:
		value = k->min + (uint32_t)conf_word_find(k->words, str_from_c(k->def_text));
		/* fall through */
	case CONF_K_NUMBER:
	case CONF_K_BOOL:
		must(k->size == sizeof(value));
		memcpy(at, &value, sizeof(value));
		return;
	case CONF_K_PREFIX:
		/* No length of a prefix, until one is read: all zero would be ::/0. */
		at[offsetof(struct ip_prefix, len)] = UINT8_MAX;
		return;
	default:
		if (k->def_text != NULL)
			str_to_c(str_from_c(k->def_text), (char *)at, k->size);
	}
}

void conf_group_defaults(enum conf_group group, void *record)
{
	for (uint32_t i = 0; i < conf_n_keys; i++) {
		const struct conf_key *k = &conf_keys[i];
		const struct conf_key *section = conf_group_key(k->group);
		bool inside = k->group == group || (section != NULL && section->group == group &&
						    section->kind == CONF_K_SECTION);

		if (inside)
			set_default(k, record);
	}
}

void conf_defaults(struct conf *c)
{
	memset(c, 0, sizeof(*c));
	conf_group_defaults(CONF_ROOT, c);
}

uint64_t conf_hash(const struct conf *c)
{
	/* Not a secret: nobody gains from two configurations that collide. */
	static const struct hash_key key = { { 0, 0 } };

	return hash_bytes(&key, c, sizeof(*c));
}

static bool key_differs(const struct conf_key *k, const void *a, const void *b)
{
	const uint8_t *pa = a, *pb = b;

	return memcmp(pa + k->offset, pb + k->offset, k->size) != 0 ||
	       (conf_key_is_array(k) &&
		memcmp(pa + k->count_offset, pb + k->count_offset, sizeof(uint32_t)) != 0);
}

/* A table counts as one key: which element differs says little once one is put in between. */
uint32_t conf_diff(const struct conf *a, const struct conf *b, struct strbuf *out)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < conf_n_keys; i++) {
		const struct conf_key *k = &conf_keys[i];
		const struct conf_key *above = conf_group_key(k->group);
		bool in_conf = above == NULL || above->kind == CONF_K_SECTION;

		if (!in_conf || !key_differs(k, a, b))
			continue;
		if (n++ > 0)
			strbuf_put(out, STR(", "));
		conf_key_path(k, out);
	}
	return n;
}
