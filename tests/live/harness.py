"""Servers, clients, log sources and the agent, as a test uses them, and what to ask them.

Nothing here sleeps for a fixed time: wait_for() polls with a bound. An absence is asserted after
settle(): a marker login that travels through every source (kernel, PAM, log) has come out at the
other end, so what was to come has come.
"""
import json
import os
import re
import signal
import socket
import subprocess
import threading

from sandbox import TMP, Failure, run, wait_for

SEVERITIES = ["info", "low", "medium", "high", "critical"]
AGENT = TMP + "/outergate"
RAWSSH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "rawssh.py")


def check(truth, text, *shown):
    if not truth:
        raise Failure(text + "".join("\n      %s" % (s if isinstance(s, str) else
                                                     json.dumps(s, ensure_ascii=False)[:1500])
                                     for s in shown))


def at_least(severity, least):
    return SEVERITIES.index(severity) >= SEVERITIES.index(least)


# --- users and keys

class Users:
    """Accounts of the private /etc. Names carry the run's tag: BPF sees the whole machine."""

    def __init__(self):
        self.lock = threading.Lock()
        self.tag = "%04x" % (os.getpid() & 0xffff)
        if run(["getent", "passwd", "outergate"], check=False).returncode:
            run(["useradd", "--system", "--user-group", "--no-create-home", "--home-dir",
                 "/var/lib/outergate", "--shell", "/usr/sbin/nologin", "outergate"])

    def add(self, stem, password="Corr3ct-horse", key=False):
        """Returns (account, private key path or None)."""
        name = "%s-%s" % (stem, self.tag)
        with self.lock:
            run(["useradd", "-m", "-s", "/bin/bash", name])
            run(["chpasswd", "-c", "SHA512", "-s", "1000"], input=b"%s:%s\n" %
                (name.encode(), password.encode()))
        return name, (self.new_key(name, name) if key else None)

    def new_key(self, name, account):
        """A key pair for the outside; its public half may log in as account (None: nobody)."""
        path = "%s/key-%s" % (TMP, name)
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", path])
        if account:
            self.authorize(path, account)
        return path

    @staticmethod
    def authorize(key, account):
        home = "/root" if account == "root" else "/home/" + account
        os.makedirs(home + "/.ssh", exist_ok=True)
        with open(key + ".pub") as f, open(home + "/.ssh/authorized_keys", "a") as to:
            to.write(f.read())
        run(["chown", "-R", account + ":", home + "/.ssh"])
        run(["chmod", "-R", "go-rwx", home + "/.ssh"])


def fingerprint(key):
    return run(["ssh-keygen", "-lf", key + ".pub"]).stdout.split()[1].decode()


# --- servers

class Sshd:
    """sshd as it comes (UsePAM, LogLevel INFO, syslog), with a configuration of its own."""

    count = 0
    lock = threading.Lock()

    def __init__(self, net, ns, listen, port=22, inetd=False, env=None,
                 binary="/usr/sbin/sshd", **options):
        with Sshd.lock:
            Sshd.count += 1
            self.dir = "%s/sshd-%d" % (TMP, Sshd.count)
            os.mkdir(self.dir)
        self.addresses = listen
        self.port = port
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.dir + "/hostkey"])
        lines = {"Port": port, "HostKey": self.dir + "/hostkey", "PidFile": self.dir + "/pid",
                 "UsePAM": "yes", "PasswordAuthentication": "yes",
                 "KbdInteractiveAuthentication": "no", "PermitRootLogin": "no",
                 "Subsystem": "sftp /usr/lib/openssh/sftp-server", "UseDNS": "no",
                 "MaxStartups": "200", "MaxSessions": "100", "MaxAuthTries": "6",
                 "GatewayPorts": "clientspecified", "PrintMotd": "no"}
        lines.update(options)
        with open(self.dir + "/config", "w") as f:
            for a in listen:
                f.write("ListenAddress %s\n" % a)
            for key, value in lines.items():
                f.write("%s %s\n" % (key, value))
        argv = [binary, "-i" if inetd else "-D", "-f", self.dir + "/config"]
        run([binary, "-t", "-f", self.dir + "/config"])
        if inetd:
            argv = ["/usr/bin/python3", "-c", INETD, str(port)] + argv
        self.stderr = open(self.dir + "/stderr", "w+")
        self.proc = subprocess.Popen(net.inside_ns(ns, argv), stdin=subprocess.DEVNULL,
                                     stdout=self.stderr, stderr=self.stderr, env=env)
        wait_for(lambda: "sshd listens on %s: %s" % (port, open(self.dir + "/stderr").read()),
                 self.listens)

    def listens(self):
        """This very sshd has its listening sockets (others share the namespace and the port)."""
        check(self.proc.poll() is None, "sshd ended: " + open(self.dir + "/stderr").read())
        pid = self.proc.pid
        inodes = set()
        try:
            for fd in os.listdir("/proc/%d/fd" % pid):
                link = os.readlink("/proc/%d/fd/%s" % (pid, fd))
                if link.startswith("socket:["):
                    inodes.add(link[8:-1])
        except OSError:
            return False
        listening_now = 0
        for name in ("tcp", "tcp6"):
            with open("/proc/%d/net/%s" % (pid, name)) as f:
                listening_now += sum(1 for words in map(str.split, f.readlines()[1:])
                                     if words[3] == "0A" and words[9] in inodes)
        return listening_now >= max(1, len(self.addresses))

    def stop(self):
        """Ends the listener only, as a restart of the service does."""
        self.proc.terminate()
        self.proc.wait(10)


