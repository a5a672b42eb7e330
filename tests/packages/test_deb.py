"""The packages in a booted Debian: the README's commands, a login, an upgrade, a downgrade, removal, purge.

The cases are one life, so each begins where the one before has ended. (tests/live/run.sh runs them, with
LIVE_CASES=tests/packages; PACKAGES and PACKAGES_NEW are directories of packages.)
"""
import json
import os
import re
import subprocess
import time

from box import BOX, NEW, OLD, OUTSIDE, Box, deb, of_this_release
from cases import case, world
from harness import Client, check
from sandbox import run, wait_for
def readme():
    """The commands of its section on installation. The box has no way out, so what the packages depend on is
    there before, and nothing is updated: test_readme.py is where all of it is followed."""
    with open("README.md") as f:
        section = f.read().split("\n## Install\n")[1].split("\n## ")[0]
    lines = [line for block in section.split("```\n")[1::2] for line in block.splitlines() if line.strip()]
    return [of_this_release(c) for c in (line.split("   #")[0].rstrip() for line in lines) if c != "apt update"]


@world("package")
def package(net, _users):
    w = Box(net)
    w.end = w.stop
    return w


@case("package", alone=True)
def a_installed_as_the_readme_says(w):
    commands = readme()
    check(commands[0].startswith("apt install"), "the first of them installs", commands)
    w.shell(commands[0])
    s = w.running()
    check(s["UnitFileState"] == "enabled", "starts with the machine", s)
    for c in commands[1:]:
        w.shell(c)
    status = w.status()
    off = [x for x in status["sensors"] if not x["on"]]
    check(not off, "every sensor is on", off)
    check(status["kept_while_dead"], "hooks stay on over a restart", status["kept_reason"])
    geo = w.shell("outergate status")
    check("/var/lib/outergate/geo/country.mmdb" in geo, "the database of countries is in use", geo)
    w.pid = s["MainPID"]


@case("package", alone=True)
def b_a_login_is_told_in_the_journal(w):
    Client(w.net, OUTSIDE).guess("alice", BOX, 6)
    w.log_in(check_rc=0)
    wait_for("an alert is in the store", lambda: w.alerts("auth.bruteforce_success"), 20, 0.3)
    told = w.shell("journalctl -t outergate -x --no-pager OUTERGATE_DETECTION=auth.bruteforce_success")
    check("alice" in told and OUTSIDE in told, "the sentence", told)
    check("Triage:" in told and "Contain:" in told, "and the catalog's words", told)
    check("Main process exited" not in w.shell("journalctl -u outergate --no-pager"), "it lives")


# There is no Python in the box, so this one goes there.
ASK = """
import ctypes, os, socket, sys
there = os.open("/proc/%s/ns/mnt" % sys.argv[1], os.O_RDONLY)
libc = ctypes.CDLL(None, use_errno=True)
if libc.setns(there, 0):
    raise OSError(ctypes.get_errno(), "setns")
os.setgroups([])
os.setresgid(*[int(sys.argv[2])] * 3)
os.setresuid(*[int(sys.argv[2])] * 3)
socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).connect("/run/outergate-net.socket")
"""


def halves(w):
    """Number, owner of /proc/PID, status: the privileged half first."""
    text = w.shell("for p in $(pgrep -x outergate); do echo PID $p $(stat -c %U /proc/$p/stat); "
                   "cat /proc/$p/status; done")
    rows = []
    for part in text.split("PID ")[1:]:
        lines = part.splitlines()
        rows.append((*lines[0].split(), dict(re.findall(r"^(\w+):\s+(.*)$", "\n".join(lines[1:]), re.M))))
    return sorted(rows, key=lambda r: -int(r[2]["CapEff"], 16))


