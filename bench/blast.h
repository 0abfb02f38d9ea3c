/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the load generator share: bursts of datagrams, SIP text in both directions,
 * figures. See blast.c for what the program is. */
#pragma once
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define BURST        64
#define DATAGRAM_MAX 4096
#define ROUTES_MAX   8

/* ---- datagrams: blast_net.c -------------------------------------------------------------------- */

/* A socket with one burst in each direction. What was received stays until the next net_recv(). */
struct net {
	int fd;
	bool connected;
	unsigned n_tx; /* 0..BURST, queued */
	struct mmsghdr rx[BURST], tx[BURST];
	struct iovec rx_iov[BURST], tx_iov[BURST];
	struct sockaddr_in from[BURST], to[BURST];
	char rx_data[BURST][DATAGRAM_MAX], tx_data[BURST][DATAGRAM_MAX];
};

/* Text to be sent; `at` stops at `end`, and a text that reached it is never sent. */
struct out {
	char *at, *end;
};

/* Bind to local; connect to peer unless NULL. Dies with a message where that fails. */
struct net *net_open(const struct sockaddr_in *local, const struct sockaddr_in *peer);
/* What is there now. ret number of datagrams, 0..BURST. */
unsigned net_recv(struct net *n);
/* Room for the next datagram; a full burst is sent first. net_put() queues what was written. */
struct out net_next(struct net *n);
void net_put(struct net *n, struct out *o, const struct sockaddr_in *to);
void net_flush(struct net *n);
/* Datagrams that did not fit into a socket's buffer in this network namespace, since boot. */
uint64_t net_rcvbuf_errors(void);

/* ---- SIP text: blast_msg.c --------------------------------------------------------------------- */

struct text {
	const char *s;
	size_t len;
};

/* What identifies a request of ours, written into branch, tags and Call-ID. */
struct id {
	uint32_t slot, generation;
	char method; /* O options, R register, M message, I invite, A ack, B bye */
};

/* Who speaks: addresses as they stand in messages, "10.99.0.2:5062". */
struct names {
	char client[32], uas[32], server[32];
	uint32_t run; /* differs between two runs of the program */
};

/* A request of its own: OPTIONS, REGISTER, MESSAGE or INVITE by id->method. */
void msg_request(struct out *o, const struct names *n, const struct id *id, uint32_t user,
		 uint32_t cseq);
/* The ACK or BYE that follows a 2xx, along its Record-Route (RFC 3261 §12.2.1.1); or the ACK of
 * another final response (§17.1.1.3). ret false: the response lacks what is needed. */
bool msg_in_dialog(struct out *o, const struct names *n, const struct id *id, struct text response);
bool msg_ack_failure(struct out *o, const struct names *n, const struct id *id, uint32_t user,
		     struct text response);
/* A response to a request, with Contact and a session description where asked for. */
void msg_reply(struct out *o, const char *status_line, struct text request, const char *contact,
	       bool with_body);
/* A relay that knows nothing: a Via of its own on top of a request, the first Via off a response. */
void msg_relay(struct out *o, struct text msg, const char *own);
/* Status code of a response; 0 for a request. */
unsigned msg_status(struct text msg);
/* The id in the topmost branch of a response; in the Call-ID of a request. */
bool msg_branch_id(struct text msg, struct id *id);
bool msg_call_id(struct text msg, struct id *id);

/* ---- figures: blast_report.c ------------------------------------------------------------------- */

#define SLICES_MAX 600

struct figures {
	uint64_t sent, done, failed, lost, late, repeats, strange;
	uint64_t status[7];            /* final responses by class */
	uint32_t slice[SLICES_MAX];    /* done in each second */
	uint64_t latency[64 * 16];     /* log histogram of microseconds, 16 steps to the octave */
	uint64_t cpu_us, wall_us, rcvbuf_errors;
};

void figures_latency(struct figures *f, uint64_t us);
void figures_print(struct figures *f, const char *flow, unsigned window, unsigned seconds);
