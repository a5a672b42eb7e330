"""Remote services reached over loopback: tunnels by their structure, and what only looks like one."""
import os
import subprocess
import sys

from cases import case
from harness import Client, Sshd, brief, check
from sandbox import TMP, run, wait_for
from test_c_main_job import PASSWORD, place

ID = "access.loopback_forwarded"

# what each of two sockets says goes to the other, until one is closed
PUMP = """while True:
    for s in select.select([a, b], [], [])[0]:
        d = s.recv(65536)
        if not d: sys.exit()
        (b if s is a else a).sendall(d)"""

# connects here and there (in the order of its arguments), passes bytes on until one end is closed
RELAY = """import select, socket, sys
ends = [socket.create_connection((h, int(p)), 10) for h, p in
        (x.rsplit(':', 1) for x in sys.argv[1:])]
a, b = ends[0], ends[-1]
""" + PUMP

# a monitoring agent: is connected to its server, and looks whether ssh answers
MONITOR = """import socket, sys
h, p = sys.argv[1].rsplit(':', 1)
out = socket.create_connection((h, int(p)), 10)
here = socket.create_connection(('127.0.0.1', 22), 10)
assert here.recv(100).startswith(b'SSH-2.0-')
here.close(); out.sendall(b'ssh is up'); out.close()"""

# accepts there, then connects here: what socat, haproxy or stunnel do
PROXY = """import os, select, signal, socket, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
l = socket.socket(); l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
l.bind(('0.0.0.0', int(sys.argv[1]))); l.listen()
while True:
    a, _ = l.accept()
    if os.fork() == 0: break
    a.close()
b = socket.create_connection(('127.0.0.1', 22), 10)
""" + PUMP

# two clients of one port: what the first says the second hears
MEETING = """import select, socket, sys
l = socket.socket(); l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
l.bind((sys.argv[1], int(sys.argv[2]))); l.listen()
a = l.accept()[0]; b = l.accept()[0]
""" + PUMP


def start(w, ns, program, *argv, name=None):
    """A program of a process of its own; name: what it calls itself."""
    exe = sys.executable
    if name:
        exe = TMP + "/" + name
        if not os.path.exists(exe):
            os.symlink(sys.executable, exe)
    return subprocess.Popen(w.net.inside_ns(ns, [exe, "-c", program, *argv]),
                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE)


def listening(p, port):
    def probe():
        check(p.poll() is None, "it ended: " + p.stderr.read().decode() if p.poll() else "")
        with open("/proc/%d/net/tcp" % p.pid) as f:
            return (":%04X 00000000:0000 0A" % port) in f.read()
    wait_for("a listener on %d" % port, probe)


def end(*processes):
    for p in processes:
        p.kill()
        p.wait(30)


def told_of(w, outer):
    return [a for a in w.agent.told() if a["detection"] == ID and
            a.get("origin", {}).get("address") == outer]


def reverse_tunnel(w, ns, address, port, account, key):
    """`ssh -R` from this host to an sshd there; returns the client once the far port listens."""
    c = Client(w.net, None, ns=w.net.srv)
    p = c.ssh_open(account, address, ["-N", "-R", "127.0.0.1:%d:127.0.0.1:22" % port], key=key,
                   extra=["-o", "ExitOnForwardFailure=yes"])

    def far():
        check(p.poll() is None, "ssh -R ended")
        out = run(w.net.inside_ns(ns, ["cat", "/proc/net/tcp"])).stdout.decode()
        return ("0100007F:%04X 00000000:0000 0A" % port) in out
    wait_for("the far end of the tunnel", far)
    return p


@case("journal")
def ssh_reverse_tunnel(w):
    name, _ = w.users.add("tunin")
    helper, key = w.users.add("tunout", key=True)
    outer = place(w)
    w.net.address(outer)
    far = Sshd(w.net, w.net.ext, [outer])
    tunnel = reverse_tunnel(w, w.net.ext, outer, 4811, helper, key)
    w.settle()
    check(not told_of(w, outer), "nobody has used it yet: " + brief(told_of(w, outer)))
    c = Client(w.net, None)
    c.ssh(name, "127.0.0.1", "id", password=PASSWORD, port=4811, check_rc=0)
    a = w.agent.alert(detection=ID, origin__address=outer)
    check(a["severity"] == "high" and a["origin"]["port"] == 22, "how bad and where to", a)
    for part in ("'ssh'", "-R 127.0.0.1:4811", "pid %d" % tunnel.pid,
                 "port 22 of this host", outer):
        check(part in a["sentence"], "the sentence lacks " + part, a)
    s = w.agent.session(account=name)
    wait_for("the alert that names the session which came through",
             lambda: [x for x in w.agent.stored_alerts() if x["id"] == a["id"] and
                      x.get("session") == s["id"]])
    c.ssh(name, "127.0.0.1", "id", password=PASSWORD, port=4811, check_rc=0)
    w.settle()
    check(len({x["id"] for x in told_of(w, outer)}) == 1, "one alert an outer host")
    tunnel.kill()
    tunnel.wait(30)
    far.stop()


