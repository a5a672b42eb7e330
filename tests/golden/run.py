"""Runs the cases of run.sh; see there."""
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SEAL = "//= "
# What an alert says of this input; not what its detection's row says of every one.
SEALED = ("id", "revision", "state", "previous", "part_of", "detection", "reason", "severity", "time",
          "last_time", "count", "session", "service", "account", "account_unknown", "identity",
          "effective_account", "origin", "method", "key", "client", "stage", "numbers", "sentence",
          "evidence", "learning", "observe")
sys.path.insert(0, str(HERE.parent))
sys.path.insert(0, str(HERE))
import geodb  # noqa: E402
import records  # noqa: E402
DATA = pathlib.Path(os.environ.get("OUTERGATE_DATA", HERE.parent.parent.parent / "shared/data"))


def inputs(case, scratch):
    """Paths to replay; None when the recorded data is not here."""
    if (case / "data").exists():
        path = DATA / (case / "data").read_text().strip()
        return [path] if path.exists() else None
    found = [case / "input.log"] if (case / "input.log").exists() else []
    if (case / "input.events").exists():
        found += records.parts(case / "input.events", scratch)
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


def command(binary, case, paths, args):
    args = args + ((case / "args").read_text().split() if (case / "args").exists() else [])
    if (case / "config.yaml").exists():
        args += ["--config", case / "config.yaml"]
    return [binary, "replay", "--alerts", *args, *paths]


def replay(case, paths, args):
    binary = pathlib.Path(sys.argv[1]).resolve() / "outergate"
    done = subprocess.run(command(binary, case, paths, args), capture_output=True, check=False)
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


def seal_of(alerts):
    """The same input gives the same output on every machine: a hash of all that it says."""
    rows = [{k: a[k] for k in SEALED if k in a} for a in alerts]
    return hashlib.sha256(json.dumps(rows, sort_keys=True).encode()).hexdigest()[:32]


def seal(case, output):
    """Keeps the hash, as the last line of what is expected."""
    path = case / "expected.jsonl"
    lines = [line for line in path.read_text().splitlines() if not line.startswith(SEAL)]
    lines.append(SEAL + seal_of([json.loads(line) for line in output.splitlines()]))
    path.write_text("\n".join(lines) + "\n")


def lines_of(case):
    return (case / "expected.jsonl").read_text().splitlines()


def broken_seal(lines, output):
    """A list of one complaint, or none. lines: lines_of(case)"""
    kept = [line[len(SEAL):] for line in lines if line.startswith(SEAL)]
    if kept in ([], [seal_of([json.loads(line) for line in output.splitlines()])]):
        return []
    return ["as expected, but something else of the output is not as it was; if that is meant: "
            "tests/golden/run.py BUILD --seal WORD..."]


def compare(lines, output):
    """A list of complaints. lines: lines_of(case)"""
    wanted = [json.loads(line) for line in lines if line.strip() and not line.startswith("//")]
    left = [json.loads(line) for line in output.splitlines()]
    wrong = []
    for want in wanted:
        found = next((a for a in left if matches(want, a)), None)
        if found is None:
            wrong.append(f"missing: {json.dumps(want)}")
        else:
            left.remove(found)
    return wrong + [f"too many: {brief(a)}" for a in left]


def check(case, do_seal):
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
    wrong = compare(lines_of(case), first)
    if do_seal and not wrong:
        seal(case, first)
    wrong = wrong or broken_seal(lines_of(case), first)
    if first != second:
        wrong.append("two runs differ")
    return ("failed" if wrong else "passed"), wrong


def main():
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    do_seal, words = "--seal" in sys.argv, [w for w in sys.argv[2:] if w != "--seal"]
    unsealed = 0
    for expected in sorted(HERE.glob("*/*/expected.jsonl")):
        case = expected.parent
        if words and not any(w in str(case) for w in words):
            continue
        outcome, wrong = check(case, do_seal)
        unsealed += SEAL not in expected.read_text()
        counts[outcome] += 1
        for line in wrong:
            print(f"-- {case.relative_to(HERE)}: {outcome}: {line}")
    tail = f", {counts['skipped']} skipped" if counts["skipped"] else ""
    if unsealed:
        print(f"-- {unsealed} without a hash of the whole output: tests/golden/run.py BUILD --seal WORD...")
    print(f"{counts['passed']} passed, {counts['failed']} failed{tail}")
    return counts["failed"] > 0


if __name__ == "__main__":
    sys.exit(main())
