"""sshd that listens on a local socket (AF_UNIX, as a socket unit does), reached through a relay or
by somebody on this host; and one on AF_VSOCK, which has no network behind it."""
import os
import subprocess
import sys

from cases import case
from harness import Client, brief, check
from sandbox import TMP, run, wait_for
from test_c_main_job import PASSWORD, none_of, place
from test_t_tunnels import PUMP, end, listening, start

# Accept=yes on a local socket: each connection gets its sshd, which has it as 0 and 1
SOCKET_UNIT = """import os, signal, socket, subprocess, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
l = socket.socket(socket.AF_UNIX); l.bind(sys.argv[1]); os.chmod(sys.argv[1], 0o666); l.listen()
while True:
    c, _ = l.accept()
    subprocess.Popen(sys.argv[2:], stdin=c, stdout=c); c.close()"""

# what `socat TCP-LISTEN:PORT,fork UNIX-CONNECT:PATH` does
RELAY = """import os, select, signal, socket, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
l = socket.socket(); l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
l.bind(('0.0.0.0', int(sys.argv[1]))); l.listen()
while True:
    a, _ = l.accept()
    if os.fork() == 0: break
    a.close()
b = socket.socket(socket.AF_UNIX); b.connect(sys.argv[2])
""" + PUMP

# the same in one process, for whoever is there
RELAY_OF_ALL = """import select, socket, sys
l = socket.socket(); l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
l.bind(('0.0.0.0', int(sys.argv[1]))); l.listen()
pairs = {}
while True:
    for s in select.select([l, *pairs], [], [])[0]:
        if s is l:
            a, _ = l.accept(); b = socket.socket(socket.AF_UNIX); b.connect(sys.argv[2])
            pairs[a], pairs[b] = b, a
            continue
        d = s.recv(65536) if s in pairs else None
        if d: pairs[s].sendall(d)
        elif s in pairs: o = pairs.pop(s); pairs.pop(o); s.close(); o.close()"""

CONNECT = """import os, socket, sys, threading
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
def up():
    while True:
        d = os.read(0, 65536)
        if not d: break
        s.sendall(d)
    s.shutdown(socket.SHUT_WR)
threading.Thread(target=up, daemon=True).start()
while True:
    d = s.recv(65536)
    if not d: break
    os.write(1, d)"""


class LocalSshd:
    def __init__(self, w, name):
        at = "%s/local-%s" % (TMP, name)
        os.mkdir(at)
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", at + "/hostkey"])
        with open(at + "/config", "w") as f:
            f.write("HostKey %s/hostkey\nUsePAM yes\nPasswordAuthentication yes\n"
                    "KbdInteractiveAuthentication no\nUseDNS no\nPidFile none\n" % at)
        self.path = at + "/socket"
        self.proc = start(w, w.net.srv, SOCKET_UNIT, self.path, "/usr/sbin/sshd", "-i", "-f",
                          at + "/config")
        wait_for("a local socket", lambda: os.path.exists(self.path))


@case("journal")
def local_socket_behind_a_relay(w):
    name, _ = w.users.add("unixr")
    sshd = LocalSshd(w, "relay")
    relay = start(w, w.net.srv, RELAY, "4821", sshd.path)
    listening(relay, 4821)
    source = place(w)
    c = Client(w.net, source)
    c.guess(name, w.server, 6, port=4821)
    a = w.agent.alert(detection="auth.bruteforce", account=name)
    check(a["origin"]["address"] == source, "who guesses", a)
    c.ssh(name, w.server, "/bin/echo unix-mark; ssh -o BatchMode=yes -o ConnectTimeout=3 10.20.0.2",
          password=PASSWORD, port=4821)
    w.agent.alert(detection="auth.bruteforce_success", account=name, origin__address=source)
    s = w.agent.session(account=name, state="closed")
    check(s["origin"]["address"] == source, "the origin is the relay's client", s)
    check(s["origin"]["source"] == "local-proxy", "and says by which proof", s)
    check([x for x in s["commands"] if "unix-mark" in x["text"]], "what ran", s)
    check([d for d in s["destinations"] if d["address"] == "10.20.0.2"], "where it went", s)
    w.settle()
    none_of(w, ("sensor.mismatch", "access.shell_without_auth", "sensor.blind"), account=name)
    end(relay, sshd.proc)


@case("journal")
def relay_of_several_frames_nobody(w):
    name, _ = w.users.add("unixm")
    other, _ = w.users.add("unixn")
    sshd = LocalSshd(w, "several")
    relay = start(w, w.net.srv, RELAY_OF_ALL, "4822", sshd.path)
    listening(relay, 4822)
    first, second = place(w), place(w)
    stays = Client(w.net, first).ssh_open(name, w.server, "sleep 60", password=PASSWORD, port=4822)
    s = w.agent.session(account=name)
    check(s["origin"]["address"] == first, "alone with the relay", s)
    Client(w.net, second).ssh(other, w.server, "id", password=PASSWORD, port=4822, check_rc=0)
    w.settle()
    found = [x for x in w.agent.sessions() if x["account"] == other]
    check(not [x for x in found if x["origin"].get("address") in (first, second)],
          "two clients: nobody is framed", found)
    none_of(w, ("sensor.mismatch",), account=other)
    stays.kill()
    end(relay, sshd.proc)


@case("journal")
def local_socket_from_this_host(w):
    name, _ = w.users.add("unixh")
    sshd = LocalSshd(w, "here")
    Client(w.net, None, ns=w.net.srv).ssh(
        name, "nowhere", "/bin/echo here-mark", password=PASSWORD, check_rc=0, extra=[
            "-o", "ProxyCommand=%s -c '%s' %s" % (sys.executable, CONNECT, sshd.path)])
    w.settle()
    check(not w.agent.sessions(account=name), "nobody came over a network",
          w.agent.sessions(account=name))
    check(not w.agent.told(account=name), brief(w.agent.told(account=name)))
    end(sshd.proc)
