"""TinySSH behind tcpserver: no PAM, no listener of its own; the socket is descriptor 0 and 1."""
import json

from cases import case
from harness import brief, check
from sandbox import run
from services import Server, client, directory, each_has_its_own, nothing_of, one_session, port, scan


class TinySsh(Server):
    def __init__(self, w):
        self.port = port()
        keys = directory("tinyssh-%d" % self.port) + "/keys"
        run(["tinysshd-makekey", keys])
        super().__init__(w, ["tcpserver", "-HRDl0", w.server, str(self.port), "/usr/sbin/tinysshd", "-l", "-vv", keys],
                         [self.port])


@case("services")
def tinyssh_key(w):
    t = TinySsh(w)
    name, key = w.users.add("tiny", key=True)
    source = w.place()
    client(w, source).ssh(name, w.server, "/bin/echo in-tiny; exec 3<>/dev/tcp/10.20.0.2/22; head -c 4 <&3", key=key,
                          port=t.port, check_rc=0)
    s = one_session(w, source, "ssh", name, state="closed")
    check(s["method"] == "publickey" and s["origin"]["source"] == "socket" and s["origin"]["port"], "how", s)
    check("in-tiny" in json.dumps(s["commands"]), "what ran", s)
    check(s["bytes_in"] > 0 and s["bytes_out"] > 0, "bytes", s)
    w.agent.alert(detection="activity.lateral_movement", account=name)
    w.settle()
    check(len(w.agent.sessions(account=name)) == 1, "one session", w.agent.sessions(account=name))
    told = [a for a in w.agent.told(origin__address=source) if a["detection"] in
            ("access.shell_without_auth", "sensor.blind", "sensor.mismatch")]
    check(not told, "a key was asked for: " + brief(told))
    t.stop()


@case("services")
def tinyssh_refused(w):
    t = TinySsh(w)
    name, _ = w.users.add("tinyno")
    source = w.place()
    scan(w, source, w.server, t.port)
    client(w, source).ssh(name, w.server, key=w.users.new_key("tinyno-" + w.users.tag, None), port=t.port, check_rc=255)
    nothing_of(w, source)
    t.stop()


@case("services")
def tinyssh_two_at_once(w):
    t = TinySsh(w)
    people = [w.users.add("tiny%d" % i, key=True) for i in range(2)]
    source = w.place()
    c = client(w, source)
    open_ = [c.ssh_open(n, w.server, "echo $SSH_CONNECTION; /bin/echo %s-mark; read x" % n, key=k, port=t.port)
             for n, k in people]
    ports = [int(p.stdout.readline().split()[1]) for p in open_]
    for p in reversed(open_):
        p.communicate(b"\n", timeout=20)
    each_has_its_own(w, source, "ssh", [n for n, _ in people], ports)
    t.stop()
