/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever the octets: the index is readable, no form of the lexer changes it, and what the quick
 * readers of msg_usual.c took is what the strict functions of uri.c, via.c and addr.c find. */
#include <stdlib.h>

#include "platform/sip/addr.h"
#include "platform/sip/lex.h"
#include "platform/sip/msg.h"
#include "platform/sip/param.h"
#include "platform/sip/uri.h"
#include "platform/sip/via.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct sip_limits limits = {60000, 1024, 2048, 100};
static struct sip_msg m, other;

static void want(bool ok)
{
	if (!ok)
		abort();
}

static void same(const char *base, struct sip_span span, struct str s)
{
	want(str_eq(sip_span_str(base, span), s));
}

static void check_ruri(const char *base)
{
	struct sip_uri u;
	int err = sip_uri_parse(sip_span_str(base, m.ruri), &u);

	if (m.ruri_scheme == SIP_URI_OTHER) {
		want(err == -E_UNSUPPORTED);
		return;
	}
	want(err == 0 && u.scheme == m.ruri_scheme);
	if (u.scheme != SIP_URI_SIP && u.scheme != SIP_URI_SIPS)
		return;
	want(u.headers.len == 0 && u.port == m.ruri_port);
	want(u.has_user == ((m.flags & SIP_MSG_RURI_USER) != 0));
	same(base, m.ruri_host, u.host);
	if (u.has_user) {
		uint32_t password = u.password.s ? u.password.len + 1 : 0;

		same(base, m.ruri_user, (struct str){u.user.s, u.user.len + password});
	}
}

static void check_via(const char *base)
{
	struct sip_list it = {0};
	struct str e;
	bool top = true;

	for (; sip_list_next(base, &m, SIP_H_VIA, &it, &e); top = false) {
		struct sip_via v;

		want(sip_via_parse(e, &v) == 0);
		if (!top)
			continue;
		want(e.len == m.via_value_len && v.port == m.via_port);
		want(v.rport == ((m.flags & SIP_MSG_VIA_RPORT) != 0));
		same(base, m.via_host, v.host);
		same(base, m.via_branch, v.branch);
		want(str_starts_with(sip_span_str(base, m.via_sent_by), v.host));
	}
	want(!top);
}

static void check_addr(const char *base, enum sip_hdr_id id, struct sip_span uri,
		       struct sip_span tag)
{
	struct sip_addr a;
	struct sip_param p;
	int found;

	want(sip_addr_parse(sip_line_value(base, sip_msg_first(&m, id)), &a) == 0);
	same(base, uri, a.uri);
	found = sip_param_find(a.params, STR("tag"), &p);
	want(found == (tag.len != 0));
	if (found)
		same(base, tag, p.value);
}

static void check_contact(const char *base)
{
	struct sip_list it = {0};
	struct str e;

	while (sip_list_next(base, &m, SIP_H_CONTACT, &it, &e)) {
		struct sip_addr a;

		want(sip_addr_parse(e, &a) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str s = {(const char *)data, (uint32_t)(size < 1 << 17 ? size : 1 << 17)};
	struct sip_fault f, f_other;
	int ret;

	(void)lex_init();
	ret = sip_msg_parse(s, &limits, &m, &f);
	want(sip_msg_index_ok(&m, s.len));
	for (const char *const *form = lex_forms(); *form; form++) {
		(void)lex_choose(*form);
		want(sip_msg_parse(s, &limits, &other, &f_other) == ret);
		want(memcmp(&m, &other, sip_msg_bytes(&m)) == 0);
	}
	if (ret != 0) {
		want(f.err == ret && f.text && f.off <= s.len);
		want(f.status == 0 || (f.status >= 400 && f.status < 600));
		return 0;
	}
	if (m.status == 0)
		check_ruri(s.s);
	check_via(s.s);
	check_addr(s.s, SIP_H_FROM, m.from_uri, m.from_tag);
	check_addr(s.s, SIP_H_TO, m.to_uri, m.to_tag);
	check_contact(s.s);
	return 0;
}
