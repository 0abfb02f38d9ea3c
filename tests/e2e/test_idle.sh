#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Both processes on one CPU, with nothing to do: together below 5 % of it over five seconds, by the
# kernel's own count. Then, after ten silent seconds, an OPTIONS is answered; how fast is told, not
# judged: that is a row of ./measure.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

LIMIT_PERCENT=5 WATCH_S=5

# Clock ticks of all threads of a process, user and system (proc(5): fields 14 and 15 of stat).
ticks() { # PID
	local stat fields
	read -r stat <"/proc/$1/stat" || return 1
	read -ra fields <<<"${stat##*) }"
	echo $((fields[11] + fields[12]))
}
# Hundredths of a per cent of one CPU that TICKS in US are.
share() { # TICKS US
	echo $(($1 * 1000000 / hertz * 10000 / $2))
}
percent() { printf '%d.%02d' $(($1 / 100)) $(($1 % 100)); }
cpu_of_threads() { # PID; every CPU that its threads may run on
	awk '/^Cpus_allowed_list/ { print $2 }' /proc/"$1"/task/*/status | sort -u | paste -sd' '
}
idle() {
	local d c began us now_d now_c both
	d=$(ticks "$dataplane") c=$(ticks "$control")
	began=$(lab_now_us)
	sleep $WATCH_S
	now_d=$(ticks "$dataplane") now_c=$(ticks "$control")
	us=$(($(lab_now_us) - began))
	if [[ -z $now_d || -z $now_c ]]; then
		not_ok "idle_processes_stay" "one of them has ended"
		return
	fi
	both=$(share $((now_d - d + now_c - c)) $us)
	if ((both < LIMIT_PERCENT * 100)); then
		ok "idle_appliance_leaves_the_cpu_alone"
	else
		not_ok "idle_appliance_leaves_the_cpu_alone" "$(percent "$both") % of a CPU, wanted below $LIMIT_PERCENT %"
	fi
	echo "# idle for $WATCH_S s: dataplane $(percent "$(share $((now_d - d)) $us)") %," \
		"control $(percent "$(share $((now_c - c)) $us)") % of CPU $cpu"
}
# OPTIONS to us from the namespace, one after each pause: prints "STATUS MICROSECONDS" a line. One
# process and one socket for all, on another CPU where there is one, so that its own start and the
# struggle for the CPU are not in the figure.
options_after() { # SECONDS...
	ip netns exec phones taskset -c "$phone_cpu" python3 - "$@" <<-'P'
		import socket
		import sys
		import time
		s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
		s.bind(("10.99.0.2", 5095))
		s.settimeout(5)
		for pause in sys.argv[1:]:
		    time.sleep(float(pause))
		    text = "\r\n".join(["OPTIONS sip:10.99.0.1 SIP/2.0",
		        f"Via: SIP/2.0/UDP 10.99.0.2:5095;branch=z9hG4bK{time.time_ns():x};rport", "Max-Forwards: 70",
		        "From: <sip:idle@10.99.0.2>;tag=1", "To: <sip:10.99.0.1>", f"Call-ID: {time.time_ns():x}",
		        "CSeq: 1 OPTIONS", "Content-Length: 0", "", ""]).encode()
		    began = time.perf_counter()
		    s.sendto(text, ("10.99.0.1", 5060))
		    try:
		        print(s.recv(65536).split()[1].decode(), round(1e6 * (time.perf_counter() - began)))
		    except socket.timeout:
		        print("none 0")
	P
}
wakes_up() {
	local status us warm_status warm_us
	{
		read -r status us
		read -r status us
		read -r warm_status warm_us
	} < <(options_after 0 10 0)
	expect "options_after_ten_silent_seconds" "$status" 200
	expect "options_right_after" "$warm_status" 200
	echo "# answered $us us after ten silent seconds, $warm_us us right after"
}

hertz=$(getconf CLK_TCK)
cpu=$(($(nproc --all) > 1 ? 1 : 0))
phone_cpu=0 # the same where there is one only
((EUID == 0)) || { skip "idle" "needs root"; exit 0; }
# All that the lab starts inherits it: `auto` then means this one CPU.
taskset -pc "$cpu" $$ >/dev/null 2>&1 || { skip "idle" "CPU $cpu may not be used here"; exit 0; }
need_lab
dataplane=$(lab_pid dataplane)
control=$(lab_pid control)
expect "dataplane_keeps_to_the_cpu" "$(cpu_of_threads "$dataplane")" "$cpu"
expect "control_keeps_to_the_cpu" "$(cpu_of_threads "$control")" "$cpu"
options_after 0 >/dev/null # neighbours know each other
sleep 1
idle
wakes_up
expect "processes_are_the_same" "$(lab_pid dataplane) $(lab_pid control)" "$dataplane $control"
expect_audit "idle_audit"
finish
