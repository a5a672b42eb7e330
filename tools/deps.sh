#!/bin/sh
# Installs what building, testing and running need on Debian 12; does nothing when all is there.
set -eu
packages="gcc make clang llvm clang-format clang-tidy cppcheck pkg-config libc6-dev libbpf-dev
bpftool libelf-dev zlib1g-dev libcmocka-dev libjansson-dev libsqlite3-dev sqlite3 libyaml-dev
libsystemd-dev libseccomp-dev libcap-ng-dev libpam0g-dev python3-minimal python3 libclang-rt-14-dev
openssh-server openssh-client sshpass iproute2 systemd procps util-linux rsync git"

missing=""
for p in $packages; do
	dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $p"
done
if [ -n "$missing" ]; then
	[ "$(id -u)" = 0 ] || { echo "outergate: run as root once, or install:$missing" >&2; exit 3; }
	echo "installing:$missing"
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -q
	# shellcheck disable=SC2086
	apt-get install -y -q --no-install-recommends $missing
fi
# The agent's unprivileged half runs as this user.
if [ "$(id -u)" = 0 ] && ! getent passwd outergate >/dev/null; then
	useradd --system --user-group --no-create-home --home-dir /var/lib/outergate \
		--shell /usr/sbin/nologin outergate
fi
