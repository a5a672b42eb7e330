"""Generators of sshd's words: noise of the internet, a month of ordinary life, and attacks.

Everything comes from one seeded random.Random, so a seed is a file. Lines are (time, text); write()
puts them in order, as syslog writes them, in local time of a zone with daylight saving.
"""
import datetime
import os
import sys
import zoneinfo

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import geodb  # noqa: E402

ZONE = zoneinfo.ZoneInfo("Europe/Berlin")
UNKNOWN = ("admin test oracle ubuntu user pi ftp postgres guest hadoop jenkins nagios minecraft "
           "deploy1 steam support info www tomcat mysql1 odoo dev1 student es sysadmin").split()


class Host:
    """One host's sshd: pids, ports, lines."""

    def __init__(self, dice, name="bastion"):
        self.dice, self.name, self.pid, self.lines = dice, name, 2000, []
        self.port = 32768

    def say(self, at, pid, text):
        self.lines.append((at, f"{self.name} sshd[{pid}]: {text}"))

    def connection(self):
        self.pid += self.dice.randint(1, 5)
        self.port = 32768 + (self.port - 32768 + self.dice.randint(1, 50)) % 28000
        return self.pid, self.port  # no two live connections of one address have one port

    def accept(self, at, user, source, method="publickey", key=None, minutes=20, offers=0):
        pid, port = self.connection()
        for n in range(offers):
            self.say(at - 0.1, pid, f"Failed publickey for {user} from {source} port {port} ssh2: "
                                    f"RSA SHA256:{fingerprint(user + 'old%d' % n)}")
        tail = f": ED25519 SHA256:{fingerprint(key or user)}" if method == "publickey" else ""
        self.say(at, pid, f"Accepted {method} for {user} from {source} port {port} ssh2{tail}")
        self.say(at + 0.05, pid, f"pam_unix(sshd:session): session opened for user {user}(uid=1000)"
                                 " by (uid=0)")
        end = at + minutes * 60 * self.dice.uniform(0.2, 1.8)
        self.say(end, pid, f"Received disconnect from {source} port {port}:11: disconnected by "
                           "user")
        self.say(end, pid, f"Disconnected from user {user} {source} port {port}")
        self.say(end + 0.05, pid, f"pam_unix(sshd:session): session closed for user {user}")

    def reject(self, at, user, source, exists=True, tries=1, gap=2.0):
        """Wrong passwords on one connection, as sshd and pam_unix tell them."""
        pid, port = self.connection()
        who = user if exists else "invalid user " + user
        if not exists:
            self.say(at, pid, f"Invalid user {user} from {source} port {port}")
        shape = self.dice.randrange(4)
        for n in range(tries):
            t = at + n * gap
            if shape & 1 and n == 0:
                self.say(t, pid, "pam_unix(sshd:auth): authentication failure; logname= uid=0 "
                                 f"euid=0 tty=ssh ruser= rhost={source}" +
                                 (f"  user={user}" if exists else ""))
            self.say(t + 0.01, pid, f"Failed password for {who} from {source} port {port} ssh2")
        end = at + tries * gap
        if shape & 1 and tries > 1:
            more = tries - 1
            self.say(end, pid, f"PAM {more} more authentication failure{'s' if more > 1 else ''}; "
                               f"logname= uid=0 euid=0 tty=ssh ruser= rhost={source}" +
                               (f"  user={user}" if exists else ""))
        close = "authenticating" if exists else "invalid"
        self.say(end, pid, f"Connection closed by {close} user {user} {source} port {port} "
                           "[preauth]")

    def knock(self, at, source):
        """What is no try: scanners, monitors."""
        pid, port = self.connection()
        self.say(at, pid, self.dice.choice([
            f"Connection closed by {source} port {port} [preauth]",
            f"Connection reset by {source} port {port} [preauth]",
            f"banner exchange: Connection from {source} port {port}: invalid format",
            "error: kex_exchange_identification: Connection closed by remote host",
            f"Unable to negotiate with {source} port {port}: no matching key exchange method found."
            " Their offer: diffie-hellman-group1-sha1 [preauth]",
            f"Did not receive identification string from {source} port {port}"]))

    def write(self, path):
        with open(path, "w", encoding="utf-8") as f:
            for at, text in sorted(self.lines, key=lambda x: x[0]):
                when = datetime.datetime.fromtimestamp(at, ZONE)
                f.write(f"{when:%b} {when.day:2d} {when:%H:%M:%S} {text}\n")


