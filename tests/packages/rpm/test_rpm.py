"""The rpm's life by rpm itself, in a booted Debian 12, since no RPM distribution can be had here: its files, its
scripts and its configuration. What it depends on is there by apt, so rpm is not asked about that.

(tests/live/run.sh runs it, with LIVE_CASES=tests/packages/rpm.)
"""
import glob
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from box import NEW, OLD, OUTSIDE, Box  # noqa: E402
from cases import case, world  # noqa: E402
from harness import Client, check  # noqa: E402
from sandbox import wait_for  # noqa: E402

RPM = "rpm --nodeps --force-debian "


def package(directory, name="outergate-[0-9]*.x86_64"):
    return "./" + os.path.basename(glob.glob("%s/%s.rpm" % (directory, name))[0])


class RpmBox(Box):
    tools = ["rpm"]


@world("rpm")
def rpm(net, _users):
    w = RpmBox(net)
    w.end = w.stop
    return w


def version(w):
    return w.shell("rpm -q --qf '%{VERSION}' outergate")


@case("rpm", alone=True)
def a_rpm_is_installed(w):
    w.shell(RPM + "-i %s %s" % (package(OLD), package(OLD, "outergate-geo-*")))
    s = w.running()
    check(s["UnitFileState"] == "enabled", "starts with the machine", s)
    status = w.status()
    check(all(x["on"] for x in status["sensors"]), "every sensor is on", status["sensors"])
    check(status["kept_while_dead"], "hooks stay on over a restart", status["kept_reason"])
    check("geo/country.mmdb" in w.shell("outergate status"), "the database of countries is in use")
    Client(w.net, OUTSIDE).guess("alice", "192.0.2.77", 6)
    w.log_in(check_rc=0)
    wait_for("an alert", lambda: w.alerts("auth.bruteforce_success"), 20, 0.3)
    changed = w.shell("rpm -V --nodeps outergate; true")
    check(not changed, "every file as rpm knows it", changed)


@case("rpm", alone=True)
def b_rpm_upgrade_keeps_what_was_changed(w):
    w.shell("printf '\\n# changed here\\n' >> /etc/outergate/outergate.yaml && systemctl restart outergate")
    pid = w.running()["MainPID"]
    w.shell(RPM + "-U " + package(NEW))
    check(version(w) == "100.0.0", "the version", version(w))
    check(w.running()["MainPID"] != pid, "the new one runs")
    check("changed here" in w.shell("cat /etc/outergate/outergate.yaml"), "the configuration")
    check(w.alerts("auth.bruteforce_success"), "the store")


@case("rpm", alone=True)
def c_rpm_downgrade(w):
    w.shell(RPM + "-U --oldpackage " + package(OLD))
    check(version(w) != "100.0.0", "the version", version(w))
    w.running()
    check("changed here" in w.shell("cat /etc/outergate/outergate.yaml"), "the configuration")


@case("rpm", alone=True)
def d_rpm_removed(w):
    w.shell(RPM + "-e outergate outergate-geo")
    check(w.state()["ActiveState"] == "inactive", "no service", w.state())
    check(not w.shell("pgrep -x outergate; true"), "no process")
    check(not w.shell("ls /sys/fs/bpf/outergate/* 2>/dev/null; true"), "no hooks")
    check("changed here" in w.shell("cat /etc/outergate/outergate.yaml.rpmsave"), "what was changed is kept")
    left = [f for f in sorted(w.files() - w.before) if not f.startswith(
        ("/var/lib/outergate", "/etc/outergate", "/usr/lib/sysimage/rpm", "/var/lib/rpm"))]
    check(not left, "nothing else is left", left)
