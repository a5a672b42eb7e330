"""A Docker API that the outside reaches: what is asked for, what runs, where it goes on; and what
only looks like it."""
import json

import subprocess
import sys
import threading

from cases import case
from docker import Docker
from harness import Agent, brief, check
from sandbox import run, wait_for
from test_c_main_job import place

lock = threading.Lock()
engines = {}

# requests as JSON lines on stdin, answers on stdout; one connection for all of them
CLIENT = """import http.client, json, sys
c = http.client.HTTPConnection(sys.argv[2], int(sys.argv[3]), 20, (sys.argv[1], 0))
for line in sys.stdin:
    q = json.loads(line)
    body = json.dumps(q[2]) if q[2] is not None else None
    c.request(q[0], q[1], body, {"User-Agent": "live-test/1", "Content-Type": "application/json"})
    r = c.getresponse()
    got = r.read().decode('utf-8', 'replace')
    print(json.dumps([r.status, got]), flush=True)
"""


def engine(w):
    with lock:
        if "one" not in engines:
            engines["one"] = Docker(w, "api", listen=["tcp://0.0.0.0:2375"])
            engines["one"].image()
        return engines["one"]


class Api:
    def __init__(self, w, source, port=2375):
        self.p = subprocess.Popen(w.net.inside_ns(w.net.ext, [
            sys.executable, "-c", CLIENT, source, w.server, str(port)]), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)

    def ask(self, method, path, body=None, wants=(200, 201, 204)):
        self.p.stdin.write(json.dumps([method, path, body]) + "\n")
        self.p.stdin.flush()
        status, text = json.loads(self.p.stdout.readline())
        check(status in wants, "%s %s: %d" % (method, path, status), text)
        return json.loads(text) if text and text[0] in "{[" else text

    def end(self):
        self.p.stdin.close()
        self.p.wait(20)


def of(w, source, detection):
    return [a for a in w.agent.told(detection=detection)
            if a.get("origin", {}).get("address") == source]


def stored(w, source, detection):
    """A part of a chain is kept, and not told by itself."""
    return wait_for(detection, lambda: [
        a for a in w.agent.stored_alerts() if a["detection"] == detection and
        a.get("origin", {}).get("address") == source], 15)[0]


@case("journal")
def docker_api_to_the_next_host(w):
    """GET /version, GET /containers/json, create privileged with the host's root, start, exec, ssh's
    port of another host: one chain with all its stages."""
    engine(w)
    source = place(w)
    w.net.address(source)
    api = Api(w, source)
    api.ask("GET", "/version")
    api.ask("GET", "/v1.41/containers/json")
    made = api.ask("POST", "/v1.41/containers/create?name=live-api", {
        "Image": "bb", "Cmd": ["sh", "-c", "sleep 2; nc 10.20.0.2 22 </dev/null; sleep 30"],
        "HostConfig": {"Privileged": True, "Binds": ["/:/host"], "NetworkMode": "host",
                       "PidMode": "host"}})
    cid = made["Id"]
    api.ask("POST", "/v1.41/containers/%s/start" % cid)
    more = api.ask("POST", "/v1.41/containers/%s/exec" % cid, {
        "Cmd": ["sh", "-c", "echo exec-mark >/tmp/x; cat /tmp/x; sleep 1"]})
    api.ask("POST", "/v1.41/exec/%s/start" % more["Id"], {"Detach": True})
    a = w.agent.alert(detection="container.created_after_api", origin__address=source)
    check(a["severity"] == "high", "how bad", a)
    for part in ("privileged", "/:/host", cid[:12], "bb", "sleep 2; nc"):
        check(part in a["sentence"], "the sentence lacks " + part, a)
    api_alert = w.agent.alert(detection="container.api_external", origin__address=source)
    check(api_alert["severity"] == "medium" and "live-test/1" in api_alert["sentence"], "who asks",
          api_alert)
    stored(w, source, "container.lateral")
    chain = w.agent.alert(detection="chain.t1133", origin__address=source)
    check(chain["reason"] == "api" and cid[:12] in chain["sentence"] and
          "10.20.0.2" in chain["sentence"], "the story", chain)
    s = w.agent.session(origin__address=source, service="docker", test=lambda s: [
        c for c in s["commands"] if "exec-mark" in c["text"]])
    texts = [c["text"] for c in s["commands"] if cid[:12] in c.get("via", "")]
    check([t for t in texts if "sleep 2; nc" in t], "what ran in it", s)
    check([d for d in s["destinations"] if d["address"] == "10.20.0.2"], "where it went", s)
    check(len([x for x in w.agent.sessions(origin__address=source)]) == 1, "one session")
    api.end()


