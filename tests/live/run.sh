#!/bin/bash
# Live tests: real sshd, real ssh clients and the real agent, in network namespaces and in a mount
# namespace of their own, so that no file, user, log or address of this machine is touched.
#
#   tests/live/run.sh                 everything
#   tests/live/run.sh main_job forged the cases whose name contains one of these words
#   tests/live/run.sh --list          names only
#   LIVE_CASES=DIR ...                that folder's cases instead of this one's
#   LIVE_ONCE=1 ...                   what fails is not tried again
#   tests/live/run.sh --keep ...      leave the working directory's logs in $BUILD/live
set -u
cd "$(dirname "$0")/../.."
export BUILD=${BUILD:-build}
[ "${1:-}" = --list ] && exec /usr/bin/python3 tests/live/main.py "$@"
if [ "$(id -u)" != 0 ]; then
	echo "tests/live: needs root (network namespaces, BPF)"
	echo "0 passed, 1 failed"
	exit 1
fi
# BPF sees the whole machine: two runs at once would see each other's sessions.
exec 9>/tmp/outergate-live.lock
if ! flock -w 900 9; then
	echo "tests/live: another run has held /tmp/outergate-live.lock for 15 minutes"
	echo "0 passed, 1 failed"
	exit 1
fi
live() { unshare --mount --propagation private /usr/bin/python3 -B tests/live/main.py "$@"; }

out=$(mktemp)
trap 'rm -f "$out"' EXIT
live "$@" 2>&1 | tee "$out"
failed=$(sed -n 's/^failed: //p' "$out" | tail -1)
last=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$out" | tail -1)
p=${last%% passed*} f=${last#*passed, } f=${f%% failed*} k=""
case $last in *skipped) k=", ${last##*, }" ;; esac
[ -n "$failed" ] && [ -z "${LIVE_ONCE:-}" ] || exit "$([ "${f:-1}" = 0 ] && echo 0 || echo 1)"
# Time limits of real servers on a busy machine: what failed beside others runs once more, alone,
# and is named as such. What fails twice has failed.
echo "== again, alone: $failed"
# shellcheck disable=SC2086
live $failed 2>&1 | tee "$out"
twice=$(sed -n 's/^failed: //p' "$out" | tail -1)
grep -qE '^[0-9]+ passed, [0-9]+ failed' "$out" || twice=$failed
t=$(wc -w <<<"$twice")
echo "failed at first, passed alone: $(comm -23 <(tr ' ' '\n' <<<"$failed" | sort) <(tr ' ' '\n' <<<"$twice" | sort) | paste -sd' ')"
[ -z "$twice" ] || echo "failed: $twice"
echo "$((p + f - t)) passed, $t failed$k"
[ "$t" = 0 ]
