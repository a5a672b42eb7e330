"""The fleet's questions over fixtures whose answers are known: deploy/collector/clickhouse/queries as they
are shipped, on the engine. Each case begins with empty tables."""
import json
import time

from engine import INSERT, Refused
from fixture import OUTSIDE, Fleet, identifier

GATE = ("10.0.0.254", 0)


def began(hours=2):
    return int(time.time()) - hours * 3600


def paths(engine):
    return [(r["hosts"], r["accounts"], r["edges"]) for r in engine.shipped("intrusion_paths")]


def edges(engine):
    return [(r["edge"], r["from_host"], r["to_host"]) for r in
            engine.query("SELECT edge, from_host, to_host FROM outergate.edges_v ORDER BY time, to_host, edge")]


def three(fleet, skews=(0, 0, 0), **how):
    """Internet -> bastion -> db -> vault."""
    bastion, db, vault = (fleet.host(n, skew=s) for n, s in zip(("bastion", "db", "vault"), skews))
    a = fleet.login(bastion, 10, account="alice")
    b = fleet.onward(a, db, 40, "postgres", method="publickey", key="ED25519 SHA256:stolen", **how)
    c = fleet.onward(b, vault, 70, "root", **how)
    return a, b, c


def filled(engine, fleet):
    engine.empty()
    engine.insert(fleet.rows())


WHOLE = (["bastion", "db", "vault"], ["alice", "postgres", "root"])


def one_path(engine, check):
    fleet = Fleet(began())
    three(fleet)
    other = fleet.login(fleet.host("web"), 5, origin=("198.51.100.7", 0), account="bob")
    fleet.onward(other, fleet.host("unwatched", "10.0.0.99"), 6, "bob", recorded=False)
    filled(engine, fleet)
    check("three hosts are one path", paths(engine) == [(*WHOLE, ["exact", "exact"])], paths(engine))
    row = engine.shipped("intrusion_paths")[0]
    check("with the identity on each hop", row["path"] ==
          OUTSIDE + " -> bastion (alice, password) -> db (postgres, publickey ED25519 SHA256:stolen) -> vault (root, password)",
          row["path"])
    check("it came from outside", (row["came_from"], row["origin_scope"]) == (OUTSIDE, "external"), row)


def two_branches(engine, check):
    fleet = Fleet(began())
    a, _, _ = three(fleet)
    fleet.onward(a, fleet.host("web"), 90, "alice")
    filled(engine, fleet)
    check("a fork is two paths", sorted(p[0] for p in paths(engine)) == [["bastion", "db", "vault"], ["bastion", "web"]],
          paths(engine))


def skewed(engine, check):
    for skews in ((0, 300, 0), (0, -300, 0), (300, 0, -300), (-300, 300, 0)):
        fleet = Fleet(began())
        three(fleet, skews)
        filled(engine, fleet)
        check("clocks %s apart" % (skews,), paths(engine) == [(*WHOLE, ["exact", "exact"])], paths(engine))
    rows = engine.query("SELECT skew_s FROM outergate.edges_v ORDER BY time, to_host")
    check("the skew is told", sorted(round(r["skew_s"]) for r in rows) == [-300, 600], rows)
    fleet = Fleet(began())
    three(fleet, (0, 720, 0))
    filled(engine, fleet)
    check("clocks too far apart join nothing", ("exact", "bastion", "db") not in edges(engine), edges(engine))


