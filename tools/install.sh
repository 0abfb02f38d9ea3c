#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Install what is missing of sections of packaging/apt.txt, and nothing else.
#
#   tools/install.sh run check        install
#   tools/install.sh --missing run    only print the names that are missing
#
# dpkg is asked first, so a second run takes no time and needs neither root nor network. The lists of
# apt are fetched only when a package cannot be found or downloaded with those at hand. What apt added
# (dependencies too) is written to a file, so that `./run --clean --packages` can take it away again.
# ./run, ./check and the Dockerfile all come through here.
set -uo pipefail
export LC_ALL=C

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
list=$here/../packaging/apt.txt
state=${SLUICE_STATE:-/var/lib/sluice-lab}

usage() {
	echo "usage: tools/install.sh [--missing] SECTION...   (sections: $(grep -o '^\[[a-z]*\]' "$list" |
		tr -d '[]' | paste -sd' '))" >&2
	exit 64
}

section_names() { # SECTION
	awk -v want="[$1]" '/^\[/ { on = ($1 == want); next } on && NF && $1 !~ /^#/ { print $1 }' "$list"
}

# Names that are not installed. A name that another package provides counts as there.
missing_of() { # NAME...
	local name status
	for name; do
		status=$(dpkg-query -W -f='${db:Status-Status}\n' "$name" 2>/dev/null)
		[[ $status == *installed* && $status != *not-installed* ]] || echo "$name"
	done
}

installed_now() {
	dpkg-query -W -f='${db:Status-Status} ${binary:Package}\n' | awk '$1 == "installed" { print $2 }' | sort
}

# apt tells its progress on a descriptor: "pmstatus:PACKAGE:PERCENT:TEXT" and dlstatus likewise.
show_progress() {
	local kind percent text last=-1 n
	while IFS=: read -r kind _ percent text; do
		n=${percent%%.*}
		[[ $n =~ ^[0-9]+$ ]] || continue
		((n / 5 == last)) && continue
		last=$((n / 5))
		case $kind in
		dlstatus) echo "download $n %: $text" ;;
		pmstatus) echo "install $n %: $text" ;;
		esac
	done
}

apt_install() { # NAME...
	{
		apt-get -y -qq --no-install-recommends -o APT::Status-Fd=5 -o Dpkg::Use-Pty=0 \
			install "$@" 5>&1 >&3 3>&- | show_progress >&4
		return "${PIPESTATUS[0]}"
	} 3>&2 4>&1
}

# Daemons that come along (Kamailio, a measuring peer) must not take port 5060 of the host.
forbid_daemons() {
	[[ -e /usr/sbin/policy-rc.d ]] && return
	printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d || return
	chmod 755 /usr/sbin/policy-rc.d
	trap 'rm -f /usr/sbin/policy-rc.d' EXIT
	trap 'exit 130' INT TERM
}

install_missing() { # NAME...
	local before
	export DEBIAN_FRONTEND=noninteractive
	before=$(installed_now)
	forbid_daemons
	if ! apt-get -qq --simulate --no-install-recommends install "$@" >/dev/null 2>&1; then
		echo "apt-get update"
		apt-get -qq update || return
	fi
	if ! apt_install "$@"; then
		echo "once more, with fresh lists"
		apt-get -qq update && apt_install "$@" || return
	fi
	mkdir -p "$state" && comm -13 <(echo "$before") <(installed_now) >>"$state/packages"
}

main() {
	local only_missing=no section names=() missing=()
	[[ ${1-} == --missing ]] && only_missing=yes && shift
	(($#)) || usage
	for section; do
		mapfile -t -O "${#names[@]}" names < <(section_names "$section")
		[[ -n $(section_names "$section") ]] || usage
	done
	mapfile -t missing < <(missing_of "${names[@]}")
	if [[ $only_missing == yes ]]; then
		((${#missing[@]})) && printf '%s\n' "${missing[@]}"
		return 0
	fi
	if ((${#missing[@]} == 0)); then
		echo "packages: all ${#names[@]} of ${*} are there"
		return 0
	fi
	if ((EUID != 0)); then
		echo "packages missing: ${missing[*]}; install them as root: apt-get install ${missing[*]}" >&2
		return 77
	fi
	echo "packages: installing ${missing[*]}"
	install_missing "${missing[@]}" || {
		echo "apt-get could not install ${missing[*]}: see the lines above (network, sources.list?)" >&2
		return 69
	}
}

main "$@"
