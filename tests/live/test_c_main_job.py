"""The main job, and every way into a session, with the journal as log source and one agent that
watches all of it at once. Each case has its own accounts, addresses and servers."""
import json
import re

from cases import case, world
from harness import (Client, Sshd, World, at_least, brief, check, fingerprint, in_parallel,
                     the_journal, value_of)
from sandbox import TMP, run, wait_for

PASSWORD = "Corr3ct-horse"
KNOWN = "198.18.200.0/24"
CONFIG = """KnownRemoteIPs:
  - cidr: %s
ExpectedOnward:
  - from: %s
    to: 10.20.0.2/32
    service: ssh
"""


@world("journal")
def journal(net, users):
    the_journal()
    expected = "exp-" + users.tag
    w = World("journal", net, users, CONFIG % (KNOWN, expected))
    w.start_common("127.0.0.1")
    w.inside = Sshd(net, net.inside, ["10.20.0.2"])
    w.agent.start()
    w.end = lambda: end(w)
    return w


def end(w):
    """All cases are over: nothing was lost, nothing failed, and the agent leaves in order."""
    counters = json.dumps(w.agent.status())
    for name in ("records_bad", "records_lost_precious", "store_errors", "sink_errors",
                 "lines_bad"):
        check(re.search(r'"%s": ?0\b' % name, counters) or
              re.search(r'"name": ?"%s", ?"value": ?0\b' % name, counters),
              "status: %s is not 0" % name, counters)
    w.agent.stop()


def place(w):
    return w.outside(w.slice())


def stored(w, **want):
    """Alerts of the store that match."""
    return [a for a in w.agent.stored_alerts() if all(a.get(k) == v for k, v in want.items())]


def counts(w, account, detection="auth.bruteforce"):
    """Counts of the account's alerts as the store has them now."""
    return [a["count"] for a in stored(w, account=account, detection=detection)]


def seven(w, account):
    """The account's brute force counts seven, not more; a growing count is stored every 5 s."""
    wait_for(lambda: "seven failures, not %r" % counts(w, account),
             lambda: counts(w, account) == [7], 9)


def worst_of(w, account):
    """Alerts of medium or above that name the account."""
    return [a for a in w.agent.told(account=account) if at_least(a["severity"], "medium")]


def none_of(w, detections, **want):
    found = [a for a in w.agent.told(**want) if a["detection"] in detections]
    check(not found, "nobody should have been told: " + brief(found), found[:1])


# --- the main job

BYTES = r"\b3(\.\d+)? ?Mi?B|\b31[45]\d{4}\b"  # the copy of 3 MiB


@case("journal")
def main_job(w):
    origin, size = "203.0.113.10", 3 << 20
    alice, _ = w.users.add("alice")
    deploy, _ = w.users.add("deploy")
    w.users.authorize(onward_key(w, alice), deploy)
    with open("/home/%s/ledger.tar" % alice, "wb") as f:
        f.write(open("/dev/urandom", "rb").read(size))
    c = Client(w.net, origin)

    c.guess(alice, w.server, 6)
    script = "id; uname -r\nssh %s %s@10.20.0.2 hostname\nexit\n" % (ONWARD, deploy)
    c.ssh(alice, w.server, ["-tt"], password=PASSWORD, stdin=script.encode(), check_rc=0)
    c.scp("%s@%s:ledger.tar" % (alice, w.server), TMP + "/stolen", password=PASSWORD)
    w.settle()

    bf = w.agent.alert(detection="auth.bruteforce", account=alice, origin__address=origin)
    check(bf["severity"] == "medium" and bf["count"] == 6, "six guesses of an account", bf)
    ok = w.agent.alert(detection="auth.bruteforce_success", account=alice, origin__address=origin)
    check(ok["severity"] == "high", "severity", ok)
    for name in ("access.external", "activity.remote_shell", "activity.file_transfer",
                 "activity.lateral_movement"):
        # Told, or part of the chain by then: parts are kept and not sent again.
        wait_for(name, lambda: [a for a in stored(w, account=alice, detection=name)
                                if value_of(a, "origin__address") == origin])

    def complete():
        chains = w.agent.told(detection="chain.t1133", account=alice)
        story = " ".join(c["sentence"] for c in chains)
        return all(x in story for x in (origin, "password", "10.20.0.2")) and \
            re.search(BYTES, story) and chains
    chains = wait_for(lambda: "a complete chain: " + json.dumps(
        w.agent.told(detection="chain.t1133"))[:3000], complete, 30)
    check(len(chains) == 1, "exactly one chain", chains)
    story = chains[0]["sentence"]
    for word in (alice, origin, "password", r"10\.20\.0\.2", r"uname -r", BYTES):
        check(re.search(word, story), "the story does not name %r" % word, story)
    check(at_least(chains[0]["severity"], "high"), "severity of the chain", chains[0])
    main_job_afterwards(w, alice, deploy, chains[0], size)


