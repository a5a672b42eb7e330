"""Reads the manifests: as they are written, and as `kubectl kustomize` renders them.

    manifests.py RENDERED-DIRECTORY     checks all; ends with "N passed, N failed"
"""
import os
import re
import sys

import yaml

HERE = "deploy/kubernetes"
OVERLAYS = ["plain", "openshift", "read-only-root"]
NAMESPACES = {"ClusterRole", "Namespace", "SecurityContextConstraints"}  # kinds without one


def rendered(directory, overlay):
    with open("%s/%s.yaml" % (directory, overlay)) as f:
        return [d for d in yaml.safe_load_all(f) if d]


def one(documents, kind):
    found = [d for d in documents if d["kind"] == kind]
    if len(found) != 1:
        raise ValueError("%d of kind %s" % (len(found), kind))
    return found[0]


def pod_of(documents):
    return one(documents, "DaemonSet")["spec"]["template"]["spec"]


def has_reason(lines, at):
    """A comment on that line, or right above the item that it is in."""
    if re.search(r"\S.*#\s*\w+,? \w+", lines[at]):
        return True
    while at > 0 and not lines[at].lstrip().startswith("- "):
        at -= 1
    return at > 0 and lines[at - 1].lstrip().startswith("# ")


def unexplained(text):
    """Lines of host paths and capabilities that do not say what they are for."""
    lines = text.splitlines()
    bad, column = [], None
    for n, line in enumerate(lines):
        word, indent = line.strip(), len(line) - len(line.lstrip())
        if word in ("add:", "allowedCapabilities:"):
            column = indent
            if word == "allowedCapabilities:" and lines[n - 1].strip().startswith("# "):
                column = None
        elif column is not None and word.startswith("- ") and indent >= column:
            if not has_reason([line], 0):
                bad.append("%d: %s" % (n + 1, word))
        elif word and indent <= (column or 0):
            column = None
        if word == "hostPath:" and not has_reason(lines, n):
            bad.append("%d: %s" % (n + 1, lines[n + 1].strip()))
        if re.match(r"host(PID|Network|IPC):", word) and not lines[n - 1].strip().startswith("# "):
            bad.append("%d: %s" % (n + 1, word))
    return bad


def wrongs(documents):
    """What no overlay may be."""
    bad = []
    pod = pod_of(documents)
    spec = one(documents, "DaemonSet")["spec"]
    agent = pod["containers"][0]
    security = agent["securityContext"]
    names = {v["name"] for v in pod["volumes"]}
    if "privileged: true" in yaml.safe_dump_all(documents).lower():
        bad.append("something is privileged")
    if security.get("privileged") is not False or security.get("allowPrivilegeEscalation") is not False:
        bad.append("privileged or allowPrivilegeEscalation is not refused")
    if security["capabilities"]["drop"] != ["ALL"] or "ALL" in security["capabilities"]["add"]:
        bad.append("capabilities are not dropped first")
    if pod.get("hostIPC") or pod.get("hostNetwork"):
        bad.append("a namespace of the host that it does not need")
    if pod.get("automountServiceAccountToken") is not False:
        bad.append("a token is mounted")
    if one(documents, "ServiceAccount").get("automountServiceAccountToken") is not False:
        bad.append("the account's token is mounted")
    if spec["selector"]["matchLabels"].items() - spec["template"]["metadata"]["labels"].items():
        bad.append("the selector does not select")
    if pod["tolerations"] != [{"operator": "Exists"}]:
        bad.append("some taint keeps it away")
    for what in ("requests", "limits"):
        if set(agent["resources"][what]) != {"cpu", "memory"}:
            bad.append("no " + what)
    if {m["name"] for m in agent["volumeMounts"]} != names:
        bad.append("volumes and mounts differ")
    for v in pod["volumes"]:
        path = v.get("hostPath", {}).get("path")
        if path in ("/", "/etc", "/proc", "/var/run", "/run", "/var/run/docker.sock"):
            bad.append("too much of the host: " + path)
    if any("subPath" in m for m in agent["volumeMounts"]):
        bad.append("a subPath never changes")
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        if not agent[probe]["exec"]["command"][0].startswith("/usr/bin/outergate"):
            bad.append(probe + " needs a shell")
    for d in documents:
        if d["kind"] not in NAMESPACES and d["metadata"].get("namespace") != "outergate":
            bad.append("%s is in no namespace of ours" % d["kind"])
    if one(documents, "ConfigMap")["metadata"]["name"] not in str(pod["volumes"]):
        bad.append("the ConfigMap has another name")
    with open("VERSION") as f:
        if not agent["image"].endswith(":" + f.read().strip()):
            bad.append("another version: " + agent["image"])
    return bad


