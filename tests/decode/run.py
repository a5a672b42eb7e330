"""Runs the cases of this directory, the replay command's promises about recorded logs, and the
labelled lines of OUTERGATE_DATA. Ends with "N passed, N failed[, N skipped]"."""
import gzip
import json
import os
import struct
import subprocess
import sys
import tempfile

import cases

BINARY = os.path.abspath(sys.argv[1])
DATA = os.path.abspath(os.environ.get("OUTERGATE_DATA", "../shared/data"))
count = {"passed": 0, "failed": 0, "skipped": 0}


def check(name, ok, detail=""):
    count["passed" if ok else "failed"] += 1
    if not ok:
        print("FAILED %s: %s" % (name, detail))


def replay(args, data=None):
    r = subprocess.run([BINARY, "replay"] + args, input=data, capture_output=True)
    return r.returncode, r.stdout.decode(), r.stderr.decode()


def events(path, *args):
    code, out, err = replay(["--events", *args, path])
    check("replay --events " + path, code == 0, err)
    return [json.loads(line) for line in out.splitlines()], err


def times(lines, *args):
    data = "\n".join("%s h sshd[1]: Failed password for a from 192.0.2.1 port 1 ssh2" % t
                     for t in lines).encode()
    _, out, _ = replay(["--events", *args, "-"], data)
    return [json.loads(line)["time"] for line in out.splitlines()]


def years():
    check("the first year is 2000", times(["Dec 10 06:55:46"]) == ["2000-12-10T06:55:46.000Z"])
    check("--year", times(["Dec 10 06:55:46"], "--year", "2015") == ["2015-12-10T06:55:46.000Z"])
    check("--tz", times(["Dec 10 00:30:00"], "--tz", "+01:00") == ["2000-12-09T23:30:00.000Z"])
    check("--tz west", times(["Dec 10 00:30:00"], "--tz", "-0530") == ["2000-12-10T06:00:00.000Z"])
    got = [t[:4] for t in times(["Dec 31 23:59:59", "Jan  1 00:00:01", "Mar  1 00:00:01"])]
    check("a backward step of over six months is a new year", got == ["2000", "2001", "2001"], got)
    got = [t[:4] for t in times(["Aug  1 00:00:00", "Mar  1 00:00:00"])]
    check("a backward step of five months is not", got == ["2000", "2000"], got)
    got = [t[:4] for t in times(["Jan  1 00:00:00", "Dec 31 00:00:00"])]
    check("a forward step is not", got == ["2000", "2000"], got)


def wire_file(records, offset=1000):
    return b"OGWIRE1\n" + struct.pack("<q", offset) + b"".join(records)


def wire_conn(cookie=7, family=2, lport=22, rport=40022, laddr=b"\xc0\x00\x02\x01",
              raddr=b"\xcb\x00\x71\x07"):
    return struct.pack("<QIHHHHI16s16s", cookie, 1, family, lport, rport, 0, 0, laddr, raddr)


def wire_record(kind, body, version=1, time=5, size=None):
    size = 16 + len(body) if size is None else size
    return struct.pack("<HHIQ", kind, version, size, time) + body


def replay_wire(data, *args):
    with tempfile.NamedTemporaryFile() as f:
        f.write(data)
        f.flush()
        code, out, err = replay(["--events", *args, f.name])
    return code, [json.loads(line) for line in out.splitlines()], err


