"""VNC: no PAM, no account, no process of its own: a session is a socket, and its first bytes say how."""
import subprocess

from cases import case
from harness import brief, check, in_parallel
from sandbox import run
from services import HERE, Server, directory, nothing_of, one_session, port, scan, vnc_client


class Xvnc(Server):
    """Xtigervnc whose log goes to the journal, as a unit's does."""

    displays = iter(range(61, 99))

    def __init__(self, w, types):
        self.port = port()
        at = directory("vnc")
        self.password = at + "/passwd-%d" % self.port
        with open(self.password, "wb") as f:
            f.write(run(["vncpasswd", "-f"], input=b"S3cret!!\n").stdout)
        super().__init__(w, ["systemd-cat", "-t", "Xtigervnc", "Xtigervnc", ":%d" % next(self.displays), "-rfbport",
                             str(self.port), "-rfbauth", self.password, "-SecurityTypes", types, "-localhost=0",
                             "-BlacklistThreshold=50", "-geometry", "320x200", "-nolisten", "unix"], [self.port])


@case("services")
def vnc_password(w):
    x = Xvnc(w, "VncAuth")
    source = w.place()
    in_parallel([lambda: check(vnc_client(w, source, w.server, x.port, "password", "wr0ng").returncode == 3,
                               "a wrong password")] * 6)
    p = vnc_client(w, source, w.server, x.port, "password", "S3cret!!", stay=True)
    number = int(p.stdout.readline())
    check(p.stdout.readline() == b"in\n", "the right one", p.poll())
    s = one_session(w, source, "vnc", state="open")
    check(s["method"] == "password" and s["origin"]["source"] == "socket", "how, by whose word", s)
    check(s["origin"]["port"] == number and s["failures_before"] == 6, "which, after what", s)
    p.communicate(b"", timeout=20)
    s = w.agent.session(origin__address=source, state="closed")
    check(s["bytes_in"] > 0 and s["bytes_out"] > 0, "bytes", s)
    w.agent.alert(detection="auth.bruteforce_success", origin__address=source)
    w.settle()
    counts = [a["count"] for a in w.agent.stored_alerts() if a["detection"] == "auth.bruteforce" and
              a["origin"]["address"] == source]
    check(counts == [6], "each failure once, though the server's log tells it too", counts)
    told = [a for a in w.agent.told(origin__address=source) if a["detection"] == "access.unauthenticated"]
    check(not told, "it asked for a password: " + brief(told))
    x.stop()


@case("services")
def vnc_without_a_password(w):
    x = Xvnc(w, "None")
    for version in "003.008", "003.007", "003.003":
        source = w.place()
        p = vnc_client(w, source, w.server, x.port, "none", "", version, stay=True)
        p.stdout.readline()
        check(p.stdout.readline() == b"in\n", "let in", version)
        s = one_session(w, source, "vnc", state="open")
        check(s["method"] == "none", "nobody was asked", s)
        a = w.agent.alert(detection="access.unauthenticated", origin__address=source)
        check(a["severity"] == "high" and a["session"] == s["id"], "how bad", a)
        p.communicate(b"", timeout=20)
        w.agent.session(origin__address=source, state="closed")
    x.stop()


@case("services")
def vnc_looked_at(w):
    """A scanner reads which types there are and leaves; an administrator comes from inside."""
    x = Xvnc(w, "None,VncAuth")
    source = w.place()
    scan(w, source, w.server, x.port)
    vnc_client(w, source, w.server, x.port, "look")
    nothing_of(w, source)
    p = subprocess.Popen(w.net.inside_ns(w.net.inside, [
        "/usr/bin/python3", "-B", HERE + "/rfb_client.py", "10.20.0.2", "10.20.0.1", str(x.port), "none"]),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    number = int(p.stdout.readline())
    check(p.stdout.readline() == b"in\n", "let in from inside")
    s = w.agent.session(origin__address="10.20.0.2", origin__port=number, service="vnc")
    w.settle()
    told = [a for a in w.agent.told() if a.get("session") == s["id"]]
    check(not told, "from inside nothing is told: " + brief(told))
    p.communicate(b"", timeout=20)
    x.stop()


@case("services")
def vnc_two_at_once(w):
    """From one address, one fails and one gets in: whose is whose."""
    x = Xvnc(w, "VncAuth")
    source = w.place()
    good = vnc_client(w, source, w.server, x.port, "password", "S3cret!!", stay=True)
    bad = vnc_client(w, source, w.server, x.port, "password", "wr0ng", stay=True)
    numbers = [int(p.stdout.readline()) for p in (good, bad)]
    check(good.stdout.readline() == b"in\n" and bad.stdout.readline() == b"refused\n", "one in, one not")
    s = one_session(w, source, "vnc", state="open")
    check(s["origin"]["port"] == numbers[0], "whose connection", s, numbers)
    bad.communicate(b"", timeout=20)
    w.settle()
    check(len(w.agent.sessions(origin__address=source, state="open")) == 1, "the other's end ends it not")
    good.communicate(b"", timeout=20)
    w.agent.session(origin__address=source, state="closed")
    x.stop()

