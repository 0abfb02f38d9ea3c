#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A hundred phones register and a hundred calls cross the appliance, on IPv4 and on IPv6; the same
# with 5 % of all datagrams lost in both directions. Bindings go away when asked to.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

expect_sipp() { # NAME SIPP COUNT
	local succeeded failed repeats
	read -r succeeded failed repeats < <(lab_counts "$2")
	expect "$1" "$succeeded $failed" "$3 0" "$LAB_RUN/sipp/$2.err"
	echo "# $1: $succeeded succeeded, $failed failed, $repeats retransmissions"
}
straight() { # FAMILY
	lab_register "$1"
	expect_sipp "register_ipv$1" "register$1" $LAB_USERS
	lab_register "$1" query
	expect_sipp "bindings_ipv$1" "query$1" $LAB_USERS
	lab_calls "$1" $LAB_USERS 100 200
	expect_sipp "calls_ipv$1" "calls$1" $LAB_USERS
	echo "# setup time p50 $(lab_setup_ms "$1" 50) ms, p99 $(lab_setup_ms "$1" 99) ms"
}
with_loss() { # FAMILY
	local dropped phone
	lab_loss_on 5 || { skip "calls_ipv$1_5_percent_lost" "this kernel has no nftables egress hook"; return; }
	LAB_TIMEOUT=90 LAB_RATE=50 lab_register "$1"
	expect_sipp "register_ipv$1_5_percent_lost" "register$1" $LAB_USERS
	lab_uas_stop "$1" # sipp's gives up where a phone repeats: see called_phone.py
	ip netns exec phones python3 "$LAB_ROOT/tests/e2e/called_phone.py" "$(lab_own "$1")" 5070 9>&- &
	phone=$!
	LAB_TIMEOUT=120 lab_calls "$1" $LAB_USERS 50 200
	expect_sipp "calls_ipv$1_5_percent_lost" "calls$1" $LAB_USERS
	dropped=$(lab_loss_dropped)
	if ((dropped > 0)); then ok "loss_ipv$1"; else not_ok "loss_ipv$1" "nothing was lost: the test shows nothing"; fi
	echo "# $dropped datagrams lost on purpose"
	lab_loss_off
	kill "$phone"
	wait "$phone" 2>/dev/null
}
unregister() { # FAMILY
	local failed
	lab_register "$1" unregister
	expect_sipp "unregister_ipv$1" "unregister$1" $LAB_USERS
	lab_register "$1" query
	read -r _ failed _ < <(lab_counts "query$1")
	expect "unregistered_users_have_no_binding_ipv$1" "$failed" $LAB_USERS
}

need_lab
for family in 4 6; do
	lab_uas_start $family || not_ok "uas_ipv$family" "does not listen"
	straight $family
	with_loss $family
	unregister $family
done
expect_audit "calls_audit"
finish
