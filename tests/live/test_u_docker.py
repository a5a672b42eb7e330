"""A session has the container engine start something: by exec or run, its words are found in the
container, and what runs there is the session's."""
import json
import threading

from cases import case
from docker import Docker
from harness import Client, check
from sandbox import TMP, run, wait_for
from test_c_main_job import PASSWORD, place
from test_u_handoffs import as_root, joined

lock = threading.Lock()
engines = {}


def engine(w):
    with lock:
        if "one" not in engines:
            engines["one"] = Docker(w, "handoff")
            engines["one"].image()
        return engines["one"]


def words(d, text):
    return "export PATH=%s DOCKER_HOST=unix://%s; %s" % (d.path, d.socket, text)


@case("journal")
def docker_exec_is_the_sessions(w):
    d = engine(w)
    cid = d.cli("run", "-d", "--name", "mine", "bb", "sleep", "300").stdout.decode().strip()
    c, address, key = as_root(w)
    c.ssh("root", address, words(d, "docker exec mine /bin/echo exec-mark; sleep 1"),
          key=key, check_rc=0)
    s = joined(w, c.source, "exec-mark", "container", "mine (%s)" % cid[:12])
    check(s["handoffs"][0]["by"] == "docker", "who asked", s)


@case("journal")
def docker_run_is_the_sessions(w):
    d = engine(w)
    c, address, key = as_root(w)
    c.ssh("root", address, words(d, "docker run --rm bb /bin/echo run-mark; sleep 1"),
          key=key, check_rc=0)
    joined(w, c.source, "run-mark", "container", "")


@case("journal")
def docker_of_another_is_nobodys(w):
    d = engine(w)
    c, address, key = as_root(w)
    p = c.ssh_open("root", address, words(d, "docker run --rm bb sleep 3; sleep 1"), key=key)
    d.cli("run", "--rm", "bb", "sh", "-c", "echo other-mark; sleep 1")
    p.wait(30)
    w.settle()
    for s in w.agent.sessions(origin__address=c.source):
        check("other-mark" not in json.dumps(s["commands"]), "another's container", s)


@case("journal")
def a_login_inside_a_container_names_it(w):
    """sshd in a container of docker's, on the host's network: its sessions say which."""
    d = engine(w)
    name, _ = w.users.add("indock")
    source = place(w)
    at = TMP + "/indock"
    run(["mkdir", at])
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", at + "/hostkey"])
    with open(at + "/config", "w") as f:
        f.write("Port 2291\nListenAddress %s\nHostKey %s/hostkey\nUsePAM yes\nPidFile none\n"
                "KbdInteractiveAuthentication no\n" % (w.server, at))
    binds = [x for p in ("/usr", "/lib", "/lib64", "/bin", "/sbin", "/etc", "/home", "/var", at)
             for x in ("-v", "%s:%s" % (p, p)) if run(["test", "-e", p], check=False).returncode == 0]
    cid = d.cli("run", "-d", "--net", "host", *binds, "--tmpfs", "/run", "bb", "/bin/sh", "-c",
                "mkdir -p /run/sshd && exec /usr/sbin/sshd -D -e -f %s/config" % at,
                timeout=40).stdout.decode().strip()
    wait_for("sshd in the container", lambda: ":%04X 00000000:0000 0A" % 2291 in
             run(w.net.inside_ns(w.net.srv, ["cat", "/proc/net/tcp"])).stdout.decode(), 20)
    Client(w.net, source).ssh(name, w.server, "/bin/echo inside-mark", password=PASSWORD, port=2291,
                              check_rc=0)
    w.agent.session(account=name, origin__address=source,
                    test=lambda s: s.get("container") == cid[:12])
    other, _ = w.users.add("outdock")
    Client(w.net, source).ssh(other, w.server, "id", password=PASSWORD, check_rc=0)
    check(not w.agent.session(account=other).get("container"), "the host's own sshd is in none")
