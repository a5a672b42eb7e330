"""The same with a log file instead of the journal: written by a small syslog daemon, rotated in
every way, absent and back again. Only the file knows a key's fingerprint: that proves the tail."""
import datetime
import json
import os
import time

from cases import case, world
from harness import (Client, Sshd, Syslog, World, brief, check, fingerprint, the_journal)
from sandbox import wait_for
from test_e_forged import lies_about, still_true
from test_c_main_job import PASSWORD, none_of, noise, place, seven

PATH = "/var/log/auth.log"
AUDIT = "/var/log/kube-apiserver-audit.log"
DATED = "/var/log/dated-%s.log"


@world("file")
def file_world(net, users):
    """The file does not exist when the agent starts."""
    the_journal().stop()
    w = World("file", net, users, journal=False, files=[PATH, "/var/log/never-there", AUDIT, DATED % "*"])
    w.syslog = None
    w.start_common()
    w.agent.start()
    check(not os.path.exists(PATH), "the file is not there yet")
    w.syslog = Syslog(PATH)
    w.end = lambda: w.agent.stop()
    return w


def login_is_read(w, name, key):
    """A key login whose fingerprint reaches the session: only the file could tell it."""
    source = place(w)
    Client(w.net, source).ssh(name, w.server, "id", key=key, check_rc=0)
    s = w.agent.session(account=name, origin__address=source, method="publickey",
                        key=lambda k: k and fingerprint(key) in k)
    check(len(w.agent.sessions(account=name, origin__address=source)) == 1, "one session")
    return s


@case("file", alone=True)
def file_that_appears_is_read(w):
    login_is_read(w, *w.users.add("appear", key=True))


@case("file", alone=True)
def file_bruteforce_counts_once(w):
    """Five are none, six are six: kernel, sshd and pam_unix tell of the same tries."""
    five, _ = w.users.add("f-five")
    six, _ = w.users.add("f-six")
    for name, times in ((five, 5), (six, 6)):
        c = Client(w.net, place(w))
        c.guess(name, w.server, times)
        c.ssh(name, w.server, "id", password=PASSWORD, check_rc=0)
    a = w.agent.alert(detection="auth.bruteforce", account=six)
    w.agent.alert(detection="auth.bruteforce_success", account=six)
    w.settle()
    a = w.agent.alert(detection="auth.bruteforce", account=six)
    check(a["count"] == 6, "counted once each", a)
    none_of(w, ("auth.bruteforce", "auth.bruteforce_success"), account=five)


@case("file", alone=True)
def file_survives_rename_and_create(w):
    name, key = w.users.add("rename", key=True)
    login_is_read(w, name, key)
    w.syslog.rotate()
    login_is_read(w, name, key)
    w.syslog.rotate()
    w.syslog.rotate()
    login_is_read(w, name, key)


@case("file", alone=True)
def file_survives_copytruncate(w):
    name, key = w.users.add("trunc", key=True)
    login_is_read(w, name, key)
    w.syslog.copytruncate()
    login_is_read(w, name, key)
    w.syslog.copytruncate()
    login_is_read(w, name, key)


@case("file", alone=True)
def file_survives_absence(w):
    name, key = w.users.add("absent", key=True)
    w.syslog.remove()
    login_is_read(w, name, key)


@case("file", alone=True)
def file_rotation_repeats_and_loses_nothing(w):
    """Guesses around a rotation: none is counted twice, none is lost."""
    name, _ = w.users.add("around")
    c = Client(w.net, place(w))
    c.guess(name, w.server, 3)
    w.syslog.rotate()
    c.guess(name, w.server, 3)
    w.syslog.copytruncate()
    c.guess(name, w.server, 1)
    w.settle()
    w.agent.alert(detection="auth.bruteforce", account=name)
    seven(w, name)


def audit_event(source, uri, code=200, user="system:anonymous", verb="list", **more):
    """One line as kube-apiserver writes it."""
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    e = {"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "RequestResponse",
         "auditID": "9ac5187c-29a2-4bf8-ba6e-21dc887f5d34", "stage": "ResponseComplete",
         "requestURI": uri, "verb": verb, "user": {"username": user}, "sourceIPs": [source],
         "userAgent": "curl/7.88.1", "responseStatus": {"metadata": {}, "code": code}}
    return json.dumps(e | more | {"requestReceivedTimestamp": now, "stageTimestamp": now}) + "\n"


@case("file", alone=True)
def file_of_audit_events(w):
    """An audit log of kube-apiserver: appears, grows by half a line, has a line longer than a log's,
    is renamed and made anew; who is refused or says who he is, is no alert."""
    one, two, three, four, five = (place(w) for _ in range(5))
    with open(AUDIT, "a", encoding="utf-8") as f:
        f.write(audit_event(four, "/version") + audit_event(four, "/api/v1/secrets", 403) +
                audit_event(four, "/api/v1/secrets", user="alice"))
        text = audit_event(one, "/api/v1/namespaces/kube-system/secrets")
        f.write(text[:100])
        f.flush()
        time.sleep(0.5)
        f.write(text[100:])
        f.flush()
        a = w.agent.alert(detection="access.unauthenticated", origin__address=one)
        check((a["severity"], a["service"], a["account"], a["count"]) ==
              ("high", "kube-api", "system:anonymous", 1), "what was told", a)
        pod = {"metadata": {"name": "x", "annotations": {"a": "y" * 20000}},
               "spec": {"hostPID": True, "containers": [{"image": "alpine"}]}}
        f.write(audit_event(two, "/api/v1/namespaces/a/pods", 201, verb="create",
                            requestObject=pod))
        f.flush()
        a = w.agent.alert(detection="access.unauthenticated", origin__address=two)
        check("host pid" in a["sentence"] and "alpine" in a["sentence"], "the long line", a)
        os.rename(AUDIT, AUDIT[:-4] + "-2026-01-01T00-00-00.000.log")
        f.write(audit_event(five, "/api/v1/secrets"))  # what was on its way
    with open(AUDIT, "a", encoding="utf-8") as f:
        f.write(audit_event(three, "/api/v1/secrets"))
    w.agent.alert(detection="access.unauthenticated", origin__address=three)
    w.agent.alert(detection="access.unauthenticated", origin__address=five)
    w.settle()
    none_of(w, ("access.unauthenticated",), origin__address=four)


