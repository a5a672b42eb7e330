#!/bin/bash
# The session tests in short on emulated kernels, oldest to newest: BPF programs, PAM probes and
# pins as each kernel has them. Ends with "N passed, N failed".
#
#   run.sh all | short | NAME...     NAME is a row of tests/kernels/kernels; short: two of them
set -u
cd "$(dirname "$0")/../.." || exit 1
here=tests/kernels
BUILD=$(realpath -m "${BUILD:-build}")
export CACHE=$BUILD/kernels
log=$BUILD/log/kernels

case ${1:-all} in
all) names=$(awk '$1 ~ /^[0-9]/ { print $1 }' $here/kernels) ;;
short) names="5.10 7" ;;
*) names=$* ;;
esac
checks=$(awk '$1 == "check" { print $2 }' $here/expected)

fail() {
	echo "kernels: $1"
	echo "0 passed, 1 failed"
	exit 1
}

packages() {
	local p missing=""
	for p in qemu-system-x86 busybox-static cpio zstd xz-utils jq openssh-server openssh-client \
		sshpass iproute2; do
		dpkg-query -W -f='${Status}' $p 2>/dev/null | grep -q 'install ok installed' ||
			missing="$missing $p"
	done
	[ -z "$missing" ] && return
	[ "$(id -u)" = 0 ] || fail "run as root once, or install:$missing"
	# shellcheck disable=SC2086
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing \
		> "$log/apt.log" 2>&1 || fail "cannot install$missing: $(tail -1 "$log/apt.log")"
}

# PASS, FAIL or - (not reached) of a kernel's check
result() {
	awk -v c="$2" '$1 == "CHECK" && $2 == c { r = $3; exit } END { print r ? r : "-" }' \
		"$log/$1.log"
}

reason() {
	awk -v k="$1" -v c="$2" '$1 == "except" && $2 == k && $3 == c {
		sub(/^except[ \t]+[^ \t]+[ \t]+[^ \t]+[ \t]+/, ""); print }' $here/expected
}

guest() {
	local start=$SECONDS
	$here/boot.sh "$1" "$CACHE/guest.cpio" > "$log/$1.log" 2>&1
	echo $((SECONDS - start)) > "$log/$1.time"
}

passed=0 failed=0 skipped=0
declare -A cell
judge() {
	local kernel=$1 c r why
	for c in $checks; do
		r=$(result "$kernel" "$c")
		why=$(reason "$kernel" "$c")
		if [ -n "$why" ] && [ "$r" = PASS ]; then
			r=STALE
			failed=$((failed + 1))
		elif [ -n "$why" ]; then
			r=cannot
			skipped=$((skipped + 1))
			echo "$kernel: $c: $why"
		elif [ "$r" = PASS ]; then
			r=pass
			passed=$((passed + 1))
		else
			failed=$((failed + 1))
			echo "$kernel: $c: $r: $(sed -n "s/^CHECK $c FAIL //p" "$log/$kernel.log")"
		fi
		cell[$kernel,$c]=$r
	done
}

table() {
	local c k
	printf '%-15s' check
	for k in $names; do printf ' %-8s' "$k"; done
	echo
	for c in $checks; do
		printf '%-15s' "$c"
		for k in $names; do printf ' %-8s' "${cell[$k,$c]}"; done
		echo
	done
}

mkdir -p "$log"
[ -x "$BUILD/outergate" ] || fail "no $BUILD/outergate; make all first"
packages
# shellcheck disable=SC2086
why=$($here/fetch.sh $names 2>&1) || fail "$(tail -1 <<< "$why")"
why=$($here/image.sh "$BUILD/outergate" "$CACHE/root" "$CACHE/guest.cpio" 2>&1) ||
	fail "cannot make the guest: $(tail -1 <<< "$why")"
# As many guests at a time as there are processors.
running=0
for name in $names; do
	[ "$running" -lt "$(nproc)" ] || wait -n
	guest "$name" &
	running=$((running + 1))
done
wait
for name in $names; do
	echo "$name: $(sed -n 's/^GUEST \([0-9].*\)/\1/p' "$log/$name.log"), $(cat "$log/$name.time") s"
	judge "$name"
done
table
echo "consoles: $log"
if [ $skipped -gt 0 ]; then
	echo "$passed passed, $failed failed, $skipped skipped"
else
	echo "$passed passed, $failed failed"
fi
[ $failed = 0 ]
