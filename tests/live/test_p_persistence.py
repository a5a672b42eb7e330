"""What a session leaves behind to come back by, each beside what looks like it and is none."""
import json
import os
import threading

from cases import case
from harness import Client, Sshd, check, fingerprint
from sandbox import run, wait_for
from test_c_main_job import none_of

ID = "activity.persistence"
shared = {"lock": threading.Lock(), "host": 1}


def place(w):
    """An address outside that no other case has, in one network of these cases."""
    with shared["lock"]:
        if "net" not in shared:
            shared["net"] = w.slice()
        shared["host"] += 1
        return w.outside(shared["net"], shared["host"])


def public(key):
    with open(key + ".pub") as f:
        return f.read().strip()


def evidence(a):
    return json.dumps([e["text"] if isinstance(e, dict) and "text" in e else e
                       for e in a.get("evidence", [])])


def told(w, account, **want):
    return w.agent.alert(detection=ID, account=account, **want)


def intruder(w, stem):
    """(account, its key, client, another key's path)"""
    name, key = w.users.add(stem, key=True)
    new = w.users.new_key("new-" + name, None)
    w.settle()  # the agent has learned of the new account's home, as of any that is older
    return name, key, Client(w.net, place(w)), new


def as_root(w):
    """A way to log in as root from outside: (client, address, key)."""
    source = place(w)
    with shared["lock"]:
        if "root" not in shared:
            address = "192.0.2.%d" % w.slice()
            Sshd(w.net, w.net.srv, [address], PermitRootLogin="prohibit-password")
            shared["root"] = address, w.users.new_key("root-persistence", "root")
    return (Client(w.net, source), *shared["root"])


@case("journal")
def a_key_appended_in_a_session(w):
    name, key, c, new = intruder(w, "pkey")
    c.ssh(name, w.server, "echo '%s' >> ~/.ssh/authorized_keys" % public(new), key=key,
          check_rc=0)
    a = told(w, name, severity="high", reason="authorized-keys")
    text = evidence(a) + a["sentence"]
    check(fingerprint(new) in text, "the fingerprint of the key that was added", a)
    check(fingerprint(key) not in text, "a key that was there is none that was added", a)
    check("/home/%s/.ssh/authorized_keys" % name in text and "bash" in text, "file and program", a)
    check("sha256" in evidence(a), "hashes before and after", a)
    check(a["session"] and a["origin"]["address"] == c.source, "whose session", a)


@case("journal")
def a_key_file_renamed_over(w):
    """As ssh-copy-id and editors do: a new file takes the old one's name."""
    name, key, c, new = intruder(w, "pmv")
    c.ssh(name, w.server, "cd ~/.ssh; cp authorized_keys t; echo '%s' >> t; mv t authorized_keys"
          % public(new), key=key, check_rc=0)
    a = told(w, name, severity="high", reason="authorized-keys")
    check(fingerprint(new) in evidence(a) and "/mv" in evidence(a), "key and program", a)


@case("journal")
def a_key_file_linked(w):
    name, key, c, new = intruder(w, "pln")
    c.ssh(name, w.server, "echo '%s' > ~/k; ln ~/k ~/.ssh/authorized_keys2" % public(new),
          key=key, check_rc=0)
    a = told(w, name, severity="high", reason="authorized-keys")
    check(fingerprint(new) in evidence(a) and "authorized_keys2" in evidence(a), "what", a)


@case("journal")
def a_key_in_an_ssh_directory_that_is_new(w):
    name, _ = w.users.add("pnew")
    c = Client(w.net, place(w))
    new = w.users.new_key("new-" + name, None)
    c.ssh(name, w.server, "mkdir ~/.ssh && echo '%s' > ~/.ssh/authorized_keys" % public(new),
          password="Corr3ct-horse", check_rc=0)
    a = told(w, name, severity="high", reason="authorized-keys")
    check(fingerprint(new) in evidence(a), "the key", a)


