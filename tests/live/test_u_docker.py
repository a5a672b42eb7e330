"""A session has the container engine start something: by exec or run, its words are found in the
container, and what runs there is the session's."""
import json
import threading

from cases import case
from docker import Docker
from harness import check
from test_c_main_job import place
from test_u_handoffs import as_root, joined, ran

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
    s = joined(w, c.source, "exec-mark", "container", cid)
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
