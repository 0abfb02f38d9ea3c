/* SPDX-License-Identifier: Apache-2.0 */
/* What `--version` says of every program: release, compiler, SIMD form, layout version. */
#pragma once
#include "platform/base/str.h"

/* extra: what only this program knows (DPDK's version), or NULL. */
void version_print(const char *program, const char *extra, struct strbuf *out);
