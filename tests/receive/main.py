"""Receivers end to end; see run.sh."""
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import traceback

import world
from world import Agent, Failure, check, free_port, wait_for

CASES = []
agents = []


def case(f):
    CASES.append(f)
    return f


def agent(name, rows, extra=""):
    text = "Receivers:\n" + "".join("  - %s\n" % json.dumps(r) for r in rows)
    a = Agent("receive-" + name, [], text + extra)
    agents.append(a)
    return a.start()


def stamp():
    return time.strftime("%b %e %H:%M:%S")


def accepted(account, host="web1", port=4711, address="203.0.113.9", pid=77):
    return ("<38>%s %s sshd[%d]: Accepted password for %s from %s port %d ssh2" %
            (stamp(), host, pid, account, address, port))


def ended(account, host="web1", port=4711, address="203.0.113.9", pid=77):
    return ("<38>%s %s sshd[%d]: Disconnected from user %s %s port %d" %
            (stamp(), host, pid, account, address, port))


def failed(account, host="web1", port=4712, address="203.0.113.66"):
    return ("<38>%s %s sshd[78]: Failed password for %s from %s port %d ssh2" %
            (stamp(), host, account, address, port))


def udp(port, *lines, family=socket.AF_INET, source=None):
    s = socket.socket(family, socket.SOCK_DGRAM)
    if source:
        s.bind((source, 0))
    for line in lines:
        s.sendto(line.encode() if isinstance(line, str) else line,
                 ("::1" if family == socket.AF_INET6 else "127.0.0.1", port))
    s.close()


def command(a, *words):
    return subprocess.run([a.program] + list(words) + ["--config", a.config], capture_output=True,
                          text=True, check=True).stdout


def rows(a, what):
    return [json.loads(x) for x in command(a, what, "--format", "json").splitlines()]


def session(a, account, state=None):
    def find():
        for s in rows(a, "sessions"):
            if s.get("account") == account and (not state or s["state"] == state):
                return s
        return None
    return wait_for(find, lambda: "a session of %s; there are %s" % (
        account, json.dumps(rows(a, "sessions"))[:800]), 20, 0.2)


def source(a, word):
    return next(s for s in a.status()["sources"] if word in s["name"])


@case
def login_on_another_host():
    """udp://: the alert says on which host; the end of the session is told, too."""
    port = free_port()
    a = agent("udp", [{"listen": "udp://127.0.0.1:%d" % port}])
    udp(port, accepted("alice"))
    s = session(a, "alice", "open")
    check(s["told_by"] == "web1" and s["origin"]["address"] == "203.0.113.9", "who and where", s)
    alert = wait_for(lambda: [x for x in rows(a, "alerts") if x.get("account") == "alice" and
                              x["detection"] == "access.external"], "an alert", 20)[0]
    check("(on web1)" in alert["sentence"], "the sentence names the host", alert)
    udp(port, ended("alice"))
    s = session(a, "alice", "closed")
    check(s["told_by"] == "web1", "still", s)
    a.end()


@case
def what_this_host_is_said_to_have_done():
    """With the kernel watching, a line about this host opens no session, whoever sends it."""
    port = free_port()
    a = agent("own", [{"listen": "udp://127.0.0.1:%d" % port}])
    own = socket.gethostname()
    udp(port, accepted("mallory", own), accepted("mallory2", own.split(".")[0] + ".example.org"),
        accepted("bob", "web2", 4713))
    session(a, "bob")
    names = [s.get("account") for s in rows(a, "sessions")]
    check("mallory" not in names and "mallory2" not in names, "no session of a forged line", names)
    a.end()


@case
def guesses_at_two_hosts():
    port = free_port()
    a = agent("guess", [{"listen": "udp://127.0.0.1:%d" % port}])
    for i in range(8):
        udp(port, failed("root", "web%d" % (i % 2), 5000 + i))
    alert = wait_for(lambda: [x for x in rows(a, "alerts") if x["detection"] == "auth.bruteforce"],
                     "auth.bruteforce", 20)[0]
    check(alert["origin"]["address"] == "203.0.113.66", "of that address", alert)
    a.end()


@case
def same_port_and_process_on_two_hosts():
    """Two hosts' sshd may have one number, and an origin one port twice: two sessions."""
    port = free_port()
    a = agent("two", [{"listen": "udp://127.0.0.1:%d" % port}])
    udp(port, accepted("ann", "web1"), accepted("ben", "web2"))
    check(session(a, "ann")["told_by"] == "web1", "ann's host")
    check(session(a, "ben")["told_by"] == "web2", "ben's host")
    udp(port, ended("ann", "web1"))
    session(a, "ann", "closed")
    check(session(a, "ben")["state"] == "open", "ben's goes on")
    a.end()


