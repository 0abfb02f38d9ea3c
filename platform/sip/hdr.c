/* SPDX-License-Identifier: Apache-2.0 */
/* Header names, method names and reason phrases.
 *
 * A header name becomes three words by a few overlapping loads, never outside of it: enough to hold
 * any name of up to 24 octets whole, since known names have no other octets in the gaps. The hash
 * of two of them picks the only header it can be (hdr_hash.h, made from the table by hdr_hash.py);
 * the compare sets the case bit just where the known name has a letter, so that '-' and CR, which
 * differ in that bit, are not taken for each other. RFC 3261 §7.3.1, §7.3.3, §20, §21. */
#include "platform/sip/hdr.h"

struct hdr_row {
	uint64_t word[3];   /* the name in lower case, as name_words() reads it */
	uint64_t letter[3]; /* 0x20 where it has a letter                      */
	uint32_t len;
};
#include "platform/sip/hdr_hash.h"

#define FOLD 0x2020202020202020u
#define METHOD_MAX 9 /* SUBSCRIBE */

/* clang-format off */
#define X(id, name, compact, rule) \
	[SIP_H_##id] = { { name, sizeof(name) - 1 }, compact, SIP_HDR_##rule },
static const struct sip_hdr_info info[SIP_H_COUNT] = {
	[SIP_H_OTHER] = { { NULL, 0 }, 0, SIP_HDR_MANY },
	SIP_HEADERS(X)
};
#undef X

#define X(m) [SIP_M_##m] = { #m, sizeof(#m) - 1 },
static const struct str method_name[SIP_M_COUNT] = {
	[SIP_M_OTHER] = { NULL, 0 },
	SIP_METHODS(X)
};
#undef X

#define R(status, text) { status, { text, sizeof(text) - 1 } }
static const struct reason {
	uint16_t status;
	struct str text;
} reasons[] = {
	R(100, "Trying"), R(180, "Ringing"), R(181, "Call Is Being Forwarded"), R(182, "Queued"),
	R(183, "Session Progress"), R(199, "Early Dialog Terminated"),
	R(200, "OK"), R(202, "Accepted"), R(204, "No Notification"),
	R(300, "Multiple Choices"), R(301, "Moved Permanently"), R(302, "Moved Temporarily"),
	R(305, "Use Proxy"), R(380, "Alternative Service"),
	R(400, "Bad Request"), R(401, "Unauthorized"), R(402, "Payment Required"),
	R(403, "Forbidden"), R(404, "Not Found"), R(405, "Method Not Allowed"),
	R(406, "Not Acceptable"), R(407, "Proxy Authentication Required"),
	R(408, "Request Timeout"), R(410, "Gone"), R(412, "Conditional Request Failed"),
	R(413, "Request Entity Too Large"), R(414, "Request-URI Too Long"),
	R(415, "Unsupported Media Type"), R(416, "Unsupported URI Scheme"),
	R(417, "Unknown Resource-Priority"), R(420, "Bad Extension"),
	R(421, "Extension Required"), R(422, "Session Interval Too Small"),
	R(423, "Interval Too Brief"), R(424, "Bad Location Information"),
	R(428, "Use Identity Header"), R(429, "Provide Referrer Identity"), R(430, "Flow Failed"),
	R(433, "Anonymity Disallowed"), R(436, "Bad Identity-Info"),
	R(437, "Unsupported Certificate"), R(438, "Invalid Identity Header"),
	R(439, "First Hop Lacks Outbound Support"), R(440, "Max-Breadth Exceeded"),
	R(469, "Bad Info Package"), R(470, "Consent Needed"), R(480, "Temporarily Unavailable"),
	R(481, "Call/Transaction Does Not Exist"), R(482, "Loop Detected"),
	R(483, "Too Many Hops"), R(484, "Address Incomplete"), R(485, "Ambiguous"),
	R(486, "Busy Here"), R(487, "Request Terminated"), R(488, "Not Acceptable Here"),
	R(489, "Bad Event"), R(491, "Request Pending"), R(493, "Undecipherable"),
	R(494, "Security Agreement Required"),
	R(500, "Server Internal Error"), R(501, "Not Implemented"), R(502, "Bad Gateway"),
	R(503, "Service Unavailable"), R(504, "Server Time-out"), R(505, "Version Not Supported"),
	R(513, "Message Too Large"), R(555, "Push Notification Service Not Supported"),
	R(580, "Precondition Failure"),
	R(600, "Busy Everywhere"), R(603, "Decline"), R(604, "Does Not Exist Anywhere"),
	R(606, "Not Acceptable"), R(607, "Unwanted"), R(608, "Rejected"),
};
/* clang-format on */
#undef R

static inline uint64_t load8(const char *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	return v;
}

static inline uint64_t load4(const char *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return v;
}

/* len is 2 .. HDR_NAME_MAX. hdr_hash.py does the same. */
static inline void name_words(const char *s, uint32_t len, uint64_t w[3])
{
	if (len >= 8) {
		w[0] = load8(s);
		w[1] = load8(s + len - 8);
		w[2] = load8(s + (len < 16 ? len - 8 : 8));
	} else if (len >= 4) {
		w[0] = load4(s) | load4(s + len - 4) << 32;
		w[1] = w[2] = 0;
	} else {
		w[0] = (uint64_t)(uint8_t)s[0] | (uint64_t)(uint8_t)s[1] << 8 |
		       (uint64_t)(uint8_t)s[len - 1] << 16;
		w[1] = w[2] = 0;
	}
}

const struct sip_hdr_info *sip_hdr_info(enum sip_hdr_id id)
{
	return &info[(unsigned)id < SIP_H_COUNT ? id : SIP_H_OTHER];
}

enum sip_hdr_id sip_hdr_find(struct str name)
{
	const struct hdr_row *row;
	uint64_t w[3], differs;
	uint8_t id;

	if (name.len - 2u > HDR_NAME_MAX - 2u)
		return name.len == 1 ? hdr_compact[(uint8_t)name.s[0]] : SIP_H_OTHER;
	name_words(name.s, name.len, w);
	id = hdr_slot[((w[0] | FOLD) * HDR_HASH_A + (w[1] | FOLD) * HDR_HASH_B) >> 56];
	row = &hdr_row[id];
	differs = (w[0] | row->letter[0]) ^ row->word[0];
	differs |= (w[1] | row->letter[1]) ^ row->word[1];
	differs |= (w[2] | row->letter[2]) ^ row->word[2];
	return differs == 0 && name.len == row->len ? id : SIP_H_OTHER;
}

enum sip_method sip_method_find(struct str name)
{
	if (name.len - 3u > METHOD_MAX - 3u)
		return SIP_M_OTHER;
	for (int m = SIP_M_OTHER + 1; m < SIP_M_COUNT; m++)
		if (method_name[m].s[0] == name.s[0] && str_eq(method_name[m], name))
			return m;
	return SIP_M_OTHER;
}

struct str sip_method_name(enum sip_method m)
{
	return method_name[(unsigned)m < SIP_M_COUNT ? m : SIP_M_OTHER];
}

static struct str find_reason(unsigned status)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].text;
	return STR_NONE;
}

/* A status that nobody has named counts as the x00 of its class (§8.1.3.2), but "Trying" and "Busy
 * Everywhere" say more than an unknown 1xx or 6xx does. */
struct str sip_reason(unsigned status)
{
	struct str text = find_reason(status);

	if (text.len != 0)
		return text;
	switch (status / 100) {
	case 1:
		return find_reason(183);
	case 6:
		return find_reason(603);
	default:
		return find_reason(status / 100 * 100);
	}
}
