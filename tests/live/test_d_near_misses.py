"""What looks like an intruder and is none, each beside what looks like it and is one."""
import json

from cases import case
from harness import Client, Sshd, at_least, brief, check, in_parallel
from sandbox import TMP, run, wait_for
from test_c_main_job import (ONWARD, PASSWORD, counts, none_of, onward_key, place, seven,
                             worst_of)


@case("journal")
def internal_address_is_not_external(w):
    name, key = w.users.add("intern", key=True)
    Client(w.net, "10.9.0.2").ssh(name, w.server, "id", key=key, check_rc=0)
    s = w.agent.session(account=name, origin__address="10.9.0.2")
    check(s["origin"]["scope"] == "private", "scope", s)
    w.settle()
    none_of(w, ("access.external", "chain.t1133"), account=name)


@case("journal")
def internal_intruder_is_one_lower_and_no_chain(w):
    name, _ = w.users.add("insider")
    deploy, _ = w.users.add("insdep")
    w.users.authorize(onward_key(w, name), deploy)
    c = Client(w.net, "10.9.1.2")
    c.guess(name, w.server, 6)
    c.ssh(name, w.server, "ssh %s %s@10.20.0.2 id" % (ONWARD, deploy), password=PASSWORD,
          check_rc=0)
    a = w.agent.alert(detection="auth.bruteforce_success", account=name)
    check(a["severity"] == "medium", "one severity lower than from outside", a)
    w.agent.alert(detection="activity.lateral_movement", account=name)
    w.settle()
    none_of(w, ("chain.t1133", "access.external"), account=name)


@case("journal")
def loopback_failures_then_success(w):
    """The seed's atomic test: failures then success from 127.0.0.1."""
    name, _ = w.users.add("loop")
    c = Client(w.net, None, ns=w.net.srv)
    c.guess(name, "127.0.0.1", 6)
    c.ssh(name, "127.0.0.1", "id", password=PASSWORD, check_rc=0)
    w.agent.alert(detection="auth.bruteforce", account=name, origin__address="127.0.0.1")
    a = w.agent.alert(detection="auth.bruteforce_success", account=name)
    check(a["origin"]["address"] == "127.0.0.1" and a["severity"] == "medium", "who and how bad",
          a)
    w.settle()
    none_of(w, ("access.external",), account=name)


@case("journal")
def agent_with_eight_keys_is_no_bruteforce(w):
    name, _ = w.users.add("keys")
    keys = [w.users.new_key("k%d-%s" % (i, name), name if i == 7 else None) for i in range(8)]
    sock = TMP + "/agent-" + name
    run(["ssh-agent", "-a", sock])
    for k in keys:
        run(["ssh-add", "-q", k], env={"SSH_AUTH_SOCK": sock, "PATH": "/usr/bin:/bin"})
    source = place(w)
    c = Client(w.net, source)
    how = ["-o", "IdentityAgent=" + sock, "-o", "PreferredAuthentications=publickey"]
    for _ in range(3):
        c.ssh(name, w.server, "id", extra=how, check_rc=0)
    wait_for("three sessions", lambda: len(w.agent.sessions(account=name)) == 3)
    w.settle()
    for s in w.agent.sessions(account=name):
        check(not s.get("failures_before"), "rejected offers are no failures", s)
    none_of(w, ("auth.bruteforce", "auth.bruteforce_success", "auth.spray", "auth.noise"),
            origin__address=source)
    check(not worst_of(w, name), "a quiet login: " + brief(worst_of(w, name)))


@case("journal")
def seven_refused_keys_are_seven_failures(w):
    """Connections that end without success count one each, however many keys they offered."""
    name, _ = w.users.add("nokey")
    keys = [w.users.new_key("n%d-%s" % (i, name), None) for i in range(2)]
    c = Client(w.net, place(w))
    how = ["-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-i", keys[0], "-i", keys[1],
           "-o", "PreferredAuthentications=publickey"]
    def refused(times):
        """MaxStartups turns connections away at random in a crowd: those offered no key."""
        for _ in range(20):
            if times and b"Permission denied" in c.ssh(name, w.server, extra=how,
                                                       check_rc=255).stderr:
                times -= 1
        check(not times, "sshd takes no connection")
    refused(5)
    w.settle()
    none_of(w, ("auth.bruteforce",), account=name)
    refused(2)
    # Of the low ones a listener sends only the day's first few: the crowd's may have been those.
    wait_for("an alert in the store", lambda: counts(w, name))
    w.settle()
    seven(w, name)


