#!/bin/bash
# The guest's file system, a cpio archive: the agent, this machine's own sshd with PAM and names,
# a few tools, and tests/kernels/guest. The same for every kernel; run.sh adds the kernel's module.
#
#   image.sh AGENT DIRECTORY OUTPUT
set -eu
here=$(cd "$(dirname "$0")" && pwd)
agent=$1 root=$2 output=$3
triplet=$(gcc -print-multiarch)

programs="/usr/sbin/sshd /usr/bin/ssh /usr/bin/scp /usr/lib/openssh/sftp-server /usr/bin/sshpass
	/usr/bin/ssh-keygen /usr/bin/jq /usr/bin/bash /usr/sbin/ip"
pam="/usr/lib/$triplet/libpam.so.0 /usr/lib/$triplet/libpam_misc.so.0
	/usr/lib/$triplet/libnss_files.so.2"

# What a program or library needs, itself included.
needs() {
	echo "$1"
	ldd "$1" 2>/dev/null | awk '$2 == "=>" && $3 ~ /^\// { print $3 } $1 ~ /^\// { print $1 }'
}

# Copies files to the same place, a link as what it points to.
take() {
	local f
	for f; do
		[ -e "$root$f" ] || install -D -p -m 0755 "$f" "$root$f"
	done
}

skeleton() {
	local d applet
	rm -rf "$root"
	mkdir -p "$root"/usr/{bin,sbin,lib,lib64,libexec} "$root"/{proc,sys,dev,run,tmp,root,home,etc,guest} \
		"$root"/var/{log,lib,mail} "$root"/run/{sshd,netns}
	chmod 1777 "$root/tmp"
	for d in bin sbin lib lib64; do ln -s "usr/$d" "$root/$d"; done
	install -m 0755 /usr/bin/busybox "$root/usr/bin/busybox" 2>/dev/null ||
		install -m 0755 /bin/busybox "$root/usr/bin/busybox"
	for applet in $("$root/usr/bin/busybox" --list); do
		[ -e "$root/usr/bin/$applet" ] || ln -s busybox "$root/usr/bin/$applet"
	done
	# This machine's own ip, in /usr/sbin, knows veth pairs and namespaces.
	rm -f "$root/usr/bin/ip"
}

libraries() {
	local f
	for f in $programs $pam "$agent" /usr/lib/"$triplet"/security/*.so; do
		needs "$f"
	done | sort -u
}

accounts() {
	local name hash
	getent passwd root sshd outergate | sed 's,^root:\(.*\):[^:]*$,root:\1:/bin/bash,' \
		> "$root/etc/passwd"
	getent group root tty shadow mail utmp nogroup outergate > "$root/etc/group"
	echo 'root:*:19000:0:99999:7:::' > "$root/etc/shadow"
	local id=1001
	for name in alice bob carol dave erin frank grace heidi ivan judy mallory; do
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
	for f in /etc/nsswitch.conf /etc/ld.so.cache /etc/login.defs /etc/services /etc/protocols; do
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

skeleton
# shellcheck disable=SC2046,SC2086
take $programs $(libraries)
install -m 0755 "$agent" "$root/usr/bin/outergate"
rm -f "$root$agent"
take /usr/lib/"$triplet"/security/*.so
accounts
configuration
keys
install -m 0755 "$here"/guest/init "$here"/guest/*.sh "$root/guest/"
gcc -O1 -static -o "$root/guest/threads" "$here/guest/threads.c" -lpthread
ln -s guest/init "$root/init"
(cd "$root" && find . -print0 | LC_ALL=C sort -z | cpio --quiet -0 -o -H newc) > "$output.new"
mv "$output.new" "$output"
