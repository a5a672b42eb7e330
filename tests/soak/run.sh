#!/bin/bash
# A mixed load for hours with real servers, and what the agent holds meanwhile: `make soak`.
#
#   SOAK_HOURS=8       how long (SOAK_SECONDS=N instead)
#   SOAK_OUT=DIR       samples.csv, summary.txt and summary.json ($BUILD/soak)
# Ends with "N passed, N failed": one a measure that must be flat, one a thing that must be true.
# It has a network, a bpffs, a store and a runtime directory of its own and takes no lock: other agents
# may run beside it, and then their load is in its figures, too.
set -u
cd "$(dirname "$0")/../.." || exit 1
export BUILD=${BUILD:-build}
if [ "$(id -u)" != 0 ]; then
	echo "tests/soak: needs root (network namespaces, BPF)"
	echo "0 passed, 1 failed"
	exit 1
fi
exec env PYTHONPATH="$PWD/tests/soak:$PWD/tests/live" \
	unshare --mount --propagation private /usr/bin/python3 -B tests/soak/soak.py
