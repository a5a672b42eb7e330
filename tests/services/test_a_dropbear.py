"""Dropbear: ssh without PAM. The kernel has the connection and the processes, the journal the verdict."""
import json

from cases import case, world
from harness import check, fingerprint
from sandbox import run
from services import (PASSWORD, Server, Services, client, directory, each_has_its_own, failures, nothing_of,
                      one_session, port, scan)


@world("services")
def services(net, users):
    return Services("services", net, users)


class Dropbear(Server):
    def __init__(self, w, listen=None, *more):
        self.port = port()
        key = directory("dropbear") + "/key-%d" % self.port
        run(["dropbearkey", "-t", "ed25519", "-f", key])
        super().__init__(w, ["/usr/sbin/dropbear", "-F", "-p", "%s:%d" % (listen or w.server, self.port),
                             "-r", key, *more], [self.port])


@case("services")
def dropbear_password(w):
    d = Dropbear(w)
    name, _ = w.users.add("dbpw")
    source = w.place()
    c = client(w, source)
    for _ in range(2):  # no more than five of one address may be undecided
        c.guess(name, w.server, 3, port=d.port)
    out = c.ssh(name, w.server, "echo $SSH_CONNECTION; /bin/echo in-dropbear", password=PASSWORD, port=d.port,
                check_rc=0).stdout.decode()
    s = one_session(w, source, "ssh", name, state="closed")
    check(s["method"] == "password" and s["origin"]["source"] == "socket", "how, and by whose word", s)
    check(s["origin"]["port"] == int(out.split()[1]), "the client's port", s, out)
    check(s["failures_before"] == 6, "the failures before it", s)
    check("in-dropbear" in json.dumps(s["commands"]), "what ran", s)
    check(s["bytes_in"] > 0 and s["bytes_out"] > 0, "bytes", s)
    w.agent.alert(detection="activity.remote_shell", account=name)
    w.agent.alert(detection="auth.bruteforce_success", account=name, origin__address=source)
    failures(w, 6, account=name)
    check(len(w.agent.sessions(account=name)) == 1, "one login is one session")
    d.stop()


@case("services")
def dropbear_key_and_onward(w):
    d = Dropbear(w)
    name, key = w.users.add("dbkey", key=True)
    source = w.place()
    client(w, source).ssh(name, w.server, "exec 3<>/dev/tcp/10.20.0.2/22; head -c 4 <&3", key=key, port=d.port)
    s = one_session(w, source, "ssh", name, state="closed")
    check(s["method"] == "publickey" and fingerprint(key) in s["key"], "which key", s)
    a = w.agent.alert(detection="activity.lateral_movement", account=name)
    check("10.20.0.2" in a["sentence"], "where it went on to", a)
    d.stop()


@case("services")
def dropbear_scan(w):
    d = Dropbear(w)
    source = w.place()
    for _ in range(5):
        scan(w, source, w.server, d.port)
    stranger = w.users.new_key("dbscan-" + w.users.tag, None)
    name, _ = w.users.add("dbscan")
    client(w, source).ssh(name, w.server, key=stranger, port=d.port, check_rc=255)
    nothing_of(w, source)
    d.stop()


@case("services")
def dropbear_two_at_once(w):
    """From one address, and the second to come is the first to go."""
    d = Dropbear(w)
    people = [w.users.add("dbtwo%d" % i)[0] for i in range(2)]
    source = w.place()
    c = client(w, source)
    open_ = [c.ssh_open(n, w.server, "echo $SSH_CONNECTION; /bin/echo %s-mark; read x" % n, password=PASSWORD,
                        port=d.port) for n in people]
    ports = [int(p.stdout.readline().split()[1]) for p in open_]
    check(ports[0] != ports[1], "two connections", ports)
    for p in reversed(open_):
        p.communicate(b"\n", timeout=20)
    each_has_its_own(w, source, "ssh", people, ports)
    d.stop()
