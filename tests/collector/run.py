"""Runs what run.sh says; see there. Ends with "N passed, N failed[, N skipped]"."""
import collections
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import cases  # noqa: E402
import engine  # noqa: E402

BUILD = pathlib.Path(sys.argv[1]).resolve()
count = collections.Counter()


def check(name, ok, detail=""):
    count["passed" if ok else "failed"] += 1
    if not ok:
        print("FAILED %s: %s" % (name, str(detail)[:3000]), flush=True)


def skip(name, why):
    count["skipped"] += 1
    print("SKIPPED %s: %s" % (name, why), flush=True)


def main():
    words = sys.argv[2:]
    got = subprocess.run([HERE / "fetch.sh", BUILD / "collector"], capture_output=True, text=True, check=False)
    if got.returncode:
        skip("the fleet's queries", got.stdout.strip())
        return
    with tempfile.TemporaryDirectory() as scratch:
        clickhouse = engine.Engine(BUILD, scratch)
        try:
            clickhouse.load_schema()
            check("the engine is 24.8 or newer", tuple(map(int, clickhouse.value("SELECT version()").split(".")[:2])) >= (24, 8))
            for case in cases.CASES:
                if not words or any(w in case.__name__ for w in words):
                    run(case, clickhouse)
        finally:
            clickhouse.close()


def run(case, clickhouse):
    try:
        case(clickhouse, lambda name, ok, detail="": check("%s: %s" % (case.__name__, name), ok, detail))
    except engine.Refused as e:
        check(case.__name__, False, e)


main()
print("%d passed, %d failed%s" % (count["passed"], count["failed"], ", %d skipped" % count["skipped"] if count["skipped"] else ""))
sys.exit(1 if count["failed"] else 0)
