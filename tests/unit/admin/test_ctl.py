# SPDX-License-Identifier: Apache-2.0
"""sluicectl without an appliance: check, parse, doctor, and what it says when nobody listens; then
calls against a socket that answers from a list. Arguments: sluicectl, the project's root."""
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading

CTL, ROOT = sys.argv[1], sys.argv[2]
failed = 0


def run(*args, stdin=None, env=None):
    p = subprocess.run([CTL, *args], input=stdin, capture_output=True, timeout=30,
                       env={**os.environ, **(env or {})})
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def expect(what, good):
    global failed
    if not good:
        failed += 1
        print("FAILED:", what)


def usage():
    code, out, _ = run("--help")
    expect("help", code == 0 and "Examples:" in out and "sluicectl tm.list older=32" in out)
    expect("version", run("--version")[1].startswith("sluicectl "))
    code, out, err = run()
    expect("no name", code == 64 and out == "" and "NAME" in err)
    expect("unknown option", run("--nosuch", "drops")[0] == 64)
    expect("mixed arguments", run("tm.list", "older=1", "2")[0] == 64)
    expect("usage of check", run("check")[0] == 64 and run("check", "a", "x")[0] == 64)
    expect("usage of parse", run("parse")[0] == 64)
    expect("usage of doctor", run("doctor", "a", "b")[0] == 64)


def check(folder):
    lab = os.path.join(ROOT, "etc/lab.cfg")
    code, out, _ = run("check", lab)
    expect("check good", code == 0 and out.startswith(lab + ": good\n") and "rate_per_s" in out)
    code, out, _ = run("check", lab, "--json")
    v = json.loads(out)
    pools = {p["pool"]: p for p in v["pools"]}
    expect("check json", code == 0 and v["ok"] and v["complaints"] == [])
    expect("check rate", v["rate_per_s"] == min(p["rate_per_s"] for p in v["pools"]))
    # 131072 less 10 % reserve, held for 32 s
    expect("check usable", pools["transactions"]["usable"] == 117964 and
           pools["transactions"]["rate_per_s"] == 3686)
    code, out, _ = run("check", lab, "5000", "--json")
    v = json.loads(out)
    pools = {p["pool"]: p for p in v["pools"]}
    expect("check needed", code == 0 and pools["transactions"]["needed"] == 160000 and
           pools["transactions"]["needed_mib"] == 160000 * 256 >> 20)
    expect("check warns", any("memory.transactions" in w for w in v["warnings"]))
    expect("check fits", not any("memory.transactions" in w
                                 for w in json.loads(run("check", lab, "3000", "--json")[1])["warnings"]))
    bad = os.path.join(folder, "bad.cfg")
    with open(bad, "w") as f:
        f.write("node = { idd = 1; };\ncores = { polled = 99; };\n")
    code, out, err = run("check", bad)
    expect("check bad", code == 1 and out == "" and bad + ":1:" in err and bad + ":2:" in err)
    v = json.loads(run("check", bad, "--json")[1])
    expect("check bad json", not v["ok"] and len(v["complaints"]) >= 2)
    expect("check missing", run("check", os.path.join(folder, "none.cfg"))[0] == 1)


def parse(folder):
    msg = (b"INVITE sip:bob@Biloxi.com;transport=udp SIP/2.0\r\nv: SIP/2.0/UDP h:5070;branch=z9hG4bKx;rport\r\n"
           b"From: \"Al\xff\" <sip:al@atlanta.com>;tag=1\r\nTo: <sip:bob@biloxi.com>\r\nCall-ID: c@x\r\n"
           b"CSeq: 7 INVITE\r\nMax-Forwards: 70\r\nX-Odd: a\r\nContent-Length: 4\r\n\r\nbody")
    code, out, _ = run("parse", "-", stdin=msg)
    v = json.loads(out)
    expect("parse good", code == 0 and v["kind"] == "request" and v["start_line"]["method"] == "INVITE")
    expect("parse uri", v["start_line"]["uri"]["aor"] == "bob@biloxi.com" and
           v["start_line"]["uri"]["params"] == ";transport=udp" and v["start_line"]["uri_offset"] == 7)
    expect("parse cseq", v["cseq"] == {"number": 7, "method": "INVITE"} and v["max_forwards"] == 70)
    expect("parse via", v["via"][0]["branch"] == "z9hG4bKx" and v["via"][0]["port"] == 5070 and
           v["via"][0]["rport"] is True)
    expect("parse from", v["from"]["uri"]["user"] == "al" and v["from_tag"] == "1" and
           v["from"]["display"] == "\"Al\u00ff\"")
    expect("parse headers", [h["id"] for h in v["headers"]][:2] == ["Via", "From"] and
           v["headers"][0]["name"] == "v" and v["headers"][0]["offset"] == msg.index(b"v: ") and
           [h for h in v["headers"] if h["id"] == "other"][0]["value"] == "a")
    expect("parse body", v["body"] == {"offset": len(msg) - 4, "length": 4})
    code, out, _ = run("parse", "-", stdin=msg.replace(b"7 INVITE", b"7 BYE"))
    v = json.loads(out)["error"]
    expect("parse fault", code == 1 and v["header"] == "CSeq" and v["answer"] == 400 and
           msg.index(b"CSeq") <= v["offset"] <= msg.index(b"Max-"))
    code, out, _ = run("parse", "-", stdin=b"hello\r\n\r\n")
    v = json.loads(out)["error"]
    expect("parse no SIP", code == 1 and v["answer"] is None and isinstance(v["offset"], int))
    code, out, _ = run("parse", "-", "--json", stdin=b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@b>\r\n"
                       b"To: <sip:c@d>;tag=2\r\nCall-ID: q\r\nCSeq: 1 OPTIONS\r\n\r\n")
    v = json.loads(out)
    expect("parse response", code == 0 and v["start_line"] == {"status": 200, "reason": "OK"} and
           out.count("\n") == 1)
    long = msg + b"x" * 70000
    expect("parse long", run("parse", "-", stdin=long)[0] == 1)
    expect("parse missing", run("parse", os.path.join(folder, "none"))[0] == 1)


