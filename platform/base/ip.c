/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses: text <-> 16 octets, and the questions asked about them.
 *
 * The grammar is that of RFC 5954 §4.1, which mends the one of RFC 3261 §25.1: an octet of an IPv4
 * address has no leading zero (some readers take it for octal, RFC 6943 §3.1.1, and two that
 * disagree about an address are a hole), "::" stands once and for one group or more, and the last
 * two groups may be written as IPv4. No zone: an interface is never named by a stranger.
 * Text is written as RFC 5952 §4 wants it; IPv4, held as ::ffff:a.b.c.d, always as four numbers. */
#include "platform/base/ip.h"
#include "platform/base/err.h"

#define GROUPS 8       /* of 16 bits in an IPv6 address             */
#define GROUP_DIGITS 4 /* hexadecimal digits of a group, at most    */
#define PREFIX4 96     /* bits in front of an IPv4 address in ours   */

struct ip ip_of4(const uint8_t b[4])
{
	struct ip a = {{[10] = 0xff, [11] = 0xff}};

	memcpy(a.b + 12, b, 4);
	return a;
}

bool ip_is_zero(const struct ip *a)
{
	static const uint8_t zero[16];

	return memcmp(a->b + 12, zero, 4) == 0 && (ip_is4(a) || memcmp(a->b, zero, 12) == 0);
}

bool ip_is_multicast(const struct ip *a)
{
	return ip_is4(a) ? (a->b[12] & 0xf0) == 0xe0 : a->b[0] == 0xff;
}

