#!/bin/bash
# The fleet: deploy/collector/clickhouse on a current ClickHouse engine (fetch.sh; skipped, and said, where
# it cannot be had): the queries over fixtures, what the product really sends, a fleet of generated agents in
# short (bench.py), and two hosts with a real sshd and agent each (test_a_hosts.py, in the namespaces of
# tests/live).
#   run.sh [WORD...]   the cases whose names hold one of the words
cd "$(dirname "$0")/../.." || exit 1
export BUILD=${BUILD:-build} PYTHONDONTWRITEBYTECODE=1
out=$(mktemp)
trap 'rm -f "$out"' EXIT
python3 tests/collector/run.py "$BUILD" "$@" 2>&1 | tee "$out"
p=0 f=0 k=0
take() {
	last=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$out" | tail -1)
	[ -n "$last" ] || { echo "$1 ended without a count"; f=$((f + 1)); return; }
	p=$((p + ${last%% passed*})) last=${last#*passed, }
	f=$((f + ${last%% failed*}))
	case $last in *skipped) last=${last#*failed, } k=$((k + ${last%% skipped*})) ;; esac
}
take "the queries"
if [ "$k" = 0 ]; then
	LIVE_CASES=tests/collector bash tests/live/run.sh "$@" 2>&1 | tee "$out"
	take "the hosts"
fi
echo "$p passed, $f failed$([ "$k" = 0 ] || echo ", $k skipped")"
[ "$f" = 0 ]
