#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The law of the tree: who may include whom, and how long things may grow.

    check_includes.py [ROOT]       complaints as file:line, exit 1 when there are any
    check_includes.py --self-test  plants each kind of violation in a folder of its own and looks for it

The tables below are the law of docs/ARCHITECTURE.md, "Folders and who may include whom". An exception
needs a line in EXCEPTIONS with its reason, and goes stale aloud when nothing needs it any more.
"""
import os
import re
import sys
import tempfile

FILE_LINES = 700
FUNCTION_LINES = 80

# Folder -> folders it may include beside itself. The longest matching folder counts. `None`: free.
PLATFORM_PURE = ("platform/base", "platform/sip", "platform/link", "platform/iface")
NET_SIDE = ("platform/base", "platform/sip", "platform/link", "platform/iface", "platform/rt")
MAY_INCLUDE = {
    "platform/base": (),
    "platform/sip": ("platform/base",),
    "platform/link": ("platform/base", "platform/sip"),
    "platform/iface": ("platform/base",),
    "platform/rt": ("platform/base",),
    "drivers/port": NET_SIDE,
    "drivers/tls": PLATFORM_PURE,
    "drivers/db": PLATFORM_PURE,
    "drivers/dns": PLATFORM_PURE,
    "drivers/script": PLATFORM_PURE,
    "dataplane/net": NET_SIDE,
    "dataplane/udp": (*NET_SIDE, "dataplane/net"),
    "dataplane/tcp": (*NET_SIDE, "dataplane/net"),
    "dataplane/stream": (*NET_SIDE, "dataplane/net", "dataplane/udp", "dataplane/tcp"),
    "dataplane/edge": (*NET_SIDE, "dataplane/net", "dataplane/udp", "dataplane/tcp", "dataplane/stream"),
    "dataplane": (*NET_SIDE, "dataplane/net", "dataplane/udp", "dataplane/tcp", "dataplane/stream",
                  "dataplane/edge"),
    "control": PLATFORM_PURE,
    # doctor and check tell beforehand what platform/rt would ask for; its plan needs no DPDK
    "control/ctl": (*PLATFORM_PURE, "platform/rt"),
    "bench/load": (*NET_SIDE, "drivers/port", "dataplane/net", "dataplane/udp", "dataplane/tcp",
                   "dataplane/stream", "bench"),
    "bench": None,
    "tests": None,
    "tools": None,
}
# A main.c may name the drivers of its side, and no driver of the other.
MAIN_MAY_NAME_DRIVERS = re.compile(r"(^|/)main\.c$")
# DPDK's headers: the machine of the polled side, its port driver, the load generator.
RTE_ALLOWED = re.compile(r"^(platform/rt/|drivers/port/ethdev[^/]*$|bench/)")

CODE = (".c", ".h", ".def")
SPDX_SUFFIXES = CODE + (".py", ".sh", ".build", ".xml", ".cfg", ".conf", ".service")
SPDX_NAMES = ("meson_options.txt", "Dockerfile", "apt.txt")
SKIP_FOLDERS = (".git", "__pycache__", ".cache", "corpus", "data", "subprojects")

# Headers that the build makes: they are in no folder of the tree, and are named by the path they would have.
GENERATED = ("platform/sip/hdr_hash.h",)  # by platform/sip/hdr_hash.py

# (path, rule, what) -> reason. Rules: include, rte, file-lines, function-lines, spdx, if.
EXCEPTIONS = {
}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
FUNCTION_NAME = re.compile(r"([A-Za-z_]\w*)\s*\(")


def files_of(root):
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(d for d in folders if d not in SKIP_FOLDERS and not d.startswith("build"))
        for name in sorted(names):
            yield os.path.relpath(os.path.join(folder, name), root)


def folder_rule(path):
    """The longest folder of the table that holds this path."""
    fits = [f for f in MAY_INCLUDE if path.startswith(f + "/")]
    return max(fits, key=len) if fits else None


def include_complaint(root, path, quoted, target):
    """What is wrong with this include, or None; and the rule it breaks."""
    if os.path.basename(target).startswith("rte_"):
        if not RTE_ALLOWED.match(path):
            return "rte", f"{target}: DPDK headers belong to platform/rt, drivers/port/ethdev* and bench/load"
        return None
    rule = folder_rule(path)
    if rule is None or MAY_INCLUDE[rule] is None:
        return None
    theirs = folder_rule(target)
    exists = target in GENERATED or os.path.exists(os.path.join(root, target))
    if theirs is None or not exists:
        if quoted:
            return "include", f'"{target}": not a file of ours by a root-relative path'
        return None
    if theirs == rule or theirs in MAY_INCLUDE[rule]:
        return None
    if MAIN_MAY_NAME_DRIVERS.search(path) and theirs.startswith("drivers/"):
        return None
    return "include", f"{rule} may not include {theirs} ({target})"


def check_includes(root, path, lines):
    for number, line in enumerate(lines, 1):
        found = INCLUDE.match(line)
        if not found:
            continue
        complaint = include_complaint(root, path, found.group(1) == '"', found.group(2))
        if complaint:
            yield number, complaint[0], found.group(2), complaint[1]


def functions_of(lines):
    """(name, first line, last line) of each function: house style puts both its braces in column 0."""
    began = None
    for number, line in enumerate(lines, 1):
        if line.startswith("{") and began is None:
            head = " ".join(lines[max(0, number - 6):number - 1])
            names = FUNCTION_NAME.findall(head.rsplit(";", 1)[-1].rsplit("}", 1)[-1])
            began = (names[0] if names else "?", number)
        elif line.startswith("}") and began is not None:
            yield began[0], began[1], number
            began = None


def check_functions(lines):
    for name, first, last in functions_of(lines):
        length = last - first + 1
        if length > FUNCTION_LINES:
            yield first, "function-lines", name, f"{name}() has {length} lines, the ceiling is {FUNCTION_LINES}"
        for number in range(first, last):
            if re.match(r"\s*#\s*(if|ifdef|ifndef|elif)\b", lines[number - 1]):
                yield number, "if", name, f"#if inside {name}(): choose files in meson"


def needs_spdx(path, text):
    name = os.path.basename(path)
    return name.endswith(SPDX_SUFFIXES) or name in SPDX_NAMES or text.startswith("#!")


def check_file(root, path):
    try:
        with open(os.path.join(root, path), encoding="utf-8") as f:
            text = f.read()
    except (UnicodeDecodeError, FileNotFoundError):
        return  # bytes are data; a dangling link is nobody's source
    lines = text.splitlines()
    code = path.endswith(CODE)
    if needs_spdx(path, text):
        if not any("SPDX-License-Identifier: Apache-2.0" in line for line in lines[:3]):
            yield 1, "spdx", "", "no SPDX-License-Identifier: Apache-2.0 in the first three lines"
        if len(lines) > FILE_LINES:
            yield FILE_LINES + 1, "file-lines", "", f"{len(lines)} lines, the ceiling is {FILE_LINES}"
    if code:
        yield from check_includes(root, path, lines)
        yield from check_functions(lines)


def check_tree(root, exceptions):
    complaints, used = [], set()
    for path in files_of(root):
        for number, rule, what, text in check_file(root, path):
            key = (path, rule, what)
            if key in exceptions:
                used.add(key)
            else:
                complaints.append(f"{path}:{number}: {text}")
    for key in exceptions:
        if key not in used:
            complaints.append(f"{key[0]}:1: exception for {key[1]} {key[2]} is not needed any more")
    return complaints


# ---- self-test ----------------------------------------------------------------------------------

SPDX = "/* SPDX-License-Identifier: Apache-2.0 */\n"
BODY = "void f(void)\n{\n" + "\tg();\n" * 79 + "}\n"
PLANTED = {  # path: (text, words of the complaint; "" = must be silent)
    "platform/base/a.h": (SPDX, ""),
    "platform/sip/a.h": (SPDX + '#include "platform/base/a.h"\n#include <string.h>\n', ""),
    "platform/base/up.c": (SPDX + '#include "platform/sip/a.h"\n', "platform/base may not include platform/sip"),
    "platform/link/a.h": (SPDX + '#include "platform/sip/a.h"\n', ""),
    "platform/rt/a.h": (SPDX + "#include <rte_eal.h>\n", ""),
    "platform/rt/up.c": (SPDX + '#include "platform/link/a.h"\n', "platform/rt may not include platform/link"),
    "platform/sip/angle.c": (SPDX + "#include <platform/link/a.h>\n", "platform/sip may not include platform/link"),
    "platform/iface/up.c": (SPDX + '#include "platform/sip/a.h"\n', "platform/iface may not include"),
    "control/rt.c": (SPDX + '#include "platform/rt/a.h"\n', "control may not include platform/rt"),
    "control/txn/rte.c": (SPDX + "#include <rte_ring.h>\n", "DPDK headers"),
    "control/txn/a.h": (SPDX + '#include "platform/link/a.h"\n', ""),
    "control/peer.c": (SPDX + '#include "dataplane/net/a.h"\n', "control may not include dataplane/net"),
    "control/driver.c": (SPDX + '#include "drivers/port/a.h"\n', "control may not include drivers/port"),
    "control/main.c": (SPDX + '#include "drivers/dns/a.h"\n', ""),
    "control/relative.c": (SPDX + '#include "a.h"\n', "root-relative"),
    "drivers/dns/a.h": (SPDX, ""),
    "drivers/port/a.h": (SPDX, ""),
    "drivers/port/ethdev.c": (SPDX + "#include <rte_ethdev.h>\n", ""),
    "drivers/port/memory.c": (SPDX + "#include <rte_mbuf.h>\n", "DPDK headers"),
    "drivers/port/up.c": (SPDX + '#include "dataplane/net/a.h"\n', "drivers/port may not include dataplane/net"),
    "drivers/port/side.c": (SPDX + '#include "drivers/dns/a.h"\n', "drivers/port may not include drivers/dns"),
    "dataplane/net/a.h": (SPDX, ""),
    "dataplane/udp/a.h": (SPDX + '#include "dataplane/net/a.h"\n', ""),
    "dataplane/tcp/side.c": (SPDX + '#include "dataplane/udp/a.h"\n', "dataplane/tcp may not include dataplane/udp"),
    "dataplane/net/up.c": (SPDX + '#include "dataplane/udp/a.h"\n', "dataplane/net may not include dataplane/udp"),
    "dataplane/core.h": (SPDX + '#include "dataplane/udp/a.h"\n', ""),
    "dataplane/edge/up.c": (SPDX + '#include "dataplane/core.h"\n', "dataplane/edge may not include dataplane"),
    "dataplane/driver.c": (SPDX + '#include "drivers/port/a.h"\n', "dataplane may not include drivers/port"),
    "dataplane/main.c": (SPDX + '#include "drivers/port/a.h"\n', ""),
    "dataplane/peer.c": (SPDX + '#include "control/txn/a.h"\n', "dataplane may not include control"),
    "bench/load/up.c": (SPDX + '#include "dataplane/core.h"\n', "bench/load may not include dataplane"),
    "bench/load/a.c": (SPDX + '#include "dataplane/udp/a.h"\n#include <rte_mbuf.h>\n', ""),
    "tests/free.c": (SPDX + '#include "control/txn/a.h"\n#include "dataplane/net/a.h"\n', ""),
    "control/bare.c": ("int x;\n", "no SPDX"),
    "tool": ("#!/bin/sh\n", "no SPDX"),
    "control/meson.build": ("x = 1\n", "no SPDX"),
    "README.md": ("words\n", ""),
    "tests/fuzz/corpus/a.c": ("data\n", ""),
    "control/long.c": (SPDX + "int x;\n" * FILE_LINES, f"{FILE_LINES + 1} lines"),
    "control/full.c": (SPDX + "int x;\n" * (FILE_LINES - 1), ""),
    "control/function.c": (SPDX + BODY, "f() has 81 lines"),
    "control/shorter.c": (SPDX + BODY.replace("\tg();\n", "", 1), ""),
    "control/if.c": (SPDX + "void f(void)\n{\n#ifdef X\n\tg();\n#endif\n}\n", "#if inside f()"),
    "control/table.c": (SPDX + "static const int t[] = {\n" + "\t1,\n" * 100 + "};\n", ""),
}


def self_test():
    wrong = []
    with tempfile.TemporaryDirectory() as root:
        for path, (text, _) in PLANTED.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as f:
                f.write(text)
        complaints = check_tree(root, {("control/if.c", "include", "x"): "nothing needs it"})
        for path, (_, words) in PLANTED.items():
            mine = [c for c in complaints if c.startswith(path + ":") and "exception for" not in c]
            if bool(mine) != bool(words) or (words and words not in mine[0]):
                wrong.append(f"{path}: expected {words or 'silence'!r}, got {mine}")
        if not any("is not needed any more" in c for c in complaints):
            wrong.append("a stale exception was not told")
        quiet = check_tree(root, {("control/if.c", "if", "f"): "planted"})
        if any(c.startswith("control/if.c") for c in quiet):
            wrong.append("an exception did not silence its complaint")
    print("\n".join(wrong) or f"{len(PLANTED) + 2} planted cases, each answered as it should be")
    return 1 if wrong else 0


def main(argv):
    if argv[1:] == ["--self-test"]:
        return self_test()
    root = argv[1] if len(argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
    complaints = check_tree(root, EXCEPTIONS)
    print("\n".join(complaints) or "include law, licences, lengths: nothing to complain about")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
