/* SPDX-License-Identifier: Apache-2.0 */
/* The header table and the method table: the one place where a header or method that Sluice knows is
 * written down. Unknown ones are passed through (RFC 3261 §7.3.1, §16.6). */
#pragma once
#include "platform/base/str.h"

/* X(id, name, compact form or 0, rule). Rules:
 *   ONE   may stand once, no comma list (a second one: 400)
 *   LIST  a comma-separated list, may stand several times
 *   MANY  may stand several times, commas are not separators (challenges, credentials) */
#define SIP_HEADERS(X) \
	X(VIA, "Via", 'v', LIST) \
	X(FROM, "From", 'f', ONE) \
	X(TO, "To", 't', ONE) \
	X(CALL_ID, "Call-ID", 'i', ONE) \
	X(CSEQ, "CSeq", 0, ONE) \
	X(MAX_FORWARDS, "Max-Forwards", 0, ONE) \
	X(CONTACT, "Contact", 'm', LIST) \
	X(CONTENT_LENGTH, "Content-Length", 'l', ONE) \
	X(CONTENT_TYPE, "Content-Type", 'c', ONE) \
	X(ROUTE, "Route", 0, LIST) \
	X(RECORD_ROUTE, "Record-Route", 0, LIST) \
	X(EXPIRES, "Expires", 0, ONE) \
	X(REQUIRE, "Require", 0, LIST) \
	X(PROXY_REQUIRE, "Proxy-Require", 0, LIST) \
	X(SUPPORTED, "Supported", 'k', LIST) \
	X(UNSUPPORTED, "Unsupported", 0, LIST) \
	X(ALLOW, "Allow", 0, LIST) \
	X(ACCEPT, "Accept", 0, LIST) \
	X(ACCEPT_ENCODING, "Accept-Encoding", 0, LIST) \
	X(ACCEPT_LANGUAGE, "Accept-Language", 0, LIST) \
	X(USER_AGENT, "User-Agent", 0, ONE) \
	X(SERVER, "Server", 0, ONE) \
	X(AUTHORIZATION, "Authorization", 0, MANY) \
	X(PROXY_AUTHORIZATION, "Proxy-Authorization", 0, MANY) \
	X(WWW_AUTHENTICATE, "WWW-Authenticate", 0, MANY) \
	X(PROXY_AUTHENTICATE, "Proxy-Authenticate", 0, MANY) \
	X(AUTHENTICATION_INFO, "Authentication-Info", 0, MANY) \
	X(CONTENT_DISPOSITION, "Content-Disposition", 0, ONE) \
	X(CONTENT_ENCODING, "Content-Encoding", 'e', LIST) \
	X(CONTENT_LANGUAGE, "Content-Language", 0, LIST) \
	X(DATE, "Date", 0, ONE) \
	X(MIN_EXPIRES, "Min-Expires", 0, ONE) \
	X(MIME_VERSION, "MIME-Version", 0, ONE) \
	X(ORGANIZATION, "Organization", 0, ONE) \
	X(PRIORITY, "Priority", 0, ONE) \
	X(REPLY_TO, "Reply-To", 0, ONE) \
	X(RETRY_AFTER, "Retry-After", 0, ONE) \
	X(SUBJECT, "Subject", 's', ONE) \
	X(TIMESTAMP, "Timestamp", 0, ONE) \
	X(WARNING, "Warning", 0, LIST) \
	X(IN_REPLY_TO, "In-Reply-To", 0, LIST) \
	X(ALERT_INFO, "Alert-Info", 0, LIST) \
	X(CALL_INFO, "Call-Info", 0, LIST) \
	X(ERROR_INFO, "Error-Info", 0, LIST) \
	X(PATH, "Path", 0, LIST) \
	X(SERVICE_ROUTE, "Service-Route", 0, LIST) \
	X(RACK, "RAck", 0, ONE) \
	X(RSEQ, "RSeq", 0, ONE) \
	X(SESSION_EXPIRES, "Session-Expires", 'x', ONE) \
	X(MIN_SE, "Min-SE", 0, ONE) \
	X(EVENT, "Event", 'o', ONE) \
	X(ALLOW_EVENTS, "Allow-Events", 'u', LIST) \
	X(SUBSCRIPTION_STATE, "Subscription-State", 0, ONE) \
	X(REFER_TO, "Refer-To", 'r', ONE) \
	X(REFERRED_BY, "Referred-By", 'b', ONE) \
	X(REPLACES, "Replaces", 0, ONE) \
	X(REASON, "Reason", 0, LIST) \
	X(P_ASSERTED_IDENTITY, "P-Asserted-Identity", 0, LIST) \
	X(P_PREFERRED_IDENTITY, "P-Preferred-Identity", 0, LIST) \
	X(PRIVACY, "Privacy", 0, ONE) \
	X(HISTORY_INFO, "History-Info", 0, LIST) \
	X(DIVERSION, "Diversion", 0, LIST) \
	X(SIP_ETAG, "SIP-ETag", 0, ONE) \
	X(SIP_IF_MATCH, "SIP-If-Match", 0, ONE) \
	X(FLOW_TIMER, "Flow-Timer", 0, ONE) \
	X(MAX_BREADTH, "Max-Breadth", 0, ONE) \
	X(IDENTITY, "Identity", 'y', MANY) \
	X(ACCEPT_CONTACT, "Accept-Contact", 'a', LIST) \
	X(REJECT_CONTACT, "Reject-Contact", 'j', LIST) \
	X(REQUEST_DISPOSITION, "Request-Disposition", 'd', LIST) \
	X(JOIN, "Join", 0, ONE) \
	X(GEOLOCATION, "Geolocation", 0, LIST) \
	X(SECURITY_CLIENT, "Security-Client", 0, LIST) \
	X(SECURITY_SERVER, "Security-Server", 0, LIST) \
	X(SECURITY_VERIFY, "Security-Verify", 0, LIST)

enum sip_hdr_rule { SIP_HDR_ONE, SIP_HDR_LIST, SIP_HDR_MANY };

enum sip_hdr_id {
	SIP_H_OTHER = 0, /* a header we do not know: passed through */
#define X(id, name, compact, rule) SIP_H_##id,
	SIP_HEADERS(X)
#undef X
	SIP_H_COUNT
};

/* Methods compare case-sensitively (RFC 3261 §7.1). */
#define SIP_METHODS(X) \
	X(INVITE) X(ACK) X(BYE) X(CANCEL) X(REGISTER) X(OPTIONS) X(PRACK) X(UPDATE) X(INFO) \
	X(SUBSCRIBE) X(NOTIFY) X(REFER) X(MESSAGE) X(PUBLISH) X(KDMQ)
enum sip_method {
	SIP_M_OTHER = 0,
#define X(m) SIP_M_##m,
	SIP_METHODS(X)
#undef X
	SIP_M_COUNT
};

struct sip_hdr_info {
	struct str name;        /* as we write it */
	char compact;           /* or 0           */
	enum sip_hdr_rule rule;
};
/* Row of an id; SIP_H_OTHER has an empty name and rule MANY. */
const struct sip_hdr_info *sip_hdr_info(enum sip_hdr_id id);
/* Id of a header name, long or compact form, in any case: perfect hash, one compare. */
enum sip_hdr_id sip_hdr_find(struct str name);
enum sip_method sip_method_find(struct str name);
struct str sip_method_name(enum sip_method m); /* empty for SIP_M_OTHER */
/* The default reason phrase of a status (RFC 3261 §21 and later RFCs); of its class where unknown. */
struct str sip_reason(unsigned status);
