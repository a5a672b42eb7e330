#!/bin/sh
# deb and rpm of what is built: the same bytes from the same sources.
#   packages.sh BUILD PROGRAMS ARCHITECTURE OUT     PROGRAMS: the directory of ARCHITECTURE's (amd64 or arm64)
# Needs BUILD/geo (tools/geo.sh --shipped) and BUILD/man.
# PACKAGE_VERSION: another one, for an older release or in tests of upgrades. SYSROOT: unpacked packages of that
# architecture or release; of this architecture a deb alone is made, of the programs.
set -eu
cd "$(dirname "$0")/.."
build=$(realpath "$1") programs=$2 arch=$3 out=$(realpath -m "$4")
version=${PACKAGE_VERSION:-$(cat VERSION)}
SOURCE_DATE_EPOCH=$(deploy/epoch.sh)
export SOURCE_DATE_EPOCH TZ=UTC LC_ALL=C.UTF-8
work=$out/work.$arch
rm -rf "$work"
mkdir -p "$work/outergate/debian"
# Modes of files are what they are here, not what somebody's umask makes of them.
umask 022
tree=$work/outergate/debian/tree
MAKEFLAGS="" make -s BUILD="$1" OUTERGATE="$programs/outergate" FORWARD="$programs/outergate-forward" DESTDIR="$tree" PREFIX=/usr install >"$work/install.log"
python3 tools/sbom.py "$version" "$SOURCE_DATE_EPOCH" "$(cat "$build/geo/country.version")" "${SYSROOT:--}" \
	"$programs/outergate" "$programs/outergate-forward" \
	>"$tree/usr/share/outergate/sbom.spdx.json"
mkdir "$work/outergate/debian/geo"
cp "$build/geo/country.mmdb" "$build/geo/country.version" "$work/outergate/debian/geo/"
cp -R deploy/debian/. "$work/outergate/debian/"
sed -i "1s/([^)]*)/($version)/" "$work/outergate/debian/changelog"
cp -a "$tree" "$work/tree"
find "$work" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

older=""
[ -z "${SYSROOT:-}" ] || [ "$arch" != "$(dpkg --print-architecture)" ] || older=1

# The packages of an older release that the programs' libraries are of.
older_depends() {
	libraries=$(objdump -p "$programs/outergate" "$programs/outergate-forward" | awk '$1 == "NEEDED" { print $2 }' | sort -u)
	found=$(for library in $libraries; do
		awk -v library="$library" '$1 == library {
			sub(/-[^-]*$/, "", $3)
			print $2 == "libc6" ? $2 " (>= " $3 ")" : $2
			found = 1; exit }
			END { exit !found }' "$SYSROOT/packages" || { echo "packages: no package has $library" >&2; exit 1; }
	done) || return 1
	echo "$found" | sort -u | paste -sd, | sed 's/,/, /g'
}

deb() {
	all="-b" shlibs=""
	cross=""
	if [ "$arch" != "$(dpkg --print-architecture)" ]; then
		all="-B" cross="-a$arch -d -Pcross,nocheck" # what is of no architecture was built with the other
		# Of the same libraries of the same release: what the other architecture's package depends on.
		shlibs=$(dpkg-deb -f "$out/outergate_${version}_$(dpkg --print-architecture).deb" Depends)
	elif [ -n "$older" ]; then
		all="-B" shlibs=$(older_depends)
	fi
	# shellcheck disable=SC2086
	(cd "$work/outergate" && ${shlibs:+env "SHLIBS=$shlibs"} dpkg-buildpackage -us -uc $all $cross --no-pre-clean) >"$work/deb.log" 2>&1 || {
		tail -20 "$work/deb.log" >&2
		return 1
	}
	mv "$work"/*.deb "$out/"
}

# The changelog in the words of rpm.
rpm_changelog() {
	awk '/^[a-z]/ { v = $2; gsub(/[()]/, "", v); n = 0 }
		/^  / { line[n++] = "-" substr($0, 4) }
		/^ -- / { split($0, a, ">  "); split(a[2], d, /[ ,]+/); who = a[1]; sub(/^ -- /, "", who)
			printf "* %s %s %s %s %s> - %s-1\n", d[1], d[3], d[2], d[4], who, v
			for (i = 0; i < n; i++) print line[i]; print "" }' "$work/outergate/debian/changelog"
}

rpm_package() {
	case $arch in
	amd64) target=x86_64 strip=strip ;;
	arm64) target=aarch64 strip=aarch64-linux-gnu-strip ;;
	esac
	geo=$(cat "$build/geo/country.version")
	{ cat deploy/rpm/outergate.spec && rpm_changelog; } >"$work/outergate.spec"
	rpmbuild -bb --target "$target" --quiet --define "_topdir $work/rpm" --define "_rpmdir $work" \
		--define "_rpmfilename %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm" --define "og_version $version" \
		--define "geo_version $geo" --define "og_tree $work/tree" --define "og_geo $work/outergate/debian/geo" \
		--define "og_strip $strip --strip-unneeded" \
		--define "_buildhost outergate" --define "use_source_date_epoch_as_buildtime 1" \
		--define "clamp_mtime_to_source_date_epoch 1" "$work/outergate.spec" >"$work/rpm.log" 2>&1 || {
		tail -20 "$work/rpm.log" >&2
		return 1
	}
	mv "$work"/*.rpm "$out/"
}

deb
[ -n "$older" ] || rpm_package
[ -n "${KEEP:-}" ] || rm -rf "$work"
