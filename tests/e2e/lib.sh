# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What end-to-end scripts share: the lab, and one line a test: "ok NAME", "not ok NAME: why" or
# "skip NAME: why". Run by ./check, or by hand as root from anywhere: tests/e2e/test_call.sh
set -uo pipefail
# shellcheck source=tools/lab.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../tools/lab.sh"

test_failed=0
ok() { echo "ok $1"; }
not_ok() { # NAME WHY
	echo "not ok $1: $2"
	test_failed=1
}
skip() { echo "skip $1: $2"; }
expect() { # NAME GOT WANTED [WHERE]
	if [[ $2 == "$3" ]]; then ok "$1"; else not_ok "$1" "got '$2', wanted '$3'${4:+; see $4}"; fi
}
# Every scenario ends with this: the identities hold.
expect_audit() { # NAME
	local figures
	figures=$(lab_ctl audit --json | lab_report audit 2>&1)
	if [[ $figures =~ ^[1-9][0-9]*\ 0\ 0$ ]]; then ok "$1"; else not_ok "$1" "$figures"; fi
}
# The lab up, or the script ends here with what stood in the way.
need_lab() {
	mkdir -p "$LAB_RUN" "$LAB_LOG" "$LAB_RUN/sipp"
	((EUID == 0)) || { skip "${0##*/}" "needs root"; exit 0; }
	trap lab_down EXIT
	trap 'exit 130' INT TERM
	lab_up "" || { not_ok "lab" "did not start"; exit 1; }
}
finish() { exit "$test_failed"; }
