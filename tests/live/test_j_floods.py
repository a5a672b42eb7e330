"""Crowds that must not hide one login: idle connections, listen() loops, storms of programs."""
import json
import os
import subprocess
import sys

from cases import case
from harness import Client, Sshd, check
from sandbox import TMP, wait_for
from test_c_main_job import ONWARD, PASSWORD, onward_key, place

CROWD = 70000
SOURCES = 4  # 28,000 ports each

PARTS = 5  # processes on each side; the limit of open files is often 20,000

# accept and keep all; the peer's address is asked for, as every server does
HOLD = """import os, resource, socket, sys
open('/proc/self/comm', 'w').write(sys.argv[5])
n = int(sys.argv[3]); resource.setrlimit(resource.RLIMIT_NOFILE, (n + 100, n + 100))
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind((sys.argv[1], int(sys.argv[2]))); s.listen(4096); kept = []
print('ready', flush=True)
for i in range(int(sys.argv[4]) - 1):
    if os.fork() == 0: break
while len(kept) < n: kept.append(s.accept()[0])
os.write(1, b'f'); s.close(); sys.stdin.read()"""

COME = """import os, resource, socket, sys
to, n, kept = (sys.argv[1], int(sys.argv[2])), int(sys.argv[3]), []
resource.setrlimit(resource.RLIMIT_NOFILE, (n + 100, n + 100)); sources = sys.argv[5:]
for i in range(int(sys.argv[4]) - 1):
    if os.fork() == 0: break
for i in range(n):
    s = socket.socket(); s.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
    s.bind((sources[i % len(sources)], 0)); s.connect(to); kept.append(s)
os.write(1, b'k'); sys.stdin.read()"""

# both go on for as long as the file is there
LISTEN_LOOP = """import os, socket, sys
i = 0
while i < 20000 or os.path.exists(sys.argv[1]):
    s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); s.close(); i += 1
"""

EXEC_STORM = "i=0; while [ $i -lt 5000 ] || [ -e $0 ]; do /bin/true; i=$((i + 1)); done"


def resident(w):
    """KiB of all of the agent's processes."""
    total = 0
    for pid in w.agent.family():
        with open("/proc/%d/status" % pid) as f:
            total += int(next(x for x in f if x.startswith("VmRSS:")).split()[1])
    return total


def lost(w):
    counters = w.agent.status()["counters"]
    return {k: v for k, v in counters.items() if v and ("lost_precious" in k or "map_full_sess" in k)}


def one_login(w, stem, port=22, tries=1):
    """By password, a command, onward to the inside host: all of it is told."""
    name, _ = w.users.add(stem)
    deploy, _ = w.users.add(stem + "dep")
    w.users.authorize(onward_key(w, name), deploy)
    source = place(w)
    c = Client(w.net, source)
    for left in reversed(range(tries)):  # MaxStartups refuses at random
        p = c.ssh(name, w.server, "/bin/echo crowd-mark; ssh %s %s@10.20.0.2 id" %
                  (ONWARD, deploy), password=PASSWORD, port=port, check_rc=None if left else 0)
        if p.returncode == 0:
            break
    s = w.agent.session(account=name, timeout=30, test=lambda s: s["destinations"] and
                        "crowd-mark" in json.dumps(s["commands"]))
    check(s["origin"]["address"] == source and s["method"] == "password", "who and how", s)
    check(s["destinations"][0]["address"] == "10.20.0.2", "where it went", s)
    w.agent.session(account=name, timeout=30, state="closed")
    w.agent.alert(detection="access.external", account=name, timeout=30)
    check(not lost(w), "nothing precious was lost", lost(w))
    counters = w.agent.status()["counters"]
    check("records_lost_precious" in counters and "records_lost_bulk" in counters,
          "losses are counted by kind", counters)


def spawn(w, ns, *argv):
    return subprocess.Popen(w.net.inside_ns(ns, argv), stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE)


