#!/bin/bash
# What the kernel side costs: each operation with the agent off and on, in turn, median of rounds;
# then the average run time of each program as the kernel itself counts it. Needs root.
#   tests/bench/kernel.sh [ROUNDS]
set -eu
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build}
rounds=${1:-7}
dir=$(mktemp -d)
chmod 755 "$dir"
trap 'kill $agent 2>/dev/null || true; wait 2>/dev/null; "$BUILD/outergate" run --config "$dir/c.yaml" --unpin; rm -rf "$dir"' EXIT
agent=0
printf 'Store: %s/store/o.db\nRuntime: %s/rt\n' "$dir" "$dir" >"$dir/c.yaml"
gcc -O2 -D_GNU_SOURCE -o "$dir/op" tests/bench/bench_kernel.c

on() {
	"$BUILD/outergate" run --config "$dir/c.yaml" 2>"$dir/err" &
	agent=$!
	for _ in $(seq 100); do grep -q ready "$dir/err" && return; sleep 0.1; done
	cat "$dir/err"; exit 1
}
off() {
	kill -INT $agent; wait $agent || true; agent=0
}
median() { sort -n | awk '{a[NR]=$1} END {print a[int((NR+1)/2)]}'; }

declare -A n=([connect]=10000 [fork]=3000 [exec]=1000 [getppid]=2000000)
for _ in $(seq "$rounds"); do
	for o in connect fork exec getppid; do "$dir/op" $o "${n[$o]}" >>"$dir/$o.off"; done
	on
	for o in connect fork exec getppid; do "$dir/op" $o "${n[$o]}" >>"$dir/$o.on"; done
	off
done
printf '%-10s %12s %12s %10s %8s\n' operation 'off ns' 'on ns' 'cost ns' ratio
for o in connect fork exec getppid; do
	a=$(median <"$dir/$o.off") b=$(median <"$dir/$o.on")
	awk -v o=$o -v a="$a" -v b="$b" 'BEGIN {printf "%-10s %12d %12d %10d %8.3f\n", o, a, b, b-a, b/a}'
done
was=$(sysctl -n kernel.bpf_stats_enabled)
sysctl -qw kernel.bpf_stats_enabled=1
on
for o in connect fork exec; do "$dir/op" $o "${n[$o]}" >/dev/null; done
echo "run time by the kernel's own count (statistics on; an empty program reads about 60 ns):"
bpftool prog show | awk '/ name (peer_asked|process_|tcp_state)/ {
	t = c = 0
	for (i = 1; i <= NF; i++) { if ($i == "name") name = $(i+1); if ($i == "run_time_ns") t = $(i+1); if ($i == "run_cnt") c = $(i+1) }
	if (c > 100) printf "  %-18s %8.0f ns a run, %d runs\n", name, t / c, c }'
sysctl -qw kernel.bpf_stats_enabled="$was"
