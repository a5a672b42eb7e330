"""The packages in a booted Debian 12: the README's commands, a login, an upgrade, a downgrade, removal, purge.

The cases are one life, so each begins where the one before has ended. (tests/live/run.sh runs them, with
LIVE_CASES=tests/packages; PACKAGES and PACKAGES_NEW are directories of packages.)
"""
import json
import os
import re
import shutil
import subprocess
import time

from cases import case, world
from harness import Client, check
from sandbox import Failure, run, wait_for
from systemd import SUITE, Systemd

OLD, NEW = os.environ.get("PACKAGES", "build/packages"), os.environ.get("PACKAGES_NEW", "")
BOX = "192.0.2.77"
OUTSIDE = "203.0.113.10"
# Written by apt, dpkg, the journal, man-db and systemd itself, whatever is installed and removed.
NOT_OURS = re.compile(
    r"^/(var/(log|cache|tmp|lib/(dpkg|apt|systemd|man-db|ucf))|dev|proc|sys|run|tmp|root|home)(/|$)"
    r"|^/etc/(passwd|group|shadow|gshadow|subuid|subgid)-?$|^/etc/\.pwd\.lock$")


class Box:
    def __init__(self, net):
        self.net = net
        self.systemd = Systemd(net, self.prepare)
        self.run, self.stop = self.systemd.run, self.systemd.stop
        self.systemd.like_a_host()
        self.before = self.files()

    def prepare(self, box):
        """What any host has that is logged in to, and what the packages ask for: the box has no way out."""
        box.chroot("useradd", "-m", "-s", "/bin/bash", "alice")
        box.chroot("chpasswd", input=b"alice:Corr3ct-horse\n")
        with open(box.root + "/etc/ssh/sshd_config.d/og.conf", "w") as f:
            f.write("ListenAddress %s\nUseDNS no\nMaxAuthTries 20\n" % BOX)
            if SUITE != "bookworm":  # six failures would keep the client out
                f.write("PerSourcePenalties no\n")
        box.chroot("systemctl", "enable", "ssh.service")
        for directory in filter(None, (OLD, NEW)):
            for name in os.listdir(directory):
                if name.endswith(".deb"):
                    shutil.copy(os.path.join(directory, name), box.root + "/root/")
        shutil.copy("/etc/resolv.conf", box.root + "/etc/resolv.conf")
        wanted = run(["dpkg-deb", "-f", deb(OLD, "outergate"), "Depends"]).stdout.decode()
        names = [re.split(r"[ |]", d.strip())[0] for d in wanted.split(",")]
        quiet = dict(env={"PATH": os.environ["PATH"], "DEBIAN_FRONTEND": "noninteractive"}, timeout=300)
        box.chroot("apt-get", "-q", "update", **quiet)
        box.chroot("apt-get", "-q", "install", "-y", "--no-install-recommends", "bash-completion",
                   *names, **quiet)
        os.remove(box.root + "/etc/resolv.conf")

    def shell(self, text, **how):
        how.setdefault("timeout", 120)
        return self.run("env", "-", "HOME=/root", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive",
                        "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "bash", "-c", "cd /root && " + text,
                        **how).stdout.decode(errors="replace")

    def files(self):
        found = self.shell("find / -xdev -printf '%p\\n'").splitlines()
        return {f for f in found if not NOT_OURS.match(f)}

    def state(self):
        shown = self.shell("systemctl show outergate -p ActiveState -p SubState -p MainPID -p NRestarts "
                           "-p UnitFileState -p Result")
        return dict(line.split("=", 1) for line in shown.splitlines())

    def running(self):
        """Its state, when it has said that it is ready."""
        def probe():
            s = self.state()
            return s if s["SubState"] == "running" else None
        return wait_for(lambda: "outergate.service runs: %s %s" % (
            self.state(), self.shell("journalctl -u outergate -n 20 --no-pager")), probe, 60, 0.3)

    def status(self):
        return json.loads(self.shell("outergate status --format json"))

    def alerts(self, detection):
        out = self.shell("outergate alerts --format json --detection " + detection)
        return [json.loads(line) for line in out.splitlines() if line.startswith("{")]

    def sessions(self):
        """The newest first."""
        out = self.shell("outergate sessions --format json")
        return [json.loads(line) for line in out.splitlines() if line.startswith("{")]

    def log_in(self, account="alice", **how):
        return Client(self.net, OUTSIDE).ssh(account, BOX, password="Corr3ct-horse", **how)


