/* SPDX-License-Identifier: Apache-2.0 */
/* All forms of the lexer cut the same lines, by lex_scan() and by one cursor, to the end of any
 * input, as a datagram and as a stream. */
#include <stdlib.h>

#include "platform/sip/lex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(int ret, const struct lex_line *a, int ret_b, const struct lex_line *b)
{
	if (ret != ret_b)
		abort();
	if (ret == 1 && (a->start != b->start || a->colon != b->colon || a->end != b->end ||
			 a->next != b->next || a->flags != b->flags))
		abort();
}

static void walk(const char *p, uint32_t len, bool whole, const char *form)
{
	struct lex_cursor c;
	struct lex_line plain, line, next;
	uint32_t from = 0;
	int ret;

	lex_open(&c, p, len);
	do {
		(void)lex_choose("plain"); /* always there */
		ret = lex_scan(p, len, from, whole, &plain);
		(void)lex_choose(form);
		same(ret, &plain, lex_scan(p, len, from, whole, &line), &line);
		same(ret, &plain, lex_next(&c, from, whole, &next), &next);
		if (ret == 1 && (plain.next <= from || plain.next > len || plain.end > plain.next ||
				 plain.colon > plain.end || plain.start != from))
			abort();
		from = plain.next;
	} while (ret == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 1 << 16)
		return 0;
	for (const char *const *form = lex_forms(); *form; form++) {
		walk((const char *)data, (uint32_t)size, true, *form);
		walk((const char *)data, (uint32_t)size, false, *form);
	}
	return 0;
}
