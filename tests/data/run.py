"""Replays every recorded file that a decoder exists for and checks what INDEX.md of the data says a
detector should conclude. Ends with "N passed, N failed[, N skipped]"."""
import gzip
import json
import os
import subprocess
import sys
import tempfile

import cloud
import gateways
import shapes

BINARY = os.path.abspath(sys.argv[1])
DATA = os.path.abspath(os.environ.get("OUTERGATE_DATA", "../shared/data"))
count = {"passed": 0, "failed": 0, "skipped": 0}


def check(name, ok, detail=""):
    count["passed" if ok else "failed"] += 1
    if not ok:
        print("FAILED %s: %s" % (name, str(detail)[:2000]))


def replay(show, *args, data=None):
    r = subprocess.run([BINARY, "replay", show, *args], input=data, capture_output=True)
    if r.returncode:
        check("replay %s %s" % (show, " ".join(args)), False, r.stderr.decode())
    return [json.loads(line) for line in r.stdout.decode().splitlines()]


def path_of(name):
    path = os.path.join(DATA, name)
    if os.path.exists(path):
        return path
    print("SKIPPED %s: not there; set OUTERGATE_DATA" % path)
    count["skipped"] += 1
    return None


def recorded(function):
    """A case whose arguments' defaults are the names of its files."""
    paths = [path_of(name) for name in function.__defaults__]
    if all(paths):
        function(*paths)


def by_id(alerts, detection):
    return [a for a in alerts if a["detection"] == detection]


def external(rows):
    return [r for r in rows if r.get("origin", {}).get("scope") in ("external", "reserved")]


def tries(events, outcome):
    return [e for e in events if e["kind"] == "attempt" and e["outcome"] == outcome]


def config(text):
    f = tempfile.NamedTemporaryFile("w", suffix=".yaml")
    f.write(text)
    f.flush()
    return f


# --- Windows

def internet_exposed_rdp(evtx="evtx/rdpcorets-internet-exposed-host.evtx"):
    alerts = replay("--alerts", evtx)
    forced = by_id(alerts, "auth.bruteforce")
    origins = sorted((a["origin"]["address"], a["count"]) for a in forced)
    # Of the 17 of the first, two came five hours before the rest: they are noise.
    check("two sources guess", origins == [("212.92.115.217", 15), ("98.109.178.208", 6)], origins)
    check("over RDP, by a password", all(a["service"] == "rdp" and a["method"] == "password"
                                         for a in forced), forced)
    check("whether the account exists is not known", all(a["severity"] == "low" and
                                                         "account" not in a for a in forced))
    noise = by_id(alerts, "auth.noise")
    days = sorted(a["time"][:10] for a in noise)
    check("one digest a day", days == ["2018-08-0%d" % d for d in range(2, 8)], days)
    check("nothing else", len(alerts) == len(forced) + len(noise), alerts)
    events = replay("--events", evtx)
    failures = tries(events, "failure")
    check("126 failures", len(failures) == 126, len(failures))
    check("of 62 addresses", len({e["origin"]["address"] for e in failures}) == 62)
    check("131 is no logon", all("account" not in e for e in failures) and
          not tries(events, "success"))
    of_131 = {e["windows"]["activity"] for e in events if e["windows"]["event_id"] == 131}
    of_140 = {e["windows"]["activity"] for e in events if e["windows"]["event_id"] == 140}
    check("119 connections failed", len(of_131 & of_140) == 119, len(of_131 & of_140))
    check("no session", replay("--sessions", evtx) == [])


def failed_rdp(evtx="evtx/security-rdp-failed-external.evtx"):
    events = replay("--events", evtx)
    got = [(e["account"], e["origin"]["address"], e["service"]) for e in tries(events, "failure")]
    check("one failed RDP logon", got == [("Administrator", "23.94.153.202", "rdp")], got)
    check("no alert", replay("--alerts", evtx) == [])
    with config("FailedLogonThreshold: 1\n") as f:
        alerts = replay("--alerts", "--config", f.name, evtx)
        check("it counts once", alerts == [], alerts)


def internal_admin(evtx="evtx/security-internal-admin-benign.evtx"):
    alerts = replay("--alerts", evtx)
    check("benign: no external alert", external(alerts) == [], alerts)
    check("benign: nothing of medium", all(a["severity"] in ("info", "low") for a in alerts))
    check("benign: no external session", external(replay("--sessions", evtx)) == [])
    got = [(e["account"], e["origin"]["address"]) for e in tries(replay("--events", evtx),
                                                                 "failure") if "origin" in e]
    check("four failures of 10.20.0.118", got == [("Student", "10.20.0.118")] * 4, got)


