#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The first number: Sluice beside Kamailio from Debian, one CPU for the server, another for the load,
# on the same veth in the same run. As root; uses the lab, and holds its lock.
#
#   bench/first_number.sh [--pairs N] [--seconds S] [--window N] [--nice N] [--profile]
#
#   --pairs     how often each side is measured, in turns (5; ABBA...)
#   --seconds   of each measurement, after one of warming up (6)
#   --window    transactions or calls that are always under way (64)
#   --nice      of both servers and the load (0); below 0 others on this machine disturb less, and suffer
#   --profile   instead: where CPU 1 spends its time for options, register and relay
#
# Server: CPU 1 with all its processes. Load: CPU 0. bench/blast never repeats a datagram, so what is
# lost is seen. Scheduling groups by session are switched off meanwhile: else a server of two sessions
# gets twice the share of one of one session while others want the CPU as well. Finished transactions are held equally long on both sides. Before anything is timed
# both sides make one of each flow, and who sent what to whom must be the same. A pair with steal
# above 1 % is named, so is a row whose generator used more than 95 % of its CPU, and others at work.
set -uo pipefail
# shellcheck source=tools/lab.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tools/lab.sh"

pairs=5 seconds=6 window=64 nice=0 profile=no
hold_ms=5000 # Kamailio's own default of tm.wt_timer
flows=(options register relay call)
children=1
blast=$LAB_BUILD/bench/blast
here=$LAB_ROOT/bench
# What 5 s of hold at the highest rates need; 2 MiB pages, of which some stay in reserve.
# shellcheck disable=SC2034 # read by lab.sh
LAB_HUGE_PAGES=1400

arguments() {
	while (($#)); do
		case $1 in
		--pairs | --seconds | --window)
			[[ ${2:-} =~ ^[1-9][0-9]*$ ]] || lab_die 64 "$1 needs a number"
			printf -v "${1#--}" %s "$2"
			shift 2
			;;
		--nice)
			[[ ${2:-} =~ ^-?[0-9]+$ ]] || lab_die 64 "$1 needs a number"
			nice=$2
			shift 2
			;;
		--profile) profile=yes && shift ;;
		*) lab_die 64 "unknown: $1; see the head of ${BASH_SOURCE[0]}" ;;
		esac
	done
}

# ---- the two sides ------------------------------------------------------------------------------

configs() {
	cat >"$LAB_RUN/bench.cfg" <<-E
		@include "$LAB_ROOT/etc/lab.cfg"
		memory = {
			huge_mib = 2560;
			slots_1k = 524288;
			transactions = 524288;
			branches = 655360;
			edit_blocks = 2097152;
		};
		txn = { hold_ms = $hold_ms; timer_d_ms = $hold_ms; };
	E
	modules=$(dirname "$(find /usr/lib -path '*/kamailio/modules/tm.so' 2>/dev/null | head -1)")
	[[ $modules == */modules ]] || lab_die 69 "kamailio is not installed: tools/install.sh measure"
}
sluice_up() {
	lab_clear
	lab_net_up || lab_die 71 "no network"
	(
		taskset -cp 1 "$BASHPID" # `cpus = auto` keeps both programs where they are allowed
		lab_start "$LAB_RUN/bench.cfg"
	) >"$LAB_LOG/bench-start.log" 2>&1 || lab_die 70 "Sluice did not start; see $LAB_LOG"
}
sluice_down() { lab_clear; }

kernel_net_up() { lab_clear; lab_net_up && ip addr add 10.99.0.1/24 dev edge0; }
wait_port() { # NAME
	local i
	for ((i = 0; i < 100; i++)); do
		ss -Hlun 'sport = :5060' | grep -q 10.99.0.1 && return 0
		sleep 0.05
	done
	lab_die 70 "$1 does not listen; see $LAB_LOG/$1.log"
}
kamailio_up() {
	kernel_net_up || lab_die 71 "no network"
	sed "s/@CHILDREN@/$children/; s/@HOLD_MS@/$hold_ms/; s|@MODULES@|$modules/|" "$here/kamailio.cfg" \
		>"$LAB_RUN/kamailio.cfg"
	taskset -c 1 kamailio -DD -E -f "$LAB_RUN/kamailio.cfg" -Y "$LAB_RUN" -P "$LAB_RUN/kamailio.own-pid" \
		-m 2048 -M 64 -x fm -X fm >"$LAB_LOG/kamailio.log" 2>&1 9>&- &
	lab_pid_write kamailio $!
	wait_port kamailio
}
kamailio_down() {
	lab_end kamailio 5
	lab_clear
}
reflect_up() {
	kernel_net_up || lab_die 71 "no network"
	taskset -c 1 "$blast" --reflect >"$LAB_LOG/reflect.log" 2>&1 9>&- &
	lab_pid_write reflect $!
	wait_port reflect
}
reflect_down() {
	lab_end reflect 2
	lab_clear
}
load() { lab_in taskset -c 0 "$blast" --window "$window" "$@"; }

# ---- equal work ---------------------------------------------------------------------------------

