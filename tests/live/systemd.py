"""A real systemd as PID 1 of namespaces of its own, in the watched host's network: bookworm's own
packages (or BOX_SUITE's), bootstrapped once into $BUILD/systemd and overlaid afresh for each run.
Skipped, never passed, where that cannot be had."""
import os
import subprocess

from sandbox import TMP, Skip, chrooted, mount, run, wait_for

CACHE = os.path.join(os.environ.get("BUILD", "build"), "systemd")
SUITE = os.environ.get("BOX_SUITE", "bookworm")
PACKAGES = ("systemd,systemd-sysv,dbus,dbus-user-session,iproute2,procps,libpam-systemd,"
            "openssh-server,openssh-client,cron,at,tmux,ca-certificates")
ARCHIVE = ("apt-get indextargets --format '$(CREATED_BY) $(ORIGIN) $(REPO_URI) $(RELEASE) "
           "$(COMPONENT)' | awk '$1 == \"Packages\" && $2 == \"Debian\" && $4 == \"bookworm\" && "
           "$5 == \"main\" {print $3; exit}'")

# What an initial RAM disk does. The console is /dev/null of its own: systemd changes its mode.
BOOT = r"""
set -e
R=$1
mount -t proc proc $R/proc
mount -t sysfs sysfs $R/sys
mount -t cgroup2 cgroup2 $R/sys/fs/cgroup
mount -t tmpfs -o mode=0755 tmpfs $R/run
mount -t tmpfs -o mode=0755 tmpfs $R/dev
for n in "null 3" "zero 5" "full 7" "random 8" "urandom 9"; do
	set -- $n
	mknod -m 0666 $R/dev/$1 c 1 $2
done
mknod -m 0666 $R/dev/tty c 5 0
mknod -m 0600 $R/dev/console c 1 3
mkdir $R/dev/pts $R/dev/shm
mount -t devpts -o newinstance,gid=5,mode=620,ptmxmode=666 devpts $R/dev/pts
mount -t tmpfs tmpfs $R/dev/shm
ln -s pts/ptmx $R/dev/ptmx
ln -s /proc/self/fd $R/dev/fd
ln -s /proc/self/fd/0 $R/dev/stdin
ln -s /proc/self/fd/1 $R/dev/stdout
ln -s /proc/self/fd/2 $R/dev/stderr
cd $R
mkdir -p .old
pivot_root . .old
umount -l /.old
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	/lib/systemd/systemd --system --show-status=no --log-target=journal
"""


def tree():
    """The bootstrapped root; made once."""
    root = os.path.abspath(CACHE) + ("/root" if SUITE == "bookworm" else "/" + SUITE)
    if os.path.exists(root + "/.complete"):
        return root
    if run(["sh", "-c", "command -v debootstrap"], check=False).returncode:
        run(["apt-get", "install", "-y", "-q", "--no-install-recommends", "debootstrap"],
            check=False, timeout=300, env=dict(os.environ, DEBIAN_FRONTEND="noninteractive"))
    mirror = run(["sh", "-c", ARCHIVE]).stdout.decode().strip()
    if not mirror or run(["sh", "-c", "command -v debootstrap"], check=False).returncode:
        raise Skip("no debootstrap, or no archive of bookworm in this machine's apt")
    run(["rm", "-rf", "--one-file-system", root])
    os.makedirs(root)
    p = run(["debootstrap", "--variant=minbase", "--include=" + PACKAGES, SUITE, root,
             mirror], check=False, timeout=900)
    if p.returncode:
        raise Skip("%s cannot be bootstrapped: %r" % (SUITE, p.stdout[-300:]))
    open(root + "/.complete", "w").close()
    return root


def cgroup2():
    with open("/proc/self/mountinfo") as f:
        for line in f:
            words = line.split()
            if " - cgroup2 " in line and words[3] == "/":
                return words[4]
    raise Skip("no cgroup2 hierarchy")


class Systemd:
    """One boot. prepare(root) may change the overlay before."""

    count = 0

    def __init__(self, net, prepare):
        if chrooted():
            raise Skip("no system can be booted below a chroot")
        lower = tree()
        Systemd.count += 1
        self.dir = TMP + "/systemd" + (str(Systemd.count) if Systemd.count > 1 else "")
        self.root = self.dir + "/root"
        # A file system of its own: an overlay cannot have its upper on every kind.
        os.makedirs(self.dir)
        mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", self.dir)
        for d in ("up", "work", "root"):
            os.mkdir(self.dir + "/" + d)
        mount("-t", "overlay", "overlay", "-o", "lowerdir=%s,upperdir=%s/up,workdir=%s/work" %
              (lower, self.dir, self.dir), self.root)
        open(self.root + "/etc/machine-id", "w").close()
        os.symlink("/dev/null", self.root + "/etc/systemd/system/console-getty.service")
        prepare(self)
        self.cgroup = "%s/og-systemd-%d" % (cgroup2(), os.getpid())
        os.mkdir(self.cgroup)
        self.proc = subprocess.Popen(
            ["sh", "-c", "echo $$ > %s/cgroup.procs; exec nsenter --net=/run/netns/%s unshare -m -p "
             "-u -i -C --fork --kill-child --propagation private bash -c \"$BOOT\" boot %s" %
             (self.cgroup, net.srv, self.root)], stdin=subprocess.DEVNULL,
            stdout=open(self.dir + "/out", "w"), stderr=subprocess.STDOUT,
            env=dict(os.environ, BOOT=BOOT))
        self.pid = wait_for("PID 1", self.init)
        wait_for(lambda: "systemd has started: " + self.out(), self.up, 60, 0.3)

    def out(self):
        with open(self.dir + "/out") as f:
            return f.read()[-800:]

    def init(self):
        path = "/proc/%d/task/%d/children" % (self.proc.pid, self.proc.pid)
        try:
            with open(path) as f:
                words = f.read().split()
        except OSError:
            return None
        return int(words[0]) if words else None

    def up(self):
        said = self.run("systemctl", "is-system-running", check=False).stdout.strip()
        return said in (b"running", b"degraded")

    def inside(self, *argv):
        return ["nsenter", "-t", str(self.pid), "-m", "-p", "-u", "-i", "-n", "-C", *argv]

    def run(self, *argv, **how):
        """As root of that machine, in no session."""
        return run(self.inside(*argv), **how)

    def like_a_host(self):
        """What systemd mounts where it is in no container, and the root of cgroup2: the box's own mount begins
        at the box's group, where hooks would see no other."""
        self.run("mount", "-t", "bpf", "bpf", "/sys/fs/bpf")
        run(["nsenter", "-t", str(self.pid), "-m", "--", "mount", "-t", "cgroup2", "cgroup2", "/mnt"])

    def chroot(self, *argv, **how):
        """Before it boots."""
        return run(["chroot", self.root, *argv], **how)

    def stop(self):
        self.proc.kill()
        self.proc.wait(10)
        wait_for("its cgroups are empty", self.swept, 15, 0.2)

    def swept(self):
        """Removes them from the leaves up."""
        for path, _, _ in os.walk(self.cgroup, topdown=False):
            try:
                os.rmdir(path)
            except OSError:
                pass
        return not os.path.exists(self.cgroup)
