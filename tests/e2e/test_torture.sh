#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every message of RFC 4475 and RFC 5118, one at a time, through the running appliance; what comes of
# each must be what tests/torture/INDEX.tsv allows. Several messages share one branch, so the timers
# are short here; names and addresses of the RFCs' examples lead to the phones' side.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

torture_config() {
	local name hosts=
	for name in services.example.com registrar.example.com host.example.net; do
		hosts+="		{ name = \"$name\"; address = \"10.99.0.2\"; port = 5999; },\\n"
	done
	sed -e "s|^\thosts = (|&\\n${hosts%\\n}|" \
		-e 's|addresses = \[ "10.99.0.1/24", "fd99::1/64" \];|&\n	  routes = ( { to = "0.0.0.0/0"; via = [ "10.99.0.2" ]; }, { to = "::/0"; via = [ "fd99::2" ]; } );|' \
		"$LAB_ROOT/etc/lab.cfg"
	echo 'txn = { t1_ms = 50; t2_ms = 100; t4_ms = 0; timer_b_ms = 150; timer_d_ms = 50; hold_ms = 50; };'
}

mkdir -p "$LAB_RUN" "$LAB_LOG" "$LAB_RUN/sipp"
((EUID == 0)) || { skip "torture" "needs root"; exit 0; }
trap lab_down EXIT
trap 'exit 130' INT TERM
torture_config >"$LAB_RUN/torture.cfg"
lab_up "$LAB_RUN/torture.cfg" || { not_ok "torture" "the lab did not start"; exit 1; }
dataplane=$(lab_pid dataplane)
control=$(lab_pid control)
lab_in python3 "$LAB_ROOT/tests/e2e/torture.py" phone0 10.99.0.2 10.99.0.1 "$LAB_ROOT/tests/torture" || test_failed=1
expect "torture_dataplane_is_the_same" "$(lab_pid dataplane)" "$dataplane"
expect "torture_control_is_the_same" "$(lab_pid control)" "$control"
expect_audit "torture_audit"
finish
