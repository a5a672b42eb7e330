"""The README's section on installation, word for word, in a booted Debian that was bootstrapped and nothing
else: from the packages to the first alert within five minutes, what they depend on fetched meanwhile.

Nothing is prepared but what that host would have anyway: somebody who may log in, a running sshd as Debian
configures it, and a way to the archive. (tests/live/run.sh runs it, with LIVE_CASES=tests/packages.)
"""
import ctypes
import os
import re
import shutil
import socket
import threading
import time
import urllib.parse

from box import BOX, OLD, OUTSIDE, of_this_release
from cases import case, world
from harness import check
from sandbox import Failure, run, wait_for
from systemd import SUITE, Systemd

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
RELAY = "10.20.0.2"
MINUTES = 5
INTRUDER = "fail an ssh password six times, then log in"
PASSWORD = "Corr3ct-horse"


def section():
    with open("README.md") as f:
        return f.read().split("\n## Install\n")[1].split("\n## ")[0]


def blocks():
    """The commands before the intruder's sentence, and those after it."""
    parts = section().split(INTRUDER)
    if len(parts) != 2:
        raise Failure("the README does not say once: " + INTRUDER)
    return [[of_this_release(line.split("   #")[0].rstrip()) for block in re.findall(r"```\n(.*?)```", part, re.S)
             for line in block.splitlines() if line.strip()] for part in parts]


class Relay:
    """The archive, at an address behind the box: that has no other way out."""

    def __init__(self, net, host, port):
        self.to = (host, port)
        self.listener = None
        made = threading.Thread(target=self.listen, args=(net.inside, port))
        made.start()
        made.join()
        if not self.listener:
            raise Failure("no socket in the namespace of the archive's relay")
        threading.Thread(target=self.serve, daemon=True).start()

    def listen(self, ns, port):
        """A socket stays in the namespace where it was made; the thread that made it ends."""
        fd = os.open("/run/netns/" + ns, os.O_RDONLY | os.O_CLOEXEC)
        if LIBC.setns(fd, CLONE_NEWNET) == 0:
            self.listener = socket.create_server((RELAY, port))
        os.close(fd)

    def serve(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            try:
                far = socket.create_connection(self.to, 30)
            except OSError:
                near.close()
                continue
            far.settimeout(None)
            for a, b in ((near, far), (far, near)):
                threading.Thread(target=self.copy, args=(a, b), daemon=True).start()

    @staticmethod
    def copy(a, b):
        try:
            while True:
                data = a.recv(65536)
                if not data:
                    break
                b.sendall(data)
            b.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def stop(self):
        self.listener.close()


class Host:
    def __init__(self, net):
        self.net = net
        self.relay = None
        self.systemd = Systemd(net, self.prepare)
        self.systemd.like_a_host()

    def prepare(self, box):
        box.chroot("useradd", "-m", "-s", "/bin/bash", "alice")
        box.chroot("chpasswd", input=b"alice:%s\n" % PASSWORD.encode())
        box.chroot("systemctl", "enable", "ssh.service")
        with open(box.root + "/etc/apt/sources.list") as f:
            archive = urllib.parse.urlsplit(next(w for w in f.read().split() if "://" in w))
        port = archive.port or (443 if archive.scheme == "https" else 80)
        self.relay = Relay(self.net, archive.hostname, port)
        with open(box.root + "/etc/hosts", "w") as f:
            f.write("127.0.0.1 localhost\n%s %s\n" % (RELAY, archive.hostname))
        # As this machine trusts its archive; nothing else of it.
        told = run(["sh", "-c", "apt-config dump | grep -E '^Acquire::(Check-Valid-Until|Check-Date|https::)'"],
                   check=False).stdout
        with open(box.root + "/etc/apt/apt.conf.d/90machine", "wb") as f:
            f.write(told)
        for name in os.listdir(OLD):
            if name.endswith(("_amd64.deb", "_all.deb")):
                shutil.copy(os.path.join(OLD, name), box.root + "/root/")

    def shell(self, text):
        """As an administrator types it who has logged in as root, in the directory with the packages."""
        p = self.systemd.run("env", "-", "HOME=/root", "LC_ALL=C.UTF-8", "TERM=dumb",
                             "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                             "bash", "-c", "cd /root && " + text, check=False, timeout=400)
        out = p.stdout.decode(errors="replace")
        check(p.returncode == 0, "%s: exit %d" % (text, p.returncode), out[-1500:],
              p.stderr.decode(errors="replace")[-1500:])
        return out

    def type_password(self, password, prompts):
        """ssh as a person uses it: asked on a terminal, three times a connection."""
        ask = "/run/og/ask"
        with open(ask, "w") as f:
            f.write("#!/bin/sh\necho '%s'\n" % password)
        os.chmod(ask, 0o700)
        return run(self.net.inside_ns(self.net.ext, [
            "ssh", "-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
            "-o", "BindAddress=" + OUTSIDE, "-o", "PubkeyAuthentication=no",
            "-o", "NumberOfPasswordPrompts=%d" % prompts, "alice@" + BOX, "id"]), check=False,
            env=dict(os.environ, SSH_ASKPASS=ask, SSH_ASKPASS_REQUIRE="force"))

    def end(self):
        self.systemd.stop()
        self.relay.stop()


@world("followed")
def followed(net, _users):
    return Host(net)


@case("followed", alone=True)
def a_readme_followed_word_for_word(w):
    before, after = blocks()
    check(before[0].startswith("apt ") and after, "what is typed", before, after)
    w.net.address(OUTSIDE)
    start = time.monotonic()
    for c in before:
        print("%6.1f s  %s" % (time.monotonic() - start, c), flush=True)
        out = w.shell(c)
    check(" OFF " not in out.split("\nsources")[0], "status: every sensor is on", out)
    for _ in range(2):  # three prompts each, as a client has by default
        p = w.type_password("wr0ng", 3)
        check(p.returncode == 255 and b"denied" in p.stderr, "refused", repr(p))
    p = w.type_password(PASSWORD, 1)
    check(p.returncode == 0 and b"alice" in p.stdout, "logged in", repr(p))
    said = [wait_for("the alert: " + c, lambda c=c: told(w.shell(c)), 60, 0.3) for c in after]
    seconds = time.monotonic() - start
    print("%6.1f s  the first alert, on Debian's %s: %s" % (
        seconds, SUITE, next(line for line in said[0].splitlines() if "alice" in line)[:120]), flush=True)
    check(seconds < MINUTES * 60, "within %d minutes" % MINUTES, "%.0f s" % seconds)


def told(text):
    """What the guesses and the login are, in a command's own words."""
    return text if "alice" in text and OUTSIDE in text else None
