#!/usr/bin/env python3
"""peers.py [LINES]: the same sshd log through outergate, fail2ban, sshguard and CrowdSec: processor
time, and which of the addresses that guess they name. Needs root (their programs want it).

The log is made here: nine minutes (fail2ban looks ten back) in which addresses guess beside people
who log in, some after a slip or two, and one guess succeeds. Who is who is known."""
import collections
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from results import keep  # noqa: E402

BUILD = os.environ.get("BUILD", "build")
NAMES = ["root", "admin", "test", "oracle", "ubuntu", "git", "postgres", "pi", "deploy", "ftp"]
SPAN = 540


def make_log(path, lines, now):
    """Returns (addresses that guess five times or more, addresses of people, the one that gets in)."""
    r = random.Random(1133)
    guessers = ["45.%d.%d.%d" % (r.randrange(1, 250), r.randrange(250), r.randrange(1, 250))
                for _ in range(400)]
    people = ["81.%d.%d.%d" % (r.randrange(1, 250), r.randrange(250), r.randrange(1, 250))
              for _ in range(200)]
    rows, pid = [], 1000

    def add(at, what):
        stamp = time.strftime("%b %e %H:%M:%S", time.localtime(now - SPAN + at))
        rows.append((at, "%s web1 sshd[%d]: %s\n" % (stamp, pid, what)))
    while len(rows) < lines:
        pid = 1000 + (pid - 999) % 60000
        at, port = r.uniform(0, SPAN - 1), r.randrange(1024, 65000)
        if r.random() < 0.8:
            a, name = r.choice(guessers), r.choice(NAMES)
            if name == "root":
                add(at, "Failed password for root from %s port %d ssh2" % (a, port))
                add(at + .01, "Connection closed by authenticating user root %s port %d [preauth]" %
                    (a, port))
            else:
                add(at, "Invalid user %s from %s port %d" % (name, a, port))
                add(at + .01, "Failed password for invalid user %s from %s port %d ssh2" %
                    (name, a, port))
                add(at + .02, "Connection closed by invalid user %s %s port %d [preauth]" %
                    (name, a, port))
        else:
            a = r.choice(people)
            who = "person%d" % people.index(a)
            add(at, "Accepted publickey for %s from %s port %d ssh2: ED25519 SHA256:%s" %
                (who, a, port, "A" * 43))
            add(at + .01, "pam_unix(sshd:session): session opened for user %s(uid=1001) by (uid=0)" %
                who)
            add(at + .3, "pam_unix(sshd:session): session closed for user %s" % who)
    for a in people[:50]:  # a slip, once or twice
        for _ in range(2):
            pid, at = pid + 1, r.uniform(0, SPAN - 1)
            add(at, "Failed password for person%d from %s port %d ssh2" %
                (people.index(a), a, r.randrange(1024, 65000)))
    pid += 1
    add(SPAN - 1, "Accepted password for deploy from %s port 50000 ssh2" % guessers[7])
    rows.sort(key=lambda x: x[0])
    with open(path, "w") as f:
        f.writelines(x[1] for x in rows)
    count = collections.Counter()
    for _, line in rows:
        if "Failed password" in line:
            count[line.split(" from ")[1].split()[0]] += 1
    return {a for a in guessers if count[a] >= 5}, set(people), guessers[7], len(rows)


