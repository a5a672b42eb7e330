#!/bin/bash
# Attempts to come in unseen, each with its verdict; docs/EVASION.md is the table of them.
#
#   tests/evasion/run.sh              the table, and the attempts that take seconds (part of `make test`)
#   tests/evasion/run.sh --all        and tests/evasion/slow: `make test-evasion`
#   tests/evasion/run.sh WORD...      the attempts of both whose name contains one of these words
#   tests/evasion/run.sh --write      writes docs/EVASION.md
# Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")/../.." || exit 1
export BUILD=${BUILD:-build}
paths=$PWD/tests/evasion:$PWD/tests/services:$PWD/tests/live
log=$BUILD/log/evasion
mkdir -p "$log"
if [ "${1:-}" = --write ]; then
	PYTHONPATH=$paths exec /usr/bin/python3 -B tests/evasion/table.py --write
fi
folders=tests/evasion
[ $# = 0 ] || folders="tests/evasion tests/evasion/slow"
[ "${1:-}" = --all ] && shift
if [ "$(id -u)" = 0 ] && ! sh tools/deps.sh services-short >"$log/deps.txt" 2>&1; then
	echo "SKIP evasion: the servers cannot be had: $(tail -1 "$log/deps.txt")"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
fi
passed=0 failed=0 skipped=0
if PYTHONPATH=$paths /usr/bin/python3 -B tests/evasion/table.py; then passed=1; else failed=1; fi
for f in $folders; do
	chosen=$(LIVE_CASES=$f PYTHONPATH=$paths bash tests/live/run.sh --list "$@")
	[ -n "$chosen" ] || continue
	LIVE_CASES=$f PYTHONPATH=$paths bash tests/live/run.sh "$@" 2>&1 | tee "$log/$(basename "$f").txt"
	last=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$log/$(basename "$f").txt" | tail -1)
	p=${last%% passed*} n=${last#*passed, } n=${n%% failed*} k=0
	case $last in *skipped*) k=${last##*failed, } k=${k%% skipped*} ;; esac
	passed=$((passed + ${p:-0})) failed=$((failed + ${n:-1})) skipped=$((skipped + k))
done
[ "$skipped" = 0 ] && echo "$passed passed, $failed failed" || echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
