#!/usr/bin/env python3
"""lines.py OUT: the lines of the recorded sources (OUTERGATE_DATA), a file a source, for bench_sources."""
import json
import os
import sys


DATA = os.path.abspath(os.environ.get("OUTERGATE_DATA", "../shared/data"))


def main():
    data, out = DATA, sys.argv[1]
    os.makedirs(out, exist_ok=True)
    if not os.path.isdir(data):
        print("SKIPPED the recorded sources: no data at %s; set OUTERGATE_DATA" % data)
        return
    folder = os.path.join(data, "gateway")
    for name in sorted(os.listdir(folder)):
        if not name.endswith(".ndjson"):
            continue
        with open(os.path.join(folder, name), "rb") as f:
            rows = [json.loads(line) for line in f]
        with open(os.path.join(out, name[:-7]), "wb") as f:
            for row in rows:
                f.write(row["message"].strip().replace("\n", " ").encode() + b"\n")
    folder = os.path.join(data, "windows-ndjson")
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as f, \
                open(os.path.join(out, name.rsplit(".", 1)[0]), "wb") as to:
            to.write(f.read())


main()
