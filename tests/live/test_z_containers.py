"""Containers, whatever runs them: told by the kernel when they begin, named by their runtime."""
import json
import os
import subprocess
import threading

from cases import case
from harness import check
from podman import Podman
from sandbox import TMP, Skip, chrooted, run, wait_for
from test_j_floods import resident
from test_c_main_job import place
from test_u_handoffs import as_root
from test_z_docker_api import Api

CONFIG = {
    "ociVersion": "1.0.2",
    "process": {"terminal": False, "user": {"uid": 0, "gid": 0}, "args": ["/bin/true"],
                "env": ["PATH=/bin"], "cwd": "/", "noNewPrivileges": True,
                "capabilities": {"bounding": ["CAP_KILL"], "effective": ["CAP_KILL"],
                                 "permitted": ["CAP_KILL"]}},
    "root": {"path": "root", "readonly": False},
    "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
    "linux": {"namespaces": [{"type": t} for t in ("pid", "ipc", "uts", "mount")],
              "cgroupsPath": "/outergate-live/ID"},
}


class Bundle:
    """A bundle and runc: no engine at all."""

    def __init__(self, name, **annotations):
        if chrooted():
            raise Skip("no container can be run below a chroot")
        if not os.path.exists("/usr/sbin/runc"):
            raise Skip("no runc here")
        self.at = "%s/bundle-%s" % (TMP, name)
        self.name = name
        os.makedirs(self.at + "/root/bin")
        os.makedirs(self.at + "/root/proc")
        run(["cp", "/usr/bin/busybox" if os.path.exists("/usr/bin/busybox") else "/bin/busybox",
             self.at + "/root/bin/busybox"])
        for tool in ("sh", "true", "sleep", "echo"):
            os.symlink("busybox", "%s/root/bin/%s" % (self.at, tool))
        self.annotations = annotations

    def write(self, cid, args):
        config = json.loads(json.dumps(CONFIG).replace("/ID", "/" + cid))
        config["process"]["args"] = args
        config["annotations"] = self.annotations
        with open(self.at + "/config.json", "w") as f:
            json.dump(config, f)

    def argv(self, cid):
        return ["runc", "--root", self.at + "/state", "run", "--no-pivot", cid]

    def run(self, cid, args):
        self.write(cid, args)
        return run(self.argv(cid), cwd=self.at, timeout=60)


def counter(w, name):
    return w.agent.status()["counters"].get(name, 0)


@case("journal", alone=True)
def five_hundred_containers(w):
    """As fast as runc starts them, by four at a time: none is lost and nothing stays behind."""
    bundles = [Bundle("many%d" % i) for i in range(4)]
    w.settle()
    started, lost = counter(w, "containers_started"), counter(w, "records_lost_bulk")
    memory = resident(w)
    ids = ["%064x" % (0xabc0 << 200 | n) for n in range(500)]
    failed = []

    def some(i):
        bundles[i].write("ID", ["/bin/true"])
        with open(bundles[i].at + "/config.json") as f:
            plain = f.read()
        for cid in ids[i::4]:
            with open(bundles[i].at + "/config.json", "w") as f:
                f.write(plain.replace("/ID", "/" + cid))
            p = run(bundles[i].argv(cid), cwd=bundles[i].at, timeout=60, check=False)
            if p.returncode:
                failed.append(p.stderr[-300:])

    threads = [threading.Thread(target=some, args=(i,)) for i in range(4)]
    [t.start() for t in threads]
    c, address, key = as_root(w)
    c.ssh("root", address, "/bin/echo among-containers; sleep 1", key=key, check_rc=0)
    [t.join() for t in threads]
    check(not failed, "runc", failed[:2])
    w.settle()
    wait_for("all of them", lambda: counter(w, "containers_started") - started >= 500, 20)
    check(counter(w, "containers_started") - started == 500, "each once",
          counter(w, "containers_started") - started)
    check(counter(w, "records_lost_bulk") == lost, "lost records")
    s = w.agent.session(origin__address=c.source)
    check([x for x in s["commands"] if "among-containers" in x["text"]], "the session among them", s)
    check(resident(w) - memory < 2048, "memory", resident(w) - memory)
    check(not os.path.exists("/sys/fs/cgroup/outergate-live/" + ids[0]), "its cgroup is gone")


