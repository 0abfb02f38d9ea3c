/* SPDX-License-Identifier: Apache-2.0 */
/* Via elements: what was accepted has a transport, a host that reads as one and sane parameters,
 * and printed anew it reads the same. */
#include <stddef.h>
#include <stdint.h>

#include "platform/sip/uri.h"
#include "platform/sip/via.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_lie_in(struct str part, struct str whole)
{
	must(part.len == 0 || (part.s >= whole.s && part.s + part.len <= whole.s + whole.len));
}

static void check_printed(const struct sip_via *v)
{
	static char mem[8192];
	struct strbuf b = strbuf_of(mem, sizeof(mem));
	struct str line;
	struct sip_via again;

	if (v->transport == SIP_T_OTHER || v->branch.len == 0)
		return;
	sip_via_print(&b, v->transport, v->host, v->branch, v->rport);
	if (b.full)
		return;
	line = strbuf_str(&b);
	must(line.len > 7 && memcmp(line.s + line.len - 2, "\r\n", 2) == 0);
	must(sip_via_parse(str_sub(line, 5, line.len - 7), &again) == 0);
	must(again.transport == v->transport && str_eq(again.host, v->host));
	must(str_eq(again.branch, v->branch) && again.rport == v->rport);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_of(data, size);
	struct sip_via v;
	uint8_t addr[16];
	int kind, r = sip_via_parse(in, &v);

	must(r == 0 || r == -E_MALFORMED || r == -E_VERSION);
	must_lie_in(v.transport_text, in);
	must_lie_in(v.host, in);
	must_lie_in(v.params, in);
	must_lie_in(v.branch, in);
	must_lie_in(v.received, in);
	must_lie_in(v.maddr, in);
	if (r != 0)
		return 0;
	must(v.transport >= SIP_T_UDP && v.transport <= SIP_T_OTHER && v.transport_text.len > 0);
	must(v.host.len > 0 && sip_host_cut(v.host, &kind) == v.host.len);
	must(v.received.len == 0 || sip_ip_addr(v.received, addr) == 0);
	must(v.ttl <= 255 && (v.rport || v.rport_port == 0));
	check_printed(&v);
	return 0;
}
