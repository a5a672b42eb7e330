"""Text and calls that lie: log lines of ordinary users, hostile user names, and a program that
plays a whole PAM conversation. None of them changes a verdict or forges anything in any output."""
import json
import os
import signal
import subprocess

from cases import case
from harness import (Client, Sshd, at_least, check, fingerprint, in_parallel, json_lines,
                     the_journal)
from sandbox import Skip, run, wait_for
from test_c_main_job import none_of, noise, place

STRANGER = "198.51.100.9"


def as_user(account, argv, **kw):
    return run(["setpriv", "--reuid=" + account, "--regid=" + account, "--init-groups", *argv],
               **kw)


def logger_that_is_gone(account, lines):
    """As as_user(logger): but the writer has ended before journald looks who it was."""
    pid = the_journal().proc.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        for line in lines:
            as_user(account, ["logger", "-t", "sshd", line], timeout=10)
    finally:
        os.kill(pid, signal.SIGCONT)


def forged(w):
    return w.agent.status()["counters"]["forged_lines"]


def counted(w, before, more):
    """Cases run side by side and share one sensor.mismatch: its number is in the counters."""
    wait_for(lambda: "%d forged lines more than %d, not %d" % (more, before, forged(w)),
             lambda: forged(w) >= before + more)


def nothing_from(w, address):
    """No session and no alert believes that somebody came from address."""
    check(not w.agent.sessions(origin__address=address), "a session from a made-up address",
          w.agent.sessions(origin__address=address))
    for a in w.agent.told():
        if value(a, "origin", "address") == address:
            check(a["detection"] == "sensor.mismatch", "an alert believes the lie", a)


def value(o, *path):
    for p in path:
        o = o.get(p) if isinstance(o, dict) else None
    return o


@case("journal")
def mail_of_a_user_is_forged_and_of_root_is_none(w):
    """Dovecot's log process is root's; so are PAM modules in sshd's name."""
    name, _ = w.users.add("postman")
    victim, _ = w.users.add("mailbox")
    login = "imap-login: Login: user=<%s>, method=PLAIN, rip=%s, lip=192.0.2.1, mpid=7, TLS, " \
            "session=<x>"
    as_user(name, ["logger", "-t", "dovecot", login % (victim, "198.51.100.55")])
    for i in range(6):
        as_user(name, ["logger", "-t", "sshd(pam_google_authenticator)",
                       "Invalid verification code for %s" % victim])
    a = w.agent.alert(detection="sensor.mismatch")
    check(a["severity"] == "high", "severity", a)
    wait_for("the lines are in the journal", lambda: len(the_journal().entries(
        "SYSLOG_IDENTIFIER=sshd(pam_google_authenticator)")) >= 6)
    w.settle()
    check(not w.agent.sessions(account=victim), "a session of a user's words")
    none_of(w, ("mail.abnormal_access", "access.external", "mfa.fatigue"), account=victim)
    run(["logger", "-t", "dovecot", login % (victim, "198.51.100.56")])
    s = w.agent.session(account=victim)
    check(s["service"] == "mail" and s["state"] == "open", "what Dovecot tells", s)
    check(s["origin"]["address"] == "198.51.100.56", "from where", s)


@case("journal")
def forged_lines_of_an_ordinary_user(w):
    """logger -t sshd by alice: the journal knows that alice and not sshd wrote it."""
    name, _ = w.users.add("forger")
    victim, _ = w.users.add("forged")
    lines = ["Accepted password for root from %s port 1 ssh2" % STRANGER,
             "Accepted publickey for %s from %s port 2 ssh2: ED25519 SHA256:%s" %
             (victim, STRANGER, "A" * 43),
             "pam_unix(sshd:session): session opened for user %s(uid=0) by (uid=0)" % victim]
    lines += ["Failed password for %s from 198.51.100.77 port %d ssh2" % (victim, i)
              for i in range(1, 13)]
    before = forged(w)
    for line in lines:
        as_user(name, ["logger", "-t", "sshd", line])
    as_user(name, ["logger", "--journald"], input=(
        "SYSLOG_IDENTIFIER=sshd\n_UID=0\n_EXE=/usr/sbin/sshd\nSYSLOG_PID=%d\n"
        "MESSAGE=Accepted password for root from %s port 3 ssh2\n" %
        (w.sshd.proc.pid, STRANGER)).encode())
    wait_for("the lines are in the journal",
             lambda: len([m for m in the_journal().lines("198.51.100.")
                          if victim in m or "for root" in m]) >= 14)

    a = w.agent.alert(detection="sensor.mismatch")
    check(a["severity"] == "high", "severity", a)
    counted(w, before, 15)
    w.settle()
    nothing_from(w, STRANGER)
    nothing_from(w, "198.51.100.77")
    check(not w.agent.sessions(account=victim), "a session of lines")
    none_of(w, ("auth.bruteforce", "auth.bruteforce_success", "access.external", "chain.t1133"),
            account=victim)


