"""The decoder cases of *.txt, and how to run them through `outergate decode`. The format is told at
the top of sshd_verdicts.txt."""
import glob
import json
import os
import re
import shlex
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ALWAYS = ("account", "origin", "method", "key", "client")


def unescape(text):
    """\\xNN, \\n, \\r, \\t and \\\\ of an e> line, as bytes."""
    def one(m):
        c = m.group(1)
        simple = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"\\": b"\\"}
        return simple[c] if c in simple else bytes([int(c[1:], 16)])
    return re.sub(rb"\\(x[0-9a-fA-F]{2}|[nrt\\])", one, text)


def fields(text, where):
    out = {}
    for m in re.finditer(r'(\w+)=("(?:[^"\\]|\\.)*"|\S*)(?:\s+|$)', text):
        value = m.group(2)
        out[m.group(1)] = json.loads(value) if value.startswith('"') else value
    if not out and text.strip():
        sys.exit("%s: no field=value: %s" % (where, text))
    return out


def read_cases(path):
    """(where, line, expected fields, matches) of a file."""
    with open(path, "rb") as f:
        rows = [(i + 1, r.rstrip(b"\n")) for i, r in enumerate(f) if not r.startswith(b"#")]
    rows = [(i, r) for i, r in rows if r]
    at = 0
    while at < len(rows):
        number, line = rows[at]
        where = "%s:%d" % (os.path.basename(path), number)
        if not (line.startswith(b"> ") or line.startswith(b"e> ")) or at + 2 >= len(rows):
            sys.exit(where + ": a case is '> line', its fields, M or X")
        want, verdict = rows[at + 1][1].decode(), rows[at + 2][1].strip()
        if verdict not in (b"M", b"X"):
            sys.exit(where + ": the third line of a case is M or X")
        text = unescape(line[3:]) if line.startswith(b"e") else line[2:]
        yield where, text, fields(want, where), verdict == b"M"
        at += 3


def endpoint(value):
    if not value:
        return ""
    address = value.get("address", "")
    if "port" not in value:
        return address
    return ("[%s]:%d" if ":" in address else "%s:%d") % (address, value["port"])


def shown(event, name):
    value = event.get(name, "")
    if name in ("origin", "local", "dest"):
        return endpoint(value)
    if name == "flags":
        return ",".join(sorted(value))
    return str(value)


def wanted(name, value, got):
    if name != "flags":
        return value
    flags = set(filter(None, value.split(",")))
    if "time_approximate" not in flags and "time_approximate" in got:
        flags.add("time_approximate")
    return ",".join(sorted(flags))


def differences(event, want, matches):
    if matches != (event["result"] == "event"):
        return ["result is %s (%s)" % (event["result"], event.get("reason", "an event"))]
    names = list(want) + [n for n in ALWAYS if matches and n not in want]
    out = []
    for name in names:
        got = shown(event, name)
        need = wanted(name, want.get(name, ""), got)
        if got != need:
            out.append("%s is %r, wanted %r" % (name, got, need))
    return out


def decode(binary, line):
    if b"\0" in line:
        r = subprocess.run([binary, "decode", "--format", "json", "-"], input=line,
                           capture_output=True)
    else:
        r = subprocess.run([binary, "decode", "--format", "json", "--", line],
                           capture_output=True)
    if r.returncode not in (0, 1) or len(r.stdout.splitlines()) != 1:
        return {"result": "exit %d: %s" % (r.returncode, r.stderr.decode(errors="replace"))}
    return json.loads(r.stdout)


def run(binary):
    passed = failed = 0
    for path in sorted(glob.glob(HERE + "/*.txt")):
        for where, line, want, matches in read_cases(path):
            out = differences(decode(binary, line), want, matches)
            if out:
                failed += 1
                print("%s: %s\n  %s" % (where, line.decode(errors="replace"), "\n  ".join(out)))
            else:
                passed += 1
    return passed, failed


def lines():
    """(name, line) of every case."""
    for path in sorted(glob.glob(HERE + "/*.txt")):
        for i, (_, line, _, _) in enumerate(read_cases(path)):
            yield "%s-%03d" % (os.path.basename(path)[:-4], i), line