@case
def octet_counting_keeps_a_message_whole():
    """RFC 6587: a line end inside begins no line; cut anywhere, it is put together again."""
    port = free_port()
    a = agent("octets", [{"listen": "tcp://127.0.0.1:%d" % port}])
    evil = "<38>%s web1 app[1]: x\n%s" % (stamp(), accepted("forged"))
    data = b"".join(b"%d %s" % (len(m), m.encode()) for m in (evil, accepted("carol")))
    s = socket.create_connection(("127.0.0.1", port))
    for i in range(len(data)):
        s.send(data[i:i + 1])
    session(a, "carol")
    check("forged" not in [x.get("account") for x in rows(a, "sessions")], "no line of its own")
    # the other framing on the same connection; the last line has no end
    s.send((accepted("dave", port=4720) + "\n" + accepted("erin", port=4721)).encode())
    session(a, "dave")
    s.close()
    session(a, "erin")
    a.end()


@case
def lines_that_are_too_long():
    port = free_port()
    a = agent("long", [{"listen": "tcp://127.0.0.1:%d" % port}])
    s = socket.create_connection(("127.0.0.1", port))
    s.sendall(b"<38>" + b"x" * 200000 + b"\n" + accepted("frank").encode() + b"\n")
    session(a, "frank")
    s.sendall(b"150000 <38>" + b"y" * 149996 + accepted("grace", port=4722).encode() + b"\n")
    session(a, "grace")
    check(source(a, "tcp://")["cut"] == 2, "both are counted", a.status()["sources"])
    a.end()


@case
def tls_with_certificates():
    d = world.certificates()
    port = free_port()
    a = agent("tls", [{"listen": "tls://127.0.0.1:%d" % port, "cert": d + "/server.pem",
                       "key": d + "/server.key", "ca": d + "/ca.pem"}])

    def connect(who):
        c = ssl.create_default_context(cafile=d + "/ca.pem")
        if who:
            c.load_cert_chain(d + "/%s.pem" % who, d + "/%s.key" % who)
        s = c.wrap_socket(socket.create_connection(("127.0.0.1", port)),
                          server_hostname="localhost")
        m = accepted("heidi" if who == "client" else "wrong", port=4730).encode()
        s.sendall(b"%d %s" % (len(m), m))
        return s
    s = connect("client")
    session(a, "heidi")
    for who in (None, "wrong"):
        try:
            connect(who).recv(1)
        except (ssl.SSLError, OSError):
            pass
    plain = socket.create_connection(("127.0.0.1", port))
    plain.sendall(accepted("wrong").encode() + b"\n")
    wait_for(lambda: source(a, "tls://").get("refused", 0) >= 3, "three are refused", 20)
    check("wrong" not in [x.get("account") for x in rows(a, "sessions")], "nobody else's lines")
    s.close()
    plain.close()
    a.end()


@case
def a_key_of_another_certificate():
    """The place says why it does not work; others go on."""
    d = world.certificates()
    port = free_port()
    a = agent("key", [{"listen": "tls://127.0.0.1:%d" % free_port(), "cert": d + "/server.pem",
                       "key": d + "/client.key"},
                      {"listen": "udp://127.0.0.1:%d" % port}])
    row = wait_for(lambda: source(a, "tls://")["state"] == "failed" and source(a, "tls://"),
                   "it is told", 10)
    check("client.key" in row["reason"], "which file", row)
    udp(port, accepted("tom", port=4790))
    session(a, "tom")
    a.end()


