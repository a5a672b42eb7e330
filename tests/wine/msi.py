"""The installer under Wine: what its tables say, installation, upgrade, refused downgrade, removal, and the same
from the zip. In a prefix of its own. Ends with "N passed, N failed".

    msi.py BUILD/windows
"""
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import uuid

HERE = os.path.abspath(sys.argv[1])
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VERSION = open(TOP + "/VERSION").read().strip()
PREFIX = HERE + "/msi/prefix"
C = PREFIX + "/drive_c"
DATA = C + "/ProgramData/Outergate"
PROGRAM = C + "/Program Files/Outergate"
SERVICE = r"HKLM\SYSTEM\CurrentControlSet\Services\Outergate"
SOURCE = r"HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\Outergate"
LISTED = r"HKLM\Software\Microsoft\Windows\CurrentVersion\Uninstall"
count = {"passed": 0, "failed": 0}
os.environ.update(WINEPREFIX=PREFIX, WINEDEBUG="-all")


def check(name, ok, detail=""):
    count["passed" if ok else "failed"] += 1
    print("%s %s%s" % ("PASS" if ok else "FAILED", name, "" if ok else ": %s" % str(detail)[:1500]),
          flush=True)


def run(*argv, **how):
    """Into files: what Windows starts by itself keeps a pipe open."""
    with tempfile.TemporaryFile("w+", errors="replace", encoding="utf-8") as out, \
            tempfile.TemporaryFile("w+", errors="replace", encoding="utf-8") as err:
        r = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err, timeout=180, **how)
        out.seek(0)
        err.seek(0)
        r.stdout, r.stderr = out.read(), err.read()
        return r


def wine(*argv):
    return run("wine", *argv)


def reg(key):
    r = wine("reg", "query", key, "/s")
    return r.stdout if r.returncode == 0 else None


def outergate(*argv, program=PROGRAM):
    return wine(program + "/outergate.exe", *argv)


def msiexec(*argv):
    """Its exit code, of which a Unix shows the lowest eight bits; 0 is fine."""
    started = time.monotonic()
    code = wine("msiexec", *argv, "/qn").returncode
    print("     %.1f s: msiexec %s" % (time.monotonic() - started, " ".join(argv)), flush=True)
    return code


def windows_path(path):
    return "Z:" + path.replace("/", "\\")


def files(path):
    return sorted(os.path.relpath(d + "/" + f, path) for d, _, fs in os.walk(path) for f in fs
                  if not re.search(r"-(wal|shm)$", f))


def state():
    """Once it is no state between two others."""
    for _ in range(100):
        m = re.search(r"STATE\s*:\s*(\d+)", wine("sc", "query", "Outergate").stdout)
        now = {"1": "stopped", "4": "running"}.get(m.group(1)) if m else "none"
        if now:
            return now
        time.sleep(0.3)
    return m.group()


def answers():
    for _ in range(40):
        r = outergate("status")
        if r.returncode == 0:
            return r.stdout.startswith("outergate ")
        time.sleep(0.3)
    return False


def listed():
    return re.findall(r"DisplayVersion\s+REG_SZ\s+(\S+)", reg(LISTED) or "")


def read(path):
    with open(path, "rb") as f:
        return f.read()


