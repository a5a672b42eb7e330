"""One pod of a rendered manifest, run as kubelet and runc would on the watched "host" (tests/live's private mounts
and network namespaces): the image's root, exactly its capabilities, its mounts, its namespaces, its memory limit, the
runtime's default seccomp profile for those capabilities. Only process 1 is not: see HOST_ROOT."""
import json
import os
import shutil
import subprocess

import manifests
from harness import Agent, check
from sandbox import TMP, Skip, chrooted, mount, run, wait_for

IMAGE = os.environ.get("IMAGE_BUNDLE", "")
RENDERED = os.environ.get("IMAGE_RENDERED", "")
PROFILE = "/usr/share/containers/seccomp.json"  # of the package golang-github-containers-common
# Process 1 is outside of the private mounts that are this host; this process is inside.
HOST_ROOT = "/proc/%d/root" % os.getpid()
NODE = "node-7"


def cap_names(security):
    return ["CAP_" + c for c in security["capabilities"]["add"]]


def seccomp(caps):
    """The runtime's default, resolved for these capabilities and this machine as runtimes do."""
    with open(PROFILE) as f:
        p = json.load(f)
    arch = {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine]
    rows = []
    for s in p["syscalls"]:
        inc, exc = s.get("includes") or {}, s.get("excludes") or {}
        if inc.get("caps") and not set(inc["caps"]) <= set(caps) or set(exc.get("caps", [])) & set(caps):
            continue
        if inc.get("arches") and arch not in inc["arches"] or arch in exc.get("arches", []):
            continue
        rows.append({k: s[k] for k in ("names", "action", "args", "errnoRet") if s.get(k)})
    own = "SCMP_ARCH_" + os.uname().machine.upper()
    archs = [own] + next((a["subArchitectures"] for a in p["archMap"] if a["architecture"] == own), [])
    return {"defaultAction": p["defaultAction"], "defaultErrnoRet": p.get("defaultErrnoRet", 1),
            "architectures": archs, "syscalls": rows}


def memory_of(text):
    units = {"Mi": 1 << 20, "Gi": 1 << 30}
    return int(text[:-2]) * units[text[-2:]]


class ConfigMap:
    """A volume as kubelet makes it: files are links through ..data, which is exchanged by a rename."""

    def __init__(self, at, data):
        self.at, self.count = at, 0
        os.makedirs(at)
        self.put(data)
        for name in data:
            os.symlink("..data/" + name, "%s/%s" % (at, name))

    def put(self, data):
        self.data = dict(data)
        self.count += 1
        new = "..2026_%d" % self.count
        os.mkdir("%s/%s" % (self.at, new))
        for name, text in data.items():
            with open("%s/%s/%s" % (self.at, new, name), "w") as f:
                f.write(text)
        os.symlink(new, self.at + "/..data_tmp")
        os.rename(self.at + "/..data_tmp", self.at + "/..data")
        if self.count > 1:
            shutil.rmtree("%s/..2026_%d" % (self.at, self.count - 1))

    def edit(self, old, new):
        text = self.data["outergate.yaml"]
        check(old in text, "the ConfigMap has no %r" % old)
        self.put({"outergate.yaml": text.replace(old, new)})


