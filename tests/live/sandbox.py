"""A machine inside the machine: private /etc, /home, /run, /dev, /var/log and bpffs (mount
namespace made by run.sh), and three network namespaces.

    ext   198.18.0.0/15, 203.0.113.0/24, 2001:db8::/32   the outside; one /24 and /48 a case
    srv   192.0.2.0/24, 2001:db8:ffff::/48               the watched host
    in    10.20.0.2                                      a host behind it

Everything vanishes with the last process of the namespaces; destroy() ends those by pid.
"""
import ctypes
import os
import signal
import subprocess
import threading
import time

TMP = "/run/og"
LIBC = ctypes.CDLL(None, use_errno=True)


class Failure(Exception):
    """A test's expectation was not met."""


class Skip(Exception):
    """What the case needs cannot be had here; counted as skipped, never as passed."""


def chrooted():
    """A runtime cannot pivot below a chroot; nor can a user namespace be made there."""
    return run(["unshare", "-r", "true"], check=False).returncode != 0


def run(argv, check=True, timeout=60, **kw):
    kw.setdefault("stdout", subprocess.PIPE)
    kw.setdefault("stderr", subprocess.PIPE)
    if "input" not in kw:
        kw.setdefault("stdin", subprocess.DEVNULL)
    try:
        p = subprocess.run(argv, timeout=timeout, **kw)
    except (FileNotFoundError, subprocess.TimeoutExpired) as e:
        raise Failure(str(e))
    if check and p.returncode:
        raise Failure("%s: exit %d: %s" % (" ".join(map(str, argv)), p.returncode,
                                           (p.stderr or b"")[-400:]))
    return p


def wait_for(what, probe, timeout=25.0, step=0.05):
    """The first true value of probe(); Failure after timeout seconds."""
    end = time.monotonic() + timeout
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() > end:
            raise Failure("not within %g s: %s" % (timeout, what() if callable(what) else what))
        time.sleep(step)


def mount(*args):
    run(["mount", *args])


def private_mounts():
    """The parts of the file system that servers, users and the agent write to become private."""
    binary = os.path.abspath(os.path.join(os.environ.get("BUILD", "build"), "outergate"))
    tree = os.getcwd()
    mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", "/run")
    for d in ("sshd", "systemd/journal", "log", "lock", "netns"):
        os.makedirs("/run/" + d)
    os.makedirs(TMP)
    os.chmod(TMP, 0o755)
    if os.path.exists(binary):
        for program in binary, binary + "-forward":
            run(["install", "-m", "0755", program, TMP])
    os.mkdir(TMP + "/tree")
    mount("--bind", tree, TMP + "/tree")
    for name in ("etc",):
        up, work = TMP + "/up-" + name, TMP + "/work-" + name
        os.mkdir(up)
        os.mkdir(work)
        mount("-t", "overlay", "-o", "lowerdir=/%s,upperdir=%s,workdir=%s" % (name, up, work),
              "overlay", "/" + name)
    os.makedirs("/etc/cron.d", exist_ok=True)  # every server has it; a minimal root does not
    for d, mode in (("/home", "0755"), ("/root", "0700"), ("/var/log", "0755"),
                    ("/var/mail", "0755")):
        mount("-t", "tmpfs", "-o", "mode=" + mode, "tmpfs", d)
    private_spools()
    if not os.path.isdir(tree):  # it lies in one of these
        os.makedirs(tree)
        mount("--bind", TMP + "/tree", tree)
    private_dev()
    mount("-t", "bpf", "bpf", "/sys/fs/bpf")
    for f, mode in (("/var/log/wtmp", 0o664), ("/var/log/btmp", 0o660), ("/run/utmp", 0o664),
                    ("/var/log/lastlog", 0o664)):
        open(f, "w").close()
        run(["chown", "root:utmp", f])
        os.chmod(f, mode)


def private_spools():
    """Of cron and atd, as their packages make them; nothing of this machine's."""
    os.makedirs("/var/spool/cron", exist_ok=True)
    mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", "/var/spool/cron")
    for d, owner, mode in (("crontabs", "root:crontab", 0o1730), ("atjobs", "daemon:daemon", 0o1770),
                           ("atspool", "daemon:daemon", 0o1770)):
        path = "/var/spool/cron/" + d
        os.mkdir(path)
        run(["chown", owner, path], check=False)  # no such group where cron is not installed
        os.chmod(path, mode)
    seq = "/var/spool/cron/atjobs/.SEQ"
    open(seq, "w").close()
    run(["chown", "daemon:daemon", seq])
    os.chmod(seq, 0o600)


