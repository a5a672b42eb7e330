"""rsh by rsh-redone: no password, but a list of hosts and names in ~/.rhosts that PAM looks at."""
import json
import os

from cases import case, world
from harness import check
from services import Server, Services, directory, nothing_of, one_session, outside, scan

# From a port that only root may have, as the protocol wants it; no second connection for errors.
RSH = """import socket, sys
source, host, port, name, command = sys.argv[1:6]
s = socket.socket(); s.settimeout(20)
for p in range(1023, 900, -1):
    try: s.bind((source, p)); break
    except OSError: pass
s.connect((host, int(port)))
print(s.getsockname()[1], flush=True)
s.sendall(b'0\\0' + name.encode() + b'\\0' + name.encode() + b'\\0' + command.encode() + b'\\0')
while True:
    b = s.recv(4096)
    if not b: break
    sys.stdout.write(b.decode('latin-1')); sys.stdout.flush()
"""


@world("rsh")
def rsh(net, users):
    return Services("rsh", net, users)


class Rshd(Server):
    def __init__(self, w):
        self.port = 514
        conf = directory("rsh") + "/inetd.conf"
        with open(conf, "w") as f:
            f.write("%s:%d stream tcp nowait root /usr/sbin/in.rshd in.rshd\n" % (w.server, self.port))
        super().__init__(w, ["/usr/sbin/inetd", "-i", conf], [self.port])


def remote(w, source, name, command):
    p = outside(w, source, "/usr/bin/python3", "-c", RSH, source, w.server, 514, name, command)
    port, _, said = p.stdout.decode("latin-1").partition("\n")
    return int(port), said


def trust(name, host):
    path = os.path.expanduser("~%s/.rhosts" % name)
    with open(path, "w") as f:
        f.write("%s %s\n" % (host, name))
    os.chmod(path, 0o600)
    os.system("chown %s: %s" % (name, path))


@case("rsh")
def rsh_by_rhosts(w):
    """Who is on the list runs a command; who is not is refused, and a scan is nothing."""
    d = Rshd(w)
    name, _ = w.users.add("rsh")
    source, other, third = w.place(), w.place(), w.place()
    with open("/etc/hosts", "a") as f:  # it wants a name for whoever comes
        f.write("".join("%s rsh-%d.test\n" % (a, i) for i, a in enumerate((source, other))))
    trust(name, "rsh-0.test")
    number, said = remote(w, source, name, "/bin/echo in-rsh")
    check("in-rsh" in said, "the command", repr(said))
    _, refused = remote(w, other, name, "/bin/echo not-rsh")
    check("not-rsh" not in refused, "who is not on the list", repr(refused))
    s = one_session(w, source, "other", name, state="closed")
    check(s["origin"]["port"] == number and s["origin"]["source"] == "socket", "whose connection", s)
    check("in-rsh" in json.dumps(s["commands"]), "what ran", s)
    check(not w.agent.sessions(origin__address=other), "no session")
    scan(w, third, w.server, d.port)
    nothing_of(w, third)
    d.stop()
