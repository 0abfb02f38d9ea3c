/* SPDX-License-Identifier: Apache-2.0 */
/* SIP text of the load generator: written by appending pieces, read line by line.
 *
 * This is deliberately no SIP stack: it reads only what the two programs under test write in answer
 * to our own requests (full header names, no folding), and says so by refusing the rest. What it
 * sends is regular: RFC 3261 §8.1.1 headers, rport (RFC 3581), Route from Record-Route in reverse
 * order (§12.1.2), the ACK of a failure with the INVITE's branch (§17.1.1.3). */
#include "blast.h"

#include <string.h>
#include <strings.h>

#define MARK_BRANCH "z9hG4bK.b"
#define MARK_CALL   "Call-ID: b"

static const char body[] = "v=0\r\n"
			   "o=blast 1 1 IN IP4 10.99.0.2\r\n"
			   "s=-\r\n"
			   "c=IN IP4 10.99.0.2\r\n"
			   "t=0 0\r\n"
			   "m=audio 30000 RTP/AVP 0 8\r\n"
			   "a=rtpmap:0 PCMU/8000\r\n"
			   "a=rtpmap:8 PCMA/8000\r\n";

static void put(struct out *o, const char *s, size_t len)
{
	if (len < (size_t)(o->end - o->at)) {
		memcpy(o->at, s, len);
		o->at += len;
	} else {
		o->at = o->end; /* marks the text as unfit to be sent */
	}
}
#define PUT(o, literal) put(o, literal, sizeof(literal) - 1)
static void put_c(struct out *o, const char *s)
{
	put(o, s, strlen(s));
}
static void put_text(struct out *o, struct text t)
{
	put(o, t.s, t.len);
}
static void put_hex(struct out *o, uint32_t v)
{
	char digits[8];

	for (unsigned i = 8; i-- > 0; v >>= 4)
		digits[i] = "0123456789abcdef"[v & 15];
	put(o, digits, sizeof(digits));
}
static void put_decimal(struct out *o, uint32_t v, unsigned width)
{
	char digits[10];
	unsigned at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v || sizeof(digits) - at < width);
	put(o, digits + at, sizeof(digits) - at);
}
static void put_user(struct out *o, uint32_t user)
{
	PUT(o, "sip:u");
	put_decimal(o, user, 6);
	PUT(o, "@example.com");
}
static void put_id(struct out *o, const struct id *id)
{
	put_hex(o, id->slot);
	put_hex(o, id->generation);
}

/* Next line of a message without its CRLF; false at the empty line that ends the headers. */
static bool next_line(struct text *rest, struct text *line)
{
	const char *lf = memchr(rest->s, '\n', rest->len);

	if (!lf || lf - rest->s < 2)
		return false;
	*line = (struct text){rest->s, (size_t)(lf - rest->s) - 1};
	rest->len -= (size_t)(lf + 1 - rest->s);
	rest->s = lf + 1;
	return true;
}
static bool is_header(struct text line, const char *name, size_t len)
{
	return line.len > len && line.s[len] == ':' && !strncasecmp(line.s, name, len);
}
#define IS_HEADER(line, literal) is_header(line, literal, sizeof(literal) - 1)

static void put_line(struct out *o, struct text line)
{
	put_text(o, line);
	PUT(o, "\r\n");
}

/* ---- requests ---------------------------------------------------------------------------------- */

static const char *method_name(char method)
{
	switch (method) {
	case 'O':
		return "OPTIONS";
	case 'R':
		return "REGISTER";
	case 'M':
		return "MESSAGE";
	case 'I':
		return "INVITE";
	case 'A':
		return "ACK";
	default:
		return "BYE";
	}
}

/* Via and Max-Forwards; the branch of a failure's ACK is the INVITE's. */
static void put_top(struct out *o, const struct names *n, const struct id *id, char branch_of)
{
	PUT(o, "Via: SIP/2.0/UDP ");
	put_c(o, n->client);
	PUT(o, ";rport;branch=" MARK_BRANCH);
	put_id(o, id);
	put(o, &branch_of, 1);
	PUT(o, "\r\nMax-Forwards: 70\r\n");
}
static void put_target(struct out *o, const struct names *n, const struct id *id, uint32_t user)
{
	if (id->method == 'O') {
		PUT(o, "sip:");
		put_c(o, n->server);
	} else {
		put_user(o, user);
	}
}
static void put_call_id(struct out *o, const struct names *n, const struct id *id, uint32_t user)
{
	if (id->method == 'R') { /* one Call-ID for all of a phone's, RFC 3261 §10.2 */
		PUT(o, "Call-ID: r");
		put_hex(o, user);
		put_hex(o, n->run);
	} else {
		PUT(o, MARK_CALL);
		put_id(o, id);
	}
	PUT(o, "@blast\r\nCSeq: ");
}

