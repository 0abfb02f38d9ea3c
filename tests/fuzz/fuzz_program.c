/* SPDX-License-Identifier: Apache-2.0 */
/* Programs. The first octet chooses:
 *   even  the rest is a program as a hostile process would leave it: octet 1 the length of the
 *         message, octets 2 and 3 the room for the result, then words. It lies, like message and
 *         room, before a forbidden page, and a second, slower reading must come to the same.
 *   odd   the rest is a list of edits, five octets each, after the length of the message and the
 *         room for words: the writer refuses them, or what it makes of them is rendered, to as
 *         many octets as the edits leave. */
#include <stddef.h>
#include <stdint.h>

#include "platform/sip/edit.h"
#include "tests/guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ROOM_MAX 65536
#define INPUT_MAX 131072
#define MSG_MAX 255

static struct {
	struct guard words, base, room;
	bool open;
} pages;

static void open_pages(void)
{
	if (pages.open)
		return;
	guard_open(&pages.words, INPUT_MAX);
	guard_open(&pages.base, MSG_MAX);
	guard_open(&pages.room, ROOM_MAX);
	pages.open = true;
}

/* Read octet by octet, with 64-bit sums: ret as sip_program_render(). */
static int read_slowly(const uint8_t *p, uint64_t n_bytes, const uint8_t *base, uint64_t base_len,
		       uint8_t *to, uint64_t cap)
{
	uint64_t at = 0, len = 0;

	while (at < n_bytes) {
		uint16_t off, n;
		const uint8_t *from;

		memcpy(&off, p + at, 2);
		memcpy(&n, p + at + 2, 2);
		at += 4;
		from = off == SIP_OP_TEXT ? p + at : base + off;
		if (n == 0)
			return -E_BAD_RECORD;
		if (off == SIP_OP_TEXT ? at + (n + 3ull) / 4 * 4 > n_bytes
				       : (uint64_t)off + n > base_len)
			return -E_BAD_RECORD;
		if (len + n > cap)
			return -E_TOO_LONG;
		for (uint64_t i = 0; i < n; i++)
			to[len++] = from[i];
		if (off == SIP_OP_TEXT)
			at += (n + 3ull) / 4 * 4;
	}
	return len ? (int)len : -E_BAD_RECORD;
}

static void run_hostile(const uint8_t *data, size_t size)
{
	static const uint8_t message[MSG_MAX] =
		"OPTIONS sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n\r\n";
	static uint8_t expected[ROOM_MAX];
	uint32_t base_len, cap, n;
	const struct sip_op *word;
	const char *base;
	char *room;
	int got, should;

	if (size < 3)
		return;
	base_len = data[0];
	cap = (uint32_t)data[1] << 8 | data[2];
	n = (uint32_t)((size - 3) / sizeof(*word));
	if (n > INPUT_MAX / sizeof(*word))
		n = INPUT_MAX / sizeof(*word);
	word = guard_tail(&pages.words, data + 3, n * sizeof(*word));
	base = guard_tail(&pages.base, message, base_len);
	room = guard_tail(&pages.room, expected, cap);
	got = sip_program_render(word, n, base, base_len, room, cap);
	should = read_slowly(data + 3, n * sizeof(*word), message, base_len, expected, cap);
	must(got == should);
	must(got < 0 || memcmp(room, expected, (size_t)got) == 0);
}

static void run_edits(const uint8_t *data, size_t size)
{
	static const char message[MSG_MAX] = "message";
	static struct sip_edit e;
	static struct sip_op word[2048];
	static char room[MSG_MAX + SIP_EDIT_TEXT_MAX];
	struct sip_program p;
	uint32_t len;
	int r;

	if (size < 2)
		return;
	len = data[0];
	sip_edit_init(&e);
	/* word[] is sometimes too small: the writer must see it */
	p = sip_program_of(word, (data[1] & 1) ? 2048 : data[1]);
	for (data += 2, size -= 2; size >= 5; data += 5, size -= 5) {
		struct str text = { (const char *)data, data[4] % 6 };

		/* refusals stay in e.err, which sip_edit_program() returns */
		(void)sip_edit_replace(&e, data[0] + (data[3] & 1 ? data[1] * 256u : 0), data[2],
				       text);
	}
	r = sip_edit_program(&e, len, &p);
	if (r != 0)
		return;
	for (uint32_t i = 0; i < e.n; i++)
		len = len + e.change[i].text_len - e.change[i].del;
	r = sip_program_render(p.word, p.n, message, MSG_MAX, room, sizeof(room));
	must(len == 0 ? r == -E_BAD_RECORD : r == (int)len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	open_pages();
	if (size == 0)
		return 0;
	if (data[0] & 1)
		run_edits(data + 1, size - 1);
	else
		run_hostile(data + 1, size - 1);
	return 0;
}
