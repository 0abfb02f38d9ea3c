#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Messages longer than a packet, on IPv4 and IPv6: INVITE and 200 of 8 KB and a MESSAGE of 60 KB in IP
# fragments both ways, fragments of every kind of disorder, packet-too-big, and 513 above the limit.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

long() { # FAMILY PART
	lab_in python3 "$LAB_ROOT/tests/e2e/long_messages.py" "$1" "$2" \
		"$LAB_BUILD/control/ctl/sluicectl" --socket "$LAB_RUN/control.sock" || test_failed=1
}

need_lab
for family in 4 6; do
	for part in whole pieces path; do
		long $family $part
	done
done
expect_audit "long_audit"

# The lab again, with a limit that 8 KB is below and 20 KB above.
config=$LAB_RUN/long.cfg
{ cat "$LAB_ROOT/etc/lab.cfg" && echo 'limits = { msg_bytes = 16384; };'; } >"$config"
lab_up "$config" || { not_ok "lab_with_a_limit" "did not start"; exit 1; }
long 4 long
long 6 long
expect_audit "limit_audit"
finish