bool ip_is_linklocal(const struct ip *a)
{
	return ip_is4(a) ? a->b[12] == 169 && a->b[13] == 254
			 : a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

bool ip_in_prefix(const struct ip *a, const struct ip_prefix *p)
{
	uint32_t whole = p->len / 8, bits = p->len % 8;

	/* ::/0 holds every IPv6 address, and no IPv4 one although its bits would match. */
	if (p->len > 128 || ip_is4(a) != ip_is4(&p->ip) || memcmp(a->b, p->ip.b, whole) != 0)
		return false;
	return bits == 0 || ((a->b[whole] ^ p->ip.b[whole]) & (0xff00 >> bits) & 0xff) == 0;
}

/* Four decimal numbers, each 0..255 without leading zero. */
static int parse4(struct str s, uint8_t out[4])
{
	uint32_t at = 0;

	for (int i = 0; i < 4; i++) {
		uint32_t v = 0, start = at;

		if (i > 0 && (at >= s.len || s.s[at++] != '.'))
			return -E_MALFORMED;
		start = at;
		while (at < s.len && at - start < 3 && s.s[at] >= '0' && s.s[at] <= '9')
			v = v * 10 + (uint32_t)(s.s[at++] - '0');
		if (at == start || v > 255 || (at - start > 1 && s.s[start] == '0'))
			return -E_MALFORMED;
		out[i] = (uint8_t)v;
	}
	return at == s.len ? 0 : -E_MALFORMED;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One group at *at. ret digits used, 0 where there is none. */
static uint32_t parse_group(struct str s, uint32_t at, uint32_t *value)
{
	uint32_t n = 0;

	*value = 0;
	while (n < GROUP_DIGITS && at + n < s.len && hex_digit(s.s[at + n]) >= 0)
		*value = *value << 4 | (uint32_t)hex_digit(s.s[at + n++]);
	return n;
}

/* Groups land at the front of out; once all are read, those after "::" move to its end. */
static int parse6(struct str s, struct ip *out)
{
	uint32_t at = 0, n = 0, value, digits;
	int gap = -1;

	memset(out, 0, sizeof(*out));
	if (s.len >= 2 && s.s[0] == ':' && s.s[1] == ':') {
		gap = 0;
		at = 2;
	}
	while (at < s.len) {
		digits = parse_group(s, at, &value);
		if (at + digits < s.len && s.s[at + digits] == '.') {
			if (n > GROUPS - 2 ||
			    parse4(str_sub(s, at, s.len - at), out->b + 2 * n) != 0)
				return -E_MALFORMED;
			n += 2;
			break;
		}
		if (digits == 0 || n == GROUPS)
			return -E_MALFORMED;
		out->b[2 * n] = (uint8_t)(value >> 8);
		out->b[2 * n + 1] = (uint8_t)value;
		n++;
		at += digits;
		if (at == s.len)
			break;
		if (s.s[at++] != ':' || at == s.len)
			return -E_MALFORMED;
		if (s.s[at] == ':') {
			if (gap >= 0)
				return -E_MALFORMED;
			gap = (int)n;
			at++;
		}
	}
	if (gap < 0 ? n != GROUPS : n == GROUPS)
		return -E_MALFORMED;
	if (gap >= 0) {
		uint32_t from = 2 * (uint32_t)gap, tail = 2 * n - from;

		memmove(out->b + 16 - tail, out->b + from, tail);
		memset(out->b + from, 0, 16 - tail - from);
	}
	return 0;
}

int ip_parse(struct str s, struct ip *out)
{
	uint8_t b[4];
	int err;

	if (s.len >= 2 && s.s[0] == '[' && s.s[s.len - 1] == ']')
		return parse6(str_sub(s, 1, s.len - 2), out);
	if (str_find(s, ':') >= 0)
		return parse6(s, out);
	err = parse4(s, b);
	if (err == 0)
		*out = ip_of4(b);
	return err;
}

int ip_prefix_parse(struct str s, struct ip_prefix *out)
{
	struct str address, bits;
	bool has_bits = str_split(s, '/', &address, &bits);
	uint32_t len = 128, base;
	int err;

	memset(out, 0, sizeof(*out));
	err = ip_parse(address, &out->ip);
	if (err != 0)
		return err;
	base = str_find(address, ':') < 0 ? PREFIX4 : 0;
	if (has_bits) {
		err = str_to_u32(bits, 128 - base, &len);
		if (err != 0)
			return err;
		len += base;
	}
	/* ::ffff:a.b.c.d/64 would be neither an IPv4 nor an IPv6 prefix. */
	if (ip_is4(&out->ip) && len < PREFIX4)
		return -E_RANGE;
	out->len = (uint8_t)len;
	return 0;
}

static uint32_t group(const struct ip *a, uint32_t i)
{
	return (uint32_t)a->b[2 * i] << 8 | a->b[2 * i + 1];
}

/* The longest run of zero groups, the first of equals; one alone is not shortened (RFC 5952 §4.2).
 * ret its length, 0 where none is to be shortened. */
static uint32_t longest_gap(const struct ip *a, uint32_t *start)
{
	uint32_t best = 1, run = 0;

	*start = GROUPS;
	for (uint32_t i = 0; i < GROUPS; i++) {
		run = group(a, i) == 0 ? run + 1 : 0;
		if (run > best) {
			best = run;
			*start = i + 1 - run;
		}
	}
	return *start < GROUPS ? best : 0;
}

static void print6(const struct ip *a, struct strbuf *b)
{
	uint32_t start, n = longest_gap(a, &start);

	for (uint32_t i = 0; i < GROUPS; i++) {
		uint32_t v = group(a, i);

		if (n > 0 && i == start) {
			strbuf_put(b, STR("::"));
			i += n - 1;
			continue;
		}
		if (i > 0 && i != start + n)
			strbuf_char(b, ':');
		strbuf_hex(b, v, v > 0xfff ? 4 : v > 0xff ? 3 : v > 0xf ? 2 : 1);
	}
}

uint32_t ip_print(const struct ip *a, bool bracket, char *out)
{
	struct strbuf b = strbuf_of(out, IP_TEXT_MAX - 1);

	if (ip_is4(a)) {
		for (int i = 12; i < 16; i++) {
			if (i > 12)
				strbuf_char(&b, '.');
			strbuf_u64(&b, a->b[i]);
		}
	} else {
		if (bracket)
			strbuf_char(&b, '[');
		print6(a, &b);
		if (bracket)
			strbuf_char(&b, ']');
	}
	must(!b.full);
	out[b.len] = '\0';
	return b.len;
}
