"""docs/ATTACKSURFACE.md against a running agent, both ways: processes, descriptors, files."""
import grp
import os
import pathlib
import pwd
import re
import stat

from cases import case
from harness import Agent, check
from sandbox import TMP, wait_for

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs/ATTACKSURFACE.md"
CAPS = ("CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE "
        "NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO "
        "SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME "
        "SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG "
        "WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE").split()


def table(heading):
    """Rows of the table below "## heading"."""
    part = re.split(r"^## ", PAGE.read_text(), flags=re.M)
    rows = [[c.strip() for c in line.strip("|").split("|")]
            for line in next(p for p in part if p.startswith(heading + "\n")).splitlines()
            if line.startswith("|")]
    return rows[2:]


def status(pid):
    with open("/proc/%d/status" % pid) as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


def capabilities(mask):
    return " ".join(sorted(n for i, n in enumerate(CAPS) if int(mask, 16) >> i & 1)) or "none"


def sockets(pid):
    """inode -> what it is, in the process's own network namespace."""
    kinds, types = {}, {"0001": "stream", "0002": "dgram", "0005": "seqpacket"}
    with open("/proc/%d/net/unix" % pid) as f:
        for line in f.readlines()[1:]:
            w = line.split()
            name = os.path.basename(w[7]) if len(w) > 7 and w[7].endswith(".sock") else ""
            kinds[w[6]] = ("unix %s %s" % (types[w[4]], name)).strip()
    for family in "tcp", "tcp6":
        with open("/proc/%d/net/%s" % (pid, family)) as f:
            for line in f.readlines()[1:]:
                w = line.split()
                kinds[w[9]] = "tcp listening" if w[3] == "0A" else "tcp"
    return kinds


def name_of(target, kinds, agent):
    if target.startswith("socket:"):
        return kinds.get(target[8:-1], target)
    if target.startswith("anon_inode:"):
        return target.replace("bpf-link", "bpf_link")  # from 6.18
    if target.startswith("/sys/fs/cgroup"):
        return "cgroup root"
    if target == agent.runtime + "/lock":
        return "lock"
    if target.startswith(agent.store):
        return "store"
    return "journal file" if target.endswith(".journal") else target


def descriptors(pid, agent):
    kinds, found = sockets(pid), set()
    for fd in os.listdir("/proc/%d/fd" % pid):
        if int(fd) > 2:
            try:
                found.add(name_of(os.readlink("/proc/%d/fd/%s" % (pid, fd)), kinds, agent))
            except FileNotFoundError:  # of that moment
                pass
    return found


def roles(agent):
    found = {"parent": [agent.proc.pid], "engine": [], "forwarder": []}
    for pid in agent.family()[1:]:
        with open("/proc/%d/cmdline" % pid) as f:
            found["forwarder" if f.read().startswith("outergate-forward ") else "engine"].append(pid)
    return found


def processes_are(pids):
    for role, user, caps, privileges, seccomp, _ in table("Processes"):
        for pid in pids[role]:
            s = status(pid)
            uid = set(s["Uid"].split())
            check(len(uid) == 1 and pwd.getpwuid(int(uid.pop())).pw_name in (user, "nobody"),
                  "user of the %s" % role, s["Uid"])
            check(capabilities(s["CapEff"]) == caps == capabilities(s["CapPrm"]),
                  "capabilities of the %s" % role, capabilities(s["CapEff"]))
            check(privileges == "no" and s["NoNewPrivs"] == "1", "no_new_privs", s["NoNewPrivs"])
            check((s["Seccomp"] == "2") == (seccomp == "allow-list"), "seccomp", s["Seccomp"])


def descriptors_are(pids, agent):
    rows = table("Descriptors")
    for role, them in pids.items():
        allowed = {r[1] for r in rows if r[0] == role}
        needed = {r[1] for r in rows if r[0] == role and "optional" not in r[3]}
        seen = set().union(*(descriptors(pid, agent) for pid in them))
        check(not seen - allowed, "%s: not on the page" % role, sorted(seen - allowed))
        check(not needed - seen, "%s: on the page and not there" % role, sorted(needed - seen))


def files_are(agent):
    want = {r[0]: (r[1], r[2]) for r in table("Files")}
    have = {}
    for top in "state", "runtime":
        for folder, _, names in os.walk(agent.dir + "/" + top):
            for path in [folder + "/"] + [folder + "/" + n for n in names]:
                st = os.lstat(path)
                owner = "%s:%s" % (pwd.getpwuid(st.st_uid).pw_name, grp.getgrgid(st.st_gid).gr_name)
                have[os.path.relpath(path, agent.dir) + "/" * path.endswith("/")] = (
                    owner, "%04o" % stat.S_IMODE(st.st_mode))
    check(have == want, "files, owners and modes", {"there": have, "page": want})


@case("cli", alone=True)
def the_attack_surface_is_as_written(w):
    agent = Agent("surface", "Forwarders:\n"
                  "  - {name: metrics, kind: prometheus, url: '127.0.0.1:19464'}\n"
                  "  - {name: relay, kind: relp, url: 'tcp://127.0.0.1:19465'}\n")
    # somebody listens who never answers, so that a connection is there to be seen
    import socket
    relay = socket.create_server(("127.0.0.1", 19465))
    agent.start()
    check(agent.dir.startswith(TMP), "a place of the test's own")
    wait_for(lambda: "both forwarders: %s %s" % (roles(agent), [open("/proc/%d/cmdline" % p).read() for p in agent.family()]), lambda: len(roles(agent)["forwarder"]) == 2)
    agent.cli("test", "--config", agent.config, check_rc=None)
    wait_for("the relay is called", lambda: any(
        "tcp" in descriptors(p, agent) for p in roles(agent)["forwarder"]), 20)
    pids = roles(agent)
    check(len(pids["engine"]) == 1, "one engine", pids)
    processes_are(pids)
    descriptors_are(pids, agent)
    files_are(agent)
    relay.close()
    agent.stop()
