#!/usr/bin/env python3
"""Mutation run: breaks the code one condition at a time and asks whether a test notices.

    usage: mutate.py BUILD [--sample N] [--seed S] [--jobs N] [--near] [--after OUTPUT]
                     [--first OUTPUT] [--list] [FILE...]

For each file (default: detections and what counts for them) the mutants are:
  - a whole condition of if, while or ?: taken as true and as false (while: false only)
  - one operand of && taken as true, of || as false
  - a comparison shifted by one: > and >=, < and <=; == and != exchanged
  - a default of a detection's parameter, or a number that the file defines, plus one
Loop headers (for) stay, since their mutants only read out of bounds.

A mutant is one object in a small shared library that is loaded before the one which the test programs
and the binary are linked to, so that each costs one compilation. Golden cases of the same detection
run first, then those of chains, then unit programs and the other cases, the fast ones before the slow.
A mutant that breaks the build, makes a test fail or hang is killed. The last lines name survivors;
those in equivalent.txt change nothing that anybody could see, with the reason beside each, and are
counted apart. Exit 1 when others survived.

--near runs only the golden cases and unit programs of the same detection and of chains, for a first look:
what survives then is not known to survive. --after OUTPUT goes on from there: what that run killed
stays killed unless its file was changed since, the rest is tried again with every test. --first OUTPUT
takes nothing from that run but which test to try first, so that a whole run is done in a fraction.
"""
import concurrent.futures
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HERE = pathlib.Path(__file__).resolve().parent
DEFAULT = ["common/core/core_window.c", "common/core/core_rings.c", "common/core/core_attempts.c",
           "common/core/core_slow.c", "common/core/core_asns.c", "common/core/core_spread.c",
           "common/core/core_sources.c"]
TIMEOUT = 60
# Programs that take seconds, about how attempts are counted and how tables evict; a detection of
# something else is not what they are about.
ATTEMPTS = ["test_property_attempts", "test_core_attempts", "test_core_flood"]
sys.path.insert(0, str(ROOT / "tests/golden"))
import run as golden  # noqa: E402
COMPARISONS = {"==", "!=", "<=", ">="}


def blank(text):
    """Comments, strings, preprocessor lines and for headers as spaces, of the same length."""
    def spaces(m):
        return re.sub(r"[^\n]", " ", m.group(0))
    text = re.sub(r"/\*.*?\*/|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'", spaces, text, flags=re.S)
    text = re.sub(r"(?m)^#.*(?:\\\n.*)*$", spaces, text)
    for m in list(re.finditer(r"\bfor \(", text)):
        end = closing(text, m.end() - 1)
        text = text[:m.end()] + re.sub(r"[^\n]", " ", text[m.end():end]) + text[end:]
    return text


def closing(text, at):
    """Of the parenthesis at `at`."""
    depth = 0
    for i in range(at, len(text)):
        depth += {"(": 1, ")": -1}.get(text[i], 0)
        if depth == 0:
            return i
    raise ValueError("unbalanced")


def bounds(text, at, low):
    """Around an && or ||: the operands' ends, in its own parentheses, up to || , ; ? : or =."""
    ends = ["||", ",", ";", "?", ":", "{", "}"] + (["&&"] if low == "&&" else [])

    def scan(i, step):
        depth = 0
        while 0 <= i < len(text):
            c = text[i]
            if c in "()[]":
                opening = c in "([" if step > 0 else c in ")]"
                depth += 1 if opening else -1
                if depth < 0:
                    return i
            elif depth == 0:
                two = text[i:i + 2] if step > 0 else text[max(i - 1, 0):i + 1]
                if two in ends or c in ends:
                    return i
                if c == "=" and not {text[i - 1:i + 1], text[i:i + 2]} & COMPARISONS:
                    return i
                if text[i - 6:i + 1] == "return " and step < 0:
                    return i
            i += step
        return i
    return scan(at - 1, -1) + 1, scan(at + 2, 1)


