/* SPDX-License-Identifier: Apache-2.0 */
/* Server transactions: matching requests, keeping and resending replies.
 *
 * A transaction is found by a keyed 128-bit hash of (top branch, sent-by, method), so its record needs
 * no text and lives on when the request's slot has been given back. The last reply is kept as a
 * program over the request: a retransmission brings the same octets, so the program makes the same
 * reply from the retransmission's own slot. A relayed final reply is kept as plain octets.
 * RFC 3261 §17.2.3; requests without the magic cookie are matched as RFC 2543 did. */
#include "control/txn/txn_priv.h"

#include "platform/link/token.h"

#define PROXY_GUARD_SLACK_US 5000000 /* beyond the branches' own time-outs: then something is wrong */

struct hash128 txn_key(const struct shard *s, const struct message *m, enum sip_method method)
{
	const struct sip_msg *p = m->sip;
	struct hash_state h;

	hash_begin(&h, &s->link->h->keys.txn, true);
	hash_fold(&h, sip_span_str(m->base, p->via_branch));
	hash_fold(&h, sip_span_str(m->base, p->via_sent_by));
	if ((p->flags & SIP_MSG_MAGIC_BRANCH) == 0) {
		/* RFC 2543 clients may use one branch for everything: the rest tells requests apart */
		hash_field(&h, sip_span_str(m->base, p->ruri));
		hash_field(&h, sip_span_str(m->base, p->call_id));
		hash_field(&h, sip_span_str(m->base, p->from_tag));
		hash_add(&h, &p->cseq, sizeof(p->cseq));
	}
	if (method == SIP_M_OTHER)
		hash_field(&h, sip_span_str(m->base, p->method_text));
	else
		hash_field(&h, sip_method_name(method));
	return hash_end128(&h);
}

static uint32_t bucket_head(struct shard *s, const struct hash128 *key, uint32_t **home)
{
	*home = step_bucket(&s->step, LINK_S_TXN_BUCKETS, key->lo);
	return *(const uint32_t *)step_read(&s->step, *home, 4);
}

uint32_t txn_find(struct shard *s, const struct hash128 *key)
{
	uint32_t *home, at = bucket_head(s, key, &home);

	for (uint32_t n = 0; at != LINK_NONE && n < s->link->h->txns; n++) {
		const struct link_txn *t = step_txn_read(&s->step, at);

		if (t->key.lo == key->lo && t->key.hi == key->hi)
			return at;
		at = t->next;
	}
	return LINK_NONE;
}

static void unlink_txn(struct shard *s, uint32_t txn)
{
	const struct link_txn *t = step_txn_read(&s->step, txn);
	uint32_t *home, at = bucket_head(s, &t->key, &home);

	if (at == txn) {
		*(uint32_t *)step_write(&s->step, home, 4) = t->next;
		return;
	}
	for (uint32_t n = 0; at != LINK_NONE && n < s->link->h->txns; n++) {
		uint32_t next = step_txn_read(&s->step, at)->next;

		if (next == txn) {
			step_txn(&s->step, at)->next = t->next;
			return;
		}
		at = next;
	}
	must(at != LINK_NONE); /* a live transaction stands in its bucket */
}

/* Call-ID, From user part and To, clipped: what tm.list shows when the request is gone. */
static void remember_text(struct link_txn *t, const struct message *m)
{
	const struct str part[3] = { sip_span_str(m->base, m->sip->call_id),
				     sip_span_str(m->base, m->sip->from_uri),
				     sip_span_str(m->base, m->sip->to_uri) };
	uint32_t at = 0;

	for (int i = 0; i < 3; i++) {
		uint32_t room = i == 0 ? 40 : 26;
		uint32_t n = part[i].len < room ? part[i].len : room;

		memcpy(t->text + at, part[i].s, n);
		t->text_len[i] = (uint8_t)n;
		at += n;
	}
}

