/* SPDX-License-Identifier: Apache-2.0 */
/* Which control shard owns a message. Responses go to the shard written into our Via branch, after
 * its mark is checked; REGISTER by the To address, so that an address-of-record has one home;
 * everything else by Call-ID, so that INVITE, CANCEL, ACK, merged and spiralled requests meet. */
#include "dataplane/edge/edge.h"

#include "platform/link/token.h"

static uint32_t shard_of(const struct link_header *h, uint64_t hash)
{
	/* multiply-shift: even over any number of shards, no division */
	return (uint32_t)(((hash >> 32) * h->n_shards) >> 32);
}

/* "user@host" of the To URI as it stands: the shard canonicalises, and hands over where it differs. */
static struct str aor_octets(const char *base, const struct sip_msg *m)
{
	struct str uri = sip_span_str(base, m->to_uri);
	int64_t colon = str_find(uri, ':');
	uint32_t end;

	if (colon >= 0)
		uri = str_sub(uri, (uint32_t)colon + 1, uri.len);
	for (end = 0; end < uri.len && uri.s[end] != ';' && uri.s[end] != '?'; end++)
		;
	return str_sub(uri, 0, end);
}

int edge_steer(const struct link_header *h, const char *base, const struct sip_msg *m, uint32_t *shard)
{
	struct token_branch t;
	struct hash_state s;

	*shard = 0;
	if (m->status != 0) {
		if (token_branch_read(h, sip_span_str(base, m->via_branch), &t) != 0)
			return -E_NOT_FOUND;
		*shard = t.shard;
		return 0;
	}
	if (h->n_shards == 1)
		return 0;
	hash_begin(&s, &h->keys.steer, false);
	if (m->method == SIP_M_REGISTER)
		hash_fold(&s, aor_octets(base, m));
	else
		hash_field(&s, sip_span_str(base, m->call_id));
	*shard = shard_of(h, hash_end64(&s));
	return 0;
}
