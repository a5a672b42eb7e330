"""strongSwan's IKEv2 with a pre-shared key; ESP in user space (kernel-libipsec), as the host may lack it."""
import os
import subprocess

from cases import case
from harness import Client, check, the_journal
from sandbox import run, wait_for
from services import directory
from test_vpn_ocserv import vpn  # noqa: F401 (the world)
from vpn import came_through, inner_sshd, near_miss

GATEWAY, POOL = "10.76.0.1", "10.76.0."
CONF = """charon-systemd {
  load_modular = yes
  journal { default = %s }
  plugins {
    include /etc/strongswan.d/charon/*.conf
    kernel-libipsec { load = yes }
    vici { socket = unix://%s/vici }
  }
}
"""


class Charon:
    def __init__(self, w, ns, name, program="/usr/sbin/charon-systemd"):
        self.w, self.ns = w, ns
        self.dir = directory("charon-" + name)
        with open(self.dir + "/strongswan.conf", "w") as f:
            f.write(CONF % ("1" if ns == w.net.srv else "-1", self.dir))  # of this host alone
        with open(self.dir + "/log", "wb") as log:
            self.proc = subprocess.Popen(w.net.inside_ns(ns, [program]), stdin=subprocess.DEVNULL,
                                         stdout=log, stderr=log,
                                         env=dict(os.environ, STRONGSWAN_CONF=self.dir + "/strongswan.conf"))
        wait_for(lambda: "charon's socket: " + self.said(), lambda: not self.swanctl("--stats", check_rc=False).returncode, 20)

    def said(self):
        with open(self.dir + "/log", "rb") as f:
            return f.read()[-1500:].decode("utf-8", "replace")

    def swanctl(self, *words, check_rc=True):
        return run(["swanctl", *words, "--uri", "unix://%s/vici" % self.dir], check=check_rc, timeout=40)

    def load(self, text):
        path = self.dir + "/swanctl.conf"
        with open(path, "w") as f:
            f.write(text)
        self.swanctl("--load-all", "--clear", "--file", path)

    def stop(self):
        self.proc.terminate()
        self.proc.wait(10)


class Peer:
    """A client that is up; its inner address is .inner."""

    def __init__(self, w, source, name, secret):
        self.w, self.charon = w, Charon(w, w.net.ext, "client")
        self.charon.load("""connections { rw {
  local_addrs = %s
  remote_addrs = %s
  vips = 0.0.0.0
  local { auth = psk
    id = %s }
  remote { auth = psk
    id = gw.test }
  children { net { remote_ts = %s/32
    esp_proposals = aes128-sha256 } }
} }
secrets { ike-1 { secret = %s } }
""" % (source, w.server, name, GATEWAY, secret))
        self.began = self.charon.swanctl("--initiate", "--child", "net", "--timeout", "15", check_rc=False)
        self.inner = self.address()

    def address(self):
        out = run(["ip", "-n", self.w.net.ext, "-o", "-4", "addr"]).stdout.decode().split()
        return next((x.split("/")[0] for x in out if x.startswith(POOL)), None)

    def said(self):
        return repr(self.began.stdout[-1500:] + self.began.stderr[-500:])


@case("vpn", alone=True)
def strongswan_psk(w):
    """A wrong key opens nothing; the right one's ssh comes from outside; the end is told."""
    server = Charon(w, w.net.srv, "server")
    inner_sshd(w, GATEWAY)
    server.load("""connections { rw {
  local_addrs = %s
  pools = p
  local { auth = psk
    id = gw.test }
  remote { auth = psk }
  children { net { local_ts = %s/32
    esp_proposals = aes128-sha256 } }
} }
pools { p { addrs = %s10-%s20 } }
secrets { ike-1 { id = carol@test
  secret = Corr3ct-horse } }
""" % (w.server, GATEWAY, POOL, POOL))
    source = w.place()
    wrong = Peer(w, source, "carol@test", "wr0ng")
    check(wrong.began.returncode and not wrong.inner, "a wrong key is refused", wrong.said())
    wrong.charon.stop()
    wait_for("the refusal in the journal", lambda: [
        e for e in the_journal().entries("SYSLOG_IDENTIFIER=charon-systemd") if "MAC mismatched" in str(e["MESSAGE"])])
    w.settle()
    check(not w.agent.sessions(origin__address=source), "a wrong key is no session")
    p = Peer(w, source, "carol@test", "Corr3ct-horse")
    check(p.inner, "the tunnel is up", p.said())
    s = w.agent.session(service="vpn", account="carol@test", origin__address=source, state="open",
                        gateway__assigned=p.inner)
    check(s["origin"]["source"] == "log" and s["proven"], "by whose word", s)
    a = w.agent.alert(detection="access.external", session=s["id"])
    check(a["service"] == "vpn" and a["origin"]["address"] == source, "it is told", a)
    login, key = w.users.add("swssh", key=True)
    Client(w.net, None).ssh(login, GATEWAY, "/bin/echo through", key=key, check_rc=0,
                            extra=["-o", "BindAddress=" + p.inner])
    came_through(w, login, source, p, s)
    p.charon.swanctl("--terminate", "--ike", "rw")
    w.agent.session(id=s["id"], state="closed", timeout=20)
    p.charon.stop()
    other, other_key = w.users.add("swmiss", key=True)
    server.stop()
    near_miss(w, GATEWAY, p.inner, other, other_key)