# Who got what, header names included: "who first-line: names"; tags, times and branches left out.
shape() { # FLOW
	load --flow "$1" --show | awk '
		/^---- / { if (line) print line; who = $2; line = ""; first = 1; head = 1; next }
		!head { next }
		first { sub(/\r$/, ""); line = who " " ($1 == "SIP/2.0" ? $2 : $1 " " $2) ":"; first = 0; next }
		/^\r?$/ { head = 0; next }
		{ split($0, h, ":"); line = line " " h[1] }
		END { if (line) print line }' | sort -s -k1,1
}
shapes() { # SIDE
	local flow
	"$1_up"
	for flow in "${flows[@]}"; do
		shape "$flow" | sed "s/^/$flow /"
	done >"$LAB_RUN/shape-$1"
	"$1_down"
}
equal_work() {
	local side more
	shapes sluice
	shapes kamailio
	for side in sluice kamailio; do
		sed 's/: .*//' "$LAB_RUN/shape-$side" >"$LAB_RUN/lines-$side"
	done
	if ! diff "$LAB_RUN/lines-sluice" "$LAB_RUN/lines-kamailio"; then
		lab_die 70 "the two sides do not do the same work (< Sluice, > Kamailio)"
	fi
	echo "Same work: $(wc -l <"$LAB_RUN/lines-sluice") datagrams to the phones, the same start lines on both sides."
	echo "Headers that only one side writes (< Sluice, > Kamailio):"
	more=$(diff <(headers sluice) <(headers kamailio) | grep '^[<>]')
	echo "${more:-  none}"
}
headers() { # SIDE: "flow who line header" once each
	awk '{ split($0, part, ": "); n = split(part[2], h, " "); for (i = 1; i <= n; i++) print "  " part[1] ": " h[i] }' \
		"$LAB_RUN/shape-$1" | sort | uniq -c | awk '{ n = $1; $1 = ""; print $0, "x" n }'
}

# ---- measuring ----------------------------------------------------------------------------------

cpu_line() { grep "^cpu$1 " /proc/stat; } # CPU
udp_lost() { awk '/^Udp: [0-9]/ { print $6 }' /proc/net/snmp; }
# One flow, to the file of results: "SIDE|FLOW|json|cpu0 before|after|cpu1 before|after|lost in the server's socket"
measure() { # SIDE FLOW
	local json zero one lost
	zero=$(cpu_line 0) one=$(cpu_line 1) lost=$(udp_lost)
	json=$(load --flow "$2" --seconds "$seconds")
	echo "$1|$2|$json|$zero|$(cpu_line 0)|$one|$(cpu_line 1)|$(($(udp_lost) - lost))" >>"$LAB_RUN/results"
}
measure_side() { # SIDE
	local flow
	"$1_up"
	for flow in "${flows[@]}"; do
		measure "$1" "$flow"
	done
	"$1_down"
}
# One worker or two on one CPU: whichever is better over all flows (geometric mean).
choose_children() {
	local n best=0 flow rate mean all=$seconds
	seconds=2
	for n in 1 2; do
		children=$n
		: >"$LAB_RUN/results"
		measure_side kamailio
		mean=$(python3 "$here/first_number.py" mean "$LAB_RUN/results")
		echo "Kamailio with $n worker(s): mean rate of the flows $mean/s"
		((mean > best)) && best=$mean && rate=$n
	done
	children=$rate seconds=$all
}
profile_flow() { # FLOW
	load --flow "$1" --seconds 5 >"$LAB_RUN/profile.json" &
	sleep 2.5
	perf record -q -C 1 -F 999 -o "$LAB_RUN/perf.data" -- sleep 3 >/dev/null 2>&1
	wait $!
	echo "== $1: $(cat "$LAB_RUN/profile.json")"
	perf report -i "$LAB_RUN/perf.data" --sort comm,dso --stdio 2>/dev/null | grep '%' | head -12
	perf report -i "$LAB_RUN/perf.data" --sort comm,symbol --stdio 2>/dev/null | grep '%' | head -40
}

leave() {
	lab_end kamailio 3
	lab_end reflect 2
	lab_clear
	lab_huge_restore
	[[ -n ${autogroup_found:-} ]] && echo "$autogroup_found" >$autogroup
	[[ -n ${rmem_found:-} ]] && echo "$rmem_found" >/proc/sys/net/core/rmem_max
	return 0
}

arguments "$@"
((EUID == 0)) || lab_die 77 "needs root: namespaces, huge pages, AF_XDP"
[[ -x $blast ]] || lab_die 69 "$blast is not built: tools/build.sh, or ninja -C $LAB_BUILD"
lab_lock
trap leave EXIT
trap 'exit 130' INT TERM
taskset -cp 0 $$ >/dev/null
renice -n "$nice" -p $$ >/dev/null
autogroup=/proc/sys/kernel/sched_autogroup_enabled
if [[ -w $autogroup ]]; then
	autogroup_found=$(<$autogroup)
	echo 0 >$autogroup
fi
if [[ -w /proc/sys/net/core/rmem_max ]]; then # Kamailio's socket shall not be what loses
	rmem_found=$(</proc/sys/net/core/rmem_max)
	echo 8388608 >/proc/sys/net/core/rmem_max
fi
lab_huge_raise || exit $?
configs
if [[ $profile == yes ]]; then
	sluice_up
	profile_flow options
	profile_flow register
	profile_flow relay
	exit 0
fi
echo "Sluice $("$LAB_BUILD/control/sluice-control" --version | head -1); $(kamailio -v | head -1)"
equal_work
choose_children
echo "Hold: Sluice txn.hold_ms = timer_d_ms = $hold_ms; Kamailio tm wt_timer = $hold_ms; $children worker(s)."
: >"$LAB_RUN/results"
measure_side reflect
for ((i = 0; i < pairs; i++)); do
	if ((i % 2)); then
		measure_side kamailio
		measure_side sluice
	else
		measure_side sluice
		measure_side kamailio
	fi
	echo "pair $((i + 1)) of $pairs"
done
grep memory: "$LAB_LOG/dataplane.log" | sed 's/.*memory: /Sluice memory: /'
python3 "$here/first_number.py" table "$LAB_RUN/results"
