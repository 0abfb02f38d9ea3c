/* SPDX-License-Identifier: Apache-2.0 */
/* A pair of ports in memory: what one end sends the other receives.
 *
 * Sending copies into a buffer of the receiving end, as a wire does: the two ends never see each
 * other's memory. A buffer knows its end, so a frame may be sent or freed by any port of the kind
 * and goes home. Its data is poisoned for AddressSanitizer while it is free, in flight included:
 * use after free or after tx is found where it happens.
 *
 * Faults are drawn per frame sent, in a fixed order, from one generator per direction: the same
 * seed and the same frames meet the same fate, whatever the other direction does. A frame that is
 * reordered is held back until a drawn number of later ones has passed it, or as many receive
 * calls have found nothing: it is late, never lost.
 *
 * Counters of the receiving end say what happened: rx_missed frames lost by fault, rx_errors
 * frames with a bit flipped, rx_nombuf those that found no buffer. Hence rx_frames of an end that
 * reads to the end is the other's tx_frames - rx_missed - rx_nombuf + duplicates. */
#include "drivers/port/memory.h"

#include <sanitizer/asan_interface.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/err.h"

#define ENDS 2
#define DATA_BYTES 2048u
#define BUFFER_BYTES (FRAME_HEADROOM + DATA_BYTES)
#define MTU 1500u
#define PPM 1000000u
#define LATE_MAX 8u /* frames that may pass one that is held back */

enum place { PLACE_FREE, PLACE_OUT, PLACE_FLIGHT };

struct end;
struct buffer {
	struct end *end;       /* whose it is                                    */
	struct buffer *next;   /* in the free list, the queue or among the late  */
	enum place place;
	uint32_t late;         /* held back: frames or empty calls still to come */
	uint32_t off, len;     /* in flight: where the frame lies                */
	uint8_t *bytes;        /* BUFFER_BYTES                                   */
};

struct queue {
	struct buffer *first, **last;
};

struct end {
	struct buffer *buffers; /* n_buffers of them */
	uint8_t *memory;
	struct buffer *free;
	uint32_t n_free, n_buffers;
	struct queue arrived, late; /* to be received here */
	uint64_t random;            /* for frames sent from here */
	struct end *other;
	struct port_memory *pair;
	struct port_stats stats;
};

struct port_memory {
	struct port_memory_faults faults;
	struct end end[ENDS];
};

