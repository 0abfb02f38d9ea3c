/* SPDX-License-Identifier: Apache-2.0 */
/* The pair of ports in memory: a true wire without faults, a reproducibly bad one with them, and no
 * buffer lost in either. */
#include "drivers/port/memory.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define BUFFERS 64u
#define FRAMES 20000u

struct wire {
	struct port_memory *m;
	struct port a, b;
};

static void wire_make(struct wire *w, const struct port_memory_faults *faults, uint32_t n)
{
	w->m = port_memory_new(n, faults, &w->a, &w->b);
	assert_non_null(w->m);
}

static void send_number(struct port *p, uint32_t number, uint32_t len)
{
	struct frame f;

	assert_true(p->ops->alloc(p, &f));
	memset(f.data, (int)(number & 0xff), len);
	memcpy(f.data, &number, sizeof(number));
	f.len = len;
	assert_int_equal(p->ops->tx(p, 0, &f, 1), 1);
	assert_null(f.buf);
}

static uint32_t number_of(const struct frame *f)
{
	uint32_t number;

	memcpy(&number, f->data, sizeof(number));
	return number;
}

static void new_pair_has_two_ends_with_all_buffers(void **state)
{
	struct wire w;

	wire_make(&w, NULL, BUFFERS);
	assert_string_equal(w.a.info.driver, "memory");
	assert_int_equal(w.a.info.queues, 1);
	assert_int_equal(w.a.info.mtu, 1500);
	assert_true(w.a.info.link_up);
	assert_true(w.a.ops->link_up(&w.a));
	assert_false(w.a.info.rx_csum || w.a.info.tx_ip_csum || w.a.info.tx_udp_csum);
	assert_memory_not_equal(w.a.info.mac, w.b.info.mac, 6);
	assert_int_equal(w.a.ops->fd(&w.a, 0), -1);
	assert_int_equal(port_memory_in_use(w.m, 0), 0);
	assert_int_equal(port_memory_in_use(w.m, 1), 0);
	port_memory_free(w.m);
	port_memory_free(NULL);
}

static void fresh_frame_has_headroom_and_room(void **state)
{
	struct wire w;
	struct frame f;

	wire_make(&w, NULL, BUFFERS);
	assert_true(w.a.ops->alloc(&w.a, &f));
	assert_int_equal(f.len, 0);
	assert_int_equal(f.room, 2048);
	assert_int_equal(f.flags, 0);
	memset(f.data - FRAME_HEADROOM, 1, FRAME_HEADROOM + f.room); /* all of it is ours */
	w.a.ops->free(&w.a, &f);
	assert_null(f.buf);
	port_memory_free(w.m);
}

static void faultless_wire_delivers_all_in_order_and_whole(void **state)
{
	struct wire w;
	struct frame f[PORT_BURST];
	struct port_stats s;

	wire_make(&w, NULL, BUFFERS);
	for (uint32_t k = 0; k < 40; k++)
		send_number(&w.a, k, 64 + k);
	assert_int_equal(port_memory_in_use(w.m, 0), 0);
	assert_int_equal(port_memory_in_use(w.m, 1), 40);
	for (uint32_t got = 0; got < 40;) {
		uint32_t n = w.b.ops->rx(&w.b, 0, f, PORT_BURST);

		assert_int_equal(n, got == 0 ? 32 : 8);
		for (uint32_t k = 0; k < n; k++, got++) {
			assert_int_equal(number_of(&f[k]), got);
			assert_int_equal(f[k].len, 64 + got);
			assert_int_equal(f[k].data[f[k].len - 1], got & 0xff);
			assert_int_equal(f[k].room, 2048);
			assert_int_equal(f[k].flags, 0);
			w.b.ops->free(&w.b, &f[k]);
		}
	}
	assert_int_equal(w.b.ops->rx(&w.b, 0, f, PORT_BURST), 0);
	assert_int_equal(w.a.ops->rx(&w.a, 0, f, PORT_BURST), 0);
	w.a.ops->stats(&w.a, &s);
	assert_int_equal(s.tx_frames, 40);
	assert_int_equal(s.rx_frames, 0);
	w.b.ops->stats(&w.b, &s);
	assert_int_equal(s.rx_frames, 40);
	assert_int_equal(s.rx_missed + s.rx_errors + s.rx_nombuf, 0);
	assert_int_equal(port_memory_in_use(w.m, 1), 0);
	port_memory_free(w.m);
}

