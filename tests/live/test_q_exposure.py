"""What listens: real servers, started before and after the agent's first look, and the command that
tells of them with the agent and without it. Each case has an agent of its own."""
import json
import os
import subprocess

from cases import case, world
from docker import Docker
from harness import AGENT, Agent, Client, Sshd, World, brief, check, the_journal
from sandbox import TMP, run, wait_for
from test_c_main_job import PASSWORD, place

KEYS_ONLY = {"PasswordAuthentication": "no"}


@world("exposure")
def exposure(net, users):
    the_journal()
    w = World("exposure", net, users)
    w.agent_per_case = True
    w.start_common()
    return w


def fresh(w, name):
    w.agent = Agent("exposure-" + name, "")
    return w.agent


def found(agent, port=None):
    """Findings that were told, by detection, of that port."""
    rows = [a for a in agent.stored_alerts() if a["detection"].startswith("exposure.")]
    if port:
        rows = [a for a in rows if a.get("local", {}).get("port") == port]
    return sorted(a["detection"].split(".")[1] for a in rows)


def report(agent, *argv, **how):
    p = agent.cli("exposure", "--format", "json", "--config", agent.config, *argv, **how)
    return json.loads(p.stdout)


def listener(o, port):
    rows = [x for x in o["listeners"] if x["port"] == port]
    check(rows, "a listener on %d" % port, o["listeners"])
    return rows[0]


def expect(agent, port, *want):
    """Exactly these findings, once the agent has looked again (which asking it makes it do)."""
    row = listener(report(agent), port)
    have = found(agent, port)
    check(have == sorted(want), "findings of port %d: %s, wanted %s" % (port, have, want), row)
    return row


