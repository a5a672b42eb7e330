#!/bin/bash
# outergate.exe under Wine: the unit programs, the golden cases with the same output as on Linux, and what the
# agent makes of events that a double of Windows delivers. Ends with "N passed, N failed".
#
#   run.sh [SUITE...]      unit golden agent msi; all of them without one
cd "$(dirname "$0")/../.." || exit 1
BUILD=$(realpath -m "${BUILD:-build}")
export WINEDEBUG=${WINEDEBUG:--all} WINEPREFIX=$BUILD/windows/prefix-wine
[ -x "$BUILD/windows/outergate.exe" ] || { echo "make windows first" >&2; exit 1; }
mkdir -p "$BUILD/windows/wine" "$BUILD/log"
printf '#!/bin/sh\nexec wine "%s" "$@"\n' "$BUILD/windows/outergate.exe" > "$BUILD/windows/wine/outergate"
chmod +x "$BUILD/windows/wine/outergate"
# One server for all: else each program starts Windows anew.
[ -e "$WINEPREFIX/system.reg" ] || wineboot -i > "$BUILD/log/wineboot.log" 2>&1
# One that is still there from something else would not stay: it ends first.
{ wineserver -k; wineserver -w; wineserver -p; } > "$BUILD/log/wineserver.log" 2>&1
trap 'wineserver -k; wait' EXIT
# Windows has no time zones by these names: files of the tz database go beside the configuration.
mkdir -p "$WINEPREFIX/drive_c/ProgramData/Outergate"
ln -sfn /usr/share/zoneinfo "$WINEPREFIX/drive_c/ProgramData/Outergate/zoneinfo"
passed=0 failed=0
count() { # a suite's log; its last line is "N passed, N failed"
	local p f
	p=$(grep -oE '^[0-9]+ passed' "$1" | tail -1 | grep -oE '[0-9]+')
	f=$(grep -oE '[0-9]+ failed' "$1" | tail -1 | grep -oE '[0-9]+')
	grep -v '^PASS' "$1" | head -60
	passed=$((passed + ${p:-0})) failed=$((failed + ${f:-1}))
}
# One of the programs. Where it ends without a word of a failed test, Wine itself did not come up: that is
# tried once more, and told.
one_unit() {
	local log=$BUILD/log/wine-unit.one code try
	for try in first second; do
		wine "$1" > "$log" 2>&1
		code=$?
		[ $code = 0 ] && return 0
		grep -qaE 'FAILED|ERROR' "$log" && break
		echo "$(basename "$1"), $try try: exit $code, its last line: $(tail -1 "$log" | tr -cd '[:print:]')"
	done
	return 1
}
unit() {
	local p=0 f=0
	for t in "$BUILD"/windows/tests/*.exe; do
		if one_unit "$t"; then
			p=$((p + 1))
		else
			f=$((f + 1))
			echo "FAIL $(basename "$t")"
			grep -aE 'ERROR|LINE|FAILED' "$BUILD/log/wine-unit.one" | head -8
		fi
	done > "$BUILD/log/wine-unit.log"
	echo "$p passed, $f failed" >> "$BUILD/log/wine-unit.log"
	count "$BUILD/log/wine-unit.log"
}
golden() { # GOLDEN: some of its cases, by the beginning of their names
	# shellcheck disable=SC2086
	python3 tests/golden/run.py "$BUILD/windows/wine" ${GOLDEN:-} > "$BUILD/log/wine-golden.log" 2>&1
	count "$BUILD/log/wine-golden.log"
}
agent() { # CASES: some of its cases
	# shellcheck disable=SC2086
	PYTHONDONTWRITEBYTECODE=1 python3 tests/wine/agent.py "$BUILD/windows" ${CASES:-} \
		> "$BUILD/log/wine-agent.log" 2>&1
	count "$BUILD/log/wine-agent.log"
}
msi() {
	PYTHONDONTWRITEBYTECODE=1 python3 tests/wine/msi.py "$BUILD/windows" > "$BUILD/log/wine-msi.log" 2>&1
	count "$BUILD/log/wine-msi.log"
}
for suite in ${*:-unit golden agent msi}; do
	echo "== $suite"
	"$suite"
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
