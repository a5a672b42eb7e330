#!/bin/bash
# The agent under attack: floods of every kind, with a real intrusion hidden in each, which must be told;
# memory must stay flat.
#
#   tests/attack/run.sh             both halves (`make test-attack`)
#   tests/attack/run.sh --replay [WORD...]   what needs no kernel: floods of lines, names, clocks, full tables
#   tests/attack/run.sh --live [WORD...]     storms inside and beside a session, on a real sshd
#
# Proven elsewhere, and not repeated here: 70,000 idle connections, listen() loops and exec storms
# (tests/live/test_j_floods.py); rotation in every way (test_g_file.py); a full disk, a restarted journal
# and kills (test_f_restart.py); databases exchanged underfoot (test_o_geo.py); a collector that is away,
# slow or lies, and a full outbox (tests/forward); the ring's overflow and kernel tables
# (tests/unit/test_core_flood.c, test_outward_flood.c, test_exposure_flood.c).
# Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")/../.." || exit 1
export BUILD=${BUILD:-build}
passed=0 failed=0
add() { # its last line counts
	local last p n
	last=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$1" | tail -1)
	p=${last%% passed*} n=${last#*passed, } n=${n%% failed*}
	passed=$((passed + ${p:-0})) failed=$((failed + ${n:-1}))
}
mkdir -p "$BUILD/log"
half=${1:-}
[ $# = 0 ] || shift
if [ "$half" != --live ]; then
	/usr/bin/python3 -B tests/attack/floods.py "$@" 2>&1 | tee "$BUILD/log/attack-replay.txt"
	add "$BUILD/log/attack-replay.txt"
fi
if [ "$half" != --replay ]; then
	# The cases of the world that they live in are not ours.
	[ $# -gt 0 ] || set -- a_fork_bomb a_login_among_namespaces a_number_of_a_session
	LIVE_CASES=tests/attack PYTHONPATH=$PWD/tests/live bash tests/live/run.sh "$@" 2>&1 | tee "$BUILD/log/attack-live.txt"
	add "$BUILD/log/attack-live.txt"
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
