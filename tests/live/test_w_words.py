"""A person's word about what was told: seen, over, expected, forgotten; while the agent runs and
while it does not."""
import json
import re
import sqlite3
import time

from cases import case, world
from harness import Agent, Client, World, check, the_journal, the_journal_again
from test_c_main_job import place


@world("words")
def words(net, users):
    the_journal_again()
    w = World("words", net, users)
    w.agent_per_case = True
    w.start_common()
    return w


def say(agent, *argv, check_rc=0):
    """What the command answers."""
    return agent.cli(*argv, "--config", agent.config, check_rc=check_rc).stdout.decode()


def guessed(w, stem):
    """Somebody guesses, gets in with the seventh try and goes."""
    name, _ = w.users.add(stem)
    source = place(w)
    c = Client(w.net, source)
    c.guess(name, w.server, 6)
    c.ssh(name, w.server, "id", password="Corr3ct-horse", check_rc=0)
    return name, source


@case("words", alone=True)
def an_alert_is_acknowledged_closed_and_forgotten(w):
    w.agent = agent = Agent("word", "").start()
    name, source = guessed(w, "words")
    a = agent.alert(detection="auth.bruteforce_success", account=name)
    out = say(agent, "alerts", "ack", a["id"][:12], "--note", "I asked \x1b[31mher")
    check("acknowledged" in out, "an answer", out)
    stored = next(x for x in agent.stored_alerts() if x["id"] == a["id"])
    check(stored["acknowledged"] and stored["note"].startswith("I asked"), "it is stored", stored)
    check(stored["revision"] > a["revision"], "as a revision", stored)
    say(agent, "alerts", "close", a["id"])
    stored = next(x for x in agent.stored_alerts() if x["id"] == a["id"])
    check(stored["state"] == "closed", "closed by hand", stored)
    say(agent, "alerts", "ack", "feedfeed", check_rc=1)
    check(agent.sessions(account=name), "a session to forget")
    out = say(agent, "forget", "--account", name)
    check(out.startswith("forgotten: "), "an answer", out)
    out = say(agent, "forget", "--origin", source)
    check(not agent.sessions(account=name) and not agent.sessions(origin__address=source),
          "forgotten", out)
    check(not [x for x in agent.stored_alerts() if name in json.dumps(x["account"])],
          "its alerts as well")
    agent.stop()


@case("words", alone=True)
def what_was_asked_of_a_dead_agent_is_done_at_its_start(w):
    w.agent = agent = Agent("words-dead", "").start()
    name, _ = guessed(w, "deadword")
    a = agent.alert(detection="auth.bruteforce_success", account=name)
    agent.session(account=name, state="closed")
    agent.stop()
    out = say(agent, "alerts", "ack", a["id"], "--expected")
    check("when it runs" in out, "it says that nobody has done it yet", out)
    agent.start()
    stored = next(x for x in agent.stored_alerts() if x["id"] == a["id"])
    check(stored.get("acknowledged"), "done at the start", stored)
    agent.stop()
    rows = [json.loads(x) for x in
            say(agent, "profiles", "--format", "json", name).splitlines()]
    check(len(rows) == 1 and rows[0]["identity"] == name and rows[0]["logins"] == 1,
          "what was expected is learned though it was high", rows)
    check({"kind": "method", "value": "password"}.items() <=
          next(s for s in rows[0]["seen"] if s["kind"] == "method").items(), "how", rows)
    agent.start()
    out = say(agent, "profiles", "--forget", name)
    check(out.startswith("forgotten: 1 "), "an answer", out)
    agent.stop()
    check("no profiles" in say(agent, "profiles", name), "forgotten")


@case("words", alone=True)
def a_test_alert_arrives_and_is_no_real_one(w):
    """Beside a running agent: by its sinks, into the journal, and nowhere into the store."""
    w.agent = agent = Agent("test", "").start()
    before = agent.stored_alerts()
    out = say(agent, "test", "auth.bruteforce_success")
    found = re.search(r"^journald +arrived: journalctl OUTERGATE_ID=([0-9a-f]{32})$", out, re.M)
    check(found, "it says where it arrived", out)
    entries = the_journal().entries("OUTERGATE_ID=" + found[1])
    check(len(entries) == 1, "once", entries)
    e = entries[0]
    check(e["OUTERGATE_TEST"] == "1" and e["PRIORITY"] == "3" and
          e["MESSAGE"].startswith("TEST: ") and
          e["OUTERGATE_DETECTION"] == "auth.bruteforce_success", "marked", e)
    check(json.loads(e["OUTERGATE_JSON"])["test"] is True, "in the object, too", e)
    check(int(e["_PID"]) == agent.status()["pid"], "the agent sent it", e)
    check(agent.stored_alerts() == before, "it is not stored", agent.stored_alerts())
    check("access.external" in the_journal().entries("OUTERGATE_ID=" + re.search(
        "OUTERGATE_ID=([0-9a-f]+)", say(agent, "test"))[1])[0]["OUTERGATE_DETECTION"], "the default")
    agent.stop()
    out = say(agent, "test")
    check("does not run" in out and "arrived" in out, "without an agent it says so", out)


