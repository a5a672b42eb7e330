"""The ClickHouse engine of fetch.sh as an object, and what deploy/collector/clickhouse has for it."""
import json
import pathlib
import re
import subprocess
import threading

HERE = pathlib.Path(__file__).resolve().parent
SHIPPED = HERE.parents[1] / "deploy/collector/clickhouse"
# As forward/clickhouse.c asks for it.
INSERT = ("INSERT INTO outergate.records SETTINGS input_format_skip_unknown_fields=1,"
          "date_time_input_format='best_effort' FORMAT JSONEachRow")
RELAY = INSERT  # a relay writes the same with one more column


class Refused(Exception):
    """The engine's own words."""


class Engine:
    def __init__(self, build, directory):
        self.lock = threading.Lock()
        self.child = subprocess.Popen(
            ["node", str(HERE / "engine.js"), str(pathlib.Path(build).resolve() / "collector"), str(directory)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, **what):
        with self.lock:
            self.child.stdin.write(json.dumps(what) + "\n")
            self.child.stdin.flush()
            line = self.child.stdout.readline()
        if not line:
            raise Refused("the engine ended: %s" % self.child.wait())
        got = json.loads(line)
        if "error" in got:
            raise Refused(got["error"])
        return got["rows"]

    def query(self, sql):
        return self.ask(sql=sql)

    def value(self, sql):
        return next(iter(self.query(sql)[0].values()))

    def insert(self, rows, sql=INSERT):
        self.ask(sql=sql, body=rows if isinstance(rows, str) else "".join(json.dumps(r) + "\n" for r in rows))

    def load_schema(self):
        for statement in statements((SHIPPED / "schema.sql").read_text()):
            self.query(statement)

    def empty(self):
        for table in ("records", "sessions", "outgoing", "alerts", "attempts"):
            self.query("TRUNCATE TABLE outergate.%s" % table)

    def shipped(self, name):
        return self.query((SHIPPED / "queries" / (name + ".sql")).read_text())

    def close(self):
        self.child.stdin.close()
        self.child.wait()


def statements(text):
    """One file's, by the semicolons that stand outside of comments."""
    bare = re.sub(r"(?m)--.*$", "", text)
    return [s.strip() for s in bare.split(";") if s.strip()]
