#!/bin/bash
# Live tests: real sshd, real ssh clients and the real agent, in network namespaces and in a mount
# namespace of their own, so that no file, user, log or address of this machine is touched.
#
#   tests/live/run.sh                 everything
#   tests/live/run.sh main_job forged the cases whose name contains one of these words
#   tests/live/run.sh --list          names only
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
exec unshare --mount --propagation private /usr/bin/python3 -B tests/live/main.py "$@"
