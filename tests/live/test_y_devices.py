"""Network cards of the own network: one that was never seen, and another one at its address."""
from cases import case
from harness import Client, Sshd, brief, check
from sandbox import wait_for
from test_c_main_job import PASSWORD

ID = "origin.new_device"
FIRST, SECOND = "52:54:00:aa:00:01", "52:54:00:bb:00:07"


def plug(w, mac):
    """A computer at 10.21.0.2, on a cable of its own."""
    net = w.net
    net.ip(net.srv, "link add d0 type veth peer name d1 netns " + net.inside)
    net.ip(net.inside, "link set d1 address " + mac)
    net.ip(net.srv, "addr add 10.21.0.1/24 dev d0")
    net.ip(net.inside, "addr add 10.21.0.2/24 dev d1")
    for ns, link in ((net.srv, "d0"), (net.inside, "d1")):
        net.ip(ns, "link set %s up" % link)


def swap(w, mac):
    w.net.ip(w.net.inside, "link set d1 down")
    w.net.ip(w.net.inside, "link set d1 address " + mac)
    w.net.ip(w.net.inside, "link set d1 up")
    w.net.ip(w.net.srv, "neigh flush dev d0")


def stored(w, account, reason=None):
    """They are stored and not told while the network is being learned."""
    return [a for a in w.agent.stored_alerts()
            if a["detection"] == ID and a.get("account") == account and
            reason in (None, a.get("reason"))]


def stored_one(w, account, reason):
    return wait_for("%s %s of %s" % (ID, reason, account), lambda: stored(w, account, reason),
                    12, 0.15)[0]


@case("journal")
def network_card_is_told_once_and_its_exchange(w):
    name, _ = w.users.add("card")
    plug(w, FIRST)
    Sshd(w.net, w.net.srv, ["10.21.0.1"], port=4890)
    c = Client(w.net, "10.21.0.2", ns=w.net.inside)

    def login():
        c.ssh(name, "10.21.0.1", "id", password=PASSWORD, port=4890, check_rc=0)

    login()
    a = stored_one(w, name, "new")
    check(a["origin"]["address"] == "10.21.0.2", "origin", a)
    check(FIRST in a["sentence"], "its card", a)
    check(a["severity"] == "info" and a["learning"], "the first days teach", a)
    login()
    w.settle()
    told = stored(w, name)
    check(len(told) == 1 and told[0]["count"] == 1, "the same card again: " + brief(told))
    swap(w, SECOND)
    login()
    a = stored_one(w, name, "changed")
    check(SECOND in a["sentence"], "the other card", a)
    check(len(stored(w, name)) == 2, "two in all", brief(stored(w, name)))


@case("journal")
def network_card_of_the_outside_is_none(w):
    name, key = w.users.add("nocard", key=True)
    Client(w.net, w.outside(w.slice())).ssh(name, w.server, "id", key=key, check_rc=0)
    w.agent.session(account=name)
    w.settle()
    check(not stored(w, name), "from outside: " + brief(stored(w, name)))
