"""What an attempt to come in unseen says of itself, and the world in which it is made.

A case that is declared with @attempt asserts its verdict: that of `not` asserts that nothing is told, so that a
version which learns to see it must say so here. table.py makes docs/EVASION.md of these and of elsewhere.py."""
import collections
import importlib
import os
import subprocess
import sys

import cases as registry
from harness import Client, check
from sandbox import TMP, run
from services import Services

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = "/usr/bin/python3"
PASSWORD = "Corr3ct-horse"
CAUGHT, LESS, NOT = "caught", "caught with less detail", "not"

LOG, SERVER, PROCESSES, SOCKETS, SLOW, AGENT, HANDED, CROWDS = GROUPS = (
    "The log and the way sshd is set up", "Another server, another port, no login", "Processes of a session",
    "Sockets", "Slow and spread guessing", "The agent itself", "What is handed to others or left behind",
    "Crowds and forgeries")

Row = collections.namedtuple("Row", "group attempt told verdict limit cases")
rows = []


def attempt(group, text, told, verdict=CAUGHT, limit="", alone=False):
    """limit: what is not told, and the fact that forbids it; needed where the verdict is not `caught`."""
    def add(f):
        rows.append(Row(group, text, told, verdict, limit, (f.__name__,)))
        return registry.case("evasion", alone)(f)
    return add


def borrow(name):
    """A module of another suite for its helpers: its cases stay where they are."""
    kept = list(registry.cases)
    module = importlib.import_module(name)
    registry.cases[:] = kept
    return module


@registry.world("evasion")
def evasion(net, users):
    return Services("evasion", net, users)


def program(name):
    """The path of a script of this folder."""
    return os.path.join(HERE, name)


def given(account, name):
    """A script of this folder in the home of an account, whose sessions may not read the tree."""
    to = "/home/%s/%s" % (account, name)
    run(["install", "-o", account, "-m", "0755", program(name), to])
    return to


def started(w, ns, *argv, wait=b"ready\n"):
    """A program in a namespace, in no session; its first line says that it is ready."""
    p = subprocess.Popen(w.net.inside_ns(ns, list(map(str, argv))), stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
                         env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
    line = p.stdout.readline()
    check(line == wait, "%s: %r" % (argv[0], line), p.stderr.read().decode() if line != wait else "")
    return p


def ended(*processes):
    for p in processes:
        p.kill()
        p.wait(30)


# Says each line after a pause, prints what came.
TALK = """import socket, sys, time
kind = socket.SOCK_DGRAM if sys.argv[4] == 'udp' else socket.SOCK_STREAM
c = socket.socket(socket.AF_INET, kind); c.bind((sys.argv[1], 0)); c.settimeout(10)
c.connect((sys.argv[2], int(sys.argv[3]))); c.settimeout(0.3); got = b''
def hear():
    try:
        while True:
            d = c.recv(65536)
            if not d: return
            yield d
    except OSError: pass
for line in sys.argv[5:]:
    wait, _, words = line.partition(':')
    time.sleep(float(wait))
    try: c.sendall(words.encode() + b'\\n')
    except OSError: break
    got += b''.join(hear())
got += b''.join(hear())
sys.stdout.buffer.write(got)"""


def talk(w, source, to, port, *lines, kind="tcp"):
    p = run(w.net.inside_ns(w.net.ext, [sys.executable, "-c", TALK, source, to, str(port), kind, *lines]),
            check=False, timeout=60)
    return p.stdout


def root_session(w, stem):
    """An account that may sudo: (name, source, function that runs a command as root in a session)."""
    name, key = w.users.add(stem, key=True)
    with open("/etc/sudoers.d/og-" + name, "w") as f:
        f.write("%s ALL=(ALL) NOPASSWD: ALL\n" % name)
    os.chmod(f.name, 0o440)
    source = w.place()

    def as_root(command):
        return Client(w.net, source).ssh(name, w.server, "sudo -n " + command, key=key, check_rc=0)
    return name, source, as_root


def ran(s, mark):
    return [c for c in s["commands"] if mark in c["text"].split()]


def session_ran(w, mark, **want):
    """The session in which a program with that word among its arguments was seen."""
    return w.agent.session(test=lambda s: ran(s, mark), **want)


def copied(binary, name):
    """A server's program under another name, as root would leave it."""
    at = "%s/%s" % (TMP, name)
    if not os.path.exists(at):
        run(["install", "-m", "0755", binary, at])
    return at


def told_of(w, source):
    return [a for a in w.agent.told() if a.get("origin", {}).get("address") == source]

