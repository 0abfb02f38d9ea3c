/* SPDX-License-Identifier: Apache-2.0 */
/* A phone in a few lines: makes requests as text, and answers requests that the appliance sent. */
#pragma once
#include "tests/sim/appliance/appliance.h"

/* Request text into out (static, one at a time).
 * extra: further whole header lines, or "". n: makes branch, Call-ID and tags differ. */
const char *phone_request(const char *method, const char *ruri, const char *from, const char *to,
			  const char *ip, uint16_t port, int n, uint32_t cseq, const char *extra);
/* Answer datagram i that the appliance sent, with `status`; to_tag "" for none. The answer comes from
 * where the datagram was sent to. */
void phone_answer(struct app *a, uint32_t i, unsigned status, const char *to_tag, const char *extra);
/* Index of the first sent datagram at or after `from` that starts with text, or -1. */
int phone_find(const struct app *a, uint32_t from, const char *text);
