"""What a client says first: its banner and algorithms, as the kernel saw them go by."""
import hashlib

from cases import case
from harness import Client, Sshd, check
from sandbox import run
from test_c_main_job import PASSWORD, place


def offered(c, w, name, to=None, port=22):
    """HASSH of what this ssh says that it offers: the lists of its own debug output."""
    p = run(c.argv("ssh", ["-vvv", "-l", name, to or w.server, "true"], password=PASSWORD, port=port,
                   extra=["-o", "LogLevel=DEBUG3"]), check=False)
    text = p.stderr.decode()
    mine = text[text.index("local client KEXINIT proposal"):text.index("peer server KEXINIT")]

    def of(what):
        return [x.split(": ", 2)[2].strip() for x in mine.splitlines() if ": " + what + ": " in x][0]
    lists = [of("KEX algorithms"), of("ciphers ctos"), of("MACs ctos"), of("compression ctos")]
    return hashlib.md5(";".join(lists).encode()).hexdigest()


@case("journal")
def what_an_ssh_client_says_first(w):
    name, _ = w.users.add("first")
    source = place(w)
    wanted = offered(Client(w.net, source), w, name)
    s = w.agent.session(account=name, origin__address=source)
    version = run(["ssh", "-V"]).stderr.decode().split()[0].strip(",")
    check(s.get("client", "").startswith("SSH-2.0-" + version), "its banner", s)
    check(s.get("fingerprint") == "hassh:" + wanted, "its algorithms", wanted, s)


@case("journal")
def first_bytes_one_at_a_time(w):
    """A client that sends its banner byte by byte is the same client; one that stays silent costs
    nothing."""
    name, _ = w.users.add("firstb")
    source = place(w)
    dribble = ("import os, socket, sys, threading, time\n"
               "s = socket.create_connection((sys.argv[2], 22), 10, (sys.argv[1], 0))\n"
               "s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)\n"
               "def up():\n"
               "    n = 0\n"
               "    while True:\n"
               "        d = os.read(0, 65536)\n"
               "        if not d: break\n"
               "        while d and n < 60: s.sendall(d[:1]); d = d[1:]; n += 1; time.sleep(0.002)\n"
               "        if d: s.sendall(d)\n"
               "    s.shutdown(socket.SHUT_WR)\n"
               "threading.Thread(target=up, daemon=True).start()\n"
               "while True:\n"
               "    d = s.recv(65536)\n"
               "    if not d: break\n"
               "    os.write(1, d)\n")
    path = "/run/og/dribble.py"
    with open(path, "w") as f:
        f.write(dribble)
    c = Client(w.net, source)
    c.ssh(name, w.server, "id", password=PASSWORD, check_rc=0,
          extra=["-o", "ProxyCommand=/usr/bin/python3 %s %s %s" % (path, source, w.server)])
    s = w.agent.session(account=name, origin__address=source)
    check(s.get("fingerprint", "").startswith("hassh:") and s["client"].startswith("SSH-2.0-"),
          "what it is", s)


@case("journal")
def ipv6_clients_say_the_same(w):
    name, _ = w.users.add("first6")
    source = "2001:db8:%x::2" % (0x100 + w.slice())
    Sshd(w.net, w.net.srv, ["2001:db8:ffff::1"], port=2207)
    c = Client(w.net, source)
    wanted = offered(c, w, name, "2001:db8:ffff::1", 2207)
    s = w.agent.session(account=name, origin__address=source)
    check(s.get("fingerprint") == "hassh:" + wanted, "its algorithms", wanted, s)
