"""Benchmarks on this host, with the agent and without, and with others in its place; ratios in one
run, medians of rounds that take turns. They are not tests: nothing here has a limit."""
import contextlib
import datetime
import json
import os
import re
import signal
import subprocess
import time

from cases import case, world
from harness import Agent, Client, Sshd, check, the_journal
from others import Auditd, Bpftrace, LibbpfTools, Off, Outergate
from results import keep, median, percentile
from sandbox import TMP, run, wait_for

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "7"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "2"))
SERVER = "192.0.2.10"
NGINX = """worker_processes 2; daemon off; pid %(d)s/nginx.pid; error_log %(d)s/nginx.err;
events { worker_connections 1024; }
http { access_log off; client_body_temp_path %(d)s/b; proxy_temp_path %(d)s/p;
 fastcgi_temp_path %(d)s/f; uwsgi_temp_path %(d)s/u; scgi_temp_path %(d)s/s;
 server { listen 80; location / { return 200 "ok\\n"; } } }
"""
PAM = "auth required pam_permit.so\naccount required pam_permit.so\nsession required pam_permit.so\n"


class Bench:
    def __init__(self, net, users):
        self.net, self.users = net, users
        the_journal()
        self.load = TMP + "/load"
        here = os.path.dirname(os.path.abspath(__file__))
        run(["gcc", "-O2", "-D_GNU_SOURCE", "-o", self.load, here + "/load.c", "-lpam"])
        os.chmod(self.load, 0o755)
        self.nothing = TMP + "/nothing"
        run(["gcc", "-O2", "-static", "-x", "c", "-o", self.nothing, "-"],
            input=b"int main(void) { return 0; }")
        self.others = [Off(), Outergate("others"), Auditd(), Bpftrace(), LibbpfTools()]

    def inside(self, ns, *argv):
        p = run(self.net.inside_ns(ns, argv), timeout=300)
        return p.stdout.decode()

    def spawn(self, ns, *argv):
        """A server and what it forks: one process group, for stop_all()."""
        return subprocess.Popen(self.net.inside_ns(ns, argv), stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, start_new_session=True)

    def pam_server_files(self):
        """A login server by the name of sshd, and what PAM shall say to it."""
        confdir = TMP + "/benchpam"
        os.makedirs(confdir, exist_ok=True)
        for service in ("sshd", "other"):
            with open("%s/%s" % (confdir, service), "w") as f:
                f.write(PAM)
        if not os.path.exists(TMP + "/sshd"):
            os.link(self.load, TMP + "/sshd")
        return confdir

    @staticmethod
    def stop_all(server):
        os.killpg(server.pid, signal.SIGTERM)
        server.wait()

    def ask(self, port, seconds, parallel, rate=0, *account):
        """(connections a second, p50, p99, max) in us."""
        f = self.inside(self.net.ext, self.load, "ask", SERVER, str(port), str(seconds),
                        str(parallel), str(rate), *account).split()
        return float(f[0]) / float(f[1]), int(f[2]), int(f[3]), int(f[4])

    def turns(self, measure, rounds=ROUNDS):
        """{name: [what measure() gave, a round each]}; who comes first changes with the round."""
        got = {o.name: [] for o in self.others}
        for i in range(rounds):
            for o in self.others[i % 5:] + self.others[:i % 5]:
                o.start()
                try:
                    time.sleep(0.3)
                    got[o.name].append(measure())
                finally:
                    o.stop()
        return got


@world("bench")
def bench(net, users):
    return Bench(net, users)


def ratios(got, pick):
    """Of each round to the round without anything; the median of these."""
    base = [pick(x) for x in got["nothing"]]
    return {n: median([pick(x) / b for x, b in zip(v, base)]) for n, v in got.items()}


@case("bench", alone=True)
def bench_server(w):
    """A web server that closes each connection, on a port nobody watches."""
    with open(TMP + "/nginx.conf", "w") as f:
        f.write(NGINX % {"d": TMP})
    server = w.spawn(w.net.srv, "nginx", "-c", TMP + "/nginx.conf")
    try:
        wait_for("nginx", lambda: w.inside(w.net.srv, "ss", "-Hltn", "sport = 80").strip())
        w.ask(80, 1, 8)
        got = w.turns(lambda: w.ask(80, SECONDS, 8))
    finally:
        w.stop_all(server)
    much, slow = ratios(got, lambda x: x[0]), ratios(got, lambda x: x[1])
    keep("server", "A web server's short connections (nginx, 8 clients, %d rounds of %g s)" %
         (ROUNDS, SECONDS), ["watched by", "connections/s", "of that without", "median latency",
                             "p99"],
         [[n, "%.0f" % median([x[0] for x in v]), "%.3f" % much[n],
           "%.0f us (%.2f)" % (median([x[1] for x in v]), slow[n]),
           "%.0f us" % median([x[2] for x in v])] for n, v in got.items()],
         ["Ratios are medians of the rounds' own ratios."])