def tables(msi):
    def rows(table):
        lines = run("msiinfo", "export", msi, table).stdout.replace("\r", "").splitlines()[3:]
        return [line.split("\t") for line in lines]
    properties = dict(r[:2] for r in rows("Property"))
    check("the version", properties.get("ProductVersion") == VERSION, properties)
    check("the code that all versions share", properties.get("UpgradeCode") ==
          "{8C7D2F36-0B7E-4C5A-9D0E-6A4D0F1B2E77}", properties)
    code = uuid.uuid5(uuid.UUID("8C7D2F36-0B7E-4C5A-9D0E-6A4D0F1B2E77"), "product " + VERSION)
    check("the version's own code", properties.get("ProductCode") == "{%s}" % str(code).upper(),
          properties)
    check("PURGE reaches the part that runs as SYSTEM",
          "PURGE" in properties.get("SecureCustomProperties", ""), properties)
    check("for the machine, no user", properties.get("ALLUSERS") == "1", properties)
    when = {r[0]: int(r[2]) for r in rows("InstallExecuteSequence")}
    order = ["FindRelatedProducts", "LaunchConditions", "InstallInitialize", "RemoveExistingProducts",
             "StopServices", "TakeService", "PurgeService", "RemoveFiles", "InstallFiles",
             "UndoService", "MakeService", "StartServices", "InstallFinalize"]
    check("the order of it all", [a for a in order if a in when] == order and
          [when[a] for a in order] == sorted(when[a] for a in order), when)
    actions = {r[0]: int(r[1]) for r in rows("CustomAction")}
    check("its program runs as SYSTEM, in the installation's own time", all(
        t & 0xc00 == 0xc00 and t & 0x3f == 18 for t in actions.values()) and len(actions) == 4, actions)
    check("only what makes the service fails an installation", [
        a for a, t in actions.items() if not t & 64] == ["MakeService"], actions)
    check("one undoes what failed", [a for a, t in actions.items() if t & 0x100] == ["UndoService"],
          actions)
    older = [r for r in rows("Upgrade") if r[6] == "WIX_UPGRADE_DETECTED"]
    check("older ones are upgraded", older and older[0][2] == VERSION, rows("Upgrade"))
    check("the service is stopped and started", rows("ServiceControl") and
          rows("ServiceControl")[0][1:3] == ["Outergate", "35"], rows("ServiceControl"))
    template = run("msiinfo", "suminfo", msi).stdout
    check("for 64 bit", "Template: x64;1033" in template, template)


def resources():
    exe = read(HERE + "/outergate.exe")
    at = exe.find(struct.pack("<I", 0xFEEF04BD))
    words = struct.unpack("<HHHH", exe[at + 8:at + 16]) if at > 0 else ()
    want = [int(x) for x in VERSION.split(".")]
    check("the program's version", [words[1], words[0], words[3]] == want if words else False, words)
    check("and as text", VERSION.encode("utf-16-le") in exe)
    check("its manifest has it, too", b'name="Outergate" version="%s.0"' % VERSION.encode() in exe)
    check("its manifest: UTF-8, long paths, no elevation, Windows 10", all(
        w in exe for w in (b">UTF-8<", b"longPathAware", b'level="asInvoker"',
                           b"8e0f7a12-bfb3-4fe8-b9a5-48fd50a15a9a")))


def build(version):
    env = dict(os.environ, PACKAGE_VERSION=version)
    r = run("sh", TOP + "/deploy/windows/build.sh", HERE + "/outergate.exe", HERE + "/outergate.yaml",
            os.path.dirname(HERE) + "/geo", HERE + "/msi", env=env)
    if r.returncode:
        raise RuntimeError(r.stderr[-500:])
    return HERE + "/msi/outergate-%s-x64.msi" % version


def installed(text, version):
    check(text + ": the program", files(PROGRAM) == ["geo/country.mmdb", "outergate.exe"], files(PROGRAM))
    check(text + ": what it needs beside its store", set(files(DATA)) >= {
        "geo/country.mmdb", "outergate.default.yaml", "outergate.yaml"}, files(DATA))
    service = reg(SERVICE) or ""
    check(text + ": the service", r'"C:\Program Files\Outergate\outergate.exe" run --service' in service
          and re.search(r"Start\s+REG_DWORD\s+0x2", service) and "LocalSystem" in service, service)
    check(text + ": it runs", state() == "running", state())
    check(text + ": and answers", answers())
    source = reg(SOURCE) or ""
    check(text + ": its source in the event log", re.search(
        r"EventMessageFile\s+REG_EXPAND_SZ\s+C:\\Program Files\\Outergate\\outergate.exe", source), source)
    check(text + ": listed once", listed() == [version], listed())


def removed(text, stays):
    check(text + ": no program", not os.path.exists(PROGRAM), files(PROGRAM))
    check(text + ": what stays: %s" % (stays or "nothing"), files(DATA) == stays and
          os.path.exists(DATA) == bool(stays), files(DATA))
    check(text + ": no service", reg(SERVICE) is None and state() == "none", state())
    check(text + ": no source in the event log", reg(SOURCE) is None)
    check(text + ": not listed", listed() == [], listed())


