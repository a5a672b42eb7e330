"""Collectors: each has start(), kill() (at once, as kill -9), texts() of what it took over."""
import gzip
import http.server
import json
import os
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time

from world import BUILD, TMP, certificates, check, free_port, wait_for


class Http:
    """An HTTP receiver. behave: a function (handler, texts) -> True when it has answered itself."""
    path = "/"
    tls = False

    def __init__(self):
        self.port = free_port()
        self.kept, self.requests, self.lock = [], [], threading.Lock()
        self.plan = []  # misbehaviours, one a request
        self.server = None
        self.client_required = False
        self.server_cert = "server"
        self.peers = []

    def url(self):
        return "%s://localhost:%d%s" % ("https" if self.tls else "http", self.port, self.path)

    def start(self):
        me = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                n = int(self.headers.get("Content-Length", 0))
                plan = me.plan.pop(0) if me.plan else None
                if plan == "reset-in-body":
                    self.rfile.read(min(n, 100))
                    me.reset(self)
                    return
                body = self.rfile.read(n)
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                with me.lock:
                    me.requests.append((self.path, dict(self.headers), len(body)))
                me.answer(self, body, plan)

            do_GET = do_POST

            def say(self, status, text="", headers=()):
                raw = text.encode()
                self.send_response(status)
                for k, v in headers:
                    self.send_header(k, v)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, *a):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, request, address):
                pass

            def process_request(self, request, address):
                me.peers.append(request)
                super().process_request(request, address)

        self.server = Server(("127.0.0.1", self.port), Handler)
        if self.tls:
            d = certificates()
            c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            c.load_cert_chain("%s/%s.pem" % (d, self.server_cert), "%s/%s.key" % (d, self.server_cert))
            if self.client_required:
                c.verify_mode = ssl.CERT_REQUIRED
                c.load_verify_locations(d + "/ca.pem")
            self.server.socket = c.wrap_socket(self.server.socket, server_side=True,
                                               do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    @staticmethod
    def reset(handler):
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.close_connection = True
        handler.connection.close()

    def kill(self):
        server, self.server = self.server, None
        server.shutdown()
        server.server_close()
        for p in self.peers:
            try:
                p.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                p.close()
            except OSError:
                pass
        self.peers = []

    def keep(self, texts):
        with self.lock:
            self.kept += texts

    def texts(self):
        with self.lock:
            return list(self.kept)

    # what every HTTP receiver may do wrong, before it has taken anything over
    def misbehave(self, h, plan, keep):
        if plan == "429":
            h.say(429, "slow down", [("Retry-After", "1")])
        elif plan == "503":
            h.say(503, "later")
        elif plan == "401":
            h.say(401, "who are you?")
        elif plan == "400":
            h.say(400, "no certificate was sent")
        elif plan == "500-taken":
            keep()
            h.say(500, "who knows")
        elif plan == "lost-answer":
            keep()
            self.reset(h)
        elif plan == "slow":
            time.sleep(4)
            keep()
            h.say(200, "{}")
        elif plan == "413":
            h.say(413, "too much")
        elif plan == "garbage":
            keep()
            h.say(200, "\x00<html>\xff")
        else:
            return False
        return True


class Otlp(Http):
    kind = "otlp"

    def answer(self, h, body, plan):
        o = json.loads(body)
        if h.path == "/v1/metrics":
            with self.lock:
                self.metrics = o["resourceMetrics"][0]["scopeMetrics"][0]["metrics"]
            h.say(200, "{}")
            return
        logs = o["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
        texts = [r["body"]["stringValue"] for r in logs]
        for r in logs:
            check(r["timeUnixNano"].isdigit() and r["severityNumber"] in (9, 13, 14, 17, 21), "OTLP", r)
        if h.path != "/v1/logs":
            h.say(404, "no such path")
        elif plan == "partial":
            # one record that it does not want; which one it does not say
            self.poison = json.loads(texts[0])["id"]
            self.keep(texts[1:])
            h.say(200, json.dumps({"partialSuccess": {"rejectedLogRecords": "1",
                                                      "errorMessage": "bad record"}}))
        elif len(texts) == 1 and json.loads(texts[0])["id"] == getattr(self, "poison", None):
            h.say(200, json.dumps({"partialSuccess": {"rejectedLogRecords": 1,
                                                      "errorMessage": "bad record"}}))
        elif not self.misbehave(h, plan, lambda: self.keep(texts)):
            self.keep(texts)
            h.say(200, "{}")

    def forwarder(self, **more):
        return dict({"name": "otlp", "kind": "otlp", "url": self.url()}, **more)


class Elastic(Http):
    """A bulk API as Elasticsearch answers it: create with an id that is there is 409."""
    kind = "elastic"

    def __init__(self):
        super().__init__()
        self.ids, self.conflicts = {}, 0

    def answer(self, h, body, plan):
        lines = body.decode().split("\n")
        check(lines[-1] == "" and h.path.startswith("/_bulk?filter_path="), "NDJSON ends with a newline", h.path)
        items, taken = [], []

        def keep():
            for i in range(0, len(lines) - 1, 2):
                head = json.loads(lines[i])["create"]
                status = 201
                if head["_id"] in self.ids:
                    status = 409
                    self.conflicts += 1
                elif plan == "item-429" and i % 6 == 0:
                    status = 429
                elif plan == "item-400" and i == 0:
                    status = 400
                if status == 201:
                    self.ids[head["_id"]] = True
                    taken.append(lines[i + 1])
                items.append({"create": {"_index": head["_index"], "_id": head["_id"],
                                         "status": status,
                                         "error": {"reason": "because"} if status >= 400 else None}})
            self.keep(taken)
        if not self.misbehave(h, plan, keep):
            keep()
            h.say(200, json.dumps({"errors": True, "items": items}))

    def forwarder(self, **more):
        return dict({"name": "elastic", "kind": "elastic", "url": self.url(), "schema": "outergate"},
                    **more)


class Hec(Http):
    """Splunk's collector with acknowledgement: 200 first, indexed later."""
    kind = "hec"
    path = "/services/collector"

    def __init__(self):
        super().__init__()
        self.next, self.waiting, self.acked = 0, {}, {}
        self.false_acks = False

    def answer(self, h, body, plan):
        check(h.headers["Authorization"] == "Splunk s3cret", "the token", dict(h.headers))
        channel = h.headers["X-Splunk-Request-Channel"]
        if h.path.startswith("/services/collector/ack"):
            asked = json.loads(body)["acks"]
            out = {}
            for a in asked:
                ready = not self.false_acks and (channel, a) in self.waiting
                if ready:
                    self.keep(self.waiting.pop((channel, a)))  # indexed now
                    self.acked[(channel, a)] = True
                out[str(a)] = (channel, a) in self.acked
            h.say(200, json.dumps({"acks": out}))
            return
        texts = []
        decoder, text = json.JSONDecoder(), body.decode()
        at = 0
        while at < len(text):
            o, at = decoder.raw_decode(text, at)
            at += len(text[at:]) - len(text[at:].lstrip())
            check("record_id" in o["fields"], "an indexed id", o)
            texts.append(json.dumps(o["event"]))
        if self.misbehave(h, plan, lambda: None):
            return
        self.waiting[(channel, self.next)] = texts
        h.say(200, json.dumps({"text": "Success", "code": 0, "ackId": self.next}))
        self.next += 1

    def kill(self):
        super().kill()
        self.waiting = {}  # what was not indexed is gone

    def forwarder(self, **more):
        secret = TMP + "/hec-token"
        with open(secret, "w") as f:
            f.write("s3cret\n")
        os.chmod(secret, 0o600)
        return dict({"name": "hec", "kind": "hec", "url": self.url(), "secret": secret}, **more)


class Sentinel(Http):
    kind = "sentinel"

    def __init__(self):
        super().__init__()
        self.tokens = 0
        self.revoked = set()

    def answer(self, h, body, plan):
        if h.path == "/token":
            check(b"client_secret=p%26ss" in body and b"grant_type=client_credentials" in body,
                  "client credentials", body.decode())
            self.tokens += 1
            h.say(200, json.dumps({"access_token": "t%d" % self.tokens, "expires_in": 3599}))
            return
        check(h.path.startswith("/dataCollectionRules/dcr-1/streams/Custom-Outergate?api-version="),
              "the path", h.path)
        token = h.headers["Authorization"].split()[1]
        check(len(body) <= 1 << 20, "1 MB at most")
        rows = json.loads(body)
        texts = [json.dumps(r) for r in rows]
        if token in self.revoked:
            h.say(401, "expired")
        elif not self.misbehave(h, plan, lambda: self.keep(texts)):
            self.keep(texts)
            h.say(204)

    def forwarder(self, **more):
        secret = TMP + "/client-secret"
        with open(secret, "w") as f:
            f.write("p&ss\n")
        return dict({"name": "sentinel", "kind": "sentinel", "url": self.url(), "rule": "dcr-1",
                     "tenant": "t", "client": "c", "secret": secret,
                     "token_url": "http://localhost:%d/token" % self.port}, **more)


class ClickHouse(Http):
    """The HTTP interface; the engine itself is in tests/collector."""
    kind = "clickhouse"

    def answer(self, h, body, plan):
        check("INSERT%20INTO%20outergate.records%20FORMAT%20JSONEachRow" in h.path, "the query", h.path)
        rows = [json.loads(l) for l in body.decode().splitlines()]
        for r in rows:
            check(set(r) == {"id", "kind", "name", "time", "severity", "host_id", "host_name",
                             "record"}, "columns", r)
        texts = [r["record"] for r in rows]
        if not self.misbehave(h, plan, lambda: self.keep(texts)):
            self.keep(texts)
            h.say(200)

    def forwarder(self, **more):
        return dict({"name": "clickhouse", "kind": "clickhouse", "url": self.url()}, **more)


class Rsyslog:
    """rsyslog itself: imtcp with TLS and a client's certificate, or imrelp with the same."""

    def __init__(self, relp):
        self.relp, self.port = relp, free_port()
        self.kind = "relp" if relp else "syslog"
        self.dir = tempfile.mkdtemp(prefix=self.kind + "-", dir=TMP)
        self.file = self.dir + "/out"
        self.process = None
        d = certificates()
        if relp:
            module = ('module(load="imrelp")\ninput(type="imrelp" port="%d" tls="on" '
                      'tls.cacert="%s/ca.pem" tls.mycert="%s/server.pem" tls.myprivkey="%s/server.key" '
                      'tls.authmode="name" tls.permittedpeer=["client", "client2"] maxdatasize="128k")\n'
                      % (self.port, d, d, d))
        else:
            module = ('global(defaultNetstreamDriverCAFile="%s/ca.pem" '
                      'defaultNetstreamDriverCertFile="%s/server.pem" '
                      'defaultNetstreamDriverKeyFile="%s/server.key")\n'
                      'module(load="imtcp" StreamDriver.Name="ossl" StreamDriver.Mode="1" '
                      'StreamDriver.AuthMode="x509/name" PermittedPeer=["client", "client2"])\n'
                      'input(type="imtcp" port="%d")\n' % (d, d, d, self.port))
        with open(self.dir + "/conf", "w") as f:
            f.write('global(maxMessageSize="128k" workDirectory="%s")\n%s'
                    'template(name="raw" type="string" string="%%msg%%\\n")\n'
                    'action(type="omfile" file="%s" template="raw" asyncWriting="off" '
                    'flushOnTXEnd="on")\n' % (self.dir, module, self.file))

    def start(self):
        self.process = subprocess.Popen(["rsyslogd", "-n", "-f", self.dir + "/conf", "-i",
                                         self.dir + "/pid"], stdout=subprocess.DEVNULL,
                                        stderr=open(self.dir + "/err", "a"))

        def listens():
            check(self.process.poll() is None, "rsyslogd runs")
            with socket.socket() as s:
                return s.connect_ex(("127.0.0.1", self.port)) == 0
        wait_for(listens, "rsyslogd listens", 20)
        return self

    def kill(self):
        self.process.kill()
        self.process.wait()
        try:
            os.unlink(self.dir + "/pid")
        except FileNotFoundError:
            pass

    def texts(self):
        try:
            with open(self.file, errors="replace") as f:
                text = f.read()
        except FileNotFoundError:
            return []
        lines = [l.strip() for l in text.split("\n")[:-1]]
        return [l for l in lines if l.startswith("{") and l.endswith("}")]

    def forwarder(self, **more):
        d = certificates()
        return dict({"name": self.kind, "kind": self.kind, "url": "tls://localhost:%d" % self.port,
                     "ca": d + "/ca.pem", "cert": d + "/client.pem", "key": d + "/client.key"}, **more)


class Kafka:
    """librdkafka's mock cluster: three brokers that speak the protocol, and can be taken down."""
    kind = "kafka"

    def __init__(self):
        self.process = None
        self.url = None

    def start(self):
        if self.process:
            self.command("up")
            return self
        self.process = subprocess.Popen([BUILD + "/tests/kafka_cluster"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = self.process.stdout.readline().strip()
        check(self.url, "the cluster runs")
        return self

    def command(self, word):
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        self.process.stdout.readline()

    def kill(self):
        self.command("down")

    def texts(self):
        r = subprocess.run(["kcat", "-C", "-b", self.url, "-t", "outergate", "-o", "beginning", "-e",
                            "-q", "-m", "5"], capture_output=True, text=True, timeout=60)
        return [l for l in r.stdout.split("\n") if l.startswith("{")]

    def forwarder(self, **more):
        return dict({"name": "kafka", "kind": "kafka", "url": self.url}, **more)

    def end(self):
        self.process.kill()
        self.process.wait()
