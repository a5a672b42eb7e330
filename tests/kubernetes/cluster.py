"""A cluster of one node in the watched host's network: etcd, kube-apiserver with its audit log and
webhook, dockerd, kubelet. The programs are those of build.sh ($KUBERNETES). No scheduler and no
controllers: a pod names its node. Every setting is the default, but for who may be asked: anybody.

What they write of this machine is their own: /var/lib is an overlay, the sysctls that kubelet sets
are files, its cgroups lie below /og-kube and are removed.
"""
import base64
import glob
import http.server
import json
import os
import re
import subprocess
import sys
import threading

from docker import Docker
from harness import check
from sandbox import TMP, Failure, Skip, mount, run, wait_for

AT = TMP + "/cluster"
NODE = "node1"
ADMIN = "admin-token-of-the-test"
ADMINS = 40  # users of the group "others", one a case
SYSCTLS = ("kernel/panic", "kernel/panic_on_oops", "vm/overcommit_memory", "vm/panic_on_oom",
           "kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes")
POLICY = """apiVersion: audit.k8s.io/v1
kind: Policy
rules:
  - level: RequestResponse
    verbs: [create, update, patch, delete]
    resources: [{group: "", resources: [pods, services]}]
  - level: Metadata
"""
WEBHOOK = """apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "http://127.0.0.1:9099/audit"}}]
users: [{name: u}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
"""
KUBECONFIG = """apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://%s:6443", insecure-skip-tls-verify: true}}]
users: [{name: u, user: {token: "%s"}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
"""


def binary(name):
    path = os.path.join(os.environ.get("KUBERNETES", ""), name)
    if not os.environ.get("KUBERNETES") or not os.path.exists(path):
        raise Failure("no %s: start tests/kubernetes/run.sh" % name)
    return path


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
    return path


