"""The load of the soak: everything here runs at idle priority; the agent does not."""
import os
import random
import socket
import subprocess
import sys
import threading
import time

from harness import RAWSSH, Client, Sshd
from sandbox import run

IDLE = ["chrt", "-i", "0"]
SERVER = "192.0.2.249"
STRANGERS = "185.%d.%d.%d"  # all of 185.0.0.0/8 is the outside's
SOURCES = 70000  # more than the table of sources has rows, so that it is full from the beginning

# Accepts on a port that is watched, because of the name; asks for the peer, as every server does.
ANSWER = """import socket, sys
open('/proc/self/comm', 'w').write('sshd')
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind((sys.argv[1], 2299)); s.listen(512); print('ready', flush=True)
while True: s.accept()[0].close()"""

# Connections from as many addresses as there are, some fifty a second.
KNOCK = """import random, socket, sys, time
r = random.Random(7)
while True:
    for i in range(25):
        s = socket.socket(); s.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
        s.bind(('185.%d.%d.%d' % (r.randrange(1, 250), r.randrange(256), r.randrange(1, 255)), 0))
        s.connect((sys.argv[1], 2299)); s.close()
    time.sleep(0.5)"""

STORM = "i=0; while [ $i -lt 300 ]; do /bin/true; i=$((i + 1)); done"
HOSTILE = [b"root", b"admin", b"ubuntu", b"x from 1.2.3.4 port 22 ssh2", b"\xff\xfe", b"a" * 200,
           b"new\nline", b"\x1b[2J", b"'; DROP TABLE alerts;--", b'{"a":"b"}']


def stranger(i):
    return STRANGERS % (1 + i % 249, i // 249 % 256, 1 + i // (249 * 256) % 254)


class Sink:
    """A collector of syslog over TCP that is away now and then, and slow when it is back."""

    def __init__(self):
        self.got, self.up = 0, False
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]

    def serve(self, seconds, end):
        """For so long; then everything is closed."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(8)
        listener.settimeout(0.5)
        until, held, self.up = time.monotonic() + seconds, None, True
        while time.monotonic() < until and not end.is_set():
            try:
                if held is None:
                    held = listener.accept()[0]
                    held.settimeout(0.5)
                data = held.recv(65536)
                if not data:
                    held = None
                self.got += len(data)
            except socket.timeout:
                pass
            except OSError:
                held = None
        self.up = False
        if held:
            held.close()
        listener.close()


class Load:
    def __init__(self, net, users, log):
        self.net, self.users, self.log = net, users, log
        self.end = threading.Event()
        self.sink = Sink()
        self.counts = {"logins": 0, "logins_refused": 0, "guesses": 0, "lines": 0,
                       "rotations": 0, "storms": 0, "sink_stops": 0}
        self.random = random.Random(42)
        net.ip(net.srv, "route add 185.0.0.0/8 dev s0")
        # Every address of the block is the outside's own, without naming one.
        net.ip(net.ext, "route add local 185.0.0.0/8 dev lo")
        self.accounts = [users.add("soak%d" % i, key=True) for i in range(4)]
        self.sshd = Sshd(net, net.srv, [SERVER], MaxAuthTries=20)
        os.sched_setscheduler(self.sshd.proc.pid, os.SCHED_IDLE, os.sched_param(0))
        open(log, "w").close()
        os.chmod(log, 0o644)

    def spawn(self, argv, **kw):
        kw.setdefault("stdout", subprocess.DEVNULL)
        return subprocess.Popen(IDLE + argv, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **kw)

    def python(self, ns, text, *argv, **kw):
        return self.spawn(self.net.inside_ns(ns, [sys.executable, "-c", text, *argv]), **kw)

    # --- one thread each

    def failing(self):
        while not self.end.wait(2):
            source = stranger(self.random.randrange(SOURCES))
            user = self.random.choice(HOSTILE)
            self.spawn(self.net.inside_ns(self.net.ext, [
                sys.executable, "-B", RAWSSH, SERVER, "22", source, user.hex(), "wr0ng", "3"])).wait()
            self.counts["guesses"] += 3

    def succeeding(self):
        n = 0
        while not self.end.wait(4):
            n += 1
            name, key = self.accounts[n % len(self.accounts)]
            c = Client(self.net, None)
            c.source = "185.250.%d.%d" % (n % 250, 1 + n // 250 % 250)
            command = "/bin/echo soak; /bin/ls >/dev/null; sleep %d" % (0 if n % 8 else 45)
            p = self.spawn(c.argv("ssh", ["-l", name, SERVER, command], key=key))
            self.counts["logins"] += 1
            if n % 8 and p.wait():
                self.counts["logins_refused"] += 1

    def programs(self):
        while not self.end.wait(15):
            self.spawn(["/bin/sh", "-c", STORM]).wait()
            self.counts["storms"] += 1

    def line(self, f, i, word="Disconnected (auth failed, 1 attempts in 2 secs)", account=None):
        """One of a mail server."""
        f.write("%s mail dovecot: imap-login: %s: user=<%s>, method=PLAIN, rip=%s, lip=192.0.2.1, "
                "TLS, session=<s%d>\n" % (time.strftime("%b %e %H:%M:%S"), word, account or
                                          "m%d" % (i % 5000), stranger(i % SOURCES),
                                          self.counts["lines"]))
        self.counts["lines"] += 1

    def lines(self):
        """Mail servers' failed logins by the second, into a file that is rotated in every way."""
        f, i, way = open(self.log, "a"), 0, 0
        rotated = time.monotonic()
        while not self.end.wait(1):
            for _ in range(20):
                self.line(f, i)
                i += 997
            self.line(f, i % 40, "Login", "box%d" % (i % 40))
            f.flush()
            if time.monotonic() - rotated > 45:
                rotated, way = time.monotonic(), way + 1
                if way % 2:
                    os.rename(self.log, self.log + ".1")
                    f.close()
                    f = open(self.log, "a")
                    os.chmod(self.log, 0o644)
                else:
                    f.close()
                    run(["cp", self.log, self.log + ".2"])
                    os.truncate(self.log, 0)
                    f = open(self.log, "a")
                self.counts["rotations"] += 1

    def collector(self):
        while not self.end.is_set():
            self.sink.serve(150, self.end)
            self.counts["sink_stops"] += 1
            self.end.wait(30)

    def fill(self):
        """Every table as full as it gets, so that growth afterwards is growth."""
        with open(self.log, "a") as f:
            for i in range(SOURCES):
                self.line(f, i)
            for i in range(200):
                self.line(f, i, "Login", "box%d" % i)

    def start(self):
        self.answer = self.python(self.net.srv, ANSWER, SERVER, stdout=subprocess.PIPE)
        assert self.answer.stdout.readline() == b"ready\n"
        self.python(self.net.ext, KNOCK, SERVER)
        for job in (self.failing, self.succeeding, self.programs, self.lines, self.collector):
            threading.Thread(target=job, daemon=True).start()

    def stop(self):
        self.end.set()
