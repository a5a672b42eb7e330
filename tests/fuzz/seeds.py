"""Seed corpora: seeds.py DIR writes DIR/line (the decoder cases), DIR/wire (one record of every
kind, and all of them in a row), DIR/config (the shipped configuration) and DIR/geo (the databases
of the golden cases)."""
import glob
import json
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "decode"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import cases  # noqa: E402
import geodb  # noqa: E402

CONN = struct.pack("<QIHHHHI16s16s", 7, 1, 2, 22, 40022, 0, 0, b"\xc0\x00\x02\x01",
                   b"\xcb\x00\x71\x07")
PROC = struct.pack("<IIQQIIIIQ16s", 100, 99, 1000, 900, 0, 0, 0xffffffff, 0xffffffff, 5, b"sshd")
# kind: what follows the header; the sizes are those of wire.h
BODIES = {
    1: CONN + bytes(8),
    2: CONN + bytes(32),
    3: PROC + CONN + struct.pack("<IHHiIQ", 0, 1, 0, 7, 0, 1) + b"sshd".ljust(32, b"\0") +
       b"root".ljust(64, b"\0") + b"203.0.113.7".ljust(64, b"\0") + b"ssh".ljust(32, b"\0"),
    4: PROC + bytes(16),
    5: PROC + CONN + struct.pack("<II", 8, 7) + b"/bin/bash".ljust(128, b"\0") +
       b"bash\0-i".ljust(384, b"\0"),
    6: PROC + bytes(24),
    7: PROC + CONN + bytes(8),
    8: PROC + struct.pack("<Q", 7) + CONN + bytes(24),
    9: PROC + struct.pack("<Q", 7) + CONN + bytes(24),
    10: struct.pack("<QQQQ", 7, 7, 100, 200),
    11: PROC + CONN + bytes(24) + b"/usr/sbin/sshd".ljust(128, b"\0"),
    12: PROC + CONN + bytes(8),
}


def record(kind):
    body = BODIES[kind]
    return struct.pack("<HHIQ", kind, 1, 16 + len(body), 5) + body


def write(directory, name, data):
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, name), "wb") as f:
        f.write(data)


def main(directory):
    lines = []
    for name, line in cases.lines():
        lines.append(line)
        write(directory + "/line", name, (b"\xfe" if b"\n" in line else b"\xff") + line)
    write(directory + "/line", "stream", b"\xff" + b"\n".join(lines[:16]))
    for kind in BODIES:
        write(directory + "/wire", "kind-%02d" % kind, record(kind))
    write(directory + "/wire", "all", b"".join(map(record, BODIES)))
    with open("deploy/outergate.yaml", "rb") as f:
        write(directory + "/config", "shipped", f.read())
    for path in glob.glob("tests/golden/geo/*.json"):
        with open(path, encoding="utf-8") as f:
            description = json.load(f) | {"compact": True}
        os.makedirs(directory + "/geo", exist_ok=True)
        geodb.make(description, directory + "/geo/" + os.path.basename(path))


main(sys.argv[1])