@case("journal")
def admin_logs_in_while_a_botnet_guesses(w):
    """From a known place, by key: nothing. From elsewhere by the guessed method: an alert."""
    admin, key = w.users.add("admin", key=True)
    victim, _ = w.users.add("victim")
    in_parallel([lambda i=i: Client(w.net, "198.19.%d.9" % i).guess(admin, w.server, 1)
                 for i in range(12)])
    in_parallel([lambda i=i: Client(w.net, "198.19.%d.9" % (i + 100)).guess(victim, w.server, 1)
                 for i in range(12)])
    Client(w.net, "198.18.200.7").ssh(admin, w.server, "id", key=key, check_rc=0)
    Client(w.net, "198.19.200.7").ssh(victim, w.server, "id", password=PASSWORD, check_rc=0)
    a = w.agent.alert(detection="auth.bruteforce_success", account=victim)
    check(a["origin"]["address"] == "198.19.200.7" and at_least(a["severity"], "medium"),
          "success of another source by the guessed method", a)
    w.agent.session(account=admin, origin__address="198.18.200.7", method="publickey")
    w.settle()
    none_of(w, ("auth.bruteforce_success", "chain.t1133"), account=admin)
    for x in w.agent.told(account=admin, origin__address="198.18.200.7"):
        check(x["severity"] == "info", "the admin from the known place", x)


@case("journal")
def expected_work_is_no_chain(w):
    """Login, shell, transfer and an onward ssh the operator expects: at most low."""
    name, key = w.users.add("exp", key=True)
    deploy, _ = w.users.add("expdep")
    w.users.authorize(onward_key(w, name), deploy)
    w.users.authorize(key, name)
    c = Client(w.net, place(w))
    c.ssh(name, w.server, "id; ssh %s %s@10.20.0.2 id" % (ONWARD, deploy), key=key, check_rc=0)
    c.scp("%s@%s:.bashrc" % (name, w.server), TMP + "/exp-got", key=key)
    s = w.agent.session(account=name, test=lambda s: "10.20.0.2" in json.dumps(s))
    check(s, "the onward connection is told")
    w.settle()
    for x in w.agent.told(detection="activity.lateral_movement", account=name):
        check(x["severity"] == "info", "an expected edge", x)
    check(not worst_of(w, name), "nobody is woken: " + brief(worst_of(w, name)))


@case("journal")
def unexpected_onward_alone_is_no_chain(w):
    name, key = w.users.add("onw", key=True)
    deploy, _ = w.users.add("onwdep")
    w.users.authorize(onward_key(w, name), deploy)
    w.users.authorize(key, name)
    Client(w.net, place(w)).ssh(name, w.server, "ssh %s %s@10.20.0.2 id" % (ONWARD, deploy),
                                key=key, check_rc=0)
    a = w.agent.alert(detection="activity.lateral_movement", account=name)
    check(a["severity"] == "medium" and "10.20.0.2" in json.dumps(a), "a new edge", a)
    w.settle()
    none_of(w, ("chain.t1133",), account=name)


@case("journal")
def other_ports_are_no_lateral_movement(w):
    name, key = w.users.add("web", key=True)
    Client(w.net, place(w)).ssh(
        name, w.server, "exec 3<>/dev/tcp/10.20.0.2/8080; /bin/echo web-mark", key=key, check_rc=0)
    w.agent.session(account=name, test=lambda s: "web-mark" in json.dumps(s))
    w.settle()
    none_of(w, ("activity.lateral_movement",), account=name)