def reused(engine, check):
    """The same ports again within a minute: the times must tell which is which."""
    for skew in (0, 300, -300):
        fleet = Fleet(began())
        bastion, db = fleet.host("bastion"), fleet.host("db", skew=skew)
        for n in range(3):  # what tells the skew
            fleet.onward(fleet.login(bastion, n, account="day%d" % n), db, 10 + n, "app%d" % n)
        first = fleet.login(bastion, 100, account="alice")
        second = fleet.login(bastion, 101, account="bob")
        fleet.onward(first, db, 110, "one", port=51000)
        fleet.onward(second, db, 150, "two", port=51000)
        filled(engine, fleet)
        want = [(["bastion", "db"], ["alice", "one"], ["exact"]), (["bastion", "db"], ["bob", "two"], ["exact"])]
        got = [p for p in paths(engine) if p[1][0] in ("alice", "bob")]
        check("ports used again after 40 s, skew %d" % skew, got == want, got)
    fleet = Fleet(began())  # nothing else tells the skew: most agree
    bastion, db = fleet.host("bastion"), fleet.host("db", skew=300)
    for n, who in enumerate(("alice", "bob", "carol")):
        fleet.onward(fleet.login(bastion, n, account=who), db, 10 + 40 * n, who, port=51000)
    filled(engine, fleet)
    got = sorted(p[1] for p in paths(engine))
    check("three times the same ports and nothing else", got == [["alice", "alice"], ["bob", "bob"], ["carol", "carol"]], got)
    fleet = Fleet(began())  # the one that got in is the second: the first was refused there
    bastion, db = fleet.host("bastion"), fleet.host("db")
    for n in range(3):
        fleet.onward(fleet.login(bastion, n, account="day%d" % n), db, 10 + n, "app%d" % n)
    fleet.onward(fleet.login(bastion, 100, account="alice"), db, 110, "x", port=51000, recorded=False)
    fleet.onward(fleet.login(bastion, 101, account="bob"), db, 150, "x", port=51000)
    filled(engine, fleet)
    got = [p[1] for p in paths(engine) if p[1][0] in ("alice", "bob")]
    check("who was refused is not framed", got == [["bob", "x"]], got)


def again(engine, check):
    """A session that goes to the same host more than once: the first and the last are known."""
    fleet = Fleet(began())
    bastion, db = fleet.host("bastion"), fleet.host("db")
    a = fleet.login(bastion, 0)
    for n in range(4):
        fleet.onward(a, db, 100 * (n + 1), "u%d" % n)
    filled(engine, fleet)
    got = sorted(p[1][1] for p in paths(engine))
    check("the first and the last of four", got == ["u0", "u3"], got)


def translated(engine, check):
    for name, how in (("SNAT", {"seen": ("10.0.0.254", 61001)}),
                      ("DNAT", {"dest": ("192.0.2.80", 22)}),
                      ("both", {"seen": ("10.0.0.254", 61001), "dest": ("192.0.2.80", 22)})):
        for skew in (0, 300, -300):
            fleet = Fleet(began())
            three(fleet, (0, skew, 0), **how)
            filled(engine, fleet)
            check("%s, skew %d" % (name, skew), paths(engine) == [(*WHOLE, ["probable", "probable"])], paths(engine))
    fleet = Fleet(began())
    bastion, db = fleet.host("bastion"), fleet.host("db")
    fleet.onward(fleet.login(bastion, 0), db, 10, "x", seen=("10.0.0.254", 61001), dest=("192.0.2.80", 2222))
    filled(engine, fleet)
    check("another port at the end is no edge", edges(engine) == [], edges(engine))
    fleet = Fleet(began())
    bastion, db = fleet.host("bastion"), fleet.host("db")
    fleet.onward(fleet.login(bastion, 0), db, 10, "x", seen=("10.0.0.254", 61001), counted=False)
    filled(engine, fleet)
    check("without bytes nothing is probable", edges(engine) == [], edges(engine))
    fleet = Fleet(began())
    bastion, db = fleet.host("bastion"), fleet.host("db")
    there = fleet.onward(fleet.login(bastion, 0), db, 10, "x", seen=("10.0.0.254", 61001))
    for more, want in ((3, []), (2, [("probable", "bastion", "db")]), (-2, [("probable", "bastion", "db")]), (-3, [])):
        there.bytes = (4016, 9032 + more)
        bastion_saw = list(fleet.sessions[0].destinations.values())[0]
        bastion_saw["in"], bastion_saw["out"] = 9032, 4017
        filled(engine, fleet)
        check("bytes that differ by one and %d" % more, edges(engine) == want, edges(engine))
        there.bytes, bastion_saw["out"], bastion_saw["in"] = (4016 + more, 9032), 4016, 9032
        filled(engine, fleet)
        check("bytes that differ by %d the other way" % more, edges(engine) == want, edges(engine))


