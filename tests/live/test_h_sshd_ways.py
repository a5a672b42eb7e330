"""How sshd is used and set up otherwise: names for addresses, tunnels, rsync, su and sudo, and
clients that leave at any moment."""
import json
import signal
import sys
import time

from cases import case
from harness import RAWSSH, Client, Sshd, check, fingerprint
from sandbox import TMP, run, wait_for
from test_c_main_job import PASSWORD, counts, none_of, place, seven


@case("journal", alone=True)
def names_for_addresses(w):
    """UseDNS: PAM and its words know a name instead of the address; each try counts once."""
    name, _ = w.users.add("dns")
    source = place(w)
    with open("/etc/hosts", "a") as f:
        f.write("%s stranger.example\n" % w.net.address(source))
    sshd = Sshd(w.net, w.net.srv, [w.server], port=2296, UseDNS="yes")
    c = Client(w.net, source)
    c.guess(name, w.server, 7, port=2296)
    a = w.agent.alert(detection="auth.bruteforce", account=name)
    check(a["origin"]["address"] == source, "the address of the socket", a)
    seven(w, name)
    c.ssh(name, w.server, "id", password=PASSWORD, port=2296, check_rc=0)
    s = w.agent.session(account=name)
    check(s["origin"]["address"] == source and s["failures_before"] == 7, "the session", s)
    w.settle()
    none_of(w, ("sensor.mismatch",), account=name)
    sshd.stop()


def forwarded(w, stem, port, how, through):
    """A session that runs nothing, and what goes through it."""
    name, key = w.users.add(stem, key=True)
    source = place(w)
    p = Client(w.net, source).ssh_open(name, w.server, [], key=key, extra=["-N"] + how + [
        "-o", "ExitOnForwardFailure=yes"])

    def listens():
        check(p.poll() is None, "the client ended")
        out = run(w.net.inside_ns(w.net.ext, ["cat", "/proc/net/tcp"])).stdout.decode()
        return ("0100007F:%04X 00000000:0000 0A" % port) in out
    wait_for("the client's end of the tunnel", listens)
    got = run(w.net.inside_ns(w.net.ext, [sys.executable, "-c", through, str(port)])).stdout
    check(got.startswith(b"SSH-2.0"), "the inside host answered", got)
    a = w.agent.alert(detection="activity.lateral_movement", account=name)
    check("10.20.0.2" in a["sentence"], "where it went", a)
    s = w.agent.session(account=name, origin__address=source,
                        test=lambda s: s.get("destinations"))
    check(not s["commands"] and s["destinations"][0]["address"] == "10.20.0.2" and
          s["destinations"][0]["port"] == 22, "the session", s)
    p.terminate()
    p.wait(30)
    w.agent.session(account=name, state="closed")
    none_of(w, ("activity.remote_shell", "access.loopback_forwarded"), account=name)


@case("journal")
def local_forward_runs_nothing(w):
    forwarded(w, "fwdl", 4821, ["-L", "127.0.0.1:4821:10.20.0.2:22"],
              "import socket,sys;s=socket.create_connection(('127.0.0.1',int(sys.argv[1])),9);"
              "sys.stdout.buffer.write(s.recv(99))")


@case("journal")
def dynamic_forward_runs_nothing(w):
    forwarded(w, "fwdd", 4822, ["-D", "127.0.0.1:4822"],
              "import socket,sys;s=socket.create_connection(('127.0.0.1',int(sys.argv[1])),9);"
              "s.sendall(b'\\5\\1\\0');s.recv(2);s.sendall(b'\\5\\1\\0\\1\\12\\24\\0\\2\\0\\26');"
              "s.recv(10);sys.stdout.buffer.write(s.recv(99))")


@case("journal")
def forward_to_this_host_keeps_its_origin(w):
    """-L to the server's own sshd: the second login comes from where the first did."""
    name, key = w.users.add("fwdself", key=True)
    second, _ = w.users.add("fwdtwo")
    source = place(w)
    p = Client(w.net, source).ssh_open(name, w.server, [], key=key, extra=[
        "-N", "-L", "127.0.0.1:4823:127.0.0.1:22", "-o", "ExitOnForwardFailure=yes"])
    w.agent.session(account=name, origin__address=source)
    c = Client(w.net, None)
    wait_for("a login through it", lambda: c.ssh(second, "127.0.0.1", "/bin/echo here", port=4823,
                                                 password=PASSWORD).returncode == 0)
    s = w.agent.session(account=second)
    check(s["origin"]["address"] == source and s["origin"]["source"] == "local-proxy",
          "the origin of the session that it came through", s)
    w.settle()
    none_of(w, ("access.loopback_forwarded",), origin__address=source)
    p.terminate()
    p.wait(30)


