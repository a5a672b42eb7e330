#!/bin/bash
# The packages: what is in them, what lintian and rpmlint say, the unit's sandbox, the glibc they want; and with
# "all" two builds that are the same, a life in a booted Debian 12, other Debians. Ends with "N passed, N failed".
#
#   run.sh [short|all]     PACKAGES_STEPS="..." instead: some of the steps by name
set -u
cd "$(dirname "$0")/../.." || exit 1
export BUILD=${BUILD:-build}
packages=$BUILD/packages
work=$(realpath -m "$BUILD/packages.test")
log=$BUILD/log/packages
version=$(cat VERSION)
passed=0 failed=0 skipped=0
mkdir -p "$log" "$work"
# What the unit's needs leave of systemd's ten points, in tenths; the unit says what each is for.
EXPOSURE=20
GLIBC=2.34
GLIBC11=2.28 # of the package for Debian 11

step() { # NAME, STATUS [TEXT]
	if [ "$2" = 0 ]; then
		passed=$((passed + 1))
		echo "PASS $1"
	else
		failed=$((failed + 1))
		echo "FAIL $1"
		shift 2
		printf '    %s\n' "$@" | head -40
	fi
}
same() { # NAME, TEXT, TEXT
	local d
	d=$(diff <(echo "$2") <(echo "$3"))
	step "$1" $? "$d"
}
build() {
	if make BUILD="$BUILD" "$target" >"$log/build.txt" 2>&1; then
		step "they are built" 0
		return
	fi
	if grep -qE 'no country database|Unable to (fetch|locate)|Could not resolve' "$log/build.txt"; then
		echo "SKIP packages: what they are built with cannot be had"
		echo "0 passed, 0 failed, 1 skipped"
		exit 0
	fi
	step "they are built" 1 "$(tail -20 "$log/build.txt")"
	echo "$passed passed, $failed failed"
	exit 1
}
amd64() { echo "$packages/outergate_${version}_amd64.deb"; }
deb11() { echo "$packages/debian11/outergate_${version}~deb11_amd64.deb"; }

contents() {
	local list
	list=$(dpkg-deb -c "$(amd64)" | awk '{print $1, $2, $6}')
	same "files and modes" "$(sed 's/VERSION/'"$version"'/' tests/packages/files)" "$(grep -v '/$' <<<"$list" | sort -k3)"
	same "conffiles" "/etc/outergate/outergate.yaml" "$(dpkg-deb -I "$(amd64)" conffiles | tr -d ' ')"
	local said wanted
	for f in "$packages"/*.deb; do
		wanted=$(lintian --no-cfg --fail-on error,warning "$f" 2>&1)
		step "lintian: ${f##*/}" $? "$wanted"
	done
	said=$(rpmlint --config tests/packages/rpmlint.toml "$packages"/*.rpm 2>&1)
	step "rpmlint" $? "$said"
	same "rpm: the same files" "$(awk '{print $3}' <<<"$list" | grep -vE '/$|/share/doc/|/share/lintian/' | sed -E 's|^\.||; s|^/lib/|/usr/lib/|' | sort)" \
		"$(rpm -qpl "$packages/outergate-$version-1.x86_64.rpm" | grep -vxE '/etc/outergate|/usr/libexec/outergate|/usr/share/outergate(/recipes|/collector(/[a-z]+)*)?' | sort)"
	dpkg-deb --fsys-tarfile "$(amd64)" | tar -xO ./usr/share/outergate/sbom.spdx.json >"$work/sbom.json"
	said=$(python3 tests/packages/sbom.py "$work/sbom.json" "$version" "$BUILD/outergate" "$BUILD/outergate-forward" 2>&1)
	step "the SBOM names what is linked" $? "$said"
	same "one version: changelog" "$version" "$(sed -n '1s/.*(\(.*\)).*/\1/p' deploy/debian/changelog)"
	same "one version: the program" "outergate $version" "$("$BUILD/outergate" --version)"
}
unit() {
	local said wants
	for u in outergate.service outergate-net@.service; do
		said=$(systemd-analyze security --offline=yes --threshold=$EXPOSURE --no-pager "deploy/systemd/$u" 2>&1)
		step "$u: $(sed -n 's/.*Overall exposure level for [^:]*: \([0-9.]*\).*/\1/p' <<<"$said") of 10, at most ${EXPOSURE%?}.${EXPOSURE#?}" $? \
			"$(grep '✗' <<<"$said")"
	done
	wants=$(objdump -T "$BUILD/outergate" "$BUILD/outergate-forward" | grep -o 'GLIBC_[0-9.]*' | sort -Vu | tail -1)
	same "glibc $GLIBC is enough" "GLIBC_$GLIBC" "$wants"
}
manual() {
	local said
	for page in "$BUILD"/man/*; do
		said=$(mandoc -T lint -W warning "$page" 2>&1 | grep -v 'operating system')
		step "mandoc: ${page##*/}" "$([ -z "$said" ]; echo $?)" "$said"
	done
	for command in $("$BUILD/outergate" --help | sed -n 's/^  \([a-z]*\)  .*/\1/p'); do
		grep -qx "\.SS $command" "$BUILD/man/outergate.8" || said="$said $command"
	done
	step "the manual has every command" "$([ -z "$said" ]; echo $?)" "$said"
}

short="contents unit manual"
case ${1:-short} in
short) steps=$short target=packages-amd64 ;;
all) steps="$short again life rpms old arm64" target=packages ;;
*)
	echo "usage: run.sh [short|all]" >&2
	exit 2
	;;
esac
. tests/packages/slow.sh
build
for s in ${PACKAGES_STEPS:-$steps}; do
	"$s"
done
echo "$passed passed, $failed failed$([ $skipped = 0 ] || echo ", $skipped skipped")"
[ "$failed" = 0 ]
