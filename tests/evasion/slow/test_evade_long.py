"""Attempts that take longer, or the whole host: ptrace, a stopped agent, a cleared log, slow and spread guessing,
TCP of one's own."""
import glob
import json
import os
import platform
import signal

from evasion import (AGENT, LESS, LOG, NOT, PASSWORD, PROCESSES, PYTHON, SERVER, SLOW, SOCKETS, attempt, borrow,
                     ended, given, program, root_session, session_ran, started, talk, told_of)
from harness import AGENT as BINARY
from harness import Client, Sshd, brief, check, in_parallel, json_lines, the_journal
from sandbox import TMP, Skip, run, wait_for
from services import port
from vpn import tun_device

agents = borrow("test_t_agents")

# Connects with extension headers or without, waits after the banner where it is told to, and relays.
PROXY = """import os, socket, sys, threading, time
source, host, port, how, name = sys.argv[1:6]
s = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET)
if how == 'headers':
    padding = bytes([0, 0, 1, 4, 0, 0, 0, 0])  # PadN
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_HOPOPTS, padding)
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_DSTOPTS, padding)
s.bind((source, 0)); s.connect((host, int(port)))
if how == 'waits':
    first = s.recv(4096); os.write(1, first); open(name + '.here', 'w').close()
    while not os.path.exists(name + '.go'): time.sleep(0.05)
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
    os.write(1, d)
"""


def proxy(source, host, number, how, name="-"):
    path = TMP + "/evasion-proxy.py"
    with open(path, "w") as f:
        f.write(PROXY)
    return ["-o", "ProxyCommand=%s %s %s %s %d %s %s" % (PYTHON, path, source, host, number, how, name)]


@attempt(SOCKETS, "IPv6 with extension headers (hop-by-hop and destination options) in every packet",
         "the session with its IPv6 origin, account and commands, and the client's algorithms (HASSH)")
def ipv6_with_extension_headers(w):
    name, key = w.users.add("exthdr", key=True)
    source, number = w.net.address("2001:db8:%x::2" % (0x100 + w.slice())), port()
    sshd = Sshd(w.net, w.net.srv, ["2001:db8:ffff::1"], port=number)
    Client(w.net, source).ssh(name, "2001:db8:ffff::1", "/bin/echo headers-mark", key=key, port=number, check_rc=0,
                              extra=proxy(source, "2001:db8:ffff::1", number, "headers"))
    s = session_ran(w, "headers-mark", account=name, origin__address=source)
    check(s.get("fingerprint", "").startswith("hassh:") and s["client"].startswith("SSH-2.0-"), "its client", s)
    sshd.stop()


def children(pid):
    with open("/proc/%d/task/%d/children" % (pid, pid)) as f:
        return list(map(int, f.read().split()))


@attempt(PROCESSES, "ptrace into sshd, so that it takes any password",
         "the session with origin, account and commands; the tracer among the commands of the session that did it",
         LESS, "that the password was wrong: the patched server says it was right, and who writes into another's memory "
         "passes no hook that every kernel has (tracepoints of ptrace do not exist, LSM programs are off on 5.10)",
         alone=True)
def ptrace_into_sshd(w):
    victim, _ = w.users.add("traced")
    name, source, as_root = root_session(w, "tracer")
    tool, number, come = given(name, "tracer.py"), port(), w.place()
    sshd = Sshd(w.net, w.net.srv, [w.server], port=number)
    at = TMP + "/traced"
    p = Client(w.net, come).ssh_open(victim, w.server, "/bin/echo traced-mark; sleep 1", password="wr0ng", port=number,
                                     extra=proxy(come, w.server, number, "waits", at))
    wait_for("a connection", lambda: os.path.exists(at + ".here"))
    served = children(sshd.proc.pid)
    check(len(served) == 1, "one process serves it", served)
    check(b"done" in as_root("python3 %s patch %d" % (tool, served[0])).stdout, "it is patched")
    open(at + ".go", "w").close()
    out, err = p.communicate(b"", timeout=40)
    check(b"traced-mark" in out, "a wrong password is taken", repr(err))
    s = session_ran(w, "traced-mark", account=victim)
    check(s["origin"]["address"] == come and s["origin"]["source"] == "socket", "whose connection", s)
    a = w.agent.alert(detection="access.external", account=victim)
    check(a["origin"]["address"] == come, "told", a)
    session_ran(w, "patch", account=name, origin__address=source)
    sshd.stop()


@attempt(PROCESSES, "ptrace into a program of another session, which becomes one of the intruder's choice",
         "the tracer among the commands of its session; the program, in the session that it runs in", LESS,
         "that the two belong together: no hook that every kernel has tells of ptrace", alone=True)