@case("journal")
def rsync_is_a_transfer(w):
    name, key = w.users.add("rsync", key=True)
    source, path = place(w), TMP + "/rsync-up"
    with open(path, "wb") as f:
        f.write(b"%06d\n" * 1 + bytes(i * 7 % 251 for i in range(1 << 20)))
    c = Client(w.net, source)
    ssh = " ".join(["ssh"] + c.options(key, None, ()))
    run(w.net.inside_ns(w.net.ext, ["rsync", "-e", ssh, path, "%s@%s:up" % (name, w.server)]),
        timeout=40)
    a = w.agent.alert(detection="activity.file_transfer", account=name)
    check("rsync" in json.dumps(a), "which program", a)
    s = w.agent.session(account=name, state="closed")
    check(s["bytes_in"] > 1 << 20, "bytes in", s)


@case("journal")
def su_and_sudo_keep_the_identity(w):
    name, key = w.users.add("suid", key=True)
    other, _ = w.users.add("suto")
    with open("/etc/sudoers.d/og-%s" % name, "w") as f:
        f.write("%s ALL=(ALL) NOPASSWD: ALL\n" % name)
    source = place(w)
    c = Client(w.net, source)
    c.ssh(name, w.server, "echo %s | su %s -c '/bin/echo by-su'" % (PASSWORD, other), key=key,
          check_rc=0)
    c.ssh(name, w.server, "sudo -n /bin/echo by-sudo", key=key, check_rc=0)
    for mark, effective in (("by-su'", other), ("by-sudo", "root")):
        s = w.agent.session(account=name, test=lambda s: s.get("key") and mark.rstrip("'") in [
            c["text"].split()[-1] for c in s["commands"] if c["text"].startswith("/bin/echo")])
        check(s["origin"]["address"] == source and fingerprint(key) in s["key"],
              "identity stays", s)
        check(s.get("effective_account") == effective, "who it is now", s)
    check(not w.agent.sessions(account=other), "su opens no session of its own",
          w.agent.sessions(account=other))


@case("journal")
def clients_that_leave_at_any_moment(w):
    """Before the banner, in the key exchange, at the prompt, in the command: all of it ends."""
    name, key = w.users.add("gone", key=True)
    source = place(w)
    c = Client(w.net, source)
    for delay in (0, 0.01, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.5):
        p = c.ssh_open(name, w.server, "sleep 30", key=key)
        time.sleep(delay)
        p.send_signal(signal.SIGKILL)
        p.wait(30)
    p = c.ssh_open(name, w.server, "echo up; exec sleep 3", key=key)
    p.stdout.readline()
    s = w.agent.session(account=name, state="open", test=lambda s: s.get("commands"))
    p.send_signal(signal.SIGKILL)
    p.wait(30)
    w.agent.session(account=name, id=s["id"], state="closed", timeout=30)
    run(["pkill", "-KILL", "-u", name], check=False)
    wait_for(lambda: "every session to end: %s" % w.agent.sessions(account=name),
             lambda: all(s["state"] == "closed" for s in w.agent.sessions(account=name)), 20)
    w.settle()
    none_of(w, ("auth.bruteforce", "sensor.mismatch", "sensor.blind"), account=name)


@case("journal")
def a_limit_of_tries_changes_no_count(w):
    """MaxAuthTries 2: three connections of two tries each are six failures, not nine or three."""
    name, _ = w.users.add("maxtry")
    source = place(w)
    sshd = Sshd(w.net, w.net.srv, [w.server], port=2295, MaxAuthTries="2")
    c = Client(w.net, source)
    for _ in range(3):
        run(w.net.inside_ns(c.ns, ["/usr/bin/python3", "-B", RAWSSH, w.server, "2295",
                                   w.net.address(source), name.encode().hex(), "wr0ng", "2"]),
            check=False, timeout=60)
    a = w.agent.alert(detection="auth.bruteforce", account=name)
    check(a["origin"]["address"] == source, "who", a)
    wait_for("six failures", lambda: counts(w, name) == [6], 9)
    w.settle()
    check(counts(w, name) == [6], "and not more", counts(w, name))
    sshd.stop()