ONWARD = ("-n -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR "
          "-o BatchMode=yes")


def onward_key(w, account):
    """A key in the account's home; returns the path of the key for authorize()."""
    key = w.users.new_key("onward-" + account, None)
    w.users.authorize(key, account)  # makes ~/.ssh with the right owner
    home = "/home/%s/.ssh/" % account
    run(["install", "-o", account, "-m", "0600", key, home + "id_ed25519"])
    run(["rm", home + "authorized_keys"])
    return key


def main_job_afterwards(w, alice, deploy, chain, size):
    """The journal, and `sessions`, `alerts` and `explain`, tell the same."""
    def in_journal():
        return [e for e in the_journal().entries("SYSLOG_IDENTIFIER=outergate")
                if "chain.t1133" in e.values() and re.search(BYTES, str(e["MESSAGE"])) and
                alice in e["MESSAGE"]]
    e = wait_for("the chain in the journal with structured fields", in_journal)[-1]
    check(e.get("MESSAGE_ID") and int(e["PRIORITY"]) <= 3, "catalog id and priority", e)
    check("203.0.113.10" in e.values(), "the origin is a field of its own", e)

    mine = w.agent.sessions(account=alice)
    check(len(mine) == 2, "two sessions of %s" % alice, mine)
    for s in mine:
        check(s["origin"]["address"] == "203.0.113.10" and s["method"] == "password" and
              s["service"] == "ssh", "who came from where and how", s)
    sent = [s for s in mine if s.get("bytes_out", 0) >= size]
    check(len(sent) == 1 and sent[0]["bytes_out"] < size * 1.2, "bytes of the copy", mine)
    shell = [s for s in mine if s not in sent][0]
    text = json.dumps(shell)
    check("10.20.0.2" in text and "uname" in text, "the shell's commands and destination", shell)
    alerts = stored(w, account=alice)
    for a in w.agent.told(account=alice):
        same = [b for b in alerts if b["id"] == a["id"]]
        check(len(same) == 1 and same[0]["revision"] >= a["revision"],
              "told on stdout but not in the store", a)
    told = w.agent.cli("explain", chain["id"], "--store", w.agent.store).stdout.decode()
    for word in (alice, r"203\.0\.113\.10", r"10\.20\.0\.2", "password", "chain.t1133", "T1133",
                 BYTES, "uname -r"):
        check(re.search(word, told), "explain does not say %r" % word, told)
    check(re.search(r"contain|lock|revoke|disable|isolate", told, re.I), "what to do", told)
    check(not [a for a in w.agent.told(detection="chain.t1133", account=deploy)],
          "the inside host's own session is no second chain")


@case("journal")
def five_failures_are_no_bruteforce(w):
    """More than five, counted once although sshd, pam_unix and the kernel each tell of them."""
    name, _ = w.users.add("five")
    c = Client(w.net, place(w))
    c.guess(name, w.server, 5)
    c.ssh(name, w.server, "id", password=PASSWORD, check_rc=0)
    w.settle()
    s = w.agent.session(account=name)
    check(s.get("failures_before") in (None, 5), "failures before the login", s)
    none_of(w, ("auth.bruteforce", "auth.bruteforce_success", "chain.t1133"), account=name)
    w.agent.alert(detection="access.external", account=name)


