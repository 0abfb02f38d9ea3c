#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Messages longer than a packet, through the appliance, between a caller and a called phone of the
namespace. Bodies are compared octet by octet; what the appliance sends is watched on the wire too.

    whole   an INVITE of 8 KB and its 200 of 8 KB, ACK and BYE; a MESSAGE of 60 KB. The kernel makes
            the fragments on the way in and joins ours on the way out.
    pieces  a MESSAGE of 4 KB in fragments of our making: in order, backwards, each twice, overlapping
    path    packet-too-big (RFC 1191, RFC 8201): a forged one changes nothing, a true one is honoured
    long    too long for a limit of 16,384 octets: 513; 8 KB goes on passing

usage: long_messages.py 4|6 PART SLUICECTL...    in the namespace; prints "ok NAME", "not ok NAME: why"
"""
import random
import re
import socket
import struct
import subprocess
import sys
import threading
import time

PATIENCE = 5.0
DEVICE = "phone0"
CALLER, CALLED = 5091, 5092
OWN = {4: "10.99.0.2", 6: "fd99::2"}
OURS = {4: "10.99.0.1", 6: "fd99::1"}
ROUTER = {4: "10.99.0.254", 6: "fd99::fe"}  # who says packet-too-big; it need not be there
ETHERTYPE = {4: 0x0800, 6: 0x86DD}
ICMP = {4: 1, 6: 58}
UDP, FRAGMENT6 = 17, 44
failed = False
serial = random.Random()


def tell(name, why=None):
    global failed
    failed = failed or why is not None
    print(f"ok {name}" if why is None else f"not ok {name}: {why}", flush=True)


def expect(name, got, wanted):
    tell(name, None if got == wanted else f"got {got!r}, wanted {wanted!r}")


def body_of(length):
    """Text that no two calls share, so that a fragment in the wrong place is noticed."""
    return bytes(serial.choices(b"abcdefghijklmnopqrstuvwxyz0123456789", k=length))


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


# ---- SIP ----------------------------------------------------------------------------------------

class Message:
    def __init__(self, data):
        head, _, self.body = data.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        self.start = lines[0]
        self.headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:]]

    def all(self, name):
        return [value for n, value in self.headers if n.lower() == name]

    def status(self):
        return int(self.start.split()[1]) if self.start.startswith("SIP/2.0 ") else 0

    def method(self):
        return self.start.split()[0]


class Phone:
    """A UDP socket that speaks SIP; nothing is sent twice, so nothing is lost unnoticed."""

    def __init__(self, family, port):
        self.family = family
        self.host = OWN[4] if family == 4 else f"[{OWN[6]}]"
        self.port = port
        self.socket = socket.socket(socket.AF_INET if family == 4 else socket.AF_INET6, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.bind((OWN[family], port))
        self.socket.settimeout(PATIENCE)

    def send(self, data):
        self.socket.sendto(data, (OURS[self.family], 5060))

    def receive(self, what=""):
        """The next message, or the first that is a request of this method."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                message = Message(self.socket.recv(65536))
            except socket.timeout:
                return None
            if not what or message.method() == what:
                return message
        return None

    def final(self):
        """The next final response."""
        while True:
            message = self.receive("SIP/2.0")
            if message is None or message.status() >= 200:
                return message

    def nothing_comes(self, seconds):
        self.socket.settimeout(seconds)
        try:
            return Message(self.socket.recv(65536)).start
        except socket.timeout:
            return None
        finally:
            self.socket.settimeout(PATIENCE)

    def request(self, method, body=b"", uri="", call="", sequence=1, more=()):
        lines = [f"{method} {uri or f'sip:called@{self.host}:{CALLED}'} SIP/2.0",
                 f"Via: SIP/2.0/UDP {self.host}:{self.port};branch=z9hG4bK{serial.getrandbits(64):x};rport",
                 "Max-Forwards: 70", "From: <sip:caller@example.com>;tag=1", *more]
        if not any(line.startswith("To:") for line in more):
            lines.append("To: <sip:called@example.com>")
        lines += [f"Call-ID: {call or f'{serial.getrandbits(64):x}'}", f"CSeq: {sequence} {method}",
                  f"Contact: <sip:caller@{self.host}:{self.port}>", "Content-Type: text/plain",
                  f"Content-Length: {len(body)}", "", ""]
        return "\r\n".join(lines).encode() + body

    def answer(self, request, body=b""):
        lines = ["SIP/2.0 200 OK"]
        for name in ("Via", "Record-Route", "From", "Call-ID", "CSeq"):
            lines += [f"{name}: {value}" for value in request.all(name.lower())]
        to = request.all("to")[0]
        lines += [f"To: {to}" if ";tag=" in to else f"To: {to};tag=2",
                  f"Contact: <sip:called@{self.host}:{self.port}>", f"Content-Length: {len(body)}", "", ""]
        self.send("\r\n".join(lines).encode() + body)


