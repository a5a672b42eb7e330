# The steps of run.sh that take minutes.

# The same sources in another place, by somebody with another umask, time zone and language.
again() {
	local to=$work/another/place
	rm -rf "$work/another"
	mkdir -p "$to/build/geo"
	git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$to"
	cp "$BUILD"/geo/* "$to/build/geo/"
	for elsewhere in arm64 deb11; do
		mkdir "$to/build/$elsewhere"
		cp -a "$BUILD/$elsewhere/sysroot" "$to/build/$elsewhere/"
	done
	(umask 077 && cd "$to" && MAKEFLAGS="" BUILD=build TZ=Asia/Tokyo LC_ALL=C nice make packages) >"$log/again.txt" 2>&1
	step "they are built again" $? "$(tail -20 "$log/again.txt")"
	same "both times the same bytes" "$(cd "$packages" && sha256sum -- *.deb *.rpm debian11/*.deb)" \
		"$(cd "$to/build/packages" && sha256sum -- *.deb *.rpm debian11/*.deb)"
	rm -rf "$work/another"
}

# newer PACKAGE DIRECTORY: a newer version, whose configuration differs.
newer() {
	rm -rf "$2" "$work/tree"
	mkdir -p "$2"
	dpkg-deb -R "$1" "$work/tree"
	sed -i 's/^Version: .*/Version: 100.0.0/' "$work/tree/DEBIAN/control"
	echo '# of a newer version' >>"$work/tree/etc/outergate/outergate.yaml"
	dpkg-deb --root-owner-group -b "$work/tree" "$2/outergate_100.0.0_amd64.deb" >"$log/newer.txt"
	rm -rf "$work/tree"
}
lived() { # SUITE [WORD]
	local last p f
	# shellcheck disable=SC2086
	LIVE_ONCE=1 BOX_SUITE=$1 PACKAGES=${PACKAGES:-$packages} PACKAGES_NEW=${PACKAGES_NEW:-$work/new} LIVE_CASES=${CASES:-tests/packages} bash tests/live/run.sh ${2:-} 2>&1 |
		tee "$log/$1.txt" | sed "s/^\(PASS\|FAIL\|SKIP\) /&$1: /"
	last=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$log/$1.txt" | tail -1)
	p=${last%% passed*} f=${last#*passed, }
	passed=$((passed + ${p:-0})) failed=$((failed + ${f%% failed*}))
	case $last in *skipped) skipped=$((skipped + $(grep -oE '[0-9]+ skipped' <<<"$last" | cut -d' ' -f1))) ;; esac
	[ -n "$last" ] || step "$1" 1 "$(tail -5 "$log/$1.txt")"
}
life() {
	newer "$(amd64)" "$work/new"
	for suite in ${PACKAGES_SUITES:-bookworm trixie sid}; do
		lived "$suite"
	done
}
# The README's section on installation alone.
followed() {
	for suite in ${PACKAGES_SUITES:-bookworm trixie}; do
		lived "$suite" readme_followed
	done
}

# The rpm, by rpm, in a booted Debian 12.
rpms() {
	rm -rf "$work/newrpm"
	PACKAGE_VERSION=100.0.0 sh deploy/packages.sh "$BUILD" "$BUILD" amd64 "$work/newrpm" >"$log/newrpm.txt" 2>&1
	PACKAGES_NEW=$work/newrpm CASES=tests/packages/rpm lived bookworm
}

# Debian 11's own package, in a booted one; the other is refused there, and why.
old() {
	local said
	said=$(objdump -T "$BUILD"/deb11/outergate "$BUILD"/deb11/outergate-forward | grep -o 'GLIBC_[0-9.]*' | sort -Vu | tail -1)
	same "Debian 11: glibc $GLIBC11 is enough" "GLIBC_$GLIBC11" "$said"
	said=$(lintian --no-cfg --fail-on error,warning "$(deb11)" 2>&1)
	step "lintian: $(basename "$(deb11)")" $? "$said"
	newer "$(deb11)" "$work/new11"
	PACKAGES=$packages/debian11 PACKAGES_NEW=$work/new11 lived bullseye
}

# arm64's program under emulation: what is decoded and correlated is the same; and with an emulated kernel of its own,
# where it sees logins.
arm64() {
	local root said
	root=$(realpath "$BUILD/arm64/sysroot")
	rm -rf "$work/arm64"
	mkdir -p "$work/arm64/tree"
	dpkg-deb -x "$packages/outergate_${version}_arm64.deb" "$work/arm64/tree"
	same "arm64: the same files" "$(sed 's/.* //' tests/packages/files | sort)" \
		"$(dpkg-deb -c "$packages/outergate_${version}_arm64.deb" | awk '!/\/$/ {print $6}' | sort)"
	printf '#!/bin/sh\nexec qemu-aarch64-static -L "%s" "%s" "$@"\n' "$root" "$work/arm64/tree/usr/bin/outergate" \
		>"$work/arm64/outergate"
	chmod +x "$work/arm64/outergate"
	same "arm64: it runs" "outergate $version" "$("$work/arm64/outergate" --version)"
	said=$(python3 tests/golden/run.py "$work/arm64" 2>&1)
	step "arm64: golden: $(tail -1 <<<"$said")" $? "$(tail -20 <<<"$said")"
	AGENT=$work/arm64/tree/usr/bin/outergate bash tests/kernels/run.sh no-trampolines >"$log/arm64.txt" 2>&1
	step "arm64: on an emulated 6.1 it tells of logins: $(tail -1 "$log/arm64.txt")" $? "$(tail -40 "$log/arm64.txt")"
}
