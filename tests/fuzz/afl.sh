#!/bin/bash
# Fuzzes every fuzz_*.c under AFL++, or those named, from the same seeds (seeds.py): SECONDS_EACH a
# target, AT_ONCE side by side. Built by `make fuzz-afl`. Ends with "N passed, N failed".
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build/afl}
each=${SECONDS_EACH:-600}
at_once=${AT_ONCE:-2}
dir=$BUILD/fuzz
passed=0 failed=0
export AFL_SKIP_CPUFREQ=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_UI=1 AFL_QUIET=1 AFL_NO_AFFINITY=1
export ASAN_OPTIONS=abort_on_error=1:symbolize=0:detect_leaks=0 UBSAN_OPTIONS=abort_on_error=1:halt_on_error=1
. tests/fuzz/targets.sh
pick_targets "$@"
PYTHONDONTWRITEBYTECODE=1 python3 tests/fuzz/seeds.py "$dir/seeds" || exit 1

fuzz() { # TARGET: at most 300 seeds of at most 12000 bytes, for each is run before anything is changed
	local target=$1 in=$dir/afl-in/$1 out=$dir/afl-out/$1
	rm -rf "$in" "$out"
	mkdir -p "$in" "$out"
	find "$dir/seeds/$target" -type f -size -12k | sort | awk 'NR <= 300' | xargs -r cp -t "$in"
	[ -n "$(ls -A "$in")" ] || echo seed >"$in/seed"
	afl-fuzz -m none -t 5000 -G 12000 -V "$each" -x tests/fuzz/sshd.dict -i "$in" -o "$out" -- "$dir/fuzz_$target" \
		>"$dir/$target.afl.log" 2>&1
}

side_by_side "$at_once" fuzz
for target in "${targets[@]}"; do
	stats=$dir/afl-out/$target/default/fuzzer_stats
	value() { sed -n "s/^$1 *: *//p" "$stats" 2>/dev/null; }
	runs=$(value execs_done)
	if [ "${runs:-0}" -gt 0 ] && [ "$(value saved_crashes)" = 0 ] && [ "$(value saved_hangs)" = 0 ]; then
		passed=$((passed + 1))
		echo "fuzz_$target: $runs inputs, $(value corpus_count) kept, $(value bitmap_cvg) of the edges"
	else
		failed=$((failed + 1))
		echo "fuzz_$target failed: $runs inputs, $(value saved_crashes) crashes, $(value saved_hangs) hangs: $dir/afl-out/$target"
		tail -n 20 "$dir/$target.afl.log"
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