def without_cleared(alerts):
    """Who recorded these logs had emptied them before (1102), which is told."""
    return [a for a in alerts if a.get("reason") != "log-cleared"]


def fused(security="evtx/ID4625-OpenSSH_brute_nonexisting.evtx",
          openssh="evtx/ID4-OpenSSH_brute_nonexisting_sshdlogs.evtx",
          security_json="windows-ndjson/ID4625-OpenSSH_brute_nonexisting.ndjson",
          openssh_json="windows-ndjson/ID4-OpenSSH_brute_nonexisting_sshdlogs.ndjson"):
    seen = []
    for files in ([security, openssh], [openssh, security], [security_json, openssh_json],
                  [openssh_json, security]):
        alerts = replay("--alerts", *files)
        check("five tries are not more than five", without_cleared(alerts) == [], alerts)
        check("the log was emptied before", len(alerts) == (security in files), alerts)
        with config("FailedLogonThreshold: 4\nPrivacy: {UnknownAccounts: keep}\n") as f:
            alerts = by_id(replay("--alerts", "--config", f.name, *files), "auth.bruteforce")
        got = [(a["count"], a["origin"]["address"], a["account"], a["service"]) for a in alerts]
        check("each try counts once", got == [(5, "10.23.23.9", "hacker", "ssh")], got)
        seen.append([a["id"] for a in alerts])
    # The JSON begins with another record, and moments are counted from the first in tenths.
    del seen[2]
    check("the same alert in any order and form", all(s == seen[0] for s in seen), seen)
    with config("FailedLogonThreshold: 4\n") as f:
        alone = without_cleared(replay("--alerts", "--config", f.name, security))
        check("without the text there is no address", alone == [], alone)


def account_restriction(evtx="evtx/ID4625-LT10_account_restriction.evtx"):
    got = [(e["outcome"], e["service"], e["origin"]["address"], "account" in e)
           for e in replay("--events", evtx)]
    check("two failed RDP logons of nobody", got == [("failure", "rdp", "10.23.23.9", False)] * 2,
          got)


def kerberos(evtx="evtx/ID4771-Kerberos_brute_valid.evtx"):
    alerts = replay("--alerts", evtx)
    got = [(a["detection"], a["count"], a["origin"]["address"], a["account"], a["severity"],
            a["method"]) for a in alerts]
    check("Kerberos guessing", got == [("auth.bruteforce", 54, "10.23.123.11", "admin-hacker",
                                        "low", "domain-auth")], got)
    check("opens no session", replay("--sessions", evtx) == [])


def listening(evtx="evtx/ID4-OpenSSH_server_listening.evtx"):
    events = replay("--events", evtx)
    check("it listens", [e["kind"] for e in events] == ["listen"] * 6 and
          events[0]["dest"] == {"address": "::", "port": 22}, events)
    check("no intrusion", replay("--alerts", evtx) == [] and replay("--sessions", evtx) == [])


def whole_rdp_life(path="windows-ndjson/rdp_first_logon_and_reconnect_1.2.3.4.ndjson"):
    sessions = replay("--sessions", path)
    outside = external(sessions)
    got = [(s["account"], s["service"], s["origin"]["address"], s.get("reconnects"), s["state"],
            s["open"]) for s in outside]
    check("one external session, one reconnect", got == [
        ("pgustavo", "rdp", "1.2.3.4", 1, "open", "2020-09-04T07:08:14.000Z")], got)
    check("the controller saw the inside only", all(s["service"] == "network" and
                                                    s["origin"]["scope"] == "private"
                                                    for s in sessions if s not in outside))
    alerts = replay("--alerts", path)
    got = [(a["detection"], a["account"], a["count"]) for a in external(alerts)]
    check("one access", got == [("access.external", "pgustavo", 1)], got)
    # The zone of NXLog's local times comes from the time of receipt beside them.
    check("local times have their zone", sessions[0]["open"].startswith("2020-09-04T07:08"))


def winrm(path="windows-ndjson/psremoting_winrm_LT3.ndjson"):
    sessions = replay("--sessions", path)
    got = [(s["account"], s["service"], s["origin"]["address"], s["origin"]["scope"])
           for s in sessions]
    check("one internal WinRM session", got == [("pgustavo", "winrm", "172.18.39.5", "private")],
          got)
    check("no alert", replay("--alerts", path) == [])