@case("journal")
def a_key_over_sftp(w):
    name, key, c, new = intruder(w, "psftp")
    c.sftp(name, w.server, "put %s.pub .ssh/authorized_keys2\n" % new, key=key)
    a = told(w, name, severity="high")
    check(fingerprint(new) in evidence(a) and "sftp-server" in evidence(a), "key and program", a)


@case("journal")
def a_file_held_open_is_told_at_once(w):
    """The writer never closes the file while it is here."""
    name, key, c, new = intruder(w, "phold")
    c.ssh_open(name, w.server, "exec 3>>~/.ssh/authorized_keys; echo '%s' >&3; exec sleep 60" %
               public(new), key=key)
    check(fingerprint(new) in evidence(told(w, name, severity="high")), "the key")


@case("journal")
def no_change_of_content_is_no_persistence(w):
    """Touched, opened for writing, written as it was, read, and other names beside it."""
    name, key, c, new = intruder(w, "pnear")
    c.ssh(name, w.server, "cd ~/.ssh; touch authorized_keys; : >> authorized_keys; "
          "cp authorized_keys t; cat t > authorized_keys; mv t authorized_keys; "
          "echo '%s' > known_hosts; echo '%s' > authorized_keys.bak; "
          "chmod 600 authorized_keys; cat authorized_keys > /dev/null; rm authorized_keys.bak" %
          (public(new), public(new)), key=key, check_rc=0)
    w.settle()
    none_of(w, (ID,), account=name)
    c.ssh(name, w.server, "echo '# x' >> ~/.ssh/authorized_keys", key=key, check_rc=0)
    check(told(w, name, severity="high")["count"] == 1, "but this one is watched")


@case("journal")
def a_process_of_no_session_is_no_persistence(w):
    """The administrator at the console, while the account is logged in."""
    name, key, c, new = intruder(w, "pout")
    p = c.ssh_open(name, w.server, "echo here; read x; echo \"$x\" >> .ssh/authorized_keys; "
                   "exec sleep 60", key=key)
    p.stdout.readline()
    w.users.authorize(new, name)
    w.settle()
    none_of(w, (ID,), account=name)
    check(not [a for a in w.agent.told(detection=ID) if fingerprint(new) in evidence(a)],
          "somebody else's session", w.agent.told(detection=ID))
    p.stdin.write(b"# here\n")
    p.stdin.flush()
    a = told(w, name, severity="high")
    check(fingerprint(new) not in evidence(a), "the key was there before", a)


@case("journal")
def guessed_and_a_key_left_is_a_chain(w):
    name, _ = w.users.add("pchain")
    c = Client(w.net, place(w))
    new = w.users.new_key("new-" + name, None)
    c.guess(name, w.server, 6)
    c.ssh(name, w.server, "mkdir .ssh; echo '%s' >> .ssh/authorized_keys" % public(new),
          password="Corr3ct-horse", check_rc=0)
    a = told(w, name, severity="high")
    chain = w.agent.alert(detection="chain.t1133", account=name)
    check(w.agent.alert(detection=ID, account=name, part_of=chain["id"]), "part of it", a)


@case("journal")
def root_leaves_a_server_option(w):
    c, address, key = as_root(w)
    os.makedirs("/etc/ssh/sshd_config.d", exist_ok=True)
    c.ssh("root", address, "echo 'PermitRootLogin yes' > /etc/ssh/sshd_config.d/%s.conf" %
          w.users.tag, key=key, check_rc=0)
    a = told(w, "root", severity="high", reason="sshd-config", origin__address=c.source)
    check("sshd_config.d" in evidence(a), "which", a)


@case("journal")
def root_leaves_an_account(w):
    c, address, key = as_root(w)
    name = "evil-" + w.users.tag
    with w.users.lock:
        c.ssh("root", address, "/usr/sbin/useradd -o -u 0 -M " + name, key=key, check_rc=0)
    a = told(w, "root", severity="high", reason="account", origin__address=c.source)
    check(name in evidence(a) and "useradd" in evidence(a), "the account and the program", a)