@case("journal")
def forged_lines_of_a_process_that_is_gone(w):
    """Only the uid is left of the writer, and that is enough."""
    name, _ = w.users.add("goner")
    victim, _ = w.users.add("gonevic")
    address = "198.51.100.78"
    before = forged(w)
    logger_that_is_gone(name, ["Failed password for %s from %s port %d ssh2" %
                               (victim, address, i) for i in range(7)])
    logger_that_is_gone(name, ["Accepted password for %s from %s port 8 ssh2" %
                               (victim, address)])
    wait_for("the lines are in the journal", lambda: len(the_journal().lines(address)) >= 8)
    w.agent.alert(detection="sensor.mismatch")
    counted(w, before, 8)
    w.settle()
    nothing_from(w, address)
    none_of(w, ("auth.bruteforce", "access.external"), account=victim)


@case("journal")
def forged_failures_frame_nobody(w):
    """Lines that would make an honest login look like the end of a brute force."""
    forger, _ = w.users.add("framer")
    honest, key = w.users.add("honest", key=True)
    source = place(w)
    for i in range(8):
        as_user(forger, ["logger", "-t", "sshd", "Failed password for %s from %s port %d ssh2" %
                         (honest, source, 1000 + i)])
    wait_for("the lines", lambda: len(the_journal().lines(honest)) >= 8)
    Client(w.net, source).ssh(honest, w.server, "id", key=key, check_rc=0)
    s = w.agent.session(account=honest, origin__address=source)
    w.settle()
    check(not s.get("failures_before"), "the lies were counted", s)
    none_of(w, ("auth.bruteforce", "auth.bruteforce_success", "chain.t1133"), account=honest)


def lies_about(account, victim, source, port):
    """Lines about a connection that really is there."""
    return ["Accepted publickey for root from %s port %d ssh2: ED25519 SHA256:%s" %
            (source, port, "B" * 43),
            "Accepted password for %s from %s port %d ssh2" % (victim, source, port),
            "Accepted hostbased for %s from %s port %d ssh2" % (account, source, port),
            "pam_unix(sshd:session): session closed for user " + account,
            "Received disconnect from %s port %d:11: disconnected by user" % (source, port),
            "Disconnected from user %s %s port %d" % (account, source, port)]


@case("journal")
def forged_lines_about_a_live_session(w):
    """alice, in her session, writes that she is root, came otherwise, and has left."""
    name, key = w.users.add("liar", key=True)
    victim, _ = w.users.add("lied")
    source = place(w)
    p = Client(w.net, source).ssh_open(name, w.server, "echo $SSH_CONNECTION; read x", key=key)
    port = int(p.stdout.readline().split()[1])
    s = w.agent.session(account=name, state="open", key=lambda k: k and fingerprint(key) in k)
    for line in lies_about(name, victim, source, port):
        as_user(name, ["logger", "-t", "sshd", line])
    w.settle()
    still_true(w, s, name, key)
    logger_that_is_gone(name, lies_about(name, victim, source, port))
    w.settle()
    still_true(w, s, name, key)
    p.communicate(b"\n", timeout=30)
    w.agent.session(id=s["id"], state="closed")


def still_true(w, s, name, key):
    """The session is as it was before the lies."""
    now = w.agent.session(id=s["id"])
    check(now["account"] == name and now["state"] == "open" and now["method"] == "publickey" and
          fingerprint(key) in now["key"] and now["origin"] == s["origin"], "a lie was believed",
          now)
    check(len(w.agent.sessions(origin__address=s["origin"]["address"])) == 1, "one session",
          w.agent.sessions(origin__address=s["origin"]["address"]))


@case("journal")
def truth_raises_no_mismatch(w):
    """The near miss: root's own sshd, and a user whose log lines claim no login."""
    name, key = w.users.add("truth", key=True)
    source = place(w)
    Client(w.net, source).ssh(
        name, w.server, "logger -t backup 'done from %s'; logger -t sshd 'hello'" % source,
        key=key, check_rc=0)
    w.settle()
    lies = [a for a in w.agent.told(detection="sensor.mismatch") if source in json.dumps(a)]
    check(not lies, "a true login is called a lie", lies)