def enable_rdp(path="windows-ndjson/enable_rdp.ndjson"):
    check("machine accounts are no session", replay("--sessions", path) == [] and
          replay("--alerts", path) == [])


def twins():
    """EVTX and its JSON give the same events, but for how they were read."""
    names = [n[:-5] for n in sorted(os.listdir(os.path.join(DATA, "evtx")))
             if os.path.exists(os.path.join(DATA, "windows-ndjson", n[:-5] + ".ndjson"))]
    check("there are twins", len(names) >= 6, names)
    for name in names:
        both = []
        for folder, ext in (("evtx", "evtx"), ("windows-ndjson", "ndjson")):
            rows = replay("--events", os.path.join(DATA, folder, name + "." + ext))
            for r in rows:
                del r["line"], r["source"]
            # Whoever made the JSON left out what is no logon.
            both.append([r for r in rows if r["kind"] not in ("sensor", "exec")])
        check("twins of " + name, both[0] == both[1] and both[0], name)


def same_in_every_shape():
    events = []
    for name in ("ID4625-LT10_account_restriction", "ID4625-OpenSSH_brute_nonexisting",
                 "ID4-OpenSSH_brute_nonexisting_sshdlogs", "security-rdp-failed-external",
                 "ID4771-Kerberos_brute_valid", "rdpcorets-internet-exposed-host"):
        with open(os.path.join(DATA, "windows-ndjson", name + ".ndjson")) as f:
            events += [json.loads(line) for line in f][:300]

    def read(shape):
        data = "\n".join(shapes.text(shape, e) for e in events).encode()
        rows = replay("--events", "-", data=data)
        for r in rows:
            r.pop("source", None)
        return rows
    want = read(shapes.row)
    check("there is something to compare", len(want) > 150, len(want))
    for shape in shapes.ALL:
        got = read(shape)
        bad = next(((a, b) for a, b in zip(got, want) if a != b), (len(got), len(want)))
        check("shape " + shape.__name__, got == want, bad)


def damaged(evtx="evtx/ID4771-Kerberos_brute_valid.evtx",
            large="evtx/rdpcorets-internet-exposed-host.evtx"):
    """Event logs that are cut or changed: an error that names the file, never a crash."""
    def run(data, *args):
        with tempfile.NamedTemporaryFile(suffix=".evtx") as f:
            f.write(data)
            f.flush()
            r = subprocess.run([BINARY, "replay", "--events", *args, f.name], capture_output=True)
            return r.returncode, r.stdout, r.stderr.decode(), f.name
    with open(evtx, "rb") as f:
        small = f.read()
    with open(large, "rb") as f:
        whole = f.read()
    for size in (8, 100, 4095, 4096, 5000, 40000):
        code, _, err, name = run(small[:size])
        check("cut at %d" % size, code == 1 and name in err and "cut short" in err, (code, err))
    code, out, err, name = run(whole[:4096 + 65536 * 5 + 1000])
    check("what is whole of a cut log is read", code == 1 and "5 of 16 chunks" in err and
          out.count(b"\n") > 100, (code, err))
    for at in range(0, 6000, 97):
        changed = bytearray(small)
        changed[at] ^= 0xff
        code, _, err, name = run(bytes(changed))
        check("changed at %d" % at, code in (0, 1) and ("read " in err or name in err), (code, err))
    r = subprocess.run([BINARY, "replay", "--events", "-"], input=gzip.compress(small),
                       capture_output=True)
    check("compressed, from a pipe", r.returncode == 0 and r.stdout.count(b"\n") == 54, r.stderr)


def labelled_nxlog(path="gateway/windows_nxlog.ndjson"):
    with open(path) as f:
        for row in map(json.loads, f):
            want = row["expected"]
            events = replay("--events", "-", data=row["message"].encode())
            if want["event"]["code"] == "4634":
                check(row["path"], [e["kind"] for e in events] == ["session_close"], events)
                continue
            if want["event"]["code"] == "4648":
                check(row["path"], [e["kind"] for e in events] == ["auth_note"], events)
                continue
            check(row["path"], [e["outcome"] for e in events] == [want["event"]["outcome"]],
                  events)
            address = (want.get("source") or {}).get("ip")
            got = [e.get("origin", {}).get("address") for e in events]
            check(row["path"] + " address", got == [address], got)


# --- text

