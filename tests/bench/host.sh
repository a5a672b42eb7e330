#!/bin/bash
# Benchmarks on this host in network namespaces, with the agent, without, and with others in its
# place (auditd, bpftrace, libbpf-tools). Needs root. Rows for docs/BENCHMARKS.md are left below
# $BUILD/bench/results.
#   tests/bench/host.sh [WORD...]     server login memory load latency
set -eu
cd "$(dirname "$0")/../.."
export BUILD=${BUILD:-build}
sh tools/deps.sh bench >/dev/null
LIVE_ONCE=1 LIVE_CASES=tests/bench/host PYTHONPATH=$PWD/tests/bench/host:$PWD/tests/live \
	exec bash tests/live/run.sh "${@:-bench_}"
