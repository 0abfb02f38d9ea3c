/* SPDX-License-Identifier: Apache-2.0 */
/* Keyed names in messages. A branch is z9hG4bK + base-32 of shard (1 octet), record index (4),
 * generation (4) and mark (9 octets of a keyed hash over those and the run), 18 octets in all: with
 * 72 bits of mark a stranger's guess is worth nothing, and a restart of the dataplane makes all older
 * branches strangers. */
#include "platform/link/token.h"

static const char digits[] = "0123456789abcdefghijklmnopqrstuv";
#define RAW 18 /* octets; 144 bits in 30 characters of 5 bits, the last 6 bits 0 */
#define TEXT (TOKEN_BRANCH_LEN - 7)
#define PAD_MASK 0x3f

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = ascii_lower(c); /* a peer may fold case: branches compare without it */
	return c >= 'a' && c <= 'v' ? c - 'a' + 10 : -1;
}

static void raw_write(const uint8_t raw[RAW], char *out)
{
	uint32_t bits = 0, n = 0, at = 0;

	for (uint32_t i = 0; i < TEXT; i++) {
		if (n < 5) {
			bits = bits << 8 | (at < RAW ? raw[at] : 0);
			at++;
			n += 8;
		}
		n -= 5;
		out[i] = digits[(bits >> n) & 31];
	}
}

static bool raw_read(const char *in, uint8_t raw[RAW])
{
	uint32_t bits = 0, n = 0, at = 0;

	for (uint32_t i = 0; i < TEXT; i++) {
		int v = digit_value(in[i]);

		if (v < 0)
			return false;
		bits = bits << 5 | (uint32_t)v;
		n += 5;
		if (n >= 8 && at < RAW) {
			n -= 8;
			raw[at++] = (uint8_t)(bits >> n);
		}
	}
	return at == RAW && (bits & PAD_MASK) == 0; /* one name, one spelling */
}

static void raw_fill(const struct link_header *h, const struct token_branch *t, uint8_t raw[RAW])
{
	struct hash_state s;
	struct hash128 mark;

	raw[0] = (uint8_t)t->shard;
	memcpy(raw + 1, &t->branch, 4);
	memcpy(raw + 5, &t->generation, 4);
	hash_begin(&s, &h->keys.branch, true);
	hash_add(&s, raw, 9);
	hash_add(&s, &h->run, sizeof(h->run));
	mark = hash_end128(&s);
	memcpy(raw + 9, &mark.lo, 8);
	raw[17] = (uint8_t)mark.hi;
}

void token_branch_write(const struct link_header *h, const struct token_branch *t, char *out)
{
	uint8_t raw[RAW];

	raw_fill(h, t, raw);
	memcpy(out, "z9hG4bK", 7);
	raw_write(raw, out + 7);
}

int token_branch_read(const struct link_header *h, struct str branch, struct token_branch *t)
{
	uint8_t raw[RAW], ours[RAW];
	unsigned differ = 0;

	if (branch.len != TOKEN_BRANCH_LEN || !str_ieq(str_sub(branch, 0, 7), STR("z9hG4bK")) ||
	    !raw_read(branch.s + 7, raw))
		return -E_NOT_FOUND;
	t->shard = raw[0];
	memcpy(&t->branch, raw + 1, 4);
	memcpy(&t->generation, raw + 5, 4);
	raw_fill(h, t, ours);
	for (int i = 0; i < RAW; i++) /* no early end: the time tells a guesser nothing */
		differ |= (unsigned)(raw[i] ^ ours[i]);
	return differ == 0 && t->shard < h->n_shards && t->branch < h->branches ? 0 : -E_NOT_FOUND;
}

void token_tag_write(const struct link_header *h, const char *base, const struct sip_msg *m, char *out)
{
	struct hash_state s;
	struct strbuf b = strbuf_of(out, TOKEN_TAG_LEN);

	hash_begin(&s, &h->keys.tag, false);
	hash_field(&s, sip_span_str(base, m->call_id));
	hash_field(&s, sip_span_str(base, m->from_tag));
	hash_field(&s, sip_span_str(base, m->via_branch));
	hash_field(&s, sip_span_str(base, m->ruri));
	hash_add(&s, &m->cseq, sizeof(m->cseq));
	strbuf_hex(&b, hash_end64(&s), TOKEN_TAG_LEN);
}

bool token_tag_is(const struct link_header *h, const char *base, const struct sip_msg *m)
{
	char tag[TOKEN_TAG_LEN];

	if (m->to_tag.len != TOKEN_TAG_LEN)
		return false;
	token_tag_write(h, base, m, tag);
	return memcmp(tag, base + m->to_tag.off, TOKEN_TAG_LEN) == 0;
}
