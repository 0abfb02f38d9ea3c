/* SPDX-License-Identifier: Apache-2.0 */
/* STUN binding: RFC 5769 style vectors made by hand, attributes, fingerprint, every prefix. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "platform/base/err.h"
#include "tests/guard.h"
#include "tests/unit/net/fakeport.h"

/* A request with the attributes given as raw octets. */
static uint32_t request(uint8_t *m, const void *attributes, uint32_t len)
{
	static const uint8_t head[20] = {0,    1, 0,	0,    0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7,
					 0xa7, 1, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae};

	memcpy(m, head, 20);
	m[3] = (uint8_t)len;
	if (len > 0)
		memcpy(m + 20, attributes, len);
	return 20 + len;
}

static int answer(const uint8_t *m, uint32_t len, const char *peer, uint16_t port, uint8_t *out)
{
	struct ip ip = ip_of(peer);

	return udp_stun_answer(str_of(m, len), &ip, port, out, 128);
}

/* Bit by bit, unlike the code under test. */
static uint32_t crc(const uint8_t *p, uint32_t len)
{
	uint32_t c = 0xffffffff;

	for (uint32_t i = 0; i < len; i++) {
		c ^= p[i];
		for (int k = 0; k < 8; k++)
			c = c & 1 ? c >> 1 ^ 0xedb88320 : c >> 1;
	}
	return ~c ^ 0x5354554e;
}

static uint32_t with_fingerprint(uint8_t *m, uint32_t len)
{
	uint32_t c;

	m[3] = (uint8_t)(len - 20 + 8);
	c = crc(m, len);
	memcpy(m + len,
	       (uint8_t[]){0x80, 0x28, 0, 4, (uint8_t)(c >> 24), (uint8_t)(c >> 16),
			   (uint8_t)(c >> 8), (uint8_t)c},
	       8);
	return len + 8;
}

static void plain_request_v4_gives_the_mapped_address(void **state)
{
	/* address and port of RFC 5769 §2.2 */
	static const uint8_t want[12] = {0, 0x20, 0, 8, 0, 1, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43};
	uint8_t m[64], out[128];
	uint32_t len = request(m, NULL, 0);

	(void)state;
	assert_int_equal(answer(m, len, "192.0.2.1", 32853, out), 32);
	assert_memory_equal(out, "\1\1\0\x0c", 4);
	assert_memory_equal(out + 4, m + 4, 16);
	assert_memory_equal(out + 20, want, 12);
}

static void plain_request_v6_gives_the_mapped_address(void **state)
{
	/* RFC 5769 §2.3 */
	static const uint8_t want[24] = {0,    0x20, 0,	   0x14, 0,    2,    0xa1, 0x47,
					 1,    0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1, 0x79,
					 0xbc, 0x25, 0xf4, 0xb5, 0xbe, 0xd2, 0xb9, 0xd9};
	uint8_t m[64], out[128];
	uint32_t len = request(m, NULL, 0);

	(void)state;
	assert_int_equal(answer(m, len, "2001:db8:1234:5678:11:2233:4455:6677", 32853, out), 44);
	assert_memory_equal(out + 20, want, 24);
}

static void fingerprint_request_is_checked_and_gets_one(void **state)
{
	uint8_t m[64], out[128];
	uint32_t len = with_fingerprint(m, request(m, "\x80\x22\0\3abc\0", 8)), c;

	(void)state;
	assert_int_equal(answer(m, len, "192.0.2.1", 32853, out), 40);
	assert_int_equal(out[3], 20);
	c = crc(out, 32);
	assert_memory_equal(out + 32, "\x80\x28\0\4", 4);
	assert_int_equal((uint32_t)out[36] << 24 | (uint32_t)out[37] << 16 |
				 (uint32_t)out[38] << 8 | out[39],
			 c);
	m[25] ^= 1;
	assert_int_equal(answer(m, len, "192.0.2.1", 32853, out), -E_MALFORMED);
}

static void fingerprint_not_last_is_malformed(void **state)
{
	uint8_t m[64], out[128];
	uint32_t len = with_fingerprint(m, request(m, NULL, 0));

	(void)state;
	memcpy(m + len, "\x80\x22\0\0", 4);
	m[3] = 12;
	assert_int_equal(answer(m, len + 4, "192.0.2.1", 1, out), -E_MALFORMED);
}

