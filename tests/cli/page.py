"""Holds a page of `outergate report` against what the store tells: page.py OUTERGATE STORE PAGE [BROWSER].

It is markup of ours alone, whatever the records say: known elements, no attribute that runs or fetches. Every
alert and session of the store is a row, every word of theirs is there as text. With BROWSER the same holds
for what a real browser makes of the page."""
import html.parser
import json
import subprocess
import sys

ELEMENTS = {"html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "ol", "li", "b", "table", "thead", "tbody", "tr", "th",
            "td", "time", "code", "span", "br", "section"}
ATTRIBUTES = {("html", "lang"), ("meta", "charset"), ("meta", "http-equiv"), ("meta", "content"), ("meta", "name"), ("span", "class"),
              ("p", "class")}
VOID = {"meta", "br"}


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.wrong, self.open, self.text, self.rows, self.moments = [], [], [], 0, 0
        self.feed(text)
        self.close()
        if self.open:
            self.wrong.append("not closed: %s" % self.open)

    def handle_starttag(self, tag, attrs):
        self.wrong += ["element " + tag] * (tag not in ELEMENTS)
        self.wrong += ["attribute %s %s" % (tag, a) for a, _ in attrs if (tag, a) not in ATTRIBUTES]
        self.rows += tag == "tr" and "tbody" in self.open
        self.moments += tag == "li"
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID and (not self.open or self.open.pop() != tag):
            self.wrong.append("end of " + tag)

    def handle_data(self, data):
        if "style" not in self.open:
            self.text.append(data)

    def handle_comment(self, data):
        self.wrong.append("a comment")

    def handle_decl(self, decl):
        self.wrong += ["declaration " + decl] * (decl.lower() != "doctype html")

    handle_pi = unknown_decl = handle_comment


def told(outergate, store, what):
    done = subprocess.run([outergate, what, "--store", store, "--format", "json", "--limit", "100000"], capture_output=True, check=True)
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def plain(text):
    """Does nothing have to be escaped of it?"""
    return text.isprintable() and "\\" not in text


def check(page, alerts, sessions):
    wrong = list(page.wrong)
    text = "".join(page.text)
    origins = {r["origin"]["address"] for r in alerts + sessions if "address" in r.get("origin", {})}
    want = len(alerts) + len(sessions) + len(origins)
    if page.rows != want:
        wrong.append("%d rows, not %d" % (page.rows, want))
    words = [a["sentence"] for a in alerts] + [s.get("account", "") for s in sessions] + [
        c["text"] for s in sessions for c in s["commands"]] + sorted(origins)
    wrong += ["not there: %r" % w for w in words if plain(w) and w not in text]
    for c in "\x00\x1b\x7f\x85\u200b\u202e\u2028\u2066":
        wrong += ["a hidden %r" % c] * (c in text)
    return wrong


def main():
    outergate, store, path = sys.argv[1:4]
    alerts, sessions = told(outergate, store, "alerts"), told(outergate, store, "sessions")
    data = open(path, "rb").read()
    wrong = check(Page(data.decode("utf-8", "strict")), alerts, sessions)
    if not wrong and len(sys.argv) > 4:
        dom = subprocess.run([sys.argv[4], "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", "file://" + path],
                             capture_output=True, check=True, timeout=100).stdout.decode()
        wrong = ["in the browser: " + w for w in check(Page(dom), alerts, sessions)]
    for w in wrong[:20]:
        print(w[:300])
    sys.exit(1 if wrong else 0)


main()
