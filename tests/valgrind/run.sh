#!/bin/bash
# memcheck over what reads hostile input and what keeps the store: replay of golden cases, the commands
# of the store, and a short run of the whole agent (its parent, its engine).
#
#   tests/valgrind/run.sh            `make test-valgrind`
#   tests/valgrind/run.sh WORD...    golden cases whose path contains a word, and no agent
# The agent's and the commands' code has no threads (outergate-forward's libraries have), so that there
# is nothing for a detector of races.
# Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")/../.." || exit 1
export BUILD=${BUILD:-build}
command -v valgrind >/dev/null || sh tools/deps.sh test >/dev/null || { echo "0 passed, 1 failed"; exit 1; }
tmp=$(mktemp -d)
chmod 755 "$tmp"
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0
# What is still reachable at exit is what a command that ends does not give back.
check=(valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite
	--track-origins=no --trace-children=no)

memcheck() { # NAME COMMAND...: no error of memory, whatever the command's own exit code is
	local name=$1
	shift
	"${check[@]}" --log-file="$tmp/log" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	if [ $? != 99 ] && [ ! -s "$tmp/log" ]; then
		passed=$((passed + 1))
		return
	fi
	failed=$((failed + 1))
	echo "FAIL $name"
	head -30 "$tmp/log" | cut -c1-140
}

og=$BUILD/outergate
if [ $# = 0 ]; then # one case of each detection
	mapfile -t cases < <(for d in tests/golden/*.*/; do find "$d" -name input.log | sort | head -1; done)
else
	mapfile -t cases < <(for w; do find tests/golden -name input.log -path "*$w*"; done | sort -u)
fi
cat "${cases[@]}" >"$tmp/all.log"
for c in "${cases[@]}"; do
	config=()
	[ -e "${c%/*}/config.yaml" ] && config=(--config "${c%/*}/config.yaml")
	memcheck "replay $c" "$og" replay "${config[@]}" "$c"
done
memcheck "replay --store" "$og" replay --store "$tmp/a.db" "$tmp/all.log"
id=$("$og" alerts --format json --store "$tmp/a.db" | sed -n '1s/.*"id":"\([0-9a-f]*\)".*/\1/p')
for c in "alerts" "sessions --format json" "explain $id" "report" "verify" "profiles" "setup" \
	"forget --origin 203.0.113.0/24" "learn $tmp/all.log" "alerts note $id --note seen"; do
	# shellcheck disable=SC2086
	memcheck "$c" "$og" $c --store "$tmp/a.db"
done
memcheck "check" "$og" check deploy/outergate.yaml
memcheck "decode" "$og" decode "Failed password for root from 203.0.113.9 port 22 ssh2"

agent() { # A guess that succeeds, told by an agent whose memory is watched; then it ends in order.
	local d=$tmp/agent pid line when
	mkdir "$d"
	touch "$d/mail.log"
	cat >"$d/c.yaml" <<-YAML
		Sources: {Journal: false, Files: [$d/mail.log]}
		Outputs: {Journald: false, Json: true}
		GeoDatabases: []
		Store: $d/store/outergate.db
		Runtime: $d/run
	YAML
	chmod 755 "$d"
	"${check[@]}" --log-file="$d/log.%p" "$og" run --config "$d/c.yaml" >"$d/out" 2>"$d/err" </dev/null &
	pid=$!
	for _ in $(seq 600); do
		grep -q "outergate: ready" "$d/err" && break
		kill -0 $pid 2>/dev/null || break
		sleep 0.5
	done
	when=$(date "+%b %e %T")
	for i in 1 2 3 4 5 6 7 8; do
		line="imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<victim>, method=PLAIN"
		echo "$when mail dovecot: $line, rip=203.0.113.66, lip=192.0.2.1, TLS, session=<s$i>"
	done >>"$d/mail.log"
	echo "$when mail dovecot: imap-login: Login: user=<victim>, method=PLAIN, rip=203.0.113.66, lip=192.0.2.1, mpid=1, TLS, session=<s9>" >>"$d/mail.log"
	for _ in $(seq 240); do
		grep -q auth.bruteforce_success "$d/out" && break
		sleep 0.5
	done
	kill -TERM $pid
	wait $pid
	code=$?
	"$og" run --unpin --config "$d/c.yaml" >/dev/null 2>&1
	# The parent's report and the engine's: one file a process.
	if [ $code = 0 ] && grep -q auth.bruteforce_success "$d/out" && ! grep -lqs . "$d"/log.*; then
		passed=$((passed + 1))
		return
	fi
	failed=$((failed + 1))
	echo "FAIL the agent: exit $code"
	tail -3 "$d/err"
	head -40 "$d"/log.* | cut -c1-140
}
if [ $# = 0 ]; then
	exec 9>/tmp/outergate-live.lock
	flock -w 900 9
	agent
fi
echo "$passed passed, $failed failed"
[ $failed = 0 ]
