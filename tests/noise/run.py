"""Runs the budgets of run.sh; see there."""
import collections
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

import life

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "golden"
BINARY = pathlib.Path(sys.argv[1]).resolve() / "outergate"
SEEDS = int(os.environ.get("OUTERGATE_NOISE_SEEDS", "2"))
RANKS = ["info", "low", "medium", "high", "critical"]
DAY = 86400


def replay(host, year, atlas=None, config=""):
    """A log says neither year nor zone: the zone is that of its first line, as an operator would
    say, and where clocks change in it the rest is an hour off."""
    first = life.datetime.datetime.fromtimestamp(min(host.lines)[0], life.ZONE)
    zone = "+%02d:00" % (first.utcoffset().seconds // 3600)
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, "auth.log")
        host.write(log)
        args = atlas.write(folder) if atlas else []
        if config:
            args += ["--config", os.path.join(folder, "yaml")]
            pathlib.Path(args[-1]).write_text(config)
        done = subprocess.run([BINARY, "replay", "--alerts", "--year", str(year), "--tz",
                               zone, *args, log], capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.decode())
    return [json.loads(line) for line in done.stdout.splitlines()]


def loud(alerts):
    return [a for a in alerts if RANKS.index(a["severity"]) >= RANKS.index("medium")]


def brief(alerts):
    return ["%s %s %s: %s" % (a["time"], a["severity"], a["detection"], a["sentence"])
            for a in alerts[:8]]


def day_of_noise(seed):
    host = life.Host(random.Random(seed))
    atlas = life.Atlas(random.Random(seed))
    start = life.local(2024, 5, 14, 2)  # midnight UTC: one day of digests
    life.internet_noise(host, start)
    life.ordinary_logins(host, start)
    alerts = replay(host, 2024, atlas)
    digest = [a for a in alerts if a["detection"] == "auth.noise"]
    logins = sum(a["count"] for a in alerts if a["detection"] == "access.external")
    wrong = brief(loud(alerts))
    if not 1 <= len(digest) <= 2:
        wrong.append("%d lines of digest" % len(digest))
    if logins != 20:
        wrong.append("%d logins were told" % logins)
    return wrong


def weeks(alerts, start):
    count = collections.Counter()
    for a in loud(alerts):
        at = life.datetime.datetime.fromisoformat(a["time"].replace("Z", "+00:00")).timestamp()
        count[int((at - start) // (7 * DAY))] += 1
    return count


def month_of_life(seed):
    """In March and October, since clocks change then; with the noise of some days."""
    wrong = []
    for month, first in ((3, 8), (10, 7)):
        host = life.Host(random.Random(seed * 100 + month))
        m = life.Month(host, 2024, month, first)
        m.live()
        for day in (2, 3, 17):
            life.internet_noise(host, m.day(day)[0], 3000, 300)
        alerts = replay(host, 2024, m.atlas, f"VPNPools: [{m.nat}]\n")
        for week, n in weeks(alerts, m.start).items():
            if n > 1:
                wrong.append("month %d, week %d: %d of medium or above" % (month, week, n))
        if wrong:
            wrong += brief(loud(alerts))
    return wrong


# What an operator of such a host says: where it leads, and which accounts are machines.
BASTION = """
ExpectedOnward:
  - {from: "*", to: 10.20.0.0/16, service: ssh}
ExpectedAutomation: [ansible, ci, backup]
"""


def month_of_sessions(seed):
    sessions = life.Sessions(random.Random(seed))
    sessions.bastion()
    with tempfile.TemporaryDirectory() as d:
        events, records, config = (pathlib.Path(d) / n for n in ("events", "rec", "yaml"))
        events.write_text("\n".join(sessions.lines) + "\n")
        config.write_text(BASTION)
        subprocess.run([sys.executable, GOLDEN / "records.py", events, records], check=True)
        done = subprocess.run([BINARY, "replay", "--alerts", "--config", config, records],
                              capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.decode())
    alerts = [json.loads(line) for line in done.stdout.splitlines()]
    wrong = ["week %d: %d of medium or above" % (week, n)
             for week, n in weeks(alerts, 1767225600).items() if n > 1]
    logins = sum(a["count"] for a in alerts if a["detection"] == "access.external")
    if logins != sessions.cookie:
        wrong.append("%d logins, %d were told" % (sessions.cookie, logins))
    return wrong + (brief(loud(alerts)) if wrong else [])


def attacks_are_told(seed):
    """Each alone in a day of noise and life."""
    wrong = []
    for i, attack in enumerate(life.ATTACKS):
        host = life.Host(random.Random(seed * 1000 + i))
        start = life.local(2024, 5, 14, 2)
        life.internet_noise(host, start, 1500, 200)
        life.ordinary_logins(host, start)
        detection, severity, origin, reason = attack(host, start + host.dice.uniform(0, 40000))
        told = [a for a in replay(host, 2024)
                if a["detection"] == detection and a["severity"] == severity and
                origin in (a.get("account"), a.get("origin", {}).get("address")) and
                (reason is None or a.get("reason") == reason)]
        if len(told) != 1:
            wrong.append("%s: told %d times" % (attack.__name__, len(told)))
    return wrong


def main():
    failed = passed = 0
    for check in (day_of_noise, month_of_life, month_of_sessions, attacks_are_told):
        for seed in range(1, SEEDS + 1):
            wrong = check(seed)
            failed, passed = failed + bool(wrong), passed + (not wrong)
            for line in wrong:
                print("-- %s, seed %d: %s" % (check.__name__, seed, line))
    print("%d passed, %d failed" % (passed, failed))
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
