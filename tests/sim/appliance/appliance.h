/* SPDX-License-Identifier: Apache-2.0 */
/* The appliance without wires: a real edge and a real control shard over a plain link region, under a
 * virtual clock. Datagrams go in by app_rx() and what is sent comes out as a list.
 *
 * Control runs in this process, or as a child that can be killed at a kill point (kill.c)
 * and replaced by a successor, while the edge lives on - as in the product. */
#pragma once
#include "control/shard.h"
#include "dataplane/edge/edge.h"

#include <sys/types.h>

#define APP_SENT_MAX 4096

struct app_sent {
	struct link_flow flow;
	uint64_t at_us;
	uint32_t len;
	char *bytes;
};
struct app {
	struct conf conf;
	struct link link;
	struct edge *edge;
	struct shard *shard;        /* in-process control; NULL when a child runs it */
	uint64_t now_us;
	uint32_t n_sent;
	struct app_sent sent[APP_SENT_MAX];
	bool fail_next_send;        /* the next send is reported as failed */
	/* child control */
	pid_t child;
	int to_child, from_child;
	uint32_t deaths;
};

/* A small configuration: listeners 0 (10.0.0.1:5060) and 1 ([fd00::1]:5060), domain example.com,
 * options by control. Tests may change app->conf between app_conf() and app_start(). */
void app_conf(struct app *a);
void app_start(struct app *a);
void app_stop(struct app *a);
/* Kill the in-process control's private state, as a death between two messages would, and attach a
 * successor. */
void app_successor(struct app *a);

/* A datagram from ip:port on listener 0 (IPv4 text) or 1 (IPv6 text). Runs the appliance until quiet. */
void app_rx(struct app *a, const char *ip, uint16_t port, const char *bytes, size_t len);
void app_rx_text(struct app *a, const char *ip, uint16_t port, const char *text);
/* Let time pass, in steps of at most 10 ms, running everything that is due. */
void app_pass(struct app *a, uint64_t us);
/* Everything that waits now: uplink, down rings; returns when nothing moves any more. */
void app_run(struct app *a);

/* What was sent since the last app_forget(). NULL: no such one. */
const struct app_sent *app_sent_at(const struct app *a, uint32_t i);
void app_forget(struct app *a);
/* Whether sent datagram i starts with text, or contains it. */
bool app_starts(const struct app *a, uint32_t i, const char *text);
bool app_has(const struct app *a, uint32_t i, const char *text);
/* Parsed form of a sent datagram; the index is in *m. */
struct str app_parse(const struct app *a, uint32_t i, struct sip_msg *m);

/* Counters summed over edge and shard; drop and error names for messages. */
uint64_t app_count(const struct app *a, enum counter id);
/* Every pool back to its start and every identity true; fails the test, saying which. */
void app_audit(struct app *a, bool empty);

/* Carry out what waits in the down rings. */
void app_drain(struct app *a);

/* Child control, kill.c: start, and step it. app_run() uses it when a->child > 0. */
void app_child_start(struct app *a);
void app_child_stop(struct app *a);
bool app_child_step(struct app *a); /* ret whether it worked; a dead one is replaced at once */
