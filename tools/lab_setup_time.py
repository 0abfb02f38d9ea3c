#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Call setup time on the wire: INVITE out to 200 in, for each Call-ID, in milliseconds.

    lab_setup_time.py IFACE PORT FILE      runs inside the namespace until SIGTERM, then writes FILE

sipp's own clock moves in steps of a kernel tick (4 ms at 250 Hz), which is longer than a call takes to
set up here. So the datagrams of the calling phone are watched on its interface, with the kernel's
time stamps: from the first INVITE of a call to the first 200 to it. FILE holds one
"0;milliseconds;1" a call, the form of a sipp response time file.
"""
import re
import select
import signal
import socket
import struct
import sys

ETH_P_ALL = 3
SO_TIMESTAMPNS = 35
CALL_ID = re.compile(rb"\r\n(?:Call-ID|i)[ \t]*:[ \t]*([^\r\n]+)", re.IGNORECASE)
CSEQ_INVITE = re.compile(rb"\r\nCSeq[ \t]*:[ \t]*\d+[ \t]+INVITE", re.IGNORECASE)


def udp_of(packet):
    """Source port, destination port and payload of a whole UDP datagram over IPv4 or IPv6, or None."""
    if len(packet) < 48:
        return None
    version = packet[0] >> 4
    if version == 4 and packet[9] == 17:
        start = (packet[0] & 15) * 4
    elif version == 6 and packet[6] == 17:
        start = 40
    else:
        return None
    source, target = struct.unpack_from("!HH", packet, start)
    return source, target, packet[start + 8:]


def note(packet, when, port, began, took):
    udp = udp_of(packet)
    if not udp:
        return
    source, target, payload = udp
    outgoing = source == port and payload.startswith(b"INVITE ")
    answered = target == port and payload.startswith(b"SIP/2.0 200 ")
    call = CALL_ID.search(payload) if outgoing or answered else None
    if not call:
        return
    name = call.group(1)
    if outgoing:
        began.setdefault(name, when)
    elif name in began and name not in took and CSEQ_INVITE.search(payload):
        took[name] = when - began[name]


def main(iface, port, path):
    began, took, running = {}, {}, [True]
    signal.signal(signal.SIGTERM, lambda *_: running.clear())
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    sock.bind((iface, ETH_P_ALL))
    sock.setblocking(False)
    print("watching", flush=True)
    while running:
        if not select.select([sock], [], [], 0.1)[0]:
            continue
        packet, control, _, _ = sock.recvmsg(65535, 64)
        seconds, nanoseconds = struct.unpack("qq", control[0][2][:16])
        note(packet, seconds * 1000 + nanoseconds / 1e6, int(port), began, took)
    with open(path, "w", encoding="ascii") as out:
        out.writelines(f"0;{ms:.3f};1\n" for ms in took.values())
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        sys.exit(64)
    sys.exit(main(*sys.argv[1:]))
