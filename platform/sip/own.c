/* SPDX-License-Identifier: Apache-2.0 */
/* The Unsupported header of a 420. */
#include "platform/sip/own.h"

void sip_unsupported_add(const char *base, const struct sip_msg *m, enum sip_hdr_id id, struct strbuf *b)
{
	struct sip_list it = { 0 };
	struct str token;

	while (sip_list_next(base, m, id, &it, &token)) {
		if (b->len == 0)
			strbuf_put(b, STR("Unsupported: "));
		else if (b->len + token.len + 4 > b->cap)
			break;
		else
			strbuf_put(b, STR(", "));
		strbuf_put(b, str_sub(token, 0, b->cap - b->len - 2));
	}
}

struct str sip_unsupported_end(struct strbuf *b)
{
	if (b->len > 0)
		strbuf_put(b, STR("\r\n"));
	return strbuf_str(b);
}
