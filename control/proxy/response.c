/* SPDX-License-Identifier: Apache-2.0 */
/* What the branches answer (RFC 3261 §16.7): provisionals and 2xx go up at once, other finals wait
 * until every branch has one and the best is chosen; a 2xx or 6xx cancels what still runs (§16.10).
 * A final that waits keeps its slot, held by its branch. */
#include "control/proxy/proxy.h"

#include "platform/link/token.h"
#include "platform/sip/via.h"

/* Step 3: our Via goes, and what is below it is where the response goes. */
static bool remove_via(struct shard *s, const struct message *m)
{
	const struct sip_line *l = sip_msg_first(m->sip, SIP_H_VIA);
	struct sip_list it = { 0 };
	struct str own, next;

	sip_edit_init(&s->edit);
	if (!sip_list_next(m->base, m->sip, SIP_H_VIA, &it, &own) ||
	    !sip_list_next(m->base, m->sip, SIP_H_VIA, &it, &next))
		return false; /* a response to ourselves */
	if (it.line == l)
		(void)sip_edit_delete(&s->edit, l->value_off, (uint32_t)(next.s - m->base) - l->value_off);
	else
		(void)sip_edit_delete(&s->edit, l->off, (uint32_t)sip_line_end(m->sip, l) - l->off);
	return s->edit.err == 0;
}

/* §16.7 step 3: below our Via there is the one of who asked. Only a CANCEL is our own. */
static bool for_somebody(const struct message *m)
{
	struct sip_list it = { 0 };
	struct str via;

	return sip_list_next(m->base, m->sip, SIP_H_VIA, &it, &via) &&
	       sip_list_next(m->base, m->sip, SIP_H_VIA, &it, &via);
}

static void relay(struct shard *s, uint32_t txn, struct message *m)
{
	if (remove_via(s, m))
		txn_relay(s, txn, m);
}

void proxy_cancel_branches(struct shard *s, uint32_t txn, uint32_t except)
{
	uint32_t b = step_txn_read(&s->step, txn)->branch;

	while (b != LINK_NONE) {
		uint32_t next = step_branch_read(&s->step, b)->next;

		if (b != except && (step_branch_read(&s->step, b)->flags & BRANCH_F_IS_CANCEL) == 0)
			txn_branch_cancel(s, b);
		b = next;
	}
}

/* Step 6: 6xx before all, then the lowest class, and in 4xx those that tell the caller what to do. */
static unsigned rank(unsigned status)
{
	if (status >= 600)
		return 0;
	if (status == 401 || status == 407 || status == 415 || status == 420 || status == 484)
		return 399; /* best of the 4xx */
	return status;
}

/* A final answer of a branch, or our own word for one that has none (slot 0). Only the best is kept, on
 * the transaction: its branch may end long before the others have answered. */
static void note_best(struct shard *s, struct link_txn *t, unsigned status, uint64_t slot)
{
	if ((t->flags & TXN_F_FINAL) != 0 ||
	    (t->best_status != 0 && rank(t->best_status) <= rank(status))) {
		if (slot != 0)
			shard_release(s, slot);
		return;
	}
	if (t->best_slot != 0)
		shard_release(s, t->best_slot);
	t->best_status = (uint16_t)status;
	t->best_slot = slot;
}

/* Every branch has ended and none was answered 2xx. */
static void answer_best(struct shard *s, uint32_t txn)
{
	struct link_txn *t = step_txn(&s->step, txn);
	struct message m;

	if ((t->flags & TXN_F_FINAL) != 0)
		return;
	if (t->best_slot == 0) {
		if (t->best_status == 503)
			txn_end_stateless(s, txn, 477, "Send failed");
		else
			txn_reply(s, txn, t->best_status ? t->best_status : 408, NULL, STR_NONE);
		return;
	}
	if (!shard_message(s, t->best_slot, &m))
		return;
	t->best_slot = 0;
	relay(s, txn, &m);
	if (!m.kept)
		shard_release(s, m.slot);
}

static void final_in(struct shard *s, uint32_t txn, uint32_t branch, struct message *m)
{
	if (m->sip->status >= 600)
		proxy_cancel_branches(s, txn, branch);
	m->kept = true; /* held by the transaction, or released, by note_best() */
	note_best(s, step_txn(&s->step, txn), m->sip->status, m->slot);
	if (step_txn_read(&s->step, txn)->n_live == 0)
		answer_best(s, txn);
}

/* No transaction is left: a late 2xx still has to reach its caller (§16.7 step 5, RFC 6026 §7.3). */
static void late(struct shard *s, struct message *m)
{
	struct sip_list it = { 0 };
	struct str element;
	struct sip_via v;
	struct link_flow to = { .transport = CONF_UDP, .core = m->head->flow.core,
				.listener = m->head->flow.listener };
	struct sip_program p = shard_program(s);

	if (m->sip->status < 200 || m->sip->status >= 300 || m->sip->method != SIP_M_INVITE ||
	    !remove_via(s, m))
		return;
	(void)sip_list_next(m->base, m->sip, SIP_H_VIA, &it, &element);
	(void)sip_list_next(m->base, m->sip, SIP_H_VIA, &it, &element);
	if (sip_via_parse(element, &v) != 0 || proxy_via_flow(s, &v, &to) != 0 ||
	    sip_edit_program(&s->edit, m->sip->len_bytes, &p) != 0 ||
	    shard_send_once(s, &to, m->slot, &p, LINK_F_RELEASE) != 0)
		return;
	m->kept = true;
	count(s->count, proxy_late_relayed);
}

void proxy_response(struct shard *s, uint32_t branch, struct message *m)
{
	uint32_t txn = step_branch_read(&s->step, branch)->txn;
	unsigned status = m->sip->status;

	if (txn == LINK_NONE) {
		late(s, m);
		return;
	}
	if (status == 100)
		return;
	if (status < 200) {
		relay(s, txn, m);
	} else if (status < 300) {
		if (m->sip->method == SIP_M_INVITE)
			proxy_cancel_branches(s, txn, branch);
		relay(s, txn, m);
	} else {
		final_in(s, txn, branch, m);
	}
}

void proxy_branch_failed(struct shard *s, uint32_t branch, unsigned status)
{
	uint32_t txn = step_branch_read(&s->step, branch)->txn;

	if (txn == LINK_NONE)
		return;
	note_best(s, step_txn(&s->step, txn), status, 0);
	if (step_txn_read(&s->step, txn)->n_live == 0)
		answer_best(s, txn);
}

void proxy_response_in(struct shard *s, struct message *m)
{
	struct token_branch t;

	if (token_branch_read(s->link->h, sip_span_str(m->base, m->sip->via_branch), &t) != 0 ||
	    t.shard != s->id || !step_used(&s->step, STEP_BRANCH, t.branch) ||
	    step_generation(&s->step, STEP_BRANCH, t.branch) != t.generation) {
		count(s->count, txn_stray_response);
		late(s, m);
		return;
	}
	if (m->sip->method != SIP_M_CANCEL && !for_somebody(m)) {
		count(s->count, proxy_no_via_left);
		return;
	}
	txn_response(s, t.branch, m);
}
