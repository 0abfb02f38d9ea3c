#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Both processes as user sluice, on a port that needs no right: started as that user (as the units of
# packaging/systemd do), and started as root with node.user. Other users, and other processes of the
# same user, can neither look into them nor take their place.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/e2e/small.sh
. "$(dirname "${BASH_SOURCE[0]}")/small.sh"

made_users=()
user_make() { # NAME
	getent passwd "$1" >/dev/null && return 0
	useradd --system --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "$1" &&
		made_users+=("$1")
}
clean_up() {
	local name
	small_clean
	for name in "${made_users[@]}"; do
		userdel "$name" 2>/dev/null
	done
}
as() { # USER COMMAND...
	local user=$1
	shift
	setpriv --reuid "$user" --regid "$(id -gn "$user")" --clear-groups --inh-caps=-all "$@"
}
stranger() { # USER COMMAND ARGS...; the system's python: another one may stand where USER cannot look
	local user=$1
	shift
	as "$user" /usr/bin/python3 - "$@" <"$LAB_ROOT/tests/e2e/knock.py"
}
# A process that may be dumped owns its files in /proc; one that may not leaves them to root.
who() { stat -c %U "/proc/$1/maps" 2>/dev/null; }
# Real, effective, saved and file system ids, all in one word when they are the same.
ids() { awk -v key="$2:" '$1 == key { print ($2 == $3 && $3 == $4 && $4 == $5) ? $2 : "mixed" }' "/proc/$1/status"; }
capabilities() { sed -n 's/^Cap\(Prm\|Eff\|Amb\):\t*//p' "/proc/$1/status" | sort -u | paste -sd' '; }
mode() { stat -c '%a %U' "$1" 2>/dev/null; }

start_dataplane() { # HOW COMMAND...
	local how=$1
	shift
	small_start "$how-dataplane" "$@" "$SMALL/sluice-dataplane" --config "$config"
	small_wait "$how-dataplane" "dataplane\.ready" && ok "dataplane_${how}_is_ready" && return
	not_ok "dataplane_${how}_is_ready" "$(tail -2 "$SMALL/$how-dataplane.log" | paste -sd' ')"
	return 1
}
start_control() { # HOW COMMAND...
	local how=$1
	shift
	small_start "$how-control" "$@" "$SMALL/sluice-control" --config "$config"
	small_wait "$how-control" "control\.ready" && ok "control_${how}_attaches_and_is_ready" && return
	not_ok "control_${how}_attaches_and_is_ready" "$(tail -2 "$SMALL/$how-control.log" | paste -sd' ')"
	return 1
}
# What runs has no right left, and no one may look into it. Root may: it is not asked.
closed_to_others() { # HOW PROGRAM
	local pid=${small_pid[$1-$2]} other
	expect "$2_$1_runs_as_sluice" "$(ids "$pid" Uid) $(ids "$pid" Gid)" "$(id -u sluice) $(id -g sluice)"
	expect "$2_$1_has_no_capability" "$(capabilities "$pid")" 0000000000000000
	expect "$2_$1_is_not_dumpable" "$(who "$pid")" root
	for other in nobody sluice-script sluice; do
		expect "$2_$1_hides_memory_from_$other" "$(stranger "$other" look "$pid")" nothing
		expect "$2_$1_refuses_ptrace_by_$other" "$(stranger "$other" trace "$pid")" "EPERM EPERM"
	done
}
# Before a control is there: the door answers at once.
door_refuses() { # HOW RUN_DIR
	local refusal="refused: a control process must run as the dataplane's user and pass a pidfd of itself"
	expect "attach_socket_$1_mode" "$(mode "$2/dataplane.sock")" "600 sluice"
	expect "attach_socket_$1_closed_to_nobody" "$(stranger nobody knock "$2/dataplane.sock" 1 1 1)" EACCES
	# The mode is not all that stands between: the credentials are looked at too.
	chmod 0666 "$2/dataplane.sock"
	expect "attach_socket_$1_refuses_another_uid" "$(stranger nobody knock "$2/dataplane.sock" 1 1 1)" "$refusal"
	expect "attach_socket_$1_refuses_script_user" \
		"$(stranger sluice-script knock "$2/dataplane.sock" 1 1 1)" "$refusal"
	chmod 0600 "$2/dataplane.sock"
}
control_answers() { # HOW RUN_DIR
	expect "control_socket_$1_mode" "$(mode "$2/control.sock")" "660 sluice"
	expect "control_socket_$1_closed_to_nobody" "$(stranger nobody call "$2/control.sock")" EACCES
	expect "control_socket_$1_answers_its_user" "$(as sluice "$SMALL/sluicectl" --socket "$2/control.sock" \
		core.info --json >/dev/null; echo $?)" 0
	if [[ $("$SMALL/sluicectl" --socket "$2/control.sock" audit --json | lab_report audit) =~ ^[1-9][0-9]*\ 0\ 0$ ]]; then
		ok "audit_$1"
	else
		not_ok "audit_$1" "does not hold"
	fi
}
# A hung control is ended by the dataplane, which may only end processes of its own user.
fences() { # HOW
	kill -STOP "${small_pid[$1-control]}"
	small_wait "$1-dataplane" "control_gone.*hung_and_killed"
	expect "dataplane_$1_may_fence_control" "$?" 0 "$SMALL/$1-dataplane.log"
}
both() { # HOW RUN_DIR COMMAND...
	local how=$1 run=$2
	shift 2
	start_dataplane "$how" "$@" || return
	door_refuses "$how" "$run"
	if start_control "$how" "$@"; then
		closed_to_others "$how" control
		control_answers "$how" "$run"
		fences "$how"
	fi
	closed_to_others "$how" dataplane
	small_end "$how-control"
	small_end "$how-dataplane"
	expect "dataplane_${how}_ends_as_asked" "$small_rc" 0
	expect "dataplane_${how}_takes_its_socket_away" "$(ls "$run" | grep -c 'dataplane\.sock')" 0
}
unit_has_the_user() {
	local n
	n=$(grep -l '^User=sluice$' "$LAB_ROOT"/packaging/systemd/sluice-{dataplane,control}.service | wc -l)
	expect "units_run_both_as_sluice" "$n" 2
	expect "sysusers_makes_both_users" \
		"$(awk '$1 == "u" { print $2 }' "$LAB_ROOT/packaging/sysusers.d/sluice.conf" | paste -sd' ')" \
		"sluice sluice-script"
}

((EUID == 0)) || { skip "user" "needs root, to become other users"; exit 0; }
trap clean_up EXIT
trap 'exit 130' INT TERM
mkdir -p "$LAB_RUN" "$LAB_LOG"
lab_huge_raise >/dev/null || { skip "user" "no huge pages"; exit 0; }
user_make sluice && user_make sluice-script || { not_ok "user" "users cannot be made"; exit 1; }
small_make
config=$SMALL/small.cfg
unit_has_the_user

# As the unit does: the user from the first instruction, folders made for it before.
mkdir -p "$SMALL/unit/state" && chown -R sluice: "$SMALL/unit"
small_config "$config" "$SMALL/unit" 'log_level = "notice";'
both as_user "$SMALL/unit" setpriv --reuid sluice --regid sluice --clear-groups --inh-caps=-all

# As root, which makes the folders and leaves itself behind.
small_config "$config" "$SMALL/root" 'user = "sluice";'
both by_node_user "$SMALL/root" env
finish