/* New dialogs leave the reserve of every pool to those who are in one: a record without the blocks and
 * branches that its request will need would only be in the way. */
static bool admitted(const struct shard *s, uint32_t keep_percent)
{
	static const enum step_table pool[] = { STEP_TXN, STEP_BRANCH, STEP_BLOCK };

	for (unsigned k = 0; k < 3; k++) {
		const struct step_pool *p = &s->step.pool[pool[k]];

		if (p->set.n_free <= (uint64_t)p->n_total * keep_percent / 100)
			return false;
	}
	return true;
}

uint32_t txn_new(struct shard *s, struct message *m, bool in_dialog)
{
	bool room = admitted(s, in_dialog ? 0 : s->conf->reserve_percent);
	uint32_t i = room ? step_take(&s->step, STEP_TXN, 0) : LINK_NONE, *home;
	bool reliable = m->head->flow.transport != CONF_UDP;
	struct txn_act act;
	struct link_txn *t;

	if (i == LINK_NONE) {
		count(s->count, txn_no_record);
		return LINK_NONE;
	}
	t = step_txn(&s->step, i);
	memset(t, 0, sizeof(*t));
	t->key = txn_key(s, m, (enum sip_method)m->sip->method);
	t->request_hash = m->head->octets_hash;
	t->created_us = s->now_us;
	t->flow = m->head->flow;
	t->slot = m->slot;
	t->reply = LINK_NONE;
	t->branch = LINK_NONE;
	t->method = m->sip->method;
	t->cseq = m->sip->cseq;
	remember_text(t, m);
	m->kept = true;
	txn_machine_init(&t->machine,
			 t->method == SIP_M_INVITE ? MACHINE_INVITE_SERVER : MACHINE_SERVER, reliable);
	txn_machine_step(&t->machine, &s->timers, TXN_EV_START, 0, s->now_us, &act);
	/* while it waits for branches they have the timers; this one is for what must not happen */
	t->guard_us = s->now_us + s->timers.timer_b_us + PROXY_GUARD_SLACK_US;
	t->next = bucket_head(s, &t->key, &home);
	*(uint32_t *)step_write(&s->step, home, 4) = i;
	count(s->count, txn_started);
	count_add(s->count, txn_live, 1);
	shard_touch(s, shard_txn_id(s, i));
	return i;
}

bool txn_request(struct shard *s, uint32_t txn, struct message *m)
{
	return shard_message(s, step_txn_read(&s->step, txn)->slot, m);
}

int txn_keep(struct shard *s, const struct sip_program *p, uint32_t *first, uint16_t *words)
{
	uint32_t chain = p->full ? LINK_NONE : step_store_words(&s->step, p->word, p->n);

	if (chain == LINK_NONE) {
		count(s->count, txn_no_record);
		return -E_FULL;
	}
	step_give_chain(&s->step, *first);
	*first = chain;
	*words = (uint16_t)p->n;
	return 0;
}

static void txn_free(struct shard *s, uint32_t txn)
{
	struct link_txn *t = step_txn(&s->step, txn);
	uint32_t b = t->branch;

	unlink_txn(s, txn);
	while (b != LINK_NONE) {
		/* branches outlive it to absorb what still comes; they know no transaction any more */
		struct link_branch *k = step_branch(&s->step, b);

		b = k->next;
		k->txn = LINK_NONE;
		k->next = LINK_NONE;
		if ((k->flags & BRANCH_F_IS_CANCEL) != 0)
			continue; /* its octets are its own: it goes on being sent */
		step_give_chain(&s->step, k->program);
		k->program = LINK_NONE;
	}
	if (t->slot != 0)
		shard_release(s, t->slot);
	if (t->best_slot != 0)
		shard_release(s, t->best_slot);
	step_give_chain(&s->step, t->reply);
	t->slot = t->best_slot = 0;
	t->reply = LINK_NONE;
	t->branch = LINK_NONE;
	step_give(&s->step, STEP_TXN, txn);
	count(s->count, txn_ended);
	count_sub(s->count, txn_live, 1);
	shard_touch(s, shard_txn_id(s, txn));
}

