"""Is that an SPDX 2.3 document of the program, and does it name every library that it is linked with?

    sbom.py FILE VERSION PROGRAM...
"""
import json
import re
import subprocess
import sys

path, version = sys.argv[1:3]
d = json.load(open(path))
assert d["spdxVersion"] == "SPDX-2.3" and d["dataLicense"] == "CC0-1.0" and d["documentNamespace"], d
ids = [p["SPDXID"] for p in d["packages"]]
assert len(ids) == len(set(ids)) and all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", i) for i in ids), ids
by_name = {p["name"]: p["versionInfo"] for p in d["packages"]}
assert by_name["outergate"] == version, by_name
related = {r["relatedSpdxElement"] for r in d["relationships"]} | {
    r["spdxElementId"] for r in d["relationships"]}
assert set(ids) <= related, set(ids) - related
out = subprocess.run(["objdump", "-p", *sys.argv[3:]], check=True, capture_output=True, text=True).stdout
for name in re.findall(r"NEEDED\s+lib([a-z0-9-]+)\.so", out):
    stem = {"c": "libc6", "m": "libc6", "z": "zlib1g", "crypto": "libssl3"}.get(name, "lib" + name.split("-")[0])
    assert any(n.startswith(stem) for n in by_name), "%s is missing in %s" % (name, sorted(by_name))
assert "libbpf-dev" in by_name
