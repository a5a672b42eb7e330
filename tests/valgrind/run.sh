#!/bin/bash
# memcheck over what reads hostile input and what keeps the store: replay of golden cases and the commands
# of the store. Not the agent itself: valgrind knows neither Landlock nor seccomp(2), and without those the
# unprivileged half refuses to begin.
#
#   tests/valgrind/run.sh            `make test-valgrind`
#   tests/valgrind/run.sh WORD...    golden cases whose path contains a word
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

echo "$passed passed, $failed failed"
[ $failed = 0 ]
