/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the message parser share; private to msg*.c. One struct msg_work lives for one
 * sip_msg_parse(). Offsets are into the message, ends are exclusive. */
#pragma once
#include "platform/sip/msg.h"

struct msg_work {
	const char *p;
	uint32_t len; /* octets looked at, <= SIP_MSG_MAX                                    */
	const struct sip_limits *limits;
	struct sip_msg *m;
	struct sip_fault *f;
	bool response;	 /* the start line begins with SIP/: no fault is answered              */
	bool via_read;	 /* the top Via is understood                                          */
	bool unsendable; /* a line that a reply copies holds a NUL or stray CR, or is not indexed */
	uint8_t last[SIP_H_COUNT]; /* last line so far of the ids in m->first                    */
};

/* Keeps the first fault. text is static. */
void msg_fault(struct msg_work *w, int err, uint16_t status, enum sip_hdr_id hdr, uint32_t off,
	       const char *text);
/* "Bad <name> header" */
void msg_bad_header(struct msg_work *w, int err, enum sip_hdr_id hdr, uint32_t off);

/* msg_start.c: the line p[start..end), with no fold and no stray octets. */
void msg_start_line(struct msg_work *w, uint32_t start, uint32_t end);
/* msg_check.c: the values of the indexed lines. Sets the body too. */
void msg_check(struct msg_work *w);

/* msg_list.c: the next element of a list value from *pos on, trimmed; *pos moves behind its comma.
 * Empty elements are given. ret false at the end; an empty value has one empty element. */
bool msg_list_cut(struct str value, uint32_t *pos, struct str *element);

/* msg_usual.c: the shapes that nearly all traffic has, read in one go. 0 means "not that shape",
 * not "malformed": the strict functions decide then. What is taken here they take too, with the
 * same result. */
struct msg_uri {
	enum sip_uri_scheme scheme;
	uint32_t user, user_end; /* equal: no user part */
	uint32_t host, host_end;
	uint16_t port;
};
bool msg_usual_uri(const char *s, uint32_t n, struct msg_uri *u);

struct msg_via {
	uint32_t sent_by, sent_by_end, host_end; /* the host starts sent_by       */
	uint32_t branch, branch_end;		 /* equal: no branch              */
	uint16_t port;
	bool rport, received;
};
/* The element that s[0..n) starts with. ret its end: n, or where a comma stands */
uint32_t msg_usual_via(const char *s, uint32_t n, struct msg_via *v);

struct msg_addr {
	uint32_t uri, uri_end;
	uint32_t tag, tag_end; /* equal: no tag */
};
uint32_t msg_usual_addr(const char *s, uint32_t n, struct msg_addr *a);
