"""sshd in an OCI container: its own libpam, pid, mount and network namespace, no log that we read."""
import json
import os
import subprocess

from cases import case
from harness import Agent, Client, brief, check
from sandbox import TMP, Skip, chrooted, mount, run, wait_for
from test_c_main_job import PASSWORD, place

CAPABILITIES = ["CAP_" + c for c in (
    "CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE SYS_CHROOT "
    "AUDIT_WRITE").split()]
ADDRESS = "198.51.100.200"


def network(w, ns):
    """A namespace of its own, joined to the outside."""
    run(["ip", "netns", "add", ns])
    w.net.ip(ns, "link set lo up")
    w.net.ip(ns, "link add c0 type veth peer name c1 netns " + w.net.ext)
    w.net.ip(ns, "addr add %s/32 dev c0" % ADDRESS)
    w.net.ip(ns, "link set c0 up")
    w.net.ip(ns, "route add default dev c0")
    w.net.ip(w.net.ext, "link set c1 up")
    w.net.ip(w.net.ext, "route add %s/32 dev c1" % ADDRESS)


def bundle(ns):
    """This machine's root under an overlay, with another libpam; the test's accounts."""
    at = TMP + "/container"
    for d in ("up", "work", "rootfs"):
        os.makedirs("%s/%s" % (at, d))
    mount("-t", "overlay", "overlay", "-o", "lowerdir=/,upperdir=%s/up,workdir=%s/work" % (at, at),
          at + "/rootfs")
    lib = run(["sh", "-c", "readlink -f $(ldconfig -p | sed -n 's/.*libpam.so.0 .*=> //p' | "
               "head -1)"]).stdout.decode().strip()
    run(["sh", "-c", "cp %s%s %s/pam && mv %s/pam %s%s" % (at + "/rootfs", lib, at, at,
                                                          at + "/rootfs", lib)])
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", at + "/hostkey"])
    with open(at + "/sshd_config", "w") as f:
        f.write("ListenAddress %s\nHostKey /og/hostkey\nUsePAM yes\nKbdInteractiveAuthentication no\n"
                "PidFile none\n" % ADDRESS)
    run(["runc", "spec"], cwd=at)
    with open(at + "/config.json") as f:
        spec = json.load(f)
    spec["process"].update(terminal=False, noNewPrivileges=False, args=[
        "/bin/sh", "-c", "mkdir -p /run/sshd && exec /usr/sbin/sshd -D -f /og/sshd_config"])
    spec["process"]["capabilities"] = {k: CAPABILITIES for k in
                                       ("bounding", "effective", "permitted")}
    spec["root"]["readonly"] = False
    spec["linux"]["namespaces"] = [{"type": t} for t in ("pid", "ipc", "uts", "mount")] + [
        {"type": "network", "path": "/run/netns/" + ns}]
    for source, to in (("/etc", "/etc"), ("/home", "/home"), (at, "/og")):
        spec["mounts"].append({"destination": to, "type": "bind", "source": source,
                               "options": ["rbind", "rw"]})
    spec["mounts"].append({"destination": "/run", "type": "tmpfs", "source": "tmpfs"})
    with open(at + "/config.json", "w") as f:
        json.dump(spec, f)
    return at


@case("restart", alone=True)
def container_with_its_own_libpam(w):
    if chrooted():
        raise Skip("no container can be run below a chroot")
    name, key = w.users.add("oci", key=True)
    ns = "ogcont-%d" % os.getpid()
    network(w, ns)
    at = bundle(ns)
    w.agent = agent = Agent("oci", "", journal=False).start()
    err = open(at + "/stderr", "w+")
    p = subprocess.Popen(["runc", "--root", at + "/state", "run", "-b", at, ns], stdout=err,
                         stderr=err, stdin=subprocess.DEVNULL)

    def listens():
        check(p.poll() is None, "the container ended: " + open(at + "/stderr").read())
        return b":0016 00000000:0000 0A" in run(
            w.net.inside_ns(ns, ["cat", "/proc/net/tcp"])).stdout
    try:
        wait_for("sshd in the container", listens, step=0.01)
        source = place(w)
        c = Client(w.net, source)
        c.ssh(name, ADDRESS, "/bin/echo at-once; sleep 4", password=PASSWORD, check_rc=0)
        s = agent.session(account=name, timeout=20, test=lambda s: "at-once" in json.dumps(s))
        check(s["origin"]["address"] == source, "the origin, in another network namespace", s)
        check(s.get("method") == "password" or
              [a for a in agent.told() if a["detection"] == "sensor.blind"],
              "how, or that it is not known", s)
        c.guess(name, ADDRESS, 6)
        c.ssh(name, ADDRESS, "/bin/echo later", password=PASSWORD, check_rc=0)
        s = agent.session(account=name, test=lambda s: "later" in json.dumps(s))
        check(s["method"] == "password" and s["failures_before"] == 6, "all of it", s)
        agent.alert(detection="auth.bruteforce_success", account=name, origin__address=source)
        c.ssh(name, ADDRESS, "/bin/echo by-key", key=key, check_rc=0)
        agent.session(account=name, method="publickey", test=lambda s: "by-key" in json.dumps(s))
        none = [a for a in agent.told() if a["detection"] == "access.shell_without_auth"]
        check(not none, "a login is no open shell: " + brief(none))
    finally:
        run(["runc", "--root", at + "/state", "kill", ns, "KILL"], check=False)
        p.wait(30)
        run(["umount", "-l", at + "/rootfs"], check=False)
        run(["ip", "netns", "del", ns], check=False)
    agent.stop()
