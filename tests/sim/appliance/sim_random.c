/* SPDX-License-Identifier: Apache-2.0 */
/* Random lives of the whole appliance: a real edge and a real control shard, phones around them, and
 * networks that lose, double and reorder. One seed is one schedule, the same to the microsecond.
 *
 * Phones register, call (one address-of-record at several phones: forks), cancel, send messages,
 * answer this way or that, late or never, and repeat what RFC 3261 §17 says. In some schedules pools
 * are small, sends fail, or control is lost - with messages waiting for it, or between two - and a
 * successor takes over. When all phones are done and every timer is over, nothing may be left: that
 * is the audit. On the way each phone checks what it is answered.
 *
 *   sim_random [--schedules N] [--seed S]
 * N is 500, or 50 times that where SLUICE_LONG is set and not 0; --seed runs that schedule alone. */
#include "tests/sim/appliance/random.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LOSSLESS 2	   /* one phone in so many loses nothing, in a schedule with loss */
#define ACTIVE_US 60000000 /* requests are begun for at most so long                    */
#define END_US 3600000000u /* no timer of phones or appliance reaches so far            */
#define STALL_LONGEST_US 1500000

static uint64_t seed_now;
static bool finished;

void sim_fail(const struct sim *s, const char *format, ...)
{
	va_list args;

	printf("schedule failed: seed %lu: at %lu us: ", seed_now, s->w.now_us);
	va_start(args, format);
	vprintf(format, args);
	finished = true; /* said */
	va_end(args);
	printf("\n");
	exit(1);
}

/* The audit ends the process by itself, and a broken rule of the product aborts: name the seed. */
static void name_seed(void)
{
	if (!finished)
		printf("schedule failed: seed %lu: see above\n", seed_now);
}

static void aborted(int signal_number)
{
	char text[96];
	int n = snprintf(text, sizeof(text), "schedule failed: seed %lu: signal %d\n", seed_now,
			 signal_number);

	(void)!write(1, text, (size_t)n);
	_exit(1);
}

bool sim_one_in(struct sim *s, uint32_t n)
{
	return world_below(&s->w, n) == 0;
}

/* Datagrams. */

static void to_phone(void *ctx, const void *bytes)
{
	const struct dgram *d = bytes;
	struct sim *s = ctx;

	phone_in(s, d->phone, d->text, d->len);
}

/* What the appliance has sent goes on its way. */
static void fetch_sent(struct sim *s)
{
	struct app *a = s->a;
	static struct dgram d;

	for (uint32_t i = 0; i < a->n_sent; i++) {
		const struct app_sent *sent = &a->sent[i];
		uint32_t p;

		for (p = 0; p < s->n_phones && !ip_eq(&s->phone[p].addr, &sent->flow.peer); p++)
			;
		if (p == s->n_phones)
			continue; /* somebody who is not there */
		d.phone = p;
		d.len = sent->len;
		memcpy(d.text, sent->bytes, sent->len + 1);
		(void)world_send(&s->w, &s->phone[p].down, 0, &d,
				 offsetof(struct dgram, text) + d.len + 1, to_phone, s);
	}
	app_forget(a);
}

static void settle(struct sim *s)
{
	bool failing = s->a->fail_next_send;

	s->a->now_us = s->w.now_us;
	app_run(s->a);
	if (failing && !s->a->fail_next_send)
		phones_excuse(s); /* it may have been the answer that one of them waits for */
	fetch_sent(s);
}

static void to_app(void *ctx, const void *bytes)
{
	const struct dgram *d = bytes;
	struct sim *s = ctx;

	s->a->now_us = s->w.now_us;
	if (s->fail_one_in != 0 && sim_one_in(s, s->fail_one_in))
		s->a->fail_next_send = true;
	bool failing = s->a->fail_next_send;

	app_rx(s->a, s->phone[d->phone].ip, 5060, d->text, d->len);
	if (failing && !s->a->fail_next_send)
		phones_excuse(s);
	fetch_sent(s);
}

