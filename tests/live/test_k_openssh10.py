"""OpenSSH 10: another program for each connection (sshd-session, sshd-auth), other names in logs."""
import glob
import os
import threading

from cases import case
from harness import Client, Sshd, check, fingerprint
from sandbox import TMP, run
from test_c_main_job import PASSWORD, ONWARD, none_of, onward_key, place, seven

CACHE = os.path.join(os.environ.get("BUILD", "build"), "openssh10")
lock = threading.Lock()
ARCHIVE = ("apt-get indextargets --format '$(CREATED_BY) $(ORIGIN) $(REPO_URI) $(RELEASE) "
           "$(COMPONENT)' | awk '$1 == \"Packages\" && $2 == \"Debian\" && $4 == \"bookworm\" && "
           "$5 == \"main\" {print $3; exit}'")


def fetched():
    """The distribution's own package of its newer suite, taken apart and installed nowhere."""
    root = os.path.abspath(CACHE)
    with lock:
        if not os.path.exists(root + "/x/usr/sbin/sshd"):
            os.makedirs(root + "/lists/partial", exist_ok=True)
            with open(root + "/list", "w") as f:
                f.write("deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s "
                        "bookworm-backports main\n" %
                        run(["sh", "-c", ARCHIVE]).stdout.decode().strip())
            apt = ["apt-get", "-q", "-o", "Dir::Etc::SourceList=%s/list" % root, "-o",
                   "Dir::Etc::SourceParts=/dev/null", "-o", "Dir::State::Lists=%s/lists" % root,
                   "-o", "APT::Sandbox::User=root"]
            run(apt + ["update"], timeout=120)
            run(apt + ["download", "openssh-server=1:10.*"], timeout=120, cwd=root)
            run(["dpkg", "-x", glob.glob(root + "/openssh-server_*.deb")[0], root + "/x"])
        # A daemon's program is root's, in a directory that nobody else can write to.
        to = TMP + "/openssh10"
        if not os.path.exists(to):
            run(["cp", "-a", root + "/x", to])
    return to


def server(w, port, **options):
    x = fetched()
    return Sshd(w.net, w.net.srv, [w.server], port=port, binary=x + "/usr/sbin/sshd",
                SshdSessionPath=x + "/usr/lib/openssh/sshd-session",
                SshdAuthPath=x + "/usr/lib/openssh/sshd-auth", **options)


@case("journal")
def openssh_10_intruder(w):
    """Guesses, the login, a command, the next host: the whole story."""
    name, _ = w.users.add("ten")
    deploy, _ = w.users.add("tendep")
    w.users.authorize(onward_key(w, name), deploy)
    source = place(w)
    sshd = server(w, 2281, PerSourcePenalties="no")
    c = Client(w.net, source)
    c.guess(name, w.server, 7, port=2281)
    seven(w, name)
    c.ssh(name, w.server, "/bin/echo ten-mark; ssh %s %s@10.20.0.2 id" % (ONWARD, deploy),
          password=PASSWORD, port=2281, check_rc=0)
    a = w.agent.alert(detection="chain.t1133", account=name)
    check(a["origin"]["address"] == source and "10.20.0.2" in a["sentence"], "the story", a)
    s = w.agent.session(account=name, state="closed")
    check(s["method"] == "password" and s["failures_before"] == 7, "how", s)
    ran = [x["text"] for x in s["commands"]]
    check("/bin/echo ten-mark" in ran and not [x for x in ran if "sshd-" in x],
          "what ran, without the daemon's own programs", s)
    w.settle()
    none_of(w, ("sensor.mismatch", "access.shell_without_auth"), account=name)
    sshd.stop()


@case("journal")
def openssh_10_key_and_keyboard(w):
    name, key = w.users.add("tenkey", key=True)
    source = place(w)
    sshd = server(w, 2282, KbdInteractiveAuthentication="yes",
                  PasswordAuthentication="no")
    c = Client(w.net, source)
    c.ssh(name, w.server, "id", key=key, port=2282, check_rc=0)
    s = w.agent.session(account=name, test=lambda s: s.get("key"))
    check(s["method"] == "publickey" and fingerprint(key) in s["key"], "by key", s)
    c.ssh(name, w.server, "uname", password=PASSWORD, port=2282, check_rc=0)
    w.agent.session(account=name, method="keyboard-interactive", origin__address=source)
    sshd.stop()


@case("journal")
def penalties_are_refusals(w):
    """PerSourcePenalties drops connections after the first failures: those are no attempts."""
    name, _ = w.users.add("tenpen")
    source = place(w)
    sshd = server(w, 2283, PerSourcePenalties="authfail:60s min:1s")
    c = Client(w.net, source)
    p = c.ssh(name, w.server, password="wr0ng", port=2283)
    check(b"denied" in p.stderr, "the first is asked", repr(p))
    for _ in range(8):
        p = c.ssh(name, w.server, password="wr0ng", port=2283)
        check(p.returncode == 255 and b"denied" not in p.stderr, "dropped at once", repr(p))
    w.settle()
    none_of(w, ("auth.bruteforce", "auth.spray", "sensor.mismatch"), origin__address=source)
    check(not w.agent.sessions(account=name), "no session")
    sshd.stop()
