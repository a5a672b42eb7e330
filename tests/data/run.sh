#!/bin/bash
# Recorded public data (OUTERGATE_DATA): each file's conclusion, from what `outergate replay` prints.
cd "$(dirname "$0")/../.." || exit 1
PYTHONDONTWRITEBYTECODE=1 exec python3 tests/data/run.py "${OUTERGATE:-${BUILD:-build}/outergate}"