@case("journal")
def concurrent_logins_are_never_swapped(w):
    """Two accounts, one address, twelve logins at once: each port has its own account."""
    people = [w.users.add(n, key=True) for n in ("twin-a", "twin-b")]
    source, truth = place(w), {}
    c = Client(w.net, source)

    def login(name, key, i):
        out = c.ssh(name, w.server, "echo $SSH_CONNECTION; /bin/echo %s-%d; sleep 0.3" % (name, i),
                    key=key, check_rc=0).stdout.decode()
        truth[int(out.split()[1])] = (name, "%s-%d" % (name, i))
    in_parallel([lambda p=p, i=i: login(p[0], p[1], i) for i in range(6) for p in people])

    def all_told():
        return len(w.agent.sessions(origin__address=source, state="closed")) >= 12
    wait_for("twelve closed sessions from " + source, all_told, 15)
    w.settle()
    told = w.agent.sessions(origin__address=source)
    check(len(told) == 12, "twelve sessions, not %d" % len(told), told)
    for s in told:
        name, word = truth[s["origin"]["port"]]
        check(s["account"] == name, "port %d belongs to %s" % (s["origin"]["port"], name), s)
        check(word in json.dumps(s["commands"]), "its own command is %s" % word, s)


@case("journal")
def spray_of_ten_accounts(w):
    """Ten accounts of one source in the window: spray; nine: none."""
    source, few = place(w), place(w)
    real = [w.users.add("spr%d" % i)[0] for i in range(3)]
    names = real + ["ghost%d-%s" % (i, w.users.tag) for i in range(7)]
    in_parallel([lambda n=n: Client(w.net, source).guess(n, w.server, 1) for n in names])
    in_parallel([lambda n=n: Client(w.net, few).guess(n, w.server, 1) for n in names[:9]])
    a = w.agent.alert(detection="auth.spray", origin__address=source)
    check(at_least(a["severity"], "medium"), "three of them exist", a)
    w.settle()
    none_of(w, ("auth.spray",), origin__address=few)


@case("journal")
def scanners_are_no_attempts(w):
    """Connections that never try to log in: no attempt, no session, no alert."""
    source = place(w)
    w.net.address(source)
    for data in (b"GET / HTTP/1.0\r\n\r\n", b"", b"SSH-2.0-scan\r\n"):
        run(w.net.inside_ns(w.net.ext, [
            "/usr/bin/python3", "-c",
            "import socket,sys;s=socket.create_connection((sys.argv[1],22),5,(sys.argv[2],0));"
            "s.sendall(%r);s.settimeout(1)\ntry: s.recv(99)\nexcept OSError: pass" % data,
            w.server, source]))
    w.settle()
    check(not w.agent.sessions(origin__address=source), "a scan is no session")
    found = [a for a in w.agent.told(origin__address=source) if a["severity"] != "info"]
    check(not found, "a scan is not worth an alert: " + brief(found))


@case("journal")
def many_tries_on_one_connection(w):
    """Five and six passwords on one connection each: pam_unix tells "4 more", the rest all."""
    five, _ = w.users.add("tries5")
    six, _ = w.users.add("tries6")
    a, b = Client(w.net, place(w)), Client(w.net, place(w))
    in_parallel([lambda: a.raw_guess(five.encode(), w.server, times=5),
                 lambda: b.raw_guess(six.encode(), w.server, times=6)])
    x = w.agent.alert(detection="auth.bruteforce", account=six, origin__address=b.source)
    check(x["count"] == 6, "six tries", x)
    w.settle()
    none_of(w, ("auth.bruteforce",), account=five)
    x = w.agent.alert(detection="auth.bruteforce", account=six)
    check(x["count"] == 6, "still six after all witnesses have spoken", x)


@case("journal")
def second_factor(w):
    """Key and password are asked for: the key alone opens nothing, both open one session."""
    half, key = w.users.add("half", key=True)
    whole, other = w.users.add("whole", key=True)
    n = w.slice()
    source, server = w.outside(n), "192.0.2.%d" % n
    Sshd(w.net, w.net.srv, [server], AuthenticationMethods="publickey,password")
    c = Client(w.net, source)

    def login(name, path, password, code):
        how = ["-i", path, "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none",
               "-o", "PreferredAuthentications=publickey,password"]
        p = run(["sshpass", "-p", password] + c.argv("ssh", ["-l", name, server, "id"],
                                                     extra=how), check=False)
        check((p.returncode == 0) == (code == 0), "client: %r" % p)
    login(half, key, "wr0ng", 255)
    login(whole, other, PASSWORD, 0)
    s = w.agent.session(account=whole, origin__address=source)
    w.settle()
    check(len(w.agent.sessions(account=whole)) == 1, "one session", s)
    check(w.agent.session(account=whole)["method"] == "password", "the last factor", s)
    check(not w.agent.sessions(account=half), "half a login opened a session")
    none_of(w, ("access.external",), account=half)


