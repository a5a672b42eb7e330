"""The agent under a mixed load: samples to a CSV, and a verdict of each measure (verdict.py)."""
import csv
import json
import os
import re
import statistics
import subprocess
import sys
import threading
import time
from datetime import datetime, timezone

import sandbox
from harness import AGENT, Agent, Users, the_journal
from load import Load
from sandbox import Net, wait_for
from verdict import FLAT, judge, text_of

SECONDS = int(os.environ.get("SOAK_SECONDS") or float(os.environ.get("SOAK_HOURS") or 8) * 3600)
EVERY = 10 if SECONDS >= 600 else max(1, SECONDS // 40)
OUT = os.path.abspath(os.environ.get("SOAK_OUT") or os.environ.get("BUILD", "build") + "/soak")
CONFIG = """Retention: {MaxBytes: 16MiB, OutboxMaxBytes: 16MiB}
Forwarders:
  - {name: sink, kind: syslog, url: "tcp://127.0.0.1:%d", schema: outergate, send: [alerts, sessions]}
"""


class Told:
    """The agent's stdout, line by line, with how old each alert was when it came."""

    def __init__(self, pipe):
        self.pipe, self.lock, self.ages, self.alerts = pipe, threading.Lock(), [], 0
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.pipe:
            now = time.time()
            try:
                a = json.loads(line)
            except ValueError:
                continue
            self.alerts += 1
            # A session's own alert, told when its login is: its time is the login's.
            if a.get("detection") == "access.external" and a.get("service") == "ssh" and \
                    a.get("revision") == 1:
                then = datetime.fromisoformat(re.sub(r"(\.\d{6})\d*Z", r"\1+00:00",
                                                     a["time"]).replace("Z", "+00:00"))
                with self.lock:
                    self.ages.append((now - then.timestamp()) * 1000)

    def taken(self):
        with self.lock:
            ages, self.ages = self.ages, []
        return ages


def start(agent):
    agent.starts = 1
    agent.err = agent.dir + "/stderr-1"
    with open(agent.err, "wb") as err:
        agent.proc = subprocess.Popen([AGENT, "run", "--config", agent.config],
                                      stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=err)
    wait_for(lambda: "agent ready; stderr: " + agent.stderr(), agent.ready, 90)
    return Told(agent.proc.stdout)


def role(pid, agent):
    with open("/proc/%d/cmdline" % pid, "rb") as f:
        words = f.read().split(b"\0")
    if b"outergate-forward" in words[0]:
        return "forward"
    return "parent" if pid == agent.proc.pid else "engine"


def of_process(pid):
    """(resident KiB, of which its own, descriptors, switches that it waited in, ticks)"""
    with open("/proc/%d/status" % pid) as f:
        status = dict(line.split(":", 1) for line in f)
    with open("/proc/%d/stat" % pid) as f:
        stat = f.read().rpartition(")")[2].split()
    return (int(status["VmRSS"].split()[0]), int(status["RssAnon"].split()[0]), len(os.listdir("/proc/%d/fd" % pid)),
            int(status["voluntary_ctxt_switches"]), int(stat[11]) + int(stat[12]))


def kernel_kib(pids):
    """Memory of the maps and programs that these processes hold, each once: what bpftool shows."""
    seen = {}
    for pid in pids:
        for fd in os.listdir("/proc/%d/fdinfo" % pid):
            try:
                with open("/proc/%d/fdinfo/%s" % (pid, fd)) as f:
                    text = f.read()
            except OSError:
                continue
            kind = re.search(r"^(map|prog)_id:\s*(\d+)", text, re.M)
            size = re.search(r"^memlock:\s*(\d+)", text, re.M)
            if kind and size:
                seen[kind.groups()] = int(size.group(1))
    return [sum(v for (k, _), v in seen.items() if k == kind) // 1024 for kind in ("map", "prog")]


def sample(agent, told, load, before, started):
    now, pids = time.monotonic(), agent.family()
    row = {"t": round(now - started, 1), "processes": len(pids), "anon_total": 0}
    for who in ("parent", "engine", "forward"):
        row["rss_" + who], row["fds_" + who] = 0, 0
    switches = ticks = 0
    for pid in pids:
        try:
            rss, own, fds, waited, used = of_process(pid)
            who = role(pid, agent)
        except (OSError, KeyError):
            continue  # a helper that has ended meanwhile
        row["rss_" + who] += rss
        row["anon_total"] += own
        row["fds_" + who] += fds
        switches, ticks = switches + waited, ticks + used
    row["rss_total"] = row["rss_parent"] + row["rss_engine"] + row["rss_forward"]
    row["map_kib"], row["prog_kib"] = kernel_kib([agent.proc.pid])
    span = now - before["at"] if before else 0
    row["wakeups_s"] = round((switches - before["switches"]) / span, 1) if span else ""
    row["cpu_percent"] = round((ticks - before["ticks"]) / span, 2) if span else ""
    ages = sorted(told.taken())
    row["latency_ms"] = round(statistics.median(ages), 1) if ages else ""
    row["latency_max_ms"] = round(ages[-1], 1) if ages else ""
    status = agent.status()
    counters = status["counters"]
    for name in ("events", "lines_read", "records_read", "records_lost_precious", "records_lost_bulk",
                 "records_bad", "store_errors", "sink_errors", "sessions_refused", "alerts_fired",
                 "sources_evicted", "alerts_refused", "forward_dropped"):
        row[name] = counters[name]
    row["live_sessions"] = status["sessions"]["live"]
    row["waiting"] = status["forwarders"][0]["waiting"]
    row["delivered"] = status["forwarders"][0]["delivered"]
    row["store_kib"] = sum(os.path.getsize(agent.store + x) for x in ("", "-wal")
                           if os.path.exists(agent.store + x)) // 1024
    row.update(load.counts)
    return row, {"at": now, "switches": switches, "ticks": ticks}


def soak():
    net, users = Net(), Users()
    os.makedirs("/etc/systemd/journald.conf.d", exist_ok=True)
    with open("/etc/systemd/journald.conf.d/soak.conf", "w") as f:
        f.write("[Journal]\nRuntimeMaxUse=32M\nRuntimeMaxFileSize=4M\n")
    the_journal()
    log = sandbox.TMP + "/mail.log"
    load = Load(net, users, log)
    agent = Agent("soak", CONFIG % load.sink.port, files=[log])
    told = start(agent)
    load.fill()
    wait_for("the tables are full", lambda: agent.status()["counters"]["lines_read"] > 70000, 300, 1)
    load.start()
    rows, before, started = [], None, time.monotonic()
    with open(OUT + "/samples.csv", "w", newline="") as f:
        writer = None
        while time.monotonic() - started < SECONDS:
            time.sleep(EVERY)
            row, before = sample(agent, told, load, before, started)
            rows.append(row)
            if not writer:
                writer = csv.DictWriter(f, list(row))
                writer.writeheader()
            writer.writerow(row)
            f.flush()
    load.stop()
    facts = {"seconds": SECONDS, "every": EVERY, "kernel": os.uname().release,
             "when": datetime.now(timezone.utc).isoformat(timespec="seconds"),
             "sink_got": load.sink.got, "alerts_told": told.alerts, "stderr": agent.stderr()[-2000:]}
    agent.stop()
    verify = agent.cli("verify", "--store", agent.store, check_rc=None)
    facts["verify"] = (verify.stdout + verify.stderr).decode("utf-8", "replace").strip()
    facts["verify_exit"] = verify.returncode
    return rows, facts


def main():
    os.makedirs(OUT, exist_ok=True)
    sandbox.become_reaper()
    try:
        sandbox.private_mounts()
        rows, facts = soak()
    finally:
        sandbox.destroy()
    verdicts = judge(rows, facts)
    with open(OUT + "/summary.json", "w") as f:
        json.dump({"facts": facts, "verdicts": verdicts}, f, indent=1)
    text = text_of(rows, facts, verdicts)
    with open(OUT + "/summary.txt", "w") as f:
        f.write(text)
    print(text)
    failed = [v for v in verdicts if not v["good"]]
    print("%d passed, %d failed" % (len(verdicts) - len(failed), len(failed)))
    return 1 if failed or len(verdicts) < len(FLAT) else 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)