static void received_frame_with_moved_data_is_sent_back_as_it_stands(void **state)
{
	struct wire w;
	struct frame f;

	wire_make(&w, NULL, BUFFERS);
	send_number(&w.a, 7, 100);
	assert_int_equal(w.b.ops->rx(&w.b, 0, &f, 1), 1);
	f.data -= 20; /* a header in front */
	f.len += 20;
	memset(f.data, 0x55, 20);
	assert_int_equal(w.b.ops->tx(&w.b, 0, &f, 1), 1);
	assert_int_equal(w.a.ops->rx(&w.a, 0, &f, 1), 1);
	assert_int_equal(f.len, 120);
	assert_int_equal(f.data[0], 0x55);
	assert_int_equal(f.data[19], 0x55);
	assert_int_equal(f.data[20], 7);
	w.a.ops->free(&w.a, &f);
	assert_int_equal(port_memory_in_use(w.m, 0) + port_memory_in_use(w.m, 1), 0);
	port_memory_free(w.m);
}

static void empty_pool_refuses_and_recovers(void **state)
{
	struct wire w;
	struct frame f[4], none;

	wire_make(&w, NULL, 4);
	for (int k = 0; k < 4; k++)
		assert_true(w.a.ops->alloc(&w.a, &f[k]));
	assert_false(w.a.ops->alloc(&w.a, &none));
	assert_int_equal(port_memory_in_use(w.m, 0), 4);
	w.a.ops->free(&w.a, &f[2]);
	assert_true(w.a.ops->alloc(&w.a, &f[2]));
	for (int k = 0; k < 4; k++)
		w.a.ops->free(&w.a, &f[k]);
	assert_int_equal(port_memory_in_use(w.m, 0), 0);
	port_memory_free(w.m);
}

static void receiver_without_buffers_counts_nombuf(void **state)
{
	struct wire w;
	struct port_stats s;

	wire_make(&w, NULL, 4);
	for (uint32_t k = 0; k < 10; k++)
		send_number(&w.a, k, 64);
	w.b.ops->stats(&w.b, &s);
	assert_int_equal(s.rx_nombuf, 6);
	assert_int_equal(port_memory_in_use(w.m, 1), 4);
	port_memory_free(w.m);
}

/* In a child, for what must end the process. ret true when it did, by must(). */
static bool dies(void (*fn)(void))
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		struct rlimit none = { 0, 0 };

		(void)setrlimit(RLIMIT_CORE, &none);
		(void)signal(SIGABRT, SIG_DFL);
		(void)close(STDERR_FILENO);
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void free_twice(void)
{
	struct port a, b;
	struct frame f, again;

	if (!port_memory_new(4, NULL, &a, &b) || !a.ops->alloc(&a, &f))
		return;
	again = f;
	a.ops->free(&a, &f);
	a.ops->free(&a, &again);
}

static void free_after_tx(void)
{
	struct port a, b;
	struct frame f, again;

	if (!port_memory_new(4, NULL, &a, &b) || !a.ops->alloc(&a, &f))
		return;
	f.len = 60;
	memset(f.data, 0, f.len);
	again = f;
	(void)a.ops->tx(&a, 0, &f, 1);
	a.ops->free(&a, &again);
}

static void freed_frame_freed_or_sent_again_is_a_bug_found(void **state)
{
	assert_true(dies(free_twice));
	assert_true(dies(free_after_tx));
}

struct outcome {
	uint32_t received, out_of_order, again, flipped;
	struct port_stats sent, got;
	uint64_t trace; /* of all numbers in order of arrival */
};

static void take_one(struct outcome *o, const struct frame *f, uint8_t *seen, uint32_t *highest)
{
	uint32_t number = number_of(f);
	bool whole = f->len == 64 && number < FRAMES;

	for (uint32_t k = sizeof(number); whole && k < f->len; k++)
		whole = f->data[k] == (number & 0xff);
	o->received++;
	o->trace = o->trace * 31 + number;
	if (!whole) {
		o->flipped++;
		return;
	}
	o->again += seen[number];
	seen[number] = 1;
	if (number < *highest)
		o->out_of_order++;
	else
		*highest = number;
}

/* FRAMES numbered frames over a wire, read to the end. */
static struct outcome run(const struct port_memory_faults *faults)
{
	static uint8_t seen[FRAMES];
	struct outcome o = { 0 };
	struct frame f[PORT_BURST];
	struct wire w;
	uint32_t highest = 0, quiet = 0, sent = 0;

	memset(seen, 0, sizeof(seen));
	wire_make(&w, faults, 256);
	while (sent < FRAMES || quiet < 20) {
		uint32_t n;

		for (uint32_t k = 0; k < 16 && sent < FRAMES; k++)
			send_number(&w.a, sent++, 64);
		n = w.b.ops->rx(&w.b, 0, f, PORT_BURST);
		for (uint32_t k = 0; k < n; k++) {
			take_one(&o, &f[k], seen, &highest);
			w.b.ops->free(&w.b, &f[k]);
		}
		quiet = n > 0 ? 0 : quiet + 1;
	}
	w.a.ops->stats(&w.a, &o.sent);
	w.b.ops->stats(&w.b, &o.got);
	assert_int_equal(port_memory_in_use(w.m, 0), 0);
	assert_int_equal(port_memory_in_use(w.m, 1), 0);
	assert_int_equal(o.sent.tx_frames, FRAMES);
	assert_int_equal(o.got.rx_frames, o.received);
	assert_int_equal(o.got.rx_nombuf, 0);
	port_memory_free(w.m);
	return o;
}

