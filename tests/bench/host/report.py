#!/usr/bin/env python3
"""report.py: docs/BENCHMARKS.md from what the benchmarks left below $BUILD/bench/results; tables that were not measured keep their last figures."""
import glob
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from results import DIR  # noqa: E402

DOC = os.path.join(HERE, "../../../docs/BENCHMARKS.md")


def table(t):
    rows = [t["head"], ["---"] * len(t["head"])] + t["rows"]
    text = "\n".join("| %s |" % " | ".join(r) for r in rows)
    return "**%s**\n\n%s\n\n%s" % (t["title"], text, "\n".join(t["notes"]))


def main():
    with open(DOC) as f:
        doc = f.read()
    for path in sorted(glob.glob(DIR + "/*.json")):
        name = os.path.basename(path)[:-5]
        with open(path) as f:
            t = json.load(f)
        begin, end = "<!-- begin %s -->" % name, "<!-- end %s -->" % name
        if begin not in doc:
            sys.exit("docs/BENCHMARKS.md has no place for %s" % name)
        body = "%s\n%s\n\nMeasured on: %s.\n%s" % (begin, table(t).rstrip(), t["machine"], end)
        doc = re.sub(re.escape(begin) + ".*?" + re.escape(end), lambda m: body, doc, flags=re.S)
    with open(DOC, "w") as f:
        f.write(doc)


if __name__ == "__main__":
    main()
