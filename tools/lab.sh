# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The laboratory: what ./run, ./check and tests/e2e share. Sourced, never run.
#
#   namespace `phones`:  phone0 10.99.0.2/24, fd99::2/64
#                           |  veth, checksum and segmentation offloads off on both ends
#   host:                edge0, no kernel address, polled by sluice-dataplane: 10.99.0.1, fd99::1
#
# Everything of ours is known by name: namespace, veth, the folder $LAB_RUN. A process is known by a
# pid file that also holds its start time, so that a recycled pid is never touched; nothing is ever
# looked for by its program's name. Both programs run under a supervisor each, which starts them
# again when they end, as systemd would. Callers set `set -uo pipefail`.
export LC_ALL=C TERM=${TERM:-vt100}

LAB_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
LAB_BUILD=${SLUICE_BUILD:-$LAB_ROOT/build}
LAB_RUN=${SLUICE_RUN:-/run/sluice-lab}
# shellcheck disable=SC2034 # read by the commands
LAB_STATE=${SLUICE_STATE:-/var/lib/sluice-lab}
LAB_SIPP=$LAB_ROOT/tests/e2e/sipp
LAB_USERS=100
LAB_HUGE_PAGES=512 # of 2 MiB: the lab is a 1 GiB profile
LAB_HUGE=/sys/kernel/mm/hugepages/hugepages-2048kB
LAB_IFACE=edge0    # what the dataplane polls; --lan changes it

# ---- talking ------------------------------------------------------------------------------------

lab_now_us() { echo "${EPOCHREALTIME/./}"; }
lab_die() { # EXIT_CODE TEXT...
	local rc=$1
	shift
	printf '%s\n' "$@" >&2
	exit "$rc"
}
lab_seconds_since() { # US
	local us=$(($(lab_now_us) - $1))
	printf '%d.%d' $((us / 1000000)) $((us / 100000 % 10))
}

# While a step runs: its name, its time, the last line it wrote. A terminal gets that in place,
# anything else a line each ten seconds.
lab_draw_progress() { # NAME LOG
	local began n=0 last
	began=$(lab_now_us)
	while sleep 0.5 && kill -0 $$; do
		last=$(tail -c 300 "$2" 2>/dev/null | tr '\r' '\n' | grep -v '^ *$' | tail -1 | cut -c1-60)
		if [[ -t 1 ]]; then
			printf '\r\033[K  %-22s %6s s  %s' "$1" "$(lab_seconds_since "$began")" "$last"
		elif ((++n % 20 == 0)); then
			printf '  %-22s %6s s  %s\n' "$1" "$(lab_seconds_since "$began")" "$last"
		fi
	done
}

