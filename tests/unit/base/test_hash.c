/* SPDX-License-Identifier: Apache-2.0 */
/* hash.c against the published SipHash-2-4 vectors (key 00 .. 0f, input 00 .. 3e of each length),
 * then what the vectors do not say: pieces, fields, folding, alignment and bounds. */
#include "platform/base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/guard.h"

#define VECTORS 64

/* 00 .. 0f, read little-endian */
static const struct hash_key vector_key = { { 0x0706050403020100, 0x0f0e0d0c0b0a0908 } };

static const uint64_t narrow[VECTORS] = {
	0x726fdb47dd0e0e31, 0x74f839c593dc67fd, 0x0d6c8009d9a94f5a, 0x85676696d7fb7e2d,
	0xcf2794e0277187b7, 0x18765564cd99a68d, 0xcbc9466e58fee3ce, 0xab0200f58b01d137,
	0x93f5f5799a932462, 0x9e0082df0ba9e4b0, 0x7a5dbbc594ddb9f3, 0xf4b32f46226bada7,
	0x751e8fbc860ee5fb, 0x14ea5627c0843d90, 0xf723ca908e7af2ee, 0xa129ca6149be45e5,
	0x3f2acc7f57c29bdb, 0x699ae9f52cbe4794, 0x4bc1b3f0968dd39c, 0xbb6dc91da77961bd,
	0xbed65cf21aa2ee98, 0xd0f2cbb02e3b67c7, 0x93536795e3a33e88, 0xa80c038ccd5ccec8,
	0xb8ad50c6f649af94, 0xbce192de8a85b8ea, 0x17d835b85bbb15f3, 0x2f2e6163076bcfad,
	0xde4daaaca71dc9a5, 0xa6a2506687956571, 0xad87a3535c49ef28, 0x32d892fad841c342,
	0x7127512f72f27cce, 0xa7f32346f95978e3, 0x12e0b01abb051238, 0x15e034d40fa197ae,
	0x314dffbe0815a3b4, 0x027990f029623981, 0xcadcd4e59ef40c4d, 0x9abfd8766a33735c,
	0x0e3ea96b5304a7d0, 0xad0c42d6fc585992, 0x187306c89bc215a9, 0xd4a60abcf3792b95,
	0xf935451de4f21df2, 0xa9538f0419755787, 0xdb9acddff56ca510, 0xd06c98cd5c0975eb,
	0xe612a3cb9ecba951, 0xc766e62cfcadaf96, 0xee64435a9752fe72, 0xa192d576b245165a,
	0x0a8787bf8ecb74b2, 0x81b3e73d20b49b6f, 0x7fa8220ba3b2ecea, 0x245731c13ca42499,
	0xb78dbfaf3a8d83bd, 0xea1ad565322a1a0b, 0x60e61c23a3795013, 0x6606d7e446282b93,
	0x6ca4ecb15c5f91e1, 0x9f626da15c9625f3, 0xe51b38608ef25f57, 0x958a324ceb064572,
};