@case("package", alone=True)
def c_has_what_it_needs_and_no_more(w):
    rows = halves(w)
    check(len(rows) == 2, "two halves", rows)
    parent, child = (r[2] for r in rows)
    unit = w.shell("systemctl show -p CapabilityBoundingSet --value outergate").upper().split()

    def count(bits):
        return bin(int(bits, 16)).count("1")
    # One is in force at its start, and while it connects to a socket of root's.
    check(count(parent["CapEff"]) == len(set(unit) - {"CAP_DAC_OVERRIDE"}) == count(parent["CapPrm"]) - 1 and
          count(parent["CapBnd"]) == len(unit), "the parent: the unit's", (parent, unit))
    check(all(count(child[k]) == 0 for k in ("CapEff", "CapPrm", "CapInh", "CapAmb")), "the child: none", child)
    user = w.shell("id -u outergate").strip()
    for half in parent, child:
        check(half["Uid"].split() == [user] * 4 and user != "0", "nobody is root", half)
        check(half["NoNewPrivs"] == "1" and half["Seccomp"] == "2", "no new privileges, seccomp", half)


@case("package", alone=True)
def c_its_halves_are_apart_though_of_one_user(w):
    (parent, owner, _), _child = halves(w)
    check(owner == "root", "the parent's /proc is root's", owner)
    tries = ("cat /proc/%s/environ" % parent, "ls /proc/%s/fd" % parent, "head -c 1 /proc/%s/mem" % parent,
             "readlink /proc/%s/exe" % parent)
    for t in tries:
        said = w.shell("setpriv --reuid outergate --regid outergate --clear-groups --inh-caps=-all --no-new-privs "
                       "%s 2>&1; echo $?" % t)
        check("Permission denied" in said or said.strip() == "1", t, said)
    tried = [run(["/usr/bin/python3", "-c", ASK, str(w.systemd.pid), user], check=False)
             for user in ("0", w.shell("id -u outergate").strip())]
    check(tried[0].returncode == 0, "root may ask for a network", tried[0].stderr.decode())
    check(b"PermissionError" in tried[1].stderr, "and nobody else", tried[1].stderr.decode())


@case("package", alone=True)
def c_has_no_network_of_its_own(w):
    (parent, _, _), _child = halves(w)
    check(w.shell("stat -Lc %%i /proc/%s/ns/net" % parent) != w.shell("stat -Lc %i /proc/1/ns/net"), "another one")
    listed = w.shell("outergate exposure --format json")
    check('"port": 22' in listed or '"port":22' in listed, "it looks at the host's listeners", listed)
    netlink = w.shell("for f in /proc/%s/fd/*; do readlink $f; done | grep -c '^socket:'" % parent)
    check(int(netlink) >= 2, "and holds a netlink socket of the host's", netlink)


@case("package", alone=True)
def d_the_manual_and_completion(w):
    for page in ("man8/outergate.8.gz", "man5/outergate.yaml.5.gz"):
        check(".SH NAME" in w.shell("zcat /usr/share/man/" + page), page)
    words = w.shell("COMP_WORDS=(outergate sta) COMP_CWORD=1; source /usr/share/bash-completion/bash_completion; "
                    "source /usr/share/bash-completion/completions/outergate; _outergate outergate sta; "
                    "echo ${COMPREPLY[*]}").split()
    check(words == ["status"], "a command", words)
    words = w.shell("COMP_WORDS=(outergate run --j) COMP_CWORD=2; "
                    "source /usr/share/bash-completion/completions/outergate; _outergate outergate; "
                    "echo ${COMPREPLY[*]}").split()
    check(words == ["--json"], "an option", words)


LISTEN = """
import socket, sys
s = socket.create_server(("10.20.0.2", 5514))
while True:
    c, _ = s.accept()
    while True:
        data = c.recv(65536)
        if not data:
            break
        with open(sys.argv[1], "ab") as f:
            f.write(data)
"""


