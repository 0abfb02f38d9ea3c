/* SPDX-License-Identifier: Apache-2.0 */
/* The table of keys as text: a commented configuration file, and the manual's pages.
 *
 * The file can be read back and gives the defaults: sections stand with their values, lists are
 * empty, and what an element of a list may hold stands in comments. */
#include "platform/base/conf_table.h"

#define INDENT_MAX 3 /* tabs */

static void put_c(struct strbuf *b, const char *c)
{
	strbuf_put(b, str_from_c(c));
}

static bool is_quoted(const struct conf_key *k)
{
	return k->kind != CONF_K_NUMBER && k->kind != CONF_K_BOOL && !conf_key_is_array(k);
}

/* As it would be written behind '='. */
static void put_default(struct strbuf *b, const struct conf_key *k)
{
	if (k->kind == CONF_K_TABLE)
		put_c(b, "( )");
	else if (conf_key_is_array(k))
		put_c(b, "[ ]");
	else if (k->kind == CONF_K_BOOL)
		put_c(b, k->def ? "true" : "false");
	else if (k->kind == CONF_K_NUMBER && !(k->words && k->def == CONF_AUTO))
		strbuf_u64(b, k->def);
	else if (k->kind == CONF_K_NUMBER)
		strbuf_printf(b, "\"%s\"", k->words);
	else
		strbuf_printf(b, "\"%s\"", k->def_text ? k->def_text : "");
}

static void put_words(struct strbuf *b, const char *words)
{
	struct str rest = str_from_c(words), one;
	bool more = true;

	while (more) {
		more = str_split(rest, ' ', &one, &rest);
		strbuf_printf(b, "\"%.*s\"%s", STR_FMT(one), more ? ", " : "");
	}
}

/* What may be written there, and its unit. */
static void put_bounds(struct strbuf *b, const struct conf_key *k)
{
	static const char *const form[CONF_KINDS] = {
		[CONF_K_TABLE] = "list of groups, at most ",
		[CONF_K_HOSTS] = "array of host names, at most ",
		[CONF_K_IPS] = "array of addresses, at most ",
		[CONF_K_PREFIXES] = "array of addresses with length, at most ",
		[CONF_K_TEXT] = "text, at most ",
		[CONF_K_PATH] = "path from /, at most ",
		[CONF_K_HOST] = "host name or address, at most ",
		[CONF_K_NAME] = "letters, digits, - _ ., at most ",
	};

	if (k->kind == CONF_K_NUMBER) {
		strbuf_printf(b, "%u..%u%s%s", k->min, k->max, k->unit[0] ? " " : "", k->unit);
		if (k->words)
			strbuf_printf(b, " or \"%s\"", k->words);
	} else if (k->kind == CONF_K_BOOL) {
		put_c(b, "true, false");
	} else if (k->words != NULL) {
		put_words(b, k->words);
	} else if (k->kind == CONF_K_IP) {
		put_c(b, "address");
	} else if (k->kind == CONF_K_PREFIX) {
		put_c(b, "address with length");
	} else {
		put_c(b, form[k->kind]);
		strbuf_u64(b, conf_key_is_array(k) ? k->max : k->size - 1);
		if (is_quoted(k))
			put_c(b, " octets");
	}
}

/* "# " where it is only to be read, and tabs. */
static void put_indent(struct strbuf *b, bool comment, uint32_t tabs)
{
	if (comment)
		strbuf_char(b, '#');
	for (uint32_t i = 0; i < tabs && i < INDENT_MAX; i++)
		strbuf_char(b, '\t');
}

static void print_value(struct strbuf *b, const struct conf_key *k, bool comment, uint32_t tabs)
{
	put_indent(b, comment, tabs);
	strbuf_printf(b, "# %s\n", k->sentence);
	put_indent(b, comment, tabs);
	strbuf_printf(b, "%s = ", k->name);
	put_default(b, k);
	put_c(b, ";  # ");
	put_bounds(b, k);
	put_c(b, k->required ? "; required\n" : "\n");
}

