"""ocserv, which speaks AnyConnect's protocol: passwords of its own file and PAM's."""
import json
import os

from cases import case, world
from harness import check, in_parallel
from sandbox import run
from services import PASSWORD, Server, Services, directory, port
from vpn import Tunnel, came_through, certificates, failures_from, inner_sshd, near_miss, number, tun_device

SCRIPT = """#!/bin/sh
[ "$reason" = connect ] || exit 0
ip link set dev "$TUNDEV" up
ip addr add "$INTERNAL_IP4_ADDRESS/32" dev "$TUNDEV"
"""


@world("vpn")
def vpn(net, users):
    tun_device()
    return Services("vpn", net, users)


class Ocserv(Server):
    def __init__(self, w, pool, auth=None):
        self.w, self.port, self.pool = w, port(), pool
        self.dir = directory("ocserv-%d" % self.port)
        certificates(self.dir, "server")
        open(self.dir + "/passwd", "w").close()
        with open(self.dir + "/script", "w") as f:
            f.write(SCRIPT)
        os.chmod(self.dir + "/script", 0o755)
        lines = {"auth": auth or '"plain[passwd=%s/passwd]"' % self.dir, "tcp-port": self.port,
                 "run-as-user": "nobody", "run-as-group": "nogroup",
                 "socket-file": self.dir + "/socket", "server-cert": self.dir + "/server.crt",
                 "server-key": self.dir + "/server.key", "isolate-workers": "false",
                 "device": "oc%d-" % (self.port % 100), "ipv4-network": pool + ".0",
                 "ipv4-netmask": "255.255.255.0", "ping-leases": "false", "max-ban-score": "0",
                 "max-same-clients": "10", "cookie-timeout": "300", "use-occtl": "false",
                 "predictable-ips": "false", "log-level": "2"}
        with open(self.dir + "/conf", "w") as f:
            f.writelines("%s = %s\n" % x for x in lines.items())
        super().__init__(w, ["/usr/sbin/ocserv", "-f", "-c", self.dir + "/conf"], [self.port])
        self.gateway = pool + ".1"

    def user(self, name):
        run(["ocpasswd", "-c", self.dir + "/passwd", name], input=(PASSWORD + "\n").encode() * 2)

    def connect(self, source, name, password=PASSWORD):
        pin = run(["sh", "-c", "openssl x509 -in %s/server.crt -pubkey -noout | openssl pkey -pubin -outform der |"
                   " openssl dgst -sha256 -binary | base64" % self.dir]).stdout.strip().decode()
        device = "oc%d" % number()
        # Of several addresses the client takes the route's.
        run(["ip", "-n", self.w.net.ext, "route", "replace", self.w.server + "/32", "dev", "e0", "src", source])
        return Tunnel(self.w, ["openconnect", "--protocol=anyconnect", "--form-entry", "main:password=" + password, "--no-dtls", "-u", name,
                               "--servercert", "pin-sha256:" + pin, "--interface", device, "--script",
                               self.dir + "/script", "--non-inter",
                               "https://%s:%d" % (self.w.server, self.port)], device,
                      b"")


def opened(w, tunnel, source, name, how="password"):
    """The VPN session as it must be told."""
    s = w.agent.session(service="vpn", account=name, origin__address=source, state="open",
                        gateway__assigned=tunnel.inner)
    check(s.get("method") == how and s["origin"]["source"] == "log" and s["origin"]["port"] > 0 and s["proven"],
          "how, from which port, by whose word", s)
    a = w.agent.alert(detection="access.external", session=s["id"])
    check(a["service"] == "vpn" and a["origin"]["address"] == source, "it is told", a)
    return s


@case("vpn", alone=True)
def ocserv_password(w):
    """Six wrong passwords, a right one, ssh through the tunnel, the end; then the address alone."""
    o = Ocserv(w, "10.77.0")
    source, name = w.place(), "ocp-" + w.users.tag
    login, key = w.users.add("ocssh", key=True)
    other, other_key = w.users.add("ocmiss", key=True)
    o.user(name)
    for _ in range(6):
        o.connect(source, name, "wr0ng").failed("(Login|Authentication) failed")
    t = o.connect(source, name).up()
    s = opened(w, t, source, name)
    check(s["failures_before"] == 6, "the failures before it", s)
    inner_sshd(w, o.gateway)
    t.ssh(login, key, "/bin/echo through", o.gateway)
    ssh = came_through(w, login, source, t, s)
    check("through" in json.dumps(ssh["commands"]), "what ran", ssh)
    t.end()
    s = w.agent.session(id=s["id"], state="closed")
    check(s["bytes_in"] > 0 and s["bytes_out"] > 0, "bytes", s)
    near_miss(w, o.gateway, t.inner, other, other_key)
    w.agent.alert(detection="auth.bruteforce_success", account=name, origin__address=source)
    failures_from(w, source, 6)
    check(len(w.agent.sessions(account=name)) == 1, "one login is one session")
    o.stop()


@case("vpn", alone=True)
def ocserv_two_clients(w):
    """At once: each one's ssh comes from its own outside address."""
    o = Ocserv(w, "10.76.0")
    inner_sshd(w, o.gateway)
    clients = []
    for n in range(2):
        source, name = w.place(), "oct%d-%s" % (n, w.users.tag)
        o.user(name)
        t = o.connect(source, name).up()
        clients.append((t, source, opened(w, t, source, name)))
    check(clients[0][0].inner != clients[1][0].inner, "two addresses")
    logins = [w.users.add("octl%d" % n, key=True) for n in range(2)]
    in_parallel([lambda c=c, l=l: c[0].ssh(l[0], l[1], "/bin/echo mine", o.gateway)
                 for c, l in zip(clients, logins)])
    for (t, source, s), (login, _) in zip(clients, logins):
        came_through(w, login, source, t, s)
    clients[0][0].end()
    w.agent.session(id=clients[0][2]["id"], state="closed")
    check(w.agent.session(id=clients[1][2]["id"])["state"] == "open", "the other stays")
    clients[1][0].end()
    w.agent.session(id=clients[1][2]["id"], state="closed")
    o.stop()


@case("vpn", alone=True)
def ocserv_pam(w):
    """PAM is asked by a process that all clients share; the log and the kernel tell of one login."""
    with open("/etc/pam.d/ocserv", "w") as f:
        f.write("auth required pam_unix.so nodelay\naccount required pam_unix.so\n")
    name, _ = w.users.add("ocpam")
    source = w.place()
    o = Ocserv(w, "10.75.0", '"pam"')
    t = o.connect(source, name).up()
    opened(w, t, source, name)
    t.end()
    w.agent.session(account=name, state="closed")
    o.stop()
    o = Ocserv(w, "10.74.0", '"pam"')  # of ocserv 1.1.6 the second login ends its own helper
    source = w.place()
    o.connect(source, name, "wr0ng").failed("(Login|Authentication) failed")
    w.settle()
    check(len(w.agent.sessions(account=name)) == 1, "one login is one session")
    check(not w.agent.sessions(origin__address=source), "a wrong password is no session")
    o.stop()
