#!/bin/bash
# Receivers: the real agent and lines that other hosts and programs send: by rsyslog, logger,
# openssl, and by hand what those would not send.
#
#   tests/receive/run.sh             everything
#   tests/receive/run.sh tls flood   the cases whose name contains one of these words
set -u
cd "$(dirname "$0")/../.."
export BUILD=${BUILD:-build}
if [ "$(id -u)" != 0 ]; then
	echo "tests/receive: needs root (BPF)"
	echo "0 passed, 1 failed"
	exit 1
fi
exec env PYTHONPATH="tests/forward" /usr/bin/python3 -B tests/receive/main.py "$@"
