#!/bin/bash
# Runs every suite (or those named), sums their last lines, ends with "N passed, N failed".
# A suite is an executable file tests/<suite>/run.sh that prints "N passed, N failed" last
# (", N skipped" may follow) and exits non-zero when something failed.
set -u
cd "$(dirname "$0")/.."
export BUILD=${BUILD:-build}
suites=${*:-unit decode golden noise data cli fuzz schema collector live forward windows packages image kernels lint}
passed=0 failed=0 skipped=0 times=""
mkdir -p "$BUILD/log"
for s in $suites; do
	[ -x "tests/$s/run.sh" ] || { echo "== $s: no tests/$s/run.sh"; failed=$((failed + 1)); continue; }
	echo "== $s"
	start=$SECONDS
	"tests/$s/run.sh" 2>&1 | tee "$BUILD/log/$s.log"
	code=${PIPESTATUS[0]}
	times="$times$s $((SECONDS - start)) s, "
	last=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$BUILD/log/$s.log" | tail -1)
	if [ -z "$last" ]; then
		echo "== $s ended without a count (exit $code)"
		failed=$((failed + 1))
		continue
	fi
	p=${last%% passed*} f=${last#*passed, } f=${f%% failed*} k=0
	case $last in *skipped*) k=${last##*failed, } k=${k%% skipped*} ;; esac
	[ "$code" != 0 ] && [ "$f" = 0 ] && f=1
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + k))
done
echo "== all suites: ${times%, }"
if [ "$skipped" -gt 0 ]; then
	echo "$passed passed, $failed failed, $skipped skipped"
else
	echo "$passed passed, $failed failed"
fi
[ "$failed" = 0 ]
