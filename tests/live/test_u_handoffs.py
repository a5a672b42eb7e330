"""What a session has others start: under a real systemd, by at, cron, a multiplexer, a container
engine, a borrowed agent; and the same brokers at work for somebody else at that moment."""
import json
import os
import signal
import subprocess
import threading
import time

from cases import case, world
from harness import Client, Sshd, World, check, in_parallel, the_journal_again
from sandbox import TMP, run, wait_for
from systemd import Systemd
from test_c_main_job import none_of, place
from test_p_persistence import as_root

SOCKET = """[Socket]
ListenStream=%s:2290
Accept=yes
[Install]
WantedBy=sockets.target
"""
INSTANCE = """[Service]
ExecStart=-/usr/sbin/sshd -i
StandardInput=socket
RuntimeDirectory=sshd
RuntimeDirectoryPreserve=yes
"""


@world("systemd")
def systemd(net, users):
    the_journal_again()
    w = World("systemd", net, users)
    w.start_common()
    w.box = "192.0.2.%d" % w.slice()
    w.people = {}

    def prepare(box):
        for name in ("root", "dora"):
            if name != "root":
                box.chroot("useradd", "-m", "-s", "/bin/bash", name)
            home = box.root + ("/root" if name == "root" else "/home/" + name)
            key = users.new_key("box-" + name, None)
            os.makedirs(home + "/.ssh", exist_ok=True)
            run(["cp", key + ".pub", home + "/.ssh/authorized_keys"])
            box.chroot("chown", "-R", name + ":", home[len(box.root):] + "/.ssh")
            run(["chmod", "-R", "go-rwx", home + "/.ssh"])
            w.people[name] = key
        with open(box.root + "/etc/ssh/sshd_config.d/og.conf", "w") as f:
            f.write("ListenAddress %s\nUseDNS no\n" % w.box)
        units = box.root + "/etc/systemd/system/"
        for name, text in (("og-ssh.socket", SOCKET % w.box), ("og-ssh@.service", INSTANCE)):
            with open(units + name, "w") as f:
                f.write(text)
        box.chroot("systemctl", "enable", "og-ssh.socket")
    w.inside = Sshd(net, net.inside, ["10.20.0.2"], port=2222)
    w.systemd = Systemd(net, prepare)
    w.agent.start()
    w.end = lambda: end(w)
    return w


def end(w):
    w.agent.stop()
    w.systemd.stop()


def login(w, name, command, **how):
    """A session from a place of its own; returns the place."""
    source = place(w)
    Client(w.net, source).ssh(name, w.box, command, key=w.people[name], check_rc=0, **how)
    return source


def handoffs(s):
    return s.get("handoffs", [])


def ran(s, mark):
    return [c for c in s["commands"] if mark in c["text"].split()]


def joined(w, source, mark, kind, what, **more):
    """The session's own record says what it had started, and what ran there."""
    def complete(s):
        return [c for c in ran(s, mark) if c.get("via", "").startswith(kind)]
    s = w.agent.session(origin__address=source, test=complete, **more)
    h = [h for h in handoffs(s) if h["kind"] == kind and h["state"] == "joined"]
    check(h and what in h[0]["what"], "what was started", s)
    check(what in ran(s, mark)[-1]["via"], "through whom", s)
    return s


@case("systemd")
def systemd_run_is_the_sessions(w):
    source = login(w, "root", "systemd-run --collect /bin/sh -c '/bin/echo run-mark; sleep 1; "
                   "/bin/echo run-later'; sleep 2")
    s = joined(w, source, "run-later", "systemd", "run-")
    check(ran(s, "run-mark"), "from its first program on", s)
    w.agent.session(origin__address=source, state="closed")


@case("systemd")
def systemd_run_goes_on_to_another_host(w):
    """The unit outlives the login; what it does is the session's, up to the alert."""
    source = login(w, "root", "systemd-run --collect /bin/bash -c 'sleep 1; "
                   "exec 3<>/dev/tcp/10.20.0.2/2222; /bin/echo onward-mark'")
    joined(w, source, "onward-mark", "systemd", "run-")
    w.agent.session(origin__address=source, test=lambda s: [
        d for d in s["destinations"] if d["address"] == "10.20.0.2" and
        "run-" in d.get("via", "")])
    a = w.agent.alert(detection="activity.lateral_movement", origin__address=source)
    check("10.20.0.2" in a["sentence"], "the alert", a)
    w.agent.session(origin__address=source, state="closed")


