/* SPDX-License-Identifier: Apache-2.0 */
/* URIs. The input is one URI, or two with a line feed between them. Parts lie inside; a URI equals
 * itself; equality is symmetric; equal sip URIs have one address-of-record; and an
 * address-of-record read as a URI gives itself. */
#include <stddef.h>
#include <stdint.h>

#include "platform/sip/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define AOR_MAX 16384

static char aor_mem[2][AOR_MAX];

static void must_lie_in(struct str part, struct str whole)
{
	must(part.len == 0 || (part.s >= whole.s && part.s + part.len <= whole.s + whole.len));
}

static int parse(struct str in, struct sip_uri *u)
{
	int r = sip_uri_parse(in, u);

	must(r == 0 || r == -E_MALFORMED || r == -E_UNSUPPORTED);
	must(r != -E_UNSUPPORTED || u->scheme == SIP_URI_OTHER);
	must_lie_in(u->scheme_text, in);
	must_lie_in(u->user, in);
	must_lie_in(u->password, in);
	must_lie_in(u->host, in);
	must_lie_in(u->params, in);
	must_lie_in(u->headers, in);
	return r;
}

static bool is_sip(const struct sip_uri *u)
{
	return u->scheme == SIP_URI_SIP || u->scheme == SIP_URI_SIPS;
}

/* The address-of-record, or nothing where it is longer than we care to hold. */
static struct str aor_of(const struct sip_uri *u, char *mem)
{
	struct strbuf b = strbuf_of(mem, AOR_MAX);

	return sip_uri_aor(u, &b) == 0 ? strbuf_str(&b) : STR_NONE;
}

static void check_aor(const struct sip_uri *u)
{
	static char text[AOR_MAX + 4];
	struct strbuf b = strbuf_of(text, sizeof(text));
	struct str first = aor_of(u, aor_mem[0]);
	struct sip_uri again;

	if (first.len == 0 || !is_sip(u))
		return;
	strbuf_put(&b, STR("sip:"));
	strbuf_put(&b, first);
	must(sip_uri_parse(strbuf_str(&b), &again) == 0);
	must(again.has_user == u->has_user);
	must(str_eq(aor_of(&again, aor_mem[1]), first));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_of(data, size), first, second;
	struct sip_uri a, b;
	int ra, rb;

	(void)str_split(in, '\n', &first, &second); /* one URI alone is as good */
	ra = parse(first, &a);
	rb = parse(second, &b);
	if (ra == -E_MALFORMED)
		return 0;
	must(sip_uri_equal(&a, &a));
	check_aor(&a);
	(void)sip_uri_lr(&a); /* only that it stays inside matters here */
	if (rb == -E_MALFORMED)
		return 0;
	must(sip_uri_equal(&a, &b) == sip_uri_equal(&b, &a));
	if (is_sip(&a) && sip_uri_equal(&a, &b))
		must(str_eq(aor_of(&a, aor_mem[0]), aor_of(&b, aor_mem[1])));
	return 0;
}
