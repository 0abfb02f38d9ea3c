#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Numbers for tools/lab.sh: reads what sipp, meson and sluicectl wrote, prints a few words a line.

    sipp FILE              succeeded failed retransmissions   (last row of a sipp statistics file)
    rtt PERCENTILE FILE    milliseconds at that percentile of a setup time file, or "-"
    audit < JSON           "IDENTITIES BROKEN UNEXPLAINED"; exit 1 when any does not hold
    drops OLD NEW          "count name: text" for each drop counter that grew between two files
    cores < JSON           "name busy%" for each core
    meson LOG              "passed failed skipped" and a line for each failure of a meson testlog.json
    status COMMAND...      one line a second from `COMMAND RPC --json`, until the reader or the parent is gone
"""
import csv
import json
import os
import re
import subprocess
import sys
import time


def sipp(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            rows = list(csv.reader(f, delimiter=";"))
    except OSError:
        rows = []
    if len(rows) < 2:
        print("0 0 0")
        return 0
    row = dict(zip(rows[0], rows[-1]))
    print(row.get("SuccessfulCall(C)", 0), row.get("FailedCall(C)", 0), row.get("Retransmissions(C)", 0))
    return 0


def rtt(percentile, path):
    try:
        with open(path, encoding="utf-8", errors="replace") as f:
            fields = [line.split(";") for line in f]
    except OSError:
        fields = []
    values = sorted(float(x[1]) for x in fields if len(x) >= 2 and re.fullmatch(r"[0-9.]+", x[1]))
    if not values:
        print("-")
        return 0
    # Nearest rank: the smallest value that at least so many per cent do not exceed.
    rank = max(1, -(-len(values) * int(percentile) // 100))
    print(f"{values[rank - 1]:.1f}")
    return 0


def audit():
    try:
        reply = json.load(sys.stdin)
    except ValueError:
        print("0 0 ?")  # nobody answered: nothing is known, least of all that all is well
        return 1
    identities = reply.get("identities", [])
    broken = [i for i in identities if not i.get("ok")]
    print(len(identities), len(broken), sum(abs(i["left"] - i["right"]) for i in broken))
    for i in broken:
        print(f"audit: {i['name']}: {i['left']} is not {i['right']}", file=sys.stderr)
    return 0 if reply.get("ok") and not broken and identities else 1


def drop_table(path):
    try:
        with open(path, encoding="utf-8") as f:
            return {d["name"]: d for d in json.load(f).get("drops", [])}
    except (OSError, ValueError):
        return {}


def drops(old, new):
    before = drop_table(old)
    for name, d in sorted(drop_table(new).items(), key=lambda item: -item[1]["count"]):
        grown = d["count"] - before.get(name, {"count": 0})["count"]
        if grown > 0:
            print(f"{grown} {name}: {d.get('text', '')}")
    return 0


def cores():
    try:
        reply = json.load(sys.stdin)
    except ValueError:
        return 1
    print("   ".join(f"{c['name']} {100 * c['busy']:.1f} %" for c in reply.get("cores", [])))
    return 0


def test_counts(test):
    """Passed, failed, skipped of one meson test: its cmocka functions where it tells them, else itself."""
    text = test.get("stdout", "") + "\n" + test.get("stderr", "")
    ran = sum(int(n) for n in re.findall(r"\[=+\] (?:.*: )?(\d+) test\(s\) run\.", text))
    passed = sum(int(n) for n in re.findall(r"\[  PASSED  \] (\d+) test\(s\)", text))
    skipped = sum(int(n) for n in re.findall(r"\[  SKIPPED \] .*?(\d+) test\(s\)", text))
    failed = sum(int(n) for n in re.findall(r"\[  FAILED  \] .*?(\d+) test\(s\)", text))
    result = test["result"]
    if result == "SKIP":
        return 0, 0, 1
    if result in ("OK", "EXPECTEDFAIL"):
        # What ran and neither failed nor was skipped has passed, whatever the summary left out.
        return (max(passed, ran - skipped), 0, skipped) if passed + skipped else (1, 0, 0)
    return passed, max(failed, 1), skipped


def failed_functions(test):
    text = test.get("stdout", "") + "\n" + test.get("stderr", "")
    names = dict.fromkeys(re.findall(r"^\[  FAILED  \] (\w+)$", text, re.MULTILINE))
    return "".join(f", {n}" for n in list(names)[:10])


def meson(path):
    total = [0, 0, 0]
    lines = []
    with open(path, encoding="utf-8", errors="replace") as f:
        for line in f:
            test = json.loads(line)
            counts = test_counts(test)
            total = [a + b for a, b in zip(total, counts)]
            if counts[1]:
                lines.append(f"not ok {test['name']}: {test['result']}, exit {test.get('returncode')}"
                             f"{failed_functions(test)}; see {path.removesuffix('json')}txt")
            if counts[2]:
                lines.append(f"skip {test['name']}: {counts[2]} skipped, the reason is in its output")
    print(*total)
    for line in lines:
        print(line)
    return 0


def ask(command, name):
    try:
        done = subprocess.run([*command, name, "--json"], capture_output=True, timeout=2, check=False)
        return json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return {}


def status_line(command, began):
    core = ask(command, "cores").get("cores", [])
    drop = ask(command, "drops").get("drops", [])
    txn = ask(command, "tm.stats")
    up = int(time.monotonic() - began)
    busy = "  ".join(f"{c['name']} {100 * c['busy']:.1f} %" for c in core) or "control does not answer"
    return (f"up {up // 3600:d}:{up // 60 % 60:02d}:{up % 60:02d}  {busy}  transactions "
            f"{txn.get('current', '-')} live, {txn.get('total', '-')} in all  "
            f"drops {sum(d['count'] for d in drop)}")


def status(*command):
    began = time.monotonic()
    parent = os.getppid()
    while os.getppid() == parent:
        line = status_line(command, began)
        try:
            print(f"\r\033[K{line}" if sys.stdout.isatty() else line,
                  end="" if sys.stdout.isatty() else "\n", flush=True)
        except BrokenPipeError:
            break
        time.sleep(1)
    return 0


def main(argv):
    commands = {"sipp": sipp, "rtt": rtt, "audit": audit, "drops": drops, "cores": cores,
                "meson": meson, "status": status}
    if len(argv) < 2 or argv[1] not in commands:
        print(__doc__, file=sys.stderr)
        return 64
    try:
        return commands[argv[1]](*argv[2:])
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