def deb(directory, name):
    for f in os.listdir(directory):
        if re.match(re.escape(name) + "_.*_(amd64|all).deb$", f):
            return os.path.join(directory, f)
    raise Failure("no package %s in %s" % (name, directory))


def readme():
    """The commands of its section on installation. The box has no way out, so what the packages depend on is
    there before, and nothing is updated: test_readme.py is where all of it is followed."""
    with open("README.md") as f:
        section = f.read().split("\n## Install\n")[1].split("\n## ")[0]
    lines = [line for block in section.split("```\n")[1::2] for line in block.splitlines() if line.strip()]
    return [c for c in (line.split("   #")[0].rstrip() for line in lines) if c != "apt update"]


@world("package")
def package(net, _users):
    w = Box(net)
    w.end = w.stop
    return w


@case("package", alone=True)
def a_installed_as_the_readme_says(w):
    commands = readme()
    check(commands[0].startswith("apt install"), "the first of them installs", commands)
    w.shell(commands[0])
    s = w.running()
    check(s["UnitFileState"] == "enabled", "starts with the machine", s)
    for c in commands[1:]:
        w.shell(c)
    status = w.status()
    off = [x for x in status["sensors"] if not x["on"]]
    check(not off, "every sensor is on", off)
    check(status["kept_while_dead"], "hooks stay on over a restart", status["kept_reason"])
    geo = w.shell("outergate status")
    check("/var/lib/outergate/geo/country.mmdb" in geo, "the database of countries is in use", geo)
    w.pid = s["MainPID"]


@case("package", alone=True)
def b_a_login_is_told_in_the_journal(w):
    Client(w.net, OUTSIDE).guess("alice", BOX, 6)
    w.log_in(check_rc=0)
    wait_for("an alert is in the store", lambda: w.alerts("auth.bruteforce_success"), 20, 0.3)
    told = w.shell("journalctl -t outergate -x --no-pager OUTERGATE_DETECTION=auth.bruteforce_success")
    check("alice" in told and OUTSIDE in told, "the sentence", told)
    check("Triage:" in told and "Contain:" in told, "and the catalog's words", told)
    check("Main process exited" not in w.shell("journalctl -u outergate --no-pager"), "it lives")


@case("package", alone=True)
def c_has_what_it_needs_and_no_more(w):
    text = w.shell("for p in $(pgrep -x outergate); do grep -E '^(Uid|CapEff|CapBnd|NoNewPrivs|Seccomp):' "
                   "/proc/$p/status; done")
    rows = re.findall(r"Uid:\s+(\d+).*?CapEff:\s+(\w+).*?CapBnd:\s+(\w+).*?NoNewPrivs:\s+(\d).*?"
                      r"Seccomp:\s+(\d)", text, re.S)
    check(len(rows) == 2, "two halves", text)
    parent = next(r for r in rows if r[0] == "0")
    child = next(r for r in rows if r[0] != "0")
    unit = w.shell("systemctl show -p CapabilityBoundingSet --value outergate").upper().split()
    # That one is for its start.
    check(bin(int(parent[1], 16)).count("1") == len(set(unit) - {"CAP_DAC_OVERRIDE"}), "the parent: the unit's",
          (parent, unit))
    check(int(child[1], 16) == 0, "the child: none", child)
    check(parent[3:] == ("1", "2") and child[3:] == ("1", "2"), "no new privileges, seccomp", rows)