class Cluster:
    def __init__(self, net, node_address):
        self.net, self.address = net, node_address
        self.procs = {}
        self.audit = AT + "/log/audit.log"
        self.webhook_log = AT + "/log/webhook.log"
        os.makedirs(AT + "/log")
        self.private()
        make_cgroups()
        self.docker = Docker(self, "kube", bridge="172.30.0.1/16")
        self.docker.image()
        self.docker.image("pause", 'CMD ["/bin/sleep", "1000000"]')
        self.net.ip(self.net.inside, "route add 172.30.0.0/16 via 10.20.0.1")
        self.start_etcd()
        self.start_api()
        self.start_kubelet()
        wait_for("the node is registered", lambda: self.api("get", "node", NODE,
                                                            check=False).returncode == 0, 60)
        wait_for(lambda: "the node is ready: " + self.said("kubelet"), self.node_ready, 90, 0.5)

    # --- what is only theirs

    def private(self):
        for d in ("up", "work"):
            os.makedirs(AT + "/lib/" + d)
        mount("-t", "overlay", "-o", "lowerdir=/var/lib,upperdir=%s/lib/up,workdir=%s/lib/work" %
              (AT, AT), "overlay", "/var/lib")
        for name in SYSCTLS:
            path = "/proc/sys/" + name
            with open(path) as f:
                mine = write("%s/sysctl/%s" % (AT, name.replace("/", "-")), f.read())
            mount("--bind", mine, path)

    # --- programs

    def start(self, name, argv, wrapper=()):
        log = open("%s/log/%s" % (AT, name), "ab")
        self.procs[name] = subprocess.Popen(
            self.net.inside_ns(self.net.srv, [*wrapper, binary(argv[0])] + argv[1:]),
            env={"PATH": self.docker.path, "HOME": AT}, stdin=subprocess.DEVNULL, stdout=log,
            stderr=log)

    def said(self, name):
        if name == "kubelet":
            return run(["journalctl", "-q", "-o", "cat", "-t", name, "-n", "30"],
                       check=False).stdout.decode("utf-8", "replace")[-3000:]
        with open("%s/log/%s" % (AT, name), "rb") as f:
            return f.read()[-3000:].decode("utf-8", "replace")

    def runs(self, name):
        p = self.procs[name]
        check(p.poll() is None, "%s ended, exit %s" % (name, p.returncode), self.said(name))
        return True

    def start_etcd(self):
        self.start("etcd", ["etcd", "--data-dir", AT + "/etcd", "--unsafe-no-fsync",
                            "--listen-client-urls", "http://127.0.0.1:2379",
                            "--advertise-client-urls", "http://127.0.0.1:2379",
                            "--listen-peer-urls", "http://127.0.0.1:2380"])

    def start_api(self):
        for name in ("sa", "ca"):
            run(["openssl", "genrsa", "-out", "%s/%s.key" % (AT, name), "2048"])
        run(["openssl", "req", "-x509", "-new", "-key", AT + "/ca.key", "-subj", "/CN=test-ca",
             "-days", "3650", "-out", AT + "/ca.crt"])
        tokens = '%s,admin,1,"system:masters"\n' % ADMIN
        for name in ("alice", "bob"):
            tokens += "token-of-%s,%s,%s,\n" % (name, name, name)
        for n in range(ADMINS):
            tokens += 'token-of-carol-%d,carol-%d,c%d,"others"\n' % (n, n, n)
        self.webhook()
        self.start("kube-apiserver", [
            "kube-apiserver", "--etcd-servers=http://127.0.0.1:2379", "--secure-port=6443",
            "--bind-address=0.0.0.0", "--advertise-address=" + self.address,
            "--cert-dir=%s/pki" % AT, "--client-ca-file=%s/ca.crt" % AT,
            "--token-auth-file=" + write(AT + "/tokens", tokens),
            "--service-account-key-file=%s/sa.key" % AT,
            "--service-account-signing-key-file=%s/sa.key" % AT,
            "--service-account-issuer=https://kubernetes.default.svc",
            "--authorization-mode=RBAC", "--anonymous-auth=true", "--allow-privileged=true",
            "--service-cluster-ip-range=10.96.0.0/16", "--disable-admission-plugins=ServiceAccount",
            "--kubelet-preferred-address-types=InternalIP",
            "--audit-policy-file=" + write(AT + "/policy", POLICY),
            "--audit-log-path=" + self.audit, "--audit-log-maxsize=1",
            "--audit-webhook-config-file=" + write(AT + "/webhook", WEBHOOK),
            "--audit-webhook-batch-max-wait=1s", "--audit-webhook-batch-max-size=5",
            "--audit-webhook-batch-throttle-enable=false"])
        self.admin = write(AT + "/admin.conf", KUBECONFIG % ("127.0.0.1", ADMIN))
        wait_for(lambda: "kube-apiserver: " + self.said("kube-apiserver"), self.api_ready, 90, 0.3)

    def api_ready(self):
        self.runs("etcd")
        self.runs("kube-apiserver")
        return self.api("get", "--raw", "/readyz", check=False).stdout == b"ok" and \
            self.api("get", "namespace", "default", check=False).returncode == 0

    def start_kubelet(self):
        self.start("kubelet", [
            "kubelet", "--kubeconfig=" + self.admin, "--address=0.0.0.0", "--port=10250",
            "--node-ip=" + self.address, "--hostname-override=" + NODE, "--anonymous-auth=true",
            "--authorization-mode=AlwaysAllow", "--read-only-port=10255",
            "--cert-dir=%s/kubelet-pki" % AT, "--root-dir=%s/kubelet" % AT,
            "--volume-plugin-dir=%s/plugins" % AT, "--cgroup-driver=cgroupfs",
            "--cgroup-root=/og-kube", "--enforce-node-allocatable=", "--fail-swap-on=false",
            "--oom-score-adj=0", "--pod-infra-container-image=pause",
            "--docker-endpoint=unix://" + self.docker.socket, "--resolv-conf=",
            "--experimental-dockershim-root-directory=%s/dockershim" % AT,
            "--eviction-hard=memory.available<1Mi", "--node-status-update-frequency=5s",
            "-v=3"], wrapper=["systemd-cat", "-t", "kubelet"])  # as its unit would: to the journal

    def node_ready(self):
        self.runs("kubelet")
        node = json.loads(self.api("get", "node", NODE, "-o", "json").stdout)
        return [c for c in node["status"].get("conditions", ()) if c["type"] == "Ready" and
                c["status"] == "True"]

    def webhook(self):
        """Takes the EventLists that the API server sends, one a line."""
        log = open(self.webhook_log, "ab", buffering=0)
        got = self.webhook_file = log

        class Take(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                got.write(body.strip().replace(b"\n", b" ") + b"\n")
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass
        made = []

        def serve():
            # The thread alone changes to the host's network, where the API server finds it.
            fd = os.open("/run/netns/" + self.net.srv, os.O_RDONLY)
            setns(fd)
            os.close(fd)
            made.append(http.server.ThreadingHTTPServer(("127.0.0.1", 9099), Take))
            made[0].serve_forever()
        threading.Thread(target=serve, daemon=True).start()
        wait_for("the webhook's receiver", lambda: made)

    # --- who uses it

    def api(self, *argv, **how):
        """kubectl of this host's own administrator."""
        return self.kubectl(self.net.srv, ["--kubeconfig", self.admin, *argv], **how)

    def kubectl(self, ns, argv, **how):
        how.setdefault("env", {"PATH": "/usr/bin:/bin", "HOME": AT})
        return run(self.net.inside_ns(ns, [binary("kubectl"), *argv]), **how)

    def make(self, text):
        self.api("apply", "-f", "-", input=text.encode())

    def pod(self, name, spec=None, ns="default", image="bb", command="sleep 600"):
        """The object of a pod on the node."""
        c = {"name": "c", "image": image, "imagePullPolicy": "Never",
             "command": ["sh", "-c", command]}
        c.update((spec or {}).pop("container", {}))
        return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": ns},
                "spec": dict({"nodeName": NODE, "containers": [c], "restartPolicy": "Never",
                              "automountServiceAccountToken": False,
                              "enableServiceLinks": False, "terminationGracePeriodSeconds": 0},
                             **(spec or {}))}

    def wait_pod(self, name, ns="default", timeout=60):
        def running():
            p = self.api("get", "pod", name, "-n", ns, "-o", "json", check=False)
            return p.returncode == 0 and json.loads(p.stdout)["status"].get("phase") in (
                "Running", "Succeeded")
        wait_for(lambda: "pod %s runs: %s %s" % (name, self.api(
            "describe", "pod", name, "-n", ns, check=False).stdout.decode()[-1500:],
            self.said("kubelet")[-1000:]), running, timeout, 0.3)

    def lines(self):
        """All audit events, those of rotated files too."""
        found = []
        for path in sorted(glob.glob(AT + "/log/audit*.log")):
            with open(path) as f:
                found += [json.loads(x) for x in f.read().split("\n")[:-1]]
        return found

    def stop(self):
        self.api("delete", "pods", "--all", "-A", "--force", "--grace-period=0", check=False)
        for name in ("kubelet", "kube-apiserver", "etcd"):
            if name in self.procs:
                self.procs[name].terminate()
                try:
                    self.procs[name].wait(20)
                except subprocess.TimeoutExpired:
                    self.procs[name].kill()
                    self.procs[name].wait(10)
        self.docker.stop()
        clean_cgroups()