@case("package", alone=True)
def d_what_a_collector_is_sent(w):
    got = os.path.join(w.systemd.dir, "collector")
    listener = subprocess.Popen(w.net.inside_ns(w.net.inside, ["/usr/bin/python3", "-c", LISTEN, got]))
    w.shell("cp /etc/outergate/outergate.yaml kept && sed -i 's|^Forwarders: .*|Forwarders: [{name: siem, kind: "
            "syslog, url: \"tcp://10.20.0.2:5514\", send: [alerts, sessions]}]|' /etc/outergate/outergate.yaml && "
            "outergate check && systemctl restart outergate")
    w.running()
    owner = wait_for("it is started", lambda: w.shell("ps -o user:32= -C outergate-forward; true").split(), 20, 0.1)
    check(owner == ["outergate-forward"], "a process and a user of its own", owner)
    w.log_in(check_rc=0)

    def sent():
        if not os.path.exists(got):
            return False
        with open(got, "rb") as f:
            return b"alice" in f.read()
    wait_for(lambda: "the login is sent: %s" % w.shell("outergate status --format json"), sent, 30, 0.3)
    listener.kill()
    listener.wait()
    units = w.shell("systemctl list-units --plain --no-legend 'outergate-net@*'").splitlines()
    check(len(units) == 1, "a unit of its own", units)
    w.shell("systemctl stop outergate")
    units = w.shell("systemctl list-units --plain --no-legend 'outergate-net*'")
    check(not units, "which ends with the agent", units)
    w.shell("cat kept > /etc/outergate/outergate.yaml && rm kept && systemctl start outergate")
    w.running()


def send_lines(w, port, text):
    """A line from another host, by UDP."""
    code = ("import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'%s', ('%s', %d))" %
            (text, BOX, port))
    run(w.net.inside_ns(w.net.ext, ["/usr/bin/python3", "-c", code]))


@case("package", alone=True)
def d_what_others_send_it(w):
    w.shell("cp /etc/outergate/outergate.yaml kept && sed -i 's|^Receivers: .*|Receivers: [{listen: \"udp://%s:5514\", "
            "from: [0.0.0.0/0]}, {listen: \"tcp://127.0.0.1:5515\"}, {listen: \"unix:/run/outergate/lines.sock\"}]"
            "|' /etc/outergate/outergate.yaml && grep -q 5515 /etc/outergate/outergate.yaml && outergate check && "
            "systemctl restart outergate" % BOX)
    w.running()

    def source(word):
        return next((x for x in w.status()["sources"] if word in x["name"]), {})
    for word in "5514", "5515", "lines.sock":
        wait_for(lambda word=word: "%s is open: %s" % (word, w.status()["sources"]),
                 lambda word=word: source(word).get("state") == "on", 20, 0.3)

    def more_lines():
        before = sum(source("5514").get(k, 0) for k in ("lines", "skipped", "bad"))
        send_lines(w, 5514, "<38>Nov 30 10:00:00 gw sshd[1]: Failed password for root from 198.51.100.7 port 4 ssh2")
        wait_for(lambda: "a line is taken: %s" % source("5514"), lambda: sum(
            source("5514").get(k, 0) for k in ("lines", "skipped", "bad")) > before, 20, 0.3)
    more_lines()
    pid = w.shell("pgrep -x outergate-forwa").strip()
    w.shell("kill -KILL " + pid)
    # The socket is the agent's, too: nothing that comes meanwhile is lost.
    more_lines()
    check(w.shell("pgrep -x outergate-forwa").strip() != pid, "another one has followed")
    w.shell("cat kept > /etc/outergate/outergate.yaml && rm kept && systemctl reload outergate")
    wait_for("its end at a reload", lambda: not w.shell("pgrep -x outergate-forwa; true").strip(), 20, 0.3)


@case("package", alone=True)
def e_a_half_that_hangs_is_started_again(w):
    w.shell("mkdir -p /run/systemd/system/outergate.service.d && printf '[Service]\\nWatchdogSec=3\\n"
            "RestartSec=0\\n' > /run/systemd/system/outergate.service.d/t.conf && systemctl daemon-reload && "
            "systemctl restart outergate")
    pid = w.running()["MainPID"]
    time.sleep(8)
    check(w.state()["MainPID"] == pid, "while it lives it is left alone", w.state())
    w.shell("pkill -STOP -x -P %s outergate" % pid)

    def again():
        s = w.state()
        return s["MainPID"] not in ("0", pid) and s["SubState"] == "running"
    wait_for(lambda: "another one runs: %s" % w.state(), again, 60, 0.3)
    log = w.shell("journalctl -u outergate --no-pager")
    check("Watchdog timeout" in log, "and why", log[-1500:])
    w.shell("rm -r /run/systemd/system/outergate.service.d && systemctl daemon-reload && "
            "systemctl restart outergate")
    w.running()