# ---- the wire -----------------------------------------------------------------------------------

class Wire:
    """Frames from the appliance on phone0, collected by a thread; and frames of our making."""

    def __init__(self, family):
        self.family = family
        self.packets = []  # IP packets that the appliance sent
        self.mac = None    # of the appliance
        self.own_mac = None
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind((DEVICE, 3))
        threading.Thread(target=self.watch, daemon=True).start()

    def watch(self):
        while True:
            frame, address = self.socket.recvfrom(65536)
            if address[2] == socket.PACKET_HOST and int.from_bytes(frame[12:14], "big") == ETHERTYPE[self.family]:
                self.mac, self.own_mac = frame[6:12], frame[:6]
                self.packets.append(frame[14:])

    def fragments(self):
        """Fragments of UDP datagrams seen so far, once the thread has caught up."""
        self.settle()
        if self.family == 4:
            return [p for p in self.packets if p[9] == UDP and struct.unpack("!H", p[6:8])[0] & 0x3FFF]
        return [p for p in self.packets if p[6] == FRAGMENT6]

    def settle(self):
        """Until something was seen at all, and nothing new for a moment: the thread runs behind."""
        end, seen = time.monotonic() + PATIENCE, -1
        while time.monotonic() < end and (self.mac is None or len(self.packets) != seen):
            seen = len(self.packets)
            time.sleep(0.05)

    def send(self, packet):
        if self.mac is None:
            self.settle()
        self.socket.send(self.mac + self.own_mac + struct.pack("!H", ETHERTYPE[self.family]) + packet)


def packed(family, text):
    return socket.inet_pton(socket.AF_INET if family == 4 else socket.AF_INET6, text)


def pseudo(family, source, target, protocol, length):
    ends = packed(family, source) + packed(family, target)
    return ends + (struct.pack("!BBH", 0, protocol, length) if family == 4 else
                   struct.pack("!IHBB", length, 0, 0, protocol))


def header4(source, target, protocol, length, ident=0, offset=0, more=False):
    """RFC 791 §3.1; the offset in octets."""
    def pack(total):
        return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + length, ident, offset // 8 | more << 13, 64, protocol,
                           total, packed(4, source), packed(4, target))
    return pack(checksum(pack(0)))


def header6(source, target, following, length):
    """RFC 8200 §3."""
    return struct.pack("!IHBB16s16s", 6 << 28, length, following, 64, packed(6, source), packed(6, target))


def datagram(family, source_port, target_port, data):
    head = struct.pack("!HHH", source_port, target_port, 8 + len(data))
    total = checksum(pseudo(family, OWN[family], OURS[family], UDP, 8 + len(data)) + head + b"\0\0" + data)
    return head + struct.pack("!H", total or 0xFFFF) + data


def piece(family, payload, ident, start, end):
    """The fragment that carries payload[start:end)."""
    part, more = payload[start:end], end < len(payload)
    if family == 4:
        return header4(OWN[4], OURS[4], UDP, len(part), ident, start, more) + part
    head = struct.pack("!BBHI", UDP, 0, start | more, ident)
    return header6(OWN[6], OURS[6], FRAGMENT6, 8 + len(part)) + head + part


def too_big(family, quote, mtu):
    """RFC 792 / RFC 1191 §4, RFC 4443 §3.2, quoting the packet that was too big."""
    if family == 4:
        message, sums = struct.pack("!BBHHH", 3, 4, 0, 0, mtu) + quote[:28], b""
    else:
        message = struct.pack("!BBHI", 2, 0, 0, mtu) + quote[:1232]
        sums = pseudo(6, ROUTER[6], OURS[6], ICMP[6], len(message))
    message = message[:2] + struct.pack("!H", checksum(sums + message)) + message[4:]
    if family == 4:
        return header4(ROUTER[4], OURS[4], ICMP[4], len(message)) + message
    return header6(ROUTER[6], OURS[6], ICMP[6], len(message)) + message


