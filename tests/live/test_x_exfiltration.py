"""A session that sends much, told while it still runs; beside it one that sends little."""
from cases import case
from harness import Client, brief, check

ID = "activity.exfiltration"


def outside(w):
    return w.outside(w.slice())


def sends(w, name, key, source, mib):
    """An open session whose client has got so many MiB, and waits."""
    p = Client(w.net, source).ssh_open(
        name, w.server, "head -c %d /dev/zero; read x" % (mib << 20), key=key)
    left = mib << 20
    while left > 0:
        got = p.stdout.read1(min(left, 1 << 20))
        check(got, "the copy goes on", left)
        left -= len(got)
    return p


@case("journal")
def a_large_copy_is_told_before_it_ends(w):
    name, key = w.users.add("exfil", key=True)
    source = outside(w)
    p = sends(w, name, key, source, 300)
    a = w.agent.alert(detection=ID, account=name)
    check(p.poll() is None, "the session is open")
    check(a["severity"] == "medium" and a["state"] == "open", "while it runs", a)
    check(a["origin"]["address"] == source, "origin", a)
    s = w.agent.session(account=name, state="open")
    check(s["id"] == a["session"], "its session", a)
    p.communicate(b"\n", timeout=30)
    w.agent.alert(detection=ID, account=name, state="closed")


@case("journal")
def a_small_copy_is_none(w):
    name, key = w.users.add("nofil", key=True)
    p = sends(w, name, key, outside(w), 5)
    w.agent.session(account=name, state="open", test=lambda s: s.get("bytes_out", 0) > 5 << 20)
    p.communicate(b"\n", timeout=30)
    w.agent.session(account=name, state="closed")
    w.settle()
    told = [a for a in w.agent.told(account=name) if a["detection"] == ID]
    check(not told, "5 MiB: " + brief(told))