@case("journal")
def failed_login_opens_no_session(w):
    name, key = w.users.add("fail", key=True)
    stranger = w.users.new_key("stranger-" + w.users.tag, None)
    source = place(w)
    c = Client(w.net, source)
    c.guess(name, w.server, 2)
    c.ssh(name, w.server, key=stranger, check_rc=255)
    check(the_journal().lines("Failed password for %s from %s" % (name, source)), "ground truth")
    w.settle()
    check(not w.agent.sessions(account=name), "a failed login opened a session",
          w.agent.sessions(account=name))
    check(not w.agent.sessions(origin__address=source), "a session without account")
    none_of(w, ("access.external",), origin__address=source)


# --- every way in

def one_session(w, account, source, method, **more):
    s = w.agent.session(account=account, origin__address=source, method=method, service="ssh",
                        **more)
    check(len(w.agent.sessions(account=account)) == 1, "one login is one session",
          w.agent.sessions(account=account))
    a = w.agent.alert(detection="access.external", account=account, origin__address=source)
    check(a["severity"] == "low" and a["session"] == s["id"], "access.external", a)
    return s


@case("journal")
def password_exec(w):
    name, _ = w.users.add("pw")
    source = place(w)
    out = Client(w.net, source).ssh(name, w.server, 'echo $SSH_CONNECTION; /bin/echo "a b"',
                                    password=PASSWORD, check_rc=0).stdout.decode()
    s = one_session(w, name, source, "password")
    check(s["origin"]["port"] == int(out.split()[1]), "the client's port", s, out)
    check(s["origin"]["scope"] == "reserved", "documentation and benchmark ranges", s)
    w.agent.session(account=name, state="closed")
    shell = w.agent.alert(detection="activity.remote_shell", account=name)
    check(shell["severity"] == "info", "a command is worth a line", shell)


@case("journal")
def public_key_names_its_fingerprint(w):
    name, key = w.users.add("pk", key=True)
    source = place(w)
    Client(w.net, source).ssh(name, w.server, "id", key=key, check_rc=0)
    one_session(w, name, source, "publickey", key=lambda k: k and fingerprint(key) in k)


@case("journal")
def keyboard_interactive(w):
    name, _ = w.users.add("kbd")
    n = w.slice()
    Sshd(w.net, w.net.srv, ["192.0.2.%d" % n], KbdInteractiveAuthentication="yes",
         PasswordAuthentication="no")
    c = Client(w.net, w.outside(n))
    c.guess(name, "192.0.2.%d" % n, 2)
    w.settle()
    check(not w.agent.sessions(account=name), "a failure in the forked child opened a session")
    c.ssh(name, "192.0.2.%d" % n, "id", password=PASSWORD, check_rc=0)
    s = one_session(w, name, w.outside(n), "keyboard-interactive")
    check(s.get("failures_before") in (None, 2), "failures before the login", s)


@case("journal")
def keyboard_interactive_bruteforce(w):
    name, _ = w.users.add("kbf")
    n = w.slice()
    Sshd(w.net, w.net.srv, ["192.0.2.%d" % n], KbdInteractiveAuthentication="yes",
         PasswordAuthentication="no")
    Client(w.net, w.outside(n)).guess(name, "192.0.2.%d" % n, 7)
    w.agent.alert(detection="auth.bruteforce", account=name, origin__address=w.outside(n))
    w.settle()
    seven(w, name)