def ambiguous(engine, check):
    fleet = Fleet(began())
    one, two, db = fleet.host("one"), fleet.host("two"), fleet.host("db")
    for n, host in enumerate((one, two)):
        fleet.onward(fleet.login(host, n), db, 10 + n, "x%d" % n, seen=("10.0.0.254", 61001 + n), traffic=(5000, 9000))
    filled(engine, fleet)
    check("two flows alike through NAT are no edge", edges(engine) == [], edges(engine))
    fleet = Fleet(began())
    one, db, twin = fleet.host("one"), fleet.host("db"), fleet.host("twin", "10.0.0.2")
    a = fleet.login(one, 0)
    there = fleet.onward(a, db, 10, "x")
    fleet.login(twin, 10.5, there.origin, account="x", scope="private", local=there.local)  # another site's same addresses
    filled(engine, fleet)
    check("two hosts with one address are no edge", edges(engine) == [], edges(engine))
    fleet = Fleet(began())
    one, two, db = fleet.host("one"), fleet.host("two"), fleet.host("db")
    for n, host in enumerate((one, two)):
        fleet.onward(fleet.login(host, n), db, 10 + 2000 * n, "x%d" % n, seen=("10.0.0.254", 61001 + n),
                     traffic=(5000, 9000))
    filled(engine, fleet)
    check("alike, but half an hour apart: two edges", edges(engine) == [("probable", "one", "db"), ("probable", "two", "db")],
          edges(engine))


def repeated(engine, check):
    fleet = Fleet(began())
    three(fleet)
    engine.empty()
    rows = fleet.rows()
    engine.insert(rows)
    resent = [dict(r, record=json.dumps({**json.loads(r["record"]), "resend": True})) for r in rows]
    engine.insert(resent)
    engine.insert(resent[::-1])
    check("what comes three times is stored once", int(engine.value("SELECT count() FROM outergate.records_v")) == len(rows))
    for table, want in (("sessions_v", 3), ("outgoing_v", 2), ("logins_v", 3)):
        got = int(engine.value("SELECT count() FROM outergate." + table))
        check("%s after repeats" % table, got == want, got)
    check("the path once, too", paths(engine) == [(*WHOLE, ["exact", "exact"])], paths(engine))
    got = engine.query("SELECT state, bytes_known FROM outergate.sessions_v")
    check("the last state stands, whatever came last", all(r == {"state": "closed", "bytes_known": True} for r in got), got)
    engine.query("OPTIMIZE TABLE outergate.records FINAL")
    got = int(engine.value("SELECT count() FROM outergate.records"))
    check("a merge leaves one", got == len(rows), got)


