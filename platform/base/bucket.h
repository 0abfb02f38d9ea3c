/* SPDX-License-Identifier: Apache-2.0 */
/* Token bucket, integers only; the caller says the time. 8 tokens a second means one each 125 ms,
 * kept to the microsecond with no drift. Private to one thread, or one writer per bucket. */
#pragma once
#include "platform/base/str.h"

struct bucket {
	uint32_t rate_per_s; /* 0: never any token             */
	uint32_t burst;      /* most tokens held at once, >= 1 */
	uint64_t level;      /* tokens * 1,000,000             */
	uint64_t last_us;
};

static inline void bucket_init(struct bucket *b, uint32_t rate_per_s, uint32_t burst, uint64_t now_us)
{
	*b = (struct bucket){ rate_per_s, burst, (uint64_t)burst * 1000000, now_us };
}

/* Take n tokens where they are there. A clock that went backwards adds nothing. */
static inline bool bucket_take(struct bucket *b, uint32_t n, uint64_t now_us)
{
	uint64_t full = (uint64_t)b->burst * 1000000;
	uint64_t want = (uint64_t)n * 1000000;

	if (now_us > b->last_us) {
		uint64_t gone_us = now_us - b->last_us;
		uint64_t room = full - b->level;

		/* division first where the product could overflow: a bucket idle for days is just full */
		if (b->rate_per_s != 0 && gone_us >= room / b->rate_per_s + 1)
			b->level = full;
		else
			b->level += gone_us * b->rate_per_s;
		b->last_us = now_us;
	}
	if (b->level < want)
		return false;
	b->level -= want;
	return true;
}
