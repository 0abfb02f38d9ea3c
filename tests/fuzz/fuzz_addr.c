/* SPDX-License-Identifier: Apache-2.0 */
/* name-addr and addr-spec: the parts stand in their order inside the input, and the parameters of
 * what was accepted can be walked to their end. */
#include <stddef.h>
#include <stdint.h>

#include "platform/base/err.h"
#include "platform/sip/addr.h"
#include "platform/sip/param.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_parts(struct str in, const struct sip_addr *a)
{
	const char *at = in.s, *end = in.s + in.len;

	if (a->display.len > 0) {
		must(a->bracketed && a->display.s >= at);
		at = a->display.s + a->display.len;
	}
	must(a->uri.s >= at + a->bracketed && a->uri.len >= 3);
	at = a->uri.s + a->uri.len;
	must(at + a->bracketed <= end);
	if (a->params.len > 0)
		must(a->params.s >= at + a->bracketed && a->params.s + a->params.len <= end &&
		     a->params.s[0] == ';');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_of(data, size), rest;
	struct sip_param p;
	struct sip_addr a;
	uint32_t expires;
	uint16_t q;
	int r = sip_addr_parse(in, &a);

	must(r == 0 || r == -E_MALFORMED);
	if (r != 0)
		return 0;
	if (a.star) {
		must(a.uri.len == 0 && a.params.len == 0);
		return 0;
	}
	check_parts(in, &a);
	rest = a.params;
	while ((r = sip_param_next(&rest, &p)) == 1)
		must(p.name.len > 0);
	must(r == 0);
	r = sip_addr_q(&a, &q);
	must(r == -E_MALFORMED || (r == 0 && q <= 1000));
	r = sip_addr_expires(&a, &expires);
	must(r == 0 || r == 1 || r == -E_MALFORMED);
	return 0;
}
