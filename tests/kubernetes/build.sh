#!/bin/bash
# kube-apiserver and kubelet from Debian's source package, with Debian's etcd, kubectl and Go: fetched by a
# private apt and taken apart, so that nothing is installed, started or listed on this machine.
# Ten minutes the first time; what is built stays, one directory a version.
#
#   build.sh        builds what is not there; the last line names the directory
set -eu
cd "$(dirname "$0")/../.."
cache=$(realpath -m "${BUILD:-build}")/kubernetes
suite=bookworm go=golang-1.19
mkdir -p "$cache"
exec 9> "$cache/lock"
flock 9

say() { echo "kubernetes: $*" >&2; }
fail() {
	say "$*"
	exit 1
}

# --- a private apt; PRIVATE_APT_MIRROR: another mirror than this machine's
. tools/private_apt.sh
apt=$cache/apt
private_apt "$apt" $suite deb deb-src || fail "no archive to ask"

newest() { # of a source package: the version the archive has
	apt-cache showsrc --only-source "$1" | sed -n 's/^Version: //p' | sort -V | tail -1
}

# A week old lists do: a release gets a new version twice a year.
if [ -z "$(find "$apt/lists" -name '*_Sources*' -mtime -7 2> "$cache/find.log")" ]; then
	apt-get -qq update || say "the archive cannot be asked; what is cached is used"
fi
version=$(newest kubernetes)
[ -n "$version" ] || fail "the archive has no source of kubernetes in $suite"
out=$cache/bin-${version//[^A-Za-z0-9.]/_}
if [ -e "$out/complete" ]; then
	say "$version is there"
	echo "$out"
	exit
fi

# --- what it is made of
work=$cache/work
rm -rf "$work" "$out"
mkdir -p "$work/debs" "$out"
begun=$SECONDS
say "fetching $version, $go and etcd"
(
	cd "$work"
	apt-get -qq source --only-source "kubernetes=$version"
	cd debs
	apt-get -qq download $go-go $go-src etcd-server kubernetes-client
) > "$cache/fetch.log" 2>&1 || fail "cannot be fetched: $(tail -1 "$cache/fetch.log")"
for deb in "$work"/debs/*.deb; do
	dpkg -x "$deb" "$work/tools"
done
install -m 0755 "$work"/tools/usr/bin/{etcd,kubectl} "$out"

# --- the build: no network, no git (the tree may lie in another one's), no state of the user's
tree=$(find "$work" -maxdepth 1 -type d -name 'kubernetes-*')
upstream=${version#*really} upstream=${upstream%%-*}
cat > "$work/version" <<- END
	KUBE_GIT_COMMIT=debian
	KUBE_GIT_TREE_STATE=clean
	KUBE_GIT_VERSION=v$upstream
	KUBE_GIT_MAJOR=$(cut -d. -f1 <<< "$upstream")
	KUBE_GIT_MINOR=$(cut -d. -f2 <<< "$upstream")
END
mkdir -p "$tree/.go/src/k8s.io" "$work/home"
ln -s ../../.. "$tree/.go/src/k8s.io/kubernetes"
say "building kubelet and kube-apiserver (log: $cache/build.log)"
env -i HOME="$work/home" LANG=C.UTF-8 PATH="$work/tools/usr/lib/${go/lang/}/bin:/usr/bin:/bin" \
	GOROOT="$work/tools/usr/lib/${go/lang/}" GOPATH="$tree/.go" GOCACHE="$work/gocache" \
	GOPROXY=off GOFLAGS=-mod=vendor CGO_ENABLED=0 \
	KUBE_GIT_VERSION_FILE="$work/version" \
	SOURCE_DATE_EPOCH="$(dpkg-parsechangelog -l "$tree/debian/changelog" -S Timestamp)" \
	nice -n 5 make -C "$tree" MAKEFLAGS= WHAT="cmd/kubelet cmd/kube-apiserver" \
	> "$cache/build.log" 2>&1 || fail "the build failed: $(tail -5 "$cache/build.log")"
install -m 0755 "$tree"/_output/local/bin/linux/*/kube{let,-apiserver} "$out"
"$out/kubelet" --version > "$out/complete.new"
mv "$out/complete.new" "$out/complete"
chmod -R u+w "$work"
rm -rf "$work"
say "built $version in $((SECONDS - begun)) s"
echo "$out"
