/* SPDX-License-Identifier: Apache-2.0 */
/* A random schedule: the appliance, the phones around it, and the world between them.
 *
 *   sim_random.c    the world, the appliance, deaths of control, the verdict at the end
 *   random_phone.c  what phones do: client and server side, by RFC 3261 §17 and §13 */
#pragma once
#include "tests/sim/appliance/appliance.h"
#include "tests/sim/world.h"

#include <stddef.h>

#define PHONES_MAX 8
#define UAC_MAX 400
#define UAS_MAX 1600
#define TEXT_MAX 4096
#define DIALOGS_MAX 6 /* 2xx of different phones to one INVITE */

struct dgram {
	uint32_t phone, len;
	char text[SIP_MSG_MAX + 1];
};
struct phone {
	struct ip addr;
	char ip[48], hostport[64];
	struct world_link up, down;
	bool clean; /* its network loses nothing */
};
/* A request of a phone and what became of it. */
struct uac {
	uint32_t phone, cseq, invite; /* invite: of a CANCEL, which one it is for */
	enum sip_method method;
	bool heard, required; /* any response came; a final one has to    */
	unsigned final;	      /* 0: none yet                              */
	uint64_t begun_us, wait_us;
	uint32_t cancel; /* its CANCEL, or 0                         */
	uint32_t n_dialogs;
	struct {
		char tag[40];
		char ack[TEXT_MAX];
	} dialog[DIALOGS_MAX];
	uint32_t len;
	char call_id[64], aor[64], from[64];
	char ruri[96], text[TEXT_MAX];
};
/* A request that a phone was sent. */
struct uas {
	uint32_t phone, cseq;
	enum sip_method method;
	bool acked, ignores_cancel;
	unsigned status; /* of the last response, 0: none */
	uint64_t wait_us, answered_us;
	uint32_t len, request_len;
	char branch[96], call_id[64], tag[16];
	char answer[TEXT_MAX], request[TEXT_MAX];
};
struct sim {
	struct world w;
	struct app *a;
	struct shard *stalled; /* dead, its successor has not come yet */
	uint32_t fail_one_in, n_phones, n_uac, n_uas;
	uint64_t answered;
	struct phone phone[PHONES_MAX];
	struct uac uac[UAC_MAX]; /* those from here are not cleared at start */
	struct uas uas[UAS_MAX];
	struct {
		uint64_t answered, exhausted, swept, failed_sends, late, timeouts, transactions;
	} total;
};

void sim_fail(const struct sim *s, const char *format, ...)
	__attribute__((format(printf, 2, 3), noreturn));
bool sim_one_in(struct sim *s, uint32_t n);
/* A datagram of a phone's, over its network. text ends with a 0. */
void sim_send(struct sim *s, uint32_t phone, const char *text, uint32_t len);

/* Event: a random phone begins something. */
void phone_acts(void *ctx, uint64_t arg);
void phone_in(struct sim *s, uint32_t phone, const char *text, uint32_t len);
/* A send of the appliance's failed: whoever waits for an answer now is not owed one. */
void phones_excuse(struct sim *s);
/* At the end: fails the schedule where an answer that was owed did not come. */
void phones_done(struct sim *s);