@case("package", alone=True)
def e_started_as_often_as_one_likes(w):
    w.shell("for i in 1 2 3 4 5 6 7; do systemctl restart outergate; done")
    w.running()


@case("package", alone=True)
def f_an_upgrade_keeps_what_was_changed(w):
    w.shell("printf '\\n# changed here\\n' >> /etc/outergate/outergate.yaml && systemctl restart outergate")
    pid = w.running()["MainPID"]
    before = len(w.alerts("auth.bruteforce_success"))
    # As earlier versions left them, whose unit was root's.
    w.shell("chown -R root:root /sys/fs/bpf/outergate /run/outergate/lock")
    w.shell("apt install -y -o Dpkg::Options::=--force-confold ./" + os.path.basename(deb(NEW, "outergate")))
    s = w.running()
    check(s["MainPID"] != pid, "the new one runs", s)
    check("100.0.0" in w.shell("dpkg-query -W outergate"), "its version")
    config = w.shell("cat /etc/outergate/outergate.yaml")
    check(config.endswith("# changed here\n") and "of a newer version" not in config, "the configuration",
          config[-200:])
    check(w.shell("find /sys/fs/bpf/outergate -user root").strip() == "", "hooks that it can keep")
    check(w.status()["kept_while_dead"], "and keeps", w.status()["kept_reason"])
    check("of a newer version" in w.shell("cat /etc/outergate/outergate.yaml.dpkg-dist"), "the new one is beside it")
    check(len(w.alerts("auth.bruteforce_success")) == before > 0, "the store")
    w.log_in(check_rc=0)
    wait_for("a login is seen", lambda: len(json.loads(
        w.shell("outergate sessions --format json | tail -1"))) > 0, 10)


@case("package", alone=True)
def g_a_downgrade(w):
    w.shell("apt install -y --allow-downgrades -o Dpkg::Options::=--force-confold ./" + os.path.basename(deb(OLD, "outergate")))
    w.running()
    check("100.0.0" not in w.shell("dpkg-query -W outergate"), "the version")
    check(w.shell("cat /etc/outergate/outergate.yaml").endswith("# changed here\n"), "the configuration")
    check(w.alerts("auth.bruteforce_success"), "the store")


@case("package", alone=True)
def h_removed_and_there_again(w):
    check("outergate" in w.shell("ls /sys/fs/bpf"), "hooks are on")
    w.shell("apt remove -y outergate")
    check(w.state()["ActiveState"] == "inactive", "no service", w.state())
    check(not w.shell("pgrep -x outergate; true"), "no process")
    check(not w.shell("ls /sys/fs/bpf/outergate/* 2>/dev/null; true"), "no hooks",
          w.shell("find /sys/fs/bpf"))
    check("changed here" in w.shell("cat /etc/outergate/outergate.yaml"), "the configuration stays")
    w.shell("apt install -y ./" + os.path.basename(deb(OLD, "outergate")))
    w.running()
    check(w.alerts("auth.bruteforce_success"), "the store stayed")


@case("package", alone=True)
def i_purged(w):
    w.shell("apt purge -y outergate outergate-geo")
    left = sorted(w.files() - w.before)
    check(not left, "nothing is left", left)
    check("outergate" not in w.shell("cat /etc/passwd /etc/group"), "no user")
    check(not w.shell("ls -d /run/outergate /sys/fs/bpf/outergate 2>/dev/null; true"), "nothing at run time",
          w.shell("ls -d /run/outergate /sys/fs/bpf/outergate/* 2>/dev/null; true"))
    check("outergate" not in w.shell("systemctl list-unit-files"), "no unit")
