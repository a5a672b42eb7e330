#!/bin/bash
# outergate.exe in short: it is built, its unit programs run under Wine, its installer installs, upgrades and removes, a part of the golden cases gives the same
# output as on Linux, and the agent lives through some of what the double does to it. `make test-windows` is
# all of it. Skipped, and said so, where the packages or the sources of its libraries cannot be had.
cd "$(dirname "$0")/../.." || exit 1
export BUILD=${BUILD:-build}
log=$BUILD/log/windows-build.log
mkdir -p "$BUILD/log"
if ! make -j2 BUILD="$BUILD" windows windows-double windows-unit > "$log" 2>&1; then
	if grep -qE 'cannot be (asked|fetched)|Unable to (fetch|locate)|Could not resolve' "$log"; then
		echo "SKIP outergate.exe: its packages cannot be had"
		echo "0 passed, 0 failed, 1 skipped"
		exit 0
	fi
	grep -E '\*\*\*|[Ee]rror|not found|undefined' "$log" | head -10
	tail -10 "$log"
	echo "FAIL outergate.exe is built"
	echo "0 passed, 1 failed"
	exit 1
fi
msi=msi
if ! make -j2 BUILD="$BUILD" windows-msi > "$log" 2>&1; then
	if grep -q 'no country database' "$log"; then
		echo "SKIP the installer: its country database cannot be had"
		msi=""
	else
		tail -10 "$log"
		echo "FAIL the installer is built"
	fi
fi
GOLDEN="auth. session. chain." \
	CASES="rdp_life_etw_evt exposed_host benign_host not_system killed_before_it_saved service" \
	bash tests/wine/run.sh unit golden agent $msi | sed "$([ -n "$msi" ] || echo '$s/$/, 1 skipped/')"
exit "${PIPESTATUS[0]}"
