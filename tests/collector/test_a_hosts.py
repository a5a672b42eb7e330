"""Two hosts with a real sshd and an agent each, the outside before them, and a collector: what the
agents forward is inserted as it came into a ClickHouse engine with the shipped tables.

    203.0.113.10 -> bastion (192.0.2.1) -> db (10.20.0.2)

All of it is one kernel, and so each agent sees both hosts' sessions, as no agent of a real host does.
The collector lets through what is each host's own: sessions that came in at its address.
"""
import gzip
import http.server
import json
import os
import shutil
import subprocess
import threading
import urllib.parse

import engine
from cases import case, world
from harness import AGENT, Agent, Client, Sshd, World, check, the_journal
from sandbox import TMP, Skip, run, wait_for

PASSWORD = "Corr3ct-horse"
BUILD = os.environ.get("BUILD", "build")
OUTSIDE, BASTION, DB = "203.0.113.10", "192.0.2.1", "10.20.0.2"
ONWARD = "-n -F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o BatchMode=yes"
NAT = b"""table ip og {
	chain out {
		type nat hook postrouting priority 100
		oifname "i0" tcp dport 22 snat to 10.20.0.77:61000-61999
	}
}
"""
CONFIG = """
GeoDatabases: []
Forwarders:
  - {name: fleet, kind: clickhouse, url: "http://127.0.0.1:%d", target: outergate.records, send: [alerts, sessions]}
"""


class Host(Agent):
    """An agent on a host with a name and a machine id of its own."""

    def __init__(self, name, address, port):
        super().__init__(name, CONFIG % port)
        self.name, self.address = name, address
        with open(self.dir + "/machine-id", "w") as f:
            f.write("%032x\n" % (int.from_bytes(name.encode(), "big")))

    def start(self, ready=60):
        self.starts += 1
        self.out, self.err = ("%s/%s-%d" % (self.dir, n, self.starts) for n in ("stdout", "stderr"))
        script = 'hostname "$1" && mount --bind "$2" /etc/machine-id && exec "$3" run --config "$4"'
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            self.proc = subprocess.Popen(
                ["unshare", "--uts", "--mount", "sh", "-c", script, "sh", self.name, self.dir + "/machine-id", AGENT, self.config],
                stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        wait_for(lambda: "agent ready; stderr: " + self.stderr(), self.ready, ready)
        return self


class Collector(http.server.ThreadingHTTPServer):
    """Takes the agents' INSERTs and executes them, statement and settings as they were sent."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Request)
        os.makedirs(TMP + "/clickhouse")
        self.engine = engine.Engine(BUILD, TMP + "/clickhouse")
        self.engine.load_schema()
        self.own, self.refused = {}, []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def keeps(self, row):
        record = json.loads(row["record"])
        return row["kind"] != "session" or record.get("local", {}).get("address") == self.own.get(row["host_name"])


class Request(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
        insert, form = asked.pop("query").rsplit(" FORMAT ", 1)
        settings = ",".join("%s='%s'" % s for s in asked.items() if s[0] != "insert_deduplication_token")
        rows = [line for line in body.decode().splitlines() if self.server.keeps(json.loads(line))]
        try:
            if rows:
                self.server.engine.insert("\n".join(rows), "%s SETTINGS %s FORMAT %s" % (insert, settings, form))
            code = 200
        except engine.Refused as e:
            self.server.refused.append(str(e))
            code = 400
        self.send_response(code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


@world("fleet")
def fleet(net, users):
    if not os.path.exists(BUILD + "/collector/node_modules"):
        raise Skip("there is no ClickHouse engine (fetch.sh)")
    the_journal()
    run(["install", "-m", "0755", BUILD + "/outergate-forward", os.path.dirname(AGENT) + "/outergate-forward"])
    w = World.__new__(World)
    w.net, w.users, w.name = net, users, "fleet"
    w.collector = Collector()
    w.servers = [Sshd(net, net.srv, [BASTION]), Sshd(net, net.inside, [DB])]
    w.hosts = [Host("bastion", BASTION, w.collector.server_port), Host("db", DB, w.collector.server_port)]
    w.collector.own = {h.name: h.address for h in w.hosts}
    for h in w.hosts:
        h.start()
    w.agent = w.hosts[0]
    w.end = lambda: end(w)
    return w


def end(w):
    for h in w.hosts:
        h.stop()
    w.collector.shutdown()
    w.collector.engine.close()
    check(not w.collector.refused, "an insert was refused", w.collector.refused[:2])


def intrude(w, word):
    """Somebody logs in on the bastion and goes on to the database; returns the two accounts."""
    alice, _ = w.users.add("al" + word)
    deploy, _ = w.users.add("de" + word)
    key = w.users.new_key("onward-" + alice, deploy)
    mine = "/home/%s/key" % alice
    run(["install", "-o", alice, "-m", "0600", key, mine])
    Client(w.net, OUTSIDE).ssh(alice, BASTION, "id; ssh %s -i %s %s@%s 'id; uname -a'; exit" % (ONWARD, mine, deploy, DB),
                               password=PASSWORD, check_rc=0)

    def arrived():
        got = w.collector.engine.query(
            "SELECT host_name, state FROM outergate.sessions_v WHERE account IN ('%s', '%s')" % (alice, deploy))
        return sorted((r["host_name"], r["state"]) for r in got) == [("bastion", "closed"), ("db", "closed")]
    wait_for(lambda: "both sessions at the collector: %r" % w.collector.engine.query(
        "SELECT host_name, account, state FROM outergate.sessions_v"), arrived, 60, 0.5)
    return alice, deploy


def paths(w, alice):
    return [p for p in w.collector.engine.shipped("intrusion_paths") if alice in p["accounts"]]


def shown(w):
    q = w.collector.engine.query
    return q("SELECT host_name, account, origin, origin_port, local, local_port, connected, bytes_in, bytes_out "
             "FROM outergate.sessions_v"), q("SELECT host_name, source, source_port, dest, dest_port, from_time, bytes_in, "
                                             "bytes_out, connections FROM outergate.outgoing_v")


@case("fleet", alone=True)
def an_intruder_over_two_hosts_is_one_path(w):
    alice, deploy = intrude(w, "x")
    got = paths(w, alice)
    check(len(got) == 1, "one path", got, *shown(w))
    check((got[0]["came_from"], got[0]["hosts"], got[0]["accounts"], got[0]["edges"]) ==
          (OUTSIDE, ["bastion", "db"], [alice, deploy], ["exact"]), "who, where, how", got)
    check(got[0]["path"].startswith("%s -> bastion (%s, password) -> db (%s, publickey" % (OUTSIDE, alice, deploy)),
          "the sentence", got)


@case("fleet", alone=True)
def through_nat_it_is_probable(w):
    """The bastion's kernel gives what leaves for the database another address and port."""
    if not shutil.which("nft", path="/usr/sbin:/usr/bin:/sbin"):
        raise Skip("nft is not installed")
    w.net.ip(w.net.srv, "addr add 10.20.0.77/24 dev i0")
    run(w.net.inside_ns(w.net.srv, ["nft", "-f", "-"]), input=NAT)
    try:
        alice, deploy = intrude(w, "n")
        got = paths(w, alice)
        check([(p["hosts"], p["accounts"], p["edges"]) for p in got] == [(["bastion", "db"], [alice, deploy], ["probable"])],
              "one probable path", got, *shown(w))
    finally:
        run(w.net.inside_ns(w.net.srv, ["nft", "delete", "table", "ip", "og"]))
