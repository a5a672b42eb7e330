"""A fleet of agents that only send: bench.py BUILD AGENTS SECONDS RATE (rows a second; 0: all it takes)

Each agent has its own host, sessions (open, then closed, one in four goes on to another host), tries that
failed, alerts, and one record in twenty twice, as after a lost answer. Blocks of 8192 rows, as a relay
makes them of many agents, are inserted one after the other with the shipped tables in place; then what
every agent sent is counted at the other end, by agent and kind, and must be equal. Prints rates and bytes;
ends with "N passed, N failed". The suite runs it in short, by a number of rows instead of a time.
"""
import collections
import json
import pathlib
import queue
import random
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import engine  # noqa: E402
from fixture import Fleet, identifier, stamp  # noqa: E402

BLOCK = 8192
# Of a host that is on the Internet: mostly guesses. What it was like at real ones is in docs/FLEET.md.
MIX = (("attempt", 70), ("open", 12), ("closed", 12), ("alert", 6))
MARKS = {"@id@": "%(id)s", "@time@": "%(time)s", "@at@": "%(at)s", "@agent@": "%(agent)s", "@host@": "%(host)s", "@o@": "%(o)s",
         "61616": "%(port)d", "@address@": "%(address)s"}


def formatted(row):
    text = json.dumps(row).replace("%", "%%")
    for mark, to in MARKS.items():
        text = text.replace(mark, to)
    return text + "\n"


def templates():
    """One of each kind, with places for what differs; the shape is the product's (product.py holds it)."""
    fleet = Fleet(time.time())
    host = fleet.host("@host@")
    host.id = "@agent@"
    plain = fleet.login(host, 0, ("@o@", 61616), key="ED25519 SHA256:" + "k" * 43, method="publickey")
    onward = fleet.login(host, 0, ("@o@", 61616), account="deploy")
    fleet.onward(onward, fleet.host("db", "@address@"), 1, "x", port=61616)
    fleet.failure(host, 0, "@o@", "admin")
    fleet.events[0]["id"] = "@id@"
    alert = {"schema": 1, "id": "@id@", "revision": 1, "state": "open", "detection": "auth.bruteforce", "number": 1001, "severity": "low",
             "time": "@at@", "last_time": "@at@", "count": 6, "host_id": "@agent@", "host_name": "@host@", "service": "ssh",
             "account": "admin", "origin": {"address": "@o@", "port": 61616, "scope": "external", "source": "socket"},
             "stage": "attempts", "attack": ["T1110", "T1133"], "sentence": "6 failures of ssh from @o@ within 15 minutes. " * 3,
             "evidence": [{"time": "@at@", "kind": "attempt", "trust": "kernel", "text": "attempt failure for 'admin' from @o@ by sshd"}] * 6,
             "triage": "Did one of them get in? " * 4, "contain": "Block the address. " * 3, "learning": False, "observe": False}
    made = {"attempt": [dict(fleet.events[0])], "open": [], "closed": [],
            "alert": [{"id": "@id@-1", "kind": "alert", "name": "auth.bruteforce", "severity": "low", "record": json.dumps(alert)}]}
    for s in (plain, plain, plain, onward):
        s.id, s.closed = "@id@", 60
        made["open"].append(s.row("open", 0))
        made["closed"].append(s.row("closed", 60))
    out = {}
    for kind, rows in made.items():
        out[kind] = []
        for row in rows:
            row.update(time="@time@", host_id="@agent@", host_name="@host@")
            if kind in ("open", "closed"):
                row["id"] = "@id@-" + ("1" if kind == "open" else "2")
            out[kind].append(formatted(row))
    return out


