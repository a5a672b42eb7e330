# shellcheck shell=bash
# What a guest does to its kernel before the agent comes, by the state of tests/kernels/variants, and
# how it shows that the state was real. Sourced by checks.sh.
OTHERS="/guest/others.bpf.o"

state_begin() {
	case $state in
	btf) mount -t tmpfs none /sys/kernel/btf ;;
	kprobes)
		# The kernel's own switches: kprobes stay unarmed, ftrace calls nobody.
		echo 0 > /sys/kernel/debug/kprobes/enabled
		echo 0 > /proc/sys/kernel/ftrace_enabled
		absent kprobe trampoline
		;;
	trampolines) absent trampoline ;;
	tracer) others_start trace $OTHERS /usr/lib/*-linux-gnu/libpam.so.0 ;;
	multi | override | exclusive) others_start cgroup $OTHERS "$state" /sys/fs/cgroup ;;
	esac
}

# As rsyslog writes it; busybox adds facility and level.
syslog_start() {
	local line
	: > /var/log/auth.log
	syslogd -n -O - < /dev/null 2> /dev/null | while IFS= read -r line; do
		[[ $line =~ ^(.*)\ auth[a-z]*\.[a-z]*\ (.*)$ ]] &&
			line="${BASH_REMATCH[1]} ${BASH_REMATCH[2]}"
		echo "$line"
	done >> /var/log/auth.log &
	until_true "$WAIT" ls /dev/log
}

# absent WHAT...: none of these can be attached and fires
absent() {
	local what has=""
	for what; do
		if /guest/others can $OTHERS "$what" > /tmp/can 2>&1; then has="$has $what"; fi
	done
	if [ -z "$has" ]; then
		say absent PASS "$(tail -1 /tmp/can)"
	else
		say absent FAIL "there is still:$has"
	fi
}

others_start() {
	/guest/others "$@" > /tmp/others 2>&1 &
	others=$!
	until_true "$WAIT" grep READY /tmp/others || say beside FAIL "$(cat /tmp/others)"
}

# Logs, where they are all there is.
state_files() { [ "$state" != log ] || echo /var/log/auth.log; }

# What others hold for themselves on the cgroup root.
state_taken() {
	case $state in
	override | exclusive) echo "peer4 peer6 first unix" ;;
	log) echo "peer4 peer6 fork exec exit tcp snapshot pam unix first" ;;
	esac
}

# Whoever was there first has been served, too; and what we could not have is said.
state_end() {
	local idle
	case $state in
	tracer | multi | override | exclusive) ;;
	*) return ;;
	esac
	kill "$others"
	wait "$others"
	idle=$(awk '$1 == "RAN" { n++; if (!$3) printf " %s", $2 } END { if (!n) print "no program" }' /tmp/others)
	if [ -z "$idle" ]; then say beside PASS; else say beside FAIL "never ran:$idle"; fi
	case $state in
	override | exclusive) refused_is_said ;;
	esac
}

refused_is_said() {
	local said
	said=$(status | jq -r '.sensors[] | select(.name == "peer4" or .name == "first") |
		"\(.name) \(.on) \(.reason)"')
	if [ "$(grep -c 'false .*another program' <<< "$said")" = 2 ]; then
		say told PASS "$(head -1 <<< "$said")"
	else
		say told FAIL "$said"
	fi
}
