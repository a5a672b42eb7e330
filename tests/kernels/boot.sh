#!/bin/bash
# boot.sh NAME ARCHIVE...: runs one kernel with the archives (later ones add and replace) and prints
# its console. Emulated, so that it runs wherever the tests do.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
CACHE=${CACHE:?}
name=$1
dir=$CACHE/$name
shift
initrd=$(mktemp "$CACHE/initrd.XXXXXX")
trap 'rm -f "$initrd"' EXIT
{
	cat "$@"
	cd "$dir"
	echo veth.ko | cpio --quiet -o -H newc
} > "$initrd"
case $(awk -v n="$name" '$1 == n { print $2 }' "$here/kernels") in
arm64)
	q=$CACHE/qemu-arm console=ttyAMA0 program=qemu-system-aarch64
	# Not "max": it emulates pointer authentication, twenty times slower.
	machine="-M virt -cpu cortex-a72"
	;;
*)
	q=$CACHE/qemu-x86 console=ttyS0 program=qemu-system-x86_64
	machine="-cpu max,la57=off"
	;;
esac
# shellcheck disable=SC2086
timeout -k 5 "${BOOT_TIMEOUT:-1800}" "$q/usr/bin/$program" -L "$q/usr/share/qemu" \
	-L /usr/share/seabios -L /usr/share/qemu \
	-accel tcg,thread=multi,tb-size=256 -smp 2 $machine -m 1536 \
	-display none -no-reboot -nodefaults -serial stdio \
	-kernel "$dir/vmlinuz" -initrd "$initrd" \
	-append "console=$console panic=-1 quiet ${BOOT_APPEND:-}" < /dev/null | sed -u 's,\r,,g'
