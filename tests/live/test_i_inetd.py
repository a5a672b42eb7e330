"""sshd -i under a real inetd: another program accepts, sshd has the connection as descriptor 0."""
import json
import os
import subprocess
import threading

from cases import case
from harness import Client, brief, check
from sandbox import TMP, run, wait_for
from test_c_main_job import PASSWORD, none_of, one_session, place

OTHER = """#!/bin/sh
/bin/echo other-mark
read x
/bin/echo other-mark $x
"""

# Connects (and to the inetd's other service right after), keeps the banner until told to go on.
PROXY = """import os, socket, sys, threading, time
source, to, port, other, name = sys.argv[1:6]
s = socket.create_connection((to, int(port)), 10, (source, 0))
if int(other): o = socket.create_connection((to, int(other)), 10, (source, 0))
banner = s.recv(4096); assert banner.startswith(b'SSH-'); s.settimeout(None)
open(name + '.here', 'w').close()
while not os.path.exists(name + '.go'): time.sleep(0.02)
os.write(1, banner)
if int(other):
    o.sendall(b'at-login\\n'); o.settimeout(10); said = o.makefile().read()
    with open(name + '.other', 'w') as f: f.write(said)
def up():
    while True:
        data = os.read(0, 65536)
        if not data: break
        s.sendall(data)
    s.shutdown(socket.SHUT_WR)
threading.Thread(target=up, daemon=True).start()
while True:
    data = s.recv(65536)
    if not data: break
    while data: data = data[os.write(1, data):]
"""


class Inetd:
    ports = iter(range(2300, 2330))
    lock = threading.Lock()

    def __init__(self, w):
        with Inetd.lock:
            self.port, self.other = next(Inetd.ports), next(Inetd.ports)
        self.w = w
        at = self.at = "%s/inetd-%d" % (TMP, self.port)
        os.mkdir(at)
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", at + "/hostkey"])
        self.write("config", "HostKey %s/hostkey\nUsePAM yes\nPasswordAuthentication yes\n"
                             "KbdInteractiveAuthentication no\nUseDNS no\nPidFile none\n" % at)
        self.write("other", OTHER)
        self.write("proxy.py", PROXY)
        os.chmod(at + "/other", 0o755)
        line = "%s:%d stream tcp nowait root %s\n"
        self.write("inetd.conf", line % (w.server, self.port, "/usr/sbin/sshd sshd -i -f %s/config"
                                         % at) + line % (w.server, self.other, at + "/other other"))
        self.proc = subprocess.Popen(w.net.inside_ns(w.net.srv, [
            "/usr/sbin/inetd", "-i", at + "/inetd.conf"]), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("inetd to listen", self.listens)

    def write(self, name, text):
        with open(self.at + "/" + name, "w") as f:
            f.write(text)

    def listens(self):
        check(self.proc.poll() is None, "inetd ended")
        with open("/proc/%d/net/tcp" % self.proc.pid) as f:
            text = f.read()
        return all(":%04X 00000000:0000 0A" % p in text for p in (self.port, self.other))

    def come(self, account, source, command, other=False):
        """A client that is connected, has its sshd, and goes on to log in after go()."""
        name = "%s/%s" % (self.at, account)
        p = Client(self.w.net, source).ssh_open(
            account, self.w.server, command, password=PASSWORD, port=self.port, extra=[
                "-o", "ProxyCommand=/usr/bin/python3 %s/proxy.py %s %s %d %d %s" % (
                    self.at, source, self.w.server, self.port, self.other if other else 0, name)])
        wait_for("a banner for " + account, lambda: os.path.exists(name + ".here"), 30)
        p.go = lambda: self.write(account + ".go", "")
        return p

    def stop(self):
        self.proc.kill()
        self.proc.wait(30)


def out_of(p):
    out, err = p.communicate(b"", timeout=60)
    check(p.returncode == 0, "the client's exit: %d" % p.returncode, repr(err[-400:]))
    return out.decode()


@case("journal")
def inetd_login(w):
    inetd = Inetd(w)
    name, _ = w.users.add("inlog")
    source = place(w)
    out = Client(w.net, source).ssh(name, w.server, "echo $SSH_CONNECTION; /bin/echo inetd-mark",
                                    password=PASSWORD, port=inetd.port, check_rc=0).stdout.decode()
    s = one_session(w, name, source, "password", state="closed")
    check(s["origin"]["port"] == int(out.split()[1]), "the client's port", s, out)
    check([c for c in s["commands"] if "inetd-mark" in c["text"]], "what ran", s)
    w.settle()
    none_of(w, ("access.shell_without_auth", "sensor.mismatch"), account=name)
    inetd.stop()


@case("journal")
def inetd_guesses(w):
    inetd = Inetd(w)
    name, _ = w.users.add("inbf")
    source = place(w)
    c = Client(w.net, source)
    c.guess(name, w.server, 7, port=inetd.port)
    a = w.agent.alert(detection="auth.bruteforce", account=name)
    check(a["origin"]["address"] == source, "who guesses", a)
    w.settle()
    check(not w.agent.sessions(account=name), "a failed login opened a session")
    inetd.stop()


def two_connected_first(w, stem, order):
    """From one address, so that only the port tells them apart."""
    inetd = Inetd(w)
    people = [w.users.add("%s%d" % (stem, i))[0] for i in range(2)]
    source = w.net.address(place(w))
    clients = [inetd.come(name, source, "echo $SSH_CONNECTION; /bin/echo %s-mark%d; sleep 2" %
                          (stem, i)) for i, name in enumerate(people)]
    check(not [name for name in people if w.agent.sessions(account=name)], "nobody is in yet")
    for i in order:
        clients[i].go()
    ports = [int(out_of(p).split()[1]) for p in clients]
    check(ports[0] != ports[1], "two connections", ports)
    for i, name in enumerate(people):
        s = one_session(w, name, source, "password", state="closed")
        check(s["origin"]["port"] == ports[i], "whose connection", s, ports)
        ran = json.dumps(s["commands"])
        check("%s-mark%d" % (stem, i) in ran and "%s-mark%d" % (stem, 1 - i) not in ran,
              "what ran in it, and nothing of the other", s)
    w.settle()
    none_of(w, ("access.shell_without_auth", "sensor.mismatch"), origin__address=source)
    inetd.stop()


@case("journal")
def inetd_two_connected_first_in_order(w):
    two_connected_first(w, "ina", (0, 1))


@case("journal")
def inetd_two_connected_first_reversed(w):
    two_connected_first(w, "inr", (1, 0))


@case("journal")
def inetd_other_service_is_in_no_session(w):
    """The inetd starts it right after sshd, and it works on while the session lives."""
    inetd = Inetd(w)
    name, _ = w.users.add("inoth")
    source = w.net.address(place(w))
    p = inetd.come(name, source, "/bin/echo session-mark; sleep 2", other=True)
    p.go()
    out_of(p)
    with open("%s/%s.other" % (inetd.at, name)) as f:
        said = f.read()
    check(said == "other-mark\nother-mark at-login\n", "the other service worked", said)
    s = one_session(w, name, source, "password", state="closed")
    check([c for c in s["commands"] if "session-mark" in c["text"]], "what ran", s)
    w.settle()
    having = [s for s in w.agent.sessions() if "other-mark" in json.dumps(s)]
    check(not having, "the other service is in a session", having)
    check(len(w.agent.sessions(origin__address=source)) == 1, "one session from there",
          w.agent.sessions(origin__address=source))
    told = [a for a in w.agent.told(origin__address=source)
            if a["detection"] == "access.shell_without_auth"]
    check(not told, "no shell: " + brief(told))
    inetd.stop()
