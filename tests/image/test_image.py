"""The image, run as the manifests say, sees what happens on the host around it."""
import json
import os
import shutil

from cases import case, world
from harness import Client, Sshd, World, brief, check, fingerprint, the_journal, wait_for
from pod import NODE, Pod, cap_names, end_pod, host_directories, memory_of, status_of
from sandbox import run

PASSWORD = "Corr3ct-horse"


class PodWorld(World):
    """A host with a journal, an sshd, and a pod of the manifest beside them."""

    def __init__(self, net, users):
        self.net, self.users, self.name = net, users, "image"
        the_journal()
        host_directories()
        # The pod's own lock would refuse a second one; each case stops its pod.
        self.agent_per_case = True
        self.server = "192.0.2.%d" % self.slice()
        self.sshd = Sshd(net, net.srv, [self.server, "10.20.0.1"])

    def pod(self, overlay, **how):
        self.agent = Pod(overlay, **how)
        return self.agent

    def stranger(self):
        return Client(self.net, self.outside(self.slice()))


@world("image")
def image(net, users):
    return PodWorld(net, users)


def told_of(pod, client, **want):
    return pod.alert(origin__address=client.source, **want)


@case("image", alone=True)
def plain_sees_the_host(w):
    name, key = w.users.add("pod", key=True)
    pod = w.pod("plain").start()
    try:
        status = pod.status()
        off = [s["name"] for s in status["sensors"] if not s["on"] and s["name"] != "first"]
        check(not off, "sensors that are off: %s" % off, status["sensors"])
        states = {s["name"]: s["state"] for s in status["sources"]}
        check(states["journal"] == "on" and states["changes of files (fanotify)"] == "on", "sources", states)
        # An external login: the kernel's origin, the host's account, and the key from the host's journal.
        c = w.stranger()
        c.ssh(name, w.server, "/bin/echo in-the-session", key=key, check_rc=0)
        a = told_of(pod, c, detection="access.external", account=name)
        with open("/etc/machine-id") as f:
            machine = f.read().strip()
        check(a["severity"] == "low" and a["host_name"] == NODE and a["host_id"] == machine, "the alert", a)
        s = pod.session(account=name, key=lambda k: k and fingerprint(key) in k,
                        test=lambda s: "in-the-session" in json.dumps(s))
        check(s["origin"]["address"] == c.source and s["method"] == "publickey", "the session", s)
        # The host's own journal has the alert, too.
        wait_for("the alert in the host's journal", lambda: [
            e for e in the_journal().entries("SYSLOG_IDENTIFIER=outergate")
            if e.get("OUTERGATE_DETECTION") == "access.external" and e.get("OUTERGATE_ACCOUNT") == name])
        # Guesses and a success.
        c.guess(name, w.server, 6)
        c.ssh(name, w.server, "true", password=PASSWORD, check_rc=0)
        told_of(pod, c, detection="auth.bruteforce_success", account=name)
        # A way back that a session leaves in the host's home.
        c.ssh(name, w.server, "echo ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBnothing other >>.ssh/authorized_keys",
              key=key, check_rc=0)
        a = pod.alert(detection="activity.persistence", account=name)
        check("/home/%s/.ssh/authorized_keys" % name in json.dumps(a), "which file of the host", a)
        # Near misses: from inside; and a rejected key is no login.
        inside = Client(w.net, "10.20.0.2", ns=w.net.inside)
        inside.ssh(name, "10.20.0.1", "/bin/echo from-inside", key=key, check_rc=0)
        pod.session(account=name, test=lambda s: "from-inside" in json.dumps(s))
        other = w.stranger()
        other.ssh(name, w.server, "true", key=w.users.new_key("no-" + name, None), check_rc=255)
        c.ssh(name, w.server, "/bin/echo marker", key=key, check_rc=0)
        pod.session(account=name, test=lambda s: "marker" in json.dumps(s))
        none = [a for a in pod.told() if a["origin"]["address"] in ("10.20.0.2", other.source) and
                a["detection"].startswith("access.")]
        check(not none, "a near miss was told: " + brief(none))
        check(pod.status()["counters"].get("store_errors", 0) == 0, "the store", pod.status()["counters"])
    finally:
        end_pod(pod)


