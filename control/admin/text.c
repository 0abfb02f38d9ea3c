/* SPDX-License-Identifier: Apache-2.0 */
/* Growing texts, doubled when full; and octets as JSON texts. */
#include "control/admin/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_BYTES 1024
#define PIECE_BYTES 512 /* of one text_printf() */

void text_free(struct text *t)
{
	free(t->s);
	*t = text_of(t->max);
}

static bool text_room(struct text *t, uint32_t more)
{
	uint32_t cap = t->cap ? t->cap : FIRST_BYTES;
	char *s;

	if (t->full || more > t->max - t->len) {
		t->full = true;
		return false;
	}
	if (t->len + more <= t->cap)
		return true;
	while (cap < t->len + more)
		cap = cap > t->max / 2 ? t->max : cap * 2;
	s = realloc(t->s, cap);
	if (s == NULL) {
		t->full = true;
		return false;
	}
	t->s = s;
	t->cap = cap;
	return true;
}

void text_put(struct text *t, struct str s)
{
	if (s.len == 0 || !text_room(t, s.len))
		return;
	memcpy(t->s + t->len, s.s, s.len);
	t->len += s.len;
}

void text_printf(struct text *t, const char *fmt, ...)
{
	char piece[PIECE_BYTES];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(piece, sizeof(piece), fmt, ap);
	va_end(ap);
	if (n < 0 || n >= (int)sizeof(piece))
		t->full = true;
	else
		text_put(t, str_of(piece, (size_t)n));
}

static int text_dump(const char *s, size_t len, void *arg)
{
	struct text *t = arg;

	if (len > t->max)
		t->full = true;
	else
		text_put(t, str_of(s, len));
	return t->full ? -1 : 0;
}

void text_json(struct text *t, json_t *v)
{
	/* 6 digits: ratios and q values read as they were meant */
	if (v == NULL ||
	    json_dump_callback(v, text_dump, t,
			       JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(6)) != 0)
		t->full = true;
	json_decref(v);
}

json_t *json_of_str(struct str s)
{
	json_t *v = json_stringn(s.len ? s.s : "", s.len);
	struct text t = text_of(s.len * 4 + 1);

	if (v != NULL)
		return v;
	for (uint32_t i = 0; i < s.len; i++) {
		if ((uint8_t)s.s[i] < 0x80)
			text_put(&t, str_sub(s, i, 1));
		else
			text_printf(&t, "\\x%02x", (uint8_t)s.s[i]);
	}
	v = t.full ? NULL : json_stringn(t.s, t.len);
	text_free(&t);
	return v;
}

json_t *json_of_c(const char *s)
{
	return json_of_str(str_from_c(s));
}

json_t *json_of_u64(uint64_t v)
{
	return json_integer(v > INT64_MAX ? INT64_MAX : (json_int_t)v);
}