def mutants(text):
    """(start, end, replacement, what)"""
    code = blank(text)
    for m in re.finditer(r"\b(if|while) \(", code):
        end = closing(code, m.end() - 1)
        for value in ("1", "0") if m.group(1) == "if" else ("0",):
            yield m.end(), end, value, "condition is " + value
    for m in re.finditer(r"&&|\|\|", code):
        value = "1" if m.group(0) == "&&" else "0"
        left, right = bounds(code, m.start(), m.group(0))
        yield m.end(), right, " " + value, "right of %s is %s" % (m.group(0), value)
        if code[left:m.start()].count("&&") + code[left:m.start()].count("||") == 0:
            yield left, m.start(), " %s " % value, "left of %s is %s" % (m.group(0), value)
    for m in re.finditer(r"(?<= )(>=|<=|==|!=|>|<)(?= )", code):
        other = {">": ">=", ">=": ">", "<": "<=", "<=": "<", "==": "!=", "!=": "=="}[m.group(1)]
        yield m.start(1), m.end(1), other, "%s for %s" % (other, m.group(1))
    for m in re.finditer(r"\{\s+, ([^,{}]+), UNIT_", code):
        yield m.start(1), m.end(1), "(%s) + 1" % m.group(1), "default + 1"
    for m in re.finditer(r"(?m)^#define [A-Z_]+ (\d+u?)\b", text):
        yield m.start(1), m.end(1), "(%s + 1)" % m.group(1), "definition + 1"


def line_of(text, at):
    return text.count("\n", 0, at) + 1


class Tree:
    """Objects of everything once, then one of them again and again."""

    def __init__(self, build):
        self.build = pathlib.Path(build).resolve()
        self.dir = self.build / "mutation"
        self.newest = 0
        self.flags = ["-std=gnu11", "-O1", "-fPIC", "-fno-strict-aliasing", "-D_GNU_SOURCE", "-w",
                      "-DOUTERGATE_VERSION=\"mutant\"", "-I.", "-isystem", str(self.build),
                      "-Itests/unit"]
        libs = subprocess.run(["make", "-s", "--no-print-directory", "-f", "Makefile", "--eval",
                               "mutation-libs: ; @echo $(LIBS)", "mutation-libs"], cwd=ROOT,
                              check=True, capture_output=True)
        self.libs = libs.stdout.decode().split()
        self.common = sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("common/**/*.c"))

    def object(self, source):
        return self.dir / (source.replace("/", "_")[:-2] + ".o")

    def compile(self, source, out, text=None, more=()):
        """text: instead of the file's, as if it stood there."""
        where = str(ROOT / source)
        if text is not None:
            where = str(out) + ".c"
            pathlib.Path(where).write_text('#line 1 "%s"\n%s' % (source, text))
        argv = ["gcc", *self.flags, *more, "-iquote", str((ROOT / source).parent), where, "-o",
                str(out)]
        return subprocess.run(argv, cwd=ROOT, check=False, capture_output=True).returncode == 0

    def link(self):
        objects = [str(self.object(s)) for s in self.common]
        return subprocess.run(["gcc", "-shared", "-o", str(self.dir / "libcommon.so"), *objects,
                               *self.libs], check=False, capture_output=True).returncode == 0

    def is_current(self, source):
        """Newer than its source and than every header and table."""
        made = self.object(source)
        if not made.exists():
            return False
        if not self.newest:
            headers = [p for d in ("common", "cli", "agent-linux", "tests/unit")
                       for x in ("h", "def") for p in (ROOT / d).glob("**/*." + x)]
            self.newest = max(p.stat().st_mtime for p in headers + list(self.build.glob("*.h")))
        return made.stat().st_mtime > max(self.newest, (ROOT / source).stat().st_mtime)

    def prepare(self, pool):
        self.dir.mkdir(parents=True, exist_ok=True)
        agents = sorted(str(p.relative_to(ROOT)) for d in ("cli", "agent-linux")
                        for p in (ROOT / d).glob("*.c"))
        # Programs without a core cannot notice what a detection does.
        units = sorted(str(p.relative_to(ROOT)) for p in (ROOT / "tests/unit").glob("test_*.c")
                       if re.search(r"(core|detect|guess)_world.h", p.read_text()) or
                       "catalog" in p.name)
        sources = [s for s in self.common + agents + units if not self.is_current(s)]
        done = pool.map(lambda s: self.compile(s, self.object(s), more=["-c"]), sources)
        for s in [s for s, good in zip(sources, done) if not good]:
            sys.exit("mutate: %s does not compile" % s)
        if not self.link():
            sys.exit("mutate: the library does not link")
        own = ["-L" + str(self.dir), "-lcommon", "-Wl,-rpath," + str(self.dir), "-lcmocka",
               *self.libs]
        for u in units:
            program = self.dir / pathlib.Path(u).stem
            subprocess.run(["gcc", "-o", str(program), str(self.object(u)), *own], check=True)
        subprocess.run(["gcc", "-o", str(self.dir / "outergate"),
                        *[str(self.object(s)) for s in agents], *own], check=True)
        return [[str(self.dir / pathlib.Path(u).stem)] for u in units]