def fingerprint(text):
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    value, out = sum((i + 7) * ord(c) for i, c in enumerate(text)) * 2654435761, ""
    for _ in range(43):
        value = (value * 6364136223846793005 + 1442695040888963407) % 2**64
        out += letters[value >> 58]
    return out


def stranger(dice):
    """An address of the internet."""
    while True:
        a = [dice.randint(1, 223) for _ in range(4)]
        if a[0] not in (10, 100, 127, 169, 172, 192, 198, 203):
            return ".".join(map(str, a))


def local(year, month, day, hour=0.0):
    return datetime.datetime(year, month, day, tzinfo=ZONE).timestamp() + hour * 3600


# --- places
CITIES = {"Berlin": ("DE", 52.5, 13.4), "Hamburg": ("DE", 53.6, 10.0), "Munich": ("DE", 48.1, 11.6),
          "Cologne": ("DE", 50.9, 7.0), "Frankfurt": ("DE", 50.1, 8.7), "Vienna": ("AT", 48.2, 16.4),
          "Amsterdam": ("NL", 52.4, 4.9), "Zurich": ("CH", 47.4, 8.5), "Madrid": ("ES", 40.4, -3.7)}
GERMAN = ["Berlin", "Hamburg", "Munich", "Cologne", "Frankfurt"]
PROVIDERS = [64601, 64602, 64603, 64604]  # of homes and cafes
CARRIERS = [64611, 64612, 64613]  # of phones: their addresses are said to be where the gateway is


class Atlas:
    """Where networks are: a libloc database of countries and networks, a city database of points.
    The rest of the internet is 40 networks of hosting in 20 countries."""

    def __init__(self, dice):
        self.dice, self.networks, self.points = dice, {}, {}
        for octet in range(1, 224):
            self.networks[f"{octet}.0.0.0/8"] = {"country": "ABCDEFGHIJKLMNOPQRST"[octet % 20] + "X",
                                                 "asn": 64700 + octet % 40}
        self.phones = {asn: self.place(16, "Frankfurt" if n else "Cologne", asn, 200)
                       for n, asn in enumerate(CARRIERS)}

    def place(self, bits, city, asn, radius=20):
        """A network somewhere: the part of its addresses that does not change."""
        country, latitude, longitude = CITIES[city]
        keep = bits // 8
        while True:
            parts = stranger(self.dice).split(".")
            cidr = ".".join(parts[:keep] + ["0"] * (4 - keep)) + f"/{bits}"
            if cidr not in self.networks:
                break
        self.put(cidr, country, asn, latitude, longitude, radius)
        return ".".join(parts[:keep])

    def put(self, cidr, country, asn, latitude, longitude, radius=20):
        self.networks[cidr] = {"country": country, "asn": asn}
        self.points[cidr] = {"country": {"iso_code": country},
                             "location": {"latitude": latitude, "longitude": longitude,
                                          "accuracy_radius": radius}}

    def put_in(self, cidr, city, asn):
        self.put(cidr, *(CITIES[city][:1] + (asn,) + CITIES[city][1:]))

    def at(self, net):
        """One address of a network."""
        missing = 3 - net.count(".")
        return net + "".join(f".{self.dice.randint(1, 254)}" for _ in range(missing))

    def write(self, folder):
        """Arguments for replay."""
        paths = [os.path.join(folder, n) for n in ("city.mmdb", "networks.db")]
        geodb.make({"type": "Test-City", "networks": self.points}, paths[0])
        geodb.make({"format": "libloc", "networks": self.networks}, paths[1])
        return ["--geo", paths[0], "--geo", paths[1]]


