/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of control/txn only. */
#pragma once
#include "control/txn/txn.h"

/* Store a program in blocks and remember it in *first, *words; the old chain there is given back.
 * ret 0 · -E_FULL */
int txn_keep(struct shard *s, const struct sip_program *p, uint32_t *first, uint16_t *words);
