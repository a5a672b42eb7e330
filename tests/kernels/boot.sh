#!/bin/bash
# boot.sh NAME ARCHIVE...: runs one kernel with the archives (later ones add and replace) and prints
# its console. Emulated, so that it runs wherever the tests do.
set -eu
CACHE=${CACHE:?}
dir=$CACHE/$1
shift
q=$CACHE/qemu
initrd=$(mktemp "$CACHE/initrd.XXXXXX")
trap 'rm -f "$initrd"' EXIT
{
	cat "$@"
	cd "$dir"
	echo veth.ko | cpio --quiet -o -H newc
} > "$initrd"
timeout -k 5 "${BOOT_TIMEOUT:-480}" "$q/usr/bin/qemu-system-x86_64" -L "$q/usr/share/qemu" \
	-L /usr/share/seabios -L /usr/share/qemu \
	-accel tcg,thread=multi,tb-size=256 -smp 2 -cpu max,la57=off -m 1536 \
	-display none -no-reboot -nodefaults -serial stdio \
	-kernel "$dir/vmlinuz" -initrd "$initrd" \
	-append "console=ttyS0 panic=-1 quiet ${BOOT_APPEND:-}" < /dev/null | tr -d '\r'
