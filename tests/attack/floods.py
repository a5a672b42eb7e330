"""Floods of lines through `outergate replay`, whose decoders and core are the agent's: a real intrusion is
hidden in each and must be told; what the process needs at most must not grow with the flood."""
import json
import os
import random
import subprocess
import sys
import tempfile
import time

BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
GROWTH_KIB = 4096  # of a flood ten times as long
VICTIM, INTRUDER = "victim", "203.0.113.66"
FAILED = "%s host sshd[%d]: Failed password for %s from %s port %d ssh2\n"
ACCEPTED = "%s host sshd[%d]: Accepted %s for %s from %s port %d ssh2\n"
OPENED = "%s host sshd[%d]: pam_unix(sshd:session): session opened for user %s(uid=1000) by (uid=0)\n"


class Failure(Exception):
    pass


def check(truth, text, *shown):
    if not truth:
        raise Failure(text + "".join("\n     %r" % (s,) for s in shown))


def at(seconds):
    """The time of a line, in September of a year that it does not name."""
    day, rest = divmod(int(seconds), 86400)
    return "Sep %2d %02d:%02d:%02d" % (1 + day % 28, rest // 3600, rest // 60 % 60, rest % 60)


def address(i):
    return "%d.%d.%d.%d" % (11 + i // 16387064 % 90, i // 64516 % 254, i // 254 % 254, 1 + i % 254)


def intrusion(when):
    """Eight wrong passwords and the right one, from one address."""
    for i in range(8):
        yield FAILED % (when(i), 4242, VICTIM, INTRUDER, 4000 + i)
    yield ACCEPTED % (when(9), 4242, "password", VICTIM, INTRUDER, 4009)


def most_of(process):
    """KiB that it needed at most, as far as it was seen: of the program itself, not of who started it."""
    most = 0
    while process.poll() is None:
        try:
            with open("/proc/%d/status" % process.pid) as f:
                text = f.read()
            with open("/proc/%d/comm" % process.pid) as f:
                if "outergate" in f.read() and "VmHWM:" in text:
                    most = max(most, int(text.split("VmHWM:")[1].split()[0]))
        except OSError:
            pass
        time.sleep(0.002)
    return most


def replay(lines):
    """(alerts, KiB that it needed at most)"""
    with tempfile.NamedTemporaryFile("wb", suffix=".log") as f:
        for line in lines:
            f.write(line if isinstance(line, bytes) else line.encode())
        f.flush()
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            p = subprocess.Popen([BUILD + "/outergate", "replay", "--alerts", f.name], stdout=out, stderr=err)
            most = most_of(p)
            out.seek(0)
            err.seek(0)
            check(p.returncode == 0, "replay failed", err.read()[-400:])
            text = out.read()
    alerts = []
    for row in text.decode("utf-8").splitlines():  # one object a line in valid UTF-8, or this fails
        check(not [c for c in row if ord(c) < 0x20], "a control character in the output", row[:200])
        alerts.append(json.loads(row))
    return alerts, most


def told(alerts, detection="auth.bruteforce_success", account=VICTIM, severity="high"):
    found = [a for a in alerts if a["detection"] == detection and a.get("account") == account and
             a["severity"] == severity]
    check(found, "the intrusion is not told: %s of %s" % (detection, account),
          [(a["detection"], a.get("account"), a["severity"]) for a in alerts][-12:])
    return found[0]


def flat(make, small, large, growth=GROWTH_KIB):
    """The same flood, and ten times as much of it: the alerts of the large one."""
    _, before = replay(make(small))
    alerts, after = replay(make(large))
    print("     of %d lines %d KiB, of %d lines %d KiB, %d alerts" % (small, before, large, after, len(alerts)))
    check(after - before < growth, "memory grows with the flood: %d KiB, then %d KiB" % (before, after))
    return alerts


def a_million_sources():
    """One try each, of accounts that exist and that do not; the intrusion in the middle."""
    def flood(n):
        for i in range(n):
            if i == n // 2:
                yield from intrusion(lambda s: at(i // 100 + s))
            name = "root" if i % 2 else "invalid user u%d" % i
            yield FAILED % (at(i // 100), i % 30000, name, address(i * 7919 % 16000057), 1024 + i % 60000)
    told(flat(flood, 100000, 1000000))


def a_hundred_thousand_failures_a_minute():
    """From 2,000 sources, for three minutes, on the very account."""
    def flood(n):
        for i in range(n):
            second = i * 60 // 100000
            if i == n * 2 // 3:
                yield from intrusion(lambda s: at(second + s // 8))
            yield FAILED % (at(second), i % 30000, VICTIM if i % 3 else "root", address(i % 2000 * 977), 1024 + i % 60000)
    told(flat(flood, 30000, 300000))


FRAMED = "198.51.100.77"
PRETEND = ["root from %s port 22 ssh2" % FRAMED, "%s" * 200, "' OR 1=1 --", '{"a":"', "</script><script>",
           "a#012Sep  1 00:00:00 host sshd[1]: Accepted password for root from %s port 1 ssh2" % FRAMED,
           "\x1b[2J\x1b]0;x\x07", "\u202eroot", "x" * 5000, " ", "", "invalid user invalid user", "from from from",
           "port 22 ssh2"]


def names_of_every_shape():
    """Bytes of all kinds, and texts that pretend to be the rest of a line: no output breaks, nobody is framed."""
    r = random.Random(3)

    def name(i):
        if i % 2:
            return r.choice(PRETEND).encode()
        return bytes(r.randrange(1, 256) for _ in range(r.randrange(1, 60))).replace(b"\n", b"#012")

    def flood(n):
        for i in range(n):
            if i == n // 2:
                yield from intrusion(lambda s: at(i // 50 + s))
            line = FAILED % (at(i // 50), i % 30000, "invalid user \0", address(i % 100), 1024 + i % 60000)
            yield line.encode().replace(b"\0", name(i))
    alerts = flat(flood, 6000, 60000)
    told(alerts)
    blamed = [a for a in alerts if (a.get("origin") or {}).get("address") == FRAMED]
    check(not blamed, "an address that stands in a name is blamed", blamed[:1])


def a_table_full_of_guesses():
    """Thousands of sources guess an account that exists: every row of alerts is taken. A stranger's login by key
    is told all the same."""
    def flood(n):
        for i in range(n):
            yield FAILED % (at(i // 20), 100 + i % 30000, VICTIM, address(i // 8 * 977), 1024 + i % 60000)
        yield ACCEPTED % (at(n // 20 + 1), 77, "publickey", "carol", "192.0.2.200", 5000)
        yield from intrusion(lambda s: at(n // 20 + 10 + s))
    alerts = flat(flood, 16000, 64000)
    told(alerts)
    told(alerts, "access.external", "carol", "low")


def thousands_of_sessions():
    """Logins that stay, more than Limits.Sessions: what is told of the one too many is that it is not followed, and
    the guessing before it. (replay keeps what it prints: what grows here is its output.)"""
    def flood(n):
        for i in range(n):
            name = "user%d" % (i % 500)
            yield ACCEPTED % (at(i // 10), 100 + i, "publickey", name, address(i * 977), 2000 + i % 60000)
            yield OPENED % (at(i // 10), 100 + i, name)
        yield from intrusion(lambda s: at(n // 10 + 10 + s))
    alerts = flat(flood, 2000, 5000, growth=1 << 20)
    told(alerts, "auth.bruteforce", severity="medium")
    check([a for a in alerts if a["detection"] == "sensor.loss" and "session" in json.dumps(a)],
          "sessions that are not followed are not told", [a for a in alerts if a["detection"] == "sensor.loss"])


def a_clock_that_jumps():
    """Six hours back and six forward, again and again, between the tries of the intrusion."""
    def flood(n):
        rows = list(intrusion(lambda s: at(43200 + s)))
        for i in range(n):
            jump = (0, 21600, -21600)[i % 3]
            yield FAILED % (at(43200 + i // 1000 + jump), i % 30000, "root", address(i % 70000 * 977), 1024 + i % 60000)
            if i % (n // 9) == 0 and rows:
                yield rows.pop(0)
        yield from rows
    told(flat(flood, 90000, 270000))


def an_hour_that_comes_twice():
    """Daylight saving ends: guesses at 02:59, and the intrusion when it is 02:00 again. (Tries before the step are
    not counted with those after it: they seem to come later.)"""
    def flood():
        for i in range(50):
            yield FAILED % (at(2 * 3600 + 59 * 60 + i), 100 + i, "root", address(i * 977), 1024 + i)
        yield from intrusion(lambda s: at(2 * 3600 + s * 20))
    alerts, _ = replay(flood())
    told(alerts)


CASES = [a_million_sources, a_hundred_thousand_failures_a_minute, names_of_every_shape, a_table_full_of_guesses,
         thousands_of_sessions, a_clock_that_jumps, an_hour_that_comes_twice]


def main(words):
    passed = failed = 0
    for case in CASES:
        if words and not any(w in case.__name__ for w in words):
            continue
        try:
            case()
            passed += 1
            print("PASS %s" % case.__name__, flush=True)
        except Failure as e:
            failed += 1
            print("FAIL %s\n     %s" % (case.__name__, e), flush=True)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
