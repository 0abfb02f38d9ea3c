/* SPDX-License-Identifier: Apache-2.0 */
/* STUN binding on a SIP port: what RFC 5626 §8 asks of an edge for keep-alive (RFC 8489 §5, §6.3,
 * §14).
 *
 * No credentials, no state: an answer is a function of the request and of where it came from. Of
 * the attributes only FINGERPRINT is looked into: a wrong one makes the message no STUN message
 * (§14.7). Those that the standard defines for requests are skipped over; other
 * comprehension-required ones are named in a 420 answer. An answer is at most 92 octets, and always
 * larger than its request only by a handful: no amplifier worth having. */
#include "dataplane/udp/udp.h"
#include "platform/base/err.h"

#define STUN_HEADER 20u
#define STUN_COOKIE 0x2112a442u
#define STUN_BINDING 0x0001
#define STUN_BINDING_INDICATION 0x0011
#define STUN_BINDING_SUCCESS 0x0101
#define STUN_BINDING_ERROR 0x0111
#define STUN_MESSAGE_INTEGRITY 0x0008
#define STUN_ERROR_CODE 0x0009
#define STUN_UNKNOWN_ATTRIBUTES 0x000a
#define STUN_INTEGRITY_SHA256 0x001c
#define STUN_XOR_MAPPED_ADDRESS 0x0020
#define STUN_FINGERPRINT 0x8028
#define STUN_FINGERPRINT_XOR 0x5354554eu
#define STUN_UNKNOWN_MAX 16u /* named in one answer: keeps it within 128 octets */
#define STUN_ANSWER_MAX 128u

struct stun_request {
	uint16_t unknown[STUN_UNKNOWN_MAX];
	uint32_t n_unknown;
	bool has_fingerprint;
};

static uint16_t stun16(const uint8_t *b)
{
	return (uint16_t)(b[0] << 8 | b[1]);
}

static uint32_t stun32(const uint8_t *b)
{
	return (uint32_t)stun16(b) << 16 | stun16(b + 2);
}

static uint8_t *stun_put16(uint8_t *at, uint32_t v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
	return at + 2;
}

static uint8_t *stun_put32(uint8_t *at, uint32_t v)
{
	return stun_put16(stun_put16(at, v >> 16), v & 0xffff);
}

/* ITU V.42, four bits at a time: messages here are short and rare. */
static uint32_t crc32_of(const uint8_t *p, uint32_t len)
{
	static const uint32_t nibble[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
		0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};
	uint32_t crc = 0xffffffff;

	for (uint32_t i = 0; i < len; i++) {
		crc ^= p[i];
		crc = crc >> 4 ^ nibble[crc & 15];
		crc = crc >> 4 ^ nibble[crc & 15];
	}
	return ~crc;
}

static bool stun_is_framed(struct str m)
{
	const uint8_t *b = (const uint8_t *)m.s;

	return m.len >= STUN_HEADER && (b[0] & 0xc0) == 0 && stun32(b + 4) == STUN_COOKIE;
}

static bool is_keepalive_octet(char c)
{
	return c == '\r' || c == '\n' || c == '\0' || c == ' ' || c == '\t';
}

enum udp_payload udp_payload_kind(struct str payload)
{
	struct str rest = payload;

	/* nearly all: a method or "SIP/2.0"; STUN begins below 0x40 */
	if (payload.len > 3 && (uint8_t)payload.s[0] > 0x3f && payload.s[0] != 'j')
		return UDP_PAYLOAD_SIP;
	if (stun_is_framed(payload)) {
		const uint8_t *b = (const uint8_t *)payload.s;

		/* an indication is the keep-alive that wants no answer (RFC 8489 §6.3.2) */
		return stun16(b) == STUN_BINDING_INDICATION ? UDP_PAYLOAD_KEEPALIVE
							    : UDP_PAYLOAD_STUN;
	}
	if (str_starts_with(rest, STR("jaK")))
		rest = str_sub(rest, 3, rest.len);
	for (uint32_t i = 0; i < rest.len; i++) {
		if (!is_keepalive_octet(rest.s[i]))
			return UDP_PAYLOAD_SIP;
	}
	return UDP_PAYLOAD_KEEPALIVE;
}

/* Defined for requests by RFC 8489 §14 (0x0001 .. 0x0020 as listed in §18.3). */
static bool is_known(uint16_t type)
{
	static const uint16_t known[] = {0x0001, 0x0006, 0x0008, 0x0009, 0x000a, 0x0014,
					 0x0015, 0x001c, 0x001d, 0x001e, 0x0020};

	for (uint32_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i] == type)
			return true;
	}
	return false;
}

