#!/bin/bash
# The fleet: deploy/collector/clickhouse on a current ClickHouse engine (fetch.sh; skipped, and said, where
# it cannot be had). run.sh [WORD...]: the cases whose names hold one of the words.
cd "$(dirname "$0")/../.." || exit 1
export PYTHONDONTWRITEBYTECODE=1
exec python3 tests/collector/run.py "${BUILD:-build}" "$@"
