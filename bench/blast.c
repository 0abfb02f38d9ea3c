/* SPDX-License-Identifier: Apache-2.0 */
/* blast: a closed-loop SIP load generator over kernel UDP sockets, one thread, for the lab.
 *
 *   blast --flow options|register|relay|call [--server A:P] [--client A:P] [--uas A:P]
 *         [--window N] [--users N] [--warm-up S] [--seconds S] [--show]
 *   blast --reflect [--server A:P] [--client A:P] [--uas A:P]
 *
 * N transactions or calls are always under way; each that ends starts the next. Client and called
 * phones (UAS) are two sockets of this one process. Nothing is ever sent twice: what is not answered
 * within two seconds is lost, and counted; so no retransmission hides a loss. Requests that reach
 * the called side a second time, sent again by the server under test, are counted as repeats.
 *
 *   options   OPTIONS to the server itself
 *   register  refreshes of N users, one after the other
 *   relay     MESSAGE to a registered user, answered by our own UAS
 *   call      INVITE, 180, 200, ACK, BYE, 200 along the Record-Route; one call counts one
 *
 * Before relay and call all users are registered. --show makes one of the flow and prints every
 * datagram that came, so that the work of two servers can be compared before it is timed.
 * --reflect is the ceiling: it answers or passes on without understanding, what the kernel, the veth
 * and this generator can carry when the server costs next to nothing. */
#include "blast.h"

#include <arpa/inet.h>
#include <err.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define LOST_US    2000000 /* as the issue of the measurement has it */
#define SCAN_US    20000   /* how often the slots are searched for lost ones */
#define WINDOW_MAX 8192
#define US_PER_S   1000000u

/* One place of the window. generation differs between any two uses, also of other runs. */
struct slot {
	uint32_t generation, user;
	uint64_t start_us, sent_us;
	char waits_for; /* method of the request that is open; 0: free */
	uint32_t at_uas_generation;
	uint8_t at_uas; /* bit set of what the UAS has seen: 1 I or M, 2 B */
};

struct blast {
	const char *flow;
	struct sockaddr_in server, client, uas;
	struct names names;
	unsigned window, users, warm_up_s, seconds;
	bool reflect, show;
	struct net *out, *in; /* client socket, UAS socket */
	struct slot slots[WINDOW_MAX];
	char method; /* first request of the flow */
	uint32_t next_user, cseq;
	uint64_t started, limit; /* transactions begun, and how many there shall be; 0: no limit */
	unsigned under_way;
	uint64_t now_us, from_us, until_us; /* measured: from <= now < until */
	struct figures figures;
};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
	stopped = number;
}

static uint64_t now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * US_PER_S + (uint64_t)t.tv_nsec / 1000;
}

static uint64_t cpu_us(void)
{
	struct rusage use;

	(void)getrusage(RUSAGE_SELF, &use);
	return (uint64_t)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * US_PER_S +
	       (uint64_t)(use.ru_utime.tv_usec + use.ru_stime.tv_usec);
}

static bool measuring(const struct blast *b)
{
	return b->now_us >= b->from_us && b->now_us < b->until_us;
}

/* ---- client ------------------------------------------------------------------------------------ */

static void start_one(struct blast *b, uint32_t index)
{
	struct slot *s = &b->slots[index];
	struct id id = {index, ++s->generation, b->method};
	struct out o;

	if ((b->limit && b->started >= b->limit) || (b->until_us && b->now_us >= b->until_us)) {
		s->waits_for = 0;
		return;
	}
	o = net_next(b->out);
	s->user = b->next_user;
	b->next_user = (b->next_user + 1) % b->users;
	msg_request(&o, &b->names, &id, s->user, b->method == 'R' ? ++b->cseq : 1);
	net_put(b->out, &o, NULL);
	s->waits_for = b->method;
	s->start_us = s->sent_us = b->now_us;
	b->started++;
	b->under_way++;
	b->figures.sent += measuring(b);
}

