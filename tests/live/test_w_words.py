"""A person's word about what was told: seen, over, expected, forgotten; while the agent runs and
while it does not."""
import json

from cases import case, world
from harness import Agent, Client, World, check, the_journal
from test_c_main_job import place


@world("words")
def words(net, users):
    the_journal()
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
    w.agent = agent = Agent("dead", "").start()
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