def ptrace_into_another_session(w):
    if platform.machine() != "x86_64":
        raise Skip("the registers that are set are x86-64's")
    victim, key = w.users.add("puppet", key=True)
    name, source, as_root = root_session(w, "puppeteer")
    tool, home = given(name, "tracer.py"), w.place()
    p = Client(w.net, home).ssh_open(victim, w.server, "echo $$; exec cat", key=key)
    pid = int(p.stdout.readline())
    wait_for("cat", lambda: open("/proc/%d/comm" % pid).read() == "cat\n")
    check(b"done" in as_root("python3 %s exec %d /bin/echo puppet-mark" % (tool, pid)).stdout, "traced")
    check(b"puppet-mark" in p.communicate(b"", timeout=30)[0], "it has become another program")
    session_ran(w, "exec", account=name, origin__address=source)
    s = session_ran(w, "puppet-mark", account=victim)
    check(s["origin"]["address"] == home, "where it ran", s)


def state_of(pid):
    with open("/proc/%d/stat" % pid) as f:
        return f.read().rpartition(")")[2].split()[0]


@attempt(AGENT, "the agent is stopped (SIGSTOP) by a session, and a login comes meanwhile",
         "the login with origin, account and commands as soon as it goes on (systemd's watchdog ends a stopped agent "
         "after a minute); who stopped it is among that session's commands", alone=True)
def agent_stopped_before_the_login(w):
    name, source, as_root = root_session(w, "stopper")
    other, key = w.users.add("unseen", key=True)
    come = w.place()
    pids = w.agent.family()
    as_root("/bin/kill -STOP " + " ".join(map(str, pids)))
    try:
        wait_for("the agent to stand still", lambda: all(
            state_of(p) == "T" for p in pids))
        Client(w.net, come).ssh(other, w.server, "/bin/echo stopped-mark", key=key, check_rc=0)
    finally:
        for p in pids:
            os.kill(p, signal.SIGCONT)
    s = session_ran(w, "stopped-mark", account=other)
    check(s["origin"]["address"] == come and s["origin"]["source"] == "socket", "who came meanwhile", s)
    w.agent.alert(detection="access.external", account=other, origin__address=come)
    session_ran(w, "-STOP", account=name, origin__address=source)


@attempt(LOG, "root in a session deletes the journal's archives and empties wtmp, btmp and lastlog",
         "the session as it was, and the deletion among its commands; alerts are in the agent's own store and chained",
         alone=True)
def logs_deleted_afterwards(w):
    name, source, as_root = root_session(w, "cleaner")
    as_root("/bin/echo before-the-wipe")
    w.agent.alert(detection="access.external", account=name)
    check(the_journal().lines(source), "sshd's lines were there")
    as_root("sh -c 'kill -USR2 %d; sleep 1; rm -f /run/log/journal/*/system@*; for f in wtmp btmp lastlog; do : > "
            "/var/log/$f; done; /bin/echo wipe-mark'" % the_journal().proc.pid)
    check(not glob.glob("/run/log/journal/*/system@*"), "the archives are gone")
    session_ran(w, "wipe-mark", account=name, origin__address=source)
    session_ran(w, "before-the-wipe", account=name, origin__address=source)
    check([a for a in w.agent.stored_alerts() if a.get("account") == name and
           a["detection"] == "access.external"], "the alert is in the store")
    check(b"Nothing was deleted" in w.agent.cli("verify", "--store", w.agent.store).stdout, "the store is whole")


# --- guesses

@attempt(SLOW, "five guesses, one below every threshold, then the right password",
         "the session with origin and account, and that five guesses went before it (`failures_before`)", LESS,
         "no alert of the guesses alone: mistakes of people look the same")
def five_guesses_and_in(w):
    name, _ = w.users.add("patient")
    source = w.place()
    c = Client(w.net, source)
    c.guess(name, w.server, 5)
    c.ssh(name, w.server, "/bin/echo patient-mark", password=PASSWORD, check_rc=0)
    s = session_ran(w, "patient-mark", account=name, origin__address=source)
    check(s["failures_before"] == 5, "what went before it", s)
    a = w.agent.alert(detection="access.external", account=name)
    check(a["origin"]["address"] == source, "told", a)
    check(not [x for x in told_of(w, source) if x["detection"].startswith("auth.")], brief(told_of(w, source)))


def replayed(name, lines):
    path = "%s/%s.log" % (TMP, name)
    with open(path, "w") as f:
        f.writelines(lines)
    out = run([BINARY, "replay", "--alerts", path], timeout=120).stdout
    return json_lines(out, "replay")