void sim_send(struct sim *s, uint32_t phone, const char *text, uint32_t len)
{
	static struct dgram d;

	d.phone = phone;
	d.len = len;
	memcpy(d.text, text, len + 1);
	(void)world_send(&s->w, &s->phone[phone].up, 0, &d, offsetof(struct dgram, text) + len + 1,
			 to_app, s);
}

/* Control is lost. */

static void stall_end(void *ctx, uint64_t arg)
{
	struct sim *s = ctx;

	(void)arg;
	s->a->now_us = s->w.now_us;
	s->a->shard = s->stalled;
	s->stalled = NULL;
	app_successor(s->a);
	settle(s);
	app_audit(s->a, false);
}

/* It dies between two messages; its successor comes at once, or later, and finds what waits. */
static void die(void *ctx, uint64_t arg)
{
	struct sim *s = ctx;

	(void)arg;
	if (s->stalled != NULL)
		return;
	s->stalled = s->a->shard;
	if (sim_one_in(s, 2)) {
		stall_end(s, 0);
		return;
	}
	s->a->shard = NULL;
	if (sim_one_in(s, 2)) { /* noticed; otherwise messages pile up in the ring */
		atomic_store(&s->a->link.h->control_lost_us, s->w.now_us);
		atomic_store(&s->a->link.h->control_alive, 0);
	}
	world_at(&s->w, s->w.now_us + world_between(&s->w, 1000, STALL_LONGEST_US), stall_end, s,
		 0);
}

/* A schedule. */

static void small_pools(struct sim *s)
{
	struct conf *c = &s->a->conf;

	c->slots[0] = 2 + world_below(&s->w, 30);
	c->slots[1] = 2 + world_below(&s->w, 20);
	c->slots[2] = 1 + world_below(&s->w, 4);
	c->slots[3] = c->slots[4] = 1;
	if (sim_one_in(s, 2))
		c->transactions = 2 + world_below(&s->w, 20);
	if (sim_one_in(s, 2))
		c->branches = 2 + world_below(&s->w, 20);
	if (sim_one_in(s, 2))
		c->bindings = 1 + world_below(&s->w, 8);
	if (sim_one_in(s, 2))
		c->edit_blocks = 8 + world_below(&s->w, 100);
	c->reserve_percent = world_below(&s->w, 40);
}

static void phone_make(struct sim *s, uint32_t i, bool lossy)
{
	struct phone *p = &s->phone[i];
	uint32_t max_us = 1000 + world_below(&s->w, sim_one_in(s, 3) ? 400000 : 20000);

	(void)snprintf(p->ip, sizeof(p->ip), sim_one_in(s, 4) ? "fd00::1:%u" : "10.0.1.%u", i + 1);
	if (ip_parse(str_from_c(p->ip), &p->addr) != 0)
		abort();
	(void)snprintf(p->hostport, sizeof(p->hostport), ip_is4(&p->addr) ? "%s:5060" : "[%s]:5060",
		       p->ip);
	p->up.min_us = p->down.min_us = 100;
	p->up.max_us = p->down.max_us = max_us;
	p->up.double_ppm = world_below(&s->w, 200000);
	p->down.double_ppm = world_below(&s->w, 200000);
	p->clean = !lossy || sim_one_in(s, LOSSLESS);
	if (!p->clean) {
		p->up.loss_ppm = world_below(&s->w, 300000);
		p->down.loss_ppm = world_below(&s->w, 300000);
	}
}

static void open_schedule(struct sim *s, uint64_t seed)
{
	bool lossy;

	memset(s, 0, offsetof(struct sim, uac));
	s->a = malloc(sizeof(*s->a));
	if (s->a == NULL)
		abort();
	world_open(&s->w, seed);
	app_conf(s->a);
	if (sim_one_in(s, 2))
		small_pools(s);
	s->a->conf.expires_min_s = 5;
	s->w.now_us = s->a->now_us;
	app_start(s->a);
	lossy = !sim_one_in(s, 3);
	s->fail_one_in = sim_one_in(s, 3) ? 5 + world_below(&s->w, 60) : 0;
	s->n_phones = 2 + world_below(&s->w, PHONES_MAX - 1);
	for (uint32_t i = 0; i < s->n_phones; i++)
		phone_make(s, i, lossy);
	for (uint32_t n = 4 + world_below(&s->w, 50), i = 0; i < n; i++)
		world_at(&s->w, s->w.now_us + world_below(&s->w, i < 4 ? 2000000 : ACTIVE_US),
			 phone_acts, s, 0);
	for (uint32_t n = sim_one_in(s, 3) ? 1 + world_below(&s->w, 8) : 0; n > 0; n--)
		world_at(&s->w, s->w.now_us + world_below(&s->w, ACTIVE_US + 60000000), die, s, 0);
}

