/* SPDX-License-Identifier: Apache-2.0 */
/* What lies in the link region, and where.
 *
 * The region is one huge-page memfd made by the dataplane and mapped anywhere by both sides: it holds
 * offsets, indexes and handles, never pointers, and no lock. Every field says who writes it (W) and who
 * reads it (R). Sections follow the header in the order of enum link_section; each is an array of
 * equal elements, aligned to 64 octets. Sizes are asserted, since two builds may meet here: a change of
 * any shape raises LINK_VERSION. */
#pragma once
#include "platform/base/conf.h"
#include "platform/base/hash.h"
#include "platform/link/counters.h"
#include "platform/link/flow.h"
#include <stdatomic.h>

#define LINK_MAGIC 0x31656369756c73ull /* "sluice1" */
#define LINK_VERSION 1
#define LINK_VERSION_MIN 1 /* oldest that this build can attach to */
#define LINK_CORES_MAX CONF_POLLED_MAX
#define LINK_SHARDS_MAX CONF_SHARDS_MAX
#define LINK_NONE 0xffffffffu

/* One 64-octet record, by value, on every ring. */
struct link_record {
	uint8_t type;          /* enum link_type                                              */
	uint8_t flags;         /* LINK_F_*                                                    */
	uint16_t words;        /* of the program, all its blocks together                     */
	uint32_t program;      /* first edit block, or LINK_NONE                              */
	uint64_t slot;         /* message slot handle, or 0                                   */
	uint64_t time_us;      /* up: received. down: produced                                */
	struct link_flow flow; /* up: where from. down: where to                              */
	uint32_t cookie;       /* down: given back in LINK_UP_SEND_FAILED (a branch handle's index) */
	uint64_t tag;          /* generation of what cookie names                             */
};
_Static_assert(sizeof(struct link_record) == 64, "a record is one cache line");
enum link_type {
	LINK_NOTHING,
	LINK_UP_MESSAGE,     /* slot holds a parsed message from flow; lent to the shard        */
	LINK_UP_SEND_FAILED, /* what a SEND with LINK_F_REPORT asked for could not be sent      */
	LINK_DOWN_SEND,      /* run the program against the slot (0: no slot), send on flow     */
	LINK_DOWN_RELEASE,   /* the shard is done with the slot                                 */
	LINK_DOWN_ADOPTED,   /* a new control process has marked the slots it holds             */
	LINK_TYPES
};
enum { LINK_F_RELEASE = 1, /* SEND: the slot comes back once sent                             */
       LINK_F_REPORT = 2,  /* SEND: tell when it could not be sent                            */
       LINK_F_HELD = 4 };  /* MESSAGE: waited in the core's FIFO                              */

/* Single producer, single consumer. Indexes only grow; index & (n - 1) is the place. */
struct link_ring {
	_Alignas(64) _Atomic uint64_t head; /* W: producer, release after the records. R: consumer */
	_Alignas(64) _Atomic uint64_t tail; /* W: consumer, once per burst. R: producer (room)     */
	_Atomic uint64_t done;              /* W: consumer, after every message. R: its successor  */
	_Alignas(64) struct link_record record[];
};

/* A loop: polled core or shard. */
struct link_loop {
	_Alignas(64) _Atomic uint32_t sleeping; /* W: the loop  R: producers (doorbell)            */
	uint32_t cpu;                           /* W: the loop at start  R: tools                  */
	_Atomic uint32_t epoch_seen;            /* W: core, start of a pass  R: service thread: all
						 * slots it lends from now on carry this epoch     */
	_Atomic uint64_t progress;              /* W: the loop, each pass  R: service thread (hang) */
	_Atomic uint64_t busy_cycles, idle_cycles; /* W: the loop  R: tools                        */
};

/* Message slots. The word of a slot: generation (32) | epoch (16) | shard (8) | state (8). */
enum link_slot_state { SLOT_FREE, SLOT_CORE, SLOT_LENT };
struct link_slot_class {
	uint32_t payload_bytes, head_bytes; /* head: struct link_slot with its line index          */
	uint32_t lines;                     /* header lines that the head has room for              */
	uint32_t count;                     /* per core                                             */
};

/* Edit blocks: programs (platform/sip/edit.h) in chains. W: the shard that owns them. */
#define LINK_BLOCK_WORDS 62
struct link_block {
	uint32_t next;  /* block index, or LINK_NONE */
	uint32_t words; /* used here                 */
	uint32_t word[LINK_BLOCK_WORDS];
};
_Static_assert(sizeof(struct link_block) == 256, "fixed layout");

