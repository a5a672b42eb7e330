#!/bin/sh
# Writes deploy/outergate.catalog from the table of detections (after `make`). The unit tests
# compare the two, so that they cannot drift apart.
set -eu
cd "$(dirname "$0")/.."
BUILD=${BUILD:-build}
cc -std=gnu11 -O2 -I. tools/catalog.c "$BUILD/libcommon.a" -ljansson -lsqlite3 -lmaxminddb \
	-lm -o "$BUILD/catalog"
"$BUILD/catalog" >deploy/outergate.catalog.tmp
mv deploy/outergate.catalog.tmp deploy/outergate.catalog