def doctor():
    code, out, _ = run("doctor", "--json")
    v = json.loads(out)
    expect("doctor json", code == (0 if v["ok"] else 1) and len(v["findings"]) >= 10)
    expect("doctor mends", all((f["verdict"] == "ok") == (f["mend"] == "") for f in v["findings"]))
    code, out, _ = run("doctor", os.path.join(ROOT, "etc/lab.cfg"))
    expect("doctor config", "port edge0" in out and "state_dir" in out)
    expect("doctor lines", all(l[:4].strip() in ("ok", "warn", "fail", "") for l in out.splitlines()[:-1]))


def nobody(folder):
    path = os.path.join(folder, "none.sock")
    code, out, err = run("--socket", path, "drops")
    expect("no socket", code == 69 and path in err and "sluice-control" in err and out == "")
    expect("environment", path in run("drops", env={"SLUICE_SOCKET": path})[2])
    s = socket.socket(socket.AF_UNIX)
    s.bind(os.path.join(folder, "dead.sock"))
    s.close()
    code, _, err = run("--socket", os.path.join(folder, "dead.sock"), "drops")
    expect("dead socket", code == 69 and "nobody listens" in err)


class Server:
    """Answers request n with the n-th result; keeps what was asked."""

    def __init__(self, path, results):
        self.asked, self.results = [], list(results)
        self.s = socket.socket(socket.AF_UNIX)
        self.s.bind(path)
        self.s.listen()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while self.results:
            c, _ = self.s.accept()
            with c, c.makefile("rb") as lines:
                for line in lines:
                    r = json.loads(line)
                    self.asked.append((r["method"], r["params"]))
                    part = self.results.pop(0)
                    answer = json.dumps({"jsonrpc": "2.0", "id": r["id"], **part})
                    c.sendall(answer[:10].encode())
                    c.sendall(answer[10:].encode() + b"\n")


def calls(folder):
    path = os.path.join(folder, "live.sock")
    page = {"transactions": [{"method": "INVITE", "callid": "a\x1b[2J", "branches": [{"branch": 5, "state": "calling"}]}],
            "next": 1}
    server = Server(path, [
        {"result": {"drops": [{"name": "a", "count": 12, "text": "why"}, {"name": "long_name", "count": 3, "text": "t"}],
                    "total": 15}},
        {"result": page}, {"result": page}, {"result": {"transactions": [], "next": None}},
        {"error": {"code": -32601, "message": "Method not found", "data": "see rpc.list"}},
        {"result": {"ok": False, "identities": []}},
        {"result": 5},
        {"result": {"AoR": "a@b", "Contacts": [{"Contact": {"Address": "sip:a@c", "Q": 0.5}}]}},
    ])
    code, out, _ = run("--socket", path, "drops", "all")
    expect("table", code == 0 and out == "total: 15\nname       count  text\na             12  why\n"
           "long_name      3  t\n")
    code, out, _ = run("--socket=" + path, "tm.list", "older=10", "x=s:5")
    expect("page", code == 0 and "more: from=1" in out and "\x1b" not in out and "a?[2J" in out and
           "branches: branch=5 state=calling" in out)
    code, out, _ = run("--socket", path, "tm.list", "--all")
    expect("all pages", code == 0 and "more" not in out)
    code, out, err = run("--socket", path, "nosuch")
    expect("error", code == 1 and out == "" and err == "sluicectl: Method not found (-32601): see rpc.list\n")
    expect("audit says no", run("--socket", path, "audit", "--json")[:2] == (1, '{"ok":false,"identities":[]}\n'))
    expect("value", run("--socket", path, "x", "007", "7", "true", "sip:a@b;x=y", "--", "-1")[:2] == (0, "5\n"))
    code, out, _ = run("--socket", path, "ul.lookup", "a@b")
    expect("bindings", out == "AoR  Address      Q\na@b  sip:a@c  0.500\n")
    expect("asked", server.asked == [
        ("drops", ["all"]), ("tm.list", {"older": 10, "x": "5"}), ("tm.list", []), ("tm.list", {"from": 1}),
        ("nosuch", []), ("audit", []), ("x", ["007", 7, True, "sip:a@b;x=y", "-1"]), ("ul.lookup", ["a@b"])])


with tempfile.TemporaryDirectory() as folder:
    usage()
    check(folder)
    parse(folder)
    doctor()
    nobody(folder)
    calls(folder)
sys.exit(1 if failed else 0)
