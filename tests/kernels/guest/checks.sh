#!/bin/bash
# The session tests in short, on the kernel that runs here and with no log source: what is told
# comes from the kernel alone. The names of the checks are those of tests/kernels/expected.
#
#   checks.sh full|short STATE CHECKS     STATE: a row of tests/kernels/variants has it, or -
#                                         CHECKS: those that cannot pass, with commas between
. /guest/lib.sh
. /guest/states.sh
form=$1 state=$2 excepted=,$3,
echo 1 > /proc/sys/kernel/bpf_stats_enabled
/guest/net.sh
[ "$state" != log ] || syslog_start
/guest/sshd.sh srv 22
/guest/sshd.sh ext 22
# One with a libpam of its own.
mkdir -p /opt/lib
cp /usr/lib/*-linux-gnu/libpam.so.0 /opt/lib/
LD_LIBRARY_PATH=/opt/lib /guest/sshd.sh srv 2222
dd if=/dev/urandom of=/guest/blob bs=1024 count=768 2>/dev/null
cat > $CONFIG <<X
Store: /var/lib/outergate/outergate.db
Runtime: /run/outergate
Sources:
  Journal: false
  Files: [$(state_files)]
  WatchPorts: [22, 2222]
Outputs:
  Journald: false
X
: > /tmp/alerts.jsonl

probe() {
	local out
	if out=$(outergate probe --format json); then
		say probe PASS "$(jq -c '[.features[] | select(.has | not) | .name]' <<< "$out")"
	else
		say probe FAIL "$out"
	fi
	echo "PROBE $out"
}

# Without BTF nothing can be loaded: one sentence and exit 1, not a crash.
no_btf() {
	local out code
	out=$(unshare -m bash -c "mount -t tmpfs none /sys/kernel/btf &&
		exec outergate run --config $CONFIG" 2>&1 < /dev/null)
	code=$?
	if [ $code = 1 ] && [[ $out == *BTF* ]] && [ "$(wc -l <<< "$out")" = 1 ]; then
		say no_btf PASS
	else
		say no_btf FAIL "exit $code: $out"
	fi
}

# Falling back where it need not is a failure too: it costs, and nothing else would show it.
marks() {
	local want is
	case $(uname -r) in
	5.* | 6.1.* | 6.12.*) want="hash" ;;
	*) want="task storage" ;;
	esac
	is=$(status | jq -r .marks)
	if [ "$is" = "$want" ]; then say marks PASS "$is"; else say marks FAIL "$is, not $want"; fi
}

hooks() {
	if agent_start; then
		say hooks PASS
		marks
	else
		say hooks FAIL "$(tail -1 /tmp/agent.err) $(status |
			jq -c '[.sensors[] | select(.on | not) | [.name, .reason]]')"
		# Without an agent there is nothing to wait for.
		kill -0 "$agent" 2> /dev/null || WAIT=0
	fi
}

# session_stay ACCOUNT PIPE: a session that lasts until somebody writes to or closes /tmp/PIPE
session_stay() {
	mkfifo "/tmp/$2"
	with_key "$1" "read x && /bin/echo $2-mark" < "/tmp/$2" &
	client=$!
	exec 7> "/tmp/$2"
	until_true "$WAIT" user_runs "$1"
}

# The guest's ps is busybox, which has no pgrep.
# shellcheck disable=SC2009
user_runs() { ps -o user,args | grep "^$1 .*[b]ash"; }

# Begun before the agent was ever there.
existing() {
	session_stay ivan before
	hooks
	want existing sessions '.account == "ivan" and .existing and .state == "open" and
		.origin.address == "'$OUTSIDE'"'
	echo >&7
	exec 7>&-
	# Its shell was there before, too.
	want existing_goes_on sessions '.account == "ivan" and ran("/bin/echo before-mark")'
}

kept_now() { status | jq -e .kept_while_dead > /dev/null; }

kept() {
	if kept_now; then
		say kept PASS
	else
		say kept FAIL "$(status | jq -r .kept_reason)"
	fi
}

password() {
	by password wr0ng alice true
	by password $PASSWORD alice /bin/echo password-mark
	want password sessions '.account == "alice" and .method == "password" and
		.origin.address == "'$OUTSIDE'" and .service == "ssh"'
	want attempts sessions '.account == "alice" and .failures_before == 1'
	want alert alerts '.detection == "access.external" and .account == "alice" and
		.origin.address == "'$OUTSIDE'"'
}

publickey() {
	with_key bob "/bin/echo key-mark; /usr/bin/id"
	want publickey sessions '.account == "bob" and .method == "publickey"'
	want commands sessions '.account == "bob" and
		ran("/bin/echo key-mark") and ran("/usr/bin/id")'
	want closed sessions '.account == "bob" and .state == "closed" and .close != null'
}

# What a client says first, and its fingerprint, with no log to tell it.
client() {
	want client sessions '.account == "bob" and (.client // "" | contains("OpenSSH")) and
		(.fingerprint // "") != ""'
}

# The connection ends, a process of the session goes on, and ends.
lingers() {
	with_key nina "setsid sleep 15 > /dev/null 2>&1 < /dev/null &"
	want lingers sessions '.account == "nina" and .state == "lingering"'
	want last_exit sessions '.account == "nina" and .state == "closed"'
}

other_libpam() {
	# shellcheck disable=SC2034
	PORT=2222
	by password $PASSWORD oscar true
	want other_libpam sessions '.account == "oscar" and .method == "password"'
	PORT=22
}

# Another session's ssh agent: told by who connects the socket.
borrowed() {
	mkdir -p /tmp/ssh-guest
	chown bob /tmp/ssh-guest
	su bob -s /usr/bin/bash -c "ssh-agent -a /tmp/ssh-guest/agent.1"
	with_key bob "SSH_AUTH_SOCK=/tmp/ssh-guest/agent.1 ssh-add -l"
	want borrowed sessions '.account == "bob" and any(.handoffs[]?; .kind == "ssh-agent" and
		.to == "/tmp/ssh-guest/agent.1")'
}

keyboard() {
	by keyboard-interactive $PASSWORD carol /bin/echo keyboard-mark
	want keyboard sessions '.account == "carol" and .method == "keyboard-interactive"'
}

ipv6() {
	by_six bob /bin/echo six-mark
	want ipv6 sessions '.account == "bob" and .origin.address == "'$OUTSIDE6'" and
		ran("/bin/echo six-mark")'
}

# Where no program may be loaded the agent starts, says so, and reads logs.
blind() {
	local said
	agent_start || true
	said=$(status | jq -r '[.sensors[] | select(.on | not) | .reason |
		select(contains("locked down"))] | length')
	if [ "${said:-0}" -ge 7 ] && grep -qx "outergate: this kernel is locked down .*; logins are known from logs alone" \
		/tmp/agent.err; then say blind PASS; else say blind FAIL "$(tail -1 /tmp/agent.err) $said"; fi
	want blind_alert alerts '.detection == "sensor.blind" and (.reason // "" | contains("probe-missing"))'
}

# A process is more than its first thread: what the others start belongs to the session too.
threads() {
	with_key mallory "/guest/threads exec /bin/bash -c '/bin/echo exec-mark; /usr/bin/true'
		/guest/threads leave /bin/bash -c '/bin/echo leave-mark; /usr/bin/true'"
	want threads sessions '.account == "mallory" and .state == "closed" and
		ran("/bin/echo exec-mark") and ran("/bin/echo leave-mark")'
}

onward() {
	with_key dave "ssh -F none -o StrictHostKeyChecking=no -o LogLevel=ERROR erin@$INSIDE true"
	want onward sessions '.account == "dave" and
		any(.destinations[]; .address == "'$INSIDE'" and .port == 22)'
}

onward6() {
	with_key peggy "ssh -F none -o StrictHostKeyChecking=no -o LogLevel=ERROR erin@$OUTSIDE6 true"
	want onward6 sessions '.account == "peggy" and
		any(.destinations[]; .address == "'$OUTSIDE6'" and .port == 22)'
}

# From here to the outside, and back through it.
tunnel() {
	local client n
	# shellcheck disable=SC2086
	nsenter --net=/run/netns/srv ssh $options -i /guest/key -N \
		-R 127.0.0.1:4811:127.0.0.1:22 "erin@$OUTSIDE" &
	client=$!
	for n in 1 2 3 4 5; do
		sleep 2
		# shellcheck disable=SC2086
		outside ssh $options -i /guest/key -p 4811 bob@127.0.0.1 true && break
	done
	want tunnel alerts '.detection == "access.loopback_forwarded" and
		.origin.address == "'$OUTSIDE'" and (.sentence | contains("'"'ssh'"'"))'
	kill $client
	wait $client
}

# Datagrams of a program with the name of such a tool; the first may be too early.
vpn() {
	local client
	cp /usr/bin/bash /tmp/ngrok
	nsenter --net=/run/netns/srv /tmp/ngrok -c 'for n in {1..100}; do
		echo hello > /dev/udp/'$OUTSIDE'/4443
		sleep 1
	done' 2> /dev/null &
	client=$!
	want vpn alerts '.detection == "activity.external_vpn" and .origin.address == "'$OUTSIDE'" and
		(.sentence | contains("over UDP"))'
	kill $client
	wait $client
}

bytes() {
	with_scp "erin@$SERVER:/guest/blob" /tmp/fetched
	want bytes_out sessions '.account == "erin" and .origin.address == "'$OUTSIDE'" and
		.bytes_out > 786432 and .bytes_out < 865075'
	with_scp /guest/blob "frank@$SERVER:blob"
	want bytes_in sessions '.account == "frank" and
		.bytes_in > 786432 and .bytes_in < 865075'
	cmp /guest/blob /tmp/fetched && cmp /guest/blob /home/frank/blob
}

# A session lives through the agent's death; another begins and ends while it is dead.
death() {
	local id live
	session_stay grace live
	live=$client
	exec 9>&7
	until_true "$WAIT" sessions '.account == "grace" and .state == "open"'
	id=$(jq -r .id <<< "$seen")
	want live_bytes sessions '.account == "grace" and .state == "open" and .bytes_in > 0'
	with_key bob /bin/echo before-death
	/guest/others runs > /tmp/runs # of programs that end with it
	agent_kill
	with_key heidi "/bin/echo dead-mark; ssh -F none -o StrictHostKeyChecking=no \
		-o LogLevel=ERROR erin@$INSIDE true"
	session_stay judy dead
	agent_start || echo "NOTE the agent did not come back: $(tail -2 /tmp/agent.err)"
	want found sessions '.account == "grace" and .id == "'"$id"'" and .state == "open" and .existing'
	want dead_live sessions '.account == "judy" and .state == "open" and
		.origin.address == "'$OUTSIDE'"'
	exec 7>&-
	want dead_login sessions '.account == "heidi" and .origin.address == "'$OUTSIDE'" and
		.method == "publickey"'
	want dead_command sessions '.account == "heidi" and ran("/bin/echo dead-mark")'
	want dead_onward sessions '.account == "heidi" and any(.destinations[]; .address == "'$INSIDE'")'
	want dead_alert alerts '.detection == "access.external" and .account == "heidi"'
	echo >&9
	exec 9>&-
	wait "$live"
	want found_goes_on sessions '.id == "'"$id"'" and .state == "closed" and
		ran("/bin/echo live-mark")'
	once
}

# Whatever died and came back, nobody is told of twice.
once() {
	local twice
	twice=$(sessions 'true' | jq -r .id | sort | uniq -d)
	twice="$twice$(sessions '.origin.address == "'$OUTSIDE'"' | jq -r .account | sort | uniq -c |
		awk '$1 > 1 && $2 != "bob" { print $2, $1 }')"
	if [ -z "$twice" ]; then say once PASS; else say once FAIL "$twice"; fi
}

loss() {
	local lost
	lost=$(status | jq -c '.counters | with_entries(select((.key | test("lost|full|failed")) and
		.value > 0))')
	if [ "$lost" = '{}' ]; then say loss PASS; else say loss FAIL "$lost"; fi
}

# Each program of the object has run: what is attached and never fires is blind, too.
fired() {
	local name ran missing=""
	/guest/others runs >> /tmp/runs
	for name in $(awk '$1 == "INSNS" { print $2 }' /tmp/instructions); do
		# The kernel keeps 15 letters of a name.
		ran=$(awk -v n="${name:0:15}" '$1 == "RUNS" && $2 == n { r += $3 } END { print r + 0 }' /tmp/runs)
		[ "$ran" -gt 0 ] || missing="$missing $name"
	done
	if [ -z "$missing" ]; then say fired PASS; else say fired FAIL "never ran:$missing"; fi
}

case $state-$form in
btf-*) parts="no_btf" ;;
log-*) parts="blind password publickey loss" ;;
*-full)
	parts="no_btf existing kept password publickey client keyboard ipv6 threads onward onward6
		lingers other_libpam borrowed tunnel vpn bytes death fired loss"
	;;
*-short) parts="existing password publickey client ipv6 onward loss" ;;
esac
state_begin
[ "$state" = btf ] || probe
/guest/instructions > /tmp/instructions 2>&1
cat /tmp/instructions
for part in $parts state_end; do
	$part
done > /tmp/out 2>&1
grep -E '^(NOTE|\{)' /tmp/out
echo "STATUS $(status)"
[ "$state" != log ] || sed 's/^/LOG /' /var/log/auth.log
grep -vE '^(NOTE|\{)' /tmp/out | sed 's/^/OUT /'
sed 's/^/AGENT /' /tmp/agent.err
