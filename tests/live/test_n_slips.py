"""Ways to slip out of a session's sight, and servers that accept for others."""
import json
import subprocess

from cases import case
from harness import Client, check, in_parallel
from sandbox import TMP, wait_for
from test_c_main_job import PASSWORD, none_of, place

MEMFD = """import os
fd = os.memfd_create('innocent'); os.write(fd, open('/bin/echo', 'rb').read())
os.execve(fd, ['memfd-mark'], {})"""

DOUBLE_FORK = """import os, time
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
for fd in range(3): os.close(fd)
time.sleep(1); os.execv('/bin/echo', ['double-fork-mark'])"""


def root_runs(w, stem, *commands):
    """A session that becomes root by sudo; its commands as they were seen."""
    name, key = w.users.add(stem, key=True)
    with open("/etc/sudoers.d/og-%s" % name, "w") as f:
        f.write("%s ALL=(ALL) NOPASSWD: ALL\n" % name)
    c = Client(w.net, place(w))
    for command in commands:
        c.ssh(name, w.server, command, key=key, check_rc=0)
    return name


def seen_in(w, name, *marks):
    for mark in marks:
        w.agent.session(account=name, timeout=30,
                        test=lambda s: [c for c in s["commands"] if mark in c["text"].split()])


@case("journal")
def double_fork_and_setsid(w):
    name, key = w.users.add("dfork", key=True)
    script = "/home/%s/d.py" % name
    with open(script, "w") as f:
        f.write(DOUBLE_FORK)
    Client(w.net, place(w)).ssh(name, w.server, "python3 d.py; nohup sh -c 'sleep 1; exec /bin/echo "
                                "nohup-mark' >/dev/null 2>&1 &", key=key, check_rc=0)
    seen_in(w, name, "double-fork-mark", "nohup-mark")
    w.agent.session(account=name, state="closed")


@case("journal")
def a_program_without_a_file(w):
    name, key = w.users.add("memfd", key=True)
    with open("/home/%s/m.py" % name, "w") as f:
        f.write(MEMFD)
    Client(w.net, place(w)).ssh(name, w.server, "python3 m.py", key=key, check_rc=0)
    seen_in(w, name, "memfd-mark")


@case("journal")
def other_roots_and_namespaces(w):
    name = root_runs(w, "chroot", "sudo -n chroot / /bin/echo chroot-mark",
                     "sudo -n unshare -m -p -n -f /bin/echo unshare-mark",
                     "sudo -n nsenter -t $$ -m -n /bin/echo nsenter-mark")
    seen_in(w, name, "chroot-mark", "unshare-mark", "nsenter-mark")


# Two accepted before either child starts; then something that serves nobody.
SUPERVISOR = """
import socket, subprocess, sys
s = socket.socket(socket.AF_INET); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind((sys.argv[1], 2294)); s.listen(64)
two = [s.accept() for _ in range(2)]
for c, peer in reversed(two):
    subprocess.Popen(['/usr/sbin/sshd', '-i', '-f', sys.argv[2]], stdin=c, stdout=c)
subprocess.Popen(['/bin/sh', '-c', '/bin/echo timer-mark; sleep 2; /bin/echo timer-mark'])
for c, peer in two: c.close()
s.accept()
"""


