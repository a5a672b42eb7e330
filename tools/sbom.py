#!/usr/bin/env python3
"""What the program is made of, as SPDX 2.3 (JSON) on standard output: the libraries that it is linked with, as the
packages of this machine that they came from.

    sbom.py VERSION EPOCH GEO-VERSION SYSROOT PROGRAM...    SYSROOT: unpacked packages of another architecture, or -
                                                            data:NAME: that package's files go with it
"""
import functools
import hashlib
import json
import os
import re
import subprocess
import sys
import time

VERSION, EPOCH, GEO, ROOT = sys.argv[1:5]
PROGRAMS = [p for p in sys.argv[5:] if not p.startswith("data:")]
DATA = [p[5:] for p in sys.argv[5:] if p.startswith("data:")]
STATIC = ["libbpf-dev"]


def said(*argv):
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def needed():
    """(program, library)"""
    return [(p, name) for p in PROGRAMS for name in re.findall(r"NEEDED\s+(\S+)", said("objdump", "-p", p))]


@functools.cache
def linked(program):
    return said("ldd", program).splitlines()


@functools.cache
def owners():
    """File of a library -> its package, of all that are linked: one question, since each reads dpkg's whole database."""
    paths = set()
    for p in PROGRAMS:
        for path in re.findall(r"=> (/\S+)", "\n".join(linked(p))):
            paths |= {path, os.path.realpath(path), "/usr" + path}
    r = subprocess.run(["dpkg-query", "-S", *sorted(paths)], capture_output=True, text=True)
    found = (line.split(": ") for line in r.stdout.splitlines())
    return {path: names.split(":")[0] for names, path in found}


@functools.cache
def version_of(name):
    return said("dpkg-query", "-W", "-f=${Version}\n", name).splitlines()[0]


def installed(program, name):
    """The package of a library and its version."""
    path = next(line.split("=> ")[1].split(" ")[0] for line in linked(program)
                if line.strip().startswith(name + " =>"))
    for p in (path, os.path.realpath(path), "/usr" + path):
        if p in owners():
            return owners()[p], version_of(owners()[p])
    raise SystemExit("sbom: no package has " + path)


def unpacked(_program, name):
    with open(ROOT + "/packages") as f:  # library package version
        for line in f:
            words = line.split()
            if words[0] == name:
                return words[1], words[2]
    raise SystemExit("sbom: no package has " + name)


def package(name, version, **more):
    return dict({"SPDXID": "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", name), "name": name,
                 "versionInfo": version, "downloadLocation": "NOASSERTION", "filesAnalyzed": False,
                 "licenseConcluded": "NOASSERTION", "licenseDeclared": "NOASSERTION",
                 "copyrightText": "NOASSERTION"}, **more)


def main():
    find = installed if ROOT == "-" else unpacked
    digest = hashlib.sha256()
    for p in PROGRAMS:
        with open(p, "rb") as f:
            digest.update(f.read())
    packages = [package("outergate", VERSION), package("geo-whois-asn-country", GEO,
                                                       licenseDeclared="CC0-1.0")]
    relations = [("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-outergate"),
                 ("SPDXRef-geo-whois-asn-country", "OPTIONAL_DEPENDENCY_OF", "SPDXRef-outergate")]
    have = {}
    for p, name in needed():
        if not name.startswith("ld-linux"):
            have.setdefault(find(p, name), "DYNAMIC_LINK")
    for name in STATIC:
        version = said("dpkg-query", "-W", "-f=${Version}", name) if ROOT == "-" else find(None, name)[1]
        have[(name, version)] = "STATIC_LINK"
    for name in DATA:  # of no architecture: this machine's
        have[(name, said("dpkg-query", "-W", "-f=${Version}", name))] = "CONTAINS"
    for (name, version), how in sorted(have.items()):
        p = package(name, version, externalRefs=[{
            "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
            "referenceLocator": "pkg:deb/debian/%s@%s" % (name, version)}])
        packages.append(p)
        relations.append(("SPDXRef-outergate", how, p["SPDXID"]))
    print(json.dumps({
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
        "name": "outergate-" + VERSION,
        "documentNamespace": "urn:outergate:%s:%s" % (VERSION, digest.hexdigest()),
        "creationInfo": {"created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(EPOCH))),
                         "creators": ["Tool: outergate-sbom"]},
        "packages": packages,
        "relationships": [{"spdxElementId": a, "relationshipType": how, "relatedSpdxElement": b}
                          for a, how, b in relations]}, indent=1))


main()
