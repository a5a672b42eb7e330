"""The world of the cluster's cases, and requests to the API server that change nothing."""
import glob
import json

from cases import case, world
from cluster import AT, Cluster, Outsider
from harness import Agent, Sshd, World, brief, check, the_journal
from sandbox import wait_for

PROXY = "198.18.180.7"      # of TrustedProxies
ALLOWED = "198.18.181.0/28"  # of AllowedCIDRs
CONFIG = """AllowedCIDRs: [%s]
TrustedProxies:
  - {from: %s/32, kind: xff}
""" % (ALLOWED, PROXY)


class KubeWorld(World):
    def settle(self):
        """As of any world; and a request of nobody's has come through the audit log."""
        super().settle()
        o = Outsider(self)
        o.ask("GET", "/apis/marker", want=403)
        wait_for("the marker's request", lambda: api_alerts(self, o, "container.api_external"), 20)


@world("kubernetes")
def kubernetes(net, users):
    the_journal()
    w = KubeWorld("kube", net, users, CONFIG, files=[AT + "/log/audit.log"])
    w.start_common("127.0.0.1")
    w.cluster = Cluster(net, "192.0.2.%d" % w.slice())
    w.inside = Sshd(net, net.inside, ["10.20.0.2"])
    w.agent.start()
    w.cluster.api("get", "--raw", "/version")  # the log is read
    wait_for("the audit log's first line", lambda: w.agent.status()["counters"]["lines_decoded"])
    w.end = lambda: end(w)
    return w


def end(w):
    """Nothing was lost, and no line was bad."""
    w.settle()
    status = w.agent.status()
    for name in ("records_bad", "records_lost_precious", "store_errors", "sink_errors",
                 "lines_bad"):
        check(status["counters"].get(name, 0) == 0, "status: %s is not 0" % name, status)
    w.agent.stop()
    w.cluster.stop()


def api_alerts(w, o, detection=None):
    """Alerts of that outsider, told or not."""
    return [a for a in w.agent.stored_alerts() if a.get("origin", {}).get("address") == o.address
            and (not detection or a["detection"] == detection)]


def stored(w, o, detection, test=None):
    def found():
        return [a for a in api_alerts(w, o, detection) if not test or test(a)]
    return wait_for(lambda: "%s of %s: %s" % (detection, o.address, json.dumps(api_alerts(w, o))),
                    found, 20)[0]


def nothing(w, o, but=()):
    w.settle()
    found = [a for a in api_alerts(w, o) if a["detection"] not in but]
    check(not found, "nothing to tell of %s: %s" % (o.address, brief(found)), *found)


def audited(w, o, test):
    """What the API server wrote of that address."""
    return [e for e in w.cluster.lines() if e["sourceIPs"][-1] == o.address and test(e)]


@case("kubernetes")
def version_and_health_are_shown_to_anybody(w):
    o = Outsider(w)
    for path in ("/version", "/version?timeout=32s", "/healthz", "/livez", "/readyz"):
        o.ask("GET", path, want=200)
    nothing(w, o)
    check(len(audited(w, o, lambda e: e["stage"] == "ResponseComplete")) == 5, "all are in the log")
    check(not w.agent.sessions(origin__address=o.address), "no visit")


OPEN = """apiVersion: v1
kind: Namespace
metadata: {name: %(ns)s}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: r, namespace: %(ns)s}
rules: [{apiGroups: [""], resources: [secrets, pods, pods/log, pods/exec], verbs: [get, list, create]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: r, namespace: %(ns)s}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: %(who)s}]
"""


def let_in(w, ns, who):
    w.cluster.make(OPEN % {"ns": ns, "who": json.dumps(who)})


@case("kubernetes")
def anonymous_reads_what_it_may(w):
    let_in(w, "open", "system:anonymous")
    o = Outsider(w)
    o.ask("GET", "/api/v1/namespaces/open/secrets", want=200)
    a = stored(w, o, "access.unauthenticated")
    check(a["severity"] == "high" and "/api/v1/namespaces/open/secrets" in a["sentence"] and
          "list" in a["sentence"], "what was read", a)
    check(a["service"] == "kube-api", "of what", a)
    s = w.agent.session(origin__address=o.address)
    check(s["account"] == "system:anonymous" and s["service"] == "kube-api", "the visit", s)