static void end_one(struct blast *b, uint32_t index, unsigned status)
{
	b->under_way--;
	if (measuring(b)) {
		if (status >= 200 && status < 300) {
			b->figures.done++;
			b->figures.slice[(b->now_us - b->from_us) / US_PER_S]++;
		} else {
			b->figures.failed++;
		}
	}
	start_one(b, index);
}

/* The callee has answered: ACK and BYE in one go, as a caller without patience. */
static void answer_to_invite(struct blast *b, struct id *id, unsigned status, struct text msg)
{
	struct slot *s = &b->slots[id->slot];
	struct out o = net_next(b->out);

	if (status >= 300) {
		id->method = 'A';
		if (msg_ack_failure(&o, &b->names, id, s->user, msg))
			net_put(b->out, &o, NULL);
		end_one(b, id->slot, status);
		return;
	}
	id->method = 'A';
	if (!msg_in_dialog(&o, &b->names, id, msg)) {
		b->figures.strange++;
		end_one(b, id->slot, 0);
		return;
	}
	net_put(b->out, &o, NULL);
	o = net_next(b->out);
	id->method = 'B';
	if (msg_in_dialog(&o, &b->names, id, msg))
		net_put(b->out, &o, NULL);
	s->waits_for = 'B';
	s->sent_us = b->now_us;
}

static void response_in(struct blast *b, struct text msg)
{
	const unsigned status = msg_status(msg);
	struct slot *s;
	struct id id;

	if (status < 100 || status > 699 || !msg_branch_id(msg, &id) || id.slot >= b->window) {
		b->figures.strange++;
		return;
	}
	s = &b->slots[id.slot];
	if (s->generation != id.generation) {
		b->figures.late += status >= 200;
		return;
	}
	if (status < 200)
		return;
	if (s->waits_for != id.method) {
		b->figures.repeats++;
		return;
	}
	if (measuring(b)) {
		b->figures.status[status / 100]++;
		if (id.method == b->method) /* of a call: until its 200, not the BYE's */
			figures_latency(&b->figures, b->now_us - s->start_us);
	}
	if (id.method == 'I')
		answer_to_invite(b, &id, status, msg);
	else
		end_one(b, id.slot, status);
}

static void scan_for_lost(struct blast *b)
{
	for (uint32_t i = 0; i < b->window; i++) {
		struct slot *s = &b->slots[i];

		if (!s->waits_for || b->now_us - s->sent_us < LOST_US)
			continue;
		b->figures.lost++;
		b->under_way--;
		start_one(b, i);
	}
}

/* ---- called phones ----------------------------------------------------------------------------- */

static void reply_with(struct blast *b, const char *status_line, struct text msg, bool contact,
		       bool with_body)
{
	struct out o = net_next(b->in);

	msg_reply(&o, status_line, msg, contact ? b->names.uas : NULL, with_body);
	net_put(b->in, &o, NULL);
}

static void request_in(struct blast *b, struct text msg)
{
	const bool invite = msg.s[0] == 'I';
	struct slot *s;
	struct id id;
	uint8_t bit;

	if (msg_status(msg) || !msg_call_id(msg, &id) || id.slot >= b->window) {
		b->figures.strange++;
		return;
	}
	if (id.method == 'A')
		return;
	s = &b->slots[id.slot];
	if (s->at_uas_generation != id.generation) {
		s->at_uas_generation = id.generation;
		s->at_uas = 0;
	}
	bit = id.method == 'B' ? 2 : 1;
	b->figures.repeats += (s->at_uas & bit) != 0;
	s->at_uas |= bit;
	if (invite)
		reply_with(b, "SIP/2.0 180 Ringing\r\n", msg, true, false);
	reply_with(b, "SIP/2.0 200 OK\r\n", msg, invite, invite);
}

/* ---- loop -------------------------------------------------------------------------------------- */

