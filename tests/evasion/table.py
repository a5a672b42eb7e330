"""docs/EVASION.md of the attempts: what the cases here declare, and what cases of other suites prove.

    table.py            checks that the page is what they say, that each named case exists, and how many are caught
    table.py --write    writes it
Run with PYTHONPATH=tests/evasion:tests/services:tests/live (see run.sh)."""
import ast
import glob
import importlib
import os
import sys

import evasion
from evasion import CAUGHT, GROUPS, LESS, NOT

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.dirname(os.path.dirname(HERE))
PAGE = TREE + "/docs/EVASION.md"
GOAL = 90  # percent of all attempts that must be caught, in full or with less detail

HEAD = """# Attempts to come in unseen, and what became of them

Each row is an attempt that is made for real on a machine with the agent: real servers and clients, in network
namespaces, with root's means where the attempt needs them. The cases named in the last column assert what is told;
those of `not` assert that nothing is, so that this page cannot stay behind. This page is made by
`tests/evasion/table.py --write` from what the cases declare, and the suite `evasion` fails when it differs.
`make test-evasion` makes all the attempts of `tests/evasion`; cases of other suites run with those.

**%d of %d attempts are caught (%d %%)**: %d in full, %d with less detail; %d are not.
"""


def declared():
    for folder in (HERE, HERE + "/slow"):
        sys.path.insert(0, folder)
        for path in sorted(glob.glob(folder + "/test_*.py")):
            importlib.import_module(os.path.basename(path)[:-3])
    elsewhere = importlib.import_module("elsewhere").ROWS
    rows = evasion.rows + elsewhere
    return sorted(rows, key=lambda r: GROUPS.index(r.group))


def cases_of_the_tree():
    names = []
    for path in glob.glob(TREE + "/tests/*/test_*.py") + glob.glob(TREE + "/tests/*/slow/test_*.py"):
        with open(path) as f:
            for node in ast.parse(f.read()).body:
                if isinstance(node, ast.FunctionDef) and any(
                        isinstance(d, ast.Call) and getattr(d.func, "id", "") in ("case", "attempt")
                        for d in node.decorator_list):
                    names.append(node.name)
    return names


def faults(rows, names):
    used = [n for r in rows for n in r.cases]
    for r in rows:
        if r.verdict not in (CAUGHT, LESS, NOT):
            yield "%s: there is no verdict '%s'" % (r.attempt, r.verdict)
        if (r.verdict == CAUGHT) == bool(r.limit):
            yield "%s: what is not told belongs to what is not caught in full, with its reason" % r.attempt
        if r.verdict != NOT and not r.cases:
            yield "%s: no case proves it" % r.attempt
    for n in sorted(set(used)):
        if n not in names:
            yield "%s is no case" % n
        if used.count(n) > 1:
            yield "%s is in %d rows" % (n, used.count(n))
    for n in sorted(set(n for n in names if names.count(n) > 1)):
        yield "%s is the name of two cases" % n
    caught = len([r for r in rows if r.verdict != NOT])
    if 100 * caught < GOAL * len(rows):
        yield "%d of %d attempts are caught, which is less than %d %%" % (caught, len(rows), GOAL)


def page(rows):
    def number(verdict):
        return len([r for r in rows if r.verdict == verdict])
    caught = number(CAUGHT) + number(LESS)
    text = HEAD % (caught, len(rows), 100 * caught // len(rows), number(CAUGHT), number(LESS), number(NOT))
    for group in GROUPS:
        text += "\n## %s\n\n| attempt | what is told | verdict | what is not told, and what forbids it | proved by |\n" \
                "|---|---|---|---|---|\n" % group
        for r in rows:
            if r.group == group:
                text += "| %s | %s | %s | %s | %s |\n" % (r.attempt, r.told, r.verdict, r.limit,
                                                         " ".join("`%s`" % c for c in r.cases))
    return text


def main(argv):
    rows = declared()
    text = page(rows)
    if "--write" in argv:
        with open(PAGE, "w") as f:
            f.write(text)
    bad = list(faults(rows, cases_of_the_tree()))
    if not os.path.exists(PAGE) or open(PAGE).read() != text:
        bad.append("docs/EVASION.md is not what the cases say: tests/evasion/run.sh --write")
    for b in bad:
        print("FAIL the table: " + b)
    if not bad:
        print("PASS the table of %d attempts is what the cases say" % len(rows))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
