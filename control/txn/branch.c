/* SPDX-License-Identifier: Apache-2.0 */
/* Client transactions: the branches of a proxied request, and the CANCELs of branches.
 *
 * The request as sent is a program over the slot of the server transaction's request; it is kept as
 * long as it may have to be sent again, or be the model for an ACK or CANCEL. Those two are built from
 * the rendered request itself (RFC 3261 §17.1.1.3, §9.1), so that Request-URI, top Via and Route are
 * by construction what was sent. A response finds its branch through the mark in our Via; no table is
 * searched. */
#include "control/txn/txn_priv.h"

uint32_t txn_branch_new(struct shard *s, uint32_t txn, enum sip_method method)
{
	uint32_t i = step_take(&s->step, STEP_BRANCH, 0);
	struct link_branch *b;
	struct link_txn *t;

	if (i == LINK_NONE) {
		count(s->count, txn_no_record);
		return LINK_NONE;
	}
	b = step_branch(&s->step, i);
	memset(b, 0, sizeof(*b));
	t = step_txn(&s->step, txn);
	b->txn = txn;
	b->program = b->ack = b->cancel = LINK_NONE;
	b->method = (uint8_t)method;
	b->created_us = s->now_us;
	b->next = t->branch;
	t->branch = i;
	t->n_branches++;
	count(s->count, branch_started);
	count_add(s->count, branch_live, 1);
	shard_touch(s, shard_branch_id(s, i));
	return i;
}

/* Take it out of its transaction's list. */
static void unlink_branch(struct shard *s, uint32_t branch)
{
	const struct link_branch *b = step_branch_read(&s->step, branch);
	const struct link_txn *t;
	uint32_t at;

	if (b->txn == LINK_NONE)
		return;
	t = step_txn_read(&s->step, b->txn);
	if (t->branch == branch) {
		step_txn(&s->step, b->txn)->branch = b->next;
		return;
	}
	for (at = t->branch; at != LINK_NONE; at = step_branch_read(&s->step, at)->next) {
		if (step_branch_read(&s->step, at)->next == branch) {
			step_branch(&s->step, at)->next = b->next;
			return;
		}
	}
}

void txn_branch_free(struct shard *s, uint32_t branch)
{
	struct link_branch *b = step_branch(&s->step, branch);

	unlink_branch(s, branch);
	step_give_chain(&s->step, b->program);
	step_give_chain(&s->step, b->ack);
	b->program = b->ack = LINK_NONE;
	step_give(&s->step, STEP_BRANCH, branch);
	count(s->count, branch_ended);
	count_sub(s->count, branch_live, 1);
	shard_touch(s, shard_branch_id(s, branch));
}

static uint64_t request_slot(struct shard *s, const struct link_branch *b)
{
	if (b->txn == LINK_NONE || (b->flags & BRANCH_F_IS_CANCEL) != 0)
		return 0;
	return step_txn_read(&s->step, b->txn)->slot;
}

static void send_request(struct shard *s, uint32_t branch)
{
	const struct link_branch *b = step_branch_read(&s->step, branch);

	if (b->program != LINK_NONE)
		shard_send(s, &b->flow, request_slot(s, b), b->program, b->program_words, LINK_F_REPORT,
			   branch);
}

/* The request as it went out, rendered into s->bytes and parsed into s->parsed. */
static bool as_sent(struct shard *s, const struct link_branch *b)
{
	uint64_t slot = request_slot(s, b);
	struct sip_fault f;
	struct message m;
	int n;

	if (slot == 0 || b->program == LINK_NONE || !shard_message(s, slot, &m) ||
	    link_load_words(s->link, s->id, b->program, b->program_words, (uint32_t *)s->words) != 0)
		return false;
	n = sip_program_render(s->words, b->program_words, m.base, m.sip->len_bytes, s->bytes, SIP_MSG_MAX);
	return n > 0 && sip_msg_parse(str_of(s->bytes, (size_t)n), &s->limits, &s->parsed, &f) == 0;
}

static int keep_text(struct shard *s, int n, const char *text, uint32_t *first, uint16_t *words)
{
	struct sip_program p = shard_program(s);

	if (n <= 0)
		return -E_FULL;
	sip_program_text(&p, str_of(text, (size_t)n));
	return txn_keep(s, &p, first, words);
}

