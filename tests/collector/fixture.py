"""Records of a fleet that never was, as its agents would send them: rows of outergate.records.

Every host has its own clock (`skew`, seconds); what happens is told in true seconds since `Fleet.began`.
`Fleet.login` and `Fleet.onward` make one connection: what the host that it leaves sees, and what the
host where it arrives sees, with or without a translation of addresses between the two.
"""
import datetime
import hashlib
import json

OUTSIDE = "203.0.113.9"


def stamp(seconds):
    at = datetime.datetime.fromtimestamp(round(seconds * 1000) / 1000, datetime.timezone.utc)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + "%03dZ" % (at.microsecond // 1000)


def identifier(*words):
    return hashlib.md5("/".join(map(str, words)).encode(), usedforsecurity=False).hexdigest()


class Host:
    def __init__(self, name, address, skew=0.0):
        self.name, self.address, self.skew = name, address, skew
        self.id = identifier("host", name)
        self.sessions = []


class Session:
    """One record in the making; told whole, or open and then closed."""

    def __init__(self, fleet, host, number, at, origin, local, account, method, key, scope, place, counted):
        self.fleet, self.host, self.id = fleet, host, identifier(host.name, "session", number, at)
        self.at, self.origin, self.local, self.counted = at, origin, local, counted
        self.account, self.method, self.key, self.scope, self.place = account, method, key, scope, place
        self.destinations, self.bytes = {}, (4000 + 16 * number, 9000 + 32 * number)
        self.last, self.closed = at + 2, None

    def record(self, state):
        clock = self.fleet.began + self.host.skew
        r = {"host_id": self.host.id, "boot_id": identifier(self.host.name, "boot"), "host_name": self.host.name,
             "id": self.id, "state": state, "existing": False, "proven": True, "service": "ssh",
             "origin": {"address": self.origin[0], "port": self.origin[1], "scope": self.scope, "source": "socket",
                        **self.place},
             "local": {"address": self.local[0], "port": self.local[1]}, "account": self.account,
             "method": self.method, "method_inferred": False, "connected": stamp(clock + self.at),
             "open": stamp(clock + self.at + 2)}
        if self.key:
            r["key"] = self.key
        if state == "closed":
            r["close"] = stamp(clock + self.closed)
        r["last_time"] = stamp(clock + self.last)
        if self.counted and state == "closed":
            r["bytes_in"], r["bytes_out"] = self.bytes
        else:
            r["bytes"] = "unknown"
        r.update(processes=int(state != "closed"), commands_total=1,
                 commands=[{"time": stamp(clock + self.at + 3), "text": "id", "uid": 1000, "pid": 4242}],
                 destinations_total=len(self.destinations))
        r["destinations"] = [
            {"address": to[0], "port": to[1], "source_address": d["source"], "source_ports": d["ports"][:1] + d["ports"][1:][-1:],
             "service": "ssh", "scope": "private", "count": len(d["ports"]), "program": "ssh",
             "time": stamp(clock + d["first"]), "last_time": stamp(clock + d["last"]),
             "bytes_in": d["in"], "bytes_out": d["out"]} for to, d in self.destinations.items()]
        r.update(stages=["access"], failures_before=0, alerts=0)
        return r

    def row(self, state, at, **more):
        return {"id": "%s-%x" % (self.id, int((self.fleet.began + self.host.skew + at) * 1e9)), "kind": "session",
                "name": "session", "time": "%.9f" % (self.fleet.began + self.host.skew + at), "severity": "info",
                "host_id": self.host.id, "host_name": self.host.name, **more, "record": json.dumps(self.record(state))}

    def rows(self):
        end = self.closed = self.closed if self.closed is not None else self.last + 60
        return [self.row("open", self.at + 2), self.row("closed", end)]


class Fleet:
    def __init__(self, began):
        self.began, self.hosts, self.sessions, self.events, self.port = began, {}, [], [], 40000

    def host(self, name, address="", skew=0.0):
        if name not in self.hosts:
            self.hosts[name] = Host(name, address or "10.0.0.%d" % (len(self.hosts) + 1), skew)
        return self.hosts[name]

    def next_port(self):
        self.port += 1
        return self.port

    def login(self, host, at, origin=(OUTSIDE, 0), account="alice", method="password", key="", scope="external",
              place=None, local=None, counted=True):
        s = Session(self, host, len(self.sessions), at, (origin[0], origin[1] or self.next_port()),
                    local or (host.address, 22), account, method, key, scope, place or {}, counted)
        self.sessions.append(s)
        return s

    def onward(self, session, to, at, account, *, port=0, seen=None, dest=None, recorded=True, traffic=None, delay=0.02,
               **how):
        """A connection of `session` to host `to`; seen: what that host takes for its origin; dest: what
        the first host takes for where it goes; not recorded: the other end let nobody in."""
        source = (session.host.address, port or self.next_port())
        dest = dest or (to.address, 22)
        d = session.destinations.setdefault(dest, {"source": source[0], "ports": [], "first": at, "last": at,
                                                   "in": 0, "out": 0})
        d["ports"].append(source[1])
        session.last = max(session.last, at + 30)
        if not recorded:
            return None
        there = self.login(to, at + delay, seen or source, account=account, scope="private", **how)
        if traffic:
            there.bytes = traffic
        there.closed = there.last = at + 30
        d["in"], d["out"], d["last"] = d["in"] + there.bytes[1], d["out"] + there.bytes[0], at + 30
        return there

    def failure(self, host, at, origin, account, count=1):
        when = self.began + host.skew + at
        record = {"id": identifier(host.name, at, origin, account), "host_id": host.id, "host_name": host.name, "line": 0,
                  "kind": "attempt", "time": stamp(when), "service": "ssh", "outcome": "failure", "account": account,
                  "origin": {"address": origin, "port": self.next_port()}, "method": "password", "source": "sshd_verdicts"}
        if count > 1:
            record["count"] = count
        self.events.append({"id": record["id"], "kind": "event", "name": "event", "time": "%.9f" % when, "severity": "info",
                            "host_id": host.id, "host_name": host.name, "record": json.dumps(record)})

    def rows(self):
        return [row for s in self.sessions for row in s.rows()] + self.events