# Run one step with progress; on failure show the end of what it wrote. Runs in this shell.
lab_step() { # NAME COMMAND...
	local name=$1 log drawer began rc
	shift
	mkdir -p "$LAB_LOG"
	log=$LAB_LOG/step-${name//[^a-z0-9]/-}.log
	began=$(lab_now_us)
	: >"$log"
	lab_draw_progress "$name" "$log" 9>&- &
	drawer=$!
	disown "$drawer"
	"$@" >"$log" 2>&1
	rc=$?
	kill -KILL "$drawer" 2>/dev/null # KILL: TERM may be ignored while the caller shuts down
	[[ -t 1 ]] && printf '\r\033[K'
	if ((rc == 0)); then
		printf '  %-22s %6s s  %s\n' "$name" "$(lab_seconds_since "$began")" "done"
	else
		printf '  %-22s %6s s  FAILED (%d); the end of %s:\n' "$name" "$(lab_seconds_since "$began")" \
			"$rc" "$log"
		tail -25 "$log" | sed 's/^/    | /'
	fi
	return $rc
}
LAB_LOG=$LAB_RUN/log
# Without privileges the logs go where their owner may write.
lab_log_here() { LAB_LOG=$1; }

# ---- processes ----------------------------------------------------------------------------------

# Start time of a live process: the 22nd field of its stat, told from behind the name in brackets.
lab_proc_start() { # PID
	local stat fields
	{ read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
	read -ra fields <<<"${stat##*) }"
	[[ ${fields[0]} != Z ]] || return 1 # ended, only not yet waited for
	echo "${fields[19]}"
}
lab_pid_write() { # NAME PID
	printf '%s %s\n' "$2" "$(lab_proc_start "$2")" >"$LAB_RUN/$1.pid"
}
# The pid in a pid file, if that very process still lives.
lab_pid() { # NAME
	local pid start
	{ read -r pid start <"$LAB_RUN/$1.pid"; } 2>/dev/null || return 1
	[[ -n $pid && -n $start && $(lab_proc_start "$pid") == "$start" ]] || return 1
	echo "$pid"
}
# Ask NAME to end, then tell it again, then kill it.
lab_end() { # NAME SECONDS
	local pid i
	pid=$(lab_pid "$1") || { rm -f "$LAB_RUN/$1.pid" && return 0; }
	kill -TERM "$pid" 2>/dev/null
	kill -CONT "$pid" 2>/dev/null
	for ((i = 0; i < $2 * 20; i++)); do
		lab_pid "$1" >/dev/null || break
		((i == $2 * 15)) && kill -TERM "$pid" 2>/dev/null
		sleep 0.05
	done
	lab_pid "$1" >/dev/null && kill -KILL "$pid" 2>/dev/null
	rm -f "$LAB_RUN/$1.pid"
}

# Start a command now and whenever it ends, until $LAB_RUN/stopping or NAME.hold appears. A program
# that says it cannot run as configured (64, 77, 78; the dataplane also 69 and 71) is not tried again:
# its code is left in NAME.failed. One that dies young waits 200 ms, so that nothing spins.
lab_supervise_loop() { # NAME BEFORE COMMAND...
	local name=$1 before=$2 began pid rc
	shift 2
	trap '' INT
	trap 'exit 0' TERM
	until [[ -e $LAB_RUN/stopping ]]; do
		[[ -e $LAB_RUN/$name.hold ]] && sleep 0.05 && continue
		$before
		began=$(lab_now_us)
		setsid "$@" >>"$LAB_LOG/$name.log" 2>&1 &
		pid=$!
		lab_pid_write "$name" "$pid"
		wait "$pid"
		rc=$?
		echo "$(lab_now_us) pid=$pid exit=$rc" >>"$LAB_RUN/$name.ends"
		case $name:$rc in
		*:64 | *:77 | *:78 | dataplane:69 | dataplane:71)
			echo "$rc" >"$LAB_RUN/$name.failed"
			return
			;;
		esac
		(($(lab_now_us) - began < 200000)) && sleep 0.2
	done
}
lab_supervise() { # NAME BEFORE COMMAND...
	rm -f "$LAB_RUN/$1".{failed,hold,ends}
	[[ -e $LAB_LOG/$1.log ]] && mv -f "$LAB_LOG/$1.log" "$LAB_LOG/$1.log.1"
	: >"$LAB_LOG/$1.log"
	lab_supervise_loop "$@" 9>&- >/dev/null 2>"$LAB_LOG/$1.supervisor.log" &
	lab_pid_write "$1.supervisor" $!
}

lab_ready_count() { grep -c "$1\.ready" "$LAB_LOG/$1.log"; } # NAME
# Wait until NAME has said `ready` more than COUNT times.
lab_wait_ready() { # NAME COUNT SECONDS
	local end rc
	end=$(($(lab_now_us) + $3 * 1000000))
	while (($(lab_now_us) < end)); do
		(($(lab_ready_count "$1") > $2)) && return 0
		if [[ -e $LAB_RUN/$1.failed ]]; then
			rc=$(<"$LAB_RUN/$1.failed")
			echo "sluice-$1 ended with $rc:"
			tail -20 "$LAB_LOG/$1.log"
			return "$rc"
		fi
		sleep 0.01
	done
	echo "sluice-$1 is not ready after $3 s; the end of $LAB_LOG/$1.log:"
	tail -20 "$LAB_LOG/$1.log"
	return 70
}

# ---- what is left over, and putting it back -----------------------------------------------------

lab_stop() {
	local name
	[[ -d $LAB_RUN ]] || return 0
	: >"$LAB_RUN/stopping"
	for name in "$LAB_RUN"/sipp-*.pid; do
		[[ -e $name ]] && name=${name##*/} && lab_end "${name%.pid}" 1
	done
	lab_end control 5
	lab_end dataplane 5
	lab_end control.supervisor 1
	lab_end dataplane.supervisor 1
	rm -f "$LAB_RUN"/{dataplane,control}.sock "$LAB_RUN"/*.hold
}
# A killed dataplane leaves its XDP program behind: packets would vanish there.
lab_xdp_off() {
	ip link set dev "$LAB_IFACE" xdp off 2>/dev/null
	ip link set dev "$LAB_IFACE" xdpgeneric off 2>/dev/null
	return 0
}
lab_net_down() {
	ip link del edge0 2>/dev/null
	ip netns del phones 2>/dev/null
	return 0
}
# An interface of the user's that an earlier `--lan` served: our program off, its state as found.
lab_lan_restore() {
	local iface was
	{ read -r iface was <"$LAB_RUN/lan"; } 2>/dev/null || return 0
	LAB_IFACE=$iface lab_xdp_off
	[[ $was == down ]] && ip link set "$iface" down
	rm -f "$LAB_RUN/lan"
	return 0
}
lab_clear() {
	lab_stop
	lab_lan_restore
	lab_net_down
	rm -f "$LAB_RUN/stopping"
}

# ---- memory -------------------------------------------------------------------------------------

lab_huge() { cat "$LAB_HUGE/$1"; } # FILE
# Pages that are missing for the profile: what is free and not promised to somebody counts.
lab_huge_lacking() {
	local free
	free=$(($(lab_huge free_hugepages) - $(lab_huge resv_hugepages)))
	echo $((free >= LAB_HUGE_PAGES ? 0 : LAB_HUGE_PAGES - free))
}
lab_huge_raise() {
	local lacking before want
	[[ -w $LAB_HUGE/nr_hugepages ]] ||
		{ echo "this kernel has no 2 MiB huge pages, or they may not be changed here ($LAB_HUGE)"; return 71; }
	lacking=$(lab_huge_lacking)
	((lacking == 0)) && echo "huge pages: enough are free" && return 0
	before=$(lab_huge nr_hugepages)
	want=$((before + lacking))
	[[ -e $LAB_RUN/huge-found ]] || echo "$before" >"$LAB_RUN/huge-found"
	echo "$want" >"$LAB_HUGE/nr_hugepages"
	if (($(lab_huge_lacking) > 0)); then
		# Memory is there but in pieces: let the kernel move it together, then ask again.
		echo 1 >/proc/sys/vm/drop_caches
		echo 1 >/proc/sys/vm/compact_memory
		echo "$want" >"$LAB_HUGE/nr_hugepages"
	fi
	lab_huge nr_hugepages >"$LAB_RUN/huge-set"
	lacking=$(lab_huge_lacking)
	((lacking == 0)) && echo "huge pages: $before -> $want of 2 MiB" && return 0
	echo "huge pages: $LAB_HUGE_PAGES of 2 MiB wanted, $lacking are missing. Free memory, or set" \
		"vm.nr_hugepages at boot."
	return 71
}
# The number found, unless somebody changed it since: then only what we added goes.
lab_huge_restore() {
	local found set now
	[[ -e $LAB_RUN/huge-found && -e $LAB_RUN/huge-set ]] || return 0
	found=$(<"$LAB_RUN/huge-found")
	set=$(<"$LAB_RUN/huge-set")
	now=$(lab_huge nr_hugepages)
	((now == set)) || found=$((now - (set - found)))
	((found < 0)) && found=0
	echo "$found" >"$LAB_HUGE/nr_hugepages"
	rm -f "$LAB_RUN/huge-found" "$LAB_RUN/huge-set"
	echo "  huge pages             $now -> $(lab_huge nr_hugepages)"
}

# ---- network ------------------------------------------------------------------------------------

lab_in() { ip netns exec phones "$@"; }
lab_offloads_off() { ethtool -K "$1" tx off rx off sg off tso off gso off gro off >/dev/null; } # IFACE
lab_net_up() {
	ip netns add phones &&
		ip link add edge0 type veth peer name phone0 netns phones &&
		echo 1 >/proc/sys/net/ipv6/conf/edge0/disable_ipv6 &&
		lab_offloads_off edge0 &&
		ip link set edge0 up || return 71
	lab_in ip link set lo up &&
		lab_in "$(command -v ethtool)" -K phone0 tx off rx off sg off tso off gso off gro off >/dev/null &&
		lab_in ip addr add 10.99.0.2/24 dev phone0 &&
		lab_in ip addr add fd99::2/64 dev phone0 nodad &&
		lab_in ip link set phone0 up
}
# Loss for both directions of phone0. Egress of netdev drops without telling the sender, as a wire does.
lab_loss_on() { # PERCENT
	lab_in nft -f - <<-E
		table netdev sluice_loss {
			chain in {
				type filter hook ingress device "phone0" priority 0
				meta l4proto udp numgen random mod 100 < $1 counter drop
			}
			chain out {
				type filter hook egress device "phone0" priority 0
				meta l4proto udp numgen random mod 100 < $1 counter drop
			}
		}
	E
}
lab_loss_off() { lab_in nft delete table netdev sluice_loss; }
lab_loss_dropped() { lab_in nft list table netdev sluice_loss | awk '/counter/ { for (i = 1; i < NF; i++) if ($i == "packets") n += $(i + 1) } END { print n + 0 }'; }

# ---- the two programs ---------------------------------------------------------------------------

lab_start() { # CONFIG; waits until both are ready
	mkdir -p "$LAB_RUN" "$LAB_LOG" "$LAB_RUN/sipp"
	rm -f "$LAB_RUN/stopping"
	lab_supervise dataplane lab_xdp_off "$LAB_BUILD/dataplane/sluice-dataplane" --config "$1" --run-dir "$LAB_RUN"
	lab_wait_ready dataplane 0 30 || return
	lab_supervise control : "$LAB_BUILD/control/sluice-control" --config "$1" --run-dir "$LAB_RUN"
	lab_wait_ready control 0 15
}
lab_ctl() { "$LAB_BUILD/control/ctl/sluicectl" --socket "$LAB_RUN/control.sock" "$@"; }
lab_report() { python3 "$LAB_ROOT/tools/lab_report.py" "$@"; }

# One run at a time on this machine; the descriptor is closed in every child.
lab_lock() {
	mkdir -p "$LAB_RUN" "$LAB_LOG" "$LAB_RUN/sipp" || exit 77
	exec 9>"$LAB_RUN/lock"
	flock -n 9 || lab_die 75 "Another ./run or ./check holds the lab (pid $(cat "$LAB_RUN/lock.pid" 2>/dev/null)); end it first."
	echo $$ >"$LAB_RUN/lock.pid"
}
# The whole lab, for tests: from whatever was left to ready.
lab_up() { # [CONFIG]
	lab_clear && lab_huge_raise && lab_net_up && lab_start "${1:-$LAB_ROOT/etc/lab.cfg}"
}
lab_down() {
	lab_stop
	lab_net_down
}

# ---- phones: sipp in the namespace --------------------------------------------------------------

lab_own() { [[ $1 == 6 ]] && echo fd99::2 || echo 10.99.0.2; }                # FAMILY
lab_peer() { [[ $1 == 6 ]] && echo '[fd99::1]:5060' || echo 10.99.0.1:5060; } # FAMILY
# users FAMILY: u001... live on IPv4, w001... on IPv6, so that no user has a contact on both.
lab_csv() { # FAMILY
	local letter=u i
	[[ $1 == 6 ]] && letter=w
	echo SEQUENTIAL | tee "$LAB_RUN/sipp/users-$1.csv" >"$LAB_RUN/sipp/calls-$1.csv"
	for ((i = 1; i <= LAB_USERS; i++)); do
		printf '%s%03d;\n' $letter "$i" >>"$LAB_RUN/sipp/users-$1.csv"
		printf '%s%03d;%s%03d;\n' $letter "$i" $letter $((i % LAB_USERS + 1)) >>"$LAB_RUN/sipp/calls-$1.csv"
	done
}
# One sipp. Its files are $LAB_RUN/sipp/NAME.{stat,err,out}; it ends with 0 when every call succeeded.
lab_sipp() { # NAME FAMILY SCENARIO ARGS...
	local name=$1 family=$2 scenario=$3 rc pid
	shift 3
	rm -f "$LAB_RUN/sipp/$name".*
	mkdir -p "$LAB_RUN/sipp/$name.d"
	(cd "$LAB_RUN/sipp/$name.d" && exec ip netns exec phones sipp "$(lab_peer "$family")" \
		-i "$(lab_own "$family")" -sf "$LAB_SIPP/$scenario.xml" -nostdin -trace_err \
		-error_file "$LAB_RUN/sipp/$name.err" -trace_stat -stf "$LAB_RUN/sipp/$name.stat" -fd 1 "$@" >"$LAB_RUN/sipp/$name.out" 2>&1 9>&-) &
	pid=$!
	lab_pid_write "sipp-$name" "$pid"
	wait "$pid"
	rc=$?
	rm -rf "$LAB_RUN/sipp/$name.d" "$LAB_RUN/sipp-$name.pid"
	return $rc
}
lab_sipp_start() { # as lab_sipp, in the background; lab_sipp_wait NAME gives its result
	lab_sipp "$@" &
	printf -v "LAB_JOB_${1//[^a-z0-9]/_}" %s $!
}
lab_sipp_wait() { # NAME
	local job=LAB_JOB_${1//[^a-z0-9]/_}
	wait "${!job}"
}
lab_uas_start() { # FAMILY; returns when it listens
	local i
	lab_sipp_start "uas$1" "$1" uas -p 5070
	for ((i = 0; i < 100; i++)); do
		lab_in ss -Hlun "sport = :5070" | grep -qF "$(lab_own "$1")" && return 0
		sleep 0.02
	done
	return 1
}
lab_uas_stop() { # FAMILY
	lab_end "sipp-uas$1" 2
	lab_sipp_wait "uas$1" 2>/dev/null
	return 0
}
lab_register() { # FAMILY [SCENARIO]; register | query | unregister: one transaction a user
	lab_csv "$1"
	lab_sipp "${2:-register}$1" "$1" "${2:-register}" -p 5090 -inf "$LAB_RUN/sipp/users-$1.csv" \
		-r "${LAB_RATE:-100}" -m $LAB_USERS -l $LAB_USERS -timeout "${LAB_TIMEOUT:-40}s"
}
lab_watch_start() { # FAMILY; returns when it watches
	local i log=$LAB_RUN/sipp/watch$1.out
	rm -f "$LAB_RUN/sipp/calls-$1.setup"
	ip netns exec phones python3 "$LAB_ROOT/tools/lab_setup_time.py" phone0 5080 \
		"$LAB_RUN/sipp/calls-$1.setup" >"$log" 2>&1 9>&- &
	lab_pid_write "sipp-watch$1" $!
	for ((i = 0; i < 100; i++)); do
		grep -q watching "$log" && return 0
		sleep 0.02
	done
	return 1
}
# Calls from user to user. Setup times, as seen on the wire, go to calls-FAMILY.setup.
lab_calls() { # FAMILY COUNT RATE HOLD_MS
	local rc
	lab_csv "$1"
	lab_watch_start "$1"
	lab_sipp "calls$1" "$1" uac -p 5080 -inf "$LAB_RUN/sipp/calls-$1.csv" -m "$2" -r "$3" \
		-l "$2" -d "$4" -timeout "${LAB_TIMEOUT:-40}s"
	rc=$?
	lab_end "sipp-watch$1" 2
	return $rc
}
lab_setup_ms() { lab_report rtt "$2" "$LAB_RUN/sipp/calls-$1.setup"; } # FAMILY PERCENTILE
# What a sipp counted: "succeeded failed retransmissions"; nothing written is "0 0 0".
lab_counts() { lab_report sipp "$LAB_RUN/sipp/$1.stat"; } # NAME

# Kill control with -9 and wait for the next one: prints "PID MILLISECONDS", 1 when none comes.
lab_kill_control() {
	local pid ready began
	pid=$(lab_pid control) || return 1
	ready=$(lab_ready_count control)
	began=$(lab_now_us)
	kill -KILL "$pid" || return 1
	lab_wait_ready control "$ready" 10 >&2 || return 1
	echo "$pid $((($(lab_now_us) - began + 500) / 1000))"
}