static const struct hash128 wide[VECTORS] = {
	{ 0xe6a825ba047f81a3, 0x930255c71472f66d }, { 0x44af996bd8c187da, 0x45fc229b11597634 },
	{ 0xc75da4a48d227781, 0xe4ff0af6de8ba3fc }, { 0x4ea967520cb6709c, 0x51ed8529b0b6335f },
	{ 0xaf8f9c2dc16481f8, 0x7955cd7b7c6e0f7d }, { 0x886f778059876813, 0x27960e69077a5254 },
	{ 0x1386208b33caee14, 0x5ea1d78f30a05e48 }, { 0x53c1dbd8beebf1a1, 0x3982f01fa64ab8c0 },
	{ 0x61f55862baa9623b, 0xb49714f364e2830f }, { 0xabbad90a06994426, 0xed716dbb028b7fc4 },
	{ 0x56691478c30d1100, 0xbafbd0f3d34754c9 }, { 0x77666b3868c55101, 0x18dce5816fdcb4a2 },
	{ 0x58f35e9066b226d6, 0x25c13285f64d6382 }, { 0x108bc0e947e26998, 0xf752b9c44f9329d0 },
	{ 0x9cded766aceffc31, 0x024949e45f48c77e }, { 0x11a8b03399e99354, 0xd9c3cf970fec087e },
	{ 0xbb54b067caa4e26e, 0x77052385bf1533fd }, { 0x98b88d73e8063d47, 0x4077e47ac466c054 },
	{ 0x8548bf23e4e526a4, 0x23f7aefe81a44d29 }, { 0xb0fa65cf31770178, 0xb12e51528920d574 },
	{ 0x7390223f83fc259e, 0xeb3938e8a544933e }, { 0x215a52be5a498e56, 0x121d073ecd14228a },
	{ 0x9a6bd15245b5294a, 0xae0aff8e52109c46 }, { 0xe0f5a9d5dd84d1c9, 0x1c69bf9a9ae28ccf },
	{ 0xd850bd78ae79b42d, 0xad32618a178a2a88 }, { 0x7b445e2d045fce8e, 0x6f8f8dcbeab95150 },
	{ 0xe807c3b3b4530b9c, 0x661f147886e0ae7e }, { 0xe4eaa669af48f2ab, 0x94eb9e122febd3bf },
	{ 0x884b576816da6406, 0xf4ae587302f335b9 }, { 0xe97d33bfc49d4baa, 0xb76a7c463cfdd40c },
	{ 0xde6baf1f477f5cea, 0x87226d68d4d71a2b }, { 0xfcfa233218b03929, 0x353dc4524fde2317 },
	{ 0x3efcea5eca56397c, 0x68eb4665559d3e36 }, { 0x321cf0467107c677, 0xcfffa94e5f9db6b6 },
	{ 0xdf7e84b86c98a637, 0xde549b30f1f02509 }, { 0xf9a8a99de6f005a7, 0xc88c3c922e1a2407 },
	{ 0x4648c4291f7dc43d, 0x11674f90ed769e1e }, { 0x1a0efce601bf620d, 0x2b69d3c551473c0d },
	{ 0x9e667cca8b46038c, 0xb5e7be4b085efde4 }, { 0x9c2caf3bb95b8a52, 0xd92bd2d0e5cc7344 },
	{ 0xad5dc9951e306adf, 0xd83b91c6c80cae97 }, { 0x397f852c90891180, 0xdbb6705e289135e7 },
	{ 0xbb31c2c96a3417e6, 0x5b0ccacc34ae5036 }, { 0xaa21b7ef3734d927, 0x89df5aecdc211840 },
	{ 0x785e9ced9d7d2389, 0x4273cc66b1c9b1d8 }, { 0x657d5ebf91806d4a, 0x4cb150a294fa8911 },
	{ 0x89aee75560f9330e, 0x022949cf3d0efc3f }, { 0xd1190b722b431ce6, 0x1b1563dc4bd8c88e },
	{ 0xcf82f749f5aee5f7, 0x169b2608a6559037 }, { 0x4fa5b7d00f038d43, 0x03641a20adf237a8 },
	{ 0xe304bf4feed390a5, 0x3f4286f2270d7e24 }, { 0xc493fe72a1c1e25f, 0x38f5f9ae7cd35cb1 },
	{ 0x6eb306bd5c32972c, 0x7c013a8bd03d13b2 }, { 0x94ca6b7a2214c892, 0x9ed32a009f65f09f },
	{ 0x8c32d80b1150e8dc, 0x871d91d64108d5fb }, { 0x1279dac78449f167, 0xda832592b52be348 },
	{ 0xe94ed572cff23819, 0x362a1da96f16947e }, { 0xfe49ed46961e4874, 0x8e6904163024620f },
	{ 0xd8d6a998dea5fc57, 0x1d8a3d58d0386400 }, { 0xbe1cdcef1cdeec9f, 0x595357d9743676d4 },
	{ 0x53f128eb000c04e3, 0x40e772d8cb73ca66 }, { 0xfe1d836a9a009776, 0x7a0f6793591ca9cc },
	{ 0xa067f52123545358, 0xbd5947f0a447d505 }, { 0x4a83502f77d15051, 0x7cbd3f979a063e50 },
};

