/* SPDX-License-Identifier: Apache-2.0 */
/* First pass over a SIP message: start line, header index, and the few values that every hop needs.
 *
 * The result holds offsets, no pointers, so that it can lie in shared memory beside the untouched
 * bytes: the core parses once, control reads the index and never parses again (rule 2). Header
 * structure that not every message needs (uri.h, addr.h, via.h, param.h) is decoded when asked.
 *
 * sip_msg_parse() goes on after a fault as far as it can, so that a 400 can be built from what is
 * readable. The first fault is the one reported. Message size is at most 65,535 bytes.
 * Pure; runs anywhere; no allocation. RFC 3261 §7, §8.1.1, §16.3, §18.3, §20, §25. */
#pragma once
#include "platform/base/err.h"
#include "platform/sip/hdr.h"

#define SIP_MSG_MAX 65535
#define SIP_HDRS_MAX 192 /* header lines indexed; the configured limit is at most this */

struct sip_span {
	uint16_t off, len; /* into the message; len 0: absent or empty */
};

struct sip_line {
	uint16_t off;       /* of the name                                                  */
	uint16_t value_off; /* leading and trailing white space left out; folds are inside  */
	uint16_t value_len;
	uint8_t id;         /* enum sip_hdr_id                                              */
	uint8_t next;       /* next line of the same id (not kept for SIP_H_OTHER), or 255  */
};

enum sip_uri_scheme {
	SIP_URI_NONE,
	SIP_URI_SIP,
	SIP_URI_SIPS,
	SIP_URI_TEL,
	SIP_URI_URN,
	SIP_URI_OTHER
};

struct sip_msg {
	uint16_t len_bytes;   /* head and body; octets after the body are not counted (§18.3)   */
	uint16_t body_off;
	uint16_t body_len;
	uint16_t head_end;    /* where the empty line starts that ends the head                 */
	uint16_t status;      /* 100..699 in a response, 0 in a request                         */
	uint8_t method;       /* enum sip_method: of the request, of CSeq in a response         */
	uint8_t n_lines;
	uint8_t ruri_scheme;  /* enum sip_uri_scheme                                            */
	uint8_t flags;        /* SIP_MSG_*                                                      */
	uint16_t max_forwards; /* 0..255; SIP_NO_MAX_FORWARDS where the header is absent        */
	uint16_t ruri_port;   /* 0 where absent                                                 */
	uint32_t cseq;
	uint32_t expires_s;   /* SIP_NO_EXPIRES where absent; larger than 2^32-1 is clipped     */
	struct sip_span method_text; /* of the start line, or of CSeq in a response             */
	struct sip_span ruri;        /* request: the whole Request-URI. response: the reason    */
	struct sip_span ruri_user;   /* with password and params of the user part, raw; tel: all   */
	struct sip_span ruri_host;   /* IPv6 with its brackets                                  */
	struct sip_span call_id;
	struct sip_span from_tag, to_tag;
	struct sip_span from_uri, to_uri;  /* addr-spec without <>                              */
	struct sip_span via_branch;  /* of the top Via                                          */
	struct sip_span via_sent_by; /* host[:port] of the top Via, raw                         */
	struct sip_span via_host;    /* IPv6 with its brackets                                  */
	uint16_t via_port;           /* 0 where absent                                          */
	uint16_t via_value_len;      /* octets of the top Via value, which starts its line      */
	uint8_t first[88];           /* by id: index of the first line, 255 where absent        */
	struct sip_line line[SIP_HDRS_MAX]; /* n_lines of them are valid; copy only those       */
};
_Static_assert(SIP_H_COUNT <= 88, "first[] is too small for the header table");
#define SIP_NO_MAX_FORWARDS 0xffff
#define SIP_NO_EXPIRES 0xffffffffu
enum {
	SIP_MSG_VIA_RPORT = 1,      /* top Via carries ;rport, with or without a value      */
	SIP_MSG_TO_TAG = 2,         /* To has a tag parameter: the request is in a dialog   */
	SIP_MSG_MAGIC_BRANCH = 4,   /* top Via branch starts with z9hG4bK (any case)        */
	SIP_MSG_RURI_USER = 8,      /* Request-URI has a user part (an '@')                 */
};

