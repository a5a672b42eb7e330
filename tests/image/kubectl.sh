#!/bin/bash
# A kubectl whose `kustomize` is new enough (1.21; Debian 12's is older): this machine's, else Debian 13's package,
# taken apart. Says its path.
#   kubectl.sh CACHE
set -eu
cd "$(dirname "$0")/../.."
cache=$(realpath -m "$1")
have=$(command -v kubectl || true)
for k in $have "$cache/usr/bin/kubectl"; do
	[ -x "$k" ] || continue
	minor=$("$k" version --client -o json 2>/dev/null | python3 -c '
import json, re, sys
v = json.load(sys.stdin)["clientVersion"]
print(int(v["major"]) * 1000 + int(re.match("[0-9]+", v["minor"]).group()))' || echo 0)
	if [ "$minor" -ge 1021 ]; then
		echo "$k"
		exit
	fi
done
. tools/private_apt.sh
mkdir -p "$cache"
# shellcheck disable=SC2016
mirror=$(apt-get indextargets --format '$(CREATED_BY) $(RELEASE) $(REPO_URI)' |
	awk '$1 == "Packages" && $2 ~ /^[a-z]+$/ { print $3; exit }')
PRIVATE_APT_MIRROR=${PRIVATE_APT_MIRROR:-$mirror} private_apt "$cache/apt" trixie deb
apt-get -qq update >"$cache/log" 2>&1
(cd "$cache" && apt-get -qq download kubectl >>log 2>&1 && dpkg-deb -x kubectl_*.deb . && rm -f kubectl_*.deb)
rm -rf "$cache/apt"
[ -x "$cache/usr/bin/kubectl" ] && echo "$cache/usr/bin/kubectl"
