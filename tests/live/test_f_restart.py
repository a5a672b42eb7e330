"""The agent comes late, is stopped, or is killed: what was written stays, what lives is found,
and what the journal kept is told. Each case has an agent of its own."""
import json
import os
import random
import subprocess
import time

from cases import case, world
from harness import (Agent, Client, Sshd, World, brief, check, fingerprint, in_parallel,
                     the_journal)
from sandbox import TMP, run, wait_for
from test_c_main_job import PASSWORD, place


@world("restart")
def restart(net, users):
    the_journal()
    w = World("restart", net, users)
    w.agent_per_case = True
    w.start_common()
    Sshd(net, net.inside, ["10.20.0.2"], port=2022)
    return w


def fresh(w, name):
    """The world's agent is now a new one with an empty store, not yet started."""
    w.agent = Agent(name, "")
    return w.agent


@case("restart", alone=True)
def agent_after_the_session_finds_it(w):
    name, key = w.users.add("early", key=True)
    source = place(w)
    c = Client(w.net, source)
    p = c.ssh_open(name, w.server, "echo $SSH_CONNECTION; read x; /bin/echo late-mark; "
                   "exec 3<>/dev/tcp/10.20.0.2/2022; read y <&3", key=key)
    port = int(p.stdout.readline().split()[1])
    agent = fresh(w, "late").start()
    s = agent.session(account=name, origin__address=source)
    check(s["existing"] is True and s["state"] == "open", "found, and marked as existing", s)
    check(s["origin"]["port"] == port and s["service"] == "ssh", "its origin", s)
    c.ssh(name, w.server, "id", key=key, check_rc=0)
    w.settle()
    new = [x for x in agent.sessions(account=name) if not x.get("existing")]
    check(len(new) == 1, "a login after the start is not existing", agent.sessions(account=name))
    p.communicate(b"\n", timeout=30)
    agent.session(account=name, id=s["id"], test=lambda x: "late-mark" in json.dumps(x) and
                  x["state"] in ("closed", "lingering"))
    agent.session(id=s["id"], test=lambda x: "10.20.0.2" in json.dumps(x["destinations"]))
    told = [a for a in agent.told(account=name) if a["detection"].startswith("auth.")]
    check(not told, "no attempt is invented: " + brief(told))
    agent.stop()