static void resend(struct shard *s, const struct link_txn *t, uint64_t slot, uint8_t flags)
{
	if (t->reply == LINK_NONE)
		return;
	shard_send(s, &t->flow, (t->flags & TXN_F_REPLY_BYTES) ? 0 : slot, t->reply, t->reply_words, flags,
		   LINK_NONE);
	count(s->count, txn_tx_retransmission);
}

/* Whether a branch may still need the request's octets. */
static bool branches_need_slot(struct shard *s, const struct link_txn *t)
{
	for (uint32_t b = t->branch; b != LINK_NONE; b = step_branch_read(&s->step, b)->next) {
		const struct link_branch *k = step_branch_read(&s->step, b);

		if (k->machine.state <= MACHINE_PROCEEDING && (k->flags & BRANCH_F_IS_CANCEL) == 0)
			return true;
	}
	return false;
}

/* A transaction with its final answer sent holds no slot, but for timer G, which has no retransmitted
 * request to render its reply from. */
static void slot_unneeded(struct shard *s, uint32_t txn)
{
	const struct link_txn *t = step_txn_read(&s->step, txn);
	bool timer_g = t->machine.retransmit_us != 0 && (t->flags & TXN_F_REPLY_BYTES) == 0;

	if (t->slot == 0 || (t->flags & TXN_F_FINAL) == 0 || timer_g || branches_need_slot(s, t))
		return;
	shard_release(s, t->slot);
	step_txn(&s->step, txn)->slot = 0;
}

/* To tag of a reply of ours: the transaction's own, so that it is the same in every reply to it. */
static void own_tag(const struct shard *s, const struct link_txn *t, char *out)
{
	struct strbuf b = strbuf_of(out, TOKEN_TAG_LEN);

	strbuf_hex(&b, hash_bytes(&s->link->h->keys.tag, &t->key, sizeof(t->key)), TOKEN_TAG_LEN);
}

static void reply_address(const struct link_flow *flow, struct sip_reply *r, char *text)
{
	r->received = str_of(text, ip_print(&flow->peer, false, text));
	r->rport = flow->peer_port;
}

/* The machine has moved on and the new reply could not be kept: the old one must not be sent for it. */
static void forget_reply(struct shard *s, struct link_txn *t)
{
	step_give_chain(&s->step, t->reply);
	t->reply = LINK_NONE;
}

/* Build a reply of our own over the request, keep it for retransmissions, send it. */
static void reply_own(struct shard *s, uint32_t txn, struct sip_reply *r)
{
	struct link_txn *t = step_txn(&s->step, txn);
	struct sip_program p = shard_program(s);
	char ip[IP_TEXT_MAX], tag[TOKEN_TAG_LEN];
	struct message m;

	if (!txn_request(s, txn, &m))
		return;
	own_tag(s, t, tag);
	r->to_tag = str_of(tag, sizeof(tag));
	reply_address(&t->flow, r, ip);
	if (sip_reply_program(m.base, m.sip, r, &p) != 0 ||
	    txn_keep(s, &p, &t->reply, &t->reply_words) != 0) {
		forget_reply(s, t);
		return;
	}
	t->flags &= (uint8_t)~TXN_F_REPLY_BYTES;
	shard_send(s, &t->flow, t->slot, t->reply, t->reply_words, 0, LINK_NONE);
}

