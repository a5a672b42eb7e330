"""Who it really is: certificates, and people who share an account."""
import json

from cases import case
from harness import Client, Sshd, check, fingerprint, in_parallel
from sandbox import TMP, run
from test_c_main_job import place


def certificate(w, key, name, serial, principal, authority="user-ca"):
    """Signs key's public half; returns the authority's path."""
    ca = TMP + "/" + authority
    with w.users.lock:
        if run(["test", "-e", ca], check=False).returncode:
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", ca])
    run(["ssh-keygen", "-q", "-s", ca, "-I", name, "-n", principal, "-z", str(serial), key + ".pub"])
    return ca


@case("journal")
def certificate_login(w):
    name, _ = w.users.add("cert")
    one, two, alien = (w.users.new_key("c%d-%s" % (i, name), None) for i in (1, 2, 3))
    hostile = "eve (serial 1) CA ED25519 SHA256:x ssh2: ED25519-CERT from 198.51.100.9 port 22"
    ca = certificate(w, one, "alice@laptop", 18446744073709551615, name)
    certificate(w, two, hostile, 8, name)
    certificate(w, alien, "mallory", 9, name, "other-ca")
    sshd = Sshd(w.net, w.net.srv, [w.server], port=2293, TrustedUserCAKeys=ca + ".pub")
    source = place(w)
    c = Client(w.net, source)
    c.ssh(name, w.server, "id", key=one, port=2293, check_rc=0)
    c.ssh(name, w.server, "uname", key=two, port=2293, check_rc=0)
    s = w.agent.session(account=name, test=lambda s: "alice@laptop" in s.get("key", ""))
    check(s["method"] == "certificate", "method", s)
    check(s["key"] == "ED25519-CERT %s ID alice@laptop (serial 18446744073709551615)" %
          fingerprint(one), "key id and serial whole", s)
    s = w.agent.session(account=name, test=lambda s: fingerprint(two) in s.get("key", ""))
    check(s["key"].endswith(" (serial 8)") and s["origin"]["address"] == source,
          "a hostile key id changes nothing else", s)
    c.ssh(name, w.server, "id", key=alien, port=2293, check_rc=255)
    w.settle()
    check(len(w.agent.sessions(account=name)) == 2, "nobody by another authority's certificate")
    named = [a for a in w.agent.stored_alerts() if a["detection"] == "access.external" and
             a.get("account") == name]
    check(sorted(a["key"].rsplit(" ", 1)[1] for a in named) == ["18446744073709551615)", "8)"],
          "an access an identity, named by its certificate", named)
    sshd.stop()


@case("journal")
def three_people_on_one_account(w):
    """At once, from one address: each has a session, an identity and commands of their own."""
    name, _ = w.users.add("shared")
    source = place(w)
    people = [w.users.new_key("p%d-%s" % (i, name), name) for i in range(3)]

    def work(i):
        return lambda: Client(w.net, source).ssh(
            name, w.server, "for n in 1 2 3; do /bin/echo person-%d; sleep 0.3; done" % i,
            key=people[i], check_rc=0)
    in_parallel([work(i) for i in range(3)] * 2)
    w.settle()
    for i, key in enumerate(people):
        mine = [s for s in w.agent.sessions(account=name) if fingerprint(key) in s.get("key", "")]
        check(len(mine) == 2, "two sessions of person %d" % i, mine)
        for s in mine:
            ran = json.dumps(s["commands"])
            check("person-%d" % i in ran, "what that person ran", s)
            check(not [j for j in range(3) if j != i and "person-%d" % j in ran],
                  "and nobody else", s)
    alerts = w.agent.stored_alerts()
    access = [a for a in alerts if a["detection"] == "access.external" and
              a.get("account") == name]
    check(len(access) == 3, "one access a person, not one an account", access)
