#!/bin/bash
# The commands and the whole agent while the nth allocation or the nth system call of a kind fails:
# nothing crashes, nothing hangs, nothing is silently left undone, and the store verifies afterwards.
#
#   tests/faults/run.sh             in short, the commands (part of `make test`)
#   tests/faults/run.sh --all       far more of them, and the agent: `make test-faults`
#   tests/faults/run.sh [--all] WORD...   of the commands and cases whose name contains a word
# Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")/../.." || exit 1
export BUILD=${BUILD:-build}
if ! command -v strace >/dev/null && ! sh tools/deps.sh test >/dev/null; then
	echo "tests/faults: strace is missing"
	echo "0 passed, 1 failed"
	exit 1
fi
# The agent's hooks are pinned in a bpffs of its own, and it disturbs what others measure.
if [ "${1:-}" = --all ]; then
	exec flock /tmp/outergate-live.lock unshare --mount --propagation private sh -c \
		'mount -t bpf bpf /sys/fs/bpf && exec /usr/bin/python3 -B tests/faults/faults.py "$@"' - "$@"
fi
exec /usr/bin/python3 -B tests/faults/faults.py "$@"
