"""Where logins come from: databases of the agent's own, exchanged and spoiled while it runs."""
import json
import os
import sys

from cases import case, world
from harness import Agent, Client, World, check, the_journal_again
from sandbox import TMP, wait_for
from test_c_main_job import place

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import geodb  # noqa: E402

DIR = TMP + "/geo"
MAIN, FLAGS = DIR + "/places.mmdb", DIR + "/flags.db"


def town(code, latitude, longitude, city):
    return {"country": {"iso_code": code}, "city": {"names": {"en": city}},
            "location": {"latitude": latitude, "longitude": longitude, "accuracy_radius": 10}}


def put(path, description):
    """Renamed over, as an updater does; only root reads it, so the agent's parent opens it."""
    with open(path + ".json", "w") as f:
        json.dump(description, f)
    geodb.make(description, path + ".new")
    os.chmod(path + ".new", 0o600)
    os.rename(path + ".new", path)


def places(first, second, built):
    return {"type": "Test-City", "built": built,
            "networks": {"198.18.0.0/15": first, "2001:db8::/32": second}}


LONDON, TOKYO = town("GB", 51.5142, -0.0931, "London"), town("JP", 35.6895, 139.6917, "Tokyo")


@world("geo")
def geo(net, users):
    the_journal_again()
    os.makedirs(DIR)
    put(MAIN, places(LONDON, TOKYO, 1))
    put(FLAGS, {"format": "libloc", "networks": {
        "198.18.0.0/15": {"country": "XX", "asn": 64500, "as_name": "Example One", "flags": 1}}})
    w = World("geo", net, users, "GeoIPWhitelist: {countries: [GB]}\n"
              "GeoDatabases: [%s, %s, %s/none.mmdb]\n" % (MAIN, FLAGS, DIR))
    w.start_common()
    w.agent.start()
    return w


def row(w, path):
    return next(r for r in w.agent.status()["geo"] if r["path"] == path)


@case("geo", alone=True)
def databases_say_where_a_login_comes_from(w):
    name, key = w.users.add("placed", key=True)
    Client(w.net, place(w)).ssh(name, w.server, "id", key=key, check_rc=0)
    s = w.agent.session(account=name, origin__country="GB", origin__asn=64500)
    check(s["origin"]["as_org"] == "Example One", "whose network it is", s)
    a = w.agent.alert(detection="origin.anonymizer", account=name)
    check("GB, AS64500 Example One" in a["sentence"], "the sentence says it", a)
    check(row(w, MAIN)["state"] == "on" and row(w, FLAGS)["attribution"], "status", w.agent.status())
    check(row(w, DIR + "/none.mmdb")["state"] == "absent", "status", w.agent.status())


@case("geo", alone=True)
def a_database_exchanged_underfoot(w):
    name, key = w.users.add("moved", key=True)
    client = Client(w.net, place(w))
    client.ssh(name, w.server, "id", key=key, check_rc=0)
    w.agent.session(account=name, origin__country="GB")
    put(MAIN, places(TOKYO, LONDON, 2))
    wait_for("the new version is in use", lambda: "a new version is in use" in w.agent.stderr(), 20)
    client.ssh(name, w.server, "id", key=key, check_rc=0)
    w.agent.session(account=name, origin__country="JP")
    a = w.agent.alert(detection="origin.country_not_allowed", account=name)
    check(a["severity"] == "high" and a["origin"]["country"] == "JP", "not allowed", a)
    w.settle()
    check(not w.agent.told(detection="origin.impossible_travel", account=name),
          "an exchange is no journey")


@case("geo", alone=True)
def a_database_spoiled_underfoot(w):
    name, key = w.users.add("spoiled", key=True)
    client = Client(w.net, place(w))
    put(MAIN, places(LONDON, TOKYO, 3))
    wait_for("it is in use", lambda: row(w, MAIN)["built"].startswith("1970-01-01T00:00:03"), 30)
    os.truncate(MAIN, 100)
    client.ssh(name, w.server, "id", key=key, check_rc=0)
    w.agent.session(account=name, origin__country="GB")
    wait_for("it is told", lambda: "the one before stays in use" in w.agent.stderr(), 30)
    check(row(w, MAIN)["state"] == "on" and row(w, MAIN)["reason"], "status", row(w, MAIN))
    os.unlink(MAIN)
    wait_for("it is told", lambda: "No such file" in row(w, MAIN)["reason"], 20)
    client.ssh(name, w.server, "id", key=key, check_rc=0)
    wait_for("both sessions have a country",
             lambda: len(w.agent.sessions(account=name, origin__country="GB")) == 2)
    put(MAIN, places(LONDON, TOKYO, 4))
    wait_for("a good one is taken again", lambda: not row(w, MAIN)["reason"], 30)