def used(run):
    """(what run() gives, processor seconds of the children that ended in it)."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    got = run()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return got, (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)


def outergate(log, work):
    p = subprocess.run([BUILD + "/outergate", "replay", "--source", "sshd", "--year",
                        time.strftime("%Y"), log], capture_output=True, check=True)
    named, got_in = set(), set()
    for line in p.stdout.splitlines():
        o = json.loads(line)
        a = o.get("origin", {}).get("address")
        if o["detection"].startswith("auth.") and o["detection"] != "auth.bruteforce_success" and a:
            named.add(a)
        if o["detection"] == "auth.bruteforce_success" and a:
            got_in.add(a)
    return named, got_in


def fail2ban(log, work):
    conf = work + "/f2b"
    shutil.copytree("/etc/fail2ban", conf)
    for leftover in os.listdir(conf + "/jail.d"):
        os.unlink(conf + "/jail.d/" + leftover)
    with open(conf + "/jail.local", "w") as f:
        f.write("[DEFAULT]\nbackend = polling\nbanaction = none\naction =\nusedns = no\n"
                "[sshd]\nenabled = true\nlogpath = %s\n" % log)
    with open(conf + "/fail2ban.local", "w") as f:
        f.write("[Definition]\ndbfile = None\nlogtarget = %s/f2b.log\nsocket = %s/f2b.sock\n"
                "pidfile = %s/f2b.pid\n" % (work, work, work))
    server = subprocess.Popen(["fail2ban-server", "-f", "-c", conf, "-s", work + "/f2b.sock", "-p",
                               work + "/f2b.pid", "start"], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    last, same = None, 0
    for _ in range(600):
        time.sleep(1)
        p = subprocess.run(["fail2ban-client", "-s", work + "/f2b.sock", "status", "sshd"],
                           capture_output=True, text=True)
        same = same + 1 if p.stdout == last and "Total failed:\t0" not in last and last else 0
        last = p.stdout
        if same >= 8:
            break
    server.terminate()
    server.wait(20)
    named = set(last.split("Banned IP list:")[-1].split()) if last else set()
    return named, set()


def sshguard(log, work):
    # Its blocker goes by the time of arrival; danger 10 for a guess, blocked at 30.
    p = subprocess.run("/usr/libexec/sshguard/sshg-parser <%s | "
                       "/usr/libexec/sshguard/sshg-blocker -a 30 -p 7200 -s 1800 -N 128 -n 32" % log,
                       shell=True, capture_output=True, text=True)
    return {x.split()[1] for x in p.stdout.splitlines() if x.startswith("block ")}, set()


def crowdsec(log, work):
    conf = work + "/crowdsec"
    shutil.copytree("/etc/crowdsec", conf, symlinks=True)
    with open(conf + "/config.yaml") as f:
        text = f.read()
    text = text.replace("/etc/crowdsec/", conf + "/").replace("/var/lib/crowdsec/data/crowdsec.db",
                                                              work + "/crowdsec.db")
    text = text.replace("/var/log/", work + "/").replace("/var/run/crowdsec.pid", work + "/cs.pid")
    keep_lines, drop = [], False
    for line in text.splitlines():
        if line.strip().startswith("online_client:"):
            drop = True
            continue
        if drop and line.strip().startswith("credentials_path:"):
            drop = False
            continue
        keep_lines.append(line.replace("127.0.0.1:8080", "127.0.0.1:18080")
                          .replace("listen_port: 6060", "listen_port: 16060"))
    with open(conf + "/config.yaml", "w") as f:
        f.write("\n".join(keep_lines) + "\n")
    with open(conf + "/config.yaml.local", "w") as f:
        f.write("{}\n")
    with open(conf + "/local_api_credentials.yaml", "w") as f:
        f.write("url: http://127.0.0.1:18080\n")
    subprocess.run(["cscli", "-c", conf + "/config.yaml", "machines", "add", "bench", "--auto", "-f",
                    conf + "/local_api_credentials.yaml", "--force", "-u", "http://127.0.0.1:18080"],
                   check=True, capture_output=True)
    with open(work + "/cs.out", "wb") as out:
        p = subprocess.Popen(["crowdsec", "-c", conf + "/config.yaml", "-dsn", "file://" + log,
                              "-type", "syslog"], stdout=out, stderr=out)
    # It should end with the log; when it stays, it is ended once it is idle.
    idle, last, until = 0, -1, time.monotonic() + 900
    while p.poll() is None and idle < 10 and time.monotonic() < until:
        time.sleep(1)
        with open("/proc/%d/schedstat" % p.pid) as f:
            now = int(f.read().split()[0])
        idle = idle + 1 if now - last < 20e6 else 0
        last = now
    p.kill()
    p.wait()
    q = subprocess.run(["sqlite3", work + "/crowdsec.db", "select distinct value from decisions"],
                       capture_output=True, text=True)
    if not q.stdout:
        print(open(work + "/cs.out").read()[-1500:])
    return set(q.stdout.split()), set()


def version(argv):
    p = subprocess.run(argv, capture_output=True, text=True)
    return (p.stdout + p.stderr).strip().splitlines()


def main():
    lines = int(sys.argv[1]) if len(sys.argv) > 1 else 200000
    rows, speed = [], {}
    with tempfile.TemporaryDirectory() as work:
        log = work + "/auth.log"
        for name, run in (("outergate", outergate), ("sshguard 2.4.2", sshguard),
                          ("CrowdSec 1.4.6", crowdsec), ("fail2ban 1.0.2", fail2ban)):
            guess, people, thief, count = make_log(log, lines, time.time())
            (named, got_in), cpu = used(lambda: run(log, work))
            speed[name] = count / cpu
            print(name, "%.2f s" % cpu, len(named), flush=True)
            rows.append([name, "%.2f s" % cpu, "%.0f" % speed[name],
                         "%.4f" % (speed[name] / speed["outergate"]),
                         "%d of %d" % (len(named & guess), len(guess)),
                         "%d" % len(named & people), "yes" if thief in got_in else "no"])
    keep("peers", "An sshd log of %d lines, the same for each: people, guesses, one that succeeds" %
         count, ["by", "processor time", "lines a second and core", "of outergate's",
                 "guessing addresses named", "people named", "the login after guesses told"], rows,
         ["Start and loading of each are in its time. Defaults of Debian 12's packages; "
          "fail2ban blocks at 5 guesses in 10 minutes, sshguard at 3, CrowdSec at 5 in a minute, "
          "outergate tells of 10 and of 5 that end in a login (`outergate config`)."])


main()
