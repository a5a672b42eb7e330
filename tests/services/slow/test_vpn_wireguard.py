"""WireGuard by wireguard-go: a peer is its public key; there is no log and no socket a peer."""
import os
import subprocess

from cases import case
from harness import check, in_parallel
from sandbox import run, wait_for
from services import directory, port
from test_vpn_ocserv import vpn  # noqa: F401 (the world)
from vpn import Tunnel, came_through, inner_sshd, near_miss, number

SOCKETS = "/run/wireguard"


def keys():
    """(private, public)"""
    private = run(["wg", "genkey"]).stdout
    return private.decode().strip(), run(["wg", "pubkey"], input=private).stdout.decode().strip()


def account(public):
    return "wg:" + public[:12]


def key_file(name, private):
    path = "%s/%s.key" % (directory("wireguard"), name)
    with open(path, "w") as f:
        f.write(private + "\n")
    os.chmod(path, 0o600)
    return path


class Device:
    """wireguard-go in a namespace. One of the outside has its socket in a directory of its own, as
    another host would."""

    def __init__(self, w, ns, name, apart):
        self.w, self.ns, self.name = w, ns, name
        os.makedirs(SOCKETS, exist_ok=True)
        self.log = "%s/%s.log" % (directory("wireguard"), name)
        hide = ["unshare", "--mount", "sh", "-c", "mount -t tmpfs none /run/wireguard && exec \"$@\"", "sh"]
        argv = (hide if apart else []) + ["wireguard-go", "-f", name]
        with open(self.log, "wb") as log:
            self.proc = subprocess.Popen(w.net.inside_ns(ns, argv), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for(lambda: "the socket of %s: %s" % (name, self.said()), lambda: os.path.exists(self.socket()), 10)

    def socket(self):
        return "/proc/%d/root%s/%s.sock" % (self.proc.pid, SOCKETS, self.name)

    def said(self):
        with open(self.log, "rb") as f:
            return f.read()[-1500:].decode("utf-8", "replace")

    def wg(self, *words):
        """Of that device's own mount and network namespace."""
        return run(["nsenter", "--target", str(self.proc.pid), "--mount", "--net", "wg", *words]).stdout

    def up(self, address):
        run(["ip", "-n", self.ns, "addr", "add", address, "dev", self.name])
        run(["ip", "-n", self.ns, "link", "set", self.name, "up"])

    def stop(self):
        self.proc.terminate()
        self.proc.wait(10)


class Wireguard:
    def __init__(self, w, pool):
        self.w, self.pool, self.gateway, self.port = w, pool, pool + ".1", port()
        self.private, self.public = keys()
        self.device = Device(w, w.net.srv, "wgs%d" % (self.port % 100), False)
        self.device.wg("set", self.device.name, "private-key", key_file(self.device.name, self.private),
                       "listen-port", str(self.port))
        self.device.up(self.gateway + "/32")

    def client(self, inner):
        private, public = keys()
        self.device.wg("set", self.device.name, "peer", public, "allowed-ips", inner + "/32")
        run(["ip", "-n", self.w.net.srv, "route", "replace", inner + "/32", "dev", self.device.name])
        return Peer(self, inner, private, public)


class Peer(Tunnel):
    """A client: its tunnel, as those of other servers' (vpn.py)."""

    def __init__(self, server, inner, private, public):
        self.w, self.server, self.inner, self.public = server.w, server, inner, public
        self.private = private
        self.start()

    def start(self):
        self.device = "wg%d" % number()
        self.host = Device(self.w, self.w.net.ext, self.device, True)
        self.proc = self.host.proc
        self.host.wg("set", self.device, "private-key", key_file(self.device, self.private))
        self.host.up(self.inner + "/32")

    def move(self, source):
        """The same key, somewhere else."""
        self.host.stop()
        self.start()
        self.come(source)

    def come(self, source):
        """From that address of the outside. wireguard-go lets the route choose it."""
        run(["ip", "-n", self.w.net.ext, "route", "replace", self.w.server + "/32", "dev", "e0", "src", source])
        self.host.wg("set", self.device, "peer", self.server.public, "allowed-ips", self.server.gateway + "/32",
                     "endpoint", "%s:%d" % (self.w.server, self.server.port), "persistent-keepalive", "25")

    def endpoint(self):
        """As the server has it."""
        for line in self.server.device.wg("show", self.server.device.name, "endpoints").decode().splitlines():
            if line.startswith(self.public):
                return line.split("\t")[1].rsplit(":", 1)[0]
        return None

    def opened(self, source, **more):
        s = self.w.agent.session(service="vpn", account=account(self.public), origin__address=source, state="open",
                                 timeout=20, **more)
        check(s["method"] == "publickey" and s["proven"] and s["origin"]["port"] > 0 and
              s["gateway"]["assigned"] == self.inner, "what is told of it", s)
        a = self.w.agent.alert(detection="access.external", session=s["id"])
        check(a["service"] == "vpn" and a["origin"]["address"] == source, "it is told", a)
        return s


@case("vpn", alone=True)
def wireguard_peers(w):
    """Two peers at once, each one's ssh; one that roams; one that never shook hands; the end."""
    s = Wireguard(w, "10.77.1")
    inner_sshd(w, s.gateway)
    a, b, never = s.client("10.77.1.2"), s.client("10.77.1.3"), s.client("10.77.1.9")
    places = [w.place(), w.place()]
    for peer, source in zip((a, b), places):
        peer.come(source)
        wait_for(lambda p=peer: "a handshake: " + p.host.said(), lambda p=peer, x=source: p.endpoint() == x, 20)
    logins = [w.users.add("wgs%d" % n, key=True) for n in range(2)]
    in_parallel([lambda p=p, l=l: p.ssh(l[0], l[1], "/bin/echo mine", s.gateway)
                 for p, l in zip((a, b), logins)])
    sessions = [p.opened(x) for p, x in zip((a, b), places)]
    for peer, source, told, (login, _) in zip((a, b), places, sessions, logins):
        came_through(w, login, source, peer, told)
    check(not w.agent.sessions(account=account(never.public)), "a peer that never came is no session")
    # The same key from elsewhere.
    there = w.place()
    a.move(there)
    wait_for("the server has the new endpoint", lambda: a.endpoint() == there, 40)
    moved = a.opened(there)
    w.agent.alert(detection="session.address_changed", account=account(a.public), origin__address=there)
    login, key = w.users.add("wgroam", key=True)
    a.ssh(login, key, "/bin/echo roamed", s.gateway)
    came_through(w, login, there, a, moved)
    check(w.agent.session(id=sessions[0]["id"])["state"] == "closed", "where it was has ended")
    # Taken from the device: over at once, and its address is nobody's.
    s.device.wg("set", s.device.name, "peer", a.public, "remove")
    w.agent.session(id=moved["id"], state="closed", timeout=20)
    for peer in (a, b, never):
        peer.host.stop()
    other, other_key = w.users.add("wgmiss", key=True)
    run(["ip", "-n", w.net.srv, "route", "del", a.inner + "/32"], check=False)
    near_miss(w, s.gateway, a.inner, other, other_key)
    # The other one has gone without a word: its keys outlive it by 195 s, not longer.
    gone = w.agent.session(id=sessions[1]["id"], state="closed", timeout=330)
    check(gone["bytes_in"] > 0 and gone["bytes_out"] > 0, "the device's counters", gone)
    s.device.stop()
