# What run.sh and afl.sh fuzz, and how many of it at once; for scripts that source this.
#
#   pick_targets [NAME...]   the array targets: those named, or every fuzz_*.c
#   side_by_side N COMMAND   COMMAND TARGET of each, N at a time
pick_targets() {
	local source target
	targets=("$@")
	[ $# = 0 ] || return 0
	for source in tests/fuzz/fuzz_*.c; do
		target=$(basename "$source" .c)
		targets+=("${target#fuzz_}")
	done
}
side_by_side() {
	local target
	for target in "${targets[@]}"; do
		while [ "$(jobs -rp | wc -l)" -ge "$1" ]; do
			wait -n
		done
		"$2" "$target" &
	done
	wait
}
