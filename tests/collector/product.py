"""What the product really sends, through the shipped tables: every golden case's alerts, sessions and
events, as rows of an agent, and nothing of them is lost on the way to what queries read."""
import collections
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/golden")]
import geodb  # noqa: E402
import records  # noqa: E402

KINDS = (("session", "--sessions"), ("alert", "--alerts"), ("event", "--events"))


def replayed(binary, case, option, scratch):
    paths = [case / "input.log"] if (case / "input.log").exists() else []
    if (case / "input.events").exists():
        paths += records.parts(case / "input.events", scratch)
    if not paths:
        return []
    args = (case / "args").read_text().split() if (case / "args").exists() else []
    for name in (case / "geo").read_text().split() if (case / "geo").exists() else []:
        made = scratch / (name + ".db")
        geodb.make(json.loads((ROOT / "tests/golden/geo" / (name + ".json")).read_text()), made)
        args += ["--geo", made]
    done = subprocess.run([binary, "replay", option, "--schema", "outergate", *args, *paths], capture_output=True, check=False)
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def rows_of(binary, folders):
    rows = {}
    for case in (c for f in folders for c in sorted((ROOT / "tests/golden" / f).glob("*/"))):
        host = "%s/%s" % (case.parent.name, case.name)
        with tempfile.TemporaryDirectory() as scratch:
            for kind, option in KINDS:
                for record in replayed(binary, case, option, pathlib.Path(scratch)):
                    made = {"id": record["id"], "kind": kind, "name": record.get("detection", kind), "host_id": host, "host_name": "golden",
                            "time": "1795400000.000000000", "severity": record.get("severity", "info"), "record": json.dumps(record)}
                    rows[host, kind, record["id"]] = made
    kinds = collections.Counter(k for _, k, _ in rows)
    return list(rows.values()), kinds


def golden(binary, engine, check):
    rows, kinds = rows_of(binary, ("activity.lateral_movement", "origin.impossible_travel", "auth.spray", "chain.t1133"))
    engine.empty()
    engine.insert(rows)
    check("there is enough of each kind", min(kinds[k] for k, _ in KINDS) > 20, kinds)
    sent = collections.defaultdict(list)
    for r in rows:
        sent[r["kind"]].append((r["host_id"], json.loads(r["record"])))
    attempts = [r for _, r in sent["event"] if r["kind"] == "attempt"]
    ways = [(h, r["id"], d["address"], d["port"]) for h, r in sent["session"] for d in r["destinations"]]
    for table, want in (("sessions_v", kinds["session"]), ("alerts_v", kinds["alert"]), ("attempts_v", len(attempts))):
        got = int(engine.value("SELECT count() FROM outergate." + table))
        check("every row is in %s" % table, got == want > 0, (got, want))
    got = int(engine.value("SELECT uniqExact(host_id, session, dest, dest_port) FROM outergate.outgoing_v"))
    check("every place that a session went on to", got == len(set(ways)) > 10, (got, len(set(ways))))
    got = {(r["host_id"], r["session"]): r for r in engine.query(
        "SELECT *, replaceRegexpOne(toString(origin), '^::ffff:', '') AS address, toUnixTimestamp64Milli(open) AS opened,"
        " toUnixTimestamp64Milli(connected) AS came FROM outergate.sessions_v")}
    for host, r in sent["session"]:
        row, o = got[host, r["id"]], r.get("origin", {})
        same = (row["address"] == o.get("address", "::"), row["origin_port"] == o.get("port", 0), row["account"] == r.get("account", ""),
                row["country"] == o.get("country", ""), row["has_point"] == ("latitude" in o), row["method"] == r.get("method", ""),
                row["bytes_known"] == ("bytes_in" in r), int(row["bytes_out"]) == r.get("bytes_out", 0), row["state"] == r["state"],
                int(row["opened"]) > 0 or "open" not in r, (int(row["came"]) > 0) == ("connected" in r),
                abs(row["latitude"] - o.get("latitude", 0)) < 1e-4)
        if not all(same):
            check("session of %s" % host, False, (same, r, row))
            return
    check("each session's members arrive", True)
    check("points are among them", any("latitude" in r.get("origin", {}) for _, r in sent["session"]))
    for name in ("intrusion_paths", "spray", "first_seen", "impossible_travel", "silent_hosts", "wrong_host"):
        engine.shipped(name)
