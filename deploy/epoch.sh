#!/bin/sh
# The time of the newest entry of the changelog, in seconds: what is built is as new as its version.
set -eu
cd "$(dirname "$0")"
date -d "$(sed -n 's/^ -- .*>  //p' debian/changelog | head -1)" +%s
