"""Lines in the name of these daemons, written by somebody who is none of them."""
import subprocess

from cases import case
from harness import brief, check, the_journal
from sandbox import wait_for

LIES = (
    ("dropbear", "Password auth succeeded for 'root' from %s:4711"),
    ("dropbear", "Bad password attempt for 'root' from %s:4712"),
    ("tinysshd", "n6s7SQjA: info: connection from %s:4713 {main_tinysshd.c:124}"),
    ("vsftpd", '[root] OK LOGIN: Client "%s"'),
    ("vsftpd", '[ftp] OK LOGIN: Client "%s", anon password "x"'),
    ("pure-ftpd", "(?@%s) [INFO] root is now logged in"),
    ("proftpd", "192.0.2.1 (%s[%s]) - USER root: Login successful."),
    ("login", "FAILED LOGIN (1) on '/dev/pts/0' from '%s' FOR 'root', Authentication failure"),
    ("xrdp-sesman", "[INFO ] ++ created session (access granted): username root, ip %s:4714 - socket: 13"),
    ("webmin", "Successful login as root from %s"),
    ("Xtigervnc", " VNCSConnST:  closing %s::4715: Authentication failure"),
    ("x11vnc", "Pixel format for client %s:4716:"),
)


@case("services")
def lies_of_an_ordinary_user(w):
    name, _ = w.users.add("liar")
    address = "198.51.100.91"
    before = w.agent.status()["counters"]["forged_lines"]
    writers = [subprocess.Popen(["setpriv", "--reuid=" + name, "--regid=" + name, "--init-groups", "logger", "-t",
                                 ident], stdin=subprocess.PIPE) for ident, _ in LIES]
    for p, (_, text) in zip(writers, LIES):
        p.stdin.write(text.replace("%s", address).encode() + b"\n")
        p.stdin.flush()
    # Each is there until journald has looked who it is.
    wait_for("the lines are in the journal", lambda: len([
        e for e in the_journal().entries() if address in str(e.get("MESSAGE"))]) >= len(LIES))
    for p in writers:
        p.communicate(b"", timeout=30)
    wait_for(lambda: "%d forged lines, not %d" % (len(LIES), w.agent.status()["counters"]["forged_lines"] - before),
             lambda: w.agent.status()["counters"]["forged_lines"] - before == len(LIES))
    w.agent.alert(detection="sensor.mismatch")
    w.settle()
    check(not w.agent.sessions(origin__address=address), "a session of lies")
    told = [a for a in w.agent.told(origin__address=address) if a["detection"] != "sensor.mismatch"]
    check(not told, "an alert that believes them: " + brief(told))
