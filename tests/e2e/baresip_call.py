#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One call between two running baresip, driven over their ctrl_tcp sockets (netstrings of JSON). The
first calls, the second answers by itself; when both have said that the call is established, it is held
for a second, the first hangs up, both have to say that it is closed. Then both are told to quit.
Prints "ok NAME" and "not ok NAME: why" lines; 1 when anything failed.

usage: baresip_call.py CALLER_PORT CALLED_PORT URI      (ports of ctrl_tcp at 127.0.0.1)
"""
import json
import socket
import sys
import time

PATIENCE = 10.0
failed = False


def tell(name, why=None):
    global failed
    failed = failed or why is not None
    print(f"ok {name}" if why is None else f"not ok {name}: {why}", flush=True)


class Phone:
    def __init__(self, name, port):
        self.name = name
        self.events = []   # (type, Call-ID, parameter), as they came
        self.answers = []  # replies to our commands
        self.text = b""
        self.socket = self.connect(port)

    @staticmethod
    def connect(port):
        end = time.monotonic() + PATIENCE
        while True:
            try:
                return socket.create_connection(("127.0.0.1", port), 1)
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def command(self, name, parameters=""):
        text = json.dumps({"command": name, "params": parameters, "token": name}).encode()
        self.socket.sendall(b"%d:%s," % (len(text), text))

    def take(self):
        """What stands whole in self.text."""
        while b":" in self.text:
            length, rest = self.text.split(b":", 1)
            if len(rest) <= int(length):
                return
            message = json.loads(rest[:int(length)])
            self.text = rest[int(length) + 1:]
            if message.get("event"):
                self.events.append((message["type"], message.get("id", ""), message.get("param", "")))
            else:
                self.answers.append(message)

    def wait_gone(self, patience=PATIENCE):
        """Until the phone has closed its side: leaving earlier may take the command away from it."""
        self.socket.settimeout(patience)
        try:
            while self.socket.recv(65536):
                pass
        except (socket.timeout, ConnectionError):
            pass

    def wait(self, kind, patience=PATIENCE):
        """The first event of this kind, or None when none comes in time or the phone is gone."""
        end = time.monotonic() + patience
        while True:
            for event in self.events:
                if event[0] == kind:
                    return event
            left = end - time.monotonic()
            if left <= 0:
                return None
            self.socket.settimeout(left)
            try:
                data = self.socket.recv(65536)
            except (socket.timeout, ConnectionError):
                return None
            if not data:
                return None
            self.text += data
            self.take()

    def seen(self):
        return "it said " + (", ".join(e[0] for e in self.events) or "nothing")


def established(phones):
    for phone in phones:
        event = phone.wait("CALL_ESTABLISHED")
        tell(f"baresip_established_at_{phone.name}", None if event else phone.seen())


def closed(phones):
    for phone in phones:
        event = phone.wait("CALL_CLOSED")
        tell(f"baresip_closed_at_{phone.name}", None if event else phone.seen())


def same_call(phones):
    ids = [{e[1] for e in p.events if e[0] in ("CALL_ESTABLISHED", "CALL_CLOSED")} for p in phones]
    good = ids[0] == ids[1] and len(ids[0]) == 1
    tell("baresip_one_call_id_at_both", None if good else f"{ids[0]} and {ids[1]}")


def main(caller_port, called_port, uri):
    phones = [Phone("caller", int(caller_port)), Phone("called", int(called_port))]
    phones[0].command("dial", uri)
    established(phones)
    # A call that stands stays: nothing is heard of it for a second.
    early = [p.name for p in phones if p.wait("CALL_CLOSED", 0.5)]
    tell("baresip_call_stands", f"closed early at {early}" if early else None)
    phones[0].command("hangup")
    closed(phones)
    same_call(phones)
    for phone in phones:
        phone.command("quit")
    for phone in phones:
        phone.wait_gone()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
