# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For scripts that start the programs themselves, beside the lab: a folder of their own, a small
# configuration on a port in memory, processes that end with the script. Sourced after lib.sh.

SMALL=
declare -A small_pid

# The folder, readable for other users, with copies of the programs: the tree may stand where other
# users cannot look.
small_make() {
	SMALL=$(mktemp -d)
	chmod 0755 "$SMALL"
	cp "$LAB_BUILD/dataplane/sluice-dataplane" "$LAB_BUILD/control/sluice-control" \
		"$LAB_BUILD/control/ctl/sluicectl" "$SMALL"
	chmod 0755 "$SMALL"/sluice*
}
# 110 MiB of huge pages and no right at all is what this needs. More lines go behind it; each group
# stands once.
small_config() { # FILE RUN_DIR [NODE_SETTINGS] [DEVICE] [MEMORY_SETTINGS]
	cat >"$1" <<-C
		node = { state_dir = "$2/state"; run_dir = "$2"; ${3-} };
		ports = ( { name = "loop"; device = "${4:-net_ring0}"; } );
		interfaces = ( { name = "lan"; port = "loop"; addresses = [ "10.98.0.1/24" ]; } );
		listeners = ( { name = "udp"; interface = "lan"; address = "10.98.0.1"; } );
		memory = { ${5-slots_1k = 256; slots_2k = 256; slots_4k = 256; slots_16k = 32; slots_64k = 8;
			transactions = 1024; branches = 1024; bindings = 1024; edit_blocks = 4096;
			packet_buffers = 4096;} };
	C
}
# Start a program of $SMALL in the background, its output in $SMALL/NAME.log.
small_start() { # NAME COMMAND...
	local name=$1
	shift
	: >"$SMALL/$name.log"
	"$@" >"$SMALL/$name.log" 2>&1 </dev/null 9>&- &
	small_pid[$name]=$!
}
small_wait() { # NAME TEXT; 0 when the text has appeared in the log, 1 when not in ten seconds
	local i
	for ((i = 0; i < 500; i++)); do
		grep -q "$2" "$SMALL/$1.log" && return 0
		kill -0 "${small_pid[$1]}" 2>/dev/null || break
		sleep 0.02
	done
	grep -q "$2" "$SMALL/$1.log"
}
# Ask NAME to end; prints its exit code.
small_end() { # NAME
	local pid=${small_pid[$1]-} i
	[[ -n $pid ]] || return 0
	kill -TERM "$pid" 2>/dev/null
	for ((i = 0; i < 250; i++)); do
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.02
	done
	kill -KILL "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	small_rc=$?
	unset "small_pid[$1]"
}
small_clean() {
	local name
	for name in "${!small_pid[@]}"; do
		small_end "$name"
	done
	[[ -z $SMALL ]] || rm -rf "$SMALL"
}