@case("package", alone=True)
def c_without_a_network_it_sees_the_same(w):
    """The drop-in that the unit describes, as it stands there."""
    unit = w.shell("cat /lib/systemd/system/outergate.service")
    lines = re.search(r"may add:\n((?:#   .*\n)+)", unit).group(1).replace("#   ", "")
    check(lines.startswith("[Service]\nPrivateNetwork=yes\n"), "what it describes", lines)
    w.shell("mkdir -p /run/systemd/system/outergate.service.d && cat > /run/systemd/system/outergate.service.d/t.conf "
            "<<'X'\n%sX\nsystemctl daemon-reload && systemctl restart outergate" % lines)
    w.running()
    off = [x for x in w.status()["sensors"] if not x["on"]]
    check(not off, "every sensor is on", off)
    before = len(w.sessions())
    w.log_in(check_rc=0)
    wait_for("a login is seen", lambda: len(w.sessions()) > before, 10)
    last = w.sessions()[0]
    check(last["account"] == "alice" and last["origin"]["address"] == OUTSIDE and last["method"] == "password",
          "whose it is", last)
    w.shell("rm -r /run/systemd/system/outergate.service.d && systemctl daemon-reload && systemctl restart outergate")
    w.running()


@case("package", alone=True)
def d_the_manual_and_completion(w):
    for page in ("man8/outergate.8.gz", "man5/outergate.yaml.5.gz"):
        check(".SH NAME" in w.shell("zcat /usr/share/man/" + page), page)
    words = w.shell("COMP_WORDS=(outergate sta) COMP_CWORD=1; source /usr/share/bash-completion/bash_completion; "
                    "source /usr/share/bash-completion/completions/outergate; _outergate outergate sta; "
                    "echo ${COMPREPLY[*]}").split()
    check(words == ["status"], "a command", words)
    words = w.shell("COMP_WORDS=(outergate run --j) COMP_CWORD=2; "
                    "source /usr/share/bash-completion/completions/outergate; _outergate outergate; "
                    "echo ${COMPREPLY[*]}").split()
    check(words == ["--json"], "an option", words)


LISTEN = """
import socket, sys
s = socket.create_server(("10.20.0.2", 5514))
while True:
    c, _ = s.accept()
    while True:
        data = c.recv(65536)
        if not data:
            break
        with open(sys.argv[1], "ab") as f:
            f.write(data)
"""


@case("package", alone=True)
def d_what_a_collector_is_sent(w):
    got = os.path.join(w.systemd.dir, "collector")
    listener = subprocess.Popen(w.net.inside_ns(w.net.inside, ["/usr/bin/python3", "-c", LISTEN, got]))
    w.shell("cp /etc/outergate/outergate.yaml kept && sed -i 's|^Forwarders: .*|Forwarders: [{name: siem, kind: "
            "syslog, url: \"tcp://10.20.0.2:5514\", send: [alerts, sessions]}]|' /etc/outergate/outergate.yaml && "
            "outergate check && systemctl restart outergate")
    w.running()
    owner = w.shell("ps -o user:32= -C outergate-forward").split()
    check(owner == ["outergate-forward"], "a process and a user of its own", owner)
    w.log_in(check_rc=0)

    def sent():
        if not os.path.exists(got):
            return False
        with open(got, "rb") as f:
            return b"alice" in f.read()
    wait_for(lambda: "the login is sent: %s" % w.shell("outergate status --format json"), sent, 30, 0.3)
    listener.kill()
    listener.wait()
    w.shell("cat kept > /etc/outergate/outergate.yaml && rm kept && systemctl restart outergate")
    w.running()


