#!/bin/bash
# The command line as a person meets it: exit codes, messages, help of every command, bad input.
# Each tests/cli/*.sh beside this one holds the cases of one command; OUTERGATE names the binary.
set -u
cd "$(dirname "$0")/../.."
OUTERGATE=${OUTERGATE:-$PWD/${BUILD:-build}/outergate}
case $BUILD in /*) OUTERGATE=${OUTERGATE/$PWD\/$BUILD/$BUILD} ;; esac
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0

ok() { passed=$((passed + 1)); }
bad() { # NAME WHAT...
	failed=$((failed + 1))
	echo "FAILED: $1"
	shift
	printf '    %s\n' "$@"
}

# outergate ARGS... into $out, $err and $code; never longer than 20 s
run() {
	timeout 20 "$OUTERGATE" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	code=$?
	out=$(tr -d '\0' <"$tmp/out") err=$(tr -d '\0' <"$tmp/err")
}

# has TEXT REGEX: an empty REGEX wants an empty TEXT
has() {
	if [ -z "$2" ]; then [ -z "$1" ]; else grep -qE -- "$2" <<<"$1"; fi
}

# expect NAME CODE STDOUT-REGEX STDERR-REGEX ARGS...
expect() {
	local name=$1 want=$2 want_out=$3 want_err=$4
	shift 4
	run "$@"
	if [ "$code" = "$want" ] && has "$out" "$want_out" && has "$err" "$want_err"; then
		ok
	else
		bad "$name" "outergate $*" "exit $code, wanted $want" "stdout: ${out:0:400}" \
			"stderr: ${err:0:400}"
	fi
}

# check_true NAME COMMAND...: a condition about the last run
check_true() {
	local name=$1
	shift
	if "$@"; then
		ok
	else
		bad "$name" "${1:0:40} ... ${*: -1} is not so" "stdout: ${out:0:200}" \
			"stderr: ${err:0:200}"
	fi
}

# rows FILE PYTHON-EXPRESSION over rows, the objects of a JSON Lines file; by, the same by id
rows() {
	python3 -c 'import json, sys
rows = [json.loads(l) for l in open(sys.argv[1])]
by = {r.get("id"): r for r in rows}
sys.exit(0 if eval("(" + sys.argv[2] + ")") else 1)' "$1" "$2"
}

if [ ! -x "$OUTERGATE" ]; then
	echo "no $OUTERGATE"
	echo "0 passed, 1 failed"
	exit 1
fi
for cases in tests/cli/*.sh; do
	[ "$cases" = tests/cli/run.sh ] || . "$cases"
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