@case("bench", alone=True)
def bench_login(w):
    """One ssh login by key that runs `true`, from begin to end."""
    sshd = Sshd(w.net, w.net.srv, [SERVER])
    name, key = w.users.add("benchlogin", key=True)
    c = Client(w.net, "198.18.7.2")
    c.ssh(name, SERVER, key=key, check_rc=0)

    def logins():
        took = []
        for _ in range(8):
            start = time.monotonic()
            c.ssh(name, SERVER, key=key, check_rc=0)
            took.append(time.monotonic() - start)
        return median(took) * 1000
    got = w.turns(logins, ROUNDS * 2)
    agent = Agent("bench-login", "").start()
    with bpf_statistics():
        before = program_ns(agent)
        logins()
        in_kernel = (program_ns(agent) - before) / 8 / 1e3
    agent.stop()
    sshd.stop()
    r = ratios(got, lambda x: x)
    base = got["nothing"]
    spread = {n: sorted(x / b for x, b in zip(v, base)) for n, v in got.items()}
    keep("login", "One ssh login (key, `true`; %d rounds of 8)" % (ROUNDS * 2),
         ["watched by", "median", "of that without", "half of the rounds"],
         [[n, "%.1f ms" % median(v), "%.3f" % r[n],
           "%.3f to %.3f" % (percentile(spread[n], 25), percentile(spread[n], 75))]
          for n, v in got.items()],
         ["What outergate's programs ran in the kernel for one such login, all processes of it, by "
          "the kernel's own count: %.0f us, %.2f %% of it. The rest of the agent works beside it." %
          (in_kernel, in_kernel / median(base) / 10)])


@contextlib.contextmanager
def bpf_statistics():
    with open("/proc/sys/kernel/bpf_stats_enabled", "r+") as f:
        was = f.read()
        f.write("1")
        f.flush()
        yield
        f.write(was)


def program_ns(agent):
    """How long the agent's programs have run."""
    ids = set()
    for fd in os.listdir("/proc/%d/fdinfo" % agent.family()[0]):
        with open("/proc/%d/fdinfo/%s" % (agent.family()[0], fd)) as f:
            ids.update(re.findall(r"^prog_id:\s*(\d+)", f.read(), re.M))
    check(ids, "programs of the agent")
    return sum(p.get("run_time_ns", 0) for p in json.loads(run(
        ["bpftool", "-j", "prog", "show"]).stdout) if str(p["id"]) in ids)


def kernel_maps(agent):
    """KiB of the maps, rings and programs that the agent's processes hold."""
    bpf = {"maps": 0, "progs": 0}
    for pid in agent.family()[:1]:
        for fd in os.listdir("/proc/%d/fdinfo" % pid):
            try:
                text = open("/proc/%d/fdinfo/%s" % (pid, fd)).read()
            except OSError:
                continue
            m = re.search(r"^memlock:\s*(\d+)", text, re.M)
            if m:
                bpf["maps" if "map_id" in text else "progs"] += int(m.group(1)) // 1024
    return bpf


def memory(agent):
    """KiB: (proportional share, sum of RSS, anonymous) of all processes."""
    pss = rss = anon = 0
    for pid in agent.family():
        with open("/proc/%d/smaps_rollup" % pid) as f:
            for line in f:
                words = line.split()
                pss += int(words[1]) if words[0] == "Pss:" else 0
                rss += int(words[1]) if words[0] == "Rss:" else 0
                anon += int(words[1]) if words[0] == "Anonymous:" else 0
    return pss, rss, anon