static unsigned burst_in(struct blast *b, struct net *n, const char *who,
			 void (*one)(struct blast *, struct text))
{
	const unsigned got = net_recv(n);

	if (got)
		b->now_us = now_us();
	for (unsigned i = 0; i < got; i++) {
		const struct text msg = {n->rx_data[i], n->rx[i].msg_len};

		if (b->show && b->limit != b->users)
			printf("---- %s\n%.*s\n", who, (int)msg.len, msg.s);
		if (msg.len > 12)
			one(b, msg);
	}
	return got;
}

/* Until nothing is under way any more: the limit reached, or the time over. */
static void run(struct blast *b)
{
	uint64_t scanned_us = now_us(), cpu_from_us = 0;
	bool began = false;

	b->now_us = scanned_us;
	for (uint32_t i = 0; i < b->window; i++)
		start_one(b, i);
	while (b->under_way && !stopped) {
		unsigned got = burst_in(b, b->in, "uas", request_in);

		net_flush(b->in);
		got += burst_in(b, b->out, "client", response_in);
		net_flush(b->out);
		if (!got) {
			struct pollfd fds[] = {{.fd = b->out->fd, .events = POLLIN},
					       {.fd = b->in->fd, .events = POLLIN}};
			(void)poll(fds, 2, 1);
			b->now_us = now_us();
		}
		if (b->now_us - scanned_us >= SCAN_US) {
			scan_for_lost(b);
			scanned_us = b->now_us;
		}
		if (!began && measuring(b)) {
			began = true;
			cpu_from_us = cpu_us();
			b->figures.rcvbuf_errors = net_rcvbuf_errors();
		} else if (began && !b->figures.wall_us && b->now_us >= b->until_us) {
			b->figures.cpu_us = cpu_us() - cpu_from_us;
			b->figures.wall_us = b->now_us - b->from_us;
		}
	}
	net_flush(b->out);
	b->figures.rcvbuf_errors = net_rcvbuf_errors() - b->figures.rcvbuf_errors;
}

/* Every user registered once, in windows that no socket buffer is too small for. */
static void register_all(struct blast *b)
{
	const char method = b->method;
	const unsigned window = b->window;

	b->method = 'R';
	b->window = window < 32 ? window : 32;
	b->limit = b->users;
	run(b);
	if (b->figures.lost || b->figures.strange)
		warnx("registering: %lu of %u lost", b->figures.lost, b->users);
	memset(&b->figures, 0, sizeof(b->figures));
	b->method = method;
	b->window = window;
	b->limit = b->started = b->next_user = 0;
}

/* ---- the ceiling ------------------------------------------------------------------------------- */

static void reflect_one(const struct blast *b, struct net *n, unsigned i)
{
	const struct text msg = {n->rx_data[i], n->rx[i].msg_len};
	struct out o = net_next(n);

	if (msg.len <= 12)
		return;
	if (msg_status(msg)) {
		msg_relay(&o, msg, b->names.server);
		net_put(n, &o, &b->client);
	} else if (strchr("MIAB", msg.s[0])) {
		msg_relay(&o, msg, b->names.server);
		net_put(n, &o, &b->uas);
	} else {
		msg_reply(&o, "SIP/2.0 200 OK\r\n", msg, NULL, false);
		net_put(n, &o, &n->from[i]);
	}
}

static void reflect(struct blast *b)
{
	struct net *n = net_open(&b->server, NULL);

	while (!stopped) {
		const unsigned got = net_recv(n);

		for (unsigned i = 0; i < got; i++)
			reflect_one(b, n, i);
		net_flush(n);
		if (!got)
			(void)poll(&(struct pollfd){.fd = n->fd, .events = POLLIN}, 1, 100);
	}
	free(n); /* its socket ends with the program */
}

/* ---- start ------------------------------------------------------------------------------------- */

static void address(struct sockaddr_in *a, char *name, size_t cap, const char *text)
{
	char host[32];
	const char *colon = strrchr(text, ':');

	if (!colon || (size_t)(colon - text) >= sizeof(host))
		errx(64, "%s is no ADDRESS:PORT", text);
	memcpy(host, text, (size_t)(colon - text));
	host[colon - text] = '\0';
	*a = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(colon + 1))};
	if (inet_pton(AF_INET, host, &a->sin_addr) != 1)
		errx(64, "%s is no IPv4 address", host);
	(void)snprintf(name, cap, "%s", text);
}

