#!/usr/bin/env python3
"""Makes a file of kernel records (common/wire.h) from readable lines.

    usage: records.py INPUT.events OUTPUT.rec

A line is "SECONDS KIND key=value ...". Keys: conn (cookie), from (ADDR:PORT of the origin), to
(ADDR:PORT of the destination), in, out, alive, call, ret, user, flags, path, port (ours, 22), args (words; "_" is a
space inside one), pid, uid, comm, handoff's path is a socket, of (bytes: "connect" for those of the session's own connection).
Seconds count from 2026-01-01 00:00:00 UTC. "x20" in front repeats the line with the cookie, the
port and the time one further each time. "loopback" has keys of its own, see there.

"SECONDS text MESSAGE..." is a line of sshd's log, "SECONDS log LINE..." one of anybody's (@T@ in it
is the time), between the records: these are then several files, one after the other (parts()).
"""
import datetime
import ipaddress
import itertools
import pathlib
import shlex
import struct
import sys
import zlib

MAGIC = b"OGWIRE1\n"  # cli/input.h
BASE_WALL = 1767225600 * 10**9
BASE_BOOT = 1000 * 10**9
CALLS = {"authenticate": 1, "account": 2, "open": 3, "close": 4, "end": 5}
FLAGS = {"proven": 1, "helper": 2, "user-exec": 4, "socket": 8, "tty": 0x10, "self-exec": 0x20,
         "established": 0x40, "watched": 0x100, "child": 0x200, "leader": 0x400,
         "pipe": 0x800, "managed": 0x8000}
NO_ID = 0xFFFFFFFF


def end(text):
    """(family, 16 bytes, port) of ADDR:PORT or [V6]:PORT."""
    if not text:
        return 2, bytes(16), 0
    addr, port = text.rsplit(":", 1)
    ip = ipaddress.ip_address(addr.strip("[]"))
    return (2 if ip.version == 4 else 10), ip.packed.ljust(16, b"\0"), int(port)


def conn(cookie, local, remote, netns=4026531840):
    family, raddr, rport = end(remote)
    _, laddr, lport = end(local)
    return struct.pack("<QIHHHHI16s16s", cookie, netns, family, lport, rport, 0, 0, laddr, raddr)


origins = {}  # by cookie: records of a connection's processes name its origin too


def accepted(k):
    if "from" in k:
        origins[k["conn"]] = k["from"]
    k.setdefault("from", origins.get(k.get("conn"), ""))
    host = "[2001:db8::1]" if k.get("from", "").startswith("[") else "192.0.2.1"
    local = "%s:%s" % (host, k.get("port", "22"))
    return conn(int(k.get("conn", 0)), local, k.get("from"))


def proc(k):
    pid = int(k.get("pid", 1000 + int(k.get("conn", 0))))
    uid = int(k.get("uid", 0))
    comm = k.get("comm", "sshd").encode()
    return struct.pack("<IIQQIIIIQ16s", pid, 1, pid * 1000, 1, uid, uid, NO_ID, NO_ID, 0, comm)


def flags(k):
    return sum(FLAGS[f] for f in k.get("flags", "").split(",") if f)


def num(k, name):
    return int(k.get(name, 0))


def connection(k):
    return 1, accepted(k) + struct.pack("<II", flags(k), 0)


def connection_close(k):
    return 2, accepted(k) + struct.pack("<QQQII", 0, num(k, "in"), num(k, "out"), flags(k),
                                        num(k, "alive"))


def pam(k):
    """rhost: whom the daemon names; without conn and from the caller is bound to no connection."""
    held = accepted(k) if "conn" in k or "from" in k else bytes(56)
    head = struct.pack("<IHHiIQ", flags(k), CALLS[k["call"]], 0, num(k, "ret"), 0, 1)
    texts = struct.pack("<32s64s64s32s", k.get("service", "sshd").encode(), k["user"].encode(),
                        k.get("rhost", "").encode(), b"ssh")
    return 3, proc(k) + held + head + texts


