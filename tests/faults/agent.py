"""The whole agent while something fails: an intrusion in a log is told, or what failed is said and the
intrusion is told by the next start. The store opens and verifies in any case.

Each case has a store, a runtime directory and a bpffs of its own (run.sh gives it a mount namespace).
"""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time

from injected import BUILD, SHIM, TMP, Finding, outcome

START, TELL, END = 120, 60, 40  # seconds that are too long, on a machine as busy as can be
BAD = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSYS)
# What fails, how often: N alone is the Nth, N+ that and all after it, N+S each Sth from there.
CALLS = [("pwrite64", "EIO", "20"), ("pwrite64", "ENOSPC", "40+"), ("pwrite64", "EIO", "9+7"), ("fdatasync", "EIO", "1+"),
         ("fsync", "EIO", "1+"), ("ftruncate", "EIO", "1+"), ("pread64", "EIO", "12"), ("write", "ENOSPC", "3+"),
         ("writev", "EIO", "1+"), ("openat", "EMFILE", "200+9"), ("openat", "EMFILE", "400+"), ("mmap", "ENOMEM", "260"),
         ("socket", "EMFILE", "1+"), ("bind", "EADDRINUSE", "1+"), ("epoll_wait", "EINTR", "1+2"), ("epoll_ctl", "ENOMEM", "4"),
         ("sendmsg", "ENOBUFS", "5+3"), ("recvmsg", "EIO", "4+5"), ("bpf", "ENOMEM", "40"), ("bpf", "ENOMEM", "150"),
         ("bpf", "ENOSPC", "250"), ("perf_event_open", "EMFILE", "1+"), ("clone", "EAGAIN", "1"), ("read", "EIO", "60+11"),
         ("newfstatat", "EIO", "30+3"), ("unlink", "EIO", "1+"), ("mkdir", "ENOSPC", "1"), ("chown", "EIO", "1"),
         ("getdents64", "EIO", "1+"), ("inotify_add_watch", "ENOSPC", "1+"), ("fanotify_mark", "ENOSPC", "1+"),
         ("timerfd_settime", "EINVAL", "3"), ("fcntl", "ENOLCK", "3+3")]
LINE = "%s mail dovecot: imap-login: %s: user=<%s>, method=PLAIN, rip=203.0.113.66, lip=192.0.2.1, TLS, session=<s%d>\n"


class Agent:
    count = 0

    def __init__(self):
        Agent.count += 1
        self.dir = "%s/agent-%d" % (TMP, Agent.count)
        os.mkdir(self.dir)
        os.chmod(self.dir, 0o755)
        self.log, self.out = self.dir + "/mail.log", b""
        self.store = self.dir + "/store/outergate.db"
        open(self.log, "w").close()
        self.config = self.dir + "/c.yaml"
        with open(self.config, "w") as f:
            f.write("Sources: {Journal: false, Files: [%s]}\nOutputs: {Journald: false, Json: true}\n"
                    "Privacy: {UnknownAccounts: keep}\nGeoDatabases: []\nStore: %s\nRuntime: %s/run\n" %
                    (self.log, self.store, self.dir))
        self.errors = ""

    def start(self, before=(), env=None):
        out, err = (open("%s/%s" % (self.dir, n), "ab") for n in ("out", "err"))
        self.err_at = err.tell()
        self.process = subprocess.Popen([*before, BUILD + "/outergate", "run", "--config", self.config],
                                        stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                        env={**os.environ, **(env or {})}, start_new_session=True)
        out.close()
        err.close()

    def said(self):
        with open(self.dir + "/err", "rb") as f:
            f.seek(self.err_at)
            return f.read().decode("utf-8", "replace")

    def until(self, what, seconds):
        """True when it is so; False when the agent has ended, or after these seconds."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if what():
                return True
            if self.process.poll() is not None:
                return what()
            time.sleep(0.05)
        return False

    def intrude(self):
        """Eight guesses and a login, of one account from one address."""
        when = time.strftime("%b %e %H:%M:%S")
        rows = [LINE % (when, "Disconnected (auth failed, 1 attempts in 2 secs)", "victim", i) for i in range(8)]
        with open(self.log, "a") as f:
            f.write("".join(rows) + LINE % (when, "Login", "victim", 9))

    def told(self):
        with open(self.dir + "/out", "rb") as f:
            return b'"detection":"auth.bruteforce_success"' in f.read()

    def stored(self):
        p = subprocess.run([BUILD + "/outergate", "alerts", "--format", "json", "--store", self.store,
                            "--detection", "auth.bruteforce_success"], capture_output=True, check=False)
        return b'"id"' in p.stdout

    def status(self):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(20)
            s.connect(self.dir + "/run/control.sock")
            text = b""
            while True:
                got = s.recv(65536)
                if not got:
                    return json.loads(text)
                text += got

    def end(self):
        """SIGTERM; a finding when it does not end, or ends by a signal that means a defect."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            code = self.process.wait(END)
        except subprocess.TimeoutExpired as e:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            raise Finding("does not end: %r" % self.said()[-500:]) from e
        text = self.said()
        found = re.findall(r"died of signal (\d+)", text)
        for n in [-code] * (code < 0) + [int(x) for x in found]:
            if n in BAD:
                raise Finding("signal %d: %r" % (n, text[-600:]))
        return code

    def gone(self):
        subprocess.run([BUILD + "/outergate", "run", "--unpin", "--config", self.config], capture_output=True,
                       check=False)
        shutil.rmtree(self.dir, ignore_errors=True)