@case("words", alone=True)
def a_sink_that_may_not_know_who_is_not_told(w):
    """The whole story of a guessed password, with the names nowhere but in the store."""
    w.agent = agent = Agent("pseudonyms", "Privacy: {Pseudonymise: [journald, json]}\n").start()
    name, source = guessed(w, "blindly")
    told = agent.alert(detection="auth.bruteforce_success")
    agent.alert(detection="access.external")
    pid = agent.status()["pid"]
    agent.stop()
    entries = the_journal().entries("_PID=%d" % pid)
    check(len(entries) >= 2, "the journal has them", entries)
    for text, where in ((agent.raw().decode(), "stdout"), (json.dumps(entries), "the journal")):
        check(name not in text and source not in text and w.server not in text,
              "%s names somebody" % where, text[:3000])
    check(told["account"].startswith("user:") and told["origin"]["address"].startswith("100::"),
          "pseudonyms", told)
    check(len({a["origin"]["address"] for a in agent.told()
               if a["detection"].startswith("a")}) == 1, "one and the same", agent.told())
    stored = [a for a in agent.stored_alerts() if a["id"] == told["id"]]
    check(stored and stored[0]["account"] == name and stored[0]["origin"]["address"] == source and
          source in stored[0]["sentence"], "the store has the truth", stored)


@case("words", alone=True)
def what_ends_is_told_and_what_is_old_goes(w):
    """An exception that ends in three days, a place that has ended; an alert of 91 days ago."""
    day = lambda n: time.strftime("%Y-%m-%d", time.gmtime(time.time() + n * 86400))
    w.agent = agent = Agent("ends", "".join((
        "KnownRemoteIPs:\n  - {cidr: 192.0.2.7, account: gone, until: %s}\n" % day(-2),
        "Detections:\n  auth.spray:\n    exceptions:\n",
        "      - {account: a, reason: soon, until: %s}\n" % day(3),
        "      - {account: b, reason: later, until: %s}\n" % day(30)))).start()
    name, _ = guessed(w, "ends")
    agent.alert(detection="auth.bruteforce_success", account=name)
    said = [e["MESSAGE"] for e in the_journal().entries("OUTERGATE_NOTICE=expiry")]
    soon = "the exception of auth.spray (soon) expires on " + day(3)
    over = "KnownRemoteIPs 192.0.2.7/32 of gone expired on %s and has no effect" % day(-2)
    check(sorted(said) == sorted([soon, over]), "both are told, the third is not", said)
    check(agent.status()["expiries"] == [soon, over], "by status, too", agent.status()["expiries"])
    agent.stop()
    db = sqlite3.connect(agent.store)
    old = int((time.time() - 91 * 86400) * 1e9)
    db.execute("UPDATE alerts SET last_ns = ?, state = 2 WHERE detection = 'access.external'", (old,))
    db.execute("UPDATE alerts SET last_ns = ?, state = 1 WHERE detection = 'auth.bruteforce'", (old,))
    check(db.execute("SELECT count(*) FROM alerts WHERE last_ns = ?", (old,)).fetchone()[0] >= 2,
          "something is old")
    db.commit()
    db.close()
    agent.start()
    left = {a["detection"] for a in agent.stored_alerts()}
    check("access.external" not in left and "auth.bruteforce_success" in left,
          "what is old and closed is gone at the start", left)
    agent.stop()
    said = the_journal().entries("OUTERGATE_NOTICE=expiry")
    check(len(said) == 2, "a restart does not repeat it", said)


@case("words", alone=True)
def history_is_learned_without_an_alert(w):
    """The log of the last weeks, read once: the next login from there is known."""
    name, _ = w.users.add("history")
    source = place(w)
    w.agent = agent = Agent("history", "").start()
    path = agent.dir + "/old.log"
    with open(path, "w") as f:
        for day in range(1, 21):
            for pid, line in enumerate(("Accepted password for %s from %s port 4%03d ssh2",
                                        "Disconnected from user %s %s port 4%03d")):
                f.write("2026-10-%02dT09:0%d:00+00:00 h sshd[1%02d]: %s\n" %
                        (day, pid, day, line % (name, source, day)))
    before = len(agent.stored_alerts())
    out = say(agent, "learn", path)
    check("1 identities and accounts" in out and "learned" in out, "what was learned", out)
    check(len(agent.stored_alerts()) == before, "no alert", agent.stored_alerts())
    Client(w.net, source).ssh(name, w.server, "id", password="Corr3ct-horse", check_rc=0)
    a = agent.alert(detection="access.external", account=name)
    check(a["severity"] == "info", "the place is known", a)
    check(say(agent, "learn", "/dev/null").startswith("0 identities"), "nothing is no error")
    agent.stop()
    rows = [json.loads(x) for x in
            say(agent, "profiles", "--format", "json", name).splitlines()]
    check(rows[0]["logins"] >= 20 and rows[0]["first_day"].startswith("2026-10-01"),
          "the habits of twenty days", rows)
    # What was exported, forgotten and imported is what it was; by an agent that runs.
    with open(agent.dir + "/export", "w") as f:
        f.write(say(agent, "profiles", "--format", "json", name))
    agent.start()
    say(agent, "profiles", "--forget", name)
    out = say(agent, "profiles", "import", agent.dir + "/export")
    check(out.splitlines() == ["1 profiles", "learned"], "the agent has taken it", out)
    agent.stop()
    again = [json.loads(x) for x in
             say(agent, "profiles", "--format", "json", name).splitlines()]
    check(again == rows, "the same", again, rows)
