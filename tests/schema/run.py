"""Runs what run.sh says; see there. Ends with "N passed, N failed[, N skipped]"."""
import collections
import copy
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "golden")]
import cef  # noqa: E402
import collector  # noqa: E402
import ecs  # noqa: E402
import ocsf  # noqa: E402
import records  # noqa: E402

BUILD = pathlib.Path(sys.argv[1]).resolve()
BINARY = BUILD / "outergate"
DATA = pathlib.Path(os.environ.get("OUTERGATE_DATA", HERE.parent.parent.parent / "shared/data"))
KINDS = ("alerts", "sessions", "events")
# Of the log that stands for any host's: a path, hostile names and a place are in it.
HOSTILE = [
    "Nov 22 06:31:00 web sshd[7]: Failed password for invalid user a=b|c\\d from 203.0.113.9 port 1 ssh2",
    "Nov 22 06:31:01 web sshd[7]: Failed password for invalid user \"},{\"x\":1 from 2001:db8::9 port 2 ssh2",
    "Nov 22 06:31:02 web sshd[7]: Accepted password for r\xc3\xb6\xff\xe2\x80\xae\x1b[31m from 203.0.113.9 port 3 ssh2",
    "Nov 22 06:31:03 web sshd[8]: Accepted publickey for root from ::1 port 4 ssh2: ED25519 SHA256:x",
]
count = collections.Counter()


def check(name, ok, detail=""):
    count["passed" if ok else "failed"] += 1
    if not ok:
        print("FAILED %s: %s" % (name, str(detail)[:3000]))


def skip(name, why):
    count["skipped"] += 1
    print("SKIPPED %s: %s" % (name, why))


def replay(kind, schema, paths, args=()):
    """Recorded data may hold what no decoder takes: its exit code says so, and is not of interest."""
    done = subprocess.run([BINARY, "replay", "--" + kind, "--schema", schema, *args, *paths],
                          capture_output=True, check=False)
    if done.returncode not in (0, 1) or (done.returncode and DATA not in pathlib.Path(paths[0]).parents):
        check("replay --%s --schema %s %s" % (kind, schema, paths), False, done.stderr.decode())
    return done.stdout.decode().splitlines()


def cases(scratch):
    """Name, paths and options of every golden case, of recorded data, and of hostile texts."""
    for case in sorted((HERE.parent / "golden").glob("*/*/")):
        paths = [case / "input.log"] if (case / "input.log").exists() else []
        if (case / "input.events").exists():
            paths += records.parts(case / "input.events", scratch)
        args = (case / "args").read_text().split() if (case / "args").exists() else []
        if (case / "config.yaml").exists():
            args += ["--config", str(case / "config.yaml")]
        if paths:
            yield "%s/%s" % (case.parent.name, case.name), paths, args
    for part in ("text", "evtx", "windows-ndjson"):
        for path in sorted(p for p in (DATA / part).rglob("*") if p.is_file()):
            yield str(path.relative_to(DATA)), [path], []
    hostile = pathlib.Path(scratch) / "hostile.log"
    hostile.write_bytes("\n".join(HOSTILE).encode("latin-1") + b"\n")
    yield "hostile texts", [hostile], []


def render(schemas):
    """{schema: [(case and kind, line)]}, each of the same records."""
    lines = {s: [] for s in schemas}
    with tempfile.TemporaryDirectory() as scratch:
        for name, paths, args in cases(scratch):
            for kind in KINDS:
                for schema in schemas:
                    lines[schema] += [("%s, %s" % (name, kind), line)
                                      for line in replay(kind, schema, paths, args)]
    return lines


def hold(schema, lines, fault_of):
    """Every line against the schema; each fault is told with where it was first."""
    faults = collections.OrderedDict()
    for name, line in lines:
        for fault in fault_of(line):
            faults.setdefault(fault, [name, line, 0])[2] += 1
    check("%s: %d lines are as published" % (schema, len(lines)), lines and not faults,
          "\n".join("%d times, first in %s: %s\n  %s" % (n, name, fault, line[:1500])
                    for fault, (name, line, n) in list(faults.items())[:10]))


def refused(schema, kind, record, change, fault_of):
    """The check can fail: a record that is right, changed in one place, is refused."""
    other = copy.deepcopy(record)
    change(other)
    check("%s refuses %s" % (schema, kind), fault_of(json.dumps(other)), "it did not")


