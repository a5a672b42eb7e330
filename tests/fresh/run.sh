#!/bin/bash
# The README's two commands on a machine that never saw this project: a freshly bootstrapped
# Debian 12 root (make and ca-certificates, nothing else), a clone of HEAD in it, `make run` until
# the agent says that it is ready, then `make test`. Slow, so a target of its own: make test-fresh
#
# Sees missing packages, paths, users and files that only the developer's machine has. Cannot see
# another kernel, a running systemd, or an installer that starts services: a chroot has neither.
# The base root and the downloaded packages stay in $BUILD/fresh for the next run. Mirror and apt
# settings are those of this machine. Mounts are private to a mount namespace and vanish with it.
#   FRESH_READY=900  seconds that the first `make run` may take until it is ready
#   FRESH_TEST=3000  seconds that `make test` may take
#   FRESH_STEPS="run test"   leave one out
#   FRESH_SUITES="unit cli"  these suites alone
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=$(mkdir -p "${BUILD:-build}/fresh" && cd "${BUILD:-build}" && pwd)
dir=$BUILD/fresh
root=$dir/root
data=${OUTERGATE_DATA:-$PWD/../shared/data}
log=$dir/log
steps=${FRESH_STEPS:-run test}
passed=0 failed=0

if [ "$(id -u)" != 0 ]; then
	echo "tests/fresh: needs root (chroot, mounts)"
	echo "0 passed, 1 failed"
	exit 1
fi
if [ -z "${FRESH_INSIDE:-}" ]; then
	export FRESH_INSIDE=1
	exec nice -n 10 flock -o "$dir/lock" unshare --mount --propagation private "$0"
fi

say() { printf '%s %s\n' "$(date +%T)" "$*"; }
step() { # NAME, STATUS [TEXT]
	if [ "$2" = 0 ]; then
		passed=$((passed + 1))
		say "PASS $1"
	else
		failed=$((failed + 1))
		say "FAIL $1"
		shift 2
		printf '    %s\n' "$@"
	fi
}

# The processes whose root is the fresh one, in whatever mount namespace.
inhabitants() {
	local p
	for p in /proc/[0-9]*; do
		[ "$p/root" -ef "$root" ] && echo "${p#/proc/}"
	done
}

clean_up() {
	local pids
	for _ in $(seq 20); do
		pids=$(inhabitants)
		[ -n "$pids" ] || break
		# shellcheck disable=SC2086
		kill -KILL $pids 2>/dev/null
		sleep 0.1
	done
	umount -R "$root" 2>/dev/null || umount -R -l "$root" 2>/dev/null
	rm -rf --one-file-system "$root"
}

# What this machine's apt knows of Debian 12: "URI SUITE COMPONENT", one a line.
sources() {
	# shellcheck disable=SC2016
	apt-get indextargets --format '$(CREATED_BY) $(ORIGIN) $(REPO_URI) $(RELEASE) $(COMPONENT)' |
		awk '$1 == "Packages" && $2 == "Debian" && $4 ~ /^bookworm/ {print $3, $4, $5}' | sort -u
}

