#!/bin/bash
# Every other way in: real servers of other protocols than sshd's, real clients, and the agent beside them.
#
#   tests/services/run.sh             the short form: what starts at once (part of `make test`)
#   tests/services/run.sh --all       and tests/services/slow: `make test-services`
#   tests/services/run.sh WORD...     the cases of both whose name contains one of these words
# Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")/../.." || exit 1
export BUILD=${BUILD:-build}
log=$BUILD/log/services
mkdir -p "$log"
folders=tests/services set=services-short
if [ $# != 0 ]; then
	folders="tests/services tests/services/slow" set=services
fi
[ "${1:-}" = --all ] && shift
if [ "$(id -u)" = 0 ] && ! sh tools/deps.sh $set >"$log/deps.txt" 2>&1; then
	echo "SKIP services: the servers cannot be had: $(tail -1 "$log/deps.txt")"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
fi
passed=0 failed=0 skipped=0
for f in $folders; do
	chosen=$(LIVE_CASES=$f PYTHONPATH=$PWD/tests/services:$PWD/tests/live bash tests/live/run.sh --list "$@")
	[ -n "$chosen" ] || continue
	LIVE_CASES=$f PYTHONPATH=$PWD/tests/services:$PWD/tests/live bash tests/live/run.sh "$@" 2>&1 |
		tee "$log/$(basename "$f").txt"
	last=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$log/$(basename "$f").txt" | tail -1)
	p=${last%% passed*} n=${last#*passed, } n=${n%% failed*} k=0
	case $last in *skipped*) k=${last##*failed, } k=${k%% skipped*} ;; esac
	passed=$((passed + ${p:-0})) failed=$((failed + ${n:-1})) skipped=$((skipped + k))
done
[ "$skipped" = 0 ] && echo "$passed passed, $failed failed" || echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ "$((passed + skipped))" != 0 ]
