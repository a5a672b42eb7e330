#!/bin/bash
# Runs every suite (or those named), sums their last lines, ends with "N passed, N failed".
# A suite is an executable file tests/<suite>/run.sh that prints "N passed, N failed" last
# (", N skipped" may follow) and exits non-zero when something failed.
set -u
cd "$(dirname "$0")/.."
export BUILD=${BUILD:-build}
# What neither looks at the kernel nor at a clock goes first, in two lanes side by side; they are
# suites of one process each. What waits more than it computes (Wine) goes last, beside the rest.
# Named suites run one after the other.
first=("unit decode golden noise data fuzz cli" "schema collector faults")
beside=("windows" "image packages kernels lint")
suites=${*:-live services evasion forward receive}
passed=0 failed=0 skipped=0 times=""
rm -rf "$BUILD/log/"*.log
mkdir -p "$BUILD/log"

suite() { # its output and exit code go to the log, too
	local start=$SECONDS gently=""
	[ "$1" != lint ] || gently="nice -n 19" # it has no clock
	$gently "tests/$1/run.sh" 2>&1 | tee "$BUILD/log/$1.log"
	echo "${PIPESTATUS[0]} $((SECONDS - start))" >"$BUILD/log/$1.end"
}

count() {
	local code seconds last p f k=0
	read -r code seconds <"$BUILD/log/$1.end"
	times="$times$1 $seconds s, "
	last=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$BUILD/log/$1.log" | tail -1)
	if [ -z "$last" ]; then
		echo "== $1 ended without a count (exit $code)"
		failed=$((failed + 1))
		return
	fi
	p=${last%% passed*} f=${last#*passed, } f=${f%% failed*}
	case $last in *skipped*) k=${last##*failed, } k=${k%% skipped*} ;; esac
	[ "$code" != 0 ] && [ "$f" = 0 ] && f=1
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + k))
}

lanes() { # LANE...: side by side; then what each has said
	local lane s running=""
	for lane in "$@"; do
		for s in $lane; do suite "$s" >/dev/null; done &
		running="$running $!"
	done
	# shellcheck disable=SC2086
	wait $running
	for s in $*; do
		echo "== $s"
		cat "$BUILD/log/$s.log"
		count "$s"
	done
}

if [ $# = 0 ]; then
	lanes "${first[@]}"
	# What Windows needs is compiled from what the live suite leaves of the processors, and of nothing else.
	chrt -i 0 make -j2 BUILD="$BUILD" windows windows-double windows-unit windows-msi \
		> "$BUILD/log/windows-early.log" 2>&1 &
	early=$!
fi
for s in $suites; do
	[ -x "tests/$s/run.sh" ] || { echo "== $s: no tests/$s/run.sh"; failed=$((failed + 1)); continue; }
	echo "== $s"
	suite "$s"
	count "$s"
done
if [ $# = 0 ]; then
	chrt -o -p 0 "$early" 2>/dev/null
	wait "$early"
	lanes "${beside[@]}"
fi
# What failed, once more and together: it is what a reader looks for first.
grep -hE '^(FAIL|failed:|\[  FAILED  \]|lint:)' "$BUILD"/log/*.log 2>/dev/null | cut -c1-160 | tail -40
echo "== all suites: ${times%, }"
if [ "$skipped" -gt 0 ]; then
	echo "$passed passed, $failed failed, $skipped skipped"
else
	echo "$passed passed, $failed failed"
fi
[ "$failed" = 0 ]