# A dual-stack socket-activated listener: sshd itself never listens for v4-mapped peers.
INETD = """
import socket, subprocess, sys
s = socket.socket(socket.AF_INET6)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("::", int(sys.argv[1])))
s.listen(64)
while True:
    c, peer = s.accept()
    subprocess.Popen(sys.argv[2:], stdin=c, stdout=c)
    c.close()
"""


# --- clients

opened = threading.local()


def end_clients():
    """Ends what a case left open, so that a failed case is no session of the next one."""
    for p in opened.__dict__.pop("clients", []):
        if p.poll() is None:
            p.kill()
            p.wait(10)


class Client:
    """ssh, scp and sftp of the outside (or of another namespace), from a chosen address."""

    def __init__(self, net, source, ns=None):
        self.net = net
        self.ns = ns or net.ext
        self.source = net.address(source) if source and self.ns == net.ext else source

    def options(self, key, password, extra):
        o = ["-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
             "-o", "GlobalKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
             "-o", "ConnectTimeout=10", "-o", "NumberOfPasswordPrompts=1", "-o", "BatchMode=no"]
        if self.source:
            o += ["-o", "BindAddress=" + self.source]
        if key:
            o += ["-i", key, "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none",
                  "-o", "PreferredAuthentications=publickey"]
        elif password is not None:
            o += ["-o", "PubkeyAuthentication=no", "-o",
                  "PreferredAuthentications=password,keyboard-interactive"]
        return o + list(extra)

    def argv(self, program, rest, key=None, password=None, extra=(), port=22):
        flag = [] if port == 22 else ["-p" if program == "ssh" else "-P", str(port)]
        argv = [program] + self.options(key, password, extra) + flag + list(rest)
        if password is not None and not key:
            argv = ["sshpass", "-p", password] + argv
        return self.net.inside_ns(self.ns, argv)

    def ssh(self, account, host, command="true", timeout=40, check_rc=None, stdin=None, **how):
        """The finished client. command: text, or a list of further arguments."""
        command = command if isinstance(command, list) else [command]
        p = run(self.argv("ssh", ["-l", account, host] + command, **how), check=False,
                timeout=timeout, input=stdin if stdin is not None else b"")
        if check_rc is not None:
            check(p.returncode == check_rc, "ssh %s@%s %r: exit %d, wanted %d" %
                  (account, host, command, p.returncode, check_rc), repr(p.stderr[-600:]))
        return p

    def ssh_open(self, account, host, command="sleep 60", **how):
        """A client that stays; the caller ends it (or destroy() does)."""
        command = command if isinstance(command, list) else [command]
        p = subprocess.Popen(self.argv("ssh", ["-l", account, host] + command, **how),
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE)
        opened.__dict__.setdefault("clients", []).append(p)
        return p

    def scp(self, src, dst, extra=(), **how):
        return run(self.argv("scp", list(extra) + [src, dst], **how), timeout=40)

    def sftp(self, account, host, script, **how):
        how["extra"] = list(how.get("extra", ())) + ["-b", "-"]
        return run(self.argv("sftp", ["%s@%s" % (account, host)], **how), timeout=40,
                   input=script.encode())

    def raw_guess(self, user, host, port=22, password="wr0ng", times=1):
        """A wrong password for any bytes as user name (rawssh.py)."""
        p = run(self.net.inside_ns(self.ns, [
            "/usr/bin/python3", "-B", RAWSSH, host, str(port), self.source, user.hex(), password,
            str(times)]),
            check=False)
        check(p.returncode == 0, "sshd did not simply refuse %r" % user, repr(p))

    def guess(self, account, host, times, password="wr0ng", **how):
        """Wrong passwords, side by side: pam_unix waits 2 s after each."""
        def one():
            p = self.ssh(account, host, password=password, **how)
            if p.returncode not in (5, 255) or b"denied" not in p.stderr:
                bad.append((p.returncode, p.stderr))
        bad = []
        in_parallel([one] * times)
        check(not bad, "a wrong password was not simply refused", repr(bad[:3]))


