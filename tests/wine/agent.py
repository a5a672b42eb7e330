"""The real outergate.exe under Wine, with the double of Windows (double/double.h) beside it: what a
user sees of recorded logons and of faults. Ends with "N passed, N failed[, N skipped]".

    agent.py BUILD/windows [CASE...]
"""
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time

import encode
from encode import DATA, Script

HERE = os.path.abspath(sys.argv[1])
DOUBLE = os.path.join(HERE, "double")
LAST = "subscribe Microsoft-Windows-Sysmon/Operational"  # the last that a start does
CHANNELS = ["Security", "Microsoft-Windows-Sysmon/Operational"]
SOON = 10**6  # 0.1 s as a FILETIME
count = {"passed": 0, "failed": 0, "skipped": 0}
lock = threading.Lock()
cases = []


def check(name, ok, detail=""):
    with lock:
        count["passed" if ok else "failed"] += 1
        if not ok:
            print("FAILED %s: %s" % (name, str(detail)[:1500]), flush=True)
    return ok


def case(function):
    cases.append(function)
    return function


def recorded(*names):
    """A case that needs recorded files: theirs are its arguments."""
    def wrap(function):
        def run():
            paths = [os.path.join(DATA, n) for n in names + (
                "manifests/windows-event-templates.ndjson",)]
            gone = [p for p in paths if not os.path.exists(p)]
            if gone:
                with lock:
                    count["skipped"] += 1
                    print("SKIPPED %s: %s is not there; set OUTERGATE_DATA"
                          % (function.__name__, gone[0]), flush=True)
                return
            function(*paths[:-1])
        run.__name__ = function.__name__
        cases.append(run)
        return run
    return wrap


def windows_path(path):
    return "Z:" + path.replace("/", "\\")


