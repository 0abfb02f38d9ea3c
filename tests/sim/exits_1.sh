#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Passes if the command exits with exactly 1 and names a failed schedule: neither a crash nor bad
# arguments nor an arrow that was never taken counts as having noticed a broken rule.
out=$("$@")
status=$?
echo "$out" | tail -n 2
[ "$status" -eq 1 ] && echo "$out" | grep -q '^schedule failed: '
