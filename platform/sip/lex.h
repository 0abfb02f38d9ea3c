/* SPDX-License-Identifier: Apache-2.0 */
/* Character classes of RFC 3261 §25.1, and the search for delimiters.
 *
 * lex_scan() is the only thing that touches every octet of a message head. It has a plain C form
 * and SIMD forms; the widest that this CPU has and that pays is chosen once by lex_init(). All
 * forms give identical results on every input (differential fuzz test), and none reads outside [p,
 * p + len). Pure after lex_init(); runs anywhere. */
#pragma once
#include "platform/base/str.h"

enum lex_class {
	LEX_TOKEN = 1 << 0,  /* alphanum - . ! % * _ + ` ' ~                        */
	LEX_DIGIT = 1 << 1,
	LEX_HEX = 1 << 2,
	LEX_LWS = 1 << 3,    /* SP HTAB                                             */
	LEX_USER = 1 << 4,   /* unreserved and user-unreserved (no escape)          */
	LEX_HOST = 1 << 5,   /* alphanum - . (hostname, IPv4)                       */
	LEX_PARAM = 1 << 6,  /* unreserved and param-unreserved [ ] / : & + $       */
	LEX_CALLID = 1 << 7, /* "word" of callid, without @                         */
};
extern const uint8_t lex_table[256];
static inline bool lex_is(char c, unsigned classes)
{
	return (lex_table[(uint8_t)c] & classes) != 0;
}
/* Whether s is not empty and each octet is of one of the classes. */
bool lex_all(struct str s, unsigned classes);

/* One line of a message head. A line ends with CR LF or a bare LF (some senders), a bare CR or a
 * NUL is recorded, and continuation lines (RFC 3261 §7.3.1 folding) belong to it. */
struct lex_line {
	uint32_t start;  /* offset of its first octet                                         */
	uint32_t colon;  /* offset of the first ':' of its first physical line, or end if none */
	uint32_t end;    /* offset after its last octet, line end excluded                    */
	uint32_t next;   /* offset of the next line's first octet                             */
	uint8_t flags;   /* LEX_LINE_*                                                        */
};
enum { LEX_LINE_FOLDED = 1, LEX_LINE_BARE_CR = 2, LEX_LINE_NUL = 4, LEX_LINE_BARE_LF = 8 };

/* The line that starts at p[from]. An empty one ends at its line end, whatever follows: it is the
 * end of the head.
 * ret 1 line found · 0 the input ends before the line is known to have ended (a CR LF at the very
 *     end of the input counts as ended when `whole` is true: a datagram; on a stream a fold could
 *     follow) */
int lex_scan(const char *p, uint32_t len, uint32_t from, bool whole, struct lex_line *line);

/* The same for a walk over many lines: the octets that end lines and the colons are found for a
 * whole window of the input at a time, as bitmaps, and the lines are then cut out of those.
 * lex_scan() is such a walk of one line. The cursor borrows p[0..len). */
#define LEX_WINDOW 1024 /* octets: 2 * 16 words of bitmap, and most heads in one go */
struct lex_cursor {
	const char *p;
	uint32_t len;
	uint32_t from, to; /* the window: bit i of word w stands for p[from + 64 * w + i]        */
	uint32_t window;   /* octets mapped at a time, <= LEX_WINDOW                            */
	uint64_t stop[LEX_WINDOW / 64];  /* CR, LF, NUL                                        */
	uint64_t colon[LEX_WINDOW / 64];
};
void lex_open(struct lex_cursor *c, const char *p, uint32_t len);
/* As lex_scan(). Lines may be asked for in any order; in rising order each octet is mapped once,
 * but for the tail of a window. */
int lex_next(struct lex_cursor *c, uint32_t from, bool whole, struct lex_line *line);

/* Choose the form; idempotent. ret its name: "plain", "sse4.2", "avx2", ... */
const char *lex_init(void);
/* For tests and benchmarks: force a form by name. ret 0 · -E_NOT_FOUND (this CPU or build has
 * none of it) */
int lex_choose(const char *name);
/* Names of the forms that this CPU can run, NULL-terminated; "plain" first. */
const char *const *lex_forms(void);