def find(lines, wanted):
    return next(r for r in (json.loads(line) for _, line in lines) if wanted(r))


def mutate_ecs(lines, fault_of):
    alert = find(lines, lambda r: r["event"]["kind"] == "alert" and "user" in r and "source" in r)
    event = alert["event"]
    cases_of = {
        "an unknown field": lambda r: r.update(colour="red"),
        "an unknown field below a known one": lambda r: r["event"].update(colour="red"),
        "a text where an array is wanted": lambda r: r["event"].update(category="host"),
        "an array where a text is wanted": lambda r: r["event"].update(kind=["alert"]),
        "a value that is not allowed": lambda r: r["event"].update(kind="fire"),
        "a category that does not exist": lambda r: r["event"].update(category=["fire"]),
        "a type not expected of its category": lambda r: r["event"].update(type=["creation"]),
        "a direction not expected": lambda r: r["network"].update(direction="sideways"),
        "text as a number": lambda r: r["event"].update(severity="2"),
        "no date": lambda r: r.update({"@timestamp": "yesterday"}),
        "no address": lambda r: r["source"].update(ip="203.0.113.999"),
        "a repeated value": lambda r: r["related"].update(ip=["192.0.2.1", "192.0.2.1"]),
        "an empty object": lambda r: r.update(host={}),
        "a place off the globe": lambda r: r["source"].update(
            geo={"location": {"lat": 91, "lon": 0}}),
        "a record without its time": lambda r: r.pop("@timestamp"),
        "a record without a category": lambda r: r["event"].pop("category"),
    }
    check("ecs: the record that is changed is right", not fault_of(json.dumps(alert)), event)
    for kind, change in cases_of.items():
        refused("ecs", kind, alert, change, fault_of)
    free = copy.deepcopy(alert)
    free["outergate"]["colour"] = {"any": ["thing"]}
    check("ecs leaves outergate.* to us", not fault_of(json.dumps(free)))


def mutate_ocsf(lines, fault_of):
    finding = find(lines, lambda r: r["class_uid"] == 2004 and r.get("observables"))
    logon = find(lines, lambda r: r["type_uid"] == 300201 and "src_endpoint" in r)
    for kind, record, change in (
            ("an unknown attribute", logon, lambda r: r.update(colour="red")),
            ("an unknown attribute of an object", logon, lambda r: r["user"].update(colour="red")),
            ("an unknown class", logon, lambda r: r.update(class_uid=3999)),
            ("a class without what it requires", logon, lambda r: r.pop("user")),
            ("an object without what it requires", finding, lambda r: r["finding_info"].pop("uid")),
            ("a type that is not class and activity", logon, lambda r: r.update(type_uid=300202)),
            ("another category", logon, lambda r: r.update(category_uid=4)),
            ("a number outside the enumeration", logon, lambda r: r.update(severity_id=7)),
            ("an activity outside the enumeration", logon,
             lambda r: r.update(activity_id=9, type_uid=300209)),
            ("words that say other than the number", logon, lambda r: r.update(severity="Fatal")),
            ("the name of another class", logon, lambda r: r.update(class_name="Findings")),
            ("text as a number", logon, lambda r: r.update(time="now")),
            ("a port beyond its range", logon, lambda r: r["src_endpoint"].update(port=65536)),
            ("no address", logon, lambda r: r["src_endpoint"].update(ip="home")),
            ("an object as an array", logon, lambda r: r.update(user=[r["user"]])),
            ("an array as an object", finding, lambda r: r.update(evidences=r["evidences"][0])),
            ("an empty object", logon, lambda r: r.update(user={})),
            ("none of those of which one must be", logon,
             lambda r: (r.pop("service"), r.pop("dst_endpoint", 0))),
            ("a profile that is not named", logon, lambda r: r["metadata"].pop("profiles")),
            ("an observable of no type", finding,
             lambda r: r["observables"][0].update(type_id=1234)),
            ("another version of itself", logon, lambda r: r["metadata"].update(version="1.0.0"))):
        refused("ocsf", kind, record, change, fault_of)
    free = copy.deepcopy(logon)
    free["unmapped"]["colour"] = {"any": ["thing"]}
    check("ocsf leaves unmapped to us", not fault_of(json.dumps(free)))


