"""Runs the cases of run.sh; see there."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import geodb  # noqa: E402
BINARY = pathlib.Path(sys.argv[1]).resolve() / "outergate"
DATA = pathlib.Path(os.environ.get("OUTERGATE_DATA", HERE.parent.parent.parent / "shared/data"))


def inputs(case, scratch):
    """Paths to replay; None when the recorded data is not here."""
    if (case / "data").exists():
        path = DATA / (case / "data").read_text().strip()
        return [path] if path.exists() else None
    found = [case / "input.log"] if (case / "input.log").exists() else []
    if (case / "input.events").exists():
        made = pathlib.Path(scratch) / "input.rec"
        subprocess.run([sys.executable, HERE / "records.py", case / "input.events", made],
                       check=True)
        found.append(made)
    return found


def databases(case, scratch):
    """--geo for each description that the case names."""
    names = (case / "geo").read_text().split() if (case / "geo").exists() else []
    args = []
    for name in names:
        made = pathlib.Path(scratch) / f"{name}.db"
        geodb.make(json.loads((HERE / "geo" / f"{name}.json").read_text()), made)
        args += ["--geo", made]
    return args


def replay(case, paths, args):
    args = args + ((case / "args").read_text().split() if (case / "args").exists() else [])
    if (case / "config.yaml").exists():
        args += ["--config", case / "config.yaml"]
    done = subprocess.run([BINARY, "replay", "--alerts", *args, *paths], capture_output=True,
                          check=False)
    if done.returncode:
        raise RuntimeError(f"exit {done.returncode}: {done.stderr.decode()}")
    return done.stdout


def matches(want, have):
    if isinstance(want, dict):
        return isinstance(have, dict) and all(matches(v, have.get(k)) for k, v in want.items())
    if isinstance(want, str) and want.startswith("~"):  # a part of a text
        return isinstance(have, str) and want[1:] in have
    return want == have


def brief(alert):
    return json.dumps({k: alert.get(k) for k in
                       ("detection", "reason", "severity", "count", "account", "origin",
                        "sentence")})


def compare(case, output):
    """A list of complaints."""
    wanted = [json.loads(line) for line in (case / "expected.jsonl").read_text().splitlines()
              if line.strip() and not line.startswith("//")]
    left = [json.loads(line) for line in output.splitlines()]
    wrong = []
    for want in wanted:
        found = next((a for a in left if matches(want, a)), None)
        if found is None:
            wrong.append(f"missing: {json.dumps(want)}")
        else:
            left.remove(found)
    return wrong + [f"too many: {brief(a)}" for a in left]


def check(case):
    """(outcome, complaints)"""
    with tempfile.TemporaryDirectory() as scratch:
        paths = inputs(case, scratch)
        if paths is None:
            return "skipped", [f"no recorded data at {DATA}"]
        try:
            geo = databases(case, scratch)
            first, second = replay(case, paths, geo), replay(case, paths, geo)
        except RuntimeError as e:
            return "failed", [str(e)]
    wrong = compare(case, first)
    if first != second:
        wrong.append("two runs differ")
    return ("failed" if wrong else "passed"), wrong


def main():
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for expected in sorted(HERE.glob("*/*/expected.jsonl")):
        case = expected.parent
        if sys.argv[2:] and not any(w in str(case) for w in sys.argv[2:]):
            continue
        outcome, wrong = check(case)
        counts[outcome] += 1
        for line in wrong:
            print(f"-- {case.relative_to(HERE)}: {outcome}: {line}")
    tail = f", {counts['skipped']} skipped" if counts["skipped"] else ""
    print(f"{counts['passed']} passed, {counts['failed']} failed{tail}")
    return counts["failed"] > 0


if __name__ == "__main__":
    sys.exit(main())
