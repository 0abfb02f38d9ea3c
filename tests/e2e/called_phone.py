#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The called phones of the lossy test: a UAS that repeats its 200 until the ACK comes (RFC 3261
§13.3.1.4), answers a repeated INVITE with what it last said (§17.2.1) and a BYE whenever it comes.
sipp's UAS gives such calls up: to it a repeated INVITE, or a BYE whose ACK was lost, is unexpected.

usage: called_phone.py ADDRESS PORT     (until killed)
"""
import heapq
import socket
import sys
import time

T1, T2, GIVE_UP = 0.5, 4.0, 32.0


def headers_of(text, names):
    return [line for line in text.split("\r\n") if line.split(":")[0].strip().lower() in names]


def answer(text, status, tag, contact):
    lines = [f"SIP/2.0 {status}"] + headers_of(text, ("via", "record-route", "from"))
    to = headers_of(text, ("to",))[0]
    lines.append(to if ";tag=" in to else f"{to};tag={tag}")
    lines += headers_of(text, ("call-id", "cseq")) + [f"Contact: <{contact}>", "Content-Length: 0", "", ""]
    return "\r\n".join(lines).encode()


class Phone:
    def __init__(self, address, port):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.bind((address, port))
        host = f"[{address}]" if family == socket.AF_INET6 else address
        self.contact = f"sip:{host}:{port}"
        self.open = {}   # Call-ID -> (200, peer) until its ACK
        self.timers = []  # (when, interval, end, Call-ID)

    def invite(self, text, peer, call_id):
        if call_id in self.open:
            self.socket.sendto(self.open[call_id][0], peer)
            return
        tag = "t" + str(abs(hash(call_id)) % 10**8)
        self.socket.sendto(answer(text, "180 Ringing", tag, self.contact), peer)
        ok = answer(text, "200 OK", tag, self.contact)
        self.socket.sendto(ok, peer)
        self.open[call_id] = (ok, peer)
        now = time.monotonic()
        heapq.heappush(self.timers, (now + T1, T1, now + GIVE_UP, call_id))

    def message(self, data, peer):
        text = data.decode("latin-1")
        method = text.split(" ", 1)[0]
        call_id = "".join(headers_of(text, ("call-id",)))
        if method == "INVITE":
            self.invite(text, peer, call_id)
        elif method == "ACK":
            self.open.pop(call_id, None)
        elif not method.startswith("SIP/"):
            self.open.pop(call_id, None)
            self.socket.sendto(answer(text, "200 OK", "t", self.contact), peer)

    def repeat(self):
        now = time.monotonic()
        while self.timers and self.timers[0][0] <= now:
            _, interval, end, call_id = heapq.heappop(self.timers)
            if call_id not in self.open:
                continue
            if now >= end:
                del self.open[call_id]
                continue
            ok, peer = self.open[call_id]
            self.socket.sendto(ok, peer)
            interval = min(2 * interval, T2)
            heapq.heappush(self.timers, (now + interval, interval, end, call_id))
        return max(self.timers[0][0] - now, 0.001) if self.timers else 1.0

    def run(self):
        while True:
            self.socket.settimeout(self.repeat())
            try:
                self.message(*self.socket.recvfrom(65535))
            except (socket.timeout, ConnectionError):
                pass


if __name__ == "__main__":
    Phone(sys.argv[1], int(sys.argv[2])).run()
