/* SPDX-License-Identifier: Apache-2.0 */
/* Draws a schedule from its seed and runs it until nothing is left to happen. All of the plan is
 * drawn first, so that the trace can open with it and the checks know what to expect. */
#include "tests/sim/txn/sim.h"

/* A schedule of the worst kind takes some hundreds of events and some twenty minutes. */
#define EVENTS_MAX 20000
#define QUIET_BY_US (3600 * SECOND)

#define PERCENT(n) ((n) * (WORLD_PPM / 100))

static uint16_t draw_final(struct world *w)
{
	static const uint16_t finals[] = {200, 200, 200, 200, 302, 404, 408,
					  480, 486, 500, 503, 600, 603};

	return finals[world_below(w, sizeof(finals) / sizeof(finals[0]))];
}

/* How long a UAS may think, so that a strict schedule can come to its end in time: over UDP a
 * non-INVITE must be answered before the client's timers E and F have had their effect. */
static uint64_t think_max_us(const struct plan *p)
{
	if (p->method == INVITE)
		return 60 * SECOND;
	if (p->net == NET_PERFECT)
		return 200 * MS;
	return p->net == NET_FAIR ? 5 * SECOND : 40 * SECOND;
}

static void draw_uas(struct sim *s, struct uas_plan *u)
{
	const struct plan *p = &s->plan;
	struct world *w = &s->w;
	/* Half of them answer soon, or they would all come after the CANCEL. */
	uint64_t max_us = think_max_us(p);

	if (world_happens(w, PERCENT(50)) && max_us > 2 * SECOND)
		max_us = 2 * SECOND;
	u->final = draw_final(w);
	u->final_after_us = world_between(w, 0, max_us);
	u->n_rings = (uint8_t)world_below(w, RINGS_MAX + 1);
	for (unsigned i = 0; i < u->n_rings; i++)
		u->ring_after_us[i] = world_between(w, 0, u->final_after_us);
	if (p->net == NET_PERFECT || !world_happens(w, PERCENT(p->net == NET_FAIR ? 10 : 30)))
		return;
	switch (world_below(w, 4)) {
	case 0:
		u->crash_us = w->now_us + world_between(w, 0, u->final_after_us + 10 * SECOND);
		break;
	case 1:
		u->silent = true;
		break;
	default:
		u->ignores_cancel = true;
		break;
	}
}

static void draw_plan(struct sim *s)
{
	static const uint8_t nets[] = {NET_PERFECT, NET_PERFECT, NET_FAIR, NET_FAIR, NET_FAIR,
				       NET_FAIR,    NET_FOUL,	 NET_FOUL, NET_DARK, NET_FAILING};
	struct plan *p = &s->plan;
	struct world *w = &s->w;

	p->net = nets[world_below(w, sizeof(nets))];
	p->method = world_happens(w, PERCENT(65)) ? INVITE : OPTIONS;
	p->n_uas = (uint8_t)(1 + world_below(w, UAS_MAX));
	p->old_uac = world_happens(w, PERCENT(20));
	if (p->method == INVITE && world_happens(w, PERCENT(35)))
		p->cancel_after_us = world_between(
			w, 1, world_happens(w, PERCENT(50)) ? 2 * SECOND : 40 * SECOND);
	for (unsigned i = 0; i < p->n_uas; i++)
		draw_uas(s, &p->uas[i]);
}

static void draw_link(struct sim *s, struct world_link *l, bool reliable)
{
	struct world *w = &s->w;
	enum net net = s->plan.net;

	*l = (struct world_link){.ordered = reliable, .min_us = 1 * MS, .max_us = 40 * MS};
	if (net == NET_PERFECT)
		return;
	l->max_us = net == NET_FOUL ? world_between(w, 10 * MS, 2 * SECOND)
				    : world_between(w, 10 * MS, 500 * MS);
	l->loss_ppm = world_below(w, net == NET_FOUL ? PERCENT(70) : PERCENT(40));
	l->double_ppm = world_below(w, PERCENT(25));
	l->spare = net == NET_FOUL ? 0 : 3;
	if (net == NET_FAILING)
		l->fail_ppm = world_below(w, PERCENT(40));
}

static void darken(struct sim *s, struct world_link *l)
{
	struct world *w = &s->w;
	bool for_good = world_happens(w, PERCENT(50));

	l->dark_from_us =
		w->now_us + (world_happens(w, PERCENT(30)) ? 0 : world_between(w, 0, 10 * SECOND));
	l->dark_until_us =
		for_good ? UINT64_MAX : l->dark_from_us + world_between(w, 1, 60 * SECOND);
}

static void draw_links(struct sim *s)
{
	unsigned dark = world_below(&s->w, 2 * (1 + s->plan.n_uas)), n = 0;

	for (unsigned p = 0; p < PLACES; p++) {
		bool reliable = world_happens(&s->w, PERCENT(30));

		if (p == PROXY || p >= (unsigned)UAS_0 + s->plan.n_uas)
			continue;
		draw_link(s, &s->link[p][PROXY], reliable);
		draw_link(s, &s->link[PROXY][p], reliable);
		if (s->plan.net == NET_DARK && n++ == dark)
			darken(s, &s->link[p][PROXY]);
		if (s->plan.net == NET_DARK && n++ == dark)
			darken(s, &s->link[PROXY][p]);
	}
}

static void trace_plan(const struct sim *s)
{
	static const char *const nets[NETS] = {"perfect", "fair", "foul", "dark", "failing"};
	const struct plan *p = &s->plan;

	sim_trace(s, "%s over a %s network, UAC by %s, cancel after %llu us%s",
		  method_name(p->method), nets[p->net], s->link[UAC][PROXY].ordered ? "TCP" : "UDP",
		  (unsigned long long)p->cancel_after_us, p->old_uac ? ", RFC 2543" : "");
	for (unsigned i = 0; i < p->n_uas; i++) {
		const struct uas_plan *u = &p->uas[i];

		sim_trace(s, "%s by %s: %u after %llu us, %u rings%s%s%s", place_name(UAS_0 + i),
			  s->link[PROXY][UAS_0 + i].ordered ? "TCP" : "UDP", u->final,
			  (unsigned long long)u->final_after_us, u->n_rings,
			  u->crash_us ? ", crashes" : "", u->silent ? ", silent" : "",
			  u->ignores_cancel ? ", ignores CANCEL" : "");
	}
}

static void let_go(struct sim *s)
{
	for (unsigned i = 0; i < s->n_txns; i++)
		world_free(&s->w, s->txn[i].kept);
	world_close(&s->w);
}

bool schedule_run(struct sim *s, uint64_t seed, bool verbose)
{
	*s = (struct sim){
		.verbose = verbose,
		.t = {.t1_us = 500 * MS,
		      .t2_us = 4 * SECOND,
		      .t4_us = 5 * SECOND,
		      .timer_b_us = 32 * SECOND,
		      .timer_d_us = 33 * SECOND,
		      .hold_us = 32 * SECOND},
	};
	world_open(&s->w, seed);
	draw_plan(s);
	draw_links(s);
	trace_plan(s);
	uas_begin(s);
	uac_begin(s);
	while (!s->failed && world_step(&s->w)) {
		check_live(s);
		if (s->w.n_run > EVENTS_MAX || s->w.now_us > QUIET_BY_US)
			sim_fail(s, "it never becomes quiet");
	}
	if (!s->failed)
		check_end(s);
	let_go(s);
	return !s->failed;
}