@case("journal")
def invalid_user_is_noise(w):
    """Seven guesses of accounts that do not exist: a digest, and the names are not kept."""
    n, secret = w.slice(), "hunter2-" + w.users.tag
    source = w.outside(n)
    Sshd(w.net, w.net.srv, ["192.0.2.%d" % n], port=2210)
    Client(w.net, source).guess(secret, "192.0.2.%d" % n, 7, port=2210)
    w.settle()
    a = noise(w, 2210, 7)
    check(a["severity"] == "info", "severity", a)
    check(not w.agent.sessions(origin__address=source), "no session")
    none_of(w, ("auth.bruteforce",), origin__address=source, severity="medium")
    check(secret.encode() not in w.agent.raw(), "an unknown account is told as a hash only")


def noise(w, port, count):
    """The digest of guesses of unknown accounts on a listener, once it has counted that many."""
    def digests():
        return [a for a in w.agent.stored_alerts("--detection", "auth.noise")
                if value_of(a, "local__port") == port]
    return wait_for(lambda: "auth.noise of port %d with %d guesses; there are: %s" %
                    (port, count, json.dumps(w.agent.stored_alerts("--detection", "auth.noise"))),
                    lambda: [a for a in digests() if a["count"] == count])[0]


@case("journal")
def refused_users(w):
    """DenyUsers, AllowUsers and PermitRootLogin no: the right password opens nothing."""
    denied, _ = w.users.add("deny")
    allowed, _ = w.users.add("allow")
    other, _ = w.users.add("other")
    n, m = w.slice(), w.slice()
    Sshd(w.net, w.net.srv, ["192.0.2.%d" % n], DenyUsers=denied)
    Sshd(w.net, w.net.srv, ["192.0.2.%d" % m], AllowUsers=allowed)
    source = w.outside(n)
    c = Client(w.net, source)
    in_parallel([
        lambda: c.ssh(denied, "192.0.2.%d" % n, password=PASSWORD, check_rc=255),
        lambda: c.ssh(other, "192.0.2.%d" % m, password=PASSWORD, check_rc=255),
        lambda: c.ssh("root", "192.0.2.%d" % m, password=PASSWORD, check_rc=255),
        lambda: c.ssh(allowed, "192.0.2.%d" % m, "id", password=PASSWORD, check_rc=0),
    ])
    w.settle()
    w.agent.session(account=allowed, origin__address=source)
    for name in (denied, other):
        check(not w.agent.sessions(account=name), "a refused user has a session")
        none_of(w, ("access.external",), account=name)
    check(len(w.agent.sessions(origin__address=source)) == 1, "one session from there",
          w.agent.sessions(origin__address=source))


@case("journal")
def pty_session(w):
    name, key = w.users.add("tty", key=True)
    source = place(w)
    Client(w.net, source).ssh(name, w.server, ["-tt"], key=key, check_rc=0,
                              stdin=b"tty; /usr/bin/id\nexit\n")
    s = one_session(w, name, source, "publickey", state="closed")
    check("/usr/bin/id" in json.dumps(s.get("commands")), "what ran", s)
    w.agent.alert(detection="activity.remote_shell", account=name)


@case("journal")
def shell_that_runs_nothing_is_open(w):
    """A session is seen while it lives, and closes when it ends."""
    name, key = w.users.add("live", key=True)
    source = place(w)
    p = Client(w.net, source).ssh_open(name, w.server, "read x", key=key)
    s = w.agent.session(account=name, state="open")
    check(not s.get("existing"), "it began under our eyes", s)
    p.communicate(b"\n", timeout=30)
    w.agent.session(account=name, state="closed", id=s["id"])


@case("journal")
def lingering_session(w):
    name, key = w.users.add("linger", key=True)
    p = Client(w.net, place(w)).ssh(name, w.server, "setsid sleep 8 >/dev/null 2>&1 </dev/null &"
                                    " echo $!", key=key, check_rc=0)
    check(p.stdout.strip().isdigit(), "the background process")
    w.agent.session(account=name, state="lingering")
    w.agent.session(account=name, state="closed", timeout=20)


