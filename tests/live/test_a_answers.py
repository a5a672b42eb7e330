"""What a server answers that nobody watches: looked at for seconds, in its own cgroup alone.

The first world of a run (so nothing here imports another test): what listens elsewhere would have the
agent attach above."""
import contextlib
import ctypes
import os
import platform
import subprocess

from cases import case, world
from harness import Client, Sshd, World, brief, check, the_journal
from sandbox import Skip, run, wait_for
from systemd import cgroup2

ID = "access.protocol_mismatch"
HTTP = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
BPF_PROG_QUERY = 16
BPF_SYSCALL = {"x86_64": 321, "aarch64": 280}[platform.machine()]
# Answers every connection, at once or when it has heard something.
SERVER = """
import socket, sys
s = socket.create_server((sys.argv[1], int(sys.argv[2])))
while True:
    c, _ = s.accept()
    try:
        if sys.argv[3] == 'then': c.recv(100)
        c.sendall(bytes.fromhex(sys.argv[4])); c.settimeout(2); c.recv(100)
    except OSError: pass
    c.close()
"""
ASK = """
import socket, sys
s = socket.create_connection((sys.argv[2], int(sys.argv[3])), 20, (sys.argv[1], 0))
s.settimeout(20)
if len(sys.argv) > 4: s.sendall(bytes.fromhex(sys.argv[4]))
s.recv(100)
"""


def programs_on(path):
    """How many programs see what comes into sockets of that cgroup alone (bpf(2), BPF_PROG_QUERY)."""
    ids = (ctypes.c_uint32 * 16)()
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    attr = bytearray(64)
    attr[0:16] = b"".join(x.to_bytes(4, "little") for x in (fd, 0, 0, 0))
    attr[16:24] = ctypes.addressof(ids).to_bytes(8, "little")
    attr[24:28] = (16).to_bytes(4, "little")
    buf = (ctypes.c_char * 64).from_buffer(attr)
    r = ctypes.CDLL(None, use_errno=True).syscall(BPF_SYSCALL, BPF_PROG_QUERY, buf, 64)
    check(r == 0, "BPF_PROG_QUERY: " + os.strerror(ctypes.get_errno()))
    os.close(fd)
    return int.from_bytes(attr[24:28], "little")


class Answers(World):
    """All that is watched is in a cgroup of its own, so that nothing hangs above the servers here."""

    def __init__(self, name, net, users):
        the_journal()
        super().__init__(name, net, users)
        self.top = "%s/og-answers-%d" % (cgroup2(), os.getpid())
        with self.place("watched"):
            self.start_common()
        self.agent.start()
        self.servers = []

    @contextlib.contextmanager
    def place(self, name):
        """What starts inside has its sockets in that cgroup."""
        path = "%s/%s" % (self.top, name)
        os.makedirs(path, exist_ok=True)
        self.move(path, [os.getpid()])
        try:
            yield path
        finally:
            self.move(os.path.dirname(self.top), [os.getpid()])

    @staticmethod
    def move(path, pids):
        for pid in pids:
            with contextlib.suppress(OSError), open(path + "/cgroup.procs", "w") as f:
                f.write(str(pid))

    def serve(self, name, number, when, answer):
        with self.place(name) as path:
            p = subprocess.Popen(self.net.inside_ns(self.net.srv, [
                "/usr/bin/python3", "-c", SERVER, self.server, str(number), when, answer.hex()]))
        self.servers.append(p)
        wait_for("it listens", lambda: run(self.net.inside_ns(self.net.srv, [
            "ss", "-Hltn", "sport = :%d" % number])).stdout.strip())
        return path

    def ask(self, source, number, said=b"", ns=None):
        run(self.net.inside_ns(ns or self.net.ext, [
            "/usr/bin/python3", "-c", ASK, source, self.server, str(number)] + ([said.hex()] if said else [])))

    def end(self):
        self.agent.stop()
        self.sshd.stop()
        for p in self.servers:
            p.kill()
            p.wait()
        for name in os.listdir(self.top):
            path = "%s/%s" % (self.top, name)
            if os.path.isdir(path):
                with open(path + "/cgroup.procs") as f:
                    self.move(os.path.dirname(self.top), f.read().split())
                wait_for("nobody in " + path, lambda p=path: try_rmdir(p))
        os.rmdir(self.top)


def try_rmdir(path):
    try:
        os.rmdir(path)
    except OSError:
        return False
    return True


@world("answers")
def answers(net, users):
    return Answers("answers", net, users)


def ask_inside(w, number):
    run(w.net.inside_ns(w.net.inside, ["ip", "route", "replace", "192.0.2.0/24", "via", "10.20.0.1"]))
    w.ask("10.20.0.2", number, ns=w.net.inside)


def mismatch(w, port, source):
    """Asked until it is told: of the first answer there may be nothing, since it comes at once."""
    def told():
        w.ask(source, port)
        return w.agent.told(detection=ID, local__port=port)
    return wait_for("an alert of port %d; told: %s" % (port, brief(w.agent.told())), told, 15, 1)[0]