/* Whichever is next: an event of the world or a timer of the appliance. false: neither is left. */
static bool step(struct sim *s)
{
	uint64_t event = s->w.n_events > 0 ? s->w.events[0].at_us : UINT64_MAX;
	uint64_t timer = s->a->shard != NULL ? shard_next_us(s->a->shard) : UINT64_MAX;

	if (event == UINT64_MAX && timer == UINT64_MAX)
		return false;
	if (event <= timer)
		return world_step(&s->w);
	if (timer > s->w.now_us)
		s->w.now_us = timer;
	settle(s);
	return true;
}

static void close_schedule(struct sim *s)
{
	s->a->fail_next_send = false;
	s->w.now_us += 1000000; /* whatever waits in the edge is over */
	settle(s);
	if (s->a->shard->wheel.n_armed != 0)
		sim_fail(s, "%u timers are armed", s->a->shard->wheel.n_armed);
	app_audit(s->a, true);
	if (app_count(s->a, sip_held) != 0)
		sim_fail(s, "%lu messages are held", app_count(s->a, sip_held));
	phones_done(s);
	s->total.answered += s->answered;
	s->total.exhausted +=
		app_count(s->a, txn_no_record) + app_count(s->a, sip_drop_no_slot) > 0;
	s->total.swept += app_count(s->a, link_slots_swept);
	s->total.failed_sends += app_count(s->a, link_send_failed);
	s->total.late += app_count(s->a, proxy_late_relayed);
	s->total.timeouts += app_count(s->a, txn_timeout);
	s->total.transactions += app_count(s->a, txn_started);
	app_stop(s->a);
	free(s->a);
	world_close(&s->w);
	if (s->w.n_bufs != 0)
		sim_fail(s, "the world has %u buffers left", s->w.n_bufs);
}

static void run(struct sim *s, uint64_t seed)
{
	seed_now = seed;
	open_schedule(s, seed);
	while (step(s)) {
		if (s->w.now_us > END_US)
			sim_fail(s, "timers do not end");
	}
	close_schedule(s);
}

int main(int argc, char **argv)
{
	const char *all = getenv("SLUICE_LONG");
	uint64_t n = all != NULL && strcmp(all, "0") != 0 ? 25000 : 500, first = 1;
	struct sim *s = calloc(1, sizeof(*s));

	for (int i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--schedules") == 0) {
			n = strtoul(argv[i + 1], NULL, 10);
		} else if (strcmp(argv[i], "--seed") == 0) {
			first = strtoul(argv[i + 1], NULL, 10);
			n = 1;
		} else {
			return 64;
		}
	}
	if (s == NULL || argc % 2 == 0)
		return 64;
	(void)atexit(name_seed);
	(void)signal(SIGABRT, aborted);
	(void)signal(SIGSEGV, aborted);
	for (uint64_t seed = first; seed < first + n; seed++)
		run(s, seed);
	finished = true;
	printf("%lu schedules: %lu server transactions, %lu calls that had to be answered were,"
	       " %lu schedules with a pool run dry, %lu failed sends, %lu slots swept, %lu "
	       "timeouts,"
	       " %lu late 2xx\n",
	       n, s->total.transactions, s->total.answered, s->total.exhausted,
	       s->total.failed_sends, s->total.swept, s->total.timeouts, s->total.late);
	if (n >= 100 && (s->total.answered == 0 || s->total.exhausted == 0 ||
			 s->total.failed_sends == 0 || s->total.timeouts == 0)) {
		printf("schedule failed: seed 0: these schedules do not try what they are for\n");
		return 1;
	}
	free(s);
	return 0;
}
