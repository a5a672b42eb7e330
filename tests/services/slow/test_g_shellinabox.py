"""shellinabox: a terminal in a browser. A launcher that was there before the connection runs login(1)."""
from cases import case, world
from harness import check
from services import PASSWORD, Server, Services, directory, nothing_of, outside, port, scan

# The words of its page: a session, keys as hexadecimal digits, what the terminal shows.
CLIENT = """import http.client, json, sys, time, urllib.parse
source, host, port, name, password, command = sys.argv[1:7]
state = {'width': '80', 'height': '24', 'rooturl': 'http://%s:%s/' % (host, port)}
seen = ''
def post(**more):
    c = http.client.HTTPConnection(host, int(port), 20, (source, 0))
    c.request('POST', '/', urllib.parse.urlencode(dict(state, **more)),
              {'Content-Type': 'application/x-www-form-urlencoded; charset=UTF-8'})
    body = c.getresponse().read().decode('utf-8', 'replace')
    c.close()
    return json.loads(body) if body.startswith('{') else {}
def keys(text):
    post(keys=text.encode().hex().upper())
def until(words):
    global seen
    end = time.monotonic() + 25
    while not any(w in seen for w in words) and time.monotonic() < end:
        seen += post().get('data', '')
    found = [w for w in words if w in seen]
    seen = ''
    return found[0] if found else 'nothing'
first = post()
state['session'] = first['session']
seen += first.get('data', '')
until(['login: ']); keys(name + '\\r')
until(['assword: ']); keys(password + '\\r')
word = until(['incorrect', '$ '])
print(word, flush=True)
if word == '$ ':
    keys(command + '\\r')
    print(until(['-done']), flush=True)
    keys('exit\\r')
    time.sleep(1)
"""


@world("shellinabox")
def shellinabox(net, users):
    return Services("shellinabox", net, users)


class Shellinabox(Server):
    def __init__(self, w):
        self.port = port()
        where = directory("shellinabox-%d" % self.port)
        super().__init__(w, ["/usr/bin/shellinaboxd", "--disable-ssl", "--no-beep", "--port=%d" % self.port,
                             "--service=/:LOGIN"], [self.port], cwd=where)

    def login(self, w, source, name, password, command="true"):
        p = outside(w, source, "/usr/bin/python3", "-c", CLIENT, source, w.server, self.port, name, password, command,
                    timeout=90)
        return p.stdout.decode().split("\n")[0] if p.stdout else repr(p.stderr[-600:])


@case("shellinabox", alone=True)
def shellinabox_password(w):
    """Wrong passwords, the right one; a look at the page is nothing."""
    d = Shellinabox(w)
    name, _ = w.users.add("siab")
    source, third = w.place(), w.place()
    for _ in range(2):
        said = d.login(w, source, name, "wr0ng")
        check(said == "incorrect", "a wrong password", said)
    said = d.login(w, source, name, PASSWORD, "/bin/echo in-siab; /bin/echo all-done")
    check(said == "$ ", "the right one", said)
    s = w.agent.session(account=name, state="closed", timeout=30)
    check(s["origin"]["address"] == source and s["origin"]["source"] == "pam" and s["service"] == "other",
          "from where, by whose word", s)
    check(s["method"] == "password" and s["failures_before"] == 2, "how, after what", s)
    w.agent.alert(detection="access.external", session=s["id"])
    scan(w, third, w.server, d.port)
    nothing_of(w, third)
    d.stop()
