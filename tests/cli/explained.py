"""Every alert of every golden case: `outergate explain` tells evidence, rule, numbers and prevention.

    usage: explained.py OUTERGATE

Prints a line a complaint and exits 1 if there is any; a detection that no case fires is one."""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/golden"))
import run as golden  # noqa: E402
BINARY = sys.argv[1]
# What only a live agent is told; tests/unit/test_detect_persistence.c and tests/live have it.
LIVE_ONLY = {"activity.persistence"}
HEADINGS = ["What happened", "Who and where", "Evidence", "The rule", "What to do",
            "What would have prevented it"]


def ask(*args):
    done = subprocess.run([BINARY, *args], capture_output=True, check=False, timeout=60)
    return done.returncode, done.stdout.decode()


def sections(text):
    """Heading: its lines, without the indent."""
    found, now = {}, None
    for line in text.splitlines():
        if line and not line.startswith(" "):
            now = found.setdefault(line, [])
        elif line.strip() and now is not None:
            now.append(line.strip())
    return found


def complaints(alert, row, text):
    """What the text does not tell of that alert. row: of `detections`."""
    has = sections(text)
    for heading in HEADINGS:
        nobody = heading == "Who and where" and not alert.get("origin") and not alert.get("service")
        if not has.get(heading) and not nobody:
            yield "nothing below '%s'" % heading

    def field(heading, label):
        return next((line[len(label):].strip() for line in has.get(heading, [])
                     if line.startswith(label + " ")), "")
    if not alert.get("numbers") or field("What happened", "Why") != alert["numbers"]:
        yield "no numbers that made it fire"
    if field("The rule", "Looks for") != row["title"]:
        yield "not what the rule looks for"
    for name, value in [(p["name"], "") for p in row["params"]] + list(row["settings"].items()):
        if not field("The rule", name).startswith(value or tuple("0123456789")):
            yield "not %s in force: %s" % (name, value)
    if len(has.get("Evidence", [])) < len(alert.get("evidence", [])) or not alert.get("evidence"):
        yield "not all the evidence"
    for line in has.get("What would have prevented it", []):
        if len(line.split()) < 2:
            yield "a mitigation without its name: %s" % line


def look_at(case, scratch, paths):
    """(detections that fired, complaints)"""
    fired, wrong = set(), []
    if paths is not None:
        store = os.path.join(scratch, "store.db")
        argv = golden.command(BINARY, case, paths, golden.databases(case, scratch))
        done = subprocess.run([*argv, "--store", store], capture_output=True, check=False)
        if done.returncode:
            return fired, ["%s: replay: %s" % (case.name, done.stderr.decode())]
        config = ["--config", case / "config.yaml"] if (case / "config.yaml").exists() else []
        rules = {r["id"]: r for r in map(json.loads, ask("detections", "--format", "json", *config)[1].splitlines())}
        for alert in map(json.loads, done.stdout.decode().splitlines()):
            fired.add(alert["detection"])
            code, text = ask("explain", "--store", store, *config, alert["id"])
            told = [] if code else complaints(alert, rules[alert["detection"]], text)
            wrong += ["%s: %s %s: %s" % (case.relative_to(golden.HERE), alert["detection"],
                                         alert.get("reason", ""), w)
                      for w in (["exit %d" % code] if code else told)]
    return fired, wrong


def main():
    cases = [p.parent for p in sorted(golden.HERE.glob("*/*/expected.jsonl"))]
    with tempfile.TemporaryDirectory() as scratch, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        folders = [os.path.join(scratch, str(n)) for n in range(len(cases))]
        for folder in folders:
            os.mkdir(folder)
        inputs = [golden.inputs(c, f) for c, f in zip(cases, folders)]
        results = list(pool.map(look_at, cases, folders, inputs))
    wrong = [w for _, ws in results for w in ws]
    known = {json.loads(line)["id"] for line in ask("detections", "--format", "json")[1].splitlines()}
    for d in sorted(known - LIVE_ONLY - set().union(*(f for f, _ in results))):
        wrong.append("%s: no golden case fires it" % d)
    print("\n".join(wrong))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
