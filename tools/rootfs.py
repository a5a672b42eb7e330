#!/usr/bin/env python3
"""The root of the container image: the two programs, the libraries that they need and the loader, and the few files
that those look for. No shell, no package manager.

    rootfs.py VERSION EPOCH GEO PROGRAMS SYSROOT OUT
        GEO: the directory of country.mmdb and country.version
        PROGRAMS: the directory of the two programs
        SYSROOT: unpacked packages of another architecture, or -
"""
import glob
import os
import re
import shutil
import subprocess
import sys

VERSION, EPOCH, GEO, PROGRAMS, SYSROOT, OUT = sys.argv[1:7]
ROOT = "" if SYSROOT == "-" else SYSROOT
# Below 60000 accounts are a host's own, from 61184 to 65519 systemd gives numbers away, 65532 is what other
# images run as: whoever has the same number as our half that reads the world's bytes may trace it.
USERS = {"outergate": 65527, "outergate-forward": 65528}
DATA = ["ca-certificates", "tzdata"]


def said(*argv):
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def write(path, text, mode=0o644):
    path = OUT + path
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)


def copy(source, path, mode=0o644):
    os.makedirs(os.path.dirname(OUT + path), exist_ok=True)
    shutil.copyfile(source, OUT + path)
    os.chmod(OUT + path, mode)


def headers(path):
    text = said("objdump", "-p", path)
    return re.findall(r"NEEDED\s+(\S+)", text)


def loader(path):
    return re.search(r"interpreter: (\S+)\]", said("readelf", "-lW", path)).group(1).rstrip("]")


def machine(path):
    return re.search(r"Machine:\s+(.*)", said("readelf", "-h", path)).group(1)


def find(name, kind):
    for pattern in ("/usr/lib/*-linux-gnu*/", "/lib/*-linux-gnu*/", "/usr/lib/", "/lib/"):
        for path in sorted(glob.glob(ROOT + pattern + name)):
            if machine(path) == kind:
                return path
    raise SystemExit("rootfs: no %s for %s" % (name, kind))


def libraries(programs):
    """name -> path, all that the programs load."""
    kind = machine(programs[0])
    have, todo = {}, list(programs)
    while todo:
        for name in headers(todo.pop()):
            if name not in have:
                have[name] = find(name, kind)
                todo.append(have[name])
    return have


def packages_of(paths):
    """Their packages; /lib may be a link to /usr/lib, and dpkg knows one name of each file."""
    owner = {}
    if ROOT:
        with open(ROOT + "/packages") as f:
            owner = {line.split()[0]: line.split()[1] for line in f}
    names = {p: [os.path.basename(p), os.path.basename(os.path.realpath(p))] if ROOT else
             [n for q in (p, os.path.realpath(p)) for n in (q, re.sub("^/usr", "", q), "/usr" + q)] for p in paths}
    if not ROOT:
        r = subprocess.run(["dpkg-query", "-S", *sorted({n for some in names.values() for n in some})],
                           capture_output=True, text=True)
        owner = {line.split(": ")[1]: line.split(":")[0] for line in r.stdout.splitlines()}
    found = {p: [owner[n] for n in some if n in owner] for p, some in names.items()}
    for p in found:
        if not found[p]:
            raise SystemExit("rootfs: no package has " + p)
    return {some[0] for some in found.values()}


def accounts():
    passwd = ["root:x:0:0:root:/:/"] + ["%s:x:%d:%d::/var/lib/outergate:/" % (n, i, i) for n, i in USERS.items()]
    group = ["root:x:0:"] + ["%s:x:%d:" % (n, i) for n, i in USERS.items()]
    write("/etc/passwd", "\n".join(passwd) + "\n")
    write("/etc/group", "\n".join(group) + "\n")
    write("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n")


def zones():
    """Names of zones of logs and of BusinessHours; right/ and posix/ are copies for other needs."""
    top = "/usr/share/zoneinfo"
    for at, directories, files in os.walk(top):
        directories[:] = sorted(d for d in directories if (at, d) not in ((top, "right"), (top, "posix")))
        for name in sorted(files):
            source = os.path.join(at, name)
            if os.path.islink(source):
                os.makedirs(OUT + at, exist_ok=True)
                os.symlink(os.readlink(source), OUT + source)
            elif name != "localtime":
                copy(source, source)


def licences(packages):
    for name in packages:
        text = "/usr/share/doc/%s/copyright" % name
        if not os.path.exists(text):  # of the same source package as another of its binary packages
            raise SystemExit("rootfs: %s is not here; it must go with the library" % text)
        copy(os.path.realpath(text), text)
    for name in sorted(os.listdir("/usr/share/common-licenses")):
        path = "/usr/share/common-licenses/" + name
        if os.path.islink(path):
            os.makedirs(OUT + os.path.dirname(path), exist_ok=True)
            os.symlink(os.readlink(path), OUT + path)
        else:
            copy(path, path)
    copy("deploy/debian/copyright", "/usr/share/doc/outergate/copyright")


def main():
    programs = [PROGRAMS + "/outergate", PROGRAMS + "/outergate-forward"]
    strip = "aarch64-linux-gnu-strip" if machine(programs[0]) == "AArch64" else "strip"
    have = libraries(programs)
    copy(programs[0], "/usr/bin/outergate", 0o755)
    copy(programs[1], "/usr/libexec/outergate/outergate-forward", 0o755)
    said(strip, "--strip-unneeded", OUT + "/usr/bin/outergate", OUT + "/usr/libexec/outergate/outergate-forward")
    place = "/usr/lib/" + said(strip.replace("strip", "gcc"), "-print-multiarch").strip()
    ld = loader(programs[0])
    for name, path in sorted(have.items()):
        copy(os.path.realpath(path), "%s/%s" % (place, name), 0o755)
    # The loader has its own place; /lib and /lib64 are links as in Debian.
    top = ld.split("/")[1]
    os.symlink("usr/lib", OUT + "/lib")
    if top != "lib":
        os.makedirs(OUT + "/usr/" + top)
        os.symlink("usr/" + top, OUT + "/" + top)
    if not os.path.exists(OUT + ld):
        copy(os.path.realpath(find(os.path.basename(ld), machine(programs[0]))), ld, 0o755)
    accounts()
    copy("/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/certs/ca-certificates.crt")
    zones()
    copy("deploy/outergate.yaml", "/etc/outergate/outergate.yaml")
    copy(GEO + "/country.mmdb", "/usr/share/outergate/geo/country.mmdb")
    for recipe in sorted(os.listdir("deploy/recipes")):
        copy("deploy/recipes/" + recipe, "/usr/share/outergate/recipes/" + recipe)
    packages = sorted(packages_of(have.values()) | set(DATA))
    licences(packages + ["libbpf-dev"])
    with open(GEO + "/country.version") as f:
        geo = f.read().strip()
    write("/usr/share/outergate/sbom.spdx.json",
          said("python3", "tools/sbom.py", VERSION, EPOCH, geo, SYSROOT, *programs,
               *[p for _, p in sorted(have.items())], *["data:" + d for d in DATA]))
    # Where volumes are mounted. The store's and the runtime's directories are made the agent's by itself.
    for d, mode in (("/var/lib/outergate", 0o750), ("/run/outergate", 0o750), ("/run/systemd/journal", 0o755),
                    ("/proc", 0o555), ("/sys", 0o555), ("/dev", 0o755), ("/tmp", 0o1777)):
        os.makedirs(OUT + d, exist_ok=True)
        os.chmod(OUT + d, mode)


main()