def hierarchies():
    """Where one of them is mounted: below that directory each, or there the only one."""
    with open("/proc/self/mountinfo") as f:
        return sorted({line.split()[4] for line in f if " - cgroup" in line})


def make_cgroups():
    clean_cgroups()
    for at in hierarchies():
        os.makedirs(at + "/og-kube", exist_ok=True)
        for name in ("cpuset.cpus", "cpuset.mems"):
            if os.path.exists("%s/%s" % (at, name)):
                with open("%s/%s" % (at, name)) as f:
                    value = f.read()
                with open("%s/og-kube/%s" % (at, name), "w") as f:
                    f.write(value)


def clean_cgroups():
    for root in [at + "/og-kube" for at in hierarchies()]:
        for at, _, _ in os.walk(root, topdown=False):
            try:
                os.rmdir(at)
            except OSError:
                pass  # something in it still ends; the next run removes it


def setns(fd):
    from sandbox import LIBC
    check(LIBC.setns(fd, 0x40000000) == 0, "setns")


# --- requests of any kind, from the outside

CLIENT = r"""
import json, ssl, sys, http.client
q = json.loads(sys.argv[1])
if q["tls"]:
    t = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT); t.check_hostname = False
    t.verify_mode = ssl.CERT_NONE
    c = http.client.HTTPSConnection(q["host"], q["port"], timeout=20, context=t)
else:
    c = http.client.HTTPConnection(q["host"], q["port"], timeout=20)
body = q["body"].encode()
for _ in range(q["times"]):
    c.putrequest(q["method"], q["path"])
    for k, v in q["headers"]:
        c.putheader(k, v)
    c.putheader("Content-Length", str(len(body)))
    c.endheaders(body)
    r = c.getresponse()
    text = r.read().decode("utf-8", "replace")
if r.status == 101:
    got = r.fp.read() if r.fp else b""
    while True:
        more = c.sock.recv(4096)
        if not more:
            break
        got += more
    text = got.decode("utf-8", "replace")
print(json.dumps([r.status, text[:200000]]))
"""