def sprayed(engine, check):
    fleet = Fleet(int(time.time()) // 3600 * 3600 - 7200)  # within one hour
    for n in range(20):
        host = fleet.host("web%02d" % n)
        for k, name in enumerate(("root", "admin")):
            fleet.failure(host, n * 10 + k, "198.51.100.66", name)
    fleet.login(fleet.host("web07"), 2000, ("198.51.100.66", 0), account="admin")
    for n in range(4):  # near miss: four hosts
        fleet.failure(fleet.host("web%02d" % n), 300 + n, "198.51.100.5", "root")
    for n in range(6):  # one account from six networks, once each
        fleet.failure(fleet.host("web%02d" % (n % 3)), 400 + n, "192.0.%d.9" % n, "carol")
    for n in range(6):  # near miss: six addresses of one network
        fleet.failure(fleet.host("web%02d" % n), 500 + n, "192.0.9.%d" % n, "dave")
    filled(engine, fleet)
    rows = engine.shipped("spray")
    check("a spray over twenty hosts", [(r["who"], int(r["hosts_total"]), int(r["accounts"]), r["entered"]) for r in rows
                                        if r["what"] == "spray"] == [("198.51.100.66", 20, 2, ["admin@web07"])], rows)
    check("one account from six networks", [(r["who"], int(r["networks"]), r["entered"]) for r in rows
                                            if r["what"] == "distributed"] == [("carol", 6, [])], rows)


def first_seen(engine, check):
    fleet = Fleet(began(72))
    old, new = fleet.host("old"), fleet.host("new")
    place = {"country": "DE", "asn": 64500}
    fleet.login(old, 0, ("198.51.100.1", 0), key="K1", place=place)
    fleet.login(new, 60 * 3600, ("198.51.100.1", 0), key="K1", place=place)  # known at another host
    fleet.login(new, 61 * 3600, ("198.51.100.2", 0), key="K2", account="eve", place={"country": "NL", "asn": 64501})
    fleet.login(new, 62 * 3600, ("10.1.2.3", 0), scope="private", account="bob")
    filled(engine, fleet)
    got = [(r["what"], r["value"], r["first_host"], r["first_account"]) for r in engine.shipped("first_seen")]
    check("what was never seen at any host", got == [("address", "198.51.100.2", "new", "eve"), ("asn", "64501", "new", "eve"),
                                                     ("key", "K2", "new", "eve")], got)


def travelled(engine, check):
    berlin = {"country": "DE", "latitude": 52.52, "longitude": 13.405, "radius_km": 20}
    paris = {"country": "FR", "latitude": 48.8566, "longitude": 2.3522, "radius_km": 20}
    tokyo = {"country": "JP", "latitude": 35.68, "longitude": 139.69, "radius_km": 20}
    fleet = Fleet(began(20))
    a, b = fleet.host("a"), fleet.host("b")
    fleet.login(a, 0, ("198.51.100.1", 0), key="K1", account="alice", place=berlin)
    fleet.login(b, 3600, ("198.51.100.2", 0), key="K1", account="root", place=tokyo)  # one key, two accounts
    fleet.login(a, 0, ("198.51.100.3", 0), key="K2", place=berlin)
    fleet.login(b, 3 * 3600, ("198.51.100.4", 0), key="K2", place=paris)  # an aeroplane
    fleet.login(a, 0, ("198.51.100.5", 0), key="K3", place={"country": "DE"})
    fleet.login(b, 600, ("198.51.100.6", 0), key="K3", place={"country": "BR"})
    fleet.login(a, 0, ("198.51.100.7", 0), key="K4", place={"country": "DE"})
    fleet.login(b, 7200, ("198.51.100.8", 0), key="K4", place={"country": "BR"})  # time enough, for all that is known
    fleet.login(a, 0, ("198.51.100.9", 0), key="K5", place=berlin)
    fleet.login(b, 60, ("198.51.100.9", 0), key="K5", place=berlin)  # one place
    filled(engine, fleet)
    got = [(r["identity"], r["by"], r["host"], r["then_host"]) for r in engine.shipped("impossible_travel")]
    check("journeys that nobody makes", sorted(got) == [("K1", "distance", "a", "b"), ("K3", "country", "a", "b")], got)


def silent(engine, check):
    """By the time of arrival, which nobody may write: the column is given a default for the case."""
    engine.empty()
    now = int(time.time())
    engine.query("ALTER TABLE outergate.records MODIFY COLUMN ingested DateTime64(3, 'UTC') DEFAULT now64(3)")
    try:
        rows = []
        for name, every, last in (("busy", 600, 7200), ("idle", 20000, 70000), ("fine", 600, 300), ("new", 0, 90000),
                                  ("young", 0, 5000)):
            for n in range(40 if every else 3):
                at = now - last - n * (every or 1000)
                rows.append({"id": identifier(name, n), "kind": "session", "name": "session", "time": str(at), "severity": "info",
                             "host_id": identifier(name), "host_name": name, "record": "{}", "ingested": str(at)})
        engine.insert(rows)
    finally:
        engine.query("ALTER TABLE outergate.records MODIFY COLUMN ingested DateTime64(3, 'UTC') MATERIALIZED now64(3)")
    got = [r["host"] for r in engine.shipped("silent_hosts")]
    check("who went silent, by its own habit", got == ["new", "busy"], engine.shipped("silent_hosts"))


def forged(engine, check):
    fleet = Fleet(began())
    a, b, c = three(fleet)
    engine.empty()
    for s, certificate in ((a, "bastion.example"), (b, "DB"), (c, "bastion.example")):
        engine.insert([dict(r, relay_host=certificate) for r in s.rows()])
    loose = fleet.login(fleet.host("loose"), 5)
    engine.insert(loose.rows())
    got = [(r["what"], r["certificate"], r["claimed"], int(r["records"])) for r in engine.shipped("wrong_host")]
    check("a record of another host than its certificate", got == [("claims another", "bastion.example", "vault", 2),
                                                                   ("not stamped", "", "loose", 2)], got)
    check("joins nothing", paths(engine) == [(["bastion", "db"], ["alice", "postgres"], ["exact"])], paths(engine))
    engine.insert([dict(r, relay_host="vault") for r in c.rows()])
    check("the true one stands beside it", paths(engine) == [(*WHOLE, ["exact", "exact"])], paths(engine))
    got = [(r["what"], r["certificate"]) for r in engine.shipped("wrong_host")]
    check("one id with two certificates", ("two certificates", "bastion.example vault") in got, got)
    for certificate, claimed, same in (("web.evil", "web.example", 0), ("webx", "web", 0), ("web.example", "web", 1),
                                       ("x", "", 0), ("WEB", "web", 1), ("web", "web.example", 0)):
        got = int(engine.value("SELECT outergate_same_host('%s', '%s')" % (claimed, certificate)))
        check("%s as %s" % (certificate, claimed), got == same, got)


def hostile(engine, check):
    """Records that are none: kept, no row elsewhere, nobody's insert fails."""
    engine.empty()
    fleet = Fleet(began())
    three(fleet)
    bad = []
    for n, text in enumerate(("", "{", "null", "[1]", '{"id":', '{"id":7,"destinations":{"a":1},"origin":"x"}',
                              json.dumps({"id": "x", "origin": {"address": "1.2.3.4'; DROP TABLE x", "port": 1e9},
                                          "connected": "9999999-13-77", "destinations": [7, {"source_ports": [-1, 70000, "x"]}],
                                          "commands": [{}, 1], "bytes_in": -5, "latitude": "x"}),
                              json.dumps({"id": "\u202e\u0000'\"\\", "destinations": [{}] * 300}), "[" * 5000)):
        for kind in ("session", "alert", "event"):
            bad.append({"id": "%s%d" % (kind, n), "kind": kind, "name": "x", "time": "0", "severity": "", "host_id": "h",
                        "host_name": "evil", "record": text})
    for n, at in enumerate(("0.000000000", "1.5", "99999999999.0", "9223372036.854775807", "", "yesterday", "-5", "2026-11-22T06:30:59Z")):
        bad.append({"id": "t%d" % n, "kind": "session", "name": "x", "time": at, "severity": "", "host_id": "h",
                    "host_name": "evil", "record": '{"id":"t%d"}' % n})
    engine.insert(fleet.rows() + bad)
    got = int(engine.value("SELECT count() FROM outergate.records"))
    check("every record is kept", got == len(fleet.rows()) + len(bad), got)
    check("and the path stands", paths(engine) == [(*WHOLE, ["exact", "exact"])], paths(engine))
    for name in ("spray", "first_seen", "impossible_travel", "silent_hosts", "wrong_host"):
        engine.shipped(name)
        check("%s runs over them" % name, True)
    parts = int(engine.value("SELECT uniqExact(partition) FROM system.parts WHERE active AND database = 'outergate' "
                             "AND table = 'records'"))
    check("a wild clock makes no parts", parts == 1, parts)
    # What an agent may not write. A relay's column needs a grant, which docs/FLEET.md gives.
    try:
        engine.insert([dict(fleet.rows()[0], ingested="2001-01-01 00:00:00", written_by="root", id="mine")])
    except Refused:
        pass
    got = int(engine.value("SELECT count() FROM outergate.records_v WHERE ingested < now() - INTERVAL 1 DAY OR written_by = 'root'"))
    check("the time of arrival is nobody's to write", got == 0, got)


CASES = [one_path, two_branches, skewed, reused, again, translated, ambiguous, repeated, sprayed, first_seen, travelled,
         silent, forged, hostile]
assert INSERT
