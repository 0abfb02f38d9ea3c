/* SPDX-License-Identifier: Apache-2.0 */
/* Answers for people. A result is a value, a list of values, a list of rows, or an object whose plain
 * members come first and whose lists come as tables below. Rows inside of a row (the branches of a
 * transaction) stand indented under it. What lies deeper is printed as JSON.
 *
 * Texts may be a stranger's: control characters are shown as '?'. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/ctl/ctl.h"

#define COLUMNS_MAX 24
#define CELL_BYTES 1024

struct column {
	const char *key;
	int width; /* characters */
	bool number;
};

static int width_of(const char *s)
{
	int n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80; /* not for the rest of a UTF-8 character */
	return n;
}

/* C0, DEL and C1 (which UTF-8 writes as c2 80 to c2 9f) would steer a terminal. */
static void disarm(char *s)
{
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)s[0], next = (unsigned char)s[1];

		if (c < 0x20 || c == 0x7f)
			s[0] = '?';
		else if (c == 0xc2 && next >= 0x80 && next < 0xa0)
			s[0] = s[1] = '?';
	}
}

static void cell_join(const json_t *list, char *out)
{
	size_t used = 0;
	const json_t *v;
	size_t i;

	json_array_foreach(list, i, v)
	{
		int n = snprintf(out + used, CELL_BYTES - used, "%s%s", i ? ", " : "",
				 json_string_value(v));

		if (n < 0 || (size_t)n >= CELL_BYTES - used)
			return;
		used += (size_t)n;
	}
}

static bool is_text_list(const json_t *v)
{
	const json_t *e;
	size_t i;

	json_array_foreach(v, i, e)
	{
		if (!json_is_string(e))
			return false;
	}
	return json_is_array(v);
}

static void cell_text(const json_t *v, char *out)
{
	size_t n;

	out[0] = '\0';
	if (json_is_string(v)) {
		(void)snprintf(out, CELL_BYTES, "%s", json_string_value(v));
	} else if (v == NULL || json_is_null(v)) {
		(void)snprintf(out, CELL_BYTES, "-");
	} else if (json_is_boolean(v)) {
		(void)snprintf(out, CELL_BYTES, "%s", json_is_true(v) ? "yes" : "no");
	} else if (json_is_real(v)) {
		(void)snprintf(out, CELL_BYTES, "%.3f", json_real_value(v));
	} else if (is_text_list(v)) {
		cell_join(v, out);
	} else {
		n = json_dumpb(v, out, CELL_BYTES - 1, JSON_COMPACT | JSON_ENCODE_ANY);
		out[n < CELL_BYTES ? n : 0] = '\0';
	}
	disarm(out);
}

static bool is_rows(const json_t *v)
{
	return json_is_array(v) && json_is_object(json_array_get(v, 0));
}

static int columns_of(json_t *rows, struct column *col)
{
	char cell[CELL_BYTES];
	int n = 0;
	const char *key;
	json_t *row, *v;
	size_t i;

	json_object_foreach(json_array_get(rows, 0), key, v)
	{
		if (n < COLUMNS_MAX && !is_rows(v))
			col[n++] = (struct column){key, width_of(key), true};
	}
	json_array_foreach(rows, i, row)
	{
		for (int k = 0; k < n; k++) {
			v = json_object_get(row, col[k].key);
			cell_text(v, cell);
			if (width_of(cell) > col[k].width)
				col[k].width = width_of(cell);
			col[k].number &= json_is_number(v) || json_is_null(v);
		}
	}
	return n;
}

static void print_cell(const struct column *col, const char *text, bool last)
{
	int pad = col->width - width_of(text);

	if (col->number)
		printf("%*s%s", pad, "", text);
	else
		printf("%s%*s", text, last ? 0 : pad, "");
	fputs(last ? "\n" : "  ", stdout);
}

/* "  branches: key=value key=value" for each row inside of a row. */
static void print_inner(json_t *row)
{
	char cell[CELL_BYTES];
	const char *key, *inner_key;
	json_t *v, *inner, *e;
	size_t i;

	json_object_foreach(row, key, v)
	{
		if (!is_rows(v))
			continue;
		json_array_foreach(v, i, inner)
		{
			printf("    %s:", key);
			json_object_foreach(inner, inner_key, e)
			{
				cell_text(e, cell);
				printf(" %s=%s", inner_key, cell);
			}
			putchar('\n');
		}
	}
}

