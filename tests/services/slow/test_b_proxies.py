"""Who stands in front of sshd: the origin is the client where there is proof, and nobody is framed where not."""
import json
import os
import subprocess
import time

from cases import case
from harness import Client, brief, check
from sandbox import run, wait_for
from services import PASSWORD, Server, client, directory, listening, one_session, port

# An sshd behind something that takes a PROXY header off, as mmproxy does: reads it, then starts `sshd -i`.
TAKER = """import socket, subprocess, sys
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind((sys.argv[1], 22)); s.listen(64)
def get(c, n):
    data = b''
    while len(data) < n:
        more = c.recv(n - len(data))
        if not more: raise OSError
        data += more
    return data
while True:
    c, peer = s.accept()
    try:
        head = get(c, 1)
        if head == b'P':
            while not head.endswith(b'\\r\\n'): head += get(c, 1)
        elif head == b'\\r':
            head += get(c, 15); get(c, int.from_bytes(head[14:16], 'big'))
        subprocess.Popen(sys.argv[2:], stdin=c, stdout=c)
    except OSError: pass
    c.close()
"""
HAPROXY = """defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend f
  bind %s:%d
  default_backend b
backend b
  source %s
  server s %s:22 send-proxy-v2
"""
TRUSTED = "203.0.113.20"  # as test_a_xrdp.py configures


def taker(w):
    """Listens on port 22 of an address of its own."""
    server = "192.0.2.%d" % w.slice()
    at = directory("taker-" + server)
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", at + "/hostkey"])
    with open(at + "/config", "w") as f:
        f.write("HostKey %s/hostkey\nUsePAM yes\nPasswordAuthentication yes\nKbdInteractiveAuthentication no\n"
                "UseDNS no\nPidFile none\n" % at)
    Server(w, ["/usr/bin/python3", "-c", TAKER, server, "/usr/sbin/sshd", "-i", "-f", at + "/config"], [22])
    return server


@case("services-slow")
def haproxy_with_proxy_v2(w):
    server, front = taker(w), port()
    w.net.address(TRUSTED)
    conf = directory("haproxy") + "/%d" % front
    with open(conf, "w") as f:
        f.write(HAPROXY % (TRUSTED, front, TRUSTED, server))
    h = Server(w, ["/usr/sbin/haproxy", "-db", "-f", conf], [front], ns=w.net.ext)
    people = [w.users.add("hap%d" % i)[0] for i in range(2)]
    sources = [w.place() for _ in people]
    for name, source in zip(people, sources):
        client(w, source).guess(name, TRUSTED, 3, port=front)
    open_ = [client(w, source).ssh_open(name, TRUSTED, "/bin/echo %s-mark; read x" % name, password=PASSWORD,
                                        port=front) for name, source in zip(people, sources)]
    for p in open_:
        check(p.stdout.readline().endswith(b"-mark\n"), "logged in", repr(p.stderr.read() if p.poll() else b""))
    for p in reversed(open_):
        p.communicate(b"\n", timeout=20)
    for name, source in zip(people, sources):
        s = one_session(w, source, "ssh", name, state="closed")
        by = s["origin"]["via"][0]["address"]
        check(s["origin"]["source"] == "trusted-proxy" and by == TRUSTED, "by whose word", s)
        check(s["failures_before"] == 3, "his failures, and nobody else's", s)
        check(name + "-mark" in json.dumps(s["commands"]), "whose commands", s)
        check(s["bytes_in"] > 0 and s["bytes_out"] > 0, "bytes", s)
    h.stop()