def in_parallel(jobs):
    """Runs callables in threads; the first exception is raised again here."""
    errors = []

    def guard(job):
        try:
            job()
        except BaseException as e:
            errors.append(e)
    threads = [threading.Thread(target=guard, args=(j,)) for j in jobs]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if errors:
        raise errors[0]


# --- log sources

class Journald:
    """systemd-journald by hand, with what systemd-tmpfiles would have made."""

    def __init__(self):
        os.makedirs("/etc/systemd/journald.conf.d", exist_ok=True)
        with open("/etc/systemd/journald.conf.d/live.conf", "w") as f:
            f.write("[Journal]\nStorage=volatile\nAudit=no\nReadKMsg=no\nRateLimitBurst=0\n"
                    "RateLimitIntervalSec=0\nForwardToWall=no\n")
        machine = open("/etc/machine-id").read().strip()
        for d in ("/run/log/journal", "/run/log/journal/" + machine):
            os.makedirs(d, exist_ok=True)
            run(["chown", "root:systemd-journal", d])
            os.chmod(d, 0o2755)
        self.start()

    def start(self):
        # systemd sets the length of the queue; it is a namespace's own, so only ours is set here.
        self.proc = subprocess.Popen(
            ["unshare", "--net", "--", "sh", "-c", "echo 512 >/proc/sys/net/unix/max_dgram_qlen; "
             "exec /lib/systemd/systemd-journald"], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("journald's sockets", lambda: os.path.exists("/run/systemd/journal/dev-log") and
                 os.path.exists("/run/systemd/journal/socket"))
        if os.path.lexists("/dev/log"):
            os.unlink("/dev/log")
        os.symlink("/run/systemd/journal/dev-log", "/dev/log")
        run(["logger", "-t", "live", "journald is up"])
        wait_for("a line in the journal", lambda: self.entries("SYSLOG_IDENTIFIER=live"))

    def stop(self):
        self.proc.terminate()
        self.proc.wait(10)
        for path in ("/dev/log", "/run/systemd/journal/dev-log", "/run/systemd/journal/socket"):
            if os.path.lexists(path):
                os.unlink(path)

    @staticmethod
    def entries(*match):
        out = run(["journalctl", "-q", "-o", "json", "--all", "--no-pager", *match],
                  check=False).stdout
        return [json.loads(line) for line in out.splitlines() if line]

    def lines(self, text):
        """Messages of sshd that contain text."""
        return [m for m in (e.get("MESSAGE") for e in self.entries("SYSLOG_IDENTIFIER=sshd"))
                if isinstance(m, str) and text in m]


shared = {}


def the_journal():
    """The one journald of a run; a world that had stopped it is over when another asks for it."""
    if "journal" not in shared:
        shared["journal"] = Journald()
    return shared["journal"]


def the_journal_again():
    """Running, whatever a world before has done to it."""
    journal = the_journal()
    if journal.proc.poll() is not None:
        journal.start()
    return journal


class Syslog:
    """A small syslog daemon: /dev/log into one file, rotated in every way that exists."""

    def __init__(self, path):
        self.path = path
        self.lock = threading.Lock()
        self.file = None
        if os.path.lexists("/dev/log"):
            os.unlink("/dev/log")
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind("/dev/log")
        os.chmod("/dev/log", 0o666)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                data = self.sock.recv(65536)
            except OSError:
                return
            text = re.sub(rb"^<\d+>", b"", data).rstrip(b"\n\0")
            text = re.sub(rb"[\x00-\x1f]", lambda m: b"#%03o" % m.group()[0], text)
            self.write(text[:16] + b"live-host " + text[16:] + b"\n")

    def write(self, line):
        with self.lock:
            if self.file is None:
                self.file = self.create()
            self.file.write(line)

    def create(self):
        f = open(self.path, "ab", buffering=0)
        os.chmod(self.path, 0o640)
        run(["chgrp", "adm", self.path])
        return f

    def rotate(self):
        """logrotate's default: rename, create, the daemon reopens."""
        with self.lock:
            os.rename(self.path, self.path + ".1")
            self.file = self.create()

    def copytruncate(self):
        with self.lock:
            run(["cp", self.path, self.path + ".2"])
            os.truncate(self.path, 0)

    def remove(self):
        """The file is gone until the next line comes."""
        with self.lock:
            os.unlink(self.path)
            self.file = None

    def text(self):
        try:
            with open(self.path, "rb") as f:
                return f.read()
        except FileNotFoundError:
            return b""

    def stop(self):
        self.sock.close()
        os.unlink("/dev/log")


# --- the agent

class Agent:
    """`outergate run` with a store of its own; alerts() and sessions() are what a user can ask."""

    def __init__(self, name, config, journal=True, files=(), json=True):
        self.dir = "%s/agent-%s" % (TMP, name)
        os.makedirs(self.dir)
        self.store = self.dir + "/state/outergate.db"
        self.runtime = self.dir + "/runtime"
        self.config = self.dir + "/outergate.yaml"
        with open(self.config, "w") as f:
            # The machine's own databases would put their countries into every sentence.
            if "GeoDatabases" not in config:
                config += "\nGeoDatabases: []\n"
            f.write(config + agent_paths(self.store, self.runtime, journal, files, json))
        self.starts = 0
        self.proc = None

    def start(self, ready=90):
        self.starts += 1
        self.out = "%s/stdout-%d" % (self.dir, self.starts)
        self.err = "%s/stderr-%d" % (self.dir, self.starts)
        check(os.path.exists(AGENT), "there is no agent binary in $BUILD")
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.proc = subprocess.Popen([AGENT, "run", "--config", self.config],
                                         stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        wait_for(lambda: "agent ready; stderr: " + self.stderr(), self.ready, ready)
        return self

    def start_on_terminal(self):
        """Started as by a person; returns a function that gives all that was shown."""
        self.starts += 1
        self.err = self.dir + "/stderr-%d" % self.starts
        self.out = self.dir + "/stdout-%d" % self.starts
        open(self.out, "wb").close()
        check(os.path.exists(AGENT), "there is no agent binary in $BUILD")
        master, slave = os.openpty()
        seen = []

        def pump():
            try:
                while True:
                    seen.append(os.read(master, 65536))
            except OSError:
                pass
        with open(self.err, "wb") as err:
            self.proc = subprocess.Popen([AGENT, "run", "--config", self.config], stdin=slave,
                                         stdout=slave, stderr=err)
        os.close(slave)
        threading.Thread(target=pump, daemon=True).start()
        wait_for(lambda: "agent ready; stderr: " + self.stderr(), self.ready, 90)
        return lambda: b"".join(seen).decode("utf-8", "replace")

    def ready(self):
        check(self.proc.poll() is None, "agent ended, exit %s" % self.proc.returncode,
              self.stderr())
        return b"outergate: ready" in open(self.err, "rb").read()

    def stderr(self):
        return open(self.err, "rb").read()[-3000:].decode("utf-8", "replace") if self.starts else ""

    def stop(self):
        """SIGTERM; the exit code must be 0."""
        if self.proc and self.proc.poll() is None:
            self.proc.terminate()
            check(self.proc.wait(15) == 0, "agent's exit after SIGTERM: %d" %
                  self.proc.returncode, self.stderr())

    def family(self):
        """The agent and its children."""
        pids, todo = [], [self.proc.pid]
        while todo:
            pid = todo.pop()
            pids.append(pid)
            try:
                for task in os.listdir("/proc/%d/task" % pid):
                    with open("/proc/%d/task/%s/children" % (pid, task)) as f:
                        todo += map(int, f.read().split())
            except OSError:
                pass
        return pids

    def kill(self, everything=True):
        """kill -9 of parent and children at once, or of the parent alone, which its children
        must follow within 5 s."""
        pids = self.family()
        for pid in pids if everything else pids[:1]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.proc.wait(10)
        wait_for("the agent's children end with it (%s)" % pids,
                 lambda: not [p for p in pids if alive(p)], 5)

    def cli(self, *argv, check_rc=0):
        p = run([AGENT, *argv], check=False)
        if check_rc is not None:
            check(p.returncode == check_rc, "outergate %s: exit %d" % (" ".join(argv),
                                                                      p.returncode),
                  repr(p.stderr[-500:]))
        return p

    def query(self, command, *argv):
        out = self.cli(command, "--format", "json", "--store", self.store, *argv).stdout
        return json_lines(out, "outergate " + command)

    def stored_alerts(self, *argv):
        return self.query("alerts", *argv)

    def sessions(self, **want):
        return [s for s in self.query("sessions") if matches(s, want)]

    def status(self):
        out = self.cli("status", "--format", "json", "--config", self.config).stdout
        return json.loads(out)

    def raw(self):
        """Every byte of every stdout so far, whole lines only."""
        data = b""
        for n in range(1, self.starts + 1):
            data += open("%s/stdout-%d" % (self.dir, n), "rb").read().rpartition(b"\n")[0] + b"\n"
        return data

    def told(self, **want):
        """Alerts as they were told on stdout, last revision of each id."""
        last = {}
        for a in json_lines(self.raw(), "stdout of the agent"):
            if a["id"] not in last or a["revision"] >= last[a["id"]]["revision"]:
                last[a["id"]] = a
        return [a for a in last.values() if matches(a, want)]

    def alert(self, timeout=30, **want):
        """Waits for an alert that matches; returns it."""
        def none():
            return "an alert %r; told: %s" % (want, brief(self.told()))
        return wait_for(none, lambda: self.told(**want), timeout)[0]

    def session(self, timeout=30, test=None, **want):
        """Waits for a session that matches (and passes test)."""
        def found():
            return [s for s in self.sessions(**want) if not test or test(s)]

        def none():
            return "a session %r; there are: %s" % (want, json.dumps(
                [s for s in self.query("sessions")][:6])[:3000])
        return wait_for(none, found, timeout, 0.15)[0]


def agent_paths(store, runtime, journal, files, json_lines):
    lines = ["", "Store: " + store, "Runtime: " + runtime, "Sources:",
             "  Journal: " + ("true" if journal else "false"), "  Files:"]
    lines += ["    - " + f for f in files]
    if not files:
        lines[-1] += " []"
    return "\n".join(lines + ["Outputs:", "  Json: " + ("true" if json_lines else "false"),
                               "  Journald: true", ""])


def alive(pid):
    try:
        with open("/proc/%d/stat" % pid, "rb") as f:
            return f.read().rpartition(b")")[2].split()[0] != b"Z"
    except OSError:
        return False


def json_lines(data, where):
    """One JSON object a line, in valid UTF-8, without control characters: nothing less."""
    found = []
    for line in data.split(b"\n"):
        if not line:
            continue
        try:
            text = line.decode("utf-8")
            o = json.loads(text)
        except ValueError as e:
            raise Failure("%s: not one JSON object a line (%s): %r" % (where, e, line[:400]))
        if isinstance(o, list):
            found += o
        else:
            check(isinstance(o, dict), where + ": not an object", text[:200])
            found.append(o)
    return found


def value_of(o, path):
    """Field of a nested object: origin__address is o["origin"]["address"]."""
    for part in path.split("__"):
        o = o.get(part) if isinstance(o, dict) else None
    return o


def matches(o, want):
    for path, value in want.items():
        have = value_of(o, path)
        if callable(value):
            if not value(have):
                return False
        elif have != value:
            return False
    return True


def brief(alerts):
    return "; ".join("%s %s %s %s x%s" % (a.get("detection"), a.get("severity"), a.get("account"),
                                         value_of(a, "origin__address"), a.get("count"))
                     for a in alerts) or "(none)"


# --- worlds: what several cases share

class World:
    """One log source and one agent; every case gets an own slice of addresses and accounts."""

    slices = 0
    lock = threading.Lock()

    def __init__(self, name, net, users, config="", journal=True, files=()):
        self.name, self.net, self.users = name, net, users
        self.agent = Agent(name, config, journal, files)
        self.marks = 0

    def slice(self):
        """A number no other case has: 198.18.N.0/24, 2001:db8:N::/48, 192.0.2.N."""
        with World.lock:
            World.slices += 1
            check(World.slices < 240, "no server address is left")
            return World.slices

    def start_common(self, *more):
        """A server that is there before the agent; most cases need no other."""
        self.server = "192.0.2.%d" % self.slice()
        self.sshd = Sshd(self.net, self.net.srv, [self.server, *more], MaxAuthTries=20)
        self.marker, self.marker_key = self.users.add("mark-" + self.name, key=True)
        self.marker_client = Client(self.net, self.outside(self.slice()))

    @staticmethod
    def outside(n, host=2):
        # Some cases have addresses of their own above 198.18.190 and 198.19.70.
        return "198.1%d.%d.%d" % (8 if n < 190 else 9, n if n < 190 else n - 190, host)

    def settle(self):
        """Returns when all that was done before has come through the agent."""
        with self.lock:
            self.marks += 1
            word = "marker-%d" % self.marks
        self.marker_client.ssh(self.marker, self.server, "/bin/echo " + word, check_rc=0,
                               key=self.marker_key)
        print_key = fingerprint(self.marker_key)

        def through(s):
            return word in json.dumps(s.get("commands", "")) and print_key in json.dumps(s)
        self.agent.session(account=self.marker, test=through, timeout=20)
