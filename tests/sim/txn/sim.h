/* SPDX-License-Identifier: Apache-2.0 */
/* One schedule of the transaction simulator: a UAC, a forking proxy and up to three UASs, each with
 * transaction machines on a small layer that matches messages and carries actions out.
 *
 *   uac.c -- layer.c -- world links -- layer.c -- proxy.c -- layer.c -- links -- layer.c -- uas.c
 *
 * Messages are small structs. A record is never reused within a schedule, so one that has ended
 * still tells what it was: that is how late messages are judged. schedule.c draws a plan from the
 * seed before anything runs; check.c compares what came of it. */
#pragma once
#include "control/txn/machine.h"
#include "tests/sim/world.h"

#define MS 1000ULL
#define SECOND 1000000ULL
#define UAS_MAX 3
#define RINGS_MAX 3
#define TXNS_MAX 64 /* made in one schedule; about 20 is the most that was seen */

enum place { UAC, PROXY, UAS_0, PLACES = UAS_0 + UAS_MAX };
enum method { INVITE, OPTIONS, CANCEL, ACK };

struct msg {
	uint8_t request; /* else response */
	uint8_t method;
	uint8_t from, to; /* enum place */
	uint8_t uas;      /* place that made the response or is meant by a 2xx's ACK, or 0 */
	uint16_t status;  /* of a response; in an ACK, what it acknowledges */
	uint32_t branch;
};

/* One transaction. Live until its machine terminates, its user drops it or its place crashes. */
struct txn {
	struct link_machine m;
	bool live, server;
	uint8_t place, peer, method;
	uint32_t branch;
	struct msg *kept;        /* client: the request; server: the reply */
	uint64_t born_us;
	uint64_t since_us;       /* in this state                          */
	uint64_t alarm_us;       /* earliest queued timer event, 0: none   */
	uint64_t deadline_us;    /* of the user, 0: none                   */
	uint64_t absorb_until_us; /* no repetition may be taken for new before this */
	uint16_t final;          /* first given to the user, or sent       */
	uint8_t n_finals;        /* other than 2xx to INVITE, given to the user */
	bool acked, timed_out, failed, crashed, dropped;
};

enum net { NET_PERFECT, NET_FAIR, NET_FOUL, NET_DARK, NET_FAILING, NETS };

struct uas_plan {
	uint16_t final;
	uint64_t final_after_us;
	uint8_t n_rings;
	uint64_t ring_after_us[RINGS_MAX];
	uint64_t crash_us; /* absolute, 0: never */
	bool silent, ignores_cancel;
};
struct plan {
	enum net net;
	enum method method;
	uint8_t n_uas;
	uint64_t cancel_after_us; /* 0: never */
	bool old_uac;             /* RFC 2543: the ACK for a 2xx has the INVITE's branch */
	struct uas_plan uas[UAS_MAX];
};

enum outcome { PENDING, ANSWERED_2XX, ANSWERED_OTHER, TIMEOUT, FAILURE, GAVE_UP };

struct uac {
	struct txn *client;
	enum outcome outcome;
	uint16_t status;
	bool cancel_wanted, cancelled;
	bool saw_2xx[PLACES];
};
struct branch {
	struct txn *client;
	uint16_t final; /* 0: none yet */
	bool rung, cancel_wanted, cancelled;
};
struct proxy {
	struct txn *server;
	bool answered;
	struct branch branch[UAS_MAX];
};
struct uas {
	struct txn *server;
	bool answered, acked, gave_up;
	uint64_t first_2xx_us, resend_us;
};

struct sim {
	struct world w;
	struct txn_timers t;
	struct plan plan;
	struct world_link link[PLACES][PLACES];
	bool crashed[PLACES];
	struct uac uac;
	struct proxy proxy;
	struct uas uas[UAS_MAX];
	struct txn txn[TXNS_MAX];
	unsigned n_txns, n_live;
	uint32_t next_branch;
	uint32_t n_resent; /* messages sent once more, by a machine or a user */
	bool verbose, failed;
	bool strict; /* the outcome was promised, and compared: check.c */
	char why[200];
};

/* What a transaction user is told. */
struct user {
	void (*request)(struct sim *s, struct txn *x, const struct msg *m);
	void (*ack)(struct sim *s, const struct msg *m);
	void (*response)(struct sim *s, struct txn *x, const struct msg *m);
	void (*timed_out)(struct sim *s, struct txn *x);
	void (*send_failed)(struct sim *s, struct txn *x);
};
extern const struct user uac_user, proxy_user, uas_user;

/* layer.c */
struct txn *layer_request(struct sim *s, enum place from, enum place to, enum method method,
			  uint32_t branch);
bool layer_reply(struct sim *s, struct txn *x, uint16_t status, uint8_t uas); /* false: refused */
void layer_send(struct sim *s, struct txn *x, const struct msg *m); /* x NULL: stateless */
void layer_drop(struct sim *s, struct txn *x);
void layer_crash(struct sim *s, enum place p);

/* check.c */
void sim_fail(struct sim *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void sim_trace(const struct sim *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
const char *place_name(enum place p);
const char *method_name(enum method m);
uint16_t best_final(const uint16_t *finals, unsigned n);
void check_live(struct sim *s);                                  /* after every event */
void check_stray(struct sim *s, const struct msg *m);            /* matched no machine */
void check_new_server(struct sim *s, const struct txn *x);       /* looks new to the layer */
void check_to_user(struct sim *s, struct txn *x, const struct msg *m);
void check_reply(struct sim *s, const struct txn *x, const struct msg *m); /* is sent */
void check_end(struct sim *s);                                   /* when all is quiet */

/* uac.c, proxy.c, uas.c */
void uac_begin(struct sim *s);
void uas_begin(struct sim *s);
bool proxy_is_waiting(const struct sim *s, const struct txn *server);

/* schedule.c: false when a property did not hold; s->why says which. */
bool schedule_run(struct sim *s, uint64_t seed, bool verbose);