/* Within a tenth of what the rate says: far outside of chance for 20,000 frames at 10 %. */
#define ABOUT(n, expected) assert_in_range(n, (expected) * 9 / 10, (expected) * 11 / 10)

static void lossy_wire_loses_its_share_and_nothing_else(void **state)
{
	struct outcome o = run(&(struct port_memory_faults){ .loss_ppm = 100000, .seed = 1 });

	ABOUT(o.got.rx_missed, FRAMES / 10);
	assert_int_equal(o.received, FRAMES - o.got.rx_missed);
	assert_int_equal(o.again + o.out_of_order + o.flipped, 0);
}

static void duplicating_wire_repeats_its_share_and_nothing_else(void **state)
{
	struct outcome o = run(&(struct port_memory_faults){ .duplicate_ppm = 100000, .seed = 2 });

	ABOUT(o.again, FRAMES / 10);
	assert_int_equal(o.received, FRAMES + o.again);
	assert_int_equal(o.out_of_order + o.flipped, 0);
}

static void reordering_wire_delays_its_share_and_loses_none(void **state)
{
	struct outcome o = run(&(struct port_memory_faults){ .reorder_ppm = 100000, .seed = 3 });

	/* one held back beside another may come in order all the same */
	assert_in_range(o.out_of_order, FRAMES / 20, FRAMES / 9);
	assert_int_equal(o.received, FRAMES);
	assert_int_equal(o.again + o.flipped, 0);
}

static void flipping_wire_breaks_its_share_by_one_bit(void **state)
{
	struct outcome o = run(&(struct port_memory_faults){ .flip_ppm = 100000, .seed = 4 });

	ABOUT(o.got.rx_errors, FRAMES / 10);
	assert_int_equal(o.received, FRAMES);
	/* a bit of the number itself shows as another whole number or as a broken frame */
	assert_in_range(o.flipped, o.got.rx_errors * 8 / 10, o.got.rx_errors);
}

static void all_faults_the_same_seed_gives_the_same_story(void **state)
{
	struct port_memory_faults faults = { 50000, 50000, 50000, 50000, 99 };
	struct outcome a = run(&faults), b = run(&faults), c;

	assert_memory_equal(&a, &b, sizeof(a));
	faults.seed = 100;
	c = run(&faults);
	assert_true(a.trace != c.trace);
}

static void late_frame_alone_arrives_after_a_few_looks(void **state)
{
	struct wire w;
	struct frame f;
	uint32_t looks = 0;

	wire_make(&w, &(struct port_memory_faults){ .reorder_ppm = 1000000, .seed = 5 }, BUFFERS);
	send_number(&w.a, 1, 64);
	while (w.b.ops->rx(&w.b, 0, &f, 1) == 0 && looks < 100)
		looks++;
	assert_in_range(looks, 0, 8);
	assert_int_equal(number_of(&f), 1);
	w.b.ops->free(&w.b, &f);
	assert_int_equal(port_memory_in_use(w.m, 1), 0);
	port_memory_free(w.m);
}

static void dead_wire_loses_everything(void **state)
{
	struct outcome o = run(&(struct port_memory_faults){ .loss_ppm = 1000000, .seed = 6 });

	assert_int_equal(o.received, 0);
	assert_int_equal(o.got.rx_missed, FRAMES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_pair_has_two_ends_with_all_buffers),
		cmocka_unit_test(fresh_frame_has_headroom_and_room),
		cmocka_unit_test(faultless_wire_delivers_all_in_order_and_whole),
		cmocka_unit_test(received_frame_with_moved_data_is_sent_back_as_it_stands),
		cmocka_unit_test(empty_pool_refuses_and_recovers),
		cmocka_unit_test(receiver_without_buffers_counts_nombuf),
		cmocka_unit_test(freed_frame_freed_or_sent_again_is_a_bug_found),
		cmocka_unit_test(lossy_wire_loses_its_share_and_nothing_else),
		cmocka_unit_test(duplicating_wire_repeats_its_share_and_nothing_else),
		cmocka_unit_test(reordering_wire_delays_its_share_and_loses_none),
		cmocka_unit_test(flipping_wire_breaks_its_share_by_one_bit),
		cmocka_unit_test(all_faults_the_same_seed_gives_the_same_story),
		cmocka_unit_test(late_frame_alone_arrives_after_a_few_looks),
		cmocka_unit_test(dead_wire_loses_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