def crowd(w, address, port, name, sources):
    count = (str(CROWD // PARTS), str(PARTS))
    hold = spawn(w, w.net.srv, sys.executable, "-c", HOLD, address, str(port), *count,
                 name)
    check(hold.stdout.readline() == b"ready\n", "the listener")
    come = spawn(w, w.net.ext, sys.executable, "-c", COME, address, str(port), *count, *sources)
    check(hold.stdout.read(PARTS) == b"f" * PARTS, "all of them were accepted")
    return hold, come


@case("journal", alone=True)
def a_login_among_70000_idle_connections(w):
    """On a port nobody watches, then on one that is watched: each connection is reported."""
    sources = [w.net.address("198.19.77.%d" % (i + 1)) for i in range(SOURCES)]
    one_login(w, "crowdcalm")
    before = resident(w)
    # What a daemon called sshd listens on is watched.
    for port, daemon, stem in ((4895, "httpd", "crowdidle"), (4896, "sshd", "crowdseen")):
        hold, come = crowd(w, "192.0.2.251", port, daemon, sources)
        one_login(w, stem)
        w.agent.cli("exposure", "--config", w.agent.config)  # 140,000 sockets: still looked at
        grown = resident(w) - before
        check(grown < 4096, "the agent grew by %d KiB" % grown)
        for p in (come, hold):
            p.stdin.close()  # each part waits for this
            p.wait(20)
    one_login(w, "crowdafter")
    grown = resident(w) - before
    check(grown < 4096, "the agent grew by %d KiB" % grown)


@case("journal", alone=True)
def a_login_in_a_storm(w):
    """A user who listens in a loop, and a host that starts thousands of programs."""
    name, _ = w.users.add("storm")
    before = resident(w)
    flag = TMP + "/storm-goes-on"
    open(flag, "w").close()
    loop = spawn(w, w.net.srv, "setpriv", "--reuid", name, "--clear-groups", sys.executable, "-c",
                 LISTEN_LOOP, flag)
    storm = spawn(w, w.net.srv, "/bin/sh", "-c", EXEC_STORM, flag)
    one_login(w, "instorm")
    check(loop.poll() is None and storm.poll() is None, "they went on all the while")
    os.unlink(flag)
    for p in (loop, storm):
        check(p.wait(240) == 0, "it came to its end")
    one_login(w, "poststorm")
    grown = resident(w) - before
    check(grown < 4096, "the agent grew by %d KiB" % grown)
    wait_for("the agent to answer", w.agent.status)


@case("journal", alone=True)
def a_login_at_a_crowded_sshd(w):
    """Idle connections at a plain port, and at sshd's as many as MaxStartups lets stay."""
    sources = [w.net.address("198.19.78.%d" % (i + 1)) for i in range(200)]
    sshd = Sshd(w.net, w.net.srv, [w.server], port=2340, MaxStartups="100:90:400")
    one_login(w, "sshdcalm", 2340)
    before = resident(w)
    hold, come = crowd(w, "192.0.2.251", 4897, "httpd", sources[:SOURCES])
    knock = spawn(w, w.net.ext, sys.executable, "-c", COME, w.server, "2340", "600",
                  str(PARTS), *sources)
    check(knock.stdout.read(PARTS) == b"k" * PARTS, "all of them came")
    with open("/proc/%d/task/%d/children" % (sshd.proc.pid, sshd.proc.pid)) as f:
        stay = len(f.read().split())
    check(100 <= stay <= 400, "%d of 3,000 stay at sshd" % stay)
    one_login(w, "sshdfull", 2340, tries=200)
    grown = resident(w) - before
    check(grown < 4096, "the agent grew by %d KiB" % grown)
    for p in (knock, come, hold):
        p.stdin.close()
        p.wait(20)
    one_login(w, "sshdafter", 2340, tries=200)
    grown = resident(w) - before
    check(grown < 4096, "the agent grew by %d KiB" % grown)
    sshd.stop()