@case("answers", alone=True)
def an_answer_where_nobody_watches(w):
    """A server of no known name behind the port of https."""
    source = w.net.address(w.outside(w.slice()))
    w.serve("look", 443, "now", b"SSH-2.0-updater\r\n")
    a = mismatch(w, 443, source)
    check(a["severity"] == "medium" and a["service"] == "ssh" and a["origin"]["address"] == source and
          "for https" in a["sentence"], "which port, and what it speaks", a)
    for _ in range(3):
        w.ask(source, 443)
    w.settle()
    check(len(w.agent.told(detection=ID, local__port=443)) == 1, "once a listener")
    check(not w.agent.sessions(origin__address=source), "an answer is no session",
          w.agent.sessions(origin__address=source))


@case("answers", alone=True)
def an_sshd_that_another_listens_for(w):
    """A real sshd, started by a listener of another name, and a real client: told at the first login or
    the second, and the session as ever."""
    name, key = w.users.add("answer", key=True)
    with w.place("inetd"):
        inetd = Sshd(w.net, w.net.srv, [w.server], port=993, inetd=True)
    c = Client(w.net, w.outside(w.slice()))

    def told():
        c.ssh(name, w.server, "/bin/echo answered", port=993, key=key, check_rc=0)
        return w.agent.told(detection=ID, local__port=993)
    a = wait_for("it is told", told, 20, 0.5)[0]
    check("for imaps" in a["sentence"], "which port", a)
    s = w.agent.session(account=name, service="ssh", origin__address=c.source)
    check("answered" in str(s["commands"]), "the session", s)
    inetd.stop()


@case("answers", alone=True)
def a_proxy_behind_a_mail_port(w):
    """A real SOCKS server, which asks nobody who it is, and a real client."""
    source = w.net.address(w.outside(w.slice()))
    with w.place("socks"):
        w.servers.append(subprocess.Popen(w.net.inside_ns(w.net.srv, ["microsocks", "-i", w.server, "-p", "587"]),
                                          stderr=subprocess.DEVNULL))

    def told():
        run(w.net.inside_ns(w.net.ext, ["curl", "-sm", "5", "--interface", source, "-x",
                                        "socks5://%s:587" % w.server, "http://10.20.0.2:9/"]), check=False)
        return w.agent.told(detection=ID, local__port=587)
    a = wait_for("it is told", told, 20, 0.5)[0]
    check(a["service"] == "socks" and "for submission" in a["sentence"], "what it is", a)
    listeners = w.agent.cli("exposure", "--config", w.agent.config).stdout.decode()
    line = [x for x in listeners.splitlines() if ":587" in x]
    check(line and "socks" in line[0] and "whoever reaches it" in listeners, "what is exposed", listeners)


@case("answers", alone=True)
def answers_that_are_no_mismatch(w):
    """What the port is for; a port that is for nothing; ssh that only the inside asks."""
    source = w.net.address(w.outside(w.slice()))
    w.serve("web", 8080, "then", HTTP)
    w.serve("nothing", 31337, "now", b"SSH-2.0-backdoor\r\n")
    w.serve("inside", 8443, "now", b"SSH-2.0-inside\r\n")
    for _ in range(3):
        w.ask(source, 8080, b"GET / HTTP/1.0\r\n\r\n")
        w.ask(source, 31337)
        ask_inside(w, 8443)
    w.settle()
    told = [a for a in w.agent.told(detection=ID) if a["local"]["port"] in (8080, 31337, 8443)]
    check(not told, "told: " + brief(told), told)


@case("answers", alone=True)
def looks_end(w):
    """The programs are on that server's cgroup for seconds, and only if there is something to see."""
    above = os.path.dirname(w.top)
    if programs_on(above):
        raise Skip("a watched listener of this machine has the programs on all of it")
    source = w.net.address(w.outside(w.slice()))
    web = w.serve("web2", 6379, "then", HTTP)
    nothing = w.serve("nothing2", 31338, "now", b"SSH-2.0-backdoor\r\n")
    inside = w.serve("inside2", 636, "now", b"SSH-2.0-inside\r\n")
    check(programs_on(web) == 0, "before anybody came nothing looks")
    w.ask(source, 31338)
    ask_inside(w, 636)
    w.ask(source, 6379, b"GET / HTTP/1.0\r\n\r\n")
    wait_for("it is looked at", lambda: programs_on(web) == 1, 5)
    w.ask(source, 6379, b"GET / HTTP/1.0\r\n\r\n")  # the first answer may have been too early
    check(programs_on(nothing) == 0 and programs_on(inside) == 0, "the others cost nothing")
    wait_for("the programs are off again", lambda: programs_on(web) == 0, 10, 0.2)
    for _ in range(3):
        w.ask(source, 6379, b"GET / HTTP/1.0\r\n\r\n")
    w.settle()
    check(programs_on(web) == 0, "it is known: nothing looks again")