static void input_bytes(uint8_t in[VECTORS])
{
	for (int i = 0; i < VECTORS; i++)
		in[i] = (uint8_t)i;
}

static void assert_wide(struct hash128 a, struct hash128 b)
{
	assert_true(a.lo == b.lo);
	assert_true(a.hi == b.hi);
}

static void vector_input_hashed_gives_published_64(void **state)
{
	uint8_t in[VECTORS];

	input_bytes(in);
	for (size_t len = 0; len < VECTORS; len++)
		assert_true(hash_bytes(&vector_key, in, len) == narrow[len]);
	assert_true(hash_bytes(&vector_key, NULL, 0) == 0x726fdb47dd0e0e31);
	assert_true(hash_bytes(&vector_key, in, 15) == 0xa129ca6149be45e5);
}

static void vector_input_hashed_gives_published_128(void **state)
{
	uint8_t in[VECTORS];

	input_bytes(in);
	for (size_t len = 0; len < VECTORS; len++)
		assert_wide(hash128_bytes(&vector_key, in, len), wide[len]);
}

static void input_at_any_alignment_hashed_is_the_same(void **state)
{
	uint8_t mem[VECTORS + 8];

	for (size_t shift = 0; shift < 8; shift++) {
		input_bytes(mem + shift);
		assert_true(hash_bytes(&vector_key, mem + shift, 63) == narrow[63]);
	}
}

static void check_prefix(const void *bytes, size_t len, void *ctx)
{
	assert_true(hash_bytes(&vector_key, bytes, len) == narrow[len]);
	assert_wide(hash128_bytes(&vector_key, bytes, len), wide[len]);
	*(size_t *)ctx += 1;
}

static void every_prefix_hashed_stays_inside(void **state)
{
	uint8_t in[VECTORS];
	size_t n = 0;

	input_bytes(in);
	guard_each_prefix(in, VECTORS - 1, check_prefix, &n);
	assert_int_equal(n, VECTORS);
}

static void pieces_of_any_cut_hash_as_the_whole(void **state)
{
	struct hash_state h;
	uint8_t in[VECTORS];

	input_bytes(in);
	for (size_t a = 0; a < VECTORS; a++)
		for (size_t b = a; b < VECTORS; b++) {
			hash_begin(&h, &vector_key, false);
			hash_add(&h, in, a);
			hash_add(&h, in + a, b - a);
			hash_add(&h, in + b, VECTORS - 1 - b);
			assert_true(hash_end64(&h) == narrow[VECTORS - 1]);
			hash_begin(&h, &vector_key, true);
			hash_add(&h, in, a);
			hash_add(&h, NULL, 0);
			hash_add(&h, in + a, b - a);
			assert_wide(hash_end128(&h), wide[b]);
		}
}

static void single_octets_added_hash_as_the_whole(void **state)
{
	struct hash_state h;

	hash_begin(&h, &vector_key, false);
	for (int i = 0; i < VECTORS - 1; i++)
		hash_add(&h, &(uint8_t){ (uint8_t)i }, 1);
	assert_true(hash_end64(&h) == narrow[VECTORS - 1]);
}

static uint64_t two_fields(struct str a, struct str b, void (*add)(struct hash_state *, struct str))
{
	struct hash_state h;

	hash_begin(&h, &vector_key, false);
	add(&h, a);
	add(&h, b);
	return hash_end64(&h);
}

