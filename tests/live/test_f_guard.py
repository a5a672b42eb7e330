"""What becomes of the agent itself is told: who ended it, that it was killed, that its hooks or its
store were taken away. Each case has an agent of its own, as in test_f_restart."""
import glob
import json
import os
import signal
import sqlite3

from cases import case
from harness import Client, brief, check
from sandbox import run, wait_for
from test_c_main_job import place
from test_f_restart import fresh


def interrupted(agent, **want):
    want["detection"] = "sensor.interrupted"
    return [a for a in agent.stored_alerts() if all(a.get(k) == v for k, v in want.items())]


@case("restart", alone=True)
def the_session_that_ends_the_agent(w):
    name, key = w.users.add("ender", key=True)
    source = place(w)
    c = Client(w.net, source)
    with open("/etc/sudoers.d/og-%s" % name, "w") as f:
        f.write("%s ALL=(ALL) NOPASSWD: ALL\n" % name)
    os.chmod(f.name, 0o440)
    agent = fresh(w, "ender").start()
    c.ssh(name, w.server, "sudo -n /bin/kill %d; sleep 1" % agent.proc.pid, key=key, check_rc=0)
    check(agent.proc.wait(15) == 0, "it ends in order", agent.stderr())
    a = interrupted(agent, reason="stopped")
    check(len(a) == 1 and a[0]["severity"] == "high" and a[0]["account"] == name and
          a[0]["origin"]["address"] == source and "kill" in a[0]["sentence"] and
          name in a[0]["sentence"] and source in a[0]["sentence"], "who it was", a)
    agent.start()
    w.settle()
    check(not interrupted(agent, reason="killed"), "an end in order is no kill",
          brief(interrupted(agent)))
    agent.stop()
    a = interrupted(agent, reason="stopped")
    others = [x for x in a if not x.get("session")]
    check(len(others) == 1 and others[0]["severity"] == "medium", "a stop by no session", a)


@case("restart", alone=True)
def a_killed_agent_says_so(w):
    agent = fresh(w, "killed").start()
    w.settle()
    agent.kill()
    agent.start()
    a = agent.alert(detection="sensor.interrupted", reason="killed")
    check(a["severity"] == "medium" and "did not end in order" in a["sentence"], "told", a)
    agent.kill(everything=False)  # its other half outlives it by a moment, and says so
    a = interrupted(agent, reason="killed")
    check("its privileged half was killed" in json.dumps(a), "the last words of the other", a)
    agent.start()
    child = [p for p in agent.family() if p != agent.proc.pid][0]
    os.kill(child, signal.SIGKILL)
    wait_for("the half is started again", lambda: len(agent.family()) == 2)
    wait_for("and said", lambda: "the unprivileged half was killed" in
             json.dumps(interrupted(agent, reason="killed")))
    child = [p for p in agent.family() if p != agent.proc.pid][0]
    os.kill(child, signal.SIGSYS)
    agent.alert(detection="sensor.interrupted", reason="crashed", severity="high")
    agent.stop()


@case("restart", alone=True)
def a_deleted_alert_shows(w):
    name, _ = w.users.add("wiped")
    source = place(w)
    agent = fresh(w, "wiped").start()
    Client(w.net, source).guess(name, w.server, 6)
    told = agent.alert(detection="auth.bruteforce", account=name)
    agent.stop()
    ok = agent.cli("verify", "--store", agent.store)
    check(b"Nothing was deleted" in ok.stdout, "untouched", ok.stdout)
    db = sqlite3.connect(agent.store)
    db.execute("DELETE FROM alerts WHERE id = ?", (told["id"],))
    db.commit()
    db.close()
    bad = agent.cli("verify", "--store", agent.store, check_rc=1)
    check(told["id"].encode() + b" was deleted" in bad.stdout, "which it was", bad.stdout)
    agent.start()
    a = agent.alert(detection="sensor.interrupted", reason="store", severity="high")
    check(told["id"] in a["sentence"], "the agent says so itself", a)
    agent.kill()
    for path in glob.glob(agent.store + "*"):
        os.unlink(path)
    agent.start()
    wait_for("all of it", lambda: "its store is gone" in json.dumps(interrupted(agent)))
    agent.stop()


@case("restart", alone=True)
def hooks_taken_away_show(w):
    others = glob.glob("/sys/fs/bpf/outergate/*/*/link_fork")  # of agents that were stopped
    agent = fresh(w, "unhooked").start()
    w.settle()
    check(not interrupted(agent, reason="unhooked"), "nothing yet", brief(interrupted(agent)))
    links = [p for p in glob.glob("/sys/fs/bpf/outergate/*/*/link_fork") if p not in others]
    check(links, "hooks are kept in bpffs", run(["ls", "-R", "/sys/fs/bpf"], check=False).stdout)
    for path in links:
        os.unlink(path)
    a = agent.alert(detection="sensor.interrupted", reason="unhooked", timeout=45)
    check(a["severity"] == "high" and "fork (no longer kept in bpffs)" in a["sentence"], "", a)
    check(all(os.path.exists(p) for p in links), "and are kept again", links)
    agent.stop()


@case("restart", alone=True)
def a_half_that_does_not_end(w):
    """Whoever stops the agent hears why it did not end in order."""
    agent = fresh(w, "stuck").start()
    child = [p for p in agent.family() if p != agent.proc.pid][0]
    os.kill(child, signal.SIGSTOP)
    agent.proc.terminate()
    check(agent.proc.wait(30) == 1, "no end in order", agent.stderr())
    check("did not end within 10 s and is killed" in agent.stderr(), "and why", agent.stderr())
    agent.start()
    agent.stop()  # an ordinary one gives 0


@case("restart", alone=True)
def a_refused_reload_is_in_status(w):
    agent = fresh(w, "refused").start()

    def reload(text):
        with open(agent.config, "w") as f:
            f.write(text)
        agent.proc.send_signal(signal.SIGHUP)

    def refused():
        return status().get("reload_refused")

    def status(form="json"):
        """Asked with the right one: what the agent refused, its own commands refuse, too."""
        out = agent.cli("status", "--format", form, "--config", agent.dir + "/good.yaml").stdout
        return json.loads(out) if form == "json" else out.decode()
    with open(agent.config) as f:
        good = f.read()
    with open(agent.dir + "/good.yaml", "w") as f:
        f.write(good)
    check(not refused(), "nothing yet", refused())
    reload(good + "\nNoSuchKey: 1\n")
    r = wait_for("the refusal", refused)
    check("NoSuchKey" in r["reason"] and r["time"], "why and when", r)
    shown = status("table")
    check("reload REFUSED at %s" % r["time"] in shown and r["reason"] in shown, "the table", shown)
    reload(good.replace(agent.store, agent.dir + "/state/another.db"))
    wait_for(lambda: "the next one: %s" % refused(), lambda: "restart" in refused()["reason"])
    reload(good)
    wait_for("the file is right again", lambda: not refused())
    check("REFUSED" not in status("table"), "nor in the table", status("table"))
    reload(good + "\nKnownRemoteIPs: [203.0.113.99/32]\n")
    wait_for(lambda: "another one is taken: " + agent.stderr(), lambda: agent.stderr().count("outergate: ready") == 2)
    check(not refused(), "no refusal", refused())
    agent.stop()
