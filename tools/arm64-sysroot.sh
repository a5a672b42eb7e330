#!/bin/bash
# Headers and libraries of Debian 12's arm64, fetched by a private apt and unpacked: nothing of it is installed on
# this machine. What is there stays; a change of this file or of the list fetches it anew.
#
#   arm64-sysroot.sh DIRECTORY      DIRECTORY/packages says which package a library is of
set -eu
cd "$(dirname "$0")/.."
root=$(realpath -m "$1")
# What tools/deps.sh installs here to build, as far as it is linked.
wanted="libc6-dev $(sed -n '/^build=/,/"$/p' tools/deps.sh | tr '" ' '\n\n' | grep -E '^(lib|zlib).*-dev$')"
stamp=$root/.complete-$(sha256sum "$0" tools/deps.sh | sha256sum | cut -c1-16)
[ -e "$stamp" ] && exit
rm -rf "$root"
mkdir -p "$root/usr/lib" "$root/apt"
ln -s usr/lib "$root/lib"
. tools/private_apt.sh
private_apt "$root/apt" bookworm deb
echo 'APT::Architecture "arm64"; APT::Architectures { "arm64"; };' >> "$APT_CONFIG"
apt-get -qq update
# shellcheck disable=SC2086
apt-get -qq install -y --no-install-recommends --download-only $wanted > "$root/apt/log" 2>&1 ||
	{ tail -5 "$root/apt/log" >&2; exit 1; }
for deb in "$root"/apt/archives/*.deb; do
	dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$root" --keep-directory-symlink --exclude=./usr/share/doc \
		--exclude=./usr/share/locale
	about=$(dpkg-deb -W --showformat='${Package} ${Version}' "$deb")
	echo "${about% *} $about"
	dpkg-deb --fsys-tarfile "$deb" | tar -t | grep -oE '[^/]+\.so\.[0-9.a-z]+$' | sed "s|$| $about|" || true
done > "$root/packages"
rm -rf "$root/apt"
touch "$stamp"