@case("journal")
def sftp_both_ways(w):
    name, key = w.users.add("sftp", key=True)
    source, path = place(w), TMP + "/sftp-up"
    with open(path, "wb") as f:
        f.write(b"x" * (1 << 20))
    Client(w.net, source).sftp(name, w.server, "put %s up\nget up %s.back\n" % (path, path),
                               key=key)
    s = one_session(w, name, source, "publickey", state="closed")
    check(min(s["bytes_in"], s["bytes_out"]) > 1 << 20 and
          max(s["bytes_in"], s["bytes_out"]) < 3 << 19, "bytes both ways", s)
    a = w.agent.alert(detection="activity.file_transfer", account=name)
    check(a["severity"] == "low", "severity", a)
    none_of(w, ("activity.remote_shell",), account=name)


@case("journal")
def internal_sftp_runs_no_program(w):
    name, key = w.users.add("isftp", key=True)
    n = w.slice()
    Sshd(w.net, w.net.srv, ["192.0.2.%d" % n], Subsystem="sftp internal-sftp")
    Client(w.net, w.outside(n)).sftp(name, "192.0.2.%d" % n, "ls\n", key=key)
    one_session(w, name, w.outside(n), "publickey", state="closed")


@case("journal")
def scp_out_and_in(w):
    out, key_out = w.users.add("scpo", key=True)
    back, key_in = w.users.add("scpi", key=True)
    path, source = TMP + "/scp-big", place(w)
    with open(path, "wb") as f:
        f.write(b"y" * (2 << 20))
    c = Client(w.net, source)
    with open("/home/%s/f" % out, "wb") as f:
        f.write(b"z" * (2 << 20))
    in_parallel([
        lambda: c.scp("%s@%s:f" % (out, w.server), TMP + "/scp-got", key=key_out),
        lambda: c.scp(path, "%s@%s:f" % (back, w.server), extra=["-O"], key=key_in)])
    o = w.agent.session(account=out, origin__address=source, state="closed")
    i = w.agent.session(account=back, origin__address=source, state="closed")
    check(o["bytes_out"] > 2 << 20 > 1 << 19 > o["bytes_in"], "copied out", o)
    check(i["bytes_in"] > 2 << 20 > 1 << 19 > i["bytes_out"], "copied in", i)
    for name in (out, back):
        w.agent.alert(detection="activity.file_transfer", account=name)


@case("journal")
def plain_command_is_no_transfer(w):
    name, key = w.users.add("plain", key=True)
    Client(w.net, place(w)).ssh(name, w.server, "ls -l /; cat /etc/os-release", key=key,
                                check_rc=0)
    w.agent.alert(detection="activity.remote_shell", account=name)
    w.settle()
    none_of(w, ("activity.file_transfer", "activity.lateral_movement"), account=name)


@case("journal")
def remote_forward(w):
    """-N -R: a session with a listener, and pam_motd's root shell is no remote shell."""
    name, key = w.users.add("fwd", key=True)
    source = place(w)
    p = Client(w.net, source).ssh_open(
        name, w.server, [], key=key,
        extra=["-N", "-R", "0.0.0.0:18022:127.0.0.1:22", "-o", "ExitOnForwardFailure=yes"])
    s = w.agent.session(account=name, origin__address=source, state="open",
                        test=lambda s: "activity" in s["stages"])
    w.settle()
    none_of(w, ("activity.remote_shell", "activity.file_transfer"), account=name)
    s = w.agent.session(account=name)
    check(not s.get("commands"), "pam_motd's helpers are not what the user ran", s)
    p.terminate()
    p.wait(30)
    w.agent.session(account=name, state="closed", id=s["id"])


@case("journal")
def idle_session_has_no_activity(w):
    """The near miss: -N without a forward."""
    name, key = w.users.add("idle", key=True)
    p = Client(w.net, place(w)).ssh_open(name, w.server, [], key=key, extra=["-N"])
    w.agent.session(account=name, state="open")
    w.settle()
    s = w.agent.session(account=name)
    check("activity" not in s["stages"] and not s["commands"], "nothing was done", s)
    none_of(w, ("activity.remote_shell", "activity.file_transfer"), account=name)
    p.terminate()
    p.wait(30)


