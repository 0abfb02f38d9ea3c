#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What cannot start says why in one message, says what to do, and ends with the code that supervisors
# know: 78 configuration, 69 device, 71 memory, 77 rights, or somebody else's place.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
# shellcheck source=tests/e2e/small.sh
. "$(dirname "${BASH_SOURCE[0]}")/small.sh"

# Run to its end; what it wrote is in $SMALL/said, its code in rc.
try() { # COMMAND...
	timeout -k 1 20 "$@" >"$SMALL/said" 2>&1 </dev/null
	rc=$?
}
dataplane() { try "$SMALL/sluice-dataplane" --config "$@"; }
control() { try "$SMALL/sluice-control" --config "$@"; }
# The code; one line under the program's own name, besides its log; every TEXT in that line.
refuses() { # NAME CODE TEXT...
	local name=$1 code=$2 line n text
	shift 2
	line=$(grep -E '^sluice-(dataplane|control): ' "$SMALL/said")
	n=$(grep -c . <<<"$line")
	if [[ $rc != "$code" ]]; then
		not_ok "$name" "ended with $rc, wanted $code; it said: $(tail -1 "$SMALL/said")"
		return
	fi
	[[ $n == 1 ]] || { not_ok "$name" "$n messages, wanted one: $line"; return; }
	for text; do
		[[ $line == *"$text"* ]] || { not_ok "$name" "'$text' is not in: $line"; return; }
	done
	ok "$name"
}
clean_up() { small_clean; }

# ---- configuration ------------------------------------------------------------------------------

several_complaints() {
	local file=$SMALL/several.cfg want
	cat >"$file" <<-C
		# an unknown key, a value out of bounds, one of another kind, a bad address, an unknown name
		node = { id = 0; run_dir = "$SMALL/bad"; state_dir = "$SMALL/bad/state"; };
		txn = {
			t1_sm = 500;
			t2_ms = "slow";
		};
		ports = ( { name = "loop"; device = "net_ring0"; } );
		interfaces = ( { name = "lan"; port = "lop"; addresses = [ "10.98.0.1/24" ]; } );
		listeners = ( { name = "udp"; interface = "lan"; address = "10.98.0.300"; } );
	C
	want="2 4 5 8 9"
	for program in dataplane control; do
		$program "$file"
		refuses "${program}_says_all_complaints" 78 "5 complaints about $file" "nothing was started"
		expect "${program}_names_file_and_line_of_each" \
			"$(sed -n "s|^$file:\([0-9]*\): .*|\1|p" "$SMALL/said" | sort -n | paste -sd' ')" "$want"
		grep -q "^$file:4: .*t1_sm.*t1_ms" "$SMALL/said" ||
			not_ok "${program}_suggests_the_nearest_key" "$(sed -n 2p "$SMALL/said")"
	done
	try "$SMALL/sluicectl" check "$file"
	expect "check_says_the_same" "$rc $(grep -c "^$file:[0-9]*: " "$SMALL/said")" "1 5"
	expect "nothing_was_made" "$(ls -d "$SMALL/bad" 2>/dev/null)" ""
}
unreadable() {
	local file=$SMALL/syntax.cfg
	printf 'node = {\n\tid = 1\n\trun_dir = ;\n};\n' >"$file"
	dataplane "$file"
	refuses "syntax_error" 78 "1 complaint about $file"
	expect "syntax_error_names_the_line" "$(grep -cE "^$file:[23]: syntax error" "$SMALL/said")" 1
	dataplane "$SMALL/absent.cfg"
	refuses "absent_file" 78 "1 complaint about $SMALL/absent.cfg"
	expect "absent_file_says_so" "$(grep -c 'absent.cfg.*No such file' "$SMALL/said")" 1
	: >"$SMALL/empty.cfg"
	dataplane "$SMALL/empty.cfg"
	refuses "nothing_to_serve" 78 "names no port or no listener"
	try "$SMALL/sluice-dataplane"
	expect "no_config_named_prints_usage" "$rc $(grep -c -- '--config FILE' "$SMALL/said")" "64 1"
}

# ---- device, memory, rights ---------------------------------------------------------------------

