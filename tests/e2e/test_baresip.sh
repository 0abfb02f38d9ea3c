#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A call between two real phones: two baresip register, one calls the other, which answers by itself;
# both say that the call is established, one hangs up, both say that it is closed. What the phones
# tell is compared with what crossed us: their SIP traces and our counters.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# SIP and control ports of the phones; baresip takes the SIP port + 1 too, for TLS.
declare -A sip_port=([alice]=5071 [bob]=5075) ctl_port=([alice]=4471 [bob]=4475)
answer_mode=";answermode=auto"

counter() { # NAME
	lab_ctl stats.get_statistics "$1" | sed -n "s/^[a-z]*:$1 = //p"
}
phone_files() { # NAME RTP_PORT ACCOUNT_PARAMETERS
	mkdir -p "$folder/$1"
	: >"$folder/$1/contacts"
	echo "<sip:$1@10.99.0.1>;regint=60$3" >"$folder/$1/accounts"
	cat >"$folder/$1/config" <<-C
		sip_listen 10.99.0.2:${sip_port[$1]}
		audio_source aubridge,$1
		audio_player aubridge,$1
		audio_alert aubridge,$1-alert
		rtp_ports $2-$(($2 + 100))
		ctrl_tcp_listen 127.0.0.1:${ctl_port[$1]}
		module_path $modules
		module g711.so
		module aubridge.so
		module_app account.so
		module_app menu.so
		module_app ctrl_tcp.so
	C
}
# Known to the lab by its pid file, so that it is ended whatever happens here.
phone_start() { # NAME
	ip netns exec phones baresip -f "$folder/$1" -s -v </dev/null 2>&1 9>&- |
		sed -u -e 's/\x1b\[[;0-9]*m//g' -e 's/\r$//' >"$LAB_LOG/baresip-$1.log" &
	phone_job[$1]=$!
}
phone_has_ended() { # NAME
	local i
	for ((i = 0; i < 100; i++)); do
		kill -0 "${phone_job[$1]}" 2>/dev/null || return 0
		sleep 0.05
	done
	return 1
}
wait_for_bindings() { # COUNT
	local i
	for ((i = 0; i < 100; i++)); do
		[[ $(counter location_contacts) == "$1" ]] && break
		sleep 0.05
	done
	counter location_contacts
}
# How often METHOD reached a phone, sent by us: the line under "UDP OURS -> THEIRS" of its trace.
got_from_us() { # NAME METHOD
	grep -A1 -F "UDP 10.99.0.1:5060 -> 10.99.0.2:${sip_port[$1]}" "$LAB_LOG/baresip-$1.log" |
		grep -c "^$2 sip:"
}
from_elsewhere() { # NAME
	grep -E "^[A-Z]+ .* -> 10\.99\.0\.2:${sip_port[$1]}" "$LAB_LOG/baresip-$1.log" |
		grep -cv -F "UDP 10.99.0.1:5060 ->"
}
clean_up() {
	local job
	# Told before, they have ended; the namespace holds nothing else than what this test started.
	for job in $(ip netns pids phones 2>/dev/null); do
		kill -TERM "$job" 2>/dev/null
	done
	lab_down
	rm -rf "$folder"
}

((EUID == 0)) || { skip "baresip" "needs root"; exit 0; }
command -v baresip >/dev/null || { skip "baresip" "baresip is not installed (baresip-core)"; exit 0; }
modules=$(dpkg -L baresip-core 2>/dev/null | grep -m1 '/modules/g711\.so$')
modules=${modules%/*}
[[ -n $modules ]] || { skip "baresip" "baresip's modules are not where its package says"; exit 0; }
declare -A phone_job
folder=$(mktemp -d)
need_lab
trap clean_up EXIT

phone_files alice 20000 ""
phone_files bob 20200 "$answer_mode"
phone_start alice
phone_start bob
expect "baresip_both_register" "$(wait_for_bindings 2)" 2 "$LAB_LOG/baresip-alice.log"
expect "baresip_two_bindings_made" "$(counter registrar_bound)" 2
lab_in python3 "$LAB_ROOT/tests/e2e/baresip_call.py" "${ctl_port[alice]}" "${ctl_port[bob]}" \
	sip:bob@10.99.0.1 || test_failed=1
phone_has_ended alice && phone_has_ended bob || not_ok "baresip_phones_end" "still there after being told"

expect "baresip_invite_came_by_us" "$(got_from_us bob INVITE)" 1 "$LAB_LOG/baresip-bob.log"
expect "baresip_ack_came_by_us" "$(got_from_us bob ACK)" 1 "$LAB_LOG/baresip-bob.log"
expect "baresip_bye_came_by_us" "$(got_from_us bob BYE)" 1 "$LAB_LOG/baresip-bob.log"
expect "baresip_nothing_passed_us_by" "$(from_elsewhere alice) $(from_elsewhere bob)" "0 0"
expect "baresip_forwarded_invite_and_bye" "$(counter proxy_forwarded)" 2
expect "baresip_forwarded_ack" "$(counter proxy_forwarded_ack)" 1
expect "baresip_bindings_are_removed" "$(wait_for_bindings 0) $(counter registrar_removed)" "0 2"
expect "baresip_without_retransmission" "$(counter txn_rx_retransmission)" 0
expect_audit "baresip_audit"
finish
