#!/bin/bash
# Every cmocka program of build/tests; cmocka prints what failed.
cd "$(dirname "$0")/../.."
passed=0 failed=0
for t in tests/unit/test_*.c; do
	b=$BUILD/tests/$(basename "$t" .c)
	out=$("$b" 2>&1)
	code=$?
	p=$(grep -c '^\[       OK \]' <<<"$out") f=$(grep '^\[  FAILED  \] [^0-9]' <<<"$out" | sort -u | wc -l)
	[ "$code" != 0 ] && [ "$f" = 0 ] && f=1
	[ "$code" != 0 ] && { echo "-- $b (exit $code)"; echo "$out"; }
	passed=$((passed + p)) failed=$((failed + f))
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
