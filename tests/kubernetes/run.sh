#!/bin/bash
# The attack against a real cluster: etcd, kube-apiserver and kubelet of Debian's source package
# (build.sh), dockerd below them, the agent beside them, in the namespaces of tests/live.
#
#   tests/kubernetes/run.sh             everything
#   tests/kubernetes/run.sh exec pod    the cases whose name contains one of these words
#   tests/kubernetes/run.sh --list      names only
#   tests/kubernetes/run.sh --keep ...  leave the logs, the audit log among them, in $BUILD/live
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
export LIVE_CASES=tests/kubernetes
if [ "${1:-}" = --list ]; then
	exec bash tests/live/run.sh "$@"
fi
sh tools/deps.sh kubernetes >&2 || {
	echo "0 passed, 1 failed"
	exit 1
}
if ! KUBERNETES=$(BUILD=$BUILD bash tests/kubernetes/build.sh); then
	echo "0 passed, 1 failed"
	exit 1
fi
export KUBERNETES BUILD
begun=$SECONDS
bash tests/live/run.sh "$@"
code=$?
echo "kubernetes: the cases took $((SECONDS - begun)) s" >&2
exit $code
