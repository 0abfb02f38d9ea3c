/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a message head out of bitmaps.
 *
 * A form (lex_plain.c, lex_sse42.c, lex_avx2.c) maps a window of the input to two bitmaps: octets
 * that can end a line or must not stand in a head (CR, LF, NUL), and colons. A line then costs two
 * bit searches, however long it is. The rules for line ends, folding and stray octets are here.
 * RFC 3261 §7, §7.3.1, §25.1. */
#include "platform/sip/lex.h"
#include "platform/base/err.h"
#include "platform/sip/lex_form.h"

/* A window is moved on when less than this is left of it, so that few lines cross its end. */
#define REFILL 192
/* A single line is rarely longer; lex_scan() maps so much. */
#define SCAN_WINDOW 128

#define MARK (LEX_TOKEN | LEX_USER | LEX_PARAM | LEX_CALLID)
#define LETTER (MARK | LEX_HOST)

const uint8_t lex_table[256] = {
	['\t'] = LEX_LWS,
	[' '] = LEX_LWS,
	['0' ... '9'] = LETTER | LEX_DIGIT | LEX_HEX,
	['A' ... 'F'] = LETTER | LEX_HEX,
	['G' ... 'Z'] = LETTER,
	['a' ... 'f'] = LETTER | LEX_HEX,
	['g' ... 'z'] = LETTER,
	['-'] = LETTER,
	['.'] = LETTER,
	['!'] = MARK,
	['*'] = MARK,
	['_'] = MARK,
	['\''] = MARK,
	['~'] = MARK,
	['+'] = MARK,
	['%'] = LEX_TOKEN | LEX_CALLID,
	['`'] = LEX_TOKEN | LEX_CALLID,
	['('] = LEX_USER | LEX_PARAM | LEX_CALLID,
	[')'] = LEX_USER | LEX_PARAM | LEX_CALLID,
	['/'] = LEX_USER | LEX_PARAM | LEX_CALLID,
	['$'] = LEX_USER | LEX_PARAM,
	['&'] = LEX_USER | LEX_PARAM,
	[','] = LEX_USER,
	[';'] = LEX_USER,
	['='] = LEX_USER,
	['?'] = LEX_USER | LEX_CALLID,
	['['] = LEX_PARAM | LEX_CALLID,
	[']'] = LEX_PARAM | LEX_CALLID,
	[':'] = LEX_PARAM | LEX_CALLID,
	['<'] = LEX_CALLID,
	['>'] = LEX_CALLID,
	['\\'] = LEX_CALLID,
	['"'] = LEX_CALLID,
	['{'] = LEX_CALLID,
	['}'] = LEX_CALLID,
};

/* Set at start by lex_init() or lex_choose(), read-only after that. */
static const struct lex_form *form = &lex_form_plain;

bool lex_all(struct str s, unsigned classes)
{
	for (uint32_t i = 0; i < s.len; i++)
		if (!lex_is(s.s[i], classes))
			return false;
	return s.len != 0;
}

static void map_window(struct lex_cursor *c, uint32_t from)
{
	c->from = from;
	c->to = c->len - from > c->window ? from + c->window : c->len;
	form->map(c->p, from, c->to, c->stop, c->colon);
}

/* First octet at or after pos that ends a line or must not stand there; len where there is none. */
static inline uint32_t next_stop(struct lex_cursor *c, uint32_t pos)
{
	while (pos < c->len) {
		if (pos >= c->to)
			map_window(c, pos);

		uint32_t bit = pos - c->from;
		uint64_t word = c->stop[bit >> 6] >> (bit & 63);

		if (word != 0)
			return pos + (uint32_t)__builtin_ctzll(word);
		pos = c->from + (bit | 63) + 1;
		if (pos > c->to)
			pos = c->to;
	}
	return c->len;
}

/* First colon in [pos, end), or end. The window may have moved past pos on a very long line. */
static inline uint32_t next_colon(const struct lex_cursor *c, uint32_t pos, uint32_t end)
{
	if (pos < c->from) {
		const char *found = memchr(c->p + pos, ':', end - pos);

		return found ? (uint32_t)(found - c->p) : end;
	}
	while (pos < end) {
		uint32_t bit = pos - c->from;
		uint64_t word = c->colon[bit >> 6] >> (bit & 63);

		if (word != 0) {
			pos += (uint32_t)__builtin_ctzll(word);
			return pos < end ? pos : end;
		}
		pos = c->from + (bit | 63) + 1;
	}
	return end;
}

/* One physical line from pos on: sets end and next, adds flags. ret whether it ends */
static inline bool physical_line(struct lex_cursor *c, uint32_t pos, struct lex_line *line)
{
	for (;; pos++) {
		pos = next_stop(c, pos);
		if (pos == c->len)
			return false;
		line->end = pos;
		if (c->p[pos] == '\r') {
			if (pos + 1 == c->len)
				return false;
			line->next = pos + 2;
			if (c->p[pos + 1] == '\n')
				return true;
			line->flags |= LEX_LINE_BARE_CR;
		} else if (c->p[pos] == '\n') {
			line->next = pos + 1;
			line->flags |= LEX_LINE_BARE_LF;
			return true;
		} else {
			line->flags |= LEX_LINE_NUL;
		}
	}
}

void lex_open(struct lex_cursor *c, const char *p, uint32_t len)
{
	c->p = p;
	c->len = len;
	c->from = c->to = 0;
	c->window = LEX_WINDOW;
}

int lex_next(struct lex_cursor *c, uint32_t from, bool whole, struct lex_line *line)
{
	bool no_colon;

	line->start = from;
	line->flags = 0;
	if (from >= c->len)
		return 0;
	if (from < c->from || (c->to < c->len && c->to < from + REFILL))
		map_window(c, from);
	if (!physical_line(c, from, line))
		return 0;
	line->colon = next_colon(c, from, line->end);
	if (line->end == from)
		return 1;
	no_colon = line->colon == line->end;
	while (line->next < c->len && lex_is(c->p[line->next], LEX_LWS)) {
		line->flags |= LEX_LINE_FOLDED;
		if (!physical_line(c, line->next, line))
			return 0;
	}
	if (no_colon)
		line->colon = line->end;
	return line->next < c->len || whole;
}

int lex_scan(const char *p, uint32_t len, uint32_t from, bool whole, struct lex_line *line)
{
	struct lex_cursor c;

	lex_open(&c, p, len);
	c.window = SCAN_WINDOW;
	return lex_next(&c, from, whole, line);
}

static const char *names[LEX_FORMS_MAX + 1];
static const struct lex_form *forms[LEX_FORMS_MAX];
static int n_forms;

const char *const *lex_forms(void)
{
	if (n_forms == 0) {
		n_forms = lex_forms_here(forms, LEX_FORMS_MAX);
		for (int i = 0; i < n_forms; i++)
			names[i] = forms[i]->name;
	}
	return names;
}

const char *lex_init(void)
{
	(void)lex_forms(); /* fills forms[] */
	form = forms[n_forms - 1];
	return form->name;
}

int lex_choose(const char *name)
{
	(void)lex_forms();
	for (int i = 0; i < n_forms; i++) {
		if (strcmp(forms[i]->name, name) == 0) {
			form = forms[i];
			return 0;
		}
	}
	return -E_NOT_FOUND;
}