def loghub(path="text/OpenSSH_2k.log"):
    sessions = replay("--sessions", path)
    got = [(s["account"], s["origin"]["address"], s["failures_before"])
           for s in external(sessions)]
    check("one external success without failures before it",
          got == [("fztu", "119.137.62.142", 0)], got)
    alerts = replay("--alerts", path)
    check("one access", len(by_id(alerts, "access.external")) == 1)
    check("no success of a guesser", by_id(alerts, "auth.bruteforce_success") == [] and
          by_id(alerts, "chain.t1133") == [])
    with open(path, "rb") as f:
        data = f.read()
    member = [gzip.compress(data[:100000]), gzip.compress(data[100000:])]
    check("compressed, in two members", replay("--alerts", "-", data=b"".join(member)) == alerts)


def slow_guessing(path="text/ssh-slow-bf.log"):
    events = replay("--events", path)
    check("slow guessing: one account that does not exist, one source",
          {(e["account"], e["origin"]["address"]) for e in events} ==
          {("hadoop", "103.100.210.198")} and len(events) == 22, events)
    check("slow guessing: never a session", replay("--sessions", path) == [])
    fast = by_id(replay("--alerts", path), "auth.bruteforce_success")
    check("slow guessing: nobody came in", fast == [], fast)


def sshd_variants(path="text/sshd-logs.log"):
    events = replay("--events", path)
    check("sshd variants", len(events) >= 23 and not tries(events, "success"), len(events))


def benign_sshd(path="text/syslog_ssh.log"):
    events = replay("--events", path)
    check("v4 and v6", {("." in e["origin"]["address"]) for e in events if "origin" in e} ==
          {True, False}, events)


def round_trip():
    """What --events prints, read back, gives the same alerts and sessions."""
    for name in ("text/OpenSSH_2k.log", "evtx/rdpcorets-internet-exposed-host.evtx",
                 "windows-ndjson/rdp_first_logon_and_reconnect_1.2.3.4.ndjson"):
        path = os.path.join(DATA, name)
        r = subprocess.run([BINARY, "replay", "--events", path], capture_output=True)
        again = subprocess.run([BINARY, "replay", "--events", "-"], input=r.stdout,
                               capture_output=True)
        check("read back: events of " + name, again.stdout == r.stdout and r.stdout)
        for show in ("--alerts", "--sessions"):
            check("read back: %s of %s" % (show, name),
                  replay(show, "-", data=r.stdout) == replay(show, path))


def servers_of_windows(owa="text/iis7_owa.log", nps="gateway/always_on_vpn_nps.ndjson"):
    got = [(e["service"], e["outcome"], e["account"], e["origin"]["address"])
           for e in replay("--events", owa)]
    check("OWA, EWS and ActiveSync", got == [
        ("mail", "success", "domain.localjohndoe", a)
        for a in ("77.123.22.98", "10.10.5.2", "77.123.22.98")], got)
    with open(nps, encoding="utf-8") as f:
        rows = [json.loads(line) for line in f]
    rows.sort(key=lambda r: "access_accept" in r["path"])  # the request comes first
    data = "\n".join(r["message"] for r in rows).encode()
    got = [(e["service"], e["outcome"], e["account"], e["origin"]["address"], e["time"])
           for e in replay("--events", "-", data=data)]
    want = rows[-1]["expected"]
    check("NPS: an accept with the address of its request", got == [
        ("vpn", "success", want["user"]["name"], "4.3.2.1",
         want["@timestamp"].replace("Z", ".000Z"))], got)


def kubernetes(pod="gateway/k8s-audit-priv-pod-file.log", samples="gateway/k8s_audit.ndjson"):
    e = replay("--events", pod)[0]
    got = (e["kind"], e["service"], e["outcome"], e["account"], e["origin"]["address"], e["risks"],
           e["command"], e["api"]["action"], e["api"]["container"], e["api"]["image"])
    check("a privileged pod", got == (
        "api", "kube-api", "success", "minikube-user", "192.168.49.1", ["privileged"],
        "sh -c sleep infinity", "create", "foo/test-pod-1", "centos"), got)
    check("by who said who he is: no alert", replay("--alerts", pod) == [])
    with open(samples, encoding="utf-8") as f:
        rows = [json.loads(line) for line in f]
    data = "".join(r["message"].strip() + "\n" for r in rows).encode()
    events = replay("--events", "-", data=data)
    check("every sample is read", len(events) == len(rows), len(events))
    for e, r in zip(events, rows):
        want, outcome = r["expected"], {"allow": "success", "forbid": "refused"}
        got = (e["outcome"], e["api"]["verb"], e["api"].get("user", e["account"]))
        check("a sample", got == (outcome[want["event"]["outcome"]], want["event"]["action"],
                                  want["user"]["name"]), (got, want))
        # Theirs is the first of sourceIPs, which is the client's word; ours is the last.
        claimed = e["api"].get("via", e["origin"]["address"]).split(", ")[0]
        check("its first address", claimed == want["source"]["ip"], (claimed, want))
    check("risks of samples", [e.get("risks") for e in events] ==
          [None, ["privileged"], ["host_mount"], None])
    # Their anonymised addresses are outside: that these use the API is told, and nothing else.
    alerts = {(a["detection"], a["origin"]["address"]) for a in replay("--alerts", "-", data=data)}
    check("samples: who asks from outside", {d for d, _ in alerts} <= {
        "container.api_external", "container.created_after_api", "access.external", "chain.t1133"},
          alerts)


