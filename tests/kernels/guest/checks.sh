#!/bin/bash
# The session tests in short, on the kernel that runs here and with no log source: what is told
# comes from the kernel alone. The names of the checks are those of tests/kernels/expected.
. /guest/lib.sh
/guest/net.sh
/guest/sshd.sh srv
/guest/sshd.sh ext
dd if=/dev/urandom of=/guest/blob bs=1024 count=768 2>/dev/null
cat > $CONFIG <<X
Store: /var/lib/outergate/outergate.db
Runtime: /run/outergate
Sources:
  Journal: false
  Files: []
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
	exec 7>&-
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

keyboard() {
	by keyboard-interactive $PASSWORD carol /bin/echo keyboard-mark
	want keyboard sessions '.account == "carol" and .method == "keyboard-interactive"'
}

ipv6() {
	by_six bob /bin/echo six-mark
	want ipv6 sessions '.account == "bob" and .origin.address == "'$OUTSIDE6'" and
		ran("/bin/echo six-mark")'
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
	with_key bob /bin/echo before-death
	agent_kill
	with_key heidi "/bin/echo dead-mark; ssh -F none -o StrictHostKeyChecking=no \
		-o LogLevel=ERROR erin@$INSIDE true"
	session_stay judy dead
	agent_start || echo "NOTE the agent did not come back: $(tail -2 /tmp/agent.err)"
	want found sessions '.account == "grace" and .id == "'"$id"'" and .state == "open" and .existing'
	want dead_live sessions '.account == "judy" and .state == "open" and
		.origin.address == "'$OUTSIDE'"'
	exec 7>&-
	# Nothing to wait long for where the probes died with the agent.
	kept_now || WAIT=6
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

probe
for part in no_btf existing kept password publickey keyboard ipv6 threads onward tunnel bytes death loss; do
	$part
done > /tmp/out 2>&1
grep -E '^(CHECK|NOTE|\{)' /tmp/out
echo "STATUS $(status)"
grep -vE '^(CHECK|NOTE|\{)' /tmp/out | sed 's/^/OUT /'
sed 's/^/AGENT /' /tmp/agent.err
