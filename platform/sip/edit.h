/* SPDX-License-Identifier: Apache-2.0 */
/* Changes to a message without touching it.
 *
 * A struct sip_edit collects inserts, deletes and replacements by offset into the untouched message,
 * in any order. sip_edit_program() turns them into a *program*: a flat run of 32-bit words, free of
 * pointers, that copies ranges of the message and inlines texts. Programs lie in edit blocks in the
 * link region; the core that sends runs them against the slot with sip_program_render(), which checks
 * every word as it would check input from the network. A message that we make from nothing is a
 * program of texts only; a reply is a program over its request (reply.h).
 *
 * Program words, host order (both processes run on one machine):
 *   { off, len }            copy message[off .. off+len)        off <= 0xfffe
 *   { 0xffff, len } bytes   the next len bytes, padded to 4     len >= 1
 * Pure; runs anywhere. */
#pragma once
#include "platform/base/err.h"
#include "platform/base/str.h"

#define SIP_EDITS_MAX 64         /* changes per message: Via, Record-Route, R-URI, Route, ... and scripts */
#define SIP_EDIT_TEXT_MAX 8192   /* bytes of new text per message                                        */
#define SIP_OP_TEXT 0xffff

struct sip_op {
	uint16_t off, len;
};
/* Writer of a program into memory of cap words. full is sticky, like strbuf's. */
struct sip_program {
	struct sip_op *word;
	uint32_t n, cap; /* words */
	bool full;
	uint32_t last; /* word of the last op, where n > 0; private to edit.c */
};
static inline struct sip_program sip_program_of(struct sip_op *word, uint32_t cap)
{
	return (struct sip_program){ .word = word, .cap = cap };
}
void sip_program_copy(struct sip_program *p, uint32_t off, uint32_t len); /* joins adjacent copies */
void sip_program_text(struct sip_program *p, struct str text);            /* joins adjacent texts  */

struct sip_change {
	uint16_t off;      /* where in the message                          */
	uint16_t del;      /* octets left out from there                    */
	uint16_t text_off; /* new text goes here, before what is left out   */
	uint16_t text_len;
};
struct sip_edit {
	uint32_t n;
	uint32_t text_len;
	int err;           /* first error; later calls do nothing           */
	struct sip_change change[SIP_EDITS_MAX];
	char text[SIP_EDIT_TEXT_MAX];
};
void sip_edit_init(struct sip_edit *e);
/* Inserts at one offset keep the order of the calls. ret 0 · -E_TOO_MANY · -E_FULL */
int sip_edit_insert(struct sip_edit *e, uint32_t off, struct str text);
int sip_edit_delete(struct sip_edit *e, uint32_t off, uint32_t len);
int sip_edit_replace(struct sip_edit *e, uint32_t off, uint32_t len, struct str text);
/* Text that several calls write piecewise: begin, write to the strbuf, end (as insert or replace). */
struct strbuf sip_edit_text_begin(struct sip_edit *e);
int sip_edit_text_end(struct sip_edit *e, const struct strbuf *b, uint32_t off, uint32_t del);
/* Program of all changes against a message of msg_len octets. Text put inside a deleted range stays.
 * ret 0 · -E_MALFORMED (deletes overlap, or stand outside) · -E_FULL (p) · e->err */
int sip_edit_program(const struct sip_edit *e, uint32_t msg_len, struct sip_program *p);

/* Run n words over base[0..base_len) into out. Nothing is trusted; an op of length 0 is a bad record,
 * and so is a program that writes nothing.
 * ret > 0 bytes written · -E_BAD_RECORD (a word reads outside base or the program) · -E_TOO_LONG (cap) */
int sip_program_render(const struct sip_op *word, uint32_t n, const char *base, uint32_t base_len,
		       char *out, uint32_t cap);