@case
def rsyslog_relays():
    """A real relay: RFC 5424 over TCP with octet counts, of a file that has another host's lines."""
    port = free_port()
    a = agent("rsyslog", [{"listen": "tcp://127.0.0.1:%d" % port}])
    log = a.dir + "/remote.log"
    open(log, "w").close()
    with open(a.dir + "/rsyslog.conf", "w") as f:
        f.write('global(workDirectory="%s")\nmodule(load="imfile" mode="inotify")\n'
                'input(type="imfile" file="%s" tag="sshd[91]:" reopenOnTruncate="on")\n'
                'template(name="t" type="string" string="<38>1 %%timegenerated:::date-rfc3339%% '
                'web9 sshd 91 - - %%msg%%")\n'
                'action(type="omfwd" target="127.0.0.1" port="%d" protocol="tcp" '
                'TCP_Framing="octet-counted" template="t")\n' % (a.dir, log, port))
    p = subprocess.Popen(["rsyslogd", "-n", "-i", a.dir + "/rsyslog.pid", "-f",
                          a.dir + "/rsyslog.conf"], stdout=subprocess.DEVNULL,
                         stderr=open(a.dir + "/rsyslog.err", "w"))
    try:
        time.sleep(1)
        with open(log, "a") as f:
            f.write("Accepted publickey for ivan from 203.0.113.10 port 5021 ssh2: ED25519 "
                    "SHA256:0123456789012345678901234567890123456789012\n")
        s = session(a, "ivan")
        check(s["told_by"] == "web9" and s["method"] == "publickey", "what rsyslog sent", s)
    finally:
        p.terminate()
        p.wait(10)
    a.end()


@case
def logger_sends():
    port = free_port()
    a = agent("logger", [{"listen": "udp://[::1]:%d" % port}])
    for form in ("--rfc3164", "--rfc5424"):
        subprocess.run(["logger", "-n", "::1", "-P", str(port), "-d", form, "-t", "dovecot", "--",
                        "imap-login: Login: user=<judy%s>, method=PLAIN, rip=203.0.113.11, "
                        "lip=192.0.2.1, mpid=4711, TLS, session=<j>" % form[-4:]], check=True)
        session(a, "judy" + form[-4:])
    a.end()


@case
def programs_write_to_a_socket_and_a_pipe():
    """unix: with syslog's lines; pipe: with JSON Lines; each for its owner and group alone."""
    d = world.TMP + "/places"
    os.makedirs(d, exist_ok=True)
    a = agent("local", [{"listen": "unix:%s/lines.sock" % d},
                        {"listen": "pipe:%s/lines" % d, "source": "okta"}])
    for name in ("lines.sock", "lines"):
        check(os.stat(d + "/" + name).st_mode & 0o777 == 0o660, "mode of " + name)
    s = socket.socket(socket.AF_UNIX)
    s.connect(d + "/lines.sock")
    s.sendall((accepted("karl", "web3") + "\n").encode())
    session(a, "karl")
    okta = {"actor": {"alternateId": "lena@example.org", "type": "User"},
            "client": {"ipAddress": "203.0.113.12"}, "eventType": "user.session.start",
            "outcome": {"result": "FAILURE", "reason": "INVALID_CREDENTIALS"},
            "published": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()), "uuid": "1"}
    with open(d + "/lines", "w") as f:
        f.write(json.dumps(okta) + "\n")
        f.write(accepted("not-okta") + "\n")
    wait_for(lambda: source(a, "pipe:")["lines"] == 2, "two lines", 20)
    row = source(a, "pipe:")
    check(row["skipped"] == 1 and "not-okta" in row["sample"], "what was not wanted, and which", row)
    with open(d + "/lines", "w") as f:  # the writer before has gone: the pipe has no end
        f.write(json.dumps(okta) + "\n")
    wait_for(lambda: source(a, "pipe:")["lines"] == 3, "a second writer", 20)
    s.close()
    a.end()
    check(not os.path.exists(d + "/lines.sock"), "the socket goes with the agent")


@case
def only_from_whom_it_is_said():
    port = free_port()
    a = agent("from", [{"listen": "udp://0.0.0.0:%d" % port, "from": ["127.0.0.2/32"]}])
    udp(port, accepted("mia"), source="127.0.0.3")
    udp(port, accepted("nina", port=4740), source="127.0.0.2")
    session(a, "nina")
    wait_for(lambda: source(a, "udp://").get("refused") == 1, "one is refused", 30)
    check("mia" not in [x.get("account") for x in rows(a, "sessions")], "not from there")
    a.end()


