#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# OPTIONS to the appliance itself is answered 200 with a To tag: by sipp on both families, by sipsak.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

options() { # FAMILY
	local succeeded failed repeats
	lab_sipp "options$1" "$1" options -p 5090 -m 500 -r 250 -l 100 -timeout 30s
	read -r succeeded failed repeats < <(lab_counts "options$1")
	expect "options_ipv$1" "$succeeded $failed" "500 0" "$LAB_RUN/sipp/options$1.err"
	expect "options_ipv${1}_without_retransmission" "$repeats" 0
}

need_lab
options 4
options 6
if command -v sipsak >/dev/null; then
	lab_in sipsak -s sip:10.99.0.1:5060 -vv >"$LAB_RUN/sipsak.out" 2>&1
	expect "options_sipsak" "$?" 0 "$LAB_RUN/sipsak.out"
else
	skip "options_sipsak" "sipsak is not installed"
fi
expect_audit "options_audit"
finish