@case("kubernetes")
def what_is_forbidden_is_low_and_no_visit(w):
    o = Outsider(w)
    before = w.agent.status()["counters"].get("apis_refused", 0)
    paths = ("/api/v1/secrets", "/api/v1/nodes", "/api/v1/pods",
             "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
             "/api/v1/namespaces/kube-system/configmaps")
    for path in paths:
        o.ask("GET", path, want=403)
    o.ask("POST", "/api/v1/namespaces/default/pods", body=w.cluster.pod("refused"), want=403)
    nothing(w, o, but=["container.api_external"])
    a = stored(w, o, "container.api_external", lambda a: a["count"] == len(paths) + 1)
    check(a["severity"] == "low" and "refused" in a["sentence"], "how bad", a)
    check(not w.agent.sessions(origin__address=o.address), "no visit")
    check(w.agent.status()["counters"]["apis_refused"] >= before + a["count"], "status counts them")


@case("kubernetes")
def a_bad_token_is_refused(w):
    o = Outsider(w)
    o.ask("GET", "/api/v1/pods", token="nobodys-token", want=401)
    a = stored(w, o, "container.api_external")
    check(a["severity"] == "low", "how bad", a)
    nothing(w, o, but=["container.api_external"])
    check(not w.agent.sessions(origin__address=o.address), "no visit")


@case("kubernetes")
def a_service_accounts_token_from_outside(w):
    """A pod's token, taken from it, is used from outside the cluster."""
    who = "system:serviceaccount:sa-test:builder"
    let_in(w, "sa-test", who)
    w.cluster.api("create", "serviceaccount", "builder", "-n", "sa-test")
    answer = json.loads(w.cluster.api(
        "create", "--raw", "/api/v1/namespaces/sa-test/serviceaccounts/builder/token", "-f", "-",
        input=json.dumps({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
                          "spec": {"audiences": [], "expirationSeconds": 3600}}).encode()).stdout)
    o = Outsider(w)
    o.ask("GET", "/api/v1/namespaces/sa-test/pods", token=answer["status"]["token"], want=200)
    a = stored(w, o, "container.api_external", lambda a: a["severity"] == "medium")
    check(a["account"] == who, "whose token", a)
    s = w.agent.session(origin__address=o.address)
    check(s["account"] == who, "the visit", s)
    nothing(w, o, but=["container.api_external", "access.external"])


@case("kubernetes")
def allowed_addresses_and_their_neighbours(w):
    """The administrator's token from AllowedCIDRs, from the address after it, and from inside."""
    let_in(w, "admins", "alice")
    inside = Outsider(w, source="198.18.181.15")
    beside = Outsider(w, source="198.18.181.16")
    behind = Outsider(w, source="10.20.0.2", server="10.20.0.1", ns=w.net.inside)
    local = Outsider(w, source="127.0.0.1", server="127.0.0.1", ns=w.net.srv)
    for o in (inside, beside, behind, local):
        o.ask("GET", "/api/v1/namespaces/admins/secrets", token="token-of-alice", want=200)
        o.ask("GET", "/api/v1/nodes", token="token-of-alice", want=403)
    stored(w, beside, "container.api_external", lambda a: a["severity"] == "medium")
    for o in (inside, behind, local):
        nothing(w, o)
    for o in (inside, behind, local):
        check(audited(w, o, lambda e: e["user"].get("username") == "alice"), "it did ask")