@case("services-slow")
def a_header_from_anybody_else_is_a_claim(w):
    server = taker(w)
    name, _ = w.users.add("hapforge")
    source = w.place()
    say = ("import os, socket, sys, threading\n"
           "s = socket.create_connection((sys.argv[2], 22), 10, (sys.argv[1], 0))\n"
           "s.sendall(b'PROXY TCP4 198.51.100.77 192.0.2.1 4711 22\\r\\n')\n"
           "def up():\n"
           "    while True:\n"
           "        d = os.read(0, 65536)\n"
           "        if not d: break\n"
           "        s.sendall(d)\n"
           "    s.shutdown(socket.SHUT_WR)\n"
           "threading.Thread(target=up, daemon=True).start()\n"
           "while True:\n"
           "    d = s.recv(65536)\n"
           "    if not d: break\n"
           "    os.write(1, d)\n")
    path = directory("forge") + "/forge.py"
    with open(path, "w") as f:
        f.write(say)
    client(w, source).ssh(name, server, "id", password=PASSWORD, check_rc=0,
                          extra=["-o", "ProxyCommand=/usr/bin/python3 %s %s %s" % (path, source, server)])
    s = one_session(w, source, "ssh", name, state="closed")
    check(s["origin"]["source"] == "socket", "whose word counts", s)
    check(s["origin_claimed"]["address"] == "198.51.100.77", "and what was claimed", s)
    w.settle()
    told = w.agent.told(origin__address="198.51.100.77")
    check(not told, "the claim frames nobody: " + brief(told))


def behind_a_local_proxy(w, stem, argv, number, extra=(), ports=None):
    """A login through a proxy of this host that serves each client by a process of its own."""
    h = Server(w, argv, ports or [number])
    name, _ = w.users.add(stem)
    source = w.place()
    c = client(w, source)
    c.guess(name, w.server, 3, port=number, extra=extra)
    c.ssh(name, w.server, "/bin/echo %s-mark" % stem, password=PASSWORD, port=number, check_rc=0, extra=extra)
    s = one_session(w, source, "ssh", name, state="closed")
    check(s["origin"]["source"] == "local-proxy" and s["failures_before"] == 3, "by which proof, after what", s)
    check(stem + "-mark" in json.dumps(s["commands"]), "what ran", s)
    check(s["bytes_in"] > 0 and s["bytes_out"] > 0, "bytes", s)
    w.settle()
    told = [a for a in w.agent.told(origin__address=source) if a["detection"] in
            ("access.loopback_forwarded", "sensor.mismatch")]
    check(not told, "a proxy is no tunnel: " + brief(told))
    h.stop()


@case("services-slow")
def sslh_in_front_of_sshd(w):
    n = port()
    behind_a_local_proxy(w, "sslh", ["/usr/sbin/sslh", "-f", "-n", "-u", "sslh", "-p", "%s:%d" % (w.server, n),
                                     "--ssh", "127.0.0.1:22"], n)


@case("services-slow")
def socat_in_front_of_sshd(w):
    n = port()
    behind_a_local_proxy(w, "socat", ["/usr/bin/socat", "TCP4-LISTEN:%d,bind=%s,reuseaddr,fork" % (n, w.server),
                                      "TCP4:127.0.0.1:22"], n)


@case("services-slow")
def stunnel_in_front_of_sshd(w):
    n = port()
    at = directory("stunnel-%d" % n)
    run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-keyout", at + "/key",
         "-out", at + "/cert"])
    with open(at + "/conf", "w") as f:
        f.write("foreground = yes\npid =\ncert = %s/cert\nkey = %s/key\n[ssh]\naccept = %s:%d\n"
                "connect = 127.0.0.1:22\n" % (at, at, w.server, n))
    h = Server(w, ["/usr/bin/stunnel4", at + "/conf"], [n])
    name, _ = w.users.add("stunnel")
    source = w.place()
    tls = ["-o", "ProxyCommand=openssl s_client -quiet -connect %s:%d -bind %s" % (w.server, n, source)]
    client(w, source).ssh(name, w.server, "/bin/echo stunnel-mark", password=PASSWORD, check_rc=0, extra=tls)
    s = one_session(w, source, "ssh", name, state="closed")
    check(s["origin"]["source"] == "local-proxy", "by which proof", s)
    check("stunnel-mark" in json.dumps(s["commands"]), "what ran", s)
    h.stop()