def openshift_wrongs(documents):
    """The constraints and the pod, which must be what they allow."""
    scc, pod = one(documents, "SecurityContextConstraints"), pod_of(documents)
    security = pod["containers"][0]["securityContext"]
    kinds = {k for v in pod["volumes"] for k in v if k != "name"}
    bad = []
    if set(scc["allowedCapabilities"]) != set(security["capabilities"]["add"]):
        bad.append("other capabilities than the pod's")
    if set(scc["volumes"]) != kinds:
        bad.append("volumes %s and %s" % (scc["volumes"], kinds))
    if scc["allowHostPID"] != pod.get("hostPID", False) or scc["allowPrivilegedContainer"]:
        bad.append("hostPID or privileged")
    if scc["readOnlyRootFilesystem"] and not security.get("readOnlyRootFilesystem"):
        bad.append("the root can be written to")
    if scc["users"] != ["system:serviceaccount:outergate:" + pod["serviceAccountName"]]:
        bad.append("somebody else may use them")
    return bad


def unit_wrongs(documents):
    """The service's capabilities and the pod's are the same, but for the directories that kubelet makes."""
    with open("deploy/systemd/outergate.service") as f:
        unit = re.search(r"^CapabilityBoundingSet=(.*)$", f.read(), re.M).group(1).split()
    pod = {"CAP_" + c for c in pod_of(documents)["containers"][0]["securityContext"]["capabilities"]["add"]}
    # The pod is root's: it makes processes of other users itself, where the unit asks systemd.
    return sorted(pod ^ (set(unit) | {"CAP_CHOWN", "CAP_SETUID", "CAP_SETGID", "CAP_KILL"}))


def seen_wrong():
    """The checks can fail: what they are for, in small."""
    text = "volumes:\n  - name: a\n    hostPath:\n      path: /a\n"
    caps = "capabilities:\n  add:\n    - KILL\n"
    return [t for t in (text, caps, "spec:\n  hostPID: true\n") if not unexplained(t)] + \
           [t for t in ("volumes:\n  # Its reason is this.\n" + text[9:], caps.replace("KILL", "KILL # ends them"))
            if unexplained(t)]


def main():
    directory, passed, failed = sys.argv[1], 0, 0

    def check(name, bad):
        nonlocal passed, failed
        passed, failed = passed + (not bad), failed + bool(bad)
        print("%s %s" % ("FAIL" if bad else "PASS", name))
        for b in bad:
            print("    %s" % b)
    for at, _, files in sorted(os.walk(HERE)):
        for name in sorted(files):
            with open(os.path.join(at, name)) as f:
                check("reasons: %s/%s" % (at[len(HERE) + 1:], name), unexplained(f.read()))
    check("what has no reason is found", seen_wrong())
    for o in OVERLAYS:
        documents = rendered(directory, o)
        check("overlay " + o, wrongs(documents))
        check("overlay %s: capabilities of the unit" % o, unit_wrongs(documents))
    documents = rendered(directory, "openshift")
    check("openshift: the constraints fit", openshift_wrongs(documents))
    pod_of(documents)["containers"][0]["securityContext"]["privileged"] = True
    check("a privileged pod would be seen", [] if wrongs(documents) else ["it was not"])
    check("read-only root", [] if pod_of(rendered(directory, "read-only-root"))["containers"][0][
        "securityContext"].get("readOnlyRootFilesystem") else ["it is not"])
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
