#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A stranger at the dataplane's door, and at a process of ours. Each prints one word or one sentence.

    knock SOCKET VERSION VERSION_MIN SHARDS   says hello as a control process does (platform/link/door.h);
                                              prints the dataplane's refusal, or "admitted"
    guard SOCKET ERROR TEXT                   a dataplane that refuses whoever knocks, until it is ended
    look PID                                  opens mem, maps, fd and environ of a process
    trace PID                                 ptrace attach, then process_vm_readv
    call SOCKET                               a JSON-RPC call on control.sock
"""
import array
import ctypes
import errno
import os
import socket
import struct
import sys

PTRACE_ATTACH, PTRACE_DETACH = 16, 17


def word(number):
    return errno.errorcode.get(number, str(number))


def knock(path, version, version_min, shards):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(3)
    try:
        s.connect(path)
        hello = struct.pack("=IIII", int(version), int(version_min), int(shards), os.getpid())
        fds = array.array("i", [os.pidfd_open(os.getpid())])
        s.sendmsg([hello], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
        answer, more, _, _ = s.recvmsg(4096, 4096)
    except OSError as e:
        return word(e.errno) if e.errno else "no answer"
    if len(answer) < 16:
        return "closed"
    refusal = struct.unpack("=i", answer[:4])[0]
    return answer[16:].split(b"\0")[0].decode() if refusal else f"admitted, {len(more)} messages with descriptors"


def guard(path, error, text):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.bind(path)
    s.listen()
    print("listening", flush=True)
    while True:
        caller, _ = s.accept()
        caller.recv(4096)
        caller.send(struct.pack("=iIII200s", int(error), 0, 0, 0, text.encode()))


def look(pid):
    """What of it can be read; "nothing" is what it should be."""
    found = []
    for name in ("mem", "maps", "environ"):
        try:
            with open(f"/proc/{pid}/{name}", "rb", buffering=0) as f:
                # a page of nothing is mapped at 0: being let as far as EIO is too far already
                if name == "mem" or f.read(1):
                    found.append(name)
        except OSError:
            pass
    try:
        if os.listdir(f"/proc/{pid}/fd"):
            found.append("fd")
    except OSError:
        pass
    return " ".join(found) or "nothing"


def trace(pid):
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
    if libc.ptrace(PTRACE_ATTACH, int(pid), None, None) == 0:
        os.waitpid(int(pid), 0)
        libc.ptrace(PTRACE_DETACH, int(pid), None, None)
        return "attached"
    first = word(ctypes.get_errno())
    room = ctypes.create_string_buffer(8)
    there = (ctypes.c_size_t * 2)(ctypes.addressof(room), 8)  # an iovec; the address need not exist there
    libc.process_vm_readv.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_void_p,
                                      ctypes.c_ulong, ctypes.c_ulong]
    libc.process_vm_readv(int(pid), there, 1, there, 1, 0)
    return f"{first} {word(ctypes.get_errno())}"


def call(path):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.settimeout(3)
    try:
        s.connect(path)
        s.sendall(b'{"jsonrpc":"2.0","method":"core.version","id":1}\n')
        return "answered" if s.recv(4096) else "closed"
    except OSError as e:
        return word(e.errno) if e.errno else "no answer"


if __name__ == "__main__":
    todo = {"knock": knock, "guard": guard, "look": look, "trace": trace, "call": call}
    print(todo[sys.argv[1]](*sys.argv[2:]))
