# shellcheck shell=bash disable=SC2034
# What the checks of a guest use: the agent, clients, questions with a bound on the wait.
# Sourced by checks.sh. One line a check: "CHECK name PASS|FAIL detail".
CONFIG=/run/outergate.yaml
OUTSIDE=203.0.113.10
SERVER=203.0.113.1
OUTSIDE6=2001:db8:1::10
SERVER6=2001:db8:1::1
INSIDE=10.20.0.2
PASSWORD=Corr3ct
# An emulated machine whose processors others use, too, is slow.
WAIT=${WAIT:-150}
PORT=22
options="-F none -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR
	-o ConnectTimeout=60 -o NumberOfPasswordPrompts=1"

# At once, so that a guest that hangs has told how far it came.
say() { echo "CHECK $1 $2 ${*:3} (${SECONDS} s)" > /dev/console; }

# until_true SECONDS COMMAND...: polls; the command's last output is in $seen
until_true() {
	local end=$((SECONDS + $1))
	shift
	while :; do
		seen=$("$@") && [ -n "$seen" ] && return 0
		[ $SECONDS -lt $end ] || return 1
		sleep 0.3
	done
}

# --- clients of the outside
outside() { nsenter --net=/run/netns/ext "$@"; }

# by METHOD PASSWORD ACCOUNT COMMAND...
by() {
	# shellcheck disable=SC2086
	outside sshpass -p "$2" ssh $options -o BindAddress=$OUTSIDE -o PubkeyAuthentication=no \
		-o PreferredAuthentications="$1" -p $PORT "$3@$SERVER" "${@:4}"
}

# with_key ACCOUNT COMMAND...
with_key() {
	# shellcheck disable=SC2086
	outside ssh $options -o BindAddress=$OUTSIDE -o PreferredAuthentications=publickey \
		-i /guest/key "$1@$SERVER" "${@:2}"
}

# by_six ACCOUNT COMMAND...
by_six() {
	# shellcheck disable=SC2086
	outside ssh $options -o PreferredAuthentications=publickey -i /guest/key \
		"$1@$SERVER6" "${@:2}"
}

# with_scp FROM TO
with_scp() {
	# shellcheck disable=SC2086
	outside scp $options -o BindAddress=$OUTSIDE -i /guest/key "$1" "$2"
}

# --- the agent
agent_start() {
	outergate run --config $CONFIG --json >> /tmp/alerts.jsonl 2>> /tmp/agent.err < /dev/null &
	agent=$!
	until_true "$WAIT" agent_ready && [ "$seen" != gone ]
}

# All but what only adds detail (unix, from Linux 6.7), and what others keep for themselves.
agent_ready() {
	kill -0 "$agent" 2> /dev/null || { echo gone; return; }
	status | jq -c --arg taken "$(state_taken)" \
		'select(all(.sensors[]; .on or .name == "unix" or
			(.name | IN($taken | split(" ")[])))) | .pid'
}

status() { outergate status --config $CONFIG --format json 2>/dev/null; }

# Both halves at once, as a crash or the kernel's memory killer would.
agent_kill() {
	local child
	child=$(ps -o pid,ppid | awk -v p="$agent" '$2 == p { print $1 }')
	# shellcheck disable=SC2086
	kill -9 "$agent" $child
	wait "$agent" 2>/dev/null
}

# --- questions: jq filters over the sessions of the store and the alerts that were printed
# ran(TEXT): that very command, not one that mentions it
sessions() {
	outergate sessions --config $CONFIG --format json 2>/dev/null |
		jq -c "def ran(\$text): any(.commands[]; .text == \$text); select($1)"
}
alerts() { jq -c "select($1)" < /tmp/alerts.jsonl; }

session_brief='{id, account, method, origin: .origin.address, state, existing, bytes_in, bytes_out,
	commands: [.commands[]?.text], to: [.destinations[]?.address]}'
alert_brief='{detection, account, origin: .origin.address, severity, session}'

# want NAME sessions|alerts FILTER: PASS with what was found, FAIL with what was there instead
want() {
	local wait=$WAIT
	case $excepted in *",$1,"*) wait=15 ;; esac
	if until_true "$wait" "$2" "$3"; then
		say "$1" PASS "$(head -1 <<< "$seen" | jq -r '.id')"
	else
		say "$1" FAIL "no ${2%s} with $3"
		if [ "$2" = sessions ]; then
			sessions true | jq -c "$session_brief"
		else
			alerts true | jq -c "$alert_brief"
		fi
	fi
}