@case("kubernetes")
def who_asked_is_the_last_address(w):
    """What a client writes into X-Forwarded-For is its claim."""
    let_in(w, "claims", "system:anonymous")
    o = Outsider(w)
    for claim in ("10.0.0.9", "127.0.0.1", "198.18.181.1", "10.0.0.9, 10.0.0.8"):
        o.ask("GET", "/api/v1/namespaces/claims/secrets", headers=[("X-Forwarded-For", claim)],
              want=200)
    o.ask("GET", "/api/v1/namespaces/claims/secrets", headers=[("X-Real-Ip", "10.0.0.7")], want=200)
    a = stored(w, o, "access.unauthenticated", lambda a: a["count"] == 5)
    check(a["severity"] == "high", "how bad", a)
    log = audited(w, o, lambda e: e["stage"] == "ResponseComplete")
    check(log[0]["sourceIPs"] == ["10.0.0.9", o.address], "as the server writes it", log)


@case("kubernetes")
def behind_a_trusted_proxy(w):
    """The address before the proxy's counts; without one the proxy itself has asked."""
    let_in(w, "behind", "bob")
    proxy = Outsider(w, source=PROXY)
    far = w.outside(w.slice())
    path = "/api/v1/namespaces/behind/secrets"
    proxy.ask("GET", path, token="token-of-bob",
              headers=[("X-Forwarded-For", "10.1.1.1, " + far)], want=200)
    proxy.ask("GET", path, token="token-of-bob", headers=[("X-Forwarded-For", "198.18.181.3")],
              want=200)
    s = w.agent.session(origin__address=far)
    check(s["account"] == "bob" and PROXY in json.dumps(s), "who, and by way of whom", s)
    w.settle()
    told = [a for a in w.agent.stored_alerts() if a["detection"] == "container.api_external" and
            a["origin"]["address"] in (far, PROXY, "198.18.181.3")]
    check([a["origin"]["address"] for a in told] == [far], "whom it blames", brief(told))


@case("kubernetes")
def the_clients_audit_id_hides_nothing(w):
    """auditID is the client's to choose: the second request under it is one more."""
    let_in(w, "ids", "system:anonymous")
    o = Outsider(w)
    mine = [("Audit-ID", "11111111-2222-3333-4444-555555555555")]
    o.ask("GET", "/version", headers=mine, want=200)
    for _ in range(3):
        o.ask("GET", "/api/v1/namespaces/ids/secrets", headers=mine, want=200)
    a = stored(w, o, "access.unauthenticated", lambda a: a["count"] == 3)
    check({e["auditID"] for e in audited(w, o, lambda e: True)} == {mine[0][1]}, "as it chose", a)


@case("kubernetes")
def the_webhooks_lists_tell_the_same(w):
    """EventLists as the API server posts them, in a file of their own, for another agent. A list
    must fit into a line of 64 KiB: --audit-webhook-batch-max-size."""
    let_in(w, "hooked", "system:anonymous")
    agent = Agent("webhook", "", journal=False, files=[w.cluster.webhook_log]).start()
    o = Outsider(w)
    o.ask("GET", "/api/v1/namespaces/hooked/secrets", headers=[("X-Forwarded-For", "10.0.0.1")],
          want=200)

    def told():
        return [a for a in agent.stored_alerts() if a["detection"] == "access.unauthenticated" and
                a["origin"]["address"] == o.address]
    a = wait_for(lambda: "the list's event: " + brief(agent.stored_alerts()), told, 20)[0]
    check("/api/v1/namespaces/hooked/secrets" in a["sentence"], "what was read", a)
    check(agent.status()["counters"].get("lines_bad", 0) == 0, "no line is bad", agent.status())
    agent.stop()


@case("kubernetes")
def a_log_that_the_api_server_rotates(w):
    """At 1 MB it renames the file and begins another; who asks right after is told."""
    let_in(w, "rotated", "system:anonymous")
    local = Outsider(w, source="127.0.0.1", server="127.0.0.1", ns=w.net.srv)

    def rotated():
        return len(glob.glob(AT + "/log/audit-*.log"))
    before = rotated()
    local.ask("GET", "/version?" + "x" * 8000, want=200, times=80)
    check(rotated() > before, "the API server did not rotate its log")
    o = Outsider(w)
    o.ask("GET", "/api/v1/namespaces/rotated/secrets", want=200)
    stored(w, o, "access.unauthenticated")
