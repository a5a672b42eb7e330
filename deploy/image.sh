#!/bin/sh
# The container image of what is built, as an OCI archive: the same bytes from the same sources and libraries.
#   image.sh BUILD PROGRAMS ARCHITECTURE OUT     PROGRAMS: the directory of ARCHITECTURE's (amd64 or arm64)
# Needs BUILD/geo (tools/geo.sh --shipped). SYSROOT: unpacked packages of that architecture.
# No registry is asked, no daemon is needed, nothing is run inside.
set -eu
cd "$(dirname "$0")/.."
build=$1 programs=$2 arch=$3
out=$(realpath -m "$4")
version=$(cat VERSION)
epoch=$(deploy/epoch.sh)
export TZ=UTC LC_ALL=C.UTF-8
umask 022
mkdir -p "$out"
work=$(mktemp -d "$out/work.XXXXXX")
storage=""
# shellcheck disable=SC2317
end() {
	[ -z "$storage" ] || buildah $storage rm --all >/dev/null 2>&1 || true
	rm -rf "$work"
}
trap end EXIT
mkdir "$work/root"
python3 tools/rootfs.py "$version" "$epoch" "$build/geo" "$programs" "${SYSROOT:--}" "$work/root"
find "$work/root" -exec touch -h -d "@$epoch" {} +
# A store of its own: nothing of this machine's images is read or left.
export BUILDAH_ISOLATION=chroot
storage="--storage-driver vfs --root $work/storage --runroot $work/run"
id=$(buildah $storage from --arch "$arch" scratch)
buildah $storage copy --quiet "$id" "$work/root" / >"$work/log"
buildah $storage config --arch "$arch" --os linux --entrypoint '["/usr/bin/outergate"]' --cmd run \
	--user 0:0 --workingdir / --created-by "outergate $version" \
	--label "org.opencontainers.image.title=outergate" --label "org.opencontainers.image.version=$version" \
	--label "org.opencontainers.image.description=External remote service sessions, seen on the host" "$id"
file=$out/outergate-$version-$arch.oci.tar
rm -f "$file"
# What the archive's own tar says of time is not part of the image: its digest is.
buildah $storage commit --quiet --rm --timestamp "$epoch" --format oci "$id" \
	"oci-archive:$file:outergate:$version" >>"$work/log"
skopeo inspect --format '{{.Digest}}' "oci-archive:$file" >"$file.digest"
