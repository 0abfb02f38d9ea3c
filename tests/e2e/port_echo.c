/* SPDX-License-Identifier: Apache-2.0 */
/* A port by itself: opens a device, sends every frame back to where it came from, prints rates.
 *
 *   port_echo [-c CPUS] [-m MTU] [-b BUFFERS] [-q QUEUES] [-p CORES] [-g FRAMES] DEVICE [SECONDS]
 *
 * DEVICE is a port's device string as in the configuration. -g sends frames of its own first: for
 * devices that loop them back (net_ring) or whose peer is another port_echo (net_memif). SECONDS 0
 * runs until SIGINT or SIGTERM. One line a second:
 *   rx=.. tx=.. unsent=.. sleeps=.. wakes=.. busy=..%  (of the last second, all cores)
 * and one at the end, with the device's own counters. The loop sleeps as every loop of ours does, so
 * `top` beside it shows what an idle port costs; a port that nothing wakes makes it poll on.
 * Exit code: 0, or that of the refusal (69, 71, 77). */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "drivers/port/ethdev.h"
#include "platform/base/clock.h"
#include "platform/base/idle.h"
#include "platform/base/log.h"
#include "platform/rt/eal.h"

#define MAC_BYTES 6
#define ETHERNET_BYTES 14
#define FRAME_BYTES 60
#define WHY_BYTES 2048
#define US_PER_S 1000000u

struct core {
	struct port *port;
	struct idle idle;
	_Atomic uint32_t sleeping;
	uint16_t queue;
	uint32_t generate;            /* frames still to be sent of our own            */
	uint64_t end_us;              /* 0: until told                                 */
	_Atomic uint64_t rx, tx, unsent; /* W: this core  R: the printing one, relaxed */
};

struct totals {
	uint64_t rx, tx, unsent, sleeps, wakes, busy, idle;
};

static struct core cores[CONF_POLLED_MAX];
static uint32_t n_cores;
static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	stop = 1;
}

static void add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
			      memory_order_relaxed);
}

static void swap_macs(struct frame *f)
{
	uint8_t keep[MAC_BYTES];

	if (f->len < ETHERNET_BYTES)
		return;
	memcpy(keep, f->data, MAC_BYTES);
	memcpy(f->data, f->data + MAC_BYTES, MAC_BYTES);
	memcpy(f->data + MAC_BYTES, keep, MAC_BYTES);
}

/* ret how many were not taken (and are freed) */
static uint32_t send_all(struct core *c, struct frame *f, uint32_t n)
{
	uint32_t sent = c->port->ops->tx(c->port, c->queue, f, n);

	for (uint32_t k = sent; k < n; k++)
		c->port->ops->free(c->port, &f[k]);
	add(&c->tx, sent);
	add(&c->unsent, n - sent);
	return n - sent;
}

static bool generate(struct core *c)
{
	struct frame f[PORT_BURST];
	uint32_t n = 0;

	while (n < PORT_BURST && c->generate > 0 && c->port->ops->alloc(c->port, &f[n])) {
		memset(f[n].data, 0, FRAME_BYTES);
		memset(f[n].data, 0xff, MAC_BYTES);
		memcpy(f[n].data + MAC_BYTES, c->port->info.mac, MAC_BYTES);
		f[n].data[12] = 0x88; /* EtherType for local experiments, IEEE 802 */
		f[n].data[13] = 0xb5;
		f[n].len = FRAME_BYTES;
		c->generate--;
		n++;
	}
	if (n > 0)
		c->generate += send_all(c, f, n); /* again: the peer may not be there yet */
	return n > 0;
}

static bool echo(struct core *c)
{
	struct frame f[PORT_BURST];
	uint32_t n = c->port->ops->rx(c->port, c->queue, f, PORT_BURST);

	for (uint32_t k = 0; k < n; k++)
		swap_macs(&f[k]);
	add(&c->rx, n);
	if (n > 0)
		(void)send_all(c, f, n); /* counted */
	return n > 0;
}

static struct totals totals_now(void)
{
	struct totals t = { 0 };

	for (uint32_t k = 0; k < n_cores; k++) {
		t.rx += atomic_load_explicit(&cores[k].rx, memory_order_relaxed);
		t.tx += atomic_load_explicit(&cores[k].tx, memory_order_relaxed);
		t.unsent += atomic_load_explicit(&cores[k].unsent, memory_order_relaxed);
		t.sleeps += cores[k].idle.sleeps;
		t.wakes += cores[k].idle.wakes;
		t.busy += cores[k].idle.busy_cycles;
		t.idle += cores[k].idle.idle_cycles;
	}
	return t;
}

static void print_rates(const struct totals *was, const struct totals *t)
{
	double all = (double)(t->busy - was->busy + t->idle - was->idle);

	printf("rx=%lu tx=%lu unsent=%lu sleeps=%lu wakes=%lu busy=%.1f%%\n", t->rx - was->rx,
	       t->tx - was->tx, t->unsent - was->unsent, t->sleeps - was->sleeps,
	       t->wakes - was->wakes, all > 0 ? 100.0 * (double)(t->busy - was->busy) / all : 0.0);
	(void)fflush(stdout); /* a lost line of rates is no harm */
}