@case("image", alone=True)
def rights_are_those_of_the_manifest(w):
    pod = w.pod("plain").start()
    try:
        wanted = set(cap_names(pod.security))
        pids = pod.pids()
        check(len(pids) == 2, "a parent and a child", pids)
        parent, child = (status_of(p) for p in pids)
        starting = {"CAP_DAC_OVERRIDE", "CAP_CHOWN"}  # for its directories and its lock; then it lets go of them
        for field, caps in (("CapEff", wanted - starting), ("CapPrm", wanted - starting), ("CapBnd", wanted)):
            have = run(["capsh", "--decode=" + parent[field]]).stdout.decode().strip().partition("=")[2]
            check(set(have.upper().split(",")) == caps, "%s of the parent" % field, have)
        check(parent["NoNewPrivs"] == "1" and parent["Seccomp"] == "2", "the parent's bounds", parent)
        check(int(child["CapEff"], 16) == 0 and child["Uid"].split()[0] == "65527", "the child", child)
        groups = set(map(int, child["Groups"].split()))
        gid = int(run(["getent", "group", "systemd-journal"]).stdout.split(b":")[2])
        check(gid in groups, "the host's number of the journal's group", child["Groups"])
        check(os.stat("/var/lib/outergate").st_uid == 65527, "whose the store is")
        shells = run(["sh", "-c", "ls %s/rootfs/bin %s/rootfs/usr/bin %s/rootfs/sbin" % ((pod.dir,) * 3)],
                     check=False).stdout.split()
        check(set(shells) <= {b"outergate", (pod.dir + "/rootfs/usr/bin:").encode()}, "programs", repr(shells))
    finally:
        end_pod(pod)


@case("image", alone=True)
def a_configmap_is_taken_into_use(w):
    name, key = w.users.add("map", key=True)
    pod = w.pod("plain").start()
    try:
        c, known = w.stranger(), w.stranger()
        live = c.ssh_open(name, w.server, "echo one; read x; /bin/echo after-the-reload; sleep 60", key=key)
        check(live.stdout.readline() == b"one\n", "the session that stays")
        told_of(pod, c, detection="access.external", account=name, severity="low")
        before = pod.session(account=name, state="open")
        pod.map.edit("WatchPorts:", "NoSuchKey:")
        wait_for(lambda: "the refusal; stderr: " + pod.stderr(),
                 lambda: "NoSuchKey" in pod.stderr() and "refused" in pod.stderr())
        pod.map.edit("NoSuchKey:", "WatchPorts:")
        wait_for("nothing has changed", lambda: "nothing has changed" in pod.stderr())
        pod.map.edit("AllowedCIDRs: []", "AllowedCIDRs: []\nKnownRemoteIPs: [%s/32]" % known.source)
        wait_for(lambda: "the change; stderr: " + pod.stderr(),
                 lambda: "reload: changed: KnownRemoteIPs\n" in pod.stderr() and
                 pod.stderr().count("outergate: ready") == 2)
        known.ssh(name, w.server, "true", key=key, check_rc=0)
        a = told_of_stored(pod, known)
        check(a["severity"] == "info", "known since the new configuration", a)
        # What was open goes on: one session, and what runs in it since.
        live.stdin.write(b"\n")
        live.stdin.flush()
        s = pod.session(account=name, state="open", test=lambda s: "after-the-reload" in json.dumps(s))
        check(s["id"] == before["id"] and s["origin"]["address"] == c.source, "the same session", before, s)
        ours = [s for s in pod.sessions(account=name) if s["origin"]["address"] == c.source]
        check(len(ours) == 1, "once", ours)
        # Evidence that somebody edited it; and nobody ended anything.
        a = pod.alert(detection="sensor.interrupted")
        wrong = [a for a in pod.told(detection="sensor.interrupted") if a.get("reason") != "settings"]
        check(not wrong and a["severity"], "what a reload tells", a, wrong)
        live.kill()
    finally:
        end_pod(pod)


def told_of_stored(pod, client):
    """Of info nobody is notified; the store has it."""
    def found():
        return [a for a in pod.stored_alerts() if a["detection"] == "access.external" and
                a["origin"]["address"] == client.source]
    return wait_for("an alert in the store", found)[0]


@case("image", alone=True)
def read_only_root_sees_the_host(w):
    name, key = w.users.add("ro", key=True)
    pod = w.pod("read-only-root").start()
    try:
        c = w.stranger()
        c.ssh(name, w.server, "/bin/echo read-only", key=key, check_rc=0)
        told_of(pod, c, detection="access.external", account=name)
        with open("/proc/%d/mountinfo" % pod.pids()[0]) as f:
            root = next(line.split() for line in f if line.split()[4] == "/")
        check("ro" in root[5].split(","), "the root", root)
    finally:
        end_pod(pod)


@case("image", alone=True)
def a_new_pod_takes_over(w):
    """A rollout: what was open is the same session in the next pod, and what happened between is told."""
    name, key = w.users.add("roll", key=True)
    pod = w.pod("openshift").start()
    try:
        c, between = w.stranger(), w.stranger()
        live = c.ssh_open(name, w.server, "echo one; read x; /bin/echo in-the-next-pod; sleep 60", key=key)
        check(live.stdout.readline() == b"one\n", "the session that stays")
        told_of(pod, c, detection="access.external", account=name)
        before = pod.session(account=name, state="open")
        pod.stop()
        pod.destroy()
        between.ssh(name, w.server, "/bin/echo between-two-pods", key=key, check_rc=0)
        pod.start()
        told_of(pod, between, detection="access.external", account=name)
        live.stdin.write(b"\n")
        live.stdin.flush()
        s = pod.session(account=name, test=lambda s: "in-the-next-pod" in json.dumps(s))
        check(s["id"] == before["id"], "the same session", before, s)
        live.kill()
    finally:
        end_pod(pod)


