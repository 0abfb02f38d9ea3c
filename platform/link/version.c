/* SPDX-License-Identifier: Apache-2.0 */
/* The text of --version, one fact a line. */
#include "platform/link/version.h"

#include "platform/link/layout.h"
#include "platform/sip/lex.h"

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

void version_print(const char *program, const char *extra, struct strbuf *out)
{
	strbuf_printf(out, "%s %s\n", program, SLUICE_VERSION);
	if (extra != NULL)
		strbuf_printf(out, "%s\n", extra);
	strbuf_printf(out, "compiler: %s\n", COMPILER);
	strbuf_printf(out, "SIMD: %s\n", lex_init());
	strbuf_printf(out, "link layout: %d (attaches to %d and newer)\n", LINK_VERSION, LINK_VERSION_MIN);
}
