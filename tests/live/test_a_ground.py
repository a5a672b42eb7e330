"""The ground the other cases stand on: with no agent at all, servers and clients behave as these
tests believe. When one of these fails, the machine is at fault and not the product."""
import os
import re

from cases import case, world
from harness import Client, Sshd, check, in_parallel, the_journal
from sandbox import run, wait_for


class Ground:
    def __init__(self, net, users):
        self.net, self.users = net, users
        self.sshd = Sshd(net, net.srv, ["192.0.2.251"], MaxAuthTries=20)


@world("ground")
def ground(net, users):
    the_journal()
    return Ground(net, users)


def logged(text):
    wait_for(lambda: "sshd logs %r" % text, lambda: the_journal().lines(text), 5)


@case("ground")
def ground_journal_vouches_for_sshd(w):
    name, _ = w.users.add("gv")
    c = Client(w.net, "198.18.250.2")
    c.guess(name, "192.0.2.251", 1)
    logged("Failed password for %s from 198.18.250.2 port" % name)
    e = [e for e in the_journal().entries("SYSLOG_IDENTIFIER=sshd") if name in str(e["MESSAGE"])][0]
    check(e["_UID"] == "0" and e["_EXE"] == "/usr/sbin/sshd", "who wrote it", e)
    check(os.stat("/run/log/journal").st_mode & 0o7777 == 0o2755, "mode of the journal")


@case("ground")
def ground_every_way_in(w):
    name, key = w.users.add("gw", key=True)
    c = Client(w.net, "198.18.251.2")
    in_parallel([
        lambda: c.ssh(name, "192.0.2.251", password="Corr3ct-horse", check_rc=0),
        lambda: c.ssh(name, "192.0.2.251", key=key, check_rc=0),
        lambda: c.ssh(name, "192.0.2.251", key=key, extra=["-tt"], check_rc=0),
        lambda: c.sftp(name, "192.0.2.251", "pwd\n", key=key),
        lambda: c.scp("/etc/hostname", "%s@192.0.2.251:up" % name, key=key),
    ])
    c.scp("%s@192.0.2.251:up" % name, "/run/og/down", key=key)
    logged("Accepted password for %s from 198.18.251.2" % name)
    logged("Accepted publickey for %s from 198.18.251.2" % name)
    v6 = Client(w.net, "2001:db8:251::2")
    Sshd(w.net, w.net.srv, ["2001:db8:ffff::1"], port=2299)
    v6.ssh(name, "2001:db8:ffff::1", key=key, port=2299, check_rc=0)
    logged("from 2001:db8:251::2 port")


@case("ground")
def ground_mapped_peer_is_mapped(w):
    name, key = w.users.add("gm", key=True)
    Sshd(w.net, w.net.srv, ["::"], port=2298, inetd=True)
    c = Client(w.net, "198.18.252.2")
    p = c.ssh_open(name, "192.0.2.251", "read x", key=key, port=2298)

    def mapped():
        out = run(w.net.inside_ns(w.net.srv, ["ss", "-Htn", "state", "established", "sport",
                                              "= :2298"])).stdout.decode()
        return re.search(r"::ffff:198\.18\.252\.2", out)
    wait_for("a v4-mapped connection", mapped)
    p.communicate(b"\n", timeout=30)
    logged("Accepted publickey for %s from 198.18.252.2" % name)


@case("ground")
def ground_keyboard_interactive(w):
    name, _ = w.users.add("gk")
    Sshd(w.net, w.net.srv, ["192.0.2.252"], KbdInteractiveAuthentication="yes",
         PasswordAuthentication="no")
    c = Client(w.net, "198.18.253.2")
    c.ssh(name, "192.0.2.252", password="Corr3ct-horse", check_rc=0)
    logged("Accepted keyboard-interactive/pam for %s" % name)


@case("ground")
def ground_inside_host_is_reached_only_through_the_server(w):
    name, key = w.users.add("gi", key=True)
    Sshd(w.net, w.net.inside, ["10.20.0.2"], port=2297)
    Client(w.net, None, ns=w.net.srv).ssh(name, "10.20.0.2", key=key, port=2297, check_rc=0)
    out = Client(w.net, "198.18.254.2").ssh(name, "10.20.0.2", key=key, port=2297)
    check(out.returncode == 255, "the outside must not reach the inside host")
