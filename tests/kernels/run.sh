#!/bin/bash
# The session tests in short on emulated kernels, oldest to newest, and on kernels that lack or are
# denied something: BPF programs, PAM probes and pins as each has them. Ends with "N passed, N failed".
#
#   run.sh [short | all | NAME...]   NAME is a row of `kernels` or of `variants`; short, which `make test`
#                                    runs: the oldest and the newest with fewer checks
#   run.sh record NAME...            writes what the verifier walked into the table `instructions`
#
# KERNELS_AT_ONCE: guests at a time, else one a processor.
set -u
cd "$(dirname "$0")/../.." || exit 1
here=tests/kernels
BUILD=$(realpath -m "${BUILD:-build}")
export CACHE=$BUILD/kernels
log=$BUILD/log/kernels
kernels=$(awk '!/^#/ && NF { print $1 }' $here/kernels)
variants=$(awk '!/^#/ && NF { print $1 }' $here/variants)

form=full record=""
case ${1:-short} in
all) names="$kernels $variants" ;;
short) names="5.10 7" form=short ;;
record)
	shift
	names=$* record=1
	;;
*) names=$* ;;
esac

fail() {
	echo "kernels: $1"
	echo "0 passed, 1 failed"
	exit 1
}

# variant NAME FIELD; nothing for a kernel's own name. 2 kernel, 3 state, 4 boot parameters
variant() {
	awk -v n="$1" -v f="$2" '$1 == n { print $f }' $here/variants
}
kernel_of() {
	local k
	k=$(variant "$1" 2)
	echo "${k:-$1}"
}
arch_of() { awk -v n="$(kernel_of "$1")" '$1 == n { print $2 }' $here/kernels; }

# checks GUEST: what it must show
checks() {
	local state form=$form
	state=$(variant "$1" 3)
	[ -z "$state" ] || form=short
	awk -v form="$form" -v state="$state" '
		$1 == "state" && $2 == state { print $3 }
		state == "btf" { next }
		$1 == "check" || ($1 == "full" && form == "full") { print $2 }' $here/expected
}

packages() {
	local p missing="" wanted="qemu-system-x86 busybox-static cpio zstd xz-utils jq openssh-server
		openssh-client sshpass iproute2 binutils clang libbpf-dev libelf-dev zlib1g-dev debian-archive-keyring"
	case $arches in *arm64*) wanted="$wanted qemu-system-arm gcc-aarch64-linux-gnu" ;; esac
	for p in $wanted; do
		dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'install ok installed' ||
			missing="$missing $p"
	done
	[ -z "$missing" ] && return
	[ "$(id -u)" = 0 ] || fail "run as root once, or install:$missing"
	# shellcheck disable=SC2086
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
		-o DPkg::Lock::Timeout=300 $missing > "$log/apt.log" 2>&1 ||
		fail "cannot install$missing: $(tail -1 "$log/apt.log")"
}

# A program of the object without a check, or a check that is none, is a hole in the tables.
tables() {
	local have listed known c text
	# What is in .text is called by programs, and no program.
	text=$(readelf -WS "$BUILD/outergate.bpf.o" | sed -n 's/^ *\[ *\([0-9]*\)\] \.text .*/\1/p')
	have=$(readelf -Ws "$BUILD/outergate.bpf.o" |
		awk -v text="$text" '$4 == "FUNC" && $5 == "GLOBAL" && $7 != text { print $8 }' | sort)
	listed=$(awk '!/^#/ && NF { print $1 }' $here/sensors | sort)
	[ "$have" = "$listed" ] || fail "programs without a row in $here/sensors, or rows without one: $(
		comm -3 <(echo "$have") <(echo "$listed") | xargs)"
	known=$(awk '$1 == "check" || $1 == "full" { print $2 }' $here/expected)
	for c in $(awk '!/^#/ { $1 = ""; print }' $here/sensors); do
		grep -qx "$c" <<< "$known" || fail "$here/sensors wants $c, which is not in $here/expected"
	done
	awk '!/^#/ && NF == 1 { exit 1 }' $here/sensors || fail "$here/sensors has a program without a check"
}

# PASS, FAIL or - (not reached) of a guest's check
result() {
	if [ "$2" = instructions ]; then
		[ -z "$(instructions "$1")" ] && echo PASS || echo FAIL
		return
	fi
	awk -v c="$2" '$1 == "CHECK" && $2 == c { r = $3; exit } END { print r ? r : "-" }' \
		"$log/$1.log"
}

# What is wrong with the verifier's figures: a program that is refused, has no row, or has grown by more than a fifth.
instructions() {
	awk -v k="$(kernel_of "$1")" '
		FNR == NR { if ($1 == k) was[$2] = $3; next }
		$1 != "INSNS" { next }
		{ n++ }
		$3 !~ /^[1-9]/ { printf "%s %s; ", $2, $3; next }
		!($2 in was) { printf "%s: %d, not in the table; ", $2, $3; next }
		$3 > was[$2] * 1.2 + 20 { printf "%s: %d, was %d; ", $2, $3, was[$2] }
		{ delete was[$2] }
		END {
			if (!n)
				printf "no figures"
			for (p in was)
				printf "%s: not loaded; ", p
		}' $here/instructions "$log/$1.log"
}

