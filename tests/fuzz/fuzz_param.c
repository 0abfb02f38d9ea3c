/* SPDX-License-Identifier: Apache-2.0 */
/* Parameter lists and quoted-strings: whatever the octets, each step moves on, what is found lies
 * in order inside the input, and a name that was walked over is found again. */
#include <stddef.h>
#include <stdint.h>

#include "platform/base/err.h"
#include "platform/sip/param.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_quoted(struct str in)
{
	char mem[1024];
	struct strbuf out = strbuf_of(mem, in.len < sizeof(mem) ? in.len : sizeof(mem));
	int r = sip_unquote(in, &out);

	/* what is unquoted is never longer than what was quoted */
	must(r == 0 || (r == -E_TOO_LONG && in.len > sizeof(mem)));
	if (in.len > 0 && in.s[0] == '"')
		must(sip_quoted_end(in, 0) <= in.len);
	must(sip_lws_end(in, 0) <= in.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_of(data, size), rest = in;
	struct sip_param p, again;
	uint32_t n = 0;
	int r;

	while ((r = sip_param_next(&rest, &p)) == 1) {
		const char *end = p.value.s ? p.value.s + p.value.len : p.name.s + p.name.len;

		must(p.name.len > 0 && p.name.s > in.s);
		must(!p.value.s || (p.value.len > 0 && p.value.s > p.name.s + p.name.len));
		must(end <= rest.s && rest.s + rest.len == in.s + in.len);
		must(!p.quoted || sip_quoted_end(p.value, 0) == p.value.len);
		if (n++ < 64)
			must(sip_param_find(in, p.name, &again) == 1 && again.name.s <= p.name.s);
	}
	must(r == 0 ? rest.len == 0 : r == -E_MALFORMED);
	check_quoted(in);
	return 0;
}