@case("journal")
def tunnel_to_an_inside_host_is_none(w):
    name, _ = w.users.add("tunb")
    helper, key = w.users.add("tunc", key=True)
    tunnel = reverse_tunnel(w, w.net.inside, "10.20.0.2", 4812, helper, key)
    Client(w.net, None, ns=w.net.inside).ssh(name, "127.0.0.1", "id", password=PASSWORD,
                                             port=4812, check_rc=0)
    w.agent.session(account=name)
    w.settle()
    check(not told_of(w, "10.20.0.2"), brief(told_of(w, "10.20.0.2")))
    tunnel.kill()
    tunnel.wait(30)


def through_a_relay(w, port, ends, name):
    account, _ = w.users.add("tun%d" % port)
    outer = place(w)
    w.net.address(outer)
    meeting = start(w, w.net.ext, MEETING, outer, str(port))
    listening(meeting, port)
    there = "%s:%d" % (outer, port)
    relay = start(w, w.net.srv, RELAY, *(x or there for x in ends), name=name)
    c = Client(w.net, None)
    c.ssh(account, outer, "id", password=PASSWORD, port=port, check_rc=0)
    a = w.agent.alert(detection=ID, origin__address=outer)
    check("'%s'" % name in a["sentence"], "names the process", a)
    end(relay, meeting)
    return a


@case("journal")
def reverse_tool_of_any_name(w):
    a = through_a_relay(w, 4813, (None, "127.0.0.1:22"), "chrony-helper")
    check(a["severity"] == "high" and not a.get("reason"), "no daemon of that name is known", a)


@case("journal")
def a_tool_that_calls_itself_sshd(w):
    a = through_a_relay(w, 4823, (None, "127.0.0.1:22"), "sshd")
    check(a["severity"] == "critical" and a["reason"] == "masquerade", "how bad and why", a)
    check("calls itself 'sshd', but its program is '/usr/bin/python" in a["sentence"], "what it is",
          a)


@case("journal")
def reverse_tool_that_goes_out_last(w):
    through_a_relay(w, 4814, ("127.0.0.1:22", None), "updater")


@case("journal")
def reverse_tool_that_asks_inside_first(w):
    through_a_relay(w, 4818, ("127.0.0.1:22", "10.20.0.2:22", None), "resolver")


@case("journal")
def reverse_tool_by_the_hosts_own_address(w):
    through_a_relay(w, 4815, (None, w.server + ":22"), "sync-agent")


@case("journal")
def monitoring_agent_is_no_tunnel(w):
    outer = place(w)
    w.net.address(outer)
    sink = start(w, w.net.ext, "import socket, sys\nl = socket.socket()\n"
                 "l.bind((sys.argv[1], 4816)); l.listen()\nwhile True: l.accept()[0].recv(100)",
                 outer)
    listening(sink, 4816)
    m = start(w, w.net.srv, MONITOR, outer + ":4816")
    check(m.wait(20) == 0, "the monitor", m.stderr.read().decode())
    w.settle()
    check(not told_of(w, outer), brief(told_of(w, outer)))
    end(sink)


@case("journal")
def login_over_loopback_is_no_tunnel(w):
    name, _ = w.users.add("tunlo")
    Client(w.net, None, ns=w.net.srv).ssh(name, "127.0.0.1", "id", password=PASSWORD, check_rc=0)
    s = w.agent.session(account=name)
    check(s["origin"]["address"] == "127.0.0.1", "origin", s)
    w.settle()
    found = [a for a in w.agent.told() if a["detection"] == ID and a.get("session") == s["id"]]
    check(not found, brief(found))


@case("journal")
def origin_behind_a_local_proxy(w):
    name, _ = w.users.add("tunprx")
    p = start(w, w.net.srv, PROXY, "4817")
    listening(p, 4817)
    source = place(w)
    c = Client(w.net, source)
    c.guess(name, w.server, 6, port=4817)
    a = w.agent.alert(detection="auth.bruteforce", account=name)
    check(a["origin"]["address"] == source, "who guesses", a)
    c.ssh(name, w.server, "id", password=PASSWORD, port=4817, check_rc=0)
    w.agent.alert(detection="auth.bruteforce_success", account=name, origin__address=source)
    s = w.agent.session(account=name)
    check(s["origin"]["address"] == source, "the origin is the proxy's client", s)
    check(s["origin"]["source"] == "local-proxy", "and says by which proof", s)
    w.agent.alert(detection="access.external", account=name, origin__address=source)
    w.settle()
    check(not told_of(w, source), "a proxy is no tunnel: " + brief(told_of(w, source)))
    none = [a for a in w.agent.told(account=name) if a["detection"] == "sensor.mismatch"]
    check(not none, "an explained translation is no mismatch: " + brief(none))
    end(p)
