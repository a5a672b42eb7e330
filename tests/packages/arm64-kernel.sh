#!/bin/bash
# An emulated arm64 machine with Debian 12's kernel, and in it the agent of an arm64 package: its kernel programs are
# loaded and attached. Prints the console.
#
#   arm64-kernel.sh PACKAGE SYSROOT DIRECTORY      kernel and archive stay in DIRECTORY
set -eu
here=$(cd "$(dirname "$0")" && pwd)
package=$(realpath "$1") sysroot=$(realpath "$2") dir=$(realpath -m "$3")
mkdir -p "$dir"
cd "$dir"
if [ ! -e fetched/.complete ]; then
	rm -rf fetched
	mkdir fetched
	. "$here/../../tools/private_apt.sh"
	private_apt "$dir/apt" bookworm deb
	echo 'APT::Architecture "arm64"; APT::Architectures { "arm64"; };' >> "$APT_CONFIG"
	apt-get -qq update
	kernel=$(apt-cache search --names-only '^linux-image-6\.1\.0-.*-cloud-arm64$' | awk '{print $1}' | sort -V | tail -1)
	apt-get -qq download "$kernel" busybox-static libpam0g libaudit1 libcap-ng0
	for deb in *.deb; do
		dpkg-deb -x "$deb" fetched
	done
	rm -rf -- *.deb apt
	touch fetched/.complete
fi
rm -rf root program
dpkg-deb -x "$package" program
libraries=usr/lib/aarch64-linux-gnu
mkdir -p root/{bin,proc,sys,dev,run,tmp,etc,root,var/lib,var/log,usr/bin} root/$libraries
ln -s usr/lib root/lib
cp fetched/bin/busybox root/bin/
cp program/usr/bin/outergate root/usr/bin/
cp -L "$sysroot/usr/lib/ld-linux-aarch64.so.1" root/usr/lib/
todo="root/usr/bin/outergate fetched/lib/aarch64-linux-gnu/libpam.so.0"
cp -L fetched/lib/aarch64-linux-gnu/libpam.so.0 root/$libraries/
while [ -n "$todo" ]; do
	next=""
	for f in $todo; do
		for name in $(aarch64-linux-gnu-objdump -p "$f" | awk '/NEEDED/ {print $2}'); do
			[ "$name" = ld-linux-aarch64.so.1 ] || [ -e "root/$libraries/$name" ] && continue
			from=$(find "$sysroot/usr/lib" fetched -name "$name" | head -1)
			cp -L "$from" "root/$libraries/$name"
			next="$next root/$libraries/$name"
		done
	done
	todo=$next
done
printf 'root:x:0:0::/root:/bin/sh\noutergate:x:999:999::/:/bin/false\n' > root/etc/passwd
printf 'root:x:0:\noutergate:x:999:\n' > root/etc/group
cat > root/init << 'END'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin:/usr/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mount -t tracefs tracefs /sys/kernel/tracing
mount -t securityfs securityfs /sys/kernel/security
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t bpf bpf /sys/fs/bpf
uname -srm
outergate run > /run.log 2>&1 &
for i in $(seq 120); do grep -q ready /run.log && break; sleep 1; done
cat /run.log
outergate status
poweroff -f
END
chmod 755 root/init root/bin/busybox root/usr/lib/ld-linux-aarch64.so.1
(cd root && find . | cpio -o -H newc --quiet | gzip -1) > root.cpio.gz
timeout -k 5 300 qemu-system-aarch64 -M virt -accel tcg,thread=multi -cpu cortex-a72 -m 1024 -display none -no-reboot \
	-nodefaults -serial stdio -kernel fetched/boot/vmlinuz-* -initrd root.cpio.gz \
	-append "console=ttyAMA0 panic=-1 quiet" < /dev/null | tr -d '\r'
