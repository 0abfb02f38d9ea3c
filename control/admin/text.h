/* SPDX-License-Identifier: Apache-2.0 */
/* A text that grows up to a bound: answers on their way to a caller. Like struct strbuf, once
 * something does not fit nothing more is written and `full` stays set; unlike it, it owns its memory.
 * And JSON texts made of octets that a stranger sent. */
#pragma once
#include <jansson.h>

#include "platform/base/str.h"

struct text {
	char *s;
	uint32_t len, cap; /* bytes                                    */
	uint32_t max;	   /* it never grows beyond; 0: not yet set up */
	bool full;
};

static inline struct text text_of(uint32_t max_bytes)
{
	return (struct text){.max = max_bytes};
}
void text_free(struct text *t); /* stays usable: empty */
void text_put(struct text *t, struct str s);
void text_printf(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The value as compact JSON; takes v. NULL (no memory) sets full. */
void text_json(struct text *t, json_t *v);
static inline struct str text_str(const struct text *t)
{
	return (struct str){t->s, t->len};
}

/* JSON is UTF-8 and messages need not be: what is none has its octets above 127 as "\xNN". */
json_t *json_of_str(struct str s);
json_t *json_of_c(const char *s);
json_t *json_of_u64(uint64_t v); /* beyond 2^63 - 1: that */