static void make_ack(struct shard *s, struct link_branch *b, const struct message *m)
{
	const struct sip_line *to = sip_msg_first(m->sip, SIP_H_TO);
	if (to == NULL || !as_sent(s, b))
		return;
	(void)keep_text(s,
			sip_ack_build(s->bytes, &s->parsed, sip_line_value(m->base, to), s->made,
				      SIP_MSG_MAX),
			s->made, &b->ack, &b->ack_words); /* without blocks there is no ACK: the peer repeats */
}

static void send_ack(struct shard *s, uint32_t branch, const struct message *m)
{
	struct link_branch *b = step_branch(&s->step, branch);

	if (b->ack == LINK_NONE && m != NULL)
		make_ack(s, b, m);
	if (b->ack != LINK_NONE)
		shard_send(s, &b->flow, 0, b->ack, b->ack_words, 0, LINK_NONE);
}

/* The branch has its final answer, or has failed: it no longer counts as running. */
static void branch_done(struct shard *s, uint32_t branch)
{
	struct link_branch *b = step_branch(&s->step, branch);

	b->guard_us = 0;
	if ((b->flags & (BRANCH_F_ENDED | BRANCH_F_IS_CANCEL)) != 0)
		return;
	b->flags |= BRANCH_F_ENDED;
	if (b->txn != LINK_NONE)
		step_txn(&s->step, b->txn)->n_live--;
}

/* The user is told last: what it does may end the transaction that the branch belongs to. */
static void carry_out(struct shard *s, uint32_t branch, const struct txn_act *act, struct message *m,
		      unsigned failed_status)
{
	bool tell = act->timed_out || act->send_failed;
	bool is_cancel = (step_branch_read(&s->step, branch)->flags & BRANCH_F_IS_CANCEL) != 0;

	if (act->send_request) {
		send_request(s, branch);
		count(s->count, txn_tx_retransmission);
	}
	if (act->send_ack)
		send_ack(s, branch, m);
	if (act->refused)
		count(s->count, txn_refused_event);
	if (act->timed_out)
		count(s->count, txn_timeout);
	if (act->send_failed)
		count(s->count, txn_unsent);
	if (tell || (act->to_user && m->sip->status >= 200))
		branch_done(s, branch);
	shard_touch(s, shard_branch_id(s, branch));
	if (!is_cancel && act->to_user)
		proxy_response(s, branch, m);
	if (!is_cancel && tell)
		proxy_branch_failed(s, branch, failed_status);
	if (act->terminated)
		txn_branch_free(s, branch);
}

int txn_branch_start(struct shard *s, uint32_t branch, const struct link_flow *flow,
		     const struct sip_program *p)
{
	struct link_branch *b = step_branch(&s->step, branch);
	bool invite = b->method == SIP_M_INVITE;
	struct txn_act act;

	b->flow = *flow;
	if (txn_keep(s, p, &b->program, &b->program_words) != 0) {
		txn_branch_free(s, branch);
		return -E_FULL;
	}
	txn_machine_init(&b->machine, invite ? MACHINE_INVITE_CLIENT : MACHINE_CLIENT,
			 flow->transport != CONF_UDP);
	txn_machine_step(&b->machine, &s->timers, TXN_EV_START, 0, s->now_us, &act);
	if ((b->flags & BRANCH_F_IS_CANCEL) == 0)
		step_txn(&s->step, b->txn)->n_live++;
	if (invite)
		b->guard_us = s->now_us + (uint64_t)s->conf->timer_c_ms * 1000;
	send_request(s, branch);
	shard_touch(s, shard_branch_id(s, branch));
	return 0;
}

static void send_cancel(struct shard *s, uint32_t branch)
{
	struct link_branch *b = step_branch(&s->step, branch);
	struct sip_program p = shard_program(s);
	uint32_t c;
	int n;

	if (b->cancel != LINK_NONE || b->txn == LINK_NONE || !as_sent(s, b))
		return;
	n = sip_cancel_build(s->bytes, &s->parsed, STR_NONE, s->made, SIP_MSG_MAX);
	c = n > 0 ? txn_branch_new(s, b->txn, SIP_M_CANCEL) : LINK_NONE;
	if (c == LINK_NONE)
		return; /* timer C ends the branch */
	step_branch(&s->step, c)->flags |= BRANCH_F_IS_CANCEL;
	step_branch(&s->step, c)->cancel = branch; /* back: its record may go first, and be another's */
	sip_program_text(&p, str_of(s->made, (size_t)n));
	if (txn_branch_start(s, c, &b->flow, &p) == 0)
		b->cancel = c;
	/* §9.1: an INVITE that is not answered in 64*T1 after its CANCEL is taken for ended */
	b->guard_us = s->now_us + s->timers.timer_b_us;
}