instructions_record() {
	local name
	for name in $names; do
		grep -q '^INSNS .* [1-9]' "$log/$name.log" || fail "$name told no figures"
		sed -i "/^$name /d" $here/instructions
		awk -v k="$name" '$1 == "INSNS" { printf "%-11s %-24s %d\n", k, $2, $3 }' "$log/$name.log" \
			>> $here/instructions
	done
	(grep '^#' $here/instructions && grep -v '^#' $here/instructions | sort -V) > "$log/instructions"
	cat "$log/instructions" > $here/instructions
}

reason() {
	awk -v k="$1" -v c="$2" '$1 == "except" && $2 == k && $3 == c {
		sub(/^except[ \t]+[^ \t]+[ \t]+[^ \t]+[ \t]+/, ""); print }' $here/expected
}

guest() {
	local start=$SECONDS state append form=$form
	state=$(variant "$1" 3) append=$(variant "$1" 4)
	[ -z "$state" ] || form=short
	# What cannot come is not waited for long.
	BOOT_APPEND="outergate.form=$form outergate.state=${state:--} outergate.except=$(awk -v k="$1" \
		'$1 == "except" && $2 == k { printf "%s,", $3 }' $here/expected) ${append#-}" \
		$here/boot.sh "$(kernel_of "$1")" "$CACHE/guest-$(arch_of "$1").cpio" > "$log/$1.log" 2>&1
	echo $((SECONDS - start)) > "$log/$1.time"
}

passed=0 failed=0 skipped=0
declare -A cell
judge() {
	local kernel=$1 c r why
	for c in $(checks "$kernel"); do
		r=$(result "$kernel" "$c")
		why=$(reason "$kernel" "$c")
		if [ -n "$why" ] && [ "$r" = PASS ]; then
			r=STALE
			failed=$((failed + 1))
			echo "$kernel: $c: passes, though it is excepted: $why"
		elif [ -n "$why" ]; then
			r=cannot
			skipped=$((skipped + 1))
			echo "$kernel: $c: $why"
		elif [ "$r" = PASS ]; then
			r=pass
			passed=$((passed + 1))
		else
			failed=$((failed + 1))
			case $c in
			instructions) echo "$kernel: $c: $(instructions "$kernel")" ;;
			*) echo "$kernel: $c: $r: $(sed -n "s/^CHECK $c FAIL //p" "$log/$kernel.log")" ;;
			esac
		fi
		cell[$kernel,$c]=$r
	done
}

# table NAME...: one column each
table() {
	local c k width
	printf '%-17s' check
	for k; do printf ' %s' "$k"; done
	echo
	for c in $(for k; do checks "$k"; done | awk '!seen[$0]++'); do
		printf '%-17s' "$c"
		for k; do
			width=${#k}
			printf " %-${width}s" "${cell[$k,$c]:-}"
		done
		echo
	done
}

mkdir -p "$log"
for name in $names; do
	[ -n "$(arch_of "$name")" ] || fail "neither a kernel nor a variant: $name"
done
arches=$(for name in $names; do arch_of "$name"; done | sort -u)
[ -x "$BUILD/outergate" ] || fail "no $BUILD/outergate; make all first"
case $arches in
*arm64*) [ -x "$BUILD/arm64/outergate" ] || fail "no $BUILD/arm64/outergate; make programs-arm64 first" ;;
esac
packages
tables
# shellcheck disable=SC2046
why=$($here/fetch.sh $(for name in $names; do kernel_of "$name"; done | sort -u) 2>&1) ||
	fail "$(tail -1 <<< "$why")"
for arch in $arches; do
	case $arch in
	arm64) built=$BUILD/arm64 ;;
	*) built=$BUILD ;;
	esac
	why=$($here/image.sh "$arch" "$built" "$CACHE/root-$arch" "$CACHE/guest-$arch.cpio" 2>&1) ||
		fail "cannot make the guest: $(tail -1 <<< "$why")"
done
running=0
for name in $names; do
	[ "$running" -lt "${KERNELS_AT_ONCE:-$(nproc)}" ] || wait -n
	guest "$name" &
	running=$((running + 1))
done
wait
[ -z "$record" ] || instructions_record
for name in $names; do
	echo "$name: $(sed -n 's/^GUEST \([0-9].*\)/\1/p' "$log/$name.log"), $(cat "$log/$name.time") s"
	judge "$name"
done
table_of() {
	local name row=""
	for name in $1; do
		case " $(xargs <<< "$names") " in *" $name "*) row="$row $name" ;; esac
	done
	# shellcheck disable=SC2086
	[ -z "$row" ] || table $row
}
table_of "$kernels"
table_of "$variants"
echo "consoles: $log"
if [ $skipped -gt 0 ]; then
	echo "$passed passed, $failed failed, $skipped skipped"
else
	echo "$passed passed, $failed failed"
fi
[ $failed = 0 ]