/* The intent: redo log of one step of one shard (step.h). */
#define LINK_WRITES_MAX 512
#define LINK_EMITS_MAX 48
#define LINK_SHADOW_BYTES 65536
struct link_write {
	uint64_t off;    /* into the region */
	uint32_t len;
	uint32_t shadow; /* into shadow[]   */
};
struct link_intent {
	_Alignas(64) _Atomic uint32_t valid; /* W: the shard. 1: writes and emits are whole          */
	uint32_t n_writes, n_emits;
	uint32_t shadow_used;
	uint64_t start[LINK_CORES_MAX + LINK_SHARDS_MAX]; /* head of each output ring at the start  */
	struct link_write write[LINK_WRITES_MAX];
	uint32_t emit_ring[LINK_EMITS_MAX];  /* core, or LINK_CORES_MAX + shard                       */
	_Alignas(64) struct link_record emit[LINK_EMITS_MAX];
	_Alignas(64) uint8_t shadow[LINK_SHADOW_BYTES];
};

enum link_section {
	LINK_S_CONF,        /* struct conf; version 1 of the configuration board                      */
	LINK_S_LOOPS,       /* struct link_loop[cores + shards]                                        */
	LINK_S_COUNTERS,    /* uint64_t[COUNTERS] per loop                                             */
	LINK_S_UP,          /* ring per (core, shard)                                                  */
	LINK_S_DOWN,        /* ring per (core, shard)                                                  */
	LINK_S_MESH,        /* ring per ordered pair of shards                                         */
	LINK_S_SLOT_WORDS,  /* _Atomic uint64_t per slot, by core, then class                          */
	LINK_S_SLOT_HELD,   /* uint16_t epoch per slot: W: successor of control, R: cores              */
	LINK_S_SLOT_HEADS0, LINK_S_SLOT_HEADS1, LINK_S_SLOT_HEADS2, LINK_S_SLOT_HEADS3, LINK_S_SLOT_HEADS4,
	LINK_S_SLOT_DATA0, LINK_S_SLOT_DATA1, LINK_S_SLOT_DATA2, LINK_S_SLOT_DATA3, LINK_S_SLOT_DATA4,
	LINK_S_INTENTS,     /* struct link_intent per shard                                            */
	LINK_S_TXN_USED,    /* uint32_t per record: generation << 1 | used; W: shard                   */
	LINK_S_TXNS, LINK_S_TXN_BUCKETS,
	LINK_S_BRANCH_USED, LINK_S_BRANCHES,
	LINK_S_BINDING_USED, LINK_S_BINDINGS, LINK_S_BINDING_BUCKETS,
	LINK_S_BLOCK_USED, LINK_S_BLOCKS,
	LINK_SECTIONS
};
struct link_place {
	uint64_t off;    /* from the start of the region */
	uint64_t stride; /* octets per element            */
	uint64_t count;  /* elements, all loops together  */
};
struct link_keys { /* secret, made at start */
	struct hash_key txn;    /* transaction and AoR keys            */
	struct hash_key branch; /* mark in our Via branches            */
	struct hash_key tag;    /* To tags of stateless replies        */
	struct hash_key steer;  /* message -> shard                    */
};

struct link_header {
	uint64_t magic;
	uint32_t version, version_min;
	uint64_t bytes;            /* of the whole region                                         */
	uint32_t n_cores, n_shards;
	uint32_t ring_records;
	uint32_t txns, branches, bindings, blocks; /* per shard                                   */
	uint32_t txn_buckets, binding_buckets;     /* per shard, powers of two                    */
	uint32_t record_bytes[6];  /* sizes of txn, branch, binding, block, intent, conf           */
	uint64_t run;              /* start number of the dataplane, from the state directory      */
	uint64_t conf_hash;
	uint64_t start_us;         /* CLOCK_MONOTONIC of the dataplane's start                     */
	struct link_keys keys;
	struct link_slot_class class[CONF_CLASSES];
	struct link_place place[LINK_SECTIONS];
	/* fencing: */
	_Alignas(64) _Atomic uint32_t epoch;       /* W: service thread; 0: no control yet. R: all */
	_Atomic uint32_t control_alive;            /* W: service thread. R: cores                  */
	_Atomic uint64_t control_lost_us;          /* W: service thread: since when it is gone     */
	uint32_t control_pid;                      /* W: service thread. R: tools                  */
};
