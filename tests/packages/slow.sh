# The steps of run.sh that take minutes.

# The same sources in another place, by somebody with another umask, time zone and language.
again() {
	local to=$work/another/place
	rm -rf "$work/another"
	mkdir -p "$to/build/geo"
	git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$to"
	cp "$BUILD"/geo/* "$to/build/geo/"
	mkdir "$to/build/arm64"
	cp -a "$BUILD/arm64/sysroot" "$to/build/arm64/"
	(umask 077 && cd "$to" && MAKEFLAGS="" BUILD=build TZ=Asia/Tokyo LC_ALL=C nice make packages) >"$log/again.txt" 2>&1
	step "they are built again" $? "$(tail -20 "$log/again.txt")"
	same "both times the same bytes" "$(cd "$packages" && sha256sum -- *.deb *.rpm)" \
		"$(cd "$to/build/packages" && sha256sum -- *.deb *.rpm)"
	rm -rf "$work/another"
}

# A newer version, whose configuration differs.
newer() {
	rm -rf "$work/new" "$work/tree"
	mkdir -p "$work/new"
	dpkg-deb -R "$(amd64)" "$work/tree"
	sed -i 's/^Version: .*/Version: 100.0.0/' "$work/tree/DEBIAN/control"
	echo '# of a newer version' >>"$work/tree/etc/outergate/outergate.yaml"
	dpkg-deb --root-owner-group -b "$work/tree" "$work/new/outergate_100.0.0_amd64.deb" >"$log/newer.txt"
	rm -rf "$work/tree"
}
lived() { # SUITE [WORD]
	local last p f
	# shellcheck disable=SC2086
	LIVE_ONCE=1 BOX_SUITE=$1 PACKAGES=$packages PACKAGES_NEW=$work/new LIVE_CASES=tests/packages bash tests/live/run.sh ${2:-} 2>&1 |
		tee "$log/$1.txt" | sed "s/^\(PASS\|FAIL\|SKIP\) /&$1: /"
	last=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$log/$1.txt" | tail -1)
	p=${last%% passed*} f=${last#*passed, }
	passed=$((passed + ${p:-0})) failed=$((failed + ${f%% failed*}))
	case $last in *skipped) skipped=$((skipped + $(grep -oE '[0-9]+ skipped' <<<"$last" | cut -d' ' -f1))) ;; esac
	[ -n "$last" ] || step "$1" 1 "$(tail -5 "$log/$1.txt")"
}
life() {
	newer
	for suite in ${PACKAGES_SUITES:-bookworm trixie}; do
		lived "$suite"
	done
}
# The README's section on installation alone.
followed() {
	for suite in ${PACKAGES_SUITES:-bookworm trixie}; do
		lived "$suite" readme_followed
	done
}

# Older than the glibc it wants: it is refused, and why.
other() {
	local root=$work/bullseye mirror said
	# shellcheck disable=SC2016
	mirror=$(apt-get indextargets --format '$(CREATED_BY) $(ORIGIN) $(REPO_URI) $(RELEASE) $(COMPONENT)' |
		awk '$1 == "Packages" && $2 == "Debian" && $4 == "bookworm" && $5 == "main" {print $3; exit}')
	if [ ! -e "$root/.complete" ]; then
		rm -rf --one-file-system "$root"
		if ! debootstrap --variant=minbase bullseye "$root" "$mirror" >"$log/bullseye.txt" 2>&1; then
			echo "SKIP Debian 11 cannot be bootstrapped"
			skipped=$((skipped + 1))
			return
		fi
		touch "$root/.complete"
	fi
	cp "$(amd64)" "$root/root/"
	said=$(chroot "$root" apt-get install -s "/root/outergate_${version}_amd64.deb" 2>&1)
	step "Debian 11: apt says that it wants a newer glibc" "$(grep -q "Depends: libc6 (>= $GLIBC)" <<<"$said"; echo $?)" "$said"
	rm "$root/root/outergate_${version}_amd64.deb"
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