class Outsider:
    """An address of the outside, and the server's address that it alone uses."""

    def __init__(self, w, source=None, server=None, ns=None):
        n = w.slice()
        self.w, self.ns = w, ns or w.net.ext
        self.address = source or w.outside(n)
        self.server = server or "192.0.2.%d" % n
        if self.ns == w.net.ext:
            w.net.address(self.address)
            w.net.ip(w.net.ext, "route replace %s/32 dev e0 src %s" % (self.server, self.address))

    def ask(self, method, path, token=None, body=None, headers=(), port=6443, tls=True, want=None,
            times=1):
        headers = [list(h) for h in headers] + [["User-Agent", "kube-test/1"]]
        if token:
            headers.append(["Authorization", "Bearer " + token])
        text = body if isinstance(body, str) else json.dumps(body) if body is not None else ""
        if body is not None and not any(h[0] == "Content-Type" for h in headers):
            headers.append(["Content-Type", "application/json"])
        q = {"host": self.server, "port": port, "tls": tls, "method": method, "path": path,
             "headers": headers, "body": text, "times": times}
        out = run(self.w.net.inside_ns(self.ns, [sys.executable, "-c", CLIENT, json.dumps(q)]))
        status, answer = json.loads(out.stdout)
        if want:
            check(status == want, "%s %s: %d" % (method, path, status), answer)
        return status, answer

    def upgraded(self, path, token=None, port=6443):
        """An exec by WebSocket: all that came until the server closed it."""
        return self.ask("GET", path, token, port=port, want=101, headers=[
            ("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ("Sec-WebSocket-Protocol", "v4.channel.k8s.io")])[1]

    def config(self, token):
        return write("%s/conf/%s-%s" % (AT, self.server, token), KUBECONFIG % (self.server, token))

    def kubectl(self, token, *argv, **how):
        return self.w.cluster.kubectl(self.ns, ["--kubeconfig", self.config(token), *argv], **how)

    def kubectl_open(self, token, *argv):
        """One that stays until the caller, or the end of the run, ends it."""
        return subprocess.Popen(
            self.w.net.inside_ns(self.ns, [binary("kubectl"), "--kubeconfig", self.config(token),
                                           *argv]),
            env={"PATH": "/usr/bin:/bin", "HOME": AT}, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
