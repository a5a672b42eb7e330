"""Telnet by inetd, whose login(1) asks PAM, and vsftpd, which asks PAM in the process of the connection."""
import json
import os
import subprocess

from cases import case
from harness import check, in_parallel
from services import PASSWORD, Server, directory, each_has_its_own, failures, nothing_of, one_session, port, scan


# telnetlib knows no source address; it takes a socket.
TELNET = """import socket, sys, telnetlib, time
source, host, port, name, password = sys.argv[1:6]
t = telnetlib.Telnet()
t.sock = socket.create_connection((host, int(port)), 20, (source, 0))
t.host, t.port, t.timeout, t.eof = host, int(port), 20, 0
print(t.sock.getsockname()[1], flush=True)
t.read_until(b'login: ', 20); t.write(name.encode() + b'\\n')
t.read_until(b'Password: ', 20); t.write(password.encode() + b'\\n')
n, _, text = t.expect([b'Login incorrect', b'READY', b'[$] '], 20)
print('refused' if n == 0 else 'in' if n > 0 else repr(text), flush=True)
if n > 0:
    for line in sys.stdin:
        t.write(line.encode())
    t.write(b'exit\\n')
    t.read_all()
"""


class Telnetd(Server):
    def __init__(self, w):
        self.port = port()
        conf = directory("telnet") + "/inetd-%d.conf" % self.port
        with open(conf, "w") as f:
            f.write("%s:%d stream tcp nowait root /usr/sbin/tcpd /usr/sbin/telnetd\n" % (w.server, self.port))
        super().__init__(w, ["/usr/sbin/inetd", "-i", conf], [self.port])


def telnet(w, source, server, name, password=PASSWORD):
    return subprocess.Popen(w.net.inside_ns(w.net.ext, [
        "/usr/bin/python3", "-W", "ignore", "-c", TELNET, source, w.server, str(server.port), name, password]),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def told(p, text=b""):
    """Its port, and whether it was let in; it has ended."""
    out, err = p.communicate(text, timeout=60)
    lines = out.decode().split("\n")
    check(len(lines) >= 2, "the telnet client", repr(out), repr(err[-500:]))
    return int(lines[0]), lines[1]


@case("services")
def telnet_password(w):
    d = Telnetd(w)
    name, _ = w.users.add("tel")
    source = w.place()
    in_parallel([lambda: check(told(telnet(w, source, d, name, "wr0ng"))[1] == "refused", "a wrong password")] * 6)
    number, word = told(telnet(w, source, d, name),
                        b"/bin/echo in-telnet\nexec 3<>/dev/tcp/10.20.0.2/22; head -c 4 <&3\n")
    check(word == "in", "the right one", word)
    s = one_session(w, source, "telnet", name, state="closed")
    check(s["method"] == "password" and s["origin"]["source"] == "socket", "how, by whose word", s)
    check(s["origin"]["port"] == number and s["failures_before"] == 6, "which, after what", s)
    check("in-telnet" in json.dumps(s["commands"]), "what ran", s)
    check(s["bytes_in"] > 0 and s["bytes_out"] > 0, "bytes", s)
    a = w.agent.alert(detection="activity.lateral_movement", account=name)
    check("10.20.0.2" in a["sentence"], "where it went on to", a)
    failures(w, 6, account=name)
    d.stop()


@case("services")
def telnet_scan(w):
    d = Telnetd(w)
    source = w.place()
    for _ in range(5):
        scan(w, source, w.server, d.port)
    nothing_of(w, source)
    d.stop()


@case("services")
def telnet_two_at_once(w):
    d = Telnetd(w)
    people = [w.users.add("teltwo%d" % i)[0] for i in range(2)]
    source = w.place()
    open_ = [telnet(w, source, d, n) for n in people]
    ports = [int(p.stdout.readline()) for p in open_]
    for p in open_:
        check(p.stdout.readline() == b"in\n", "in")
    for p, name in reversed(list(zip(open_, people))):
        p.communicate(b"/bin/echo %s-mark\n" % name.encode(), timeout=30)
    each_has_its_own(w, source, "telnet", people, ports)
    d.stop()


# --- FTP

FTP = """import ftplib, sys
source, host, port, name, password = sys.argv[1:6]
f = ftplib.FTP(source_address=(source, 0))
f.connect(host, int(port), 20)
print(f.sock.getsockname()[1], flush=True)
try: f.login(name, password)
except ftplib.error_perm: print('refused', flush=True); sys.exit()
print('in', flush=True)
for line in sys.stdin:
    f.retrbinary('RETR ' + line.strip(), lambda b: None)
f.quit()
"""


class Vsftpd(Server):
    def __init__(self, w, *more):
        self.port = port()
        conf = directory("vsftpd") + "/%d.conf" % self.port
        os.makedirs("/run/vsftpd/empty", exist_ok=True)
        with open(conf, "w") as f:
            f.write("\n".join(["listen=YES", "listen_address=" + w.server, "listen_port=%d" % self.port,
                               "local_enable=YES", "pam_service_name=vsftpd", "syslog_enable=YES", "background=NO",
                               "secure_chroot_dir=/run/vsftpd/empty", "ftp_data_port=20",
                               "anonymous_enable=NO", *more, ""]))
        super().__init__(w, ["/usr/sbin/vsftpd", conf], [self.port])


def ftp(w, source, server, name, password=PASSWORD):
    return subprocess.Popen(w.net.inside_ns(w.net.ext, [
        "/usr/bin/python3", "-c", FTP, source, w.server, str(server.port), name, password]),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@case("services")
def vsftpd_password(w):
    d = Vsftpd(w)
    name, _ = w.users.add("ftp")
    with open("/home/%s/plans" % name, "wb") as f:
        f.write(os.urandom(300000))
    source = w.place()
    in_parallel([lambda: check(told(ftp(w, source, d, name, "wr0ng"))[1] == "refused", "a wrong password")] * 6)
    number, word = told(ftp(w, source, d, name), b"plans\n")
    check(word == "in", "the right one", word)
    s = one_session(w, source, "ftp", name, state="closed")
    check(s["method"] == "password" and s["origin"]["source"] == "socket", "how, by whose word", s)
    check(s["origin"]["port"] == number and s["failures_before"] == 6, "which, after what", s)
    check(s["bytes_in"] > 0 and s["bytes_out"] > 0, "bytes", s)
    failures(w, 6, account=name)
    check(len(w.agent.sessions(account=name)) == 1, "one login is one session", w.agent.sessions(account=name))
    d.stop()


@case("services")
def vsftpd_scan(w):
    d = Vsftpd(w)
    source = w.place()
    for _ in range(5):
        scan(w, source, w.server, d.port)
    nothing_of(w, source)
    d.stop()


@case("services")
def vsftpd_two_at_once(w):
    d = Vsftpd(w)
    people = [w.users.add("ftptwo%d" % i)[0] for i in range(2)]
    source = w.place()
    open_ = [ftp(w, source, d, n) for n in people]
    ports = [int(p.stdout.readline()) for p in open_]
    for p in open_:
        check(p.stdout.readline() == b"in\n", "in")
    for p in reversed(open_):
        p.communicate(b"", timeout=30)
    each_has_its_own(w, source, "ftp", people, ports, marks=False)
    d.stop()