@case("systemd")
def systemd_run_with_a_terminal_or_pipes(w):
    source = login(w, "root", ["-tt", "systemd-run --pty --collect /bin/echo pty-mark"])
    joined(w, source, "pty-mark", "systemd", "run-")
    source = login(w, "root", "systemd-run --pipe --collect /bin/echo pipe-mark")
    joined(w, source, "pipe-mark", "systemd", "run-")


@case("systemd")
def systemd_run_of_a_named_unit(w):
    source = login(w, "root", "systemd-run --unit=backup-helper /bin/sh -c '/bin/echo named-mark; "
                   "sleep 1'; sleep 1")
    joined(w, source, "named-mark", "systemd", "backup-helper.service")


@case("systemd", alone=True)
def systemd_run_before_a_reload(w):
    """Begins after systemd has read its own unit again: systemd 252 then has "\\;" for ";"."""
    source = login(w, "root", "systemd-run --collect --on-active=1 --timer-property=AccuracySec=1ms "
                   "/bin/sh -c '/bin/echo reload-mark ; sleep 1'; systemctl daemon-reload; sleep 3")
    joined(w, source, "reload-mark", "systemd", "run-")


@case("systemd")
def systemd_run_of_a_users_manager(w):
    source = login(w, "dora", "systemd-run --user --collect /bin/sh -c '/bin/echo user-mark; "
                   "sleep 1' && sleep 1")
    joined(w, source, "user-mark", "systemd", "run-")


@case("systemd")
def systemd_run_in_a_scope(w):
    source = login(w, "root", "systemd-run --scope /bin/echo scope-mark")
    w.agent.session(origin__address=source, test=lambda s: ran(s, "scope-mark"))


@case("systemd", alone=True)
def a_unit_that_the_session_wrote(w):
    """Alone, since it has systemd read the others' transient units again, which changes their words."""
    unit = "[Service]\\nType=oneshot\\nExecStart=/bin/echo unit-mark\\n"
    source = login(w, "root", "printf '%s' > /etc/systemd/system/evil.service; "
                   "systemctl daemon-reload; systemctl start evil; sleep 1" % unit)
    s = w.agent.session(origin__address=source, test=lambda s: [
        h for h in handoffs(s) if h.get("what") == "evil.service" and h["state"] == "joined"])
    check([h for h in handoffs(s) if h["by"] == "systemctl"], "who asked", s)


@case("systemd")
def another_roots_unit_at_that_moment(w):
    """Started by somebody in no session while a session's systemd-run is at work."""
    def local():
        for i in range(5):
            w.systemd.run("systemd-run", "--collect", "/bin/echo", "local-mark-%d" % i)
    source = place(w)
    in_parallel([local, lambda: Client(w.net, source).ssh(
        "root", w.box, "for i in 1 2 3 4 5; do systemd-run --collect /bin/echo ours-$i; done; "
        "sleep 1", key=w.people["root"], check_rc=0)])
    s = w.agent.session(origin__address=source, state="closed",
                        test=lambda s: [c for c in ran(s, "ours-5") if "via" in c])
    w.settle()
    for s in w.agent.sessions(origin__address=source):
        check("local-mark" not in json.dumps(s["commands"]), "another's program is no fact", s)


@case("systemd")
def a_timers_unit_is_nobodys(w):
    units = w.systemd.root + "/etc/systemd/system/"
    with open(units + "tick.service", "w") as f:
        f.write("[Service]\nType=oneshot\nExecStart=/bin/sh -c '/bin/echo timer-mark; "
                "/bin/echo timer-mark'\n")
    with open(units + "tick.timer", "w") as f:
        f.write("[Timer]\nOnActiveSec=0\nOnUnitActiveSec=300ms\nAccuracySec=10ms\n")
    w.systemd.run("systemctl", "daemon-reload")
    w.systemd.run("systemctl", "start", "tick.timer")
    source = login(w, "root", "systemd-run --collect /bin/echo beside-mark; sleep 2")
    s = joined(w, source, "beside-mark", "systemd", "run-")
    w.systemd.run("systemctl", "stop", "tick.timer")
    w.agent.session(origin__address=source, state="closed")
    s = w.agent.sessions(origin__address=source)[0]
    check("timer-mark" not in json.dumps(s["commands"]), "the timer's program is no fact", s)
    check(not [h for h in handoffs(s) if h["state"] == "joined" and "tick" in h["what"]],
          "nor its unit", s)