def mutate_cef(lines):
    line = next(text for _, text in lines if " src=" in text and " msg=" in text)
    check("cef: the line that is changed is right", not cef.check(line))
    for kind, other in (("another version", line.replace("CEF:0", "CEF:7")),
                        ("a header of six parts", line.replace("|", " ", 1)),
                        ("a severity of 11", line.replace("|" + cef.header(line)[0][6] + "|", "|11|")),
                        ("a bare =", line + " a b=c=d"),
                        ("a bare backslash", line + "\\x"),
                        ("an IPv6 address in src", line.replace(" src=", " src=::1 x=")),
                        ("a custom field without its label", line.replace("cs1Label", "cs6Label")),
                        ("text as a number", line.replace("rt=", "rt=now")),
                        ("no id", line.replace("externalId=", "msg2="))):
        check("cef refuses " + kind, other != line and cef.check(other), "it did not")


def published_ecs():
    fetched = BUILD / "schemas/ecs.json"
    done = subprocess.run(["sh", HERE / "fetch.sh", fetched.parent], capture_output=True,
                          check=False)
    if done.returncode == 0:
        return ecs.Ecs(fetched)
    copy_here = DATA / "schema/ecs/ecs_flat.yml"
    print("ecs: %s" % (done.stdout + done.stderr).decode().strip())
    return ecs.Ecs(copy_here) if copy_here.exists() else None


def published_ocsf():
    root = pathlib.Path(os.environ.get("OUTERGATE_OCSF", DATA / "schema/ocsf"))
    return ocsf.Ocsf(root) if (root / "version.json").exists() else None


def hold_ecs(lines):
    published = published_ecs()
    if not published:
        return skip("ecs", "neither npm nor OUTERGATE_DATA has its fields")

    def fault_of(line):
        return published.check(json.loads(line))
    hold("ecs", lines, fault_of)
    return mutate_ecs(lines, fault_of)


def hold_ocsf(lines):
    published = published_ocsf()
    if not published:
        return skip("ocsf", "its sources are neither in OUTERGATE_OCSF nor in OUTERGATE_DATA")
    missing = collections.Counter()

    def fault_of(line):
        record = json.loads(line)
        return published.check(record)

    def is_here(line):
        uid = json.loads(line)["class_uid"]
        if uid // 1000 == 1 and uid not in published.classes:  # part of the sources only
            missing[uid] += 1
            return False
        return True
    here = [(name, line) for name, line in lines if is_here(line)]
    hold("ocsf " + published.version, here, fault_of)
    for uid, n in sorted(missing.items()):
        skip("ocsf class %d" % uid, "the sources at hand are without it; %d lines" % n)
    return mutate_ocsf(here, fault_of)


def ids(lines, id_of):
    """A case's alert or session has one id in a replay, an event its own."""
    seen = collections.Counter((name, id_of(line)) for name, line in lines)
    twice = [key for key, n in seen.items() if n > 1]
    check("every record has an id of its own", not twice, twice[:5])


def same_again(first):
    with tempfile.TemporaryDirectory() as scratch:
        name, paths, args = list(cases(scratch))[-1]
        again = [("%s, %s" % (name, kind), line) for kind in KINDS
                 for line in replay(kind, "ecs", paths, args)]
    check("the same input gives the same records", again and again == first[-len(again):])


def main():
    lines = render(["outergate", "ecs", "ocsf", "cef"])
    if not (DATA / "text").exists():
        skip("recorded data", "set OUTERGATE_DATA")
    sizes = {s: len(rows) for s, rows in lines.items()}
    check("every schema has every record", len(set(sizes.values())) == 1 and sizes["ecs"] > 1000,
          sizes)
    hold_ecs(lines["ecs"])
    hold_ocsf(lines["ocsf"])
    hold("cef", lines["cef"], cef.check)
    mutate_cef(lines["cef"])
    ids(lines["ecs"], lambda line: json.loads(line)["event"]["id"])
    ids(lines["ocsf"], lambda line: json.loads(line)["metadata"]["uid"])
    same_again(lines["ecs"])
    collector.check_files(check, lines)
    print("%d passed, %d failed%s" % (count["passed"], count["failed"],
                                      ", %d skipped" % count["skipped"] if count["skipped"] else ""))
    return 1 if count["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
