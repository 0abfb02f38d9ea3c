/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of sluicectl. It attaches to nothing but the control socket; check, parse and doctor need
 * not even that. Each returns the program's exit code. */
#pragma once
#include <jansson.h>
#include <stdbool.h>

#define CTL_USAGE 64 /* EX_USAGE of sysexits; the others are in platform/base/err.h */
#define CTL_SOCKET "/run/sluice/control.sock"

struct ctl {
	const char *socket;
	bool json; /* print the answer as it is           */
	bool all;  /* follow `next` through all the pages */
	int n_args;
	char **arg;
};

int ctl_call(const struct ctl *c, const char *name);
int ctl_check(const struct ctl *c);
int ctl_parse(const struct ctl *c);
int ctl_doctor(const struct ctl *c);

/* Arguments as params: all positional (array) or all key=value (object); what looks like an integer
 * is one, "true" and "false" are flags, s:TEXT is text whatever it looks like.
 * ret NULL: both forms are mixed */
json_t *ctl_params(const struct ctl *c);
/* For people: aligned columns, in which no octet can steer a terminal. */
void view_print(const char *call, const json_t *result);
