#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Configure and compile the programs; ./run and the Dockerfile use it.
#
#   tools/build.sh [DIR [MESON_OPTION...]]     DIR: build/ unless named
#
# Only the programs are compiled here, the tests by ./check. A tree already configured is not
# configured again: ninja does that by itself when a meson.build has changed.
set -uo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
dir=${1:-$root/build}
shift || true

main() {
	local jobs
	jobs=$(nproc)
	((jobs > 2)) && jobs=$((jobs - 1))
	if [[ ! -e $dir/build.ninja ]]; then
		meson setup "$dir" "$root" "$@" || return
	fi
	# One line a step, so that whoever watches sees "[12/80] Compiling ...".
	ninja -C "$dir" -j "$jobs" dataplane/sluice-dataplane control/sluice-control control/ctl/sluicectl
}

main "$@"
