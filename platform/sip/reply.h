/* SPDX-License-Identifier: Apache-2.0 */
/* Messages built from a request: response (RFC 3261 §8.2.6), ACK for a non-2xx final (§17.1.1.3),
 * CANCEL (§9.1). Pure. */
#pragma once
#include "platform/sip/edit.h"
#include "platform/sip/msg.h"

struct sip_reply {
	uint16_t status;
	struct str reason;   /* empty: sip_reason(status)                                            */
	struct str to_tag;   /* put on To where it has no tag and status > 100; empty: none           */
	struct str received; /* address text for the top Via's ;received=, empty: none (§18.2.1)      */
	uint16_t rport;      /* value for the top Via's ;rport, where the request asked (RFC 3581)     */
	bool record_route;   /* copy Record-Route (2xx and 101..199 to a dialog-making request)        */
	struct str extra;    /* whole header lines, each with CR LF                                   */
	struct str body;     /* with a Content-Type in extra                                          */
};
/* Program over the request: status line, all Via lines (received and rport set on the top value,
 * which may share its line with others), From, To, Call-ID, CSeq, Timestamp in a 100 (§8.2.6.1),
 * extra, Content-Length, body. Works on the readable part of a malformed request: it needs only what
 * sip_fault.answerable promises. ret 0 · -E_FULL */
int sip_reply_program(const char *req, const struct sip_msg *m, const struct sip_reply *r,
		      struct sip_program *p);

/* Bytes of the ACK for a non-2xx final answer to the INVITE that we sent: its Request-URI, top Via,
 * Route, From, Call-ID, CSeq number; To as the answer had it. ret > 0 bytes · -E_TOO_LONG */
int sip_ack_build(const char *sent, const struct sip_msg *m, struct str answer_to, char *out,
		  uint32_t cap);
/* Bytes of the CANCEL for the request that we sent. reason: value of a Reason header (RFC 3326), or
 * empty. ret > 0 bytes · -E_TOO_LONG */
int sip_cancel_build(const char *sent, const struct sip_msg *m, struct str reason, char *out,
		     uint32_t cap);
/* Minimal new request with no body and no dialog, e.g. a probe. All fields are whole values. */
struct sip_new_request {
	struct str method, ruri, via; /* via: the whole value */
	struct str from, to, call_id;
	uint32_t cseq;
	struct str extra;             /* whole header lines */
};
int sip_request_build(const struct sip_new_request *r, char *out, uint32_t cap);
