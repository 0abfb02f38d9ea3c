/* SPDX-License-Identifier: Apache-2.0 */
/* Messages out of a byte stream.
 *
 * The head ends at the first empty line. On a stream every line must end with CR LF: a peer that
 * takes a bare LF for a line end, or does not, would see other messages than we do, and the same
 * holds for two Content-Length headers, or for anything but digits in one. Such a stream is given
 * up; so is one without Content-Length, since only it says where the next message starts (RFC 3261
 * §18.3, §20.14).
 *
 * Between messages CR LF CR LF is a keep-alive that wants an answer and CR LF its answer (RFC 5626
 * §4.4.1). While no more than CR LF [CR] is there it could be either, and nothing is said yet. */
#include "platform/sip/frame.h"
#include "platform/sip/hdr.h"
#include "platform/sip/lex.h"

/* *scanned counts octets while the end of the head is sought. Once the head is there it holds, with
 * this bit, the length of the whole message: until then a call costs one compare. */
#define LENGTH_KNOWN 0x80000000u

/* The empty line's end, or 0 where it is not there yet, or -E_MALFORMED. A LF before *scanned has
 * been looked at, but may be the first half of what is sought. */
static int find_head_end(struct str buf, uint32_t *scanned)
{
	uint32_t i = *scanned < buf.len ? *scanned : buf.len;

	for (;;) {
		const char *lf = memchr(buf.s + i, '\n', buf.len - i);

		if (!lf) {
			*scanned = buf.len;
			return 0;
		}
		i = (uint32_t)(lf - buf.s);
		if (i == 0 || buf.s[i - 1] != '\r')
			return -E_MALFORMED;
		i++;
		if (i >= 4 && buf.s[i - 3] == '\n')
			return (int)i;
	}
}

/* The one Content-Length of a whole head. ret 0 · -E_MALFORMED · -E_RANGE */
static int content_length(struct str head, uint32_t *length)
{
	struct lex_cursor c;
	struct lex_line l;
	bool found = false;

	lex_open(&c, head.s, head.len);
	for (uint32_t pos = 0; lex_next(&c, pos, true, &l) && l.end > l.start; pos = l.next) {
		/* Two letters can start its names: most lines are done with one look. */
		char first = ascii_lower(head.s[l.start]);
		uint32_t end = l.colon;
		int err;

		if (pos == 0 || (first != 'c' && first != 'l') || l.colon == l.end)
			continue;
		while (end > l.start && lex_is(head.s[end - 1], LEX_LWS))
			end--;
		if (sip_hdr_find((struct str){head.s + l.start, end - l.start}) !=
		    SIP_H_CONTENT_LENGTH)
			continue;
		if (found)
			return -E_MALFORMED;
		found = true;
		err = str_to_u32(str_trim((struct str){head.s + l.colon + 1, l.end - l.colon - 1}),
				 UINT32_MAX, length);
		if (err != 0)
			return err;
	}
	return found ? 0 : -E_MALFORMED;
}

/* buf starts with CR. */
static int cut_keepalive(struct str buf, enum sip_frame_kind *kind)
{
	static const char ping[4] = {'\r', '\n', '\r', '\n'};
	uint32_t n = buf.len < 4 ? buf.len : 4, same = 0;

	while (same < n && buf.s[same] == ping[same])
		same++;
	if (same == 4) {
		*kind = SIP_FRAME_PING;
		return 4;
	}
	if (same == buf.len)
		return 0;
	if (same < 2)
		return -E_MALFORMED;
	*kind = SIP_FRAME_PONG;
	return 2;
}

int sip_frame_cut(struct str buf, uint32_t msg_max, uint32_t *scanned, enum sip_frame_kind *kind)
{
	uint32_t body = 0;
	int head, err;

	dmust(msg_max < LENGTH_KNOWN);
	if (buf.len == 0)
		return 0;
	if (*scanned & LENGTH_KNOWN) {
		if (buf.len < (*scanned & ~LENGTH_KNOWN))
			return 0;
		*scanned = 0;
	}
	if (buf.s[0] == '\r')
		return cut_keepalive(buf, kind);
	if (!lex_is(buf.s[0], LEX_TOKEN)) /* neither a method nor SIP/2.0 starts so */
		return -E_MALFORMED;
	head = find_head_end(str_sub(buf, 0, msg_max), scanned);
	if (head < 0)
		return head;
	if (head == 0)
		return buf.len > msg_max ? -E_TOO_LONG : 0;
	err = content_length((struct str){buf.s, (uint32_t)head}, &body);
	if (err == -E_RANGE || (err == 0 && body > msg_max - (uint32_t)head))
		return -E_TOO_LONG;
	if (err != 0)
		return err;
	if (buf.len - (uint32_t)head < body) {
		*scanned = ((uint32_t)head + body) | LENGTH_KNOWN;
		return 0;
	}
	*kind = SIP_FRAME_MSG;
	return head + (int)body;
}
