/* SPDX-License-Identifier: Apache-2.0 */
/* The forms of the lexer on machines for which no SIMD form is written. */
#include "platform/sip/lex_form.h"

int lex_forms_here(const struct lex_form **out, int max)
{
	if (max < 1)
		return 0;
	out[0] = &lex_form_plain;
	return 1;
}
