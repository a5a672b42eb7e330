"""Rows of docs/BENCHMARKS.md: each benchmark leaves its own file below $BUILD/bench/results."""
import json
import os
import subprocess

DIR = os.path.join(os.environ.get("BUILD", "build"), "bench", "results")


def machine():
    with open("/proc/cpuinfo") as f:
        cpu = next(x.split(":")[1].strip() for x in f if x.startswith("model name"))
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return "%s, %d processors (a virtual machine), kernel %s, commit %s" % (
        cpu, os.cpu_count(), os.uname().release, commit.stdout.strip())


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
        json.dump({"title": title, "head": head, "rows": rows, "notes": list(notes),
                   "machine": machine()}, f, indent=1)
    print("%s\n  %s" % (title, " | ".join(head)))
    for row in rows:
        print("  " + " | ".join(row))
    for note in notes:
        print("  " + note)
