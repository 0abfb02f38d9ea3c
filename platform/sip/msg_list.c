/* SPDX-License-Identifier: Apache-2.0 */
/* Reading an index: lines, values, lists; and whether an index that came from elsewhere can be
 * read.
 *
 * The accessors trust the index: sip_msg_parse() makes only good ones, and sip_msg_index_ok() is
 * the door for those that another process wrote. Chains run upwards only, so that every walk ends.
 * RFC 3261 §7.3.1. */
#include "platform/sip/lex.h"
#include "platform/sip/msg_part.h"

#define NO_LINE 255

const struct sip_line *sip_msg_first(const struct sip_msg *m, enum sip_hdr_id id)
{
	uint8_t n = (unsigned)id < SIP_H_COUNT ? m->first[id] : NO_LINE;

	return n == NO_LINE ? NULL : &m->line[n];
}

const struct sip_line *sip_msg_next(const struct sip_msg *m, const struct sip_line *line)
{
	if (line->id != SIP_H_OTHER)
		return line->next == NO_LINE ? NULL : &m->line[line->next];
	for (line++; line < m->line + m->n_lines; line++)
		if (line->id == SIP_H_OTHER)
			return line;
	return NULL;
}

struct str sip_line_value(const char *base, const struct sip_line *line)
{
	return (struct str){base + line->value_off, line->value_len};
}

struct str sip_line_name(const char *base, const struct sip_line *line)
{
	uint32_t end = line->off;

	while (end < line->value_off && lex_is(base[end], LEX_TOKEN))
		end++;
	return (struct str){base + line->off, end - line->off};
}

uint16_t sip_line_end(const struct sip_msg *m, const struct sip_line *line)
{
	return line + 1 < m->line + m->n_lines ? line[1].off : m->head_end;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Index of the comma that ends the element at i, or the end. Quotes shield < and comments, <
 * shields comments: a URI may hold parentheses. */
static uint32_t element_end(struct str v, uint32_t i)
{
	bool quoted = false, bracketed = false;
	uint32_t comment = 0;

	for (; i < v.len; i++) {
		char c = v.s[i];

		if (c == '\\' && (quoted || comment != 0))
			i++;
		else if (quoted)
			quoted = c != '"';
		else if (bracketed)
			bracketed = c != '>';
		else if (c == '(')
			comment++;
		else if (c == ')')
			comment -= comment != 0;
		else if (comment != 0)
			continue;
		else if (c == ',')
			return i;
		else if (c == '"')
			quoted = true;
		else if (c == '<')
			bracketed = true;
	}
	return v.len;
}

bool msg_list_cut(struct str value, uint32_t *pos, struct str *element)
{
	uint32_t start = *pos, end;

	if (start > value.len)
		return false;
	end = element_end(value, start);
	*pos = end + 1;
	while (start < end && is_blank(value.s[start]))
		start++;
	while (end > start && is_blank(value.s[end - 1]))
		end--;
	*element = (struct str){value.s + start, end - start};
	return true;
}

bool sip_list_next(const char *base, const struct sip_msg *m, enum sip_hdr_id id,
		   struct sip_list *it, struct str *element)
{
	if (!it->begun) {
		it->begun = true;
		it->line = sip_msg_first(m, id);
		it->pos = 0;
	}
	while (it->line) {
		struct str value = sip_line_value(base, it->line);

		while (msg_list_cut(value, &it->pos, element))
			if (element->len != 0)
				return true;
		it->line = sip_msg_next(m, it->line);
		it->pos = 0;
	}
	return false;
}

static bool spans_ok(const struct sip_msg *m, uint32_t len)
{
	const struct sip_span spans[] = {m->method_text, m->ruri,	 m->ruri_user,
					 m->ruri_host,	 m->call_id,	 m->from_tag,
					 m->to_tag,	 m->from_uri,	 m->to_uri,
					 m->via_branch,	 m->via_sent_by, m->via_host};

	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++)
		if ((uint32_t)spans[i].off + spans[i].len > len)
			return false;
	return true;
}

static bool values_ok(const struct sip_msg *m, uint32_t len)
{
	return m->len_bytes <= len && m->body_off <= m->len_bytes &&
	       m->body_len <= m->len_bytes - m->body_off && m->head_end <= m->body_off &&
	       m->n_lines <= SIP_HDRS_MAX && m->method < SIP_M_COUNT &&
	       m->ruri_scheme <= SIP_URI_OTHER &&
	       (m->status == 0 || (m->status >= 100 && m->status < 700)) &&
	       (m->max_forwards <= 255 || m->max_forwards == SIP_NO_MAX_FORWARDS);
}

bool sip_msg_index_ok(const struct sip_msg *m, uint32_t len_bytes)
{
	uint32_t end = 0;
	uint8_t via;

	if (!values_ok(m, len_bytes) || !spans_ok(m, m->len_bytes))
		return false;
	for (unsigned i = 0; i < m->n_lines; i++) {
		const struct sip_line *l = &m->line[i];

		if (l->off < end || l->value_off < l->off || l->id >= SIP_H_COUNT)
			return false;
		end = (uint32_t)l->value_off + l->value_len;
		if (end > m->head_end)
			return false;
		if (l->next != NO_LINE &&
		    (l->next <= i || l->next >= m->n_lines || m->line[l->next].id != l->id))
			return false;
	}
	for (unsigned id = 0; id < SIP_H_COUNT; id++)
		if (m->first[id] != NO_LINE &&
		    (m->first[id] >= m->n_lines || m->line[m->first[id]].id != id))
			return false;
	via = m->first[SIP_H_VIA];
	return m->via_value_len == 0 ||
	       (via != NO_LINE && m->via_value_len <= m->line[via].value_len);
}