@case("journal")
def root_leaves_a_member_of_a_group(w):
    name, _ = w.users.add("pgrp")
    c, address, key = as_root(w)
    with w.users.lock:
        c.ssh("root", address, "/usr/sbin/usermod -aG adm " + name, key=key, check_rc=0)
    a = wait_for("a group with its new member", lambda: [
        x for x in w.agent.told(detection=ID, account="root", severity="high",
                                origin__address=c.source)
        if "group: /etc/group" in evidence(x) and name in evidence(x)])
    check(a[0]["severity"] == "high", "severity", a)


@case("journal")
def root_leaves_a_unit_and_a_job(w):
    c, address, key = as_root(w)
    unit = "/etc/systemd/system/og-%s.service" % w.users.tag
    c.ssh("root", address, "mkdir -p /etc/cron.d; echo '[Service]' > %s; echo '* * * * * root id' > /etc/cron.d/og-%s" %
          (unit, w.users.tag), key=key, check_rc=0)

    def both():  # one alert that grows quietly, or two where the session closed in between
        text = "".join(evidence(a) for a in w.agent.stored_alerts("--detection", ID, "--origin",
                                                                  c.source))
        return unit in text and "/etc/cron.d/og-" in text
    wait_for(lambda: "unit and job; told: %s" %
             w.agent.told(detection=ID, origin__address=c.source), both)
    run(["rm", "-f", unit, "/etc/cron.d/og-" + w.users.tag])


@case("journal")
def what_cron_and_systemd_ignore_is_nothing(w):
    c, address, key = as_root(w)
    c.ssh("root", address, "echo x > /etc/cron.d/og.bak; echo x > /etc/systemd/system/og.txt; "
          "echo x > /etc/og-%s; mkdir -p /etc/cron.d; : > /etc/cron.d/empty; "
          "rm /etc/cron.d/og.bak /etc/systemd/system/og.txt /etc/cron.d/empty" % w.users.tag,
          key=key, check_rc=0)
    w.settle()
    none_of(w, (ID,), origin__address=c.source)


@case("journal")
def a_package_with_a_unit_is_info(w):
    """dpkg, in a session of root, installs a package that brings a unit."""
    c, address, key = as_root(w)
    tag = w.users.tag
    tree = "/run/og/deb-" + tag
    os.makedirs(tree + "/DEBIAN")
    os.makedirs(tree + "/etc/systemd/system")
    with open(tree + "/DEBIAN/control", "w") as f:
        f.write("Package: og-%s\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\n"
                "Description: a unit\n" % tag)
    with open(tree + "/etc/systemd/system/pkg-%s.service" % tag, "w") as f:
        f.write("[Service]\nExecStart=/bin/true\n")
    run(["dpkg-deb", "-b", tree, tree + ".deb"])
    admin = "/run/og/dpkg-" + tag
    run(["cp", "-r", "/var/lib/dpkg", admin])
    c.ssh("root", address, "PATH=/usr/sbin:/usr/bin:/sbin:/bin /usr/bin/dpkg --admindir=%s "
          "--log=/dev/null -i %s.deb" % (admin, tree), key=key, check_rc=0)
    a = told(w, "root", origin__address=c.source)
    w.settle()
    a = told(w, "root", origin__address=c.source)
    check(a["severity"] == "info" and "pkg-%s.service" % tag in evidence(a), "a package's unit", a)


@case("journal")
def ones_own_password_is_info(w):
    name, key = w.users.add("ppw", key=True)
    c = Client(w.net, place(w))
    c.ssh(name, w.server, "printf 'Corr3ct-horse\\nNew-c0rrect-h\\nNew-c0rrect-h\\n' | passwd",
          key=key, check_rc=0)
    w.settle()
    for a in w.agent.told(detection=ID, account=name):
        check(a["severity"] == "info", "somebody changed their own password", a)


@case("journal")
def status_tells_of_the_files(w):
    rows = [r for r in w.agent.status()["sources"] if "fanotify" in r["name"]]
    check(len(rows) == 1, "one row", w.agent.status()["sources"])
    check(rows[0]["state"] == "on", "it is on here", rows)