@case("bench", alone=True)
def bench_memory(w):
    """Failing logins of ever more addresses, by a mail server's log: the kernel has no say in these."""
    log = TMP + "/bench-auth.log"
    open(log, "w").close()
    agent = Agent("bench-memory", "", journal=False, files=[log]).start()
    rows, sent = [], 0
    for target in (0, 1000, 65536, 1000000):
        with open(log, "a") as f:
            stamp = time.strftime("%b %e %H:%M:%S")
            for n in range(sent, target):
                f.write("%s mail dovecot: imap-login: Disconnected: Connection closed (auth "
                        "failed, 1 attempts in 2 secs): user=<m%d>, method=PLAIN, rip=%d.%d.%d.%d, "
                        "lip=192.0.2.1, TLS, session=<s%d>\n" % (
                            stamp, n % 5000, 20 + (n >> 24), n >> 16 & 255, n >> 8 & 255, n & 255,
                            n))
        sent = max(sent, target)
        wait_for("%d lines are read" % sent,
                 lambda: agent.status()["counters"]["lines_read"] >= sent, 120, 0.5)
        wait_for("%d attempts are counted" % sent,
                 lambda: agent.status()["counters"]["attempts"] >= sent, 60, 0.5)
        pss, rss, anon = memory(agent)
        kernel = kernel_maps(agent)
        rows.append(["%d" % target, "%.1f MiB" % (pss / 1024), "%.1f MiB" % (rss / 1024),
                     "%.1f MiB" % (anon / 1024), "%.1f MiB" % (kernel["maps"] / 1024),
                     "%.1f MiB" % (kernel["progs"] / 1024)])
    agent.stop()
    keep("memory", "Memory of both processes, by the number of addresses that guess",
         ["addresses", "resident, shared pages once (PSS)", "sum of RSS", "of it anonymous",
          "kernel: maps", "kernel: programs"], rows,
         ["The rings (3.6 MiB, mapped twice in a row to be read without a seam) are kernel memory "
          "and in the maps' column, but the sum of RSS has them twice, and libraries of both "
          "processes twice."])


@contextlib.contextmanager
def counted():
    """A memory group: what is started in it, and the kernel for it, is counted by it."""
    v1 = "/sys/fs/cgroup/memory/outergate-bench"
    v2 = "/sys/fs/cgroup/outergate-bench"
    d = v1 if os.path.isdir("/sys/fs/cgroup/memory") else v2
    os.makedirs(d, exist_ok=True)
    yield d
    wait_for("the group is empty", lambda: not open(d + "/cgroup.procs").read(), 20)
    os.rmdir(d)


def of_kernel(group):
    """KiB that the kernel holds for a group: maps, storage of tasks, descriptors, page tables."""
    try:
        with open(group + "/memory.kmem.usage_in_bytes") as f:
            return int(f.read()) // 1024
    except FileNotFoundError:
        with open(group + "/memory.stat") as f:
            return int(re.search(r"^kernel (\d+)", f.read(), re.M)[1]) // 1024


@case("bench", alone=True)
def bench_sessions(w):
    """Ten thousand people who are logged in at the same time."""
    confdir = w.pam_server_files()
    rows, home = [], None
    with counted() as group:
        with open("/proc/self/cgroup") as f:
            home = re.search(r"^\d+:(?:memory)?:(.*)$", f.read(), re.M)[1]
        join(group)
        agent = Agent("bench-sessions", "", journal=False).start()
        join(os.path.dirname(group) + home)
        server = w.spawn(w.net.srv, TMP + "/sshd", "pam", "2223", confdir)
        wait_for("a login server", lambda: w.inside(w.net.srv, "ss", "-Hltn",
                                                    "sport = 2223").strip())
        clients = []
        for count in (0, 1000, 10000):
            n = count - 1000 * (count > 1000)
            if n:
                clients.append(subprocess.Popen(
                    w.net.inside_ns(w.net.ext, [w.load, "hold", SERVER, "2223", str(n),
                                                "s%dx" % n]),
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE))
                check(clients[-1].stdout.readline() == b"held\n", "%d logins" % n)
            wait_for("%d logins are seen" % count, lambda: seen(agent) >= count, 120, 0.5)
            maps = kernel_maps(agent)["maps"]
            rows.append(["%d" % count, "%.1f MiB" % (maps / 1024),
                         "%.1f MiB" % (of_kernel(group) / 1024),
                         "%.1f MiB" % (memory(agent)[0] / 1024)])
        for c in clients:
            c.communicate(timeout=60)
        w.stop_all(server)
        agent.stop()
    keep("sessions", "Memory by the number of people who are logged in", [
        "logged in", "maps and rings, by their own count",
        "all that the kernel holds for the agent", "both processes (PSS)"], rows,
        ["The second is what the agent's memory group is charged for: maps, storage of tasks, "
         "programs, descriptors, page tables. User space keeps Limits.Sessions (512) of them; "
         "the others are counted (`sessions_refused`) and told as sensor.loss."])


def seen(agent):
    c = agent.status()["counters"]
    return c["sessions_opened"] + c["sessions_refused"]


def join(group):
    with open(group + "/cgroup.procs", "w") as f:
        f.write(str(os.getpid()))


