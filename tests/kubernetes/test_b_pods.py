"""What is created and run through the API server and the kubelet, and where it goes on."""
import json

from cases import case
from cluster import ADMIN, ADMINS, NODE, Outsider
from harness import brief, check
from sandbox import run, wait_for
from test_a_cluster import api_alerts, let_in, nothing, stored

MASTERS = """apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: others-are-admins}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: others}]
"""
VISIT = ["container.api_external", "access.external"]


def carol(w):
    """A user who may do everything, and whose token somebody outside has: one a case, since a
    story goes by the account."""
    w.cluster.make(MASTERS)
    o = Outsider(w)
    with w.lock:
        w.carols = getattr(w, "carols", -1) + 1
    o.user = "carol-%d" % w.carols
    o.token = "token-of-" + o.user
    return o


def standing_pod(w, name, spec=None, **how):
    """Made by the host's own administrator."""
    w.cluster.make(json.dumps(w.cluster.pod(name, spec, **how)))
    w.cluster.wait_pod(name)


def texts(s):
    return [c["text"] for c in s["commands"] if c.get("via")]


def ran(w, o, text):
    """The session of that outsider with such a program in a container."""
    return w.agent.session(timeout=25, origin__address=o.address,
                           test=lambda s: [t for t in texts(s) if text in t])


@case("kubernetes")
def a_privileged_pod_with_the_hosts_root(w):
    o = carol(w)
    pod = w.cluster.pod("evil", {
        "hostNetwork": True, "hostPID": True,
        "container": {"securityContext": {"privileged": True},
                      "volumeMounts": [{"name": "h", "mountPath": "/host"}]},
        "volumes": [{"name": "h", "hostPath": {"path": "/"}}]},
        command="echo evil-mark >/tmp/x; id; sleep 300")
    o.ask("POST", "/api/v1/namespaces/default/pods", token=o.token, body=pod, want=201)
    a = stored(w, o, "container.created_after_api")
    check(a["severity"] == "high" and a["reason"] == "create" and a["account"] == o.user,
          "how bad, whose", a)
    for part in ("default/evil", "bb", "privileged", "the host's network", "the host's processes",
                 "a directory of the host"):
        check(part in a["sentence"], "the sentence lacks " + part, a)
    w.cluster.wait_pod("evil")
    ran(w, o, "evil-mark")


@case("kubernetes")
def exec_by_way_of_the_api_server(w):
    """kubectl exec from outside into a pod that was there: its program is the session's."""
    standing_pod(w, "target")
    o = carol(w)
    o.kubectl(o.token, "exec", "target", "--", "sh", "-c", "echo exec-mark; sleep 1")
    a = stored(w, o, "container.created_after_api")
    check(a["reason"] == "exec" and "default/target" in a["sentence"] and
          "exec-mark" in a["sentence"], "what was run where", a)
    s = ran(w, o, "exec-mark")
    check(s["account"] == o.user and s["service"] == "kube-api", "whose", s)


@case("kubernetes")
def an_exec_counts_when_it_begins(w):
    """A shell that stays open is told while it is open, and not again when it ends."""
    standing_pod(w, "shell")
    o = carol(w)
    p = o.kubectl_open(o.token, "exec", "-i", "shell", "--", "sh")
    a = stored(w, o, "container.created_after_api")
    check(p.poll() is None, "it is still there")
    p.stdin.write(b"echo typed-mark; exit\n")
    p.stdin.flush()
    check(b"typed-mark" in p.communicate(timeout=20)[0], "the shell answers")
    w.settle()
    a = stored(w, o, "container.created_after_api")
    check(a["count"] == 1, "one exec", a)


@case("kubernetes")
def attach_portforward_and_log(w):
    standing_pod(w, "chatty", {"container": {"stdin": True}},
                 command="echo said-by-the-pod; while read x; do echo got-$x; done; sleep 300")
    o = carol(w)
    check(b"said-by-the-pod" in o.kubectl(o.token, "logs", "chatty").stdout, "the log is read")
    nothing(w, o, but=VISIT)  # reading
    p = o.kubectl_open(o.token, "attach", "-i", "chatty")
    stored(w, o, "container.created_after_api", lambda a: "default/chatty" in a["sentence"])
    p.stdin.write(b"hello\n")
    p.stdin.flush()
    wait_for("the pod reads what is typed", lambda: b"got-hello" in w.cluster.api(
        "logs", "chatty").stdout, 20)
    p.kill()
    p.wait()
    standing_pod(w, "served", {"hostNetwork": True},
                 command="while true; do echo forwarded-mark | nc -l -p 8099; done")
    f = carol(w)
    p = f.kubectl_open(f.token, "port-forward", "served", "18099:8099")
    wait_for("the forwarded port", lambda: b"forwarded-mark" in run(
        w.net.inside_ns(w.net.ext, ["socat", "-T2", "-", "TCP:127.0.0.1:18099"]), check=False,
        timeout=10).stdout, 30, 0.5)
    stored(w, f, "container.created_after_api", lambda a: "default/served" in a["sentence"])
    p.kill()
    p.wait()


