"""OpenVPN: passwords that PAM is asked about, and certificates."""
import os

from cases import case
from harness import check, in_parallel, the_journal
from sandbox import run, wait_for
from services import PASSWORD, Server, directory, port
from test_vpn_ocserv import opened
from vpn import Tunnel, came_through, certificates, failures_from, inner_sshd, near_miss, number

PLUGIN = "/usr/lib/openvpn/openvpn-plugin-auth-pam.so"


class Openvpn(Server):
    def __init__(self, w, pool, *names, pam=None):
        self.w, self.port, self.pool = w, port(), pool
        self.dir = directory("openvpn-%d" % self.port)
        self.pam = pam
        certificates(self.dir, "server", *names)
        lines = ["mode server", "tls-server", "topology subnet", "dev ov%d" % (self.port % 100),
                 "dev-type tun", "server %s.0 255.255.255.0" % pool, "port %d" % self.port, "proto udp",
                 "local " + w.server, "ca ca.crt", "cert server.crt", "key server.key", "dh none",
                 "keepalive 2 8", "verb 3", "syslog openvpn", "persist-key", "explicit-exit-notify 1"]
        if pam:
            lines += ["plugin %s %s" % (PLUGIN, pam), "verify-client-cert none", "username-as-common-name"]
        with open(self.dir + "/conf", "w") as f:
            f.write("\n".join(lines) + "\n")
        with open(self.dir + "/up", "w") as f:  # no route to the others of the pool
            f.write("#!/bin/sh\nip link set $dev up && ip addr add $ifconfig_local/32 dev $dev\n")
        os.chmod(self.dir + "/up", 0o755)
        super().__init__(w, ["/usr/sbin/openvpn", "--cd", self.dir, "--config", "conf"], [self.port])
        self.gateway = pool + ".1"

    def listens(self):
        check(self.proc.poll() is None, "the server ended: " + self.said())
        with open("/proc/%d/net/udp" % self.proc.pid) as f:
            return any(x.split()[1].endswith(":%04X" % self.port) for x in f)

    def connect(self, source, name, password=None):
        device = "ov%d" % number()
        argv = ["openvpn", "--cd", self.dir, "--client", "--dev", device, "--dev-type", "tun", "--proto", "udp",
                "--remote", self.w.server, str(self.port), "--local", source, "--lport", "0", "--ca", "ca.crt",
                "--route-nopull", "--auth-nocache", "--verb", "3", "--connect-retry-max", "1",
                "--explicit-exit-notify", "1", "--auth-retry", "none", "--remote-cert-tls", "server",
                "--ifconfig-noexec", "--script-security", "2", "--up", self.dir + "/up"]
        if self.pam:
            path = "%s/secret-%s" % (self.dir, device)
            with open(path, "w") as f:
                f.write("%s\n%s\n" % (name, password))
            os.chmod(path, 0o600)
            argv += ["--auth-user-pass", path]
        else:
            argv += ["--cert", name + ".crt", "--key", name + ".key"]
        return Tunnel(self.w, argv, device)


@case("vpn", alone=True)
def openvpn_pam(w):
    """The kernel, PAM's own lines and OpenVPN's tell of six wrong passwords and a right one."""
    with open("/etc/pam.d/openvpn", "w") as f:
        f.write("auth required pam_unix.so nodelay\naccount required pam_unix.so\n")
    name, _ = w.users.add("ovp")
    login, key = w.users.add("ovssh", key=True)
    other, other_key = w.users.add("ovmiss", key=True)
    source = w.place()
    o = Openvpn(w, "10.78.0", pam="openvpn")
    for _ in range(6):
        o.connect(source, name, "wr0ng").failed("AUTH_FAILED")
    t = o.connect(source, name, PASSWORD).up()
    s = opened(w, t, source, name)
    check(s["failures_before"] == 6, "the failures before it", s)
    inner_sshd(w, o.gateway)
    t.ssh(login, key, "/bin/echo through", o.gateway)
    came_through(w, login, source, t, s)
    t.end()
    w.agent.session(id=s["id"], state="closed", timeout=20)
    near_miss(w, o.gateway, t.inner, other, other_key)
    w.agent.alert(detection="auth.bruteforce_success", account=name, origin__address=source)
    failures_from(w, source, 6)
    check(len(w.agent.sessions(account=name)) == 1, "one login is one session")
    o.stop()


@case("vpn", alone=True)
def openvpn_certificates(w):
    """Two clients at once; one of another authority; who vanishes is closed by the server's timer."""
    o = Openvpn(w, "10.79.0", "one", "two")
    inner_sshd(w, o.gateway)
    clients = []
    for name in ("one", "two"):
        source = w.place()
        t = o.connect(source, name).up()
        clients.append((t, source, opened(w, t, source, name, None)))
    logins = [w.users.add("ovcs%d" % n, key=True) for n in range(2)]
    in_parallel([lambda c=c, l=l: c[0].ssh(l[0], l[1], "/bin/echo mine", o.gateway)
                 for c, l in zip(clients, logins)])
    for (t, source, s), (login, _) in zip(clients, logins):
        came_through(w, login, source, t, s)
    stranger = w.place()
    certificates(directory("strangers"), "server", "three")
    for f in ("three.crt", "three.key"):
        run(["cp", directory("strangers") + "/" + f, o.dir])
    t = o.connect(stranger, "three")
    wait_for("the server refuses a stranger's certificate", lambda: [
        e for e in the_journal().entries("SYSLOG_IDENTIFIER=openvpn")
        if stranger in str(e["MESSAGE"]) and "VERIFY ERROR" in str(e["MESSAGE"])], 20)
    t.end()
    clients[0][0].end()
    w.agent.session(id=clients[0][2]["id"], state="closed", timeout=20)
    check(w.agent.session(id=clients[1][2]["id"])["state"] == "open", "the other stays")
    clients[1][0].proc.kill()
    w.agent.session(id=clients[1][2]["id"], state="closed", timeout=40)
    check(not w.agent.sessions(origin__address=stranger), "a refused certificate is no session")
    o.stop()