static void note_unknown(struct stun_request *r, uint16_t type)
{
	for (uint32_t i = 0; i < r->n_unknown; i++) {
		if (r->unknown[i] == type)
			return;
	}
	if (r->n_unknown < STUN_UNKNOWN_MAX)
		r->unknown[r->n_unknown++] = type;
}

/* Attributes of m, whose length field is right. */
static bool stun_read(const uint8_t *m, uint32_t len, struct stun_request *r)
{
	bool sealed = false; /* behind the integrity: only the fingerprint counts, §14.5 */

	for (uint32_t at = STUN_HEADER; at < len;) {
		uint16_t type = stun16(m + at);
		uint32_t octets = stun16(m + at + 2);
		uint32_t next = at + 4 + ((octets + 3) & ~3u);

		if (next > len)
			return false;
		if (type == STUN_FINGERPRINT) {
			r->has_fingerprint = true;
			return octets == 4 && next == len &&
			       (crc32_of(m, at) ^ STUN_FINGERPRINT_XOR) == stun32(m + at + 4);
		}
		if (type < 0x8000 && !sealed && !is_known(type))
			note_unknown(r, type);
		if (type == STUN_MESSAGE_INTEGRITY || type == STUN_INTEGRITY_SHA256)
			sealed = true;
		at = next;
	}
	return true;
}

static uint8_t *put_address(uint8_t *at, const uint8_t *request, const struct ip *peer,
			    uint16_t port)
{
	bool is4 = ip_is4(peer);
	uint32_t octets = is4 ? 4 : 16;
	const uint8_t *address = peer->b + 16 - octets;

	at = stun_put16(at, STUN_XOR_MAPPED_ADDRESS);
	at = stun_put16(at, 4 + octets);
	at = stun_put16(at, is4 ? 1 : 2);
	at = stun_put16(at, port ^ (STUN_COOKIE >> 16));
	/* XORed with the cookie and, for IPv6, the transaction id behind it: they stand in a row */
	for (uint32_t i = 0; i < octets; i++)
		at[i] = address[i] ^ request[4 + i];
	return at + octets;
}

static uint8_t *put_unknown(uint8_t *at, const struct stun_request *r)
{
	static const char reason[20] = "Unknown Attribute"; /* padded with NULs */

	at = stun_put16(at, STUN_ERROR_CODE);
	at = stun_put16(at, 4 + (uint32_t)strlen(reason));
	at = stun_put32(at, 4u << 8 | 20u);
	memcpy(at, reason, sizeof(reason));
	at += sizeof(reason);
	at = stun_put16(at, STUN_UNKNOWN_ATTRIBUTES);
	at = stun_put16(at, 2 * r->n_unknown);
	for (uint32_t i = 0; i < r->n_unknown; i++)
		at = stun_put16(at, r->unknown[i]);
	return r->n_unknown % 2 != 0 ? stun_put16(at, 0) : at;
}

int udp_stun_answer(struct str request, const struct ip *peer, uint16_t peer_port, uint8_t *out,
		    uint32_t cap)
{
	const uint8_t *m = (const uint8_t *)request.s;
	struct stun_request r = {.n_unknown = 0};
	uint8_t *at = out + STUN_HEADER;

	must(cap >= STUN_ANSWER_MAX);
	if (!stun_is_framed(request) || stun16(m + 2) % 4 != 0 ||
	    stun16(m + 2) + STUN_HEADER != request.len || !stun_read(m, request.len, &r))
		return -E_MALFORMED;
	if (stun16(m) != STUN_BINDING)
		return -E_UNSUPPORTED;
	(void)stun_put16(out, r.n_unknown > 0 ? STUN_BINDING_ERROR : STUN_BINDING_SUCCESS);
	memcpy(out + 4, m + 4, 16);
	at = r.n_unknown > 0 ? put_unknown(at, &r) : put_address(at, m, peer, peer_port);
	(void)stun_put16(out + 2, (uint32_t)(at - out) - STUN_HEADER + (r.has_fingerprint ? 8 : 0));
	if (r.has_fingerprint) {
		uint32_t crc = crc32_of(out, (uint32_t)(at - out));

		at = stun_put16(at, STUN_FINGERPRINT);
		at = stun_put16(at, 4);
		at = stun_put32(at, crc ^ STUN_FINGERPRINT_XOR);
	}
	return (int)(at - out);
}