HOSTILE = [
    b"root from 198.51.100.9 port 22 ssh2",
    b"x from 198.51.100.9 port 22 ssh2: ED25519 SHA256:" + b"A" * 43,
    b"root\nAccepted password for root from 198.51.100.9 port 1 ssh2",
    b"root\r\n\x1b[2J\x1b]0;owned\x07",
    b"L" * 300,
    b"\xff\xfe\xc3\x28 from 198.51.100.9 port 22",
    b'","severity":"critical","account":"root","x":"',
    b"\xf4\x90\x80\x80",
    b"%s%n%n <script> ' \" \\ $(id) `id`",
    "\u202eresu \u2028 \u0085 user".encode(),
]


@case("journal")
def hostile_user_names_forge_nothing(w):
    n = w.slice()
    source, server = w.outside(n), "192.0.2.%d" % n
    Sshd(w.net, w.net.srv, [server], port=2211)
    c = Client(w.net, source)
    in_parallel([lambda u=u: c.raw_guess(u, server, 2211) for u in HOSTILE])
    wait_for("sshd's lines", lambda: len(the_journal().lines(source)) >= len(HOSTILE))
    w.settle()
    noise(w, 2211, len(HOSTILE))
    nothing_from(w, STRANGER)
    check(not w.agent.sessions(origin__address=source), "no session")
    outputs_are_clean(w)
    for a in w.agent.told():
        if source in json.dumps(a):
            check(a["severity"] != "critical", "a forged severity", a)


def outputs_are_clean(w):
    """JSON stays one object a line; text output has no control characters but newlines."""
    raw = w.agent.raw()
    json_lines(raw, "stdout")
    check(not any(b < 32 and b != 10 for b in raw), "a control character on stdout")
    for command in ("alerts", "sessions"):
        w.agent.query(command)
        text = w.agent.cli(command, "--format", "text", "--store", w.agent.store).stdout
        check(not any((b < 32 and b not in b"\n\t") or b == 127 for b in text),
              "a control character in `%s`" % command)
        text.decode("utf-8")
    for e in the_journal().entries("SYSLOG_IDENTIFIER=outergate"):
        check(isinstance(e["MESSAGE"], str) and "\n" not in e["MESSAGE"] and
              "\x1b" not in e["MESSAGE"], "the journal's message", e)


@case("journal")
def hostile_name_that_exists(w):
    """An existing account whose name looks like the rest of the line, by key and by password."""
    name, key = w.users.add("from", key=True)
    source = place(w)
    c = Client(w.net, source)
    c.guess(name, w.server, 6)
    c.ssh(name, w.server, "id", key=key, check_rc=0)
    s = w.agent.session(account=name)
    check(s["origin"]["address"] == source, "origin", s)
    a = w.agent.alert(detection="auth.bruteforce", account=name)
    check(a["origin"]["address"] == source, "origin", a)


@case("journal")
def hostile_commands_forge_nothing(w):
    """Arguments with newlines, quotes and broken UTF-8 in a session's commands."""
    name, key = w.users.add("args", key=True)
    source = place(w)
    script = b"/bin/echo $'a\\nb\",\"severity\":\"critical\"' $'\\xff\\xfe\\x1b[31m' " + b"Q" * 3000
    p = run(Client(w.net, source).argv("ssh", [b"-l", name, w.server, script], key=key))
    check(p.returncode == 0, "client", repr(p.stderr))
    w.agent.session(account=name, test=lambda s: "echo" in json.dumps(s.get("commands", "")))
    w.settle()
    outputs_are_clean(w)
    check(not [a for a in w.agent.told(account=name) if at_least(a["severity"], "medium")],
          "quiet")


PAM_PLAY = r"""
import ctypes, sys
pam = ctypes.CDLL("libpam.so.0")
CONV = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
class Conv(ctypes.Structure):
    _fields_ = [("conv", CONV), ("data", ctypes.c_void_p)]
conv, h = Conv(CONV(lambda *a: 0), None), ctypes.c_void_p()
r = [pam.pam_start_confdir(b"sshd", sys.argv[2].encode(), ctypes.byref(conv), sys.argv[1].encode(),
                           ctypes.byref(h))]
r.append(pam.pam_set_item(h, 4, b"198.51.100.9"))
r.append(pam.pam_authenticate(h, 0))
r.append(pam.pam_acct_mgmt(h, 0))
r.append(pam.pam_open_session(h, 0))
print(r)
"""


