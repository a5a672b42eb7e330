"""Puts sessions into a store, as the agent writes them: lines of JSON on standard input, one a
session, with "origin", "at" (s since 1970) and what else differs from a closed ssh login by key of
alice. "days": N and "each": M make M a day on N days. Prints nothing."""
import ipaddress
import json
import sqlite3
import sys


def key(text):
    ip = ipaddress.ip_address(text)
    return bytes([4 if ip.version == 4 else 6]) + ip.packed.ljust(16, b"\0")


def session(row):
    start = int(row.pop("at", 1767260000)) * 10**9
    body = {"state": "closed", "service": "ssh", "account": "alice", "method": "publickey",
            "proven": 1, "origin_port": 40000, "scope": "external", "origin_source": "socket",
            "local": "192.0.2.1", "local_port": 22, "key": "ED25519 SHA256:" + "k" * 43,
            "open_ns": start, "conn_open_ns": start - 10**9, "close_ns": start + 600 * 10**9,
            "last_ns": start + 600 * 10**9, "conn": 7, "worst": "info", "bytes_known": 1,
            "commands": [], "destinations": [], "anomalies": []} | row
    made[0] += 1
    body.setdefault("id", "%024x%08x" % (start // 10**9, made[0]))
    for n in ("commands", "destinations"):
        body[n + "_total"] = len(body[n])
    worst = ["info", "low", "medium", "high", "critical"].index(body["worst"])
    return (body["id"], worst, 2, body["open_ns"], body["last_ns"], body["service"],
            body["account"], "", key(body["origin"]), json.dumps(body))


made = [0]
db = sqlite3.connect(sys.argv[1])
for line in sys.stdin:
    one = json.loads(line)
    start, days, each = (one.pop(k, d) for k, d in (("at", 1795400000), ("days", 1), ("each", 1)))
    for n in range(days * each):
        row = dict(one, at=start + n // each * 86400 + n % each * 900)
        db.execute("INSERT INTO sessions VALUES(?,?,?,?,?,?,?,?,?,?)", session(row))
db.commit()
