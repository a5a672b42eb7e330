#!/bin/bash
# Fuzzes every fuzz_*.c from its seeds (seeds.py), or those named: SECONDS_EACH a target (default
# 5), AT_ONCE targets side by side (default 1).
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
each=${SECONDS_EACH:-5}
at_once=${AT_ONCE:-1}
dir=$BUILD/fuzz
passed=0 failed=0
. tests/fuzz/targets.sh
pick_targets "$@"
make -s BUILD="$BUILD" fuzz-build || exit 1
PYTHONDONTWRITEBYTECODE=1 python3 tests/fuzz/seeds.py "$dir/seeds" || exit 1

fuzz() { # TARGET: its verdict is in a file, for it may run beside another
	local target=$1
	mkdir -p "$dir/corpus/$target" "$dir/seeds/$target" "$dir/crashes"
	rm -f "$dir/$target.ok"
	"$dir/fuzz_$target" -seed=1 -max_len=12000 -timeout=5 -rss_limit_mb=1024 \
		-max_total_time="$each" -print_final_stats=1 -artifact_prefix="$dir/crashes/" \
		-dict=tests/fuzz/sshd.dict "$dir/corpus/$target" "$dir/seeds/$target" \
		>"$dir/$target.log" 2>&1 && : >"$dir/$target.ok"
}

side_by_side "$at_once" fuzz
for target in "${targets[@]}"; do
	log=$dir/$target.log
	if [ -e "$dir/$target.ok" ]; then
		passed=$((passed + 1))
		echo "fuzz_$target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs"
	else
		failed=$((failed + 1))
		echo "fuzz_$target failed:"
		tail -n 40 "$log"
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