def written_sessions():
    """Of the golden cases, which hold the alerts only."""
    sessions = replay("--sessions", "tests/golden/access.external/rdp-is-one-session/input.log")
    got = [(s["service"], s["state"], s.get("reconnects"), s["open"], s["close"]) for s in sessions]
    check("logged on, left, came back, logged off: one session", got == [
        ("rdp", "closed", 1, "2024-03-05T10:00:01.000Z", "2024-03-05T10:30:00.000Z")], got)
    got = [s["service"] for s in replay(
        "--sessions", "tests/golden/access.external/windows-network-logon/input.log")]
    check("of each service one", got == ["network", "smb", "winrm"], got)
    for name, close, inner, group in (
            ("access.external/vpn-gateway-is-one-session", "10:00:01", "10.1.2.3", "VPN"),
            ("access.external/vpn-lines-joined-by-their-number", "09:30:00", "10.1.2.3", None),
            ("access.external/softether-lines-joined", "09:30:00", "192.168.30.10", "VPN"),
            ("session.address_changed/vpn-resumed-elsewhere", "10:06:40", "10.1.2.3", "VPN")):
        first, *rest = replay("--sessions", "tests/golden/%s/input.log" % name)
        got = (first["service"], first["state"], first["close"][11:19], first["gateway"])
        want = {"assigned": inner} | ({"group": group} if group else {})
        check("%s: begin, end, inner address" % name, got == ("vpn", "closed", close, want), got)
        check("%s: one session" % name, len(rest) == ("address_changed" in name), rest)


def gateway_lines():
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "decode"))
    import cases
    gateways.LEFT_OUT.update(cloud.LEFT_OUT)
    gateways.NOT_SO.update(cloud.NOT_SO)
    for name in gateways.LEFT_OUT:
        path = path_of("gateway/%s.ndjson" % name)
        if path:
            gateways.run(name, path, lambda line: cases.decode(BINARY, line), check)
        if path and name in cloud.LEFT_OUT:
            cloud.accounts(path, lambda line: cases.decode(BINARY, line), check)


def guessed_vpn(path="gateway/fortinet-vpn-bf.log"):
    alerts = by_id(replay("--alerts", path), "auth.bruteforce")
    got = [(a["service"], a["origin"]["address"], a["count"]) for a in alerts]
    check("nine guesses at a VPN", got == [("vpn", "192.168.0.1", 9)], got)
    check("no session", replay("--sessions", path) == [])


def main():
    written_sessions()
    if not path_of("evtx") or not path_of("windows-ndjson"):
        print("SKIPPED everything: no recorded data at %s; set OUTERGATE_DATA" % DATA)
    else:
        for case in (internet_exposed_rdp, failed_rdp, internal_admin, fused, account_restriction,
                     kerberos, listening, damaged, whole_rdp_life, winrm, enable_rdp, labelled_nxlog, loghub,
                     slow_guessing, sshd_variants, benign_sshd, kubernetes,
                     servers_of_windows, guessed_vpn):
            recorded(case)
        twins()
        same_in_every_shape()
        round_trip()
        gateway_lines()
        print("not decoded yet: gateway/* but k8s*, openssh, windows_nxlog, always_on_vpn_nps, %s; "
              "text/wireguard-auth.log" % ", ".join(gateways.LEFT_OUT))
    print("%(passed)d passed, %(failed)d failed" % count +
          (", %(skipped)d skipped" % count if count["skipped"] else ""))
    sys.exit(1 if count["failed"] else 0)


main()
