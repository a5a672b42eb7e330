"""A real podman with conmon and runc: the distribution's own packages, taken apart and installed
nowhere. Skipped, never passed, where that cannot be had."""
import glob
import os
import threading

from sandbox import TMP, Skip, chrooted, run

CACHE = os.path.join(os.environ.get("BUILD", "build"), "podman")
PACKAGES = ("podman", "conmon", "golang-github-containers-common",
            "golang-github-containers-image", "libsubid4", "libgpgme11", "libassuan0")
lock = threading.Lock()

CONF = """[containers]
cgroups = "no-conmon"
default_ulimits = []
[engine]
cgroup_manager = "cgroupfs"
conmon_path = ["%(x)s/usr/bin/conmon"]
runtime = "runc"
events_logger = "none"
[engine.runtimes]
runc = ["/usr/sbin/runc"]
"""


def fetched():
    root = os.path.abspath(CACHE)
    with lock:
        if not os.path.exists(root + "/x/.complete"):
            os.makedirs(root, exist_ok=True)
            got = run(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", *PACKAGES],
                      check=False, timeout=300, cwd=root)
            debs = glob.glob(root + "/*.deb")
            if got.returncode or len(debs) < len(PACKAGES):
                raise Skip("podman cannot be fetched: %s" % got.stderr[-200:])
            for deb in debs:
                run(["dpkg", "-x", deb, root + "/x"])
                os.unlink(deb)
            open(root + "/x/.complete", "w").close()
    return root + "/x"


class Podman:
    def __init__(self, w, name):
        if chrooted():
            raise Skip("no container can be run below a chroot")
        if not os.path.exists("/usr/sbin/runc"):
            raise Skip("no runc here")
        x = fetched()
        self.w = w
        self.at = "%s/podman-%s" % (TMP, name)
        os.makedirs(self.at + "/rootfs/bin")
        os.makedirs(self.at + "/rootfs/proc")
        run(["cp", "/usr/bin/busybox" if os.path.exists("/usr/bin/busybox") else "/bin/busybox",
             self.at + "/rootfs/bin/busybox"])
        for tool in ("sh", "sleep", "echo", "nc"):
            os.symlink("busybox", self.at + "/rootfs/bin/" + tool)
        with open(self.at + "/containers.conf", "w") as f:
            f.write(CONF % {"x": x})
        lib = "/usr/lib/x86_64-linux-gnu"
        self.env = {"PATH": "%s/usr/bin:/usr/sbin:/usr/bin:/sbin:/bin" % x, "HOME": self.at,
                    "CONTAINERS_CONF": self.at + "/containers.conf",
                    "LD_LIBRARY_PATH": "%s%s:%s%s" % (x, lib, x, lib[4:])}
        self.argv = ["podman", "--root", self.at + "/root", "--runroot", self.at + "/run",
                     "--storage-driver", "vfs"]

    def words(self, *more):
        """For a shell."""
        return " ".join(["env", *("%s=%s" % kv for kv in self.env.items()), *self.argv, *more])

    def run_words(self, name, *command):
        return self.words("run", "-d", "--name", name, "--net=none", "--log-driver=none",
                          "--security-opt", "seccomp=unconfined", "--rootfs", self.at + "/rootfs",
                          *command)