missing_device() { # NAME DEVICE TEXT...
	local name=$1
	small_config "$SMALL/device.cfg" "$SMALL/device" "" "$2"
	shift 2
	dataplane "$SMALL/device.cfg"
	refuses "$name" 69 "$@"
}
missing_devices() {
	missing_device "no_such_interface" "net_af_xdp,iface=nosuch0|net_af_packet,iface=nosuch0" \
		"interface nosuch0: No such device" net_af_xdp net_af_packet
	missing_device "no_such_driver" net_nosuch0 net_nosuch0 "no such driver"
	missing_device "no_such_pci_device" "0000:ff:1f.7" "0000:ff:1f.7" "No such device"
	missing_device "no_such_variable" "env:PCIDEVICE_SLUICE_NOT_SET" "PCIDEVICE_SLUICE_NOT_SET is not set"
}
# Some ten GiB of packet buffers, then as much of records, where less is free.
few_huge_pages() {
	local free
	free=$(lab_huge free_hugepages)
	((free < 4000)) || { skip "few_huge_pages" "$free huge pages are free here: too many for the test"; return; }
	small_config "$SMALL/memory.cfg" "$SMALL/memory" "" net_ring0 "huge_mib = 1048576; packet_buffers = 4194304;"
	dataplane "$SMALL/memory.cfg"
	refuses "few_huge_pages_for_buffers" 71 "huge pages" "wanted " "free " nr_hugepages
	expect "few_huge_pages_for_buffers_wanted" \
		"$(grep -oE 'wanted [0-9]+' "$SMALL/said" | awk '{ print ($2 > 4000) ? "many" : $2 }')" many
	small_config "$SMALL/memory.cfg" "$SMALL/memory" "" net_ring0 \
		"huge_mib = 1048576; packet_buffers = 4096; bindings = 16777216; transactions = 16777216;"
	dataplane "$SMALL/memory.cfg"
	refuses "few_huge_pages_for_records" 71 "link region" "wanted" nr_hugepages
	expect "nobody_keeps_pages" "$(lab_huge free_hugepages)" "$free"
}
no_root() {
	mkdir -p "$SMALL/nobody/state"
	chown -R nobody "$SMALL/nobody"
	small_config "$SMALL/nobody.cfg" "$SMALL/nobody" "" "net_af_xdp,iface=lo|net_af_packet,iface=lo"
	try setpriv --reuid nobody --regid "$(id -gn nobody)" --clear-groups \
		"$SMALL/sluice-dataplane" --config "$SMALL/nobody.cfg"
	refuses "no_root" 77 "run as root" CAP_NET_RAW CAP_NET_ADMIN
	small_config "$SMALL/nobody.cfg" "$SMALL/roots-only/run"
	mkdir -m 0700 "$SMALL/roots-only"
	try setpriv --reuid nobody --regid "$(id -gn nobody)" --clear-groups \
		"$SMALL/sluice-dataplane" --config "$SMALL/nobody.cfg"
	refuses "run_dir_of_another" 77 "$SMALL/roots-only/run" "Permission denied"
	mkdir -p "$SMALL/of-root"
	small_config "$SMALL/user.cfg" "$SMALL/of-root" 'user = "nobody";'
	dataplane "$SMALL/user.cfg"
	refuses "run_dir_that_node_user_may_not_write" 77 "node.user nobody may not write in $SMALL/of-root"
	small_config "$SMALL/user.cfg" "$SMALL/user" 'user = "sluice-nobody-has";'
	for program in dataplane control; do
		$program "$SMALL/user.cfg"
		refuses "${program}_user_that_is_not_there" 77 "node.user sluice-nobody-has does not exist"
	done
}

# ---- beside one that runs -----------------------------------------------------------------------

beside_a_running_one() {
	local config=$SMALL/small.cfg other=$SMALL/other.cfg socket=$SMALL/run/dataplane.sock
	small_config "$config" "$SMALL/run"
	small_start first "$SMALL/sluice-dataplane" --config "$config"
	small_wait first "dataplane\.ready" ||
		{ not_ok "a_dataplane_to_meet" "$(tail -1 "$SMALL/first.log")"; return; }
	dataplane "$config"
	refuses "second_dataplane" 77 "another sluice-dataplane runs in $SMALL/run" "--run-dir"
	expect "first_dataplane_goes_on" "$(kill -0 "${small_pid[first]}" && ls "$socket")" "$socket"

	{ cat "$config" && echo 'txn = { t1_ms = 600; };' && echo 'registrar = { contacts_max = 7; };'; } >"$other"
	control "$other"
	refuses "control_with_another_configuration" 78 "txn.t1_ms" "registrar.contacts_max" "the same file"
	expect "only_what_differs_is_named" \
		"$(grep -oE '[a-z]+\.[a-z0-9_]+' <<<"$(grep '^sluice-control: ' "$SMALL/said")" | paste -sd' ')" \
		"txn.t1_ms registrar.contacts_max"
	expect "control_with_another_layout" "$(python3 "$LAB_ROOT/tests/e2e/knock.py" knock "$socket" 1000 999 1)" \
		"link layout mismatch: the dataplane has $layout, this control knows 999 to 1000; install matching versions, control first"
	expect "control_with_other_shards" "$(python3 "$LAB_ROOT/tests/e2e/knock.py" knock "$socket" "$layout" "$layout" 3)" \
		"cores.shards mismatch: the dataplane runs with 1, this control with 3; the number is fixed while the dataplane runs"
	# after all of them the right one is let in
	small_start right "$SMALL/sluice-control" --config "$config"
	small_wait right "control\.ready"
	expect "the_right_control_is_admitted" "$?" 0 "$SMALL/right.log"
	small_end right
	expect "control_ends_as_asked" "$small_rc" 0
	small_end first
	expect "dataplane_ends_as_asked" "$small_rc" 0
}
# A dataplane of another release says no: control repeats what it says, and does not try for ever.
control_is_refused() {
	local text="link layout mismatch: the dataplane has 9, this control knows $layout to $layout"
	mkdir -p "$SMALL/guard"
	small_config "$SMALL/guard.cfg" "$SMALL/guard"
	small_start guard python3 "$LAB_ROOT/tests/e2e/knock.py" guard "$SMALL/guard/dataplane.sock" "$mismatch" "$text"
	small_wait guard listening || { not_ok "control_is_refused" "$(<"$SMALL/guard.log")"; return; }
	control "$SMALL/guard.cfg"
	refuses "control_refused_by_another_layout" 77 "$text"
	small_end guard
}

((EUID == 0)) || { skip "bad_start" "needs root, for a dataplane to meet"; exit 0; }
trap clean_up EXIT
trap 'exit 130' INT TERM
mkdir -p "$LAB_RUN" "$LAB_LOG"
lab_huge_raise >/dev/null || { skip "bad_start" "no huge pages"; exit 0; }
small_make
layout=$(sed -n 's/^#define LINK_VERSION \([0-9]*\).*/\1/p' "$LAB_ROOT/platform/link/layout.h")
# the codes of platform/base/err.h count up from 1000
place=$(grep -oE '^\s+E_[A-Z_]+' "$LAB_ROOT/platform/base/err.h" | grep -nw E_VERSION | cut -d: -f1)
mismatch=$((-999 - place))

several_complaints
unreadable
missing_devices
few_huge_pages
no_root
beside_a_running_one
control_is_refused
finish