def stage_of(name):
    """The account's home with a configuration that permits everything, and the plays."""
    home = "/home/" + name
    run(["mkdir", home + "/pam.d"])
    with open(home + "/pam.d/sshd", "w") as f:
        for kind in ("auth", "account", "session", "password"):
            f.write("%s required pam_permit.so\n" % kind)
    for file, text in (("play.py", PAM_PLAY), ("server.py", PAM_SERVER)):
        with open(home + "/" + file, "w") as f:
            f.write(text)
    run(["chmod", "-R", "a+rX", home])
    return home


@case("journal")
def unprivileged_pam_play_opens_nothing(w):
    """pam_permit in an own configuration directory: every call returns 0, and none counts."""
    name, key = w.users.add("player", key=True)
    victim, _ = w.users.add("played")
    home = stage_of(name)
    source = place(w)
    command = "/usr/bin/python3 play.py %s/pam.d %s" % (home, victim)
    p = Client(w.net, source).ssh(name, w.server, command, key=key, check_rc=0)
    check(p.stdout.strip() == b"[0, 0, 0, 0, 0]", "the play itself works", repr(p.stdout))
    p = as_user(name, ["/usr/bin/python3", home + "/play.py", home + "/pam.d", "root"])
    check(p.stdout.strip() == b"[0, 0, 0, 0, 0]", "the play itself works", repr(p.stdout))
    s = w.agent.session(account=name, origin__address=source)
    w.settle()
    check(len(w.agent.sessions(origin__address=source)) == 1, "one login, one session",
          w.agent.sessions(origin__address=source))
    check(not w.agent.sessions(account=victim), "a play opened a session of " + victim)
    none_of(w, ("access.external", "auth.bruteforce_success"), account=victim)
    s = w.agent.session(id=s["id"])
    check(s["account"] == name and not s.get("effective_account") == "root", "whose session", s)
    nothing_from(w, STRANGER)


# accepts, and a child that asks for the peer plays the login, as sshd's does
PAM_SERVER = r"""
import os, socket, subprocess, sys
l = socket.socket(); l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
l.bind(('0.0.0.0', 4891)); l.listen()
print('uid', os.getuid(), flush=True)
c, a = l.accept()
if os.fork() == 0:
    c.getpeername()
    sys.argv = ['play', sys.argv[1], sys.argv[2]]
    exec(open(sys.argv[1] + '/../play.py').read())
    c.sendall(b'played'); os._exit(0)
os.wait()
"""


@case("journal")
def root_of_an_own_namespace_is_nobody(w):
    """unshare -r: root, but only in the player's eyes; before and inside a real session."""
    if run(["unshare", "-r", "true"], check=False).returncode:
        raise Skip("no user namespace can be made here (a chroot), so nobody can play it")
    name, key = w.users.add("nsroot", key=True)
    victim, _ = w.users.add("nsvictim")
    home = stage_of(name)
    source = w.net.address(place(w))
    server = subprocess.Popen(
        w.net.inside_ns(w.net.srv, ["setpriv", "--reuid", name, "--clear-groups", "unshare", "-r",
                                    "/usr/bin/python3", home + "/server.py", home + "/pam.d",
                                    victim]), stdout=subprocess.PIPE, cwd="/")
    check(server.stdout.readline() == b"uid 0\n", "root of its own namespace")
    got = run(w.net.inside_ns(w.net.ext, [
        "/usr/bin/python3", "-c", "import socket\nc = socket.create_connection(('%s', 4891), 9, "
        "('%s', 0))\nprint(c.recv(99))" % (w.server, source)]), timeout=30).stdout
    check(b"played" in got, "the play itself works", got)
    check(b"[0, 0, 0, 0, 0]" in server.stdout.readline(), "every call returned 0")
    server.wait(30)
    Client(w.net, source).ssh(name, w.server, "unshare -r /usr/bin/python3 play.py %s/pam.d %s" %
                              (home, victim), key=key, check_rc=0)
    w.agent.session(account=name, origin__address=source)
    w.settle()
    check(not w.agent.sessions(account=victim), "a play opened a session",
          w.agent.sessions(account=victim))
    check(len(w.agent.sessions(origin__address=source)) == 1, "one login, one session",
          w.agent.sessions(origin__address=source))
    none_of(w, ("access.external",), account=victim)
