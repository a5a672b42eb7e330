"""A booted Debian that packages are put into, and which of them."""
import json
import os
import re
import shutil

from harness import Client
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
    tools = ["bash-completion"]

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
            if SUITE not in ("bullseye", "bookworm"):  # six failures would keep the client out
                f.write("PerSourcePenalties no\n")
        box.chroot("systemctl", "enable", "ssh.service")
        for directory in filter(None, (OLD, NEW)):
            for name in os.listdir(directory):
                if name.endswith((".deb", ".rpm")):
                    shutil.copy(os.path.join(directory, name), box.root + "/root/")
        shutil.copy("/etc/resolv.conf", box.root + "/etc/resolv.conf")
        wanted = run(["dpkg-deb", "-f", deb(OLD, "outergate"), "Depends"]).stdout.decode()
        names = [re.split(r"[ |]", d.strip())[0] for d in wanted.split(",")]
        quiet = dict(env={"PATH": os.environ["PATH"], "DEBIAN_FRONTEND": "noninteractive"}, timeout=300)
        # A mirror's copy of sid may be older than it says it is good for.
        old = ["-o", "Acquire::Check-Valid-Until=false"] if SUITE == "sid" else []
        box.chroot("apt-get", "-q", *old, "update", **quiet)
        box.chroot("apt-get", "-q", "install", "-y", "--no-install-recommends", *self.tools,
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


def of_this_release(command):
    """Debian 11's package has a version of its own."""
    return re.sub(r"outergate_[0-9.]+_amd64\.deb", os.path.basename(deb(OLD, "outergate")), command)
