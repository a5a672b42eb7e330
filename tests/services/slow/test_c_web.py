"""Cockpit: one process serves several connections, another asks PAM; and x11vnc, a desktop that is shared."""
import json
import subprocess

from cases import case
from harness import check
from sandbox import run, wait_for
from services import (PASSWORD, Server, directory, failures, nothing_of, one_session, outside, port, scan,
                      vnc_client)


class Cockpit(Server):
    def __init__(self, w):
        self.port = port()
        super().__init__(w, ["/usr/lib/cockpit/cockpit-ws", "--no-tls", "-p", str(self.port), "-a", "0.0.0.0"],
                         [self.port])

    def login(self, w, source, name, password):
        """The answer's status, and the client's port."""
        out = outside(w, source, "curl", "-s", "-o", "/dev/null", "-w", "%{http_code} %{local_port}",
                      "--interface", source, "-u", "%s:%s" % (name, password),
                      "http://%s:%d/cockpit/login" % (w.server, self.port)).stdout.decode().split()
        return int(out[0]), int(out[1])


@case("services-slow")
def cockpit_password(w):
    c = Cockpit(w)
    name, _ = w.users.add("cockpit")
    source = w.place()
    for _ in range(6):
        check(c.login(w, source, name, "wr0ng")[0] == 401, "a wrong password")
    status, _ = c.login(w, source, name, PASSWORD)
    check(status == 200, "the right one", status)
    s = one_session(w, source, "web-remote", name)
    check(s["method"] == "password" and s["failures_before"] == 6, "how, after what", s)
    w.agent.alert(detection="auth.bruteforce_success", account=name, origin__address=source)
    failures(w, 6, account=name)
    c.stop()


@case("services-slow")
def cockpit_looked_at(w):
    c = Cockpit(w)
    source = w.place()
    scan(w, source, w.server, c.port)
    outside(w, source, "curl", "-s", "-o", "/dev/null", "--interface", source,
            "http://%s:%d/" % (w.server, c.port), check_rc=0)
    nothing_of(w, source)
    c.stop()


class X11vnc(Server):
    """A screen of its own, and x11vnc in front of it."""

    displays = iter(range(41, 49))

    def __init__(self, w):
        display = ":%d" % next(self.displays)
        self.screen = subprocess.Popen(w.net.inside_ns(w.net.srv, [
            "Xvfb", display, "-screen", "0", "320x200x24", "-nolisten", "unix"]), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("Xvfb", lambda: self.screen.poll() is None and "@/tmp/.X11-unix/X" + display[1:] in run(
            w.net.inside_ns(w.net.srv, ["cat", "/proc/net/unix"])).stdout.decode())
        self.port = port()
        password = directory("vnc") + "/x11vnc-%d" % self.port
        with open(password, "wb") as f:
            f.write(run(["vncpasswd", "-f"], input=b"S3cret!!\n").stdout)
        super().__init__(w, ["x11vnc", "-display", display, "-rfbauth", password, "-rfbport", str(self.port),
                             "-forever", "-shared", "-noxdamage", "-quiet"], [self.port])

    def stop(self):
        super().stop()
        self.screen.kill()
        self.screen.wait(10)


@case("services-slow")
def x11vnc_password(w):
    x = X11vnc(w)
    source = w.place()
    for _ in range(6):
        check(vnc_client(w, source, w.server, x.port, "password", "wr0ng").returncode == 3, "a wrong password")
    p = vnc_client(w, source, w.server, x.port, "password", "S3cret!!", stay=True)
    number = int(p.stdout.readline())
    check(p.stdout.readline() == b"in\n", "the right one", p.poll())
    s = one_session(w, source, "vnc", state="open")
    check((s["method"], s["origin"]["port"], s["failures_before"]) == ("password", number, 6),
          "how, from where, after what", json.dumps(s))
    p.communicate(b"", timeout=20)
    s = w.agent.session(origin__address=source, state="closed")
    check(s["bytes_in"] > 0 and s["bytes_out"] > 0, "bytes", s)
    x.stop()