/* The keys of a group; those of a table in it, which follow, one deeper and as a comment. The table
 * of keys nests two tables at most (interfaces, routes), so two functions do. */
static void print_inner_table(struct strbuf *b, const struct conf_key *table, uint32_t tabs)
{
	print_value(b, table, true, tabs);
	for (uint32_t i = 0; i < conf_n_keys; i++)
		if (conf_keys[i].group == table->sub)
			print_value(b, &conf_keys[i], true, tabs + 1);
}

static void print_keys(struct strbuf *b, enum conf_group group, bool comment)
{
	for (uint32_t i = 0; i < conf_n_keys; i++) {
		const struct conf_key *k = &conf_keys[i];

		if (k->group != group)
			continue;
		if (k->kind == CONF_K_TABLE)
			print_inner_table(b, k, 1);
		else
			print_value(b, k, comment, 1);
	}
}

void conf_print_defaults(struct strbuf *out)
{
	put_c(out, "# Every key of the configuration with its default; in a list, as comments, the "
		   "keys\n"
		   "# of one element.\n");
	for (uint32_t i = 0; i < conf_n_keys; i++) {
		const struct conf_key *k = &conf_keys[i];

		if (k->group != CONF_ROOT)
			continue;
		strbuf_printf(out, "\n# %s\n%s = %s\n", k->sentence, k->name,
			      k->kind == CONF_K_TABLE ? "(" : "{");
		print_keys(out, k->sub, k->kind == CONF_K_TABLE);
		put_c(out, k->kind == CONF_K_TABLE ? ");\n" : "};\n");
	}
}

/* One row of a Markdown table; '|' is its own and has to be escaped. */
static void put_cell(struct strbuf *b, struct str text)
{
	for (uint32_t i = 0; i < text.len; i++) {
		if (text.s[i] == '|')
			strbuf_char(b, '\\');
		strbuf_char(b, text.s[i]);
	}
}

static void print_row(struct strbuf *b, const struct conf_key *k)
{
	strbuf_printf(b, "| `%s` | ", k->name);
	if (k->required) {
		put_c(b, "required");
	} else {
		strbuf_char(b, '`');
		put_default(b, k);
		strbuf_char(b, '`');
	}
	put_c(b, " | ");
	put_bounds(b, k);
	put_c(b, " | ");
	put_cell(b, str_from_c(k->sentence));
	put_c(b, " |\n");
}

static void print_section(struct strbuf *b, const struct conf_key *section)
{
	put_c(b, "\n## ");
	conf_key_path(section, b);
	strbuf_printf(b, "\n\n%s\n", section->sentence);
	if (section->kind == CONF_K_TABLE)
		strbuf_printf(
			b,
			"A list `( { ... }, ... )` of at most %u; each element has these keys.\n",
			section->max);
	put_c(b, "\n| key | default | allowed | meaning |\n|---|---|---|---|\n");
	for (uint32_t i = 0; i < conf_n_keys; i++)
		if (conf_keys[i].group == section->sub)
			print_row(b, &conf_keys[i]);
}

void conf_print_doc(struct strbuf *out)
{
	put_c(out,
	      "# Configuration\n\n"
	      "One file in the syntax of libconfig: `key = value;`, groups `{ }`, arrays `[ ]`, "
	      "lists\n"
	      "`( )`, comments `#`, `//` and `/* */`. `@include \"file\"`, alone in its line, puts "
	      "the\n"
	      "lines of another file there; its path starts at the folder of the file that names "
	      "it.\n"
	      "What is not written has its default. The whole file is checked before anything "
	      "starts;\n"
	      "each complaint names file and line, and an unknown key is one. `etc/lab.cfg` is a "
	      "small\n"
	      "example that works.\n\n"
	      "This page is made from the table of keys (`platform/base/conf_keys.def`), as is\n"
	      "`--print-defaults`.\n");
	for (uint32_t i = 0; i < conf_n_keys; i++)
		if (conf_keys[i].kind == CONF_K_SECTION || conf_keys[i].kind == CONF_K_TABLE)
			print_section(out, &conf_keys[i]);
}
