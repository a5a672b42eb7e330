"""Runs what run.sh says; see there. Ends with "N passed, N failed[, N skipped]"."""
import collections
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import bench  # noqa: E402
import engine  # noqa: E402
import product  # noqa: E402
import questions  # noqa: E402
import relay  # noqa: E402

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
            for case in [*questions.CASES, golden, generated, relayed, cluster]:
                if not words or any(w in case.__name__ for w in words):
                    run(case, clickhouse)
        finally:
            clickhouse.close()


def golden(clickhouse, ask):
    product.golden(BUILD / "outergate", clickhouse, ask)



def generated(clickhouse, ask):
    clickhouse.empty()
    with tempfile.TemporaryDirectory() as scratch:
        agents, took, size, errors = bench.run(clickhouse, scratch, 200, 0, limit=40000)
    ask("no insert fails", not errors, errors)
    ask("some rows came twice", agents.rows > sum(agents.sent.values()) + 1000)
    bench.ends_equal(clickhouse, agents, ask)



def relayed(clickhouse, ask):
    fleet = questions.Fleet(questions.began())
    questions.three(fleet)
    with tempfile.TemporaryDirectory() as scratch:
        if not relay.nginx_stamps(clickhouse, scratch, fleet.rows(), ask):
            skip("relayed", "nginx or openssl is not installed")


def cluster(clickhouse, ask):
    """No cluster is at hand: its statements, and the tables as it has them, are parsed."""
    text = (engine.SHIPPED / "cluster.sql").read_text()
    made = subprocess.run(["sh", "-c", "\n".join(line[2:] for line in text.splitlines() if line.startswith("--      "))],
                          cwd=engine.SHIPPED, capture_output=True, text=True, check=False).stdout
    tables = engine.statements(made)
    ask("the tables of a shard", len(tables) == 11 and sum("Replicated" in t for t in tables) == 5 and
        not any("outergate." in t or "non_repl" in t for t in tables), made[:2000])
    for statement in tables + engine.statements(text) + engine.statements((engine.SHIPPED / "grants.sql").read_text()):
        try:
            clickhouse.query("EXPLAIN AST " + statement)
            ask("it parses", True)
        except engine.Refused as e:
            ask(statement[:60], False, e)


def run(case, clickhouse):
    try:
        case(clickhouse, lambda name, ok, detail="": check("%s: %s" % (case.__name__, name), ok, detail))
    except engine.Refused as e:
        check(case.__name__, False, e)


main()
print("%d passed, %d failed%s" % (count["passed"], count["failed"], ", %d skipped" % count["skipped"] if count["skipped"] else ""))
sys.exit(1 if count["failed"] else 0)
