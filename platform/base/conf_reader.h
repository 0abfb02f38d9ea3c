/* SPDX-License-Identifier: Apache-2.0 */
/* What reader and cross checks share while one configuration is read. Private to conf*.c. */
#pragma once
#include <libconfig.h>

#include "platform/base/conf_source.h"

struct conf_reader {
	config_t file;		    /* parsed */
	struct conf_source *source; /* where its lines are from */
	struct conf_report *report;
};

/* Where a value stands, by keys and places in lists: "listeners.2.address". What was left to its
 * default stands nowhere: then the nearest thing around it that does. */
struct conf_place conf_where(const struct conf_reader *rd, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Letters, digits, '-', '_' and '.', and at least one of them. */
bool conf_is_name(struct str text);
/* Do the values fit together? Fills port_index and interface_index. Values that were refused before
 * (empty, zero) are passed over: they have their complaint. */
void conf_check(const struct conf_reader *rd, struct conf *c);