class Pod(Agent):
    count = 0

    def __init__(self, overlay, drop=()):
        if chrooted():
            raise Skip("no container can be run below a chroot")
        for what in (PROFILE, "/usr/sbin/runc"):
            if not os.path.exists(what):
                raise Skip("no " + what)
        documents = manifests.rendered(RENDERED, overlay)
        self.spec = manifests.pod_of(documents)
        self.agent = self.spec["containers"][0]
        self.security = self.agent["securityContext"]
        self.caps = [c for c in cap_names(self.security) if c not in drop]
        Pod.count += 1
        self.name = "pod-%d-%s" % (Pod.count, overlay)
        self.dir = "%s/%s" % (TMP, self.name)
        self.starts, self.proc = 0, None
        self.store, self.config = "/var/lib/outergate/outergate.db", "/etc/outergate/outergate.yaml"
        os.makedirs(self.dir + "/empty")
        self.map = ConfigMap(self.dir + "/map", manifests.one(documents, "ConfigMap")["data"])
        with open(self.dir + "/config.json", "w") as f:
            json.dump(self.bundle(), f, indent=1)
        run(["cp", "-a", IMAGE, self.dir + "/rootfs"])

    def source(self, volume):
        """Where a volume is on the host, made as its type says."""
        if "configMap" in volume:
            return self.map.at
        if "emptyDir" in volume:
            return self.dir + "/empty"
        path, kind = volume["hostPath"]["path"], volume["hostPath"]["type"]
        if kind == "DirectoryOrCreate" and not os.path.isdir(path):
            os.makedirs(path, 0o755)
        check(os.path.isdir(path), "no directory %s on the host" % path)
        return path

    def mounts(self):
        volumes = {v["name"]: v for v in self.spec["volumes"]}
        return [{"destination": m["mountPath"], "type": "bind", "source": self.source(volumes[m["name"]]),
                 "options": ["rbind", "ro" if m.get("readOnly") else "rw", "rprivate"]}
                for m in self.agent["volumeMounts"]]

    def bundle(self):
        with open(os.path.dirname(IMAGE) + "/config.json") as f:
            c = json.load(f)
        namespaces = ["mount", "ipc", "uts", "cgroup"]
        namespaces += [] if self.spec.get("hostPID") else ["pid"]
        namespaces += [] if self.spec.get("hostNetwork") else ["network"]
        c["linux"]["namespaces"] = [{"type": t} for t in namespaces]
        c["linux"]["resources"]["memory"] = {"limit": memory_of(self.agent["resources"]["limits"]["memory"])}
        c["linux"]["seccomp"] = seccomp(self.caps)
        c["linux"]["cgroupsPath"] = "/og-%d-%s" % (os.getpid(), self.name)
        c["root"] = {"path": "rootfs", "readonly": bool(self.security.get("readOnlyRootFilesystem"))}
        c["hostname"] = "some-pod"
        c["mounts"] += self.mounts()
        entry = [a for a in c["process"]["args"] if a.startswith("/")]  # the image's own, and our args
        check(entry == ["/usr/bin/outergate"], "another entry point", entry)
        c["process"].update(
            terminal=False, args=entry + [a.replace("$(NODE_NAME)", NODE).replace("/proc/1/root", HOST_ROOT)
                                          for a in self.agent["args"]],
            noNewPrivileges=self.security["allowPrivilegeEscalation"] is False,
            user={"uid": self.security["runAsUser"], "gid": self.security["runAsGroup"]},
            # Containers get no ambient ones; runtimes fill these three.
            capabilities={k: self.caps for k in ("bounding", "effective", "permitted")})
        c["process"]["rlimits"] = [{"type": "RLIMIT_NOFILE", "hard": 4096, "soft": 4096}]
        return c

    def runc(self, *argv, **how):
        return run(["runc", "--root", self.dir + "/state", *argv], **how)

    def start(self, ready=30):
        self.starts += 1
        self.out, self.err = ("%s/%s-%d" % (self.dir, n, self.starts) for n in ("stdout", "stderr"))
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.proc = subprocess.Popen(["runc", "--root", self.dir + "/state", "run", "-b", self.dir, self.name],
                                         stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        if ready:
            wait_for(lambda: "the pod is ready; stderr: " + self.stderr(), self.probe, ready, 0.5)
        return self

    def probe(self):
        """The manifest's own probe."""
        check(self.proc.poll() is None, "the pod ended, exit %s" % self.proc.returncode, self.stderr())
        return self.runc("exec", self.name, *self.agent["readinessProbe"]["exec"]["command"],
                         check=False).returncode == 0

    def cli(self, *argv, check_rc=0):
        p = self.runc("exec", self.name, "/usr/bin/outergate", *argv, check=False)
        if check_rc is not None:
            check(p.returncode == check_rc, "outergate %s: exit %d" % (" ".join(argv), p.returncode),
                  repr(p.stderr[-500:]))
        return p

    def stop(self):
        if self.proc and self.proc.poll() is None:
            self.runc("kill", self.name, "TERM")
            check(self.proc.wait(self.spec["terminationGracePeriodSeconds"]) == 0, "exit after SIGTERM: %d" %
                  self.proc.returncode, self.stderr())

    def destroy(self):
        if self.proc and self.proc.poll() is None:
            self.runc("kill", self.name, "KILL", check=False)
            self.proc.wait(10)
        self.runc("delete", "-f", self.name, check=False)

    def pids(self):
        """The agent's processes, as the host numbers them: parent first."""
        first = json.loads(self.runc("state", self.name).stdout)["pid"]
        rest = run(["pgrep", "-P", str(first)], check=False).stdout.split()
        return [first] + [int(p) for p in rest]


def status_of(pid):
    with open("/proc/%d/status" % pid) as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


def host_directories():
    """What the manifest mounts of the host and the private mounts of tests/live do not have yet."""
    os.makedirs("/var/lib/outergate", exist_ok=True)
    mount("-t", "tmpfs", "-o", "mode=0755", "tmpfs", "/var/lib/outergate")


def end_pod(pod):
    try:
        pod.stop()
    finally:
        pod.destroy()
        shutil.rmtree(pod.dir + "/rootfs")
