/* SPDX-License-Identifier: Apache-2.0 */
/* What we say of ourselves when a request ends here: core and control give the same answers. Pure. */
#pragma once
#include "platform/sip/msg.h"

#define SIP_OWN_ALLOW "Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REGISTER\r\n"
/* Headers of the 200 to an OPTIONS (RFC 3261 §11.2). */
#define SIP_OWN_OPTIONS \
	SIP_OWN_ALLOW "Accept: application/sdp\r\nAccept-Encoding: identity\r\n" \
		      "Accept-Language: en\r\nSupported: path\r\n"
#define SIP_UNSUPPORTED_BYTES 512

/* Add a header's option tags to "Unsupported: a, b" (§8.2.2.3); those beyond the room are left out, never
 * all. sip_unsupported_end() gives the line, empty where no tag was added. */
void sip_unsupported_add(const char *base, const struct sip_msg *m, enum sip_hdr_id id, struct strbuf *b);
struct str sip_unsupported_end(struct strbuf *b);