void msg_request(struct out *o, const struct names *n, const struct id *id, uint32_t user,
		 uint32_t cseq)
{
	const char *method = method_name(id->method);

	put_c(o, method);
	PUT(o, " ");
	if (id->method == 'R')
		PUT(o, "sip:example.com");
	else
		put_target(o, n, id, user);
	PUT(o, " SIP/2.0\r\n");
	put_top(o, n, id, id->method);
	PUT(o, "From: <");
	if (id->method == 'R')
		put_user(o, user);
	else
		PUT(o, "sip:blast@example.com");
	PUT(o, ">;tag=");
	put_id(o, id);
	PUT(o, "\r\nTo: <");
	put_target(o, n, id, user);
	PUT(o, ">\r\n");
	put_call_id(o, n, id, user);
	put_decimal(o, cseq, 1);
	PUT(o, " ");
	put_c(o, method);
	PUT(o, "\r\nUser-Agent: blast\r\n");
	if (id->method != 'M') {
		PUT(o, "Contact: <sip:blast@");
		put_c(o, id->method == 'R' ? n->uas : n->client);
		PUT(o, ">\r\n");
	}
	if (id->method == 'R')
		PUT(o, "Expires: 3600\r\n");
	if (id->method == 'I') {
		PUT(o, "Content-Type: application/sdp\r\nContent-Length: ");
		put_decimal(o, sizeof(body) - 1, 1);
		PUT(o, "\r\n\r\n");
		put(o, body, sizeof(body) - 1);
	} else if (id->method == 'M') {
		PUT(o, "Content-Type: text/plain\r\nContent-Length: 11\r\n\r\nHello there");
	} else {
		PUT(o, "Content-Length: 0\r\n\r\n");
	}
}

/* Parts of a response that a request of its dialog is made of. */
struct parts {
	struct text from, to, call, contact;
	struct text route[ROUTES_MAX];
	unsigned n_routes;
};

/* Split the values of a Record-Route at commas outside of <>. */
static void add_routes(struct parts *p, const char *s, const char *end)
{
	bool inside = false;
	const char *start = s;

	for (; s <= end && p->n_routes < ROUTES_MAX; s++) {
		if (s == end || (*s == ',' && !inside)) {
			while (start < s && *start == ' ')
				start++;
			p->route[p->n_routes++] = (struct text){start, (size_t)(s - start)};
			start = s + 1;
		} else {
			inside = *s == '<' || (inside && *s != '>');
		}
	}
}
static bool read_parts(struct text msg, struct parts *p)
{
	struct text line;

	memset(p, 0, sizeof(*p));
	while (next_line(&msg, &line)) {
		if (IS_HEADER(line, "From"))
			p->from = line;
		else if (IS_HEADER(line, "To"))
			p->to = line;
		else if (IS_HEADER(line, "Call-ID"))
			p->call = line;
		else if (IS_HEADER(line, "Contact"))
			p->contact = line;
		else if (IS_HEADER(line, "Record-Route"))
			add_routes(p, line.s + sizeof("Record-Route:") - 1, line.s + line.len);
	}
	return p->from.s && p->to.s && p->call.s;
}
static void put_dialog(struct out *o, const struct parts *p, const char *method, uint32_t cseq)
{
	for (unsigned i = p->n_routes; i-- > 0;) {
		PUT(o, "Route: ");
		put_line(o, p->route[i]);
	}
	put_line(o, p->from);
	put_line(o, p->to);
	put_line(o, p->call);
	PUT(o, "CSeq: ");
	put_decimal(o, cseq, 1);
	PUT(o, " ");
	put_c(o, method);
	PUT(o, "\r\nUser-Agent: blast\r\nContent-Length: 0\r\n\r\n");
}