@case("systemd", alone=True)
def socket_unit_accepts_two_before_either_runs(w):
    """Accept=yes under systemd itself, stopped while both clients connect; a timer right after."""
    key = w.people["root"]
    places = [place(w), place(w)]
    os.kill(w.systemd.pid, signal.SIGSTOP)
    clients = []
    try:
        for i, source in enumerate(places):
            clients.append(Client(w.net, source).ssh_open(
                "root", w.box, "/bin/echo accept-mark-%d; sleep 3" % i, key=key, port=2290))
        time.sleep(0.7)  # both handshakes are the kernel's work
    finally:
        os.kill(w.systemd.pid, signal.SIGCONT)
    w.systemd.run("systemd-run", "--collect", "--on-active=0", "--timer-property=AccuracySec=1ms",
                  "/bin/sh", "-c", "/bin/echo accept-timer; sleep 1; /bin/echo accept-timer")
    for i, source in enumerate(places):
        s = w.agent.session(origin__address=source,
                            test=lambda s: ran(s, "accept-mark-%d" % i))
        text = json.dumps(s["commands"])
        check("accept-mark-%d" % (1 - i) not in text and "accept-timer" not in text,
              "what ran in it, and nothing of others", s)
    for c in clients:
        c.wait(20)
    w.settle()
    for s in w.agent.sessions():
        check("accept-timer" not in json.dumps(s), "the timer's program is in no session", s)
    none_of(w, ("access.shell_without_auth",), local__port=2290)


# --- at, cron, a multiplexer, the message bus, an agent: this machine's own daemons

daemons = {}
daemons_lock = threading.Lock()


def daemon(w, name, *argv):
    """Started once, in the watched host's network."""
    with daemons_lock:
        if name not in daemons:
            daemons[name] = subprocess.Popen(w.net.inside_ns(w.net.srv, argv),
                                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                             stderr=subprocess.DEVNULL)
            wait_for(name, lambda: os.path.exists("/run/%s.pid" % name))


def person(w, stem):
    name, key = w.users.add(stem, key=True)
    source = place(w)

    def ssh(command, **how):
        return Client(w.net, source).ssh(name, w.server, command, key=key, check_rc=0, **how)
    return name, source, ssh


def as_user(w, name, *argv, **how):
    """By somebody at this machine, in no session."""
    return run(w.net.inside_ns(w.net.srv, ["setpriv", "--reuid", name, "--regid", name,
                                           "--init-groups", "env", "-i", "HOME=/home/" + name,
                                           "PATH=/usr/bin:/bin", *argv]), **how)


@case("journal")
def at_runs_what_the_session_left(w):
    daemon(w, "atd", "/usr/sbin/atd", "-f")
    name, source, ssh = person(w, "atjob")
    ssh("echo '/bin/echo at-mark; sleep 1' | at now")
    s = joined(w, source, "at-mark", "at", "a0")
    check([h for h in s["handoffs"] if h["by"] == "at" and "/atjobs/" in h["to"]], "the job", s)
    w.agent.session(origin__address=source, state="closed")
    w.agent.alert(detection="activity.persistence", account=name)


@case("journal")
def at_jobs_of_others_are_theirs(w):
    """The same user at this machine, at the same moment."""
    daemon(w, "atd", "/usr/sbin/atd", "-f")
    name, source, ssh = person(w, "atother")
    in_parallel([lambda: ssh("echo '/bin/echo at-ours' | at now; sleep 1"),
                 lambda: as_user(w, name, "sh", "-c", "echo '/bin/echo at-theirs' | at now")])
    joined(w, source, "at-ours", "at", "a0")
    w.settle()
    for s in w.agent.sessions(origin__address=source):
        check("at-theirs" not in json.dumps(s["commands"]), "another's job is no fact", s)


@case("journal")
def cron_runs_what_the_session_left(w):
    """A table of one's own, and root's lines in cron.d beside those that were there."""
    with open("/etc/cron.d/standing", "w") as f:
        f.write("* * * * * root /bin/echo cron-standing\n")
    daemon(w, "crond", "/usr/sbin/cron", "-f")
    name, source, ssh = person(w, "cronjob")
    ssh("echo '* * * * * /bin/echo cron-mark' | crontab -")
    c, address, key = as_root(w)
    c.ssh("root", address, "echo '* * * * * root /bin/echo crond-mark' > /etc/cron.d/helper",
          key=key, check_rc=0)

    def complete(mark):
        return lambda s: [x for x in ran(s, mark) if x.get("via", "").startswith("cron")]
    s = w.agent.session(origin__address=source, timeout=75, test=complete("cron-mark"))
    w.agent.session(origin__address=c.source, timeout=75, test=complete("crond-mark"))
    w.settle()
    for s in w.agent.sessions():
        check("cron-standing" not in json.dumps(s["commands"]), "a line that was there before", s)
    run(["rm", "/etc/cron.d/standing", "/etc/cron.d/helper"])