@case("journal")
def two_accepted_before_either_is_served(w):
    people = [w.users.add("inetd%d" % i)[0] for i in range(2)]
    places = [place(w) for _ in people]
    config = TMP + "/inetd-config"
    key = TMP + "/inetd-hostkey"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    with open(config, "w") as f:
        f.write("HostKey %s\nUsePAM yes\nPasswordAuthentication yes\nPidFile none\n" % key)
    p = subprocess.Popen(w.net.inside_ns(w.net.srv, [
        "/usr/bin/python3", "-c", SUPERVISOR, w.server, config]), stdout=subprocess.DEVNULL)

    def listens():
        with open("/proc/%d/net/tcp" % p.pid) as f:
            return ":08F6 00000000:0000 0A" in f.read()
    wait_for("the supervisor", listens)

    def login(i):
        return lambda: Client(w.net, places[i]).ssh(
            people[i], w.server, "/bin/echo mark-%d; sleep 3" % i, password=PASSWORD, port=2294,
            check_rc=0)
    in_parallel([login(0), login(1)])
    for i, name in enumerate(people):
        s = w.agent.session(account=name, test=lambda s: s["commands"])
        check(s["origin"]["address"] == places[i], "whose connection", s)
        ran = json.dumps(s["commands"])
        check("mark-%d" % i in ran and "mark-%d" % (1 - i) not in ran and "timer" not in ran,
              "what ran in it, and nothing of others", s)
    w.settle()
    none_of(w, ("access.shell_without_auth", "sensor.mismatch"), account=people[0])
    p.kill()
    p.wait(30)


# An MPTCP listener; says what the accepted socket is (SO_PROTOCOL is 38)
MPTCP_SERVER = """
import socket, subprocess, sys
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind((sys.argv[1], 2292)); s.listen(64)
print('ready', flush=True)
while True:
    c, peer = s.accept()
    print(c.getsockopt(socket.SOL_SOCKET, 38), flush=True)
    subprocess.Popen(['/usr/sbin/sshd', '-i', '-f', sys.argv[2]], stdin=c, stdout=c)
    c.close()
"""

# stdin and stdout over MPTCP, or over TCP when the last argument says so
MPTCP_CLIENT = """
import os, select, socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, int(sys.argv[4]))
s.bind((sys.argv[1], 0)); s.connect((sys.argv[2], int(sys.argv[3])))
while True:
    for f in select.select([0, s], [], [])[0]:
        d = os.read(0, 65536) if f == 0 else s.recv(65536)
        if not d: sys.exit()
        s.sendall(d) if f == 0 else os.write(1, d)
"""


@case("journal")
def mptcp_by_either_kind_of_client(w):
    """What a process holds is no TCP socket, and its subflows are held by nobody."""
    config, key, script = (TMP + "/mptcp-" + x for x in ("config", "hostkey", "client"))
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    with open(config, "w") as f:
        f.write("HostKey %s\nUsePAM yes\nPasswordAuthentication yes\nPidFile none\n" % key)
    with open(script, "w") as f:
        f.write(MPTCP_CLIENT)
    p = subprocess.Popen(w.net.inside_ns(w.net.srv, [
        "/usr/bin/python3", "-c", MPTCP_SERVER, w.server, config]), stdout=subprocess.PIPE)
    check(p.stdout.readline() == b"ready\n", "the listener")
    for protocol in (262, 6):
        name, _ = w.users.add("mptcp%d" % protocol)
        source = w.net.address(place(w))
        proxy = "ProxyCommand=/usr/bin/python3 %s %s %%h %%p %d" % (script, source, protocol)
        c = Client(w.net, None)
        c.ssh(name, w.server, "/bin/echo mark; head -c 300000 /dev/zero", password=PASSWORD,
              port=2292, extra=["-o", proxy], check_rc=0)
        check(int(p.stdout.readline()) == protocol, "what the server accepted")
        s = w.agent.session(account=name, state="closed", test=lambda s: s["commands"])
        check(s["origin"]["address"] == source and s["origin"]["port"], "origin", s)
        check(s["method"] == "password" and [x for x in s["commands"] if "mark" in x["text"]],
              "how, and what ran", s)
        check(s["bytes_out"] > 300000, "bytes, of all subflows", s)
        w.agent.alert(detection="access.external", account=name, origin__address=source)
        check(len(w.agent.sessions(account=name)) == 1, "one session")
    w.settle()
    none_of(w, ("sensor.blind", "sensor.mismatch"), local__port=2292)
    p.kill()
    p.wait(30)