@case("journal", alone=True)  # others' containers count there, too
def a_container_by_its_bundle(w):
    """containerd's annotations are in the bundle that runc runs: pod and container have names."""
    b = Bundle("named", **{"io.kubernetes.cri.container-name": "nginx",
                           "io.kubernetes.cri.image-name": "docker.io/library/nginx:1.25",
                           "io.kubernetes.cri.sandbox-name": "web-1",
                           "io.kubernetes.cri.sandbox-namespace": "shop"})
    unnamed = counter(w, "containers_unnamed")
    b.run("7e" * 32, ["/bin/sleep", "1"])
    w.settle()
    check(counter(w, "containers_unnamed") == unnamed, "it has a name")


@case("journal")
def podman_run_is_the_sessions(w):
    """No daemon: what runs in the container is below the session's own process, by conmon."""
    d = Podman(w, "session")
    unnamed = counter(w, "containers_unnamed")
    c, address, key = as_root(w)
    # Of many commands the first and the last are kept: looked at before podman cleans up.
    p = c.ssh_open("root", address, [d.run_words(
        "live-web", "/bin/sh", "-c", "'echo podman-mark; sleep 9'") + "; sleep 12"], key=key)
    s = w.agent.session(origin__address=c.source, test=lambda s: [
        x for x in s["commands"] if x["text"].startswith("/bin/sh -c echo podman-mark")])
    p.kill()
    check(not [x for x in s["commands"] if "podman-mark" in x["text"] and x.get("via")],
          "its own doing", s)
    check(counter(w, "containers_unnamed") == unnamed, "conmon's command line names it")


@case("journal")
def podmans_api_over_tcp(w):
    """`podman system service tcp:...`: Docker's API of another engine, on a port of its own; what it
    starts joins by id."""
    d = Podman(w, "api")
    log = open(d.at + "/log", "w+")
    p = subprocess.Popen(w.net.inside_ns(w.net.srv, d.argv + [
        "system", "service", "--time=0", "tcp:0.0.0.0:8871"]), env=d.env,
        stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    def said():
        with open(d.at + "/log") as f:
            return f.read()[-600:]
    wait_for(lambda: "podman's service: " + said(), lambda: p.poll() is not None or
             ":%04X 0000" % 8871 in run(w.net.inside_ns(
                 w.net.srv, ["cat", "/proc/net/tcp", "/proc/net/tcp6"])).stdout.decode(), 20)
    if p.poll() is not None:
        raise Skip("podman's service does not run here: " + said())
    w.settle()
    source = place(w)
    w.net.address(source)
    api = Api(w, source, 8871)
    api.ask("GET", "/v4.0.0/libpod/containers/json")
    made = api.ask("POST", "/v4.0.0/libpod/containers/create", {
        "name": "by-api", "rootfs": d.at + "/rootfs", "netns": {"nsmode": "none"},
        "seccomp_profile_path": "unconfined", "log_configuration": {"driver": "none"},
        "command": ["/bin/sh", "-c", "echo podman-api-mark; sleep 2"],
        "mounts": [{"type": "bind", "source": "/etc", "destination": "/host"}]})
    api.ask("POST", "/v4.0.0/libpod/containers/%s/start" % made["Id"])
    a = w.agent.alert(detection="container.created_after_api", origin__address=source)
    check("/etc" in a["sentence"] and a["severity"] == "high", "what it leads to", a)
    s = w.agent.session(origin__address=source, service="docker", test=lambda s: [
        c for c in s["commands"] if "podman-api-mark" in c["text"]])
    check([c for c in s["commands"] if "by-api" in c.get("via", "")], "by its name", s)
    api.end()
    p.terminate()
    p.wait(20)
