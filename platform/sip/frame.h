/* SPDX-License-Identifier: Apache-2.0 */
/* Cut SIP messages out of a byte stream: Content-Length framing and CRLF keep-alives (RFC 3261
 * §18.3, RFC 5626 §4.4.1). Smuggling defence: two Content-Length headers, a list, sign or blanks
 * inside the number, a missing one where the stream needs it, or a header block over its limit end
 * the connection, since nothing after them can be trusted. So does a bare LF in a head. Pure. */
#pragma once
#include "platform/base/err.h"
#include "platform/base/str.h"

enum sip_frame_kind { SIP_FRAME_MSG = 1, SIP_FRAME_PING, SIP_FRAME_PONG };

/* in     buf[0..len)   what the stream holds now; borrowed
 *        scanned       in/out: octets already known to hold no end of head, so that a slow sender
 *                      costs each octet twice at most; the caller keeps it, sets it 0 after each
 *                      cut, and reads nothing out of it
 * out    kind          set when > 0 is returned. A PING is CR LF CR LF, a PONG a single CR LF
 * ret    > 0 bytes used · 0 need more · -E_MALFORMED · -E_TOO_LONG (> msg_max)
 * runs   any core, control; pure */
int sip_frame_cut(struct str buf, uint32_t msg_max, uint32_t *scanned, enum sip_frame_kind *kind);
