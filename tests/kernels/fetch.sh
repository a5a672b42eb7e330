#!/bin/bash
# Kernels and an emulator for the guests, by a private apt tree under $CACHE: the machine's own apt
# state is neither read (but for the mirror's address) nor changed. What is there is not fetched
# again. Prints nothing when all is well; the last line of stderr is the reason when it is not.
#
#   fetch.sh NAME...     NAME is a row of tests/kernels/kernels
set -eu
here=$(cd "$(dirname "$0")" && pwd)
CACHE=${CACHE:?}
tree=$CACHE/apt
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

die() { echo "fetch: $*" >&2; exit 1; }

# The mirror of this machine, main archive or security archive.
mirror() {
	# shellcheck disable=SC2016
	env -u APT_CONFIG apt-get indextargets --format '$(REPO_URI) $(RELEASE)' \
		'Created-By: Packages' |
		awk -v security="$1" '$2 ~ /^[a-z]+(-security)?$/ && ($2 ~ /-security$/) == security {
			sub("/$", "", $1); print $1; exit }'
}

tree_make() {
	local main security s
	main=$(mirror 0) security=$(mirror 1)
	[ -n "$main" ] || die "no Debian archive in the apt sources of this machine"
	mkdir -p "$tree"/state/lists/partial "$tree"/cache/archives/partial \
		"$tree"/etc/{apt.conf.d,preferences.d,sources.list.d}
	: > "$tree/state/status"
	for s in bookworm bookworm-backports trixie-backports; do
		echo "deb [signed-by=$keyring] $main $s main"
	done > "$tree/etc/sources.list"
	for s in bullseye-security bookworm-security; do
		echo "deb [signed-by=$keyring] ${security:-$main-security} $s main"
	done >> "$tree/etc/sources.list"
	cat > "$tree/apt.conf" <<-X
		Dir::Etc "$tree/etc";
		Dir::Etc::sourcelist "sources.list";
		Dir::State "$tree/state";
		Dir::State::status "$tree/state/status";
		Dir::Cache "$tree/cache";
		APT::Architecture "amd64";
		APT::Architectures "amd64";
		APT::Sandbox::User "root";
		Acquire::Languages "none";
	X
	apt_get update
	touch "$tree/.ready"
}

apt_get() {
	APT_CONFIG=$tree/apt.conf apt-get -qq "$@" > "$CACHE/apt.log" 2>&1 ||
		die "apt-get $1: $(tail -1 "$CACHE/apt.log")"
}

tree_need() { [ -e "$tree/.ready" ] || tree_make; }

# The newest package whose name matches.
newest() {
	APT_CONFIG=$tree/apt.conf apt-cache search --names-only "$1" | awk '{ print $1 }' |
		sort -V | tail -1
}

# unpack PACKAGE DIRECTORY: the package's files, no installation
unpack() {
	local dir
	dir=$(mktemp -d "$CACHE/deb.XXXXXX")
	(cd "$dir" && apt_get download "$1")
	mkdir -p "$2"
	dpkg-deb -x "$dir"/*.deb "$2"
	rm -rf "$dir"
}

kernel_get() {
	local name=$1 pattern package dir=$CACHE/$1
	[ -s "$dir/vmlinuz" ] && return
	pattern=$(awk -v n="$name" '$1 == n { print $2 }' "$here/kernels")
	[ -n "$pattern" ] || die "no kernel called $name in tests/kernels/kernels"
	tree_need
	package=$(newest "$pattern")
	[ -n "$package" ] || die "no package matches $pattern"
	rm -rf "$dir"
	unpack "$package" "$dir/root"
	# Up to 6.18 one package; then the modules are a package of their own.
	case $package in
	linux-binary-*) unpack "linux-modules-${package#linux-binary-}" "$dir/root" ;;
	esac
	cp "$(find "$dir/root" -name 'vmlinuz*' -type f | head -1)" "$dir/vmlinuz.new"
	module "$dir" veth
	rm -rf "$dir/root"
	echo "$package" > "$dir/package"
	mv "$dir/vmlinuz.new" "$dir/vmlinuz"
}

# module DIRECTORY NAME: as a plain .ko, however the package compressed it
module() {
	local found
	found=$(find "$1/root" -name "$2.ko*" -type f | head -1)
	case $found in
	*.ko) cp "$found" "$1/$2.ko" ;;
	*.ko.xz) xz -dc "$found" > "$1/$2.ko" ;;
	*.ko.zst) zstd -dqc "$found" > "$1/$2.ko" ;;
	*) die "$1 has no module $2" ;;
	esac
}

# QEMU 7.2's emulation corrupts memory of 6.12 guests now and then; the backport does not.
emulator_get() {
	local version p
	[ -x "$CACHE/qemu/usr/bin/qemu-system-x86_64" ] && return
	tree_need
	version=$(APT_CONFIG=$tree/apt.conf apt-cache madison qemu-system-x86 |
		awk '$3 ~ /bpo12/ { print $3; exit }')
	[ -n "$version" ] || die "no qemu-system-x86 in bookworm-backports"
	rm -rf "$CACHE/qemu.new"
	for p in x86 common data; do
		unpack "qemu-system-$p=$version" "$CACHE/qemu.new"
	done
	mv "$CACHE/qemu.new" "$CACHE/qemu"
}

mkdir -p "$CACHE"
emulator_get
for name; do
	kernel_get "$name"
done