def wire():
    opened = wire_record(1, wire_conn() + struct.pack("<II", 0, 0))
    v6 = wire_record(1, wire_conn(family=10, raddr=bytes(10) + b"\xff\xff\xcb\x00\x71\x08") +
                     struct.pack("<II", 0, 0))
    code, got, err = replay_wire(wire_file([opened, v6]), "--source", "wire")
    check("a file of records is read", code == 0 and len(got) == 2, err)
    check("its fields", got and got[0]["kind"] == "connection" and got[0]["service"] == "ssh" and
          got[0]["origin"] == {"address": "203.0.113.7", "port": 40022} and
          got[0]["source"] == "wire", got)
    check("v4-mapped folds", len(got) > 1 and got[1]["origin"]["address"] == "203.0.113.8", got)
    short = wire_record(1, bytes(8))
    _, got, err = replay_wire(wire_file([short, opened]))
    check("a wrong size is bad, the next is read", len(got) == 1 and "bad 1" in err, err)
    _, got, err = replay_wire(wire_file([wire_record(99, bytes(8)), opened]))
    check("an unknown kind is bad", len(got) == 1 and "bad 1" in err, err)
    _, got, err = replay_wire(wire_file([wire_record(1, wire_conn() + bytes(8), version=2)]))
    check("another version is bad", not got and "bad 1" in err, err)
    _, got, err = replay_wire(wire_file([opened])[:-5])
    check("a cut file", not got and "read 1" in err and "bad 1" in err, err)
    _, got, err = replay_wire(wire_file([wire_record(1, bytes(8), size=2 ** 31)]))
    check("an absurd size ends the file", not got and "bad 1" in err, err)


def usage():
    check("no file", replay([])[0] == 2)
    check("an unknown option", replay(["--nonsense", "x"])[0] == 2)
    check("an unknown source", replay(["--source", "nonsense", "x"])[0] == 2)
    code, _, err = replay(["/nonexistent/x"])
    check("an unreadable file", code == 1 and "/nonexistent/x" in err and err.count("\n") == 1, err)
    code, _, err = replay(["/tmp"])
    check("a directory", code == 1 and err.count("\n") == 1, err)
    code, _, err = replay(["--source", "wire", "--events", "-"], b"x\n")
    check("text as kernel records", code == 1 and "no file of kernel records" in err, err)
    code, out, err = replay(["--events", "-"], b"x" * 300000 + b"\nFailed password for a from "
                            b"192.0.2.1 port 1 ssh2")
    check("a line of 300 kB is cut", code == 0 and "read 2, decoded 1" in err, err)
    check("line numbers go on after it", '"line":2' in out, out)


LINE = b"Mar  1 00:00:01 h sshd[1]: Failed password for a from 192.0.2.1 port 1 ssh2\n"


def compressed():
    whole = gzip.compress(LINE * 3) + gzip.compress(LINE * 2)
    code, out, err = replay(["--events", "-"], whole)
    check("gzip, two members", code == 0 and len(out.splitlines()) == 5, err)
    code, out, err = replay(["--events", "-"], whole[:-20])
    check("cut gzip: an error, and what was read", code == 1 and "cut short" in err and
          len(out.splitlines()) >= 3 and "read " in err, err)
    code, _, err = replay(["--events", "-"], b"\x1f\x8b\x08\x00")
    check("the beginning of gzip", code == 1 and "cut short" in err, err)
    bad = bytearray(whole)
    bad[30] ^= 0xff
    code, _, err = replay(["--events", "-"], bytes(bad))
    check("damaged gzip", code == 1 and "compressed data" in err, err)


def hostile():
    """Each says which file and line is bad, and goes on."""
    event = b'{"id":4625,"provider":"OpenSSH"'
    lines = [LINE, event + b"\n", b'{"a":' * 5000 + b"\n", b'{"a":"' + b"x" * 1000000 + b'"}\n',
             b"y" * 1000000 + b"\n", b"\0\0\0\n", b"<Event >\n", b"\xff\xfe\xfd\n", LINE]
    with tempfile.NamedTemporaryFile() as f:
        f.write(b"".join(lines))
        f.flush()
        code, out, err = replay(["--events", f.name])
        got = [json.loads(row)["line"] for row in out.splitlines()]
        check("hostile lines: what is good is read", code == 0 and got == [1, 9], (code, got))
        check("hostile lines: counts", "read 9, decoded 2, skipped 3, bad 4" in err, err)
        for line, reason in ((2, "cut short"), (3, "deeper than 32"), (4, "64 KiB"),
                             (7, "malformed")):
            told = [t for t in err.splitlines() if "%s:%d: " % (f.name, line) in t]
            check("hostile line %d" % line, len(told) == 1 and reason in told[0], err)
    _, _, err = replay(["--events", "-"], b"{\n" * 100)
    check("complaints are few", err.count("standard input:") == 5 and "bad 100" in err, err)


