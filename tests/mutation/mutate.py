#!/usr/bin/env python3
"""Mutation run: breaks the code one condition at a time and asks whether a test notices.

    usage: mutate.py BUILD [--sample N] [--seed S] [--list] [FILE...]

For each file (default: detections and what counts for them) the mutants are:
  - a whole condition of if, while or ?: taken as true and as false (while: false only)
  - one operand of && taken as true, of || as false
  - a comparison shifted by one: > and >=, < and <=; == and != exchanged
  - a default of a detection's parameter plus one
Loop headers (for) stay, since their mutants only read out of bounds.

A mutant is one object, linked into a shared library that the test programs and the binary load, so
that each costs one compilation and one link. Unit programs run first, those that are likely to
notice before the rest, then golden cases. A mutant that breaks the build, makes a test fail or hang
is killed. The last lines name survivors; those in equivalent.txt change nothing that anybody could
see, with the reason beside each, and are counted apart. Exit 1 when others survived.
"""
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HERE = pathlib.Path(__file__).resolve().parent
DEFAULT = ["common/core/core_window.c", "common/core/core_rings.c", "common/core/core_attempts.c",
           "common/core/core_slow.c", "common/core/core_asns.c", "common/core/core_spread.c",
           "common/core/core_sources.c"]
# Programs by how likely they are to notice, and how fast.
FIRST = ["guess", "detect_auth", "detect_life", "property", "detect_", "core_sessions",
         "core_attempts", "out_catalog", "core_"]
TIMEOUT = 60
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
    for m in re.finditer(r"\{\s+, (\d+), UNIT_", code):
        yield m.start(1), m.end(1), str(int(m.group(1)) + 1), "default + 1"


def line_of(text, at):
    return text.count("\n", 0, at) + 1


class Tree:
    """Objects of everything once, then one of them again and again."""

    def __init__(self, build):
        self.build = pathlib.Path(build).resolve()
        self.dir = self.build / "mutation"
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

    def compile(self, source, out, text=None):
        """text: instead of the file's, as if it stood there."""
        where = str(ROOT / source)
        if text is not None:
            where = str(self.dir / "mutant.c")
            pathlib.Path(where).write_text('#line 1 "%s"\n%s' % (source, text))
        argv = ["gcc", *self.flags, "-iquote", str((ROOT / source).parent), "-c", where, "-o",
                str(out)]
        return subprocess.run(argv, cwd=ROOT, check=False, capture_output=True).returncode == 0

    def link(self, changed=None, obj=None):
        objects = [str(obj) if s == changed else str(self.object(s)) for s in self.common]
        return subprocess.run(["gcc", "-shared", "-o", str(self.dir / "libcommon.so"), *objects,
                               *self.libs], check=False, capture_output=True).returncode == 0

    def prepare(self):
        self.dir.mkdir(parents=True, exist_ok=True)
        agents = sorted(str(p.relative_to(ROOT)) for d in ("cli", "agent-linux")
                        for p in (ROOT / d).glob("*.c"))
        # Programs without a core cannot notice what a detection does.
        units = sorted(str(p.relative_to(ROOT)) for p in (ROOT / "tests/unit").glob("test_*.c")
                       if "_world.h" in p.read_text() or "catalog" in p.name)
        for s in self.common + agents + units:
            if not self.compile(s, self.object(s)):
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
        names = [pathlib.Path(u).stem for u in units]
        return sorted(names, key=lambda n: next((i for i, f in enumerate(FIRST) if f in n),
                                                len(FIRST)))


def passes(argv):
    try:
        return subprocess.run(argv, cwd=ROOT, check=False, timeout=TIMEOUT,
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def killer(tree, units):
    """The name of the test that notices, or None."""
    for u in units:
        if not passes([str(tree.dir / u)]):
            return u
    golden = [sys.executable, "tests/golden/run.py", str(tree.dir)]
    return None if passes(golden) else "golden"


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
    options = {"sample": 0, "seed": 1}
    files, only_list = [], False
    rest = argv[2:]
    while rest:
        a = rest.pop(0)
        if a in ("--sample", "--seed"):
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
    return todo, only_list


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    todo, only_list = arguments(sys.argv)
    if only_list:
        for f, number, _, name, _ in todo:
            print("%s:%d: %s" % (f, number, name))
        return 0
    tree, known, started = Tree(sys.argv[1]), equivalents(), time.monotonic()
    units = tree.prepare()
    if killer(tree, units):
        sys.exit("mutate: a test fails without any mutant: %s" % killer(tree, units))
    survivors, counts = [], {"killed": 0, "equivalent": 0, "survived": 0}
    for f, number, line, name, text in todo:
        obj = tree.dir / "mutant.o"
        dead = "compiler" if not tree.compile(f, obj, text) or not tree.link(f, obj) else \
            killer(tree, units)
        fate = "killed" if dead else \
            "equivalent" if (f, line, name) in known else "survived"
        counts[fate] += 1
        row = "%s:%d: %s: %s" % (f, number, name, "killed by " + dead if dead else fate)
        print(row, flush=True)
        if fate == "survived":
            survivors.append("%s | %s | %s" % (f, line, name))
    shutil.rmtree(tree.dir / "mutant.c", ignore_errors=True)
    print("-- survivors")
    print("\n".join(survivors))
    print("%d mutants in %d s: %s" % (len(todo), time.monotonic() - started,
                                      ", ".join("%d %s" % (n, k) for k, n in counts.items())))
    return counts["survived"] > 0


if __name__ == "__main__":
    os.environ.setdefault("CMOCKA_MESSAGE_OUTPUT", "SUBUNIT")
    sys.exit(main())