@case("services-slow")
def nat_on_the_way(w):
    """A port that this host redirects keeps its client; who comes by another host's address is that host."""
    n = port()
    rules = ("table ip og%d { chain pre { type nat hook prerouting priority -100\n"
             " ip daddr %s tcp dport %d redirect to :22\n }\n}\n" % (n, w.server, n))
    run(w.net.inside_ns(w.net.srv, ["nft", "-f", "-"]), input=rules.encode())
    name, _ = w.users.add("redir")
    source = w.place()
    client(w, source).ssh(name, w.server, "id", password=PASSWORD, port=n, check_rc=0)
    s = one_session(w, source, "ssh", name, state="closed")
    check(s["origin"]["source"] == "socket", "the redirection hides nobody", s)
    router, hidden = w.place(), w.place()
    rules = ("table ip og%d { chain post { type nat hook postrouting priority 100\n"
             " ip saddr %s snat to %s\n }\n}\n" % (n, hidden, router))
    run(w.net.inside_ns(w.net.ext, ["nft", "-f", "-"]), input=rules.encode())
    name, _ = w.users.add("snat")
    client(w, hidden).ssh(name, w.server, "id", password=PASSWORD, check_rc=0)
    one_session(w, router, "ssh", name, state="closed")
    check(not w.agent.sessions(origin__address=hidden), "what is behind it cannot be known")


# --- what leads outside by itself, and what outlives the connection

@case("services-slow")
def socat_from_inside_is_a_tunnel(w):
    """`socat TCP:relay TCP:localhost:22`, the poor man's reverse tunnel."""
    name, _ = w.users.add("rsocat")
    outer, n = w.place(), port()
    relay = Server(w, ["/usr/bin/socat", "TCP4-LISTEN:%d,bind=%s,reuseaddr" % (n, outer),
                       "TCP4-LISTEN:%d,bind=%s,reuseaddr" % (n + 500, outer)], [n], ns=w.net.ext)
    tunnel = subprocess.Popen(w.net.inside_ns(w.net.srv, ["/usr/bin/socat", "TCP4:%s:%d" % (outer, n),
                                                          "TCP4:127.0.0.1:22"]), stdin=subprocess.DEVNULL)
    wait_for("the relay's other end", lambda: listening(relay.proc.pid, n + 500))
    Client(w.net, None).ssh(name, outer, "id", password=PASSWORD, port=n + 500, check_rc=0)
    a = w.agent.alert(detection="access.loopback_forwarded", origin__address=outer)
    check("'socat'" in a["sentence"] and "pid %d" % tunnel.pid in a["sentence"], "what it is", a)
    tunnel.kill()
    tunnel.wait(10)
    relay.stop()


@case("services-slow")
def mosh_outlives_its_ssh(w):
    name, key = w.users.add("mosh", key=True)
    source = w.place()
    out = client(w, source).ssh(name, w.server, "mosh-server new -s -c 256 -l LANG=C.UTF-8", key=key,
                                check_rc=0).stdout.decode()
    words = [x for x in out.splitlines() if x.startswith("MOSH CONNECT")][0].split()
    s = w.agent.session(account=name, origin__address=source, state="lingering")
    env = dict(os.environ, MOSH_KEY=words[3], TERM="xterm", LANG="C.UTF-8", LC_ALL="C.UTF-8")
    talk = "stty rows 24 cols 80; mosh-client %s %s" % (w.server, words[2])
    p = subprocess.Popen(w.net.inside_ns(w.net.ext, ["script", "-qfc", talk, "/dev/null"]), stdin=subprocess.PIPE,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)
    time.sleep(1)  # what is typed before the client has its terminal is lost
    for line in b"/bin/echo in-mosh\n", b"bash -c 'exec 3<>/dev/tcp/10.20.0.2/22; head -c 4 <&3'\n":
        p.stdin.write(line)
        p.stdin.flush()
    w.agent.session(account=name, test=lambda x: "in-mosh" in json.dumps(x["commands"]) and x["id"] == s["id"],
                    timeout=20)
    w.agent.alert(detection="activity.lateral_movement", account=name, timeout=20)
    p.stdin.write(b"exit\n")
    p.stdin.flush()
    w.agent.session(account=name, state="closed", timeout=20)
    check(len(w.agent.sessions(account=name)) == 1, "it is the ssh session still", w.agent.sessions(account=name))
    p.kill()
    p.wait(10)