@case("journal")
def motd_runs_before_the_shell(w):
    """The helpers of a login (sh, run-parts, uname as root) are no commands of the session."""
    name, key = w.users.add("motd", key=True)
    Client(w.net, place(w)).ssh(name, w.server, "/bin/true motd-mark", key=key, check_rc=0)
    s = w.agent.session(account=name, test=lambda s: "motd-mark" in json.dumps(s))
    w.settle()
    text = json.dumps(w.agent.session(account=name, id=s["id"]).get("commands"))
    check("run-parts" not in text and "update-motd" not in text and "uname" not in text,
          "pam_motd's helpers are shown as commands", text)


@case("journal")
def ipv6(w):
    name, key = w.users.add("six", key=True)
    n = w.slice()
    source = "2001:db8:%x::2" % (n + 0x100)
    Sshd(w.net, w.net.srv, ["2001:db8:ffff::1"], port=2200)
    c = Client(w.net, source)
    c.guess(name, "2001:db8:ffff::1", 7, port=2200)
    c.ssh(name, "2001:db8:ffff::1", "id", key=key, port=2200, check_rc=0)
    one_session(w, name, source, "publickey")
    a = w.agent.alert(detection="auth.bruteforce", account=name)
    check(a["origin"]["address"] in (source, source[:-1] + "/64"), "origin", a)
    w.agent.alert(detection="auth.bruteforce_success", account=name)


@case("journal")
def v4_mapped_is_v4(w):
    """A dual-stack listener hands ::ffff:198.18.N.2 to sshd; the origin is the v4 address."""
    name, key = w.users.add("map", key=True)
    n = w.slice()
    Sshd(w.net, w.net.srv, ["::"], port=2201, inetd=True)
    c = Client(w.net, w.outside(n))
    c.guess(name, "192.0.2.%d" % n, 7, port=2201)
    c.ssh(name, "192.0.2.%d" % n, "id", key=key, port=2201, check_rc=0)
    one_session(w, name, w.outside(n), "publickey")
    a = w.agent.alert(detection="auth.bruteforce", account=name)
    check(a["origin"]["address"] == w.outside(n), "folded", a)
    seven(w, name)
    check(b"::ffff:198.18" not in w.agent.raw(), "a mapped address was told")


@case("journal")
def use_pam_no_is_told(w):
    """No PAM call at all: the daemon's own line, vouched for by the journal, opens it."""
    name, key = w.users.add("nopam", key=True)
    n = w.slice()
    Sshd(w.net, w.net.srv, ["192.0.2.%d" % n], UsePAM="no")
    c = Client(w.net, w.outside(n))
    c.guess(name, "192.0.2.%d" % n, 6)
    c.ssh(name, "192.0.2.%d" % n, "/bin/echo nopam-mark", password=PASSWORD, check_rc=0)
    one_session(w, name, w.outside(n), "password")
    w.agent.session(account=name, test=lambda s: "nopam-mark" in json.dumps(s.get("commands")))
    w.agent.alert(detection="auth.bruteforce_success", account=name)
    w.agent.session(account=name, state="closed")


@case("journal")
def multiplexed_is_one_session(w):
    name, key = w.users.add("mux", key=True)
    c, path = Client(w.net, place(w)), TMP + "/mux-%C"
    p = c.ssh_open(name, w.server, "read x", key=key, extra=["-M", "-S", path])
    s = w.agent.session(account=name, state="open")
    for word in ("one", "two"):
        c.ssh(name, w.server, "/bin/echo mux-" + word, key=key, extra=["-S", path], check_rc=0)
    p.communicate(b"\n", timeout=30)
    s = w.agent.session(account=name, state="closed", id=s["id"])
    check("mux-one" in json.dumps(s) and "mux-two" in json.dumps(s), "both commands", s)
    check(len(w.agent.sessions(account=name)) == 1, "one session")


