#!/bin/bash
# The guest's file system, a cpio archive: the agent, an sshd with PAM, names and a few tools (this
# machine's own, or those that fetch.sh unpacked), and tests/kernels/guest. The same for every kernel
# of an architecture; boot.sh adds the kernel's module.
#
#   image.sh ARCHITECTURE BUILD DIRECTORY OUTPUT      BUILD: where the agent and its skeleton are; the
#                                                     environment's AGENT: another agent
set -eu
here=$(cd "$(dirname "$0")" && pwd)
arch=$1 build=$(realpath "$2") root=$3 output=$4
case $arch in
arm64)
	triplet=aarch64-linux-gnu from=${CACHE:?}/user-arm64
	CC="aarch64-linux-gnu-gcc --sysroot=$build/sysroot"
	also=$build/sysroot
	;;
*) triplet=$(gcc -print-multiarch) from="" also="" CC=gcc ;;
esac

programs="/usr/sbin/sshd /usr/bin/ssh /usr/bin/scp /usr/lib/openssh/sftp-server /usr/bin/sshpass
	/usr/bin/ssh-keygen /usr/bin/ssh-agent /usr/bin/ssh-add /usr/bin/jq /usr/bin/bash /usr/sbin/ip"
libraries="libpam.so.0 libpam_misc.so.0 libnss_files.so.2"

# Where it is: as it is called, or without the /usr that older packages leave out. A link that says
# an absolute place means one in that tree.
locate() {
	local f
	for f in "$1" "${1#/usr}"; do
		while [ -L "$from$f" ] && [[ $(readlink "$from$f") == /* ]]; do
			f=$(readlink "$from$f")
		done
		[ -e "$from$f" ] && { echo "$from$f"; return; }
	done
	echo "$1 is not there" >&2
	return 1
}

library() {
	local d tree
	for tree in "$from" $also; do
		for d in "$tree/usr/lib/$triplet" "$tree/lib/$triplet" "$tree/lib" "$tree/usr/lib/$triplet/systemd"; do
			[ -e "$d/$1" ] && { echo "$d/$1"; return; }
		done
	done
	case $1 in ld-linux*) ;; libnss_files.so.2) ;; *) echo "no library $1" >&2; return 1 ;; esac
}

# add FILE PLACE: with the libraries that it wants, and those that they want
add() {
	local name
	[ -e "$root$2" ] && return
	install -D -p -m 0755 "$1" "$root$2"
	for name in $(readelf -d "$1" 2> /dev/null | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do
		add_library "$name"
	done
}

add_library() {
	local found
	found=$(library "$1")
	case $found in
	"") ;;
	*/systemd/*) add "$found" "/usr/lib/$triplet/systemd/$1" ;;
	*) add "$found" "/usr/lib/$triplet/$1" ;;
	esac
}

skeleton() {
	local d applet busybox
	rm -rf "$root"
	mkdir -p "$root"/usr/{bin,sbin,lib,lib64,libexec} "$root"/{proc,sys,dev,run,tmp,root,home,etc,guest} \
		"$root"/var/{log,lib,mail} "$root"/run/{sshd,netns}
	chmod 1777 "$root/tmp"
	for d in bin sbin lib lib64; do ln -s "usr/$d" "$root/$d"; done
	busybox=$(locate /usr/bin/busybox)
	install -m 0755 "$busybox" "$root/usr/bin/busybox"
	# This machine's own, which can be run here, names the applets; one that the other lacks is not used.
	for applet in $(busybox --list); do
		[ -e "$root/usr/bin/$applet" ] || ln -s busybox "$root/usr/bin/$applet"
	done
	# iproute2's ip, in /usr/sbin, knows veth pairs and namespaces.
	rm -f "$root/usr/bin/ip"
}

contents() {
	local f loader
	for f in $programs; do
		add "$(locate "$f")" "$f"
	done
	for f in $libraries; do
		add_library "$f"
	done
	for f in "$(locate "/usr/lib/$triplet/security")"/*.so; do
		add "$f" "/usr/lib/$triplet/security/${f##*/}"
	done
	add "${AGENT:-$build/outergate}" /usr/bin/outergate
	loader=$(readelf -l "$build/outergate" | sed -n 's/.*interpreter: \(.*\)\]/\1/p')
	for f in "$from$loader" "$also$loader" "$also/usr$loader"; do
		[ ! -e "$f" ] || [ -e "$root$loader" ] || install -D -m 0755 "$f" "$root$loader"
	done
}

accounts() {
	local name hash
	getent passwd root sshd outergate | sed 's,^root:\(.*\):[^:]*$,root:\1:/bin/bash,' \
		> "$root/etc/passwd"
	getent group root tty shadow mail utmp nogroup outergate > "$root/etc/group"
	echo 'root:*:19000:0:99999:7:::' > "$root/etc/shadow"
	local id=1001
	for name in alice bob carol dave erin frank grace heidi ivan judy mallory nina oscar peggy quinn; do
		hash=$(busybox mkpasswd -m sha512 Corr3ct)
		echo "$name:x:$id:$id::/home/$name:/bin/bash" >> "$root/etc/passwd"
		echo "$name:x:$id:" >> "$root/etc/group"
		echo "$name:$hash:19000:0:99999:7:::" >> "$root/etc/shadow"
		mkdir -p "$root/home/$name/.ssh"
		id=$((id + 1))
	done
	chmod 0640 "$root/etc/shadow"
}

configuration() {
	cp -r /etc/pam.d /etc/security "$root/etc/"
	for f in /etc/nsswitch.conf /etc/login.defs /etc/services /etc/protocols; do
		cp -L "$f" "$root/etc/" 2>/dev/null || true
	done
	echo '127.0.0.1 localhost guest' > "$root/etc/hosts"
	echo guest > "$root/etc/hostname"
	: > "$root/etc/environment"
	mkdir -p "$root/etc/default"
	: > "$root/etc/default/locale"
	echo 0123456789abcdef0123456789abcdef > "$root/etc/machine-id"
}

keys() {
	ssh-keygen -q -t ed25519 -N '' -f "$root/guest/hostkey"
	ssh-keygen -q -t ed25519 -N '' -C guest -f "$root/guest/key"
	for f in "$root"/home/*; do
		cp "$root/guest/key.pub" "$f/.ssh/authorized_keys"
		# What a session needs to go on from here.
		cp "$root/guest/key" "$f/.ssh/id_ed25519"
		chmod -R go-rwx "$f/.ssh"
		chown -R "$(awk -F: -v n="${f##*/}" '$1 == n { print $3 ":" $4 }' "$root/etc/passwd")" "$f"
	done
}

tools() {
	local f
	for f in threads others instructions; do
		# shellcheck disable=SC2086
		$CC -O1 -static -isystem "$build" -o "$root/guest/$f" "$here/guest/$f.c" \
			-l:libbpf.a -lelf -lz -lpthread
	done
	clang -g -O2 -target bpf -mcpu=v3 "-I/usr/include/$(gcc -print-multiarch)" \
		-c "$here/guest/others.bpf.c" -o "$root/guest/others.bpf.o"
}

skeleton
contents
accounts
configuration
keys
install -m 0755 "$here"/guest/init "$here"/guest/*.sh "$root/guest/"
tools
ln -s guest/init "$root/init"
(cd "$root" && find . -print0 | LC_ALL=C sort -z | cpio --quiet -0 -o -H newc) > "$output.new"
mv "$output.new" "$output"
