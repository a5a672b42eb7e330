#!/bin/bash
# Decoder cases (*.txt, format told in sshd_verdicts.txt), then recorded logs as oracles.
cd "$(dirname "$0")/../.." || exit 1
PYTHONDONTWRITEBYTECODE=1 exec python3 tests/decode/run.py "${OUTERGATE:-${BUILD:-build}/outergate}"
