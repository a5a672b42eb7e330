"""What stands in a container's place of libpam is its owner's to choose: nothing of it harms."""
import ctypes
import json
import os
import shutil
import subprocess
import sys

from cases import case
from harness import Agent, Client, Sshd, check
from sandbox import TMP, Skip, run, wait_for
from test_c_main_job import PASSWORD, place
from test_f_restart import other_libpam

LIBC = ctypes.CDLL(None, use_errno=True)

# a daemon called sshd that listens in a root of its own
LISTENER = """import os, socket, sys
s = socket.socket(); open('/proc/self/comm', 'w').write('sshd')
os.chroot(sys.argv[1]); os.chdir('/')
s.bind(('127.0.0.1', 0)); s.listen()
print('ready', flush=True); sys.stdin.read()"""

# an unprivileged user who is root of a namespace of their own, with many roots
MANY = """import os, socket, sys, time
for i in range(int(sys.argv[2])):
    if os.fork() == 0:
        s = socket.socket(); os.chroot('%s/%d' % (sys.argv[1], i))
        s.bind(('127.0.0.1', 0)); s.listen(); time.sleep(60); os._exit(0)
    time.sleep(0.04)
print('ready', flush=True); sys.stdin.read()"""


def hangs(root):
    """A file system that never answers."""
    if not os.path.exists("/dev/fuse"):
        run(["mknod", "-m", "0600", "/dev/fuse", "c", "10", "229"])
    fd = os.open("/dev/fuse", os.O_RDWR)
    options = "fd=%d,rootmode=40000,user_id=0,group_id=0" % fd
    check(LIBC.mount(b"none", root.encode(), b"fuse", 0, options.encode()) == 0,
          "mount: " + os.strerror(ctypes.get_errno()))
    return fd


