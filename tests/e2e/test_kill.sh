#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The control process dies under load, again and again: at work, and while it attaches; then it hangs
# until the dataplane fences it, with a successor waiting. Calls go on, registrations are still there,
# the dataplane is the same process, the audit holds.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

kills=100   # when one takes longer than a second, ten have to do
longest=0

# Calls without end; sipp is told to finish those under way by SIGUSR1.
load_start() {
	lab_csv 4
	lab_sipp_start load 4 uac -p 5081 -inf "$LAB_RUN/sipp/calls-4.csv" -r 20 -l 200 -d 1000
}
load_stop() {
	local pid
	pid=$(lab_pid sipp-load) && kill -USR1 "$pid"
	lab_sipp_wait load
}
kill_at_work() {
	local i ms
	for ((i = 1; i <= kills; i++)); do
		read -r _ ms < <(lab_kill_control) || { not_ok "kill_at_work" "no control after kill $i"; return; }
		((ms > longest)) && longest=$ms
		((i == 3 && longest > 1000 && ${SLUICE_LONG:-0} == 0)) && kills=10
		sleep 0.1
	done
	ok "kill_at_work"
	echo "# $kills kills at work, the longest gap until ready was $longest ms"
}
# The successor dies at once or up to 10 ms after it was started, often before it has attached. The
# pid file is read without starting a process: that would take longer than attaching does.
kill_while_attaching() {
	local i old pid ready n=0
	for ((i = 0; i < kills; i++)); do
		ready=$(lab_ready_count control)
		old=$(lab_pid control) && kill -KILL "$old"
		pid=$old
		while [[ -z $pid || $pid == "$old" ]]; do
			{ read -r pid _ <"$LAB_RUN/control.pid"; } 2>/dev/null
		done
		((i % 3 == 0)) || sleep "0.0$(printf %02d $((i % 11)))"
		kill -KILL "$pid" 2>/dev/null
		(($(lab_ready_count control) == ready)) && n=$((n + 1))
		lab_wait_ready control "$ready" 10 || { not_ok "kill_while_attaching" "no control after kill $i"; return; }
	done
	if ((n > 0)); then ok "kill_while_attaching"; else not_ok "kill_while_attaching" "none was hit before it was ready"; fi
	echo "# $kills kills of a starting control, $n of them before it was ready"
}
# A stopped control is not a dead one: the dataplane has to end it. The successor waits at the door.
fence_a_hung_one() {
	local hung ready began
	hung=$(lab_pid control)
	: >"$LAB_RUN/control.hold"
	kill -STOP "$hung"
	"$LAB_BUILD/control/sluice-control" --config "$LAB_ROOT/etc/lab.cfg" --run-dir "$LAB_RUN" \
		>"$LAB_LOG/successor.log" 2>&1 &
	lab_pid_write successor $!
	began=$(lab_now_us)
	ready=no
	while (($(lab_now_us) - began < 6000000)); do
		grep -q 'control\.ready' "$LAB_LOG/successor.log" && ready=yes && break
		sleep 0.02
	done
	expect "hung_control_is_fenced_and_successor_admitted" "$ready" yes "$LAB_LOG/successor.log"
	echo "# fenced and succeeded after $(lab_seconds_since "$began") s"
	if [[ -e /proc/$hung/stat && $(lab_proc_state "$hung") == T ]]; then
		not_ok "hung_control_is_gone" "pid $hung is still stopped"
	else
		ok "hung_control_is_gone"
	fi
	ready=$(lab_ready_count control)
	lab_end successor 3
	rm -f "$LAB_RUN/control.hold"
	lab_wait_ready control "$ready" 10 || not_ok "supervised_control_returns" "not ready"
}
lab_proc_state() { # PID
	local stat
	{ read -r stat <"/proc/$1/stat"; } 2>/dev/null && stat=${stat##*) } && echo "${stat%% *}"
}
registrations_still_there() { # NAME
	local there
	lab_register 4 query
	read -r there _ _ < <(lab_counts query4)
	expect "$1" "$there" $LAB_USERS
}

need_lab
dataplane=$(lab_pid dataplane)
lab_uas_start 4 || not_ok "uas" "does not listen"
lab_register 4
load_start
kill_at_work
registrations_still_there "registrations_after_kills_at_work"
kill_while_attaching
registrations_still_there "registrations_after_kills_while_attaching"
fence_a_hung_one
registrations_still_there "registrations_after_fencing"
load_stop
read -r succeeded failed repeats < <(lab_counts load)
expect "no_call_failed" "$failed" 0 "$LAB_RUN/sipp/load.err"
if ((succeeded > 0)); then ok "calls_went_on"; else not_ok "calls_went_on" "no call was completed"; fi
echo "# $succeeded calls completed meanwhile, $failed failed, $repeats retransmissions"
expect "dataplane_is_the_same" "$(lab_pid dataplane)" "$dataplane"
lab_uas_stop 4
expect_audit "kill_audit"
finish