@case("journal")
def expired_account_opens_nothing(w):
    """The key is right, the password is right, PAM's account check says no: who knows the password
    of an account that may not log in is told; who has its key, or guesses, is not."""
    name, key = w.users.add("expired", key=True)
    run(["usermod", "-e", "1", name])
    source = place(w)
    c = Client(w.net, source)
    in_parallel([lambda: c.ssh(name, w.server, key=key, check_rc=255),
                 lambda: c.ssh(name, w.server, password=PASSWORD, check_rc=255)])
    w.settle()
    check(not w.agent.sessions(origin__address=source), "a denied login opened a session",
          w.agent.sessions(origin__address=source))
    none_of(w, ("access.external", "activity.remote_shell"), origin__address=source)
    a = w.agent.alert(detection="auth.valid_password_denied", account=name)
    check(a["severity"] == "high" and a["reason"] == "account-denied" and a["count"] == 1 and
          a["origin"]["address"] == source, "the password is known", a)
    other = place(w)
    c = Client(w.net, other)
    c.guess(name, w.server, 2)
    c.ssh(name, w.server, key=key, check_rc=255)
    w.settle()
    none_of(w, ("auth.valid_password_denied",), origin__address=other)


@case("journal")
def helper_before_the_login_is_no_shell(w):
    """AuthorizedKeysCommand runs a shell before anybody is logged in."""
    name, key = w.users.add("akc", key=True)
    stranger = w.users.new_key("akc-stranger-" + w.users.tag, None)
    helper = TMP + "/keys-helper"
    with open(helper, "w") as f:
        f.write("#!/bin/sh\n/bin/sh -c '/bin/sleep 0.1; /bin/true helper-mark'\n")
    run(["chmod", "755", helper])
    n = w.slice()
    source, server = w.outside(n), "192.0.2.%d" % n
    Sshd(w.net, w.net.srv, [server], AuthorizedKeysCommand=helper,
         AuthorizedKeysCommandUser="nobody")
    c = Client(w.net, source)
    c.ssh(name, server, key=stranger, check_rc=255)
    w.settle()
    check(not w.agent.sessions(origin__address=source), "a helper opened a session",
          w.agent.sessions(origin__address=source))
    none_of(w, ("activity.remote_shell",), origin__address=source)
    c.ssh_open(name, server, [], key=key, extra=["-N"])
    s = w.agent.session(account=name, origin__address=source)
    w.settle()
    s = w.agent.session(id=s["id"])
    check("helper-mark" not in json.dumps(s), "a helper is no command of the session", s)
    none_of(w, ("activity.remote_shell",), origin__address=source)


@case("journal")
def su_is_no_ssh_attempt(w):
    """Seven wrong passwords to su in a session, and root's own su outside of any."""
    name, key = w.users.add("suer", key=True)
    target, _ = w.users.add("sutarget")
    source = place(w)
    Client(w.net, source).ssh(
        name, w.server, "for i in 1 2 3 4 5 6 7; do echo wr0ng | su %s -c id & done; wait; "
        "/bin/echo su-mark" % target, key=key, check_rc=0)
    check(run(["su", target, "-c", "id"]).stdout, "root may")
    w.agent.session(account=name, test=lambda s: "su" in json.dumps(s["commands"]))
    w.settle()
    check(not w.agent.sessions(account=target), "su opened a session",
          w.agent.sessions(account=target))
    check(len(w.agent.sessions(origin__address=source)) == 1, "one session")
    none_of(w, ("auth.bruteforce", "auth.spray", "auth.noise"), origin__address=source)
    none_of(w, ("auth.bruteforce", "access.external"), account=target)
