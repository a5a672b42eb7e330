#!/bin/sh
# The published schemas, by the package client of this machine: fetch.sh DIRECTORY
#   ecs.json   every field of Elastic Common Schema, of its own npm package
# What is there stays. OCSF publishes no package: its sources are read where OUTERGATE_OCSF or
# OUTERGATE_DATA has them.
set -eu
dir=$1
package=@elastic/ecs@9.4.0
[ -s "$dir/ecs.json" ] && exit 0
command -v npm >/dev/null && command -v node >/dev/null || { echo "npm is not installed"; exit 1; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
mkdir -p "$dir"
(cd "$tmp" && timeout 120 npm pack --silent "$package" >/dev/null 2>&1 && tar xzf ./*.tgz) ||
	{ echo "npm could not fetch $package"; exit 1; }
node -e 'process.stdout.write(JSON.stringify(require(process.argv[1]).EcsFlat))' \
	"$tmp/package/build/commonjs" >"$tmp/ecs.json"
mv "$tmp/ecs.json" "$dir/ecs.json"
