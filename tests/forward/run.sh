#!/bin/bash
# Forwarders: the real agent, the real outergate-forward, and a collector: rsyslog (RFC 5425, RELP), a
# Kafka cluster inside librdkafka, and receivers of the test's own for HTTP, which can also misbehave.
#
#   tests/forward/run.sh             everything
#   tests/forward/run.sh otlp kill   the cases whose name contains one of these words
set -u
cd "$(dirname "$0")/../.."
export BUILD=${BUILD:-build}
if [ "$(id -u)" != 0 ]; then
	echo "tests/forward: needs root (BPF)"
	echo "0 passed, 1 failed"
	exit 1
fi
mkdir -p "$BUILD/tests"
gcc -O1 -Wall -o "$BUILD/tests/kafka_cluster" tests/forward/kafka_cluster.c -lrdkafka || {
	echo "0 passed, 1 failed"
	exit 1
}
exec /usr/bin/python3 -B tests/forward/main.py "$@"