def life(msi):
    shipped = read(HERE + "/outergate.yaml")
    newer, older = build("100.0.0"), build("0.0.1")
    check("it is not for Windows 7", msiexec("/i", windows_path(msi)) != 0 and not os.path.exists(PROGRAM))
    wine("reg", "add", r"HKCU\Software\Wine", "/v", "Version", "/d", "win10", "/f")
    check("it is installed", msiexec("/i", windows_path(msi)) == 0)
    installed("installed", VERSION)
    check("the shipped configuration", read(DATA + "/outergate.yaml") == shipped)
    r = msiexec("/i", windows_path(msi), "REINSTALL=ALL", "REINSTALLMODE=amus")
    check("and again: a repair", r == 0, r)
    installed("repaired", VERSION)

    check("no older version over it", msiexec("/i", windows_path(older)) != 0)
    installed("after that", VERSION)

    # What an older version came with, and nobody changed, is replaced; an operator's is not.
    for f in ("outergate.yaml", "outergate.default.yaml"):
        with open(DATA + "/" + f, "w") as out:
            out.write("# of an older version\n")
    check("a newer version over it", msiexec("/i", windows_path(newer)) == 0)
    installed("upgraded", "100.0.0")
    check("an unchanged configuration is the new one", read(DATA + "/outergate.yaml") == shipped)
    check("the store stays", os.path.getsize(DATA + "/outergate.db") > 4096)
    check("removed", msiexec("/x", windows_path(newer)) == 0)
    removed("removed", ["outergate.db"])

    check("again", msiexec("/i", windows_path(msi)) == 0)
    with open(DATA + "/outergate.yaml", "a") as out:
        out.write("\n# changed\n")
    check("a newer version over a changed configuration", msiexec("/i", windows_path(newer)) == 0)
    installed("upgraded again", "100.0.0")
    check("it is as it was", read(DATA + "/outergate.yaml") == shipped + b"\n# changed\n")
    check("removed again", msiexec("/x", windows_path(newer)) == 0)
    removed("removed again", ["outergate.db", "outergate.yaml"])
    check("and a third time", msiexec("/i", windows_path(msi)) == 0)
    check("the changed configuration is in use", read(DATA + "/outergate.yaml").endswith(b"# changed\n"))
    check("removed with all", msiexec("/x", windows_path(msi), "PURGE=1") == 0)
    removed("with PURGE=1", [])


def from_zip():
    to = HERE + "/msi/zip"
    run("unzip", "-q", "-d", to, HERE + "/outergate-%s-x64.zip" % VERSION)
    program = to + "/outergate-%s-x64" % VERSION
    check("zip: what is in it", files(program) == [
        "README.txt", "geo/country.mmdb", "outergate.exe", "outergate.yaml"], files(to))
    check("zip: the configuration in it is the shipped one", read(program + "/outergate.yaml").replace(
        b"\r\n", b"\n") == read(HERE + "/outergate.yaml"))
    r = outergate("service", "install", program=program)
    check("zip: installed", r.returncode == 0 and set(files(DATA)) == {
        "geo/country.mmdb", "outergate.default.yaml", "outergate.yaml"}, (r, files(DATA)))
    for verb in ("start", "stop"):
        r = outergate("service", verb, program=program)
        check("zip: " + verb, r.returncode == 0, r)
    r = outergate("service", "remove", "--purge", program=program)
    check("zip: removed with all", r.returncode == 0 and not os.path.exists(DATA), (r, files(DATA)))
    r = outergate("service", "remove", program=program)
    check("zip: nothing is there to be removed", r.returncode == 1 and "not installed" in r.stderr, r)


def main():
    shutil.rmtree(HERE + "/msi", ignore_errors=True)
    os.makedirs(PREFIX)
    msi = HERE + "/outergate-%s-x64.msi" % VERSION
    run("wineboot", "-i")
    run("wineserver", "-w")
    server = subprocess.Popen(["wineserver", "-f", "-p"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        tables(msi)
        resources()
        life(msi)
        from_zip()
    finally:
        run("wineserver", "-k")
        server.wait(30)
    print("%d passed, %d failed" % (count["passed"], count["failed"]))
    return count["failed"] != 0


sys.exit(main())
