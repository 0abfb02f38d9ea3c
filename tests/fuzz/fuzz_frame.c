/* SPDX-License-Identifier: Apache-2.0 */
/* A stream cut whole and the same stream that grows octet by octet yield the same messages; what is
 * cut has the head end and the length that the message parser sees. */
#include <stdlib.h>

#include "platform/sip/frame.h"
#include "platform/sip/msg.h"

#define MSG_MAX 2000
#define STREAM_MAX 4096 /* the walk by octets is quadratic in memory touched */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The next cut with octets coming one by one, from the same start. */
static int cut_growing(struct str s, enum sip_frame_kind *kind)
{
	uint32_t scanned = 0;
	int ret = 0;

	for (uint32_t n = 0; n <= s.len && ret == 0; n++)
		ret = sip_frame_cut(str_sub(s, 0, n), MSG_MAX, &scanned, kind);
	return ret;
}

static void check_message(struct str s)
{
	static const struct sip_limits limits = {SIP_MSG_MAX, SIP_MSG_MAX, SIP_MSG_MAX,
						 SIP_HDRS_MAX};
	struct sip_msg m;
	struct sip_fault f;

	if (sip_msg_parse(s, &limits, &m, &f) == 0 && m.len_bytes != s.len)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = {(const char *)data, (uint32_t)(size < STREAM_MAX ? size : STREAM_MAX)};
	int ret;

	do {
		enum sip_frame_kind kind = 0, kind_growing = 0;
		uint32_t scanned = 0;
		int growing;

		ret = sip_frame_cut(rest, MSG_MAX, &scanned, &kind);
		growing = cut_growing(rest, &kind_growing);
		/* With all octets there a message may be too long where growing finds bad ones. */
		if ((ret > 0 || growing > 0) && (ret != growing || kind != kind_growing))
			abort();
		if (ret > (int)rest.len || ret > MSG_MAX)
			abort();
		if (ret > 0 && kind == SIP_FRAME_MSG)
			check_message(str_sub(rest, 0, (uint32_t)ret));
		if (ret > 0)
			rest = str_sub(rest, (uint32_t)ret, rest.len);
	} while (ret > 0);
	return 0;
}