class Case:
    """A golden case whose input is made once."""

    def __init__(self, tree, case, scratch):
        self.name = str(case.relative_to(golden.HERE))
        self.expected = golden.lines_of(case)
        scratch.mkdir(parents=True)
        self.paths = golden.inputs(case, scratch)
        self.argv = [str(a) for a in golden.command(
            tree.dir / "outergate", case, self.paths or [], golden.databases(case, scratch))]

    def passes(self, env):
        done = subprocess.run(self.argv, capture_output=True, check=False, timeout=TIMEOUT, env=env)
        return done.returncode == 0 and not golden.compare(self.expected, done.stdout) and \
            not golden.broken_seal(self.expected, done.stdout)


class Unit:
    def __init__(self, argv):
        self.argv, self.name = argv, pathlib.Path(argv[0]).name

    def passes(self, env):
        return subprocess.run(self.argv, cwd=ROOT, check=False, timeout=TIMEOUT, env=env,
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0


class Tests:
    """Everything that could notice, with the time that it takes."""

    def __init__(self, tree, units, scratch, near):
        cases = [Case(tree, p.parent, scratch / str(n)) for n, p in
                 enumerate(sorted(golden.HERE.glob("*/*/expected.jsonl")))]
        if near: # no other program is asked
            units = [u for u in units if pathlib.Path(u[0]).name.startswith("test_detect")]
        missing = [c.name for c in cases if c.paths is None]
        if missing:
            print("-- no recorded data (OUTERGATE_DATA): left out: %s" % " ".join(missing))
        self.all = [(c, self.cost(c)) for c in cases if c.paths is not None] + \
                   [(u, self.cost(u)) for u in map(Unit, units)]
        self.near = near

    @staticmethod
    def cost(test):
        started = time.monotonic()
        if not test.passes(dict(os.environ)):
            sys.exit("mutate: a test fails without any mutant: %s" % test.name)
        return time.monotonic() - started

    def killer(self, stem, library, likely):
        """The name of the test that notices, or None. likely: names of those to try first."""
        own = stem.replace("_", ".", 1) + "/"
        words = [w for w in stem.split("_") if len(w) > 3]

        def nearness(test):
            if test.name.startswith(own):
                return 0
            if test.name.startswith("test_detect") and any(w in test.name for w in words):
                return 1
            return 2 if test.name.startswith(("chain.", "test_detect")) else 3
        env = dict(os.environ, LD_PRELOAD=str(library))
        for test, _ in sorted(self.all, key=lambda row: (row[0].name not in likely,
                                                         nearness(row[0]), row[1])):
            if self.near and nearness(test) == 3 and test.name not in likely:
                break
            if any(w in test.name for w in ATTEMPTS) and not stem.startswith(("auth_", "core_")):
                continue
            try:
                if not test.passes(env):
                    return test.name
            except subprocess.TimeoutExpired:
                return "time (%s)" % test.name
        return None


def equivalents():
    """Lines "FILE | SOURCE LINE | WHAT | why nobody could see it"; around the bars a space."""
    rows = [line.split(" | ") for line in (HERE / "equivalent.txt").read_text().splitlines()
            if line and not line.startswith("#")]
    return {tuple(p.strip() for p in row[:3]) for row in rows}


def find(files):
    for f in files:
        text = (ROOT / f).read_text()
        lines, seen = text.splitlines(), set()
        for start, end, new, what in mutants(text):
            mutant = text[:start] + new + text[end:]
            if mutant in seen or "".join(mutant.split()) == "".join(text.split()):
                continue
            seen.add(mutant)
            number = line_of(text, start)
            old = text[start:end].strip()
            name = "%s [%s]" % (what, " ".join(old.split()))
            yield f, number, lines[number - 1].strip(), name, mutant


def arguments(argv):
    options = {"sample": 0, "seed": 1, "jobs": os.cpu_count() or 1, "near": False, "after": "",
               "first": ""}
    files, only_list = [], False
    rest = argv[2:]
    while rest:
        a = rest.pop(0)
        if a == "--near":
            options["near"] = True
        elif a in ("--after", "--first"):
            options[a[2:]] = rest.pop(0)
        elif a[2:] in options:
            options[a[2:]] = int(rest.pop(0))
        elif a == "--list":
            only_list = True
        else:
            files.append(a)
    default = DEFAULT + sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("common/detect/*.c")
                               if p.stem != "registry")
    todo = list(find(files or default))
    if options["sample"]:
        todo = random.Random(options["seed"]).sample(todo, min(options["sample"], len(todo)))
    return todo, only_list, options


