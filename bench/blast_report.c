/* SPDX-License-Identifier: Apache-2.0 */
/* The figures of one run, as one line of JSON. The rate is the median of whole seconds, with the
 * least and the most of them; latencies come from a histogram with 16 steps to the octave, so a
 * percentile is at most 6 % too high. */
#include "blast.h"

#include <stdio.h>
#include <stdlib.h>

void figures_latency(struct figures *f, uint64_t us)
{
	unsigned octave;

	if (us < 16) {
		f->latency[us]++;
		return;
	}
	octave = 63 - (unsigned)__builtin_clzll(us);
	f->latency[(octave - 3) * 16 + ((us >> (octave - 4)) & 15)]++;
}

/* Upper end of a step of the histogram. */
static uint64_t step_us(unsigned i)
{
	return i < 16 ? i : ((uint64_t)(16 + i % 16 + 1) << (i / 16 - 1)) - 1;
}

static uint64_t percentile_us(const struct figures *f, unsigned percent)
{
	uint64_t all = 0, seen = 0;

	for (unsigned i = 0; i < 64 * 16; i++)
		all += f->latency[i];
	for (unsigned i = 0; i < 64 * 16; i++) {
		seen += f->latency[i];
		if (all && seen * 100 >= all * percent)
			return step_us(i);
	}
	return 0;
}

static int by_value(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

void figures_print(struct figures *f, const char *flow, unsigned window, unsigned seconds)
{
	qsort(f->slice, seconds, sizeof(f->slice[0]), by_value);
	printf("{\"flow\":\"%s\",\"window\":%u,\"seconds\":%u,\"rate\":%u,\"min\":%u,\"max\":%u,", flow,
	       window, seconds, (f->slice[(seconds - 1) / 2] + f->slice[seconds / 2]) / 2, f->slice[0],
	       f->slice[seconds - 1]);
	printf("\"sent\":%lu,\"done\":%lu,\"failed\":%lu,\"lost\":%lu,\"late\":%lu,\"repeats\":%lu,"
	       "\"strange\":%lu,",
	       f->sent, f->done, f->failed, f->lost, f->late, f->repeats, f->strange);
	printf("\"status\":{\"2xx\":%lu,\"3xx\":%lu,\"4xx\":%lu,\"5xx\":%lu,\"6xx\":%lu},", f->status[2],
	       f->status[3], f->status[4], f->status[5], f->status[6]);
	printf("\"p50_us\":%lu,\"p99_us\":%lu,\"rcvbuf_errors\":%lu,\"cpu\":%.2f}\n",
	       percentile_us(f, 50), percentile_us(f, 99), f->rcvbuf_errors,
	       f->wall_us ? (double)f->cpu_us / (double)f->wall_us : 0.0);
}
