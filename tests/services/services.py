"""Servers of any kind in the watched namespace, clients in the outside, and what is asked of both."""
import json
import os
import subprocess
import threading

from harness import Client, Sshd, World, brief, check, the_journal
from sandbox import TMP, run, wait_for

PASSWORD = "Corr3ct-horse"
HERE = os.path.dirname(os.path.abspath(__file__))
_lock = threading.Lock()
_ports = iter(range(3000, 3400))


class Services(World):
    """The journal, an sshd to mark the time with, and one agent that watches what cases start."""

    inside = None  # one sshd there and one on loopback, whatever worlds there are

    def __init__(self, name, net, users, config=""):
        the_journal()
        super().__init__(name, net, users, config)
        self.start_common(*([] if Services.inside else ["127.0.0.1"]))
        Services.inside = Services.inside or Sshd(net, net.inside, ["10.20.0.2"])
        self.agent.start()

    def place(self):
        """An address of the outside that no other case has."""
        return self.net.address(self.outside(self.slice()))

    def end(self):
        counters = self.agent.status()["counters"]
        for name in ("records_bad", "records_lost_precious", "store_errors", "sink_errors", "lines_bad"):
            check(counters.get(name, 0) == 0, "status: %s is not 0" % name, counters)
        self.agent.stop()


def port():
    with _lock:
        return next(_ports)


def directory(name):
    """A directory of root's for one server."""
    path = "%s/%s" % (TMP, name)
    os.makedirs(path, exist_ok=True)
    return path


class Server:
    """A program in the watched namespace that listens on these ports."""

    def __init__(self, w, argv, ports, ns=None, env=None, cwd="/"):
        self.err = directory("servers") + "/%s-%s" % (os.path.basename(argv[0]), ports[0])
        self.ports = ports
        with open(self.err, "wb") as err:
            self.proc = subprocess.Popen(w.net.inside_ns(ns or w.net.srv, argv), stdin=subprocess.DEVNULL,
                                         stdout=err, stderr=err, env=env, cwd=cwd, start_new_session=True)
        wait_for(lambda: "a listener on %s: %s" % (ports, self.said()), self.listens, 20)

    def said(self):
        with open(self.err, "rb") as f:
            return f.read()[-2000:].decode("utf-8", "replace")

    def listens(self):
        check(self.proc.poll() is None, "the server ended: " + self.said())
        return all(listening(self.proc.pid, p) for p in self.ports)

    def stop(self):
        self.proc.terminate()
        try:
            self.proc.wait(5)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            self.proc.wait(5)


def listening(pid, number):
    """Somebody in that process's namespace listens there."""
    for name in ("tcp", "tcp6"):
        with open("/proc/%d/net/%s" % (pid, name)) as f:
            if any(w[1].endswith(":%04X" % number) and w[3] == "0A" for w in map(str.split, f)):
                return True
    return False


def outside(w, source, program, *argv, stdin=None, timeout=40, env=None, check_rc=None):
    """Runs a program of the outside; source is for the caller's own use."""
    del source
    p = run(w.net.inside_ns(w.net.ext, [program, *map(str, argv)]), check=False, timeout=timeout,
            input=stdin if stdin is not None else b"", env=env)
    if check_rc is not None:
        check(p.returncode == check_rc, "%s: exit %d, wanted %d" % (program, p.returncode, check_rc),
              repr(p.stdout[-600:]), repr(p.stderr[-600:]))
    return p


# Connects from an address, waits for the server to say something, and leaves.
SCAN = """import socket, sys
s = socket.create_connection((sys.argv[2], int(sys.argv[3])), 10, (sys.argv[1], 0))
s.settimeout(0.5)
try: s.recv(100)
except OSError: pass
"""


def scan(w, source, to, number):
    outside(w, source, "/usr/bin/python3", "-c", SCAN, source, to, number, check_rc=0)


def nothing_of(w, source):
    """A near miss: after a marker login came through, neither a session nor an alert of it is there."""
    w.settle()
    check(not w.agent.sessions(origin__address=source), "a session from " + source,
          w.agent.sessions(origin__address=source))
    told = w.agent.told(origin__address=source)
    check(not told, "told of %s: %s" % (source, brief(told)), told[:1])


def failures(w, number, **want):
    """auth.bruteforce counts these failures, each once whoever told of it."""
    def counts():
        return [a["count"] for a in w.agent.stored_alerts() if a["detection"] == "auth.bruteforce" and
                all(a.get(k) == v for k, v in want.items())]
    wait_for(lambda: "%d failures of %s, not %r" % (number, want, counts()), lambda: counts() == [number], 30)
    w.settle()
    check(counts() == [number], "each failure counts once", counts())


def one_session(w, source, service, account=None, **more):
    """The one session from there; it was told as an access, and says whose word its origin is."""
    want = dict(origin__address=source, service=service, **more)
    if account:
        want["account"] = account
    s = w.agent.session(**want)
    a = w.agent.alert(detection="access.external", session=s["id"])
    check(a["origin"]["address"] == source and a.get("service") == service, "what is told", a)
    return s


def client(w, source):
    return Client(w.net, source)


def vnc_client(w, source, to, number, *how, stay=False):
    argv = ["/usr/bin/python3", "-B", HERE + "/rfb_client.py", source, to, str(number), *how]
    if not stay:
        return outside(w, source, argv[0], *argv[1:])
    return subprocess.Popen(w.net.inside_ns(w.net.ext, argv), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE)


def each_has_its_own(w, source, service, people, ports, marks=True):
    """Sessions of people who came at once from one address: whose connection, whose commands."""
    for name, number in zip(people, ports):
        s = one_session(w, source, service, name, state="closed")
        check(s["origin"]["port"] == number, "whose connection", s, ports)
        if not marks:
            continue
        check(name + "-mark" in json.dumps(s["commands"]), "whose commands", s)
        check(not [o for o in people if o != name and o + "-mark" in json.dumps(s)], "and nobody else's", s)