# --- noise
def internet_noise(host, start, failures=10000, sources=1000):
    """A day: most sources try slowly and often in short bursts, on root and on invented names; some
    come back all day, some from one network."""
    dice = host.dice
    crowd = [stranger(dice) for _ in range(sources - 60)]
    net = stranger(dice).rsplit(".", 1)[0]
    crowd += [f"{net}.{n}" for n in dice.sample(range(1, 255), 60)]
    left = failures
    while left > 0:
        # every source at least once, some far more often
        source = crowd[left % sources] if left > failures - sources else \
            crowd[int(sources * dice.random() ** 3)]
        exists = dice.random() < 0.4
        user = "root" if exists else dice.choice(UNKNOWN)
        tries = min(left, dice.choice([1, 1, 1, 1, 2, 3, 6]))
        host.reject(start + dice.uniform(0, 86300), user, source, exists, tries)
        left -= tries
        if dice.random() < 0.2:
            host.knock(start + dice.uniform(0, 86300), dice.choice(crowd))


def ordinary_logins(host, start, count=20):
    """People and jobs of a day, one of them with a typo or two before."""
    dice = host.dice
    homes = {u: stranger(dice) for u in ("anna", "ben", "carla", "dev", "backup")}
    for n in range(count):
        user = dice.choice(list(homes))
        at = start + 3600 * dice.uniform(7, 19)
        if n % 6 == 0:
            host.reject(at - 60, user, homes[user], True, dice.randint(1, 2))
        host.accept(at, user, homes[user], "password" if n % 6 == 0 else "publickey")


