"""Storms inside and beside a session on a real sshd: what the session did is told, memory stays flat, nothing
precious is lost."""
import subprocess
import sys

from cases import case
from harness import Client, check
from sandbox import TMP, run, wait_for
from test_c_main_job import PASSWORD, place
from test_j_floods import lost, one_login, resident, spawn

# A fork bomb for some seconds: each process makes two more, as far as the limit of processes lets it.
BOMB = "import os, time\nend = time.time() + 4\nwhile time.time() < end:\n    try: os.fork()\n    except OSError: time.sleep(0.01)\n"

CHURN = "i=0; while [ $i -lt 150 ] || [ -e $0 ]; do unshare --net --mount /bin/true; i=$((i + 1)); done"

# The next processes get the number that a session's process had.
REUSE = """import os, sys
want = int(sys.argv[1])
for i in range(40):
    with open('/proc/sys/kernel/ns_last_pid', 'w') as f: f.write(str(want - 1))
    p = os.fork()
    if p == 0: os.execv('/bin/echo', ['/bin/echo', 'reuse-mark'])
    os.waitpid(p, 0)
    if p == want: print('got'); break
"""


@case("journal", alone=True)
def a_fork_bomb_inside_a_session(w):
    """Bounded by a limit of processes of its user; another login beside it, and one after it."""
    name, _ = w.users.add("bomb")
    one_login(w, "bombcalm")
    before = resident(w)
    with open(TMP + "/bomb.py", "w") as f:
        f.write(BOMB)
    p = Client(w.net, place(w)).ssh_open(name, w.server, "/bin/echo bomb-mark; ulimit -u 300; exec %s %s/bomb.py" %
                                         (sys.executable, TMP), password=PASSWORD)
    w.agent.session(account=name, timeout=60, test=lambda s: "bomb-mark" in str(s["commands"]))
    one_login(w, "bombbeside")
    p.wait(120)
    one_login(w, "bombafter")
    grown = resident(w) - before
    print("     the agent grew by %d KiB" % grown)
    check(grown < 4096, "the agent grew by %d KiB" % grown)
    check(not lost(w), "nothing precious was lost", lost(w))


@case("journal", alone=True)
def a_login_among_namespaces_that_come_and_go(w):
    """Processes in network and mount namespaces of their own, as containers begin and end."""
    before = resident(w)
    flag = TMP + "/churn-goes-on"
    open(flag, "w").close()
    churn = spawn(w, w.net.srv, "/bin/sh", "-c", CHURN, flag)
    one_login(w, "churn")
    check(churn.poll() is None, "it went on all the while")
    run(["rm", flag])
    check(churn.wait(240) == 0, "it came to its end")
    grown = resident(w) - before
    print("     the agent grew by %d KiB" % grown)
    check(grown < 4096, "the agent grew by %d KiB" % grown)


@case("journal", alone=True)
def a_number_of_a_session_is_used_again(w):
    """A process that has the number of one of a closed session is none of its."""
    name, _ = w.users.add("reuse")
    p = Client(w.net, place(w)).ssh(name, w.server, "echo $$; /bin/echo first-mark", password=PASSWORD, check_rc=0)
    pid = int(p.stdout.split()[0])
    s = w.agent.session(account=name, timeout=30, state="closed")
    got = subprocess.run([sys.executable, "-c", REUSE, str(pid)], capture_output=True, check=True)
    check(b"got" in got.stdout, "the number was used again", repr(got))
    w.settle()
    s = wait_for("the session", lambda: w.agent.sessions(id=s["id"]))[0]
    check("reuse-mark" not in str(s) and s["state"] == "closed", "a stranger with its number", s)
