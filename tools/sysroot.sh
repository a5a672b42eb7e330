#!/bin/bash
# Headers and libraries of another architecture or release of Debian, fetched by a private apt and unpacked: nothing
# of it is installed on this machine. What is there stays; a change of this file or of the list fetches it anew.
#
#   sysroot.sh ARCHITECTURE SUITE DIRECTORY      DIRECTORY/packages says which package a library is of
set -eu
cd "$(dirname "$0")/.."
arch=$1 suite=$2 root=$(realpath -m "$3")
# What tools/deps.sh installs here to build, as far as it is linked.
wanted="libc6-dev $(sed -n '/^build=/,/"$/p' tools/deps.sh | tr '" ' '\n\n' | grep -E '^(lib|zlib).*-dev$')"
# Older releases have neither the BPF loader, which is linked statically, nor the kernel's numbers of now.
newer=""
if [ "$suite" != bookworm ]; then
	newer="libbpf-dev linux-libc-dev"
	wanted=${wanted/libbpf-dev/}
fi
stamp=$root/.complete-$(sha256sum "$0" tools/deps.sh | sha256sum | cut -c1-16)
[ -e "$stamp" ] && exit
rm -rf "$root"
mkdir -p "$root/usr/lib"
for d in lib lib64; do
	mkdir -p "$root/usr/$d"
	ln -s "usr/$d" "$root/$d"
done
. tools/private_apt.sh

fetch() { # SUITE WORD... to apt-get
	local dir=$root/apt.$1
	private_apt "$dir" "$1" deb
	shift
	echo "APT::Architecture \"$arch\"; APT::Architectures { \"$arch\"; };" >>"$APT_CONFIG"
	apt-get -qq update
	(cd "$dir/archives" && apt-get -qq -y --no-install-recommends "$@") >"$dir/log" 2>&1 ||
		{ tail -5 "$dir/log" >&2; return 1; }
	for deb in "$dir"/archives/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$root" --keep-directory-symlink --exclude=./usr/share/doc \
			--exclude=./usr/share/locale
		about=$(dpkg-deb -W --showformat='${Package} ${Version}' "$deb")
		echo "${about% *} $about"
		dpkg-deb --fsys-tarfile "$deb" | tar -t | grep -oE '[^/]+\.so\.[0-9.a-z]+$' | sed "s|$| $about|" || true
	done
	rm -rf "$dir"
}
# shellcheck disable=SC2086
{
	fetch "$suite" --download-only install $wanted
	[ -z "$newer" ] || fetch bookworm download $newer
} >"$root/packages"
# A library's name that leads out of here would lead to this machine's.
find "$root/usr" -lname '/*' | while read -r l; do
	ln -sfn "$(realpath -m --relative-to="$(dirname "$l")" "$root$(readlink "$l")")" "$l"
done
touch "$stamp"
