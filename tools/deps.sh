#!/bin/sh
# Installs what Debian 12 needs; does nothing when all is there.
#   deps.sh build   to build and run the agent
#   deps.sh demo    a server and a client to watch      deps.sh test   what the tests need besides
#   deps.sh windows      to build outergate.exe and run it under Wine, for `make windows`
#   deps.sh packages     to build packages and look them over: `make packages-amd64`
#   deps.sh image        to build the container image: `make image`
#   deps.sh services-short  servers for tests/services in short; services: all of them, for `make test-services`
#   deps.sh arm64        and those of arm64, with what runs its programs: `make packages`
#   deps.sh bench        what `make bench` compares the agent with
#   deps.sh fuzz         for `make fuzz-afl`
#   deps.sh kubernetes   to build a cluster's programs and run them, for `make test-kubernetes`
set -eu
build="gcc make clang llvm pkg-config libc6-dev libbpf-dev bpftool libelf-dev zlib1g-dev
libjansson-dev libsqlite3-dev libyaml-dev libmaxminddb-dev libsystemd-dev libmd-dev libseccomp-dev libcap-ng-dev libevtx-dev libbfio-dev libpcre2-dev
libcurl4-openssl-dev libssl-dev librdkafka-dev libmicrohttpd-dev python3"
demo="openssh-server openssh-client sshpass iproute2 procps"
test="clang-format clang-tidy cppcheck binutils libclang-rt-14-dev libcmocka-dev python3 sqlite3 git
systemd util-linux bsdutils tzdata rsync sudo openbsd-inetd runc cron at tmux screen dbus debootstrap php8.2-cgi busybox-static openssl rsyslog rsyslog-openssl rsyslog-relp kcat strace valgrind libdevmapper1.02.1 nftables nginx-light tigervnc-standalone-server microsocks curl $demo"
windows="gcc-mingw-w64-x86-64 libz-mingw-w64-dev wine wine64 wixl msitools zip unzip faketime cmake tcl dpkg-dev patch debian-archive-keyring $build $test"
packages="debhelper dpkg-dev fakeroot lintian rpm rpmlint mandoc debian-archive-keyring"
image="buildah skopeo umoci yamllint ca-certificates tzdata binutils"
services_short="dropbear-bin telnetd vsftpd tinysshd ucspi-tcp tcpd openbsd-inetd tigervnc-standalone-server tigervnc-tools"
services="$services_short wireguard-go wireguard-tools charon-systemd strongswan-swanctl libcharon-extra-plugins samba smbclient shellinabox rsh-redone-server ocserv openconnect openvpn xrdp xorgxrdp freerdp2-x11 xvfb haproxy sslh iptables stunnel4 socat tor mosh cockpit-ws cockpit-bridge x11vnc curl"
# The country database and a ClickHouse engine come by it; some have it from elsewhere.
command -v npm >/dev/null || { test="$test npm" packages="$packages npm" windows="$windows npm" image="$image npm"; }
arm64="gcc-aarch64-linux-gnu qemu-user-static qemu-system-arm cpio $packages"
services_short="$services_short $test" services="$services $test"
fuzz="afl++ $build $test"
bench="auditd bpftrace libbpf-tools fail2ban sshguard crowdsec python3-systemd gcc libpam0g-dev nginx-light linux-perf $test"
kubernetes="dpkg-dev patch rsync jq socat openssl debian-archive-keyring $test"

case ${1:-} in
build) packages=$build ;;
demo) packages=$demo ;;
test) packages=$test ;;
kubernetes) packages=$kubernetes ;;
bench) packages=$bench ;;
fuzz) packages=$fuzz ;;
windows) packages=$windows ;;
packages) ;;
image) packages=$image ;;
services-short) packages=$services_short ;;
services) packages=$services ;;
arm64) packages=$arm64 ;;
*)
	echo "usage: deps.sh build|demo|test|kubernetes|windows|packages|image|services-short|services|arm64|bench|fuzz" >&2
	exit 2
	;;
esac
missing=""
for p in $packages; do
	dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $p"
done
if [ -n "$missing" ]; then
	[ "$(id -u)" = 0 ] || { echo "outergate: run as root once, or install:$missing" >&2; exit 3; }
	echo "installing:$missing"
	export DEBIAN_FRONTEND=noninteractive
	# Another installer may be at work (a machine that has just started): wait for it.
	apt="apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3"
	$apt update
	# Servers are there for tests to start: none shall listen because it was installed.
	policy=/usr/sbin/policy-rc.d
	if [ ! -e $policy ]; then
		printf '#!/bin/sh\nexit 101\n' > $policy
		chmod 755 $policy
		trap 'rm -f $policy' EXIT
	fi
	case $missing in *crowdsec*)
		# Its installer would register with a central service: it does not when that is done.
		mkdir -p /etc/crowdsec
		[ -s /etc/crowdsec/online_api_credentials.yaml ] ||
			echo 'url: http://127.0.0.1:9/' >/etc/crowdsec/online_api_credentials.yaml
		;;
	esac
	# shellcheck disable=SC2086
	$apt install -y --no-install-recommends $missing
fi
# The agent's unprivileged half runs as the one user, what sends to collectors as the other.
for user in outergate outergate-forward; do
	if [ "$(id -u)" = 0 ] && ! getent passwd $user >/dev/null; then
		useradd --system --user-group --no-create-home --home-dir /var/lib/outergate \
			--shell /usr/sbin/nologin $user
	fi
done