@case("kubernetes")
def what_is_local_is_nobodys(w):
    """The administrator's own pods and execs, in the seconds in which a stranger is at it."""
    o = carol(w)
    o.ask("GET", "/api/v1/pods", token=o.token, want=200)
    local = Outsider(w, source="127.0.0.1", server="127.0.0.1", ns=w.net.srv)
    pod = w.cluster.pod("mine", {"container": {"securityContext": {"privileged": True}}},
                        command="echo my-own-mark; sleep 300")
    local.ask("POST", "/api/v1/namespaces/default/pods", token=ADMIN, body=pod, want=201)
    w.cluster.wait_pod("mine")
    w.cluster.api("exec", "mine", "--", "sh", "-c", "echo my-other-mark; sleep 1")
    w.cluster.api("delete", "pod", "mine", "--force", "--grace-period=0")
    nothing(w, local)
    nothing(w, o, but=VISIT)
    for s in w.agent.sessions():
        check("my-o" not in json.dumps(s["commands"]), "somebody's", s)


@case("kubernetes")
def services_that_are_shown_to_the_outside(w):
    """NodePort and LoadBalancer by somebody outside: a request that changed something."""
    o = carol(w)
    for kind in ("NodePort", "LoadBalancer"):
        o.ask("POST", "/api/v1/namespaces/default/services", token=o.token, want=201, body={
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "s-" + kind.lower()},
            "spec": {"type": kind, "ports": [{"port": 80}], "selector": {"a": "b"}}})
    a = stored(w, o, "container.api_external", lambda a: a["count"] == 2)
    check(a["severity"] == "medium" and "/services" in a["sentence"], "what was asked", a)


@case("kubernetes")
def kubelet_by_way_of_the_api_server(w):
    """nodes/proxy: the kubelet's own /run, asked for by the API server."""
    standing_pod(w, "proxied")
    o = carol(w)
    o.ask("POST", "/api/v1/nodes/%s/proxy/run/default/proxied/c?cmd=%s" %
          (NODE, "echo+proxied-mark"), token=o.token, want=200)
    a = stored(w, o, "container.created_after_api")
    check(a["reason"] == "exec" and "default/proxied" in a["sentence"] and
          "proxied-mark" in a["sentence"], "what was run where", a)
    ran(w, o, "echo proxied-mark")


@case("kubernetes")
def kubelet_that_asks_nobody(w):
    """10250 inside TLS: the connection by the kernel, what was asked for by the kubelet's own log,
    and what it had run in the container."""
    standing_pod(w, "fallen")
    o = Outsider(w)
    status, answer = o.ask("GET", "/pods", port=10250)
    check(status == 200 and "fallen" in answer, "the kubelet shows its pods", answer[:300])
    a = stored(w, o, "container.api_external")
    check(a["service"] == "kubelet" and a["severity"] == "medium", "what was reached", a)
    status, answer = o.ask("POST", "/run/default/fallen/c?cmd=echo+run-mark", port=10250)
    check(status == 200 and "run-mark" in answer, "the kubelet runs it", answer[:300])
    a = stored(w, o, "container.created_after_api")
    check("default/fallen" in a["sentence"] and "run-mark" in a["sentence"], "what and where", a)
    s = ran(w, o, "echo run-mark")
    check(s["service"] == "kubelet", "whose", s)
    answer = o.upgraded("/exec/default/fallen/c?output=1&command=sh&command=-c&command="
                        "echo+exec-mark%3Bsleep+1", port=10250)
    check("exec-mark" in answer, "the kubelet executes it", answer[:300])
    ran(w, o, "exec-mark")


@case("kubernetes")
def kubelet_asked_by_its_own_host(w):
    """The API server reaches it by the node's outer address: nobody from outside."""
    standing_pod(w, "own")
    w.cluster.api("logs", "own")
    w.settle()
    found = [a for a in w.agent.stored_alerts() if
             a.get("origin", {}).get("address") in (w.cluster.address, "127.0.0.1", "::1")]
    check(not found, brief(found), *found)
    check(not [s for s in w.agent.sessions() if s["existing"]], "nobody was there before")


