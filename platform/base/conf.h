/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration: a libconfig file -> one immutable value.
 *
 * struct conf holds no pointer, so it can be copied, hashed, compared and lie in the link region.
 * All keys stand in one table (conf_keys.def); from it come the reader, the defaults, the bounds,
 * --print-defaults, docs/CONFIG.md and the tests. A file is read to its end: every complaint is
 * reported, with file and line (files pulled in by @include too), and an unknown key is refused with
 * the nearest known one. Runs at start and in tools: it allocates, and reads files. */
#pragma once
#include "platform/base/err.h"
#include "platform/base/ip.h"

#define CONF_NAME_MAX 32     /* names of ports, interfaces, listeners, with terminator */
#define CONF_TEXT_MAX 256    /* device strings, paths, host names                       */
#define CONF_PORTS_MAX 8
#define CONF_INTERFACES_MAX 16
#define CONF_ADDRESSES_MAX 8 /* per interface */
#define CONF_ROUTES_MAX 32   /* per interface */
#define CONF_HOPS_MAX 4      /* next hops of a route */
#define CONF_LISTENERS_MAX 32
#define CONF_DOMAINS_MAX 64
#define CONF_HOSTS_MAX 128
#define CONF_POLLED_MAX 16   /* polled cores */
#define CONF_SHARDS_MAX 16
#define CONF_CLASSES 5       /* message slot classes: 1, 2, 4, 16, 64 KiB */

struct conf_port {
	char name[CONF_NAME_MAX];
	char device[CONF_TEXT_MAX]; /* PCI address, env:NAME, or a vdev with its arguments; several,
				     * parted by '|', are tried in order                          */
	uint32_t queues;            /* 0: one per polled core, as far as the device has them      */
	uint32_t rx_descriptors, tx_descriptors;
	uint32_t numa_node;         /* CONF_AUTO: the device's                                    */
};
#define CONF_AUTO 0xffffffffu

struct conf_route {
	struct ip_prefix to;
	struct ip hop[CONF_HOPS_MAX];
	uint32_t n_hops;
};
struct conf_interface {
	char name[CONF_NAME_MAX];
	char port[CONF_NAME_MAX];
	uint32_t port_index;        /* of that name, filled by the reader                         */
	uint32_t vlan;              /* 0: untagged, else 1..4094                                  */
	uint32_t mtu;               /* 576..9000; IPv6 needs 1280                                 */
	uint32_t n_addresses, n_routes;
	struct ip_prefix address[CONF_ADDRESSES_MAX];
	struct conf_route route[CONF_ROUTES_MAX];
};

enum conf_transport { CONF_UDP = 1, CONF_TCP, CONF_TLS, CONF_WS, CONF_WSS }; /* = enum sip_transport */
enum conf_options { CONF_OPTIONS_CORE, CONF_OPTIONS_CONTROL };
struct conf_listener {
	char name[CONF_NAME_MAX];
	char interface[CONF_NAME_MAX];
	uint32_t interface_index;   /* filled by the reader                                       */
	struct ip address;          /* one of the interface's                                     */
	uint32_t port;              /* default 5060                                               */
	uint32_t transport;         /* enum conf_transport; others than udp are refused for now   */
	char advertise[CONF_TEXT_MAX]; /* host[:port] written into Via, Record-Route, ...; "" = own */
	uint32_t dscp;              /* 0..63                                                      */
	char realm[CONF_TEXT_MAX];  /* "" = the domain of the request                             */
	uint32_t options;           /* enum conf_options: who answers OPTIONS to ourselves        */
};
struct conf_host {              /* static name table, used before any DNS                     */
	char name[CONF_TEXT_MAX];
	struct ip address;
	uint32_t port;              /* 0: default of the transport                                */
	uint32_t transport;
};

struct conf {
	/* node */
	uint32_t node_id;           /* 1..65535, part of every minted id in a fleet               */
	char state_dir[CONF_TEXT_MAX]; /* run number, operator decisions                          */
	char run_dir[CONF_TEXT_MAX];   /* sockets: dataplane.sock, control.sock                   */
	char user[CONF_NAME_MAX];      /* run as; "" = stay who we are                            */
	char log_level[CONF_NAME_MAX];
	/* cores */
	char cpus[CONF_TEXT_MAX];      /* "auto" (those the process may use) or a list "2,3,8-11" */
	uint32_t polled;               /* polled cores                                            */
	uint32_t shards;               /* control shards                                          */
	/* memory: all taken at start */
	uint32_t huge_mib;             /* ceiling for link region + packet buffers                */
	uint32_t slots[CONF_CLASSES];  /* message slots per polled core, by class                 */
	uint32_t transactions, branches, bindings, edit_blocks; /* per shard                      */
	uint32_t ring_records;         /* per ring, a power of two                                */
	uint32_t packet_buffers;       /* per polled core                                         */
	uint32_t reserve_percent;      /* kept in each pool for in-dialog work                    */
	/* limits on input */
	uint32_t msg_bytes, uri_bytes, header_bytes, headers;
	uint32_t neighbours, fragment_bytes, fragment_bytes_per_source, fragment_timeout_ms;
	uint32_t udp_size_rule;        /* RFC 3261 §18.1.1: 0 off (fragment), 1 on                */
	/* transaction timers, RFC 3261 §17 (ms) */
	uint32_t t1_ms, t2_ms, t4_ms, timer_b_ms, timer_c_ms, timer_d_ms, hold_ms; /* hold: J, H, L, M */
	/* control process */
	uint32_t control_hang_ms;      /* loop progress stops for so long: fenced; 0 = never      */
	uint32_t control_lost_ms;      /* gone for so long: new requests get 503                  */
	uint32_t hold_requests_ms;     /* a full or unread up ring holds requests so long         */
	/* proxy and registrar */
	uint32_t record_route;         /* bool */
	uint32_t expires_default_s, expires_min_s, expires_max_s, contacts_max;
	uint32_t n_domains;
	char domain[CONF_DOMAINS_MAX][CONF_TEXT_MAX];
	uint32_t n_hosts;
	struct conf_host host[CONF_HOSTS_MAX];
	uint32_t n_ports, n_interfaces, n_listeners;
	struct conf_port port[CONF_PORTS_MAX];
	struct conf_interface interface[CONF_INTERFACES_MAX];
	struct conf_listener listener[CONF_LISTENERS_MAX];
};

/* Complaints, one a line: "FILE:LINE: what is wrong, what to do\n". Line 0: the file as a whole. */
struct conf_report {
	char text[16384];
	uint32_t len, complaints; /* complaints counts also those that did not fit */
};

/* Read and check a file.
 * out    c   whole only when 0 is returned; every byte defined, so that equal settings are equal bytes
 * ret    0 · -E_MALFORMED (r tells) · -errno (the file cannot be read; r tells) */
int conf_read(const char *path, struct conf *c, struct conf_report *r);
/* All defaults, no ports, interfaces or listeners. */
void conf_defaults(struct conf *c);
/* Hash of the whole value: what two processes compare. */
uint64_t conf_hash(const struct conf *c);
/* Names of the keys in which a and b differ, parted by ", ", into out; ret how many. */
uint32_t conf_diff(const struct conf *a, const struct conf *b, struct strbuf *out);
/* Every key with its default, bounds, unit and sentence, as a commented configuration file. */
void conf_print_defaults(struct strbuf *out);
/* The same as a Markdown table (docs/CONFIG.md is made of it, a test compares them). */
void conf_print_doc(struct strbuf *out);