def private_dev():
    """/dev as a tmpfs with its own nodes, so that /dev/log can be ours."""
    new = TMP + "/dev"
    os.mkdir(new)
    mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", new)
    for name, minor in (("null", 3), ("zero", 5), ("full", 7), ("random", 8), ("urandom", 9)):
        run(["mknod", "-m", "0666", "%s/%s" % (new, name), "c", "1", str(minor)])
    run(["mknod", "-m", "0666", new + "/tty", "c", "5", "0"])
    run(["mknod", "-m", "0600", new + "/kmsg", "c", "1", "11"])
    for d in ("pts", "shm"):
        os.mkdir("%s/%s" % (new, d))
    mount("-t", "devpts", "-o", "newinstance,gid=5,mode=620,ptmxmode=666", "devpts", new + "/pts")
    mount("-t", "tmpfs", "tmpfs", new + "/shm")
    os.symlink("pts/ptmx", new + "/ptmx")
    for i, name in enumerate(("stdin", "stdout", "stderr")):
        os.symlink("/proc/self/fd/%d" % i, "%s/%s" % (new, name))
    os.symlink("/proc/self/fd", new + "/fd")
    mount("--move", new, "/dev")


class Net:
    """Three namespaces; address() makes the outside speak from an address."""

    def __init__(self):
        tag = str(os.getpid())
        self.srv, self.ext, self.inside = ("og%s-%s" % (n, tag) for n in ("srv", "ext", "in"))
        self.lock = threading.Lock()
        self.made = set()
        for ns in (self.srv, self.ext, self.inside):
            run(["ip", "netns", "add", ns])
        self.ip(self.srv, "link add s0 type veth peer name e0 netns " + self.ext)
        self.ip(self.srv, "link add i0 type veth peer name i1 netns " + self.inside)
        for ns, links in ((self.srv, "lo s0 i0"), (self.ext, "lo e0"), (self.inside, "lo i1")):
            for link in links.split():
                self.ip(ns, "link set %s up" % link)
        run(["ip", "-n", self.srv, "-batch", "-"], input="".join(
            "addr add 192.0.2.%d/32 dev s0\n" % n for n in range(1, 253)).encode())
        self.ip(self.srv, "addr add 2001:db8:ffff::1/128 dev s0 nodad")
        for net in ("198.18.0.0/15", "203.0.113.0/24", "198.51.100.0/24", "10.9.0.0/16"):
            self.ip(self.srv, "route add %s dev s0" % net)
        self.address("203.0.113.10")
        self.address("2001:db8:1::10")
        self.ip(self.ext, "route add 192.0.2.0/24 dev e0")
        self.ip(self.ext, "-6 route add 2001:db8:ffff::/48 dev e0")
        self.ip(self.srv, "-6 route add 2001:db8::/33 dev s0")
        self.ip(self.srv, "addr add 10.20.0.1/24 dev i0")
        self.ip(self.inside, "addr add 10.20.0.2/24 dev i1")

    @staticmethod
    def ip(ns, words):
        run(["ip", "-n", ns] + words.split())

    def address(self, addr):
        with self.lock:
            if addr not in self.made:
                v6 = ":" in addr
                self.ip(self.ext, "addr add %s/%d dev e0%s" % (addr, 128 if v6 else 32,
                                                              " nodad" if v6 else ""))
                self.made.add(addr)
        return addr

    def inside_ns(self, ns, argv):
        return ["nsenter", "--net=/run/netns/" + ns, "--"] + list(argv)


def become_reaper():
    """Orphans of servers become our children, so that destroy() finds every one of them."""
    LIBC.prctl(36, 1, 0, 0, 0)


def descendants():
    children = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open("/proc/%s/stat" % name, "rb") as f:
                    rest = f.read().rpartition(b")")[2].split()
            except OSError:
                continue
            children.setdefault(int(rest[1]), []).append((int(name), rest[0]))
    found, todo = [], [os.getpid()]
    while todo:
        for pid, state in children.get(todo.pop(), ()):
            todo.append(pid)
            if state != b"Z":
                found.append(pid)
    return found


def destroy():
    for _ in range(20):
        pids = descendants()
        if not pids:
            return
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.05)
