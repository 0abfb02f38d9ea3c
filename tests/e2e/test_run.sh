#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ./run --once, twice in a row; then after a kill -9 of everything that an earlier run left behind.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# The outer ./check holds the lab's lock: the command gets a folder of its own.
own=$LAB_RUN/run-test
once() { # NAME
	SLUICE_RUN=$own "$LAB_ROOT/run" --once >"$LAB_LOG/$1.log" 2>&1
	expect "$1" "$?" 0 "$LAB_LOG/$1.log"
	grep -q '^  control killed (pid .*0 drops unexplained' "$LAB_LOG/$1.log" ||
		not_ok "$1_honest_line" "not printed as it should be; see $LAB_LOG/$1.log"
}
# End ./run itself and both programs with SIGKILL while they work.
kill_everything() {
	local name pid i
	SLUICE_RUN=$own setsid "$LAB_ROOT/run" --config "$LAB_ROOT/etc/lab.cfg" >"$LAB_LOG/run-killed.log" 2>&1 9>&- &
	pid=$!
	for ((i = 0; i < 600; i++)); do
		grep -q '^Three things' "$LAB_LOG/run-killed.log" && break
		sleep 0.1
	done
	disown "$pid"
	kill -KILL "$pid"
	for name in control.supervisor dataplane.supervisor control dataplane; do
		pid=$(LAB_RUN=$own lab_pid "$name") && kill -KILL "$pid"
	done
}

mkdir -p "$LAB_RUN" "$LAB_LOG"
((EUID == 0)) || { skip "run" "needs root"; exit 0; }
lab_clear
once run_once
once run_once_again
kill_everything
once run_after_kill_9_of_every_part
SLUICE_RUN=$own "$LAB_ROOT/run" --clean >/dev/null
expect "run_clean_leaves_no_namespace" "$(ip netns list | grep -cw phones)" 0
expect "run_clean_leaves_no_veth" "$(ip -br link show edge0 2>/dev/null | wc -l)" 0
finish
