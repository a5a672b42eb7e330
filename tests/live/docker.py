"""A real dockerd with its containerd and runc in the watched host's network: the distribution's own
packages, taken apart and installed nowhere. Skipped, never passed, where that cannot be had."""
import glob
import os
import subprocess
import threading

from sandbox import TMP, Skip, chrooted, run, wait_for

CACHE = os.path.join(os.environ.get("BUILD", "build"), "docker")
lock = threading.Lock()

# Between containerd and runc: a machine whose root lacks a capability cannot give it away.
RUNTIME = r"""#!/usr/bin/python3 -B
import json, os, sys
with open("/proc/self/status") as f:
    have = int([x for x in f.read().splitlines() if x.startswith("CapBnd")][0].split()[1], 16)
def strip(path, inside):
    with open(path) as f: spec = json.load(f)
    p = spec.get("process", {}) if inside else spec
    if not have >> 24 & 1:
        for k, v in (p.get("capabilities") or {}).items():
            p["capabilities"][k] = [c for c in v if c != "CAP_SYS_RESOURCE"]
        if p.get("oomScoreAdj", 0) < 0: p["oomScoreAdj"] = 0
        p.pop("rlimits", None)
    with open(path, "w") as f: json.dump(spec, f)
a = sys.argv
for i, x in enumerate(a):
    if x in ("--bundle", "-b") and i + 1 < len(a): strip(a[i + 1] + "/config.json", True)
    if x in ("--process", "-p") and i + 1 < len(a) and "exec" in a: strip(a[i + 1], False)
os.execv("/usr/sbin/runc", ["runc"] + a[1:])
"""


def fetched():
    """The directory of its programs."""
    root = os.path.abspath(CACHE)
    with lock:
        if not os.path.exists(root + "/x/.complete"):
            os.makedirs(root, exist_ok=True)
            apt = ["apt-get", "-q", "-o", "APT::Sandbox::User=root"]
            got = run(apt + ["download", "docker.io", "containerd"], check=False, timeout=300,
                      cwd=root)
            debs = glob.glob(root + "/*.deb")
            if got.returncode or len(debs) < 2:
                raise Skip("docker.io and containerd cannot be fetched: %s" % got.stderr[-200:])
            for deb in debs:
                run(["dpkg", "-x", deb, root + "/x"])
                os.unlink(deb)
            open(root + "/x/.complete", "w").close()
    return root + "/x/usr/bin", root + "/x/usr/sbin"


class Docker:
    """listen: addresses like tcp://0.0.0.0:2375 beside the socket of the host's own clients.
    bridge: the address of a network of its own, else containers have none."""

    def __init__(self, w, name, listen=(), options=(), bridge=None):
        if chrooted():
            raise Skip("no container can be run below a chroot")
        bins = fetched()
        at = self.at = "%s/docker-%s" % (TMP, name)
        os.makedirs(at + "/empty")
        self.path = ":".join(bins) + ":/usr/sbin:/usr/bin:/sbin:/bin"
        self.socket = at + "/docker.sock"
        self.w = w
        with open(at + "/runtime", "w") as f:
            f.write(RUNTIME)
        os.chmod(at + "/runtime", 0o755)
        self.log = open(at + "/log", "w+")
        argv = ["dockerd", "-H", "unix://" + self.socket, "--data-root", at + "/data",
                "--exec-root", at + "/exec", "--pidfile", at + "/pid", "--storage-driver", "vfs",
                "--iptables=false", "--ip6tables=false",
                "--bip=" + bridge if bridge else "--bridge=none", "--add-runtime",
                "here=%s/runtime" % at, "--default-runtime", "here", *options]
        for l in listen:
            argv += ["-H", l]
        if listen and not options:
            argv.append("--tls=false")
        self.env = {"PATH": self.path, "HOME": at, "DOCKER_HOST": "unix://" + self.socket}
        # A namespace of its own for what it mounts; cgroups as the machine has them.
        self.proc = subprocess.Popen(w.net.inside_ns(w.net.srv, argv), env=self.env,
                                     stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        wait_for(lambda: "dockerd: " + self.said(), self.ready, 40)

    def said(self):
        with open(self.at + "/log") as f:
            return f.read()[-1500:]

    def ready(self):
        if self.proc.poll() is not None:
            raise Skip("dockerd does not run here: " + self.said()[-400:])
        return os.path.exists(self.socket) and self.cli("version", check=False).returncode == 0

    def cli(self, *argv, **how):
        return run(self.w.net.inside_ns(self.w.net.srv, ["docker", *argv]), env=self.env, **how)

    def image(self, name="bb", *changes):
        """A root with busybox in it and nothing else. changes: like 'CMD ["id"]'."""
        root = self.at + "/image"
        if not os.path.exists(root):
            os.makedirs(root + "/bin")
            os.makedirs(root + "/tmp")
            run(["cp", "/usr/bin/busybox" if os.path.exists("/usr/bin/busybox") else
                 "/bin/busybox", root + "/bin/busybox"])
            for tool in ("sh", "sleep", "echo", "id", "cat", "nc", "wget", "true", "mkdir"):
                os.symlink("busybox", root + "/bin/" + tool)
        changes = [x for c in changes for x in ("--change", c)]
        run(["sh", "-c", 'tar -C "$0" -c . | docker import "$@"', root, *changes, "-", name],
            env=self.env)
        return name

    def stop(self):
        left = self.cli("ps", "-aq", check=False).stdout.split()
        if left:
            self.cli("rm", "-f", *[x.decode() for x in left], check=False)
        self.proc.terminate()
        try:
            self.proc.wait(20)
        except subprocess.TimeoutExpired:
            self.proc.kill()
            self.proc.wait(10)
        for path in glob.glob("/sys/fs/cgroup/*/docker") + glob.glob("/sys/fs/cgroup/docker"):
            run(["rmdir", path], check=False)