void txn_branch_cancel(struct shard *s, uint32_t branch)
{
	struct link_branch *b = step_branch(&s->step, branch);

	if (b->method != SIP_M_INVITE || (b->flags & BRANCH_F_ENDED) != 0)
		return;
	if (b->machine.state == MACHINE_PROCEEDING)
		send_cancel(s, branch);
	else
		b->flags |= BRANCH_F_CANCEL_WANTED;
	shard_touch(s, shard_branch_id(s, branch));
}

/* The CANCEL of a branch while it lives. ret LINK_NONE: there was none, or it has ended */
static uint32_t cancel_of(struct shard *s, uint32_t branch)
{
	uint32_t c = step_branch_read(&s->step, branch)->cancel;
	const struct link_branch *k;

	if (c == LINK_NONE || !step_used(&s->step, STEP_BRANCH, c))
		return LINK_NONE;
	k = step_branch_read(&s->step, c);
	return (k->flags & BRANCH_F_IS_CANCEL) != 0 && k->cancel == branch ? c : LINK_NONE;
}

void txn_response(struct shard *s, uint32_t branch, struct message *m)
{
	struct link_branch *b = step_branch(&s->step, branch);
	unsigned status = m->sip->status;
	struct txn_act act;

	if (m->sip->method == SIP_M_CANCEL && b->method == SIP_M_INVITE) {
		branch = cancel_of(s, branch); /* §9.1: the CANCEL has its INVITE's branch */
		if (branch == LINK_NONE) {
			count(s->count, txn_stray_response);
			return;
		}
		b = step_branch(&s->step, branch);
	}
	if (m->sip->method != b->method && b->method != SIP_M_OTHER) {
		count(s->count, txn_stray_response); /* §17.1.3: the CSeq method must match too */
		return;
	}
	txn_machine_step(&b->machine, &s->timers, TXN_EV_RESPONSE, status, s->now_us, &act);
	if (act.to_user)
		b->status = (uint16_t)status;
	if (b->method == SIP_M_INVITE && status > 100 && status < 200 && b->guard_us != 0 &&
	    b->cancel == LINK_NONE)
		b->guard_us = s->now_us + (uint64_t)s->conf->timer_c_ms * 1000; /* §16.7 step 2 */
	if ((b->flags & BRANCH_F_CANCEL_WANTED) != 0 && b->machine.state == MACHINE_PROCEEDING) {
		b->flags &= (uint8_t)~BRANCH_F_CANCEL_WANTED;
		send_cancel(s, branch);
	}
	carry_out(s, branch, &act, m, 0);
}

void txn_send_failed(struct shard *s, uint32_t branch)
{
	struct link_branch *b = step_branch(&s->step, branch);
	struct txn_act act;

	if (b->machine.state > MACHINE_PROCEEDING)
		return; /* a retransmission that failed while the answer was on its way up */
	txn_machine_step(&b->machine, &s->timers, TXN_EV_SEND_FAILED, 0, s->now_us, &act);
	carry_out(s, branch, &act, NULL, 503);
}

uint64_t txn_branch_next_us(const struct link_branch *b)
{
	uint64_t next = txn_machine_next_us(&b->machine);

	return b->guard_us != 0 && b->guard_us < next ? b->guard_us : next;
}

/* Timer C (§16.8): a branch that rings is cancelled and given its time to say so; one that said
 * nothing, or nothing after its CANCEL, is ended with 408. */
static void timer_c(struct shard *s, uint32_t branch)
{
	struct link_branch *b = step_branch(&s->step, branch);

	if (b->machine.state == MACHINE_PROCEEDING && b->cancel == LINK_NONE) {
		send_cancel(s, branch);
		if (b->cancel != LINK_NONE) {
			shard_touch(s, shard_branch_id(s, branch));
			return;
		}
	}
	count(s->count, txn_timeout);
	branch_done(s, branch);
	proxy_branch_failed(s, branch, 408);
	txn_branch_free(s, branch);
}

void txn_branch_timer(struct shard *s, uint32_t branch)
{
	struct link_branch *b = step_branch(&s->step, branch);
	struct txn_act act;

	if (b->guard_us != 0 && b->guard_us <= s->now_us) {
		timer_c(s, branch);
		return;
	}
	txn_machine_step(&b->machine, &s->timers, TXN_EV_TIMER, 0, s->now_us, &act);
	carry_out(s, branch, &act, NULL, 408);
}