@case("restart", alone=True)
def nothing_is_found_where_nothing_is(w):
    """The near miss: a connection that never logged in is no existing session."""
    source = place(w)
    w.net.address(source)
    p = subprocess.Popen(w.net.inside_ns(w.net.ext, [
        "/usr/bin/python3", "-c", "import socket,sys;s=socket.create_connection((sys.argv[1],22),"
        "5,(sys.argv[2],0));s.recv(1);print('up',flush=True);sys.stdin.read()", w.server, source]),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    check(p.stdout.readline() == b"up\n", "connected")
    agent = fresh(w, "nothing").start()
    w.settle()
    check(not agent.sessions(origin__address=source), "a session before any login")
    p.communicate(b"")
    agent.stop()


@case("restart", alone=True)
def orderly_restart_keeps_everything(w):
    """Windows, open sessions and alerts survive SIGTERM and a new start; nothing is told twice."""
    name, key = w.users.add("order", key=True)
    source = place(w)
    c = Client(w.net, source)
    agent = fresh(w, "order").start()
    p = c.ssh_open(name, w.server, "read x", key=key)
    s = agent.session(account=name, state="open")
    c.guess(name, w.server, 4)
    w.settle()
    before = {a["id"]: a for a in agent.stored_alerts()}
    agent.stop()
    agent.start()
    again = agent.session(id=s["id"], state="open")
    check(again["existing"] is True and again["account"] == name, "the same session, same id",
          again)
    c.guess(name, w.server, 2)
    a = agent.alert(detection="auth.bruteforce", account=name)
    check(a["count"] == 6, "four before and two after the restart are six", a)
    w.settle()
    after = {a["id"]: a for a in agent.stored_alerts()}
    check(set(before) <= set(after), "an alert was lost", sorted(set(before) - set(after)))
    revisions = [(x["id"], x["revision"]) for x in lines_of(agent)]
    check(len(revisions) == len(set(revisions)), "told twice", revisions)
    p.communicate(b"\n", timeout=30)
    agent.session(id=s["id"], state="closed")
    check(len(agent.sessions(origin__address=source)) == 1, "one session, not one a start",
          agent.sessions(origin__address=source))
    agent.stop()


def lines_of(agent):
    return [json.loads(x) for x in agent.raw().splitlines() if x]


@case("restart", alone=True)
def killed_while_dead_is_told(w):
    """What happened while the agent was dead is in the journal, and is told after the start."""
    name, _ = w.users.add("dead")
    other, key = w.users.add("deadlive", key=True)
    source = place(w)
    c = Client(w.net, source)
    agent = fresh(w, "dead").start()
    w.settle()
    agent.kill()
    c.guess(name, w.server, 6)
    c.ssh(name, w.server, "id", password=PASSWORD, check_rc=0)
    p = c.ssh_open(other, w.server, "read x", key=key)
    wait_for("the login is in the journal",
             lambda: the_journal().lines("Accepted publickey for " + other))
    agent.start()
    s = agent.session(account=other, state="open")
    check(s["origin"]["address"] == source and s["method"] == "publickey" and
          (s["existing"] or s["commands"]), "found alive, or told as the hooks saw it", s)
    a = agent.alert(detection="auth.bruteforce", account=name, origin__address=source)
    check(a["count"] == 6, "from the journal", a)
    agent.alert(detection="auth.bruteforce_success", account=name, origin__address=source)
    agent.alert(detection="access.external", account=name, origin__address=source)
    agent.session(account=other, test=lambda s: fingerprint(key) in json.dumps(s))
    w.settle()
    check(len(agent.sessions(account=other)) == 1, "one session of " + other,
          agent.sessions(account=other))
    p.communicate(b"\n", timeout=30)
    agent.session(account=other, state="closed")
    agent.stop()


@case("restart", alone=True)
def killed_at_any_moment_loses_no_alert(w):
    """Six kills while guesses and logins go on: every line ever told is in the store, every alert
    that must exist exists once, and the journal cursor neither skips nor repeats."""
    agent = fresh(w, "kills").start()
    dice = random.Random(7)
    names = [w.users.add("kill%d" % i)[0] for i in range(6)]
    sources = [place(w) for _ in names]
    live_name, live_key = w.users.add("killlive", key=True)
    live = Client(w.net, place(w)).ssh_open(live_name, w.server, "read x", key=live_key)
    s = agent.session(account=live_name, state="open")
    for name, source in zip(names, sources):
        def attack():
            c = Client(w.net, source)
            c.guess(name, w.server, 6)
            c.ssh(name, w.server, "id", password=PASSWORD, check_rc=0)

        def killer():
            time.sleep(dice.uniform(0.2, 3.2))
            agent.kill()
            told = {(x["id"], x["revision"]) for x in lines_of(agent)}
            kept = {x["id"]: x["revision"] for x in agent.stored_alerts()}
            lost = [t for t in told if kept.get(t[0], 0) < t[1]]
            check(not lost, "told, but not in the store", lost)
            agent.start()
        in_parallel([attack, killer])
    for name, source in zip(names, sources):
        a = agent.alert(detection="auth.bruteforce_success", account=name, timeout=20)
        check(a["origin"]["address"] == source, "origin", a)
        found = [x for x in agent.stored_alerts() if x.get("account") == name and
                 x["detection"] == "auth.bruteforce"]
        check(len(found) == 1 and found[0]["count"] == 6,
              "six guesses are six whenever the agent dies: " + brief(found), found)
    again = agent.session(id=s["id"], state="open")
    check(again["existing"] is True, "the long session lived through six kills", again)
    live.communicate(b"\n", timeout=30)
    agent.session(id=s["id"], state="closed")
    agent.stop()


@case("restart", alone=True)
def slow_guesses_outlive_kills(w):
    """A kill after each tenth of 21 failures; none of them fast by this host's threshold."""
    name, _ = w.users.add("slowkill")
    source = place(w)
    c = Client(w.net, source)
    w.agent = agent = Agent("slowkill", "FailedLogonThreshold: 100\n").start()
    for _ in range(2):
        c.guess(name, w.server, 10)
        w.settle()
        agent.kill()
        agent.start()
    told = [a for a in agent.stored_alerts() if a["detection"] == "auth.slow_bruteforce"]
    check(not told, "twenty are not more than twenty: " + brief(told))
    c.guess(name, w.server, 1)
    a = agent.alert(detection="auth.slow_bruteforce", account=name, origin__address=source)
    check(a["count"] == 21 and a["severity"] == "low", "21 in 24 h", a)
    agent.stop()


@case("restart", alone=True)
def journal_rotated_and_restarted(w):
    """journald rotates its files and is restarted: its lines still arrive."""
    agent = fresh(w, "rotated").start()
    w.settle()
    run(["journalctl", "--rotate"])
    w.settle()
    the_journal().proc.terminate()
    the_journal().proc.wait(30)
    the_journal().start()
    w.settle()
    run(["journalctl", "--rotate", "--vacuum-files=1"])
    w.settle()
    agent.stop()


@case("restart", alone=True)
def full_disk_still_tells(w):
    """No room for the store: alerts are told, the failure is counted, and it heals."""
    name, key = w.users.add("full", key=True)
    other, other_key = w.users.add("room", key=True)
    agent = fresh(w, "full")
    state = os.path.dirname(agent.store)
    os.mkdir(state)
    run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", state])
    agent.start()
    w.settle()
    run(["sh", "-c", "cat /dev/zero > %s/ballast" % state], check=False)
    c = Client(w.net, place(w))
    c.ssh(name, w.server, "id", key=key, check_rc=0)
    agent.alert(detection="access.external", account=name)
    wait_for("status says that the store fails",
             lambda: agent.status()["counters"]["store_errors"] > 0)
    os.unlink(state + "/ballast")
    c.ssh(other, w.server, "id", key=other_key, check_rc=0)
    agent.session(account=other)
    check([a for a in agent.stored_alerts() if a.get("account") == other], "kept again")
    wait_for("what was told while the disk was full is kept once there is room",
             lambda: [a for a in agent.stored_alerts() if a.get("account") == name], 10)
    agent.stop()
    run(["umount", state])


@case("restart", alone=True)
def second_agent_is_refused(w):
    agent = fresh(w, "first").start()
    p = agent.cli("run", "--config", agent.config, check_rc=None)
    text = p.stderr.decode()
    check(p.returncode in (1, 3) and len(text.splitlines()) == 1 and "already runs" in text,
          "the second agent: exit %d, %r" % (p.returncode, text))
    w.settle()
    agent.stop()


@case("restart", alone=True)
def parent_parses_nothing_child_has_no_privilege(w):
    """A privileged parent, an unprivileged child under seccomp; both end together."""
    agent = fresh(w, "priv").start()
    rows = [proc_status(p) for p in agent.family()]
    weak = [r for r in rows if r["Uid"].split()[1] != "0"]
    check(len(rows) >= 2 and weak, "a privileged parent and an unprivileged child", rows)
    for r in weak:
        check(int(r["CapEff"], 16) == 0 and int(r["CapPrm"], 16) == 0, "no capability", r)
        check(r["Seccomp"] == "2" and r["NoNewPrivs"] == "1", "seccomp and no new privileges", r)
    os.kill(int(weak[0]["Pid"]), 9)
    wait_for("the parent notices that its child is dead",
             lambda: agent.proc.poll() is not None or
             (len(agent.family()) >= len(rows) and int(weak[0]["Pid"]) not in agent.family()), 10)
    if agent.proc.poll() is None:
        w.settle()  # it starts another one, and sees again
        agent.kill(everything=False)
    else:
        check(agent.proc.returncode != 0 and "outergate:" in agent.stderr(),
              "it says so: exit %s" % agent.proc.returncode, agent.stderr())


@case("restart", alone=True)
def kernel_alone_tells_the_login(w):
    """No log at all: PAM calls give account, verdict and an inferred method; nothing is blind."""
    name, key = w.users.add("dark", key=True)
    source = place(w)
    w.agent = agent = Agent("dark", "", journal=False).start()
    c = Client(w.net, source)
    c.guess(name, w.server, 6)
    c.ssh(name, w.server, "/bin/echo dark-mark", password=PASSWORD, check_rc=0)
    a = agent.alert(detection="auth.bruteforce_success", account=name, origin__address=source)
    check(a["severity"] == "high", "severity", a)
    agent.session(account=name, origin__address=source, method="password",
                  test=lambda s: "dark-mark" in json.dumps(s))
    c.ssh(name, w.server, "id", key=key, check_rc=0)
    agent.session(account=name, origin__address=source, method="publickey", method_inferred=True)
    check(not [a for a in agent.told() if a["detection"] in ("sensor.blind", "sensor.mismatch")],
          "the kernel is witness enough: " + brief(agent.told()))
    agent.stop()


def other_libpam(name):
    """A directory with a libpam of its own: another file, as in a container or after an upgrade."""
    directory = TMP + "/lib-" + name
    os.mkdir(directory)
    run(["sh", "-c", "cp $(ldconfig -p | sed -n 's/.*libpam.so.0 .*=> //p' | head -1) %s/libpam.so.0"
         % directory])
    return {"LD_LIBRARY_PATH": directory, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}


@case("restart", alone=True)
def other_libpam_is_seen(w):
    """Servers that map another libpam, started before and after the agent; no log helps."""
    name, key = w.users.add("lib", key=True)
    n, m = w.slice(), w.slice()
    Sshd(w.net, w.net.srv, ["192.0.2.%d" % n], env=other_libpam("before"))
    w.agent = agent = Agent("lib", "", journal=False).start()
    Sshd(w.net, w.net.srv, ["192.0.2.%d" % m], env=other_libpam("after"))
    for i in (n, m):
        c = Client(w.net, w.outside(i))
        c.guess(name, "192.0.2.%d" % i, 6)
        c.ssh(name, "192.0.2.%d" % i, "id", password=PASSWORD, check_rc=0)
    for i in (n, m):
        agent.session(account=name, origin__address=w.outside(i), method="password")
        a = agent.alert(detection="auth.bruteforce", account=name, origin__address=w.outside(i))
        check(a["count"] == 6, "six guesses", a)
    agent.stop()


CROWD = """
import mmap, sys, time
kept = []
for i in range(200):
    with open("libpam.so.%d" % i, "wb") as f:
        f.write(open(sys.argv[1], "rb").read())
    with open("libpam.so.%d" % i, "rb") as f:
        kept.append(mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ))
print("mapped", flush=True)
time.sleep(60)
"""


@case("restart", alone=True)
def crowd_of_libpams_hides_none(w):
    """A user maps two hundred files called libpam.so.N; a daemon's own libpam is still seen."""
    name, key = w.users.add("crowd", key=True)
    victim, _ = w.users.add("crowdvic")
    n = w.slice()
    w.agent = agent = Agent("crowd", "", journal=False).start()
    with open("/home/%s/crowd.py" % name, "w") as f:
        f.write(CROWD)
    env = other_libpam("crowd")
    p = Client(w.net, place(w)).ssh_open(
        name, w.server, "/usr/bin/python3 crowd.py %s/libpam.so.0" % env["LD_LIBRARY_PATH"],
        key=key)
    check(p.stdout.readline() == b"mapped\n", "the crowd is there")
    early = Sshd(w.net, w.net.srv, ["192.0.2.%d" % n], port=2023)
    Sshd(w.net, w.net.srv, ["192.0.2.%d" % n], env=env)
    c = Client(w.net, w.outside(n))
    for _ in range(3):
        c.ssh(victim, "192.0.2.%d" % n, "id", password=PASSWORD, check_rc=0)
    agent.session(account=victim, origin__address=w.outside(n), method="password")
    early.stop()
    agent.stop()


@case("restart", alone=True)
def login_without_pam_and_log_is_not_silent(w):
    """A shell that nobody vouches for: told as a login by what the kernel sees, or as blindness."""
    n = w.slice()
    Sshd(w.net, w.net.srv, ["192.0.2.%d" % n], UsePAM="no")
    w.agent = agent = Agent("blind", "", journal=False).start()
    other, _ = w.users.add("blind")
    p = Client(w.net, w.outside(n)).ssh_open(other, "192.0.2.%d" % n, "/bin/sh -c 'read x; id'",
                                            password=PASSWORD)

    def told():
        return [a for a in agent.told() if w.outside(n) in json.dumps(a) and
                a["detection"] in ("access.external", "sensor.blind")]
    wait_for(lambda: "a login without PAM and without log: told or called blind; told: " +
             brief(agent.told()), told, 15)
    p.communicate(b"\n", timeout=30)
    Client(w.net, w.outside(n)).ssh(other, "192.0.2.%d" % n, "/bin/echo quick-mark",
                                    password=PASSWORD, check_rc=0)
    s = agent.session(account=other, test=lambda s: "quick-mark" in json.dumps(s))
    agent.session(id=s["id"], state="closed")
    agent.stop()


@case("restart", alone=True)
def silent_listener_is_called_blind(w):
    """Twenty connections past the banner and no evidence of any login; with evidence: nothing."""
    name, key = w.users.add("silent", key=True)
    n, m = w.slice(), w.slice()
    dumb = Sshd(w.net, w.net.srv, ["192.0.2.%d" % n], port=2222, UsePAM="no")
    w.agent = agent = Agent("silent", "", journal=False).start()
    c = Client(w.net, w.outside(m))
    in_parallel([lambda: c.ssh(name, w.server, key=key, check_rc=0)] * 4)
    check(not agent.told(detection="sensor.blind"), "a listener with evidence is not blind")
    for _ in range(5):
        in_parallel([lambda: c.ssh(name, "192.0.2.%d" % n, key=key, port=2222,
                                   check_rc=0)] * 5)
    agent.alert(detection="sensor.blind", timeout=20)
    dumb.stop()
    agent.stop()


@case("restart", alone=True)
def live_view_on_a_terminal(w):
    """On a terminal: one readable line an alert, also for hostile names; no JSON."""
    name, key = w.users.add("view", key=True)
    source = place(w)
    w.agent = agent = Agent("view", "", json=False)
    view = agent.start_on_terminal()
    c = Client(w.net, source)
    c.ssh(name, w.server, "id", key=key, check_rc=0)
    for bad in (b"\x1b[2J\x1b]0;owned\x07root", b"new\nline"):
        run(c.argv("ssh", [b"-l", bad, w.server], password="wr0ng"), check=False)
    wait_for(lambda: "a line that names %s; seen: %r" % (name, view()),
             lambda: [x for x in view().splitlines() if "access.external" in x and name in x and
                      source in x])
    w.settle()
    text = view()
    check("\x1b[2J" not in text and "\x1b]" not in text and "\x07" not in text,
          "a hostile name speaks to the terminal: %r" % text)
    check('{"' not in text, "JSON on a terminal: %r" % text[:300])
    agent.stop()


def proc_status(pid):
    with open("/proc/%d/status" % pid) as f:
        return dict((k, v.strip()) for k, _, v in (line.partition(":") for line in f))


@case("restart", alone=True)
def libpam_replaced_under_a_running_sshd(w):
    """An upgrade: the daemon executes itself for each connection and maps the new file at once. No
    log helps; the first login is told, if not how, and those after it in full."""
    name, _ = w.users.add("upgraded")
    n = w.slice()
    env = other_libpam("upgraded")
    Sshd(w.net, w.net.srv, ["192.0.2.%d" % n], env=env)
    w.agent = agent = Agent("upgraded", "", journal=False).start()
    c = Client(w.net, w.outside(n))
    c.ssh(name, "192.0.2.%d" % n, "/bin/echo before", password=PASSWORD, check_rc=0)
    agent.session(account=name, method="password", test=lambda s: "before" in json.dumps(s))
    lib = env["LD_LIBRARY_PATH"] + "/libpam.so.0"
    run(["sh", "-c", "cp %s %s.new && mv %s.new %s" % (lib, lib, lib, lib)])
    c.ssh(name, "192.0.2.%d" % n, "/bin/echo at-once; sleep 4", password=PASSWORD, check_rc=0)
    s = agent.session(account=name, timeout=20, test=lambda s: "at-once" in json.dumps(s))
    check(s["origin"]["address"] == w.outside(n), "the first login is not lost", s)
    if s.get("method") != "password":
        agent.alert(detection="sensor.blind")
    c.guess(name, "192.0.2.%d" % n, 6)
    c.ssh(name, "192.0.2.%d" % n, "/bin/echo later", password=PASSWORD, check_rc=0)
    agent.session(account=name, method="password", test=lambda s: "later" in json.dumps(s))
    a = agent.alert(detection="auth.bruteforce", account=name)
    check(a["count"] == 6, "six guesses", a)
    agent.stop()
