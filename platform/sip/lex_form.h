/* SPDX-License-Identifier: Apache-2.0 */
/* What the forms of the lexer give to lex.c; private to lex*.c. A form only makes bitmaps: all that
 * has to do with lines is in lex.c, once, so that the forms cannot differ in more than that. Which
 * forms are built is meson's choice: lex_x86.c or lex_other.c lists them. */
#pragma once
#include "platform/sip/lex.h"

struct lex_form {
	const char *name;
	/* For each i in [from, to): bit i - from of stop[] says whether p[i] is CR, LF or NUL, of
	 * colon[] whether it is ':'. Bits of the last word that stand for nothing are 0.
	 * p[0..to) may be read. to - from is 1 .. LEX_WINDOW. */
	void (*map)(const char *p, uint32_t from, uint32_t to, uint64_t *stop, uint64_t *colon);
};

extern const struct lex_form lex_form_plain;
/* Forms that this CPU can run, narrowest first. ret how many, <= max */
#define LEX_FORMS_MAX 4
int lex_forms_here(const struct lex_form **out, int max);