def child_of(a, word):
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/cmdline" % pid) as f:
                text = f.read()
            with open("/proc/%s/stat" % pid) as f:
                parent = int(f.read().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
        if parent == a.process.pid and word in text:
            return int(pid)
    return None


@case
def a_flood_is_counted():
    """More datagrams than the kernel has room for while nobody reads: told, by number."""
    port = free_port()
    a = agent("flood", [{"listen": "udp://127.0.0.1:%d" % port}])
    pid = wait_for(lambda: child_of(a, "receivers"), "the process that listens", 10)
    os.kill(pid, signal.SIGSTOP)
    line = failed("root") + "x" * 800
    udp(port, *[line] * 40000)
    os.kill(pid, signal.SIGCONT)
    udp(port, accepted("olga", port=4750))
    row = wait_for(lambda: source(a, "udp://").get("lost") and source(a, "udp://"), "lost lines", 30)
    check(row["lost"] + row["lines"] >= 40000, "those that came and those that are lost", row)
    wait_for(lambda: [x for x in rows(a, "alerts") if x["detection"] == "sensor.loss"],
             "sensor.loss", 20)
    lost = row["lost"]
    os.kill(child_of(a, "receivers"), signal.SIGKILL)  # what the kernel counted is told once
    wait_for(lambda: source(a, "udp://")["state"] == "failed", "it is told", 10)
    udp(port, accepted("oona", port=4751))
    session(a, "oona")
    check(source(a, "udp://")["lost"] == lost, "no more than before", source(a, "udp://"))
    a.end()


@case
def the_process_that_listens_is_killed():
    port = free_port()
    a = agent("killed", [{"listen": "udp://127.0.0.1:%d" % port}])
    udp(port, accepted("paul", port=4760))
    session(a, "paul")
    os.kill(child_of(a, "receivers"), signal.SIGKILL)
    wait_for(lambda: source(a, "udp://")["state"] == "failed", "it is told", 10)
    udp(port, accepted("quinn", port=4761))  # waits in the kernel: the place stays bound
    wait_for(lambda: source(a, "udp://")["state"] == "on", "it runs again", 20)
    session(a, "quinn")
    a.end()


@case
def after_a_restart():
    """What another host has open is still open, and its end is known."""
    port = free_port()
    a = agent("restart", [{"listen": "udp://127.0.0.1:%d" % port}])
    udp(port, accepted("rita", port=4770))
    session(a, "rita", "open")
    a.stop()
    a.start()
    check(session(a, "rita")["state"] == "open", "still open", rows(a, "sessions"))
    udp(port, ended("rita", port=4770))
    session(a, "rita", "closed")
    a.end()


@case
def files_that_a_relay_writes():
    """RelayedFiles: another host's lines are its own; what stands in Files is this host's."""
    relayed = world.TMP + "/web7.log"
    open(relayed, "w").close()
    a = Agent("receive-files", [], "")
    agents.append(a)
    with open(a.config) as f:
        text = f.read().replace("Sources: {", "Sources: {RelayedFiles: [%s], " % relayed)
    with open(a.config, "w") as f:
        f.write(text)
    a.start()
    for path, who in ((a.log, "not-here"), (relayed, "sara")):
        with open(path, "a") as f:
            f.write(accepted(who, "web7", 4780)[4:] + "\n")
    check(session(a, "sara")["told_by"] == "web7", "the host")
    check("not-here" not in [x.get("account") for x in rows(a, "sessions")], "Files are our own")
    a.end()


@case
def a_port_that_is_taken():
    taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    taken.bind(("127.0.0.1", 0))
    port = taken.getsockname()[1]
    a = agent("taken", [{"listen": "udp://127.0.0.1:%d" % port},
                        {"listen": "tcp://127.0.0.1:%d" % free_port()}])
    row = source(a, "udp://")
    check(row["state"] == "failed" and "in use" in row["reason"], "and why", row)
    check(source(a, "tcp://")["state"] == "on", "the other works", a.status()["sources"])
    a.end()


def run(f):
    start = time.monotonic()
    try:
        f()
        print("ok   %s (%.1f s)" % (f.__name__, time.monotonic() - start), flush=True)
        return True
    except Exception as e:
        print("FAIL %s: %s" % (f.__name__, e if isinstance(e, Failure) else traceback.format_exc()),
              flush=True)
        for a in agents:
            if a.process:
                with open(a.dir + "/err") as err:
                    print("      | " + err.read()[-1500:].replace("\n", "\n      | "))
        return False
    finally:
        while agents:
            agents.pop().end()


def main():
    words = sys.argv[1:]
    chosen = [f for f in CASES if not words or any(w in f.__name__ for w in words)]
    bad = [f for f in chosen if not run(f)]
    if bad:  # a busy machine: once more
        print("== again: " + " ".join(f.__name__ for f in bad), flush=True)
        bad = [f for f in bad if not run(f)]
    world.clean()
    print("%d passed, %d failed" % (len(chosen) - len(bad), len(bad)))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
