"""VPN servers in the watched namespace, their clients in the outside, and ssh through the tunnel.

Every client has a tunnel interface of its own in the outside, by which goes what comes from its
inner address, so that two clients of one server are two."""
import os
import re
import subprocess
import threading

from harness import Client, Sshd, check
from sandbox import run, wait_for
from services import directory

_lock = threading.Lock()
_numbers = iter(range(1, 120))


def tun_device():
    """The private /dev has none."""
    with _lock:
        if not os.path.exists("/dev/net/tun"):
            os.makedirs("/dev/net", exist_ok=True)
            run(["mknod", "-m", "0666", "/dev/net/tun", "c", "10", "200"])


def number():
    with _lock:
        return next(_numbers)


def certificates(where, *names):
    """An authority, and a key with a certificate of it for each name."""
    def openssl(*argv):
        run(["openssl", *argv], cwd=where)
    ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *ec, "-subj", "/CN=authority", "-days", "2", "-keyout", "ca.key",
            "-out", "ca.crt")
    for name in names:
        use = "serverAuth" if name == "server" else "clientAuth"
        with open("%s/%s.ext" % (where, name), "w") as f:
            f.write("extendedKeyUsage=%s\nbasicConstraints=CA:FALSE\nkeyUsage=digitalSignature\n"
                    "subjectAltName=DNS:%s\n" % (use, name))
        openssl("req", *ec, "-subj", "/CN=" + name, "-keyout", name + ".key", "-out", name + ".csr")
        openssl("x509", "-req", "-in", name + ".csr", "-CA", "ca.crt", "-CAkey", "ca.key",
                "-CAcreateserial", "-days", "2", "-extfile", name + ".ext", "-out", name + ".crt")


class Tunnel:
    """A client that runs in the outside; its interface is .device, its inner address .inner."""

    def __init__(self, w, argv, device, stdin=None):
        self.w, self.device = w, device
        self.log = directory("tunnels") + "/" + device
        with open(self.log, "wb") as log:
            self.proc = subprocess.Popen(w.net.inside_ns(w.net.ext, argv),
                                         stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                                         stdout=log, stderr=log)
        if stdin:
            self.proc.stdin.write(stdin)
            self.proc.stdin.close()

    def said(self):
        with open(self.log, "rb") as f:
            return f.read()[-3000:].decode("utf-8", "replace")

    def address(self):
        check(self.proc.poll() is None, "the VPN client ended: " + self.said())
        out = run(["ip", "-n", self.w.net.ext, "-o", "-4", "addr", "show", "dev", self.device],
                  check=False).stdout.split()
        return out[out.index(b"inet") + 1].split(b"/")[0].decode() if b"inet" in out else None

    def up(self):
        """Waits for the inner address; self."""
        self.inner = wait_for(lambda: "an inner address on %s: %s" % (self.device, self.said()),
                              self.address, 20)
        return self

    def ssh(self, account, key, command, gateway, **how):
        """Logs in at the server's inner address, through this tunnel."""
        table = str(1000 + int(self.device[2:]))
        for words in (["route", "replace", gateway + "/32", "dev", self.device, "table", table],
                      ["rule", "add", "from", self.inner, "lookup", table]):
            run(["ip", "-n", self.w.net.ext] + words)
        return Client(self.w.net, None).ssh(account, gateway, command, key=key, check_rc=0,
                                            extra=["-o", "BindAddress=" + self.inner], **how)

    def end(self):
        """As a person ends it."""
        if self.proc.poll() is None:
            self.proc.terminate()
            try:
                self.proc.wait(30)
            except subprocess.TimeoutExpired:
                self.proc.kill()
                self.proc.wait(5)

    def failed(self, said):
        """It ended by itself, since the server refused it."""
        self.proc.wait(20)
        check(re.search(said, self.said()), "the client was not refused: " + self.said())
        return self


def near_miss(w, gateway, inner, name, key):
    """From an inner address that no VPN session has (any more), by another way: nobody's tunnel."""
    run(["ip", "-n", w.net.ext, "rule", "del", "from", inner], check=False)
    run(["ip", "-n", w.net.ext, "addr", "replace", inner + "/32", "dev", "e0"])
    run(["ip", "-n", w.net.ext, "route", "replace", gateway + "/32", "dev", "e0", "metric", "900"])
    run(["ip", "-n", w.net.srv, "route", "replace", inner + "/32", "dev", "s0"])
    try:
        Client(w.net, None).ssh(name, gateway, "/bin/echo near-miss", key=key, check_rc=0,
                                extra=["-o", "BindAddress=" + inner])
        s = w.agent.session(account=name, origin__address=inner)
        check(s["origin"]["source"] == "socket" and "via" not in s["origin"] and "vpn" not in s,
              "it is taken for a VPN client", s)
    finally:
        run(["ip", "-n", w.net.srv, "route", "del", inner + "/32", "dev", "s0"])
        run(["ip", "-n", w.net.ext, "addr", "del", inner + "/32", "dev", "e0"])


def came_through(w, account, source, tunnel, vpn):
    """The ssh session's origin is the VPN client's; it says by which way."""
    s = w.agent.session(account=account, service="ssh", origin__address=source)
    check(s["origin"]["source"] == "vpn" and s["origin"]["via"][0]["address"] == tunnel.inner,
          "how it came", s)
    check(s["vpn"]["session"] == vpn["id"] and vpn["account"].startswith(s["vpn"]["account"]),
          "whose VPN session it was", s, vpn)
    a = w.agent.alert(detection="access.external", session=s["id"])
    way = "%s through the VPN session of '%s' from %s" % (tunnel.inner, s["vpn"]["account"], source)
    check(re.search(re.escape(way) + "[: ]", a["sentence"]), "the sentence", a)
    return s


def failures_from(w, source, number):
    """auth.bruteforce counts these failures from there, each once whoever told of it."""
    def counts():
        return [a["count"] for a in w.agent.stored_alerts() if a["detection"] == "auth.bruteforce" and
                a["origin"]["address"] == source and a["service"] == "vpn"]
    wait_for(lambda: "%d failures from %s, not %r" % (number, source, counts()),
             lambda: counts() == [number], 30)
    w.settle()
    check(counts() == [number], "each failure counts once", counts())


def inner_sshd(w, gateway):
    """An sshd at the gateway's inner address, which tunnels lead to."""
    run(["ip", "-n", w.net.srv, "addr", "replace", gateway + "/32", "dev", "lo"])
    return Sshd(w.net, w.net.srv, [gateway])
