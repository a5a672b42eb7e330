"""Docker's own port forwarder in front of an sshd in another network namespace, as a container's is."""
import json

from cases import case
from docker import fetched
from harness import brief, check
from services import PASSWORD, Server, client, one_session, port


def forwarder(w, number):
    # It says on descriptor 3 that it is ready, as dockerd wants, and closes that.
    return Server(w, ["/bin/sh", "-c", "exec \"$@\" 3>/dev/null", "sh", fetched()[1] + "/docker-proxy", "-proto",
                      "tcp", "-host-ip", w.server, "-host-port", str(number), "-container-ip", "10.20.0.2",
                      "-container-port", "22"], [number])


@case("services-slow")
def docker_proxy_in_front_of_a_container(w):
    """Each client is the origin of his own session, two at once, failures and all."""
    n = port()
    h = forwarder(w, n)
    people = [w.users.add("dprox%d" % i)[0] for i in range(2)]
    sources = [w.place() for _ in people]
    for name, source in zip(people, sources):
        client(w, source).guess(name, w.server, 1, port=n)
    open_ = []
    for name, source in zip(people, sources):  # the second comes while the first is there
        p = client(w, source).ssh_open(name, w.server, "/bin/echo %s-mark; read x" % name, password=PASSWORD,
                                       port=n)
        check(p.stdout.readline().endswith(b"-mark\n"), "logged in", repr(p.stderr.read() if p.poll() else b""))
        open_.append(p)
    for p in open_:
        p.communicate(b"\n", timeout=20)
    for name, source in zip(people, sources):
        s = one_session(w, source, "ssh", name, state="closed")
        check(s["origin"]["source"] == "local-proxy" and s["failures_before"] == 1, "by which proof, after what", s)
        check(name + "-mark" in json.dumps(s["commands"]), "what ran", s)
        check(s["bytes_in"] > 0 and s["bytes_out"] > 0, "bytes", s)
    w.settle()
    told = [a for x in sources for a in w.agent.told(origin__address=x) if a["detection"] in
            ("access.loopback_forwarded", "sensor.mismatch", "activity.lateral_movement")]
    check(not told, "a port forwarder is no tunnel: " + brief(told), told)
    h.stop()


@case("services-slow")
def another_program_that_forwards_to_a_container(w):
    """What is not known to make one connection for each client is a hop, and nobody is named by it."""
    n = port()
    h = Server(w, ["/usr/bin/socat", "TCP4-LISTEN:%d,bind=%s,reuseaddr,fork" % (n, w.server), "TCP4:10.20.0.2:22"],
               [n])
    name, _ = w.users.add("dhop")
    source = w.place()
    client(w, source).ssh(name, w.server, "id", password=PASSWORD, port=n, check_rc=0)
    s = w.agent.session(account=name, service="ssh", state="closed")
    check(s["origin"]["address"] == "10.20.0.1" and s["origin"]["source"] == "socket", "the hop", s)
    check(not w.agent.sessions(origin__address=source), "and nobody behind it")
    h.stop()