static void fields_cut_elsewhere_hash_differently(void **state)
{
	assert_true(two_fields(STR("ab"), STR("c"), hash_field) !=
		    two_fields(STR("a"), STR("bc"), hash_field));
	assert_true(two_fields(STR(""), STR("abc"), hash_field) !=
		    two_fields(STR("abc"), STR_NONE, hash_field));
	assert_true(two_fields(STR("ab"), STR("c"), hash_fold) !=
		    two_fields(STR("a"), STR("bc"), hash_fold));
}

static void field_added_is_bytes_and_length(void **state)
{
	assert_true(two_fields(STR("ab"), STR_NONE, hash_field) ==
		    hash_bytes(&vector_key, "ab\2\0\0\0\0\0\0\0", 10));
}

static void folded_field_ignores_ascii_case_only(void **state)
{
	uint64_t lower = two_fields(STR("example.com"), STR("a"), hash_field);

	assert_true(two_fields(STR("ExAmPlE.cOm"), STR("A"), hash_fold) == lower);
	assert_true(two_fields(STR("example.com"), STR("a"), hash_fold) == lower);
	assert_true(two_fields(STR("ExAmPlE.cOm"), STR("A"), hash_field) != lower);
	assert_true(two_fields(STR("@["), STR("\xc0"), hash_fold) ==
		    two_fields(STR("@["), STR("\xc0"), hash_field));
}

/* Around the block in which folding works. */
static void long_fields_folded_hash_as_their_lower_case(void **state)
{
	char upper[200], lower[200];

	for (size_t i = 0; i < sizeof(upper); i++) {
		upper[i] = (char)('A' + i % 26);
		lower[i] = (char)('a' + i % 26);
	}
	for (size_t len = 0; len <= sizeof(upper); len++)
		assert_true(two_fields(str_of(upper, len), STR("x"), hash_fold) ==
			    two_fields(str_of(lower, len), STR("x"), hash_field));
}

static void other_key_hashes_differently(void **state)
{
	struct hash_key key = vector_key;

	key.k[0] ^= 1;
	assert_true(hash_bytes(&key, "abc", 3) != hash_bytes(&vector_key, "abc", 3));
	key = vector_key;
	key.k[1] ^= (uint64_t)1 << 63;
	assert_true(hash_bytes(&key, "abc", 3) != hash_bytes(&vector_key, "abc", 3));
}

static void same_octets_same_value_each_changed_bit_another(void **state)
{
	uint8_t text[100], copy[101];

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (uint8_t)(i * 7 + 1);
	for (size_t len = 0; len <= sizeof(text); len++) {
		uint64_t h = hash_same(text, len, 5);

		memcpy(copy + 1, text, len); /* another alignment */
		assert_int_equal(hash_same(copy + 1, len, 5), h);
		assert_int_not_equal(hash_same(text, len, 6), h);
		if (len > 0)
			assert_int_not_equal(hash_same(text, len - 1, 5), h);
		for (size_t bit = 0; bit < len * 8; bit++) {
			copy[1 + bit / 8] ^= (uint8_t)(1 << bit % 8);
			assert_int_not_equal(hash_same(copy + 1, len, 5), h);
			copy[1 + bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_octets_same_value_each_changed_bit_another),
		cmocka_unit_test(vector_input_hashed_gives_published_64),
		cmocka_unit_test(vector_input_hashed_gives_published_128),
		cmocka_unit_test(input_at_any_alignment_hashed_is_the_same),
		cmocka_unit_test(every_prefix_hashed_stays_inside),
		cmocka_unit_test(pieces_of_any_cut_hash_as_the_whole),
		cmocka_unit_test(single_octets_added_hash_as_the_whole),
		cmocka_unit_test(fields_cut_elsewhere_hash_differently),
		cmocka_unit_test(field_added_is_bytes_and_length),
		cmocka_unit_test(folded_field_ignores_ascii_case_only),
		cmocka_unit_test(long_fields_folded_hash_as_their_lower_case),
		cmocka_unit_test(other_key_hashes_differently),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