static unsigned number(const char *text, unsigned least, unsigned most)
{
	char *end;
	const unsigned long v = strtoul(text, &end, 10);

	if (*end || v < least || v > most)
		errx(64, "%s is not within %u..%u", text, least, most);
	return (unsigned)v;
}

static void arguments(struct blast *b, int argc, char **argv)
{
	static const struct option options[] = {
		{"flow", 1, NULL, 'f'},    {"server", 1, NULL, 's'},  {"client", 1, NULL, 'c'},
		{"uas", 1, NULL, 'u'},     {"window", 1, NULL, 'w'},  {"users", 1, NULL, 'n'},
		{"warm-up", 1, NULL, 'p'}, {"seconds", 1, NULL, 't'}, {"reflect", 0, NULL, 'r'},
		{"show", 0, NULL, 'x'},    {NULL, 0, NULL, 0}};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'f':
			b->flow = optarg;
			break;
		case 's':
			address(&b->server, b->names.server, sizeof(b->names.server), optarg);
			break;
		case 'c':
			address(&b->client, b->names.client, sizeof(b->names.client), optarg);
			break;
		case 'u':
			address(&b->uas, b->names.uas, sizeof(b->names.uas), optarg);
			break;
		case 'w':
			b->window = number(optarg, 1, WINDOW_MAX);
			break;
		case 'n':
			b->users = number(optarg, 1, 1000000);
			break;
		case 'p':
			b->warm_up_s = number(optarg, 0, 60);
			break;
		case 't':
			b->seconds = number(optarg, 1, SLICES_MAX);
			break;
		case 'r':
			b->reflect = true;
			break;
		case 'x':
			b->show = true;
			break;
		default:
			exit(64);
		}
	}
}

static char method_of(const char *flow)
{
	static const char *const flows[] = {"options", "register", "relay", "call"};

	for (unsigned i = 0; flow && i < 4; i++)
		if (!strcmp(flow, flows[i]))
			return "ORMI"[i];
	errx(64, "say --flow options, register, relay or call; or --reflect");
}

int main(int argc, char **argv)
{
	static struct blast b = {.window = 64, .users = 1000, .warm_up_s = 1, .seconds = 5};
	const struct sigaction act = {.sa_handler = on_signal};

	address(&b.server, b.names.server, sizeof(b.names.server), "10.99.0.1:5060");
	address(&b.client, b.names.client, sizeof(b.names.client), "10.99.0.2:5062");
	address(&b.uas, b.names.uas, sizeof(b.names.uas), "10.99.0.2:5072");
	arguments(&b, argc, argv);
	(void)sigaction(SIGTERM, &act, NULL);
	(void)sigaction(SIGINT, &act, NULL);
	if (b.reflect) {
		reflect(&b);
		return 0;
	}
	b.method = method_of(b.flow);
	b.names.run = (uint32_t)time(NULL);
	for (unsigned i = 0; i < WINDOW_MAX; i++)
		b.slots[i].generation = b.names.run << 16;
	b.out = net_open(&b.client, &b.server);
	b.in = net_open(&b.uas, &b.server);
	if (b.method == 'M' || b.method == 'I')
		register_all(&b);
	if (b.show) {
		b.window = 1;
		b.limit = 1;
		b.users = b.users > 1 ? b.users : 2;
		b.until_us = 0;
		run(&b);
		return b.figures.lost || b.figures.strange ? 69 : 0;
	}
	b.from_us = now_us() + (uint64_t)b.warm_up_s * US_PER_S;
	b.until_us = b.from_us + (uint64_t)b.seconds * US_PER_S;
	run(&b);
	figures_print(&b.figures, b.flow, b.window, b.seconds);
	return b.figures.done ? 0 : 69;
}
