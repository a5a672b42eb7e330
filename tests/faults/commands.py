"""The commands, while the nth allocation or the nth system call of a kind fails."""
import glob
import os
import re
import shutil
import subprocess

from injected import BUILD, HERE, SHIM, TMP, Finding, judge_end, of_loader, outcome, traced

OUTERGATE = BUILD + "/outergate"
GOLDEN = os.path.join(HERE, "..", "golden")
# What a command touches; what fails there is what a kernel may say of a bad disk or a full host.
CALLS = [("openat", "EMFILE"), ("openat", "EIO"), ("read", "EIO"), ("pread64", "EIO"), ("write", "ENOSPC"),
         ("write", "EINTR"), ("pwrite64", "ENOSPC"), ("pwrite64", "EIO"), ("fsync", "EIO"), ("fdatasync", "EIO"),
         ("ftruncate", "EIO"), ("mmap", "ENOMEM"), ("socket", "EMFILE"), ("connect", "ECONNREFUSED"),
         ("rename", "EIO"), ("unlink", "EIO"), ("newfstatat", "EIO"), ("fcntl", "ENOLCK"), ("lseek", "EIO")]
CALLS_SHORT = [("openat", "EMFILE"), ("pread64", "EIO"), ("pwrite64", "ENOSPC"), ("mmap", "ENOMEM")]


class Command:
    """One command; what it says when nothing fails, and what it may change."""

    def __init__(self, name, *argv, store=False, makes=None, stdin=None):
        self.name, self.argv, self.store, self.makes, self.stdin = name, list(argv), store, makes, stdin
        self.good = None

    def fresh(self):
        """The files that it works on are as before."""
        if self.store:
            for f in glob.glob(TMP + "/store.db*"):
                os.unlink(f)
            shutil.copy(TMP + "/kept.db", TMP + "/store.db")
        for path in glob.glob(self.makes + "*") if self.makes else []:
            os.unlink(path)

    def run(self, env=None, before=()):
        self.fresh()
        try:
            return subprocess.run([*before, OUTERGATE, *self.argv], input=self.stdin or b"", timeout=60,
                                  env={**os.environ, **(env or {})}, capture_output=True, check=False)
        except subprocess.TimeoutExpired as e:
            raise Finding("hangs") from e


def plain(out):
    """Without the time at which a page was made."""
    return re.sub(rb"20\d\d-\d\d-\d\d[T ]\d\d:\d\d:?\d?\d?", b"T", out)


def inputs():
    """A good deal of what the decoders know, and alerts of all kinds."""
    return sorted(glob.glob(GOLDEN + "/auth.bruteforce_success/*/input.log"))[:6] + \
        sorted(glob.glob(GOLDEN + "/chain.t1133/*/input.log"))[:4]


def table():
    log = TMP + "/input.log"
    with open(log, "wb") as to:
        for path in inputs():
            with open(path, "rb") as f:
                to.write(f.read())
    kept = TMP + "/kept.db"
    subprocess.run([OUTERGATE, "replay", "--store", kept, log], check=True, capture_output=True)
    with open(TMP + "/a.yaml", "w") as f:
        f.write("Store: %s/store.db\nRuntime: %s/none\nFailedLogonThreshold: 3\n" % (TMP, TMP))
    with open(TMP + "/bad.yaml", "w") as f:
        f.write("FailedLogonTreshold: 3\n")
    config, store = ["--config", TMP + "/a.yaml"], ["--store", TMP + "/store.db"]
    rows = subprocess.run([OUTERGATE, "alerts", "--format", "json", "--store", kept], check=True,
                          capture_output=True).stdout
    one = re.search(rb'"id":"([0-9a-f]+)"', rows).group(1).decode()
    return [
        Command("replay", "replay", log),
        Command("replay-events", "replay", "--events", "-", stdin=open(log, "rb").read()[:6000]),
        Command("replay-store", "replay", "--store", TMP + "/new.db", log, makes=TMP + "/new.db"),
        Command("decode", "decode", "Failed password for root from 203.0.113.9 port 22 ssh2"),
        Command("alerts", "alerts", "--format", "json", *store, store=True),
        Command("alerts-close", "alerts", "close", one, "--note", "seen", *store, store=True),
        Command("sessions", "sessions", *store, store=True),
        Command("explain", "explain", *store, one, store=True),
        Command("report", "report", *store, store=True),
        Command("report-out", "report", "--out", TMP + "/page.html", *store, store=True,
                makes=TMP + "/page.html"),
        Command("verify", "verify", *store, store=True),
        Command("profiles", "profiles", "--format", "json", *store, store=True),
        Command("setup", "setup", *store, store=True),
        Command("forget", "forget", "--origin", "203.0.113.0/24", *store, store=True),
        Command("learn", "learn", *store, log, store=True),
        Command("diff", "diff", TMP + "/a.yaml", TMP + "/a.yaml", log),
        Command("check", "check", TMP + "/a.yaml"),
        Command("check-bad", "check", TMP + "/bad.yaml"),
        Command("detections", "detections"),
        Command("sources", "sources"),
        Command("status", "status", *config),
    ]