bool msg_in_dialog(struct out *o, const struct names *n, const struct id *id, struct text response)
{
	struct parts p;
	const char *uri, *end;

	if (!read_parts(response, &p) || !p.contact.s)
		return false;
	uri = memchr(p.contact.s, '<', p.contact.len);
	end = uri ? memchr(uri, '>', (size_t)(p.contact.s + p.contact.len - uri)) : NULL;
	if (!end)
		return false;
	put_c(o, method_name(id->method));
	PUT(o, " ");
	put(o, uri + 1, (size_t)(end - uri) - 1);
	PUT(o, " SIP/2.0\r\n");
	put_top(o, n, id, id->method);
	put_dialog(o, &p, method_name(id->method), id->method == 'A' ? 1 : 2);
	return true;
}

bool msg_ack_failure(struct out *o, const struct names *n, const struct id *id, uint32_t user,
		     struct text response)
{
	struct parts p;

	if (!read_parts(response, &p))
		return false;
	p.n_routes = 0;
	PUT(o, "ACK ");
	put_user(o, user);
	PUT(o, " SIP/2.0\r\n");
	put_top(o, n, id, 'I');
	put_dialog(o, &p, "ACK", 1);
	return true;
}

/* ---- responses --------------------------------------------------------------------------------- */

void msg_reply(struct out *o, const char *status_line, struct text request, const char *contact,
	       bool with_body)
{
	struct text line;

	put_c(o, status_line);
	while (next_line(&request, &line)) {
		if (IS_HEADER(line, "Via") || IS_HEADER(line, "From") || IS_HEADER(line, "Call-ID") ||
		    IS_HEADER(line, "CSeq") || (contact && IS_HEADER(line, "Record-Route"))) {
			put_line(o, line);
		} else if (IS_HEADER(line, "To")) {
			put_text(o, line);
			if (!memmem(line.s, line.len, ";tag=", 5))
				PUT(o, ";tag=uas");
			PUT(o, "\r\n");
		}
	}
	if (contact) {
		PUT(o, "Contact: <sip:uas@");
		put_c(o, contact);
		PUT(o, ">\r\n");
	}
	if (with_body) {
		PUT(o, "Content-Type: application/sdp\r\nContent-Length: ");
		put_decimal(o, sizeof(body) - 1, 1);
		PUT(o, "\r\n\r\n");
		put(o, body, sizeof(body) - 1);
	} else {
		PUT(o, "Content-Length: 0\r\n\r\n");
	}
}

void msg_relay(struct out *o, struct text msg, const char *own)
{
	struct text rest = msg, line;

	if (!next_line(&rest, &line))
		return;
	put_line(o, line);
	if (msg_status(msg)) {
		(void)next_line(&rest, &line);
	} else {
		PUT(o, "Via: SIP/2.0/UDP ");
		put_c(o, own);
		PUT(o, ";branch=z9hG4bK.reflect\r\n");
	}
	put_text(o, rest);
}

/* ---- reading ----------------------------------------------------------------------------------- */

unsigned msg_status(struct text msg)
{
	if (msg.len < 12 || memcmp(msg.s, "SIP/2.0 ", 8))
		return 0;
	return (unsigned)(msg.s[8] - '0') * 100 + (unsigned)(msg.s[9] - '0') * 10 +
	       (unsigned)(msg.s[10] - '0');
}

static bool read_hex(const char *s, uint32_t *v)
{
	*v = 0;
	for (unsigned i = 0; i < 8; i++) {
		const char c = s[i];

		if (c >= '0' && c <= '9')
			*v = *v << 4 | (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			*v = *v << 4 | (uint32_t)(c - 'a' + 10);
		else
			return false;
	}
	return true;
}
static bool read_id(struct text msg, const char *mark, size_t len, struct id *id)
{
	const char *at = memmem(msg.s, msg.len, mark, len);

	if (!at || (size_t)(msg.s + msg.len - at) < len + 17)
		return false;
	id->method = at[len + 16];
	return read_hex(at + len, &id->slot) && read_hex(at + len + 8, &id->generation);
}

bool msg_branch_id(struct text msg, struct id *id)
{
	return read_id(msg, MARK_BRANCH, sizeof(MARK_BRANCH) - 1, id);
}

bool msg_call_id(struct text msg, struct id *id)
{
	if (!read_id(msg, MARK_CALL, sizeof(MARK_CALL) - 1, id))
		return false;
	id->method = msg.s[0];
	return true;
}