# --- a month of life
class Month:
    """Who works at a host, and how. Places are networks: homes change their address in them."""

    def __init__(self, host, year, month, first_day=1, days=28):
        self.host, self.dice = host, host.dice
        self.start, self.days = local(year, month, first_day), days
        self.admins = ["anna", "ben", "carla", "dirk", "eva", "finn"]
        self.atlas = atlas = Atlas(self.dice)
        self.cities = {a: self.dice.choice(GERMAN) for a in self.admins}
        self.homes = {a: atlas.place(24, self.cities[a], self.dice.choice(PROVIDERS))
                      for a in self.admins}
        self.carriers = {a: self.dice.choice(CARRIERS) for a in self.admins}
        self.rotated, self.renewed = self.dice.randint(8, 20), set()
        self.nat = atlas.at(atlas.place(24, "Amsterdam", 64620))  # the company's VPN leaves there
        for cidr, city, asn in (("45.10.20.0/24", "Frankfurt", 64621), ("34.90.0.0/16", "Zurich", 64622),
                                ("62.30.40.0/24", "Frankfurt", 64623)):
            atlas.put_in(cidr, city, asn)
        # Two journeys: some days in a hotel, one of them abroad.
        self.stays = {}
        for who, city in zip(self.dice.sample(self.admins, 2), ("Hamburg", "Vienna")):
            first = self.dice.randrange(self.days - 3)
            hotel = atlas.place(24, city, 64630 + len(self.stays))
            self.stays[who] = (range(first, first + self.dice.randint(1, 4)), hotel)

    def day(self, n):
        """Local midnight, also where days have 23 or 25 hours."""
        d = datetime.datetime.fromtimestamp(self.start, ZONE).date() + datetime.timedelta(days=n)
        return local(d.year, d.month, d.day), d.weekday() < 5

    def key(self, who, n):
        return who + ("new" if n >= self.rotated else "")

    def where(self, who, n):
        """The network that somebody is in: at home, in the VPN, by phone, in a cafe, in a hotel."""
        nights, hotel = self.stays.get(who, ((), None))
        if n in nights:
            return hotel
        roll = self.dice.random()
        if roll < 0.10:
            return self.nat
        if roll < 0.15:
            return self.atlas.phones[self.carriers[who]]
        if roll < 0.17:
            return self.atlas.place(24, self.cities[who], self.dice.choice(PROVIDERS))
        return self.homes[who]

    def admin(self, who, at, n):
        net = self.where(who, n)
        source = self.atlas.at(net)
        away = net not in (self.homes[who], self.nat)
        if not away and self.dice.random() < 0.1:  # passwords are for who is at home
            self.host.reject(at - 40, who, source, True, self.dice.randint(1, 3))
            self.host.accept(at, who, source, "password", minutes=60)
        else:
            if n >= self.rotated and not away:
                self.renewed.add(who)  # where one is at home, not in a hotel
            key = who + ("new" if who in self.renewed else "")
            self.host.accept(at, who, source, key=key, minutes=60,
                             offers=self.dice.choice([0, 0, 2, 7]))

    def office(self, midnight, n):
        """Thirty people behind one address of a VPN, most of them in the morning."""
        for p in range(30):
            at = midnight + 3600 * self.dice.triangular(7.5, 18, 9)
            who = f"staff{p}"
            if self.dice.random() < 0.03:
                self.host.reject(at - 30, who, self.nat, True, 1)
            self.host.accept(at, who, self.nat, key=self.key(who, n), minutes=90)

    def machines(self, midnight, n):
        host, dice = self.host, self.dice
        for run in range(3):  # configuration management, from inside and from its own network
            at = midnight + 3600 * (2 + run * 8) + dice.uniform(0, 60)
            for step in range(40):
                host.accept(at + step * 1.5, "ansible", "10.0.0.5" if run else "45.10.20.30",
                            key="ansible", minutes=0.02)
        for half in range(48):  # continuous integration, from a cloud's addresses
            host.accept(midnight + half * 1800 + dice.uniform(0, 300), "ci",
                        f"34.90.{dice.randint(0, 3)}.{dice.randint(1, 254)}", key="ci",
                        minutes=0.5)
        host.accept(midnight + 3600 * 3, "backup", "62.30.40.50", key="backup", minutes=45)
        for minute in range(0, 1440, 5):  # monitoring looks whether the port answers
            host.knock(midnight + minute * 60 + 11, "62.30.40.60")

    def live(self):
        rollouts = set(self.dice.sample(range(self.days), 4))
        for n in range(self.days):
            midnight, works = self.day(n)
            self.machines(midnight, n)
            if works:
                self.office(midnight, n)
                for who in self.admins:
                    for hour in sorted(self.dice.uniform(7, 20)
                                       for _ in range(self.dice.randint(1, 4))):
                        self.admin(who, midnight + 3600 * hour, n)
            if n in rollouts:
                for step in range(60):
                    self.host.accept(midnight + 3600 * 14 + step * 20, "deploy", "62.30.40.70",
                                     key="deploy", minutes=0.2)