@case("journal")
def an_older_tmux_is_borrowed(w):
    """Its server was started at this machine; a session has it open a window, then types there."""
    name, source, ssh = person(w, "tmux")
    as_user(w, name, "tmux", "new-session", "-d", "-s", "old", "exec /bin/bash")
    ssh("tmux new-window -t old '/bin/echo window-mark; sleep 1'")
    s = joined(w, source, "window-mark", "tmux", "server")
    wait_for("the end of that window, which would get what is typed", lambda: as_user(
        w, name, "tmux", "list-windows", "-t", "old").stdout.count(b"\n") == 1)
    p = Client(w.net, source).ssh_open(name, w.server, ["-tt", "TERM=vt100 tmux attach -t old"],
                                       key="%s/key-%s" % (TMP, name))
    wait_for("the client", lambda: b"attached" in as_user(w, name, "tmux", "ls").stdout)
    p.stdin.write(b"/bin/echo typed-mark\n")
    p.stdin.flush()
    w.agent.session(origin__address=source, test=lambda s: [
        c for c in ran(s, "typed-mark") if c.get("via", "").startswith("tmux")])
    as_user(w, name, "tmux", "detach-client", "-s", "old")
    p.wait(30)
    as_user(w, name, "tmux", "new-window", "-t", "old", "/bin/echo local-window")
    w.settle()
    for s in w.agent.sessions(origin__address=source):
        check("local-window" not in json.dumps(s), "what its owner does is no session's", s)
    as_user(w, name, "tmux", "kill-server")


@case("journal")
def an_agent_that_is_another_sessions(w):
    """A forwarded agent is its own session's; root of another session that uses it borrows it."""
    name, source, ssh = person(w, "agent")
    agent_sock = TMP + "/agent-" + name
    ours = subprocess.Popen(["ssh-agent", "-D", "-a", agent_sock], stdout=subprocess.DEVNULL)
    wait_for("an agent", lambda: os.path.exists(agent_sock))
    key = w.users.new_key("for-agent-" + name, None)
    run(["ssh-add", "-q", key], env=dict(os.environ, SSH_AUTH_SOCK=agent_sock))
    own = w.users.new_key("own-" + name, name)
    owner = Client(w.net, source)
    argv = owner.argv("ssh", ["-A", "-l", name, w.server,
                              "ssh-add -l; echo $SSH_AUTH_SOCK; sleep 60"], key=own)
    argv = [x.replace("IdentityAgent=none", "IdentityAgent=" + agent_sock) for x in argv]
    p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    check(b"ED25519" in p.stdout.readline(), "the agent is forwarded")
    path = p.stdout.readline().decode().strip()
    c, address, root = as_root(w)
    c.ssh("root", address, "SSH_AUTH_SOCK=%s ssh-add -l" % path, key=root, check_rc=0)
    s = w.agent.session(origin__address=c.source, test=lambda s: [
        h for h in s.get("handoffs", []) if h["kind"] == "ssh-agent" and h["to"] == path])
    check(s["handoffs"][0]["by"] == "ssh-add", "who", s)
    w.settle()
    s = w.agent.sessions(origin__address=source)[0]
    check("ssh-agent" not in json.dumps(s.get("handoffs", [])), "its own is not borrowed", s)
    for q in (p, ours):
        q.kill()
        q.wait(30)


@case("journal")
def a_bus_that_starts_a_service(w):
    """D-Bus activation by a bus of the user's that is older: shown as possible, never as fact."""
    name, source, ssh = person(w, "dbus")
    home = "/home/" + name
    os.makedirs(home + "/.local/share/dbus-1/services")
    with open(home + "/.local/share/dbus-1/services/org.live.Test.service", "w") as f:
        f.write("[D-BUS Service]\nName=org.live.Test\nExec=/bin/sh -c '/bin/echo bus-mark; "
                "sleep 2'\n")
    run(["chown", "-R", name + ":", home + "/.local"])
    address = "unix:path=%s/bus" % home
    bus = subprocess.Popen(w.net.inside_ns(w.net.srv, [
        "setpriv", "--reuid", name, "--regid", name, "--init-groups", "env", "-i", "HOME=" + home,
        "PATH=/usr/bin:/bin", "dbus-daemon", "--session", "--nofork", "--address=" + address]),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for("a bus", lambda: os.path.exists(home + "/bus"))
    ssh("DBUS_SESSION_BUS_ADDRESS=%s dbus-send --session --type=method_call --dest=org.live.Test "
        "/ org.live.Test.Go; sleep 1" % address)
    s = w.agent.session(origin__address=source, test=lambda s: [
        h for h in s.get("handoffs", []) if h["kind"] == "dbus" and h["state"] == "possible"])
    check("bus-mark" not in json.dumps(s["commands"]), "not as fact", s)
    bus.kill()
    bus.wait(30)
