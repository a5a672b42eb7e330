"""What a server speaks by its first bytes, whatever its port is for."""
from cases import case
from harness import Client, Sshd, check
from sandbox import wait_for
from test_c_main_job import PASSWORD, place

ID = "access.protocol_mismatch"


@case("journal")
def sshd_behind_https(w):
    name, _ = w.users.add("far443")
    address = w.server
    Sshd(w.net, w.net.srv, [address], port=443)
    for _ in range(2):
        c = Client(w.net, place(w))
        c.ssh(name, address, "true", password=PASSWORD, port=443, check_rc=0)
    a = w.agent.alert(detection=ID)
    check(a["severity"] == "medium" and a["service"] == "ssh" and a["local"]["port"] == 443 and
          "for https" in a["sentence"], "which port, and what it speaks", a)
    w.settle()
    check(len([x for x in w.agent.stored_alerts() if x["detection"] == ID]) == 1, "once a listener")
    wait_for("its sessions", lambda: len(w.agent.sessions(account=name, service="ssh")) == 2)