def line(day, second, text):
    return "Mar %2d %02d:%02d:%02d host sshd[%d]: %s ssh2\n" % (
        day, second // 3600, second // 60 % 60, second % 60, 1000 + second % 30000, text)


@attempt(SLOW, "twenty guesses a day for ten days, an hour and more apart, then the right password",
         "the session (`access.external`) with its origin; the guesses as a number in each day's `auth.noise`", LESS,
         "no alert of the guesser: below twenty-one a day they are within what people mistype (`auth.slow_bruteforce`; "
         "the number is a parameter)")
def slow_guesses_for_ten_days(w):
    bad = "Failed password for alice from 203.0.113.77 port %d"
    lines = [line(day, 4200 * i, bad % (2000 + i)) for day in range(1, 11) for i in range(20)]
    lines.append(line(11, 4200, "Accepted password for alice from 203.0.113.77 port 4000"))
    told = replayed("slow", lines)
    check([a for a in told if a["detection"] == "access.external" and a["account"] == "alice" and
           a["origin"]["address"] == "203.0.113.77"], "who came: " + brief(told))
    faster = [line(1, 4000 * i, bad % (2000 + i)) for i in range(21)]
    told = [a["detection"] for a in replayed("faster", faster)]
    check("auth.slow_bruteforce" in told, "one more a day is told", told)


@attempt(SLOW, "one guess from each of 10,000 addresses at one account",
         "`auth.distributed` with the account and the number of networks; who then gets in, with the right password, "
         "as `auth.bruteforce_success`")
def one_guess_from_each_of_10000(w):
    lines = [line(1, i // 20, "Failed password for alice from 198.%d.%d.%d port %d" % (
        18 + i // 5000, i // 20 % 250, i % 20 + 1, 1025 + i)) for i in range(10000)]
    lines.append(line(1, 501, "Accepted password for alice from 203.0.113.78 port 4000"))
    told = replayed("spread", lines)
    a = [a for a in told if a["detection"] == "auth.distributed"]
    check(len(a) == 1 and a[0]["account"] == "alice" and a[0]["count"] >= 10, "told once: " + brief(told))
    a = [a for a in told if a["detection"] == "auth.bruteforce_success"]
    check(len(a) == 1 and a[0]["origin"]["address"] == "203.0.113.78" and a[0]["severity"] == "medium",
          "who got in: " + brief(told))


@attempt(SLOW, "one guess from each of 24 networks, live", "`auth.distributed` with the account")
def one_guess_from_each_of_24_networks(w):
    name, _ = w.users.add("spread")
    sources = ["198.19.%d.7" % (100 + i) for i in range(24)]
    in_parallel([lambda a=a: Client(w.net, a).guess(name, w.server, 1) for a in sources])
    a = w.agent.alert(detection="auth.distributed", account=name)
    check(a["count"] >= 10, "how many", a)
    check(not [x for x in w.agent.told(account=name) if x["detection"] == "auth.bruteforce"], "no single source")


# --- no socket at all

def own_tcp(w, *control):
    """A server whose TCP is its own; returns it. Packets for its address go through this host."""
    address = "192.0.2.253"
    tun_device()
    run(w.net.inside_ns(w.net.srv, ["sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"]))
    mac = json.loads(run(["ip", "-j", "-n", w.net.srv, "link", "show", "s0"]).stdout)[0]["address"]
    run(["ip", "-n", w.net.ext, "neigh", "replace", address, "lladdr", mac, "dev", "e0", "nud", "permanent"])
    return address, started(w, w.net.srv, PYTHON, program("usertcp.py"), "tcp", address, 4499, *control)


@attempt(SOCKETS, "TCP of one's own on a TUN device, a shell on a terminal behind it", "nothing", NOT,
         "packets of a TUN device end in the descriptor of a process: there is no socket, no accept and no peer that any "
         "hook of sockets could tell", alone=True)
def user_space_tcp(w):
    source = w.place()
    address, p = own_tcp(w)
    got = talk(w, source, address, 4499, "1:id", "3:/bin/echo tun-mark", "1:")
    check(b"uid=0" in got and b"tun-mark" in got, "the shell works", got, p.poll())
    w.settle()
    told = told_of(w, source)
    check(not told and not w.agent.sessions(origin__address=source), "told after all: " + brief(told))
    check("tun-mark" not in json.dumps(w.agent.query("sessions")), "in a session after all")
    ended(p)


@attempt(SOCKETS, "TCP of one's own by a tool that keeps a connection to its operator (Tailscale's ssh)",
         "`access.agent_session`: the program, its shell and what it runs", LESS,
         "the client's own address: its packets end in the tool, and what goes out is the operator's relay", alone=True)
def user_space_tcp_of_a_tool(w):
    source, outer = w.place(), w.place()
    far = agents.far_end(w, w.net.ext, outer, 4437)
    address, p = own_tcp(w, outer, 4437)
    got = talk(w, source, address, 4499, "1:id", "3:/bin/echo tool-mark", "1:")
    check(b"uid=0" in got and b"tool-mark" in got, "the shell works", got, p.poll())
    a = w.agent.alert(detection="access.agent_session", origin__address=outer)
    check(a["severity"] == "high" and "usertcp.py" in a["sentence"], "which program", a)
    session_ran(w, "tool-mark", service="agent", origin__address=outer)
    ended(p, far)


@attempt(SERVER, "a shell by UDP, on a terminal", "nothing of the session", NOT,
         "a UDP socket that serves many has no peer and no accept; sendto and recvfrom pass no hook that does not run for "
         "every datagram of the host", alone=True)
def shell_by_udp(w):
    source = w.place()
    p = started(w, w.net.srv, PYTHON, program("usertcp.py"), "udp", w.server, 4498)
    got = talk(w, source, w.server, 4498, "1:id", "3:/bin/echo udp-mark", "1:", kind="udp")
    check(b"uid=0" in got and b"udp-mark" in got, "the shell works", got)
    w.settle()
    told = told_of(w, source)
    check(not told and "udp-mark" not in json.dumps(w.agent.query("sessions")), "told after all: " + brief(told))
    ended(p)