@case("file", alone=True)
def file_with_a_date_in_its_name(w):
    """The last by name is followed, and its successor from its first line; older ones are not."""
    days = [DATED % d for d in ("20261127", "20261128", "20261129")]
    told = [place(w) for _ in range(3)]
    old = place(w)
    for i in (1, 0, 2):
        with open(days[i], "a", encoding="utf-8") as f:
            f.write(audit_event(old if i == 0 else told[i], "/api/v1/secrets"))
        if i:
            w.agent.alert(detection="access.unauthenticated", origin__address=told[i])
    with open(days[2], "a", encoding="utf-8") as f:
        f.write(audit_event(told[0], "/api/v1/secrets"))
    w.agent.alert(detection="access.unauthenticated", origin__address=told[0])
    w.settle()
    none_of(w, ("access.unauthenticated",), origin__address=old)


@case("file", alone=True)
def file_unknown_accounts_are_noise(w):
    n = w.slice()
    source = w.outside(n)
    Sshd(w.net, w.net.srv, ["192.0.2.%d" % n], port=2212)
    Client(w.net, source).guess("nobody-" + w.users.tag, "192.0.2.%d" % n, 7, port=2212)
    w.settle()
    noise(w, 2212, 7)
    check(not w.agent.sessions(origin__address=source), "no session")


@case("file", alone=True)
def file_use_pam_no_is_told(w):
    name, _ = w.users.add("f-nopam")
    second = int(time.time())  # the format knows seconds; lines of before the start are history
    wait_for("the next second", lambda: int(time.time()) > second)
    n = w.slice()
    Sshd(w.net, w.net.srv, ["192.0.2.%d" % n], UsePAM="no")
    Client(w.net, w.outside(n)).ssh(name, "192.0.2.%d" % n, "/bin/echo f-nopam-mark",
                                    password=PASSWORD, check_rc=0)
    s = w.agent.session(account=name, origin__address=w.outside(n))
    check(len(w.agent.sessions(account=name)) == 1, "one session", s)
    w.agent.alert(detection="access.external", account=name)


@case("file", alone=True)
def file_forged_lines_change_nothing(w):
    """Anybody may write to /dev/log. The kernel saw no such connection."""
    victim, key = w.users.add("f-victim", key=True)
    lines = ["sshd[4242]: Accepted password for root from 198.51.100.9 port 1 ssh2",
             "sshd[4242]: Accepted password for %s from 198.51.100.9 port 2 ssh2" % victim]
    lines += ["sshd[%d]: Failed password for %s from 198.51.100.77 port %d ssh2" %
              (5000 + i, victim, 100 + i) for i in range(12)]
    second = int(time.time())  # the format knows seconds; lines of before the start are history
    wait_for("the next second", lambda: int(time.time()) > second)
    for line in lines:
        w.syslog.write(time.strftime("%b %e %H:%M:%S live-host ").encode() + line.encode() + b"\n")
    login_is_read(w, victim, key)
    w.settle()
    for address in ("198.51.100.9", "198.51.100.77"):
        check(not w.agent.sessions(origin__address=address), "a session from a line alone")
        found = [a for a in w.agent.told(origin__address=address)
                 if a["detection"] != "sensor.mismatch"]
        check(not found, "alerts from lines alone: " + brief(found))
    check(not w.agent.sessions(account="root"), "a session of root")
    wait_for("a login the kernel never saw is told as such", lambda: [
        a for a in w.agent.told(detection="sensor.mismatch")
        if "198.51.100.9" in json.dumps(a) and a["severity"] == "high"])


@case("file", alone=True)
def file_forged_lines_about_a_live_session(w):
    """In a file nobody vouches for a line: what the kernel saw stays what it was."""
    name, key = w.users.add("f-liar", key=True)
    victim, _ = w.users.add("f-lied")
    source = place(w)
    p = Client(w.net, source).ssh_open(name, w.server, "echo $SSH_CONNECTION; read x", key=key)
    port = int(p.stdout.readline().split()[1])
    s = w.agent.session(account=name, state="open", key=lambda k: k and fingerprint(key) in k)
    for line in lies_about(name, victim, source, port):
        w.syslog.write(time.strftime("%b %e %H:%M:%S live-host sshd[4711]: ").encode() +
                       line.encode() + b"\n")
    w.settle()
    still_true(w, s, name, key)
    p.communicate(b"\n", timeout=30)
    w.agent.session(id=s["id"], state="closed")


@case("file", alone=True)
def file_position_survives_a_restart(w):
    """Stopped, written to, rotated, started: lines of the meantime are read once."""
    name, _ = w.users.add("f-meantime")
    source = place(w)
    c = Client(w.net, source)
    c.guess(name, w.server, 3)
    w.settle()
    w.agent.stop()
    c.guess(name, w.server, 2)
    w.syslog.rotate()
    c.guess(name, w.server, 2)
    w.agent.start()
    w.settle()
    w.agent.alert(detection="auth.bruteforce", account=name, origin__address=source)
    seven(w, name)