@case("image", alone=True)
def two_at_once_are_refused(w):
    pod = w.pod("plain").start()
    try:
        second = Pod("read-only-root")
        second.start(ready=0)
        check(second.proc.wait(20) == 1 and "another agent already runs" in second.stderr(),
              "the second pod", second.proc.returncode, second.stderr())
        second.destroy()
        check(pod.probe(), "the first goes on")
    finally:
        end_pod(pod)


@case("image", alone=True)
def every_right_is_needed(w):
    """Without one of them it does not start, and says so: nothing is given for nothing. (DAC_READ_SEARCH and KILL
    are needed later: for cgroups by their number, and to end the other half.)"""
    says = {c: c for c in ("CAP_BPF", "CAP_PERFMON", "CAP_SYS_ADMIN", "CAP_NET_ADMIN", "CAP_SETUID", "CAP_SETGID")}
    says.update(CAP_SYS_PTRACE="the root of the host", CAP_DAC_OVERRIDE="cannot open /run/outergate/lock",
                CAP_CHOWN="cannot give /var/lib/outergate")
    rest = set(cap_names(Pod("plain").security)) - set(says)
    check(rest == {"CAP_DAC_READ_SEARCH", "CAP_KILL"}, "capabilities that no row is about", sorted(rest))
    for cap, words in says.items():
        for d in ("/var/lib/outergate", "/run/outergate"):  # as kubelet makes them; or as they are after that
            os.makedirs(d, exist_ok=True)
            os.chown(d, *((0, 0) if cap == "CAP_CHOWN" else (65527, 65527)))
            os.chmod(d, 0o755 if cap == "CAP_CHOWN" else 0o750)
        if cap == "CAP_DAC_OVERRIDE" and os.path.exists("/run/outergate/lock"):
            os.unlink("/run/outergate/lock")
        pod = w.pod("plain", drop=[cap])
        pod.start(ready=0)
        code = pod.proc.wait(20)
        check(code in (1, 3) and words in pod.stderr(), "without %s: exit %d" % (cap, code), pod.stderr())
        end_pod(pod)


def memory_figures(pod):
    """What the pod's group is charged, and of it what the processes have and what the kernel's maps have."""
    first = pod.pids()[0]
    with open("/proc/%d/cgroup" % first) as f:
        groups = dict(line.rstrip("\n").split(":", 2)[1:] for line in f)
    if "memory" in groups:  # version 1
        at, names = "/sys/fs/cgroup/memory" + groups["memory"], ("memory.usage_in_bytes", "memory.max_usage_in_bytes")
    else:
        at, names = "/sys/fs/cgroup" + groups[""], ("memory.current", "memory.peak")
    figures = {}
    for key, name in zip(("charged", "charged_most"), names):
        with open("%s/%s" % (at, name)) as f:
            figures[key] = int(f.read())
    with open(at + "/memory.stat") as f:
        stat = dict(line.split() for line in f)
    figures["page_cache"] = int(stat.get("cache", stat.get("file", 0)))
    for key in ("Rss", "Pss"):
        figures[key.lower()] = 0
        for pid in pod.pids():
            with open("/proc/%d/smaps_rollup" % pid) as f:
                figures[key.lower()] += next(int(line.split()[1]) << 10 for line in f if line.startswith(key + ":"))
    maps = {}  # as `bpftool map show` has it, of the maps that the agent holds
    for fd in os.listdir("/proc/%d/fdinfo" % first):
        with open("/proc/%d/fdinfo/%s" % (first, fd)) as f:
            info = dict(line.split(":\t", 1) for line in f if ":\t" in line)
        if "map_id" in info:
            maps[info["map_id"]] = int(info["memlock"])
    figures["maps"] = sum(maps.values())
    return figures


@case("image", alone=True)
def memory_is_well_below_the_limit(w):
    """Every login runs a dozen programs; what is charged must not come near to what kills."""
    name, key = w.users.add("mem", key=True)
    pod = w.pod("plain")
    # Maps that a pod takes over are charged to the one that made them.
    shutil.rmtree("/sys/fs/bpf/outergate", ignore_errors=True)
    pod.start()
    try:
        limit = memory_of(pod.agent["resources"]["limits"]["memory"])
        figures = [memory_figures(pod)]
        c = w.stranger()
        for n in range(int(os.environ.get("IMAGE_LOGINS", "20"))):
            c.ssh(name, w.server, "/bin/echo login-%d; id; ls / >/dev/null" % n, key=key, check_rc=0)
            if not n:
                told_of(pod, c, detection="access.external", account=name)
        figures.append(memory_figures(pod))
        for f in figures:
            print("      MiB: " + ", ".join("%s %.1f" % (k, v / 1048576) for k, v in f.items()))
        check(figures[1]["maps"] > 1 << 20, "the kernel's maps were counted", figures)
        check(figures[1]["charged_most"] < limit * 2 // 3, "of %d" % limit, figures)
    finally:
        end_pod(pod)
