"""What a collector must get, whatever happens to it, to the agent and on the way."""
import os
import re
import shutil
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request

from collectors import ClickHouse, Elastic, Hec, Kafka, Otlp, Rsyslog, Sentinel
from registry import case
from world import (TMP, Agent, BUILD, Failure, certificates, check, check_all, arrived, free_port, has_all, have_all,
                   records_of, wait_for)

ALL = ["alerts", "sessions", "events"]
here = threading.local()  # each case runs in a thread of its own


def mine():
    """What this case has started, and must end."""
    if not hasattr(here, "running"):
        here.running = []
    return here.running


def begin(thing):
    mine().append(thing)
    return thing.start()


def end_all():
    while mine():
        t = mine().pop()
        try:
            if isinstance(t, (Agent, Kafka)):
                t.end()
            else:
                t.kill()
        except Exception:
            pass


def agent_for(*forwarders, extra="", name="agent"):
    return begin(Agent(name, list(forwarders), extra))


def settled(a, name):
    f = a.forwarder(name)
    return None if f["waiting"] or f["in_flight"] else f


def spool_and_drain(collector, n=1500):
    """
    Told while the collector is away and the agent is killed; then the collector comes, and both are
    killed while it drains. Everything arrives, once by its id, and repeats say so.
    """
    if collector.kind == "kafka":
        collector.start()
    a = agent_for(collector.forwarder(send=ALL, timeout="5s"))
    mine().append(collector)
    if collector.kind == "kafka":
        collector.kill()
    for _ in range(2):
        a.tell(n // 4)
        time.sleep(1.2)
        a.kill()
        a.start()
    collector.start()
    a.tell(n // 4)
    time.sleep(0.7)
    a.kill()
    a.tell(n // 4)
    a.start()
    time.sleep(0.5)
    collector.kill()
    time.sleep(0.5)
    collector.start()
    arrived(collector, a.told)
    f = wait_for(lambda: settled(a, collector.kind), "nothing waits any more", 20)
    check(f["dropped"] == 0 and f["refused"] == 0, "nothing is lost", f)


@case
def otlp_spool_and_drain():
    spool_and_drain(Otlp())


@case
def elastic_spool_and_drain():
    c = Elastic()
    spool_and_drain(c)
    texts = c.texts()
    ids = [k for k, kind, _ in records_of(texts) if kind == "event"]
    check(len(ids) == len(set(ids)), "409 keeps each event once")


@case
def hec_spool_and_drain():
    spool_and_drain(Hec())


@case
def sentinel_spool_and_drain():
    spool_and_drain(Sentinel())


@case
def clickhouse_spool_and_drain():
    spool_and_drain(ClickHouse())


@case
def relp_spool_and_drain():
    spool_and_drain(Rsyslog(relp=True))


@case
def syslog_spool_and_drain():
    spool_and_drain(Rsyslog(relp=False))


@case
def kafka_spool_and_drain():
    spool_and_drain(Kafka())


# --- collectors that misbehave

def through(collector, plan, n=400, seconds=60):
    begin(collector)
    collector.plan = list(plan)
    a = agent_for(collector.forwarder(send=ALL, timeout="2s"))
    while collector.plan and a.told < 20000:
        a.tell(n)
        time.sleep(0.3)
    arrived(collector, a.told, seconds)
    check(not collector.plan, "every misbehaviour was met", collector.plan)
    return a


@case
def otlp_misbehaves():
    c = Otlp()
    a = through(c, ["429", "503", "500-taken", "lost-answer", "reset-in-body", "slow", "413"])
    f = a.forwarder("otlp")
    check(not f["failing"] and f["retries"] >= 5, "it recovered, and counts its tries", f)


@case
def otlp_honours_retry_after():
    c = begin(Otlp())
    c.plan = ["429"] * 3
    a = agent_for(c.forwarder(send=ALL))
    start = time.monotonic()
    a.tell(20)
    arrived(c, 20)
    check(time.monotonic() - start >= 3, "three times a second's wait")


@case
def otlp_partial_success_isolates_one():
    c = begin(Otlp())
    c.plan = ["partial"]
    a = agent_for(c.forwarder(send=ALL))
    a.tell(200)
    f = wait_for(lambda: (lambda x: x if x["refused"] == 1 and not x["waiting"] else None)(
        a.forwarder("otlp")), lambda: "one is refused: %s" % a.forwarder("otlp"))
    missing, _, unmarked = have_all(c.texts(), 200)
    check(len(missing) <= 1 and not unmarked, "all others are there", missing, unmarked)


@case
def otlp_garbage_for_an_answer_is_taken_by_its_status():
    through(Otlp(), ["garbage"], 50)


@case
def elastic_items_fail_by_themselves():
    c = Elastic()
    a = through(c, ["item-429", "429", "503", "lost-answer", "reset-in-body"])
    check(c.conflicts > 0, "a repeat was a conflict, and counts as delivered")
    check(a.forwarder("elastic")["refused"] == 0, "none was refused")


@case
def elastic_refused_item_does_not_hold_up_the_rest():
    c = begin(Elastic())
    c.plan = ["item-400"]
    a = agent_for(c.forwarder(send=ALL))
    a.tell(100)
    wait_for(lambda: a.forwarder("elastic")["waiting"] == 0 and len(c.texts()) >= 99, "the rest arrives")
    f = a.forwarder("elastic")
    check(f["refused"] == 1, "one was refused, and is counted", f)


@case
def hec_false_acknowledgement_is_sent_again():
    """The indexer says 200 and never indexes: after its time all of it comes again, marked."""
    c = begin(Hec())
    c.false_acks = True
    a = agent_for(c.forwarder(send=ALL, timeout="4s"))
    a.tell(50)
    wait_for(lambda: c.waiting, "it was sent")
    time.sleep(3)
    check(a.forwarder("hec")["waiting"] >= 50 and not c.texts(), "not acknowledged is not delivered")
    wait_for(lambda: "acknowledge" in a.forwarder("hec")["reason"], "it says so", 90)
    c.false_acks = False
    arrived(c, 50)


@case
def sentinel_asks_for_a_new_token():
    c = begin(Sentinel())
    a = agent_for(c.forwarder(send=ALL))
    a.tell(50)
    arrived(c, 50)
    c.revoked.add("t1")
    a.tell(50)
    arrived(c, 100)
    check(c.tokens == 2, "one token each time", c.tokens)


@case
def a_wrong_token_is_told_and_nothing_is_lost():
    c = begin(Otlp())
    c.plan = ["401"] * 3
    a = agent_for(c.forwarder(send=ALL))
    a.tell(30)
    f = wait_for(lambda: (lambda x: x if x["failing"] else None)(a.forwarder("otlp")), "it says so")
    check("401" in f["reason"] and "who are you" in f["reason"], "with the collector's words", f)
    arrived(c, 30)


@case
def http_answer_that_is_lost_first_of_all_is_marked():
    """Taken over, and the connection ends on a connection that was used before: what comes again says so."""
    c = begin(Otlp())
    a = agent_for(c.forwarder(send=ALL, timeout="3s"))
    a.tell(10)
    arrived(c, 10)
    c.plan = ["lost-answer"]
    a.tell(10)
    arrived(c, 20)

    def again():
        ids = [k for k, kind, _ in records_of(c.texts()) if kind == "event"]
        return len(ids) > len(set(ids))
    wait_for(again, "it comes again", 20)
    check_all(c.texts(), 20)


@case
def http_collector_that_refuses_everything_empties_nothing():
    """400 for whatever comes is the collector's trouble: a few are given up, the rest waits."""
    c = begin(Otlp())
    c.plan = ["400"] * 400
    a = agent_for(c.forwarder(send=ALL))
    a.tell(200)
    f = wait_for(lambda: (lambda x: x if x["failing"] else None)(a.forwarder("otlp")), "it fails", 30)
    check(f["refused"] <= 8 and f["waiting"] >= 190, "the rest waits", f)


@case
def a_session_that_changes_within_a_moment_has_two_ids():
    c = begin(Elastic())
    a = agent_for(c.forwarder(send=["sessions"]))
    a.login("alice")
    wait_for(lambda: c.texts(), "the session")
    a.guess("root", 8)
    a.login("root", "203.0.113.66")
    wait_for(lambda: len([1 for _, k, r in records_of(c.texts()) if k == "session"]) >= 2, "both")
    check(c.conflicts == 0, "nothing that is new was taken for a repeat", c.conflicts)


@case
def a_long_token_is_used_whole():
    c = begin(Otlp())
    token = "t" * 1800
    with open(TMP + "/long-token", "w") as f:
        f.write(token + "\n")
    a = agent_for(c.forwarder(send=ALL, secret=TMP + "/long-token"))
    a.tell(5)
    arrived(c, 5)
    check(c.requests[0][1]["Authorization"] == "Bearer " + token, "all of it")


@case
def a_token_that_is_too_long_is_told():
    c = begin(Otlp())
    with open(TMP + "/huge-token", "w") as f:
        f.write("t" * 5000)
    a = agent_for(c.forwarder(send=ALL, secret=TMP + "/huge-token"))
    a.tell(20)
    fails_with(a, "cannot read secret")


# --- TLS

def tls_case(server="server", client_required=False, **more):
    c = Otlp()
    c.tls, c.server_cert, c.client_required = True, server, client_required
    begin(c)
    d = certificates()
    a = agent_for(c.forwarder(send=ALL, ca=d + "/ca.pem", **more))
    a.tell(20)
    return c, a, d


def fails_with(a, word, name="otlp"):
    f = wait_for(lambda: (lambda x: x if x["failing"] else None)(a.forwarder(name)), "it fails", 30)
    check(word in f["reason"], "it says why", f)
    check(f["waiting"] >= 20, "nothing is lost", f)


@case
def https_with_a_client_certificate():
    d = certificates()
    c, _, _ = tls_case(client_required=True, cert=d + "/client.pem", key=d + "/client.key")
    arrived(c, 20)


@case
def https_of_another_authority_is_refused():
    c, a, _ = tls_case(server="wrong")
    fails_with(a, "certificate")
    check(not c.texts(), "nothing went there")


@case
def https_pin_that_does_not_fit_is_refused():
    c, a, _ = tls_case(pin="sha256//" + "A" * 43 + "=")
    fails_with(a, "pinned")
    check(not c.texts(), "nothing went there")


@case
def relp_pin_that_does_not_fit_is_refused():
    c = begin(Rsyslog(relp=True))
    a = agent_for(c.forwarder(send=ALL, pin="sha256//" + "A" * 43 + "="))
    a.tell(20)
    fails_with(a, "pinned", "relp")


@case
def a_certificate_is_exchanged_without_a_restart():
    c = begin(Rsyslog(relp=True))
    d = certificates()
    mine = d + "/mine"
    for end in (".pem", ".key"):
        shutil.copy(d + "/wrong" + end, mine + end)
        os.chmod(mine + end, 0o600)
    f = c.forwarder(send=ALL)
    f.update(cert=mine + ".pem", key=mine + ".key")
    a = agent_for(f)
    a.tell(20)
    fails_with(a, "", "relp")
    for end in (".pem", ".key"):
        shutil.copy(d + "/client2" + end, mine + end)
    arrived(c, 20)


# --- the outbox

@case
def filters_and_several_destinations():
    """Alerts of medium alone for one, everything for another, which is away: neither waits."""
    one, other = Otlp(), Otlp()
    begin(one)
    a = agent_for(one.forwarder(send=["alerts"], severity="medium"),
                  dict(other.forwarder(send=ALL), name="away"))
    a.tell(20)
    a.guess("root", 8)
    a.login("root", "203.0.113.66")
    wait_for(lambda: one.texts(), "the alert arrives")
    kinds = {(k, r.get("severity")) for _, k, r in records_of(one.texts())}
    check({k for k, _ in kinds} == {"alert"} and not {s for _, s in kinds} & {"info", "low"},
          "medium and above", sorted(kinds))
    check(a.forwarder("away")["waiting"] > 20, "the other waits")
    begin(other)
    wait_for(lambda: has_all(other.texts(), 20), "and gets all")
    kinds = {k for _, k, _ in records_of(other.texts())}
    check(kinds == {"alert", "session", "event"}, "of every kind", sorted(kinds))


@case
def an_alert_overtakes_a_backlog():
    c = Otlp()
    a = agent_for(c.forwarder(send=ALL))
    a.tell(4000)
    wait_for(lambda: a.forwarder("otlp")["waiting"] >= 4000, "the backlog is there")
    a.guess("root", 8)
    a.login("root", "203.0.113.66")
    wait_for(lambda: a.status()["counters"]["alerts_notified"] > 0, "an alert was raised")
    time.sleep(1)
    a.kill()  # so that nothing is on its way yet
    begin(c)
    a.start()
    wait_for(lambda: has_all(c.texts(), 4000), "all is there")
    kinds = [k for _, k, _ in records_of(c.texts())]
    check(kinds.index("alert") < 600, "the alert came before the backlog", kinds.index("alert"))


@case
def order_of_alerts_is_kept():
    c = Otlp()
    a = agent_for(c.forwarder(send=["alerts"]))
    a.guess("root", 120)
    a.login("root", "203.0.113.66")
    time.sleep(2)
    begin(c)
    wait_for(lambda: a.forwarder("otlp")["waiting"] == 0 and c.texts(), "all is there")
    last = {}
    for _, _, r in records_of(c.texts()):
        check(r["revision"] > last.get(r["id"], 0) or r.get("resend"), "revisions in order", r["id"])
        last[r["id"]] = r["revision"]


@case
def a_full_outbox_drops_events_first_and_says_so():
    c = Otlp()
    a = agent_for(c.forwarder(send=ALL), extra="Retention: {OutboxMaxBytes: 1MiB}")
    a.guess("root", 8)
    a.login("root", "203.0.113.66")
    a.tell(6000)
    f = wait_for(lambda: (lambda x: x if x["dropped"] else None)(a.forwarder("otlp")), "it is full")
    check(a.status()["counters"]["forward_dropped"] > 0, "counted")
    wait_for(lambda: a.forwarder("otlp")["waiting"], "it holds the rest")
    begin(c)
    wait_for(lambda: a.forwarder("otlp")["waiting"] == 0, "the rest arrives")
    got = records_of(c.texts())
    check(any(r.get("detection") == "auth.bruteforce_success" for _, _, r in got), "alerts were kept")
    loss = [r for _, _, r in got if r.get("detection") == "sensor.loss"]
    check(loss and "OutboxMaxBytes" in loss[-1]["sentence"], "the loss is told to the collector", f, loss)
    missing = have_all(c.texts(), 6000)[0]
    check(0 < len(missing) <= a.forwarder("otlp")["dropped"], "as many as it says", len(missing))


@case
def a_destination_that_is_new_begins_now():
    c = begin(Otlp())
    a = Agent("new", [])
    mine().append(a)
    a.start()
    a.tell(50)
    time.sleep(1.5)
    a.stop()
    a.configure([c.forwarder(send=ALL)])
    a.start()
    a.tell(10)
    wait_for(lambda: not [x for x in have_all(c.texts(), 60)[0] if int(x[1:]) >= 50], "the new ten")
    check(len(have_all(c.texts(), 60)[0]) == 50, "not the old fifty")


def senders(agent):
    """The processes of that agent that send."""
    pids = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if (os.getpgid(int(pid)) == agent.process.pid and
                    open("/proc/%s/comm" % pid).read().startswith("outergate-forwa")):
                pids.append(pid)
        except (ProcessLookupError, FileNotFoundError):
            pass
    return pids


@case
def the_store_is_none_of_the_forwarders_business():
    """Its process may not read the store, has no capabilities, and runs as another user."""
    c = begin(Otlp())
    a = agent_for(c.forwarder(send=ALL))
    a.tell(5)
    arrived(c, 5)
    pids = senders(a)
    check(len(pids) == 1, "one process a destination", pids)
    status = open("/proc/%s/status" % pids[0]).read()
    uid = int(status.split("Uid:")[1].split()[1])
    store = os.stat(a.dir + "/store/outergate.db")
    check(uid not in (0, store.st_uid), "a user of its own", uid)
    for row in ("CapEff", "CapPrm", "CapAmb", "CapInh"):
        check(int(status.split(row + ":")[1].split()[0], 16) == 0, row + " is empty")
    check("NoNewPrivs:\t1" in status and "Seccomp:\t2" in status, "no new privileges, a filter")
    os.seteuid(uid)
    try:
        open(a.dir + "/store/outergate.db").close()
        opened = True
    except PermissionError:
        opened = False
    finally:
        os.seteuid(0)
    check(not opened, "it cannot open the store")


@case
def a_forwarder_that_is_killed_comes_back():
    c = begin(Otlp())
    a = agent_for(c.forwarder(send=ALL))
    for i in range(3):
        a.tell(50)
        for pid in senders(a):
            os.kill(int(pid), signal.SIGKILL)
        time.sleep(0.3)
    arrived(c, 150)


@case
def a_trial_in_a_directory_that_is_roots_alone():
    """Built in /root, as somebody does who tries it: its sender is another user, and runs all the same."""
    c = begin(Otlp())
    a = Agent("trial", [c.forwarder(send=ALL)])
    own = a.dir + "/own"
    os.mkdir(own, 0o700)
    for name in ("outergate", "outergate-forward"):
        shutil.copy(BUILD + "/" + name, own)
    a.program = own + "/outergate"
    begin(a)
    a.tell(5)
    arrived(c, 5, 20)


@case
def last_words_arrive():
    """What is told at the very end is sent before the agent ends."""
    c = begin(Otlp())
    a = agent_for(c.forwarder(send=["sessions"]))
    a.login("alice")
    wait_for(lambda: c.texts(), "the session")
    a.guess("root", 8)
    a.stop()
    a.start()
    wait_for(lambda: a.forwarder("otlp")["waiting"] == 0, "nothing is left")


@case
def a_test_alert_goes_to_every_collector():
    c, r = begin(Otlp()), begin(Rsyslog(relp=True))
    a = agent_for(c.forwarder(), r.forwarder(), extra="")
    out = subprocess.run([BUILD + "/outergate", "test", "--config", a.config], capture_output=True,
                         text=True, timeout=60)
    check("otlp" in out.stdout and "relp" in out.stdout and "delivered" in out.stdout, "it says so",
          out.stdout, out.stderr)
    for x in (c, r):
        wait_for(lambda: any('"test":true' in t.replace(" ", "") for t in x.texts()), "the alert", 20)


@case
def hostile_names_forge_nothing():
    c, r = begin(Otlp()), begin(Rsyslog(relp=True))
    a = agent_for(c.forwarder(send=ALL), r.forwarder(send=ALL))
    names = ['x","detection":"sensor.loss', "y\\", "z\x01\x7f", "\u202eevil", "<14>1 - - - - - -"]
    for n in names:
        a.guess(n, 1)
    a.tell(1)
    for x in (c, r):
        arrived(x, 1)
        for _, kind, rec in records_of(x.texts()):
            check("detection" not in rec or kind == "alert", "no forged field", rec)
        check(len([1 for _, k, _ in records_of(x.texts()) if k == "event"]) >= len(names), "each is one")


@case
def a_full_disk_is_told_and_alerts_come_when_there_is_room():
    c = begin(Otlp())
    a = Agent("full", [c.forwarder()])
    os.mkdir(a.dir + "/store")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "outergate-full", a.dir + "/store"], check=True)
    try:
        shutil.chown(a.dir + "/store", "outergate", "outergate")
        begin(a)
        filler = a.dir + "/store/filler"
        fd = os.open(filler, os.O_WRONLY | os.O_CREAT)
        try:
            while True:
                os.write(fd, b"x" * 4096)
        except OSError:
            os.close(fd)
        a.guess("root", 8)
        a.login("root", "203.0.113.66")
        wait_for(lambda: a.status()["store_failing"], "it says that the store fails")
        check(not [1 for _, _, r in records_of(c.texts())
                   if r.get("detection") == "auth.bruteforce_success"], "it could not be sent")
        os.unlink(filler)
        wait_for(lambda: [1 for _, _, r in records_of(c.texts())
                          if r.get("detection") == "auth.bruteforce_success"], "the alert arrives", 30)
        check(not a.status()["store_failing"], "and it says that the store works again")
        out = subprocess.run([BUILD + "/outergate", "alerts", "--config", a.config], capture_output=True,
                             text=True)
        check("auth.bruteforce_success" in out.stdout, "and it is stored", out.stdout, out.stderr)
    finally:
        a.end()
        subprocess.run(["umount", "-l", a.dir + "/store"], check=False)


# --- numbers

def fetch(port, path, method="GET"):
    r = urllib.request.Request("http://127.0.0.1:%d%s" % (port, path), method=method)
    try:
        with urllib.request.urlopen(r, timeout=10) as a:
            return a.status, a.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode()


def numbers(text):
    """Every sample of Prometheus' text format; a line that is none fails."""
    out = {}
    for line in text.splitlines():
        if line.startswith("#"):
            check(re.fullmatch(r"# (HELP|TYPE) outergate_[a-z0-9_]+ .+", line), "a comment", line)
            continue
        m = re.fullmatch(r'(outergate_[a-z0-9_]+(?:\{[a-z]+="(?:[^"\\\\]|\\\\.)*"\})?) ([0-9]+)', line)
        check(m, "a sample", line)
        check(m[1] not in out, "each once", line)
        out[m[1]] = int(m[2])
    return out


@case
def prometheus_asks_for_every_counter_of_status():
    port = free_port()
    away = Otlp()
    a = agent_for({"name": "prom", "kind": "prometheus", "url": "127.0.0.1:%d" % port},
                  dict(away.forwarder(send=ALL), name="away"))
    a.tell(25)

    def told():
        status, text = fetch(port, "/metrics")
        got = numbers(text)
        return got if status == 200 and got["outergate_attempts_total"] == 25 else None
    got = wait_for(told, "25 attempts")
    for name in a.status()["counters"]:
        check("outergate_%s_total" % name in got, "a counter of status", name)
    check(got['outergate_forward_waiting{forwarder="away"}'] >= 25 and
          got['outergate_forward_failing{forwarder="away"}'] == 1, "the backlog", sorted(got))
    check(got['outergate_sensor_on{sensor="tcp"}'] in (0, 1), "sensors")
    served = {n.split("{")[0] for n in got}
    for path in ("prometheus/outergate.rules.yaml", "grafana/outergate.json"):
        with open("deploy/collector/" + path) as f:
            used = set(re.findall(r"\boutergate_[a-z0-9_]+", f.read()))
        check(used and used <= served, path + " names what is served", sorted(used - served))
    check(fetch(port, "/healthz") == (200, "ok\n"), "healthy", fetch(port, "/healthz"))
    check(fetch(port, "/etc/passwd")[0] == 404 and fetch(port, "/metrics", "POST")[0] == 405, "nothing else")


@case
def prometheus_says_when_the_agent_does_not_answer():
    port = free_port()
    a = agent_for({"name": "prom", "kind": "prometheus", "url": "127.0.0.1:%d" % port})
    wait_for(lambda: fetch(port, "/healthz")[0] == 200, "healthy")
    engine = [int(p) for p in filter(str.isdigit, os.listdir("/proc")) if is_engine(a, p)]
    check(len(engine) == 1, "one engine", engine)
    os.kill(engine[0], signal.SIGSTOP)
    try:
        time.sleep(1.1)
        check(fetch(port, "/healthz")[0] == 503 and fetch(port, "/metrics")[0] == 503, "no stale numbers")
    finally:
        os.kill(engine[0], signal.SIGCONT)
    wait_for(lambda: fetch(port, "/healthz")[0] == 200, "healthy again")


def is_engine(agent, pid):
    try:
        return (int(pid) != agent.process.pid and os.getpgid(int(pid)) == agent.process.pid and
                open("/proc/%s/comm" % pid).read().strip() == "outergate")
    except (ProcessLookupError, FileNotFoundError):
        return False


@case
def otlp_metrics_are_pushed():
    c = begin(Otlp())
    agent_for(c.forwarder(send=["alerts", "metrics"]))
    got = wait_for(lambda: getattr(c, "metrics", None), "metrics")
    names = {m["name"]: m for m in got}
    check(names["outergate_attempts_total"]["sum"]["isMonotonic"] and
          "gauge" in names["outergate_sessions_live"], "sums and gauges", sorted(names))
    sensors = [p["attributes"][0]["value"]["stringValue"]
               for p in names["outergate_sensor_on"]["gauge"]["dataPoints"]]
    check("pam" in sensors and "tcp" in sensors, "with their labels", sensors)