/* splitmix64: every seed is as good as another, 0 too. */
static uint64_t draw(struct end *e)
{
	uint64_t z = e->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static bool happens(struct end *e, uint32_t ppm)
{
	return draw(e) % PPM < ppm;
}

static void queue_put(struct queue *q, struct buffer *b)
{
	b->next = NULL;
	*q->last = b;
	q->last = &b->next;
}

static struct buffer *queue_take(struct queue *q)
{
	struct buffer *b = q->first;

	if (!b)
		return NULL;
	q->first = b->next;
	if (!q->first)
		q->last = &q->first;
	return b;
}

static struct buffer *buffer_take(struct end *e, enum place place)
{
	struct buffer *b = e->free;

	if (!b)
		return NULL;
	e->free = b->next;
	e->n_free--;
	b->next = NULL;
	b->place = place;
	ASAN_UNPOISON_MEMORY_REGION(b->bytes, BUFFER_BYTES);
	return b;
}

static void buffer_give(struct buffer *b, enum place from)
{
	must(b->place == from); /* freed twice, or never given out */
	b->place = PLACE_FREE;
	b->next = b->end->free;
	b->end->free = b;
	b->end->n_free++;
	ASAN_POISON_MEMORY_REGION(b->bytes, BUFFER_BYTES);
}

static struct frame frame_of(const struct buffer *b, uint32_t off, uint32_t len)
{
	return (struct frame){ .buf = (void *)b, .data = b->bytes + off, .len = len,
			       .room = (uint16_t)(BUFFER_BYTES - off) };
}

/* One turn passes for the frames held back: those whose time has come go to the end of the line. */
static void late_pass(struct end *e)
{
	struct buffer *b = e->late.first;

	e->late = (struct queue){ .last = &e->late.first };
	while (b) { /* at most n_buffers */
		struct buffer *next = b->next;

		queue_put(--b->late == 0 ? &e->arrived : &e->late, b);
		b = next;
	}
}

/* A copy of the frame is on its way to e. */
static void deliver(struct end *e, const struct frame *f, uint32_t late, bool flip, uint64_t bit)
{
	struct buffer *b = buffer_take(e, PLACE_FLIGHT);

	if (!b) {
		e->stats.rx_nombuf++;
		return;
	}
	b->off = FRAME_HEADROOM;
	b->len = f->len;
	memcpy(b->bytes + b->off, f->data, f->len);
	if (flip && f->len > 0) {
		bit %= f->len * 8u;
		b->bytes[b->off + bit / 8] ^= (uint8_t)(1u << bit % 8);
		e->stats.rx_errors++;
	}
	b->late = late;
	queue_put(late > 0 ? &e->late : &e->arrived, b);
	ASAN_POISON_MEMORY_REGION(b->bytes, BUFFER_BYTES);
}

static void send_one(struct end *from, const struct frame *f)
{
	const struct port_memory_faults *faults = &from->pair->faults;
	struct end *to = from->other;
	/* all drawn for each frame, so that one rate does not shift the others' luck */
	bool lost = happens(from, faults->loss_ppm);
	bool twice = happens(from, faults->duplicate_ppm);
	bool late = happens(from, faults->reorder_ppm);
	bool flip = happens(from, faults->flip_ppm);
	uint64_t bit = draw(from), delay = draw(from) % LATE_MAX + 1;

	from->stats.tx_frames++;
	if (lost)
		to->stats.rx_missed++;
	else
		deliver(to, f, late ? (uint32_t)delay + 1 : 0, flip, bit);
	if (!lost && twice)
		deliver(to, f, 0, false, 0);
	late_pass(to);
}

static uint32_t memory_tx(struct port *p, uint16_t queue, struct frame *f, uint32_t n)
{
	struct end *e = p->impl;

	for (uint32_t k = 0; k < n; k++) {
		struct buffer *b = f[k].buf;

		must(f[k].data >= b->bytes && f[k].len <= DATA_BYTES &&
		     f[k].data + f[k].len <= b->bytes + BUFFER_BYTES);
		must(b->place == PLACE_OUT);
		send_one(e, &f[k]);
		buffer_give(b, PLACE_OUT);
		f[k].buf = NULL;
	}
	return n;
}

static uint32_t memory_rx(struct port *p, uint16_t queue, struct frame *f, uint32_t max)
{
	struct end *e = p->impl;
	uint32_t n = 0;

	if (!e->arrived.first)
		late_pass(e);
	while (n < max && e->arrived.first) {
		struct buffer *b = queue_take(&e->arrived);

		b->place = PLACE_OUT;
		ASAN_UNPOISON_MEMORY_REGION(b->bytes, BUFFER_BYTES);
		f[n++] = frame_of(b, b->off, b->len);
	}
	e->stats.rx_frames += n;
	return n;
}

static bool memory_alloc(struct port *p, struct frame *f)
{
	struct end *e = p->impl;
	struct buffer *b = buffer_take(e, PLACE_OUT);

	if (!b)
		return false;
	*f = frame_of(b, FRAME_HEADROOM, 0);
	return true;
}

static void memory_frame_free(struct port *p, struct frame *f)
{
	buffer_give(f->buf, PLACE_OUT);
	f->buf = NULL;
}

static int memory_fd(struct port *p, uint16_t queue)
{
	return -1;
}

static void memory_stats(struct port *p, struct port_stats *s)
{
	const struct end *e = p->impl;

	*s = e->stats;
}

static bool memory_link_up(struct port *p)
{
	return true;
}

/* The pair outlives its ports: port_memory_free() ends both. */
static void memory_close(struct port *p)
{
	p->impl = NULL;
}

static const struct port_ops memory_ops = {
	.rx = memory_rx,
	.tx = memory_tx,
	.alloc = memory_alloc,
	.free = memory_frame_free,
	.fd = memory_fd,
	.stats = memory_stats,
	.link_up = memory_link_up,
	.close = memory_close,
};

static bool end_make(struct port_memory *m, uint32_t k, uint32_t n_buffers, struct port *p)
{
	struct end *e = &m->end[k];

	e->buffers = calloc(n_buffers, sizeof(*e->buffers));
	e->memory = calloc(n_buffers, BUFFER_BYTES);
	if (!e->buffers || !e->memory)
		return false;
	e->pair = m;
	e->other = &m->end[1 - k];
	e->n_buffers = n_buffers;
	e->random = m->faults.seed * ENDS + k;
	e->arrived.last = &e->arrived.first;
	e->late.last = &e->late.first;
	for (uint32_t b = 0; b < n_buffers; b++) {
		e->buffers[b] = (struct buffer){ .end = e, .place = PLACE_OUT,
						 .bytes = e->memory + (size_t)b * BUFFER_BYTES };
		buffer_give(&e->buffers[b], PLACE_OUT);
	}
	*p = (struct port){ .ops = &memory_ops, .impl = e };
	p->info = (struct port_info){ .driver = "memory", .mtu = MTU, .queues = 1, .link_up = true,
				      .numa_node = UINT32_MAX }; /* CONF_AUTO: on no node */
	p->info.mac[0] = 2; /* locally administered, IEEE 802 */
	p->info.mac[5] = (uint8_t)(0xa + k);
	return true;
}

struct port_memory *port_memory_new(uint32_t n_buffers, const struct port_memory_faults *faults,
				    struct port *a, struct port *b)
{
	struct port_memory *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	if (faults)
		m->faults = *faults;
	if (end_make(m, 0, n_buffers, a) && end_make(m, 1, n_buffers, b))
		return m;
	port_memory_free(m);
	return NULL;
}

void port_memory_free(struct port_memory *m)
{
	if (!m)
		return;
	for (uint32_t k = 0; k < ENDS; k++) {
		struct end *e = &m->end[k];

		if (e->memory)
			ASAN_UNPOISON_MEMORY_REGION(e->memory, (size_t)e->n_buffers * BUFFER_BYTES);
		free(e->memory);
		free(e->buffers);
	}
	free(m);
}

uint32_t port_memory_in_use(const struct port_memory *m, int end)
{
	return m->end[end].n_buffers - m->end[end].n_free;
}
