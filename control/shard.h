/* SPDX-License-Identifier: Apache-2.0 */
/* One shard of the control process: its state, and the message in hand.
 *
 * A shard is one loop on one thread. All shared state is changed in steps (platform/link/step.h): one
 * message, timer or call is one step. What is private - wheel, scratch - is rebuilt by a successor. */
#pragma once
#include "control/txn/machine.h"
#include "platform/base/idle.h"
#include "platform/base/wheel.h"
#include "platform/link/slot.h"
#include "platform/link/step.h"
#include "platform/sip/edit.h"
#include "platform/sip/self.h"

#define SHARD_TOUCHED_MAX 128 /* records whose timers change in one step */
#define SHARD_WORDS_MAX (LINK_BLOCK_WORDS * 160)

struct shard {
	const struct link *link;
	const struct conf *conf;
	uint32_t id;
	struct step step;
	struct link_end up[LINK_CORES_MAX];
	struct wheel wheel;          /* ids: transactions, then branches, then bindings */
	void *wheel_mem;
	struct txn_timers timers;
	struct self self;
	struct sip_limits limits;    /* for parsing what we have made ourselves (ACK, CANCEL) */
	/* Counters of this shard. They are changed here and go home with each commit, as part of the
	 * step: a step that a killed process never committed has counted nothing. */
	uint64_t count[COUNTERS];
	int bell[LINK_CORES_MAX];    /* doorbells of the cores */
	struct link_loop *loop;
	struct idle idle;
	uint32_t adopt_next;         /* next wheel id to look at after attach; = n_ids when done */
	/* scratch of the step in hand */
	uint64_t now_us;
	int64_t wall_offset_s;       /* wall clock minus now_us; kept by main.c, 0 in simulations */
	uint32_t n_touched, touched[SHARD_TOUCHED_MAX]; /* wheel ids to re-arm after the commit */
	uint64_t date_s;             /* wall clock second of the Date header line in date[] */
	uint32_t date_len;
	char date[48];
	struct sip_edit edit;
	struct sip_op words[SHARD_WORDS_MAX];
	struct sip_msg parsed;
	char bytes[SIP_MSG_MAX + 1]; /* the request as sent; a response to be kept */
	char made[SIP_MSG_MAX + 1];  /* an ACK or CANCEL built from the request in bytes */
};

/* A message that came up. Its slot is lent to us; who keeps it says so. */
struct message {
	uint64_t slot;
	const struct link_slot *head;
	const struct sip_msg *sip;
	const char *base;
	bool kept; /* a record holds the slot now, or a send gives it back: no release at the end */
};

/* Wheel ids. */
static inline uint32_t shard_txn_id(const struct shard *s, uint32_t i) { (void)s; return i; }
static inline uint32_t shard_branch_id(const struct shard *s, uint32_t i)
{
	return s->link->h->txns + i;
}
static inline uint32_t shard_binding_id(const struct shard *s, uint32_t i)
{
	return s->link->h->txns + s->link->h->branches + i;
}
/* Wall clock, for people and Date headers. */
static inline uint64_t shard_wall_s(const struct shard *s)
{
	return (uint64_t)((int64_t)(s->now_us / 1000000) + s->wall_offset_s);
}
/* After the commit the timer of this id is set from its record. */
void shard_touch(struct shard *s, uint32_t wheel_id);

/* ret NULL: no memory. Finishes a predecessor's step, starts adopting its records. */
struct shard *shard_new(const struct link *l, uint32_t id, const int *core_bell, uint64_t now_us);
void shard_free(struct shard *s);

/* Everything that waits, at most a burst of each; ret whether anything was done. loop.c */
bool shard_step(struct shard *s, uint64_t now_us);
/* When the next timer is due; UINT64_MAX: none. */
uint64_t shard_next_us(const struct shard *s);
/* Doorbells of the cores that got records. */
void shard_wake(struct shard *s);

/* Programs: `words` of scratch holds p.n words; kept in blocks, or sent once and given back. */
struct sip_program shard_program(struct shard *s);
/* The message of a slot that one of our records holds. false: the handle is not well formed. */
bool shard_message(const struct shard *s, uint64_t slot, struct message *m);

/* Send a program over a slot (0: none) on a flow. The program lies in blocks from `first`.
 * flags LINK_F_*; cookie and tag name the branch that a failure is told to. */
void shard_send(struct shard *s, const struct link_flow *flow, uint64_t slot, uint32_t first,
		uint16_t words, uint8_t flags, uint32_t branch);
/* The same for a program that nobody keeps. ret 0 · -E_FULL (no blocks; counted) */
int shard_send_once(struct shard *s, const struct link_flow *flow, uint64_t slot,
		    const struct sip_program *p, uint8_t flags);
void shard_release(struct shard *s, uint64_t slot);
