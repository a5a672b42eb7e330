"""Whose tmux it is: its owner from a second session, and somebody with another key."""
from cases import case
from harness import Client, brief, check
from sandbox import wait_for
from test_u_handoffs import as_user

ID = "session.hijacked"


def attach(w, name, source, key, command="tmux attach -t work"):
    return Client(w.net, source).ssh_open(name, w.server, ["-tt", "TERM=vt100 " + command],
                                          key=key)


def clients(w, name, number):
    wait_for("%d clients of tmux" % number, lambda: as_user(
        w, name, "tmux", "list-clients", "-t", "work",
        check=False).stdout.count(b"\n") == number)


@case("journal")
def hijack_of_a_tmux_by_another_key(w):
    name, key = w.users.add("hjmux", key=True)
    other = w.users.new_key("other-" + name, name)
    first, second = w.outside(w.slice()), w.outside(w.slice())
    started = attach(w, name, first, key, "tmux new-session -s work")
    clients(w, name, 1)
    again = attach(w, name, first, key)
    clients(w, name, 2)
    w.settle()
    told = [a for a in w.agent.told(account=name) if a["detection"] == ID]
    check(not told, "its owner, from a second session: " + brief(told))
    stranger = attach(w, name, second, other)
    clients(w, name, 3)
    a = w.agent.alert(detection=ID, account=name)
    check(a["severity"] == "high" and a["reason"] == "multiplexer", "what it is", a)
    check(a["origin"]["address"] == second, "who came", a)
    check("with another key" in a["sentence"], "whose it is", a)
    as_user(w, name, "tmux", "kill-server")
    for p in (started, again, stranger):
        p.wait(30)
