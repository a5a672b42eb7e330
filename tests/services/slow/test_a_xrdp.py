"""xrdp 0.9: who came is known to one daemon, who he is to another that never hears of an address."""
import json
import os
import subprocess
import threading

from cases import case, world
from harness import brief, check, in_parallel, the_journal
from sandbox import run, wait_for
from services import PASSWORD, Server, Services, nothing_of, one_session, scan

CONFIG = "TrustedProxies:\n  - {from: 203.0.113.20/32, port: 22, kind: proxy-protocol}\n"
# Of many commands the first and the last are kept: the mark comes when the desktop has started.
STARTWM = """#!/bin/sh
bash -c 'exec 3<>/dev/tcp/10.20.0.2/22; head -c 4 <&3'
sleep 1
/bin/echo in-rdp-%s
read x </tmp/og-rdp-%s
"""


@world("services-slow")
def services_slow(net, users):
    return Services("slow", net, users, CONFIG)


class Xrdp:
    """The one of this host: its paths are fixed."""

    lock = threading.Lock()
    one = None

    def __init__(self, w):
        os.makedirs("/run/xrdp", exist_ok=True)
        self.sesman = Server(w, ["/usr/sbin/xrdp-sesman", "--nodaemon"], [3350])
        self.xrdp = Server(w, ["/usr/sbin/xrdp", "--nodaemon"], [3389])
        display = subprocess.Popen(w.net.inside_ns(w.net.ext, [
            "Xvfb", ":97", "-screen", "0", "1280x1024x24", "-nolisten", "unix"]), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("Xvfb", lambda: display.poll() is None and "@/tmp/.X11-unix/X97" in run(
            w.net.inside_ns(w.net.ext, ["cat", "/proc/net/unix"])).stdout.decode())

    @classmethod
    def get(cls, w):
        with cls.lock:
            if not cls.one:
                cls.one = cls(w)
        return cls.one


class Rdp:
    """A client at a place of its own: xfreerdp takes the address that the route to the server says."""

    def __init__(self, w):
        n = w.slice()
        self.w, self.server, self.source = w, "192.0.2.%d" % n, w.net.address(w.outside(n))
        w.net.ip(w.net.ext, "route add %s/32 dev e0 src %s" % (self.server, self.source))

    def open(self, name, password=PASSWORD):
        home = "/run/og/rdp-home"
        os.makedirs(home, exist_ok=True)
        return subprocess.Popen(self.w.net.inside_ns(self.w.net.ext, [
            "xfreerdp", "/v:" + self.server, "/u:" + name, "/p:" + password, "/cert:ignore", "/log-level:ERROR",
            "/w:800", "/h:600"]), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={"DISPLAY": ":97", "HOME": home, "PATH": "/usr/bin:/bin"})


def end(*clients):
    for p in clients:
        p.kill()
        p.wait(10)


def person(w, stem):
    name, _ = w.users.add(stem)
    path = "/home/%s/startwm.sh" % name
    with open(path, "w") as f:
        f.write(STARTWM % (name, name))
    run(["chown", name + ":", path])
    os.chmod(path, 0o755)
    os.mkfifo("/tmp/og-rdp-" + name)
    run(["chown", name, "/tmp/og-rdp-" + name])
    return name


def log_out(name):
    """The desktop waits for a line."""
    def write():
        try:
            fd = os.open("/tmp/og-rdp-" + name, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            return False
        os.write(fd, b"\n")
        os.close(fd)
        return True
    wait_for("the desktop of " + name, write)
    os.unlink("/tmp/og-rdp-" + name)


def lines(text):
    return [e for e in the_journal().entries("SYSLOG_IDENTIFIER=xrdp-sesman") if text in str(e.get("MESSAGE"))]


@case("services-slow", alone=True)
def xrdp_password(w):
    Xrdp.get(w)
    name = person(w, "rdp")
    r = Rdp(w)
    for i in range(6):
        p = r.open(name, "wr0ng")
        wait_for("the refusal in its log", lambda: len(lines("AUTHFAIL: user=%s " % name)) > i, 20)
        end(p)
    p = r.open(name)
    s = one_session(w, r.source, "rdp", name)
    check(s["method"] == "password" and s["origin"]["source"] == "local-proxy", "how, by whose word", s)
    check(s["failures_before"] == 6, "failures before", s)
    s = w.agent.session(account=name, test=lambda s: "in-rdp-" + name in json.dumps(s["commands"]), timeout=30)
    w.agent.alert(detection="activity.lateral_movement", account=name, timeout=20)
    counts = [a["count"] for a in w.agent.stored_alerts() if a["detection"] == "auth.bruteforce" and
              a.get("account") == name]
    check(counts == [6], "each failure once", counts)
    end(p)
    w.agent.session(account=name, state="lingering", timeout=20)
    log_out(name)
    s = w.agent.session(account=name, state="closed", timeout=30)
    check(s["bytes_in"] > 0 and s["bytes_out"] > 0, "bytes", s)
    check(len(w.agent.sessions(account=name)) == 1, "one login is one session", w.agent.sessions(account=name))
    here = [x for x in w.agent.sessions(service="rdp") if x["origin"]["address"] in ("127.0.0.1", "::1")]
    check(not here, "nobody came from this host itself", here)


@case("services-slow", alone=True)
def xrdp_scan(w):
    Xrdp.get(w)
    r = Rdp(w)
    for _ in range(3):
        scan(w, r.source, r.server, 3389)
    nothing_of(w, r.source)


@case("services-slow", alone=True)
def xrdp_two_at_once(w):
    """From one address, at the same moment: whose desktop is whose."""
    Xrdp.get(w)
    r = Rdp(w)
    people = [person(w, "rdptwo%d" % i) for i in range(2)]
    clients = []
    in_parallel([lambda n=n: clients.append(r.open(n)) for n in people])
    for name in people:
        s = w.agent.session(account=name, timeout=30, test=lambda s: "in-rdp-" in json.dumps(s["commands"]))
        check(s["origin"]["address"] == r.source and s["service"] == "rdp", "from where", s)
        text = json.dumps(s["commands"])
        check("in-rdp-" + name in text, "whose commands", s)
        check(not [o for o in people if o != name and "in-rdp-" + o in text], "and nobody else's", s)
    ports = [w.agent.sessions(account=n)[0]["origin"]["port"] for n in people]
    check(ports[0] != ports[1], "two connections", ports)
    for name in people:
        log_out(name)
    end(*clients)
    for name in people:
        w.agent.session(account=name, state="closed", timeout=30)
    told = [a for a in w.agent.told() if a["detection"] in ("sensor.mismatch", "access.shell_without_auth") and
            a.get("account") in people]
    check(not told, brief(told))