@case("package", alone=True)
def e_a_half_that_hangs_is_started_again(w):
    w.shell("mkdir -p /run/systemd/system/outergate.service.d && printf '[Service]\\nWatchdogSec=3\\n"
            "RestartSec=0\\n' > /run/systemd/system/outergate.service.d/t.conf && systemctl daemon-reload && "
            "systemctl restart outergate")
    pid = w.running()["MainPID"]
    time.sleep(8)
    check(w.state()["MainPID"] == pid, "while it lives it is left alone", w.state())
    w.shell("pkill -STOP -x -u outergate outergate")

    def again():
        s = w.state()
        return s["MainPID"] not in ("0", pid) and s["SubState"] == "running"
    wait_for(lambda: "another one runs: %s" % w.state(), again, 60, 0.3)
    log = w.shell("journalctl -u outergate --no-pager")
    check("Watchdog timeout" in log, "and why", log[-1500:])
    w.shell("rm -r /run/systemd/system/outergate.service.d && systemctl daemon-reload && "
            "systemctl restart outergate")
    w.running()


@case("package", alone=True)
def f_an_upgrade_keeps_what_was_changed(w):
    w.shell("printf '\\n# changed here\\n' >> /etc/outergate/outergate.yaml && systemctl restart outergate")
    pid = w.running()["MainPID"]
    before = len(w.alerts("auth.bruteforce_success"))
    w.shell("apt install -y -o Dpkg::Options::=--force-confold ./" + os.path.basename(deb(NEW, "outergate")))
    s = w.running()
    check(s["MainPID"] != pid, "the new one runs", s)
    check("100.0.0" in w.shell("dpkg-query -W outergate"), "its version")
    config = w.shell("cat /etc/outergate/outergate.yaml")
    check(config.endswith("# changed here\n") and "of a newer version" not in config, "the configuration",
          config[-200:])
    check("of a newer version" in w.shell("cat /etc/outergate/outergate.yaml.dpkg-dist"), "the new one is beside it")
    check(len(w.alerts("auth.bruteforce_success")) == before > 0, "the store")
    w.log_in(check_rc=0)
    wait_for("a login is seen", lambda: len(json.loads(
        w.shell("outergate sessions --format json | tail -1"))) > 0, 10)


@case("package", alone=True)
def g_a_downgrade(w):
    w.shell("apt install -y --allow-downgrades -o Dpkg::Options::=--force-confold ./" + os.path.basename(deb(OLD, "outergate")))
    w.running()
    check("100.0.0" not in w.shell("dpkg-query -W outergate"), "the version")
    check(w.shell("cat /etc/outergate/outergate.yaml").endswith("# changed here\n"), "the configuration")
    check(w.alerts("auth.bruteforce_success"), "the store")


@case("package", alone=True)
def h_removed_and_there_again(w):
    check("outergate" in w.shell("ls /sys/fs/bpf"), "hooks are on")
    w.shell("apt remove -y outergate")
    check(w.state()["ActiveState"] == "inactive", "no service", w.state())
    check(not w.shell("pgrep -x outergate; true"), "no process")
    check(not w.shell("ls /sys/fs/bpf/outergate/* 2>/dev/null; true"), "no hooks",
          w.shell("find /sys/fs/bpf"))
    check("changed here" in w.shell("cat /etc/outergate/outergate.yaml"), "the configuration stays")
    w.shell("apt install -y ./" + os.path.basename(deb(OLD, "outergate")))
    w.running()
    check(w.alerts("auth.bruteforce_success"), "the store stayed")


@case("package", alone=True)
def i_purged(w):
    w.shell("apt purge -y outergate outergate-geo")
    left = sorted(w.files() - w.before)
    check(not left, "nothing is left", left)
    check("outergate" not in w.shell("cat /etc/passwd /etc/group"), "no user")
    check(not w.shell("ls -d /run/outergate /sys/fs/bpf/outergate 2>/dev/null; true"), "nothing at run time",
          w.shell("ls -d /run/outergate /sys/fs/bpf/outergate/* 2>/dev/null; true"))
    check("outergate" not in w.shell("systemctl list-unit-files"), "no unit")
