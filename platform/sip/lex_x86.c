/* SPDX-License-Identifier: Apache-2.0 */
/* The forms of the lexer on x86-64, by what CPUID says. */
#include "platform/sip/lex_form.h"

extern const struct lex_form lex_form_sse42, lex_form_avx2;

int lex_forms_here(const struct lex_form **out, int max)
{
	int n = 0;

	__builtin_cpu_init();
	if (n < max)
		out[n++] = &lex_form_plain;
	if (n < max && __builtin_cpu_supports("sse4.2"))
		out[n++] = &lex_form_sse42;
	if (n < max && __builtin_cpu_supports("avx2"))
		out[n++] = &lex_form_avx2;
	return n;
}