def execute(k):
    args = b"".join(a.replace("_", " ").encode() + b"\0" for a in k["args"].split())
    return 5, (proc(k) + accepted(k) + struct.pack("<II", flags(k), len(args)) +
               struct.pack("<128s384s", k["path"].encode(), args))


def leave(k):
    return 6, proc(k) + struct.pack("<QiIII", num(k, "conn"), 0, num(k, "alive"), flags(k), 0)


def connect(k):
    out = conn(num(k, "conn") + 50000, "192.0.2.1:0", k["to"])
    return 8, (proc(k) + struct.pack("<Q", num(k, "conn")) + out +
               struct.pack("<QQII", num(k, "in"), num(k, "out"), flags(k), 0))


def connect_close(k):
    return 9, connect(k)[1]


def live_bytes(k):
    session = num(k, "conn")
    socket = session + 50000 if k.get("of") == "connect" else session
    return 10, struct.pack("<QQQQ", session, socket, num(k, "in"), num(k, "out"))


def loopback(k):
    """from: the client end; peer: the other hosts (comma), "+" before one that it accepted, "="
    before the one that it serves."""
    peers = [p for p in k["peer"].split(",") if p]
    ends = [conn(n + 1, "192.0.2.1:0", p.lstrip("+=")) for n, p in enumerate(peers)]
    accepted_bits = sum(1 << n for n, p in enumerate(peers) if p[0] in "+=")
    served = next((n + 1 for n, p in enumerate(peers) if p[0] == "="), 0)
    args = b"".join(a.replace("_", " ").encode() + b"\0" for a in k.get("args", "").split())
    return 14, (proc(k) + conn(num(k, "conn") + 70000, k["from"], k.get("at", "127.0.0.1:22")) +
                b"".join(ends).ljust(4 * 56, b"\0") +
                struct.pack("<IIQII384s", len(peers), accepted_bits, served, flags(k), len(args),
                            args))


def server_shell(k):
    """server: its name; from: the one connection that it holds."""
    args = b"".join(a.replace("_", " ").encode() + b"\0" for a in k["args"].split())
    held = accepted(dict(k, conn="77")) if "from" in k else bytes(56)
    return 16, (proc(dict(k, comm="sh")) + held + struct.pack("<II", flags(k), len(args)) +
                struct.pack("<16s384s", k["server"].encode(), args))


def hello(text):
    """What an ssh client says first: "BANNER|kex|encryption|mac|compression"."""
    banner, kex, encryption, mac, compression = text.split("|")
    lists = [kex, "ssh-ed25519", encryption, encryption, mac, mac, compression, compression, "", ""]
    body = b"\x04\x14" + bytes(16) + b"".join(
        struct.pack(">I", len(x)) + x.encode() for x in lists) + bytes(9)
    return banner.encode() + b"\r\n" + struct.pack(">I", len(body)) + body


def data(k):
    """of: bytes from the client (from the server with flags=answer), as Python writes them; off; or
    ssh: see hello()."""
    what = (hello(k["ssh"]) if "ssh" in k else
            k["of"].encode().decode("unicode_escape").encode("latin-1"))
    flag = {"answer": 1, "request": 2}
    bits = sum(flag[f] for f in k.get("flags", "").split(",") if f)
    kind, size = (17, 512) if len(what) <= 512 else (18, 4096)
    return kind, (accepted(k) + struct.pack("<IIII", num(k, "off"), bits, len(what), 0) +
                  what.ljust(size, b"\0"))


def agent(k):
    """A shell begins for the other end (from) of a connection that pid (comm, args) opened."""
    args = b"".join(a.replace("_", " ").encode() + b"\0" for a in k.get("args", "").split())
    return 21, (proc(k) + accepted(k) + struct.pack("<IIII384s", num(k, "shell"), 0, flags(k),
                                                    len(args), args))


