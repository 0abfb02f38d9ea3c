#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The torture messages of RFC 4475 and RFC 5118 through the running appliance, as datagrams.

    torture.py DEVICE OWN_ADDRESS PEER_ADDRESS FOLDER

FOLDER holds INDEX.tsv, whose column `proxy` says what may become of each message and, behind a
semicolon, what must never happen. Run on the phones' side, with the configuration that
test_torture.sh makes: short timers, so that no transaction of one message meets the next one with
the same branch; routes for every foreign address. Answers go to the port of the Via (RFC 3261
§18.2.2), forwarded requests anywhere: so all that leaves the appliance is taken off the device itself,
fragments put together. One line a message: "ok NAME", "not ok NAME: why", "skip NAME: why".
"""
import ipaddress
import os
import re
import select
import socket
import struct
import sys
import time

TOOL_PORT = 5999      # where etc/lab.cfg has the foreign domains
SOURCE_PORT = 5998
WAIT_S = 0.45         # more than timer B, timer H and all else of the test's configuration together
USER = b"sip:user@example.com"
STREAM_ONLY = {       # what of a message shows on a stream only
    "rfc4475/dblreq.dat": "the second message is one on a stream only",
    "rfc4475/clerr.dat": "waiting for the missing octets happens on a stream only",
    "rfc4475/ncl.dat": "closing the connection happens on a stream only",
    "rfc4475/mcl01.dat": "closing the connection happens on a stream only",
}


class Sent:
    """A datagram that left the appliance."""

    def __init__(self, dst, port, data):
        self.dst, self.port, self.data = dst, port, data
        head, _, self.body = data.partition(b"\r\n\r\n")
        self.start, _, rest = head.partition(b"\r\n")
        self.headers = re.sub(rb"\r\n[ \t]+", b" ", rest).split(b"\r\n")
        found = re.match(rb"SIP/2\.0 (\d{3}) ?(.*)", self.start, re.DOTALL)
        self.status = int(found.group(1)) if found else 0
        self.reason = found.group(2) if found else b""

    def values(self, *names):
        return [h.partition(b":")[2].strip() for h in self.headers
                if h.partition(b":")[0].strip().lower() in names]

    def about(self):
        return f"{self.start[:60].decode('latin-1')} to {self.dst}:{self.port}"


class Wire:
    """Everything UDP that comes from the appliance, whatever address it goes to."""

    def __init__(self, device, peers):
        self.raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.raw.bind((device, 0))
        self.peers = peers
        self.fragments = {}

    def _whole(self, key, offset, more, data):
        """A datagram of which this was the last missing piece, or None."""
        if offset == 0 and not more:
            return data
        parts = self.fragments.setdefault(key, {})
        parts[offset] = (data, more)
        out = b""
        while len(out) in parts:
            data, more = parts[len(out)]
            out += data
            if not more:
                del self.fragments[key]
                return out
        return None

    def _ip(self, frame):
        kind = struct.unpack_from("!H", frame, 12)[0]
        ip = frame[14:]
        if kind == 0x0800 and ip[9] == 17:
            size, ident, fragment = struct.unpack_from("!HHH", ip, 2)
            src, dst = ipaddress.ip_address(ip[12:16]), ipaddress.ip_address(ip[16:20])
            data = self._whole((src, ident), (fragment & 0x1FFF) * 8, fragment & 0x2000, ip[(ip[0] & 15) * 4:size])
        elif kind == 0x86DD and ip[6] in (17, 44):
            size = struct.unpack_from("!H", ip, 4)[0]
            src, dst = ipaddress.ip_address(ip[8:24]), ipaddress.ip_address(ip[24:40])
            data = ip[40:40 + size]
            if ip[6] == 44:
                offset, ident = struct.unpack_from("!HI", data, 2)
                data = self._whole((src, ident), offset & 0xFFF8, offset & 1, data[8:])
        else:
            return None
        if str(src) not in self.peers or data is None:
            return None
        return Sent(str(dst), struct.unpack_from("!H", data, 2)[0], data[8:])

    def take(self, seconds, enough=None):
        """What came within the time; earlier when `enough` says so of one."""
        out, end = [], time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if not select.select([self.raw], [], [], left)[0]:
                break
            frame, info = self.raw.recvfrom(65535)
            if info[2] == socket.PACKET_OUTGOING:
                continue
            sent = self._ip(frame)
            if sent:
                out.append(sent)
                if enough and enough(sent):
                    break
        return out


class Lab:
    def __init__(self, device, own, peer):
        self.own, self.peer = own, peer
        self.wire = Wire(device, (peer, "fd99::1"))
        self.number = 0
        self.silent = []      # ports that would else say "unreachable"
        for port in (5060, 5050, 5070, 6050, 19823, TOOL_PORT, 5061):
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.bind((own, port))
            self.silent.append(s)
        self.out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.out.bind((own, SOURCE_PORT))

    def send(self, data):
        self.out.sendto(data, (self.peer, 5060))

    def register(self, uri, contact=None):
        """REGISTER for uri; without contact a query. Its final response, or None."""
        self.number += 1
        call = b"own-%d-%d" % (os.getpid(), self.number)
        self.send(b"REGISTER sip:example.com SIP/2.0\r\n"
                  b"Via: SIP/2.0/UDP %s:%d;rport;branch=z9hG4bK%s\r\nMax-Forwards: 70\r\n"
                  b"From: <%s>;tag=1\r\nTo: <%s>\r\nCall-ID: %s\r\nCSeq: 1 REGISTER\r\n%sContent-Length: 0\r\n\r\n"
                  % (self.own.encode(), SOURCE_PORT, call, uri, uri, call,
                     b"Contact: <%s>\r\n" % contact if contact else b""))
        mine = [s for s in self.wire.take(2, lambda s: s.status >= 200 and call in s.data) if call in s.data]
        return mine[-1] if mine else None


# ---- what must never happen, where it is more than a status ----------------------------------------

def contacts(sent):
    return [v for s in sent if s.status // 100 == 2 for v in s.values(b"contact", b"m")]


def forwarded(sent):
    return [s for s in sent if not s.status]


def null_user(lab, _data, _sent):
    reply = lab.register(b"sip:null-@example.com")
    return "null-@example.com has a binding" if reply and contacts([reply]) else None


def second_message(_lab, _data, sent):
    return "an INVITE left" if any(s.start.startswith(b"INVITE") for s in sent) else None


def body_kept(lab, data, _sent):
    """Its Route leads to 127.0.0.1, where nothing may be sent: without it, to the Request-URI."""
    free = re.sub(rb"(?m)^Route:[^\n]*\n", b"", data, count=1).replace(b"branch=z9hG4bK", b"branch=z9hG4bKfree", 1)
    lab.send(free)
    sent = forwarded(lab.wire.take(WAIT_S))
    body = data.partition(b"\r\n\r\n")[2]
    if not sent:
        return "without its Route it is not forwarded"
    return next(("the body was changed" for s in sent if s.body != body), None)


def unsupported(_lab, data, sent):
    asked = re.search(rb"(?i)\r\nProxy-Require:((?:[^\r]|\r\n[ \t])*)", data)
    wanted = {t.strip() for t in (asked.group(1) if asked else b"").split(b",")}
    got = {t.strip() for s in sent if s.status == 420 for v in s.values(b"unsupported") for t in v.split(b",")}
    return None if got == wanted else f"Unsupported names {sorted(got)}, Proxy-Require {sorted(wanted)}"


def not_merged(lab, data, _sent):
    other = re.sub(rb"(?im)^(Call-ID:\s*)", rb"\1second-", data, count=1)
    lab.send(other)
    return None if lab.wire.take(WAIT_S) else "the second request with this branch got nothing"


def parameter_outside(_lab, _data, sent):
    bad = [c for c in contacts(sent) if re.search(rb"<[^>]*unknownparam", c)]
    return f"bound as {bad}" if bad else None


def parameter_inside(_lab, _data, sent):
    got = contacts(sent)
    return None if not got or any(re.search(rb"<[^>]*unknownparam", c) for c in got) else f"bound as {got}"


def route_inside(_lab, _data, sent):
    got = contacts(sent)
    return None if not got or any(re.search(rb"<[^>]*\?Route=", c) for c in got) else f"bound as {got}"


def not_the_user(_lab, _data, sent):
    return "forwarded to the binding of user@example.com" if forwarded(sent) else None


def no_port(_lab, _data, sent):
    return next((f"sent to port {s.port}" for s in forwarded(sent) if s.port == 5070), None)


def no_broadcast(_lab, _data, sent):
    return next((s.about() for s in sent if s.dst == "255.255.255.255"), None)


NEVER = {
    "rfc4475/escnull.dat": null_user, "rfc4475/dblreq.dat": second_message, "rfc4475/mpart01.dat": body_kept,
    "rfc4475/semiuri.dat": not_the_user, "rfc4475/bext01.dat": unsupported, "rfc4475/badbranch.dat": not_merged,
    "rfc4475/cparam01.dat": parameter_outside, "rfc4475/cparam02.dat": parameter_inside,
    "rfc4475/regescrt.dat": route_inside, "rfc4475/bcast.dat": no_broadcast, "rfc5118/port-ambiguous.dat": no_port,
}


# ---- one message -----------------------------------------------------------------------------------

def is_one(sent, outcome):
    """Whether what left is what a word of the column means: fwd, drop, 404, 2xx."""
    if outcome == "drop":
        return not sent
    if outcome == "fwd":
        return bool(forwarded(sent))
    finals = [s.status for s in sent if s.status >= 200]
    if forwarded(sent) or not finals:
        return False  # an answer after forwarding is timer B's
    return re.fullmatch(outcome.replace("x", r"\d"), str(finals[0])) is not None


def judge(lab, row, data, sent):
    allowed, _, never = row["proxy"].partition(";")
    did = ", ".join(dict.fromkeys(s.about() for s in sent if s.status != 100)) or "nothing"
    for word in never.strip().split("|"):
        if re.fullmatch(r"\d[\dx]{2}|fwd", word) and is_one(sent, word):
            return f"did what it never must: {did}"
    if not any(is_one(sent, word.strip()) for word in allowed.split("|")):
        return f"may be {allowed}; did: {did}"
    answer = next((s for s in sent if s.status >= 400 and str(s.status) == row["parser"]), None)
    if answer and row["text"].encode() != answer.reason:
        return f"the reason should be '{row['text']}'; did: {did}"
    check = NEVER.get(row["file"])
    why = check(lab, data, sent) if check else None
    return f"{never.strip()}: {why}; did: {did}" if why else None


def rows(folder):
    names = None
    with open(os.path.join(folder, "INDEX.tsv"), encoding="utf-8") as f:
        for line in f:
            if line.startswith("#") or not line.strip():
                continue
            fields = line.rstrip("\n").split("\t")
            if names is None:
                names = fields
            else:
                yield dict(zip(names, fields))


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    device, own, peer, folder = sys.argv[1:]
    lab = Lab(device, own, peer)
    failed = 0
    # With a user to look up, requests to it are really forwarded, whatever else they carry.
    answer = lab.register(USER, b"sip:user@%s:%d" % (own.encode(), TOOL_PORT))
    if not answer or answer.status != 200:
        print("not ok torture: the user could not be registered")
        return 1
    for row in rows(folder):
        name = "torture_" + re.sub(r"[^a-z0-9]+", "_", row["file"].removesuffix(".dat").lower())
        with open(os.path.join(folder, row["file"]), "rb") as f:
            data = f.read()
        lab.wire.take(0.01)
        lab.send(data)
        sent = lab.wire.take(WAIT_S)
        why = judge(lab, row, data, sent)
        if not lab.register(b"sip:nobody@example.com"):
            why = (why + "; " if why else "") + "afterwards a query of the registrar got no answer"
        print(f"not ok {name}: {why}" if why else f"ok {name}", flush=True)
        failed += bool(why)
        if row["file"] in STREAM_ONLY:
            print(f"skip {name}_stream: {STREAM_ONLY[row['file']]}; streams are not served yet")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