class Agents:
    def __init__(self, number, seed=7):
        self.random = random.Random(seed)
        self.agents = [identifier("agent", n) for n in range(number)]
        self.sent = collections.Counter()  # by agent and kind of record, repeats not counted
        self.waiting = collections.defaultdict(list)  # open sessions
        self.templates, self.made, self.rows = templates(), 0, 0
        self.kinds = [k for k, n in MIX for _ in range(n)]

    def block(self):
        now, rows = time.time(), []
        text, at = "%.9f" % now, stamp(now)
        while len(rows) < BLOCK:
            self.made += 1
            n = self.random.randrange(len(self.agents))
            kind = self.random.choice(self.kinds)
            which = identifier(self.made) if kind != "closed" else None
            if kind == "closed":
                if not self.waiting[n]:
                    continue
                which = self.waiting[n].pop()
            elif kind == "open":
                self.waiting[n].append(which)
            shape = self.templates[kind]
            row = shape[self.made % len(shape)] % {
                "id": which, "time": text, "at": at, "agent": self.agents[n], "host": "web%05d" % n, "port": 1024 + self.made % 60000,
                "o": "198.51.%d.%d" % (n % 250, self.made % 250), "address": "10.%d.%d.9" % (n // 250, n % 250)}
            rows.append(row)
            self.sent[self.agents[n], {"attempt": "event", "alert": "alert"}.get(kind, "session")] += 1
            if self.made % 20 == 0:
                rows.append(row)
        self.rows += len(rows)
        return "".join(rows)


def run(clickhouse, scratch, number, seconds, rate=0, limit=None):
    agents, blocks = Agents(number), queue.Queue(4)
    errors, size = [], [0]

    def produce():
        begun, n = time.monotonic(), 0
        while not errors and (agents.rows < limit if limit else time.monotonic() - begun < seconds):
            if rate:
                time.sleep(max(0, agents.rows / rate - (time.monotonic() - begun)))
            path = pathlib.Path(scratch) / ("block-%d" % n)
            size[0] += path.write_text(agents.block())
            blocks.put(path)
            n += 1
        blocks.put(None)
    begun = time.monotonic()
    threading.Thread(target=produce, daemon=True).start()
    while (path := blocks.get()):
        try:
            clickhouse.ask(sql=engine.INSERT, file=str(path))
        except engine.Refused as e:
            errors.append(str(e))
            break
        path.unlink()
    return agents, time.monotonic() - begun, size[0], errors


def ends_equal(clickhouse, agents, check):
    got = {(r["host_id"], r["kind"]): int(r["n"]) for r in
           clickhouse.query("SELECT host_id, kind, count() AS n FROM outergate.records_v GROUP BY host_id, kind")}
    odd = {k: (v, got.get(k)) for k, v in agents.sent.items() if got.get(k) != v}
    check("what each of %d agents sent, by kind, is there once" % len(agents.agents), not odd and len(got) == len(agents.sent),
          list(odd.items())[:3])
    want = collections.Counter()
    for (_, kind), n in agents.sent.items():
        want[kind] += n
    opened = int(clickhouse.value("SELECT count() FROM outergate.sessions_v"))
    closed = int(clickhouse.value("SELECT count() FROM outergate.sessions_v WHERE state = 'closed'"))
    check("each session is one row in its last state", opened + closed == want["session"], (opened, closed, want))
    for table, kind in (("attempts_v", "event"), ("alerts_v", "alert")):
        n = int(clickhouse.value("SELECT count() FROM outergate." + table))
        check("each %s is one row of %s" % (kind, table), n == want[kind], (n, want))


def report(clickhouse, agents, seconds, size):
    print("%d agents, %d rows (%d records) in %.0f s: %.0f rows/s, %.1f MB/s of JSON, %.0f bytes a row as sent" %
          (len(agents.agents), agents.rows, sum(agents.sent.values()), seconds, agents.rows / seconds, size / seconds / 1e6,
           size / agents.rows))
    for r in clickhouse.query("SELECT table, sum(rows) AS n, sum(bytes_on_disk) AS b, count() AS parts FROM system.parts "
                              "WHERE active AND database = 'outergate' GROUP BY table ORDER BY b DESC"):
        print("  %-9s %9s rows, %6.1f MB on disk, %5.1f bytes a row, %s parts" %
              (r["table"], r["n"], int(r["b"]) / 1e6, int(r["b"]) / int(r["n"]), r["parts"]))


def timed(clickhouse):
    for path in sorted((engine.SHIPPED / "queries").glob("*.sql")):
        begun = time.monotonic()
        rows = clickhouse.shipped(path.stem)
        print("  %-18s %6.2f s, %d rows" % (path.stem, time.monotonic() - begun, len(rows)))


def main():
    build, number, seconds, rate = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
    count = collections.Counter()

    def check(name, ok, detail=""):
        count[bool(ok)] += 1
        if not ok:
            print("FAILED %s: %s" % (name, str(detail)[:1500]))
    with tempfile.TemporaryDirectory() as scratch:
        clickhouse = engine.Engine(build, scratch + "/db")
        clickhouse.load_schema()
        agents, took, size, errors = run(clickhouse, scratch, number, seconds, rate)
        check("no insert fails", not errors, errors)
        report(clickhouse, agents, took, size)
        ends_equal(clickhouse, agents, check)
        check("it kept up", agents.rows / took >= 0.99 * (rate or 10000), agents.rows / took)
        timed(clickhouse)
        clickhouse.close()
    print("%d passed, %d failed" % (count[True], count[False]))
    sys.exit(1 if count[False] else 0)


if __name__ == "__main__":
    main()