/* What the machine wants besides sending the reply in hand. */
static void carry_out(struct shard *s, uint32_t txn, const struct txn_act *act)
{
	struct link_txn *t = step_txn(&s->step, txn);

	if (act->send_trying) {
		struct sip_reply r = { .status = 100 };

		reply_own(s, txn, &r);
	}
	if (act->resend_reply)
		resend(s, t, t->slot, 0);
	if (act->timed_out)
		count(s->count, txn_ack_timeout);
	if (act->refused)
		count(s->count, txn_refused_event);
	if (act->terminated)
		txn_free(s, txn);
	else
		slot_unneeded(s, txn);
	shard_touch(s, shard_txn_id(s, txn));
}

void txn_retransmitted(struct shard *s, uint32_t txn, struct message *m)
{
	struct link_txn *t = step_txn(&s->step, txn);
	bool same = t->request_hash == m->head->octets_hash;
	struct txn_act act;

	count(s->count, txn_rx_retransmission);
	txn_machine_step(&t->machine, &s->timers, TXN_EV_REQUEST, 0, s->now_us, &act);
	if (act.resend_reply && t->reply != LINK_NONE) {
		act.resend_reply = false;
		if ((t->flags & TXN_F_REPLY_BYTES) != 0) {
			resend(s, t, 0, 0);
		} else if (same) {
			m->kept = true; /* the send gives it back */
			resend(s, t, m->slot, LINK_F_RELEASE);
		} else if (t->slot != 0) {
			resend(s, t, t->slot, 0);
		} else {
			count(s->count, txn_changed_retransmission);
		}
	}
	carry_out(s, txn, &act);
}

bool txn_ack(struct shard *s, uint32_t txn)
{
	struct link_txn *t = step_txn(&s->step, txn);
	struct txn_act act;

	txn_machine_step(&t->machine, &s->timers, TXN_EV_ACK, 0, s->now_us, &act);
	if (act.refused || act.to_user)
		return false;
	count(s->count, txn_acked);
	carry_out(s, txn, &act);
	return true;
}

/* A final answer was given, be it a silent one (RFC 4320: no 408 to a non-INVITE). */
static void note_final(struct link_txn *t, unsigned status, const struct txn_act *act)
{
	if (status < 200 || act->refused)
		return;
	t->flags |= TXN_F_FINAL;
	t->guard_us = 0;
}

void txn_reply(struct shard *s, uint32_t txn, unsigned status, const char *reason, struct str extra)
{
	struct link_txn *t = step_txn(&s->step, txn);
	struct sip_reply r = { .status = (uint16_t)status, .reason = str_from_c(reason), .extra = extra };
	struct txn_act act;

	txn_machine_step(&t->machine, &s->timers, TXN_EV_REPLY, status, s->now_us, &act);
	if (act.send_reply)
		reply_own(s, txn, &r);
	note_final(t, status, &act);
	carry_out(s, txn, &act);
}

/* Rendered here once: the response's slot goes back at once, the octets stay for retransmissions. */
static int keep_bytes(struct shard *s, struct link_txn *t, const struct sip_program *p,
		      const struct message *m)
{
	int n = sip_program_render(p->word, p->n, m->base, m->sip->len_bytes, s->bytes, SIP_MSG_MAX);
	struct sip_program text = shard_program(s); /* the rendered program is no longer needed */

	if (n < 0)
		return n;
	sip_program_text(&text, str_of(s->bytes, (size_t)n));
	if (txn_keep(s, &text, &t->reply, &t->reply_words) != 0) {
		forget_reply(s, t);
		return -E_FULL;
	}
	t->flags |= TXN_F_REPLY_BYTES;
	return 0;
}

/* A response that is not kept, or is too long to be. Made anew from the edits: the attempt to keep it
 * has used the scratch. */
static int relay_once(struct shard *s, const struct link_flow *flow, const struct message *m)
{
	struct sip_program p = shard_program(s);
	int err = sip_edit_program(&s->edit, m->sip->len_bytes, &p);

	return err == 0 ? shard_send_once(s, flow, m->slot, &p, LINK_F_RELEASE) : err;
}

