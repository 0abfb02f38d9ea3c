/* SPDX-License-Identifier: Apache-2.0 */
/* The text of a configuration with its @include'd files in place, and where each line came from.
 * Private to platform/base/conf*.c. */
#pragma once
#include "platform/base/conf.h"

#define CONF_FILES_MAX 64            /* files of one configuration, each time it is included */
#define CONF_DEPTH_MAX 8             /* files including files                                */
#define CONF_SOURCE_MAX (4u << 20)   /* bytes of text                                        */

struct conf_source;
struct conf_place {
	const char *file; /* valid until conf_source_free() */
	uint32_t line;    /* from 1 on; 0: the file as a whole */
};

/* Read path and what it includes. Complaints go to r; with complaints the text is unusable.
 * ret 0 · -E_MALFORMED · -errno (path itself cannot be read); *out is to be freed in each case */
int conf_source_read(const char *path, struct conf_report *r, struct conf_source **out);
void conf_source_free(struct conf_source *s);
/* The text, terminated. Each key carries a number behind '*': see conf_source.c. */
const char *conf_source_text(const struct conf_source *s);
/* Where a line of the text (from 1 on; 0: none) was read. */
struct conf_place conf_source_place(const struct conf_source *s, uint32_t line);

/* One complaint, made fit for a line: control octets become '?', what is too long is cut. */
void conf_complain(struct conf_report *r, struct conf_place at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
