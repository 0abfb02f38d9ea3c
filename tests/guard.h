/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes next to a page that may not be touched: a parser that looks one byte too far, in either
 * direction, dies at that instruction, with or without a sanitizer. Also used by the fuzz
 * re-runner, hence no cmocka here; a failing mmap() ends the test program. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct guard {
	uint8_t *first; /* first usable byte, right after a forbidden page      */
	size_t cap;     /* usable bytes; first[cap] is the next forbidden byte  */
};

/* Room for at least cap bytes between two forbidden pages. */
void guard_open(struct guard *g, size_t cap);
void guard_close(struct guard *g);

/* A copy of bytes[0..len) that ends right before the forbidden page (tail), or starts right after
 * one (head). What else lies between the pages is filled with 0xA5. It is valid until the next call
 * for this guard, and may be written to. len above cap ends the program. With len 0 the tail
 * pointer itself is forbidden. */
void *guard_tail(struct guard *g, const void *bytes, size_t len);
void *guard_head(struct guard *g, const void *bytes, size_t len);

/* Calls cb for each prefix, of 0 .. len bytes, ending right before a forbidden page. */
typedef void guard_cb(const void *bytes, size_t len, void *ctx);
void guard_each_prefix(const void *bytes, size_t len, guard_cb *cb, void *ctx);