def under_fault(a, before, env):
    """(exit code, was the intrusion told) of a run with a fault."""
    a.start(before, env)
    ready = a.until(lambda: "outergate: ready" in a.said(), START)
    if not ready and a.process.poll() is None:
        os.killpg(a.process.pid, signal.SIGKILL)
        a.process.wait()
        raise Finding("neither ready nor ended within %d s: %r" % (START, a.said()[-500:]))
    told = False
    if ready:
        a.intrude()
        told = a.until(a.told, TELL if not before else 20)
    counted = ""
    if ready and not told and a.process.poll() is None:
        try:
            counters = a.status()["counters"]
            counted = " ".join(k for k in ("store_errors", "sink_errors", "lines_bad") if counters[k])
        except (OSError, ValueError):
            counted = ""
    code = a.end()
    if code not in (0, 1, 3):
        raise Finding("exit %d: %r" % (code, a.said()[-500:]))
    if code and not re.search(r"outergate: \S+", a.said()):
        raise Finding("exit %d without a sentence: %r" % (code, a.said()[-500:]))
    if not code and not told and not a.stored() and not counted and len(a.said().splitlines()) < 2:
        raise Finding("the intrusion was not told, and nothing says why: %r" % a.said()[-500:])
    return code, told, ready


def case(before=(), env=None):
    a = Agent()
    try:
        _, told, ready = under_fault(a, before, env)
        a.start()  # all is well again
        if not a.until(lambda: "outergate: ready" in a.said(), START):
            raise Finding("after the fault it does not start: %r" % a.said()[-500:])
        if not ready:
            a.intrude()
        # What was told on a broken output alone is kept; what was neither is read again.
        if not a.until(lambda: a.stored() or (not told and a.told()), TELL):
            raise Finding("the intrusion is lost: told %s; stderr: %r" % (told, open(a.dir + "/err").read()[-900:]))
        a.end()
        p = subprocess.run([BUILD + "/outergate", "verify", "--store", a.store], capture_output=True, check=False)
        if p.returncode:
            raise Finding("the store does not verify: %r" % (p.stdout + p.stderr)[-300:])
    finally:
        if a.process.poll() is None:
            os.killpg(a.process.pid, signal.SIGKILL)
            a.process.wait()
        a.gone()


def run(words, report):
    for call, error, when in CALLS:
        name = "agent: %s %s gives %s" % (call, when, error)
        if not words or any(w in name for w in words):
            outcome(name, lambda: case(["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + call, "-e",
                                        "inject=%s:error=%s:when=%s" % (call, error, when)]), report)
    # The engine's first thousands are libseccomp's, which frees twice what it has when memory runs out (2.5.4):
    # that half dies before it has read anything, and the parent says so and gives up after six times.
    for depth, who, all_n in ((0, "parent", (1, 2, 5, 20, 60, 150, 400, 900, 2000, 5000, 12000, 30000)),
                              (1, "engine", (1, 2, 5, 7000, 9000, 12000, 15000, 20000, 30000))):
        for n in all_n:
            name = "agent: allocation %d of the %s fails" % (n, who)
            if not words or any(w in name for w in words):
                outcome(name, lambda: case(env={"LD_PRELOAD": SHIM, "FAULT_NTH": str(n), "FAULT_DEPTH": str(depth)}),
                        report)
