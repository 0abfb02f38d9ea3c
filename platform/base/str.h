/* SPDX-License-Identifier: Apache-2.0 */
/* Bounded views of bytes, and numbers in wire order.
 *
 * A struct str borrows bytes that somebody else owns; it is never NUL-terminated and may hold any
 * octet. Case folding is ASCII only (RFC 3261 §7.3.1): octets above 127 compare as they are.
 * All functions are pure, run anywhere, and never read outside [s, s + len). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
	const char *s; /* may be NULL only when len is 0 */
	uint32_t len;  /* bytes */
};

#define STR(literal) ((struct str){ (literal), sizeof(literal) - 1 })
#define STR_NONE     ((struct str){ NULL, 0 })
#define STR_FMT(v)   (int)(v).len, (v).s /* for "%.*s" */

static inline struct str str_of(const void *p, size_t len_bytes)
{
	return (struct str){ p, (uint32_t)len_bytes };
}

static inline bool str_eq(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.s, b.s, a.len) == 0);
}

/* View of a C string; NULL gives the empty view. */
struct str str_from_c(const char *c);
/* ASCII case-insensitive equality; prefix test; three-way order (memcmp order, then length). */
bool str_ieq(struct str a, struct str b);
bool str_starts_with(struct str s, struct str prefix);
bool str_istarts_with(struct str s, struct str prefix);
int str_cmp(struct str a, struct str b);
/* Without SP and HTAB (and CR, LF: folded lines) at both ends. */
struct str str_trim(struct str s);
/* First index of c, or -1. */
int64_t str_find(struct str s, char c);
/* s[from .. from+len), clipped to s. */
struct str str_sub(struct str s, uint32_t from, uint32_t len);
/* Split at the first sep: head gets what stands before it, rest what stands after; false (head = s,
 * rest empty) where there is none. */
bool str_split(struct str s, char sep, struct str *head, struct str *rest);
/* The whole of s as 1*DIGIT <= max. ret 0 · -E_MALFORMED (empty, other octets) · -E_RANGE (> max,
 * however many digits). out is set only on 0. */
int str_to_u64(struct str s, uint64_t max, uint64_t *out);
int str_to_u32(struct str s, uint32_t max, uint32_t *out);
/* Copy into a C buffer of cap bytes, always terminated, clipped where longer. ret bytes copied. */
size_t str_to_c(struct str s, char *out, size_t cap);

static inline char ascii_lower(char c)
{
	return (c >= 'A' && c <= 'Z') ? (char)(c | 0x20) : c;
}

/* Bounded text writer. Once something does not fit, `full` is set, nothing more is written, and len
 * stays where it was: check full once, at the end. */
struct strbuf {
	char *s;
	uint32_t len, cap; /* bytes */
	bool full;
};

static inline struct strbuf strbuf_of(void *mem, size_t cap_bytes)
{
	return (struct strbuf){ mem, 0, (uint32_t)cap_bytes, false };
}
void strbuf_put(struct strbuf *b, struct str s);
void strbuf_char(struct strbuf *b, char c);
void strbuf_u64(struct strbuf *b, uint64_t v);          /* decimal */
void strbuf_hex(struct strbuf *b, uint64_t v, int digits); /* the low 1..16, lower case */
/* Needs room for one byte more than its text (a terminator), and may scribble on free room. */
void strbuf_printf(struct strbuf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static inline struct str strbuf_str(const struct strbuf *b)
{
	return (struct str){ b->s, b->len };
}

/* Wire order lives in the type: a be16 cannot be added to by mistake. */
typedef struct { uint8_t b[2]; } be16;
typedef struct { uint8_t b[4]; } be32;
static inline uint16_t be16_get(be16 v) { return (uint16_t)(v.b[0] << 8 | v.b[1]); }
static inline be16 be16_of(uint16_t v) { return (be16){ { (uint8_t)(v >> 8), (uint8_t)v } }; }
static inline uint32_t be32_get(be32 v)
{
	return (uint32_t)v.b[0] << 24 | (uint32_t)v.b[1] << 16 | (uint32_t)v.b[2] << 8 | v.b[3];
}
static inline be32 be32_of(uint32_t v)
{
	return (be32){ { (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v } };
}
