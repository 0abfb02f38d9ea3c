# SPDX-License-Identifier: Apache-2.0
"""Make hdr_hash.h, the perfect hash of header names, from the SIP_HEADERS table in hdr.h.

usage: hdr_hash.py hdr.h hdr_hash.h

A name of 2 or more octets is read as up to three little-endian words (see name_words() in hdr.c,
which does the same). Two of them, with the case bit set everywhere, are multiplied and added; the
top octet picks one of 256 slots, a slot names a header id, and the row of that id holds the words
and the case bits to compare with. The search tries pairs of multipliers, always in the same order,
until no two names share a slot, and fails the build where none of them serves.
"""
import random
import re
import sys

FOLD = 0x2020202020202020
MASK = (1 << 64) - 1
TRIES = 4_000_000


def le(data):
    return int.from_bytes(data, "little")


def words(name):
    n = len(name)
    if n >= 8:
        return (le(name[:8]), le(name[-8:]), le(name[min(8, n - 8):][:8]))
    if n >= 4:
        return (le(name[:4]) | le(name[-4:]) << 32, 0, 0)
    return (name[0] | name[1] << 8 | name[-1] << 16, 0, 0)


def case_bits(name):
    """The words of a name whose letters are 0x20 and whose other octets are 0."""
    return words(bytes(0x20 if chr(c).isalpha() else 0 for c in name))


def search(keys):
    rng = random.Random(3261)
    for _ in range(TRIES):
        a, b = rng.getrandbits(64) | 1, rng.getrandbits(64) | 1
        seen = set()
        for w0, w1 in keys:
            slot = (w0 * a + w1 * b & MASK) >> 56
            if slot in seen:
                break
            seen.add(slot)
        else:
            return a, b
    sys.exit("hdr_hash.py: no perfect hash found: use more than 256 slots")


def main():
    source, target = sys.argv[1:]
    with open(source, encoding="utf-8") as f:
        text = f.read()
    table = text[text.index("#define SIP_HEADERS(X)"):text.index("enum sip_hdr_rule")]
    rows = re.findall(r'X\((\w+), "([A-Za-z-]+)", (?:\'([a-z])\'|0), (?:ONE|LIST|MANY)\)', table)
    if len(rows) != table.count("X(") or not rows:
        sys.exit("hdr_hash.py: a row of SIP_HEADERS is not understood")
    longest = max(len(name) for _, name, _ in rows)
    if longest > 24 or min(len(name) for _, name, _ in rows) < 2:
        sys.exit("hdr_hash.py: names of 2 to 24 octets only")

    names = [(i, name.lower().encode()) for i, name, _ in rows]
    a, b = search([(words(n)[0] | FOLD, words(n)[1] | FOLD) for _, n in names])
    with open(target, "w", encoding="utf-8") as f:
        f.write("/* SPDX-License-Identifier: Apache-2.0 */\n/* Made by hdr_hash.py from hdr.h. */\n")
        f.write(f"#define HDR_NAME_MAX {longest}\n")
        f.write(f"#define HDR_HASH_A {a:#x}u\n#define HDR_HASH_B {b:#x}u\n")
        f.write("static const uint8_t hdr_slot[256] = {\n")
        for i, n in names:
            slot = ((words(n)[0] | FOLD) * a + (words(n)[1] | FOLD) * b & MASK) >> 56
            f.write(f"\t[{slot}] = SIP_H_{i},\n")
        f.write("};\nstatic const struct hdr_row hdr_row[SIP_H_COUNT] = {\n")
        for i, n in names:
            w = ", ".join(f"{v:#x}u" for v in words(n))
            c = ", ".join(f"{v:#x}u" for v in case_bits(n))
            f.write(f"\t[SIP_H_{i}] = {{ {{ {w} }}, {{ {c} }}, {len(n)} }},\n")
        f.write("};\nstatic const uint8_t hdr_compact[256] = {\n")
        for i, _, compact in rows:
            if compact:
                f.write(f"\t['{compact}'] = SIP_H_{i}, ['{compact.upper()}'] = SIP_H_{i},\n")
        f.write("};\n")


main()