# --- a month of what sessions do, as the kernel tells it: lines of tests/golden/records.py
class Sessions:
    """A bastion's sessions: people who go on to inner hosts, copy files and run commands; jobs."""

    def __init__(self, dice):
        self.dice, self.cookie, self.lines = dice, 0, []

    def login(self, at, user, source, out=0, minutes=20, onward=(), command=None, local=False):
        self.cookie += 1
        c, port = self.cookie, self.dice.randint(32768, 60999)
        say = self.lines.append
        say(f"{at:.2f} connection conn={c} from={source}:{port}")
        say(f"{at + .3:.2f} pam conn={c} from={source}:{port} call=account ret=0 user={user}")
        say(f"{at + .4:.2f} pam conn={c} from={source}:{port} call=open ret=0 user={user} "
            "flags=proven")
        words = "-bash" if command is None else "bash -c " + command.replace(" ", "_")
        tty = " flags=tty" if command is None else ""
        say(f"{at + .5:.2f} exec conn={c} uid=1000 comm=bash path=/bin/bash args='{words}'{tty}")
        end = at + minutes * 60 * self.dice.uniform(0.3, 1.5)
        for n, host in enumerate(onward):
            t = at + 2 + (end - at) * n / (len(onward) + 1)
            say(f"{t:.2f} connect conn={c} uid=1000 comm=ssh to={host}:22")
        say(f"{end:.2f} exit conn={c} alive=0")
        say(f"{end + .01:.2f} connection_close conn={c} from={source}:{port} in=20000 out={out}")

    def bastion(self, days=28):
        dice = self.dice
        inner = ["10.20.0.%d" % n for n in range(10, 40)]
        homes = {a: stranger(dice).rsplit(".", 1)[0] for a in ("anna", "ben", "carla", "dirk")}
        for n in range(days):
            day = n * 86400 + 100
            for who, net in homes.items():
                if n % 7 > 4:
                    continue
                for _ in range(dice.randint(1, 4)):
                    away = dice.random() < 0.05
                    source = stranger(dice) if away else "%s.%d" % (net, dice.randint(1, 254))
                    self.login(day + 3600 * dice.uniform(7, 19), who, source,
                               out=int(dice.lognormvariate(12, 2)) % (100 << 20),
                               onward=dice.sample(inner, dice.randint(0, 3)))
            for run in range(2):
                self.login(day + 3600 * (2 + run * 11), "ansible", "45.10.20.30", minutes=30,
                           onward=inner, command="python3")
            for half in range(0, 24, 2):
                self.login(day + half * 3600, "ci", "34.90.%d.%d" % (dice.randint(0, 3),
                           dice.randint(1, 254)), minutes=2, command="git-upload-pack repo",
                           out=dice.randint(1, 30) << 20)
            self.login(day + 3600 * 3, "backup", "62.30.40.50", minutes=40,
                       command="rsync --server --sender -logDtpr . /srv",
                       out=dice.randint(900, 1300) << 20)


# --- attacks: each returns what must be told: (detection, severity, origin or account, reason)
def fast(host, at):
    source = stranger(host.dice)
    for n in range(host.dice.randint(6, 40)):
        host.reject(at + n * host.dice.uniform(1, 120), "anna", source)
    return "auth.bruteforce", "medium", source, None


def slow(host, at):
    source = stranger(host.dice)
    for n in range(22):
        host.reject(at + n * host.dice.uniform(1200, 3700), "anna", source)
    return "auth.slow_bruteforce", "low", source, None


def spray(host, at):
    source = stranger(host.dice)
    for n, who in enumerate(host.dice.sample(UNKNOWN, 9) + ["anna", "ben", "carla"]):
        host.reject(at + n * host.dice.uniform(10, 70), who, source, who in ("anna", "ben", "carla"))
    return "auth.spray", "medium", source, None


def network(host, at):
    net = stranger(host.dice).rsplit(".", 1)[0]
    for n in range(40):
        host.reject(at + n * host.dice.uniform(1, 20), "ben", f"{net}.{n + 1}")
    return "auth.bruteforce", "medium", net + ".0", "network"


def distributed(host, at):
    for n in range(30):
        host.reject(at + n * host.dice.uniform(1, 25), "carla", stranger(host.dice))
    return "auth.distributed", "low", "carla", None


def guessed(host, at):
    source = stranger(host.dice)
    for n in range(7):
        host.reject(at + n * host.dice.uniform(1, 120), "dirk", source)
    host.accept(at + 900 + host.dice.uniform(0, 20000), "dirk", source, "password")
    return "auth.bruteforce_success", "high", source, "same-source"


def slowly_guessed(host, at):
    source = stranger(host.dice)
    for n in range(22):
        host.reject(at + n * host.dice.uniform(1200, 3700), "eva", source)
    host.accept(at + 22 * 3700 + 60, "eva", source, "password")
    return "auth.bruteforce_success", "high", source, "same-source"


def guessed_by_a_botnet(host, at):
    for n in range(30):
        host.reject(at + n * host.dice.uniform(1, 25), "finn", stranger(host.dice))
    source = stranger(host.dice)
    host.accept(at + 760, "finn", source, "password")
    return "auth.bruteforce_success", "medium", source, "other-source"


ATTACKS = [fast, slow, spray, network, distributed, guessed, slowly_guessed, guessed_by_a_botnet]