class Agent:
    """One machine: a store and a configuration; started as often as a case wants."""

    def __init__(self, name, config=""):
        self.name, self.process, self.starts = name, None, 0
        self.dir = os.path.join(HERE, "agent", name)
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir)
        self.config = os.path.join(self.dir, "outergate.yaml")
        with open(self.config, "w", encoding="utf-8") as f:
            f.write("Store: '%s'\nRuntime: '%s'\n%s" % (
                windows_path(self.dir + "/outergate.db"), windows_path(self.dir + "/run"), config))

    def path(self, name):
        return os.path.join(self.dir, "%s.%d" % (name, self.starts))

    def start(self, script):
        self.starts += 1
        with open(self.path("script"), "w", encoding="utf-8", newline="\n") as f:
            f.write(script.text())
        env = dict(os.environ, OUTERGATE_DOUBLE=windows_path(self.path("script")),
                   OUTERGATE_DOUBLE_LOG=windows_path(self.path("log")))
        with open(self.path("out"), "wb") as out, open(self.path("err"), "wb") as err:
            self.process = subprocess.Popen(
                ["wine", os.path.join(DOUBLE, "outergate.exe"), "run", "--json", "--config",
                 windows_path(self.config)], stdout=out, stderr=err, env=env, cwd=DOUBLE)
        return self

    def text(self, what):
        try:
            with open(self.path(what), encoding="utf-8", errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def log(self, beginning=""):
        return [line for line in self.text("log").splitlines() if line.startswith(beginning)]

    def wait(self, beginning="end", seconds=120):
        """Until the double's log has such a line; the case fails when it never comes."""
        until = time.monotonic() + seconds
        while not self.log(beginning):
            ended = self.process.poll() is not None
            if ended and not self.log(beginning) or time.monotonic() > until:
                check("%s: %s" % (self.name, beginning), False, "%s; %s %s" % (
                    "it ended with %s" % self.process.returncode if ended else "it never came",
                    self.text("err"), [x[:200] for x in self.log()[-8:]]))
                return False
            time.sleep(0.1)
        return True

    def until(self, condition, seconds=60):
        """What condition() gives, once it is true, or at last."""
        end = time.monotonic() + seconds
        while True:
            got = condition()
            if got or time.monotonic() > end:
                return got
            time.sleep(0.3)

    def command(self, *args):
        return subprocess.run(["wine", os.path.join(DOUBLE, "outergate.exe"), *args],
                              capture_output=True, text=True, cwd=DOUBLE, timeout=120,
                              env={k: v for k, v in os.environ.items() if "DOUBLE" not in k})

    def rows(self, *args):
        r = self.command(*args, "--format", "json", "--config", windows_path(self.config))
        if r.returncode:
            check("%s: %s" % (self.name, args), False, r.stderr)
        return [json.loads(line) for line in r.stdout.splitlines() if line.startswith("{")]

    def status(self):
        return (self.rows("status") or [{}])[0]

    def counters(self):
        return self.status().get("counters", {})

    def sessions(self):
        return self.rows("sessions")

    def alerts(self, detection=None):
        return [a for a in self.rows("alerts") if detection in (None, a["detection"])]

    def reported(self, number=None):
        """Alerts that arrived in the Event Log: their numbers, or those of one."""
        got = [int(line.split()[1]) for line in self.log("report ")]
        return got if number is None else [n for n in got if n == number]

    def kill(self):
        """As by the task manager: nothing is told to it."""
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()

    def end(self):
        self.kill()
        check("%s: no call was misused" % self.name, not any(
            self.log(w) for w in ("forbidden", "render-misused", "close-misused", "events-leaked",
                                  "handles-leaked", "bookmark-malformed", "script line",
                                  "await-timeout", "not-taken")), self.log())


def external(rows):
    return [r for r in rows if r.get("origin", {}).get("scope") in ("external", "reserved")]


def live(channels=CHANNELS):
    """A script of a machine that begins to tell when the agent has started."""
    s = Script(channels)
    s.add("play")
    s.add("await", LAST)
    return s


def guess(n, at=None, address="203.0.113.77", account="Administrator", **more):
    """The n-th failed network logon of somebody outside, 0.1 s after the one before."""
    values = {"SubjectUserSid": "S-1-0-0", "TargetUserSid": "S-1-0-0", "TargetUserName": account,
              "Status": "0xc000006d", "FailureReason": "%%2313", "SubStatus": "0xc000006a",
              "LogonType": "3", "LogonProcessName": "NtLmSsp ", "AuthenticationPackageName": "NTLM",
              "WorkstationName": "kali", "IpAddress": address, "IpPort": str(50000 + n)}
    data = [[f["n"], values.get(f["n"], "-")] for f in encode.FAILED["fields"]]
    return dict({"provider": encode.SECURITY, "guid": encode.SECURITY_GUID, "channel": "Security",
                 "id": 4625, "version": 0, "ft": "+%d" % (2 * 10**7 + n * SOON) if at is None
                 else at, "record_id": 1000 + n, "activity_id": None, "pid": 700, "tid": 8,
                 "computer": "srv1", "data": data}, **more)


def guessed(a, times, name):
    """One auth.bruteforce of that many guesses, told once."""
    got = a.until(lambda: [x for x in a.alerts("auth.bruteforce") if x["count"] >= times])
    check(name + ": every guess, each once", [x["count"] for x in got] == [times],
          [(x["detection"], x["count"]) for x in a.alerts()])
    return got


# --- the double by itself

@case
def the_double():
    a = Agent("the_double")
    s = Script(["Security"])
    s.add("session", "Outergate")
    s.event(guess(0, at=encode.now()))
    s.add("play")
    s.add("await", "subscribe Security")
    s.add("await", "process EventLog-Security")
    s.event(guess(1))
    s.event(guess(2), change=lambda b: b[:-3])
    s.add("return", "EventLog-Security", 1234)
    s.add("end")
    a.starts = 1
    with open(a.path("script"), "w", encoding="utf-8") as f:
        f.write(s.text().replace("\t4625\t", "\t4624\t"))  # the id that it asks for
    r = subprocess.run(["wine", os.path.join(DOUBLE, "try.exe"), "Security", "1000"],
                       capture_output=True, text=True, timeout=120, env=dict(
                           os.environ, OUTERGATE_DOUBLE=windows_path(a.path("script")),
                           OUTERGATE_DOUBLE_LOG=windows_path(a.path("log"))))
    for line in ("start 183", "stop 0", "start 0", "enable 0", "subscribe 0", "processed 1234"):
        check("double: " + line, line in r.stdout.splitlines(), r.stdout)
    sizes = [int(x) for x in re.findall(r"record 4624 (\d+) bytes tdh 0 SubjectUserSid:19",
                                        r.stdout)]
    check("double: two payloads, one of them cut", len(sizes) == 2 and sizes[1] == sizes[0] - 3,
          r.stdout)
    check("double: after the bookmark", re.findall(r"bookmark RecordId='(\d+)'", r.stdout) ==
          ["1001", "1002"], r.stdout)
    check("double: what it reported", a.log("report 1102 ") == [r"report 1102 1 1 0 one\nline"] and
          a.log("end"), a.log())


# --- recorded logons

def check_rdp_life(a):
    got = [(x["account"], x["service"], x["origin"]["address"], x.get("reconnects"),
            x["state"]) for x in external(a.sessions())]
    check(a.name + ": one external session, one reconnect",
          got == [("pgustavo", "rdp", "1.2.3.4", 1, "open")], got)
    alerts = [(x["detection"], x["account"]) for x in external(a.alerts())]
    check(a.name + ": one alert", alerts == [("access.external", "pgustavo")], alerts)
    check(a.name + ": told once", a.reported(1201) == [1201], a.log("report "))


RDP_LIFE = "windows-ndjson/rdp_first_logon_and_reconnect_1.2.3.4.ndjson"


def rdp_rows(path):
    """From the first connection on, until nothing of it comes any more."""
    rows = encode.read(path, "WORKSTATION5.theshire.local")
    first = next(i for i, r in enumerate(rows) if r["id"] == 261)
    return [r for r in rows[first:] if r["ft"] < rows[first]["ft"] + 36 * 10**7]


def rdp_life(via):
    def run(path):
        rows = rdp_rows(path)
        s = live(sorted({r["channel"] for r in rows} | set(CHANNELS)))
        for r in encode.relative(rows, 3):
            s.event(r, via)
        s.add("end")
        a = Agent("rdp_life_" + via.replace(",", "_")).start(s)
        a.wait()
        a.until(lambda: [x for x in external(a.sessions()) if x.get("reconnects")])
        check_rdp_life(a)
        told = a.log("report ")[0] if a.log("report ") else ""
        check(a.name + ": a sentence and the alert", "'pgustavo' logged in over rdp" in told and
              '"detection":"access.external"' in told, told)
        counters = a.counters()
        check(a.name + ": all of it was heard", ("evt" in via) == (counters["lines_decoded"] > 30)
              and ("etw" in via) == (counters["etw_security_records"] > 30), counters)
        check(a.name + ": nothing was lost or bad", not any(
            counters[n] for n in ("records_bad", "lines_bad", "records_lost_bulk", "queue_lost",
                                  "sink_errors", "store_errors")), counters)
        a.end()
    run.__name__ = "rdp_life_" + via.replace(",", "_")
    return run


for way in ("etw", "evt", "etw,evt", "evt,etw"):
    recorded(RDP_LIFE)(rdp_life(way))


def was_there(name, first, config=""):
    """An agent that has read that row and was killed: its bookmark is there."""
    s = live(sorted({first["channel"]} | set(CHANNELS)))
    s.event(first)
    s.add("end")
    a = Agent(name, config).start(s)
    a.wait()
    time.sleep(3)  # it saves once a second
    a.kill()
    return a


def history(rows, channels=()):
    """A script of a machine whose log has these rows when the agent starts."""
    s = Script(sorted({r["channel"] for r in rows} | set(CHANNELS) | set(channels)))
    for r in rows:
        s.event(r, "evt")
    s.add("play")
    s.add("await", LAST)
    return s


@recorded(RDP_LIFE)
def rdp_life_missed(path):
    """The same while nobody was there: in three logs, of which each has an order of its own."""
    a = was_there("rdp_life_missed", guess(0, address="10.0.0.7"))
    begun, rows = encode.now(), rdp_rows(path)
    time.sleep(2 + (rows[-1]["ft"] - rows[0]["ft"]) / 1e7)
    rows = encode.shifted(rows, encode.now())
    check("rdp_life_missed: it was then", rows[0]["ft"] > begun, (begun, rows[0]["ft"]))
    s = history([guess(0, at=times_of(a)[0])] + [dict(r, record_id=2000 + n)
                                                 for n, r in enumerate(rows)])
    s.add("end")
    a.start(s)
    a.wait()
    a.until(lambda: [x for x in external(a.sessions()) if x.get("reconnects")])
    check_rdp_life(a)
    a.end()


@recorded(RDP_LIFE)
def rdp_life_in_a_burst(path):
    """What two sessions of ETW deliver within a second is in no order: their threads race."""
    rows = rdp_rows(path)
    s = live(sorted({r["channel"] for r in rows} | set(CHANNELS)))
    s.add("burst", 1)
    waiting = []
    for r in encode.relative(rows, 3):  # Security first, a second of it, then the others
        own = r["channel"] == "Security"
        if own:
            s.event(r)
        waiting = [w for w in waiting if not late(s, w, r)]
        if not own:
            waiting.append(r)
    for w in waiting:
        late(s, w, None)
    s.add("end")
    a = Agent("rdp_life_in_a_burst").start(s)
    a.wait()
    a.until(lambda: [x for x in external(a.sessions()) if x.get("reconnects")])
    check_rdp_life(a)
    a.end()


def late(s, w, now):
    """Written a second after its time; its time is its own."""
    if now and int(w["ft"][1:]) + 8 * 10**6 > int(now["ft"][1:]):
        return False
    s.event(w)
    return True


@recorded("evtx/rdpcorets-internet-exposed-host.evtx")
def exposed_host(path):
    """Five days that nobody was there to hear, told afterwards; and never again."""
    rows = encode.shifted(encode.read_evtx(path), encode.now() - 60 * 10**7)
    a = was_there("exposed_host", next(r for r in rows if r["id"] == 131))
    s = history(rows)
    s.add("end")
    a.start(s)
    a.wait()
    forced = a.until(lambda: len(a.alerts("auth.bruteforce")) == 2 and a.alerts("auth.bruteforce"))
    origins = sorted((x["origin"]["address"], x["count"]) for x in a.alerts("auth.bruteforce"))
    check("exposed host: two sources guess", forced and origins == [
        ("212.92.115.217", 15), ("98.109.178.208", 6)], origins)
    noise = [x["time"][:10] for x in a.alerts("auth.noise")]
    check("exposed host: one digest a day", len(noise) in (6, 7) and len(set(noise)) == len(noise),
          noise)
    check("exposed host: nothing else", {x["detection"] for x in a.alerts()} ==
          {"auth.bruteforce", "auth.noise"}, {x["detection"] for x in a.alerts()})
    check("exposed host: no session", a.sessions() == [])
    before = a.alerts()
    time.sleep(2)
    a.kill()
    s = history(rows)
    s.add("end")
    a.start(s)
    a.wait()
    check("exposed host: a restart tells nothing again", a.reported() == [], a.log("report "))
    check("exposed host: and changes nothing", [(x["id"], x["count"]) for x in a.alerts()] ==
          [(x["id"], x["count"]) for x in before])
    a.end()


@recorded("evtx/security-internal-admin-benign.evtx")
def benign_host(path):
    rows = encode.shifted(encode.read_evtx(path), encode.now() - 60 * 10**7)
    a = was_there("benign_host", next(r for r in rows if r["id"] == 4624))
    s = history(rows)
    s.add("end")
    a.start(s)
    a.wait()
    time.sleep(3)
    check("benign host: no external alert", external(a.alerts()) == [], a.alerts())
    check("benign host: nothing of medium", all(x["severity"] in ("info", "low")
                                                for x in a.alerts()), a.alerts())
    check("benign host: no external session", external(a.sessions()) == [])
    check("benign host: it was read", a.counters()["lines_read"] > 200, a.counters())
    a.end()


@recorded("evtx/security-rdp-failed-external.evtx")
def one_failed_logon(path):
    rows = encode.read_evtx(path)
    s = live()
    for r in encode.relative(rows, 3):
        s.event(r)
    s.add("end")
    a = Agent("one_failed_logon", "FailedLogonThreshold: 1\n").start(s)
    a.wait()
    time.sleep(2)
    check("4776 and 4625, by two ways: one try", a.alerts("auth.bruteforce") == [], a.alerts())
    a.end()


# --- faults

def faulty(name, prepare, times=6, config="", more=None):
    """Guesses with a fault in between; every one of them is counted all the same."""
    s = live()
    prepare(s)
    s.add("end")
    a = Agent(name, config).start(s)
    if a.wait():
        guessed(a, times, name)
        # And again at 10 and at 100 times the first count.
        check(name + ": told once", len(a.reported(1102)) == (1 if times < 60 else 2),
              a.log("report "))
        if more:
            more(a)
    a.end()
    return a


def payload_fault(name, change, is_bad):
    """Two of six payloads are damaged: the event log has what they said."""
    def run():
        def prepare(s):
            for n in range(6):
                s.event(guess(n), "etw,evt", change=change if n in (1, 4) else None)

        def more(a):
            check(name + ": it says so", (a.counters()["records_bad"] == 2) == is_bad and
                  a.counters()["etw_security_records"] == 6, a.counters())
        faulty(name, prepare, more=more)
    run.__name__ = name
    return case(run)


payload_fault("cut_short", lambda b: b[:-40], True)
payload_fault("cut_in_a_sid", lambda b: b[:5], True)
payload_fault("nothing_there", lambda b: b"", True)
payload_fault("an_odd_byte_less", lambda b: b[:-1], True)
payload_fault("missing_nul", lambda b: b[:-2], False)
payload_fault("sid_of_255_parts", lambda b: b[:1] + b"\xff" + b[2:], True)


@case
def unknown_version():
    """A newer Windows than this machine's manifest: TDH does not know it, the log does."""
    def prepare(s):
        for n in range(6):
            newer = dict(guess(n), version=9)
            s.known[(encode.SECURITY, 4625, 9)] = dict(encode.FAILED, v=9)
            s.event(newer, has_schema=False)

    def more(a):
        check("unknown version: it says so", a.counters()["records_bad"] == 6, a.counters())
        check("unknown version: it asks TDH once", len(a.log("tdh-unknown")) == 1)
    faulty("unknown_version", prepare, more=more)


@case
def lost_events():
    """ETW lost half of them and says so in the stream."""
    def prepare(s):
        for n in range(6):
            s.event(guess(n), "etw,evt" if n % 2 else "evt")
        s.add("lost", "EventLog-Security", 3)

    def more(a):
        got = a.until(lambda: a.alerts("sensor.loss"))
        check("lost events: told", len(got) == 1, a.alerts())
        check("lost events: counted", a.counters()["etw_security_lost"] >= 1, a.counters())
    faulty("lost_events", prepare, more=more)


@case
def quietly_lost_events():
    """Only the session's own counter says so: ControlTraceW(QUERY)."""
    def prepare(s):
        for n in range(6):
            s.event(guess(n), "evt" if n == 2 else "etw,evt")
        s.add("quiet-loss", "Outergate", 7)

    def more(a):
        got = a.until(lambda: a.alerts("sensor.loss"))
        check("quietly lost events: told", len(got) == 1, a.alerts())
    faulty("quietly_lost_events", prepare, more=more)


@case
def a_session_that_is_open_and_silent():
    """ETW says nothing at all while the log grows: it looks healthy, and is not."""
    def prepare(s):
        for n in range(24):
            s.event(guess(n), "evt")

    def more(a):
        got = a.until(lambda: [x for x in a.alerts("sensor.blind") if "tells nothing" in x["sentence"]])
        check("a silent session: told once", len(got) == 1, a.alerts())
    faulty("silent_session", prepare, times=24, more=more)


@case
def a_session_that_hears_a_little():
    """One event by ETW among those of the log: it hears."""
    def prepare(s):
        for n in range(24):
            s.event(guess(n), "etw,evt" if n == 12 else "evt")

    def more(a):
        check("a session that hears: nothing to tell", not a.alerts("sensor.blind"), a.alerts())
    faulty("hears_a_little", prepare, times=24, more=more)


@case
def the_trace_returns():
    """Somebody ended the event log's session, or it ended by itself: told, and opened again."""
    def prepare(s):
        for n in range(2):
            s.event(guess(n))
        s.add("return", "EventLog-Security", 4201)
        s.add("await", "processed EventLog-Security")
        for n in range(2, 4):
            s.event(guess(n, at="+%d" % (3 * 10**7 + n * SOON)))
        s.add("await", "process EventLog-Security", 2)
        for n in range(4, 6):
            s.event(guess(n, at="+%d" % (4 * 10**7 + n * SOON)))

    def more(a):
        blind = a.alerts("sensor.blind")
        check("the trace returns: told", len(blind) == 1 and "EventLog-Security" in
              blind[0]["sentence"], a.alerts())
        check("the trace returns: opened again", len(a.log("open EventLog-Security 0")) == 2,
              a.log("open"))
        check("the trace returns: heard again", a.counters()["etw_security_records"] == 4,
              a.counters())
    faulty("the_trace_returns", prepare, more=more)


@case
def our_session_is_stopped():
    def prepare(s):
        s.add("return", "Outergate", 0)
        s.add("await", "processed Outergate")
        for n in range(6):
            s.event(guess(n))
        s.add("await", "process Outergate", 2)

    def more(a):
        blind = a.alerts("sensor.blind")
        check("our session is stopped: told", len(blind) == 1 and "Outergate" in
              blind[0]["sentence"], a.alerts())
        check("our session is stopped: enabled again", len(a.log("enable {C4B57D35")) == 2)
    faulty("our_session_is_stopped", prepare, more=more)


@case
def trap_13_an_orphan_is_taken_over():
    """A session of ours that a killed agent left behind."""
    def prepare(s):
        s.head.append("session\tOutergate")
        for n in range(6):
            s.event(guess(n))

    def more(a):
        check("an orphan: ended, and begun anew", a.log("start ") == [
            "start Outergate 183", "start Outergate 0"] and a.log("stop ") == ["stop Outergate 0"],
            a.log())
        check("an orphan: nothing is blind", a.alerts("sensor.blind") == [], a.alerts())
        check("an orphan: both sessions are on", all(
            x["on"] for x in a.status()["sensors"] if x["name"].startswith("etw")))
    faulty("an_orphan_is_taken_over", prepare, more=more)


@case
def not_system():
    """Only SYSTEM may open the event log's session: the log alone tells, and status says why."""
    def prepare(s):
        s.head.append("fault\topen\tEventLog-Security\t5\t1000")
        for n in range(6):
            s.event(guess(n))

    def more(a):
        row = next(x for x in a.status()["sensors"] if x["name"] == "etw-security")
        check("not SYSTEM: status says so", not row["on"] and "SYSTEM" in row["reason"], row)
        check("not SYSTEM: nothing came by ETW", a.counters()["etw_security_records"] == 0)
    faulty("not_system", prepare, more=more)


@case
def no_session_to_be_had():
    """64 sessions are the most a machine has: ERROR_NO_SYSTEM_RESOURCES."""
    def prepare(s):
        s.head.append("fault\tstart\tOutergate\t1450\t1000")
        for n in range(6):
            s.event(guess(n))

    def more(a):
        row = next(x for x in a.status()["sensors"] if x["name"] == "etw")
        check("no session: status says so", not row["on"] and row["reason"], row)
    faulty("no_session_to_be_had", prepare, more=more)


def log_fault(name, code, at=3, times=1):
    """EvtNext fails while the log is the only source."""
    def run():
        def prepare(s):
            s.head.append("fault\topen\tEventLog-Security\t5\t1000")
            for n in range(at):
                s.event(guess(n), "evt")
            s.add("pause", 500)
            s.add("fault", "next", "Security", code, times)
            for n in range(at, 6):
                s.event(guess(n, at="+%d" % (4 * 10**7 + n * SOON)), "evt")

        def more(a):
            check(name + ": the fault was met", a.log("fault next Security %d" % code), a.log())
            check(name + ": the log is on", a.status()["sources"][0]["state"] == "on",
                  a.status()["sources"][0])
        faulty(name, prepare, more=more)
    run.__name__ = name
    return case(run)


log_fault("stale_results", 15011)
log_fault("invalid_position", 15012)
log_fault("too_large_for_one_answer", 1734)
log_fault("too_large_again_and_again", 1734, times=3)
log_fault("nothing_to_pull", 4317)
log_fault("a_server_that_is_away", 1722)  # RPC_S_SERVER_UNAVAILABLE: the log's service restarts


@case
def a_burst_of_large_events():
    """200 records at once, of which EvtNext can give few: 1734 until the batch is small."""
    def prepare(s):
        s.head.append("fault\topen\tEventLog-Security\t5\t1000")
        s.add("fault", "next", "Security", 1734, 4)
        for n in range(200):
            s.event(guess(n, at="+%d" % (2 * 10**7 + n * 1000)), "evt")
    faulty("a_burst_of_large_events", prepare, times=200)


@case
def no_such_channel():
    s = Script(["Microsoft-Windows-Sysmon/Operational"])
    s.head.append("fault\tsubscribe\tSecurity\t15007\t1000")
    s.add("channel", "Security")
    s.add("play")
    s.add("await", LAST)
    for n in range(6):
        s.event(guess(n), "etw")
    s.add("end")
    a = Agent("no_such_channel").start(s)
    a.wait()
    guessed(a, 6, "no such channel: ETW tells")
    row = a.status()["sources"][0]
    check("no such channel: status says so", row["state"] == "failed" and "no such channel" in
          row["reason"], row)
    a.end()


@case
def neither_can_be_read():
    s = Script([])
    s.head += ["fault\tsubscribe\t*\t5\t1000", "fault\topen\t*\t5\t1000",
               "channel\tSecurity", "channel\tMicrosoft-Windows-Sysmon/Operational"]
    s.add("play")
    a = Agent("neither_can_be_read").start(s)
    a.wait(LAST)
    got = a.until(lambda: a.alerts("sensor.blind"))
    check("neither can be read: told", len(got) == 1, a.alerts())
    check("neither can be read: alive", a.process.poll() is None and a.status().get("pid"))
    a.end()


@case
def the_event_log_is_full():
    """An alert that cannot be written there is on the console and in the store, and counted."""
    def prepare(s):
        s.head.append("fault\treport\t*\t1502\t1000")
        for n in range(6):
            s.event(guess(n))
    name = "the_event_log_is_full"
    s = live()
    prepare(s)
    s.add("end")
    a = Agent(name).start(s)
    a.wait()
    guessed(a, 6, name)
    check(name + ": counted", a.counters()["sink_errors"] >= 1, a.counters())
    check(name + ": on the console", '"detection":"auth.bruteforce"' in a.text("out"))
    a.end()


@case
def two_at_once():
    """A second agent on the same store says so, and the first is not harmed."""
    s = live()
    for n in range(6):
        s.event(guess(n, at="+%d" % (8 * 10**7 + n * SOON)))
    s.add("end")
    a = Agent("two_at_once").start(s)
    a.wait(LAST)
    r = a.command("run", "--config", windows_path(a.config))
    check("two at once: refused", r.returncode == 1 and "already runs" in r.stderr, r)
    a.wait()
    guessed(a, 6, "two at once")
    a.end()


@case
def ended_in_order():
    """Ctrl-C: its session is stopped, and what it knows is kept."""
    s = live()
    for n in range(6):
        s.event(guess(n))
    s.add("end")
    s.add("ctrl", 0)
    a = Agent("ended_in_order").start(s)
    a.wait()
    try:
        code = a.process.wait(30)
    except subprocess.TimeoutExpired:
        code = None
    check("ended in order: exit 0", code == 0, code)
    check("ended in order: no session is left", a.log("stop Outergate 0") and
          a.log("close EventLog-Security"), a.log())
    check("ended in order: kept", [x["count"] for x in a.alerts("auth.bruteforce")] == [6],
          a.alerts())
    a.end()


# --- killed, and started again

def killed(name, settle):
    """Three guesses, a kill, two that nobody heard, a start, and one more: six, told once."""
    def run():
        s = live()
        for n in range(3):
            s.event(guess(n))
        s.add("await", "tdh 4625")
        s.add("pause", 3000 if settle else 1)
        s.add("exit", 9)
        a = Agent(name).start(s)
        a.process.wait(120)
        t = encode.now()
        first = [dict(guess(n), ft=t - (6 - n) * SOON) for n in range(5)]
        # The times of those that it heard are the log's own.
        told = times_of(a)
        for n, ft in told.items():
            first[n]["ft"] = ft
        s = history(first)
        s.event(guess(5, at="+%d" % (3 * 10**7)))
        s.add("end")
        a.start(s)
        a.wait()
        guessed(a, 6, name)
        if settle:
            check(name + ": from its bookmark", a.log("subscribe Security after strict 1002"),
                  a.log("subscribe Security"))
        check(name + ": told once", len(a.reported()) == 1, a.log("report "))
        a.end()
    run.__name__ = name
    return case(run)


def times_of(a):
    """What the double gave the rows of a start as their times, by their number."""
    base = None
    for line in a.log("play "):
        base = int(line.split()[1])
    with open(a.path("script"), encoding="utf-8") as f:
        rows = [line.split("\t") for line in f if line.startswith("event")]
    return {int(r[12]) - 1000: base + int(r[5][1:]) for r in rows}


killed("killed_after_it_saved", True)
killed("killed_before_it_saved", False)


@case
def nothing_happened_before_the_kill():
    """An agent that has heard nothing yet has a place in the log all the same."""
    s = live()
    s.add("pause", 3000)
    s.add("exit", 9)
    a = Agent("nothing_happened_before_the_kill").start(s)
    a.process.wait(120)
    t = encode.now()
    s = history([dict(guess(n), ft=t - (9 - n) * SOON) for n in range(6)])
    s.add("end")
    a.start(s)
    a.wait()
    guessed(a, 6, "nothing happened before the kill")
    a.end()


@case
def trap_12_the_log_was_cleared():
    """The bookmark's record is gone: told, and what is there is read from the oldest on."""
    a = was_there("the_log_was_cleared", guess(0))
    t = encode.now()
    s = history([dict(guess(n), ft=t - (20 - n) * SOON) for n in range(10, 16)])
    s.add("end")
    a.start(s)
    a.wait()
    got = a.until(lambda: [x for x in a.alerts("auth.bruteforce") if x["count"] >= 6])
    check("the log was cleared: what is there is read", [x["count"] for x in got] in ([6], [7]),
          a.alerts())
    check("the log was cleared: strict, then from the oldest", [
        line.split()[2] for line in a.log("subscribe Security")] == ["after", "oldest"],
        a.log("subscribe Security"))
    blind = a.alerts("sensor.blind")
    check("the log was cleared: told", len(blind) == 1 and "Security" in blind[0]["sentence"],
          blind)
    a.end()


@case
def somebody_clears_the_log():
    """1102, and the records are gone: told, and what comes then is heard."""
    def prepare(s):
        for n in range(3):
            s.event(guess(n))
        s.add("pause", 500)
        s.add("clear", "Security")
        s.event(dict(guess(3), id=1102, provider="Microsoft-Windows-Eventlog",
                     guid="{fc65ddd8-d6ef-4962-83d5-6e5cfe9ce148}",
                     data=[["SubjectUserName", "alice"]]), "evt")
        for n in range(4, 7):
            s.event(guess(n))

    def more(a):
        blind = a.until(lambda: a.alerts("sensor.blind"))
        check("somebody clears the log: told", len(blind) == 1, a.alerts())
    faulty("somebody_clears_the_log", prepare, more=more)


@case
def the_log_is_stopped():
    """1100 while the machine goes on is somebody's; every shutdown tells it, too."""
    def system(n, id, at):
        return dict(guess(n, at=at), id=id, provider="Microsoft-Windows-Eventlog",
                    guid="{fc65ddd8-d6ef-4962-83d5-6e5cfe9ce148}", data=[])
    for name, between, told in (("shut_down", 4608, 0), ("stopped", 4616, 1)):
        a = was_there("the_log_is_" + name, guess(0))
        t = times_of(a)[0]
        time.sleep(4)
        s = history([guess(0, at=t), system(1, 1100, t + 1000), system(2, between, t + 2000),
                     guess(3, at=t + 61 * 10**7)])
        s.add("end")
        a.start(s)
        a.wait()
        got = a.until(lambda: a.alerts("sensor.blind"), 5)
        check("the log is %s: told %d times" % (name, told), len(got) == told, got)
        a.end()


# --- gateways, and what is done after a logon

USER = "S-1-5-21-1-2-3-1001"
SYSTEM_LOG = {"provider": "Service Control Manager", "channel": "System",
              "guid": "{555908d1-a6d7-4695-8e1e-26931d2012f4}"}


def row(n, id, data, at=None, **more):
    """The n-th thing that happens, 0.2 s after the one before."""
    data = list(data.items()) if isinstance(data, dict) else data
    return dict({"provider": encode.SECURITY, "guid": encode.SECURITY_GUID, "channel": "Security",
                 "id": id, "version": 0, "ft": "+%d" % (2 * 10**7 + 2 * n * SOON) if at is None
                 else at, "record_id": 2000 + n, "activity_id": None, "pid": 700, "tid": 8,
                 "computer": "srv1", "data": data}, **more)


def gateway(n, id, user="CORP\\alice", address="203.0.113.9", resource="", **more):
    data = {"Username": user, "IpAddress": address, "AuthType": "NTLM", "Resource": resource}
    data.update(more, ConnectionProtocol="HTTP", ErrorCode="0")
    return row(n, id, data, provider=encode.GATEWAY, guid=encode.GATEWAY_GUID,
               channel=encode.GATEWAY + "/Operational", pid=1444)


def desktop(n, address="203.0.113.9", logon="0x600", sid=USER, **more):
    """4624 type 10, of the second version."""
    return row(n, 4624, {
        "SubjectUserSid": "S-1-5-18", "SubjectUserName": "SRV1$", "SubjectDomainName": "CORP",
        "SubjectLogonId": "0x3e7", "TargetUserSid": sid, "TargetUserName": "alice",
        "TargetDomainName": "CORP", "TargetLogonId": logon, "LogonType": "10",
        "LogonProcessName": "User32 ", "AuthenticationPackageName": "Negotiate",
        "WorkstationName": "SRV1", "IpAddress": address, "IpPort": "0",
        "TargetLinkedLogonId": "0x0"}, **more)


def process(n, path, command, pid, logon="0x600"):
    return row(n, 4688, {
        "SubjectUserSid": USER, "SubjectUserName": "alice", "SubjectLogonId": logon,
        "NewProcessId": hex(pid), "NewProcessName": path, "ProcessId": "0x904",
        "CommandLine": command, "TargetLogonId": "0x0"}, version=2)


def went(n, pid, path, to, port, source="10.0.0.1"):
    return row(n, 5156, {
        "ProcessID": str(pid), "Application": path, "Direction": "%%14593", "SourceAddress": source,
        "SourcePort": str(50000 + n), "DestAddress": to, "DestPort": str(port), "Protocol": "6"})


def service_installed(n, name, path, sid=USER):
    return row(n, 7045, {"ServiceName": name, "ImagePath": path, "ServiceType": "user mode service",
                         "StartType": "auto start", "AccountName": "LocalSystem"}, user_id=sid,
               **SYSTEM_LOG)


def plays(name, rows, via="etw,evt"):
    """An agent that has heard these rows, all of them."""
    s = live(sorted({r["channel"] for r in rows} | set(CHANNELS)))
    for r in rows:
        s.event(r, via)
    s.add("end")
    a = Agent(name).start(s)
    a.wait()
    return a


def gateway_life(via):
    name = "rdgateway_life_" + via.replace(",", "_")

    def run():
        a = plays(name, [
            gateway(0, 312, user="alice", address="203.0.113.9:51000"), gateway(1, 200),
            gateway(2, 300, resource="srv2.corp.example"),
            gateway(3, 302, resource="srv2.corp.example"),
            gateway(9, 303, resource="srv2.corp.example", BytesReceived="9000000",
                    BytesTransfered="40000", SessionDuration="599"),
            gateway(10, 201, user="CORP\\bob", address="198.51.100.7")], via)
        got = a.until(lambda: [x for x in a.sessions() if x["state"] == "closed"])
        check(name + ": one session, with bytes and where to", [
            (x["account"], x["service"], x["target"], x["bytes_in"], x["bytes_out"])
            for x in a.sessions()] == [
                ("alice", "rdgateway", "srv2.corp.example", 40000, 9000000)] and got, a.sessions())
        check(name + ": the login, and the refusal", sorted(
            (x["detection"], x["account"]) for x in a.alerts()) == [
                ("access.external", "alice"), ("auth.valid_password_denied", "bob")], a.alerts())
        check(name + ": told once each", len(a.reported()) == 2, a.log("report "))
        heard = a.counters()["etw_records"]
        check(name + ": by ETW", heard == (6 if "etw" in via else 0), a.counters())
        a.end()
    run.__name__ = name
    return case(run)


for way in ("etw", "evt", "etw,evt"):
    gateway_life(way)


@case
def trap_17_rdgateway():
    """On the computer behind the gateway the same login is one from inside."""
    a = plays("trap_17_rdgateway", [desktop(0, address="10.0.0.2")])
    got = a.until(a.sessions)
    check("trap 17: the target sees the gateway", [(x["service"], x["origin"]["address"],
          x["origin"]["scope"]) for x in got] == [("rdp", "10.0.0.2", "private")], got)
    check("trap 17: that is no access from outside", a.alerts() == [], a.alerts())
    a.end()


@recorded()
def smb_guesses():
    """551 alone, with a sockaddr in its payload; and 4625 of the same tries."""
    for name, both in (("smb_guesses_alone", False), ("smb_guesses_with_4625", True)):
        rows = []
        for n in range(6):
            rows.append(row(n, 551, {
                "SessionGUID": "-", "ConnectionGUID": "-", "Status": "0xc000006d",
                "TranslatedStatus": "0xc000006d", "ClientAddressLength": "16",
                "ClientAddress": "0200c35dcb007109" + "00" * 8, "SessionId": "0x1",
                "UserNameLength": "3", "UserName": "bob", "ClientNameLength": "4",
                "ClientName": "kali", "SPN": "", "SPNValidationPolicy": "0"},
                version=2, provider="Microsoft-Windows-SMBServer",
                guid="{D48CE617-33A2-4BC3-A5C7-11AA4F29619E}",
                channel="Microsoft-Windows-SMBServer/Security"))
            if both:
                rows.append(guess(0, at="+%d" % (2 * 10**7 + (2 * n + 1) * SOON),
                                  address="203.0.113.9", account="bob", record_id=3000 + n))
        a = plays(name, rows)
        got = a.until(lambda: a.alerts("auth.bruteforce"))
        check(name + ": six, each once", [(x["count"], x["origin"]["address"]) for x in got] == [
            (6, "203.0.113.9")], a.alerts())
        check(name + ": by ETW", a.counters()["etw_records"] == 6, a.counters())
        a.end()


@case
def vpn():
    """NPS grants it, RRAS tells in a classic event by position when it ends."""
    line = {"provider": "RemoteAccess", "channel": "System", "guid": "{00000000-0000-0000-0000-000000000000}"}
    co = "{11111111-2222-3333-4444-555555555555}"
    a = plays("vpn", [
        row(0, 6272, {"SubjectUserName": "CORP\\alice", "CallingStationID": "203.0.113.9",
                      "ClientIPAddress": "10.0.0.5", "AuthenticationType": "MS-CHAPv2"}, version=2),
        row(1, 20250, [["", co], ["", "CORP\\alice"], ["", "VPN2-1"]], **line),
        row(2, 6272, {"SubjectUserName": "CORP\\bob", "CallingStationID": "AA-BB-CC-DD-EE-FF",
                      "ClientIPAddress": "10.0.0.6", "AuthenticationType": "PEAP"}, version=2),
        row(3, 7045, {"ServiceName": "x", "ImagePath": "C:\\x.exe"}, user_id="S-1-5-18", **SYSTEM_LOG),
        row(4, 20272, [["", v] for v in (co, "CORP\\alice", "VPN2-1", "a", "b", "c", "d", "14", "58",
                                         "5000", "700")], **line)])
    a.until(lambda: [x for x in a.sessions() if x["state"] == "closed"])
    check("vpn: one session; Wi-Fi is none", [
        (x["account"], x["service"], x["state"], x.get("bytes_out"), x.get("bytes_in"))
        for x in a.sessions()] == [("alice", "vpn", "closed", 5000, 700)], a.sessions())
    check("vpn: one alert", [x["detection"] for x in a.alerts()] == ["access.external"], a.alerts())
    a.end()


@recorded()
def trap_14_a_field_in_the_middle():
    """4624 of its third version has one more before the linked logon: by name, never by place."""
    rows = [desktop(0, version=3), desktop(1, logon="0x640", version=3)]
    for r, other in zip(rows, ("0x640", "0x600")):
        r["data"] = [(n, other if n == "TargetLinkedLogonId" else v) for n, v in r["data"]] + [
            ("RestrictedAdminMode", "-"), ("RemoteCredentialGuard", "-"), ("ElevatedToken", "%%1842")]
    a = plays("trap_14_a_field_in_the_middle", rows, "etw")
    got = a.until(a.sessions)
    check("trap 14: one session", [(x["account"], x["service"], x["origin"]["address"])
                                   for x in got] == [("alice", "rdp", "203.0.113.9")], got)
    check("trap 14: by ETW alone", a.counters()["etw_security_records"] == 2 and
          a.counters()["records_bad"] == 0, a.counters())
    a.end()


FIREWALL = "Microsoft-Windows-Windows Firewall With Advanced Security"


@case
def what_a_session_leaves():
    """By logon id, by SID, by its program; and not what the system does meanwhile."""
    wall = {"provider": FIREWALL, "channel": FIREWALL + "/Firewall",
            "guid": "{D1BC9AFF-2ABF-4D71-9146-ECB2A986EB85}"}
    rule = {"RuleName": "open", "Direction": "1", "LocalPorts": "4444", "Action": "3", "Active": "1",
            "ModifyingUser": USER, "ModifyingApplication": "C:\\Windows\\System32\\netsh.exe"}
    by = {"SubjectUserSid": USER, "SubjectUserName": "alice", "SubjectLogonId": "0x600"}
    a = plays("what_a_session_leaves", [
        desktop(0, version=2),
        process(5, "C:\\Windows\\System32\\cmd.exe", "cmd.exe", 0x1000),
        service_installed(6, "Updater", "C:\\Users\\Public\\u.exe"),
        row(7, 4720, dict(by, TargetUserName="support", TargetSid="S-1-5-21-9-9-9-1009")),
        row(8, 4732, dict(by, MemberName="-", MemberSid="S-1-5-21-9-9-9-1009",
                          TargetUserName="Remotedesktopbenutzer", TargetSid="S-1-5-32-555")),
        row(9, 2004, rule, **wall),
        process(10, "C:\\Windows\\System32\\netsh.exe", "netsh interface portproxy add v4tov4 "
                "listenport=443 connectaddress=127.0.0.1 connectport=3389", 0x1004),
        service_installed(11, "wuauserv2", "C:\\Windows\\x.exe", sid="S-1-5-18"),
        row(12, 2004, dict(rule, ModifyingUser="S-1-5-18", RuleName="photos"), **wall),
        went(13, 0x1000, "\\device\\harddiskvolume2\\windows\\system32\\cmd.exe", "10.20.0.5", 445)])
    got = a.until(lambda: [x for x in a.alerts("activity.persistence") if x["count"] >= 5])
    check("what a session leaves: five changes", [(x["count"], x["severity"], x["account"])
          for x in got] == [(5, "high", "alice")], a.alerts())
    texts = " ".join(v["text"] for x in got for v in x["evidence"])
    check("what a session leaves: which", all(w in texts for w in (
        "'Updater'", "'support'", "'Remotedesktopbenutzer'", "'open' (4444)", "portproxy")), texts)
    s = a.until(lambda: [x for x in a.sessions() if x["destinations_total"]])
    check("what a session leaves: what ran, where it went", [
        (x["commands_total"], [d["address"] for d in x["destinations"]]) for x in s] == [
            (2, ["10.20.0.5"])], s)
    check("what a session leaves: and went on", [x["severity"] for x in a.alerts(
        "activity.lateral_movement")] == ["high"], a.alerts())
    a.end()


@case
def a_session_over_a_restart():
    """What the logs say afterwards finds the session that was open when the agent was killed."""
    a = plays("a_session_over_a_restart", [desktop(0, version=2)])
    check("over a restart: it is open", a.until(a.sessions), a.sessions())
    time.sleep(3)  # it saves once a second
    a.kill()
    t = encode.now()
    s = history([dict(desktop(0, version=2), ft=times_of(a)[1000]),
                 row(1, 4697, {"SubjectUserSid": USER, "SubjectUserName": "alice",
                               "SubjectLogonId": "0x600", "ServiceName": "late",
                               "ServiceFileName": "C:\\\\late.exe"}, at=t - 2 * SOON),
                 desktop(2, logon="0x700", version=2, at=t - SOON)])
    s.event(row(3, 4634, {"TargetUserName": "alice", "TargetLogonId": "0x600", "LogonType": "10"}))
    s.add("end")
    a.start(s)
    a.wait()
    got = a.until(lambda: [x for x in a.sessions() if x["state"] == "closed"])
    check("over a restart: its logoff ends it, and another logon was no other session",
          len(got) == 1 and len(a.sessions()) == 1, a.sessions())
    check("over a restart: its changes are its own", [x["account"] for x in a.alerts(
        "activity.persistence")] == ["alice"], a.alerts())
    a.end()


@case
def changes_without_a_session():
    """An administrator at the console and the system itself: nobody came from afar."""
    by = {"SubjectUserSid": USER, "SubjectUserName": "alice", "SubjectLogonId": "0x777"}
    a = plays("changes_without_a_session", [
        process(0, "C:\\Windows\\System32\\cmd.exe", "cmd.exe", 0x1000, logon="0x777"),
        service_installed(1, "Updater", "C:\\u.exe"), row(2, 4720, dict(by, TargetUserName="x")),
        service_installed(3, "Updater2", "C:\\u.exe", sid="S-1-5-18")])
    time.sleep(2)
    check("changes without a session: nothing", a.alerts() == [] and a.sessions() == [], a.alerts())
    check("changes without a session: read", a.counters()["lines_decoded"] >= 4, a.counters())
    a.end()


@case
def trap_10_tunnel():
    """A tor that calls itself Defender forwards to 3389; somebody logs on from 127.0.0.1."""
    tor = "\\device\\harddiskvolume3\\programdata\\wd\\MsMpEng.exe"
    a = plays("trap_10_tunnel", [
        service_installed(0, "Windows Defender Core", "\"C:\\ProgramData\\wd\\MsMpEng.exe\" -f rc",
                          sid="S-1-5-18"),
        went(1, 0x900, tor, "198.51.100.7", 443), went(2, 0x900, tor, "127.0.0.1", 3389, "127.0.0.1"),
        desktop(5, address="127.0.0.1", version=2)])
    got = a.until(lambda: a.alerts("access.loopback_forwarded"))
    check("trap 10: a tunnel, masked", [(x["severity"], x["reason"], x["origin"]["address"])
          for x in got] == [("critical", "masquerade", "198.51.100.7")], a.alerts())
    check("trap 10: its names", "'Windows Defender Core'" in got[0]["sentence"] and
          "MsMpEng.exe" in got[0]["sentence"], got)
    a.end()


@case
def audit_policy_is_taken_back():
    """4719 by somebody is told at once; group policy's own is not."""
    change = {"SubjectUserSid": USER, "SubjectUserName": "alice", "SubjectLogonId": "0x600",
              "SubcategoryGuid": "{0CCE9215-69AE-11D9-BED3-505054503030}",
              "AuditPolicyChanges": "%%8448, %%8450"}
    for name, who, told in (("audit_policy_by_somebody", USER, 1), ("audit_policy_by_gpo", "S-1-5-18", 0)):
        a = plays(name, [row(0, 4719, dict(change, SubjectUserSid=who))])
        got = a.until(lambda: a.alerts("sensor.blind"), 5)
        check(name + ": told %d times" % told, len(got) == told and all(
            "by 'alice'" in x["sentence"] for x in got), a.alerts())
        a.end()


# --- text logs of servers

FIELDS = ("#Software: Microsoft Internet Information Services 10.0\r\n#Fields: date time s-ip cs-method "
          "cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status sc-substatus "
          "sc-win32-status time-taken\r\n")
OTHER_FIELDS = "#Fields: date time c-ip cs-username cs-method cs-uri-stem sc-status\r\n"


def clock(form):
    return time.strftime(form, time.gmtime())


def put(path, text, mode="a"):
    with open(path, mode, encoding="utf-8", newline="") as f:
        f.write(text)


def sshd_line(n, address="203.0.113.9"):
    return "5848 %s Failed password for invalid user x%d from %s port %d ssh2\r\n" % (
        time.strftime("%Y-%m-%d %H:%M:%S.") + "%03d" % n, n, address, 50000 + n)


def owa(account, address):
    return clock("%Y-%m-%d %H:%M:%S") + (" 10.0.0.1 GET /owa/ - 443 %s %s Mozilla/5.0+(X) 200 0 0 31\r\n"
                                         % (account, address))


def text_agent(name, *patterns):
    folder = os.path.join(HERE, "agent", name)
    return Agent(name, "Sources:\n  Files: [%s]\n" % ", ".join(
        "'%s'" % windows_path(os.path.join(folder, p)) for p in patterns))


def started(a):
    s = live()
    s.add("end")
    a.start(s)
    a.wait()
    time.sleep(3)  # until it has looked for its files


@case
def sshd_log_is_rotated():
    a = text_agent("sshd_log_is_rotated", "sshd.log")
    path = os.path.join(a.dir, "sshd.log")
    put(path, "".join(sshd_line(n, "198.51.100.7") for n in range(9)))
    started(a)
    put(path, "".join(sshd_line(n) for n in range(3)))
    os.rename(path, path + ".1")
    put(path + ".1", sshd_line(3))  # by who had it open
    put(path, sshd_line(4) + sshd_line(5)[:20])
    time.sleep(3)
    put(path, sshd_line(5)[20:])
    got = a.until(lambda: [x for x in a.alerts("auth.bruteforce") if x["count"] >= 6])
    check("sshd.log is rotated: each line once, and nothing of before", [
        (x["count"], x["origin"]["address"], x["service"]) for x in got] == [
            (6, "203.0.113.9", "ssh")], a.alerts())
    put(path, sshd_line(6), "w")  # emptied in place, and begun anew
    got = a.until(lambda: [x for x in a.alerts("auth.bruteforce") if x["count"] >= 7])
    check("sshd.log is emptied: what comes then", [x["count"] for x in got] == [7], a.alerts())
    a.end()


@case
def iis_logs_day_by_day():
    """Another file with other columns, and one more while nobody was there."""
    a = text_agent("iis_logs_day_by_day", "u_ex*.log")

    def day(n):
        return os.path.join(a.dir, "u_ex24030%d.log" % n)
    put(day(4), FIELDS + owa("CORP\\old", "198.51.100.1"))
    put(day(5), FIELDS + owa("CORP\\old", "198.51.100.2"))
    started(a)
    put(day(5), owa("CORP\\alice", "203.0.113.77") + owa("-", "203.0.113.78"))
    put(day(6), OTHER_FIELDS + clock("%Y-%m-%d %H:%M:%S ") +
        "203.0.113.80 CORP\\bob GET /RDWeb/Pages/en-US/Default.aspx 200\r\n")

    def seen():
        return sorted((x["account"], x["service"], x["origin"]["address"]) for x in a.sessions())
    want = [("alice", "mail", "203.0.113.77"), ("bob", "web-remote", "203.0.113.80")]
    check("IIS: columns as each file names them", a.until(lambda: seen() == want), a.sessions())
    time.sleep(3)  # it saves once a second
    a.kill()
    put(day(6), clock("%Y-%m-%d %H:%M:%S ") + "203.0.113.81 CORP\\carol GET /owa/ 200\r\n")
    put(day(7), FIELDS + owa("CORP\\dave", "203.0.113.82"))
    started(a)
    want = sorted(want + [("carol", "mail", "203.0.113.81"), ("dave", "mail", "203.0.113.82")])
    check("IIS: what was written meanwhile, once", a.until(lambda: seen() == want), a.sessions())
    check("IIS: told once each", sorted(x["account"] for x in a.alerts("access.external")) == [
        "alice", "bob", "carol", "dave"] and len(a.reported(1201)) == 2, a.alerts())
    rows = [x for x in a.status()["sources"] if "u_ex" in x["name"]]
    check("IIS: status says so", [x["state"] for x in rows] == ["on"], rows)
    a.end()


@case
def nps_text_log():
    """One that appears later is read from its beginning; answers have their request's address."""
    a = text_agent("nps_text_log", "IN*.log")
    started(a)
    when = clock("%m/%d/%Y,%H:%M:%S")
    cls = '"311 1 10.0.0.5 08/25/2022 03:41:37 31709%d"'

    def line(kind, n, station="", reason=0):
        return '"VPN1","RAS",%s,%d,"alice","CORP\\alice","198.51.100.1","%s",,,"VPN1","10.0.0.5",1519,,' \
            '"10.0.0.5","VPN1",,,5,,1,2,4,"VPN",%d,%s,,,,,,,,,\r\n' % (
                when, kind, station, reason, cls % n)
    put(os.path.join(a.dir, "IN2403.log"), line(1, 1, "203.0.113.9") + line(2, 1) +
        line(1, 2, "AA-BB-CC-DD-EE-FF") + line(2, 2))
    got = a.until(a.sessions)
    check("NPS: one session, by the address of the request", [
        (x["account"], x["service"], x["origin"]["address"]) for x in got] == [
            ("alice", "vpn", "203.0.113.9")], got)
    a.end()


# --- as a service

@case
def service():
    a = Agent("service")

    def do(verb, code, *words):
        r = a.command("service", verb)
        check("service %s" % verb, r.returncode == code and all(
            w in r.stdout + r.stderr for w in words), (r.returncode, r.stdout, r.stderr))
    r = a.command("service", "remove")  # of a run that was interrupted
    do("start", 1, "not installed")
    do("install", 0, "installed")
    do("install", 0, "installed")  # again: a newer program in its place
    do("start", 0)
    do("start", 0)
    r = a.until(lambda: (lambda r: r if r.returncode == 0 else None)(
        a.command("status", "--format", "json")))
    check("service: status answers", r and json.loads(r.stdout)["pid"] > 0, r)
    do("stop", 0)
    r = a.command("status", "--format", "json")
    check("service: stopped, status says so", r.returncode != 0, r)
    do("stop", 0)
    do("start", 0)
    do("remove", 0, "removed")
    do("stop", 1, "not installed")
    r = a.command("run", "--service")
    check("service: --service is for the manager", r.returncode == 2, r)


def main(names):
    wanted = [c for c in cases if not names or c.__name__ in names]
    if not wanted:
        print("no such case; there are: " + " ".join(c.__name__ for c in cases))
        return 2

    # Windows' own processes start with the first program and keep its output open.
    subprocess.run(["wine", "cmd", "/c", "exit"], stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)

    def one(c):
        started = time.monotonic()
        try:
            c()
        except Exception as e:  # a case that breaks is one that fails
            check(c.__name__, False, repr(e))
        with lock:
            print("PASS %s, %.0f s" % (c.__name__, time.monotonic() - started), flush=True)
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("AT_ONCE", "3"))) as pool:
        list(pool.map(one, wanted))
    print("%d passed, %d failed%s" % (count["passed"], count["failed"], ", %d skipped" %
                                      count["skipped"] if count["skipped"] else ""))
    return count["failed"] != 0


sys.exit(main(sys.argv[2:]))