def outward(k):
    """pid (comm, uid, args) is connected to a remote service elsewhere (to); conn: its session's; spoken: over UDP."""
    args = b"".join(a.replace("_", " ").encode() + b"\0" for a in k.get("args", "").split())
    return 22, (proc(dict({"pid": "4000"}, **k)) + struct.pack("<Q", num(k, "conn")) +
                conn(90000 + num(k, "n"), "192.0.2.1:40000", k["to"]) +
                struct.pack("<IIII384s", flags(k), len(args), num(k, "spoken"), 0, args))


def handoff(k):
    """A session's process connects to the local socket path."""
    args = b"".join(a.replace("_", " ").encode() + b"\0" for a in k["args"].split())
    return 15, (proc(k) + struct.pack("<QQIIQIIIIII16s", num(k, "conn"), 0, 0, 0, 0, 0, 0, 0, 0x2000,
                                      len(args), 0, b"") +
                struct.pack("<128s128s128s72s384s", k["path"].encode(), b"", b"", b"", args))


def birth(k):
    """A program of what a container engine had started: id (its records' conn is 2^63 + id), unit,
    above."""
    args = b"".join(a.replace("_", " ").encode() + b"\0" for a in k["args"].split())
    who = proc(dict({"pid": str(5000 + int(k["id"]))}, **k))
    return 15, (who + struct.pack("<QQIIQIIIIII16s", 1 << 63 | int(k["id"]), 0, 0, 0, 0, 77, 0, 5, 0,
                                  len(args), 0, b"containerd-shim") +
                struct.pack("<128s128s128s72s384s", b"", k["args"].split()[0].encode(),
                            k["unit"].encode(), k.get("above", "").encode(), args))


def file(k):
    """path changed: subject; added (words); before, after: digests."""
    added = ", key added: " + k["added"].replace("_", " ") if "added" in k else ""
    path, program = k["path"], k.get("by", "/usr/bin/tee")
    before, after = k.get("before", ""), k.get("after", "ab" * 32)
    pid = k.get("pid", str(1000 + num(k, "conn")))
    text = "%s: %s by %s (pid %s)%s (sha256 %s -> %s)" % (
        k["subject"], path, program, pid, added, before[:16] or "none", after[:16])
    return 19, proc(dict(k, pid=pid)) + struct.pack(
        "<QII32s128s400s80s72s72s1024s", num(k, "conn"), flags(k), 0, k["subject"].encode(),
        program.encode(), path.encode(), k.get("added", "").replace("_", " ").encode(),
        before.encode(), after.encode(), text.encode())


def snapshot(k):
    """A process that was there before the agent; leader: it holds the accepted socket."""
    return 11, proc(k) + accepted(k) + struct.pack("<IIQQ128s", flags(k), 0, num(k, "in"),
                                                   num(k, "out"), k.get("path", "").encode())


REACH = ("unknown", "loopback", "private", "anyone")
GRADES = ("unknown", "strong", "weak", "none")


def exposure(k):
    """A remote service that listens: service, at, by (its program), package, container, asks (words),
    auth, reach, account and conn of the session that opened it. Without service: all were told."""
    said = k.get("service", "")
    at, by, asks = k.get("at", "0.0.0.0:22"), k.get("by", "/usr/sbin/sshd"), k.get("asks", "keys").replace("_", " ")
    text = "%s on %s by %s (package %s), asks for %s" % (said, at, by, k.get("package", "unknown"), asks)
    key = zlib.crc32(repr((said, at.rsplit(":", 1)[1], by, k.get("container"))).encode()) if said else 0
    return 24, (proc(dict(k, comm=by.rsplit("/", 1)[1][:15])) + conn(0, at, "") +
                struct.pack("<QQIIII", num(k, "conn"), key, REACH.index(k.get("reach", "anyone")),
                            GRADES.index(k.get("auth", "strong")), flags(k), 0) +
                struct.pack("<16s64s80s96s256s224s768s", said.encode(), k.get("account", "").encode(),
                            k.get("package", "").encode(), k.get("container", "").encode(), by.encode(),
                            asks.encode(), text.encode()))