@case("kubernetes")
def others_words_are_not_the_strangers(w):
    """The administrator runs the same, in the minute of the stranger's request."""
    standing_pod(w, "shared")
    o = Outsider(w)
    o.ask("GET", "/pods", port=10250, want=200)
    w.cluster.api("exec", "shared", "--", "echo", "same-mark")
    o.ask("POST", "/run/default/shared/c?cmd=echo+same-mark", port=10250, want=200)
    ran(w, o, "same-mark")
    w.settle()
    s = w.agent.sessions(origin__address=o.address)[0]
    check(len([t for t in texts(s) if "same-mark" in t]) == 1, "its own alone", s)


@case("kubernetes")
def kubelets_read_only_port(w):
    o = Outsider(w)
    status, answer = o.ask("GET", "/pods", port=10255, tls=False)
    check(status == 200 and "PodList" in answer, "the kubelet shows its pods", answer[:300])
    a = stored(w, o, "access.unauthenticated")
    check(a["service"] == "kubelet" and "/pods" in a["sentence"], "what was read", a)
    behind = Outsider(w, source="10.20.0.2", server="10.20.0.1", ns=w.net.inside)
    check(behind.ask("GET", "/pods", port=10255, tls=False)[0] == 200, "nodes read it")
    nothing(w, behind)


def host_pod(w, name, ns, command):
    return w.cluster.pod(name, {
        "hostNetwork": True, "container": {
            "securityContext": {"privileged": True},
            "volumeMounts": [{"name": "h", "mountPath": "/host"}]},
        "volumes": [{"name": "h", "hostPath": {"path": "/"}}]}, ns=ns, command=command)


def one_story(w, o, account, pod):
    """From the first request to the next host: one chain, with all its stages."""
    ran(w, o, "story-mark")
    a = stored(w, o, "container.lateral")
    check("10.20.0.2" in a["sentence"], "where it goes on", a)
    s = w.agent.session(origin__address=o.address, account=account, test=lambda s: [
        d for d in s["destinations"] if d["address"] == "10.20.0.2"])
    check({"access", "activity"} <= set(s["stages"]), "its stages", s)
    chain = stored(w, o, "chain.t1133", lambda a: "10.20.0.2" in a["sentence"])
    check(chain["reason"] == "api" and pod in chain["sentence"] and
          "story-mark" in chain["sentence"], "the story", chain)
    w.settle()
    check(len(api_alerts(w, o, "chain.t1133")) == 1, "one story", api_alerts(w, o))


GOES_ON = ("echo story-mark >/tmp/x; nc 10.20.0.2 22 </dev/null; nc 10.20.0.1 10250 </dev/null; "
           "sleep 300")


@case("kubernetes")
def anonymous_from_the_first_request_to_the_next_host(w):
    """The whole attack by nobody: version, what it may not, secrets, a privileged pod, ssh's port
    of another host and the node's kubelet."""
    let_in(w, "story", "system:anonymous")
    o = Outsider(w)
    o.ask("GET", "/version", want=200)
    o.ask("GET", "/api/v1/secrets", want=403)
    o.ask("GET", "/api/v1/namespaces/story/secrets", want=200)
    o.ask("POST", "/api/v1/namespaces/story/pods", want=201,
          body=host_pod(w, "evil", "story", GOES_ON))
    one_story(w, o, "system:anonymous", "story/evil")
    w.agent.session(origin__address=o.address, test=lambda s: [
        d for d in s["destinations"] if d["port"] == 10250])
    stored(w, o, "access.unauthenticated", lambda a: "story/evil" in a["sentence"])


@case("kubernetes")
def a_stolen_token_from_the_first_request_to_the_next_host(w):
    """The same with somebody's token, and an exec into what it has made."""
    o = carol(w)
    o.ask("GET", "/api/v1/pods", token=o.token, want=200)
    o.ask("POST", "/api/v1/namespaces/default/pods", token=o.token, want=201,
          body=host_pod(w, "stolen", "default", GOES_ON))
    one_story(w, o, o.user, "default/stolen")
    w.cluster.wait_pod("stolen")
    o.kubectl(o.token, "exec", "stolen", "--", "sh", "-c", "echo later-mark; sleep 1")
    ran(w, o, "later-mark")
    w.settle()
    check(len(api_alerts(w, o, "chain.t1133")) == 1, "one story", api_alerts(w, o))


@case("kubernetes")
def the_same_from_an_allowed_address_is_none(w):
    o = Outsider(w, source="198.18.181.2")
    w.cluster.make(MASTERS)
    token = "token-of-carol-%d" % (ADMINS - 1)
    o.ask("POST", "/api/v1/namespaces/default/pods", token=token, want=201,
          body=host_pod(w, "allowed", "default", GOES_ON.replace("story", "allowed")))
    w.cluster.wait_pod("allowed")
    o.kubectl(token, "exec", "allowed", "--", "sh", "-c", "echo allowed-exec; sleep 1")
    nothing(w, o)
    for s in w.agent.sessions():
        check("allowed-" not in json.dumps(s["commands"]), "somebody's", s)