void txn_relay(struct shard *s, uint32_t txn, struct message *m)
{
	struct link_txn *t = step_txn(&s->step, txn);
	unsigned status = m->sip->status;
	struct sip_program p = shard_program(s);
	struct txn_act act;

	txn_machine_step(&t->machine, &s->timers, TXN_EV_REPLY, status, s->now_us, &act);
	/* §16.7 step 5: a 2xx to an INVITE goes up even when another final answer has gone before */
	if (act.refused && t->method == SIP_M_INVITE && status >= 200 && status < 300 &&
	    sip_edit_program(&s->edit, m->sip->len_bytes, &p) == 0 &&
	    shard_send_once(s, &t->flow, m->slot, &p, LINK_F_RELEASE) == 0) {
		m->kept = true;
		count(s->count, proxy_late_relayed);
		return;
	}
	if (act.send_reply && sip_edit_program(&s->edit, m->sip->len_bytes, &p) == 0) {
		count(s->count, proxy_relayed);
		if (act.keep_reply && keep_bytes(s, t, &p, m) == 0) {
			shard_send(s, &t->flow, 0, t->reply, t->reply_words, 0, LINK_NONE);
		} else if (relay_once(s, &t->flow, m) == 0) {
			m->kept = true; /* the send gives it back */
		}
	}
	note_final(t, status, &act);
	carry_out(s, txn, &act);
}

void txn_reply_stateless(struct shard *s, struct message *m, unsigned status, const char *reason,
			 struct str extra)
{
	struct sip_reply r = { .status = (uint16_t)status, .reason = str_from_c(reason), .extra = extra };
	struct sip_program p = shard_program(s);
	char ip[IP_TEXT_MAX], tag[TOKEN_TAG_LEN];

	if (m->sip->method == SIP_M_ACK || m->sip->status != 0)
		return;
	token_tag_write(s->link->h, m->base, m->sip, tag);
	r.to_tag = str_of(tag, sizeof(tag));
	reply_address(&m->head->flow, &r, ip);
	if (sip_reply_program(m->base, m->sip, &r, &p) == 0 &&
	    shard_send_once(s, &m->head->flow, m->slot, &p, LINK_F_RELEASE) == 0) {
		m->kept = true;
		count(s->count, proxy_replied);
	}
}

void txn_end_stateless(struct shard *s, uint32_t txn, unsigned status, const char *reason)
{
	struct link_txn *t = step_txn(&s->step, txn);
	struct message m;

	if (txn_request(s, txn, &m)) {
		txn_reply_stateless(s, &m, status, reason, STR_NONE);
		if (m.kept)
			t->slot = 0; /* the send gives it back */
	}
	t->flags |= TXN_F_FINAL;
	txn_free(s, txn);
}

uint64_t txn_next_us(const struct link_txn *t)
{
	uint64_t next = txn_machine_next_us(&t->machine);

	if (t->guard_us != 0 && t->guard_us < next)
		next = t->guard_us;
	if (t->job_deadline_us != 0 && t->job_deadline_us < next)
		next = t->job_deadline_us;
	return next;
}

void txn_timer(struct shard *s, uint32_t txn)
{
	struct link_txn *t = step_txn(&s->step, txn);
	struct txn_act act;

	if (t->job_deadline_us != 0 && t->job_deadline_us <= s->now_us) {
		t->job_deadline_us = 0;
		proxy_job_due(s, txn);
		return;
	}
	if (t->guard_us != 0 && t->guard_us <= s->now_us) {
		/* branches that still run are their own deadline; with none left this must end */
		t->guard_us = s->now_us + s->timers.timer_b_us;
		if (t->n_live == 0)
			txn_reply(s, txn, 500, NULL, STR_NONE);
		else
			shard_touch(s, shard_txn_id(s, txn));
		return;
	}
	txn_machine_step(&t->machine, &s->timers, TXN_EV_TIMER, 0, s->now_us, &act);
	carry_out(s, txn, &act);
}
