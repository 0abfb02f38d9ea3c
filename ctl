#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The built sluicectl; it speaks to the appliance that ./run started, unless --socket names another.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
program=${SLUICE_BUILD:-$root/build}/control/ctl/sluicectl
socket=${SLUICE_RUN:-/run/sluice-lab}/control.sock

if [[ ! -x $program ]]; then
	echo "sluicectl is not built yet: ./run or tools/build.sh does that" >&2
	exit 69
fi
if [[ -S $socket && " $* " != *" --socket"* ]]; then
	exec "$program" --socket "$socket" "$@"
fi
exec "$program" "$@"
