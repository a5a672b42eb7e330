#!/usr/bin/env python3
"""What the program is made of, as SPDX 2.3 (JSON) on standard output: the libraries that it is linked with, as the
packages of this machine that they came from.

    sbom.py PROGRAM VERSION EPOCH GEO-VERSION [DIRECTORY]    DIRECTORY: unpacked packages of another architecture
"""
import hashlib
import json
import os
import re
import subprocess
import sys
import time

PROGRAM, VERSION, EPOCH, GEO = sys.argv[1:5]
ROOT = sys.argv[5] if len(sys.argv) > 5 else None
STATIC = ["libbpf-dev"]


def said(*argv):
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def needed():
    return re.findall(r"NEEDED\s+(\S+)", said("objdump", "-p", PROGRAM))


def installed(name):
    """The package of a library and its version."""
    path = next(line.split("=> ")[1].split(" ")[0] for line in said("ldd", PROGRAM).splitlines()
                if line.strip().startswith(name + " =>"))
    for p in (path, os.path.realpath(path), "/usr" + path):
        r = subprocess.run(["dpkg-query", "-S", p], capture_output=True, text=True)
        if r.returncode == 0:
            package = r.stdout.split(": ")[0].split(":")[0]
            return package, said("dpkg-query", "-W", "-f=${Version}\n", package).splitlines()[0]
    raise SystemExit("sbom: no package has " + path)


def unpacked(name):
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
    find = unpacked if ROOT else installed
    with open(PROGRAM, "rb") as f:
        digest = hashlib.sha256(f.read()).hexdigest()
    packages = [package("outergate", VERSION), package("geo-whois-asn-country", GEO,
                                                       licenseDeclared="CC0-1.0")]
    relations = [("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-outergate"),
                 ("SPDXRef-geo-whois-asn-country", "OPTIONAL_DEPENDENCY_OF", "SPDXRef-outergate")]
    have = {}
    for name in needed():
        if not name.startswith("ld-linux"):
            have.setdefault(find(name), "DYNAMIC_LINK")
    for name in STATIC:
        version = find(name)[1] if ROOT else said("dpkg-query", "-W", "-f=${Version}", name)
        have[(name, version)] = "STATIC_LINK"
    for (name, version), how in sorted(have.items()):
        p = package(name, version, externalRefs=[{
            "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
            "referenceLocator": "pkg:deb/debian/%s@%s" % (name, version)}])
        packages.append(p)
        relations.append(("SPDXRef-outergate", how, p["SPDXID"]))
    print(json.dumps({
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
        "name": "outergate-" + VERSION,
        "documentNamespace": "urn:outergate:%s:%s" % (VERSION, digest),
        "creationInfo": {"created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(EPOCH))),
                         "creators": ["Tool: outergate-sbom"]},
        "packages": packages,
        "relationships": [{"spdxElementId": a, "relationshipType": how, "relatedSpdxElement": b}
                          for a, how, b in relations]}, indent=1))


main()
