"""The nginx relay of deploy/collector/relay for real: what reaches ClickHouse behind it has the name of the client's
certificate, whatever else the client says; the statement that it makes is executed by the engine."""
import http.client
import http.server
import json
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse

CONF = pathlib.Path(__file__).resolve().parents[2] / "deploy/collector/relay/nginx.conf"
SUBJECTS = {"bastion": "/CN=bastion.example", "spoof": "/CN=evil,CN=db", "two": "/CN=db/CN=evil.example", "none": "/O=nobody",
            "odd": "/CN=a&param_relay=db"}


def openssl(scratch, *argv):
    subprocess.run(["openssl", *argv], cwd=scratch, check=True, capture_output=True)


def certificates(scratch):
    openssl(scratch, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key", "-out",
            "ca.pem", "-days", "2", "-subj", "/CN=fleet")
    openssl(scratch, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "other.key", "-out",
            "other.pem", "-days", "2", "-subj", "/CN=bastion.example")
    for name, subject in {"relay": "/CN=localhost", **SUBJECTS}.items():
        openssl(scratch, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", name + ".key", "-out",
                name + ".csr", "-subj", subject)
        openssl(scratch, "x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                "-out", name + ".pem")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Behind(http.server.BaseHTTPRequestHandler):
    """In ClickHouse's place: keeps what came."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, dict(self.headers), body))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


def nginx(scratch, port, behind):
    text = CONF.read_text().replace("/etc/nginx/outergate", str(scratch)).replace("listen 8443", "listen 127.0.0.1:%d" % port)
    text = text.replace("127.0.0.1:8123", "127.0.0.1:%d" % behind)
    (scratch / "nginx.conf").write_text(
        "pid %s/pid; error_log %s/error.log; events {}\nhttp { access_log off; client_body_temp_path %s/t1; proxy_temp_path %s/t2;"
        " fastcgi_temp_path %s/t3; uwsgi_temp_path %s/t4; scgi_temp_path %s/t5;\n%s}\n" % (*[scratch] * 7, text))
    return subprocess.Popen(["nginx", "-g", "daemon off;", "-p", str(scratch), "-c", str(scratch / "nginx.conf")],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def post(scratch, port, name, body, path="/?query=INSERT", method="POST", headers=()):
    context = ssl.create_default_context(cafile=str(scratch / "ca.pem"))
    if name:
        context.load_cert_chain(str(scratch / (name + ".pem")), str(scratch / (name + ".key")))
    c = http.client.HTTPSConnection("localhost", port, context=context, timeout=20)
    try:
        c.request(method, path, body, dict(headers))
        return c.getresponse().status
    finally:
        c.close()


def refused(scratch, port, name, body, **how):
    try:
        return post(scratch, port, name, body, **how) in (400, 403, 405)
    except (ssl.SSLError, ConnectionError, http.client.HTTPException):
        return True


def nginx_stamps(engine, scratch, rows, check):
    """False: there is no nginx."""
    if not shutil.which("nginx") or not shutil.which("openssl"):
        return False
    scratch = pathlib.Path(scratch)
    certificates(scratch)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Behind)
    server.got = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = free_port()
    proxy = nginx(scratch, port, server.server_port)
    try:
        for _ in range(200):
            if proxy.poll() is not None or (scratch / "pid").exists():
                break
            time.sleep(0.05)
        check("nginx takes the configuration", proxy.poll() is None, (scratch / "error.log").read_text())
        asked(engine, scratch, port, server, rows, check)
    finally:
        proxy.terminate()
        proxy.wait(10)
        server.shutdown()
    return True


def asked(engine, scratch, port, server, rows, check):
    body = "".join(json.dumps({**r, "relay_host": "db"}) + "\n" for r in rows).encode()
    status = post(scratch, port, "bastion", body, headers={"X-ClickHouse-User": "default", "Authorization": "Basic eDp5"},
                  path="/any?query=DROP%20TABLE%20x&param_relay=db&insert_deduplication_token=a.b_1&user=default")
    path, headers, got = server.got[-1]
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(path).query)
    check("it goes through as it came", status == 200 and got == body, status)
    check("with the certificate's name and nothing of the client's", query["param_relay"] == ["bastion.example"] and
          query["insert_deduplication_token"] == ["a.b_1"] and "user" not in query and len(query["query"]) == 1 and
          "DROP" not in query["query"][0], query)
    check("and the relay's own user", headers["X-ClickHouse-User"] == "outergate_relay" and "Authorization" not in headers, headers)
    statement = query["query"][0]
    columns = re.search(r"input\('(.*?)'\)", statement)[1]
    # The engine of the tests is no server: input() has no body there, format() reads the same.
    statement = statement.replace("input('%s')" % columns, "format(JSONEachRow, '%s', $og$%s$og$)" % (columns, body.decode()))
    engine.empty()
    engine.query("SET param_relay='%s'" % query["param_relay"][0])
    engine.query(statement.replace(" FORMAT JSONEachRow", " SETTINGS input_format_skip_unknown_fields=1"))
    stamped = engine.query("SELECT relay_host, count() AS n FROM outergate.records GROUP BY relay_host")
    check("the statement fills the table with it", [(r["relay_host"], int(r["n"])) for r in stamped] ==
          [("bastion.example", len(rows))], stamped)
    before = len(server.got)
    for name in ("spoof", "none", "odd", "other", None):
        check("certificate %s is refused" % name, refused(scratch, port, name, body), server.got[before:][:1])
    check("another method is refused", refused(scratch, port, "bastion", None, method="GET"))
    check("nothing of these arrived", len(server.got) == before, [g[0][:300] for g in server.got[before:]])
    post(scratch, port, "two", body, path="/?insert_deduplication_token=x%26param_relay=db")
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(server.got[-1][0]).query)
    check("of two names it is the one that counts as the host's", query["param_relay"] == ["evil.example"], query)
    check("a token that is none is left out", "insert_deduplication_token" not in query, query)