static int core_run(void *arg)
{
	struct core *c = arg;
	struct totals was = { 0 };
	uint64_t print_us = clock_now_us() + US_PER_S, now;

	while (!stop) {
		bool worked = generate(c);

		worked = echo(c) || worked;
		now = clock_now_us();
		if (c->end_us && now >= c->end_us)
			break;
		if (c == cores && now >= print_us) {
			struct totals t = totals_now();

			print_rates(&was, &t);
			was = t;
			print_us += US_PER_S;
		}
		(void)idle_pass(&c->idle, worked, now, c == cores ? print_us : UINT64_MAX, NULL,
				NULL);
	}
	return 0;
}

static bool conf_of(int argc, char **argv, struct conf *conf, uint32_t *seconds, uint32_t *frames)
{
	struct conf_port *port = &conf->port[0];
	int option;

	conf_defaults(conf);
	conf->polled = 1;
	conf->shards = 0;
	conf->packet_buffers = 8192;
	conf->n_ports = conf->n_interfaces = 1;
	conf->interface[0].mtu = 1500;
	*port = (struct conf_port){ .name = "echo", .rx_descriptors = 1024, .tx_descriptors = 1024,
				    .numa_node = CONF_AUTO };
	while ((option = getopt(argc, argv, "c:m:b:q:p:g:")) != -1) {
		uint32_t n = (uint32_t)strtoul(optarg ? optarg : "0", NULL, 10);

		switch (option) {
		case 'c': (void)str_to_c(str_from_c(optarg), conf->cpus, sizeof(conf->cpus)); break;
		case 'm': conf->interface[0].mtu = n; break;
		case 'b': conf->packet_buffers = n; break;
		case 'q': port->queues = n; break;
		case 'p': conf->polled = n; break;
		case 'g': *frames = n; break;
		default: return false;
		}
	}
	if (optind >= argc)
		return false;
	(void)str_to_c(str_from_c(argv[optind]), port->device, sizeof(port->device));
	*seconds = optind + 1 < argc ? (uint32_t)strtoul(argv[optind + 1], NULL, 10) : 0;
	return true;
}

static void cores_make(struct port *port, const struct rt_roles *roles, uint32_t seconds,
		       uint32_t frames, void **arg)
{
	n_cores = port->info.queues < roles->n_polled ? port->info.queues : roles->n_polled;
	for (uint32_t k = 0; k < n_cores; k++) {
		struct core *c = &cores[k];
		uint64_t now = clock_now_us();
		int fd = port->ops->fd(port, (uint16_t)k);

		c->port = port;
		c->queue = (uint16_t)k;
		c->generate = k == 0 ? frames : 0;
		c->end_us = seconds ? now + (uint64_t)seconds * US_PER_S : 0;
		idle_init(&c->idle, eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), &c->sleeping,
			  roles->polled_alone[k], now);
		c->idle.never_sleep = fd < 0;
		if (fd >= 0)
			(void)idle_add_fd(&c->idle, fd); /* the table is empty */
		arg[k] = c;
	}
}

static int refuse(int code, const struct strbuf *why)
{
	fprintf(stderr, "port_echo: %.*s\n", STR_FMT(strbuf_str(why)));
	return code;
}

int main(int argc, char **argv)
{
	static struct conf conf;
	static struct rt_roles roles;
	char mem[WHY_BYTES];
	struct strbuf why = strbuf_of(mem, sizeof(mem));
	uint32_t seconds = 0, frames = 0;
	void *arg[CONF_POLLED_MAX];
	struct port port;
	struct port_stats stats;
	struct totals none = { 0 }, t;
	int code = 0;

	if (!conf_of(argc, argv, &conf, &seconds, &frames)) {
		fputs("usage: port_echo [-c CPUS] [-m MTU] [-b BUFFERS] [-q QUEUES] [-p CORES] "
		      "[-g FRAMES] DEVICE [SECONDS]\n", stderr);
		return 64; /* EX_USAGE */
	}
	log_init("port_echo", LOG_INFO);
	if (rt_roles_make(&conf, &roles, &why) != 0)
		return refuse(EXIT_CONFIG, &why);
	if (rt_eal_start(&conf, &roles, &code, &why) != 0)
		return refuse(code, &why);
	if (port_ethdev_open(&conf, 0, &port, &why) != 0)
		return refuse(EXIT_NO_DEVICE, &why);
	(void)signal(SIGINT, on_signal);
	(void)signal(SIGTERM, on_signal);
	cores_make(&port, &roles, seconds, frames, arg);
	roles.n_polled = n_cores;
	(void)rt_cores_run(&roles, core_run, arg);
	t = totals_now();
	fputs("all: ", stdout);
	print_rates(&none, &t);
	port.ops->stats(&port, &stats);
	printf("device: rx=%lu missed=%lu errors=%lu nombuf=%lu tx=%lu tx_errors=%lu link=%s\n",
	       stats.rx_frames, stats.rx_missed, stats.rx_errors, stats.rx_nombuf, stats.tx_frames,
	       stats.tx_errors, port.ops->link_up(&port) ? "up" : "down");
	port.ops->close(&port);
	rt_eal_stop();
	return 0;
}