@case("journal")
def jump_through_is_lateral_movement(w):
    """-W to the inside host: the session's own sshd opens the connection, nothing runs."""
    name, key = w.users.add("jump", key=True)
    p = Client(w.net, place(w)).ssh(name, w.server, [], key=key, extra=["-W", "10.20.0.2:22"])
    check(p.stdout.startswith(b"SSH-2.0"), "the inside host answered", repr(p))
    a = w.agent.alert(detection="activity.lateral_movement", account=name)
    check("10.20.0.2" in json.dumps(a), "destination", a)
    s = w.agent.session(account=name)
    check(not s["commands"] and s["destinations"][0]["address"] == "10.20.0.2", "the session", s)


@case("journal")
def root_login(w):
    key = w.users.new_key("root-" + w.users.tag, "root")
    n = w.slice()
    Sshd(w.net, w.net.srv, ["192.0.2.%d" % n], PermitRootLogin="yes")
    Client(w.net, w.outside(n)).ssh("root", "192.0.2.%d" % n, "/bin/echo root-mark", key=key,
                                    check_rc=0)
    s = w.agent.session(account="root", origin__address=w.outside(n),
                        test=lambda s: "root-mark" in json.dumps(s))
    check(s["method"] == "publickey", "method", s)
    w.agent.alert(detection="access.external", account="root", origin__address=w.outside(n))


@case("journal")
def secrets_in_commands_are_redacted(w):
    name, key = w.users.add("secret", key=True)
    Client(w.net, place(w)).ssh(
        name, w.server, "/bin/echo secret-mark --password=hunter2 https://joe:s3cr3t@host/",
        key=key, check_rc=0)
    w.agent.session(account=name, test=lambda s: "secret-mark" in json.dumps(s))
    w.settle()
    for what, data in (("stdout", w.agent.raw()),
                       ("sessions", json.dumps(w.agent.sessions(account=name)).encode()),
                       ("alerts", json.dumps(stored(w, account=name)).encode())):
        check(b"hunter2" not in data and b"s3cr3t" not in data, "a secret in " + what)


@case("journal")
def lingering_process_goes_on(w):
    """The intruder logs out; what was left behind goes on to the inside host 3 s later."""
    name, key = w.users.add("behind", key=True)
    deploy, _ = w.users.add("behdep")
    w.users.authorize(onward_key(w, name), deploy)
    w.users.authorize(key, name)
    source = place(w)
    Client(w.net, source).ssh(
        name, w.server, "setsid sh -c 'sleep 3; ssh %s %s@10.20.0.2 id' >/dev/null 2>&1 "
        "</dev/null &" % (ONWARD, deploy), key=key, check_rc=0)
    w.agent.session(account=name, state="lingering")
    a = w.agent.alert(detection="activity.lateral_movement", account=name)
    check(a["origin"]["address"] == source and "10.20.0.2" in json.dumps(a), "who it was", a)
    w.agent.session(account=name, state="closed", test=lambda s: s["destinations"])


@case("journal")
def copy_from_inside_the_session(w):
    """scp run in the session, to another host: an onward connection with its bytes."""
    name, key = w.users.add("outcopy", key=True)
    deploy, _ = w.users.add("outdep")
    w.users.authorize(onward_key(w, name), deploy)
    w.users.authorize(key, name)
    with open("/home/%s/take" % name, "wb") as f:
        f.write(b"t" * (1 << 20))
    Client(w.net, place(w)).ssh(
        name, w.server, "scp -q %s take %s@10.20.0.2:" % (ONWARD.replace("-n ", ""), deploy),
        key=key, check_rc=0)
    w.agent.alert(detection="activity.lateral_movement", account=name)
    s = w.agent.session(account=name, state="closed")
    d = [x for x in s["destinations"] if x["address"] == "10.20.0.2"]
    check(d and 1 << 20 < d[0]["bytes_out"] < 3 << 19, "bytes to the inside host", s)
