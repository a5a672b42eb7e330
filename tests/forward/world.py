"""The agent with forwarders, what it is told to see, and what a collector must have in the end."""
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
TMP = tempfile.mkdtemp(prefix="outergate-forward-")
os.chmod(TMP, 0o755)


class Failure(Exception):
    pass


def check(truth, text, *shown):
    if not truth:
        raise Failure(text + "".join("\n      %s" % json.dumps(s, default=str)[:1500] for s in shown))


def wait_for(what, text, seconds=60, every=0.05):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        got = what()
        if got:
            return got
        time.sleep(every)
    raise Failure("not within %d s: %s" % (seconds, text() if callable(text) else text))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Agent:
    """Reads one log file of Dovecot lines: each is one event, and needs no kernel record."""

    def __init__(self, name, forwarders, extra=""):
        self.dir = tempfile.mkdtemp(prefix=name + "-", dir=TMP)
        os.chmod(self.dir, 0o755)
        self.log = self.dir + "/mail.log"
        open(self.log, "w").close()
        self.config = self.dir + "/outergate.yaml"
        self.told = 0
        self.program = BUILD + "/outergate"
        self.process = None
        self.configure(forwarders, extra)

    def configure(self, forwarders, extra=""):
        rows = "".join("  - %s\n" % json.dumps(f) for f in forwarders)
        with open(self.config, "w") as f:
            f.write("Sources: {Journal: false, Files: [%s]}\n"
                    "Outputs: {Journald: false}\n"
                    "Privacy: {UnknownAccounts: keep}\n"
                    "Store: %s/store/outergate.db\nRuntime: %s/run\n%s\n"
                    "Forwarders:%s" % (self.log, self.dir, self.dir, extra, "\n" + rows if rows else " []\n"))

    def start(self):
        err = open(self.dir + "/err", "a")
        at = err.tell()
        self.process = subprocess.Popen([self.program, "run", "--config", self.config],
                                        stdout=err, stderr=err, start_new_session=True)
        err.close()

        def ready():
            with open(self.dir + "/err") as f:
                f.seek(at)
                text = f.read()
            check(self.process.poll() is None, "the agent runs", text)
            return "outergate: ready" in text
        wait_for(ready, "the agent is ready", 60)
        return self

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)
            self.process = None

    def end(self):
        """A killed agent leaves its hooks on, and the kernel has room for 64 at a cgroup."""
        self.stop()
        subprocess.run([BUILD + "/outergate", "run", "--unpin", "--config", self.config],
                       capture_output=True, check=False)

    def kill(self):
        """All of it at once, as a power cut would; then again from what is on the disk."""
        group = self.process.pid
        os.killpg(group, signal.SIGKILL)
        self.process.wait(20)
        self.process = None

        def gone():
            try:
                os.killpg(group, 0)
            except ProcessLookupError:
                return True
            return False
        wait_for(gone, "all of its processes are gone", 20)

    def tell(self, n, account="u%06d"):
        """n failed mail logins, each of an account of its own."""
        when = time.strftime("%b %e %H:%M:%S")
        lines = []
        for i in range(self.told, self.told + n):
            lines.append("%s mail dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 "
                         "secs): user=<%s>, method=PLAIN, rip=198.51.%d.%d, lip=192.0.2.1, TLS, "
                         "session=<s%d>\n" % (when, account % i, 100 + i // 250 % 100, i % 250 + 1, i))
        self.told += n
        with open(self.log, "a") as f:
            f.write("".join(lines))

    def login(self, account, address="203.0.113.77"):
        with open(self.log, "a") as f:
            f.write("%s mail dovecot: imap-login: Login: user=<%s>, method=PLAIN, rip=%s, "
                    "lip=192.0.2.1, mpid=4711, TLS, session=<%s>\n" %
                    (time.strftime("%b %e %H:%M:%S"), account, address, account))

    def guess(self, account, times, address="203.0.113.66"):
        with open(self.log, "a") as f:
            for i in range(times):
                f.write("%s mail dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 "
                        "secs): user=<%s>, method=PLAIN, rip=%s, lip=192.0.2.1, TLS, "
                        "session=<%s%d>\n" % (time.strftime("%b %e %H:%M:%S"), account, address,
                                              account, i))

    def status(self):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(10)
        s.connect(self.dir + "/run/control.sock")
        text = b""
        while True:
            got = s.recv(65536)
            if not got:
                break
            text += got
        s.close()
        return json.loads(text)

    def forwarder(self, name):
        return next(f for f in self.status()["forwarders"] if f["name"] == name)


def records_of(texts):
    """(id, kind, record) of what a collector got, in the product's own schema."""
    out = []
    for t in texts:
        r = json.loads(t)
        if "detection" in r:
            out.append(("%s-%d" % (r["id"], r["revision"]), "alert", r))
        elif "kind" in r:
            out.append((r["id"], "event", r))
        else:
            out.append((r["id"], "session", r))
    return out


def have_all(texts, n, account="u%06d"):
    """Every one of the n tries, once when repeats are dropped by their id; a repeat says so."""
    ids, unmarked = {}, {}
    for key, kind, r in records_of(texts):
        if kind != "event" or r.get("kind") != "attempt":
            continue
        ids.setdefault(r["account"], set()).add(key)
        if not r.get("resend"):
            unmarked[key] = unmarked.get(key, 0) + 1
    missing = [account % i for i in range(n) if account % i not in ids]
    twice = [a for a, k in ids.items() if len(k) > 1]
    return missing, twice, [k for k, c in unmarked.items() if c > 1]


def check_all(texts, n, account="u%06d"):
    missing, twice, unmarked = have_all(texts, n, account)
    check(not missing, "%d of %d are missing" % (len(missing), n), missing[:10])
    check(not twice, "one try has several ids", twice[:10])
    check(not unmarked, "a repeat is not marked", unmarked[:10])


def has_all(texts, n):
    return not have_all(texts, n)[0]


def arrived(collector, n, seconds=90):
    """Waits until all are there, and then checks."""
    try:
        wait_for(lambda: has_all(collector.texts(), n), "all %d records" % n, seconds, 0.3)
    except Failure:
        pass
    check_all(collector.texts(), n)


def certificates():
    """An authority, a server's certificate for localhost, a client's; and another authority's."""
    d = TMP + "/tls"
    if os.path.exists(d):
        return d
    os.mkdir(d)

    def openssl(*a):
        subprocess.run(["openssl"] + list(a), cwd=d, check=True, capture_output=True)
    for ca in ("ca", "other"):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-days", "30", "-subj", "/CN=%s" % ca, "-keyout", ca + ".key", "-out", ca + ".pem")
    for who, ca in (("server", "ca"), ("client", "ca"), ("client2", "ca"), ("wrong", "other")):
        name = "localhost" if who in ("server", "wrong") else who
        with open(d + "/ext", "w") as f:
            f.write("subjectAltName=DNS:%s\nextendedKeyUsage=serverAuth,clientAuth\n" % name)
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                "/CN=%s" % name, "-keyout", who + ".key", "-out", who + ".csr")
        openssl("x509", "-req", "-in", who + ".csr", "-CA", ca + ".pem", "-CAkey", ca + ".key",
                "-CAcreateserial", "-days", "30", "-extfile", "ext", "-out", who + ".pem")
    for f in os.listdir(d):
        os.chmod(d + "/" + f, 0o600)  # root's alone: the parent reads them
    return d


def clean():
    shutil.rmtree(TMP, ignore_errors=True)
