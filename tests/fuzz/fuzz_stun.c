/* SPDX-License-Identifier: Apache-2.0 */
/* A datagram's payload: told apart, and answered when it is a binding request. An answer stays
 * within its bound, is itself well framed, and repeats the transaction id. */
#include "dataplane/udp/udp.h"
#include "platform/base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ip peer = {{0x20, 1, 0xd, 0xb8, [15] = 2}};
	struct str m = str_of(data, size);
	uint8_t out[128];
	int len;

	if (size > 65535)
		return 0;
	(void)udp_payload_kind(m);
	len = udp_stun_answer(m, &peer, 5070, out, sizeof(out));
	if (len < 0)
		return 0;
	must(udp_payload_kind(m) == UDP_PAYLOAD_STUN);
	must(len >= 20 && len <= 128 && len % 4 == 0);
	must((out[2] << 8 | out[3]) == len - 20);
	must(memcmp(out + 4, data + 4, 16) == 0);
	must(udp_stun_answer(str_of(out, (size_t)len), &peer, 1, out, sizeof(out)) ==
	     -E_UNSUPPORTED);
	return 0;
}
