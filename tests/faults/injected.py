"""What all fault tests share: the shim, the tracer, and when an end is a finding."""
import os
import re
import subprocess
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("BUILD", "build"))
TMP = tempfile.mkdtemp(prefix="outergate-faults-")
os.chmod(TMP, 0o755)
SHIM = TMP + "/nth.so"


class Finding(Exception):
    """A fault that the product does not take well."""


class Report:
    def __init__(self):
        self.passed, self.failed = 0, []


def build_shim():
    subprocess.run(["gcc", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", SHIM,
                    HERE + "/nth.c"], check=True)


def outcome(name, what, report):
    try:
        what()
        report.passed += 1
    except Finding as e:
        report.failed.append(name)
        print("FAIL %s\n     %s" % (name, e), flush=True)


def judge_end(p):
    """No signal that means a defect, and nothing that a sanitizer or libc says of one."""
    code = p.returncode
    if code < 0 or code >= 128:
        raise Finding("ended by signal %d; stderr: %r" % (-code if code < 0 else code - 128, p.stderr[-600:]))
    for word in (b"Sanitizer", b"runtime error", b"corrupted", b"free():", b"malloc():", b"Assertion"):
        if word in p.stderr:
            raise Finding("stderr: %r" % p.stderr[-600:])


def traced(run, calls):
    """How often a run makes each of these system calls."""
    log = TMP + "/trace"
    run(["strace", "-f", "-qq", "-o", log, "-e", "trace=" + ",".join(calls)])
    with open(log, errors="replace") as f:
        text = f.read()
    return {c: len(re.findall(r"\b%s\(" % c, text)) for c in calls}


def of_loader(calls):
    """How many of them are the loader's, before main(): what fails there is no fault of the program."""
    if not of_loader.known:
        of_loader.known = traced(lambda before: subprocess.run(
            [*before, BUILD + "/outergate", "--version"], capture_output=True, check=True), calls)
        of_loader.known["write"] = 0  # the version itself
    return of_loader.known


of_loader.known = {}