# ---- the tests ----------------------------------------------------------------------------------

class Test:
    def __init__(self, family, command):
        self.family = family
        self.command = command
        self.caller, self.called = Phone(family, CALLER), Phone(family, CALLED)
        self.wire = Wire(family)

    def name(self, what):
        return f"{what}_ipv{self.family}"

    def counter(self, name):
        done = subprocess.run([*self.command, "stats.get_statistics", name], capture_output=True, text=True,
                              timeout=5, check=False)
        found = re.search(rf"^\w+:{name} = (\d+)$", done.stdout, re.MULTILINE)
        return int(found.group(1)) if found else -1

    def counters(self, *names):
        return [self.counter(name) for name in names]

    def carried(self, what, got, body):
        """A request or response that has to be there, with the body it was sent with."""
        if got is None:
            tell(self.name(what), "nothing came")
        elif got.body != body:
            same = next((i for i, (a, b) in enumerate(zip(got.body, body)) if a != b), min(len(got.body), len(body)))
            tell(self.name(what), f"{len(got.body)} of {len(body)} octets, the first difference at {same}")
        else:
            tell(self.name(what))
        return got is not None

    def message(self, what, length):
        """MESSAGE to the called phone and its answer back, both of this length."""
        there, back = body_of(length), body_of(length)
        self.caller.send(self.caller.request("MESSAGE", there))
        got = self.called.receive("MESSAGE")
        if not self.carried(what, got, there):
            return
        self.called.answer(got, back)
        self.carried(f"{what}_answer", self.caller.final(), back)

    def invite(self):
        there, back, call = body_of(8192), body_of(8192), f"{serial.getrandbits(64):x}"
        self.caller.send(self.caller.request("INVITE", there, call=call))
        got = self.called.receive("INVITE")
        if not self.carried("invite_8k", got, there):
            return
        expect(self.name("invite_8k_headers"), [len(got.all("via")), got.all("max-forwards"),
                                                len(got.all("record-route"))], [2, ["69"], 1])
        self.called.answer(got, back)
        ok = self.caller.final()
        if not self.carried("invite_200_8k", ok, back):
            return
        expect(self.name("invite_200_8k_start"), [ok.start, len(ok.all("via"))], ["SIP/2.0 200 OK", 1])
        more = [f"To: {ok.all('to')[0]}"] + [f"Route: {r}" for r in ok.all("record-route")]
        uri = ok.all("contact")[0].strip("<>")
        self.caller.send(self.caller.request("ACK", uri=uri, call=call, more=more))
        tell(self.name("ack_after_8k"), None if self.called.receive("ACK") else "nothing came")
        self.caller.send(self.caller.request("BYE", uri=uri, call=call, sequence=2, more=more))
        bye = self.called.receive("BYE")
        if bye is not None:
            self.called.answer(bye)
        end = self.caller.final() if bye is not None else None
        expect(self.name("bye_after_8k"), end.status() if end is not None else None, 200)

    def whole(self):
        names = ("net_frag_packets", "net_joined_udp", "net_rx_fragment")
        before, made = self.counters(*names), self.counter("out_fragments")
        self.invite()
        self.message("message_60k", 60000)
        after = self.counters(*names)
        grown = [b - a for a, b in zip(before, after)]
        # INVITE, its 200, MESSAGE, its 200; 6 fragments of 1,480 octets for 8 KB, 41 for 60,000
        expect(self.name("long_datagrams_joined"), grown[:2], [4, 4])
        enough = grown[2] >= 2 * 6 + 2 * 41 and self.counter("out_fragments") - made >= 2 * 6 + 2 * 41
        tell(self.name("long_datagrams_went_in_fragments"), None if enough else f"{grown[2]} in")
        lengths = [len(p) for p in self.wire.fragments()]
        tell(self.name("no_fragment_over_the_mtu"),
             None if lengths and max(lengths) <= 1500 else f"{max(lengths, default=0)} octets")

    def in_pieces(self, what, plan, arrives=True):
        """A MESSAGE of 4 KB in the fragments that plan(payload length) names."""
        body = body_of(4096)
        payload = datagram(self.family, CALLER, 5060, self.caller.request("MESSAGE", body))
        ident = serial.getrandbits(16)
        for start, end in plan(len(payload)):
            self.wire.send(piece(self.family, payload, ident, start, end))
        if not arrives:
            expect(self.name(what), self.called.nothing_comes(0.5), None)
            return
        got = self.called.receive("MESSAGE")
        if self.carried(what, got, body):
            self.called.answer(got)
            self.caller.final()

    def pieces(self):
        def plain(length):
            return [(i, min(i + 800, length)) for i in range(0, length, 800)]

        def mixed(length):
            order = plain(length)
            return order[1::2] + order[::2]

        def twice(length):
            return [part for part in plain(length) for _ in range(2)]

        def overlapping(length):
            return [(start, min(end + 8, length)) for start, end in plain(length)]

        self.message("message_before_pieces", 100)  # neighbours know each other now
        self.in_pieces("pieces_in_order", plain)
        self.in_pieces("pieces_backwards", lambda length: plain(length)[::-1])
        self.in_pieces("pieces_mixed", mixed)
        before = self.counters("frag_drop_duplicate", "frag_drop_bad")
        self.in_pieces("pieces_twice", twice)
        # the copy of the last one comes when the packet is whole and gone: it waits for its time-out
        n = len(plain(len(datagram(self.family, CALLER, 5060, self.caller.request("MESSAGE", body_of(4096))))))
        expect(self.name("pieces_twice_are_counted"), self.counter("frag_drop_duplicate") - before[0], n - 1)
        self.in_pieces("pieces_overlapping_are_refused", overlapping, arrives=False)
        grown = self.counter("frag_drop_bad") - before[1]
        tell(self.name("pieces_overlapping_are_counted"), None if grown > 0 else "frag_drop_bad did not grow")
        self.in_pieces("pieces_after_overlapping", plain)
        expect(self.name("each_piece_once"), self.called.nothing_comes(0.2), None)

    def longest_of(self, what):
        """Octets of the longest IP packet that an 8 KB MESSAGE came in."""
        # what the exchange before still had under way is not this one's
        self.wire.settle()
        self.wire.packets.clear()
        self.message(what, 8192)
        return max((len(p) for p in self.wire.fragments()), default=0)

    def path(self):
        mtu = 1000 if self.family == 4 else 1300
        room = mtu - 20 if self.family == 4 else mtu - 48
        full = self.longest_of("message_before_too_big")
        expect(self.name("fragments_fill_the_mtu"), full, 1500 if self.family == 4 else 1496)
        true = next(iter(self.wire.fragments()), b"")
        if not true:
            tell(self.name("packet_too_big"), "no fragment was seen to quote")
            return
        where = 12 if self.family == 4 else 8
        forged = true[:where] + packed(self.family, ROUTER[self.family]) + true[where + (4 if self.family == 4 else 16):]
        before = self.counters("net_pmtu_learned", "net_pmtu_refused")
        self.wire.send(too_big(self.family, forged, mtu))
        expect(self.name("too_big_about_others_changes_nothing"), self.longest_of("message_after_forged"), full)
        self.wire.send(too_big(self.family, true, mtu))
        expect(self.name("too_big_is_honoured"), self.longest_of("message_after_too_big"),
               mtu - room % 8)  # all but the last carry a multiple of 8 octets
        after = self.counters("net_pmtu_learned", "net_pmtu_refused")
        expect(self.name("too_big_is_counted"), [b - a for a, b in zip(before, after)], [1, 1])

    def long(self):
        self.caller.send(self.caller.request("MESSAGE", body_of(20000)))
        end = self.caller.final()
        expect(self.name("over_the_limit"), end.status() if end is not None else None, 513)
        expect(self.name("over_the_limit_goes_nowhere"), self.called.nothing_comes(0.3), None)
        self.message("below_the_limit", 8192)


def main(family, part, *command):
    test = Test(int(family), command)
    parts = {"whole": test.whole, "pieces": test.pieces, "path": test.path, "long": test.long}
    parts[part]()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