static void print_table(json_t *rows)
{
	struct column col[COLUMNS_MAX];
	int n = columns_of(rows, col);
	char cell[CELL_BYTES];
	json_t *row;
	size_t i;

	for (int k = 0; k < n; k++)
		print_cell(&col[k], col[k].key, k == n - 1);
	json_array_foreach(rows, i, row)
	{
		for (int k = 0; k < n; k++) {
			cell_text(json_object_get(row, col[k].key), cell);
			print_cell(&col[k], cell, k == n - 1);
		}
		print_inner(row);
	}
}

static void print_list(json_t *list, const char *name)
{
	char cell[CELL_BYTES];
	json_t *v;
	size_t i;

	if (is_rows(list)) {
		print_table(list);
		return;
	}
	if (json_array_size(list) == 0)
		printf("%s%snone\n", name ? name : "", name ? ": " : "");
	json_array_foreach(list, i, v)
	{
		cell_text(v, cell);
		printf("%s\n", cell);
	}
}

static void print_plain(json_t *object)
{
	char cell[CELL_BYTES];
	const char *key;
	int width = 0;
	json_t *v;

	json_object_foreach(object, key, v)
	{
		if (!json_is_array(v) && !json_is_object(v) && width_of(key) > width)
			width = width_of(key);
	}
	json_object_foreach(object, key, v)
	{
		if (json_is_array(v) || json_is_object(v) || strcmp(key, "next") == 0)
			continue;
		cell_text(v, cell);
		printf("%s:%*s %s\n", key, width - width_of(key), "", cell);
	}
}

static void print_object(json_t *object)
{
	const char *key;
	json_t *v;

	print_plain(object);
	json_object_foreach(object, key, v)
	{
		if (json_is_array(v)) {
			print_list(v, key);
		} else if (json_is_object(v)) {
			printf("%s:\n", key);
			print_plain(v);
		}
	}
}

/* Kamailio's nested shape of bindings as rows. */
static void add_contacts(json_t *rows, const json_t *aor, const json_t *contacts)
{
	json_t *v;
	size_t i;

	json_array_foreach(contacts, i, v)
	{
		json_t *row = json_object(), *contact = json_object_get(v, "Contact");

		json_object_set(row, "AoR", (json_t *)aor);
		json_object_update(row, contact);
		json_array_append_new(rows, row);
	}
}

static void print_bindings(const json_t *result)
{
	json_t *domain =
		json_object_get(json_array_get(json_object_get(result, "Domains"), 0), "Domain");
	json_t *rows = json_array(), *v;
	size_t i;

	json_array_foreach(json_object_get(domain, "AoRs"), i, v)
	{
		json_t *info = json_object_get(v, "Info");

		if (info == NULL)
			json_array_append(rows, v);
		add_contacts(rows, json_object_get(info, "AoR"), json_object_get(info, "Contacts"));
	}
	add_contacts(rows, json_object_get(result, "AoR"), json_object_get(result, "Contacts"));
	print_list(rows, "bindings");
	if (domain != NULL)
		printf("%lld bindings in all\n",
		       (long long)json_integer_value(
			       json_object_get(json_object_get(domain, "Stats"), "Records")));
	json_decref(rows);
}

void view_print(const char *call, const json_t *result)
{
	char cell[CELL_BYTES];

	if (strcmp(call, "ul.dump") == 0 || strcmp(call, "ul.lookup") == 0) {
		print_bindings(result);
	} else if (json_is_object(result)) {
		print_object((json_t *)result);
	} else if (json_is_array(result)) {
		print_list((json_t *)result, NULL);
	} else if (json_is_string(result)) { /* may be longer than a cell */
		char *text = strdup(json_string_value(result));

		if (text != NULL)
			disarm(text);
		printf("%s\n", text ? text : "");
		free(text);
	} else {
		cell_text(result, cell);
		printf("%s\n", cell);
	}
}
