/* SPDX-License-Identifier: Apache-2.0 */
/* The start line: Request-Line or Status-Line (RFC 3261 §7.1, §7.2).
 *
 * A line that starts with "SIP/" is a Status-Line and nothing in it is answered. Else the first SP
 * ends the method and the last SP starts the version; what lies between is the Request-URI, so that
 * more than one SP, or SP at the end, shows as white space there or as an empty version, and is
 * refused (RFC 4475 §3.1.2.8 to §3.1.2.10). "SIP" may be in any case (§7.1). A Request-URI of a
 * scheme that we do not know is no fault: the proxy answers 416 (§16.3). */
#include "platform/sip/lex.h"
#include "platform/sip/msg_part.h"
#include "platform/sip/uri.h"

#define VERSION_LEN 7 /* SIP/2.0 */

static struct sip_span span_of(uint32_t off, uint32_t end)
{
	return (struct sip_span){(uint16_t)off, (uint16_t)(end - off)};
}

/* Whether s begins with SIP-Version; *n its octets. Any version is taken. */
static bool version_len(struct str s, uint32_t *n)
{
	uint32_t i = 4, start;

	if (!str_istarts_with(s, STR("SIP/")))
		return false;
	while (i < s.len && lex_is(s.s[i], LEX_DIGIT))
		i++;
	if (i == 4 || i == s.len || s.s[i] != '.')
		return false;
	for (start = ++i; i < s.len && lex_is(s.s[i], LEX_DIGIT);)
		i++;
	*n = i;
	return i > start;
}

static bool is_version_2(struct str s)
{
	return s.len == VERSION_LEN &&
	       (memcmp(s.s, "SIP/2.0", VERSION_LEN) == 0 || str_ieq(s, STR("SIP/2.0")));
}

static void status_line(struct msg_work *w, uint32_t start, uint32_t end)
{
	struct str s = {w->p + start, end - start};
	uint32_t n = 0, status = 0;

	if (!version_len(s, &n)) {
		msg_fault(w, -E_MALFORMED, 0, SIP_H_OTHER, start, "Bad Status-Line");
		return;
	}
	if (n != VERSION_LEN || !is_version_2(str_sub(s, 0, n))) {
		msg_fault(w, -E_VERSION, 0, SIP_H_OTHER, start, "Version Not Supported");
		return;
	}
	if (s.len < n + 5 || s.s[n] != ' ' || s.s[n + 4] != ' ' ||
	    str_to_u32(str_sub(s, n + 1, 3), 699, &status) != 0 || status < 100) {
		msg_fault(w, -E_MALFORMED, 0, SIP_H_OTHER, start + n, "Bad Status-Line");
		return;
	}
	w->m->status = (uint16_t)status;
	w->m->ruri = span_of(start + n + 5, end);
}

static void ruri_set(struct sip_msg *m, const struct msg_uri *u, uint32_t off)
{
	m->ruri_scheme = (uint8_t)u->scheme;
	m->ruri_port = u->port;
	m->ruri_host = span_of(off + u->host, off + u->host_end);
	if (u->user_end > u->user) {
		m->ruri_user = span_of(off + u->user, off + u->user_end);
		m->flags |= SIP_MSG_RURI_USER;
	}
}

/* By the strict function. The user part spans the password too: it ends where '@' stands. */
static void ruri_strict(struct msg_work *w, struct str s, uint32_t off)
{
	struct sip_uri u;
	int err = sip_uri_parse(s, &u);

	w->m->ruri_scheme = (uint8_t)(err == 0 ? u.scheme : SIP_URI_NONE);
	if (err == -E_UNSUPPORTED) {
		w->m->ruri_scheme = SIP_URI_OTHER;
		return;
	}
	if (err != 0) {
		msg_fault(w, err, 400, SIP_H_OTHER, off, "Bad Request-URI");
		return;
	}
	if (u.scheme == SIP_URI_SIP || u.scheme == SIP_URI_SIPS) {
		uint32_t user = u.scheme_text.len + 1, host = (uint32_t)(u.host.s - s.s);
		struct msg_uri usual = {
			u.scheme,	   user,  u.has_user ? host - 1 : user, host,
			host + u.host.len, u.port};

		ruri_set(w->m, &usual, off);
		if (u.headers.len != 0)
			msg_fault(w, -E_MALFORMED, 400, SIP_H_OTHER,
				  off + (uint32_t)(u.headers.s - s.s),
				  "Headers in the Request-URI");
	} else if (u.scheme == SIP_URI_TEL) {
		uint32_t user = off + (uint32_t)(u.user.s - s.s);

		w->m->ruri_user = span_of(user, user + u.user.len);
	}
}

static void request_uri(struct msg_work *w, uint32_t off, uint32_t end)
{
	struct str s = {w->p + off, end - off};
	struct msg_uri usual;

	w->m->ruri = span_of(off, end);
	if (s.len > w->limits->uri_bytes)
		msg_fault(w, -E_TOO_LONG, 414, SIP_H_OTHER, off, "Request-URI Too Long");
	if (msg_usual_uri(s.s, s.len, &usual))
		ruri_set(w->m, &usual, off);
	else if (s.len == 0 || memchr(s.s, ' ', s.len) || memchr(s.s, '\t', s.len))
		msg_fault(w, -E_MALFORMED, 400, SIP_H_OTHER, off,
			  "White space in the Request-Line");
	else
		ruri_strict(w, s, off);
}

/* The part after the last SP. ret whether it is a version at all */
static bool check_version(struct msg_work *w, struct str s, uint32_t off)
{
	uint32_t n = 0;

	if (is_version_2(s))
		return true;
	if (version_len(s, &n) && n == s.len) {
		msg_fault(w, -E_VERSION, 505, SIP_H_OTHER, off, "Version Not Supported");
		return true;
	}
	msg_fault(w, -E_MALFORMED, 400, SIP_H_OTHER, off,
		  s.len == 0 ? "White space in the Request-Line"
			     : "No SIP version in the Request-Line");
	return false;
}

static void request_line(struct msg_work *w, uint32_t start, uint32_t end)
{
	const char *p = w->p;
	uint32_t method_end = start, last_sp = end;
	struct str method;

	while (method_end < end && lex_is(p[method_end], LEX_TOKEN))
		method_end++;
	if (method_end == start || method_end == end || p[method_end] != ' ') {
		msg_fault(w, -E_MALFORMED, 0, SIP_H_OTHER, start, "Not a SIP message");
		return;
	}
	method = (struct str){p + start, method_end - start};
	w->m->method_text = span_of(start, method_end);
	w->m->method = (uint8_t)sip_method_find(method);
	while (p[last_sp - 1] != ' ') /* ends at method_end at the latest */
		last_sp--;
	last_sp--;
	if (!check_version(w, (struct str){p + last_sp + 1, end - last_sp - 1}, last_sp + 1))
		return;
	if (last_sp == method_end)
		msg_fault(w, -E_MALFORMED, 400, SIP_H_OTHER, last_sp, "No Request-URI");
	else
		request_uri(w, method_end + 1, last_sp);
}

void msg_start_line(struct msg_work *w, uint32_t start, uint32_t end)
{
	w->response = (w->p[start] | 0x20) == 's' &&
		      str_istarts_with((struct str){w->p + start, end - start}, STR("SIP/"));
	if (w->response)
		status_line(w, start, end);
	else
		request_line(w, start, end);
}