def wireguard(k):
    """A peer (key: how its base64 begins) of device speaks from (from); inner: its networks, by commas."""
    kind = {"ended": 1, "existing": 2}
    text = k["key"] + "A" * (43 - len(k["key"])) + "="
    return 25, (proc(dict({"pid": "0", "comm": "wireguard"}, **k)) + conn(0, "192.0.2.1:51820", k.get("from", "")) +
                struct.pack("<QQII16s16s64s192s", num(k, "in"), num(k, "out"),
                            sum(kind[f] for f in k.get("flags", "").split(",") if f), 0,
                            k.get("device", "wg0").encode(), ("wg:" + text[:12]).encode(),
                            ("WireGuard " + text).encode(), k.get("inner", "").replace(",", " ").encode()))


KINDS = {"wireguard": wireguard, "agent": agent, "outward": outward, "exposure": exposure, "file": file, "snapshot": snapshot, "birth": birth, "data": data, "server_shell": server_shell, "loopback": loopback, "handoff": handoff, "connection": connection, "connection_close": connection_close, "pam": pam,
         "exec": execute, "exit": leave, "connect": connect,
         "connect_close": connect_close, "bytes": live_bytes}


def further(k, n):
    k = dict(k)
    if "conn" in k:
        k["conn"] = str(int(k["conn"]) + n)
    if "from" in k:
        addr, port = k["from"].rsplit(":", 1)
        k["from"] = f"{addr}:{int(port) + n}"
    return k


TEXTS = ("text", "log")


def lines(path):
    with open(path, encoding="utf-8") as f:
        for line in f:
            plain = line.split(None, 2)
            words = plain if plain[1:2] == ["log"] else shlex.split(line, comments=True)
            if not words:
                continue
            times = int(words.pop(0)[1:]) if words[0][0] == "x" else 1
            at, kind = float(words[0]), words[1]
            if kind in TEXTS:
                yield at, kind, {"text": line.split(None, 2)[2].rstrip("\n")}
                continue
            keys = dict(w.split("=", 1) for w in words[2:])
            for n in range(times):
                yield at + n, kind, further(keys, n)


def write(rows, path):
    with open(path, "wb") as out:
        out.write(MAGIC)
        out.write(struct.pack("<q", BASE_WALL - BASE_BOOT))
        for at, kind, keys in rows:
            number, body = KINDS[kind](keys)
            out.write(struct.pack("<HHIQ", number, 1, 16 + len(body), BASE_BOOT + int(at * 1e9)))
            out.write(body)


def write_text(rows, path):
    with open(path, "w", encoding="utf-8") as out:
        for at, kind, keys in rows:
            when = datetime.datetime.fromtimestamp(BASE_WALL / 1e9 + at, datetime.timezone.utc)
            time, text = when.isoformat(timespec="milliseconds"), keys["text"]
            out.write(text.replace("@T@", time) + "\n" if kind == "log" else
                      f"{time} bastion sshd[77]: {text}\n")


def parts(path, folder):
    """Files of records and of text in turn, in the order of their times."""
    origins.clear()
    rows, made = sorted(lines(path), key=lambda x: x[0]), []
    for is_text, group in itertools.groupby(rows, key=lambda row: row[1] in TEXTS):
        made.append(pathlib.Path(folder) / f"{len(made):03d}.{'log' if is_text else 'rec'}")
        (write_text if is_text else write)(group, made[-1])
    return made


def main():
    rows = sorted(lines(sys.argv[1]), key=lambda x: x[0])
    write([r for r in rows if r[1] not in TEXTS], sys.argv[2])


if __name__ == "__main__":
    main()