class Vnc:
    """Xtigervnc on a port of its own."""

    def __init__(self, w, display, port, *argv):
        # Of a run that was killed: its number may be another process's by now.
        run(["rm", "-f", "/tmp/.X%d-lock" % display, "/tmp/.X11-unix/X%d" % display])
        self.proc = subprocess.Popen(w.net.inside_ns(w.net.srv, [
            "/usr/bin/Xtigervnc", ":%d" % display, "-rfbport", str(port), *argv]),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("Xtigervnc on %d" % port, lambda: listens(self.proc, port), 20)

    def stop(self):
        self.proc.kill()
        self.proc.wait(30)


def listens(proc, port):
    check(proc.poll() is None, "the server ended")
    text = ""
    for name in ("tcp", "tcp6"):
        with open("/proc/%d/net/%s" % (proc.pid, name)) as f:
            text += f.read()
    return any(words[1].endswith(":%04X" % port) and words[3] == "0A"
               for words in map(str.split, text.splitlines()) if len(words) > 3)


@case("exposure", alone=True)
def exposure_of_new_sshds(w):
    agent = fresh(w, "sshds").start()
    first = listener(report(agent), 22)
    check(first["change"] == "baseline" and first["authentication"] == "weak" and
          first["package"] == "openssh-server" and first["reach"] == "anyone" and
          first["executable"] == "/usr/sbin/sshd" and first["firewall"] == "not judged",
          "the sshd that was there", first)
    check(not found(agent), "the baseline is not told", agent.stored_alerts())
    keys = Sshd(w.net, w.net.srv, [w.server], port=2401, UsePAM="no", **KEYS_ONLY)
    a = agent.alert(detection="exposure.new_listener")
    check(a["severity"] == "medium" and a["service"] == "ssh" and a["local"]["port"] == 2401 and
          "openssh-server" in a["sentence"] and "It asks for keys alone" in a["sentence"],
          "a new sshd", a)
    check("M1030" in json.dumps(a["evidence"]) and "/usr/sbin/sshd" in json.dumps(a["evidence"]),
          "its evidence", a)
    check(expect(agent, 2401, "new_listener")["change"] == "new", "new since the baseline")
    Sshd(w.net, w.net.srv, [w.server], port=2402)
    expect(agent, 2402, "new_listener", "weak")
    Sshd(w.net, w.net.srv, ["127.0.0.1"], port=2403)
    check(expect(agent, 2403)["reach"] == "loopback", "on loopback only")
    keys.stop()
    check("2401" in json.dumps(report(agent)["gone"]), "it is gone")
    again = subprocess.Popen(w.net.inside_ns(w.net.srv, [
        "/usr/sbin/sshd", "-D", "-f", keys.dir + "/config"]), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for("sshd again", lambda: listens(again, 2401))
    expect(agent, 2401, "new_listener")  # that of before: a restart is nothing new
    # Its settings are changed after it was started: what is told is what they say now.
    with open(keys.dir + "/config", "a") as f:
        f.write("Match User nobody-%s\nPasswordAuthentication yes\n" % w.users.tag)
    row = expect(agent, 2401, "new_listener", "weak")
    check("for some (Match)" in row["asks"], "a Match block", row)
    agent.stop()
    agent.start()
    for port, want in ((22, ()), (2401, ("new_listener", "weak")),
                       (2402, ("new_listener", "weak")), (2403, ())):
        expect(agent, port, *want)
    check(all(a["count"] == 1 for a in agent.stored_alerts()
              if a["detection"].startswith("exposure.")), "once each", agent.stored_alerts())
    again.kill()
    again.wait(30)
    agent.stop()


@case("exposure", alone=True)
def exposure_while_the_agent_is_dead(w):
    """What began to listen meanwhile is new at the next start."""
    agent = fresh(w, "dead").start()
    agent.stop()
    Sshd(w.net, w.net.srv, [w.server], port=2404)
    agent.start()
    expect(agent, 2404, "new_listener", "weak")
    agent.stop()


@case("exposure", alone=True)
def exposure_of_settings_that_are_rubbish(w):
    agent = fresh(w, "rubbish").start()
    keys = Sshd(w.net, w.net.srv, [w.server], port=2405, UsePAM="no", **KEYS_ONLY)
    expect(agent, 2405, "new_listener")
    for text in (b"PermitRootLogin \x1b[31m\xff\n", b"\0" * 4096 + b"PermitRootLogin \"no\n",
                 b"Include /etc/ssh/sshd_config.d/*.conf /nowhere/x\n" * 300):
        with open(keys.dir + "/config", "wb") as f:
            f.write(text)
        row = listener(report(agent), 2405)
        check("\x1b" not in json.dumps(row) and row["authentication"] != "strong",
              "nothing strong is said of rubbish", row)
    os.unlink(keys.dir + "/config")
    os.mkfifo(keys.dir + "/config")
    row = listener(report(agent), 2405)
    check(row["authentication"] == "unknown" and "cannot be read" in row["asks"], "a FIFO", row)
    check(agent.proc.poll() is None and len(agent.family()) == 2, "it lives", agent.stderr())
    agent.stop()


@case("exposure", alone=True)
def exposure_of_vnc(w):
    agent = fresh(w, "vnc").start()
    none = Vnc(w, 41, 5941, "-SecurityTypes", "None", "-localhost=0")
    a = agent.alert(detection="exposure.unauthenticated")
    check(a["severity"] == "high" and a["service"] == "vnc" and a["local"]["port"] == 5941 and
          "SecurityTypes has None" in a["sentence"] and
          "tigervnc-standalone-server" in a["sentence"], "VNC without a password", a)
    row = expect(agent, 5941, "new_listener", "unauthenticated")
    check([m["id"] for m in row["mitigations"]] == ["M1042", "M1035"], "what applies", row)
    with open(TMP + "/vncpasswd", "wb") as f:
        f.write(bytes(8))
    auth = Vnc(w, 42, 5942, "-SecurityTypes", "VncAuth", "-localhost=0", "-rfbauth",
               TMP + "/vncpasswd")
    expect(agent, 5942, "new_listener", "weak")
    local = Vnc(w, 43, 5943, "-SecurityTypes", "None", "-localhost=1")
    check(expect(agent, 5943)["authentication"] == "none", "on loopback only")
    for v in (none, auth, local):
        v.stop()
    agent.stop()


@case("exposure", alone=True)
def exposure_of_docker(w):
    """An engine on TCP without certificates; its own clients' local socket is nobody's way in."""
    agent = fresh(w, "docker").start()
    d = Docker(w, "exposed", listen=["tcp://0.0.0.0:2395"])
    row = expect(agent, 2395, "new_listener", "unauthenticated")
    check(row["service"] == "docker" and "tlsverify" in row["asks"] and
          row["mitigations"][0]["id"] == "M1042" and "tlsverify" in
          row["mitigations"][0]["advice"], "Docker without certificates", row)
    a = agent.alert(detection="exposure.unauthenticated")
    check(a["severity"] == "high" and "dockerd" in a["sentence"], "told", a)
    d.stop()
    agent.stop()


@case("exposure", alone=True)
def exposure_of_telnet_by_inetd(w):
    agent = fresh(w, "telnet").start()
    conf = TMP + "/exposure-inetd.conf"
    with open(conf, "w") as f:
        f.write("%s:23 stream tcp nowait root /usr/sbin/telnetd telnetd\n" % w.server)
    proc = subprocess.Popen(w.net.inside_ns(w.net.srv, ["/usr/sbin/inetd", "-i", conf]),
                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)
    wait_for("inetd to listen", lambda: listens(proc, 23))
    row = expect(agent, 23, "new_listener", "weak")
    check("clear text" in row["asks"] and row["package"] == "openbsd-inetd", "telnet", row)
    proc.kill()
    proc.wait(30)
    agent.stop()


@case("exposure", alone=True)
def exposure_of_a_forwarded_port(w):
    """ssh -R on every address: told with the session that opened it; on loopback not."""
    agent = fresh(w, "forward").start()
    name, _ = w.users.add("expfwd")
    source = place(w)
    c = Client(w.net, source)
    p = c.ssh_open(name, w.server, ["-N", "-R", "0.0.0.0:8422:127.0.0.1:22", "-R",
                                    "127.0.0.1:8423:127.0.0.1:22"], password=PASSWORD)
    a = agent.alert(detection="exposure.new_listener")
    check(a["account"] == name and a["origin"]["address"] == source and
          a["local"]["port"] == 8422 and name in a["sentence"] and a.get("session"),
          "whose port it is", a)
    row = listener(report(agent), 8422)
    check(row["account"] == name and row["service"] == "other", "in the report", row)
    check(found(agent) == ["new_listener"], "nothing else", brief(agent.stored_alerts()))
    p.kill()
    p.wait(30)
    agent.stop()


@case("exposure", alone=True)
def exposure_without_an_agent(w):
    agent = fresh(w, "alone").start()
    table = agent.cli("exposure", "--config", agent.config).stdout.decode()
    check("seen by the running agent just now" in table and "openssh-server" in table and
          "M1032" in table, "the table", table)
    status = agent.status()["exposure"]
    check(status["reachable"] >= 1 and status["changes"] == 0, "in status", status)
    said = agent.cli("status", "--config", agent.config).stdout.decode()
    check("can be reached from outside, 0 new or changed" in said, "for a person", said)
    agent.stop()
    o = report(agent)
    check(o["by"] == "command" and listener(o, 22)["change"] == "baseline" and
          listener(o, 22)["authentication"] == "weak" and
          listener(o, 22)["package"] == "openssh-server", "root looks itself", o)
    Sshd(w.net, w.net.srv, [w.server], port=2406)
    row = listener(report(agent), 2406)
    check(row["change"] == "new", "new since the agent's baseline", row)
    udp = subprocess.Popen(w.net.inside_ns(w.net.srv, ["/usr/bin/python3", "-c", UDP, w.server]),
                           stdout=subprocess.PIPE)
    udp.stdout.readline()
    row = listener(report(agent), 1194)
    check(row["service"] == "vpn" and row["protocol"] == "udp" and row["reach"] == "anyone",
          "a UDP service", row)
    udp.kill()
    udp.wait(30)
    p = run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", AGENT, "exposure",
             "--config", "/dev/null", "--store", agent.store], check=False)
    check(p.returncode == 3 and b"only root" in p.stderr, "not permitted", repr(p))
    agent.cli("exposure", "--format", "xml", check_rc=2)
    agent.cli("exposure", "--config", "/nowhere/x", check_rc=1)


UDP = """
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 1194))
print("here", flush=True)
time.sleep(300)
"""
