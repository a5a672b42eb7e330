"""Rows of docs/BENCHMARKS.md: each benchmark leaves its own file below $BUILD/bench/results."""
import json
import os

DIR = os.path.join(os.environ.get("BUILD", "build"), "bench", "results")


def median(values):
    v = sorted(values)
    return v[len(v) // 2] if len(v) % 2 else (v[len(v) // 2 - 1] + v[len(v) // 2]) / 2


def percentile(values, p):
    v = sorted(values)
    return v[min(len(v) - 1, int(len(v) * p / 100))]


def keep(name, title, head, rows, notes=()):
    """A table; every cell is text. Printed now, and kept for the report."""
    os.makedirs(DIR, exist_ok=True)
    with open(os.path.join(DIR, name + ".json"), "w") as f:
        json.dump({"title": title, "head": head, "rows": rows, "notes": list(notes)}, f, indent=1)
    print("%s\n  %s" % (title, " | ".join(head)))
    for row in rows:
        print("  " + " | ".join(row))
    for note in notes:
        print("  " + note)
