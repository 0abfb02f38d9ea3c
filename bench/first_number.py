#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The table of bench/first_number.sh, and the mean that chooses Kamailio's workers.

    table FILE   rates, ratios of pairs, losses, latencies, CPU use
    mean FILE    geometric mean of the rates, as a whole number

FILE has a line for each measurement: SIDE|FLOW|json|cpu0|cpu0 after|cpu1|cpu1 after|socket losses.
"""
import json
import statistics
import sys

FLOWS = ("options", "register", "relay", "call")


def cpu_use(before, after):
    """Share of the time a CPU was busy, and share stolen: user nice system idle iowait irq softirq steal."""
    spent = [b - a for a, b in zip(map(int, before.split()[1:9]), map(int, after.split()[1:9]))]
    total = sum(spent) or 1
    return 1 - (spent[3] + spent[4]) / total, spent[7] / total


def read(path):
    runs = []
    with open(path, encoding="utf-8") as f:
        for line in f:
            side, flow, text, c0, c0_after, c1, c1_after, lost = line.rstrip("\n").split("|")
            run = json.loads(text) if text else {"rate": 0, "lost": 0, "failed": 0, "repeats": 0, "cpu": 0,
                                                 "p50_us": 0, "p99_us": 0, "rcvbuf_errors": 0}
            run.update(side=side, flow=flow, socket_lost=int(lost))
            run["load_busy"], steal0 = cpu_use(c0, c0_after)
            run["server_busy"], steal1 = cpu_use(c1, c1_after)
            run["steal"] = max(steal0, steal1)
            runs.append(run)
    return runs


def spread(values, form="{:.0f}"):
    values = sorted(values)
    return " ".join((form.format(statistics.median(values)), "(" + form.format(values[0]), form.format(values[-1]) + ")"))


def table(path):
    runs = read(path)
    print(f"\n{'flow':<9} {'side':<9} {'rate/s median (min max)':<26} {'lost':>6} {'failed':>6} {'repeats':>7} "
          f"{'p50 ms':>7} {'p99 ms':>7} {'CPU server':>10} {'CPU load':>8}")
    for flow in FLOWS:
        of = {s: [r for r in runs if r["side"] == s and r["flow"] == flow] for s in ("sluice", "kamailio", "reflect")}
        for side in ("sluice", "kamailio", "reflect"):
            if of[side]:
                row(flow, side, of[side])
        ratios = [a["rate"] / b["rate"] for a, b in zip(of["sluice"], of["kamailio"]) if b["rate"]]
        if ratios:
            print(f"{flow:<9} ratio     {spread(ratios, '{:.2f}')}")
    for r in runs:
        if r["steal"] > 0.01:
            print(f"note: {r['side']} {r['flow']}: {100 * r['steal']:.1f} % of a CPU was stolen; discard this pair")
    print("A rate counts whole seconds; a ratio is that of a pair. CPU: all of CPU 1, registering and warming up\n"
          "included; of CPU 0 what the generator itself used. reflect is the ceiling: an unthinking responder on a kernel socket on CPU 1.")


def row(flow, side, runs):
    def total(key):
        return sum(r[key] for r in runs)
    lost = total("lost")
    print(f"{flow:<9} {side:<9} {spread([r['rate'] for r in runs]):<26} {lost:>6} {total('failed'):>6} "
          f"{total('repeats'):>7} {statistics.median(r['p50_us'] for r in runs) / 1000:>7.2f} "
          f"{statistics.median(r['p99_us'] for r in runs) / 1000:>7.2f} "
          f"{100 * statistics.median(r['server_busy'] for r in runs):>8.0f} % "
          f"{100 * statistics.median(r['cpu'] for r in runs):>6.0f} %")
    if total("socket_lost") or total("rcvbuf_errors"):
        print(f"note: {side} {flow}: lost in the server's socket {total('socket_lost')}, "
              f"in the load's {total('rcvbuf_errors')}")
    if statistics.median(r["cpu"] for r in runs) > 0.95:
        print(f"note: {side} {flow}: the generator used its whole CPU: this row may be bound by it")
    others = statistics.median(r["load_busy"] - r["cpu"] for r in runs)
    if others > 0.2:
        print(f"note: {side} {flow}: others, or interrupts, had {100 * others:.0f} % of the load's CPU: a disturbed row")


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in ("table", "mean"):
        sys.exit(__doc__)
    if sys.argv[1] == "table":
        table(sys.argv[2])
    else:
        print(int(statistics.geometric_mean(max(r["rate"], 1) for r in read(sys.argv[2]))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
