#!/bin/sh
# A current ClickHouse engine, by the package client of this machine: fetch.sh DIRECTORY
#   node_modules/chdb   the engine as a library, its own npm package (some 150 MB to fetch, 550 on disk)
# What is there stays.
set -eu
dir=$1
package=chdb@3.4.0
[ -s "$dir/node_modules/chdb/package.json" ] && exit 0
command -v npm >/dev/null && command -v node >/dev/null || { echo "npm is not installed"; exit 1; }
tmp=$(mktemp -d "${TMPDIR:-/tmp}/chdb.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
mkdir -p "$dir"
timeout 300 npm install --silent --no-audit --no-fund --no-save --ignore-scripts --prefix "$tmp" "$package" \
	>/dev/null 2>&1 || { echo "npm could not fetch $package"; exit 1; }
(cd "$tmp" && node -e 'require("chdb").query("SELECT 1")') 2>/dev/null ||
	{ echo "$package does not run here"; exit 1; }
rm -rf "$dir/node_modules"
mv "$tmp/node_modules" "$dir/node_modules"