static void unknown_required_attributes_are_named_in_420(void **state)
{
	static const uint8_t want[] = {1, 0x11, 0, 0x24, 0x21, 0x12, 0xa4, 0x42};
	static const uint8_t tail[] = {0, 9, 0, 21, 0, 0, 4, 20};
	static const uint8_t named[] = {0, 10, 0, 4, 0, 3, 0x7f, 0xff};
	uint8_t m[128], out[128];
	uint32_t len = request(m,
			       "\0\3\0\4\0\0\0\6"
			       "\x7f\xff\0\0"
			       "\0\3\0\0"
			       "\0\6\0\1u\0\0\0",
			       24);

	(void)state;
	assert_int_equal(answer(m, len, "192.0.2.1", 1, out), 56);
	assert_memory_equal(out, want, 8);
	assert_memory_equal(out + 20, tail, 8);
	assert_memory_equal(out + 28, "Unknown Attribute\0\0\0", 20);
	assert_memory_equal(out + 48, named, 8);
}

static void unknown_ones_in_number_stay_within_the_answer(void **state)
{
	uint8_t m[256], a[160], out[128];
	uint32_t len;

	(void)state;
	for (uint32_t i = 0; i < 40; i++)
		memcpy(a + 4 * i, (uint8_t[]){0x40, (uint8_t)i, 0, 0}, 4);
	len = with_fingerprint(m, request(m, a, 160));
	assert_int_equal(answer(m, len, "192.0.2.1", 1, out), 20 + 28 + 4 + 32 + 8);
	len = request(m, a, 12);
	assert_int_equal(answer(m, len, "192.0.2.1", 1, out), 20 + 28 + 4 + 8);
	assert_int_equal(out[51], 6); /* three of them, and padding */
}

static void behind_integrity_all_is_ignored(void **state)
{
	uint8_t m[128], a[32] = {0, 8, 0, 20}, out[128];

	(void)state;
	memcpy(a + 24, "\0\3\0\4\0\0\0\6", 8);
	assert_int_equal(answer(m, request(m, a, 32), "192.0.2.1", 1, out), 32);
}

static void any_malformed_request_is_refused(void **state)
{
	uint8_t m[64], out[128];
	uint32_t len = request(m, "\0\6\0\1u\0\0\0", 8);

	(void)state;
	m[3] = 7;
	assert_int_equal(answer(m, len - 1, "192.0.2.1", 1, out), -E_MALFORMED);
	m[3] = 12;
	assert_int_equal(answer(m, len, "192.0.2.1", 1, out), -E_MALFORMED);
	m[3] = 8;
	m[23] = 5;
	assert_int_equal(answer(m, len, "192.0.2.1", 1, out), -E_MALFORMED);
	m[23] = 1;
	m[0] = 1;
	assert_int_equal(answer(m, len, "192.0.2.1", 1, out), -E_UNSUPPORTED);
	m[0] = 0x40;
	assert_int_equal(answer(m, len, "192.0.2.1", 1, out), -E_MALFORMED);
}

static void prefix(const void *bytes, size_t len, void *ctx)
{
	uint8_t out[128];
	int want = (size_t) * (uint32_t *)ctx == len ? 40 : -E_MALFORMED;

	assert_int_equal(answer(bytes, (uint32_t)len, "192.0.2.1", 1, out), want);
	(void)udp_payload_kind(str_of(bytes, len));
}

static void any_prefix_is_malformed(void **state)
{
	uint8_t m[64];
	uint32_t len = with_fingerprint(m, request(m, "\0\6\0\1u\0\0\0", 8));

	(void)state;
	guard_each_prefix(m, len, prefix, &len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_request_v4_gives_the_mapped_address),
		cmocka_unit_test(plain_request_v6_gives_the_mapped_address),
		cmocka_unit_test(fingerprint_request_is_checked_and_gets_one),
		cmocka_unit_test(fingerprint_not_last_is_malformed),
		cmocka_unit_test(unknown_required_attributes_are_named_in_420),
		cmocka_unit_test(unknown_ones_in_number_stay_within_the_answer),
		cmocka_unit_test(behind_integrity_all_is_ignored),
		cmocka_unit_test(any_malformed_request_is_refused),
		cmocka_unit_test(any_prefix_is_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