def killed_before(path):
    """(file, line, what): who killed it, by an earlier output; of files that did not change since."""
    found, made = {}, path and os.path.getmtime(path)
    for line in pathlib.Path(path).read_text().splitlines() if path else []:
        m = re.match(r"(common/\S+\.c):(\d+): (.*\]): killed by (.*)$", line)
        if m and os.path.getmtime(ROOT / m.group(1)) < made:
            found[m.group(1), int(m.group(2)), m.group(3)] = m.group(4)
    return found


def killers_there(path):
    """{(file, what): names}: which tests killed such mutants in an earlier run."""
    found = {}
    for line in pathlib.Path(path).read_text().splitlines() if path else []:
        m = re.match(r"(common/\S+\.c):\d+: (.*\]): killed by (.*)$", line)
        if m:
            found.setdefault(m.group(1, 2), set()).add(m.group(3))
    return found


def fate_of(tree, tests, mutant, before, there):
    """What killed it, or None."""
    source, number, _, name, text = mutant
    if (source, number, name) in before:
        return before[source, number, name]
    library = tree.dir / ("mutant-%d-%d.so" % (os.getpid(), threading.get_ident()))
    if not tree.compile(source, library, text, ["-shared"]):
        return "compiler"
    return tests.killer(pathlib.Path(source).stem, library, there.get((source, name), ()))


def report(todo, killers, known):
    """Prints a line a mutant as they come, then what is left; True if any survived."""
    survivors, files = [], {}
    for (f, number, line, name, _), dead in zip(todo, killers):
        fate = "killed" if dead else \
            "equivalent" if (f, line, name) in known else "survived"
        row = files.setdefault(f, {"killed": 0, "equivalent": 0, "survived": 0})
        row[fate] += 1
        print("%s:%d: %s: %s" % (f, number, name, "killed by " + dead if dead else fate),
              flush=True)
        if fate == "survived":
            survivors.append("%s | %s | %s" % (f, line, name))
    print("-- by file: mutants, killed, equivalent, survived")
    for f, row in sorted(files.items()):
        print("%s %d %s" % (f, sum(row.values()), " ".join(map(str, row.values()))))
    print("-- survivors")
    print("\n".join(survivors))
    print("%d mutants: %s" % (len(todo), ", ".join(
        "%d %s" % (sum(r[k] for r in files.values()), k)
        for k in ("killed", "equivalent", "survived"))))
    return bool(survivors)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    todo, only_list, options = arguments(sys.argv)
    if only_list:
        for f, number, _, name, _ in todo:
            print("%s:%d: %s" % (f, number, name))
        return 0
    tree = Tree(sys.argv[1])
    with tempfile.TemporaryDirectory() as scratch, \
            concurrent.futures.ThreadPoolExecutor(options["jobs"]) as pool:
        tests = Tests(tree, tree.prepare(pool), pathlib.Path(scratch), options["near"])
        before, there = killed_before(options["after"]), killers_there(options["first"])
        return report(todo, pool.map(lambda m: fate_of(tree, tests, m, before, there), todo),
                      equivalents())


if __name__ == "__main__":
    os.environ.setdefault("CMOCKA_MESSAGE_OUTPUT", "SUBUNIT")
    sys.exit(main())
