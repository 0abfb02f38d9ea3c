/* SPDX-License-Identifier: Apache-2.0 */
/* Views and the bounded writer.
 *
 * A view is two words passed by value; nothing here keeps one, allocates, or writes through one.
 * SIP compares method names case-sensitively and nearly everything else without case (RFC 3261
 * §7.3.1, §19.1.4), so each test exists in both forms and the caller names the one that the grammar
 * asks for. The locale never takes part: octets are folded as US-ASCII and no others are touched.
 *
 * The empty view may have a NULL pointer, to which not even 0 may be added; functions that move the
 * start of a view therefore only do so where there are bytes to step over.
 *
 * The writer is all or nothing for each call: a header that did not fit leaves no half of itself
 * behind, and `full` then stays set, so that a reply built from twenty puts is checked once. */
#include "platform/base/str.h"

#include <stdarg.h>
#include <stdio.h>

#include "platform/base/err.h"

#define U64_DIGITS 20 /* decimal digits of UINT64_MAX */
#define U64_NIBBLES 16

static bool is_edge_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool fold_eq(const char *a, const char *b, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		if (ascii_lower(a[i]) != ascii_lower(b[i]))
			return false;
	return true;
}

struct str str_from_c(const char *c)
{
	return c ? str_of(c, strlen(c)) : STR_NONE;
}

bool str_ieq(struct str a, struct str b)
{
	return a.len == b.len && fold_eq(a.s, b.s, a.len);
}

bool str_starts_with(struct str s, struct str prefix)
{
	return prefix.len <= s.len && (prefix.len == 0 || memcmp(s.s, prefix.s, prefix.len) == 0);
}

bool str_istarts_with(struct str s, struct str prefix)
{
	return prefix.len <= s.len && fold_eq(s.s, prefix.s, prefix.len);
}

int str_cmp(struct str a, struct str b)
{
	uint32_t common = a.len < b.len ? a.len : b.len;
	int order = common ? memcmp(a.s, b.s, common) : 0;

	if (order != 0)
		return order;
	return (a.len > b.len) - (a.len < b.len);
}

struct str str_trim(struct str s)
{
	while (s.len > 0 && is_edge_space(s.s[s.len - 1]))
		s.len--;
	while (s.len > 0 && is_edge_space(s.s[0])) {
		s.s++;
		s.len--;
	}
	return s;
}

int64_t str_find(struct str s, char c)
{
	const char *at = s.len ? memchr(s.s, c, s.len) : NULL;

	return at ? at - s.s : -1;
}

struct str str_sub(struct str s, uint32_t from, uint32_t len)
{
	if (from > s.len)
		from = s.len;
	if (len > s.len - from)
		len = s.len - from;
	return (struct str){ from ? s.s + from : s.s, len };
}

bool str_split(struct str s, char sep, struct str *head, struct str *rest)
{
	int64_t at = str_find(s, sep);

	if (at < 0) {
		*head = s;
		*rest = STR_NONE;
		return false;
	}
	*head = (struct str){ s.s, (uint32_t)at };
	*rest = (struct str){ s.s + at + 1, s.len - (uint32_t)at - 1 };
	return true;
}

int str_to_u64(struct str s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;
	bool over = false;

	if (s.len == 0)
		return -E_MALFORMED;
	/* An octet that is no digit is malformed wherever it stands, even behind digits that are
	 * already too many: the scan goes on to the end. */
	for (uint32_t i = 0; i < s.len; i++) {
		if (s.s[i] < '0' || s.s[i] > '9')
			return -E_MALFORMED;
		uint64_t digit = (uint64_t)(s.s[i] - '0');

		if (v > (UINT64_MAX - digit) / 10)
			over = true;
		else
			v = v * 10 + digit;
	}
	if (over || v > max)
		return -E_RANGE;
	*out = v;
	return 0;
}

int str_to_u32(struct str s, uint32_t max, uint32_t *out)
{
	uint64_t v;
	int err = str_to_u64(s, max, &v);

	if (err == 0)
		*out = (uint32_t)v;
	return err;
}

size_t str_to_c(struct str s, char *out, size_t cap)
{
	if (cap == 0)
		return 0;
	size_t n = s.len < cap - 1 ? s.len : cap - 1;

	if (n > 0)
		memcpy(out, s.s, n);
	out[n] = '\0';
	return n;
}

/* Room for len more bytes, or NULL with full set. */
static char *strbuf_room(struct strbuf *b, uint32_t len)
{
	if (b->full || len > b->cap - b->len) {
		b->full = true;
		return NULL;
	}
	char *at = b->s + b->len;

	b->len += len;
	return at;
}

void strbuf_put(struct strbuf *b, struct str s)
{
	if (s.len == 0)
		return;
	char *at = strbuf_room(b, s.len);

	if (at)
		memcpy(at, s.s, s.len);
}

void strbuf_char(struct strbuf *b, char c)
{
	char *at = strbuf_room(b, 1);

	if (at)
		*at = c;
}

void strbuf_u64(struct strbuf *b, uint64_t v)
{
	char text[U64_DIGITS];
	uint32_t at = U64_DIGITS;

	do {
		text[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v != 0);
	strbuf_put(b, (struct str){ text + at, U64_DIGITS - at });
}

void strbuf_hex(struct strbuf *b, uint64_t v, int digits)
{
	char text[U64_NIBBLES];
	uint32_t n = digits < 1 ? 1 : digits > U64_NIBBLES ? U64_NIBBLES : (uint32_t)digits;

	for (uint32_t i = n; i > 0; i--) {
		text[i - 1] = "0123456789abcdef"[v & 15];
		v >>= 4;
	}
	strbuf_put(b, (struct str){ text, n });
}

void strbuf_printf(struct strbuf *b, const char *fmt, ...)
{
	uint32_t room = b->cap - b->len;
	va_list args;

	if (b->full)
		return;
	if (room == 0) { /* nowhere to put even the terminator */
		b->full = true;
		return;
	}
	va_start(args, fmt);
	int n = vsnprintf(b->s + b->len, room, fmt, args);

	va_end(args);
	if (n < 0 || (uint32_t)n >= room)
		b->full = true;
	else
		b->len += (uint32_t)n;
}