struct sip_limits {
	uint32_t msg_bytes;    /* 1 .. SIP_MSG_MAX      -> 513 */
	uint32_t uri_bytes;    /* Request-URI           -> 414 */
	uint32_t header_bytes; /* one header line       -> 400 */
	uint32_t headers;      /* lines, <= SIP_HDRS_MAX -> 400 */
};

/* What is wrong. status 0: these bytes are not SIP at all, or a response: drop, no answer. */
struct sip_fault {
	int err;          /* -E_*                                                       */
	uint16_t status;  /* 400, 414, 416, 505, 513; 0 drop                            */
	uint16_t off;     /* of the first octet that is wrong                           */
	uint8_t hdr;      /* enum sip_hdr_id of the header at fault, or SIP_H_OTHER     */
	bool answerable;  /* a reply can be made: the top Via could be read, and From, To, Call-ID
			   * and CSeq stand and hold nothing that may not be sent back      */
	const char *text; /* static: reason phrase, e.g. "Bad CSeq header"              */
};

/* Parse a datagram, or one framed message of a stream, and check what every hop must check:
 *   start line (single SP, SIP/2.0, token method, URI scheme); names and values; folding; limits;
 *   Via, From, To, Call-ID, CSeq there, once where they may stand once, and well formed (every Via
 *   line by its grammar, From and To by addr rules: balanced quotes and brackets); CSeq number
 *   < 2^31 and method equal to the start line's; Max-Forwards 0..255; Content-Length once, digits,
 *   not beyond the datagram; Contact where it stands well formed;
 *   Content-Length absent: the body is the rest (§18.3); octets after the body are left out.
 * A missing Max-Forwards is no fault (RFC 2543 elements; §16.3 step 3).
 * in     buf              borrowed, unchanged
 * out    m                filled as far as possible also when a fault is found; first[], line[]
 *        f                set where ret < 0
 * ret    0 · < 0 (f->err)
 * runs   any core, control; pure */
int sip_msg_parse(struct str buf, const struct sip_limits *limits, struct sip_msg *m,
		  struct sip_fault *f);

/* What of a struct sip_msg must be copied: everything up to and with the last valid line. */
static inline size_t sip_msg_bytes(const struct sip_msg *m)
{
	return offsetof(struct sip_msg, line) + (size_t)m->n_lines * sizeof(struct sip_line);
}
/* Whether an index that came from another process lies wholly inside len_bytes of message; after
 * that the accessors below cannot read outside. O(n_lines). */
bool sip_msg_index_ok(const struct sip_msg *m, uint32_t len_bytes);

static inline struct str sip_span_str(const char *base, struct sip_span s)
{
	return (struct str){ base + s.off, s.len };
}
/* First line of a header, or NULL; the next of the same header, or NULL. */
const struct sip_line *sip_msg_first(const struct sip_msg *m, enum sip_hdr_id id);
const struct sip_line *sip_msg_next(const struct sip_msg *m, const struct sip_line *line);
/* Value and name of a line; offset after its line end (= where the next line starts). */
struct str sip_line_value(const char *base, const struct sip_line *line);
struct str sip_line_name(const char *base, const struct sip_line *line);
uint16_t sip_line_end(const struct sip_msg *m, const struct sip_line *line);
/* Walk the comma-separated elements of all lines of a header (commas in quotes, <> and comments do
 * not separate; empty elements are left out). Start with it = {0}. */
struct sip_list {
	const struct sip_line *line;
	uint32_t pos; /* in the line's value */
	bool begun;
};
bool sip_list_next(const char *base, const struct sip_msg *m, enum sip_hdr_id id,
		   struct sip_list *it, struct str *element);