def export():
    entry = (b"__CURSOR=s=1\n__REALTIME_TIMESTAMP=1699917642738197\n_UID=0\n_EXE=/usr/sbin/sshd\n"
             b"SYSLOG_IDENTIFIER=sshd\n%sMESSAGE=Failed password for a from 192.0.2.1 port 1 ssh2\n")
    core = b"COREDUMP\n" + struct.pack("<Q", 3000000) + b"\n" * 3000000 + b"\n"
    data = entry % b"" + b"\n" + entry % core + b"\n" + entry % b"X\n\2\0\0\0\0\0\0\0\n\n\n"
    code, out, err = replay(["--events", "-"], data)
    got = [json.loads(row) for row in out.splitlines()]
    check("entries of the journal export format, one with 3 MB in it", code == 0 and
          [(e["line"], e["source"]) for e in got] == [(n, "sshd-journal") for n in (1, 2, 3)], err)
    _, out, err = replay(["--events", "-"], LINE + entry % b"" + b"\n" + LINE)
    check("between other lines", len(out.splitlines()) == 3, err)


def recorded(name):
    path = os.path.join(DATA, name)
    if os.path.exists(path):
        return path
    print("SKIPPED %s: not there; set OUTERGATE_DATA" % path)
    count["skipped"] += 1
    return None


def loghub():
    path = recorded("text/OpenSSH_2k.log")
    if not path:
        return
    got, err = events(path)
    tries = [e for e in got if e["kind"] == "attempt"]
    bad = [e for e in tries if e["outcome"] == "failure"]
    good = [e for e in tries if e["outcome"] == "success"]
    check("2,000 lines, none bad", "read 2000" in err and "bad 0" in err, err)
    check("520 lines tell of a failure", len(bad) == 520, len(bad))
    check("two of them of five", sum(e.get("count", 1) for e in bad) == 528)
    check("one success", [(e["account"], e["origin"]["address"], e["line"]) for e in good] ==
          [("fztu", "119.137.62.142", 956)], good)
    check("deterministic", replay(["--events", path])[1] == replay(["--events", path])[1])


def hub():
    for name, least in (("text/sshd-logs.log", 23), ("text/ssh-slow-bf.log", 22),
                        ("text/syslog_ssh.log", 9)):
        path = recorded(name)
        if path:
            got, _ = events(path)
            check(name, len(got) >= least, len(got))
            check(name + ": origins", all("origin" in e or e["kind"] == "listen" for e in got))


def is_address(text):
    return all(c in "0123456789abcdefABCDEF:." for c in text)


def labelled():
    """Verdict lines of the labelled set: outcome, user and address must agree. The labels cut
    "user@domain" in two and call a closed connection a success; those are not ours to follow."""
    path = recorded("gateway/openssh.ndjson")
    if not path:
        return
    with open(path) as f:
        for row in map(json.loads, f):
            line, want = row["message"], row["expected"]
            event = cases.decode(BINARY, line.encode())
            words = line.split()
            if words[0] in ("Accepted", "Failed") and words[1] != "key":
                check(row["path"], event.get("outcome") == want["event"]["outcome"], event)
            address = want.get("source", {}).get("ip")
            if address:
                check(row["path"] + " address", cases.shown(event, "origin").split(":")[0] ==
                      address, event)
            elif "origin" in event:
                check(row["path"] + " no address", False, event)
            user = want.get("user", {}).get("name")
            if user and "user unknown" not in line:
                check(row["path"] + " user", event.get("account", "").split("@")[0] == user, event)


count["passed"], count["failed"] = cases.run(BINARY)
years()
wire()
usage()
compressed()
hostile()
export()
loghub()
hub()
labelled()
print("%(passed)d passed, %(failed)d failed" % count +
      (", %(skipped)d skipped" % count if count["skipped"] else ""))
sys.exit(1 if count["failed"] else 0)