def crafted(lib, what):
    if what == "fifo":
        os.mkfifo(lib)
    elif what == "shadow":
        os.symlink("/../../../etc/shadow", lib)
    elif what == "device":
        run(["mknod", lib, "c", "1", "5"])
    elif what == "directory":
        os.mkdir(lib)
    elif what == "loop":
        os.symlink(lib, lib)
    elif what == "empty":
        open(lib, "w").close()
    elif what == "sparse":
        with open(lib, "wb") as f:
            f.write(b"\x7fELF\x02\x01\x01")
            f.truncate(1 << 40)
    else:  # a header that points far outside; every field full of ones
        real = run(["sh", "-c", "ldconfig -p | sed -n 's/.*libpam.so.0 .*=> //p' | head -1"])
        data = bytearray(open(real.stdout.decode().strip(), "rb").read())
        if what == "cut":
            data = data[:len(data) // 2]
        else:
            data[24:64] = b"\xff" * 40
        with open(lib, "wb") as f:
            f.write(data)


def listen_in(w, root):
    p = subprocess.Popen(w.net.inside_ns(w.net.srv, [sys.executable, "-c", LISTENER, root]),
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    check(p.stdout.readline() == b"ready\n", "the listener in " + root)
    return p


@case("restart", alone=True)
def crafted_libpams_harm_nothing(w):
    name, _ = w.users.add("crafted")
    agent = w.agent = Agent("crafted", "", journal=False).start()
    family = agent.family()
    listeners = []
    for what in ("fifo", "shadow", "device", "directory", "loop", "empty", "sparse", "cut", "ones"):
        root = TMP + "/crafted-" + what
        for d in ("lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"):
            os.makedirs("%s/%s" % (root, d))
            crafted("%s/%s/libpam.so.0" % (root, d), what)
        listeners.append(listen_in(w, root))
    root = TMP + "/crafted-fuse"
    mounts = [root + "/" + d for d in ("lib", "usr/lib")]
    for d in mounts:
        os.makedirs(d)
    fuse = [hangs(d) for d in mounts]
    listeners.append(listen_in(w, root))
    c = Client(w.net, place(w))
    c.ssh(name, w.server, "/bin/echo unharmed", password=PASSWORD, check_rc=0)
    agent.session(account=name, method="password", timeout=20,
                  test=lambda s: "unharmed" in json.dumps(s))
    status = agent.status()
    check(all(s["on"] for s in status["sensors"]), "every sensor is on", status["sensors"])
    check(agent.family() == family, "the same processes as before", agent.family(), family)
    for fd in fuse:
        os.close(fd)
    for p in listeners:
        p.kill()
        p.wait(30)
    run(["umount", "-l"] + mounts, check=False)
    agent.stop()


# root makes a namespace with mapped ids, as a container runtime does, and its root listens
MAPPED = """import ctypes, os, socket, sys
libc = ctypes.CDLL(None); go, done = os.pipe(), os.pipe()
if os.fork() == 0:
    s = socket.socket(); open('/proc/self/comm', 'w').write('sshd')
    assert libc.unshare(0x10000000) == 0
    os.write(done[1], b'x'); os.read(go[0], 1)
    os.setgid(0); os.setuid(0); os.chroot(sys.argv[1])
    s.bind(('127.0.0.1', 0)); s.listen()
    print('ready', flush=True); sys.stdin.read(); os._exit(0)
os.read(done[0], 1)
child = open('/proc/thread-self/children').read().split()[0]
for kind in ('uid', 'gid'): open('/proc/%s/%s_map' % (child, kind), 'w').write('0 100000 65536')
os.write(go[1], b'x'); os.wait()"""


@case("restart", alone=True)
def mapped_ids_are_looked_at(w):
    """A container's root is not this host's, and its libpam is not root's: seen before and after
    the agent starts."""
    if run(["unshare", "-r", "true"], check=False).returncode:
        raise Skip("no user namespace can be made here (a chroot)")
    real = run(["sh", "-c", "readlink -f $(ldconfig -p | sed -n 's/.*libpam.so.0 .*=> //p' | "
                "head -1)"]).stdout.decode().strip()

    def contain(name):
        root = TMP + "/mapped-" + name
        lib = root + "/lib/x86_64-linux-gnu"
        os.makedirs(lib)
        shutil.copy(real, lib + "/libpam.so.0")
        run(["chown", "-R", "100000:100000", root])
        p = subprocess.Popen(w.net.inside_ns(w.net.srv, [sys.executable, "-c", MAPPED, root]),
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        check(p.stdout.readline() == b"ready\n", "the listener of mapped ids")
        return p
    plain = w.agent = Agent("plain", "", journal=False).start()
    known = plain.status()["libpam_attached"]
    plain.stop()
    before = contain("before")
    agent = w.agent = Agent("mapped", "", journal=False).start()
    wait_for("the libpam of the container that was there",
             lambda: agent.status()["libpam_attached"] == known + 1)
    after = contain("after")
    wait_for("the libpam of the container that came",
             lambda: agent.status()["libpam_attached"] == known + 2)
    for p in (before, after):
        p.stdin.close()
        p.wait(30)
    agent.stop()


@case("restart", alone=True)
def crowd_of_roots_hides_none(w):
    """A user's own namespace, with more roots and libpams than the agent has places for."""
    name, _ = w.users.add("roots")
    victim, _ = w.users.add("rootsvic")
    if run(["unshare", "-r", "true"], check=False).returncode:
        raise Skip("no user namespace can be made here (a chroot)")
    n = w.slice()
    agent = w.agent = Agent("roots", "", journal=False).start()
    at = "/home/%s/roots" % name
    real = run(["sh", "-c", "readlink -f $(ldconfig -p | sed -n 's/.*libpam.so.0 .*=> //p' | "
                "head -1)"]).stdout.decode().strip()
    for i in range(150):
        lib = "%s/%d/lib/x86_64-linux-gnu" % (at, i)
        os.makedirs(lib)
        shutil.copy(real, lib + "/libpam.so.0")
    run(["chown", "-R", name, at])
    p = subprocess.Popen(w.net.inside_ns(w.net.srv, [
        "setpriv", "--reuid", name, "--clear-groups", "unshare", "-r", sys.executable, "-c", MANY,
        at, "150"]), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    check(p.stdout.readline() == b"ready\n", "the crowd")
    Sshd(w.net, w.net.srv, ["192.0.2.%d" % n], env=other_libpam("roots"))
    c = Client(w.net, w.outside(n))
    wait_for("a login told in full", lambda: c.ssh(
        victim, "192.0.2.%d" % n, "/bin/true", password=PASSWORD).returncode == 0 and [
            s for s in agent.sessions(account=victim) if s.get("method") == "password"], 30)
    run(["pkill", "-KILL", "-u", name], check=False)
    p.wait(30)
    agent.stop()