def judge(c, p):
    """Either all of it is done, or a sentence says what failed; and the store is whole."""
    judge_end(p)
    if p.returncode == c.good.returncode and plain(p.stdout) == plain(c.good.stdout):
        if c.store or c.makes:
            judge_made(c)
        return
    if p.returncode == 0:
        raise Finding("exit 0, but it did not do what it was asked: %r; stderr: %r" %
                      (p.stdout[:300], p.stderr[:300]))
    if p.returncode not in (1, 2, 3):
        raise Finding("exit %d" % p.returncode)
    if not re.search(rb"\w+.* \w+", p.stderr):
        raise Finding("exit %d without a sentence; stderr: %r" % (p.returncode, p.stderr))
    if c.store:
        judge_store(TMP + "/store.db")


def judge_made(c):
    if c.makes and c.makes.endswith(".db"):
        judge_store(c.makes)
    elif c.makes and plain(open(c.makes, "rb").read()) != c.good_made:
        raise Finding("exit 0, but the file is not what it is otherwise")
    if c.store:
        judge_store(TMP + "/store.db")


def judge_store(path):
    p = subprocess.run([OUTERGATE, "verify", "--store", path], capture_output=True, check=False)
    if p.returncode:
        raise Finding("afterwards the store does not verify: %r" % (p.stdout + p.stderr)[-300:])


def learn(c):
    c.good = c.run()
    if c.good.returncode not in (0, 1):
        raise Finding("without any fault: exit %d: %r" % (c.good.returncode, c.good.stderr))
    if c.makes and not c.makes.endswith(".db"):
        c.good_made = plain(open(c.makes, "rb").read())


def numbers(n, most):
    """Of 1..n at most so many: the first ones, and the rest spread evenly."""
    if n <= most:
        return list(range(1, n + 1))
    if most < 3:
        return [1 + n // 3, 1 + n * 2 // 3][:most]
    head = most // 3
    step = (n - head) / (most - head)
    return list(range(1, head + 1)) + sorted({head + 1 + int(i * step) for i in range(most - head)})


def allocations(c, most, report):
    count = TMP + "/count"
    if os.path.exists(count):
        os.unlink(count)
    c.run({"LD_PRELOAD": SHIM, "FAULT_COUNT": count})
    total = max(map(int, open(count).read().split()))
    for on in ("", "1"):
        for n in numbers(total, most):
            env = {"LD_PRELOAD": SHIM, "FAULT_NTH": str(n)}
            if on:
                env["FAULT_ON"] = "1"
            outcome("%s: allocation %d%s of %d fails" % (c.name, n, " and all after it" if on else "", total),
                    lambda: judge(c, c.run(env)), report)


def system_calls(c, most, report):
    calls = sorted({call for call, _ in CALLS})
    totals, loaders = traced(lambda before: c.run(before=before), calls), of_loader(calls)
    for call, error in CALLS if most > 1 else CALLS_SHORT:
        total, loader = totals[call], loaders[call]
        for n in [loader + i for i in numbers(total - loader, most)]:
            outcome("%s: %s %d of %d gives %s" % (c.name, call, n, total, error), lambda: judge(c, c.run(
                before=["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + call, "-e",
                        "inject=%s:error=%s:when=%d" % (call, error, n)])), report)


def output_full(c, report):
    """Where its output goes is full."""
    def once():
        c.fresh()
        with open("/dev/full", "wb") as full:
            p = subprocess.run([OUTERGATE, *c.argv], input=c.stdin or b"", stdout=full, timeout=60,
                               stderr=subprocess.PIPE, check=False)
        p.stdout = b""
        judge(c, p)
    outcome("%s: no room for its output" % c.name, once, report)


def run(most, words, report):
    for c in table():
        if words and not any(w in c.name for w in words):
            continue
        learn(c)
        output_full(c, report)
        allocations(c, most, report)
        system_calls(c, max(1, most // 8), report)