bootstrap() {
	[ -e "$dir/base.tar" ] && return
	command -v debootstrap >/dev/null || DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -q --no-install-recommends debootstrap || return
	local mirror
	mirror=$(sources | awk '$2 == "bookworm" && $3 == "main" {print $1; exit}')
	[ -n "$mirror" ] || { echo "no source of bookworm in this machine's apt"; return 1; }
	rm -rf --one-file-system "$dir/base"
	debootstrap --variant=minbase --include=make,ca-certificates bookworm "$dir/base" "$mirror" ||
		return
	rm -rf "$dir"/base/var/cache/apt/archives/*.deb "$dir"/base/dev/*
	tar -C "$dir/base" --numeric-owner -cf "$dir/base.tar.new" . &&
		mv "$dir/base.tar.new" "$dir/base.tar"
	rm -rf --one-file-system "$dir/base"
}

device_nodes() {
	local name minor
	while read -r name minor; do
		mknod -m 0666 "$root/dev/$name" c 1 "$minor" || return
	done <<-'END'
		null 3
		zero 5
		full 7
		random 8
		urandom 9
	END
	mknod -m 0600 "$root/dev/kmsg" c 1 11 && mknod -m 0666 "$root/dev/tty" c 5 0
	mknod -m 0600 "$root/dev/console" c 1 3
	mkdir -p "$root/dev/net" && mknod -m 0666 "$root/dev/net/tun" c 10 200
	mkdir "$root/dev/pts" "$root/dev/shm"
	mount -t devpts -o newinstance,gid=5,mode=620,ptmxmode=666 devpts "$root/dev/pts" &&
		mount -t tmpfs tmpfs "$root/dev/shm" || return
	ln -s pts/ptmx "$root/dev/ptmx"
	ln -s /proc/self/fd "$root/dev/fd"
	for name in 0,stdin 1,stdout 2,stderr; do
		ln -s "/proc/self/fd/${name%,*}" "$root/dev/${name#*,}"
	done
}

mounts() {
	mount --bind "$root" "$root" && mount --make-private "$root" &&
		mount -t proc proc "$root/proc" &&
		mount -t sysfs sysfs "$root/sys" &&
		mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup" &&
		mount -t bpf bpf "$root/sys/fs/bpf" &&
		mount -t tracefs tracefs "$root/sys/kernel/tracing" &&
		mount -t tmpfs -o mode=0755 tmpfs "$root/run" &&
		mount -t tmpfs -o mode=0755 tmpfs "$root/dev" &&
		mkdir -m 1777 "$root/run/lock" && device_nodes || return
	mkdir -p "$dir/archives/partial" &&
		mount --bind "$dir/archives" "$root/var/cache/apt/archives" || return
	# The lock of the live tests.
	touch "$root/tmp/outergate-live.lock" &&
		mount --bind /tmp/outergate-live.lock "$root/tmp/outergate-live.lock" || return
	if [ -d "$data" ]; then
		mkdir "$root/srv/data" && mount --bind "$data" "$root/srv/data" &&
			mount -o remount,bind,ro "$root/srv/data"
	fi
}

# The network and apt of this machine; no service starts, for this is no booted system.
settings() {
	cp -L /etc/resolv.conf /etc/hosts "$root/etc/" &&
		sources | sed 's/^/deb /' >"$root/etc/apt/sources.list" || return
	apt-config dump | grep -E '^Acquire::(Check-Valid-Until|Check-Date|https?::|Retries)' \
		>"$root/etc/apt/apt.conf.d/90machine"
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" &&
		chmod 755 "$root/usr/sbin/policy-rc.d" || return
	# Whom this machine trusts on its way out: a network may have an authority of its own.
	[ -r /etc/ssl/certs/ca-certificates.crt ] || return 0
	cp -L /etc/ssl/certs/ca-certificates.crt "$root/usr/local/share/authorities.pem" &&
		echo "cafile=/usr/local/share/authorities.pem" >"$root/root/.npmrc"
}

make_root() {
	rm -rf --one-file-system "$root" && mkdir -p "$root" && tar -C "$root" -xpf "$dir/base.tar" &&
		mounts && settings && git clone -q --no-hardlinks . "$root/root/outergate"
}

inside() { # COMMAND in the clone, as root after a login
	local env=(HOME=/root USER=root SHELL=/bin/bash TERM=xterm
		PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
	[ -d "$root/srv/data" ] && env+=(OUTERGATE_DATA=/srv/data)
	env -i "${env[@]}" chroot "$root" /bin/sh -c "cd /root/outergate && $1" </dev/null 9>&-
}

# The README's intruder, and what is told of him.
try_demo() {
	local told=1
	flock -w 900 9 # the kernel sees the whole machine: no live test beside it
	inside "exec sh tests/live/demo.sh" >"$log/demo.txt" 2>&1
	step "the demo plays" $? "$(tail -5 "$log/demo.txt")"
	for _ in $(seq 20); do
		inside "build/outergate alerts --detection chain.t1133" >"$log/alerts.txt" 2>&1
		grep -q 'chain\.t1133.*ogdemo' "$log/alerts.txt" && told=0 && break
		sleep 0.5
	done
	inside "build/outergate sessions" >"$log/sessions.txt" 2>&1
	inside "build/outergate status" >"$log/status-demo.txt" 2>&1
	step "and the agent tells his story" $told "$(head -20 "$log/alerts.txt" "$log/sessions.txt")"
	flock -u 9
}

# `make run` as typed, with the README's next commands, then Ctrl-C to the foreground group.
try_run() {
	local start=$SECONDS make ready=1 left=1
	set -m
	inside "exec make run" >"$log/run.txt" 2>&1 &
	make=$!
	set +m
	while [ $((SECONDS - start)) -lt "${FRESH_READY:-900}" ] && kill -0 $make 2>/dev/null; do
		grep -q '^outergate: ready' "$log/run.txt" && ready=0 && break
		sleep 0.2
	done
	step "make run is ready after $((SECONDS - start)) s" $ready "$(tail -25 "$log/run.txt")"
	[ $ready = 0 ] && for command in status sessions alerts detections probe check\ --defaults; do
		inside "build/outergate $command" >"$log/${command%% *}.txt" 2>&1
		step "outergate $command" $? "$(tail -5 "$log/${command%% *}.txt")"
	done
	[ $ready = 0 ] && try_demo
	kill -INT -- -$make 2>/dev/null
	for _ in $(seq 150); do
		[ -z "$(inhabitants)" ] && left=0 && break
		sleep 0.1
	done
	step "Ctrl-C ends it" $left "still there: $(inhabitants | xargs)"
	# shellcheck disable=SC2046
	[ $left = 0 ] || kill -KILL $(inhabitants) 2>/dev/null
	wait $make 2>/dev/null
	left=$(find "$root/sys/fs/bpf" -mindepth 1 ! -name "*.debug" | head -5) # those are the kernel's
	step "and takes its hooks away" "$([ -z "$left" ]; echo $?)" "$left"
}

try_test() {
	local start=$SECONDS code
	inside "exec timeout -k 20 ${FRESH_TEST:-3000} make test SUITES='${FRESH_SUITES:-}'" >"$log/test.txt" 2>&1
	code=$?
	step "make test in $((SECONDS - start)) s: $(tail -1 "$log/test.txt")" $code \
		"exit $code" "$(grep -E '^(==|FAIL|FAILED|--|failed:)' "$log/test.txt" | tail -40)"
	grep -qE '^[0-9]+ passed, 0 failed' <(tail -1 "$log/test.txt")
	step "make test ends with its count" $? "$(tail -3 "$log/test.txt")"
	grep "^== all suites" "$log/test.txt"
	local left
	left=$(inhabitants | while read -r p; do tr '\0' ' ' <"/proc/$p/cmdline"; echo; done)
	step "make test leaves no process" "$([ -z "$left" ]; echo $?)" "$left"
}

main() {
	mkdir -p "$log"
	say "bootstrapping"
	bootstrap >"$log/bootstrap.txt" 2>&1 || {
		tail -5 "$log/bootstrap.txt"
		echo "0 passed, 1 failed"
		exit 1
	}
	trap clean_up EXIT
	trap 'exit 1' INT TERM HUP
	exec 9>>/tmp/outergate-live.lock
	error=$(make_root 2>&1)
	step "a fresh root with a clone of HEAD ($(git rev-parse --short HEAD))" $? "$error"
	if [ $failed = 0 ]; then
		for s in $steps; do
			"try_$s"
		done
		left=$(git -c safe.directory='*' -C "$root/root/outergate" status --porcelain | head -5)
		step "the clone is as it was cloned" "$([ -z "$left" ]; echo $?)" "$left"
	fi
	echo "$passed passed, $failed failed"
	[ $failed = 0 ]
}
main
exit # the file may be another one by now