def ticks(agent):
    """(processor time in ms, voluntary switches) of all processes so far."""
    cpu = switches = 0
    for pid in agent.family():
        with open("/proc/%d/schedstat" % pid) as f:
            cpu += int(f.read().split()[0]) / 1e6
        with open("/proc/%d/status" % pid) as f:
            switches += int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", f.read(), re.M)[1])
    return cpu, switches


def spent(agent, seconds, work=None):
    cpu, switches = ticks(agent)
    start = time.monotonic()
    if work:
        work()
    else:
        time.sleep(seconds)
    took = time.monotonic() - start
    now = ticks(agent)
    return (now[0] - cpu) / took / 10, (now[1] - switches) / took


@case("bench", alone=True)
def bench_load(w):
    """Processor time at rest and under load; what was lost; a login in the middle is told."""
    agent = Agent("bench-load", "").start()
    sshd = Sshd(w.net, w.net.srv, [SERVER])
    serve = w.spawn(w.net.srv, w.load, "serve", "8080")
    name, key = w.users.add("benchload", key=True)
    c = Client(w.net, "198.18.8.2")
    time.sleep(5)
    rest = spent(agent, 30)
    did = {}

    def storm():
        many = [subprocess.Popen([w.load, "exec", "20", "500", w.nothing], stdout=subprocess.PIPE)
                for _ in range(4)]
        q = subprocess.Popen(w.net.inside_ns(w.net.ext, [
            w.load, "ask", SERVER, "8080", "20", "8", "10000"]), stdout=subprocess.PIPE)
        time.sleep(8)
        c.ssh(name, SERVER, "/bin/echo in-the-storm", key=key, check_rc=0)
        for who, what in [(p, "exec") for p in many] + [(q, "connections")]:
            f = who.communicate(timeout=60)[0].split()
            did[what] = did.get(what, 0) + float(f[0]) / float(f[1])
    busy = spent(agent, 20, storm)
    agent.session(account=name, timeout=30, state="closed",
                  test=lambda s: "in-the-storm" in json.dumps(s["commands"]))
    counters = agent.status()["counters"]
    lost = {k: v for k, v in counters.items() if v and ("lost" in k or "full" in k)}
    agent.stop()
    w.stop_all(serve)
    sshd.stop()
    keep("load", "Processor time and losses", ["load", "processor", "wake-ups/s", "lost"],
         [["at rest, 30 s", "%.2f %%" % rest[0], "%.2f" % rest[1], "-"],
          ["%.0f connections/s and %.0f exec/s, 20 s, one login among them (told)" %
           (did["connections"], did["exec"]), "%.1f %%" % busy[0], "%.0f" % busy[1],
           ", ".join("%s %d" % x for x in lost.items()) or "nothing"]],
         ["Asked were 10,000 connections/s and 2,000 exec/s; what two cores gave stands above. "
          "Processor: of one core, all processes of the agent."])


@case("bench", alone=True)
def bench_latency(w):
    """From PAM's verdict (the kernel's clock) to the alert's entry in the journal."""
    confdir = w.pam_server_files()
    server = w.spawn(w.net.srv, TMP + "/sshd", "pam", "2222", confdir)
    agent = Agent("bench-latency", "").start()
    rows = []
    for rate, seconds in ((1, 30), (10, 15), (100, 10)):
        w.ask(2222, seconds, 4 if rate > 1 else 1, rate, "b%dx" % rate)
        time.sleep(3)
        text = run(["journalctl", "-q", "-o", "json", "OUTERGATE_DETECTION=access.external",
                    "OUTERGATE_REVISION=1", "_PID=%d" % agent.family()[1]]).stdout
        delays = [delay(json.loads(x)) for x in text.splitlines() if b'"b%dx' % rate in x]
        check(delays, "alerts in the journal")
        rows.append(["%d" % rate, "%d" % len(delays), "%.2f ms" % percentile(delays, 50),
                     "%.2f ms" % percentile(delays, 95), "%.2f ms" % percentile(delays, 99),
                     "%.2f ms" % max(delays)])
    agent.stop()
    w.stop_all(server)
    keep("latency", "From PAM's verdict to the alert in the journal", ["logins/s", "alerts",
         "median", "p95", "p99", "max"], rows)


def delay(o):
    """ms between the verdict's time, as the alert has it (whole ms), and the journal's own."""
    told = json.loads(o["OUTERGATE_JSON"])["last_time"]
    at = datetime.datetime.strptime(told, "%Y-%m-%dT%H:%M:%S.%f%z").timestamp()
    return int(o["__REALTIME_TIMESTAMP"]) / 1e3 - at * 1e3
