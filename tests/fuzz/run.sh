#!/bin/bash
# Fuzzes every fuzz_*.c from its seeds (seeds.py): SECONDS_EACH a target (default 5).
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
each=${SECONDS_EACH:-5}
dir=$BUILD/fuzz
passed=0 failed=0
make -s BUILD="$BUILD" fuzz-build || exit 1
PYTHONDONTWRITEBYTECODE=1 python3 tests/fuzz/seeds.py "$dir/seeds" || exit 1
for source in tests/fuzz/fuzz_*.c; do
	target=$(basename "$source" .c) target=${target#fuzz_}
	mkdir -p "$dir/corpus/$target" "$dir/seeds/$target" "$dir/crashes"
	log=$dir/$target.log
	if "$dir/fuzz_$target" -seed=1 -max_len=12000 -timeout=5 -rss_limit_mb=1024 \
		-max_total_time="$each" -print_final_stats=1 -artifact_prefix="$dir/crashes/" \
		-dict=tests/fuzz/sshd.dict "$dir/corpus/$target" "$dir/seeds/$target" \
		>"$log" 2>&1; then
		passed=$((passed + 1))
		echo "fuzz_$target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs"
	else
		failed=$((failed + 1))
		tail -n 40 "$log"
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
