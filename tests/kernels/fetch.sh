#!/bin/bash
# Kernels, an emulator, and arm64's user space for the guests, by private apt trees under $CACHE: the
# machine's own apt state is neither read (but for the mirror's address) nor changed. What is there is
# not fetched again. Prints nothing when all is well; the last line of stderr is the reason when it is not.
#
#   fetch.sh NAME...     NAME is a row of tests/kernels/kernels
set -eu
here=$(cd "$(dirname "$0")" && pwd)
CACHE=${CACHE:?}
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

# use ARCHITECTURE: its tree is the one that apt_get asks
use() {
	arch=$1 tree=$CACHE/apt-$1
	export APT_CONFIG=$tree/apt.conf
	[ -e "$tree/.ready" ] || tree_make
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
		APT::Architecture "$arch";
		APT::Architectures "$arch";
		APT::Sandbox::User "root";
		APT::Default-Release "bookworm";
		Acquire::Languages "none";
		Acquire::Retries "3";
	X
	apt_get update
	touch "$tree/.ready"
}

apt_get() {
	apt-get -qq "$@" > "$CACHE/apt.log" 2>&1 || die "apt-get $1: $(tail -1 "$CACHE/apt.log")"
}

# The newest package whose name matches.
newest() { apt-cache search --names-only "$1" | awk '{ print $1 }' | sort -V | tail -1; }

# unpack PACKAGE DIRECTORY: the package's files, no installation
unpack() {
	local dir
	dir=$(mktemp -d "$CACHE/deb.XXXXXX")
	(cd "$dir" && apt_get download "$1")
	mkdir -p "$2"
	dpkg-deb -x "$dir"/*.deb "$2"
	rm -rf "$dir"
}

row() { awk -v n="$1" '$1 == n' "$here/kernels"; }

kernel_get() {
	local name=$1 architecture pattern package dir=$CACHE/$1
	[ -s "$dir/vmlinuz" ] && return
	read -r _ architecture pattern <<< "$(row "$name")"
	[ -n "$pattern" ] || die "no kernel called $name in tests/kernels/kernels"
	use "$architecture"
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

# emulator_get PART PROGRAM. QEMU 7.2's emulation corrupts memory of 6.12 guests now and then; the
# backport does not.
emulator_get() {
	local version p
	[ -x "$CACHE/qemu-$1/usr/bin/$2" ] && return
	use amd64
	version=$(apt-cache madison qemu-system-x86 | awk '$3 ~ /bpo12/ { print $3; exit }')
	[ -n "$version" ] || die "no qemu-system-x86 in bookworm-backports"
	rm -rf "$CACHE/qemu.new"
	for p in "$1" common data; do
		unpack "qemu-system-$p=$version" "$CACHE/qemu.new"
	done
	mv "$CACHE/qemu.new" "$CACHE/qemu-$1"
}

# The guest's programs where this machine's own are of another architecture: Debian 12's, with all that they want.
user_get() {
	local dir=$CACHE/user-arm64 deb
	[ -e "$dir/.ready" ] && return
	use arm64
	rm -rf "$dir"
	mkdir -p "$dir"
	apt_get install -y --no-install-recommends --download-only -o APT::Default-Release=bookworm \
		openssh-server openssh-client sshpass jq bash iproute2 busybox-static libpam-modules \
		libpam0g libc-bin tmux
	for deb in "$tree"/cache/archives/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$dir" --keep-directory-symlink \
			--exclude=./usr/share/doc --exclude=./usr/share/locale --exclude=./usr/share/man
	done
	rm -f "$tree"/cache/archives/*.deb
	touch "$dir/.ready"
}

mkdir -p "$CACHE"
for name; do
	case $(row "$name" | awk '{ print $2 }') in
	arm64)
		emulator_get arm qemu-system-aarch64
		user_get
		;;
	*) emulator_get x86 qemu-system-x86_64 ;;
	esac
	kernel_get "$name"
done