@case("journal")
def local_docker_use_is_nobodys(w):
    """Somebody at this host starts a container in the very second a stranger creates one."""
    d = engine(w)
    source = place(w)
    w.net.address(source)
    api = Api(w, source)
    api.ask("GET", "/version")
    made = api.ask("POST", "/containers/create", {"Image": "bb", "Cmd": ["sleep", "4"]})
    mine = d.cli("run", "-d", "bb", "sh", "-c", "echo my-own; sleep 2").stdout.decode().strip()
    api.ask("POST", "/containers/%s/start" % made["Id"])
    d.cli("run", "--rm", "bb", "echo", "my-other")
    s = w.agent.session(origin__address=source, test=lambda s: [
        c for c in s["commands"] if c["text"] == "sleep 4"])
    w.settle()
    s = w.agent.sessions(origin__address=source)[0]
    check("my-o" not in json.dumps(s) and mine not in json.dumps(s), "what is theirs alone", s)
    a = of(w, source, "container.created_after_api")
    check(a and a[0]["severity"] == "medium", "nothing dangerous was asked for", brief(a))
    check(not of(w, source, "container.lateral") and not of(w, source, "container.escape"), "no more")
    api.end()


@case("journal", alone=True)
def a_container_writes_to_its_host(w):
    engine(w)
    source = place(w)
    w.net.address(source)
    api = Api(w, source)
    name, _ = w.users.add("fallen")
    run(["install", "-d", "-m", "700", "/home/%s/.ssh" % name])
    w.settle()  # the agent has learned of it, as of any that is older
    made = api.ask("POST", "/containers/create", {
        "Image": "bb", "Cmd": ["sh", "-c", "echo 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJx x@y' >> "
                                          "/host/home/%s/.ssh/authorized_keys; sleep 3" % name],
        "HostConfig": {"Binds": ["/home:/host/home"]}})
    api.ask("POST", "/containers/%s/start" % made["Id"])
    a = stored(w, source, "container.escape")
    check(a["severity"] == "critical" and a["reason"] == "file", "how bad", a)
    check("authorized_keys" in a["sentence"], "which file", a)
    api.end()


@case("journal")
def an_allowed_address_uses_docker(w):
    """The same from AllowedCIDRs, and from inside: no alert of this kind."""
    engine(w)
    source = place(w)
    w.net.address(source)
    agent = Agent("allowed", "AllowedCIDRs: [%s/32]\n" % source, journal=False).start()
    api = Api(w, source)
    api.ask("GET", "/version")
    made = api.ask("POST", "/containers/create", {"Image": "bb", "Cmd": ["sleep", "1"],
                                                  "HostConfig": {"Privileged": True}})
    api.ask("POST", "/containers/%s/start" % made["Id"])
    api.end()
    w.agent.alert(detection="container.created_after_api", origin__address=source)
    wait_for("the other agent to have seen as much", lambda: agent.status()["counters"].get(
        "kernel_records", 0) > 20)
    w.settle()
    found = [a for a in agent.told() if a["detection"].startswith(("container.", "chain.")) and
             a.get("origin", {}).get("address") == source]
    check(not found, brief(found))
    agent.stop()


@case("journal")
def a_scan_of_the_docker_port_is_nothing(w):
    """A connection without a request, and a request that is none."""
    engine(w)
    source = place(w)
    w.net.address(source)
    probe = ("import socket, sys\ns = socket.create_connection((sys.argv[2], 2375), 5, "
             "(sys.argv[1], 0))\ns.sendall(sys.argv[3].encode()); s.settimeout(2)\n"
             "try: s.recv(100)\nexcept OSError: pass")
    for text in ("", "\r\n\r\n", "GARBAGE / HTTP/1.1\r\n\r\n"):
        run(w.net.inside_ns(w.net.ext, [sys.executable, "-c", probe, source, w.server, text]))
    w.settle()
    found = [a for a in w.agent.told() if a["detection"].startswith(("container.", "access.")) and
             a.get("origin", {}).get("address") == source]
    check(not found, brief(found))


DASHBOARD = r"""
import ctypes, http.server, sys
ctypes.CDLL(None).prctl(15, b"dashboard", 0, 0, 0)  # PR_SET_NAME
class H(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = b"{}"
        self.send_response(200); self.send_header("Content-Length", str(len(body)))
        self.end_headers(); self.wfile.write(body)
    def log_message(self, *a): pass
http.server.HTTPServer(("0.0.0.0", 9090), H).serve_forever()
"""


@case("journal")
def a_dashboard_without_login(w):
    """A stand-in under its name, in clear text on a port of its own: the page alone is nothing,
    somebody's look at secrets is."""
    p = subprocess.Popen(w.net.inside_ns(w.net.srv, [sys.executable, "-c", DASHBOARD]))
    wait_for("the dashboard", lambda: ":2382 00000000:0000 0A" in run(
        w.net.inside_ns(w.net.srv, ["cat", "/proc/net/tcp"])).stdout.decode(), 10)
    w.settle()
    source, other = place(w), place(w)
    for a in (source, other):
        w.net.address(a)
    page = Api(w, other, 9090)
    page.ask("GET", "/")
    page.ask("GET", "/api/v1/login/status")
    page.end()
    api = Api(w, source, 9090)
    api.ask("GET", "/api/v1/secret/kube-system")
    api.end()
    a = w.agent.alert(detection="container.api_external", origin__address=source)
    check("kube-dashboard" in a["sentence"] and "/api/v1/secret/kube-system" in a["sentence"],
          "what was asked", a)
    w.settle()
    check(not of(w, other, "container.api_external"), "the page is nothing")
    p.terminate()
    p.wait(30)
